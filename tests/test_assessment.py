"""Judging: verdicts, scopes that were not seen, emptiness, clocks, waivers, and what never depends on what."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import product
from typing import Any

import pytest
from builders import DAY, HOUR, NOW, REGISTERS, no_register
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import (
    FLAGS,
    HERE,
    STEPS,
    Memory,
    Waiver,
    control,
    entry,
    estate,
    evidence_of,
    judge,
    obligation,
    profile,
    spec,
    thing,
)

from cloudaudit.assessment import Declared, Estate, assess, quick_verdict, reason_of, verdict_of
from cloudaudit.catalog import Catalogue, load_catalogue, load_profile
from cloudaudit.facts import DERIVATIONS
from cloudaudit.facts.derivation import Derived, Family
from cloudaudit.model import (
    BEYOND,
    MISSING,
    AtLeast,
    AtMost,
    Control,
    Excess,
    Explanation,
    Finding,
    Frame,
    Gap,
    Gate,
    Join,
    Limit,
    Listing,
    Parameter,
    Partial,
    Profile,
    Reading,
    Reason,
    Resource,
    Scope,
    Tally,
    Text,
    Unseen,
    Value,
    Verdict,
    World,
)

ELSEWHERE = Scope("dam-may", "hcm")
REFUSED = Gap(ELSEWHERE, "vm", "vm.list", Reason.NO_PERMISSION, "403 Forbidden", 1)
GATES = (Gate("G1", Text("", ""), ("SEC-01",)),)
IN_DETAIL = replace(REFUSED, operation="vm.disks", listing=False)


def brief(findings: Sequence[Finding]) -> list[tuple[str, str, str]]:
    """Control, resource and verdict of each finding, with the reason where there is one."""
    return [
        (f.control.id, f.resource.id, f"{f.verdict}: {f.reason}" if f.reason else f.verdict.value)
        for f in findings
    ]


# --- six verdicts -------------------------------------------------------------------------------------

ALL_OFF = {"chosen": True, "inapplicable": False, "lapsed": False, "pending": False, "good": False}


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"good": True}, "pass"),
        ({}, "fail"),
        ({"pending": True, "good": True}, "manual_pending"),
        ({"lapsed": True, "pending": True, "good": True}, "expired"),
        ({"inapplicable": True, "lapsed": True, "pending": True}, "not_applicable"),
        ({"chosen": False, "inapplicable": True, "lapsed": True}, None),
        ({"chosen": None}, None),
        ({"good": MISSING}, "unknown"),
        ({"pending": MISSING, "good": True}, "unknown"),
        ({"lapsed": MISSING, "pending": True}, "unknown"),
        ({"inapplicable": MISSING, "lapsed": True}, "unknown"),
        ({"chosen": MISSING, "good": True}, "unknown"),
        # What comes after what decided is not asked.
        ({"inapplicable": True, "lapsed": MISSING, "good": MISSING}, "not_applicable"),
        ({"lapsed": True, "pending": MISSING}, "expired"),
        ({"pending": True, "good": MISSING}, "manual_pending"),
        ({"chosen": False, "good": MISSING}, None),
    ],
)
def test_conditions_are_judged_in_their_order(facts: Mapping[str, Value], verdict: str | None) -> None:
    seen = {name: value for name, value in {**ALL_OFF, **facts}.items() if value is not MISSING}
    findings, _ = judge(Memory([thing("v1", seen), thing("v2", {**ALL_OFF, "good": True})]), control(**STEPS))
    assert [f.verdict.value for f in findings if f.resource.id == "v1"] == ([verdict] if verdict else [])


def test_every_combination_gives_the_same_verdict_quickly_and_with_evidence() -> None:
    every = control(**STEPS)
    world = Estate(Memory(), Declared({}), (), (every,), NOW)
    for values in product((True, False, MISSING), repeat=len(FLAGS)):
        seen = {flag: value for flag, value in zip(FLAGS, values, strict=True) if value is not MISSING}
        subject = thing("v1", seen)
        slow, explanation = verdict_of(every, subject, Frame(world))
        assert quick_verdict(every, subject, Frame(world)) is slow
        if slow not in (None, Verdict.UNKNOWN):
            told = {reading.fact: reading.value for reading in explanation.readings}
            assert told.items() <= seen.items()
            only, _ = verdict_of(every, thing("v1", told), Frame(world))
            assert only is slow, "the evidence alone gives the verdict"
        elif slow is Verdict.UNKNOWN:
            assert [reading.value for reading in explanation.readings] == [MISSING]


def test_a_control_without_a_check_is_never_passed_or_failed() -> None:
    pending = replace(control(pending_when=STEPS["pending_when"]), check=None)
    findings, _ = judge(Memory([thing("v1", {"pending": True}), thing("v2", {"pending": False})]), pending)
    assert brief(findings) == [("SEC-01", "v1", "manual_pending"), ("SEC-01", "v2", "unknown: partial")]


def test_a_parameter_beyond_the_profiles_limit_fails_its_control_whatever_is_waived() -> None:
    most = {"most": Parameter(spec("most", "integer"), 5, "proposed-default")}
    one = control(parameters=most, values={"most": 9})
    loosened = replace(
        profile(one), loosened={one.id: (Excess(Limit("most", "at_most", 5), "most = 9; at_most: 5"),)}
    )
    found: list[Finding] = []
    evidence = Memory([thing("v1", {"good": True})])
    waived = Declared({}, waivers=(Waiver(control=one.id, resource="param.most"),))
    assessed = assess(evidence, waived, loosened, (), {}, at=NOW, sink=found.append)
    assert brief(found) == [(one.id, "v1", "pass"), (one.id, "param.most", "fail")]
    assert found[1].detail == "most = 9; at_most: 5"
    assert [(r.fact, r.value) for r in found[1].explanation.readings] == [
        ("param.most", 9),
        ("limit.at_most", 5),
    ]
    assert (assessed.tallies[one.id].verdict, found[1].waiver) == ("fail", None)
    counted = assess(evidence, waived, loosened, (), {}, at=NOW)
    assert counted.tallies == assessed.tallies


def test_a_verdict_that_parameters_decide_stands_on_the_thing_itself() -> None:
    allowed = {"off": Parameter(spec("off", "boolean"), True, "proposed-default")}
    findings, _ = judge(
        Memory([thing()]), control(check={"param": "off", "equals": True}, parameters=allowed)
    )
    (only,) = findings
    assert only.explanation.value is True
    assert [(r.resource.id, r.fact, r.value) for r in only.explanation.readings] == [("v1", "id", "v1")]


# --- why something is not known -----------------------------------------------------------------------


def unknown(facts: Mapping[str, Value], check: Any, **unseen: Unseen) -> tuple[Reason | None, str]:
    findings, _ = judge(Memory([thing("v1", facts, unseen=unseen)]), control(check=check))
    (only,) = findings
    assert only.verdict is Verdict.UNKNOWN
    return only.reason, only.detail


def test_the_reason_is_that_of_the_fact_that_is_missing() -> None:
    refused = Unseen(Reason.NO_PERMISSION, "403")
    sized = {"fact": "size", "at_most": 3, "if_null": "unknown"}
    assert unknown({}, sized, size=refused) == (Reason.NO_PERMISSION, "403")
    assert unknown({}, sized, **{"": Unseen(Reason.AMBIGUOUS, "two")}) == (Reason.AMBIGUOUS, "two")
    assert unknown({}, sized) == (Reason.NOT_COLLECTED, "not seen: size")
    assert unknown({"size": None}, sized) == (Reason.PARTIAL, "what was seen does not decide it")
    assert unknown({"size": AtMost(5)}, sized) == (Reason.PARTIAL, "what was seen does not decide it")
    assert unknown({"size": AtMost(5)}, sized, size=refused) == (Reason.NO_PERMISSION, "403")
    disks = {"fact": "disks", "contains": "x"}
    assert unknown({"disks": Partial(())}, disks, disks=refused) == (Reason.NO_PERMISSION, "403")
    both = {"all_of": [{"fact": "good", "equals": True}, sized, {"fact": "born", "age_at_most": "P1D"}]}
    assert unknown({"good": True}, both) == (Reason.NOT_COLLECTED, "not seen: size, born")
    assert unknown({"good": True}, both, born=refused) == (Reason.NO_PERMISSION, "403")


def test_what_is_not_attributed_is_unmapped_not_dropped() -> None:
    critical = control(where={"fact": "system.criticality", "in": ["critical"]})
    unmapped = {"system": Unseen(Reason.UNMAPPED, "no system's selectors fit")}
    findings, result = judge(Memory([thing(unseen=unmapped)]), critical)
    assert brief(findings) == [("SEC-01", "v1", "unknown: unmapped")]
    assert result.tallies["SEC-01"] == Tally({"unknown": 1}, {}, {"unknown": 1})


def test_an_explanation_without_readings_has_a_reason_too() -> None:
    assert reason_of(Explanation(None)) == (Reason.PARTIAL, "what was seen does not decide it")


# --- scopes that were not seen ------------------------------------------------------------------------


def test_a_gap_is_one_unknown_for_its_scope_beside_the_findings_of_what_was_seen() -> None:
    findings, result = judge(Memory([thing()], [REFUSED]), control())
    assert brief(findings) == [
        ("SEC-01", "dam-may/hcm/*", "unknown: no_permission"),
        ("SEC-01", "v1", "pass"),
    ]
    assert result.tallies["SEC-01"] == Tally(
        {"unknown": 1, "pass": 1}, {}, {"unknown": 1, "pass": 1}, listing_complete=False
    )
    place = findings[0]
    assert place.resource == Resource(
        "vm", "dam-may/hcm/*", ELSEWHERE, NOW, {}, "dam-may/hcm", sources={"": 1}
    )
    assert (place.detail, place.weight, place.waiver) == ("403 Forbidden", None, None)
    assert place.explanation == Explanation(
        None, (Reading(place.resource, "listing", MISSING, Unseen(Reason.NO_PERMISSION, "403 Forbidden")),)
    )


def test_one_unknown_for_each_scope_whatever_number_of_calls_failed_there() -> None:
    late = Gap(ELSEWHERE, "vm", "vm.other", Reason.TIMEOUT, "")
    one = Gap(Scope("dam-may", "hn", "p1"), "vm", "vm.list", Reason.TIMEOUT, "")
    for told in ([REFUSED, late, one], [one, late, REFUSED]):
        findings, _ = judge(Memory([], told), control())
        assert brief(findings) == [
            ("SEC-01", "dam-may/hcm/*", "unknown: no_permission"),
            ("SEC-01", "dam-may/hn/p1", "unknown: timeout"),
        ]


def test_a_gap_of_another_type_concerns_nobody() -> None:
    findings, result = judge(Memory([thing()], [replace(REFUSED, type="net")]), control())
    assert brief(findings) == [("SEC-01", "v1", "pass")]
    assert result.tallies["SEC-01"].listing_complete


SCOPES = [
    Scope("a"), Scope("a", "b"), Scope("a", None, "b"), Scope("a", "b", "b"), Scope("a/b"), Scope("*"), Scope("b", "a"),
]  # fmt: skip


def test_scopes_have_different_fingerprints_and_none_has_that_of_a_thing() -> None:
    names = ["a", "b", "a/b", "*"]
    things = [thing(name, scope=Scope(target)) for name in names for target in ("a", "b", "a/b", "*")]
    findings, _ = judge(Memory(things, [replace(REFUSED, scope=scope) for scope in SCOPES]), control())
    assert len({f.fingerprint for f in findings}) == len(findings) == len(SCOPES) + 16


def test_a_gap_in_details_hides_nothing() -> None:
    """The thing itself says which of its facts are missing; its list was read."""
    refused = Unseen(Reason.NO_PERMISSION, "403")
    evidence = Memory([thing(unseen={"disks": refused})], [IN_DETAIL])
    disks = control("SEC-02", {"fact": "disks", "contains": "x"})
    findings, result = judge(evidence, control(), disks)
    assert brief(findings) == [("SEC-01", "v1", "pass"), ("SEC-02", "v1", "unknown: no_permission")]
    assert all(tally.listing_complete for tally in result.tallies.values())


def test_details_do_not_stand_in_for_a_list() -> None:
    findings, result = judge(Memory([thing()], [IN_DETAIL], listed=()), control())
    assert brief(findings) == [("SEC-01", "*/*/*", "unknown: not_collected"), ("SEC-01", "v1", "pass")]
    assert not result.tallies["SEC-01"].listing_complete


def test_derivations_are_told_of_every_gap() -> None:
    world = Estate(Memory([], [REFUSED, IN_DETAIL]), Declared({"paper": ()}), (), (), NOW)
    assert world.gaps_of("vm") == [IN_DETAIL, REFUSED]
    assert [gap.reason for gap in world.gaps_of("disk")] == [Reason.NOT_COLLECTED]
    assert (world.gaps_of("net"), world.gaps_of("paper")) == ([], [])


def test_a_type_nobody_listed_is_not_collected() -> None:
    findings, result = judge(Memory(listed=()), control())
    assert brief(findings) == [("SEC-01", "*/*/*", "unknown: not_collected")]
    assert findings[0].detail == "nothing of this kind was collected"
    assert not result.tallies["SEC-01"].listing_complete
    # Even where things of it turned up on the way.
    findings, _ = judge(Memory([thing()], listed=()), control())
    assert brief(findings) == [("SEC-01", "*/*/*", "unknown: not_collected"), ("SEC-01", "v1", "pass")]


# --- emptiness ----------------------------------------------------------------------------------------


def test_nothing_in_a_complete_list_is_not_applicable_with_the_proof() -> None:
    findings, result = judge(Memory(), control())
    (only,) = findings
    assert brief(findings) == [("SEC-01", "*/*/*", "not_applicable")]
    assert only.detail == "all of vm"
    place = Resource("vm", "dam-may/*/*", Scope("dam-may"), NOW, {}, "dam-may", sources={"": 1})
    assert only.explanation == Explanation(
        True, (Reading(place, "listing", {"count": 0, "proof": "all of vm"}),)
    )
    assert result.tallies["SEC-01"] == Tally({"not_applicable": 1}, {}, {"not_applicable": 1})
    assert result.tallies["SEC-01"].verdict == "not_applicable"


@pytest.mark.parametrize(
    ("gates", "things", "verdicts"),
    [
        ((), [], ["not_applicable"]),
        ((), [thing()], ["pass"]),
        (GATES, [], ["unknown"]),
        (GATES, [thing()], ["pass", "unknown"]),
    ],
)
def test_what_code_declares_proves_nothing_to_a_profile_that_concludes_on_a_cloud(
    gates: tuple[Gate, ...], things: list[Resource], verdicts: list[str]
) -> None:
    whole_of_the_code = Listing(Scope("ke-hoach"), "vm", len(things), "read to its end", 1, open=True)
    evidence = Memory(things, listed=(), lists=[whole_of_the_code])
    found: list[Finding] = []
    profile_ = replace(profile(control()), gates=gates)
    assessed = assess(evidence, Declared({}), profile_, (), {}, at=NOW, sink=found.append)
    assert sorted(one.verdict.value for one in found) == verdicts
    assert assessed.tallies["SEC-01"].listing_complete == (not gates)
    assert all(one.detail == BEYOND for one in found if one.verdict.value == "unknown")


def test_nothing_that_where_selects_is_not_applicable_too() -> None:
    findings, _ = judge(Memory([thing("v1", {"chosen": False})]), control(where=STEPS["where"]))
    assert brief(findings) == [("SEC-01", "*/*/*", "not_applicable")]


def test_nothing_seen_and_something_hidden_is_unknown() -> None:
    findings, _ = judge(Memory([], [REFUSED]), control())
    assert brief(findings) == [("SEC-01", "dam-may/hcm/*", "unknown: no_permission")]


@pytest.mark.parametrize("method", ["P", "D", "M"])
def test_papers_and_drills_are_not_proved_away_by_an_empty_register(method: str) -> None:
    findings, _ = judge(Memory(), control(on=("system",), method=method))
    assert brief(findings) == [("SEC-01", "*/*/*", "unknown: unmapped")]
    assert findings[0].detail == "no system is registered that this concerns"
    # Nor by a register whose entries are none that it concerns.
    few = control(on=("system",), method=method, where={"fact": "criticality", "equals": "critical"})
    declared = Declared({"system": (entry("system", "thue", criticality="low", good=True),)})
    findings, _ = judge(Memory(), few, declared=declared)
    assert brief(findings) == [("SEC-01", "*/*/*", "unknown: unmapped")]


def test_a_register_that_was_not_given_is_a_gap_and_one_without_entries_is_proof() -> None:
    missing = Gap(REGISTERS, "paper", "papers.yaml", Reason.REGISTER_MISSING, "papers.yaml was not given")
    technical = control(on=("paper",))
    findings, _ = judge(Memory(), technical, declared=Declared({"paper": ()}, [missing]))
    assert brief(findings) == [("SEC-01", "registers/*/*", "unknown: register_missing")]
    given = Listing(REGISTERS, "paper", 0, "register papers.yaml, SHA-256 00")
    findings, _ = judge(Memory(), technical, declared=Declared({"paper": ()}, listings=[given]))
    assert brief(findings) == [("SEC-01", "*/*/*", "not_applicable")]
    assert findings[0].detail == "register papers.yaml, SHA-256 00"
    findings, _ = judge(Memory(), technical, declared=Declared({"paper": ()}))
    assert [reading.value for reading in findings[0].explanation.readings] == [
        {"count": 0, "proof": "no such entry is declared"}
    ]


def test_several_types_are_looked_at_together() -> None:
    both = control(on=("vm", "net"))
    gap = replace(REFUSED, type="net")
    cases: list[tuple[Memory, list[tuple[str, str, str]]]] = [
        (Memory(), [("SEC-01", "*/*/*", "not_applicable")]),
        (Memory([thing()]), [("SEC-01", "v1", "pass")]),
        (Memory([], [gap]), [("SEC-01", "dam-may/hcm/*", "unknown: no_permission")]),
        (
            Memory([thing()], [gap]),
            [("SEC-01", "dam-may/hcm/*", "unknown: no_permission"), ("SEC-01", "v1", "pass")],
        ),
        (Memory(listed=("vm",)), [("SEC-01", "*/*/*", "unknown: not_collected")]),
    ]
    for evidence, expected in cases:
        findings, result = judge(evidence, both)
        assert brief(findings) == expected
        assert result.tallies["SEC-01"].listing_complete is not any("unknown" in v for _, _, v in expected)
    findings, _ = judge(Memory(), both)
    assert findings[0].detail == "all of net; all of vm"


def test_a_type_named_twice_is_judged_once() -> None:
    findings, _ = judge(Memory([thing()]), replace(control(), applies_to=("vm", "vm")))
    assert brief(findings) == [("SEC-01", "v1", "pass")]


# --- clocks -------------------------------------------------------------------------------------------

WEEK = 7 * DAY


@pytest.mark.parametrize(
    ("method", "age", "verdict"),
    [
        ("T", WEEK, "pass"), ("T", WEEK + 1, "unknown: stale"), ("P", WEEK + 1, "pass"), ("D", 400 * DAY, "pass"),
        ("M", 400 * DAY, "pass"),
    ],
)  # fmt: skip
def test_technical_evidence_gets_stale(method: str, age: int, verdict: str) -> None:
    findings, _ = judge(Memory([thing(at=NOW - age)]), control(method=method))
    assert brief(findings) == [("SEC-01", "v1", verdict)]


def test_the_date_a_server_gives_never_makes_evidence_younger() -> None:
    for at in (NOW, NOW + 30 * DAY):
        findings, _ = judge(Memory([thing(at=at)], collected_at=NOW - WEEK - 1), control())
        assert brief(findings) == [("SEC-01", "v1", "unknown: stale")]


def test_stale_evidence_decides_nothing_and_keeps_its_weight() -> None:
    facts = {"chosen": True, "inapplicable": True, "system.id": "thue", "system.criticality": "critical"}
    old = [thing("v1", facts, at=NOW - WEEK - 1), thing("v2", {"chosen": False}, at=NOW - WEEK - 1)]
    findings, result = judge(Memory(old), control(**STEPS))
    assert brief(findings) == [("SEC-01", "v1", "unknown: stale")]
    assert findings[0].detail == "collected more than 7 days before"
    assert result.tallies["SEC-01"] == Tally({"unknown": 1}, {"unknown": 4}, {})


def test_a_stale_list_proves_no_emptiness() -> None:
    findings, _ = judge(Memory(collected_at=NOW - WEEK - 1), control())
    assert brief(findings) == [("SEC-01", "*/*/*", "unknown: stale")]
    findings, _ = judge(Memory(collected_at=NOW - WEEK), control())
    assert brief(findings) == [("SEC-01", "*/*/*", "not_applicable")]


def test_what_technical_controls_say_of_declared_things_is_as_old_as_the_snapshot() -> None:
    declared = Declared({"system": (entry("system", "thue", good=True),)})
    for method, expected in (("T", "unknown: stale"), ("P", "pass")):
        findings, _ = judge(
            Memory(collected_at=NOW - WEEK - 1), control(on=("system",), method=method), declared=declared
        )
        assert brief(findings) == [("SEC-01", "thue", expected)]


def test_ages_of_things_are_measured_when_they_were_seen_those_of_papers_when_they_are_judged() -> None:
    fresh = {"fact": "born", "age_at_most": "PT1H"}
    seen = thing("v1", {"born": NOW - 5 * DAY}, at=NOW - 5 * DAY + HOUR)
    findings, _ = judge(Memory([seen]), control(check=fresh))
    assert brief(findings) == [("SEC-01", "v1", "pass")]
    paper = control(on=("paper",), check={"fact": "date", "age_at_most": "PT1H"}, method="P")
    for age, verdict in ((HOUR, "pass"), (HOUR + 1, "fail")):
        declared = Declared({"paper": (entry("paper", "kh", date=NOW - age),)})
        findings, _ = judge(Memory(), paper, declared=declared)
        assert brief(findings) == [("SEC-01", "kh", verdict)]


def test_a_snapshot_from_after_the_assessment_is_not_stale() -> None:
    findings, _ = judge(Memory([thing(at=NOW + 30 * DAY)]), control())
    assert brief(findings) == [("SEC-01", "v1", "pass")]


# --- waivers ------------------------------------------------------------------------------------------

LAW, LETTER = obligation("L-1", "law"), obligation("T-1", "letter")
BAD = {"good": False}


def waived(
    facts: Mapping[str, Value],
    *waivers: Waiver,
    obligations: Sequence[str] = ("L-1", "T-1"),
    **conditions: Any,
) -> tuple[Finding, Tally]:
    findings, result = judge(
        Memory([thing("v1", facts)]), control(obligations=obligations, **conditions),
        declared=Declared({}, waivers=waivers), obligations=(LAW, LETTER),
    )  # fmt: skip
    (only,) = findings
    return only, result.tallies["SEC-01"]


def test_a_waiver_that_holds_changes_the_disposition_and_not_the_verdict() -> None:
    found, tally = waived({**BAD, "system.id": "thue", "system.criticality": "high"}, Waiver())
    assert (found.verdict, found.waiver, found.refused_waiver) == (Verdict.FAIL, "mt-1", None)
    assert tally == Tally({"waived": 1}, {"waived": 2}, {})
    found, _ = waived({"lapsed": True}, Waiver(), expired_when=STEPS["expired_when"])
    assert (found.verdict, found.waiver) == (Verdict.EXPIRED, "mt-1")


@pytest.mark.parametrize(
    ("waiver", "obligations", "refused"),
    [
        (Waiver(authority="internal"), ("T-1",), None),
        (Waiver(authority="internal"), (), None),
        (Waiver(authority="internal"), ("T-1", "L-1"), "waiver mt-1 is not approved by the competent authority; L-1 is a legal duty"),
        # An obligation nobody knows may be a law.
        (Waiver(authority="internal"), ("T-1", "X-9"), "waiver mt-1 is not approved by the competent authority; X-9 is a legal duty"),
        (Waiver(authority=""), ("L-1",), "waiver mt-1 is not approved by the competent authority; L-1 is a legal duty"),
        (Waiver(starts=NOW), ("L-1",), None),
        (Waiver(starts=NOW + 1), ("L-1",), "waiver mt-1 is not in force yet"),
        (Waiver(until=NOW + 1), ("L-1",), None),
        (Waiver(until=NOW), ("L-1",), "waiver mt-1 has expired"),
    ],
)  # fmt: skip
def test_a_waiver_holds_in_its_time_and_by_its_authority(
    waiver: Waiver, obligations: Sequence[str], refused: str | None
) -> None:
    found, tally = waived(BAD, waiver, obligations=obligations)
    assert found.verdict is Verdict.FAIL
    assert found.waiver == (None if refused else "mt-1")
    assert (found.refused_waiver.en if found.refused_waiver else None) == refused
    assert tally.counts == {"fail" if refused else "waived": 1}, "a refused waiver changes nothing"


@pytest.mark.parametrize("kind", ["law", "decree", "decision"])
def test_laws_decrees_and_decisions_are_legal_duties(kind: str) -> None:
    findings, _ = judge(
        Memory([thing("v1", BAD)]), control(obligations=("X",)),
        declared=Declared({}, waivers=[Waiver(authority="internal")]), obligations=[obligation("X", kind)],
    )  # fmt: skip
    assert findings[0].refused_waiver == Text(
        "miễn trừ mt-1 không do cấp có thẩm quyền phê duyệt; X là quy định pháp luật",
        "waiver mt-1 is not approved by the competent authority; X is a legal duty",
    )


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({}, "unknown"), ({**ALL_OFF, "pending": True}, "manual_pending"), ({**ALL_OFF, "good": True}, "pass"),
        ({**ALL_OFF, "inapplicable": True}, "not_applicable"),
    ],
)  # fmt: skip
def test_nothing_else_can_be_waived(facts: Mapping[str, Value], verdict: str) -> None:
    found, tally = waived(facts, Waiver(), Waiver(id="mt-2", until=0), **STEPS)
    assert (found.verdict, found.waiver, found.refused_waiver) == (verdict, None, None)
    assert tally.counts == {verdict: 1}


def test_a_gap_cannot_be_waived() -> None:
    declared = Declared({}, waivers=[Waiver(resource="dam-may/hcm/*")])
    findings, _ = judge(Memory([], [REFUSED]), control(), declared=declared)
    assert findings[0].waiver is None


def test_a_stale_failure_cannot_be_waived() -> None:
    declared = Declared({}, waivers=[Waiver()])
    findings, _ = judge(Memory([thing("v1", BAD, at=0)]), control(), declared=declared)
    assert (findings[0].verdict, findings[0].waiver) == (Verdict.UNKNOWN, None)


def test_of_several_waivers_one_that_holds_is_enough_and_the_first_refusal_is_told() -> None:
    lapsed, early = Waiver(id="mt-1", until=0), Waiver(id="mt-0", starts=NOW + 9)
    holding = [Waiver(id="mt-3"), Waiver(id="mt-2")]
    for order in ([lapsed, early, *holding], [*holding, early, lapsed]):
        found, _ = waived(BAD, *order)
        assert (found.waiver, found.refused_waiver) == ("mt-2", None)
    for order in ([lapsed, early], [early, lapsed]):
        found, _ = waived(BAD, *order)
        assert found.refused_waiver == Text(
            "miễn trừ mt-0 chưa có hiệu lực", "waiver mt-0 is not in force yet"
        )
    found, _ = waived(BAD, lapsed)
    assert found.refused_waiver == Text("miễn trừ mt-1 đã hết thời hạn", "waiver mt-1 has expired")
    found, _ = waived(BAD, Waiver(control="SEC-02"), Waiver(resource="v2"))
    assert (found.waiver, found.refused_waiver) == (None, None)


def test_a_waiver_for_a_system_covers_its_things_and_itself() -> None:
    of_system = Waiver(system="thue")
    found, _ = waived({**BAD, "system.id": "thue"}, of_system)
    assert found.waiver == "mt-1"
    found, _ = waived({**BAD, "system.id": "ho-tich"}, of_system)
    assert found.waiver is None
    declared = Declared({"system": (entry("system", "thue", good=False),)}, waivers=[of_system])
    findings, _ = judge(Memory(), control(on=("system",)), declared=declared)
    assert findings[0].waiver == "mt-1"


# --- weights and identity -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "weight"),
    [
        ({"system.id": "a", "system.criticality": "critical"}, 4),
        ({"system.id": "a", "system.criticality": "high"}, 2),
        ({"system.id": "a", "system.criticality": "medium"}, 1),
        ({"system.id": "a", "system.criticality": "low"}, 1),
        ({"system.id": "a"}, None),
        ({"system.id": "a", "system.criticality": None}, None),
        ({"system.criticality": "critical"}, None),
        ({}, None),
    ],
)
def test_a_finding_weighs_by_the_criticality_of_its_system(
    facts: Mapping[str, Value], weight: int | None
) -> None:
    findings, result = judge(Memory([thing("v1", {"good": True, **facts})]), control())
    assert findings[0].weight == weight
    assert result.tallies["SEC-01"] == Tally(
        {"pass": 1}, {} if weight is None else {"pass": weight}, {"pass": 1} if weight is None else {}
    )
    criticality = facts.get("system.criticality")
    declared = Declared({"system": (entry("system", "a", good=True, criticality=criticality),)})
    findings, _ = judge(Memory(), control(on=("system",)), declared=declared)
    assert findings[0].weight == {"critical": 4, "high": 2, "medium": 1, "low": 1, None: None}[criticality]


def test_a_fingerprint_is_of_control_and_identity_with_target_and_region_for_the_endpoint() -> None:
    findings, _ = judge(Memory([thing()]), control())
    assert findings[0].fingerprint == sha256(b"SEC-01\x1fdam-may\x1fhn\x1fvm\x1fv1").hexdigest()
    other = replace(thing(name="khác", facts=BAD, scope=replace(HERE, project="y")), endpoint="https://a")
    changed = replace(control(message=Text("khác", "other")), version="9.0.0")
    again, _ = judge(Memory([other]), changed)
    assert again[0].fingerprint == findings[0].fingerprint
    for moved in (
        thing("v2"), thing(scope=Scope("x")), thing(scope=replace(HERE, region="x")), thing(type_="net"),
    ):  # fmt: skip
        (found,) = judge(Memory([moved]), control(on=(moved.type,)))[0]
        assert found.fingerprint != findings[0].fingerprint


# --- derived facts and joins --------------------------------------------------------------------------


def counting(calls: list[str], gives: Mapping[str, tuple[str, ...]], name: str = "owned") -> Family:
    """A derivation that says who the owner is, and keeps when it was prepared."""

    def prepare(world: World) -> Any:
        calls.append(name)
        owners = {net.facts.get("owner") for net in world.each("net")}
        return lambda thing: Derived({"owner": "net" if owners else None}, {"size": Unseen(Reason.STALE)})

    return Family(name, gives, {}, prepare)


def test_derivations_are_prepared_where_a_control_or_its_message_needs_them() -> None:
    owned = {"fact": "owner", "is_null": False}
    for condition, message, prepared in (
        (owned, "", 1), ({"fact": "good", "equals": True}, "", 0), ({"fact": "good", "equals": True}, "{owner}", 1),
    ):  # fmt: skip
        calls: list[str] = []
        judge(
            Memory([thing()]), control(check=condition, message=Text(message, "")),
            derivations=[counting(calls, {"vm": ("owner",), "net": ("owner",)})],
        )  # fmt: skip
        assert len(calls) == 2 * prepared, "once for each of the two ways to judge"


def test_attribution_is_always_needed_for_the_weight() -> None:
    calls: list[str] = []
    judge(Memory([thing()]), control(), derivations=[counting(calls, {"vm": ("system.id",)}, "attribution")])
    assert len(calls) == 2


def test_derived_facts_come_to_things_and_related_things_with_their_reasons() -> None:
    family = counting([], {"vm": ("owner",)})
    check = {"fact": "owner", "equals": "net"}
    findings, _ = judge(
        Memory([thing(), thing("n", type_="net")]), control(check=check), derivations=[family]
    )
    assert brief(findings) == [("SEC-01", "v1", "pass")]
    findings, _ = judge(Memory([thing()]), control(check=check), derivations=[family])
    assert brief(findings) == [("SEC-01", "v1", "fail")]
    related = control(on=("net",), check={"related": "vm", "any": check})
    findings, _ = judge(Memory([thing(), thing("n", type_="net")]), related, derivations=[family])
    assert brief(findings) == [("SEC-01", "n", "pass")]
    sized = control(check={"all_of": [check, {"fact": "size", "is_null": True}]})
    findings, _ = judge(Memory([thing(), thing("n", type_="net")]), sized, derivations=[family])
    assert brief(findings) == [("SEC-01", "v1", "unknown: stale")]


OPEN = {
    "by id": {
        "related": "net",
        "on": {"id": "owner"},
        "all": {"fact": "good", "equals": True},
        "if_empty": True,
    },
    "by name": {
        "related": "net",
        "on": {"owner": "owner"},
        "all": {"fact": "good", "equals": True},
        "if_empty": True,
    },
    "by both": {
        "related": "net",
        "on": {"id": "owner", "owner": "owner"},
        "all": {"fact": "good", "equals": True},
        "if_empty": True,
    },
}


@pytest.mark.parametrize(
    ("on", "nets", "hidden", "verdict"),
    [
        # The thing of an id is the one, whatever else the cloud has; others it may have more of.
        ("by id", [{"owner": "n", "good": True}], False, "pass"),
        ("by name", [{"owner": "n", "good": True}], False, "unknown"),
        ("by id", [], False, "unknown"),
        ("by id", [{"owner": "n", "good": False}], False, "fail"),
        # An open list excuses neither a gap nor a thing that does not say what the join needs.
        ("by id", [{"owner": "n", "good": True}], True, "unknown"),
        ("by both", [{"owner": "n", "good": True}, {"good": False}], False, "unknown"),
    ],
)
def test_the_list_of_a_code_is_open_to_look_ups(
    on: str, nets: list[dict[str, Value]], hidden: bool, verdict: str
) -> None:
    things = [thing("n", facts, type_="net") for facts in nets]
    lists = [Listing(HERE, "net", len(nets), "read to its end", 1, open=True)]
    gaps = [Gap(HERE, "net", "net.list", Reason.NO_PERMISSION, "403")] if hidden else []
    evidence = Memory([thing(facts={"owner": "n"}), *things], gaps, ("vm",), lists)
    findings, _ = judge(evidence, control(check=OPEN[on]))
    assert [one.verdict.value for one in findings] == [verdict]


OWNED = {"related": "net", "on": {"owner": "owner"}, "exists": True}


@pytest.mark.parametrize(
    ("nets", "told", "verdict"),
    [
        ([{"owner": "a"}], [], "pass"),
        ([{"owner": "b"}], [], "fail"),
        ([], [], "fail"),
        ([{"owner": "b"}], [replace(REFUSED, type="net")], "unknown: no_permission"),
        ([{"owner": "a"}], [replace(REFUSED, type="net")], "pass"),
        ([{"owner": "b"}, {}], [], "unknown: partial"),
        ([{"owner": "a"}, {}], [], "pass"),
        ([{"owner": AtLeast(3)}], [], "unknown: partial"),
    ],
)
def test_joins_know_what_they_did_not_see(
    nets: Sequence[Mapping[str, Value]], told: list[Gap], verdict: str
) -> None:
    things = [
        thing("v1", {"owner": "a"}),
        *(thing(f"n{n}", facts, type_="net") for n, facts in enumerate(nets)),
    ]
    findings, _ = judge(Memory(things, told), control(check=OWNED))
    assert brief(findings) == [("SEC-01", "v1", verdict)]


def test_a_join_tells_the_reason_of_the_gap_before_that_of_a_fact() -> None:
    things = [thing("v1", {"owner": "a"}), thing("n", {}, type_="net")]
    findings, _ = judge(Memory(things, [replace(REFUSED, type="net")]), control(check=OWNED))
    assert brief(findings) == [("SEC-01", "v1", "unknown: no_permission")]


def test_the_witness_of_a_join_is_the_first_by_identity() -> None:
    check = {"related": "net", "on": {"owner": "owner"}, "any": {"fact": "good", "equals": True}}
    nets = [thing(f"n{n}", {"owner": "a", "good": True}, type_="net") for n in range(3)]
    for order in (nets, nets[::-1]):
        findings, _ = judge(Memory([thing("v1", {"owner": "a"}), *order]), control(check=check))
        assert [(r.resource.id, r.fact) for r in findings[0].explanation.readings] == [
            ("n0", "good"), ("v1", "owner"), ("n0", "owner"),
        ]  # fmt: skip


def test_a_detail_that_was_refused_does_not_open_a_join() -> None:
    check = {"related": "vm", "exists": False}
    findings, _ = judge(Memory([thing("n", type_="net")], [IN_DETAIL]), control(on=("net",), check=check))
    assert brief(findings) == [("SEC-01", "n", "pass")]


def test_a_join_to_a_type_nobody_listed_is_open() -> None:
    findings, _ = judge(Memory([thing("v1", {"owner": "a"})], listed=("vm",)), control(check=OWNED))
    assert brief(findings) == [("SEC-01", "v1", "unknown: not_collected")]


def test_a_join_can_go_over_an_entry_of_a_map_on_their_side() -> None:
    check = {"related": "vm", "on": {"labels.owner": "owner"}, "exists": True}
    for labels, verdict in (({"owner": "a"}, "pass"), ({"owner": "b"}, "fail"), ({}, "fail")):
        things = [thing("n", {"owner": "a"}, type_="net"), thing("v1", {"labels": labels})]
        findings, _ = judge(Memory(things), control(on=("net",), check=check))
        assert brief(findings) == [("SEC-01", "n", verdict)]
    findings, _ = judge(
        Memory([thing("n", {"owner": "a"}, type_="net"), thing()]), control(on=("net",), check=check)
    )
    assert brief(findings) == [("SEC-01", "n", "unknown: partial")]


def test_the_index_of_a_join_is_made_once() -> None:
    world = Estate(Memory([thing("n", type_="net")]), Declared({}), (), (control(check=OWNED),), NOW)
    join = Join("net", (("owner", "owner"),))
    assert world.related(join) is world.related(join)


def test_places_that_sightings_disagree_on_are_no_facts() -> None:
    two = {"region": Unseen(Reason.AMBIGUOUS, "seen differently"), "name": Unseen(Reason.AMBIGUOUS, "")}
    for fact in ("region", "name"):
        findings, _ = judge(Memory([thing(unseen=two)]), control(check={"fact": fact, "equals": "hn"}))
        assert brief(findings) == [("SEC-01", "v1", "unknown: ambiguous")]


def test_nothing_collected_can_take_the_place_of_what_a_thing_is() -> None:
    lying = {"good": True, "id": "v2", "target": "x", "@at": 0, "region": "x"}
    check = {"all_of": [{"fact": "id", "equals": "v1"}, {"fact": "target", "equals": "dam-may"},
                        {"fact": "region", "equals": "hn"}]}  # fmt: skip
    findings, _ = judge(Memory([thing("v1", lying)]), control(check=check))
    assert brief(findings) == [("SEC-01", "v1", "pass")]


# --- properties of random estates ---------------------------------------------------------------------


@dataclass(frozen=True)
class Cloud:
    """A random estate: everything in it, and the scopes in which lists were refused."""

    things: tuple[Resource, ...]
    gaps: tuple[Gap, ...]
    papers: tuple[Resource, ...]
    waivers: tuple[Waiver, ...]
    collected_at: int

    def judged(self, *controls: Control) -> tuple[list[Finding], Mapping[str, Tally]]:
        """Judge as it stands; the lists of both types were read, but where there is a gap."""
        evidence = Memory(self.things, self.gaps, collected_at=self.collected_at)
        findings, result = judge(
            evidence, *controls, declared=Declared({"paper": self.papers, "system": ()}, waivers=self.waivers),
            derivations=[SHARED], obligations=(LAW,),
        )  # fmt: skip
        return findings, result.tallies


def _share(world: World) -> Any:
    """Whether a net has the owner of a thing: a derivation that keeps to the rules about gaps."""
    owners = {net.facts["owner"] for net in world.each("net") if net.facts.get("owner")}
    blind = any("owner" not in net.facts for net in world.each("net")) or bool(world.gaps_of("net"))

    def derive(vm: Resource) -> Derived:
        owner = vm.facts.get("owner", MISSING)
        if owner is MISSING or (owner not in owners and blind):
            return Derived(unseen={"shared": Unseen(Reason.PARTIAL)})
        return Derived({"shared": owner in owners})

    return derive


SHARED = Family("shared", {"vm": ("shared",)}, {"net": ("owner",)}, _share)

CONTROLS = (
    control("SEC-01"),
    control("SEC-02", where=STEPS["where"], not_applicable_when=STEPS["not_applicable_when"], obligations=["L-1"]),
    control("SEC-03", expired_when=STEPS["expired_when"], pending_when=STEPS["pending_when"]),
    control("SEC-04", on=("vm", "net"), method="P"),
    control("SEC-05", OWNED),
    control("SEC-06", {"related": "net", "on": {"owner": "owner"}, "none": {"fact": "good", "equals": False}, "if_empty": True}),
    control("SEC-07", {"related": "paper", "where": {"fact": "kind", "equals": "x"}, "any": {"fact": "good", "equals": True}},
            on=("net",)),
    control("SEC-08", {"fact": "disks", "all": {"item": "value", "prefix": "a"}, "if_empty": False}),
    control("SEC-09", {"all_of": [{"fact": "shared", "equals": False}, {"fact": "size", "at_most": 2, "if_null": True}]}),
    control("SEC-10", on=("paper",), method="D"),
)  # fmt: skip

OWNER = st.sampled_from(["a", "b", None])


@st.composite
def clouds(draw: st.DrawFn) -> Cloud:
    def facts() -> dict[str, Value]:
        found: dict[str, Value] = {flag: draw(st.booleans()) for flag in FLAGS if draw(st.integers(0, 4))}
        found |= {"owner": draw(OWNER)} if draw(st.integers(0, 5)) else {}
        found |= {
            "size": draw(st.none() | st.integers(0, 4)),
            "disks": tuple(draw(st.lists(st.sampled_from("ab"), max_size=2))),
        }
        criticality = draw(st.sampled_from([None, "critical", "low"]))
        return found | ({"system.id": "s", "system.criticality": criticality} if criticality else {})

    scopes = [Scope("dam-may", region) for region in ("hn", "hcm")]
    things = tuple(
        thing(f"{type_}-{n}", facts(), type_=type_, scope=draw(st.sampled_from(scopes)),
              at=NOW - draw(st.sampled_from([0, 8 * DAY])))
        for type_ in ("vm", "net") for n in range(draw(st.integers(0, 3)))
    )  # fmt: skip
    gaps = tuple(
        Gap(scope, type_, "list", Reason.TIMEOUT, listing=draw(st.booleans()))
        for type_ in ("vm", "net") for scope in scopes if not draw(st.integers(0, 5))
    )  # fmt: skip
    papers = tuple(
        entry("paper", f"paper-{n}", kind="x", **{f: draw(st.booleans()) for f in FLAGS})
        for n in range(draw(st.integers(0, 2)))
    )
    waivers = tuple(
        Waiver(f"SEC-0{draw(st.integers(1, 5))}", f"mt-{n}", draw(st.sampled_from(["competent", "internal"])),
               NOW - 1, NOW + draw(st.sampled_from([0, 9])), f"vm-{draw(st.integers(0, 2))}")
        for n in range(draw(st.integers(0, 2)))
    )  # fmt: skip
    return Cloud(things, gaps, papers, waivers, NOW - draw(st.sampled_from([0, 0, 8 * DAY])))


def comparable(findings: Sequence[Finding]) -> list[Any]:
    """Findings without their order, with everything in them."""
    return sorted(
        (f.control.id, f.fingerprint, f.verdict, f.reason or "", f.detail, f.weight or 0, f.waiver or "",
         str(f.refused_waiver), [(r.resource.id, r.fact, str(r.value)) for r in f.explanation.readings])
        for f in findings
    )  # fmt: skip


@settings(max_examples=60)
@given(clouds())
def test_tallies_count_the_findings(cloud: Cloud) -> None:
    """`judge` holds the quick way against the slow one; here the tallies are counted again by hand."""
    findings, tallies = cloud.judged(*CONTROLS)
    counted = {one.id: Tally() for one in CONTROLS}
    for finding in findings:
        counted[finding.control.id].add("waived" if finding.waiver else finding.verdict.value, finding.weight)
    for id_, tally in tallies.items():
        hidden = any(
            f.control.id == id_ and f.resource.id.count("/") == 2 and f.reason is Reason.TIMEOUT
            for f in findings
        )
        assert tally == replace(counted[id_], listing_complete=not hidden)
        assert sum(tally.counts.values()) > 0, "no control is silent"
    assert len({(f.control.id, f.fingerprint) for f in findings}) == len(findings)


@settings(max_examples=50)
@given(clouds(), st.randoms(use_true_random=False))
def test_no_order_matters(cloud: Cloud, chance: random.Random) -> None:
    def shuffled(items: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(chance.sample(items, len(items)))

    other = Cloud(*map(shuffled, (cloud.things, cloud.gaps, cloud.papers, cloud.waivers)), cloud.collected_at)
    findings, tallies = cloud.judged(*CONTROLS)
    again, others = other.judged(*shuffled(CONTROLS))
    assert comparable(findings) == comparable(again)
    assert tallies == others


@settings(max_examples=60)
@given(clouds(), st.data())
def test_seeing_less_never_makes_a_pass(cloud: Cloud, data: st.DataObject) -> None:
    """Take away things, or facts of things, and tell so: no control and no finding gets to pass by it."""
    less, gaps = [], list(cloud.gaps)
    for one in cloud.things:
        match data.draw(st.sampled_from(["keep", "keep", "hide", "blind"])):
            case "hide":
                gaps.append(Gap(one.scope, one.type, "list", Reason.NO_PERMISSION))
            case "blind":
                lost = data.draw(st.sets(st.sampled_from(sorted(one.facts)), max_size=3))
                facts = {name: value for name, value in one.facts.items() if name not in lost}
                less.append(replace(one, facts=facts))
            case _:
                less.append(one)
    before, tallies = cloud.judged(*CONTROLS)
    after, others = replace(cloud, things=tuple(less), gaps=tuple(gaps)).judged(*CONTROLS)
    good = {Verdict.PASS, Verdict.NOT_APPLICABLE}
    had = {(f.fingerprint, f.verdict) for f in before}
    assert {(f.fingerprint, f.verdict) for f in after if f.verdict in good} <= had
    for id_, tally in others.items():
        assert tally.verdict not in good or tallies[id_].verdict in good


# --- the shipped controls, with everything they stand on -------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> tuple[Catalogue, Profile]:
    catalogue = load_catalogue()
    return catalogue, load_profile("ndc-connection", catalogue)


Judged = tuple[list[Finding], Mapping[str, Tally]]


def judge_shipped(
    shipped: tuple[Catalogue, Profile],
    observed: Sequence[Resource],
    declared: Sequence[Resource],
    gaps: Sequence[Gap],
) -> Judged:
    catalogue, chosen = shipped
    evidence, registers = evidence_of(observed, declared, gaps, catalogue.types)
    found: list[Finding] = []
    slow = assess(evidence, registers, chosen, DERIVATIONS, catalogue.obligations, at=NOW, sink=found.append)
    quick = assess(evidence, registers, chosen, DERIVATIONS, catalogue.obligations, at=NOW)
    assert quick == slow
    return found, slow.tallies


def test_the_shipped_controls_say_something_of_a_whole_subject(shipped: tuple[Catalogue, Profile]) -> None:
    findings, tallies = judge_shipped(shipped, *estate(), [])
    assert all(tally.counts for tally in tallies.values())
    assert {f.verdict for f in findings} >= {
        Verdict.PASS,
        Verdict.FAIL,
        Verdict.UNKNOWN,
        Verdict.NOT_APPLICABLE,
    }
    for finding in findings:
        assert finding.explanation.readings or finding.reason is Reason.UNMAPPED
        if finding.verdict is Verdict.UNKNOWN:
            assert finding.reason is not None


@settings(max_examples=25)
@given(chance=st.randoms(use_true_random=False))
def test_losing_rights_registers_or_facts_never_makes_a_shipped_control_pass(
    shipped: tuple[Catalogue, Profile], chance: random.Random
) -> None:
    """Amendment 8 of the design, for findings: with every shipped control and every derivation."""
    observed, declared = estate()
    observed = [one for one in observed if chance.random() < 0.9]
    before, tallies = judge_shipped(shipped, observed, declared, [])
    gaps, seen = [], []
    for one in observed:
        fate = chance.random()
        if fate < 0.1:
            scope = chance.choice([one.scope, Scope(one.scope.target)])
            gaps.append(Gap(scope, one.type, "list", Reason.NO_PERMISSION))
        elif fate < 0.2:
            kept = {name: value for name, value in one.facts.items() if chance.random() < 0.8}
            seen.append(replace(one, facts=kept))
        else:
            seen.append(one)
    lost = {
        kind for kind in ("site", "system", "attestation", "drill", "backup_target") if chance.random() < 0.1
    }
    kept_entries = [one for one in declared if one.type not in lost]
    after, others = judge_shipped(shipped, seen, kept_entries, [*gaps, *map(no_register, sorted(lost))])
    good = {Verdict.PASS, Verdict.NOT_APPLICABLE}
    had = {(f.fingerprint, f.verdict) for f in before}
    assert {(f.fingerprint, f.verdict) for f in after if f.verdict in good} <= had
    for id_, tally in others.items():
        assert tally.verdict not in good or tallies[id_].verdict in good, id_


def test_judging_nothing_is_possible() -> None:
    findings, result = judge(Memory())
    assert (findings, result.tallies, result.claims) == ([], {}, ())
