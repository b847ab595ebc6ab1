"""The fixed words of reports, and figures and times as people read them in each language.

Labels are data, in reports/labels.yaml. Whatever a cloud or a register said passes `clean` before
anybody sees it; escaping for a format is each reporter's own.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from functools import cache
from typing import Any, Final

from cloudaudit import data, wording
from cloudaudit.errors import CatalogError, did_you_mean
from cloudaudit.model import FactSpec, Text, parse_time
from cloudaudit.yamlsource import load

MAX_TEXT: Final = 1200
"""Longest text shown in one place; report.json has the whole."""
MAX_NAME: Final = 120
MAX_MARKS: Final = 2
"""Marks on one letter. Vietnamese in form NFC needs none; hundreds of them paint over other lines."""


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """One line of harmless text in form NFC, at most `limit` long."""
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    head = unicodedata.normalize("NFC", text[: 4 * limit])
    if any(map(unicodedata.combining, head)):
        head = _with_few_marks(head)
    if len(head) > limit or not head.isprintable():
        head = wording.plain(head, limit)
    return head if len(text) <= 4 * limit or head.endswith("…") else head + "…"


def short(text: str, limit: int) -> str:
    """A clean text of at most `limit`, cut between words where there is one to cut at."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    whole = head if not text[limit - 1].isalnum() else head.rpartition(" ")[0]
    # A name without end has no place to cut at.
    kept = whole.rstrip(" ,;:(") if len(whole) > limit // 2 else head
    return f"{kept}…"


def _with_few_marks(text: str) -> str:
    kept, run = [], 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)


_WORDED: Final = {
    "criticality": "criticality",
    "data_classes": "data_class",
    "kind": "served",
    "replication.state": "replication_state",
    "system.criticality": "criticality",
    "version": "object_version",
    "versioning.state": "versioning",
}
"""Facts whose texts are one of a few, and the labels of these."""


class Labels:
    """Every label by its path: `verdict.pass`."""

    def __init__(self, source: Mapping[str, Any]) -> None:
        self._texts: dict[str, Text] = {}
        self._groups: dict[str, Mapping[str, Text]] = {}
        self._flatten("", source)

    def _flatten(self, path: str, source: Mapping[str, Any]) -> None:
        for key, value in source.items():
            if set(value) == {"vi", "en"} and isinstance(value["vi"], str):
                self._texts[path + key] = Text(value["vi"], value["en"])
            else:
                self._flatten(f"{path}{key}.", value)

    def __call__(self, key: str, **filled: object) -> Text:
        """A label that has to exist, its braces filled: with a Text, or the same in both languages."""
        if key not in self._texts:
            raise CatalogError(
                f"labels.yaml has no '{key}'",
                hint=did_you_mean(key, self._texts) or "install cloudaudit again",
            )
        found = self._texts[key]
        if not filled:
            return found
        return Text(_filled(found.vi, "vi", filled), _filled(found.en, "en", filled))

    def group(self, name: str) -> Mapping[str, Text]:
        """All labels of a group by their last part."""
        if name not in self._groups:
            start, texts = f"{name}.", self._texts.items()
            self._groups[name] = {key.removeprefix(start): t for key, t in texts if key.startswith(start)}
        return self._groups[name]

    def of(self, group: str, value: object) -> Text:
        """The label of a value found in a report; the value itself where a newer writer knows more."""
        return self._texts.get(f"{group}.{value}") or same(str(value))


def _filled(label: str, lang: wording.Lang, given: Mapping[str, object]) -> str:
    texts = {key: getattr(value, lang) if isinstance(value, Text) else value for key, value in given.items()}
    return label.format(**texts)


@cache
def labels() -> Labels:
    """The labels that ship with cloudaudit."""
    return Labels(load(data.folder("reports") / "labels.yaml").value)


def named(spec: FactSpec) -> FactSpec:
    """A fact with the names of its fields, and the words for its values, that messages and evidence use."""
    group = _WORDED.get(spec.name)
    words = labels().group(group) if group else {}
    if not (words or spec.fields or spec.items):
        return spec
    items = spec.items and named(replace(spec.items, words=words))
    fields = {
        name: replace(named(field), meaning=labels().of("record", name))
        for name, field in spec.fields.items()
    }
    return replace(spec, words=words, items=items, fields=fields)


def same(text: str) -> Text:
    """A text that reads the same in both languages: an identifier, a number."""
    return Text(text, text)


def text_of(entry: Mapping[str, str] | None, fallback: str = "") -> Text:
    """A text of report.json. A language that is not there is lent the other, and both the fallback."""
    given = entry or {}
    vi, en = given.get("vi", ""), given.get("en", "")
    return Text(vi or en or fallback, en or vi or fallback)


def figure(value: float | None, unit: str = "") -> Text:
    """A figure with one decimal, rounded down, with a comma in Vietnamese and a point in English."""
    if value is None:
        return same("–")
    digits = str(floored(value))
    return Text(digits.replace(".", ",") + (f" {unit}" if unit else ""), digits + unit)


def floored(value: float) -> Decimal:
    """A figure as it is printed: nothing is rounded up."""
    return Decimal(str(value)).quantize(Decimal("0.1"), ROUND_FLOOR)


def share(ratio: float | None) -> Text:
    """A share between 0 and 1 in per cent."""
    return figure(None if ratio is None else float(Decimal(str(ratio)) * 100), "%")


def interval(lower: float | None, upper: float | None) -> Text:
    """A score: always both bounds."""
    low, high = figure(lower), figure(upper)
    return Text(f"[{low.vi} ; {high.vi}]", f"[{low.en} ; {high.en}]")


def moment(at: str | None) -> Text:
    """A time of report.json in Vietnamese time; what is no time is shown as it is."""
    if at is None:
        return same("–")
    try:
        seconds = parse_time(at)
    except ValueError:
        return same(clean(at, MAX_NAME))
    return Text(wording.moment(seconds, "vi"), wording.moment(seconds, "en"))
