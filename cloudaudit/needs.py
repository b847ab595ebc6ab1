"""Which facts controls need, and which derivations give them: what planning and judging agree on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from typing import Final, TypeAlias

from cloudaudit.facts import Derivation
from cloudaudit.model import Control
from cloudaudit.wording import placeholders

Needed: TypeAlias = Mapping[str, Set[str]]
"""Names of facts by resource type. A type without facts is needed as a list."""

ALWAYS: Final = "attribution"
"""The derivation that gives every finding its weight."""


def facts_needed(controls: Iterable[Control]) -> defaultdict[str, set[str]]:
    """Facts that controls judge by or name in their messages, by resource type."""
    needed: defaultdict[str, set[str]] = defaultdict(set)
    for control in controls:
        named = {name for name in placeholders(control.message) if not name.startswith("param.")}
        for type_ in control.applies_to:
            needed[type_] |= named.union(*(condition.reads for condition in control.conditions))
        for condition in control.conditions:
            for join in condition.joins:
                needed[join.type] |= {theirs for theirs, _ in join.on}
            for type_, fact in condition.related_reads:
                needed[type_].add(fact)
    return needed


def types_served(derivation: Derivation, needed: Needed) -> list[str]:
    """The types to which a derivation gives something that is needed."""
    return [
        type_
        for type_, given in derivation.gives.items()
        if type_ in needed and (derivation.name == ALWAYS or not needed[type_].isdisjoint(given))
    ]
