"""Cinder: volumes and what is made of them, types with their encryption, zones, quotas, back ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isfinite
from typing import Final

from cloudaudit.collectors import Seen
from cloudaudit.collectors.item import (
    Item,
    Odd,
    Row,
    each,
    empty_as_null,
    flag,
    identifier,
    integer,
    many,
    moment,
    one_of,
    text,
)
from cloudaudit.collectors.leaks import Look
from cloudaudit.collectors.openstack.answers import Trouble, document
from cloudaudit.collectors.openstack.listing import PAGE, Covers, Desk, Lister, listing, seen_by_any
from cloudaudit.collectors.openstack.paging import Paging, segment
from cloudaudit.collectors.openstack.quotas import TYPE as QUOTA
from cloudaudit.collectors.openstack.quotas import Quotas, quotas
from cloudaudit.collectors.openstack.zones import zone_lister
from cloudaudit.collectors.transport import Answer
from cloudaudit.model import Reason, Resource, Unseen, Value

SERVICE = "block-storage"
REGION: Covers = (
    ("cinder.types", "openstack.volume_type"),
    ("cinder.availability_zones", "openstack.availability_zone"),
    ("cinder.pools", "openstack.storage_pool"),
    ("cinder.services", "openstack.block_storage_service"),
)
PROJECT: Covers = (
    ("cinder.volumes", "openstack.volume"),
    ("cinder.snapshots", "openstack.snapshot"),
    ("cinder.backups", "openstack.backup"),
    ("cinder.transfers", "openstack.volume_transfer"),
    ("cinder.quotas", QUOTA),
)
ENCRYPTION = "cinder.type_encryption"
_VOLUMES: Final = "cinder-volume"
_REFUSES: Final = "Cinder lists all of them to administrators, and refuses everybody else"


def read_region(desk: Desk) -> Iterator[Seen]:
    if ZONES.call in desk.wanted:
        yield from listing(desk, ZONES)
    if TYPES.call in desk.wanted:
        yield from seen_by_any(desk, TYPES, _hidden_backend, _with_encryption)
    for lister in (POOLS, SERVICES):
        if lister.call in desk.wanted:
            yield from listing(desk, lister)


def read_project(desk: Desk) -> Iterator[Seen]:
    for lister in (VOLUMES, SNAPSHOTS, BACKUPS):
        if lister.call in desk.wanted:
            yield from listing(desk, lister)
    if TRANSFERS.call in desk.wanted:
        # Since 3.55 under another name, where old ones are kept for old clients.
        name = "volume-transfers" if desk.at_least(3, 55) else "os-volume-transfer"
        yield from listing(desk, replace(TRANSFERS, path=f"/{name}{TRANSFERS.path}"))
    if QUOTAS.call in desk.wanted:
        yield from quotas(desk, QUOTAS)


def _volume(item: Item, desk: Desk) -> None:
    item.take("status", "status")
    item.take("size_gb", "size", integer)
    item.take("zone", "availability_zone", empty_as_null(text), null=True)
    item.take("volume_type", "volume_type", null=True)
    item.take("encrypted", "encrypted", flag)
    item.take("bootable", "bootable", flag)
    item.take("multiattach", "multiattach", flag)
    item.take("attachments", "attachments", each(_attachment))
    item.take("created_at", "created_at", moment)
    item.take("updated_at", "updated_at", moment, null=True)
    item.take("replication_status", "replication_status", null=True)
    item.take("host", "os-vol-host-attr:host", null=True, hidden=True)
    item.take("snapshot_id", "snapshot_id", null=True)
    _image_of_volume(item)
    if desk.at_least(3, 64):
        # The id of the key, which tells whose it is; the field is left out where there is none.
        item.take("encryption_key", "encryption_key_id", empty_as_null(identifier), null=True, absent=None)
    else:
        item.miss(
            "encryption_key", Reason.NOT_IMPLEMENTED, "Cinder tells of a volume's key since version 3.64"
        )
    item.labels("metadata", desk.allowed)
    item.secrets(Look(), metadata="metadata")


def _image_of_volume(item: Item) -> None:
    """What a volume made from an image remembers of it; Cinder leaves the field out of all others."""
    found = item.row.get("volume_image_metadata", {})
    inner = Item(found if isinstance(found, dict) else {})
    for name in ("os_distro", "os_version"):
        inner.take(f"image.{name}", name, empty_as_null(text), null=True, absent=None)
    if not isinstance(found, dict):
        inner.facts.clear()
        inner.miss("image", Reason.INVALID_ANSWER, "'volume_image_metadata' holds no object")
    item.facts |= inner.facts
    item.unseen |= inner.unseen


def _attachment(row: Row) -> Value:
    device = row.get("device")
    return {"server": identifier(row.get("server_id")), "device": None if device is None else text(device)}


def _snapshot(item: Item, desk: Desk) -> None:
    item.take("status", "status")
    item.take("volume_id", "volume_id", identifier)
    item.take("size_gb", "size", integer)
    item.take("created_at", "created_at", moment)
    item.secrets(Look(), metadata="metadata")


_BACKUP_STATES: Final = (
    "creating", "available", "restoring", "deleting", "deleted", "error", "error_deleting", "error_restoring",
)  # fmt: skip


def _backup(item: Item, desk: Desk) -> None:
    item.take("status", "status", one_of(*_BACKUP_STATES))
    item.take("volume_id", "volume_id", identifier)
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
QUOTAS = Quotas(call="cinder.quotas", path="/os-quota-sets/{}?usage=True", key="quota_set")


def _transfer(item: Item, desk: Desk) -> None:
    item.take("volume_id", "volume_id", identifier)
    item.take("created_at", "created_at", moment)


TRANSFERS = Lister(
    call="cinder.transfers",
    type="openstack.volume_transfer",
    path=f"/detail?limit={PAGE}",
    key="transfers",
    read=_transfer,
    everyone="all_tenants=1",
    owners=("source_project_id",),
    # NOTE: old versions cut the list at their page size, and name no next page.
    paging=Paging.OFFSET,
)


# --- what the operator runs ---------------------------------------------------------------------------


def _pool(item: Item, desk: Desk) -> None:
    capabilities = item.row.get("capabilities")
    inner = Item(capabilities if isinstance(capabilities, dict) else {})
    inner.take("backend", "volume_backend_name")
    for fact, field in (("total_gb", "total_capacity_gb"), ("free_gb", "free_capacity_gb")):
        if inner.row.get(field) == "unknown":
            inner.miss(fact, Reason.NOT_IMPLEMENTED, "the driver of the back end does not tell")
        else:
            inner.take(fact, field, _capacity, null=True)
    inner.take("protocols", "storage_protocol", _protocols)
    if isinstance(capabilities, dict):
        # Cinder's scheduler takes a back end that does not mention replication for one without.
        inner.take("replication_enabled", "replication_enabled", flag, absent=False)
    else:
        inner.take("replication_enabled", "replication_enabled", flag)
    item.facts |= inner.facts
    item.unseen |= inner.unseen


def _capacity(value: object) -> int | None:
    """Whole GiB; None for a back end that says its room has no end."""
    if value == "infinite":
        return None
    if isinstance(value, float) and isfinite(value):
        return int(value)
    return integer(value)


def _protocols(value: object) -> Value:
    """One name; a back end that goes by several gives a list."""
    return many(text)(value) if isinstance(value, list) else (text(value),)


POOLS = Lister(
    call="cinder.pools",
    type="openstack.storage_pool",
    path="/scheduler-stats/get_pools?detail=true",
    key="pools",
    read=_pool,
    proof=_REFUSES,
    identify=lambda row: identifier(row.get("name")),
)


def _service(item: Item, desk: Desk) -> None:
    item.take("binary", "binary")
    item.take("host", "host")
    item.take("zone", "zone", empty_as_null(text), null=True)
    item.take("status", "status")
    item.take("state", "state")
    item.take("updated_at", "updated_at", moment, null=True)
    # Only the services that hold volumes have these.
    absent = Odd if item.row.get("binary") == _VOLUMES else None
    item.take("replication_status", "replication_status", null=True, absent=absent)
    item.take("active_backend_id", "active_backend_id", null=True, absent=absent)
    item.take("frozen", "frozen", flag, null=True, absent=absent)


SERVICES = Lister(
    call="cinder.services",
    type="openstack.block_storage_service",
    path="/os-services",
    key="services",
    read=_service,
    proof=_REFUSES,
    identify=lambda row: f"{identifier(row.get('binary'))}:{identifier(row.get('host'))}",
    title=lambda row: text(row["host"]),
)


# --- volume types: seen through the eyes of every audited project ------------------------------------


def _hidden_backend(desk: Desk, types: list[Resource]) -> bool:
    """Whether Cinder keeps from a token what it tells administrators of a type."""
    return not all("backend" in type_.facts for type_ in types)


def _with_encryption(desk: Desk, types: list[Resource]) -> Iterator[Resource]:
    if ENCRYPTION in desk.wanted:
        answers = desk.in_parallel(_encryption, types)
        yield from (_encrypted(type_, answer) for type_, answer in zip(types, answers, strict=True))
    else:
        why = Trouble(Reason.NOT_COLLECTED, "the plan did not ask for it")
        yield from (_encrypted(type_, why) for type_ in types)


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
