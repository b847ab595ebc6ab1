"""The control language: conditions over facts, compiled once, judged to three values.

True, False, or None for unknown. A condition cannot loop but over a resource's own lists, open
anything, or see a clock other than the one its facts carry. Compiling checks every name and type,
so that a mistake is refused at its line and never judged. `docs/control-language.md` is the
reference; HEADS here and OPERATORS beside are the whole of it. What comes out is in `condition`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from cloudaudit.condition import (
    Bounds,
    CompiledCheck,
    Node,
    Operand,
    Related,
    combine,
    constant,
    counted,
    element_operand,
    fact_operand,
    field_operand,
    first_not_null,
    inverted,
    leaf,
    literal_operand,
    multiple,
    outer_operand,
    quantified,
    related_all,
    related_any,
    related_count,
)
from cloudaudit.errors import Problem, Where, did_you_mean
from cloudaudit.model import COMMON_FACTS, FactSpec, FactType, Join, ResourceType, Value
from cloudaudit.operators import OPERATORS, Operator, kind_of, literal

__all__ = ["HEADS", "MAX_DEPTH", "CompiledCheck", "Compiler"]

Pointer: TypeAlias = tuple[str | int, ...]
Locate: TypeAlias = Callable[[Pointer], Where]

MAX_DEPTH: Final = 24
"""Deepest nesting of a condition; more is refused, so that judging cannot exhaust the stack."""

HEADS: Final = ("all_of", "any_of", "not", "fact", "item", "outer", "param", "related")
_VALUE_HEADS: Final = ("fact", "item", "outer", "param")
_COUNTS: Final = ("at_least", "at_most", "equals")
_QUANTIFIERS: Final = ("any", "all", "none", "count", "exists")
_OF_NO_ELEMENTS: Final = frozenset({"all", "none"})
"""Quantifiers whose answer on an empty list is the author's to give; any is false, a count is 0."""
_SCALARS: Final = frozenset(FactType) - {FactType.LIST, FactType.RECORD, FactType.MAP, FactType.PORTS}


def _fitting(spec: FactSpec) -> str:
    """A hint that names the operators of a fact of this type."""
    names = ", ".join(name for name, operator in OPERATORS.items() if spec.type in operator.types)
    return f"a fact of type {spec.type.value} takes {names}"


# --- compiling ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Space:
    """The names a condition can use where it stands, and which of the facts it did use."""

    facts: Mapping[str, FactSpec]
    label: str
    reads: set[str]
    item: FactSpec | None = None
    outer: _Space | None = None
    """Inside `related`: the space of the judged resource."""
    borrowed: dict[str, Operand] = field(default_factory=dict)
    """Inside `related`: the facts of the judged resource that are used, as it sees them."""


@dataclass(slots=True)
class Compiler:
    """Compile the conditions of one control. Mistakes gather in `problems`; nothing is raised.

    `subject` holds the facts common to the control's resource types, `params` the declared
    parameters and `values` the values in force.
    """

    subject: Mapping[str, FactSpec]
    label: str
    types: Mapping[str, ResourceType]
    params: Mapping[str, FactSpec]
    values: Mapping[str, Value]
    locate: Locate
    problems: list[Problem] = field(default_factory=list)
    joins: set[Join] = field(default_factory=set)
    related_reads: set[tuple[str, str]] = field(default_factory=set)

    def compile(self, source: Value, pointer: Pointer) -> CompiledCheck:
        """Compile one condition found at `pointer` of its file."""
        self.joins, self.related_reads = set(), set()
        space = _Space(self.subject, self.label, set())
        node = self._node(source, pointer, space, 0)
        return CompiledCheck(
            node.test,
            node.trace,
            frozenset(space.reads),
            frozenset(self.joins),
            frozenset(self.related_reads),
        )

    # -- mistakes

    def _wrong(self, pointer: Pointer, message: str, hint: str = "") -> Node:
        self.problems.append(Problem(self.locate(pointer), message, hint))
        return constant(None)

    # -- conditions

    def _node(self, source: Value, pointer: Pointer, space: _Space, depth: int) -> Node:
        if depth > MAX_DEPTH:
            return self._wrong(pointer, f"the condition is nested more than {MAX_DEPTH} deep")
        if not isinstance(source, Mapping):
            return self._wrong(
                pointer,
                f"a condition is a mapping, found {kind_of(source)}",
                "write {fact: name, operator: value}, or all_of: [...]",
            )
        heads = [key for key in HEADS if key in source]
        if len(heads) != 1:
            if heads:
                return self._wrong(
                    pointer,
                    f"a condition has one head, found {', '.join(heads)}",
                    "wrap them in all_of: [...]",
                )
            unknown = next(iter(source), "")
            near = did_you_mean(str(unknown), HEADS) or f"start with one of {', '.join(HEADS)}"
            return self._wrong(
                (*pointer, str(unknown)) if source else pointer, f"unknown condition '{unknown}'", near
            )
        head = heads[0]
        if head in ("all_of", "any_of"):
            return self._combination(source, head, pointer, space, depth)
        if head == "not":
            self._only(source, ("not",), pointer)
            return inverted(self._node(source["not"], (*pointer, "not"), space, depth + 1))
        if head == "related":
            return self._related(source, pointer, space, depth)
        return self._comparison(source, head, pointer, space, depth)

    def _only(
        self,
        source: Mapping[str, Value],
        allowed: Sequence[str],
        pointer: Pointer,
        spec: FactSpec | None = None,
    ) -> None:
        """Refuse other keys. Where an operator of a fact is meant, those that its type takes are told."""
        for key in source:
            if key not in allowed:
                # Of a short word everything is near: `min` is not meant to be `in`.
                near = did_you_mean(str(key), allowed) if spec is None or len(str(key)) > 3 else ""
                if not near and spec is not None:
                    near = _fitting(spec)
                self._wrong((*pointer, str(key)), f"'{key}' does not belong here", near)

    def _combination(
        self, source: Mapping[str, Value], head: str, pointer: Pointer, space: _Space, depth: int
    ) -> Node:
        self._only(source, (head,), pointer)
        parts = source[head]
        if not isinstance(parts, list | tuple) or not parts:
            return self._wrong((*pointer, head), f"{head} takes a list of one condition or more")
        nodes = [self._node(part, (*pointer, head, n), space, depth + 1) for n, part in enumerate(parts)]
        return combine(nodes, deciding=head == "any_of")

    def _comparison(
        self, source: Mapping[str, Value], head: str, pointer: Pointer, space: _Space, depth: int
    ) -> Node:
        left = self._reference(head, source[head], (*pointer, head), space)
        names = [key for key in source if key in OPERATORS]
        told = len(self.problems)
        self._only(source, (head, "if_null", "if_empty", *OPERATORS), pointer, left.spec if left else None)
        if left is None or (not names and len(self.problems) > told):
            return constant(None)
        if len(names) != 1:
            shown = ", ".join(names) if names else "none"
            return self._wrong(
                pointer, f"one operator is needed beside '{head}: {source[head]}', found {shown}",
                "" if names else "for example equals, in, at_most",
            )  # fmt: skip
        name = names[0]
        operator = OPERATORS[name]
        if not self._suits(source[head], left.spec, name, operator, (*pointer, name)):
            return constant(None)
        if_null = self._ternary(source, "if_null", pointer)
        if operator.strict and left.spec.nullable and "if_null" not in source:
            self._wrong(
                pointer,
                f"'{source[head]}' can be null: say what '{name}' gives then",
                "add if_null: true, false or unknown",
            )
        self._idle(source, name, operator, pointer)
        if operator.operand in ("quantifier", "count"):
            return self._over_list(source, name, left, pointer, space, depth, if_null)
        right = self._operand(source[name], left.spec, operator.operand, (*pointer, name), space)
        return constant(None) if right is None else leaf(left, right, operator, if_null)

    def _suits(self, fact: Value, spec: FactSpec, name: str, operator: Operator, at: Pointer) -> bool:
        """Refuse an operator on a fact of a type it does not take."""
        if spec.type not in operator.types:
            takes = ", ".join(sorted(t.value for t in operator.types))
            self._wrong(
                at, f"'{name}' does not fit {fact}, which is a {spec.type.value} (it takes {takes})",
                _fitting(spec),
            )  # fmt: skip
            return False
        if operator.operand in ("element", "elements") and spec.items and spec.items.type not in _SCALARS:
            self._wrong(
                at, f"'{name}' does not fit {fact}, whose elements are of type {spec.items.type.value}",
                "use any, all, none or count",
            )  # fmt: skip
            return False
        return True

    def _idle(self, source: Mapping[str, Value], name: str, operator: Operator, pointer: Pointer) -> None:
        """Refuse if_null and if_empty where they would say nothing."""
        if "if_null" in source and not operator.strict:
            self._wrong(
                (*pointer, "if_null"), f"'{name}' compares with null as with any value: leave if_null out"
            )
        if "if_empty" in source and name not in _OF_NO_ELEMENTS:
            self._wrong((*pointer, "if_empty"), f"if_empty says nothing beside '{name}': leave it out")

    def _ternary(self, source: Mapping[str, Value], key: str, pointer: Pointer) -> bool | None:
        if key not in source:
            return None
        value = source[key]
        if isinstance(value, bool):
            return value
        if value != "unknown":
            self._wrong((*pointer, key), f"{key} is true, false or unknown, found {kind_of(value)}")
        return None

    # -- lists

    def _over_list(
        self, source: Mapping[str, Value], name: str, left: Operand, pointer: Pointer, space: _Space,
        depth: int, if_null: bool | None,
    ) -> Node:  # fmt: skip
        element = left.spec.items or FactSpec("value", FactType.STRING)
        inner_space = replace(space, item=element)
        at = (*pointer, name)
        if name == "count":
            return self._count_list(source, left, at, inner_space, depth, if_null)
        if name in _OF_NO_ELEMENTS and "if_empty" not in source:
            self._wrong(
                pointer, f"say what '{name}' gives on an empty list", "add if_empty: true, false or unknown"
            )
        inner = self._node(source[name], at, inner_space, depth + 1)
        empty = self._ternary(source, "if_empty", pointer) if name in _OF_NO_ELEMENTS else False
        return quantified(left, inner, name, if_null, empty)

    def _count_list(
        self, source: Mapping[str, Value], left: Operand, at: Pointer, space: _Space, depth: int,
        if_null: bool | None,
    ) -> Node:  # fmt: skip
        spec = source["count"]
        if not isinstance(spec, Mapping):
            return self._wrong(at, "count takes a mapping", "for example count: {at_least: 2}")
        self._only(spec, ("that", *_COUNTS), at)
        inner = (
            self._node(spec["that"], (*at, "that"), space, depth + 1) if "that" in spec else constant(True)
        )
        return counted(left, inner, self._count_bounds(spec, at, space), if_null)

    def _count_bounds(self, spec: Mapping[str, Value], at: Pointer, space: _Space) -> Bounds:
        number = FactSpec("count", FactType.INTEGER)
        bounds = []
        for key in _COUNTS:
            if key in spec:
                operand = self._operand(spec[key], number, "same", (*at, key), space)
                if operand is not None:
                    bounds.append((OPERATORS[key].apply, operand))
        if not any(key in spec for key in _COUNTS):
            self._wrong(at, "count needs at_least, at_most or equals")
        return bounds

    # -- related resources

    def _related(self, source: Mapping[str, Value], pointer: Pointer, space: _Space, depth: int) -> Node:
        kind = source["related"]
        type_ = self.types.get(str(kind))
        if type_ is None:
            return self._wrong(
                (*pointer, "related"), f"unknown resource type '{kind}'", did_you_mean(str(kind), self.types)
            )
        if space.outer is not None:
            return self._wrong(pointer, "related cannot stand inside related", "derive a fact instead")
        self._only(source, ("related", "on", "where", "if_empty", *_QUANTIFIERS), pointer)
        found = [key for key in _QUANTIFIERS if key in source]
        if len(found) != 1:
            return self._wrong(pointer, f"related needs one of {', '.join(_QUANTIFIERS)}")
        name, their = found[0], {**COMMON_FACTS, **type_.facts}
        join, ours = self._join(source, type_.name, their, pointer, space)
        self.joins.add(join)
        inner_space = _Space(their, type_.name, set(), space.item, space)
        where = (
            self._node(source["where"], (*pointer, "where"), inner_space, depth + 1)
            if "where" in source else constant(True)
        )  # fmt: skip
        related = Related(join, ours, where, tuple(inner_space.borrowed.values()))
        if "if_empty" in source and name not in _OF_NO_ELEMENTS:
            self._wrong((*pointer, "if_empty"), f"if_empty says nothing beside '{name}': leave it out")
        if name in ("exists", "count"):
            node = self._existing(source, name, related, (*pointer, name), space)
        else:
            node = self._over_related(source, name, related, pointer, inner_space, depth)
        self.related_reads |= {(type_.name, fact) for fact in inner_space.reads}
        self.related_reads |= {(type_.name, theirs) for theirs, _ in join.on}
        return node

    def _join(
        self, source: Mapping[str, Value], type_: str, their: Mapping[str, FactSpec], pointer: Pointer,
        space: _Space,
    ) -> tuple[Join, list[Operand]]:  # fmt: skip
        """The declared join, and the operands that make its key of the judged resource."""
        on = source.get("on", {})
        if not isinstance(on, Mapping):
            self._wrong((*pointer, "on"), "on takes a mapping of their fact to our fact")
            return Join(type_), []
        pairs, operands = [], []
        for theirs, ours in sorted((str(theirs), str(ours)) for theirs, ours in on.items()):
            at = (*pointer, "on", theirs)
            left = self._known(theirs, their, type_, at)
            right = self._known(ours, space.facts, space.label, at)
            if left is None or right is None:
                continue
            if left.type not in _SCALARS or not _alike(left.type, right.type):
                self._wrong(
                    at,
                    f"'{theirs}' is of type {_described(left)}, '{ours}' of type {_described(right)}: "
                    "they never join",
                    "join two single values of one type",
                )
                continue
            space.reads.add(ours)
            pairs.append((theirs, ours))
            operands.append(fact_operand(right, entry=ours not in space.facts))
        return Join(type_, tuple(pairs)), operands

    def _existing(
        self, source: Mapping[str, Value], name: str, related: Related, at: Pointer, space: _Space
    ) -> Node:
        """exists and count: how many related resources there are. A bound is ours, not of one of them."""
        wanted = source[name]
        if name == "exists":
            if not isinstance(wanted, bool):
                return self._wrong(at, "exists is true or false")
            node = related_any(related, constant(True))
            return node if wanted else inverted(node)
        if not isinstance(wanted, Mapping):
            return self._wrong(at, "count takes a mapping", "for example count: {at_least: 2}")
        self._only(wanted, _COUNTS, at)
        return related_count(related, self._count_bounds(wanted, at, space))

    def _over_related(
        self, source: Mapping[str, Value], name: str, related: Related, pointer: Pointer, space: _Space,
        depth: int,
    ) -> Node:  # fmt: skip
        """any, all and none: a condition on the related resources."""
        inner = self._node(source[name], (*pointer, name), space, depth + 1)
        if name == "any":
            return related_any(related, inner)
        if "if_empty" not in source:
            self._wrong(
                pointer,
                f"say what '{name}' gives when nothing is related",
                "add if_empty: true, false or unknown",
            )
        empty = self._ternary(source, "if_empty", pointer)
        return related_all(related, inner if name == "all" else inverted(inner), empty)

    # -- names and operands

    def _known(
        self, name: str, facts: Mapping[str, FactSpec], label: str, pointer: Pointer
    ) -> FactSpec | None:
        if name in facts:
            return facts[name]
        stem, _, key = name.partition(".")
        if key and stem in facts and facts[stem].type is FactType.MAP:
            return FactSpec(name, FactType.STRING, nullable=True)
        self._wrong(pointer, f"{label} has no fact '{name}'", did_you_mean(name, facts))
        return None

    def _reference(self, head: str, name: Value, pointer: Pointer, space: _Space) -> Operand | None:
        if not isinstance(name, str):
            self._wrong(pointer, f"'{head}' takes a name, found {kind_of(name)}")
            return None
        if head == "param":
            return self._param(name, pointer)
        if head == "item":
            return self._item(name, pointer, space)
        if head == "outer" and space.outer is None:
            self._wrong(pointer, "'outer' has a meaning only inside related", "write fact:")
            return None
        place = space.outer if head == "outer" and space.outer is not None else space
        spec = self._known(name, place.facts, place.label, pointer)
        if spec is None:
            return None
        place.reads.add(name)
        operand = fact_operand(spec, entry=name not in place.facts)
        if place is space:
            return operand
        space.borrowed[name] = operand
        return outer_operand(operand)

    def _item(self, name: str, pointer: Pointer, space: _Space) -> Operand | None:
        if space.item is None:
            self._wrong(pointer, "'item' has a meaning only inside any, all, none or count of a list")
            return None
        if space.item.type is not FactType.RECORD:
            if name != "value":
                self._wrong(pointer, "the elements of this list are no records", "write item: value")
                return None
            return element_operand(space.item)
        if name not in space.item.fields:
            self._wrong(
                pointer, f"the elements have no field '{name}'", did_you_mean(name, space.item.fields)
            )
            return None
        return field_operand(space.item.fields[name])

    def _param(self, name: str, pointer: Pointer) -> Operand | None:
        if name not in self.params:
            self._wrong(pointer, f"unknown parameter '{name}'", did_you_mean(name, self.params))
            return None
        return literal_operand(self.values[name], self.params[name])

    def _operand(
        self, source: Value, spec: FactSpec, kind: str, pointer: Pointer, space: _Space
    ) -> Operand | None:
        if isinstance(source, Mapping):
            return self._dynamic(source, spec, kind, pointer, space)
        try:
            value = literal(source, spec, kind)
        except ValueError as wrong:
            self._wrong(pointer, str(wrong))
            return None
        if value is None and not spec.nullable and kind == "same":
            self._wrong(pointer, f"'{spec.name}' is never null")
            return None
        return literal_operand(value, spec)

    def _dynamic(
        self, source: Mapping[str, Value], spec: FactSpec, kind: str, pointer: Pointer, space: _Space
    ) -> Operand | None:
        if len(source) != 1:
            self._wrong(
                pointer,
                "an operand is a value, or one of {param: …}, {fact: …}, {first_not_null: […]}, {times: […]}",
            )
            return None
        head, name = next(iter(source.items()))
        if head == "first_not_null":
            if not isinstance(name, list | tuple) or not name:
                self._wrong((*pointer, head), "first_not_null takes a list of operands")
                return None
            parts = [self._operand(p, spec, kind, (*pointer, head, n), space) for n, p in enumerate(name)]
            whole = [part for part in parts if part is not None]
            return first_not_null(whole) if len(whole) == len(parts) else None
        if head == "times":
            return self._multiple(name, spec, kind, (*pointer, head), space)
        if head not in _VALUE_HEADS:
            self._wrong(
                (*pointer, head),
                f"unknown operand '{head}'",
                did_you_mean(head, (*_VALUE_HEADS, "first_not_null", "times")),
            )
            return None
        found = self._reference(head, name, (*pointer, head), space)
        if found is not None and not _fits(found.spec, spec, kind):
            wanted = _described(spec) if kind != "calendar" else "calendar duration, which is written out"
            self._wrong(
                pointer,
                f"'{name}' is of type {_described(found.spec)}, '{spec.name}' of type {wanted}: "
                "they cannot be compared",
            )
            return None
        if found is not None and found.constant and kind in ("ports", "addresses"):
            return self._operand(found.value, spec, kind, pointer, space)
        return found

    def _multiple(
        self, source: Value, spec: FactSpec, kind: str, pointer: Pointer, space: _Space
    ) -> Operand | None:
        """A number or duration, and a parameter by which it is multiplied."""
        if not isinstance(source, list | tuple) or len(source) != 2:
            self._wrong(pointer, "times takes two operands: what is multiplied, and {param: …}")
            return None
        if kind not in ("same", "duration") or spec.type not in _MEASURED:
            self._wrong(pointer, f"'{spec.name}' is compared with nothing that can be multiplied")
            return None
        part = self._operand(source[0], spec, kind, (*pointer, 0), space)
        if not isinstance(source[1], Mapping) or list(source[1]) != ["param"]:
            self._wrong((*pointer, 1), "the factor is a parameter: {param: …}")
            return None
        factor = self._reference("param", source[1]["param"], (*pointer, 1, "param"), space)
        if part is None or factor is None:
            return None
        if factor.spec.type not in _NUMBERS or not isinstance(factor.value, int | float):
            self._wrong((*pointer, 1), f"'{factor.spec.name}' is no number")
            return None
        if factor.value <= 0:
            self._wrong((*pointer, 1), f"the factor '{factor.spec.name}' has to be above nought")
            return None
        return multiple(part, factor.value)


# --- types ---------------------------------------------------------------------------------------


def _described(spec: FactSpec) -> str:
    if spec.type is FactType.LIST:
        return f"list of {spec.items.type.value if spec.items else 'string'}"
    return spec.type.value


_NUMBERS: Final = frozenset({FactType.INTEGER, FactType.NUMBER})
_MEASURED: Final = _NUMBERS | {FactType.DURATION}
"""Types of which there can be twice as much; a moment is none."""
_TEXTS: Final = frozenset({FactType.STRING, FactType.ADDRESS})


def _alike(a: FactType, b: FactType) -> bool:
    return a is b or {a, b} <= _NUMBERS or {a, b} <= _TEXTS


def _fits(found: FactSpec, wanted: FactSpec, kind: str) -> bool:
    """Whether a fact or parameter can stand as an operand of this kind for a fact of this type."""
    element = found.items.type if found.items else FactType.STRING
    listed = found.type is FactType.LIST
    match kind:
        case "bool":
            return found.type is FactType.BOOLEAN
        case "duration":
            return found.type is FactType.DURATION
        case "calendar":
            return False
        case "list":
            return listed and _alike(element, wanted.type)
        case "texts" | "addresses":
            return (listed and element in _TEXTS) or found.type in _TEXTS
        case "ports":
            return listed and element in _NUMBERS | {FactType.STRING}
        case "element":
            return _alike(found.type, wanted.items.type if wanted.items else FactType.STRING)
        case "elements":
            return listed and _alike(element, wanted.items.type if wanted.items else FactType.STRING)
        case _:
            return _alike(found.type, wanted.type)
