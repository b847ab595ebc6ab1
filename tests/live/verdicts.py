"""Which technical controls the beds show to pass and to fail: `python tests/live/verdicts.py > docs/live-controls.md`.

Looks at the beds with everything there is a collector for, judges each sight by all technical controls, and
names for each control a thing that passed and one that failed. The page has names and no counts or ids, so that
a test can hold a fresh one against the one that is kept.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # Only the tests' runner puts the root of the repository on the path.
    sys.path.append(str(Path(__file__).parent.parent.parent))

import beds
from audits import TYPES, subject, targets, write
from beds import OpenStackBed, StoreBed
from judged import IN_ORDER, PARAMETERS, declare, papers
from vantages import environment, everything

from cloudaudit import api, registers
from cloudaudit.collecting import collect_subject
from cloudaudit.model import Control, Method, Resource
from cloudaudit.plan import Plan
from cloudaudit.snapshot import Snapshot
from cloudaudit.targets import load

KEPT = Path(__file__).parent.parent.parent / "docs" / "live-controls.md"
BOTH = 45
"""Controls that have to show a pass and a fail, at the least."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Something a control gave a verdict on."""

    bed: str
    type: str
    name: str

    def __str__(self) -> str:
        return f"{self.bed}: {self.type}" + (f" `{self.name}`" if self.name else "")


@dataclass(frozen=True, slots=True)
class Shown:
    """The first pass and the first fail of a control, in the order of the beds and then of names."""

    control: Control
    passed: Witness | None = None
    failed: Witness | None = None

    @property
    def both(self) -> bool:
        return self.passed is not None and self.failed is not None


@dataclass(frozen=True, slots=True)
class Sight:
    """One way of looking at a bed."""

    bed: str
    prefix: str
    """How the names of the types begin that are collected."""
    target: Mapping[str, Any]
    variables: Mapping[str, str]


def sights_of_cloud(bed: OpenStackBed) -> Iterator[Sight]:
    """As the administrator; as the owner of the things, to whom the key manager and Swift show more."""
    common = {"name": "dm", "kind": "openstack", "regions": [bed.env["region"]], "allow_private": ["127.0.0.0/8"]}
    variables = {"OS_CLIENT_CONFIG_FILE": bed.env["clouds_yaml"]}
    yield Sight("OpenStack", "openstack.", {**common, "cloud": "admin", "vantage": "operator"}, variables)
    yield Sight("OpenStack as owner", "openstack.", {**common, "cloud": "deploy"}, variables)


def sight_of_store(name: str, bed: StoreBed) -> Sight:
    """With the owner's keys; over TLS by a private authority where the store has it."""
    tls = name != "swift"
    kho = {
        "name": "kho", "kind": "s3", "profile": "owner", "region": bed.env["region"],
        "endpoint": bed.env["endpoints"]["https" if tls else "http"],
        "expected_owner": bed.truth["list_buckets"]["first"]["owner"]["owner_id"],
        "allow_private": ["127.0.0.0/8"],
        **({"ca_file": bed.env["ca"]} if tls else {}),
        **({"admin_profile": "caps"} if name == "ceph" else {}),
    }  # fmt: skip
    return Sight(NAMES[name], "s3.", kho, bed.variables)


NAMES = {
    "ceph": "Ceph RGW",
    "swift": "Swift s3api",
    "swift-acl": "Swift s3api with access lists",
    "seaweedfs": "SeaweedFS",
    "juicefs": "JuiceFS",
    "rclone": "rclone",
}
"""The stores, in the order in which witnesses are looked for."""


def all_controls(folder: Path) -> api.Knowledge:
    """A profile of every control there is."""
    content = {
        "id": "tat-ca", "version": "1.0.0", "title": {"vi": "Tất cả", "en": "All"}, "extends": "ndc-connection",
        "controls": "all", "agency_duties": [], "gates": [], "parameters": PARAMETERS,
    }  # fmt: skip
    return api.know(str(write(folder / "profile.yaml", content)))


def collected(folder: Path, sight: Sight, declared: registers.Registers) -> Path:
    """A snapshot of all that one sight shows, and of the papers."""
    file = targets(folder, subject("bed", sight.target))
    both = [everything(sight.prefix), everything("published_document")]
    plan = Plan({**both[0].facts, **both[1].facts}, {**both[0].calls, **both[1].calls})
    with environment(sight.variables):
        (one,) = load(file, {}).subjects
        collect_subject(one, plan, TYPES, declared, folder / "snapshot", now=lambda: int(time.time()))
    return folder / "snapshot"


def findings(folder: Path, snapshot: Path, known: api.Knowledge, declared: Path) -> list[Mapping[str, Any]]:
    """Passes and fails of one snapshot under one set of registers."""
    now = int(time.time())
    api.assess(snapshot, folder, known, registers.load(declared), at=now, generated_at=now)
    with gzip.open(folder / api.FINDINGS, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    return [finding for finding in found if finding["verdict"] in ("pass", "fail")]
