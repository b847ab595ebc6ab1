"""Reads plans and states of Terraform and OpenTofu, in the JSON that `show -json` writes, and state files.

Of a plan, what will be there after it: with what is known only then marked as such, at any depth, and what is
marked as a secret taken out before anything else looks at it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import chain
from typing import Any, Final, NoReturn, TypeAlias
from urllib.parse import urlsplit

from cloudaudit.collectors.deployment.block import ELSEWHERE, LATER, WITHHELD, Block, Code, CodeTarget
from cloudaudit.collectors.deployment.references import Configuration, Expression, Index, Module, Place
from cloudaudit.collectors.deployment.sources import FIXED, Body, Sources
from cloudaudit.errors import TargetError
from cloudaudit.model import Written

MAX_DEPTH: Final = 100
"""Of modules, and of values in values."""
LONGEST_ADDRESS: Final = 4096
_MAKE: Final = {
    "plan": "terraform plan -out=p && terraform show -json p > plan.json (tofu likewise)",
    "state": "terraform show -json > state.json, or the file terraform.tfstate itself (tofu likewise)",
}
_HCL: Final = re.compile(
    r"^[ \t]*(resource|data|module|variable|output|provider|terraform|locals)\b[^\n={]*\{", re.MULTILINE
)
_OLD_STATE: Final = 4
"""The version of state files that Terraform has written since 0.12, and OpenTofu from its beginning."""


class _Malformed(ValueError):
    """A part is not of the kind it has to be. The message holds no value."""


def read(target: CodeTarget, content: bytes) -> Code:
    """Read a plan or state. TargetError: it is none, or of a version that is not known."""
    document = _document(target, content)
    digest = sha256(content).hexdigest()
    try:
        _is_what_it_should_be(target, document)
        blocks, unread, made, gone = (_plan if target.form == "plan" else _state)(target, document)
    except (_Malformed, RecursionError) as wrong:
        what = str(wrong) if isinstance(wrong, _Malformed) else _TOO_DEEP
        _refuse(target, what, f"make it anew: {_MAKE[target.form]}")
    return Code(f"terraform {target.form}", target.shown, digest, blocks, unread, made, gone)


_TOO_DEEP: Final = "its values are nested too deeply"


def _refuse(target: CodeTarget, what: str, hint: str) -> NoReturn:
    raise TargetError(f"'{target.form}': {target.shown}: {what}", where=target.where, hint=hint) from None


def _document(target: CodeTarget, content: bytes) -> dict[str, Any]:
    """The JSON object of a file. TargetError: it is none; nothing of it is quoted, as it may hold secrets."""
    make = f"make it with: {_MAKE[target.form]}"
    if content.startswith(b"PK\x03\x04"):
        _refuse(
            target, "is a plan as `terraform plan -out` writes it, which only Terraform can read",
            f"make JSON of it: terraform show -json {target.shown} > plan.json (tofu likewise)",
        )  # fmt: skip
    if not content.strip():
        _refuse(target, "is empty", make)
    try:
        # NOTE: PowerShell's `>` writes UTF-16 with a mark at its beginning.
        text = content.decode(json.detect_encoding(content))
    except UnicodeDecodeError:
        _refuse(target, "is neither UTF-8 nor UTF-16", make)
    try:
        document = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        _refuse(target, _TOO_DEEP, make)
    except json.JSONDecodeError as wrong:
        _refuse(target, _what_it_is(text, wrong), make)
    except ValueError:
        _refuse(target, "holds a number that JSON does not have, or that is too long", make)
    if not isinstance(document, dict):
        _refuse(target, "holds no JSON object", make)
    if "@level" in document:
        _refuse(target, _MESSAGES, make)
    return document


_MESSAGES: Final = "holds the messages of `terraform plan -json`, which tell too little of what is planned"


def _no_number(name: str) -> NoReturn:
    raise ValueError("a number that JSON does not have")


def _what_it_is(text: str, wrong: json.JSONDecodeError) -> str:
    """What a file is that is no JSON."""
    if text.lstrip().startswith("{"):
        if '"@level"' in text.split("\n", 1)[0]:
            return _MESSAGES
        if not text[wrong.pos :].strip() or wrong.msg.startswith("Unterminated string"):
            return f"breaks off in line {wrong.doc.count(chr(10)) + 1}"
        return f"is no JSON: line {wrong.lineno}, column {wrong.colno}"
    if _HCL.search(text[: 1 << 20]):
        return "is the configuration itself (HCL), not JSON made from it"
    return f"is no JSON: line {wrong.lineno}, column {wrong.colno}"


def _is_what_it_should_be(target: CodeTarget, document: Mapping[str, Any]) -> None:
    """TargetError: it is the other one, none of the two, or of a version that is not known."""
    plan = any(key in document for key in ("planned_values", "resource_changes", "output_changes"))
    raw = "version" in document and "format_version" not in document
    version = document.get("version" if raw else "format_version")
    if version is None and "encrypted_data" in document:
        _refuse(target, "is encrypted by OpenTofu", f"have it decrypted: {_MAKE[target.form]}")
    if version is None:
        _refuse(target, f"is no {target.form}: it has no 'format_version'", f"make it: {_MAKE[target.form]}")
    told = f"'{version}'" if re.fullmatch(r"[0-9.]{1,16}", str(version)) else "that is not a number"
    if raw:
        if target.form == "plan" and "resources" not in document:
            _refuse(target, "has no plan in it", f"make it: {_MAKE['plan']}")
        if target.form == "plan":
            _refuse(target, "is a state, not a plan", "write `state:` in place of `plan:`, or make a plan")
        if version != _OLD_STATE:
            hint = "Terraform 0.12 or newer, or OpenTofu, writes version 4 with its next `apply`"
            _refuse(target, f"has state version {told}; only {_OLD_STATE} is known", hint)
        return
    if str(version).split(".")[0] not in ("0", "1") or told.endswith("number"):
        hint = f"look for a newer cloudaudit, or make it by Terraform 1 or OpenTofu: {_MAKE[target.form]}"
        _refuse(target, f"has format version {told}; 0.1, 0.2 and 1.x are known", hint)
    if target.form == "plan" and not plan:
        if "values" in document:
            _refuse(target, "is a state, not a plan", "write `state:` in place of `plan:`, or make a plan")
        _refuse(target, "has no plan in it", f"make it: {_MAKE['plan']}")
    if target.form == "plan" and "configuration" not in document:
        _refuse(target, "lacks 'configuration', which every plan has", f"make it: {_MAKE['plan']}")
    if target.form == "state" and plan:
        _refuse(target, "is a plan, not a state", "write `plan:` in place of `state:`")


# Plans


_Read: TypeAlias = tuple[Sequence[Block], Sequence[str], dict[str, str], frozenset[str]]
"""Of a :class:`Code`: its blocks, what could not be read, how it was made, and what is taken away."""


def _plan(target: CodeTarget, document: Mapping[str, Any]) -> _Read:
    if "planned_values" not in document:
        raise _Malformed("'planned_values' is missing")
    changes = _Changes(document)
    planned = list(_resources(_object(_object(document, "planned_values"), "root_module")))
    told = _object(document, "configuration")
    sources = Sources(target.source, target.source_shown, told) if target.source else None
    configuration = Configuration(told, sources)
    differs = sources.differs(configuration.declared()) if sources else ""
    providers = _Providers(told, configuration, _object(document, "variables"))
    prior = {
        one.address
        for one in _resources(_object(_object(_object(document, "prior_state"), "values"), "root_module"))
        if one.mode == "managed"
    }
    unread = list(_unfinished(document))
    seen: dict[str, _Row] = {}
    for one in planned:
        if one.address in seen:
            raise _Malformed("'planned_values' has a resource with the address of another one")
        seen[one.address] = one
        module = configuration.module(one.module)
        if one.mode != "managed":
            continue
        change = changes.of.get(one.address)
        unknown = _object(change, "after_unknown") if change is not None else {}
        configuration.declare(module.address, one.kind, one.index, one.address, unknown)
        if change is None and one.address not in prior:
            unread.append("a resource is planned of which the plan does not tell what is known of it")
    torn = _tears_down(document, changes, seen)
    unread += _absent(changes, prior, seen, configuration, torn_down=torn > 0)
    for outer, kind in changes.waiting:
        configuration.unread(configuration.module(outer).address if outer else "", kind)
    reader = _Planned(target, configuration, providers, document["format_version"] != "0.1")
    # NOTE: what is forgotten is among the planned values too, without any.
    blocks = tuple(
        reader.block(one, changes.of.get(one.address), one.address in prior)
        for one in planned
        if one.mode == "managed" and one.address not in changes.gone
    )
    made = _made(document, sources)
    if torn:
        made["deleted"] = str(torn)
    if differs:
        made["source_differs"] = differs
    return blocks, tuple(dict.fromkeys(unread)), made, frozenset(changes.deleted)


class _Changes:
    """What a plan does to each resource."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.of: dict[str, Mapping[str, Any]] = {}
        """By address."""
        self.gone: dict[str, tuple[str, str]] = {}
        """Module and `type.name` of what is deleted, or no longer kept, by address."""
        self.deleted: set[str] = set()
        """Types of what is deleted."""
        self.waiting: set[tuple[str, str]] = set()
        """The same of data that are read only while deploying."""
        for one in _list(document, "resource_changes"):
            if not isinstance(one, dict):
                raise _Malformed("'resource_changes' has an entry that is no object")
            # A deposed object is one that a replacement left behind. It goes.
            if "deposed" not in one:
                self._add(one, _address(one), _object(one, "change"))

    def _add(self, one: Mapping[str, Any], address: str, change: Mapping[str, Any]) -> None:
        which = _text(one.get("module_address", "")), f"{one.get('type')}.{one.get('name')}"
        actions = _list(change, "actions")
        if one.get("mode", "managed") == "data":
            if "read" in actions:
                self.waiting.add(which)
        elif address in self.of:
            raise _Malformed("'resource_changes' has two changes of one resource")
        else:
            if "after_unknown" not in change:
                raise _Malformed("'resource_changes' has a change without 'after_unknown'")
            self.of[address] = change
            if actions in (["delete"], ["forget"]):
                self.gone[address] = which
                if actions == ["delete"]:
                    self.deleted.add(_word(one, "type"))


def _unfinished(document: Mapping[str, Any]) -> Iterator[str]:
    """Why a plan is not the whole of what is to be deployed."""
    if document.get("errored"):
        yield "the plan ended in an error: it is not whole"
    deferred = _list(document, "deferred_changes")
    if deferred:
        yield f"the plan puts off {len(deferred)} changes until another run"
    elif document.get("complete") is False:
        yield "the plan is not complete: another run is to follow it"


def _tears_down(document: Mapping[str, Any], changes: _Changes, planned: Mapping[str, _Row]) -> int:
    """How many resources a plan deletes that is complete and leaves none; 0 where it does anything else.

    NOTE: a plan does not say that it was made with `-destroy`. With `-target` it is not complete.
    """
    managed = any(one.mode == "managed" for one in planned.values())
    only = bool(changes.of) and all(_list(one, "actions") == ["delete"] for one in changes.of.values())
    return len(changes.of) if only and not managed and document.get("complete") is True else 0


def _absent(
    changes: _Changes,
    prior: set[str],
    planned: Mapping[str, _Row],
    configuration: Configuration,
    *,
    torn_down: bool,
) -> Iterator[str]:
    """What tells that a plan is of a part, where it does not say so itself.

    NOTE: plans with `-target` say so since Terraform 1.8, and those with `-refresh-only` never.
    """
    if left := len(prior - planned.keys() - changes.gone.keys()):
        yield f"the plan does not tell what becomes of {left} resources that are there"
    if torn_down:
        # What is declared and was never deployed is not deployed by this either.
        return
    there = {(one.module, one.kind) for one in planned.values()} | set(changes.gone.values())
    known = {(configuration.module(module).steps if module else (), kind) for module, kind in there}
    if missing := sum(1 for one in configuration.certain() if one not in known):
        yield f"the plan leaves out {missing} resources of its configuration"


def _made(document: Mapping[str, Any], sources: Sources | None) -> dict[str, str]:
    """By what and when a file was made, and what else a reader of results should know of it."""
    made = {
        key: document[key]
        for key in ("format_version", "terraform_version", "timestamp")
        if isinstance(document.get(key), str) and re.fullmatch(r"[0-9A-Za-z.:+-]{1,64}", document[key])
    }
    made |= {
        key: str(document[key]).lower()
        for key in ("applyable", "complete", "errored")
        if isinstance(document.get(key), bool)
    }
    if isinstance(document.get("serial"), int):
        made["serial"] = str(document["serial"])
    checks = Counter(
        str(one.get("status"))
        for one in _list(document, "checks")
        if isinstance(one, dict) and one.get("status") in ("pass", "fail", "error", "unknown")
    )
    if checks:
        made["checks"] = ", ".join(f"{count} {status}" for status, count in sorted(checks.items()))
    if drifted := len(_list(document, "resource_drift")):
        made["drifted"] = str(drifted)
    if sources is not None and (unparsed := sources.unparsed):
        more = f" and {len(unparsed) - 5} more" if len(unparsed) > 5 else ""
        made["unparsed"] = ", ".join(unparsed[:5]) + more
    return made


class _Row:
    """One resource of a plan or state, as it is told there."""

    __slots__ = (
        "address", "alias", "deposed", "index", "kind", "mode", "module", "name", "sensitive", "type",
        "values",
    )  # fmt: skip

    def __init__(self, one: Mapping[str, Any], module: str) -> None:
        self.address = _address(one)
        self.module = module
        self.mode = one.get("mode", "managed")
        self.type = _word(one, "type")
        self.name = _word(one, "name")
        self.kind = f"{self.type}.{self.name}"
        index = one.get("index")
        self.index: Index = index if isinstance(index, int | str) else None
        self.values = _object(one, "values")
        self.sensitive = one.get("sensitive_values")
        self.alias = ""
        self.deposed = "deposed_key" in one


def _resources(module: Mapping[str, Any], depth: int = 0) -> Iterator[_Row]:
    """Resources of a module and of those that it calls."""
    if depth > MAX_DEPTH:
        raise _Malformed("its modules are nested too deeply")
    address = _text(module.get("address", ""))
    for one in _list(module, "resources"):
        if not isinstance(one, dict):
            raise _Malformed("'resources' has an entry that is no object")
        yield _Row(one, address)
    for child in _list(module, "child_modules"):
        if not isinstance(child, dict):
            raise _Malformed("'child_modules' has an entry that is no object")
        yield from _resources(child, depth + 1)


class _Planned:
    """Makes blocks of planned resources."""

    def __init__(
        self, target: CodeTarget, configuration: Configuration, providers: _Providers, shaped: bool
    ) -> None:
        self._shown = target.shown
        self._configuration = configuration
        self._providers = providers
        self._shaped = shaped
        """Whether marks of secrets show the shapes of values."""
        self._written: dict[tuple[tuple[str, ...], str], Written] = {}

    def block(self, one: _Row, change: Mapping[str, Any] | None, there: bool) -> Block:
        configuration = self._configuration
        module = configuration.module(one.module)
        told = configuration.resource(module, one.kind)
        body = configuration.body(module, "resource", one.type, one.name)
        expressions = _object(told, "expressions")
        if change is None:
            # What is known of it nobody tells. What was there before the plan is as it was.
            unknown: Mapping[str, Any] = {}
            sensitive, new = None, False
            values = one.values if there else {k: LATER if v is None else v for k, v in one.values.items()}
        else:
            unknown, sensitive = _object(change, "after_unknown"), change.get("after_sensitive")
            new = "create" in _list(change, "actions")
            values = one.values
        place = configuration.place(module, one.index, body)
        filled: dict[str, Any] = _plain(values)
        for name, open_ in unknown.items():
            if open_ is True and told and name not in expressions:
                filled[name] = LATER
            elif open_:
                at = _Cursor(expressions.get(name), body, name, place)
                filled[name] = self._open(filled.get(name), open_, at, one.type)
        shapes = sensitive if self._shaped and isinstance(sensitive, dict) else None
        left_out = _left_out(filled, expressions, shapes, body, bool(told)) if new else frozenset()
        filled = _without_secrets(filled, one.sensitive, sensitive)
        id_ = filled.get("id")
        return Block(
            one.address, one.type, one.name, filled, self._place_of(module, one),
            left_out, id_ if isinstance(id_, str) and id_ else None, new,
            self._providers.place(told.get("provider_config_key"), bool(told)),
        )  # fmt: skip

    def _place_of(self, module: Module, one: _Row) -> Written:
        known = self._written.get((module.steps, one.kind))
        if known is None:
            sources = self._configuration.sources
            found = sources.written(module.steps, "resource", one.type, one.name) if sources else None
            known = self._written[module.steps, one.kind] = found or Written(self._shown)
        return known

    def _open(self, value: Any, open_: Any, at: _Cursor, type_: str) -> Any:
        """A value with what is not known of it marked, or linked to what it will be."""
        if open_ and not isinstance(open_, dict | list):
            return self._configuration.link(at.expression(), type_, at.name)
        if isinstance(open_, dict) and isinstance(value, dict):
            # An object's members are no expressions of their own in a plan.
            filled = dict(value)
            for name, inner in open_.items():
                if inner:
                    filled[name] = self._open(filled.get(name), inner, at.member(name), type_)
            return filled
        if isinstance(open_, list) and isinstance(value, list):
            value = _with_gaps(value, open_)
        if isinstance(open_, list) and isinstance(value, list) and len(open_) == len(value):
            if all(inner is True or not inner for inner in open_):
                stand_ins = self._configuration.elements(
                    at.expression(), sum(inner is True for inner in open_), type_, at.name
                )
                return [
                    next(stand_ins) if inner is True else old for old, inner in zip(value, open_, strict=True)
                ]
            nested = at.nested(value, open_)
            return [
                self._open(old, inner, cursor, type_) if inner else old
                for old, inner, cursor in zip(value, open_, nested, strict=True)
            ]
        return LATER if _any(open_) else value


def _with_gaps(value: list[Any], open_: list[Any]) -> list[Any]:
    """A list with a place for each element that is not known.

    NOTE: before format 1.0, plans leave these out.
    """
    if len(value) == len(open_) or len(value) != sum(not one for one in open_):
        return value
    told = iter(value)
    return [None if one else next(told) for one in open_]


class _Cursor:
    """An attribute or nested block: what a plan and the files tell of it."""

    __slots__ = ("_body", "_place", "_told", "_within", "name")

    def __init__(self, told: Any, body: Body | None, name: str, place: Place, within: bool = True) -> None:
        self._told = told
        self._body = body
        """The block it stands in."""
        self.name = name
        self._place = place
        self._within = within
        """Whether it is an attribute of that block: not a member of an object, which nothing tells of."""

    def expression(self) -> Expression:
        if not self._within:
            return Expression(None, None, self._place)
        shape = self._body.shape(self.name) if self._body else None
        return Expression(self._told, shape, self._place)

    def member(self, name: str) -> _Cursor:
        """An attribute of the nested block that this is."""
        if isinstance(self._told, dict) and not _is_expression(self._told):
            inner = self._body.blocks(self.name) if self._body else ()
            body = inner[0] if len(inner) == 1 else None
            return _Cursor(self._told.get(name), body, name, self._place)
        return _Cursor(None, None, name, self._place, within=False)

    def nested(self, values: list[Any], unknown: list[Any]) -> list[_Cursor]:
        """Each of the nested blocks of this name, for values in the order that the plan has them in.

        NOTE: a plan does not tell sets from lists, and a set is in no order of its blocks.
        """
        nowhere = _Cursor(None, None, self.name, self._place, within=False)
        told = self._told
        if not isinstance(told, list) or len(told) != len(values):
            return [nowhere] * len(values)
        written: Sequence[Body | None] = self._body.blocks(self.name) if self._body else ()
        if self._body is None or len(written) != len(told) or self.name in self._body.dynamic:
            written = [None] * len(told)
        order = _order(values, unknown, told)
        if order is None:
            return [nowhere] * len(values)
        return [_Block(told[number], written[number], self.name, self._place) for number in order]


class _Block(_Cursor):
    """One nested block of several."""

    __slots__ = ()

    def member(self, name: str) -> _Cursor:
        if not isinstance(self._told, dict):
            return _Cursor(None, None, name, self._place, within=False)
        return _Cursor(self._told.get(name), self._body, name, self._place)


def _order(values: list[Any], unknown: list[Any], told: list[Any]) -> list[int] | None:
    """Which of the blocks that are told each value is of; None: nobody can say."""
    if len(values) == 1 or all(
        one == values[0] and open_ == unknown[0] for one, open_ in zip(values, unknown, strict=True)
    ):
        return list(range(len(values)))
    order = []
    for value in values:
        fitting = [number for number, block in enumerate(told) if _fits(value, block)]
        if len(fitting) != 1:
            return None
        order.append(fitting[0])
    return order if len(set(order)) == len(order) else None


def _fits(value: Any, block: Any) -> bool:
    """Whether a value has all the constants that a block has."""
    if not isinstance(value, dict) or not isinstance(block, dict):
        return False
    return all(
        value.get(name) == one["constant_value"]
        for name, one in block.items()
        if isinstance(one, dict) and "constant_value" in one
    )


def _is_expression(told: Mapping[str, Any]) -> bool:
    return not told or "references" in told or "constant_value" in told


def _left_out(
    values: Mapping[str, Any],
    expressions: Mapping[str, Any],
    shapes: Mapping[str, Any] | None,
    body: Body | None,
    told: bool,
) -> frozenset[str]:
    """Attributes that the code leaves to the service.

    NOTE: a plan's `expressions` are silent of what `dynamic` blocks make. Only the shape of what is marked as
    sensitive tells a single value, which none can make, from a list of blocks; and the files, of course.
    """
    # NOTE: attributes that are only written, never kept, are null in every plan.
    left = {name for name, value in values.items() if value is None and not name.endswith("_wo")}
    if not told:
        return frozenset(left)
    for name, value in values.items():
        if value is LATER and name not in expressions:
            single = shapes is not None and name not in shapes
            if (single or (body is not None and body.sound)) and not (body is not None and body.has(name)):
                left.add(name)
    return frozenset(left)


def _plain(value: Any, depth: int = 0) -> Any:
    """A copy of a value that is not nested absurdly."""
    if depth > MAX_DEPTH:
        raise _Malformed(_TOO_DEEP)
    if isinstance(value, dict):
        return {
            name: _plain(one, depth + 1) if isinstance(one, dict | list) else one
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [_plain(one, depth + 1) if isinstance(one, dict | list) else one for one in value]
    return value


def _without_secrets(values: dict[str, Any], *marks: Any) -> dict[str, Any]:
    """The values of a resource without what is marked as a secret."""
    secrets: set[str] = set()
    for secret in marks:
        if secret:
            values = (
                _withheld(values, secret, secrets)
                if isinstance(secret, dict)
                else dict.fromkeys(values, WITHHELD)
            )
    # NOTE: providers copy: `tags` that are marked come again as `tags_all` that are not.
    return {name: _unlike(value, secrets) for name, value in values.items()} if secrets else values


def _unlike(value: Any, secrets: set[str]) -> Any:
    """A value without texts that are secrets elsewhere."""
    match value:
        case str():
            return WITHHELD if value in secrets else value
        case dict():
            return {name: _unlike(one, secrets) for name, one in value.items()}
        case list():
            return [_unlike(one, secrets) for one in value]
        case _:
            return value


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield from [value] if value else []
        case dict():
            yield from chain.from_iterable(map(_texts, value.values()))
        case list():
            yield from chain.from_iterable(map(_texts, value))


def _withheld(value: Any, secret: Any, secrets: set[str]) -> Any:
    """A value without what is marked as a secret; the texts in that are added to `secrets`."""
    if not isinstance(secret, dict | list):
        secrets.update(_texts(value))
        return WITHHELD
    if not _any(secret):
        return value
    if isinstance(secret, dict) and isinstance(value, dict):
        marked = {name: one for name, one in secret.items() if one and _any(one)}
        return value | {name: _withheld(value.get(name, ""), one, secrets) for name, one in marked.items()}
    if isinstance(secret, list) and isinstance(value, list) and len(secret) == len(value):
        return [
            _withheld(one, mark, secrets) if mark else one for one, mark in zip(value, secret, strict=True)
        ]
    # What is not there cannot be told.
    secrets.update(_texts(value))
    return WITHHELD if value is not None and value is not LATER else value


def _any(marks: Any) -> bool:
    """Whether anything is marked."""
    if isinstance(marks, dict):
        return any(_any(one) for one in marks.values() if one)
    if isinstance(marks, list):
        return any(_any(one) for one in marks if one)
    return bool(marks)


class _Providers:
    """Where the providers of a configuration deploy to. Of their settings only these few are ever kept."""

    _PLAIN: Final = ("region", *ELSEWHERE)

    def __init__(
        self, document: Mapping[str, Any], configuration: Configuration, variables: Mapping[str, Any]
    ) -> None:
        self._told = _object(document, "provider_config")
        self._configuration = configuration
        self._variables = variables
        self._secret = {
            name
            for name, one in _object(_object(document, "root_module"), "variables").items()
            if isinstance(one, dict) and one.get("sensitive")
        }
        self._places: dict[str, Mapping[str, Any]] = {}

    def place(self, key: object, told: bool) -> Mapping[str, Any]:
        """Settings of the provider that a resource names. What is not told of them is LATER."""
        if not isinstance(key, str):
            return {} if not told else {"region": LATER, "endpoints": LATER, "default_tags": LATER}
        if key not in self._places:
            self._places[key] = self._place(key)
        return self._places[key]

    def _place(self, key: str) -> Mapping[str, Any]:
        config = self._told.get(key)
        name = key.rpartition(":")[2]
        if config is None or _inherited(config):
            # NOTE: before 1.1 what a module inherits has a key of its own and no settings.
            same = [
                one
                for one in self._told.values()
                if isinstance(one, dict) and one.get("name") == name and not _inherited(one)
            ]
            if len(same) > 1 or "." in name:
                # The key in place of an alias: a module's own names say nothing outside of it.
                late = dict.fromkeys(("region", "endpoints", "default_tags"), LATER)
                return {"provider": name.split(".")[0], "alias": key, **late}
            config = same[0] if same else {}
        if not isinstance(config, dict):
            raise _Malformed("'provider_config' has an entry that is no object")
        inside = bool(config.get("module_address"))
        expressions = _object(config, "expressions")
        body = None if inside else self._configuration.body(self._configuration.root, "provider", name)
        place: dict[str, Any] = {"provider": name.split(".")[0]}
        if inside:
            # What it is told there is not known here, and what it is called is said of others too.
            place["alias"] = key
        elif isinstance(config.get("alias"), str):
            place["alias"] = config["alias"]
        for setting in self._PLAIN:
            if setting in expressions:
                place[setting] = self._value(expressions[setting], body, setting, inside)
        if "default_tags" in expressions or (body is not None and "default_tags" in body.dynamic):
            place["default_tags"] = True
        if "auth_url" in expressions:
            place["auth_url"] = _host(self._value(expressions["auth_url"], body, "auth_url", inside))
        if "endpoints" in expressions or (body is not None and "endpoints" in body.dynamic):
            place["endpoints"] = self._endpoints(expressions.get("endpoints"), body, inside)
        return place

    def _endpoints(self, told: Any, body: Body | None, inside: bool) -> Any:
        if not isinstance(told, list) or (body is not None and "endpoints" in body.dynamic):
            return LATER
        written: Sequence[Body | None] = body.blocks("endpoints") if body is not None else ()
        if len(written) != len(told):
            written = [None] * len(told)
        found: dict[str, Any] = {}
        for one, inner in zip(told, written, strict=True):
            if isinstance(one, dict) and "s3" in one:
                found["s3"] = _host(self._value(one["s3"], inner, "s3", inside))
        return found

    def _value(self, told: Any, body: Body | None, name: str, inside: bool) -> Any:
        """A constant, or the value of a variable that is all there is to an expression."""
        if not isinstance(told, dict):
            return LATER
        if "constant_value" in told:
            return told["constant_value"]
        shape = body.shape(name) if body is not None else None
        if inside or shape is FIXED or not isinstance(shape, str) or not shape.startswith("var."):
            # NOTE: of "${var.x}-2" a plan tells the same as of var.x. Only the files know.
            return LATER
        variable = shape.removeprefix("var.")
        if variable in self._secret:
            return WITHHELD
        given = self._variables.get(variable)
        return given["value"] if isinstance(given, dict) and "value" in given else LATER


def _inherited(config: Any) -> bool:
    """Whether it is no more than that a module needs a provider."""
    return isinstance(config, dict) and bool(config.get("module_address")) and "expressions" not in config


def _host(url: Any) -> Any:
    """An address without what might sign in."""
    if not isinstance(url, str):
        return url if url in (LATER, WITHHELD) else LATER
    try:
        parts = urlsplit(url)
    except ValueError:
        return LATER
    return WITHHELD if "@" in parts.netloc or parts.query else url


# States


def _state(target: CodeTarget, document: Mapping[str, Any]) -> _Read:
    unread: list[str] = []
    raw = "format_version" not in document
    if raw:
        rows = list(_instances(document, unread))
    else:
        rows = list(_resources(_object(_object(document, "values"), "root_module")))
    sources = Sources(target.source, target.source_shown, {}) if target.source else None
    configuration = Configuration({}, sources)
    blocks = []
    seen: set[str] = set()
    for one in rows:
        if one.mode != "managed":
            continue
        if one.deposed:
            unread.append(_DEPOSED)
            continue
        if one.address in seen:
            raise _Malformed("has a resource with the address of another one")
        seen.add(one.address)
        values = _without_secrets(_plain(one.values), one.sensitive)
        id_ = values.get("id")
        steps = configuration.module(one.module).steps
        written = sources.written(steps, "resource", one.type, one.name) if sources else None
        blocks.append(
            Block(
                one.address, one.type, one.name, values, written or Written(target.shown),
                id=id_ if isinstance(id_, str) and id_ else None, new=False,
                place={"alias": one.alias} if one.alias else {},
            )
        )  # fmt: skip
    made = _made(document, sources)
    if raw:
        made["format_version"] = str(document["version"])
    return tuple(blocks), tuple(dict.fromkeys(unread)), made, frozenset()


_DEPOSED: Final = "an object that was replaced, and is still there, has no address of its own"


def _instances(document: Mapping[str, Any], unread: list[str]) -> Iterator[_Row]:
    """Resources of a state file. What of it is no whole resource is added to `unread`."""
    if "resources" not in document:
        raise _Malformed("'resources' is missing")
    for resource in _list(document, "resources"):
        if not isinstance(resource, dict):
            raise _Malformed("'resources' has an entry that is no object")
        module = _text(resource.get("module", ""))
        base = f"{_word(resource, 'type')}.{_word(resource, 'name')}"
        if resource.get("mode", "managed") != "managed":
            continue
        for one in _list(resource, "instances"):
            if not isinstance(one, dict):
                raise _Malformed("'instances' has an entry that is no object")
            if "deposed" in one:
                unread.append(_DEPOSED)
                continue
            if "attributes" not in one:
                unread.append("the state has a resource in a form of before Terraform 0.12")
                continue
            index = one.get("index_key")
            own = "" if index is None else f"[{json.dumps(index, ensure_ascii=False)}]"
            address = f"{module}.{base}{own}" if module else f"{base}{own}"
            row = _Row({**resource, "address": address, "index": index, "values": one["attributes"]}, module)
            row.sensitive = _marks(_list(one, "sensitive_attributes"))
            row.alias = _text(resource.get("provider", "")).partition('"].')[2]
            yield row


def _marks(paths: Iterable[Any]) -> Any:
    """Paths of attributes that are secrets, as the marks that `show -json` has."""
    marks: dict[str, Any] = {}
    for path in paths:
        steps = path if isinstance(path, list) else []
        first = steps[0].get("value") if steps and isinstance(steps[0], dict) else None
        if not isinstance(first, str):
            # A mark that cannot be placed may be of anything.
            return True
        # The whole of the attribute: what else is in it is not worth a mistake.
        marks[first] = True
    return marks


# Parts of JSON


def _object(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    if value is None or value is False:
        return {}
    if not isinstance(value, dict):
        raise _Malformed(f"'{key}' is no object")
    return value


def _list(holder: Mapping[str, Any], key: str) -> list[Any]:
    value = holder.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _Malformed(f"'{key}' is no list")
    return value


def _text(value: Any) -> str:
    """A text without lone surrogates, which nothing could write."""
    if not isinstance(value, str):
        raise _Malformed("a name is no text")
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _word(holder: Mapping[str, Any], key: str) -> str:
    if not holder.get(key):
        raise _Malformed(f"a resource has no '{key}'")
    return _text(holder[key])


def _address(holder: Mapping[str, Any]) -> str:
    address = _word(holder, "address")
    if len(address) > LONGEST_ADDRESS:
        raise _Malformed(f"a resource has an address of more than {LONGEST_ADDRESS} characters")
    return address


__all__ = ["read"]
