"""What a compiled condition is made of: nodes that judge, and that note the facts which decided.

`predicate` builds these from what people write, and refuses mistakes; here everything fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from cloudaudit.model import (
    AT,
    BEYOND,
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
    Reason,
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

    def whole(facts: Facts, frame: Frame) -> Value:
        return facts.get(name, MISSING)

    def part(facts: Facts, frame: Frame) -> Value:
        return look_up(facts, name)

    get = part if entry else whole

    def note(facts: Facts, frame: Frame, out: list[Reading]) -> None:
        assert frame.resource is not None  # set by explain
        value = get(facts, frame)
        # What is given can have a doubt of its own: a list whose records lack what nobody declared.
        doubt = frame.resource.unseen.get(name) if isinstance(value, tuple) else None
        why = frame.resource.why_missing(name) if is_unsure(value) else doubt
        out.append(Reading(frame.resource, name, value, why))
        if frame.resource.beside is not None:
            out.extend(frame.resource.beside.get(name, ()))

    return Operand(get, spec, note, None if entry else name)


def outer_operand(ours: Operand) -> Operand:
    """Inside `related`: a fact of the judged resource."""

    def note(facts: Facts, frame: Frame, out: list[Reading]) -> None:
        here, frame.resource = frame.resource, frame.outer_resource
        ours.note(frame.outer, frame, out)
        frame.resource = here

    return Operand(lambda facts, frame: ours.get(frame.outer, frame), ours.spec, note)


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


def multiple(part: Operand, factor: float) -> Operand:
    """So many times a number, by a factor above nought; null and missing stay what they are."""

    def get(facts: Facts, frame: Frame) -> Value:
        value = part.get(facts, frame)
        if isinstance(value, AtMost | AtLeast):
            return type(value)(value.limit * factor)
        return value * factor if isinstance(value, int | float) else value

    return Operand(get, part.spec, part.note)


# --- leaves ---------------------------------------------------------------------------------------


def constant(value: bool | None) -> Node:
    return Node(lambda facts, frame: value, lambda facts, frame, out: value)


def leaf(left: Operand, right: Operand, operator: Operator, if_null: bool | None) -> Node:
    """One operator between two operands."""
    test = _leaf_test(left, right, operator, if_null)

    def trace(facts: Facts, frame: Frame, out: list[Reading]) -> bool | None:
        left.note(facts, frame, out)
        # A null that `if_null` speaks for is compared with nothing.
        if not (operator.strict and left.get(facts, frame) is None):
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
            return None, tuple(doubtful) or items_of(value)
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
    """What a look-up found: the resources that may be meant, and whether there may be more.

    Each stands with what `where` says of it, never False, and what the condition says.
    """

    answers: Sequence[tuple[bool | None, bool | None, Resource]]
    open: bool
    unseen: Unseen | None

    def of(self, *wanted: tuple[bool | None, bool | None]) -> list[Resource]:
        """The resources of which the two say so."""
        return [resource for chosen, holds, resource in self.answers if (chosen, holds) in wanted]


_BEYOND: Final = Unseen(Reason.NOT_DESCRIBED, BEYOND)


class Related:
    """A look-up of other resources, as conditions on them share it."""

    def __init__(self, join: Join, key: Sequence[Operand], where: Node, used: Iterable[Operand]) -> None:
        self.join = join
        self.key = tuple(key)
        """Operands of our side of `on`."""
        self.where = where
        self.used = (*key, *used)
        """Every fact of ours that decides who is related: of the key, and that `where` uses."""
        self._by_id = any(theirs == "id" for theirs, _ in join.on)

    def find(self, inner: Node, facts: Facts, frame: Frame) -> _Found:
        index = frame.world.related(self.join)
        key = tuple(operand.get(facts, frame) for operand in self.key)
        if any(map(is_unsure, key)):
            return _Found((), True, index.unseen or (_BEYOND if index.open else None))
        answers: list[tuple[bool | None, bool | None, Resource]] = []

        def ask(resource: Resource) -> None:
            chosen = self.where.test(resource.facts, frame)
            if chosen is not False:
                answers.append((chosen, inner.test(resource.facts, frame), resource))

        found = index.get(key)
        _descend(frame, facts, found, ask)
        unseen = index.unseen
        # What the cloud has beside a code has ids of its own: the thing of an id that is found is the one.
        if unseen is None and index.open and not (found and self._by_id):
            unseen = _BEYOND
        return _Found(answers, unseen is not None, unseen)

    def note(
        self, answer: bool | None, found: _Found, facts: Facts, frame: Frame, out: list[Reading]
    ) -> None:
        """Note what was looked for and what may be meant: evidence of what is not there."""
        assert frame.resource is not None  # set by explain
        ours: list[Reading] = []
        for operand in self.used:
            operand.note(facts, frame, ours)
        # What is missing did not matter where there is an answer all the same.
        out.extend(reading for reading in ours if answer is None or reading.value is not MISSING)
        ids = tuple(resource.id for _, _, resource in found.answers)
        shown: Value = Partial(ids) if found.open else ids
        out.append(Reading(frame.resource, f"related.{self.join.type}", shown, found.unseen))

    def note_bond(self, other: Resource, facts: Facts, frame: Frame, out: list[Reading]) -> None:
        """Note what makes one other resource related."""
        for operand in self.key:
            operand.note(facts, frame, out)
        for name, _ in self.join.on:
            out.append(Reading(other, name, look_up(other.facts, name)))


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


Outcome: TypeAlias = tuple[bool | None, Sequence[Resource], Node]
"""The answer, the related resources it stands on, and the condition that shows why."""


def _related_node(related: Related, inner: Node, settle: Callable[[_Found], Outcome], *, alone: bool) -> Node:
    """A node over related resources. Its evidence is what was found; for the answer `alone`, one resource."""

    def test(facts: Facts, frame: Frame) -> bool | None:
        return settle(related.find(inner, facts, frame))[0]

    def trace(facts: Facts, frame: Frame, out: list[Reading]) -> bool | None:
        found = related.find(inner, facts, frame)
        value, standing, shown = settle(found)
        if value is not alone or not standing:
            related.note(value, found, facts, frame, out)
        _descend(frame, facts, standing[:MAX_SHOWN], lambda r: shown.trace(r.facts, frame, out))
        if value is alone and standing:
            related.note_bond(standing[0], facts, frame, out)
        return value

    return Node(test, trace)


def related_any(related: Related, inner: Node) -> Node:
    """Some related resource that `where` selects meets the condition."""
    both = combine((related.where, inner), deciding=False)

    def settle(found: _Found) -> Outcome:
        if witnesses := found.of((True, True)):
            return True, witnesses[:1], both
        doubtful = found.of((True, None), (None, True), (None, None))
        if doubtful or found.open:
            return None, doubtful, both
        return False, found.of((True, False), (None, False)), both

    return _related_node(related, inner, settle, alone=True)


def related_all(related: Related, inner: Node, empty: bool | None) -> Node:
    """Every related resource that `where` selects meets the condition; `empty` where it selects none."""
    implied = combine((inverted(related.where), inner), deciding=True)

    def settle(found: _Found) -> Outcome:
        if against := found.of((True, False)):
            return False, against[:1], implied
        doubtful = found.of((True, None), (None, False), (None, None))
        if doubtful or found.open:
            return None, doubtful, implied
        if kept := found.of((True, True)):
            return True, kept, implied
        perhaps = found.of((None, True))
        if perhaps and empty is not True:
            return None, perhaps, related.where
        return empty, perhaps, implied

    return _related_node(related, inner, settle, alone=False)


def related_count(related: Related, bounds: Bounds) -> Node:
    """The number of related resources that `where` selects."""

    def compare(found: _Found, facts: Facts, frame: Frame) -> bool | None:
        return _within([chosen for chosen, _, _ in found.answers], found.open, bounds, facts, frame)

    def test(facts: Facts, frame: Frame) -> bool | None:
        return compare(related.find(_ANY, facts, frame), facts, frame)

    def trace(facts: Facts, frame: Frame, out: list[Reading]) -> bool | None:
        found = related.find(_ANY, facts, frame)
        value = compare(found, facts, frame)
        related.note(value, found, facts, frame, out)
        for _, operand in bounds:
            operand.note(facts, frame, out)
        sure, doubtful = found.of((True, True)), found.of((None, True))
        shown = sure if value is not None else doubtful
        _descend(frame, facts, shown[:MAX_SHOWN], lambda r: related.where.trace(r.facts, frame, out))
        return value

    return Node(test, trace)


_ANY: Final = constant(True)
