"""Which facts controls need, and which derivations give them: what planning and judging agree on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Set
from typing import Final, TypeAlias

from cloudaudit.facts import Derivation
from cloudaudit.model import Control
from cloudaudit.wording import placeholders

Needed: TypeAlias = Mapping[str, Set[str]]
"""Names of facts by resource type. A type without facts is needed as a list."""

ALWAYS: Final = "attribution"
"""The derivation that gives every finding its weight."""


def facts_judged(controls: Iterable[Control]) -> defaultdict[str, set[str]]:
    """Facts that the conditions of controls read, by resource type: what has to be collected."""
    needed: defaultdict[str, set[str]] = defaultdict(set)
    for control in controls:
        for type_ in control.applies_to:
            needed[type_] |= set().union(*(condition.reads for condition in control.conditions))
        for condition in control.conditions:
            for join in condition.joins:
                needed[join.type] |= {theirs for theirs, _ in join.on}
            for type_, fact in condition.related_reads:
                needed[type_].add(fact)
    return needed


def facts_told(controls: Collection[Control]) -> defaultdict[str, set[str]]:
    """Those, and what messages name: no call is made for a sentence, but what is there is told."""
    needed: defaultdict[str, set[str]] = defaultdict(set)
    for control in controls:
        for type_ in control.applies_to:
            needed[type_] |= {name for said in control.sentences for name in placeholders(said)}
    for type_, facts in facts_judged(controls).items():
        needed[type_] |= facts
    return needed


def types_served(derivation: Derivation, needed: Needed) -> list[str]:
    """The types to which a derivation gives something that is needed."""
    return [
        type_
        for type_, given in derivation.gives.items()
        if type_ in needed and (derivation.name == ALWAYS or not needed[type_].isdisjoint(given))
    ]
