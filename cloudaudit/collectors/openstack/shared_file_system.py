"""Manila: shares, who may use them, their replicas and their backups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from cloudaudit.collectors import Seen
from cloudaudit.collectors.item import (
    Item,
    Row,
    address,
    empty_as_null,
    flag,
    identifier,
    integer,
    moment,
    text,
)
from cloudaudit.collectors.openstack.answers import Trouble
from cloudaudit.collectors.openstack.cloud import Version
from cloudaudit.collectors.openstack.listing import PAGE, Covers, Desk, Lister, listing
from cloudaudit.collectors.openstack.paging import Page, Paging, segment
from cloudaudit.model import Listing, Reason

SERVICE = "shared-file-system"
PROJECT: Covers = (
    ("manila.shares", "openstack.share"),
    ("manila.share_access_rules", "openstack.share_access_rule"),
    ("manila.share_replicas", "openstack.share_replica"),
    ("manila.share_backups", "openstack.share_backup"),
)
RULES_SINCE: Final = (2, 45)
# What Manila writes in place of values that a lock hides (since 2.82).
_MASKED: Final = "******"
REPLICAS_SINCE: Final = (2, 11)
BACKUPS_SINCE: Final = (2, 80)


def read_project(desk: Desk) -> Iterator[Seen]:
    shares: list[Page | Trouble] | None = None
    if SHARES.call in desk.wanted:
        shares = list(desk.items(SHARES))
        yield from listing(desk, SHARES, shares)
    if RULES.call in desk.wanted:
        yield from _access(desk, shares)
    if REPLICAS.call in desk.wanted:
        yield from _since(desk, REPLICAS, REPLICAS_SINCE, _of_projects(desk, REPLICAS, shares))
    if BACKUPS.call in desk.wanted:
        backups = _of_projects(desk, BACKUPS, shares) if desk.everyone else desk.items(BACKUPS)
        yield from _since(desk, BACKUPS, BACKUPS_SINCE, backups)


def _access(desk: Desk, shares: list[Page | Trouble] | None) -> Iterator[Seen]:
    """The access rules.

    NOTE: Manila before 2.45 has them too, but tells them only to a POST, which is never made.
    """
    if desk.versionless is not None:
        yield desk.gap(RULES, desk.versionless)
    elif not desk.at_least(*RULES_SINCE):
        first = "{}.{}".format(*RULES_SINCE)
        detail = f"Manila lets access rules be read without a POST since version {first}"
        yield desk.gap(RULES, Trouble(Reason.NOT_IMPLEMENTED, detail))
    else:
        yield from listing(desk, RULES, _rules(desk, shares))


def _rules(desk: Desk, shares: list[Page | Trouble] | None) -> Iterator[Page | Trouble]:
    """Rules share by share, each with the share and its project."""
    if shares is None:
        yield Trouble(Reason.NOT_COLLECTED, "the plan did not ask for the shares themselves")
        return
    ours: list[Row] = []
    for page in shares:
        if isinstance(page, Trouble):
            yield replace(page, detail=f"which shares there are is not known: {page.detail}")
            continue
        # An empty page keeps the number of the call that found no share.
        yield Page([], page.at, page.call)
        ours += [row for row in page.rows if _ours(desk, row)]
    for row, found in zip(ours, desk.lists_in_parallel(ours, _path_of_rules, RULES.key), strict=True):
        of_share = {"share": row.get("id"), "project_id": row.get("project_id")}
        for page in found.pages:
            yield Page([{**rule, **of_share} for rule in page.rows], page.at, page.call)
        if found.trouble:
            yield replace(found.trouble, detail=f"access rules of a share: {found.trouble.detail}")


def _ours(desk: Desk, row: Row) -> bool:
    """Whether a share belongs to the project that is asked about, or to any that is audited.

    Public shares of other projects are in the list too.
    """
    owner = row.get("project_id")
    if not isinstance(owner, str):
        return True
    return desk.audited(owner) if desk.project is None else owner == desk.project.id


def _path_of_rules(row: Row) -> str:
    return f"/share-access-rules?share_id={segment(str(row.get('id')))}"


def _since(desk: Desk, lister: Lister, since: Version, source: Iterable[Page | Trouble]) -> Iterator[Seen]:
    """A listing that exists since a version of the API: before it there was nothing to list."""
    what = lister.key.replace("_", " ")
    first = "{}.{}".format(*since)
    if desk.versionless is not None:
        yield desk.gap(lister, desk.versionless)
    elif desk.version is None:
        detail = f"Manila does not tell its version, and {what} exist since {first}"
        yield desk.gap(lister, Trouble(Reason.NOT_IMPLEMENTED, detail))
    elif desk.version < since:
        proof = "Manila's API ends at {}.{}, before {} began ({})".format(*desk.version, what, first)
        yield Listing(desk.scope, lister.type, 0, proof, desk.token.call)
    else:
        yield from listing(desk, lister, source)


def _of_projects(desk: Desk, lister: Lister, shares: list[Page | Trouble] | None) -> Iterator[Page | Trouble]:
    """Replicas or backups with the project of their share, which they do not tell themselves.

    NOTE: an administrator is shown the replicas of all projects, whatever project the token is for.
    """
    if shares is None:
        yield Trouble(Reason.NOT_COLLECTED, "the plan did not ask for the shares themselves")
        return
    owners: dict[str, object] = {}
    for page in shares:
        if isinstance(page, Trouble):
            what = lister.key.replace("_", " ")
            detail = f"whose {what} these are cannot be told: {page.detail}"
            yield replace(page, detail=detail)
            return
        owners |= {str(row.get("id")): row.get("project_id") for row in page.rows}
    for page in desk.items(lister):
        if isinstance(page, Page):
            owned = [(row, owners.get(str(row.get("share_id")), _unlisted(desk, row))) for row in page.rows]
            page = Page([{**row, "project_id": owner} for row, owner in owned], page.at, page.call)
        yield page


def _unlisted(desk: Desk, row: Row) -> str:
    """The owner of what belongs to a share that is not listed: somebody else, if it names a share at all."""
    return "" if desk.everyone or not isinstance(row.get("share_id"), str) else "?"


def _share(item: Item, desk: Desk) -> None:
    item.take("status", "status")
    item.take("protocol", "share_proto")
    item.take("size_gb", "size", integer)
    item.take("zone", "availability_zone", empty_as_null(text), null=True)
    item.take("created_at", "created_at", moment)
    item.take("is_public", "is_public", flag)
    item.labels("metadata", desk.allowed)


def _rule(item: Item, desk: Desk) -> None:
    """One rule. Its `access_key` is a secret of CephX and is not read."""
    row = item.row
    item.take("share", "share", identifier)
    item.take("access_type", "access_type")
    item.take("access_level", "access_level")
    item.take("state", "state", null=True)
    if row.get("access_to") == _MASKED:
        detail = "Manila hides whom a locked rule lets in from this credential"
        item.miss("access_to", Reason.NO_PERMISSION, detail)
        item.miss("address", Reason.NO_PERMISSION, detail)
        return
    item.take("access_to", "access_to")
    if row.get("access_type") == "ip":
        item.take("address", "access_to", address)
    elif "access_type" in item.facts:
        item.facts["address"] = None
    else:
        item.unseen["address"] = item.unseen["access_type"]


def _replica(item: Item, desk: Desk) -> None:
    item.take("share", "share_id", identifier)
    item.take("zone", "availability_zone", empty_as_null(text), null=True)
    item.take("replica_state", "replica_state", null=True)
    item.take("status", "status")


def _backup(item: Item, desk: Desk) -> None:
    item.take("share_id", "share_id", identifier)
    item.take("status", "status")
    item.take("zone", "availability_zone", empty_as_null(text), null=True)
    item.take("created_at", "created_at", moment)


# NOTE: Manila counts a row for each replica of a share, in limit and offset, and shows the share once.
SHARES = Lister(
    call="manila.shares",
    type="openstack.share",
    path=f"/shares/detail?limit={PAGE}",
    key="shares",
    read=_share,
    everyone="all_tenants=1",
    paging=Paging.ROWS,
)
RULES = Lister(
    call="manila.share_access_rules",
    type="openstack.share_access_rule",
    path="",
    key="access_list",
    read=_rule,
    telling=False,
)
REPLICAS = Lister(
    call="manila.share_replicas",
    type="openstack.share_replica",
    path=f"/share-replicas/detail?limit={PAGE}",
    key="share_replicas",
    read=_replica,
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
