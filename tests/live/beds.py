"""Starting the beds, and reading what they say was put into them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent / "beds"
ENVIRONMENT = dict(os.environ)
"""As it was at the start: tests take variables away that say where the beds are."""
FIRST_TIME = 1500
"""Seconds: a bed on a new machine fetches packages and fills databases."""


class BedFailed(RuntimeError):
    """A bed did not come up; the message has the end of its own output."""


def call(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """One command of a bed. Its progress, on stderr, is shown as it comes."""
    script, *rest = command
    done = subprocess.run(
        [str(HERE / script / "bed.sh"), *rest],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        timeout=FIRST_TIME,
        check=False,
    )
    if check and done.returncode:
        raise BedFailed(f"bed.sh {' '.join(rest)} of {script} ended with {done.returncode}: see above")
    return done


def _described(*command: str) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(call(*command).stdout)
    return described


@dataclass(frozen=True)
class OpenStackBed:
    """The running control plane and its truth."""

    env: Mapping[str, Any]

    @cached_property
    def truth(self) -> Mapping[str, Any]:
        truth: Mapping[str, Any] = json.loads(Path(self.env["truth"]).read_text(encoding="utf-8"))
        return truth

    def things(self, kind: str) -> list[Mapping[str, Any]]:
        """Everything of a kind that the seed made."""
        return [thing for thing in self.truth["things"] if thing["type"] == kind]

    def thing(self, kind: str, name: str) -> Mapping[str, Any]:
        (found,) = [thing for thing in self.things(kind) if thing["name"] == name]
        return found

    @property
    def projects(self) -> Mapping[str, str]:
        """Ids of the projects by name."""
        projects: Mapping[str, str] = self.truth["base"]["projects"]
        return projects

    @property
    def secrets(self) -> dict[str, str]:
        """What no report may hold."""
        return dict(self.truth["planted"])


@contextmanager
def openstack(story: str = "hn") -> Iterator[OpenStackBed]:
    """The OpenStack bed with one of its stories. What ran before runs again afterwards."""
    status = call("openstack", "status", check=False)
    word = status.stdout.split()[1].rstrip(",") if status.returncode == 0 else ""
    # A story left half-made has no name to go back to.
    before = word if word in ("hn", "hcm", "doi-chung") else None
    try:
        call("openstack", "up", story)
        yield OpenStackBed(_described("openstack", "env"))
    finally:
        if before is None:
            call("openstack", "down")
        elif before != story:
            call("openstack", "up", before)


@dataclass(frozen=True)
class StoreBed:
    """A running S3 store and its truth."""

    env: Mapping[str, Any]

    @cached_property
    def truth(self) -> Mapping[str, Any]:
        truth: Mapping[str, Any] = json.loads(Path(self.env["truth"]).read_text(encoding="utf-8"))
        return truth

    @property
    def listed(self) -> list[str]:
        """Names of the buckets that the store lists to their owner."""
        names: list[str] = self.truth["list_buckets"]["first"]["owner"]["buckets"]
        return names

    def read_back(self, setting: str) -> dict[str, Any]:
        """A setting of every listed bucket as the seed read it back."""
        return {
            name: self.truth["buckets"][name]["summary"][setting] for name in self.listed if self._known(name)
        }

    def _known(self, name: str) -> bool:
        return "summary" in self.truth["buckets"].get(name, {})

    def open_to_strangers(self) -> set[str]:
        """Buckets that a stranger really could list or read from."""
        found = set()
        for name in self.listed:
            tried = self.truth["buckets"].get(name, {}).get("anonymous", {})
            if any(tried.get(what, {}).get("http") == 200 for what in ("list", "get")):
                found.add(name)
        return found

    @property
    def secrets(self) -> dict[str, str]:
        """What no report may hold: planted strings, and the keys."""
        planted = {name: entry["value"] for name, entry in self.truth["planted"].items() if entry["accepted"]}
        keys = {
            f"secret key of {name}": entry["secret_key"] for name, entry in self.env["credentials"].items()
        }
        return planted | keys

    @property
    def variables(self) -> dict[str, str]:
        """Where an AWS client finds the profiles."""
        return {
            "AWS_SHARED_CREDENTIALS_FILE": self.env["aws_credentials_file"],
            "AWS_CONFIG_FILE": self.env["aws_config_file"],
        }


@contextmanager
def store(name: str) -> Iterator[StoreBed]:
    """One of the S3 beds: ceph, swift, swift-acl, seaweedfs, juicefs, rclone."""
    ran = call("s3", name, "status", check=False).returncode == 0
    try:
        call("s3", name, "up")
        yield StoreBed(_described("s3", name, "env"))
    finally:
        if not ran:
            call("s3", name, "down")


def terraform() -> Mapping[str, Any]:
    """The Terraform bed: nothing of it runs by itself, so there is nothing to stop."""
    call("terraform", "up")
    return _described("terraform", "env")
