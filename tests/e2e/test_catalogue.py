"""The commands that show what cloudaudit knows, as somebody sees them who writes controls and profiles."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cloudaudit.cli import _run
from cloudaudit.data import folder

OWN = """\
id: {id}
version: 1.0.0
title: {{vi: Ổ đĩa được mã hóa, en: The volume is encrypted}}
severity: high
method: T
basis: O
applies_to: openstack.volume
parameters:
  least: {{type: integer, default: 1, source: proposed-default}}
  age: {{type: duration, default: P2D, at_least: PT1H, source: proposed-default}}
check: {{all_of: [{{fact: encrypted, equals: true}}, {check}]}}
message: {{vi: "Khối {{name}}", en: "Volume {{name}}"}}
obligations: [D1121-15d]
frameworks: {{}}
remediation: {{vi: Mã hóa, en: Encrypt it}}
limits: {{vi: Không, en: None}}
examples:
  pass: [{{resource: {{encrypted: true, backup.count: 3, backup.newest_age: PT1H}}}}]
  fail: [{{resource: {{encrypted: false, backup.count: 3, backup.newest_age: PT1H}}}}]
  unknown: [{{resource: {{backup.count: 3, backup.newest_age: PT1H}}}}]
"""
BOTH = (
    "{fact: backup.count, at_least: {param: least}},"
    " {fact: backup.newest_age, at_most: {param: age}, if_null: false}"
)
PROFILE = """\
id: {id}
version: 1.0.0
title: {{vi: Riêng, en: Own}}
extends: ndc-connection
controls: [SEC-201, BDR-01, POR-04, DAT-04]
exclude: {{POR-04: {{vi: không có ảnh máy ảo, en: no images}}}}
parameters: {{BDR-01: {{max_backup_age: P3D}}}}
limits: {{BDR-01: {{max_backup_age: {{at_most: P1D}}}}, SEC-201: {{age: {{at_least: PT6H}}}}}}
weights: {{SEC: 50, BDR: 50}}
gates:
  - {{id: G1, title: {{vi: Có sao lưu, en: Backed up}}, controls: [BDR-01, POR-04]}}
  - {{id: G2, title: {{vi: Phân loại, en: Classified}}, controls: [DAT-04]}}
"""


def cloudaudit(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    code = _run([str(arg) for arg in args])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with one control of an organisation's own."""
    written(tmp_path / "own" / "SEC-201.yaml")
    return tmp_path / "own"


def written(path: Path, id_: str = "SEC-201", check: str = BOTH) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(OWN.format(id=id_, check=check), encoding="utf-8")
    return path


# --- controls ---------------------------------------------------------------------------------------


def test_a_control_is_shown_with_what_makes_it_pass(capsys: pytest.CaptureFixture[str], own: Path) -> None:
    assert cloudaudit(capsys, "controls", "show", "SEC-201", "--controls", own, "--lang", "vi") == (
        0,
        """\
SEC-201 Ổ đĩa được mã hóa
  Cao · Kỹ thuật (T) · Quan sát được (O) · phiên bản 1.0.0
  xét: openstack.volume
  đọc: backup.count, backup.newest_age, encrypted
  hạn chế: Không
  khắc phục: Mã hóa
  đáp ứng khi check đúng (docs/control-language.md):
    parameters:
      least: {type: integer, default: 1, source: proposed-default}
      age: {type: duration, default: P2D, at_least: PT1H, source: proposed-default}
    check:
      all_of:
      - {fact: encrypted, equals: true}
      - fact: backup.count
        at_least: {param: least}
      - fact: backup.newest_age
        at_most: {param: age}
        if_null: false
  D1121-15d [trích nguyên văn, còn hiệu lực] Quyết định số 1121/QĐ-TTg ngày 11/6/2025 của Thủ tướng Chính phủ, II.4.b
""",
        "",
    )


def test_a_control_is_shown_with_what_it_looks_up(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = cloudaudit(capsys, "controls", "show", "COM-04", "--lang", "en")
    lines = out.splitlines()
    assert lines[2:5] == [
        "  applies to: platform",
        "  reads: -",
        "  reads of attestation: age, headings, kind, language, reviewer, state, url",
    ]
    assert "    expired_when:" in lines
    assert (
        "      max_age: {type: duration, default: P365D, at_least: PT1H, source: proposed-default}" in lines
    )


def test_lint_counts_in_good_english(capsys: pytest.CaptureFixture[str], own: Path) -> None:
    assert cloudaudit(capsys, "controls", "lint", own) == (0, "1 control, 3 examples, 0 problems\n", "")


def test_lint_finds_what_a_later_command_would_refuse(capsys: pytest.CaptureFixture[str], own: Path) -> None:
    path = written(own / "SEC-13.yaml", "SEC-13")
    shipped = folder("controls") / "SEC" / "SEC-13.yaml"
    assert cloudaudit(capsys, "controls", "lint", own) == (
        2, "", f"error: {path}:1:5: control 'SEC-13' is already defined in {shipped}\n",
    )  # fmt: skip


def test_lint_takes_the_shipped_controls_by_another_path(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder("controls").parent)
    code, out, err = cloudaudit(capsys, "controls", "lint", "controls/NDC")
    assert (code, out.split(" ")[1], err) == (0, "controls,", "")


def test_lint_finds_what_would_be_ignored(capsys: pytest.CaptureFixture[str], own: Path) -> None:
    other = written(own / "SEC-202.yaml", "SEC-203", "{fact: backup.count, at_least: {param: least}}")
    assert cloudaudit(capsys, "controls", "lint", own) == (
        2,
        "2 controls, 6 examples, 2 problems\n",
        f"error: {other}:1:5: control 'SEC-203' stands in SEC-202.yaml; call the file SEC-203.yaml\n"
        f"error: {other}:10:3: SEC-203: no condition reads the parameter 'age';"
        " write {param: age} where it is meant, or leave it out\n",
    )


@pytest.mark.parametrize("command", [("lint",), ("list", "--controls")])
def test_a_yml_is_not_passed_over(
    capsys: pytest.CaptureFixture[str], own: Path, command: tuple[str, ...]
) -> None:
    path = written(own / "SEC-202.yml", "SEC-202")
    assert cloudaudit(capsys, "controls", *command, own) == (
        2, "", f"error: {path}: a control is a .yaml file: this one would not be read; call it SEC-202.yaml\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("check", "hint"),
    [
        ("{fact: backup.count, min: 2}", "a fact of type integer takes equals, not_equals, in"),
        ("{fact: backup.count, at_moast: 2}", "did you mean 'at_most'?"),
    ],
)
def test_an_operator_that_there_is_not(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, check: str, hint: str
) -> None:
    written(tmp_path / "own" / "SEC-201.yaml", check=check)
    _, _, err = cloudaudit(capsys, "controls", "lint", tmp_path / "own")
    assert f"does not belong here; {hint}" in err.splitlines()[0]
    assert "'in'?" not in err


def test_an_id_in_small_letters_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    assert cloudaudit(capsys, "controls", "show", "sec-13") == (
        2, "", "error: there is no control 'sec-13'; did you mean 'SEC-13'?\n",
    )  # fmt: skip


# --- profiles ---------------------------------------------------------------------------------------


def test_a_profile_of_own_controls_is_shown_whole(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, own: Path
) -> None:
    path = tmp_path / "rieng.yaml"
    path.write_text(PROFILE.format(id="rieng"), encoding="utf-8")
    assert cloudaudit(capsys, "profiles", "lint", path, "--controls", own) == (
        0, "1 profile, 0 problems\n", "",
    )  # fmt: skip
    assert cloudaudit(capsys, "profiles", "show", path, "--controls", own, "--lang", "vi") == (
        0,
        """\
rieng 1.0.0: Riêng
  Hồ sơ năng lực do dự án cloudaudit đề xuất, không phải tiêu chuẩn của cơ quan có thẩm quyền.
  2 biện pháp kiểm soát: BDR-01, SEC-201
  không xét DAT-04: thuộc trách nhiệm cơ quan
  không xét POR-04: không có ảnh máy ảo
  BDR-01: max_backup_age = 3 ngày (mặc định: 1 ngày)
  BDR-01: giới hạn cho max_backup_age: không quá 1 ngày
  BDR-01: không đáp ứng vì vượt giới hạn: max_backup_age = "P3D"; at_most: "P1D"
  SEC-201: giới hạn cho age: ít nhất 6 giờ
  G1 Có sao lưu: BDR-01; không xét POR-04
  G2 Phân loại: không xét DAT-04
""",
        "",
    )


def test_all_profiles_are_linted_and_told_by_their_files(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, own: Path
) -> None:
    wrong, broken = tmp_path / "ten.yaml", tmp_path / "hong.yaml"
    wrong.write_text(PROFILE.format(id="khac"), encoding="utf-8")
    broken.write_text(PROFILE.format(id="hong").replace("connection", "conection"), encoding="utf-8")
    code, out, err = cloudaudit(capsys, "profiles", "lint", wrong, broken, "--controls", own)
    assert (code, out) == (2, "2 profiles, 2 problems\n")
    assert err.splitlines()[0] == (
        f"error: {wrong}:1:5: profile 'khac' stands in ten.yaml; call the file khac.yaml: it is named by that"
    )
    assert err.splitlines()[1].startswith(f"error: {broken}:4:10: there is no profile 'ndc-conection'")


def test_a_reason_in_one_language_is_asked_for_in_both(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, own: Path
) -> None:
    path = tmp_path / "rieng.yaml"
    text = PROFILE.format(id="rieng").replace(
        "{vi: không có ảnh máy ảo, en: no images}", "không có ảnh máy ảo"
    )
    path.write_text(text, encoding="utf-8")
    _, _, err = cloudaudit(capsys, "profiles", "lint", path, "--controls", own)
    assert err == (
        f"error: {path}:6:19: 'POR-04': a mapping (key: value) is expected, found the text 'không có ảnh máy ảo';"
        " write it in both languages: {vi: không có ảnh máy ảo, en: …}\n"
    )


# --- the others -------------------------------------------------------------------------------------


def test_facts_show_what_lists_hold(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = cloudaudit(capsys, "facts", "s3.bucket", "--lang", "en")
    (line,) = [line for line in out.splitlines() if line.startswith("  lifecycle.rules ")]
    assert "list of record (id, enabled, " in line


def test_an_obligation_is_told_in_the_language_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = cloudaudit(capsys, "obligations", "show", "D1121-15d", "--lang", "vi")
    lines = out.splitlines()
    assert lines[1:4] == [
        "  nguồn: trích nguyên văn; hiệu lực: còn hiệu lực; loại văn bản: Quyết định",
        "  “… dự phòng thảm họa; …”",
        "  bản dịch tiếng Anh: publish: disaster recovery",
    ]
    assert lines[4].startswith("  biện pháp kiểm soát phục vụ: BDR-01, ")


def test_attest_new_without_a_kind_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = cloudaudit(capsys, "attest", "new", "--lang", "vi")
    lines = out.splitlines()
    assert (code, lines) == (0, sorted(lines))
    assert "commitment-dr                      Cam kết dự phòng thảm họa" in lines


def test_help_names_the_formats(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = cloudaudit(capsys, "report", "--help")
    assert "Format for stdout: text, json, html" in " ".join(out.split())


def test_schema_without_a_name_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = cloudaudit(capsys, "schema")
    assert code == 0
    assert {"control", "profile", "targets", "drills"} <= set(out.split())


@pytest.mark.parametrize(
    "args",
    [
        ("profiles", "show", "ndc-connection"), ("providers", "show", "bizfly-hn"), ("facts", "s3.bucket"),
        ("obligations", "show", "D1121-15d"), ("controls", "show", "BDR-02"), ("obligations", "list"),
        ("controls", "list"), ("profiles", "list"), ("providers", "list"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_terminal_gets_lines_that_fit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], lang: str
) -> None:
    _, piped, _ = cloudaudit(capsys, *args, "--lang", lang)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    _, folded, _ = cloudaudit(capsys, *args, "--lang", lang)
    # An address has no place to be cut at, and a condition is no YAML any more if it is.
    wide = [
        line for line in folded.splitlines() if len(line) > 80 and "https://" not in line and "$" not in line
    ]
    assert wide == []
    assert "".join(folded.split()) == "".join(piped.split())
    assert len(folded.splitlines()) > len(piped.splitlines())
