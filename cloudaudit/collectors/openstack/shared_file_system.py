"""Manila: shares and their backups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cloudaudit.collectors import Seen
from cloudaudit.collectors.openstack.answers import Trouble
from cloudaudit.collectors.openstack.item import Item, empty_as_null, identifier, integer, moment, text
from cloudaudit.collectors.openstack.listing import PAGE, Covers, Desk, Lister, listing
from cloudaudit.collectors.openstack.paging import Paging
from cloudaudit.model import Listing, Reason

SERVICE = "shared-file-system"
PROJECT: Covers = (
    ("manila.shares", "openstack.share"),
    ("manila.share_backups", "openstack.share_backup"),
)
BACKUPS_SINCE: Final = (2, 80)


def read_project(desk: Desk) -> Iterator[Seen]:
    if SHARES.call in desk.wanted:
        yield from listing(desk, SHARES)
    if BACKUPS.call not in desk.wanted:
        return
    if desk.version is None:
        detail = "Manila does not tell its version, and share backups exist since 2.80"
        yield desk.gap(BACKUPS, Trouble(Reason.NOT_IMPLEMENTED, detail))
    elif desk.version < BACKUPS_SINCE:
        proof = "Manila's API ends at {}.{}, before share backups began (2.80)".format(*desk.version)
        yield Listing(desk.scope, BACKUPS.type, 0, proof, desk.token.call)
    else:
        yield from listing(desk, BACKUPS)


def _share(item: Item, desk: Desk) -> None:
    item.take("status", "status")
    item.take("protocol", "share_proto")
    item.take("size_gb", "size", integer)
    item.take("zone", "availability_zone", empty_as_null(text), null=True)
    item.take("created_at", "created_at", moment)


def _backup(item: Item, desk: Desk) -> None:
    item.take("share_id", "share_id", identifier)
    item.take("status", "status")
    item.take("zone", "availability_zone", empty_as_null(text), null=True)
    item.take("created_at", "created_at", moment)


SHARES = Lister(
    call="manila.shares",
    type="openstack.share",
    path=f"/shares/detail?limit={PAGE}",
    key="shares",
    read=_share,
    everyone="all_tenants=1",
    paging=Paging.OFFSET,
)
BACKUPS = Lister(
    call="manila.share_backups",
    type="openstack.share_backup",
    path=f"/share-backups/detail?limit={PAGE}",
    key="share_backups",
    read=_backup,
    everyone="all_tenants=1",
    paging=Paging.OFFSET,
)
