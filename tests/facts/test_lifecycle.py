"""What lifecycle rules take away from a bucket."""

from __future__ import annotations

import pytest
from builders import DAY, NOW, World, bucket, derived, reasons

from cloudaudit.model import Partial, Reason, Resource, Unseen, Value


def rule(**differing: Value) -> dict[str, Value]:
    """An enabled rule for the whole bucket that does nothing yet."""
    plain = {
        "id": "r", "enabled": True, "prefix": "", "filtered": False, "expire_days": None,
        "expire_date": None, "noncurrent_days": None, "newer_noncurrent": None, "abort_upload_days": 7,
        "transitions": ("COLD",),
    }  # fmt: skip
    return {**plain, **differing}


def ruled(*rules: Value, versioning: str = "enabled") -> Resource:
    return bucket(facts={"lifecycle.rules": rules, "versioning.state": versioning})


def removals(one: Resource) -> Value:
    return derived("lifecycle", World(), one).facts.get("lifecycle.removals")


CURRENT = {"rule": "r", "prefix": "", "version": "current", "applies": True}
NONCURRENT = {"rule": "r", "prefix": "", "version": "noncurrent", "applies": True, "permanent": True}


def test_without_rules_nothing_is_removed() -> None:
    assert removals(ruled()) == ()


def test_uploads_and_storage_classes_are_no_loss_and_rules_that_are_off_do_nothing() -> None:
    assert removals(ruled(rule(), rule(enabled=False, expire_days=1, noncurrent_days=1))) == ()


@pytest.mark.parametrize(
    ("versioning", "permanent"), [("enabled", False), ("suspended", True), ("off", True)]
)
def test_current_versions_are_lost_where_no_version_is_kept(versioning: str, permanent: bool) -> None:
    found = removals(ruled(rule(expire_days=30), versioning=versioning))
    assert found == ({**CURRENT, "after": 30 * DAY, "permanent": permanent},)


@pytest.mark.parametrize("date", [NOW - 400 * DAY, NOW + 400 * DAY])
def test_a_date_takes_what_was_written_the_day_before_too(date: int) -> None:
    assert removals(ruled(rule(expire_date=date))) == ({**CURRENT, "after": 0, "permanent": False},)


@pytest.mark.parametrize(("versioning", "applies"), [("enabled", True), ("suspended", True), ("off", False)])
def test_noncurrent_versions_are_removed_where_there_can_be_any(versioning: str, applies: bool) -> None:
    found = removals(ruled(rule(noncurrent_days=7), versioning=versioning))
    assert found == ({**NONCURRENT, "after": 7 * DAY, "applies": applies},)


@pytest.mark.parametrize(("days", "after"), [(7, 7 * DAY), (None, 0)])
def test_newer_versions_that_stay_lengthen_nothing(days: int | None, after: int) -> None:
    found = removals(ruled(rule(noncurrent_days=days, newer_noncurrent=5)))
    assert found == ({**NONCURRENT, "after": after},)


def test_one_rule_may_remove_both() -> None:
    found = removals(ruled(rule(id="luu-tru", prefix="nhật ký/", expire_days=60, noncurrent_days=30)))
    told = {"rule": "luu-tru", "prefix": "nhật ký/"}
    assert found == (
        {**CURRENT, **told, "after": 60 * DAY, "permanent": False},
        {**NONCURRENT, **told, "after": 30 * DAY},
    )


@pytest.mark.parametrize("versioning", ["enabled", "suspended"])
def test_whether_objects_have_the_tags_of_a_rule_is_not_known(versioning: str) -> None:
    found = removals(ruled(rule(filtered=True, noncurrent_days=1), versioning=versioning))
    assert found == ({"rule": "r", "prefix": "", "version": "noncurrent", "after": DAY, "permanent": True},)


def test_without_versioning_seen_what_hangs_on_it_is_left_out() -> None:
    rules = (rule(expire_days=1, noncurrent_days=1),)
    found = removals(bucket(facts={"lifecycle.rules": rules}, without=["versioning.state"]))
    assert found == (
        {"rule": "r", "prefix": "", "version": "current", "after": DAY, "applies": True},
        {"rule": "r", "prefix": "", "version": "noncurrent", "after": DAY, "permanent": True},
    )


@pytest.mark.parametrize(
    "odd",
    [
        "odd",
        rule(enabled="yes"),
        rule(expire_days=-1),
        rule(noncurrent_days="7"),
        {"id": "r", "enabled": True},
    ],
)
def test_a_rule_that_cannot_be_read_leaves_the_list_open(odd: Value) -> None:
    found = derived("lifecycle", World(), ruled(odd, rule(expire_days=1)))
    assert found.facts == {"lifecycle.removals": Partial(({**CURRENT, "after": DAY, "permanent": False},))}
    assert reasons(found) == {"lifecycle.removals": Reason.PARTIAL}


def test_rules_known_in_part_leave_the_list_open() -> None:
    known = bucket(facts={"lifecycle.rules": Partial((rule(expire_days=1),))})
    assert removals(known) == Partial(({**CURRENT, "after": DAY, "permanent": False},))


def test_refused_rules_are_not_no_rules() -> None:
    refused = bucket(without=["lifecycle.rules"], unseen={"lifecycle": Unseen(Reason.NO_PERMISSION)})
    found = derived("lifecycle", World(), refused)
    assert (found.facts, reasons(found)) == ({}, {"lifecycle.removals": Reason.NO_PERMISSION})
