"""Reads Heat Orchestration Templates (HOT) as the stack they will make, with their environment.

Parameters take the values of the environment and then their defaults; of one that has none the value is not
told, and of a hidden one it is never read. Functions are worked out where their inputs are told. Groups are
taken apart into their members, and templates of the same folder that are used as types are read too. A type
of which it is not told whether or how many resources there are is named in `Code.perhaps`; what may declare
anything, in `Code.unread`: the list of resources is then not whole.
"""

from __future__ import annotations

import json
import math
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from os.path import relpath
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from cloudaudit.collectors.deployment.block import LATER, WITHHELD, Block, Code, CodeTarget, Link, Untold
from cloudaudit.collectors.deployment.heat_functions import DATES, NAMES, Budget, Functions, at, worst
from cloudaudit.collectors.deployment.heat_meaning import PLAIN, TYPES, makes, translated
from cloudaudit.errors import Problem, SourceError, TargetError, Where, did_you_mean
from cloudaudit.model import Written
from cloudaudit.yamlsource import MAX_BYTES, As, Document, Pointer, excerpt, loads

MOST_RESOURCES: Final = 20_000
"""Of one target, with all members of groups. Heat itself allows 1,000 unless it is told otherwise."""
DEEPEST: Final = 10
"""Templates within templates. Heat itself allows 5 unless it is told otherwise."""
GROUP: Final = "OS::Heat::ResourceGroup"
SCALING: Final = "OS::Heat::AutoScalingGroup"
_MEMBERS: Final = {GROUP: "resource_def", SCALING: "resource"}
"""Groups, and the property of each that tells what its members are."""
NONE: Final = "OS::Heat::None"
VALUE: Final = "OS::Heat::Value"
_NAMED: Final = frozenset({"OS::Nova::KeyPair", "OS::Swift::Container"})
"""Types whose reference is a name that the template may give."""

# heat/common/environment_format.py
_ENVIRONMENT: Final = frozenset(
    {"parameters", "resource_registry", "parameter_defaults", "encrypted_param_names", "event_sinks",
     "parameter_merge_strategies"}
)  # fmt: skip
# heat/engine/hot/template.py
_SECTIONS: Final = frozenset(
    {"heat_template_version", "description", "parameter_groups", "parameters", "resources", "outputs",
     "conditions"}
)  # fmt: skip
_KEYS: Final = frozenset(
    {"type", "properties", "metadata", "depends_on", "deletion_policy", "update_policy", "description",
     "external_id", "condition"}
)  # fmt: skip
_OF_HEAT: Final = ("OS::stack_id", "OS::stack_name", "OS::project_id", "OS::region")
"""Parameters that Heat gives itself."""
_TRUE: Final = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE: Final = frozenset({"0", "f", "false", "off", "n", "no"})
_TEMPLATE: Final = re.compile(r".\.(?:yaml|yml|template|json)", re.IGNORECASE)
_HCL: Final = re.compile(
    rb'^\s*(?:resource|provider|variable|module|data|output|terraform|locals)\s*(?:"[^"\n]*"\s*){0,2}\{', re.M
)


def read(target: CodeTarget, content: bytes) -> Code:
    """Read a template, with its environment and the templates it uses. TargetError: Heat would refuse one."""
    reading = _Reading(target)
    document = reading.parsed(content, str(target.file))
    reading.take_environment()
    stack = _Stack(reading, document, target.shown, reading.given, "", (target.file.resolve(),), frozenset())
    stack.declare()
    blocks, untold = translated(reading.blocks)
    perhaps = {**untold, **reading.perhaps}
    made = {**reading.made, "heat_template_version": stack.version}
    digest = sha256(content).hexdigest()
    return Code(
        "heat template",
        target.shown,
        digest,
        blocks,
        tuple(dict.fromkeys(reading.unread)),
        made,
        perhaps=perhaps,
    )


class _Reading:
    """All that is read for one target: the template, its environment and what they use."""

    def __init__(self, target: CodeTarget) -> None:
        self.target = target
        self.blocks: list[Block] = []
        self.unread: list[str] = []
        self.perhaps: dict[str, str] = {}
        """Types of blocks of which there may be more, and why."""
        self.made: dict[str, str] = {}
        """Digests of the other files that were read, by how a repository names them."""
        self.budget = Budget()
        self.given: Mapping[str, Any] = {}
        self.defaults: Mapping[str, Any] = {}
        self.registry: Mapping[str, Any] = {}
        self.registered_in: Path | None = None
        self._root = target.file.resolve().parent
        self._documents: dict[Path, Document] = {}

    def parsed(self, content: bytes, name: str) -> Document:
        problems: Sequence[Problem] = ()
        try:
            document = loads(content, name, As.YAML_1_1)
        except SourceError as wrong:
            problems = wrong.problems
        else:
            # NOTE: a block of HCL can be read as YAML, as one long text.
            if isinstance(document.value, dict | None) or not _HCL.search(content):
                return document
        if _HCL.search(content):
            hint = "a plan of it is a target of kind terraform: terraform show -json PLAN > plan.json"
            raise TargetError("this is HCL of Terraform, no Heat template", where=Where(name), hint=hint)
        raise TargetError.of(problems)

    def take_environment(self) -> None:
        path = self.target.environment
        if path is None:
            return
        document = self.parsed(self._bytes(path, "environment", self.target.where), str(path))
        self.made[self._shown(path)] = document.digest
        value = {} if document.value is None else document.value
        if not isinstance(value, dict):
            raise TargetError("an environment is a mapping", where=document.where())
        problems = [
            Problem(
                document.where((key,), key=True),
                f"'{excerpt(key)}' is no section of an environment",
                did_you_mean(key, _ENVIRONMENT),
            )
            for key in value
            if key not in _ENVIRONMENT
        ]
        problems += [
            Problem(document.where((key,)), f"'{key}' must be a mapping")
            for key in ("parameters", "parameter_defaults", "resource_registry")
            if not isinstance(value.get(key, {}), dict)
        ]
        if problems:
            raise TargetError.of(problems)
        self.given = value.get("parameters", {})
        self.defaults = value.get("parameter_defaults", {})
        self.registry = value.get("resource_registry", {})
        self.registered_in = path
        named = self.registry.get("resources")
        for name, own in named.items() if isinstance(named, dict) else ():
            if isinstance(own, dict) and any(isinstance(inner, dict) for inner in own.values()):
                line = document.where(("resource_registry", "resources", name), key=True).line
                self.unread.append(
                    f"{self._shown(path)}:{line}: what lies within '{excerpt(name)}' is mapped"
                )

    def nested(self, written: str, folder: Path, where: Where) -> tuple[Document, Path, str] | str:
        """A template that another names, or why it is not read. TargetError: it is not there, or no YAML."""
        here = written.removeprefix("file://") if written.startswith("file:///") else written
        if "://" in here:
            return f"'{excerpt(written)}' lies elsewhere, and nothing is fetched"
        path = folder / here
        try:
            whole = path.resolve()
        except (OSError, RuntimeError, ValueError):
            raise TargetError(f"'{excerpt(written)}' is no path", where=where) from None
        if not whole.is_relative_to(self._root):
            return f"'{excerpt(written)}' lies outside the folder of the template"
        if whole not in self._documents:
            document = self.parsed(self._bytes(whole, excerpt(written), where), str(path))
            self._documents[whole] = document
            self.made[self._shown(whole)] = document.digest
        return self._documents[whole], whole, self._shown(whole)

    def _bytes(self, path: Path, what: str, where: Where | None) -> bytes:
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except (OSError, ValueError) as wrong:
            why = getattr(wrong, "strerror", None) or type(wrong).__name__
            raise TargetError(f"'{what}' cannot be read: {why}", where=where) from None
        return content

    def _shown(self, path: Path) -> str:
        """A file as a repository names it, which names the template as the target shows it."""
        beside = Path(relpath(path.resolve(), self._root)).as_posix()
        whole = posixpath.normpath(posixpath.join(posixpath.dirname(self.target.shown), beside))
        return path.name if whole.startswith("..") else whole

    def add(self, block: Block, where: Where) -> None:
        if len(self.blocks) >= MOST_RESOURCES:
            raise TargetError(f"the template declares more than {MOST_RESOURCES} resources", where=where)
        self.blocks.append(block)


class _Stack:
    """One template with the values of its parameters: the whole one, or one that another uses as a type.

    `given` are the values of its parameters, `prefix` stands before its names, `chain` are the files around
    it, and `removed` the entries of the registry that brought it in and do not hold within.
    """

    def __init__(
        self, reading: _Reading, document: Document, shown: str, given: Mapping[str, Any], prefix: str,
        chain: tuple[Path, ...], removed: frozenset[str],
    ) -> None:  # fmt: skip
        self._reading = reading
        self._document = document
        self._shown = shown
        self._prefix = prefix
        self._chain = chain
        self._removed = removed
        self.version = self._known()
        self._resources = self._section("resources")
        self._values: dict[str, Any] = {}
        self._functions = Functions(
            document, self.version, self._parameters(given), self._reference, self._attribute, reading.budget
        )

    def _wrong(self, pointer: Pointer, message: str, hint: str = "", *, key: bool = False) -> NoReturn:
        raise TargetError(message, where=self._document.where(pointer, key=key), hint=hint)

    def _unread(self, pointer: Pointer, why: str) -> None:
        self._reading.unread.append(f"{self._shown}:{self._document.where(pointer, key=True).line}: {why}")

    def _perhaps(self, type_: str, name: str, pointer: Pointer, why: str, properties: Any = None) -> None:
        """Note that there may be more of a type than is told, with what Heat makes beside it.

        `properties` are those of a group, of whose members that is said.
        """
        where = self._document.where(pointer, key=True)
        mapped, _ = self._mapped(type_, name, where)
        if mapped in _MEMBERS and not self._reading.registry.get("resources"):
            # What the registry has for single resources may be for any of the members.
            member = properties.get(_MEMBERS[mapped]) if isinstance(properties, dict) else None
            inner = member.get("type") if isinstance(member, dict) else None
            mapped = self._mapped(inner, name, where)[0] if isinstance(inner, str) else mapped
        if mapped in TYPES:
            for one in makes(mapped):
                self._reading.perhaps.setdefault(one, f"{self._shown}:{where.line}: {why}")
        elif mapped != NONE and mapped not in PLAIN:
            # What a group has for members, and what a template declares, is not told apart here.
            self._unread(pointer, why)

    # --- the template ----------------------------------------------------------------------------

    def _known(self) -> str:
        """The version of the template, as a date. TargetError: it has none, or one that is not known."""
        value = self._document.value
        if not isinstance(value, dict):
            self._wrong((), "this is no Heat template: a template is a mapping")
        for key in ("AWSTemplateFormatVersion", "HeatTemplateFormatVersion"):
            if key in value:
                self._wrong(
                    (key,), f"a template with '{key}' is in the format of CloudFormation, which is not read",
                    "write it as a Heat Orchestration Template (HOT)", key=True,
                )  # fmt: skip
        if "heat_template_version" not in value:
            if {"terraform_version", "format_version"} & value.keys():
                self._wrong(
                    (), "this is JSON of Terraform, no Heat template", "its target is of kind terraform"
                )
            self._wrong(
                (), "this is no Heat template: it has no 'heat_template_version'",
                f"begin it with heat_template_version: {DATES[-1]}, or an older version that your Heat has",
            )  # fmt: skip
        version = value["heat_template_version"]
        version = NAMES.get(version, version) if isinstance(version, str) else version
        if version not in DATES:
            shown = f"'{excerpt(version)}'" if isinstance(version, str) else "what stands here"
            self._wrong(
                ("heat_template_version",), f"{shown} is no version of HOT that is known",
                f"known are {', '.join(DATES)} and {', '.join(NAMES)}",
            )  # fmt: skip
        for key in value.keys() - _SECTIONS:
            self._wrong(
                (key,),
                f"'{excerpt(key)}' is no section of a template",
                did_you_mean(key, _SECTIONS),
                key=True,
            )
        return cast(str, version)

    def _section(self, key: str) -> Mapping[str, Any]:
        value = self._document.value.get(key)
        if value is not None and not isinstance(value, dict):
            self._wrong((key,), f"'{key}' must be a mapping of names")
        found: Mapping[str, Any] = value or {}
        for name, one in found.items():
            if not isinstance(one, dict):
                self._wrong((key, name), f"'{excerpt(name)}' in '{key}' must be a mapping")
        return found

    def _parameters(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        declared = self._section("parameters")
        values: dict[str, Any] = dict.fromkeys(_OF_HEAT, LATER)
        for name in given.keys() - declared.keys():
            self._wrong(
                ("parameters",), f"the template has no parameter '{excerpt(name)}', which is given",
                did_you_mean(name, declared),
            )  # fmt: skip
        for name, schema in declared.items():
            kind = schema.get("type")
            if not isinstance(kind, str) or kind not in _KINDS:
                message = f"parameter '{excerpt(name)}': its type must be one of {', '.join(_KINDS)}"
                self._wrong(("parameters", name, "type"), message)
            values[name] = self._parameter(name, schema, given.get(name))
        return values

    def _parameter(self, name: str, schema: Mapping[str, Any], given: Any) -> Any:
        if str(schema.get("hidden", "false")).lower() == "true":
            return WITHHELD
        sources = (given, self._reading.defaults.get(name), schema.get("default"))
        value = next((one for one in sources if one is not None), LATER)
        if worst(value) is not None:
            return value
        try:
            return _KINDS[schema["type"]](value)
        except (ValueError, TypeError, RecursionError):
            own = value is schema.get("default")
            whence = "its default" if own else "the value given"
            self._wrong(
                ("parameters", name, "default") if own else ("parameters", name),
                f"parameter '{excerpt(name)}': {whence} is no {schema['type']}",
            )

    # --- what names stand for --------------------------------------------------------------------

    def _resource(self, name: str, pointer: Pointer) -> Mapping[str, Any]:
        found: Mapping[str, Any] | None = self._resources.get(name)
        if found is None:
            self._wrong(
                pointer, f"there is no resource '{excerpt(name)}'", did_you_mean(name, self._resources)
            )
        if self._presence(name) is False:
            self._wrong(pointer, f"the resource '{excerpt(name)}' is not there: its condition does not hold")
        return found

    def _presence(self, name: str) -> bool | Untold:
        resource = self._resources[name]
        if resource.get("condition") is None:
            return True
        return self._functions.condition(resource["condition"], ("resources", name, "condition"))

    def _reference(self, name: str, pointer: Pointer) -> Any:
        resource = self._resource(name, pointer)
        if "external_id" in resource:
            return self._functions.value(resource["external_id"], ("resources", name, "external_id"))
        type_ = resource.get("type")
        if isinstance(type_, str) and type_ in _NAMED:
            given = self._value(name, "name")
            return Link(self._prefix + name, "name") if given is None else given
        return Link(self._prefix + name)

    def _attribute(self, name: str, path: Any, pointer: Pointer) -> Any:
        resource = self._resource(name, pointer)
        if not path or not isinstance(path[0], str):
            return LATER
        type_, (attribute, *rest) = resource.get("type"), path
        if type_ == VALUE and attribute == "value":
            return at(self._value(name, "value"), rest)
        if type_ == GROUP and not rest and re.fullmatch(r"resource\.[0-9]+", attribute):
            return Link(f"{self._prefix}{name}/{attribute.removeprefix('resource.')}")
        if type_ == GROUP and attribute == "refs":
            count = _whole(self._value(name, "count"), 1)
            removed = self._value(name, "removal_policies")
            if isinstance(count, int) and not removed and 0 <= count <= MOST_RESOURCES:
                return at([Link(f"{self._prefix}{name}/{n}") for n in range(count)], rest)
        return LATER

    def _value(self, name: str, property_: str) -> Any:
        """A property of a resource, for what rests on it."""
        key = f"{name}/{property_}"
        pointer = ("resources", name, "properties")
        if key not in self._values:
            self._values[key] = _OPEN
            written = self._resources[name].get("properties") or {}
            one = written.get(property_) if isinstance(written, dict) else LATER
            self._values[key] = self._functions.value(one, (*pointer, property_))
        if self._values[key] is _OPEN:
            self._wrong((*pointer, property_), f"'{excerpt(property_)}' of '{excerpt(name)}' rests on itself")
        return self._values[key]

    # --- what is declared ------------------------------------------------------------------------

    def declare(self) -> None:
        for name, resource in self._resources.items():
            pointer = ("resources", name)
            for key in resource.keys() - _KEYS:
                self._wrong(
                    (*pointer, key),
                    f"'{excerpt(key)}' is no key of a resource",
                    did_you_mean(key, _KEYS),
                    key=True,
                )
            type_ = resource.get("type")
            if not isinstance(type_, str) or not type_:
                self._wrong(pointer, f"the resource '{excerpt(name)}' has no type", key=True)
            presence = self._presence(name)
            if "external_id" in resource:
                # It is there already, whether the template names it or not.
                continue
            if isinstance(presence, Untold):
                why = f"whether '{excerpt(name)}' is declared rests on a condition that is not told"
                self._perhaps(type_, name, pointer, why, resource.get("properties"))
            elif presence:
                properties = self._functions.value(resource.get("properties"), (*pointer, "properties"))
                self._one(self._prefix + name, name, type_, properties, pointer, (*pointer, "properties"))

    def _one(
        self, address: str, name: str, type_: str, properties: Any, pointer: Pointer, within: Pointer
    ) -> None:
        """Declare one resource. `pointer` is where it stands, `within` where its properties do."""
        if worst(properties if not isinstance(properties, dict | None) else None) is not None:
            self._perhaps(type_, name, pointer, f"the properties of '{excerpt(name)}' are not told")
            return
        if not isinstance(properties, dict | None):
            self._wrong(within, f"the properties of '{excerpt(name)}' must be a mapping")
        # Heat takes null for a property that is left out.
        values = {key: one for key, one in (properties or {}).items() if one is not None}
        where = self._document.where(pointer, key=True)
        mapped, entry = self._mapped(type_, name, where)
        if mapped == NONE:
            return
        if _TEMPLATE.search(mapped) or "://" in mapped:
            self._nested(address, name, mapped, entry, values, pointer, within)
        elif mapped in (GROUP, SCALING):
            self._group(address, name, mapped, values, pointer, within)
        elif mapped in TYPES:
            lines = dict(self._lines(within, values))
            written = Written(self._shown, where.line, lines)
            told = values.get("name")
            shown = told if isinstance(told, str) else address
            self._reading.add(Block(address, mapped, shown, values, written), where)
        elif mapped not in PLAIN:
            self._unread(pointer, f"what '{excerpt(mapped)}' makes is not read")

    def _lines(self, within: Pointer, values: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
        """Lines of properties, and of the mappings in their lists by position and key, as far as they are
        written out there and not made by a function."""
        written: Any = self._document.value
        for step in within:
            written = written.get(step) if isinstance(written, dict) else None
        for key in values:
            one = written.get(key) if isinstance(written, dict) else None
            if one is None:
                continue
            yield key, self._document.where((*within, key), key=True).line
            for n, row in enumerate(one) if isinstance(one, list) else ():
                yield f"{key}.{n}", self._document.where((*within, key, n)).line
                for inner in row if isinstance(row, dict) else ():
                    yield f"{key}.{n}.{inner}", self._document.where((*within, key, n, inner), key=True).line

    def _mapped(self, type_: str, name: str, where: Where) -> tuple[str, str | None]:
        """What the registry of the environment has in place of a type, and which entry of it says so."""
        entry: str | None = None
        for _ in range(DEEPEST):
            found = self._entry(type_, name)
            if found is None:
                return type_, entry
            entry, new = found
            if new == type_:
                return type_, entry
            type_ = new
        raise TargetError(
            f"the type '{excerpt(type_)}' is mapped in a circle by resource_registry", where=where
        )

    def _entry(self, type_: str, name: str) -> tuple[str, str] | None:
        registry = self._reading.registry
        named = registry.get("resources")
        own = named.get(name) if isinstance(named, dict) and not self._prefix else None
        if isinstance(own, dict) and isinstance(own.get(type_), str):
            return f"resources/{name}/{type_}", own[type_]
        if isinstance(registry.get(type_), str) and type_ not in self._removed:
            return type_, registry[type_]
        globs = (
            key for key, to in registry.items()
            if key.endswith("*") and isinstance(to, str) and type_ != to and type_.startswith(key[:-1])
            and key not in self._removed and key != "base_url"
        )  # fmt: skip
        key = max(globs, key=len, default=None)
        if key is None:
            return None
        to: str = registry[key]
        return key, to[:-1] + type_[len(key) - 1 :] if to.endswith("*") else to

    def _nested(
        self, address: str, name: str, file: str, entry: str | None, values: Mapping[str, Any],
        pointer: Pointer, within: Pointer,
    ) -> None:  # fmt: skip
        """Read a template that is used as a type: the properties are its parameters."""
        where = self._document.where((*pointer, "type"))
        folder = self._chain[-1].parent
        if entry is not None and self._reading.registered_in is not None:
            folder = self._reading.registered_in.parent
            if "base_url" in self._reading.registry:
                file = f"{self._reading.registry['base_url']}/{file}"
        found = self._reading.nested(file, folder, where)
        if isinstance(found, str):
            self._unread(pointer, f"what '{excerpt(name)}' declares is not read: {found}")
            return
        document, path, shown = found
        if path in self._chain:
            raise TargetError(f"'{excerpt(file)}' uses itself as a type", where=where)
        if len(self._chain) > DEEPEST:
            raise TargetError(f"templates lie within each other more than {DEEPEST} deep", where=where)
        declared = document.value.get("parameters") if isinstance(document.value, dict) else None
        for key in values.keys() - (declared.keys() if isinstance(declared, dict) else ()):
            self._wrong((*within, key), f"'{excerpt(file)}' has no parameter '{excerpt(key)}'", key=True)
        removed = self._removed | ({entry} if entry else set())
        chain = (*self._chain, path)
        _Stack(self._reading, document, shown, values, f"{address}/", chain, removed).declare()

    def _group(
        self,
        address: str,
        name: str,
        type_: str,
        values: Mapping[str, Any],
        pointer: Pointer,
        within: Pointer,
    ) -> None:
        """Take a group apart into its members, which are all alike but for their number."""
        key = _MEMBERS[type_]
        written = (
            values.get("count") if type_ == GROUP else values.get("desired_capacity", values.get("min_size"))
        )
        count, member = _whole(written, 1), values.get(key)
        removed = values.get("removal_policies")
        if isinstance(count, Untold) or worst(removed) is not None:
            why = f"how many members '{excerpt(name)}' has is not told"
            self._perhaps(type_, name, pointer, why, values)
            return
        if not isinstance(count, int) or count < 0:
            self._wrong((*within, "count"), f"the number of members of '{excerpt(name)}' must be 0 or more")
        if isinstance(member, Untold | Link) or (
            isinstance(member, dict) and worst(member.get("type")) is not None
        ):
            self._unread(pointer, f"what the members of '{excerpt(name)}' are is not told")
            return
        if not isinstance(member, dict) or not isinstance(member.get("type"), str):
            self._wrong((*within, key), f"'{key}' of '{excerpt(name)}' must be a mapping with a type")
        word = values.get("index_var", "%index%") if type_ == GROUP else None
        if word is not None and (not isinstance(word, str) or len(word) < 3):
            self._wrong((*within, "index_var"), "'index_var' must be a text of three or more characters")
        inner = (*within, key, "properties")
        for number in _numbers(count, removed):
            self._functions.spend(1, pointer)
            properties = member.get("properties")
            own = properties if word is None else self._numbered(properties, word, number, pointer)
            self._one(f"{address}/{number}", number, member["type"], own, pointer, inner)

    def _numbered(self, value: Any, word: str, number: str, pointer: Pointer) -> Any:
        """A value with the number of a member in place of a word, in texts but not in keys."""
        match value:
            case str():
                return value.replace(word, number)
            case list():
                self._functions.spend(len(value), pointer)
                return [self._numbered(one, word, number, pointer) for one in value]
            case dict():
                self._functions.spend(len(value), pointer)
                return {key: self._numbered(one, word, number, pointer) for key, one in value.items()}
            case _:
                return value


_OPEN: Final = object()
"""In place of a property that is being worked out."""


def _numbers(count: int, removed: Any) -> Iterator[str]:
    """The numbers of the members of a group, which are also their names; removed ones are passed over."""
    without: Collection[str] = ()
    if isinstance(removed, list):
        lists = [one.get("resource_list") or () for one in removed if isinstance(one, dict)]
        without = {str(one) for listed in lists for one in listed}
    number = 0
    while count:
        if str(number) not in without:
            count -= 1
            yield str(number)
        number += 1


def _whole(value: Any, default: int) -> Any:
    """A whole number, which Heat also takes as a text; the value itself if it is none."""
    if value is None:
        return default
    if isinstance(value, Link):
        return LATER
    if isinstance(value, str):
        with suppress(ValueError):
            return int(value)
    return value


def _string(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _number(value: Any) -> int | float:
    if isinstance(value, int | float):
        return value
    try:
        return int(value)
    except ValueError:
        number = float(value)
        if not math.isfinite(number):
            raise
        return number


def _boolean(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("neither true nor false")
    return word in _TRUE


def _json(value: Any) -> Any:
    found = json.loads(value) if isinstance(value, str) and value else value
    if not isinstance(found, dict | list | str | int | float | bool | None):
        raise TypeError("no JSON")
    return found


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [_string(one) for one in value]
    if not isinstance(value, str):
        raise TypeError("no list")
    return value.split(",") if value else []


# heat/engine/parameters.py
_KINDS: Final[Mapping[str, Any]] = {
    "string": _string, "number": _number, "boolean": _boolean, "json": _json, "comma_delimited_list": _list,
}  # fmt: skip
"""Types of parameters, and how a value of each is read."""

__all__ = ["read"]
