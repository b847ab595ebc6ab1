"""The report as PDF, set by typst: for paper, for archives, and for readers with a screen reader.

The file is tagged and conforms to PDF/A-2a and PDF/UA-1 as far as typst checks that: it refuses to
write what does not. What the report says goes to the template as data; no text is ever read as markup.
The same report gives the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

from cloudaudit import data
from cloudaudit.errors import CloudauditError
from cloudaudit.model import Text, parse_time
from cloudaudit.reporters import Context, chapters, glyphs, view
from cloudaudit.reporters.document import (
    Block,
    Cell,
    Document,
    Findings,
    Heading,
    Items,
    Pairs,
    Picture,
    Prose,
    Section,
    Table,
)
from cloudaudit.reporters.paper import (
    WIDEST,
    Voice,
    anchor,
    breadth,
    check_packages,
    cover,
    introduces,
    level,
    shares,
    spelled_out,
)
from cloudaudit.reporters.words import clean, labels, moment

if TYPE_CHECKING:
    import typst

STANDARDS: Final[tuple[Literal["a-2a", "ua-1"], ...]] = ("a-2a", "ua-1")
"""Archiving with structure, and universal accessibility; both are built on PDF 1.7 and go together."""
PROSE_ROOM: Final = 40.0
"""Ems of a line of text; of the values of pairs it is PAIR_ROOM. A word with more may break."""
PAIR_ROOM: Final = 24.0
NAME_ROOM: Final = 14.0
SIZES: Final = ((4, 9.0), (6, 8.3), (8, 7.6), (99, 7.0))
"""Points of a table's letters, by how many columns it has at most."""
ANNEX_SIZES: Final = ((3, 7.6), (99, 7.0))
"""The same in annexes, which are looked things up in and not read through."""
TEXT_WIDTH: Final = 165 / 25.4 * 72
INSET: Final = 8.0
SLACK: Final = 0.01
"""Ems that sums of fractions may be off by."""
TALL: Final = 40
"""Lines of a row that may break over pages; a shorter one stays together."""
_AFTER: Final = re.compile(r"(?<=[-_/.:=&?@,;|+])")
_CHARACTER: Final = re.compile(r"&#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}));")
_LINE: Final = re.compile(r"[^\n\r\t]+")
HEADER: Final = 60
"""Letters of a name in the running header."""


class PdfReporter:
    """An A4 document. Needs the extra `pdf`."""

    media_type = "application/pdf"

    def __init__(self) -> None:
        check_packages("pdf", "pdf", "typst")

    def render(self, report: Mapping[str, Any], context: Context) -> bytes:
        return typeset(chapters.document(report, context), context)


def typeset(document: Document, context: Context) -> bytes:
    """Set a document. One of the same blocks and context gives the same bytes."""
    content = _Setter(Voice(context.lang)).document(spelled_out(document, context))
    import typst

    template = (data.folder("reports") / "templates" / "report.typ").read_bytes()
    with _told():
        return typst.compile(
            template,
            format="pdf",
            font_paths=_fonts(),
            sys_inputs={"content": json.dumps(content, ensure_ascii=False)},
            pdf_standards=[*STANDARDS],
            timestamp=parse_time(document.report["assessed_at"]),
        )


def image(svg: str, scale: float = 2.0) -> bytes:
    """A drawing as PNG, for formats that know no SVG; `scale` dots to each of its own units."""
    import typst

    source = (
        b'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg")'
    )
    drawing = {"svg": _drawing(svg)}
    with _told():
        return typst.compile(source, format="png", font_paths=_fonts(), sys_inputs=drawing, ppi=72 * scale)


@cache
def _fonts() -> typst.Fonts:
    """Those inside typst, and none of the machine: the same page everywhere."""
    import typst

    return typst.Fonts(include_system_fonts=False)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what typst refuses into an error of ours. Nothing known is: texts are data, letters checked."""
    import typst

    try:
        yield
    except typst.TypstError as wrong:
        raise CloudauditError(
            f"the PDF cannot be set: {clean(wrong.message, 300)}",
            hint="the other formats do not depend on this; please report it",
        ) from None


def _drawing(svg: str) -> str:
    """A drawing whose texts have letters of the fonts only, also those written as numbers."""

    def letter(found: re.Match[str]) -> str:
        code = int(found[1], 16) if found[1] else int(found[2])
        return found[0] if code > 0x10FFFF or glyphs.known(chr(code)) else glyphs.spelled(chr(code))

    return _CHARACTER.sub(letter, _LINE.sub(lambda line: glyphs.shown(line[0]), svg))


@dataclass(slots=True)
class _Setter:
    """A document as data for the template: texts in the languages that are shown, and nothing to decide."""

    voice: Voice
    anchors: set[str] = field(default_factory=set)
    number: str = ""
    annex: bool = False
    tables: int = 0
    pictures: int = 0

    def document(self, document: Document) -> dict[str, Any]:
        self.anchors = {table.id for _, table in document.tables()}
        words, report = labels(), document.report
        first, sections = cover(document)
        at = moment(report["assessed_at"])
        return {
            "lang": self.voice.lang,
            "title": self._both(document.title),
            "subtitle": self._both(document.subtitle),
            "short": glyphs.shown(self.voice.main(view.short_title(report))),
            "subject": self._both(_cut(document.subject, 400)),
            "running": _letters(clean(self.voice.main(document.subject), HEADER), PAIR_ROOM),
            "date": glyphs.shown(self.voice.main(at)),
            "contents": glyphs.shown(self.voice.main(words("print.contents"))),
            "page_of": self.voice.main(words("print.page_of", page="\x01", all="\x02")).split("\x01"),
            "level": self._both(level(report)),
            "cover": self._blocks(first),
            "sections": [self._section(section) for section in sections],
        }

    def _section(self, section: Section) -> dict[str, Any]:
        self.number, self.tables, self.pictures = section.number, 0, 0
        self.annex = section.is_annex
        return {
            "number": section.number,
            "annex": section.is_annex,
            "title": self._both(section.title),
            "blocks": self._blocks(section.blocks or (Prose(labels()("sentence.empty"), "note"),)),
        }

    def _blocks(self, blocks: tuple[Block, ...]) -> list[dict[str, Any]]:
        made = [self._block(block) for block in blocks]
        for n, one in enumerate(made):
            if one["is"] == "prose":
                one["keep"] = introduces(blocks[n:])
        return made

    def _block(self, block: Block) -> dict[str, Any]:
        match block:
            case Prose(text, style):
                other = self.voice.always_beside(text) if style == "fixed" else ""
                return {"is": "prose", "style": style, "text": self._main(text), "beside": _letters(other)}
            case Heading(text):
                return {"is": "heading", "text": self._both(text)}
            case Items(entries, numbered):
                return {"is": "items", "numbered": numbered, "entries": [self._cell(e) for e in entries]}
            case Pairs(rows):
                return {
                    "is": "pairs",
                    "rows": [
                        [self._both(name, NAME_ROOM), self._cell(value, PAIR_ROOM)] for name, value in rows
                    ],
                }
            case Table():
                return self._table(block)
            case Picture():
                return self._picture(block)
            case Findings():
                raise TypeError("findings are spelled out before they are set")

    def _table(self, table: Table) -> dict[str, Any]:
        self.tables += 1
        number = f"{self.number}.{self.tables}"
        hidden = labels()("print.hidden", count=table.hidden) if table.hidden else None
        sizes = ANNEX_SIZES if self.annex else SIZES
        size = next(size for most, size in sizes if len(table.columns) <= most)
        widths = shares(table, self.voice, TEXT_WIDTH / size, INSET / size)
        whole = sum(widths)
        rooms = [(TEXT_WIDTH * width / whole - INSET) / size for width in widths]
        codes = [column.kind == "code" for column in table.columns]
        flows = [column.kind == "flow" for column in table.columns]
        return {
            "is": "table",
            "id": table.id,
            "size": size,
            "inset": 2.2 if self.annex else 3.6,
            "title": self._both(_numbered("print.table", number, table.title)),
            "shares": widths,
            "kinds": [column.kind for column in table.columns],
            "head": [self._both(c.title, room) for c, room in zip(table.columns, rooms, strict=True)],
            "rows": [
                {
                    "whole": _lines(row, rooms, flows) < TALL,
                    "cells": [
                        self._cell(value, room, code)
                        for value, room, code in zip(row, rooms, codes, strict=True)
                    ],
                }
                for row in table.rows
            ],
            "hidden": self._main(hidden) if hidden else None,
            "nothing": self._main(labels()("sentence.empty")),
        }

    def _picture(self, picture: Picture) -> dict[str, Any]:
        self.pictures += 1
        number = f"{self.number}.{self.pictures}"
        return {
            "is": "picture",
            "title": self._both(_numbered("print.picture", number, picture.title)),
            "alternative": glyphs.shown(clean(self.voice.main(picture.alternative))),
            "svg": _drawing(picture.draw(self.voice.lang)),
            "width": picture.width,
            "height": picture.height,
        }

    def _cell(self, cell: Cell, room: float = PROSE_ROOM, code: bool = False) -> list[dict[str, Any]]:
        made = []
        for phrase in cell:
            line: dict[str, Any] = {"text": self._main(phrase.text, room - 2 if phrase.mark else room)}
            style = "code" if code and phrase.style == "plain" else phrase.style
            # NOTE: letters with two marks, such as ễ, are put together of three in the even font of typst,
            # and come out of the file as something else. In the other they are one.
            if style != "plain" and (style != "code" or self.voice.main(phrase.text).isascii()):
                line["style"] = style
            if phrase.mark:
                line["mark"] = phrase.mark
                line["sign"] = view.SYMBOL.get(phrase.mark, "•")
            if phrase.to and anchor(phrase.to) in self.anchors:
                line["to"] = anchor(phrase.to)
            made.append(line)
        return made

    def _main(self, text: Text, room: float = PROSE_ROOM) -> str | list[str]:
        return _letters(self.voice.main(text), room)

    def _both(self, text: Text, room: float = PROSE_ROOM) -> list[Any]:
        return [self._main(text, room), _letters(self.voice.beside(text), room)]


def _numbered(label: str, number: str, title: Text) -> Text:
    return labels()(label, number=number, title=title)


def _cut(text: Text, limit: int) -> Text:
    return Text(clean(text.vi, limit), clean(text.en, limit))


def _lines(row: tuple[Cell, ...], rooms: list[float], flows: list[bool]) -> float:
    """About how many lines the tallest cell takes."""
    return max(
        sum((not flow) + max(len(phrase.text.vi), len(phrase.text.en)) / room for phrase in cell)
        for cell, room, flow in zip(row, rooms, flows, strict=True)
    )


def _letters(text: str, room: float = PROSE_ROOM) -> str | list[str]:
    """A text in letters of the fonts; in pieces, between which a line may end, where a word has no room."""
    shown = glyphs.shown(text)
    words = shown.split(" ")
    if all(_fits(word, room) for word in words):
        return shown
    pieces = [""]
    for n, word in enumerate(words):
        broken = [word] if _fits(word, room) else list(_broken(word, room))
        pieces[-1] += (" " if n else "") + broken[0]
        pieces += broken[1:]
    return pieces


def _fits(word: str, room: float) -> bool:
    return len(word) * WIDEST <= room or len(word) < 2 or sum(map(breadth, word)) <= room + SLACK


def _broken(word: str, room: float) -> Iterator[str]:
    """A word in pieces: after its own signs, and where that is not enough, anywhere."""
    length = max(1, int(room / 4))
    for part in _AFTER.split(word):
        if _fits(part, room):
            yield part
        else:
            yield from (part[n : n + length] for n in range(0, len(part), length))
