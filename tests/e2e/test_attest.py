"""attest new and attest check through the command line, and what is read from the controls for them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from cloudaudit.attesting import UNPUBLISHED, Wish, wishes
from cloudaudit.catalog import load_catalogue
from cloudaudit.cli import _run
from cloudaudit.yamlsource import loads, problems_of_schema, schema

ASKED = wishes(load_catalogue())
BYTES = "Hồ sơ mẫu\n".encode()
DIGEST = hashlib.sha256(BYTES).hexdigest()
AT = ("--at", "2026-11-22T08:00:00Z")


def said(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> tuple[str, str]:
    assert _run(["attest", *args]) == code
    out, err = capsys.readouterr()
    return out, err


def checked(
    capsys: pytest.CaptureFixture[str], path: Path, *args: str, code: int
) -> list[tuple[str, bool, list[tuple[str, int]]]]:
    """Every paper by id: whether it stands, and the code and line of each remark."""
    out, _ = said(capsys, "check", str(path), *AT, "-f", "json", *args, code=code)
    return [
        (one["id"], one["stands"], [(remark["code"], remark["line"]) for remark in one["remarks"]])
        for one in json.loads(out)["papers"]
    ]


# --- what controls ask --------------------------------------------------------------------------------


def test_what_is_asked_of_papers() -> None:
    def wish(kind: str, control: str) -> Wish:
        return next(one for one in ASKED[kind] if one.control == control)

    def names(*given: str) -> dict[str, None]:
        return dict.fromkeys(given)

    assert wish("commitment-dr", "COM-04") == Wish(
        "COM-04",
        fields=names("issued_at", "url", "reviewer"),
        headings=names("rpo", "rto", "sites", "drill-frequency"),
        languages=names("vi"),
        max_age=365 * 86400,
    )
    # Each kind of NDC-04 has its own way to serve it.
    assert wish("ndop-registration", "NDC-04") == Wish(
        "NDC-04",
        fields=names("systems", "reviewer", "receipt"),
        headings=names("mandatory-data-sets", "data-dictionary"),
    )
    assert wish("ndop-plan", "NDC-04") == Wish(
        "NDC-04", fields=names("systems", "reviewer", "approver", "valid_until")
    )
    # What only one of several ways asks for is not asked.
    assert wish("pentest", "SEC-26") == Wish(
        "SEC-26",
        fields=names("issued_at"),
        optional=names("open_criticals"),
        headings=names("assessor", "independence-statement", "scope"),
        further=names("remediation-plan"),
        max_age=365 * 86400,
    )
    assert wish("audit-logging", "SEC-19") == Wish(
        "SEC-19",
        headings=names("scope", "retention", "time-source"),
        further=names("separate-custody"),
        figures=names("retention_days"),
    )
    assert wish("incident-response-plan", "SEC-27").further == names("contacts-reached")
    assert wish("telecom-registration", "COM-08").services == names("cloud-computing", "data-center")
    assert wish("data-storage-request", "RES-18") == Wish(
        "RES-18", fields=names("issued_at"), optional=names("systems")
    )
    assert [one.control for one in ASKED["security-level-inspection"]] == ["SEC-21"]


# --- new ----------------------------------------------------------------------------------------------

SKELETON = """\
# Hồ sơ loại sla
# Paper of kind sla
# COM-10: Công bố cam kết chất lượng dịch vụ (SLA) và ma trận phân chia trách nhiệm
# COM-10: The SLA and the shared-responsibility matrix are published
# Bỏ dấu # ở dòng cần điền, rồi chạy: cloudaudit attest check TỆP
# Take the # from the lines to fill in, then: cloudaudit attest check FILE
version: 1
attestations:
  - id: "sla-2025"
    kind: sla
    # Tổ chức hoặc chức danh chịu trách nhiệm / Organisation or position answerable for it (bắt buộc / asked for)
    owner: "Đám mây \\"mẫu\\""
    # Tên hồ sơ bằng tiếng Việt / Title in Vietnamese
    # title_vi: …
    # Địa chỉ công bố / Address at which it is published (bắt buộc / asked for)
    # url: https://…
    # Bản lưu kèm theo danh mục / Local copy beside the register
    file: "../sla.pdf"
    # Mã băm SHA-256 đã đăng ký / Registered SHA-256 value (bắt buộc / asked for)
    sha256: "{digest}"
    # Ngày ban hành / Day of issue
    issued_at: "2025-12-31"
    # Có hiệu lực đến / End of validity (bắt buộc / asked for)
    # valid_until: YYYY-MM-DD
    # Chức danh hoặc cơ quan phê duyệt / Position or authority that approved it
    # approver: …
    # Chức danh đã đọc và rà soát / Position that reviewed it (bắt buộc / asked for)
    # reviewer: …
    # Ngôn ngữ của hồ sơ / Languages of the document (bắt buộc / asked for)
    # language: [vi]
    # Các hệ thống thông tin trong phạm vi / Systems it covers
    systems: ["ho-tich", "dat-dai"]
    # Các nội dung có trong hồ sơ / What it treats (bắt buộc / asked for)
    # chỉ ghi đề mục mà người rà soát đã thấy trong hồ sơ / only those a reviewer has found in the paper
    # headings: [availability, measurement-method]
    # Số liệu nêu trong hồ sơ / Figures the paper states (bắt buộc / asked for)
    # numbers: {{availability_percent: …}}
"""


def test_a_skeleton_for_a_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy, output = tmp_path / "sla.pdf", tmp_path / "danh-muc" / "moi.yaml"
    output.parent.mkdir()
    copy.write_bytes(BYTES)
    given = ["--file", str(copy), "--owner", 'Đám mây "mẫu"', "--issued", "2025-12-31"]
    scope = ["--system", "ho-tich", "--system", "dat-dai"]
    assert said(capsys, "new", "sla", "-o", str(output), *given, *scope, "--lang", "vi") == ("", "")
    assert output.read_text(encoding="utf-8") == SKELETON.format(digest=DIGEST)


def test_a_skeleton_is_never_written_over_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "attestations.yaml"
    output.write_text("của tôi\n", encoding="utf-8")
    _, err = said(capsys, "new", "sla", "-o", str(output), code=2)
    assert err == f"error: {output} is already there; choose another name; nothing was changed\n"
    assert output.read_text(encoding="utf-8") == "của tôi\n"
    nowhere = tmp_path / "khong-co" / "a.yaml"
    _, err = said(capsys, "new", "sla", "-o", str(nowhere), code=2)
    assert err == f"error: {nowhere} cannot be written: No such file or directory\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["comitment-dr"], "no control asks for the kind 'comitment-dr'; did you mean 'commitment-dr'?"),
        (["sla", "--url", "https://u:p@x.vn/"], "'url': an address that begins with https:// or http://"),
        (["sla", "--id", "SLA 2026"], "'id': small letters without accents"),
        (["sla", "--owner", "a\nb: c\u202e"], "there is an invisible or control character"),
        (["sla", "--id", ""], "'id': small letters without accents"),
        (["sla", "--owner", "\udcff"], "byte 0xFF at offset"),  # as a terminal hands over what is no UTF-8
        (["sla", "--file", "/dev/null"], "/dev/null cannot be read: it is no regular file"),
        (["sla", "--issued", "0001-01-01"], "'0001-01-01' is no time"),
    ],
)
def test_what_no_skeleton_is_made_of(
    args: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = said(capsys, "new", *args, code=2)
    assert out == ""
    assert message in err


@pytest.mark.parametrize("kind", ASKED)
def test_every_kind_has_a_skeleton_that_is_a_register_and_not_yet_a_paper(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {lang: said(capsys, "new", kind, "--lang", lang)[0] for lang in ("vi", "en")}
    values = [loads(text.encode(), "-").value for text in texts.values()]
    assert values[0] == values[1]
    # With every # taken from a field, what is asked for is there: only placeholders are left to fill in.
    bare = [line.replace("    # ", "    ") for line in texts["en"].split("\n") if _is_field(line)]
    filled = "\n".join(["version: 1", "attestations:", *bare]).replace("YYYY-MM-DD", "2026-11-01")
    digest, url = f"sha256: {DIGEST}", f"url: https://vi-du.example/{kind}.pdf"
    filled = filled.replace("sha256: …", digest).replace("url: https://…", url).replace("…", "a")
    document = loads(filled.encode(), "-")
    assert problems_of_schema(document, schema("attestations")) == []
    assert set().union(*(one.fields for one in ASKED[kind])) <= set(document.value["attestations"][0])
    path = tmp_path / "moi.yaml"
    path.write_text(texts["en"], encoding="utf-8")
    ((_, stands, remarks),) = checked(capsys, path, code=1)
    assert not stands
    assert ("incomplete" in dict(remarks)) is (kind not in UNPUBLISHED)


def _is_field(line: str) -> bool:
    """Whether a line is a field of the entry, commented or not, and no remark."""
    name, colon, _ = line.strip().removeprefix("- ").removeprefix("# ").partition(": ")
    return line.startswith(("    ", "  - ")) and bool(colon) and name.replace("_", "").isalnum()


# --- check --------------------------------------------------------------------------------------------

REGISTER = f"""\
version: 1
attestations:
  - id: tot
    kind: commitment-dr
    owner: Đám mây mẫu
    url: https://vi-du.example/dr.pdf
    file: dr.pdf
    sha256: {DIGEST}
    issued_at: 2026-03-01
    valid_until: 2027-03-01
    approver: Tổng giám đốc
    reviewer: Trưởng ban Pháp chế
    language: [vi, en]
    headings: [rpo, rto, sites, drill-frequency]
  - {{id: thieu, kind: commitment-dr, issued_at: 2025-03-01, url: "http://vi-du.example/dr.pdf"}}
  - {{id: het-han, kind: dr-plan, owner: A, url: "https://a.vn/a", sha256: {DIGEST}, valid_until: 2026-11-21,
     issued_at: 2026-01-05, approver: A, reviewer: B, systems: [ho-tich, ho-tihc], supersedes: mat}}
  - {{id: sai-tep, kind: telecom-registration, owner: A, url: "https://a.vn/a", sha256: {"0" * 64}, file: dr.pdf,
     issued_at: 2026-12-01, valid_until: 2027-11-21, approver: A, reviewer: B, receipt: "1", services: [data-center]}}
  - {{id: khong-tep, kind: sal, owner: A, url: "https://a.vn/a", sha256: {DIGEST}, file: mat.pdf,
     valid_until: 2027-11-21, approver: A, reviewer: B}}
  - {{id: rieng, kind: bien-ban-noi-bo, owner: A, url: "https://a.vn/a", sha256: {DIGEST}, valid_until: 2027-11-21}}
  - {{id: yeu-cau, kind: data-storage-request, issued_at: 2026-05-01}}
"""
SYSTEMS = """\
version: 1
systems:
  - {id: ho-tich, title: Hộ tịch, criticality: high, data_classes: [shared], national_database: false, cross_border: false}
"""


@pytest.fixture
def register(tmp_path: Path) -> Path:
    (tmp_path / "dr.pdf").write_bytes(BYTES)
    (tmp_path / "systems.yaml").write_text(SYSTEMS, encoding="utf-8")
    path = tmp_path / "ho-so.yaml"
    path.write_text(REGISTER, encoding="utf-8")
    return path


def test_every_remark_with_its_line(register: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(capsys, register, code=1) == [
        ("tot", True, []),
        (
            "thieu",
            False,
            [
                ("incomplete", 15), ("insecure", 15), ("unapproved", 15), ("unreviewed", 15),
                ("too_old", 15), ("lacking", 15),
            ],
        ),
        ("het-han", False, [("lapsed", 16), ("out_of_scope", 17), ("out_of_scope", 17)]),
        ("sai-tep", False, [("not_yet", 19), ("tampered", 18), ("lacking", 18)]),
        ("khong-tep", False, [("misspelt", 20), ("unreadable", 20)]),
        ("rieng", True, [("unknown_kind", 22), ("unapproved", 22), ("unreviewed", 22)]),
        ("yeu-cau", True, []),
    ]  # fmt: skip


TEXT = """\
tot (commitment-dr), line 3: stands
  serves: COM-04
thieu (commitment-dr), line 15: falls short
  serves: COM-04
    line 15: lacks owner, sha256, valid_until: it does not count yet
    line 15: note: its address is not https
    line 15: note: no approver is given
    line 15: note: no reviewer is given
    line 15: older than COM-04 allows
    line 15: COM-04 also asks for: reviewer, headings.rpo, headings.rto, headings.sites,
      headings.drill-frequency, language.vi
het-han (dr-plan), line 16: falls short
  serves: BDR-24
    line 16: lapsed after 2026-11-21
    line 17: there is no 'ho-tihc' in systems.yaml
    line 17: there is no 'mat' in attestations.yaml
sai-tep (telecom-registration), line 18: falls short
  serves: COM-08
    line 19: issued on 2026-12-01, in the future: not yet in force
    line 18: the file dr.pdf has the hash
      {digest}, not the registered one
    line 18: COM-08 also asks for: services.cloud-computing
khong-tep (sal), line 20: falls short
  serves: no control
    line 20: no control asks for the kind 'sal'; did you mean 'sla'?
    line 20: the file mat.pdf cannot be read: No such file or directory
rieng (bien-ban-noi-bo), line 22: stands
  serves: no control
    line 22: note: no control asks for the kind 'bien-ban-noi-bo'
    line 22: note: no approver is given
    line 22: note: no reviewer is given
yeu-cau (data-storage-request), line 23: stands
  serves: RES-18
There is no sites.yaml beside it: what the papers cover was not compared.
The documents at their addresses are not read here; an audit does that.
3 of 7 papers stand, as of 2026-11-22 15:00 (Viet Nam time)
"""


def test_the_whole_screen(register: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = said(capsys, "check", str(register), *AT, "--lang", "en", code=1)
    assert (out, err) == (TEXT.format(digest=DIGEST), "")
    out, _ = said(capsys, "check", str(register), *AT, "--lang", "vi", code=1)
    lines = out.splitlines()
    assert lines[0] == "tot (commitment-dr), dòng 3: đạt"
    assert "    dòng 16: hết hiệu lực sau 21/11/2026" in lines
    assert "    dòng 19: ngày ban hành 01/12/2026 ở tương lai: chưa có hiệu lực" in lines
    assert lines[-1] == "3 trên 7 hồ sơ đạt, tính đến 22/11/2026 15:00 (giờ Việt Nam)"


def test_another_register_is_named(
    register: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "drills.yaml"
    path.write_text("version: 1\ndrills: []\n", encoding="utf-8")
    assert said(capsys, "check", str(path), code=2) == (
        "",
        f"error: {path}:2:1: this is the register 'drills', and only one of papers (attestations) is read here; "
        "the other registers of a folder are checked by assess, run, plan and preflight\n",
    )


def test_papers_that_stand_give_0(register: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = register.read_text(encoding="utf-8").split("  - {id: thieu")[0]
    register.write_text(text, encoding="utf-8")
    assert checked(capsys, register, code=0) == [("tot", True, [])]
    said(capsys, "check", str(register), "--at", "2027-03-02", "--lang", "en", code=1)
    (register.parent / "dr.pdf").write_bytes(b"x")
    assert checked(capsys, register, code=1) == [("tot", False, [("tampered", 8)])]


def test_scope_is_compared_with_the_registers_that_are_named(
    register: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "khac"
    other.mkdir()
    found = checked(capsys, register, "--registers", str(other), code=1)
    assert (
        "het-han",
        False,
        [("lapsed", 16), ("out_of_scope", 17)],
    ) in found  # only what is in the file itself


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1:1: the file is empty"),
        ("version: 1\nattestations:\n  - {id: a}\n", ":3:5: "),
        ("version: 1\nattestations:\n  - {id: a, kind: sla, ulr: x}\n", ":3:24: unknown key 'ulr'"),
        (
            "version: 1\nattestations:\n  - {id: a, kind: sla}\n  - {id: a, kind: sla}\n",
            ":4:10: the id 'a' is already",
        ),
        ("version: 1\nattestations: [\n", "ho-so.yaml"),
    ],
)
def test_bad_files_give_2(
    text: str, message: str, register: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register.write_text(text, encoding="utf-8")
    out, err = said(capsys, "check", str(register), code=2)
    assert out == ""
    assert message in err


def test_a_bad_register_beside_it_gives_2(register: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (register.parent / "systems.yaml").write_text("version: 1\nsystems: 5\n", encoding="utf-8")
    _, err = said(capsys, "check", str(register), code=2)
    assert "systems.yaml:2:" in err


OWN = """\
id: COM-900
version: 1.0.0
title: {vi: Biên bản nội bộ, en: Internal minutes}
severity: low
method: P
basis: A
applies_to: platform
check:
  related: attestation
  where: {fact: kind, equals: bien-ban-noi-bo}
  any: {all_of: [{fact: state, equals: valid}, {fact: headings, contains: ket-luan}]}
message: {vi: a, en: a}
obligations: [D1121-15a]
frameworks: {}
remediation: {vi: a, en: a}
limits: {vi: a, en: a}
examples:
  pass: [{resource: {}, related: {attestation: [{kind: bien-ban-noi-bo, state: valid, headings: [ket-luan]}]}}]
  fail: [{resource: {}}]
  unknown: [{resource: {}, gaps: {attestation: register_missing}}]
"""


def test_controls_of_ones_own_ask_too(
    register: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "rieng"
    own.mkdir()
    (own / "COM-900.yaml").write_text(OWN, encoding="utf-8")
    papers: Any = checked(capsys, register, "--controls", str(own), code=1)
    assert ("rieng", False, [("unapproved", 22), ("unreviewed", 22), ("lacking", 22)]) in papers
    out, _ = said(capsys, "new", "bien-ban-noi-bo", "--controls", str(own), "--lang", "vi")
    assert "# COM-900: Biên bản nội bộ\n" in out
    assert "    # headings: [ket-luan]\n" in out
