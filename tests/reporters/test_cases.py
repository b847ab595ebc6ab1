"""How findings stand before a gate: each standing told, the worst first, at a harmless place."""

from __future__ import annotations

import pipeline_samples as samples
import pytest
import sample_report as sample

from cloudaudit.model import Text
from cloudaudit.reporters.cases import Bench, Standing, counted, excuse, verdict_label
from cloudaudit.reporters.spots import TARGETS
from cloudaudit.reporters.words import clean


def bench(*, known: bool = True) -> Bench:
    return Bench.of(samples.report(), samples.context(known=known))


def told(of: Bench) -> list[tuple[str, str, str]]:
    return [(case.control["id"], case.standing.value, case.at) for case in of.worst_first()]


def test_every_standing_the_worst_first() -> None:
    assert told(bench()) == [
        ("SEC-13", "violation", "ci/targets.yaml:15"),
        ("BDR-24", "violation", "ci/targets.yaml:1"),
        ("BDR-05", "violation", "ci/targets.yaml:7"),
        ("RES-05", "unknown", "ci/targets.yaml:15"),
        ("SEC-06", "unknown", "deploy/mạng #1.tf:14"),
        ("COM-01", "pending", "ci/targets.yaml:1"),
        ("BDR-05", "known", "ci/targets.yaml:7"),
        ("BDR-05", "waived", "ci/targets.yaml:7"),
        ("NDC-01", "decision", "ci/targets.yaml:1"),
        ("POR-06", "not_applicable", "ci/targets.yaml:1"),
    ]


def test_without_a_baseline_nothing_is_known_from_before() -> None:
    counts = counted(bench(known=False).cases())
    assert (counts[Standing.VIOLATION], counts[Standing.KNOWN]) == (4, 0)


def test_an_unknown_that_a_baseline_names_stays_unknown() -> None:
    """A baseline is of violations: it cannot make up for what nobody saw."""
    report = samples.report()
    (record,) = [one for one in report["findings"] if one["control"] == "SEC-06"]
    known = samples.context().baseline
    assert known is not None
    named = {**known, record["fingerprint"]: next(iter(known.values()))}
    assert Bench.of(report, samples.context(known=False)).case(record).standing is Standing.UNKNOWN
    held = Bench(report, named, bench().controls, bench().gates, bench().final)
    assert held.case(record).standing is Standing.UNKNOWN


def test_what_is_said_begins_with_how_it_stands() -> None:
    messages = {(c.control["id"], c.standing.value): c.message for c in bench().worst_first()}
    assert messages["SEC-13", "violation"] == Text(
        "Không đáp ứng: Bucket ho-so: đọc công khai: có", "Fail: Bucket ho-so: public read: yes"
    )
    assert messages["SEC-06", "unknown"] == Text(
        "Chưa xác định (Chỉ biết được sau khi triển khai): Quy tắc ssh: nguồn chưa xác định, cổng 22. Chưa biết: Địa chỉ nguồn",
        "Unknown (Known only after deployment): Rule ssh: source not known, ports 22. Not known: Source",
    )
    assert messages["RES-05", "unknown"] == Text(
        "Chưa thu thập được s3.bucket tại s3-hn: Thiếu quyền đọc",
        "s3.bucket at s3-hn was not seen: No permission to read",
    )
    assert messages["NDC-01", "decision"].en == (
        "Awaits the competent authority: nen-tang: the competent authority has assessed"
    )
    assert messages["COM-01", "pending"].en.startswith("Manual review pending: ")


def test_excuses_name_who_gave_them_and_until_when() -> None:
    report = samples.report()
    found = {c.standing: excuse(c, report) for c in bench().worst_first()}
    assert {standing.value: why.en for standing, why in found.items() if why} == {
        "known": "Known from the baseline since 2026-10-01 07:00, because: chờ đợt mua sắm",
        "waived": (
            "Waived by MT-01 until 2026-12-31 23:59; approved by Giám đốc Hạ tầng (internal); "
            "reason: Đang chuyển sang loại có mã hóa; compensating measure: Hạn chế quyền gắn"
        ),
    }
    (waived,) = bench().worst_first(Standing.WAIVED)
    assert excuse(waived, {**report, "waivers": []}) == Text("Được miễn trừ theo MT-01", "Waived by MT-01")
    assert verdict_label(waived).en == "Waived"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("deploy/main.tf", "deploy/main.tf"),
        ("./deploy//main.tf", "deploy/main.tf"),
        ("/etc/passwd", "passwd"),
        ("../../etc/passwd", "passwd"),
        ("..", TARGETS),
        ("", TARGETS),
        ("a\nb.tf", "a\ufffdb.tf"),
    ],
)
def test_a_place_is_a_relative_path_inside_the_repository(path: str, shown: str) -> None:
    bucket = samples.planned(sample.resource("s3.bucket", "b"), path, 0)
    inputs = sample.Inputs(findings=[sample.finding("SEC-13", bucket, "fail")])
    (case,) = Bench.of(sample.report(inputs), samples.context(inputs)).cases()
    assert (case.spot.path, case.spot.line) == (shown, 1)


def test_what_has_one_fingerprint_in_two_projects_is_told_apart() -> None:
    """Key pairs of two projects may be called the same."""
    findings = [
        sample.finding("RES-04", sample.resource("s3.bucket", "chung", project=project), "fail")
        for project in ("ho-tich", "van-ban")
    ]
    inputs = sample.Inputs(findings=findings)
    cases = list(Bench.of(sample.report(inputs), samples.context(inputs)).cases())
    assert len({case.fingerprint for case in cases}) == 1
    assert len({case.identity for case in cases}) == len({case.thing for case in cases}) == 2


def test_names_that_do_harm_are_shown_and_obeyed_nowhere() -> None:
    report, inputs = samples.nasty_report(), samples.nasty()
    cases = Bench.of(report, samples.context(inputs)).worst_first()
    assert len(cases) == 4 * len(samples.NASTY)
    for case in cases:
        for text in (case.thing, case.scope, case.spot.path, clean(case.message.vi), clean(case.message.en)):
            assert text.isprintable()
            text.encode()
        assert not case.spot.path.startswith(("/", "./", "../"))
        assert len(case.thing) < 1000
