"""How long a report counts: thirty days, or until evidence that holds a gate open lapses.

A paper ends on its date or when a control finds it too old, a drill likewise, a waiver on its last day. What
was read from clouds has no end of its own; the thirty days are for that. A change of regions, sites or
replication targets ends a report too, and nobody can date it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from cloudaudit.model import FactType, Finding, Resource, Seconds, Text, Verdict
from cloudaudit.reporters.words import MAX_NAME, clean, labels

DAYS: Final = 30
_DAY: Final = 86400


@dataclass(frozen=True, slots=True)
class Validity:
    """When a report lapses, and what makes it. Without a control: its age."""

    until: Seconds
    because: Text
    control: str | None = None
    evidence: str | None = None
    """Type and id of the paper, drill or waiver that ends first."""


@dataclass(slots=True)
class Lapses:
    """Gather from findings when evidence of gating controls ends, and keep what ends first.

    Where a control has several limits of age, the shortest that is not yet passed is taken.
    """

    at: Seconds
    """When it is assessed. What ended before holds nothing open."""
    gating: Collection[str]
    sites: Mapping[str, Resource]
    """Papers that back declared sites, by the site's id."""
    waivers: Mapping[str, Seconds]
    """Ends of waivers by their ids."""
    _first: tuple[Seconds, str, str, str] | None = field(default=None, init=False)

    def add(self, finding: Finding) -> None:
        """Look at one finding. Only what counts for a gate can end: a pass, or a failure that is waived."""
        if finding.control.id not in self.gating:
            return
        if finding.verdict is not Verdict.PASS and finding.waiver is None:
            return
        for until, type_, id_ in self._ends(finding):
            found = (until, finding.control.id, type_, id_)
            if until > self.at and (self._first is None or found < self._first):
                self._first = found

    def _ends(self, finding: Finding) -> Iterator[tuple[Seconds, str, str]]:
        if finding.waiver is not None:
            if finding.waiver in self.waivers:
                yield self.waivers[finding.waiver], "waiver", finding.waiver
            return
        ages = _ages(finding)
        for reading in finding.explanation.readings:
            resource = reading.resource
            if resource.type == "attestation":
                yield from _end_of(resource, "issued_at", ages if reading.fact == "age" else ())
            elif resource.type == "drill":
                yield from _end_of(resource, "date", ages if reading.fact in ("date", "age") else ())
            if reading.fact.startswith("site."):
                site = resource.facts.get("site.id")
                paper = self.sites.get(site) if isinstance(site, str) else None
                if paper is not None:
                    yield from _end_of(paper, "issued_at", ())

    def validity(self) -> Validity:
        """The earlier of thirty days after the assessment and the first lapse."""
        end = self.at + DAYS * _DAY
        if self._first is None or self._first[0] >= end:
            return Validity(end, labels()("chapter.because.age"))
        until, control, type_, id_ = self._first
        because = labels()(f"chapter.because.{type_}", id=clean(id_, MAX_NAME), control=control)
        return Validity(until, because, control, f"{type_}:{clean(id_, MAX_NAME)}")


def _ages(finding: Finding) -> tuple[Seconds, ...]:
    """How old papers and drills may be, as the control's parameters say it."""
    control = finding.control
    return tuple(
        value
        for name, parameter in control.parameters.items()
        if parameter.spec.type is FactType.DURATION and name.startswith("max_") and "age" in name.split("_")
        if isinstance(value := control.values.get(name, parameter.default), int)
    )


def _end_of(entry: Resource, start: str, ages: tuple[Seconds, ...]) -> Iterator[tuple[Seconds, str, str]]:
    until, begun = entry.facts.get("valid_until"), entry.facts.get(start)
    if isinstance(until, int):
        yield until, entry.type, entry.id
    if isinstance(begun, int):
        yield from ((begun + age, entry.type, entry.id) for age in ages)
