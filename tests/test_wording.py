"""How values and messages read, in both languages, whatever they hold."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudaudit.model import (
    MISSING,
    AtLeast,
    AtMost,
    FactSpec,
    FactType,
    Partial,
    Text,
    Value,
    parse_time,
)
from cloudaudit.wording import MAX_MESSAGE, day, duration, message, moment, placeholders, plain, shown, word


def spec(kind: str, items: FactSpec | None = None, **fields: FactSpec) -> FactSpec:
    return FactSpec("x", FactType(kind), nullable=True, items=items, fields=fields)


AGE, TIME, PORTS = spec("duration"), spec("time"), spec("ports")
COPIES = spec("list", spec("record", age=AGE, site=spec("string")))
NOON = parse_time("2026-11-22T12:00:00+07:00")

CASES = [
    (None, None, "không có", "none"),
    (MISSING, None, "chưa xác định", "not known"),
    (True, None, "có", "yes"),
    (False, None, "không", "no"),
    ("", None, "để trống", "blank"),
    ("hồ sơ", None, "hồ sơ", "hồ sơ"),
    (0, None, "0", "0"),
    (-12, None, "-12", "-12"),
    (1.5, None, "1,5", "1.5"),
    (float("inf"), None, "inf", "inf"),
    (10**60, None, "2^199…", "2^199…"),
    (-(10**60), None, "-2^199…", "-2^199…"),
    (86400, AGE, "1 ngày", "1 d"),
    (90_000, AGE, "1 ngày 1 giờ", "1 d 1 h"),
    (NOON, TIME, "22/11/2026 12:00", "2026-11-22 12:00"),
    ((22, 22), PORTS, "22", "22"),
    ((8000, 9000), PORTS, "8000-9000", "8000-9000"),
    ((1, 2, 3), PORTS, "1, 2, 3", "1, 2, 3"),
    ((), None, "không có mục nào", "no items"),
    ({}, None, "không có mục nào", "no items"),
    (("a", None), None, "a, không có", "a, none"),
    (tuple("abcdefgh"), None, "a, b, c, d, e, … (+3)", "a, b, c, d, e, … (+3)"),
    ({"age": 60, "site": "hn"}, spec("record", age=AGE), "age: 1 phút, site: hn", "age: 1 min, site: hn"),
    (({"age": 3600}, {"age": None}), COPIES, "age: 1 giờ; age: không có", "age: 1 h; age: none"),
    ({str(n): n for n in range(7)}, None, "0: 0, 1: 1, 2: 2, 3: 3, 4: 4, … (+2)", "0: 0, 1: 1, 2: 2, 3: 3, 4: 4, … (+2)"),
    ({"site": "hn", "z": 1, "age": 60}, spec("record", age=AGE, site=spec("string")), "age: 1 phút, site: hn, z: 1", "age: 1 min, site: hn, z: 1"),
    ({"age": 60}, spec("record", age=replace(AGE, meaning=Text("tuổi", "its age"))), "tuổi: 1 phút", "its age: 1 min"),
    ("off", replace(spec("string"), words={"off": Text("chưa bật", "not on")}), "chưa bật", "not on"),
    ("on", replace(spec("string"), words={"off": Text("chưa bật", "not on")}), "on", "on"),
    (AtMost(18_000), AGE, "không quá 5 giờ", "at most 5 h"),
    (AtLeast(3), None, "ít nhất 3", "at least 3"),
    (AtLeast(NOON), TIME, "ít nhất 22/11/2026 12:00", "at least 2026-11-22 12:00"),
    (Partial(("a",)), None, "a (mới thấy một phần)", "a (seen in part)"),
    (Partial(()), None, "không có mục nào (mới thấy một phần)", "no items (seen in part)"),
    ((((((("a",),),),),),), None, "…", "…"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "about", "vi", "en"), CASES, ids=lambda v: str(v)[:30])
def test_values_in_words(value: Value, about: FactSpec | None, vi: str, en: str) -> None:
    assert (shown(value, about, "vi"), shown(value, about, "en")) == (vi, en)


@pytest.mark.parametrize(
    ("seconds", "vi", "en"),
    [
        (0, "0 giây", "0 s"), (1, "1 giây", "1 s"), (59, "59 giây", "59 s"), (61, "1 phút 1 giây", "1 min 1 s"),
        (3599, "59 phút 59 giây", "59 min 59 s"), (86_401, "1 ngày 1 giây", "1 d 1 s"),
        (144_101, "1 ngày 16 giờ", "1 d 16 h"), (90 * 86400, "90 ngày", "90 d"), (-90, "-1 phút 30 giây", "-1 min 30 s"),
        (0.5, "0 giây", "0 s"), (float("nan"), "nan", "nan"), (float("-inf"), "-inf", "-inf"),
    ],
)  # fmt: skip
def test_durations(seconds: float, vi: str, en: str) -> None:
    assert (duration(seconds, "vi"), duration(seconds, "en")) == (vi, en)


@pytest.mark.parametrize(
    ("seconds", "vi", "en"),
    [
        (0, "01/01/1970 07:00", "1970-01-01 07:00"),
        (parse_time("2026-12-31T17:00:00Z"), "01/01/2027 00:00", "2027-01-01 00:00"),
        (parse_time("0001-01-01T00:00:00Z"), "01/01/0001 07:00", "0001-01-01 07:00"),
        (10**30, "10" + "0" * 29, "10" + "0" * 29),
        (-(10**11), "-100000000000", "-100000000000"),
    ],
)
def test_moments_are_those_of_viet_nam(seconds: int, vi: str, en: str) -> None:
    assert (moment(seconds, "vi"), moment(seconds, "en")) == (vi, en)


@pytest.mark.parametrize(
    ("at", "vi", "en"),
    [
        ("2026-12-31T17:00:00Z", "01/01/2027", "2027-01-01"),
        ("2026-12-31T16:59:59Z", "31/12/2026", "2026-12-31"),
        ("2026-12-31T16:59:58Z", "31/12/2026 23:59", "2026-12-31 23:59"),
        ("2026-12-31T00:00:00Z", "31/12/2026 07:00", "2026-12-31 07:00"),
    ],
)
def test_days_are_those_of_viet_nam(at: str, vi: str, en: str) -> None:
    assert (day(parse_time(at), "vi"), day(parse_time(at), "en")) == (vi, en)


# --- hostile text -------------------------------------------------------------------------------------

ESC, RLO, BOM, ZWJ, NUL = "\x1b", "\u202e", "\ufeff", "\u200d", "\x00"


@pytest.mark.parametrize(
    "hostile",
    [
        f"{ESC}[31mđỏ{ESC}[0m", f"a{RLO}b", "a\nb", "a\r\nb", "a\tb", f"{BOM}a", f"a{ZWJ}b", NUL, "\x9b31m", "a\u2028b",
        "\u2066a\u2069", "\ud800", "\ue000", "\U000e0041", "a\x7fb",
    ],
)  # fmt: skip
def test_what_steers_a_terminal_or_turns_a_line_is_taken_away(hostile: str) -> None:
    for text in (plain(hostile), shown((hostile,), None, "vi"), shown({hostile: hostile}, None, "vi")):
        assert "\N{REPLACEMENT CHARACTER}" in text
        assert not set(text) & set(hostile) - set("abđỏ[0123456789m")


def test_vietnamese_and_other_scripts_stay() -> None:
    for text in ("Hồ sơ đề nghị – số 1121/QĐ-TTg", "đ̣", "日本語", "ไทย", "a\u00a0b", "😀"):
        assert plain(text) == text


def test_endless_text_is_cut() -> None:
    assert plain("x" * 200) == "x" * 200
    assert plain("x" * 10_000) == "x" * 200 + "…"
    assert plain("đ" * 10_000, 10) == "đ" * 10 + "…"
    assert len(shown(tuple("y" * 10_000 for _ in range(100)), None, "vi")) < 1100


@given(st.text())
def test_plain_text_is_one_printable_line(text: str) -> None:
    found = plain(text)
    assert len(found) <= 201
    assert not {unicodedata.category(c) for c in found} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


# --- messages -----------------------------------------------------------------------------------------

SPECS = {"backup.age": AGE, "param.max": AGE, "name": spec("string"), "labels": spec("map")}


def filled(template: str, params: dict[str, Value] | None = None, **facts: Value) -> str:
    dotted = {name.replace("__", "."): value for name, value in facts.items()}
    return message(Text(template, template), dotted, SPECS, params or {}).vi


def test_messages_are_filled_with_facts_and_parameters() -> None:
    both = Text(
        "Khối {name}: {backup.age}, tối đa {param.max}", "Volume {name}: {backup.age}, at most {param.max}"
    )
    facts = {"name": "csdl", "backup.age": 144_000}
    assert message(both, facts, SPECS, {"max": 86400}) == Text(
        "Khối csdl: 1 ngày 16 giờ, tối đa 1 ngày", "Volume csdl: 1 d 16 h, at most 1 d"
    )


def test_what_is_missing_is_said_to_be() -> None:
    assert filled("{name} {backup.age} {param.max} {gì đó} {}") == " ".join(["chưa xác định"] * 5)
    assert filled("{backup.age}", backup__age=None) == "không có"
    assert filled("{labels.owner}", labels={}) == "không có"
    assert filled("{labels.owner}", labels={"owner": "Sở"}) == "Sở"
    assert filled("{labels.owner}", labels="x") == "chưa xác định"


def test_a_fact_is_not_read_as_a_template() -> None:
    assert (
        filled("{name}", name="{labels.owner} {name} \\g<0>", labels={"owner": "x"})
        == "{labels.owner} {name} \\g<0>"
    )


def test_braces_that_name_nothing_stay() -> None:
    assert filled("{ a { name } b }", name="x") == "{ a chưa xác định b }"
    assert filled("}{") == "}{"


def test_a_message_is_one_line_of_bounded_length() -> None:
    assert filled("một\n  hai {name}\n", name="a\nb") == "một hai a\N{REPLACEMENT CHARACTER}b"
    assert len(filled("{name}" * 100, name="x" * 10_000)) == MAX_MESSAGE + 1


def test_placeholders_are_told_once_in_their_order() -> None:
    assert placeholders(Text("{b} {a} {param.x}", "{a} {c}")) == ("b", "a", "param.x", "c")
    assert placeholders(Text("", "")) == ()


def test_words() -> None:
    assert (word("missing", "vi"), word("missing", "en")) == ("chưa xác định", "not known")


NUMBERS = st.integers() | st.floats()
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text() | st.just(MISSING)
    | st.builds(AtMost, NUMBERS) | st.builds(AtLeast, NUMBERS),
    lambda inner: st.one_of(
        st.lists(inner).map(tuple), st.dictionaries(st.text(), inner), st.lists(inner).map(lambda v: Partial(tuple(v)))
    ),
    max_leaves=12,
)  # fmt: skip
KINDS = st.one_of(
    st.none(), st.sampled_from(list(FactType)).map(lambda t: spec(t.value)),
    st.sampled_from(list(FactType)).map(lambda t: spec("list", spec(t.value))), st.just(COPIES),
)  # fmt: skip


@given(VALUES, KINDS, st.text(), st.text())
def test_no_value_and_no_template_breaks_a_message(
    value: Any, about: FactSpec | None, vi: str, en: str
) -> None:
    specs = {"x": about} if about else {}
    found = message(Text("{x}|" + vi, "{x}|" + en), {"x": value}, specs, {"x": value})
    for text in (found.vi, found.en):
        assert len(text) <= MAX_MESSAGE + 1
        assert plain(text, MAX_MESSAGE + 1) == text
