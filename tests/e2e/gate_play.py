"""A cloud of a few buckets and two controls of an organisation's own, to play a gate with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cloudaudit.catalog import load_types
from cloudaudit.model import Listing, Reason, Resource, Scope, Unseen, parse_time
from cloudaudit.snapshot import Contents, write

COLLECTED = parse_time("2026-11-22T08:00:00Z")
STORE = Scope("kho")
CONTROL = """\
id: {id}
version: 1.0.0
title: {{vi: Bucket giữ phiên bản, en: {title}}}
severity: {severity}
method: T
basis: O
applies_to: s3.bucket
check: {{fact: versioning.state, equals: enabled}}
message: {{vi: "Bucket {{name}}: {{versioning.state}}", en: "Bucket {{name}}: {{versioning.state}}"}}
obligations: [{obligation}]
frameworks: {{}}
remediation: {{vi: Bật quản lý phiên bản., en: Turn versioning on.}}
limits: {{vi: Chỉ trạng thái hiện tại., en: Only the present state.}}
examples:
  pass: [{{resource: {{versioning.state: enabled}}}}]
  fail: [{{resource: {{versioning.state: "off"}}}}]
  unknown: [{{resource: {{}}}}]
"""
PROFILE = """\
id: {id}
version: {version}
title: {{vi: Riêng, en: Own}}
extends: ci-quick
controls: [{controls}]
"""
TARGETS = """\
version: 1
subjects:
  - id: so
    kind: provider
    title: {vi: Sở}
    registers: so-dang-ky
    targets:
      - {name: kho, kind: s3, endpoint: "https://127.0.0.1:1", profile: mau, region: vn-hn}
"""
WAIVER = """\
version: 1
waivers:
  - id: mt-1
    control: {control}
    resource: {resource}
    reason: Đang chuyển đổi.
    compensating: Sao lưu hằng đêm.
    approver: Giám đốc
    authority: {authority}
    starts: {starts}
    until: {until}
"""


def collected(folder: Path, states: Mapping[str, str | None], subject: str = "so") -> Path:
    """A snapshot of buckets by the state of their versioning; None: it could not be read."""
    buckets = [
        Resource(
            "s3.bucket",
            name,
            STORE,
            COLLECTED,
            {} if state is None else {"versioning.state": state},
            name,
            unseen={"versioning.state": Unseen(Reason.TIMEOUT, "")} if state is None else {},
        )
        for name, state in sorted(states.items())
    ]
    run = {
        "subject": {"id": subject, "kind": "provider", "title": {"vi": "Sở", "en": "Department"}},
        "targets": [{"name": "kho", "kind": "s3"}],
        "figures": {"buckets_listed": len(states), "buckets_readable": len(states)},
    }
    write(
        folder,
        Contents(
            COLLECTED, COLLECTED, frozenset({"s3.bucket"}), buckets,
            [Listing(STORE, "s3.bucket", len(buckets), "whole list")], (), (), run,
        ),
        load_types(),
    )  # fmt: skip
    return folder


def own_controls(folder: Path, title: str = "Buckets keep versions", **changes: str) -> Path:
    """SEC-901 of high, and SEC-902 of low severity."""
    folder.mkdir(parents=True, exist_ok=True)
    for id_, severity in (("SEC-901", "high"), ("SEC-902", "low")):
        given = {"severity": severity, "obligation": "CT30-01"} | changes
        (folder / f"{id_}.yaml").write_text(CONTROL.format(id=id_, title=title, **given), encoding="utf-8")
    return folder


def own_profile(
    path: Path, id_: str = "rieng", version: str = "1.0.0", controls: str = "SEC-901, SEC-902"
) -> Path:
    path.write_text(PROFILE.format(id=id_, version=version, controls=controls), encoding="utf-8")
    return path
