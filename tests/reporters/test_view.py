"""Order and groups of a report, and the map of places."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sample_report as sample
from hypothesis import given
from hypothesis import strategies as st

from cloudaudit.model import Text
from cloudaudit.reporters import view
from cloudaudit.reporters.places import Abroad, places

NAMELESS = {"site": None, "region": None, "target": "s3-hn"}


def realistic() -> dict[str, Any]:
    return sample.report(sample.realistic())


def test_gating_controls_come_first_then_the_worst_and_most_severe() -> None:
    found = [(group.control["id"], group.gate, group.worst) for group in view.groups(realistic())]
    assert found == [
        ("RES-05", "G1", "fail"),
        ("BDR-01", "G2", "fail"),
        ("BDR-24", "G2", "expired"),
        ("RES-01", "G1", "unknown"),
        ("BDR-21", "G2", "manual_pending"),
        ("COM-12", None, "fail"),
        ("BDR-05", None, "fail"),
        ("SEC-10", None, "unknown"),
        ("NDC-01", None, "manual_pending"),
    ]


def test_the_first_finding_of_a_control_is_the_worst_and_heaviest() -> None:
    group = next(g for g in view.groups(realistic()) if g.control["id"] == "BDR-05")
    shown = [(view.outcome(f), f["weight"], view.place(f)) for f in group.findings]
    assert shown == [
        ("fail", 4, "csdl-ho-tich-08"),
        ("fail", 2, "csdl-cong-dich-vu-00"),
        ("waived", 4, "csdl-ho-tich-04"),
    ]
    assert group.counts == {"fail": 2, "waived": 1}


def test_only_gating_controls_block() -> None:
    blocks, top = view.top(view.groups(realistic()))
    assert (blocks, [group.control["id"] for group in top]) == (
        True,
        ["RES-05", "BDR-01", "BDR-24", "RES-01", "BDR-21"],
    )


def test_without_a_held_back_gate_the_most_severe_failures_are_named() -> None:
    inputs = sample.realistic()
    kept = [f for f in inputs.findings if f.control.id in ("COM-12", "BDR-05", "SEC-10")]
    blocks, top = view.top(view.groups(sample.report(replace(inputs, findings=kept))))
    assert (blocks, [group.control["id"] for group in top]) == (False, ["COM-12", "BDR-05"])


def unknown(id_: str, *causes: tuple[str, str | None], verdict: str = "unknown") -> view.Group:
    control = {"id": id_, "weight": 1}
    records = [
        {"verdict": verdict, "disposition": None, "reason_code": reason, "detail": detail, "control": id_,
         "resource": {"name": f"{id_}-{n}", "id": "x"}}
        for n, (reason, detail) in enumerate(causes)
    ]  # fmt: skip
    return view.Group(control, records, None, {verdict: len(records)})


DARK, DENIED = ("unreachable", "no connection"), ("no_permission", None)


def test_controls_unknown_for_the_same_reasons_are_told_together_where_the_first_stands() -> None:
    found = [
        unknown("A", DARK),
        unknown("B", DARK, verdict="fail"),
        unknown("C", DARK, DENIED),
        unknown("D", DARK, DARK),
        unknown("E", DENIED),
        unknown("F", ("unreachable", "another")),
        unknown("G", DARK),
        unknown("H", DENIED),
    ]
    told = view.alike(found)
    assert [one.controls if isinstance(one, view.Alike) else one.control["id"] for one in told] == [
        ("A", "D", "G"), "B", "C", "E", "F", "H",
    ]  # fmt: skip
    together = told[0]
    assert isinstance(together, view.Alike)
    assert together.reasons == (DARK,)
    assert (len(together.findings), together.places) == (4, ("A-0", "D-0", "D-1", "G-0"))


@given(
    st.lists(
        st.tuples(st.sampled_from(("unknown", "fail")), st.sets(st.sampled_from((DARK, DENIED)), min_size=1))
    )
)
def test_no_control_is_lost_or_told_twice(given_: list[tuple[str, set[tuple[str, str | None]]]]) -> None:
    found = [unknown(str(n), *causes, verdict=verdict) for n, (verdict, causes) in enumerate(given_)]
    told = [
        id_
        for one in view.alike(found)
        for id_ in (one.controls if isinstance(one, view.Alike) else (one.control["id"],))
    ]
    assert sorted(told) == sorted(group.control["id"] for group in found)


def test_controls_with_a_reason_for_each_resource_are_told_alone() -> None:
    """Together they would be one cell with thousands of lines, past every limit of what is printed."""
    many = [("partial", f"volume v{number} does not tell it") for number in range(view.MOST_REASONS + 1)]
    for causes, together in ((many, False), (many[1:], True)):
        told = view.alike([unknown(id_, *causes) for id_ in "ABC"])
        assert [isinstance(one, view.Alike) for one in told] == ([True] if together else [False] * 3)


def test_gates_are_counted_without_the_final_one_and_those_out_of_scope() -> None:
    assert view.gate_count(realistic()) == (5, 7)


def test_unknowns_by_reason_say_what_to_do() -> None:
    found = [(one.reason, one.count, one.controls) for one in view.unknowns(realistic())]
    assert found == [
        ("manual_pending", 2, ("BDR-21", "NDC-01")),
        ("no_permission", 1, ("SEC-10",)),
        ("unmapped", 1, ("RES-01",)),
    ]
    assert all(one.remedy.vi and one.remedy.en for one in view.unknowns(realistic()))


def test_an_unseen_scope_says_so_and_not_what_its_facts_cannot_fill() -> None:
    record = next(f for f in sample.report(sample.small())["findings"] if f["control"] == "SEC-13")
    assert view.message(record) == Text(
        "Chưa thu thập được s3.bucket tại s3-hn: Thiếu quyền đọc",
        "s3.bucket at s3-hn was not seen: No permission to read",
    )


def test_waivers_that_hold_come_before_refused_ones() -> None:
    found = [(one.waiver, one.refusal, one.control, len(one.findings)) for one in view.waived(realistic())]
    refusal = Text("miễn trừ MT-2026-02 không còn trong thời hạn", "waiver MT-2026-02 is not in date")
    assert found == [("MT-2026-03", None, "BDR-05", 1), (None, refusal, "BDR-05", 2)]


@given(st.lists(st.integers(0, 50), max_size=12), st.integers(0, 200))
def test_a_fair_limit_is_the_largest_that_keeps_the_budget(counts: list[int], budget: int) -> None:
    limit = view.fair_limit(counts, budget)
    assert sum(min(count, limit) for count in counts) <= max(budget, 0)
    if any(count > limit for count in counts):
        assert sum(min(count, limit + 1) for count in counts) > budget


# --- places -------------------------------------------------------------------------------------------


def all_records(inputs: sample.Inputs) -> list[dict[str, Any]]:
    writer = sample.FindingWriter(sample.TYPES, sample.call)
    return [writer.record(one) for one in inputs.findings]


def test_the_map_leads_from_names_to_sites_to_provinces() -> None:
    inputs = sample.realistic()
    found = places(sample.report(inputs), sample.SITES, iter(all_records(inputs)))
    assert [(p.name, p.country, p.domestic, [s.id for s in p.sites]) for p in found.provinces] == [
        ("Hà Nội", "VN", True, ["hn-1"]),
        ("Thành phố Hồ Chí Minh", "VN", True, ["hcm-1"]),
        ("Singapore", "SG", False, ["sg-1"]),
    ]
    assert [(s.id, dict(s.resources)) for s in found.sites] == [
        ("hn-1", {"openstack.volume": 8, "s3.bucket": 2}),
        ("hcm-1", {"openstack.volume": 4, "s3.bucket": 1}),
        ("sg-1", {}),
    ]
    assert found.links == {
        (("hn-cloud", "hn-1"), "hn-1"),
        (("hn-cloud", "hcm-1"), "hcm-1"),
        (("hn-cloud", "dn-1"), None),
        (("s3-hn", None), "hn-1"),
        (("s3-hn", None), "hcm-1"),
    }
    assert found.unmapped == (("hn-cloud", "dn-1"),)
    assert found.unplaced == 1
    assert found.abroad == (
        Abroad(("s3-hn", None), "sg-1", "RES-05", "ho-so-cong-dan", "dr-copy – sg-1", "SG"),
    )


def test_without_all_findings_those_of_the_report_are_counted() -> None:
    found = places(sample.report(sample.realistic()), sample.SITES)
    assert [(s.id, dict(s.resources)) for s in found.sites] == [
        ("hn-1", {"openstack.volume": 4, "s3.bucket": 1}),
        ("hcm-1", {"openstack.volume": 1}),
        ("sg-1", {}),
    ]


def test_a_site_nobody_declares_any_more_is_unmapped() -> None:
    found = places(sample.report(sample.realistic()), ())
    assert found.provinces == ()
    assert {site for _, site in found.links} == {None}
