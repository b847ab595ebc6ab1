"""Findings as rows, for the formats that show every one of them: CSV, and a sheet of a workbook."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any, Final

from cloudaudit.errors import CloudauditError
from cloudaudit.model import format_time, parse_time
from cloudaudit.reporters import Context, view
from cloudaudit.reporters.words import clean

MAX_CELL: Final = 32_767
"""Most UTF-16 units a spreadsheet keeps in a cell. Some drop the rest, others go on in the next row."""
FORMULA: Final = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
"""What a formula can begin with. Some spreadsheets take the wide forms for the narrow ones."""
_TAIL: Final = 24
"""Room for what is said of a text that is cut."""


def every(report: Mapping[str, Any], context: Context) -> Iterator[Mapping[str, Any]]:
    """Every finding, passes included. CloudauditError: they were not given, or not as many as there are."""
    if context.findings is None:
        raise CloudauditError("this format shows every finding, and they were not given")
    told, given = report["findings_file"]["count"], 0
    for record in context.findings:
        given += 1
        yield record
    if given != told:
        raise CloudauditError(f"the report tells of {told} findings, and {given} were given")


class Spool:
    """Findings that are read twice and not held: the first reading writes them to a temporary file."""

    def __init__(self, records: Iterator[Mapping[str, Any]]) -> None:
        self._records = records

    def __enter__(self) -> Spool:
        self._file = TemporaryFile()
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def first(self) -> Iterator[Mapping[str, Any]]:
        for record in self._records:
            self._file.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")
            yield record

    def again(self) -> Iterator[Mapping[str, Any]]:
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line)


def kept(text: str | None, limit: int = MAX_CELL) -> str:
    """A text as a cell keeps it: one harmless line, and if it is cut, how much of it."""
    return fitted(clean(text, 4 * len(text)), limit) if text else ""


def fitted(text: str, limit: int = MAX_CELL) -> str:
    """The beginning of a text that is too long for a cell, with the number of characters left out."""
    if 2 * len(text) <= limit or units(text) <= limit:
        return text
    head = text[: limit - _TAIL]
    while (over := units(head) - (limit - _TAIL)) > 0:
        head = head[: len(head) - (over + 1) // 2]
    return f"{head}… (+{len(text) - len(head)})"


def units(text: str) -> int:
    """The length of a text as spreadsheets count it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a finding refers to: its control in the report, the gate of that, names of projects."""

    controls: Mapping[str, Mapping[str, Any]]
    gates: Mapping[str, str]
    report: Mapping[str, Any]

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Lookup:
        return cls({entry["id"]: entry for entry in report["controls"]}, view.gate_of(report), report)

    def project(self, record: Mapping[str, Any]) -> str | None:
        return view.project(self.report, record["resource"]["project"])


def collected(record: Mapping[str, Any]) -> str | None:
    """The time of the oldest piece of evidence a finding stands on, as RFC 3339; None where there is none."""
    times = []
    for entry in record["evidence"]:
        try:
            times.append(parse_time(entry["at"]))
        except (TypeError, ValueError):  # a time beyond the calendar is shown with its evidence
            continue
    return format_time(min(times)) if times else None
