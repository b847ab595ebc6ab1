"""Fingerprints and baselines as values: what they survive, what they do not, and how one is kept up."""

from __future__ import annotations

import copy
import hashlib
import json
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import builders
import pytest
import sample_report as sample
from hypothesis import given
from hypothesis import strategies as st

from cloudaudit import baseline
from cloudaudit.api import counts
from cloudaudit.baseline import Baseline, Entry, Update
from cloudaudit.errors import BaselineError
from cloudaudit.model import (
    Finding,
    Reason,
    Scope,
    Severity,
    Text,
    Unseen,
    Verdict,
    Written,
    fingerprint,
    parse_time,
)
from cloudaudit.reporters import Known
from cloudaudit.reporters.report_json import shown
from cloudaudit.reporters.standing import Remaining, remaining
from cloudaudit.yamlsource import misfit, schema

MADE = parse_time("2026-11-22T10:00:00Z")
CONTROL = next(one for one in sample.CONTROLS if one.id == "BDR-05")
VOLUME = builders.volume("v-1", name="csdl")
FINDING = Finding(CONTROL, VOLUME, Verdict.FAIL)
PRINT = hashlib.sha256(
    f"BDR-05\x1f{VOLUME.scope.target}\x1f{VOLUME.scope.region}\x1fopenstack.volume\x1fv-1".encode()
).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        FINDING,
        replace(FINDING, verdict=Verdict.EXPIRED),
        replace(FINDING, control=replace(CONTROL, title=Text("Khác", "Other"), message=Text("x", "x"))),
        replace(FINDING, control=replace(CONTROL, version="9.9.9", severity=Severity.LOW)),
        replace(FINDING, resource=replace(VOLUME, name="đổi tên")),
        replace(FINDING, resource=replace(VOLUME, endpoint="https://moi.example", at=VOLUME.at + 86400)),
        replace(FINDING, resource=replace(VOLUME, scope=replace(VOLUME.scope, project="khac"))),
        replace(FINDING, resource=replace(VOLUME, written=Written("main.tf", 3, {}))),
        replace(FINDING, resource=replace(VOLUME, written=Written("modules/kho/volumes.tf", 90, {"encrypted": 93}))),
        replace(FINDING, waiver="mt-1", weight=4, detail="khác"),
    ],
)  # fmt: skip
def test_a_fingerprint_survives_texts_versions_names_places_and_lines(other: Finding) -> None:
    assert other.fingerprint == PRINT


@pytest.mark.parametrize(
    "other",
    [
        replace(FINDING, control=replace(CONTROL, id="BDR-06")),
        replace(FINDING, resource=replace(VOLUME, id="v-2")),
        replace(FINDING, resource=replace(VOLUME, type="openstack.snapshot")),
        replace(FINDING, resource=replace(VOLUME, scope=Scope("cloud-khac"))),
        # Another region may call its image service, or a zone, as this one does.
        replace(FINDING, resource=replace(VOLUME, scope=replace(VOLUME.scope, region="khac"))),
        replace(FINDING, resource=replace(VOLUME, scope=replace(VOLUME.scope, region=None))),
    ],
)
def test_a_fingerprint_is_another_for_another_control_id_type_target_or_region(other: Finding) -> None:
    place = other.resource
    scope = place.scope
    own = fingerprint(other.control.id, scope.target, place.type, place.id, scope.region)
    assert other.fingerprint == own != PRINT


def test_a_region_that_is_not_known_for_sure_is_none() -> None:
    both = replace(VOLUME, unseen={"region": Unseen(Reason.AMBIGUOUS, "hn and hcm share an address")})
    nowhere = replace(VOLUME, scope=replace(VOLUME.scope, region=None))
    assert replace(FINDING, resource=both).fingerprint == replace(FINDING, resource=nowhere).fingerprint


# --- keeping one up -----------------------------------------------------------------------------------


def report(**verdicts: str) -> dict[str, Any]:
    """A report of BDR-05 on volumes by their verdicts, `waived` among them."""
    shape = sample.report(sample.small())
    record = next(one for one in shape["findings"] if one["control"] == "BDR-05")
    found = []
    for id_, verdict in verdicts.items():
        one = copy.deepcopy(record)
        one["resource"] |= {"id": id_, "name": id_}
        place = one["resource"]
        one["fingerprint"] = fingerprint("BDR-05", place["target"], place["type"], id_, place["region"])
        waived = verdict == "waived"
        one |= {"verdict": "fail" if waived else verdict, "waiver": "mt-1" if waived else None}
        found.append(one | {"disposition": "waived" if waived else None})
    return shape | {"findings": found}


def entry(id_: str, since: str = "2026-01-01T00:00:00Z", reason: str = "cũ") -> Entry:
    place = report(**{id_: "fail"})["findings"][0]
    resource = place["resource"]
    return Entry(
        place["fingerprint"],
        "BDR-05",
        resource["type"],
        id_,
        id_,
        resource["target"],
        since,
        reason,
        resource["region"],
    )


def of(*entries: Entry) -> Baseline:
    one = report()
    profile = one["profile"]
    return Baseline(
        "b.json", one["subject"]["id"], one["scope"], profile["id"], profile["version"], "2026-11-22T10:00:00Z",
        entries,
    )  # fmt: skip


def test_only_what_fails_or_has_expired_and_is_not_waived_is_named() -> None:
    now = report(a="fail", b="expired", c="unknown", d="manual_pending", e="waived", f="not_applicable")
    at = now["assessed_at"]
    made = baseline.make("b.json", now, "mới", MADE)
    assert made == Update(of(entry("a", at, "mới"), entry("b", at, "mới")), 0, 2, 0, 0, 0, 0)
    assert counts(now, Severity.LOW, made.baseline.known_in(now).keys()) == (0, 2)


def test_an_update_tells_where_every_entry_went() -> None:
    old = of(*(entry(id_) for id_ in "abcdefg"))
    now = report(a="fail", b="unknown", c="waived", d="not_applicable", h="fail")
    passing = entry("e").fingerprint
    settled = frozenset({passing, entry("d").fingerprint})
    made = baseline.make("b.json", now, None, MADE, old, settled)
    # f and g are gone, and the list of volumes was read in full.
    assert made == Update(of(entry("a"), entry("b")), 1, 0, 4, 1, 1, 1)
    for control in now["controls"]:
        control["listing_complete"] = False
    made = baseline.make("b.json", now, None, MADE, old, settled)
    assert made == Update(of(entry("a"), entry("b"), entry("f"), entry("g")), 1, 0, 2, 1, 3, 1)


def test_a_violation_more_of_one_fingerprint_is_a_new_one() -> None:
    """Some ids are unique in a project only; a fingerprint leaves the project out."""
    before = report(a="fail")
    there = before["findings"][0]
    elsewhere = copy.deepcopy(there)
    elsewhere["resource"] |= {"project": "khac"}
    named = baseline.make("b.json", before, "mới", MADE).baseline
    now = before | {"findings": [there, elsewhere]}
    assert counts(now, Severity.LOW, named.known_in(now).keys()) == (2, 0)
    for beside in ({"verdict": "unknown"}, {"verdict": "fail", "waiver": "mt-1"}):
        hidden = before | {"findings": [there, elsewhere | beside]}
        assert [one.count for one in baseline.make("b.json", hidden, "mới", MADE).baseline.entries] == [1]
        assert counts(hidden, Severity.LOW, named.known_in(hidden).keys())[0] == 0
    updated = baseline.make("b.json", now, "mới", MADE, named)
    assert [one.count for one in updated.baseline.entries] == [2]
    assert counts(now, Severity.LOW, updated.baseline.known_in(now).keys()) == (0, 0)


def test_a_report_without_names_makes_no_baseline() -> None:
    now = report(a="fail")
    now["findings"][0]["resource"]["id"] = "resource-1"
    with pytest.raises(BaselineError, match="tells no names"):
        baseline.make("b.json", now, "mới", MADE)


def test_what_is_left_is_told_by_reason_and_age() -> None:
    now = report(a="fail", b="fail", c="unknown", d="waived", e="fail")
    since = {"a": "2026-11-20T01:30:00Z", "b": "2026-11-20T01:30:00Z", "e": "2027-01-01T00:00:00Z"}
    known = {entry(id_).fingerprint: Known(at, "cũ") for id_, at in since.items()}
    known |= {entry(id_).fingerprint: Known("2026-01-01T00:00:00Z", "cũ") for id_ in "cd"}
    a, b, _, _, e = now["findings"]
    assert remaining(now, known) == [
        Remaining("2026-11-20T01:30:00Z", "cũ", 2, [a, b]),
        Remaining("2027-01-01T00:00:00Z", "cũ", 0, [e]),
    ]
    assert remaining(now, None) == []


def test_each_subject_gets_its_own() -> None:
    hn, hcm = (replace(of(), name=f"{id_}.json", subject=id_) for id_ in ("hn", "hcm"))
    assert baseline.choose([hcm, hn], {"hn", "hcm", "dn"}) == {"hn": hn, "hcm": hcm}
    with pytest.raises(BaselineError) as wrong:
        baseline.choose([hn, hcm], {"hn", "dn"})
    assert str(wrong.value) == (
        "hcm.json: this baseline is of the subject 'hcm', which is not audited here; give one of 'dn', 'hn'"
    )
    with pytest.raises(BaselineError, match=r"b\.json: the subject 'hn' has a baseline already: hn\.json"):
        baseline.choose([hn, replace(hn, name="b.json")], {"hn"})


# --- on disk ------------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


@given(st.lists(st.tuples(texts, texts, texts.filter(str.strip)), max_size=4, unique_by=lambda one: one[:1]))
def test_what_is_written_is_read_back_whatever_a_cloud_named(
    tmp_path_factory: pytest.TempPathFactory, named: list[tuple[str, str, str]]
) -> None:
    entries = tuple(
        Entry(fingerprint("SEC-01", "kho", "s3.bucket", id_), "SEC-01", "s3.bucket", id_, name, "kho", "2026-01-01", reason)
        for id_, name, reason in named
    )  # fmt: skip
    path = tmp_path_factory.mktemp("baseline") / "b.json"
    made = replace(of(*entries), name=str(path))
    baseline.write(made, path)
    assert baseline.load(path) == made
    text = path.read_text(encoding="utf-8")
    assert shown(text) == text
    assert misfit(json.loads(text), schema("baseline")) == ""
    assert [one.name for one in path.parent.iterdir()] == ["b.json"]


class _OfAnother(Exception):
    """An entry fits the schema, and not its own fingerprint."""


def _load(path: Path) -> None:
    try:
        baseline.load(path)
    except BaselineError as wrong:
        if "is not that of" in str(wrong):
            raise _OfAnother from wrong
        raise


junk = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just([]) | st.just({})


@given(
    st.sampled_from(
        [
            ("schema_version",), ("subject",), ("scope",), ("profile",), ("profile", "id"), ("made_at",),
            ("entries",), ("entries", 0), ("entries", 0, "control"), ("entries", 0, "resource"),
            ("entries", 0, "resource", "name"), ("entries", 0, "resource", "id"), ("entries", 0, "since"),
            ("entries", 0, "reason"), ("entries", 0, "fingerprint"), ("entries", 0, "count"),
        ]
    ),
    junk,
    st.sampled_from(["put", "drop", "more"]),
)  # fmt: skip
def test_the_quick_reader_takes_nothing_that_the_schema_refuses(
    tmp_path_factory: pytest.TempPathFactory, way: tuple[str | int, ...], value: object, how: str
) -> None:
    whole = json.loads(baseline.dumps(of(replace(entry("a"), count=2))))
    place: Any = whole
    for step in way[:-1]:
        place = place[step]
    if how == "drop":
        del place[way[-1]]
    elif how == "more" and isinstance(place, dict):
        place["thêm"] = value
    else:
        place[way[-1]] = value
    path = tmp_path_factory.mktemp("baseline") / "b.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    fits = misfit(whole, schema("baseline")) == ""
    with nullcontext() if fits else pytest.raises(BaselineError, match=f"^{path}"), suppress(_OfAnother):
        _load(path)


def test_ten_thousand_entries_are_read_in_a_moment(tmp_path: Path) -> None:
    """More than the strict reader of YAML takes: the quick one has to do."""
    made = replace(of(*(entry(str(number)) for number in range(10))), name=str(tmp_path / "b.json"))
    one = made.entries[0]
    many = [
        replace(
            one, id=f"v-{n}", fingerprint=fingerprint(one.control, one.target, one.type, f"v-{n}", one.region)
        )
        for n in range(20_000)
    ]
    path = tmp_path / "b.json"
    baseline.write(replace(made, entries=tuple(many)), path)
    assert len(baseline.load(path).entries) == 20_000
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"since"', '"sicne"', 1), encoding="utf-8")
    with pytest.raises(BaselineError, match=r"entries\[0\]: missing key 'since'"):
        baseline.load(path)


def test_what_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "b.json").mkdir()
    (tmp_path / "b.json" / "mine").touch()
    with pytest.raises(Exception, match="cannot be written"):
        baseline.write(of(), tmp_path / "b.json")
    assert [one.name for one in tmp_path.iterdir()] == ["b.json"]
