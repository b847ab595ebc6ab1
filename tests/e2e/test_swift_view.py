"""A Swift whose S3 API shows a world-readable container as private: collected, judged, judged again offline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import playback
import pytest
import s3_play
from fake_openstack import AT, SHOP
from openstack_answers import small_cloud
from wire import Bed

from cloudaudit import api, registers
from cloudaudit.collecting import collect_subject
from cloudaudit.plan import plan
from cloudaudit.snapshot import Snapshot

OPEN, CLOSED = "tep-mo", "tep-kin"
PROFILE = """\
id: cong-khai
version: 1.0.0
title: {vi: Công khai, en: Public access}
extends: ndc-connection
controls: [SEC-13]
agency_duties: []
weights: {SEC: 100}
gates: []
"""
SYSTEMS = """\
version: 1
systems:
  - id: tep
    title: Tệp
    owner_agency: Cơ quan mẫu
    operator: Đám mây mẫu
    owner: Chánh Văn phòng
    security_level: 3
    data_classes: [internal]
    criticality: high
    rpo: PT24H
    rto: PT4H
    migration_class: rehost
    national_database: false
    cross_border: false
    bia_date: 2026-01-20
    selectors:
      - {bucket: "tep-*"}
"""
COUNTED = {"X-Container-Object-Count": "1"}
OF_CLOUD, OF_STORE = "2026-11-22T03:46:40Z", "2026-11-22T09:08:14Z"
"""The clocks of the two fake services."""


@contextmanager
def swift(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bed]:
    """One account through both of its APIs. S3 answers as a Swift with `s3_acl` off was recorded to."""
    records = s3_play.STORES["swift"]["operations"]
    answers = {q: s3_play.recorded(name, records[name]["unset"]) for name, (q, _) in s3_play.WIRE.items()}
    buckets = {name: {"HEAD": playback.Reply(200), **answers} for name in (OPEN, CLOSED)}
    store = s3_play.store(buckets, headers=s3_play.STORES["swift"]["headers"])
    cloud = small_cloud()
    cloud.regions = ["vn-hn-1"]
    cloud.answer(
        "/identity/v3/projects", {"projects": [{"id": i, "name": n} for i, n in cloud.projects.items()]}
    )
    account = f"/object/v1/AUTH_{SHOP}"
    cloud.answer(f"{account}?format=json", [{"name": CLOSED}, {"name": OPEN}])
    cloud.answer(f"{account}?format=json&marker={OPEN}", [])
    cloud.answer(f"{account}/{OPEN}", status=204, headers={**COUNTED, "X-Container-Read": ".r:*,.rlistings"})
    cloud.answer(f"{account}/{CLOSED}", status=204, headers={**COUNTED, "X-Container-Read": "du-an:*"})
    (folder / "cong-khai.yaml").write_text(PROFILE, encoding="utf-8")
    (folder / "registers").mkdir()
    (folder / "registers" / "systems.yaml").write_text(SYSTEMS, encoding="utf-8")
    with cloud.running(), playback.playing(store) as playing:
        cloud.configure(folder, monkeypatch)
        yield Bed(cloud, playing, folder)


def collected(bed: Bed, known: api.Knowledge, declared: str) -> Path:
    out = bed.folder / f"snapshot{len(declared)}"
    wanted = plan(known.profile, known.catalogue.types)
    subject = bed.subject(buckets=declared)
    collect_subject(subject, wanted, known.catalogue.types, registers.load(None), out, now=lambda: AT)
    return out


def judged(bed: Bed, known: api.Knowledge, snapshot: Path, name: str) -> Path:
    out = bed.folder / name
    api.assess(snapshot, out, known, registers.load(bed.folder / "registers"), at=AT, generated_at=AT)
    return out


def of_buckets(folder: Path) -> dict[str, dict[str, Any]]:
    """The findings on buckets that are no pass, by name."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    found = [f for f in report["findings"] if f["resource"]["type"] == "s3.bucket"]
    return {f["resource"]["name"]: f for f in found}


def test_a_declared_account_tells_what_s3_hides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with swift(tmp_path, monkeypatch) as bed:
        known = api.know(str(bed.folder / "cong-khai.yaml"))
        without = collected(bed, known, "")
        project = next(name for id_, name in bed.cloud.projects.items() if id_ == SHOP)
        snapshot = collected(bed, known, f", swift: {{target: hn, project: {project}}}")
    assert {
        (f["verdict"], f["reason_code"]) for f in of_buckets(judged(bed, known, without, "a")).values()
    } == {("unknown", "not_implemented")}
    # The cloud is gone: all that is judged by is in the snapshot.
    first, again = (judged(bed, known, snapshot, name) for name in ("b", "c"))
    assert (first / "report.json").read_bytes() == (again / "report.json").read_bytes()
    (endpoint,) = Snapshot(snapshot, known.catalogue.types).each("s3.endpoint")
    declared = [endpoint.facts[f"swift.{name}"] for name in ("target", "project", "region")]
    assert declared == ["hn", project, None]
    findings = of_buckets(first)
    assert set(findings) == {OPEN}  # what is closed by both passes
    source = "derived:public; s3 GET / -> 200; s3.endpoint; register:system"
    head = f"object-store HEAD /object/v1/AUTH_{SHOP}/{OPEN} -> 204"
    one, other = f"s3.bucket:{OPEN}", f"openstack.container:{SHOP}/{OPEN}"
    assert (findings[OPEN]["verdict"], findings[OPEN]["evidence"]) == (
        "fail",
        [
            {"fact": "public.read", "resource": one, "value": True, "source": source, "at": OF_STORE},
            {
                "fact": "read_acl",
                "resource": other,
                "value": ".r:*,.rlistings",
                "source": head,
                "at": OF_CLOUD,
            },
            {
                "fact": "public.declared_open",
                "resource": one,
                "value": False,
                "source": source,
                "at": OF_STORE,
            },
        ],
    )
    manifest = json.loads((snapshot / "manifest.json").read_text(encoding="utf-8"))
    told = [target.get("swift") for target in manifest["run"]["targets"]]
    assert told == [None, f"hn/*/{project}"]
