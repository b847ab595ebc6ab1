"""All findings as CSV, for spreadsheets and scripts: one line each, columns in an order that stays."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import Any, Final

from cloudaudit.reporters import Context, details, view
from cloudaudit.reporters.rows import FORMULA, Lookup, collected, every, kept
from cloudaudit.reporters.spots import declared_at
from cloudaudit.reporters.words import clean

Record = Mapping[str, Any]
Value = str | int | None

BOM: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""By it Excel knows UTF-8."""
_SIGNS: Final = "".join(re.escape(sign) for sign in sorted(FORMULA))
_BEGINNING: Final = re.compile(rf"(?:^|(?<=;))(?=[\s\"']*[{_SIGNS}])")
"""Where a formula could begin: in front, and after a semicolon, by which some spreadsheets part columns."""

COLUMNS: Final[Mapping[str, Callable[[Record, Lookup], Value]]] = {
    "control": lambda f, _: f["control"],
    "title_vi": lambda f, known: known.controls[f["control"]]["title"]["vi"],
    "title_en": lambda f, known: known.controls[f["control"]]["title"]["en"],
    "dimension": lambda f, known: known.controls[f["control"]]["dimension"],
    "severity": lambda f, known: known.controls[f["control"]]["severity"],
    "gate": lambda f, known: known.gates.get(f["control"]),
    "verdict": lambda f, _: f["verdict"],
    "disposition": lambda f, _: f["disposition"],
    "reason_code": lambda f, _: f["reason_code"],
    "message_vi": lambda f, _: view.message(f).vi,
    "message_en": lambda f, _: view.message(f).en,
    "detail": lambda f, _: f["detail"],
    "resource_type": lambda f, _: f["resource"]["type"],
    "resource_id": lambda f, _: f["resource"]["id"],
    "resource_name": lambda f, _: f["resource"]["name"],
    "target": lambda f, _: f["resource"]["target"],
    "region": lambda f, _: f["resource"]["region"],
    "project": lambda f, _: f["resource"]["project"],
    "project_name": lambda f, known: known.project(f),
    "system": lambda f, _: f["resource"]["system"],
    "site": lambda f, _: f["resource"]["site"],
    "weight": lambda f, _: f["weight"],
    "basis": lambda f, known: known.controls[f["control"]]["basis"],
    "waiver": lambda f, _: f["waiver"],
    "refused_waiver_vi": lambda f, _: (f["refused_waiver"] or {}).get("vi"),
    "refused_waiver_en": lambda f, _: (f["refused_waiver"] or {}).get("en"),
    "collected_at": lambda f, _: collected(f),
    "evidence": lambda f, _: json.dumps(f["evidence"], ensure_ascii=False, separators=(",", ":")),
    "fingerprint": lambda f, _: f["fingerprint"],
    "declared_at": lambda f, _: declared_at(f),
    "detail_vi": lambda f, _: worded.vi if (worded := details.of(f)) else None,
}
"""Every column: its name, and what of a finding stands in it. New ones are added at the end."""


class CsvReporter:
    """findings.csv: UTF-8 with a mark, commas, a header, and nothing that a spreadsheet would compute."""

    media_type = "text/csv"

    def render(self, report: Mapping[str, Any], context: Context) -> str:
        out = StringIO(newline="")
        out.write(BOM)
        lines = csv.writer(out)
        lines.writerow(COLUMNS)
        lines.writerows(_rows(report, context))
        return out.getvalue()


def _rows(report: Mapping[str, Any], context: Context) -> Iterator[list[str | int]]:
    known = Lookup.of(report)
    for record in every(report, context):
        yield [_cell(of(record, known)) for of in COLUMNS.values()]


def _cell(value: Value) -> str | int:
    """A value as it is written, with an apostrophe before what a spreadsheet would compute."""
    if value is None or isinstance(value, int):
        return "" if value is None else value
    # Once it is clean: of the Greek question mark, NFC makes a semicolon.
    return kept(_BEGINNING.sub("'", clean(value, 4 * len(value))))
