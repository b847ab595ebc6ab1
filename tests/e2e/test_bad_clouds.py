"""Clouds that refuse, break, lie and attack, audited through the command line.

Of each: one clear message or gap with target and region, the right exit code, and everything else
that could be done is done. The sound cloud below passes every control of its profile, so that what
is wrong with another one can be blamed on what that one does.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import playback
import pytest
import s3_play
from certificates import Authority
from fake_openstack import AT, BANK, SHOP, FakeOpenStack, Reply, Request
from forward_proxy import ForwardProxy, forwarding
from openstack_answers import VOLUME, small_cloud
from worded import unworded

from cloudaudit import plugins
from cloudaudit.catalog import load_types
from cloudaudit.cli import _run, options
from cloudaudit.collectors import transport
from cloudaudit.collectors.openstack import session
from cloudaudit.model import Reason, Scope
from cloudaudit.snapshot import Snapshot

ROOT = Path(__file__).parent.parent.parent
NOW = ("--at", "2026-11-22T04:00:00Z")
"""A little after the clouds' clock, for a process whose own clock is the real one."""
VOLUMES = ("BDR-01", "BDR-03", "SEC-15")
NETWORK = ("SEC-06", "SEC-07")
IMAGES = ("POR-01",)
CONTAINERS = ("SEC-13",)
TECHNICAL = (*VOLUMES, *NETWORK, *IMAGES, *CONTAINERS)

PROFILE = """\
id: rieng
version: 1.0.0
title: {{vi: Riêng, en: Own}}
publisher: {{vi: Ta, en: We}}
official: false
notice: {{vi: Không chính thức, en: Unofficial}}
controls: [{controls}]
"""
SUBJECT = """\
  - id: {id}
    kind: provider
    title: {{vi: Mẫu}}
    registers: registers
    absent: [{absent}]
    targets:
"""
OPENSTACK = "      - {name: hn, kind: openstack, cloud: fake}\n"
SITES = """\
version: 1
sites:
  - id: hn
    name: Trung tâm dữ liệu Hà Nội
    province: Hà Nội
    country: VN
    owner: Đám mây mẫu
    regions: [vn-hn-1]
    azs: [hn-az1]
    endpoints: [127.0.0.1]
"""
SYSTEMS = """\
version: 1
systems:
  - id: cong-dich-vu
    title: Cổng dịch vụ công
    owner_agency: Cơ quan mẫu
    operator: Đám mây mẫu
    owner: Trưởng phòng Hạ tầng
    security_level: 3
    data_classes: [personal-basic]
    criticality: critical
    rpo: PT24H
    rto: PT4H
    migration_class: rehost
    national_database: false
    cross_border: false
    bia_date: 2026-01-20
    selectors:
      - {project: shop, catch_all: true}
      - {project: bank}
      - {bucket: "*"}
"""


# --- the bench --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code, both streams, and the folder it wrote to."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return found

    @property
    def html(self) -> str:
        return (self.folder / "report.html").read_text(encoding="utf-8")

    def verdicts(self, *controls: str) -> set[tuple[str, str | None]]:
        """Verdicts with their reasons of all findings, passes included, of these controls or of all."""
        with gzip.open(self.folder / "findings.jsonl.gz", "rt", encoding="utf-8") as lines:
            findings = [json.loads(line) for line in lines]
        return {
            (f["verdict"], f["reason_code"]) for f in findings if not controls or f["control"] in controls
        }

    def findings(self, *controls: str) -> list[dict[str, Any]]:
        """Findings that are no pass."""
        return [f for f in self.report["findings"] if f["control"] in controls]

    def gaps(self, type_: str) -> list[tuple[str, str | None, str | None, str, str]]:
        """Target, region, project, reason and detail of the gaps of a type."""
        return [
            (g["target"], g["region"], g["project"], g["reason_code"], g["detail"])
            for g in self.report["gaps"]
            if g["type"] == type_
        ]


class Bench:
    """A folder with targets.yaml, a profile and registers, and the command line to run on it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        self.out = folder / "out"
        (folder / "registers").mkdir()
        self.register("sites", SITES)
        self.register("systems", SYSTEMS)
        self.select(*TECHNICAL)
        self.targets(OPENSTACK)

    def register(self, kind: str, text: str) -> None:
        (self.folder / "registers" / f"{kind}.yaml").write_text(text, encoding="utf-8")

    def select(self, *controls: str) -> None:
        """Audit by these controls alone."""
        text = PROFILE.format(controls=", ".join(controls))
        (self.folder / "rieng.yaml").write_text(text, encoding="utf-8")

    def targets(self, *targets: str) -> None:
        """One subject for each text, which is its list of targets."""
        subjects = []
        for number, text in enumerate(targets, start=1):
            absent = [kind for kind in ("openstack", "s3") if f"kind: {kind}" not in text]
            subjects.append(SUBJECT.format(id=f"mau-{number}", absent=", ".join(absent)) + text)
        self.path.write_text("version: 1\nsubjects:\n" + "".join(subjects), encoding="utf-8")

    def s3(self, url: str, more: str = "") -> str:
        """The entry of an S3 target, with its keys."""
        keys = {"access_key_file": "AKIDKIEMTHU\n", "secret_key_file": "bi-mat-kiem-thu\n"}
        for name, key in keys.items():
            path = self.folder / name
            path.touch(mode=0o600)
            path.write_text(key, encoding="utf-8")
        files = ", ".join(f"{name}: {name}" for name in keys)
        return f'      - {{name: kho, kind: s3, endpoint: "{url}", region: vn-hn, {files}{more}}}\n'

    @property
    def path(self) -> Path:
        return self.folder / "targets.yaml"

    @property
    def command(self) -> list[str]:
        return ["run", "-t", str(self.path), "-p", str(self.folder / "rieng.yaml"), "--lang", "en"]

    def run(self, *more: object, output: Path | None = None) -> Done:
        """`cloudaudit run` in this process."""
        return self.call(*self.command, "-o", output or self.out, *more)

    def call(self, *args: object) -> Done:
        """Any command in this process."""
        code = _run([str(arg) for arg in args])
        shown = self.capsys.readouterr()
        assert "internal error" not in shown.err
        assert "Traceback" not in shown.out + shown.err
        return Done(code, shown.out, shown.err, self.out)


@pytest.fixture(scope="module", autouse=True)
def _one_catalogue() -> Iterator[None]:
    """Read the shipped catalogue once: it is the same for every run here."""
    load = functools.cache(plugins.catalogue)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugins, "catalogue", lambda own=(): load(tuple(own)))
        yield


@pytest.fixture
def bench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Bench]:
    """A bench whose clock is the clouds', and whose retries do not wait. Whatever it wrote has Vietnamese."""
    monkeypatch.setattr(options, "time", SimpleNamespace(time=lambda: AT))
    monkeypatch.setattr(session, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(transport, "_jitter", SimpleNamespace(uniform=lambda low, high: 0.0))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(AT))
    yield Bench(tmp_path, capsys)
    assert unworded(tmp_path) == []


def sound_cloud() -> FakeOpenStack:
    """A cloud that passes every control of TECHNICAL."""
    cloud = small_cloud()
    acl = {"X-Container-Read": f"{SHOP}:u-an", "X-Container-Write": f"{SHOP}:u-an"}
    cloud.answer(f"/object/v1/AUTH_{SHOP}/kho", status=204, headers={"X-Container-Object-Count": "1", **acl})
    return cloud


@pytest.fixture
def cloud(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenStack]:
    fake = sound_cloud()
    with fake.running():
        fake.configure(bench.folder, monkeypatch)
        yield fake


DENIED = {"HEAD": playback.Reply(403), "*": s3_play.error(403, "AccessDenied")}


def private_bucket() -> dict[str, playback.Reply]:
    """A bucket as a real store shows it: private, with versioning."""
    records = s3_play.STORES["moto"]["operations"]
    answers = {
        query: s3_play.recorded(short, records[short]["set" if short == "versioning" else "unset"])
        for short, (query, _) in s3_play.WIRE.items()
    }
    return {"HEAD": playback.Reply(200), **answers}


def test_the_sound_cloud_has_nothing_to_blame(bench: Bench, cloud: FakeOpenStack) -> None:
    done = bench.run("--quiet")
    assert (done.code, done.err) == (0, "")
    assert done.verdicts() == {("pass", None)}
    assert done.report["gaps"] == []
    assert {entry["verdict"] for entry in done.report["controls"]} == {"pass"}


# --- what is not there --------------------------------------------------------------------------------


def test_an_entry_that_clouds_yaml_does_not_have(bench: Bench, cloud: FakeOpenStack) -> None:
    bench.targets(OPENSTACK + OPENSTACK.replace("hn,", "hcm,").replace("fake", "fakee"))
    done = bench.run()
    (line,) = done.err.splitlines()
    assert line.startswith(f"error: {bench.path}:10:9: target 'hcm': ")
    assert line.endswith("has no entry 'fakee' (entries: fake); did you mean 'fake'?")
    assert (done.code, done.out) == (2, "")
    assert cloud.requests == []
    assert not bench.out.exists()


def test_no_clouds_yaml_at_all(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openstack.config.loader.CONFIG_FILES", [str(bench.folder / "clouds.yaml")])
    done = bench.run()
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"error: {bench.path}:9:9: target 'hn': no clouds.yaml was found that could hold the entry 'fake'"
        f" (searched: {bench.folder / 'clouds.yaml'})\n"
    )


def test_a_clouds_yaml_with_a_mistake_is_not_told_as_absent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bench.folder / "clouds.yaml"
    path.write_text("clouds:\n  fake:\n    auth: [\n")
    monkeypatch.setattr("openstack.config.loader.CONFIG_FILES", [str(path)])
    done = bench.run()
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"error: {bench.path}:9:9: target 'hn': the entry 'fake' was not found: {path}:4:1: this is not YAML:"
        " expected the node content, but found '<stream end>'\n"
    )


def test_a_profile_that_aws_does_not_have(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(bench.folder / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(bench.folder / "none2"))
    bench.targets(
        '      - {name: kho, kind: s3, endpoint: "https://127.0.0.1:1", profile: mau, region: vn-hn}\n'
    )
    done = bench.run()
    assert (done.code, done.out) == (2, "")
    place = bench.folder / "none"
    assert done.err == (
        f"error: {bench.path}:9:9: there is no usable AWS profile 'mau'; name a profile of {place} or {place}2,"
        " or access_key_file and secret_key_file\n"
    )


def test_a_parameter_beyond_a_limit_comes_first_and_in_words(bench: Bench, cloud: FakeOpenStack) -> None:
    volumes = [{**VOLUME, "id": f"v{n}", "name": f"dia-{n}"} for n in range(5)]
    cloud.answer("/volume/v3/volumes/detail", {"volumes": volumes})
    bench.select("BDR-01")
    with (bench.folder / "rieng.yaml").open("a") as profile:
        profile.write("parameters: {BDR-01: {max_backup_age: P3D}}\n")
        profile.write("limits: {BDR-01: {max_backup_age: {at_most: P1D}}}\n")
    done = bench.run()
    finding = done.findings("BDR-01")[0]
    assert finding["message"] == {
        "vi": "Tham số max_backup_age là 3 ngày; giới hạn của hồ sơ năng lực: không quá 1 ngày",
        "en": "Parameter max_backup_age is 3 d; limit of the profile: at most 1 d",
    }
    assert [(entry["fact"], entry["value"]) for entry in finding["evidence"]] == [
        ("param.max_backup_age", 259200),
        ("limit.at_most", 86400),
    ]
    rows = [line for line in done.out.splitlines() if line.startswith(" × ")]
    assert "param.max_backup" in rows[0]


def test_a_drill_still_to_come_is_warned_of(bench: Bench, cloud: FakeOpenStack) -> None:
    drill = "{id: dt-1, kind: restore, date: 2027-02-01, result: success, systems: [cong-dich-vu]}"
    bench.register("drills", f"version: 1\ndrills:\n  - {drill}\n")
    done = bench.run("--quiet")
    assert done.err == (
        f"warning: {bench.folder / 'registers' / 'drills.yaml'}:3:5: the drill 'dt-1' is dated 2027-02-01, after the"
        " assessment: it does not count yet; correct its date, or register it when it was held\n"
    )
    assert bench.run("--quiet", "--at", "2027-02-01").err == ""


def test_an_empty_profile_asks_nothing(bench: Bench, cloud: FakeOpenStack) -> None:
    bench.select()
    done = bench.run()
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {bench.folder / 'rieng.yaml'}:7:")
    assert cloud.requests == []


# --- no way in ------------------------------------------------------------------------------------------


def test_a_wrong_password(bench: Bench, cloud: FakeOpenStack) -> None:
    clouds = bench.folder / "clouds.yaml"
    clouds.write_text(clouds.read_text().replace("PLANTED-password", "PLANTED-other"))
    done = bench.run()
    assert done.code == 3
    assert done.verdicts() == {("unknown", "no_permission")}
    assert set(done.gaps("openstack.volume")) == {
        (
            "hn",
            None,
            None,
            "no_permission",
            "HTTP 401 to the token request; check user, password and domain of the clouds.yaml entry, then its roles there",
        ),
    }
    assert "PLANTED" not in done.out + done.err + done.html
    shown = " ".join(done.out.split())
    assert "Check that the credential is accepted at all" in shown


@pytest.mark.parametrize(
    ("reply", "reason", "detail"),
    [
        (
            Reply(b"<html>log in</html>"),
            "invalid_answer",
            "no token could be had from {place} (InvalidResponse)",
        ),
        (
            Reply(b'{"token": {"user"', status=201, headers={"X-Subject-Token": "token-x"}),
            "invalid_answer",
            "no token could be had from {place} (InvalidResponse)",
        ),
        (
            Reply({"token": []}, status=201, headers={"X-Subject-Token": "token-x"}),
            "invalid_answer",
            "no token could be had from {place} (TypeError)",
        ),
        (Reply(status=403), "no_permission", "HTTP 403 to the token request"),
        (Reply(status=500), "invalid_answer", "HTTP 500 to the token request"),
        (Reply(status=429, headers={"Retry-After": "1"}), "throttled", "HTTP 429 to the token request"),
        (
            Reply(status=302, headers={"Location": "https://127.0.0.1:1/"}),
            "invalid_answer",
            "no token could be had from {place} (InvalidResponse)",
        ),
    ],
    ids=["html", "cut-json", "no-token", "forbidden", "broken", "throttled", "elsewhere"],
)
def test_no_token_is_given(
    bench: Bench, cloud: FakeOpenStack, reply: Reply, reason: str, detail: str
) -> None:
    cloud.answers["/identity/v3/auth/tokens", None] = reply
    done = bench.run("--quiet")
    assert (done.code, done.err) == (3, "")
    assert done.verdicts() == {("unknown", reason)}
    detail = detail.format(place=cloud.url.removeprefix("http://"))
    assert set(done.gaps("openstack.volume")) == {("hn", None, None, reason, detail)}


def test_nobody_listens(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = sound_cloud()
    with cloud.running():
        cloud.configure(bench.folder, monkeypatch)
    port = cloud.url.rpartition(":")[2]
    done = bench.run()
    assert done.code == 3
    assert done.verdicts() == {("unknown", "unreachable")}
    assert set(done.gaps("openstack.volume")) == {
        ("hn", None, None, "unreachable", f"connection refused: 127.0.0.1:{port}"),
    }


def test_an_authority_that_was_not_given(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority.make(bench.folder)
    cloud, buckets = sound_cloud(), s3_play.store({"mo": private_bucket()})
    cloud.tls = authority.server("127.0.0.1")
    with cloud.running(), playback.playing(buckets, authority.server("127.0.0.1")) as store:
        cloud.configure(bench.folder, monkeypatch)
        bench.targets(OPENSTACK + bench.s3(store.url))
        done = bench.run()
        assert done.code == 3
        assert done.verdicts() == {("unknown", "unreachable")}
        place = cloud.url.removeprefix("https://")
        assert set(done.gaps("openstack.volume")) == {
            ("hn", None, None, "unreachable", f"certificate verify failed for {place}; give ca_file"),
        }
        ((target, _, _, reason, detail),) = done.gaps("s3.bucket")
        assert (target, reason) == ("kho", "unreachable")
        assert "ca_file" in detail
        bench.targets((OPENSTACK + bench.s3(store.url)).replace("}\n", ", ca_file: ca.pem}\n"))
        assert bench.run().code == 0


def test_a_certificate_that_nobody_verifies(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = sound_cloud()
    cloud.tls = Authority.make(bench.folder).server("127.0.0.1")
    bench.select("SEC-15")
    with cloud.running():
        cloud.configure(bench.folder, monkeypatch)
        clouds = bench.folder / "clouds.yaml"
        clouds.write_text(clouds.read_text().replace('"auth_type"', '"verify": false, "auth_type"'))
        with started(bench, *bench.command, "-o", bench.out, "--quiet", *NOW) as running:
            _, err = ended(running)
    assert (running.returncode, err) == (
        0,
        f"warning: {bench.path.name}:9:9: target 'hn': by clouds.yaml its certificate is not verified; "
        "name its authority as ca_file\n",
    )
    done = Done(0, "", err, bench.out)
    assert [target["verify"] for target in done.report["targets"]] == [False]
    assert "Không kiểm tra chứng thư TLS" in done.html


def test_the_report_tells_with_what_eyes_a_target_was_read(bench: Bench, cloud: FakeOpenStack) -> None:
    cloud.date = "Sun, 22 Nov 2026 05:46:40 GMT"
    bench.select("SEC-15")
    with forwarding(ForwardProxy("an:PLANTED")) as proxy:
        secret = bench.folder / "proxy"
        secret.touch(mode=0o600)
        secret.write_text(proxy.url.replace("//", "//an:PLANTED@"))
        bench.targets(OPENSTACK.replace("}", ", vantage: tenant, proxy_file: proxy}"))
        done = bench.run()
    (told,) = done.report["targets"]
    assert told == {
        "name": "hn",
        "kind": "openstack",
        "source": {"path": "targets.yaml", "line": 9},
        "vantage": "tenant",
        "projects": "all",
        "regions": "all",
        "proxy": True,
        "clock_skew": 7200,
        "credential": {"auth_type": "v3password", "scope": "project", "roles": {"project": ["reader"]}},
    }
    for words in ("Kind of credential", "v3password – project-scoped", "Reached through a proxy",
                  "clock differs from ours by 7200 s"):  # fmt: skip
        assert words in done.html
    kept = Snapshot(done.folder / "snapshot", load_types())
    assert kept.run["targets"] == [told]
    everything = [path.read_bytes() for path in done.folder.rglob("*") if path.is_file()]
    assert not [
        data
        for data in everything
        if b"PLANTED" in (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    ]


def test_a_proxy_that_answers_with_a_page_passes_nothing(bench: Bench, cloud: FakeOpenStack) -> None:
    with forwarding(ForwardProxy(page=200)) as proxy:
        bench.targets(OPENSTACK.replace("}", f', proxy: "{proxy.url}"}}'))
        done = bench.run()
    assert done.code == 3
    assert {verdict for verdict, _ in done.verdicts()} == {"unknown"}
    assert {gap["reason_code"] for gap in done.report["gaps"]} == {"invalid_answer"}
    assert done.report["targets"][0]["credential"]["scope"] == "unknown"
    assert cloud.requests == []


# --- services that break --------------------------------------------------------------------------------

CUT = json.dumps({"volumes": [VOLUME]}).encode()[:-9]
Service = Reply | Callable[[Request], Reply]


def turning(request: Request) -> Reply:
    """Always another page, and never anything new."""
    path, _, query = request.path.partition("?")
    links = [{"rel": "next", "href": f"{path}?marker={query[-40:]}x"}]
    return Reply({"volumes": [VOLUME], "volumes_links": links})


def cinder(cloud: FakeOpenStack, reply: Service) -> None:
    """Let every call of one service be answered like this."""
    for path, project in list(cloud.answers):
        if path.startswith("/volume/v3/"):
            cloud.answers[path, project] = reply


@pytest.mark.parametrize(
    ("reply", "reason", "detail"),
    [
        (Reply(status=500), "invalid_answer", "HTTP 500 from GET /volume/v3/"),
        (Reply(status=429, headers={"Retry-After": "86400"}), "throttled", "HTTP 429 from GET /volume/v3/"),
        (Reply(b"<html>log in</html>"), "invalid_answer", "the answer to GET /volume/v3/"),
        (Reply(CUT), "invalid_answer", "the answer to GET /volume/v3/"),
        (Reply(CUT, claim=len(CUT) + 9), "invalid_answer", "GET /volume/v3/"),
        (turning, "partial", "a page of /volumes/detail"),
    ],
    ids=["broken", "throttled", "html", "cut-json", "cut-answer", "endless-pages"],
)
def test_one_service_that_gives_no_list(
    bench: Bench, cloud: FakeOpenStack, reply: Service, reason: str, detail: str
) -> None:
    bench.targets(OPENSTACK.replace("}", ", deadline: PT50S}"))
    cinder(cloud, reply)
    done = bench.run("--quiet")
    assert (done.code, done.err) == (3, "")
    assert {verdict for verdict, _ in done.verdicts(*VOLUMES)} == {"unknown"}
    assert done.verdicts(*NETWORK, *IMAGES, *CONTAINERS) == {("pass", None)}
    gaps = done.gaps("openstack.volume")
    assert {gap[:4] for gap in gaps} == {("hn", "vn-hn-1", project, reason) for project in (SHOP, BANK)}
    assert all(gap[4].startswith(detail) for gap in gaps)


def test_one_service_that_refuses(bench: Bench, cloud: FakeOpenStack) -> None:
    sound = bench.run().report["readiness"]
    cinder(cloud, Reply(status=403))
    done = bench.run()
    assert done.verdicts(*VOLUMES) == {("unknown", "no_permission")}
    assert done.verdicts(*NETWORK, *IMAGES, *CONTAINERS) == {("pass", None)}
    refused = done.report["readiness"]
    assert refused["coverage"] < sound["coverage"]
    assert refused["collection_coverage"] < sound["collection_coverage"]
    assert done.code == 3
    assert bench.run("--fail-on", "critical").code == 3
    assert bench.run("--allow-incomplete").code == 0


def test_what_it_throttles_and_then_gives_is_whole(bench: Bench, cloud: FakeOpenStack) -> None:
    path = f"/volume/v3/{SHOP}/volumes/detail"
    whole = cloud.answers[path, None]
    assert isinstance(whole, Reply)
    busy = [Reply(status=429, headers={"Retry-After": "0"}), Reply(status=503)]
    cloud.call(path, lambda request: busy.pop() if busy else whole)
    done = bench.run()
    assert (done.code, busy, done.report["gaps"]) == (0, [], [])


def test_a_bucket_that_is_denied(bench: Bench) -> None:
    with playback.playing(s3_play.store({"mo": private_bucket(), "kin": DENIED})) as store:
        bench.targets(bench.s3(store.url))
        bench.select("SEC-13", "BDR-08")
        done = bench.run()
    verdicts = {(f["resource"]["name"], f["verdict"], f["reason_code"]) for f in done.report["findings"]}
    assert verdicts == {("kin", "unknown", "no_permission")}
    assert done.verdicts() == {("pass", None), ("unknown", "no_permission")}
    assert done.code == 3
    assert "kin" in done.out


# --- clouds without anything ----------------------------------------------------------------------------


def empty_cloud() -> FakeOpenStack:
    """The sound cloud after everybody moved out."""
    cloud = sound_cloud()
    for key, reply in cloud.answers.items():
        if isinstance(reply, Reply) and isinstance(reply.body, dict):
            lists = {name: [] for name, value in reply.body.items() if isinstance(value, list)}
            kept = ("extensions", "versions", "regions")
            if lists and not set(kept) & set(lists):
                cloud.answers[key] = replace(reply, body={**reply.body, **lists})
        elif isinstance(reply, Reply) and isinstance(reply.body, list):
            cloud.answers[key] = replace(reply, body=[])
    cloud.roles = {SHOP: ["member", "reader"], BANK: ["member", "reader"]}
    return cloud


def test_an_empty_cloud(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = empty_cloud()
    with cloud.running():
        cloud.configure(bench.folder, monkeypatch)
        done = bench.run()
        assert done.verdicts() == {("not_applicable", None)}
        assert done.code == 0
        proofs = {f["control"]: {e["fact"] for e in f["evidence"]} for f in done.findings(*TECHNICAL)}
        assert proofs == {control: {"listing"} for control in TECHNICAL}
        bench.select(*TECHNICAL, "COM-01")
        with_a_paper = bench.run()
        assert with_a_paper.verdicts(*TECHNICAL) == {("not_applicable", None)}
        assert with_a_paper.verdicts("COM-01") == {("unknown", "register_missing")}
        assert with_a_paper.code == 3


# --- registers --------------------------------------------------------------------------------------------


def test_a_region_that_does_not_exist(bench: Bench, cloud: FakeOpenStack) -> None:
    bench.register("sites", SITES.replace("regions: [vn-hn-1]", "regions: [vn-hn-1, vn-hn-7]"))
    done = bench.run("--quiet")
    path = bench.folder / "registers" / "sites.yaml"
    assert done.err == (
        f"warning: {path}:8:24: names region 'vn-hn-7' that no target has; did you mean 'vn-hn-1'?\n"
    )
    assert done.code == 0


WAIVER = """\
version: 1
waivers:
  - id: mt-1
    control: SEC-15
    system: cong-dich-vu
    reason: Đang chờ chuyển sang loại có mã hóa.
    compensating: Hạn chế quyền gắn khối lưu trữ.
    approver: Cấp có thẩm quyền
    authority: competent
    starts: 2025-09-01
    until: {until}
"""


@pytest.mark.parametrize(
    ("until", "code", "waiver", "refused"),
    [("2026-08-31", 1, None, "waiver mt-1 has expired"), ("2026-12-31", 0, "mt-1", None)],
)
def test_a_waiver_holds_until_it_expires(
    bench: Bench, cloud: FakeOpenStack, until: str, code: int, waiver: str | None, refused: str | None
) -> None:
    bare = {**VOLUME, "encrypted": False}
    cloud.answer(f"/volume/v3/{SHOP}/volumes/detail", {"volumes": [bare]})
    starts = "2025-12-31" if waiver else "2025-09-01"
    bench.register("waivers", WAIVER.format(until=until).replace("2025-09-01", starts))
    done = bench.run()
    (finding,) = done.findings("SEC-15")
    assert (finding["verdict"], finding["waiver"]) == ("fail", waiver)
    told = finding["refused_waiver"]
    assert (told and told["en"]) == refused
    assert done.code == code
    if refused:
        assert refused in done.out
        assert refused in done.html


# --- output -----------------------------------------------------------------------------------------------


def test_two_subjects_have_a_folder_each_and_the_worst_code(bench: Bench, cloud: FakeOpenStack) -> None:
    cloud.answer(f"/volume/v3/{SHOP}/volumes/detail", {"volumes": [{**VOLUME, "encrypted": False}]})
    bench.select("SEC-15", "SEC-13")
    with playback.playing(s3_play.store({"mo": private_bucket(), "kin": DENIED})) as store:
        bench.targets(bench.s3(store.url), OPENSTACK)
        done = bench.run("--export", f"html={bench.folder / 'r.html'}")
    assert done.code == 1
    assert {path.name for path in bench.out.iterdir()} == {"mau-1", "mau-2"}
    told = {
        (report["subject"]["id"], f["control"], f["verdict"], f["resource"]["target"])
        for folder in bench.out.iterdir()
        for report in [json.loads((folder / "report.json").read_text(encoding="utf-8"))]
        for f in report["findings"]
        if f["verdict"] != "not_applicable"
    }
    assert told == {("mau-1", "SEC-13", "unknown", "kho"), ("mau-2", "SEC-15", "fail", "hn")}
    for id_ in ("mau-1", "mau-2"):
        exported = (bench.folder / f"r-{id_}.html").read_text(encoding="utf-8")
        assert exported == (bench.out / id_ / "report.html").read_text(encoding="utf-8")
    assert "kin" in done.out
    assert "web-data" in done.out


def test_a_mistake_in_the_last_subject_is_told_before_the_first_is_read(
    bench: Bench, cloud: FakeOpenStack
) -> None:
    bench.targets(OPENSTACK, OPENSTACK.replace("fake", "fakee"))
    done = bench.run()
    assert done.code == 2
    assert done.err.startswith(f"error: {bench.path}:16:9: target 'hn': ")
    assert cloud.requests == []
    assert not bench.out.exists()


def test_stdout_is_the_report_and_nothing_else(bench: Bench, cloud: FakeOpenStack) -> None:
    done = bench.run("-f", "json")
    assert done.out == (bench.out / "report.json").read_text(encoding="utf-8")
    assert str(bench.out / "snapshot") in done.err
    quiet = bench.run("-f", "json", "--quiet")
    assert (quiet.out, quiet.err) == (done.out, "")
    shown = bench.call("report", bench.out, "-f", "json", "-o", "-")
    assert (shown.code, shown.out, shown.err) == (0, done.out, "")
    html = bench.call(
        "report", bench.out, "-f", "html", "-o", bench.folder / "sub" / "r.html", "--lang", "en"
    )
    assert (html.code, html.out, html.err) == (0, "", "")
    assert (bench.folder / "sub" / "r.html").read_text(encoding="utf-8") == done.html


@pytest.mark.parametrize(
    ("wish", "wrong", "meant"),
    [
        (("-f", "jsno"), "jsno", "json"),
        (("--export", "jsno=r.json"), "jsno", "json"),
        (("--export", "gitlab=r.json"), "gitlab", "gitlab-codequality"),
    ],
)
def test_a_format_that_nobody_writes(
    bench: Bench, cloud: FakeOpenStack, wish: tuple[str, str], wrong: str, meant: str
) -> None:
    done = bench.run(*wish)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: there is no format '{wrong}'; did you mean '{meant}'?\n"
    assert cloud.requests == []
    assert not bench.out.exists()


@pytest.mark.parametrize(
    "paths", [("r.csv", "sub/../r.csv"), ("out/report.json",), ("out/snapshot/all.csv",), ("-", "-")]
)
def test_no_two_things_are_written_to_one_path(
    bench: Bench, cloud: FakeOpenStack, paths: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bench.folder)
    wanted = [path.replace("out/", f"{bench.out}/") for path in paths]
    done = bench.run(*(word for path in wanted for word in ("--export", f"csv={path}")))
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: {wanted[-1]} is written twice; give each export a path of its own\n"
    assert cloud.requests == []
    assert not bench.out.exists()


def test_every_format_of_data_can_be_exported(bench: Bench, cloud: FakeOpenStack) -> None:
    """From findings of a run itself, passes included."""
    formats = ("csv", "md", "xlsx", "oscal-ar", "oscal-catalog", "oscal-profile")
    done = bench.run(*(w for f in formats for w in ("--export", f"{f}={bench.folder / 'all' / f}")))
    assert done.report["findings_file"]["count"] > len(done.report["findings"])
    for format_ in formats:
        written = (bench.folder / "all" / format_).read_bytes()
        again = bench.call("report", bench.out, "-f", format_, "-o", bench.folder / "again", "--lang", "en")
        assert (again.code, again.err) == (0, "")
        assert (bench.folder / "again").read_bytes() == written
    rows = (bench.folder / "all" / "csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == done.report["findings_file"]["count"] + 1


@pytest.mark.parametrize("threshold", ["gate", "level=2"])
def test_a_threshold_that_the_profile_cannot_be_measured_by(
    bench: Bench, cloud: FakeOpenStack, threshold: str
) -> None:
    done = bench.run("-p", "ci-quick", "--fail-on", threshold)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(
        "error: profile 'ci-quick' looks at no gate, and without one there is no level; "
    )
    assert cloud.requests == []
    assert not bench.out.exists()


def test_a_profile_without_gates_concludes_no_level(bench: Bench, cloud: FakeOpenStack) -> None:
    done = bench.run("-p", "ci-quick")
    readiness = done.report["readiness"]
    assert (readiness["gate_state"], readiness["level"]) == ("out_of_scope", 0)
    assert "\nScore [" in done.err
    assert "does not conclude" in " ".join(done.out.split()) or "no level" in " ".join(done.out.split())


@pytest.mark.parametrize(
    ("threshold", "code", "why"),
    [
        ("high", 3, "Exit code 3: at or above 'High', 0 findings fail or have expired and 6 are not known"),
        (
            "critical",
            3,
            "Exit code 3: at or above 'Critical', 0 findings fail or have expired and 4 are not known",
        ),
    ],
)
def test_the_exit_code_is_told_with_its_reason(
    bench: Bench, cloud: FakeOpenStack, threshold: str, code: int, why: str
) -> None:
    cinder(cloud, Reply(status=403))
    done = bench.run("--fail-on", threshold)
    assert (done.code, done.err.splitlines()[-1]) == (code, why)


def test_a_dash_is_no_folder(bench: Bench, cloud: FakeOpenStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bench.folder)
    done = bench.call(*bench.command, "-o", "-")
    assert (done.code, done.out) == (2, "")
    assert "'-' is no folder" in done.err
    assert not (bench.folder / "-").exists()


@pytest.mark.parametrize("command", ["run", "collect"])
def test_an_output_folder_that_cannot_be_written(bench: Bench, cloud: FakeOpenStack, command: str) -> None:
    wall = bench.folder / "wall"
    wall.write_text("")
    done = bench.call(command, *bench.command[1:5], "-o", wall / "out")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert "cannot be written: " in done.err
    assert cloud.requests == [], "known before the cloud is read"


@pytest.mark.parametrize("stderr", [subprocess.PIPE, subprocess.STDOUT], ids=["stdout", "both"])
def test_a_reader_that_goes_away_changes_no_exit_code(
    bench: Bench, cloud: FakeOpenStack, stderr: int
) -> None:
    cloud.answer(f"/volume/v3/{SHOP}/volumes/detail", {"volumes": [{**VOLUME, "encrypted": False}]})
    bench.run()
    profile = ("-p", bench.folder / "rieng.yaml", "--registers", bench.folder / "registers", *NOW)
    judging = ("assess", bench.out / "snapshot", *profile, "-o", bench.folder / "2")
    with started(bench, *judging, stderr=stderr) as running:
        assert running.stdout is not None
        running.stdout.close()
        _, err = running.communicate(timeout=30)
    assert running.returncode == 1
    told = f"assessment: {bench.folder / '2'}\nMã thoát 1: "
    assert err is None if stderr == subprocess.STDOUT else err.startswith(told)


def test_no_room_for_the_output(bench: Bench) -> None:
    with Path("/dev/full").open("w") as full, started(bench, "profiles", "list", stdout=full) as running:
        _, err = ended(running)
    assert (running.returncode, err) == (
        2,
        "error: the output cannot be written: No space left on device\n",
    )


def test_an_assessment_that_cannot_be_written(bench: Bench, cloud: FakeOpenStack) -> None:
    bench.run()
    snapshot = bench.out / "snapshot"
    wall = bench.folder / "wall"
    wall.write_text("")
    done = bench.call("assess", snapshot, "-o", wall / "out")
    assert (done.code, done.out, done.err) == (
        2,
        "",
        f"error: {wall / 'out'} cannot be written: Not a directory\n",
    )


def test_what_a_broken_off_run_left_is_no_obstacle(bench: Bench, cloud: FakeOpenStack) -> None:
    """A run that could collect and not judge leaves a snapshot; the next one has to go through."""
    assert bench.run().code == 0
    for name in ("assessment.json", "report.json", "report.html", "findings.jsonl.gz"):
        (bench.out / name).unlink()
    assert bench.run().code == 0


def test_registers_are_never_taken_for_an_old_output(bench: Bench, cloud: FakeOpenStack) -> None:
    bench.run()
    kept = {path.name: path.read_bytes() for path in (bench.folder / "registers").iterdir()}
    for given in (["--registers", bench.folder / "registers"], []):
        done = bench.call("assess", bench.out / "snapshot", "-o", bench.folder, *given)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("error: ")
    assert {path.name: path.read_bytes() for path in (bench.folder / "registers").iterdir()} == kept


def test_an_own_control_is_explained_in_the_report(bench: Bench, cloud: FakeOpenStack) -> None:
    own = bench.folder / "own" / "SEC-901.yaml"
    own.parent.mkdir()
    text = (ROOT / "controls" / "SEC" / "SEC-15.yaml").read_text(encoding="utf-8")
    text = text.replace("id: SEC-15", "id: SEC-901").replace("openstack volume", "own-remedy volume")
    own.write_text(text, encoding="utf-8")
    cloud.answer(f"/volume/v3/{SHOP}/volumes/detail", {"volumes": [{**VOLUME, "encrypted": False}]})
    bench.select("SEC-901")
    done = bench.run("--controls", own.parent)
    assert done.code == 1
    assert "own-remedy volume" in done.html
    explained = bench.call("report", bench.out, "-f", "html", "--lang", "en", "--controls", own.parent)
    assert (explained.code, explained.out) == (0, done.html)
    assert "own-remedy volume" not in bench.call("report", bench.out, "-f", "html").out


OWN_DRILLS = """\
id: BDR-901
version: 1.0.0
title: {vi: Diễn tập thành công, en: Drills succeed}
severity: low
method: T
basis: O
applies_to: drill
check: {fact: result, equals: success}
message: {vi: "Diễn tập {id}", en: "Drill {id}"}
obligations: [D1121-15d]
frameworks: {}
remediation: {vi: Diễn tập lại., en: Repeat the drill.}
limits: {vi: Chỉ xét kết quả được khai., en: Only declared results are looked at.}
examples:
  pass: [{resource: {id: dt-1, result: success}}]
  fail: [{resource: {id: dt-1, result: fail}}]
  unknown: [{resource: {id: dt-1}}]
"""


def test_a_register_without_entries_is_its_own_proof(bench: Bench, cloud: FakeOpenStack) -> None:
    own = bench.folder / "own" / "BDR-901.yaml"
    own.parent.mkdir()
    own.write_text(OWN_DRILLS, encoding="utf-8")
    bench.register("drills", "version: 1\ndrills: []\n")
    bench.select("BDR-901")
    (finding,) = bench.run("--controls", own.parent).findings("BDR-901")
    assert (finding["verdict"], finding["detail"]) == (
        "not_applicable",
        "register drills.yaml, SHA-256 " + hashlib.sha256(b"version: 1\ndrills: []\n").hexdigest(),
    )


def test_the_three_steps_give_what_run_gives(bench: Bench, cloud: FakeOpenStack) -> None:
    cinder(cloud, Reply(status=403))
    whole = bench.run(*NOW)
    snapshot, folder = bench.folder / "snapshot", bench.folder / "assessment"
    collected = bench.call("collect", *bench.command[1:5], "-o", snapshot)
    first, *missing = collected.err.splitlines()
    assert (collected.code, collected.out, first) == (3, "", f"snapshot: {snapshot}")
    assert {line.partition(" in ")[2].partition(",")[0] for line in missing} == {
        f"hn/vn-hn-1{project}: no_permission" for project in ("", f"/{SHOP}", f"/{BANK}")
    }
    lenient = bench.call("collect", *bench.command[1:5], "-o", bench.folder / "2", "--allow-incomplete")
    assert lenient.code == 0
    with_them = ("-p", bench.folder / "rieng.yaml", "--registers", bench.folder / "registers", *NOW)
    assessed = bench.call("assess", snapshot, *with_them, "-o", folder, "--lang", "en")
    assert (assessed.code, assessed.out) == (3, whole.out)
    assert (folder / "report.json").read_bytes() == (bench.out / "report.json").read_bytes()
    html = bench.call("report", folder, "-f", "html", "--lang", "en", "--snapshot", snapshot)
    assert (html.code, html.out) == (0, whole.html)
    asked = len(cloud.requests)
    again = bench.call("collect", *bench.command[1:5], "-o", snapshot)
    assert (again.code, again.err) == (
        2,
        f"error: {snapshot} is not empty; give a new folder, or remove what is in it\n",
    )
    assert len(cloud.requests) == asked


# --- names that attack ------------------------------------------------------------------------------------

ESCAPE, CSI, OVERRIDE, ZERO_WIDTH = "\x1b[31m", "\x9b31m", "\u202e", "\u200b"
SCRIPT = "<script>alert(1)</script>"
COMPOSED = "Cổng dịch vụ"
HOSTILE = [
    f"vol{ESCAPE}red",
    f"vol{CSI}red",
    f"vol{OVERRIDE}fdp.exe",
    f"vol{ZERO_WIDTH}hidden",
    f"vol{SCRIPT}",
    "vol\r\nerror: done\tand\x00gone\x07",
    "vol[bold red]markup[/bold red][/]",
    "vol{{ 7 * 7 }}{% raw %}",
    "vol" + "x" * 10_240,
    unicodedata.normalize("NFD", COMPOSED),
    "vol\ud83d",
    "",
]


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_hostile_names_reach_no_screen_and_no_page(bench: Bench, cloud: FakeOpenStack, form: str) -> None:
    volumes = [
        {**VOLUME, "id": f"vol-{number}", "name": name, "encrypted": False, "metadata": {"data_class": name}}
        for number, name in enumerate(HOSTILE)
    ]
    volumes.append({**VOLUME, "id": f"id{ESCAPE}{SCRIPT}", "name": "by-id", "encrypted": False})
    cloud.answer(f"/volume/v3/{SHOP}/volumes/detail", {"volumes": volumes})
    done = bench.run("-f", form)
    assert done.code == 1
    found = done.findings("SEC-15")
    assert len(found) == len(volumes)
    for page in (done.out, done.err, done.html):
        assert hidden_in(page) == set()
        assert unicodedata.is_normalized("NFC", page)
    assert SCRIPT not in done.html
    names = {f["resource"]["name"] for f in found}
    assert {HOSTILE[0], HOSTILE[2], COMPOSED} < names, "the report keeps what was seen"
    assert max(len(name or "") for name in names) <= 4096


def hidden_in(page: str) -> set[str]:
    """Characters of a page that a terminal obeys, or that nobody sees."""
    return {c for c in page if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") and c != "\n"}


def test_hostile_regions_and_projects_reach_no_screen(bench: Bench, cloud: FakeOpenStack) -> None:
    cloud.regions = [f"vn{ESCAPE}-hn", f"vn{CSI}{OVERRIDE}-hcm"]
    cloud.projects = {SHOP: f"shop{ESCAPE}", BANK: f"bank{SCRIPT}"}
    clouds = bench.folder / "clouds.yaml"
    entry = json.loads(clouds.read_text())
    entry["clouds"]["fake"]["auth"] |= {"project_id": SHOP}
    del entry["clouds"]["fake"]["auth"]["project_name"]
    clouds.write_text(json.dumps(entry))
    cinder(cloud, Reply(status=403))
    done = bench.run()
    assert "warning: " in done.err
    assert {gap["region"] for gap in done.report["gaps"]} == set(cloud.regions)
    for page in (done.out, done.err, done.html):
        assert hidden_in(page) == set()
    assert SCRIPT not in done.html


# --- Ctrl-C -----------------------------------------------------------------------------------------------


class Silence:
    """An answer that does not come until it is let go."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.over = threading.Event()

    def __call__(self, request: Request) -> Reply:
        self.asked.set()
        self.over.wait(60)
        return Reply({"volumes": []})


def started(
    bench: Bench,
    *args: object,
    stdout: IO[str] | int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
) -> subprocess.Popen[str]:
    """A command in a process of its own, which signals can be sent to."""
    kept = ("PATH", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE")
    env = {name: os.environ[name] for name in kept if name in os.environ} | {
        "PYTHONPATH": str(ROOT),
        "LC_ALL": "C.UTF-8",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "cloudaudit", *map(str, args)],
        stdout=stdout,
        stderr=stderr,
        text=True,
        cwd=bench.folder,
        env=env,
    )


def eventually(happens: Callable[[], bool]) -> bool:
    """Whether something comes true within half a minute."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if happens():
            return True
        time.sleep(0.01)
    return False


def ended(running: subprocess.Popen[str]) -> tuple[str, str]:
    """Both streams of a process that has to end soon."""
    try:
        return running.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        running.kill()
        raise


def test_ctrl_c_keeps_what_was_read(bench: Bench, cloud: FakeOpenStack) -> None:
    silence = Silence()
    cloud.call(f"/volume/v3/{SHOP}/volumes/detail", silence)
    bench.targets(OPENSTACK, OPENSTACK.replace("name: hn", "name: hcm"))
    with started(bench, *bench.command, "-o", bench.out, *NOW) as running:
        assert silence.asked.wait(30)
        # The other project is through with its images once it is asked for its containers.
        assert eventually(lambda: any(f"AUTH_{BANK}" in path for path in cloud.paths_asked()))
        begun = time.monotonic()
        running.send_signal(signal.SIGINT)
        out, err = ended(running)
        took = time.monotonic() - begun
        silence.over.set()
    assert running.returncode == 130, err
    assert took < 10, "it did not wait for the silent service"
    assert "stopping: what was read is kept" in err
    done = Done(running.returncode, out, err, bench.out / "mau-1")
    kept = Snapshot(done.folder / "snapshot", load_types())
    gaps = {(g.scope, g.type, g.reason, g.detail) for g in kept.gaps()}
    assert (Scope("hn", "vn-hn-1", SHOP), "openstack.volume", Reason.PARTIAL, "interrupted") in gaps
    assert {g.reason for g in kept.gaps()} == {Reason.PARTIAL}
    listed = {(one.scope, one.type) for one in kept.listings()}
    assert (Scope("hn", "vn-hn-1", BANK), "openstack.image") in listed
    assert (Scope("hn", "vn-hn-1", SHOP), "openstack.volume") not in listed
    assert {verdict for verdict, _ in done.verdicts(*VOLUMES)} == {"unknown"}
    assert not (bench.out / "mau-2").exists(), "no other subject is begun"
    again = bench.call(
        "assess", done.folder / "snapshot", "-p", bench.folder / "rieng.yaml", "-o", bench.folder / "again"
    )
    assert again.code == 3


def test_a_second_ctrl_c_drops_everything(bench: Bench, cloud: FakeOpenStack) -> None:
    silence = Silence()
    cloud.call(f"/volume/v3/{SHOP}/volumes/detail", silence)
    with started(bench, *bench.command, "-o", bench.out) as running:
        assert silence.asked.wait(30)
        running.send_signal(signal.SIGINT)
        assert running.stderr is not None
        first = running.stderr.readline()
        running.send_signal(signal.SIGINT)
        out, err = ended(running)
        silence.over.set()
    assert (running.returncode, out, first + err) == (
        130,
        "",
        "stopping: what was read is kept; press Ctrl-C again to drop it\ninterrupted\n",
    )
    assert not (bench.out / "report.json").exists()
