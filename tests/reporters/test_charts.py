"""The drawings: their numbers, their languages, and what hostile names may not do in them."""

from __future__ import annotations

import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any, get_args

import pytest
import sample_report as sample

from cloudaudit.model import Text
from cloudaudit.reporters import charts
from cloudaudit.reporters.document import Languages, Picture
from cloudaudit.reporters.places import Flow, places
from cloudaudit.reporters.words import labels

SVG = "{http://www.w3.org/2000/svg}"
NAME = Text("Vị trí dữ liệu", "Data residency")
POINT = ("2026-11-22T01:30:00Z", 80.5, 87.5, 90.0, 5, 7)
FLOWS = (
    Flow("backup", ("hn-cloud", "hn-1"), "hcm-1", False),
    Flow("replication", ("s3-hn", None), "sg-1", True),
)


def _map(flows: tuple[Flow, ...] = FLOWS) -> Picture:
    drawn = charts.places(places(sample.report(sample.realistic()), sample.SITES), flows)
    assert drawn is not None
    return drawn


def _hostile() -> list[Picture]:
    """Every drawing, with every hostile name where a name can stand."""
    bad = [Text(text, f"{text} ") for text in (*sample.HOSTILE, sample.HALF_SURROGATE)]
    found = charts.places(
        places(sample.report(sample.hostile()), sample.hostile_sites()),
        [Flow("backup", (text, text), text, True) for text in sample.HOSTILE[:3]],
    )
    assert found is not None
    return [
        charts.intervals([(text.vi, text, 10, 20) for text in bad]),
        charts.coverage([(text.vi, text, 10) for text in bad]),
        charts.gates([(text.vi, text, text.vi) for text in bad]),
        charts.recovery([(text.vi, 60, 60) for text in bad]),
        charts.trend([(text.vi, 1, 2, 3, 4, 5) for text in bad]),
        found,
    ]


SAMPLES: dict[str, Callable[[], Picture]] = {
    "intervals": lambda: charts.intervals([("RES", NAME, 40, 70), ("BDR", NAME, 100, 100)]),
    "coverage": lambda: charts.coverage([("RES", NAME, 92.84)]),
    "gates": lambda: charts.gates([("G1", NAME, "open"), ("G2", NAME, "blocked")]),
    "recovery": lambda: charts.recovery([("Hộ tịch", 97200, 14400), ("Cổng", None, 3600)]),
    "trend": lambda: charts.trend([POINT]),
    "places": _map,
}


def read(picture: Picture, lang: Languages = "vi") -> ET.Element:
    return ET.fromstring(picture.draw(lang))


def shapes(root: ET.Element, tag: str, *names: str) -> list[tuple[str | None, ...]]:
    paint = {element for pattern in root.iter(f"{SVG}pattern") for element in pattern}
    found = (element for element in root.iter(SVG + tag) if element not in paint)
    return [tuple(element.get(name) for name in names) for element in found]


def bars(root: ET.Element) -> list[tuple[str | None, ...]]:
    """Rows of bars, without the keys below them."""
    return [bar[:-1] for bar in shapes(root, "rect", "x", "width", "fill", "height") if bar[-1] == "18"]


def texts(root: ET.Element) -> list[str]:
    return ["".join(element.itertext()) for element in root.iter(SVG + "text")]


# --- all of them --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", get_args(Languages))
@pytest.mark.parametrize("name", SAMPLES)
def test_a_drawing_stands_alone_and_needs_nothing(name: str, lang: Languages) -> None:
    picture = SAMPLES[name]()
    root = read(picture, lang)
    assert (root.tag, root.get("role")) == (f"{SVG}svg", "img")
    assert root.get("viewBox") == f"0 0 {picture.width} {picture.height}"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "pattern", "rect", "path", "circle", "text", "tspan",
    }  # fmt: skip
    for element in root.iter():
        assert [n for n in element.attrib if n in ("style", "href", "src") or n.startswith("on")] == []
        assert [v for v in element.attrib.values() if "url(" in v and not v.startswith("url(#chart-")] == []
    painted = set(re.findall(r"url\(#([^)]+)\)", picture.draw(lang)))
    assert painted == {element.get("id") for element in root.iter(f"{SVG}pattern")}


@pytest.mark.parametrize("name", SAMPLES)
def test_one_language_is_written_alone_and_both_are_told_apart(name: str) -> None:
    picture = SAMPLES[name]()
    for lang, title in (("vi", picture.title.vi), ("en", picture.title.en)):
        alone = read(picture, lang)  # type: ignore[arg-type]
        assert alone[0].text == title
        assert [e for e in alone.iter() if e.get("class") or e.get("lang") or e.get("display")] == []
    both = read(picture, "both")
    assert both[0].text == f"{picture.title.vi} / {picture.title.en}"
    assert (both[0].get("data-vi"), both[0].get("data-en")) == (picture.title.vi, picture.title.en)
    classes = {element.get("class") for element in both.iter()} - {None}
    assert {"vi", "en"} <= classes <= {"vi", "en", "en alone"}
    for element in both.iter():
        assert (element.get("lang") == "en") is (element.get("class") in ("en", "en alone"))
        assert (element.get("display") == "none") is (element.get("class") == "en alone")


@pytest.mark.parametrize("lang", get_args(Languages))
def test_hostile_names_are_text_and_harmless(lang: Languages) -> None:
    for picture in _hostile():
        source = picture.draw(lang)
        root = ET.fromstring(source)
        assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
            "svg", "title", "desc", "pattern", "rect", "path", "circle", "text", "tspan",
        }  # fmt: skip
        assert "<script" not in source
        bad = {c for c in source if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")}
        assert bad <= {"\N{REPLACEMENT CHARACTER}"}
        assert unicodedata.normalize("NFC", source) == source
        assert max(len(text) for text in texts(root)) < 150
    assert any("<script>alert" in text for text in texts(read(_hostile()[0])))


def test_drawings_are_the_same_each_time() -> None:
    for make in SAMPLES.values():
        assert make().draw("both") == make().draw("both")


@pytest.mark.parametrize(
    "make",
    [
        lambda: charts.intervals([]),
        lambda: charts.coverage([]),
        lambda: charts.gates([]),
        lambda: charts.recovery([]),
        lambda: charts.trend([]),
    ],
)
def test_a_drawing_of_nothing_is_still_one(make: Callable[[], Picture]) -> None:
    picture = make()
    assert read(picture)[1].text == "–"
    assert picture.height > 0


# --- what each shows ------------------------------------------------------------------------------------


def test_intervals_are_as_long_as_their_scores() -> None:
    picture = charts.intervals([("RES", NAME, 40, 70), ("BDR", NAME, 100, 100), ("SEC", NAME, 0, 0)])
    root = read(picture)
    hatched = "url(#chart-intervals-hatch-1f456e)"
    assert bars(root) == [
        ("312", "290", charts.TRACK), ("312", "116", charts.ACCENT), ("428", "87", hatched),
        ("312", "290", charts.TRACK), ("312", "290", charts.ACCENT),
        ("312", "290", charts.TRACK),
    ]  # fmt: skip
    assert picture.alternative == Text(
        "RES: [40,0 ; 70,0]; BDR: [100,0 ; 100,0]; SEC: [0,0 ; 0,0]",
        "RES: [40.0 ; 70.0]; BDR: [100.0 ; 100.0]; SEC: [0.0 ; 0.0]",
    )
    assert texts(root)[5:8] == ["RES", "Vị trí dữ liệu", "[40,0 ; 70,0]"]
    assert texts(read(picture, "both"))[5:10] == [
        "RES", "Vị trí dữ liệu", "Data residency", "[40,0 ; 70,0]", "[40.0 ; 70.0]",
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", [-5.0, float("nan"), float("-inf")])
def test_figures_that_cannot_be_draw_nothing(wrong: float) -> None:
    assert charts._percent(wrong) == 0


def test_coverage_is_rounded_down_like_everywhere() -> None:
    root = read(charts.coverage([("RES", NAME, 92.89)]))
    assert bars(root)[1] == ("312", "269.38", charts.ACCENT)
    assert texts(root)[7] == "92,8 %"


def test_gates_differ_by_their_edges_and_signs() -> None:
    rows = [(f"G{n}", NAME, state) for n, state in enumerate(charts._STATES, 1)]
    root = read(charts.gates(rows))
    drawn = shapes(root, "rect", "x", "y", "fill", "stroke-dasharray")
    assert drawn == [
        ("2", "6", "#fff", "none"), ("2", "76", "#fff", "2 3"), ("2", "146", "#fff", "6 4"),
        ("370", "6", charts.FAIL, "none"), ("370", "76", "#fff", "1 4"),
    ]  # fmt: skip
    assert (
        len(set(re.findall(r"(?<=[0-9])m.*", "\n".join(d or "" for (d,) in shapes(root, "path", "d"))))) == 5
    )
    assert texts(root)[::2] == [
        "G1 · Đáp ứng", "G2 · Đáp ứng có điều kiện", "G3 · Chưa xác định", "G4 · Chưa đáp ứng", "G5 · Ngoài phạm vi",
    ]  # fmt: skip


def test_a_state_nobody_knows_is_no_open_gate() -> None:
    drawn = shapes(read(charts.gates([("G1", NAME, "later")])), "rect", "stroke", "stroke-dasharray")
    assert drawn == [(charts.UNKNOWN, "6 4")]


def test_recovery_points_stand_on_a_scale_of_time() -> None:
    picture = charts.recovery([("Hộ tịch", 86400, 3600), ("Cổng", None, 3600), ("Bản đồ", 3600, 86400)])
    root = read(picture)
    missed, met = shapes(root, "circle", "cx", "fill", "stroke")[:2]
    assert (missed, met) == (("520", charts.FAIL, charts.FAIL), ("220", "#fff", charts.MET))
    assert picture.alternative.vi == "Hộ tịch: 1 ngày / 1 giờ; Cổng: ? / 1 giờ; Bản đồ: 1 giờ / 1 ngày"
    assert [text for text in texts(root) if " / " in text][1:] == [
        "1 ngày / 1 giờ",
        "? / 1 giờ",
        "1 giờ / 1 ngày",
    ]
    assert [text for text in texts(root)[:5] if "/" not in text] == ["1 giờ", "4 giờ", "12 giờ", "1 ngày"]
    dashed = [d for d, dashes in shapes(root, "path", "d", "stroke-dasharray") if dashes]
    assert dashed[0] == "M220 102H520"


@pytest.mark.parametrize("seconds", [0, 1e-9, -5, 1e12, float("inf")])
def test_times_beyond_the_scale_stay_in_the_drawing(seconds: float) -> None:
    for row in (("x", min(seconds, 1e300), 3600.0), ("x", 3600.0, seconds)):
        (circle,) = shapes(read(charts.recovery([row])), "circle", "cx")[:1]
        assert 220 <= float(circle[0] or "") <= 520


def test_a_system_with_no_usable_backup_is_marked_and_no_gap() -> None:
    """Its line ends in a cross beyond every time, with a word for it and a key; none where all have one."""
    picture = charts.recovery([("Hộ tịch", float("inf"), 3600), ("Cổng", 1800, 3600)])
    root = read(picture)
    assert picture.alternative.vi == "Hộ tịch: không có / 1 giờ; Cổng: 30 phút / 1 giờ"
    crosses = [d for d, stroke in shapes(root, "path", "d", "stroke") if d and "14m0-14" in d]
    assert (len(crosses), crosses[0]) == (2, "M513 55l14 14m0-14l-14 14")
    assert "không có / 1 giờ" in texts(root)
    assert labels()("chart.rpo_none").vi in texts(root)
    assert labels()("chart.rpo_none").vi not in texts(read(charts.recovery([("Cổng", 1800, 3600)])))
    plain = charts.recovery([("Hộ tịch", 7200, 3600), ("Cổng", 1800, 3600)])
    assert picture.height == plain.height + 36


def test_of_many_systems_those_that_miss_most_are_drawn_and_the_rest_counted() -> None:
    rows: list[tuple[str, float | None, float]] = [(f"s{n}", 60.0, 3600.0) for n in range(40)]
    rows[33], rows[37] = ("missed", 7200.0, 3600.0), ("unknown", None, 3600.0)
    told = texts(read(charts.recovery(rows)))
    assert {"missed", "unknown"} <= set(told)
    assert "… và 16 mục khác trong report.json" in told


def test_a_trend_of_one_assessment_is_a_point_and_no_line() -> None:
    root = read(charts.trend([POINT]))
    boxes = shapes(root, "rect", "x", "y", "width", "height")
    assert boxes[0] == ("319", "36.5", "26", "12.6")
    assert [d for d, stroke in shapes(root, "path", "d", "stroke") if stroke == charts.ACCENT] == []
    assert texts(root)[5:9] == ["22/11/2026", "5/7", "[80,5 ; 87,5]", "90,0 %"]


def test_a_trend_goes_from_the_oldest_to_the_newest() -> None:
    earlier = ("2026-10-22T01:30:00Z", 0.0, 100.0, 50.0, 1, 7)
    root = read(charts.trend([earlier, POINT]))
    lines = [d for d, fill in shapes(root, "path", "d", "fill") if fill == "none"]
    assert lines == ["M186 194L478 49.1", "M186 14L478 36.5", "M186 104L478 32"]
    assert texts(root)[5:9] == ["22/10/2026", "1/7", "22/11/2026", "5/7"]


def test_of_a_long_trend_the_last_is_always_dated() -> None:
    points = [(f"20{n:02}-01-02T00:00:00Z", 1.0, 2.0, 3.0, 1, 2) for n in range(10, 50)]
    told = [text for text in texts(read(charts.trend(points))) if text.startswith("02/01/")]
    assert told == [f"02/01/20{n}" for n in range(28, 50, 3)]


def test_the_map_tells_backup_replication_and_what_is_abroad_apart() -> None:
    root = read(_map())
    routes = [
        (stroke, width, dashes)
        for stroke, width, dashes in shapes(root, "path", "stroke", "stroke-width", "stroke-dasharray")
        if dashes in charts._DASHES.values()
    ]
    assert routes[:2] == [(charts.ACCENT, "2", "10 5"), (charts.FAIL, "3", "2 5")]
    told = texts(root)
    for part in ("Trung tâm dữ liệu đối tác", "sg-1 · Ngoài Việt Nam", "Chưa ánh xạ với địa điểm nào"):
        assert part in told
    assert root[1].text == "Tên do API cung cấp: 4; địa điểm đã khai báo: 3; luồng sao lưu, sao chép: 2."


def test_a_copy_abroad_that_no_flow_tells_of_is_drawn() -> None:
    drawn = shapes(read(_map(())), "path", "stroke", "stroke-dasharray")
    assert (charts.FAIL, "2 5") in drawn


def test_a_flow_from_a_name_that_nothing_else_tells_of_has_its_box() -> None:
    root = read(_map((Flow("backup", ("kho-khac", "la-1"), "nowhere", True),)))
    assert "la-1" in texts(root)
    assert "kho-khac" in texts(root)


def test_every_box_of_the_map_is_inside() -> None:
    picture = _map()
    for x, y, width, height in shapes(read(picture), "rect", "x", "y", "width", "height"):
        assert 0 <= float(x or "") <= float(x or "") + float(width or "") <= picture.width
        assert 0 <= float(y or "") <= float(y or "") + float(height or "") <= picture.height


def test_too_many_names_are_left_to_the_table() -> None:
    report: dict[str, Any] = sample.report(sample.realistic())
    report["collection"] = [
        {"target": "hn-cloud", "region": f"vung-{n}", "service": "compute", "asked": 1, "ok": 1} for n in range(40)
    ]  # fmt: skip
    assert charts.places(places(report, sample.SITES), ()) is None
    assert charts.places(places(sample.report(sample.all_pass()), ()), ()) is None


@pytest.mark.parametrize(
    ("text", "room", "kept"),
    [
        ("An toàn", 200, "An toàn"),
        ("An toàn thông tin mạng", 60, "An toàn…"),
        ("Quản lý văn bản và điều hành", 186, "Quản lý văn bản và điều…"),
        ("x" * 10_000, 50, "xxxxx…"),
        ("", 50, ""),
        ("kho", 1, "…"),
    ],
)
def test_names_are_cut_to_their_room(text: str, room: float, kept: str) -> None:
    assert charts._fit(text, room, 13) == kept
