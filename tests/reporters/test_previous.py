"""--previous and --form: which earlier reports are taken, in what order, and what is refused with a clear word."""

from __future__ import annotations

import gzip
import importlib
import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sample_report as sample

from cloudaudit import api
from cloudaudit.cli import _run
from cloudaudit.errors import CloudauditError, SnapshotError
from cloudaudit.model import parse_time
from cloudaudit.reporters.report_json import dumps

INPUTS = sample.small()
REPORTER = '''
import json

class Reporter:
    """What a format is handed, as JSON."""

    media_type = "application/json"

    def render(self, report, context):
        period = context.period and [context.period.begins, context.period.ends]
        return json.dumps([context.form, [one["assessed_at"] for one in context.earlier], period])
'''
TARGETS = """\
version: 1
subjects:
  - id: mau
    kind: provider
    title: {vi: Mẫu}
    targets:
      - {name: kho, kind: s3, endpoint: "https://127.0.0.1:1", profile: mau, region: vn-hn}
"""


def report_at(at: str, **changes: Any) -> dict[str, Any]:
    return sample.report(INPUTS) | {"assessed_at": at} | changes


def write(folder: Path, report: dict[str, Any]) -> Path:
    """An assessment folder of a report and its findings."""
    folder.mkdir(parents=True)
    lines = "".join(json.dumps(record, sort_keys=True) + "\n" for record in sample.records(INPUTS)).encode()
    (folder / "findings.jsonl.gz").write_bytes(gzip.compress(lines, mtime=0))
    report["findings_file"]["sha256"] = sha256(lines).hexdigest()
    (folder / "report.json").write_text(dumps(report), encoding="utf-8")
    return folder


@pytest.fixture
def now(tmp_path: Path) -> Path:
    return write(tmp_path / "now", report_at("2026-11-22T01:30:00Z"))


@pytest.fixture
def handed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A format of a package that shows what it is handed."""
    site = tmp_path / "site"
    about = site / "cloudaudit_handed-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: cloudaudit-handed\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[cloudaudit.reporters]\nhanded = cloudaudit_handed:Reporter\n")
    (site / "cloudaudit_handed.py").write_text(REPORTER)
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield "handed"
    sys.modules.pop("cloudaudit_handed", None)


def cloudaudit(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    code = _run([str(arg) for arg in args])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_a_format_gets_earlier_reports_the_newest_first_and_the_form(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, now: Path, handed: str
) -> None:
    spring = write(tmp_path / "spring", report_at("2026-03-01T00:00:00Z"))
    autumn = write(tmp_path / "autumn", report_at("2026-09-01T00:00:00+07:00"))
    given = ["--previous", spring, "--previous", autumn / "report.json", "--previous", spring]
    code, out, _ = cloudaudit(capsys, "report", now, "-f", handed, *given, "--form", "yearly")
    assert (code, json.loads(out)) == (
        0,
        ["yearly", ["2026-09-01T00:00:00+07:00", "2026-03-01T00:00:00Z"], None],
    )
    code, out, _ = cloudaudit(capsys, "report", now, "-f", handed)
    assert (code, json.loads(out)) == (0, ["full", [], None])


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("2026", "2026-01-01T00:00:00+07:00", "2026-12-31T23:59:59+07:00"),
        ("2026-04-01/2026-06-30", "2026-04-01T00:00:00+07:00", "2026-06-30T23:59:59+07:00"),
        ("2026-04-01/2026-04-01", "2026-04-01T00:00:00+07:00", "2026-04-01T23:59:59+07:00"),
    ],
)
def test_a_period_is_a_year_or_days_in_viet_nam(
    capsys: pytest.CaptureFixture[str], now: Path, handed: str, asked: str, first: str, last: str
) -> None:
    code, out, _ = cloudaudit(capsys, "report", now, "-f", handed, "--form", "yearly", "--period", asked)
    assert (code, json.loads(out)[2]) == (0, [parse_time(first), parse_time(last)])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--form", "yearly", "--period", "26"), "'26' is no period; write 2026, or 2026-01-01/2026-06-30"),
        (("--form", "yearly", "--period", "２０２６"), "is no period; write 2026"),
        (("--form", "yearly", "--period", "2026-01-01"), "'2026-01-01' is no period; write 2026"),
        (("--form", "yearly", "--period", "2026-06-30/2026-01-01"), "ends before it begins"),
        (("--form", "yearly", "--period", "2026-06-31/2026-12-31"), "'2026-06-31' is no time"),
        (("--form", "yearly", "--period", "2026-01-01T00/2026-12-31"), "is no period"),
        (("--period", "2026"), "--period is of the yearly form; give --form yearly with it"),
    ],
)
def test_what_is_no_period_is_refused(
    capsys: pytest.CaptureFixture[str], now: Path, given: tuple[str, ...], message: str
) -> None:
    code, out, err = cloudaudit(capsys, "report", now, "-f", "md", *given)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject": {"id": "khac", "kind": "provider", "title": {}}}, "is of the subject 'khac', and not of 'nen-tang-an-binh'"),
        ({"scope": "agency"}, "is in agency scope, and not in provider scope"),
        ({"assessed_at": "2026-11-22T01:30:00Z"}, "is not from before this one, assessed at 2026-11-22T01:30:00Z"),
        ({"assessed_at": "2027-01-01T00:00:00Z"}, "is not from before this one"),
        ({"assessed_at": "hôm qua"}, "a report's assessed_at is no time"),
    ],
)  # fmt: skip
def test_a_report_that_does_not_compare_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, now: Path, changes: dict[str, Any], message: str
) -> None:
    other = write(tmp_path / "other", report_at("2026-03-01T00:00:00Z", **changes))
    code, out, err = cloudaudit(capsys, "report", now, "--previous", other)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_what_is_no_report_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, now: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.json").write_text("[]")
    (tmp_path / "broken.json").write_text("{")
    for given, message in (
        ("missing", "does not exist"),
        ("empty", "there is no earlier report; give a report.json, or the folder it is in"),
        ("other.json", "is not the report of an assessment"),
        ("broken.json", "cannot be read"),
    ):
        code, out, err = cloudaudit(capsys, "report", now, "--previous", tmp_path / given)
        assert (code, out) == (2, "")
        assert message in err


def test_the_library_says_the_same(tmp_path: Path, now: Path) -> None:
    assessed = api.load_assessment(now)
    with pytest.raises(CloudauditError, match="there is no earlier report"):
        api.load_earlier([tmp_path])
    with pytest.raises(SnapshotError, match="is no time"):
        api.earlier_of(assessed.report, [report_at("gần đây")])
    with pytest.raises(CloudauditError, match="is not from before this one"):
        api.render(assessed, "text", previous=[assessed.report])
    assert api.earlier_of(assessed.report, []) == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "is of the subject 'nen-tang-an-binh', and not of 'mau'"),
        ({"subject": {"id": "mau", "kind": "provider", "title": {}}, "scope": "agency"}, "is in agency scope"),
        ({"subject": {"id": "mau", "kind": "provider", "title": {}}, "assessed_at": "2999-01-01T00:00:00Z"}, "is not from before"),
    ],
)  # fmt: skip
def test_run_refuses_before_any_cloud_is_asked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    (tmp_path / "targets.yaml").write_text(TARGETS, encoding="utf-8")
    other = write(tmp_path / "other", report_at("2026-03-01T00:00:00Z", **changes))
    out = tmp_path / "out"
    code, _, err = cloudaudit(capsys, "run", "-t", tmp_path / "targets.yaml", "-o", out, "--previous", other)
    assert code == 2
    assert message in err
    assert not out.exists()
