"""What a step of a GitHub workflow says: annotations at files and lines, and the summary of the step.

GitHub shows ten errors and ten warnings of a step and drops the rest without a word, so that the worst come
first and one notice tells of all. A line is a command by how it begins; what a cloud says can begin none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cloudaudit.model import Severity, Text
from cloudaudit.reporters import Context, view
from cloudaudit.reporters.cases import (
    UNSETTLED,
    Bench,
    Case,
    Lang,
    Standing,
    counted,
    excuse,
    said,
    verdict_label,
)
from cloudaudit.reporters.markdown import escaped, quotation, table_row
from cloudaudit.reporters.words import clean, labels, short, text_of

MOST: Final = 10
"""Errors, and warnings, that GitHub shows of a step."""
MAX_TEXT: Final = 700
MAX_TITLE: Final = 150

MAX_BYTES: Final = 1_000_000
"""GitHub drops the summary of a step above 1 MiB as a whole; a little is left for what else the step says."""
END: Final = 16_000
"""Bytes that are kept for what has to stand at the end of the summary."""
MAX_ROWS: Final = 200
MAX_IDS: Final = 30


class AnnotationsReporter:
    """Commands for the log of a step, each on a line of its own: errors, warnings, one notice."""

    media_type = "text/plain"

    def render(self, report: Mapping[str, Any], context: Context) -> str:
        bench = Bench.of(report, context)
        errors, warnings = _severe(bench)
        chosen = warnings[Standing.VIOLATION], warnings[Standing.UNKNOWN]
        each = view.fair_limit(map(len, chosen), MOST)
        shown = [
            *(_command("error", case, context.lang) for case in errors[:MOST]),
            *(_command("warning", case, context.lang) for cases in chosen for case in cases[:each]),
        ]
        hidden = {
            "violations": max(0, len(errors) - MOST) + max(0, len(chosen[0]) - each),
            "unsettled": max(0, len(chosen[1]) - each),
        }
        return "".join(f"{line}\n" for line in [*shown, _notice(bench, hidden, context.lang)])


def _severe(bench: Bench) -> tuple[list[Case], dict[Standing, list[Case]]]:
    """New violations that a reader must not miss; then those of less weight, and what is not known."""
    violations = bench.worst_first(Standing.VIOLATION)
    severe = [case for case in violations if case.severity.at_least(Severity.HIGH)]
    return severe, {
        Standing.VIOLATION: [case for case in violations if not case.severity.at_least(Severity.HIGH)],
        Standing.UNKNOWN: bench.worst_first(Standing.UNKNOWN, Standing.PENDING),
    }


def _command(name: str, case: Case, lang: Lang) -> str:
    title = short(f"{case.control['id']}: {said(case.title, lang)}", MAX_TITLE)
    place = labels()("pipeline.declared_at" if case.spot.exact else "pipeline.target_at", place=case.at)
    lines = (short(said(case.message, lang), MAX_TEXT), case.thing, said(place, lang))
    properties = {"file": case.spot.path, "line": str(case.spot.line), "title": title}
    return command(name, properties, "\n".join(lines))


def _notice(bench: Bench, hidden: Mapping[str, int], lang: Lang) -> str:
    counts = counted(bench.cases())
    lines = [_counts(counts)]
    if bench.baseline is not None:
        lines.append(labels()("pipeline.new_only"))
    if any(hidden.values()):
        lines.append(labels()("pipeline.not_shown", **hidden))
    title = short(f"cloudaudit: {said(view.subject_title(bench.report), lang)}", MAX_TITLE)
    return command("notice", {"title": title}, "\n".join(said(line, lang) for line in lines))


def _counts(counts: Mapping[Standing, int]) -> Text:
    named = {standing.value: count for standing, count in counts.items()}
    return labels()("pipeline.counts", violations=named.pop("violation"), **named)


def command(name: str, properties: Mapping[str, str], data: str) -> str:
    """A command as the runner reads it back. The texts are clean but for the ends of lines in `data`."""
    given = ",".join(f"{key}={_of_property(value)}" for key, value in properties.items())
    return f"::{name} {given}::{_of_data(data)}"


def _of_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _of_property(text: str) -> str:
    return _of_data(text).replace(":", "%3A").replace(",", "%2C")


class SummaryReporter:
    """The summary of a step as Markdown: what violates now, what is not known, what is known or waived."""

    media_type = "text/markdown"

    def render(self, report: Mapping[str, Any], context: Context) -> str:
        return summary(Bench.of(report, context), context.lang)


def summary(bench: Bench, lang: Lang, most: int = MAX_BYTES) -> str:
    """The summary in at most so many bytes. Sections share its room; what is left out is counted."""
    writer = _Summary(bench, lang)
    written = [writer.head()]
    room = most - END - len(written[0].encode())
    for section in (writer.violations, writer.unknowns, writer.excused):
        # Half of what is left at most, so that a flood of one kind hides no other.
        text = section(room // 2)
        room -= len(text.encode())
        written.append(text)
    return "".join([*written, writer.end()])


class _Summary:
    """The sections of the summary, each within the bytes it is given."""

    def __init__(self, bench: Bench, lang: Lang) -> None:
        self.bench = bench
        self.lang = lang

    def say(self, text: Text) -> str:
        return escaped(said(text, self.lang))

    def label(self, key: str, **filled: object) -> str:
        return self.say(labels()(key, **filled))

    def head(self) -> str:
        report = self.bench.report
        profile = f"{report['profile']['id']} {report['profile']['version']}"
        lines = [self.say(_counts(counted(self.bench.cases())))]
        if self.bench.baseline is not None:
            lines.append(self.label("pipeline.new_only"))
        return (
            f"# {self.say(view.short_title(report))}\n\n"
            f"**{self.say(view.subject_title(report))}** · {escaped(clean(profile))}\n\n"
            + "".join(f"{line}\n\n" for line in lines)
        )

    def violations(self, room: int) -> str:
        heading = f"## {self.label('standing.violation')}\n\n"
        cases = self.bench.worst_first(Standing.VIOLATION)
        if not cases:
            return f"{heading}{self.label('pipeline.no_violation')}\n\n"
        return heading + self.table(cases, room)

    def unknowns(self, room: int) -> str:
        cases = self.bench.worst_first(*UNSETTLED)
        if not cases:
            return ""
        heading = f"## {self.label('pipeline.unchecked')}\n\n"
        columns = ("column.reason", "column.count", "column.control", "pipeline.remediation")
        lines = [table_row([self.label(key) for key in columns]), table_row(["---", "---:", "---", "---"])]
        for one in view.unknowns(self.bench.report):
            ids = ", ".join(map(clean, one.controls[:MAX_IDS]))
            if len(one.controls) > MAX_IDS:
                more = self.label("word.and_more", count=len(one.controls) - MAX_IDS)
                ids = f"{ids}, {more}"
            lines.append(table_row([self.say(one.label), str(one.count), escaped(ids), self.say(one.remedy)]))
        by_reason = "".join(lines) + "\n"
        return heading + by_reason + self.table(cases, room - len(by_reason.encode()))

    def excused(self, room: int) -> str:
        cases = self.bench.worst_first(Standing.KNOWN, Standing.WAIVED)
        if not cases:
            return ""
        heading = f"## {self.label('standing.known')}, {self.label('standing.waived')}\n\n"
        return heading + self.table(cases, room)

    def table(self, cases: Sequence[Case], room: int) -> str:
        columns = (
            "column.severity", "column.control", "column.verdict", "column.resource", "pipeline.file_line",
            "column.message",
        )  # fmt: skip
        lines = [table_row([self.label(key) for key in columns]), table_row("---" for _ in columns)]
        room -= sum(len(line.encode()) for line in lines)
        shown = 0
        for case in cases[:MAX_ROWS]:
            line = table_row(self.cells(case))
            room -= len(line.encode())
            if room < 0:
                break
            lines.append(line)
            shown += 1
        left = len(cases) - shown
        more = f"{self.label('report.more', count=left)}\n\n" if left else ""
        return f"{''.join(lines)}\n{more}"

    def cells(self, case: Case) -> Iterator[str]:
        yield self.say(labels().of("severity", case.severity.value))
        yield f"**{escaped(clean(case.control['id']))}** {self.say(case.title)}"
        yield f"{view.SYMBOL[view.outcome(case.record)]} {self.say(verdict_label(case))}"
        yield escaped(case.thing)
        yield escaped(case.at)
        why = excuse(case, self.bench.report)
        told = [*([said(why, self.lang)] if why else []), said(case.found, self.lang)]
        yield escaped(short("; ".join(told), MAX_TEXT))

    def end(self) -> str:
        report = self.bench.report
        fixed = [labels()("sentence.self_assessment")]
        if not report["profile"]["official"]:
            fixed.append(text_of(report["profile"]["notice"]))
        return f"---\n\n{self.label('pipeline.where_all')}\n\n" + "".join(map(quotation, fixed))
