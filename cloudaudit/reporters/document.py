"""What a report says, before any format: sections made of a few kinds of blocks, in both languages.

`chapters` writes documents, the reporters of HTML, PDF, DOCX, Markdown and tables set them: what is said
is decided once, how it looks by each format. Every text that a cloud or a register gave is `clean` when it
gets here; escaping is the format's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cloudaudit.model import Text

Languages = Literal["vi", "en", "both"]
Style = Literal["plain", "note", "fixed", "warning"]


@dataclass(frozen=True, slots=True)
class Exact:
    """What a phrase tells in words, as numbers: for formats whose readers sort, filter and compute."""

    unit: Literal["moment", "day", "duration", "percent", "score"]
    """Moments are seconds since the epoch, and so are days: that which it then is in Viet Nam."""
    numbers: tuple[float, ...]
    """One, or the bounds of an interval."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A run of words in a cell, a line of its own."""

    text: Text
    style: Literal["plain", "strong", "muted", "code"] = "plain"
    mark: str = ""
    """A verdict, disposition or state of a gate, whose sign (`view.SYMBOL`) stands before the words."""
    to: str = ""
    """What it leads to: a control's id."""
    exact: Exact | None = None
    """The same as numbers, where it tells any."""


Cell = tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph."""

    text: Text
    style: Style = "plain"
    """`fixed` is a sentence that no report may leave out; it stands in both languages everywhere."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading below that of the section."""

    text: Text


@dataclass(frozen=True, slots=True)
class Items:
    """A list of short paragraphs."""

    entries: tuple[Cell, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names with their values, such as those of a cover."""

    rows: tuple[tuple[Text, Cell], ...]


@dataclass(frozen=True, slots=True)
class Column:
    title: Text
    share: float = 1.0
    """Its width beside the others."""
    kind: Literal["text", "number", "code", "flow"] = "text"
    """`flow`: the phrases of a cell are items, such as ids, and stand one after the other in a line."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. `id` names it: an anchor, a sheet, a file."""

    id: str
    title: Text
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]
    hidden: int = 0
    """Rows left out of the document, and kept in report.json."""

    def __post_init__(self) -> None:
        wrong = next((row for row in self.rows if len(row) != len(self.columns)), None)
        if wrong is not None:
            raise ValueError(f"table {self.id}: {len(wrong)} cells under {len(self.columns)} columns")


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing. Everything it shows is in a table or in prose of the section too."""

    id: str
    title: Text
    alternative: Text
    """What it shows, in words."""
    draw: Callable[[Languages], str]
    """The drawing as an SVG document that needs no style sheet, script, font or file."""
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Findings:
    """The findings that are no pass, by control, as `view.groups` puts them. Formats show what they can."""

    id: str
    controls: frozenset[str]
    """Of these controls."""


Block = Prose | Heading | Items | Pairs | Table | Picture | Findings


@dataclass(frozen=True, slots=True)
class Section:
    number: str
    """0 to 15, and A to E for annexes."""
    title: Text
    blocks: tuple[Block, ...]

    @property
    def is_annex(self) -> bool:
        return self.number.isalpha()


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report. The cover is section 0."""

    title: Text
    subtitle: Text
    subject: Text
    form: Literal["full", "yearly"]
    sections: tuple[Section, ...]
    report: Mapping[str, Any]
    """The report.json it is made from."""

    def tables(self) -> tuple[tuple[Section, Table], ...]:
        return tuple((s, block) for s in self.sections for block in s.blocks if isinstance(block, Table))


def cell(
    *texts: Text | str | None,
    style: Literal["plain", "strong", "muted", "code"] = "plain",
    mark: str = "",
    to: str = "",
    exact: Exact | None = None,
) -> Cell:
    """A cell with a line for each text; a dash where there is none. The mark stands before the first.

    `exact` is the first text as numbers.
    """
    found = [Text(t, t) if isinstance(t, str) else t for t in texts if t]
    lines = found or [Text("–", "–")]
    return tuple(
        Phrase(text, style, "" if n else mark, to, None if n else exact) for n, text in enumerate(lines)
    )
