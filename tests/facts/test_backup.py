"""How volumes are backed up."""

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
    backup_target,
    derived,
    endpoint,
    gap,
    in_project,
    listing,
    reasons,
    site,
    snapshot,
    volume,
)

from cloudaudit.model import AtLeast, AtMost, Gap, Listing, Partial, Reason, Resource, Scope, Unseen, Value

BACKUP = "openstack.backup"
OURS, THEIRS, EVERYBODYS = in_project(PROJECT), in_project("khac"), in_project(None)


def facts(world: World, one: Resource | None = None) -> dict[str, Value]:
    return dict(derived("backup", world, one or volume()).facts)


def ids(copies: Value) -> list[Value]:
    assert isinstance(copies, tuple | Partial)
    items = copies.items if isinstance(copies, Partial) else copies
    return [item["id"] for item in items if isinstance(item, dict)]


def test_a_volume_without_backups() -> None:
    assert facts(World()) == {
        "backup.count": 0,
        "backup.newest_age": None,
        "backup.copies": (),
        "backup.last_attempt": None,
        "snapshot.count": 0,
    }


def test_the_facts_of_copies_and_their_places() -> None:
    world = World(
        [
            backup("b-1", age=5 * HOUR),
            backup("b-2", {"zone": "az2", "encrypted": False}, age=2 * DAY),
            snapshot(),
            endpoint("block-storage"),
            site("hn-1", regions=(REGION,)),
            site("sg-1", country="SG"),
            backup_target("a", container="sao-luu", site="sg-1"),
        ]
    )
    copy = {"container": "sao-luu", "site": "sg-1", "domestic": False, "offsite": True}
    assert facts(world) == {
        "backup.count": 2,
        "backup.newest_age": 5 * HOUR,
        "backup.copies": (
            {"id": "b-1", "age": 5 * HOUR, "zone": None, "encrypted": True, **copy},
            {"id": "b-2", "age": 2 * DAY, "zone": "az2", "encrypted": False, **copy},
        ),
        "backup.last_attempt": "available",
        "snapshot.count": 1,
    }


def test_age_is_that_of_the_data_at_the_time_of_listing() -> None:
    old = backup(facts={"created_at": NOW, "data_timestamp": NOW - 3 * DAY}, at=NOW - HOUR)
    assert facts(World([old]))["backup.newest_age"] == 3 * DAY - HOUR


@pytest.mark.parametrize(("ahead", "age"), [(60, 0), (121, None)])
def test_data_from_the_future_have_no_age_beyond_the_skew_of_clocks(ahead: int, age: Value) -> None:
    found = derived("backup", World([backup(age=-ahead)]), volume())
    assert found.facts.get("backup.newest_age") == age
    assert ("backup.newest_age" in found.unseen) is (age is None)


def test_only_available_backups_count_and_the_newest_attempt_is_told() -> None:
    failed = backup("b-2", {"status": "error"}, age=HOUR)
    found = facts(World([backup("b-1", age=5 * HOUR), failed, backup("b-3", of="v-2", age=1)]))
    assert (found["backup.count"], found["backup.newest_age"], found["backup.last_attempt"]) == (
        1, 5 * HOUR, "error",
    )  # fmt: skip


def test_attempts_of_the_same_moment_are_told_by_id() -> None:
    attempts = [backup("b-1", {"status": "error"}), backup("b-2", {"status": "creating"})]
    assert facts(World(attempts))["backup.last_attempt"] == "creating"
    assert facts(World(attempts[::-1]))["backup.last_attempt"] == "creating"


def test_copies_in_one_risk_group_are_not_offsite() -> None:
    world = World(
        [
            backup(),
            endpoint("block-storage"),
            site("hn-1", regions=(REGION,), risk_group="song-hong"),
            site("hn-2", risk_group="song-hong"),
            backup_target(site="hn-2"),
        ]
    )
    assert facts(world)["backup.copies"] == (
        {
            "id": "b-1", "age": HOUR, "container": "sao-luu", "zone": None, "encrypted": True,
            "site": "hn-2", "domestic": True, "offsite": False,
        },
    )  # fmt: skip


def test_what_is_not_known_of_a_copy_is_left_out() -> None:
    hidden = backup(without=["encrypted", "container", "data_timestamp"])
    found = derived("backup", World([hidden, site(), backup_target(container="*")]), volume())
    assert found.facts["backup.copies"] == ({"id": "b-1", "zone": None},)
    assert found.facts["backup.count"] == 1
    assert reasons(found) == {"backup.newest_age": Reason.PARTIAL}


# --- lists that are not whole --------------------------------------------------------------------------


def test_a_gap_leaves_bounds() -> None:
    world = World([backup(age=5 * HOUR), snapshot()], [gap(BACKUP, OURS), gap("openstack.snapshot")])
    found = derived("backup", world, volume())
    assert {name: value for name, value in found.facts.items() if name != "backup.copies"} == {
        "backup.count": AtLeast(1),
        "backup.newest_age": AtMost(5 * HOUR),
        "snapshot.count": AtLeast(1),
    }
    assert isinstance(found.facts["backup.copies"], Partial)
    assert reasons(found) == dict.fromkeys(
        ("backup", "backup.newest_age", "backup.last_attempt", "snapshot.count"), Reason.NO_PERMISSION
    )


def test_a_gap_without_any_copy_leaves_the_age_open() -> None:
    found = derived("backup", World(gaps=[gap(BACKUP, OURS)]), volume())
    assert found.facts == {
        "backup.count": AtLeast(0), "backup.copies": Partial(()), "snapshot.count": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("hidden_at", "spoils"),
    [
        (OURS, True),
        (THEIRS, False),
        (EVERYBODYS, True),
        (in_project(PROJECT, "hcm"), False),
        (Scope(CLOUD), True),
        (Scope("kia"), False),
    ],
)
def test_a_refusal_in_one_project_spoils_no_other(hidden_at: Scope, spoils: bool) -> None:
    world = World([backup()], [gap(BACKUP, hidden_at)], [listing(BACKUP, OURS)])
    assert facts(world)["backup.count"] == (AtLeast(1) if spoils else 1)


@pytest.mark.parametrize(
    ("listings", "gaps", "count"),
    [
        ([listing(BACKUP, EVERYBODYS)], [], 2),
        ([listing(BACKUP, OURS), listing(BACKUP, THEIRS)], [], 1),
        ([listing(BACKUP, OURS)], [gap(BACKUP, THEIRS)], 1),
        ([], [gap(BACKUP, EVERYBODYS)], AtLeast(1)),
        ([listing(BACKUP, EVERYBODYS)], [gap(BACKUP, THEIRS)], AtLeast(2)),
    ],
)
def test_backups_in_another_project_count_where_all_projects_were_listed_at_once(
    listings: list[Listing], gaps: list[Gap], count: Value
) -> None:
    world = World([backup("b-1"), backup("b-2", scope=THEIRS)], gaps, listings)
    assert facts(world)["backup.count"] == count


def test_one_backup_seen_twice_counts_once() -> None:
    world = World([backup(), backup(scope=THEIRS)], listings=[listing(BACKUP, EVERYBODYS)])
    assert facts(world)["backup.count"] == 1
    assert facts(world)["backup.newest_age"] == HOUR


def test_sightings_that_disagree_give_only_what_they_agree_on() -> None:
    two = [backup("b-1", {"status": "available"}), backup("b-1", {"status": "error"}, scope=THEIRS)]
    for order in (two, two[::-1]):
        found = derived("backup", World(order, listings=[listing(BACKUP, EVERYBODYS)]), volume())
        assert found.facts["backup.count"] == AtLeast(0)
        assert reasons(found)["backup"] is Reason.AMBIGUOUS


def test_backups_belong_to_the_region_of_their_volume() -> None:
    assert facts(World([backup(scope=in_project(PROJECT, "hcm"))]))["backup.count"] == 0


def test_a_volume_seen_in_two_projects_has_the_backups_of_all() -> None:
    doubt = {"project": Unseen(Reason.AMBIGUOUS)}
    world = World(
        [backup(), backup("b-2", scope=THEIRS)], listings=[listing(BACKUP, OURS), listing(BACKUP, THEIRS)]
    )
    assert facts(world, volume(unseen=doubt))["backup.count"] == 2


def test_a_backup_that_names_no_volume_to_us_may_be_of_any() -> None:
    hidden = backup("b-2", without=["volume_id"], unseen={"volume_id": Unseen(Reason.TIMEOUT)})
    found = derived("backup", World([backup(), hidden]), volume())
    assert (found.facts["backup.count"], reasons(found)["backup"]) == (AtLeast(1), Reason.TIMEOUT)
    imported = backup("b-2", of=None)
    assert facts(World([backup(), imported]))["backup.count"] == 1


def test_a_backup_in_an_unknown_state_may_count() -> None:
    found = derived("backup", World([backup(), backup("b-2", without=["status"])]), volume())
    assert found.facts["backup.count"] == AtLeast(1)
    assert ids(found.facts["backup.copies"]) == ["b-1"]
