"""Which servers and listeners can be met from outside, at a public address or on a network that leads there.

An address counts as public where Internet registries give it out (`is_global`), where a floating IP leads to
its port, or where its network is external. That nothing leads there is said only where every address is
known, and the lists of ports and floating IPs are whole, for whoever owns a floating IP may set it on a
port of another project.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    flag,
    nfc,
    optional_text,
    records,
    text,
    where,
    why,
)
from cloudaudit.model import Partial, Reason, Resource, Scope, Unseen, Value, World
from cloudaudit.operators import network

FACT: Final = "reach.internet"
SERVER: Final = "openstack.server"
LISTENER: Final = "openstack.listener"
BALANCER: Final = "openstack.loadbalancer"
PORT: Final = "openstack.port"
FLOATING: Final = "openstack.floating_ip"
NETWORK: Final = "openstack.network"
FLOATS: Final = "floating"
"""The kind that Nova gives to an address which is a floating IP."""

Part: TypeAlias = bool | Unseen
"""Whether one address leads outside, or why that is not known."""


def _any(parts: Iterable[Part]) -> Derived:
    """True as soon as one part is, else unknown if one is."""
    doubt: Unseen | None = None
    for part in parts:
        if part is True:
            return Derived({FACT: True})
        doubt = doubt or (part if isinstance(part, Unseen) else None)
    return Derived(unseen={FACT: doubt}) if doubt else Derived({FACT: False})


def _address(value: Value, fact: str) -> Part:
    net = network(value) if isinstance(value, str) else None
    return Unseen(Reason.INVALID_ANSWER, f"'{fact}' holds no address") if net is None else net.is_global


def _same_region(one: Resource, place: Scope) -> bool:
    """Whether a thing is of a region, as far as both are known."""
    theirs = where(one).region
    return theirs == place.region or None in (theirs, place.region)


class _Outside:
    """Ports that a floating IP leads to, and networks that lead outside."""

    def __init__(self, world: World) -> None:
        self._floating: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        blind: list[tuple[Scope, Unseen]] = []
        for one in world.each(FLOATING):
            port = optional_text(one, "port_id")
            if isinstance(port, Unseen):
                place = where(one)
                blind.append((Scope(place.target, place.region), port))
            elif port is not None:
                self._floating[one.scope.target, port].append(one)
        self._lists = Lists(world, FLOATING, blind)
        self._networks: dict[tuple[str, str], Part] = {}
        for net in world.each(NETWORK):
            key = net.scope.target, nfc(net.id)
            external = flag(net.facts.get("external"))
            if external or key not in self._networks:
                self._networks[key] = why(net, "external") if external is None else external

    def port(self, place: Scope, port: str) -> Part:
        """Whether a floating IP leads to a port."""
        if any(_same_region(one, place) for one in self._floating.get((place.target, port), ())):
            return True
        return self._lists.unseen_in(Scope(place.target, place.region)) or False

    def network(self, place: Scope, net: str) -> Part:
        """Whether a network leads outside."""
        unlisted = Unseen(Reason.PARTIAL, f"network {net} is not in the list of networks")
        return self._networks.get((place.target, net), unlisted)


# --- servers ----------------------------------------------------------------------------------------------


def _servers(world: World) -> Derive:
    """Servers by what Nova says of their addresses, and by their ports."""
    outside = _Outside(world)
    ports: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    blind: list[tuple[Scope, Unseen]] = []
    for port in world.each(PORT):
        device = optional_text(port, "device_id")
        if isinstance(device, Unseen):
            place = where(port)
            blind.append((Scope(place.target, place.region), device))
        elif device is not None:
            ports[port.scope.target, device].append(port)
    lists = Lists(world, PORT, blind)

    def parts(server: Resource) -> Iterator[Part]:
        addresses = server.facts.get("addresses")
        for one in records(addresses):
            yield True if one.get("kind") == FLOATS else _address(one.get("address"), "addresses")
        if not isinstance(addresses, tuple):
            yield why(server, "addresses")
        place = where(server)
        for port in ports.get((place.target, nfc(server.id)), ()):
            if not _same_region(port, place):
                continue
            yield outside.port(place, nfc(port.id))
            net = text(port.facts.get("network"))
            yield why(port, "network") if net is None else outside.network(place, net)
        gap = lists.unseen_in(Scope(place.target, place.region))
        if gap:
            yield gap

    return lambda server: _any(parts(server))


# --- listeners --------------------------------------------------------------------------------------------


def _listeners(world: World) -> Derive:
    """Listeners by the virtual addresses of their load balancers."""
    outside = _Outside(world)
    balancers = {(one.scope.target, nfc(one.id)): one for one in world.each(BALANCER)}
    lists = Lists(world, BALANCER)

    def of_balancer(one: Resource) -> Iterator[Part]:
        place = where(one)
        further = one.facts.get("additional_vips")
        addresses = [("vip_address", one.facts.get("vip_address"))]
        addresses += [("additional_vips", vip.get("address")) for vip in records(further)]
        for fact, value in addresses:
            yield why(one, fact) if fact not in one.facts else _address(value, fact)
        if not isinstance(further, tuple):
            yield why(one, "additional_vips")
        ports = [optional_text(one, "vip_port"), *(text(vip.get("port")) for vip in records(further))]
        for port in ports:
            # A provider may need no port: then no floating IP can lead there.
            yield port if isinstance(port, Unseen) else port is not None and outside.port(place, port)
        # Further addresses are on the network of the first.
        net = text(one.facts.get("vip_network"))
        yield why(one, "vip_network") if net is None else outside.network(place, net)

    def parts(listener: Resource) -> Iterator[Part]:
        ids = listener.facts.get("load_balancers")
        named = ids.items if isinstance(ids, Partial) else ids
        if not isinstance(ids, tuple) or not ids:
            yield why(listener, "load_balancers")
        for id_ in named if isinstance(named, tuple) else ():
            one = balancers.get((listener.scope.target, nfc(id_))) if isinstance(id_, str) else None
            if one is None:
                gone = Unseen(Reason.PARTIAL, "its load balancer is not in the list of load balancers")
                yield lists.unseen_in(where(listener)) or gone
            else:
                yield from of_balancer(one)

    return lambda listener: _any(parts(listener))


REACH: Final = (
    Family(
        "reach",
        {SERVER: (FACT,)},
        {
            SERVER: ("addresses",),
            PORT: ("device_id", "network"),
            FLOATING: ("port_id",),
            NETWORK: ("external",),
        },
        _servers,
    ),
    Family(
        "reach",
        {LISTENER: (FACT,)},
        {
            LISTENER: ("load_balancers",),
            BALANCER: ("vip_address", "vip_port", "vip_network", "additional_vips"),
            FLOATING: ("port_id",),
            NETWORK: ("external",),
        },
        _listeners,
    ),
)
