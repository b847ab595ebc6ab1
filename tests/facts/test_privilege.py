"""Which users hold power."""

from __future__ import annotations

import pytest
from builders import CLOUD, World, derived, gap, grant, member, reasons, resource, user

from cloudaudit.model import Gap, Partial, Reason, Resource, Scope, Unseen, Value

GRANT, MEMBER = "openstack.role_assignment", "openstack.group_member"


def power(world: World) -> Value:
    """Whether u-1 is privileged, or why that is not known."""
    found = derived("privilege", world, user())
    return found.facts.get("privileged", reasons(found).get("privileged"))


@pytest.mark.parametrize(
    ("role", "on", "privileged"),
    [
        ("admin", "project", True),
        ("Admin", "domain", True),
        ("manager", "domain", True),
        ("member", "project", False),
        ("member", "system", True),
        ("reader", "system", False),
        ("reader", "project", False),
    ],
)
def test_power_by_role_and_scope(role: str, on: str, privileged: bool) -> None:
    assert power(World([grant(role, user="u-1", on=on)])) is privileged
    by_group = [grant(role, group="g-1", on=on), member("g-1", "u-1")]
    assert power(World(by_group)) is privileged


def test_roles_are_listed_once_with_the_way_they_are_held() -> None:
    inherited = grant("admin", user="u-1", on="domain")
    again = Resource(GRANT, "inherited", Scope(CLOUD), inherited.at, {**inherited.facts, "inherited": True})
    world = World([inherited, again, grant("reader", group="g-1", on="system"), member("g-1", "u-1")])
    assert derived("privilege", world, user()).facts["roles"] == (
        {"via": "direct", "role": "admin", "scope": "domain", "scope_id": "x"},
        {"via": "group:g-1", "role": "reader", "scope": "system", "scope_id": None},
    )


def test_users_of_another_cloud_hold_nothing_here() -> None:
    assert power(World([grant("admin", user="u-1", scope=Scope("kia"))])) is False


def test_others_power_is_not_ours() -> None:
    assert (
        power(World([grant("admin", user="u-2"), grant("admin", group="g-1"), member("g-1", "u-2")])) is False
    )


@pytest.mark.parametrize(
    ("resources", "gaps", "privileged"),
    [
        ([grant("admin", user="u-1")], [gap(GRANT)], True),
        ([grant("member", user="u-1")], [gap(GRANT)], Reason.NO_PERMISSION),
        ([grant("admin", group="g-1")], [gap(MEMBER)], Reason.NO_PERMISSION),
        ([grant("member", group="g-1")], [gap(MEMBER)], False),
        ([], [gap(MEMBER)], False),
        ([], [gap(GRANT, Scope("kia"))], Reason.NOT_COLLECTED),
    ],
)
def test_gaps_leave_power_open_where_it_may_be_hidden(
    resources: list[Resource], gaps: list[Gap], privileged: Value
) -> None:
    assert power(World(resources, gaps)) == privileged


def test_roles_are_known_in_part_where_groups_are() -> None:
    world = World([grant("member", user="u-1"), grant("member", group="g-1")], [gap(MEMBER)])
    found = derived("privilege", world, user())
    assert found.facts["privileged"] is False
    assert isinstance(found.facts["roles"], Partial)
    assert reasons(found) == {"roles": Reason.NO_PERMISSION}


@pytest.mark.parametrize(
    "odd",
    [
        grant("admin", user=None, group=None),
        grant("admin", user="u-2", without=["user"]),
        grant("0123456789abcdef0123456789abcdef", user="u-1"),
        grant("member", user="u-1", without=["scope"]),
        grant("member", user="u-1", without=["role"]),
    ],
)
def test_a_grant_that_cannot_be_read_may_be_any(odd: Resource) -> None:
    assert isinstance(power(World([odd])), Reason)


def test_a_membership_that_cannot_be_read_may_be_any() -> None:
    odd = Resource(MEMBER, "x", Scope(CLOUD), 0, {"group": "g-1"}, unseen={"user": Unseen(Reason.TIMEOUT)})
    assert power(World([grant("admin", group="g-1"), odd])) is Reason.TIMEOUT


@pytest.mark.parametrize(
    ("roles", "known"),
    [
        (("member", "reader"), False),
        (("member", "admin"), True),
        (("Manager",), True),
        ((), False),
        (("f" * 32,), Reason.PARTIAL),
        (("f" * 32, "admin"), True),
        (Partial(("admin",)), True),
        (Partial(("member",)), Reason.INVALID_ANSWER),
        (None, Reason.INVALID_ANSWER),
        (("member", 7), Reason.PARTIAL),
    ],
)
def test_what_an_application_credential_may_do(roles: Value, known: Value) -> None:
    credential = resource("openstack.application_credential", "c-1", {"roles": roles})
    found = derived("privilege", World([credential]), credential)
    assert found.facts.get("privileged", reasons(found).get("privileged")) == known


def test_an_application_credential_whose_roles_were_not_seen() -> None:
    credential = resource(
        "openstack.application_credential", "c-1", {}, unseen={"roles": Unseen(Reason.TIMEOUT)}
    )
    assert reasons(derived("privilege", World(), credential)) == {"privileged": Reason.TIMEOUT}
