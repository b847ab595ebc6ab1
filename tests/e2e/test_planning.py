"""plan, permissions and preflight through the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_openstack import BANK, SHOP, FakeOpenStack, listed
from openstack_answers import small_cloud

from cloudaudit.cli import _run

TARGETS = """\
version: 1
subjects:
  - id: mau
    kind: provider
    title: {{vi: Mẫu}}
    absent: [{absent}]
    targets:
      - {{name: hn, kind: openstack, cloud: fake{more}}}
"""
QUICK = """\
Subject mau
Profile ci-quick 1.0.0: Quick check for continuous integration

hn (openstack, tenant)
  identity
    POST /auth/tokens                             once
        BDR-01, RES-04, SEC-06, SEC-13, SEC-15
    POST /auth/tokens                             each project
        BDR-01, RES-04, SEC-06, SEC-13, SEC-15
    GET /auth/projects                            once
        BDR-01, RES-04, SEC-06, SEC-13, SEC-15
    GET /auth/catalog                             once
        BDR-01
  block-storage
    GET /                                         each region
        BDR-01, SEC-15
    GET /backups/detail                           each project in each region
        BDR-01
    GET /snapshots/detail                         each project in each region
        BDR-01
    GET /types?is_public=None                     each project in each region
        SEC-15
    GET /volumes/detail                           each project in each region
        BDR-01, SEC-15
    GET /types/{id}/encryption                    each item (types)
        SEC-15
  network
    GET /ports                                    each project in each region
        SEC-06
    GET /security-group-rules                     each project in each region
        SEC-06
  object-store
    GET /                                         each project in each region
        SEC-13
    HEAD /{container}                             each item (container)
        SEC-13

Declared to have no target of kind s3: nothing is asked.
Long lists are read to their end, one request a page; requests that broke off or
were told to wait are sent again; an empty list of the network service is asked
for once more. Beside these, nothing leaves this machine.
"""
"""The plan of ci-quick for TARGETS, whole."""


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenStack]:
    fake = small_cloud()
    with fake.running():
        fake.configure(tmp_path, monkeypatch)
        yield fake


class Done:
    """What a command said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(command: str, *args: object, absent: str = "s3", more: str = "") -> Done:
        path = tmp_path / "targets.yaml"
        path.write_text(TARGETS.format(absent=absent, more=more), encoding="utf-8")
        code = _run([command, "-t", str(path), *map(str, args)])
        shown = capsys.readouterr()
        assert "internal error" not in shown.err
        return Done(code, shown.out, shown.err)

    return run


# --- plan -----------------------------------------------------------------------------------------


def test_a_plan_is_told_without_asking_anybody(call: Any, cloud: FakeOpenStack) -> None:
    done = call("plan", "-p", "ci-quick", "--lang", "en")
    assert (done.code, done.err, cloud.requests) == (0, "", [])
    assert done.out == QUICK


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("profile", ["ci-quick", "ndc-connection", "s3-only"])
def test_a_plan_fits_eighty_columns(call: Any, cloud: FakeOpenStack, profile: str, lang: str) -> None:
    done = call("plan", "-p", profile, "--lang", lang, absent="")
    assert max(map(len, done.out.splitlines())) <= 80


def test_a_plan_as_json(call: Any, cloud: FakeOpenStack) -> None:
    found = call("plan", "-p", "ci-quick", "-f", "json", absent="").json
    (subject,) = found["subjects"]
    assert (found["schema_version"], subject["subject"]) == (1, "mau")
    assert subject["profile"] == {"id": "ci-quick", "version": "1.0.0"}
    (target,) = subject["targets"]
    assert (target["name"], target["kind"], target["vantage"]) == ("hn", "openstack", "tenant")
    calls = {one["call"]: one for one in target["calls"]}
    assert calls["cinder.volumes"] == {
        "call": "cinder.volumes",
        "service": "block-storage",
        "request": "GET /volumes/detail",
        "per": "region_project",
        "item": None,
        "lists": True,
        "controls": ["BDR-01", "SEC-15"],
    }
    assert calls["cinder.type_encryption"]["per"] == "item"
    assert calls["cinder.type_encryption"]["item"] == "types"
    assert subject["without"] == [{"kind": "s3", "declared": False, "controls": ["RES-04", "SEC-13"]}]


def test_a_wrong_profile_and_a_wrong_cloud_are_told(call: Any, cloud: FakeOpenStack, tmp_path: Path) -> None:
    for command in ("plan", "preflight"):
        done = call(command, "-p", "ci-quik")
        assert (done.code, done.out) == (2, "")
        assert "did you mean 'ci-quick'?" in done.err
        done = call(command, more="e")
        assert (done.code, done.out) == (2, "")
        assert "has no entry 'fakee' (entries: fake); did you mean 'fake'?" in done.err
    assert cloud.requests == []


# --- permissions ----------------------------------------------------------------------------------


def test_permissions_are_written_for_a_profile_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "quyen"
    assert _run(["permissions", "-p", "ci-quick", "-o", str(out), "--quiet"]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")
    assert sorted(path.name for path in out.iterdir()) == [
        "README.txt", "keystone-access-rules.json", "rgw-caps.txt", "s3-bucket-policy.ceph.json",
        "s3-bucket-policy.json", "s3-user-policy.json",
    ]  # fmt: skip
    readme = (out / "README.txt").read_text(encoding="utf-8")
    assert readme.startswith("QUYỀN TỐI THIỂU CHO DANH TÍNH KIỂM TOÁN (hồ sơ ci-quick)\n")
    assert "--access-rules keystone-access-rules.json" in readme
    assert _run(["permissions", "-p", "ci-quick", "-o", str(out)]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_permissions_of_targets_take_no_credentials(call: Any, cloud: FakeOpenStack, tmp_path: Path) -> None:
    """They are what the credentials are made with."""
    (tmp_path / "clouds.yaml").unlink()
    out = tmp_path / "quyen"
    done = call("permissions", "-p", "ci-quick", "-o", out)
    assert (done.code, done.out, cloud.requests) == (0, "", [])
    assert sorted(path.name for path in out.iterdir()) == ["README.txt", "keystone-access-rules.json"]
    done = call("permissions", "-p", "ci-quik", "-o", tmp_path / "khac")
    assert (done.code, (tmp_path / "khac").exists()) == (2, False)


# --- preflight ------------------------------------------------------------------------------------


@pytest.fixture
def sound(cloud: FakeOpenStack) -> FakeOpenStack:
    """A cloud that lets a member see all that ci-quick asks."""
    cloud.roles = {SHOP: ["member"], BANK: ["member"]}
    acl = {"X-Container-Read": f"{SHOP}:u-an"}
    for project, names in ((SHOP, ["kho"]), (BANK, [])):
        rows = [{"name": name} for name in names]
        cloud.answer(f"/object/v1/AUTH_{project}?format=json&limit=20", rows)
    cloud.answer(f"/object/v1/AUTH_{SHOP}/kho", status=204, headers={"X-Container-Object-Count": "1", **acl})
    return cloud


def test_a_sound_cloud_exits_0_and_nothing_is_written(
    call: Any, sound: FakeOpenStack, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    done = call("preflight", "-p", "ci-quick", "--lang", "en", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert (
        done.out
        == """\
Subject mau
Profile ci-quick 1.0.0

hn
  seen            identity           GET /auth/projects
  seen            identity           GET /auth/catalog
  seen            block-storage      GET /backups/detail
  seen            block-storage      GET /snapshots/detail
  seen            block-storage      GET /types?is_public=None
  seen            block-storage      GET /volumes/detail
  seen            block-storage      GET /types/{id}/encryption
  seen            network            GET /ports
  seen            network            GET /security-group-rules
  seen            object-store       GET /
  seen            object-store       HEAD /{container}

11 seen
Everything that is planned can be seen.
Every scope was asked, but only the beginning of each list was read, and the
settings of one bucket of each store: what breaks later on is not foreseen.
"""
    )
    assert sorted(path for path in tmp_path.iterdir() if path.name != "targets.yaml") == before


def test_what_is_refused_is_told_with_reason_scope_and_controls(call: Any, sound: FakeOpenStack) -> None:
    sound.answer("/network/v2.0/ports", status=403, project=SHOP)
    done = call("preflight", "-p", "ci-quick", "--lang", "vi", "--quiet")
    assert done.code == 3
    lines = done.out.splitlines()
    at = lines.index("  bị từ chối      network            GET /ports")
    assert lines[at + 1 : at + 4] == [
        "      Thiếu quyền đọc: GET /network/v2.0/ports?limit=1000 nhận trả lời HTTP 403",
        f"      [hn/vn-hn-1/{SHOP}]",
        "      sẽ không xác định: SEC-06",
    ]
    assert "10 đọc được, 1 bị từ chối" in lines
    assert "1 biện pháp kiểm soát có thể không xác định được: SEC-06" in lines
    assert max(map(len, lines)) <= 80


def test_a_preflight_as_json(call: Any, sound: FakeOpenStack) -> None:
    sound.answer("/network/v2.0/ports", status=403, project=SHOP)
    done = call("preflight", "-p", "ci-quick", "-f", "json")
    (subject,) = done.json["subjects"]
    assert (done.code, subject["complete"], subject["controls"]) == (3, False, ["SEC-06"])
    (ports,) = (one for one in subject["calls"] if one["call"] == "neutron.ports")
    assert ports == {
        "target": "hn",
        "call": "neutron.ports",
        "service": "network",
        "request": "GET /ports",
        "state": "refused",
        "scopes": 2,
        "not_seen": [f"hn/vn-hn-1/{SHOP}"],
        "reason_code": "no_permission",
        "detail": "HTTP 403 from GET /network/v2.0/ports?limit=1000",
        "controls": ["SEC-06"],
    }


def test_what_a_cloud_says_cannot_steer_the_terminal(call: Any, sound: FakeOpenStack) -> None:
    row = {
        "id": "f" * 32 + "\x1b[31m\u202e",
        "name": "x",
        "enabled": True,
        "domain_id": "default",
        "tags": [],
    }
    sound.answer("/identity/v3/auth/projects", listed("projects", [row]))
    done = call("preflight", "-p", "ci-quick", "--lang", "en", "--quiet")
    assert done.code == 3
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out


def test_a_preflight_and_a_collection_agree_on_the_exit_code(
    call: Any, sound: FakeOpenStack, tmp_path: Path
) -> None:
    for number, status in enumerate((200, 403)):
        sound.answer(f"/volume/v3/{BANK}/volumes/detail", {"volumes": []}, status)
        codes = {
            call("preflight", "-p", "ci-quick", "-q").code,
            call("collect", "-p", "ci-quick", "-q", "-o", tmp_path / f"anh-{number}").code,
        }
        assert codes == {0 if status == 200 else 3}
