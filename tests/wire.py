"""Fake clouds for plans: what a collection of a profile sends them, and what was planned for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import playback
import pytest
import s3_play
from fake_openstack import AT, BANK, SHOP, FakeOpenStack, listed
from openstack_answers import small_cloud

from cloudaudit import registers, targets
from cloudaudit.catalog import Catalogue, load_catalogue, load_profile
from cloudaudit.collecting import read_subject
from cloudaudit.collectors.runner import Collected
from cloudaudit.planned import SIGN_IN, Needs, Planned, TargetPlan, planned
from cloudaudit.targets import Subject

PROFILES = ("ci-quick", "ndc-connection", "s3-only")
ROOTS = {
    "identity": "/identity/v3",
    "compute": "/compute/v2.1",
    "block-storage": "/volume/v3/[^/]+",
    "network": "/network/v2.0",
    "image": "/image/v2",
    "object-store": "/object/v1/AUTH_[^/]+",
    "shared-file-system": "/share/v2",
    "load-balancer": "/load-balancer/v2",
    "key-manager": "/key-manager/v1",
    "orchestration": "/heat-api/v1/[^/]+",
    "s3": "",
}
"""Where the services of the fake clouds have their API, as patterns."""
VERSIONS = {**ROOTS, "block-storage": "/volume/v3"}


@cache
def catalogue() -> Catalogue:
    return load_catalogue()


@cache
def needs(profile: str) -> Needs:
    return Needs.of(load_profile(profile, catalogue()), catalogue().types)


def fits(one: Planned, method: str, url: str) -> bool:
    """Whether a request on the wire is one of a planned kind."""
    verb, _, template = one.call.request.partition(" ")
    if verb != method or one.call.service not in ROOTS:
        return False
    if one.call.name.endswith(SIGN_IN):
        # A whole address, for providers are elsewhere.
        return urlsplit(template).path == urlsplit(url).path
    path, _, query = template.partition("?")
    version = one.call.name.endswith(".version")
    root = (VERSIONS if version else ROOTS)[one.call.service]
    # The account of an object store has no slash at its end, a document of versions may have one.
    own = "/?" if path == "/" else re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(path))
    asked = urlsplit(url)
    if not re.fullmatch(root + own, asked.path):
        return False
    given = dict(parse_qsl(asked.query, keep_blank_values=True))
    if one.call.service == "s3" and bool(query) != bool(given):
        return False
    wanted = dict(parse_qsl(query, keep_blank_values=True))
    return all(
        key.startswith("{") or (key in given and (value.startswith("{") or given[key] == value))
        for key, value in wanted.items()
    )


@dataclass
class Bed:
    """Two fake services, a targets.yaml that names them, and what came over the wire to each."""

    cloud: FakeOpenStack
    store: playback.Playback
    folder: Path

    def subject(self, more: str = "", buckets: str = "") -> Subject:
        keys = {"access": "AKIDKIEMTHU\n", "secret": "bi-mat-kiem-thu\n"}
        for name, key in keys.items():
            (self.folder / name).touch(mode=0o600)
            (self.folder / name).write_text(key)
        path = self.folder / "targets.yaml"
        path.write_text(
            "version: 1\n"
            "subjects:\n"
            "  - id: mau\n"
            "    kind: provider\n"
            "    title: {vi: Mẫu}\n"
            "    targets:\n"
            f"      - {{name: hn, kind: openstack, cloud: fake{more}}}\n"
            f'      - {{name: kho, kind: s3, endpoint: "{self.store.url}", region: vn-hn,'
            f" access_key_file: access, secret_key_file: secret{buckets}}}\n"
        )
        (subject,) = targets.load(path, {}).subjects
        return subject

    def run(self, profile: str, more: str = "", buckets: str = "", *, sample: bool = False) -> Run:
        subject = self.subject(more, buckets)
        found = planned(subject, needs(profile), registers.load(None))
        self.cloud.requests.clear()
        self.store.asked.clear()
        wanted = needs(profile).plan
        read = read_subject(subject, wanted, registers.load(None), now=lambda: AT, sample=sample)
        return Run(
            found,
            {
                "hn": [(r.method, r.path) for r in self.cloud.requests],
                "kho": [(r.method, r.path) for r in self.store.asked],
            },
            read,
        )


@dataclass
class Run:
    """What was planned for each target, what was asked of it, and what came of that."""

    planned: tuple[TargetPlan, ...]
    asked: dict[str, list[tuple[str, str]]]
    read: Collected

    def unplanned(self) -> list[tuple[str, str]]:
        """Requests on the wire that no plan tells of."""
        return [
            request
            for target in self.planned
            for request in self.asked[target.name]
            if not any(fits(one, *request) for one in target.calls)
        ]

    def not_made(self) -> set[tuple[str, str]]:
        """Planned calls that were not made. Handshakes are not seen by a server of HTTP."""
        return {
            (one.call.name, one.call.request)
            for target in self.planned
            for one in target.calls
            if one.call.service != "probe"
            and not any(fits(one, *request) for request in self.asked[target.name])
        }


def sound_bucket() -> dict[str, playback.Reply]:
    """A bucket of a store that knows every question, with nothing set."""
    records = s3_play.STORES["moto"]["operations"]
    answers = {q: s3_play.recorded(short, records[short]["unset"]) for short, (q, _) in s3_play.WIRE.items()}
    return {"HEAD": playback.Reply(200), **answers}


@contextmanager
def open_bed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bed]:
    """A cloud with something of everything, and a store with one bucket that answers every question."""
    store = s3_play.store({"kho": sound_bucket()})
    cloud = small_cloud()
    cloud.answer(
        "/identity/v3/projects", {"projects": [{"id": i, "name": n} for i, n in cloud.projects.items()]}
    )
    domains = [{"id": name, "name": name, "enabled": True} for name in ("default", "so-y-te")]
    cloud.answer("/identity/v3/domains", listed("domains", domains))
    rules = {"config": {"security_compliance": {"password_regex": None, "password_regex_description": None}}}
    cloud.answer("/identity/v3/domains/so-y-te/config/security_compliance", rules)
    log = {
        "id": "log-2",
        "project_id": BANK,
        "resource_type": "security_group",
        "enabled": True,
        "event": "ALL",
    }
    cloud.answer(
        "/network/v2.0/log/logs", {"logs": [{**log, "resource_id": None, "target_id": None}]}, project=BANK
    )
    for project, names in ((SHOP, ["kho"]), (BANK, [])):
        account = f"/object/v1/AUTH_{project}"
        cloud.answer(f"{account}?format=json&limit=20", [{"name": name} for name in names])
    with cloud.running(), playback.playing(store) as playing:
        cloud.configure(folder, monkeypatch)
        yield Bed(cloud, playing, folder)
