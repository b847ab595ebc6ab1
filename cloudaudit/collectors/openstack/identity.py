"""Keystone: the catalogue, regions, projects, users, role assignments and members of groups."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from cloudaudit.collectors import Seen
from cloudaudit.collectors.openstack.answers import Trouble, document
from cloudaudit.collectors.openstack.catalogue import Catalogue, Endpoint, normal_url, read_catalogue
from cloudaudit.collectors.openstack.cloud import Rows
from cloudaudit.collectors.openstack.item import (
    Item,
    Odd,
    Row,
    flag,
    identifier,
    items,
    many,
    moment,
    text,
)
from cloudaudit.collectors.openstack.listing import Covers, Desk, Lister, listing
from cloudaudit.collectors.openstack.paging import Page, segment
from cloudaudit.collectors.openstack.target import OPERATOR
from cloudaudit.collectors.transport import Answer
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope, Unseen, Value

SERVICE = "identity"
SERVICES: Final = "openstack.service"
ENDPOINTS: Final = "openstack.endpoint"
CATALOGUE: Final = "keystone.catalog"
TARGET: Covers = (
    (CATALOGUE, SERVICES),
    (CATALOGUE, ENDPOINTS),
    ("keystone.regions", "openstack.region"),
    ("keystone.auth_projects", "openstack.project"),
    ("keystone.projects", "openstack.project"),
    ("keystone.users", "openstack.user"),
    ("keystone.role_assignments", "openstack.role_assignment"),
    ("keystone.group_users", "openstack.group_member"),
)
_REFUSES: Final = "Keystone lists all of them to those it lets ask, and refuses everybody else"


def read_target(desk: Desk) -> Iterator[Seen]:
    if CATALOGUE in desk.wanted:
        yield from _catalogue(desk)
    if REGIONS.call in desk.wanted:
        yield from _regions(desk)
    if desk.wanted & {"keystone.auth_projects", "keystone.projects"}:
        yield from _projects(desk)
    if USERS.call in desk.wanted:
        federated = _federated(desk)
        users = desk.cloud.admin_rows(USERS.path, USERS.key, desk.token, desk.log)
        yield from listing(desk, replace(USERS, read=partial(_user, federated=federated)), users.source)
    if ASSIGNMENTS.call in desk.wanted:
        rows = desk.cloud.admin_rows(ASSIGNMENTS.path, ASSIGNMENTS.key, desk.token, desk.log)
        yield from listing(desk, ASSIGNMENTS, rows.source)
    if MEMBERS.call in desk.wanted:
        yield from listing(desk, MEMBERS, _members(desk))


# --- the catalogue -------------------------------------------------------------------------------------


def _catalogue(desk: Desk) -> Iterator[Seen]:
    answer = desk.get("/auth/catalog")
    if isinstance(answer, Trouble):
        yield from _no_catalogue(desk, answer)
        return
    body = document(answer, "GET /auth/catalog")
    if isinstance(body, Trouble):
        yield from _no_catalogue(desk, body)
        return
    catalogue = read_catalogue(body.get("catalog"))
    services = list(_services(desk, catalogue, answer))
    endpoints = list(_endpoints(desk, catalogue, answer))
    yield from services
    yield from endpoints
    if not catalogue.complete or not catalogue.endpoints:
        detail = "part of the catalogue cannot be understood, or it is empty"
        yield from _no_catalogue(desk, Trouble(Reason.INVALID_ANSWER, detail, answer.call))
        return
    proof = f"the catalogue of project {desk.token.project_name} was read whole"
    for type_, found in ((SERVICES, services), (ENDPOINTS, endpoints)):
        yield Listing(desk.scope, type_, len(found), proof, answer.call)


def _no_catalogue(desk: Desk, trouble: Trouble) -> Iterator[Gap]:
    for type_ in (SERVICES, ENDPOINTS):
        yield Gap(desk.scope, type_, CATALOGUE, trouble.reason, trouble.detail, trouble.call)


def _services(desk: Desk, catalogue: Catalogue, answer: Answer) -> Iterator[Resource]:
    for service in sorted({e.service for e in catalogue.endpoints}):
        own = [e for e in catalogue.endpoints if e.service == service]
        names = sorted({e.name for e in own if e.name})
        yield Resource(
            type=SERVICES,
            id=service,
            scope=desk.scope,
            at=answer.at,
            facts={
                "type": service,
                "service_name": names[0] if names else "",
                "regions": tuple(sorted({e.region for e in own if e.region})),
            },
            name=names[0] if names else "",
            endpoint=desk.endpoint,
            sources={"": answer.call},
        )


def _endpoints(desk: Desk, catalogue: Catalogue, answer: Answer) -> Iterator[Resource]:
    """Endpoints of the catalogue, and the disabled ones which only an administrator is shown."""
    if "keystone.endpoints" in desk.wanted:
        rows = desk.cloud.admin_rows("/endpoints", "endpoints", desk.token, desk.log)
    else:
        detail = "the plan did not ask for it"
        rows = Rows((), Trouble(Reason.NOT_COLLECTED, detail))
    known = {str(row.get("id")): row for row in rows.rows}
    listed = {e.id: e for e in catalogue.endpoints}
    for id_ in sorted(listed):
        yield _endpoint(desk, listed[id_], answer.at, answer.call, known.get(id_), rows)
    services = {str(known[i].get("service_id")): e for i, e in listed.items() if i in known}
    for page in rows.pages:
        for row in page.rows:
            sibling = services.get(str(row.get("service_id")))
            hidden = _hidden(row, sibling) if str(row.get("id")) not in listed else None
            if hidden:
                yield _endpoint(desk, hidden, page.at, page.call, row, rows)


def _hidden(row: Row, sibling: Endpoint | None) -> Endpoint | None:
    """An endpoint the catalogue leaves out. Its service is told by an endpoint that is in both."""
    region = row.get("region_id")
    try:
        return Endpoint(
            service=sibling.service if sibling else "",
            alias=sibling.alias if sibling else "",
            name=sibling.name if sibling else "",
            id=identifier(row.get("id")),
            region=identifier(region) if region else "",
            interface=identifier(row.get("interface")),
            url=identifier(row.get("url")),
        )
    except Odd:
        return None


def _endpoint(desk: Desk, endpoint: Endpoint, at: int, call: int, row: Row | None, rows: Rows) -> Resource:
    url = normal_url(endpoint.url, desk.token.project)
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    item = Item(row or {})
    item.facts |= {
        "service_type": endpoint.service,
        "interface": endpoint.interface,
        "url": text(url),
        "scheme": url.partition("://")[0],
        "host": text(host),
    }
    if not endpoint.service:
        item.facts.pop("service_type")
        item.miss("service_type", Reason.PARTIAL, "no endpoint of its service is in the catalogue")
    if row is not None:
        item.take("enabled", "enabled", flag)
    elif rows.trouble is None or rows.trouble.reason is Reason.NO_PERMISSION:
        item.facts["enabled"] = None
    else:
        item.unseen["enabled"] = rows.trouble.unseen()
    return Resource(
        type=ENDPOINTS,
        id=endpoint.id,
        scope=Scope(desk.scope.target, endpoint.region or None),
        at=at,
        facts=item.facts,
        name=f"{endpoint.service or '?'} {endpoint.interface}",
        endpoint=desk.endpoint,
        unseen=item.unseen,
        sources={"": call},
    )


# --- regions and projects --------------------------------------------------------------------------------


def _region(item: Item, desk: Desk) -> None:
    item.take("parent", "parent_region_id", null=True)


def _project(item: Item, desk: Desk) -> None:
    item.take("domain", "domain_id", identifier)
    item.take("enabled", "enabled", flag)
    item.tags("tags", desk.allowed)


REGIONS = Lister(
    call="keystone.regions",
    type="openstack.region",
    path="/regions",
    key="regions",
    read=_region,
    proof="Keystone shows its regions to everybody",
    title=lambda row: text(row["id"]),
)


def _regions(desk: Desk) -> Iterator[Seen]:
    """Regions, each in its own scope."""
    for thing in listing(desk, REGIONS):
        own = Scope(desk.scope.target, thing.id) if isinstance(thing, Resource) else thing.scope
        yield replace(thing, scope=own)


def _projects(desk: Desk) -> Iterator[Seen]:
    """The audited projects, each in its own scope, and those which were asked for and not found."""
    operator = desk.cloud.target.vantage == OPERATOR
    proof = _REFUSES if operator else "Keystone listed every project in which the credential has a role"
    lister = Lister(
        call="keystone.projects" if operator else "keystone.auth_projects",
        type="openstack.project",
        path="",
        key="projects",
        read=_project,
        proof=proof,
    )
    layout = desk.layout
    count = 0
    for thing in listing(desk, lister, layout.project_rows.source):
        if isinstance(thing, Resource):
            if thing.id in layout.projects:
                count += 1
                yield replace(thing, scope=Scope(desk.scope.target, project=thing.id))
        else:
            yield replace(thing, count=count) if isinstance(thing, Listing) else thing
    for name, trouble in layout.out_of_reach.items():
        scope = Scope(desk.scope.target, project=name)
        yield Gap(scope, lister.type, lister.call, trouble.reason, trouble.detail, trouble.call)


# --- users, roles, groups ----------------------------------------------------------------------------------


def _user(item: Item, desk: Desk, federated: frozenset[str] | Unseen) -> None:
    item.take("domain", "domain_id", identifier)
    item.take("enabled", "enabled", flag)
    options = item.row.get("options")
    if isinstance(options, dict):
        inner = Item(options)
        inner.take("mfa.enabled", "multi_factor_auth_enabled", flag, absent=False)
        inner.take("mfa.rules", "multi_factor_auth_rules", many(_rule), absent=())
        inner.take("ignores_password_expiry", "ignore_password_expiry", flag, absent=False)
        inner.take("ignores_lockout", "ignore_lockout_failure_attempts", flag, absent=False)
        item.facts |= inner.facts
        item.unseen |= inner.unseen
    else:
        why = Unseen(Reason.NOT_IMPLEMENTED, "Keystone's answer has no options of the user")
        item.unseen |= {"mfa": why, "ignores_password_expiry": why, "ignores_lockout": why}
    item.take("password_expires_at", "password_expires_at", moment, null=True)
    if "federated" in item.row:
        item.take("federated", "federated", lambda value: bool(items(value)))
    elif isinstance(federated, Unseen):
        item.unseen["federated"] = federated
    else:
        item.facts["federated"] = item.row.get("id") in federated


def _rule(value: object) -> Value:
    return {"methods": many(text)(value)}


def _federated(desk: Desk) -> frozenset[str] | Unseen:
    """Ids of users who come from an identity provider; lists of users do not tell that themselves."""
    if "keystone.federated_users" not in desk.wanted:
        return Unseen(Reason.NOT_COLLECTED, "the plan did not ask for it")
    path = "/OS-FEDERATION/identity_providers"
    providers = desk.cloud.admin_rows(path, "identity_providers", desk.token, desk.log)
    found: set[str] = set()
    trouble = providers.trouble
    for provider in desk.few(providers.rows):
        query = f"/users?idp_id={segment(str(provider.get('id')))}"
        users = desk.cloud.admin_rows(query, "users", desk.token, desk.log)
        trouble = trouble or users.trouble
        found.update(str(row.get("id")) for row in users.rows)
    return trouble.unseen() if trouble else frozenset(found)


USERS = Lister(
    call="keystone.users",
    type="openstack.user",
    path="/users",
    key="users",
    read=partial(_user, federated=frozenset()),
    proof=_REFUSES,
)


def _assignment(item: Item, desk: Desk) -> None:
    for fact in ("role", "user", "group"):
        item.facts[fact] = _party(item.row, fact)
    kind, id_ = _scope(item.row)
    item.facts |= {"scope": kind, "scope_id": id_, "inherited": _inherited(item.row)}


def _part(row: Row, name: str) -> Row:
    part = row.get(name)
    if not isinstance(part, dict):
        raise Odd(f"no {name}")
    return part


def _party(row: Row, name: str) -> str | None:
    """A role's name, or the id of a user or group."""
    if name not in row and name != "role":
        return None
    part = _part(row, name)
    if name == "role":
        return text(part.get("name")) if "name" in part else identifier(part.get("id"))
    return identifier(part.get("id"))


def _scope(row: Row) -> tuple[str, str | None]:
    scope = _part(row, "scope")
    for kind in ("project", "domain"):
        if kind in scope:
            return kind, identifier(_part(scope, kind).get("id"))
    if "system" in scope:
        return "system", None
    raise Odd("no scope")


def _inherited(row: Row) -> bool:
    return "OS-INHERIT:inherited_to" in _part(row, "scope")


def _assignment_id(row: Row) -> str:
    """Assignments have no id: a digest of what makes one. Raises Odd where something of it is missing."""
    kind, id_ = _scope(row)
    role = identifier(_part(row, "role").get("id"))
    parts = [role, _party(row, "user"), _party(row, "group"), kind, id_, str(_inherited(row))]
    return hashlib.sha256("\x1f".join(part or "" for part in parts).encode()).hexdigest()[:32]


ASSIGNMENTS = Lister(
    call="keystone.role_assignments",
    type="openstack.role_assignment",
    path="/role_assignments?include_names=true",
    key="role_assignments",
    read=_assignment,
    proof=_REFUSES,
    identify=_assignment_id,
    title=lambda row: "",
)


def _member(item: Item, desk: Desk) -> None:
    item.facts |= {"group": item.row["group"], "user": item.row["user"]}


def _members(desk: Desk) -> Iterator[Page | Trouble]:
    """Pairs of group and user, asked for group by group."""
    groups = desk.cloud.admin_rows("/groups", "groups", desk.token, desk.log)
    # An empty page keeps the number of the call that found no group.
    yield from (Page([], page.at, page.call) for page in groups.pages)
    for group in (str(row.get("id")) for row in desk.few(groups.rows)):
        path = f"/groups/{segment(group)}/users"
        rows = desk.cloud.admin_rows(path, "users", desk.token, desk.log)
        for page in rows.pages:
            yield Page([{"group": group, "user": row.get("id")} for row in page.rows], page.at, page.call)
        if rows.trouble:
            why = rows.trouble
            yield Trouble(Reason.PARTIAL, f"members of a group: {why.detail}", why.call, why.status)
    if groups.trouble:
        yield groups.trouble


MEMBERS = Lister(
    call="keystone.group_users",
    type="openstack.group_member",
    path="",
    key="users",
    read=_member,
    proof=_REFUSES,
    identify=lambda row: f"{row['group']}:{identifier(row['user'])}",
    title=lambda row: "",
)
