"""Chapters 12 to 15: what is not known, what was waived, what is to be done, and what is asked of whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cloudaudit.model import Text
from cloudaudit.operators import glob_match
from cloudaudit.reporters import details, view
from cloudaudit.reporters.chapters.matter import Matter
from cloudaudit.reporters.chapters.subjects import COMMITMENTS
from cloudaudit.reporters.chapters.writing import (
    MOST_ROWS,
    NONE,
    L,
    control_name,
    day,
    flow,
    heading,
    ids,
    joined,
    maybe,
    name,
    number,
    prose,
    reason,
    reasons,
    resource,
    said,
    some,
    table,
    titled,
    told,
)
from cloudaudit.reporters.document import Block, Cell, Items, Phrase, Prose, cell
from cloudaudit.reporters.standing import remaining
from cloudaudit.reporters.words import MAX_NAME, clean, labels, moment, same

MAX_PROOF: Final = 240

# --- 12 ---------------------------------------------------------------------------------------------


def unknowns(matter: Matter) -> tuple[Block, ...]:
    return (
        prose("sentence.unknown_is_no_pass"),
        prose("sentence.absence"),
        *some(_by_reason(matter)),
        *some(_unknown_findings(matter)),
        *some(_gaps(matter)),
        heading("report.not_applicable"),
        prose("sentence.not_applicable_proof"),
        *some(_not_applicable(matter)),
        heading("chapter.shrinkage"),
        *_shrinkage(matter),
        heading("chapter.limits_of_scope"),
        *_limits(matter),
    )


def _by_reason(matter: Matter) -> Any:
    rows = [
        (cell(one.label), number(one.count), cell(one.remedy), ids(one.controls))
        for one in view.unknowns(matter.report)
    ]
    columns = (
        ("column.reason", 1.8),
        ("column.count", 0.8, "number"),
        ("column.remedy", 3.2),
        ("field.controls", 2.2),
    )
    return table("unknowns", L("report.unknowns"), columns, rows)


def _unknown_findings(matter: Matter) -> Any:
    """Every unknown finding, those with the same reason in one row and those of gates first."""
    found: dict[tuple[str, str, str | None], list[view.Record]] = {}
    for group in matter.groups:
        for record in group.findings:
            if record["verdict"] in ("unknown", view.PENDING):
                key = (record["verdict"], str(record["reason_code"]), record["detail"])
                found.setdefault(key, []).append(record)
    rows = [
        (
            reason(records[0]) if verdict == "unknown" else cell(labels()("verdict.manual_pending")),
            _resources(matter, records),
            flow(dict.fromkeys(record["control"] for record in records)),
            number(len(records)),
        )
        for (verdict, _, _), records in found.items()
    ]
    columns = (
        ("column.reason", 3.0),
        ("column.resource", 2.6),
        ("field.controls", 2.4, "flow"),
        ("column.count", 0.8, "number"),
    )
    return table("unknown-findings", L("chapter.unknown_findings"), columns, rows, MOST_ROWS)


def _resources(matter: Matter, records: Sequence[view.Record]) -> Cell:
    """The resources of findings, each once: the first few, and how many more there are."""
    found = {resource(matter, record): None for record in records}
    shown = [phrase for cell_ in list(found)[:NAMED] for phrase in cell_]
    more = len(found) - NAMED
    return (*shown, *([Phrase(L("word.and_more", count=more), "muted")] if more > 0 else []))


def _gaps(matter: Matter) -> Any:
    rows = [
        (
            cell(
                name(
                    "/".join(
                        part
                        for part in (
                            gap["target"],
                            gap["region"],
                            view.project(matter.report, gap["project"]),
                        )
                        if part
                    )
                )
            ),
            maybe(gap["type"]),
            cell(said(gap["operation"]), style="code"),
            reason(gap),
        )
        for gap in matter.report["gaps"]
    ]
    columns = (
        ("field.scope", 2.0),
        ("column.type", 1.6),
        ("column.operation", 2.4, "code"),
        ("column.reason", 2.4),
    )
    return table("gaps", L("field.gaps"), columns, rows, MOST_ROWS)


def _not_applicable(matter: Matter) -> Any:
    """Findings that do not apply, those of a control with the same proof in one row."""
    found: dict[tuple[str, Cell], list[view.Record]] = {}
    for record in view.not_applicable(matter.report):
        found.setdefault((record["control"], _proof(record)), []).append(record)
    rows = [
        (
            control_name(matter, id_),
            _resources(matter, records),
            cell(*dict.fromkeys(told(record["message"]) for record in records[:NAMED])),
            proof,
            number(len(records)),
        )
        for (id_, proof), records in found.items()
    ]
    columns = (
        ("column.control", 2.2),
        ("column.resource", 2.2),
        ("column.message", 2.8),
        ("column.proof", 3.0),
        ("column.count", 0.7, "number"),
    )
    return table("not-applicable", L("report.not_applicable"), columns, rows, MOST_ROWS)


def _proof(record: Mapping[str, Any]) -> Cell:
    """What proves it: the count and proof of a listing, else the facts with where they come from."""
    lines: list[Text] = []
    for entry in record["evidence"][:3]:
        value = entry.get("value")
        if isinstance(value, Mapping) and "proof" in value:
            proof = details.told(str(value["proof"]))
            count = value.get("count", 0)
            lines.append(Text(clean(f"{count}: {proof.vi}"), clean(f"{count}: {proof.en}")))
        else:
            lines.append(same(clean(f"{entry['fact']} ← {entry['source']}", MAX_PROOF)))
    return cell(*lines)


def _shrinkage(matter: Matter) -> tuple[Block, ...]:
    """What the earlier report looked at and this one does not."""
    changes = matter.changes
    if changes is None:
        return (prose("chapter.no_earlier", "note"),)
    rows = [
        (
            cell(L(f"chapter.shrunk.{one.kind}")),
            cell(_shrunk_name(matter, one.kind, one.what)),
            number(one.before) if one.before is not None else NONE,
            number(one.now) if one.now is not None else cell(L("word.none")),
        )
        for one in changes.shrunk
    ]
    columns = (
        ("column.kind", 2.6),
        ("column.detail", 3.0),
        ("chapter.column.was", 1.0, "number"),
        ("chapter.column.now", 1.0, "number"),
    )
    since = L("chapter.shrinkage_since", at=moment(changes.earlier["assessed_at"]))
    gone = [
        (control_name(matter, one.record["control"]), resource(matter, one.record))
        for one in changes.vanished
    ]
    columns_of_gone = (("column.control", 3.0), ("column.resource", 3.0))
    return (
        Prose(since, "note"),
        *some(table("shrinkage", L("chapter.shrinkage"), columns, rows)),
        *some(table("vanished", L("change.vanished"), columns_of_gone, gone, MOST_ROWS)),
    )


def _shrunk_name(matter: Matter, kind: str, what: str) -> Text:
    if kind in ("judged", "listing", "control"):
        return titled(name(what), matter.title(what))
    if kind == "register":
        return labels().of("register", what)
    if kind == "figure":
        return labels().of("chapter.figure", what)
    return name(what)


def _limits(matter: Matter) -> tuple[Block, ...]:
    """What controls with findings cannot conclude, and what is outside every API."""
    lines = [
        cell(titled(same(group.control["id"]), control.limits))
        for group in matter.groups
        if (control := matter.control(group.control["id"])) is not None
    ]
    shown = (Items(tuple(lines)),) if lines else ()
    return (prose("sentence.application_out_of_scope"), prose("sentence.location"), *shown)


# --- 13 ---------------------------------------------------------------------------------------------


def waivers(matter: Matter) -> tuple[Block, ...]:
    held: dict[str, int] = {}
    for record in matter.report["findings"]:
        if record["waiver"]:
            held[record["waiver"]] = held.get(record["waiver"], 0) + 1
    declared = matter.report.get("waivers", [])
    rows: list[tuple[Cell, ...]] = [
        (
            (
                Phrase(name(one["id"]), "strong"),
                Phrase(name(one["control"]), to=clean(one["control"], MAX_NAME)),
            ),
            cell(
                name(one["resource"]) if one["resource"] else None,
                name(one["system"]) if one["system"] else None,
            ),
            cell(said(one["reason"])),
            cell(said(one["compensating"])),
            cell(name(one["approver"]), labels().of("waiver_authority", one["authority"])),
            day(one["starts"]),
            day(one["until"]),
            number(held.get(one["id"], 0)),
        )
        for one in declared
    ]
    known = {one["id"] for one in declared}
    rows += [
        ((Phrase(name(id_), "strong"),), NONE, NONE, NONE, NONE, NONE, NONE, number(count))
        for id_, count in sorted(held.items())
        if id_ not in known
    ]
    columns = (
        ("chapter.column.waiver", 1.4),
        ("column.resource", 1.4),
        ("column.reason", 2.2),
        ("column.compensating", 2.2),
        ("column.approver", 1.8),
        ("column.from", 1.0),
        ("column.until", 1.0),
        ("chapter.column.covered", 0.9, "number"),
    )
    return (
        prose("chapter.waiver_rule"),
        *some(table("waivers", L("field.waivers"), columns, rows)),
        *some(_refused(matter)),
        *_known(matter),
    )


def _known(matter: Matter) -> tuple[Block, ...]:
    """What a baseline takes out of the exit code, with its age; nothing where there is none."""
    rows = [
        (
            ids(one.controls),
            cell(said(one.reason)),
            day(one.since),
            number("–" if one.days is None else one.days),
            number(len(one.findings)),
        )
        for one in remaining(matter.report, matter.context.baseline)
    ]
    columns = (
        ("column.control", 2.6),
        ("column.reason", 3.0),
        ("column.from", 1.0),
        ("column.days", 0.8, "number"),
        ("column.count", 0.8, "number"),
    )
    shown = some(table("known", L("field.known"), columns, rows))
    return (prose("chapter.known_rule", "note"), *shown) if rows else ()


def _refused(matter: Matter) -> Any:
    rows = [
        (
            control_name(matter, one.control),
            cell(one.refusal or same("–")),
            resource(matter, one.findings[0]),
            number(len(one.findings)),
        )
        for one in view.waived(matter.report)
        if one.refusal is not None
    ]
    columns = (
        ("column.control", 2.6),
        ("column.reason", 3.0),
        ("column.resource", 2.0),
        ("column.count", 0.8, "number"),
    )
    return table("refused-waivers", L("disposition.refused"), columns, rows)


# --- 14 ---------------------------------------------------------------------------------------------

NAMED: Final = 3
"""Resources that a row of the plan names; the others are counted, and are in annex B."""


def remediation(matter: Matter) -> tuple[Block, ...]:
    """What is to be done about each control that is not met, by whom, until when, and how it is seen."""
    planned = {plan["control"] for plan in matter.report["plans"]}
    alike = view.alike([group for group in matter.groups if group.control["id"] not in planned])
    together = {id_: one for one in alike if isinstance(one, view.Alike) for id_ in one.controls}
    rows: list[tuple[Cell, ...]] = []
    for group in matter.groups:
        one = together.get(group.control["id"])
        if one is not None:
            if one.groups[0] is group:
                rows.append(_to_find_out(one))
            continue
        for plan, records in _planned(matter, group):
            rows.append(
                (
                    _finding(matter, group, records),
                    (*_measure(matter, group, plan), *_command(matter, group)),
                    maybe(plan["owner"]) if plan else cell(L("chapter.no_owner")),
                    _due(matter, plan),
                    cell(L("chapter.recheck", control=group.control["id"])),
                )
            )
    columns = (
        ("field.findings", 2.6),
        ("chapter.column.measure_and_command", 4.6),
        ("column.responsible", 1.3),
        ("column.due", 1.2),
        ("column.recheck", 1.9),
    )
    return (
        prose("chapter.plan_note"),
        *some(table("plan", L("section.14"), columns, rows)),
        *some(_idle(matter)),
        *_recheck(matter),
    )


def _planned(
    matter: Matter, group: view.Group
) -> list[tuple[Mapping[str, Any] | None, Sequence[view.Record]]]:
    """The open findings of a control by the first plan that covers them; those that none does first."""
    plans = [plan for plan in matter.report["plans"] if plan["control"] == group.control["id"]]
    by_plan: dict[int, list[view.Record]] = {}
    for record in group.findings:
        covering = (n for n, plan in enumerate(plans) if covers(plan, record["resource"]))
        by_plan.setdefault(next(covering, -1), []).append(record)
    return [(plans[n] if n >= 0 else None, records) for n, records in sorted(by_plan.items())]


def covers(plan: Mapping[str, Any], place: Mapping[str, Any]) -> bool:
    """Whether a plan means a resource; one that names neither resource nor system means all."""
    if plan["system"] is not None and plan["system"] != place["system"]:
        return False
    pattern = plan["resource"]
    return pattern is None or any(glob_match(pattern, known or "") for known in (place["id"], place["name"]))


def _to_find_out(one: view.Alike) -> tuple[Cell, ...]:
    """Controls of which nothing is known: what is to be done is to find out, the same for all."""
    why = joined(labels().of("reason", code_) for code_, _ in one.reasons) or same("–")
    return (
        (
            Phrase(L("report.alike", count=len(one.groups), reason=why), "strong", "unknown"),
            Phrase(same(", ".join(one.controls)), "muted"),
        ),
        tuple(phrase for phrase in reasons(one) if phrase.style != "strong"),
        cell(L("chapter.no_owner")),
        cell(L("chapter.no_deadline")),
        cell(L("chapter.recheck_unknown")),
    )


def _finding(matter: Matter, group: view.Group, records: Sequence[view.Record]) -> Cell:
    worst = min(map(view.outcome, records), key=view.RANK.__getitem__)
    shown = joined((name(view.place(record)) for record in records[:NAMED]), ", ")
    more = len(records) - NAMED
    id_ = group.control["id"]
    return (
        Phrase(same(id_), "strong", worst, id_),
        Phrase(told(group.control["title"])),
        Phrase(shown or same("–"), "muted"),
        *([Phrase(L("report.more_findings", count=more), "muted")] if more > 0 else []),
    )


def _measure(matter: Matter, group: view.Group, plan: Mapping[str, Any] | None) -> Cell:
    control = matter.control(group.control["id"])
    if plan is not None:
        return cell(said(plan["measure"]))
    if control is None:
        return cell(L("report.no_text"))
    return (Phrase(control.remediation.text), Phrase(L("chapter.proposed_measure"), "muted"))


def _due(matter: Matter, plan: Mapping[str, Any] | None) -> Cell:
    if plan is None:
        return cell(L("chapter.no_deadline"))
    over = plan["due"] < matter.report["assessed_at"]
    return day(plan["due"], L("chapter.overdue") if over else None, mark="expired" if over else "")


def _command(matter: Matter, group: view.Group) -> Cell:
    control = matter.control(group.control["id"])
    commands = control.remediation.cli if control else ()
    return tuple(Phrase(same(command), "code") for command in commands)


def _idle(matter: Matter) -> Any:
    """Plans whose control has no open finding any more."""
    open_ = {group.control["id"] for group in matter.groups}
    rows = [
        (maybe(plan["control"]), cell(said(plan["measure"])), maybe(plan["owner"]), day(plan["due"]))
        for plan in matter.report["plans"]
        if plan["control"] not in open_
    ]
    columns = (
        ("column.control", 1.0),
        ("column.measure", 4.0),
        ("column.responsible", 2.0),
        ("column.due", 1.2),
    )
    return table("idle-plans", L("chapter.idle_plans"), columns, rows)


def _recheck(matter: Matter) -> tuple[Block, ...]:
    profile = clean(str(matter.report["profile"]["id"]), MAX_NAME)
    command = f"cloudaudit run -t targets.yaml -p {profile} --previous <report.json>"
    return (
        heading("column.recheck"),
        Prose(L("chapter.recheck_how")),
        Items(((Phrase(same(command), "code"),),)),
    )


# --- 15 ---------------------------------------------------------------------------------------------


def recommendations(matter: Matter) -> tuple[Block, ...]:
    """What follows from the results, for each of three readers. Requests, never decisions."""
    return (
        heading("recommendation.provider"),
        Items(tuple(_to_provider(matter)), numbered=True),
        heading("recommendation.agency"),
        Items(tuple(_to_agency(matter)), numbered=True),
        *(_for_the_authority(matter) if view.concludes(matter.report) else ()),
        *((prose("sentence.request_assessment"),) if _asks(matter) else ()),
    )


def _for_the_authority(matter: Matter) -> tuple[Block, ...]:
    return (
        heading("recommendation.authority"),
        Items(tuple(_to_authority(matter)), numbered=True),
        Prose(L("report.authority_decides"), "note"),
    )


def _asks(matter: Matter) -> bool:
    return bool(matter.report["readiness"]["level"] >= 4 and view.gate_count(matter.report)[1])


def _gates_in(matter: Matter, *states: str) -> str:
    return ", ".join(
        clean(gate["id"], MAX_NAME)
        for gate in matter.report["readiness"]["gates"]
        if gate["state"] in states and not gate["final"]
    )


def _controls(matter: Matter, *verdicts: str, dimensions: Sequence[str] = ()) -> str:
    found = [
        entry["id"]
        for entry in matter.report["controls"]
        if entry["verdict"] in verdicts and (not dimensions or entry["dimension"] in dimensions)
    ]
    return str(ids(found)[0].text.vi) if found else ""


def _to_provider(matter: Matter) -> list[Cell]:
    told_ = [
        ("blocked", _gates_in(matter, "blocked")),
        ("indeterminate", _gates_in(matter, "indeterminate")),
        ("conditional", _gates_in(matter, "conditional")),
        ("unseen", _controls(matter, "unknown")),
        ("expired", _controls(matter, "expired")),
        (
            "commitments",
            ", ".join(id_ for id_, _ in COMMITMENTS if _verdict(matter, id_) not in (None, "pass")),
        ),
        ("drills", _controls_of_method(matter, "D")),
    ]
    found = [cell(L(f"chapter.to_provider.{key}", which=which)) for key, which in told_ if which]
    if matter.report["readiness"]["contradictions"]:
        found.append(
            cell(L("chapter.to_provider.contradictions", count=matter.report["readiness"]["contradictions"]))
        )
    return [*found, cell(L("chapter.to_provider.keep"))]


def _verdict(matter: Matter, id_: str) -> str | None:
    entry = matter.entry(id_)
    return entry["verdict"] if entry else None


def _controls_of_method(matter: Matter, method: str) -> str:
    found = [
        e["id"]
        for e in matter.report["controls"]
        if e["method"] == method and e["verdict"] not in ("pass", "not_applicable")
    ]
    return ", ".join(found)


def _to_agency(matter: Matter) -> list[Cell]:
    found = []
    if matter.is_provider:
        found.append(cell(L("chapter.to_agency.check_provider")))
        duties = ", ".join(
            clean(id_, MAX_NAME) for id_ in sorted(matter.report["profile"].get("excluded", {}))
        )
        if duties:
            found.append(cell(L("chapter.to_agency.duties", which=duties)))
    else:
        for key, which in (
            ("levels", _verdict(matter, "SEC-21") not in (None, "pass", "not_applicable")),
            ("classes", _verdict(matter, "DAT-04") not in (None, "pass", "not_applicable")),
            ("provider_report", bool(_controls(matter, "unknown"))),
        ):
            if which:
                found.append(cell(L(f"chapter.to_agency.{key}")))
    return [*found, cell(L("chapter.to_agency.plan"))]


def _to_authority(matter: Matter) -> list[Cell]:
    found = [cell(L("chapter.to_authority.consider"))]
    unsure = sorted(
        {
            known.source
            for entry in matter.report["controls"]
            for id_ in entry["obligations"]
            if (known := matter.context.obligations.get(id_)) is not None
            and known.legal_state == "to_confirm"
        }
    )
    if unsure:
        found.append(cell(L("chapter.to_authority.confirm"), joined(map(said, unsure))))
    if not matter.report["profile"]["official"]:
        found.append(cell(L("chapter.to_authority.profile")))
    if any(record["refused_waiver"] for record in matter.report["findings"]):
        found.append(cell(L("chapter.to_authority.waivers")))
    return [*found, cell(L("chapter.to_authority.final"))]
