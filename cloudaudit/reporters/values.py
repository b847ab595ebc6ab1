"""Values of evidence in words: JSON of report.json read again by the declared type of its fact."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudaudit import wording
from cloudaudit.model import (
    COMMON_FACTS,
    AtLeast,
    AtMost,
    FactSpec,
    FactType,
    ResourceType,
    Text,
    Value,
    parse_time,
)
from cloudaudit.reporters.words import labels, named, same


@dataclass(frozen=True, slots=True)
class Values:
    """Values as people read them, by the declarations of `types`."""

    types: Mapping[str, ResourceType]

    def spec(self, type_: str, fact: str) -> FactSpec | None:
        """The declaration of a fact, with the words for its values; None where it is not known."""
        declared = self.types[type_].facts if type_ in self.types else {}
        found = declared.get(fact) or COMMON_FACTS.get(fact) or self._entry(declared, fact)
        return found and named(found)

    def _entry(self, declared: Mapping[str, FactSpec], fact: str) -> FactSpec | None:
        """Of `labels.owner`: what is declared of `labels`."""
        stem, _, key = fact.partition(".")
        return FactSpec(fact, FactType.STRING) if key and stem in declared else None

    def shown(self, value: Any, spec: FactSpec | None) -> Text:
        """A JSON value as people read it; the JSON itself where its type is not known."""
        match value:
            case {"$partial": list(items)}:
                seen = labels()("report.seen_in_part")
                known = self._list(items, spec.items if spec else None)
                return Text(f"{known.vi} ({seen.vi})", f"{known.en} ({seen.en})")
            case list() if spec is None or spec.type is not FactType.PORTS:
                return self._list(value, spec.items if spec else None)
            case None | bool() | str() | int() | float():
                return in_words(read(value, spec), spec)
            case _ if spec is not None:
                return in_words(read(value, spec), spec)
            case _:
                return same(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def _list(self, items: Sequence[Any], element: FactSpec | None) -> Text:
        if not items:
            return in_words((), None)
        shown = [
            same(f"… (+{item['$more']})")
            if isinstance(item, Mapping) and "$more" in item
            else self.shown(item, element)
            for item in items
        ]
        return Text("; ".join(text.vi for text in shown), "; ".join(text.en for text in shown))


def read(value: Any, spec: FactSpec | None) -> Value:
    """A JSON value as a value of a fact again: what `report_json.json_value` wrote."""
    match value:
        case {"$at_most": int() | float() as limit}:
            return AtMost(limit)
        case {"$at_least": int() | float() as limit}:
            return AtLeast(limit)
        case Mapping():
            fields = spec.fields if spec else {}
            return {str(key): read(inner, fields.get(str(key))) for key, inner in value.items()}
        case list():
            return tuple(read(item, spec.items if spec else None) for item in value)
        case str() if spec is not None and spec.type is FactType.TIME:
            try:
                return parse_time(value)
            except ValueError:
                return value
        case _:
            return value


def in_words(value: Value, spec: FactSpec | None) -> Text:
    """A value in both languages."""
    return Text(wording.shown(value, spec, "vi"), wording.shown(value, spec, "en"))
