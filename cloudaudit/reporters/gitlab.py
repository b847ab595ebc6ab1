"""GitLab code quality: what violates and what is not known, in the merge request, at a file and a line.

A list of plain objects, as GitLab documents them. It has no word for "could not be checked", so that these
stand there as degradations that say so: the reader of a merge request must see them, and a list without them
reads like a pass. Findings that pass or do not apply have no place in a list of what is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from cloudaudit.model import Severity
from cloudaudit.reporters import Context
from cloudaudit.reporters.cases import UNSETTLED, Bench, Case, Lang, Standing, excuse, said
from cloudaudit.reporters.report_json import shown
from cloudaudit.reporters.words import short

MAX_TEXT: Final = 900
_VIOLATION: Final = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
}
_UNSETTLED: Final = {
    Severity.CRITICAL: "major",
    Severity.HIGH: "major",
    Severity.MEDIUM: "minor",
    Severity.LOW: "minor",
}
"""Below a violation of the same control, and above what is known, waived or for the authority to decide."""


class CodeQualityReporter:
    """gl-code-quality-report.json, the worst first. GitLab allows no byte order mark in it."""

    media_type = "application/json"

    def render(self, report: Mapping[str, Any], context: Context) -> str:
        cases = Bench.of(report, context).worst_first(
            Standing.VIOLATION, Standing.KNOWN, Standing.WAIVED, *UNSETTLED
        )
        lines = [json.dumps(_entry(case, report, context.lang), ensure_ascii=False) for case in cases]
        return shown("[\n" + ",\n".join(lines) + "\n]\n") if lines else "[]\n"


def _entry(case: Case, report: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    why = excuse(case, report)
    parts = [*([said(why, lang)] if why else []), said(case.message, lang)]
    return {
        "description": f"{case.control['id']}: {short('; '.join(parts), MAX_TEXT)} [{case.thing}]",
        "check_name": case.control["id"],
        "fingerprint": case.identity,
        "severity": _severity(case),
        "location": {"path": case.spot.path, "lines": {"begin": case.spot.line}},
    }


def _severity(case: Case) -> str:
    match case.standing:
        case Standing.VIOLATION:
            return _VIOLATION[case.severity]
        case Standing.UNKNOWN | Standing.PENDING:
            return _UNSETTLED[case.severity]
        case _:
            return "info"
