"""The HTML report: what it says, that it loads and runs nothing foreign, and that it stays light."""

from __future__ import annotations

import base64
import hashlib
import re
import time
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any

import pytest
import sample_report as sample

from cloudaudit.model import Remediation, Text
from cloudaudit.reporters import chapters, charts, html
from cloudaudit.reporters.document import (
    Column,
    Document,
    Findings,
    Heading,
    Items,
    Pairs,
    Phrase,
    Prose,
    Section,
    Table,
    cell,
)
from cloudaudit.reporters.html import HtmlReporter
from cloudaudit.reporters.words import labels

NOT_OURS_TO_SAY = ("đạt", "được phép kết nối", "chứng nhận")
VOID = {"meta", "input", "br", "img", "col"}
SAMPLES = [sample.small, sample.realistic, sample.all_pass, sample.hostile]


def page(inputs: sample.Inputs, **changes: Any) -> str:
    context = sample.context(inputs=inputs, **changes)
    return HtmlReporter().render(sample.report(inputs), context)


def text(vi: str) -> Text:
    return Text(vi, f"{vi} (en)")


def document(inputs: sample.Inputs, bad: str = "", **changes: Any) -> Document:
    """A document with every kind of block; `bad` stands in each of its texts."""
    report = sample.report(inputs)
    said = Text(f"Một đoạn{bad}", f"A paragraph{bad}")
    ids = frozenset(entry["id"] for entry in report["controls"])
    residency = frozenset(id_ for id_ in ids if id_.startswith("RES-"))
    columns = (Column(said, 2), Column(text("Số"), 1, "number"), Column(text("Mã"), 1, "code"))
    rows = [
        (cell(said), cell(Text("1,5", "1.5")), cell("abc", style="code")),
        (
            (Phrase(Text("RES-05", "RES-05"), "strong", "fail", "RES-05"), Phrase(said, "muted")),
            cell("2"),
            cell(None),
        ),
    ]
    made = Document(
        said,
        said,
        said,
        "full",
        (
            Section(
                "0",
                said,
                (
                    Prose(said, "fixed"),
                    Heading(labels()("figure.level")),
                    Prose(text("Mức 1"), "note"),
                    Pairs(((labels()("figure.score"), cell("twice")), (said, cell(said, said)))),
                    Items((cell(said, to="RES-05"), cell(said)), numbered=True),
                ),
            ),
            Section(
                "5",
                said,
                (
                    *(Prose(said, style) for style in ("plain", "note", "fixed", "warning")),
                    Heading(said),
                    Items((cell(said),)),
                    Pairs(()),
                    Table("rows", said, columns, rows, hidden=7),
                    charts.gates([("G1", said, "open")]),
                    Findings("findings-5", residency),
                ),
            ),
            Section("8", said, (Findings("findings-8", ids),)),
            Section(
                "A",
                said,
                (
                    Table(
                        "all-controls", said, (Column(said),), [(cell(id_, to=id_),) for id_ in sorted(ids)]
                    ),
                ),
            ),
            Section(
                "C",
                said,
                (Table("trace", said, (Column(said),), [(cell(id_),) for id_ in sample.OBLIGATIONS]),),
            ),
        ),
        report,
    )
    return replace(made, **changes)


def set_page(inputs: sample.Inputs, bad: str = "", lang: str = "vi", **changes: Any) -> str:
    return html.page(document(inputs, bad, **changes), sample.context(lang, inputs=inputs))  # type: ignore[arg-type]


def hostile_document() -> str:
    """Every hostile text in every block."""
    return set_page(sample.hostile(), "".join((*sample.HOSTILE, sample.HALF_SURROGATE)))


def hostile_page() -> str:
    """Hostile clouds, registers, and an organisation's own catalogue that somebody has tampered with."""
    steering, turning = sample.HOSTILE[3], sample.HOSTILE[4]
    known = {
        c.id: replace(c, remediation=Remediation(Text(steering, turning), (steering,)))
        for c in sample.CONTROLS
    }
    laws = {
        id_: replace(o, source=turning, clause=steering, quote=sample.NFD)
        for id_, o in sample.OBLIGATIONS.items()
    }
    return page(
        sample.hostile(), registers={"site": sample.hostile_sites()}, controls=known, obligations=laws
    )


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def all(self, tag: str = "") -> list[Element]:
        found = [self] if tag in ("", self.tag) else []
        for child in self.children:
            if isinstance(child, Element):
                found += child.all(tag)
        return found

    @property
    def text(self) -> str:
        parts = (child if isinstance(child, str) else child.text for child in self.children)
        return "" if self.tag in ("style", "script") else " ".join(" ".join(parts).split())

    def by_id(self, id_: str) -> Element:
        return next(element for element in self.all() if element.attributes.get("id") == id_)


class _Tree(HTMLParser):
    """Reads a page and refuses tags that are not closed in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> repeats an attribute"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(source: str) -> Element:
    tree = _Tree()
    tree.feed(source)
    tree.close()
    assert tree.open == [tree.root]
    return tree.root


# --- nothing foreign ------------------------------------------------------------------------------


@pytest.mark.parametrize("make", SAMPLES)
def test_the_policy_names_the_one_style_and_script_by_their_hash(make: Any) -> None:
    root = read(page(make()))
    policy = next(m for m in root.all("meta") if m.attributes.get("http-equiv") == "Content-Security-Policy")
    (style,), (script,) = root.all("style"), root.all("script")

    def digest(element: Element) -> str:
        (content,) = element.children
        assert isinstance(content, str)
        return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

    assert policy.attributes["content"] == (
        f"default-src 'none'; style-src '{digest(style)}'; script-src '{digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert script.attributes == style.attributes == {}


@pytest.mark.parametrize(
    "source",
    [page(make()) for make in SAMPLES] + [hostile_page(), set_page(sample.realistic()), hostile_document()],
)
def test_nothing_is_loaded_and_no_attribute_runs_or_styles(source: str) -> None:
    root = read(source)
    assert {e.tag for e in root.all()} & {
        "img",
        "link",
        "iframe",
        "object",
        "embed",
        "base",
        "image",
        "use",
    } == set()
    for element in root.all():
        assert [
            n for n in element.attributes if n.startswith("on") or n in ("style", "src", "srcdoc", "action")
        ] == []
        assert element.attributes.get("href", "#").startswith("#")
    style = root.all("style")[0].children[0]
    assert isinstance(style, str)
    assert re.findall(r"url\((?!#)|@import|@font-face", style) == []


@pytest.mark.parametrize("setter", [page, set_page])
@pytest.mark.parametrize("make", SAMPLES)
def test_links_lead_somewhere_and_ids_are_given_once(make: Any, setter: Any) -> None:
    root = read(setter(make()))
    ids = [e.attributes["id"] for e in root.all() if "id" in e.attributes]
    assert [id_ for id_, count in Counter(ids).items() if count > 1] == []
    targets = {e.attributes["href"].removeprefix("#") for e in root.all("a")}
    assert targets - set(ids) == set()
    assert {e.attributes["for"] for e in root.all("label") if "for" in e.attributes} - set(ids) == set()


def test_hostile_names_are_text() -> None:
    source = hostile_page()
    root = read(source)
    assert len(root.all("script")) == len(root.all("style")) == 1
    for name in (
        "<script>alert(1)</script>",
        "</title></style><img src=x onerror=alert(1)>",
        "{{ 7*7 }}{% raw %}",
    ):
        assert name in root.all("main")[0].text
    assert "<script>alert" not in source
    assert "<img" not in source


@pytest.mark.parametrize("make", [hostile_page, hostile_document])
def test_hostile_names_carry_no_control_or_direction_characters(make: Any) -> None:
    source = make()
    allowed = {"\n", "\N{REPLACEMENT CHARACTER}"}
    unsafe = {c for c in source if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")}
    assert unsafe <= allowed
    body = source[source.index("<body>") :]
    assert body == unicodedata.normalize("NFC", body)
    assert "hạ tầng" in body
    source.encode()


def test_names_without_end_are_cut_wherever_they_stand() -> None:
    longest = max(map(len, re.findall("x+", hostile_page())))
    assert longest <= 1200
    assert max(map(len, re.findall(r"\N{COMBINING ACUTE ACCENT}+", hostile_page()))) <= 2


# --- what it says ---------------------------------------------------------------------------------


def test_the_summary_says_it_all_in_both_languages() -> None:
    text = read(page(sample.realistic())).by_id("summary").text
    for part in (
        "BÁO CÁO ĐÁNH GIÁ MỨC ĐỘ SẴN SÀNG KẾT NỐI VỚI NỀN TẢNG ĐIỆN TOÁN ĐÁM MÂY CỦA TRUNG TÂM DỮ LIỆU QUỐC GIA",
        "Hồ sơ tự đánh giá, hỗ trợ đánh giá Self-assessment, in support of an assessment",
        "Nền tảng đám mây An Bình An Bình cloud platform",
        "Mức sẵn sàng của nền tảng Readiness of the platform 1 / 4 Chưa sẵn sàng Not ready",
        "5/7 Đáp ứng Open × Chưa đáp ứng điều kiện tiên quyết Blocked",
        "[80,5 ; 87,6] [80.5 ; 87.6]",
        "Độ bao phủ chứng cứ Evidence coverage 92,8 % 92.8% thu thập 91,6 % collected 91.6%",
        "BDR 48,8 48.8 Sao lưu, dự phòng thảm họa Backup and disaster recovery",
        "Độ tin cậy của chứng cứ Assurance 76,3 % 76.3%",
        "Thời điểm đánh giá Assessed 22/11/2026 08:30 2026-11-22 08:30 giờ Việt Nam Viet Nam time",
    ):
        assert part in text


def test_agency_scope_goes_to_five_and_names_itself() -> None:
    text = read(page(replace(sample.realistic(), kind="agency"))).by_id("summary").text
    assert "Mức độ sẵn sàng theo tự đánh giá Readiness by self-assessment 1 / 5" in text


@pytest.mark.parametrize("make", SAMPLES)
def test_the_tool_never_speaks_for_the_authority(make: Any) -> None:
    text = read(page(make())).by_id("summary").text.lower()
    assert [word for word in NOT_OURS_TO_SAY if re.search(rf"\b{word}\b", text)] == []


@pytest.mark.parametrize("make", SAMPLES)
def test_every_outcome_has_a_sign_and_a_word(make: Any) -> None:
    for badge in (e for e in read(page(make())).all("span") if "v" in e.attributes.get("class", "").split()):
        sign, word = badge.text.split(" ", 1)
        assert sign in "✓×!?…≈–"
        assert word


def test_every_drawing_is_named() -> None:
    drawings = [e for e in read(set_page(sample.realistic())).all("svg") if "role" in e.attributes]
    assert [e.all("title")[0].text for e in drawings] == [
        "Trạng thái các điều kiện tiên quyết / State of the gates"
    ]


def test_findings_stand_gating_first_with_evidence_basis_and_remedy() -> None:
    findings = read(set_page(sample.realistic(), sections=())).by_id("findings")
    controls = [d for d in findings.all("details") if d.attributes["class"] == "c"]
    assert [d.attributes["id"] for d in controls][:5] == [
        "c-RES-05",
        "c-BDR-01",
        "c-BDR-24",
        "c-RES-01",
        "c-BDR-21",
    ]
    text = controls[1].text
    for part in (
        "openstack volume backup create --name <name> --incremental --force <volume>",
        "Nội dung không kết luận được What cannot be concluded Chỉ xét những gì API cho thấy",
        "D1121-15d: Quyết định số 1121/QĐ-TTg ngày 11/6/2025 của Thủ tướng Chính phủ, II.4.b "
        "trích nguyên văn quoted còn hiệu lực in force",
        "backup.newest_age Tuổi bản sao lưu mới nhất Age of newest backup",
        "csdl-ho-tich-05 Khối csdl-ho-tich-05 của hệ thống ho-tich: bản sao lưu mới nhất cách đây 1 ngày 3 giờ",
        "backup.newest_age 1 ngày 3 giờ 1 d 3 h derived:backup; block-storage GET /v3/backups/detail -> 200 · 2026-11-22 08:05",
        "backup.count ít nhất 2 at least 2 derived:backup; block-storage GET /v3/backups/detail -> 200 · 2026-11-22 08:05",
        "system.rpo 4 giờ 4 h",
        "hn-cloud/hn-1/ho-tich",
    ):
        assert part in text
    paper = controls[2].text
    assert "valid_until 31/08/2026 2026-08-31 attestation:HS-2025-021 register:attestation" in paper


def test_unknown_facts_say_why() -> None:
    text = read(page(sample.realistic())).by_id("c-RES-01").text
    assert "site.id chưa xác định (Chưa ánh xạ với danh mục khai báo)" in text
    assert "region dn-1 is at no declared site" in text


WAIVERS = [
    {
        "id": "MT-2026-03",
        "control": "BDR-05",
        "resource": "csdl-ho-tich-04",
        "system": None,
        "reason": "Đang chuyển kho sao lưu",
        "compensating": "Hạn chế quyền đọc",
        "approver": "Giám đốc Hạ tầng",
        "authority": "internal",
        "starts": "2026-09-01T00:00:00+07:00",
        "until": "2026-12-31T16:59:59Z",
    }
]


def test_waivers_hold_or_are_refused() -> None:
    report = {**sample.report(sample.realistic()), "waivers": WAIVERS}
    root = read(HtmlReporter().render(report, sample.context(inputs=sample.realistic())))
    assert "MT-2026-03 – đến 31/12/2026 23:59 until 2026-12-31 23:59" in root.by_id("c-BDR-05").text
    assert (
        "≈ Được miễn trừ có thời hạn Waived : MT-2026-03"
        in read(page(sample.realistic())).by_id("c-BDR-05").text
    )
    assert "miễn trừ MT-2026-02 không còn trong thời hạn" in root.by_id("c-BDR-05").text


def test_a_control_the_catalogue_does_not_have_still_shows_its_result() -> None:
    text = read(page(sample.realistic(), controls={}, obligations={})).by_id("c-RES-05").text
    assert "Danh mục đang dùng không có biện pháp kiểm soát này; chỉ có kết quả." in text
    assert "LBV-01" in text


def test_texts_of_another_version_are_marked() -> None:
    other = {c.id: replace(c, digest="0" * 64) for c in sample.CONTROLS}
    marked = "Nội dung mô tả lấy từ một phiên bản khác"
    assert marked in page(sample.small(), controls=other)
    assert marked not in page(sample.small())


@pytest.mark.parametrize(("lang", "chosen"), [("vi", "lang-both"), ("en", "lang-en")])
def test_vietnamese_leads_and_english_can_be_read_alone(lang: str, chosen: str) -> None:
    root = read(page(sample.small(), lang=lang))
    assert [e.attributes["id"] for e in root.all("input") if "checked" in e.attributes] == [chosen]
    assert root.all("html")[0].attributes["lang"] == "vi"
    english = [e for e in root.all() if "en" in e.attributes.get("class", "").split()]
    assert {e.attributes.get("lang") for e in english} == {"en"}


def test_where_no_style_can_choose_a_language_each_stands_ready_for_the_script() -> None:
    root = read(set_page(sample.realistic()))
    options = [e for e in root.all("option") if e.attributes["value"] in ("", "fail")]
    assert [(e.text, e.attributes["data-vi"], e.attributes["data-en"]) for e in options[:2]] == [
        ("Tất cả / All", "Tất cả", "All"),
        ("× Không đáp ứng / Fail", "× Không đáp ứng", "× Fail"),
    ]
    both = {
        f"{label.vi} / {label.en}"
        for label in html.labels()._texts.values()
        if label.vi != label.en and "{" not in label.vi
    }
    bare = [e for e in root.all() if e.tag != "style" and "data-en" not in e.attributes]
    told = [child for e in bare for child in e.children if isinstance(child, str)]
    told += [value for e in bare for value in e.attributes.values()]
    assert [text for text in told if any(label in text for label in both)] == []


def test_labels_of_a_finding_come_in_each_language() -> None:
    root = read(page(sample.realistic()))
    style = root.all("style")[0].children[0]
    assert isinstance(style, str)
    for name, both, vi in (
        ("system", "Hệ thống thông tin / Information system", "Hệ thống thông tin"),
        ("site", "Địa điểm / Site", "Địa điểm"),
        ("print", "Mã nhận dạng / Fingerprint", "Mã nhận dạng"),
    ):
        assert any(e.attributes.get("class") == f"of-{name}" for e in root.by_id("c-BDR-01").all())
        assert f'#lang-both:checked ~ * .of-{name}::before {{ content: "{both}: "; }}' in style
        assert f'#lang-vi:checked ~ * .of-{name}::before {{ content: "{vi}: "; }}' in style


def test_a_print_says_where_the_evidence_is() -> None:
    source = page(sample.realistic())
    (note,) = [e for e in read(source).all("p") if e.attributes.get("class") == "printed"]
    assert "chứng cứ nằm trong report.json và findings.jsonl.gz trong thư mục kết quả." in note.text
    assert "it is in report.json and findings.jsonl.gz in the results folder." in note.text
    screen, printed = source.split("@media print", 1)
    assert ".printed { display: none; }" in screen
    assert ".printed { display: block; }" in printed


def test_the_same_report_gives_the_same_bytes() -> None:
    assert page(sample.realistic()) == page(sample.realistic())


def test_shipped_declarations_explain_facts_when_none_are_given() -> None:
    inputs = sample.small()
    assert "RES-05" in HtmlReporter().render(sample.report(inputs), sample.context(inputs=inputs))


# --- blocks ---------------------------------------------------------------------------------------


def test_the_cover_does_not_say_twice_what_its_box_shows() -> None:
    summary = read(set_page(sample.realistic())).by_id("summary")
    beside = next(e for e in summary.all("div") if e.attributes.get("class") == "beside")
    assert beside.text == (
        "Một đoạn A paragraph Một đoạn A paragraph Một đoạn A paragraph Một đoạn A paragraph "
        "Một đoạn A paragraph Một đoạn A paragraph"
    )
    assert [a.attributes["href"] for a in beside.all("a")] == ["#c-RES-05"]


def test_sections_stand_in_their_order_and_the_contents_lead_to_them() -> None:
    root = read(set_page(sample.realistic()))
    assert [e.attributes["id"] for e in root.all("section")] == ["s-5", "s-8", "s-A", "s-C"]
    assert [(a.attributes["href"], a.text) for a in root.all("nav")[0].all("a")] == [
        ("#s-5", "5. Một đoạn A paragraph"),
        ("#s-8", "8. Một đoạn A paragraph"),
        ("#s-A", "Một đoạn A paragraph"),
        ("#s-C", "Một đoạn A paragraph"),
    ]


def test_every_kind_of_block_is_set() -> None:
    section = read(set_page(sample.realistic())).by_id("s-5")
    inside = [e for e in section.children if not isinstance(e, str)]
    assert [(e.tag, e.attributes.get("class", "")) for e in inside] == [
        ("h2", ""),
        ("p", ""),
        ("p", "note"),
        ("p", "fixed"),
        ("p", "warning"),
        ("h3", ""),
        ("ul", ""),
        ("table", "stack of3"),
        ("p", "muted"),
        ("figure", ""),
        ("div", "findings"),
    ]
    table = section.by_id("rows")
    assert [e.attributes["class"] for e in section.all("div") if "class" in e.attributes][:2] == [
        "scroll",
        "findings",
    ]
    assert [col.attributes["width"] for col in table.all("col")] == ["50%", "25%", "25%"]
    assert [e.text for e in table.all() if e.tag in ("th", "td")] == [
        "Một đoạn A paragraph", "Số Số (en)", "Mã Mã (en)",
        "Một đoạn A paragraph", "1,5 1.5", "abc",
        "× RES-05 Một đoạn A paragraph", "2", "–",
    ]  # fmt: skip
    assert [(e.attributes.get("data-l"), e.attributes.get("class")) for e in table.all("td")[:2]] == [
        ("Số", "num"),
        ("Mã", "code"),
    ]
    assert inside[8].text == "… và 7 mục khác trong report.json … and 7 more in report.json"
    (sign,) = [e for e in table.all("span") if e.attributes.get("role") == "img"]
    assert (sign.text, sign.attributes["aria-label"]) == ("×", "Không đáp ứng / Fail")


def test_a_long_table_is_folded_and_does_not_name_its_columns_in_each_cell() -> None:
    rows = [(cell("x"), cell(str(n))) for n in range(html.MOST_OPEN + 1)]
    long = Table("long", text("Dài"), (Column(text("A")), Column(text("B"))), rows)
    section = read(set_page(sample.small(), sections=(Section("B", text("B"), (long,)),))).by_id("s-B")
    (folded,) = section.all("details")
    assert folded.attributes == {"class": "long"}
    assert folded.all("summary")[0].text == "Dài Dài (en) – 121 dòng, mở để xem – 121 rows, open to read"
    assert folded.by_id("long").attributes["class"] == "of2"
    assert [e for e in folded.all() if "data-l" in e.attributes or e.tag == "caption"] == []


def test_a_table_is_not_named_twice() -> None:
    short = Table("short", text("Ngắn"), (Column(text("A")),), [(cell("x"),)])
    for before, captions in (((Heading(text("Ngắn")),), 0), ((Heading(text("Khác")),), 1), ((), 1)):
        root = read(set_page(sample.small(), sections=(Section("B", text("B"), (*before, short)),)))
        assert len(root.by_id("s-B").all("caption")) == captions


def test_controls_are_shown_once_and_named_where_they_come_again() -> None:
    root = read(set_page(sample.realistic()))
    first = [e.attributes["id"] for e in root.by_id("findings-5").all("details") if "id" in e.attributes]
    second = [e.attributes["id"] for e in root.by_id("findings-8").all("details") if "id" in e.attributes]
    assert first[:2] == ["c-RES-05", "c-RES-01"]
    assert second[0] == "c-BDR-01"
    assert set(first) & set(second) == set()
    again = [p for p in root.by_id("s-8").all("p") if "Findings shown in another section" in p.text]
    assert sorted(a.attributes["href"] for a in again[0].all("a")) == sorted(f"#{id_}" for id_ in first)


def test_findings_no_block_asks_for_come_last_but_not_in_the_yearly_form() -> None:
    inputs = sample.realistic()
    root = read(set_page(inputs, sections=()))
    assert "c-RES-05" in [e.attributes.get("id") for e in root.by_id("findings").all("details")]
    assert root.all("nav")[0].all("a")[0].attributes["href"] == "#findings"
    yearly = read(set_page(inputs, sections=(), form="yearly"))
    assert [
        e for e in yearly.all() if e.tag == "details" or e.attributes.get("id") in ("filter", "findings")
    ] == []


def test_controls_and_obligations_lead_to_their_rows() -> None:
    root = read(set_page(sample.realistic()))
    assert root.by_id("r-RES-04").text == "RES-04"
    (row,) = [row for row in root.by_id("all-controls").all("tr") if row.text == "RES-05"]
    assert row.all("a")[0].attributes["href"] == "#c-RES-05"
    assert "#o-LDL-01" in [a.attributes.get("href") for a in root.by_id("c-RES-05").all("a")]
    assert root.by_id("o-LDL-01").text == "LDL-01"


def test_fixed_sentences_stand_in_both_languages_everywhere() -> None:
    source = set_page(sample.small())
    fixed = [e for e in read(source).all("p") if e.attributes.get("class") == "fixed"]
    assert [[e.attributes["class"] for e in p.all("span")] for p in fixed] == [["vi", "en below"]] * 2
    assert "#lang-vi:checked ~ * .fixed .en, #lang-en:checked ~ * .fixed .vi { display: block; }" in source


def test_without_gates_no_level_is_shown() -> None:
    inputs = replace(sample.small(), gates=())
    summary = read(set_page(inputs)).by_id("summary")
    assert "Không kết luận mức độ sẵn sàng" in summary.text
    assert "0/0" not in summary.text
    assert [e for e in summary.all() if e.attributes.get("class") in ("number", "scale")] == []


def test_a_report_is_set_from_its_chapters() -> None:
    inputs = sample.realistic()
    report, context = sample.report(inputs), sample.context(inputs=inputs)
    assert HtmlReporter().render(report, context) == html.page(chapters.document(report, context), context)


# --- size -----------------------------------------------------------------------------------------


def test_five_thousand_findings_render_in_time_and_stay_lean() -> None:
    inputs = sample.many(5000)
    report, context = sample.report(inputs), sample.context(inputs=inputs)
    reporter = HtmlReporter()
    begin = time.process_time()
    source = reporter.render(report, context)
    assert time.process_time() - begin < 3
    assert source.count('<details class="f">') == 5000
    assert source.count("<details open") == 0
    assert len(re.findall(r"<[a-z]", source)) < 36 * 5000
    assert len(source.encode()) < 1500 * 5000


def test_what_a_browser_could_not_hold_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MOST_FINDINGS", 60)
    source = page(sample.many(600))
    assert source.count('<details class="f">') == 60
    assert source.count("… và 90 mục khác trong report.json") == 6
