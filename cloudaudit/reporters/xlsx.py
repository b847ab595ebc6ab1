"""The report as a workbook: a summary, a sheet for each table, every finding, and all else that is said.

Cells hold text, numbers and dates, never a formula or a link out of the workbook. What looks like a formula
is marked as text, and stays so when somebody edits the cell or saves the workbook again. Dates are those of
Viet Nam, as their heads say. The same report gives the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, Literal

from cloudaudit.errors import CloudauditError
from cloudaudit.model import Text, parse_time
from cloudaudit.reporters import Context, chapters, details, view
from cloudaudit.reporters.document import (
    Block,
    Cell,
    Column,
    Document,
    Exact,
    Findings,
    Heading,
    Items,
    Pairs,
    Picture,
    Prose,
    Table,
)
from cloudaudit.reporters.rows import FORMULA, MAX_CELL, Lookup, Spool, collected, every, fitted, kept, units
from cloudaudit.reporters.words import labels, moment, text_of

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

Lang = Literal["vi", "en"]
Value = str | float | None

MAX_ROWS: Final = 1_048_576
MAX_NAME: Final = 31
"""UTF-16 units of the name of a sheet."""
WIDTHS: Final = (8, 60)
PAGE: Final = 130
"""Characters over all columns of a table whose columns say their shares."""
_NOT_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\']")
_NUMBER: Final = re.compile(r"(-?[0-9]{1,15}(?:\.([0-9]{1,6}))?)(%?)", re.ASCII)
A4: Final = 9
OFFSET: Final = 7 * 3600
DAY: Final = 86_400
EPOCH: Final = 25_569
"""The number of 1970-01-01 in workbooks, which count days."""
DATES: Final = (61, 2_958_466)
"""From 1900-03-01, before which programs differ by a day, to the end of the year 9999."""
LOOKS: Final[Mapping[str, Mapping[Lang, str]]] = {
    "moment": {"vi": "dd/mm/yyyy hh:mm", "en": "yyyy-mm-dd hh:mm"},
    "day": {"vi": "dd/mm/yyyy", "en": "yyyy-mm-dd"},
    "duration": {"vi": "[h]:mm", "en": "[h]:mm"},
    "percent": {"vi": '0.0"%"', "en": '0.0"%"'},
    "score": {"vi": "0.0", "en": "0.0"},
}
"""How numbers look, by what they are. A duration is counted in days too, and shown in hours."""
REMARK: Final = 18


class XlsxReporter:
    """report.xlsx. CloudauditError: what writes workbooks is not installed."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def __init__(self) -> None:
        try:
            import xlsxwriter  # noqa: F401
        except ImportError:
            raise CloudauditError(
                "workbooks need a package that is not installed", hint="pip install 'cloudaudit-vn[xlsx]'"
            ) from None

    def render(self, report: Mapping[str, Any], context: Context) -> bytes:
        with Spool(every(report, context)) as findings:
            document = chapters.document(report, replace(context, findings=findings.first()))
            return workbook(document, replace(context, findings=findings.again()))


def workbook(document: Document, context: Context, most: int = MAX_ROWS) -> bytes:
    """A document and all findings as the bytes of a workbook, with at most so many rows in a sheet."""
    from xlsxwriter import Workbook

    out = BytesIO()
    # Rows go to temporary files as they come: a workbook of all findings would fill the memory.
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with Workbook(out, options) as book:
        report = document.report
        book.set_properties({
            "title": kept(_in(document.title, context.lang), 255),
            "subject": kept(_in(document.subject, context.lang), 255),
            "comments": kept(_both(labels()("sentence.self_assessment"), " / "), 255 * 4),
            "created": datetime.fromtimestamp(parse_time(report["generated_at"]), UTC).replace(tzinfo=None),
        })  # fmt: skip
        _Book(book, document, context, most).write()
    return out.getvalue()


# --- texts ------------------------------------------------------------------------------------------


def _in(text: Text, lang: Lang) -> str:
    return text.vi if lang == "vi" else text.en


def _both(text: Text, between: str = "\n") -> str:
    """A heading in Vietnamese and English, once where they are the same."""
    return between.join(dict.fromkeys(kept(t) for t in (text.vi, text.en)))


def sheet_name(wanted: str, taken: Iterable[str]) -> str:
    """A legal name for a sheet that no other has, whatever the case of its letters."""
    name = " ".join(_NOT_IN_NAMES.sub(" ", kept(wanted, 4 * MAX_NAME)).split()) or "–"
    used = {one.casefold() for one in taken} | {"history"}
    for number in range(1, len(used) + 2):
        tail = f" ({number})" if number > 1 else ""
        cut = name
        while units(cut) > MAX_NAME - len(tail):
            cut = cut[:-1]
        found = f"{cut.strip()}{tail}".strip()
        if found.casefold() not in used:
            return found
    raise AssertionError("one more number than there are names is free")


@dataclass(frozen=True, slots=True)
class _Column:
    title: Text
    width: float
    wrap: bool = True


@dataclass(frozen=True, slots=True)
class _Shown:
    """A value as a cell shows it."""

    value: Value
    strong: bool = False
    number: str = ""
    """The format of a number."""
    head: bool = False
    """Whether it is the head of a column."""


def _shown(cell: Cell, kind: str, lang: Lang) -> _Shown:
    """A cell of a document: its lines below each other, signs before the words, figures as numbers."""
    strong = bool(cell) and all(phrase.style == "strong" for phrase in cell)
    alone = cell[0] if len(cell) == 1 and kind == "number" and not cell[0].mark else None
    if alone and (found := _NUMBER.fullmatch(alone.text.en.strip())):
        decimals = "0" * len(found[2] or "")
        return _Shown(float(found[1]), strong, f"0.{decimals}".rstrip(".") + ('"%"' if found[3] else ""))
    lines = (f"{view.SYMBOL.get(p.mark, '')} {kept(_in(p.text, lang))}".strip() for p in cell)
    return _Shown((", " if kind == "flow" else "\n").join(lines), strong)


def _numbers(exact: Exact, lang: Lang) -> list[_Shown] | None:
    """Exact values as numbers of a workbook; None where it has none for them: a day of the year 20000."""
    found: list[float] = []
    for number in exact.numbers:
        match exact.unit:
            case "moment":
                found.append((number + OFFSET) / DAY + EPOCH)
            case "day":
                found.append((number + OFFSET) // DAY + EPOCH)
            case "duration":
                found.append(number / DAY)
            case _:
                found.append(number)
        least, most = DATES if exact.unit in ("moment", "day") else (-DATES[1], DATES[1])
        if not least <= found[-1] < most:
            return None
    return [_Shown(number, number=LOOKS[exact.unit][lang]) for number in found]


def _noted(title: Text, key: str) -> Text:
    """The head of a column with what its numbers are, or which part of it this is."""
    unit = labels()(f"data.{key}")
    if key in ("lower", "upper"):
        # The heads of intervals say in brackets which two numbers theirs are.
        title = Text(title.vi.partition(" (")[0], title.en.partition(" (")[0])
    if key in ("moment", "day", "duration"):
        return Text(f"{title.vi} ({unit.vi})", f"{title.en} ({unit.en})")
    return Text(f"{title.vi}: {unit.vi}", f"{title.en}: {unit.en}")


@dataclass(frozen=True, slots=True)
class _Split:
    """A column of a document as columns of a sheet: numbers apart from what else its cells say."""

    column: Column
    unit: str
    numbers: int
    remarks: bool

    @classmethod
    def of(cls, column: Column, cells: Sequence[Cell]) -> _Split:
        exact = [(one[0].exact, len(one) > 1) for one in cells if one and one[0].exact]
        units_ = {(found.unit, len(found.numbers)) for found, _ in exact if found}
        if len(units_) != 1:
            # No head would be true of all of them.
            return cls(column, "", 1, False)
        unit, numbers = units_.pop()
        return cls(column, unit, numbers, any(more for _, more in exact))

    def columns(self, width: float) -> Iterator[_Column]:
        title = self.column.title
        heads = [_noted(title, self.unit)] if self.unit in ("moment", "day", "duration") else [title]
        if self.numbers == 2:
            heads = [_noted(title, "lower"), _noted(title, "upper")]
        for head in heads:
            yield _Column(head, round(min(max(width / self.numbers, WIDTHS[0]), WIDTHS[1]), 1))
        if self.remarks:
            yield _Column(_noted(title, "remark"), REMARK)

    def shown(self, cell: Cell, lang: Lang) -> list[_Shown]:
        exact = cell[0].exact if cell and self.unit else None
        found = _numbers(exact, lang) if exact else None
        rest = cell[1:]
        if found is None or (cell[0].mark and not rest):
            found = [_shown(cell, self.column.kind, lang)]
            rest = ()
        elif cell[0].mark:
            rest = (replace(rest[0], mark=cell[0].mark), *rest[1:])
        found += [_Shown(None)] * (self.numbers - len(found))
        return [*found, *([_shown(rest, "text", lang) if rest else _Shown(None)] if self.remarks else ())]


def _split(table: Table) -> list[_Split]:
    return [_Split.of(column, [row[n] for row in table.rows]) for n, column in enumerate(table.columns)]


def _columns(table: Table, splits: Sequence[_Split]) -> Iterator[_Column]:
    """Columns as wide as their shares say, within what can be read."""
    whole = sum(column.share for column in table.columns) or 1
    for column, split in zip(table.columns, splits, strict=True):
        yield from split.columns(PAGE * column.share / whole)


class _Book:
    """The sheets of one workbook, in the order they are opened in."""

    def __init__(self, book: Workbook, document: Document, context: Context, most: int) -> None:
        self.book = book
        self.document = document
        self.report = document.report
        self.context = context
        self.lang: Lang = context.lang
        self.most = most
        self.sheets: dict[str, int] = {}
        """Names of sheets with how many rows of data they have."""
        self.formats: dict[tuple[_Shown, bool, bool], Format] = {}

    def write(self) -> None:
        summary = self.open(self.word("data.summary"))
        for section, table in self.document.tables():
            if section.number != "0":
                name = f"{section.number}. {_in(table.title, self.lang)}"
                above = f"{section.number}. {_both(section.title, ' / ')} – {_both(table.title, ' / ')}"
                splits = _split(table)
                rows = (self.row(splits, row) for row in table.rows)
                self.table(name, above, list(_columns(table, splits)), rows, table.hidden)
        columns = [field.column() for field in FIELDS]
        findings = self.table(
            self.word("data.findings"), _both(labels()("field.findings"), " / "), columns, self.findings()
        )
        columns = [_Column(labels()("data.section"), 24), _Column(labels()("data.said"), 120)]
        self.table(self.word("data.text"), _both(labels()("data.text"), " / "), columns, self.texts(findings))
        self.summary(summary, findings)

    def row(self, splits: Sequence[_Split], row: Sequence[Cell]) -> list[_Shown]:
        pairs = zip(splits, row, strict=True)
        return [shown for split, cell in pairs for shown in split.shown(cell, self.lang)]

    def word(self, key: str, **filled: object) -> str:
        return _in(labels()(key, **filled), self.lang)

    # --- sheets -------------------------------------------------------------------------------------

    def open(self, wanted: str) -> Worksheet:
        name = sheet_name(wanted, self.sheets)
        self.sheets[name] = 0
        sheet = self.book.add_worksheet(name)
        sheet.set_paper(A4)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        return sheet

    def table(
        self,
        name: str,
        above: str,
        columns: Sequence[_Column],
        rows: Iterable[Sequence[_Shown]],
        hidden: int = 0,
    ) -> str:
        """A sheet with heading, columns and filter, and others where it is full. The name of the first."""
        waiting = iter(rows)
        following = next(waiting, None)
        sheet = self.begin(name, above, columns)
        first: str = sheet.get_name()
        line = 1
        while following is not None:
            # The last row of a sheet is for what it says of those that are not in it.
            if line == self.most - 2:
                after = self.begin(name, above, columns)
                self.finish(sheet, line, columns)
                self.put(sheet, line + 1, 0, _Shown(self.word("data.goes_on", sheet=after.get_name())), False)
                sheet, line = after, 1
            line += 1
            for number, (shown, column) in enumerate(zip(following, columns, strict=True)):
                self.put(sheet, line, number, shown, column.wrap)
            following = next(waiting, None)
        self.finish(sheet, line, columns)
        if hidden:
            self.put(sheet, line + 1, 0, _Shown(self.word("data.hidden", count=hidden)), False)
        return first

    def begin(self, name: str, above: str, columns: Sequence[_Column]) -> Worksheet:
        """Open a sheet with its heading. The first two rows stay in sight."""
        sheet = self.open(name)
        for number, column in enumerate(columns):
            sheet.set_column(number, number, column.width)
        self.put(sheet, 0, 0, _Shown(above, strong=True), False)
        for number, column in enumerate(columns):
            self.put(sheet, 1, number, _Shown(_both(column.title), strong=True, head=True), True)
        sheet.freeze_panes(2, 1)
        sheet.repeat_rows(1)
        return sheet

    def finish(self, sheet: Worksheet, last: int, columns: Sequence[_Column]) -> None:
        self.sheets[sheet.get_name()] = last - 1
        sheet.autofilter(1, 0, max(last, 1), len(columns) - 1)

    def put(self, sheet: Worksheet, row: int, column: int, shown: _Shown, wrap: bool) -> None:
        value = shown.value
        if value is None or value == "":
            return
        if not isinstance(value, str):
            sheet.write_number(row, column, value, self.format(replace(shown, value=None), False, False))
            return
        text = fitted(value, MAX_CELL - 1)
        if text.startswith("<r>") and text.endswith("</r>"):
            # NOTE: xlsxwriter takes such a text for its own markup, and writes it as it is.
            text += " "
        quoted = text.lstrip()[:1] in FORMULA
        sheet.write_string(row, column, text, self.format(replace(shown, value="", number="@"), wrap, quoted))

    def format(self, like: _Shown, wrap: bool, quoted: bool) -> Format:
        """How a cell looks. The format "@" is text, also for what is typed into the cell later."""
        key = (like, wrap, quoted)
        if key not in self.formats:
            look = {"valign": "top", "text_wrap": wrap, "bold": like.strong, "quote_prefix": quoted}
            head = {"bottom": 1, "bg_color": "#E7E6E6"} if like.head else {}
            self.formats[key] = self.book.add_format({**look, **head, "num_format": like.number or "0"})
        return self.formats[key]

    # --- what stands in them --------------------------------------------------------------------------

    def findings(self) -> Iterator[list[_Shown]]:
        known = Lookup.of(self.report)
        for record in every(self.report, self.context):
            yield [field.of(record, known, self.lang) for field in FIELDS]

    def texts(self, findings: str) -> Iterator[list[_Shown]]:
        """Everything that is said outside tables, by section; that of the cover is in the summary."""
        for section in self.document.sections:
            if section.number == "0":
                continue
            name = f"{section.number}. {kept(_in(section.title, self.lang))}"
            for block in section.blocks:
                if not isinstance(block, Table):
                    for row in self.said(block, findings):
                        yield [
                            _Shown(name),
                            _Shown("\n".join(str(part.value) for part in row), row[0].strong),
                        ]

    def said(self, block: Block, findings: str, apart: bool = False) -> Iterator[list[_Shown]]:
        """A block that is no table, as rows of one or two cells; its numbers are texts unless set apart."""
        match block:
            case Heading():
                yield [_Shown(_both(block.text, " / "), strong=True)]
            case Prose():
                fixed = block.style == "fixed"
                text = _both(block.text) if fixed else kept(_in(block.text, self.lang))
                yield [_Shown(text, strong=block.style == "warning")]
            case Items():
                for number, entry in enumerate(block.entries, 1):
                    shown = _shown(entry, "text", self.lang)
                    sign = f"{number}." if block.numbered else "•"
                    yield [_Shown(f"{sign} {shown.value}", shown.strong)]
            case Pairs():
                for title, entry in block.rows:
                    split = _Split.of(Column(title), [entry] if apart else [])
                    heads = split.columns(PAGE)
                    for head, shown in zip(heads, split.shown(entry, self.lang), strict=True):
                        yield [_Shown(_both(head.title)), shown]
            case Picture():
                yield [
                    _Shown(f"{kept(_in(block.title, self.lang))}: {kept(_in(block.alternative, self.lang))}")
                ]
            case Findings():
                yield [_Shown(self.word("data.findings_in", sheet=findings))]
            case Table():
                raise AssertionError("a table has a sheet of its own")

    def summary(self, sheet: Worksheet, findings: str) -> None:
        """The first sheet: the cover, with its tables, and where everything else is."""
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, 1, 60)
        sheet.set_column(2, 7, 24)
        line = 0

        def add(*cells: _Shown) -> None:
            nonlocal line
            if len(cells) == 1 and isinstance(text := cells[0].value, str):
                # Alone in its row a text has the whole width, if each of its lines has a row.
                for one in text.split("\n"):
                    self.put(sheet, line, 0, replace(cells[0], value=one), wrap=False)
                    line += 1
                return
            for number, shown in enumerate(cells):
                self.put(sheet, line, number, shown, wrap=True)
            line += 1

        document = self.document
        for title in (document.title, document.subtitle, document.subject):
            for text in dict.fromkeys((title.vi, title.en)):
                add(_Shown(kept(text), strong=title is not document.subtitle))
        add()
        for block in (b for s in document.sections if s.number == "0" for b in s.blocks):
            if isinstance(block, Table):
                add(_Shown(_both(block.title, " / "), strong=True))
                splits = _split(block)
                add(*(_Shown(_both(column.title), strong=True) for column in _columns(block, splits)))
                for row in block.rows:
                    add(*self.row(splits, row))
                if block.hidden:
                    add(_Shown(self.word("data.hidden", count=block.hidden)))
            else:
                for cells in self.said(block, findings, apart=True):
                    add(*cells)
            add()
        add(_Shown(_both(labels()("data.sheets"), " / "), strong=True))
        for name, rows in list(self.sheets.items())[1:]:
            sheet.write_url(line, 0, f"internal:'{name}'!A1", string=name)
            self.put(sheet, line, 1, _Shown(rows), wrap=False)
            line += 1
        sentences = [labels()("sentence.self_assessment"), labels()("sentence.unknown_is_no_pass")]
        if not self.report["profile"]["official"]:
            sentences.append(text_of(self.report["profile"]["notice"]))
        add()
        for sentence in sentences:
            for text in dict.fromkeys((sentence.vi, sentence.en)):
                add(_Shown(kept(text)))


# --- findings ---------------------------------------------------------------------------------------

Record = Mapping[str, Any]


def _label(group: str, value: str | None, lang: Lang) -> str:
    return _in(labels().of(group, value), lang) if value else ""


def _outcome(key: str, lang: Lang) -> _Shown:
    return _Shown(f"{view.SYMBOL[key]} {_in(view.outcome_label(key), lang)}")


def _evidence(record: Record) -> str:
    """Each piece of evidence on a line: the fact, its value as JSON or why it is missing, source and time."""
    own = f"{record['resource']['type']}:{record['resource']['id']}"
    lines = []
    for entry in record["evidence"]:
        other = "" if entry["resource"] == own else f" ({kept(entry['resource'], 200)})"
        value = (
            json.dumps(entry["value"], ensure_ascii=False) if "value" in entry else f"? {entry['missing']}"
        )
        told = f"{entry['fact']}{other} = {value}; {entry['source']}; {entry['at'] or '–'}"
        lines.append(kept(told))
    return "\n".join(lines)


def _plain(key: str) -> Callable[[Record, Lookup, Lang], _Shown]:
    """A text of the finding itself, or with a dot of its resource."""
    first, _, second = key.partition(".")

    def of(record: Record, known: Lookup, lang: Lang) -> _Shown:
        value = record[first][second] if second else record[first]
        return _Shown(value if isinstance(value, int) else kept(value))

    return of


def _detail(record: Record, known: Lookup, lang: Lang) -> _Shown:
    detail = details.of(record)
    return _Shown(None if detail is None else kept(_in(detail, lang)))


def _of_control(key: str) -> Callable[[Record, Lookup, Lang], _Shown]:
    def of(record: Record, known: Lookup, lang: Lang) -> _Shown:
        return _Shown(_label(key, known.controls[record["control"]][key], lang))

    return of


def _title(record: Record, known: Lookup, lang: Lang) -> _Shown:
    return _Shown(kept(_in(text_of(known.controls[record["control"]]["title"]), lang)))


def _moment(at: str | None, lang: Lang) -> _Shown:
    if at is None:
        return _Shown(None)
    found = _numbers(Exact("moment", (parse_time(at),)), lang)
    return found[0] if found else _Shown(_in(moment(at), lang))


def _disposition(record: Record, known: Lookup, lang: Lang) -> _Shown:
    """The waiver that holds, or why one does not."""
    if record["waiver"]:
        return _Shown(f"{_outcome('waived', lang).value}: {kept(record['waiver'])}")
    if record["refused_waiver"]:
        refusal = _in(text_of(record["refused_waiver"]), lang)
        return _Shown(f"{_in(labels()('disposition.refused'), lang)}: {kept(refusal)}")
    return _Shown(None)


@dataclass(frozen=True, slots=True)
class _Field:
    """A column of the sheet of findings: its label, its width, and what of a finding stands in it."""

    label: str
    width: float
    of: Callable[[Record, Lookup, Lang], _Shown]
    wrap: bool = False
    unit: str = ""

    def column(self) -> _Column:
        title = labels()(self.label)
        return _Column(_noted(title, self.unit) if self.unit else title, self.width, self.wrap)


FIELDS: Final = (
    _Field("column.control", 10, _plain("control")),
    _Field("column.title", 40, _title, wrap=True),
    _Field("column.dimension", 12, lambda r, known, _: _Shown(known.controls[r["control"]]["dimension"])),
    _Field("column.severity", 14, _of_control("severity")),
    _Field("column.gate", 10, lambda r, known, _: _Shown(known.gates.get(r["control"]))),
    _Field("column.verdict", 20, lambda r, _, lang: _outcome(r["verdict"], lang)),
    _Field("column.disposition", 20, _disposition, wrap=True),
    _Field(
        "column.reason", 24, lambda r, _, lang: _Shown(_label("reason", r["reason_code"], lang)), wrap=True
    ),
    _Field("column.message", 60, lambda r, _, lang: _Shown(kept(_in(view.message(r), lang))), wrap=True),
    _Field("column.detail", 30, _detail, wrap=True),
    _Field("column.type", 24, _plain("resource.type")),
    _Field("column.name", 28, _plain("resource.name")),
    _Field("data.resource_id", 28, _plain("resource.id")),
    _Field("column.target", 16, _plain("resource.target")),
    _Field("column.region", 14, _plain("resource.region")),
    _Field("column.project", 20, lambda r, known, _: _Shown(kept(known.project(r)))),
    _Field("column.system", 20, _plain("resource.system")),
    _Field("column.site", 16, _plain("resource.site")),
    _Field("column.weight", 10, _plain("weight")),
    _Field("column.basis", 18, _of_control("basis")),
    _Field("data.collected_at", 18, lambda r, _, lang: _moment(collected(r), lang), unit="moment"),
    _Field("field.evidence", 80, lambda r, _, lang: _Shown(_evidence(r))),
    _Field("column.fingerprint", 20, _plain("fingerprint")),
)
