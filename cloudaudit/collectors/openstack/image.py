"""Glance: images, their format, visibility, hashes and the names of their properties."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from cloudaudit.collectors import Seen
from cloudaudit.collectors.openstack.answers import Trouble
from cloudaudit.collectors.openstack.item import (
    Item,
    Odd,
    Row,
    empty_as_null,
    flag,
    identifier,
    integer,
    items,
    moment,
    text,
)
from cloudaudit.collectors.openstack.listing import PAGE, Covers, Desk, Lister, listing
from cloudaudit.collectors.openstack.paging import Page, segment
from cloudaudit.model import Reason, Value

SERVICE = "image"
PROJECT: Covers = (("glance.images", "openstack.image"),)
# Fields of the image itself; every other field of an answer is a property somebody set.
_CORE: Final = frozenset(
    {
        "checksum",
        "container_format",
        "created_at",
        "direct_url",
        "disk_format",
        "file",
        "id",
        "locations",
        "min_disk",
        "min_ram",
        "name",
        "os_hash_algo",
        "os_hash_value",
        "os_hidden",
        "owner",
        "protected",
        "schema",
        "self",
        "size",
        "status",
        "stores",
        "tags",
        "updated_at",
        "virtual_size",
        "visibility",
    }
)
# Schemes behind which another machine stands; the rest name places inside the cloud's own storage.
_REMOTE: Final = frozenset({"http", "https", "swift+http", "swift+https", "s3+http", "s3+https"})


def read_project(desk: Desk) -> Iterator[Seen]:
    if IMAGES.call in desk.wanted:
        yield from listing(desk, IMAGES, _every_kind(desk))


def _every_kind(desk: Desk) -> Iterator[Page | Trouble]:
    """All pages of the listings which together show every image.

    Glance leaves hidden images and community images out unless they are asked for by name.
    """
    own = "visibility=community" if desk.project is None else f"owner={segment(desk.project.id)}"
    seen: set[object] = set()
    for query in ("", f"&{own}", "&os_hidden=true", f"&os_hidden=true&{own}"):
        for page in desk.pages(f"{IMAGES.path}{query}", IMAGES.key):
            if isinstance(page, Trouble):
                yield page
                return
            new = [row for row in page.rows if str(row.get("id")) not in seen]
            seen.update(str(row.get("id")) for row in new)
            yield Page(new, page.at, page.call)


def _image(item: Item, desk: Desk) -> None:
    row = item.row
    item.take("status", "status")
    item.take("visibility", "visibility")
    item.take("owner", "owner", identifier, null=True)
    item.take("disk_format", "disk_format", null=True)
    item.take("container_format", "container_format", null=True)
    item.take("protected", "protected", flag)
    item.take("size_bytes", "size", integer, null=True)
    item.take("min_disk", "min_disk", integer)
    item.take("min_ram", "min_ram", integer)
    item.take("hash_algo", "os_hash_algo", null=True)
    item.take("hash_value", "os_hash_value", null=True)
    for name in ("os_distro", "os_version", "architecture"):
        item.take(name, name, empty_as_null(text), null=True, absent=None)
    item.take("stores", "stores", lambda value: tuple(sorted(s for s in text(value).split(",") if s)))
    properties = sorted(text(name) for name in row if name not in _CORE)
    item.facts["property_names"] = tuple(properties)
    item.take("created_at", "created_at", moment)
    item.take("updated_at", "updated_at", moment, null=True)
    item.tags("tags", desk.allowed, [(name, row[name]) for name in row if name not in _CORE])
    _external(item)


def _external(item: Item) -> None:
    """Hosts from which the image's data come, where Glance is configured to show its locations."""
    if "locations" not in item.row and "direct_url" not in item.row:
        detail = "Glance is not configured to show locations of images"
        item.miss("external_urls", Reason.NOT_IMPLEMENTED, detail)
        return
    try:
        urls = [place.get("url") for place in items(item.row.get("locations", []))]
        hosts = {_host(url) for url in [*urls, item.row.get("direct_url")] if url is not None}
    except Odd as error:
        item.miss("external_urls", Reason.INVALID_ANSWER, f"the locations hold {error}")
        return
    item.facts["external_urls"] = tuple(sorted(host for host in hosts if host))


def _host(url: Value) -> str:
    """The host of an address and nothing else of it: Swift locations carry passwords."""
    try:
        parts = urlsplit(text(url))
        return text(parts.hostname or "") if parts.scheme in _REMOTE else ""
    except ValueError as error:
        raise Odd("no address") from error


def _common(row: Row) -> bool:
    visibility = row.get("visibility")
    if visibility not in ("public", "community", "shared", "private"):
        raise Odd("no visibility")
    return visibility != "private"


IMAGES = Lister(
    call="glance.images",
    type="openstack.image",
    path=f"/images?limit={PAGE}",
    key="images",
    read=_image,
    owners=("owner",),
    common=_common,
)
