"""Annexes A to E: every control, the evidence, obligations with their results, registers, terms."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from cloudaudit import data
from cloudaudit.model import Text
from cloudaudit.reporters import details, view
from cloudaudit.reporters.chapters.matter import Matter
from cloudaudit.reporters.chapters.writing import (
    MOST_ROWS,
    NONE,
    L,
    at,
    code,
    control_name,
    counted,
    digest,
    drills,
    heading,
    maybe,
    name,
    number,
    outcome,
    pairs,
    papers,
    prose,
    register_missing,
    resource,
    said,
    some,
    table,
    titled,
    told,
)
from cloudaudit.reporters.document import Block, Cell, Phrase, Prose, cell
from cloudaudit.reporters.view import Record
from cloudaudit.reporters.words import MAX_NAME, clean, labels, same, share
from cloudaudit.yamlsource import load

MOST_FINDINGS: Final = 250
"""Findings whose evidence is printed; beyond, a paper is read by nobody. The file has them all."""
MOST_FACTS: Final = 8
MAX_VALUE: Final = 400
MAX_SOURCE: Final = 240
SHORT_PRINT: Final = 16

# --- A ----------------------------------------------------------------------------------------------


def all_controls(matter: Matter) -> tuple[Block, ...]:
    gates = {
        control: gate["id"] for gate in matter.report["readiness"]["gates"] for control in gate["controls"]
    }
    rows = [
        (
            (
                Phrase(same(entry["id"]), "strong", to=entry["id"]),
                Phrase(same(f"v{entry['version']}"), "muted"),
            ),
            cell(told(entry["title"])),
            cell(labels().of("severity", entry["severity"])),
            cell(labels().of("method", entry["method"])),
            cell(labels().of("basis", entry["basis"])),
            maybe(gates.get(entry["id"])),
            outcome(entry["verdict"]),
            cell(share(entry["ratio"])) if entry["ratio"] is not None else NONE,
            cell(
                counted(entry["counts"]),
                None if entry["listing_complete"] else L("report.incomplete_listing"),
            ),
        )
        for entry in matter.report["controls"]
    ]
    columns = (
        ("column.id", 1.0),
        ("column.control", 3.6),
        ("column.severity", 1.1),
        ("column.method", 1.1),
        ("column.basis", 1.3),
        ("column.gate", 0.7),
        ("column.verdict", 1.4),
        ("column.ratio", 1.0, "number"),
        ("chapter.column.counts", 2.2),
    )
    return (
        prose("sentence.unknown_is_no_pass"),
        *some(table("controls", L("report.all_controls"), columns, rows)),
    )


# --- B ----------------------------------------------------------------------------------------------


def evidence(matter: Matter) -> tuple[Block, ...]:
    """The evidence of findings that are no pass; those that pass are counted, and lie in their file."""
    file = matter.report["findings_file"]
    open_ = sum(len(group.findings) for group in matter.groups)
    limit = view.fair_limit((len(group.findings) for group in matter.groups), MOST_FINDINGS)
    shown = [(group, record) for group in matter.groups for record in group.findings[:limit]]
    sources: dict[Origin, int] = {}
    rows = [_evidence(matter, group, record, sources) for group, record in shown]
    counts: Counter[str] = Counter()
    for entry in matter.report["controls"]:
        counts.update(entry["counts"])
    columns = (
        ("column.control", 1.5),
        ("column.resource", 2.2),
        ("column.verdict", 2.2),
        ("chapter.column.values", 4.6),
        ("column.source", 1.0, "flow"),
    )
    found = table("evidence", L("chapter.evidence_of_findings"), columns, rows)
    if len(shown) < open_:
        found = type(found)(found.id, found.title, found.columns, found.rows, open_ - len(shown))
    left_out = L(
        "chapter.evidence_left_out",
        shown=len(shown),
        open=open_,
        passed=counts["pass"],
        count=file["count"],
        path=clean(file["path"], MAX_NAME),
    )
    return (
        Prose(left_out, "note"),
        prose("chapter.evidence_rule"),
        pairs(
            ("report.findings_file", code(file["path"])),
            ("column.digest", digest(file["sha256"])),
            ("column.count", number(file["count"])),
            ("field.snapshot", digest(matter.report["snapshot"]["sha256"])),
        ),
        *some(found),
        *_sources(sources),
        prose("chapter.never_in_evidence", "note"),
    )


Origin = tuple[str, str | None]
"""What a piece of evidence came from, and when that was asked where the report tells."""


def _sources(known: Mapping[Origin, int]) -> tuple[Block, ...]:
    """What evidence came from, by the numbers that stand with it: requests, lists, registers, derivations."""
    rows = [(number(n), cell(same(source), style="code"), at(time)) for (source, time), n in known.items()]
    columns = (("column.number", 0.5, "number"), ("column.source", 8.0, "code"), ("column.time", 1.4))
    return (table("sources", L("report.sources"), columns, rows),) if rows else ()


def _origins(entry: Mapping[str, Any]) -> Iterator[Origin]:
    """A source in its parts. The time of evidence is that of its own request, or of the first part."""
    parts = [clean(part, MAX_SOURCE) for part in entry["source"].split("; ")]
    own = next((n for n, part in enumerate(parts) if " -> " in part and ": " not in part), 0)
    for n, part in enumerate(parts):
        yield part, entry["at"] if n == own else None


def _evidence(
    matter: Matter, group: view.Group, record: Record, known: dict[Origin, int]
) -> tuple[Cell, ...]:
    """A row of a finding's evidence; its sources by their numbers, those not `known` yet with the next."""
    own = f"{record['resource']['type']}:{record['resource']['id']}"
    values: list[Phrase] = []
    sources: dict[int, None] = {}
    for entry in record["evidence"][:MOST_FACTS]:
        values.append(Phrase(_value(matter, entry, own)))
        for origin in _origins(entry):
            sources[known.setdefault(origin, len(known) + 1)] = None
    more = len(record["evidence"]) - MOST_FACTS
    if more > 0:
        values.append(Phrase(L("word.and_more", count=more), "muted"))
    why = record["reason_code"]
    return (
        (
            Phrase(
                same(f"{group.control['id']} v{group.control['version']}"), "strong", to=group.control["id"]
            ),
            Phrase(same(record["fingerprint"][:SHORT_PRINT]), "code"),
        ),
        (*resource(matter, record), *_named_id(record)),
        (
            *outcome(view.outcome(record)),
            *([Phrase(labels().of("reason", why), "muted")] if why else []),
            *([Phrase(detail, "muted")] if (detail := details.of(record)) else []),
            *([Phrase(was, "muted")] if (was := _before(matter, record)) else []),
        ),
        tuple(values) or cell(view.message(record)),
        tuple(Phrase(same(f"[{n}]")) for n in sources) or NONE,
    )


def _before(matter: Matter, record: Record) -> Text | None:
    """What a finding was in the earlier report, where there is one."""
    if matter.changes is None:
        return None
    was = matter.before.get(record["fingerprint"])
    return titled(L("chapter.column.was"), view.outcome_label(was) if was else L("change.new"))


def _named_id(record: Record) -> tuple[Phrase, ...]:
    """The id of a resource where its name stands above it."""
    found = record["resource"]
    return (Phrase(name(found["id"]), "code"),) if found["name"] and found["name"] != found["id"] else ()


def _value(matter: Matter, entry: Any, own: str) -> Text:
    type_, _, id_ = entry["resource"].partition(":")
    spec = matter.values.spec(type_, entry["fact"])
    if "missing" in entry:
        value = titled(L("word.unknown"), labels().of("reason", entry["missing"]), " – ")
    else:
        value = matter.values.shown(entry["value"], spec)
    head = entry["fact"] if entry["resource"] == own else f"{entry['fact']} ({clean(id_, MAX_NAME)})"
    return Text(
        clean(f"{head} = {value.vi}", MAX_VALUE + MAX_NAME),
        clean(f"{head} = {value.en}", MAX_VALUE + MAX_NAME),
    )


# --- C ----------------------------------------------------------------------------------------------


def traceability(matter: Matter) -> tuple[Block, ...]:
    served: dict[str, list[Any]] = defaultdict(list)
    for entry in matter.report["controls"]:
        for id_ in entry["obligations"]:
            served[id_].append(entry)
    rows = []
    for id_, entries in sorted(served.items()):
        found = matter.context.obligations.get(id_)
        verdicts = counted(Counter(entry["verdict"] for entry in entries))
        controls = tuple(
            Phrase(same(entry["id"]), mark=entry["verdict"], to=entry["id"]) for entry in entries
        )
        if found is None:
            unknown = cell(L("report.unknown_obligation"))
            rows.append((maybe(id_), unknown, NONE, NONE, controls, cell(verdicts)))
            continue
        rows.append(
            (
                (
                    Phrase(same(id_), "strong"),
                    Phrase(labels().of("source_state", found.state.value), "muted"),
                ),
                cell(said(found.source), said(found.clause), labels().of("legal_state", found.legal_state)),
                cell(Text(f"“{found.quote}”" if found.quote else L("report.no_quote").vi, found.translation)),
                cell(*(labels().of("actor", actor) for actor in found.actors)),
                controls,
                cell(verdicts),
            )
        )
    columns = (
        ("column.obligation", 1.2),
        ("column.act", 2.4),
        ("column.quote", 3.4),
        ("chapter.column.actors", 1.2),
        ("field.controls", 1.8, "flow"),
        ("column.related_result", 1.8),
    )
    return (
        prose("sentence.related_controls"),
        prose("sentence.unverified_sources"),
        *some(table("obligations", L("report.trace"), columns, rows)),
        *some(_frameworks(matter)),
        prose("chapter.frameworks_note", "note"),
    )


def _frameworks(matter: Matter) -> Any:
    items: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for entry in matter.report["controls"]:
        control = matter.control(entry["id"])
        for framework, of in (control.frameworks if control else {}).items():
            for item in of:
                items[framework, item].append(entry)
    rows = [
        (
            maybe(framework),
            maybe(item),
            tuple(Phrase(same(entry["id"]), mark=entry["verdict"], to=entry["id"]) for entry in entries),
        )
        for (framework, item), entries in sorted(items.items())
    ]
    columns = (("column.framework", 1.5), ("column.items", 1.5), ("field.controls", 5.0, "flow"))
    return table("frameworks", L("field.frameworks"), columns, rows)


# --- D ----------------------------------------------------------------------------------------------


def registers(matter: Matter) -> tuple[Block, ...]:
    return (
        *register_missing(matter, "attestations"),
        *papers(matter, "attestations", L("register.attestations"), matter.papers()),
        prose("chapter.state_of_papers", "note"),
        *register_missing(matter, "drills"),
        *drills(matter, "drills", L("register.drills"), matter.drills()),
        *some(_minutes(matter)),
        heading("report.lapsed"),
        *some(_lapsed(matter)),
    )


def _minutes(matter: Matter) -> Any:
    """The minutes of drills: link, digest, validity, the other side."""
    rows = [
        (
            maybe(drill.id),
            code(drill.facts.get("minutes_url")),
            digest(drill.facts.get("minutes_sha256")),
            maybe(drill.facts.get("counterpart")),
        )
        for drill in matter.drills()
        if drill.facts.get("minutes_url") or drill.facts.get("minutes_sha256")
    ]
    columns = (
        ("chapter.column.drill", 1.5),
        ("chapter.column.link", 3.0, "code"),
        ("column.digest", 3.0, "code"),
        ("chapter.column.counterpart", 1.8),
    )
    return table("minutes", L("chapter.minutes"), columns, rows, MOST_ROWS)


def _lapsed(matter: Matter) -> Any:
    rows = [
        (control_name(matter, record["control"]), resource(matter, record), cell(told(record["message"])))
        for record in view.lapsed_papers(matter.report)
    ]
    columns = (("column.control", 2.5), ("column.resource", 2.0), ("column.message", 4.0))
    return table("lapsed", L("report.lapsed"), columns, rows, MOST_ROWS)


# --- E ----------------------------------------------------------------------------------------------


def glossary(matter: Matter) -> tuple[Block, ...]:
    rows = [
        (cell(same(one["vi"]), style="strong"), cell(same(one["en"])), cell(_mark(matter, one)))
        for one in sorted(terms(), key=lambda one: one["vi"].casefold())
    ]
    columns = (("column.term_vi", 3.0), ("column.term_en", 3.0), ("column.source_state", 3.0))
    return (
        prose("chapter.glossary_note", "note"),
        table("glossary", L("section.E"), columns, rows),
    )


def _mark(matter: Matter, term: Mapping[str, str]) -> Text:
    id_ = term.get("quoted")
    if id_ is None:
        return L("chapter.own_term")
    found = matter.context.obligations.get(id_)
    return titled(labels()("source_state.quoted"), said(f"{found.source}, {found.clause}" if found else id_))


@cache
def terms() -> tuple[Mapping[str, str], ...]:
    """The terms that ship with cloudaudit: `vi`, `en`, and `quoted`, an obligation a term is quoted from."""
    return tuple(load(data.folder("reports") / "terms.yaml").value["terms"])
