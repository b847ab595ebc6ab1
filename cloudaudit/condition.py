"""What a compiled condition is made of: nodes that judge, and that note the facts which decided.

`predicate` builds these from what people write, and refuses mistakes; here everything fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from cloudaudit.model import (
    AT,
    MISSING,
    AtLeast,
    AtMost,
    Explanation,
    Facts,
    FactSpec,
    Frame,
    Join,
    Partial,
    Reading,
    Resource,
    Unseen,
    Value,
)
from cloudaudit.operators import CERTAIN, Op, Operator, is_unsure, items_of, look_up, negate

Test: TypeAlias = Callable[[Facts, Frame], bool | None]
Trace: TypeAlias = Callable[[Facts, Frame, list[Reading]], bool | None]
Get: TypeAlias = Callable[[Facts, Frame], Value]
Note: TypeAlias = Callable[[Facts, Frame, list[Reading]], None]

MAX_SHOWN: Final = 8
"""Related resources whose facts are noted; beyond that, their ids tell."""


@dataclass(frozen=True, slots=True)
class Node:
    """A compiled part: `test` judges, `trace` judges and notes the facts that decided."""

    test: Test
    trace: Trace


@dataclass(frozen=True, slots=True)
class CompiledCheck:
    """A condition ready to judge (the protocol `Check` of the model)."""

    judge: Test
    trace: Trace
    reads: frozenset[str]
    joins: frozenset[Join]
    related_reads: frozenset[tuple[str, str]]

    def explain(self, resource: Resource, frame: Frame) -> Explanation:
        frame.resource = resource
        out: list[Reading] = []
        try:
            value = self.trace(resource.facts, frame, out)
        finally:
            frame.resource = None
        return Explanation(value, distinct(out))


def distinct(readings: Iterable[Reading]) -> tuple[Reading, ...]:
    """The readings in their order, each once. Within one world a resource is one object."""
    seen: dict[tuple[int, str], list[Value]] = {}
    kept = []
    for reading in readings:
        values = seen.setdefault((id(reading.resource), reading.fact), [])
        if reading.value not in values:
            values.append(reading.value)
            kept.append(reading)
    return tuple(kept)


# --- operands -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Operand:
    """A value a condition reads: how, of which type, and how to note it as evidence."""

    get: Get
    spec: FactSpec
    note: Note
    fact: str | None = None
    """The name, if it is a whole fact of the resource in hand."""
    constant: bool = False
    value: Value = None


def _no_note(facts: Facts, frame: Frame, out: list[Reading]) -> None:
    """Literals, parameters and elements of a list are no evidence of their own."""


def literal_operand(value: Value, spec: FactSpec) -> Operand:
    """A value that is known when compiling: one written out, or of a parameter."""
    return Operand(lambda facts, frame: value, spec, _no_note, None, True, value)


def fact_operand(spec: FactSpec, *, entry: bool = False) -> Operand:
    """A fact of the resource in hand, or one entry of a map."""
    name = spec.name
    stem, _, key = name.partition(".")

    def whole(facts: Facts, frame: Frame) -> Value:
        return facts.get(name, MISSING)

    def part(facts: Facts, frame: Frame) -> Value:
        entries = facts.get(stem)
        return entries.get(key) if entries.__class__ is dict else look_up(facts, name)

    get = part if entry else whole

    def note(facts: Facts, frame: Frame, out: list[Reading]) -> None:
        assert frame.resource is not None  # set by explain
        value = get(facts, frame)
        why = frame.resource.why_missing(name) if is_unsure(value) else None
        out.append(Reading(frame.resource, name, value, why))

    return Operand(get, spec, note, None if entry else name)


def outer_operand(spec: FactSpec, *, entry: bool = False) -> Operand:
    """Inside `related`: a fact of the judged resource."""
    inner = fact_operand(spec, entry=entry)

    def note(facts: Facts, frame: Frame, out: list[Reading]) -> None:
        here, frame.resource = frame.resource, frame.outer_resource
        inner.note(frame.outer, frame, out)
        frame.resource = here

    return Operand(lambda facts, frame: inner.get(frame.outer, frame), spec, note)


def element_operand(spec: FactSpec) -> Operand:
    """The element a quantifier is looking at."""
    return Operand(lambda facts, frame: frame.item, spec, _no_note)


def field_operand(spec: FactSpec) -> Operand:
    """A field of the element a quantifier is looking at."""
    name = spec.name

    def get(facts: Facts, frame: Frame) -> Value:
        item = frame.item
        return item.get(name, MISSING) if isinstance(item, Mapping) else MISSING

    return Operand(get, spec, _no_note)


def first_not_null(parts: Sequence[Operand]) -> Operand:
    """The first of several that is not null; a missing one on the way makes it missing."""

    def get(facts: Facts, frame: Frame) -> Value:
        for part in parts:
            value = part.get(facts, frame)
            if value is not None:
                return value
        return None

    def note(facts: Facts, frame: Frame, out: list[Reading]) -> None:
        for part in parts:
            part.note(facts, frame, out)
            if part.get(facts, frame) is not None:
                return

    return Operand(get, parts[0].spec, note)


# --- leaves ---------------------------------------------------------------------------------------


def constant(value: bool | None) -> Node:
    return Node(lambda facts, frame: value, lambda facts, frame, out: value)


def leaf(left: Operand, right: Operand, operator: Operator, if_null: bool | None) -> Node:
    """One operator between two operands."""
    test = _leaf_test(left, right, operator, if_null)

    def trace(facts: Facts, frame: Frame, out: list[Reading]) -> bool | None:
        left.note(facts, frame, out)
        right.note(facts, frame, out)
        return test(facts, frame)

    return Node(test, trace)


def _leaf_test(left: Operand, right: Operand, operator: Operator, if_null: bool | None) -> Test:
    get, other, op, strict, clock = left.get, right.get, operator.apply, operator.strict, operator.clock

    def test(facts: Facts, frame: Frame) -> bool | None:
        value = get(facts, frame)
        if value is MISSING:
            return None
        if value is None and strict:
            return if_null
        operand = other(facts, frame)
        if operand is MISSING or (operand is None and strict):
            return None
        return op(clock(value, facts[AT]) if clock else value, operand)

    if not right.constant or right.value is None or operator.exact is None:
        return test
    if clock is not None:
        return _quick_moment(get, clock, operator.exact, right.value, test)
    if left.fact is not None:
        return _quick_fact(left.fact, operator.exact, right.value, test)
    return _quick_value(get, operator.exact, right.value, test)


# The common cases, a value known for certain against a literal; `test` judges every other one.

Exact: TypeAlias = Callable[[Any, Any], bool]


def _quick_fact(name: str, exact: Exact, operand: Value, test: Test) -> Test:
    def quick(facts: Facts, frame: Frame) -> bool | None:
        value = facts.get(name)
        return exact(value, operand) if value.__class__ in CERTAIN else test(facts, frame)

    return quick


def _quick_value(get: Get, exact: Exact, operand: Value, test: Test) -> Test:
    def quick(facts: Facts, frame: Frame) -> bool | None:
        value = get(facts, frame)
        return exact(value, operand) if value.__class__ in CERTAIN else test(facts, frame)

    return quick


def _quick_moment(
    get: Get, clock: Callable[[Value, Value], Value], exact: Exact, operand: Value, test: Test
) -> Test:
    def quick(facts: Facts, frame: Frame) -> bool | None:
        value = get(facts, frame)
        if value.__class__ in CERTAIN:
            return exact(clock(value, facts[AT]), operand)
        return test(facts, frame)

    return quick


# --- combinations ---------------------------------------------------------------------------------


def combine(nodes: Sequence[Node], *, deciding: bool) -> Node:
    """all_of is decided by a False, any_of by a True; else an unknown part makes it unknown."""
    tests = tuple(node.test for node in nodes)
    traces = tuple(node.trace for node in nodes)

    def test(facts: Facts, frame: Frame) -> bool | None:
        result: bool | None = not deciding
        for part in tests:
            value = part(facts, frame)
            if value is deciding:
                return deciding
            if value is None:
                result = None
        return result

    def trace(facts: Facts, frame: Frame, out: list[Reading]) -> bool | None:
        result: bool | None = not deciding
        decided: list[Reading] = []
        doubtful: list[Reading] = []
        for part in traces:
            notes: list[Reading] = []
            value = part(facts, frame, notes)
            if value is deciding:
                out.extend(notes)
                return deciding
            if value is None:
                result = None
                doubtful.extend(notes)
            decided.extend(notes)
        out.extend(doubtful if result is None else decided)
        return result

    return Node(test, trace)


def inverted(node: Node) -> Node:
    inner = node.test

    def test(facts: Facts, frame: Frame) -> bool | None:
        value = inner(facts, frame)
        return None if value is None else not value

    return Node(test, lambda facts, frame, out: negate(node.trace(facts, frame, out)))


# --- quantifiers over a resource's own lists --------------------------------------------------------


def quantified(left: Operand, inner: Node, name: str, if_null: bool | None, empty: bool | None) -> Node:
    """any, all or none of the elements of a list."""
    deciding = name != "all"
    decided = name == "any"
    """An element for which `inner` is `deciding` settles the answer: `decided`."""
    get, each = left.get, inner.test

    def settle(value: Value, facts: Facts, frame: Frame) -> tuple[bool | None, tuple[Value, ...]]:
        """The answer for a list that is there, with the elements it stands on."""
        doubtful: list[Value] = []
        before = frame.item
        try:
            for element in items_of(value):
                frame.item = element
                found = each(facts, frame)
                if found is deciding:
                    return decided, (element,)
                if found is None:
                    doubtful.append(element)
        finally:
            frame.item = before
        if doubtful or isinstance(value, Partial):
            return None, tuple(doubtful)
        return not decided, items_of(value)

    def test(facts: Facts, frame: Frame) -> bool | None:
        value = get(facts, frame)
        if value is MISSING:
            return None
        if value is None:
            return if_null
        return empty if value == () else settle(value, facts, frame)[0]

    def trace(facts: Facts, frame: Frame, out: list[Reading]) -> bool | None:
        value = get(facts, frame)
        if is_absent(value) or value == ():
            left.note(facts, frame, out)
            return test(facts, frame)
        result, shown = settle(value, facts, frame)
        whole: list[Reading] = []
        left.note(facts, frame, whole)
        # The elements that decided, not the whole list.
        part: Value = shown if isinstance(value, tuple) else Partial(shown)
        out.extend(Reading(n.resource, n.fact, part, n.unseen) for n in whole)
        _trace_items(shown, inner, facts, frame, out)
        return result

    return Node(test, trace)


def is_absent(value: Value) -> bool:
    return value is None or value is MISSING


def _trace_items(items: Iterable[Value], inner: Node, facts: Facts, frame: Frame, out: list[Reading]) -> None:
    before = frame.item
    for element in items:
        frame.item = element
        inner.trace(facts, frame, out)
    frame.item = before


Bounds: TypeAlias = Sequence[tuple[Op, Operand]]
"""What a count is held against."""


def counted(left: Operand, inner: Node, bounds: Bounds, if_null: bool | None) -> Node:
    """The number of elements of a list for which `inner` holds."""
    get, each = left.get, inner.test

    def test(facts: Facts, frame: Frame) -> bool | None:
        value = get(facts, frame)
        if value is MISSING:
            return None
        if value is None:
            return if_null
        answers = []
        before = frame.item
        for element in items_of(value):
            frame.item = element
            answers.append(each(facts, frame))
        frame.item = before
        return _within(answers, isinstance(value, Partial), bounds, facts, frame)

    def trace(facts: Facts, frame: Frame, out: list[Reading]) -> bool | None:
        left.note(facts, frame, out)
        for _, operand in bounds:
            operand.note(facts, frame, out)
        _trace_items(items_of(get(facts, frame)), inner, facts, frame, out)
        return test(facts, frame)

    return Node(test, trace)


def _within(
    answers: Sequence[bool | None], open_ended: bool, bounds: Bounds, facts: Facts, frame: Frame
) -> bool | None:
    """Compare a count that lies between the sure answers and the sure and doubtful ones together."""
    sure, doubtful = answers.count(True), answers.count(None)
    result: bool | None = True
    for op, operand in bounds:
        limit = operand.get(facts, frame)
        if is_absent(limit):
            one: bool | None = None
        elif not doubtful and not open_ended:
            one = op(sure, limit)
        else:
            one = op(AtLeast(sure), limit)
            if one is None and not open_ended:
                one = op(AtMost(sure + doubtful), limit)
        if one is False:
            return False
        if one is None:
            result = None
    return result


# --- related resources ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """The resources of a join that belong to the judged one. `open`: there may be more."""

    resources: Sequence[Resource]
    open: bool
    unseen: Unseen | None


class Related:
    """A look-up of other resources, as conditions on them share it."""

    def __init__(self, join: Join, ours: Sequence[Operand], where: Node) -> None:
        self.join = join
        self.ours = tuple(ours)
        """Operands of our side of `on`."""
        self.where = where

    def find(self, facts: Facts, frame: Frame) -> _Found:
        index = frame.world.related(self.join)
        key = tuple(operand.get(facts, frame) for operand in self.ours)
        if any(map(is_unsure, key)):
            return _Found((), True, index.unseen)
        return _Found(index.get(key), index.unseen is not None, index.unseen)

    def note(self, found: _Found, facts: Facts, frame: Frame, out: list[Reading]) -> None:
        """Note what was looked for and which resources were looked at: evidence of what is not there."""
        assert frame.resource is not None  # set by explain
        for operand in self.ours:
            operand.note(facts, frame, out)
        ids = tuple(resource.id for resource in found.resources)
        shown: Value = Partial(ids) if found.open else ids
        out.append(Reading(frame.resource, f"related.{self.join.type}", shown, found.unseen))


def _descend(
    frame: Frame, facts: Facts, resources: Iterable[Resource], run: Callable[[Resource], object]
) -> None:
    """Run for each resource with its facts in hand and ours as `outer`."""
    outer, outer_resource, here = frame.outer, frame.outer_resource, frame.resource
    frame.outer, frame.outer_resource = facts, here
    try:
        for resource in resources:
            frame.resource = resource
            run(resource)
    finally:
        frame.outer, frame.outer_resource, frame.resource = outer, outer_resource, here


Outcome: TypeAlias = tuple[bool | None, Sequence[Resource], _Found]
"""The answer, the related resources it stands on, and what was found."""


def _related_node(
    related: Related, outcome: Callable[[Facts, Frame], Outcome], shown: Node, alone: bool
) -> Node:
    """A node of an outcome. Its evidence is what was found, but where one resource says `alone`, that one."""

    def trace(facts: Facts, frame: Frame, out: list[Reading]) -> bool | None:
        value, standing, found = outcome(facts, frame)
        if value is not alone:
            related.note(found, facts, frame, out)
        _descend(frame, facts, standing[:MAX_SHOWN], lambda r: shown.trace(r.facts, frame, out))
        return value

    return Node(lambda facts, frame: outcome(facts, frame)[0], trace)


def related_any(related: Related, inner: Node) -> Node:
    """Some related resource that `where` selects meets the condition."""
    both = combine((related.where, inner), deciding=False)

    def outcome(facts: Facts, frame: Frame) -> Outcome:
        found = related.find(facts, frame)
        answers: list[tuple[bool | None, Resource]] = []
        _descend(frame, facts, found.resources, lambda r: answers.append((both.test(r.facts, frame), r)))
        for answer, resource in answers:
            if answer is True:
                return True, (resource,), found
        doubtful = [resource for answer, resource in answers if answer is None]
        if doubtful or found.open:
            return None, doubtful, found
        return False, found.resources, found

    return _related_node(related, outcome, both, alone=True)


def related_all(related: Related, inner: Node, empty: bool | None) -> Node:
    """Every related resource that `where` selects meets the condition; `empty` where it selects none."""
    both = combine((related.where, inner), deciding=False)

    def outcome(facts: Facts, frame: Frame) -> Outcome:
        found = related.find(facts, frame)
        answers: dict[tuple[bool | None, bool | None], list[Resource]] = {}

        def ask(resource: Resource) -> None:
            chosen = related.where.test(resource.facts, frame)
            holds = inner.test(resource.facts, frame) if chosen is not False else True
            answers.setdefault((chosen, holds), []).append(resource)

        _descend(frame, facts, found.resources, ask)
        if against := answers.get((True, False)):
            return False, against[:1], found
        doubtful = [r for key in ((True, None), (None, False), (None, None)) for r in answers.get(key, ())]
        if doubtful or found.open:
            return None, doubtful, found
        if kept := answers.get((True, True)):
            return True, kept, found
        perhaps = answers.get((None, True), ())
        return (None if perhaps and empty is not True else empty), perhaps, found

    return _related_node(related, outcome, both, alone=False)


def related_count(related: Related, bounds: Bounds) -> Node:
    """The number of related resources that `where` selects."""
    where = related.where

    def answers(found: _Found, facts: Facts, frame: Frame) -> list[bool | None]:
        values: list[bool | None] = []
        _descend(frame, facts, found.resources, lambda r: values.append(where.test(r.facts, frame)))
        return values

    def test(facts: Facts, frame: Frame) -> bool | None:
        found = related.find(facts, frame)
        return _within(answers(found, facts, frame), found.open, bounds, facts, frame)

    def trace(facts: Facts, frame: Frame, out: list[Reading]) -> bool | None:
        found = related.find(facts, frame)
        related.note(found, facts, frame, out)
        for _, operand in bounds:
            operand.note(facts, frame, out)
        _descend(frame, facts, found.resources[:MAX_SHOWN], lambda r: where.trace(r.facts, frame, out))
        return test(facts, frame)

    return Node(test, trace)
