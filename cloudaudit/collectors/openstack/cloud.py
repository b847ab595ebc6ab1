"""What all scopes of one target share: tokens, catalogues, projects, versions.

Each is asked for once and kept. Services are asked with project-scoped tokens; the system-scoped one is
for Keystone, because Neutron and Cinder answer it with empty lists. Only a credential that has no project
asks with it, and then such a list proves nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from cloudaudit.collectors.item import Odd, Row, identifier, text
from cloudaudit.collectors.openstack.answers import Trouble, document, supported_version
from cloudaudit.collectors.openstack.catalogue import Catalogue, read_catalogue, version_root
from cloudaudit.collectors.openstack.entry import read_entry
from cloudaudit.collectors.openstack.paging import Page, name_of, pages, segment
from cloudaudit.collectors.openstack.shared import Once, SharedCalls
from cloudaudit.collectors.openstack.target import OPERATOR, OpenStackTarget
from cloudaudit.collectors.transport import Answer, CallLog, Clock, ForbiddenVerb
from cloudaudit.errors import did_you_mean
from cloudaudit.model import Reason, Scope

if TYPE_CHECKING:
    from keystoneauth1.access import AccessInfo
    from keystoneauth1.identity.base import BaseIdentityPlugin

    from cloudaudit.collectors.openstack.session import Record

Version = tuple[int, int]

# Microversions this collector was written against; a newer service is asked for these.
CEILING: Final[Mapping[str, Version]] = {
    "compute": (2, 96),
    "block-storage": (3, 70),
    "shared-file-system": (2, 80),
    "placement": (1, 39),
}


@dataclass(frozen=True, slots=True)
class Token:
    """How to send a token, and what it says of itself. `call` is the request that fetched it."""

    plugin: BaseIdentityPlugin = field(repr=False)
    user: str
    """Id of the user the credential belongs to; empty where the token does not tell."""
    project: str | None
    project_name: str
    system: bool
    domain: bool
    roles: frozenset[str]
    catalogue: Catalogue
    call: int

    @property
    def scope(self) -> str:
        """What it is scoped to, in a word."""
        return "project" if self.project else "system" if self.system else "domain" if self.domain else "none"

    @property
    def of(self) -> str:
        """What the token is scoped to, in words."""
        return f"project {self.project_name}" if self.project else "the system"


@dataclass(frozen=True, slots=True)
class Project:
    """A project to audit. Scopes call it by its id: names repeat from domain to domain."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Rows:
    """A listing read as far as it goes, and kept."""

    pages: tuple[Page, ...]
    trouble: Trouble | None = None

    @property
    def rows(self) -> list[Row]:
        return [row for page in self.pages for row in page.rows]

    @property
    def source(self) -> list[Page | Trouble]:
        """The same as a listing that is being read."""
        return [*self.pages, *([self.trouble] if self.trouble else [])]

    @property
    def call(self) -> int | None:
        return self.pages[-1].call if self.pages else self.trouble.call if self.trouble else None

    def moved(self, offset: int) -> Rows:
        """The same with `offset` added to every call number."""
        pages = tuple(replace(page, call=page.call + offset) for page in self.pages)
        trouble = self.trouble
        if trouble and trouble.call is not None:
            trouble = replace(trouble, call=trouble.call + offset)
        return Rows(pages, trouble)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which regions and projects there are to audit, and what stands in the way."""

    home: Token
    """For what is the same in every project, and for all of them at once: a token of some project, or of the
    system for a credential that has no role in any."""
    regions: tuple[str, ...]
    projects: Mapping[str, Project]
    """By id."""
    out_of_reach: Mapping[str, Trouble]
    """Projects targets.yaml names that cannot be found, by what it calls them."""
    trouble: Trouble | None
    """Why there may be more projects to audit than these."""
    project_rows: Rows
    """The listing the projects were found in."""


class Cloud:
    """One target while it is being read. Shared by the threads of its scopes.

    What its methods hand out carries call numbers of the log they are given.
    """

    def __init__(
        self,
        target: OpenStackTarget,
        now: Clock,
        cancelled: threading.Event,
        pause: Callable[[float], object],
    ) -> None:
        from cloudaudit.collectors.openstack.session import Client

        self.target = target
        self.entry = read_entry(target)
        self.keystone = self.entry.keystone
        self.shared = SharedCalls()
        self.client = Client(target, self.entry, now, cancelled, pause)
        self._now = now
        self._tokens: Once[Token | Trouble] = Once()
        self._layout: Once[Layout | Trouble] = Once()
        self._rows: Once[Rows] = Once()
        self._versions: Once[Version | Trouble | None] = Once()
        self._roles: dict[str, frozenset[str]] = {}
        self._noting = threading.Lock()
        self._scope = ""

    # --- handed out ----------------------------------------------------------------------------

    def layout(self, log: CallLog) -> Layout | Trouble:
        layout = self._layout.get("", self._lay_out)
        if isinstance(layout, Trouble):
            return self._trouble_in(layout, log)
        return replace(
            layout,
            home=self._token_in(layout.home, log),
            out_of_reach={name: self._trouble_in(t, log) for name, t in layout.out_of_reach.items()},
            trouble=self._trouble_in(layout.trouble, log) if layout.trouble else None,
            project_rows=self._rows_in(layout.project_rows, log),
        )

    def project_token(self, project: Project, log: CallLog) -> Token | Trouble:
        """A token scoped to one project, so that what its services list is that project's."""
        token = self._project_token(project)
        return self._token_in(token, log) if isinstance(token, Token) else self._trouble_in(token, log)

    def admin_rows(self, path: str, key: str, home: Token, log: CallLog) -> Rows:
        """A list for administrators and system readers: with the system's token, else the project's."""
        return self._rows_in(self._admin_rows(path, key, home), log)

    def token_rows(self, path: str, key: str, token: Token | Trouble, log: CallLog) -> Rows:
        """A list of Keystone that depends on whose token asks."""
        if isinstance(token, Trouble):
            return Rows((), token)
        return self._rows_in(self._keystone_rows(path, key, token), log)

    def rows_of_domains(self, path: str, key: str, home: Token, log: CallLog) -> Rows:
        """A list for administrators and system readers of what belongs to domains, of all of them.

        NOTE: where domains have identity drivers of their own, Keystone lists one domain's to a request
        that names none, and does not say that it left the others out.
        """
        whole = self.admin_rows(path, key, home, log)
        if whole.trouble:
            return whole
        domains = self.admin_rows("/domains", "domains", home, log)
        trouble = domains.trouble
        if trouble:
            trouble = replace(trouble, detail=f"which domains there are: {trouble.detail}")
        found = list(whole.pages)
        seen = {name_of(row) for row in whole.rows}
        for domain in domains.rows if len(domains.rows) > 1 else ():
            asked = f"{path}?domain_id={segment(str(domain.get('id')))}"
            rows = self.admin_rows(asked, key, home, log)
            for page in rows.pages:
                found.append(replace(page, rows=[row for row in page.rows if name_of(row) not in seen]))
                seen.update(name_of(row) for row in page.rows)
            trouble = trouble or rows.trouble
        return Rows(tuple(found), trouble)

    def credential(self) -> dict[str, Any]:
        """What kind of credential this is and what it has been given so far; nothing of it is secret.

        `scope` is that of the entry as it is written, empty before there is a token; `roles` are those of
        all tokens it had, by scope.
        """
        with self._noting:
            roles = {scope: sorted(names) for scope, names in sorted(self._roles.items()) if names}
        overrides = sorted(
            {f"{service} ({region})" if region else service
             for region, urls in self.entry.overrides.items() for service in urls}
        )  # fmt: skip
        return {
            "auth_type": self.entry.auth_type,
            "scope": self._scope or "unknown",
            "roles": roles,
            **({"overrides": overrides} if overrides else {}),
        }

    def system_token(self, log: CallLog) -> Token | Trouble:
        """A token for the whole system; trouble for a credential that has no role there."""
        token = self._system_token()
        return self._token_in(token, log) if isinstance(token, Token) else self._trouble_in(token, log)

    def users(self, home: Token, log: CallLog) -> tuple[list[str], Trouble | None]:
        """Ids of all users, the credential's own first, and why there may be more of them."""
        rows = self.rows_of_domains("/users", "users", home, log)
        others: set[str] = set()
        trouble = rows.trouble
        for row in rows.rows:
            try:
                others.add(identifier(row.get("id")))
            except Odd:
                trouble = trouble or Trouble(Reason.INVALID_ANSWER, "a user has no usable id", rows.call)
        own = [home.user] if home.user else []
        return [*own, *sorted(others - set(own))], trouble

    def kept_rows(
        self, key: Hashable, read: Callable[[CallLog], Iterable[Page | Trouble]], log: CallLog
    ) -> Rows:
        """A listing that several scopes read: asked for once. `read` is given the log to write to."""
        return self._rows_in(self._rows.get(key, lambda: gather(read(self.shared.log))), log)

    def _trouble_in(self, trouble: Trouble, log: CallLog) -> Trouble:
        return (
            trouble if trouble.call is None else replace(trouble, call=self.shared.number(trouble.call, log))
        )

    def _token_in(self, token: Token, log: CallLog) -> Token:
        return replace(token, call=self.shared.number(token.call, log))

    def _rows_in(self, rows: Rows, log: CallLog) -> Rows:
        moved = tuple(replace(page, call=self.shared.number(page.call, log)) for page in rows.pages)
        return Rows(moved, self._trouble_in(rows.trouble, log) if rows.trouble else None)

    # --- tokens ------------------------------------------------------------------------------

    def _base_token(self) -> Token | Trouble:
        """The token of the entry as it is written."""
        scope = Scope(self.target.name)
        base = self._tokens.get("base", lambda: self._authenticate(self.entry.plugin, scope))
        if isinstance(base, Token):
            self._scope = base.scope
        return base

    def _system_token(self) -> Token | Trouble:
        """A token for the whole system: for Keystone's administration and nothing else."""
        return self._tokens.get("system", lambda: self._rescope({"system_scope": "all"}, None))

    def _project_token(self, project: Project) -> Token | Trouble:
        wanted = {"project_id": project.id}
        return self._tokens.get(("project", project.id), lambda: self._rescope(wanted, project))

    def _rescope(self, wanted: dict[str, str], project: Project | None) -> Token | Trouble:
        from keystoneauth1.exceptions import ClientException

        base = self._base_token()
        if isinstance(base, Trouble):
            return base
        if base.project == project.id if project else base.system:
            return base
        kind = self.entry.auth_type
        if not self.entry.scopable:
            detail = f"a credential of the kind {kind} works in its own scope only"
            return Trouble(Reason.NO_PERMISSION, detail, base.call)
        try:
            plugin = self.entry.scoped(wanted, self.client.session)
        except (TypeError, AttributeError, KeyError, ClientException) as error:
            detail = f"{kind} cannot have a token of another scope ({type(error).__name__})"
            return Trouble(Reason.NOT_IMPLEMENTED, detail, base.call)
        return self._authenticate(plugin, Scope(self.target.name, project=project.id if project else None))

    def _authenticate(self, plugin: BaseIdentityPlugin, scope: Scope) -> Token | Trouble:
        from cloudaudit.collectors.openstack.session import Record

        record = Record(self.shared.log, scope, "identity")
        request = f"POST {urlsplit(self.keystone).path}/auth/tokens"
        # A token changes nothing in the cloud: asking for one again is as harmless as reading again.
        return self.client.persist(request, lambda: self._ask_for_token(plugin, record, request))

    def _noted(self, token: Token) -> Token:
        """Remember what roles a token has."""
        with self._noting:
            self._roles[token.scope] = self._roles.get(token.scope, frozenset()) | token.roles
        return token

    def _ask_for_token(
        self, plugin: BaseIdentityPlugin, record: Record, request: str
    ) -> tuple[Token | Trouble, float | None]:
        """One try, and the least wait before the next one (None: there shall be none)."""
        from cloudaudit.collectors.openstack.session import failure_of

        try:
            access = plugin.get_access(self.client.session)
            issued = access.issued
            at = int(issued.timestamp()) if issued else self._now()
            return self._noted(_token(plugin, access, record.add(request, 201, at, {}))), None
        except ForbiddenVerb as error:
            detail = (
                f"a token request was held back, because its address is not in clouds.yaml ({error});"
                " write auth_type: v3password with an auth_url that ends in /v3, or access_token_endpoint"
            )
            return Trouble(Reason.INVALID_ANSWER, detail), None
        except Exception as error:  # noqa: BLE001 - the library meets a hostile answer with any exception
            trouble, wait = failure_of(error, self.keystone, self.keystone, self._now(), self.target.proxy)
            return replace(trouble, call=record.add(request, trouble.status, self._now(), {})), wait

    # --- Keystone ----------------------------------------------------------------------------

    def _keystone_rows(self, path: str, key: str, token: Token) -> Rows:
        """A list of Keystone, read once and kept."""
        from cloudaudit.collectors.openstack.session import Record

        record = Record(self.shared.log, Scope(self.target.name), "identity")

        def fetch(url: str) -> Answer | Trouble:
            return self.client.fetch("GET", url, token.plugin, record)

        return self._rows.get(
            (path, token.project, token.system), lambda: gather(pages(fetch, self.keystone, path, key))
        )

    def _admin_rows(self, path: str, key: str, home: Token) -> Rows:
        system = self._system_token()
        if isinstance(system, Token):
            rows = self._keystone_rows(path, key, system)
            if rows.trouble is None or rows.trouble.reason is not Reason.NO_PERMISSION:
                return rows
        return self._keystone_rows(path, key, home)

    # --- regions and projects ----------------------------------------------------------------

    def _lay_out(self) -> Layout | Trouble:
        base = self._base_token()
        if isinstance(base, Trouble):
            return base
        rows = self._keystone_rows("/auth/projects", "projects", base)
        known = _projects(rows.rows)
        if base.project and base.project not in known:
            known[base.project] = Project(base.project, base.project_name)
        home = base if base.project else self._any_project(known)
        if isinstance(home, Trouble) and base.system:
            # A role on the system and in no project: Keystone shows its lists, and services what they will.
            home = base
        if isinstance(home, Trouble):
            return home
        if self.target.vantage == OPERATOR:
            every = self._admin_rows("/projects", "projects", home)
            rows = Rows(every.pages or rows.pages, every.trouble)
            known |= _projects(every.rows)
        projects, out_of_reach = self._chosen(known, rows)
        return Layout(
            home=home,
            regions=self.target.regions or home.catalogue.regions,
            projects=projects,
            out_of_reach=out_of_reach,
            trouble=_more_projects(rows) if self.target.projects is None else None,
            project_rows=rows,
        )

    def _any_project(self, known: Mapping[str, Project]) -> Token | Trouble:
        """A project's token for a credential that is scoped to none."""
        trouble = Trouble(Reason.NO_PERMISSION, "the credential has no role in any project")
        for id_ in sorted(known):
            token = self._project_token(known[id_])
            if isinstance(token, Token):
                return token
            trouble = token
        return trouble

    def _chosen(
        self, known: Mapping[str, Project], rows: Rows
    ) -> tuple[dict[str, Project], dict[str, Trouble]]:
        """The projects targets.yaml asks for: found ones by id, the others by what it calls them."""
        if self.target.projects is None:
            return {id_: known[id_] for id_ in sorted(known)}, {}
        found: dict[str, Project] = {}
        lost: dict[str, Trouble] = {}
        for wanted in self.target.projects:
            fitting = [project for project in known.values() if wanted in (project.id, project.name)]
            if len(fitting) == 1:
                found[fitting[0].id] = fitting[0]
            elif fitting:
                detail = f"{len(fitting)} projects are called {wanted!r}; name it by its id"
                lost[wanted] = Trouble(Reason.AMBIGUOUS, detail, rows.call)
            else:
                hint = did_you_mean(wanted, [project.name for project in known.values()])
                reason = rows.trouble.reason if rows.trouble else Reason.NO_PERMISSION
                detail = f"the credential cannot see a project {wanted!r}" + (f"; {hint}" if hint else "")
                lost[wanted] = Trouble(reason, detail, rows.call)
        return found, lost

    # --- versions ----------------------------------------------------------------------------

    def microversion(self, service: str, root: str, home: Token, scope: Scope) -> Version | Trouble | None:
        """The newest microversion both sides know, or why not; None where the service does not tell.

        It is asked with one token and for the region, whichever project happens to need it first:
        otherwise the log of calls would tell of the threads' order.
        """
        from cloudaudit.collectors.openstack.session import Record

        record = Record(self.shared.log, Scope(scope.target, scope.region), service)
        url = version_root(root)
        return self._versions.get(url, lambda: self._negotiate(url, home, record))

    def _negotiate(self, url: str, token: Token, record: Record) -> Version | Trouble | None:
        ceiling = CEILING.get(record.service)
        if ceiling is None:
            return None
        answer = self.client.fetch("GET", url, token.plugin, record)
        if isinstance(answer, Trouble):
            return answer
        body = document(answer, "")
        span = None if isinstance(body, Trouble) else supported_version(body, ceiling[0])
        if span is None or span[0] > ceiling:
            return None
        return min(span[1], ceiling)


def gather(source: Iterable[Page | Trouble]) -> Rows:
    """Read a listing as far as it goes."""
    found: list[Page] = []
    for page in source:
        if isinstance(page, Trouble):
            return Rows(tuple(found), page)
        found.append(page)
    return Rows(tuple(found))


def _token(plugin: BaseIdentityPlugin, access: AccessInfo, call: int) -> Token:
    project = access.project_id if access.project_scoped else None
    return Token(
        plugin=plugin,
        user=identifier(access.user_id) if access.user_id else "",
        project=identifier(project) if project else None,
        project_name=text(access.project_name or "") if project else "",
        system=bool(access.system_scoped),
        domain=bool(access.domain_scoped),
        roles=frozenset(text(name).lower() for name in access.role_names or ()),
        catalogue=read_catalogue(access.service_catalog.catalog if access.has_service_catalog() else None),
        call=call,
    )


def _projects(rows: list[Row]) -> dict[str, Project]:
    """Projects by id. One without a name can be audited all the same; one without an id cannot."""
    found = {}
    for row in rows:
        id_, name = row.get("id"), row.get("name")
        if _is_id(id_):
            project = Project(identifier(id_), text(name if isinstance(name, str) else ""))
            found[project.id] = project
    return found


def _is_id(value: object) -> bool:
    try:
        return bool(identifier(value))
    except Odd:
        return False


def _more_projects(rows: Rows) -> Trouble | None:
    """Why there may be more projects than a list gave."""
    odd = sum(not _is_id(row.get("id")) for row in rows.rows)
    if rows.trouble or not odd:
        return rows.trouble
    return Trouble(Reason.INVALID_ANSWER, f"{odd} of {len(rows.rows)} projects have no usable id", rows.call)
