"""Read listings of one service in one scope, and say what each of them proves.

A listing read to its end becomes a :class:`Listing` only with evidence that an empty answer would
have meant an empty cloud: a token of the very project, or items of other projects seen with an
all-projects token. Everything else ends in a :class:`Gap`, after the resources that were seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, TypeAlias, TypeVar

from cloudaudit.collectors import Seen
from cloudaudit.collectors.openstack.answers import Trouble
from cloudaudit.collectors.openstack.catalogue import Endpoint, api_root, service_address, usable
from cloudaudit.collectors.openstack.cloud import Cloud, Layout, Project, Rows, Token, Version
from cloudaudit.collectors.openstack.item import LABEL_KEYS, Item, Odd, Row, identifier, text
from cloudaudit.collectors.openstack.paging import Page, Paging, pages
from cloudaudit.collectors.sightings import in_order
from cloudaudit.collectors.transport import Answer, CallLog
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope

T = TypeVar("T")
Covers: TypeAlias = tuple[tuple[str, str], ...]
"""Names of calls that list, each with the type whose listing it proves."""

PAGE: Final = 1000
SIDE_CALLS: Final = 8
"""Requests for details of single items that one listing has under way."""
# Roles that see what a project owns by OpenStack's own defaults, new and old.
SEEING_ROLES: Final = frozenset({"reader", "member", "admin", "_member_"})
_VERSION_HEADERS: Final = {
    "compute": ("OpenStack-API-Version", "compute {}"),
    "block-storage": ("OpenStack-API-Version", "volume {}"),
    "shared-file-system": ("X-OpenStack-Manila-API-Version", "{}"),
}


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
    """Whether an item is made to be seen by other projects, so that seeing it proves no wide view."""
    telling: bool = True
    """Whether seeing another project's item proves a view of all projects."""
    roles: frozenset[str] = SEEING_ROLES
    """Roles which by default see the list; only Neutron needs telling."""
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

        headers = {}
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

    # --- placing -------------------------------------------------------------------------------

    def place(self, lister: Lister, row: Row) -> Scope | None:
        """The scope of the project an item belongs to; None for an item that is none of this audit's."""
        if lister.proof:
            return self.here
        owner = next((owner for f in lister.owners if isinstance(owner := row.get(f), str)), None)
        if owner is None:
            return self.scope
        common = lister.common(row)
        if self.everyone and lister.telling and owner and owner != self.token.project and not common:
            self.crossed = True
        if self.project and owner == self.project.id:
            return self.scope
        if self.audited(owner) and (self.everyone or common):
            return Scope(self.scope.target, self.scope.region, owner)
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
            detail = f"{read.odd} of {read.odd + read.count} items have no usable id"
            yield self.gap(lister, Trouble(Reason.INVALID_ANSWER, detail, read.call))
        elif lister.proof:
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
            proof = f"the token is scoped to the project {self.token.project_name} and was shown what it owns"
            yield Listing(self.scope, lister.type, read.count, proof, read.call)
        else:
            roles = ", ".join(sorted(self.token.roles)) or "none"
            detail = (
                f"no evidence of sight: {self.service} leaves out what a role may not see,"
                f" and the roles of the token ({roles}) are none of {', '.join(sorted(lister.roles))}"
            )
            yield self.gap(lister, Trouble(Reason.PARTIAL, detail, read.call))

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
            if self.crossed:
                proof = f"the same token was shown items of other projects by {self.service}"
                yield Listing(self.scope, lister.type, read.count, proof, read.call)
            else:
                detail = f"no evidence of sight: {self.service} showed this token nothing of other projects"
                yield self.gap(lister, Trouble(Reason.PARTIAL, detail, read.call))
        self._unproven.clear()


def listing(desk: Desk, lister: Lister, source: Iterable[Page | Trouble] | None = None) -> Iterator[Seen]:
    """Read one listing to its end: its resources, then what the listing proves."""
    read = Read()
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
                read.count += 1
                read.own = read.own or resource.scope == desk.scope
                yield resource
    yield from desk.conclude(lister, read)


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
        version=cloud.microversion(service, root, token, scope),
    )


def _endpoint(cloud: Cloud, scope: Scope, service: str, token: Token) -> Endpoint | Absence | Trouble:
    catalogue = token.catalogue
    offered = catalogue.of(service, scope.region or "")
    if not offered and not catalogue.endpoints:
        return Trouble(Reason.PARTIAL, f"the catalogue of project {token.project_name} is empty", token.call)
    if not offered and not catalogue.complete:
        detail = f"part of the catalogue of project {token.project_name} cannot be understood"
        return Trouble(Reason.PARTIAL, detail, token.call)
    if not offered:
        where = f"project {token.project_name} in region {scope.region}"
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
