"""The workbook, read back with another library: what stands in it, and that it computes and opens nothing."""

from __future__ import annotations

import builtins
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, Literal

import data_samples as data
import pytest
import sample_report as sample
from defusedxml import ElementTree
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from cloudaudit.errors import CloudauditError
from cloudaudit.model import Text
from cloudaudit.plugins import reporter
from cloudaudit.reporters import chapters
from cloudaudit.reporters.document import Cell as DocumentCell
from cloudaudit.reporters.document import Column, Exact, Pairs, Phrase, Section, Table, cell
from cloudaudit.reporters.rows import FORMULA, MAX_CELL, units
from cloudaudit.reporters.words import labels
from cloudaudit.reporters.xlsx import DAY, FIELDS, MAX_NAME, XlsxReporter, sheet_name, workbook


def made(inputs: sample.Inputs, words: tuple[str, ...] = ("một", "hai"), **changes: Any) -> bytes:
    return workbook(data.document(sample.report(inputs), words), data.context(inputs), **changes)


def opened(content: bytes) -> Workbook:
    return load_workbook(BytesIO(content), rich_text=False)


def rows(sheet: Worksheet) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def cells(book: Workbook) -> list[Cell]:
    return [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]


# --- what stands in it ----------------------------------------------------------------------------------


def test_sheets_are_the_summary_the_tables_the_findings_and_the_rest() -> None:
    assert opened(made(sample.small())).sheetnames == [
        "Tóm tắt", "4. Bảng (vi)", "7. Bảng (vi)", "12. Bảng (vi)", "14. Bảng (vi)", "A. Bảng (vi)", "Phát hiện", "Nội dung",
    ]  # fmt: skip


def test_a_table_has_a_filter_headers_that_stay_and_widths() -> None:
    sheet = opened(made(sample.small()))["4. Bảng (vi)"]
    assert rows(sheet) == [
        ["4. Mục 4 (vi) / Mục 4 (en) – Bảng (vi) / Bảng (en)", None, None, None],
        ["Tên (vi)\nTên (en)", "Số (vi)\nSố (en)", "Kết quả (vi)\nKết quả (en)", "Mã (vi)\nMã (en)"],
        ["một", 66.6, "✓ một", "một"],
        ["hai", 66.6, "✓ hai", "hai"],
        ["Còn 3 dòng không đưa vào đây; xem report.json.", None, None, None],
    ]
    assert (sheet.auto_filter.ref, sheet.freeze_panes) == ("A2:D4", "B3")
    assert sheet["B3"].number_format == '0.0"%"'
    assert [sheet.column_dimensions[c].width > 8 for c in "ABCD"] == [True] * 4
    assert sheet.column_dimensions["A"].width > sheet.column_dimensions["B"].width
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)


def test_every_finding_stands_there_with_its_evidence() -> None:
    inputs = sample.realistic()
    sheet = opened(made(inputs))["Phát hiện"]
    found = rows(sheet)
    assert len(found) == len(inputs.findings) + 2
    head = [field.column().title for field in FIELDS]
    assert found[1] == [text.vi if text.vi == text.en else f"{text.vi}\n{text.en}" for text in head]
    assert [row[-1] for row in found[2:]] == [r["fingerprint"] for r in data.records(inputs)]
    assert found[1][20] == "Thời điểm chứng cứ (giờ Việt Nam)\nTime of the evidence (Viet Nam time)"
    row = dict(
        zip((field.label for field in FIELDS), next(r for r in found if r[0] == "RES-05"), strict=True)
    )
    assert row.pop("column.fingerprint")
    assert row == {
        "column.control": "RES-05",
        "column.title": "Đích sao chép S3 nằm tại địa điểm trong nước đã khai báo",
        "column.dimension": "RES",
        "column.severity": "Nghiêm trọng",
        "column.gate": "G1",
        "column.verdict": "× Không đáp ứng",
        "column.disposition": None,
        "column.reason": None,
        "column.message": "Bucket ho-so-cong-dan: đích sao chép đang bật: bucket: dr-copy, đã nhận diện: có, địa điểm: sg-1,"
        " quốc gia: SG, trong nước: không",
        "column.detail": None,
        "column.type": "s3.bucket",
        "column.name": "ho-so-cong-dan",
        "data.resource_id": "ho-so-cong-dan",
        "column.target": "s3-hn",
        "column.region": None,
        "column.project": None,
        "column.system": None,
        "column.site": "hn-1",
        "column.weight": 2,
        "column.basis": "Quan sát được và khai báo",
        "data.collected_at": datetime(2026, 11, 22, 8, 5),
        "field.evidence": 'replication.destinations = [{"bucket": "dr-copy", "known": true, "site": "sg-1", "country":'
        ' "SG", "domestic": false}]; derived:replication; s3 GET /?replication -> 200; 2026-11-22T01:05:00Z',
    }
    waived = next(r for r in found if r[0] == "BDR-05" and r[6] and "MT-2026-03" in r[6])
    assert (waived[5], waived[6]) == ("× Không đáp ứng", "≈ Được miễn trừ có thời hạn: MT-2026-03")
    assert sheet.auto_filter.ref == f"A2:W{len(inputs.findings) + 2}"


def exact(text: str, unit: Any, *numbers: float, more: tuple[str, ...] = (), mark: str = "") -> DocumentCell:
    return cell(text, *more, mark=mark, exact=Exact(unit, numbers))


AT = 1_795_342_305
"""2026-11-22T17:11:45+07:00."""


def of_rows(
    *rows: tuple[DocumentCell, ...], heads: tuple[str, ...], lang: Literal["vi", "en"] = "vi"
) -> Worksheet:
    inputs = sample.small()
    made_of = Table("t", Text("Bảng", "Table"), tuple(Column(Text(h, h)) for h in heads), rows)
    section = Section("4", Text("Mục", "Section"), (made_of,))
    document = replace(data.document(sample.report(inputs)), sections=(section,))
    return opened(workbook(document, data.context(inputs, lang))).worksheets[1]


def test_dates_durations_and_scores_are_numbers_with_heads_that_say_which() -> None:
    """What else their cells say stands in a column beside, so that all of one column sort and compute."""
    heads = ("Lúc", "Hạn", "RPO", "Điểm (từ – đến)", "Bao phủ", "Khác")
    sheet = of_rows(
        (
            exact("22/11/2026 17:11", "moment", AT),
            exact("31/03/2026", "day", 1_774_976_399, more=("Quá hạn",), mark="expired"),
            exact("1 ngày 2 giờ", "duration", 93_600, more=("khoi-phuc",)),
            exact("[72,8 ; 88,6]", "score", 72.8, 88.6),
            exact("84,1 %", "percent", 84.1),
            exact("22/11/2026 17:11", "moment", AT),
        ),
        (cell(), cell("chưa có"), cell("không rõ", "vì sao"), cell("không áp dụng"), cell(), exact("1 ngày", "duration", DAY)),
        heads=heads,
    )  # fmt: skip
    found = rows(sheet)
    assert found[1:] == [
        [
            "Lúc (giờ Việt Nam)\nLúc (Viet Nam time)",
            "Hạn (giờ Việt Nam)\nHạn (Viet Nam time)",
            "Hạn: ghi chú\nHạn: remark",
            "RPO (giờ:phút)\nRPO (hours:minutes)",
            "RPO: ghi chú\nRPO: remark",
            "Điểm: cận dưới\nĐiểm: lower bound",
            "Điểm: cận trên\nĐiểm: upper bound",
            "Bao phủ",
            "Khác",
        ],
        [
            datetime(2026, 11, 22, 17, 11, 45), datetime(2026, 3, 31), "! Quá hạn", timedelta(hours=26), "khoi-phuc",
            72.8, 88.6, 84.1, "22/11/2026 17:11",
        ],
        ["–", "chưa có", None, "không rõ\nvì sao", None, "không áp dụng", None, "–", "1 ngày"],
    ]  # fmt: skip
    formats = [cell.number_format for cell in list(sheet.iter_rows())[2]]
    assert formats == ["dd/mm/yyyy hh:mm", "dd/mm/yyyy", "@", "[h]:mm", "@", "0.0", "0.0", '0.0"%"', "@"]
    assert sheet.auto_filter.ref == "A2:I4"


def test_dates_in_an_english_workbook() -> None:
    sheet = of_rows((exact("2026-11-22 17:11", "moment", AT),), heads=("At",), lang="en")
    assert (sheet["A3"].value, sheet["A3"].number_format) == (
        datetime(2026, 11, 22, 17, 11, 45),
        "yyyy-mm-dd hh:mm",
    )


@pytest.mark.parametrize(
    "hostile",
    [
        exact("=1+1", "moment", 10**14), exact("=1+1", "day", -(10**12)), exact("=1+1", "duration", 1e300),
        exact("=1+1", "percent", float("nan")), exact("=1+1", "score", float("inf"), 1),
    ],
)  # fmt: skip
def test_what_a_workbook_has_no_number_for_stays_text(hostile: DocumentCell) -> None:
    sheet = of_rows((hostile,), heads=("x",))
    assert (sheet["A3"].value, sheet["A3"].data_type, sheet["A3"].quotePrefix) == ("=1+1", "s", True)


def test_the_cover_has_real_dates_and_the_sheet_of_texts_has_words() -> None:
    inputs = sample.small()
    pair = Pairs(((Text("Lúc", "At"), (*exact("22/11/2026 17:11", "moment", AT), Phrase(Text("vì", "as")))),))
    sections = tuple(Section(number, Text("Mục", "Section"), (pair,)) for number in ("0", "4"))
    book = opened(
        workbook(replace(data.document(sample.report(inputs)), sections=sections), data.context(inputs))
    )
    summary = [row[:2] for row in rows(book.worksheets[0])]
    assert ["Lúc (giờ Việt Nam)\nAt (Viet Nam time)", datetime(2026, 11, 22, 17, 11, 45)] in summary
    assert ["Lúc: ghi chú\nAt: remark", "vì"] in summary
    assert [row[1] for row in rows(book["Nội dung"])[2:]] == ["Lúc\nAt\n22/11/2026 17:11\nvì"]


def test_what_is_said_outside_tables_is_not_lost() -> None:
    sheet = opened(made(sample.small()))["Nội dung"]
    assert [row[1] for row in rows(sheet)[2:] if row[0] == "7. Mục 7 (vi)"] == [
        "một / hai", "một", "hai", "một\nhai", "một", "• một\nhai", "• hết", "1. một", "2. hai", "một\nmột\nhai",
        "hai\nmột\nhai", "Hình (vi): Mô tả (vi)", "Các phát hiện: xem trang tính Phát hiện.",
    ]  # fmt: skip


def test_the_summary_is_the_cover_and_leads_to_the_other_sheets() -> None:
    sheet = opened(made(sample.small())).worksheets[0]
    found = rows(sheet)
    assert [row[0] for row in found[:5]] == ["một", "hai", "phụ đề (vi)", "phụ đề (en)", "hai"]
    assert ["một", 66.6, "✓ một", "một"] in found
    assert ["Phát hiện", 4, None, None] in found
    links = {link.ref: link.location for row in sheet.iter_rows() for cell in row if (link := cell.hyperlink)}
    assert sorted(links.values()) == sorted(
        f"'{name}'!A1" for name in opened(made(sample.small())).sheetnames[1:]
    )
    texts = [row[0] for row in found]
    for key in ("sentence.self_assessment", "sentence.unknown_is_no_pass"):
        assert labels()(key).vi in texts
        assert labels()(key).en in texts


def test_english() -> None:
    inputs = sample.small()
    book = opened(workbook(data.document(sample.report(inputs)), data.context(inputs, "en")))
    assert book.sheetnames[:2] == ["Summary", "4. Bảng (en)"]
    assert rows(book["Findings"])[2][5] == "× Fail"


# --- hostile texts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inputs", [sample.hostile(), data.nasty()], ids=["hostile", "nasty"])
def test_nothing_is_computed_or_opened(inputs: sample.Inputs) -> None:
    content = made(inputs, data.NASTY)
    book = opened(content)
    assert {cell.data_type for cell in cells(book)} <= {"s", "n", "d", "inlineStr"}
    signs = [
        cell for cell in cells(book) if isinstance(cell.value, str) and cell.value.lstrip()[:1] in FORMULA
    ]
    assert len(signs) > 50
    assert all(cell.quotePrefix for cell in signs)
    with zipfile.ZipFile(BytesIO(content)) as parts:
        for name in parts.namelist():
            tree = ElementTree.fromstring(parts.read(name))
            assert not [node for node in tree.iter() if node.tag.endswith("}f")], name
        assert not [name for name in parts.namelist() if "external" in name.lower() or "sheets/_rels" in name]


def test_texts_stay_texts_when_the_workbook_is_saved_again() -> None:
    again = BytesIO()
    opened(made(data.nasty(), data.NASTY)).save(again)
    book = opened(again.getvalue())
    signs = [
        cell for cell in cells(book) if isinstance(cell.value, str) and cell.value.lstrip()[:1] in FORMULA
    ]
    assert len(signs) > 50
    assert {(cell.data_type, bool(cell.quotePrefix)) for cell in signs} == {("s", True)}


def test_names_are_read_back_as_they_were() -> None:
    """Markup of the file format itself is text as well; NFD is NFC, and what nobody sees has a sign."""
    inputs = data.nasty()
    found = {row[12] for row in rows(opened(made(inputs))["Phát hiện"])[2:]}
    kept = {n for n in data.NASTY if n.isprintable() and "\u0300" not in n and not n.startswith("<r>")}
    # NOTE: openpyxl leaves the escape of the format as it is, which Excel undoes.
    kept = {n.replace("_x0041_", "_x005F_x0041_") for n in kept}
    assert {n for n in kept if n not in found} == {"a\N{GREEK QUESTION MARK}=1+1", sample.HOSTILE[9]}
    assert {"a;=1+1", "hạ tầng", "<r><t>x</t></r> ", "<r>&</x></r> ", "x" * 10_000} <= found


def test_a_cell_ends_where_excel_does_and_says_so() -> None:
    long = "😀" * 40_000
    bucket = sample.resource("s3.bucket", long, name=long)
    book = opened(made(sample.Inputs(findings=[sample.finding("SEC-13", bucket, "fail")]), (long, "ngắn")))
    assert max(units(c.value) for c in cells(book) if isinstance(c.value, str)) <= MAX_CELL
    shown, _, more = rows(book["Phát hiện"])[2][12].partition("… (+")
    assert len(shown) + int(more.rstrip(")")) == 40_000


def test_a_full_sheet_goes_on_in_another() -> None:
    inputs = sample.realistic()
    book = opened(made(inputs, most=20))
    names = [name for name in book.sheetnames if name.startswith("Phát hiện")]
    assert names == ["Phát hiện", "Phát hiện (2)", "Phát hiện (3)", "Phát hiện (4)"]
    found = [rows(book[name]) for name in names]
    assert [row[-1] for sheet in found for row in sheet[2:] if row[-1]] == [
        r["fingerprint"] for r in data.records(inputs)
    ]
    assert max(len(sheet) for sheet in found) == 20
    assert [sheet[-1][0] for sheet in found[:-1]] == [f"Xem tiếp ở trang tính {name}." for name in names[1:]]
    assert book["Phát hiện (2)"].auto_filter.ref == "A2:W19"


@pytest.mark.parametrize(
    ("count", "sheets"), [(0, ["Phát hiện"]), (17, ["Phát hiện"]), (18, ["Phát hiện", "Phát hiện (2)"])]
)
def test_a_sheet_that_is_just_full_is_the_last(count: int, sheets: list[str]) -> None:
    book = opened(made(sample.many(count), most=20))
    assert [name for name in book.sheetnames if name.startswith("Phát hiện")] == sheets


# --- names of sheets --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "taken", "name"),
    [
        ("A. Bảng", (), "A. Bảng"),
        ("a/b\\c*d?e:f[g]'h'", (), "a b c d e f g h"),
        ("''", (), "–"),
        ("History", (), "History (2)"),
        ("BẢNG", ("bảng",), "BẢNG (2)"),
        ("x" * 40, (), "x" * 31),
        ("x" * 40, ("X" * 31, "x" * 27 + " (2)"), "x" * 27 + " (3)"),
        ("😀" * 20, (), "😀" * 15),
        ("\x00\u202e", (), "\ufffd\ufffd"),
    ],
)
def test_sheet_names_are_legal_and_unique(wanted: str, taken: Sequence[str], name: str) -> None:
    assert sheet_name(wanted, taken) == name


def test_hostile_titles_make_names_of_sheets() -> None:
    inputs = sample.small()
    made_of = tuple(
        Section("A", Text("Mục", "Section"), (Table("t", Text(w, w), (Column(Text(w, w)),), [(cell(w),)]),))
        for w in data.NASTY
    )
    document = replace(data.document(sample.report(inputs)), sections=made_of)
    names = opened(workbook(document, data.context(inputs))).sheetnames
    assert len({name.casefold() for name in names}) == len(data.NASTY) + 3
    assert max(map(units, names)) <= MAX_NAME
    assert not set("".join(names)) & set("[]:*?/\\'")


# --- bytes, and what is missing -------------------------------------------------------------------------------------


def test_the_same_report_gives_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    first = made(sample.realistic(), data.NASTY)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setattr("time.time", lambda: 4_000_000_000.0)
    assert made(sample.realistic(), data.NASTY) == first


@pytest.mark.parametrize("inputs", [sample.Inputs(findings=()), sample.all_pass()], ids=["none", "all pass"])
def test_nothing_to_tell(inputs: sample.Inputs) -> None:
    assert len(rows(opened(made(inputs))["Phát hiện"])) == len(inputs.findings) + 2


def test_a_missing_package_is_told_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def importing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "xlsxwriter":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(CloudauditError) as raised:
        reporter("xlsx")
    assert (
        str(raised.value)
        == "workbooks need a package that is not installed; pip install 'cloudaudit-vn[xlsx]'"
    )


# --- what chapters write ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["full", "yearly"])
@pytest.mark.parametrize(
    "inputs",
    [
        sample.realistic(),
        sample.hostile(),
        data.nasty(),
        sample.nothing(),
        sample.all_unknown(),
        sample.agency(),
    ],
    ids=["realistic", "hostile", "nasty", "nothing", "all unknown", "agency"],
)
def test_the_chapters_as_a_workbook(inputs: sample.Inputs, form: Literal["full", "yearly"]) -> None:
    """Every table is a sheet with all its rows, and all findings are there though chapters read them too."""
    report = sample.report(inputs)
    content = XlsxReporter().render(report, data.context(inputs, form=form))
    book = opened(content)
    document = chapters.document(report, data.context(inputs, form=form))
    tables = [table for section, table in document.tables() if section.number != "0"]
    shown = book.worksheets[1:-2]
    assert [sheet.max_row for sheet in shown] == [len(t.rows) + 2 + (t.hidden > 0) for t in tables]
    assert len(rows(book["Phát hiện"])) == len(inputs.findings) + 2
    signs = [
        cell for cell in cells(book) if isinstance(cell.value, str) and cell.value.lstrip()[:1] in FORMULA
    ]
    assert all(cell.quotePrefix for cell in signs)
    assert XlsxReporter().render(report, data.context(inputs, form=form)) == content
