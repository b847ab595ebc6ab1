"""Keystone: the catalogue, regions, domains, projects, users and what they may do or have delegated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from cloudaudit.collectors import Seen
from cloudaudit.collectors.item import (
    Item,
    Odd,
    Reader,
    Row,
    each,
    empty_as_null,
    flag,
    identifier,
    integer,
    many,
    moment,
    text,
    unlimited_as_null,
)
from cloudaudit.collectors.openstack.answers import Trouble, document
from cloudaudit.collectors.openstack.catalogue import Catalogue, Endpoint, normal_url, read_catalogue
from cloudaudit.collectors.openstack.cloud import Rows, Token
from cloudaudit.collectors.openstack.listing import Covers, Desk, Lister, listing
from cloudaudit.collectors.openstack.paging import Page, segment
from cloudaudit.collectors.openstack.target import OPERATOR
from cloudaudit.collectors.transport import Answer
from cloudaudit.collectors.values import access_rule
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
    ("keystone.domains", "openstack.domain"),
    ("keystone.roles", "openstack.role"),
    ("keystone.groups", "openstack.group"),
    ("keystone.application_credentials", "openstack.application_credential"),
    ("keystone.trusts", "openstack.trust"),
    ("keystone.identity_providers", "openstack.identity_provider"),
    ("keystone.limits", "openstack.limit"),
)
SECURITY: Final = "keystone.domain_security"
TRUST_ROLES: Final = "keystone.trust_roles"
PROTOCOLS: Final = "keystone.identity_provider_protocols"
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
        users = desk.cloud.rows_of_domains(USERS.path, USERS.key, desk.token, desk.log)
        yield from listing(desk, replace(USERS, read=partial(_user, federated=federated)), users.source)
    if ASSIGNMENTS.call in desk.wanted:
        yield from listing(desk, ASSIGNMENTS, _admin_rows(desk, ASSIGNMENTS).source)
    if PROVIDERS.call in desk.wanted:
        yield from _providers(desk)
    if GROUPS.call in desk.wanted:
        groups = desk.cloud.rows_of_domains(GROUPS.path, GROUPS.key, desk.token, desk.log)
        yield from listing(desk, GROUPS, groups.source)
    for lister, source in (
        (MEMBERS, _members),
        (ROLES, _roles),
        (CREDENTIALS, _credentials),
        (LIMITS, _limits),
    ):
        if lister.call in desk.wanted:
            yield from listing(desk, lister, source(desk))
    if DOMAINS.call in desk.wanted:
        yield from _domains(desk)
    if TRUSTS.call in desk.wanted:
        yield from _trusts(desk)


def _admin_rows(desk: Desk, lister: Lister) -> Rows:
    return desk.cloud.admin_rows(lister.path, lister.key, desk.token, desk.log)


def _parts(things: Iterable[Seen]) -> tuple[list[Resource], list[Seen]]:
    """What was seen, apart from what is concluded of it."""
    seen = list(things)
    found = [thing for thing in seen if isinstance(thing, Resource)]
    return found, [thing for thing in seen if not isinstance(thing, Resource)]


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
    proof = f"the catalogue of {desk.token.of} was read whole"
    for type_, found in ((SERVICES, services), (ENDPOINTS, endpoints)):
        yield Listing(desk.scope, type_, len({thing.id for thing in found}), proof, answer.call)


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
    # Two of one id are both told: what differs between them is then not known of either.
    for endpoint in sorted(set(catalogue.endpoints), key=lambda e: (e.id, repr(e))):
        yield _endpoint(desk, endpoint, answer.at, answer.call, known.get(endpoint.id), rows)
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
        inner.take("ignores_first_change", "ignore_change_password_upon_first_use", flag, absent=False)
        item.facts |= inner.facts
        item.unseen |= inner.unseen
    else:
        why = Unseen(Reason.NOT_IMPLEMENTED, "Keystone's answer has no options of the user")
        names = ("mfa", "ignores_password_expiry", "ignores_lockout", "ignores_first_change")
        item.unseen |= dict.fromkeys(names, why)
    item.take("password_expires_at", "password_expires_at", moment, null=True)
    if "federated" in item.row:
        item.take("federated", "federated", lambda value: bool(each(_from_provider)(value)))
    elif isinstance(federated, Unseen):
        item.unseen["federated"] = federated
    else:
        item.facts["federated"] = item.row.get("id") in federated


def _rule(value: object) -> Value:
    """The methods that one rule asks for. One that is named twice is asked for once."""
    return {"methods": tuple(dict.fromkeys(many(identifier)(value)))}


def _from_provider(row: Row) -> str:
    return identifier(row.get("idp_id"))


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
    groups = desk.cloud.rows_of_domains(GROUPS.path, GROUPS.key, desk.token, desk.log)
    # An empty page keeps the number of the call that found no group.
    yield from (Page([], page.at, page.call) for page in groups.pages)
    for group in (str(row.get("id")) for row in desk.few(groups.rows)):
        path = f"/groups/{segment(group)}/users"
        rows = desk.cloud.admin_rows(path, "users", desk.token, desk.log)
        for page in rows.pages:
            yield Page([{"group": group, "user": row.get("id")} for row in page.rows], page.at, page.call)
        if rows.trouble:
            yield _within("members of a group", rows.trouble)
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


def _group(item: Item, desk: Desk) -> None:
    item.take("domain", "domain_id", identifier)


GROUPS = Lister(
    call="keystone.groups",
    type="openstack.group",
    path="/groups",
    key="groups",
    read=_group,
    proof=_REFUSES,
)


def _role(item: Item, desk: Desk) -> None:
    item.take("domain", "domain_id", identifier, null=True, absent=None)
    item.option("immutable", "immutable")


def _roles(desk: Desk) -> Iterator[Page | Trouble]:
    """Roles of the whole cloud, then those of each domain.

    NOTE: without a domain Keystone lists the roles that belong to none, and does not say that it left
    the others out.
    """
    rows = _admin_rows(desk, ROLES)
    yield from rows.source
    if rows.trouble:
        return
    domains = _admin_rows(desk, DOMAINS)
    for domain in (str(row.get("id")) for row in domains.rows):
        path = f"{ROLES.path}?domain_id={segment(domain)}"
        rows = desk.cloud.admin_rows(path, ROLES.key, desk.token, desk.log)
        yield from rows.pages
        if rows.trouble:
            yield _within("roles of a domain", rows.trouble)
    if domains.trouble:
        yield replace(domains.trouble, detail=f"which domains have roles: {domains.trouble.detail}")


def _within(what: str, why: Trouble) -> Trouble:
    """Trouble with one of many lists: the others stand. A refusal stays one, for a right would mend it."""
    reason = why.reason if why.reason is Reason.NO_PERMISSION else Reason.PARTIAL
    return Trouble(reason, f"{what}: {why.detail}", why.call, why.status)


ROLES = Lister(
    call="keystone.roles",
    type="openstack.role",
    path="/roles",
    key="roles",
    read=_role,
    proof=f"{_REFUSES}; the roles of every domain were asked for",
)


def _provider(item: Item, desk: Desk) -> None:
    item.take("enabled", "enabled", flag)
    item.take("domain", "domain_id", identifier, null=True)
    item.take("remote_ids", "remote_ids", many(text))


PROVIDERS = Lister(
    call="keystone.identity_providers",
    type="openstack.identity_provider",
    path="/OS-FEDERATION/identity_providers",
    key="identity_providers",
    read=_provider,
    proof=_REFUSES,
    title=lambda row: text(row["id"]),
)


def _protocol(row: Row) -> Value:
    return {"id": text(row.get("id")), "mapping": text(row.get("mapping_id"))}


def _providers(desk: Desk) -> Iterator[Seen]:
    """Identity providers, each with the protocols by which its users may sign in."""
    path = f"{PROVIDERS.path}/{{}}/protocols"
    yield from _each_with(desk, PROVIDERS, PROTOCOLS, path, "protocols", each(_protocol))


def _each_with(desk: Desk, lister: Lister, call: str, path: str, fact: str, read: Reader) -> Iterator[Seen]:
    """A listing, each thing with a further list about it, which the listing leaves out."""
    found, concluded = _parts(listing(desk, lister, _admin_rows(desk, lister).source))
    for thing in found:
        item = Item({})
        number = None
        if call in desk.wanted:
            rows = desk.cloud.admin_rows(path.format(segment(thing.id)), fact, desk.token, desk.log)
            number = rows.call
            if rows.trouble:
                item.unseen[fact] = rows.trouble.unseen()
            else:
                item.row = {fact: rows.rows}
                item.take(fact, fact, read)
        else:
            item.miss(fact, Reason.NOT_COLLECTED, "the plan did not ask for it")
        yield _with(thing, item, fact, number)
    yield from concluded


# --- domains and their rules for passwords ------------------------------------------------------------------


def _domain(item: Item, desk: Desk) -> None:
    item.take("enabled", "enabled", flag)
    item.option("immutable", "immutable")
    item.tags("tags", desk.allowed)


DOMAINS = Lister(
    call="keystone.domains",
    type="openstack.domain",
    path="/domains",
    key="domains",
    read=_domain,
    proof=_REFUSES,
)


def _domains(desk: Desk) -> Iterator[Seen]:
    found, concluded = _parts(listing(desk, DOMAINS, _admin_rows(desk, DOMAINS).source))
    if SECURITY in desk.wanted:
        answers = list(desk.in_parallel(_security, found))
        told = any(isinstance(answer, Answer) for answer in answers)
        yield from (_secured(d, answer, told) for d, answer in zip(found, answers, strict=True))
    else:
        why = Unseen(Reason.NOT_COLLECTED, "the plan did not ask for it")
        yield from (replace(domain, unseen={**domain.unseen, "password": why}) for domain in found)
    yield from concluded


def _security(desk: Desk, domain: Resource) -> Answer | Trouble:
    return desk.get(f"/domains/{segment(domain.id)}/config/security_compliance")


def _secured(domain: Resource, answer: Answer | Trouble, told: bool) -> Resource:
    """A domain with its rules for passwords. `told`: Keystone told this token those of some domain.

    NOTE: Keystone tells everybody the rules of its default domain, and answers 403 for any other one to
    everybody. It has no answer for "nothing is set": then the fields are null, and 404 is no such domain.
    It tells the pattern and its description alone; days and attempts are in its configuration only.
    """
    body = answer if isinstance(answer, Trouble) else document(answer, "GET of a domain's password rules")
    if isinstance(body, Trouble):
        why = body.unseen()
        if body.status == 403 and told:
            why = Unseen(Reason.NOT_IMPLEMENTED, "Keystone tells the rules of its default domain only")
        return replace(domain, unseen={**domain.unseen, "password": why})
    config = body.get("config")
    rules = config.get("security_compliance") if isinstance(config, dict) else None
    item = Item(rules if isinstance(rules, dict) else {})
    item.take("password.regex", "password_regex", empty_as_null(text), null=True)
    item.take("password.regex_description", "password_regex_description", empty_as_null(text), null=True)
    return _with(domain, item, "password", answer.call)


def _with(resource: Resource, item: Item, group: str, call: int | None) -> Resource:
    """A resource with the facts of a further call."""
    return replace(
        resource,
        facts={**resource.facts, **item.facts},
        unseen={**resource.unseen, **item.unseen},
        sources=resource.sources if call is None else {**resource.sources, group: call},
    )


# --- what users have delegated ------------------------------------------------------------------------------


def _credential(item: Item, desk: Desk) -> None:
    item.facts["user"] = item.row["user_id"]
    item.take("project_id", "project_id", identifier, null=True)
    item.take("roles", "roles", each(_role_name))
    # NOTE: one that was made without a word about it has null here, and is restricted.
    item.take("unrestricted", "unrestricted", lambda value: value is not None and flag(value))
    item.take("expires_at", "expires_at", moment, null=True)
    # NOTE: without rules Keystone leaves the field out.
    item.take("access_rules", "access_rules", each(access_rule), null=True, absent=None)


def _role_name(row: Row) -> str:
    return text(row.get("name")) if "name" in row else identifier(row.get("id"))


def _credentials(desk: Desk) -> Iterator[Page | Trouble]:
    """Application credentials user by user: Keystone has no list of all."""
    users, trouble = desk.cloud.users(desk.token, desk.log)
    for user in users:
        path = f"/users/{segment(user)}/application_credentials"
        rows = desk.cloud.admin_rows(path, CREDENTIALS.key, desk.token, desk.log)
        for page in rows.pages:
            yield Page([{**row, "user_id": user} for row in page.rows], page.at, page.call)
        why = rows.trouble
        if why and why.reason is Reason.NO_PERMISSION and user != desk.token.user:
            yield replace(why, detail=f"those of other users: {why.detail}")
            return
        if why:
            yield _within("application credentials of a user", why)
    if trouble:
        yield replace(trouble, detail=f"which other users there are: {trouble.detail}")


CREDENTIALS = Lister(
    call="keystone.application_credentials",
    type="openstack.application_credential",
    path="",
    key="application_credentials",
    read=_credential,
    proof="Keystone listed those of every user, and every user",
)


def _trust(item: Item, desk: Desk) -> None:
    item.take("trustor", "trustor_user_id", identifier)
    item.take("trustee", "trustee_user_id", identifier)
    item.take("project_id", "project_id", identifier, null=True)
    item.take("impersonation", "impersonation", flag)
    item.take("expires_at", "expires_at", moment, null=True)
    item.take("remaining_uses", "remaining_uses", integer, null=True)


TRUSTS = Lister(
    call="keystone.trusts",
    type="openstack.trust",
    path="/OS-TRUST/trusts",
    key="trusts",
    read=_trust,
    proof=_REFUSES,
)


def _trusts(desk: Desk) -> Iterator[Seen]:
    """Trusts, each with the roles it hands on, which the list leaves out."""
    yield from _each_with(desk, TRUSTS, TRUST_ROLES, f"{TRUSTS.path}/{{}}/roles", "roles", each(_role_name))


# --- limits -------------------------------------------------------------------------------------------------


def _limit(item: Item, desk: Desk) -> None:
    item.take("service_id", "service_id", identifier)
    item.take("region_id", "region_id", identifier, null=True)
    item.take("project_id", "project_id", identifier, null=True)
    item.take("domain_id", "domain_id", identifier, null=True, absent=None)
    item.take("resource", "resource_name")
    item.take("limit", "resource_limit", unlimited_as_null)


def _limits(desk: Desk) -> Iterator[Page | Trouble]:
    """Limits of the whole system, or of the projects the credential has tokens of.

    NOTE: Keystone refuses nobody here: it lists all to the system, and to a project its own.
    """
    system = desk.cloud.system_token(desk.log)
    if isinstance(system, Token):
        yield from desk.cloud.token_rows(LIMITS.path, LIMITS.key, system, desk.log).source
        return
    for project in desk.layout.projects.values():
        token = desk.cloud.project_token(project, desk.log)
        rows = desk.cloud.token_rows(LIMITS.path, LIMITS.key, token, desk.log)
        yield from rows.pages
        if rows.trouble:
            yield _within("limits of a project", rows.trouble)
    detail = f"Keystone shows a project its own limits only, and no token of the system: {system.detail}"
    yield Trouble(Reason.PARTIAL, detail, system.call, system.status)


LIMITS = Lister(
    call="keystone.limits",
    type="openstack.limit",
    path="/limits",
    key="limits",
    read=_limit,
    proof="Keystone lists all limits to a token of the whole system",
    title=lambda row: "",
)
