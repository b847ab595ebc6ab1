"""Folders that are not as they were written: damaged, forged, or with an older output in them."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cloudaudit import api
from cloudaudit.catalog import load_types
from cloudaudit.cli import _run
from cloudaudit.errors import SnapshotError
from cloudaudit.model import Gap, Listing, Reason, Scope, parse_time
from cloudaudit.snapshot import Contents, write

NOW = parse_time("2026-11-22T08:00:00Z")
AT = ("--at", "2026-11-22T09:00:00Z")
RUN = {
    "subject": {"id": "so", "kind": "provider", "title": {"vi": "Sở", "en": "Department"}},
    "targets": [{"name": "kho", "kind": "s3"}],
    "figures": {"buckets_listed": 0, "buckets_readable": 0},
}


def cloudaudit(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    code = _run([str(arg) for arg in args])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def collected(folder: Path) -> None:
    """A small snapshot, as collect leaves it."""
    scope = Scope("kho")
    contents = Contents(
        NOW, NOW, frozenset({"s3.bucket", "s3.endpoint"}), (), [Listing(scope, "s3.bucket", 0, "whole list")],
        [Gap(scope, "s3.endpoint", "s3.capabilities", Reason.TIMEOUT)], (), RUN,
    )  # fmt: skip
    write(folder, contents, load_types())


@pytest.fixture(scope="module")
def assessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run leaves: snapshot, findings, report.json and report.html. Not to be changed."""
    out = tmp_path_factory.mktemp("audit") / "out"
    collected(out / "snapshot")
    assert _run(["assess", str(out / "snapshot"), "-o", str(out), *AT, "-q"]) in (1, 3)
    assert _run(["report", str(out), "-f", "html", "-o", str(out / "report.html")]) == 0
    return out


@pytest.fixture
def folder(assessed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(assessed, tmp_path / "out"))


# --- the output folder of an earlier run --------------------------------------------------------------


def test_assessing_again_leaves_no_report_of_the_run_before(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    manifest = (folder / "snapshot/manifest.json").read_bytes()
    (folder / "ghi-chu.txt").write_text("mine", encoding="utf-8")
    (folder / "registers").mkdir()
    (folder / "registers/sites.yaml").touch()
    args = ("assess", folder / "snapshot", "-o", folder, "-p", "ci-quick", *AT, "-q")
    assert cloudaudit(capsys, *args)[0] in (0, 1, 3)
    assert sorted(path.name for path in folder.iterdir()) == [
        "assessment.json", "findings.jsonl.gz", "ghi-chu.txt", "report.json", "snapshot",
    ]  # fmt: skip
    assert json.loads((folder / "report.json").read_bytes())["profile"]["id"] == "ci-quick"
    assert (folder / "snapshot/manifest.json").read_bytes() == manifest
    assert (folder / "ghi-chu.txt").read_text(encoding="utf-8") == "mine"


def test_a_folder_with_another_snapshot_is_left_alone(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    collected(tmp_path / "other")
    code, out, err = cloudaudit(capsys, "assess", tmp_path / "other", "-o", folder, *AT)
    assert (code, out) == (2, "")
    assert err == (
        f"error: {folder / 'snapshot'} is another snapshot than the one to assess; "
        "give the output a folder of its own\n"
    )
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_report_of_somebody_else_is_left_alone(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "other" / "report.html"
    precious.parent.mkdir()
    precious.write_text("mine", encoding="utf-8")
    code, _, err = cloudaudit(capsys, "assess", folder / "snapshot", "-o", precious.parent, *AT)
    assert code == 2
    assert "is in the way and was not written by cloudaudit" in err
    assert precious.read_text(encoding="utf-8") == "mine"


def test_the_time_of_assessment_is_nothing_to_collect_by(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = cloudaudit(capsys, "collect", "-t", __file__, "-o", "x", *AT)
    assert code == 2
    assert "No such option '--at'" in err


# --- a snapshot -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["assess", "report"])
def test_a_snapshot_of_another_shape_is_the_users_to_mend(
    capsys: pytest.CaptureFixture[str], folder: Path, command: str
) -> None:
    path = folder / "snapshot/manifest.json"
    data = json.dumps({**json.loads(path.read_bytes()), "run": []}).encode()
    path.write_bytes(data)
    (folder / "snapshot/manifest.sha256").write_text(sha256(data).hexdigest())
    given = {
        "assess": (folder / "snapshot", "-o", folder / "again"),
        "report": (folder, "--snapshot", folder / "snapshot"),
    }
    code, out, err = cloudaudit(capsys, command, *given[command])
    assert (code, out) == (2, "")
    assert err == (
        f"error: {path} is not the manifest of a snapshot: run: a mapping (key: value) is expected, "
        "found an empty list; collect again, or take the copy that was archived\n"
    )
    assert not (folder / "again").exists()


# --- an assessment --------------------------------------------------------------------------------------


AGAIN = "; assess the snapshot again, or take the copy that was archived\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "is not the report of an assessment: a mapping (key: value) is expected, found an empty list"),
        ("null", "is not the report of an assessment: a mapping (key: value) is expected, found nothing"),
        ("{}", "is not the report of an assessment: missing key 'schema_version'"),
        ("[" * 100_000, "cannot be read: maximum recursion depth exceeded"),
        ("", "cannot be read: Expecting value"),
        ("1" * 5000, "cannot be read: Exceeds the limit"),
        ('{"a": NaN}', "cannot be read: NaN is no number of JSON"),
    ],
    ids=["list", "null", "empty", "deep", "nothing", "huge number", "no number"],
)
def test_what_is_no_report(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "report.json").write_text(text, encoding="utf-8")
    code, out, err = cloudaudit(capsys, "report", tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {tmp_path / 'report.json'} {message}")
    assert err.endswith(AGAIN)


def test_a_report_of_another_version(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text('{"schema_version": 2}', encoding="utf-8")
    assert cloudaudit(capsys, "report", tmp_path) == (
        2, "", f"error: {tmp_path / 'report.json'} is of another version than 1; "
        "assess the snapshot again with this version of cloudaudit\n",
    )  # fmt: skip


def without(*way: Any) -> Callable[[Any], None]:
    def change(report: Any) -> None:
        *steps, last = way
        for step in steps:
            report = report[step]
        del report[last]

    return change


def put(*way: Any) -> Callable[[Any], None]:
    def change(report: Any) -> None:
        *steps, last, value = way
        for step in steps:
            report = report[step]
        report[last] = value

    return change


def forge(folder: Path, change: Callable[[Any], None]) -> None:
    path = folder / "report.json"
    report = json.loads(path.read_bytes())
    change(report)
    path.write_text(json.dumps(report), encoding="utf-8")


FORGERIES = [
    (without("readiness"), "missing key 'readiness'"),
    (without("controls"), "missing key 'controls'"),
    (put("readiness", "level", "high"), "readiness.level: a whole number is expected, found the text 'high'"),
    (put("readiness", "score", "lower", 101), "readiness.score.lower: at most 100 is expected, found the number 101"),
    (put("readiness", "gates", 0, "state", "ajar"), "readiness.gates[0].state: the text 'ajar' is not known here"),
    (put("controls", 0, "title", "vi", 5), "controls[0].title.vi: a text is expected, found the number 5"),
    (put("profile", "rules", "weights", "RES", "1/0"), "profile.rules.weights.RES: a ratio such as 1/5 is expected, found the text '1/0'"),
    (put("findings", {}), "findings: a list is expected, found a mapping"),
    (put("findings", 0, "x"), "findings[0]: a mapping is expected, found a text"),
    (without("findings", 0, "resource", "id"), "findings[0]: missing key 'id'"),
    (put("findings", 0, "verdict", "odd"), "findings[0]: 'odd' is not a valid Verdict"),
    (put("findings", 0, "control", "ABC-01"), "findings of ABC-01, which is not among the controls"),
    (put("findings", 0, "message", "en", None), "findings[0]: 'en': a text is expected, found null"),
    (put("findings", 0, "evidence", [{}]), "findings[0]: missing key 'fact'"),
    (put("gaps", 0, "detail", 5), "gaps[0]: 'detail': a text is expected, found a whole number"),
    (put("findings_file", "path", "../../../etc/passwd"),
     "findings_file.path: the text 'findings.jsonl.gz' is expected, found the text '../../../etc/passwd'"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), FORGERIES, ids=[message[:40] for _, message in FORGERIES])
def test_what_is_wrong_in_a_report_is_told_with_its_place(
    capsys: pytest.CaptureFixture[str], folder: Path, change: Callable[[Any], None], message: str
) -> None:
    forge(folder, change)
    code, out, err = cloudaudit(capsys, "report", folder, "-f", "html")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {folder / 'report.json'} is not the report of an assessment: {message}")
    assert err.endswith(AGAIN)


def test_findings_outside_the_assessment_are_not_read(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    path = folder / "findings.jsonl.gz"
    path.rename(tmp_path / "elsewhere.gz")
    path.symlink_to(tmp_path / "elsewhere.gz")
    code, out, err = cloudaudit(capsys, "report", folder, "-f", "html")
    assert (code, out, err) == (2, "", f"error: {path} leads out of the assessment{AGAIN}")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"[]\n", "a mapping is expected, found a list"),
        (b'{"control": "RES-01"}\n', "missing key 'fingerprint'"),
        (b"[" * 100_000, "maximum recursion depth exceeded"),
    ],
    ids=["list", "half", "deep"],
)
def test_findings_of_another_shape(
    capsys: pytest.CaptureFixture[str], folder: Path, line: bytes, message: str
) -> None:
    path = folder / "findings.jsonl.gz"
    path.write_bytes(gzip.compress(line))
    forge(folder, put("findings_file", "sha256", sha256(line).hexdigest()))
    code, out, err = cloudaudit(capsys, "report", folder, "-f", "html")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {path} cannot be read: {message}")
    assert err.endswith(AGAIN)


def test_packed_findings_that_are_broken(folder: Path) -> None:
    path = folder / "findings.jsonl.gz"
    data = path.read_bytes()
    read = api.load_assessment(folder)
    assert len(list(api.all_findings(read))) == read.report["findings_file"]["count"]
    for place in range(10, len(data), 11):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])
        with pytest.raises(SnapshotError, match=f"^{path} "):
            list(api.all_findings(read))
