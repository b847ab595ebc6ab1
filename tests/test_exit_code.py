"""Which exit code a report gives: the table that scripts and pipelines rely on."""

from __future__ import annotations

from typing import Any

import click
import pytest

from cloudaudit.api import Threshold, exit_code
from cloudaudit.cli.auditing import worst
from cloudaudit.cli.options import FailOn
from cloudaudit.errors import CloudauditError
from cloudaudit.model import Severity, Verdict

SEVERITIES = {
    "SEC-01": "critical",
    "SEC-02": "high",
    "SEC-10": "medium",
    "SEC-18": "low",
    "NDC-01": "critical",
}
OPEN = ("fail", "expired", "unknown", "manual_pending")


def report(*findings: str, gate: str = "open", level: int = 4) -> dict[str, Any]:
    """A report with findings written as CONTROL=VERDICT, or CONTROL=VERDICT/WAIVER."""
    made = []
    for finding in findings:
        control, _, rest = finding.partition("=")
        verdict, _, waiver = rest.partition("/")
        assert verdict in set(Verdict)
        made.append({"control": control, "verdict": verdict, "waiver": waiver or None})
    gates = [
        {"id": "G4", "final": False, "controls": ["SEC-01", "SEC-02"]},
        {"id": "G9", "final": True, "controls": ["NDC-01"]},
    ]
    return {
        "profile": {"id": "rieng"},
        "readiness": {"level": level, "gate_state": gate, "gates": gates},
        "controls": [{"id": id_, "severity": severity} for id_, severity in SEVERITIES.items()],
        "findings": made,
    }


def code(report: dict[str, Any], fail_on: str = "high", *, allow_incomplete: bool = False) -> int:
    return exit_code(report, FailOn().convert(fail_on, None, None), allow_incomplete=allow_incomplete)


@pytest.mark.parametrize(
    ("findings", "strict", "lenient"),
    [
        ([], 0, 0),
        (["SEC-01=not_applicable"], 0, 0),
        (["SEC-01=fail"], 1, 1),
        (["SEC-01=expired"], 1, 1),
        (["SEC-01=unknown"], 3, 0),
        (["SEC-01=manual_pending"], 3, 0),
        (["SEC-02=fail"], 1, 1),
        (["SEC-10=fail", "SEC-18=expired"], 0, 0),
        (["SEC-10=unknown", "SEC-18=manual_pending"], 0, 0),
        (["SEC-01=unknown", "SEC-02=fail"], 1, 1),
        (["SEC-01=unknown", "SEC-10=fail"], 3, 0),
        # A waiver that holds takes a violation away, and only that one.
        (["SEC-01=fail/mt-1"], 0, 0),
        (["SEC-01=expired/mt-1"], 0, 0),
        (["SEC-01=fail/mt-1", "SEC-01=fail"], 1, 1),
        (["SEC-01=fail/mt-1", "SEC-02=unknown"], 3, 0),
        # The decision of the competent authority is not ours to wait for.
        (["NDC-01=unknown"], 0, 0),
        (["NDC-01=manual_pending"], 0, 0),
        (["NDC-01=manual_pending", "SEC-01=unknown"], 3, 0),
    ],
)
def test_by_severity(findings: list[str], strict: int, lenient: int) -> None:
    assert code(report(*findings)) == strict
    assert code(report(*findings), allow_incomplete=True) == lenient


@pytest.mark.parametrize("verdict", OPEN)
@pytest.mark.parametrize("floor", list(Severity))
@pytest.mark.parametrize("control", ["SEC-01", "SEC-02", "SEC-10", "SEC-18"])
def test_a_threshold_takes_in_all_above_it(verdict: str, floor: Severity, control: str) -> None:
    counts = Severity(SEVERITIES[control]).at_least(floor)
    expected = (1 if verdict in ("fail", "expired") else 3) if counts else 0
    assert code(report(f"{control}={verdict}"), floor) == expected


@pytest.mark.parametrize(
    ("gate", "strict", "lenient"),
    [
        ("open", 0, 0),
        ("conditional", 0, 0),
        ("indeterminate", 3, 0),
        ("blocked", 1, 1),
    ],
)
def test_by_gate(gate: str, strict: int, lenient: int) -> None:
    """Findings that block no gate do not count, however severe."""
    made = report("SEC-01=fail", "SEC-02=unknown", gate=gate)
    assert code(made, "gate") == strict
    assert code(made, "gate", allow_incomplete=True) == lenient


@pytest.mark.parametrize("threshold", ["gate", "level=1"])
def test_without_a_gate_in_scope_there_is_nothing_to_go_by(threshold: str) -> None:
    with pytest.raises(CloudauditError, match="profile 'rieng' looks at no gate") as error:
        code(report(gate="out_of_scope"), threshold)
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("level", "wanted", "findings", "strict", "lenient"),
    [
        (4, 4, ["SEC-10=fail", "SEC-01=unknown"], 0, 0),
        (4, 3, [], 0, 0),
        (0, 1, ["SEC-01=fail"], 1, 1),
        (0, 1, ["SEC-01=unknown"], 3, 0),
        (2, 3, ["SEC-18=fail"], 1, 1),
        (2, 3, ["SEC-01=unknown"], 3, 0),
        (2, 3, ["SEC-01=unknown", "SEC-02=expired"], 1, 1),
        # Everything is known, and the level is not reached: nothing is left to find out.
        (4, 5, [], 1, 1),
        (2, 3, ["SEC-01=fail/mt-1"], 1, 1),
        (2, 3, ["SEC-01=fail/mt-1", "SEC-02=unknown"], 3, 0),
        # The decision of the competent authority stands in the way of the last level only.
        (4, 5, ["NDC-01=manual_pending"], 3, 0),
        (3, 4, ["NDC-01=manual_pending"], 1, 1),
    ],
)
def test_by_level(level: int, wanted: int, findings: list[str], strict: int, lenient: int) -> None:
    made = report(*findings, level=level)
    assert code(made, f"level={wanted}") == strict
    assert code(made, f"level={wanted}", allow_incomplete=True) == lenient


@pytest.mark.parametrize(
    "threshold", ["level=0", "level=6", "level=", "level", "level=01", "levels=1", "severe"]
)
def test_a_threshold_that_nothing_can_miss_or_that_is_none_is_refused(threshold: str) -> None:
    with pytest.raises(
        click.BadParameter, match="is none of low, medium, high, critical, gate, level=1 to level=5"
    ):
        FailOn().convert(threshold, None, None)


def test_high_is_what_counts_unless_something_else_is_said() -> None:
    assert exit_code(report("SEC-02=fail"), Threshold()) == 1
    assert exit_code(report("SEC-10=fail"), Threshold()) == 0


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([0], 0), ([0, 3], 3), ([3, 1], 1), ([1, 3, 0], 1), ([0, 130], 130), ([1, 130, 3], 130), ([0, 0], 0)],
)
def test_the_worst_of_several_subjects(codes: list[int], expected: int) -> None:
    assert worst(codes) == expected
