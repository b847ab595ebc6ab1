"""What a gate makes of findings: which are violations, and which of these a baseline knew already.

Read by formats and by the command line alike, so that a screen and an exit code never differ. Pure, over
report.json alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloudaudit.model import parse_time
from cloudaudit.reporters import Known
from cloudaudit.reporters.view import Record, Report

VIOLATIONS: Final = frozenset({"fail", "expired"})
DAY: Final = 86400


def is_violation(record: Record) -> bool:
    """Whether a finding is a violation that no waiver covers."""
    return record["verdict"] in VIOLATIONS and not record["waiver"]


def known_of(record: Record, baseline: Mapping[str, Known] | None) -> Known | None:
    """Since when and why a violation is known; None where it is new, or is none."""
    return baseline.get(record["fingerprint"]) if baseline and is_violation(record) else None


def days(since: str, report: Report) -> int | None:
    """How many whole days before the assessment something was known. None: a time cannot be read."""
    try:
        return max(0, parse_time(report["assessed_at"]) - parse_time(since)) // DAY
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Remaining:
    """Known violations that have the same date and reason."""

    since: str
    reason: str
    days: int | None
    findings: Sequence[Record]

    @property
    def controls(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(record["control"] for record in self.findings))


def remaining(report: Report, baseline: Mapping[str, Known] | None) -> list[Remaining]:
    """The known violations that are still there, the oldest first."""
    found: dict[tuple[str, str], list[Record]] = {}
    for record in report["findings"]:
        known = known_of(record, baseline)
        if known is not None:
            found.setdefault((known.since, known.reason), []).append(record)
    return [
        Remaining(since, reason, days(since, report), records)
        for (since, reason), records in sorted(found.items())
    ]
