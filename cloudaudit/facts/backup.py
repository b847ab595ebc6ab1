"""How a volume is backed up: how fresh, how often, and where the copies are.

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
from collections.abc import Mapping
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

FACTS: Final = ("backup.count", "backup.newest_age", "backup.copies", "backup.last_attempt", "snapshot.count")
USABLE: Final = "available"
CLOCK_SKEW: Final[Seconds] = 120
"""How far the clocks of two services of one cloud may differ; data from later than that has no age."""


class _OfVolumes:
    """Resources of one type that name a volume, by volume."""

    def __init__(self, world: World, type_: str) -> None:
        self._by_volume: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        blind: list[tuple[Scope, Unseen]] = []
        for resource in world.each(type_):
            volume = optional_text(resource, "volume_id")
            if isinstance(volume, Unseen):
                blind.append((where(resource), volume))
            elif volume is not None:
                self._by_volume[resource.scope.target, volume].append(resource)
        self._lists = Lists(world, type_, blind)

    def of(self, volume: Resource) -> tuple[list[Resource], Unseen | None]:
        """What names a volume, in order of id, and why there may be more."""
        scope = where(volume)
        place = Scope(scope.target, scope.region) if self._lists.spans_projects(scope) else scope
        found: dict[str, Resource] = {}
        for resource in self._by_volume.get((scope.target, nfc(volume.id)), ()):
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
    backups, snapshots = _OfVolumes(world, "openstack.backup"), _OfVolumes(world, "openstack.snapshot")

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
    else:
        unseen["backup.newest_age"] = doubt
        if known:
            facts["backup.newest_age"] = AtMost(min(known))
    last = gap or _last_attempt(found)
    if isinstance(last, Unseen):
        unseen["backup.last_attempt"] = last
    else:
        facts["backup.last_attempt"] = last
    return Derived(facts, unseen)


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
            ),
            "openstack.snapshot": ("volume_id",),
        },
    ),
    prepare,
)  # fmt: skip
