"""Do the examples of the controls pin every clause? `python tests/mutants.py [ID ...]` prints who survives.

A mutant is a control with one change that makes it another rule: a condition negated, a clause of an `all_of`,
`any_of` or `on` left out, `all_of` and `any_of` swapped, a `where` or a step before the check left out. It
survives when every example still gets its verdict. A change that the loader refuses is no mutant.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

if __name__ == "__main__":
    # Only the tests' runner puts the root of the repository on the path.
    sys.path.insert(0, str(Path(__file__).parent.parent))

from cloudaudit.catalog import CONDITIONS, Catalogue, load_catalogue
from cloudaudit.errors import CatalogError
from cloudaudit.examples import verdict
from cloudaudit.model import Control, Value

SWAPPED = {"all_of": "any_of", "any_of": "all_of"}
QUANTIFIERS = ("any", "all", "none")
Place: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutant:
    """One change: what it is, and the whole document with it."""

    what: str
    path: Place
    document: dict[str, Any]

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path))}: {self.what}"


def mutants(raw: Mapping[str, Any]) -> Iterator[Mutant]:
    """Every single change of a control's conditions."""
    for name in CONDITIONS:
        if name not in raw:
            continue
        if name != "check":
            yield _without(raw, (name,), "left out")
        for path in _conditions(raw[name], (name,)):
            yield from _of_condition(raw, path)


def _conditions(node: Mapping[str, Any], path: Place) -> Iterator[Place]:
    """The place of a condition and of all in it."""
    yield path
    for key in ("all_of", "any_of"):
        for n, part in enumerate(node.get(key, ())):
            yield from _conditions(part, (*path, key, n))
    inner = ["not", *QUANTIFIERS, *(["where"] if "related" in node else [])]
    for key in inner:
        if isinstance(node.get(key), Mapping):
            yield from _conditions(node[key], (*path, key))
    if isinstance(node.get("count"), Mapping) and "that" in node["count"]:
        yield from _conditions(node["count"]["that"], (*path, "count", "that"))


def _of_condition(raw: Mapping[str, Any], path: Place) -> Iterator[Mutant]:
    node = _at(raw, path)
    yield _with(raw, path, node["not"] if set(node) == {"not"} else {"not": node}, "negated")
    for key, other in SWAPPED.items():
        if len(node.get(key, ())) > 1:
            yield _with(raw, path, {other: node[key]}, f"{key} made {other}")
            for n in range(len(node[key])):
                yield _without(raw, (*path, key, n), "left out")
    if "related" in node:
        if "where" in node:
            yield _without(raw, (*path, "where"), "left out")
        for pair in node.get("on", ()):
            if len(node["on"]) > 1:
                yield _without(raw, (*path, "on", pair), "left out")
            else:
                yield _without(raw, (*path, "on"), "left out")
    if "count" in node and "that" in node["count"]:
        yield _without(raw, (*path, "count", "that"), "left out")


def _at(raw: Any, path: Place) -> Any:
    for step in path:
        raw = raw[step]
    return raw


def _with(raw: Mapping[str, Any], path: Place, value: Any, what: str) -> Mutant:
    document = deepcopy(dict(raw))
    _at(document, path[:-1])[path[-1]] = deepcopy(value)
    return Mutant(what, path, document)


def _without(raw: Mapping[str, Any], path: Place, what: str) -> Mutant:
    document = deepcopy(dict(raw))
    del _at(document, path[:-1])[path[-1]]
    return Mutant(what, path, document)


def survivors(catalogue: Catalogue, id_: str) -> list[Mutant]:
    """The mutants of a control that none of its examples tells from it."""
    examples = catalogue.control(id_).examples
    return [
        mutant
        for mutant in mutants(catalogue.sources[id_].document.value)
        if (changed := _compiled(catalogue, id_, mutant)) is not None
        and all(_unmoved(changed, id_, example, catalogue) for example in examples)
    ]


def _compiled(catalogue: Catalogue, id_: str, mutant: Mutant) -> tuple[Control, Catalogue] | None:
    source = catalogue.sources[id_]
    document = replace(source.document, value=mutant.document)
    # NOTE: of its own kind, so that examples with parameters compile the mutant and not the control.
    other = replace(catalogue, sources={id_: replace(source, _read=lambda: document)}, _compiled={})
    try:
        return other.control(id_), other
    except CatalogError:
        return None


def _unmoved(changed: tuple[Control, Catalogue], id_: str, example: Any, catalogue: Catalogue) -> bool:
    control, other = changed

    def tailor(_: str, values: Mapping[str, Value]) -> Control:
        return other.control(id_, values)

    return verdict(control, example, catalogue.types, tailor) is example.expect


def main(ids: list[str]) -> int:
    catalogue = load_catalogue()
    left = 0
    for id_ in ids or sorted(catalogue.sources):
        for mutant in survivors(catalogue, id_):
            print(f"{id_} {mutant}")
            left += 1
    print(f"{left} survivors")
    return bool(left)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
