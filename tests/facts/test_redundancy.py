"""How servers stand in for one another: over sites, hosts and groups."""

from __future__ import annotations

import pytest
from builders import (
    CLOUD,
    PROJECT,
    World,
    derived,
    endpoint,
    gap,
    in_project,
    listing,
    no_register,
    reasons,
    resource,
    server,
    server_group,
    site,
    system,
)

from cloudaudit.model import AtLeast, AtMost, Gap, Partial, Reason, Resource, Scope, Unseen, Value

OURS = system("thue", {"project": PROJECT}, {"project": "khac"})
BASE = (
    OURS,
    endpoint("compute"),
    endpoint("compute", "hcm"),
    site("hn-1", regions=("hn",), azs=("hn-az1",)),
    site("hn-2", regions=("hn",), azs=("hn-az2",)),
    site("hcm-1", regions=("hcm",)),
)
AZ2 = {"zone": "hn-az2"}
NOWHERE = {"zone": "la"}
HCM = in_project(PROJECT, "hcm")
KHAC = in_project("khac")
GAP = gap("openstack.server", in_project("khac", "hn"))


def spread(*resources: Resource, gaps: tuple[Gap, ...] = ()) -> Value:
    return derived("spread", World([*BASE, *resources], gaps), OURS).facts["spread.roles"]


def separation(*resources: Resource, gaps: tuple[Gap, ...] = ()) -> Value:
    return derived("separation", World([*BASE, *resources], gaps), OURS).facts["separation.roles"]


# --- over sites ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("servers", "roles"),
    [
        ([], ()),
        ([server()], (("web", 1, 1),)),
        ([server(), server("m-2")], (("web", 2, 1),)),
        ([server(), server("m-2", AZ2)], (("web", 2, 2),)),
        ([server(), server("m-2", scope=HCM)], (("web", 2, 2),)),
        ([server(), server("m-2", {"status": "SHUTOFF", **AZ2})], (("web", 1, 1),)),
        ([server(), server("m-2", AZ2, role="db")], (("db", 1, 1), ("web", 1, 1))),
        ([server(), server("m-2", scope=in_project("nguoi-khac"))], (("web", 1, 1),)),
        ([server(), server("m-2", NOWHERE)], (("web", 2, AtLeast(1)),)),
        # Of servers without a role it is only known over how many sites any role can be spread.
        ([server(role=None)], ((None, AtMost(1), AtMost(1)),)),
        ([server(role=None), server("m-2", role=None)], ((None, AtMost(2), AtMost(1)),)),
        ([server(role=None), server("m-2", AZ2)], (("web", AtLeast(1), AtLeast(1)), (None, AtMost(2), AtMost(2)))),
    ],
)  # fmt: skip
def test_active_servers_are_counted_by_role_with_their_sites(
    servers: list[Resource], roles: tuple[tuple[Value, ...], ...]
) -> None:
    expected = tuple(dict(zip(("role", "servers", "sites"), one, strict=True)) for one in roles)
    assert spread(*servers) == expected


def test_servers_without_a_role_at_no_known_site_bound_nothing() -> None:
    found = spread(server(role=None), server("m-2", NOWHERE, role=None))
    assert found == ({"role": None, "servers": AtMost(2)},)


@pytest.mark.parametrize(
    ("hidden", "gaps", "reason"),
    [
        (server("m-2", without=["status"]), (), Reason.PARTIAL),
        (server("m-2", without=["labels"], unseen={"labels": Unseen(Reason.TIMEOUT)}), (), Reason.TIMEOUT),
        (server("m-2", {"labels": {}, "label_names": ("role",)}), (), Reason.NOT_COLLECTED),
        (server("m-2", {"labels": {"system_id": "khong-co"}, "label_names": ("system_id",)}, role=None),
         (GAP,), Reason.NO_PERMISSION),
    ],
)  # fmt: skip
def test_what_is_hidden_may_be_more_of_any_role(
    hidden: Resource, gaps: tuple[Gap, ...], reason: Reason
) -> None:
    seen = [server(), server("m-3", role=None, scope=in_project("nguoi-khac"))]
    found = derived("spread", World([*BASE, *seen, hidden], gaps), OURS)
    roles = found.facts["spread.roles"]
    assert isinstance(roles, Partial)
    assert {"role": "web", "servers": AtLeast(1), "sites": AtLeast(1)} in roles.items
    assert reasons(found)["spread.roles"] is reason


def test_a_server_two_systems_claim_may_be_of_either() -> None:
    twice = system("ho-tich", {"project": PROJECT})
    found = derived("spread", World([*BASE, twice, server()]), OURS)
    assert (found.facts, reasons(found)) == (
        {"spread.roles": Partial(())}, {"spread.roles": Reason.AMBIGUOUS},
    )  # fmt: skip


@pytest.mark.parametrize("family", ["spread", "separation"])
def test_without_the_register_there_are_no_roles(family: str) -> None:
    found = derived(family, World([server()], [no_register("system")]), OURS)
    assert (found.facts, reasons(found)) == ({}, {family: Reason.REGISTER_MISSING})


# --- over hosts -----------------------------------------------------------------------------------------

PAIR = (server(), server("m-2"))
GROUP = server_group("n-1", "m-1", "m-2")


def web(servers: Value = 2, **flags: Value) -> dict[str, Value]:
    return {"role": "web", "servers": servers, **flags}


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([server()], web(1, same_host=False, grouped=True)),
        ([*PAIR], web(same_host=False, grouped=False)),
        ([*PAIR, GROUP], web(same_host=False, grouped=True)),
        ([*PAIR, server_group("n-1", "m-1", "m-2", policy="soft-anti-affinity")], web(same_host=False, grouped=True)),
        ([*PAIR, server_group("n-1", "m-1", "m-2", policy="affinity")], web(same_host=False, grouped=False)),
        ([*PAIR, server_group("n-1", "m-1"), server_group("n-2", "m-2")], web(same_host=False, grouped=False)),
        ([server(host="h"), server("m-2", host="h"), GROUP], web(same_host=True, grouped=True)),
        # Another zone is another host, and no group is needed.
        ([server(), server("m-2", AZ2)], web(same_host=False, grouped=True)),
        ([server(host="h"), server("m-2", host="h", scope=HCM)], web(same_host=False, grouped=True)),
        ([*PAIR, server("m-3", AZ2), server("m-4", AZ2), GROUP], web(4, same_host=False, grouped=False)),
        # Marks of hosts and groups end with the project.
        ([server(), server("m-2", scope=KHAC), GROUP], web(grouped=False)),
        ([server(host="h"), server("m-2", AZ2, host="h", scope=KHAC)], web(same_host=False, grouped=True)),
        ([server(), server("m-2", without=["host_id"]), GROUP], web(grouped=True)),
        ([server(), server("m-2", {"zone": None}), GROUP], web()),
    ],
)  # fmt: skip
def test_servers_of_one_role_are_kept_apart(resources: list[Resource], expected: dict[str, Value]) -> None:
    assert separation(*resources) == (expected,)


@pytest.mark.parametrize(
    ("group", "gaps"),
    [
        ([], (gap("openstack.server_group", in_project(PROJECT)),)),
        ([resource("openstack.server_group", "n-1", {"policy": "anti-affinity"})], ()),
        ([resource("openstack.server_group", "n-1", {"members": ("m-1", "m-2")})], ()),
    ],
)
def test_a_group_that_was_not_seen_may_hold_them(group: list[Resource], gaps: tuple[Gap, ...]) -> None:
    assert separation(*PAIR, *group, gaps=gaps) == (web(same_host=False),)


def test_a_gap_of_groups_elsewhere_hides_none_of_these() -> None:
    elsewhere = gap("openstack.server_group", Scope(CLOUD, "hn", "khac"))
    world = World([*BASE, *PAIR], [elsewhere], [listing("openstack.server_group", in_project(PROJECT))])
    found = derived("separation", world, OURS).facts["separation.roles"]
    assert found == (web(same_host=False, grouped=False),)


def test_servers_of_a_project_that_is_not_known_are_not_compared() -> None:
    ours = system("thue", {"target": CLOUD})
    lost = server("m-2", unseen={"project": Unseen(Reason.AMBIGUOUS)})
    world = World([*BASE[1:], ours, server(), lost, GROUP])
    assert derived("separation", world, ours).facts["separation.roles"] == (web(),)


def test_hidden_servers_may_share_a_host_and_stand_outside_the_group() -> None:
    assert separation(*PAIR, GROUP, gaps=(GAP,)) == Partial((web(AtLeast(2)),))
    same = (server(host="h"), server("m-2", host="h"))
    assert separation(*same, gaps=(GAP,)) == Partial((web(AtLeast(2), same_host=True, grouped=False),))


def test_servers_without_a_role_are_apart_from_everything_near_or_it_is_not_known() -> None:
    bare = server("m-2", role=None)
    none = {"role": None, "servers": 2}
    assert separation(server(), bare, GROUP) == (
        web(AtLeast(1), same_host=False, grouped=True), {**none, "same_host": False, "grouped": True},
    )  # fmt: skip
    assert separation(server(), bare)[1] == {**none, "same_host": False}  # type: ignore[index]
    shared = (server(host="h"), server("m-2", role=None, host="h"), GROUP)
    assert separation(*shared)[1] == {**none, "grouped": True}  # type: ignore[index]
    far = (server(), server("m-3"), server("m-2", AZ2, role=None))
    assert separation(*far)[1] == {"role": None, "servers": 3, "same_host": False, "grouped": True}  # type: ignore[index]
