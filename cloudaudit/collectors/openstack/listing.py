"""Read listings of one service in one scope, and say what each of them proves.

A listing read to its end becomes a :class:`Listing` only with evidence that an empty answer would
have meant an empty cloud: a token of the very project, or items of other projects seen with an
all-projects token. Everything else ends in a :class:`Gap`, after the resources that were seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, TypeAlias, TypeVar

from cloudaudit.collectors import Seen
from cloudaudit.collectors.item import LABEL_KEYS, Item, Odd, Row, identifier, text
from cloudaudit.collectors.openstack.answers import Trouble, document, path_of
from cloudaudit.collectors.openstack.catalogue import (
    Endpoint,
    api_root,
    of_project,
    service_address,
    usable,
)
from cloudaudit.collectors.openstack.cloud import Cloud, Layout, Project, Rows, Token, Version, gather
from cloudaudit.collectors.openstack.paging import Page, Paging, pages
from cloudaudit.collectors.openstack.target import OPERATOR
from cloudaudit.collectors.sightings import in_order
from cloudaudit.collectors.transport import Answer, CallLog
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope, Unseen

T = TypeVar("T")
Covers: TypeAlias = tuple[tuple[str, str], ...]
"""Names of calls that list, each with the type whose listing it proves."""

PAGE: Final = 1000
SIDE_CALLS: Final = 8
"""Requests for details of single items that one listing has under way."""
NOT_WANTED: Final = Unseen(Reason.NOT_COLLECTED, "the plan did not ask for it")
# Roles that see what a project owns by OpenStack's own defaults, new and old.
SEEING_ROLES: Final = frozenset({"reader", "member", "admin", "_member_"})
_VERSION_HEADERS: Final = {
    "compute": ("OpenStack-API-Version", "compute {}"),
    "block-storage": ("OpenStack-API-Version", "volume {}"),
    "shared-file-system": ("X-OpenStack-Manila-API-Version", "{}"),
    "placement": ("OpenStack-API-Version", "placement {}"),
}
# NOTE: what Neutron makes for itself, as for routers that fail over, belongs to no project.
_OF_NOBODY: Final = frozenset({"openstack.network", "openstack.subnet", "openstack.port"})
# Headers that ask for all projects, where the query cannot.
_EVERYONE_HEADERS: Final = {"dns": {"X-Auth-All-Projects": "true"}}


def _id(row: Row) -> str:
    return identifier(row.get("id"))


def _name(row: Row) -> str:
    name = row.get("name")
    return text(name) if isinstance(name, str) else ""


def _private(row: Row) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Lister:
    """One listing of an API and how its items become resources of one type."""

    call: str
    """Its name in `resources/`."""
    type: str
    path: str
    key: str
    """The name of the list in the answer."""
    read: Callable[[Item, Desk], None]
    everyone: str = ""
    """The part of the query that asks for all projects."""
    proof: str = ""
    """Why it can be believed whoever asks; empty for a list that depends on the token's project."""
    owners: tuple[str, ...] = ("project_id", "tenant_id")
    """Fields that name the owning project."""
    common: Callable[[Row], bool] = _private
    """Whether an item is made to be seen by other projects, so that it proves no wide view. May raise Odd."""
    telling: bool = True
    """Whether seeing another project's item proves a view of all projects."""
    roles: frozenset[str] = SEEING_ROLES
    """Roles which by default see the list; only Neutron needs telling.

    Where they are fewer than usual, an empty list needs one of them, whatever `proof` says.
    """
    identify: Callable[[Row], str] = _id
    title: Callable[[Row], str] = _name
    paging: Paging = Paging.LINKS


@dataclass(slots=True)
class Read:
    """What came of reading a listing."""

    count: int = 0
    odd: int = 0
    """Items without a usable id."""
    own: bool = False
    """An item of the very scope was among them."""
    rows: int = 0
    """Items of any owner that the service showed."""
    call: int | None = None
    trouble: Trouble | None = None


@dataclass(slots=True)
class Errand:
    """What is to be read of a cloud, and where it is written down."""

    cloud: Cloud
    layout: Layout
    scope: Scope
    wanted: frozenset[str]
    log: CallLog


@dataclass(slots=True)
class Desk(Errand):
    """One service being read for one scope."""

    service: str
    token: Token
    root: str
    """Address below which the API's paths lie."""
    endpoint: str
    """The service's address as identities name it: the same for every project."""
    project: Project | None = None
    """The project asked about; None for what is no project's, or for all projects at once."""
    everyone: bool = False
    version: Version | None = None
    versionless: Trouble | None = None
    """Why no version could be agreed on, where the service did not answer."""
    crossed: bool = False
    """An item of a project other than the token's own was seen."""
    shared_groups: set[str] = field(default_factory=set)
    """Security groups that other projects share with this one."""
    _empty: list[tuple[Lister, Read]] = field(default_factory=list)
    _unproven: list[tuple[Lister, Read]] = field(default_factory=list)

    @property
    def allowed(self) -> frozenset[str]:
        """Metadata keys whose values may be kept."""
        return LABEL_KEYS | self.cloud.target.label_keys

    @property
    def sample(self) -> bool:
        return self.cloud.target.sample

    @property
    def here(self) -> Scope:
        """The scope of what belongs to no audited project."""
        return Scope(self.scope.target, self.scope.region)

    def at_least(self, *version: int) -> bool:
        """Whether the service answers at this microversion."""
        return self.version is not None and self.version >= version

    # --- asking --------------------------------------------------------------------------------

    def fetch(self, url: str, method: str = "GET") -> Answer | Trouble:
        from cloudaudit.collectors.openstack.session import Record

        headers = dict(_EVERYONE_HEADERS.get(self.service, {})) if self.everyone else {}
        if self.version and self.service in _VERSION_HEADERS:
            name, form = _VERSION_HEADERS[self.service]
            headers[name] = form.format("{}.{}".format(*self.version))
            if self.service == "shared-file-system":
                # NOTE: some calls are experimental in some releases, and are 404 without this header.
                headers["X-OpenStack-Manila-API-Experimental"] = "true"
        record = Record(self.log, self.scope, self.service)
        return self.cloud.client.fetch(method, url, self.token.plugin, record, headers)

    def get(self, path: str) -> Answer | Trouble:
        return self.fetch(self.root + path)

    def read_document(self, url: str) -> tuple[Row, Answer] | Trouble:
        """The JSON object at an address, with the answer that held it."""
        answer = self.fetch(url)
        if isinstance(answer, Trouble):
            return answer
        body = document(answer, f"GET {path_of(url)}")
        return body if isinstance(body, Trouble) else (body, answer)

    def pages(self, path: str, key: str, paging: Paging = Paging.LINKS) -> Iterator[Page | Trouble]:
        """The pages of a list; of a sample the first one."""
        if not self.sample:
            return pages(self.fetch, self.root, path, key, paging)
        if self.service != "network" and not self.everyone:
            # Where lists are filtered or hold all projects, the first item need not be the telling one.
            path = path.replace(f"limit={PAGE}", "limit=1")
        return islice(pages(self.fetch, self.root, path, key, paging), 1)

    def few(self, things: Sequence[T]) -> Sequence[T]:
        """Things that are asked for one by one; of a sample the first."""
        return things[:1] if self.sample else things

    def items(self, lister: Lister) -> Iterator[Page | Trouble]:
        """The pages of a listing, of all projects where that is asked for."""
        path = lister.path
        if self.everyone and lister.everyone:
            path += ("&" if "?" in path else "?") + lister.everyone
        return self.pages(path, lister.key, lister.paging)

    def kept(self, lister: Lister) -> Rows:
        """A list that several readings need: asked for once with each token."""

        def read(log: CallLog) -> Iterator[Page | Trouble]:
            # All of it even of a sample: what is not in it proves that something is not there.
            return pages(replace(self, log=log).fetch, self.root, lister.path, lister.key, lister.paging)

        return self.cloud.kept_rows((self.root, lister.path, self.token.project), read, self.log)

    def in_parallel(
        self, ask: Callable[[Desk, T], Answer | Trouble], things: Iterable[T]
    ) -> Iterator[Answer | Trouble]:
        """Ask for details of many items, a few at a time; answers come in the items' order."""
        workers = max(1, min(SIDE_CALLS, self.cloud.target.max_in_flight))

        def work(thing: T, log: CallLog) -> Answer | Trouble:
            return ask(replace(self, log=log), thing)

        for answer, offset in in_order(things, work, self.log, workers):
            yield answer if answer.call is None else replace(answer, call=answer.call + offset)

    def lists_in_parallel(self, things: Iterable[T], path: Callable[[T], str], key: str) -> Iterator[Rows]:
        """A list of its own for each of many items, a few at a time; lists come in the items' order."""
        workers = max(1, min(SIDE_CALLS, self.cloud.target.max_in_flight))

        def work(thing: T, log: CallLog) -> Rows:
            return gather(replace(self, log=log).pages(path(thing), key))

        for rows, offset in in_order(things, work, self.log, workers):
            yield rows.moved(offset)

    # --- placing -------------------------------------------------------------------------------

    def place(self, lister: Lister, row: Row) -> Scope | None:
        """The scope of the project an item belongs to; None for an item that is none of this audit's.

        Raises Odd for an item of another project of which it cannot be told whether it is shared.
        """
        if lister.proof:
            return self.here
        owner = next((owner for f in lister.owners if isinstance(owner := row.get(f), str)), None)
        if owner is None:
            return self.scope
        if self.project and owner == self.project.id:
            return self.scope
        common = lister.common(row)
        if self.everyone and lister.telling and owner and owner != self.token.project and not common:
            self.crossed = True
        if self.audited(owner) and (self.everyone or common):
            return Scope(self.scope.target, self.scope.region, owner)
        if not owner and not common and not self.everyone and lister.type not in _OF_NOBODY:
            raise Odd("no owner")
        return self.here if common or (self.everyone and not owner) else None

    def audited(self, owner: str) -> bool:
        """Whether a project is one of this audit's."""
        every = self.everyone and self.cloud.target.projects is None
        return bool(owner) and (every or owner in self.layout.projects)

    def resource(self, lister: Lister, row: Row, page: Page) -> Resource | None:
        """An item as a resource. Raises Odd where it has no usable id."""
        id_ = lister.identify(row)
        scope = self.place(lister, row)
        if scope is None:
            return None
        item = Item(row)
        lister.read(item, self)
        return Resource(
            type=lister.type,
            id=id_,
            scope=scope,
            at=page.at,
            facts=item.facts,
            name=lister.title(row),
            endpoint=self.endpoint,
            unseen=item.unseen,
            sources={"": page.call},
        )

    # --- concluding ----------------------------------------------------------------------------

    def gap(self, lister: Lister, trouble: Trouble) -> Gap:
        return Gap(self.scope, lister.type, lister.call, trouble.reason, trouble.detail, trouble.call)

    def conclude(self, lister: Lister, read: Read) -> Iterator[Seen]:
        """Say what a listing that was read proves, or leave it to :meth:`settle`."""
        if read.trouble:
            yield self.gap(lister, read.trouble)
        elif read.odd:
            detail = f"{read.odd} of {read.odd + read.count} items have no usable id or owner"
            yield self.gap(lister, Trouble(Reason.INVALID_ANSWER, detail, read.call))
        elif lister.proof and (read.rows or lister.roles == SEEING_ROLES):
            yield Listing(self.scope, lister.type, read.count, lister.proof, read.call)
        elif self.service == "network" and not read.rows:
            self._empty.append((lister, read))
        else:
            yield from self._conclude_seen(lister, read)

    def _conclude_seen(self, lister: Lister, read: Read) -> Iterator[Seen]:
        """Say what a listing proves that was answered in full."""
        if self.everyone:
            self._unproven.append((lister, read))
        elif read.own or self._sees(lister):
            own = f"the token is scoped to the project {self.token.project_name} and was shown what it owns"
            proof = lister.proof or own
            yield Listing(self.scope, lister.type, read.count, proof, read.call)
        else:
            yield self._filtered(lister, read)

    def _filtered(self, lister: Lister, read: Read) -> Gap:
        """A list that the token's roles may not show in whole, whatever else they were shown."""
        roles = ", ".join(sorted(self.token.roles)) or "none"
        detail = (
            f"no evidence of sight: {self.service} leaves out what a role may not see,"
            f" and the roles of the token ({roles}) are none of {', '.join(sorted(lister.roles))}"
        )
        return self.gap(lister, Trouble(Reason.PARTIAL, detail, read.call))

    def _sees(self, lister: Lister) -> bool:
        """Whether the service would have refused a token that may not see the list.

        NOTE: Neutron filters lists by policy and answers 200 to everybody; the other services refuse.
        """
        return self.service != "network" or bool(self.token.roles & lister.roles)

    def settle(self) -> Iterator[Seen]:
        """Conclude what had to wait until every listing of the service was read.

        NOTE: a worker of Neutron that is just starting filters lists by a policy it has not loaded yet, and
        answers 200 with an empty list whatever there is. So an empty list is asked for again, and believed
        when it is empty both times; between the two lies the reading of all that Neutron has for the scope.
        """
        for lister, read in self._empty:
            again = next(self.items(lister))
            if isinstance(again, Trouble):
                yield self.gap(lister, again)
            elif again.rows:
                detail = "the list was empty, and was not when it was asked for again; collect once more"
                yield self.gap(lister, Trouble(Reason.PARTIAL, detail, again.call))
            else:
                yield from self._conclude_seen(lister, replace(read, call=again.call))
        self._empty.clear()
        for lister, read in self._unproven:
            if not self._sees(lister):
                yield self._filtered(lister, read)
            elif self.crossed:
                proof = f"the same token was shown items of other projects by {self.service}"
                yield Listing(self.scope, lister.type, read.count, proof, read.call)
            else:
                detail = f"no evidence of sight: {self.service} showed this token nothing of other projects"
                yield self.gap(lister, Trouble(Reason.PARTIAL, detail, read.call))
        self._unproven.clear()


def listing(desk: Desk, lister: Lister, source: Iterable[Page | Trouble] | None = None) -> Iterator[Seen]:
    """Read one listing to its end: its resources, then what the listing proves."""
    read = Read()
    found: set[str] = set()
    for page in desk.items(lister) if source is None else source:
        if isinstance(page, Trouble):
            read.trouble = read.trouble or page
            continue
        read.call = page.call
        read.rows += len(page.rows)
        for row in page.rows:
            try:
                resource = desk.resource(lister, row, page)
            except Odd:
                read.odd += 1
                continue
            if resource:
                found.add(resource.id)
                read.own = read.own or resource.scope == desk.scope
                yield resource
    read.count = len(found)
    yield from desk.conclude(lister, read)


def seen_by_any(
    desk: Desk,
    lister: Lister,
    blind: Callable[[Desk, list[Resource]], bool],
    finish: Callable[[Desk, list[Resource]], Iterable[Resource]] = lambda eyes, new: new,
) -> Iterator[Seen]:
    """What any audited project sees of a list, everything once. An operator asks once for all.

    `blind` tells whether an operator's token lacks evidence of an administrator's sight. `finish` may
    add what further calls tell of new things.
    """
    operator = desk.cloud.target.vantage == OPERATOR
    seen: set[str] = set()
    gap: Gap | None = None
    call = desk.token.call
    for eyes in _eyes(desk):
        if isinstance(eyes, Trouble):
            gap = gap or desk.gap(lister, eyes)
            continue
        if isinstance(eyes, Absence):
            continue
        new: list[Resource] = []
        for thing in listing(eyes, lister):
            match thing:
                case Resource():
                    new += [thing] if thing.id not in seen else []
                case Listing():
                    call = call if thing.call is None else thing.call
                case Gap():
                    gap = gap or thing
        seen.update(thing.id for thing in new)
        if operator and blind(eyes, new):
            detail = f"no evidence of sight: {desk.service} does not show this token what administrators see"
            gap = gap or desk.gap(lister, Trouble(Reason.PARTIAL, detail, call))
        yield from finish(eyes, new)
    yield gap or Listing(desk.scope, lister.type, len(seen), lister.proof, call)


def _eyes(desk: Desk) -> Iterator[Desk | Absence | Trouble]:
    """The service as each audited project meets it."""
    if desk.cloud.target.vantage == OPERATOR or not desk.layout.projects:
        yield desk
        return
    for project in desk.layout.projects.values():
        token = desk.cloud.project_token(project, desk.log)
        if isinstance(token, Trouble):
            yield token
        else:
            yield open_desk(desk, desk.service, token)


@dataclass(frozen=True, slots=True)
class Beside:
    """A listing that only explains another one: its items by id, or why they are not known."""

    rows: Mapping[str, Row]
    unseen: Unseen | None
    call: int | None


def beside(desk: Desk, call: str, path: str, key: str) -> Beside:
    """Read a listing that explains another one, if the plan asked for it."""
    if call not in desk.wanted:
        return Beside({}, NOT_WANTED, None)
    rows = gather(desk.pages(path, key))
    found = {str(row.get("id")): row for row in rows.rows}
    return Beside(found, rows.trouble.unseen() if rows.trouble else None, rows.call)


@dataclass(frozen=True, slots=True)
class Absence:
    """A service that a complete catalogue does not list: proof that nothing of it exists in the scope."""

    proof: str
    call: int


def open_desk(
    errand: Errand, service: str, token: Token, project: Project | None = None, everyone: bool = False
) -> Desk | Absence | Trouble:
    """Find a service in a token's catalogue and agree on a version with it."""
    cloud, scope = errand.cloud, errand.scope
    found = _endpoint(cloud, scope, service, token)
    if not isinstance(found, Endpoint):
        return found
    root = api_root(service, found.url)
    version = cloud.microversion(service, root, errand.layout.home, scope)
    return Desk(
        cloud,
        errand.layout,
        scope,
        errand.wanted,
        errand.log,
        service=service,
        token=token,
        root=root,
        endpoint=service_address(found.url, token.project),
        project=project,
        everyone=everyone,
        version=None if isinstance(version, Trouble) else version,
        versionless=version if isinstance(version, Trouble) else None,
    )


def _endpoint(cloud: Cloud, scope: Scope, service: str, token: Token) -> Endpoint | Absence | Trouble:
    own = cloud.entry.override(service, scope.region or "")
    if own is not None:
        return Endpoint(service, service, "", "", scope.region or "", "", of_project(own, token.project))
    catalogue = token.catalogue
    offered = catalogue.of(service, scope.region or "")
    if not offered and not catalogue.endpoints:
        return Trouble(Reason.PARTIAL, f"the catalogue of {token.of} is empty", token.call)
    if not offered and not catalogue.complete:
        detail = f"part of the catalogue of {token.of} cannot be understood"
        return Trouble(Reason.PARTIAL, detail, token.call)
    if not offered and not token.project:
        # NOTE: Keystone leaves out every address with a project in it, and does not say so.
        detail = f"{service} is not in the catalogue of {token.of}, which leaves out addresses with a project"
        return Trouble(Reason.PARTIAL, detail, token.call)
    if not offered:
        where = f"{token.of} in region {scope.region}"
        return Absence(f"service type {service} is not in the catalogue of {where}", token.call)
    interfaces = cloud.entry.interfaces
    fitting = [e for interface in interfaces for e in offered if e.interface == interface]
    if not fitting:
        kinds = ", ".join(sorted({e.interface for e in offered}))
        wanted = " or ".join(interfaces)
        detail = f"{service} has no {wanted} endpoint in region {scope.region} (it has {kinds})"
        return Trouble(Reason.SERVICE_ABSENT, detail, token.call)
    if not usable(fitting[0].url):
        detail = f"the catalogue's address of {service} is none a client can use"
        return Trouble(Reason.INVALID_ANSWER, detail, token.call)
    return fitting[0]
