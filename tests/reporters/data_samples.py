"""Reports with all their findings, and documents with every kind of block, for the formats of data and text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import sample_report as sample

from cloudaudit.model import Text
from cloudaudit.reporters import Context
from cloudaudit.reporters.document import (
    Block,
    Column,
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
    cell,
)
from cloudaudit.reporters.report_json import FindingWriter

FORMULAS = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+SUM(1)",
    "-2+3",
    "@SUM(A1)",
    "  =1+1",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("https://a.example")',
    "＝1+1",
    "a;=1+1",
    "a\N{GREEK QUESTION MARK}=1+1",
)
MARKUP = (
    "a | b || c",
    "a \\| b \\",
    "# đầu đề",
    "1. một",
    "> trích",
    "- gạch",
    "``` mã",
    "`a|b`",
    "**đậm** _nghiêng_ ~~gạch~~",
    "[a](https://a.example) ![b](https://b.example/x.png)",
    "https://a.example/?q=1 www.a.example a@b.example mailto:a@b.example",
    "@all @nguoi-dung",
    "&lt;b&gt; &#60;",
    "<!-- x --> <b>y</b> <https://a.example>",
    "$x$ $$y$$",
    "=====",
    "---",
    "<r><t>x</t></r>",
    "<r>&</x></r>",
    "_x0041_",
)
NASTY = (*sample.HOSTILE, *FORMULAS, *MARKUP)


def records(inputs: sample.Inputs) -> list[Mapping[str, Any]]:
    """Every finding as findings.jsonl.gz has it, passes included."""
    writer = FindingWriter(sample.TYPES, sample.call)
    return [writer.record(one) for one in inputs.findings]


def context(inputs: sample.Inputs, lang: Literal["vi", "en"] = "vi", **changes: Any) -> Context:
    return sample.context(lang, inputs=inputs, findings=iter(records(inputs)), **changes)


def nasty() -> sample.Inputs:
    """Findings on things with every name that could do harm somewhere."""
    findings = []
    for name in NASTY:
        bucket = sample.resource(
            "s3.bucket", name, {"location": name, "site.id": name}, name=name, target=name, region=name, project=name,
            call_number=3,
        )  # fmt: skip
        findings.append(
            sample.finding("RES-04", bucket, "fail", "location", "site.id", weight=4, waiver=name)
        )
        findings.append(
            sample.finding(
                "SEC-13",
                bucket,
                "unknown",
                "policy.present",
                reason="ambiguous",
                detail=name,
                refused=Text(name, name),
            )
        )
    return sample.Inputs(
        findings=findings,
        subject={"id": NASTY[0], "kind": "provider", "title": {"vi": NASTY[1], "en": NASTY[-1]}},
    )


def two(text: str) -> Text:
    return Text(f"{text} (vi)", f"{text} (en)")


def blocks(words: tuple[str, ...] = ("một", "hai")) -> tuple[Block, ...]:
    """One of every kind, with given texts in every place a text can be."""
    every = cell(*words)
    columns = (
        Column(two("Tên"), 2),
        Column(two("Số"), 1, "number"),
        Column(two("Kết quả")),
        Column(two("Mã"), 1, "code"),
    )
    rows = tuple(
        (
            cell(word),
            cell(Text("66,6 %", "66.6%")),
            cell(Text(word, word), mark="pass"),
            cell(word, style="code"),
        )
        for word in words
    )
    return (
        Heading(Text(words[0], words[-1])),
        *(Prose(Text(word, word)) for word in words),
        Prose(Text(words[0], words[-1]), "fixed"),
        Prose(Text(words[0], words[-1]), "warning"),
        Items((every, cell("hết"))),
        Items(tuple(cell(word) for word in words), numbered=True),
        Pairs(tuple((Text(word, word), every) for word in words)),
        Table("bang", two("Bảng"), columns, rows, hidden=3),
        Picture("hinh", two("Hình"), two("Mô tả"), lambda lang: "<svg/>", 10, 10),
        Findings("phat-hien", frozenset({"RES-04", "RES-05", "SEC-13", "BDR-01"})),
    )


def document(
    report: Mapping[str, Any],
    words: tuple[str, ...] = ("một", "hai"),
    numbers: tuple[str, ...] = ("0", "4", "7", "12", "14", "A"),
    form: Literal["full", "yearly"] = "full",
) -> Document:
    sections = tuple(Section(number, two(f"Mục {number}"), blocks(words)) for number in numbers)
    return Document(
        Text(words[0], words[-1]), two("phụ đề"), Text(words[-1], words[0]), form, sections, report
    )


def phrases(text: str) -> tuple[Phrase, ...]:
    return cell(text)
