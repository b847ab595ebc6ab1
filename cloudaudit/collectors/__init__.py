"""Collectors read a cloud's configuration and yield what they saw and what they could not see.

A collector is given a scope and the calls that are wanted, and yields :class:`Resource`,
:class:`Listing` and :class:`Gap` values. It never raises for what a cloud does: a refusal, a
breakdown or an unreadable answer is a gap with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

from cloudaudit.collectors.transport import CallLog
from cloudaudit.model import Gap, Listing, Resource, Scope

Seen: TypeAlias = Resource | Listing | Gap


class Collector(Protocol):
    """Reads one target. Built by the runner from the target's entry in targets.yaml."""

    name: str
    types: frozenset[str]
    """Resource types it can yield."""

    def scopes(self, log: CallLog) -> Iterable[Scope | Gap]:
        """The independent pieces of work of the target (regions, projects), or why they cannot be told."""

    def collect(self, scope: Scope, wanted: frozenset[str], log: CallLog) -> Iterator[Seen]:
        """Read one scope. `wanted` holds names of calls declared in `resources/`; no other call is made."""


@runtime_checkable
class Telling(Protocol):
    """A collector that has something to tell of itself, for the snapshot to say of its target."""

    def told(self) -> Mapping[str, Any]:
        """With what credential it asked, how a file was made, a clock far off: nothing secret."""
