"""How a server, a load balancer or an endpoint is reached from outside.

A way in is a floating IP (or ports that one forwards), a port on an external network, or an address of
its own that is routed in the Internet. The first two are ways by themselves; the third is one where a
router with a gateway leads to its network. A network without such a router may have one that Neutron
does not know, so that "not routed" is never concluded. Whether the world gets through a way is for the
security groups of the port, and with port security off for nothing. IPv4 and IPv6 are told apart.

What is behind another server or a load balancer is not reached directly and not looked at. An
administrator can give a server a port or floating IP of another project, so that those of a whole region
have to be known before any server of it is called out of reach.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    Reads,
    both,
    either,
    flag,
    merged,
    nfc,
    optional_text,
    records,
    text,
    texts,
    where,
    why,
)
from cloudaudit.facts.exposure import GROUP, PORT, RULE, from_world, open_ports
from cloudaudit.model import MISSING, Partial, Reason, Resource, Scope, Unseen, Value, World
from cloudaudit.operators import Network
from cloudaudit.operators import network as network_of

SERVER: Final = "openstack.server"
LISTENER: Final = "openstack.listener"
LOAD_BALANCER: Final = "openstack.loadbalancer"
ENDPOINT: Final = "openstack.endpoint"
FLOATING_IP: Final = "openstack.floating_ip"
NETWORK: Final = "openstack.network"
ROUTER: Final = "openstack.router"
TRUNK: Final = "openstack.trunk"

_INTERFACES: Final = ("network:router_interface", "network:ha_router_replicated_interface")
"""Beginnings of the owners of ports by which a router is on a network."""
_SUBPORT: Final = "trunk:subport"
"""Owner of a port that a trunk carries to the device of another port."""
_ICMP: Final = frozenset({"icmp", "icmpv6", "ipv6-icmp", "1", "58"})
_INSIDE: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
            "fc00::/7", "fe80::/10", "::1/128",
        ),
    )
)  # fmt: skip
"""Addresses that are never routed in the Internet (RFC 1918, 6598, 1122, 3927, 4193, 4291)."""

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Key: TypeAlias = tuple[str, str | None, str]
"""A thing by target, region and id."""


def _address(value: object) -> Address | None:
    """A single address, also where it is written as a network of one."""
    if not isinstance(value, str):
        return None
    try:
        net = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None
    return net.network_address if net.num_addresses == 1 else None


def inside(address: Address) -> bool:
    """Whether an address is of those never routed in the Internet. One of IPv4 in IPv6 counts as itself."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    one = mapped or address
    return any(one.version == net.version and one in net for net in _INSIDE)


# --- what things are there ------------------------------------------------------------------------------


class _Things:
    """Resources of one type by a text they have, in their region."""

    def __init__(self, world: World, type_: str, fact: str | None = None) -> None:
        self._found: dict[Key, list[Resource]] = defaultdict(list)
        blind: list[tuple[Scope, Unseen]] = []
        for one in world.each(type_):
            place = where(one)
            name = nfc(one.id) if fact is None else optional_text(one, fact)
            if isinstance(name, Unseen):
                blind.append((place, name))
            elif name is not None:
                self._found[place.target, place.region, name].append(one)
        self.lists = Lists(world, type_, blind)

    def of(self, place: Scope, name: str) -> list[Resource]:
        return self._found.get((place.target, place.region, name), [])

    def one(self, place: Scope, name: str | None) -> Resource | None:
        """The only thing of that name; None where it was not seen, or there are several."""
        found = [] if name is None else self.of(place, name)
        return found[0] if len(found) == 1 else None


class _Groups:
    """Which security groups let the world in."""

    def __init__(self, world: World) -> None:
        self._rules = _Things(world, RULE, "security_group")
        self._groups = _Things(world, GROUP)

    def lets_in(self, place: Scope, group: str, version: int) -> bool | None:
        """Whether a rule of a group lets everybody in. A group that was not seen may have any rules."""
        answer = either(_opens(rule, version) for rule in self._rules.of(place, group))
        if answer or self._groups.one(place, group) is None:
            return answer or None
        # A rule lies in the project of whoever made it.
        return answer if self._rules.lists.unseen_in(Scope(place.target, place.region)) is None else None


def _opens(rule: Resource, version: int) -> bool | None:
    """Whether a rule lets everybody in who comes by a version of IP. Only pings do not count."""
    family = text(rule.facts.get("ethertype"))
    protocol, ports = optional_text(rule, "protocol"), open_ports(rule)
    serves = None if isinstance(ports, Unseen) else ports is not None or str(protocol).lower() not in _ICMP
    world = from_world(rule)
    return both(
        (
            None if family is None else family.lower() == f"ipv{version}",
            serves,
            None if isinstance(world, Unseen) else world,
        )
    )


# --- ways in --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Path:
    """One way to one address."""

    way: str
    """floating_ip, external_network or routed."""
    address: str
    """Empty where it is not known."""
    leads_in: bool | None
    """Whether it leads there from outside; None where that is not known."""
    world: bool | None
    """Whether everybody who takes it gets through."""


class _Ways:
    """Ports with everything that leads to them. Without `groups` nothing is said of who gets through."""

    def __init__(self, world: World, groups: _Groups | None) -> None:
        self.ports = _Things(world, PORT)
        self.by_device = _Things(world, PORT, "device_id")
        self._on_network = _Things(world, PORT, "network")
        self._groups = groups
        self._networks = _Things(world, NETWORK)
        self._routers = _Things(world, ROUTER)
        self._to_port = _Things(world, FLOATING_IP, "port_id")
        self._to_address: dict[Key, list[Resource]] = defaultdict(list)
        self._forwarded: dict[Key, list[Resource]] = defaultdict(list)
        blind: list[tuple[Scope, Unseen]] = []
        for floating in world.each(FLOATING_IP):
            place = where(floating)
            for name in _inner_addresses(floating):
                self._to_address[place.target, place.region, name].append(floating)
            forwards = floating.facts.get("port_forwardings", MISSING)
            for record in records(forwards):
                if (inner := _address(record.get("address"))) is not None:
                    self._forwarded[place.target, place.region, str(inner)].append(floating)
            # NOTE: one that forwards ports has a router and no port; one that is free has neither.
            used = optional_text(floating, "router")
            if not isinstance(forwards, tuple) and used is not None:
                leads = optional_text(floating, "port_id")
                if not isinstance(leads, str):
                    blind.append((place, why(floating, "port_forwardings")))
            if (unread := _unread_address(floating)) is not None:
                blind.append((place, unread))
        self._forwardings = Lists(world, FLOATING_IP, blind)
        self._unheld = self._of_nobody(world)

    def _of_nobody(self, world: World) -> Mapping[Key, list[Address]]:
        """Addresses that floating IPs lead to and no device was given, by network; "" where it was not seen.

        Which device has taken such an address, as pairs of servers do, Neutron does not know.
        """
        found: dict[Key, list[Address]] = defaultdict(list)
        for floating in world.each(FLOATING_IP):
            place, leads = where(floating), text(floating.facts.get("port_id"))
            inner = _address(floating.facts.get("fixed_address"))
            if leads is None or inner is None:
                continue
            port = self.ports.one(place, leads)
            if port is None:
                found[place.target, place.region, ""].append(inner)
            elif not text(port.facts.get("device_id")) and port.facts.get("device_owner") != _SUBPORT:
                network = text(port.facts.get("network")) or ""
                found[place.target, place.region, network].append(inner)
        return found

    def unseen_in(self, place: Scope) -> Unseen | None:
        """Why there may be ways in a scope that were not seen."""
        for lists in (self._to_port.lists, self._forwardings):
            if (unseen := lists.unseen_in(place)) is not None:
                return unseen
        return None

    def lets_in(self, port: Resource, version: int) -> bool | None:
        """Whether the security groups of a port let the world in."""
        if self._groups is None:
            return None
        secured = port.facts.get("port_security", MISSING)
        if secured is False:
            return True
        groups = port.facts.get("security_groups")
        seen = groups.items if isinstance(groups, Partial) else groups
        answers = [self._groups.lets_in(where(port), group, version) for group in texts(seen)]
        known = isinstance(groups, tuple) and len(answers) == len(groups) and secured in (True, None)
        return either([*answers, False if known else None])

    def has_floating_ip(self, place: Scope, port: str) -> bool:
        """Whether a floating IP leads to a port, be it one that was not seen."""
        return bool(self._to_port.of(place, port))

    def to(self, port: Resource) -> Iterator[Path | Unseen]:
        """The ways to one port, and why there may be more."""
        place = where(port)
        for floating in self._to_port.of(place, nfc(port.id)):
            yield self._by_floating_ip(floating, port)
        yield from self._to_own_addresses(port)
        yield from self._to_shared_addresses(port)

    def _by_floating_ip(self, floating: Resource, port: Resource) -> Path:
        outer = _address(floating.facts.get("address"))
        return Path("floating_ip", "" if outer is None else str(outer), True, self.lets_in(port, 4))

    def _to_own_addresses(self, port: Resource) -> Iterator[Path | Unseen]:
        place, name = where(port), text(port.facts.get("network"))
        addresses = port.facts.get("addresses")
        found = [a for a in map(_address, texts(addresses)) if a is not None]
        if not isinstance(addresses, tuple) or len(found) < len(addresses):
            yield why(port, "addresses")
        network = self._networks.one(place, name)
        external = None if network is None else flag(network.facts.get("external"))
        if name is None:
            yield why(port, "network")
        elif external is None:
            yield Unseen(Reason.PARTIAL, "whether its network leads outside was not seen")
        for address in found:
            if external:
                yield Path("external_network", str(address), True, self.lets_in(port, address.version))
            elif external is False and not inside(address):
                leads = self._routed(place, str(name))
                yield Path("routed", str(address), leads, both((leads, self.lets_in(port, address.version))))
            for floating in self._forwarded.get((place.target, place.region, str(address)), ()):
                router = text(floating.facts.get("router"))
                if name is not None and router in self._routers_on(place, name):
                    yield self._by_floating_ip(floating, port)
                else:
                    yield Unseen(
                        Reason.PARTIAL, "a floating IP forwards ports to its address, perhaps elsewhere"
                    )

    def _to_shared_addresses(self, port: Resource) -> Iterator[Path | Unseen]:
        """Floating IPs of addresses that a port may take over, as pairs of servers do."""
        place, pairs = where(port), port.facts.get("allowed_address_pairs")
        if not isinstance(pairs, tuple):
            yield why(port, "allowed_address_pairs")
        ranges: list[Network] = []
        for pair in records(pairs):
            address = _address(pair.get("address"))
            if address is None:
                given = pair.get("address")
                among = network_of(given) if isinstance(given, str) else None
                if among is None:
                    yield Unseen(Reason.INVALID_ANSWER, "an address that it may use cannot be read")
                else:
                    ranges.append(among)
                continue
            for floating in self._to_address.get((place.target, place.region, str(address)), ()):
                other = self.ports.one(place, text(floating.facts.get("port_id")))
                theirs = None if other is None else text(other.facts.get("network"))
                ours = text(port.facts.get("network"))
                if theirs is None or ours is None:
                    yield Unseen(Reason.PARTIAL, "the network of a floating IP's port was not seen")
                elif theirs == ours:
                    yield self._by_floating_ip(floating, port)
        # A range does not tell which address is taken over; without port security it may be any.
        # Whether a load balancer's own ports have it is nobody's choice, and not read.
        of_server = self._groups is not None
        any_address = of_server and port.facts.get("port_security", MISSING) not in (True, None)
        free = {
            name: self._unheld.get((place.target, place.region, name), ())
            for name in (text(port.facts.get("network")) or "", "")
        }
        if any(any_address or any(a in net for net in ranges) for found in free.values() for a in found):
            yield Unseen(
                Reason.PARTIAL, "a floating IP leads to an address that no device has and it may use"
            )

    def _routers_on(self, place: Scope, network: str) -> set[str]:
        """Routers with a port on a network."""
        return {
            router
            for port in self._on_network.of(place, network)
            if str(port.facts.get("device_owner")).startswith(_INTERFACES)
            and (router := text(port.facts.get("device_id"))) is not None
        }

    def _routed(self, place: Scope, network: str) -> bool | None:
        """True where a router with a gateway is on a network; else that cannot be told."""
        for id_ in self._routers_on(place, network):
            router = self._routers.one(place, id_)
            if router is not None and text(router.facts.get("external_network")) is not None:
                return True
        return None


def _inner_addresses(floating: Resource) -> Iterator[str]:
    address = _address(floating.facts.get("fixed_address"))
    if address is not None:
        yield str(address)


def _unread_address(floating: Resource) -> Unseen | None:
    """Why it is not known which address inside a floating IP leads to, where it leads to any."""
    inner = optional_text(floating, "fixed_address")
    if isinstance(inner, Unseen) and optional_text(floating, "port_id") is not None:
        return inner
    return why(floating, "fixed_address") if isinstance(inner, str) and _address(inner) is None else None


# --- servers --------------------------------------------------------------------------------------------


class _Servers:
    """Servers with their ports, those carried by trunks too."""

    def __init__(self, world: World) -> None:
        self._ways = _Ways(world, _Groups(world))
        self._trunks = _Things(world, TRUNK, "port")

    def of(self, server: Resource) -> Derived:
        place = where(server)
        doubts: list[Unseen] = []
        worlds: dict[tuple[str, str], list[bool | None]] = defaultdict(list)
        ports = [*self._ports(server, place, doubts)]
        for port in ports:
            for path in self._ways.to(port):
                if isinstance(path, Unseen):
                    doubts.append(path)
                else:
                    worlds[path.way, path.address].append(path.world)
        for outer in self._told_by_nova(server, ports, doubts):
            worlds["floating_ip", outer] = worlds["floating_ip", outer] or [None]
        lists = (self._ways.by_device.lists, self._trunks.lists)
        everywhere = Scope(place.target, place.region)
        hidden = [unseen for one in lists if (unseen := one.unseen_in(everywhere)) is not None]
        doubts = [*hidden, *filter(None, [self._ways.unseen_in(everywhere)]), *doubts]
        found = tuple(_record(*key, either(worlds[key]), bool(doubts)) for key in sorted(worlds))
        if not doubts:
            return Derived({"reach.paths": found})
        return Derived({"reach.paths": Partial(found)}, {"reach.paths": doubts[0]})

    def _ports(self, server: Resource, place: Scope, doubts: list[Unseen]) -> Iterator[Resource]:
        for port in self._ways.by_device.of(place, nfc(server.id)):
            yield port
            for trunk in self._trunks.of(place, nfc(port.id)):
                carried = trunk.facts.get("sub_ports")
                if not isinstance(carried, tuple):
                    doubts.append(why(trunk, "sub_ports"))
                for record in records(carried):
                    inner = self._ways.ports.one(place, text(record.get("port")))
                    if inner is None:
                        doubts.append(Unseen(Reason.PARTIAL, "a port that a trunk carries was not seen"))
                    else:
                        yield inner

    def _told_by_nova(
        self, server: Resource, ports: Iterable[Resource], doubts: list[Unseen]
    ) -> Iterator[str]:
        """Floating addresses as Nova tells them; its other addresses have to be those of the ports."""
        seen = {_address(a) for port in ports for a in texts(port.facts.get("addresses"))}
        told = server.facts.get("addresses")
        if not isinstance(told, tuple):
            doubts.append(why(server, "addresses"))
        for record in records(told):
            address = _address(record.get("address"))
            if record.get("kind") == "floating" and address is not None:
                yield str(address)
            elif address not in seen:
                doubts.append(Unseen(Reason.PARTIAL, "Nova tells an address whose port was not seen"))


def _record(way: str, address: str, world: bool | None, partial: bool) -> Mapping[str, Value]:
    """A way in as a record; what is not known of it is left out. Of part of the ports none is closed."""
    found: dict[str, Value] = {"way": way}
    if address:
        found["address"] = address
    if world is not None and not (partial and world is False):
        found["world"] = world
    return found


def prepare_servers(world: World) -> Derive:
    """Servers with the ways to them."""
    return _Servers(world).of


# --- listeners of load balancers --------------------------------------------------------------------------


def prepare_listeners(world: World) -> Derive:
    """Listeners by the addresses of their load balancers."""
    ways, balancers = _Ways(world, None), _Things(world, LOAD_BALANCER)

    def leads_in(place: Scope, id_: str) -> Iterator[bool | None]:
        balancer = balancers.one(place, id_)
        vip = None if balancer is None else optional_text(balancer, "vip_port")
        if balancer is None or isinstance(vip, Unseen):
            yield None
        elif vip is not None:
            yield ways.has_floating_ip(place, vip)
            if ways.ports.one(place, vip) is None:
                yield None
        # NOTE: Octavia gives all ports of its virtual addresses the load balancer for a device.
        for port in (*ways.ports.of(place, str(vip)), *ways.by_device.of(place, f"lb-{id_}")):
            yield from (None if isinstance(path, Unseen) else path.leads_in for path in ways.to(port))

    def derive(listener: Resource) -> Derived:
        place, ids = where(listener), listener.facts.get("load_balancers")
        everywhere = Scope(place.target, place.region)
        hidden = ways.by_device.lists.unseen_in(everywhere) or ways.unseen_in(everywhere)
        unread = not isinstance(ids, tuple) or len(texts(ids)) < len(ids)
        answers = [a for id_ in texts(ids) for a in leads_in(place, id_)]
        answer = either([*answers, None if hidden or unread else False])
        if answer is not None:
            return Derived({"reach.public": answer})
        reason = why(listener, "load_balancers") if unread else hidden
        unknown = Unseen(Reason.PARTIAL, "a way to the load balancer or its port was not seen")
        return Derived(unseen={"reach.public": reason or unknown})

    return derive


# --- endpoints --------------------------------------------------------------------------------------------


def prepare_endpoints(world: World) -> Derive:
    """Endpoints by the kind of their address. A name tells nothing: nobody is asked what it means."""

    def derive(endpoint: Resource) -> Derived:
        host = text(endpoint.facts.get("host"))
        address = _address(host)
        if host is None:
            return Derived(unseen={"reach.private_address": why(endpoint, "host")})
        if address is None or "/" in host:
            detail = "its host is a name, which may mean different addresses inside and outside"
            return Derived(unseen={"reach.private_address": Unseen(Reason.NOT_COLLECTED, detail)})
        return Derived({"reach.private_address": inside(address)})

    return derive


_OF_WAYS: Final[Reads] = {
    PORT: ("device_id", "device_owner", "network", "addresses", "allowed_address_pairs"),
    NETWORK: ("external",),
    ROUTER: ("external_network",),
    FLOATING_IP: ("address", "port_id", "fixed_address", "router", "port_forwardings"),
}
_OF_GROUPS: Final[Reads] = {
    RULE: (
        "direction", "protocol", "ports", "remote_prefix", "remote_group", "remote_address_group",
        "security_group", "ethertype",
    ),
    GROUP: (),
    PORT: ("port_security", "security_groups"),
}  # fmt: skip

REACH: Final = (
    Family(
        "reach",
        {SERVER: ("reach.paths",)},
        merged({SERVER: ("addresses",), TRUNK: ("port", "sub_ports")}, _OF_WAYS, _OF_GROUPS),
        prepare_servers,
    ),
    Family(
        "reach",
        {LISTENER: ("reach.public",)},
        merged({LISTENER: ("load_balancers",), LOAD_BALANCER: ("vip_port",)}, _OF_WAYS),
        prepare_listeners,
    ),
    Family("reach", {ENDPOINT: ("reach.private_address",)}, {ENDPOINT: ("host",)}, prepare_endpoints),
)
