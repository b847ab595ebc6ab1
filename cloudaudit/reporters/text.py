"""The report on a terminal: what a person needs before opening the full one, in one language.

Every line fits the width, with the true width of Vietnamese letters. It reads the same without
colour: each outcome has a sign and a word. Names that clouds gave are shown, never obeyed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text as Line

from cloudaudit.model import Text
from cloudaudit.reporters import Context, details, view
from cloudaudit.reporters.cases import Bench, Case
from cloudaudit.reporters.spots import declared_at
from cloudaudit.reporters.standing import days, is_violation, known_of, remaining
from cloudaudit.reporters.words import MAX_NAME, clean, figure, interval, labels, moment, short, text_of

ROWS_PER_CONTROL: Final = 3
CONTROLS: Final = 12
REASONS: Final = 10
WAIVERS: Final = 10
NAMED: Final = 9
"""Controls named of those that are told together."""
MESSAGE: Final = 240
BAR: Final = 22
REGISTERS: Final = "registers"
"""The target of what was declared and not collected."""
LABELS: Final = 30
"""Columns of the names in the summary, with the gap after them."""
STYLE: Final[Mapping[str, str]] = {
    "pass": "green",
    "open": "green",
    "fail": "bold red",
    "blocked": "bold red",
    "expired": "yellow",
    "unknown": "magenta",
    "manual_pending": "magenta",
    "indeterminate": "magenta",
    "waived": "cyan",
    "conditional": "cyan",
}


class TextReporter:
    """One screen, or a few, of plain text."""

    media_type = "text/plain"

    def render(self, report: Mapping[str, Any], context: Context) -> str:
        console = Console(
            file=StringIO(),
            width=context.width,
            force_terminal=context.color,
            color_system="standard" if context.color else None,
            no_color=not context.color,
            markup=False,
            highlight=False,
            emoji=False,
            legacy_windows=False,
            _environ={},
        )
        with console.capture() as captured:
            for part in _Screen(report, context).parts():
                console.print(part)
        return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


class _Screen:
    """The parts of one report, in the order they are printed."""

    def __init__(self, report: Mapping[str, Any], context: Context) -> None:
        self.report = report
        self.baseline = context.baseline
        self.readiness = report["readiness"]
        self.lang = context.lang
        self.width = context.width
        self.bar = max(6, min(BAR, context.width - 48))
        self.groups = view.groups(report)
        self.bench = Bench.of(report, context)
        self.controls = context.controls

    def say(self, text: Text) -> str:
        return clean(text.vi if self.lang == "vi" else text.en)

    def label(self, key: str, **filled: object) -> str:
        return self.say(labels()(key, **filled))

    def parts(self) -> Iterable[RenderableType]:
        yield from self._head()
        yield self._summary()
        yield from self._reasons()
        yield from self._gates()
        yield from self._dimensions()
        yield from self._blocking()
        yield from self._unknowns()
        yield from self._waivers()
        yield from self._known()
        yield from self._foot()

    def heading(self, text: str) -> Iterable[RenderableType]:
        yield ""
        yield Line(text, "bold")

    def signed(self, key: str, label: Text) -> Line:
        """A sign and a word, coloured where there is colour."""
        return Line(f"{view.SYMBOL[key]} {self.say(label)}", STYLE.get(key, ""))

    # --- summary ----------------------------------------------------------------------------------

    def _head(self) -> Iterable[RenderableType]:
        yield Line(self.say(view.title(self.report)), "bold")
        subject = self.say(view.subject_title(self.report))
        scope = self.say(labels().of("scope", self.report["scope"]))
        yield Line(f"{self.label('title.subtitle')} · {subject} · {scope}")
        yield ""

    def _summary(self) -> Table:
        r = self.readiness
        open_, all_ = view.gate_count(self.report)
        state = self.signed(r["gate_state"], labels().of("gates_state", r["gate_state"]))
        state.append(f" ({self.label('report.gates_open_short', open=open_, all=all_)})")
        level = Line(f"{r['level']}  ", "bold").append(self.say(text_of(r["level_label"])))
        coverage = self.say(figure(r["coverage"], "%"))
        collected = self.say(figure(r["collection_coverage"], "%"))
        time = f"{self.say(moment(self.report['assessed_at']))} ({self.label('report.local_time')})"
        rows: list[tuple[str, str | Line]] = [
            *([(self.say(labels().of("level_name", self.report["scope"])), level)] if all_ else []),
            *([(self.label("figure.gates"), state)] if all_ else []),
            (self.label("figure.score"), self.say(interval(r["score"]["lower"], r["score"]["upper"]))),
            (self.label("figure.coverage"), coverage),
            (self.label("figure.collection_coverage"), collected),
            (self.label("figure.weakest"), self._weakest()),
            (self.label("figure.assurance"), self.say(figure(r["assurance"], "%"))),
            *([(self.label("field.claims"), self.say(view.claims(self.report)))] if self._claims() else []),
            (self.label("field.assessed_at"), time),
            (self.label("field.profile"), self._profile()),
            (self.label("field.controls"), self._counts()),
        ]
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(max_width=LABELS - 2)
        table.add_column(overflow="fold")
        for name, value in rows:
            table.add_row(Line(name), value if isinstance(value, Line) else Line(value))
        return table

    def _claims(self) -> bool:
        """Whether claims are spoken of: always of readiness, else only where the profile judges them."""
        judged = any(entry["id"] == view.CLAIMS_CONTROL for entry in self.report["controls"])
        return bool(judged or self.report["claims"]) or view.concludes(self.report)

    def _weakest(self) -> str:
        weakest = self.readiness["weakest"]
        if weakest is None:
            return "–"
        name = self.say(labels().of("dimension", weakest["dimension"]))
        return f"{weakest['dimension']} {self.say(figure(weakest['score']))} ({name})"

    def _profile(self) -> str:
        profile = self.report["profile"]
        return clean(f"{profile['id']} {profile['version']}")

    def _counts(self) -> Line:
        """How many controls came to each verdict; also the key to the signs."""
        counts: Counter[str] = Counter(entry["verdict"] for entry in self.report["controls"])
        found, used = Line(), 0
        for key in view.WORST_FIRST:
            if counts[key]:
                piece = f"{view.SYMBOL[key]} {counts[key]} {self.say(view.outcome_label(key))}"
                used += cell_len(piece) + 3
                if found:
                    found.append("\n" if used > self.width - LABELS else "   ")
                used = used if used <= self.width - LABELS else cell_len(piece) + 3
                found.append(piece, STYLE.get(key, ""))
        return found

    def _reasons(self) -> Iterable[RenderableType]:
        # Where no level is concluded, none is higher.
        if self.readiness["reasons"] and view.gate_count(self.report)[1]:
            yield from self.heading(self.label("figure.reasons"))
            yield from (self._item(self.say(text_of(reason))) for reason in self.readiness["reasons"])

    def _item(self, text: str | Line, sign: str | Line = "–") -> RenderableType:
        row = Table.grid(padding=(0, 1, 0, 0))
        row.add_column(width=2, justify="right")
        row.add_column(overflow="fold")
        row.add_row(*(Line(part) if isinstance(part, str) else part for part in (sign, text)))
        return row

    # --- gates and dimensions -----------------------------------------------------------------------

    def _gates(self) -> Iterable[RenderableType]:
        if not self.readiness["gates"]:
            return
        yield from self.heading(self.label("figure.gates"))
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(no_wrap=True)
        table.add_column(ratio=1, overflow="fold")
        table.add_column(overflow="fold", max_width=16)
        for gate in self.readiness["gates"]:
            title = self.say(text_of(gate["title"]))
            if gate["final"]:
                title += f" ({self.label('report.final_gate')})"
            state = self.signed(gate["state"], labels().of("gate_state", gate["state"]))
            table.add_row(Line(clean(gate["id"])), Line(title), state)
        yield table

    def _dimensions(self) -> Iterable[RenderableType]:
        if not self.readiness["dimensions"]:
            return
        table = self._table()
        table.add_column(Line(self.label("column.id")), no_wrap=True)
        table.add_column(Line(self.label("column.dimension")), ratio=1, overflow="fold")
        table.add_column(Line("0 – 100"), width=self.bar, no_wrap=True)
        table.add_column(Line(self.label("report.score_short")), width=15)
        table.add_column(Line(self.label("report.coverage_short")), width=8, justify="right")
        for entry in self.readiness["dimensions"]:
            id_, name = Line(clean(entry["id"])), Line(self.say(labels().of("dimension", entry["id"])))
            if entry["not_applicable"]:
                table.add_row(id_, name, Line(self.label("verdict.not_applicable")), Line("–"), Line("–"))
                continue
            bounds = self.say(interval(entry["lower"], entry["upper"]))
            coverage = self.say(figure(entry["coverage"], "%"))
            bar = _bar(entry["lower"], entry["upper"], self.bar)
            table.add_row(id_, name, bar, Line(bounds), Line(coverage))
        yield ""
        yield table
        parts = zip("█░·", ("bar_lower", "bar_open", "bar_rest"), strict=True)
        yield Line(" ".join(f" {sign} {self.label(f'report.{key}')} " for sign, key in parts))

    def _table(self) -> Table:
        return Table(
            box=SIMPLE_HEAD,
            show_edge=False,
            expand=True,
            pad_edge=False,
            padding=(0, 1, 0, 0),
            header_style="bold",
        )

    # --- findings -----------------------------------------------------------------------------------

    def _blocking(self) -> Iterable[RenderableType]:
        blocks, _ = view.top(self.groups)
        chosen = [group for group in self.groups if group.worst in view.UNMET and (group.gate or not blocks)]
        gated = view.gate_count(self.report)[1]
        unmet = not blocks and (chosen or not gated)
        yield from self.heading(self.label("report.unmet" if unmet else "figure.top_blocking"))
        if gated and not blocks:
            yield Line(self.label("report.nothing_blocks"))
        if not chosen:
            if not gated:
                yield Line(self.label("report.nothing"))
            return
        entries = view.alike(sorted(chosen, key=lambda one: -view.severity_weight(one.control)))
        shown = self._shown(entries)
        for one in shown:
            yield from self._together(one) if isinstance(one, view.Alike) else self._control(one)
        hidden = sum(map(_size, entries)) - sum(map(_size, shown))
        if hidden:
            yield ""
            yield Line(self.label("report.more", count=hidden))
        others = sum(len(_unmet(group)) for group in self.groups if group.gate is None) if blocks else 0
        if others:
            yield ""
            yield Line(self.label("report.not_gating", count=others))

    def _shown(self, entries: Sequence[view.Group | view.Alike]) -> list[view.Group | view.Alike]:
        """The controls there is room for: new violations, then what is not known, then what is known.

        Each the most severe first, as they come. The first two share the room, so that a flood of one hides
        no other.
        """
        parts: tuple[list[view.Group | view.Alike], ...] = ([], [], [])
        for one in entries:
            unmet = [] if isinstance(one, view.Alike) else _unmet(one)
            if any(is_violation(record) and not known_of(record, self.baseline) for record in unmet):
                parts[0].append(one)
            else:
                parts[2 if any(map(is_violation, unmet)) else 1].append(one)
        each = view.fair_limit(map(len, parts[:2]), CONTROLS)
        return [*parts[0][:each], *parts[1][:each], *parts[2]][:CONTROLS]

    def _together(self, one: view.Alike) -> Iterable[RenderableType]:
        """Controls of which nothing is known for the same reasons: the ids, and once where and why."""
        others, more = one.controls[1:NAMED], len(one.controls) - NAMED
        named = ", ".join([*others, *([f"… (+{more})"] if more > 0 else [])])
        yield ""
        yield self._named(one.controls[0], self.label("report.alike_others", controls=named))
        label = self.say(view.outcome_label("unknown"))
        places = ", ".join(one.places[:2]) + (f" … (+{len(one.places) - 2})" if len(one.places) > 2 else "")
        why = "; ".join(
            self.say(labels().of("reason", code)) + (f" – {self.say(details.told(detail))}" if detail else "")
            for code, detail in one.reasons
        )
        line = Line.assemble((label, STYLE["unknown"]), f": {places}\n{short(why, MESSAGE)}")
        yield self._item(line, Line(view.SYMBOL["unknown"], STYLE["unknown"]))

    def _control(self, group: view.Group) -> Iterable[RenderableType]:
        """A control, its resources under it, and at the end what to do."""
        control = group.control
        severity = self.say(labels().of("severity", control["severity"]))
        told = f"{severity}, {clean(group.gate)}" if group.gate else severity
        title = self.say(text_of(control["title"]))
        yield ""
        yield self._named(control["id"], f"[{told}] {title}")
        # What is new goes first: it is what fails the gate.
        records = sorted(_unmet(group), key=lambda one: known_of(one, self.baseline) is not None)
        for record in records[:ROWS_PER_CONTROL]:
            yield self._finding(record)
        if len(records) > ROWS_PER_CONTROL:
            yield self._item(self.label("report.more", count=len(records) - ROWS_PER_CONTROL), "")
        fix = self._fix(control)
        if fix and any(map(is_violation, records)):
            yield self._item(f"{self.label('pipeline.remediation')}: {fix}", "→")

    def _named(self, id_: str, told: str) -> RenderableType:
        head = Table.grid(padding=(0, 1, 0, 0))
        head.add_column(no_wrap=True, max_width=self.width // 3)
        head.add_column(overflow="fold")
        head.add_row(Line(clean(id_), "bold"), Line(told, "bold"))
        return head

    def _finding(self, record: view.Record) -> RenderableType:
        """A sign, a verdict and a resource with its place; under it what was found."""
        case, key = self.bench.case(record), view.outcome(record)
        unseen = view.is_scope(record)
        verdict = self.say(view.outcome_label(key))
        if record["verdict"] == "unknown" and not unseen:
            verdict += f" ({self.say(labels().of('reason', case.reason))})"
        told = f": {view.place(record)}"
        if place := declared_at(record) or ("" if unseen else _place(case)):
            told += f" [{place}]"
        if known := known_of(record, self.baseline):
            told += f" ({self.label('report.known_for', days=_age(known.since, self.report))})"
        told += f"\n{short(self.say(case.found), MESSAGE)}"
        if case.missing:
            told += f"\n{short(self.label('report.not_seen', facts=case.missing), MESSAGE)}"
        line = Line.assemble((verdict, STYLE.get(key, "")), told)
        return self._item(line, Line(view.SYMBOL[key], STYLE.get(key, "")))

    def _fix(self, control: Mapping[str, Any]) -> str:
        """What to do, where the catalogue at hand has the very control that judged."""
        known = self.controls.get(control["id"])
        if known is None or known.digest != control["sha256"]:
            return ""
        return short(self.say(known.remediation.text), MESSAGE)

    def _unknowns(self) -> Iterable[RenderableType]:
        found = view.unknowns(self.report)
        if not found:
            return
        yield from self.heading(self.label("section.12"))
        yield Line(self.label("sentence.unknown_is_no_pass"))
        table = self._table()
        table.add_column(Line(self.label("column.reason")), width=20, overflow="fold")
        table.add_column(Line(self.label("column.count")), width=8, justify="right")
        table.add_column(Line(self.label("column.remedy")), ratio=1, overflow="fold")
        for one in found[:REASONS]:
            table.add_row(Line(self.say(one.label)), Line(str(one.count)), Line(self.say(one.remedy)))
        yield table
        if len(found) > REASONS:
            yield Line(self.label("report.more", count=sum(one.count for one in found[REASONS:])))

    def _waivers(self) -> Iterable[RenderableType]:
        found = view.waived(self.report)
        if not found:
            return
        yield from self.heading(self.label("field.waivers"))
        for one in found[:WAIVERS]:
            control, count = clean(one.control), len(one.findings)
            if one.waiver is not None:
                name = f"{clean(one.waiver, MAX_NAME)} · {control} · {self.label('disposition.waived')}"
                if one.until is not None:
                    name += f" {self.label('report.waived_until', until=moment(one.until))}"
            else:
                refusal = self.say(one.refusal or Text("", ""))
                name = f"{control} · {self.label('disposition.refused')}: {refusal}"
            yield self._item(f"{name} ({self.label('column.count')}: {count})", view.SYMBOL["waived"])
        if len(found) > WAIVERS:
            yield self._item(self.label("report.more", count=len(found) - WAIVERS), "")

    def _known(self) -> Iterable[RenderableType]:
        """What a baseline takes out of the exit code, the oldest first."""
        found = remaining(self.report, self.baseline)
        if not found:
            return
        yield from self.heading(self.label("field.known"))
        for one in found[:WAIVERS]:
            at, age = moment(one.since), _age(one.since, self.report)
            since = self.label("report.known_since", since=at, days=age)
            name = short(f"{since} · {clean(one.reason)}", MESSAGE)
            count = f"{self.label('column.count')}: {len(one.findings)}"
            yield self._item(f"{name} ({count}; {short(', '.join(map(clean, one.controls)), MESSAGE)})")
        if len(found) > WAIVERS:
            hidden = sum(len(one.findings) for one in found[WAIVERS:])
            yield self._item(self.label("report.more", count=hidden), "")

    def _foot(self) -> Iterable[RenderableType]:
        yield ""
        if self.report["gaps"]:
            yield Line(self.label("report.gaps", count=len(self.report["gaps"])))
        for reason, ids in view.excluded(self.report):
            yield Line(
                self.label("report.not_judged", ids=", ".join(map(clean, ids)), reason=self.say(reason))
            )
        yield Line(self.label("report.full_report", path=clean(self.report["findings_file"]["path"])))
        yield ""
        if not self.report["profile"]["official"]:
            yield Line(self.say(text_of(self.report["profile"]["notice"])))
        yield Line(self.label("sentence.self_assessment"))
        concluded = view.concludes(self.report)
        yield Line(self.label("report.authority_decides" if concluded else "report.level_not_concluded"))


def _age(since: str, report: Mapping[str, Any]) -> str:
    found = days(since, report)
    return "–" if found is None else str(found)


def _place(case: Case) -> str:
    """Where in a cloud a resource is; nothing for what was declared in registers."""
    resource = case.record["resource"]
    if resource["target"] == REGISTERS:
        return ""
    parts = (resource["target"], resource["region"], case.project)
    return "/".join(clean(part, MAX_NAME) for part in parts if part)


def _unmet(group: view.Group) -> Sequence[view.Record]:
    return [record for record in group.findings if view.outcome(record) in view.UNMET]


def _size(one: view.Group | view.Alike) -> int:
    return len(one.findings if isinstance(one, view.Alike) else _unmet(one))


def _bar(lower: float, upper: float, width: int) -> Line:
    """What is shown to pass, what is not known, what is not met. No part is drawn longer than it is."""
    sure, possible = (int(bound * width / 100) for bound in (lower, upper))
    return Line("█" * sure + "░" * (possible - sure) + "·" * (width - possible))
