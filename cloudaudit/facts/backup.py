"""How a volume or server is backed up: how fresh, how often, and where the copies are.

Age is that of the data (`data_timestamp`), not of the record: a backup made from a snapshot is as
old as the snapshot. Only backups in state "available" count, and an incremental one only with a full one
beneath it. Where not every list of backups could be read, what was seen bounds the truth from one side:
there may be a newer copy, never one less.

Which backups count depends on how they were listed. A list over all projects also shows what an
operator keeps in a project of his own, and then every backup counts. Where each project was read by
itself, a volume is judged by its own project's list, so that a refusal in one project leaves what is
known of the others standing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    both,
    either,
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
    "backup.copies", "backup.sites", "backup.last_attempt", "snapshot.count",
)  # fmt: skip
USABLE: Final = "available"
LINKS: Final = (USABLE, "restoring")
"""States in which a backup holds its data and others may build on it."""
CREATING: Final = "creating"
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
    chains = _Chains(found, gap or unsure)
    usable = [(b, chains.beneath(b)) for b in found if b.facts.get("status") == USABLE]
    sure = [(b, below) for b, below in usable if isinstance(below, list)]
    doubt = gap or unsure or next((below for _, below in usable if isinstance(below, Unseen)), None)
    copies = tuple(_copy(backup, below, here, places, whole=chains.doubt is None) for backup, below in sure)
    facts: dict[str, Value] = {
        "backup.count": len(copies) if doubt is None else AtLeast(len(copies)),
        "backup.copies": copies if doubt is None else Partial(copies),
    }
    unseen: dict[str, Unseen] = {} if doubt is None else {"backup": doubt}
    ages = {backup.id: _age(backup) for backup, _ in sure}
    known = [age for age in ages.values() if age is not None]
    undated = next((why(b, "data_timestamp") for b, _ in sure if ages[b.id] is None), None)
    lost = next((p for b, _ in sure if isinstance(p := places.backup(b), Unseen)), None)
    sites = tuple(_at_sites(copies, exact=(doubt or lost or undated) is None))
    facts["backup.sites"] = sites if (doubt or lost) is None else Partial(sites)
    if lost is not None and doubt is None:
        unseen["backup.sites"] = lost
    doubt = doubt or undated
    if doubt is None:
        facts["backup.newest_age"] = min(known, default=None)
        facts["backup.oldest_age"] = max(known, default=None)
    else:
        unseen |= {"backup.newest_age": doubt, "backup.oldest_age": doubt}
        if known:
            facts["backup.newest_age"] = AtMost(min(known))
            facts["backup.oldest_age"] = AtLeast(max(known))
    chain = chains.length()
    facts, unseen = {**facts, **chain.facts}, {**unseen, **chain.unseen}
    last = gap or _last_attempt(found)
    if isinstance(last, Unseen):
        unseen["backup.last_attempt"] = last
    else:
        facts["backup.last_attempt"] = last
    return Derived(facts, unseen)


class _Chains:
    """What backups of one volume build on, told by the time of their data: no answer names a parent.

    NOTE: Cinder makes an incremental backup on top of the newest one, whatever container that lies in.
    """

    def __init__(self, found: list[Resource], doubt: Unseen | None) -> None:
        links = [b for b in found if b.facts.get("status") in LINKS]
        self._links = [
            b for b in links if _age(b) is not None and flag(b.facts.get("incremental")) is not None
        ]
        unclear = (
            why(b, "incremental" if _age(b) is not None else "data_timestamp")
            for b in links
            if b not in self._links
        )
        self.doubt = doubt or next(unclear, None)
        """Why there may be links that are not known."""

    def beneath(self, backup: Resource) -> list[Resource] | Unseen | None:
        """The links a copy builds on, down to a full one; None where no full one is there."""
        incremental = flag(backup.facts.get("incremental"))
        if incremental is False:
            return []
        if incremental is None:
            return why(backup, "incremental")
        if _age(backup) is None:
            return why(backup, "data_timestamp")
        older = [b for b in self._links if b is not backup and _stamp(b) <= _stamp(backup)]
        full = max((b for b in older if not b.facts["incremental"]), key=_stamp, default=None)
        if full is None:
            return self.doubt
        return [b for b in older if b is full or (_stamp(b) > _stamp(full) and b.facts["incremental"])]

    def length(self) -> Derived:
        """The age of the newest full copy, and how many incremental ones are newer; null without a full one.

        A copy that was not seen may be a newer full one or one more link: no bound holds for the number.
        """
        full = max((b for b in self._links if not b.facts["incremental"]), key=_stamp, default=None)
        if self.doubt is not None:
            bound: dict[str, Value] = {} if full is None else {"backup.full_age": AtMost(_age(full) or 0)}
            return Derived(bound, {"backup.full_age": self.doubt, "backup.chain": self.doubt})
        if full is None:
            return Derived({"backup.full_age": None, "backup.chain": None})
        newer = sum(_stamp(backup) > _stamp(full) for backup in self._links)
        return Derived({"backup.full_age": _age(full), "backup.chain": newer})


def _stamp(backup: Resource) -> Seconds:
    """The moment of a copy's data; of one whose age is known."""
    return whole_number(backup.facts.get("data_timestamp")) or 0


def _last_attempt(found: list[Resource]) -> str | Unseen | None:
    """The state of the newest attempt that has ended, None when there was none at all.

    One that is under way proves nothing, and must not hide that the one before it failed.
    """
    if not found:
        return None
    odd = next((b for b in found if text(b.facts.get("status")) is None), None)
    if odd is not None and len(found) > 1:
        return why(odd, "status")
    ended = [b for b in found if b.facts.get("status") != CREATING]
    if not ended:
        return Unseen(Reason.PARTIAL, "no attempt to back it up has ended yet")
    made = [whole_number(backup.facts.get("created_at")) for backup in ended]
    if len(ended) > 1 and None in made:
        return why(ended[made.index(None)], "created_at")
    newest = max(zip((moment or 0 for moment in made), range(len(ended)), strict=True))[1]
    state = text(ended[newest].facts.get("status"))
    if state == "deleting":
        return Unseen(Reason.PARTIAL, "the newest backup is being deleted: whether it succeeded is not told")
    return state or why(ended[newest], "status")


def _age(backup: Resource) -> Seconds | None:
    """How old a copy's data were when it was listed; None where its time is not known or cannot be."""
    stamp = whole_number(backup.facts.get("data_timestamp"))
    return None if stamp is None or stamp > backup.at + CLOCK_SKEW else max(0, backup.at - stamp)


def _copy(
    backup: Resource, beneath: list[Resource], here: Site | Unseen, places: Places, *, whole: bool
) -> Mapping[str, Value]:
    """One copy as a record; what is not known of it is left out.

    An incremental copy is at another site only as far as all it builds on is there too. It is not known what
    it builds on where the list of links is not `whole`.
    """
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
            parts = [places.backup(below) for below in beneath]
            together = both(part.id == place.id if isinstance(part, Site) else None for part in parts)
            unknown = bool(beneath) and not whole
            offsite = both((place.apart_from(here), None if unknown else together))
            if offsite is not None:
                copy["offsite"] = offsite
    return copy


def _at_sites(copies: Iterable[Mapping[str, Value]], *, exact: bool) -> Iterator[Mapping[str, Value]]:
    """The sites at which there are copies, in order of id, with the age of the newest data at each.

    A copy that does not stand there by itself is no copy at another site. Where not all copies are known
    (not `exact`), there may be a newer one.
    """
    by_site: dict[str, list[Mapping[str, Value]]] = defaultdict(list)
    for copy in copies:
        if (site := text(copy.get("site"))) is not None:
            by_site[site].append(copy)
    for site, found in sorted(by_site.items()):
        # One that was not seen may stand there by itself.
        standing = either([*(flag(copy.get("offsite")) for copy in found), *([] if exact else [None])])
        counted = (
            [copy for copy in found if copy.get("offsite") is not False] if standing is not False else found
        )
        record: dict[str, Value] = {"site": site}
        if "domestic" in found[0]:
            record["domestic"] = found[0]["domestic"]
        if standing is not None:
            record["offsite"] = standing
        sure = [copy for copy in counted if copy.get("offsite") is standing or standing is None]
        ages = [age for copy in sure if (age := whole_number(copy.get("age"))) is not None]
        if ages:
            record["newest_age"] = min(ages) if exact and len(sure) == len(counted) else AtMost(min(ages))
        yield record


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
