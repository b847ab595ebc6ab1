"""Small pieces that chapters are put together from: cells, paragraphs, tables of controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from cloudaudit import wording
from cloudaudit.model import Resource, Text, format_time, parse_time
from cloudaudit.reporters import details, view, words
from cloudaudit.reporters.chapters.matter import Matter
from cloudaudit.reporters.document import (
    Block,
    Cell,
    Column,
    Exact,
    Findings,
    Heading,
    Pairs,
    Phrase,
    Prose,
    Style,
    Table,
    cell,
)
from cloudaudit.reporters.words import (
    MAX_NAME,
    clean,
    figure,
    floored,
    interval,
    labels,
    moment,
    same,
    text_of,
)

MOST_ROWS: Final = 1000
"""Rows of a table that grows with the estate; report.json has them all."""
GATING: Final = "★"
NONE: Final = cell()


def L(key: str, **filled: object) -> Text:
    """A label; texts of clouds and registers filled into it are cleaned first."""
    return labels()(
        key, **{name: clean(v, MAX_NAME) if isinstance(v, str) else v for name, v in filled.items()}
    )


def prose(key: str, style: Style = "plain", **filled: object) -> Prose:
    """A paragraph of a label. Sentences are fixed."""
    if key.startswith("sentence.") and style == "plain":
        style = "fixed"
    return Prose(L(key, **filled), style)


def heading(key: str, **filled: object) -> Heading:
    return Heading(L(key, **filled))


def name(text: object) -> Text:
    """A name that a cloud or a register gave, as long as its place allows."""
    return same(clean(str(text), MAX_NAME))


def said(text: object) -> Text:
    """A longer text of a register."""
    return same(clean(str(text)))


def maybe(text: object) -> Cell:
    """A name, or a dash where there is none."""
    return cell(name(text)) if text not in (None, "") else NONE


def code(text: object) -> Cell:
    return cell(said(text), style="code") if text not in (None, "") else NONE


def yes(value: object) -> Cell:
    """Yes, no, or not known."""
    return cell(L("word.unknown" if not isinstance(value, bool) else "word.yes" if value else "word.no"))


def joined(texts: Iterable[Text], separator: str = "; ") -> Text | None:
    found = list(texts)
    if not found:
        return None
    return Text(separator.join(t.vi for t in found), separator.join(t.en for t in found))


def titled(head: Text, rest: Text, sign: str = ": ") -> Text:
    return Text(f"{head.vi}{sign}{rest.vi}", f"{head.en}{sign}{rest.en}")


def number(value: int | str) -> Cell:
    return cell(same(str(value)))


def digest(value: object) -> Cell:
    return cell(same(clean(str(value), 64)), style="code") if value else NONE


def seconds(value: object) -> Text | None:
    """A duration; None where none is declared."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return Text(wording.duration(value, "vi"), wording.duration(value, "en"))


def when(value: object) -> Cell:
    """A moment of a register, in seconds."""
    if not isinstance(value, int) or isinstance(value, bool):
        return NONE
    try:
        return day(format_time(value))
    except (ValueError, OverflowError, OSError):  # no such year
        return NONE


def day(at: str | None, *more: Text | None, mark: str = "") -> Cell:
    """The day of a moment, in Vietnamese time, and what else is said of it."""
    found = moment(at)
    said = Text(found.vi.partition(" ")[0], found.en.partition(" ")[0])
    return cell(said, *more, mark=mark, exact=_exact_time(at, "day"))


def at(time: str | None) -> Cell:
    """A moment, in Vietnamese time."""
    return cell(moment(time), exact=_exact_time(time, "moment"))


def _exact_time(time: str | None, unit: Literal["moment", "day"]) -> Exact | None:
    try:
        return None if time is None else Exact(unit, (parse_time(time),))
    except ValueError:
        return None


def lasting(value: object, *more: Text | None) -> Cell:
    """A duration in seconds and what else is said of it; `more` alone where none is declared."""
    told = seconds(value)
    exact = Exact("duration", (value,)) if told and isinstance(value, int | float) else None
    return cell(told, *more, exact=exact)


def percent(value: float | None) -> Cell:
    """A figure that is a percentage."""
    return cell(
        figure(value, "%"), exact=None if value is None else Exact("percent", (float(floored(value)),))
    )


def score(lower: float, upper: float) -> Cell:
    """A score, always with both bounds."""
    bounds = (float(floored(lower)), float(floored(upper)))
    return cell(interval(lower, upper), exact=Exact("score", bounds))


def short(text: Text, limit: int) -> Text:
    """A message cut between words: half a word of Vietnamese may be another word."""
    return Text(words.short(clean(text.vi), limit), words.short(clean(text.en), limit))


def listed(values: object, group: str = "", most: int = 12) -> Cell:
    """The items of a list of a register, in words of a group of labels where there is one."""
    items = values if isinstance(values, tuple | list) else ()
    texts = [labels().of(group, clean(str(v), MAX_NAME)) if group else name(v) for v in items[:most]]
    if len(items) > most:
        texts.append(L("word.and_more", count=len(items) - most))
    return cell(joined(texts))


def table(
    id_: str,
    title: Text,
    columns: Sequence[tuple[str, float] | tuple[str, float, str]],
    rows: Sequence[tuple[Cell, ...]],
    most: int | None = None,
) -> Table:
    """A table under columns named by their labels; rows beyond `most` are hidden."""
    # A tuple of tuples is inferred with plain texts in it, where a kind is one of three.
    made = tuple(Column(L(key), share, *kind) for key, share, *kind in columns)  # type: ignore[arg-type]
    shown = tuple(rows if most is None else rows[:most])
    return Table(id_, title, made, shown, len(rows) - len(shown))


def some(found: Table) -> tuple[Block, ...]:
    """A table, or a sentence in its place where it has no row."""
    if found.rows:
        return (found,)
    return (Prose(titled(found.title, L("sentence.empty")), "note"),)


def pairs(*rows: tuple[str, Cell]) -> Pairs:
    return Pairs(tuple((L(key), found) for key, found in rows))


# --- verdicts and controls --------------------------------------------------------------------------


def outcome(key: str) -> Cell:
    """A verdict or `waived`, with its sign."""
    return cell(view.outcome_label(key), mark=key)


def state(key: str) -> Cell:
    return cell(labels().of("gate_state", key), mark=key)


def counted(counts: Mapping[str, int]) -> Text | None:
    """How many came to each outcome: `3 không đáp ứng; 12 đáp ứng`."""
    found = []
    for key in view.WORST_FIRST:
        if counts.get(key):
            label = view.outcome_label(key)
            low = Text(*(text[:1].lower() + text[1:] for text in (label.vi, label.en)))
            found.append(Text(f"{counts[key]} {low.vi}", f"{counts[key]} {low.en}"))
    return joined(found)


def control_name(matter: Matter, id_: str) -> Cell:
    """A control by id and title."""
    gate = view.gate_of(matter.report).get(id_)
    mark = same(f"{id_} {GATING}" if gate else id_)
    return (Phrase(mark, "strong", to=id_), Phrase(matter.title(id_)))


def reasons(found: view.Alike) -> Cell:
    """Why nothing is known of controls, what is told of it, and how to find out."""
    phrases: list[Phrase] = []
    for code_, detail in found.reasons:
        phrases.append(Phrase(labels().of("reason", code_), "strong"))
        if detail:
            phrases.append(Phrase(details.told(detail), "muted"))
    remedies = dict.fromkeys(labels().of("remedy", code_) for code_, _ in found.reasons)
    return (*phrases, *map(Phrase, remedies))


def flow(controls: Iterable[str]) -> Cell:
    """Ids of controls, each of which leads to its control; for columns whose phrases flow."""
    return tuple(Phrase(same(id_), to=id_) for id_ in controls) or NONE


def ids(controls: Iterable[str], most: int = 40) -> Cell:
    """Ids of controls in one line."""
    found = sorted(set(controls))
    if not found:
        return NONE
    rest = same(f" … (+{len(found) - most})") if len(found) > most else same("")
    return cell(same(", ".join(found[:most]) + rest.vi))


def of_controls(
    matter: Matter, entries: Sequence[Mapping[str, Any]], id_: str, title: Text
) -> tuple[Block, ...]:
    """The results of some controls as a table."""
    gates = view.gate_of(matter.report)
    rows = [
        (
            control_name(matter, entry["id"]),
            cell(labels().of("severity", entry["severity"])),
            cell(labels().of("basis", entry["basis"])),
            outcome(entry["verdict"]),
            cell(
                counted(entry["counts"]),
                None if entry["listing_complete"] else L("report.incomplete_listing"),
            ),
            maybe(gates.get(entry["id"])),
        )
        for entry in entries
    ]
    columns = (
        ("column.control", 4.0),
        ("column.severity", 1.2),
        ("column.basis", 1.6),
        ("column.verdict", 1.6),
        ("chapter.column.counts", 2.4),
        ("column.gate", 0.9),
    )
    return some(table(id_, title, columns, rows))


def of_dimension(matter: Matter, dimension: str, section: str) -> tuple[Block, ...]:
    """The figures of a dimension, its controls and their findings: what every subject chapter ends with."""
    entries = matter.of_dimension(dimension)
    blocks: list[Block] = [Heading(L("chapter.results")), *figures_of(matter, dimension)]
    if any(view.gate_of(matter.report).get(entry["id"]) for entry in entries):
        blocks.append(prose("chapter.gating_sign", "note", sign=GATING))
    blocks += of_controls(matter, entries, f"controls-{section}", L("chapter.controls_of_section"))
    blocks += findings_of(matter, [entry["id"] for entry in entries], f"findings-{section}")
    return tuple(blocks)


def figures_of(matter: Matter, dimension: str) -> tuple[Block, ...]:
    found = next((d for d in matter.report["readiness"]["dimensions"] if d["id"] == dimension), None)
    if found is None or found["not_applicable"]:
        return (prose("chapter.dimension_out", "note", name=labels().of("dimension", dimension)),)
    return (
        pairs(
            ("figure.score", score(found["lower"], found["upper"])),
            ("figure.coverage", percent(found["coverage"])),
            ("figure.assurance", percent(found["assurance"])),
        ),
    )


def findings_of(matter: Matter, controls: Iterable[str], id_: str) -> tuple[Block, ...]:
    """The findings of some controls that are no pass; a sentence where there is none."""
    wanted = frozenset(controls)
    if not any(group.control["id"] in wanted for group in matter.groups):
        return (Prose(titled(L("field.findings"), L("chapter.no_findings")), "note"),)
    return (Heading(L("chapter.findings_of_section")), Findings(id_, wanted))


# --- resources and registers ----------------------------------------------------------------------


def resource(matter: Matter, record: Mapping[str, Any]) -> Cell:
    """A resource by name, with type and place below."""
    found = record["resource"]
    project = view.project(matter.report, found["project"])
    where = "/".join(p for p in (found["target"], found["region"], project) if p)
    under = [found["type"]] if found["target"] in ("registers", "*") else [found["type"], where]
    return (
        Phrase(name(view.place(record))),
        Phrase(name(" · ".join(clean(part, MAX_NAME) for part in under)), "muted"),
    )


def reason(record: Mapping[str, Any]) -> Cell:
    label = labels().of("reason", record["reason_code"]) if record["reason_code"] else None
    return cell(label, details.of(record))


def paper_state(matter: Matter, paper: Resource) -> Cell:
    key, why = matter.state_of(paper)
    signs = {"valid": "pass", "expiring": "pass", "expired": "expired", "not_yet": "fail"}
    return cell(
        labels().of("paper_state", key),
        labels().of("reason", why) if why else None,
        mark=signs.get(key, "unknown"),
    )


def papers(matter: Matter, id_: str, title: Text, found: Sequence[Resource]) -> tuple[Block, ...]:
    """Papers with owner, link, digest, validity and state."""
    rows = [
        (
            (
                Phrase(name(paper.id), "strong"),
                Phrase(labels().of("paper_kind", _kind(paper))),
                *_title_of(paper),
            ),
            maybe(paper.facts.get("owner")),
            cell(
                said(paper.facts["url"]) if paper.facts.get("url") else None,
                said(paper.facts["sha256"]) if paper.facts.get("sha256") else None,
                style="code",
            ),
            when(paper.facts.get("issued_at")),
            when(paper.facts.get("valid_until")),
            paper_state(matter, paper),
        )
        for paper in found
    ]
    columns = (
        ("chapter.column.paper", 2.6),
        ("column.owner", 1.8),
        ("chapter.column.link", 2.8, "code"),
        ("column.issued_at", 1.2),
        ("column.valid_until", 1.2),
        ("column.state", 1.4),
    )
    return some(table(id_, title, columns, rows, MOST_ROWS))


def _kind(entry: Resource) -> str:
    return clean(str(entry.facts.get("kind") or "–"), MAX_NAME)


def _title_of(paper: Resource) -> tuple[Phrase, ...]:
    title = paper.facts.get("title_vi")
    return (Phrase(said(title), "muted"),) if title else ()


def drills(matter: Matter, id_: str, title: Text, found: Sequence[Resource]) -> tuple[Block, ...]:
    """Drills with their results, the latest first."""
    rows = [
        (
            (Phrase(name(drill.id), "strong"), Phrase(labels().of("drill_kind", _kind(drill)))),
            when(drill.facts.get("date")),
            cell(
                labels().of("drill_result", clean(str(drill.facts.get("result") or "–"), MAX_NAME)),
                mark={"success": "pass", "partial": "unknown", "fail": "fail"}.get(
                    str(drill.facts.get("result")), ""
                ),
            ),
            listed(drill.facts.get("systems")),
            lasting(drill.facts.get("measured_rpo")),
            lasting(drill.facts.get("measured_rto")),
            maybe(drill.facts.get("approver")),
        )
        for drill in found
    ]
    columns = (
        ("chapter.column.drill", 2.6),
        ("column.date", 1.2),
        ("column.result", 1.3),
        ("field.systems", 2.0),
        ("column.measured_rpo", 1.2),
        ("column.measured_rto", 1.2),
        ("column.approver", 1.6),
    )
    return some(table(id_, title, columns, rows, MOST_ROWS))


def register_missing(matter: Matter, kind: str) -> tuple[Block, ...]:
    """A warning where a register was not given: what it would say is unknown, and not absent."""
    if matter.register_given(kind):
        return ()
    return (prose("chapter.register_missing", "warning", register=labels().of("register", kind)),)


def told(entry: Mapping[str, str] | None, fallback: str = "") -> Text:
    """A text of report.json, made harmless."""
    found = text_of(entry, fallback)
    return Text(clean(found.vi), clean(found.en))
