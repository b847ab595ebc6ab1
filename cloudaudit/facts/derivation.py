"""What a derivation is, how far it may trust a list, and how it reads facts that may be odd.

The rule for all of them: a definite value given from part of the evidence is the value all of the
evidence would give. What cannot be known so is a one-sided bound, a list known in part, or missing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from cloudaudit.model import (
    BEYOND,
    EVERYWHERE,
    MISSING,
    Gap,
    Partial,
    Reading,
    Reason,
    Resource,
    Scope,
    Unseen,
    Value,
    World,
)


@dataclass(frozen=True, slots=True)
class Derived:
    """Facts derived for one resource, and why others are missing or bounded, by fact name or group."""

    facts: Mapping[str, Value] = field(default_factory=dict)
    unseen: Mapping[str, Unseen] = field(default_factory=dict)
    beside: Mapping[str, tuple[Reading, ...]] = field(default_factory=dict)
    """Facts of other resources that a fact stands on, by fact name: evidence names them."""


Derive: TypeAlias = Callable[[Resource], Derived]


class Derivation(Protocol):
    """Some derived facts that are worked out together."""

    @property
    def name(self) -> str:
        """The family of the facts, as `derived:` in `resources/` spells it; derivations may share one."""

    @property
    def gives(self) -> Mapping[str, tuple[str, ...]]:
        """Facts given, by resource type."""

    @property
    def reads(self) -> Mapping[str, tuple[str, ...]]:
        """Types it looks at, with the facts needed of them: the plan collects these.

        The types of `gives` stand here too, with what is read of the resource in hand. The plan takes
        such a type only when a control wants its facts, so a type whose list is needed in any case
        must not stand in `gives` beside others.
        """

    def prepare(self, world: World) -> Derive:
        """Build the index from the world and return the function that derives for one resource."""


Reads: TypeAlias = Mapping[str, tuple[str, ...]]
"""Facts by resource type."""


@dataclass(frozen=True, slots=True)
class Family:
    """A derivation as a value."""

    name: str
    gives: Reads
    reads: Reads
    prepare: Callable[[World], Derive]


def merged(*reads: Reads) -> Reads:
    """What several readings take together."""
    found: dict[str, dict[str, None]] = {}
    for one in reads:
        for type_, facts in one.items():
            found.setdefault(type_, {}).update(dict.fromkeys(facts))
    return {type_: tuple(facts) for type_, facts in found.items()}


# --- lists and their gaps ---------------------------------------------------------------------------


def hidden(world: World, type_: str) -> tuple[Gap, ...]:
    """Gaps that may hide resources of a type, not only details of such as were listed.

    The list of a code to be deployed is whole for the code, and says nothing of what else the cloud has.
    """
    beyond = (
        Gap(one.scope, type_, "list", Reason.NOT_DESCRIBED, BEYOND)
        for one in world.listings_of(type_)
        if one.open
    )
    return (*(gap for gap in world.gaps_of(type_) if gap.listing), *beyond)


def unseen_anywhere(world: World, type_: str) -> Unseen | None:
    """Why the list of a type over the whole subject is not whole; None when it is."""
    for gap in hidden(world, type_):
        return Unseen(gap.reason, gap.detail)
    return None


class Lists:
    """The lists of one observed type: where they are whole, and why not elsewhere.

    A gap counts where its scope and the one asked about have anything in common: what is hidden in
    one project says nothing of another, what is hidden in a target may be anywhere in it. A scope in
    which no list was read at all has a gap too. `blind` adds resources that were listed but do not
    say what an index needs of them: they could be any.
    """

    def __init__(self, world: World, type_: str, blind: Iterable[tuple[Scope, Unseen]] = ()) -> None:
        self._type = type_
        told = [(gap.scope, Unseen(gap.reason, gap.detail)) for gap in hidden(world, type_)]
        # Sorted, so that the reason given does not depend on the order of resources.
        found = [*told, *sorted(blind, key=lambda entry: (entry[0].key(), entry[1].reason, entry[1].detail))]
        self._gaps: dict[Scope, tuple[int, Unseen]] = {}
        for rank, (scope, unseen) in enumerate(found):
            self._gaps.setdefault(scope, (rank, unseen))
        self._listed = dict.fromkeys(listing.scope for listing in world.listings_of(type_))
        self._over_all = {scope: None for scope in self._listed if scope.project is None}
        self._known: dict[Scope, Unseen | None] = {}

    def unseen_in(self, scope: Scope) -> Unseen | None:
        """Why a list of the type is not whole within a scope; None when it is."""
        if scope not in self._known:
            self._known[scope] = self._look(scope)
        return self._known[scope]

    def _look(self, scope: Scope) -> Unseen | None:
        hiding = [self._gaps[place] for place in _meeting(scope, self._gaps)]
        if hiding:
            return min(hiding, key=lambda entry: entry[0])[1]
        if any(True for _ in _meeting(scope, self._listed)):
            return None
        return Unseen(Reason.NOT_COLLECTED, f"no list of {self._type} was read here")

    def spans_projects(self, scope: Scope) -> bool:
        """Whether one list over all projects was read where `scope` lies."""
        return any(True for _ in _meeting(scope, self._over_all))


def _meeting(scope: Scope, places: Mapping[Scope, object]) -> Iterator[Scope]:
    """The places that have anything in common with a scope. For one project of one region a few look-ups."""
    if scope.region is None or scope.project is None or scope.target in EVERYWHERE:
        yield from (place for place in places if place.overlaps(scope))
        return
    for target in (scope.target, *EVERYWHERE):
        for region in (scope.region, None):
            for project in (scope.project, None):
                place = Scope(target, region, project)
                if place in places:
                    yield place


# --- facts as they come --------------------------------------------------------------------------------


def where(resource: Resource) -> Scope:
    """The scope to which lists about a resource belong: wider where sightings of it disagree."""
    scope, unseen = resource.scope, resource.unseen
    if "region" not in unseen and "project" not in unseen:
        return scope
    return Scope(
        scope.target,
        None if "region" in unseen else scope.region,
        None if "project" in unseen else scope.project,
    )


def why(resource: Resource, fact: str) -> Unseen:
    """Why a fact cannot be used: it was not seen, or is not of the kind it is declared to be."""
    if fact in resource.facts:
        return Unseen(Reason.INVALID_ANSWER, f"'{fact}' is not of its kind")
    return resource.why_missing(fact) or Unseen(Reason.PARTIAL, f"'{fact}' was not seen")


def nfc(value: str) -> str:
    """A text in composed form, as registers and snapshots have it."""
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def text(value: Value) -> str | None:
    """A fact that holds a text, or None. An empty text is none."""
    return nfc(value) if isinstance(value, str) and value else None


def optional_text(resource: Resource, fact: str) -> str | Unseen | None:
    """A text that may be null, or why it is not known. An empty text counts as null."""
    value = resource.facts.get(fact, MISSING)
    if value is None or value == "":
        return None
    return text(value) or why(resource, fact)


def texts(value: Value) -> tuple[str, ...]:
    """The texts of a list; nothing else counts."""
    return tuple(nfc(item) for item in value if isinstance(item, str)) if isinstance(value, tuple) else ()


def records(value: Value) -> tuple[Mapping[str, Value], ...]:
    """The records of a list, of one known in part too; nothing else counts."""
    items = value.items if isinstance(value, Partial) else value
    return tuple(item for item in items if isinstance(item, Mapping)) if isinstance(items, tuple) else ()


def whole_number(value: Value) -> int | None:
    """A fact that holds a whole number, a moment or a duration, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def flag(value: Value) -> bool | None:
    """A fact that holds true or false, or None."""
    return value if isinstance(value, bool) else None


# --- three values --------------------------------------------------------------------------------------


def either(parts: Iterable[bool | None]) -> bool | None:
    """True as soon as one part is, else unknown if one is."""
    found = list(parts)
    return True if True in found else (None if None in found else False)


def both(parts: Iterable[bool | None]) -> bool | None:
    """False as soon as one part is, else unknown if one is."""
    found = list(parts)
    return False if False in found else (None if None in found else True)
