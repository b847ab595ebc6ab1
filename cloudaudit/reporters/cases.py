"""How each finding stands before a gate: a violation, new or known; not known; waived; or in order.

What pipelines and SIEMs read is made from this: one order, the worst first, one place for each finding, and
one name for what has to be done about it. Nothing that is not known stands among what is in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, Literal

from cloudaudit.model import Obligation, ResourceType, Severity, Text
from cloudaudit.reporters import Context, Known, view
from cloudaudit.reporters.spots import TARGETS, Spot, spot
from cloudaudit.reporters.standing import known_of
from cloudaudit.reporters.words import MAX_NAME, clean, labels, moment, text_of

Report = Mapping[str, Any]
Record = Mapping[str, Any]
Lang = Literal["vi", "en"]

MAX_PATH: Final = 400
MAX_ID: Final = 240
MOST_FACTS: Final = 3


class Standing(StrEnum):
    """What a finding is to somebody who has to decide whether to go on."""

    VIOLATION = "violation"
    """It fails or has expired, no waiver covers it, and no baseline names it."""
    UNKNOWN = "unknown"
    PENDING = "pending"
    """A person has to judge it."""
    KNOWN = "known"
    """A violation that a baseline names."""
    WAIVED = "waived"
    DECISION = "decision"
    """Not known or pending, of the final gate: the authority decides, and no exit code waits for it."""
    NOT_APPLICABLE = "not_applicable"
    PASS = "pass"  # noqa: S105


_ORDER: Final = {standing: place for place, standing in enumerate(Standing)}
VIOLATING: Final = frozenset({Standing.VIOLATION, Standing.KNOWN, Standing.WAIVED})
UNSETTLED: Final = frozenset({Standing.UNKNOWN, Standing.PENDING, Standing.DECISION})
"""What nobody can tell yet."""
_OF_VERDICT: Final = {
    "fail": Standing.VIOLATION,
    "expired": Standing.VIOLATION,
    "unknown": Standing.UNKNOWN,
    "manual_pending": Standing.PENDING,
    "not_applicable": Standing.NOT_APPLICABLE,
    "pass": Standing.PASS,
}


@dataclass(frozen=True, slots=True)
class Case:
    """A finding as it stands, with its control as report.json has it and the place it is shown at."""

    record: Record
    control: Record
    standing: Standing
    spot: Spot
    gate: str | None = None
    project: str | None = None
    """Its project as people know it."""
    known: Known | None = None
    """Of a known violation: what the baseline says of it."""
    missing: Text | None = None
    """Of what is not known: the facts that would decide it."""

    @property
    def severity(self) -> Severity:
        return Severity(self.control["severity"])

    @property
    def fingerprint(self) -> str:
        return str(self.record["fingerprint"])

    @property
    def identity(self) -> str:
        """What tells it from every other finding: its fingerprint leaves out the project."""
        resource = self.record["resource"]
        parts = (self.fingerprint, resource["region"] or "", resource["project"] or "")
        return sha256("\x1f".join(parts).encode(errors="replace")).hexdigest()

    @property
    def title(self) -> Text:
        return text_of(self.control["title"])

    @property
    def reason(self) -> str:
        """The code of why it is not known, or that a person has to judge it."""
        if self.record["verdict"] == view.PENDING:
            return view.PENDING
        return str(self.record["reason_code"] or "unknown")

    @property
    def found(self) -> Text:
        """What was found, for where its verdict stands beside it."""
        return view.message(self.record)

    @property
    def message(self) -> Text:
        """What was found. How it stands is said first: the words of a control may read like a pass."""
        said = self.found
        if self.standing is Standing.PASS or view.is_scope(self.record):
            return said
        if self.record["verdict"] == "unknown":
            reason = labels().of("reason", self.reason)
            told = labels()("pipeline.not_checked", reason=reason, message=said)
            return labels()("pipeline.missing", message=told, facts=self.missing) if self.missing else told
        if self.standing is Standing.DECISION:
            verdict = labels()("standing.decision")
        else:
            verdict = labels().of("verdict", self.record["verdict"])
        return Text(f"{verdict.vi}: {said.vi}", f"{verdict.en}: {said.en}")

    @property
    def scope(self) -> str:
        """Target, region and project, as far as there are."""
        resource = self.record["resource"]
        parts = (resource["target"], resource["region"], resource["project"])
        return "/".join(clean(part, MAX_NAME) for part in parts if part)

    @property
    def thing(self) -> str:
        """Type, name and id of the resource, and where it is: what tells it from others."""
        resource = self.record["resource"]
        id_, name = clean(resource["id"], MAX_ID), view.place(self.record)
        named = id_ if clean(resource["id"], MAX_NAME) == name else f"{name} ({id_})"
        kind = clean(resource["type"], MAX_NAME)
        if id_ == self.scope:
            return f"{kind} {named}"
        parts = (resource["target"], resource["region"], self.project)
        return f"{kind} {named}, {'/'.join(clean(part, MAX_NAME) for part in parts if part)}"

    @property
    def at(self) -> str:
        return f"{self.spot.path}:{self.spot.line}"


@dataclass(frozen=True, slots=True)
class Bench:
    """Findings of one report as they stand."""

    report: Report
    baseline: Mapping[str, Known] | None
    controls: Mapping[str, Record]
    gates: Mapping[str, str]
    final: frozenset[str]
    types: Mapping[str, ResourceType] = field(default_factory=dict)

    @classmethod
    def of(cls, report: Report, context: Context) -> Bench:
        final = (gate for gate in report["readiness"]["gates"] if gate["final"])
        return cls(
            report,
            context.baseline,
            {entry["id"]: entry for entry in report["controls"]},
            view.gate_of(report),
            frozenset(control for gate in final for control in gate["controls"]),
            context.types,
        )

    def case(self, record: Record) -> Case:
        known = None
        standing = _OF_VERDICT[record["verdict"]]
        if record["disposition"] == "waived":
            standing = Standing.WAIVED
        elif standing is Standing.VIOLATION:
            known = known_of(record, self.baseline)
            standing = Standing.KNOWN if known else standing
        elif standing in UNSETTLED and record["control"] in self.final:
            standing = Standing.DECISION
        control = self.controls[record["control"]]
        project = view.project(self.report, record["resource"]["project"])
        place = _shown(spot(self.report, record))
        missing = _missing(record, self.types) if record["verdict"] == "unknown" else None
        return Case(record, control, standing, place, self.gates.get(control["id"]), project, known, missing)

    def cases(self, records: Iterable[Record] | None = None) -> Iterator[Case]:
        """Findings as they stand; without others given, all that are no pass."""
        return map(self.case, self.report["findings"] if records is None else records)

    def worst_first(self, *standings: Standing) -> list[Case]:
        """What is no pass, of these standings if any are named, in the order it has to be looked at."""
        found = (case for case in self.cases() if not standings or case.standing in standings)
        return sorted(found, key=order)


def order(case: Case) -> tuple[Any, ...]:
    """What has to be looked at first: by standing, severity, gate and weight; then as the report has it."""
    record = case.record
    return (
        _ORDER[case.standing],
        -case.severity.weight,
        case.gate is None,
        -(record["weight"] or 0),
        record["control"],
        case.spot.path,
        case.spot.line,
        case.thing,
        case.fingerprint,
    )


def _missing(record: Record, types: Mapping[str, ResourceType]) -> Text | None:
    """What the facts mean that a finding would need, and that were not seen."""
    found: dict[Text, None] = {}
    for entry in record["evidence"]:
        type_ = types.get(entry["resource"].partition(":")[0])
        if "missing" in entry and type_ is not None:
            spec = type_.facts.get(entry["fact"]) or type_.facts.get(entry["fact"].partition(".")[0])
            if spec is not None and spec.meaning.vi:
                found[spec.meaning] = None
    if not found:
        return None
    named = list(found)[:MOST_FACTS]
    more = "…" if len(found) > MOST_FACTS else ""
    vi, en = ("; ".join(getattr(one, lang) for one in named) + more for lang in ("vi", "en"))
    return Text(vi, en)


def _shown(found: Spot) -> Spot:
    """A spot whose path is relative, stays in the repository, and is harmless to show."""
    path = clean(found.path, MAX_PATH)
    parts = [part for part in path.split("/") if part not in ("", ".")]
    inside = parts if not path.startswith("/") and ".." not in parts else parts[-1:]
    return Spot("/".join(part for part in inside if part != "..") or TARGETS, max(1, found.line), found.exact)


def said(text: Text, lang: Lang) -> str:
    """A text in one language, clean."""
    return clean(text.vi if lang == "vi" else text.en)


def other(lang: Lang) -> Lang:
    return "en" if lang == "vi" else "vi"


def excuse(case: Case, report: Report) -> Text | None:
    """Why a violation does not fail the gate: its waiver with who approved it, or what a baseline says."""
    if case.standing is Standing.KNOWN and case.known:
        return labels()("pipeline.known", since=moment(case.known.since), reason=_phrase(case.known.reason))
    if case.standing is not Standing.WAIVED:
        return None
    id_ = case.record["waiver"]
    waiver = next((one for one in report.get("waivers", ()) if one["id"] == id_), None)
    if waiver is None:
        return labels()("pipeline.waived", id=clean(id_ or "–", MAX_NAME))
    filled = {key: _phrase(waiver[key] or "–") for key in ("id", "approver", "reason", "compensating")}
    authority = labels().of("waiver_authority", waiver["authority"])
    return labels()("pipeline.waived_by", authority=authority, until=moment(waiver["until"]), **filled)


def _phrase(text: str) -> str:
    """A sentence somebody wrote, as a part of one of ours."""
    return clean(text).rstrip(" .")


def clause(one: Obligation, lang: Lang) -> str:
    """A clause that a control serves, with how well its text is known."""
    state = said(labels().of("source_state", one.state.value), lang)
    return f"{one.id}: {clean(one.source)}, {clean(one.clause)} ({state})"


def subject_of(report: Report) -> str:
    """Subject and profile, by which runs of several are told apart."""
    return f"{clean(report['subject']['id'], MAX_NAME)}/{clean(report['profile']['id'], MAX_NAME)}"


def counted(cases: Iterable[Case]) -> dict[Standing, int]:
    """How many findings stand how, each standing named."""
    found = dict.fromkeys(Standing, 0)
    for case in cases:
        found[case.standing] += 1
    return found


def verdict_label(case: Case) -> Text:
    """What a finding is, in a word or two."""
    if case.standing in (Standing.KNOWN, Standing.WAIVED, Standing.DECISION):
        return labels().of("standing", case.standing.value)
    return view.outcome_label(view.outcome(case.record))
