"""Running collectors: all scopes of all targets at once, one deterministic result.

What a collector does wrong costs its own scope and nothing else; what an interruption cuts short
keeps what was read. Either way a gap says what is missing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final

from cloudaudit.collectors import Collector, Seen
from cloudaudit.collectors.names import CALL as DNS_CALL
from cloudaudit.collectors.names import NameProbe
from cloudaudit.collectors.probe import CALL as TLS_CALL
from cloudaudit.collectors.probe import TlsProbe
from cloudaudit.collectors.sightings import merged, renumbered
from cloudaudit.collectors.transport import CallLog, Clock
from cloudaudit.errors import CloudauditError
from cloudaudit.model import Call, Gap, Listing, Part, Reason, Resource, Scope, Seconds

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
    parts: tuple[Part, ...] | None = None
    """Where something is left to read: what was read to its end, to go on from. None: nothing is left."""


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
    began: Seconds = 0
    kept: bool = False
    """It was read in an earlier session: its call numbers are those of that session's log."""

    @staticmethod
    def of(collector: Collector, part: Part) -> _Work:
        return _Work(collector, part.scope, seen=list(part.seen), finished=True, began=part.at, kept=True)

    def read(self, wanted: frozenset[str], stop: threading.Event, now: Clock) -> None:
        if stop.is_set():
            return
        self.began = now()
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

    def is_whole(self) -> bool:
        """Whether there is nothing left to read: no interruption and no time-out cut it short anywhere."""
        return self.finished and not any(map(_is_cut_short, self.seen))

    def shortfall(self, seen: Iterable[Seen]) -> Iterator[Gap]:
        """A gap for each type whose list the scope did not come to prove."""
        if self.finished:
            return
        reason = Reason.INVALID_ANSWER if self.fault else Reason.PARTIAL
        detail = f"the collector failed ({self.fault})" if self.fault else INTERRUPTED
        proven = {one.type for one in seen if isinstance(one, Listing)}
        for type_ in sorted(self.collector.types - proven):
            yield Gap(self.scope, type_, "collect", reason, detail)


def _is_cut_short(one: Seen) -> bool:
    match one:
        case Resource():
            return any(_is_end(why.reason, why.detail) for why in one.unseen.values())
        case Gap():
            return _is_end(one.reason, one.detail)
        case _:
            return False


def _is_end(reason: Reason, detail: str) -> bool:
    return reason is Reason.TIMEOUT or (reason is Reason.PARTIAL and INTERRUPTED in detail)


@dataclass(slots=True, eq=False)
class _Target:
    """One collector, and its scopes once it has named them. `kept` are those read earlier, by scope."""

    collector: Collector
    kept: Mapping[Scope, Part] = field(default_factory=dict)
    log: CallLog = field(default_factory=CallLog)
    gaps: list[Gap] = field(default_factory=list)
    works: list[_Work] = field(default_factory=list)
    fault: str = ""
    named: bool = False

    def __post_init__(self) -> None:
        self.works = [_Work.of(self.collector, part) for part in self.kept.values()]

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
        # What was read earlier stays, though its scope may not be named any more: it was there then.
        fresh = [one for one in found if isinstance(one, Scope) and one not in self.kept]
        self.works += [_Work(self.collector, one) for one in fresh]
        self.named = not stop.is_set()

    def shortfall(self) -> Iterator[Gap]:
        """Gaps of a collector that could not name its scopes."""
        if self.named and not self.fault:
            return
        whole = _Work(self.collector, Scope(self.collector.name), fault=self.fault)
        yield from whole.shortfall(())

    def is_whole(self) -> bool:
        """Whether nothing is known of that is left to read."""
        cut = any(map(_is_cut_short, self.gaps))
        return not self.fault and not cut and all(work.is_whole() for work in self.works)


def collect(
    collectors: Iterable[Collector],
    wanted: frozenset[str],
    *,
    now: Clock,
    max_workers: int = 8,
    on_progress: OnProgress | None = None,
    cancelled: threading.Event | None = None,
    tls: TlsProbe | None = None,
    names: NameProbe | None = None,
    kept: Sequence[Part] = (),
    calls: Sequence[Call] = (),
) -> Collected:
    """Run every scope of every collector, `max_workers` at a time, and put the results together.

    Calls are numbered by target, then scope, in the order given, however the threads ran. Setting
    `cancelled`, or Ctrl-C, ends the collection: what was read is returned, the rest is gaps. Give
    the same event to the collectors, so that their pauses end too. `tls` adds tls.* facts to
    endpoints, if "probe.tls" is wanted, and `names` dns.* facts, if "probe.dns" is. A CloudauditError
    of a collector ends everything: it is a mistake the operator has to mend. `on_progress` is called
    from the calling thread only. Scopes in `kept`, which an earlier session read, are not read again;
    `calls` is the log of that session.
    """
    stop = cancelled or threading.Event()
    targets = [
        _Target(collector, {part.scope: part for part in kept if part.scope.target == collector.name})
        for collector in collectors
    ]
    pool = ThreadPoolExecutor(max(1, min(max_workers, MAX_WORKERS)), thread_name_prefix="collect")
    pending: set[Future[None]] = set()
    try:
        try:
            _work_through(targets, wanted, pool, pending, stop, on_progress or _silent, now)
        except KeyboardInterrupt:
            stop.set()
        if stop.is_set():
            for future in pending:
                future.cancel()
            wait(pending, timeout=_GRACE)
        log = CallLog()
        log.absorb(calls)
        resources, listings, gaps, parts = _gathered(targets, log)
        steps = []
        if tls is not None and TLS_CALL in wanted:
            steps.append(tls.add_tls)
        if names is not None and DNS_CALL in wanted:
            steps.append(names.add_names)
        for step in steps:
            try:
                resources = step(resources, log, now=now, cancelled=stop)
            except KeyboardInterrupt:
                stop.set()
                resources = step(resources, log, now=now, cancelled=stop)
    except CloudauditError:
        stop.set()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return Collected(resources, listings, gaps, tuple(log.calls), stop.is_set(), parts)


def _silent(progress: Progress) -> None:
    """Nobody looks."""


def _work_through(
    targets: list[_Target],
    wanted: frozenset[str],
    pool: ThreadPoolExecutor,
    pending: set[Future[None]],
    stop: threading.Event,
    on_progress: OnProgress,
    now: Clock,
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
                works = [work for work in naming[future].works if not work.kept]
                started = {pool.submit(work.read, wanted, stop, now): work for work in works}
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
) -> tuple[tuple[Resource, ...], tuple[Listing, ...], tuple[Gap, ...], tuple[Part, ...] | None]:
    """Put the parts together in the order of targets and scopes, numbering calls as they come.

    `log` holds the calls of an earlier session, which those of kept parts are among.
    """
    every: list[Seen] = []
    parts: list[Part] = []
    left = False
    for target in targets:
        whole = target.is_whole()
        left |= not (whole and target.named)
        offset = log.absorb(target.log.calls[:])
        every += [renumbered(gap, offset) for gap in (*target.gaps, *target.shortfall())]
        for work in target.works:
            # A worker may not have noticed the end yet: copy the calls after what refers to them.
            done = work.is_whole()
            seen = work.seen[:]
            offset = 0 if work.kept else log.absorb(work.log.calls[:])
            own = [renumbered(one, offset) for one in (*seen, *work.shortfall(seen))]
            every += own
            # NOTE: what a collector finds missing below is told in the scope of the whole target. That is
            # read again with whatever is left, so that no project is lost when the next session is refused.
            if done and (whole or work.scope != Scope(target.collector.name)):
                parts.append(Part(work.scope, work.began, tuple(own)))
    resources = merged(one for one in every if isinstance(one, Resource))
    listings = tuple(one for one in every if isinstance(one, Listing))
    gaps = tuple(dict.fromkeys(one for one in every if isinstance(one, Gap)))
    return resources, listings, gaps, tuple(parts) if left else None
