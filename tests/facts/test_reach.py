"""Which servers and listeners can be met from outside."""

from __future__ import annotations

import pytest
from builders import (
    CLOUD,
    World,
    derived,
    gap,
    in_project,
    listing,
    loadbalancer,
    reasons,
    resource,
)

from cloudaudit.model import Partial, Reason, Resource, Scope, Unseen, Value

SERVER = "openstack.server"
PORT, FLOATING = "openstack.port", "openstack.floating_ip"
INSIDE = resource("openstack.network", "n-1", {"external": False})
OUTSIDE = resource("openstack.network", "n-2", {"external": True})


def at(*addresses: str, kind: str | None = "fixed") -> Value:
    return tuple({"network": "mang", "address": one, "version": 4, "kind": kind} for one in addresses)


def port(id_: str = "p-1", network: str = "n-1", device: str = "m-1") -> Resource:
    return resource(PORT, id_, {"security_groups": (), "device_id": device, "network": network})


def floating(port_id: Value = "p-1", **facts: Value) -> Resource:
    return resource(FLOATING, "f-1", {"port_id": port_id, **facts}, scope=in_project("khac"))


def reach(world: World, one: Resource) -> Value:
    """The fact of a server or listener, or why it is missing."""
    found = derived("reach", world, one)
    return found.facts["reach.internet"] if found.facts else reasons(found)["reach.internet"]


def server(addresses: Value = None, **facts: Value) -> Resource:
    return resource(SERVER, "m-1", {"addresses": at("10.0.0.5") if addresses is None else addresses, **facts})


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (at("10.0.0.5", "fd00::5"), False),
        (at("10.0.0.5", "8.8.8.8"), True),
        (at("10.0.0.5", "2400:cb00::5"), True),
        (at("203.0.113.5"), False),  # given out to nobody
        (at("203.0.113.5", kind="floating"), True),
        (at("100.64.0.5"), False),
        ((), False),
        (Partial(at("10.0.0.5")), Reason.INVALID_ANSWER),
        (Partial(at("8.8.8.8")), True),
        (({"network": "mang"},), Reason.INVALID_ANSWER),
    ],
)
def test_addresses_that_nova_tells(addresses: Value, expected: Value) -> None:
    assert reach(World([INSIDE, OUTSIDE, port()]), server(addresses)) == expected


@pytest.mark.parametrize(
    ("around", "expected"),
    [
        ([port()], False),
        ([port(), floating()], True),
        ([port(), floating("p-9")], False),
        ([port(), floating(None)], False),
        ([port(), floating(5)], Reason.INVALID_ANSWER),
        ([port(network="n-2")], True),
        ([port(network="n-2", device="m-2")], False),
        ([port(), port("p-2", "n-9")], Reason.PARTIAL),  # a network that is in no list
        ([port(), port("p-2", "n-9"), floating("p-2")], True),
        ([resource(PORT, "p-1", {"device_id": "m-1"})], Reason.PARTIAL),
        ([resource(PORT, "p-1", {"network": "n-1"})], Reason.PARTIAL),  # whose port is it?
        ([resource(PORT, "p-1", {"device_id": "", "network": "n-2"})], False),
    ],
)
def test_ports_and_what_leads_to_them(around: list[Resource], expected: Value) -> None:
    assert reach(World([INSIDE, OUTSIDE, *around]), server()) == expected


@pytest.mark.parametrize("type_", [PORT, FLOATING])
def test_a_list_that_was_refused_leaves_it_open(type_: str) -> None:
    hidden = [gap(type_, in_project("khac"))]
    assert reach(World([INSIDE, port()], hidden), server()) is Reason.NO_PERMISSION
    assert reach(World([INSIDE, port()], hidden), server(at("8.8.8.8"))) is True
    elsewhere = World(
        [INSIDE, port()], [gap(type_, Scope(CLOUD, "hcm"))], [listing(type_, Scope(CLOUD, "hn"))]
    )
    assert reach(elsewhere, server()) is False


def test_addresses_that_were_not_seen_are_not_private() -> None:
    one = resource(SERVER, "m-1", {}, unseen={"addresses": Unseen(Reason.TIMEOUT)})
    assert reach(World(), one) is Reason.TIMEOUT


def test_a_network_that_does_not_say_where_it_leads() -> None:
    mute = resource("openstack.network", "n-1", {}, unseen={"external": Unseen(Reason.TIMEOUT)})
    assert reach(World([mute, port()]), server()) is Reason.TIMEOUT
    assert reach(World([mute, resource("openstack.network", "n-1", {"external": True}), port()]), server())


def listener(*balancers: str) -> Resource:
    return resource("openstack.listener", "ls-1", {"load_balancers": balancers})


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, False),
        ({"vip_address": "8.8.8.8"}, True),
        ({"vip_address": "khong-phai"}, Reason.INVALID_ANSWER),
        ({"vip_port": "p-1"}, True),
        ({"vip_port": None}, False),
        ({"vip_port": 5}, Reason.INVALID_ANSWER),
        ({"vip_network": "n-2"}, True),
        ({"vip_network": None}, Reason.INVALID_ANSWER),
        ({"additional_vips": ({"address": "2400:cb00::9", "port": None},)}, True),
        ({"additional_vips": ({"address": "fd00::9", "port": "p-1"},)}, True),
        ({"additional_vips": ({"address": "fd00::9", "port": "p-2"},)}, False),
        ({"additional_vips": None}, Reason.INVALID_ANSWER),
    ],
)
def test_the_addresses_of_its_load_balancer(facts: dict[str, Value], expected: Value) -> None:
    world = World([INSIDE, OUTSIDE, floating(), loadbalancer(facts=facts)])
    assert reach(world, listener("lb-1")) == expected


def test_one_public_load_balancer_is_enough() -> None:
    world = World([INSIDE, loadbalancer(), loadbalancer("lb-2", {"vip_address": "8.8.8.8"})])
    assert reach(world, listener("lb-1", "lb-2")) is True
    assert reach(world, listener("lb-1", "lb-9")) is Reason.PARTIAL
    assert reach(world, listener("lb-9", "lb-2")) is True


def test_a_listener_of_no_load_balancer_is_odd() -> None:
    assert reach(World(), listener()) is Reason.INVALID_ANSWER


@pytest.mark.parametrize("fact", ["vip_address", "vip_port", "vip_network", "additional_vips"])
def test_what_was_not_seen_of_a_load_balancer_is_not_private(fact: str) -> None:
    one = loadbalancer(without=[fact], unseen={fact: Unseen(Reason.TIMEOUT)})
    assert reach(World([INSIDE, one]), listener("lb-1")) is Reason.TIMEOUT


def test_load_balancers_and_floating_ips_that_were_refused() -> None:
    unlisted = World([INSIDE], [gap("openstack.loadbalancer")])
    assert reach(unlisted, listener("lb-1")) is Reason.NO_PERMISSION
    hidden = World([INSIDE, loadbalancer()], [gap(FLOATING, reason=Reason.TIMEOUT)])
    assert reach(hidden, listener("lb-1")) is Reason.TIMEOUT


def test_only_its_own_region_counts() -> None:
    far = Scope(CLOUD, "hcm", "khac")
    elsewhere = resource(PORT, "p-2", {"device_id": "m-1", "network": "n-2"}, scope=far)
    theirs = resource(FLOATING, "f-2", {"port_id": "p-1"}, scope=far)
    assert reach(World([INSIDE, OUTSIDE, port(), elsewhere, theirs]), server()) is False
