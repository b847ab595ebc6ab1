"""Until when a report counts: thirty days, or until what holds a gate open ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
import sample_report as sample

from cloudaudit.model import (
    Explanation,
    FactSpec,
    FactType,
    Finding,
    Parameter,
    Reading,
    Resource,
    Text,
    parse_time,
)
from cloudaudit.reporters.validity import DAYS, Lapses, Validity

DAY = 86400
AT = sample.ASSESSED
END = AT + DAYS * DAY
OLD_AGE = Validity(END, Text("30 ngày kể từ thời điểm đánh giá", "30 days after the assessment"))


def paper(id_: str = "HS-1", **facts: Any) -> Resource:
    return sample.declared(
        "attestation", id_, **{"valid_until": AT + 400 * DAY, "issued_at": AT - DAY, **facts}
    )


def drill(id_: str = "DT-1", **facts: Any) -> Resource:
    return sample.declared("drill", id_, **{"valid_until": None, "date": AT - DAY, **facts})


def on(
    control: str, verdict: str, *read: tuple[Resource, str], waiver: str | None = None, **ages: int
) -> Finding:
    """A finding of the platform that stands on facts of papers and drills."""
    about = sample.declared("platform", "nen-tang-an-binh")
    made = sample.finding(control, about, verdict, waiver=waiver)
    parameters = {n: Parameter(FactSpec(n, FactType.DURATION), 365 * DAY, "proposed-default") for n in ages}
    return replace(
        made,
        control=replace(made.control, parameters=parameters, values=ages),
        explanation=Explanation(True, tuple(Reading(one, fact, one.facts.get(fact)) for one, fact in read)),
    )


def validity(
    *findings: Finding, sites: dict[str, Resource] | None = None, waivers: dict[str, int] | None = None
) -> Validity:
    lapses = Lapses(AT, frozenset({"COM-01", "BDR-21", "SEC-06", "RES-04"}), sites or {}, waivers or {})
    for one in findings:
        lapses.add(one)
    return lapses.validity()


def ends(until: int, control: str, evidence: str, vi: str, en: str) -> Validity:
    return Validity(until, Text(vi, en), control, evidence)


def test_without_papers_a_report_counts_for_thirty_days() -> None:
    assert validity() == OLD_AGE
    assert parse_time("2026-12-22T01:30:00Z") == END


def test_a_paper_that_ends_first_ends_the_report() -> None:
    soon = paper("HS-2", valid_until=AT + 5 * DAY)
    found = validity(on("COM-01", "pass", (paper(), "state"), (soon, "state")))
    assert found == ends(
        AT + 5 * DAY, "COM-01", "attestation:HS-2",
        "hồ sơ HS-2 làm chứng cứ cho COM-01 hết hiệu lực", "paper HS-2, evidence of COM-01, lapses",
    )  # fmt: skip


@pytest.mark.parametrize("until", [END, END + DAY, AT, AT - DAY, None])
def test_what_ends_later_or_has_ended_before_does_not_count(until: int | None) -> None:
    assert validity(on("COM-01", "pass", (paper(valid_until=until), "state"))) == OLD_AGE


@pytest.mark.parametrize("verdict", ["fail", "expired", "unknown", "manual_pending", "not_applicable"])
def test_what_holds_no_gate_open_cannot_lapse(verdict: str) -> None:
    soon = paper(valid_until=AT + DAY)
    assert validity(on("COM-01", verdict, (soon, "state"))) == OLD_AGE
    assert validity(on("POR-12", "pass", (soon, "state"))) == OLD_AGE


def test_a_paper_ends_when_it_grows_too_old_where_its_age_was_asked() -> None:
    issued = paper(issued_at=AT - 360 * DAY)
    found = validity(on("COM-01", "pass", (issued, "state"), (issued, "age"), max_age=365 * DAY))
    assert (found.until, found.evidence) == (AT + 5 * DAY, "attestation:HS-1")
    assert validity(on("COM-01", "pass", (issued, "state"), max_age=365 * DAY)) == OLD_AGE


def test_a_drill_ends_by_its_age_or_its_own_date() -> None:
    held = drill(date=AT - 170 * DAY)
    found = validity(on("BDR-21", "pass", (held, "date"), max_restore_drill_age=180 * DAY))
    assert found == ends(
        AT + 10 * DAY, "BDR-21", "drill:DT-1",
        "lần diễn tập DT-1 làm chứng cứ cho BDR-21 hết thời hạn", "drill DT-1, evidence of BDR-21, lapses",
    )  # fmt: skip
    dated = drill(valid_until=AT + 3 * DAY)
    assert validity(on("BDR-21", "pass", (dated, "result"))).until == AT + 3 * DAY


def test_of_several_limits_of_age_the_next_one_counts() -> None:
    held = paper(issued_at=AT - 370 * DAY)
    both = {"max_inspection_age": 365 * DAY, "max_inspection_age_low": 380 * DAY}
    assert validity(on("COM-01", "pass", (held, "age"), **both)).until == AT + 10 * DAY


def test_other_durations_are_no_ages() -> None:
    held = paper(issued_at=AT - DAY)
    found = on("COM-01", "pass", (held, "age"), min_certificate_life=2 * DAY, max_links=2 * DAY)
    assert validity(found) == OLD_AGE


def test_a_waiver_ends_the_report_with_its_last_day() -> None:
    waived = on("SEC-06", "fail", waiver="MT-1")
    found = validity(waived, waivers={"MT-1": AT + 7 * DAY})
    assert found == ends(
        AT + 7 * DAY, "SEC-06", "waiver:MT-1",
        "miễn trừ MT-1 đối với SEC-06 hết thời hạn", "waiver MT-1 of SEC-06 ends",
    )  # fmt: skip
    assert validity(waived) == OLD_AGE


def test_the_paper_behind_a_site_ends_what_stands_on_the_site() -> None:
    bucket = sample.resource("s3.bucket", "ho-so", {"site.id": "hn-1", "site.domestic": True})
    sites = {"hn-1": paper("HS-9", valid_until=AT + 2 * DAY)}
    found = validity(on("RES-04", "pass", (bucket, "site.domestic")), sites=sites)
    assert (found.until, found.evidence) == (AT + 2 * DAY, "attestation:HS-9")
    assert validity(on("RES-04", "pass", (bucket, "location")), sites=sites) == OLD_AGE
    assert (
        validity(on("RES-04", "pass", (bucket, "site.domestic")), sites={"hcm-1": sites["hn-1"]}) == OLD_AGE
    )


def orders(findings: list[Finding]) -> Iterable[list[Finding]]:
    yield findings
    yield findings[::-1]


def test_order_does_not_matter() -> None:
    same_end = [on("COM-01", "pass", (paper(f"HS-{n}", valid_until=AT + DAY), "state")) for n in (3, 1, 2)]
    assert {validity(*order).evidence for order in orders(same_end)} == {"attestation:HS-1"}


def test_a_hostile_id_is_cleaned() -> None:
    found = validity(on("COM-01", "pass", (paper("x\x1b[31m" + "y" * 500, valid_until=AT + DAY), "state")))
    assert found.evidence is not None
    assert "\x1b" not in found.evidence + found.because.vi
    assert len(found.because.vi) < 250
