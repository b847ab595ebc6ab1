"""Which VPN connections lead to the National Data Center, by the peers and ranges of the landing profile."""

from __future__ import annotations

from typing import Final

from cloudaudit.facts.derivation import Derive, Derived, Family, text, texts, unseen_anywhere, why
from cloudaudit.model import Resource, World
from cloudaudit.operators import network

CONNECTION: Final = "openstack.vpn_connection"
PROFILE: Final = "landing_profile"
NDC: Final = "ndc"


def prepare(world: World) -> Derive:
    """Peers by name or address, and addresses inside a declared network."""
    missing = unseen_anywhere(world, PROFILE)
    peers: set[str] = set()
    ranges: set[str] = set()
    for profile in world.each(PROFILE):
        peers.update(peer.casefold() for peer in texts(profile.facts.get("ndc_peers")))
        ranges.update(texts(profile.facts.get("ndc_ranges")))
    networks = [net for name in sorted(peers | ranges) if (net := network(name)) is not None]

    def derive(connection: Resource) -> Derived:
        if missing is not None:
            return Derived(unseen={"role": missing})
        peer = text(connection.facts.get("peer_address"))
        if peer is None:
            return Derived(unseen={"role": why(connection, "peer_address")})
        mine = network(peer)
        inside = mine is not None and any(
            net.version == mine.version and mine.network_address in net for net in networks
        )
        return Derived({"role": NDC if inside or peer.casefold() in peers else None})

    return derive


CHANNEL: Final = Family(
    "channel",
    {CONNECTION: ("role",)},
    {CONNECTION: ("peer_address",), PROFILE: ("ndc_peers", "ndc_ranges")},
    prepare,
)
