"""The PDF: what it says, its structure and standards, and that no text of a cloud steers, leaves or empties it."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from typing import Any, Literal

import pdfplumber
import pytest
import sample_document as made
import sample_report as sample
import typst
from pdfminer.pdftypes import resolve1

from cloudaudit import data
from cloudaudit.errors import CloudauditError
from cloudaudit.model import Text
from cloudaudit.plugins import reporter
from cloudaudit.reporters import glyphs, paper, pdf
from cloudaudit.reporters.document import Document, Picture, Section

MARGIN_LEFT, MARGIN_RIGHT = 25 / 25.4 * 72, (210 - 20) / 25.4 * 72
HOSTILE = (made.MARKUP, made.RIGHT_TO_LEFT, made.CONTROLS, made.FOREIGN, made.LONG)
Language = Literal["vi", "en"]


def typeset(document: Document, lang: Language = "vi", inputs: sample.Inputs | None = None) -> Any:
    return opened(pdf.typeset(document, sample.context(lang, inputs=inputs)))


def opened(content: bytes) -> Any:
    return pdfplumber.open(BytesIO(content))


def text_of(document: Any) -> str:
    """All its words, on one line each page."""
    return "\n".join(" ".join(page.extract_text().split()) for page in document.pages)


def unspaced(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.fixture(scope="module")
def vietnamese() -> Any:
    return typeset(made.with_rows(made.of(sample.realistic()), 200))


@pytest.fixture(scope="module")
def hostile() -> Any:
    return typeset(made.of(sample.realistic(), *HOSTILE))


# --- what it says -----------------------------------------------------------------------------------


def test_the_cover_says_what_whose_and_of_what_worth(vietnamese: Any) -> None:
    cover = text_of(vietnamese).split("\n")[0]
    for said in (
        "BÁO CÁO ĐÁNH GIÁ MỨC ĐỘ SẴN SÀNG KẾT NỐI",
        "REPORT ON READINESS TO CONNECT",
        "csdl-ho-tich",
        "Mức 1: Chưa sẵn sàng; đáp ứng 5/7 điều kiện tiên quyết",
        "× Chưa đáp ứng",
        "không thay thế kết luận của cơ quan có thẩm quyền",
        "it does not replace the conclusion of a competent authority",
    ):
        assert said in cover
    assert "trang 1 /" not in cover


def test_sections_carry_the_numbers_of_the_specification(vietnamese: Any) -> None:
    contents = text_of(vietnamese).split("\n")[1]
    assert re.fullmatch(
        r".*MỤC LỤC 4\. Kết quả tổng hợp và mức độ sẵn sàng [. ]*3 12\. Nội dung chưa xác định và hạn chế [. ]*\d"
        r" 14\. Kế hoạch khắc phục [. ]*\d Phụ lục B: Chứng cứ [. ]*\d+ .*",
        contents,
    )
    said = text_of(vietnamese)
    assert "12. Nội dung chưa xác định và hạn chế Unknowns and limits Không có nội dung." in said
    assert "Bảng 4.1. Điều kiện tiên quyết Table 4.1. Gates" in said
    assert "Còn 7 dòng, xem report.json." in said
    assert "Hình 4.1. Điểm theo chiều" in said


def test_every_page_but_the_cover_has_its_number_and_whose_it_is(vietnamese: Any) -> None:
    pages = text_of(vietnamese).split("\n")
    for number, page in enumerate(pages[1:], 2):
        assert page.startswith("Báo cáo mức độ sẵn sàng csdl-ho-tich")
        assert page.endswith(f"22/11/2026 08:30 trang {number} / {len(pages)}")


def test_findings_stand_with_their_verdict_in_sign_and_word(vietnamese: Any) -> None:
    said = text_of(vietnamese)
    assert "RES-05 – Đích sao chép S3 nằm tại địa điểm trong nước đã khai báo" in said
    assert "× Không đáp ứng" in said
    assert "? Chưa xác định" in said
    assert said.count("Phát hiện của BDR-01") == 1, "a control is not told twice"


def test_vietnamese_letters_come_out_whole(vietnamese: Any) -> None:
    said = text_of(vietnamese)
    assert unicodedata.is_normalized("NFC", said)
    letters = "aàảãáạăằẳẵắặâầẩẫấậeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵđ"
    page = unspaced(text_of(typeset(made.of(sample.small(), letters, letters.upper()))))
    assert letters in page
    assert letters.upper() in page


def test_in_english_nothing_else_is_said_but_fixed_sentences() -> None:
    said = text_of(typeset(made.of(sample.realistic()), "en"))
    assert "4. Overall result" in said
    assert "page 2 of" in said
    assert "Kết quả tổng hợp" not in said
    assert "không thay thế kết luận của cơ quan có thẩm quyền" in said


def test_headers_of_a_long_table_stand_on_each_of_its_pages(vietnamese: Any) -> None:
    pages = [page for page in text_of(vietnamese).split("\n") if "Khối lưu trữ số" in page]
    assert len(pages) > 3
    assert all("Mã Điều kiện Trạng thái Số lượng" in page for page in pages)


def test_more_findings_than_a_reader_takes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "MOST_FINDINGS", 30)
    inputs = sample.many(60)
    said = text_of(typeset(made.of(inputs), inputs=inputs))
    assert said.count("Còn 5 dòng, xem report.json.") == 6


# --- structure and standards --------------------------------------------------------------------------


def structure(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and entries of the structure tree, from the top down."""
    node = resolve1(node)
    if isinstance(node, list):
        for child in node:
            yield from structure(child)
    elif isinstance(node, dict):
        if "S" in node:
            yield node["S"].name, node
        if "K" in node:
            yield from structure(node["K"])


def test_the_file_is_tagged_and_claims_the_standards(vietnamese: Any) -> None:
    catalog = vietnamese.doc.catalog
    assert resolve1(catalog["MarkInfo"])["Marked"] is True
    assert resolve1(catalog["Lang"]) == b"vi-VN"
    assert resolve1(catalog["ViewerPreferences"])["DisplayDocTitle"] is True
    metadata = resolve1(catalog["Metadata"]).get_data().decode()
    for claim in ("pdfaid:part>2<", "pdfaid:conformance>A<", "pdfuaid:part>1<", "BÁO CÁO ĐÁNH GIÁ"):
        assert claim in metadata
    tags = [name for name, _ in structure(catalog["StructTreeRoot"])]
    assert {"H1", "H2", "Table", "TH", "TD", "Figure", "TOC", "L", "Link"} <= set(tags)
    figures = [node for name, node in structure(catalog["StructTreeRoot"]) if name == "Figure"]
    assert [resolve1(node["Alt"]).decode("utf-16") for node in figures] == ["An toàn: từ 45 đến 60."]


def test_english_beside_vietnamese_is_marked_as_such(vietnamese: Any) -> None:
    found = {
        node["Lang"] for _, node in structure(vietnamese.doc.catalog["StructTreeRoot"]) if "Lang" in node
    }
    assert {b"en"} <= {resolve1(one) for one in found}


def test_the_same_document_gives_the_same_bytes() -> None:
    one, again = (pdf.typeset(made.of(sample.small()), sample.context("vi")) for _ in "12")
    assert one == again
    assert b"2026" in one


def check_inside(page: Any) -> None:
    """All letters stand between the margins, and none on another, as those of a column too narrow would."""
    lines: dict[int, list[Any]] = {}
    for char in page.chars:
        if char["text"].strip():
            assert char["x0"] > MARGIN_LEFT - 1
            assert char["x1"] < MARGIN_RIGHT + 1
            assert char["bottom"] < 842
            lines.setdefault(round(char["bottom"]), []).append(char)
    for chars in lines.values():
        chars.sort(key=lambda char: char["x0"])
        for one, other in pairwise(chars):
            assert one["x1"] - other["x0"] < 1.5, "".join(char["text"] for char in chars)


# --- whatever a cloud says ----------------------------------------------------------------------------


def test_markup_is_text(hostile: Any) -> None:
    assert unspaced(text_of(hostile)).count(unspaced(made.MARKUP)) >= 4


def test_what_no_font_has_is_spelled(hostile: Any) -> None:
    said = text_of(hostile)
    assert "[U+65E5 U+672C U+8A9E]" in said
    assert "[U+05D0 U+05D1]" in said
    assert "\N{REPLACEMENT CHARACTER}abc" in said, "a direction mark is taken away"
    assert "bảng\N{REPLACEMENT CHARACTER}[31m" in said


def test_nothing_leaves_its_page(hostile: Any, vietnamese: Any) -> None:
    for page in (*hostile.pages, *vietnamese.pages):
        check_inside(page)


def test_a_long_name_is_copied_whole() -> None:
    said = text_of(typeset(made.of(sample.small(), made.DIGEST)))
    assert made.DIGEST in unspaced(said)
    assert "\u200b" not in said
    assert "\u00ad" not in said


def test_a_drawing_with_foreign_letters_is_set() -> None:
    names = "日本 &#x65e5; &#128512; \u202e &lt;b&gt;"

    def draw(languages: str) -> str:
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 20" width="300" height="20">\n\t<text y="15">{names}</text></svg>'

    picture = Picture("p", Text("Hình", "Picture"), Text("Lời", "Words"), draw, 300, 20)
    document = made.of(sample.small())
    document = replace(document, sections=(Section("4", Text("Mục", "Section"), (picture,)),))
    assert "[U+65E5 U+672C] [U+65E5] [U+1F600] [U+202E] <b>" in text_of(typeset(document))


def test_every_letter_we_call_known_is_in_the_fonts_of_typst() -> None:
    styles = (
        'font: ("Libertinus Serif", "DejaVu Sans Mono"), weight: "regular"',
        'font: ("Libertinus Serif", "DejaVu Sans Mono"), weight: "bold"',
        'font: ("Libertinus Serif", "DejaVu Sans Mono"), style: "italic"',
        'font: ("Libertinus Serif", "DejaVu Sans Mono"), weight: "bold", style: "italic"',
        'font: ("DejaVu Sans Mono", "Libertinus Serif"), weight: "regular"',
    )
    settings = "".join(f"#text(fallback: false, {style}, sys.inputs.letters)\n\n" for style in styles)
    letters = " ".join(sorted(c for c in glyphs.characters() if unicodedata.category(c)[0] not in "MC"))
    source = f'#set document(title: "x")\n{settings}'.encode()
    fonts = typst.Fonts(include_system_fonts=False)
    assert typst.compile(
        source, format="pdf", font_paths=fonts, sys_inputs={"letters": letters}, pdf_standards="a-2a"
    )


# --- whole reports ------------------------------------------------------------------------------------


def unknown() -> sample.Inputs:
    """Nothing could be read."""
    return sample.Inputs(
        [
            sample.unseen_scope(one.id, one.applies_to[0], "no_permission", "hn-cloud")
            for one in sample.CONTROLS
        ]
    )


WHOLE = [sample.small, sample.realistic, sample.all_pass, sample.hostile, unknown]


@pytest.mark.parametrize(
    ("inputs", "lang"),
    [*((one, "vi") for one in WHOLE), (sample.realistic, "en")],
    ids=[*(one.__name__ for one in WHOLE), "english"],
)
def test_whole_reports_are_set(inputs: Any, lang: Language) -> None:
    given = inputs()
    report = sample.report(given)
    context = sample.context(lang, inputs=given, findings=iter(report["findings"]))
    document = opened(reporter("pdf").render(report, context))
    said = text_of(document)
    assert ("Phụ lục E" if lang == "vi" else "Appendix E") in said
    assert "Kết luận" not in said.split("\n")[0]
    for page in document.pages:
        check_inside(page)


def test_the_yearly_form_is_short() -> None:
    report = sample.report(sample.small())
    context = sample.context("vi", findings=iter(report["findings"]), form="yearly")
    said = text_of(opened(reporter("pdf").render(report, context)))
    assert "14. Kế hoạch khắc phục" in said
    assert "Phụ lục A" not in said


def test_the_summary_is_one_page_beside_an_earlier_report() -> None:
    report = json.loads((data.folder("reports") / "examples" / "demo" / "report.json").read_bytes())
    earlier = (report | {"assessed_at": "2026-08-22T01:30:00Z"},)
    context = sample.context("vi", findings=iter(report["findings"]), form="yearly", earlier=earlier)
    pages = text_of(opened(reporter("pdf").render(report, context))).split("\n")
    assert "So sánh với báo cáo trước" in pages[1]
    assert "MỤC LỤC" in pages[2]


def test_without_its_package_the_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(CloudauditError) as refused:
        reporter("pdf")
    assert str(refused.value) == (
        "the format 'pdf' needs packages that are not installed; install them with: pip install 'cloudaudit-vn[pdf]'"
    )
