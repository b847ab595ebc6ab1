"""Availability zones, which Nova and Cinder list in the same words and Neutron in others."""

from __future__ import annotations

from cloudaudit.collectors.item import Item, Odd, Row, flag, identifier, text
from cloudaudit.collectors.openstack.listing import Desk, Lister
from cloudaudit.model import Value

TYPE = "openstack.availability_zone"
PROOF = "availability zones are the same for every project"


def zone_lister(call: str, service: str) -> Lister:
    """The zones of Nova or Cinder."""

    def read(item: Item, desk: Desk) -> None:
        item.take("zone", "zoneName")
        item.facts["service"] = service
        item.take("available", "zoneState", _available)

    def name(row: Row) -> str:
        return identifier(row.get("zoneName"))

    return Lister(
        call=call,
        type=TYPE,
        path="/os-availability-zone",
        key="availabilityZoneInfo",
        read=read,
        proof=PROOF,
        identify=lambda row: f"{service}:{name(row)}",
        title=lambda row: text(name(row)),
    )


def _available(value: object) -> Value:
    if not isinstance(value, dict):
        raise Odd("no state")
    return flag(value.get("available"))
