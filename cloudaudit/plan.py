"""From controls to the facts they read, to the calls that are needed, and no call more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cloudaudit.facts import DERIVATIONS, Derivation
from cloudaudit.model import CallSpec, Control, FactSpec, Profile, ResourceType
from cloudaudit.needs import facts_judged, types_served
from cloudaudit.wording import placeholders


@dataclass(frozen=True, slots=True)
class Plan:
    """What a profile needs of a cloud: facts by resource type, and calls by name. Both in order of name."""

    facts: Mapping[str, frozenset[str]]
    calls: Mapping[str, CallSpec]

    @property
    def types(self) -> frozenset[str]:
        return frozenset(self.facts)

    @property
    def wanted(self) -> frozenset[str]:
        """Names of the calls, as collectors take them."""
        return frozenset(self.calls)


def plan(
    profile: Profile, types: Mapping[str, ResourceType], derivations: Sequence[Derivation] = DERIVATIONS
) -> Plan:
    """Work out what the controls of a profile need to have collected.

    Of every observed type in it the listing is needed, be it only to know that there is none.
    """
    return _plan(profile.controls, types, derivations)


def untold(
    control: Control, types: Mapping[str, ResourceType], derivations: Sequence[Derivation] = DERIVATIONS
) -> tuple[str, ...]:
    """Facts that the message of a control names, and that no call made for its conditions reads.

    A derived fact is none of them: it is told as far as what was collected gives it.
    """
    wanted = _plan((control,), types, derivations).wanted

    def is_read(type_: str, name: str) -> bool:
        spec = spec_of(types[type_], name)
        return spec is None or not spec.call or spec.call in wanted

    named = dict.fromkeys(name for said in control.sentences for name in placeholders(said))
    return tuple(name for name in named if not all(is_read(type_, name) for type_ in control.applies_to))


def _plan(
    controls: Iterable[Control], types: Mapping[str, ResourceType], derivations: Sequence[Derivation]
) -> Plan:
    needed = _with_derivations(controls, derivations)
    observed = {name: needed[name] for name in sorted(needed) if name in types and not types[name].declared}
    calls = {call.name: call for name, facts in observed.items() for call in calls_of(types[name], facts)}
    return Plan(
        {name: frozenset(facts) for name, facts in observed.items()},
        {name: calls[name] for name in sorted(calls)},
    )


def plans_of_controls(
    profile: Profile, types: Mapping[str, ResourceType], derivations: Sequence[Derivation] = DERIVATIONS
) -> Mapping[str, Plan]:
    """What each control of a profile needs by itself, by its id. Together they are the profile's plan."""
    return {control.id: _plan((control,), types, derivations) for control in profile.controls}


def calls_of(type_: ResourceType, facts: Collection[str]) -> Iterator[CallSpec]:
    """The calls of a type that its list and these facts of it come from."""
    named = {spec.call for fact in facts if (spec := spec_of(type_, fact)) is not None}
    for call in type_.calls.values():
        if call.lists or call.name in named:
            yield call


def spec_of(type_: ResourceType, fact: str) -> FactSpec | None:
    """The declaration of a fact, or of the map it is an entry of. Common facts come with every listing."""
    return type_.facts.get(fact) or type_.facts.get(fact.partition(".")[0])


def _with_derivations(controls: Iterable[Control], derivations: Sequence[Derivation]) -> dict[str, set[str]]:
    """Facts by type that controls read, and those that derivations of these read, until nothing is added."""
    needed = facts_judged(controls)
    size = -1
    while size < (grown := _size(needed)):
        size = grown
        for derivation in derivations:
            served = types_served(derivation, needed)
            for type_, facts in derivation.reads.items() if served else ():
                # What it reads of the resource in hand counts for the types it serves; look-ups always.
                if type_ in served or type_ not in derivation.gives:
                    needed[type_] |= set(facts)
    return needed


def _size(needed: Mapping[str, set[str]]) -> int:
    return len(needed) + sum(map(len, needed.values()))
