"""The chapters of a report: which sections it has, and what each says.

The sections and their numbers are those of the readiness report's specification: 0 to 15 and the annexes
A to E; the short yearly form has 0, 2, 4, 10 and 14. A chapter reads report.json, the findings and the
registers; it orders and words, computes no figure of readiness and draws no conclusion of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cloudaudit.reporters import Context, view
from cloudaudit.reporters.document import Block, Document, Section
from cloudaudit.reporters.words import labels

Write = Callable[[Mapping[str, Any], Context], tuple[Block, ...]]

SECTIONS: Final[Mapping[str, Write]] = {}
YEARLY: Final = ("0", "2", "4", "10", "14")


def document(report: Mapping[str, Any], context: Context) -> Document:
    """Write a report in the form that is asked for."""
    words = labels()
    numbers = YEARLY if context.form == "yearly" else tuple(SECTIONS)
    return Document(
        title=words("title.report"),
        subtitle=words("title.subtitle"),
        subject=view.subject_title(report),
        form=context.form,
        sections=tuple(
            Section(number, words(f"section.{number}"), SECTIONS[number](report, context))
            for number in numbers
        ),
        report=report,
    )
