"""What the formats for paper share: which language leads, findings as tables, packages that may be missing.

PDF and DOCX set a `Document` block by block. In Vietnamese the English stands small beside headings,
columns and fixed sentences only; in English nothing else does. Sentences that no report may leave out
stand in both languages always.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, Final, Literal

from cloudaudit.errors import CloudauditError
from cloudaudit.model import Text
from cloudaudit.reporters import Context, details, view
from cloudaudit.reporters.chapters.writing import reasons
from cloudaudit.reporters.document import (
    Block,
    Cell,
    Column,
    Document,
    Findings,
    Heading,
    Phrase,
    Prose,
    Section,
    Table,
    cell,
)
from cloudaudit.reporters.spots import declared_at
from cloudaudit.reporters.words import MAX_NAME, clean, labels, text_of

MOST_FINDINGS: Final = 500
"""Findings printed in all; typesetting each hundred costs some twenty megabytes. The rest are counted."""
MOST_PLACES: Final = 12
"""Resources named of controls that are told together."""
SHORT: Final = 600
"""Letters of a paragraph that goes to the next page with the table it introduces."""
SHORT_WORD: Final = 12
"""Letters of a word that stays on one line: dates, ids of controls, words of headings."""
WIDEST: Final = 1.0
"""Ems no letter is wider than."""
_WIDE: Final = frozenset("MWmw@%ŒœÆ—…\N{REPLACEMENT CHARACTER}")
STRANGERS: Final = frozenset({"registers"})
"""Targets that are none: what is declared has no place in a cloud."""

Lang = Literal["vi", "en"]


@dataclass(frozen=True, slots=True)
class Voice:
    """Which language leads, and which stands small beside it."""

    lang: Lang

    def main(self, text: Text) -> str:
        return text.vi if self.lang == "vi" else text.en

    def beside(self, text: Text) -> str:
        """The English beside a Vietnamese heading or column; empty where it says the same."""
        return text.en if self.lang == "vi" and text.en != text.vi else ""

    def always_beside(self, text: Text) -> str:
        """The other language of a sentence that stands in both."""
        other = text.en if self.lang == "vi" else text.vi
        return other if text.en != text.vi else ""


# --- the first pages --------------------------------------------------------------------------------


def cover(document: Document) -> tuple[tuple[Block, ...], tuple[Section, ...]]:
    """What stands on the cover, and the sections after it: the summary is what 0 says under headings."""
    first, *rest = document.sections
    if first.number != "0":
        return (), document.sections
    blocks = first.blocks
    end = next((n for n, block in enumerate(blocks) if isinstance(block, Heading)), len(blocks))
    summary = replace(first, title=labels()("print.summary"), blocks=blocks[end:])
    return blocks[:end], (*((summary,) if summary.blocks else ()), *rest)


def level(report: Mapping[str, Any]) -> Text:
    """The level in a line; where none is concluded, the profile that was judged by."""
    opened, counted = view.gate_count(report)
    if not counted:
        profile = report["profile"]
        return text_of(profile.get("title"), str(profile["id"]))
    name = text_of(report["readiness"]["level_label"])
    number = report["readiness"]["level"]
    return labels()("report.level_and_gates", level=number, name=name, open=opened, all=counted)


def breadth(letter: str) -> float:
    """About how many ems a letter takes, bold or not."""
    return WIDEST if letter in _WIDE else 0.7 if letter.isupper() else 0.52


def shares(table: Table, voice: Voice, room: float, inset: float) -> list[float]:
    """The widths of columns: as the table says, but wide enough for their short words, such as dates and ids.

    `room` is the width of the page and `inset` that of a cell's margins, both in ems of the table's letters.
    Where there is no room for all, everything stays as the table says.
    """
    needs = [_need(table, n, voice) + inset for n in range(len(table.columns))]
    asked = [column.share for column in table.columns]
    narrow: set[int] = set()
    while True:
        free = room - sum(needs[n] for n in narrow)
        whole = sum(share for n, share in enumerate(asked) if n not in narrow)
        widths = [
            needs[n] if n in narrow else free * share / whole if whole else 0.0
            for n, share in enumerate(asked)
        ]
        found = {n for n, width in enumerate(widths) if n not in narrow and width < needs[n]}
        if not found:
            return widths if narrow and free >= 0 else asked
        narrow |= found


def _need(table: Table, n: int, voice: Voice) -> float:
    """Ems of the longest short word of a column. A sign before a word takes its place on the line too."""
    column = table.columns[n]
    heads = (voice.main(column.title), voice.beside(column.title))
    widest = max((_ems(word) for text in heads for word in text.split()), default=0.0)
    if column.kind == "code":
        return widest
    for row in table.rows:
        for phrase in row[n]:
            words = voice.main(phrase.text).split()
            for word in words:
                # NOTE: what is longer is a name or an address, which may break after its signs.
                if len(word) <= SHORT_WORD:
                    sign = 1.3 if phrase.mark and word is words[0] else 0.0
                    widest = max(widest, _ems(word) + sign)
    return widest


def _ems(word: str) -> float:
    return sum(map(breadth, word)) if len(word) <= SHORT_WORD else 0.0


def introduces(blocks: Sequence[Block]) -> bool:
    """Whether the first of these is a short paragraph that a table follows, and stays on its page."""
    for block in blocks:
        if not isinstance(block, Prose) or len(block.text.vi) > SHORT:
            return isinstance(block, Table)
    return False


# --- packages ---------------------------------------------------------------------------------------


def check_packages(format_: str, extra: str, *modules: str) -> None:
    """Refuse a format whose packages are not installed; imports none of them."""
    if not all(map(find_spec, modules)):
        raise CloudauditError(
            f"the format '{format_}' needs packages that are not installed",
            hint=f"install them with: pip install 'cloudaudit-vn[{extra}]'",
        )


# --- findings as tables -----------------------------------------------------------------------------


def spelled_out(document: Document, context: Context) -> Document:
    """The document with every `Findings` block in words: a heading, what to do, and a table by control.

    No control is told twice: where a later block has it again, it is only there that it is left out.
    """
    known = view.groups(document.report)
    # NOTE: what is told together does not count; the room is for findings that differ.
    limit = view.fair_limit((len(group.findings) for group in known), MOST_FINDINGS)
    told: set[str] = set()
    sections = []
    for section in document.sections:
        blocks: list[Block] = []
        for block in section.blocks:
            if isinstance(block, Findings):
                chosen = [g for g in known if g.control["id"] in block.controls - told]
                told |= {group.control["id"] for group in chosen}
                entries = view.alike(chosen)
                alone = [one for one in entries if isinstance(one, view.Group)]
                blocks += _findings(alone, limit, document.report, context)
                blocks += _alike(block.id, [one for one in entries if isinstance(one, view.Alike)])
            else:
                blocks.append(block)
        sections.append(replace(section, blocks=tuple(blocks)))
    return replace(document, sections=tuple(sections))


def anchor(control: str) -> str:
    """The id of the table of a control's findings, by which words that lead to the control find it."""
    return f"findings-{control}"


def _findings(
    groups: Sequence[view.Group], limit: int, report: Mapping[str, Any], context: Context
) -> Iterator[Block]:
    for group in groups:
        id_ = group.control["id"]
        title = text_of(group.control["title"], id_)
        yield Heading(Text(f"{id_} – {title.vi}", f"{id_} – {title.en}"))
        yield Prose(_summary(group), "note")
        yield from _measures(id_, context)
        shown = group.findings[:limit]
        yield Table(
            anchor(id_),
            labels()("print.findings_of", control=id_),
            (
                Column(labels()("column.verdict"), 1.3),
                Column(labels()("column.resource"), 2.2),
                Column(labels()("column.message"), 4),
            ),
            tuple(_row(record, report) for record in shown),
            len(group.findings) - len(shown),
        )


def _alike(id_: str, found: Sequence[view.Alike]) -> Iterator[Block]:
    """Controls of a section of which nothing is known for the same reasons, in one table."""
    if not found:
        return
    title = labels()("print.alike")
    yield Heading(title)
    yield Prose(labels()("print.alike_note"), "note")
    yield Table(
        f"{id_}-alike",
        title,
        (
            Column(labels()("column.reason"), 2.4),
            Column(labels()("column.resource"), 1.6),
            Column(labels()("field.controls"), 4),
            Column(labels()("column.count"), 0.7, "number"),
        ),
        tuple(
            (
                reasons(one),
                _places(one),
                tuple(Phrase(_titled(group.control)) for group in one.groups),
                cell(str(len(one.findings))),
            )
            for one in found
        ),
    )


def _places(one: view.Alike) -> Cell:
    shown = cell(*one.places[:MOST_PLACES])
    more = len(one.places) - MOST_PLACES
    return (*shown, *cell(labels()("word.and_more", count=more), style="muted")) if more > 0 else shown


def _titled(control: Mapping[str, Any]) -> Text:
    title = _clean(text_of(control["title"], control["id"]))
    return Text(f"{control['id']} – {title.vi}", f"{control['id']} – {title.en}")


def _summary(group: view.Group) -> Text:
    """Severity, gate, and how many findings there are of each outcome."""
    words = labels()
    parts = [words.of("severity", group.control["severity"])]
    if group.gate is not None:
        name = words("column.gate")
        parts.append(Text(f"{name.vi} {group.gate}", f"{name.en} {group.gate}"))
    for key in view.WORST_FIRST:
        if group.counts.get(key):
            label = view.outcome_label(key)
            parts.append(Text(f"{label.vi}: {group.counts[key]}", f"{label.en}: {group.counts[key]}"))
    return Text("; ".join(p.vi for p in parts), "; ".join(p.en for p in parts))


def _measures(id_: str, context: Context) -> Iterator[Block]:
    control = context.controls.get(id_)
    if control is not None and control.remediation.text.vi:
        label, text = labels()("field.remediation"), control.remediation.text
        vi, en = clean(text.vi), clean(text.en)
        yield Prose(Text(f"{label.vi}: {vi}", f"{label.en}: {en}"))


def _row(record: Mapping[str, Any], report: Mapping[str, Any]) -> tuple[Cell, ...]:
    resource, outcome = record["resource"], view.outcome(record)
    scope = view.is_scope(record)
    project = view.project(report, resource["project"])
    where = "/".join(p for p in (resource["target"], resource["region"], project) if p)
    about: list[Phrase] = list(cell(view.place(record), style="strong"))
    about += cell(clean(resource["type"], MAX_NAME), style="muted")
    if not scope and resource["target"] not in STRANGERS:
        about += cell(clean(where, MAX_NAME), style="muted")
    if code := declared_at(record):
        about += cell(code, style="muted")
    said: list[Phrase] = list(cell(view.message(record)))
    if record["reason_code"] and not scope:
        said += cell(labels().of("reason", record["reason_code"]), style="muted")
    if detail := details.of(record):
        said += cell(detail, style="muted")
    if record["waiver"]:
        said += cell(labels()("print.waiver", id=clean(record["waiver"], MAX_NAME)), style="muted")
    if record["refused_waiver"]:
        said += cell(_clean(text_of(record["refused_waiver"])), style="muted")
    return cell(view.outcome_label(outcome), mark=outcome), tuple(about), tuple(said)


def _clean(text: Text) -> Text:
    return Text(clean(text.vi), clean(text.en))
