"""What stands behind a load balancer."""

from __future__ import annotations

import pytest
from builders import (
    CLOUD,
    PROJECT,
    World,
    at,
    derived,
    gap,
    in_project,
    listing,
    loadbalancer,
    pool,
    reasons,
    resource,
    server,
)

from cloudaudit.model import AtLeast, Gap, Partial, Reason, Resource, Scope, Value

A, B = server("m-1", {"addresses": at("10.0.0.5")}), server("m-2", {"addresses": at("10.0.0.6")})
BOTH = pool("pool-1", "10.0.0.5", "10.0.0.6")
KHAC = in_project("khac")


def behind(*resources: Resource, gaps: tuple[Gap, ...] = ()) -> Value:
    return derived("balancing", World(resources, gaps), loadbalancer()).facts["pools"]


def record(online: int, hosts: Value, monitored: bool = True, pool: str = "pool-1") -> dict[str, Value]:
    return {"pool": pool, "monitored": monitored, "online": online, "hosts": hosts}


def member(address: str, status: str = "ONLINE", **more: Value) -> dict[str, Value]:
    return {"address": address, "port": 80, "operating_status": status, **more}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([A, B, BOTH], record(2, 2)),
        ([A, server("m-2", {"addresses": at("10.0.0.6")}, host="host-of-m-1"), BOTH], record(2, 1)),
        ([A, server("m-2", {"addresses": at("10.0.0.6"), "zone": "hn-az2"}), BOTH], record(2, 2)),
        # Marks of hosts of two projects are not comparable within a zone.
        ([A, server("m-2", {"addresses": at("10.0.0.6")}, scope=KHAC), BOTH], record(2, AtLeast(1))),
        ([A, server("m-2", {"addresses": at("10.0.0.6"), "zone": "hn-az2"}, scope=KHAC), BOTH], record(2, 2)),
        ([A, BOTH], record(2, AtLeast(1))),
        ([A, B, server("m-3", {"addresses": at("10.0.0.6")}, scope=KHAC), BOTH], record(2, AtLeast(1))),
        ([A, server("m-2", {"addresses": at("10.0.0.6")}, scope=in_project(PROJECT, "hcm")), BOTH], record(2, AtLeast(1))),
        ([A, server("m-2", {"addresses": at("10.0.0.6")}, without=["host_id"]), BOTH], record(2, AtLeast(1))),
        ([A, server("m-2", {"addresses": at("10.0.0.6")}, without=["zone"]), BOTH], record(2, AtLeast(1))),
        ([A, B, server("m-3", without=["addresses"]), BOTH], record(2, AtLeast(0))),
        # Two ports of one server are one member that can fail.
        ([A, pool("pool-1", "10.0.0.5", "10.0.0.5")], record(1, 1)),
        ([A, B, pool(facts={"members": (member("10.0.0.5"), member("10.0.0.6", "ERROR"))})], record(1, 1)),
        ([A, B, pool(facts={"members": (member("10.0.0.5"), member("10.0.0.6", backup=True))})], record(1, 1)),
        ([pool(facts={"monitor.type": None})], record(0, 0, monitored=False)),
    ],
)  # fmt: skip
def test_members_on_line_are_counted_with_their_hosts(
    resources: list[Resource], expected: dict[str, Value]
) -> None:
    assert behind(*resources) == (expected,)


def test_pools_of_other_load_balancers_and_those_switched_off_are_not_behind_it() -> None:
    off = pool("pool-2", facts={"admin_state_up": False})
    assert behind(pool("pool-3", of="lb-2"), off) == ()
    assert [p["pool"] for p in behind(pool("b"), pool("a"))] == ["a", "b"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("hidden", ["load_balancers", "admin_state_up"])
def test_a_pool_that_may_be_behind_it_leaves_the_list_open(hidden: str) -> None:
    found = derived("balancing", World([pool(without=[hidden])]), loadbalancer())
    assert (found.facts, reasons(found)) == ({"pools": Partial(())}, {"pools": Reason.PARTIAL})


def test_what_is_hidden_may_be_more_pools_or_another_server_of_the_address() -> None:
    no_pools = gap("openstack.lb_pool", in_project(PROJECT))
    assert behind(A, B, BOTH, gaps=(no_pools,)) == Partial((record(2, 2),))
    no_servers = gap("openstack.server", Scope(CLOUD, "hn", "khac"))
    assert behind(A, B, BOTH, gaps=(no_servers,)) == (record(2, AtLeast(0)),)
    elsewhere = World(
        [A, B, BOTH],
        [gap("openstack.server", Scope(CLOUD, "hcm"))],
        [listing("openstack.server", Scope(CLOUD, "hn"))],
    )
    assert derived("balancing", elsewhere, loadbalancer()).facts["pools"] == (record(2, 2),)


def test_what_a_pool_does_not_tell_is_left_out() -> None:
    bare = resource("openstack.lb_pool", "pool-1", {"load_balancers": ("lb-1",), "admin_state_up": True})
    assert behind(bare) == ({"pool": "pool-1"},)
