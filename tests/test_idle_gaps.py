"""Gaps of code that no verdict waits for are none of the report; nothing else is ever taken away."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from judging import Memory

from cloudaudit import api
from cloudaudit.cli import _run
from cloudaudit.model import Gap, Listing, Reason, Scope
from cloudaudit.snapshot import Snapshot

EXAMPLES = Path(__file__).parent.parent / "examples" / "ci"
EXTENSION = "openstack.extension"
"""Read by SEC-07 of ports whose security is null, which code never says."""
KNOWN = api.know("before-deployment", "provider", ())


@pytest.fixture(scope="module")
def assessed(tmp_path_factory: pytest.TempPathFactory) -> api.Assessed:
    folder = tmp_path_factory.mktemp("code")
    shutil.copytree(EXAMPLES, folder / "ci")
    targets = folder / "ci" / "fixed" / "targets.yaml"
    assert _run(["run", "-t", str(targets), "-p", KNOWN.profile.id, "-o", str(folder / "out"), "-q"]) == 0
    return api.load_assessment(folder / "out")


def test_what_code_cannot_tell_and_nothing_waits_for_is_no_gap(assessed: api.Assessed) -> None:
    report = assessed.report
    assert report["gaps"] == []
    assert report["readiness"]["collection_coverage"] == 100.0
    assert all(entry["asked"] == entry["ok"] for entry in report["collection"])
    evidence = Snapshot(assessed.folder / "snapshot", KNOWN.catalogue.types)
    assert [gap.type for gap in evidence.gaps()] == [EXTENSION]


def gap(
    type_: str = EXTENSION, target: str = "ma", reason: Reason = Reason.NOT_DESCRIBED, **more: Any
) -> Gap:
    return Gap(Scope(target), type_, "declare", reason, **more)


IDLE = gap()
KEPT = {
    "could be declared": gap("openstack.port"),
    "refused by a cloud": gap(reason=Reason.NO_PERMISSION),
    "of a cloud": gap(target="dam-may"),
    "of facts": gap(listing=False),
}


class Told(Memory):
    """Gaps of code beside a cloud."""

    def __init__(self, *gaps: Gap) -> None:
        super().__init__([], gaps)
        self.run = {"targets": [{"name": "ma", "kind": "heat"}, {"name": "dam-may", "kind": "openstack"}]}


@pytest.mark.parametrize(
    "verdict", ["pass", "fail", "expired", "not_applicable", "unknown", "manual_pending"]
)
def test_a_gap_stays_where_a_control_that_reads_it_is_undecided(verdict: str) -> None:
    def idle(control: str) -> frozenset[Gap]:
        records = [{"control": control, "verdict": verdict}]
        return api.idle_gaps(Told(IDLE), KNOWN.profile, KNOWN.catalogue.types, records)  # type: ignore[arg-type]

    assert idle("SEC-07") == (frozenset() if verdict in ("unknown", "manual_pending") else {IDLE})
    # A control that does not read it waits for something else.
    assert idle("SEC-13") == {IDLE}


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_every_other_gap_stays(kept: Gap) -> None:
    evidence: Any = Told(IDLE, kept)
    assert api.idle_gaps(evidence, KNOWN.profile, KNOWN.catalogue.types, ()) == {IDLE}


LISTED = Listing(Scope("kho"), "s3.bucket", 0, "the store lists no bucket")


@pytest.mark.parametrize(
    ("missing", "asked"),
    [
        # A tenant can have no key for it, and to a store of its own an operator gives one.
        (gap("s3.zone", "kho", Reason.NO_PERMISSION), 1),
        (gap("s3.zone", "kho", Reason.NO_PERMISSION, call=7), 2),
        (gap("s3.zone", "kho", Reason.TIMEOUT), 2),
        (gap("s3.endpoint", "kho", Reason.NO_PERMISSION), 2),
    ],
    ids=["no key", "key refused", "no answer", "no admin API"],
)
def test_an_admin_api_without_a_key_is_no_service_that_was_asked(missing: Gap, asked: int) -> None:
    evidence: Any = Memory((), (missing,), (), (LISTED,), types=frozenset({"s3.bucket", missing.type}))
    (entry,) = api.collection_table(evidence, KNOWN.catalogue.types)
    assert (entry["target"], entry["asked"], entry["ok"]) == ("kho", asked, 1)
