"""report.json as a person reads it: what blocks first, what is not known by its reason, what was waived.

Decides order and groups; it computes no figure of readiness and draws no conclusion of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cloudaudit.model import Text
from cloudaudit.reporters.words import MAX_NAME, clean, labels, text_of

Report = Mapping[str, Any]
Record = Mapping[str, Any]

WORST_FIRST: Final = ("fail", "expired", "unknown", "manual_pending", "waived", "pass", "not_applicable")
RANK: Final = {outcome: rank for rank, outcome in enumerate(WORST_FIRST)}
UNMET: Final = frozenset({"fail", "expired", "unknown", "manual_pending"})
SYMBOL: Final[Mapping[str, str]] = {
    "pass": "✓",
    "fail": "×",
    "expired": "!",
    "unknown": "?",
    "manual_pending": "…",
    "waived": "≈",
    "not_applicable": "–",
    "open": "✓",
    "conditional": "≈",
    "indeterminate": "?",
    "blocked": "×",
    "out_of_scope": "–",
}
"""One sign per outcome and state, so that nothing is told by colour alone."""
TOP: Final = 5
PENDING: Final = "manual_pending"
CLAIMS_CONTROL: Final = "COM-12"
"""The control that holds published claims against what is observed."""


def outcome(record: Record) -> str:
    """The verdict of a finding, or `waived`."""
    return "waived" if record["disposition"] == "waived" else str(record["verdict"])


def outcome_label(key: str) -> Text:
    words = labels()
    return words("disposition.waived") if key == "waived" else words.of("verdict", key)


def place(record: Record) -> str:
    """The resource of a finding in one short text: its name where it has one, else its id."""
    resource = record["resource"]
    return clean(resource["name"] or resource["id"], MAX_NAME)


def project(report: Report, id_: str | None) -> str | None:
    """A project as people know it: its name, where the report has one."""
    return None if id_ is None else str(report.get("projects", {}).get(id_, id_))


def is_scope(record: Record) -> bool:
    """Whether a finding stands for a scope that could not be listed, and not for a resource."""
    resource = record["resource"]
    scope = "/".join(part for part in (resource["target"], resource["region"], resource["project"]) if part)
    return record["verdict"] == "unknown" and not record["evidence"] and resource["id"] in (scope, "*")


def message(record: Record) -> Text:
    """What a finding says. For an unseen scope: that, since its facts could fill no message."""
    if is_scope(record):
        resource = record["resource"]
        scope = resource["id"] if resource["id"] != "*" else labels()("report.all_targets")
        return labels()(
            "report.unseen_scope",
            type=clean(resource["type"], MAX_NAME),
            scope=clean(scope, MAX_NAME) if isinstance(scope, str) else scope,
            reason=labels().of("reason", record["reason_code"]),
        )
    return text_of(record["message"])


def severity_weight(entry: Mapping[str, Any]) -> int:
    return int(entry["weight"])


# --- gates ----------------------------------------------------------------------------------------


def gate_count(report: Report) -> tuple[int, int]:
    """Open gates, and gates in scope; the final one, which the authority decides, is not counted."""
    counted = [
        gate for gate in report["readiness"]["gates"] if not gate["final"] and gate["state"] != "out_of_scope"
    ]
    return sum(gate["state"] == "open" for gate in counted), len(counted)


def concludes(report: Report) -> bool:
    """Whether a report speaks of readiness at all: a profile that looks at no gate does not."""
    return gate_count(report)[1] > 0


def title(report: Report) -> Text:
    """What a report is called."""
    return labels()("title.report" if concludes(report) else "title.ungated")


def short_title(report: Report) -> Text:
    return labels()("title.short" if concludes(report) else "title.ungated_short")


def gate_of(report: Report) -> dict[str, str]:
    """The gate each gating control belongs to, the final one aside."""
    return {
        control: gate["id"]
        for gate in report["readiness"]["gates"]
        if not gate["final"]
        for control in gate["controls"]
    }


def subject_title(report: Report) -> Text:
    subject = report["subject"]
    return text_of(subject.get("title"), str(subject["id"]))


def claims(report: Report) -> Text:
    """What became of published claims. Where none was judged: why, since two noughts read as a pass."""
    words, readiness = labels(), report["readiness"]
    refuted, unverified = readiness["contradictions"], readiness["unverified_claims"]
    if report["claims"] or refuted or unverified:
        return words("report.claims", refuted=refuted, unverified=unverified)
    if not any(control["id"] == CLAIMS_CONTROL for control in report["controls"]):
        return words("report.claims_not_judged")
    given = any(register["kind"] == "attestations" for register in report["registers"])
    return words("report.claims_none" if given else "report.claims_no_register")


def excluded(report: Report) -> list[tuple[Text, list[str]]]:
    """Controls that the profile leaves out, by their reason."""
    found: dict[Text, list[str]] = {}
    for id_, reason in report["profile"]["excluded"].items():
        found.setdefault(text_of(reason), []).append(id_)
    return list(found.items())


# --- findings by control --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """A control with its findings that are neither pass nor not applicable, the worst and heaviest first."""

    control: Mapping[str, Any]
    findings: Sequence[Record]
    gate: str | None
    counts: Mapping[str, int]

    @property
    def worst(self) -> str:
        return min(self.counts, key=RANK.__getitem__)


def groups(report: Report) -> list[Group]:
    """Controls that are not met or waived: gating ones first, then by outcome, severity and gate."""
    by_control: dict[str, list[Record]] = {}
    for record in report["findings"]:
        if record["verdict"] in UNMET:
            by_control.setdefault(record["control"], []).append(record)
    gates = gate_of(report)
    found = []
    for entry in report["controls"]:
        records = sorted(by_control.get(entry["id"], ()), key=_heaviest_first)
        if records:
            counts = Counter(map(outcome, records))
            found.append(Group(entry, records, gates.get(entry["id"]), counts))
    return sorted(found, key=_group_order)


def is_limit(record: Record) -> bool:
    """Whether a finding stands for a parameter beyond a limit of the profile, and not for a resource."""
    evidence = record["evidence"]
    return bool(
        record["verdict"] == "fail"
        and evidence
        and evidence[0]["fact"].startswith("param.")
        and evidence[0]["fact"] == record["resource"]["id"]
    )


def _heaviest_first(record: Record) -> tuple[Any, ...]:
    """A broken limit goes before all, for it spoils every other verdict of its control."""
    weight = -(record["weight"] or 0)
    return (RANK[outcome(record)], not is_limit(record), weight, place(record), record["fingerprint"])


def _group_order(group: Group) -> tuple[Any, ...]:
    entry = group.control
    gate = group.gate or ""
    return (group.gate is None, RANK[group.worst], -severity_weight(entry), len(gate), gate, entry["id"])


def top(found: Sequence[Group]) -> tuple[bool, list[Group | Alike]]:
    """The few controls to look at first, and whether they block gates.

    Where no gate is held back: those that fail, the most severe first.
    """
    unmet = [group for group in found if group.worst in UNMET]
    blocking = [group for group in unmet if group.gate is not None]
    if blocking:
        return True, alike(blocking)[:TOP]
    return False, alike([group for group in unmet if group.worst in ("fail", "expired")])[:TOP]


# --- what is not known ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unknown:
    """Findings that are unknown for one reason, or wait for a person, and how to change that."""

    reason: str
    label: Text
    remedy: Text
    count: int
    controls: tuple[str, ...]


def unknowns(report: Report) -> list[Unknown]:
    """Unknown and pending findings by reason, the most frequent first."""
    words = labels()
    seen: dict[str, list[str]] = {}
    for record in report["findings"]:
        if record["verdict"] in ("unknown", PENDING):
            reason = PENDING if record["verdict"] == PENDING else str(record["reason_code"])
            seen.setdefault(reason, []).append(record["control"])
    found = [
        Unknown(
            reason,
            words("verdict.manual_pending") if reason == PENDING else words.of("reason", reason),
            words("report.remedy_pending") if reason == PENDING else words.of("remedy", reason),
            len(controls),
            tuple(sorted(set(controls))),
        )
        for reason, controls in seen.items()
    ]
    return sorted(found, key=lambda one: (-one.count, one.reason))


# --- what is not known for one and the same reason ------------------------------------------------

ALIKE: Final = 3
"""Controls that nothing is known of for the same reasons, from which on they are told together."""
MOST_REASONS: Final = 8
"""Reasons that one place tells. With more, as with one for each of many resources, each control is told
alone, where its findings are counted and not all printed."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Controls of which all findings are unknown, for the same reasons with the same details."""

    reasons: tuple[tuple[str, str | None], ...]
    """Codes of reasons with what is told of each."""
    groups: Sequence[Group]

    @property
    def controls(self) -> tuple[str, ...]:
        return tuple(group.control["id"] for group in self.groups)

    @property
    def findings(self) -> list[Record]:
        return [record for group in self.groups for record in group.findings]

    @property
    def places(self) -> tuple[str, ...]:
        """What was not seen, each once."""
        return tuple(dict.fromkeys(map(place, self.findings)))


def alike(found: Sequence[Group]) -> list[Group | Alike]:
    """Groups in their order; those unknown for the same reasons together, where the first of them stands.

    An estate of which nothing answers has one reason and a hundred controls: told a hundred times, nobody
    reads what else there is.
    """
    causes = {group.control["id"]: _causes(group) for group in found}
    count = Counter(causes.values())
    told: dict[frozenset[tuple[str, str | None]], list[Group]] = {}
    entries: list[Group | frozenset[tuple[str, str | None]]] = []
    for group in found:
        cause = causes[group.control["id"]]
        if not cause or count[cause] < ALIKE:
            entries.append(group)
            continue
        if cause not in told:
            entries.append(cause)
        told.setdefault(cause, []).append(group)
    return [
        one if isinstance(one, Group) else Alike(tuple(sorted(one, key=str)), told[one]) for one in entries
    ]


def _causes(group: Group) -> frozenset[tuple[str, str | None]]:
    """Why nothing is known of a control; empty where something is, or there are too many reasons to tell."""
    if any(record["verdict"] != "unknown" for record in group.findings):
        return frozenset()
    found = frozenset((str(record["reason_code"]), record["detail"]) for record in group.findings)
    return found if len(found) <= MOST_REASONS else frozenset()


# --- what S3 endpoints can do -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ability:
    """One S3 endpoint with its operations by state: supported, unsupported, unknown."""

    target: str
    endpoint: str
    kind: str | None
    reason: str | None
    operations: Mapping[str, Sequence[str]]


def abilities(report: Report) -> list[Ability]:
    """Endpoints that were asked what they can do. Reports made before this was kept have none."""
    return [
        Ability(
            entry["target"], entry["endpoint"], entry["server_kind"], entry["reason_code"],
            {
                state: [name for name, found in entry["operations"].items() if found == state]
                for state in ("supported", "unsupported", "unknown")
            },
        )
        for entry in report.get("capabilities", ())
    ]  # fmt: skip


# --- waivers --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waived:
    """Findings of one control under one waiver, or under one refusal."""

    waiver: str | None
    refusal: Text | None
    control: str
    findings: Sequence[Record]
    until: str | None = None
    """When a waiver that holds ends, where the report tells."""


def waived(report: Report) -> list[Waived]:
    """Waivers that hold, then those that were refused."""
    held: dict[tuple[str, str], list[Record]] = {}
    refused: dict[tuple[str, str, str], list[Record]] = {}
    for record in report["findings"]:
        if record["waiver"]:
            held.setdefault((record["waiver"], record["control"]), []).append(record)
        elif record["refused_waiver"]:
            why = text_of(record["refused_waiver"])
            refused.setdefault((why.vi, why.en, record["control"]), []).append(record)
    until = waiver_ends(report)
    return [
        *(
            Waived(waiver, None, control, records, until.get(waiver))
            for (waiver, control), records in sorted(held.items())
        ),
        *(
            Waived(None, Text(vi, en), control, records)
            for (vi, en, control), records in sorted(refused.items())
        ),
    ]


def waiver_ends(report: Report) -> dict[str, str]:
    """When each waiver ends. Reports of older writers name waivers by their ids only."""
    return {waiver["id"]: waiver["until"] for waiver in report.get("waivers", ())}


def lapsed_papers(report: Report) -> list[Record]:
    """Findings that expired: papers past their end and drills too long ago."""
    return [record for record in report["findings"] if record["verdict"] == "expired"]


def not_applicable(report: Report) -> list[Record]:
    return [record for record in report["findings"] if record["verdict"] == "not_applicable"]


# --- lists that end -------------------------------------------------------------------------------


def fair_limit(counts: Iterable[int], budget: int) -> int:
    """The most each list may show so that all lists together stay within a budget."""
    sizes = sorted(counts)
    left = budget
    for shorter, size in enumerate(sizes):
        each = left // (len(sizes) - shorter)
        if size > each:
            return each
        left -= size
    return sizes[-1] if sizes else 0


def observed_regions(report: Report) -> Iterator[tuple[str, str]]:
    """Target and region of everything that was asked for or found, each once."""
    seen: dict[tuple[str, str], None] = {}
    for entry in (*report["collection"], *(record["resource"] for record in report["findings"])):
        if entry["region"] and entry["target"] != "registers":
            seen[entry["target"], entry["region"]] = None
    return iter(sorted(seen))
