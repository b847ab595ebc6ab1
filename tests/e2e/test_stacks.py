"""A Heat template judged before it is deployed: the same file with four environments gives every exit code."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from cloudaudit.cli import _run

DATA = Path(__file__).parent.parent / "data" / "heat"
TARGETS = """version: 1
subjects:
  - id: ha-tang
    kind: agency
    title: {{vi: Hạ tầng, en: Infrastructure}}
    targets:
      - {{name: stack, kind: heat, template: {template}{more}, region: vn-hn-1, project: app}}
"""


def judged(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    template: str,
    more: str = "",
) -> tuple[int, str, dict[str, tuple[str, object]]]:
    """Exit code, errors, and of each resource of SEC-06 the verdict and its place in the code."""
    shutil.copytree(DATA, folder, dirs_exist_ok=True)
    (folder / "targets.yaml").write_text(TARGETS.format(template=template, more=more), encoding="utf-8")
    monkeypatch.chdir(folder)
    args = (
        "run",
        "-t",
        "targets.yaml",
        "-p",
        "profile.yaml",
        "-o",
        "out",
        "-f",
        "json",
        "--lang",
        "en",
        "-q",
    )
    code = _run(list(args))
    found = {}
    if (folder / "out" / "findings.jsonl.gz").exists():
        lines = gzip.decompress((folder / "out" / "findings.jsonl.gz").read_bytes()).decode().splitlines()
        rows = [row for row in map(json.loads, lines) if row["control"] == "SEC-06"]
        found = {row["resource"]["id"]: (row["verdict"], row["resource"].get("source")) for row in rows}
    return code, capsys.readouterr().err, found


HTTPS = ("pass", {"path": "stack.yaml", "line": 28})


@pytest.mark.parametrize(
    ("more", "code", "rules"),
    [
        (", environment: violating.env.yaml", 1, {
            "group/rules/0": HTTPS, "group/rules/1": ("fail", {"path": "stack.yaml", "line": 32}),
        }),
        # What lets in a private range alone is none of the rules that SEC-06 looks at.
        (", environment: fixed.env.yaml", 0, {"group/rules/0": HTTPS}),
        ("", 3, {"group/rules/0": HTTPS, "group/rules/1": ("unknown", {"path": "stack.yaml", "line": 32})}),
    ],
    ids=["violating", "fixed", "open"],
)  # fmt: skip
def test_exit_code_and_line(
    more: str,
    code: int,
    rules: object,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert judged(tmp_path, capsys, monkeypatch, "stack.yaml", more)[::2] == (code, rules)


def test_a_truncated_template_is_an_error_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, errors, found = judged(tmp_path, capsys, monkeypatch, "broken.yaml")
    assert (code, found) == (2, {})
    assert "broken.yaml:32:" in errors
    assert "this is not YAML" in errors


def test_a_condition_that_is_not_told_leaves_the_list_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (DATA / "stack.yaml").read_text(encoding="utf-8")
    text = text.replace(
        "  group:\n    type:", "  group:\n    condition: {equals: [{get_param: admin_range}, x]}\n    type:"
    )
    (tmp_path / "own.yaml").write_text(
        text.replace("security_groups: [{get_resource: group}]", ""), encoding="utf-8"
    )
    code, _, found = judged(tmp_path, capsys, monkeypatch, "own.yaml")
    assert (code, [verdict for verdict, _ in found.values()]) == (3, ["unknown"])
    report = json.loads((tmp_path / "out" / "report.json").read_bytes())
    details = {gap["detail"] for gap in report["gaps"]}
    assert details == {"own.yaml:23: whether 'group' is declared rests on a condition that is not told"}


def test_secrets_of_a_template_are_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    template = (
        "heat_template_version: rocky\nparameters:\n  pw: {type: string, hidden: true, default: Zq7hunter22xyz}\n"
        "resources:\n"
        "  u: {type: 'OS::Keystone::User', properties: {name: u, password: {get_param: pw}}}\n"
        "  v: {type: 'OS::Cinder::Volume', properties: {size: 1, metadata: {password: Zq7hunter22abc}}}\n"
        "  k: {type: 'OS::Barbican::Secret', properties: {name: k, payload: Zq7hunter22def}}\n"
        "  s: {type: 'OS::Nova::Server', properties: {flavor: a, admin_pass: Zq7hunter22ghi,"
        " user_data: 'password=Zq7hunter22jkl'}}\n"
    )
    (tmp_path / "own.yaml").write_text(template, encoding="utf-8")
    _, errors, _ = judged(tmp_path, capsys, monkeypatch, "own.yaml")
    assert "Zq7hunter" not in errors
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(written) > 3
    for path in written:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        assert b"Zq7hunter" not in content, path
