"""The examples controls carry: how they are read, what is refused, and that every shipped one holds."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click
import pytest
from judging import STEPS, TYPES, control

from cloudaudit import examples
from cloudaudit.assessment import quick_verdict, verdict_of
from cloudaudit.catalog import Catalogue, load_catalogue, schema
from cloudaudit.cli import cli
from cloudaudit.examples import CLOCK, check, verdict
from cloudaudit.model import Control, Example, FactSpec, FactType, Parameter, Value, Verdict

GOOD = {"fact": "good", "equals": True}
SIZED = {"fact": "size", "at_most": {"param": "most"}, "if_null": True}
MOST = {"most": Parameter(FactSpec("most", FactType.INTEGER), 5, "proposed-default")}


def tailor(id_: str, values: Mapping[str, Value]) -> Control:
    return control(id_, SIZED, parameters=MOST, values=values)


def given(document: dict[str, Any], about: Control | None = None) -> Verdict | None:
    return verdict(about or control(), Example(Verdict.PASS, document, 1), TYPES, tailor)


def test_facts_that_are_left_out_are_missing() -> None:
    assert given({"resource": {"good": True}}) is Verdict.PASS
    assert given({"resource": {"good": False}}) is Verdict.FAIL
    assert given({"resource": {}}) is Verdict.UNKNOWN
    assert given({}) is Verdict.UNKNOWN
    for fact in ("region", "project", "name", "target"):
        assert given({}, control(check={"fact": fact, "equals": "x"})) is Verdict.UNKNOWN


def test_every_verdict_can_be_shown() -> None:
    every = control(**STEPS)
    facts: dict[str, Any] = {
        "chosen": True,
        "inapplicable": False,
        "lapsed": False,
        "pending": False,
        "good": True,
    }
    assert given({"resource": facts}, every) is Verdict.PASS
    assert given({"resource": {**facts, "pending": True}}, every) is Verdict.MANUAL_PENDING
    assert given({"resource": {**facts, "lapsed": True}}, every) is Verdict.EXPIRED
    assert given({"resource": {**facts, "inapplicable": True}}, every) is Verdict.NOT_APPLICABLE
    assert given({"resource": {**facts, "chosen": False}}, every) is None


def test_values_are_read_as_people_write_them() -> None:
    old = control(check={"fact": "born", "age_at_least": "P30D"})
    assert given({"resource": {"born": "2025-12-02"}, "at": "2026-01-01"}, old) is Verdict.PASS
    assert given({"resource": {"born": "2025-12-03"}, "at": "2026-01-01"}, old) is Verdict.FAIL
    assert given({"resource": {"born": "2025-12-02T07:00:00+07:00"}}, old) is Verdict.PASS, (
        f"the clock is {CLOCK}"
    )
    few = control(check={"fact": "size", "at_most": 5, "if_null": False})
    assert given({"resource": {"size": {"$at_most": 5}}}, few) is Verdict.PASS
    assert given({"resource": {"size": {"$at_least": 6}}}, few) is Verdict.FAIL
    assert given({"resource": {"size": {"$at_most": 6}}}, few) is Verdict.UNKNOWN
    disks = control(check={"fact": "disks", "contains": "a"})
    assert given({"resource": {"disks": {"$partial": ["a"]}}}, disks) is Verdict.PASS
    assert given({"resource": {"disks": {"$partial": ["b"]}}}, disks) is Verdict.UNKNOWN
    labelled = control(check={"fact": "labels.owner", "equals": "x"})
    assert given({"resource": {"labels.owner": "x"}}, labelled) is Verdict.PASS
    assert given({"resource": {"labels": {"owner": "x"}}}, labelled) is Verdict.PASS
    assert given({"resource": {"labels": {}}}, labelled) is Verdict.FAIL


RELATED = control(
    on=("net",),
    check={"related": "paper", "on": {"owner": "owner"}, "any": {"fact": "kind", "equals": "plan"}},
)


def test_related_things_and_their_gaps() -> None:
    net = {"owner": "a"}
    assert (
        given({"resource": net, "related": {"paper": [{"owner": "a", "kind": "plan"}]}}, RELATED)
        is Verdict.PASS
    )
    assert (
        given({"resource": net, "related": {"paper": [{"owner": "b", "kind": "plan"}]}}, RELATED)
        is Verdict.FAIL
    )
    assert given({"resource": net}, RELATED) is Verdict.FAIL, "a type left out is a complete, empty list"
    assert given({"resource": net, "gaps": {"paper": "register_missing"}}, RELATED) is Verdict.UNKNOWN
    hit = {"related": {"paper": [{"owner": "a", "kind": "plan"}]}, "gaps": {"paper": "partial"}}
    assert given({"resource": net, **hit}, RELATED) is Verdict.PASS
    assert given({"resource": net, "related": {"paper": [{"owner": "a"}]}}, RELATED) is Verdict.UNKNOWN
    assert given({"resource": net, "related": {"paper": [{"kind": "plan"}]}}, RELATED) is Verdict.UNKNOWN


def test_what_is_left_out_of_a_related_thing_is_missing_too() -> None:
    for fact in ("name", "region", "project", "target"):
        about = control(on=("net",), check={"related": "paper", "any": {"fact": fact, "equals": "x"}})
        assert given({"related": {"paper": [{"kind": "plan"}]}}, about) is Verdict.UNKNOWN


def test_parameters_and_types_of_an_example() -> None:
    sized = control(check=SIZED, parameters=MOST)
    assert given({"resource": {"size": 5}}, sized) is Verdict.PASS
    assert given({"resource": {"size": 5}, "params": {"most": 4}}, sized) is Verdict.FAIL
    both = control(on=("vm", "net"))
    assert given({"type": "net", "resource": {"good": True}}, both) is Verdict.PASS


def test_why_a_fact_is_missing_can_be_said() -> None:
    assert given({"unseen": {"good": "no_permission"}}) is Verdict.UNKNOWN
    assert (
        given({"unseen": {"labels": "no_permission", "system": "unmapped", "system.id": "unmapped"}})
        is Verdict.UNKNOWN
    )


REFUSED = [
    ({"resource": {"goood": True}}, "vm has no fact 'goood'; did you mean 'good'?"),
    ({"resource": {"size": "5"}}, "a number is expected, found the text '5'"),
    ({"resource": {"good": None}}, "'good' is never null"),
    ({"resource": {"size": {"$at_mots": 5}}}, "'size' takes a value of type integer, or $at_most or $at_least of one"),
    ({"resource": {"good": {"$at_most": True}}}, "true or false is expected, found {'$at_most': True}"),
    ({"resource": {"labels": {"$partial": ["a"]}}}, "a text is expected, found a list"),
    ({"resource": {"disks": {"$at_most": 1}}}, "a list, or {$partial: [...]}, is expected for 'disks'"),
    ({"resource": {"disks": [None]}}, "'value' is never null"),
    ({"resource": ["good"]}, "'resource' takes a mapping, found a list"),
    ({"type": "net"}, "the control does not apply to 'net'"),
    ({"at": "yesterday"}, "'yesterday' is no time; write 2026-11-22 or 2026-11-22T08:00:00+07:00"),
    ({"related": {"papr": []}}, "unknown resource type 'papr'; did you mean 'paper'?"),
    ({"related": {"paper": {"kind": "plan"}}}, "'related' takes a list of paper, found a mapping"),
    ({"related": {"paper": ["plan"]}}, "a paper is a mapping of facts, found the text 'plan'"),
    ({"related": {"paper": [{"knd": "plan"}]}}, "paper has no fact 'knd'; did you mean 'kind'?"),
    ({"gaps": {"papr": "partial"}}, "unknown resource type 'papr'; did you mean 'paper'?"),
    ({"gaps": {"paper": "partail"}}, "unknown reason 'partail'; did you mean 'partial'?"),
    ({"gaps": {"paper": ["partial"]}}, "unknown reason '['partial']'; did you mean 'partial'?"),
    ({"unseen": {"sytem": "unmapped"}}, "vm has no fact 'sytem'; did you mean 'system'?"),
    ({"unseen": {"good": "unmaped"}}, "unknown reason 'unmaped'; did you mean 'unmapped'?"),
    ({"params": {"mots": 1}}, "the control has no parameter 'mots'; did you mean 'most'?"),
    ({"params": {"most": None}}, "'most' is never null"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "told"), REFUSED, ids=[told[:40] for _, told in REFUSED])
def test_a_wrong_example_is_refused_with_what_is_wrong(document: dict[str, Any], told: str) -> None:
    about = control(check=GOOD, parameters=MOST)
    with pytest.raises(ValueError) as caught:
        given(document, about)
    assert str(caught.value) == told


def test_problems_have_the_line_of_the_example() -> None:
    given = (
        Example(Verdict.PASS, {"resource": {"good": True}}, 10),
        Example(Verdict.PASS, {"resource": {"good": False}}, 20),
        Example(Verdict.UNKNOWN, {"resource": {"god": False}}, 30),
        Example(Verdict.FAIL, {"resource": {"chosen": False}}, 40),
    )
    about = replace(control(where=STEPS["where"]), examples=given, path="SEC-01.yaml")
    told = [str(problem) for problem in check(about, TYPES, tailor)]
    assert told == [
        "SEC-01.yaml:10: SEC-01: this example gives unknown, not pass",
        "SEC-01.yaml:20: SEC-01: this example gives unknown, not pass",
        "SEC-01.yaml:30: SEC-01: this example cannot be read: vm has no fact 'god'; did you mean 'good'?",
        "SEC-01.yaml:40: SEC-01: this example gives no finding (where does not select it), not fail",
    ]


def test_a_control_whose_examples_hold_has_no_problems() -> None:
    about = replace(control(), examples=(Example(Verdict.PASS, {"resource": {"good": True}}, 1),))
    assert list(check(about, TYPES, tailor)) == []


# --- the shipped controls -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def test_every_example_of_every_shipped_control_holds(catalogue: Catalogue) -> None:
    told = [
        str(problem)
        for one in catalogue.controls()
        for problem in check(one, catalogue.types, catalogue.control)
    ]
    assert told == []


def test_every_shipped_control_shows_what_it_can_say(catalogue: Catalogue) -> None:
    for one in catalogue.controls():
        shown = {example.expect for example in one.examples}
        assert shown >= {Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN}, one.id


def test_the_quick_way_judges_every_example_like_the_slow_one(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ways see the same world; what `verdict` asks of one is asked of the other too."""

    def both(about: Control, resource: Any, frame: Any) -> Any:
        found = verdict_of(about, resource, frame)
        assert quick_verdict(about, resource, frame) is found[0], about.id
        return found

    monkeypatch.setattr(examples, "verdict_of", both)
    judged = sum(
        examples.verdict(one, example, catalogue.types, catalogue.control) is example.expect
        for one in catalogue.controls()
        for example in one.examples
    )
    assert judged == sum(len(one.examples) for one in catalogue.controls())


# --- what shipped controls say ------------------------------------------------------------------------


def parsed(line: str) -> click.Context:
    """A command line as the real tree of commands reads it, to its last command; nothing is run."""
    name, *words = shlex.split(line)
    context, command = click.Context(cli, info_name=name), cli
    while isinstance(command, click.Group):
        word, found, words = command.resolve_command(context, words)
        assert found is not None
        context, command = found.make_context(word, list(words), parent=context), found
    return context


def test_every_command_of_ours_in_a_remediation_exists(catalogue: Catalogue) -> None:
    lines = {
        line for c in catalogue.controls() for line in c.remediation.cli if line.startswith("cloudaudit ")
    }
    assert lines
    for context in map(parsed, lines):
        if context.command.name == "schema":
            assert schema(context.params["name"])


@pytest.mark.parametrize(
    "line", ["cloudaudit attest now", "cloudaudit controls mend", "cloudaudit facts a b"]
)
def test_a_command_that_does_not_exist_is_noticed(line: str) -> None:
    with pytest.raises(click.UsageError):
        parsed(line)


NAMES = ("name", "id", "title", "owner", "kind", "url", "system.id", "service_type", "interface", "volume_id",
         "security_group", "device_id", "peer_address")  # fmt: skip
"""What a message may name within a sentence, as it is always there, or says which thing is meant."""


def test_what_may_be_absent_stands_alone_in_a_message(catalogue: Catalogue) -> None:
    """None, not known and no items read well after a colon, and not as `kept at none` or `none bits`."""
    for c in catalogue.controls():
        for text in (c.message.vi, c.message.en):
            parts = re.split(r"\{([^{}]*)\}", " ".join(text.split()))
            for before, fact, after in zip(parts[::2], parts[1::2], parts[2::2], strict=False):
                if fact not in NAMES and not fact.startswith("param."):
                    assert before.endswith((": ", " / ")), f"{c.id}: {fact} after '{before}'"
                    assert re.match(r"$|[,;.]| \(| /", after), f"{c.id}: '{after}' after {fact}"


def test_one_thing_has_one_name(catalogue: Catalogue) -> None:
    told = [
        text
        for c in catalogue.controls()
        for text in (c.title.vi, c.message.vi, c.remediation.text.vi, c.limits.vi)
    ]
    assert [text for text in told if re.search("thùng|vùng chứa", text, re.IGNORECASE)] == []
