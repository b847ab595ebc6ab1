"""Reporters turn an assessment on disk into one format each.

They read `report.json` version 1, never internal types, so that a report made from files a year
old is the same as one made at the end of a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from cloudaudit.model import Control, Obligation, Resource, ResourceType, Seconds, Severity, parse_time


@dataclass(frozen=True, slots=True)
class Known:
    """A violation that a baseline names: it was there before, and does not fail the gate again."""

    since: str
    """When it was first written into a baseline, as RFC 3339."""
    reason: str
    """Why it is let be for now, in its owner's words."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days a periodic report is about, as whoever makes it asked."""

    begins: Seconds
    ends: Seconds
    """The last second of the last day."""

    @classmethod
    def read(cls, text: str) -> Period:
        """A year, or its first and last day: `2026`, `2026-01-01/2026-06-30`. ValueError: it is neither."""
        first, slash, last = text.partition("/")
        if not slash and len(text) == 4 and text.isascii() and text.isdecimal():
            first, last = f"{text}-01-01", f"{text}-12-31"
        if len(first) != 10 or len(last) != 10:
            raise ValueError(f"'{text}' is no period; write 2026, or 2026-01-01/2026-06-30")
        begins, ends = parse_time(first), parse_time(last) + 86_399
        if ends < begins:
            raise ValueError(f"'{text}' ends before it begins")
        return cls(begins, ends)

    def __contains__(self, moment: Seconds) -> bool:
        return self.begins <= moment <= self.ends


@dataclass(frozen=True, slots=True)
class Context:
    """What a reporter can look up beside report.json: texts of controls, clauses, declared sites."""

    controls: Mapping[str, Control]
    obligations: Mapping[str, Obligation]
    types: Mapping[str, ResourceType] = field(default_factory=dict)
    """Declarations of facts, by which evidence is worded."""
    registers: Mapping[str, tuple[Resource, ...]] = field(default_factory=dict)
    """Entries of the registers an assessment used, by type: site, system, attestation, drill and others."""
    earlier: tuple[Mapping[str, Any], ...] = ()
    """Reports of the same subject from before this one, the newest first."""
    form: Literal["full", "yearly"] = "full"
    period: Period | None = None
    """What the yearly form is about; None: since the newest of the earlier reports, if there is one."""
    baseline: Mapping[str, Known] | None = None
    """Violations known from before, by fingerprint. None: no baseline, so that nothing is new or old."""
    floor: Severity | None = None
    """The least severity at which the gate stops. None: no gate, or one that goes by other things."""
    template: Path | None = None
    """An organisation's own document to fill, for formats that have such."""
    lang: Literal["vi", "en"] = "vi"
    findings: Iterator[Mapping[str, Any]] | None = None
    """Every finding of `findings.jsonl.gz`, passes included, for formats that show them."""
    width: int = 80
    """Columns of a terminal."""
    color: bool = False
    package: Mapping[str, str] | None = None
    """Name, package and version of the reporter itself, where a package brings it; None for one of ours."""

    def declared(self, type_: str) -> tuple[Resource, ...]:
        """The entries of one type of the registers; none where that register was not given."""
        return self.registers.get(type_, ())


class Reporter(Protocol):
    """One format."""

    media_type: str

    def render(self, report: Mapping[str, Any], context: Context) -> str | bytes: ...


BUILTIN: Mapping[str, str] = {
    "text": "cloudaudit.reporters.text:TextReporter",
    "json": "cloudaudit.reporters.report_json:JsonReporter",
    "html": "cloudaudit.reporters.html:HtmlReporter",
    "pdf": "cloudaudit.reporters.pdf:PdfReporter",
    "docx": "cloudaudit.reporters.docx:DocxReporter",
    "md": "cloudaudit.reporters.markdown:MarkdownReporter",
    "csv": "cloudaudit.reporters.findings_csv:CsvReporter",
    "xlsx": "cloudaudit.reporters.xlsx:XlsxReporter",
    "oscal-ar": "cloudaudit.reporters.oscal_results:ResultsReporter",
    "oscal-catalog": "cloudaudit.reporters.oscal:CatalogReporter",
    "oscal-profile": "cloudaudit.reporters.oscal:ProfileReporter",
    "sarif": "cloudaudit.reporters.sarif:SarifReporter",
    "junit": "cloudaudit.reporters.junit:JunitReporter",
    "gitlab-codequality": "cloudaudit.reporters.gitlab:CodeQualityReporter",
    "ocsf": "cloudaudit.reporters.ocsf:OcsfReporter",
    "github": "cloudaudit.reporters.github:AnnotationsReporter",
    "github-summary": "cloudaudit.reporters.github:SummaryReporter",
}
"""Formats that come with cloudaudit, imported when used."""
