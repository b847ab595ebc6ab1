"""Read an OpenStack cloud: regions, projects and services, each with its own evidence.

Lists are paged as raw JSON through one keystoneauth session that can only read; the SDK's resource
objects are not used, for they cost a hundred times as much.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from cloudaudit.collectors import Seen
from cloudaudit.collectors.openstack import (
    block_storage,
    compute,
    dns,
    identity,
    image,
    key_manager,
    load_balancer,
    network,
    object_store,
    orchestration,
    placement,
    shared_file_system,
    versions,
)
from cloudaudit.collectors.openstack.answers import Trouble
from cloudaudit.collectors.openstack.catalogue import service_address
from cloudaudit.collectors.openstack.cloud import Cloud, Project, Token
from cloudaudit.collectors.openstack.listing import Absence, Covers, Desk, Errand, open_desk
from cloudaudit.collectors.openstack.target import OPERATOR, TENANT, OpenStackTarget
from cloudaudit.collectors.transport import CallLog, Clock, ForbiddenVerb
from cloudaudit.errors import CloudauditError, did_you_mean
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope, Seconds

__all__ = ["OPERATOR", "TENANT", "OpenStackCollector", "OpenStackTarget"]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one service is read for in a scope."""

    service: str
    covers: Covers
    read: Callable[[Desk], Iterator[Seen]]
    everyone: bool = False
    apart: bool = False
    """The service knows no question about all projects, so that even an operator asks one by one."""

    def pairs(self, wanted: frozenset[str]) -> list[tuple[str, str]]:
        """Wanted calls with their types, each type once."""
        by_type = {type_: call for call, type_ in reversed(self.covers) if call in wanted}
        return sorted((call, type_) for type_, call in by_type.items())


_TARGET: Final = _Part(identity.SERVICE, identity.TARGET, identity.read_target)
_REGION: Final = (
    _Part(compute.SERVICE, compute.REGION, compute.read_region),
    _Part(block_storage.SERVICE, block_storage.REGION, block_storage.read_region),
    _Part(network.SERVICE, network.REGION, network.read_region),
    _Part(image.SERVICE, image.REGION, image.read_region),
    _Part(object_store.SERVICE, object_store.REGION, object_store.read_region),
    _Part(placement.SERVICE, placement.REGION, placement.read_region),
    *(_Part(service, versions.covers(service), versions.read_region) for service in versions.SERVICES),
)
_PROJECT: Final = (
    _Part(compute.SERVICE, compute.PROJECT, compute.read_project),
    _Part(block_storage.SERVICE, block_storage.PROJECT, block_storage.read_project),
    _Part(network.SERVICE, network.PROJECT, network.read_project),
    _Part(image.SERVICE, image.PROJECT, image.read_project),
    _Part(object_store.SERVICE, object_store.PROJECT, object_store.read_project, apart=True),
    _Part(shared_file_system.SERVICE, shared_file_system.PROJECT, shared_file_system.read_project),
    _Part(load_balancer.SERVICE, load_balancer.PROJECT, load_balancer.read_project),
    _Part(key_manager.SERVICE, key_manager.PROJECT, key_manager.read_project, apart=True),
    _Part(orchestration.SERVICE, orchestration.PROJECT, orchestration.read_project, apart=True),
    _Part(dns.SERVICE, dns.PROJECT, dns.read_project),
)


class OpenStackCollector:
    """Reads one OpenStack cloud.

    With the vantage `tenant` every project is asked with its own token; with `operator` each region
    is asked once for all projects, and only Swift, Barbican and Heat, which know no such question or
    answer it to nobody, project by project.
    """

    types = frozenset(type_ for part in (_TARGET, *_REGION, *_PROJECT) for _, type_ in part.covers)

    def __init__(
        self,
        target: OpenStackTarget,
        *,
        now: Clock,
        cancelled: threading.Event | None = None,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        """`cancelled` ends pauses and further requests; `pause` stands in for waiting."""
        self.name = target.name
        self.target = target
        self._now = now
        self._cancelled = cancelled or threading.Event()
        self._pause = pause or self._cancelled.wait
        self._cloud: Cloud | None = None
        self._lock = threading.Lock()

    def scopes(self, log: CallLog) -> Iterator[Scope]:
        """The target, its regions, and in each its projects. Raises TargetError for a wrong clouds.yaml.

        When the cloud does not let us in, these are the scopes targets.yaml names; each becomes gaps.
        """
        target = self.target
        cloud = self._opened()
        layout = cloud.layout(log)
        cloud.shared.flush(log)
        yield Scope(target.name)
        if isinstance(layout, Trouble):
            regions: tuple[str, ...] = target.regions or ()
            projects: tuple[str, ...] = target.projects or ()
        else:
            regions, projects = layout.regions, (*layout.projects, *layout.out_of_reach)
        for region in regions:
            yield Scope(target.name, region)
            for project in projects:
                yield Scope(target.name, region, project)

    def collect(self, scope: Scope, wanted: frozenset[str], log: CallLog) -> Iterator[Seen]:
        """Read one scope: its resources, and a listing or a gap for every type that was asked for."""
        cloud = self._opened()
        try:
            yield from self._collect(cloud, scope, wanted, log)
        finally:
            cloud.shared.flush(log)

    def credential(self) -> Mapping[str, Any]:
        """What is to be told of the credential: its kind, its scope, the roles it turned out to have."""
        return self._opened().credential()

    def clock_skew(self) -> Seconds:
        """Seconds by which the cloud's clock was ahead of ours; 0 where they agree within 15 minutes."""
        return self._opened().client.clock_skew

    def told(self) -> Mapping[str, Any]:
        skew = self.clock_skew()
        return {"credential": dict(self.credential()), **({"clock_skew": skew} if skew else {})}

    def _collect(self, cloud: Cloud, scope: Scope, wanted: frozenset[str], log: CallLog) -> Iterator[Seen]:
        parts = [part for part in self._parts(scope) if part.pairs(wanted)]
        layout = cloud.layout(log)
        if isinstance(layout, Trouble):
            below = (*_REGION, *_PROJECT) if scope.region is None else ()
            for part in (*parts, *below):
                yield from _gaps(part.pairs(wanted), scope, layout)
            return
        errand = Errand(cloud, layout, scope, wanted, log)
        for part in parts:
            yield from _guarded(part, errand, self._read(part, errand))
        if scope.region is None:
            yield from self._below(errand)
        elif scope.project and layout.regions[:1] == (scope.region,):
            yield from self._elsewhere(errand)

    def _opened(self) -> Cloud:
        with self._lock:
            if self._cloud is None:
                self._cloud = Cloud(self.target, self._now, self._cancelled, self._pause)
            return self._cloud

    def _parts(self, scope: Scope) -> tuple[_Part, ...]:
        """What is read in a scope of this kind."""
        if scope.region is None:
            return (_TARGET,)
        if self.target.vantage != OPERATOR:
            return _PROJECT if scope.project else _REGION
        if scope.project:
            return tuple(part for part in _PROJECT if part.apart)
        return (*_REGION, *(replace(part, everyone=True) for part in _PROJECT if not part.apart))

    def asked_per(self, call: str, type_: str) -> str:
        """What a call of a type is made once for: `target`, `region`, or `region_project` (each in each).

        The parts of the scopes tell it of every call that lists; any other goes with the list of its type.
        """
        scopes = {"target": Scope(""), "region": Scope("", "any"), "region_project": Scope("", "any", "any")}
        pairs = {
            per: [pair for part in self._parts(of) for pair in part.covers] for per, of in scopes.items()
        }
        by_call = (per for per in scopes if any(name == call for name, _ in pairs[per]))
        by_type = (per for per in scopes if any(listed == type_ for _, listed in pairs[per]))
        return next(by_call, None) or next(by_type, "region_project")

    def _read(self, part: _Part, errand: Errand) -> Iterator[Seen]:
        """One service in one scope, as far as it lets us."""
        pairs = part.pairs(errand.wanted)
        desk = self._desk(part, errand)
        match desk:
            case Trouble():
                yield from _gaps(pairs, errand.scope, desk)
            case Absence():
                for _, type_ in pairs:
                    yield Listing(errand.scope, type_, 0, desk.proof, desk.call)
            case Desk():
                yield from part.read(desk)
                yield from desk.settle()

    def _desk(self, part: _Part, errand: Errand) -> Desk | Absence | Trouble:
        layout, scope = errand.layout, errand.scope
        if scope.region is None:
            return _keystone(errand)
        if scope.project is None:
            return _service(errand, part, layout.home, None)
        project = layout.projects.get(scope.project)
        if project is None:
            unknown = f"the credential cannot see a project {scope.project!r}"
            return layout.out_of_reach.get(scope.project, Trouble(Reason.NO_PERMISSION, unknown))
        token = errand.cloud.project_token(project, errand.log)
        if isinstance(token, Token):
            return _service(errand, part, token, project)
        if self.target.vantage != OPERATOR:
            return token
        desk = _service(errand, part, layout.home, project)
        return _other_account(desk, project, token) if isinstance(desk, Desk) else desk

    def _below(self, errand: Errand) -> Iterator[Seen]:
        """Gaps for scopes that should perhaps exist, but were not found."""
        layout, scope, wanted = errand.layout, errand.scope, errand.wanted
        parts = self._parts(Scope(scope.target, "any", "any"))
        if not layout.regions:
            parts = (*_REGION, *_PROJECT)
            detail = f"the catalogue of {layout.home.of} names no region"
            trouble = Trouble(Reason.PARTIAL, detail, layout.home.call)
        elif layout.trouble:
            detail = f"there may be more projects than were audited: {layout.trouble.detail}"
            trouble = Trouble(layout.trouble.reason, detail, layout.trouble.call)
        elif not layout.projects and not layout.out_of_reach:
            trouble = Trouble(Reason.PARTIAL, "there is no project to audit")
        else:
            return
        for part in parts:
            yield from _gaps(part.pairs(wanted), scope, trouble)

    def _elsewhere(self, errand: Errand) -> Iterator[Seen]:
        """Gaps for regions that only this project's catalogue names. Said once, with its first region."""
        layout, scope = errand.layout, errand.scope
        project = layout.projects.get(scope.project or "")
        token = errand.cloud.project_token(project, errand.log) if project else None
        if not isinstance(token, Token) or self.target.regions is not None:
            return
        for region in sorted(set(token.catalogue.regions) - set(layout.regions)):
            detail = f"only the catalogue of this project names the region {region}; list it under regions"
            there = Scope(scope.target, region, scope.project)
            for part in self._parts(scope):
                yield from _gaps(
                    part.pairs(errand.wanted), there, Trouble(Reason.PARTIAL, detail, token.call)
                )


def _keystone(errand: Errand) -> Desk:
    cloud = errand.cloud
    return Desk(
        cloud,
        errand.layout,
        errand.scope,
        errand.wanted,
        errand.log,
        service=identity.SERVICE,
        token=errand.layout.home,
        root=cloud.keystone,
        endpoint=service_address(cloud.keystone, None),
    )


def _service(errand: Errand, part: _Part, token: Token, project: Project | None) -> Desk | Absence | Trouble:
    region = errand.scope.region
    known = token.catalogue.regions
    if region in known:
        return open_desk(errand, part.service, token, project, part.everyone)
    names = ", ".join(known) or "none"
    detail = f"region {region!r} is not in the catalogue of {token.of} (it names {names})"
    hint = did_you_mean(region or "", known)
    return Trouble(Reason.SERVICE_ABSENT, f"{detail}; {hint}" if hint else detail, token.call)


def _other_account(desk: Desk, project: Project, refusal: Trouble) -> Desk | Trouble:
    """Swift's account of another project, for operators whose role reaches it without a token of its own."""
    own = desk.token.project
    if desk.service != object_store.SERVICE or not own or own not in desk.root:
        return refusal
    return replace(desk, root=desk.root.replace(own, project.id))


def _gaps(pairs: Iterable[tuple[str, str]], scope: Scope, trouble: Trouble) -> Iterator[Gap]:
    for call, type_ in pairs:
        yield Gap(scope, type_, call, trouble.reason, trouble.detail, trouble.call)


def _guarded(part: _Part, errand: Errand, seen: Iterator[Seen]) -> Iterator[Seen]:
    """Pass on what is read; a service that breaks our reading leaves gaps, and the others unharmed."""
    concluded: set[str] = set()
    try:
        for thing in seen:
            if not isinstance(thing, Resource):
                concluded.add(thing.type)
            yield thing
    except (CloudauditError, ForbiddenVerb):
        raise
    except Exception as error:  # noqa: BLE001 - the one boundary: an unforeseen answer is a gap
        detail = f"an answer of {part.service} could not be understood ({type(error).__name__})"
        left = [(call, type_) for call, type_ in part.pairs(errand.wanted) if type_ not in concluded]
        yield from _gaps(left, errand.scope, Trouble(Reason.INVALID_ANSWER, detail))
