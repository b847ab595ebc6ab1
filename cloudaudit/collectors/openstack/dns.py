"""Designate: DNS zones."""

from __future__ import annotations

from collections.abc import Iterator

from cloudaudit.collectors import Seen
from cloudaudit.collectors.item import Item, flag, integer
from cloudaudit.collectors.openstack.listing import Covers, Desk, Lister, listing

SERVICE = "dns"
PROJECT: Covers = (("designate.zones", "openstack.dns_zone"),)


def read_project(desk: Desk) -> Iterator[Seen]:
    if ZONES.call in desk.wanted:
        yield from listing(desk, ZONES)


def _zone(item: Item, desk: Desk) -> None:
    item.take("type", "type")
    item.take("status", "status")
    item.take("serial", "serial", integer)
    item.take("ttl", "ttl", integer, null=True)
    # A Designate that does not tell cannot share zones yet.
    item.take("shared", "shared", flag, absent=False)


ZONES = Lister(
    call="designate.zones",
    type="openstack.dns_zone",
    # NOTE: of a number above the operator's own limit Designate gives that limit's worth, and then names
    # no next page; of "max" it knows where it stopped.
    path="/zones?limit=max",
    key="zones",
    read=_zone,
    common=lambda row: row.get("shared") is True,
)
