"""Details have their own Vietnamese: every one that can be made, and whatever a cloud put into it."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worded import can_be_worded, of_report, texts

from cloudaudit import data
from cloudaudit.cli.planning import _row_text
from cloudaudit.model import CallSpec, Reason, Text
from cloudaudit.preflight import Row, State
from cloudaudit.reporters.details import is_worded, told, written
from cloudaudit.reporters.words import clean
from cloudaudit.yamlsource import load

ROOT = Path(__file__).parents[2]
CODE = ROOT / "cloudaudit"
OF_ERRORS = frozenset(
    CODE / name
    for name in (
        "collecting.py", "preflight.py", "registers.py", "collectors/deployment/__init__.py",
        "collectors/deployment/heat.py", "collectors/deployment/heat_functions.py",
        "collectors/deployment/sources.py", "collectors/deployment/terraform.py",
        "collectors/openstack/entry.py",
    )
)  # fmt: skip
"""Modules with more texts for whoever runs cloudaudit than for reports."""
MODULES = sorted(
    {*CODE.glob("collectors/**/*.py"), *CODE.glob("facts/*.py"), CODE / "assessment.py", *OF_ERRORS}
)
NO_DETAILS = frozenset({
    # Waivers are told in both languages where they are judged.
    "waiver {} is not in force yet", "waiver {} has expired",
    "waiver {} is not approved by the competent authority; {} is a legal duty",
    # What the doubts of a target say, on the screen.
    "{}; what it declares is not taken for all", "the {} declares nothing that is judged",
    "these types of resources are not read, and what they may add is unknown: {}",
    "give one of the whole configuration", "check its folder and workspace",
    "{}; what rests on it is unknown", "give the parameters in the environment",
    "{}, and nothing else of it is believed", "make the plan of the commit checked out",
    "the {} deletes all {} resources: there is nothing to judge of it", "for what stays, audit the cloud itself",
    "name those that are no matter of this audit under 'ignored', such as cloudflare_*",
    # What libraries say, and what stops a run.
    "certificate has expired", "Hostname mismatch", "IP address mismatch", "Name or service",
    "Tunnel connection failed: {}", "more than {} bytes", "handshake failed", "no certificates in it",
    "write http://HOST:PORT; a proxy is asked over http, and what it passes on stays encrypted",
    "Manila's API ends at {}.{}, before {} began ({})",
})  # fmt: skip
"""The last one is filled in by str.format, whose braces are no placeholders of an f-string."""


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(CODE)))
def test_every_detail_that_a_module_can_make_is_worded(module: Path) -> None:
    made = texts(module.read_text(encoding="utf-8"), surely=module in OF_ERRORS)
    told_as = {"".join("{}" if piece is None else piece for piece in p): (line, p) for line, p in made}
    lacking = {text: line for text, (line, pieces) in told_as.items() if not can_be_worded(pieces)}
    vietnamese = {text for text in lacking if not text.isascii()}
    assert {text: line for text, line in lacking.items() if text not in NO_DETAILS | vietnamese} == {}


def test_the_search_finds_a_detail_that_nobody_worded() -> None:
    source = 'def why(n):\n    return Unseen(Reason.PARTIAL, f"the moon hides {n} of its sides")\n'
    ((line, pieces),) = texts(source)
    assert (line, pieces) == (2, ["the moon hides ", None, " of its sides"])
    assert not can_be_worded(pieces)
    assert can_be_worded(["region ", None, " shares its address with ", None])


def test_every_detail_of_the_sample_report_is_worded() -> None:
    report = json.loads((ROOT / "reports/examples/demo/report.json").read_text(encoding="utf-8"))
    found = set(of_report(report)) - {""}
    assert len(found) > 12
    assert {detail for detail in found if not is_worded(detail)} == set()


def test_no_sentence_stands_twice_or_is_its_own_translation() -> None:
    source = load(data.folder("reports") / "details.yaml").value
    entries = [*source["sentences"], *source["parts"]]
    english = [re.sub(r":(word|number|list)\}", "}", entry["en"]) for entry in entries]
    assert sorted(english) == sorted(set(english))
    same = {e["en"] for e in entries if e["en"] == re.sub(r"\s+", " ", e["vi"]) and " " in _bare(e["en"])}
    assert same == set()


def _bare(sentence: str) -> str:
    """A sentence without its slots, and without what is of no language."""
    return " ".join(re.findall(r"[a-z]{3,}", re.sub(r"\{[^}]*\}", "", sentence)))


# --- taking details apart -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("detail", "vi"),
    [
        (
            "no evidence of sight: network showed this token nothing of other projects",
            "chưa chứng minh được phạm vi quan sát: network không cho token này thấy gì của các dự án khác",
        ),
        (
            "9 buckets, the first 'x': 200 with <ListBucketResult>: the store does not know the question",
            "9 bucket, đầu tiên là 'x': 200 kèm <ListBucketResult>: kho lưu trữ không hiểu truy vấn",
        ),
        (
            # Two proofs, of which one has a joint of its own.
            "Keystone shows its regions to everybody; Keystone lists all of them to those it lets ask, and"
            " refuses everybody else; the roles of every domain were asked for",
            "Keystone cho mọi tài khoản xem các vùng; Keystone cho tài khoản được phép hỏi xem toàn bộ và"
            " từ chối mọi tài khoản khác; đã hỏi vai trò của mọi miền quản lý",
        ),
        (
            "zone az1 of region hn is at no declared site",
            "vùng sẵn sàng az1 của vùng hn chưa thuộc địa điểm nào được khai báo",
        ),
        ("the 0.5 s allowed for this target are over", "đã hết 0,5 giây dành cho đích này"),
        ("vn-hn", "vn-hn"),
        ("", ""),
    ],
)
def test_a_detail_in_vietnamese(detail: str, vi: str) -> None:
    assert told(detail) == Text(vi, detail)


@pytest.mark.parametrize(
    "detail",
    [
        "the collector of a plug-in says so",
        "a later page: the moon is full",
        "vượt quá; no text",
        "project x",
    ],
)
def test_what_is_no_sentence_of_ours_is_quoted_whole(detail: str) -> None:
    """As in a snapshot of another version: never half of a sentence in one language and half in another."""
    assert told(detail) == Text(f"nguyên văn: “{detail}”", detail)


def test_what_a_cloud_said_stays_as_it_was_said() -> None:
    name = "x': no text; the service itself answered {why} \\1"
    vi = told(f"2 buckets, the first '{name}': 403 AccessDenied").vi
    assert name in vi
    assert told("region \x1b[31m\u202e shares its address with b").vi == (
        "vùng \ufffd[31m\ufffd dùng chung địa chỉ với b"
    )


_SLOT = re.compile(r"\{([a-z_]+)(?::([a-z]+))?\}")
_VALUES = {"number": "17", "word": "Qx", "list": "Qx and Qy", "text": "404 Qx", "": "Qx Qy"}


@pytest.mark.parametrize("sentence", sorted(set(written())))
def test_no_sentence_is_taken_for_another(sentence: str) -> None:
    """Filled in, each keeps its values, and leaves no English of its own behind."""
    filled = _SLOT.sub(lambda slot: _VALUES[slot[2] or ""], sentence)
    if filled == "<Qx Qy>" or is_worded(filled):
        vi = told(filled).vi
        assert vi.count("Qx") == len(re.findall("Qx", filled))
    else:
        # A part: it stands within others only.
        assert is_worded(f"200, but {filled}") or is_worded(f"a later page: {filled}") or _is_part(sentence)


def _is_part(sentence: str) -> bool:
    source = load(data.folder("reports") / "details.yaml").value
    return sentence in {entry["en"] for entry in source["parts"]}


@given(st.text(max_size=60), st.sampled_from(sorted(set(written()))))
def test_nothing_that_a_cloud_says_breaks_a_sentence(said: str, sentence: str) -> None:
    found = told(_SLOT.sub(lambda slot: said, sentence))
    assert clean(found.vi) == found.vi
    assert clean(found.en) == found.en


@pytest.mark.parametrize(
    "piece", ["; no text", ": ", "1 bucket, the first '", "a later page: ", " and ", "' "]
)
def test_a_hostile_detail_costs_little(piece: str) -> None:
    began = time.perf_counter()
    for start in ("", "HTTP 403 from ", "those of other users: "):
        told(start + piece * (3900 // len(piece)))
    assert time.perf_counter() - began < 1


def test_our_own_words_over_and_over_cost_little_too() -> None:
    """A cloud may say what is made of our sentences, which are then taken apart at every depth."""
    within = "limits of a project: roles of a domain: members of a group: access rules of a share: "
    began = time.perf_counter()
    for number in range(3):
        detail = "; ".join(f"{within}p{number}-{n} x" for n in range(40))
        assert not is_worded(detail)
    assert time.perf_counter() - began < 3


# --- where they are read --------------------------------------------------------------------------------


def test_preflight_tells_them_in_the_language_asked_for() -> None:
    call = CallSpec("nova.servers", "compute", "GET /servers/detail", lists=True)
    detail = "Nova shows user data to administrators only"
    row = Row("may", call, State.REFUSED, 1, ("may/hn",), Reason.NO_PERMISSION, detail, ("SEC-19",))
    vi, en = (" ".join(" ".join(_row_text(row, lang)).split()) for lang in ("vi", "en"))
    assert "Thiếu quyền đọc: Nova chỉ cho quản trị viên xem dữ liệu khởi tạo (user data) [may/hn]" in vi
    assert f"No permission to read: {detail} [may/hn]" in en
