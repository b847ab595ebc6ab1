"""report.json version 1: the wire format every other report is made from.

Its shape is frozen and its own. Anyone can recompute each number of `readiness` from it. Figures
are per cent, rounded down to one decimal; the level was decided on the exact ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any, Final

from cloudaudit import wording
from cloudaudit.model import (
    COMMON_FACTS,
    MISSING,
    AtLeast,
    AtMost,
    Call,
    Control,
    DimensionResult,
    FactSpec,
    FactType,
    Finding,
    Gap,
    Partial,
    Profile,
    Readiness,
    Reading,
    ResourceType,
    Tally,
    Text,
    Value,
    format_time,
)
from cloudaudit.reporters import Context

SCHEMA_VERSION: Final = 1
MAX_EVIDENCE_ITEMS: Final = 50
"""Elements of a list shown as evidence; the rest stay in the snapshot, and their number is told."""
TALLY_KEYS: Final = ("pass", "fail", "expired", "unknown", "manual_pending", "waived", "not_applicable")


class JsonReporter:
    """report.json itself, as text."""

    media_type = "application/json"

    def render(self, report: Mapping[str, Any], context: Context) -> str:
        return dumps(report)


def dumps(report: Mapping[str, Any]) -> str:
    """The one way report.json is written: in the order of its schema, two blanks, one newline at the end."""
    return json.dumps(report, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def text(value: Text) -> dict[str, str]:
    return {"vi": value.vi, "en": value.en}


def rounded(value: Fraction | None, places: int = 1) -> float | None:
    """Round down, so that no printed figure is better than the exact one."""
    return None if value is None else floor(value * 10**places) / 10**places


# --- findings -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FindingWriter:
    """Turn findings into records, with the calls of the snapshot their evidence came from."""

    types: Mapping[str, ResourceType]
    call: Callable[[int], Call]

    def record(self, finding: Finding) -> dict[str, Any]:
        """One finding with its evidence, as in `findings` and findings.jsonl.gz."""
        resource, control = finding.resource, finding.control
        specs = self._specs(resource.type)
        known = {f"param.{name}": parameter.spec for name, parameter in control.parameters.items()}
        message = wording.message(control.message, resource.facts, {**specs, **known}, control.values)
        system, site = (resource.facts.get(name) for name in ("system.id", "site.id"))
        return {
            "fingerprint": finding.fingerprint,
            "control": control.id,
            "resource": {
                "type": resource.type,
                "id": resource.id,
                "name": resource.name or None,
                "target": resource.scope.target,
                "region": resource.facts.get("region", resource.scope.region),
                "project": resource.facts.get("project", resource.scope.project),
                "system": system if isinstance(system, str) else None,
                "site": site if isinstance(site, str) else None,
            },
            "verdict": finding.verdict.value,
            "disposition": "waived" if finding.waiver else None,
            "reason_code": finding.reason.value if finding.reason else None,
            "detail": finding.detail or None,
            "message": text(message),
            "weight": finding.weight,
            "assurance": control.basis.value,
            "evidence": [self._evidence(reading) for reading in finding.explanation.readings],
            "waiver": finding.waiver,
            "refused_waiver": text(finding.refused_waiver) if finding.refused_waiver else None,
        }

    def _specs(self, type_: str) -> Mapping[str, FactSpec]:
        found = self.types.get(type_)
        return {**COMMON_FACTS, **(found.facts if found else {})}

    def _evidence(self, reading: Reading) -> dict[str, Any]:
        """A fact a verdict stood on: where it was read, when, and why it is missing if it is."""
        resource, spec = reading.resource, self._specs(reading.resource.type).get(reading.fact)
        entry: dict[str, Any] = {
            "fact": reading.fact,
            "resource": f"{resource.type}:{resource.id}",
        }
        if reading.value is MISSING:
            entry["missing"] = reading.unseen.reason.value if reading.unseen else "not_collected"
        else:
            entry["value"] = json_value(reading.value, spec)
        entry["source"], entry["at"] = self._source(reading, spec)
        return entry

    def _source(self, reading: Reading, spec: FactSpec | None) -> tuple[str, str | None]:
        resource = reading.resource
        if reading.fact.startswith("related."):
            return "listing", None
        number = resource.source_of(reading.fact)
        if spec is not None and spec.derived:
            found = self.call(number) if number is not None else None
            return f"derived:{spec.derived}", format_time(found.at) if found else None
        if number is None:
            return f"register:{resource.type}", None
        call = self.call(number)
        return f"{call.service} {call.request} -> {call.status}", format_time(call.at)


def json_value(value: Value, spec: FactSpec | None) -> Any:
    """A value as JSON: moments as text, one-sided and partly known ones marked."""
    match value:
        case AtMost():
            return {"$at_most": value.limit}
        case AtLeast():
            return {"$at_least": value.limit}
        case Partial():
            return {"$partial": _items(value.items, spec)}
        case tuple() | list():
            return _items(tuple(value), spec)
        case Mapping():
            fields = spec.fields if spec else {}
            return {str(k): json_value(v, fields.get(str(k))) for k, v in value.items()}
        case int() if spec is not None and spec.type is FactType.TIME and not isinstance(value, bool):
            return format_time(value)
        case _:
            return value


def _items(items: tuple[Value, ...], spec: FactSpec | None) -> list[Any]:
    element = spec.items if spec else None
    found = [json_value(item, element) for item in items[:MAX_EVIDENCE_ITEMS]]
    more = len(items) - MAX_EVIDENCE_ITEMS
    return [*found, {"$more": more}] if more > 0 else found


# --- the whole report -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything report.json is built from, as the api hands it over. Mappings are JSON already."""

    tool: Mapping[str, str]
    generated_at: str
    assessed_at: str
    subject: Mapping[str, Any]
    targets: Sequence[Mapping[str, Any]]
    profile: Profile
    catalogue: Mapping[str, str]
    snapshot: Mapping[str, str]
    readiness: Readiness
    tallies: Mapping[str, Tally]
    control_results: Mapping[str, tuple[str, Fraction | None]]
    """Verdict and lower ratio of each control."""
    findings: Sequence[Mapping[str, Any]]
    """Records of every finding that is no pass."""
    findings_file: Mapping[str, Any]
    gaps: Iterable[Gap]
    collection: Sequence[Mapping[str, Any]]
    claims: Sequence[Mapping[str, str]]
    plans: Sequence[Mapping[str, Any]]
    registers: Sequence[Mapping[str, str]]


def build(parts: Parts) -> dict[str, Any]:
    """Build report.json version 1."""
    profile = parts.profile
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": dict(parts.tool),
        "generated_at": parts.generated_at,
        "assessed_at": parts.assessed_at,
        "lang": ["vi", "en"],
        "subject": dict(parts.subject),
        "scope": profile.kind,
        "profile": _profile(profile),
        "catalogue": dict(parts.catalogue),
        "snapshot": dict(parts.snapshot),
        "targets": [dict(target) for target in parts.targets],
        "readiness": _readiness(parts.readiness),
        "controls": [_control(c, parts) for c in sorted(profile.controls, key=lambda c: c.id)],
        "findings_file": dict(parts.findings_file),
        "findings": sorted(parts.findings, key=_order),
        "gaps": sorted((_gap(gap) for gap in parts.gaps), key=lambda g: json.dumps(g, sort_keys=True)),
        "collection": [dict(entry) for entry in parts.collection],
        "claims": [dict(claim) for claim in parts.claims],
        "plans": [dict(plan) for plan in parts.plans],
        "registers": [dict(register) for register in parts.registers],
    }


_WORST_FIRST: Final = ("fail", "expired", "unknown", "manual_pending", "not_applicable", "pass")


def _order(record: Mapping[str, Any]) -> tuple[Any, ...]:
    resource = record["resource"]
    place = (
        resource["type"],
        resource["target"],
        resource["region"] or "",
        resource["project"] or "",
        resource["id"],
    )
    return (record["control"], _WORST_FIRST.index(record["verdict"]), place, record["fingerprint"])


def _profile(profile: Profile) -> dict[str, Any]:
    return {
        "id": profile.id,
        "version": profile.version,
        "sha256": profile.digest,
        "title": text(profile.title),
        "publisher": text(profile.publisher),
        "official": profile.official,
        "notice": text(profile.notice),
        "excluded": {id_: text(reason) for id_, reason in sorted(profile.excluded.items())},
        "parameters_changed": {
            id_: {name: json_value(value, None) for name, value in sorted(values.items())}
            for id_, values in sorted(profile.changed.items())
        },
        "rules": {
            "weights": {d: str(w) for d, w in sorted(profile.weights.items())},
            "gates": {gate.id: list(gate.controls) for gate in profile.gates},
            "thresholds": {
                level: {name: str(number) for name, number in sorted(limits.items())}
                for level, limits in sorted(profile.thresholds.items())
            },
        },
    }


def _readiness(r: Readiness) -> dict[str, Any]:
    return {
        "level": r.level,
        "level_label": text(r.level_label),
        "gate_state": r.gate_state.value,
        "gates": [
            {
                "id": g.gate.id,
                "title": text(g.gate.title),
                "state": g.state.value,
                "final": g.gate.final,
                "controls": list(g.gate.controls),
            }
            for g in r.gates
        ],
        "score": {"lower": rounded(r.lower), "upper": rounded(r.upper)},
        "weakest": {"dimension": r.weakest.id, "score": rounded(r.weakest.lower)} if r.weakest else None,
        "coverage": rounded(r.coverage),
        "collection_coverage": rounded(r.collection_coverage),
        "assurance": rounded(r.assurance),
        "contradictions": r.contradictions,
        "unverified_claims": r.unverified_claims,
        "reasons": [text(reason) for reason in r.reasons],
        "dimensions": [_dimension(d) for d in r.dimensions],
    }


def _dimension(d: DimensionResult) -> dict[str, Any]:
    return {
        "id": d.id,
        "weight": str(d.weight),
        "lower": rounded(d.lower),
        "upper": rounded(d.upper),
        "coverage": rounded(d.coverage),
        "assurance": rounded(d.assurance),
        "not_applicable": d.not_applicable,
    }


def _control(control: Control, parts: Parts) -> dict[str, Any]:
    tally = parts.tallies[control.id]
    verdict, ratio = parts.control_results[control.id]
    return {
        "id": control.id,
        "version": control.version,
        "title": text(control.title),
        "dimension": control.dimension,
        "severity": control.severity.value,
        "weight": control.severity.weight,
        "method": control.method.value,
        "basis": control.basis.value,
        "verdict": verdict,
        "ratio": rounded(ratio, 4),
        "listing_complete": tally.listing_complete,
        "counts": _filled(tally.counts),
        "weights": _filled(tally.weights),
        "unattributed": _filled(tally.unattributed),
        "obligations": list(control.obligations),
        "sha256": control.digest,
    }


def _filled(counts: Mapping[str, int]) -> dict[str, int]:
    return {key: counts[key] for key in TALLY_KEYS if counts.get(key)}


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "target": gap.scope.target,
        "region": gap.scope.region,
        "project": gap.scope.project,
        "type": gap.type,
        "operation": gap.operation,
        "reason_code": gap.reason.value,
        "detail": gap.detail,
    }
