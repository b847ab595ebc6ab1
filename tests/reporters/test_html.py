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

from cloudaudit.model import FactSpec, FactType, Parameter, Remediation, Resource, Scope, Text
from cloudaudit.reporters import html
from cloudaudit.reporters.html import HtmlReporter

NOT_OURS_TO_SAY = ("đạt", "được phép kết nối", "chứng nhận")
VOID = {"meta", "input", "br", "img", "rect", "path"}
SAMPLES = [sample.small, sample.realistic, sample.all_pass, sample.hostile]


def page(inputs: sample.Inputs, **changes: Any) -> str:
    context = sample.context(inputs=inputs, **changes)
    return HtmlReporter().render(sample.report(inputs), context)


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


@pytest.mark.parametrize("source", [page(make()) for make in SAMPLES] + [hostile_page()])
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


@pytest.mark.parametrize("make", SAMPLES)
def test_links_lead_somewhere_and_ids_are_given_once(make: Any) -> None:
    root = read(page(make()))
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
        assert name in root.by_id("findings").text
    assert "<script>alert" not in source
    assert "<img" not in source


def test_hostile_names_carry_no_control_or_direction_characters() -> None:
    source = hostile_page()
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
        "5/7 Mở Open × Chưa đáp ứng điều kiện tiên quyết Blocked",
        "[80,5 ; 87,6] [80.5 ; 87.6]",
        "Độ bao phủ chứng cứ Evidence coverage 92,8 % 92.8% thu thập 91,6 % collected 91.6%",
        "BDR 48,8 48.8 Sao lưu, dự phòng thảm họa Backup and disaster recovery",
        "Độ tin cậy của chứng cứ Assurance 76,3 % 76.3%",
        "Thời điểm đánh giá Assessed 22/11/2026 08:30 2026-11-22 08:30 giờ Việt Nam Viet Nam time",
        "Lý do chưa ở mức cao hơn Why the level is not higher Chưa đáp ứng điều kiện tiên quyết: G1, G2",
        "không thay thế kết luận của cơ quan có thẩm quyền.",
        "Cấp có thẩm quyền đánh giá và quyết định việc kết nối; công cụ chỉ báo cáo.",
        "Hồ sơ năng lực do dự án cloudaudit đề xuất, không phải tiêu chuẩn của cơ quan có thẩm quyền.",
    ):
        assert part in text
    top = read(page(sample.realistic())).by_id("summary").all("ol")[1]
    assert [li.all("a")[0].text for li in top.all("li")] == ["RES-05", "BDR-01", "BDR-24", "RES-01", "BDR-21"]


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
    for drawing in (
        e for e in read(page(sample.realistic())).all("svg") if e.attributes.get("role") == "img"
    ):
        assert drawing.attributes.get("aria-label") or drawing.all("title")[0].text


def test_findings_stand_gating_first_with_evidence_basis_and_remedy() -> None:
    findings = read(page(sample.realistic())).by_id("findings")
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
        "D1121-15d : Quyết định số 1121/QĐ-TTg ngày 11/6/2025 của Thủ tướng Chính phủ, II.4.b "
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
    assert (
        "valid_until 31/08/2026 00:00 2026-08-31 00:00 attestation:HS-2025-021 register:attestation" in paper
    )


def test_unknown_facts_say_why() -> None:
    text = read(page(sample.realistic())).by_id("c-RES-01").text
    assert "site.id chưa xác định (Chưa ánh xạ với danh mục khai báo)" in text
    assert "region dn-1 is at no declared site" in text


def test_waivers_hold_or_are_refused() -> None:
    root = read(page(sample.realistic()))
    assert "≈ Được miễn trừ có thời hạn Waived : MT-2026-03" in root.by_id("c-BDR-05").text
    waivers = root.by_id("waivers").text
    for part in (
        "≈ Được miễn trừ có thời hạn Waived ≈ BDR-05 csdl-ho-tich-04 MT-2026-03",
        "miễn trừ MT-2026-02 không còn trong thời hạn waiver MT-2026-02 is not in date",
        "! BDR-24 * Cập nhật và phê duyệt lại phương án dự phòng thảm họa Trưởng phòng Hạ tầng 31/12/2026 07:00",
        "! BDR-24 nen-tang-an-binh nen-tang-an-binh: có phương án dự phòng thảm họa còn hiệu lực",
    ):
        assert part.replace("≈ BDR-05", "× BDR-05") in waivers


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


def test_a_waiver_tells_its_dates_its_reason_and_who_approved_it() -> None:
    report = {**sample.report(sample.realistic()), "waivers": WAIVERS}
    root = read(HtmlReporter().render(report, sample.context(inputs=sample.realistic())))
    until = "MT-2026-03 – đến 31/12/2026 23:59 until 2026-12-31 23:59"
    assert until in root.by_id("c-BDR-05").text
    waivers = root.by_id("waivers").text
    assert until in waivers
    assert (
        "MT-2026-03 × BDR-05 csdl-ho-tich-04 01/09/2026 00:00 2026-09-01 00:00 31/12/2026 23:59 2026-12-31 23:59 "
        "Đang chuyển kho sao lưu Giám đốc Hạ tầng nội bộ đơn vị internal Hạn chế quyền đọc"
    ) in waivers
    register = "xem danh mục miễn trừ kèm theo"
    assert register not in waivers
    assert register in read(page(sample.realistic())).by_id("waivers").text


def test_unknowns_name_the_remedy_and_not_applicable_its_proof() -> None:
    inputs = sample.realistic()
    bucket = sample.resource("s3.bucket", "*", target="*", region=None, project=None)
    proven = sample.finding(
        "SEC-13", bucket, "not_applicable", detail="the owner of the empty list was expected"
    )
    kept = [f for f in inputs.findings if f.control.id != "SEC-13"]
    text = read(page(replace(inputs, findings=[*kept, proven]))).by_id("unknowns").text
    assert "Thiếu quyền đọc No permission to read 1 Kiểm tra dịch vụ có chấp nhận thông tin xác thực" in text
    assert "– SEC-13 Bucket không đọc được công khai Buckets cannot be read by the public s3.bucket" in text
    assert "the owner of the empty list was expected" in text


def test_the_map_tells_domestic_foreign_and_unmapped_apart() -> None:
    text = read(page(sample.realistic())).by_id("places").text
    for part in (
        "Hà Nội VN Trung tâm dữ liệu Hòa Lạc hn-1 HS-2026-014",
        "Singapore ▲ Ngoài Việt Nam Outside Viet Nam (SG) Trung tâm dữ liệu đối tác sg-1 chưa có hồ sơ xác nhận",
        "? hn-cloud / dn-1",
        "× RES-05 ho-so-cong-dan dr-copy – sg-1 ▲ SG",
    ):
        assert part in text


def test_without_a_register_of_sites_the_map_says_so() -> None:
    assert "? Chưa có danh mục địa điểm." in read(page(sample.realistic(), registers={})).by_id("places").text


def test_obligations_lead_to_controls_and_count_their_verdicts() -> None:
    rows = [row.text for row in read(page(sample.realistic())).by_id("trace").all("tr")]
    assert "Luật Dữ liệu số 60/2024/QH15" in rows
    assert [row for row in rows if row.startswith("LDL-01")] == [
        "LDL-01 Điều 23 “chuyển, xử lý dữ liệu xuyên biên giới” transfer of data abroad theo nguồn thứ cấp reported "
        "còn hiệu lực in force ? RES-01 ✓ RES-04 × RES-05 × 1 biện pháp không đáp ứng 1 fail "
        "? 1 biện pháp chưa xác định 1 unknown ✓ 1 biện pháp đáp ứng 1 pass"
    ]


def test_nothing_is_concluded_on_a_clause() -> None:
    section = read(page(sample.all_pass())).by_id("trace")
    table = section.all("table")[0]
    assert [e for e in table.all() if "v" in e.attributes.get("class", "").split()] == []
    assert "Kết quả của các biện pháp kiểm soát liên quan Result of the related controls" in table.text
    before, _, _ = section.text.partition(table.text)
    for part in (
        "Đáp ứng các biện pháp này không phải là kết luận rằng điều khoản được tuân thủ; chỉ cơ quan có thẩm quyền",
        "That they are met is no conclusion that the clause is complied with",
        "'chưa xác minh' hoặc 'theo nguồn thứ cấp' cần được đối chiếu với văn bản chính thức",
        "'unverified' or 'reported' have to be compared with the official text",
    ):
        assert part in before


def test_a_clause_without_a_quotation_says_so() -> None:
    rows = [row.text for row in read(page(sample.realistic())).by_id("trace").all("tr")]
    (row,) = [row for row in rows if row.startswith("LBV-01")]
    assert (
        "chưa rõ điều, khoản chưa có trích dẫn no quotation personal data sent abroad needs a dossier" in row
    )


def test_every_control_stands_in_the_table_with_its_figures() -> None:
    rows = [row.text for row in read(page(sample.realistic())).by_id("all-controls").all("tr")][1:]
    assert [row.split()[0] for row in rows] == sorted(control.id for control in sample.CONTROLS)
    assert (
        "BDR-05 Bản sao lưu được mã hóa Backups are encrypted Trung bình Medium Kỹ thuật Technical Quan sát được "
        "Observed × Không đáp ứng Fail 75,0 % 75.0% × 2 ≈ 1 ✓ 9"
    ) in rows


def test_changed_parameters_are_shown_with_their_default() -> None:
    inputs = sample.realistic()
    parameter = Parameter(FactSpec("max_age", FactType.DURATION), 86400, "proposed-default")
    controls = tuple(
        replace(c, parameters={"max_age": parameter}) if c.id == "BDR-01" else c for c in inputs.controls
    )
    text = read(page(replace(inputs, controls=controls))).by_id("method").text
    assert "BDR-01 max_age 1 ngày 1 d 12 giờ 12 h" in text


def test_method_carries_versions_gaps_and_registers() -> None:
    text = read(page(sample.realistic())).by_id("method").text
    for part in (
        f"cloudaudit 0.1.0 Danh mục biện pháp kiểm soát Control catalogue 0.1.0 {sample.DIGEST}",
        "hn-cloud – – openstack.user GET /v3/users Thiếu quyền đọc No permission to read 403 Forbidden",
        "s3-hn – s3 8 ? 7",
        f"Danh mục địa điểm Register of sites registers/sites.yaml {sample.DIGEST}",
        "Hệ thống đăng ký hộ tịch ho-tich Sở Tư pháp Trung tâm Chuyển đổi số 3 Đặc biệt quan trọng",
        "CK-02 Mâu thuẫn với quan sát Contradicted by observation",
    ):
        assert part in text


def test_a_target_whose_certificate_nobody_verified_is_marked() -> None:
    inputs = sample.small()
    first, *others = inputs.targets
    text = read(page(replace(inputs, targets=[{**first, "verify": False}, *others]))).by_id("method").text
    assert text.count("Không kiểm tra chứng thư TLS TLS certificate not verified regions: all") == 1
    assert "verify" not in text.replace("TLS certificate not verified", "")


def test_what_s3_endpoints_can_do_stands_beside_what_was_collected() -> None:
    facts = {"server_kind": "ceph", "supported": ("GetBucketAcl",), "unsupported": ("GetBucketEncryption",)}
    endpoint = Resource("s3.endpoint", "https://s3.vn", Scope("kho"), 0, facts)
    source = page(replace(sample.small(), endpoints=(endpoint,)))
    _, _, section = source.partition("Read operations the S3 stores support")
    row = section.partition("<tbody>")[2].partition("</tbody>")[0]
    cells = [re.findall(r"<code>(\w+)</code>", cell) for cell in row.split("<td")[1:]]
    assert cells[:3] == [["ceph"], ["GetBucketAcl"], ["GetBucketEncryption"]]
    assert len(cells[3]) == 14
    # A report made before this was kept has no such section.
    assert "Read operations the S3 stores support" not in page(sample.small())


def test_a_control_the_catalogue_does_not_have_still_shows_its_result() -> None:
    text = read(page(sample.realistic(), controls={}, obligations={})).by_id("c-RES-05").text
    assert "Danh mục đang dùng không có biện pháp kiểm soát này; chỉ có kết quả." in text
    assert "LBV-01" in text


def test_texts_of_another_version_are_marked() -> None:
    other = {c.id: replace(c, digest="0" * 64) for c in sample.CONTROLS}
    marked = "Nội dung mô tả lấy từ một phiên bản khác"
    assert marked in page(sample.small(), controls=other)
    assert marked not in page(sample.small())


@pytest.mark.parametrize(
    ("value", "spec", "vi"),
    [
        (97200, FactSpec("age", FactType.DURATION), "1 ngày 3 giờ"),
        ({"$at_most": 3600}, FactSpec("age", FactType.DURATION), "không quá 1 giờ"),
        ({"$at_least": 2}, FactSpec("n", FactType.INTEGER), "ít nhất 2"),
        ("2026-08-30T17:00:00Z", FactSpec("at", FactType.TIME), "31/08/2026 00:00"),
        ("hôm qua", FactSpec("at", FactType.TIME), "hôm qua"),
        ([22, 22], FactSpec("ports", FactType.PORTS), "22"),
        ([8000, 9000], FactSpec("ports", FactType.PORTS), "8000-9000"),
        ([60, 120], FactSpec("ages", FactType.LIST, items=FactSpec("", FactType.DURATION)), "1 phút; 2 phút"),
        ({"$partial": ["a", {"$more": 7}]}, FactSpec("l", FactType.LIST), "a; … (+7) (mới thấy một phần)"),
        ({"at": "2026-08-30T17:00:00Z"}, FactSpec("r", FactType.RECORD, fields={"at": FactSpec("at", FactType.TIME)}),
         "at: 31/08/2026 00:00"),
        ({"$at_most": 5}, None, '{"$at_most":5}'),
        ({"a": [1, None]}, None, '{"a":[1,null]}'),
        ([1, {"$more": 7}], None, "1; … (+7)"),
        ([], None, "không có mục nào"),
        (None, None, "không có"),
        (True, None, "có"),
    ],
)  # fmt: skip
def test_values_of_evidence_are_shown_by_their_type(value: Any, spec: FactSpec | None, vi: str) -> None:
    assert html._Values({}).shown(value, spec).vi == vi


@pytest.mark.parametrize(("lang", "chosen"), [("vi", "lang-both"), ("en", "lang-en")])
def test_vietnamese_leads_and_english_can_be_read_alone(lang: str, chosen: str) -> None:
    root = read(page(sample.small(), lang=lang))
    assert [e.attributes["id"] for e in root.all("input") if "checked" in e.attributes] == [chosen]
    assert root.all("html")[0].attributes["lang"] == "vi"
    english = [e for e in root.all() if "en" in e.attributes.get("class", "").split()]
    assert {e.attributes.get("lang") for e in english} == {"en"}


def test_where_no_style_can_choose_a_language_each_stands_ready_for_the_script() -> None:
    root = read(page(sample.realistic()))
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
    assert [e for e in root.by_id("places").all("text") if "Ngoài Việt Nam" in e.children] == []


def test_labels_of_a_finding_come_in_each_language() -> None:
    root = read(page(sample.realistic()))
    style = root.all("style")[0].children[0]
    assert isinstance(style, str)
    for name, both, vi in (
        ("system", "Hệ thống thông tin / Information system", "Hệ thống thông tin"),
        ("site", "Địa điểm / Site", "Địa điểm"),
        ("print", "Dấu vân tay / Fingerprint", "Dấu vân tay"),
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


def test_thresholds_say_what_they_are_for() -> None:
    text = read(page(sample.realistic())).by_id("method").text
    for part in (
        "Phải có để vượt qua mức 0 Needed to get past level 0 ( Chưa đủ cơ sở đánh giá Not assessable ): "
        "Độ bao phủ thu thập Collection coverage ≥ 80; Độ bao phủ chứng cứ Evidence coverage ≥ 60",
        "Phải có để được xếp mức 3 Needed for level 3",
        "đặc biệt quan trọng 4, quan trọng 2, còn lại 1; tài nguyên chưa gắn với hệ thống nào",
    ):
        assert part in text


def test_the_same_report_gives_the_same_bytes() -> None:
    assert page(sample.realistic()) == page(sample.realistic())


def test_shipped_declarations_explain_facts_when_none_are_given() -> None:
    inputs = sample.small()
    assert "RES-05" in HtmlReporter().render(sample.report(inputs), sample.context(inputs=inputs))


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
    assert len(re.findall(r"<[a-z]", source)) < 26 * 5000
    assert len(source.encode()) < 1200 * 5000


def test_what_a_browser_could_not_hold_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MOST_FINDINGS", 60)
    source = page(sample.many(600))
    assert source.count('<details class="f">') == 60
    assert source.count("… và 90 mục khác trong report.json") == 6
