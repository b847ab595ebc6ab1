"""Which technical controls the beds show to pass and to fail: `python tests/live/verdicts.py > docs/live-controls.md`.

Looks at the beds with everything there is a collector for, judges each sight by all technical controls, and
names for each control a thing that passed and one that failed. The page has names and no counts or ids, so that
a test can hold a fresh one against the one that is kept.
"""

from __future__ import annotations

import gzip
import json
import re
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
from judged import DECLARED, IN_ORDER, PARAMETERS, declare, papers
from vantages import environment, everything

from cloudaudit import api, registers
from cloudaudit.collecting import collect_subject
from cloudaudit.model import DIMENSIONS, Control, Method
from cloudaudit.snapshot import Snapshot
from cloudaudit.targets import load

KEPT = Path(__file__).parent.parent.parent / "docs" / "live-controls.md"


@dataclass(frozen=True, slots=True, order=True)
class Witness:
    """Something a control gave a verdict on. In order of what is shown first."""

    declared: int
    """Which registers, in the order of DECLARED."""
    sight: int
    """Which sight, in the order they were taken."""
    nameless: bool
    name: str
    type: str
    bed: str

    def __str__(self) -> str:
        what = f"{self.bed}: {self.type.removeprefix('openstack.').removeprefix('s3.')}"
        named = what if self.nameless else f"{what} `{self.name}`"
        return f"{named} ({DECLARED[self.declared]})" if self.declared else named


Witnesses = Mapping[str, Mapping[str, Witness]]
"""By control and verdict, the first thing that got it."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One way of looking at a bed."""

    bed: str
    target: Mapping[str, Any]
    variables: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, Any]]
    """Choices of its organisation, beside those for all beds."""


STORIES = {"doi-chung": "pairs", "hn": "Hanoi"}
"""Stories of the OpenStack bed, in the order in which witnesses are looked for, as the page calls them."""


def sights_of_cloud(name: str, bed: OpenStackBed) -> Iterator[Sight]:
    """As the administrator; as the owner of the things, to whom the key manager and Swift show more."""
    here = {
        "name": "dm", "kind": "openstack", "regions": [bed.env["region"]], "allow_private": ["127.0.0.0/8"],
    }  # fmt: skip
    variables = {"OS_CLIENT_CONFIG_FILE": bed.env["clouds_yaml"]}
    chosen = {"BDR-13": {"backup_admins": [bed.truth["base"]["users"]["ops-backup"]["id"]]}}
    operator = {"cloud": "admin", "vantage": "operator"}
    yield Sight(name, {**here, **operator}, variables, chosen)
    yield Sight(f"{name} as owner", {**here, "cloud": "deploy"}, variables, chosen)


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
    return Sight(NAMES[name], kho, bed.variables, {})


NAMES = {
    "ceph": "Ceph RGW",
    "swift": "Swift s3api",
    "swift-acl": "Swift s3api with access lists",
    "seaweedfs": "SeaweedFS",
    "juicefs": "JuiceFS",
    "rclone": "rclone",
}
"""The stores, in the order in which witnesses are looked for."""


def all_controls(folder: Path, parameters: Mapping[str, Mapping[str, Any]]) -> api.Knowledge:
    """A profile of every control there is."""
    content = {
        "id": "tat-ca", "version": "1.0.0", "title": {"vi": "Tất cả", "en": "All"}, "extends": "ndc-connection",
        "controls": [f"{dimension}-*" for dimension in DIMENSIONS], "agency_duties": [], "gates": [], "parameters": {**PARAMETERS, **parameters},
    }  # fmt: skip
    return api.know(str(write(folder / "profile.yaml", content)))


def collected(folder: Path, sight: Sight, declared: registers.Registers) -> Path:
    """A snapshot of all that one sight shows, and of the papers."""
    file = targets(folder, subject("bed", sight.target))
    plan = everything("")
    with environment(sight.variables):
        (one,) = load(file, {}).subjects
        collect_subject(one, plan, TYPES, declared, folder / "snapshot", now=lambda: int(time.time()))
    return folder / "snapshot"


def names_in(snapshot: Snapshot) -> dict[tuple[str, str], str]:
    """Names of what has none of its own, after what it belongs to: by type and id."""
    named = {(r.type, r.id): r.name for type_ in _NAMED for r in snapshot.each(type_) if r.name}
    found = {}
    for type_, (fact, owner) in _OWNERS.items():
        for resource in snapshot.each(type_):
            if name := named.get((owner, str(resource.facts.get(fact)))):
                found[type_, resource.id] = f"of {name}"
    return found


_OWNERS = {
    "openstack.security_group_rule": ("security_group", "openstack.security_group"),
    "openstack.port": ("device_id", "openstack.server"),
    "openstack.share_replica": ("share", "openstack.share"),
    "openstack.share_access_rule": ("share", "openstack.share"),
    "openstack.image_member": ("image", "openstack.image"),
}
"""Types without names of their own: the fact that names their owner, and its type."""
_NAMED = frozenset(owner for _, owner in _OWNERS.values())
_BY_ID = frozenset({"attestation", "platform", "site", "system", "s3.bucket", "s3.endpoint"})
"""Types whose ids are given by people, and the same in every run."""


_MADE_UP = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""An id, as services put it into names that they make up."""


def _name(resource: Mapping[str, Any], borrowed: Mapping[tuple[str, str], str]) -> str:
    if resource["type"] in ("platform", "s3.endpoint"):
        return ""
    own = resource["name"] or (resource["id"] if resource["type"] in _BY_ID else "")
    name: str = own or borrowed.get((resource["type"], resource["id"]), "")
    if resource["type"] == "openstack.endpoint":
        return f"{name}, {resource['region']}"
    return "" if _MADE_UP.search(name) else name


def judged(folder: Path, snapshot: Path, known: api.Knowledge, declared: Path) -> Iterator[Mapping[str, Any]]:
    """Passes and fails of one snapshot under one set of registers."""
    now = int(time.time())
    api.assess(snapshot, folder, known, registers.load(declared), at=now, generated_at=now)
    with gzip.open(folder / api.FINDINGS, "rt", encoding="utf-8") as lines:
        for finding in map(json.loads, lines):
            if finding["verdict"] in ("pass", "fail"):
                yield finding


class Looked:
    """Sights taken one after the other, and the witnesses in them."""

    def __init__(self, folder: Path, base: str) -> None:
        self.folder = folder
        self.secrets: dict[str, str] = {}
        """What was planted in the beds that were looked at."""
        self._declared = declare(folder / "registers", base)
        self._first: dict[str, dict[str, Witness]] = {}
        self._taken = 0

    @property
    def technical(self) -> list[Control]:
        """All technical controls, by id; those of the catalogue's own numbers before those from 101."""
        known = all_controls(self.folder, {})
        controls = [c for c in known.profile.controls if c.method is Method.TECHNICAL]
        return sorted(controls, key=lambda control: (len(control.id), control.id))

    @property
    def witnesses(self) -> Witnesses:
        return self._first

    def take(self, sight: Sight) -> None:
        """Collect one sight, and judge it by each set of registers."""
        place = self.folder / f"{self._taken}"
        given = self._declared.cloud if sight.target["kind"] == "openstack" else self._declared.stores
        snapshot = collected(place, sight, registers.load(given[IN_ORDER]))
        known = all_controls(place, sight.parameters)
        borrowed = names_in(Snapshot(snapshot, TYPES))
        for n, how in enumerate(DECLARED):
            for finding in judged(place / str(n), snapshot, known, given[how]):
                what = finding["resource"]
                name = _name(what, borrowed)
                witness = Witness(n, self._taken, not name, name, what["type"], sight.bed)
                of = self._first.setdefault(finding["control"], {})
                verdict = finding["verdict"]
                of[verdict] = min(of.get(verdict, witness), witness)
        self._taken += 1


# --- the page ---------------------------------------------------------------------------------------------

HEAD = """\
# Technical controls seen to pass and to fail

Made by `make live-controls` from the test beds: every technical control, held against a real OpenStack and six
object stores with everything there is a collector for. With CLOUDAUDIT_LIVE_CONTROLS set, `make test-live` makes
sure that all are seen both ways but those for which it is said what they would need.

*pairs* is the story of the OpenStack bed in which of most things one is as it should be and another is not;
*Hanoi* is the plain one. Both are looked at as the administrator, for all projects at once, and *as owner* as a
member of the projects, to whom the key manager and the orchestration show their things. The stores are looked at with
the keys of the owner of the buckets.

Registers are in order where nothing else is said. `with versions`: the landing profile asks for versions of
interfaces. `wanting`: the sites are abroad, papers are missing or wrong, not every system is declared. The
platform, sites and regions are one of a kind on a bed, so that only what is declared can show them both ways.

| control | passes | fails |
| --- | --- | --- |
"""
REST = """
## Not seen both ways

| control | seen to pass | seen to fail | what it would need |
| --- | --- | --- | --- |
"""
NEEDS: Mapping[str, str] = {
    "BDR-11": "a store that replicates to a bucket of another place which the same endpoint shows; of Ceph's second "
    "zonegroup the first endpoint tells only where it is, and RGW 16 dies of a rule that names such a bucket",
    "BDR-16": "amphorae that report how members are: Octavia's no-op driver leaves every member OFFLINE",
    "BDR-18": "a second region with services of its own: both regions of the bed have the same addresses",
    "BDR-19": "a second region with services of its own: both regions of the bed have the same addresses",
    "RES-10": "a Glance that shows locations and keeps images at web addresses: the bed's keeps files",
    **dict.fromkeys(
        ("SEC-20", "SEC-126"), "a store that takes a target for access logs: all of the bed refuse it"
    ),
}
"""What the beds lack for each control that they do not show both ways, by its id."""
NOT_KNOWN = "not looked into"


def rendered(controls: Iterable[Control], witnesses: Witnesses) -> str:
    """The whole page."""
    both, rest = [], []
    for control in controls:
        found = witnesses.get(control.id, {})
        passed, failed = (str(found[v]) if v in found else "no" for v in ("pass", "fail"))
        if "no" in (passed, failed):
            rest.append(f"| {control.id} | {passed} | {failed} | {NEEDS.get(control.id, NOT_KNOWN)} |")
        else:
            both.append(f"| {control.id} | {passed} | {failed} |")
    return HEAD + "\n".join(both) + "\n" + (REST + "\n".join(rest) + "\n" if rest else "")


def seen_both_ways(controls: Iterable[Control], witnesses: Witnesses) -> list[str]:
    """Ids of the controls that showed a pass and a fail."""
    return [control.id for control in controls if len(witnesses.get(control.id, {})) == len(("pass", "fail"))]


def look(folder: Path, stores: Mapping[str, StoreBed]) -> Looked:
    """Look at both stories of the OpenStack bed, one after the other, and at the stores, which run."""
    with papers() as base:
        looked = Looked(folder, base)
        for story, name in STORIES.items():
            with beds.openstack(story) as bed:
                looked.secrets |= bed.secrets
                for sight in sights_of_cloud(name, bed):
                    looked.take(sight)
        for name, store in stores.items():
            looked.secrets |= {f"{name}: {what}": secret for what, secret in store.secrets.items()}
            looked.take(sight_of_store(name, store))
    return looked


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        running = {store: stack.enter_context(beds.store(store)) for store in NAMES}
        looked = look(Path(name), running)
        sys.stdout.write(rendered(looked.technical, looked.witnesses))


if __name__ == "__main__":
    main()
