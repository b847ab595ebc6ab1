"""Data that nobody seems to use any more: volumes on no server, and copies of volumes that are gone.

Whether the volume of a snapshot or backup is gone is told by the list in which it would stand: that of
all projects where one was read, else that of the copy's own project. Images are left out: that the
project of one is gone would take a list of every project there is, and none proves to be that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from cloudaudit.facts.backup import CLOCK_SKEW
from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    nfc,
    optional_text,
    text,
    where,
    whole_number,
    why,
)
from cloudaudit.model import Reason, Resource, Scope, Seconds, Unseen, Value, World

VOLUME: Final = "openstack.volume"
COPIES: Final = ("openstack.backup", "openstack.snapshot")
FACTS: Final = ("orphan.kind", "orphan.idle")
DETACHED: Final = "detached"
VOLUME_GONE: Final = "volume_gone"
AVAILABLE: Final = "available"
"""State of a volume that is on no server and that no operation is going on with."""
ARCHIVE: Final = "archive"
"""Label of a volume that is kept on purpose, unless its value says no."""
_NO: Final = frozenset({"", "false", "no", "0"})


def _given(kind: str | Unseen | None, idle: Seconds | Unseen) -> Derived:
    facts: dict[str, Value] = {}
    unseen: dict[str, Unseen] = {}
    for name, answer in zip(FACTS, (kind, idle), strict=True):
        if isinstance(answer, Unseen):
            unseen[name] = answer
        else:
            facts[name] = answer
    return Derived(facts, unseen)


def _since(resource: Resource, *names: str) -> Seconds | Unseen:
    """How long before the resource was listed the first of these moments that is known lay."""
    for name in names:
        moment = whole_number(resource.facts.get(name))
        if moment is not None and moment > resource.at + CLOCK_SKEW:
            return Unseen(Reason.INVALID_ANSWER, f"'{name}' lies in the future")
        if moment is not None:
            return max(0, resource.at - moment)
        if resource.facts.get(name, resource) is not None:
            return why(resource, name)
    return why(resource, names[-1])


def prepare_volumes(world: World) -> Derive:
    """Volumes on no server, since their last change: the detaching, or something later."""

    def derive(volume: Resource) -> Derived:
        return _given(_of_volume(volume), _since(volume, "updated_at", "created_at"))

    return derive


def _of_volume(volume: Resource) -> str | Unseen | None:
    status, attachments = text(volume.facts.get("status")), volume.facts.get("attachments")
    if status is None:
        return why(volume, "status")
    if status != AVAILABLE:
        return None
    if not isinstance(attachments, tuple):
        return why(volume, "attachments")
    labels = volume.facts.get("labels")
    if attachments:
        return None
    if not isinstance(labels, Mapping):
        return why(volume, "labels")
    return DETACHED if str(labels.get(ARCHIVE, "")).casefold() in _NO else None


def prepare_copies(world: World) -> Derive:
    """Snapshots and backups by whether their volume stands in the list where it would."""
    volumes: dict[tuple[str, str], list[Scope]] = defaultdict(list)
    for volume in world.each(VOLUME):
        volumes[volume.scope.target, nfc(volume.id)].append(where(volume))
    lists = Lists(world, VOLUME)

    def of(copy: Resource) -> str | Unseen | None:
        volume = optional_text(copy, "volume_id")
        if not isinstance(volume, str):
            return volume or why(copy, "volume_id")
        scope = where(copy)
        place = Scope(scope.target, scope.region) if lists.spans_projects(scope) else scope
        if any(found.overlaps(place) for found in volumes.get((scope.target, volume), ())):
            return None
        return lists.unseen_in(place) or VOLUME_GONE

    return lambda copy: _given(of(copy), _since(copy, "created_at"))


ORPHANS: Final = (
    Family(
        "orphan",
        {VOLUME: FACTS},
        {VOLUME: ("status", "attachments", "updated_at", "created_at", "labels")},
        prepare_volumes,
    ),
    Family(
        "orphan",
        dict.fromkeys(COPIES, FACTS),
        {**dict.fromkeys(COPIES, ("volume_id", "created_at")), VOLUME: ()},
        prepare_copies,
    ),
)
