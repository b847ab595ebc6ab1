"""The report as a Word document: a draft annex that an organisation encloses with a document of its own.

A tool must not make what looks like an issued state document: number, place, date, signer and seal stay
blank, every page says that it is a draft, and there is no national motto. An organisation may bring a
template of its own instead (`report --template FILE.docx`); `FIELDS` are what it can name.

NOTE: margins, sizes and places follow what secondary sources say of Decree 30/2020/NĐ-CP (A4, 20/20/30/20
mm, Times New Roman 13 to 14 points, page number in the middle of the head and not on page one). Its Annex I
was not at hand: compare with it before a document is issued.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from cloudaudit.errors import CloudauditError, did_you_mean
from cloudaudit.model import Text, parse_time
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
from cloudaudit.reporters.paper import (
    Voice,
    anchor,
    check_packages,
    cover,
    introduces,
    level,
    shares,
    spelled_out,
)
from cloudaudit.reporters.words import clean, figure, interval, labels, moment, text_of

FONT: Final = "Times New Roman"
SIGNS: Final = "Segoe UI Symbol"
CODE: Final = "Courier New"
BODY_POINTS: Final = 13.0
BESIDE_POINTS: Final = 10.0
WIDTH: Final = 9071
"""Between the margins of A4, in twentieths of a point."""
SIDE: Final = 70
"""Beside the words of a cell, in twentieths of a point."""
INK: Final = "16283F"
SOFT: Final = "505050"
COLORS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("pass", "open"), "1D5B34"),
    **dict.fromkeys(("fail", "blocked", "expired"), "991B1B"),
    **dict.fromkeys(("unknown", "indeterminate", "manual_pending"), "7A4B00"),
    **dict.fromkeys(("waived", "conditional"), "274C7C"),
}
_MAIN: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_W: Final = f"{{{_MAIN}}}"
_ILLEGAL: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)
"""What XML cannot hold, what turns a line around, and letters for private use, which mark places here."""
_PLACE: Final = "\ue000{}\ue001"
_PLACES: Final = re.compile("\ue000([a-zA-Z0-9_]+)\ue001")
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the archive, so that the same report gives the same bytes."""

FIELDS: Final[Mapping[str, str]] = {
    "title": "title of the report",
    "subtitle": "what kind of report it is",
    "subject": "name of the platform or system",
    "scope": "provider or agency scope, in words",
    "form": "full or yearly",
    "level": "number of the level; empty where the profile concludes none",
    "level_name": "name of the level",
    "gate_state": "state of all gates together",
    "score": "score from lower to upper bound",
    "coverage": "share of evidence, in per cent",
    "profile": "name of the profile",
    "profile_version": "its version",
    "profile_official": "True if a competent authority published the profile",
    "tool": "name and version of the tool",
    "collected_at": "when the clouds were read",
    "assessed_at": "when they were assessed",
    "language": "vi or en",
}
"""Words a template may name, beside those in another language: `title_en`, `subject_en` and so on."""
_TWICE: Final = ("title", "subtitle", "subject", "scope", "level_name", "gate_state", "profile")
NUMBERS: Final = (*map(str, range(16)), *"ABCDE")


class DocxReporter:
    """A draft annex, or an organisation's own template filled.

    Needs the extra `docx`, and `pdf` for drawings.
    """

    media_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

    def __init__(self) -> None:
        check_packages("docx", "docx", "docx", "docxtpl")

    def render(self, report: Mapping[str, Any], context: Context) -> bytes:
        return typeset(chapters.document(report, context), context)


def typeset(document: Document, context: Context) -> bytes:
    """Set a document. One of the same blocks, context and template gives the same bytes."""
    document = spelled_out(document, context)
    voice = Voice(context.lang)
    template = context.template
    made = _draft(document, voice) if template is None else _filled(template, document, voice)
    _describe(made, document, voice, own=context.template is not None)
    written = io.BytesIO()
    made.save(written)
    return _repeatable(written.getvalue())


def _repeatable(archive: bytes) -> bytes:
    """The same archive with nothing of the moment it was made."""
    written = io.BytesIO()
    old, new = zipfile.ZipFile(io.BytesIO(archive)), zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED)
    with old, new:
        for entry in old.infolist():
            kept = zipfile.ZipInfo(entry.filename, EPOCH)
            kept.compress_type = zipfile.ZIP_DEFLATED
            kept.external_attr = 0o600 << 16
            new.writestr(kept, old.read(entry))
    return written.getvalue()


def _describe(made: Any, document: Document, voice: Voice, own: bool) -> None:
    """Properties of the file. Of a template of theirs, only what is about this filling."""
    about, at = made.core_properties, parse_time(document.report["assessed_at"])
    about.modified = datetime.fromtimestamp(at, UTC)
    about.title = _legal(clean(voice.main(document.title), 250))
    about.subject = _legal(clean(voice.main(document.subject), 250))
    about.language = "vi-VN" if voice.lang == "vi" else "en-GB"
    about.revision = 1
    if not own:
        tool = document.report["tool"]
        about.created = about.modified
        about.author = _legal(clean(f"{tool['name']} {tool['version']}", 250))
        about.last_modified_by = about.comments = about.keywords = about.category = ""


# --- XML --------------------------------------------------------------------------------------------


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)


def _run(
    text: str,
    *,
    bold: bool | None = None,
    italic: bool = False,
    points: float = 0,
    color: str = "",
    font: str = "",
    english: bool = False,
) -> str:
    """A run of letters. Their order of properties is the schema's."""
    if not text:
        return ""
    properties = "".join(
        (
            f'<w:rFonts w:ascii="{font}" w:hAnsi="{font}" w:eastAsia="{font}" w:cs="{font}"/>'
            if font
            else "",
            "" if bold is None else "<w:b/>" if bold else '<w:b w:val="0"/>',
            "<w:i/>" if italic else "",
            f'<w:color w:val="{color}"/>' if color else "",
            f'<w:sz w:val="{round(points * 2)}"/><w:szCs w:val="{round(points * 2)}"/>' if points else "",
            '<w:lang w:val="en-GB"/>' if english else "",
        )
    )
    around = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{around}<w:t xml:space="preserve">{escape(_legal(text))}</w:t></w:r>'


BREAK: Final = "<w:r><w:br/></w:r>"
GAP: Final = (
    '<w:p><w:pPr><w:spacing w:before="0" w:after="100" w:line="20" w:lineRule="exact"/>'
    '<w:rPr><w:sz w:val="2"/></w:rPr></w:pPr></w:p>'
)
"""The paragraph that must stand between two tables, and has hardly a height."""


def _paragraph(
    runs: str,
    *,
    style: str = "",
    keep: bool = False,
    align: str = "",
    before: int = 0,
    after: int = 80,
    hanging: int = 0,
    rule: str = "",
    new_page: bool = False,
) -> str:
    """A paragraph of runs; distances in twentieths of a point."""
    properties = "".join(
        (
            f"<w:pStyle w:val={quoteattr(style)}/>" if style else "",
            "<w:keepNext/>" if keep else "",
            "<w:pageBreakBefore/>" if new_page else "",
            f'<w:pBdr><w:left w:val="single" w:sz="18" w:space="8" w:color="{rule}"/></w:pBdr>'
            if rule
            else "",
            "" if style else f'<w:spacing w:before="{before}" w:after="{after}"/>',
            f'<w:ind w:left="{hanging}" w:hanging="{hanging}"/>' if hanging else "",
            f'<w:jc w:val="{align}"/>' if align else "",
        )
    )
    return f"<w:p><w:pPr>{properties}</w:pPr>{runs}</w:p>"


def _field(code: str, shown: str = "1", points: float = 0) -> str:
    """A field that a word processor fills, with what stands there until it does."""
    return (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r><w:instrText xml:space="preserve"> {code} </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        f"{_run(shown, points=points)}"
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def _elements(xml: Iterable[str]) -> list[Any]:
    """Paragraphs and tables of XML text as elements of a document."""
    from docx.oxml import parse_xml

    whole: Any = parse_xml(f'<w:body xmlns:w="{_MAIN}">{"".join(xml)}</w:body>')
    return list(whole)


# --- blocks -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Setter:
    """Blocks as paragraphs and tables of one Word document, which keeps its styles and pictures."""

    voice: Voice
    made: Any
    """The document of python-docx that they are for."""
    styles: Mapping[str, str]
    """Ids of the styles of headings and captions."""
    anchors: frozenset[str] = frozenset()
    number: str = ""
    tables: int = 0
    pictures: int = 0
    marks: int = field(default=0)
    """Bookmarks so far; each has a number of its own."""

    def section(self, section: Section, new_page: bool = False) -> Iterator[str]:
        self.number, self.tables, self.pictures = section.number, 0, 0
        title = self.voice.main(section.title)
        title = title if section.is_annex else f"{section.number}. {title}"
        yield self._heading("Heading 1", title, section.title, _mark(section), section.is_annex or new_page)
        yield from self.blocks(section.blocks or (Prose(labels()("sentence.empty"), "note"),))

    def blocks(self, blocks: Sequence[Block]) -> Iterator[str]:
        for n, block in enumerate(blocks):
            if isinstance(block, Prose):
                yield self._prose(block, keep=introduces(blocks[n:]))
            else:
                yield from self._block(block)

    def _block(self, block: Block) -> Iterator[str]:
        match block:
            case Prose():
                yield self._prose(block)
            case Heading(text):
                yield self._heading("Heading 2", self.voice.main(text), text)
            case Items(entries, numbered):
                for n, entry in enumerate(entries, 1):
                    lead = f"{n}. " if numbered else "– "
                    yield _paragraph(_run(lead) + self._lines(entry), hanging=340, after=40)
            case Pairs(rows):
                if rows:
                    yield from self._pairs(rows)
            case Table():
                yield from self._table(block)
            case Picture():
                yield from self._picture(block)
            case Findings():
                raise TypeError("findings are spelled out before they are set")

    def _marked(self, runs: str, mark: str) -> str:
        """Runs that links lead to."""
        self.marks += 1
        start = f'<w:bookmarkStart w:id="{self.marks}" w:name="{mark}"/>'
        return f'{start}{runs}<w:bookmarkEnd w:id="{self.marks}"/>'

    def _heading(self, style: str, title: str, text: Text, mark: str = "", new_page: bool = False) -> str:
        runs = self._marked(_run(title), mark) if mark else _run(title)
        made = _paragraph(runs, style=self.styles[style], keep=True, new_page=new_page)
        other = self.voice.beside(text)
        if other:
            made += _paragraph(_beside(other), keep=True, after=120)
        return made

    def _prose(self, prose: Prose, keep: bool = False) -> str:
        said = self.voice.main(prose.text)
        match prose.style:
            case "note":
                return _paragraph(_run(said, italic=True, color=SOFT), keep=keep)
            case "plain":
                return _paragraph(_run(said), align="both", keep=keep)
        color = COLORS["fail"] if prose.style == "warning" else INK
        runs = _run(said, bold=prose.style == "warning" or None)
        other = self.voice.always_beside(prose.text) if prose.style == "fixed" else ""
        if other:
            runs += BREAK + _beside(other, english=self.voice.lang == "vi")
        return _paragraph(runs, rule=color, before=60, after=120, keep=keep)

    def _phrase(self, phrase: Phrase, points: float, code: bool) -> str:
        said = self.voice.main(phrase.text)
        color = COLORS.get(phrase.mark, "")
        lead = ""
        if phrase.mark:
            sign = view.SYMBOL.get(phrase.mark, "•")
            lead = _run(f"{sign}\N{NO-BREAK SPACE}", bold=True, points=points, color=color, font=SIGNS)
        runs = lead + _run(
            said,
            bold=phrase.style == "strong" or None,
            color=color or (SOFT if phrase.style == "muted" else ""),
            points=(points or BODY_POINTS) - 1 if phrase.style in ("muted", "code") or code else points,
            font=CODE if phrase.style == "code" or code else "",
        )
        if phrase.to and anchor(phrase.to) in self.anchors:
            return (
                f'<w:hyperlink w:anchor="{_bookmark(anchor(phrase.to))}" w:history="1">{runs}</w:hyperlink>'
            )
        return runs

    def _lines(self, cell: Cell, points: float = 0, kind: str = "text") -> str:
        between = _run(", ", points=points) if kind == "flow" else BREAK
        return between.join(self._phrase(phrase, points, kind == "code") for phrase in cell)

    def _pairs(self, rows: Iterable[tuple[Text, Cell]]) -> Iterator[str]:
        yield _table_start((1.2, 1.8), header=False)
        for name, value in rows:
            runs = _run(self.voice.main(name), bold=True, points=11)
            other = self.voice.beside(name)
            runs += _beside(f" {other}", points=9) if other else ""
            yield _row((_cell(runs, ""), _cell(self._lines(value, 11), "")))
        yield f"</w:tbl>{GAP}"

    def _caption(
        self, label: str, number: str, text: Text, mark: str, *, align: str = "", keep: bool = True
    ) -> str:
        title = labels()(label, number=number, title=text)
        runs = _run(self.voice.main(title))
        other = self.voice.beside(title)
        runs += BREAK + _beside(other, points=9) if other else ""
        return _paragraph(self._marked(runs, mark), style=self.styles["Caption"], keep=keep, align=align)

    def _table(self, table: Table) -> Iterator[str]:
        self.tables += 1
        yield self._caption("print.table", f"{self.number}.{self.tables}", table.title, _bookmark(table.id))
        if not table.rows:
            yield _paragraph(_run(self.voice.main(labels()("sentence.empty")), italic=True, color=SOFT))
        else:
            wide = len(table.columns)
            points = 10.5 if wide <= 4 else 9.5 if wide <= 6 else 8.5 if wide <= 8 else 7.5
            yield _table_start(shares(table, self.voice, WIDTH / 20 / points, 2 * SIDE / 20 / points))
            yield _row((self._column(column.title, points) for column in table.columns), header=True)
            sides = ["right" if column.kind == "number" else "" for column in table.columns]
            kinds = [column.kind for column in table.columns]
            for row in table.rows:
                yield _row(
                    _cell(self._lines(value, points, kind), side)
                    for value, kind, side in zip(row, kinds, sides, strict=True)
                )
            yield f"</w:tbl>{GAP}"
        if table.hidden:
            hidden = labels()("print.hidden", count=table.hidden)
            yield _paragraph(_run(self.voice.main(hidden), color=SOFT, points=10))

    def _column(self, title: Text, points: float) -> str:
        runs = _run(self.voice.main(title), bold=True, points=points)
        other = self.voice.beside(title)
        runs += BREAK + _beside(other, points=points - 1.5) if other else ""
        return _cell(runs, "", shade="EEEEEE", keep=True)

    def _picture(self, picture: Picture) -> Iterator[str]:
        self.pictures += 1
        number = f"{self.number}.{self.pictures}"
        said = self.voice.main(picture.alternative)
        if find_spec("typst") is None:
            # The picture's own words stand in its place: only typst turns a drawing into dots here.
            in_words = labels()("print.picture_in_words", words=Text(said, said))
            yield _paragraph(_run(self.voice.main(in_words), italic=True), keep=True)
        else:
            yield _paragraph(self._drawing(picture, said), align="center", keep=True)
        yield self._caption(
            "print.picture", number, picture.title, _bookmark(picture.id), align="center", keep=False
        )

    def _drawing(self, picture: Picture, said: str) -> str:
        from docx import shared
        from docx.oxml.xmlchemy import serialize_for_reading

        from cloudaudit.reporters import pdf

        png = io.BytesIO(pdf.image(picture.draw(self.voice.lang), 2.5))
        tallest = int(shared.Mm(210) * picture.width / picture.height)
        width = min(shared.Pt(picture.width * 0.75), shared.Twips(WIDTH), tallest)
        inline = self.made.part.new_pic_inline(png, width=width)
        inline.docPr.set("descr", _legal(clean(said)))
        inline.docPr.set("title", _legal(clean(self.voice.main(picture.title))))
        return f"<w:r><w:drawing>{serialize_for_reading(inline)}</w:drawing></w:r>"


def _mark(section: Section) -> str:
    return f"_Toc_section_{section.number}"


def _bookmark(id_: str) -> str:
    """An id as the name of a bookmark: letters, digits, at most forty."""
    return re.sub(r"[^A-Za-z0-9_]", "_", f"_{id_}")[:40]


def _beside(text: str, points: float = BESIDE_POINTS, *, english: bool = True) -> str:
    return _run(text, bold=False, italic=True, points=points, color=SOFT, english=english)


def _cell(runs: str, align: str, *, shade: str = "", keep: bool = False) -> str:
    fill = f'<w:tcPr><w:shd w:val="clear" w:color="auto" w:fill="{shade}"/></w:tcPr>' if shade else ""
    return f"<w:tc>{fill}{_paragraph(runs, align=align, after=0, keep=keep)}</w:tc>"


def _row(cells: Iterable[str], header: bool = False) -> str:
    kept = "<w:cantSplit/>" + ("<w:tblHeader/>" if header else "")
    return f"<w:tr><w:trPr>{kept}</w:trPr>{''.join(cells)}</w:tr>"


def _table_start(shares: Iterable[float], header: bool = True) -> str:
    """A table as wide as the text, whatever its margins are, with lines between its rows."""
    shares = list(shares)
    columns = "".join(f'<w:gridCol w:w="{round(WIDTH * share / sum(shares))}"/>' for share in shares)
    line = '<w:{} w:val="single" w:sz="4" w:space="0" w:color="AAAAAA"/>'
    borders = "".join(line.format(side) for side in ("top", "bottom", "insideH"))
    margins = "".join(
        f'<w:{side} w:w="{width}" w:type="dxa"/>'
        for side, width in (("top", 40), ("left", SIDE), ("bottom", 40), ("right", SIDE))
    )
    look = f'<w:tblLook w:val="0620" w:firstRow="{int(header)}" w:noHBand="1" w:noVBand="1"/>'
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="5000" w:type="pct"/><w:tblBorders>{borders}</w:tblBorders>'
        f'<w:tblLayout w:type="fixed"/><w:tblCellMar>{margins}</w:tblCellMar>{look}</w:tblPr>'
        f"<w:tblGrid>{columns}</w:tblGrid>"
    )


def _contents(sections: Sequence[Section], voice: Voice) -> Iterator[str]:
    """A table of contents: a field with the sections in it, whose pages a word processor fills in."""
    title = _run(voice.main(labels()("print.contents")), bold=True, points=14)
    yield _paragraph(title, keep=True, align="center", new_page=True)
    for n, section in enumerate(sections):
        name = voice.main(section.title)
        said = name if section.is_annex else f"{section.number}. {name}"
        begin = end = ""
        if n == 0:
            begin = (
                '<w:r><w:fldChar w:fldCharType="begin" w:dirty="true"/></w:r>'
                '<w:r><w:instrText xml:space="preserve"> TOC \\o "1-1" \\h \\z \\u </w:instrText></w:r>'
                '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
            )
        if n == len(sections) - 1:
            end = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
        link = f'<w:hyperlink w:anchor="{_mark(section)}" w:history="1">{_run(said)}</w:hyperlink>'
        yield _paragraph(begin + link + end, after=40)


# --- the draft annex --------------------------------------------------------------------------------


def _draft(document: Document, voice: Voice) -> Any:
    import docx

    made = docx.Document()
    _page(made)
    styles = _our_styles(made, voice)
    setter = _Setter(voice, made, styles, frozenset(table.id for _, table in document.tables()))
    body = made.element.body
    for old in list(body):
        if old.tag != f"{_W}sectPr":
            body.remove(old)
    for element in _elements(_annex(document, voice, setter)):
        body.insert(len(body) - 1, element)
    _head_and_foot(made, document, voice)
    return made


def _annex(document: Document, voice: Voice, setter: _Setter) -> Iterator[str]:
    words = labels()
    center = partial(_paragraph, align="center")

    def both(text: Text, points: float, beside: float = BESIDE_POINTS) -> str:
        other = voice.beside(text)
        runs = _run(voice.main(text), bold=True, points=points)
        return runs + (BREAK + _beside(other, beside) if other else "")

    draft = _run(voice.main(words("print.draft")), bold=True, points=14, color=COLORS["fail"])
    yield _paragraph(draft, align="right", after=0)
    yield center(both(words("print.annex"), 14), before=120)
    yield center(both(document.title, 15, 10.5), after=60)
    yield center(_run(voice.main(words("print.enclosed")), italic=True, points=12), after=200)
    yield center(both(document.subtitle, 12), after=60)
    yield center(both(document.subject, 15), after=200)
    yield center(both(level(document.report), 12), after=160)
    first, sections = cover(document)
    yield from setter.blocks(first)
    yield from _contents(sections, voice)
    for n, section in enumerate(sections):
        # The summary and what comes after it.
        yield from setter.section(section, new_page=n < 2)
    yield from _signatures(voice)


def _signatures(voice: Voice) -> Iterator[str]:
    """Blank places for date, signer and seal. Nothing of ours ever fills them."""
    words = labels()

    def place(head: str, what: str) -> str:
        runs = _run(voice.main(words(head)), bold=True, points=13) + BREAK
        return runs + _run(voice.main(words(what)), italic=True, points=12) + 5 * BREAK

    blank = _run(voice.main(words("print.place_date")), italic=True)
    yield _paragraph(blank, align="right", before=400, keep=True)
    yield _table_start((1.0, 1.0), header=False).replace('w:val="single"', 'w:val="nil"')
    left, right = place("print.prepared_by", "print.sign_name"), place("print.head_of", "print.sign_seal")
    yield _row((_cell(left, "center"), _cell(right, "center"))) + "</w:tbl>"


def _page(made: Any) -> None:
    from docx import shared

    page = made.sections[0]
    page.page_width, page.page_height = shared.Mm(210), shared.Mm(297)
    page.top_margin = page.bottom_margin = page.right_margin = shared.Mm(20)
    page.left_margin = shared.Mm(30)
    page.header_distance = page.footer_distance = shared.Mm(10)
    page.different_first_page_header_footer = True


def _head_and_foot(made: Any, document: Document, voice: Voice) -> None:
    """The page number in the middle above, not on page one; on every page, that this is a draft."""
    page = made.sections[0]
    draft = voice.main(labels()("print.draft"))
    name = clean(voice.main(document.subject), 70)
    line = f"{draft} – {voice.main(view.short_title(document.report))} – {name}"
    foot = _paragraph(_run(line, points=9, color=SOFT), align="center", after=0)
    number = _paragraph(_field("PAGE", points=BODY_POINTS), align="center", after=0)
    for part, content in (
        (page.header, number),
        (page.first_page_header, _paragraph("", after=0)),
        (page.footer, foot),
        (page.first_page_footer, foot),
    ):
        part.is_linked_to_previous = False
        root = part._element
        for old in list(root):
            root.remove(old)
        for element in _elements((content,)):
            root.append(element)


def _our_styles(made: Any, voice: Voice) -> dict[str, str]:
    """Fonts, sizes and languages of the styles, theme fonts taken away: Word would prefer them."""
    from docx import shared

    sizes = {
        "Normal": (BODY_POINTS, 0),
        "Heading 1": (14.0, 18),
        "Heading 2": (13.0, 12),
        "Caption": (11.0, 8),
    }
    for name, (points, before) in sizes.items():
        style = made.styles[name]
        style.font.size = shared.Pt(points)
        style.font.bold = name != "Normal"
        style.font.color.rgb = shared.RGBColor.from_string("000000" if name == "Normal" else INK)
        _fonts(style.element.get_or_add_rPr())
        style.paragraph_format.space_before = shared.Pt(before)
        style.paragraph_format.space_after = shared.Pt(4)
        style.paragraph_format.keep_with_next = name.startswith("Heading")
    defaults = made.styles.element.find(f"{_W}docDefaults/{_W}rPrDefault/{_W}rPr")
    _fonts(defaults)
    lang = defaults.find(f"{_W}lang")
    main = "vi-VN" if voice.lang == "vi" else "en-GB"
    for slot, value in (("val", main), ("eastAsia", "vi-VN"), ("bidi", "ar-SA")):
        lang.set(f"{_W}{slot}", value)
    return {name: made.styles[name].style_id for name in sizes if name != "Normal"}


def _fonts(properties: Any) -> None:
    fonts = properties.find(f"{_W}rFonts")
    if fonts is None:
        fonts = properties._add_rFonts()
    for slot in list(fonts.attrib):
        del fonts.attrib[slot]
    for slot in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(f"{_W}{slot}", FONT)


# --- an organisation's own template -----------------------------------------------------------------


def fields() -> frozenset[str]:
    """Every field a template may name."""
    parts = {f"section_{n}" if n.isdigit() else f"annex_{n}" for n in NUMBERS}
    return frozenset({*FIELDS, *(f"{name}_en" for name in _TWICE), *parts, "body", "contents"})


def _filled(path: Path, document: Document, voice: Voice) -> Any:
    """A template with its fields filled. It is a file of their own; its tags run in a sandbox anyway."""
    import docxtpl

    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
    words = _words(document, voice)
    parts = [name for name in fields() if name not in words]
    template = docxtpl.DocxTemplate(str(path))
    try:
        named = template.get_undeclared_template_variables(environment)
    except TemplateSyntaxError as wrong:
        raise _bad(path, f"has a tag that cannot be read: {wrong.message}") from None
    except Exception as wrong:  # noqa: BLE001 - zip, XML and package errors of three libraries
        raise _unreadable(path, wrong) from None
    for name in sorted(named - fields()):
        raise _bad(path, f"names a field there is not: '{name}'", did_you_mean(name, fields()) or _SEE)
    try:
        template.render({**words, **{name: _PLACE.format(name) for name in parts}}, environment)
    except TemplateError as wrong:
        raise _bad(path, f"cannot be filled: {clean(str(wrong.message), 200)}") from None
    except Exception as wrong:  # noqa: BLE001 - whatever an expression of theirs raises
        raise _bad(path, f"cannot be filled ({type(wrong).__name__}): {clean(str(wrong), 200)}") from None
    made = template.docx
    _put_in(path, made, document, voice)
    return made


_SEE: Final = "docs/reports.md lists the fields"


def _bad(path: Path, what: str, hint: str = _SEE) -> CloudauditError:
    return CloudauditError(f"the template {path} {what}", hint=hint)


def _unreadable(path: Path, wrong: Exception) -> CloudauditError:
    why = wrong.strerror if isinstance(wrong, OSError) and wrong.strerror else type(wrong).__name__
    return CloudauditError(
        f"the template {path} cannot be read as a Word document ({why})",
        hint="save it as .docx, without macros",
    )


def _put_in(path: Path, made: Any, document: Document, voice: Voice) -> None:
    """Put sections where their fields stand: each alone in its paragraph."""
    _check_parts(path, made)
    setter = _Setter(voice, made, _their_styles(made), frozenset(t.id for _, t in document.tables()))
    by_name = {f"annex_{s.number}" if s.is_annex else f"section_{s.number}": s for s in document.sections}
    used: set[str] = set()
    for paragraph in list(made.element.body.iter(f"{_W}p")):
        said = "".join(node.text or "" for node in paragraph.iter(f"{_W}t"))
        found = _PLACES.search(said)
        if found is None:
            continue
        name = found[1]
        if said.strip() != found[0]:
            raise _bad(path, f"has '{name}' amid other text", "put it alone in a paragraph")
        wanted = set(by_name) if name == "body" else {name}
        if twice := wanted & used:
            raise _bad(path, f"names '{min(twice)}' twice", "a section stands once: 'body' holds all of them")
        used |= wanted
        new = _elements(_part(name, by_name, document, voice, setter))
        if paragraph.getparent().tag == f"{_W}tc" and (not new or new[-1].tag == f"{_W}tbl"):
            new += _elements((_paragraph("", after=0),))
        for element in new:
            paragraph.addprevious(element)
        paragraph.getparent().remove(paragraph)


def _part(
    name: str, by_name: Mapping[str, Section], document: Document, voice: Voice, setter: _Setter
) -> Iterator[str]:
    if name == "contents":
        yield from _contents(document.sections, voice)
    elif name == "body":
        for section in document.sections:
            yield from setter.section(section)
    elif name in by_name:
        yield from setter.section(by_name[name])


def _check_parts(path: Path, made: Any) -> None:
    """A section can stand in the text of the document, not in its head, foot or within a line."""
    for part in made.part.package.iter_parts():
        if part is made.part:
            continue
        blob = part.blob if part.partname.endswith(".xml") else b""
        if found := _PLACES.search(blob.decode("utf-8", "replace")):
            raise _bad(path, f"has '{found[1]}' outside its text", "put it into the body of the document")
    for words in made.element.body.xpath(".//text()"):
        in_place = words.getparent().tag == f"{_W}t" and not words.is_tail
        if not in_place and (found := _PLACES.search(words)):
            raise _bad(path, f"has '{found[1]}' in a tag of another kind", f"write {{{{ {found[1]} }}}}")


def _their_styles(made: Any) -> dict[str, str]:
    """The styles of headings and captions in a template; those it lacks are added."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml import OxmlElement

    found = {}
    for name, depth in (("Heading 1", 0), ("Heading 2", 1), ("Caption", None)):
        known = {style.name for style in made.styles}
        if name not in known:
            style = made.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
            style.font.bold = True
            style.paragraph_format.keep_with_next = True
            if depth is not None:
                outline = OxmlElement("w:outlineLvl")
                outline.set(f"{_W}val", str(depth))
                style.element.get_or_add_pPr().append(outline)
        found[name] = made.styles[name].style_id
    return found


def _words(document: Document, voice: Voice) -> dict[str, Any]:
    """The values of FIELDS, and their English."""
    report = document.report
    readiness, profile, tool = report["readiness"], report["profile"], report["tool"]
    concluded = view.concludes(report)
    texts = {
        "title": document.title,
        "subtitle": document.subtitle,
        "subject": document.subject,
        "scope": labels().of("scope", report["scope"]),
        "level_name": text_of(readiness["level_label"]) if concluded else labels()("report.no_level"),
        "gate_state": labels().of("gates_state", readiness["gate_state"]),
        "score": interval(readiness["score"]["lower"], readiness["score"]["upper"]),
        "coverage": figure(readiness["coverage"], "%"),
        "profile": text_of(profile["title"], profile["id"]),
        "collected_at": moment(report["snapshot"]["collected_at"]),
        "assessed_at": moment(report["assessed_at"]),
    }
    return {
        **{name: _legal(clean(voice.main(text))) for name, text in texts.items()},
        **{f"{name}_en": _legal(clean(texts[name].en)) for name in _TWICE},
        "form": document.form,
        "level": str(readiness["level"]) if concluded else "",
        "profile_version": _legal(clean(str(profile["version"]))),
        "profile_official": bool(profile["official"]),
        "tool": _legal(clean(f"{tool['name']} {tool['version']}")),
        "language": voice.lang,
    }
