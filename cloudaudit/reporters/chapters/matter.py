"""What chapters are written from: report.json, and what one reading of all findings tells beside it.

Findings are many and come once; everything that chapters want of those that pass is gathered here in one
pass: places and flows, ages of backups by system, states of papers, and which findings of an earlier
report pass now.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from cloudaudit.model import Control, Resource, Seconds, Text, parse_time
from cloudaudit.reporters import Context, view
from cloudaudit.reporters.comparison import Comparison, Point, compare, open_prints, trend
from cloudaudit.reporters.places import Flow, Places, flows_of, in_order, places
from cloudaudit.reporters.values import Values
from cloudaudit.reporters.view import Record, Report
from cloudaudit.reporters.words import text_of

SOON: Final = 30 * 86400
"""A paper with no more validity than this is about to expire."""
_REQUEST: Final = re.compile(
    r"(?:^|: )([a-z][a-z-]{0,40}) (?:GET|HEAD) (?:/[^/?\s]+)?/(v[0-9][0-9.]{0,8})/", re.ASCII
)
"""A service and the version in the path of a request to it: `block-storage GET /cinder/v3/volumes -> 200`."""
_AGE: Final = "backup.newest_age"
_REQUIRED: Final = ("owner", "url", "sha256", "valid_until")


@dataclass(slots=True)
class Backups:
    """How old the newest backups of one system are, over all its volumes that were judged."""

    worst: float | None = None
    """The oldest of the newest backups, in seconds; a backup known to be no older than that counts so."""
    volumes: int = 0
    without: int = 0
    """Volumes with no backup at all."""
    unknown: int = 0
    """Volumes of which it is not known, or only that their backup is older than something."""

    @property
    def achieved(self) -> float | None:
        """The recovery point that every volume keeps to. None: not known, or there is none for some."""
        return None if self.without or self.unknown else self.worst

    def add(self, entry: Mapping[str, Any]) -> None:
        self.volumes += 1
        match entry.get("value", {}):
            case None:
                self.without += 1
            case bool():
                self.unknown += 1
            case int() | float() as age:
                self.worst = max(age, self.worst or 0)
            case {"$at_most": int() | float() as age}:
                self.worst = max(age, self.worst or 0)
            case _:
                self.unknown += 1


@dataclass(slots=True)
class _Gathered:
    """What one pass over the findings fills."""

    wanted: frozenset[str]
    flows: set[Flow] = field(default_factory=set)
    backups: dict[str, Backups] = field(default_factory=dict)
    volumes: set[tuple[str, str, str]] = field(default_factory=set)
    papers: dict[tuple[str, str], str] = field(default_factory=dict)
    """Of a paper and a fact of it: its value as text, or why it is missing behind a question mark."""
    passing: set[str] = field(default_factory=set)
    apis: set[tuple[str, str, str]] = field(default_factory=set)
    """Target, service and version of each API that evidence was asked of."""

    def watch(self, records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            self._add(record)
            yield record

    def _add(self, record: Record) -> None:
        self.flows.update(flows_of(record))
        if record["verdict"] == "pass" and record["fingerprint"] in self.wanted:
            self.passing.add(record["fingerprint"])
        resource = record["resource"]
        for entry in record["evidence"]:
            for service, version in asked_apis(entry["source"]):
                self.apis.add((resource["target"], service, version))
            type_, _, id_ = entry["resource"].partition(":")
            if type_ == "attestation" and entry["fact"] in ("state", "intact"):
                told = f"?{entry['missing']}" if "missing" in entry else str(entry.get("value"))
                self.papers[id_, entry["fact"]] = told
            if entry["fact"] == _AGE and resource["system"]:
                volume = (resource["target"], resource["type"], resource["id"])
                if volume not in self.volumes:
                    self.volumes.add(volume)
                    self.backups.setdefault(resource["system"], Backups()).add(entry)


@dataclass(frozen=True, slots=True)
class Matter:
    """Everything a chapter is written from."""

    report: Report
    context: Context
    values: Values
    groups: Sequence[view.Group]
    places: Places
    flows: tuple[Flow, ...]
    backups: Mapping[str, Backups]
    changes: Comparison | None
    """Against the newest of the earlier reports."""
    before: Mapping[str, str]
    """What the findings of that report were, by fingerprint."""
    trend: tuple[Point, ...]
    whole: bool
    """Whether findings that pass were read too."""
    apis: Sequence[tuple[str, str, str]]
    """Target, service and version of each API that evidence was asked of."""
    _papers: Mapping[tuple[str, str], str]

    @property
    def at(self) -> Seconds | None:
        """When it was assessed."""
        try:
            return parse_time(self.report["assessed_at"])
        except ValueError:
            return None

    @property
    def is_provider(self) -> bool:
        return bool(self.report["scope"] == "provider")

    @property
    def is_yearly(self) -> bool:
        return self.context.form == "yearly"

    def entry(self, control: str) -> Mapping[str, Any] | None:
        """What the report says of a control; None where it was not selected."""
        return next((one for one in self.report["controls"] if one["id"] == control), None)

    def of_dimension(self, dimension: str) -> list[Mapping[str, Any]]:
        return [one for one in self.report["controls"] if one["dimension"] == dimension]

    def control(self, id_: str) -> Control | None:
        return self.context.controls.get(id_)

    def title(self, control: str) -> Text:
        found = self.entry(control)
        return text_of(found["title"], control) if found else Text(control, control)

    def papers(self, *kinds: str) -> list[Resource]:
        """Declared papers of some kinds, or all."""
        found = self.context.declared("attestation")
        return [paper for paper in found if not kinds or paper.facts.get("kind") in kinds]

    def drills(self, *kinds: str) -> list[Resource]:
        """Declared drills of some kinds, or all, the latest first."""
        found = self.context.declared("drill")
        chosen = [drill for drill in found if not kinds or drill.facts.get("kind") in kinds]
        return sorted(chosen, key=lambda one: (-(_number(one, "date") or 0), one.id))

    def state_of(self, paper: Resource) -> tuple[str, str | None]:
        """The state of a paper with the reason where it is not known.

        What evidence says goes first. Dates alone can end a paper; they prove none to be in force.
        """
        told = self._papers.get((paper.id, "state"))
        until, issued = _number(paper, "valid_until"), _number(paper, "issued_at")
        lacking = [name for name in _REQUIRED if paper.facts.get(name) in (None, "")]
        now = self.at
        if told == "expired" or (now is not None and until is not None and until <= now):
            return "expired", None
        if told == "not_yet" or (now is not None and issued is not None and issued > now):
            return "not_yet", None
        if lacking:
            return "incomplete", None
        if told == "valid":
            soon = now is not None and until is not None and until - now <= SOON
            return ("expiring" if soon else "valid"), None
        return "unknown", told.removeprefix("?") if told and told.startswith("?") else None

    def register_given(self, kind: str) -> bool:
        return any(register["kind"] == kind for register in self.report["registers"])


@lru_cache(maxsize=4096)
def asked_apis(source: str) -> tuple[tuple[str, str], ...]:
    """Service and version of each API that a piece of evidence names a request to."""
    parts = (_REQUEST.search(part) for part in source.split("; "))
    # NOTE: the first part of a path of S3 is the name of a bucket, which may be called v1.
    named = ((found[1], found[2]) for found in parts if found and found[1] != "s3")
    return tuple(dict.fromkeys(named))


def _number(resource: Resource, fact: str) -> int | None:
    value = resource.facts.get(fact)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def gather(report: Report, context: Context) -> Matter:
    """Read all findings once, those of the report alone where there are no others."""
    newest = max(context.earlier, key=lambda one: str(one["assessed_at"]), default=None)
    found = _Gathered(open_prints(newest) if newest is not None else frozenset())
    whole = context.findings is not None
    records = found.watch(iter(report["findings"]) if context.findings is None else context.findings)
    map_ = places(report, context.declared("site"), records)
    changes = None
    if newest is not None:
        changes = compare(report, newest, found.passing if whole else None)
    return Matter(
        report,
        context,
        Values(context.types),
        view.groups(report),
        map_,
        in_order(found.flows),
        found.backups,
        changes,
        {one["fingerprint"]: view.outcome(one) for one in newest["findings"]} if newest is not None else {},
        trend(report, context.earlier),
        whole,
        sorted(found.apis),
        found.papers,
    )
