"""JUnit XML: valid by the schema of Jenkins, with the rules of GitLab, and nothing that did not run as a pass."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import data_samples as data
import pipeline_samples as samples
import pytest
import sample_report as sample
import xmlschema

from cloudaudit.errors import CloudauditError
from cloudaudit.model import Severity
from cloudaudit.reporters.junit import END, MAX_BYTES, JunitReporter, junit

SCHEMA = Path(__file__).parent / "schemas" / "jenkins-junit.xsd"


@cache
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(SCHEMA)


def read(text: str) -> Xml.Element:
    """A file that Jenkins and GitLab take whole, its counts held against what is in it."""
    schema().validate(text)
    assert text.replace("\n", "").isprintable()
    assert len(text.encode()) < 30_000_000
    root = Xml.fromstring(text)
    cases = list(root.iter("testcase"))
    names = Counter((case.get("classname"), case.get("name")) for case in cases)
    assert [name for name, count in names.items() if count > 1] == []
    for suite in root:
        kinds = Counter(child.tag for case in suite.iter("testcase") for child in case)
        assert (
            suite.attrib.items()
            >= {
                "tests": str(len(suite.findall("testcase"))),
                "failures": str(kinds["failure"]),
                "errors": str(kinds["error"]),
                "skipped": str(kinds["skipped"]),
                "time": "0",
            }.items()
        )
    for key in ("tests", "failures", "errors"):
        assert int(root.attrib[key]) == sum(int(suite.attrib[key]) for suite in root)
    # GitLab shows the text of an outcome, not its message; and takes this for a file to show.
    assert all(child.text for case in cases for child in case)
    assert root.findall(".//system-out") == []
    return root


def made(inputs: sample.Inputs | None = None, **changes: Any) -> Xml.Element:
    return read(JunitReporter().render(samples.report(inputs), samples.context(inputs, "en", **changes)))


def outcomes(root: Xml.Element) -> list[tuple[str | None, str | None, str | None, str | None]]:
    return [
        (case.get("classname"), case.get("name"), *((case[0].tag, case[0].get("type")) if len(case) else (None, None)))
        for case in root.iter("testcase")
    ]  # fmt: skip


def test_the_schema_is_the_one_it_says_it_is() -> None:
    told = (SCHEMA.parent / "README.md").read_text(encoding="utf-8")
    assert f"{sha256(SCHEMA.read_bytes()).hexdigest()}  {SCHEMA.name}" in told
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema().validate(
            '<testsuites><testsuite name="x"><testcase name="y" file="z"/></testsuite></testsuites>'
        )


def test_each_finding_is_a_case() -> None:
    assert outcomes(made()) == [
        ("RES.RES-05", "s3.bucket s3-hn", "error", "no_permission"),
        ("BDR.BDR-24", "platform nen-tang, registers", "failure", "expired"),
        ("BDR.BDR-05", "openstack.volume csdl-0 (5a10), hn-cloud/hn-1/ho-tich", "failure", "fail"),
        ("BDR.BDR-05", "openstack.volume csdl-1 (5a11), hn-cloud/hn-1/ho-tich", "skipped", "known"),
        ("BDR.BDR-05", "openstack.volume csdl-2 (5a12), hn-cloud/hn-1/ho-tich", "skipped", "waived"),
        ("BDR.BDR-05", "openstack.volume csdl-3 (5a13), hn-cloud/hn-1/ho-tich", None, None),
        ("POR.POR-06", "platform nen-tang, registers", "skipped", "not_applicable"),
        ("SEC.SEC-13", "s3.bucket ho-so, s3-hn", "failure", "fail"),
        ("SEC.SEC-06", "openstack.security_group_rule ssh (tf:ssh), hn-cloud/hn-1/ho-tich", "error", "after_deployment"),
        ("COM.COM-01", "platform nen-tang, registers", "error", "manual_pending"),
        ("NDC.NDC-01", "platform nen-tang, registers", "skipped", "decision"),
    ]  # fmt: skip


def test_what_a_case_says() -> None:
    root = made()
    texts = {(case.get("classname"), child.get("type")): (child.get("message"), child.text) for case in root.iter("testcase") for child in case}  # fmt: skip
    rule = samples.fingerprint("SEC-06", "tf:ssh")
    assert texts["SEC.SEC-06", "after_deployment"] == (
        "Unknown (Known only after deployment): Rule ssh: source not known, ports 22. Not known: Source",
        "Unknown (Known only after deployment): Rule ssh: source not known, ports 22. Not known: Source\n"
        "Chưa xác định (Chỉ biết được sau khi triển khai): Quy tắc ssh: nguồn chưa xác định, cổng 22. Chưa biết: Địa chỉ nguồn\n"
        "Detail: after apply\n"
        "SEC-06: Administration ports are not open to every address\n"
        "Severity: Critical, Gate G4\n"
        "Declared at deploy/mạng #1.tf:14\n"
        "Resource: openstack.security_group_rule ssh (tf:ssh), hn-cloud/hn-1/ho-tich\n"
        f"fingerprint: {rule}",
    )
    waived = "Waived by MT-01 until 2026-12-31 23:59; approved by Giám đốc Hạ tầng (internal); reason: Đang chuyển sang loại có mã hóa; compensating measure: Hạn chế quyền gắn"
    assert texts["BDR.BDR-05", "waived"] == (
        waived,
        "Fail: Volume csdl-2: encrypted: no\nKhông đáp ứng: Khối csdl-2: mã hóa: không\n"
        f"{waived}\nBDR-05: Backups are encrypted\nSeverity: Medium\n"
        "Not declared in code; see ci/targets.yaml:7\n"
        "Resource: openstack.volume csdl-2 (5a12), hn-cloud/hn-1/ho-tich\n"
        f"fingerprint: {samples.fingerprint('BDR-05', '5a12')}",
    )
    assert texts["BDR.BDR-05", "known"][0] == (
        "Known from the baseline since 2026-10-01 07:00, because: chờ đợt mua sắm"
    )


@pytest.mark.parametrize(
    ("floor", "stops"),
    [
        (None, {"BDR-24", "BDR-05", "SEC-13"}),
        ("low", {"BDR-24", "BDR-05", "SEC-13"}),
        ("medium", {"BDR-24", "BDR-05", "SEC-13"}),
        ("high", {"BDR-24", "SEC-13"}),
        ("critical", {"BDR-24", "SEC-13"}),
    ],
)
def test_a_violation_that_the_gate_lets_through_fails_no_build(floor: str | None, stops: set[str]) -> None:
    """What is known, waived or not known stays what it is without a threshold."""
    told, plain = outcomes(made(floor=Severity(floor) if floor else None)), outcomes(made())
    assert {str(name).partition(".")[2] for name, _, kind, _ in told if kind == "failure"} == stops
    below = [(name, *rest) for name, *rest in told if rest[-1] == "below_threshold"]
    assert all(kind == "skipped" for _, _, kind, _ in below)
    assert [one for one in plain if one not in told] == [(a, b, "failure", "fail") for a, b, _, _ in below]
    assert len(told) == len(plain)


def test_a_violation_below_the_threshold_says_what_it_is() -> None:
    root = made(floor=Severity.HIGH)
    (said,) = root.findall(".//skipped[@type='below_threshold']")
    message = "Severity 'Medium', below 'High', at which the gate stops. Fail: Volume csdl-0: encrypted: no"
    assert said.get("message") == message
    assert str(said.text).splitlines()[:3] == [
        "Fail: Volume csdl-0: encrypted: no",
        "Không đáp ứng: Khối csdl-0: mã hóa: không",
        message,
    ]


def test_suites_say_what_was_judged() -> None:
    root = made()
    assert root.attrib == {
        "name": "cloudaudit: nen-tang-an-binh/ndc-connection", "tests": "11", "failures": "3", "errors": "3", "time": "0",
    }  # fmt: skip
    assert root[0].attrib == {
        "name": "RES: Data residency", "tests": "1", "failures": "0", "errors": "1", "skipped": "0", "time": "0",
        "timestamp": "2026-11-22T01:30:00",
    }  # fmt: skip
    assert {p.get("name"): p.get("value") for p in root[0].iter("property")} == {
        "cloudaudit": "0.1.0",
        "subject": "nen-tang-an-binh",
        "profile": "ndc-connection 1.0.0",
        "assessed_at": "2026-11-22T01:30:00Z",
    }


@pytest.mark.parametrize(
    "inputs",
    [sample.realistic(), sample.hostile(), data.nasty(), sample.nothing(), sample.all_unknown(), sample.all_pass()],
    ids=["realistic", "hostile", "nasty", "nothing", "all unknown", "all pass"],
)  # fmt: skip
def test_every_report_is_valid_and_whole(inputs: sample.Inputs) -> None:
    assert len(outcomes(made(inputs, known=False))) == len(inputs.findings)


def test_hostile_names_stay_legal_and_apart() -> None:
    """Control characters, U+FFFE and half surrogates are no XML, and two names that look alike stay two."""
    inputs = samples.nasty()
    text = JunitReporter().render(samples.nasty_report(), samples.context(inputs, known=False))
    root = read(text)
    assert len(outcomes(root)) == len(inputs.findings)
    assert Counter(kind for _, _, kind, _ in outcomes(root)) == {
        "failure": 2 * len(samples.NASTY), "error": len(samples.NASTY), "skipped": len(samples.NASTY), None: len(samples.NASTY),
    }  # fmt: skip
    alike = [sample.resource("s3.bucket", f"x\u0000{c}") for c in "\x01\x02\x03"]
    inputs = sample.Inputs(findings=[sample.finding("SEC-13", bucket, "fail") for bucket in alike])
    names = [name for _, name, _, _ in outcomes(made(inputs, known=False))]
    assert len(set(names)) == 3
    assert all(name and name.startswith("s3.bucket x\ufffd\ufffd, hn-cloud/hn-1/ho-tich #") for name in names)


def test_passes_make_room_and_are_counted() -> None:
    """What is wrong or not known comes first; what has no room is told by a case that nobody can miss."""
    volumes = [sample.resource("openstack.volume", f"{n:05}") for n in range(900)]
    verdicts = ("pass", "pass", "fail", "unknown")
    findings = [
        sample.finding("BDR-05", one, verdicts[n % 4], reason="timeout" if n % 4 == 3 else None)
        for n, one in enumerate(volumes)
    ]
    inputs = sample.Inputs(findings=findings)

    def written(most: int) -> tuple[int, Counter[str | None], list[tuple[str | None, str, str]]]:
        text = junit(sample.report(inputs), samples.context(inputs, "en", known=False), most)
        size = len(text.encode())
        assert size <= most
        cases = list(read(text).iter("testcase"))
        told = [case for case in cases if case.get("classname") == "cloudaudit.left-out"]
        kinds = Counter(case[0].tag if len(case) else None for case in cases if case not in told)
        return size, kinds, [(case.get("name"), case[0].tag, case[0].text or "") for case in told]

    size, whole, none = written(MAX_BYTES)
    assert (whole, none) == ({"failure": 225, "error": 225, None: 450}, [])
    _, kinds, told = written(size + END - 20_000)
    assert (kinds["failure"], kinds["error"]) == (225, 225)
    dropped = f"{450 - kinds[None]} more findings that pass or do not apply are left out of this file; see findings.jsonl.gz."
    assert 0 < kinds[None] < 450
    assert told == [("passes_left_out", "skipped", dropped)]
    _, kinds, told = written(size // 2 + END)
    left = 450 - kinds["failure"] - kinds["error"]
    assert 0 < left < 225
    assert [(name, tag, text.split(" ")[0]) for name, tag, text in told] == [
        ("unmet_left_out", "error", str(left)), ("passes_left_out", "skipped", str(450 - kinds[None])),
    ]  # fmt: skip


def test_passes_that_were_not_given_are_no_short_list() -> None:
    with pytest.raises(CloudauditError, match="were not given"):
        JunitReporter().render(samples.report(), replace(samples.context(), findings=None))


def test_the_same_report_gives_the_same_text() -> None:
    first, again = (JunitReporter().render(samples.report(), samples.context()) for _ in range(2))
    assert first == again
