"""Where copies made by the object stores go: replication rules of buckets, sync of containers.

A destination that no inventory and no register knows is known to be undeclared: that is a value, not
a gap. Replication below these APIs is invisible here; an attestation answers for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    both,
    either,
    flag,
    merged,
    nfc,
    optional_text,
    records,
    text,
    unseen_anywhere,
    why,
)
from cloudaudit.facts.location import READ_OF_STORES, Places, Site, host_of, placing
from cloudaudit.model import Partial, Reason, Resource, Unseen, Value, World

BUCKET: Final = "s3.bucket"
CONTAINER: Final = "openstack.container"
SYNC: Final = ("sync.host", "sync.site", "sync.domestic")


# --- buckets -------------------------------------------------------------------------------------------


class _Destinations:
    """Buckets by name, as replication rules name them: over all stores of the subject."""

    def __init__(self, world: World) -> None:
        self._places = Places(world)
        self._by_name: dict[str, list[Resource]] = defaultdict(list)
        for bucket in world.each(BUCKET):
            self._by_name[nfc(bucket.name or bucket.id)].append(bucket)
        self._hidden = unseen_anywhere(world, BUCKET)

    def record(self, name: str, source: Resource) -> dict[str, Value]:
        """A destination with what is known of its place; what is not known is left out.

        The register's word on a bucket goes before the inventory. A rule that names its own bucket
        means the bucket of that name in another store.
        """
        found: dict[str, Value] = {"bucket": name}
        declared = self._places.store(name)
        if isinstance(declared, Site):
            return found | placing(declared)
        if declared.reason is Reason.AMBIGUOUS:
            return found | {"known": True}
        others = [b for b in self._by_name.get(name, ()) if _identity(b) != _identity(source)]
        if others:
            places = {self._places.of(bucket) for bucket in others}
            place = places.pop()
            sure = isinstance(place, Site) and not places and self._hidden is None
            return found | (placing(place) if isinstance(place, Site) and sure else {"known": True})
        if name in self._by_name:
            return found | {"known": True}
        if self._hidden is not None or declared.reason is not Reason.UNMAPPED:
            return found
        return found | {"known": False, "site": None, "country": None, "domestic": None}

    def versioned(self, name: str, source: Resource) -> bool | None:
        """Whether the bucket of a rule keeps versions: as far as all buckets of its name agree."""
        others = [b for b in self._by_name.get(name, ()) if _identity(b) != _identity(source)]
        states = {text(bucket.facts.get("versioning.state")) for bucket in others}
        if len(states) != 1 or self._hidden is not None or None in states:
            return None
        return states == {"enabled"}

    def copy(self, name: str, source: Resource, whole: bool | None) -> Mapping[str, Value]:
        """A destination as a copy of its source: of all of it, away from it, with versions."""
        place = self.record(name, source)
        found: dict[str, Value] = {"bucket": name}
        found |= {fact: place[fact] for fact in ("site", "domestic") if place.get(fact) is not None}
        if whole is not None:
            found["whole"] = whole
        here, there = self._places.of(source), self._places.sites.get(str(place.get("site")))
        if isinstance(here, Site) and there is not None:
            found["offsite"] = there.apart_from(here)
        elif place.get("known") is False:
            # What no register knows is at no declared site, and so at no second one.
            found |= {"offsite": False, "domestic": False}
        if (versioned := self.versioned(name, source)) is not None:
            found["versioned"] = versioned
        return found


def _identity(bucket: Resource) -> tuple[str, str, str]:
    return (bucket.scope.target, bucket.endpoint, bucket.id)


def switched_on(rules: tuple[Value, ...] | Partial) -> tuple[dict[str, list[Mapping[str, Value]]], bool]:
    """The rules that are switched on, by the bucket they copy to, and whether all could be read."""
    whole = isinstance(rules, tuple) and len(records(rules)) == len(rules)
    found: dict[str, list[Mapping[str, Value]]] = defaultdict(list)
    for rule in records(rules):
        name = text(rule.get("destination"))
        if rule.get("enabled") is True and name is not None:
            found[name.rpartition(":")[2].partition("/")[0]].append(rule)
        elif rule.get("enabled") is not False:
            whole = False
    return found, whole


def _given(fact: str, found: tuple[Value, ...], whole: bool) -> Derived:
    if whole:
        return Derived({fact: found})
    unseen = Unseen(Reason.PARTIAL, "not every replication rule could be read")
    return Derived({fact: Partial(found)}, {fact: unseen})


def prepare_buckets(world: World) -> Derive:
    """Destinations of the replication rules that are switched on."""
    destinations = _Destinations(world)

    def derive(bucket: Resource) -> Derived:
        rules = bucket.facts.get("replication.rules")
        if not isinstance(rules, tuple | Partial):
            return Derived(unseen={"replication.destinations": why(bucket, "replication.rules")})
        found, whole = switched_on(rules)
        places = tuple(destinations.record(name, bucket) for name in sorted(found))
        return _given("replication.destinations", places, whole)

    return derive


def _covers_all(rule: Mapping[str, Value]) -> bool | None:
    """Whether a rule copies every object. Several rules, each for a part, are not put together."""
    prefix = rule.get("prefix")
    without = prefix == "" if isinstance(prefix, str) else None
    filtered = flag(rule.get("filtered"))
    return both((without, None if filtered is None else not filtered))


def prepare_copies(world: World) -> Derive:
    """The destinations as copies that would be there after the loss of the bucket's own site."""
    destinations = _Destinations(world)

    def derive(bucket: Resource) -> Derived:
        rules = bucket.facts.get("replication.rules")
        if not isinstance(rules, tuple | Partial):
            return Derived(unseen={"replication.copies": why(bucket, "replication.rules")})
        found, whole = switched_on(rules)
        copies = tuple(
            destinations.copy(name, bucket, either(map(_covers_all, found[name]))) for name in sorted(found)
        )
        return _given("replication.copies", copies, whole)

    return derive


# --- containers ----------------------------------------------------------------------------------------


def prepare_containers(world: World) -> Derive:
    """The place a container is synced to: `//realm/cluster/account/container`, or the host of an address."""
    places = Places(world)

    def derive(container: Resource) -> Derived:
        address = optional_text(container, "sync_to")
        if isinstance(address, Unseen):
            return Derived(unseen={"sync": address})
        if address is None:
            return Derived(dict.fromkeys(SYNC))
        if address.startswith("//"):
            host = "/".join(address.removeprefix("//").split("/")[:2])
            place = places.realm(host)
        else:
            host = host_of(address) or address
            place = places.host(host)
        if isinstance(place, Site):
            facts: dict[str, Value] = {"sync.host": host, "sync.site": place.id}
            return Derived(facts if place.domestic is None else facts | {"sync.domestic": place.domestic})
        if place.reason is Reason.UNMAPPED:
            return Derived({"sync.host": host, "sync.site": None, "sync.domestic": None})
        return Derived({"sync.host": host}, {"sync": place})

    return derive


REPLICATION: Final = Family(
    "replication",
    {BUCKET: ("replication.destinations",)},
    merged({BUCKET: ("replication.rules", "location")}, READ_OF_STORES),
    prepare_buckets,
)
COPIES: Final = Family(
    "replication",
    {BUCKET: ("replication.copies",)},
    merged({BUCKET: ("replication.rules", "location", "versioning.state")}, READ_OF_STORES),
    prepare_copies,
)
"""Apart from the destinations: who asks where copies go does not ask for versions there."""
SYNCHRONISATION: Final = Family(
    "replication",
    {CONTAINER: SYNC},
    merged({CONTAINER: ("sync_to",)}, READ_OF_STORES),
    prepare_containers,
)
