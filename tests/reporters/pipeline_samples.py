"""A report before a gate: every standing once, a plan beside a cloud, a baseline, a waiver with its approver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import data_samples as data
import sample_report as sample

from cloudaudit.model import Resource, Written
from cloudaudit.reporters import Context, Known

COMMANDS = (
    "::error::x",
    "a\n::error file=x::y",
    "a\r::add-mask::b",
    "##[error]x",
    "100 %, 50%0A::error::x",
    "a,line=9:b",
    "]]></failure><!-- ",
    "\ufffe\uffff\x0b\x1f\x7f",
    "😀 \U0001f1fb\U0001f1f3 \U00020000",
    "[[ATTACHMENT|/etc/passwd]]",
    "../../etc/passwd",
)
"""What a runner, XML, JSON or a reader of test results could take for its own."""
NASTY = (*data.NASTY, *COMMANDS)
TARGETS: Sequence[Mapping[str, Any]] = (
    {"name": "hn-cloud", "kind": "openstack", "source": {"path": "ci/targets.yaml", "line": 7}},
    {"name": "s3-hn", "kind": "s3", "source": {"path": "ci/targets.yaml", "line": 15}},
)
WAIVER: Mapping[str, Any] = {
    "id": "MT-01",
    "control": "BDR-05",
    "resource": None,
    "system": "ho-tich",
    "reason": "Đang chuyển sang loại có mã hóa.",
    "compensating": "Hạn chế quyền gắn.",
    "approver": "Giám đốc Hạ tầng",
    "authority": "internal",
    "starts": "2026-09-01T00:00:00Z",
    "until": "2026-12-31T16:59:59Z",
}


def planned(resource: Resource, path: str, line: int | None, **lines: int) -> Resource:
    return replace(resource, written=Written(path, line, lines))


def inputs() -> sample.Inputs:
    """Of each standing one; the rule is not deployed yet, and stands in code."""
    bucket = sample.resource("s3.bucket", "ho-so", {"public.read": True, "site.id": "hn-1"}, target="s3-hn", region=None,
                             project=None, call_number=4)  # fmt: skip
    volumes = [
        sample.resource("openstack.volume", f"5a1{n}", {"encrypted": False, "system.id": "ho-tich"}, name=f"csdl-{n}")
        for n in range(4)
    ]  # fmt: skip
    rule = sample.resource("openstack.security_group_rule", "tf:ssh", {"ports": (22, 22)}, name="ssh")
    rule = planned(rule, "deploy/mạng #1.tf", 12, ports=14)
    paper = sample.declared("platform", "nen-tang", kind="provider")
    return sample.Inputs(
        findings=(
            sample.finding("SEC-13", bucket, "fail", "public.read", weight=4),
            sample.finding("BDR-05", volumes[0], "fail", "encrypted", weight=4),
            sample.finding("BDR-05", volumes[1], "fail", "encrypted", weight=4),
            sample.finding("BDR-05", volumes[2], "fail", "encrypted", weight=4, waiver="MT-01"),
            sample.finding("BDR-05", replace(volumes[3], facts={**volumes[3].facts, "encrypted": True}), "pass", "encrypted", weight=4),
            sample.finding("SEC-06", rule, "unknown", "ports", "remote_prefix", reason="after_deployment", detail="after apply"),
            sample.unseen_scope("RES-05", "s3.bucket", "no_permission", "s3-hn"),
            sample.finding("BDR-24", paper, "expired"),
            sample.finding("COM-01", paper, "manual_pending"),
            sample.finding("NDC-01", paper, "manual_pending"),
            sample.finding("POR-06", paper, "not_applicable"),
        ),
        targets=TARGETS,
    )  # fmt: skip


def fingerprint(control: str, id_: str) -> str:
    (found,) = [f for f in report()["findings"] if (f["control"], f["resource"]["id"]) == (control, id_)]
    return str(found["fingerprint"])


def report(of: sample.Inputs | None = None) -> dict[str, Any]:
    return {**sample.report(of or inputs()), "waivers": [dict(WAIVER)]}


def context(
    of: sample.Inputs | None = None, lang: Literal["vi", "en"] = "vi", *, known: bool = True, **changes: Any
) -> Context:
    """The context of a report; with a baseline that names the second volume."""
    baseline = {fingerprint("BDR-05", "5a11"): Known("2026-10-01T00:00:00Z", "chờ đợt mua sắm")}
    return data.context(of or inputs(), lang, baseline=baseline if known else None, **changes)


def nasty() -> sample.Inputs:
    """Findings on things with every name that could do harm somewhere, in a cloud and in code."""
    findings = []
    for n, name in enumerate(NASTY):
        facts = {"location": name, "site.id": name, "public.read": True}
        bucket = sample.resource("s3.bucket", name, facts, name=name, target=name, region=name, project=name, call_number=3)  # fmt: skip
        coded = planned(replace(bucket, id=f"{n} {name}"), name, n)
        findings += [
            sample.finding("RES-04", bucket, "fail", "location", weight=4),
            sample.finding("BDR-05", coded, "fail", "location", weight=2),
            sample.finding("SEC-13", coded, "unknown", "public.read", reason="ambiguous", detail=name),
            sample.finding("COM-12", bucket, "fail", "location", waiver=name),
            sample.finding("RES-05", bucket, "pass", "location"),
        ]
    subject = {
        "id": COMMANDS[1],
        "kind": "provider",
        "title": {"vi": COMMANDS[1], "en": sample.HALF_SURROGATE},
    }
    return sample.Inputs(
        findings=findings,
        subject=subject,
        targets=[{"name": name, "kind": "s3", "source": {"path": name, "line": 0}} for name in NASTY],
    )


def nasty_report() -> dict[str, Any]:
    waivers = [{**WAIVER, "id": name, "reason": name, "approver": sample.HALF_SURROGATE} for name in NASTY]
    return {**sample.report(nasty()), "waivers": waivers}
