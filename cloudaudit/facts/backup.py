"""How a volume or server is backed up: how fresh, how often, and where the copies are.

Age is that of the data (`data_timestamp`), not of the record: a backup made from a snapshot is as
old as the snapshot. Only backups in state "available" count. Where not every list of backups could
be read, what was seen bounds the truth from one side: there may be a newer copy, never one less.

Which backups count depends on how they were listed. A list over all projects also shows what an
operator keeps in a project of his own, and then every backup counts. Where each project was read by
itself, a volume is judged by its own project's list, so that a refusal in one project leaves what is
known of the others standing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    flag,
    merged,
    nfc,
    optional_text,
    text,
    texts,
    where,
    whole_number,
    why,
)
from cloudaudit.facts.location import READ_OF_BACKUPS, READ_OF_REGIONS, Places, Site
from cloudaudit.model import (
    MISSING,
    AtLeast,
    AtMost,
    Partial,
    Reason,
    Resource,
    Scope,
    Seconds,
    Unseen,
    Value,
    World,
)

FACTS: Final = (
    "backup.count", "backup.newest_age", "backup.oldest_age", "backup.full_age", "backup.chain",
    "backup.copies", "backup.last_attempt", "snapshot.count",
)  # fmt: skip
USABLE: Final = "available"
LINKS: Final = (USABLE, "restoring")
"""States in which a backup holds its data and others may build on it."""
CLOCK_SKEW: Final[Seconds] = 120
"""How far the clocks of two services of one cloud may differ; data from later than that has no age."""


class Naming:
    """Resources of one type that name another one by its id, by the one they name."""

    def __init__(self, world: World, type_: str, fact: str) -> None:
        self._by_named: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        blind: list[tuple[Scope, Unseen]] = []
        for resource in world.each(type_):
            named = optional_text(resource, fact)
            if isinstance(named, Unseen):
                blind.append((where(resource), named))
            elif named is not None:
                self._by_named[resource.scope.target, named].append(resource)
        self._lists = Lists(world, type_, blind)

    def of(self, volume: Resource) -> tuple[list[Resource], Unseen | None]:
        """What names a volume, in order of id, and why there may be more."""
        scope = where(volume)
        return self.within(
            volume, Scope(scope.target, scope.region) if self._lists.spans_projects(scope) else scope
        )

    def within(self, one: Resource, place: Scope) -> tuple[list[Resource], Unseen | None]:
        """What names a resource within a scope, in order of id, and why there may be more."""
        found: dict[str, Resource] = {}
        for resource in self._by_named.get((place.target, nfc(one.id)), ()):
            if _meets(where(resource), place):
                known = found.get(resource.id)
                found[resource.id] = resource if known is None else _agreed(known, resource)
        return [found[id_] for id_ in sorted(found)], self._lists.unseen_in(place)


def _meets(theirs: Scope, ours: Scope) -> bool:
    """Whether region and project are the same, as far as both have them."""
    return (theirs.region == ours.region or None in (theirs.region, ours.region)) and (
        theirs.project == ours.project or None in (theirs.project, ours.project)
    )


def _agreed(one: Resource, other: Resource) -> Resource:
    """One thing that was seen twice, with the facts that both sightings agree on."""
    facts = {name: value for name, value in one.facts.items() if other.facts.get(name, MISSING) == value}
    doubt = {"": Unseen(Reason.AMBIGUOUS, "two sightings of it disagree")}
    return replace(one, facts=facts, at=max(one.at, other.at), unseen=doubt)


def prepare(world: World) -> Derive:
    """Backups and snapshots by the volume they name, with the places of the copies."""
    places = Places(world)
    backups = Naming(world, "openstack.backup", "volume_id")
    snapshots = Naming(world, "openstack.snapshot", "volume_id")

    def derive(volume: Resource) -> Derived:
        found, gap = backups.of(volume)
        copies = _backup_facts(found, gap, places.of(volume), places)
        seen, hidden = snapshots.of(volume)
        if hidden is None:
            return Derived({**copies.facts, "snapshot.count": len(seen)}, copies.unseen)
        unseen = {**copies.unseen, "snapshot.count": hidden}
        return Derived({**copies.facts, "snapshot.count": AtLeast(len(seen))}, unseen)

    return derive


def _backup_facts(found: list[Resource], gap: Unseen | None, here: Site | Unseen, places: Places) -> Derived:
    """The facts of one volume from the backups seen of it, with the gap in their lists if there is one."""
    unsure = next((why(b, "status") for b in found if text(b.facts.get("status")) is None), None)
    doubt = gap or unsure
    usable = [b for b in found if b.facts.get("status") == USABLE]
    copies = tuple(_copy(backup, here, places) for backup in usable)
    facts: dict[str, Value] = {
        "backup.count": len(copies) if doubt is None else AtLeast(len(copies)),
        "backup.copies": copies if doubt is None else Partial(copies),
    }
    unseen: dict[str, Unseen] = {} if doubt is None else {"backup": doubt}
    ages = {backup.id: _age(backup) for backup in usable}
    known = [age for age in ages.values() if age is not None]
    doubt = doubt or next((why(b, "data_timestamp") for b in usable if ages[b.id] is None), None)
    if doubt is None:
        facts["backup.newest_age"] = min(known, default=None)
        facts["backup.oldest_age"] = max(known, default=None)
    else:
        unseen |= {"backup.newest_age": doubt, "backup.oldest_age": doubt}
        if known:
            facts["backup.newest_age"] = AtMost(min(known))
            facts["backup.oldest_age"] = AtLeast(max(known))
    chain = _chain(found, gap or unsure)
    facts, unseen = {**facts, **chain.facts}, {**unseen, **chain.unseen}
    last = gap or _last_attempt(found)
    if isinstance(last, Unseen):
        unseen["backup.last_attempt"] = last
    else:
        facts["backup.last_attempt"] = last
    return Derived(facts, unseen)


def _chain(found: list[Resource], doubt: Unseen | None) -> Derived:
    """The age of the newest full copy, and how many incremental ones are newer; null without a full one.

    A copy that was not seen may be a newer full one or one more link, so that no bound holds for the number.
    """
    links = [b for b in found if b.facts.get("status") in LINKS]
    known = [b for b in links if _age(b) is not None and flag(b.facts.get("incremental")) is not None]
    unclear = (
        why(b, "incremental" if _age(b) is not None else "data_timestamp") for b in links if b not in known
    )
    doubt = doubt or next(unclear, None)
    full = max((b for b in known if not b.facts["incremental"]), key=_stamp, default=None)
    if doubt is not None:
        bound: dict[str, Value] = {} if full is None else {"backup.full_age": AtMost(_age(full) or 0)}
        return Derived(bound, {"backup.full_age": doubt, "backup.chain": doubt})
    if full is None:
        return Derived({"backup.full_age": None, "backup.chain": None})
    newer = sum(_stamp(backup) > _stamp(full) for backup in known)
    return Derived({"backup.full_age": _age(full), "backup.chain": newer})


def _stamp(backup: Resource) -> Seconds:
    """The moment of a copy's data; of one whose age is known."""
    return whole_number(backup.facts.get("data_timestamp")) or 0


def _last_attempt(found: list[Resource]) -> str | Unseen | None:
    """The state of the newest attempt, None when there was none."""
    made = [whole_number(backup.facts.get("created_at")) for backup in found]
    if not found:
        return None
    if len(found) > 1 and None in made:
        return why(found[made.index(None)], "created_at")
    newest = max(zip((moment or 0 for moment in made), range(len(found)), strict=True))[1]
    return text(found[newest].facts.get("status")) or why(found[newest], "status")


def _age(backup: Resource) -> Seconds | None:
    """How old a copy's data were when it was listed; None where its time is not known or cannot be."""
    stamp = whole_number(backup.facts.get("data_timestamp"))
    return None if stamp is None or stamp > backup.at + CLOCK_SKEW else max(0, backup.at - stamp)


def _copy(backup: Resource, here: Site | Unseen, places: Places) -> Mapping[str, Value]:
    """One copy as a record; what is not known of it is left out."""
    copy: dict[str, Value] = {"id": backup.id}
    if (age := _age(backup)) is not None:
        copy["age"] = age
    for name in ("container", "zone"):
        label = optional_text(backup, name)
        if not isinstance(label, Unseen):
            copy[name] = label
    if (encrypted := flag(backup.facts.get("encrypted"))) is not None:
        copy["encrypted"] = encrypted
    place = places.backup(backup)
    if isinstance(place, Site):
        copy["site"] = place.id
        if place.domestic is not None:
            copy["domestic"] = place.domestic
        if isinstance(here, Site):
            copy["offsite"] = place.apart_from(here)
    return copy


BACKUP: Final = Family(
    "backup",
    {"openstack.volume": FACTS},
    merged(
        READ_OF_REGIONS,
        READ_OF_BACKUPS,
        {
            "openstack.volume": ("zone",),
            "openstack.backup": (
                "status", "volume_id", "data_timestamp", "created_at", "container", "zone", "encrypted",
                "incremental",
            ),
            "openstack.snapshot": ("volume_id",),
        },
    ),
    prepare,
)  # fmt: skip


# --- servers -------------------------------------------------------------------------------------------


def prepare_servers(world: World) -> Derive:
    """Images that were made as snapshots of a server, with the places of their copies.

    Whoever makes an image may write the property that names a server, so that only images of the server's own
    project count. They may lie in any region: one that was carried to another is a copy there.
    """
    places = Places(world)
    images = Naming(world, "openstack.image", "snapshot_of")

    def derive(server: Resource) -> Derived:
        here, scope = places.of(server), where(server)
        found, gap = images.within(server, Scope(scope.target, None, scope.project))
        unsure = next((why(i, "status") for i in found if text(i.facts.get("status")) is None), None)
        active = [image for image in found if image.facts.get("status") == "active"]
        copies = tuple(copy for image in active for copy in _image_copies(image, scope, here, places))
        unnamed = next(
            (why(i, "stores") for i in active if not isinstance(i.facts.get("stores"), tuple)), None
        )
        doubt = gap or unsure or unnamed
        if doubt is None:
            return Derived({"backup.images": copies})
        return Derived({"backup.images": Partial(copies)}, {"backup.images": doubt})

    return derive


def _image_copies(
    image: Resource, of: Scope, here: Site | Unseen, places: Places
) -> Iterator[Mapping[str, Value]]:
    """One record for each store an image lies in; what is not known is left out.

    NOTE: an image in another region was uploaded there, and its time is that of the upload: how old the
    data are is not known.
    """
    common: dict[str, Value] = {"id": image.id}
    made = whole_number(image.facts.get("created_at"))
    at_home = None in (where(image).region, of.region) or where(image).region == of.region
    if at_home and made is not None and made <= image.at + CLOCK_SKEW:
        common["age"] = max(0, image.at - made)
    stores = image.facts.get("stores")
    named = texts(stores) if isinstance(stores, tuple) else ()
    for store in named or (None,):
        copy = common if store is None else {**common, "store": store}
        place = None if store is None else places.store(store)
        if isinstance(place, Site):
            copy = {**copy, "site": place.id}
            if place.domestic is not None:
                copy["domestic"] = place.domestic
            if isinstance(here, Site):
                copy["offsite"] = place.apart_from(here)
        yield copy


BACKUP_OF_SERVERS: Final = Family(
    "backup",
    {"openstack.server": ("backup.images",)},
    merged(
        READ_OF_REGIONS,
        {
            "openstack.server": ("zone",),
            "openstack.image": ("status", "snapshot_of", "stores", "created_at"),
        },
    ),
    prepare_servers,
)
