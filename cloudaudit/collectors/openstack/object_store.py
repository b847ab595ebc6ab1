"""Swift: what the service offers, accounts, and containers with their lists, versioning and quotas.

Names of containers come from the account's listing, everything else from a HEAD of each. Objects
are never listed and never read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from cloudaudit.collectors import Seen
from cloudaudit.collectors.item import (
    Item,
    Odd,
    Row,
    identifier,
    integer,
    items,
    record,
    text,
)
from cloudaudit.collectors.leaks import Look
from cloudaudit.collectors.openstack.answers import Trouble, json_of
from cloudaudit.collectors.openstack.catalogue import version_root
from cloudaudit.collectors.openstack.listing import Covers, Desk, Lister, Read
from cloudaudit.collectors.openstack.paging import MOST_PAGES, segment
from cloudaudit.collectors.transport import Answer
from cloudaudit.collectors.values import without_user
from cloudaudit.model import Listing, Reason, Resource, Unseen, Value

SERVICE = "object-store"
REGION: Covers = (("swift.info", "openstack.object_service"),)
PROJECT: Covers = (
    ("swift.containers", "openstack.container"),
    ("swift.account", "openstack.object_account"),
)
HEAD = "swift.container_head"
# Headers of containers and accounts that Swift shows to owners only, and simply leaves out for a reader.
_OWNER_SIGNS: Final = (
    "X-Container-Read",
    "X-Container-Write",
    "X-Container-Sync-To",
    "X-Container-Sync-Key",
    "X-Container-Meta-Temp-Url-Key",
    "X-Container-Meta-Temp-Url-Key-2",
    "X-Account-Meta-Temp-Url-Key",
    "X-Account-Meta-Temp-Url-Key-2",
    "X-Account-Access-Control",
)
# Roles that own the account of their project, and every account, in Swift's own defaults.
_OWNING: Final = frozenset({"admin", "swiftoperator"})
_OWNING_ALL: Final = frozenset({"reselleradmin"})
# NOTE: only Ceph's gateway sends this one, and it hides nothing from those whom it lets read.
_GATEWAY: Final = "X-Account-Bytes-Used-Actual"
_META: Final = "x-container-meta-"
_SAMPLE: Final = 20
"""Containers of a sample: any of them may show that we are an owner, and the first need not be the one."""
_HIDDEN: Final = Unseen(
    Reason.NO_PERMISSION,
    "Swift leaves this out for all but the account's owners, and nothing shows that the credential is one",
)


_OBJECTS: Final = "X-Container-Object-Count"
"""The header that every answer about a container has."""


@dataclass(frozen=True, slots=True)
class _Container:
    """A container as listed, with the answer to its HEAD or why there is none."""

    row: Row
    listed: Answer
    head: Answer | Trouble


CONTAINERS = Lister(
    call="swift.containers",
    type="openstack.container",
    path="?format=json",
    key="",
    read=lambda item, desk: None,
    proof="the whole account of the project was listed",
)


def read_region(desk: Desk) -> Iterator[Seen]:
    if SERVICES.call in desk.wanted:
        yield from _service(desk)


def read_project(desk: Desk) -> Iterator[Seen]:
    if ACCOUNTS.call in desk.wanted:
        yield from _one_account(desk)
    if CONTAINERS.call in desk.wanted:
        yield from _containers(desk)


def _containers(desk: Desk) -> Iterator[Seen]:
    """The containers of the account. All are asked for before one is judged: any can prove ownership."""
    found: list[_Container] = []
    owner = bool(desk.token.roles & _owning_roles(desk))
    read = Read()
    for page in _account(desk):
        if isinstance(page, Trouble):
            read.trouble = page
            break
        rows, answer = page
        read.call = answer.call
        owner |= _shows_ownership(answer) or _GATEWAY in answer.headers
        found += [
            _Container(row, answer, head)
            for row, head in zip(rows, desk.in_parallel(_head, rows), strict=True)
        ]
    owner |= any(isinstance(c.head, Answer) and _shows_ownership(c.head) for c in found)
    names: set[str] = set()
    for container in found:
        try:
            resource = _resource(desk, container, owner)
        except Odd:
            read.odd += 1
            continue
        names.add(resource.id)
        yield resource
    read.count = len(names)
    yield from desk.conclude(CONTAINERS, read)


def _owning_roles(desk: Desk) -> frozenset[str]:
    """Roles that make the token an owner of the account it asks about."""
    own = desk.project is not None and desk.token.project == desk.project.id
    return _OWNING | _OWNING_ALL if own else _OWNING_ALL


def _account(desk: Desk) -> Iterator[tuple[list[Row], Answer] | Trouble]:
    """Pages of the account's listing; only an empty one is the last."""
    marker = ""
    seen: set[str] = set()
    for number in range(MOST_PAGES):
        path = CONTAINERS.path + (f"&marker={quote(marker, safe='')}" if marker else "")
        path += f"&limit={_SAMPLE}" if desk.sample else ""
        answer = desk.get(path)
        if isinstance(answer, Trouble):
            if number:
                detail = f"the listing breaks off: {answer.detail}"
                answer = Trouble(Reason.PARTIAL, detail, answer.call, answer.status)
            yield answer
            return
        rows = _rows(answer)
        if isinstance(rows, Trouble):
            yield rows
            return
        names = [str(row.get("name")) for row in rows]
        if not names:
            yield [], answer
            return
        if seen.issuperset(names):
            yield Trouble(Reason.PARTIAL, "a page of the account holds nothing new", answer.call)
            return
        yield [row for row, name in zip(rows, names, strict=True) if name not in seen], answer
        if desk.sample:
            return
        seen.update(names)
        marker = names[-1]
    yield Trouble(Reason.PARTIAL, "the pages of the account do not end")


def _rows(answer: Answer) -> list[Row] | Trouble:
    if answer.status == 204:
        return []
    body = json_of(answer, "GET of the account")
    if isinstance(body, Trouble):
        return body
    try:
        return items(body)
    except Odd:
        detail = "the answer to GET of the account is no list of containers"
        return Trouble(Reason.INVALID_ANSWER, detail, answer.call, answer.status)


def _head(desk: Desk, row: Row) -> Answer | Trouble:
    if HEAD not in desk.wanted:
        return Trouble(Reason.NOT_COLLECTED, "the plan did not ask for it")
    try:
        name = identifier(row.get("name"))
    except Odd:
        return Trouble(Reason.INVALID_ANSWER, "it has no name")
    answer = desk.fetch(f"{desk.root}/{segment(name)}", "HEAD")
    if isinstance(answer, Trouble) and answer.status == 404:
        return Trouble(Reason.PARTIAL, "the container was gone when its headers were asked for", answer.call)
    if isinstance(answer, Answer) and _OBJECTS not in answer.headers:
        # Whatever else is missing would read as "not set".
        detail = f"the answer to HEAD has no {_OBJECTS}: it is not one about a container"
        return Trouble(Reason.INVALID_ANSWER, detail, answer.call, answer.status)
    return answer


def _shows_ownership(answer: Answer) -> bool:
    return any(sign in answer.headers for sign in _OWNER_SIGNS)


def _resource(desk: Desk, container: _Container, owner: bool) -> Resource:
    """A container with its facts. Raises Odd where it has no usable name."""
    name = identifier(container.row.get("name"))
    item = Item(container.row)
    at, sources = container.listed.at, {"": container.listed.call}
    if isinstance(container.head, Trouble):
        item.unseen[""] = container.head.unseen()
    else:
        at, sources = container.head.at, {"": container.head.call}
        _facts(item, container.head, owner, desk.allowed)
    account = desk.project.id if desk.project else ""
    return Resource(
        type=CONTAINERS.type,
        # Names repeat from account to account, and all accounts share one endpoint.
        id=f"{account}/{name}",
        scope=desk.scope,
        at=at,
        facts=item.facts,
        name=text(name),
        endpoint=desk.endpoint,
        unseen=item.unseen,
        sources=sources,
    )


def _facts(item: Item, head: Answer, owner: bool, allowed: frozenset[str]) -> None:
    headers = _headers(head)
    shown: dict[str, Value] = {
        "read_acl": headers.get("x-container-read") or None,
        "write_acl": headers.get("x-container-write") or None,
        "sync_to": without_user(headers.get("x-container-sync-to")),
        "sync_key_present": True if "x-container-sync-key" in headers else None,
    }
    for fact, value in shown.items():
        if value is not None:
            item.facts[fact] = value
        elif owner:
            item.facts[fact] = False if fact == "sync_key_present" else None
        else:
            item.unseen[fact] = _HIDDEN
    kept = headers.get("x-versions-enabled", "").lower() == "true" or bool(
        headers.get("x-versions-location") or headers.get("x-history-location")
    )
    item.facts["versioning.state"] = "enabled" if kept else "off"
    policy = headers.get("x-storage-policy", item.row.get("storage_policy"))
    item.facts["storage_policy"] = text(policy) if isinstance(policy, str) else None
    if f"{_META}quota-bytes" not in headers:
        item.facts["quota_bytes"] = None
    else:
        _count(item, "quota_bytes", headers, f"{_META}quota-bytes")
    metadata = {name.removeprefix(_META): value for name, value in headers.items() if name.startswith(_META)}
    # Headers know neither case nor underscores: "System-Id" is how Swift gives back system_id.
    by_header = {key.lower().replace("_", "-"): key for key in allowed}
    item.keep_labels([(by_header.get(name, name), value) for name, value in metadata.items()], allowed)
    look = Look()
    look.pairs("metadata", metadata.items())
    item.secrets(look)


def _count(item: Item, fact: str, headers: Mapping[str, str], name: str) -> None:
    """A header that holds a number."""
    value = headers.get(name)
    if value is None:
        item.miss(fact, Reason.NOT_IMPLEMENTED, f"the service's answer has no {name.title()}")
    elif value.isascii() and value.isdigit() and len(value) < 20:
        item.facts[fact] = int(value)
    else:
        item.miss(fact, Reason.INVALID_ANSWER, f"{name.title()} is no number")


def _headers(answer: Answer) -> dict[str, str]:
    """Headers by their names in lower case."""
    return {name.lower(): _decoded(value) for name, value in answer.headers.items()}


def _decoded(value: str) -> str:
    """A header's text. HTTP gives bytes as Latin-1, Swift means UTF-8."""
    return text(value.encode("latin-1", "replace").decode("utf-8", "replace"))


# --- the account ----------------------------------------------------------------------------------------

ACCOUNTS = Lister(
    call="swift.account",
    type="openstack.object_account",
    path="",
    key="",
    read=lambda item, desk: None,
)
_COUNTS: Final = {
    "container_count": "x-account-container-count",
    "object_count": "x-account-object-count",
    "bytes_used": "x-account-bytes-used",
}
_QUOTA: Final = "x-account-meta-quota-bytes"
_SECRETS: Final = {
    "temp_url_key_present": ("x-account-meta-temp-url-key", "x-account-meta-temp-url-key-2"),
    "acl_present": ("x-account-access-control",),
}


def _one_account(desk: Desk) -> Iterator[Seen]:
    """The account of the project. Of keys and lists only whether there are any leaves this function."""
    answer = desk.fetch(desk.root, "HEAD")
    if isinstance(answer, Trouble):
        yield desk.gap(ACCOUNTS, answer)
        return
    headers = _headers(answer)
    owner = bool(desk.token.roles & _owning_roles(desk))
    owner |= _shows_ownership(answer) or _GATEWAY in answer.headers
    item = Item({})
    for fact, name in _COUNTS.items():
        _count(item, fact, headers, name)
    if _QUOTA in headers:
        _count(item, "quota_bytes", headers, _QUOTA)
    else:
        item.facts["quota_bytes"] = None
    for fact, names in _SECRETS.items():
        present = any(headers.get(name) for name in names)
        if present or owner:
            item.facts[fact] = present
        else:
            item.unseen[fact] = _HIDDEN
    yield Resource(
        type=ACCOUNTS.type,
        id=desk.project.id if desk.project else "",
        scope=desk.scope,
        at=answer.at,
        facts=item.facts,
        name=desk.project.name if desk.project else "",
        endpoint=desk.endpoint,
        unseen=item.unseen,
        sources={"": answer.call},
    )
    yield Listing(desk.scope, ACCOUNTS.type, 1, "the account of the project itself answered", answer.call)


# --- the service itself -------------------------------------------------------------------------------

SERVICES = Lister(
    call="swift.info",
    type="openstack.object_service",
    path="/info",
    key="swift",
    read=lambda item, desk: None,
)


def _service(desk: Desk) -> Iterator[Seen]:
    """The service of the region, by what it says it can do."""
    # It says so beside its versions, not below one.
    root = version_root(desk.root).rstrip("/").rpartition("/")[0]
    read = desk.read_document(root + SERVICES.path)
    if isinstance(read, Trouble):
        # NOTE: 403 is what Swift answers everybody where the operator switched it off.
        off = ": the operator may have switched it off" if read.status in (403, 404) else ""
        yield desk.gap(SERVICES, Trouble(read.reason, f"{read.detail}{off}", read.call))
        return
    body, answer = read
    if not isinstance(body.get(SERVICES.key), dict):
        detail = f"the answer to GET {SERVICES.path} says nothing of Swift itself"
        yield desk.gap(SERVICES, Trouble(Reason.INVALID_ANSWER, detail, answer.call, answer.status))
        return
    item = _offered(body)
    yield Resource(
        type=SERVICES.type,
        id=SERVICE,
        scope=desk.here,
        at=answer.at,
        facts=item.facts,
        name=SERVICE,
        endpoint=desk.endpoint,
        unseen=item.unseen,
        sources={"": answer.call},
    )
    yield Listing(desk.scope, SERVICES.type, 1, "the service itself answered", answer.call)


def _offered(body: Row) -> Item:
    item = Item(record(body[SERVICES.key]))
    item.take("version", "version", null=True, absent=None)
    item.take("max_file_size", "max_file_size", integer)
    item.facts["middlewares"] = tuple(sorted(text(name) for name in body if name != SERVICES.key))
    # NOTE: of dynamic large objects Swift does not tell whether it has them.
    for name in ("slo", "tempurl", "s3api", "object_versioning"):
        item.facts[name] = name in body
    sync = Item(body)
    sync.take("container_sync_realms", "container_sync", _has_realms, absent=False)
    item.facts |= sync.facts
    item.unseen |= sync.unseen
    return item


def _has_realms(value: object) -> bool:
    return bool(record(record(value).get("realms", {})))
