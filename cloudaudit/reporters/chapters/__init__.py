"""The chapters of a report: which sections it has, and what each says.

The sections and their numbers are those of the readiness report's specification: 0 to 15 and the annexes
A to E; the short yearly form has 0, 2, 4, 10 and 14. A chapter reads report.json, the findings and the
registers; it orders and words, computes no figure of readiness and draws no conclusion of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from cloudaudit.model import Text
from cloudaudit.reporters import Context, view
from cloudaudit.reporters.chapters import annexes, closing, overview, subjects
from cloudaudit.reporters.chapters.matter import Matter, gather
from cloudaudit.reporters.document import (
    Block,
    Cell,
    Document,
    Heading,
    Items,
    Pairs,
    Picture,
    Prose,
    Section,
    Table,
)
from cloudaudit.reporters.words import clean, labels

Write = Callable[[Matter], tuple[Block, ...]]

SECTIONS: Final[Mapping[str, Write]] = {
    "0": overview.summary,
    "1": overview.basis,
    "2": overview.organisation,
    "3": overview.method,
    "4": overview.result,
    "5": subjects.residency,
    "6": subjects.recovery,
    "7": subjects.portability,
    "8": subjects.security,
    "9": subjects.data,
    "10": subjects.commitments,
    "11": subjects.connection,
    "12": closing.unknowns,
    "13": closing.waivers,
    "14": closing.remediation,
    "15": closing.recommendations,
    "A": annexes.all_controls,
    "B": annexes.evidence,
    "C": annexes.traceability,
    "D": annexes.registers,
    "E": annexes.glossary,
}
YEARLY: Final = ("0", "2", "4", "10", "14")


def document(report: Mapping[str, Any], context: Context) -> Document:
    """Write a report in the form that is asked for. Reads `context.findings` to its end, once."""
    words, matter = labels(), gather(report, context)
    numbers = YEARLY if context.form == "yearly" else tuple(SECTIONS)
    concluded = view.concludes(report)
    if not concluded and not any(entry["dimension"] == "NDC" for entry in report["controls"]):
        # Nothing was asked of the connection: a chapter on it would only say so.
        numbers = tuple(number for number in numbers if number != "11")
    return Document(
        title=view.title(report),
        subtitle=words("title.subtitle"),
        subject=_clean(view.subject_title(report)),
        form=context.form,
        sections=tuple(
            Section(
                number,
                words("report.overall" if number == "4" and not concluded else f"section.{number}"),
                tuple(map(_harmless, SECTIONS[number](matter))),
            )
            for number in numbers
        ),
        report=report,
    )


# --- every text, wherever it came from ----------------------------------------------------------------


def _clean(text: Text) -> Text:
    vi, en = clean(text.vi), clean(text.en)
    return text if vi == text.vi and en == text.en else Text(vi, en)


def _harmless(block: Block) -> Block:
    """A block whose every text is clean: what a chapter forgets to clean is cleaned here."""
    match block:
        case Prose() | Heading():
            return replace(block, text=_clean(block.text))
        case Items():
            return replace(block, entries=tuple(map(_harmless_cell, block.entries)))
        case Pairs():
            return replace(
                block, rows=tuple((_clean(key), _harmless_cell(found)) for key, found in block.rows)
            )
        case Table():
            return replace(
                block,
                title=_clean(block.title),
                rows=tuple(tuple(map(_harmless_cell, row)) for row in block.rows),
            )
        case Picture():
            return replace(block, title=_clean(block.title), alternative=_clean(block.alternative))
        case _:
            return block


def _harmless_cell(found: Cell) -> Cell:
    return tuple(
        phrase
        if (text := _clean(phrase.text)) is phrase.text and clean(phrase.to) == phrase.to
        else replace(phrase, text=text, to=clean(phrase.to))
        for phrase in found
    )
