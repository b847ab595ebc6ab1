"""Roll the findings of one subject up to gates, a score interval, coverage, assurance and a level.

Pure arithmetic over tallies: exact rationals, no file, no clock, and no order of input that matters.
It reports a self-assessment; the competent authority decides.

What is not known never helps. Less evidence, fewer rights or a shorter inventory raise no lower
figure, no gate and no level; the property tests of this module hold it to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from types import MappingProxyType
from typing import Final

from cloudaudit.model import (
    DIMENSIONS,
    Claim,
    Control,
    DimensionResult,
    Gate,
    GateResult,
    GateState,
    Missing,
    Profile,
    Readiness,
    Severity,
    Tally,
    Text,
    Verdict,
)

WAIVED: Final = "waived"
"""Key of a tally for a fail or expired finding whose waiver holds."""

_PASSED: Final = frozenset({Verdict.PASS.value})
_AGAINST: Final = frozenset({Verdict.FAIL.value, Verdict.EXPIRED.value, WAIVED})
_UNDECIDED: Final = frozenset({Verdict.UNKNOWN.value, Verdict.MANUAL_PENDING.value})
_DETERMINATE: Final = _PASSED | _AGAINST
_APPLICABLE: Final = _DETERMINATE | _UNDECIDED
_KEYS: Final = _APPLICABLE | {Verdict.NOT_APPLICABLE.value}
_NOT_MET: Final = frozenset({Verdict.FAIL.value, Verdict.EXPIRED.value}) | _UNDECIDED

LIGHTEST: Final = 1
HEAVIEST: Final = 4
"""The weight of a finding that belongs to no system lies between these two."""

DEFAULT_THRESHOLDS: Final[Mapping[str, Mapping[str, Fraction]]] = MappingProxyType(
    {
        "0": MappingProxyType({"coverage": Fraction(60), "collection": Fraction(80)}),
        "1": MappingProxyType({"score": Fraction(50)}),
        "2": MappingProxyType({"score": Fraction(50)}),
        "3": MappingProxyType({"score": Fraction(70), "weakest": Fraction(50), "coverage": Fraction(85)}),
        "4": MappingProxyType({"score": Fraction(85), "weakest": Fraction(70), "coverage": Fraction(95)}),
        "5": MappingProxyType({}),
    }
)
"""The least figures, in per cent, by level: below one of "0" or "1" the level is 0 or 1; 2 to 5 need theirs.

Proposals of this product; no law sets them. A profile replaces them figure by figure, and a figure
it does not name keeps the default: forgetting one opens nothing, 0 switches it off.
"""

LEVEL_LABELS: Final = (
    Text("Chưa đủ cơ sở đánh giá", "Not assessable"),
    Text("Chưa sẵn sàng", "Not ready"),
    Text("Sẵn sàng một phần", "Partly ready"),
    Text("Sẵn sàng có điều kiện", "Conditionally ready"),
    Text("Sẵn sàng, đề nghị cấp có thẩm quyền đánh giá", "Ready – request assessment"),
    Text("Đã được cấp có thẩm quyền đánh giá", "Assessed"),
)
LAST_LEVEL: Final = len(LEVEL_LABELS) - 1
"""The only one that a final gate holds back."""

_REGISTERS: Final = (
    ("sites", Text("Chưa có danh mục địa điểm (sites)", "The register of sites is missing")),
    ("systems", Text("Chưa có danh mục hệ thống thông tin (systems)", "The register of systems is missing")),
)

_GATE_REASONS: Final[Mapping[GateState, Text]] = MappingProxyType(
    {
        GateState.BLOCKED: Text("Chưa đáp ứng điều kiện tiên quyết", "Gates blocked"),
        GateState.INDETERMINATE: Text("Chưa xác định điều kiện tiên quyết", "Gates indeterminate"),
        GateState.CONDITIONAL: Text(
            "Điều kiện tiên quyết mới đáp ứng có điều kiện", "Gates only conditional"
        ),
    }
)

_CLAIMS_CONTROL: Final = "COM-12"

# --- what is given ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CollectionFigures:
    """How much of what was asked for was seen.

    `asked` and `ok` count (target, region, service) triples of the plan. `projects_seen` counts
    those of the declared projects that were seen, `buckets_readable` those of the listed buckets
    that could be read. For `projects_declared` and `buckets_listed`, None says that the ratio does not apply
    (no target has projects; the plan asks for no bucket) and MISSING that it does but nobody could say how
    many there are: the ratio is then 0. One list of buckets refused at one endpoint makes the number
    MISSING; otherwise losing the right to list would hide the buckets that could not be read.
    """

    asked: int
    ok: int
    projects_declared: int | Missing | None
    projects_seen: int
    buckets_listed: int | Missing | None
    buckets_readable: int

    def __post_init__(self) -> None:
        pairs = (
            ("ok", self.ok, "asked", self.asked),
            ("projects_seen", self.projects_seen, "projects_declared", self.projects_declared),
            ("buckets_readable", self.buckets_readable, "buckets_listed", self.buckets_listed),
        )
        for name, part, whole_name, whole in pairs:
            if part < 0 or (isinstance(whole, int) and part > whole):
                raise ValueError(
                    f"{name} is {part}, {whole_name} is {whole}: a part must lie within its whole"
                )

    def coverage(self) -> Fraction:
        """The smallest ratio that applies, in per cent. A plan that asks for nothing collects nothing: 0.

        A profile of papers only, whose plan asks no target, sets its collection threshold to 0.
        """
        ratios = [_ratio(self.ok, self.asked)]
        if self.projects_declared is not None and self.projects_declared != 0:
            ratios.append(_ratio(self.projects_seen, self.projects_declared))
        if self.buckets_listed is not None and self.buckets_listed != 0:
            ratios.append(_ratio(self.buckets_readable, self.buckets_listed))
        return 100 * min(ratios)


def _ratio(part: int, whole: int | Missing) -> Fraction:
    return Fraction(part, whole) if isinstance(whole, int) and whole else Fraction(0)


@dataclass(frozen=True, slots=True)
class ClaimFigures:
    """Published claims that observation refutes, and those it could judge but has no evidence for."""

    refuted: int
    unverified: int

    @classmethod
    def of(cls, claims: Iterable[Claim]) -> ClaimFigures:
        states = [claim.state for claim in claims]
        if wrong := sorted(set(states) - {"upheld", "refuted", "unverified", "not_observable"}):
            raise ValueError(f"no state of a claim: {', '.join(wrong)}")
        return cls(refuted=states.count("refuted"), unverified=states.count("unverified"))


# --- one control --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ControlResult:
    """What one control brings to its dimension and gates. Ratios lie between 0 and 1.

    `verdict` is a verdict or `waived`. With verdict not_applicable the ratios mean nothing and the
    control is out of every sum.
    """

    verdict: str
    lower: Fraction
    upper: Fraction
    coverage: Fraction

    @property
    def applicable(self) -> bool:
        return self.verdict != Verdict.NOT_APPLICABLE


def control_result(tally: Tally) -> ControlResult:
    """Weigh one control's findings.

    Where a listing is incomplete, findings still show the worst that was seen, but they prove
    nothing good: the ratios are 0 below and 1 above, and what would be pass, waived or not
    applicable is unknown.
    """
    if wrong := sorted({*tally.counts, *tally.weights, *tally.unattributed} - _KEYS):
        raise ValueError(f"no verdict to tally: {', '.join(wrong)}")
    verdict = tally.verdict
    if not tally.listing_complete:
        known = verdict if verdict in _NOT_MET else Verdict.UNKNOWN.value
        return ControlResult(known, Fraction(0), Fraction(1), Fraction(0))
    if verdict == Verdict.NOT_APPLICABLE:
        return ControlResult(verdict, Fraction(0), Fraction(0), Fraction(0))
    return ControlResult(
        verdict,
        lower=_least_share(tally, _PASSED),
        upper=1 - _least_share(tally, _AGAINST),
        coverage=_least_share(tally, _DETERMINATE),
    )


def _least_share(tally: Tally, keys: frozenset[str]) -> Fraction:
    """The smallest share of the applicable weight that findings under `keys` can have."""
    inside = _weight(tally, keys, LIGHTEST)
    return Fraction(inside, inside + _weight(tally, _APPLICABLE - keys, HEAVIEST))


def _weight(tally: Tally, keys: frozenset[str], of_unattributed: int) -> int:
    return sum(tally.weights.get(k, 0) + of_unattributed * tally.unattributed.get(k, 0) for k in keys)


# --- dimensions ---------------------------------------------------------------------------------


def _dimensions(
    profile: Profile, results: Mapping[str, ControlResult], final: frozenset[str]
) -> tuple[DimensionResult, ...]:
    """The figures of every dimension the profile weighs, in the order of the specification.

    Controls of the final gate stay out even when they are decided. The specification leaves them out only
    until then, but a negative decision that counts would make its removal raise the score (NDC-01 is pending
    without its paper), and a positive one would move levels 2 to 4, which it must not.
    """
    scored: dict[str, list[tuple[Control, ControlResult]]] = {d: [] for d in profile.weights}
    for control in profile.controls:
        if control.dimension not in scored:
            raise ValueError(
                f"profile {profile.id}: no weight for dimension {control.dimension} of {control.id}"
            )
        result = results[control.id]
        if result.applicable and control.id not in final:
            scored[control.dimension].append((control, result))
    ranks = {d: n for n, d in enumerate(DIMENSIONS)}
    order = sorted(scored, key=lambda d: (ranks.get(d, len(ranks)), d))
    return tuple(_dimension(d, profile.weights[d], scored[d]) for d in order)


def _dimension(
    id_: str, weight: Fraction, scored: Iterable[tuple[Control, ControlResult]]
) -> DimensionResult:
    rows = [(control.severity.weight, control.basis.assurance, result) for control, result in scored]
    total = sum(w for w, _, _ in rows)
    if not total:
        zero = Fraction(0)
        return DimensionResult(id_, weight, zero, zero, zero, assurance=None, not_applicable=True)
    passed = sum((w * r.lower for w, _, r in rows), Fraction(0))
    assured = sum((w * r.lower * a for w, a, r in rows), Fraction(0))
    return DimensionResult(
        id_,
        weight,
        lower=100 * passed / total,
        upper=100 * sum((w * r.upper for w, _, r in rows), Fraction(0)) / total,
        coverage=100 * sum((w * r.coverage for w, _, r in rows), Fraction(0)) / total,
        assurance=100 * assured / passed if passed else None,
    )


@dataclass(frozen=True, slots=True)
class _Overall:
    lower: Fraction
    upper: Fraction
    coverage: Fraction
    assurance: Fraction | None
    weakest: DimensionResult | None


def _overall(dimensions: Iterable[DimensionResult]) -> _Overall:
    """Average the applicable dimensions by weight; all figures are 0 where none applies.

    Assurance is the share of the overall lower score that does not rest on paper, so a dimension
    counts in it with what it adds to that score.
    """
    live = [d for d in dimensions if not d.not_applicable]
    total = sum((d.weight for d in live), Fraction(0)) or Fraction(1)
    lower = sum((d.weight * d.lower for d in live), Fraction(0))
    assured = sum((d.weight * d.lower * (d.assurance or 0) for d in live), Fraction(0))
    return _Overall(
        lower=lower / total,
        upper=sum((d.weight * d.upper for d in live), Fraction(0)) / total,
        coverage=sum((d.weight * d.coverage for d in live), Fraction(0)) / total,
        assurance=assured / lower if lower else None,
        weakest=min(live, key=lambda d: d.lower, default=None),
    )


# --- gates --------------------------------------------------------------------------------------

_WORST_FIRST: Final = (
    GateState.BLOCKED,
    GateState.INDETERMINATE,
    GateState.CONDITIONAL,
    GateState.OPEN,
)


def _gate_state(gate: Gate, results: Mapping[str, ControlResult]) -> GateState:
    """The state the worst of the gate's selected controls gives it."""
    return _worst(_state_for(results[c].verdict) for c in gate.controls if c in results)


def _state_for(verdict: str) -> GateState:
    if verdict in _UNDECIDED:
        return GateState.INDETERMINATE
    if verdict in _NOT_MET:
        return GateState.BLOCKED
    return GateState.CONDITIONAL if verdict == WAIVED else GateState.OPEN


def _worst(states: Iterable[GateState]) -> GateState:
    """The worst state; out of scope where there is none to look at."""
    seen = set(states)
    return next((s for s in _WORST_FIRST if s in seen), GateState.OUT_OF_SCOPE)


# --- level --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Standing:
    """Everything the conditions of the levels look at."""

    profile: Profile
    results: Mapping[str, ControlResult]
    final: frozenset[str]
    gates: tuple[GateResult, ...]
    overall: _Overall
    collection: Fraction
    registers_present: frozenset[str]
    claims: ClaimFigures
    planned: frozenset[str]


def _level(standing: _Standing) -> tuple[int, tuple[Text, ...]]:
    """Climb until conditions are unmet: the level reached, and those conditions as the reasons."""
    shut = _gates_in(standing, GateState.BLOCKED, GateState.INDETERMINATE)
    half_open = _gates_in(standing, GateState.CONDITIONAL)
    ladder = (
        (0, (*_ungated(standing), *_below("0", standing), *_missing_registers(standing))),
        (1, (*shut, *_below("1", standing))),
        (1, _below("2", standing)),
        (2, (*_below("3", standing), *_claims_unmet(standing), *_unplanned(standing))),
        (3, (*half_open, *_below("4", standing), *_critical_unmet(standing))),
        (4, (*_below("5", standing), *_unassessed(standing))),
    )
    return next(((level, unmet) for level, unmet in ladder if unmet), (LAST_LEVEL, ()))


def _below(level: str, standing: _Standing) -> tuple[Text, ...]:
    """Figures below the thresholds of `level`, in the order of the specification."""
    overall = standing.overall
    name = f" ({overall.weakest.id})" if overall.weakest else ""
    figures = {
        "score": (overall.lower, "", Text("Điểm (cận dưới)", "Score (lower bound)")),
        "weakest": (
            overall.weakest.lower if overall.weakest else Fraction(0),
            "",
            Text(f"Chiều đánh giá thấp nhất{name}", f"Weakest dimension{name}"),
        ),
        "coverage": (overall.coverage, "%", Text("Độ bao phủ chứng cứ", "Evidence coverage")),
        "collection": (standing.collection, "%", Text("Độ bao phủ thu thập", "Collection coverage")),
    }
    thresholds = {**DEFAULT_THRESHOLDS[level], **standing.profile.thresholds.get(level, {})}
    if wrong := sorted(thresholds.keys() - figures.keys()):
        raise ValueError(f"profile {standing.profile.id}: no figure for a threshold: {', '.join(wrong)}")
    return tuple(
        _too_low(label, value, thresholds[key], unit)
        for key, (value, unit, label) in figures.items()
        if key in thresholds and value < thresholds[key]
    )


def _too_low(label: Text, value: Fraction, least: Fraction, unit: str) -> Text:
    """Say that `value` is below `least`. The threshold is printed as it was written, not rounded down."""
    exact = f"{float(least):.10g}"
    shown = floor1(value)
    return Text(
        f"{label.vi} {_localised(shown, unit, 'vi')} dưới {_localised(exact, unit, 'vi')}",
        f"{label.en} {_localised(shown, unit, 'en')} is below {_localised(exact, unit, 'en')}",
    )


def _ungated(standing: _Standing) -> tuple[Text, ...]:
    """A profile that looks at no gate is no ground to speak of readiness."""
    if any(g.state is not GateState.OUT_OF_SCOPE for g in standing.gates if not g.gate.final):
        return ()
    return (
        Text(
            "Hồ sơ năng lực không xét điều kiện tiên quyết nào nên không kết luận mức độ sẵn sàng",
            "The profile looks at no gate, so it concludes no level of readiness",
        ),
    )


def _missing_registers(standing: _Standing) -> tuple[Text, ...]:
    return tuple(text for kind, text in _REGISTERS if kind not in standing.registers_present)


def _gates_in(standing: _Standing, *states: GateState) -> tuple[Text, ...]:
    """One reason per state that gates of the set are in, naming them."""
    found = []
    for state in states:
        ids = [g.gate.id for g in standing.gates if g.state is state and not g.gate.final]
        if ids:
            label = _GATE_REASONS[state]
            found.append(_naming(label, ids))
    return tuple(found)


def _claims_unmet(standing: _Standing) -> tuple[Text, ...]:
    """COM-12 must pass, and so must the counts it stands for. A profile without it has no such condition."""
    result, claims = standing.results.get(_CLAIMS_CONTROL), standing.claims
    if result is None or (result.verdict == Verdict.PASS and claims.refuted == 0 and claims.unverified == 0):
        return ()
    return (
        Text(
            f"Cam kết đã công bố chưa được chứng minh là phù hợp với thực tế quan sát ({_CLAIMS_CONTROL}):"
            f" {claims.refuted} mâu thuẫn, {claims.unverified} chưa kiểm chứng",
            f"Published commitments are not shown to agree with what is observed ({_CLAIMS_CONTROL}):"
            f" {claims.refuted} contradicted, {claims.unverified} unverified",
        ),
    )


def _unplanned(standing: _Standing) -> tuple[Text, ...]:
    ids = [c for c in _not_met(standing, Severity.HIGH) if c not in standing.planned]
    label = Text(
        "Biện pháp kiểm soát mức cao, nghiêm trọng chưa có kế hoạch khắc phục kèm thời hạn",
        "High or critical controls without a dated plan",
    )
    return (_naming(label, ids),) if ids else ()


def _critical_unmet(standing: _Standing) -> tuple[Text, ...]:
    ids = _not_met(standing, Severity.CRITICAL)
    label = Text(
        "Biện pháp kiểm soát mức nghiêm trọng không đáp ứng, hết hiệu lực hoặc chưa xác định",
        "Critical controls that fail, have expired or are unknown",
    )
    return (_naming(label, ids),) if ids else ()


def _not_met(standing: _Standing, severity: Severity) -> list[str]:
    """Controls at or above `severity` that fail, expired or are undecided, the final gate's aside."""
    return sorted(
        c.id
        for c in standing.profile.controls
        if c.severity.at_least(severity)
        and c.id not in standing.final
        and standing.results[c.id].verdict in _NOT_MET
    )


def _unassessed(standing: _Standing) -> tuple[Text, ...]:
    """Level 5 is the authority's: every control of the final gate passes, and there is one.

    Not applicable opens a gate, but it is no assessment.
    """
    if standing.profile.kind == "provider":
        return (Text("Phạm vi nhà cung cấp dừng ở mức 4", "Provider scope stops at level 4"),)
    if not standing.final & standing.results.keys():
        return (
            Text(
                "Hồ sơ năng lực không chọn điều kiện của mức cuối",
                "The profile selects no gate of the last level",
            ),
        )
    ids = sorted(
        c for c in standing.final & standing.results.keys() if standing.results[c].verdict != Verdict.PASS
    )
    label = Text(
        "Chưa có kết quả đánh giá của cấp có thẩm quyền đáp ứng điều kiện của mức cuối",
        "No assessment by the competent authority meets the condition of the last level",
    )
    return (_naming(label, ids),) if ids else ()


def _naming(label: Text, ids: Iterable[str]) -> Text:
    names = ", ".join(ids)
    return Text(f"{label.vi}: {names}", f"{label.en}: {names}")


# --- the whole ----------------------------------------------------------------------------------


def readiness(
    profile: Profile,
    tallies: Mapping[str, Tally],
    *,
    registers_present: frozenset[str],
    collection: CollectionFigures,
    claims: ClaimFigures,
    planned: frozenset[str],
) -> Readiness:
    """Roll up the tallies of every control of `profile`.

    `registers_present` names the kinds of registers that were given. `planned` holds the controls
    for which each finding that is not met, a gap's included, has a dated plan.

    A gate is judged by those of its controls that the profile selects and is out of scope without any; if
    every gate is, so is the state of the set, and the level is 0. The weights of dimensions are the
    profile's own: a reader who recomputes divides by the sum over those that apply.
    """
    if absent := sorted({c.id for c in profile.controls} - tallies.keys()):
        raise ValueError(f"controls without a tally: {', '.join(absent)}")
    results = {c.id: control_result(tallies[c.id]) for c in profile.controls}
    final = frozenset(c for gate in profile.gates if gate.final for c in gate.controls)
    dimensions = _dimensions(profile, results, final)
    gates = tuple(GateResult(gate, _gate_state(gate, results)) for gate in profile.gates)
    overall = _overall(dimensions)
    coverage = collection.coverage()
    level, reasons = _level(
        _Standing(profile, results, final, gates, overall, coverage, registers_present, claims, planned)
    )
    return Readiness(
        level=level,
        level_label=LEVEL_LABELS[level],
        gate_state=_worst(g.state for g in gates if not g.gate.final),
        gates=gates,
        lower=overall.lower,
        upper=overall.upper,
        weakest=overall.weakest,
        coverage=overall.coverage,
        collection_coverage=coverage,
        assurance=overall.assurance,
        dimensions=dimensions,
        contradictions=claims.refuted,
        unverified_claims=claims.unverified,
        reasons=reasons,
    )


# --- printing -----------------------------------------------------------------------------------


def floor1(value: Fraction) -> str:
    """Print a figure rounded down to one decimal: 47.368… is "47.3"."""
    tenths = floor(value * 10)
    whole, tenth = divmod(abs(tenths), 10)
    return f"{'-' if tenths < 0 else ''}{whole}.{tenth}"


def percent(value: Fraction, lang: str) -> str:
    """Print a figure in per cent, rounded down: "54,2 %" in Vietnamese, "54.2%" in English."""
    return _localised(floor1(value), "%", lang)


def _localised(digits: str, unit: str, lang: str) -> str:
    if lang == "vi":
        return digits.replace(".", ",") + (f" {unit}" if unit else "")
    return digits + unit
