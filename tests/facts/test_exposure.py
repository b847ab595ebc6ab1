"""Which rules let the world in."""

from __future__ import annotations

import pytest
from builders import CLOUD, PROJECT, World, derived, gap, in_project, listing, port, reasons, resource, rule

from cloudaudit.model import Partial, Reason, Scope, Unseen, Value

WORLD = World([port("p-1", "sg-1")])


def fact(name: str, facts: dict[str, Value], world: World = WORLD) -> Value:
    """A fact of a rule, or why it is missing."""
    found = derived("exposure", world, rule(facts=facts))
    return found.facts[name] if name in found.facts else reasons(found)[name]


@pytest.mark.parametrize(
    ("facts", "world"),
    [
        ({}, True),
        ({"remote_prefix": "0.0.0.0/0"}, True),
        ({"remote_prefix": "::/0"}, True),
        ({"remote_prefix": "128.0.0.0/1"}, True),  # one of two halves
        ({"remote_prefix": "2000::/3"}, True),  # every public address of IPv6
        ({"remote_prefix": "64.0.0.0/2"}, False),
        ({"remote_prefix": "fc00::/6"}, False),
        ({"remote_prefix": "::/4"}, False),
        ({"remote_prefix": "203.0.113.9"}, False),
        ({"remote_prefix": "10.0.0.0/8"}, False),
        ({"direction": "egress"}, False),
        ({"remote_group": "sg-2"}, False),
        ({"remote_address_group": "x"}, Reason.NOT_COLLECTED),
        ({"remote_address_group": "x", "direction": "egress"}, False),
        ({"remote_prefix": "khong-phai"}, Reason.INVALID_ANSWER),
        ({"remote_prefix": 5}, Reason.INVALID_ANSWER),
        ({"remote_prefix": 5, "remote_group": "sg-2"}, False),
        ({"direction": None}, Reason.INVALID_ANSWER),
        ({"direction": "INGRESS"}, Reason.INVALID_ANSWER),
        ({"direction": "odd", "remote_group": "sg-2"}, False),
    ],
)
def test_the_source_of_a_rule(facts: dict[str, Value], world: Value) -> None:
    assert fact("exposure.world", facts) == world


@pytest.mark.parametrize("hidden", ["direction", "remote_prefix", "remote_group", "remote_address_group"])
def test_a_source_that_was_not_seen_is_not_the_world(hidden: str) -> None:
    found = derived("exposure", WORLD, rule(without=[hidden], unseen={hidden: Unseen(Reason.TIMEOUT)}))
    assert reasons(found)["exposure.world"] is Reason.TIMEOUT


@pytest.mark.parametrize(
    ("facts", "ports"),
    [
        ({"ports": (22, 22)}, (22, 22)),
        ({"ports": None}, (0, 65535)),
        ({"ports": None, "protocol": None}, (0, 65535)),
        ({"ports": (1, 5), "protocol": "UDP"}, (1, 5)),
        ({"ports": (1, 5), "protocol": "132"}, (1, 5)),
        ({"ports": None, "protocol": "0"}, (0, 65535)),
        ({"ports": None, "protocol": "ip"}, (0, 65535)),
        ({"ports": None, "protocol": "hopopt"}, (0, 65535)),
        ({"ports": None, "protocol": "icmp"}, None),
        ({"ports": None, "protocol": "256"}, Reason.INVALID_ANSWER),
        ({"ports": None, "protocol": "odd"}, Reason.INVALID_ANSWER),
        ({"ports": None, "protocol": "47"}, None),
        ({"ports": (22,)}, Reason.INVALID_ANSWER),
        ({"ports": (30, 20)}, Reason.INVALID_ANSWER),
        ({"ports": ("22", "23")}, Reason.INVALID_ANSWER),
        ({"protocol": 6}, Reason.INVALID_ANSWER),
    ],
)
def test_the_ports_of_a_rule(facts: dict[str, Value], ports: Value) -> None:
    assert fact("exposure.ports_open", facts) == ports


def test_ports_that_were_not_seen_are_not_all_ports() -> None:
    found = derived("exposure", WORLD, rule(without=["ports", "protocol"]))
    assert reasons(found)["exposure.ports_open"] is Reason.PARTIAL


@pytest.mark.parametrize(
    ("world", "attached"),
    [
        (WORLD, True),
        (World([port("p-1", "sg-2")]), False),
        (World([port("p-1", "sg-1", scope=in_project("khac"))]), True),  # a shared group
        (World([port("p-1", "sg-1", scope=in_project(PROJECT, "hcm"))]), False),
        (World([port("p-1", "sg-1")], [gap("openstack.port")]), True),
        (World(gaps=[gap("openstack.port", in_project(PROJECT))]), Reason.NO_PERMISSION),
        (World(gaps=[gap("openstack.port", in_project("khac"))]), Reason.NO_PERMISSION),
        (World(gaps=[gap("openstack.port", Scope(CLOUD, "hcm"))], listings=[
            listing("openstack.port", in_project(None))]), False),
        (World([resource("openstack.port", "p-1", {})]), Reason.PARTIAL),
        (World([resource("openstack.port", "p-1", {"security_groups": Partial(("sg-1",))})]), True),
        (World([resource("openstack.port", "p-1", {"security_groups": Partial(("sg-2",))})]), Reason.INVALID_ANSWER),
        (World([port("p-1", "sg-1", unseen={"region": Unseen(Reason.AMBIGUOUS)})]), True),
    ],
)  # fmt: skip
def test_a_group_is_attached_where_a_port_of_its_region_has_it(world: World, attached: Value) -> None:
    assert fact("exposure.attached", {}, world) == attached


def test_a_rule_of_an_unknown_region_looks_everywhere() -> None:
    doubt = rule(unseen={"region": Unseen(Reason.AMBIGUOUS)})
    world = World([port("p-1", "sg-1", scope=in_project(PROJECT, "hcm"))])
    assert derived("exposure", world, doubt).facts["exposure.attached"] is True


def test_a_rule_without_its_group_is_neither() -> None:
    assert fact("exposure.attached", {"security_group": None}) is Reason.INVALID_ANSWER


@pytest.mark.parametrize(
    ("world", "attached"),
    [
        (WORLD, True),
        (World([port("p-1", "sg-2")]), False),
        (World([port("p-1", "sg-1", scope=in_project("khac"))]), True),
        (World([], [gap("openstack.port")]), Reason.NO_PERMISSION),
        (World([port("p-1", "sg-1")], [gap("openstack.port")]), True),
        (World([resource("openstack.port", "p-1", {})]), Reason.PARTIAL),
    ],
)
def test_a_group_on_a_port(world: World, attached: Value) -> None:
    found = derived("exposure", world, resource("openstack.security_group", "sg-1", {}))
    assert found.facts.get("exposure.attached", reasons(found).get("exposure.attached")) == attached
