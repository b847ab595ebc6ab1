"""The roll-up: figures, gates, level, reasons, and that missing evidence never helps."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cloudaudit.model import (
    MISSING,
    Basis,
    Claim,
    Control,
    DimensionResult,
    Gate,
    GateState,
    Method,
    Profile,
    Readiness,
    Remediation,
    Severity,
    Tally,
    Text,
)
from cloudaudit.readiness import (
    DEFAULT_THRESHOLDS,
    LEVEL_LABELS,
    ClaimFigures,
    CollectionFigures,
    ControlResult,
    control_result,
    floor1,
    percent,
    readiness,
)

NOTHING = Text("", "")
WEIGHTS = {
    "RES": Fraction("0.20"),
    "BDR": Fraction("0.20"),
    "SEC": Fraction("0.20"),
    "POR": Fraction("0.15"),
    "DAT": Fraction("0.08"),
    "COM": Fraction("0.10"),
    "NDC": Fraction("0.07"),
}
ALL_COLLECTED = CollectionFigures(10, 10, 2, 2, 5, 5)
NO_CLAIMS = ClaimFigures(refuted=0, unverified=0)
REGISTERS = frozenset({"sites", "systems"})

Found = str | tuple[str, int | None]
T = TypeVar("T")


def control(id_: str, severity: str = "critical", basis: str = "O") -> Control:
    return Control(
        id=id_,
        version="1.0.0",
        title=NOTHING,
        severity=Severity(severity),
        method=Method.TECHNICAL,
        basis=Basis(basis),
        applies_to=("system",),
        check=None,
        message=NOTHING,
        limits=NOTHING,
        remediation=Remediation(NOTHING),
    )


def gate(id_: str, *controls: str, final: bool = False) -> Gate:
    return Gate(id_, Text(id_, id_), controls, final)


IDLE = control("RES-99")
"""A control that applies to nothing: its gate is open and holds no level back."""


def profile(
    *controls: Control,
    gates: Sequence[Gate] = (gate("G0", IDLE.id),),
    kind: str = "agency",
    weights: Mapping[str, Fraction] = WEIGHTS,
    thresholds: Mapping[str, Mapping[str, Fraction]] = DEFAULT_THRESHOLDS,
) -> Profile:
    return Profile(
        id="test",
        version="1.0.0",
        title=NOTHING,
        publisher=NOTHING,
        official=False,
        kind=kind,
        controls=(*controls, IDLE),
        excluded={},
        weights=weights,
        gates=tuple(gates),
        thresholds=thresholds,
        digest="",
        notice=NOTHING,
    )


def tally(*found: Found, complete: bool = True) -> Tally:
    """Tally findings: a key alone weighs 1, with None it belongs to no system."""
    result = Tally(listing_complete=complete)
    for one in found:
        key, weight = (one, 1) if isinstance(one, str) else one
        result.add(key, weight)
    return result


def roll(
    profile_: Profile,
    tallies: Mapping[str, Tally],
    *,
    registers_present: frozenset[str] = REGISTERS,
    collection: CollectionFigures = ALL_COLLECTED,
    claims: ClaimFigures = NO_CLAIMS,
    planned: Iterable[str] = (),
) -> Readiness:
    return readiness(
        profile_,
        {IDLE.id: tally(), **tallies},
        registers_present=registers_present,
        collection=collection,
        claims=claims,
        planned=frozenset(planned),
    )


# A small profile that can reach every level. Each test spoils what it is about.

CONTROLS = (
    control("RES-01"),
    control("BDR-01"),
    control("BDR-21", basis="A"),
    control("SEC-01", "high"),
    control("POR-01", "medium"),
    control("COM-12", "high", "A+O"),
    control("NDC-02", "medium", "O+D"),
    control("NDC-01", basis="A"),
)
GATES = (gate("G1", "RES-01"), gate("G2", "BDR-01", "BDR-21"), gate("G9", "NDC-01", final=True))
PASSING = {c.id: tally("pass", "pass") for c in CONTROLS} | {"NDC-01": tally("manual_pending")}


def subject(profile_: Profile | None = None, /, **changed: Tally) -> Readiness:
    """Roll up the small profile, with other tallies for some controls (`RES_01=...`)."""
    spoiled = {key.replace("_", "-"): value for key, value in changed.items()}
    return roll(profile_ or profile(*CONTROLS, gates=GATES), {**PASSING, **spoiled})


def numbers(*values: Fraction | int | None) -> tuple[Fraction | int | None, ...]:
    """A tuple the type checker lets us compare with plain integers."""
    return values


def english(result: Readiness) -> list[str]:
    return [reason.en for reason in result.reasons]


# --- figures ------------------------------------------------------------------------------------


def worked_example() -> Readiness:
    return roll(
        profile(
            control("BDR-01"),
            control("BDR-21"),
            control("BDR-03", "medium"),
            gates=[gate("G2", "BDR-01", "BDR-21")],
        ),
        {
            "BDR-01": tally("pass", "pass", "pass", "unknown"),
            "BDR-21": tally("expired"),
            "BDR-03": tally("pass"),
        },
    )


def test_the_worked_example_of_the_specification() -> None:
    result = worked_example()
    dimension = DimensionResult(
        "BDR",
        weight=Fraction("0.20"),
        lower=Fraction(900, 19),
        upper=Fraction(1100, 19),
        coverage=Fraction(1700, 19),
        assurance=Fraction(100),
    )
    assert [d for d in result.dimensions if not d.not_applicable] == [dimension]
    assert result.weakest == dimension
    assert (result.lower, result.upper, result.coverage) == (
        dimension.lower,
        dimension.upper,
        dimension.coverage,
    )
    assert [floor1(f) for f in (result.lower, result.upper, result.coverage)] == ["47.3", "57.8", "89.4"]
    assert result.gate_state is GateState.BLOCKED


def test_the_whole_result() -> None:
    result = roll(
        profile(
            control("RES-01"),
            control("SEC-01", "low", "A"),
            gates=[gate("G1", "RES-01")],
            weights={"SEC": Fraction("0.2"), "RES": Fraction("0.6"), "COM": Fraction("0.2")},
        ),
        {"RES-01": tally("pass"), "SEC-01": tally("pass", "fail")},
        claims=ClaimFigures(refuted=1, unverified=2),
        collection=CollectionFigures(10, 9, None, 0, None, 0),
    )
    zero, full = Fraction(0), Fraction(100)
    residency = DimensionResult("RES", Fraction("0.6"), full, full, full, full)
    security = DimensionResult("SEC", Fraction("0.2"), Fraction(50), Fraction(50), full, Fraction(50))
    claims = DimensionResult("COM", Fraction("0.2"), zero, zero, zero, None, not_applicable=True)
    assert result == Readiness(
        level=3,
        level_label=LEVEL_LABELS[3],
        gate_state=GateState.OPEN,
        gates=result.gates,
        lower=Fraction(175, 2),
        upper=Fraction(175, 2),
        weakest=security,
        coverage=full,
        collection_coverage=Fraction(90),
        assurance=Fraction(650, 7),  # (0.6 x 100 + 0.2 x 50 x 0.5) of (0.6 x 100 + 0.2 x 50)
        dimensions=(residency, security, claims),
        contradictions=1,
        unverified_claims=2,
        reasons=(
            Text(
                "Chiều đánh giá thấp nhất (SEC) 50,0 dưới 70",
                "Weakest dimension (SEC) 50.0 is below 70",
            ),
        ),
    )


def test_severity_and_the_weight_of_systems_count() -> None:
    result = roll(
        profile(control("SEC-01", "high"), control("SEC-02", "low")),
        {"SEC-01": tally(("pass", 4), ("fail", 2)), "SEC-02": tally(("fail", 1))},
    )
    assert result.lower == 100 * Fraction(5) * Fraction(4, 6) / 6


def test_every_verdict_has_its_place_in_the_figures() -> None:
    def figures(key: str) -> tuple[Fraction, Fraction, Fraction]:
        result = control_result(tally("pass", key))
        return result.lower, result.upper, result.coverage

    one, half = Fraction(1), Fraction(1, 2)
    assert {key: figures(key) for key in (*KEYS, "not_applicable")} == {
        "pass": (one, one, one),
        "fail": (half, half, one),
        "expired": (half, half, one),
        "waived": (half, half, one),
        "unknown": (half, one, half),
        "manual_pending": (half, one, half),
        "not_applicable": (one, one, one),
    }


def test_the_unattributed_weigh_one_in_favour_and_four_against() -> None:
    found = tally(("pass", None), ("pass", 2), ("fail", None), ("unknown", None), ("manual_pending", 2))
    assert control_result(found) == ControlResult(
        "fail",
        lower=Fraction(1 + 2, (1 + 2) + (4 + 4 + 2)),
        upper=1 - Fraction(1, 1 + (4 + 2 + 4 + 2)),
        coverage=Fraction((1 + 2) + 1, (1 + 2 + 1) + (4 + 2)),
    )


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ((), "unknown"),
        (("not_applicable",), "unknown"),
        (("pass",), "unknown"),
        (("pass", "waived"), "unknown"),
        (("pass", "manual_pending"), "manual_pending"),
        (("pass", "expired"), "expired"),
        (("pass", "fail", "unknown"), "fail"),
    ],
)
def test_an_incomplete_listing_counts_nothing_below_and_everything_above(
    found: tuple[str, ...], verdict: str
) -> None:
    assert control_result(tally(*found, complete=False)) == ControlResult(
        verdict, lower=Fraction(0), upper=Fraction(1), coverage=Fraction(0)
    )


@pytest.mark.parametrize("found", [(), ("not_applicable", "not_applicable")])
def test_a_control_proved_empty_is_out_of_its_dimension(found: tuple[str, ...]) -> None:
    assert not control_result(tally(*found)).applicable
    with_it = roll(
        profile(control("SEC-01"), control("SEC-02")),
        {"SEC-01": tally("pass", "fail"), "SEC-02": tally(*found)},
    )
    without_it = roll(profile(control("SEC-01")), {"SEC-01": tally("pass", "fail")})
    assert with_it == without_it


def test_dimensions_come_in_the_order_of_the_specification_then_by_name() -> None:
    weights = {d: Fraction(1) for d in ("ZZZ", "NDC", "AAA", "SEC", "RES")}
    result = roll(profile(control("SEC-01"), weights=weights), {"SEC-01": tally("pass")})
    assert [d.id for d in result.dimensions] == ["RES", "SEC", "NDC", "AAA", "ZZZ"]


def test_where_nothing_applies_there_is_no_score() -> None:
    result = roll(profile(control("SEC-01")), {"SEC-01": tally()})
    assert numbers(result.lower, result.upper, result.coverage) == (0, 0, 0)
    assert (result.level, result.weakest, result.assurance) == (0, None, None)


def test_a_control_without_a_tally_is_refused() -> None:
    with pytest.raises(ValueError, match="controls without a tally: RES-01, SEC-02"):
        roll(profile(control("SEC-02"), control("RES-01")), {})


def test_a_dimension_without_a_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="no weight for dimension XYZ of XYZ-01"):
        roll(profile(control("XYZ-01")), {"XYZ-01": tally("pass")})


def test_a_key_that_is_no_verdict_is_refused() -> None:
    with pytest.raises(ValueError, match="no verdict to tally: passed"):
        control_result(tally("pass", "passed"))


# --- collection and claims ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        (CollectionFigures(10, 9, None, 0, None, 0), Fraction(90)),
        (CollectionFigures(10, 9, 4, 3, 10, 8), Fraction(75)),
        (CollectionFigures(10, 9, 4, 4, 10, 8), Fraction(80)),
        (CollectionFigures(3, 2, None, 0, 10, 10), Fraction(200, 3)),
        (CollectionFigures(10, 10, MISSING, 3, None, 0), Fraction(0)),
        (CollectionFigures(10, 10, None, 0, MISSING, 3), Fraction(0)),
        (CollectionFigures(10, 10, 0, 0, 0, 0), Fraction(100)),
        (CollectionFigures(0, 0, 3, 3, None, 0), Fraction(0)),
    ],
)
def test_collection_coverage_is_the_smallest_ratio_that_applies(
    figures: CollectionFigures, expected: Fraction
) -> None:
    assert figures.coverage() == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, 4, None, 0, None, 0), "ok is 4, asked is 3"),
        ((3, 3, 2, 3, None, 0), "projects_seen is 3, projects_declared is 2"),
        ((3, 3, None, 0, 0, 1), "buckets_readable is 1, buckets_listed is 0"),
        ((3, -1, None, 0, None, 0), "ok is -1"),
    ],
)
def test_more_seen_than_there_is_is_refused(
    arguments: tuple[int, int, int | None, int, int | None, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        CollectionFigures(*arguments)


def test_claims_are_counted_by_state() -> None:
    states = ("upheld", "refuted", "unverified", "refuted", "not_observable")
    claims = [Claim(str(n), state) for n, state in enumerate(states)]
    assert ClaimFigures.of(claims) == ClaimFigures(refuted=2, unverified=1)
    with pytest.raises(ValueError, match="no state of a claim: maybe"):
        ClaimFigures.of([Claim("1", "maybe")])


# --- gates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (tally("pass"), GateState.OPEN),
        (tally(), GateState.OPEN),
        (tally("not_applicable"), GateState.OPEN),
        (tally("pass", "waived"), GateState.CONDITIONAL),
        (tally("waived", "unknown"), GateState.INDETERMINATE),
        (tally("manual_pending"), GateState.INDETERMINATE),
        (tally("unknown", "fail"), GateState.BLOCKED),
        (tally("expired", "pass"), GateState.BLOCKED),
        (tally("pass", complete=False), GateState.INDETERMINATE),
        (tally(complete=False), GateState.INDETERMINATE),
        (tally("fail", complete=False), GateState.BLOCKED),
    ],
)
def test_the_worst_finding_decides_a_gate_and_the_set(found: Tally, state: GateState) -> None:
    result = subject(BDR_01=found)
    assert [g.state for g in result.gates] == [GateState.OPEN, state, GateState.INDETERMINATE]
    assert result.gate_state is state


def test_a_gate_counts_only_the_controls_the_profile_selects() -> None:
    gates = [gate("G3", "SEC-21"), gate("G7", "DAT-01", "DAT-04")]
    result = roll(
        profile(control("DAT-01"), gates=gates, kind="provider"),
        {"DAT-01": tally("waived", "pass"), "DAT-04": tally("fail")},
    )
    assert [g.state for g in result.gates] == [GateState.OUT_OF_SCOPE, GateState.CONDITIONAL]
    assert result.gate_state is GateState.CONDITIONAL


@pytest.mark.parametrize(
    "gates",
    [(), (gate("G3", "SEC-21"),), (gate("G9", "SEC-01", final=True),)],
    ids=["none", "none in scope", "final"],
)
def test_without_a_gate_to_look_at_there_is_no_ground_for_a_level(gates: Sequence[Gate]) -> None:
    result = roll(
        profile(control("SEC-01"), control("RES-01"), gates=gates),
        {"SEC-01": tally("pass"), "RES-01": tally("pass")},
    )
    assert (result.gate_state, result.level, [reason.en for reason in result.reasons]) == (
        GateState.OUT_OF_SCOPE, 0, ["The profile looks at no gate, so it concludes no level of readiness"],
    )  # fmt: skip


# --- levels and reasons -------------------------------------------------------------------------


def test_level_4_waits_for_the_authority() -> None:
    result = subject()
    assert (result.level, result.level_label) == (4, LEVEL_LABELS[4])
    assert result.reasons == (
        Text(
            "Chưa có kết quả đánh giá của cấp có thẩm quyền đáp ứng điều kiện của mức cuối: NDC-01",
            "No assessment by the competent authority meets the condition of the last level: NDC-01",
        ),
    )


def test_level_5_is_level_4_and_the_final_gate() -> None:
    result = subject(NDC_01=tally("pass"))
    assert (result.level, result.level_label, result.reasons) == (5, LEVEL_LABELS[5], ())


@pytest.mark.parametrize(
    "found",
    [
        tally(),
        tally("waived"),
        tally("fail"),
        tally("pass", "unknown"),
        tally("pass", complete=False),
    ],
)
def test_nothing_but_a_pass_of_the_final_gate_gives_level_5(found: Tally) -> None:
    assert subject(NDC_01=found).level == 4


def test_a_profile_without_a_final_gate_stops_at_level_4() -> None:
    result = subject(profile(*CONTROLS, gates=GATES[:2]), NDC_01=tally("pass"))
    assert (result.level, english(result)) == (4, ["The profile selects no gate of the last level"])


def test_provider_scope_stops_at_level_4() -> None:
    result = subject(profile(*CONTROLS, gates=GATES, kind="provider"), NDC_01=tally("pass"))
    assert (result.level, english(result)) == (4, ["Provider scope stops at level 4"])


@pytest.mark.parametrize("key", ["pass", "fail", "expired", "waived", "unknown", "manual_pending"])
def test_the_final_gate_moves_no_figure_whatever_its_verdict(key: str) -> None:
    """A negative assessment that counted would be worth hiding: without its paper NDC-01 is pending."""
    decided, pending = subject(NDC_01=tally(key)), subject()
    assert decided.dimensions == pending.dimensions
    assert decided.gate_state is pending.gate_state is GateState.OPEN


def test_level_0_names_all_that_is_missing() -> None:
    result = roll(
        profile(control("SEC-01")),
        {"SEC-01": tally(("unknown", 11), ("pass", 13))},
        registers_present=frozenset({"drills"}),
        collection=CollectionFigures(3, 2, None, 0, None, 0),
    )
    assert (result.level, result.level_label) == (0, LEVEL_LABELS[0])
    assert result.reasons == (
        Text("Độ bao phủ chứng cứ 54,1 % dưới 60 %", "Evidence coverage 54.1% is below 60%"),
        Text("Độ bao phủ thu thập 66,6 % dưới 80 %", "Collection coverage 66.6% is below 80%"),
        Text("Chưa có danh mục địa điểm (sites)", "The register of sites is missing"),
        Text("Chưa có danh mục hệ thống thông tin (systems)", "The register of systems is missing"),
    )


@pytest.mark.parametrize("kind", ["sites", "systems"])
def test_either_register_missing_gives_level_0(kind: str) -> None:
    result = roll(profile(*CONTROLS, gates=GATES), PASSING, registers_present=REGISTERS - {kind})
    assert (result.level, english(result)) == (0, [f"The register of {kind} is missing"])


def test_level_1_names_the_gates_by_state_then_the_score() -> None:
    failing = {c: tally("fail") for c in ("SEC_01", "POR_01", "COM_12", "BDR_01")}
    result = subject(**failing, RES_01=tally("unknown", "pass"))
    assert result.level == 1
    assert result.reasons == (
        Text("Chưa đáp ứng điều kiện tiên quyết: G2", "Gates blocked: G2"),
        Text("Chưa xác định điều kiện tiên quyết: G1", "Gates indeterminate: G1"),
        Text("Điểm (cận dưới) 29,3 dưới 50", "Score (lower bound) 29.3 is below 50"),
    )


def test_a_low_score_alone_gives_level_1() -> None:
    result = roll(profile(control("SEC-01", "low")), {"SEC-01": tally(("pass", 49), ("fail", 51))})
    assert (result.level, english(result)) == (1, ["Score (lower bound) 49.0 is below 50"])


def test_level_2_needs_its_own_score_too() -> None:
    limits = {"1": {"score": Fraction(40)}, "2": {"score": Fraction("48.25")}}
    tallies = {"SEC-01": tally(("pass", 48), ("fail", 52))}
    result = roll(profile(control("SEC-01", "low"), thresholds=limits), tallies)
    assert (result.level, english(result)) == (1, ["Score (lower bound) 48.0 is below 48.25"])


def test_level_2_names_what_level_3_asks_for() -> None:
    half = tally("pass", "fail")
    result = subject(SEC_01=half, POR_01=half, COM_12=half, NDC_02=tally("unknown"))
    assert (result.level, result.level_label) == (2, LEVEL_LABELS[2])
    assert result.reasons == (
        Text(
            "Điểm (cận dưới) 67,9 dưới 70",
            "Score (lower bound) 67.9 is below 70",
        ),
        Text("Chiều đánh giá thấp nhất (NDC) 0,0 dưới 50", "Weakest dimension (NDC) 0.0 is below 50"),
        Text(
            "Cam kết đã công bố chưa được chứng minh là phù hợp với thực tế quan sát (COM-12):"
            " 0 mâu thuẫn, 0 chưa kiểm chứng",
            "Published commitments are not shown to agree with what is observed (COM-12):"
            " 0 contradicted, 0 unverified",
        ),
        Text(
            "Biện pháp kiểm soát mức cao, nghiêm trọng chưa có kế hoạch khắc phục kèm thời hạn:"
            " COM-12, SEC-01",
            "High or critical controls without a dated plan: COM-12, SEC-01",
        ),
    )


@pytest.mark.parametrize("key", ["fail", "expired", "unknown", "manual_pending"])
@pytest.mark.parametrize(
    ("severity", "planned", "level"),
    [
        ("medium", False, 4),
        ("high", False, 2),
        ("high", True, 4),
        ("critical", False, 2),
        ("critical", True, 3),
    ],
)
def test_plans_lift_to_level_3_and_nothing_critical_may_stand_at_4(
    key: str, severity: str, planned: bool, level: int
) -> None:
    """98 findings of 100 pass, so that figures do not decide."""
    result = roll(
        profile(control("SEC-01", severity)),
        {"SEC-01": tally(("pass", 98), (key, 2))},
        planned=["SEC-01"] if planned else [],
    )
    assert result.level == level


def test_an_incomplete_listing_of_a_critical_control_is_not_level_4() -> None:
    controls = [control("SEC-01"), *(control(f"SEC-{n}") for n in range(10, 60))]
    tallies = {c.id: tally("pass") for c in controls} | {"SEC-01": tally("pass", complete=False)}
    result = roll(profile(*controls), tallies, planned=["SEC-01"])
    assert (result.level, english(result)) == (
        3,
        ["Critical controls that fail, have expired or are unknown: SEC-01"],
    )


def test_a_waiver_is_enough_for_level_3_and_too_little_for_4() -> None:
    found = tally(*["pass"] * 30, "waived")
    result = subject(RES_01=found)
    assert (result.level, result.gate_state) == (3, GateState.CONDITIONAL)
    assert result.reasons == (
        Text("Điều kiện tiên quyết mới đáp ứng có điều kiện: G1", "Gates only conditional: G1"),
    )


def test_a_profile_without_com_12_has_no_condition_on_claims() -> None:
    controls = [c for c in CONTROLS if c.id != "COM-12"]
    refuted = ClaimFigures(refuted=1, unverified=1)
    assert roll(profile(*controls, gates=GATES), PASSING, claims=refuted).level == 4


def test_a_threshold_a_profile_does_not_name_keeps_its_default() -> None:
    thresholds = {"0": {"collection": Fraction(0)}, "4": {"coverage": Fraction(0)}}
    limited = profile(control("SEC-01", "medium"), thresholds=thresholds)
    unseen = CollectionFigures(1, 0, None, 0, None, 0)
    coverage = english(roll(limited, {"SEC-01": tally("unknown")}, collection=unseen))
    assert coverage == ["Evidence coverage 0.0% is below 60%"]
    weakest = roll(limited, {"SEC-01": tally(("pass", 84), ("unknown", 16))}, collection=unseen)
    assert (weakest.level, english(weakest)) == (
        2,
        ["Evidence coverage 84.0% is below 85%"],
    )


def test_a_threshold_of_no_figure_is_refused() -> None:
    with pytest.raises(ValueError, match="no figure for a threshold: scores"):
        subject(profile(*CONTROLS, thresholds={"3": {"scores": Fraction(1)}}))


@pytest.mark.parametrize(
    ("passing", "level"),
    [(Fraction("49.9"), 1), (50, 2), (Fraction("69.9"), 2), (70, 3), (Fraction("84.9"), 3), (85, 4)],
)
def test_scores_on_and_just_under_a_threshold(passing: Fraction, level: int) -> None:
    share = int(passing * 10)
    found = tally(("pass", share), ("fail", 1000 - share))
    assert roll(profile(control("SEC-01", "low")), {"SEC-01": found}).level == level


@pytest.mark.parametrize(("known", "level"), [(599, 0), (600, 2), (849, 2), (850, 3), (949, 3), (950, 4)])
def test_coverage_on_and_just_under_a_threshold(known: int, level: int) -> None:
    """One dimension is unknown in part; low thresholds of score leave coverage to decide."""
    scores = {n: {"score": Fraction(0), "weakest": Fraction(0)} for n in "1234"}
    found = tally(("pass", known), ("unknown", 1000 - known))
    assert roll(profile(control("SEC-01", "low"), thresholds=scores), {"SEC-01": found}).level == level


@pytest.mark.parametrize(("ok", "level"), [(799, 0), (800, 4)])
def test_collection_on_and_just_under_its_threshold(ok: int, level: int) -> None:
    collection = CollectionFigures(1000, ok, None, 0, None, 0)
    assert roll(profile(*CONTROLS, gates=GATES), PASSING, collection=collection).level == level


@pytest.mark.parametrize(("weakest", "level"), [(499, 2), (500, 3), (699, 3), (700, 4)])
def test_the_weakest_dimension_on_and_just_under_a_threshold(weakest: int, level: int) -> None:
    """Of POR's weight, little is lost for the score."""
    found = tally(("pass", weakest), ("fail", 1000 - weakest))
    assert subject(POR_01=found).level == level


# --- test cases of the specification, section 10 ------------------------------------------------


def test_case_1_one_gating_control_unknown() -> None:
    result = subject(BDR_21=tally("pass", "unknown"))
    assert (result.gate_state, result.level) == (GateState.INDETERMINATE, 1)


def test_case_2_everything_unknown() -> None:
    result = subject(**{c.id.replace("-", "_"): tally("unknown", ("unknown", None)) for c in CONTROLS})
    assert numbers(result.lower, result.upper, result.coverage, result.level) == (0, 100, 0, 0)
    assert result.assurance is None


@pytest.mark.parametrize(
    ("key", "state", "level"),
    [("fail", GateState.BLOCKED, 1), ("waived", GateState.CONDITIONAL, 3)],
)
def test_case_3_a_waiver_counts_only_when_it_holds(key: str, state: GateState, level: int) -> None:
    """A waiver of somebody who may not grant it leaves the finding tallied as fail."""
    result = subject(RES_01=tally(*["pass"] * 30, key))
    assert (result.gate_state, result.level) == (state, level)


def test_case_4_not_applicable_without_proof_is_unknown() -> None:
    proved, unproved = subject(RES_01=tally()), subject(RES_01=tally(complete=False))
    assert (proved.gate_state, proved.level) == (GateState.OPEN, 4)
    assert (unproved.gate_state, unproved.level) == (GateState.INDETERMINATE, 1)
    assert numbers(unproved.dimensions[0].lower, unproved.dimensions[0].upper) == (0, 100)


def test_case_5_an_expired_plan_blocks_although_every_volume_has_backups() -> None:
    result = subject(BDR_21=tally("expired"))
    assert [g.state for g in result.gates] == [GateState.OPEN, GateState.BLOCKED, GateState.INDETERMINATE]
    assert result.level == 1


@pytest.mark.parametrize(
    ("verdict", "claims", "counts"),
    [
        ("fail", ClaimFigures(refuted=1, unverified=0), "1 contradicted, 0 unverified"),
        ("unknown", ClaimFigures(refuted=0, unverified=1), "0 contradicted, 1 unverified"),
        ("pass", ClaimFigures(refuted=1, unverified=0), "1 contradicted, 0 unverified"),
        ("pass", ClaimFigures(refuted=0, unverified=1), "0 contradicted, 1 unverified"),
    ],
)
def test_case_6_claims_refuted_or_unverified_cap_the_level(
    verdict: str, claims: ClaimFigures, counts: str
) -> None:
    """Weakest-dimension thresholds are lowered, so that the cap decides and not COM's score."""
    lenient = {n: {"score": Fraction(0), "weakest": Fraction(0), "coverage": Fraction(0)} for n in "34"}
    result = roll(
        profile(*CONTROLS, gates=GATES, thresholds=lenient),
        {**PASSING, "COM-12": tally(verdict)},
        claims=claims,
        planned=["COM-12"],
    )
    assert (result.level, english(result)) == (
        2,
        [f"Published commitments are not shown to agree with what is observed (COM-12): {counts}"],
    )
    assert (result.contradictions, result.unverified_claims) == (claims.refuted, claims.unverified)


def test_case_7_a_refused_bucket_list_leaves_its_controls_unknown() -> None:
    """An empty answer under AccessDenied: one finding for the gap, and a listing without end."""
    s3 = [control("SEC-30"), control("SEC-31")]
    result = roll(profile(*s3), {c.id: tally(("unknown", None), complete=False) for c in s3})
    assert numbers(result.lower, result.upper, result.coverage, result.level) == (0, 100, 0, 0)


def test_case_8_a_passing_resource_of_low_criticality_opens_no_gate() -> None:
    for key, state in (("fail", GateState.BLOCKED), ("unknown", GateState.INDETERMINATE)):
        assert subject(RES_01=tally((key, 4))).gate_state is state
        assert subject(RES_01=tally((key, 4), ("pass", 1))).gate_state is state


# --- algebra (cases 9 and 10) -------------------------------------------------------------------

KEYS = ("pass", "fail", "expired", "unknown", "manual_pending", "waived")
RANK = {
    GateState.BLOCKED: 0,
    GateState.INDETERMINATE: 0,
    GateState.CONDITIONAL: 1,
    GateState.OPEN: 2,
    GateState.OUT_OF_SCOPE: 3,
}
IDS = ("RES-01", "RES-02", "BDR-01", "SEC-01", "SEC-02", "POR-01", "COM-12", "NDC-02")
LENIENT = {
    "0": {"coverage": Fraction(10), "collection": Fraction(0)},
    "1": {"score": Fraction(5)},
    "2": {"score": Fraction(10)},
    "3": {"score": Fraction(15), "weakest": Fraction(5), "coverage": Fraction(20)},
    "4": {"score": Fraction(60), "weakest": Fraction(40), "coverage": Fraction(70)},
}


@dataclass(frozen=True)
class Findings:
    """One control's findings, before they are tallied."""

    found: tuple[tuple[str, int | None], ...]
    complete: bool = True

    def tally(self) -> Tally:
        return tally(*self.found, complete=self.complete)

    def with_finding(self, n: int, *finding: tuple[str, int | None]) -> Findings:
        return replace(self, found=(*self.found[:n], *finding, *self.found[n + 1 :]))


@dataclass(frozen=True)
class Case:
    profile: Profile
    findings: Mapping[str, Findings]
    planned: frozenset[str]

    def roll(self, **changed: Findings) -> Readiness:
        findings = {**self.findings, **changed}
        return roll(self.profile, {c: f.tally() for c, f in findings.items()}, planned=self.planned)


MOODS = (
    ("pass",) * 6 + (*KEYS, "not_applicable"),
    ("pass",) * 7 + ("waived",),
    ("pass",) * 9 + ("fail", "unknown"),
)
"""What findings are drawn from: without the good moods hardly a case would climb above level 1."""


def findings_of_a_control(mood: Sequence[str]) -> st.SearchStrategy[Findings]:
    finding = st.tuples(st.sampled_from(mood), st.sampled_from((1, 2, 4, None)))
    complete = st.sampled_from((True,) * 11 + (False,))
    return st.builds(Findings, st.lists(finding, min_size=0, max_size=3).map(tuple), complete)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    ids = draw(st.lists(st.sampled_from(IDS), min_size=1, max_size=5, unique=True))
    grades = st.tuples(
        st.sampled_from([s.value for s in Severity]), st.sampled_from([b.value for b in Basis])
    )
    gating = st.lists(st.sampled_from([*ids, "SEC-21"]), min_size=1, max_size=2)
    mood = findings_of_a_control(draw(st.sampled_from(MOODS)))
    weightless = draw(st.sampled_from((None, "SEC", "NDC")))
    return Case(
        profile(
            *(control(c, *draw(grades)) for c in ids),
            control("NDC-01"),
            gates=[
                *(gate(f"G{n}", *draw(gating)) for n in range(draw(st.integers(0, 2)))),
                gate("G9", "NDC-01", final=True),
            ],
            kind=draw(st.sampled_from(("agency", "agency", "provider"))),
            weights={d: Fraction(0) if d == weightless else w for d, w in WEIGHTS.items()},
            thresholds=draw(st.sampled_from((LENIENT, LENIENT, DEFAULT_THRESHOLDS))),
        ),
        {c: draw(mood) for c in (*ids, "NDC-01")},
        frozenset(draw(st.sampled_from(((), ids, ids[:1])))),
    )


def weakest_score(result: Readiness) -> Fraction:
    return result.weakest.lower if result.weakest else Fraction(100)


def assert_not_better(less: Readiness, more: Readiness) -> None:
    """Nothing that counts in the subject's favour is higher in `less` than in `more`."""
    assert less.lower <= more.lower
    assert less.coverage <= more.coverage
    assert weakest_score(less) <= weakest_score(more)
    assert less.level <= more.level
    assert RANK[less.gate_state] <= RANK[more.gate_state]
    for after, before in zip(less.gates, more.gates, strict=True):
        assert RANK[after.state] <= RANK[before.state]
    for poorer, richer in zip(less.dimensions, more.dimensions, strict=True):
        if not richer.not_applicable:
            assert poorer.lower <= richer.lower
            assert poorer.coverage <= richer.coverage
            assert not poorer.not_applicable


@st.composite
def findings_to_spoil(draw: st.DrawFn) -> tuple[Case, str, int]:
    case = draw(cases())
    some = [c for c, f in sorted(case.findings.items()) if f.found]
    assume(some)
    chosen = draw(st.sampled_from(some))
    return case, chosen, draw(st.integers(0, len(case.findings[chosen].found) - 1))


@given(findings_to_spoil(), st.booleans(), st.sampled_from(("unknown", "manual_pending")))
@settings(max_examples=120, deadline=None)
def test_a_finding_turned_unknown_raises_nothing(
    spoilt: tuple[Case, str, int], lose_attribution: bool, key: str
) -> None:
    case, chosen, n = spoilt
    findings = case.findings[chosen]
    weight = None if lose_attribution else findings.found[n][1]
    assert_not_better(case.roll(**{chosen: findings.with_finding(n, (key, weight))}), case.roll())


@given(findings_to_spoil())
@settings(max_examples=50, deadline=None)
def test_a_finding_that_loses_its_system_raises_nothing(spoilt: tuple[Case, str, int]) -> None:
    case, chosen, n = spoilt
    findings = case.findings[chosen]
    key, _ = findings.found[n]
    assert_not_better(case.roll(**{chosen: findings.with_finding(n, (key, None))}), case.roll())


@given(findings_to_spoil(), st.booleans())
@settings(max_examples=120, deadline=None)
def test_a_finding_removed_with_its_listing_raises_nothing(
    spoilt: tuple[Case, str, int], gap_has_a_finding: bool
) -> None:
    case, chosen, n = spoilt
    gap: tuple[tuple[str, None], ...] = (("unknown", None),) if gap_has_a_finding else ()
    rest = replace(case.findings[chosen].with_finding(n, *gap), complete=False)
    assert_not_better(case.roll(**{chosen: rest}), case.roll())


@given(cases(), st.integers(0, 10), st.integers(0, 10), st.sampled_from(("sites", "systems")))
@settings(max_examples=50, deadline=None)
def test_rights_and_registers_lost_raise_no_level(case: Case, asked: int, lost: int, kind: str) -> None:
    def level(collection: CollectionFigures, registers: frozenset[str] = REGISTERS) -> int:
        tallies = {c: f.tally() for c, f in case.findings.items()}
        return roll(case.profile, tallies, collection=collection, registers_present=registers).level

    ok = max(asked - lost, 0)
    seen = level(CollectionFigures(asked, asked, 3, 3, 5, 4))
    assert level(CollectionFigures(asked, ok, 3, 3, 5, 4)) <= seen
    assert level(CollectionFigures(asked, asked, 3, 3, MISSING, 0)) <= seen
    assert level(CollectionFigures(asked, asked, MISSING, 3, 5, 4)) <= seen
    assert level(CollectionFigures(asked, asked, 3, 3, 5, 4), REGISTERS - {kind}) <= seen


@given(cases())
@settings(max_examples=50, deadline=None)
def test_the_upper_bound_is_never_below_the_lower(case: Case) -> None:
    result = case.roll()
    assert 0 <= result.lower <= result.upper <= 100
    assert 0 <= result.coverage <= 100
    for dimension in result.dimensions:
        assert 0 <= dimension.lower <= dimension.upper <= 100


@given(cases(), st.data())
@settings(max_examples=120, deadline=None)
def test_the_interval_holds_the_figure_full_knowledge_would_give(case: Case, data: st.DataObject) -> None:
    """Knowing settles every unknown, every system, and what an unfinished listing hid."""
    settled = st.sampled_from(("pass", "fail", "not_applicable"))
    known = {}
    for id_, findings in case.findings.items():
        hidden = () if findings.complete else data.draw(st.lists(settled, max_size=3))
        found = [
            (
                data.draw(settled) if key in ("unknown", "manual_pending") else key,
                data.draw(st.sampled_from((1, 2, 4))) if weight is None else weight,
            )
            for key, weight in (*findings.found, *((key, None) for key in hidden))
        ]
        known[id_] = Findings(tuple(found))
    before, after = case.roll(), case.roll(**known)
    assert after.lower == after.upper
    assert before.lower <= after.lower <= before.upper
    assert before.coverage <= after.coverage or after.coverage == 0
    for less, more in zip(before.dimensions, after.dimensions, strict=True):
        if not more.not_applicable:
            assert less.lower <= more.lower <= less.upper


def shuffled(items: Iterable[T], chance: random.Random) -> list[T]:
    result = list(items)
    chance.shuffle(result)
    return result


@given(cases(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_order_does_not_matter(case: Case, chance: random.Random) -> None:
    other = Case(
        replace(
            case.profile,
            controls=tuple(shuffled(case.profile.controls, chance)),
            weights=dict(shuffled(case.profile.weights.items(), chance)),
        ),
        {
            c: replace(f, found=tuple(shuffled(f.found, chance)))
            for c, f in shuffled(case.findings.items(), chance)
        },
        case.planned,
    )
    assert other.roll() == case.roll()


# --- printing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (Fraction(900, 19), "47.3"),
        (Fraction(1100, 19), "57.8"),
        (Fraction(1700, 19), "89.4"),
        (Fraction(9999, 100), "99.9"),
        (Fraction(100), "100.0"),
        (Fraction(1, 100), "0.0"),
        (Fraction(0), "0.0"),
        (Fraction(-1, 100), "-0.1"),
        (Fraction(-12), "-12.0"),
    ],
)
def test_figures_are_rounded_down_to_one_decimal(value: Fraction, printed: str) -> None:
    assert floor1(value) == printed


def test_per_cent_is_printed_as_each_language_writes_it() -> None:
    value = Fraction(5429, 100)
    assert (percent(value, "vi"), percent(value, "en")) == ("54,2 %", "54.2%")
