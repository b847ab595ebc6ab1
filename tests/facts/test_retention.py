"""How long data are kept, and when rules delete them."""

from __future__ import annotations

import pytest
from builders import (
    DAY,
    NOW,
    World,
    attestation,
    bucket,
    derived,
    document,
    expiry,
    gap,
    no_register,
    reasons,
    system,
    volume,
)

from cloudaudit.model import Reason, Resource, Unseen, Value, parse_time

MINE = system("ho-tich", {"bucket": "ho-so"})
OTHER = system("dat-dai", {"bucket": "dat-*"})
MADE = NOW - 200 * DAY


def request(id_: str = "yeu-cau", **facts: Value) -> Resource:
    plain = {"issued_at": parse_time("2026-02-28"), "valid_until": None, "systems": ("ho-tich",)}
    return attestation(id_, kind="data-storage-request", **{**plain, **facts})


def until(world: World, one: Resource | None = None) -> Value:
    """The end of the period, or why it is not known."""
    found = derived("retention", world, one or bucket())
    return found.facts.get("retention.until", reasons(found).get("retention.until"))


def test_a_request_runs_for_24_months_at_least() -> None:
    end = parse_time("2028-02-28")
    assert until(World([MINE, request()])) == end
    assert until(World([MINE, request(valid_until=end - 1)])) == end
    assert until(World([MINE, request(valid_until=end + DAY)])) == end + DAY
    leap = request(issued_at=parse_time("2024-02-29"))
    assert until(World([MINE, leap])) == parse_time("2026-02-28")
    assert until(World([MINE, request(), request("moi", issued_at=parse_time("2026-03-01"))])) == parse_time(
        "2028-03-01"
    )


def test_a_request_is_about_the_systems_it_names_or_all() -> None:
    end = parse_time("2028-02-28")
    assert until(World([MINE, OTHER])) is None
    assert until(World([MINE, OTHER, attestation(kind="dr-plan", systems=("ho-tich",))])) is None
    assert until(World([MINE, OTHER, request(systems=("dat-dai",))])) is None
    assert until(World([MINE, OTHER, request(systems=())])) == end
    assert until(World([MINE, request(systems=())]), volume()) == end  # whosesoever it is
    assert until(World([MINE, request()]), volume()) is Reason.UNMAPPED
    assert until(World([MINE]), volume()) is None  # nothing is asked for of anybody


def test_what_is_not_known_of_requests() -> None:
    assert until(World([MINE], [no_register("attestation")])) is Reason.REGISTER_MISSING
    assert until(World([MINE, request(issued_at=None)])) is Reason.PARTIAL
    assert until(World([MINE, request(issued_at=10**15)])) is Reason.PARTIAL
    assert until(World([request()], [no_register("system")])) is Reason.REGISTER_MISSING
    assert until(World([MINE, request(systems=5)])) is Reason.INVALID_ANSWER


def versions(days: int | None = 30, **fields: Value) -> Value:
    return expiry(None, **{"noncurrent_days": days, **fields})


@pytest.mark.parametrize(
    ("versioning", "rules", "first"),
    [
        ("off", (), None),
        ("off", (expiry(30), expiry(10, enabled=False), expiry(None, abort_upload_days=1)), MADE + 30 * DAY),
        ("off", (expiry(30), expiry(20, prefix="nhat-ky/", filtered=True)), MADE + 20 * DAY),
        ("off", (versions(5),), None),  # there are no versions
        ("off", (expiry(None, expire_date=NOW),), NOW),
        ("off", (expiry(30, expire_date=MADE),), MADE),
        ("off", (expiry(30), expiry(None, expire_date=NOW)), MADE + 30 * DAY),
        ("enabled", (expiry(30, expire_date=MADE),), None),  # expired objects become noncurrent versions
        ("enabled", (expiry(1), versions(60), versions(50)), MADE + 50 * DAY),
        ("enabled", (versions(None, newer_noncurrent=3),), MADE),
        ("suspended", (expiry(30), versions(60)), MADE + 30 * DAY),
        ("suspended", (expiry(30), versions(20)), MADE + 20 * DAY),
        ("suspended", (expiry(None, expire_date=MADE),), MADE),
        (None, (), None),
        (None, (expiry(None, abort_upload_days=1),), None),
        (None, (expiry(30),), Reason.INVALID_ANSWER),
        ("off", 5, Reason.INVALID_ANSWER),
        ("off", ({"enabled": True},), Reason.PARTIAL),
        ("off", ({"expire_days": 5},), Reason.PARTIAL),
        ("off", (expiry(30), "x"), Reason.PARTIAL),
        ("off", (expiry(-1),), Reason.PARTIAL),
        ("off", (expiry(None, newer_noncurrent="3"),), Reason.PARTIAL),
    ],
)
def test_the_first_deletion(versioning: str | None, rules: Value, first: Value) -> None:
    one = bucket(facts={"versioning.state": versioning, "lifecycle.rules": rules})
    found = derived("retention", World([MINE]), one)
    name = "retention.first_deletion"
    assert found.facts.get(name, reasons(found).get(name)) == first


def test_the_first_deletion_is_not_known_without_the_making_of_the_bucket() -> None:
    name = "retention.first_deletion"
    found = derived(
        "retention",
        World([MINE]),
        bucket(facts={"versioning.state": "off", "lifecycle.rules": (expiry(),), "created_at": None}),
    )
    assert reasons(found)[name] is Reason.PARTIAL
    assert derived("retention", World([MINE]), bucket(facts={"created_at": None})).facts[name] is None
    assert derived("retention", World([MINE]), volume()).facts[name] is None


# --- the policy -------------------------------------------------------------------------------------------

LABELLED: dict[str, Value] = {
    "labels": {"data_class": "personal-basic"}, "label_names": ("data_class",), "versioning.state": "off",
}  # fmt: skip
NAMES = ("retention.period", "retention.earliest_days", "retention.lead_days", "retention.slack_days")


def policy(id_: str = "quy-dinh", days: Value = "365", **facts: Value) -> Resource:
    plain = {"systems": (), "numbers": {"personal_basic_days": days}}
    return attestation(id_, kind="retention-policy", **{**plain, **facts})


def kept(*resources: Resource, gaps: tuple[Unseen, ...] = (), **facts: Value) -> tuple[Value, ...]:
    """Period, earliest deletion, lead and slack of a labelled bucket, with reasons in place of what is missing."""
    world = World([MINE, document("quy-dinh"), document("khac"), *resources])
    one = bucket(facts={**LABELLED, **{name.replace("_", ".", 1): value for name, value in facts.items()}})
    found = derived("retention", world, one)
    return tuple(found.facts.get(name, reasons(found).get(name)) for name in NAMES)


@pytest.mark.parametrize(
    ("versioning", "rules", "days"),
    [
        ("off", (expiry(365),), (365, 0, 0)),
        ("off", (expiry(364),), (364, -1, -1)),
        ("off", (expiry(400), expiry(380, prefix="a/"), expiry(390, filtered=True)), (380, 15, 35)),
        ("off", (expiry(400, prefix="a/"),), (400, 35, None)),
        ("off", (expiry(None, expire_date=NOW),), (0, -365, None)),
        ("off", (), (None, None, None)),
        ("enabled", (expiry(365),), (None, None, None)),
        ("enabled", (expiry(335), versions(30)), (365, 0, 0)),
        ("enabled", (expiry(335), versions(30, newer_noncurrent=2)), (365, 0, None)),
        ("enabled", (expiry(335), versions(30), versions(20, prefix="a/")), (355, -10, 0)),
        ("suspended", (expiry(365), versions(30)), (365, 0, 30)),
        ("suspended", (expiry(365),), (365, 0, None)),
    ],
)
def test_rules_against_the_period(versioning: str, rules: Value, days: tuple[Value, ...]) -> None:
    given = kept(policy(), versioning_state=versioning, lifecycle_rules=rules)
    assert given == ("365", *days)


def test_periods_that_are_no_number_of_days() -> None:
    rules = (expiry(365),)
    assert kept(policy(days="permanent"), lifecycle_rules=rules) == ("permanent", 365, None, None)
    assert kept(policy(numbers={}), lifecycle_rules=rules) == (None, 365, None, None)
    assert kept(lifecycle_rules=rules) == (None, 365, None, None)
    wrong = Reason.INVALID_ANSWER
    assert kept(policy(days="2 năm"), lifecycle_rules=rules) == (wrong, 365, wrong, wrong)
    assert kept(policy(days="9" * 7), lifecycle_rules=rules) == (wrong, 365, wrong, wrong)
    assert kept(policy(), labels={}, lifecycle_rules=rules) == (None, 365, None, None)
    assert kept(policy(), lifecycle_rules=5) == ("365", wrong, wrong, wrong)


def test_policies_that_count() -> None:
    assert kept(policy(systems=("dat-dai",)))[0] is None
    assert kept(policy(systems=("ho-tich",)))[0] == "365"
    assert kept(policy(valid_until=NOW - DAY))[0] is None
    assert kept(policy(), policy("khac", "365"))[0] == "365"
    assert kept(policy(), policy("khac", "730"))[0] is Reason.AMBIGUOUS
    assert kept(policy("khong-doc"))[0] is Reason.NOT_COLLECTED
    world = World([MINE, policy(), document("quy-dinh")], [no_register("attestation")])
    assert reasons(derived("retention", world, bucket(facts=LABELLED)))["retention.period"] is (
        Reason.REGISTER_MISSING
    )
    unlabelled = bucket(without=["labels"], unseen={"labels": Unseen(Reason.NO_PERMISSION)})
    world = World([MINE, policy(), document("quy-dinh")], [gap("openstack.volume")])
    assert reasons(derived("retention", world, unlabelled))["retention.period"] is Reason.NO_PERMISSION
