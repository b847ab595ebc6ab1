"""OCSF Compliance Finding, class 2003, as JSON Lines: every finding as an event for a SIEM, passes included.

Of OCSF 1.8.0, without its profiles: `cloud` asks for the name of the provider, which no assessment observes,
so that the place of a resource stands in its `namespace` and `data`. Times are milliseconds. Events are
written one by one as findings are read; of evidence the first pieces are there, and how many are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import islice
from typing import Any, Final

from cloudaudit.model import Severity, Text, parse_time
from cloudaudit.reporters import Context, details
from cloudaudit.reporters.cases import (
    Bench,
    Case,
    Lang,
    Standing,
    clause,
    excuse,
    other,
    said,
    subject_of,
)
from cloudaudit.reporters.report_json import shown
from cloudaudit.reporters.rows import collected, every
from cloudaudit.reporters.words import MAX_NAME, clean, labels, text_of

Object = dict[str, Any]

VERSION: Final = "1.8.0"
CLASS: Final = 2003
CATEGORY: Final = 2
BLOCK: Final = 100
"""Events that are written at a time."""
MAX_ID: Final = 1_000
MAX_EVIDENCE: Final = 20
MAX_VALUE: Final = 1_000
"""Characters of one value of evidence; the whole is in findings.jsonl.gz."""

_STATUS: Final = {
    "pass": (1, "Pass"),
    "fail": (3, "Fail"),
    "expired": (3, "Fail"),
    "unknown": (2, "Warning"),
    "manual_pending": (2, "Warning"),
    "not_applicable": (99, "Not applicable"),
}
"""2 is the standard's word for a check that yielded no result because something is missing."""
_SEVERITY: Final = {
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_INFORMATIONAL: Final = (1, "Informational")
_LIFE: Final = {
    Standing.VIOLATION: (1, "New"),
    Standing.UNKNOWN: (1, "New"),
    Standing.PENDING: (2, "In Progress"),
    Standing.DECISION: (2, "In Progress"),
    Standing.KNOWN: (99, "Known"),
    Standing.WAIVED: (3, "Suppressed"),
}
"""Where a finding is in being dealt with. What passes or does not apply is dealt with by nobody."""


class OcsfReporter:
    """One event on each line."""

    media_type = "application/x-ndjson"

    def render(self, report: Mapping[str, Any], context: Context) -> str:
        return "".join(_Events(report, context).blocks(every(report, context)))


class _Events:
    """Writes events, and what all events of one control have in common only once."""

    def __init__(self, report: Mapping[str, Any], context: Context) -> None:
        self.report = report
        self.context = context
        self.lang: Lang = context.lang
        self.bench = Bench.of(report, context)
        self.time = milliseconds(report["assessed_at"])
        run = f"{subject_of(report)}/{report['assessed_at']}/{report['snapshot']['sha256']}"
        self.run = sha256(run.encode()).hexdigest()
        self.controls: dict[str, Object] = {}

    def blocks(self, records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """The lines of some events at a time: what a terminal would obey is looked for in all at once."""
        rest = iter(records)
        while chosen := list(islice(rest, BLOCK)):
            events = (self.event(self.bench.case(record)) for record in chosen)
            lines = (json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events)
            yield shown("".join(f"{line}\n" for line in lines))

    def event(self, case: Case) -> Object:
        activity = (2, "Update") if case.standing is Standing.KNOWN else (1, "Create")
        quiet = case.standing in (Standing.PASS, Standing.NOT_APPLICABLE)
        severity = _INFORMATIONAL if quiet else _SEVERITY[case.severity]
        why, message = excuse(case, self.report), case.message
        event: Object = {
            "activity_id": activity[0],
            "activity_name": activity[1],
            "category_uid": CATEGORY,
            "category_name": "Findings",
            "class_uid": CLASS,
            "class_name": "Compliance Finding",
            "type_uid": CLASS * 100 + activity[0],
            "type_name": f"Compliance Finding: {activity[1]}",
            "time": self.time,
            "severity_id": severity[0],
            "severity": severity[1],
            "message": said(message, self.lang),
            "metadata": self.metadata(case),
            "finding_info": self.finding(case),
            "compliance": self.compliance(case, message),
            "resources": [_resource(case)],
        }
        if case.standing in _LIFE:
            event["status_id"], event["status"] = _LIFE[case.standing]
        if why:
            event["status_detail"] = said(why, self.lang)
        oldest = collected(case.record)
        if oldest is not None:
            event["start_time"] = milliseconds(oldest)
        evidence = [_evidence(entry) for entry in case.record["evidence"][:MAX_EVIDENCE]]
        if evidence:
            event["evidences"] = evidence
        remediation = self.control(case)["remediation"]
        if remediation and not quiet:
            event["remediation"] = {"desc": remediation}
        event["unmapped"] = self.unmapped(case, message)
        return event

    def metadata(self, case: Case) -> Object:
        tool = self.report["tool"]
        return {
            "version": VERSION,
            "product": {
                "name": tool["name"],
                "vendor_name": tool["name"],
                "version": tool["version"],
                "lang": self.lang,
            },
            "uid": sha256(f"{self.run}/{case.identity}".encode()).hexdigest(),
            "correlation_uid": self.run,
            "event_code": case.control["id"],
        }

    def finding(self, case: Case) -> Object:
        return {
            "uid": case.fingerprint,
            "uid_alt": case.identity,
            "title": said(case.title, self.lang),
            "created_time": self.time,
            "analytic": {
                "uid": case.control["id"],
                "name": said(case.title, self.lang),
                "type_id": 1,
                "type": "Rule",
                "version": case.control["version"],
                "category": case.control["dimension"],
            },
        }

    def compliance(self, case: Case, message: Text) -> Object:
        status = _STATUS[case.record["verdict"]]
        common = self.control(case)
        said_of_it = [said(message, self.lang)]
        if detail := details.of(case.record):
            said_of_it.append(said(detail, self.lang))
        found: Object = {
            "control": common["control"],
            "category": common["category"],
            "standards": common["standards"],
            "status_id": status[0],
            "status": status[1],
            "status_code": case.record["verdict"],
            "status_details": said_of_it,
        }
        return {**found, "requirements": common["requirements"]} if common["requirements"] else found

    def control(self, case: Case) -> Object:
        """What every event of a control says of it."""
        id_ = case.control["id"]
        if id_ not in self.controls:
            control = self.context.controls.get(id_)
            profile = self.report["profile"]
            named = f"{clean(profile['id'], MAX_NAME)} {profile['version']}"
            obligations = self.context.obligations
            self.controls[id_] = {
                "control": f"{id_}: {said(case.title, self.lang)}",
                "category": said(labels().of("dimension", case.control["dimension"]), self.lang),
                "standards": [f"{said(text_of(profile['title']), self.lang)} ({named})"],
                "requirements": [
                    clause(obligations[id_], self.lang) if id_ in obligations else clean(id_)
                    for id_ in case.control["obligations"]
                ],
                "remediation": said(control.remediation.text, self.lang) if control else "",
            }
        return self.controls[id_]

    def unmapped(self, case: Case, message: Text) -> Object:
        record = case.record
        language = other(self.lang)
        found = {
            "standing": case.standing.value,
            "control_severity": case.severity.value,
            "gate": case.gate,
            "basis": case.control["basis"],
            "weight": record["weight"],
            "reason_code": record["reason_code"],
            "waiver": record["waiver"] and clean(record["waiver"], MAX_NAME),
            "known_since": case.known.since if case.known else None,
            "file": case.spot.path,
            "line": case.spot.line,
            "declared_in_code": case.spot.exact,
            f"message_{language}": said(message, language),
            "evidence_left_out": max(0, len(record["evidence"]) - MAX_EVIDENCE) or None,
        }
        return {key: value for key, value in found.items() if value is not None}


def _resource(case: Case) -> Object:
    resource = case.record["resource"]
    found = {key: resource[key] for key in ("target", "region", "project", "system", "site")}
    return {
        "uid": clean(resource["id"], MAX_ID),
        "name": clean(resource["name"] or resource["id"], MAX_ID),
        "type": clean(resource["type"], MAX_NAME),
        "namespace": case.scope,
        "data": {key: clean(value, MAX_NAME) for key, value in found.items() if value},
    }


def _evidence(entry: Mapping[str, Any]) -> Object:
    """A fact a verdict stands on, or why it is missing."""
    told: Object = {
        "resource": clean(entry["resource"], MAX_ID),
        "source": clean(entry["source"], MAX_VALUE),
        "at": entry["at"],
    }
    if "missing" in entry:
        told["missing"] = entry["missing"]
    else:
        written = json.dumps(entry["value"], ensure_ascii=False, separators=(",", ":"))
        plain = clean(written, MAX_VALUE)
        # What is harmless and short stays what it is; else its text, cut and cleaned.
        told["value"] = entry["value"] if plain == written else plain
    return {"name": clean(entry["fact"], MAX_NAME), "data": told}


def milliseconds(at: str) -> int:
    """A time of report.json as OCSF counts it."""
    return parse_time(at) * 1000
