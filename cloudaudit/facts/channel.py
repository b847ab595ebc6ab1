"""What leads to the National Data Center, by the peers and ranges of the landing profile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from cloudaudit.facts.attribution import LABELS, label_of
from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    Reads,
    either,
    merged,
    nfc,
    optional_text,
    records,
    text,
    texts,
    unseen_anywhere,
    where,
    why,
)
from cloudaudit.model import Reason, Resource, Scope, Unseen, World
from cloudaudit.operators import Network, network

CONNECTION: Final = "openstack.vpn_connection"
ROUTER: Final = "openstack.router"
NETWORK: Final = "openstack.network"
SUBNET: Final = "openstack.subnet"
RULE: Final = "openstack.security_group_rule"
PROFILE: Final = "landing_profile"
NDC: Final = "ndc"
LABEL: Final = "role"

Leads: TypeAlias = bool | Unseen


class _Far:
    """The peers and networks at the National Data Center."""

    def __init__(self, world: World) -> None:
        self.missing = unseen_anywhere(world, PROFILE)
        self.peers: set[str] = set()
        ranges: set[str] = set()
        for profile in world.each(PROFILE):
            self.peers.update(peer.casefold() for peer in texts(profile.facts.get("ndc_peers")))
            ranges.update(texts(profile.facts.get("ndc_ranges")))
        self.networks = [net for name in sorted(self.peers | ranges) if (net := network(name)) is not None]

    @property
    def undeclared(self) -> Unseen | None:
        """Why it is not known what lies there: without peers and ranges nothing can be told to lead there."""
        if self.missing is None and not self.networks:
            return Unseen(Reason.PARTIAL, "the landing profile names no address of the National Data Center")
        return self.missing

    def holds(self, mine: Network | None) -> bool:
        """Whether an address, or the first one of a network, lies there."""
        return mine is not None and any(
            net.version == mine.version and mine.network_address in net for net in self.networks
        )

    def touches(self, mine: Network | None) -> bool:
        """Whether a network has addresses in common with those there; one of every address does not count."""
        return (
            mine is not None
            and mine.prefixlen > 0
            and any(net.version == mine.version and mine.overlaps(net) for net in self.networks)
        )


# --- VPN connections ------------------------------------------------------------------------------------


def prepare(world: World) -> Derive:
    """Peers by name or address, and addresses inside a declared network."""
    far = _Far(world)

    def derive(connection: Resource) -> Derived:
        if far.missing is not None:
            return Derived(unseen={"role": far.missing})
        peer = text(connection.facts.get("peer_address"))
        if peer is None:
            return Derived(unseen={"role": why(connection, "peer_address")})
        return Derived({"role": NDC if far.holds(network(peer)) or peer.casefold() in far.peers else None})

    return derive


CHANNEL: Final = Family(
    "channel",
    {CONNECTION: ("role",)},
    {CONNECTION: ("peer_address",), PROFILE: ("ndc_peers", "ndc_ranges")},
    prepare,
)


# --- what carries them inside the platform --------------------------------------------------------------


def _role(parts: Iterable[Leads]) -> Derived:
    """The role of what leads there by any of these signs."""
    found = list(parts)
    answer = either(None if isinstance(part, Unseen) else part for part in found)
    if answer is None:
        return Derived(unseen={"role": next(part for part in found if isinstance(part, Unseen))})
    return Derived({"role": NDC if answer else None})


def _labelled(resource: Resource) -> Leads:
    label = label_of(resource, LABEL)
    return label if isinstance(label, Unseen) else label is not None and label.casefold() == NDC


def _router(router: Resource, far: _Far) -> Derived:
    """By its label, or by where its static routes and its addresses outside lead."""
    routes, outside = router.facts.get("routes"), router.facts.get("external_addresses")
    ways = [network(to) for r in records(routes) if (to := text(r.get("destination")))]
    hops = [network(to) for r in records(routes) if (to := text(r.get("nexthop")))]
    by_route = any(map(far.touches, ways)) or any(map(far.holds, hops))
    by_address = any(far.holds(network(address)) for address in texts(outside))
    return _role(
        (
            _labelled(router),
            by_route or (False if isinstance(routes, tuple) else why(router, "routes")),
            by_address or (False if isinstance(outside, tuple) else why(router, "external_addresses")),
        )
    )


class _Subnets:
    """Address ranges of networks."""

    def __init__(self, world: World) -> None:
        self._of: dict[tuple[str, str], list[Network | None]] = defaultdict(list)
        blind: list[tuple[Scope, Unseen]] = []
        for subnet in world.each(SUBNET):
            of, cidr = text(subnet.facts.get("network")), text(subnet.facts.get("cidr"))
            if of is None or cidr is None or network(cidr) is None:
                blind.append((where(subnet), why(subnet, "network" if of is None else "cidr")))
            else:
                self._of[subnet.scope.target, of].append(network(cidr))
        self._lists = Lists(world, SUBNET, blind)

    def lead(self, net: Resource, far: _Far) -> Leads:
        if any(map(far.touches, self._of.get((net.scope.target, nfc(net.id)), ()))):
            return True
        return self._lists.unseen_in(where(net)) or False


def _rule(rule: Resource, far: _Far) -> Derived:
    """By the addresses of the other side, whichever way it opens."""
    prefix, group = optional_text(rule, "remote_prefix"), optional_text(rule, "remote_address_group")
    of_group: Leads = False if group is None else Unseen(Reason.NOT_COLLECTED, "it names an address group")
    if isinstance(group, Unseen):
        of_group = group
    if not isinstance(prefix, str):
        return _role((of_group, prefix if isinstance(prefix, Unseen) else False))
    mine = network(prefix)
    return _role((of_group, why(rule, "remote_prefix") if mine is None else far.touches(mine)))


def _prepared(read: Callable[[World, _Far], Derive]) -> Callable[[World], Derive]:
    """A derivation that knows nothing where nothing is declared."""

    def prepare(world: World) -> Derive:
        far = _Far(world)
        undeclared = far.undeclared
        derive = read(world, far)
        return derive if undeclared is None else lambda resource: Derived(unseen={"role": undeclared})

    return prepare


def _networks(world: World, far: _Far) -> Derive:
    subnets = _Subnets(world)
    return lambda net: _role((_labelled(net), subnets.lead(net, far)))


def _family(type_: str, reads: Reads, read: Callable[[World, _Far], Derive]) -> Family:
    profile = {PROFILE: ("ndc_peers", "ndc_ranges")}
    return Family("channel", {type_: ("role",)}, merged(reads, profile), _prepared(read))


INTERCONNECTION: Final = (
    _family(
        ROUTER,
        {ROUTER: ("routes", "external_addresses", *LABELS)},
        lambda world, far: lambda router: _router(router, far),
    ),
    _family(NETWORK, {NETWORK: LABELS, SUBNET: ("network", "cidr")}, _networks),
    _family(
        RULE,
        {RULE: ("remote_prefix", "remote_address_group")},
        lambda world, far: lambda rule: _rule(rule, far),
    ),
)
"""Apart, so that a control about one of them lists no others."""
