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
        self.entries, self.join, self.unseen = entries, join, unseen

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


def test_every_operator_has_a_case() -> None:
    used = {key for condition, _, _ in CASES for key in condition}
    assert set(OPERATORS) - used == {"age_at_most_calendar"}


def test_calendar_ages_count_months_not_days() -> None:
    condition = {"fact": "born", "age_at_most_calendar": "P1M"}
    check = compiled(condition)
    march_31 = 1_711_843_200  # 2024-03-31T00:00:00Z
    february_29 = 1_709_164_800  # the last day of that February
    facts = {AT: march_31, "born": february_29}
    assert check.judge(facts, Frame(Papers())) is True
    assert check.judge({**facts, "born": february_29 - 1}, Frame(Papers())) is False


# --- three values ------------------------------------------------------------------------------------

T, F, U = {"fact": "on", "equals": True}, {"fact": "on", "equals": False}, {"fact": "word", "equals": "?"}
KLEENE = [
    ("all_of", [T, T], True), ("all_of", [T, U], None), ("all_of", [F, U], False), ("all_of", [U, F], False),
    ("any_of", [F, F], False), ("any_of", [F, U], None), ("any_of", [T, U], True), ("any_of", [U, T], True),
]  # fmt: skip


@pytest.mark.parametrize(("head", "parts", "expected"), KLEENE)
def test_kleene(head: str, parts: list[Any], expected: bool | None) -> None:
    assert judge({head: parts}, {"on": True}) is expected


def test_null_is_not_missing() -> None:
    default = {"fact": "size", "at_most": {"first_not_null": [{"fact": "limit"}, {"param": "max"}]}}
    assert judge(default, {"size": 9, "limit": None}) is True
    assert judge(default, {"size": 9, "limit": 5}) is False
    assert judge(default, {"size": 9}) is None, "a default replaces a null, never a missing fact"


@pytest.mark.parametrize(
    ("value", "operator", "operand", "expected"),
    [
        (AtMost(5), "at_most", 6, True), (AtMost(5), "at_most", 4, None), (AtMost(5), "at_least", 6, False),
        (AtMost(5), "at_least", 5, None), (AtMost(5), "less_than", 6, True), (AtMost(5), "more_than", 5, False),
        (AtLeast(5), "at_least", 5, True), (AtLeast(5), "at_least", 6, None), (AtLeast(5), "at_most", 4, False),
        (AtLeast(5), "more_than", 4, True), (AtLeast(5), "equals", 4, False), (AtLeast(5), "equals", 6, None),
        (AtMost(5), "not_equals", 6, True),
    ],
)  # fmt: skip
def test_bounds_judge_what_is_certain(
    value: Value, operator: str, operand: int, expected: bool | None
) -> None:
    assert judge({"fact": "size", operator: operand}, {"size": value}) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"fact": "tags", "contains": "a"}, True),
        ({"fact": "tags", "contains": "z"}, None),
        ({"fact": "tags", "subset_of": ["b"]}, False),
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
    assert judge(condition, {"tags": Partial(("a",))}) is expected


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


@given(CONDITION, FULL, st.data())
def test_learning_more_never_overturns_a_verdict(
    condition: Any, full: dict[str, Value], data: st.DataObject
) -> None:
    check, frame = compiled(condition), Frame(Papers())
    known = data.draw(st.sets(st.sampled_from(sorted(full))))
    partly = {name: value for name, value in full.items() if name in known}
    for name in ("tags", "rows"):
        value = partly.get(name)
        if isinstance(value, tuple) and data.draw(st.booleans()):
            partly[name] = Partial(value[: data.draw(st.integers(0, len(value)))])
    before = check.judge({AT: NOW, **partly}, frame)
    assert before in (None, check.judge({AT: NOW, **full}, frame))


@given(CONDITION, FULL, st.data())
def test_evidence_alone_decides_the_same(condition: Any, full: dict[str, Value], data: st.DataObject) -> None:
    check, frame = compiled(condition), Frame(Papers())
    known = data.draw(st.sets(st.sampled_from(sorted(full))))
    subject = resource("thing", {name: full[name] for name in known})
    told = check.explain(subject, frame)
    assert told.value is check.judge(subject.facts, frame)
    if told.value is None:
        assert any(reading.value is MISSING for reading in told.readings) or "unknown" in str(condition)
    else:
        only = {reading.fact: subject.facts[reading.fact] for reading in told.readings}
        assert MISSING not in [reading.value for reading in told.readings]
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
     "a string takes equals, not_equals, in, not_in, is_null, version_at_least, glob, prefix, suffix, contains_text"),
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
    ({"fact": "range", "ports_include": [70000]}, "'70000' is no port or range of ports (0-65535)"),
    ({"fact": "net", "cidr_within": ["10.0.0.0/33"]}, "'10.0.0.0/33' is no IP address or network"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "message"), REFUSED, ids=[m[:50] for _, m in REFUSED])
def test_mistakes_are_refused_with_what_to_do(condition: Any, message: str) -> None:
    assert problems(condition) == [message]


def test_depth_is_bounded() -> None:
    condition: Any = {"fact": "on", "equals": True}
    for _ in range(60):
        condition = {"not": condition}
    assert problems(condition) == ["the condition is nested more than 24 deep"]


def test_reads_are_known_before_judging() -> None:
    check = compiled({"all_of": [ANY_VALID, {"fact": "size", "at_most": {"fact": "limit"}}]})
    assert check.reads == {"size", "limit"}
    assert check.related_reads == {("paper", "kind"), ("paper", "state")}
