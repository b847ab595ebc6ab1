"""Read YAML that people write: strictly, with the line and column of everything in it.

What YAML readers like to guess is not guessed here: `NO` is Norway and never false, `1.10` keeps
its zero, dates stay text. Constructs that hide meaning (anchors, tags, merge keys, a second
document, a repeated key) are refused, and so is whatever could exhaust the machine that reads.

What was written for another program is read as that program reads it (:class:`As`), with the same places and
the same bounds.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import stat
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from cloudaudit.data import folder
from cloudaudit.errors import Problem, SourceError, Where, did_you_mean
from cloudaudit.model import Seconds, parse_calendar, parse_duration, parse_time

Pointer: TypeAlias = tuple[str | int, ...]
"""The way to a place in a document: keys of mappings and positions in lists."""


class As(Enum):
    """How a text is read."""

    STRICT = "strict"
    """As a person is to write for us."""
    YAML_1_1 = "YAML 1.1"
    """As PyYAML's SafeLoader reads it, which many programs use: `yes` is true, `010` is eight, anchors and
    merge keys stand for what they name. Dates stay text, and a key that is given twice stays refused: the
    other program would drop one of the two without a word. A key that is no text is what is written."""


MAX_BYTES: Final = 5 * 1024 * 1024
MAX_DEPTH: Final = 64
MAX_NODES: Final = 200_000
MAX_PROBLEMS: Final = 50
"""Mistakes told of one file; more would bury the first."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its plain value, and where each part of it stands.

    `value` is made of dict, list, str, int, float, bool and None; texts are in Unicode form NFC.
    `digest` is the SHA-256 of the bytes read.
    """

    name: str
    value: Any
    digest: str
    _root: _Place = field(repr=False, compare=False)

    def where(self, pointer: Sequence[str | int] = (), *, key: bool = False) -> Where:
        """Tell where the value at `pointer` begins, or its key. What is not there gets its parent's place."""
        place = self._root
        line, column = place.line, place.column
        for step in pointer:
            inner = place.children.get(step)
            if inner is None:
                return Where(self.name, line, column)
            line, column, place = inner
            if not key:
                line, column = place.line, place.column
        return Where(self.name, line, column)


class _Place:
    """Where a value begins; of what it contains, where each key stands and the place of its value."""

    __slots__ = ("children", "column", "line")

    def __init__(self, line: int, column: int) -> None:
        self.line = line
        self.column = column
        self.children: dict[str | int, tuple[int, int, _Place]] = {}


# --- bytes to text --------------------------------------------------------------------------------

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "UTF-8 with a byte order mark", "remove the mark: sed -i '1s/^\\xEF\\xBB\\xBF//' FILE"),
    (b"\xff\xfe", "UTF-16", "save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE"),
    (b"\xfe\xff", "UTF-16", "save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE"),
)  # fmt: skip

# Control characters steer terminals; direction and width characters make a text read as what it is
# not; NEL, LS and PS are line breaks to YAML and to no editor, so that line numbers would be wrong.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def load(path: Path) -> Document:
    """Read one file. SourceError tells every mistake found, with its line."""
    name = str(path)
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise SourceError("this is no regular file", where=Where(name), hint="name a YAML file")
        if state.st_size > MAX_BYTES:
            raise _too_large(name, state.st_size)
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise SourceError("there is no such file", where=Where(name), hint="check the path") from None
    except OSError as error:
        raise SourceError(
            f"the file cannot be read: {error.strerror or error}",
            where=Where(name),
            hint="check its permissions",
        ) from error
    return loads(data, name)


def loads(data: bytes, name: str, how: As = As.STRICT) -> Document:
    """Read YAML from bytes; `name` stands for the file in messages."""
    if len(data) > MAX_BYTES:
        raise _too_large(name, len(data))
    text = _decode(data, name)
    composer = _Composer(name, text) if how is As.STRICT else _Composer11(name, text)
    value, root = composer.compose()
    if composer.problems:
        raise SourceError.of(sorted(composer.problems, key=_by_place))
    return Document(name, value, hashlib.sha256(data).hexdigest(), root)


def written(value: Any, width: int = 80) -> str:
    """A value as YAML, what is innermost on one line; what begins before `width` is kept on its line."""
    text: str = yaml.safe_dump(
        value, allow_unicode=True, sort_keys=False, default_flow_style=None, width=width
    )
    return text


def _too_large(name: str, size: int) -> SourceError:
    return SourceError(
        f"the file has {size} bytes; {MAX_BYTES} is the most that is read",
        where=Where(name),
        hint="split it, or check that it is the file you mean",
    )


def _decode(data: bytes, name: str) -> str:
    for mark, what, hint in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            raise SourceError(f"the file is written as {what}", where=Where(name, 1, 1), hint=hint)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line_start = before.rfind(b"\n") + 1
        column = len(before[line_start:].decode("utf-8", "replace")) + 1
        raise SourceError(
            f"byte 0x{data[error.start]:02X} at offset {error.start} is not UTF-8",
            where=Where(name, before.count(b"\n") + 1, column),
            hint="save the file as UTF-8 (convert older encodings such as TCVN3 or VNI)",
        ) from None
    if hidden := _FORBIDDEN.search(text):
        line, column = _line_and_column(text, hidden.start())
        raise SourceError(
            f"there is an invisible or control character, {hidden_character(hidden.group())}",
            where=Where(name, line, column),
            hint="delete it: it hides what the text says",
        )
    return text


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def hidden_character(text: str) -> str:
    """Name the first character of a text that steers a terminal or cannot be seen; empty if there is none."""
    found = _FORBIDDEN.search(text)
    return f"U+{ord(found.group()):04X}" if found else ""


def _by_place(problem: Problem) -> tuple[int, int]:
    where = problem.where
    return (where.line, where.column) if where else (0, 0)


def excerpt(text: str) -> str:
    """Quote a text in a message: short, on one line, without a password that an address holds."""
    text = _FORBIDDEN.sub("?", _USER_OF_ADDRESS.sub("//...@", text)).replace("\n", "\\n")
    return text if len(text) <= 60 else f"{text[:57]}..."


_USER_OF_ADDRESS = re.compile(r"//[^/@\s]*@")


# --- text to values and places --------------------------------------------------------------------

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WORDS: Final[Mapping[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_NUMERIC = frozenset("0123456789-.+")
_INTEGER = re.compile(r"-?[0-9]{1,16}", re.ASCII)
_FLOAT = re.compile(r"-?[0-9]{1,17}(?:\.[0-9]{1,17})?(?:e[+-][0-9]{1,3})?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LARGEST_EXACT = 2**53 - 1

_SYNTAX: Final = (
    (
        "mapping values are not allowed",
        "a text that holds ': ' needs quotes; otherwise check the indentation",
    ),
    ("unexpected end of stream", "a quote that opens here is not closed"),
    ("',' or", "a bracket is not closed, or a comma is missing"),
    ("comment or line break", "a text that begins with '>' or '|' needs quotes"),
    ("expected chomping or indentation", "a text that begins with '>' or '|' needs quotes"),
    ("did not find expected", "check the indentation of this line and of those before it"),
    ("expected <block end>", "check the indentation of this line and of those before it"),
    ("could not find expected ':'", "write 'key: value', with a space after the colon"),
    ("unknown escape character", "use single quotes for a text with backslashes"),
    ("cannot start any token", "put the text in quotes: a plain text cannot begin with this character"),
)


class _Frame:
    """A mapping or list being filled. `key` is the key whose value comes next."""

    __slots__ = ("into", "key", "place")

    def __init__(self, into: dict[str, object] | list[object], place: _Place) -> None:
        self.into = into
        self.place = place
        self.key: str | _NoKey | None = None


class _NoKey:
    """In place of a key that was refused: its value is read and dropped."""


_NO_KEY = _NoKey()


class _Full(Exception):
    """Reading further makes no sense: too much, too deep, or too many mistakes."""


class _Composer:
    """Builds one document from the parser's events, without recursion, counting as it goes."""

    def __init__(self, name: str, text: str) -> None:
        self.problems: list[Problem] = []
        self._name = name
        self._text = text
        self._has_tabs = "\t" in text
        self._scalar_lines: set[int] = set()
        self._stack: list[_Frame] = []
        self._nodes = 0
        self._value: object = None
        self._root = _Place(1, 1)

    def compose(self) -> tuple[object, _Place]:
        loader = _LOADER(self._text)
        try:
            self._read(loader)
        except yaml.MarkedYAMLError as error:
            self._syntax(error)
        except _Full:
            pass  # the problem that filled the measure is among the problems
        else:
            self._tabs()
        finally:
            loader.dispose()
        return self._value, self._root

    def _read(self, loader: Any) -> None:
        documents = 0
        while (event := loader.get_event()) is not None:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._open(event, {})
            elif kind is yaml.SequenceStartEvent:
                self._open(event, [])
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._close(self._stack.pop())
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                self._document(event, documents)

    def _close(self, frame: _Frame) -> None:
        pass  # a mapping or list is whole; nothing is left to do

    def _alias(self, event: Any) -> None:
        self._refuse(event, f"the alias '*{excerpt(event.anchor)}' is not supported", "write the value out")
        self._add(None, self._place(event))

    def _document(self, event: Any, number: int) -> None:
        if number > 1:
            self._refuse(event, "a second document begins here", "a file holds one document; remove '---'")
            raise _Full
        if event.version or event.tags:
            self._refuse(event, "directives are not supported", "remove the line that begins with '%'")

    def _open(self, event: Any, into: dict[str, object] | list[object]) -> None:
        place = self._place(event)
        self._plain(event)
        self._add(into, place)
        if len(self._stack) >= MAX_DEPTH:
            self._refuse(event, f"nesting is deeper than {MAX_DEPTH} levels", "write it flatter")
            raise _Full
        self._stack.append(_Frame(into, place))

    def _scalar(self, event: Any) -> None:
        start, end = event.start_mark.line, event.end_mark.line
        if self._has_tabs and end > start:
            self._scalar_lines.update(range(start + 1, end + 1))
        self._plain(event)
        text: str = event.value
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        if event.style == '"' and (hidden := hidden_character(text)):
            self._refuse(event, f"the text holds an invisible or control character, {hidden}", "remove it")
        value = text if event.style else self._resolve(text, event)
        self._add(value, self._place(event), event)

    def _resolve(self, text: str, event: Any) -> object:
        """Give a plain scalar its type. Whatever is not written in the one canonical way stays text."""
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in _NUMERIC:
            return text
        if _INTEGER.fullmatch(text):
            number = int(text)
            return number if str(number) == text and abs(number) <= _LARGEST_EXACT else text
        if _FLOAT.fullmatch(text):
            real = float(text)
            return real if str(real) == text else text
        if _NOT_FINITE.fullmatch(text):
            self._refuse(event, f"'{text}' is not a number that can be compared", "write a finite number")
        return text

    def _plain(self, event: Any) -> None:
        """Refuse tags and anchors, and count the node."""
        if event.tag is not None:
            self._refuse(
                event, f"the tag '{excerpt(event.tag)}' is not supported", "remove it; quotes make a text"
            )
        if event.anchor is not None:
            self._anchor(event)
        self._count(event, 1)

    def _anchor(self, event: Any) -> None:
        self._refuse(
            event,
            f"the anchor '&{excerpt(event.anchor)}' is not supported",
            "write the value out where it is used",
        )

    def _count(self, event: Any, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            self._refuse(event, f"the file holds more than {MAX_NODES} values", "split it")
            raise _Full

    def _add(self, value: object, place: _Place, scalar: Any = None) -> None:
        """Put a value where it belongs: into the list or mapping that is open, as key or as value."""
        if not self._stack:
            self._value, self._root = value, place
            return
        frame = self._stack[-1]
        if isinstance(frame.into, list):
            frame.place.children[len(frame.into)] = (place.line, place.column, place)
            frame.into.append(value)
        elif frame.key is None:
            frame.key = self._key(frame, value, place, scalar)
        else:
            if isinstance(frame.key, str):
                line, column, _ = frame.place.children[frame.key]
                frame.place.children[frame.key] = (line, column, place)
                frame.into[frame.key] = value
            frame.key = None

    def _key(self, frame: _Frame, value: object, place: _Place, scalar: Any) -> str | _NoKey:
        where = Where(self._name, place.line, place.column)
        if not isinstance(value, str):
            found, hint = "a list" if isinstance(value, list) else _described(value), "write 'key: value'"
            if scalar is not None and scalar.value:
                hint = f'write it in quotes: "{scalar.value}"'
            self._problem(Problem(where, f"a key must be a text, found {found}", hint))
            return _NO_KEY
        if value == "<<" and not scalar.style:
            self._problem(Problem(where, "merge keys ('<<') are not supported", "write the keys out"))
            return _NO_KEY
        earlier = frame.place.children.get(value)
        if earlier is not None:
            self._problem(
                Problem(
                    where,
                    f"the key '{excerpt(value)}' is already given at line {earlier[0]}",
                    "keep one of the two: it is not clear which is meant",
                )
            )
            return _NO_KEY
        frame.place.children[value] = (place.line, place.column, place)
        return value

    def _place(self, event: Any) -> _Place:
        mark = event.start_mark
        return _Place(mark.line + 1, mark.column + 1)

    def _refuse(self, event: Any, message: str, hint: str) -> None:
        place = self._place(event)
        self._problem(Problem(Where(self._name, place.line, place.column), message, hint))

    def _problem(self, problem: Problem) -> None:
        self.problems.append(problem)
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Full

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        found = str(error.problem or "the file is not YAML")
        if "tab character" in found or self._at(line, column) == "\t":
            self._tab(line, column)
            return
        if "<document start>" in found:
            self.problems.append(
                Problem(
                    Where(self._name, line, column),
                    "a second document begins here",
                    "a file holds one document",
                )
            )
            return
        hint = next((text for part, text in _SYNTAX if part in found), "check the line")
        opened = error.context_mark
        begun = (
            f" (what begins at line {opened.line + 1})"
            if opened and mark and opened.line != mark.line
            else ""
        )
        self.problems.append(
            Problem(Where(self._name, line, column), f"this is not YAML: {found}{begun}", hint)
        )

    def _at(self, line: int, column: int) -> str:
        lines = self._text.splitlines()
        return lines[line - 1][column - 1 : column] if 0 < line <= len(lines) else ""

    def _tab(self, line: int, column: int) -> None:
        self.problems.append(
            Problem(Where(self._name, line, column), "a tab stands in the indentation", "indent with spaces")
        )

    def _tabs(self) -> None:
        """Refuse the tabs a parser lets pass, as between brackets. Those inside a text are the text's."""
        if not self._has_tabs:
            return
        for number, line in enumerate(self._text.splitlines()):
            lead = line[: len(line) - len(line.lstrip(" \t"))]
            if "\t" in lead and len(lead) < len(line) and number not in self._scalar_lines:
                self._tab(number + 1, lead.index("\t") + 1)
                if len(self.problems) >= MAX_PROBLEMS:
                    return


class _Merge(_NoKey):
    """In place of a merge key: its value is taken into the mapping around it."""


class _Composer11(_Composer):
    """Reads what was written for YAML 1.1. What an alias stands for is counted as if it were written out."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(name, text)
        self._anchored: dict[str, tuple[object, _Place, int]] = {}
        """Anchors whose value is whole, with the number of values in it."""
        self._opening: str | None = None
        """The anchor of the value that is read next."""
        self._open_anchors: list[tuple[str | None, int]] = []
        """Of each open mapping or list: its anchor, and how many values were read before it."""
        self._merged: list[tuple[_Frame, object, _Place]] = []

    def _anchor(self, event: Any) -> None:
        self._opening = event.anchor

    def _open(self, event: Any, into: dict[str, object] | list[object]) -> None:
        before = self._nodes
        super()._open(event, into)
        self._open_anchors.append((self._opening, before))
        self._opening = None

    def _close(self, frame: _Frame) -> None:
        if isinstance(frame.into, dict):
            self._merge(frame, frame.into)
        anchor, before = self._open_anchors.pop()
        if anchor is not None:
            self._anchored[anchor] = (frame.into, frame.place, self._nodes - before)

    def _alias(self, event: Any) -> None:
        value, place, nodes = self._anchored.get(event.anchor, (None, None, 0))
        if place is None:
            self._refuse(
                event,
                f"the alias '*{excerpt(event.anchor)}' has no anchor that is complete before it",
                "write the value out",
            )
            place = self._place(event)
        # A value that holds itself is never complete before its alias; one that doubles is counted.
        self._count(event, nodes)
        self._add(value, place)

    def _add(self, value: object, place: _Place, scalar: Any = None) -> None:
        if scalar is not None and self._opening is not None:
            self._anchored[self._opening] = (value, place, 1)
            self._opening = None
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.key, _Merge):
            self._merged.append((frame, value, place))
        super()._add(value, place, scalar)

    def _key(self, frame: _Frame, value: object, place: _Place, scalar: Any) -> str | _NoKey:
        if scalar is not None:
            if scalar.value == "<<" and not scalar.style:
                return _Merge()
            if not isinstance(value, str) and value is not None:
                value = scalar.value
        return super()._key(frame, value, place, scalar)

    def _merge(self, frame: _Frame, into: dict[str, object]) -> None:
        """Take in what merge keys name: the mapping's own keys come first, then the earlier of a list."""
        while self._merged and self._merged[-1][0] is frame:
            _, value, place = self._merged.pop()
            several = (
                [(place.children[n][2], one) for n, one in enumerate(value)]
                if isinstance(value, list)
                else [(place, value)]
            )
            for there, one in several:
                if not isinstance(one, dict):
                    where = Where(self._name, place.line, place.column)
                    self._problem(
                        Problem(where, "'<<' takes a mapping or a list of mappings", "write the keys out")
                    )
                    continue
                for key in [key for key in one if key not in into]:
                    into[key] = one[key]
                    frame.place.children[key] = there.children[key]

    def _resolve(self, text: str, event: Any) -> object:
        tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
        kind = tag.rpartition(":")[2]
        if kind == "bool":
            return text.lower() in ("yes", "true", "on")
        if kind == "null":
            return None
        if kind not in ("int", "float") or len(text) > _LONGEST_NUMBER:
            return text
        if _NOT_FINITE.fullmatch(text):
            return super()._resolve(text, event)
        try:
            number: int | float = getattr(_NUMBERS, f"construct_yaml_{kind}")(yaml.ScalarNode(tag, text))
        except ValueError:
            # The pattern takes what the number cannot be made of, as "0b_"; the other program fails on it.
            return text
        return number


_RESOLVER: Final[Any] = yaml.resolver.Resolver()
_NUMBERS: Final[Any] = yaml.constructor.SafeConstructor()
_LONGEST_NUMBER: Final = 40


# --- formats --------------------------------------------------------------------------------------

_MOMENT = re.compile(
    r"(?:19|[2-9]\d)\d\d-\d\d-\d\d([Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?)?", re.ASCII
)
_VIETNAMESE_DATE = re.compile(r"([0-3]?\d)[/.-]([01]?\d)[/.-](\d{4})", re.ASCII)
# "P1M" is left out: it is a month, and no slip for a minute.
_DURATION_SLIP = re.compile(r"(?:P(?!\d+M)|PT)?(\d{1,6}) ?([hmsdw])", re.ASCII | re.IGNORECASE)
_LONGEST: Final = 200 * 366 * 86_400


def moment_of(text: str, *, whole_day: bool = False) -> Seconds:
    """Read a moment that a person wrote: RFC 3339 with its offset, or a date in Viet Nam.

    A bare date is the first second of its day, or the last with `whole_day`: what is valid until a
    date is valid on that date.
    """
    # The pattern comes first: the parser behind it also takes week dates and times without minutes.
    if not _MOMENT.fullmatch(text):
        slip = _VIETNAMESE_DATE.fullmatch(text)
        hint = f"{slip[3]}-{slip[2]:0>2}-{slip[1]:0>2}" if slip else "2026-11-22 or 2026-11-22T08:00:00+07:00"
        raise ValueError(f"'{excerpt(text)}' is no time; write {hint}")
    moment = parse_time(text.upper())
    return moment + 86_399 if whole_day and len(text) == 10 else moment


def duration_of(text: str) -> Seconds:
    """Read a duration that a person wrote, with a suggestion for what is nearly one."""
    if len(text) > 40:
        raise ValueError(f"'{excerpt(text)}' is no duration; write it as in PT24H, P7D or P2W")
    try:
        seconds = parse_duration(text)
    except ValueError:
        slip = _DURATION_SLIP.fullmatch(text)
        if not slip:
            raise
        unit = slip[2].upper()
        meant = f"P{slip[1]}{unit}" if unit in "DW" else f"PT{slip[1]}{unit}"
        raise ValueError(f"'{text}' is no duration; did you mean '{meant}'?") from None
    if seconds > _LONGEST:
        raise ValueError(f"'{excerpt(text)}' is longer than 200 years")
    return seconds


def address_of(text: str) -> str:
    """Read an IP address or a network in CIDR notation, and write it in its usual form."""
    try:
        return str(ipaddress.ip_network(text)) if "/" in text else str(ipaddress.ip_address(text))
    except ValueError as error:
        if "has host bits set" in str(error):
            meant = ipaddress.ip_network(text, strict=False)
            raise ValueError(
                f"'{excerpt(text)}' is an address inside a network; did you mean '{meant}'?"
            ) from None
        raise ValueError(
            f"'{excerpt(text)}' is no IP address or network; write 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32"
        ) from None


def _formats() -> FormatChecker:
    checker = FormatChecker(formats=())
    readers: dict[str, Callable[[str], object]] = {
        "duration": duration_of,
        "calendar-duration": parse_calendar,
        "moment": moment_of,
        "last-moment": moment_of,
        "address": address_of,
    }
    for name, read in readers.items():
        checker.checks(name, ValueError)(_only_texts(read))
    return checker


def _only_texts(read: Callable[[str], object]) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        if isinstance(value, str):
            read(value)
        return True

    return check


FORMATS: Final = _formats()
"""Values of `format` in our schemas. `last-moment` is a moment whose bare date includes its whole day."""


# --- what a schema says of a document -------------------------------------------------------------


@cache
def schema(name: str) -> Mapping[str, Any]:
    """Read the JSON Schema of a kind of file, such as `sites`."""
    read: Mapping[str, Any] = json.loads((folder("schemas") / f"{name}.schema.json").read_text("utf-8"))
    return read


def problems_of_schema(
    document: Document,
    schema: Mapping[str, Any],
    *,
    value: object = ...,
    conceal: Collection[Pointer] = (),
) -> list[Problem]:
    """Check a document against a JSON Schema (draft 2020-12) and tell each mistake at its line.

    `value` stands in for the document's own where it was changed after reading, in the same shape;
    values at the pointers in `conceal` are not quoted in messages. A `$ref` reaches the schema
    itself only: nothing is ever fetched. `patternErrorMessage` in a schema says what a pattern wants.
    """
    validator = _VALIDATOR(schema, registry=Registry(), format_checker=FORMATS)
    teller = _Teller(document, frozenset(conceal))
    found: dict[Problem, None] = {}
    for error in validator.iter_errors(document.value if value is ... else value):
        for problem in teller.tell(error):
            found[problem] = None
    return sorted(found, key=_by_place)[:MAX_PROBLEMS]


def misfit(value: object, schema: Mapping[str, Any]) -> str:
    """Say what in a value of JSON a schema does not allow, and the way to it; empty when all of it fits.

    For files that a program wrote: it writes no whole number as 5.0, a line of theirs helps nobody, and
    the first mistake is enough to know that they are damaged.
    """
    teller = _Teller(Document("", value, "", _Place(0, 0)), frozenset())
    for error in _EXACT_VALIDATOR(schema, registry=Registry(), format_checker=FORMATS).iter_errors(value):
        pointer = tuple(error.absolute_path)
        told = next((p.message.removeprefix(_label(pointer)) for p in teller.tell(error)), "a key is missing")
        way = "".join(f"[{step}]" if isinstance(step, int) else f".{excerpt(step)}" for step in pointer)
        return f"{way.removeprefix('.')}: {told}" if way else told
    return ""


def _pattern(validator: Any, pattern: str, instance: object, schema: object) -> Iterator[ValidationError]:
    # JSON Schema's "$" is the end of the text; Python's also fits before a last line break.
    if pattern.endswith("$") and not pattern.endswith("\\$"):
        pattern = pattern[:-1] + r"\Z"
    if isinstance(instance, str) and not re.search(pattern, instance):
        yield ValidationError("does not fit the pattern")


_VALIDATOR: Any = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]

_EXACT_VALIDATOR: Any = extend(  # type: ignore[no-untyped-call]
    _VALIDATOR,
    type_checker=_VALIDATOR.TYPE_CHECKER.redefine("integer", lambda checker, value: value.__class__ is int),
)

_Error: TypeAlias = Any
"""A ValidationError of jsonschema, whose every field is typed as perhaps unset."""

_EXPECTED: Final = {
    "object": "a mapping (key: value)",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_SAYS_NO_MORE = frozenset({"type", "enum", "const", "pattern", "format"})
_COMPARISONS: Final = {
    "minimum": "at least {} is expected",
    "maximum": "at most {} is expected",
    "exclusiveMinimum": "more than {} is expected",
    "exclusiveMaximum": "less than {} is expected",
    "minItems": "{} or more items are expected",
    "maxItems": "{} or fewer items are expected",
    "minLength": "{} or more characters are expected",
    "maxLength": "{} or fewer characters are expected",
    "minProperties": "{} or more keys are expected",
}


class _Teller:
    """Turns errors of the validator into sentences with a place."""

    def __init__(self, document: Document, conceal: frozenset[Pointer]) -> None:
        self._document = document
        self._conceal = conceal

    def tell(self, error: _Error) -> Iterator[Problem]:
        pointer = tuple(error.absolute_path)
        match error.validator:
            case "additionalProperties":
                yield from self._unknown_keys(error, pointer)
            case "required":
                yield from self._missing_keys(error, pointer)
            case "dependentRequired":
                yield from self._lonely_keys(error, pointer)
            case "anyOf" | "oneOf":
                yield from self._alternatives(error, pointer)
            case "uniqueItems":
                yield from self._repeated(error, pointer)
            case _:
                yield self._one(error, pointer)

    def _unknown_keys(self, error: _Error, pointer: Pointer) -> Iterator[Problem]:
        known = _properties(error)
        for key in error.instance:
            if key not in known:
                free = [name for name in known if name not in error.instance]
                hint = did_you_mean(key, free) or f"known keys: {', '.join(known)}"
                where = self._document.where((*pointer, key), key=True)
                yield Problem(where, f"unknown key '{excerpt(key)}'", hint)

    def _missing_keys(self, error: _Error, pointer: Pointer) -> Iterator[Problem]:
        known = _properties(error)
        # A misspelt key is one mistake: its own message already names the key that is missing.
        slips = {did_you_mean(key, known) for key in error.instance if known and key not in known}
        for key in error.validator_value:
            if key not in error.instance and f"did you mean '{key}'?" not in slips:
                yield Problem(self._document.where(pointer), f"missing key '{key}'", self._about(error, key))

    def _about(self, error: _Error, key: str) -> str:
        about = _properties(error).get(key)
        text = about.get("description", "") if isinstance(about, Mapping) else ""
        return f"{key}: {text}" if text else f"add '{key}:'"

    def _lonely_keys(self, error: _Error, pointer: Pointer) -> Iterator[Problem]:
        for key, needed in error.validator_value.items():
            absent = [name for name in needed if name not in error.instance]
            if key in error.instance and absent:
                where = self._document.where((*pointer, key), key=True)
                yield Problem(
                    where, f"'{key}' needs {_listed(absent, 'and')} beside it", f"add '{absent[0]}:'"
                )

    def _repeated(self, error: _Error, pointer: Pointer) -> Iterator[Problem]:
        seen: set[str] = set()
        for number, item in enumerate(error.instance):
            known, text = len(seen), json.dumps(item, sort_keys=True)
            seen.add(text)
            if len(seen) == known:
                here = (*pointer, number)
                yield Problem(
                    self._document.where(here),
                    f"{_label(here)}{self._shown(item, here)} is already in the list",
                    "remove one of the two",
                )

    def _alternatives(self, error: _Error, pointer: Pointer) -> Iterator[Problem]:
        branches: dict[object, list[_Error]] = {}
        for inner in error.context or ():
            branches.setdefault(inner.schema_path[0], []).append(inner)
        keys = [key for branch in error.validator_value for key in branch.get("required", ())]
        if not branches and not isinstance(error.instance, Mapping) and keys:
            return  # no mapping, which is told elsewhere, lacks any key
        if not branches:
            message = f"only one of {_listed(keys, 'and')} may be given" if keys else "this has two meanings"
            yield Problem(self._document.where(pointer), message, "keep the one you mean")
        elif all(e.validator == "required" and not e.path for found in branches.values() for e in found):
            yield Problem(
                self._document.where(pointer), f"one of {_listed(keys, 'or')} is needed", f"add '{keys[0]}:'"
            )
        else:
            best = min(branches.values(), key=_unlikeliness)
            if _unlikeliness(best)[0]:
                yield self._no_alternative(error, pointer, [e for found in branches.values() for e in found])
            else:
                for inner in best:
                    yield from self.tell(inner)

    def _no_alternative(self, error: _Error, pointer: Pointer, inner: list[_Error]) -> Problem:
        """Say what would fit, when the value is of no kind any alternative takes."""
        words = [str(word) for e in inner if e.validator == "enum" for word in e.validator_value]
        kinds = [kind for e in inner if e.validator == "type" for kind in _as_list(e.validator_value)]
        near = did_you_mean(error.instance, words) if isinstance(error.instance, str) else ""
        if near:
            return self._not_one_of(error, pointer, words)
        if not words and not kinds:
            return self._one(inner[0], pointer)
        return self._wrong_type(error, pointer, kinds, words)

    def _one(self, error: _Error, pointer: Pointer) -> Problem:
        value, wanted = error.instance, error.validator_value
        if "propertyNames" in error.absolute_schema_path:
            where = self._document.where((*pointer, value), key=True)
            return Problem(
                where, f"the key '{excerpt(value)}' is not allowed here", self._pattern_help(error)
            )
        where = self._document.where(pointer)
        shown = self._shown(value, pointer)
        label = _label(pointer)
        match error.validator:
            case "type":
                return self._wrong_type(error, pointer, _as_list(wanted))
            case "enum":
                return self._not_one_of(error, pointer, [str(word) for word in wanted])
            case "const":
                return Problem(
                    where, f"{label}{_described(wanted)} is expected, found {shown}", self._description(error)
                )
            case "pattern":
                return Problem(
                    where, f"{label}{self._pattern_help(error)}, found {shown}", self._description(error)
                )
            case "format":
                reason = "it does not have the right form" if pointer in self._conceal else str(error.cause)
                return Problem(where, f"{label}{reason}")
            case name if name in _COMPARISONS:
                return Problem(
                    where,
                    f"{label}{_COMPARISONS[name].format(wanted)}, found {shown}",
                    self._description(error),
                )
            case _:
                return Problem(where, f"{label}{shown} is not allowed here", self._description(error))

    def _wrong_type(
        self, error: _Error, pointer: Pointer, kinds: Sequence[str], words: Sequence[str] = ()
    ) -> Problem:
        value = error.instance
        wanted = " or ".join(dict.fromkeys([*words, *(_EXPECTED[kind] for kind in kinds)]))
        message = f"{_label(pointer)}{wanted} is expected, found {self._shown(value, pointer)}"
        concealed = pointer in self._conceal
        hint = "what comes from the environment is a text" if concealed else _type_hint(value, kinds)
        if isinstance(value, str) and {"vi", "en"} <= set(_properties(error)) and not concealed:
            hint = f"write it in both languages: {{vi: {excerpt(value)}, en: …}}"
        return Problem(self._document.where(pointer), message, hint)

    def _not_one_of(self, error: _Error, pointer: Pointer, words: Sequence[str]) -> Problem:
        near = did_you_mean(error.instance, words) if isinstance(error.instance, str) else ""
        message = f"{_label(pointer)}{self._shown(error.instance, pointer)} is not known here"
        return Problem(self._document.where(pointer), message, near or f"write one of: {', '.join(words)}")

    def _pattern_help(self, error: _Error) -> str:
        schema = error.schema if isinstance(error.schema, Mapping) else {}
        return str(schema.get("patternErrorMessage") or "another form is expected")

    def _description(self, error: _Error) -> str:
        schema = error.schema if isinstance(error.schema, Mapping) else {}
        return str(schema.get("description", ""))

    def _shown(self, value: object, pointer: Pointer) -> str:
        return "a value from the environment" if pointer in self._conceal else _described(value)


def _properties(error: _Error) -> Mapping[str, Any]:
    known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
    return known if isinstance(known, Mapping) else {}


def _unlikeliness(errors: Sequence[_Error]) -> tuple[bool, int, int, int]:
    """Order the alternatives of a schema: the one that was probably meant comes first."""
    wrong_kind = any(not e.path and e.validator in _SAYS_NO_MORE for e in errors)
    wrong_tag = sum(len(e.path) == 1 and e.validator in ("const", "enum") for e in errors)
    wrong_keys = sum(not e.path and e.validator in ("required", "additionalProperties") for e in errors)
    return wrong_kind, wrong_tag, wrong_keys, len(errors)


def _type_hint(value: object, kinds: Sequence[str]) -> str:
    if value is None:
        return "give a value, or leave the key out"
    if "string" in kinds and isinstance(value, bool | int | float):
        return f'write it in quotes: "{str(value).lower()}"'
    if "boolean" in kinds and isinstance(value, str):
        return "write true or false, without quotes"
    if "array" in kinds and isinstance(value, str | int | float):
        return f"write it in brackets: [{excerpt(str(value))}]"
    if isinstance(value, str) and {"integer", "number"} & set(kinds):
        return "write the number without quotes or unit"
    return ""


def _label(pointer: Pointer) -> str:
    """Name the value: by its key, and its position if it stands in a list."""
    if not pointer:
        return ""
    if isinstance(pointer[-1], str):
        return f"'{excerpt(pointer[-1])}': "
    key = next((step for step in reversed(pointer) if isinstance(step, str)), "")
    return f"'{excerpt(key)}', item {pointer[-1] + 1}: " if key else f"item {pointer[-1] + 1}: "


def _listed(keys: Sequence[str], word: str) -> str:
    quoted = [f"'{key}'" for key in dict.fromkeys(keys)]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {word} {quoted[-1]}"


def _as_list(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _described(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text '{excerpt(value)}'" if value else "an empty text"
        case list():
            return "a list" if value else "an empty list"
        case _:
            return "a mapping"
