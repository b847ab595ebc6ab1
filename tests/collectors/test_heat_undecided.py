"""What a template leaves open never decides anything: deciding it turns no pass into a fail, and no fail into a pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from random import Random

import pytest
import yaml
from builders import NOW
from judging import Memory, estate, evidence_of

from cloudaudit.assessment import assess
from cloudaudit.catalog import load_catalogue, load_profile
from cloudaudit.collectors.deployment import CodeTarget, DeploymentCollector
from cloudaudit.collectors.transport import CallLog
from cloudaudit.errors import TargetError
from cloudaudit.facts import DERIVATIONS
from cloudaudit.model import Finding, Gap, Listing, Partial, Resource, Scope, Verdict

CATALOGUE = load_catalogue()
OBSERVED = frozenset(name for name, type_ in CATALOGUE.types.items() if not type_.declared)
EVERY = replace(load_profile("before-deployment", CATALOGUE), controls=tuple(CATALOGUE.controls()))
FILE = Path(__file__).parent.parent / "data" / "heat" / "undecided.yaml"
TEMPLATE = yaml.safe_load(FILE.read_text(encoding="utf-8"))
NAMES = tuple(TEMPLATE["resources"])
Verdicts = Mapping[tuple[str, str, str], Verdict]


@dataclass(frozen=True)
class Stack:
    """What a template comes to: its resources by type and id, and verdicts by control, type and id."""

    resources: Mapping[tuple[str, str], Resource]
    verdicts: Verdicts


def judged(folder: Path, given: Mapping[str, bool]) -> Stack | None:
    """The stack where each resource that is given is there or not, and others may be.

    None: Heat would refuse it, because something refers to what is not there.
    """
    parameters = {
        name: {"type": "boolean", **({"default": given[name]} if name in given else {})} for name in NAMES
    }
    rows = {name: {**row, "condition": name} for name, row in TEMPLATE["resources"].items()}
    written = {
        **TEMPLATE, "resources": rows, "parameters": parameters,
        "conditions": {name: {"equals": [{"get_param": name}, True]} for name in NAMES},
    }  # fmt: skip
    file = folder / "stack.yaml"
    file.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
    target = CodeTarget("stack", "template", file, "stack.yaml", region="hn", project="p1")
    try:
        made = DeploymentCollector(target, OBSERVED, now=lambda: NOW)
    except TargetError:
        return None
    seen = list(made.collect(Scope("stack"), OBSERVED, CallLog()))
    _, declared = estate()
    _, registers = evidence_of([], declared, (), CATALOGUE.types)
    memory = Memory(
        sorted((one for one in seen if isinstance(one, Resource)), key=lambda r: (r.type, r.scope.key(), r.id)),
        [one for one in seen if isinstance(one, Gap)], (),
        [one for one in seen if isinstance(one, Listing)], targets={"stack": True},
    )  # fmt: skip
    found: list[Finding] = []
    assess(memory, registers, EVERY, DERIVATIONS, CATALOGUE.obligations, at=NOW, sink=found.append)
    return Stack(
        {(one.type, one.id): one for one in memory.resources},
        {(one.control.id, one.resource.type, one.resource.id): one.verdict for one in found},
    )


def by_control(found: Verdicts) -> Mapping[str, set[Verdict]]:
    verdicts: dict[str, set[Verdict]] = defaultdict(set)
    for (control, _, _), verdict in found.items():
        verdicts[control].add(verdict)
    return verdicts


def wrong(open_: Stack, decided: Stack) -> Iterator[tuple[object, ...]]:
    """What was said of what is open, and is not so once it is decided."""
    for key, before in open_.resources.items():
        after = decided.resources.get(key)
        for fact, value in before.facts.items() if after is not None else ():
            known = after.facts.get(fact, value)
            if value != known and not isinstance(value, Partial):
                yield (*key, fact, value, known)
    yield from contradicted(open_.verdicts, decided.verdicts)


def contradicted(open_: Verdicts, decided: Verdicts) -> Iterator[tuple[object, ...]]:
    sure = {Verdict.PASS, Verdict.FAIL, Verdict.NOT_APPLICABLE, Verdict.EXPIRED}
    for key, verdict in open_.items():
        after = decided.get(key)
        if verdict in sure and after in sure and after is not verdict:
            yield (*key, verdict, after)
    before = by_control(open_)
    for control, verdicts in by_control(decided).items():
        if Verdict.FAIL in verdicts and not before.get(control, set()) & {Verdict.FAIL, Verdict.UNKNOWN}:
            yield control, "fails now, and was not open"


ALL = dict.fromkeys(NAMES, True)


def test_the_template_is_decided_when_all_is_told(tmp_path: Path) -> None:
    found = judged(tmp_path, ALL)
    assert found is not None
    verdicts = list(found.verdicts.values())
    assert verdicts.count(Verdict.PASS) > 15
    assert verdicts.count(Verdict.FAIL) > 5


@pytest.mark.parametrize("name", NAMES)
def test_one_resource_that_may_be_there(name: str, tmp_path: Path) -> None:
    open_ = judged(tmp_path, {one: True for one in NAMES if one != name})
    assert open_ is not None
    decided = [judged(tmp_path, {**ALL, name: there}) for there in (True, False)]
    assert decided[0] is not None
    for one in decided:
        assert one is None or not list(wrong(open_, one))


@pytest.mark.parametrize("seed", range(5))
def test_several_that_may_be_there_among_others_that_are_not(seed: int, tmp_path: Path) -> None:
    rng = Random(seed)
    undecided = rng.sample(NAMES, 3)
    given = {name: rng.random() < 0.7 for name in NAMES if name not in undecided}
    open_ = judged(tmp_path, given)
    while open_ is None:
        # What is referred to has to be there.
        given[next(name for name in rng.sample(list(given), len(given)) if not given[name])] = True
        open_ = judged(tmp_path, given)
    for there in product((True, False), repeat=len(undecided)):
        decided = judged(tmp_path, {**given, **dict(zip(undecided, there, strict=True))})
        assert decided is None or not list(wrong(open_, decided))


def test_other_types_stay_decided(tmp_path: Path) -> None:
    """A bucket's condition is no reason to know nothing of servers."""
    whole = judged(tmp_path, ALL)
    open_ = judged(tmp_path, {name: True for name in NAMES if name != "container"})
    assert whole is not None
    assert open_ is not None
    lost = {key for key, verdict in whole.verdicts.items() if open_.verdicts.get(key) is not verdict}
    # Controls of object stores are for buckets of both kinds, and tell of the first that there is none.
    assert {type_ for _, type_, _ in lost} == {"openstack.container", "s3.bucket"}
