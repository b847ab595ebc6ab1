"""OCSF: each line an event of class 2003 by the compiled schema of the version it names."""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import data_samples as data
import jsonschema_rs
import pipeline_samples as samples
import pytest
import sample_report as sample
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from cloudaudit.errors import CloudauditError
from cloudaudit.model import parse_time
from cloudaudit.reporters.ocsf import MAX_EVIDENCE, VERSION, OcsfReporter

Object = dict[str, Any]


@cache
def compiled() -> Any:
    return get_ocsf_schema(version=VERSION)


@cache
def schema() -> jsonschema_rs.Validator:
    """The class without profiles, as events name none."""
    embedded = OcsfJsonSchemaEmbedded(compiled())
    return jsonschema_rs.validator_for(
        embedded.get_class_schema(class_name="compliance_finding", profiles=[])
    )


def events(report: Object, inputs: sample.Inputs | None = None, **changes: Any) -> list[Object]:
    text = OcsfReporter().render(report, samples.context(inputs, **changes))
    assert text.replace("\n", "").isprintable()
    found = [json.loads(line) for line in text.encode().splitlines()]
    for event in found:
        schema().validate(event)
        captions(event)
    return found


def captions(event: Object) -> None:
    """The words beside numbers are the standard's captions of them."""
    class_ = compiled()["classes"]["compliance_finding"]
    assert (event["class_name"], event["category_name"]) == (class_["caption"], class_["category_name"])
    assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
    within = {"": (event, class_), "compliance": (event["compliance"], compiled()["objects"]["compliance"])}
    for of, declared in within.values():
        for key, attribute in declared["attributes"].items():
            sibling = attribute.get("sibling")
            if key in of and sibling and of[key] != 99:
                assert of[sibling] == attribute["enum"][str(of[key])]["caption"]
            assert not (attribute.get("@deprecated") and key in of)


@pytest.fixture(scope="module")
def found() -> list[Object]:
    return events(samples.report(), lang="en")


def by(found: list[Object], control: str, id_: str) -> Object:
    (event,) = [e for e in found if (e["metadata"]["event_code"], e["resources"][0]["uid"]) == (control, id_)]
    return event


def test_the_schema_refuses_what_is_wrong(found: list[Object]) -> None:
    for wrong in (
        {"class_uid": 2004},
        {"time": "2026-11-22"},
        {"cloud": {"provider": "x"}},
        {"severity_id": 9},
    ):
        assert not schema().is_valid({**found[0], **wrong})


def test_an_event(found: list[Object]) -> None:
    event = deepcopy(by(found, "SEC-13", "ho-so"))
    fingerprint = samples.fingerprint("SEC-13", "ho-so")
    metadata, finding = event.pop("metadata"), event["finding_info"]
    assert [len(metadata.pop(key)) for key in ("uid", "correlation_uid")] == [64, 64]
    assert len(finding.pop("uid_alt")) == 64
    assert metadata == {
        "version": "1.8.0",
        "product": {"name": "cloudaudit", "vendor_name": "cloudaudit", "version": "0.1.0", "lang": "en"},
        "event_code": "SEC-13",
    }
    said = "Fail: Bucket ho-so: public read: yes"
    assert event == {
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "type_uid": 200301,
        "type_name": "Compliance Finding: Create",
        "time": parse_time("2026-11-22T01:30:00Z") * 1000,
        "start_time": parse_time("2026-11-22T01:05:00Z") * 1000,
        "severity_id": 5,
        "severity": "Critical",
        "status_id": 1,
        "status": "New",
        "message": said,
        "finding_info": {
            "uid": fingerprint,
            "title": "Buckets cannot be read by the public",
            "created_time": parse_time("2026-11-22T01:30:00Z") * 1000,
            "analytic": {
                "uid": "SEC-13",
                "name": "Buckets cannot be read by the public",
                "type_id": 1,
                "type": "Rule",
                "version": "1.0.0",
                "category": "SEC",
            },
        },
        "compliance": {
            "control": "SEC-13: Buckets cannot be read by the public",
            "category": "Information and cyber security",
            "standards": ["Readiness to connect to the National Data Center (ndc-connection 1.0.0)"],
            "requirements": ["D1121-15d: Quyết định số 1121/QĐ-TTg ngày 11/6/2025 của Thủ tướng Chính phủ, II.4.b (quoted)"],
            "status_id": 3,
            "status": "Fail",
            "status_code": "fail",
            "status_details": [said],
        },
        "resources": [
            {
                "uid": "ho-so",
                "name": "ho-so",
                "type": "s3.bucket",
                "namespace": "s3-hn",
                "data": {"target": "s3-hn", "site": "hn-1"},
            }
        ],
        "evidences": [
            {
                "name": "public.read",
                "data": {
                    "resource": "s3.bucket:ho-so",
                    "source": "s3 GET /?replication -> 200",
                    "at": "2026-11-22T01:05:00Z",
                    "value": True,
                },
            }
        ],
        "remediation": {"desc": "Correct it, then collect again."},
        "unmapped": {
            "standing": "violation",
            "control_severity": "critical",
            "gate": "G4",
            "basis": "O+D",
            "weight": 4,
            "file": "ci/targets.yaml",
            "line": 15,
            "declared_in_code": False,
            "message_vi": "Không đáp ứng: Bucket ho-so: đọc công khai: có",
        },
    }  # fmt: skip


def test_how_each_standing_shows(found: list[Object]) -> None:
    told = [
        (
            e["metadata"]["event_code"], e["unmapped"]["standing"], e["compliance"]["status"], e.get("status"),
            e["severity"], e["activity_name"], "remediation" in e,
        )
        for e in found
    ]  # fmt: skip
    assert told == [
        ("SEC-13", "violation", "Fail", "New", "Critical", "Create", True),
        ("BDR-05", "violation", "Fail", "New", "Medium", "Create", True),
        ("BDR-05", "known", "Fail", "Known", "Medium", "Update", True),
        ("BDR-05", "waived", "Fail", "Suppressed", "Medium", "Create", True),
        ("BDR-05", "pass", "Pass", None, "Informational", "Create", False),
        ("SEC-06", "unknown", "Warning", "New", "Critical", "Create", True),
        ("RES-05", "unknown", "Warning", "New", "Critical", "Create", True),
        ("BDR-24", "violation", "Fail", "New", "Critical", "Create", True),
        ("COM-01", "pending", "Warning", "In Progress", "Critical", "Create", True),
        ("NDC-01", "decision", "Warning", "In Progress", "High", "Create", True),
        ("POR-06", "not_applicable", "Not applicable", None, "Informational", "Create", False),
    ]
    assert by(found, "BDR-05", "5a12")["status_detail"].startswith(
        "Waived by MT-01 until 2026-12-31 23:59; approved by"
    )
    assert by(found, "BDR-05", "5a11")["unmapped"]["known_since"] == "2026-10-01T00:00:00Z"
    rule = by(found, "SEC-06", "tf:ssh")
    assert (rule["unmapped"]["file"], rule["unmapped"]["line"], rule["unmapped"]["declared_in_code"]) == (
        "deploy/mạng #1.tf", 14, True,
    )  # fmt: skip
    assert rule["evidences"][1]["data"]["missing"] == "not_collected"
    assert rule["compliance"]["status_details"][1] == "after apply"


def test_uids_are_of_one_event_and_times_are_milliseconds(found: list[Object]) -> None:
    assert len({event["metadata"]["uid"] for event in found}) == len(found)
    assert len({event["metadata"]["correlation_uid"] for event in found}) == 1
    later = events({**samples.report(), "assessed_at": "2026-11-23T01:30:00Z"})
    assert not {event["metadata"]["uid"] for event in found} & {event["metadata"]["uid"] for event in later}
    assert {event["time"] for event in later} == {1795397400000}


@pytest.mark.parametrize(
    "inputs",
    [sample.realistic(), sample.hostile(), data.nasty(), sample.nothing(), sample.all_unknown(), sample.all_pass(), sample.agency()],
    ids=["realistic", "hostile", "nasty", "nothing", "all unknown", "all pass", "agency"],
)  # fmt: skip
def test_every_finding_is_an_event(inputs: sample.Inputs) -> None:
    found = events(sample.report(inputs), inputs, known=False)
    assert [e["finding_info"]["uid"] for e in found] == [r["fingerprint"] for r in data.records(inputs)]


def test_hostile_names_stay_in_their_values() -> None:
    inputs = samples.nasty()
    found = events(samples.nasty_report(), inputs, known=False)
    assert len(found) == len(inputs.findings)
    assert Counter(event["compliance"]["status"] for event in found) == {
        "Fail": 3 * len(samples.NASTY), "Warning": len(samples.NASTY), "Pass": len(samples.NASTY),
    }  # fmt: skip
    assert {event["resources"][0]["name"] for event in found} >= {
        "<script>alert(1)</script>",
        "😀 🇻🇳 𠀀",
        "hạ tầng",
    }


def test_a_control_that_the_catalogue_at_hand_does_not_have_is_told_with_less() -> None:
    bare = events(samples.report(), controls={}, obligations={})
    assert {event["compliance"]["requirements"][0] for event in bare} == {"D1121-15d", "LDL-01"}
    assert not any("remediation" in event for event in bare)


def test_evidence_is_cut_and_says_so() -> None:
    facts = {f"label.{n}": "x" * 5000 for n in range(MAX_EVIDENCE + 5)}
    bucket = sample.resource("s3.bucket", "b", facts)
    inputs = sample.Inputs(findings=[sample.finding("SEC-13", bucket, "fail", *facts)])
    (event,) = events(sample.report(inputs), inputs, known=False)
    assert len(event["evidences"]) == MAX_EVIDENCE
    assert event["unmapped"]["evidence_left_out"] == 5
    assert all(len(entry["data"]["value"]) < 1100 for entry in event["evidences"])


def test_findings_are_read_one_by_one() -> None:
    """What is held of a great many findings is their text."""
    inputs = sample.many(300)
    report, records = sample.report(inputs), data.records(inputs)
    report["findings_file"]["count"] = 20 * len(records)

    def stream() -> Iterator[Object]:
        for _ in range(20):
            for record in records:
                yield json.loads(json.dumps(record))

    context = replace(samples.context(inputs, known=False), findings=stream())
    tracemalloc.start()
    text = OcsfReporter().render(report, context)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert text.count("\n") == 6000
    assert peak < 2.5 * 2 * len(text)


def test_findings_that_are_missing_are_no_short_list() -> None:
    with pytest.raises(CloudauditError, match="were not given"):
        OcsfReporter().render(samples.report(), replace(samples.context(), findings=None))
