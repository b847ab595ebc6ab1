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
    image,
    in_project,
    listing,
    reasons,
    server,
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
        "backup.oldest_age": None,
        "backup.full_age": None,
        "backup.chain": None,
        "backup.copies": (),
        "backup.sites": (),
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
        "backup.oldest_age": 2 * DAY,
        "backup.full_age": 5 * HOUR,
        "backup.chain": 0,
        "backup.copies": (
            {"id": "b-1", "age": 5 * HOUR, "zone": None, "encrypted": True, **copy},
            {"id": "b-2", "age": 2 * DAY, "zone": "az2", "encrypted": False, **copy},
        ),
        "backup.sites": ({"site": "sg-1", "domestic": False, "offsite": True, "newest_age": 5 * HOUR},),
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
    attempts = [backup("b-1", {"status": "error"}), backup("b-2", {"status": "restoring"})]
    assert facts(World(attempts))["backup.last_attempt"] == "restoring"
    assert facts(World(attempts[::-1]))["backup.last_attempt"] == "restoring"


def test_an_attempt_under_way_does_not_hide_that_the_one_before_failed() -> None:
    under_way = backup("b-3", {"status": "creating"}, age=1)
    failed, good = backup("b-2", {"status": "error"}, age=HOUR), backup("b-1", age=5 * HOUR)
    assert facts(World([under_way, failed, good]))["backup.last_attempt"] == "error"
    assert facts(World([under_way, good]))["backup.last_attempt"] == "available"


@pytest.mark.parametrize("status", ["creating", "deleting"])
def test_an_attempt_that_tells_no_outcome_is_not_known_to_have_one(status: str) -> None:
    found = derived("backup", World([backup(facts={"status": status})]), volume())
    assert "backup.last_attempt" not in found.facts
    assert reasons(found)["backup.last_attempt"] is Reason.PARTIAL


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
    ages = ("backup.newest_age", "backup.oldest_age", "backup.full_age", "backup.chain")
    assert reasons(found) == {**dict.fromkeys(ages, Reason.PARTIAL), "backup.sites": Reason.PARTIAL}


# --- chains ---------------------------------------------------------------------------------------------


def chain(*backups: Resource, gaps: tuple[Gap, ...] = ()) -> tuple[Value, Value]:
    found = facts(World(backups, gaps))
    return found.get("backup.chain", "missing"), found.get("backup.full_age", "missing")


def full(id_: str, age: int, status: str = "available") -> Resource:
    return backup(id_, {"status": status}, age=age)


def link(id_: str, age: int, status: str = "available") -> Resource:
    return backup(id_, {"incremental": True, "status": status}, age=age)


def test_the_chain_is_what_was_added_to_the_newest_full_backup() -> None:
    older = (full("b-1", 9 * DAY), link("b-2", 8 * DAY), link("b-3", 7 * DAY))
    assert chain(*older) == (2, 9 * DAY)
    assert chain(*older, full("b-4", 2 * DAY), link("b-5", DAY)) == (1, 2 * DAY)


def test_the_chain_goes_by_the_time_of_the_data() -> None:
    of_old_snapshot = backup("b-2", {"incremental": True, "data_timestamp": NOW - 3 * DAY}, age=HOUR)
    assert chain(full("b-1", 2 * DAY), of_old_snapshot) == (0, 2 * DAY)


def test_data_of_one_moment_build_on_nothing() -> None:
    assert chain(full("b-1", DAY), link("b-2", DAY)) == (0, DAY)


def test_backups_that_failed_are_no_links_and_those_being_restored_are() -> None:
    assert chain(full("b-1", 3 * DAY), link("b-2", 2 * DAY, "error"), link("b-3", DAY, "restoring")) == (
        1,
        3 * DAY,
    )
    assert chain(full("b-1", 3 * DAY), full("b-2", 2 * DAY, "restoring"), link("b-3", DAY)) == (1, 2 * DAY)
    assert chain(full("b-1", 3 * DAY, "error"), link("b-2", DAY)) == (None, None)


@pytest.mark.parametrize("fact", ["incremental", "data_timestamp", "status"])
def test_one_that_is_not_known_leaves_the_length_open(fact: str) -> None:
    unclear = backup("b-2", {"incremental": True}, without=[fact], age=DAY)
    assert chain(full("b-1", 3 * DAY), unclear) == ("missing", AtMost(3 * DAY))


def test_a_gap_leaves_the_length_open() -> None:
    assert chain(full("b-1", 3 * DAY), link("b-2", DAY), gaps=(gap(BACKUP, OURS),)) == (
        "missing",
        AtMost(3 * DAY),
    )
    assert chain(link("b-2", DAY), gaps=(gap(BACKUP, OURS),)) == ("missing", "missing")


# --- copies that cannot be restored by themselves ---------------------------------------------------------


def used(*backups: Resource, gaps: tuple[Gap, ...] = ()) -> tuple[Value, Value]:
    found = facts(World(backups, gaps))
    return found["backup.count"], found.get("backup.newest_age", "missing")


def test_an_incremental_backup_without_a_full_one_beneath_it_is_none() -> None:
    assert used(link("b-1", DAY)) == (0, None)
    assert used(link("b-1", 2 * DAY), full("b-2", DAY)) == (1, DAY)
    assert used(full("b-1", 2 * DAY), link("b-2", DAY)) == (2, DAY)


@pytest.mark.parametrize("status", ["error", "error_deleting", "deleting", "creating"])
def test_a_full_backup_that_holds_no_data_carries_nothing(status: str) -> None:
    assert used(full("b-1", 2 * DAY, status), link("b-2", DAY)) == (0, None)


def test_where_the_full_one_may_be_hidden_an_incremental_one_neither_counts_nor_is_excluded() -> None:
    hidden = (gap(BACKUP, OURS),)
    assert used(link("b-1", DAY), gaps=hidden) == (AtLeast(0), "missing")
    assert used(full("b-1", 2 * DAY), link("b-2", DAY), gaps=hidden) == (AtLeast(2), AtMost(DAY))
    unclear = backup("b-1", without=["incremental"], age=2 * DAY)
    assert used(unclear, link("b-2", DAY)) == (AtLeast(0), "missing")


def placed(id_: str, at: str, age: int, *, incremental: bool = False) -> Resource:
    return backup(id_, {"container": at, "incremental": incremental}, age=age)


SITES = (
    endpoint("block-storage"),
    site("hn-1", regions=(REGION,)),
    site("hcm-1"),
    backup_target("a", container="hn", site="hn-1"),
    backup_target("b", container="hcm", site="hcm-1"),
)


def sites(*backups: Resource, gaps: tuple[Gap, ...] = ()) -> Value:
    return facts(World([*SITES, *backups], gaps))["backup.sites"]


def at_site(id_: str, age: Value, *, offsite: bool | None) -> dict[str, Value]:
    known = {} if offsite is None else {"offsite": offsite}
    return {"site": id_, "domestic": True, **known, "newest_age": age}


def test_copies_at_one_site_are_one_site() -> None:
    assert sites(placed("b-1", "hn", HOUR), placed("b-2", "hcm", 3 * HOUR), placed("b-3", "hcm", DAY)) == (
        at_site("hcm-1", 3 * HOUR, offsite=True),
        at_site("hn-1", HOUR, offsite=False),
    )


def test_an_incremental_copy_elsewhere_of_a_full_one_at_home_is_lost_with_it() -> None:
    full_at_home = placed("b-1", "hn", DAY)
    assert sites(full_at_home, placed("b-2", "hcm", HOUR, incremental=True)) == (
        at_site("hcm-1", HOUR, offsite=False),
        at_site("hn-1", DAY, offsite=False),
    )


def test_one_link_at_home_breaks_a_chain_and_the_copies_before_it_stand() -> None:
    chain = (
        placed("b-1", "hcm", 4 * DAY),
        placed("b-2", "hcm", 3 * DAY, incremental=True),
        placed("b-3", "hn", 2 * DAY, incremental=True),
        placed("b-4", "hcm", DAY, incremental=True),
    )
    found = sites(*chain)
    assert isinstance(found, tuple)
    assert found[0] == at_site("hcm-1", 3 * DAY, offsite=True)


def test_of_an_incremental_copy_whose_links_may_be_hidden_it_is_not_known_where_it_stands() -> None:
    chain = (placed("b-1", "hcm", 2 * DAY), placed("b-2", "hcm", DAY, incremental=True))
    assert sites(*chain) == (at_site("hcm-1", DAY, offsite=True),)
    hidden = sites(*chain, gaps=(gap(BACKUP, OURS),))
    assert hidden == Partial((at_site("hcm-1", AtMost(2 * DAY), offsite=True),))


def test_a_copy_at_no_declared_place_leaves_the_sites_open() -> None:
    found = derived("backup", World([*SITES, placed("b-1", "la", HOUR)]), volume())
    assert found.facts["backup.sites"] == Partial(())
    assert reasons(found) == {"backup.sites": Reason.UNMAPPED}


# --- lists that are not whole --------------------------------------------------------------------------


def test_a_gap_leaves_bounds() -> None:
    world = World([backup(age=5 * HOUR), snapshot()], [gap(BACKUP, OURS), gap("openstack.snapshot")])
    found = derived("backup", world, volume())
    assert {name: value for name, value in found.facts.items() if name != "backup.copies"} == {
        "backup.count": AtLeast(1),
        "backup.sites": Partial(()),
        "backup.newest_age": AtMost(5 * HOUR),
        "backup.oldest_age": AtLeast(5 * HOUR),
        "backup.full_age": AtMost(5 * HOUR),
        "snapshot.count": AtLeast(1),
    }
    assert isinstance(found.facts["backup.copies"], Partial)
    ages = ("backup.newest_age", "backup.oldest_age", "backup.full_age", "backup.chain")
    missing = ("backup", *ages, "backup.last_attempt", "snapshot.count")
    assert reasons(found) == dict.fromkeys(missing, Reason.NO_PERMISSION)


def test_a_gap_without_any_copy_leaves_the_age_open() -> None:
    found = derived("backup", World(gaps=[gap(BACKUP, OURS)]), volume())
    assert found.facts == {
        "backup.count": AtLeast(0), "backup.copies": Partial(()), "backup.sites": Partial(()), "snapshot.count": 0,
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


# --- images of servers -----------------------------------------------------------------------------------

STORES = (
    endpoint("compute"),
    site("hn-1", azs=("hn-az1",), regions=(REGION,), store_ids=("ceph",)),
    site("hcm-1", store_ids=("ceph-hcm",)),
    site("sg-1", country="SG", store_ids=("ceph-sg",)),
)
IMAGES = "openstack.image"


def images(*found: Resource, gaps: tuple[Gap, ...] = (), one: Resource | None = None) -> Value:
    return facts(World([*STORES, *found], gaps), one or server(role=None)).get("backup.images")


def kept(
    store: str, at: str, *, offsite: bool, domestic: bool = True, **differing: Value
) -> dict[str, Value]:
    found = {"id": "i-1", "age": HOUR, "store": store, "site": at, "domestic": domestic, "offsite": offsite}
    return {**found, **differing}


def test_a_server_without_images() -> None:
    assert images() == ()
    assert images(image(of=None), image("i-2", of="m-2"), image("i-3", {"status": "queued"})) == ()


def test_an_image_is_a_copy_in_each_of_its_stores() -> None:
    found = images(image(facts={"stores": ("ceph", "ceph-hcm", "ceph-sg")}), image("i-2", age=2 * DAY))
    assert found == (
        kept("ceph", "hn-1", offsite=False),
        kept("ceph-hcm", "hcm-1", offsite=True),
        kept("ceph-sg", "sg-1", offsite=True, domestic=False),
        kept("ceph", "hn-1", offsite=False, id="i-2", age=2 * DAY),
    )


@pytest.mark.parametrize("stores", [(), ("la",)])
def test_a_store_that_is_not_named_or_declared_is_at_no_place(stores: Value) -> None:
    named: dict[str, Value] = {"store": "la"} if stores else {}
    assert images(image(facts={"stores": stores})) == ({"id": "i-1", "age": HOUR, **named},)


def test_a_glance_that_names_no_stores_may_keep_an_image_in_several() -> None:
    found = derived("backup", World([*STORES, image(without=["stores"])]), server(role=None))
    assert found.facts == {"backup.images": Partial(({"id": "i-1", "age": HOUR},))}
    assert reasons(found) == {"backup.images": Reason.PARTIAL}


def test_an_image_in_another_region_is_a_copy_of_unknown_age() -> None:
    far = image(facts={"stores": ("ceph-hcm",)}, scope=in_project(PROJECT, "hcm"))
    assert images(far) == (
        {"id": "i-1", "store": "ceph-hcm", "site": "hcm-1", "domestic": True, "offsite": True},
    )


@pytest.mark.parametrize("stamp", [NOW + DAY, None, "odd"])
def test_a_time_that_cannot_be_gives_no_age(stamp: Value) -> None:
    without = {"id": "i-1", "store": "ceph", "site": "hn-1", "domestic": True, "offsite": False}
    assert images(image(facts={"created_at": stamp})) == (without,)


def test_images_of_another_project_do_not_count_even_where_all_were_listed_at_once() -> None:
    theirs = image(scope=THEIRS)
    listings = [listing(IMAGES, EVERYBODYS)]
    assert facts(World([*STORES, theirs], (), listings), server(role=None))["backup.images"] == ()
    assert facts(World([*STORES, image()], (), listings), server(role=None))["backup.images"] == (
        kept("ceph", "hn-1", offsite=False),
    )


@pytest.mark.parametrize(
    ("hidden_at", "spoils"),
    [(OURS, True), (in_project(PROJECT, "hcm"), True), (EVERYBODYS, True), (THEIRS, False)],
)
def test_images_that_may_be_hidden_leave_the_list_open(hidden_at: Scope, spoils: bool) -> None:
    listings = [listing(IMAGES, OURS), listing(IMAGES, THEIRS)]
    found = derived(
        "backup", World([*STORES, image()], [gap(IMAGES, hidden_at)], listings), server(role=None)
    )
    copies = (kept("ceph", "hn-1", offsite=False),)
    assert found.facts == {"backup.images": Partial(copies) if spoils else copies}
    assert reasons(found) == ({"backup.images": Reason.NO_PERMISSION} if spoils else {})


@pytest.mark.parametrize("fact", ["snapshot_of", "status"])
def test_an_image_that_may_be_a_snapshot_of_any_server_leaves_the_list_open(fact: str) -> None:
    assert images(image(without=[fact])) == Partial(())


def test_a_server_at_no_declared_place_has_nothing_to_be_apart_from() -> None:
    lost = server(facts={"zone": "la"}, role=None)
    assert images(image(), one=lost) == (
        {"id": "i-1", "age": HOUR, "store": "ceph", "site": "hn-1", "domestic": True},
    )
