"""The sample cloud with less of its evidence, rights and registers: the shipped profile is never kinder for it.

What test_readiness.py shows for tallies and test_monotone.py for derived facts, shown for the whole way: from a
snapshot through every control of the profile and the roll-up to score, coverage, gates and level.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from judging import Memory

from cloudaudit import api, assessment, registers
from cloudaudit.cli import _run
from cloudaudit.facts import DERIVATIONS
from cloudaudit.model import Finding, Gap, GateState, Listing, Readiness, Reason, Resource, Unseen, parse_time
from cloudaudit.readiness import ClaimFigures, CollectionFigures, readiness
from cloudaudit.snapshot import Snapshot

T = TypeVar("T")
RANK = {GateState.BLOCKED: 0, GateState.INDETERMINATE: 0, GateState.CONDITIONAL: 1, GateState.OPEN: 2}
"""Blocked and indeterminate are equal: hiding what fails gains nothing."""
FULL = CollectionFigures(1, 1, 1, 1, 1, 1)


@dataclass(frozen=True)
class Subject:
    """The sample cloud's evidence in memory, with its registers."""

    resources: Sequence[Resource]
    gaps: Sequence[Gap]
    listings: Sequence[Listing]
    types: frozenset[str]
    collected_at: int
    declared: assessment.Declared
    registers: frozenset[str]
    known: api.Knowledge
    at: int

    def judged(self) -> tuple[Readiness, Counter[tuple[str, str]]]:
        """The roll-up, and how many findings of each control came to each verdict."""
        found: Counter[tuple[str, str]] = Counter()

        def count(finding: Finding) -> None:
            found[finding.control.id, finding.verdict.value] += 1

        evidence = Memory(
            self.resources, self.gaps, (), self.listings, self.collected_at, types=self.types,
        )  # fmt: skip
        profile = self.known.profile
        result = assessment.assess(
            evidence,
            self.declared,
            profile,
            DERIVATIONS,
            self.known.catalogue.obligations,
            at=self.at,
            sink=count,
        )
        rolled = readiness(
            profile, result.tallies, registers_present=self.registers, collection=FULL,
            claims=ClaimFigures.of(result.claims), planned=frozenset(),
        )  # fmt: skip
        return rolled, found


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    folder: Path = tmp_path_factory.mktemp("demo") / "out"
    assert _run(["demo", "-o", str(folder), "--quiet", "-f", "json"]) == 1
    known = api.know("ndc-connection")
    evidence = Snapshot(folder / "snapshot", known.catalogue.types)
    kept = registers.load(folder / "registers")
    at = parse_time(api.load_assessment(folder).report["assessed_at"])
    return Subject(
        [resource for type_ in sorted(evidence.types) for resource in evidence.each(type_)],
        evidence.gaps(), evidence.listings(), evidence.types, evidence.collected_at,
        api._declared(kept, {"id": "mau", "kind": "provider"}, at), frozenset(file.kind for file in kept.files), known, at,
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(subject: Subject) -> Readiness:
    return subject.judged()[0]


def assert_not_better(less: Readiness, more: Readiness) -> None:
    assert less.lower <= more.lower
    assert less.coverage <= more.coverage
    assert less.level <= more.level
    for after, before in zip(less.gates, more.gates, strict=True):
        if before.state is not GateState.OUT_OF_SCOPE:
            assert RANK[after.state] <= RANK[before.state], after.gate.id
    for poorer, richer in zip(less.dimensions, more.dimensions, strict=True):
        if not richer.not_applicable:
            assert poorer.lower <= richer.lower, poorer.id
            assert poorer.coverage <= richer.coverage, poorer.id
            # What full evidence gives lies in the interval of less.
            assert poorer.lower <= richer.lower <= poorer.upper, poorer.id


def some(chance: random.Random, things: Sequence[T], most: int) -> list[T]:
    return chance.sample(list(things), min(len(things), chance.randint(1, most)))


def without_rights(subject: Subject, chance: random.Random) -> Subject:
    """A few lists refused: some or all of what was in them is not seen, and a gap says so."""
    refused = {(one.type, one.scope) for one in some(chance, subject.listings, 12)}
    keep = chance.choice((0.0, 0.5, 0.9))
    left = [r for r in subject.resources if (r.type, r.scope) not in refused or chance.random() < keep]
    gaps = [
        Gap(scope, type_, "list", Reason.NO_PERMISSION, "403") for type_, scope in sorted(refused, key=str)
    ]
    return replace(
        subject,
        resources=left,
        listings=[one for one in subject.listings if (one.type, one.scope) not in refused],
        gaps=[*subject.gaps, *gaps],
    )


def without_facts(subject: Subject, chance: random.Random) -> Subject:
    """Groups of facts of some things not seen, as when a call for details is refused."""
    chosen = {id(one) for one in some(chance, subject.resources, 60)}

    def poorer(one: Resource) -> Resource:
        groups = sorted(
            {fact.split(".", 1)[0] for fact in one.facts} - {"id", "name", "target", "region", "project"}
        )
        if id(one) not in chosen or not groups:
            return one
        lost = set(some(chance, groups, 3))
        facts = {fact: value for fact, value in one.facts.items() if fact.split(".", 1)[0] not in lost}
        unseen = {key: why for key, why in one.unseen.items() if key.split(".", 1)[0] not in lost}
        return replace(one, facts=facts, unseen={**unseen, **dict.fromkeys(lost, Unseen(Reason.TIMEOUT))})

    return replace(subject, resources=[poorer(one) for one in subject.resources])


def without_registers(subject: Subject, chance: random.Random) -> Subject:
    """Registers not given."""
    lost = some(chance, sorted(subject.registers & set(registers.TYPES)), 2)
    types = {registers.TYPES[kind] for kind in lost}
    declared = subject.declared
    gaps = tuple(Gap(registers.SCOPE, type_, "", Reason.REGISTER_MISSING) for type_ in sorted(types))
    return replace(
        subject,
        registers=subject.registers - set(lost),
        declared=replace(
            declared,
            resources={t: () if t in types else given for t, given in declared.resources.items()},
            gaps=(*declared.gaps, *gaps),
            listings=tuple(one for one in declared.listings if one.type not in types),
        ),
    )


WAYS = (without_rights, without_facts, without_registers)


@given(st.integers(0, 2**32), st.lists(st.sampled_from(range(len(WAYS))), min_size=1, max_size=3))
@settings(
    max_examples=25, deadline=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@example(0, [0])
@example(1, [1])
@example(2, [2])
def test_less_evidence_rights_or_registers_raise_nothing(
    subject: Subject, whole: Readiness, seed: int, ways: list[int]
) -> None:
    chance, poorer = random.Random(seed), subject
    for way in ways:
        poorer = WAYS[way](poorer, chance)
    assert_not_better(poorer.judged()[0], whole)


@given(st.randoms(use_true_random=False))
@settings(max_examples=5, deadline=None, phases=[Phase.generate])
def test_the_order_of_evidence_does_not_matter(subject: Subject, chance: random.Random) -> None:
    def shuffled(things: Sequence[T]) -> list[T]:
        return chance.sample(list(things), len(things))

    other = replace(subject, gaps=shuffled(subject.gaps), listings=shuffled(subject.listings))
    assert other.judged() == subject.judged()


def test_nothing_seen_at_all_is_level_0_with_the_whole_interval(subject: Subject) -> None:
    """Case 2 of the specification, on the shipped profile: all types refused, no register given."""
    gaps = [Gap(one.scope, one.type, "list", Reason.NO_PERMISSION) for one in subject.listings]
    blind = replace(subject, resources=(), listings=(), gaps=[*subject.gaps, *gaps])
    nothing = dict.fromkeys(registers.TYPES.values(), ())
    platform = {"platform": subject.declared.resources["platform"]}
    missing = tuple(Gap(registers.SCOPE, type_, "", Reason.REGISTER_MISSING) for type_ in nothing)
    declared = assessment.Declared({**nothing, **platform}, missing)
    rolled, found = replace(blind, declared=declared, registers=frozenset()).judged()
    assert (rolled.level, rolled.lower, rolled.upper, rolled.coverage) == (0, 0, 100, 0)
    assert {verdict for _, verdict in found} <= {"unknown", "manual_pending"}
