"""From controls to the facts they read, to the calls that are needed, and no call more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloudaudit.facts import DERIVATIONS
from cloudaudit.model import CallSpec, Profile, ResourceType


@dataclass(frozen=True, slots=True)
class Plan:
    """What a profile needs of a cloud: facts by resource type, and calls by name."""

    facts: Mapping[str, frozenset[str]]
    calls: Mapping[str, CallSpec]

    @property
    def types(self) -> frozenset[str]:
        return frozenset(self.facts)

    @property
    def wanted(self) -> frozenset[str]:
        """Names of the calls, as collectors take them."""
        return frozenset(self.calls)


def plan(profile: Profile, types: Mapping[str, ResourceType]) -> Plan:
    """Work out what the controls of a profile need to have collected."""
    needed = _observed(_facts_read(profile), types)
    calls: dict[str, CallSpec] = {}
    for name, facts in needed.items():
        type_ = types[name]
        for call in type_.calls.values():
            if call.lists:
                calls[call.name] = call
        for fact in facts:
            spec = type_.facts.get(fact)
            if spec is not None and spec.call:
                calls[spec.call] = type_.calls[spec.call]
    return Plan({name: frozenset(facts) for name, facts in needed.items()}, calls)


def _facts_read(profile: Profile) -> dict[str, set[str]]:
    """Facts by type that controls read, and then those that derivations of these read, until nothing is added."""
    needed: dict[str, set[str]] = defaultdict(set)
    for control in profile.controls:
        for type_ in control.applies_to:
            needed[type_] |= {fact for condition in control.conditions for fact in condition.reads}
        for condition in control.conditions:
            for join in condition.joins:
                needed[join.type] |= {theirs for theirs, _ in join.on}
            for type_, fact in condition.related_reads:
                needed[type_].add(fact)
    grown = -1
    while grown != sum(map(len, needed.values())) + len(needed):
        grown = sum(map(len, needed.values())) + len(needed)
        for derivation in DERIVATIONS:
            # Attribution gives every finding its weight, so it is always needed.
            used = [
                type_
                for type_, given in derivation.gives.items()
                if type_ in needed and (derivation.name == "attribution" or needed[type_] & set(given))
            ]
            if used:
                _add_reads(needed, derivation.reads, derivation.gives, used)
    return needed


def _add_reads(
    needed: dict[str, set[str]],
    reads: Mapping[str, Sequence[str]],
    gives: Mapping[str, Sequence[str]],
    used: Sequence[str],
) -> None:
    """Add what a derivation reads. Of the types it gives facts to, only those in use are read."""
    for type_, facts in reads.items():
        if type_ in used or type_ not in gives:
            needed[type_] |= set(facts)


def _observed(needed: Mapping[str, set[str]], types: Mapping[str, ResourceType]) -> dict[str, set[str]]:
    return {name: facts for name, facts in needed.items() if name in types and not types[name].declared}
