"""The report in brief as Markdown, as job summaries and merge requests show it.

Of the whole document: the result, what is not known, what is waived, planned and recommended; no annex.
Paragraphs, lists and tables without any HTML. Whatever a cloud said is escaped: it marks nothing up, links
to nothing and calls nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Literal

from cloudaudit.model import Text
from cloudaudit.reporters import Context, chapters, view
from cloudaudit.reporters.document import (
    Block,
    Cell,
    Document,
    Findings,
    Heading,
    Items,
    Pairs,
    Phrase,
    Picture,
    Prose,
    Section,
    Table,
)
from cloudaudit.reporters.words import clean, labels, same, text_of

MAX_BYTES: Final = 1_000_000
"""GitHub drops the whole summary of a step above 1 MiB; a little is left for what else the step says."""
SHOWN: Final = frozenset({"0", "4", "12", "13", "14", "15"})
"""Sections of the full form. The yearly form is short itself, and shown whole."""
MAX_ROWS: Final = 50
MAX_FINDINGS: Final = 20
MAX_LINES: Final = 20
"""Lines of one cell."""
MAX_TEXT: Final = 600
END: Final = 16_000
"""Bytes that are kept for what has to stand at the end."""

_MARKS: Final = re.compile(r"[\\`*_{}\[\]<>|~$&]")
_LINKS: Final = re.compile(r":(?=//)|(?<=www)\.|(?<=mailto):|(?<=xmpp):", re.IGNORECASE)
_FRONT: Final = re.compile(r"^(?:[#+\-=]|\d+(?=[.)](?:\s|$)))")
_CALLS: Final = re.compile(r"(?<=@)(?=\w)")
_JOINER: Final = "\N{WORD JOINER}"
"""Nobody sees it; an @ before it calls nobody and makes no address."""


class MarkdownReporter:
    """summary.md, in one language, with the fixed sentences in both."""

    media_type = "text/markdown"

    def render(self, report: Mapping[str, Any], context: Context) -> str:
        return brief(chapters.document(report, context), context.lang)


def brief(document: Document, lang: Literal["vi", "en"], most: int = MAX_BYTES) -> str:
    """A document in brief, at most so many bytes long, with what is left out told at its end."""
    writer = _Writer(document, lang)
    written, whole = [writer.head()], []
    room = most - END - len(written[0].encode())
    for section in document.sections:
        if document.form == "full" and section.number not in SHOWN:
            continue
        for part in writer.section(section):
            room -= len(part.encode())
            if room < 0:
                break
            written.append(part)
        if room < 0:
            break
        whole.append(section)
    missing = [section for section in document.sections if section not in whole]
    return "".join([*written, writer.end(missing, "".join(written))])


def escaped(text: str) -> str:
    """A text that Markdown shows as it is, wherever in a line, a list or a table it stands."""
    line = " ".join(text.split())
    marked = _LINKS.sub(r"\\\g<0>", _MARKS.sub(r"\\\g<0>", line))
    return _CALLS.sub(_JOINER, _FRONT.sub(_guarded, marked))


def _guarded(found: re.Match[str]) -> str:
    """What would begin a heading, a list, a quotation or an underline, so that it does not."""
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"


class _Writer:
    """Blocks of one document as Markdown, each with the empty line after it."""

    def __init__(self, document: Document, lang: Literal["vi", "en"]) -> None:
        self.document = document
        self.lang = lang

    def say(self, text: Text) -> str:
        return escaped(clean(text.vi if self.lang == "vi" else text.en, MAX_TEXT))

    def label(self, key: str, **filled: object) -> str:
        return self.say(labels()(key, **filled))

    def head(self) -> str:
        document = self.document
        return (
            f"# {self.say(document.title)}\n\n"
            f"**{self.say(document.subtitle)}** · {self.say(document.subject)}\n\n"
        )

    def section(self, section: Section) -> Iterator[str]:
        yield f"## {section.number}. {self.say(section.title)}\n\n"
        for block in section.blocks:
            yield from self.block(block)

    def block(self, block: Block) -> Iterator[str]:
        match block:
            case Heading():
                yield f"### {self.say(block.text)}\n\n"
            case Prose():
                yield self.prose(block)
            case Items():
                signs = (f"{n}." if block.numbered else "-" for n in range(1, len(block.entries) + 1))
                cells = map(self.cell, block.entries)
                yield self.lines(len(block.entries), map(" ".join, zip(signs, cells, strict=True)))
            case Pairs():
                rows = (f"- {self.say(name)}: {self.cell(value)}" for name, value in block.rows)
                yield self.lines(len(block.rows), rows)
            case Table():
                yield from self.table(block)
            case Findings():
                yield from self.findings(block)
            case Picture():
                # All it shows is in words beside it.
                return

    def prose(self, prose: Prose) -> str:
        if prose.style == "fixed":
            return quotation(prose.text)
        said = self.say(prose.text)
        return f"**{said}**\n\n" if said and prose.style == "warning" else f"{said}\n\n"

    def lines(self, count: int, lines: Iterator[str]) -> str:
        shown = "".join(f"{line}\n" for line in islice(lines, MAX_ROWS))
        return f"{shown}\n{self.more(count - MAX_ROWS)}"

    def more(self, count: int) -> str:
        return f"{self.label('report.more', count=count)}\n\n" if count > 0 else ""

    def cell(self, cell: Cell) -> str:
        parts = [self.phrase(phrase) for phrase in cell[:MAX_LINES]]
        if len(cell) > MAX_LINES:
            parts.append(self.label("word.and_more", count=len(cell) - MAX_LINES))
        return " · ".join(parts)

    def phrase(self, phrase: Phrase) -> str:
        sign = f"{view.SYMBOL[phrase.mark]} " if phrase.mark in view.SYMBOL else ""
        said = self.say(phrase.text)
        raw = clean(phrase.text.vi if self.lang == "vi" else phrase.text.en, MAX_TEXT).strip()
        if phrase.style == "code" and raw and not set(raw) & set("`\\|"):
            return f"{sign}`{raw}`"
        return f"{sign}**{said}**" if said and phrase.style == "strong" else f"{sign}{said}"

    def table(self, table: Table) -> Iterator[str]:
        yield f"**{self.say(table.title)}**\n\n"
        hidden = table.hidden + max(0, len(table.rows) - MAX_ROWS)
        rules = ("---:" if column.kind == "number" else "---" for column in table.columns)
        rows = [table_row(self.say(c.title) for c in table.columns), table_row(rules)]
        rows += [table_row(self.cell(cell) for cell in line) for line in table.rows[:MAX_ROWS]]
        yield "".join(rows) + "\n"
        yield self.more(hidden)

    def findings(self, block: Findings) -> Iterator[str]:
        """The findings of some controls, the worst first."""
        groups = [g for g in view.groups(self.document.report) if g.control["id"] in block.controls]
        found = [(group, record) for group in groups for record in group.findings]
        if not found:
            yield f"{self.label('report.nothing')}\n\n"
            return
        columns = ("column.control", "column.verdict", "column.resource", "column.message")
        rows = [table_row(self.label(key) for key in columns), table_row("---" for _ in columns)]
        for group, record in found[:MAX_FINDINGS]:
            key = view.outcome(record)
            verdict = self.phrase(Phrase(view.outcome_label(key), mark=key))
            place, message = self.say(same(view.place(record))), self.say(view.message(record))
            rows.append(table_row((escaped(clean(group.control["id"])), verdict, place, message)))
        yield "".join(rows) + "\n"
        yield self.more(len(found) - MAX_FINDINGS)

    def end(self, missing: Sequence[Section], written: str) -> str:
        """What is not above, and the sentences that no report may leave out, unless they are above."""
        report = self.document.report
        parts = []
        if missing:
            names = "; ".join(f"{section.number} {self.say(section.title)}" for section in missing)
            parts.append(f"{self.label('data.left_out')} {names}\n\n")
        fixed = [labels()("sentence.self_assessment")]
        if not report["profile"]["official"]:
            fixed.append(text_of(report["profile"]["notice"]))
        quoted = map(quotation, fixed)
        return "".join(["---\n\n", *parts, *(text for text in quoted if text not in written)])


def quotation(text: Text) -> str:
    """A fixed sentence, in both languages."""
    said = dict.fromkeys(escaped(clean(t, MAX_TEXT)) for t in (text.vi, text.en))
    return ">\n".join(f"> {one}\n" for one in said) + "\n"


def table_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell or ' ' for cell in cells)} |\n"
