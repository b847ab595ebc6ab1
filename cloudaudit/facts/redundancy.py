"""How the servers of a system stand in for one another: by role, over sites, and on how many hosts.

Servers that stand in for one another carry the same label `role`. What carries none may be of any
role: it can only show that no role is spread (all of it at one site), never that one is. Only
servers in state ACTIVE count, for what is stopped carries no load when another one fails.

NOTE: Nova makes `hostId` of the project and the host, so that marks are comparable within one project
only; a host is in one availability zone, so that servers of two zones are on two hosts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cloudaudit.facts.attribution import ATTRIBUTION, LABELS, READ_OF_SYSTEMS, label_of
from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    both,
    either,
    merged,
    nfc,
    optional_text,
    text,
    texts,
    unseen_anywhere,
    where,
    why,
)
from cloudaudit.facts.location import READ_OF_REGIONS, Places, Site
from cloudaudit.model import AtLeast, AtMost, Partial, Reason, Resource, Scope, Unseen, Value, World

SYSTEM: Final = "system"
SERVER: Final = "openstack.server"
GROUP: Final = "openstack.server_group"
ACTIVE: Final = "ACTIVE"
ROLE: Final = "role"
APART: Final = frozenset({"anti-affinity", "soft-anti-affinity"})

Cell: TypeAlias = tuple[str, str, str]
"""Target, region and zone: servers of two cells are on two hosts."""


@dataclass(slots=True)
class Fleet:
    """The active servers of one system by the value of their label `role`; None: of those without one."""

    by_role: dict[str | None, list[Resource]] = field(default_factory=lambda: defaultdict(list))

    @property
    def servers(self) -> list[Resource]:
        return [server for servers in self.by_role.values() for server in servers]

    @property
    def roles(self) -> list[str]:
        return sorted(role for role in self.by_role if role is not None)

    def counted(self, role: str | None, doubt: Unseen | None) -> Value:
        """How many stand in for one another: more may be hidden, or have the role without saying so."""
        if role is None:
            return AtMost(len(self.servers))
        count = len(self.by_role[role])
        return count if doubt is None and None not in self.by_role else AtLeast(count)


class Fleets:
    """Active servers by system, and why there may be more of any of them."""

    def __init__(self, world: World) -> None:
        self._of: dict[str, Fleet] = defaultdict(Fleet)
        self.missing = unseen_anywhere(world, SYSTEM)
        self.doubt = unseen_anywhere(world, SERVER)
        system_of = ATTRIBUTION.prepare(world)
        for server in world.each(SERVER):
            self._add(server, system_of(server))

    def _add(self, server: Resource, owner: Derived) -> None:
        unseen = owner.unseen.get("system")
        if unseen is not None:
            # Of one that two systems claim it is not known whose load it carries.
            self.doubt = self.doubt or (None if unseen.reason is Reason.UNMAPPED else unseen)
            return
        status, role = text(server.facts.get("status")), label_of(server, ROLE)
        if status is None:
            self.doubt = self.doubt or why(server, "status")
        elif status == ACTIVE and isinstance(role, Unseen):
            self.doubt = self.doubt or role
        elif status == ACTIVE and not isinstance(role, Unseen):
            self._of[str(owner.facts["system.id"])].by_role[role].append(server)

    def of(self, system: Resource) -> Fleet:
        return self._of.get(system.id) or Fleet()


READ_OF_FLEETS: Final = merged(READ_OF_SYSTEMS, {SERVER: ("status", *LABELS)})


def _listed(fact: str, found: Iterable[Mapping[str, Value]], doubt: Unseen | None) -> Derived:
    records = tuple(found)
    if doubt is None:
        return Derived({fact: records})
    return Derived({fact: Partial(records)}, {fact: doubt})


# --- over sites -----------------------------------------------------------------------------------------


def prepare_spread(world: World) -> Derive:
    """Servers and sites by role."""
    fleets, places = Fleets(world), Places(world)

    def derive(system: Resource) -> Derived:
        if fleets.missing is not None:
            return Derived(unseen={"spread": fleets.missing})
        fleet = fleets.of(system)
        found = [_spread_of(fleet, role, fleets.doubt, places) for role in fleet.roles]
        if None in fleet.by_role and fleets.doubt is None:
            found.append(_spread_of(fleet, None, None, places))
        return _listed("spread.roles", found, fleets.doubt)

    return derive


def _spread_of(fleet: Fleet, role: str | None, doubt: Unseen | None, places: Places) -> Mapping[str, Value]:
    """One role: a site more may be found where servers are hidden, have no role, or are at no known site."""
    counted = fleet.counted(role, doubt)
    servers = fleet.servers if role is None else fleet.by_role[role]
    found = [places.of(server) for server in servers]
    sites = len({place.id for place in found if isinstance(place, Site)})
    placed = all(isinstance(place, Site) for place in found)
    record: dict[str, Value] = {"role": role, "servers": counted}
    if role is None:
        return {**record, "sites": AtMost(sites)} if placed else record
    exact = placed and not isinstance(counted, AtLeast)
    return {**record, "sites": sites if exact else AtLeast(sites)}


SPREAD: Final = Family(
    "spread",
    {SYSTEM: ("spread.roles",)},
    merged(READ_OF_FLEETS, READ_OF_REGIONS, {SERVER: ("zone",)}),
    prepare_spread,
)


# --- over hosts -----------------------------------------------------------------------------------------


class _Groups:
    """Groups that keep their servers on different hosts, by server."""

    def __init__(self, world: World) -> None:
        self._of: dict[tuple[str, str], set[str]] = defaultdict(set)
        blind: list[tuple[Scope, Unseen]] = []
        for group in world.each(GROUP):
            policy, members = text(group.facts.get("policy")), group.facts.get("members")
            if policy is None or not isinstance(members, tuple):
                blind.append((where(group), why(group, "policy" if policy is None else "members")))
            elif policy in APART:
                for member in texts(members):
                    self._of[group.scope.target, member].add(group.id)
        self._lists = Lists(world, GROUP, blind)

    def keep_apart(self, servers: Sequence[Resource]) -> bool | None:
        """Whether one group holds them all. Nova puts a server into one group at most."""
        if set.intersection(*(self._of[server.scope.target, nfc(server.id)] for server in servers)):
            return True
        return None if any(self._lists.unseen_in(where(server)) for server in servers) else False


def cell_of(server: Resource) -> Cell | None:
    """Where a server is, as far as that tells its host from others; None where it is not known."""
    zone = optional_text(server, "zone")
    if not isinstance(zone, str) or "region" in server.unseen or server.scope.region is None:
        return None
    return server.scope.target, server.scope.region, zone


def project_of(server: Resource) -> str | None:
    """The project that marks of its host are of; None where it is not known."""
    return None if "project" in server.unseen else server.scope.project


def _cells(servers: Iterable[Resource]) -> Mapping[Cell | None, list[Resource]]:
    found: dict[Cell | None, list[Resource]] = defaultdict(list)
    for server in servers:
        found[cell_of(server)].append(server)
    return found


def _share_a_host(servers: Sequence[Resource]) -> bool | None:
    """Whether two of them run on one host."""
    marks: set[tuple[str, str, str, str]] = set()
    blind: set[str] = set()
    for server in servers:
        project, host = project_of(server), text(server.facts.get("host_id"))
        region = where(server).region
        if project is None or host is None or region is None:
            blind.add(server.id)
        # Hosts of two regions may have one name, and then one mark.
        elif (mark := (server.scope.target, region, project, host)) in marks:
            return True
        else:
            marks.add(mark)
    cells = _cells(servers)
    if None in cells and len(servers) > 1:
        return None
    return either(_may_share(alike, blind) for alike in cells.values())


def _may_share(servers: Sequence[Resource], blind: set[str]) -> bool | None:
    """Of servers of one zone whose marks differ: False, or None where marks are not comparable."""
    if len(servers) < 2:
        return False
    comparable = len({project_of(server) for server in servers}) == 1
    return False if comparable and not any(server.id in blind for server in servers) else None


def _grouped(servers: Sequence[Resource], groups: _Groups) -> bool | None:
    """Whether every two of one zone are in one group that keeps them apart."""
    cells = _cells(servers)
    unplaced = None in cells and len(servers) > 1
    return both(
        [
            None if unplaced else True,
            *(_kept_apart(alike, groups) for cell, alike in cells.items() if cell is not None),
        ]
    )


def _kept_apart(servers: Sequence[Resource], groups: _Groups) -> bool | None:
    if len(servers) < 2:
        return True
    projects = {project_of(server) for server in servers}
    if len(projects - {None}) > 1:
        return False  # a group is of one project
    return None if None in projects else groups.keep_apart(servers)


def prepare_separation(world: World) -> Derive:
    """Hosts and groups by role."""
    fleets, groups = Fleets(world), _Groups(world)

    def derive(system: Resource) -> Derived:
        if fleets.missing is not None:
            return Derived(unseen={"separation": fleets.missing})
        fleet = fleets.of(system)
        found = [_separation_of(fleet, role, fleets.doubt, groups) for role in fleet.roles]
        if None in fleet.by_role and fleets.doubt is None:
            found.append(_separation_of_unlabelled(fleet, groups))
        return _listed("separation.roles", found, fleets.doubt)

    return derive


def _separation_of(fleet: Fleet, role: str, doubt: Unseen | None, groups: _Groups) -> Mapping[str, Value]:
    """One role. What is hidden can only add servers that share a host or stand outside the group."""
    servers = fleet.by_role[role]
    found: dict[str, Value] = {"role": role, "servers": fleet.counted(role, doubt)}
    shared, grouped = _share_a_host(servers), _grouped(servers, groups)
    if shared is True or (shared is False and doubt is None):
        found["same_host"] = shared
    if grouped is False or (grouped is True and doubt is None):
        found["grouped"] = grouped
    return found


def _separation_of_unlabelled(fleet: Fleet, groups: _Groups) -> Mapping[str, Value]:
    """Servers without a role, with all that are near them: kept apart from everything, or it is not known.

    Counted are all of the system, for any of them may stand in for one of these.
    """
    alone = fleet.by_role[None]
    cells = {cell_of(server) for server in alone}
    near = [s for s in fleet.servers if None in cells or cell_of(s) in cells or cell_of(s) is None]
    found: dict[str, Value] = {"role": None, "servers": len(fleet.servers)}
    if _share_a_host(near) is False:
        found["same_host"] = False
    if _grouped(near, groups) is True:
        found["grouped"] = True
    return found


SEPARATION: Final = Family(
    "separation",
    {SYSTEM: ("separation.roles",)},
    merged(READ_OF_FLEETS, {SERVER: ("zone", "host_id"), GROUP: ("policy", "members")}),
    prepare_separation,
)
