"""Turn one JSON object of an API into facts, field by field, keeping why a fact is missing.

A field of the wrong kind costs that fact, not the resource; only an unusable id costs the
resource. Values of metadata are kept for allowed keys alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Final, TypeAlias, TypeVar

from cloudaudit.collectors.leaks import Look, telltale, told
from cloudaudit.model import Partial, Reason, Unseen, Value

LONGEST_TEXT: Final = 4096
CUT: Final = " …[truncated]"
_YEAR_10000: Final = 253_402_300_800
LABEL_KEYS: Final = frozenset(
    {
        "system_id",
        "data_class",
        "data_residency",
        "role",
        "environment",
        "owner",
        "tier",
        "archive",
        "cross_border",
    }
)
"""Metadata keys whose values are stored; targets.yaml may add some."""

T = TypeVar("T")
Row: TypeAlias = Mapping[str, object]
Reader: TypeAlias = Callable[[object], Value]


class Odd(ValueError):
    """A value is not of the kind the API promises."""


def text(value: object) -> str:
    """Text in NFC, without lone surrogates (they cannot be written), cut where it is absurdly long."""
    if not isinstance(value, str):
        raise Odd("no text")
    if value.isascii():
        return value if len(value) <= LONGEST_TEXT else value[: LONGEST_TEXT - len(CUT)] + CUT
    raw = value.encode("utf-8", "replace")
    if len(raw) > LONGEST_TEXT:
        raw = raw[: LONGEST_TEXT - len(CUT.encode())] + CUT.encode()
    return unicodedata.normalize("NFC", raw.decode("utf-8", "ignore"))


def identifier(value: object) -> str:
    """An id exactly as the service spells it: two spellings are two things, so nothing is normalised."""
    if not isinstance(value, str) or not value:
        raise Odd("no id")
    raw = value.encode("utf-8", "replace")
    if len(raw) > LONGEST_TEXT:
        raise Odd("an id of more than 4 kB")
    return raw.decode()


def flag(value: object) -> bool:
    """A boolean; Cinder also writes it as text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise Odd("no boolean")


def integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Odd("no integer")
    return value


def count(value: object) -> int:
    """A number of things."""
    number = integer(value)
    if number < 0:
        raise Odd("less than nothing")
    return number


def one_of(*words: str) -> Callable[[object], str]:
    """One of the words a service has for this. Any other one is no answer: nobody can say what it means."""

    def read(value: object) -> str:
        word = text(value)
        if word not in words:
            raise Odd("a word that is not known")
        return word

    return read


def unlimited_as_null(value: object) -> int | None:
    """A limit; services write -1 where there is none."""
    return None if value == -1 and not isinstance(value, bool) else integer(value)


def identifier_or_number(value: object) -> str:
    """An id that older versions of a service write as a number."""
    return str(integer(value)) if isinstance(value, int) else identifier(value)


def moment(value: object) -> int:
    """Seconds since the epoch. OpenStack leaves the zone out and means UTC."""
    if not isinstance(value, str) or len(value) > 64:
        raise Odd("no time")
    try:
        parsed = datetime.fromisoformat(value)
        seconds = int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        raise Odd("no time") from error
    if not 0 <= seconds < _YEAR_10000:
        raise Odd("no time")
    return seconds


def address(value: object) -> str:
    """An IP address or network, as written."""
    if not isinstance(value, str):
        raise Odd("no address")
    try:
        ip_network(value, strict=False)
    except ValueError as error:
        raise Odd("no address") from error
    return value


def record(value: object) -> Row:
    """A JSON object."""
    if not isinstance(value, dict):
        raise Odd("no object")
    return value


def items(value: object) -> list[Row]:
    """A list of JSON objects."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise Odd("no list of objects")
    return value


def many(read: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    """A list, each element read by `read`."""

    def read_all(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise Odd("no list")
        return tuple(read(one) for one in value)

    return read_all


def each(read: Callable[[Row], T]) -> Callable[[object], tuple[T, ...]]:
    """A list of objects, each turned into what `read` makes of it."""
    return lambda value: tuple(read(row) for row in items(value))


def named(value: object) -> tuple[str, ...]:
    """The ids of a list of objects that have little else."""
    return tuple(identifier(row.get("id")) for row in items(value))


def empty_as_null(read: Reader) -> Reader:
    """Some services write an empty text where others write null."""
    return lambda value: None if value == "" else read(value)


class Item:
    """One JSON object on its way to becoming facts.

    `default` explains fields that are not there, when the whole object is known to be reduced.
    """

    __slots__ = ("default", "facts", "row", "unseen")

    def __init__(self, row: Row, default: Unseen | None = None) -> None:
        self.row = row
        self.default = default
        self.facts: dict[str, Value] = {}
        self.unseen: dict[str, Unseen] = {}

    def take(
        self,
        fact: str,
        field: str,
        read: Reader = text,
        *,
        null: bool = False,
        hidden: bool = False,
        absent: Value | type[Odd] = Odd,
    ) -> None:
        """Read `field` as `fact`.

        `null`: the field may be null, and the fact is then (`read` may give null for another value).
        `hidden`: the service shows the field to administrators only, so that its absence is a refusal.
        `absent`: the value an absent field stands for, if it has one.
        """
        if field not in self.row:
            if absent is not Odd:
                self.facts[fact] = absent
            else:
                self.unseen[fact] = self.default or _absence(field, hidden)
            return
        value = self.row[field]
        if value is None and null:
            self.facts[fact] = None
            return
        try:
            got = read(value)
        except Odd as error:
            self.miss(fact, Reason.INVALID_ANSWER, f"'{field}' holds {error}")
            return
        self.facts[fact] = got

    def option(self, fact: str, name: str) -> None:
        """Read a boolean of Keystone's resource options, which are off where they are not given."""
        options = self.row.get("options")
        if isinstance(options, dict):
            inner = Item(options)
            inner.take(fact, name, flag, null=True, absent=False)
            self.facts |= {key: bool(value) for key, value in inner.facts.items()}
            self.unseen |= inner.unseen
        else:
            self.miss(fact, Reason.NOT_IMPLEMENTED, "the service's answer has no options")

    def miss(self, fact: str, reason: Reason, detail: str) -> None:
        self.unseen[fact] = Unseen(reason, detail)

    def labels(self, field: str, allowed: frozenset[str]) -> None:
        """Read metadata: all keys as `label_names`, values of allowed keys alone as `labels`."""
        if field not in self.row:
            why = self.default or _absence(field, hidden=False)
            self.unseen |= {"labels": why, "label_names": why}
            return
        metadata = self.row[field]
        if not isinstance(metadata, dict):
            self.miss("labels", Reason.INVALID_ANSWER, f"'{field}' holds no object")
            self.miss("label_names", Reason.INVALID_ANSWER, f"'{field}' holds no object")
            return
        self.keep_labels(metadata.items(), allowed)

    def tags(self, field: str, allowed: frozenset[str], beside: Iterable[tuple[str, object]] = ()) -> None:
        """Read tags, `key=value` or `key:value` or a bare word, as labels; `beside` adds more pairs."""
        if field not in self.row:
            why = self.default or _absence(field, hidden=False)
            self.unseen |= {"labels": why, "label_names": why}
            return
        try:
            tags = many(text)(self.row[field])
        except Odd as error:
            self.miss("labels", Reason.INVALID_ANSWER, f"'{field}' holds {error}")
            self.miss("label_names", Reason.INVALID_ANSWER, f"'{field}' holds {error}")
            return
        self.keep_labels([*(_pair(tag) for tag in tags), *beside], allowed)

    def keep_labels(self, pairs: Iterable[tuple[str, object]], allowed: frozenset[str]) -> None:
        names, labels = set(), {}
        for key, value in pairs:
            name = text(key)
            names.add(told(name))
            if name in allowed and isinstance(value, str) and telltale(value) is None:
                labels[name] = text(value)
        self.facts["labels"] = labels
        self.facts["label_names"] = tuple(sorted(names))

    def secrets(self, look: Look, *, metadata: str = "", tags: str = "") -> None:
        """Look for secrets in metadata and tags, after what `look` has seen already.

        A field that is not there could not be looked at, unless the service leaves it out when empty.
        """
        for field, kind in ((metadata, dict), (tags, list)):
            value = self.row.get(field)
            if not field or (kind is list and value is None and field in self.row):
                continue
            if isinstance(value, dict) and kind is dict:
                look.pairs("metadata", value.items())
            elif isinstance(value, list) and kind is list:
                look.words("tags", value)
            elif field not in self.row:
                look.blind(self.default or _absence(field, hidden=False))
            else:
                look.blind(Unseen(Reason.INVALID_ANSWER, f"'{field}' is not of its kind"))
        found = look.result()
        if found != Partial(()):
            self.facts["secrets.found"] = found
        if look.unseen is not None:
            self.unseen["secrets.found"] = look.unseen


def _absence(field: str, hidden: bool) -> Unseen:
    if hidden:
        return Unseen(Reason.NO_PERMISSION, f"the service does not show '{field}' to this credential")
    return Unseen(Reason.NOT_IMPLEMENTED, f"the service's answer has no '{field}'")


def _pair(tag: str) -> tuple[str, str]:
    for mark in ("=", ":"):
        key, found, value = tag.partition(mark)
        if found:
            return key.strip(), value.strip()
    return tag, ""
