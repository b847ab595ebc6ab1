"""Judge the examples a control carries: each must get the verdict it is listed under."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from cloudaudit.assessment import index, verdict_of
from cloudaudit.errors import Problem, Where, did_you_mean
from cloudaudit.model import (
    AT,
    COMMON_FACTS,
    Control,
    Example,
    Explanation,
    FactSpec,
    FactType,
    Frame,
    Gap,
    Join,
    JoinIndex,
    Listing,
    Reason,
    Resource,
    ResourceType,
    Scope,
    Seconds,
    Unseen,
    Value,
    Verdict,
    parse_time,
)
from cloudaudit.operators import kind_of, value_of

CLOCK: Final[Seconds] = parse_time("2026-01-01T00:00:00Z")
"""Both clocks of an example that does not set `at`."""
SCOPE: Final = Scope("example")

Tailor: TypeAlias = Callable[[str, Mapping[str, Value]], Control]
"""Compile a control, by id, with values for some of its parameters."""


def verdict(
    control: Control, example: Example, types: Mapping[str, ResourceType], tailor: Tailor
) -> Verdict | None:
    """The verdict a control gives on one of its examples. ValueError: the example itself is wrong."""
    return explained(control, example, types, tailor)[0]


def explained(
    control: Control, example: Example, types: Mapping[str, ResourceType], tailor: Tailor
) -> tuple[Verdict | None, Explanation]:
    """The same, with the facts that decided it."""
    document = example.document
    control = _tailored(control, _mapping(document, "params"), tailor)
    at = parse_time(str(document["at"])) if "at" in document else CLOCK
    name = str(document.get("type", control.applies_to[0]))
    if name not in control.applies_to:
        raise ValueError(f"the control does not apply to '{name}'")
    unseen = _mapping(document, "unseen")
    subject = _resource(_type(name, types), _mapping(document, "resource"), at, 0, unseen)
    listed = [(_type(kind, types), found) for kind, found in _mapping(document, "related").items()]
    related = {
        kind.name: [_resource(kind, entry, at, n, {}) for n, entry in enumerate(_entries(kind.name, found))]
        for kind, found in listed
    }
    gaps = {_type(kind, types).name: _reason(reason) for kind, reason in _mapping(document, "gaps").items()}
    return verdict_of(control, subject, Frame(_World(at, related, gaps)))


def check(control: Control, types: Mapping[str, ResourceType], tailor: Tailor) -> Iterator[Problem]:
    """Run every example and yield those that get another verdict than they are listed under."""
    for example in control.examples:
        where = Where(control.path, example.line)
        try:
            found = verdict(control, example, types, tailor)
        except ValueError as wrong:
            yield Problem(where, f"{control.id}: this example cannot be read: {wrong}")
            continue
        if found is not example.expect:
            given = found.value if found else "no finding (where does not select it)"
            yield Problem(where, f"{control.id}: this example gives {given}, not {example.expect.value}")


# --- reading an example -----------------------------------------------------------------------------
# Mistakes are those of a file, told with its line by whoever reads it: ValueError, whatever the type.


def _tailored(control: Control, params: Mapping[str, object], tailor: Tailor) -> Control:
    """The control with the parameters an example sets."""
    if not params:
        return control
    values = {}
    for name, source in params.items():
        if name not in control.parameters:
            raise ValueError(f"the control has no parameter '{name}'{_near(name, control.parameters)}")
        values[name] = value_of(source, control.parameters[name].spec)
    return tailor(control.id, values)


def _near(word: str, known: Iterable[str]) -> str:
    hint = did_you_mean(word, known)
    return f"; {hint}" if hint else ""


def _mapping(document: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = document.get(key, {})
    if not isinstance(found, Mapping):
        raise ValueError(f"'{key}' takes a mapping, found {kind_of(found)}")  # noqa: TRY004 - data, no programming error
    return found


def _entries(kind: str, found: object) -> Iterator[Mapping[str, object]]:
    if not isinstance(found, list | tuple):
        raise ValueError(f"'related' takes a list of {kind}, found {kind_of(found)}")  # noqa: TRY004 - data, no programming error
    for entry in found:
        if not isinstance(entry, Mapping):
            raise ValueError(f"a {kind} is a mapping of facts, found {kind_of(entry)}")  # noqa: TRY004 - likewise
        yield entry


def _type(name: str, types: Mapping[str, ResourceType]) -> ResourceType:
    if name not in types:
        raise ValueError(f"unknown resource type '{name}'{_near(name, types)}")
    return types[name]


def _reason(source: object) -> Unseen:
    known = [reason.value for reason in Reason]
    if source not in known:
        raise ValueError(f"unknown reason '{source}'{_near(str(source), known)}")
    return Unseen(Reason(str(source)))


def _resource(
    type_: ResourceType,
    given: Mapping[str, object],
    at: Seconds,
    number: int,
    unseen: Mapping[str, object],
) -> Resource:
    """Build a resource from facts as written in an example; what is left out is missing."""
    facts: dict[str, Value] = {AT: at, "id": f"example-{number}"}
    for name, source in given.items():
        facts[name] = value_of(source, _spec(type_, name))
    stems = {name.partition(".")[0] for name in (*COMMON_FACTS, *type_.facts)}
    for name in unseen:
        if name.partition(".")[0] not in stems:
            raise ValueError(f"{type_.name} has no fact '{name}'{_near(name, stems)}")
    reasons = {name: _reason(reason) for name, reason in unseen.items()}
    return Resource(type_.name, str(facts["id"]), SCOPE, at, facts, unseen=reasons)


def _spec(type_: ResourceType, name: str) -> FactSpec:
    facts: Mapping[str, FactSpec] = {**COMMON_FACTS, **type_.facts}
    if name in facts:
        return facts[name]
    stem = name.partition(".")[0]
    if stem in facts and facts[stem].type is FactType.MAP:
        return FactSpec(name, FactType.STRING, nullable=True)
    raise ValueError(f"{type_.name} has no fact '{name}'{_near(name, facts)}")


@dataclass(frozen=True, slots=True)
class _World:
    """What an example gives beside the resource: a type it does not name is a complete, empty list."""

    assessed_at: Seconds
    resources: Mapping[str, Sequence[Resource]]
    unseen: Mapping[str, Unseen]

    def related(self, join: Join) -> JoinIndex:
        return index(join, self.resources.get(join.type, ()), self.unseen.get(join.type))

    def each(self, type_: str) -> Sequence[Resource]:
        return self.resources.get(type_, ())

    def gaps_of(self, type_: str) -> Sequence[Gap]:
        why = self.unseen.get(type_)
        return (Gap(SCOPE, type_, "list", why.reason),) if why else ()

    def listings_of(self, type_: str) -> Sequence[Listing]:
        found = self.resources.get(type_, ())
        return () if type_ in self.unseen else (Listing(SCOPE, type_, len(found), "the example"),)
