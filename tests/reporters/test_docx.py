"""The Word document: a draft annex that fills nothing only people may, and an organisation's own template."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import docx as python_docx
import pytest
import sample_document as made
import sample_report as sample
from docx.oxml.ns import qn

from cloudaudit.cli import _run
from cloudaudit.errors import CloudauditError
from cloudaudit.model import Gap, Listing, Reason, Scope, parse_time
from cloudaudit.plugins import reporter
from cloudaudit.reporters import docx
from cloudaudit.reporters.document import Document
from cloudaudit.snapshot import Contents, write

HOSTILE = (made.MARKUP, made.RIGHT_TO_LEFT, made.CONTROLS, made.FOREIGN, made.LONG)
Language = Literal["vi", "en"]


def typeset(document: Document, lang: Language = "vi", **changes: Any) -> Any:
    return opened(docx.typeset(document, sample.context(lang, **changes)))


def opened(content: bytes) -> Any:
    return python_docx.Document(BytesIO(content))


def said(document: Any) -> list[str]:
    """Every paragraph of the body in order, those in tables too."""
    found = ("".join(t.text or "" for t in p.iter(qn("w:t"))) for p in document.element.body.iter(qn("w:p")))
    return [text for text in found if text]


def template(path: Path, *paragraphs: str, header: str = "") -> Path:
    document = python_docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    if header:
        document.sections[0].header.paragraphs[0].text = header
    document.save(str(path))
    return path


@pytest.fixture(scope="module")
def vietnamese() -> Any:
    return typeset(made.with_rows(made.of(sample.realistic()), 30))


# --- the draft annex ----------------------------------------------------------------------------------


def test_what_only_people_may_fill_is_blank(vietnamese: Any) -> None:
    words = said(vietnamese)
    assert words[:2] == ["DỰ THẢO", "PHỤ LỤCANNEX"]
    assert words[3] == "(Kèm theo văn bản số ………/……………… ngày …… tháng …… năm ……… của ………………………………)"
    assert words[-3:] == [
        "……………………, ngày …… tháng …… năm ………",
        "NGƯỜI LẬP(Ký, ghi rõ họ tên)",
        "THỦ TRƯỞNG ĐƠN VỊ(Ký, ghi rõ họ tên và đóng dấu)",
    ]
    assert not any("CỘNG HÒA" in text for text in words), (
        "what is no document of the state must not look like one"
    )


def test_sections_have_real_headings_and_a_table_of_contents(vietnamese: Any) -> None:
    headings = [p.text for p in vietnamese.paragraphs if p.style.name == "Heading 1"]
    assert headings == [
        "4. Kết quả tổng hợp và mức độ sẵn sàng",
        "12. Nội dung chưa xác định và hạn chế",
        "14. Kế hoạch khắc phục",
        "Phụ lục B: Chứng cứ",
    ]
    assert "Điểm theo chiều" in [p.text for p in vietnamese.paragraphs if p.style.name == "Heading 2"]
    codes = [node.text.strip() for node in vietnamese.element.body.iter(qn("w:instrText"))]
    assert codes == ['TOC \\o "1-1" \\h \\z \\u']
    marks = {node.get(qn("w:name")) for node in vietnamese.element.body.iter(qn("w:bookmarkStart"))}
    leads = {node.get(qn("w:anchor")) for node in vietnamese.element.body.iter(qn("w:hyperlink"))}
    assert leads <= marks
    assert {"_Toc_section_4", "_findings_BDR_01"} <= leads


def test_the_page_number_is_above_and_not_on_page_one(vietnamese: Any) -> None:
    page = vietnamese.sections[0]
    assert [node.text for node in page.header._element.iter(qn("w:instrText"))] == [" PAGE "]
    assert page.different_first_page_header_footer
    assert not list(page.first_page_header._element.iter(qn("w:instrText")))
    feet = {part.paragraphs[0].text for part in (page.footer, page.first_page_footer)}
    assert feet == {"DỰ THẢO – Báo cáo mức độ sẵn sàng – csdl-ho-tich"}
    assert (round(page.page_width.mm), round(page.page_height.mm)) == (210, 297)


def test_language_and_fonts_of_every_slot(vietnamese: Any) -> None:
    defaults = vietnamese.styles.element.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
    fonts, lang = defaults.find(qn("w:rFonts")), defaults.find(qn("w:lang"))
    slots = ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs")
    assert dict(fonts.attrib) == {qn(slot): "Times New Roman" for slot in slots}
    assert (lang.get(qn("w:val")), lang.get(qn("w:eastAsia"))) == ("vi-VN", "vi-VN")


def test_tables_repeat_their_head_and_pictures_have_words(vietnamese: Any) -> None:
    long = next(table for table in vietnamese.tables if len(table.rows) == 31)
    assert long.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    assert long.cell(0, 1).text == "Điều kiện\nGate"
    pictures = list(vietnamese.element.body.iter(qn("wp:docPr")))
    assert [node.get("descr") for node in pictures] == ["An toàn: từ 45 đến 60."]
    images = [rel.target_part.blob for rel in vietnamese.part.rels.values() if "image" in rel.reltype]
    assert [blob[:4] for blob in images] == [b"\x89PNG"]


def test_verdicts_stand_in_sign_and_word(vietnamese: Any) -> None:
    assert {"×\xa0Không đáp ứng", "?\xa0Chưa xác định", "✓\xa0Đáp ứng"} <= set(said(vietnamese))


def test_in_english_nothing_else_is_said_but_fixed_sentences() -> None:
    document = typeset(made.of(sample.realistic()), "en")
    words = "\n".join(said(document))
    assert "4. Overall result" in words
    assert "Kết quả tổng hợp" not in words
    assert "không thay thế kết luận của cơ quan có thẩm quyền" in words
    assert document.core_properties.language == "en-GB"


def test_without_typst_the_words_of_a_picture_stand_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    document = typeset(made.of(sample.realistic()))
    assert "Nội dung hình: An toàn: từ 45 đến 60." in said(document)
    assert not list(document.element.body.iter(qn("wp:docPr")))


def test_the_same_document_gives_the_same_bytes(tmp_path: Path) -> None:
    path = template(tmp_path / "t.docx", "{{ title }}", "{{ body }}")
    for changes in ({}, {"template": path}):
        one, again = (docx.typeset(made.of(sample.small()), sample.context("vi", **changes)) for _ in "12")
        assert one == again
        with zipfile.ZipFile(BytesIO(one)) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        about = opened(one).core_properties
        assert about.modified.isoformat() == "2026-11-22T01:30:00+00:00"


# --- whatever a cloud says ----------------------------------------------------------------------------


def test_hostile_names_are_text() -> None:
    words = said(typeset(made.of(sample.realistic(), *HOSTILE)))
    assert made.MARKUP in words
    assert any(text.startswith("bảng\N{REPLACEMENT CHARACTER}[31m") for text in words)
    assert any("日本語" in text for text in words)
    assert not any("\u202e" in text for text in words)


def unknown() -> sample.Inputs:
    """Nothing could be read."""
    return sample.Inputs(
        [
            sample.unseen_scope(one.id, one.applies_to[0], "no_permission", "hn-cloud")
            for one in sample.CONTROLS
        ]
    )


WHOLE = [sample.small, sample.realistic, sample.all_pass, sample.hostile, unknown]


@pytest.mark.parametrize("inputs", WHOLE, ids=[one.__name__ for one in WHOLE])
def test_whole_reports_are_set(inputs: Any) -> None:
    given = inputs()
    report = sample.report(given)
    context = sample.context("vi", inputs=given, findings=iter(report["findings"]))
    document = opened(reporter("docx").render(report, context))
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    assert headings[0] == "0. Tóm tắt"
    assert headings[-1] == "Phụ lục E: Thuật ngữ"


# --- templates ----------------------------------------------------------------------------------------


def fill(path: Path, *names: str, **changes: Any) -> Any:
    return typeset(made.of(sample.realistic(), *names), template=path, **changes)


def test_a_template_is_filled_with_words_and_sections(tmp_path: Path) -> None:
    path = template(
        tmp_path / "mau.docx",
        "Kính gửi: {{ subject }} ({{ subject_en }})",
        "{% if level == '1' %}{{ level_name }}, {{ score }}{% endif %}",
        "{{ contents }}",
        "{{ section_4 }}",
        "Giữa",
        "{{ annex_B }}",
        header="{{ scope }} {{ assessed_at }}",
    )
    document = fill(path, "<Nền tảng> & {{ 7*7 }}")
    words = said(document)
    assert words[0] == "Kính gửi: <Nền tảng> & {{ 7*7 }} (<Nền tảng> & {{ 7*7 }})"
    assert words[1] == "Chưa sẵn sàng, [80,5 ; 87,6]"
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    assert headings == ["4. Kết quả tổng hợp và mức độ sẵn sàng", "Phụ lục B: Chứng cứ"]
    assert words.index("Giữa") > words.index("Điểm theo chiều")
    assert document.sections[0].header.paragraphs[0].text == "Phạm vi nhà cung cấp 22/11/2026 08:30"
    assert [node.get("descr") for node in document.element.body.iter(qn("wp:docPr"))] == [
        "An toàn: từ 45 đến 60."
    ]


def test_every_documented_field_can_be_named(tmp_path: Path) -> None:
    words = sorted(docx.fields() - {"body"})
    path = template(tmp_path / "all.docx", *(f"{{{{ {name} }}}}" for name in words))
    assert not [text for text in said(fill(path)) if "\ue000" in text]
    text = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
    for name in docx.FIELDS:
        assert f"`{name}`" in text, "docs/reports.md lists the fields"


BAD: Mapping[str, tuple[tuple[str, ...], str]] = {
    "unknown field": (("{{ subjekt }}",), "names a field there is not: 'subjekt'; did you mean 'subject'?"),
    "unknown attribute": (("{{ subject.owner }}",), "cannot be filled: 'str object' has no attribute 'owner'"),
    "broken tag": (("{% if level %}",), "has a tag that cannot be read: Unexpected end of template."),
    "unknown filter": (("{{ level|nosuch }}",), "has a tag that cannot be read: No filter named 'nosuch'."),
    "way out": (("{{ subject.__class__.__mro__ }}",), "cannot be filled: access to attribute '__class__' of 'str' object is unsafe."),
    "endless": (("{% for n in range(9999999) %}{{ n }}{% endfor %}",), "cannot be filled (OverflowError): Range too big"),
    "amid text": (("xem {{ section_4 }}",), "has 'section_4' amid other text; put it alone in a paragraph"),
    "twice": (("{{ section_4 }}", "{{ body }}"), "names 'section_4' twice"),
    "tag of paragraphs": (("{{p section_4 }}",), "has 'section_4' in a tag of another kind; write {{ section_4 }}"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_template_that_is_wrong_is_told_of(tmp_path: Path, name: str) -> None:
    paragraphs, message = BAD[name]
    path = template(tmp_path / "t.docx", *paragraphs)
    with pytest.raises(CloudauditError) as wrong:
        fill(path)
    assert str(wrong.value).startswith(f"the template {path} {message}")


def test_a_section_in_the_head_of_a_template_is_told_of(tmp_path: Path) -> None:
    path = template(tmp_path / "t.docx", "x", header="{{ section_4 }}")
    with pytest.raises(CloudauditError, match=r"has 'section_4' outside its text"):
        fill(path)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 broken", b"<html>"])
def test_a_file_that_is_no_document(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.docx"
    path.write_bytes(content)
    with pytest.raises(CloudauditError, match="cannot be read as a Word document"):
        fill(path)


def test_a_zip_that_is_no_document(tmp_path: Path) -> None:
    path = tmp_path / "t.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(CloudauditError, match="cannot be read as a Word document"):
        fill(path)


# --- the command line ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def assessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("audit") / "out"
    at, scope = parse_time("2026-11-22T08:00:00Z"), Scope("kho")
    about = {
        "subject": {"id": "so", "kind": "provider", "title": {"vi": "Sở", "en": "Department"}},
        "targets": [{"name": "kho", "kind": "s3"}],
        "figures": {"buckets_listed": 0, "buckets_readable": 0},
    }
    contents = Contents(
        at, at, frozenset({"s3.bucket"}), (), [Listing(scope, "s3.bucket", 0, "whole list")],
        [Gap(scope, "s3.endpoint", "s3.capabilities", Reason.TIMEOUT)], (), about,
    )  # fmt: skip
    from cloudaudit.catalog import load_types

    write(out / "snapshot", contents, load_types())
    code = _run(["assess", str(out / "snapshot"), "-o", str(out), "--at", "2026-11-22T09:00:00Z", "-q"])
    assert code in (1, 3)
    return out


@pytest.mark.parametrize(("name", "start"), [("pdf", b"%PDF-1.7"), ("docx", b"PK\x03\x04")])
def test_reports_are_written_to_files_and_to_pipes(
    assessed: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], name: str, start: bytes
) -> None:
    path = tmp_path / "deep" / f"report.{name}"
    assert _run(["report", str(assessed), "-f", name, "-o", str(path)]) == 0
    assert path.read_bytes().startswith(start)
    capsysbinary.readouterr()
    assert _run(["report", str(assessed), "-f", name, "--lang", "vi"]) == 0
    assert capsysbinary.readouterr().out.startswith(start)


def test_a_terminal_is_spared(
    assessed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    told = (
        "error: the format 'pdf' is binary: a terminal cannot show it; "
        "write it to a file: `report -o FILE`, or `run --export FORMAT=FILE`\n"
    )
    assert _run(["report", str(assessed), "-f", "pdf"]) == 2
    assert capsys.readouterr().err == told
    assert _run(["assess", str(assessed / "snapshot"), "-o", str(tmp_path / "new"), "-f", "pdf"]) == 2
    assert capsys.readouterr().err.endswith(told)
    assert not (tmp_path / "new").exists(), "refused before anything is judged"


def test_a_template_on_the_command_line(
    assessed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = template(tmp_path / "mau.docx", "{{ subject }}", "{{ section_13 }}")
    out = tmp_path / "annex.docx"
    args = ["report", str(assessed), "--template", str(path), "-o", str(out), "--lang", "vi"]
    assert _run([*args, "-f", "docx"]) == 0
    assert said(python_docx.Document(str(out)))[0] == "Sở"
    assert _run([*args, "-f", "html"]) == 2
    assert "--template is for the format docx; html fills none" in capsys.readouterr().err


def test_without_its_packages_the_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docxtpl", None)
    with pytest.raises(CloudauditError) as refused:
        reporter("docx")
    assert str(refused.value) == (
        "the format 'docx' needs packages that are not installed; install them with: pip install 'cloudaudit-vn[docx]'"
    )
