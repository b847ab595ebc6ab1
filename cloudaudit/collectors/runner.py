"""Running collectors: all scopes of all targets at once, one deterministic result.

What a collector does wrong costs its own scope and nothing else; what an interruption cuts short
keeps what was read. Either way a gap says what is missing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final

from cloudaudit.collectors import Collector, Seen
from cloudaudit.collectors.probe import CALL as TLS_CALL
from cloudaudit.collectors.probe import TlsProbe
from cloudaudit.collectors.sightings import merged, renumbered
from cloudaudit.collectors.transport import CallLog, Clock
from cloudaudit.errors import CloudauditError
from cloudaudit.model import Call, Gap, Listing, Reason, Resource, Scope

MAX_WORKERS: Final = 32
_TICK: Final = 0.2
_GRACE: Final = 2.0
INTERRUPTED: Final = "interrupted"


@dataclass(frozen=True, slots=True)
class Collected:
    """Everything that was seen, and everything that was not. Call numbers are places in `calls`."""

    resources: tuple[Resource, ...]
    listings: tuple[Listing, ...]
    gaps: tuple[Gap, ...]
    calls: tuple[Call, ...]
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one scope is."""

    scope: Scope
    resources: int
    gaps: int
    done: bool


OnProgress = Callable[[Progress], None]


@dataclass(slots=True, eq=False)
class _Work:
    """One scope of one collector. Filled by a worker, read by the runner even while it fills."""

    collector: Collector
    scope: Scope
    log: CallLog = field(default_factory=CallLog)
    seen: list[Seen] = field(default_factory=list)
    resources: int = 0
    gaps: int = 0
    fault: str = ""
    finished: bool = False

    def read(self, wanted: frozenset[str], stop: threading.Event) -> None:
        if stop.is_set():
            return
        try:
            for one in self.collector.collect(self.scope, wanted, self.log):
                self.seen.append(one)
                self.resources += isinstance(one, Resource)
                self.gaps += isinstance(one, Gap)
                if stop.is_set():
                    return
        except CloudauditError:
            raise
        except Exception as error:  # noqa: BLE001 - the one place where a collector's defect becomes a gap
            self.fault = type(error).__name__
            return
        self.finished = not stop.is_set()

    def progress(self) -> Progress:
        return Progress(self.scope, self.resources, self.gaps, self.finished or bool(self.fault))

    def shortfall(self, seen: Iterable[Seen]) -> Iterator[Gap]:
        """A gap for each type whose list the scope did not come to prove."""
        if self.finished:
            return
        reason = Reason.INVALID_ANSWER if self.fault else Reason.PARTIAL
        detail = f"the collector failed ({self.fault})" if self.fault else INTERRUPTED
        proven = {one.type for one in seen if isinstance(one, Listing)}
        for type_ in sorted(self.collector.types - proven):
            yield Gap(self.scope, type_, "collect", reason, detail)


@dataclass(slots=True, eq=False)
class _Target:
    """One collector, and its scopes once it has named them."""

    collector: Collector
    log: CallLog = field(default_factory=CallLog)
    gaps: list[Gap] = field(default_factory=list)
    works: list[_Work] = field(default_factory=list)
    fault: str = ""
    named: bool = False

    def name_scopes(self, stop: threading.Event) -> None:
        found: list[Scope | Gap] = []
        if stop.is_set():
            return
        try:
            for one in self.collector.scopes(self.log):
                found.append(one)
                if stop.is_set():
                    break
        except CloudauditError:
            raise
        except Exception as error:  # noqa: BLE001 - as above, before there are scopes
            self.fault = type(error).__name__
        self.gaps = [one for one in found if isinstance(one, Gap)]
        self.works = [_Work(self.collector, one) for one in found if isinstance(one, Scope)]
        self.named = not stop.is_set()

    def shortfall(self) -> Iterator[Gap]:
        """Gaps of a collector that could not name its scopes."""
        if self.named and not self.fault:
            return
        whole = _Work(self.collector, Scope(self.collector.name), fault=self.fault)
        yield from whole.shortfall(())


def collect(
    collectors: Iterable[Collector],
    wanted: frozenset[str],
    *,
    now: Clock,
    max_workers: int = 8,
    on_progress: OnProgress | None = None,
    cancelled: threading.Event | None = None,
    tls: TlsProbe | None = None,
) -> Collected:
    """Run every scope of every collector, `max_workers` at a time, and put the results together.

    Calls are numbered by target, then scope, in the order given, however the threads ran. Setting
    `cancelled`, or Ctrl-C, ends the collection: what was read is returned, the rest is gaps. Give
    the same event to the collectors, so that their pauses end too. `tls` adds tls.* facts to
    endpoints, if "probe.tls" is wanted. A CloudauditError of a collector ends everything: it is
    a mistake the operator has to mend. `on_progress` is called from the calling thread only.
    """
    stop = cancelled or threading.Event()
    targets = [_Target(collector) for collector in collectors]
    pool = ThreadPoolExecutor(max(1, min(max_workers, MAX_WORKERS)), thread_name_prefix="collect")
    pending: set[Future[None]] = set()
    try:
        try:
            _work_through(targets, wanted, pool, pending, stop, on_progress or _silent)
        except KeyboardInterrupt:
            stop.set()
        if stop.is_set():
            for future in pending:
                future.cancel()
            wait(pending, timeout=_GRACE)
        log = CallLog()
        resources, listings, gaps = _gathered(targets, log)
        if tls is not None and TLS_CALL in wanted:
            try:
                resources = tls.add_tls(resources, log, now=now, cancelled=stop)
            except KeyboardInterrupt:
                stop.set()
                resources = tls.add_tls(resources, log, now=now, cancelled=stop)
    except CloudauditError:
        stop.set()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return Collected(resources, listings, gaps, tuple(log.calls), interrupted=stop.is_set())


def _silent(progress: Progress) -> None:
    """Nobody looks."""


def _work_through(
    targets: list[_Target],
    wanted: frozenset[str],
    pool: ThreadPoolExecutor,
    pending: set[Future[None]],
    stop: threading.Event,
    on_progress: OnProgress,
) -> None:
    """Name all scopes and read them, until nothing is pending or `stop` is set."""
    naming = {pool.submit(target.name_scopes, stop): target for target in targets}
    reading: dict[Future[None], _Work] = {}
    reported: dict[_Work, Progress] = {}
    pending.update(naming)
    while pending and not stop.is_set():
        done, _ = wait(pending, timeout=_TICK, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
            if future in naming and not stop.is_set():
                started = {pool.submit(work.read, wanted, stop): work for work in naming[future].works}
                reading.update(started)
                pending.update(started)
        for work in reading.values():
            progress = work.progress()
            if reported.get(work) != progress:
                reported[work] = progress
                on_progress(progress)
        pending.difference_update(done)


def _gathered(
    targets: list[_Target], log: CallLog
) -> tuple[tuple[Resource, ...], tuple[Listing, ...], tuple[Gap, ...]]:
    """Put the parts together in the order of targets and scopes, numbering calls as they come."""
    every: list[Seen] = []
    for target in targets:
        offset = log.absorb(target.log.calls[:])
        every += [renumbered(gap, offset) for gap in (*target.gaps, *target.shortfall())]
        for work in target.works:
            # A worker may not have noticed the end yet: copy the calls after what refers to them.
            seen = work.seen[:]
            offset = log.absorb(work.log.calls[:])
            every += [renumbered(one, offset) for one in (*seen, *work.shortfall(seen))]
    resources = merged(one for one in every if isinstance(one, Resource))
    listings = tuple(one for one in every if isinstance(one, Listing))
    gaps = tuple(dict.fromkeys(one for one in every if isinstance(one, Gap)))
    return resources, listings, gaps
