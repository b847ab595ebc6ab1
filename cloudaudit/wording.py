"""Values and messages as people read them, in Vietnamese and English.

Everything a cloud said is hostile text: `plain` takes away what could steer a terminal or turn a
line around, and cuts what is endless. Escaping for HTML or a spreadsheet is each reporter's own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from math import isfinite
from typing import Final, Literal

from cloudaudit.model import (
    MISSING,
    VIETNAM,
    AtLeast,
    AtMost,
    Facts,
    FactSpec,
    FactType,
    Partial,
    Text,
    Value,
)
from cloudaudit.operators import look_up

Lang = Literal["vi", "en"]
MAX_TEXT: Final = 200
MAX_ITEMS: Final = 5
MAX_DEPTH: Final = 4
"""Lists within records within lists, deeper than any declared fact goes."""
MAX_MESSAGE: Final = 2000
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_WORDS: Final[Mapping[str, Text]] = {
    "null": Text("không có", "none"),
    "missing": Text("chưa xác định", "not known"),
    "true": Text("có", "yes"),
    "false": Text("không", "no"),
    "empty": Text("không có mục nào", "no items"),
    "blank": Text("để trống", "blank"),
    "at_most": Text("không quá", "at most"),
    "at_least": Text("ít nhất", "at least"),
    "seen": Text("mới thấy một phần", "seen in part"),
}
_DEMANDS: Final[Mapping[str, Text]] = {
    "at_most": Text("không quá {}", "at most {}"),
    "at_least": Text("ít nhất {}", "at least {}"),
    "equals": Text("đúng bằng {}", "exactly {}"),
    "contains_all": Text("phải gồm {}", "has to hold {}"),
    "subset_of": Text("chỉ gồm {}", "nothing but {}"),
}
_UNITS: Final = (
    (86400, Text("ngày", "d")),
    (3600, Text("giờ", "h")),
    (60, Text("phút", "min")),
    (1, Text("giây", "s")),
)
_A_DAY: Final = 86400
_OFFSET: Final = 7 * 3600
"""Seconds by which Viet Nam is ahead of UTC, the whole year round."""
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str, limit: int = MAX_TEXT) -> str:
    """One line of harmless text: no control, format or direction characters, at most `limit` long."""
    cut = text[:limit]
    if not cut.isprintable():
        cut = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _UNSAFE else c for c in cut)
    return cut if len(text) <= limit else cut + "…"


def word(key: str, lang: Lang) -> str:
    """One of the fixed words values are told with."""
    return _in(_WORDS[key], lang)


def _in(text: Text, lang: Lang) -> str:
    return text.vi if lang == "vi" else text.en


def duration(seconds: float, lang: Lang) -> str:
    """A duration in its two largest units, rounded down: `1 ngày 16 giờ`."""
    if not isfinite(seconds):
        return _number(seconds, lang)
    rest = int(abs(seconds))
    parts = []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{_number(count, lang)} {_in(unit, lang)}")
    shown = " ".join(parts[:2]) or f"0 {_in(_UNITS[-1][1], lang)}"
    return f"-{shown}" if seconds < 0 else shown


def moment(seconds: int, lang: Lang) -> str:
    """A moment in Vietnamese time, day first in Vietnamese and ISO in English."""
    try:
        local = datetime.fromtimestamp(seconds, VIETNAM)
    except (ValueError, OverflowError, OSError):  # no such year
        return _number(seconds, lang)
    clock = f"{local.hour:02}:{local.minute:02}"
    if lang == "vi":
        return f"{local.day:02}/{local.month:02}/{local.year:04} {clock}"
    return f"{local.year:04}-{local.month:02}-{local.day:02} {clock}"


def day(seconds: int, lang: Lang) -> str:
    """The day in Viet Nam of a moment that is its beginning or its end, else the moment."""
    told = moment(seconds, lang)
    whole = (seconds + _OFFSET) % _A_DAY in (0, _A_DAY - 1)
    return told.partition(" ")[0] if whole else told


def shown(value: Value, spec: FactSpec | None, lang: Lang, depth: int = 0) -> str:
    """One value in words, whatever it is."""
    if depth > MAX_DEPTH:
        return "…"
    match value:
        case None:
            return word("null", lang)
        case bool():
            return word("true" if value else "false", lang)
        case int() | float():
            return _measured(value, spec, lang)
        case str():
            return _said(value, spec, lang)
        case AtMost() | AtLeast():
            bound = "at_most" if isinstance(value, AtMost) else "at_least"
            return f"{word(bound, lang)} {_measured(value.limit, spec, lang)}"
        case Partial():
            return f"{_items(value.items, spec, lang, depth)} ({word('seen', lang)})"
        case tuple() | list():
            if spec is not None and spec.type is FactType.PORTS and len(value) == 2:
                ends = dict.fromkeys(shown(end, None, lang, depth + 1) for end in value)
                return "-".join(ends)
            return _items(tuple(value), spec, lang, depth)
        case Mapping():
            return _entries(value, spec, lang, depth)
        case _:
            return word("missing", lang) if value is MISSING else plain(str(value))


def demand(operator: str, value: Value, spec: FactSpec | None, lang: Lang) -> str:
    """A limit of a profile in words: `không quá 1 ngày`."""
    return _in(_DEMANDS[operator], lang).format(shown(value, spec, lang))


def _said(value: str, spec: FactSpec | None, lang: Lang) -> str:
    if spec is not None and value in spec.words:
        return _in(spec.words[value], lang)
    return plain(value) if value else word("blank", lang)


def _measured(value: float, spec: FactSpec | None, lang: Lang) -> str:
    if spec is not None and spec.type is FactType.DURATION:
        return duration(value, lang)
    if spec is not None and spec.type is FactType.TIME and isinstance(value, int):
        return day(value, lang)
    return _number(value, lang)


def _number(value: float, lang: Lang) -> str:
    """A number; Vietnamese has a comma before the decimals."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"{'-' if value < 0 else ''}2^{value.bit_length() - 1}…"
    return str(value).replace(".", ",") if lang == "vi" else str(value)


def _items(items: tuple[Value, ...], spec: FactSpec | None, lang: Lang, depth: int) -> str:
    if not items:
        return word("empty", lang)
    element = spec.items if spec else None
    texts = [shown(item, element, lang, depth + 1) for item in items[:MAX_ITEMS]]
    separator = "; " if any(isinstance(item, Mapping) for item in items) else ", "
    return separator.join(texts) + _more(len(items))


def _entries(entries: Mapping[object, Value], spec: FactSpec | None, lang: Lang, depth: int) -> str:
    if not entries:
        return word("empty", lang)
    fields = spec.fields if spec else {}
    # Declared fields are told in their order, and all: one that is left out may be the one that decides.
    others = [key for key in entries if key not in fields]
    keys = [*(key for key in fields if key in entries), *others[:MAX_ITEMS]]
    texts = []
    for key in keys:
        field = fields.get(str(key))
        name = _in(field.meaning, lang) if field else ""
        texts.append(f"{name or plain(str(key))}: {shown(entries[key], field, lang, depth + 1)}")
    return ", ".join(texts) + _more(len(others))


def _more(count: int) -> str:
    return f", … (+{count - MAX_ITEMS})" if count > MAX_ITEMS else ""


# --- messages -------------------------------------------------------------------------------------


def placeholders(template: Text) -> tuple[str, ...]:
    """The facts, and as `param.name` the parameters, that a message names."""
    found: Iterable[str] = (*_PLACEHOLDER.findall(template.vi), *_PLACEHOLDER.findall(template.en))
    return tuple(dict.fromkeys(found))


def message(template: Text, facts: Facts, specs: Mapping[str, FactSpec], params: Mapping[str, Value]) -> Text:
    """Fill a control's message with the facts of a resource: `{backup.newest_age}`, `{param.max_age}`."""

    def fill(lang: Lang) -> str:
        said = list(_parts(_in(template, lang)))
        for place in range(1, len(said), 2):
            name = said[place]
            key = name.removeprefix("param.")
            value = look_up(facts, name) if key == name else params.get(key, MISSING)
            said[place] = shown(value, specs.get(name), lang)
        return plain("".join(said), MAX_MESSAGE)

    return Text(fill("vi"), fill("en"))


@lru_cache(maxsize=1024)
def _parts(template: str) -> tuple[str, ...]:
    """A message on one line, taken apart: text and names of facts in turn, text first."""
    return tuple(_PLACEHOLDER.split(" ".join(template.split())))
