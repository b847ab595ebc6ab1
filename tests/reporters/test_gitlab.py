"""GitLab code quality: held against what GitLab's documentation and its own reader ask of each entry."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import jsonschema_rs
import pipeline_samples as samples
import pytest
import sample_report as sample

from cloudaudit.reporters.gitlab import CodeQualityReporter

RULES = jsonschema_rs.validator_for(
    {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "additionalProperties": False,
            "properties": {
                "description": {"type": "string", "minLength": 1},
                "check_name": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]+$"},
                "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
                "location": {
                    "type": "object",
                    "required": ["path", "lines"],
                    "properties": {
                        # Relative, and without "./" in front.
                        "path": {"type": "string", "pattern": r"^(?!\.{1,2}/|/)[^\x00-\x1f]+$"},
                        "lines": {
                            "type": "object",
                            "required": ["begin"],
                            "properties": {"begin": {"type": "integer", "minimum": 1}},
                        },
                    },
                },
            },
        },
    }
)


def entries(
    report: dict[str, Any], inputs: sample.Inputs | None = None, **changes: Any
) -> list[dict[str, Any]]:
    text = CodeQualityReporter().render(report, samples.context(inputs, **changes))
    # NOTE: GitLab's reader knows no byte order mark.
    assert text.startswith("[")
    assert text.replace("\n", "").isprintable()
    found = json.loads(text.encode())
    RULES.validate(found)
    assert max(Counter(entry["fingerprint"] for entry in found).values(), default=1) == 1
    assert isinstance(found, list)
    return found


def test_what_is_wrong_and_what_is_not_known() -> None:
    found = entries(samples.report(), lang="en")
    for entry in found:
        del entry["fingerprint"]
    targets = {
        7: ("ci/targets.yaml", 7),
        15: ("ci/targets.yaml", 15),
        1: ("ci/targets.yaml", 1),
        14: ("deploy/mạng #1.tf", 14),
    }
    expected = [
        ("blocker", "SEC-13", 15, "Fail: Bucket ho-so: public read: yes [s3.bucket ho-so, s3-hn]"),
        ("blocker", "BDR-24", 1, "Expired: nen-tang: a disaster recovery plan is in force [platform nen-tang, registers]"),
        ("major", "BDR-05", 7, "Fail: Volume csdl-0: encrypted: no [openstack.volume csdl-0 (5a10), hn-cloud/hn-1/ho-tich]"),
        ("major", "RES-05", 15, "s3.bucket at s3-hn was not seen: No permission to read [s3.bucket s3-hn]"),
        ("major", "SEC-06", 14, "Unknown (Known only after deployment): Rule ssh: source not known, ports 22. Not known: Source [openstack.security_group_rule ssh (tf:ssh), hn-cloud/hn-1/ho-tich]"),
        ("major", "COM-01", 1, "Manual review pending: nen-tang: data-management policy is published [platform nen-tang, registers]"),
        ("info", "BDR-05", 7, "Known from the baseline since 2026-10-01 07:00, because: chờ đợt mua sắm; Fail: Volume csdl-1: encrypted: no [openstack.volume csdl-1 (5a11), hn-cloud/hn-1/ho-tich]"),
        ("info", "BDR-05", 7, "Waived by MT-01 until 2026-12-31 23:59; approved by Giám đốc Hạ tầng (internal); reason: Đang chuyển sang loại có mã hóa; compensating measure: Hạn chế quyền gắn; Fail: Volume csdl-2: encrypted: no [openstack.volume csdl-2 (5a12), hn-cloud/hn-1/ho-tich]"),
        ("info", "NDC-01", 1, "Awaits the competent authority: nen-tang: the competent authority has assessed [platform nen-tang, registers]"),
    ]  # fmt: skip
    assert found == [
        {
            "description": f"{control}: {said}",
            "check_name": control,
            "severity": severity,
            "location": {"path": targets[line][0], "lines": {"begin": targets[line][1]}},
        }
        for severity, control, line, said in expected
    ]


def test_severities_of_violations_and_of_what_is_not_known() -> None:
    controls = [sample.control(f"SEC-{n}", "x", "x", severity) for n, severity in enumerate(("critical", "high", "medium", "low"))]  # fmt: skip
    platform = sample.declared("platform", "p")
    findings = [
        sample.finding(control.id, platform, verdict, reason=reason, controls=controls)
        for verdict, reason in (("fail", None), ("unknown", "timeout"))
        for control in controls
    ]
    inputs = sample.Inputs(findings=findings, controls=controls, gates=())
    found = CodeQualityReporter().render(sample.report(inputs), samples.context(inputs, known=False))
    assert [entry["severity"] for entry in json.loads(found)] == [
        "blocker", "critical", "major", "minor", "major", "major", "minor", "minor",
    ]  # fmt: skip


@pytest.mark.parametrize("inputs", [sample.all_pass(), sample.nothing()], ids=["all pass", "nothing"])
def test_nothing_wrong_is_an_empty_list(inputs: sample.Inputs) -> None:
    assert CodeQualityReporter().render(sample.report(inputs), samples.context(inputs, known=False)) == "[]\n"


def test_hostile_names_stay_in_their_texts() -> None:
    found = entries(samples.nasty_report(), samples.nasty(), known=False)
    assert len(found) == 4 * len(samples.NASTY)
    assert all(entry["description"].isprintable() and len(entry["description"]) < 2500 for entry in found)
    assert any("😀 🇻🇳 𠀀" in entry["description"] for entry in found)
    assert any(" hạ tầng" in entry["description"] for entry in found)


def test_one_fingerprint_in_two_regions_is_two_entries() -> None:
    buckets = [sample.resource("s3.bucket", "image", region=region) for region in ("hn-1", "hcm-1")]
    inputs = sample.Inputs(findings=[sample.finding("SEC-13", bucket, "fail") for bucket in buckets])
    assert len(entries(sample.report(inputs), inputs, known=False)) == 2
