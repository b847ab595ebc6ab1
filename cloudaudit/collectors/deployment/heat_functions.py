"""Works out the intrinsic functions of Heat templates, as far as their inputs are told.

A function is worked out as Heat does it at the template's version. Of what it takes nothing is guessed: a
result that rests on something not told is :data:`LATER`, or :data:`WITHHELD` where a hidden parameter went
into it. Nothing is read from files or the network, and expressions of YAQL are not run: their results are
LATER too. All work is bounded, whatever the template asks for.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final, NoReturn, TypeAlias
from urllib.parse import quote, urlencode, urlunsplit

from cloudaudit.collectors.deployment.block import LATER, WITHHELD, Link, Untold
from cloudaudit.errors import TargetError, did_you_mean
from cloudaudit.yamlsource import Document, Pointer, excerpt

# https://docs.openstack.org/heat/latest/template_guide/hot_spec.html#heat-template-version
DATES: Final = (
    "2013-05-23", "2014-10-16", "2015-04-30", "2015-10-15", "2016-04-08", "2016-10-14", "2017-02-24",
    "2017-09-01", "2018-03-02", "2018-08-31", "2021-04-16",
)  # fmt: skip
NAMES: Final[Mapping[str, str]] = {
    "newton": "2016-10-14", "ocata": "2017-02-24", "pike": "2017-09-01", "queens": "2018-03-02",
    "rocky": "2018-08-31", "wallaby": "2021-04-16",
}  # fmt: skip
"""Releases that a version may be named after."""

MOST_WORK: Final = 5_000_000
"""Values and characters that all functions of one target may make."""
DEEPEST: Final = 80
"""Functions and containers within each other, also by way of other resources and conditions."""
_DIGESTS: Final = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512"})
_URL_PARTS: Final = frozenset(
    {"scheme", "username", "password", "host", "port", "path", "query", "fragment"}
)  # fmt: skip


class _Dropped(Enum):
    """In place of what an `if` without a third value leaves out."""

    DROPPED = 0


DROPPED: Final = _Dropped.DROPPED


class Budget:
    """What may still be worked out, for all templates of one target together."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST_WORK

    def spend(self, amount: int) -> bool:
        self.left -= amount
        return self.left >= 0


Resolve: TypeAlias = Callable[[str, Pointer], Any]
"""What the name of a resource stands for; None where there is none of that name."""
Attribute: TypeAlias = Callable[[str, Sequence[Any], Pointer], Any]
"""What an attribute of a resource is, by the path to it."""


class Functions:
    """The functions of one template, for the values of its parameters.

    `parameters` holds values of the parameters' types. `conditions` is the section as it was read.
    """

    def __init__(
        self,
        document: Document,
        version: str,
        parameters: Mapping[str, Any],
        reference: Resolve,
        attribute: Attribute,
        budget: Budget,
    ) -> None:
        self._document = document
        self._version = DATES.index(version)
        self._parameters = parameters
        self._reference = reference
        self._attribute = attribute
        self._budget = budget
        self._depth = 0
        self._deciding = False
        found = document.value.get("conditions") or {}
        if not isinstance(found, dict):
            self.wrong(("conditions",), "'conditions' must be a mapping of names to conditions")
        self._conditions: Mapping[str, Any] = found
        self._decided: dict[str, bool | Untold | None] = {}
        """Conditions by name; None while one is being worked out."""

    def wrong(self, pointer: Pointer, message: str, hint: str = "") -> NoReturn:
        raise TargetError(message, where=self._document.where(pointer), hint=hint)

    def value(self, raw: Any, pointer: Pointer) -> Any:
        """What a part of the template comes to. TargetError: a function cannot take what it is given."""
        if not isinstance(raw, dict | list):
            return raw
        self._depth += 1
        if self._depth > DEEPEST:
            self.wrong(pointer, f"values rest on each other more than {DEEPEST} deep", "write it flatter")
        try:
            return self._worked_out(raw, pointer)
        finally:
            self._depth -= 1

    def _worked_out(self, raw: dict[str, Any] | list[Any], pointer: Pointer) -> Any:
        if isinstance(raw, list):
            found = [self.value(one, (*pointer, n)) for n, one in enumerate(raw)]
            return [one for one in found if one is not DROPPED]
        if len(raw) == 1:
            ((name, arguments),) = raw.items()
            function = self._function(name, pointer)
            if function is not None:
                return function(self, arguments, (*pointer, name))
        pairs = ((key, self.value(one, (*pointer, key))) for key, one in raw.items())
        return {key: one for key, one in pairs if one is not DROPPED}

    def _function(self, name: str, pointer: Pointer) -> _Function | None:
        """The function of a name in this version; None: the name is a key like any other."""
        if name in _FUNCTIONS and (self._deciding or name not in _OF_CONDITIONS):
            since, function = _FUNCTIONS[name]
            return function if self._version >= since else None
        if name in _REMOVED:
            if self._version > _REMOVED[name]:
                self.wrong(
                    (*pointer, name),
                    f"the function '{name}' is not in HOT {DATES[self._version]}",
                    "the guide of Heat names a function of HOT in its place",
                )
            return _later
        return None

    def condition(self, raw: Any, pointer: Pointer) -> bool | Untold:
        """Whether a condition holds: a name, a boolean or a function. TargetError: it is none."""
        deciding, self._deciding = self._deciding, True
        try:
            return self._decision(raw, pointer)
        finally:
            self._deciding = deciding

    def _decision(self, raw: Any, pointer: Pointer) -> bool | Untold:
        found = self.value(raw, pointer)
        if isinstance(found, bool | Untold):
            return found
        if isinstance(found, Link):
            return LATER
        if not isinstance(found, str) or found not in self._conditions:
            near = did_you_mean(found, self._conditions) if isinstance(found, str) else ""
            shown = f"'{excerpt(found)}'" if isinstance(found, str) else "this"
            self.wrong(pointer, f"{shown} is no condition of this template", near)
        if found not in self._decided:
            self._decided[found] = None
            whole = self.value(self._conditions[found], ("conditions", found))
            if isinstance(whole, str):
                whole = self.condition(whole, ("conditions", found))
            if isinstance(whole, Link):
                whole = LATER
            if not isinstance(whole, bool | Untold):
                self.wrong(
                    ("conditions", found), f"the condition '{excerpt(found)}' is neither true nor false"
                )
            self._decided[found] = whole
        decided = self._decided[found]
        if decided is None:
            self.wrong(pointer, f"the condition '{excerpt(found)}' rests on itself")
        return decided

    def spend(self, amount: int, pointer: Pointer) -> None:
        if not self._budget.spend(amount):
            self.wrong(
                pointer, f"the template comes to more than {MOST_WORK} values and characters", "split it"
            )

    def measured(self, value: Any, pointer: Pointer) -> Any:
        """A value that is used once more, with its size spent: it could double and double again."""
        level, depth = [value], 0
        while level:
            size = sum(len(one) // 64 if isinstance(one, str) else 1 for one in level)
            self.spend(size, pointer)
            inner: list[Any] = []
            for one in level:
                if isinstance(one, dict):
                    inner += one.values()
                elif isinstance(one, list):
                    inner += one
            level, depth = inner, depth + 1
            if depth > DEEPEST:
                self.wrong(pointer, f"values lie within each other more than {DEEPEST} deep")
        return value

    # --- functions that look things up -----------------------------------------------------------

    def get_param(self, raw: Any, pointer: Pointer) -> Any:
        arguments = self.value(raw, pointer)
        if (why := worst(arguments)) is not None:
            return why
        path = arguments if isinstance(arguments, list) else [arguments]
        if not path or not isinstance(path[0], str):
            self.wrong(pointer, "'get_param' takes the name of a parameter, or a list that begins with one")
        if path[0] not in self._parameters:
            self.wrong(
                pointer,
                f"there is no parameter '{excerpt(path[0])}'",
                did_you_mean(path[0], [name for name in self._parameters if "::" not in name]),
            )
        return self.measured(_at(self._parameters[path[0]], path[1:], ""), pointer)

    def get_resource(self, raw: Any, pointer: Pointer) -> Any:
        name = self.value(raw, pointer)
        if isinstance(name, Untold | Link):
            return LATER
        if not isinstance(name, str):
            self.wrong(pointer, "'get_resource' takes the name of a resource")
        return self._reference(name, pointer)

    def get_attr(self, raw: Any, pointer: Pointer) -> Any:
        arguments = self.value(raw, pointer)
        if not isinstance(arguments, list) or not arguments or not isinstance(arguments[0], str | Untold):
            self.wrong(pointer, "'get_attr' takes a list: the name of a resource, an attribute, and a path")
        if isinstance(arguments[0], Untold):
            return arguments[0]
        return self.measured(self._attribute(arguments[0], arguments[1:], pointer), pointer)

    # --- functions of texts ----------------------------------------------------------------------

    def str_replace(self, raw: Any, pointer: Pointer, strict: bool = False, empty: bool = True) -> Any:
        name = str(pointer[-1])
        arguments = self.value(raw, pointer)
        if isinstance(arguments, Untold):
            return arguments
        if not isinstance(arguments, dict) or not {"template", "params"} <= arguments.keys():
            self.wrong(pointer, f"'{name}' takes a mapping of 'template' and 'params'")
        template, params = arguments["template"], arguments["params"]
        if (why := worst([template, params] if isinstance(params, Untold | Link) else template)) is not None:
            return why
        if not isinstance(template, str):
            self.wrong((*pointer, "template"), f"'template' of '{name}' must be a text")
        if not isinstance(params, dict):
            self.wrong((*pointer, "params"), f"'params' of '{name}' must be a mapping")
        # Longer words first, and what was put in is not searched again: as Heat splits and joins.
        pieces: list[tuple[str, bool]] = [(template, False)]
        found: list[Untold] = []
        for word in sorted(sorted(params), key=len, reverse=True):
            if not word:
                self.wrong((*pointer, "params"), f"'params' of '{name}' has an empty word")
            seen = False
            split: list[tuple[str, bool]] = []
            value = params[word]
            why = worst(value)
            shown = "" if why is not None else self._shown(value, (*pointer, "params", word), empty)
            for text, done in pieces:
                parts = [text] if done else text.split(word)
                seen = seen or len(parts) > 1
                self.spend(len(parts) * (1 + len(shown)), pointer)
                for n, part in enumerate(parts):
                    if n:
                        split.append((shown, True))
                    split.append((part, done))
            pieces = split
            if seen and why is not None:
                found.append(why)
            if strict and not seen:
                self.wrong(
                    (*pointer, "params"), f"'{excerpt(word)}' is not found in the template of '{name}'"
                )
        if found:
            return WITHHELD if WITHHELD in found else LATER
        return "".join(text for text, _ in pieces)

    def str_replace_strict(self, raw: Any, pointer: Pointer) -> Any:
        return self.str_replace(raw, pointer, strict=True)

    def str_replace_vstrict(self, raw: Any, pointer: Pointer) -> Any:
        return self.str_replace(raw, pointer, strict=True, empty=False)

    def _shown(self, value: Any, pointer: Pointer, empty: bool) -> str:
        """A value as it is put into a text."""
        shown = "" if value is None else value if isinstance(value, str) else str(value)
        if isinstance(value, dict | list):
            shown = json.dumps(value, sort_keys=True) if value or empty else ""
        if not shown and not empty:
            self.wrong(pointer, "an empty value is not taken here")
        return shown

    def list_join(self, raw: Any, pointer: Pointer) -> Any:
        arguments = self.value(raw, pointer)
        if not isinstance(arguments, list) or len(arguments) < 2:
            self.wrong(pointer, "'list_join' takes a list: what to put between, and lists of texts")
        delimiter = arguments[0]
        texts: list[Any] = []
        for n, one in enumerate(arguments[1:], 1):
            if one is None or one == "":
                continue
            if not isinstance(one, list | Untold | Link):
                self.wrong((*pointer, n), "'list_join' joins lists")
            texts += one if isinstance(one, list) else [one]
        if (why := worst([delimiter, texts])) is not None:
            return why
        if not isinstance(delimiter, str):
            self.wrong(pointer, "what 'list_join' puts between must be a text")
        if not all(isinstance(one, str | dict | list) or one is None for one in texts):
            self.wrong(pointer, "'list_join' joins texts; a number needs quotes")
        joined = delimiter.join(self._shown(one, pointer, True) for one in texts)
        self.spend(len(joined), pointer)
        return joined

    def str_split(self, raw: Any, pointer: Pointer) -> Any:
        arguments = self.value(raw, pointer)
        if not isinstance(arguments, list) or len(arguments) not in (2, 3):
            self.wrong(pointer, "'str_split' takes a list: what parts the text, the text, and a position")
        if (why := worst(arguments)) is not None:
            return why
        delimiter, text, *position = arguments
        if text is None:
            return None
        if not isinstance(delimiter, str) or not delimiter or not isinstance(text, str):
            self.wrong(pointer, "'str_split' takes two texts, and the first may not be empty")
        parts = text.split(delimiter)
        self.spend(len(parts), pointer)
        if not position:
            return parts
        try:
            return parts[int(position[0])]
        except (ValueError, TypeError, IndexError):
            self.wrong(pointer, f"'str_split': the position must be a number from 0 to {len(parts) - 1}")

    def digest(self, raw: Any, pointer: Pointer) -> Any:
        arguments = self.value(raw, pointer)
        if (why := worst(arguments)) is not None:
            return why
        if not isinstance(arguments, list) or [type(one) for one in arguments] != [str, str]:
            self.wrong(pointer, "'digest' takes a list: the name of an algorithm, and a text")
        algorithm, text = arguments
        if algorithm.lower() not in _DIGESTS:
            # Heat has whatever its machine's OpenSSL has.
            return LATER
        try:
            return hashlib.new(algorithm, text.encode("latin-1"), usedforsecurity=False).hexdigest()
        except UnicodeEncodeError:
            self.wrong(pointer, "'digest' takes a text of Latin-1")

    def make_url(self, raw: Any, pointer: Pointer) -> Any:
        parts = self.value(raw, pointer)
        if (why := worst(parts)) is not None:
            return why
        if not isinstance(parts, dict) or not parts.keys() <= _URL_PARTS:
            self.wrong(pointer, f"'make_url' takes a mapping of {', '.join(sorted(_URL_PARTS))}")
        if not all(isinstance(one, str) for key, one in parts.items() if key not in ("port", "query")):
            self.wrong(pointer, "the parts of 'make_url' must be texts")
        query = parts.get("query", {})
        if not isinstance(query, dict) or ":" in parts.get("scheme", ""):
            self.wrong(pointer, "'make_url' takes a mapping as 'query', and a scheme without ':'")
        port = str(parts.get("port", ""))
        if "port" in parts and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            self.wrong(pointer, "'port' must be a number from 1 to 65535")
        user, password = (quote(parts.get(key, ""), safe="") for key in ("username", "password"))
        host = quote(parts.get("host", "").removeprefix("[").removesuffix("]"), safe=":")
        login = f"{user}{':' if password else ''}{password}@" if user or password else ""
        place = f"{login}{f'[{host}]' if ':' in host else host}{':' if port else ''}{port}"
        return urlunsplit(
            (
                parts.get("scheme", ""), place, quote(parts.get("path", "")),
                urlencode(query).replace("%2F", "/"), quote(parts.get("fragment", "")),
            )
        )  # fmt: skip

    # --- functions of lists and mappings ---------------------------------------------------------

    def list_concat(self, raw: Any, pointer: Pointer, unique: bool = False) -> Any:
        lists = self.value(raw, pointer)
        if isinstance(lists, Untold | Link):
            return worst(lists)
        whole: list[Any] = []
        if not isinstance(lists, list):
            self.wrong(pointer, f"'{pointer[-1]}' takes a list of lists")
        for n, one in enumerate(lists):
            if not isinstance(one, list | Untold | Link) and one is not None:
                self.wrong((*pointer, n), f"'{pointer[-1]}' takes lists")
            # A list that is not told leaves its mark: what is told of the others is known to be in.
            whole += one if isinstance(one, list) else [] if one is None else [one]
        self.spend(len(whole), pointer)
        if not unique:
            return whole
        if len(whole) > 1000:
            self.spend(len(whole) ** 2 // 64, pointer)
        kept: list[Any] = []
        for one in whole:
            if not any(_same(one, other) for other in kept):
                kept.append(one)
        return kept

    def list_concat_unique(self, raw: Any, pointer: Pointer) -> Any:
        return self.list_concat(raw, pointer, unique=True)

    def map_merge(self, raw: Any, pointer: Pointer) -> Any:
        maps = self.value(raw, pointer)
        if isinstance(maps, Untold | Link):
            return worst(maps)
        if not isinstance(maps, list):
            self.wrong(pointer, "'map_merge' takes a list of mappings")
        whole: dict[str, Any] = {}
        for n, one in enumerate(maps):
            if isinstance(one, Untold | Link):
                # It may replace any key before it, and add any.
                return worst(maps)
            if not isinstance(one, dict) and one is not None:
                self.wrong((*pointer, n), "'map_merge' takes mappings")
            whole |= one or {}
        self.spend(len(whole), pointer)
        return whole

    def map_replace(self, raw: Any, pointer: Pointer) -> Any:
        arguments = self.value(raw, pointer)
        if isinstance(arguments, Untold | Link):
            return worst(arguments)
        if not isinstance(arguments, list) or len(arguments) != 2:
            self.wrong(pointer, "'map_replace' takes a list: a mapping, and a mapping of 'keys' and 'values'")
        source, changes = ({} if one is None else one for one in arguments)
        if (why := worst([source if isinstance(source, Untold) else None, changes])) is not None:
            return why
        if (
            not isinstance(source, dict)
            or not isinstance(changes, dict)
            or changes.keys() - {"keys", "values"}
        ):
            self.wrong(pointer, "'map_replace' takes a mapping, and a mapping of 'keys' and 'values'")
        keys, values = (changes.get(key) or {} for key in ("keys", "values"))
        if not isinstance(keys, dict) or not isinstance(values, dict):
            self.wrong(pointer, "'keys' and 'values' of 'map_replace' must be mappings")
        replaced: dict[str, Any] = {}
        for key, value in source.items():
            new = keys.get(key)
            new = key if new is None else str(new)
            if new != key and (new in source or new in replaced):
                self.wrong(pointer, f"'map_replace' makes the key '{excerpt(new)}' twice")
            plain = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
            replaced[new] = values.get(str(value), value) if plain else value
        return replaced

    def filter(self, raw: Any, pointer: Pointer) -> Any:
        arguments = self.value(raw, pointer)
        if isinstance(arguments, Untold | Link):
            return worst(arguments)
        if not isinstance(arguments, list) or len(arguments) != 2:
            self.wrong(pointer, "'filter' takes a list: values to leave out, and a list")
        values, whole = arguments
        if isinstance(whole, Untold | Link) or worst(values) is not None:
            return worst(arguments)
        if not isinstance(whole, list | None) or not isinstance(values, list | None):
            self.wrong(pointer, "'filter' takes two lists")
        if not whole or not values:
            return whole
        self.spend(len(whole) * len(values) // 64, pointer)
        # What is not told may be one of the values: it stays, and is not told.
        return [one for one in whole if not any(_same(one, other) for other in values)]

    def repeat(self, raw: Any, pointer: Pointer) -> Any:
        arguments = self.value(raw, pointer)
        if not isinstance(arguments, dict) or not {"template", "for_each"} <= arguments.keys():
            self.wrong(pointer, "'repeat' takes a mapping of 'template' and 'for_each'")
        template, each = arguments["template"], arguments["for_each"]
        if isinstance(each, Untold | Link):
            return [worst(each)]
        if not isinstance(each, dict) or not each:
            self.wrong((*pointer, "for_each"), "'for_each' must be a mapping of words to lists")
        if not all(each):
            self.wrong((*pointer, "for_each"), "a word of 'for_each' is empty")
        lists: list[list[Any]] = []
        for word, one in each.items():
            if isinstance(one, Untold | Link):
                # How often it is repeated is not told.
                return [worst(one)]
            if not isinstance(one, list | dict | None):
                self.wrong((*pointer, "for_each", word), "'for_each' takes lists")
            lists.append(list(one or ()))
        rounds: Iterator[tuple[Any, ...]]
        nested = arguments.get("permutations", True)
        if nested is True:
            number = 1
            for listed in lists:
                number *= len(listed)
            self.spend(number, pointer)
            rounds = itertools.product(*lists)
        elif nested is False:
            if len({len(listed) for listed in lists}) > 1:
                self.wrong((*pointer, "for_each"), "without permutations, the lists must be of one length")
            rounds = zip(*lists, strict=True)
        else:
            self.wrong((*pointer, "permutations"), "'permutations' must be true or false")
        words = tuple(each)
        for listed in lists:
            if not all(isinstance(one, str | Untold | Link) for one in listed):
                self.wrong((*pointer, "for_each"), "'for_each' takes lists of texts; a number needs quotes")
        return [self._filled(template, words, values, pointer) for values in rounds]

    def _filled(self, template: Any, words: Sequence[str], values: Sequence[Any], pointer: Pointer) -> Any:
        """A template with values in place of words, in keys and texts."""
        self.spend(1, pointer)
        match template:
            case str():
                for word, value in zip(words, values, strict=True):
                    if word in template:
                        if not isinstance(value, str):
                            return worst(value)
                        self.spend(template.count(word) * len(value) // 16, pointer)
                        template = template.replace(word, value)
                return template
            case list():
                return [self._filled(one, words, values, pointer) for one in template]
            case dict():
                filled: dict[str, Any] = {}
                for key, one in template.items():
                    new = self._filled(key, words, values, pointer)
                    if not isinstance(new, str):
                        return LATER
                    filled[new] = self._filled(one, words, values, pointer)
                return filled
            case _:
                return template

    # --- conditions ------------------------------------------------------------------------------

    def choose(self, raw: Any, pointer: Pointer) -> Any:
        """`if`: only the branch that is chosen is worked out, as Heat does."""
        fewest = 2 if self._version >= DATES.index("2021-04-16") else 3
        if not isinstance(raw, list) or not fewest <= len(raw) <= 3:
            self.wrong(pointer, "'if' takes a list: a condition, the value if it holds, and the value if not")
        holds = self.condition(raw[0], (*pointer, 0))
        if isinstance(holds, Untold):
            first, second = (self._branch(raw, n, pointer) for n in (1, 2))
            return first if first is not DROPPED and _same(first, second) else holds
        return self._branch(raw, 1 if holds else 2, pointer)

    def _branch(self, raw: list[Any], number: int, pointer: Pointer) -> Any:
        return self.value(raw[number], (*pointer, number)) if number < len(raw) else DROPPED

    def equals(self, raw: Any, pointer: Pointer) -> bool | Untold:
        pair = self.value(raw, pointer)
        if not isinstance(pair, list) or len(pair) != 2:
            self.wrong(pointer, "'equals' takes a list of two values")
        why = worst(pair)
        return bool(pair[0] == pair[1]) if why is None else why

    def negate(self, raw: Any, pointer: Pointer) -> bool | Untold:
        if raw is None:
            self.wrong(pointer, "'not' takes a condition")
        holds = self.condition(raw, pointer)
        return holds if isinstance(holds, Untold) else not holds

    def all_of(self, raw: Any, pointer: Pointer) -> bool | Untold:
        return self._together(raw, pointer, False)

    def any_of(self, raw: Any, pointer: Pointer) -> bool | Untold:
        return self._together(raw, pointer, True)

    def _together(self, raw: Any, pointer: Pointer, deciding: bool) -> bool | Untold:
        """`and`, `or`: one condition that is `deciding` decides, whatever is not told of the others."""
        if not isinstance(raw, list) or len(raw) < 2:
            self.wrong(pointer, f"'{pointer[-1]}' takes a list of two or more conditions")
        found = [self.condition(one, (*pointer, n)) for n, one in enumerate(raw)]
        if deciding in found:
            return deciding
        return WITHHELD if WITHHELD in found else LATER if LATER in found else not deciding

    def contains(self, raw: Any, pointer: Pointer) -> bool | Untold:
        arguments = self.value(raw, pointer)
        if not isinstance(arguments, list) or len(arguments) != 2:
            self.wrong(pointer, "'contains' takes a list: a value, and a list")
        value, whole = arguments
        why = worst(arguments)
        if isinstance(whole, str) and isinstance(value, str):
            return value in whole
        if isinstance(whole, list) and any(_same(value, one) for one in whole):
            return True
        if why is not None:
            return why
        if not isinstance(whole, list):
            self.wrong((*pointer, 1), "'contains' looks into a list")
        return False


_Function: TypeAlias = Callable[[Functions, Any, Pointer], Any]


def _later(functions: Functions, raw: Any, pointer: Pointer) -> Untold:
    """A function whose result is not worked out here: files, expressions of YAQL, what Heat alone knows."""
    return LATER


_SINCE: Final[Mapping[str, Mapping[str, _Function]]] = {
    "2013-05-23": {
        "get_param": Functions.get_param, "get_resource": Functions.get_resource,
        "get_attr": Functions.get_attr, "list_join": Functions.list_join,
        "str_replace": Functions.str_replace, "resource_facade": _later, "get_file": _later,
    },
    "2015-04-30": {"repeat": Functions.repeat, "digest": Functions.digest},
    "2015-10-15": {"str_split": Functions.str_split},
    "2016-04-08": {"map_merge": Functions.map_merge},
    "2016-10-14": {
        "yaql": _later, "map_replace": Functions.map_replace, "if": Functions.choose,
        "equals": Functions.equals, "not": Functions.negate, "and": Functions.all_of,
        "or": Functions.any_of,
    },
    "2017-02-24": {"filter": Functions.filter, "str_replace_strict": Functions.str_replace_strict},
    "2017-09-01": {
        "make_url": Functions.make_url, "list_concat": Functions.list_concat,
        "list_concat_unique": Functions.list_concat_unique, "contains": Functions.contains,
        "str_replace_vstrict": Functions.str_replace_vstrict,
    },
}  # fmt: skip
_FUNCTIONS: Final[Mapping[str, tuple[int, _Function]]] = {
    name: (DATES.index(since), function)
    for since, those in _SINCE.items()
    for name, function in those.items()
}
_OF_CONDITIONS: Final = frozenset({"equals", "not", "and", "or"})
"""Functions only where a condition stands; elsewhere keys like any other, as in the rules of an alarm."""
_REMOVED: Final[Mapping[str, int]] = {
    **dict.fromkeys(
        ("Fn::GetAZs", "Fn::Join", "Fn::Split", "Fn::Replace", "Fn::Base64", "Fn::MemberListToMap",
         "Fn::ResourceFacade", "Ref"), 0,
    ),
    "Fn::Select": DATES.index("2015-04-30"),
}  # fmt: skip
"""Functions of CloudFormation, with the last version that has them."""


def _at(value: Any, path: Sequence[Any], absent: Any) -> Any:
    """What lies at a path within a value; `absent` where nothing does, as Heat has it."""
    for step in path:
        if isinstance(value, Untold | Link):
            return worst(value)
        try:
            value = value[int(step)] if isinstance(value, list | str) else value[str(step)]
        except (KeyError, IndexError, TypeError, ValueError):
            return absent
    return value


def at(value: Any, path: Sequence[Any]) -> Any:
    """What lies at a path of an attribute; None where nothing does."""
    return _at(value, path, None)


def worst(value: Any) -> Untold | None:
    """Why a value is not told as a whole; a secret in it comes first, for what is made of it is one too."""
    found: Untold | None = None
    left = [value]
    while left:
        match left.pop():
            case Untold() as why:
                if why is WITHHELD:
                    return WITHHELD
                found = why
            case Link():
                found = LATER
            case list() as inner:
                left += inner
            case dict() as inner:
                left += inner.values()
    return found


def _same(one: Any, other: Any) -> bool:
    """Whether two values are known to be equal."""
    return (
        worst([one, other]) is None
        and bool(one == other)
        and isinstance(one, bool) == isinstance(other, bool)
    )
