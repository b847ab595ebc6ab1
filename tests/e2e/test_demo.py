"""The sample cloud end to end, over the network: what it shows, what left us, what was written."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from regenerate import EXAMPLES, FORMATS, ROOT
from worded import unworded

from cloudaudit import api, demo
from cloudaudit.cli import _run
from cloudaudit.demo.web import Request
from cloudaudit.errors import CloudauditError

PLANTED = ("PLANTED-db-password-4e88b1", "PLANTED-volume-note-a90d35", "PLANTED-image-token-55c2e8")


@dataclass
class Run:
    """One run of the demo: its folder, exit code, and every request that reached the sample cloud."""

    folder: Path
    code: int
    requests: list[Request]
    unrecorded: list[str]

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return found

    def control(self, id_: str) -> dict[str, Any]:
        return next(entry for entry in self.report["controls"] if entry["id"] == id_)

    def findings(self, id_: str) -> list[dict[str, Any]]:
        return [finding for finding in self.report["findings"] if finding["control"] == id_]

    def verdicts(self, id_: str) -> dict[str, str]:
        """The verdict of every finding of a control by the name of its resource, passes too."""
        with gzip.open(self.folder / "findings.jsonl.gz", "rt", encoding="utf-8") as lines:
            found = [f for f in map(json.loads, lines) if f["control"] == id_]
        return {f["resource"]["name"]: f["verdict"] for f in found}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("demo") / "out"
    seen: list[demo.Sample] = []
    original = demo.sample_cloud

    def watched() -> Any:
        manager = original()
        enter = manager.__enter__

        class Watched:
            def __enter__(self) -> demo.Sample:
                sample = enter()
                seen.append(sample)
                return sample

            def __exit__(self, *exc: Any) -> Any:
                return manager.__exit__(*exc)

        return Watched()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "sample_cloud", watched)
        patch.setenv("SOURCE_DATE_EPOCH", "1795342500")
        code = _run(["demo", "-o", str(folder), "--lang", "vi", "--quiet"])
    (sample,) = seen
    return Run(folder, code, sample.requests, sample.unrecorded)


def test_it_finds_the_violations_of_the_story(run: Run) -> None:
    assert run.code == 1
    readiness = run.report["readiness"]
    assert (readiness["level"], readiness["gate_state"]) == (1, "blocked")
    (abroad,) = [f for f in run.findings("RES-05") if f["verdict"] == "fail"]
    assert abroad["resource"]["name"] == "vb-bao-cao"
    assert run.control("BDR-22")["verdict"] == "expired"
    waived = [f for f in run.findings("SEC-06") if f["waiver"]]
    assert {(f["waiver"], f["verdict"], f["disposition"]) for f in waived} == {
        ("mt-2026-01", "fail", "waived")
    }
    refused = [f for f in run.findings("SEC-15") if f["refused_waiver"]]
    assert [f["resource"]["name"] for f in refused] == ["vb-data-2"]


def test_enough_of_it_is_seen_and_every_dimension_has_good_and_bad(run: Run) -> None:
    readiness = run.report["readiness"]
    assert readiness["collection_coverage"] > 80
    assert readiness["coverage"] > 85
    found: dict[str, set[str]] = {}
    for control in run.report["controls"]:
        found.setdefault(control["dimension"], set()).add(control["verdict"])
    assert {d["id"] for d in readiness["dimensions"]} == set(found)
    assert [d for d, verdicts in found.items() if not {"pass", "fail"} <= verdicts] == []


@pytest.mark.parametrize(
    ("control", "verdicts"),
    [
        # The portal is ready to lose a site; the papers are not.
        ("BDR-14", {"Cổng dịch vụ công": "pass", "Quản lý văn bản và điều hành": "fail"}),
        ("BDR-16", {"cdv-can-bang-tai": "pass", "vb-can-bang-tai": "fail"}),
        ("BDR-18", {"Cổng dịch vụ công": "pass", "Quản lý văn bản và điều hành": "fail"}),
        ("BDR-19", {"Cổng dịch vụ công": "pass", "Quản lý văn bản và điều hành": "fail"}),
        ("BDR-26", {"Cổng dịch vụ công": "pass", "Quản lý văn bản và điều hành": "fail"}),
        ("BDR-09", {"cdv-sao-luu": "pass", "nt-nhat-ky": "fail", "nt-nhat-ky-truy-cap": "pass"}),
        # What an auditor is shown differs by site, and what is not shown is not passed.
        ("RES-08", {"cdv-data-1": "pass", "nt-data-1": "unknown"}),
        ("SEC-15", {"cdv-data-1": "pass", "vb-data-2": "fail", "nt-data-1": "unknown"}),
        ("BDR-20", {"Cổng dịch vụ công": "pass", "Quản lý văn bản và điều hành": "unknown"}),
        ("SEC-10", {"ket-noi-ttdlqg": "pass", "don-vi-phoi-hop": "fail"}),
        ("SEC-02", {"ops-admin": "pass", "ops-backup": "pass", "admin": "fail"}),
        ("SEC-04", {"trien-khai-tu-dong": "pass", "cong-cu-cu": "fail"}),
        ("SEC-20", {"cdv-ho-so": "pass", "vb-luu-tru": "fail"}),
        ("DAT-09", {"tt-data": "pass", "tt-thu-nghiem-cu": "fail"}),
        ("RES-11", {"cdv-v4": "pass", "tt-v4": "fail"}),
        ("POR-04", {"vn-hn-1": "pass", "vn-hcm-1": "fail"}),
        ("POR-08", {"dam-may-mau": "pass"}),
        ("NDC-02", {"dam-may-mau": "unknown"}),
        ("COM-11", {"dam-may-mau": "expired"}),
    ],
)
def test_the_story_is_told(run: Run, control: str, verdicts: dict[str, str]) -> None:
    assert run.verdicts(control).items() >= verdicts.items()


def test_what_is_refused_or_unsupported_is_unknown_and_never_a_pass(run: Run) -> None:
    encryption = run.findings("SEC-16")
    assert {(f["verdict"], f["reason_code"]) for f in encryption} == {
        ("unknown", "not_implemented"),
        ("unknown", "no_permission"),
    }
    assert not run.control("SEC-16")["counts"].get("pass")
    refused = {g["operation"] for g in run.report["gaps"] if g["reason_code"] == "no_permission"}
    assert "heat.stacks" in refused
    denied = [f for f in run.report["findings"] if f["resource"]["name"] == "ho-so-mat"]
    assert {f["verdict"] for f in denied} == {"unknown"}


def test_only_reading_verbs_and_the_token_request_left(run: Run) -> None:
    sent = {(r.method, r.target if r.method == "POST" else "") for r in run.requests}
    assert sent == {("GET", ""), ("HEAD", ""), ("POST", "/identity/v3/auth/tokens")}


def test_every_answer_was_recorded(run: Run) -> None:
    assert run.unrecorded == []


def test_every_detail_is_told_in_vietnamese(run: Run) -> None:
    """Of all that was not seen, and not only of what a finding waits for."""
    assert len({why["detail"] for why in run.report["gaps"]}) > 5
    assert unworded(run.folder) == []


def test_no_planted_secret_is_written_anywhere(run: Run) -> None:
    recorded = (ROOT / "cloudaudit/demo/sample/openstack.jsonl").read_text(encoding="utf-8")
    for secret in PLANTED:
        assert secret in recorded, "the sample cloud does answer with it"
    for path in run.folder.rglob("*"):
        if path.is_file():
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            assert b"PLANTED" not in data, path


def test_every_pass_carries_evidence(run: Run) -> None:
    with gzip.open(run.folder / "findings.jsonl.gz", "rt", encoding="utf-8") as lines:
        passes = [f for f in map(json.loads, lines) if f["verdict"] == "pass"]
    assert passes
    assert [f["control"] for f in passes if not f["evidence"]] == []


def test_judging_again_offline_gives_the_same_bytes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795342500")
    monkeypatch.setattr("socket.socket.connect", None)
    code = _run([
        "assess", str(run.folder / "snapshot"), "--registers", str(run.folder / "registers"),
        "--at", run.report["assessed_at"], "-o", str(tmp_path / "again"), "--quiet",
    ])  # fmt: skip
    capsys.readouterr()
    assert code == 1
    assert (tmp_path / "again/report.json").read_bytes() == (run.folder / "report.json").read_bytes()
    assert (tmp_path / "again/findings.jsonl.gz").read_bytes() == (
        run.folder / "findings.jsonl.gz"
    ).read_bytes()


def test_the_report_lapses_with_the_first_paper_behind_a_gate(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def assessed(at: str) -> dict[str, Any]:
        registers = run.folder / "registers"
        arguments = [
            "assess",
            run.folder / "snapshot",
            "--registers",
            registers,
            "--at",
            at,
            "-f",
            "json",
            "-q",
        ]
        _run([*map(str, arguments), "-o", str(tmp_path / at.replace(":", ""))])
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    def commitments(report: dict[str, Any]) -> str:
        return next(str(g["state"]) for g in report["readiness"]["gates"] if g["id"] == "G5")

    before = assessed("2027-02-01")
    assert before["validity"] == {
        "until": "2027-02-15T16:59:59Z",
        "because": {
            "vi": "hồ sơ kiem-toan-2025 làm chứng cứ cho COM-02 hết hiệu lực",
            "en": "paper kiem-toan-2025, evidence of COM-02, lapses",
        },
        "control": "COM-02",
        "evidence": "attestation:kiem-toan-2025",
    }
    assert commitments(before) == "open"
    assert commitments(assessed("2027-02-15T16:59:58Z")) == "open"
    assert commitments(assessed("2027-02-15T17:00:00Z")) == "blocked"


def test_another_snapshot_is_refused(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "snapshot"
    shutil.copytree(run.folder / "snapshot", other)
    manifest = other / "manifest.json"
    edited = manifest.read_bytes().replace(b'"vantage":"tenant"', b'"vantage":"other"')
    manifest.write_bytes(edited)
    digest = hashlib.sha256(edited).hexdigest()
    (other / "manifest.sha256").write_text(f"{digest}  manifest.json\n", encoding="utf-8")
    assert _run(["report", str(run.folder), "--snapshot", str(other)]) == 2
    assert "is not the snapshot this assessment was made from" in capsys.readouterr().err


def test_a_snapshot_whose_data_were_changed_is_refused(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "snapshot"
    shutil.copytree(run.folder / "snapshot", other)
    changed = next((other / "data" / "openstack.volume").iterdir())
    lines = gzip.decompress(changed.read_bytes()).replace(b'"size_gb":', b'"size_gb":1')
    changed.write_bytes(gzip.compress(lines))
    assert _run(["report", str(run.folder), "--snapshot", str(other)]) == 2
    assert "is not what the manifest says: its digest differs" in capsys.readouterr().err


def test_the_reports_are_the_golden_ones(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Regenerate with `make golden` and review the difference."""
    assert (run.folder / "report.json").read_text(encoding="utf-8") == (EXAMPLES / "report.json").read_text(
        encoding="utf-8"
    )
    for lang in ("vi", "en"):
        assert _run(["report", str(run.folder), "-f", "text", "--lang", lang]) == 0
        assert capsys.readouterr().out == (EXAMPLES / f"report.{lang}.txt").read_text(encoding="utf-8")


def _shown(name: str, made: bytes) -> object:
    """What a file says, apart from how its library packs it: another release of that may pack otherwise."""
    match name.rpartition(".")[2]:
        case "pdf":
            import pdfplumber

            with pdfplumber.open(io.BytesIO(made)) as document:
                return [page.extract_text() for page in document.pages]
        case "docx":
            import docx

            body = docx.Document(io.BytesIO(made)).element.body
            return "".join(body.itertext())
        case "xlsx":
            import openpyxl

            book = openpyxl.load_workbook(io.BytesIO(made), read_only=True)
            return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
        case _:
            return made.decode()


@pytest.fixture(scope="module")
def assessed(run: Run) -> api.Assessed:
    return api.load_assessment(run.folder)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_is_the_golden_one(assessed: api.Assessed, name: str) -> None:
    """Likewise. The sample's readers see in each what its report.json says."""
    made = api.render(assessed, FORMATS[name])
    fresh = made.encode() if isinstance(made, str) else made
    golden = (EXAMPLES / name).read_bytes()
    # The words of a PDF of 150 pages take a minute to read.
    assert fresh == golden or _shown(name, fresh) == _shown(name, golden)


def test_tools_of_others_accept_a_bundle_of_the_sample(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, public, box = (tmp_path / name for name in ("key.pem", "public.pem", "bundle"))

    def tool(*args: object) -> str:
        return subprocess.run(list(map(str, args)), cwd=box if box.exists() else tmp_path, check=True, capture_output=True, text=True).stdout  # fmt: skip

    tool("openssl", "genpkey", "-algorithm", "ed25519", "-out", key)
    tool("openssl", "pkey", "-in", key, "-pubout", "-out", public)
    formats = ("-f", "oscal-ar", "-f", "md", "-f", "csv")
    assert _run(["bundle", "create", str(run.folder), "--key", str(key), "-o", str(box), *formats, "-q"]) == 0
    files = [path for path in box.rglob("*") if path.is_file()]
    told = tool("sha256sum", "--strict", "-c", "SHA256SUMS").splitlines()
    assert len(told) == len(files) - len(("SHA256SUMS", "SHA256SUMS.sig", "attestation.dsse.json"))
    tool(
        "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", "SHA256SUMS",
        "-sigfile", "SHA256SUMS.sig",
    )  # fmt: skip
    (results,) = box.glob("*oscal-ar*")
    packed = ROOT / "tests/reporters/oscal/oscal_assessment-results_schema.json.gz"
    official = jsonschema_rs.validator_for(json.loads(gzip.decompress(packed.read_bytes())))
    official.validate(json.loads(results.read_text(encoding="utf-8")))
    capsys.readouterr()
    assert _run(["bundle", "verify", str(box), "--public-key", str(public), "--lang", "en"]) == 0
    shown = capsys.readouterr().out
    assert "the snapshot judged again gives these" in shown
    # The level of the sample, written as a better one in the report alone.
    path = box / "report.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"level": 1,', '"level": 4,', 1), encoding="utf-8"
    )
    assert _run(["bundle", "verify", str(box), "--public-key", str(public), "--lang", "en"]) == 1
    assert "not what was signed: report.json" in capsys.readouterr().out


def test_a_second_sample_cloud_is_refused_when_the_first_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their addresses are the same: those of the recording. Until then it waits."""
    monkeypatch.setattr("cloudaudit.demo.web.MOST_WAITED", 0.2)
    told = r"cannot listen on 127\.11\.21\.10:5444: Address already in use"
    with demo.sample_cloud(), pytest.raises(CloudauditError, match=told), demo.sample_cloud():
        raise AssertionError("it listens where another does")
