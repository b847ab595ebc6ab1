"""Barbican: secrets by their description. What a secret holds is never asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cloudaudit.collectors import Seen
from cloudaudit.collectors.item import Item, Odd, Row, identifier, integer, moment
from cloudaudit.collectors.openstack.listing import Covers, Desk, Lister, listing
from cloudaudit.collectors.openstack.paging import Paging

SERVICE = "key-manager"
PROJECT: Covers = (("barbican.secrets", "openstack.secret"),)
# Barbican by its own default gives no more at once.
_PAGE: Final = 100


def read_project(desk: Desk) -> Iterator[Seen]:
    if SECRETS.call in desk.wanted:
        yield from listing(desk, SECRETS)


def _secret(item: Item, desk: Desk) -> None:
    item.take("status", "status")
    item.take("secret_type", "secret_type")
    item.take("algorithm", "algorithm", null=True)
    item.take("bit_length", "bit_length", integer, null=True)
    item.take("mode", "mode", null=True)
    item.take("expiration", "expiration", moment, null=True)
    item.take("created_at", "created", moment)
    item.take("creator", "creator_id", null=True)


def _id(row: Row) -> str:
    """The last part of the secret's address, which is all that tells it from others."""
    _, mark, id_ = identifier(row.get("secret_ref")).rpartition("/secrets/")
    if not mark or "/" in id_:
        raise Odd("no address of a secret")
    return identifier(id_)


SECRETS = Lister(
    call="barbican.secrets",
    type="openstack.secret",
    path=f"/secrets?limit={_PAGE}",
    key="secrets",
    read=_secret,
    identify=_id,
    # NOTE: the answer also names the next page, but by an address the operator may have forgotten to set.
    paging=Paging.OFFSET,
)
