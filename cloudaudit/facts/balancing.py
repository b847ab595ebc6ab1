"""What stands behind a load balancer: pools, whether they are watched, and on how many hosts members run.

A member is an address. Whose it is tells only the list of servers, and only where the address is one
server's in the region: networks of two projects may use the same addresses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    flag,
    nfc,
    records,
    text,
    texts,
    where,
    why,
)
from cloudaudit.facts.redundancy import SERVER, cell_of, project_of
from cloudaudit.model import MISSING, AtLeast, Partial, Resource, Scope, Unseen, Value, World

BALANCER: Final = "openstack.loadbalancer"
POOL: Final = "openstack.lb_pool"
ONLINE: Final = "ONLINE"


class _Pools:
    """Pools that are switched on, by load balancer."""

    def __init__(self, world: World) -> None:
        self._of: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        blind: list[tuple[Scope, Unseen]] = []
        for pool in world.each(POOL):
            balancers, up = pool.facts.get("load_balancers"), flag(pool.facts.get("admin_state_up"))
            if not isinstance(balancers, tuple) or up is None:
                blind.append((where(pool), why(pool, "admin_state_up" if up is None else "load_balancers")))
            elif up:
                for balancer in texts(balancers):
                    self._of[pool.scope.target, balancer].append(pool)
        self._lists = Lists(world, POOL, blind)

    def of(self, balancer: Resource) -> tuple[list[Resource], Unseen | None]:
        """Pools behind a load balancer by id, and why there may be more."""
        found = self._of.get((balancer.scope.target, nfc(balancer.id)), [])
        return sorted(found, key=lambda pool: pool.id), self._lists.unseen_in(where(balancer))


class _Servers:
    """Servers by their addresses."""

    def __init__(self, world: World) -> None:
        self._at: dict[tuple[str, str | None, str], list[Resource]] = defaultdict(list)
        blind: list[tuple[Scope, Unseen]] = []
        for server in world.each(SERVER):
            place, addresses = where(server), server.facts.get("addresses")
            if not isinstance(addresses, tuple) or place.region is None:
                blind.append((Scope(place.target, place.region), why(server, "addresses")))
            for address in {text(record.get("address")) for record in records(addresses)} - {None}:
                self._at[place.target, place.region, str(address).lower()].append(server)
        self._lists = Lists(world, SERVER, blind)

    def with_address(self, place: Scope, address: str) -> Resource | None:
        """The one server with an address in a region; None where there may be another, or none is seen."""
        found = self._at.get((place.target, place.region, address), [])
        if len(found) != 1 or self._lists.unseen_in(Scope(place.target, place.region)) is not None:
            return None
        return found[0]


def prepare(world: World) -> Derive:
    """Pools with their members' hosts."""
    pools, servers = _Pools(world), _Servers(world)

    def derive(balancer: Resource) -> Derived:
        found, gap = pools.of(balancer)
        behind = tuple(_behind(pool, servers) for pool in found)
        if gap is None:
            return Derived({"pools": behind})
        return Derived({"pools": Partial(behind)}, {"pools": gap})

    return derive


def _behind(pool: Resource, servers: _Servers) -> Mapping[str, Value]:
    """One pool as a record; what is not known of it is left out."""
    found: dict[str, Value] = {"pool": nfc(pool.name or pool.id)}
    monitor = pool.facts.get("monitor.type", MISSING)
    if monitor is None or text(monitor) is not None:
        found["monitored"] = monitor is not None
    members = pool.facts.get("members")
    if isinstance(members, tuple):
        addresses = {
            str(member.get("address")).lower()
            for member in records(members)
            if member.get("operating_status") == ONLINE and flag(member.get("backup")) is not True
        }
        found["online"] = len(addresses)
        found["hosts"] = _hosts([servers.with_address(where(pool), address) for address in addresses])
    return found


def _hosts(found: Iterable[Resource | None]) -> Value:
    """On how many hosts servers run: marks of hosts are comparable within a zone and a project only."""
    exact = True
    by_zone: dict[object, dict[str | None, set[str]]] = defaultdict(lambda: defaultdict(set))
    for server in found:
        cell = None if server is None else cell_of(server)
        if server is None or cell is None:
            exact = False
            continue
        project, host = project_of(server), text(server.facts.get("host_id"))
        exact = exact and project is not None and host is not None
        # A zone that holds one has a host, whichever it is.
        marks = by_zone[cell][project]
        if project is not None and host is not None:
            marks.add(host)
    exact = exact and all(len(projects) == 1 for projects in by_zone.values())
    count = sum(max(1, *map(len, projects.values())) for projects in by_zone.values())
    return count if exact else AtLeast(count)


BALANCING: Final = Family(
    "balancing",
    {BALANCER: ("pools",)},
    {
        BALANCER: (),
        POOL: ("load_balancers", "admin_state_up", "members", "monitor.type"),
        SERVER: ("addresses", "zone", "host_id"),
    },
    prepare,
)
