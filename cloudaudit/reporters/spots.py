"""Where in a repository a finding is shown: at the code that declares the resource, else at its target.

Formats that pipelines read want a file and a line of everything. What was read from a cloud has neither; its
entry in targets.yaml is where somebody can begin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cloudaudit.reporters.words import clean

TARGETS: Final = "targets.yaml"
"""What is pointed to where an assessment does not tell its file of targets."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A file as a repository names it, and a line of it. `exact`: the resource itself is declared there."""

    path: str
    line: int
    exact: bool


def declared_at(record: Mapping[str, Any]) -> str | None:
    """File and line of the code that declares the resource of a finding, for people; None where none does."""
    found = record["resource"].get("source")
    if found is None:
        return None
    return clean(found["path"] if found["line"] is None else f"{found['path']}:{found['line']}")


def spot(report: Mapping[str, Any], record: Mapping[str, Any]) -> Spot:
    """Where a finding is shown."""
    resource = record["resource"]
    declared = resource.get("source")
    if declared is not None:
        return Spot(declared["path"], declared["line"] or 1, declared["line"] is not None)
    return of_target(report, resource["target"])


def of_target(report: Mapping[str, Any], name: str) -> Spot:
    """Where a target stands: for findings and gaps of no resource that code declares."""
    for target in report["targets"]:
        source = target.get("source")
        if source is not None and target["name"] == name:
            return Spot(source["path"], source["line"] or 1, False)
    first = next((t["source"]["path"] for t in report["targets"] if t.get("source")), TARGETS)
    return Spot(first, 1, False)
