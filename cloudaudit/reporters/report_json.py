"""report.json version 1: the wire format every other report is made from.

Its shape is frozen and its own. Anyone can recompute each number of `readiness` from it. Figures
are per cent, rounded down to one decimal; the level was decided on the exact ones.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor, isfinite
from typing import Any, Final

from cloudaudit import wording
from cloudaudit.facts import Derivation
from cloudaudit.model import (
    AT,
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
    Listing,
    Partial,
    Profile,
    Readiness,
    Reading,
    Reason,
    Resource,
    ResourceType,
    Scope,
    Tally,
    Text,
    Value,
    Verdict,
)
from cloudaudit.records import clean, moment_text
from cloudaudit.reporters import Context
from cloudaudit.reporters.validity import Validity
from cloudaudit.reporters.words import named

SCHEMA_VERSION: Final = 1
MAX_EVIDENCE_ITEMS: Final = 50
"""Elements of a list shown as evidence; the rest stay in the snapshot, and their number is told."""
MAX_EVIDENCE_TEXT: Final = 2000
"""Characters of a text shown as evidence; likewise."""
TALLY_KEYS: Final = ("pass", "fail", "expired", "unknown", "manual_pending", "waived", "not_applicable")


class JsonReporter:
    """report.json itself, as text."""

    media_type = "application/json"

    def render(self, report: Mapping[str, Any], context: Context) -> str:
        return dumps(report)


_HIDDEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Categories of characters that a terminal obeys, or that turn a line around, and that nobody sees."""


def dumps(report: Mapping[str, Any]) -> str:
    """The one way report.json is written: in the order of its schema, two blanks, one newline at the end.

    A finding stands on one line: there may be very many, and so they can be compared line by line. What a
    terminal would obey is escaped, for names come from clouds and reports go to screens.
    """
    parts = (f"  {json.dumps(key)}: {_part(key, value)}" for key, value in report.items())
    return shown("{\n" + ",\n".join(parts) + "\n}\n")


def _part(key: str, value: Any) -> str:
    if key == "findings" and value:
        lines = (json.dumps(one, ensure_ascii=False, allow_nan=False) for one in value)
        return "[\n    " + ",\n    ".join(lines) + "\n  ]"
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False).replace("\n", "\n  ")


def shown(written: str) -> str:
    """JSON with what a terminal would obey as escapes."""
    hidden = {c for c in set(written) if c != "\n" and unicodedata.category(c) in _HIDDEN}
    return written.translate({ord(c): _escaped(c) for c in hidden}) if hidden else written


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def text(value: Text) -> dict[str, str]:
    return {"vi": value.vi, "en": value.en}


def rounded(value: Fraction | None, places: int = 1) -> float | None:
    """Round down, so that no printed figure is better than the exact one."""
    return None if value is None else floor(value * 10**places) / 10**places


# --- findings -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FindingWriter:
    """Turn findings into records, with the calls of the snapshot their evidence came from.

    `derivations` and `listed`, what is proven or missing of whole lists, say which lists derived facts
    stand on: that a volume has no backup is told by the list of backups, not by that of volumes.
    """

    types: Mapping[str, ResourceType]
    call: Callable[[int], Call]
    derivations: Sequence[Derivation] = ()
    listed: Mapping[str, Sequence[Listing | Gap]] = field(default_factory=dict)
    """By type."""
    _behind: dict[tuple[str, str, Scope], tuple[str, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _specs: dict[str, Mapping[str, FactSpec]] = field(default_factory=dict, repr=False, compare=False)

    def record(self, finding: Finding) -> dict[str, Any]:
        """One finding with its evidence, as in `findings` and findings.jsonl.gz."""
        resource, control = finding.resource, finding.control
        return {
            "fingerprint": finding.fingerprint,
            "control": control.id,
            "resource": {
                "type": resource.type,
                "id": clean(resource.id),
                "name": clean(resource.name) or None,
                "target": clean(resource.scope.target),
                "region": _label(resource, "region", resource.scope.region),
                "project": _label(resource, "project", resource.scope.project),
                "system": clean(resource.id) if resource.type == "system" else _label(resource, "system.id"),
                "site": clean(resource.id) if resource.type == "site" else _label(resource, "site.id"),
                **_source_file(finding),
            },
            "verdict": finding.verdict.value,
            "disposition": "waived" if finding.waiver else None,
            "reason_code": finding.reason.value if finding.reason else None,
            "detail": clean(finding.detail) or None,
            "message": text(self._message(finding)),
            "weight": finding.weight,
            "assurance": control.basis.value,
            "evidence": [self._evidence(reading) for reading in finding.explanation.readings],
            "waiver": finding.waiver,
            "refused_waiver": text(finding.refused_waiver) if finding.refused_waiver else None,
        }

    def _message(self, finding: Finding) -> Text:
        resource, control = finding.resource, finding.control
        if not resource.facts:
            return self._of_place(finding)
        known = {f"param.{name}": parameter.spec for name, parameter in control.parameters.items()}
        specs = {**self._specs_of(resource.type), **known}
        return wording.message(control.sentence(finding.verdict), resource.facts, specs, control.values)

    def _of_place(self, finding: Finding) -> Text:
        """The message of a finding on no resource: the control's own would speak of one."""
        resource = finding.resource
        kind = self.types[resource.type].title if resource.type in self.types else Text(*[resource.type] * 2)
        if finding.verdict is Verdict.NOT_APPLICABLE:
            return _joined(kind, _ABSENT)
        if finding.verdict is Verdict.FAIL:
            return _loosened(finding)
        if finding.reason in _OF_NO_ENTRY:
            return _joined(kind, _OF_NO_ENTRY[finding.reason])
        place = wording.plain(resource.name)
        return _joined(
            kind,
            Text(
                f"chưa xem được đầy đủ trong phạm vi {place}" if place else "chưa được thu thập",
                f"could not be seen in full in {place}" if place else "not collected",
            ),
        )

    def _specs_of(self, type_: str) -> Mapping[str, FactSpec]:
        if type_ not in self._specs:
            found = self.types.get(type_)
            declared = {**COMMON_FACTS, **(found.facts if found else {})}
            self._specs[type_] = {name: named(spec) for name, spec in declared.items()}
        return self._specs[type_]

    def _evidence(self, reading: Reading) -> dict[str, Any]:
        """A fact a verdict stood on: where it was read, when, and why it is missing if it is."""
        resource = reading.resource
        spec = self._specs_of(resource.type).get(reading.fact)
        entry: dict[str, Any] = {
            "fact": reading.fact,
            "resource": f"{resource.type}:{clean(resource.id)}",
        }
        if reading.value is MISSING:
            entry["missing"] = reading.unseen.reason.value if reading.unseen else "not_collected"
        else:
            entry["value"] = json_value(reading.value, spec)
        entry["source"], entry["at"] = self._source(reading, spec)
        return entry

    def _source(self, reading: Reading, spec: FactSpec | None) -> tuple[str, str]:
        """Where a value came from, and when that was asked or, for what is declared, assessed."""
        resource = reading.resource
        clock = resource.facts.get(AT, resource.at)
        at = moment_text(clock if isinstance(clock, int) else resource.at)
        if reading.fact.startswith("param."):
            return "profile", at
        if reading.fact.startswith("related."):
            return f"listing:{reading.fact.removeprefix('related.')}", at
        origin = [f"derived:{spec.derived}"] if spec is not None and spec.derived else []
        number = resource.source_of(reading.fact)
        if number is not None:
            call = self.call(number)
            origin.append(_asked(call))
            at = moment_text(call.at)
        elif not origin:
            origin.append(f"register:{resource.type}")
        if spec is not None and spec.derived:
            origin += self._lists_behind(spec.derived, resource)
        return "; ".join(origin), at

    def _lists_behind(self, family: str, resource: Resource) -> tuple[str, ...]:
        """The other lists a derivation looks at, each with the call that read it where the resource is."""
        key = (family, resource.type, resource.scope)
        if key not in self._behind:
            looks = sorted(
                {
                    type_
                    for one in self.derivations
                    if one.name == family and resource.type in one.gives
                    for type_ in one.reads
                    if type_ != resource.type and type_ not in one.gives
                }
            )
            declared = [type_ for type_ in looks if self.types[type_].declared]
            read = (self._list_of(type_, resource.scope) for type_ in looks if type_ not in declared)
            lists = [told for told in read if told is not None]
            self._behind[key] = (*lists, *([f"register:{','.join(declared)}"] if declared else []))
        return self._behind[key]

    def _list_of(self, type_: str, scope: Scope) -> str | None:
        """The lists of a type where a resource is. None: all are of other targets, and tell nothing of it.

        Types without a kind of target in their name, such as published papers, are of no target and stay.
        """
        lists = self.listed.get(type_, ())
        here = [one for one in lists if one.scope.overlaps(scope)]
        if lists and not here and "." in type_:
            return None
        calls = [self.call(one.call) for one in here if one.call is not None]
        if not calls:
            return type_
        first = f"{type_}: {_asked(calls[0])}"
        return first if len(calls) == 1 else f"{first} (+{len(calls) - 1})"


def _asked(call: Call) -> str:
    """A request with the status it was answered by. A file that was read has none."""
    return f"{call.service} {call.request}" + (f" -> {call.status}" if call.status else "")


def _source_file(finding: Finding) -> dict[str, Any]:
    """Where code declares the resource, of one that is not deployed yet: at the fact the verdict stood on."""
    resource = finding.resource
    if resource.written is None:
        return {}
    own = (r.fact for r in finding.explanation.readings if r.resource.id == resource.id)
    return {"source": {"path": clean(resource.written.path), "line": resource.written.line_of(own)}}


def _label(resource: Resource, fact: str, otherwise: str | None = None) -> str | None:
    """A fact that says where a resource belongs. One that is known to be ambiguous is left out."""
    if fact in resource.unseen:
        return None
    found = resource.facts.get(fact, otherwise)
    return clean(found) if isinstance(found, str) else None


_ABSENT: Final = Text("không có đối tượng nào thuộc diện áp dụng", "there is none to which this applies")
_OF_NO_ENTRY: Final[Mapping[Reason | None, Text]] = {
    Reason.UNMAPPED: Text(
        "chưa khai báo đối tượng nào thuộc diện áp dụng", "none is declared that this concerns"
    ),
    Reason.STALE: Text("danh sách đã thu thập quá lâu", "the list was collected too long ago"),
}


def _loosened(finding: Finding) -> Text:
    """The message of a parameter that breaks a limit of the profile."""
    of_parameter, of_limit = finding.explanation.readings
    name, operator = (reading.fact.partition(".")[2] for reading in (of_parameter, of_limit))
    spec = finding.control.parameters[name].spec

    def said(lang: wording.Lang) -> tuple[str, str]:
        value = wording.shown(of_parameter.value, spec, lang)
        return value, wording.demand(operator, of_limit.value, spec, lang)

    (set_vi, limit_vi), (set_en, limit_en) = said("vi"), said("en")
    return Text(
        f"Tham số {name} là {set_vi}; giới hạn của hồ sơ năng lực: {limit_vi}",
        f"Parameter {name} is {set_en}; limit of the profile: {limit_en}",
    )


def _joined(kind: Text, said: Text) -> Text:
    return Text(f"{kind.vi}: {said.vi}", f"{kind.en}: {said.en}")


def json_value(value: Value, spec: FactSpec | None) -> Any:
    """A value as JSON: moments as text, one-sided and partly known ones marked, endless ones cut."""
    match value:
        case str():
            return _cut(clean(value))
        case AtMost():
            return {"$at_most": json_value(value.limit, spec)}
        case AtLeast():
            return {"$at_least": json_value(value.limit, spec)}
        case Partial():
            return {"$partial": _items(value.items, spec)}
        case tuple() | list():
            return _items(tuple(value), spec)
        case Mapping():
            return _entries(value, spec.fields if spec else {})
        case bool():
            return value
        case int() if spec is not None and spec.type is FactType.TIME:
            try:
                return moment_text(value)
            except (ValueError, OverflowError, OSError):  # a year beyond the calendar
                return value
        case float() if not isfinite(value):
            return str(value)
        case _:
            return value


def _cut(value: str) -> str:
    more = len(value) - MAX_EVIDENCE_TEXT
    return value if more <= 0 else f"{value[:MAX_EVIDENCE_TEXT]}… (+{more})"


def _items(items: tuple[Value, ...], spec: FactSpec | None) -> list[Any]:
    element = spec.items if spec else None
    found = [json_value(item, element) for item in items[:MAX_EVIDENCE_ITEMS]]
    more = len(items) - MAX_EVIDENCE_ITEMS
    return [*found, {"$more": more}] if more > 0 else found


def _entries(entries: Mapping[Any, Value], fields: Mapping[str, FactSpec]) -> dict[str, Any]:
    shown = list(entries.items())[:MAX_EVIDENCE_ITEMS]
    found = {_cut(clean(str(key))): json_value(item, fields.get(str(key))) for key, item in shown}
    more = len(entries) - MAX_EVIDENCE_ITEMS
    return {**found, "$more": more} if more > 0 else found


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
    gaps: Iterable[Gap | Mapping[str, Any]]
    """Gaps, or what a report says of them."""
    collection: Sequence[Mapping[str, Any]]
    claims: Sequence[Mapping[str, str]]
    plans: Sequence[Mapping[str, Any]]
    waivers: Sequence[Mapping[str, Any]]
    registers: Sequence[Mapping[str, str]]
    collection_figures: Mapping[str, Any] = field(default_factory=dict)
    """Projects and buckets seen of those declared or listed, behind the collection coverage."""
    projects: Mapping[str, str] = field(default_factory=dict)
    """Names of projects by the ids that scopes carry."""
    capabilities: Sequence[Mapping[str, Any]] = ()
    """What each S3 endpoint was asked that it can do, as :func:`capabilities` writes it."""
    plugins: Sequence[Mapping[str, Any]] = ()
    """Packages whose collectors took part, by kind, name and version."""
    reporters: Sequence[Mapping[str, str]] = ()
    """Packages whose formats the assessment was asked to be shown in, by format, name and version."""
    validity: Validity | None = None
    """When the report lapses, and why."""


S3_OPERATIONS: Final = (
    "GetBucketAcl", "GetBucketCors", "GetBucketEncryption", "GetBucketLifecycleConfiguration",
    "GetBucketLocation", "GetBucketLogging", "GetBucketNotificationConfiguration",
    "GetBucketOwnershipControls", "GetBucketPolicy", "GetBucketPolicyStatus", "GetBucketReplication",
    "GetBucketTagging", "GetBucketVersioning", "GetBucketWebsite", "GetObjectLockConfiguration",
    "GetPublicAccessBlock",
)  # fmt: skip
"""Every operation of the S3 API that an endpoint is asked for. What it settled none of is unknown."""


def capabilities(endpoints: Iterable[Resource]) -> list[dict[str, Any]]:
    """What S3 endpoints can do, of those that were asked: operation to supported, unsupported or unknown."""
    found = []
    for endpoint in endpoints:
        facts = endpoint.facts
        if "supported" not in facts and "supported" not in endpoint.unseen:
            continue
        states = {
            name: state
            for state in ("supported", "unsupported")
            for name in _names(facts.get(state, ()))
            if name in S3_OPERATIONS
        }
        unseen = endpoint.unseen.get("supported")
        found.append({
            "target": clean(endpoint.scope.target),
            "endpoint": clean(endpoint.id),
            "server_kind": _label(endpoint, "server_kind"),
            "reason_code": unseen.reason.value if unseen else None,
            "operations": {name: states.get(name, "unknown") for name in S3_OPERATIONS},
        })  # fmt: skip
    return found


def _names(value: Value) -> tuple[Value, ...]:
    items = value.items if isinstance(value, Partial) else value
    return items if isinstance(items, tuple) else ()


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
        "findings": sorted(parts.findings, key=order),
        "gaps": sorted((_gap(gap) for gap in parts.gaps), key=lambda g: json.dumps(g, sort_keys=True)),
        "collection": [dict(entry) for entry in parts.collection],
        "claims": [dict(claim) for claim in parts.claims],
        "plans": [dict(plan) for plan in parts.plans],
        "waivers": [dict(waiver) for waiver in parts.waivers],
        "registers": [dict(register) for register in parts.registers],
        "collection_figures": dict(parts.collection_figures),
        "projects": {clean(id_): clean(name) for id_, name in sorted(parts.projects.items())},
        # Left out where no control wanted to know: a reader of version 1 need not know it.
        **({"capabilities": [dict(entry) for entry in parts.capabilities]} if parts.capabilities else {}),
        **({"plugins": [dict(plugin) for plugin in parts.plugins]} if parts.plugins else {}),
        **({"reporters": [dict(reporter) for reporter in parts.reporters]} if parts.reporters else {}),
        **({"validity": _validity(parts.validity)} if parts.validity else {}),
    }


def _validity(validity: Validity) -> dict[str, Any]:
    return {
        "until": moment_text(validity.until),
        "because": text(validity.because),
        "control": validity.control,
        "evidence": validity.evidence,
    }


_WORST_FIRST: Final = ("fail", "expired", "unknown", "manual_pending", "not_applicable", "pass")


def order(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Where a finding stands in `findings`: by control, the worst first, then by place."""
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


def _gap(gap: Gap | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(gap, Mapping):
        return dict(gap)
    return {
        "target": clean(gap.scope.target),
        "region": clean(gap.scope.region),
        "project": clean(gap.scope.project),
        "type": gap.type,
        "operation": gap.operation,
        "reason_code": gap.reason.value,
        "detail": clean(gap.detail),
    }
