"""Two reports side by side: what is new, fixed, changed, still open or gone, and what is looked at no longer."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import sample_report as sample
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudaudit.reporters.comparison import (
    MOST_POINTS,
    Change,
    Comparison,
    Point,
    Shrinkage,
    compare,
    open_prints,
    trend,
)

REPORT = sample.report(sample.realistic())
OUTCOMES = ("pass", "fail", "expired", "unknown", "manual_pending", "not_applicable", "waived")


def report_of(outcomes: dict[str, str]) -> dict[str, Any]:
    """A report whose findings come to these outcomes; what passes is not in it, as in every report.json."""
    shape = deepcopy(REPORT["findings"][0])
    found = []
    for print_, outcome in outcomes.items():
        if outcome != "pass":
            waived = outcome == "waived"
            found.append(
                shape
                | {
                    "fingerprint": print_,
                    "verdict": "fail" if waived else outcome,
                    "disposition": "waived" if waived else None,
                    "reason_code": "timeout" if outcome == "unknown" else None,
                }
            )
    return REPORT | {"findings": found}


def prints(changes: tuple[Change, ...]) -> list[str]:
    return [change.record["fingerprint"] for change in changes]


def told(found: Comparison) -> dict[str, list[tuple[str, str | None, str | None]]]:
    return {
        name: [(one.record["fingerprint"], one.was, one.now) for one in getattr(found, name)]
        for name in ("new", "fixed", "changed", "still_open", "vanished")
    }


def test_every_way_a_finding_can_go() -> None:
    before = {
        "a": "fail",
        "b": "unknown",
        "c": "fail",
        "d": "waived",
        "e": "not_applicable",
        "f": "fail",
        "g": "fail",
    }
    now = {
        "a": "fail",
        "b": "fail",
        "c": "pass",
        "d": "waived",
        "e": "expired",
        "g": "not_applicable",
        "h": "fail",
    }
    found = compare(report_of(now), report_of(before), passing={"c"})
    assert told(found) == {
        "new": [("e", "not_applicable", "expired"), ("h", None, "fail")],
        "fixed": [("c", "fail", "pass")],
        "changed": [("b", "unknown", "fail"), ("g", "fail", "not_applicable")],
        "still_open": [("a", "fail", "fail"), ("d", "waived", "waived")],
        "vanished": [("f", "fail", None)],
    }  # fmt: skip


def test_without_the_findings_that_pass_nothing_is_called_fixed() -> None:
    found = compare(report_of({"a": "pass"}), report_of({"a": "fail", "b": "fail"}))
    assert (prints(found.fixed), prints(found.vanished)) == ([], ["a", "b"])


@pytest.mark.parametrize("region", ["khac", None])
def test_things_that_share_a_fingerprint_hide_nothing_of_each_other(region: str | None) -> None:
    before = report_of({"a": "fail"})
    (there,) = before["findings"]
    elsewhere = deepcopy(there)
    elsewhere["resource"]["region"] = region or there["resource"]["region"]
    for findings_ in ([there, elsewhere], [elsewhere, there]):
        after = before | {"findings": findings_}
        assert told(compare(after, before)) == {
            "new": [("a", None, "fail")], "fixed": [], "changed": [], "vanished": [],
            "still_open": [("a", "fail", "fail")],
        }  # fmt: skip
        back = compare(before, after, {"a"})
        assert (prints(back.fixed), prints(back.vanished)) == ([], ["a"])


def test_another_reason_for_not_knowing_is_a_change() -> None:
    before = report_of({"a": "unknown"})
    after = deepcopy(before)
    after["findings"][0]["reason_code"] = "stale"
    assert prints(compare(after, before).changed) == ["a"]


findings = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(OUTCOMES))


@given(findings, findings)
@settings(deadline=None)
def test_every_open_finding_of_either_report_stands_in_one_list(
    now: dict[str, str], before: dict[str, str]
) -> None:
    report, earlier = report_of(now), report_of(before)
    passing = {print_ for print_, outcome in now.items() if outcome == "pass"}
    found = compare(report, earlier, passing)
    met = {"pass", "not_applicable"}
    open_now = sorted(print_ for print_, outcome in now.items() if outcome not in met)
    open_before = sorted(print_ for print_, outcome in before.items() if outcome not in met)
    moved = [c for c in found.changed if c.now != "not_applicable"]
    assert sorted(prints(found.new) + prints(tuple(moved)) + prints(found.still_open)) == open_now
    both = prints(found.changed) + prints(found.still_open)
    assert sorted(prints(found.fixed) + both + prints(found.vanished)) == open_before
    assert set(prints(found.fixed)) <= passing
    assert open_prints(report) == set(open_now)


@given(findings)
@settings(deadline=None)
def test_a_report_beside_itself_shows_no_change(now: dict[str, str]) -> None:
    report = report_of(now)
    found = compare(report, report, ())
    assert (found.new, found.fixed, found.changed, found.vanished, found.shrunk, found.gates, found.versions) == (
        (), (), (), (), (), (), ()
    )  # fmt: skip
    assert set(prints(found.still_open)) == open_prints(report)


@given(findings, findings)
@settings(deadline=None)
def test_what_is_new_one_way_is_settled_the_other_way(now: dict[str, str], before: dict[str, str]) -> None:
    report, earlier = report_of(now), report_of(before)
    there, back = compare(report, earlier, ()), compare(earlier, report, ())
    settled = [c for c in back.changed if c.now == "not_applicable"]
    assert sorted(prints(there.new)) == sorted(prints(back.vanished) + prints(tuple(settled)))
    assert sorted(prints(there.still_open)) == sorted(prints(back.still_open))


def test_what_is_looked_at_no_longer_is_listed() -> None:
    earlier = deepcopy(REPORT) | {
        "collection_figures": {"projects_seen": 4, "buckets_listed": 3, "buckets_readable": 3}
    }
    report = deepcopy(REPORT) | {
        "collection_figures": {"projects_seen": 3, "buckets_listed": "unknown", "buckets_readable": 3}
    }
    report["targets"] = report["targets"][:1]
    report["registers"] = report["registers"][1:]
    gone, less, worse = report["collection"][0], report["collection"][1], report["collection"][2]
    report["collection"] = [less | {"asked": 5, "ok": 5}, worse | {"ok": 3}, *report["collection"][3:]]
    report["controls"] = [c for c in report["controls"] if c["id"] != "SEC-06"]
    volumes = next(c for c in report["controls"] if c["id"] == "BDR-01")
    volumes["counts"] = {"pass": 5}
    volumes["listing_complete"] = False
    assert compare(report, earlier).shrunk == (
        Shrinkage("target", "s3-hn", None, None),
        Shrinkage("service", f"hn-cloud/hn-1/{gone['service']}", 4, None),
        Shrinkage("service", f"hn-cloud/hn-1/{less['service']}", 6, 5),
        Shrinkage("answered", "hn-cloud/hcm-1/block-storage", 4, 3),
        Shrinkage("judged", "BDR-01", 12, 5),
        Shrinkage("listing", "BDR-01", None, None),
        Shrinkage("control", "SEC-06", None, None),
        Shrinkage("register", "sites", None, None),
        Shrinkage("figure", "projects_seen", 4, 3),
        Shrinkage("figure", "buckets_listed", 3, None),
    )
    assert compare(earlier, report).shrunk == ()


def test_gates_and_versions_that_differ() -> None:
    earlier = deepcopy(REPORT)
    earlier["readiness"]["gates"][0]["state"] = "open"
    earlier["catalogue"]["sha256"] = "0" * 64
    earlier["tool"]["version"] = "0.0.9"
    found = compare(REPORT, earlier)
    assert (found.gates, found.versions) == ((("G1", "open", "blocked"),), ("catalogue", "tool"))


def test_a_trend_has_twelve_earlier_reports_and_the_oldest_first() -> None:
    months = [REPORT | {"assessed_at": f"2025-{month:02}-01T00:00:00Z"} for month in range(1, 13)]
    older = REPORT | {"assessed_at": "2024-12-01T00:00:00Z"}
    points = trend(REPORT, [*months[::-1], older])
    assert [point.at for point in points] == [*(one["assessed_at"] for one in months), REPORT["assessed_at"]]
    assert len(points) == MOST_POINTS + 1
    readiness = REPORT["readiness"]
    score = readiness["score"]
    assert points[-1] == Point(
        "2026-11-22T01:30:00Z",
        readiness["level"],
        score["lower"],
        score["upper"],
        readiness["coverage"],
        5,
        7,
    )
    assert trend(REPORT, months) == trend(REPORT, months[::-1])


def test_a_resource_that_is_gone_is_not_fixed() -> None:
    inputs = sample.realistic()
    less = replace(inputs, findings=[f for f in inputs.findings if f.resource.name != "csdl-ho-tich-05"])
    passing = {r["fingerprint"] for r in sample.records(less) if r["verdict"] == "pass"}
    found = compare(sample.report(less), sample.report(inputs), passing)
    assert [(c.record["control"], c.now) for c in found.vanished] == [("BDR-01", None)]
    assert found.fixed == ()
    assert [one for one in found.shrunk if one.what == "BDR-01"] == [Shrinkage("judged", "BDR-01", 12, 11)]
