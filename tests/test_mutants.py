"""The examples of every shipped control pin every clause of it; and what makes a mutant, and lets it survive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mutants
import pytest
from mutants import survivors

from cloudaudit.catalog import Catalogue, load_catalogue

CATALOGUE = load_catalogue()


@pytest.mark.parametrize("id_", sorted(CATALOGUE.sources))
def test_the_examples_of_a_control_pin_every_clause(id_: str) -> None:
    assert [str(mutant) for mutant in survivors(CATALOGUE, id_)] == []


# --- a control of two clauses ---------------------------------------------------------------------------

ACTIVE = {"fact": "status", "equals": "active"}
SIZED = {"fact": "size_bytes", "more_than": {"param": "least"}, "if_null": False}
GOOD = {"status": "active", "size_bytes": 1}
EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "pass": [{"resource": GOOD}],
    "fail": [{"resource": {**GOOD, "status": "queued"}}, {"resource": {**GOOD, "size_bytes": 0}}],
    "unknown": [{"resource": {}}],
}


def given(folder: Path, examples: dict[str, Any], **conditions: Any) -> Catalogue:
    """A catalogue of one control on images, SEC-96."""
    text = {"vi": "ảnh", "en": "image"}
    document = {
        "id": "SEC-96",
        "version": "1.0.0",
        "title": text,
        "severity": "low",
        "method": "T",
        "basis": "O",
        "applies_to": "openstack.image",
        "parameters": {"least": {"type": "integer", "default": 0, "source": "proposed-default"}},
        **conditions,
        "message": text,
        "obligations": ["D1121-14"],
        "frameworks": {},
        "remediation": text,
        "limits": text,
        "examples": examples,
    }
    path = folder / "SEC" / "SEC-96.yaml"
    path.parent.mkdir()
    path.write_text(json.dumps(document), encoding="utf-8")
    return load_catalogue([path.parent], builtin=False)


def surviving(folder: Path, examples: dict[str, Any], **conditions: Any) -> list[str]:
    return [str(mutant) for mutant in survivors(given(folder, examples, **conditions), "SEC-96")]


def test_none_survives_where_every_clause_decides_an_example(tmp_path: Path) -> None:
    assert surviving(tmp_path, EXAMPLES, check={"all_of": [ACTIVE, SIZED]}) == []


def test_a_clause_that_decides_no_example_may_be_left_out(tmp_path: Path) -> None:
    examples = {**EXAMPLES, "fail": EXAMPLES["fail"][:1]}
    assert surviving(tmp_path, examples, check={"all_of": [ACTIVE, SIZED]}) == ["check.all_of.1: left out"]


def test_examples_in_which_all_holds_or_nothing_does_tell_no_all_of_from_an_any_of(tmp_path: Path) -> None:
    examples = {**EXAMPLES, "fail": [{"resource": {"status": "queued", "size_bytes": 0}}]}
    assert surviving(tmp_path, examples, check={"all_of": [ACTIVE, SIZED]}) == [
        "check: all_of made any_of",
        "check.all_of.0: left out",
        "check.all_of.1: left out",
    ]


def test_a_selection_needs_an_example_in_which_it_is_not_known(tmp_path: Path) -> None:
    """One that is not selected has no verdict, and can be no example."""
    examples: dict[str, list[dict[str, Any]]] = {
        "pass": [{"resource": GOOD}],
        "fail": [{"resource": {**GOOD, "size_bytes": 0}}],
        "unknown": [{"resource": {"status": "active"}}],
    }
    (tmp_path / "loose").mkdir()
    assert surviving(tmp_path / "loose", examples, where=ACTIVE, check=SIZED) == ["where: left out"]
    examples["unknown"].append({"resource": {"size_bytes": 0}})
    assert surviving(tmp_path, examples, where=ACTIVE, check=SIZED) == []


def test_an_example_with_parameters_judges_the_mutant(tmp_path: Path) -> None:
    """The control compiled with those values must not stand in for the mutant compiled with them."""
    examples = {
        "pass": [{"resource": GOOD, "params": {"least": 0}}],
        "fail": [{"resource": GOOD, "params": {"least": 1}}],
        "unknown": [{"resource": {}, "params": {"least": 1}}],
    }
    assert surviving(tmp_path, examples, check=SIZED) == []


def test_a_change_that_the_loader_refuses_is_no_mutant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = given(tmp_path, EXAMPLES, check={"all_of": [ACTIVE, SIZED]})
    monkeypatch.setattr(
        mutants,
        "mutants",
        lambda raw: [mutants.Mutant("no fact", ("check",), {**raw, "check": {"fact": "?"}})],
    )
    assert survivors(catalogue, "SEC-96") == []


# --- every change of a document -------------------------------------------------------------------------


def test_every_change_of_a_document() -> None:
    raw = {
        "title": "kept",
        "where": {"fact": "a", "equals": 1},
        "expired_when": {"not": {"fact": "b", "equals": 1}},
        "check": {
            "any_of": [
                {
                    "related": "t",
                    "on": {"x": "y", "z": "z"},
                    "where": {"fact": "c", "equals": 1},
                    "all": {"fact": "d", "equals": 1},
                    "if_empty": True,
                },
                {"related": "t", "on": {"x": "y"}, "exists": True},
                {"fact": "e", "count": {"that": {"item": "f", "equals": 1}, "at_least": 1}},
            ]
        },
    }
    assert [str(mutant) for mutant in mutants.mutants(raw)] == [
        "where: left out",
        "where: negated",
        "expired_when: left out",
        "expired_when: negated",
        "expired_when.not: negated",
        "check: negated",
        "check: any_of made all_of",
        "check.any_of.0: left out",
        "check.any_of.1: left out",
        "check.any_of.2: left out",
        "check.any_of.0: negated",
        "check.any_of.0.where: left out",
        "check.any_of.0.on.x: left out",
        "check.any_of.0.on.z: left out",
        "check.any_of.0.all: negated",
        "check.any_of.0.where: negated",
        "check.any_of.1: negated",
        "check.any_of.1.on: left out",
        "check.any_of.2: negated",
        "check.any_of.2.count.that: left out",
        "check.any_of.2.count.that: negated",
    ]


def test_a_mutant_is_the_document_with_one_change() -> None:
    raw = {"title": "kept", "check": {"all_of": [ACTIVE, {"not": SIZED}]}}
    assert {str(mutant): mutant.document["check"] for mutant in mutants.mutants(raw)} == {
        "check: negated": {"not": {"all_of": [ACTIVE, {"not": SIZED}]}},
        "check: all_of made any_of": {"any_of": [ACTIVE, {"not": SIZED}]},
        "check.all_of.0: left out": {"all_of": [{"not": SIZED}]},
        "check.all_of.1: left out": {"all_of": [ACTIVE]},
        "check.all_of.0: negated": {"all_of": [{"not": ACTIVE}, {"not": SIZED}]},
        "check.all_of.1: negated": {"all_of": [ACTIVE, SIZED]},
        "check.all_of.1.not: negated": {"all_of": [ACTIVE, {"not": {"not": SIZED}}]},
    }
    assert {mutant.document["title"] for mutant in mutants.mutants(raw)} == {"kept"}
    assert raw == {"title": "kept", "check": {"all_of": [ACTIVE, {"not": SIZED}]}}


# --- the command ----------------------------------------------------------------------------------------


def test_the_command_tells_who_survives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loose = given(tmp_path, {**EXAMPLES, "fail": EXAMPLES["fail"][1:]}, check={"all_of": [ACTIVE, SIZED]})
    monkeypatch.setattr(mutants, "load_catalogue", lambda: loose)
    assert mutants.main([]) == 1
    assert capsys.readouterr().out == "SEC-96 check.all_of.0: left out\n1 survivors\n"


def test_the_command_judges_the_controls_it_is_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mutants, "load_catalogue", lambda: CATALOGUE)
    assert mutants.main(["SEC-06"]) == 0
    assert capsys.readouterr().out == "0 survivors\n"
