"""Data that nobody uses any more."""

from __future__ import annotations

import pytest
from builders import (
    CLOUD,
    DAY,
    HOUR,
    NOW,
    PROJECT,
    REGION,
    World,
    backup,
    derived,
    gap,
    in_project,
    listing,
    reasons,
    snapshot,
    volume,
)

from cloudaudit.model import Reason, Resource, Scope, Unseen, Value


def kind(world: World, one: Resource) -> Value:
    """The sign that nobody uses a resource, or why it is not known."""
    found = derived("orphan", world, one)
    return found.facts.get("orphan.kind", reasons(found).get("orphan.kind"))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"status": "available"}, "detached"),
        ({"status": "available", "attachments": ({"server": "m-1", "device": None},)}, None),
        ({"status": "in-use"}, None),
        ({"status": "error"}, None),
        ({"status": "available", "labels": {"archive": "true"}}, None),
        ({"status": "available", "labels": {"archive": "2031"}}, None),
        ({"status": "available", "labels": {"archive": "No"}}, "detached"),
        ({"status": None}, Reason.INVALID_ANSWER),
        ({"status": "available", "attachments": 5}, Reason.INVALID_ANSWER),
        ({"status": "in-use", "attachments": 5, "labels": 5}, None),
    ],
)
def test_volumes(facts: dict[str, Value], expected: Value) -> None:
    assert kind(World(), volume(facts=facts)) == expected


def test_labels_that_were_not_seen_may_declare_an_archive() -> None:
    one = volume(facts={"status": "available"}, without=["labels"], unseen={"labels": Unseen(Reason.TIMEOUT)})
    assert kind(World(), one) is Reason.TIMEOUT


def test_since_when() -> None:
    def idle(one: Resource) -> Value:
        found = derived("orphan", World(), one)
        return found.facts.get("orphan.idle", reasons(found).get("orphan.idle"))

    assert idle(volume()) == HOUR
    assert idle(volume(facts={"updated_at": None})) == 200 * DAY
    assert idle(volume(facts={"updated_at": NOW + 120})) == 0
    assert idle(volume(facts={"updated_at": NOW + 121})) is Reason.INVALID_ANSWER
    assert idle(backup(facts={"created_at": NOW + DAY})) is Reason.INVALID_ANSWER
    assert (
        idle(volume(without=["updated_at"], unseen={"updated_at": Unseen(Reason.PARTIAL)})) is Reason.PARTIAL
    )
    assert idle(backup(age=3 * DAY)) == 3 * DAY
    assert idle(backup(facts={"created_at": None})) is Reason.INVALID_ANSWER


MINE = in_project(PROJECT)
OWN_LIST = listing("openstack.volume", MINE)


def test_copies_of_a_volume_that_is_gone() -> None:
    for copy in (backup(), snapshot()):
        assert kind(World([volume()]), copy) is None
        assert kind(World([volume("v-2")]), copy) == "volume_gone"
        assert kind(World([volume(scope=in_project(PROJECT, target="khac"))]), copy) == "volume_gone"
        assert kind(World(gaps=[gap("openstack.volume", Scope(CLOUD, REGION))]), copy) is Reason.NO_PERMISSION
        assert kind(World([volume()], [gap("openstack.volume")]), copy) is None
    assert kind(World(), backup(of=None)) is Reason.INVALID_ANSWER


def test_the_list_in_which_the_volume_would_stand() -> None:
    elsewhere = volume(scope=in_project("khac"))
    others = listing("openstack.volume", in_project("khac"))
    everyone = listing("openstack.volume", Scope(CLOUD, REGION))
    assert kind(World([elsewhere], listings=[OWN_LIST, others]), backup()) == "volume_gone"
    assert kind(World([elsewhere], listings=[everyone]), backup()) is None
    assert kind(World([], listings=[others]), backup()) is Reason.NOT_COLLECTED
    hidden = gap("openstack.volume", in_project("khac"))
    assert kind(World([], [hidden], [OWN_LIST]), backup()) == "volume_gone"
