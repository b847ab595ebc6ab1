"""Glance: images and whom they are shared with, the stores they lie in, and how they may be imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from cloudaudit.collectors import Seen
from cloudaudit.collectors.item import (
    Item,
    Odd,
    Row,
    count,
    empty_as_null,
    flag,
    identifier,
    integer,
    items,
    many,
    moment,
    one_of,
    record,
    text,
)
from cloudaudit.collectors.leaks import Look
from cloudaudit.collectors.openstack.answers import Trouble
from cloudaudit.collectors.openstack.listing import NOT_WANTED, PAGE, Covers, Desk, Lister, listing
from cloudaudit.collectors.openstack.paging import Page, segment
from cloudaudit.collectors.values import VISIBILITIES, properties, property_names
from cloudaudit.model import Listing, Reason, Resource, Unseen, Value

SERVICE = "image"
REGION: Covers = (
    ("glance.stores", "openstack.image_store"),
    ("glance.import_info", "openstack.image_service"),
)
PROJECT: Covers = (
    ("glance.images", "openstack.image"),
    ("glance.image_members", "openstack.image_member"),
)
STORES_DETAIL: Final = "glance.stores_detail"
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
_STATES: Final = (
    "queued", "saving", "uploading", "importing", "active", "deactivated", "killed", "deleted",
    "pending_delete",
)  # fmt: skip
# Schemes behind which another machine stands; the rest name places inside the cloud's own storage.
_REMOTE: Final = frozenset({"http", "https", "swift+http", "swift+https", "s3+http", "s3+https"})


def read_region(desk: Desk) -> Iterator[Seen]:
    stores = list(desk.items(STORES)) if STORES.call in desk.wanted else []
    if stores:
        yield from _stores(desk, stores)
    if SERVICES.call in desk.wanted:
        yield from _service(desk, stores)


def read_project(desk: Desk) -> Iterator[Seen]:
    """Images and their members. Members are asked for image by image, so both stand on one listing."""
    if IMAGES.call in desk.wanted:
        pages: list[Page | Trouble] = []
        yield from listing(desk, IMAGES, _noted(_every_kind(desk), pages))
        if MEMBERS.call in desk.wanted:
            yield from listing(desk, MEMBERS, _members(desk, pages))
    elif MEMBERS.call in desk.wanted:
        yield desk.gap(MEMBERS, Trouble(NOT_WANTED.reason, "the plan did not ask for the images themselves"))


def _noted(source: Iterator[Page | Trouble], pages: list[Page | Trouble]) -> Iterator[Page | Trouble]:
    """Pass on what is read, and keep it."""
    for page in source:
        pages.append(page)
        yield page


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
    item.take("status", "status", one_of(*_STATES))
    item.take("visibility", "visibility", one_of(*VISIBILITIES))
    item.take("owner", "owner", identifier, null=True)
    item.take("disk_format", "disk_format", null=True)
    item.take("container_format", "container_format", null=True)
    item.take("protected", "protected", flag)
    item.take("size_bytes", "size", count, null=True)
    item.take("min_disk", "min_disk", integer)
    item.take("min_ram", "min_ram", integer)
    item.take("hash_algo", "os_hash_algo", empty_as_null(text), null=True)
    item.take("hash_value", "os_hash_value", empty_as_null(text), null=True)
    for name in ("os_distro", "os_version", "architecture"):
        item.take(name, name, empty_as_null(text), null=True, absent=None)
    item.take("stores", "stores", lambda value: tuple(sorted(s for s in text(value).split(",") if s)))
    # NOTE: Nova writes both properties; an image saved as a scheduled backup is of the type "backup".
    if row.get("image_type") in ("snapshot", "backup"):
        item.take("snapshot_of", "instance_uuid", empty_as_null(identifier), null=True, absent=None)
    else:
        item.facts["snapshot_of"] = None
    item.facts["property_names"] = property_names(name for name in row if name not in _CORE)
    try:
        item.facts["properties"] = properties(row)
    except Odd as error:
        item.miss("properties", Reason.INVALID_ANSWER, str(error))
    item.take("hidden", "os_hidden", flag, absent=False)
    item.take("created_at", "created_at", moment)
    item.take("updated_at", "updated_at", moment, null=True)
    item.take("build_date", "image_build_date", empty_as_null(moment), null=True, absent=None)
    set_by_somebody = [(name, row[name]) for name in row if name not in _CORE]
    item.tags("tags", desk.allowed, set_by_somebody)
    look = Look()
    look.pairs("metadata", set_by_somebody)
    item.secrets(look, tags="tags")
    _external(item)


def _external(item: Item) -> None:
    """Hosts from which the image's data come, where Glance is configured to show its locations."""
    item.facts["locations_shown"] = "locations" in item.row or "direct_url" in item.row
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
    if visibility not in VISIBILITIES:
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


# --- whom images are shared with -------------------------------------------------------------------------

# Images nobody can be a member of.
_UNSHARED: Final = frozenset({"private", "public", "community"})


def _members(desk: Desk, pages: list[Page | Trouble]) -> Iterator[Page | Trouble]:
    """Members of the shared images of audited projects, image by image, each with its image and owner."""
    shared = []
    for page in pages:
        if isinstance(page, Trouble):
            yield page
            continue
        # An empty page keeps the number of the call that found no shared image.
        yield Page([], page.at, page.call)
        shared += [row for row in page.rows if row.get("visibility") not in _UNSHARED and _ours(desk, row)]
    for row, found in zip(shared, desk.lists_in_parallel(shared, _path_of_members, "members"), strict=True):
        for page in found.pages:
            of_image = {"image": row.get("id"), "owner": row.get("owner")}
            yield Page([{**member, **of_image} for member in page.rows], page.at, page.call)
        if found.trouble:
            yield replace(found.trouble, detail=f"members of an image: {found.trouble.detail}")


def _ours(desk: Desk, row: Row) -> bool:
    """Whether an image belongs to the project that is asked about, or to any that is audited."""
    owner = row.get("owner")
    if not isinstance(owner, str):
        return True
    return desk.audited(owner) if desk.project is None else owner == desk.project.id


def _path_of_members(row: Row) -> str:
    return f"/images/{segment(str(row.get('id')))}/members"


def _member(item: Item, desk: Desk) -> None:
    item.take("image", "image", identifier)
    item.take("member", "member_id", identifier)
    item.take("status", "status")


MEMBERS = Lister(
    call="glance.image_members",
    type="openstack.image_member",
    path="",
    key="members",
    read=_member,
    owners=("owner",),
    telling=False,
    identify=lambda row: f"{identifier(row.get('image'))}:{identifier(row.get('member_id'))}",
)


# --- the service itself -------------------------------------------------------------------------------


def _store(item: Item, desk: Desk) -> None:
    item.take("default", "default", flag, absent=False)
    item.take("description", "description", null=True, absent=None)
    item.take("read_only", "read-only", flag, absent=False)


STORES = Lister(
    call="glance.stores",
    type="openstack.image_store",
    path="/info/stores",
    key="stores",
    read=_store,
    proof="stores are the same for every project",
    title=lambda row: identifier(row.get("id")),
)


def _stores(desk: Desk, pages: list[Page | Trouble]) -> Iterator[Seen]:
    """The stores, with the kinds of them that administrators are shown."""
    if isinstance(pages[0], Trouble) and pages[0].status == 404:
        # NOTE: so answers a Glance whose only store has no name, and one older than stores.
        detail = f"Glance names no stores; it may have just one: {pages[0].detail}"
        yield desk.gap(STORES, Trouble(Reason.NOT_IMPLEMENTED, detail, pages[0].call, pages[0].status))
        return
    kinds: Mapping[str, object] | Unseen = NOT_WANTED
    call: int | None = None
    if STORES_DETAIL in desk.wanted:
        for page in desk.pages("/info/stores/detail", STORES.key):
            call = page.call
            kinds = (
                page.unseen()
                if isinstance(page, Trouble)
                else {str(row.get("id")): row.get("type") for row in page.rows}
            )

    def read(item: Item, desk: Desk) -> None:
        _store(item, desk)
        if isinstance(kinds, Unseen):
            item.unseen["type"] = kinds
            return
        inner = Item({"type": kinds.get(str(item.row.get("id")))})
        inner.take("type", "type")
        item.facts |= inner.facts
        item.unseen |= inner.unseen

    sources = {} if call is None else {"type": call}
    for thing in listing(desk, replace(STORES, read=read), pages):
        yield replace(thing, sources={**thing.sources, **sources}) if isinstance(thing, Resource) else thing


SERVICES = Lister(
    call="glance.import_info",
    type="openstack.image_service",
    path="/info/import",
    key="import-methods",
    read=lambda item, desk: None,
)


def _service(desk: Desk, stores: list[Page | Trouble]) -> Iterator[Seen]:
    """The service of the region, by what it says of importing and of its stores."""
    read = desk.read_document(desk.root + SERVICES.path)
    if isinstance(read, Trouble):
        yield desk.gap(SERVICES, read)
        return
    body, answer = read
    item = Item(body)
    item.take("import_methods", SERVICES.key, _methods)
    sources = {"": answer.call} | _naming_of_stores(item, stores)
    yield Resource(
        type=SERVICES.type,
        id=SERVICE,
        scope=desk.here,
        at=answer.at,
        facts=item.facts,
        name=SERVICE,
        endpoint=desk.endpoint,
        unseen=item.unseen,
        sources=sources,
    )
    yield Listing(desk.scope, SERVICES.type, 1, "the service itself answered", answer.call)


def _naming_of_stores(item: Item, stores: list[Page | Trouble]) -> dict[str, int]:
    """Whether Glance tells its stores apart, and the call that told."""
    if not stores:
        item.unseen["names_stores"] = NOT_WANTED
        return {}
    first = stores[0]
    if isinstance(first, Page):
        item.facts["names_stores"] = True
    elif first.status == 404:
        item.facts["names_stores"] = False
    else:
        item.unseen["names_stores"] = first.unseen()
    return {} if first.call is None else {"names_stores": first.call}


def _methods(value: object) -> tuple[str, ...]:
    return tuple(sorted(set(many(text)(record(value).get("value")))))
