"""What drills prove, when the last one succeeded, and how long it takes to carry all data out."""

from __future__ import annotations

import pytest
from builders import (
    CLOUD,
    DAY,
    HOUR,
    PROJECT,
    World,
    attestation,
    bucket,
    derived,
    document,
    drill,
    gap,
    listing,
    no_register,
    platform,
    reasons,
    resource,
    system,
    volume,
)

from cloudaudit.model import AtLeast, AtMost, Listing, Reason, Resource, Scope, Unseen, Value

GIB = 2**30
MEASURED: dict[str, Value] = {"measured_rpo": 6 * HOUR, "measured_rto": HOUR, "checksum_ok": True}


# --- one drill ------------------------------------------------------------------------------------------


def test_what_a_drill_measured_is_proven() -> None:
    found = derived("drills", World(), drill(age=3 * DAY, **MEASURED))
    assert found.facts == {
        "age": 3 * DAY, "proven.rpo": 6 * HOUR, "proven.rto": HOUR, "proven.checksum": True,
    }  # fmt: skip
    assert found.unseen == {}


@pytest.mark.parametrize(
    ("recorded", "fact", "detail"),
    [
        ("measured_rpo", "proven.rpo", "the entry records no measured RPO"),
        ("measured_rto", "proven.rto", "the entry records no measured RTO"),
        ("checksum_ok", "proven.checksum", "the entry does not say whether the checksums agreed"),
    ],
)
def test_what_was_not_recorded_is_not_known(recorded: str, fact: str, detail: str) -> None:
    found = derived("drills", World(), drill(**{**MEASURED, recorded: None}))
    assert fact not in found.facts
    assert found.unseen == {fact: Unseen(Reason.PARTIAL, detail)}


def test_checksums_that_differ_are_proven_to_differ() -> None:
    assert (
        derived("drills", World(), drill(**{**MEASURED, "checksum_ok": False})).facts["proven.checksum"]
        is False
    )


def test_a_drill_to_come_has_no_age() -> None:
    assert reasons(derived("drills", World(), drill(age=-1, **MEASURED))) == {"age": Reason.INVALID_ANSWER}
    assert reasons(derived("drills", World(), drill(date=None, **MEASURED))) == {"age": Reason.INVALID_ANSWER}


# --- the last one ---------------------------------------------------------------------------------------


def last(*drills: Resource) -> dict[str, Value]:
    return dict(derived("drills", World(drills), system()).facts)


NONE: dict[str, Value] = dict.fromkeys(
    ("last_restore.date", "last_restore.rpo", "last_restore.rto", "last_failover.date", "last_failover.rto")
)


def test_the_last_drill_of_a_system_is_the_latest_that_succeeded_and_was_held() -> None:
    ours: dict[str, Value] = {"systems": ("ho-tich",), "measured_rpo": HOUR, "measured_rto": 2 * HOUR}
    held = drill("b", age=5 * DAY, **ours)
    others = (
        drill("a", age=9 * DAY, **{**ours, "measured_rpo": DAY}),
        drill("c", age=DAY, result="fail", **ours),
        drill("d", age=-DAY, **ours),
        drill("e", age=DAY, **{**ours, "systems": ("dat-dai",)}),
        drill("f", age=DAY, kind="export", **ours),
    )
    assert last(*others, held) == {
        **NONE,
        "last_restore.date": held.facts["date"], "last_restore.rpo": HOUR, "last_restore.rto": 2 * HOUR,
    }  # fmt: skip
    assert last(*others[1:]) == NONE


def test_a_last_drill_without_measurements_has_none() -> None:
    bare = drill(kind="failover", systems=("ho-tich",), measured_rto=None)
    assert last(bare) == {**NONE, "last_failover.date": bare.facts["date"]}


def test_without_the_register_nothing_is_known_of_drills() -> None:
    world = World(gaps=[no_register("drill")])
    assert reasons(derived("drills", world, system())) == dict.fromkeys(NONE, Reason.REGISTER_MISSING)
    of_platform = derived("drills", world, platform())
    assert (of_platform.facts, set(reasons(of_platform).values())) == ({}, {Reason.REGISTER_MISSING})


def test_the_days_of_the_last_drills_of_the_platform() -> None:
    held = drill(kind="security-exercise", age=9 * DAY)
    assert derived(
        "drills", World([held, drill("b", kind="export", result="partial")]), platform()
    ).facts == {
        "last_drill.control_plane_restore": None,
        "last_drill.export": None,
        "last_drill.ndc_connection_test": None,
        "last_drill.reimport": None,
        "last_drill.security_exercise": held.facts["date"],
    }


# --- carrying everything out ----------------------------------------------------------------------------

ALL = tuple(
    listing(type_, Scope(CLOUD))
    for type_ in ("openstack.volume", "openstack.share", "openstack.container", "s3.bucket")
)
OURS = system("ho-tich", {"project": PROJECT}, {"bucket": "ho-so*"})
PUBLISHED = document("roi-bo")


def plan(**numbers: str) -> Resource:
    return attestation("roi-bo", kind="exit-plan", numbers=numbers)


def share(size: Value = 50, project: str = PROJECT) -> Resource:
    return resource("openstack.share", "s-1", {"size_gb": size}, scope=Scope(CLOUD, None, project))


def estate(*things: Resource, without: str = "") -> World:
    """An estate all of whose lists were read, but one."""
    gaps = [gap(without)] if without else []
    listings: list[Listing] = [one for one in ALL if one.type != without]
    return World([OURS, PUBLISHED, *things], gaps, listings)


def leaving(world: World) -> tuple[dict[str, Value], dict[str, Reason]]:
    found = derived("exit", world, platform())
    return dict(found.facts), dict(reasons(found))


def projected(world: World, **facts: Value) -> Value:
    """How long it takes, after ten GiB were moved in an hour."""
    one = drill(kind="export", **{"bytes": 10 * GIB, "seconds": HOUR, **facts})
    return derived("exit", world, one).facts.get("projected_time", "missing")


def test_the_data_of_critical_systems_are_added_up() -> None:
    idle = system("khac", {"project": "khac"}, criticality="low")
    world = estate(volume(facts={"size_gb": 150}), share(), share(9999, "khac"), idle, plan(export_days="30"))
    assert leaving(world) == (
        {"exit.gib": 200, "exit.declared_gib": None, "exit.window": 30 * DAY}, {},
    )  # fmt: skip
    assert projected(world) == 20 * HOUR


def test_what_is_nobodys_is_no_critical_system_s() -> None:
    assert leaving(estate(share(9999, "khac")))[0]["exit.gib"] == 0


@pytest.mark.parametrize(("declared", "hours"), [("100", 20), ("400", 40)])
def test_the_larger_of_what_was_seen_and_what_is_declared_is_carried(declared: str, hours: int) -> None:
    world = estate(volume(facts={"size_gb": 200}), plan(export_gib=declared))
    assert projected(world) == hours * HOUR


def test_time_is_rounded_up() -> None:
    assert projected(estate(volume(facts={"size_gb": 1})), bytes=3 * GIB, seconds=10) == 4


def test_what_buckets_hold_is_not_read_and_has_to_be_declared() -> None:
    world = estate(volume(facts={"size_gb": 200}), bucket("ho-so-1"))
    assert leaving(world) == (
        {"exit.gib": AtLeast(200), "exit.declared_gib": None, "exit.window": None},
        {"exit.gib": Reason.PARTIAL},
    )
    assert projected(world) == AtLeast(20 * HOUR)
    assert (
        projected(estate(volume(facts={"size_gb": 200}), bucket("ho-so-1"), plan(export_gib="300")))
        == 30 * HOUR
    )


@pytest.mark.parametrize("without", ["openstack.volume", "openstack.share"])
def test_a_list_that_was_not_read_leaves_a_least_time_whatever_is_declared(without: str) -> None:
    world = estate(volume(facts={"size_gb": 200}), plan(export_gib="300"), without=without)
    assert projected(world) == AtLeast(30 * HOUR)


@pytest.mark.parametrize("without", ["openstack.container", "s3.bucket"])
def test_buckets_that_may_be_there_have_to_be_declared_like_those_that_are(without: str) -> None:
    assert projected(estate(volume(facts={"size_gb": 200}), without=without)) == AtLeast(20 * HOUR)
    declared = estate(volume(facts={"size_gb": 200}), plan(export_gib="300"), without=without)
    assert projected(declared) == 30 * HOUR


def test_a_size_that_is_not_known_leaves_a_least_time() -> None:
    assert projected(estate(volume(facts={"size_gb": 200}), share("x"))) == AtLeast(20 * HOUR)


@pytest.mark.parametrize("lacking", ["bytes", "seconds"])
@pytest.mark.parametrize("value", [None, 0])
def test_a_drill_without_amount_or_time_has_no_pace(lacking: str, value: Value) -> None:
    assert projected(estate(volume()), **{lacking: value}) == "missing"


def test_of_several_plans_in_force_the_shortest_time_and_the_most_data_count() -> None:
    other = attestation("moi", kind="exit-plan", numbers={"export_days": "10", "export_gib": "5"})
    world = estate(plan(export_days="30", export_gib="9"), other, document("moi"))
    assert leaving(world)[0] == {"exit.gib": 0, "exit.declared_gib": 9, "exit.window": 10 * DAY}


@pytest.mark.parametrize("facts", [{"valid_until": 0}, {"kind": "data-location"}])
def test_only_an_exit_plan_in_force_counts(facts: dict[str, Value]) -> None:
    lapsed = attestation("roi-bo", **{"kind": "exit-plan", "numbers": {"export_days": "30"}, **facts})
    assert leaving(estate(lapsed))[0]["exit.window"] is None


def test_a_plan_that_may_be_in_force_leaves_bounds() -> None:
    unread = attestation("moi", kind="exit-plan", numbers={"export_days": "1", "export_gib": "9"})
    world = estate(plan(export_days="30", export_gib="5"), unread)
    facts, why = leaving(world)
    assert facts == {"exit.gib": 0, "exit.declared_gib": AtLeast(5), "exit.window": AtMost(30 * DAY)}
    assert set(why) == {"exit.declared_gib", "exit.window"}
    assert projected(world) == AtLeast(1800)


@pytest.mark.parametrize("figure", ["0", "-1", "1.5", "ba mươi", "1e3"])
def test_a_figure_that_is_no_whole_number_is_not_taken_for_none(figure: str) -> None:
    world = estate(plan(export_days=figure))
    assert leaving(world)[1]["exit.window"] is Reason.INVALID_ANSWER
