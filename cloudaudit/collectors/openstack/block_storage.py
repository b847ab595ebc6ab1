"""Cinder: volumes, snapshots, backups, volume types with their encryption, availability zones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cloudaudit.collectors import Seen
from cloudaudit.collectors.openstack.answers import Trouble, document
from cloudaudit.collectors.openstack.item import (
    Item,
    Row,
    each,
    empty_as_null,
    flag,
    identifier,
    integer,
    moment,
    text,
)
from cloudaudit.collectors.openstack.listing import PAGE, Absence, Covers, Desk, Lister, listing, open_desk
from cloudaudit.collectors.openstack.paging import segment
from cloudaudit.collectors.openstack.target import OPERATOR
from cloudaudit.collectors.openstack.zones import zone_lister
from cloudaudit.collectors.transport import Answer
from cloudaudit.model import Gap, Listing, Reason, Resource, Unseen, Value

SERVICE = "block-storage"
REGION: Covers = (
    ("cinder.types", "openstack.volume_type"),
    ("cinder.availability_zones", "openstack.availability_zone"),
)
PROJECT: Covers = (
    ("cinder.volumes", "openstack.volume"),
    ("cinder.snapshots", "openstack.snapshot"),
    ("cinder.backups", "openstack.backup"),
)
ENCRYPTION = "cinder.type_encryption"
_NO_ADMINISTRATOR: Final = "no evidence of sight: Cinder hides from this token what administrators are shown"


def read_region(desk: Desk) -> Iterator[Seen]:
    if ZONES.call in desk.wanted:
        yield from listing(desk, ZONES)
    if TYPES.call in desk.wanted:
        yield from _types(desk)


def read_project(desk: Desk) -> Iterator[Seen]:
    for lister in (VOLUMES, SNAPSHOTS, BACKUPS):
        if lister.call in desk.wanted:
            yield from listing(desk, lister)


def _volume(item: Item, desk: Desk) -> None:
    item.take("status", "status")
    item.take("size_gb", "size", integer)
    item.take("zone", "availability_zone", empty_as_null(text), null=True)
    item.take("volume_type", "volume_type", null=True)
    item.take("encrypted", "encrypted", flag)
    item.take("bootable", "bootable", flag)
    item.take("attachments", "attachments", each(_attachment))
    item.take("created_at", "created_at", moment)
    item.take("updated_at", "updated_at", moment, null=True)
    item.take("replication_status", "replication_status", null=True)
    item.take("host", "os-vol-host-attr:host", null=True, hidden=True)
    item.take("snapshot_id", "snapshot_id", null=True)
    item.labels("metadata", desk.allowed)


def _attachment(row: Row) -> Value:
    device = row.get("device")
    return {"server": identifier(row.get("server_id")), "device": None if device is None else text(device)}


def _snapshot(item: Item, desk: Desk) -> None:
    item.take("status", "status")
    item.take("volume_id", "volume_id", identifier)
    item.take("size_gb", "size", integer)
    item.take("created_at", "created_at", moment)


def _backup(item: Item, desk: Desk) -> None:
    item.take("status", "status")
    item.take("volume_id", "volume_id", null=True)
    item.take("container", "container", null=True)
    item.take("zone", "availability_zone", empty_as_null(text), null=True)
    item.take("incremental", "is_incremental", flag)
    item.take("has_dependents", "has_dependent_backups", flag)
    item.take("created_at", "created_at", moment)
    item.take("data_timestamp", "data_timestamp", moment)
    item.take("size_gb", "size", integer)
    # The text may quote anything a driver said; that there is one is enough.
    item.take("fail_reason", "fail_reason", lambda value: "present" if value else None, null=True)
    if desk.at_least(3, 64):
        item.facts["encrypted"] = bool(item.row.get("encryption_key_id"))
    else:
        item.miss("encrypted", Reason.NOT_IMPLEMENTED, "Cinder tells of a backup's key since version 3.64")


def _type(item: Item, desk: Desk) -> None:
    item.take("is_public", "is_public", flag)
    specs = item.row.get("extra_specs")
    if not isinstance(specs, dict):
        why = Unseen(Reason.NO_PERMISSION, "Cinder does not show the extra specs to this credential")
        item.unseen |= {"backend": why, "replication_enabled": why}
        return
    item.facts["replication_enabled"] = "true" in str(specs.get("replication_enabled", "")).lower()
    backend = specs.get("volume_backend_name")
    if isinstance(backend, str):
        item.facts["backend"] = text(backend)
    elif "qos_specs_id" in item.row:
        # NOTE: whoever is shown this field is an administrator, to whom Cinder shows all extra specs.
        item.facts["backend"] = None
    else:
        detail = "Cinder shows the backend of a type to administrators only"
        item.miss("backend", Reason.NO_PERMISSION, detail)


VOLUMES = Lister(
    call="cinder.volumes",
    type="openstack.volume",
    path=f"/volumes/detail?limit={PAGE}",
    key="volumes",
    read=_volume,
    everyone="all_tenants=1",
    owners=("os-vol-tenant-attr:tenant_id",),
)
SNAPSHOTS = Lister(
    call="cinder.snapshots",
    type="openstack.snapshot",
    path=f"/snapshots/detail?limit={PAGE}",
    key="snapshots",
    read=_snapshot,
    everyone="all_tenants=1",
    owners=("os-extended-snapshot-attributes:project_id",),
)
BACKUPS = Lister(
    call="cinder.backups",
    type="openstack.backup",
    path=f"/backups/detail?limit={PAGE}",
    key="backups",
    read=_backup,
    everyone="all_tenants=1",
    owners=("os-backup-project-attr:project_id",),
)
TYPES = Lister(
    call="cinder.types",
    type="openstack.volume_type",
    path=f"/types?is_public=None&limit={PAGE}",
    key="volume_types",
    read=_type,
    proof="public volume types, and the private ones each audited project may use",
)
ZONES = zone_lister("cinder.availability_zones", SERVICE)


# --- volume types: seen through the eyes of every audited project ------------------------------------


def _types(desk: Desk) -> Iterator[Seen]:
    """The types each audited project sees, every one once. An operator sees all at once."""
    operator = desk.cloud.target.vantage == OPERATOR
    seen: set[str] = set()
    gap: Gap | None = None
    call = desk.token.call
    for eyes in _eyes(desk):
        if isinstance(eyes, Trouble):
            gap = gap or desk.gap(TYPES, eyes)
            continue
        if isinstance(eyes, Absence):
            continue
        new: list[Resource] = []
        for thing in listing(eyes, TYPES):
            match thing:
                case Resource():
                    new += [thing] if thing.id not in seen else []
                case Listing():
                    call = call if thing.call is None else thing.call
                case Gap():
                    gap = gap or thing
        seen.update(type_.id for type_ in new)
        if operator and not all("backend" in type_.facts for type_ in new):
            gap = gap or desk.gap(TYPES, Trouble(Reason.PARTIAL, _NO_ADMINISTRATOR, call))
        if ENCRYPTION in desk.wanted:
            answers = eyes.in_parallel(_encryption, new)
            yield from (_encrypted(type_, answer) for type_, answer in zip(new, answers, strict=True))
        else:
            why = Trouble(Reason.NOT_COLLECTED, "the plan did not ask for it")
            yield from (_encrypted(type_, why) for type_ in new)
    yield gap or Listing(desk.scope, TYPES.type, len(seen), TYPES.proof, call)


def _eyes(desk: Desk) -> Iterator[Desk | Absence | Trouble]:
    """The service as each audited project meets it."""
    if desk.cloud.target.vantage == OPERATOR or not desk.layout.projects:
        yield desk
        return
    for project in desk.layout.projects.values():
        token = desk.cloud.project_token(project, desk.log)
        if isinstance(token, Trouble):
            yield token
        else:
            yield open_desk(desk, SERVICE, token)


def _encryption(desk: Desk, type_: Resource) -> Answer | Trouble:
    return desk.get(f"/types/{segment(type_.id)}/encryption")


def _encrypted(type_: Resource, answer: Answer | Trouble) -> Resource:
    """A type with how its volumes are encrypted, or with why that cannot be told."""
    body = answer if isinstance(answer, Trouble) else document(answer, "GET of a type's encryption")
    if isinstance(body, Trouble):
        return replace(type_, unseen={**type_.unseen, "encryption": body.unseen()})
    item = Item(body)
    # Cinder answers with an empty object for a type that is not encrypted.
    item.take("encryption.provider", "provider", null=True, absent=None)
    item.take("encryption.cipher", "cipher", null=True, absent=None)
    item.take("encryption.key_size", "key_size", integer, null=True, absent=None)
    item.take("encryption.control_location", "control_location", null=True, absent=None)
    sources = type_.sources if answer.call is None else {**type_.sources, "encryption": answer.call}
    return replace(
        type_,
        facts={**type_.facts, **item.facts},
        unseen={**type_.unseen, **item.unseen},
        sources=sources,
    )
