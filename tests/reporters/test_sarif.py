"""SARIF: valid by the schema of OASIS, within GitHub's limits, with a place for every result."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import data_samples as data
import jsonschema_rs
import pipeline_samples as samples
import pytest
import sample_report as sample

from cloudaudit.reporters import sarif
from cloudaudit.reporters.sarif import SarifReporter

SCHEMA = Path(__file__).parent / "schemas" / "sarif-schema-2.1.0.json.gz"
Object = dict[str, Any]


@cache
def schema() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(
        json.loads(gzip.decompress(SCHEMA.read_bytes())), validate_formats=True
    )


def run(report: Object, inputs: sample.Inputs | None = None, **changes: Any) -> Object:
    """The run of a log that the schema, GitHub and GitLab take."""
    text = SarifReporter().render(report, samples.context(inputs, **changes))
    assert text.replace("\n", "").isprintable()
    log = json.loads(text.encode())
    schema().validate(log)
    (found,) = log["runs"]
    assert isinstance(found, dict)
    driver = found["tool"]["driver"]
    for entry in found["results"]:
        placed(entry, driver)
    for notice in found["invocations"][0]["toolExecutionNotifications"]:
        assert driver["notifications"][notice["descriptor"]["index"]]["id"] == notice["descriptor"]["id"]
        if "associatedRule" in notice:
            rule = notice["associatedRule"]
            assert driver["rules"][rule["index"]]["id"] == rule["id"]
    lines = [entry["partialFingerprints"]["primaryLocationLineHash"] for entry in found["results"]]
    assert len(set(lines)) == len(lines) <= 25_000
    assert all(len(rule["properties"]["tags"]) <= 20 for rule in driver["rules"])
    return found


def placed(entry: Object, driver: Object) -> None:
    """A place that GitLab and GitHub keep a result for, and the rule it is of."""
    assert driver["rules"][entry["ruleIndex"]]["id"] == entry["ruleId"]
    (location,) = entry["locations"]
    uri = urlsplit(location["physicalLocation"]["artifactLocation"]["uri"])
    assert (uri.scheme, uri.netloc, uri.query, uri.fragment) == ("", "", "", "")
    assert not uri.path.startswith(("/", "./", "../"))
    assert uri.path.isascii()
    assert location["physicalLocation"]["region"]["startLine"] >= 1
    # Of "[text](address)" viewers make a link.
    assert "](" not in entry["message"]["text"]


@pytest.fixture(scope="module")
def found() -> Object:
    return run(samples.report(), lang="en")


def test_the_schema_is_the_one_it_says_it_is() -> None:
    told = (SCHEMA.parent / "README.md").read_text(encoding="utf-8")
    assert f"{sha256(gzip.decompress(SCHEMA.read_bytes())).hexdigest()}  {SCHEMA.stem}" in told
    assert json.loads(gzip.decompress(SCHEMA.read_bytes()))["id"] == sarif.SCHEMA
    with pytest.raises(jsonschema_rs.ValidationError):
        schema().validate({"version": "2.1.0", "runs": [{"tool": {}}]})


def test_the_run(found: Object) -> None:
    shown = {key: value for key, value in found.items() if key not in ("tool", "results", "invocations")}
    assert shown == {
        "automationDetails": {
            "id": "cloudaudit/nen-tang-an-binh/ndc-connection/",
            "description": {
                "text": "An Bình cloud platform: Readiness to connect to the National Data Center."
            },
        },
        "language": "en",
        "columnKind": "unicodeCodePoints",
        "properties": {
            "assessedAt": "2026-11-22T01:30:00Z",
            "snapshot": sample.DIGEST,
            "profile": "ndc-connection 1.0.0",
            "violations": 5,
            "unsettled": 4,
        },
    }
    (invocation,) = found["invocations"]
    assert {key: value for key, value in invocation.items() if key != "toolExecutionNotifications"} == {
        "executionSuccessful": True,
        "startTimeUtc": "2026-11-22T01:05:00Z",
        "endTimeUtc": "2026-11-22T01:30:00Z",
    }


def test_results_are_violations_the_worst_first(found: Object) -> None:
    told = [
        (r["ruleId"], r["level"], r["baselineState"], len(r["suppressions"]), r["locations"][0]["logicalLocations"][0]["fullyQualifiedName"])
        for r in found["results"]
    ]  # fmt: skip
    assert told == [
        ("SEC-13", "error", "new", 0, "s3-hn/-/-/s3.bucket/ho-so"),
        ("BDR-24", "error", "new", 0, "registers/-/-/platform/nen-tang"),
        ("BDR-05", "warning", "new", 0, "hn-cloud/hn-1/ho-tich/openstack.volume/5a10"),
        ("BDR-05", "warning", "unchanged", 0, "hn-cloud/hn-1/ho-tich/openstack.volume/5a11"),
        ("BDR-05", "warning", "new", 1, "hn-cloud/hn-1/ho-tich/openstack.volume/5a12"),
    ]
    assert found["results"][3]["properties"]["baseline"] == (
        "Known from the baseline since 2026-10-01 07:00, because: chờ đợt mua sắm"
    )
    assert found["results"][4]["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": (
                "Waived by MT-01 until 2026-12-31 23:59; approved by Giám đốc Hạ tầng (internal); "
                "reason: Đang chuyển sang loại có mã hóa; compensating measure: Hạn chế quyền gắn"
            ),
        }
    ]


def test_a_result(found: Object) -> None:
    result = found["results"][2]
    line = result["partialFingerprints"]["primaryLocationLineHash"]
    assert result == {
        "ruleId": "BDR-05",
        "ruleIndex": 0,
        "kind": "fail",
        "level": "warning",
        "message": {
            "text": "Fail: Volume csdl-0: encrypted: no (openstack.volume csdl-0 (5a10), hn-cloud/hn-1/ho-tich)."
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "ci/targets.yaml", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 7},
                },
                "logicalLocations": [
                    {
                        "name": "csdl-0",
                        "fullyQualifiedName": "hn-cloud/hn-1/ho-tich/openstack.volume/5a10",
                        "kind": "resource",
                        "properties": {
                            "type": "openstack.volume",
                            "id": "5a10",
                            "target": "hn-cloud",
                            "region": "hn-1",
                            "project": "ho-tich",
                        },
                    }
                ],
            }
        ],
        "partialFingerprints": {
            "cloudauditFinding/v1": samples.fingerprint("BDR-05", "5a10"),
            "primaryLocationLineHash": line,
        },
        "suppressions": [],
        "properties": {
            "verdict": "fail",
            "severity": "medium",
            "message_vi": (
                "Không đáp ứng: Khối csdl-0: mã hóa: không (openstack.volume csdl-0 (5a10), hn-cloud/hn-1/ho-tich)."
            ),
            "weight": 4,
            "system": "ho-tich",
            "declaredInCode": False,
        },
        "baselineState": "new",
    }


def test_without_a_baseline_no_result_is_new_or_old() -> None:
    assert not any("baselineState" in result for result in run(samples.report(), known=False)["results"])


def test_what_is_not_known_is_a_notification(found: Object) -> None:
    notices = found["invocations"][0]["toolExecutionNotifications"]
    told = [
        (n["associatedRule"]["id"], n["level"], n["descriptor"]["id"], n["message"]["text"].partition(" (openstack")[0])
        for n in notices
    ]  # fmt: skip
    assert told == [
        ("RES-05", "error", "unsettled/no_permission", "s3.bucket at s3-hn was not seen: No permission to read (s3.bucket s3-hn)."),
        ("SEC-06", "error", "unsettled/after_deployment", "Unknown (Known only after deployment): Rule ssh: source not known, ports 22. Not known: Source"),
        ("COM-01", "error", "unsettled/manual_pending", "Manual review pending: nen-tang: data-management policy is published (platform nen-tang, registers)."),
        ("NDC-01", "note", "unsettled/manual_pending", "Awaits the competent authority: nen-tang: the competent authority has assessed (platform nen-tang, registers)."),
    ]  # fmt: skip
    assert notices[1]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "deploy/m%E1%BA%A1ng%20%231.tf", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 14},
    }
    assert unquote("deploy/m%E1%BA%A1ng%20%231.tf") == "deploy/mạng #1.tf"
    descriptor = found["tool"]["driver"]["notifications"][2]
    assert (descriptor["id"], descriptor["name"]) == ("unsettled/no_permission", "UnsettledNoPermission")
    assert descriptor["shortDescription"]["text"] == "No permission to read."
    assert descriptor["help"]["text"].startswith("Check that the credential is accepted at all")


def test_a_rule(found: Object) -> None:
    driver = found["tool"]["driver"]
    assert (driver["name"], driver["version"], driver["semanticVersion"]) == ("cloudaudit", "0.1.0", "0.1.0")
    assert [rule["id"] for rule in driver["rules"]] == [
        "BDR-05", "BDR-24", "COM-01", "NDC-01", "RES-05", "SEC-06", "SEC-13",
    ]  # fmt: skip
    rule = driver["rules"][5]
    remedy = "Correct it, then collect again."
    limits = "Judges only what the API shows; people judge the substance."
    remedy_vi = "Khắc phục theo hướng dẫn của đơn vị vận hành, rồi thu thập lại."
    limits_vi = "Chỉ xét những gì API cho thấy; nội dung thực tế do con người đánh giá."
    clause = "D1121-15d: Quyết định số 1121/QĐ-TTg ngày 11/6/2025 của Thủ tướng Chính phủ, II.4.b (quoted)"
    assert rule == {
        "id": "SEC-06",
        "name": "AdministrationPortsAreNotOpenToEveryAddress",
        "shortDescription": {"text": "Administration ports are not open to every address."},
        "fullDescription": {
            "text": "Administration ports are not open to every address. Cổng quản trị không mở ra mọi địa chỉ."
        },
        "help": {
            "text": (
                f"Administration ports are not open to every address.\nRemediation: {remedy}\nLimits: {limits}\n"
                f"Cổng quản trị không mở ra mọi địa chỉ.\nCách khắc phục: {remedy_vi}\nGiới hạn: {limits_vi}\n"
                f"Commands:\n- openstack security group rule delete <rule>\nClauses:\n- {clause}"
            ),
            "markdown": (
                f"**Administration ports are not open to every address**\n\n*Remediation*: {remedy}\n\n*Limits*: {limits}\n\n"
                f"**Cổng quản trị không mở ra mọi địa chỉ**\n\n*Cách khắc phục*: {remedy_vi}\n\n*Giới hạn*: {limits_vi}\n\n"
                "*Commands*:\n\n- openstack security group rule delete \\<rule\\>\n\n"
                f"*Clauses*:\n\n- {clause}"
            ),
        },
        "defaultConfiguration": {"level": "error"},
        "properties": {
            "tags": ["security", "dimension/SEC", "severity/critical", "obligation/D1121-15d"],
            "precision": "very-high",
            "security-severity": "9.5",
            "version": "1.0.0",
            "basis": "O",
            "gate": "G4",
        },
    }


def test_a_rule_of_a_control_that_is_not_at_hand_has_its_title() -> None:
    bare = run(samples.report(), lang="en", controls={})
    assert bare["tool"]["driver"]["rules"][0]["help"]["text"] == (
        "Backups are encrypted.\nBản sao lưu được mã hóa."
    )


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize(
    "inputs",
    [sample.small(), sample.realistic(), sample.hostile(), data.nasty(), sample.nothing(), sample.all_unknown(), sample.all_pass()],
    ids=["small", "realistic", "hostile", "nasty", "nothing", "all unknown", "all pass"],
)  # fmt: skip
def test_every_report_is_valid_and_nothing_is_lost(inputs: sample.Inputs, lang: Any) -> None:
    found = run(sample.report(inputs), inputs, known=False, lang=lang)
    verdicts = Counter(one.verdict.value for one in inputs.findings)
    assert len(found["results"]) == verdicts["fail"] + verdicts["expired"]
    notices = found["invocations"][0]["toolExecutionNotifications"]
    assert len(notices) == verdicts["unknown"] + verdicts["manual_pending"]


def test_hostile_names_are_shown_and_obeyed_nowhere() -> None:
    found = run(samples.nasty_report(), samples.nasty(), known=False)
    assert len(found["results"]) == 3 * len(samples.NASTY)
    assert len(found["invocations"][0]["toolExecutionNotifications"]) == len(samples.NASTY)
    said = " ".join(result["message"]["text"] for result in found["results"])
    assert "<script>alert(1)</script>" in said
    assert "[a] (https://a.example)" in said
    assert "😀 🇻🇳 𠀀" in said


def test_what_goes_beyond_the_limits_is_told_and_the_worst_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MAX_RESULTS", 50)
    monkeypatch.setattr(sarif, "MAX_NOTICES", 20)
    buckets = [sample.resource("s3.bucket", f"b{n:03}") for n in range(60)]
    findings = [
        *(sample.finding("BDR-05", bucket, "fail") for bucket in buckets),
        *(sample.finding("SEC-13", bucket, "fail") for bucket in buckets[:40]),
        *(sample.finding("RES-04", bucket, "unknown", reason="timeout") for bucket in buckets[:30]),
    ]
    inputs = sample.Inputs(findings=findings)
    found = run(sample.report(inputs), inputs, known=False, lang="en")
    assert Counter(result["ruleId"] for result in found["results"]) == {"SEC-13": 40, "BDR-05": 10}
    notices = found["invocations"][0]["toolExecutionNotifications"]
    assert [(n["level"], n["message"]["text"]) for n in notices[20:]] == [
        ("error", "50 more violations are left out of this file; see report.json."),
        ("error", "10 more findings that are not known are not listed here; see report.json."),
    ]
    assert found["properties"]["violations"] == 100


def test_a_file_that_packs_too_big_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MAX_BYTES", 20_000)
    inputs = sample.many(300)
    report = sample.report(inputs)
    text = SarifReporter().render(report, samples.context(inputs, known=False))
    assert len(gzip.compress(text.encode())) <= 20_000
    found = run(report, inputs, known=False, lang="en")
    shown = len(found["results"])
    assert 20 < shown < 300
    (notice,) = found["invocations"][0]["toolExecutionNotifications"]
    assert (
        notice["message"]["text"]
        == f"{300 - shown} more violations are left out of this file; see report.json."
    )


def test_the_same_report_gives_the_same_bytes_in_any_order() -> None:
    report = samples.report()
    turned = {**report, "findings": report["findings"][::-1]}
    assert SarifReporter().render(report, samples.context()) == SarifReporter().render(
        turned, samples.context()
    )
