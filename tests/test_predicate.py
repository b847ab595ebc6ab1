"""The control language: three values, bounds, lists, joins, and what compiling refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudaudit.errors import Where
from cloudaudit.model import (
    AT,
    MISSING,
    AtLeast,
    AtMost,
    FactSpec,
    FactType,
    Frame,
    Gap,
    Join,
    Listing,
    Partial,
    Reason,
    Resource,
    ResourceType,
    Scope,
    Text,
    Unseen,
    Value,
    parse_time,
)
from cloudaudit.operators import OPERATORS, glob_match
from cloudaudit.predicate import CompiledCheck, Compiler

NOW = 1_700_000_000


def spec(
    name: str, kind: str, *, null: bool = False, items: FactSpec | None = None, **fields: FactSpec
) -> FactSpec:
    return FactSpec(name, FactType(kind), nullable=null, items=items, fields=fields)


THING = {
    s.name: s
    for s in (
        spec("on", "boolean"),
        spec("size", "integer"),
        spec("limit", "integer", null=True),
        spec("word", "string"),
        spec("note", "string", null=True),
        spec("born", "time"),
        spec("ends", "time", null=True),
        spec("age", "duration", null=True),
        spec("net", "address"),
        spec("range", "ports"),
        spec("labels", "map"),
        spec("tags", "list", items=spec("value", "string")),
        spec(
            "rows",
            "list",
            items=spec("value", "record", n=spec("n", "integer"), s=spec("s", "string", null=True)),
        ),
    )
}
PAPER = {s.name: s for s in (spec("kind", "string"), spec("state", "string"), spec("owner", "string"))}
TYPES = {
    "thing": ResourceType("thing", Text("", ""), False, "x", THING),
    "paper": ResourceType("paper", Text("", ""), True, "x", PAPER),
}
PARAMS = {"max": spec("max", "integer"), "words": spec("words", "list", items=spec("value", "string"))}
VALUES = {"max": 10, "words": ("a", "b")}


class Index:
    def __init__(self, entries: Sequence[Resource], join: Join, unseen: Unseen | None) -> None:
        self.entries, self.join, self.unseen, self.open = entries, join, unseen, False

    def get(self, key: tuple[Value, ...]) -> Sequence[Resource]:
        return [r for r in self.entries if tuple(r.facts.get(theirs) for theirs, _ in self.join.on) == key]


class Papers:
    """A world that holds papers, whole or in part."""

    assessed_at = NOW

    def __init__(self, *papers: Mapping[str, Value], whole: bool = True) -> None:
        self.papers = [resource("paper", p, f"paper-{n}") for n, p in enumerate(papers)]
        self.unseen = None if whole else Unseen(Reason.REGISTER_MISSING)

    def related(self, join: Join) -> Index:
        return Index(self.papers, join, self.unseen)

    def each(self, type_: str) -> Sequence[Resource]:
        return self.papers

    def gaps_of(self, type_: str) -> Sequence[Gap]:
        return ()

    def listings_of(self, type_: str) -> Sequence[Listing]:
        return ()


def resource(type_: str, facts: Mapping[str, Value], id_: str = "it") -> Resource:
    return Resource(type_, id_, Scope("t"), NOW, {AT: NOW, "id": id_, **facts})


def compiler() -> Compiler:
    return Compiler(
        THING, "thing", TYPES, PARAMS, VALUES, lambda pointer: Where("control.yaml", len(pointer) + 1)
    )


def compiled(condition: Any) -> CompiledCheck:
    c = compiler()
    found = c.compile(condition, ("check",))
    assert not c.problems, [str(p) for p in c.problems]
    return found


def judge(condition: Any, facts: Mapping[str, Value], world: Papers | None = None) -> bool | None:
    check = compiled(condition)
    frame = Frame(world or Papers())
    value = check.judge(resource("thing", facts).facts, frame)
    assert check.explain(resource("thing", facts), frame).value is value
    return value


def problems(condition: Any) -> list[str]:
    c = compiler()
    c.compile(condition, ("check",))
    return [f"{p.message}; {p.hint}" if p.hint else p.message for p in c.problems]


# --- each operator, on a fitting and an unfitting value ----------------------------------------------

CASES = [
    ({"fact": "on", "equals": True}, {"on": True}, {"on": False}),
    ({"fact": "word", "not_equals": "x"}, {"word": "y"}, {"word": "x"}),
    ({"fact": "note", "equals": None}, {"note": None}, {"note": "x"}),
    ({"fact": "word", "in": ["a", "b"]}, {"word": "a"}, {"word": "c"}),
    ({"fact": "word", "in": {"param": "words"}}, {"word": "b"}, {"word": "c"}),
    ({"fact": "word", "not_in": ["a"]}, {"word": "c"}, {"word": "a"}),
    ({"fact": "note", "is_null": True}, {"note": None}, {"note": ""}),
    ({"fact": "size", "at_most": 5}, {"size": 5}, {"size": 6}),
    ({"fact": "size", "less_than": {"param": "max"}}, {"size": 9}, {"size": 10}),
    ({"fact": "size", "at_least": {"fact": "limit"}}, {"size": 3, "limit": 3}, {"size": 2, "limit": 3}),
    ({"fact": "size", "more_than": 5}, {"size": 6}, {"size": 5}),
    ({"fact": "limit", "at_most": 5, "if_null": True}, {"limit": None}, {"limit": 6}),
    ({"fact": "limit", "at_most": 5, "if_null": False}, {"limit": 5}, {"limit": None}),
    ({"fact": "age", "at_most": "PT24H", "if_null": False}, {"age": 86400}, {"age": 86401}),
    ({"fact": "word", "version_at_least": "1.2"}, {"word": "TLSv1.10"}, {"word": "TLSv1.1"}),
    ({"fact": "word", "glob": "ho-so*"}, {"word": "ho-so-1"}, {"word": "x-ho-so"}),
    ({"fact": "word", "prefix": ["a", "b"]}, {"word": "ba"}, {"word": "ca"}),
    ({"fact": "word", "suffix": "z"}, {"word": "az"}, {"word": "za"}),
    ({"fact": "word", "contains_text": "b"}, {"word": "abc"}, {"word": "ac"}),
    ({"fact": "born", "age_at_most": "P1D"}, {"born": NOW - 86400}, {"born": NOW - 86401}),
    ({"fact": "born", "age_at_least": "P1D"}, {"born": NOW - 86400}, {"born": NOW - 86399}),
    ({"fact": "ends", "in_future": True, "if_null": False}, {"ends": NOW + 1}, {"ends": NOW}),
    ({"fact": "ends", "due_within": "P30D", "if_null": False}, {"ends": NOW + 86400}, {"ends": NOW + 31 * 86400}),
    ({"fact": "net", "cidr_within": ["10.0.0.0/8"]}, {"net": "10.1.2.0/24"}, {"net": "11.0.0.0/24"}),
    ({"fact": "net", "cidr_contains": "10.1.0.0/16"}, {"net": "10.0.0.0/8"}, {"net": "10.1.1.0/24"}),
    ({"fact": "net", "cidr_overlaps": ["2001:db8::/32"]}, {"net": "2001:db8:1::/48"}, {"net": "10.0.0.0/8"}),
    ({"fact": "range", "ports_include": [22, "3000-3400"]}, {"range": (3389, 3389)}, {"range": (80, 443)}),
    ({"fact": "range", "ports_within": ["8000-9000"]}, {"range": (8080, 8081)}, {"range": (22, 8081)}),
    ({"fact": "tags", "contains": "a"}, {"tags": ("a",)}, {"tags": ("b",)}),
    ({"fact": "tags", "contains_any": ["a", "b"]}, {"tags": ("b", "c")}, {"tags": ("c",)}),
    ({"fact": "tags", "contains_all": {"param": "words"}}, {"tags": ("a", "b", "c")}, {"tags": ("a",)}),
    ({"fact": "tags", "subset_of": ["a", "b"]}, {"tags": ("a",)}, {"tags": ("a", "c")}),
    ({"fact": "labels.data_class", "equals": "open"}, {"labels": {"data_class": "open"}}, {"labels": {}}),
    ({"fact": "rows", "any": {"item": "n", "at_least": 2}}, {"rows": ({"n": 2},)}, {"rows": ({"n": 1},)}),
    ({"fact": "rows", "none": {"item": "n", "at_least": 2}, "if_empty": True}, {"rows": ()}, {"rows": ({"n": 2},)}),
    ({"fact": "tags", "all": {"item": "value", "prefix": "a"}, "if_empty": False}, {"tags": ("aa",)}, {"tags": ()}),
    ({"fact": "tags", "count": {"at_least": 2}}, {"tags": ("a", "b")}, {"tags": ("a",)}),
    ({"fact": "rows", "count": {"that": {"item": "n", "equals": 1}, "equals": 1}},
     {"rows": ({"n": 1}, {"n": 2})}, {"rows": ({"n": 2},)}),
    ({"not": {"fact": "on", "equals": True}}, {"on": False}, {"on": True}),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "yes", "no"), CASES, ids=lambda v: str(v)[:60])
def test_operator(condition: Any, yes: Mapping[str, Value], no: Mapping[str, Value]) -> None:
    assert judge(condition, yes) is True
    assert judge(condition, no) is False
    assert judge(condition, {}) is None, "a missing fact is unknown"


@pytest.mark.parametrize("check", [{"is_null": True}, {"not_equals": "yes"}, {"equals": "yes"}])
def test_a_label_whose_value_was_not_kept_is_not_known(check: dict[str, Any]) -> None:
    about = {"fact": "labels.secret", **check}
    kept = {"labels": {"owner": "x"}}
    assert judge(about, {**kept, "label_names": ("owner", "secret")}) is None
    assert judge(about, {**kept, "label_names": ("owner",)}) is ("equals" not in check)


def test_every_operator_has_a_case() -> None:
    used = {key for condition, _, _ in CASES for key in condition}
    assert set(OPERATORS) - used == {"age_at_most_calendar"}


@pytest.mark.parametrize(
    ("duration", "now", "floor"),
    [
        ("P1M", "2024-03-31T08:00:00+07:00", "2024-02-29T08:00:00+07:00"),
        ("P1M", "2024-03-29T08:00:00+07:00", "2024-02-29T08:00:00+07:00"),
        ("P1Y", "2025-02-28T08:00:00+07:00", "2024-02-28T08:00:00+07:00"),
        ("P12M", "2024-02-29T08:00:00+07:00", "2023-02-28T08:00:00+07:00"),
        ("P13M", "2026-01-15T08:00:00+07:00", "2024-12-15T08:00:00+07:00"),
        ("P1M5D", "2026-03-06T08:00:00+07:00", "2026-02-01T08:00:00+07:00"),
        # In Viet Nam it is the last of March already, in UTC the day before.
        ("P1M", "2024-03-31T02:00:00+07:00", "2024-02-29T02:00:00+07:00"),
        ("P0M", "2026-01-15T08:00:00+07:00", "2026-01-15T08:00:00+07:00"),
    ],
)
def test_calendar_ages_count_months_of_viet_nam(duration: str, now: str, floor: str) -> None:
    check = compiled({"fact": "born", "age_at_most_calendar": duration})
    facts = {AT: parse_time(now), "born": parse_time(floor)}
    assert check.judge(facts, Frame(Papers())) is True
    assert check.judge({**facts, "born": parse_time(floor) - 1}, Frame(Papers())) is False


def test_a_calendar_age_before_the_first_year_takes_everything() -> None:
    check = compiled({"fact": "born", "age_at_most_calendar": "P9999Y"})
    assert check.judge({AT: NOW, "born": parse_time("0001-01-02")}, Frame(Papers())) is True


# --- three values ------------------------------------------------------------------------------------

T, F, U = {"fact": "on", "equals": True}, {"fact": "on", "equals": False}, {"fact": "word", "equals": "?"}
KLEENE = [
    ("all_of", [T, T], True), ("all_of", [T, U], None), ("all_of", [F, U], False), ("all_of", [U, F], False),
    ("any_of", [F, F], False), ("any_of", [F, U], None), ("any_of", [T, U], True), ("any_of", [U, T], True),
]  # fmt: skip


@pytest.mark.parametrize(("head", "parts", "expected"), KLEENE)
def test_kleene(head: str, parts: list[Any], expected: bool | None) -> None:
    assert judge({head: parts}, {"on": True}) is expected


@pytest.mark.parametrize(
    ("value", "floor", "expected"),
    [
        ("1.2", "1.10", False), ("1.10", "1.2", True), ("TLSv1.2", "1.2", True), ("TLSv1.2", "1.2.0", True),
        ("1.2.0.1", "1.2", True), ("Nautilus 14.2.22 (stable)", "14.2", True), ("v3", "3.0", True),
        ("unknown", "1", None), ("", "1", None), ("1." * 5000, "2", False),
    ],
)  # fmt: skip
def test_versions(value: str, floor: str, expected: bool | None) -> None:
    assert judge({"fact": "word", "version_at_least": floor}, {"word": value}) is expected


@pytest.mark.parametrize(
    ("operator", "operand", "value", "expected"),
    [
        ("cidr_within", ["10.0.0.0/8"], "10.0.0.0/8", True),
        ("cidr_within", ["10.0.0.0/8"], "10.1.2.3/8", True),
        ("cidr_within", ["10.0.0.0/9", "10.128.0.0/9"], "10.0.0.0/8", False),
        ("cidr_within", ["10.0.0.0/8"], "0.0.0.0/0", False),
        ("cidr_within", ["0.0.0.0/0"], "2001:db8::1", False),
        ("cidr_within", ["10.0.0.0/8"], "::ffff:10.1.2.3", True),
        ("cidr_within", ["10.0.0.0/8"], "::ffff:0:0/96", False),
        ("cidr_within", [], "10.0.0.1", False),
        ("cidr_within", ["10.0.0.0/8"], "fe80::1%eth0", False),
        ("cidr_within", ["10.0.0.0/8"], "mot dia chi", None),
        ("cidr_within", ["10.0.0.0/8"], "010.0.0.1", None),
        ("cidr_contains", "10.1.0.0/16", "0.0.0.0/0", True),
        ("cidr_contains", "10.1.0.0/16", "10.1.0.1", False),
        ("cidr_overlaps", ["10.1.0.0/16"], "10.0.0.0/8", True),
        ("cidr_overlaps", ["10.1.0.0/16"], "10.2.0.0/16", False),
        ("cidr_overlaps", {"param": "words"}, "10.2.0.0/16", "refused"),
    ],
)
def test_addresses(operator: str, operand: Any, value: str, expected: bool | str | None) -> None:
    condition = {"fact": "net", operator: operand}
    if expected == "refused":
        assert problems(condition) == ["'a' is no IP address or network"]
    else:
        assert judge(condition, {"net": value}) is expected


@pytest.mark.parametrize(
    ("operator", "operand", "value", "expected"),
    [
        ("ports_include", [22], (0, 65535), True),
        ("ports_include", [65535], (0, 65535), True),
        ("ports_include", [0], (1, 1), False),
        ("ports_include", ["20-25"], (25, 30), True),
        ("ports_include", ["20-25"], (26, 30), False),
        ("ports_include", [], (0, 65535), False),
        ("ports_within", ["20-25"], (20, 25), True),
        ("ports_within", ["20-25"], (20, 26), False),
        ("ports_within", [443, "80-90"], (80, 80), True),
    ],
)
def test_ports(operator: str, operand: Any, value: tuple[int, int], expected: bool) -> None:
    assert judge({"fact": "range", operator: operand}, {"range": value}) is expected


@pytest.mark.parametrize(
    "text",
    ["", "-", "22-", "-22", "25-20", "65536", "1-65536", "２２", "22 ", "0x16", "1e3", True, 2.5, None],
)
def test_what_is_no_port_is_refused(text: Any) -> None:
    assert problems({"fact": "range", "ports_include": [text]}) == [
        f"'{text}' is no port or range of ports (0-65535)"
    ]


def test_a_fact_as_operand_can_be_nonsense_and_leaves_it_open() -> None:
    ports = {"fact": "range", "ports_include": {"fact": "tags"}}
    assert judge(ports, {"range": (22, 22), "tags": ("ssh", "22")}) is True
    assert judge(ports, {"range": (22, 22), "tags": ("ssh", "80")}) is None
    nets = {"fact": "net", "cidr_within": {"fact": "tags"}}
    assert judge(nets, {"net": "10.0.0.1", "tags": ("?", "10.0.0.0/8")}) is True
    assert judge(nets, {"net": "10.0.0.1", "tags": ("?", "11.0.0.0/8")}) is None


def test_null_is_not_missing() -> None:
    default = {"fact": "size", "at_most": {"first_not_null": [{"fact": "limit"}, {"param": "max"}]}}
    assert judge(default, {"size": 9, "limit": None}) is True
    assert judge(default, {"size": 9, "limit": 5}) is False
    assert judge(default, {"size": 9}) is None, "a default replaces a null, never a missing fact"


def test_so_many_times_a_value() -> None:
    """`max` is 10."""
    tenfold = {"fact": "size", "at_most": {"times": [{"fact": "limit"}, {"param": "max"}]}}
    assert judge(tenfold, {"size": 50, "limit": 5}) is True
    assert judge(tenfold, {"size": 51, "limit": 5}) is False
    assert judge(tenfold, {"size": 5, "limit": None}) is None, "nothing is a multiple of null"
    assert judge(tenfold, {"size": 5}) is None
    assert judge(tenfold, {"size": 50, "limit": AtLeast(5)}) is True
    assert judge(tenfold, {"size": 51, "limit": AtMost(5)}) is False
    assert judge(tenfold, {"size": 51, "limit": AtLeast(5)}) is None
    either = {"times": [{"first_not_null": [{"fact": "limit"}, 2]}, {"param": "max"}]}
    assert judge({"fact": "size", "at_most": either}, {"size": 20, "limit": None}) is True
    assert judge({"fact": "size", "at_most": either}, {"size": 21, "limit": None}) is False


@pytest.mark.parametrize(
    ("value", "operator", "operand", "expected"),
    [
        (AtMost(5), "at_most", 6, True), (AtMost(5), "at_most", 4, None), (AtMost(5), "at_least", 6, False),
        (AtMost(5), "at_least", 5, None), (AtMost(5), "less_than", 6, True), (AtMost(5), "more_than", 5, False),
        (AtLeast(5), "at_least", 5, True), (AtLeast(5), "at_least", 6, None), (AtLeast(5), "at_most", 4, False),
        (AtLeast(5), "more_than", 4, True), (AtLeast(5), "equals", 4, False), (AtLeast(5), "equals", 6, None),
        (AtMost(5), "not_equals", 6, True), (AtMost(5), "in", [6, 7], False), (AtMost(5), "in", [5, 7], None),
        (AtMost(5), "not_in", [6, 7], True), (AtLeast(5), "not_in", [6], None), (AtLeast(5), "is_null", True, False),
    ],
)  # fmt: skip
def test_bounds_judge_what_is_certain(
    value: Value, operator: str, operand: int, expected: bool | None
) -> None:
    assert judge({"fact": "size", operator: operand}, {"size": value}) is expected


@pytest.mark.parametrize(
    ("value", "operator", "operand", "expected"),
    [
        (3, "at_most", AtLeast(3), True), (4, "at_most", AtLeast(3), None), (4, "at_most", AtMost(3), False),
        (3, "at_least", AtMost(3), True), (3, "less_than", AtLeast(4), True), (3, "more_than", AtMost(3), None),
        (AtMost(3), "at_most", AtLeast(3), True), (AtMost(3), "at_least", AtLeast(4), False),
        (AtMost(3), "at_most", AtMost(3), None), (3, "equals", AtMost(2), False), (3, "equals", AtMost(3), None),
        (AtMost(3), "equals", AtLeast(4), False), (AtMost(3), "equals", None, False), (3, "at_most", None, None),
    ],
)  # fmt: skip
def test_an_operand_can_be_a_bound_too(
    value: Value, operator: str, operand: Value, expected: bool | None
) -> None:
    assert judge({"fact": "size", operator: {"fact": "limit"}}, {"size": value, "limit": operand}) is expected


@pytest.mark.parametrize(
    ("condition", "moment", "expected"),
    [
        ({"age_at_most": "P1D"}, AtLeast(NOW - 10), True), ({"age_at_most": "P1D"}, AtMost(NOW - 10), None),
        ({"age_at_most": "P1D"}, AtMost(NOW - 90_000), False), ({"age_at_least": "P1D"}, AtMost(NOW - 90_000), True),
        ({"in_future": True}, AtLeast(NOW + 1), True), ({"in_future": False}, AtMost(NOW), True),
        ({"in_future": True}, AtMost(NOW + 1), None), ({"due_within": "P1D"}, AtMost(NOW + 9), True),
        ({"age_at_most_calendar": "P1M"}, AtLeast(NOW), True), ({"age_at_most_calendar": "P1M"}, AtMost(NOW), None),
        ({"age_at_most_calendar": "P1M"}, AtMost(0), False),
    ],
)  # fmt: skip
def test_moments_can_be_bounds(condition: Any, moment: Value, expected: bool | None) -> None:
    assert judge({"fact": "born", **condition}, {"born": moment}) is expected


BOUNDS = st.sampled_from([int, AtMost, AtLeast])


@given(
    BOUNDS, st.integers(0, 6), BOUNDS, st.integers(0, 6),
    st.sampled_from(["at_most", "less_than", "at_least", "more_than", "equals", "not_equals"]),
)  # fmt: skip
def test_bounds_say_what_holds_of_every_number_they_allow(
    left: Any, value: int, right: Any, operand: int, operator: str
) -> None:
    def meant(bound: Any) -> list[int]:
        limit = bound if isinstance(bound, int) else bound.limit
        lowest = -9 if isinstance(bound, AtMost) else limit
        return list(range(lowest, (15 if isinstance(bound, AtLeast) else limit) + 1))

    mine, theirs = left(value), right(operand)
    answers = {OPERATORS[operator].apply(a, b) for a in meant(mine) for b in meant(theirs)}
    found = OPERATORS[operator].apply(mine, theirs)
    assert found is (answers.pop() if len(answers) == 1 else None)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"fact": "tags", "contains": "a"}, True),
        ({"fact": "tags", "contains": "z"}, None),
        ({"fact": "tags", "subset_of": ["b"]}, False),
        ({"fact": "word", "in": {"fact": "tags"}}, True),
        ({"fact": "note", "in": {"fact": "tags"}}, None),
        ({"fact": "note", "not_in": {"fact": "tags"}}, None),
        ({"fact": "note", "prefix": {"fact": "tags"}, "if_null": True}, None),
        ({"fact": "net", "cidr_within": {"fact": "tags"}}, None),
        ({"fact": "tags", "subset_of": ["a"]}, None),
        ({"fact": "tags", "any": {"item": "value", "equals": "z"}}, None),
        ({"fact": "tags", "all": {"item": "value", "equals": "z"}, "if_empty": True}, False),
        ({"fact": "tags", "all": {"item": "value", "equals": "a"}, "if_empty": True}, None),
        ({"fact": "tags", "count": {"at_least": 1}}, True),
        ({"fact": "tags", "count": {"at_most": 1}}, None),
        ({"fact": "tags", "count": {"at_most": 0}}, False),
    ],
)
def test_lists_known_in_part(condition: Any, expected: bool | None) -> None:
    facts = {"tags": Partial(("a",)), "word": "a", "note": "b", "net": "10.0.0.1"}
    assert judge(condition, facts) is expected


@pytest.mark.parametrize("number", [1, 64, 65, 100, 500])
def test_a_count_with_doubtful_elements_is_known_between_its_ends(number: int) -> None:
    rows = tuple({"n": 1, "s": "?"} for _ in range(number))
    doubtful = tuple({"n": 1} for _ in range(number))

    def count(values: Value, **bound: int) -> bool | None:
        return judge(
            {"fact": "rows", "count": {"that": {"item": "s", "equals": "?"}, **bound}}, {"rows": values}
        )

    assert count(rows, equals=number) is True
    assert count(doubtful, at_most=number) is True
    assert count(doubtful, at_most=number - 1) is None
    assert count(doubtful, at_least=number) is None
    assert count(doubtful, at_least=number + 1) is False
    assert count(doubtful, equals=number) is None
    assert count(doubtful, equals=number + 1) is False
    assert count(doubtful, at_least=0, at_most=number) is True
    assert count((*rows, *doubtful), at_most=number - 1) is False


@given(st.lists(st.sampled_from([True, False, None]), max_size=5), st.booleans(), st.integers(0, 6))
def test_a_count_says_what_holds_however_the_doubt_ends(
    answers: list[bool | None], is_open: bool, limit: int
) -> None:
    """Doubtful elements may turn out either way; of a list known in part there may be any number more."""
    items = tuple({} if answer is None else {"n": int(answer)} for answer in answers)
    value = Partial(items) if is_open else items
    least = answers.count(True)
    ends = range(least, 20 if is_open else least + answers.count(None) + 1)
    for bound, holds in (("at_least", int.__ge__), ("at_most", int.__le__), ("equals", int.__eq__)):
        possible = {holds(n, limit) for n in ends}
        found = judge(
            {"fact": "rows", "count": {"that": {"item": "n", "equals": 1}, bound: limit}}, {"rows": value}
        )
        assert found is (possible.pop() if len(possible) == 1 else None)


# --- related resources -------------------------------------------------------------------------------

ANY_VALID = {
    "related": "paper",
    "where": {"fact": "kind", "equals": "plan"},
    "any": {"fact": "state", "equals": "valid"},
}
NONE_VALID = {"related": "paper", "none": {"fact": "state", "equals": "valid"}, "if_empty": True}


def test_related() -> None:
    valid, lapsed, unread = (
        {"kind": "plan", "state": "valid"},
        {"kind": "plan", "state": "expired"},
        {"kind": "plan"},
    )
    assert judge(ANY_VALID, {}, Papers(lapsed, valid)) is True
    assert judge(ANY_VALID, {}, Papers(lapsed)) is False
    assert judge(ANY_VALID, {}, Papers()) is False
    assert judge(ANY_VALID, {}, Papers(lapsed, unread)) is None
    assert judge(ANY_VALID, {}, Papers(valid, unread)) is True
    assert judge(ANY_VALID, {}, Papers(lapsed, whole=False)) is None
    assert judge(ANY_VALID, {}, Papers(valid, whole=False)) is True
    assert judge(NONE_VALID, {}, Papers(lapsed)) is True
    assert judge(NONE_VALID, {}, Papers(lapsed, whole=False)) is None
    assert judge(NONE_VALID, {}, Papers(valid, whole=False)) is False


def test_related_counts_and_existence() -> None:
    two = {"related": "paper", "count": {"at_least": 2}}
    assert judge(two, {}, Papers({"kind": "a"}, {"kind": "b"})) is True
    assert judge(two, {}, Papers({"kind": "a"})) is False
    assert judge(two, {}, Papers({"kind": "a"}, whole=False)) is None
    absent = {"related": "paper", "where": {"fact": "kind", "equals": "a"}, "exists": False}
    assert judge(absent, {}, Papers({"kind": "b"})) is True
    assert judge(absent, {}, Papers(whole=False)) is None


def test_related_joins_and_sees_the_judged_resource() -> None:
    joined = {
        "related": "paper",
        "on": {"owner": "word"},
        "any": {"fact": "kind", "equals": {"outer": "note"}},
    }
    world = Papers({"owner": "x", "kind": "k"}, {"owner": "y", "kind": "z"})
    assert judge(joined, {"word": "x", "note": "k"}, world) is True
    assert judge(joined, {"word": "y", "note": "k"}, world) is False
    assert judge(joined, {"note": "k"}, world) is None


def test_a_bound_of_a_count_is_ours() -> None:
    enough = {"related": "paper", "count": {"at_least": {"fact": "limit"}}}
    check = compiled(enough)
    assert (check.reads, check.related_reads) == ({"limit"}, set())
    assert judge(enough, {"limit": 1}, Papers({"kind": "a"})) is True
    assert judge(enough, {"limit": 2}, Papers({"kind": "a"})) is False
    assert judge(enough, {}, Papers({"kind": "a"})) is None


def test_all_related_where_it_is_doubtful_whom_it_concerns() -> None:
    def all_valid(empty: bool | str) -> Any:
        return {
            "related": "paper",
            "where": {"fact": "kind", "equals": "plan"},
            "all": {"fact": "state", "equals": "valid"},
            "if_empty": empty,
        }

    perhaps, plan = {"state": "valid"}, {"kind": "plan", "state": "valid"}
    for empty, alone in ((True, True), (False, None), ("unknown", None)):
        assert judge(all_valid(empty), {}, Papers(perhaps)) is alone
        assert judge(all_valid(empty), {}, Papers(perhaps, plan)) is True
        assert judge(all_valid(empty), {}, Papers(plan, {"state": "expired"})) is None
        assert judge(all_valid(empty), {}, Papers(plan, {"kind": "x", "state": "expired"})) is True
        assert judge(all_valid(empty), {}, Papers(plan, {"kind": "plan", "state": "expired"})) is False


def test_a_join_on_a_fact_that_is_only_bounded_finds_nobody_and_knows_it() -> None:
    joined = {"related": "paper", "on": {"owner": "note"}, "exists": True}
    assert judge(joined, {"note": None}, Papers({"owner": None})) is True, "null equals null"
    assert judge(joined, {"note": "x"}, Papers({"owner": None})) is False
    assert compiled(joined).joins == {Join("paper", (("owner", "note"),))}


def test_a_join_can_go_over_an_entry_of_a_map() -> None:
    joined = {"related": "paper", "on": {"owner": "labels.owner"}, "exists": True}
    assert judge(joined, {"labels": {"owner": "x"}}, Papers({"owner": "x"})) is True
    assert judge(joined, {"labels": {"owner": "x"}}, Papers({"owner": "y"})) is False
    assert judge(joined, {}, Papers({"owner": "y"})) is None


# --- evidence ----------------------------------------------------------------------------------------


def told(condition: Any, facts: Mapping[str, Value], world: Papers | None = None, **unseen: Unseen) -> Any:
    """The readings of an explanation, as (fact, value) or with the reason why it is missing."""
    subject = resource("thing", facts)
    subject = Resource(subject.type, subject.id, subject.scope, NOW, subject.facts, unseen=unseen)
    readings = compiled(condition).explain(subject, Frame(world or Papers())).readings
    return [(r.resource.id, r.fact, r.value, *([r.unseen.reason] if r.unseen else [])) for r in readings]


def test_evidence_is_what_decided() -> None:
    either = {"any_of": [{"fact": "size", "at_most": 1}, {"fact": "word", "equals": "a"}]}
    assert told(either, {"size": 5, "word": "a"}) == [("it", "word", "a")]
    assert told(either, {"size": 5, "word": "b"}) == [("it", "size", 5), ("it", "word", "b")]
    assert told(either, {"size": 5}) == [("it", "word", MISSING)]
    twice = {"all_of": [{"fact": "size", "at_least": 1}, {"fact": "size", "at_most": 9}]}
    assert told(twice, {"size": 5}) == [("it", "size", 5)]
    some = {"fact": "rows", "any": {"item": "n", "equals": 2}}
    assert told(some, {"rows": ({"n": 1}, {"n": 2}, {"n": 3})}) == [("it", "rows", ({"n": 2},))]
    outside = {
        "fact": "rows",
        "any": {"all_of": [{"item": "n", "equals": 2}, {"fact": "on", "equals": True}]},
    }
    assert told(outside, {"rows": ({"n": 2},), "on": True}) == [
        ("it", "rows", ({"n": 2},)),
        ("it", "on", True),
    ]
    assert told({"param": "words", "count": {"at_least": 1}}, {}) == []


def test_evidence_of_the_unknown_has_the_reason() -> None:
    gap = Unseen(Reason.NO_PERMISSION, "403")
    assert told({"fact": "size", "at_most": 3}, {}, size=gap) == [
        ("it", "size", MISSING, Reason.NO_PERMISSION)
    ]
    # Facts known in part keep the reason of the part that is not.
    assert told({"fact": "size", "at_most": 3}, {"size": AtMost(9)}, size=gap) == [
        ("it", "size", AtMost(9), Reason.NO_PERMISSION)
    ]
    seen = Partial(("a",))
    assert told({"fact": "tags", "any": {"item": "value", "equals": "b"}}, {"tags": seen}, tags=gap) == [
        ("it", "tags", Partial(("a",)), Reason.NO_PERMISSION)
    ]
    assert told({"fact": "size", "at_most": 3}, {"size": 2}, size=gap) == [("it", "size", 2)]


def test_evidence_from_related_resources() -> None:
    valid, lapsed, other = (
        {"kind": "plan", "state": "valid"},
        {"kind": "plan", "state": "expired"},
        {"kind": "dossier", "state": "valid"},
    )
    assert told(ANY_VALID, {}, Papers(other, valid, lapsed)) == [
        ("paper-1", "kind", "plan"), ("paper-1", "state", "valid"),
    ]  # fmt: skip
    assert told(ANY_VALID, {}, Papers(other, lapsed)) == [
        ("it", "related.paper", ("paper-1",)), ("paper-1", "state", "expired"),
    ]  # fmt: skip
    assert told(ANY_VALID, {}, Papers(other)) == [("it", "related.paper", ())]
    assert told(ANY_VALID, {}, Papers(other, whole=False)) == [
        ("it", "related.paper", Partial(()), Reason.REGISTER_MISSING)
    ]
    assert told(NONE_VALID, {}, Papers(valid)) == [("paper-0", "state", "valid")]
    joined = {
        "related": "paper",
        "on": {"owner": "word"},
        "count": {"at_least": {"fact": "limit"}},
    }
    assert told(joined, {"word": "x", "limit": 2}, Papers({"owner": "x"})) == [
        ("it", "word", "x"), ("it", "related.paper", ("paper-0",)), ("it", "limit", 2),
    ]  # fmt: skip
    mine = {
        "related": "paper",
        "where": {"fact": "owner", "equals": {"outer": "word"}},
        "all": {"fact": "state", "equals": "valid"},
        "if_empty": False,
    }
    assert told(mine, {"word": "x"}, Papers({"owner": "y", "state": "valid"})) == [
        ("it", "word", "x"), ("it", "related.paper", ()),
    ]  # fmt: skip
    assert told(mine, {"word": "y"}, Papers({"owner": "y", "state": "x"})) == [
        ("paper-0", "owner", "y"), ("it", "word", "y"), ("paper-0", "state", "x"),
    ]  # fmt: skip
    ours = {"related": "paper", "any": {"fact": "kind", "equals": {"outer": "note"}}}
    assert told(ours, {"note": "k"}, Papers({"kind": "k"})) == [("paper-0", "kind", "k"), ("it", "note", "k")]


# --- algebra -----------------------------------------------------------------------------------------

WORDS = st.sampled_from(["a", "b", "open"])
FULL = st.fixed_dictionaries(
    {
        "on": st.booleans(),
        "size": st.integers(0, 4),
        "limit": st.none() | st.integers(0, 4),
        "word": WORDS,
        "note": st.none() | WORDS,
        "tags": st.lists(WORDS, max_size=3).map(tuple),
        "rows": st.lists(
            st.fixed_dictionaries({"n": st.integers(0, 3), "s": st.none() | WORDS}), max_size=3
        ).map(tuple),
    }
)
TERNARY = st.sampled_from([True, False, "unknown"])
ABOUT_PAPERS = st.one_of(
    st.builds(lambda f, v: {"fact": f, "equals": v}, st.sampled_from(["kind", "state"]), WORDS),
    st.builds(lambda f: {"fact": f, "equals": {"outer": "word"}}, st.sampled_from(["kind", "state"])),
    st.just({"outer": "on", "equals": True}),
)
LEAF = st.one_of(
    st.builds(lambda v: {"fact": "on", "equals": v}, st.booleans()),
    st.builds(lambda o, v: {"fact": "size", o: v}, st.sampled_from(["at_most", "at_least", "equals"]), st.integers(0, 4)),
    st.builds(lambda n: {"fact": "limit", "at_most": 2, "if_null": n}, TERNARY),
    st.builds(lambda v: {"fact": "word", "in": v}, st.lists(WORDS, min_size=1)),
    st.builds(lambda v: {"fact": "tags", "contains_all": v}, st.lists(WORDS)),
    st.builds(lambda v: {"fact": "tags", "subset_of": v}, st.lists(WORDS)),
    st.builds(
        lambda q, e, v: {"fact": "rows", q: {"item": "n", "at_least": v}, **({} if q == "any" else {"if_empty": e})},
        st.sampled_from(["any", "all", "none"]), TERNARY, st.integers(0, 3),
    ),
    st.builds(lambda k, v: {"fact": "tags", "count": {k: v}}, st.sampled_from(["at_least", "at_most"]), st.integers(0, 3)),
    st.just({"fact": "size", "at_most": {"fact": "limit"}}),
    st.builds(lambda v, w: {"related": "paper", "where": v, "any": w}, ABOUT_PAPERS, ABOUT_PAPERS),
    st.builds(
        lambda q, e, v, w: {"related": "paper", "where": v, q: w, "if_empty": e},
        st.sampled_from(["all", "none"]), TERNARY, ABOUT_PAPERS, ABOUT_PAPERS,
    ),
    st.builds(
        lambda k, v, w: {"related": "paper", "on": {"owner": "word"}, "where": w, "count": {k: v}},
        st.sampled_from(["at_least", "at_most", "equals"]), st.integers(0, 2), ABOUT_PAPERS,
    ),
)  # fmt: skip
CONDITION = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all_of": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any_of": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=6,
)


PAPERS = st.lists(st.fixed_dictionaries({"kind": WORDS, "state": WORDS, "owner": WORDS}), max_size=3)


@st.composite
def less_known(draw: st.DrawFn, facts: dict[str, Value]) -> dict[str, Value]:
    """The same facts as they look to somebody who saw less of them."""
    known = draw(st.sets(st.sampled_from(sorted(facts))))
    partly = {name: value for name, value in facts.items() if name in known}
    for name, value in partly.items():
        if isinstance(value, tuple) and draw(st.booleans()):
            partly[name] = Partial(value[: draw(st.integers(0, len(value)))])
        elif name in ("size", "limit") and isinstance(value, int) and draw(st.booleans()):
            bound = draw(st.sampled_from([AtMost, AtLeast]))
            more = draw(st.integers(0, 2))
            partly[name] = bound(value + more if bound is AtMost else value - more)
    return partly


@given(CONDITION, FULL, PAPERS, st.data())
def test_learning_more_never_overturns_a_verdict(
    condition: Any, full: dict[str, Value], papers: list[dict[str, Value]], data: st.DataObject
) -> None:
    check = compiled(condition)
    left = [p for p in papers if data.draw(st.booleans())]
    world = Papers(
        *(data.draw(less_known(p)) for p in left), whole=left == papers and data.draw(st.booleans())
    )
    before = check.judge({AT: NOW, **data.draw(less_known(full))}, Frame(world))
    assert before in (None, check.judge({AT: NOW, **full}, Frame(Papers(*papers))))


@given(FULL, st.data())
def test_a_literal_is_judged_like_an_operand_that_is_looked_up(
    full: dict[str, Value], data: st.DataObject
) -> None:
    """What is certain takes a shortcut past the general way; both say the same."""
    facts = {
        AT: NOW,
        **data.draw(less_known(full | {"born": NOW - full["size"], "labels": {"a": full["word"]}})),
    }
    for fact, operators, operand in (
        (
            "size",
            ("equals", "not_equals", "at_most", "less_than", "at_least", "more_than"),
            data.draw(st.integers(0, 4)),
        ),
        ("limit", ("equals", "not_equals"), data.draw(st.none() | st.integers(0, 4))),
        ("word", ("equals", "not_equals"), data.draw(WORDS)),
        ("on", ("equals",), data.draw(st.booleans())),
        ("labels.a", ("equals", "not_equals"), data.draw(WORDS)),
        ("size", ("in", "not_in"), data.draw(st.lists(st.integers(0, 4)))),
        ("born", ("age_at_most", "age_at_least", "due_within"), "PT2S"),
    ):
        for operator in operators:
            quick = compiled({"fact": fact, operator: operand})
            slow = compiled({"fact": fact, operator: {"first_not_null": [operand]}})
            assert quick.judge(facts, Frame(Papers())) is slow.judge(facts, Frame(Papers())), (fact, operator)


@given(CONDITION, FULL, PAPERS, st.data())
def test_evidence_alone_decides_the_same(
    condition: Any, full: dict[str, Value], papers: list[dict[str, Value]], data: st.DataObject
) -> None:
    check, frame = compiled(condition), Frame(Papers(*papers))
    known = data.draw(st.sets(st.sampled_from(sorted(full))))
    subject = resource("thing", {name: full[name] for name in known})
    told = check.explain(subject, frame)
    assert told.value is check.judge(subject.facts, frame)
    if told.value is None:
        open_values = [r.value for r in told.readings if r.value in (MISSING, None)]
        assert open_values or "unknown" in str(condition)
    else:
        mine = [r.fact for r in told.readings if r.resource is subject and not r.fact.startswith("related.")]
        only = {fact: subject.facts[fact] for fact in mine if fact in subject.facts}
        # A count that holds of any number stands even where it is not known whom to count.
        assert MISSING not in [r.value for r in told.readings] or "owner" in str(condition)
        assert check.judge({AT: NOW, **only}, frame) is told.value


@given(FULL, st.integers(0, 3))
def test_all_and_any_are_dual(full: dict[str, Value], floor: int) -> None:
    row = {"item": "n", "at_least": floor}
    every = {"fact": "rows", "all": row, "if_empty": True}
    some = {"not": {"fact": "rows", "any": {"not": row}}}
    assert judge(every, full) is judge(some, full)


@given(st.text(alphabet="ab*?", max_size=8), st.text(alphabet="ab", max_size=8))
def test_glob_agrees_with_its_definition(pattern: str, text: str) -> None:
    def fits(p: str, t: str) -> bool:
        if not p:
            return not t
        if p[0] == "*":
            return fits(p[1:], t) or (bool(t) and fits(p, t[1:]))
        return bool(t) and p[0] in ("?", t[0]) and fits(p[1:], t[1:])

    assert glob_match(pattern, text) is fits(pattern, text)


def test_a_hostile_glob_takes_no_time() -> None:
    assert glob_match("*a" * 200 + "b", "a" * 2000) is False
    assert glob_match("*a?" * 50 + "b", "a" * 2000) is False
    assert glob_match("?" * 10_000, "a" * 10_000) is True


# --- what compiling refuses --------------------------------------------------------------------------

REFUSED = [
    ({"fact": "sise", "equals": 1}, "thing has no fact 'sise'; did you mean 'size'?"),
    ({"fact": "size", "at_moast": 1}, "'at_moast' does not belong here; did you mean 'at_most'?"),
    ({"fact": "size"}, "one operator is needed beside 'fact: size', found none; for example equals, in, at_most"),
    ({"fact": "size", "at_most": {"param": "mx"}}, "unknown parameter 'mx'; did you mean 'max'?"),
    ({"fact": "size", "at_most": "5"}, "a number is expected, found the text '5'"),
    ({"fact": "age", "at_most": "P1M", "if_null": True},
     "'P1M' has months or years, which differ in length; write days, as in P365D"),
    ({"fact": "limit", "at_most": 5}, "'limit' can be null: say what 'at_most' gives then; add if_null: true, false or unknown"),
    ({"fact": "tags", "all": {"item": "value", "equals": "a"}},
     "say what 'all' gives on an empty list; add if_empty: true, false or unknown"),
    ({"fact": "word", "at_most": 5},
     "'at_most' does not fit word, which is a string (it takes duration, integer, number, time); "
     "a fact of type string takes equals, not_equals, in, not_in, is_null, version_at_least, glob, prefix, suffix, contains_text"),
    ({"fact": "size", "equals": {"fact": "word"}}, "'word' is of type string, 'size' of type integer: they cannot be compared"),
    ({"al_of": []}, "unknown condition 'al_of'; did you mean 'all_of'?"),
    ({"all_of": []}, "all_of takes a list of one condition or more"),
    ("on", "a condition is a mapping, found the text 'on'; write {fact: name, operator: value}, or all_of: [...]"),
    ({"item": "n", "equals": 1}, "'item' has a meaning only inside any, all, none or count of a list"),
    ({"outer": "on", "equals": True}, "'outer' has a meaning only inside related; write fact:"),
    ({"related": "papr", "exists": True}, "unknown resource type 'papr'; did you mean 'paper'?"),
    ({"related": "paper", "none": {"fact": "kind", "equals": "a"}},
     "say what 'none' gives when nothing is related; add if_empty: true, false or unknown"),
    ({"fact": "size", "equals": None}, "'size' is never null"),
    ({"fact": "size", "at_most": None}, "'size' is never null"),
    ({"fact": "note", "equals": "x", "if_null": True}, "'equals' compares with null as with any value: leave if_null out"),
    ({"fact": "note", "in": ["x"], "if_null": "unknown"}, "'in' compares with null as with any value: leave if_null out"),
    ({"fact": "note", "is_null": True, "if_null": False}, "'is_null' compares with null as with any value: leave if_null out"),
    ({"fact": "word", "prefix": "a", "if_empty": True}, "if_empty says nothing beside 'prefix': leave it out"),
    ({"fact": "tags", "count": {"at_least": 1}, "if_empty": True}, "if_empty says nothing beside 'count': leave it out"),
    ({"fact": "tags", "contains": "a", "if_empty": True}, "if_empty says nothing beside 'contains': leave it out"),
    ({"fact": "tags", "any": {"item": "value", "equals": "a"}, "if_empty": True},
     "if_empty says nothing beside 'any': leave it out"),
    ({"related": "paper", "exists": True, "if_empty": True}, "if_empty says nothing beside 'exists': leave it out"),
    ({"related": "paper", "any": {"fact": "kind", "equals": "a"}, "if_empty": True},
     "if_empty says nothing beside 'any': leave it out"),
    ({"related": "paper", "count": {"at_least": 1}, "if_empty": True}, "if_empty says nothing beside 'count': leave it out"),
    ({"fact": "limit", "at_most": 5, "if_null": "maybe"}, "if_null is true, false or unknown, found the text 'maybe'"),
    ({"fact": "limit", "at_most": 5, "if_null": 1}, "if_null is true, false or unknown, found the number 1"),
    ({"fact": "rows", "contains": "a"},
     "'contains' does not fit rows, whose elements are of type record; use any, all, none or count"),
    ({"fact": "rows", "subset_of": []},
     "'subset_of' does not fit rows, whose elements are of type record; use any, all, none or count"),
    ({"related": "paper", "on": {"owner": "tags"}, "exists": True},
     "'owner' is of type string, 'tags' of type list of string: they never join; join two single values of one type"),
    ({"related": "paper", "on": {"owner": "size"}, "exists": True},
     "'owner' is of type string, 'size' of type integer: they never join; join two single values of one type"),
    ({"related": "paper", "on": {"ownr": "word"}, "exists": True}, "paper has no fact 'ownr'; did you mean 'owner'?"),
    ({"related": "paper", "on": {"owner": "wrod"}, "exists": True}, "thing has no fact 'wrod'; did you mean 'word'?"),
    ({"related": "paper", "on": ["owner"], "exists": True}, "on takes a mapping of their fact to our fact"),
    ({"related": "paper", "count": {"at_least": {"outer": "size"}}}, "'outer' has a meaning only inside related; write fact:"),
    ({"related": "paper", "count": {}}, "count needs at_least, at_most or equals"),
    ({"related": "paper", "count": 2}, "count takes a mapping; for example count: {at_least: 2}"),
    ({"related": "paper", "exists": "yes"}, "exists is true or false"),
    ({"related": "paper"}, "related needs one of any, all, none, count, exists"),
    ({"related": "paper", "any": {"related": "thing", "exists": True}},
     "related cannot stand inside related; derive a fact instead"),
    ({"fact": "range", "ports_include": {"param": "words"}}, "'a' is no port or range of ports (0-65535)"),
    ({"fact": "born", "age_at_most_calendar": {"param": "max"}},
     "'max' is of type integer, 'born' of type calendar duration, which is written out: they cannot be compared"),
    ({"fact": "born", "age_at_most_calendar": "PT1H"}, "'PT1H' is no calendar duration; write it as in P12M or P1Y"),
    ({"fact": "size", "at_most": float("inf")}, "a number is expected, found the number inf"),
    ({"fact": "size", "at_most": float("nan")}, "a number is expected, found the number nan"),
    ({"fact": "size", "at_most": 1.5}, "a whole number is expected, found 1.5"),
    ({"fact": "size", "at_most": True}, "a number is expected, found true"),
    ({"fact": "on", "equals": "yes"}, "true or false is expected, found 'yes'"),
    ({"fact": "word", "in": "a"}, "a list is expected, found the text 'a'"),
    ({"fact": "word", "equals": {"parm": "x"}}, "unknown operand 'parm'; did you mean 'param'?"),
    ({"fact": "size", "at_most": {"first_not_null": []}}, "first_not_null takes a list of operands"),
    ({"fact": "size", "at_most": {"times": [5]}}, "times takes two operands: what is multiplied, and {param: …}"),
    ({"fact": "size", "at_most": {"times": [5, 2]}}, "the factor is a parameter: {param: …}"),
    ({"fact": "size", "at_most": {"times": [5, {"param": "words"}]}}, "'words' is no number"),
    ({"fact": "born", "in_future": {"times": [True, {"param": "max"}]}},
     "'born' is compared with nothing that can be multiplied"),
    ({"fact": "word", "equals": {"times": ["a", {"param": "max"}]}},
     "'word' is compared with nothing that can be multiplied"),
    ({"fact": "tags", "any": {"item": "n", "equals": 1}}, "the elements of this list are no records; write item: value"),
    ({"fact": "rows", "any": {"item": "m", "equals": 1}}, "the elements have no field 'm'"),
    ({"fact": 3, "equals": 1}, "'fact' takes a name, found the number 3"),
    ({1: "x"}, "unknown condition '1'; start with one of all_of, any_of, not, fact, item, outer, param, related"),
    ({}, "unknown condition ''; start with one of all_of, any_of, not, fact, item, outer, param, related"),
    ({"not": {"fact": "on", "equals": True}, "any_of": []}, "a condition has one head, found any_of, not; wrap them in all_of: [...]"),
    ({"fact": "word", "equals": "x" * 90, "at_most": 1}, "one operator is needed beside 'fact: word', found equals, at_most"),
    ({"fact": "range", "ports_include": [70000]}, "'70000' is no port or range of ports (0-65535)"),
    ({"fact": "net", "cidr_within": ["10.0.0.0/33"]}, "'10.0.0.0/33' is no IP address or network"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "message"), REFUSED, ids=[m[:50] for _, m in REFUSED])
def test_mistakes_are_refused_with_what_to_do(condition: Any, message: str) -> None:
    assert problems(condition) == [message]


def test_numbers_of_any_length_are_read() -> None:
    assert judge({"fact": "size", "at_most": 10**400}, {"size": 5}) is True
    assert judge({"fact": "size", "at_most": 5.0}, {"size": 5}) is True


def test_depth_is_bounded() -> None:
    condition: Any = {"fact": "on", "equals": True}
    for _ in range(60):
        condition = {"not": condition}
    assert problems(condition) == ["the condition is nested more than 24 deep"]


def test_reads_are_known_before_judging() -> None:
    check = compiled({"all_of": [ANY_VALID, {"fact": "size", "at_most": {"fact": "limit"}}]})
    assert check.reads == {"size", "limit"}
    assert check.related_reads == {("paper", "kind"), ("paper", "state")}
