"""Findings as CSV: every one on a line of its own, in columns that stay, with nothing a spreadsheet computes."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from io import StringIO
from typing import Any

import data_samples as data
import pytest
import sample_report as sample

from cloudaudit.errors import CloudauditError
from cloudaudit.reporters.findings_csv import COLUMNS, CsvReporter
from cloudaudit.reporters.rows import FORMULA, MAX_CELL, units


def rendered(inputs: sample.Inputs) -> str:
    return CsvReporter().render(sample.report(inputs), data.context(inputs))


def read(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(StringIO(text[1:], newline=""), strict=True))


def test_the_columns_are_those_of_the_documentation() -> None:
    assert list(COLUMNS) == [
        "control", "title_vi", "title_en", "dimension", "severity", "gate", "verdict", "disposition", "reason_code",
        "message_vi", "message_en", "detail", "resource_type", "resource_id", "resource_name", "target", "region",
        "project", "project_name", "system", "site", "weight", "basis", "waiver", "refused_waiver_vi",
        "refused_waiver_en", "collected_at", "evidence", "fingerprint", "declared_at", "detail_vi",
    ]  # fmt: skip


def test_a_finding_is_a_line() -> None:
    (row,) = [row for row in read(rendered(sample.small())) if row["control"] == "BDR-05"]
    fingerprint = row.pop("fingerprint")
    assert len(fingerprint) == 64
    assert row == {
        "control": "BDR-05",
        "title_vi": "Bản sao lưu được mã hóa",
        "title_en": "Backups are encrypted",
        "dimension": "BDR",
        "severity": "medium",
        "gate": "",
        "verdict": "fail",
        "disposition": "waived",
        "reason_code": "",
        "message_vi": "Khối csdl-ho-tich: mã hóa: không",
        "message_en": "Volume csdl-ho-tich: encrypted: no",
        "detail": "",
        "resource_type": "openstack.volume",
        "resource_id": "5a1f",
        "resource_name": "csdl-ho-tich",
        "target": "hn-cloud",
        "region": "hn-1",
        "project": "ho-tich",
        "project_name": "ho-tich",
        "system": "ho-tich",
        "site": "hn-1",
        "weight": "4",
        "basis": "O",
        "waiver": "MT-01",
        "refused_waiver_vi": "",
        "refused_waiver_en": "",
        "collected_at": "2026-11-22T01:05:00Z",
        "declared_at": "",
        "detail_vi": "",
        "evidence": json.dumps(
            [
                {
                    "fact": "encrypted",
                    "resource": "openstack.volume:5a1f",
                    "value": False,
                    "source": "block-storage GET /v3/volumes/detail?all_tenants=1 -> 200",
                    "at": "2026-11-22T01:05:00Z",
                }
            ],
            separators=(",", ":"),
        ),
    }


def test_passes_are_there_and_nothing_is_left_out() -> None:
    inputs = sample.realistic()
    rows = read(rendered(inputs))
    assert [row["fingerprint"] for row in rows] == [r["fingerprint"] for r in data.records(inputs)]
    assert {"pass", "fail", "expired", "unknown", "manual_pending"} <= {row["verdict"] for row in rows}


@pytest.mark.parametrize("inputs", [sample.hostile(), data.nasty()], ids=["hostile", "nasty"])
def test_hostile_names_stay_in_their_cells(inputs: sample.Inputs) -> None:
    text = rendered(inputs)
    assert len(read(text)) == len(inputs.findings)
    assert text.count("\r\n") == len(inputs.findings) + 1
    assert text[1:].replace("\r\n", "").isprintable()
    text.encode()
    assert "hạ tầng" in text


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_begins_as_a_formula_however_the_file_is_parted(separator: str) -> None:
    """Excel parts by the list separator of its language, which in Vietnamese is a semicolon."""
    text = rendered(data.nasty())[1:]
    cells = [cell for row in csv.reader(StringIO(text, newline=""), delimiter=separator) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert [
        cell for cell in cells if cell.strip(" \"'")[:1] in FORMULA and not cell.lstrip(' "').startswith("'")
    ] == []


def test_what_is_no_formula_is_as_it_was() -> None:
    names = {row["resource_id"] for row in read(rendered(data.nasty()))}
    assert {"'=1+1", "'-2+3", "a | b || c", "[a](https://a.example) ![b](https://b.example/x.png)"} <= names


def test_a_cell_is_cut_where_spreadsheets_end_and_says_so() -> None:
    long = "😀" * 40_000
    bucket = sample.resource("s3.bucket", long, name=long)
    inputs = sample.Inputs(findings=[sample.finding("SEC-13", bucket, "fail")])
    (row,) = read(rendered(inputs))
    assert units(row["resource_id"]) <= MAX_CELL
    shown, _, more = row["resource_id"].partition("… (+")
    assert len(shown) + int(more.rstrip(")")) == 40_000


def test_ten_thousand_letters_are_kept() -> None:
    assert "x" * 10_000 in {row["resource_id"] for row in read(rendered(sample.hostile()))}


def test_no_findings_are_a_header() -> None:
    assert read(rendered(sample.Inputs(findings=()))) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"findings": None}, "this format shows every finding, and they were not given"),
        ({"findings": iter(())}, "the report tells of 4 findings, and 0 were given"),
    ],
)
def test_findings_that_are_missing_are_no_short_list(change: dict[str, Any], why: str) -> None:
    inputs = sample.small()
    with pytest.raises(CloudauditError, match=f"^{why}$"):
        CsvReporter().render(sample.report(inputs), replace(data.context(inputs), **change))


def test_what_code_declares_is_told_with_its_line() -> None:
    inputs = sample.small()
    report = sample.report(inputs)
    records = [dict(one) for one in data.records(inputs)]
    places = [{"path": "ha\u202e tang/main.tf", "line": 12}, {"path": "plan.json", "line": None}]
    for record, place in zip(records, places, strict=False):
        record["resource"] = {**record["resource"], "source": place}
    context = replace(sample.context(inputs=inputs), findings=iter(records))
    rows = read(str(CsvReporter().render(report, context)))
    assert [row["declared_at"] for row in rows[:3]] == ["ha\ufffd tang/main.tf:12", "plan.json", ""]
