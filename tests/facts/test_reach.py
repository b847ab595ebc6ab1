"""How servers, listeners and endpoints are reached from outside."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from builders import CLOUD, REGION, World, derived, gap, listing, reasons, resource, rule

from cloudaudit.model import Partial, Reason, Resource, Scope, Unseen, Value

OUT, IN = "203.0.113.9", "10.0.0.5"
V6 = "2001:db8::5"


def server(*addresses: tuple[str, str | None]) -> Resource:
    told = tuple({"network": "n", "address": a, "version": 4, "kind": kind} for a, kind in addresses)
    return resource("openstack.server", "m-1", {"addresses": told})


def port(id_: str = "p-1", facts: Mapping[str, Value] | None = None) -> Resource:
    plain: dict[str, Value] = {
        "network": "n-1", "device_owner": "compute:az", "device_id": "m-1", "addresses": (IN,),
        "allowed_address_pairs": (), "port_security": True, "security_groups": ("sg-1",),
    }  # fmt: skip
    return resource("openstack.port", id_, {**plain, **(facts or {})})


def floating(facts: Mapping[str, Value] | None = None) -> Resource:
    plain: dict[str, Value] = {
        "address": OUT, "port_id": "p-1", "fixed_address": IN, "router": "r-1", "port_forwardings": (),
    }  # fmt: skip
    return resource("openstack.floating_ip", "f-1", {**plain, **(facts or {})})


def network(id_: str = "n-1", *, external: Value = False) -> Resource:
    return resource("openstack.network", id_, {"external": external})


def router(outside: Value = "n-ext") -> Resource:
    return resource("openstack.router", "r-1", {"external_network": outside})


INTERFACE = port(
    "p-r", {"device_owner": "network:router_interface", "device_id": "r-1", "addresses": ("10.0.0.1",)}
)
GROUP = resource("openstack.security_group", "sg-1", {})
OPEN = rule("r-open")
CLOSED = rule("r-closed", {"remote_prefix": "10.0.0.0/8"})
M1 = server((IN, "fixed"))
BASE = (network(), GROUP, CLOSED)


def paths(one: Resource, *others: Resource, gaps: tuple[str, ...] = ()) -> Value:
    """The ways to a server, or what is seen of them with why there may be more."""
    found = derived("reach", World([one, *others], [gap(type_) for type_ in gaps]), one)
    unseen = reasons(found).get("reach.paths")
    return found.facts["reach.paths"] if unseen is None else (found.facts["reach.paths"], unseen)


def way(kind: str, address: str, world: bool | None) -> Mapping[str, Value]:
    return {"way": kind, "address": address, **({} if world is None else {"world": world})}


def test_a_server_inside_has_no_way() -> None:
    assert paths(M1, *BASE, port()) == ()


def test_a_server_without_a_port_has_no_way() -> None:
    assert paths(server(), *BASE) == ()


@pytest.mark.parametrize(
    ("others", "world"),
    [
        ((GROUP, CLOSED), False),
        ((GROUP, OPEN, CLOSED), True),
        ((GROUP, rule(facts={"ethertype": "IPv6"})), False),
        ((GROUP, rule(facts={"direction": "egress"})), False),
        ((GROUP, rule(facts={"protocol": "icmp", "ports": None})), False),
        ((GROUP, rule(facts={"protocol": "47", "ports": None})), True),
        ((GROUP, rule(facts={"protocol": None, "ports": None})), True),
        ((GROUP, rule(facts={"security_group": "sg-2"})), False),
        ((GROUP, rule(facts={"remote_address_group": "x"})), None),
        ((GROUP, rule(without=["ethertype"])), None),
        ((GROUP, rule(without=["ports"])), None),
        ((GROUP, rule(without=["security_group"])), None),
        ((CLOSED,), None),  # whose group was not seen
        ((OPEN,), True),
    ],
)
def test_who_gets_through_a_floating_ip(others: tuple[Resource, ...], world: bool | None) -> None:
    assert paths(M1, network(), port(), floating(), *others) == (way("floating_ip", OUT, world),)


@pytest.mark.parametrize(
    ("facts", "world"),
    [
        ({"port_security": False}, True),
        ({"port_security": None}, False),
        ({"port_security": False, "security_groups": ()}, True),
        ({"security_groups": ()}, False),
        ({"security_groups": "sg-1"}, None),
        ({"port_security": "?"}, None),
    ],
)
def test_what_a_port_lets_in(facts: Mapping[str, Value], world: bool | None) -> None:
    assert paths(M1, *BASE, port(facts=facts), floating()) == (way("floating_ip", OUT, world),)


def test_a_gap_in_the_rules_leaves_it_open_who_gets_through() -> None:
    rules = ("openstack.security_group_rule",)
    assert paths(M1, *BASE, port(), floating(), gaps=rules) == (way("floating_ip", OUT, None),)
    assert paths(M1, *BASE, OPEN, port(), floating(), gaps=rules) == (way("floating_ip", OUT, True),)


def test_a_port_on_an_external_network() -> None:
    found = paths(M1, network(external=True), GROUP, CLOSED, port())
    assert found == (way("external_network", IN, False),)


def test_a_public_address_counts_where_a_router_leads_out() -> None:
    m1, p1 = server((V6, "fixed")), port(facts={"addresses": (V6,)})
    world = rule(facts={"ethertype": "IPv6"})
    assert paths(m1, network(), GROUP, world, p1, INTERFACE, router()) == (way("routed", V6, True),)
    assert paths(m1, network(), GROUP, OPEN, p1, INTERFACE, router()) == (way("routed", V6, False),)
    for others in ((), (router(None), INTERFACE), (INTERFACE,), (router(),)):
        assert paths(m1, network(), GROUP, world, p1, *others) == (way("routed", V6, None),)
        assert paths(m1, network(), GROUP, OPEN, p1, *others) == (way("routed", V6, False),)


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.0.0.5", True), ("172.31.0.1", True), ("192.168.1.1", True), ("100.64.0.1", True),
        ("169.254.1.1", True), ("127.0.0.1", True), ("fd00::1", True), ("fe80::1", True), ("::1", True),
        ("::ffff:10.0.0.5", True), ("172.32.0.1", False), ("203.0.113.9", False), ("2001:db8::1", False),
        ("::ffff:203.0.113.9", False),
    ],
)  # fmt: skip
def test_addresses_that_are_never_routed(address: str, inside: bool) -> None:
    one = resource("openstack.endpoint", "e-1", {"host": address})
    assert derived("reach", World([one]), one).facts == {"reach.private_address": inside}


@pytest.mark.parametrize("host", ["controller", "api.example.vn", "10.0.0.0/8", "3232235777", "localhost"])
def test_a_name_tells_nothing(host: str) -> None:
    one = resource("openstack.endpoint", "e-1", {"host": host})
    assert reasons(derived("reach", World([one]), one)) == {"reach.private_address": Reason.NOT_COLLECTED}


def test_a_host_that_was_not_seen() -> None:
    one = resource("openstack.endpoint", "e-1", {}, unseen={"host": Unseen(Reason.TIMEOUT)})
    assert reasons(derived("reach", World([one]), one)) == {"reach.private_address": Reason.TIMEOUT}


# --- ways that are easily missed ------------------------------------------------------------------------


def test_ports_that_a_floating_ip_forwards() -> None:
    forwards = {
        "port_id": None,
        "fixed_address": None,
        "port_forwardings": ({"address": IN, "port": 22, "protocol": "tcp"},),
    }
    assert paths(M1, *BASE, port(), INTERFACE, floating(forwards)) == (way("floating_ip", OUT, False),)
    # Another network may have the same addresses.
    assert paths(M1, *BASE, port(), floating(forwards)) == (Partial(()), Reason.PARTIAL)
    other = {**forwards, "port_forwardings": ({"address": "10.0.0.6", "port": 22, "protocol": "tcp"},)}
    assert paths(M1, *BASE, port(), INTERFACE, floating(other)) == ()


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (
            {"port_id": None, "fixed_address": None, "port_forwardings": None},
            (Partial(()), Reason.INVALID_ANSWER),
        ),
        ({"port_id": None, "fixed_address": None, "port_forwardings": None, "router": None}, ()),
        ({"port_id": "p-9", "port_forwardings": None}, ()),
        ({"port_id": 7, "fixed_address": None}, (Partial(()), Reason.INVALID_ANSWER)),
        ({"port_id": "p-9", "fixed_address": 7}, (Partial(()), Reason.INVALID_ANSWER)),
        ({"port_id": "p-9", "fixed_address": "?"}, (Partial(()), Reason.INVALID_ANSWER)),
        ({"port_id": "p-9"}, ()),
    ],
)
def test_a_floating_ip_that_may_lead_anywhere(facts: Mapping[str, Value], found: Value) -> None:
    assert paths(M1, *BASE, port(), floating(facts)) == found


def test_a_floating_ip_of_an_address_that_servers_share() -> None:
    pair = port(facts={"allowed_address_pairs": ({"address": "10.0.0.100"},)})
    shared = floating({"port_id": "p-vip", "fixed_address": "10.0.0.100"})
    vip = port("p-vip", {"device_id": "", "device_owner": ""})
    assert paths(M1, *BASE, pair, vip, shared) == (way("floating_ip", OUT, False),)
    elsewhere = port("p-vip", {"device_id": "", "device_owner": "", "network": "n-2"})
    assert paths(M1, *BASE, pair, elsewhere, shared) == ()
    assert paths(M1, *BASE, pair, shared) == (Partial(()), Reason.PARTIAL)


ANY_OF_IT: Mapping[str, Value] = {"allowed_address_pairs": ({"address": "10.0.0.0/24"},)}


@pytest.mark.parametrize(
    ("mine", "theirs", "found"),
    [
        (ANY_OF_IT, {}, (Partial(()), Reason.PARTIAL)),
        ({"allowed_address_pairs": ({"address": "0.0.0.0/0"},)}, {}, (Partial(()), Reason.PARTIAL)),
        ({"allowed_address_pairs": ({"address": "?"},)}, {}, (Partial(()), Reason.INVALID_ANSWER)),
        ({"port_security": False}, {}, (Partial(()), Reason.PARTIAL)),
        ({"port_security": "?"}, {}, (Partial(()), Reason.PARTIAL)),
        ({"port_security": None}, {}, ()),
        ({"allowed_address_pairs": ({"address": "10.0.1.0/24"},)}, {}, ()),
        ({"allowed_address_pairs": ({"address": "2001:db8::/32"},)}, {}, ()),
        (ANY_OF_IT, {"device_id": "m-2"}, ()),  # it leads to another server
        (ANY_OF_IT, {"device_owner": "trunk:subport"}, ()),
        (ANY_OF_IT, {"network": "n-2"}, ()),
        (ANY_OF_IT, {"network": None}, (Partial(()), Reason.PARTIAL)),
    ],
)
def test_a_range_may_hold_an_address_that_a_floating_ip_leads_to(
    mine: Mapping[str, Value], theirs: Mapping[str, Value], found: Value
) -> None:
    shared = floating({"port_id": "p-vip", "fixed_address": "10.0.0.100"})
    vip = port("p-vip", {"device_id": "", "device_owner": "", "addresses": ("10.0.0.100",), **theirs})
    assert paths(M1, *BASE, port(facts=mine), vip, shared) == found


def test_a_range_and_a_floating_ip_whose_port_was_not_seen() -> None:
    shared = floating({"port_id": "p-vip", "fixed_address": "10.0.0.100"})
    assert paths(M1, *BASE, port(facts=ANY_OF_IT), shared) == (Partial(()), Reason.PARTIAL)


def test_a_port_that_a_trunk_carries() -> None:
    inner = port("p-2", {"device_id": "", "device_owner": "trunk:subport", "addresses": ("10.1.0.5",)})
    trunk = resource("openstack.trunk", "t-1", {"port": "p-1", "sub_ports": ({"port": "p-2"},)})
    leads = floating({"port_id": "p-2", "fixed_address": "10.1.0.5"})
    assert paths(M1, *BASE, port(), inner, trunk, leads) == (way("floating_ip", OUT, False),)
    assert paths(M1, *BASE, port(), trunk, leads) == (Partial(()), Reason.PARTIAL)
    odd = resource("openstack.trunk", "t-1", {"port": "p-1", "sub_ports": None})
    assert paths(M1, *BASE, port(), odd) == (Partial(()), Reason.INVALID_ANSWER)


def test_what_nova_tells_is_not_overlooked() -> None:
    told = server((IN, "fixed"), (OUT, "floating"))
    assert paths(told, *BASE, port()) == (way("floating_ip", OUT, None),)
    assert paths(told, *BASE, port(), floating()) == (way("floating_ip", OUT, False),)
    # An address of a port that was not listed.
    assert paths(server((IN, "fixed"), ("10.2.0.5", "fixed")), *BASE, port()) == (Partial(()), Reason.PARTIAL)
    silent = resource("openstack.server", "m-1", {})
    assert paths(silent, *BASE, port()) == (Partial(()), Reason.PARTIAL)


def test_of_part_of_the_ports_no_way_is_called_closed() -> None:
    silent = resource("openstack.server", "m-1", {})
    assert paths(silent, *BASE, port(), floating()) == (
        Partial((way("floating_ip", OUT, None),)),
        Reason.PARTIAL,
    )
    assert paths(silent, *BASE, OPEN, port(), floating()) == (
        Partial((way("floating_ip", OUT, True),)),
        Reason.PARTIAL,
    )


@pytest.mark.parametrize("type_", ["port", "floating_ip", "trunk"])
def test_a_gap_leaves_more_ways_open(type_: str) -> None:
    assert paths(M1, *BASE, port(), gaps=(f"openstack.{type_}",)) == (Partial(()), Reason.NO_PERMISSION)


@pytest.mark.parametrize(
    "facts",
    [
        {"addresses": None},
        {"addresses": (IN, "?")},
        {"network": None},
        {"network": "n-9"},
        {"allowed_address_pairs": None},
    ],
)
def test_a_port_that_was_read_in_part(facts: Mapping[str, Value]) -> None:
    found = paths(M1, *BASE, port(facts=facts))
    assert isinstance(found, tuple)
    assert found[0] == Partial(())


def test_another_region_is_another_place() -> None:
    world = World(
        [
            M1,
            *BASE,
            port(),
            resource("openstack.floating_ip", "f", {**floating().facts}, scope=Scope(CLOUD, "hcm", "x")),
        ],
        listings=[
            listing(f"openstack.{t}", Scope(CLOUD, REGION))
            for t in ("port", "floating_ip", "trunk", "security_group_rule")
        ],
    )
    assert derived("reach", world, M1).facts == {"reach.paths": ()}


# --- listeners --------------------------------------------------------------------------------------------


def public(*others: Resource, gaps: tuple[str, ...] = (), **facts: Value) -> Value:
    one = resource("openstack.listener", "l-1", {"load_balancers": ("lb-1",), **facts})
    found = derived("reach", World([one, *others], [gap(type_) for type_ in gaps]), one)
    return found.facts.get("reach.public", reasons(found).get("reach.public"))


VIP = port("p-1", {"device_owner": "Octavia", "device_id": "lb-lb-1"})
BALANCER = resource("openstack.loadbalancer", "lb-1", {"vip_port": "p-1"})


def test_a_load_balancer_inside_is_not_public() -> None:
    assert public(BALANCER, VIP, network()) is False


def test_a_load_balancer_is_reached_by_its_virtual_address() -> None:
    assert public(BALANCER, VIP, network(), floating()) is True
    assert public(BALANCER, network(), floating()) is True
    assert public(BALANCER, VIP, network(external=True)) is True
    routed = port("p-1", {"device_id": "lb-lb-1", "addresses": (V6,)})
    assert public(BALANCER, routed, network(), INTERFACE, router()) is True
    assert public(BALANCER, routed, network()) is Reason.PARTIAL


def test_further_virtual_addresses_count_too() -> None:
    second = port("p-2", {"device_id": "lb-lb-1"})
    assert public(BALANCER, VIP, second, network(), floating({"port_id": "p-2"})) is True


@pytest.mark.parametrize(
    ("others", "gaps", "facts", "reason"),
    [
        ((VIP, network()), (), {}, Reason.PARTIAL),
        ((BALANCER, network()), (), {}, Reason.PARTIAL),
        ((BALANCER, VIP), (), {}, Reason.PARTIAL),
        ((BALANCER, VIP, network()), ("openstack.floating_ip",), {}, Reason.NO_PERMISSION),
        ((BALANCER, VIP, network()), ("openstack.port",), {}, Reason.NO_PERMISSION),
        ((BALANCER, VIP, network()), (), {"load_balancers": None}, Reason.INVALID_ANSWER),
        ((resource("openstack.loadbalancer", "lb-1", {}), VIP, network()), (), {}, Reason.PARTIAL),
    ],
)
def test_what_was_not_seen_may_lead_in(
    others: tuple[Resource, ...], gaps: tuple[str, ...], facts: Mapping[str, Value], reason: Reason
) -> None:
    assert public(*others, gaps=gaps, **facts) is reason


def test_a_listener_of_no_load_balancer_is_not_public() -> None:
    assert public(network(), load_balancers=()) is False
    assert public(resource("openstack.loadbalancer", "lb-1", {"vip_port": None}), network()) is False
