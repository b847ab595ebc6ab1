"""Operators of the control language on plain values, and how texts people write become values.

Each operator takes a fact's value and an operand and gives True, False or None for unknown. Values
known from one side only (AtMost, AtLeast) and lists known in part (Partial) are judged by what is
certain. `predicate` builds conditions from these; derivations use the matchers.
"""

from __future__ import annotations

import ipaddress
import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import inf
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final, TypeAlias

from cloudaudit.errors import did_you_mean
from cloudaudit.model import (
    MISSING,
    VIETNAM,
    AtLeast,
    AtMost,
    Facts,
    FactSpec,
    FactType,
    Partial,
    Value,
    parse_calendar,
    parse_duration,
    parse_time,
)

Op: TypeAlias = Callable[[Value, Value], bool | None]

_ORDERED = frozenset({FactType.INTEGER, FactType.NUMBER, FactType.DURATION, FactType.TIME})
_SCALARS = _ORDERED | {FactType.BOOLEAN, FactType.STRING, FactType.ADDRESS}
_NUMBERS = frozenset({int, float})
_UNSURE = frozenset({AtMost, AtLeast, Partial})
"""Kinds of values that are not known for certain."""
CERTAIN: Final = frozenset({bool, int, float, str})
"""Kinds of values that are, and that `Operator.exact` takes."""


KEYS_OF: Final = {"labels": "label_names"}
"""Maps that hold a selection, and the fact that lists all their keys."""


def look_up(facts: Facts, name: str) -> Value:
    """The value of a fact, or of one entry of a map as in `labels.owner`.

    An entry that is not there is null. Of labels only some values are kept: one whose key stands in
    `label_names` all the same is missing.
    """
    if name in facts:
        return facts[name]
    stem, _, key = name.partition(".")
    entries = facts.get(stem, MISSING)
    if not isinstance(entries, Mapping):
        return MISSING
    if key in entries:
        return entries[key]
    keys = facts.get(KEYS_OF.get(stem, ""), ())
    return None if isinstance(keys, tuple) and key not in keys else MISSING


def is_unsure(value: Value) -> bool:
    """Whether a value is missing, or known from one side or in part only."""
    return value is MISSING or value.__class__ in _UNSURE


# --- operators on values: (value, operand) -> True, False or None ---------------------------------


def number(value: Value) -> float:
    assert isinstance(value, int | float)  # declared so, and checked when the condition was compiled
    return value


def _ends(value: Value) -> tuple[float, float]:
    """Between which numbers a number is known to lie."""
    if isinstance(value, AtMost):
        return -inf, value.limit
    if isinstance(value, AtLeast):
        return value.limit, inf
    return number(value), number(value)


def _ordering(exact: Callable[[float, float], bool]) -> Op:
    """Make a comparison, of the kind "less", that understands numbers known from one side."""

    def op(value: Value, operand: Value) -> bool | None:
        if value.__class__ in _NUMBERS and operand.__class__ in _NUMBERS:
            return exact(value, operand)  # type: ignore[arg-type]  # both are numbers
        (low, high), (least, most) = _ends(value), _ends(operand)
        if exact(high, least):
            return True
        return None if exact(low, most) else False

    return op


_at_most = _ordering(le)
_less_than = _ordering(lt)


def _at_least(value: Value, operand: Value) -> bool | None:
    return _at_most(operand, value)


def _more_than(value: Value, operand: Value) -> bool | None:
    return _less_than(operand, value)


def negate(value: bool | None) -> bool | None:
    """Not, in three values."""
    return None if value is None else not value


def _equals(value: Value, operand: Value) -> bool | None:
    if value.__class__ not in _UNSURE and operand.__class__ not in _UNSURE:
        return value == operand
    if value is None or operand is None:
        return False
    if isinstance(value, Partial) or isinstance(operand, Partial):
        return None
    (low, high), (least, most) = _ends(value), _ends(operand)
    return False if high < least or most < low else None


def _in(value: Value, operand: Value) -> bool | None:
    items = items_of(operand)
    if value.__class__ in _UNSURE:
        found = None if any(_equals(value, item) is None for item in items) else False
    else:
        found = value in items
    return None if found is False and isinstance(operand, Partial) else found


def items_of(value: Value) -> tuple[Value, ...]:
    if isinstance(value, Partial):
        return value.items
    return value if isinstance(value, tuple) else ()


def _is_null(value: Value, operand: Value) -> bool | None:
    return (value is None) is operand


def glob_match(pattern: str, text: str) -> bool:
    """Match `*` and `?` in time bounded by the product of both lengths, without backtracking."""
    first, *rest = pattern.split("*")
    if not rest:
        return len(text) == len(pattern) and _fits_at(pattern, text, 0)
    *middle, last = rest
    end = len(text) - len(last)
    if end < len(first) or not _fits_at(first, text, 0) or not _fits_at(last, text, end):
        return False
    place = len(first)
    for part in middle:
        # The leftmost place leaves the most room for the parts to come.
        place = _find(part, text, place, end)
        if place < 0:
            return False
        place += len(part)
    return True


def _fits_at(part: str, text: str, place: int) -> bool:
    if "?" not in part:
        return text.startswith(part, place)
    return all(c in ("?", text[place + n]) for n, c in enumerate(part))


def _find(part: str, text: str, start: int, end: int) -> int:
    if "?" not in part:
        return text.find(part, start, end)
    places = range(start, end - len(part) + 1)
    return next((place for place in places if _fits_at(part, text, place)), -1)


def _patterns(match: Callable[[str, str], bool]) -> Op:
    def op(value: Value, operand: Value) -> bool | None:
        texts = (operand,) if isinstance(operand, str) else items_of(operand)
        if any(match(str(text), str(value)) for text in texts):
            return True
        return None if isinstance(operand, Partial) else False

    return op


_VERSION = re.compile(r"\d+(?:\.\d+)*", re.ASCII)


def _version(text: Value) -> tuple[int, ...] | None:
    found = _VERSION.search(str(text)[:64])
    return tuple(int(part) for part in found.group().split(".")) if found else None


def _version_at_least(value: Value, operand: Value) -> bool | None:
    mine, floor = _version(value), _version(operand)
    if mine is None or floor is None:
        return None
    width = max(len(mine), len(floor))
    return mine + (0,) * (width - len(mine)) >= floor + (0,) * (width - len(floor))


Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=65536)
def network(text: str) -> Network | None:
    """An address or CIDR text as a network, or None where it is neither. `::ffff:10.0.0.1` is 10.0.0.1."""
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Network) and found.prefixlen >= 96:
        inner = found.network_address.ipv4_mapped
        if inner is not None:
            return ipaddress.IPv4Network((inner, found.prefixlen - 96))
    return found


def _inside(inner: Network, outer: Network) -> bool:
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False


def _cidr(relation: Callable[[Network, Network], bool]) -> Op:
    def op(value: Value, operand: Value) -> bool | None:
        mine = network(str(value))
        texts = (operand,) if isinstance(operand, str) else items_of(operand)
        others = [network(str(text)) for text in texts]
        if mine is None:
            return None
        if any(other is not None and relation(mine, other) for other in others):
            return True
        return None if None in others or isinstance(operand, Partial) else False

    return op


_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)


@lru_cache(maxsize=4096, typed=True)
def port_range(text: Value) -> tuple[int, int]:
    """Read a port or range as people write it, `22` or `"8000-9000"`, as an inclusive pair."""
    found = _PORTS.fullmatch(str(text))
    if found:
        pair = (int(found[1]), int(found[2] or found[1]))
        if pair[0] <= pair[1] <= 65535:
            return pair
    raise ValueError(f"'{text}' is no port or range of ports (0-65535)")


def _ports(relation: Callable[[tuple[int, int], tuple[int, int]], bool]) -> Op:
    def op(value: Value, operand: Value) -> bool | None:
        low, high = items_of(value)
        mine = (int(number(low)), int(number(high)))
        doubt = isinstance(operand, Partial)
        for text in items_of(operand):
            try:
                if relation(mine, port_range(text)):
                    return True
            except ValueError:  # a fact stands as operand, and a cloud can say anything
                doubt = True
        return None if doubt else False

    return op


_ports_include = _ports(lambda mine, other: mine[0] <= other[1] and other[0] <= mine[1])
_ports_within = _ports(lambda mine, other: other[0] <= mine[0] and mine[1] <= other[1])


def _contains_any(value: Value, operand: Value) -> bool | None:
    if set(items_of(value)) & set(items_of(operand)):
        return True
    return None if isinstance(value, Partial) or isinstance(operand, Partial) else False


def _contains_all(value: Value, operand: Value) -> bool | None:
    absent = set(items_of(operand)) - set(items_of(value))
    if absent:
        return None if isinstance(value, Partial) else False
    return None if isinstance(operand, Partial) else True


def _subset_of(value: Value, operand: Value) -> bool | None:
    return _contains_all(operand, value)


def _contains(value: Value, operand: Value) -> bool | None:
    if operand in items_of(value):
        return True
    return None if isinstance(value, Partial) else False


def _since_calendar(value: Value, operand: Value) -> bool | None:
    """Whether a moment lies within so many months and days before the clock, by the calendar of Viet Nam."""
    (moment, now), (months, days) = items_of(value), items_of(operand)
    clock = datetime.fromtimestamp(number(now), VIETNAM)
    year, month = divmod(clock.year * 12 + clock.month - 1 - int(number(months)), 12)
    if year < 1:
        return True
    last_day = monthrange(year, month + 1)[1]
    floor = clock.replace(year=year, month=month + 1, day=min(clock.day, last_day))
    return _at_least(moment, floor.timestamp() - number(days) * 86400)


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: the fact types it takes, how its operand is read, and its function.

    `operand`: same (a value of the fact's type), list (values of it), texts, bool, duration,
    calendar, addresses, ports, element (of a list fact), elements, quantifier or count.
    `strict` operators need `if_null` on a nullable fact.
    """

    types: frozenset[FactType]
    operand: str
    strict: bool
    apply: Op
    clock: Callable[[Value, Value], Value] | None = None
    """Of operators on moments: what they compare, made of the moment and the clock the facts carry."""
    exact: Callable[[Any, Any], bool] | None = None
    """The same for two certain values, without asking what they are."""


def _age(moment: Value, now: Value) -> Value:
    """How long ago; a moment known to be late at the most is known to be old at the least."""
    clock = number(now)
    if moment.__class__ is int:
        return clock - moment
    if isinstance(moment, AtMost):
        return AtLeast(clock - moment.limit)
    if isinstance(moment, AtLeast):
        return AtMost(clock - moment.limit)
    return clock - number(moment)


def _time_left(moment: Value, now: Value) -> Value:
    clock = number(now)
    if isinstance(moment, AtMost | AtLeast):
        return type(moment)(moment.limit - clock)
    return number(moment) - clock


def _in_future(left: Value, wanted: Value) -> bool | None:
    found = _more_than(left, 0)
    return found if wanted else negate(found)


def _moment_and_clock(moment: Value, now: Value) -> Value:
    return (moment, now)


OPERATORS: Final[Mapping[str, Operator]] = {
    "equals": Operator(_SCALARS | {FactType.PORTS}, "same", False, _equals, exact=eq),
    "not_equals": Operator(
        _SCALARS | {FactType.PORTS}, "same", False, lambda v, w: negate(_equals(v, w)), exact=ne
    ),
    "in": Operator(_SCALARS, "list", False, _in, exact=lambda v, w: v in w),
    "not_in": Operator(
        _SCALARS, "list", False, lambda v, w: negate(_in(v, w)), exact=lambda v, w: v not in w
    ),
    "is_null": Operator(frozenset(FactType), "bool", False, _is_null),
    "at_most": Operator(_ORDERED, "same", True, _at_most, exact=le),
    "less_than": Operator(_ORDERED, "same", True, _less_than, exact=lt),
    "at_least": Operator(_ORDERED, "same", True, _at_least, exact=ge),
    "more_than": Operator(_ORDERED, "same", True, _more_than, exact=gt),
    "version_at_least": Operator(frozenset({FactType.STRING}), "same", True, _version_at_least),
    "glob": Operator(frozenset({FactType.STRING}), "texts", True, _patterns(glob_match)),
    "prefix": Operator(frozenset({FactType.STRING}), "texts", True, _patterns(lambda p, v: v.startswith(p))),
    "suffix": Operator(frozenset({FactType.STRING}), "texts", True, _patterns(lambda p, v: v.endswith(p))),
    "contains_text": Operator(frozenset({FactType.STRING}), "texts", True, _patterns(lambda p, v: p in v)),
    "age_at_most": Operator(frozenset({FactType.TIME}), "duration", True, _at_most, _age, le),
    "age_at_least": Operator(frozenset({FactType.TIME}), "duration", True, _at_least, _age, ge),
    "age_at_most_calendar": Operator(
        frozenset({FactType.TIME}), "calendar", True, _since_calendar, _moment_and_clock
    ),
    "in_future": Operator(frozenset({FactType.TIME}), "bool", True, _in_future, _time_left),
    "due_within": Operator(frozenset({FactType.TIME}), "duration", True, _at_most, _time_left, le),
    "cidr_within": Operator(frozenset({FactType.ADDRESS}), "addresses", True, _cidr(_inside)),
    "cidr_contains": Operator(
        frozenset({FactType.ADDRESS}), "addresses", True, _cidr(lambda v, w: _inside(w, v))
    ),
    "cidr_overlaps": Operator(
        frozenset({FactType.ADDRESS}), "addresses", True, _cidr(lambda v, w: _inside(v, w) or _inside(w, v))
    ),
    "ports_include": Operator(frozenset({FactType.PORTS}), "ports", True, _ports_include),
    "ports_within": Operator(frozenset({FactType.PORTS}), "ports", True, _ports_within),
    "contains": Operator(frozenset({FactType.LIST}), "element", True, _contains),
    "contains_any": Operator(frozenset({FactType.LIST}), "elements", True, _contains_any),
    "contains_all": Operator(frozenset({FactType.LIST}), "elements", True, _contains_all),
    "subset_of": Operator(frozenset({FactType.LIST}), "elements", True, _subset_of),
    "any": Operator(frozenset({FactType.LIST}), "quantifier", True, _equals),
    "all": Operator(frozenset({FactType.LIST}), "quantifier", True, _equals),
    "none": Operator(frozenset({FactType.LIST}), "quantifier", True, _equals),
    "count": Operator(frozenset({FactType.LIST}), "count", True, _equals),
}


# --- values as people write them ----------------------------------------------------------------------


def literal(source: Value, spec: FactSpec, kind: str) -> Value:
    """Read a literal operand as a value of the fact's type. ValueError says what was expected."""
    if kind == "bool":
        return _literal_bool(source)
    if kind == "duration":
        return parse_duration(_text(source, "a duration such as PT24H"))
    if kind == "calendar":
        return parse_calendar(_text(source, "a calendar duration such as P12M"))
    if kind in ("list", "texts", "addresses", "ports", "elements"):
        if isinstance(source, list | tuple):
            element = spec.items if kind == "elements" and spec.items else spec
            return tuple(_element(item, element, kind) for item in source)
        if kind in ("texts", "addresses"):
            return _element(source, spec, kind)
        raise ValueError(f"a list is expected, found {kind_of(source)}")
    if kind == "element":
        return scalar(source, spec.items or FactSpec("value", FactType.STRING))
    return scalar(source, spec)


def _element(source: Value, spec: FactSpec, kind: str) -> Value:
    if kind == "texts":
        return _text(source, "a text")
    if kind == "ports":
        port_range(source)
        return source
    if kind == "addresses":
        return scalar(source, _ADDRESS)
    return scalar(source, spec)


_ADDRESS: Final = FactSpec("address", FactType.ADDRESS)


def _literal_bool(source: Value) -> bool:
    if isinstance(source, bool):
        return source
    raise ValueError(f"true or false is expected, found {source!r}")


def _text(source: Value, what: str) -> str:
    if isinstance(source, str):
        return source
    raise ValueError(f"{what} is expected, found {kind_of(source)}")


def scalar(source: Value, spec: FactSpec) -> Value:
    """Read one value as people write it in a file as a value of a declared type. Null stays null."""
    if source is None:
        return None
    match spec.type:
        case FactType.BOOLEAN:
            return _literal_bool(source)
        case FactType.INTEGER | FactType.NUMBER:
            return _number(source, spec.type is FactType.INTEGER)
        case FactType.TIME:
            return parse_time(_text(source, "a time such as 2026-11-22"))
        case FactType.DURATION:
            return parse_duration(_text(source, "a duration such as PT24H"))
        case FactType.ADDRESS:
            found = network(_text(source, "an address or network such as 10.0.0.0/8"))
            if found is None:
                raise ValueError(f"'{source}' is no IP address or network")
            return found.with_prefixlen if "/" in str(source) else str(source)
        case FactType.PORTS:
            return port_range(source if not isinstance(source, list | tuple) else "-".join(map(str, source)))
        case _:
            return _text(source, f"a {spec.type.value}")


def _number(source: Value, whole: bool) -> float:
    if isinstance(source, bool) or not isinstance(source, int | float) or not -inf < source < inf:
        raise ValueError(f"a number is expected, found {kind_of(source)}")
    if whole and source != int(source):
        raise ValueError(f"a whole number is expected, found {source}")
    return int(source) if whole else source


def value_of(source: Value, spec: FactSpec) -> Value:
    """Read a value of any declared type, lists, records and partly known values included."""
    if source is None:
        if not spec.nullable:
            raise ValueError(f"'{spec.name}' is never null")
        return None
    if isinstance(source, Mapping) and len(source) == 1 and spec.type in (_ORDERED | {FactType.LIST}):
        return _known_in_part(source, spec)
    if spec.type is FactType.LIST:
        if not isinstance(source, list | tuple):
            raise ValueError(f"a list is expected for '{spec.name}', found {kind_of(source)}")
        element = spec.items or FactSpec("value", FactType.STRING)
        return tuple(value_of(item, element) for item in source)
    if spec.type is FactType.RECORD:
        if not isinstance(source, Mapping):
            raise ValueError(f"a mapping is expected for '{spec.name}', found {kind_of(source)}")
        for key in source:
            if key not in spec.fields:
                near = did_you_mean(key, spec.fields)
                raise ValueError(f"'{spec.name}' has no field '{key}'" + (f"; {near}" if near else ""))
        return {key: value_of(inner, spec.fields[key]) for key, inner in source.items()}
    if spec.type is FactType.MAP:
        if not isinstance(source, Mapping):
            raise ValueError(f"a mapping is expected for '{spec.name}', found {kind_of(source)}")
        return {str(key): _text(inner, "a text") for key, inner in source.items()}
    return scalar(source, spec)


def _known_in_part(source: Mapping[str, Value], spec: FactSpec) -> Value:
    """Read `{$partial: [...]}`, `{$at_most: 5}` or `{$at_least: PT1H}`."""
    head, inner = next(iter(source.items()))
    if spec.type is FactType.LIST:
        if head == "$partial" and isinstance(inner, list | tuple):
            element = spec.items or FactSpec("value", FactType.STRING)
            return Partial(tuple(value_of(item, element) for item in inner))
        raise ValueError(f"a list, or {{$partial: [...]}}, is expected for '{spec.name}'")
    if head not in ("$at_most", "$at_least"):
        raise ValueError(
            f"'{spec.name}' takes a value of type {spec.type.value}, or $at_most or $at_least of one"
        )
    limit = number(scalar(inner, spec))
    return AtMost(limit) if head == "$at_most" else AtLeast(limit)


def kind_of(value: Value) -> str:
    """Name what was found where something else was expected."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"{str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text '{value if len(value) <= 60 else value[:57] + '...'}'"
        case list() | tuple():
            return "a list"
        case _:
            return "a mapping"
