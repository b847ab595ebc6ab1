"""Two assessments side by side for those who look every night: what changed, the worst first, then counts.

The comparison itself is `comparison.compare`. Here is what of it ends a command with 1 or 3, and its three
forms: a screen, Markdown, and JSON with a schema of its own (`schemas/diff.schema.json`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, Final, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text as Line

from cloudaudit.model import Severity, Text
from cloudaudit.reporters import view
from cloudaudit.reporters.comparison import Change, Comparison, compare
from cloudaudit.reporters.markdown import escaped
from cloudaudit.reporters.report_json import shown
from cloudaudit.reporters.standing import VIOLATIONS
from cloudaudit.reporters.view import Report
from cloudaudit.reporters.words import MAX_NAME, clean, interval, labels, moment, same, short, text_of

SCHEMA_VERSION: Final = 1
MOST_ROWS: Final = 20
ROOMY: Final = 72
MESSAGE: Final = 160
_NOT_KNOWN: Final = frozenset({"unknown", "manual_pending"})
_JUDGED: Final = frozenset({"fail", "expired", "waived"})
_LESS: Final = frozenset({"target", "service", "answered", "listing", "register", "control"})
"""What shrank by itself, not because there is less to judge: a shorter list of things may be just that."""
_SEVERITIES: Final = tuple(reversed(Severity))


@dataclass(frozen=True, slots=True)
class Difference:
    """A report against an older one of its subject. `passing`: what passes now of what was open then."""

    report: Report
    earlier: Report
    found: Comparison
    floor: Severity
    _severity: Mapping[str, str] = field(repr=False)
    _final: frozenset[str] = field(repr=False)

    @classmethod
    def of(
        cls, report: Report, earlier: Report, passing: frozenset[str] | None, floor: Severity
    ) -> Difference:
        controls = [*earlier["controls"], *report["controls"]]
        final = {id_ for gate in report["readiness"]["gates"] if gate["final"] for id_ in gate["controls"]}
        return cls(
            report,
            earlier,
            compare(report, earlier, passing),
            floor,
            {entry["id"]: entry["severity"] for entry in controls},
            frozenset(final),
        )

    def severity(self, change: Change) -> Severity:
        return Severity(self._severity[change.record["control"]])

    def violations(self) -> list[Change]:
        """What fails or has expired and did not before: new, or open again because a waiver ended."""
        return self._sorted(
            one
            for one in (*self.found.new, *self.found.changed)
            if one.now in VIOLATIONS and one.was not in VIOLATIONS
        )

    def lost(self) -> list[Change]:
        """What is not known now and was not unknown before, and violations that are no longer seen."""
        blurred = (
            one
            for one in (*self.found.new, *self.found.changed)
            if one.now in _NOT_KNOWN and one.was not in _NOT_KNOWN
        )
        return self._sorted((*blurred, *(one for one in self.found.vanished if one.was in _JUDGED)))

    def others(self) -> list[Change]:
        """Changes that are neither: for the better, between two kinds of the same, or of unknown scopes."""
        told = {one.record["fingerprint"] for one in (*self.violations(), *self.lost())}
        rest = (*self.found.new, *self.found.changed, *self.found.vanished)
        return self._sorted(one for one in rest if one.record["fingerprint"] not in told)

    def fixed(self) -> list[Change]:
        return self._sorted(self.found.fixed)

    def counts(self, change: Change) -> bool:
        """Whether a change is of a control at or above the threshold, the final gate's aside."""
        return change.record["control"] not in self._final and self.severity(change).at_least(self.floor)

    def shrank(self) -> bool:
        """Whether something is looked at no longer, or less of it is answered."""
        return any(
            one.kind in _LESS
            and (one.kind != "control" or Severity(self._severity[one.what]).at_least(self.floor))
            for one in self.found.shrunk
        )

    def code(self, allow_incomplete: bool = False) -> int:
        """1 for a new or reopened violation, else 3 for what can be seen no longer, else 0."""
        if any(map(self.counts, self.violations())):
            return 1
        if allow_incomplete:
            return 0
        return 3 if self.shrank() or any(map(self.counts, self.lost())) else 0

    def _sorted(self, changes: Iterator[Change] | Sequence[Change]) -> list[Change]:
        return sorted(changes, key=self._order)

    def _order(self, change: Change) -> tuple[Any, ...]:
        rank = view.RANK[change.now or change.was or "pass"]
        record = change.record
        severity = _SEVERITIES.index(self.severity(change))
        return severity, rank, record["control"], view.place(record), record["fingerprint"]


# --- JSON -------------------------------------------------------------------------------------------


def as_json(one: Difference, allow_incomplete: bool) -> str:
    """The difference as JSON: the same two reports and options give the same bytes."""
    found = one.found
    whole = {
        "schema_version": SCHEMA_VERSION,
        "subject": one.report["subject"]["id"],
        "scope": one.report["scope"],
        "profile": one.report["profile"]["id"],
        "old": _side(one.earlier),
        "new": _side(one.report),
        "fail_on": one.floor.value,
        "allow_incomplete": allow_incomplete,
        "exit_code": one.code(allow_incomplete),
        "counts": {
            "violations": sum(map(one.counts, one.violations())),
            "lost": sum(map(one.counts, one.lost())),
            "new": len(found.new),
            "fixed": len(found.fixed),
            "changed": len(found.changed),
            "still_open": len(found.still_open),
            "vanished": len(found.vanished),
        },
        "versions": list(found.versions),
        "changes": {
            "violations": [_entry(one, change) for change in one.violations()],
            "lost": [_entry(one, change) for change in one.lost()],
            "others": [_entry(one, change) for change in one.others()],
            "fixed": [_entry(one, change) for change in one.fixed()],
            "still_open": [_entry(one, change) for change in one._sorted(found.still_open)],
        },
        "gates": [{"id": id_, "was": was, "now": now} for id_, was, now in found.gates],
        "shrunk": [
            {"kind": less.kind, "what": less.what, "before": less.before, "now": less.now}
            for less in found.shrunk
        ],
    }
    return shown(json.dumps(whole, ensure_ascii=False, indent=2)) + "\n"


def _side(report: Report) -> dict[str, Any]:
    readiness = report["readiness"]
    return {
        "assessed_at": report["assessed_at"],
        "snapshot": report["snapshot"]["sha256"],
        "tool": report["tool"]["version"],
        "catalogue": report["catalogue"]["sha256"],
        "profile": {key: report["profile"][key] for key in ("version", "sha256")},
        "level": readiness["level"],
        "gate_state": readiness["gate_state"],
        "score": dict(readiness["score"]),
    }


def _entry(one: Difference, change: Change) -> dict[str, Any]:
    record = change.record
    return {
        "fingerprint": record["fingerprint"],
        "control": record["control"],
        "severity": one.severity(change).value,
        "counts": one.counts(change),
        "was": change.was,
        "now": change.now,
        "reason_code": record["reason_code"] if change.now is not None else None,
        "resource": {key: record["resource"][key] for key in _PLACE},
        "message": dict(record["message"]),
    }


_PLACE: Final = ("type", "id", "name", "target", "region", "project")


# --- for people -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """A table of what changed. The last column takes what room there is."""

    title: Text
    columns: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    hidden: int = 0


def _parts(one: Difference) -> Iterator[_Part]:
    """What people read, in their order. Parts with nothing in them are left out."""
    L = labels()
    yield from _findings(one, "diff.violations", one.violations())
    yield from _findings(one, "diff.lost", one.lost())
    gates = {gate["id"]: text_of(gate["title"]) for gate in one.report["readiness"]["gates"]}
    states = tuple(
        (same(clean(id_, MAX_NAME)), _arrow(L.of("gate_state", was), L.of("gate_state", now)), gates[id_])
        for id_, was, now in one.found.gates
    )
    if states:
        yield _Part(L("chapter.changed_gates"), ("column.gate", "column.state", "column.title"), states)
    shrunk = one.found.shrunk
    if shrunk:
        rows = tuple((_figures(less.before, less.now), _shrunk(less.kind, less.what)) for less in shrunk)
        columns = ("column.count", "column.detail")
        yield _Part(L("chapter.shrinkage"), columns, rows[:MOST_ROWS], max(0, len(rows) - MOST_ROWS))
    yield from _findings(one, "diff.others", one.others())
    yield from _findings(one, "change.fixed", one.fixed())


def _findings(one: Difference, title: str, changes: Sequence[Change]) -> Iterator[_Part]:
    if not changes:
        return
    rows = tuple(
        (
            same(clean(change.record["control"])),
            labels().of("severity", one.severity(change).value),
            same(view.place(change.record)),
            _said(change),
        )
        for change in changes[:MOST_ROWS]
    )
    head = labels()(title)
    counted = Text(f"{head.vi} ({len(changes)})", f"{head.en} ({len(changes)})")
    columns = ("column.id", "column.severity", "column.resource", "column.message")
    yield _Part(counted, columns, rows, max(0, len(changes) - MOST_ROWS))


def _said(change: Change) -> Text:
    """What became of a finding; with its message where it is open now."""
    now = view.outcome_label(change.now) if change.now is not None else labels()("diff.unseen")
    moved = now if change.was is None else _arrow(view.outcome_label(change.was), now)
    record = change.record
    if change.now is None or change.now == "pass":
        return moved
    parts = [view.message(record)]
    if record["refused_waiver"]:
        parts.append(text_of(record["refused_waiver"]))
    elif change.now in _NOT_KNOWN and record["reason_code"]:
        parts.append(labels().of("reason", record["reason_code"]))
    said = [Text(short(clean(part.vi), MESSAGE), short(clean(part.en), MESSAGE)) for part in parts]
    return Text(
        "; ".join([f"{moved.vi}: {said[0].vi}", *(part.vi for part in said[1:])]),
        "; ".join([f"{moved.en}: {said[0].en}", *(part.en for part in said[1:])]),
    )


def _arrow(was: Text, now: Text) -> Text:
    return Text(f"{was.vi} → {now.vi}", f"{was.en} → {now.en}")


def _figures(before: int | None, now: int | None) -> Text:
    return same("–" if before is None else f"{before} → {0 if now is None else now}")


def _shrunk(kind: str, what: str) -> Text:
    named = same(clean(what, MAX_NAME))
    if kind in ("register", "figure"):
        named = labels().of("register" if kind == "register" else "chapter.figure", what)
    about = labels()(f"chapter.shrunk.{kind}")
    return Text(f"{about.vi}: {named.vi}", f"{about.en}: {named.en}")


def _head(one: Difference) -> Iterator[Text]:
    """The two sides, and what makes them compare badly."""
    for key, report in (("chapter.column.was", one.earlier), ("chapter.column.now", one.report)):
        readiness, name, at = report["readiness"], labels()(key), moment(report["assessed_at"])
        score = interval(readiness["score"]["lower"], readiness["score"]["upper"])
        level = text_of(readiness["level_label"])
        # A profile without gates concludes no level.
        counted = view.gate_count(report)[1]
        vi, en = (f" · {readiness['level']} {level.vi}", f" · {readiness['level']} {level.en}")
        yield Text(
            f"{name.vi}: {at.vi}{vi if counted else ''} · {score.vi}",
            f"{name.en}: {at.en}{en if counted else ''} · {score.en}",
        )
    if one.found.versions:
        which = [labels()(f"field.{key}") for key in one.found.versions]
        joined = Text(", ".join(w.vi for w in which), ", ".join(w.en for w in which))
        yield labels()("chapter.other_versions", which=joined)


def _counts(one: Difference) -> Text:
    found = one.found
    still = Counter(one.severity(change) for change in found.still_open)
    of = [(labels().of("severity", each.value), still[each]) for each in _SEVERITIES if still[each]]
    by = Text(*(", ".join(f"{getattr(name, lang)} {count}" for name, count in of) for lang in ("vi", "en")))
    return labels()(
        "diff.counts",
        new=len(found.new),
        changed=len(found.changed),
        fixed=len(found.fixed),
        vanished=len(found.vanished),
        open=len(found.still_open),
        by=Text(f" ({by.vi})", f" ({by.en})") if of else same(""),
    )


def closing(one: Difference, allow_incomplete: bool) -> Text:
    """Why the command ends with its code."""
    return labels()(
        "diff.exit_shrank" if one.shrank() else "diff.exit",
        code=one.code(allow_incomplete),
        severity=labels().of("severity", one.floor.value),
        violations=sum(map(one.counts, one.violations())),
        lost=sum(map(one.counts, one.lost())),
    )


def as_text(one: Difference, lang: Literal["vi", "en"], width: int = 80, color: bool = False) -> str:
    """One screen, or a few."""
    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    with console.capture() as captured:
        console.print(Line(_in(labels()("diff.title"), lang), "bold"))
        console.print(Line(_in(_subject(one), lang)))
        for line in _head(one):
            console.print(Line(_in(line, lang)))
        parts = list(_parts(one))
        for part in parts:
            console.print()
            console.print(Line(_in(part.title, lang), "bold"))
            console.print(_table(part, lang, width))
            if part.hidden:
                console.print(Line(_in(labels()("report.more_json", count=part.hidden), lang)))
        console.print()
        if not parts:
            console.print(Line(_in(labels()("diff.nothing"), lang)))
        console.print(Line(_in(_counts(one), lang)))
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _table(part: _Part, lang: Literal["vi", "en"], width: int) -> Table:
    table = Table(
        box=SIMPLE_HEAD,
        show_edge=False,
        expand=True,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    *first, last = part.columns
    for key in first:
        most = 12 if key == "column.severity" or width < ROOMY else 18
        table.add_column(Line(_in(labels()(key), lang)), overflow="fold", max_width=most)
    table.add_column(Line(_in(labels()(last), lang)), ratio=1, overflow="fold")
    for row in part.rows:
        table.add_row(*(Line(_in(cell, lang)) for cell in row))
    return table


def as_markdown(one: Difference, lang: Literal["vi", "en"]) -> str:
    """The same as Markdown, as job summaries and merge requests show it."""
    L = labels()

    def say(text: Text) -> str:
        return escaped(_in(text, lang))

    def row(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell or ' ' for cell in cells)} |\n"

    made = [f"# {say(L('diff.title'))}\n\n**{say(_subject(one))}**\n\n"]
    made += [f"- {say(line)}\n" for line in _head(one)]
    parts = list(_parts(one))
    for part in parts:
        made.append(f"\n## {say(part.title)}\n\n")
        made.append(row([say(L(key)) for key in part.columns]) + row(["---"] * len(part.columns)))
        made += [row([say(cell) for cell in cells]) for cells in part.rows]
        if part.hidden:
            made.append(f"\n{say(L('report.more_json', count=part.hidden))}\n")
    if not parts:
        made.append(f"\n{say(L('diff.nothing'))}\n")
    made.append(f"\n{say(_counts(one))}\n")
    return "".join(made)


def _subject(one: Difference) -> Text:
    name, scope = view.subject_title(one.report), labels().of("scope", one.report["scope"])
    profile = clean(one.report["profile"]["id"], MAX_NAME)
    return Text(f"{name.vi} · {scope.vi} · {profile}", f"{name.en} · {scope.en} · {profile}")


def _in(text: Text, lang: Literal["vi", "en"]) -> str:
    return clean(text.vi if lang == "vi" else text.en)
