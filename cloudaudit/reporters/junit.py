"""JUnit XML: each finding as a test case, as GitLab, Jenkins and most other pipelines show test results.

A violation is a failure. What could not be checked is an error: a test that did not run has not passed.
Waivers, a baseline and the authority's decision skip a case and say why; so does a severity below the one at
which the gate stops, since pipelines take a failure for a reason to stop. There is no `file` on a case, which
GitLab would show: the schema of Jenkins' xUnit plugin refuses the whole file for it. File and line stand in
the text of the case, which both show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree import ElementTree as Xml

from cloudaudit.model import Severity, Text
from cloudaudit.reporters import Context, details
from cloudaudit.reporters.cases import (
    MAX_ID,
    Bench,
    Case,
    Lang,
    Standing,
    excuse,
    other,
    said,
    subject_of,
)
from cloudaudit.reporters.rows import every
from cloudaudit.reporters.words import MAX_NAME, clean, labels, short

MAX_BYTES: Final = 29_000_000
"""GitLab refuses a file of 30 MB or more."""
END: Final = 100_000
"""Bytes that are kept for suites and what they say of themselves."""
MAX_TEXT: Final = 1_000

_ELEMENT: Final = {
    Standing.VIOLATION: "failure",
    Standing.UNKNOWN: "error",
    Standing.PENDING: "error",
    Standing.KNOWN: "skipped",
    Standing.WAIVED: "skipped",
    Standing.DECISION: "skipped",
    Standing.NOT_APPLICABLE: "skipped",
}
BELOW: Final = "below_threshold"
"""The type of a violation that the gate lets through for its severity."""
_COUNTED: Final = {"failure": "failures", "error": "errors", "skipped": "skipped"}


@dataclass(slots=True)
class _Suite:
    """The cases of one dimension that are written, with how many there are of each kind."""

    id: str
    cases: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("tests", *_COUNTED.values()), 0))

    def add(self, case: str, element: str | None) -> None:
        self.cases.append(case)
        self.counts["tests"] += 1
        if element is not None:
            self.counts[_COUNTED[element]] += 1


class JunitReporter:
    """One suite for each dimension, its violations first. What has no room is left out and counted."""

    media_type = "application/xml"

    def render(self, report: Mapping[str, Any], context: Context) -> str:
        return junit(report, context)


def junit(report: Mapping[str, Any], context: Context, most: int = MAX_BYTES) -> str:
    """The file, in less than so many bytes."""
    bench, names = Bench.of(report, context), _Names()
    suites = {dimension: _Suite(dimension) for dimension in _dimensions(report)}
    room, left, dropped = most - END, 0, 0
    for case in bench.worst_first():
        written, element = _written(case, report, context, names)
        room -= len(written.encode())
        if room >= 0:
            suites[case.control["dimension"]].add(written, element)
        else:
            left += 1
    for case in bench.cases(every(report, context)):
        if case.standing is not Standing.PASS:
            continue
        written, element = _written(case, report, context, names)
        room -= len(written.encode())
        if room >= 0:
            suites[case.control["dimension"]].add(written, element)
        else:
            dropped += 1
    return _document(report, context.lang, list(suites.values()), left, dropped)


def _dimensions(report: Mapping[str, Any]) -> list[str]:
    """Dimensions of the profile in the order of the report, then those of controls it gives no weight."""
    weighed = [entry["id"] for entry in report["readiness"]["dimensions"]]
    return list(dict.fromkeys([*weighed, *(entry["dimension"] for entry in report["controls"])]))


def _document(
    report: Mapping[str, Any], lang: Lang, suites: Sequence[_Suite], left: int, dropped: int
) -> str:
    if left or dropped:
        suites = [*suites, _left_out(lang, left, dropped)]
    shown = [suite for suite in suites if suite.cases]
    totals = {key: str(sum(suite.counts[key] for suite in shown)) for key in ("tests", "failures", "errors")}
    named = {"name": f"cloudaudit: {subject_of(report)}", **totals, "time": "0"}
    return "".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            _start("testsuites", named),
            *(part for suite in shown for part in _suite(suite, report, lang)),
            "</testsuites>\n",
        ]
    )


def _suite(suite: _Suite, report: Mapping[str, Any], lang: Lang) -> Iterator[str]:
    title = said(labels().of("dimension", suite.id), lang)
    attributes = {
        "name": suite.id if title == suite.id else f"{suite.id}: {title}",
        **{key: str(count) for key, count in suite.counts.items()},
        "time": "0",
        "timestamp": report["assessed_at"].removesuffix("Z"),
    }
    yield _start("testsuite", attributes)
    properties = Xml.Element("properties")
    for name, value in _properties(report).items():
        Xml.SubElement(properties, "property", {"name": name, "value": value})
    yield _line(properties)
    yield from suite.cases
    yield "</testsuite>\n"


def _properties(report: Mapping[str, Any]) -> dict[str, str]:
    return {
        "cloudaudit": report["tool"]["version"],
        "subject": clean(report["subject"]["id"], MAX_NAME),
        "profile": f"{clean(report['profile']['id'], MAX_NAME)} {report['profile']['version']}",
        "assessed_at": report["assessed_at"],
    }


def _left_out(lang: Lang, left: int, dropped: int) -> _Suite:
    """What has no room, as cases of their own: an error for what is not in order, nobody may miss it."""
    suite = _Suite("cloudaudit")
    for count, key, element in (
        (left, "pipeline.unmet_left_out", "error"),
        (dropped, "pipeline.passes_left_out", "skipped"),
    ):
        if count:
            told = said(labels()(key, count=count), lang)
            node = Xml.Element(
                "testcase", {"classname": "cloudaudit.left-out", "name": key.partition(".")[2], "time": "0"}
            )
            Xml.SubElement(node, element, {"type": "left_out", "message": told}).text = told
            suite.add(_line(node), element)
    return suite


def _written(
    case: Case, report: Mapping[str, Any], context: Context, names: _Names
) -> tuple[str, str | None]:
    """A case as XML, and the element that says how it ended; None for a pass."""
    control, lang = case.control, context.lang
    attributes = {
        "classname": f"{control['dimension']}.{control['id']}",
        "name": names.of(case),
        "time": "0",
    }
    node = Xml.Element("testcase", attributes)
    below = _below(case, context.floor)
    element = "skipped" if below else _ELEMENT.get(case.standing)
    if element is not None:
        why = below or excuse(case, report)
        headline = short(said(why or case.message, lang), MAX_TEXT)
        type_ = BELOW if below else _type(case)
        inside = Xml.SubElement(node, element, {"type": type_, "message": headline})
        inside.text = "\n".join(_lines(case, why, lang))
    return _line(node), element


def _below(case: Case, floor: Severity | None) -> Text | None:
    """Why a violation does not stop the gate, where its severity is too low for that."""
    if floor is None or case.standing is not Standing.VIOLATION or case.severity.at_least(floor):
        return None
    named = {"severity": labels().of("severity", case.severity), "floor": labels().of("severity", floor)}
    return labels()("pipeline.below", message=case.message, **named)


def _type(case: Case) -> str:
    # NOTE: GitLab's reader takes `type` for a type of Ruby's, such as "integer"; none of these is one.
    match case.standing:
        case Standing.VIOLATION:
            return str(case.record["verdict"])
        case Standing.UNKNOWN | Standing.PENDING:
            return case.reason
        case _:
            return case.standing.value


def _lines(case: Case, why: Text | None, lang: Lang) -> Iterator[str]:
    """What a reader sees when a case is opened. GitLab shows this alone, without the attributes."""
    for one in (lang, other(lang)):
        yield short(said(case.message, one), MAX_TEXT)
    if why:
        yield short(said(why, lang), MAX_TEXT)
    if case.standing is Standing.NOT_APPLICABLE:
        return
    if detail := details.of(case.record):
        yield f"{said(labels()('column.detail'), lang)}: {short(said(detail, lang), MAX_TEXT)}"
    yield f"{case.control['id']}: {said(case.title, lang)}"
    severity = labels().of("severity", case.severity.value)
    gate = f", {said(labels()('column.gate'), lang)} {case.gate}" if case.gate else ""
    yield f"{said(labels()('column.severity'), lang)}: {said(severity, lang)}{gate}"
    place = labels()("pipeline.declared_at" if case.spot.exact else "pipeline.target_at", place=case.at)
    yield said(place, lang)
    yield f"{said(labels()('column.resource'), lang)}: {case.thing}"
    yield f"fingerprint: {case.fingerprint}"


class _Names:
    """Names of cases, each unique in its class: of two that are equal GitLab keeps the first alone."""

    def __init__(self) -> None:
        self._taken: set[tuple[str, str]] = set()

    def of(self, case: Case) -> str:
        resource = case.record["resource"]
        parts = (resource["id"], resource["target"], resource["region"], resource["project"])
        limits = (MAX_ID, MAX_NAME, MAX_NAME, MAX_NAME)
        whole = all(
            part is None or clean(part, limit) == part for part, limit in zip(parts, limits, strict=True)
        )
        name = case.thing if whole else f"{case.thing} #{case.identity[:12]}"
        if (case.control["id"], name) in self._taken:
            name = f"{case.thing} #{case.identity}"
        self._taken.add((case.control["id"], name))
        return name


def _start(tag: str, attributes: Mapping[str, str]) -> str:
    """The beginning of an element whose inside is written apart."""
    return Xml.tostring(Xml.Element(tag, dict(attributes)), encoding="unicode").removesuffix(" />") + ">\n"


def _line(node: Xml.Element) -> str:
    return Xml.tostring(node, encoding="unicode") + "\n"
