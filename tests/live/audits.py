"""Running cloudaudit as an operator does, and reading what it wrote."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from recorder import Exchange

from cloudaudit import registers as registers_file
from cloudaudit import targets as targets_file
from cloudaudit.catalog import load_types
from cloudaudit.collecting import PROBE, collect_subject
from cloudaudit.model import Gap, Listing, Resource
from cloudaudit.plan import Plan
from cloudaudit.snapshot import Snapshot

ROOT = Path(__file__).parent.parent.parent
WATCHED = Path(__file__).parent / "watched.py"
TYPES = load_types()
LONGEST = 300
"""Seconds that one command may take."""
TOKEN = re.compile(r"gAAAA[A-Za-z0-9_-]{40,}")
"""How Keystone's tokens look."""


@dataclass(frozen=True)
class Ran:
    """One command that has ended."""

    code: int
    out: str
    err: str
    connections: frozenset[tuple[str, int]]
    """Every address it connected to."""


@dataclass(frozen=True)
class Audit:
    """An assessment on disk, with the command that wrote it."""

    folder: Path
    ran: Ran
    collected: Path | None = None
    """Where the snapshot is, when it is no part of the folder."""

    @property
    def code(self) -> int:
        return self.ran.code

    @cached_property
    def report(self) -> Mapping[str, Any]:
        report: Mapping[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return report

    @cached_property
    def findings(self) -> tuple[Mapping[str, Any], ...]:
        """All of them, passes included."""
        with gzip.open(self.folder / self.report["findings_file"]["path"], "rt", encoding="utf-8") as lines:
            return tuple(json.loads(line) for line in lines)

    def of(self, control: str, type_: str | None = None) -> list[Mapping[str, Any]]:
        """Findings of a control."""
        return [
            f for f in self.findings if f["control"] == control and type_ in (None, f["resource"]["type"])
        ]

    def verdicts(self, control: str, type_: str | None = None) -> dict[str, str]:
        """Verdicts of a control by the name of what was judged, or its id. Gaps have their scope for a name."""
        return {named(f): f["verdict"] for f in self.of(control, type_)}

    def having(self, control: str, verdict: str, type_: str | None = None) -> set[str]:
        """Names of what a control gave a verdict."""
        return {name for name, given in self.verdicts(control, type_).items() if given == verdict}

    def finding(self, control: str, name: str) -> Mapping[str, Any]:
        (found,) = [f for f in self.of(control) if named(f) == name]
        return found

    def evidence(self, control: str, name: str) -> dict[str, Any]:
        """What a finding stood on, by fact."""
        return {e["fact"]: e.get("value") for e in self.finding(control, name)["evidence"]}

    def control(self, id_: str) -> Mapping[str, Any]:
        """What the report says of a control as a whole."""
        found: Mapping[str, Any]
        (found,) = [c for c in self.report["controls"] if c["id"] == id_]
        return found

    @cached_property
    def snapshot(self) -> Snapshot:
        return Snapshot(self.collected or self.folder / "snapshot", TYPES)

    def resources(self, type_: str) -> list[Resource]:
        return list(self.snapshot.each(type_))

    def named(self, type_: str, name: str) -> Resource:
        (found,) = [resource for resource in self.resources(type_) if resource.name == name]
        return found

    def gaps(self, type_: str) -> list[Gap]:
        return [gap for gap in self.snapshot.gaps() if gap.type == type_]

    def listings(self, type_: str) -> list[Listing]:
        return [listing for listing in self.snapshot.listings() if listing.type == type_]

    def requests(self) -> list[str]:
        """The log of calls: method and path of each."""
        with gzip.open(self.snapshot.folder / self.snapshot.manifest["calls"]["path"], "rt") as lines:
            return [json.loads(line)["request"] for line in lines]

    def written(self) -> Iterator[tuple[str, str]]:
        """Everything the command gave out: its screen, and each file, unpacked."""
        yield "stdout", self.ran.out
        yield "stderr", self.ran.err
        yield from written_in(self.folder)
        if self.collected:
            yield from written_in(self.collected)


@dataclass(frozen=True)
class Recorded:
    """Two subjects audited in one run, and all that went over the wire."""

    ran: Ran
    together: Audit
    """OpenStack as `audit`, and Ceph."""
    operator: Audit
    """OpenStack as its administrator."""
    exchanges: tuple[Exchange, ...]
    stand_ins: frozenset[int]
    """The recorder's ports."""


def named(finding: Mapping[str, Any]) -> str:
    """What a finding is about."""
    name: str = finding["resource"]["name"] or finding["resource"]["id"]
    return name


def written_in(folder: Path) -> Iterator[tuple[str, str]]:
    """Each file below a folder with its text, unpacked."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
        yield str(path), data.decode("utf-8", "surrogateescape")


def leaks(texts: Iterator[tuple[str, str]], secrets: Mapping[str, str]) -> list[str]:
    """Which secrets stand where. A screen may break one over lines and put a table's bars between."""
    found = []
    for place, text in texts:
        joined = re.sub(r"[\s│┃|]+", "", text)
        found += [
            f"{name} in {place}" for name, secret in secrets.items() if secret in text or secret in joined
        ]
        found += [f"a token in {place}" for _ in TOKEN.findall(joined)]
    return found


def cloudaudit(folder: Path, *arguments: str | Path, variables: Mapping[str, str] | None = None) -> Ran:
    """Run the command line in an environment of its own, watched."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"connections-{len(list(folder.glob('connections-*')))}"
    done = subprocess.run(
        [sys.executable, str(WATCHED), str(log), *map(str, arguments)],
        cwd=folder,
        env={
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            **(variables or {}),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LONGEST,
        check=False,
    )
    lines = [line.rsplit(" ", 1) for line in log.read_text(encoding="utf-8").splitlines()]
    return Ran(
        done.returncode,
        done.stdout.decode("utf-8", "replace"),
        done.stderr.decode("utf-8", "replace"),
        frozenset((host, int(port)) for host, port in lines),
    )


# --- what an operator writes ------------------------------------------------------------------------


def write(path: Path, content: Any) -> Path:
    """A file of YAML, without anchors: cloudaudit takes none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    apart = json.loads(json.dumps(content))
    path.write_text(yaml.safe_dump(apart, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def registers(folder: Path, **lists: Sequence[Mapping[str, Any]]) -> Path:
    """A folder of registers. Of papers there are none; other registers are given only if they are named here."""
    for kind, entries in {"attestations": [], **lists}.items():
        write(folder / f"{kind}.yaml", {"version": 1, kind: list(entries)})
    return folder


def system(id_: str, criticality: str, classes: Sequence[str], **more: Any) -> dict[str, Any]:
    """An information system with a recovery point of a day."""
    return {
        "id": id_,
        "title": id_,
        "owner": "Trưởng phòng Hạ tầng",
        "data_classes": list(classes),
        "criticality": criticality,
        "rpo": "PT24H",
        "rto": "PT8H",
        "national_database": False,
        "cross_border": False,
        **more,
    }


def subject(id_: str, *targets: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A subject that has no other kinds of target than these."""
    absent = sorted({"openstack", "s3"} - {target["kind"] for target in targets})
    return {
        "id": id_,
        "kind": "provider",
        "title": {"vi": id_},
        "absent": absent,
        "targets": list(targets),
        **more,
    }


def targets(folder: Path, *subjects: Mapping[str, Any]) -> Path:
    return write(folder / "targets.yaml", {"version": 1, "subjects": list(subjects)})


def profile(folder: Path, *controls: str) -> Path:
    """A profile of some technical controls and no gates: what an exit code says then is theirs."""
    dimensions = sorted({control.partition("-")[0] for control in controls})
    share, rest = divmod(100, len(dimensions))
    weights = dict.fromkeys(dimensions, share)
    weights[dimensions[0]] += rest
    content = {
        "id": "rieng",
        "version": "1.0.0",
        "title": {"vi": "Riêng", "en": "Own"},
        "extends": "ndc-connection",
        "controls": list(controls),
        "agency_duties": [],
        "weights": weights,
        "gates": [],
    }
    return write(folder / "profile.yaml", content)


def audited(
    folder: Path, subjects: Sequence[Mapping[str, Any]], *arguments: str | Path, variables: Mapping[str, str]
) -> Ran:
    """`cloudaudit run` on subjects, into `folder`/out."""
    file = targets(folder, *subjects)
    ran = cloudaudit(
        folder, "run", "-t", file, "-o", folder / "out", "--lang", "en", *arguments, variables=variables
    )
    assert ran.code in (0, 1, 3), ran.err
    return ran


def reassessed(
    folder: Path, collected: Path, *arguments: str | Path, variables: Mapping[str, str] | None = None
) -> Audit:
    """`cloudaudit assess` of a snapshot that is there, offline, into `folder`/out."""
    ran = cloudaudit(
        folder, "assess", collected, "-o", folder / "out", "--lang", "en", *arguments, variables=variables
    )
    assert ran.code in (0, 1, 3), ran.err
    assert ran.connections == frozenset(), "judging is offline"
    return Audit(folder / "out", ran, collected)


def _of_every_type(kind: str) -> Plan:
    """A plan that no profile makes: every fact of every type of a kind of cloud, by every call there is."""
    types = {name: type_ for name, type_ in TYPES.items() if name.startswith(f"{kind}.")}
    calls = {call.name: call for type_ in types.values() for call in type_.calls.values()}
    return Plan(
        {name: frozenset(type_.facts) for name, type_ in types.items()},
        {name: call for name, call in sorted(calls.items()) if name != PROBE},
    )


def collected_whole(folder: Path, target: Mapping[str, Any]) -> Audit:
    """A snapshot of everything that can be collected of a target. Nothing of it is judged."""
    file = targets_file.load(targets(folder, subject("toan-bo", target)), {})
    (whole,) = file.subjects
    snapshot = folder / "snapshot"
    plan = _of_every_type(target["kind"])
    collect_subject(whole, plan, TYPES, registers_file.load(None), snapshot, now=lambda: int(time.time()))
    return Audit(folder, Ran(0, "", "", frozenset()), snapshot)
