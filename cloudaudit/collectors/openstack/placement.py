"""Placement: resource providers, which are the compute nodes and what is nested in them."""

from __future__ import annotations

from collections.abc import Iterator

from cloudaudit.collectors import Seen
from cloudaudit.collectors.item import Item, identifier
from cloudaudit.collectors.openstack.listing import Covers, Desk, Lister, listing

SERVICE = "placement"
REGION: Covers = (("placement.resource_providers", "openstack.resource_provider"),)


def read_region(desk: Desk) -> Iterator[Seen]:
    if PROVIDERS.call in desk.wanted:
        yield from listing(desk, PROVIDERS)


def _provider(item: Item, desk: Desk) -> None:
    item.take("parent", "parent_provider_uuid", identifier, null=True)
    item.take("root", "root_provider_uuid", identifier, null=True)


PROVIDERS = Lister(
    call="placement.resource_providers",
    type="openstack.resource_provider",
    path="/resource_providers",
    key="resource_providers",
    read=_provider,
    proof="Placement lists all of them to administrators, and refuses everybody else",
    identify=lambda row: identifier(row.get("uuid")),
)
