"""Nova: servers, server groups and the availability zones of compute."""

from __future__ import annotations

from collections.abc import Iterator

from cloudaudit.collectors import Seen
from cloudaudit.collectors.openstack.item import (
    Item,
    Odd,
    address,
    each,
    empty_as_null,
    identifier,
    integer,
    items,
    many,
    moment,
    text,
)
from cloudaudit.collectors.openstack.listing import PAGE, Covers, Desk, Lister, listing
from cloudaudit.collectors.openstack.paging import Paging
from cloudaudit.collectors.openstack.zones import zone_lister
from cloudaudit.model import Reason, Unseen, Value

SERVICE = "compute"
REGION: Covers = (("nova.availability_zones", "openstack.availability_zone"),)
PROJECT: Covers = (
    ("nova.servers", "openstack.server"),
    ("nova.server_groups", "openstack.server_group"),
)


def read_region(desk: Desk) -> Iterator[Seen]:
    if ZONES.call in desk.wanted:
        yield from listing(desk, ZONES)


def read_project(desk: Desk) -> Iterator[Seen]:
    for lister in (SERVERS, SERVER_GROUPS):
        if lister.call in desk.wanted:
            yield from listing(desk, lister)


def _server(item: Item, desk: Desk) -> None:
    if item.row.get("status") == "UNKNOWN":
        # Nova lists a server of a cell that is down with little more than its id.
        item.default = Unseen(Reason.PARTIAL, "the cell of the server does not answer")
    item.take("status", "status")
    item.take("zone", "OS-EXT-AZ:availability_zone", empty_as_null(text), null=True)
    item.take("host_id", "hostId", empty_as_null(text), null=True)
    _flavor(item)
    item.take("image", "image", _image, null=True)
    item.take("boot_volumes", "os-extended-volumes:volumes_attached", each(lambda v: identifier(v.get("id"))))
    item.take("key_name", "key_name", null=True)
    item.labels("metadata", desk.allowed)
    item.take("created_at", "created", moment)
    item.take("security_groups", "security_groups", _group_names)
    item.take("addresses", "addresses", _addresses)
    # Only whether there is user data is kept, never what it is.
    item.take("has_user_data", "OS-EXT-SRV-ATTR:user_data", bool, hidden=True)


def _flavor(item: Item) -> None:
    """The flavor as it was when the server was made; before 2.47 Nova only names it."""
    flavor = item.row.get("flavor")
    inner = Item(flavor if isinstance(flavor, dict) else {}, item.default)
    inner.take("flavor", "original_name" if "original_name" in inner.row else "id")
    inner.take("vcpus", "vcpus", integer)
    inner.take("ram_mb", "ram", integer)
    inner.take("disk_gb", "disk", integer)
    item.facts |= inner.facts
    item.unseen |= inner.unseen


def _image(value: object) -> Value:
    """The id of the image; a server that booted from a volume has an empty text instead."""
    if value == "":
        return None
    if not isinstance(value, dict):
        raise Odd("no image")
    return identifier(value.get("id"))


def _group_names(value: object) -> Value:
    """Names of security groups, once each: Nova repeats them for every port."""
    return tuple(sorted({text(group.get("name")) for group in items(value)}))


def _addresses(value: object) -> Value:
    if not isinstance(value, dict):
        raise Odd("no object")
    found: list[Value] = []
    for network in sorted(value):
        for entry in items(value[network]):
            kind = entry.get("OS-EXT-IPS:type")
            found.append(
                {
                    "network": text(network),
                    "address": address(entry.get("addr")),
                    "version": integer(entry.get("version")),
                    "kind": None if kind is None else text(kind),
                }
            )
    return tuple(found)


def _server_group(item: Item, desk: Desk) -> None:
    if "policy" in item.row:
        item.take("policy", "policy")
    else:
        # Before 2.64 a list, always of one.
        item.take("policy", "policies", lambda value: ",".join(many(text)(value)))
    item.take("members", "members", many(identifier))


SERVERS = Lister(
    call="nova.servers",
    type="openstack.server",
    path=f"/servers/detail?limit={PAGE}",
    key="servers",
    read=_server,
    everyone="all_tenants=1",
    owners=("tenant_id", "project_id"),
)
SERVER_GROUPS = Lister(
    call="nova.server_groups",
    type="openstack.server_group",
    path=f"/os-server-groups?limit={PAGE}",
    key="server_groups",
    read=_server_group,
    everyone="all_projects=1",
    paging=Paging.OFFSET,
)
ZONES = zone_lister("nova.availability_zones", SERVICE)
