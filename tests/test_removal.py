"""Every control, every example, every fact: taking a fact away never makes a pass, and what passes stands on the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from cloudaudit.catalog import load_catalogue
from cloudaudit.examples import explained
from cloudaudit.model import MISSING, Control, Example, Explanation, Verdict

CATALOGUE = load_catalogue()
Documents = Iterator[tuple[str, dict[str, Any]]]


def judged(
    control: Control, example: Example, document: Mapping[str, Any]
) -> tuple[Verdict | None, Explanation]:
    changed = replace(example, document=document)
    return explained(control, changed, CATALOGUE.types, CATALOGUE.control)


def without_one_fact(document: Mapping[str, Any]) -> Documents:
    """The example without a fact of the judged resource, or of one that is related. Everything has an id."""
    for fact in document.get("resource", {}):
        if fact == "id":
            continue
        left = deepcopy(dict(document))
        del left["resource"][fact]
        yield fact, left
    for type_, rows in document.get("related", {}).items():
        for n, row in enumerate(rows):
            for fact in row.keys() - {"id"}:
                left = deepcopy(dict(document))
                del left["related"][type_][n][fact]
                yield f"{type_}[{n}].{fact}", left


def selecting(node: Any) -> Iterator[tuple[str, str]]:
    """Facts by which conditions choose among related rows: a list tells them of each of its rows."""
    if isinstance(node, Mapping):
        if "related" in node:
            yield from ((node["related"], fact) for fact in node.get("on", {}))
            yield from ((node["related"], fact) for fact in _facts_of(node.get("where")))
        for part in node.values():
            yield from selecting(part)
    elif isinstance(node, list):
        for part in node:
            yield from selecting(part)


def _facts_of(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if "fact" in node:
            yield node["fact"]
        for part in node.values():
            yield from _facts_of(part)
    elif isinstance(node, list):
        for part in node:
            yield from _facts_of(part)


def standing(control: Control, document: Mapping[str, Any], explanation: Explanation) -> dict[str, Any]:
    """What the evidence names and nothing else: of rows it does not name, what a list tells of them."""
    named: dict[tuple[str, str], set[str]] = {}
    for reading in explanation.readings:
        named.setdefault((reading.resource.type, reading.resource.id), set()).add(reading.fact)
    chosen_by = set(selecting(CATALOGUE.sources[control.id].document.value))
    listed = {reading.fact for reading in explanation.readings}
    left = deepcopy(dict(document))
    given = left.get("resource", {})
    own = named.get((str(document.get("type", "")) or SUBJECT, str(given.get("id", "example-0"))), set())
    left["resource"] = {fact: given[fact] for fact in given if fact == "id" or _is_named(fact, own)}
    for type_, rows in left.get("related", {}).items():
        for n, row in enumerate(rows):
            facts = named.get((type_, str(row.get("id", f"example-{n}"))))
            if facts is None and f"related.{type_}" in listed:
                continue
            told = {fact for chosen, fact in chosen_by if chosen == type_ and f"related.{type_}" in listed}
            rows[n] = {
                fact: row[fact] for fact in row if fact == "id" or _is_named(fact, (facts or set()) | told)
            }
    return left


SUBJECT = "subject"


def _is_named(fact: str, named: set[str]) -> bool:
    """A map counts as a whole where an entry of it is named, and the other way round."""
    return any(fact == one or one.startswith(f"{fact}.") or fact.startswith(f"{one}.") for one in named)


@pytest.mark.parametrize("id_", sorted(CATALOGUE.sources))
def test_a_fact_less_never_makes_a_pass_and_a_pass_stands_on_the_facts_left(id_: str) -> None:
    control = CATALOGUE.control(id_)
    for example in control.examples:
        document = {"type": control.applies_to[0], **example.document}
        for removed, left in without_one_fact(document):
            verdict, explanation = judged(control, example, left)
            if verdict is not Verdict.PASS:
                continue
            where = f"{control.path}:{example.line} without {removed}"
            assert example.expect is Verdict.PASS, where
            assert [r.fact for r in explanation.readings if r.value is MISSING] == [], where
            alone, _ = judged(control, example, standing(control, left, explanation))
            assert alone is Verdict.PASS, (
                f"{where}: {[(r.resource.id, r.fact) for r in explanation.readings]}"
            )
