"""Which VPN connections lead to the National Data Center."""

from __future__ import annotations

import pytest
from builders import (
    PROJECT,
    REGISTERS,
    World,
    derived,
    gap,
    in_project,
    no_register,
    reasons,
    resource,
    rule,
)

from cloudaudit.model import Gap, Reason, Resource, Value

PROFILE = Resource(
    "landing_profile",
    "ndc",
    REGISTERS,
    0,
    {"ndc_peers": ("203.0.113.9", "VPN.ndc.example.vn"), "ndc_ranges": ("198.51.100.0/24", "2001:db8::/32")},
)


@pytest.mark.parametrize(
    ("peer", "role"),
    [
        ("203.0.113.9", "ndc"),
        ("203.0.113.10", None),
        ("vpn.NDC.example.vn", "ndc"),
        ("198.51.100.7", "ndc"),
        ("2001:db8::7", "ndc"),
        ("vpn.example.vn", None),
        ("", Reason.INVALID_ANSWER),
        (5, Reason.INVALID_ANSWER),
    ],
)
def test_peers_are_told_by_name_address_or_range(peer: Value, role: Value) -> None:
    found = derived(
        "channel", World([PROFILE]), resource("openstack.vpn_connection", "w", {"peer_address": peer})
    )
    assert {**reasons(found), **found.facts} == {"role": role}


def test_without_a_landing_profile_no_peer_has_a_role() -> None:
    connection = resource("openstack.vpn_connection", "w", {"peer_address": "203.0.113.9"})
    found = derived("channel", World(gaps=[no_register("landing_profile")]), connection)
    assert (found.facts, reasons(found)) == ({}, {"role": Reason.REGISTER_MISSING})


def test_a_profile_without_peers_gives_none_a_role() -> None:
    empty = Resource("landing_profile", "ndc", REGISTERS, 0, {"ndc_peers": (), "ndc_ranges": ()})
    connection = resource("openstack.vpn_connection", "w", {"peer_address": "203.0.113.9"})
    assert derived("channel", World([empty]), connection).facts == {"role": None}


# --- inside the platform ------------------------------------------------------------------------------


def role(one: Resource, *others: Resource, gaps: tuple[Gap, ...] = ()) -> Value:
    found = derived("channel", World([PROFILE, one, *others], gaps), one)
    return found.facts["role"] if "role" in found.facts else reasons(found)["role"]


def router(**facts: Value) -> Resource:
    plain = {"routes": (), "external_addresses": (), "labels": {}, "label_names": ()}
    return resource("openstack.router", "t-1", {**plain, **facts})


def route(destination: str, nexthop: str = "10.0.0.1") -> tuple[Value, ...]:
    return ({"destination": destination, "nexthop": nexthop},)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, None),
        ({"labels": {"role": "NDC"}, "label_names": ("role",)}, "ndc"),
        ({"labels": {"role": "web"}, "label_names": ("role",)}, None),
        ({"routes": route("198.51.100.0/25")}, "ndc"),
        ({"routes": route("198.51.0.0/16")}, "ndc"),
        ({"routes": route("0.0.0.0/0")}, None),  # leads everywhere
        ({"routes": route("203.0.113.9/32")}, "ndc"),
        ({"routes": route("10.9.0.0/16", "198.51.100.1")}, "ndc"),
        ({"routes": route("10.9.0.0/16", "10.0.0.1")}, None),
        ({"external_addresses": ("198.51.100.7",)}, "ndc"),
        ({"external_addresses": ("192.0.2.7",)}, None),
        ({"external_addresses": None}, Reason.INVALID_ANSWER),
        ({"routes": 5}, Reason.INVALID_ANSWER),
        ({"routes": 5, "external_addresses": ("198.51.100.7",)}, "ndc"),
        ({"labels": None, "routes": route("198.51.100.0/24")}, "ndc"),
        ({"labels": None}, Reason.INVALID_ANSWER),
    ],
)
def test_a_router_leads_there_by_label_route_or_address(facts: dict[str, Value], expected: Value) -> None:
    assert role(router(**facts)) == expected


def subnet(cidr: str, of: str = "n-1", **facts: Value) -> Resource:
    return resource("openstack.subnet", f"u-{cidr}", {"network": of, "cidr": cidr, **facts})


NET = resource("openstack.network", "n-1", {"labels": {}, "label_names": ()})


@pytest.mark.parametrize(
    ("others", "gaps", "expected"),
    [
        ((subnet("198.51.100.0/26"),), (), "ndc"),
        ((subnet("10.0.0.0/24"), subnet("2001:db8:1::/64")), (), "ndc"),
        ((subnet("10.0.0.0/24"),), (), None),
        ((subnet("198.51.100.0/26", of="n-2"),), (), None),
        ((), (gap("openstack.subnet", in_project(PROJECT)),), Reason.NO_PERMISSION),
        ((subnet("198.51.100.0/26"),), (gap("openstack.subnet", in_project(PROJECT)),), "ndc"),
        ((resource("openstack.subnet", "u", {"network": "n-1"}),), (), Reason.PARTIAL),
    ],
)
def test_a_network_leads_there_by_its_subnets(
    others: tuple[Resource, ...], gaps: tuple[Gap, ...], expected: Value
) -> None:
    assert role(NET, *others, gaps=gaps) == expected


def test_a_network_leads_there_by_its_label() -> None:
    labelled = resource("openstack.network", "n-1", {"labels": {"role": "ndc"}, "label_names": ("role",)})
    assert role(labelled) == "ndc"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"remote_prefix": "198.51.100.0/24"}, "ndc"),
        ({"remote_prefix": "198.51.0.0/16", "direction": "egress"}, "ndc"),
        ({"remote_prefix": "0.0.0.0/0"}, None),
        ({"remote_prefix": None}, None),
        ({"remote_prefix": "10.0.0.0/8"}, None),
        ({"remote_prefix": "khong-phai"}, Reason.INVALID_ANSWER),
        ({"remote_prefix": 5}, Reason.INVALID_ANSWER),
        ({"remote_address_group": "x"}, Reason.NOT_COLLECTED),
        ({"remote_address_group": 5}, Reason.INVALID_ANSWER),
        ({"remote_address_group": "x", "remote_prefix": "198.51.100.0/24"}, "ndc"),
    ],
)
def test_a_rule_leads_there_by_the_addresses_of_the_other_side(
    facts: dict[str, Value], expected: Value
) -> None:
    assert role(rule(facts=facts)) == expected


@pytest.mark.parametrize("one", [router(routes=route("198.51.100.0/24")), NET, rule()])
def test_where_no_address_of_the_other_side_is_declared_nothing_is_known_to_lead_there(one: Resource) -> None:
    empty = Resource("landing_profile", "ndc", REGISTERS, 0, {"ndc_peers": ("ndc.vn",), "ndc_ranges": ()})
    assert reasons(derived("channel", World([empty, one]), one)) == {"role": Reason.PARTIAL}
    missing = World([one], [no_register("landing_profile")])
    assert reasons(derived("channel", missing, one)) == {"role": Reason.REGISTER_MISSING}
