"""Documents with every kind of block, for the formats that set them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sample_report as sample

from cloudaudit.model import Text
from cloudaudit.reporters import view
from cloudaudit.reporters.document import (
    Cell,
    Column,
    Document,
    Findings,
    Heading,
    Items,
    Languages,
    Pairs,
    Picture,
    Prose,
    Section,
    Table,
    cell,
)
from cloudaudit.reporters.words import clean, labels

TITLE = Text("BÁO CÁO ĐÁNH GIÁ MỨC ĐỘ SẴN SÀNG KẾT NỐI", "REPORT ON READINESS TO CONNECT")
DIGEST = "9f2c41d07be8" * 5 + "9f2c"
LONG = "x" * 10_000
"""A name that no line holds."""
MARKUP = '#import "x" $a_1$ *đậm* @nhãn `mã` \\end "nháy" </w:t> {{ tên }} {% raw %} <b>&amp;'
RIGHT_TO_LEFT = "\u202eabc \u05d0\u05d1 \u0645\u0631\u062d\u0628\u0627"
CONTROLS = "bảng\x1b[31m\x00\x07\u200bhết"
FOREIGN = "日本語 ខ្មែរ ລາວ 😀 e\u0301"


def drawn(languages: Languages) -> str:
    word = {"vi": "Điểm theo chiều", "en": "Score by dimension", "both": "Điểm / Score"}[languages]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 120" width="400" height="120" role="img">'
        f"<title>{word}</title>"
        '<rect x="1" y="1" width="398" height="118" fill="none" stroke="#888"/>'
        '<rect x="90" y="40" width="180" height="18" fill="#274c7c"/>'
        '<rect x="270" y="40" width="60" height="18" fill="#b9c6d8"/>'
        f'<text x="10" y="24" font-family="sans-serif" font-size="14">{word}</text>'
        '<text x="10" y="54" font-family="sans-serif" font-size="12">An toàn</text></svg>'
    )


def both(text: str, english: str = "") -> Text:
    return Text(text, english or text)


def table(id_: str, rows: tuple[tuple[Cell, ...], ...], hidden: int = 0) -> Table:
    return Table(
        id_,
        Text("Điều kiện tiên quyết", "Gates"),
        (
            Column(Text("Mã", "Id"), 0.6, "code"),
            Column(Text("Điều kiện", "Gate"), 3),
            Column(Text("Trạng thái", "State"), 1.5),
            Column(Text("Số lượng", "Count"), 0.8, "number"),
        ),
        rows,
        hidden,
    )


def row(id_: str, said: Text, mark: str, count: int, to: str = "") -> tuple[Cell, ...]:
    return (
        cell(id_, to=to),
        cell(said, Text("theo danh mục khai báo", "by the registers")),
        cell(view.outcome_label(mark), mark=mark),
        cell(str(count)),
    )


def document(report: Mapping[str, Any], *names: str) -> Document:
    """Every kind of block; each of `names` stands wherever a cloud's text may stand."""
    named = tuple(both(clean(name)) for name in (names or ("csdl-ho-tich",)))
    gates = [
        row("BDR-01", Text("Dữ liệu quan trọng khôi phục được", "Critical data can be recovered"), "fail", 3, "BDR-01"),
        row("SEC-13", Text("Bucket không đọc được công khai", "Buckets are not public"), "unknown", 12, "SEC-13"),
        row("NDC-02", Text("Kênh kết nối an toàn", "The channel is safe"), "pass", 1),
        *(row("RES-01", name, "waived", 1) for name in named),
    ]  # fmt: skip
    sections = (
        Section(
            "0",
            labels()("section.0"),
            (
                Pairs(
                    (
                        (Text("Mức độ sẵn sàng", "Readiness level"), cell(Text("Mức 2: Cần khắc phục", "Level 2: to be remedied"), style="strong")),
                        (Text("Điều kiện tiên quyết", "Gates"), cell(Text("Chưa đáp ứng", "Blocked"), mark="blocked")),
                        *((Text("Tài nguyên", "Resource"), cell(name)) for name in named),
                    )
                ),
                Prose(labels()("sentence.self_assessment"), "fixed"),
                Prose(Text("Một điều kiện tiên quyết chưa đáp ứng.", "One gate is blocked."), "warning"),
            ),
        ),
        Section(
            "4",
            labels()("section.4"),
            (
                Prose(Text("Kết quả tổng hợp của bảy chiều đánh giá.", "The result of seven dimensions.")),
                *(Prose(name, "note") for name in named),
                Heading(Text("Điểm theo chiều", "Score by dimension")),
                Picture("scores", Text("Điểm theo chiều", "Score by dimension"), Text("An toàn: từ 45 đến 60.", "Security: 45 to 60."), drawn, 400, 120),
                table("gates", tuple(gates), hidden=7),
                table("nothing", ()),
                Items((cell(Text("việc thứ nhất", "first thing")), *(cell(name, style="code") for name in named)), numbered=True),
                Items((cell(Text("việc khác", "another thing"), DIGEST, style="muted"),)),
                Items(()),
                Pairs(()),
            ),
        ),
        Section("12", labels()("section.12"), ()),
        Section("14", labels()("section.14"), (Findings("all", frozenset(one["id"] for one in report["controls"])),)),
        Section("B", labels()("section.B"), (Findings("again", frozenset({"BDR-01"})), Prose(labels()("sentence.absence"), "fixed"))),
    )  # fmt: skip
    return Document(TITLE, Text("Hồ sơ tự đánh giá", "Self-assessment"), named[0], "full", sections, report)


def of(inputs: sample.Inputs, *names: str) -> Document:
    return document(sample.report(inputs), *names)


def with_rows(made: Document, count: int) -> Document:
    """The document with one table of so many rows, each a line of text."""
    rows = tuple(
        (cell(f"{n:04}", style="code"), cell(told(n)), cell(DIGEST, style="code"), cell(str(n)))
        for n in range(count)
    )
    last = made.sections[-1]
    return replace(
        made, sections=(*made.sections[:-1], replace(last, blocks=(*last.blocks, table("long", rows))))
    )


def told(n: int) -> Text:
    return Text(f"Khối lưu trữ số {n} có bản sao lưu", f"Volume {n} has a backup")
