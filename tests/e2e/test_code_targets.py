"""Plans and states as targets, the whole way from the command line: what is refused, and where findings point."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cloudaudit.cli import _run, cli
from cloudaudit.errors import OutputError

ROOT = Path(__file__).parents[2]

CANARY = "CANARY-mat-khau-2"
MAKE = "terraform plan -out=p && terraform show -json p > plan.json (tofu likewise)"
RULE = "openstack_networking_secgroup_rule_v2"
CODE = f"""\
resource "{RULE}" "ssh" {{
  direction        = "ingress"
  ethertype        = "IPv4"
  protocol         = "tcp"
  port_range_min   = 22
  port_range_max   = 22
  remote_ip_prefix = "0.0.0.0/0"
}}
"""
VALUES = {
    "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "port_range_min": 22, "port_range_max": 22,
    "remote_ip_prefix": "0.0.0.0/0", "description": CANARY,
}  # fmt: skip
ROW = {"address": f"{RULE}.ssh", "mode": "managed", "type": RULE, "name": "ssh", "values": VALUES}
PLAN = {
    "format_version": "1.2",
    "terraform_version": "1.11.4",
    "configuration": {},
    "planned_values": {"root_module": {"resources": [{**ROW, "sensitive_values": {"description": True}}]}},
    "resource_changes": [
        {**ROW, "change": {"actions": ["create"], "after_unknown": {"id": True, "security_group_id": True}}}
    ],
}
STATE = {
    "version": 4,
    "terraform_version": "1.11.4",
    "resources": [
        {**ROW, "instances": [{"attributes": {**VALUES, "id": "r-1", "security_group_id": "g-1"}}]}
    ],
}


def run(
    capsys: pytest.CaptureFixture[str], folder: Path, *targets: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str]:
    """Run the profile of pipelines over targets. Returns the exit code and what stands on stderr."""
    listed = "".join(f"      - {{{one}, kind: terraform}}\n" for one in targets)
    text = f"version: 1\nsubjects:\n  - id: x\n    kind: agency\n    title: {{vi: X}}\n    targets:\n{listed}"
    (folder / "targets.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    code = _run(["run", "-t", "targets.yaml", "-p", "ci-quick", "-o", "out", "--lang", "en"])
    return code, capsys.readouterr().err


def written(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@pytest.mark.parametrize(
    ("form", "content", "message"),
    [
        (
            "plan",
            CODE.encode(),
            f"is the configuration itself (HCL), not JSON made from it; make it with: {MAKE}",
        ),
        ("plan", written(PLAN)[:-9], f"breaks off in line 1; make it with: {MAKE}"),
        (
            "plan",
            {**PLAN, "format_version": "2.1"},
            "has format version '2.1'; 0.1, 0.2 and 1.x are known; look for a newer cloudaudit, or make it by Terraform 1 or OpenTofu: "
            + MAKE,
        ),
        ("plan", STATE, "is a state, not a plan; write `state:` in place of `plan:`, or make a plan"),
        ("state", PLAN, "is a plan, not a state; write `plan:` in place of `state:`"),
    ],
)
def test_a_file_that_is_not_what_it_should_be(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    form: str,
    content: Any,
    message: str,
) -> None:
    (tmp_path / "p.json").write_bytes(written(content))
    code, err = run(capsys, tmp_path, f"name: a, {form}: p.json", monkeypatch=monkeypatch)
    assert (code, err.splitlines()[-1]) == (2, f"error: targets.yaml:7:9: '{form}': p.json: {message}")
    assert CANARY not in err
    assert not (tmp_path / "out").exists()


def test_all_broken_files_are_told_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "p.json").write_bytes(b"")
    (tmp_path / "s.json").write_bytes(b"PK\x03\x04")
    code, err = run(
        capsys, tmp_path, "name: a, plan: p.json", "name: b, state: s.json", monkeypatch=monkeypatch
    )
    assert code == 2
    assert "targets.yaml:7:9: 'plan': p.json: is empty" in err
    assert "targets.yaml:8:9: 'state': s.json: is a plan as `terraform plan -out` writes it" in err


@pytest.mark.parametrize(("form", "content"), [("plan", PLAN), ("state", STATE)])
def test_findings_point_into_the_code_and_no_secret_is_in_any_file(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    form: str,
    content: Any,
) -> None:
    (tmp_path / "p.json").write_bytes(written(content))
    (tmp_path / "ha-tang").mkdir()
    (tmp_path / "ha-tang" / "main.tf").write_text(f"# một\n{CODE}", encoding="utf-8")
    code, err = run(
        capsys, tmp_path, f"name: a, {form}: p.json, source: ha-tang, region: HN", monkeypatch=monkeypatch
    )
    assert code in (1, 3), err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    places = {
        (found["control"], found["resource"]["source"]["path"])
        for found in report["findings"]
        if found["resource"].get("source") and 2 <= found["resource"]["source"]["line"] <= 8
    }
    assert ("SEC-06", "ha-tang/main.tf") in places
    (told,) = report["targets"]
    assert told["file"] == "p.json"
    assert told["made"]["terraform_version"] == "1.11.4"
    for file in (tmp_path / "out").rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert CANARY.encode() not in (gzip.decompress(content) if file.suffix == ".gz" else content)


def test_an_export_never_overwrites_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the pen in a pipeline must not cost anybody the plan, the targets or the code."""
    source = ROOT / "examples" / "ci"
    shutil.copytree(source, tmp_path / "ci")
    monkeypatch.chdir(tmp_path / "ci")
    before = {file: file.read_bytes() for file in Path().rglob("*") if file.is_file()}
    for path in (
        "fixed/plan.json", "fixed/targets.yaml", "fixed/main.tf", "./fixed/../fixed/main.tf", "registers/systems.yaml",
    ):  # fmt: skip
        with pytest.raises(OutputError, match="is read for this audit"):
            cli.main(
                [
                    "run",
                    "-t",
                    "fixed/targets.yaml",
                    "-p",
                    "before-deployment",
                    "-o",
                    "out",
                    "--export",
                    f"sarif={path}",
                ],
                standalone_mode=False,
            )
    assert {file: file.read_bytes() for file in Path().rglob("*") if file.is_file()} == before


def test_checking_a_configuration_reads_the_plans_that_are_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT / "examples" / "ci")
    found = {}
    for state in ("fixed", "broken"):
        code = _run(["check-config", "-q", "-t", f"{state}/targets.yaml", "-p", "before-deployment"])
        found[state] = (code, capsys.readouterr().err)
    assert found["fixed"] == (0, "")
    assert found["broken"][0] == 2
    assert "broken/targets.yaml:9:9: 'plan': broken/plan.json: breaks off in line 361" in found["broken"][1]
