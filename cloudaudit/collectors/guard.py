"""What stands between a collector of another package and ours: it passes on what is sound, and no more.

A foreign collector may raise, hang on, or yield what nobody declared. Each costs its own scope, as a
gap of every type that was asked for; what it said before of the lists of that scope does not count.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Set
from types import MappingProxyType
from typing import Any, Final

from cloudaudit.collectors import Collector, Seen
from cloudaudit.collectors.transport import CallLog
from cloudaudit.model import (
    AtLeast,
    AtMost,
    Gap,
    Listing,
    Partial,
    Reason,
    Resource,
    ResourceType,
    Scope,
    Seconds,
    Unseen,
    format_time,
)

_DEEPEST: Final = 32
_PLAIN: Final = frozenset({type(None), bool, int, float, str})


def is_collector(made: Any) -> bool:
    """Whether it has the two methods of a collector. What it says of its name and types is not asked."""
    return callable(getattr(made, "scopes", None)) and callable(getattr(made, "collect", None))


class Broken:
    """Stands in for a collector that could not be had: a gap for all it would have read."""

    def __init__(self, name: str, types: Mapping[str, ResourceType], why: str) -> None:
        self.name = name
        self.types = frozenset(types)
        self._declared = types
        self._why = why

    def scopes(self, log: CallLog) -> Iterable[Scope | Gap]:
        return (Scope(self.name),)

    def collect(self, scope: Scope, wanted: frozenset[str], log: CallLog) -> Iterator[Seen]:
        for type_, call in _owed(self._declared, wanted).items():
            yield Gap(scope, type_, call, Reason.NOT_COLLECTED, self._why)


class Guarded:
    """A foreign collector, held to what its package declares, to its target's name and deadline."""

    def __init__(
        self,
        inner: Collector,
        name: str,
        types: Mapping[str, ResourceType],
        whose: str,
        cancelled: threading.Event,
        deadline: Seconds,
    ) -> None:
        """`whose` names the plug-in in gaps; `deadline` is in seconds from the first question."""
        self.name = name
        self.types = frozenset(types)
        self._inner = inner
        self._declared = types
        self._whose = whose
        self._cancelled = cancelled
        self._deadline = deadline
        self._ends: float | None = None

    def scopes(self, log: CallLog) -> Iterable[Scope | Gap]:
        """Its scopes. What is none of this target's is not passed on, and leaves a gap of every type."""
        self._ends = time.monotonic() + self._deadline
        own = _Log(log)
        fault = ""
        try:
            for one in self._inner.scopes(own):
                fault = self._wrong_scope(one, own)
                if fault:
                    break
                yield one
        except (Exception, SystemExit) as error:  # noqa: BLE001 - code of others: a defect is a gap
            fault = f"failed ({type(error).__name__})"
        if fault:
            for type_ in sorted(self.types):
                yield Gap(Scope(self.name), type_, "collect", Reason.INVALID_ANSWER, f"{self._whose} {fault}")

    def _wrong_scope(self, one: object, log: CallLog) -> str:
        if isinstance(one, Scope):
            return "" if _is_of(one, self.name) else "named a scope of another target"
        return self._wrong(one, log) if isinstance(one, Gap) else f"named {type(one).__name__} as a scope"

    def collect(self, scope: Scope, wanted: frozenset[str], log: CallLog) -> Iterator[Seen]:
        """What it reads of a scope, and a gap for every type asked for that it said nothing of."""
        owed = _owed(self._declared, wanted)
        own = _Log(log)
        told: set[str] = set()
        try:
            for one in self._inner.collect(scope, wanted, own):
                if fault := self._wrong(one, own):
                    yield from self._gaps(scope, owed, owed.keys(), Reason.INVALID_ANSWER, fault)
                    return
                if _concludes(one) and one.scope == scope:
                    told.add(one.type)
                yield one
                if self._ends is not None and time.monotonic() > self._ends:
                    over = f"was not done in the {self._deadline:g} s allowed for this target"
                    yield from self._gaps(scope, owed, owed.keys() - told, Reason.TIMEOUT, over)
                    return
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            fault = f"failed ({type(error).__name__})"
            yield from self._gaps(scope, owed, owed.keys(), Reason.INVALID_ANSWER, fault)
            return
        if not self._cancelled.is_set():
            silent = "told neither of a list nor of a gap"
            yield from self._gaps(scope, owed, owed.keys() - told, Reason.NOT_COLLECTED, silent)

    def _gaps(
        self, scope: Scope, owed: Mapping[str, str], types: Set[str], reason: Reason, why: str
    ) -> Iterator[Gap]:
        for type_ in sorted(types):
            yield Gap(scope, type_, owed[type_], reason, f"{self._whose} {why}")

    def _wrong(self, one: object, log: CallLog) -> str:
        """Why something that was yielded cannot be passed on; empty when it can."""
        if not isinstance(one, Resource | Listing | Gap):
            return f"yielded {type(one).__name__}, which is no resource, listing or gap"
        if one.type not in self.types:
            return "yielded a type that its package does not declare"
        if not _is_of(one.scope, self.name):
            return "yielded what belongs to another target"
        if not _is_sound(one, len(log.calls)):
            return f"yielded a malformed {type(one).__name__.lower()}"
        return ""


def _concludes(one: Seen) -> bool:
    """Whether it says of a whole list that it was read, or why not."""
    return isinstance(one, Listing) or (isinstance(one, Gap) and one.listing)


def _owed(types: Mapping[str, ResourceType], wanted: frozenset[str]) -> dict[str, str]:
    """The types whose list is wanted, with the call that lists them."""
    return {
        name: call.name
        for name, type_ in sorted(types.items())
        for call in type_.calls.values()
        if call.lists and call.name in wanted
    }


class _Log(CallLog):
    """The log of a scope, which takes well-formed calls only."""

    def __init__(self, log: CallLog) -> None:
        super().__init__(log.calls, log._lock)

    def add(
        self,
        scope: Scope,
        service: str,
        request: str,
        status: int,
        at: Seconds,
        request_id: str = "",
        body: bytes = b"",
        digest: str = "",
    ) -> int:
        """Write down one request. TypeError: a part of it is of another class than declared."""
        texts = (service, request, request_id, digest)
        if not (_is_scope(scope) and all(map(_is_text, texts)) and _is_whole(status) and _is_moment(at)):
            raise TypeError("a malformed call")
        return super().add(scope, service, request, status, at, request_id, bytes(body), digest)


def _is_sound(one: Resource | Listing | Gap, calls: int) -> bool:
    """Whether every field is of the class it is declared as, down to the values of facts."""
    match one:
        case Resource():
            return (
                _is_text(one.id)
                and bool(one.id)
                and _is_text(one.name)
                and _is_text(one.endpoint)
                and _is_moment(one.at)
                and _is_value(one.facts)
                and isinstance(one.facts, Mapping)
                and _is_mapping(one.unseen, _is_unseen)
                and _is_mapping(one.sources, lambda number: _is_call(number, calls))
            )
        case Listing():
            proven = _is_whole(one.count) and one.count >= 0 and _is_text(one.proof) and bool(one.proof)
            return proven and (one.call is None or _is_call(one.call, calls))
        case _:
            return (
                isinstance(one.reason, Reason)
                and _is_text(one.operation)
                and _is_text(one.detail)
                and isinstance(one.listing, bool)
                and (one.call is None or _is_call(one.call, calls))
            )


def _is_of(scope: object, target: str) -> bool:
    return isinstance(scope, Scope) and _is_scope(scope) and scope.target == target


def _is_scope(scope: object) -> bool:
    return (
        isinstance(scope, Scope)
        and _is_text(scope.target)
        and all(part is None or _is_text(part) for part in (scope.region, scope.project))
    )


def _is_text(value: object) -> bool:
    return value.__class__ is str


def _is_whole(value: object) -> bool:
    return value.__class__ is int


def _is_call(value: object, calls: int) -> bool:
    return isinstance(value, int) and _is_whole(value) and 0 <= value < calls


def _is_moment(value: object) -> bool:
    if not isinstance(value, int) or not _is_whole(value):
        return False
    try:
        format_time(value)
    except (ValueError, OverflowError, OSError):
        return False
    return True


def _is_unseen(value: object) -> bool:
    return isinstance(value, Unseen) and isinstance(value.reason, Reason) and _is_text(value.detail)


def _is_mapping(value: object, fits: Any) -> bool:
    plain = value.__class__ in (dict, MappingProxyType)
    return plain and isinstance(value, Mapping) and all(_is_text(k) and fits(v) for k, v in value.items())


def _is_value(value: object, depth: int = 0) -> bool:
    """Whether a fact's value is made of the classes of the model, and of nothing with a will of its own."""
    if depth > _DEEPEST:
        return False
    match value:
        case _ if value.__class__ in _PLAIN:
            return True
        case Partial(items=items):
            return _is_value(items, depth + 1)
        case AtMost(limit=limit) | AtLeast(limit=limit):
            return _is_value(limit, depth + 1)
        case tuple() | list() if value.__class__ in (tuple, list):
            return all(_is_value(item, depth + 1) for item in value)
        case _:
            return _is_mapping(value, lambda item: _is_value(item, depth + 1))
