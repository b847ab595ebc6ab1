"""What people get wrong, and what the command line says then: one clear message, the right exit code."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from cloudaudit import demo
from cloudaudit.cli import _run
from cloudaudit.data import folder

SAMPLE = Path(demo.__file__).parent / "sample"
TARGETS = """\
version: 1
subjects:
  - id: mau
    kind: provider
    title: {vi: Mẫu}
    targets:
      - {name: kho, kind: s3, endpoint: "https://127.0.0.1:1", profile: mau, region: vn-hn}
"""


def cloudaudit(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    code = _run([str(arg) for arg in args])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.fixture
def control(tmp_path: Path) -> Path:
    """An organisation's own control, to be broken by a test."""
    path = tmp_path / "own" / "BDR-901.yaml"
    path.parent.mkdir()
    text = (folder("controls") / "BDR" / "BDR-01.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("id: BDR-01", "id: BDR-901"), encoding="utf-8")
    return path


def test_a_sound_control_of_ones_own_passes(capsys: pytest.CaptureFixture[str], control: Path) -> None:
    code, out, err = cloudaudit(capsys, "controls", "lint", control.parent)
    assert (code, err) == (0, "")
    assert out.startswith("1 control, ")


def test_a_control_of_ones_own_that_no_profile_selects_is_told(
    capsys: pytest.CaptureFixture[str], control: Path, tmp_path: Path
) -> None:
    _, _, err = cloudaudit(
        capsys, "permissions", "-p", "ci-quick", "--controls", control.parent, "-o", tmp_path / "rights"
    )
    assert (
        f"warning: {control}: the profile 'ci-quick' does not select BDR-901; "
        "a profile of your own can: extends: ci-quick, controls: [..., BDR-901]"
    ) in err


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("at_most:", "at_moast:", "'at_moast' does not belong here; did you mean 'at_most'?"),
        ("severity: critical", "serverity: critical", "did you mean 'severity'?"),
        ("severity: critical", "severity: critcal", "did you mean 'critical'?"),
        ("applies_to: openstack.volume", "applies_to: openstack.volum", "did you mean 'openstack.volume'?"),
        (
            "applies_to: openstack.volume",
            "applies_to: [openstack.volume, openstack.volume]",
            "'applies_to', item 2: the text 'openstack.volume' is already in the list; remove one of the two",
        ),
        ("fact: backup.newest_age", "fact: backup.newest_aeg", "did you mean 'backup.newest_age'?"),
        ("D1121-15d", "D1121-15z", "unknown obligation 'D1121-15z'; did you mean 'D1121-15"),
        ("id: BDR-901", "id: BDR-901\nid: BDR-902", "is already"),
        ("id: BDR-901", "\tid: BDR-901", "tab"),
    ],
)
def test_a_broken_control_is_told_with_its_place(
    capsys: pytest.CaptureFixture[str], control: Path, before: str, after: str, message: str
) -> None:
    text = control.read_text(encoding="utf-8")
    assert before in text
    control.write_text(text.replace(before, after, 1), encoding="utf-8")
    code, out, err = cloudaudit(capsys, "controls", "lint", control.parent)
    assert code == 2
    assert out == ""
    line = text[: text.index(before)].count("\n") + 1
    places = [entry for entry in err.splitlines() if entry.startswith(f"error: {control}:")]
    assert places, err
    numbers = {int(entry.removeprefix(f"error: {control}:").split(":")[0]) for entry in places}
    assert any(abs(number - line) <= 1 for number in numbers), err
    assert message in err


def test_a_message_that_names_no_fact_is_told_once_a_language(
    capsys: pytest.CaptureFixture[str], control: Path
) -> None:
    text = control.read_text(encoding="utf-8")
    neutral, violation, rest = text.partition("\n  violation:")
    control.write_text(neutral.replace("{name}", "{nmae} {nmae}") + violation + rest, encoding="utf-8")
    code, _, err = cloudaudit(capsys, "controls", "lint", control.parent)
    assert (code, err.count("the message names unknown fact 'nmae'; did you mean 'name'?")) == (2, 2)


def test_a_message_that_needs_a_call_of_its_own_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "RES-913.yaml"
    text = (folder("controls") / "RES" / "RES-13.yaml").read_text(encoding="utf-8")
    text = text.replace("id: RES-13", "id: RES-913").replace("{role}", "{role}, {peer_cidrs}")
    path.write_text(text, encoding="utf-8")
    line = text[: text.index("  vi:", text.index("\nmessage:"))].count("\n") + 1
    code, out, err = cloudaudit(capsys, "controls", "lint", path)
    assert (code, out.endswith(" 1 problem\n")) == (2, True)
    assert err.startswith(f"error: {path}:{line}:")
    assert "RES-913: the message names 'peer_cidrs', and no call made for its conditions reads that" in err


def test_an_example_that_no_longer_holds_is_told(capsys: pytest.CaptureFixture[str], control: Path) -> None:
    text = control.read_text(encoding="utf-8")
    control.write_text(text.replace("at_most:", "at_least:", 1), encoding="utf-8")
    code, out, err = cloudaudit(capsys, "controls", "lint", control.parent)
    assert code == 2
    assert "this example gives" in err
    assert ", 0 problems" not in out


def test_two_controls_with_one_id(capsys: pytest.CaptureFixture[str], control: Path) -> None:
    shutil.copy(control, control.with_name("again.yaml"))
    code, _, err = cloudaudit(capsys, "controls", "lint", control.parent)
    assert code == 2
    assert "control 'BDR-901' is already defined in" in err


def test_an_own_control_cannot_take_a_shipped_id(capsys: pytest.CaptureFixture[str], control: Path) -> None:
    text = control.read_text(encoding="utf-8")
    control.write_text(text.replace("BDR-901", "BDR-01"), encoding="utf-8")
    code, _, err = cloudaudit(capsys, "controls", "list", "--controls", control.parent)
    assert code == 2
    assert "control 'BDR-01' is already defined in" in err


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ("ndc-conection", "there is no profile 'ndc-conection'; did you mean 'ndc-connection'?"),
        ("controls: [BDR-1]", "no control fits 'BDR-1'; did you mean 'BDR-"),
        ("controls: []", "controls"),
        ("controls: [BDR-01]\nexclude: {BDR-01: {vi: Không cần, en: Not needed}}", "selects no control"),
        (
            "controls: [BDR-01]\nparameters: {BDR-01: {max_backup_aeg: PT1H}}",
            "did you mean 'max_backup_age'?",
        ),
        (
            "controls: [BDR-01]\nparameters: {BDR-01: {max_backup_age: 5}}",
            "a duration such as PT24H is expected",
        ),
        ("controls: [BDR-01]\nextends: ndc-conection", "did you mean 'ndc-connection'?"),
    ],
)
def test_a_wrong_profile(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, profile: str, message: str
) -> None:
    name = profile
    if ":" in profile:
        path = tmp_path / "own.yaml"
        head = "id: own\nversion: 1.0.0\ntitle: {vi: Riêng, en: Own}\npublisher: {vi: Ta, en: We}\nofficial: false\n"
        path.write_text(
            head + "notice: {vi: Không chính thức, en: Unofficial}\n" + profile + "\n", encoding="utf-8"
        )
        name = str(path)
    code, _, err = cloudaudit(capsys, "profiles", "show", name)
    assert code == 2
    assert message in err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["rnu"], "there is no command 'rnu'; did you mean 'run'?"),
        (["run"], "Missing option '-t'"),
        (["run", "-t", "nowhere.yaml"], "'nowhere.yaml' does not exist"),
        (["controls", "show", "BDR-0l"], "there is no control 'BDR-0l'; did you mean 'BDR-"),
        (["facts", "openstack.volum"], "did you mean 'openstack.volume'?"),
        (["obligations", "show", "D1121-15x"], "there is no obligation 'D1121-15x'"),
        (["schema", "target"], "there is no schema 'target'; did you mean 'targets'?"),
        (["report", "."], "is no assessment"),
        (["assess", ".", "-o", "x"], "is no snapshot"),
    ],
)
def test_usage(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    args: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = cloudaudit(capsys, *args)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("kind: s3", "kind: s4", "write one of: openstack, s3"),
        ("region: vn-hn", "regoin: vn-hn", "did you mean 'region'?"),
        ("profile: mau", "secret_key: abc", "secret"),
        ("title: {vi: Mẫu}", "title: 5", "title"),
        ("profile: mau", "profile: '${NO_SUCH_VARIABLE}'", "NO_SUCH_VARIABLE"),
    ],
)
def test_wrong_targets(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, before: str, after: str, message: str
) -> None:
    path = tmp_path / "targets.yaml"
    path.write_text(TARGETS.replace(before, after), encoding="utf-8")
    code, _, err = cloudaudit(capsys, "run", "-t", path, "-o", tmp_path / "out")
    assert code == 2
    assert f"error: {path}:" in err
    assert message in err
    assert not (tmp_path / "out").exists()


def test_the_output_folder_is_not_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "targets.yaml"
    path.write_text(TARGETS, encoding="utf-8")
    precious = tmp_path / "out" / "report.json"
    precious.parent.mkdir()
    precious.write_text("mine", encoding="utf-8")
    code, _, err = cloudaudit(capsys, "run", "-t", path, "-o", precious.parent)
    assert code == 2
    assert "is in the way and was not written by cloudaudit" in err
    assert precious.read_text(encoding="utf-8") == "mine"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Targets whose only store does not answer."""
    for name in ("access", "secret"):
        (tmp_path / name).write_text("x" * 20, encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    path = tmp_path / "targets.yaml"
    keys = "access_key_file: access, secret_key_file: secret"
    path.write_text(TARGETS.replace("profile: mau", keys), encoding="utf-8")
    return path


@pytest.mark.parametrize("register", ["waivers", "plans"])
def test_a_waiver_or_plan_for_no_control_is_refused_with_its_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, store: Path, register: str
) -> None:
    registers = tmp_path / "registers"
    shutil.copytree(SAMPLE / "registers", registers)
    path = registers / f"{register}.yaml"
    text = path.read_text(encoding="utf-8")
    named = re.search(r"control: (\S+?)[,\n]", text)
    assert named is not None
    path.write_text(text.replace(named[1], "SEC-999", 1), encoding="utf-8")
    code, _, err = cloudaudit(capsys, "run", "-t", store, "--registers", registers, "-o", tmp_path / "out")
    line = text[: named.start()].count("\n") + 1
    assert code == 2
    assert re.search(
        rf"^error: {re.escape(str(path))}:{line}:\d+: there is no control 'SEC-999'", err, re.M
    ), err
    assert not (tmp_path / "out").exists()


def test_kinds_of_papers_that_nothing_asks_for_are_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, store: Path
) -> None:
    registers = tmp_path / "registers"
    shutil.copytree(SAMPLE / "registers", registers)
    path = registers / "attestations.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("kind: commitment-dr", "kind: commitment-rd", 1), encoding="utf-8")
    _, _, err = cloudaudit(capsys, "plan", "-t", store, "--registers", registers)
    assert [line.rpartition(": ")[2] for line in err.splitlines() if line.startswith("warning: ")] == [
        "no control asks for the kind 'commitment-rd'; did you mean 'commitment-dr'?"
    ]
