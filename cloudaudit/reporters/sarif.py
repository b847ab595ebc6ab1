"""SARIF 2.1.0: violations at files and lines, for code scanning of GitHub and GitLab, Jenkins and editors.

Results are violations alone, those a waiver covers with their suppression: every reader shows a result as a
thing that is wrong. What is not known is no result, least of all one that looks fine: it is a notification of
the run. `executionSuccessful` stays true: it speaks of the process, which ran to its end, and GitHub refuses
a run that says otherwise together with its violations. That the results cannot be taken for all is told as
appendix I of the standard has it, by a notification of level error.
"""

from __future__ import annotations

import json
import re
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from cloudaudit.model import Control, Severity, Text
from cloudaudit.reporters import Context, Known, view
from cloudaudit.reporters.cases import (
    UNSETTLED,
    VIOLATING,
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
from cloudaudit.reporters.markdown import escaped
from cloudaudit.reporters.report_json import shown
from cloudaudit.reporters.words import MAX_NAME, clean, labels, short, text_of

Object = dict[str, Any]

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS: Final = 25_000
"""GitHub refuses a run with more. It shows the 5,000 most severe, which come first here."""
MAX_NOTICES: Final = 1_000
MAX_BYTES: Final = 10_000_000
"""GitHub takes no more, packed with gzip."""
MAX_TAGS: Final = 20
MAX_NOTE: Final = 1_000
"""Longest text of a rule that GitHub shows whole is 1,024 characters."""
FINGERPRINT: Final = "cloudauditFinding/v1"
LINE_HASH: Final = "primaryLocationLineHash"
"""What GitHub tells alerts of one rule apart by. It would hash the line, and take all shown there for one."""

_LEVEL: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
_SCORE: Final = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
}
"""Within the bounds by which GitHub calls a rule critical, high, medium and low."""
_PRECISION: Final = {"O": "very-high", "O+D": "high", "A+O": "high", "A": "medium"}
"""By what a conclusion stands on: observed, with what was declared, or on a paper alone."""
_SEMANTIC: Final = re.compile(r"\d+\.\d+\.\d+")
_UNSETTLED: Final = "unsettled/"
_LEFT_OUT: Final = "left-out"
_NOTICE_LEVEL: Final = {Standing.UNKNOWN: "error", Standing.PENDING: "error", Standing.DECISION: "note"}


class SarifReporter:
    """One run for one subject and profile."""

    media_type = "application/sarif+json"

    def render(self, report: Mapping[str, Any], context: Context) -> str:
        bench = Bench.of(report, context)
        violations = bench.worst_first(*VIOLATING)
        unsettled = bench.worst_first(*UNSETTLED)
        most = MAX_RESULTS
        while True:
            written = _written(_log(bench, context, violations[:most], unsettled, len(violations)))
            size = _packed(written)
            if size <= MAX_BYTES or most <= 1:
                return written
            most = min(len(violations), most) * MAX_BYTES // (size + size // 10)


def _written(log: Object) -> str:
    """The log as JSON, each result on a line of its own: indented, many would take four times as long."""
    (run,) = log["runs"]
    results = [json.dumps(result, ensure_ascii=False) for result in run["results"]]
    frame = json.dumps({**log, "runs": [{**run, "results": []}]}, ensure_ascii=False, indent=1)
    if results:
        # Within a text the quotes would be escaped, so that this is the place.
        lines = ",\n".join(results)
        frame = frame.replace('"results": []', f'"results": [\n{lines}\n]', 1)
    return shown(frame) + "\n"


def _packed(written: str) -> int:
    """Bytes once packed, or an upper bound of them that is small enough."""
    data = written.encode()
    return len(data) if len(data) <= MAX_BYTES else len(zlib.compress(data, 6))


def _log(
    bench: Bench, context: Context, violations: Sequence[Case], unsettled: Sequence[Case], all_: int
) -> Object:
    report, lang = bench.report, context.lang
    missing = {
        "pipeline.results_left_out": all_ - len(violations),
        "pipeline.unknowns_left_out": max(0, len(unsettled) - MAX_NOTICES),
    }
    writer = _Run(bench, context, [*violations, *unsettled], left_out=any(missing.values()))
    notices = [writer.notice(case) for case in unsettled[:MAX_NOTICES]]
    notices += [writer.left_out(labels()(key, count=count)) for key, count in missing.items() if count]
    run = {
        "tool": {"driver": writer.driver()},
        "automationDetails": {
            "id": f"cloudaudit/{subject_of(report)}/",
            "description": {"text": _sentence(said(_what(report), lang))},
        },
        "language": lang,
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                **_times(report),
                "toolExecutionNotifications": notices,
            }
        ],
        "results": [writer.result(case) for case in violations],
        "properties": {
            "assessedAt": report["assessed_at"],
            "snapshot": report["snapshot"]["sha256"],
            "profile": f"{clean(report['profile']['id'], MAX_NAME)} {report['profile']['version']}",
            "violations": all_,
            "unsettled": len(unsettled),
        },
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _what(report: Mapping[str, Any]) -> Text:
    subject, profile = text_of(report["subject"].get("title")), text_of(report["profile"]["title"])
    return Text(f"{subject.vi}: {profile.vi}", f"{subject.en}: {profile.en}")


def _times(report: Mapping[str, Any]) -> Object:
    found = {"startTimeUtc": report["snapshot"]["collected_at"], "endTimeUtc": report["assessed_at"]}
    return {key: value for key, value in found.items() if value}


class _Run:
    """Writes results and notifications with the rules they refer to, by their places."""

    def __init__(self, bench: Bench, context: Context, cases: Sequence[Case], *, left_out: bool) -> None:
        self.bench = bench
        self.context = context
        self.lang: Lang = context.lang
        controls = sorted({case.control["id"] for case in cases})
        reasons = sorted({case.reason for case in cases if case.standing in UNSETTLED})
        self.rules = {id_: place for place, id_ in enumerate(controls)}
        self.notices = {f"{_UNSETTLED}{reason}": place for place, reason in enumerate(reasons)}
        if left_out:
            self.notices[_LEFT_OUT] = len(self.notices)

    def driver(self) -> Object:
        tool = self.bench.report["tool"]
        return {
            "name": tool["name"],
            "version": tool["version"],
            **({"semanticVersion": tool["version"]} if _SEMANTIC.fullmatch(tool["version"]) else {}),
            "language": self.lang,
            "rules": [self.rule(id_) for id_ in self.rules],
            "notifications": [self.descriptor(id_) for id_ in self.notices],
        }

    def rule(self, id_: str) -> Object:
        entry = self.bench.controls[id_]
        control = self.context.controls.get(id_)
        title, severity = text_of(entry["title"]), Severity(entry["severity"])
        in_other = said(title, other(self.lang))
        tags = ["security", f"dimension/{entry['dimension']}", f"severity/{severity.value}"]
        tags += [f"obligation/{clean(one, MAX_NAME)}" for one in entry["obligations"]]
        return {
            "id": id_,
            "name": _pascal(title.en) or id_,
            "shortDescription": {"text": _sentence(short(said(title, self.lang), MAX_NOTE))},
            "fullDescription": {
                "text": short(f"{_sentence(said(title, self.lang))} {_sentence(in_other)}", MAX_NOTE)
            },
            "help": self.help(control, title),
            "defaultConfiguration": {"level": _LEVEL[severity]},
            "properties": {
                "tags": tags[:MAX_TAGS],
                "precision": _PRECISION.get(entry["basis"], "medium"),
                "security-severity": _SCORE[severity],
                "version": entry["version"],
                "basis": entry["basis"],
                **({"gate": self.bench.gates[id_]} if id_ in self.bench.gates else {}),
            },
        }

    def help(self, control: Control | None, title: Text) -> Object:
        """How to correct it, in the language of the file first, with what the control cannot see."""
        plain: list[str] = []
        marked: list[str] = []
        for lang in (self.lang, other(self.lang)):
            plain.append(_sentence(said(title, lang)))
            marked.append(f"**{escaped(said(title, lang))}**")
            parts = {"remediation": control.remediation.text, "limits": control.limits} if control else {}
            for key, text in parts.items():
                name, words = said(labels()(f"pipeline.{key}"), lang), said(text, lang)
                plain.append(f"{name}: {words}")
                marked.append(f"*{escaped(name)}*: {escaped(words)}")
        for key, lines in (
            ("commands", [clean(line) for line in control.remediation.cli] if control else []),
            ("clauses", self.clauses(control) if control else []),
        ):
            if lines:
                name = said(labels()(f"pipeline.{key}"), self.lang)
                plain += [f"{name}:", *(f"- {line}" for line in lines)]
                marked.append("\n".join([f"*{escaped(name)}*:\n", *(f"- {escaped(one)}" for one in lines)]))
        return {"text": "\n".join(plain), "markdown": "\n\n".join(marked)}

    def clauses(self, control: Control) -> list[str]:
        known = self.context.obligations
        return [clause(known[id_], self.lang) for id_ in control.obligations if id_ in known]

    def descriptor(self, id_: str) -> Object:
        """What a kind of notification means, and what takes it away."""
        reason = id_.removeprefix(_UNSETTLED)
        if id_ == _LEFT_OUT:
            name, remedy = labels()("pipeline.left_out"), labels()("pipeline.where_all")
        elif reason == view.PENDING:
            name, remedy = labels()("verdict.manual_pending"), labels()("report.remedy_pending")
        else:
            name, remedy = labels().of("reason", reason), labels().of("remedy", reason)
        both = f"{_sentence(said(name, self.lang))} {_sentence(said(name, other(self.lang)))}"
        helped = {lang: _sentence(said(remedy, lang)) for lang in (self.lang, other(self.lang))}
        return {
            "id": id_,
            "name": _pascal(id_),
            "shortDescription": {"text": _sentence(said(name, self.lang))},
            "fullDescription": {"text": both},
            "help": {
                "text": "\n".join(helped.values()),
                "markdown": "\n\n".join(map(escaped, helped.values())),
            },
        }

    def result(self, case: Case) -> Object:
        why, resource = excuse(case, self.bench.report), case.record["resource"]
        found: Object = {
            "ruleId": case.control["id"],
            "ruleIndex": self.rules[case.control["id"]],
            "kind": "fail",
            "level": _LEVEL[case.severity],
            "message": {"text": self.told(case, self.lang)},
            "locations": [self.location(case)],
            "partialFingerprints": {
                FINGERPRINT: case.fingerprint,
                LINE_HASH: f"{case.identity[:32]}:1",
            },
            # Empty says that nothing suppresses it; left out would say that nobody knows.
            "suppressions": [],
            "properties": {
                "verdict": case.record["verdict"],
                "severity": case.severity.value,
                f"message_{other(self.lang)}": self.told(case, other(self.lang)),
                "weight": case.record["weight"],
                "system": resource["system"] and clean(resource["system"], MAX_NAME),
                "declaredInCode": case.spot.exact,
            },
        }
        if case.standing is Standing.WAIVED and why:
            found["suppressions"] = [
                {"kind": "external", "status": "accepted", "justification": said(why, self.lang)}
            ]
        if self.bench.baseline is not None:
            found["baselineState"] = self.state(case)
        if case.known and why:
            found["properties"]["baseline"] = said(why, self.lang)
        return found

    def state(self, case: Case) -> str:
        known: Mapping[str, Known] = self.bench.baseline or {}
        return "unchanged" if case.fingerprint in known else "new"

    def told(self, case: Case, lang: Lang) -> str:
        told = _sentence(f"{short(said(case.message, lang), MAX_NOTE)} ({case.thing})")
        # NOTE: of "[text](address)" SARIF makes a link even in plain text (3.11.6).
        return told.replace("](", "] (")

    def location(self, case: Case) -> Object:
        resource = case.record["resource"]
        name = clean(resource["name"] or resource["id"], MAX_NAME)
        parts = (
            resource["target"],
            resource["region"],
            resource["project"],
            resource["type"],
            resource["id"],
        )
        found = {
            "name": name,
            "fullyQualifiedName": "/".join(clean(part or "-", MAX_NAME) for part in parts),
            "kind": "resource",
            "properties": {
                key: resource[key] and clean(resource[key], MAX_NAME)
                for key in ("type", "id", "target", "region", "project")
            },
        }
        return {**_physical(case), "logicalLocations": [found]}

    def notice(self, case: Case) -> Object:
        id_ = f"{_UNSETTLED}{case.reason}"
        return {
            "descriptor": {"id": id_, "index": self.notices[id_]},
            "associatedRule": {"id": case.control["id"], "index": self.rules[case.control["id"]]},
            "level": _NOTICE_LEVEL[case.standing],
            "message": {"text": self.told(case, self.lang)},
            "locations": [self.location(case)],
            "properties": {FINGERPRINT: case.fingerprint, "severity": case.severity.value},
        }

    def left_out(self, text: Text) -> Object:
        return {
            "descriptor": {"id": _LEFT_OUT, "index": self.notices[_LEFT_OUT]},
            "level": "error",
            "message": {"text": said(text, self.lang)},
        }


def _physical(case: Case) -> Object:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(case.spot.path), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": case.spot.line},
        }
    }


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _pascal(text: str) -> str:
    """A title as one word, as SARIF wants the names of rules."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(word[:1].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", plain))[:200]
