"""What of access is declared in papers: where administrators may come from, who may touch customers' data.

A `remote-access` paper lists under `entries` the addresses from which administration and support come,
a `customer-data-access` paper the accounts that may be given a role in a customer's project (controls
RES-17 and DAT-08). Only papers in force count; one of which that is not known leaves open what it lists.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
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
from cloudaudit.facts.papers import READ_OF_PAPERS, Papers
from cloudaudit.model import Reason, Resource, Scope, Unseen, World
from cloudaudit.operators import Network, network

RULE: Final = "openstack.security_group_rule"
GROUP: Final = "openstack.address_group"
USER: Final = "openstack.user"
REMOTE: Final = "remote-access"
CUSTOMERS: Final = "customer-data-access"
HOME: Final = "VN"
PRIVATE: Final[tuple[Network, ...]] = tuple(
    ipaddress.ip_network(net)
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10")
)
"""Addresses that no packet from the Internet bears (RFC 1918, 6598, 4193, 4291)."""


def _lines(world: World, kind: str) -> tuple[list[str], Unseen | None]:
    """What the papers of a kind that are in force list, and why there may be more."""
    papers = Papers(world)
    missing = unseen_anywhere(world, "attestation")
    found: list[str] = []
    for paper in world.each("attestation"):
        if paper.facts.get("kind") != kind:
            continue
        state = papers.of(paper)
        if "state" not in state.facts:
            missing = missing or state.unseen["state"]
        elif state.facts["state"] == "valid":
            found += _whats(paper.facts.get("entries"))
    return found, missing


def _whats(entries: object) -> Iterator[str]:
    for entry in records(entries) if isinstance(entries, tuple) else ():
        if (what := text(entry.get("what"))) is not None:
            yield what


# --- where administrators come from -----------------------------------------------------------------------


class _Declared:
    """Networks that are private, at a domestic site, or listed in a paper on remote access."""

    def __init__(self, world: World) -> None:
        lines, self._missing = _lines(world, REMOTE)
        self._missing = self._missing or unseen_anywhere(world, "site")
        at_home = (site for site in world.each("site") if site.facts.get("country") == HOME)
        ranges = (name for site in at_home for name in texts(site.facts.get("ip_ranges")))
        found = (network(name) for name in (*ranges, *lines))
        self._networks = (*PRIVATE, *(net for net in found if net is not None and _is_somebodys(net)))

    def covers(self, address: str) -> bool | Unseen:
        mine = network(address)
        if mine is None:
            return Unseen(Reason.INVALID_ANSWER, "its source is no address")
        ends = (mine.network_address, mine.broadcast_address)
        if any(mine.version == net.version and all(end in net for end in ends) for net in self._networks):
            return True
        return self._missing or False

    def covers_all(self, addresses: Iterable[str]) -> bool | Unseen:
        """False as soon as one is not declared, else the first reason why one may not be."""
        answers = [self.covers(address) for address in addresses]
        if False in answers:
            return False
        return next((answer for answer in answers if isinstance(answer, Unseen)), True)


def _is_somebodys(net: Network) -> bool:
    """Whether a network can be one organisation's; whoever lists more than that has declared nothing."""
    return net.prefixlen >= (8 if net.version == 4 else 16)


class _Groups:
    """Address groups by id. Another project may share one, so that not to see it tells nothing."""

    def __init__(self, world: World) -> None:
        self._by_id: Mapping[tuple[str, str], Resource] = {
            (group.scope.target, nfc(group.id)): group for group in world.each(GROUP)
        }
        self._lists = Lists(world, GROUP)

    def addresses(self, rule: Resource, id_: str) -> tuple[str, ...] | Unseen:
        scope = where(rule)
        group = self._by_id.get((scope.target, id_))
        if group is None:
            gap = self._lists.unseen_in(Scope(scope.target, scope.region))
            return gap or Unseen(Reason.PARTIAL, "its address group was not listed")
        found = group.facts.get("addresses")
        return texts(found) if isinstance(found, tuple) else why(group, "addresses")


def prepare_rules(world: World) -> Derive:
    """Whether all sources of a rule are declared. Everybody, and any address, is not."""
    declared, groups = _Declared(world), _Groups(world)

    def derive(rule: Resource) -> Derived:
        answer = _source_declared(rule, declared, groups)
        name = "source.declared"
        return Derived(unseen={name: answer}) if isinstance(answer, Unseen) else Derived({name: answer})

    return derive


def _source_declared(rule: Resource, declared: _Declared, groups: _Groups) -> bool | Unseen:
    group, addresses, prefix = (
        optional_text(rule, name) for name in ("remote_group", "remote_address_group", "remote_prefix")
    )
    if group is not None:
        return True if isinstance(group, str) else group
    if isinstance(addresses, str):
        found = groups.addresses(rule, addresses)
        return found if isinstance(found, Unseen) else declared.covers_all(found)
    if addresses is not None:
        return addresses
    if isinstance(prefix, str):
        return declared.covers(prefix)
    return prefix or False


# --- who may touch customers' data ------------------------------------------------------------------------


def prepare_users(world: World) -> Derive:
    """Whether a paper in force names an account, by id, or by a name that no other of its cloud bears.

    Names are unique within a domain only: a tenant may call an account as the provider calls one of his.
    """
    lines, missing = _lines(world, CUSTOMERS)
    named = frozenset(lines)
    bearers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for user in world.each(USER):
        if nfc(user.name) in named:
            bearers[user.scope.target, nfc(user.name)].add(user.id)
    users = Lists(world, USER)

    def derive(user: Resource) -> Derived:
        if nfc(user.id) in named:
            return Derived({"access.declared": True})
        if nfc(user.name) in named:
            gap = users.unseen_in(Scope(user.scope.target))
            if len(bearers[user.scope.target, nfc(user.name)]) > 1:
                gap = Unseen(Reason.AMBIGUOUS, "several users bear the name in the paper; name it by its id")
            return (
                Derived({"access.declared": True})
                if gap is None
                else Derived(unseen={"access.declared": gap})
            )
        if missing is not None:
            return Derived(unseen={"access.declared": missing})
        return Derived({"access.declared": False})

    return derive


ACCESS: Final = (
    Family(
        "access",
        {RULE: ("source.declared",)},
        merged(
            {
                RULE: ("remote_prefix", "remote_group", "remote_address_group"),
                GROUP: ("addresses",),
                "site": ("country", "ip_ranges"),
                "attestation": ("kind", "entries"),
            },
            READ_OF_PAPERS,
        ),
        prepare_rules,
    ),
    Family(
        "access",
        {USER: ("access.declared",)},
        merged({USER: (), "attestation": ("kind", "entries")}, READ_OF_PAPERS),
        prepare_users,
    ),
)
