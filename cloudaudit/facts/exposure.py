"""Which security-group rules really let the world in: source, attachment, ports."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from typing import Final

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    both,
    nfc,
    optional_text,
    text,
    texts,
    where,
    whole_number,
    why,
)
from cloudaudit.model import MISSING, Partial, Reason, Resource, Scope, Unseen, Value, World
from cloudaudit.operators import Network, network

RULE: Final = "openstack.security_group_rule"
PORT: Final = "openstack.port"
GROUP: Final = "openstack.security_group"
FACTS: Final = ("exposure.world", "exposure.attached", "exposure.ports_open")
# NOTE: number 0 is every protocol, and Neutron has two more names for it.
WITH_PORTS: Final = frozenset({
    "any", "0", "ip", "hopopt", "tcp", "6", "udp", "17", "dccp", "33", "sctp", "132", "udplite", "136",
})  # fmt: skip
_WITHOUT_PORTS: Final = frozenset({
    "ah", "egp", "esp", "gre", "icmp", "icmpv6", "igmp", "ipip", "ipv6-encap", "ipv6-frag", "ipv6-icmp",
    "ipv6-nonxt", "ipv6-opts", "ipv6-route", "ospf", "pgm", "rsvp", "vrrp", *map(str, range(1, 256)),
}) - WITH_PORTS  # fmt: skip
_INWARD: Final = {"ingress": True, "egress": False}
ALL_PORTS: Final = (0, 65535)
_GLOBAL: Final = ipaddress.IPv6Network("2000::/3")


def prepare(world: World) -> Derive:
    """Rules with the ports their groups are on."""
    attached = _Attached(world)

    def derive(rule: Resource) -> Derived:
        facts: dict[str, Value] = {}
        unseen: dict[str, Unseen] = {}
        for name, answer in (
            ("exposure.world", from_world(rule)),
            ("exposure.attached", attached.of_rule(rule)),
            ("exposure.ports_open", open_ports(rule)),
        ):
            if isinstance(answer, Unseen):
                unseen[name] = answer
            else:
                facts[name] = answer
        return Derived(facts, unseen)

    return derive


def prepare_groups(world: World) -> Derive:
    """Groups with the ports they are on."""
    attached = _Attached(world)

    def derive(group: Resource) -> Derived:
        answer = attached.of(nfc(group.id), group)
        if isinstance(answer, Unseen):
            return Derived(unseen={"exposure.attached": answer})
        return Derived({"exposure.attached": answer})

    return derive


class _Attached:
    """Security groups that stand on a port of their region, in whatever project.

    A group can be shared with other projects, so a group on no port that was seen is unattached only
    where the ports of all projects of the region were listed.
    """

    def __init__(self, world: World) -> None:
        self._groups: dict[tuple[str, str | None], set[str]] = defaultdict(set)
        blind: list[tuple[Scope, Unseen]] = []
        for port in world.each(PORT):
            place = where(port)
            groups = port.facts.get("security_groups")
            seen = groups.items if isinstance(groups, Partial) else groups
            self._groups[place.target, place.region].update(texts(seen))
            if not isinstance(groups, tuple):
                blind.append((Scope(place.target, place.region), why(port, "security_groups")))
        self._lists = Lists(world, PORT, blind)

    def of_rule(self, rule: Resource) -> bool | Unseen:
        group = text(rule.facts.get("security_group"))
        return why(rule, "security_group") if group is None else self.of(group, rule)

    def of(self, group: str, seen: Resource) -> bool | Unseen:
        """Whether a group is on a port where the resource that tells of it was seen."""
        place = where(seen)
        regions = (
            {r for t, r in self._groups if t == place.target}
            if place.region is None
            else {place.region, None}
        )
        if any(group in self._groups.get((place.target, region), ()) for region in regions):
            return True
        return self._lists.unseen_in(Scope(place.target, place.region)) or False


def from_world(rule: Resource) -> bool | Unseen:
    """Whether a rule lets everybody in: ingress, from no group, from all addresses or as good as all."""
    direction, group, addresses, prefix = (
        optional_text(rule, name)
        for name in ("direction", "remote_group", "remote_address_group", "remote_prefix")
    )
    inward = _INWARD.get(direction) if isinstance(direction, str) else None
    from_no_group = None if isinstance(group, Unseen) else group is None
    # What is in an address group is not collected.
    from_addresses = True if addresses is None else None
    answer = both((inward, from_no_group, from_addresses, _is_world(prefix)))
    if answer is not None:
        return answer
    unknown = (part for part in (direction, group, addresses, prefix) if isinstance(part, Unseen))
    if isinstance(addresses, str):
        return Unseen(Reason.NOT_COLLECTED, "its source is an address group")
    return next(unknown, Unseen(Reason.INVALID_ANSWER, "its direction or source cannot be read"))


def _is_world(prefix: str | Unseen | None) -> bool | None:
    """Whether a source is every address there is, or a half of them: two rules of halves are as good."""
    if not isinstance(prefix, str):
        return True if prefix is None else None
    net: Network | None = network(prefix)
    if isinstance(net, ipaddress.IPv6Network):
        return net.prefixlen <= 1 + _GLOBAL.prefixlen and net.overlaps(_GLOBAL)
    return None if net is None else net.prefixlen <= 1


def open_ports(rule: Resource) -> Value:
    """The range a rule opens; all ports where it names none; null for a protocol without ports."""
    protocol = optional_text(rule, "protocol")
    if isinstance(protocol, Unseen):
        return protocol
    if protocol is not None and protocol.lower() in _WITHOUT_PORTS:
        return None
    if protocol is not None and protocol.lower() not in WITH_PORTS:
        return Unseen(Reason.INVALID_ANSWER, "of its protocol it is not known whether it has ports")
    ports = rule.facts.get("ports", MISSING)
    if ports is None:
        return ALL_PORTS
    if isinstance(ports, tuple) and len(ports) == 2:
        low, high = map(whole_number, ports)
        if low is not None and high is not None and 0 <= low <= high <= ALL_PORTS[1]:
            return ports
    return why(rule, "ports")


EXPOSURE: Final = Family(
    "exposure",
    {RULE: FACTS},
    {
        RULE: (
            "direction", "protocol", "ports", "remote_prefix", "remote_group", "remote_address_group",
            "security_group",
        ),
        PORT: ("security_groups",),
    },
    prepare,
)  # fmt: skip
EXPOSURE_OF_GROUPS: Final = Family(
    "exposure",
    {GROUP: ("exposure.attached",)},
    {GROUP: (), PORT: ("security_groups",)},
    prepare_groups,
)
