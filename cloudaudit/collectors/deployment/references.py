"""What the expressions of a configuration refer to, followed through modules to the resources of a plan.

A plan tells of an expression which references are in it, and not what is made of them: `x.id` and
`"${x.id}-log"` look the same there. The configuration's own files tell them apart. Without these, only
attributes that hold an id are believed, as nothing but the id itself would be accepted there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from cloudaudit.collectors.deployment.block import LATER, Link
from cloudaudit.collectors.deployment.sources import FIXED, Body, Shape, Sources

MAX_HOPS: Final = 64
"""From reference to reference. Terraform allows no circle; a file that is not its own may have one."""

Index: TypeAlias = int | str | None
_STEP: Final = re.compile(
    r"\.?([^\W\d][\w-]*)|\[(\d+)\]|\[(\"(?:[^\"\\]|\\.)*\")\]|\[(count\.index|each\.key)\]|\.(\d+)"
)
_IDS: Final = re.compile(r"(_id|_ids|_ref|_refs)$|^(port|uuid)$")
"""Attributes of OpenStack's resources that hold an id and nothing else."""
_LISTS: Final = re.compile(r"(_ids|_refs)$")


_COMPOSED: Final = re.compile(
    r"openstack_\w*_(attach|associate|assignment|membership|access|accept|route|interface|member)_v\d"
)
"""Resources whose id is made of those of others, which are then cut out of it."""


class Known:
    """In place of a link: what an expression refers to is told, or needs no deployment."""


KNOWN: Final = Known()
Target: TypeAlias = Link | Known | None
"""What one reference leads to; None: nobody can say."""


@dataclass(frozen=True, slots=True)
class Module:
    """One instance of a module. The root's address is empty."""

    address: str
    steps: tuple[str, ...] = ()
    """Names of the calls that lead to it."""
    key: Index = None
    outer: Module | None = None
    plan: Mapping[str, Any] = field(default_factory=dict)
    """The module's part of the plan's `configuration`."""
    call: Mapping[str, Any] = field(default_factory=dict)
    """The call of it there."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression stands: its module, and the instance whose key `count.index` and `each.key` are."""

    module: Module
    key: Index = None
    each: str | None = None
    """What `for_each` refers to, if it is a reference."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression: what the plan tells of it, and what it is in the files, if that is known."""

    told: Any
    shape: Shape | None
    place: Place


@dataclass(frozen=True, slots=True)
class Found:
    """What an expression leads to. `exact`: it is these things themselves, not something made of them."""

    targets: Sequence[Target]
    exact: bool
    listed: bool = False


class Configuration:
    """The expressions of a plan's configuration, and the resources that they lead to."""

    def __init__(self, document: Mapping[str, Any], sources: Sources | None) -> None:
        self.root = Module("", plan=_dict(document.get("root_module")))
        self.sources = sources
        self._modules: dict[str, Module] = {"": self.root}
        self._resources: dict[tuple[str, ...], dict[str, Mapping[str, Any]]] = {}
        self._instances: dict[tuple[str, str, Index], tuple[str, Mapping[str, Any]]] = {}
        self._unread: set[tuple[str, str]] = set()

    def declare(self, module: str, name: str, index: Index, address: str, unknown: Mapping[str, Any]) -> None:
        """Tell of a resource that can be referred to, `name` being `type.name`."""
        self._instances[module, name, index] = address, unknown

    def unread(self, module: str, name: str) -> None:
        """Tell of data that are only read while deploying."""
        self._unread.add((module, name))

    def module(self, address: str) -> Module:
        """The instance of a module that has an address, which is then in our own spelling."""
        found = self._modules.get(address)
        if found is None:
            found = self.root
            for name, index in _calls(address):
                found = self._called(found, name, index)
            self._modules[address] = found
        return found

    def resource(self, module: Module, name: str) -> Mapping[str, Any]:
        """The configuration of a resource, `name` being `type.name`; empty where there is none."""
        return self._resources_of(module).get(name, {})

    def _resources_of(self, module: Module) -> Mapping[str, Mapping[str, Any]]:
        known = self._resources.get(module.steps)
        if known is None:
            listed = module.plan.get("resources")
            known = {
                f"{one.get('type')}.{one.get('name')}": one
                for one in (listed if isinstance(listed, list) else ())
                if isinstance(one, dict) and one.get("mode", "managed") == "managed"
            }
            self._resources[module.steps] = known
        return known

    def certain(self, module: Module | None = None, depth: int = 0) -> Iterator[tuple[tuple[str, ...], str]]:
        """Steps and names of what a whole plan has: resources without `count` and `for_each` at any level."""
        module = module or self.root
        for name, one in self._resources_of(module).items():
            if not _repeated(one):
                yield module.steps, name
        for name, call in _dict(module.plan.get("module_calls")).items():
            if not _repeated(_dict(call)) and depth < MAX_HOPS:
                yield from self.certain(self._called(module, name, None), depth + 1)

    def declared(
        self, module: Module | None = None, depth: int = 0
    ) -> Iterator[tuple[tuple[str, ...], frozenset[str]]]:
        """Steps of each module that is called, with the names of all its resources."""
        module = module or self.root
        yield module.steps, frozenset(self._resources_of(module))
        for name in _dict(module.plan.get("module_calls")) if depth < MAX_HOPS else ():
            yield from self.declared(self._called(module, name, None), depth + 1)

    def body(self, module: Module, *labels: str) -> Body | None:
        return self.sources.body(module.steps, *labels) if self.sources else None

    def place(self, module: Module, key: Index, body: Body | None) -> Place:
        each = body.shape("for_each") if body else None
        return Place(module, key, each if isinstance(each, str) else None)

    def link(self, expression: Expression, type_: str, attribute: str) -> Any:
        """What stands for an attribute that is not known: a link, a list of them, or LATER."""
        found = self.follow(expression)
        if found.listed and found.exact:
            return [one if isinstance(one, Link) else LATER for one in found.targets]
        open_ = [one for one in found.targets if one is not KNOWN]
        if found.listed or len(open_) != 1 or (found.exact and len(found.targets) != 1):
            return LATER
        if not found.exact and _LISTS.search(attribute):
            # What else is known to be in the list, nobody tells.
            return LATER
        return _believed(open_[0], found.exact, type_, attribute)

    def elements(self, expression: Expression, count: int, type_: str, attribute: str) -> Iterator[Any]:
        """What stands for so many elements of a list that are not known, in their order."""
        found = self.follow(expression)
        open_ = [one for one in found.targets if one is not KNOWN]
        if len(open_) != count:
            return iter([LATER] * count)
        return iter([_believed(one, found.exact, type_, attribute) for one in open_])

    def follow(self, expression: Expression, rest: str = "", hops: int = 0) -> Found:
        """Where an expression leads, `rest` being the attribute of it that is asked for."""
        told, its_shape, place = expression.told, expression.shape, expression.place
        if isinstance(told, dict) and not _agrees(its_shape, _direct(told.get("references"))):
            # The files are of another time than the plan.
            its_shape = None
        match its_shape:
            case None:
                # Neither references nor a value: it is left out, or nothing in it is asked of anything.
                found: list[Target] = []
                for reference in _direct(_dict(told).get("references")):
                    found += self._refer(reference + rest, place, hops + 1).targets
                return Found(found, False)
            case str():
                return self._refer(its_shape + rest, place, hops + 1)
            case tuple() if not rest:
                inner = [self.follow(Expression(None, one, place), "", hops + 1) for one in its_shape]
                whole = all(one.exact and not one.listed and len(one.targets) == 1 for one in inner)
                return Found([target for one in inner for target in one.targets], whole, True)
            case _:
                return Found([KNOWN if its_shape is FIXED else None], True)

    def _refer(self, reference: str, place: Place, hops: int) -> Found:
        """Where a reference leads that is the whole of an expression."""
        steps = _steps(reference, place.key)
        if steps is None or hops > MAX_HOPS:
            return Found([None], False)
        match steps:
            case ["each", "value", *more] if place.each is not None and place.key is not None:
                return self._refer(place.each + _text([(place.key,), *more]), place, hops + 1)
            case ["each", "key"] | ["count", "index"] | ["path" | "terraform" | "tofu", *_]:
                return Found([KNOWN], True)
            case ["var", str(name), *more]:
                return self._variable(name, _text(more), place.module, hops)
            case ["local", str(name), *more]:
                folder = self.sources.folder(place.module.steps) if self.sources else None
                body = folder.locals.get(name) if folder else None
                its_shape = body.shape(name) if body else None
                if its_shape is None:
                    return Found([None], False)
                return self.follow(Expression(None, its_shape, Place(place.module)), _text(more), hops)
            case ["module", str(name), (int() | str() as index,), str(output), *more]:
                return self._output(name, index, output, _text(more), place.module, hops)
            case ["module", str(name), str(output), *more]:
                return self._output(name, None, output, _text(more), place.module, hops)
            case ["data", str(type_), str(name), *_]:
                unread = (place.module.address, f"{type_}.{name}") in self._unread
                return Found([None if unread else KNOWN], True)
            case [str(type_), str(name), (int() | str() as index,), str(attribute), *more]:
                return self._resource(f"{type_}.{name}", index, attribute, more, place.module)
            case [str(type_), str(name), str(attribute), *more]:
                return self._resource(f"{type_}.{name}", None, attribute, more, place.module)
        return Found([None], False)

    def _resource(self, name: str, index: Index, attribute: str, more: list[Any], module: Module) -> Found:
        instance = self._instances.get((module.address, name, index))
        if instance is None:
            return Found([None], True)
        address, unknown = instance
        if not unknown.get(attribute):
            return Found([KNOWN], True)
        return Found([Link(address, attribute + _text(more))], True)

    def _variable(self, name: str, rest: str, module: Module, hops: int) -> Found:
        if module.outer is None:
            return Found([KNOWN], True)
        told = _dict(module.call.get("expressions")).get(name)
        body = self.body(module.outer, "module", module.steps[-1])
        its_shape = body.shape(name) if body else None
        if told is None and its_shape is None:
            return Found([KNOWN], True)
        return self.follow(
            Expression(told, its_shape, self.place(module.outer, module.key, body)), rest, hops
        )

    def _output(self, name: str, index: Index, output: str, rest: str, module: Module, hops: int) -> Found:
        call = _dict(_dict(module.plan.get("module_calls")).get(name))
        if not call or (index is None) != (
            "count_expression" not in call and "for_each_expression" not in call
        ):
            return Found([None], False)
        inner = self._called(module, name, index)
        told = _dict(_dict(_dict(inner.plan.get("outputs")).get(output)).get("expression"))
        body = self.body(inner, "output", output)
        return self.follow(Expression(told, body.shape("value") if body else None, Place(inner)), rest, hops)

    def _called(self, outer: Module, name: str, index: Index) -> Module:
        own = f"module.{name}" if index is None else f"module.{name}[{_quoted(index)}]"
        address = f"{outer.address}.{own}" if outer.address else own
        found = self._modules.get(address)
        if found is None:
            call = _dict(_dict(outer.plan.get("module_calls")).get(name))
            plan = _dict(call.get("module"))
            found = self._modules[address] = Module(address, (*outer.steps, name), index, outer, plan, call)
        return found


def _believed(target: Target, exact: bool, type_: str, attribute: str) -> Any:
    if not isinstance(target, Link):
        return LATER
    ids = target.attribute == "id" and type_.startswith("openstack_") and _IDS.search(attribute) is not None
    return target if exact or (ids and not _COMPOSED.search(target.address)) else LATER


def _agrees(its_shape: Shape | None, references: Sequence[str]) -> bool:
    """Whether the references that a plan tells of an expression can be those in what the files show."""
    match its_shape:
        case str():
            return any(its_shape == one or its_shape.startswith((f"{one}.", f"{one}[")) for one in references)
        case tuple():
            return all(one is FIXED or _agrees(one, references) for one in its_shape)
        case _:
            return its_shape is not FIXED or not references


def _direct(references: object) -> list[str]:
    """References of an expression without those to the things that hold them: `x.id` is told with `x`."""
    found: list[str] = []
    for one in references if isinstance(references, list) else ():
        if isinstance(one, str) and not (found and found[-1].startswith((f"{one}.", f"{one}["))):
            found.append(one)
    return found


def _steps(reference: str, key: Index) -> list[Any] | None:
    """Names and indexes (in tuples) of a reference; None: it is none, or has the index of no instance."""
    steps: list[Any] = []
    at = 0
    while at < len(reference):
        match = _STEP.match(reference, at)
        if match is None:
            return None
        name, number, text, own, old = match.groups()
        if own and key is None:
            return None
        try:
            steps.append(
                name or ((int(number or old),) if number or old else (key if own else _unquoted(text),))
            )
        except ValueError:
            return None
        at = match.end()
    return steps


def _text(steps: Sequence[Any]) -> str:
    """The end of a reference: names and indexes as :func:`_steps` tells them."""
    return "".join(f".{one}" if isinstance(one, str) else f"[{_quoted(one[0])}]" for one in steps)


def _unquoted(text: str) -> str:
    return str(json.loads(text)).replace("$${", "${").replace("%%{", "%{")


def _quoted(index: int | str) -> str:
    if isinstance(index, int):
        return str(index)
    return json.dumps(index, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def _calls(address: str) -> list[tuple[str, Index]]:
    """Names and keys of the calls in a module's address.

    What cannot be read as one is a call of no name, whose configuration is not known.
    """
    steps = _steps(address, None)
    calls: list[tuple[str, Index]] = []
    while steps:
        match steps:
            case ["module", str(name), (int() | str() as index,), *rest]:
                calls.append((name, index))
            case ["module", str(name), *rest]:
                calls.append((name, None))
            case _:
                return [("", address)]
        steps = rest
    return calls or [("", address)]


def _repeated(declared: Mapping[str, Any]) -> bool:
    """Whether a resource or call has `count` or `for_each`, so that there may be any number of it.

    NOTE: a plan is silent of a `for_each` that refers to nothing and is no constant, as `toset(["a"])`.
    """
    return "count_expression" in declared or "for_each_expression" in declared


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


__all__ = ["Configuration", "Expression", "Index", "Module", "Place"]
