"""The terminal report: exact screens, width, and names that try to steer the terminal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import sample_report as sample
from rich.cells import cell_len

from cloudaudit.model import Text, Written
from cloudaudit.reporters import Known, view
from cloudaudit.reporters.text import CONTROLS, NAMED, ROWS_PER_CONTROL, TextReporter
from cloudaudit.reporters.words import short

VIETNAMESE = """\
BÁO CÁO ĐÁNH GIÁ MỨC ĐỘ SẴN SÀNG KẾT NỐI VỚI NỀN TẢNG ĐIỆN TOÁN ĐÁM MÂY CỦA
TRUNG TÂM DỮ LIỆU QUỐC GIA
Hồ sơ tự đánh giá, hỗ trợ đánh giá · Nền tảng đám mây An Bình · Phạm vi nhà cung
cấp

Mức sẵn sàng của nền tảng   1  Chưa sẵn sàng
Điều kiện tiên quyết        × Chưa đáp ứng điều kiện tiên quyết (đáp ứng 1/3)
Điểm (cận dưới – cận trên)  [24,2 ; 57,5]
Độ bao phủ chứng cứ         66,6 %
Độ bao phủ thu thập         91,6 %
Chiều đánh giá thấp nhất    RES 0,0 (Vị trí, cư trú dữ liệu)
Độ tin cậy của chứng cứ     100,0 %
Cam kết đã công bố          không xét trong hồ sơ năng lực này
Thời điểm đánh giá          22/11/2026 08:30 (giờ Việt Nam)
Hồ sơ năng lực              ndc-connection 1.0.0
Biện pháp kiểm soát         × 1 Không đáp ứng   ? 1 Chưa xác định
                            ≈ 1 Được miễn trừ có thời hạn   ✓ 1 Đáp ứng

Lý do chưa ở mức cao hơn
 – Chưa đáp ứng điều kiện tiên quyết: G1
 – Chưa xác định điều kiện tiên quyết: G4
 – Điểm (cận dưới) 24,2 dưới 50

Điều kiện tiên quyết
G1  Dữ liệu và sao lưu ở trong nước, có căn cứ                   × Chưa đáp ứng
G2  Dữ liệu quan trọng khôi phục được                            ✓ Đáp ứng
G4  Biện pháp an toàn cơ bản                                     ? Chưa xác định

Mã   Chiều đánh giá            0 – 100                 Điểm              Bao phủ
────────────────────────────────────────────────────────────────────────────────
RES  Vị trí, cư trú dữ liệu    ······················  [0,0 ; 0,0]       100,0 %
BDR  Sao lưu, dự phòng thảm    ███████████████·······  [72,7 ; 72,7]     100,0 %
     họa
SEC  An toàn thông tin mạng,   ░░░░░░░░░░░░░░░░░░░░░░  [0,0 ; 100,0]       0,0 %
     an ninh mạng
 █ chắc chắn đáp ứng   ░ chưa biết   · không đáp ứng

Các phát hiện chính khiến điều kiện tiên quyết chưa được đáp ứng

RES-05 [Nghiêm trọng, G1] Đích sao chép S3 nằm tại địa điểm trong nước đã khai
       báo
 × Không đáp ứng: ho-so-cong-dan [s3-hn]
   Bucket ho-so-cong-dan: đích sao chép đang bật: bucket: backup, đã nhận diện:
   có, địa điểm: sg-1, quốc gia: SG, trong nước: không
 → Cách khắc phục: Khắc phục theo hướng dẫn của đơn vị vận hành, rồi thu thập
   lại.

SEC-13 [Nghiêm trọng, G4] Bucket không đọc được công khai
 ? Chưa xác định: s3-hn
   Chưa thu thập được s3.bucket tại s3-hn: Thiếu quyền đọc

Nội dung chưa xác định và hạn chế
Nội dung 'Chưa xác định' không được tính là đáp ứng.
Lý do                 Số lượng  Cách làm rõ
────────────────────────────────────────────────────────────────────────────────
Thiếu quyền đọc              1  Kiểm tra dịch vụ có chấp nhận thông tin xác thực
                                không (tài khoản, mật khẩu hoặc khóa); nếu có,
                                cấp cho danh tính kiểm toán quyền đọc (như vai
                                trò reader) ở nơi bị từ chối. Sau đó thu thập
                                lại.

Miễn trừ
 ≈ MT-01 · BDR-05 · Được miễn trừ có thời hạn (Số lượng: 1)

Nội dung chưa thu thập được: 1
Toàn bộ kết quả: report.json và findings.jsonl.gz trong thư mục kết quả.

Hồ sơ năng lực do dự án cloudaudit đề xuất, không phải tiêu chuẩn của cơ quan có
thẩm quyền.
Báo cáo này phản ánh kết quả tự đánh giá tại thời điểm thu thập dữ liệu; không
thay thế kết luận của cơ quan có thẩm quyền.
Cấp có thẩm quyền đánh giá và quyết định việc kết nối; công cụ chỉ báo cáo.
"""

ENGLISH = """\
REPORT ON READINESS TO CONNECT TO THE CLOUD PLATFORM OF THE NATIONAL DATA CENTER
Self-assessment, in support of an assessment · An Bình cloud platform · Provider
scope

Readiness of the platform    1  Not ready
Gates                        × Blocked (1/3 open)
Score (lower – upper bound)  [24.2 ; 57.5]
Evidence coverage            66.6%
Collection coverage          91.6%
Weakest dimension            RES 0.0 (Data residency)
Assurance                    100.0%
Published claims             not judged by this profile
Assessed                     2026-11-22 08:30 (Viet Nam time)
Profile                      ndc-connection 1.0.0
Controls                     × 1 Fail   ? 1 Unknown   ≈ 1 Waived   ✓ 1 Pass

Why the level is not higher
 – Gates blocked: G1
 – Gates indeterminate: G4
 – Score (lower bound) 24.2 is below 50

Gates
G1  Data and backups are in the country, with proof              × Blocked
G2  Critical data can be recovered                               ✓ Open
G4  Basic security measures                                      ? Indeterminate

Id   Dimension                 0 – 100                 Score            Coverage
────────────────────────────────────────────────────────────────────────────────
RES  Data residency            ······················  [0.0 ; 0.0]        100.0%
BDR  Backup and disaster       ███████████████·······  [72.7 ; 72.7]      100.0%
     recovery
SEC  Information and cyber     ░░░░░░░░░░░░░░░░░░░░░░  [0.0 ; 100.0]        0.0%
     security
 █ shown to pass   ░ not known   · not met

Top blocking findings

RES-05 [Critical, G1] S3 replication targets stay in declared domestic sites
 × Fail: ho-so-cong-dan [s3-hn]
   Bucket ho-so-cong-dan: active replication targets: bucket: backup, known:
   yes, site: sg-1, country: SG, in Viet Nam: no
 → Remediation: Correct it, then collect again.

SEC-13 [Critical, G4] Buckets cannot be read by the public
 ? Unknown: s3-hn
   s3.bucket at s3-hn was not seen: No permission to read

Unknowns and limits
What is 'Unknown' does not count as a pass.
Reason                   Count  How to find out
────────────────────────────────────────────────────────────────────────────────
No permission to             1  Check that the credential is accepted at all
read                            (user, password or keys); if it is, give the
                                auditing identity the right to read (such as the
                                role reader) where it was refused. Then collect
                                again.

Waivers
 ≈ MT-01 · BDR-05 · Waived (Count: 1)

Not seen: 1
All results: report.json and findings.jsonl.gz in the results folder.

Capability profile proposed by the cloudaudit project, not a standard of a
competent authority.
This report shows the result of a self-assessment at the time the data were
collected; it does not replace the conclusion of a competent authority.
The competent authority assesses and decides on the connection; the tool only
reports.
"""

NOT_OURS_TO_SAY = ("đạt", "được phép kết nối", "chứng nhận")
SCREENS = [sample.small, sample.realistic, sample.all_pass, sample.hostile]


def screen(inputs: sample.Inputs, **changes: Any) -> str:
    return TextReporter().render(sample.report(inputs), sample.context(inputs=inputs, **changes))


def test_the_screen_in_vietnamese() -> None:
    assert screen(sample.small()) == VIETNAMESE


def test_the_screen_in_english() -> None:
    assert screen(sample.small(), lang="en") == ENGLISH


@pytest.mark.parametrize("width", [80, 60, 120])
@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("make", SCREENS)
def test_every_line_fits_the_width(make: Any, lang: str, width: int) -> None:
    shown = screen(make(), lang=lang, width=width)
    assert [line for line in shown.splitlines() if cell_len(line) > width] == []
    assert [line for line in shown.splitlines() if line != line.rstrip()] == []


def test_hostile_names_are_shown_and_not_obeyed() -> None:
    shown = screen(sample.hostile(), lang="en")
    allowed = {"\n", "\N{REPLACEMENT CHARACTER}"}
    unsafe = {c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")}
    assert unsafe <= allowed
    assert shown == unicodedata.normalize("NFC", shown)
    assert "\N{REPLACEMENT CHARACTER}[31mđỏ\N{REPLACEMENT CHARACTER}[0m" in shown
    assert "[bold red]không[/bold red] [link=https://a.example]a[/link]" in shown
    assert "{name} {count}" in shown
    assert "hạ tầng" in shown
    shown.encode()


def test_a_name_without_end_is_cut() -> None:
    shown = screen(sample.hostile())
    assert "xxx…" in shown
    assert max(map(len, re.findall("x+", shown.replace("\n   ", "")))) < 200


def test_colour_adds_nothing_but_colour() -> None:
    inputs = sample.realistic()
    coloured = screen(inputs, color=True)
    assert "\x1b[1;31m× Chưa đáp ứng" in coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in plain.splitlines()] == screen(inputs).splitlines()
    assert "\x1b" not in screen(inputs)


@pytest.mark.parametrize("name", ["NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"])
def test_the_environment_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = screen(sample.small()), screen(sample.small(), color=True)
    monkeypatch.setenv(name, "40")
    assert (screen(sample.small()), screen(sample.small(), color=True)) == before


@pytest.mark.parametrize(("lang", "end"), [("vi", "đến 31/12/2026 23:59"), ("en", "until 2026-12-31 23:59")])
def test_a_waiver_that_holds_tells_its_end(lang: str, end: str) -> None:
    report = sample.report(sample.realistic())
    told = {**report, "waivers": [{"id": "MT-2026-03", "until": "2026-12-31T16:59:59Z"}]}
    context = sample.context(inputs=sample.realistic(), lang=lang, width=120)
    assert end in TextReporter().render(told, context)
    assert end not in TextReporter().render(report, context)


def test_long_lists_are_cut_and_counted() -> None:
    shown = screen(sample.many(200))
    hidden = [int(n) for n in re.findall(r"… và (\d+) mục khác trong", shown)]
    gating = [f for f in sample.report(sample.many(200))["findings"] if f["control"] != "BDR-05"]
    blocks = re.findall(r"^([A-Z]{3}-\d\d) \[.*\n((?:^ .*\n)+)", shown, re.MULTILINE)
    rows = {id_: len(re.findall("^ × ", found, re.MULTILINE)) for id_, found in blocks}
    assert rows == dict.fromkeys(("BDR-01", "RES-01", "RES-04", "SEC-06", "SEC-13"), ROWS_PER_CONTROL)
    others = "Ngoài các biện pháp thuộc điều kiện tiên quyết: 33 phát hiện khác trong"
    assert others in shown
    assert sum(rows.values()) + sum(hidden) == len(gating)


def test_more_controls_than_fit_are_counted() -> None:
    inputs = sample.realistic()
    platform = sample.declared("platform", "p")
    failing = [sample.finding(c.id, platform, "fail") for c in inputs.controls]
    ids = tuple(c.id for c in inputs.controls)
    one_gate = [replace(sample.GATES[0], controls=ids)]
    shown = screen(replace(inputs, findings=failing, gates=one_gate))
    assert f"… và {len(ids) - CONTROLS} mục khác trong report.json" in shown
    told = re.findall(r"^[A-Z]{3}-\d\d \[(.*), G1\]", shown, re.MULTILINE)
    assert len(told) == CONTROLS
    assert told == sorted(told, key=("Nghiêm trọng", "Cao", "Trung bình").index)


ADDRESS = "openstack_networking_secgroup_rule_v2.ssh"
INDEXED = 'module.mang_cong_dich_vu.openstack_networking_secgroup_rule_v2.ssh["10.0.0.0/8"]'


def of_code(*, known: bool = True, address: str = ADDRESS) -> sample.Inputs:
    """A rule that code declares, in a profile without gates. Not `known`: where it lets in is not told."""
    facts: dict[str, Any] = {"ports": (22, 22), **({"remote_prefix": "0.0.0.0/0"} if known else {})}
    rule = sample.resource(
        "openstack.security_group_rule", address, facts, target="ha-tang", region=None, project=None
    )
    rule = replace(rule, written=Written("main.tf", 43))
    verdict, reason = ("fail", None) if known else ("unknown", "after_deployment")
    found = sample.finding("SEC-06", rule, verdict, "ports", "remote_prefix", reason=reason)
    return sample.Inputs(findings=[found], gates=())


@pytest.mark.parametrize(("address", "width"), [(ADDRESS, 80), (ADDRESS, 60), (INDEXED, 100)])
def test_an_address_of_code_stays_whole_and_so_does_its_line(address: str, width: int) -> None:
    lines = screen(of_code(address=address), width=width).splitlines()
    assert any(address in line for line in lines)
    assert any("[main.tf:43]" in line for line in lines)


def test_a_finding_says_how_grave_what_where_and_the_way_out() -> None:
    assert BLOCK in screen(of_code(), lang="en")


BLOCK = f"""
SEC-06 [Critical] Administration ports are not open to every address
 × Fail: {ADDRESS} [main.tf:43]
   Rule {ADDRESS}: source 0.0.0.0/0, ports 22
 → Remediation: Correct it, then collect again.
"""


def test_the_fix_of_another_version_of_a_control_is_not_offered() -> None:
    report, context = sample.report(of_code()), sample.context(inputs=of_code(), lang="en")
    other = replace(context.controls["SEC-06"], digest="0" * 64)
    shown = TextReporter().render(report, replace(context, controls={"SEC-06": other}))
    assert "SEC-06 [Critical]" in shown
    assert "Remediation" not in shown


def test_what_is_not_known_says_why_and_what_is_missing() -> None:
    assert UNKNOWN in screen(of_code(known=False), lang="en")


UNKNOWN = f"""
SEC-06 [Critical] Administration ports are not open to every address
 ? Unknown (Known only after deployment):
   {ADDRESS} [main.tf:43]
   Rule {ADDRESS}: source not known, ports 22
   Not known: Source

"""


def test_new_violations_and_unknowns_hide_none_of_each_other_and_known_ones_come_last() -> None:
    """Of more controls than fit: some of each, the new ones first, and the known where room is left."""
    base = sample.control("SEC-90", "Biện pháp", "Control", "low")
    names = [f"SEC-{n}" for n in range(60, 90)]
    platform = sample.declared("platform", "p")
    verdicts = {id_: ("fail", None) if n < 20 else ("unknown", "timeout") for n, id_ in enumerate(names)}
    controls = [replace(base, id=id_) for id_ in names]
    inputs = replace(
        sample.small(),
        controls=controls,
        findings=[
            # Each unknown by a reason of its own: those of one are told together.
            sample.finding(id_, platform, one, reason=why, detail=f"{id_} was slow", controls=controls)
            for id_, (one, why) in verdicts.items()
        ],
        gates=(),
        gaps=(),
    )
    report, context = sample.report(inputs), sample.context(inputs=inputs)

    def order(known: Mapping[str, Known]) -> list[str]:
        shown = TextReporter().render(report, replace(context, baseline=known))
        return re.findall(r"^(SEC-\d\d) \[Thấp\]", shown, re.MULTILINE)

    half = CONTROLS // 2
    assert order({}) == [*names[:half], *names[20 : 20 + half]]
    prints = {record["control"]: record["fingerprint"] for record in report["findings"]}
    old = {prints[id_]: Known("2026-10-01T00:00:00Z", "x") for id_ in names[:19]}
    assert order(old) == [names[19], *names[20:30], names[0]]


def test_what_is_unknown_for_one_reason_is_one_row() -> None:
    """Controls by their ids, the places that were not seen, and the reason once."""
    inputs = sample.all_unknown()
    screen = " ".join(TextReporter().render(sample.report(inputs), sample.context(inputs=inputs)).split())
    _, _, rest = screen.partition("Các phát hiện chính")
    row = rest.partition("Nội dung chưa xác định và hạn chế")[0]
    assert row.count("? Chưa xác định") == row.count("cùng lý do:") == row.count("Thiếu quyền đọc") == 1
    gating = [g.control["id"] for g in view.groups(sample.report(inputs)) if g.gate]
    assert [id_ for id_ in gating if id_ in row] == gating[:NAMED]
    assert f"… (+{len(gating) - NAMED})" in row


def test_nothing_wrong_is_said_plainly() -> None:
    shown = screen(sample.all_pass())
    assert "Không có phát hiện nào khiến điều kiện tiên quyết chưa được đáp ứng." in shown
    assert "Nội dung chưa xác định và hạn chế" not in shown
    assert "4  Sẵn sàng, đề nghị cấp có thẩm quyền đánh giá" in shown
    assert "Phạm vi nhà cung cấp dừng ở mức 4" in shown


UNGATED = """\
BÁO CÁO ĐÁNH GIÁ CẤU HÌNH ĐÁM MÂY
Hồ sơ tự đánh giá, hỗ trợ đánh giá · Nền tảng đám mây An Bình · Phạm vi nhà cung
cấp

Điểm (cận dưới – cận trên)  [24,2 ; 57,5]
Độ bao phủ chứng cứ         66,6 %
Độ bao phủ thu thập         91,6 %
Chiều đánh giá thấp nhất    RES 0,0 (Vị trí, cư trú dữ liệu)
Độ tin cậy của chứng cứ     100,0 %
Thời điểm đánh giá          22/11/2026 08:30 (giờ Việt Nam)
"""


def test_a_profile_without_gates_concludes_no_level() -> None:
    shown = screen(replace(sample.small(), gates=()))
    assert shown.startswith(UNGATED)
    _, _, rest = VIETNAMESE.partition("\nMã   Chiều đánh giá")
    head = "Các phát hiện chính khiến điều kiện tiên quyết chưa được đáp ứng"
    rest = rest.replace(head, "Nội dung không đáp ứng hoặc chưa xác định")
    rest = rest.replace(", G1] ", "] ").replace(", G4] ", "] ").replace("khai\n       báo", "khai báo")
    last = "Cấp có thẩm quyền đánh giá và quyết định việc kết nối; công cụ chỉ báo cáo.\n"
    assert rest.endswith(last)
    not_concluded = "Hồ sơ năng lực không xét điều kiện tiên quyết nên không kết luận mức độ sẵn\nsàng.\n"
    assert shown.endswith(rest.removesuffix(last) + not_concluded)
    assert not any(
        word in shown for word in ("Ngoài phạm vi", "Lý do chưa", "0/0", "Chưa đủ cơ sở", "kết nối")
    )


def test_a_profile_without_gates_and_nothing_unmet() -> None:
    fine = sample.small()
    passing = [one for one in fine.findings if one.verdict == "pass"]
    one = [c for c in fine.controls if c.id == "BDR-01"]
    shown = screen(replace(fine, findings=passing, controls=one, gates=(), gaps=()))
    assert "\nNội dung không đáp ứng hoặc chưa xác định\nKhông có.\n" in shown


@pytest.mark.parametrize(
    ("controls", "registers", "claims", "said"),
    [
        ((), ("attestations",), (), "không xét trong hồ sơ năng lực này"),
        (("COM-12",), ("sites",), (), "chưa xét: không có danh mục hồ sơ, cam kết"),
        (("COM-12",), ("attestations",), (), "chưa có cam kết nào được đối chiếu với quan sát"),
        (("COM-12",), ("attestations",), ("upheld",), "0 mâu thuẫn với quan sát, 0 chưa kiểm chứng"),
        ((), ("attestations",), ("refuted",), "1 mâu thuẫn với quan sát, 0 chưa kiểm chứng"),
    ],
)
def test_claims_that_nobody_judged_are_not_told_as_noughts(
    controls: tuple[str, ...], registers: tuple[str, ...], claims: tuple[str, ...], said: str
) -> None:
    one = sample.small()
    more = [replace(one.controls[0], id=id_) for id_ in controls]
    changed = replace(
        one,
        controls=(*one.controls, *more),
        registers=registers,
        claims=[{"id": f"CK-{n}", "state": state} for n, state in enumerate(claims)],
    )
    (line,) = [line for line in screen(changed).splitlines() if line.startswith("Cam kết đã công bố")]
    assert line == f"Cam kết đã công bố          {said}"


def test_controls_that_are_left_out_are_told_with_the_reason() -> None:
    duty, none = Text("thuộc trách nhiệm cơ quan", "the agency's duty"), Text("không có GPU", "no GPU")
    left = {"POR-04": none, "SEC-21": duty, "NDC-04": duty}
    shown = screen(replace(sample.small(), excluded=left))
    told = "Không xét: NDC-04, SEC-21 (thuộc trách nhiệm cơ quan)\nKhông xét: POR-04 (không có GPU)\n"
    assert f"thu thập được: 1\n{told}Toàn bộ" in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mỗi trường hợp", "mỗi trường hợp"),
        ("mỗi trường hợp một", "mỗi trường hợp…"),
        ("mỗi trường, mã: 5", "mỗi trường, mã…"),
        ("mỗi, trường: hợpmột", "mỗi, trường…"),
        ("ba " + 20 * "x", "ba " + 11 * "x" + "…"),
    ],
)
def test_a_text_is_cut_between_words(text: str, shown: str) -> None:
    assert short(text, 15) == shown


@pytest.mark.parametrize("make", SCREENS)
def test_the_tool_never_speaks_for_the_authority(make: Any) -> None:
    shown = " ".join(screen(make()).lower().split())
    assert [word for word in NOT_OURS_TO_SAY if re.search(rf"\b{word}\b", shown)] == []
    assert "cấp có thẩm quyền đánh giá và quyết định việc kết nối" in shown


@pytest.mark.parametrize("make", SCREENS)
def test_a_score_never_stands_without_its_lower_bound(make: Any) -> None:
    inputs = make()
    score = sample.report(inputs)["readiness"]["score"]
    assert f"[{score['lower']} ; {score['upper']}]" in screen(inputs, lang="en")
