"""Code beside clouds, and beside other code: each is judged by what is known of itself, and of nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from builders import CLOUD, NOW, STORE
from judging import HERE, Memory, control, entry, estate, evidence_of, judge, thing

from cloudaudit.assessment import Declared, assess
from cloudaudit.catalog import load_catalogue, load_profile
from cloudaudit.cli import _run
from cloudaudit.collectors import Seen
from cloudaudit.collectors.deployment import CodeTarget, DeploymentCollector
from cloudaudit.collectors.transport import CallLog
from cloudaudit.facts import DERIVATIONS
from cloudaudit.model import Finding, Gap, Listing, Reason, Resource, Scope, Verdict

ROOT = Path(__file__).parents[1]
PLANS = ROOT / "tests" / "data" / "terraform"
CATALOGUE = load_catalogue()
OBSERVED = frozenset(name for name, type_ in CATALOGUE.types.items() if not type_.declared)
CLOUDS = {CLOUD: False, STORE: False}
Told = Counter[tuple[object, ...]]


def planned(name: str, plan: str) -> list[Seen]:
    """What a plan declares and concludes, as a target of some name."""
    file = PLANS / plan / "plan.json"
    target = CodeTarget(name, "plan", file, f"{plan}/plan.json", region="hn", project="p1")
    scope, log = Scope(name), CallLog()
    return list(DeploymentCollector(target, OBSERVED, now=lambda: NOW).collect(scope, OBSERVED, log))


PARTS: Mapping[str, Sequence[Seen]] = {
    "ke-hoach": planned("ke-hoach", "violating"),
    "sua": planned("sua", "fixed"),
    "hong": planned("hong", "partial"),
}


def told(profile: str, *parts: str, clouds: bool) -> Told:
    """Every finding of a subject, but for those of a whole target that code cannot tell everything of."""
    observed, declared = estate()
    memory, registers = evidence_of(observed if clouds else [], declared, (), CATALOGUE.types)
    seen = [one for part in parts for one in PARTS[part]]
    memory = replace(
        memory,
        resources=sorted(
            [*memory.resources, *(one for one in seen if isinstance(one, Resource))],
            key=lambda r: (r.type, r.scope.key(), r.endpoint, r.id),
        ),
        told=[*memory.told, *(one for one in seen if isinstance(one, Gap))],
        # Of the type alone, as `Memory` lists everything under the name of the made-up cloud.
        lists=[
            *(one for one in seen if isinstance(one, Listing)),
            *(Listing(Scope(name), type_, 0, "all") for name in CLOUDS if clouds for type_ in OBSERVED),
        ],
        listed=(),
        targets={**(CLOUDS if clouds else {}), **dict.fromkeys(parts, True)},
    )
    found: list[Finding] = []
    chosen = load_profile(profile, CATALOGUE)
    slow = assess(memory, registers, chosen, DERIVATIONS, CATALOGUE.obligations, at=NOW, sink=found.append)
    assert slow == assess(memory, registers, chosen, DERIVATIONS, CATALOGUE.obligations, at=NOW)
    return Counter(
        (
            one.control.id, one.resource.scope.target, one.resource.type, one.resource.id, one.verdict,
            one.reason, one.detail,
            tuple((r.resource.id, r.fact, repr(r.value), r.unseen) for r in one.explanation.readings),
        )
        for one in found
    )  # fmt: skip


def of(found: Told, *targets: str) -> Told:
    return Counter({key: count for key, count in found.items() if key[1] in targets})


def but(found: Told, *targets: str) -> Told:
    return found - of(found, *targets)


@pytest.mark.parametrize("profile", ["ndc-connection", "before-deployment", "security-baseline"])
def test_code_changes_no_finding_of_what_is_there_nor_the_reverse(profile: str) -> None:
    """Nor of what is declared: platform and systems are what there is of them."""
    alone = told(profile, clouds=True)
    assert sum(alone.values()) > 40
    for part in PARTS:
        both = told(profile, part, clouds=True)
        assert but(both, part, "*") == but(alone, "*")
        # That there is nothing at all is proved by the lists of both.
        assert {key[:5] for key in of(both, "*")} <= {key[:5] for key in of(alone, "*")}
        own = of(told(profile, part, clouds=False), part)
        assert of(both, part) == own
        assert own or part == "hong"


@pytest.mark.parametrize("profile", ["before-deployment", "security-baseline"])
def test_codes_of_one_subject_are_nothing_to_each_other(profile: str) -> None:
    """Two plans use the same addresses, which are the ids of what is not there yet."""
    alone = {part: of(told(profile, part, clouds=False), part) for part in PARTS}
    for one, other in combinations(PARTS, 2):
        for clouds in (True, False):
            both = told(profile, one, other, clouds=clouds)
            assert (of(both, one), of(both, other)) == (alone[one], alone[other])


# --- what a planned thing would otherwise prove ---------------------------------------------------------

ANY = {"related": "vm", "any": {"fact": "good", "equals": True}}
ALL = {"related": "vm", "all": {"fact": "good", "equals": True}, "if_empty": True}
SAME = {"related": "vm", "on": {"id": "owner"}, "any": {"fact": "good", "equals": True}}
PLAN = Scope("ke-hoach", "hn", "p1")
OPEN = Listing(Scope("ke-hoach"), "vm", 1, "read to its end", 1, open=True)


def verdicts(resources: Sequence[Resource], check: object, on: str = "system") -> dict[str, Verdict]:
    """By target, for a cloud and a plan beside it."""
    memory = Memory(resources, lists=[OPEN], targets={"dam-may": False, "ke-hoach": True})
    declared = Declared({"system": [entry("system", "s", good=True)], "paper": ()})
    found, _ = judge(memory, control(check=check, on=[on]), declared=declared)
    return {one.resource.scope.target: one.verdict for one in found}


@pytest.mark.parametrize(("live", "verdict"), [(True, Verdict.PASS), (False, Verdict.FAIL)])
@pytest.mark.parametrize("check", [ANY, ALL])
def test_what_is_declared_is_judged_by_what_is_there(live: bool, verdict: Verdict, check: object) -> None:
    """Neither does a good plan prove anything of it, nor does a bad one speak against it."""
    for plan in (True, False):
        resources = [thing("v", {"good": live}), thing("p", {"good": plan}, scope=PLAN)]
        assert verdicts(resources, check) == {"registers": verdict}


def test_an_id_that_both_have_joins_nothing() -> None:
    """A plan names a volume by its id, and an address may be an id in a cloud: nobody proved them the same."""
    resources = [
        thing("x", {"owner": "y", "good": False}), thing("y", {"owner": None, "good": False}),
        thing("a", {"owner": "y", "good": False}, scope=PLAN), thing("y", {"owner": None, "good": True}, scope=PLAN),
    ]  # fmt: skip
    net = [thing(f"n-{scope.target}", {"owner": "y"}, type_="net", scope=scope) for scope in (HERE, PLAN)]
    assert verdicts([*net, *resources], SAME, "net") == {"dam-may": Verdict.FAIL, "ke-hoach": Verdict.PASS}


@pytest.mark.parametrize("planned_", [[], [thing("p", scope=PLAN)]])
def test_a_list_of_code_is_none_of_what_is_there(planned_: Sequence[Resource]) -> None:
    """A store with a plan of servers beside: that nobody asked for servers stays told, whatever the plan has."""
    alone, _ = judge(Memory(listed=(), targets={"kho": False}), control())
    told_ = [(one.verdict, one.reason, one.detail, one.resource.scope) for one in alone]
    assert [(verdict, reason) for verdict, reason, *_ in told_] == [(Verdict.UNKNOWN, Reason.NOT_COLLECTED)]
    plan = {"ke-hoach": True}
    memory = Memory(planned_, listed=(), lists=[OPEN], targets={"kho": False, **plan})
    beside, assessed = judge(memory, control())
    assert [
        (o.verdict, o.reason, o.detail, o.resource.scope) for o in beside if o.resource.scope != PLAN
    ] == told_
    assert not assessed.tallies["SEC-01"].listing_complete
    # Nothing else was read: the code is what there is to judge.
    only, _ = judge(replace(memory, targets=plan), control())
    assert [one.verdict for one in only] == [Verdict.PASS if planned_ else Verdict.NOT_APPLICABLE]


# --- what is told of it -----------------------------------------------------------------------------------

TARGETS = """\
version: 1
subjects:
  - id: so
    kind: agency
    title: {vi: Sở}
    targets:
      - {name: kho, kind: s3, endpoint: "https://127.0.0.1:1", profile: mau, region: vn-hn}
      - {name: ke-hoach, kind: terraform, plan: plan.json}
"""
WARNING = (
    "warning: targets.yaml:3:5: the code ke-hoach stands beside what is deployed: what it leaves open keeps the "
    "gates of the profile shut for the whole subject; put code into a subject of its own, and judge it by a "
    "profile without gates, such as before-deployment"
)


def test_a_profile_with_gates_over_both_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.json").write_bytes((PLANS / "fixed" / "plan.json").read_bytes())
    (tmp_path / "credentials").write_text("[mau]\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.chdir(tmp_path)
    apart = TARGETS.replace(
        "      - {name: ke-hoach", "  - {id: ma, kind: agency, title: {vi: Mã}, targets: [{name: ke-hoach"
    )
    apart = apart.replace("plan: plan.json}", "plan: plan.json}]}")
    for text, profile, warned in (
        (TARGETS, "ndc-connection", True), (TARGETS, "before-deployment", False), (apart, "ndc-connection", False),
    ):  # fmt: skip
        Path("targets.yaml").write_text(text, encoding="utf-8")
        for command in (["check-config"], ["check-config", "--credentials"], ["collect", "-o", "out"]):
            _run([*command, "-q", "-t", "targets.yaml", "-p", profile])
            err = capsys.readouterr().err
            assert (WARNING in err.splitlines()) is warned, (command, err)
