"""How the verdicts of another checker are set beside ours. The run itself is `make peers`: it needs their program."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from builders import NOW

from cloudaudit.catalog import load_catalogue, load_peers
from cloudaudit.examples import verdict
from cloudaudit.model import Example, Resource, Scope, Verdict

ROOT = Path(__file__).parent.parent
LIVE = ROOT / "tests" / "live"
HERE = Scope("bed", "hn", "p1")
SSH = "networking_security_group_allows_ssh_from_internet"
LISTING = "objectstorage_container_listing_disabled"


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(LIVE))
    monkeypatch.syspath_prepend(str(LIVE / "peers"))
    return importlib.import_module("compare")


class Judged:
    """An audit in memory."""

    def __init__(self, resources: Sequence[Resource], findings: Sequence[Mapping[str, Any]]) -> None:
        self._resources, self._findings = resources, findings

    def resources(self, type_: str) -> list[Resource]:
        return [resource for resource in self._resources if resource.type == type_]

    def of(self, control: str) -> list[Mapping[str, Any]]:
        return [finding for finding in self._findings if finding["control"] == control]


def thing(type_: str, id_: str, name: str = "", **facts: str) -> Resource:
    return Resource(f"openstack.{type_}", id_, HERE, NOW, facts, name)


def finding(control: str, type_: str, id_: str, verdict: str, name: str | None = None) -> dict[str, Any]:
    resource = {"type": f"openstack.{type_}", "id": id_, "name": name}
    return {"control": control, "resource": resource, "verdict": verdict}


def ours(compare: ModuleType, audit: Judged, check: str, control: str) -> dict[str, tuple[str, str]]:
    found = compare.our_verdicts(audit, check, control, "u", "p")
    return {place.id: said for place, said in found.items()}


def test_a_group_has_the_worst_verdict_of_its_rules(compare: ModuleType) -> None:
    audit = Judged(
        [
            *(thing("security_group", id_, f"name of {id_}") for id_ in ("open", "narrow", "unused")),
            thing("security_group_rule", "1", security_group="open"),
            thing("security_group_rule", "2", security_group="open"),
            thing("security_group_rule", "3", security_group="narrow"),
            thing("security_group_rule", "4", security_group="unused"),
        ],
        [
            finding("SEC-06", "security_group_rule", "1", "fail"),
            finding("SEC-06", "security_group_rule", "2", "pass"),
            finding("SEC-06", "security_group_rule", "3", "pass"),
            finding("SEC-07", "security_group_rule", "4", "fail"),
        ],
    )
    assert ours(compare, audit, SSH, "SEC-06") == {
        "open": ("name of open", "fail"),
        "narrow": ("name of narrow", "pass"),
        "unused": ("name of unused", "nothing"),
    }


def test_a_list_that_is_missing_is_told_and_an_empty_one_is_not(compare: ModuleType) -> None:
    refused = Judged([], [finding("SEC-06", "security_group_rule", "bed/hn/p1", "unknown", "bed hn p1")])
    assert ours(compare, refused, SSH, "SEC-06") == {"(the list)": ("(the list)", "unknown")}
    empty = Judged([], [finding("SEC-06", "security_group_rule", "*/*/*", "not_applicable")])
    assert ours(compare, empty, SSH, "SEC-06") == {}


def test_containers_go_by_their_names(compare: ModuleType) -> None:
    audit = Judged(
        [thing("container", "p1/kho", "kho")],
        [
            finding("SEC-13", "container", "p1/kho", "pass", "kho"),
            finding("SEC-13", "container", "bed/hn/p2", "unknown", "bed hn p2"),
            # Of another type: not what the check is about.
            finding("SEC-13", "bucket", "kho", "fail", "kho"),
        ],
    )
    assert ours(compare, audit, LISTING, "SEC-13") == {
        "kho": ("kho", "pass"),
        "(the list)": ("(the list)", "unknown"),
    }


def test_what_they_write_is_read_by_check_and_resource(compare: ModuleType) -> None:
    written = [
        {
            "metadata": {"event_code": SSH},
            "status_code": "FAIL",
            "resources": [{"uid": "open", "name": "tt-mo"}],
        },
        {
            "metadata": {"event_code": LISTING},
            "status_code": "PASS",
            "resources": [{"uid": "kho", "name": "kho"}],
        },
    ]
    assert compare.their_verdicts(written, "u", "p") == {
        (SSH, compare.Place("u", "p", "open")): ("tt-mo", "fail"),
        (LISTING, compare.Place("u", "p", "kho")): ("kho", "pass"),
    }


def said(compare: ModuleType, check: str, theirs: str, ours: str) -> list[Any]:
    place = compare.Place("u", "p", "x")
    return list(
        compare.joined(
            check,
            {} if theirs == "nothing" else {place: ("x", theirs)},
            {place: ("x", ours)},
        )
    )


@pytest.mark.parametrize(
    ("check", "theirs", "ours", "same"),
    [
        (SSH, "fail", "fail", True),
        (SSH, "fail", "pass", False),
        (SSH, "pass", "unknown", False),
        # No rule of the group is a case for us.
        (SSH, "pass", "nothing", True),
        (SSH, "fail", "nothing", False),
        (LISTING, "pass", "nothing", False),
        (LISTING, "nothing", "fail", False),
    ],
)
def test_same_is_the_same_verdict(
    compare: ModuleType, check: str, theirs: str, ours: str, same: bool
) -> None:
    (one,) = said(compare, check, theirs, ours)
    assert one.is_same is same


def test_a_difference_that_nobody_explains_is_told(compare: ModuleType) -> None:
    peer = load_peers()[compare.PEER]
    found = [*said(compare, SSH, "fail", "pass"), *said(compare, LISTING, "pass", "unknown")]
    why = compare.Explanation([LISTING], "pass", "unknown", ["*"], "ours", "Not shown.")
    text, silent = compare.rendered(peer, found, [why])
    assert [one.check for one in silent] == [SSH]
    assert "1. Ours is right\n\nNot shown.\n" in text
    (row,) = text.partition("### Not explained")[2].partition("## Object")[0].strip().splitlines()[2:]
    assert row == f"| `{SSH}` | fail | pass | x (u) |"
    assert compare.rendered(peer, [], [])[1] == []


def test_without_their_program_it_says_how_to_get_it(
    compare: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROWLER", raising=False)
    peer = load_peers()[compare.PEER]
    with pytest.raises(SystemExit, match=f"pip install prowler=={re.escape(peer.version)}"):
        compare.executable(peer)


def test_every_check_that_is_shared_can_be_compared(compare: ModuleType) -> None:
    catalogue = load_catalogue()
    parts = set(compare.WHOLES)
    for check, control in compare.shared(load_peers()[compare.PEER]).items():
        types = set(compare.about(check))
        judged = set(catalogue.control(control).applies_to)
        assert judged & types or any(part in judged and compare.WHOLES[part][0] in types for part in parts), (
            check
        )


def test_every_explanation_is_in_words_of_the_document(compare: ModuleType) -> None:
    explained = compare.explanations()
    assert {one.right for one in explained} <= set(compare.RIGHT)
    verdicts = {"pass", "fail", "unknown", "nothing"}
    assert {one.theirs for one in explained} | {one.ours for one in explained} <= verdicts


def test_the_table_that_is_kept_has_every_check_and_no_open_question(compare: ModuleType) -> None:
    """Where it does not: `make peers`."""
    peer = load_peers()[compare.PEER]
    text = (ROOT / "docs" / "peers-agreement.md").read_text(encoding="utf-8")
    by_check = text.partition("## By check")[2].partition("## Differences")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", by_check, re.M)
    nearest = compare.shared(peer)
    assert rows == [(check, nearest.get(check, "none")) for check in peer.checks]
    assert "Not explained" not in text
    explained = [one.why.strip() for one in compare.explanations()]
    assert [why for why in explained if why not in text] == []


def test_an_image_of_another_owner_is_not_judged() -> None:
    """It is theirs to sign and to set properties of: neither checker asks it of a user."""
    catalogue = load_catalogue()
    image = {"status": "active", "properties": {}, "property_names": []}
    for id_ in ("SEC-109", "SEC-110", "SEC-111"):
        for project, expected in (("p-1", Verdict.FAIL), (None, None)):
            example = Example(Verdict.FAIL, {"resource": {**image, "project": project}}, 1)
            assert verdict(catalogue.control(id_), example, catalogue.types, catalogue.control) is expected, (
                id_
            )
