"""Which VPN connections lead to the National Data Center."""

from __future__ import annotations

import pytest
from builders import REGISTERS, World, derived, no_register, reasons, resource

from cloudaudit.model import Reason, Resource, Value

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
