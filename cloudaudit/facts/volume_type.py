"""Encryption, back end and replication of a volume, by the type it was made with."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    flag,
    nfc,
    optional_text,
    where,
    whole_number,
    why,
)
from cloudaudit.model import MISSING, Reason, Resource, Unseen, Value, World

TYPE: Final = "openstack.volume_type"
GIVEN: Final = {
    "type.encryption.provider": "encryption.provider",
    "type.encryption.cipher": "encryption.cipher",
    "type.encryption.key_size": "encryption.key_size",
    "type.encryption.control_location": "encryption.control_location",
    "type.backend": "backend",
    "type.replication_enabled": "replication_enabled",
}


class Types:
    """Volume types by the name or id a volume gives, within one region."""

    def __init__(self, world: World) -> None:
        self._types: dict[tuple[str, str], dict[str, Resource]] = defaultdict(dict)
        for kind in world.each(TYPE):
            for label in {nfc(kind.id), nfc(kind.name)}:
                self._types[kind.scope.target, label][f"{kind.scope.region}/{kind.endpoint}/{kind.id}"] = kind
        self._lists = Lists(world, TYPE)

    def of(self, volume: Resource) -> Resource | Unseen | None:
        """The type of a volume, None for one without, or why it is not known."""
        name = optional_text(volume, "volume_type")
        if name is None or isinstance(name, Unseen):
            return name
        place = where(volume)
        known = self._types.get((place.target, name), {}).values()
        fitting = [
            k for k in known if None in (place.region, where(k).region) or place.region == k.scope.region
        ]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            return Unseen(Reason.AMBIGUOUS, f"several types are called {name}")
        gone = Unseen(Reason.PARTIAL, f"type {name} is not in the list of types")
        return self._lists.unseen_in(place) or gone


def prepare(world: World) -> Derive:
    """Volumes name their type, and the type says how they are encrypted."""
    types = Types(world)

    def derive(volume: Resource) -> Derived:
        kind = types.of(volume)
        if isinstance(kind, Unseen):
            return Derived(unseen={"type": kind})
        return Derived(dict.fromkeys(GIVEN)) if kind is None else _facts(kind)

    return derive


def _facts(kind: Resource) -> Derived:
    facts: dict[str, Value] = {}
    unseen: dict[str, Unseen] = {}
    for ours, theirs in GIVEN.items():
        value = _value(kind, theirs)
        if value is MISSING:
            unseen[ours] = why(kind, theirs)
        else:
            facts[ours] = value
    return Derived(facts, unseen)


def _value(kind: Resource, fact: str) -> Value:
    """A fact of a type, null included, or MISSING where it is not of its kind."""
    value = kind.facts.get(fact, MISSING)
    match fact.rpartition(".")[2]:
        case "key_size":
            fits = whole_number(value) is not None
        case "replication_enabled":
            fits = flag(value) is not None
        case _:
            fits = isinstance(value, str)
    return value if fits or value is None else MISSING


VOLUME_TYPE: Final = Family(
    "volume_type",
    {"openstack.volume": tuple(GIVEN)},
    {TYPE: tuple(GIVEN.values()), "openstack.volume": ("volume_type",)},
    prepare,
)
