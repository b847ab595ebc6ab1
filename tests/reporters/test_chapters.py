"""What a report says, before any format: every section of every sample, whole values of some."""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any, Literal

import pytest
import sample_report as sample
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudaudit.catalog import load_catalogue
from cloudaudit.model import AtLeast, AtMost, Text, parse_time
from cloudaudit.reporters import Context, Period, chapters, view
from cloudaudit.reporters.chapters import SECTIONS, YEARLY, writing
from cloudaudit.reporters.chapters.annexes import terms
from cloudaudit.reporters.chapters.closing import covers
from cloudaudit.reporters.chapters.matter import Backups, asked_apis, gather
from cloudaudit.reporters.chapters.subjects import GROUPS, group_of
from cloudaudit.reporters.document import (
    Block,
    Cell,
    Document,
    Exact,
    Findings,
    Heading,
    Items,
    Pairs,
    Picture,
    Prose,
    Table,
)
from cloudaudit.reporters.places import Flow, flows
from cloudaudit.reporters.report_json import dumps
from cloudaudit.reporters.words import clean, labels

Form = Literal["full", "yearly"]
SAMPLES: dict[str, Callable[[], sample.Inputs]] = {
    "small": sample.small,
    "realistic": sample.realistic,
    "all_pass": sample.all_pass,
    "hostile": sample.hostile,
    "agency": sample.agency,
    "all_unknown": sample.all_unknown,
    "nothing": sample.nothing,
}
REGISTERS = {
    "site": sample.SITES,
    "system": sample.SYSTEMS,
    "attestation": sample.PAPERS,
    "drill": sample.DRILLS,
}
HOSTILE_REGISTERS = {
    "site": sample.hostile_sites(),
    **{
        type_: tuple(
            sample.declared(
                type_, name, title=name, owner_agency=name, operator=name, owner=name, security_level=name,
                data_classes=(name,), criticality=name, rpo=3600, rto=name, kind=name, url=name, sha256=name,
                title_vi=name, issued_at=name, valid_until=10**20, systems=(name,), result=name, date=0,
                approver=name, minutes_url=name, minutes_sha256=name, counterpart=name, publisher=name,
                required_services=(name,), api_floors={name: name}, formats=(name,), ndc_ranges=(name,),
                claims=({"metric": name, "operator": name, "value": name},), circuits=({"id": name},),
            )
            for name in sample.HOSTILE
        )
        for type_ in ("system", "attestation", "drill", "landing_profile")
    },
}  # fmt: skip


@cache
def written(name: str, form: Form = "full", earlier: bool = False) -> Document:
    inputs = SAMPLES[name]()
    before = (
        sample.report(replace(inputs, findings=inputs.findings[3:]))
        | {"assessed_at": "2026-08-22T01:30:00Z"},
    )
    return chapters.document(sample.report(inputs), context_of(name, form, before if earlier else ()))


def context_of(name: str, form: Form = "full", earlier: Sequence[Any] = ()) -> Context:
    inputs = SAMPLES[name]()
    return sample.context(
        inputs=inputs,
        registers=HOSTILE_REGISTERS if name == "hostile" else REGISTERS,
        findings=iter(sample.records(inputs)),
        form=form,
        earlier=tuple(earlier),
    )


def blocks(document: Document, number: str) -> tuple[Block, ...]:
    return next(section.blocks for section in document.sections if section.number == number)


def table(document: Document, id_: str) -> Table:
    return next(found for _, found in document.tables() if found.id == id_)


def lines(cell: Cell, lang: str = "vi") -> str:
    """A cell in one line: `mark!text / text`."""
    return " / ".join(
        (f"{phrase.mark}!" if phrase.mark else "") + getattr(phrase.text, lang) for phrase in cell
    )


def rows(document: Document, id_: str, lang: str = "vi") -> list[list[str]]:
    return [[lines(cell, lang) for cell in row] for row in table(document, id_).rows]


def texts(document: Document) -> Iterator[Text]:
    yield from (document.title, document.subtitle, document.subject)
    for section in document.sections:
        yield section.title
        for block in section.blocks:
            yield from texts_of(block)


def texts_of(block: Block) -> Iterator[Text]:
    match block:
        case Prose() | Heading():
            yield block.text
        case Items():
            yield from (phrase.text for entry in block.entries for phrase in entry)
        case Pairs():
            for key, cell in block.rows:
                yield key
                yield from (phrase.text for phrase in cell)
        case Table():
            yield block.title
            yield from (column.title for column in block.columns)
            yield from (phrase.text for row in block.rows for cell in row for phrase in cell)
        case Picture():
            yield from (block.title, block.alternative)


# --- every section of every sample ----------------------------------------------------------------------

every_sample = pytest.mark.parametrize("name", SAMPLES)


@every_sample
def test_the_full_form_has_every_section_and_none_is_empty(name: str) -> None:
    document = written(name)
    numbers = [section.number for section in document.sections]
    assert numbers == [*map(str, range(16)), *"ABCDE"] == list(SECTIONS)
    assert [section.number for section in document.sections if section.is_annex] == list("ABCDE")
    for section in document.sections:
        assert section.title == labels()(f"section.{section.number}")
        assert any(not isinstance(block, Heading) for block in section.blocks), section.number


@every_sample
@pytest.mark.parametrize("earlier", [False, True])
def test_the_yearly_form_has_its_five_sections_and_the_trend(name: str, earlier: bool) -> None:
    document = written(name, "yearly", earlier)
    assert [section.number for section in document.sections] == ["0", "2", "4", "10", "14"] == list(YEARLY)
    assert document.form == "yearly"
    assert Heading(labels()("figure.trend")) in blocks(document, "4")
    if earlier:
        assert [row[0] for row in rows(document, "trend")] == ["22/08/2026 08:30", "22/11/2026 08:30"]
    else:
        assert Prose(labels()("chapter.no_trend"), "note") in blocks(document, "4")


FIXED = {
    "0": ("self_assessment", "unknown_is_no_pass", "validity", "interval"),
    "1": ("unverified_sources", "residency_source"),
    "3": (
        "self_assessment", "unknown_is_no_pass", "location", "thresholds", "unverified_sources", "absence",
        "not_applicable_proof", "application_out_of_scope", "form_fields",
    ),
    "4": ("interval", "pending_authority", "unknown_is_no_pass", "thresholds"),
    "5": ("location", "residency_source"),
    "8": ("application_out_of_scope",),
    "11": ("pending_authority",),
    "12": ("unknown_is_no_pass", "absence", "not_applicable_proof", "application_out_of_scope", "location"),
    "A": ("unknown_is_no_pass",),
    "C": ("related_controls", "unverified_sources"),
}  # fmt: skip


@every_sample
@pytest.mark.parametrize("form", ["full", "yearly"])
def test_fixed_sentences_are_never_missing(name: str, form: Form) -> None:
    document = written(name, form)
    for section in document.sections:
        for key in FIXED.get(section.number, ()):
            assert Prose(labels()(f"sentence.{key}"), "fixed") in section.blocks, (section.number, key)


@every_sample
def test_the_notice_of_an_unofficial_profile_stands_in_front_of_every_result(name: str) -> None:
    notice = labels()(
        "sentence.unofficial_profile", publisher=Text("dự án cloudaudit", "the cloudaudit project")
    )
    document = written(name)
    assert [n for n in ("0", "3", "4") if Prose(notice, "fixed") in blocks(document, n)] == ["0", "3", "4"]
    report = sample.report(SAMPLES[name]())
    report["profile"]["official"] = True
    official = chapters.document(report, context_of(name))
    assert not any("không phải tiêu chuẩn" in text.vi for text in texts(official))


def test_provider_scope_lists_the_duties_of_agencies_as_theirs() -> None:
    sentence = Prose(labels()("sentence.agency_duties"), "fixed")
    provider, agency = written("realistic"), written("agency")
    assert sentence in blocks(provider, "1")
    assert rows(provider, "excluded") == [["SEC-21", "thuộc trách nhiệm cơ quan"]]
    assert sentence not in blocks(agency, "1")
    assert {found.id for _, found in provider.tables()} - {found.id for _, found in agency.tables()} == {
        "excluded"
    }


@every_sample
@pytest.mark.parametrize("form", ["full", "yearly"])
def test_every_text_is_clean_and_said_in_both_languages(name: str, form: Form) -> None:
    unsafe = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    for text in texts(written(name, form, earlier=True)):
        assert text.vi, text
        assert text.en, text
        for said in (text.vi, text.en):
            assert clean(said) == said
            assert not {unicodedata.category(character) for character in said} & unsafe


@every_sample
def test_tables_and_pictures_have_names_of_their_own(name: str) -> None:
    document = written(name, earlier=True)
    found = [b.id for s in document.sections for b in s.blocks if isinstance(b, Table | Picture | Findings)]
    assert [id_ for id_, count in Counter(found).items() if count > 1] == []
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", id_) for id_ in found)


@every_sample
def test_every_open_finding_stands_in_one_block_of_the_subject_chapters(name: str) -> None:
    document = written(name)
    shown = [b.controls for s in document.sections for b in s.blocks if isinstance(b, Findings)]
    assert sum(map(len, shown)) == len(frozenset().union(*shown))
    open_ = {
        f["control"] for f in document.report["findings"] if f["verdict"] not in ("pass", "not_applicable")
    }
    assert open_ <= frozenset().union(*shown)


# --- no conclusion of the authority -----------------------------------------------------------------------

RESERVED = ("đạt(?! được)", "được phép kết nối", "chứng nhận")
"""As patterns: a target can be reached (đạt được), which concludes nothing."""


def theirs() -> list[str]:
    """Texts of others: quotations, titles and texts of controls, names of papers; longest first."""
    catalogue = load_catalogue()
    found = {one.quote for one in catalogue.obligations.values()}
    found |= {text.vi for text in labels().group("paper_kind").values()}
    found |= {term["vi"] for term in terms() if "quoted" in term}
    for control in (*sample.CONTROLS, *catalogue.controls()):
        found |= {control.title.vi, control.limits.vi, control.remediation.text.vi}
        found |= {sentence.vi for sentence in control.sentences}
    return sorted((text for text in found if text), key=len, reverse=True)


@every_sample
@pytest.mark.parametrize("form", ["full", "yearly"])
def test_the_words_of_the_authority_are_never_ours(name: str, form: Form) -> None:
    others = theirs()
    for text in texts(written(name, form, earlier=True)):
        said = text.vi
        for other in others:
            said = said.replace(other, "")
        for word in RESERVED:
            assert not re.search(rf"(?<!\w){word}(?!\w)", said, re.IGNORECASE), text.vi


def test_every_label_of_the_chapters_keeps_to_that() -> None:
    for group in ("chapter", "sentence", "recommendation", "level", "report"):
        for key, text in labels().group(group).items():
            assert not any(re.search(rf"(?<!\w){word}(?!\w)", text.vi.lower()) for word in RESERVED), key


# --- single chapters, whole --------------------------------------------------------------------------------


def test_the_summary_whole() -> None:
    document = written("small")
    cover = next(block for block in blocks(document, "0") if isinstance(block, Pairs))
    assert [(key.vi, lines(cell)) for key, cell in cover.rows] == [
        ("Đối tượng đánh giá", "Nền tảng đám mây An Bình"),
        ("Phạm vi", "Phạm vi nhà cung cấp"),
        ("Mẫu báo cáo", "Báo cáo đầy đủ"),
        ("Thời điểm thu thập dữ liệu", "22/11/2026 08:05"),
        ("Thời điểm đánh giá", "22/11/2026 08:30"),
        ("Thời điểm lập báo cáo", "22/11/2026 08:31"),
        ("Nên đánh giá lại trước (công cụ đề xuất)", "Báo cáo nguồn không ghi thời hạn"),
        ("Hồ sơ năng lực", "Sẵn sàng kết nối Trung tâm dữ liệu quốc gia / ndc-connection 1.0.0"),
        ("Hồ sơ chính thức", "không"),
        ("Danh mục biện pháp kiểm soát", "0.1.0"),
        ("Công cụ", "cloudaudit 0.1.0"),
    ]
    top = [block for block in blocks(document, "0") if isinstance(block, Items)][-1]
    assert top.numbered
    assert [lines(entry, "en") for entry in top.entries] == [
        "fail!RES-05 – S3 replication targets stay in declared domestic sites / Bucket ho-so-cong-dan: active "
        "replication targets: bucket: backup, known: yes, site: sg-1, country: SG, in Viet Nam: no",
        "unknown!SEC-13 – Buckets cannot be read by the public / s3.bucket at s3-hn was not seen: No permission to read",
    ]
    assert Prose(labels()("sentence.request_assessment"), "fixed") not in blocks(document, "0")


def told(document: Document, number: str) -> dict[str, str]:
    """The pairs of a section, under the words that lead them."""
    found = [block for block in blocks(document, number) if isinstance(block, Pairs)]
    return {key.vi: lines(cell) for block in found for key, cell in block.rows}


def test_claims_that_nobody_judged_are_no_noughts() -> None:
    report = sample.report(sample.small())
    readiness = report["readiness"] | {"contradictions": 0, "unverified_claims": 0}
    document = chapters.document(report | {"readiness": readiness, "claims": []}, context_of("small"))
    for number in ("0", "4"):
        assert "không xét" in told(document, number)["Cam kết đã công bố"]


def test_a_profile_without_gates_says_nothing_of_gates() -> None:
    report = sample.report(sample.all_pass())
    report["readiness"] |= {"gates": [], "reasons": [{"vi": "không xét", "en": "none looked at"}]}
    document = chapters.document(report, context_of("all_pass"))
    assert "Điều kiện tiên quyết" not in told(document, "0") | told(document, "4")
    heads = {block.text for block in blocks(document, "0") if isinstance(block, Heading)}
    assert labels()("report.unmet") in heads
    assert heads.isdisjoint({labels()("figure.reasons"), labels()("figure.top_blocking")})


def period_told(**changes: Any) -> tuple[str, list[str], list[str]]:
    """What the yearly form says of its period, the notes beside, and its warnings."""
    before = tuple(
        sample.report(sample.small()) | {"assessed_at": at}
        for at in ("2026-08-22T01:30:00Z", "2025-12-31T16:59:59Z")
    )
    given = {"earlier": before} | changes
    made = chapters.document(sample.report(sample.small()), replace(context_of("small", "yearly"), **given))
    pairs = next(block for block in blocks(made, "0") if isinstance(block, Pairs))
    found = next(lines(cell) for key, cell in pairs.rows if key == labels()("chapter.reporting_period"))
    said = [block for block in blocks(made, "0") if isinstance(block, Prose)]
    moment = labels()("chapter.period_is_of_a_moment")
    notes = [block.text.vi for block in said if block.style == "note" and block.text == moment]
    return found, notes, [block.text.vi for block in said if block.style == "warning"]


def test_the_yearly_form_names_its_period() -> None:
    """As asked, else since the report it is compared with, else not known; a result is that of a moment."""
    moment = [labels()("chapter.period_is_of_a_moment").vi]
    outside = ["Thời điểm đánh giá nằm ngoài kỳ báo cáo."]
    assert period_told() == (
        "22/08/2026 08:30 – 22/11/2026 08:30 / từ lần đánh giá trước đến lần đánh giá này", moment, [],
    )  # fmt: skip
    held = "lần đánh giá trong kỳ (lần này và các báo cáo trước được cung cấp)"
    assert period_told(period=Period.read("2026")) == (f"01/01/2026 – 31/12/2026 / 2 {held}", moment, [])
    assert period_told(period=Period.read("2025")) == (f"01/01/2025 – 31/12/2025 / 1 {held}", moment, outside)
    assert period_told(earlier=()) == (
        "chưa xác định / chưa nêu kỳ báo cáo và không có báo cáo trước của cùng đối tượng", moment, [],
    )  # fmt: skip


def test_the_full_form_is_of_no_period() -> None:
    keys = {block.text for block in blocks(written("small"), "0") if isinstance(block, Prose)}
    pairs = next(block for block in blocks(written("small"), "0") if isinstance(block, Pairs))
    assert labels()("chapter.reporting_period") not in {key for key, _ in pairs.rows}
    assert labels()("chapter.period_is_of_a_moment") not in keys


def test_the_short_form_keeps_the_sentences_about_its_figures() -> None:
    document = chapters.document(sample.report(sample.small()), replace(context_of("small"), form="yearly"))
    said = {
        block.text for section in document.sections for block in section.blocks if isinstance(block, Prose)
    }
    keys = (
        "self_assessment",
        "unknown_is_no_pass",
        "location",
        "thresholds",
        "unverified_sources",
        "absence",
    )
    assert said >= {labels()(f"sentence.{key}") for key in keys}


def test_a_message_of_the_summary_is_cut_between_words() -> None:
    text = Text("trong nước: không, đã mã hóa: có", "in Viet Nam: no, encrypted: yes")
    assert writing.short(text, 17) == Text("trong nước…", "in Viet Nam: no…")


def test_the_end_of_validity_stands_on_the_cover() -> None:
    report = sample.report(sample.small()) | {
        "validity": {
            "until": "2026-12-01T16:59:59Z",
            "because": {"vi": "hồ sơ HS-1 làm chứng cứ cho COM-01 hết hiệu lực", "en": "paper HS-1 lapses"},
            "control": "COM-01",
            "evidence": "attestation:HS-1",
        }
    }
    cover = next(
        b for b in blocks(chapters.document(report, context_of("small")), "0") if isinstance(b, Pairs)
    )
    found = {key.vi: lines(cell) for key, cell in cover.rows}
    assert (
        found["Nên đánh giá lại trước (công cụ đề xuất)"]
        == "01/12/2026 23:59 / hồ sơ HS-1 làm chứng cứ cho COM-01 hết hiệu lực"
    )


def test_a_target_tells_its_credential_and_what_weakens_its_evidence() -> None:
    report = sample.report(sample.small())
    report["targets"] = [
        {
            "name": "may-chu", "kind": "openstack", "vantage": "operator", "verify": False, "regions": ["hn-1"],
            "credential": {
                "auth_type": "v3applicationcredential", "scope": "project", "roles": {"project": ["reader"]},
                "overrides": ["identity"],
            },
        }
    ]  # fmt: skip
    (found,) = rows(chapters.document(report, context_of("small")), "targets", "en")
    assert found == [
        "may-chu",
        "openstack",
        "Operator's view",
        "v3applicationcredential – project-scoped / Roles – project-scoped: reader / "
        "Services at addresses of clouds.yaml: identity",
        "TLS certificate not verified / regions: hn-1",
    ]


def test_only_a_high_level_asks_for_the_authority() -> None:
    sentence = Prose(labels()("sentence.request_assessment"), "fixed")
    asked = {name: sentence in blocks(written(name), "0") for name in SAMPLES}
    assert asked == dict.fromkeys(SAMPLES, False) | {"all_pass": True}
    assert sentence in blocks(written("all_pass"), "15")


def test_recovery_shows_what_is_required_seen_and_exercised() -> None:
    assert rows(written("realistic"), "objectives") == [
        [
            "ho-tich / ho-tich", "Đặc biệt quan trọng", "4 giờ", "2 ngày 4 giờ / 1/8 khối chưa có bản sao lưu",
            "12 giờ / DT-01", "8 giờ", "3 giờ / DT-01",
        ],
        [
            "cong-dich-vu / cong-dich-vu", "Quan trọng", "1 ngày", "1 ngày 23 giờ",
            "chưa có diễn tập thành công", "–", "chưa có diễn tập thành công",
        ],
    ]  # fmt: skip


def test_without_all_findings_recovery_says_what_it_rests_on() -> None:
    report = sample.report(sample.realistic())
    document = chapters.document(report, replace(context_of("realistic"), findings=None))
    assert Prose(labels()("chapter.only_findings"), "warning") in blocks(document, "6")
    assert [row[3] for row in rows(document, "objectives")] == [
        "1 ngày 18 giờ / 1/3 khối chưa có bản sao lưu", "chưa xác định",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "worst", "achieved", "without", "unknown"),
    [
        ([3600, 7200], 7200, 7200, 0, 0),
        ([3600, None], 3600, None, 1, 0),
        ([{"$at_most": 60}, 30], 60, 60, 0, 0),
        ([{"$at_least": 60}, 30], 30, None, 0, 1),
        ([{"$partial": []}, True, "x"], None, None, 0, 3),
        ([0], 0, 0, 0, 0),
    ],
)
def test_what_is_not_known_of_a_backup_gives_no_recovery_point(
    values: list[Any], worst: float | None, achieved: float | None, without: int, unknown: int
) -> None:
    found = Backups()
    for value in values:
        found.add({"value": value})
    assert (found.worst, found.achieved, found.without, found.unknown) == (worst, achieved, without, unknown)
    found.add({"missing": "no_permission"})
    assert (found.achieved, found.unknown, found.volumes) == (None, unknown + 1, len(values) + 1)


def test_a_volume_counts_once_however_many_controls_look_at_it() -> None:
    inputs = sample.realistic()
    records = sample.records(inputs)
    twice = [*records, *({**r, "control": "BDR-05"} for r in records if r["control"] == "BDR-01")]
    matter = gather(sample.report(inputs), replace(context_of("realistic"), findings=iter(twice)))
    assert {id_: found.volumes for id_, found in matter.backups.items()} == {"ho-tich": 8, "cong-dich-vu": 4}


def test_commitments_with_their_papers_and_contradictions() -> None:
    document = written("realistic")
    assert rows(document, "commitments") == [
        ["COM-01 / Chính sách quản lý dữ liệu", "ck-du-lieu / https://anbinh.example/du-lieu.pdf", "ab" * 32, "01/03/2027",
         "unknown!Chưa xác định", "pass!Đáp ứng"],
        *(
            [f"{id_} / {kind}", "chưa đăng ký trong danh mục hồ sơ", "–", "–", "–", result]
            for id_, kind, result in (
                ("COM-02", "Kết quả kiểm toán độc lập", "không được chọn trong hồ sơ năng lực"),
                ("COM-03", "Cam kết bảo đảm an toàn thông tin mạng, an ninh mạng", "không được chọn trong hồ sơ năng lực"),
                ("COM-04", "Cam kết dự phòng thảm họa", "pass!Đáp ứng"),
                ("COM-05", "Cam kết khả năng chuyển đổi", "không được chọn trong hồ sơ năng lực"),
            )
        ),
    ]  # fmt: skip
    assert [row[0] + row[2] for row in rows(document, "claims")] == [
        "CK-02fail!Mâu thuẫn với quan sát", "CK-03unknown!Chưa kiểm chứng", "CK-01pass!Phù hợp với quan sát",
    ]  # fmt: skip


def test_a_claim_shows_what_its_paper_states() -> None:
    report = sample.report(sample.realistic()) | {"claims": [{"id": "ck-du-lieu#1", "state": "refuted"}]}
    document = chapters.document(report, context_of("realistic"))
    assert rows(document, "claims") == [["ck-du-lieu#1", "data_country = VN", "fail!Mâu thuẫn với quan sát"]]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ({"value": "valid"}, "pass!Còn hiệu lực"),
        ({"value": "not_yet"}, "fail!Chưa có hiệu lực"),
        ({"missing": "hash_mismatch"}, "unknown!Chưa xác định / Sai mã băm"),
        (None, "unknown!Chưa xác định"),
    ],
)
def test_a_paper_is_in_force_only_where_evidence_says_so(state: dict[str, str] | None, shown: str) -> None:
    inputs = sample.realistic()
    records = sample.records(inputs)
    if state:
        read = {"fact": "state", "resource": "attestation:ck-du-lieu", "source": "derived:papers", "at": None}
        records[-1]["evidence"] = [read | state]
    document = chapters.document(
        sample.report(inputs), replace(context_of("realistic"), findings=iter(records))
    )
    assert {row[0].split(" / ")[0]: row[5] for row in rows(document, "attestations")} == {
        "ck-du-lieu": shown,
        "HS-2025-021": "expired!Hết hiệu lực",
        "cap-do-3": "unknown!Khai báo chưa đủ",
    }


def test_the_plan_names_measure_person_date_command_and_recheck() -> None:
    plan = {row[0].split(" / ")[0]: row for row in rows(written("realistic"), "plan")}
    assert plan["fail!RES-05"] == [
        "fail!RES-05 / Đích sao chép S3 nằm tại địa điểm trong nước đã khai báo / ho-so-cong-dan",
        "Gỡ quy tắc sao chép ra nước ngoài"
        " / aws s3api delete-bucket-replication --bucket <bucket> --endpoint-url <url>",
        "Trưởng phòng Vận hành",
        "30/11/2026",
        "Thu thập lại, đánh giá lại; RES-05 phải có kết quả đáp ứng trên cùng tài nguyên.",
    ]
    assert plan["fail!BDR-01"][0].endswith("csdl-ho-tich-05, csdl-ho-tich-08, csdl-ho-tich-11")
    assert plan["fail!BDR-01"][1:4] == [
        "Khắc phục theo hướng dẫn của đơn vị vận hành, rồi thu thập lại. / biện pháp đề xuất"
        " / openstack volume backup create --name <name> --incremental --force <volume>",
        "chưa phân công",
        "chưa ấn định",
    ]


def test_a_system_with_a_volume_that_has_no_backup_is_drawn_as_such() -> None:
    """It has no recovery point; that is known, and neither left out nor taken for unknown."""
    [picture] = [block for block in blocks(written("realistic"), "6") if isinstance(block, Picture)]
    assert picture.alternative.vi == "ho-tich: không có / 4 giờ; cong-dich-vu: 1 ngày 23 giờ / 1 ngày"


def test_what_is_unknown_for_one_reason_is_told_once() -> None:
    """In the summary, the list of unknowns and the plan; each control is named in all of them."""
    document = written("all_unknown")
    ids = [one["id"] for one in document.report["controls"]]
    [row] = rows(document, "unknown-findings")
    assert row[0] == "Thiếu quyền đọc"
    assert sorted(row[2].split(" / ")) == sorted(ids)
    assert row[3] == str(len(document.report["findings"])) == str(len(ids))
    [plan] = rows(document, "plan")
    head, named = plan[0].split(" / ")
    assert head == f"unknown!{len(ids)} biện pháp chưa xác định: Thiếu quyền đọc"
    assert sorted(named.split(", ")) == sorted(ids)
    assert plan[1:] == [
        labels()("remedy.no_permission").vi,
        "chưa phân công",
        "chưa ấn định",
        "Thu thập lại, đánh giá lại; không còn biện pháp nào chưa xác định vì lý do này.",
    ]
    top = next(block for block in blocks(document, "0") if isinstance(block, Items) and block.numbered)
    gating = [one for one in ids if one in view.gate_of(document.report)]
    [said] = [lines(entry) for entry in top.entries]
    head, named = said.split(" / ")
    assert head == f"unknown!{len(gating)} biện pháp chưa xác định: Thiếu quyền đọc"
    assert sorted(named.split(", ")) == sorted(gating)


def test_a_control_with_a_plan_keeps_its_row() -> None:
    """Also where nothing is known of it for the same reason as of others."""
    plan = {
        "control": "RES-05",
        "resource": None,
        "system": None,
        "measure": "Cấp quyền",
        "owner": "Tổ A",
        "due": "2027-01-01T00:00:00Z",
    }
    report = sample.report(replace(sample.all_unknown(), plans=(plan,)))
    found = rows(chapters.document(report, context_of("all_unknown")), "plan")
    assert [row[1].split(" / ")[0] for row in found if row[0].startswith("unknown!RES-05")] == ["Cấp quyền"]
    assert [
        row[0].split(" / ")[1].count("RES-05") for row in found if "biện pháp chưa xác định" in row[0]
    ] == [0]


def test_findings_of_one_control_stand_with_the_plan_that_covers_them() -> None:
    plans = (
        {"control": "BDR-01", "resource": "csdl-ho-tich-*5", "system": None, "measure": "Sao lưu ngay", "owner": "Tổ A", "due": "2026-11-01T00:00:00Z"},
        {"control": "BDR-01", "resource": None, "system": "khac", "measure": "Không dùng", "owner": "Tổ B", "due": "2027-01-01T00:00:00Z"},
        {"control": "POR-06", "resource": None, "system": None, "measure": "Đã xong", "owner": "Tổ C", "due": "2027-01-01T00:00:00Z"},
    )  # fmt: skip
    inputs = replace(sample.realistic(), plans=plans)
    document = chapters.document(sample.report(inputs), context_of("realistic"))
    found = [row[:4] for row in rows(document, "plan") if "BDR-01" in row[0]]
    head = "fail!BDR-01 / Khối lưu trữ quan trọng có bản sao lưu thành công trong giới hạn RPO / "
    measure = "Khắc phục theo hướng dẫn của đơn vị vận hành, rồi thu thập lại. / biện pháp đề xuất"
    command = "openstack volume backup create --name <name> --incremental --force <volume>"
    assert found == [
        [
            f"{head}csdl-ho-tich-08, csdl-ho-tich-11",
            f"{measure} / {command}",
            "chưa phân công",
            "chưa ấn định",
        ],
        [
            f"{head}csdl-ho-tich-05",
            f"Sao lưu ngay / {command}",
            "Tổ A",
            "expired!01/11/2026 / đã quá thời hạn",
        ],
    ]
    assert rows(document, "idle-plans") == [["POR-06", "Đã xong", "Tổ C", "01/01/2027"]]


@pytest.mark.parametrize(
    ("resource", "system", "covered"),
    [
        (None, None, True), ("csdl-*", None, True), ("v-1", None, True), ("csdl", None, False), (None, "ho-tich", True),
        (None, "khac", False), ("csdl-*", "khac", False),
    ],
)  # fmt: skip
def test_a_plan_covers_by_pattern_and_system(resource: str | None, system: str | None, covered: bool) -> None:
    place = {"id": "v-1", "name": "csdl-1", "system": "ho-tich"}
    assert covers({"resource": resource, "system": system}, place) is covered


def test_waivers_with_what_they_cover_and_those_that_were_refused() -> None:
    report = sample.report(sample.realistic()) | {
        "waivers": [
            {
                "id": "MT-2026-03", "control": "BDR-05", "resource": "csdl-*", "system": None, "reason": "Đang chuyển đổi",
                "compensating": "Giám sát", "approver": "Giám đốc Sở", "authority": "competent",
                "starts": "2026-08-31T17:00:00Z", "until": "2026-12-31T16:59:59Z",
            }
        ]
    }  # fmt: skip
    document = chapters.document(report, context_of("realistic"))
    assert rows(document, "waivers") == [
        ["MT-2026-03 / BDR-05", "csdl-*", "Đang chuyển đổi", "Giám sát", "Giám đốc Sở / cấp có thẩm quyền", "01/09/2026",
         "31/12/2026", "1"],
    ]  # fmt: skip
    assert [row[1] for row in rows(document, "refused-waivers")] == [
        "miễn trừ MT-2026-02 không còn trong thời hạn"
    ]
    assert [row[0] for row in rows(written("realistic"), "waivers")] == ["MT-2026-03"]


def test_evidence_says_what_is_printed_and_what_is_left_out() -> None:
    document = written("realistic")
    report = document.report
    open_ = [f for f in report["findings"] if f["verdict"] not in ("pass", "not_applicable")]
    passed = sum(control["counts"].get("pass", 0) for control in report["controls"])
    found = table(document, "evidence")
    assert (len(found.rows), found.hidden) == (len(open_), 0)
    note = next(block.text for block in blocks(document, "B") if isinstance(block, Prose))
    assert note.en == (
        f"This annex prints the evidence of {len(open_)} of {len(open_)} findings that are no pass. Left out are {passed} "
        "results that pass, what is not applicable (section 12), and whatever is beyond the limit of print. All "
        f"{report['findings_file']['count']} results with their evidence are in the file findings.jsonl.gz."
    )
    late = next(row for row in rows(document, "evidence") if "csdl-ho-tich-08" in row[1])
    assert late == [
        f"BDR-01 v1.0.0 / {open_[[f['resource']['name'] for f in open_].index('csdl-ho-tich-08')]['fingerprint'][:16]}",
        "csdl-ho-tich-08 / openstack.volume · hn-cloud/hn-1/ho-tich / 0008c0de-77aa-4b1c-9d2e-000000000008",
        "fail!Không đáp ứng",
        "backup.newest_age = 1 ngày 18 giờ / backup.count = ít nhất 2 / system.rpo = 4 giờ",
        late[4],
    ]
    sources = {f"[{number}]": (source, time) for number, source, time in rows(document, "sources")}
    assert [sources[number] for number in late[4].split(" / ")] == [
        ("derived:backup", "–"),
        ("block-storage GET /v3/backups/detail -> 200", "22/11/2026 08:05"),
        ("derived:attribution", "–"),
    ]
    assert len(set(sources.values())) == len(sources)
    named = {number for row in rows(document, "evidence") for number in row[4].split(" / ")} - {"–"}
    assert named == set(sources)
    assert table(document, "sources").rows[1][2][0].exact == Exact(
        "moment", (parse_time("2026-11-22T01:05:00Z"),)
    )


def test_a_request_made_at_two_times_is_two_sources() -> None:
    """Which answer a value came from is told by number; what no request brought has no time of its own."""
    inputs = sample.small()
    report = sample.report(inputs)
    evidence = [
        {"fact": "f", "resource": "x:y", "value": 1, "source": source, "at": at}
        for source, at in (
            ("derived:a; s3 GET /b -> 200; t: s3 GET / -> 200", "2026-11-22T01:05:00Z"),
            ("s3 GET /b -> 200", "2026-11-22T01:06:00Z"),
            ("register:site", "2026-11-22T01:05:00Z"),
        )
    ]
    report["findings"] = [one | {"evidence": evidence} for one in report["findings"][:1]]
    document = chapters.document(report, replace(context_of("small"), findings=None))
    assert rows(document, "sources") == [
        ["1", "derived:a", "–"],
        ["2", "s3 GET /b -> 200", "22/11/2026 08:05"],
        ["3", "t: s3 GET / -> 200", "–"],
        ["4", "s3 GET /b -> 200", "22/11/2026 08:06"],
        ["5", "register:site", "22/11/2026 08:05"],
    ]
    assert [row[4] for row in rows(document, "evidence")] == ["[1] / [2] / [3] / [4] / [5]"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("block-storage GET /cinder/v3/volumes/detail?limit=1000 -> 200", (("block-storage", "v3"),)),
        ("derived:backup; compute GET /v2.1/servers -> 200; openstack.port: network GET /neutron/v2.0/ports -> 200 (+7)",
         (("compute", "v2.1"), ("network", "v2.0"))),
        ("object-store HEAD /swift/v1/AUTH_6163/ho-so -> 204", (("object-store", "v1"),)),
        ("s3 GET /v1/key -> 200", ()),
        ("s3 GET /bucket?versioning -> 200", ()),
        ("s3 GET /bucket/sub/v9/x -> 200", ()),
        ("register:site", ()),
        ("probe TLS 127.0.0.1:443", ()),
    ],
)  # fmt: skip
def test_versions_of_apis_are_those_of_the_paths_that_were_asked(
    source: str, found: tuple[tuple[str, str], ...]
) -> None:
    assert asked_apis(source) == found


def test_the_method_names_the_versions_of_apis() -> None:
    assert rows(written("realistic"), "api-versions") == [
        ["hn-cloud", "block-storage", "v3"],
        ["hn-cloud", "network", "v2.0"],
    ]
    assert "api-versions" not in {one.id for _, one in written("nothing").tables()}


def test_what_does_not_apply_by_one_proof_is_one_row_of_its_control() -> None:
    inputs = sample.all_pass()
    report = sample.report(inputs)
    first = report["findings"][0] if report["findings"] else sample.records(inputs)[0]
    names = ("a", "b", "c", "d")
    report["findings"] = [
        first | {"verdict": "not_applicable", "disposition": None, "message": {"vi": f"khối {name}", "en": name},
                 "resource": first["resource"] | {"id": name, "name": name}}
        for name in names
    ]  # fmt: skip
    document = chapters.document(report, replace(context_of("all_pass"), findings=None))
    [row] = rows(document, "not-applicable")
    assert [text.partition(" · ")[0] for text in row[1].split(" / ")][::2] == ["a", "b", "c", "và 1 mục khác"]
    assert (row[2], row[4]) == ("khối a / khối b / khối c", "4")


def test_of_very_many_findings_each_control_is_printed_in_part() -> None:
    inputs = sample.many(5000)
    document = chapters.document(sample.report(inputs), sample.context(inputs=inputs))
    found = table(document, "evidence")
    assert len(found.rows) + found.hidden == 5000
    assert 240 <= len(found.rows) <= 250
    assert {lines(row[0]).split(" ")[0] for row in found.rows} == {
        "RES-01", "BDR-01", "BDR-05", "SEC-13", "RES-04", "SEC-06",
    }  # fmt: skip


def test_an_obligation_with_its_mark_controls_and_results() -> None:
    found = {row[0].split(" / ")[0]: row for row in rows(written("realistic"), "obligations")}
    assert found["LBV-01"] == [
        "LBV-01 / chưa xác minh",
        "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15 / chưa rõ điều, khoản / cần xác nhận",
        "chưa có trích dẫn",
        "Nhà cung cấp",
        "fail!RES-05",
        "1 không đáp ứng",
    ]
    assert found["LDL-01"][4:] == [
        "unknown!RES-01 / pass!RES-04 / fail!RES-05",
        "1 không đáp ứng; 1 chưa xác định; 1 đáp ứng",
    ]


def test_every_term_that_names_a_quotation_stands_in_it() -> None:
    obligations = load_catalogue().obligations
    assert len(terms()) > 150
    assert len({term["vi"] for term in terms()}) == len(terms())
    for term in terms():
        assert set(term) <= {"vi", "en", "quoted"}
        if "quoted" in term:
            quote = " ".join(obligations[term["quoted"]].quote.split()).casefold()
            assert re.sub(r"\s*\(.*?\)", "", term["vi"]).casefold() in quote, term
    assert len(rows(written("small"), "glossary")) == len(terms())


def test_every_control_of_security_has_a_group_and_only_applications_have_none() -> None:
    catalogue = load_catalogue()
    inputs = sample.realistic()
    controls = {one.id: one for one in catalogue.controls() if one.dimension == "SEC"}
    matter = gather(sample.report(inputs), replace(context_of("realistic"), controls=controls))
    found = Counter(group_of(matter, id_) for id_ in controls)
    assert set(found) == set(GROUPS) - {"application"}
    assert {id_ for id_ in controls if group_of(matter, id_) == "management"} == {
        "SEC-19",
        "SEC-25",
        "SEC-26",
        "SEC-27",
    }


# --- places and flows ----------------------------------------------------------------------------------------


def flow_record(type_: str, fact: str, value: Any, **resource: Any) -> dict[str, Any]:
    place = {
        "type": type_,
        "id": "x",
        "name": None,
        "target": "hn",
        "region": "hn-1",
        "project": None,
        "system": None,
        "site": None,
    }
    read = {"fact": fact, "resource": f"{type_}:x", "value": value, "source": "", "at": None}
    return {"resource": place | resource, "evidence": [read], "verdict": "pass", "control": "RES-07"}


HN = ("hn", "hn-1")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (flow_record("openstack.volume", "backup.copies", [{"site": "hcm", "domestic": True}, {"id": "b"}, {"$more": 3}]),
         (Flow("backup", HN, "hcm", False), Flow("backup", HN, None, False))),
        (flow_record("openstack.volume", "backup.copies", {"$partial": [{"site": "sg", "domestic": False}]}),
         (Flow("backup", HN, "sg", True),)),
        (flow_record("openstack.server", "backup.images", [{"site": "hn", "domestic": True}]), (Flow("backup", HN, "hn", False),)),
        (flow_record("s3.bucket", "replication.destinations", [{"site": "sg", "domestic": False}], region=None),
         (Flow("replication", ("hn", None), "sg", True),)),
        (flow_record("openstack.backup", "site.domestic", True, site="hcm"), (Flow("backup", HN, "hcm", False),)),
        (flow_record("openstack.container", "sync_to", "//r/c/a/b"), (Flow("replication", HN, None, False),)),
        (flow_record("openstack.container", "sync_to", None), ()),
        (flow_record("openstack.volume", "backup.copies", None), ()),
        (flow_record("openstack.volume", "backup.copies", "x"), ()),
        (flow_record("openstack.volume", "site.domestic", True, site="hcm"), ()),
        (flow_record("openstack.volume", "backup.copies", [{"site": "hcm"}], target="registers"), ()),
    ],
)  # fmt: skip
def test_flows_are_what_evidence_tells_of_copies(record: dict[str, Any], expected: tuple[Flow, ...]) -> None:
    assert flows({"findings": []}, [record, record]) == expected


def test_a_container_that_is_synced_abroad() -> None:
    record = flow_record("openstack.container", "sync.domestic", False)
    read = record["evidence"][0]
    record["evidence"] += [
        read | {"fact": "sync.host", "value": "r/c"},
        read | {"fact": "sync.site", "value": "sg"},
    ]
    assert flows({"findings": [record]}) == (Flow("replication", HN, "sg", True),)


def test_the_chapter_of_places_shows_where_copies_go() -> None:
    assert rows(written("realistic"), "flows") == [
        ["Sao chép", "s3-hn", "sg-1 – Trung tâm dữ liệu đối tác, Singapore (SG)", "fail!Ngoài Việt Nam"]
    ]
    assert [row[0] for row in rows(written("realistic"), "sites")] == [
        "hn-1 / Trung tâm dữ liệu Hòa Lạc", "hcm-1 / Trung tâm dữ liệu Quang Trung", "sg-1 / Trung tâm dữ liệu đối tác",
    ]  # fmt: skip


# --- against earlier reports -----------------------------------------------------------------------------------


def test_what_changed_since_the_earlier_report() -> None:
    inputs = sample.realistic()
    before = deepcopy(sample.report(inputs)) | {"assessed_at": "2026-08-22T01:30:00Z"}
    before["targets"].append({"name": "cu", "kind": "s3"})
    now = replace(
        inputs,
        findings=[
            replace(f, verdict=type(f.verdict)("pass")) if f.control.id == "RES-05" else f
            for f in inputs.findings
            if f.resource.name != "csdl-ho-tich-05"
        ],
    )
    context = replace(context_of("realistic", earlier=[before]), findings=iter(sample.records(now)))
    document = chapters.document(sample.report(now), context)
    assert [[row[0], row[1].split(" ")[0], *row[2:]] for row in rows(document, "changes")] == [
        ["Đã khắc phục", "RES-05", "ho-so-cong-dan", "fail!Không đáp ứng", "pass!Đáp ứng"],
        [
            "Không còn trong phạm vi thu thập",
            "BDR-01",
            "csdl-ho-tich-05",
            "fail!Không đáp ứng",
            "chưa xác định",
        ],
    ]
    shrunk = {row[1]: row for row in rows(document, "shrinkage")}
    assert shrunk["cu"] == ["Đích đánh giá không còn", "cu", "–", "không có"]
    assert shrunk["BDR-01: Khối lưu trữ quan trọng có bản sao lưu thành công trong giới hạn RPO"][2:] == [
        "12",
        "11",
    ]
    assert [row[1] for row in rows(document, "vanished")] == [
        "csdl-ho-tich-05 / openstack.volume · hn-cloud/hn-1/ho-tich"
    ]
    late = next(row for row in rows(document, "evidence") if "csdl-ho-tich-08" in row[1])
    assert late[2] == "fail!Không đáp ứng / Trước đây: Không đáp ứng"
    assert rows(document, "changed-gates") == [["G1", "blocked!Chưa đáp ứng", "indeterminate!Chưa xác định"]]


def test_without_an_earlier_report_that_is_said() -> None:
    note = Prose(labels()("chapter.no_earlier"), "note")
    assert [n for n in SECTIONS if note in blocks(written("realistic"), n)] == ["4", "12"]


def test_the_order_of_earlier_reports_does_not_matter() -> None:
    report = sample.report(sample.small())
    earlier = [
        deepcopy(report) | {"assessed_at": f"2026-0{n}-22T01:30:00Z", "findings": report["findings"][n:]}
        for n in (1, 2, 3)
    ]
    first, second = (
        chapters.document(report, context_of("small", earlier=order)) for order in (earlier, earlier[::-1])
    )
    assert rows(first, "trend") == rows(second, "trend")
    assert rows(first, "changes") == rows(second, "changes")


# --- order, and reports of older writers --------------------------------------------------------------------------


def said(document: Document) -> list[tuple[str, str]]:
    return [(text.vi, text.en) for text in texts(document)]


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_the_same_findings_in_another_order_give_the_same_bytes_and_the_same_words(
    chance: random.Random,
) -> None:
    inputs = sample.realistic()
    shuffled = list(inputs.findings)
    chance.shuffle(shuffled)
    other = replace(inputs, findings=shuffled)
    assert dumps(sample.report(other)) == dumps(sample.report(inputs))
    context = replace(context_of("realistic"), findings=iter(sample.records(other)))
    assert said(chapters.document(sample.report(other), context)) == said(written("realistic"))


@pytest.mark.parametrize("form", ["full", "yearly"])
def test_a_report_of_an_older_writer_can_be_set(form: Form) -> None:
    report = sample.report(sample.realistic())
    for key in (
        "waivers",
        "projects",
        "collection_figures",
        "capabilities",
        "plugins",
        "reporters",
        "validity",
    ):
        report.pop(key, None)
    for key in ("title", "publisher", "notice", "excluded", "parameters_changed"):
        report["profile"].pop(key, None)
    report["subject"].pop("title")
    document = chapters.document(report, Context({}, {}, form=form))
    assert document.subject == Text("nen-tang-an-binh", "nen-tang-an-binh")
    assert all(section.blocks for section in document.sections)


def test_registers_that_were_not_given_are_told_and_not_taken_for_empty() -> None:
    report = sample.report(sample.all_unknown())
    document = chapters.document(report, Context({}, {}))
    warned = {
        section.number: [
            b.text.vi.partition(" chưa")[0]
            for b in section.blocks
            if isinstance(b, Prose) and b.style == "warning"
        ]
        for section in document.sections
    }
    assert {number: found for number, found in warned.items() if found} == {
        "2": ["Danh mục hệ thống thông tin"],
        "5": ["Danh mục địa điểm"],
        "6": ["Danh mục hệ thống thông tin", "Tệp toàn bộ phát hiện không có khi lập báo cáo; số liệu chỉ dựa trên các phát hiện", "Danh mục diễn tập"],
        "9": ["Danh mục hệ thống thông tin"],
        "10": ["Danh mục hồ sơ, cam kết"],
        "11": ["Chưa có hồ sơ năng lực tiếp nhận; các yêu cầu của phía tiếp nhận là"],
        "D": ["Danh mục hồ sơ, cam kết", "Danh mục diễn tập"],
    }  # fmt: skip


def test_bounds_of_evidence_are_told_as_bounds() -> None:
    inputs = sample.realistic()
    volume = sample.resource(
        "openstack.volume",
        "v",
        {"backup.newest_age": AtMost(3600), "backup.count": AtLeast(2), "system.id": "ho-tich"},
    )
    finding = sample.finding("BDR-01", volume, "fail", "backup.newest_age", "backup.count", weight=4)
    report = sample.report(replace(inputs, findings=[finding]))
    document = chapters.document(report, sample.context())
    assert (
        rows(document, "evidence")[0][3] == "backup.newest_age = không quá 1 giờ / backup.count = ít nhất 2"
    )


def test_a_region_at_several_sites_is_explained() -> None:
    note = Prose(labels()("chapter.names_note"), "note")
    assert note in blocks(written("realistic"), "5")
    assert note not in blocks(written("nothing"), "5")
