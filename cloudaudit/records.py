"""Resources as records of JSON: each value checked against its declaration, on the way out and back.

What is not declared in `resources/` gets no further. What came as another type than declared is
not known, with the reason: no condition ever meets a value it was not made for.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from math import isfinite
from types import NoneType
from typing import Any, Final, TypeAlias

import rfc8785

from cloudaudit.model import (
    COMMON_FACTS,
    AtLeast,
    AtMost,
    FactSpec,
    FactType,
    Partial,
    Reason,
    Resource,
    ResourceType,
    Scope,
    Unseen,
    Value,
    Written,
    format_time,
    parse_time,
)

_TEXT: Final = FactSpec("value", FactType.STRING)
_CLASSES: Final[Mapping[FactType, type]] = {
    FactType.BOOLEAN: bool,
    FactType.INTEGER: int,
    FactType.DURATION: int,
    FactType.STRING: str,
    FactType.ADDRESS: str,
}
"""Types whose values are the same in memory and in JSON."""
_LARGEST: Final = 2**63


class _MisfitError(ValueError):
    """A value is not of its declared type."""


# --- texts and lines ------------------------------------------------------------------------------


def clean(value: Value) -> Any:
    """A value as JSON with its texts in NFC, no half surrogates, and its keys in the order of RFC 8785."""
    match value:
        case str():
            if value.isascii():
                return value
            return unicodedata.normalize("NFC", value.encode("utf-8", "replace").decode())
        case list() | tuple():
            return [clean(item) for item in value]
        case Mapping():
            return _ordered({clean(str(key)): clean(item) for key, item in value.items()})
        case _:
            return value


def _ordered(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping in the order of RFC 8785, which is another than Python's beyond the basic plane alone."""
    if all(map(str.isascii, cleaned)):
        return {key: cleaned[key] for key in sorted(cleaned)}
    return {key: cleaned[key] for key in sorted(cleaned, key=lambda key: key.encode("utf-16-be"))}


def line(record: Mapping[str, Any]) -> str:
    """One record as RFC 8785 has it, but for whole numbers beyond 2^53, which keep their digits.

    This writer is five times as fast. It agrees where keys are in order already, as `clean` leaves
    them, and no number has decimals.
    """
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _canonical(record: Mapping[str, Any]) -> str:
    try:
        return rfc8785.dumps(dict(record)).decode()
    except rfc8785.IntegerDomainError:
        return line(record)


moment_text: Final = format_time
"""How records and reports write a moment."""


# --- resources to records ---------------------------------------------------------------------------


class Encoder:
    """Turn resources of one type into records. What is not declared is named in `dropped`."""

    def __init__(self, type_: ResourceType, dropped: set[str]) -> None:
        self._type = type_
        self._dropped = dropped
        has_decimals = any(_holds(spec, FactType.NUMBER) for spec in type_.facts.values())
        self.line: Callable[[Mapping[str, Any]], str] = _canonical if has_decimals else line
        """Write a record of this type as a line."""

    def __call__(self, resource: Resource) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        unseen = dict(resource.unseen)
        for name in sorted(resource.facts):
            spec = self._type.facts.get(name)
            if spec is None or spec.derived:
                if name not in COMMON_FACTS:
                    self._dropped.add(clean(f"{self._type.name}:{name}"))
                continue
            try:
                facts[name] = self._encode(resource.facts[name], spec, name)
            except (ValueError, OverflowError, OSError):  # the last two: a year beyond the calendar
                unseen[name] = _misfit(spec)
        record: dict[str, Any] = {"at": moment_text(resource.at)}
        if resource.endpoint:
            record["endpoint"] = clean(resource.endpoint)
        record |= {"facts": facts, "id": clean(resource.id)}
        if resource.name:
            record["name"] = clean(resource.name)
        if resource.sources:
            record["sources"] = clean(resource.sources)
        if unseen:
            record["unseen"] = _ordered({clean(key): _told(why) for key, why in unseen.items()})
        if resource.written is not None:
            record["written"] = clean(_written_json(resource.written))
        return record

    def _encode(self, value: Value, spec: FactSpec, path: str) -> Any:
        """A value as JSON. _MisfitError: it is not of the type that is declared; null is of every type."""
        if value is None:
            return None
        if value.__class__ in (AtMost, AtLeast):
            return _bound(value, spec, lambda limit: self._encode(limit, spec, path))
        match spec.type:
            case FactType.LIST:
                return self._list(value, spec, path)
            case FactType.RECORD if isinstance(value, Mapping):
                return dict(self._fields(value, spec, path))
            case FactType.MAP if isinstance(value, Mapping):
                return clean({key: _scalar(item, _TEXT) for key, item in value.items()})
            case FactType.PORTS:
                return list(_pair(value))
            case FactType.TIME:
                return moment_text(_whole(value))
            case _:
                return clean(_scalar(value, spec))

    def _list(self, value: Value, spec: FactSpec, path: str) -> Any:
        items = value.items if isinstance(value, Partial) else value
        if not isinstance(items, tuple | list):
            raise _MisfitError
        found = [self._encode(item, spec.items or _TEXT, path) for item in items]
        return {"$partial": found} if isinstance(value, Partial) else found

    def _fields(self, record: Mapping[str, Value], spec: FactSpec, path: str) -> Iterator[tuple[str, Any]]:
        for name in sorted(record):
            if name in spec.fields:
                yield name, self._encode(record[name], spec.fields[name], path)
            else:
                self._dropped.add(clean(f"{self._type.name}:{path}.{name}"))


@lru_cache(maxsize=4096)
def _told(why: Unseen) -> Mapping[str, str]:
    """Why a fact is missing, as records have it. Many facts of many resources are for the same reason."""
    return {"detail": clean(why.detail), "reason": why.reason.value}


def _bound(value: Value, spec: FactSpec, encode: Callable[[Value], Any]) -> Any:
    if spec.type not in _ORDERED:
        raise _MisfitError
    assert isinstance(value, AtMost | AtLeast)
    return {"$at_most" if isinstance(value, AtMost) else "$at_least": encode(value.limit)}


_ORDERED: Final = frozenset({FactType.INTEGER, FactType.NUMBER, FactType.DURATION, FactType.TIME})


def _holds(spec: FactSpec, wanted: FactType) -> bool:
    parts = [*spec.fields.values(), *([spec.items] if spec.items else [])]
    return spec.type is wanted or any(_holds(part, wanted) for part in parts)


# --- records to resources ---------------------------------------------------------------------------


class Decoder:
    """Turn records back into resources: moments to seconds, lists to tuples.

    A fact that is not of the type declared now, because the declaration changed since, is not known.
    """

    def __init__(self, type_: ResourceType) -> None:
        self._type = type_.name
        self._specs = {name: spec for name, spec in type_.facts.items() if not spec.derived}
        self._classes = {n: _CLASSES[spec.type] for n, spec in self._specs.items() if spec.type in _CLASSES}

    def __call__(self, record: Mapping[str, Any], scope: Scope) -> Resource:
        """The resource of a record. KeyError, TypeError, ValueError or AttributeError: it is none."""
        facts: dict[str, Value] = {}
        unseen = {
            key: _why(text_of(why["reason"]), text_of(why["detail"]))
            for key, why in record.get("unseen", {}).items()
        }
        classes = self._classes
        for name, value in record["facts"].items():
            if value.__class__ is classes.get(name):
                facts[name] = value
            elif name in self._specs:
                try:
                    facts[name] = _decode(value, self._specs[name])
                except (ValueError, OverflowError):
                    unseen[name] = _misfit(self._specs[name])
        return Resource(
            self._type,
            text_of(record["id"]),
            scope,
            parse_time(record["at"]),
            facts,
            text_of(record.get("name", "")),
            text_of(record.get("endpoint", "")),
            unseen,
            {key: _whole(number) for key, number in record.get("sources", {}).items()},
            written=_written(record["written"]) if "written" in record else None,
        )


def _written_json(written: Written) -> dict[str, Any]:
    found: dict[str, Any] = {"line": written.line, "path": written.path}
    return {**found, "lines": dict(written.lines)} if written.lines else found


def _written(record: Mapping[str, Any]) -> Written:
    line = record["line"]
    lines = {text_of(fact): _whole(number) for fact, number in record.get("lines", {}).items()}
    return Written(text_of(record["path"]), None if line is None else _whole(line), lines)


@lru_cache(maxsize=4096)
def _why(reason: str, detail: str) -> Unseen:
    return Unseen(Reason(reason), detail)


def _decode(value: Any, spec: FactSpec) -> Value:
    """A value from JSON. _MisfitError: it is not of the type that is declared."""
    if value is None:
        return None
    match spec.type, value:
        case FactType.LIST, list():
            return tuple(_decode(item, spec.items or _TEXT) for item in value)
        case FactType.LIST, {"$partial": list(items)}:
            return Partial(tuple(_decode(item, spec.items or _TEXT) for item in items))
        case FactType.RECORD, dict():
            return {key: _decode(item, spec.fields[key]) for key, item in value.items() if key in spec.fields}
        case FactType.MAP, dict():
            return {key: _scalar(item, _TEXT) for key, item in value.items()}
        case FactType.PORTS, list():
            return _pair(value)
        case FactType.TIME, str():
            return parse_time(value)
        case _, dict() if spec.type in _ORDERED and len(value) == 1:
            return _decode_bound(value, spec)
        case _ if spec.type in _CLASSES or spec.type is FactType.NUMBER:
            return _scalar(value, spec)
        case _:
            raise _MisfitError


def _decode_bound(value: Mapping[str, Any], spec: FactSpec) -> Value:
    head, inner = next(iter(value.items()))
    limit = _decode(inner, spec)
    if head not in ("$at_most", "$at_least") or limit.__class__ not in (int, float):
        raise _MisfitError
    return (AtMost if head == "$at_most" else AtLeast)(limit)


# --- values -----------------------------------------------------------------------------------------


def _scalar(value: Value, spec: FactSpec) -> Value:
    """The value, if it is one of a scalar type. ValueError otherwise."""
    if value is None:
        return None
    if spec.type in (FactType.INTEGER, FactType.DURATION):
        return _whole(value)
    if spec.type is FactType.NUMBER:
        # JSON does not tell 5 from 5.0, so that a number read back is always the latter.
        return value if isinstance(value, float) and isfinite(value) else float(_whole(value))
    if value.__class__ is not _CLASSES.get(spec.type):
        raise _MisfitError
    return value


def _whole(value: Value) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value < _LARGEST:
        return value
    raise _MisfitError


def text_of(value: Any) -> str:
    """A text where nothing else can stand. TypeError otherwise."""
    if not isinstance(value, str):
        raise TypeError(f"a text is expected, found {type(value).__name__}")
    return value


Shape: TypeAlias = Mapping[str, tuple[type, ...]]
"""Keys of a mapping and the classes of JSON values that may stand there."""


def shaped(value: Any, shape: Shape) -> dict[str, Any]:
    """The value, if it is a mapping of a shape; keys beyond it are let be. TypeError says what is wrong.

    A schema says more, and takes a hundred times as long: too long for lists that grow with a cloud.
    """
    if value.__class__ is not dict:
        raise TypeError(f"a mapping is expected, found {_said(value.__class__)}")
    for key, classes in shape.items():
        if key not in value:
            raise TypeError(f"missing key '{key}'")
        if value[key].__class__ not in classes:
            wanted = " or ".join(map(_said, classes))
            raise TypeError(f"'{key}': {wanted} is expected, found {_said(value[key].__class__)}")
    found: dict[str, Any] = value
    return found


def _said(kind: type) -> str:
    return _SAID.get(kind, kind.__name__)


_SAID: Final[Mapping[type, str]] = {
    dict: "a mapping",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    NoneType: "null",
}


def _pair(value: Value) -> tuple[int, int]:
    if isinstance(value, tuple | list) and len(value) == 2:
        return _whole(value[0]), _whole(value[1])
    raise _MisfitError


def _misfit(spec: FactSpec) -> Unseen:
    return Unseen(Reason.INVALID_ANSWER, f"what came is no {spec.type.value}")
