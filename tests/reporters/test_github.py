"""What a step says, read back as the runner reads it; and its summary, read by a parser of Markdown."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pipeline_samples as samples
import pytest
import sample_report as sample
from markdown_it import MarkdownIt

from cloudaudit.reporters.cases import Bench
from cloudaudit.reporters.github import (
    MAX_BYTES,
    AnnotationsReporter,
    SummaryReporter,
    command,
    summary,
)
from cloudaudit.reporters.words import labels

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
Command = tuple[str, dict[str, str], str]


def parsed(line: str) -> Command:
    """A command as the runner takes it apart: src/Runner.Common/ActionCommand.cs of actions/runner."""
    assert line.startswith("::")
    end = line.index("::", 2)
    name, _, given = line[2:end].partition(" ")
    properties = {}
    for pair in filter(None, given.strip().split(",")):
        key, _, value = pair.partition("=")
        for token, escape in (("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C"), ("%", "%25")):
            value = value.replace(escape, token)
        properties[key] = value
    text = line[end + 2 :]
    for token, escape in (("\r", "%0D"), ("\n", "%0A"), ("%", "%25")):
        text = text.replace(escape, token)
    return name, properties, text


def commands(text: str) -> list[Command]:
    assert text.endswith("\n")
    return [parsed(line) for line in text.removesuffix("\n").split("\n")]


def annotations(inputs: sample.Inputs | None = None, **changes: Any) -> list[Command]:
    report = samples.report(inputs)
    return commands(AnnotationsReporter().render(report, samples.context(inputs, "en", **changes)))


# --- annotations --------------------------------------------------------------------------------------------


def test_what_a_step_says() -> None:
    in_targets = "Not declared in code; see ci/targets.yaml"
    assert annotations() == [
        (
            "error",
            {"file": "ci/targets.yaml", "line": "15", "title": "SEC-13: Buckets cannot be read by the public"},
            f"Fail: Bucket ho-so: public read: yes\ns3.bucket ho-so, s3-hn\n{in_targets}:15",
        ),
        (
            "error",
            {"file": "ci/targets.yaml", "line": "1", "title": "BDR-24: A disaster recovery plan is in force"},
            f"Expired: nen-tang: a disaster recovery plan is in force\nplatform nen-tang, registers\n{in_targets}:1",
        ),
        (
            "warning",
            {"file": "ci/targets.yaml", "line": "7", "title": "BDR-05: Backups are encrypted"},
            f"Fail: Volume csdl-0: encrypted: no\nopenstack.volume csdl-0 (5a10), hn-cloud/hn-1/ho-tich\n{in_targets}:7",
        ),
        (
            "warning",
            {"file": "ci/targets.yaml", "line": "15", "title": "RES-05: S3 replication targets stay in declared domestic sites"},
            f"s3.bucket at s3-hn was not seen: No permission to read\ns3.bucket s3-hn\n{in_targets}:15",
        ),
        (
            "warning",
            {"file": "deploy/mạng #1.tf", "line": "14", "title": "SEC-06: Administration ports are not open to every address"},
            "Unknown (Known only after deployment): Rule ssh: source not known, ports 22. Not known: Source\n"
            "openstack.security_group_rule ssh (tf:ssh), hn-cloud/hn-1/ho-tich\nDeclared at deploy/mạng #1.tf:14",
        ),
        (
            "warning",
            {"file": "ci/targets.yaml", "line": "1", "title": "COM-01: Data-management policy is published"},
            f"Manual review pending: nen-tang: data-management policy is published\nplatform nen-tang, registers\n{in_targets}:1",
        ),
        (
            "notice",
            {"title": "cloudaudit: An Bình cloud platform"},
            "3 violations, 2 unknown, 1 pending, 1 known from the baseline, 1 waived, 1 for the competent authority\n"
            "Held against a baseline; new violations stand apart from known ones.",
        ),
    ]  # fmt: skip


def test_ten_errors_ten_warnings_and_the_rest_in_one_notice() -> None:
    """GitHub drops the eleventh without a word. What is not known keeps half of the warnings."""
    buckets = [sample.resource("s3.bucket", f"b{n:03}") for n in range(40)]
    findings = [
        *(sample.finding("SEC-13", bucket, "fail") for bucket in buckets),
        *(sample.finding("BDR-05", bucket, "fail") for bucket in buckets),
        *(sample.finding("RES-04", bucket, "unknown", reason="timeout") for bucket in buckets),
    ]
    found = annotations(sample.Inputs(findings=findings))
    assert Counter(name for name, _, _ in found) == {"error": 10, "warning": 10, "notice": 1}
    titles = Counter(properties["title"].split(":")[0] for _, properties, _ in found)
    assert titles == {"SEC-13": 10, "BDR-05": 5, "RES-04": 5, "cloudaudit": 1}
    assert found[-1][2].splitlines()[-1] == (
        "Not shown above: 65 violations, 35 not concluded; see report.json or the summary of the step."
    )


def test_unknowns_alone_take_all_ten_warnings() -> None:
    findings = [sample.finding("RES-04", sample.resource("s3.bucket", f"b{n}"), "unknown", reason="timeout") for n in range(12)]  # fmt: skip
    assert Counter(name for name, _, _ in annotations(sample.Inputs(findings=findings))) == {"warning": 10, "notice": 1}  # fmt: skip


def test_nothing_found_is_said() -> None:
    assert annotations(sample.all_pass(), known=False) == [
        ("notice", {"title": "cloudaudit: An Bình cloud platform"},
         "0 violations, 0 unknown, 0 pending, 0 known from the baseline, 0 waived, 0 for the competent authority"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", samples.COMMANDS)
def test_every_text_comes_back_as_it_was(text: str) -> None:
    properties = {"file": " ".join(text.split()), "title": text.strip()}
    line = command("error", properties, text)
    assert "\n" not in line
    assert "\r" not in line
    assert parsed(line) == ("error", properties, text)


def test_no_name_begins_a_command() -> None:
    inputs = samples.nasty()
    text = AnnotationsReporter().render(samples.nasty_report(), samples.context(inputs, known=False))
    lines = text.removesuffix("\n").split("\n")
    assert all(re.match(r"::(error|warning|notice) \w+=", line) and line.isprintable() for line in lines)
    assert Counter(parsed(line)[0] for line in lines) == {"error": 10, "warning": 10, "notice": 1}
    assert {key for line in lines for key in parsed(line)[1]} == {"file", "line", "title"}
    text.encode()


# --- the summary --------------------------------------------------------------------------------------------


def shown(text: str) -> list[str]:
    """Headings, and the cells of tables row by row, as a reader sees them."""
    found, row = [], None
    for token in PARSER.parse(text):
        if token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            found.append(" | ".join(row))
            row = None
        elif token.type == "inline":
            said = "".join(c.content for c in token.children or () if c.type in ("text", "text_special"))
            (found if row is None else row).append(said)
    return found


def test_the_summary() -> None:
    text = SummaryReporter().render(samples.report(), samples.context(lang="en"))
    columns = "Severity | Control | Verdict | Resource | File, line | Finding"
    remedies = {key: labels()(f"remedy.{key}").en for key in ("after_deployment", "no_permission")}
    assert shown(text) == [
        "Readiness report",
        "An Bình cloud platform · ndc-connection 1.0.0",
        "3 violations, 2 unknown, 1 pending, 1 known from the baseline, 1 waived, 1 for the competent authority",
        "Held against a baseline; new violations stand apart from known ones.",
        "Violation",
        columns,
        "Critical | SEC-13 Buckets cannot be read by the public | × Fail | s3.bucket ho-so, s3-hn | ci/targets.yaml:15 | Bucket ho-so: public read: yes",
        "Critical | BDR-24 A disaster recovery plan is in force | ! Expired | platform nen-tang, registers | ci/targets.yaml:1 | nen-tang: a disaster recovery plan is in force",
        "Medium | BDR-05 Backups are encrypted | × Fail | openstack.volume csdl-0 (5a10), hn-cloud/hn-1/ho-tich | ci/targets.yaml:7 | Volume csdl-0: encrypted: no",
        "Could not be concluded",
        "Reason | Count | Control | Remediation",
        f"Manual review pending | 2 | COM-01, NDC-01 | {labels()('report.remedy_pending').en}",
        f"Known only after deployment | 1 | SEC-06 | {remedies['after_deployment']}",
        f"No permission to read | 1 | RES-05 | {remedies['no_permission']}",
        columns,
        "Critical | RES-05 S3 replication targets stay in declared domestic sites | ? Unknown | s3.bucket s3-hn | ci/targets.yaml:15 | s3.bucket at s3-hn was not seen: No permission to read",
        "Critical | SEC-06 Administration ports are not open to every address | ? Unknown | openstack.security_group_rule ssh (tf:ssh), hn-cloud/hn-1/ho-tich | deploy/mạng #1.tf:14 | Rule ssh: source not known, ports 22",
        "Critical | COM-01 Data-management policy is published | … Manual review pending | platform nen-tang, registers | ci/targets.yaml:1 | nen-tang: data-management policy is published",
        "High | NDC-01 The competent authority has assessed | … Awaits the competent authority | platform nen-tang, registers | ci/targets.yaml:1 | nen-tang: the competent authority has assessed",
        "Known violation, Waived",
        columns,
        "Medium | BDR-05 Backups are encrypted | × Known violation | openstack.volume csdl-1 (5a11), hn-cloud/hn-1/ho-tich | ci/targets.yaml:7 | Known from the baseline since 2026-10-01 07:00, because: chờ đợt mua sắm; Volume csdl-1: encrypted: no",
        "Medium | BDR-05 Backups are encrypted | ≈ Waived | openstack.volume csdl-2 (5a12), hn-cloud/hn-1/ho-tich | ci/targets.yaml:7 | Waived by MT-01 until 2026-12-31 23:59; approved by Giám đốc Hạ tầng (internal); reason: Đang chuyển sang loại có mã hóa; compensating measure: Hạn chế quyền gắn; Volume csdl-2: encrypted: no",
        "The full report (report.html, report.json) is among the artifacts of this run.",
        *(getattr(labels()("sentence.self_assessment"), lang) for lang in ("vi", "en")),
        samples.report()["profile"]["notice"]["vi"],
        samples.report()["profile"]["notice"]["en"],
    ]  # fmt: skip


def test_no_violation_is_said() -> None:
    inputs = sample.all_pass()
    text = SummaryReporter().render(sample.report(inputs), samples.context(inputs, "en", known=False))
    assert shown(text)[2:5] == [
        "0 violations, 0 unknown, 0 pending, 0 known from the baseline, 0 waived, 0 for the competent authority",
        "Violation",
        "No violation that is neither waived nor known.",
    ]


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_hostile_names_mark_nothing_up(lang: Any) -> None:
    inputs = samples.nasty()
    text = SummaryReporter().render(samples.nasty_report(), samples.context(inputs, lang, known=False))
    kinds = {child.type for token in PARSER.parse(text) for child in (token, *(token.children or ()))}
    assert kinds & {"html_inline", "html_block", "image", "link_open", "fence", "code_block"} == set()
    assert all(line.isprintable() or "\N{WORD JOINER}" in line for line in text.splitlines())
    cells = Counter(len(row.split(" | ")) for row in shown(text) if " | " in row)
    assert cells.total() > 3 * len(samples.NASTY)
    text.encode()


def test_a_flood_of_one_kind_hides_no_other_and_is_counted() -> None:
    findings = [
        sample.finding(control, sample.resource("s3.bucket", f"{n} " + "ệ" * 200), verdict, reason=reason)
        for control, verdict, reason in (("SEC-13", "fail", None), ("RES-04", "unknown", "timeout"))
        for n in range(400)
    ]
    inputs = sample.Inputs(findings=findings)
    bench = Bench.of(sample.report(inputs), samples.context(inputs, known=False))
    for most in (60_000, MAX_BYTES):
        text = summary(bench, "en", most)
        assert len(text.encode()) <= most
        rows = Counter(row.split(" | ")[2] for row in shown(text) if row.startswith("Critical"))
        left = [int(count) for count in re.findall(r"… and (\d+) more in report", text)]
        assert left == [400 - rows["× Fail"], 400 - rows["? Unknown"]]
        assert min(rows.values()) > 5
        assert labels()("sentence.self_assessment").en in text


def test_the_same_report_gives_the_same_text_in_any_order() -> None:
    report = samples.report()
    turned = {**report, "findings": report["findings"][::-1]}
    for reporter in (AnnotationsReporter(), SummaryReporter()):
        assert reporter.render(report, samples.context()) == reporter.render(turned, samples.context())
