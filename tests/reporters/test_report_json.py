"""report.json: findings with their evidence, and the whole report in its frozen shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from typing import Any

import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st
from judging import (
    HERE,
    STEPS,
    Memory,
    Waiver,
    control,
    entry,
    estate,
    evidence_of,
    judge,
    obligation,
    profile,
    resource_type,
    spec,
    thing,
)

from cloudaudit.assessment import Declared, assess
from cloudaudit.catalog import load_catalogue, load_profile
from cloudaudit.collectors.s3.operations import operations
from cloudaudit.facts import DERIVATIONS
from cloudaudit.facts.derivation import Derived, Family
from cloudaudit.model import (
    AT,
    MISSING,
    AtLeast,
    AtMost,
    Call,
    CallSpec,
    DimensionResult,
    Explanation,
    FactSpec,
    FactType,
    Finding,
    Gap,
    Gate,
    GateResult,
    GateState,
    Listing,
    Parameter,
    Partial,
    Readiness,
    Reading,
    Reason,
    Resource,
    Scope,
    Tally,
    Text,
    Unseen,
    Value,
    Verdict,
    format_time,
)
from cloudaudit.reporters import Context
from cloudaudit.reporters.report_json import (
    MAX_EVIDENCE_ITEMS,
    MAX_EVIDENCE_TEXT,
    S3_OPERATIONS,
    FindingWriter,
    JsonReporter,
    Parts,
    build,
    capabilities,
    dumps,
    json_value,
    rounded,
)

SEEN = NOW - 300
CALLS = {
    1: Call(1, HERE, "compute", "GET /vms?limit=9", 200, SEEN),
    2: Call(2, HERE, "compute", "GET /vms/v1/disks", 200, SEEN + 60),
    3: Call(3, HERE, "compute", "GET /vms", 403, SEEN + 90),
}
TYPES = {
    one.name: one
    for one in (
        resource_type(
            "vm", spec("good", "boolean", call="vm.list"), spec("size", "integer", null=True), spec("born", "time"),
            spec("age", "duration", derived="ageing"), spec("disks", "list", items=spec("value", "string")),
            spec("rows", "list", items=spec("value", "record", at=spec("at", "time"))), spec("system.id", "string", derived="attribution"),
            calls=(CallSpec("vm.list", "compute", "GET /vms", lists=True),),
        ),
        resource_type("paper", spec("good", "boolean"), spec("kind", "string"), spec("date", "time"), declared=True),
        resource_type("system", spec("criticality", "string"), spec("good", "boolean"), declared=True),
        resource_type("site", spec("good", "boolean"), declared=True),
    )
}  # fmt: skip
WRITER = FindingWriter(TYPES, CALLS.__getitem__)
TOLD = Text("Máy {name}: {good}", "Machine {name}: {good}")


def written(evidence: Memory, *controls: Any, **options: Any) -> list[dict[str, Any]]:
    """The records of judging some controls."""
    findings, _ = judge(evidence, *controls, **options)
    return [WRITER.record(finding) for finding in findings]


def of(check: Any = None, **options: Any) -> Any:
    return control(check=check, types=TYPES, message=TOLD, **{"on": ("vm",), **options})


def test_a_violation_has_the_sentence_meant_for_it_and_every_other_verdict_the_neutral_one() -> None:
    told = replace(of(), violation=Text("Máy {name} hỏng", "Machine {name} is broken"))
    things = [thing("v1", {"good": False}), thing("v2", {"good": True}), thing("v3", {})]
    assert [record["message"]["vi"] for record in written(Memory(things), told)] == [
        "Máy v1 hỏng", "Máy v2: có", "Máy v3: chưa xác định",
    ]  # fmt: skip
    lapsed = replace(of(expired_when={"fact": "good", "equals": True}), violation=Text("hết hạn", "over"))
    (record,) = written(Memory([thing("v1", {"good": True})]), lapsed)
    assert (record["verdict"], record["message"]) == ("expired", {"vi": "hết hạn", "en": "over"})


# --- one finding --------------------------------------------------------------------------------------


def test_a_finding_whole() -> None:
    facts = {"good": True, "system.id": "thue", "site.id": "hn"}
    (record,) = written(Memory([thing("v1", facts, name="máy 1", at=SEEN)]), of(obligations=["L-1"]))
    assert record == {
        "fingerprint": sha256(b"SEC-01\x1fdam-may\x1fhn\x1fvm\x1fv1").hexdigest(),
        "control": "SEC-01",
        "resource": {
            "type": "vm", "id": "v1", "name": "máy 1", "target": "dam-may", "region": "hn", "project": "p1",
            "system": "thue", "site": "hn",
        },
        "verdict": "pass",
        "disposition": None,
        "reason_code": None,
        "detail": None,
        "message": {"vi": "Máy máy 1: có", "en": "Machine máy 1: yes"},
        "weight": None,
        "assurance": "O",
        "evidence": [
            {"fact": "good", "resource": "vm:v1", "value": True, "source": "compute GET /vms?limit=9 -> 200", "at": format_time(SEEN)}
        ],
        "waiver": None,
        "refused_waiver": None,
    }  # fmt: skip
    assert list(record) == [
        "fingerprint", "control", "resource", "verdict", "disposition", "reason_code", "detail", "message", "weight",
        "assurance", "evidence", "waiver", "refused_waiver",
    ]  # fmt: skip


def test_a_waived_and_a_refused_one() -> None:
    bad = Memory([thing("v1", {"good": False})])
    (record,) = written(bad, of(), declared=Declared({}, waivers=[Waiver()]))
    assert (record["verdict"], record["disposition"], record["waiver"]) == ("fail", "waived", "mt-1")
    (record,) = written(
        bad, of(obligations=["L-1"]), declared=Declared({}, waivers=[Waiver(authority="internal")]),
        obligations=[obligation("L-1", "law")],
    )  # fmt: skip
    assert (record["disposition"], record["waiver"]) == (None, None)
    assert (
        record["refused_waiver"]["en"]
        == "waiver mt-1 is not approved by the competent authority; L-1 is a legal duty"
    )


def test_an_unknown_one() -> None:
    refused = {"good": Unseen(Reason.NO_PERMISSION, "403 Forbidden")}
    (record,) = written(Memory([thing("v1", {}, unseen=refused)]), of())
    assert (record["verdict"], record["reason_code"], record["detail"]) == (
        "unknown",
        "no_permission",
        "403 Forbidden",
    )
    assert record["message"]["vi"] == "Máy v1: chưa xác định"
    assert record["evidence"] == [
        {"fact": "good", "resource": "vm:v1", "missing": "no_permission", "source": "compute GET /vms?limit=9 -> 200",
         "at": format_time(SEEN)}
    ]  # fmt: skip
    (record,) = written(Memory([thing("v1", {})]), of())
    assert record["evidence"][0]["missing"] == record["reason_code"] == "not_collected"


def test_a_scope_that_was_not_seen() -> None:
    gap = Gap(Scope("dam-may", "hcm"), "vm", "vm.list", Reason.NO_PERMISSION, "403", 3)
    (record,) = written(Memory([], [gap]), of())
    assert record["resource"] == {
        "type": "vm", "id": "dam-may/hcm/*", "name": "dam-may/hcm", "target": "dam-may", "region": "hcm", "project": None,
        "system": None, "site": None,
    }  # fmt: skip
    assert (record["verdict"], record["reason_code"], record["detail"]) == ("unknown", "no_permission", "403")
    assert record["message"] == {
        "vi": "loại vm: chưa xem được đầy đủ trong phạm vi dam-may/hcm",
        "en": "kind vm: could not be seen in full in dam-may/hcm",
    }
    assert record["evidence"] == [
        {"fact": "listing", "resource": "vm:dam-may/hcm/*", "missing": "no_permission", "source": "compute GET /vms -> 403",
         "at": format_time(SEEN + 90)}
    ]  # fmt: skip


def test_what_nobody_collected() -> None:
    (record,) = written(Memory(listed=()), of())
    assert record["message"] == {"vi": "loại vm: chưa được thu thập", "en": "kind vm: not collected"}
    assert record["evidence"] == [
        {
            "fact": "listing",
            "resource": "vm:*/*/*",
            "missing": "not_collected",
            "source": "register:vm",
            "at": format_time(NOW),
        }
    ]


def test_what_is_proved_not_to_be_there() -> None:
    (record,) = written(Memory(), of())
    assert (record["verdict"], record["detail"]) == ("not_applicable", "all of vm")
    assert record["message"] == {
        "vi": "loại vm: không có đối tượng nào thuộc diện áp dụng",
        "en": "kind vm: there is none to which this applies",
    }
    assert record["evidence"] == [
        {
            "fact": "listing", "resource": "vm:dam-may/*/*", "value": {"count": 0, "proof": "all of vm"},
            "source": "compute GET /vms?limit=9 -> 200", "at": format_time(SEEN),
        }
    ]  # fmt: skip


def test_papers_nobody_is_registered_to_owe_and_lists_that_are_too_old() -> None:
    (record,) = written(Memory(), of(on=("system",), method="P"))
    assert record["message"]["vi"] == "loại system: chưa khai báo đối tượng nào thuộc diện áp dụng"
    assert record["message"]["en"] == "kind system: none is declared that this concerns"
    (record,) = written(Memory(collected_at=0), of())
    assert record["message"]["vi"] == "loại vm: danh sách đã thu thập quá lâu"
    assert record["message"]["en"] == "kind vm: the list was collected too long ago"


def test_a_declared_thing_belongs_to_itself() -> None:
    declared = Declared(
        {"system": [entry("system", "thue", good=True)], "site": [entry("site", "hn", good=True)]}
    )
    for kind, expected in (("system", ("thue", None)), ("site", (None, "hn"))):
        (record,) = written(Memory(), of(on=(kind,), method="P"), declared=declared)
        assert (record["resource"]["system"], record["resource"]["site"]) == expected
        assert record["evidence"][0]["source"] == f"register:{kind}"
        assert record["evidence"][0]["at"] == format_time(NOW), "what is declared is as old as the assessment"


def test_places_that_sightings_disagree_on_are_left_open() -> None:
    two = {"region": Unseen(Reason.AMBIGUOUS, "hn and hcm"), "system": Unseen(Reason.AMBIGUOUS, "")}
    moved = thing("v1", {"good": True}, scope=Scope("dam-may", None, "p1"), unseen=two)
    (record,) = written(Memory([moved]), of())
    assert [record["resource"][key] for key in ("region", "project", "system")] == [None, "p1", None]


# --- evidence -----------------------------------------------------------------------------------------


def evidence(check: Any, facts: Mapping[str, Value], **options: Any) -> list[dict[str, Any]]:
    sources = options.pop("sources", {"": 1})
    seen = replace(thing("v1", facts, at=SEEN), sources=sources)
    (record,) = written(Memory([seen]), of(check), **options)
    found: list[dict[str, Any]] = record["evidence"]
    return found


AGEING = Family("ageing", {"vm": ("age",)}, {}, lambda world: lambda vm: Derived({"age": 90}))


def test_a_fact_names_the_call_it_came_from() -> None:
    both = {"all_of": [{"fact": "disks", "contains": "a"}, {"fact": "good", "equals": True}]}
    found = evidence(both, {"good": True, "disks": ("a",)}, sources={"": 1, "disks": 2})
    assert [(e["fact"], e["source"], e["at"]) for e in found] == [
        ("disks", "compute GET /vms/v1/disks -> 200", format_time(SEEN + 60)),
        ("good", "compute GET /vms?limit=9 -> 200", format_time(SEEN)),
    ]


def test_a_derived_fact_names_its_derivation_and_what_the_thing_came_from() -> None:
    old = {"fact": "age", "at_least": "PT1M"}
    (found,) = evidence(old, {}, derivations=[AGEING])
    assert found == {
        "fact": "age", "resource": "vm:v1", "value": 90, "source": "derived:ageing; compute GET /vms?limit=9 -> 200",
        "at": format_time(SEEN),
    }  # fmt: skip
    (found,) = evidence(old, {}, derivations=[AGEING], sources={})
    assert (found["source"], found["at"]) == ("derived:ageing", format_time(SEEN)), (
        "without a call, its own clock"
    )


def test_a_derived_fact_names_the_lists_it_stands_on() -> None:
    looks = Family(
        "ageing",
        {"vm": ("age",)},
        {"vm": (), "net": (), "disk": (), "site": ()},
        lambda world: lambda vm: Derived({"age": 90}),
    )
    listed: dict[str, list[Listing | Gap]] = {
        "net": [
            Listing(Scope("dam-may", "hn"), "net", 1, "another region", 1),
            Gap(Scope("dam-may", "hcm"), "net", "nets", Reason.NO_PERMISSION, "HTTP 403", 3),
            Listing(Scope("dam-may"), "net", 1, "all regions", 2),
        ],
        "disk": [Listing(Scope("*"), "disk", 0, "declared absent")],
    }
    writer = FindingWriter(
        TYPES | {"net": resource_type("net"), "disk": resource_type("disk")},
        CALLS.__getitem__,
        [looks],
        listed,
    )

    def source(region: str) -> str:
        seen = replace(thing("v1", {}, at=SEEN), sources={"": 1}, scope=Scope("dam-may", region))
        (finding,), _ = judge(Memory([seen]), of({"fact": "age", "at_least": "PT1M"}), derivations=[looks])
        found: str = writer.record(finding)["evidence"][0]["source"]
        return found

    assert source("hcm") == (
        "derived:ageing; compute GET /vms?limit=9 -> 200; disk; net: compute GET /vms -> 403 (+1); register:site"
    )
    assert source("hn") == (
        "derived:ageing; compute GET /vms?limit=9 -> 200; disk; net: compute GET /vms?limit=9 -> 200 (+1); register:site"
    )


def test_evidence_of_related_things_and_of_their_absence() -> None:
    plan = {
        "related": "paper",
        "where": {"fact": "kind", "equals": "plan"},
        "any": {"fact": "good", "equals": True},
    }
    declared = Declared({"paper": [entry("paper", "kh-1", kind="plan", good=True)]})
    assert evidence(plan, {}, declared=declared) == [
        {
            "fact": fact,
            "resource": "paper:kh-1",
            "value": value,
            "source": "register:paper",
            "at": format_time(NOW),
        }
        for fact, value in (("kind", "plan"), ("good", True))
    ]
    assert evidence(plan, {}, declared=Declared({"paper": ()})) == [
        {
            "fact": "related.paper",
            "resource": "vm:v1",
            "value": [],
            "source": "listing:paper",
            "at": format_time(SEEN),
        }
    ]


def test_every_condition_up_to_the_last_is_evidence_the_last_one_first() -> None:
    facts = {"good": True, "chosen": True, "inapplicable": False}
    conditions = {name: STEPS[name] for name in ("where", "not_applicable_when")}
    findings, _ = judge(Memory([thing("v1", facts)]), control(**conditions))
    told = [reading["fact"] for reading in WRITER.record(findings[0])["evidence"]]
    assert told == ["good", "inapplicable", "chosen"]


def test_a_call_that_is_not_known_is_an_error_of_the_snapshot() -> None:
    with pytest.raises(KeyError):
        evidence(None, {"good": True}, sources={"": 9})


BIG = tuple(f"o-{n}" for n in range(1000))


@pytest.mark.parametrize(
    ("value", "about", "expected"),
    [
        (None, None, None), (True, None, True), (5, None, 5), (0.5, None, 0.5), ("hồ sơ", None, "hồ sơ"),
        (NOW, spec("x", "time"), format_time(NOW)), (NOW, spec("x", "integer"), NOW), (True, spec("x", "time"), True),
        (10**30, spec("x", "time"), 10**30), (float("inf"), None, "inf"), (float("nan"), None, "nan"),
        (AtMost(5), None, {"$at_most": 5}), (AtLeast(NOW), spec("x", "time"), {"$at_least": format_time(NOW)}),
        ((), None, []), (("a", "b"), None, ["a", "b"]), (["a"], None, ["a"]), (Partial(("a",)), None, {"$partial": ["a"]}),
        ({"a": 1}, None, {"a": 1}), ({"at": NOW}, spec("x", "record", at=spec("at", "time")), {"at": format_time(NOW)}),
        (({"at": NOW},), spec("x", "list", items=spec("v", "record", at=spec("at", "time"))), [{"at": format_time(NOW)}]),
        (BIG, None, [*BIG[:MAX_EVIDENCE_ITEMS], {"$more": 950}]),
        (Partial(BIG), None, {"$partial": [*BIG[:MAX_EVIDENCE_ITEMS], {"$more": 950}]}),
        (BIG[:MAX_EVIDENCE_ITEMS], None, list(BIG[:MAX_EVIDENCE_ITEMS])),
        (dict.fromkeys(BIG, 1), None, {**dict.fromkeys(BIG[:MAX_EVIDENCE_ITEMS], 1), "$more": 950}),
        ("x" * MAX_EVIDENCE_TEXT, None, "x" * MAX_EVIDENCE_TEXT),
        ("x" * (MAX_EVIDENCE_TEXT + 7), None, "x" * MAX_EVIDENCE_TEXT + "… (+7)"),
        ("a\ud800", None, "a?"), ("Hô\u0300", None, "Hồ"), ("\x1b[31m\u202e", None, "\x1b[31m\u202e"),
    ],
    ids=lambda v: str(v)[:24],
)  # fmt: skip
def test_values_as_json(value: Value, about: FactSpec | None, expected: Any) -> None:
    assert json_value(value, about) == expected


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | st.builds(AtMost, st.integers()) | st.builds(AtLeast, st.floats()),
    lambda inner: st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner) | st.lists(inner).map(lambda v: Partial(tuple(v))),
    max_leaves=10,
)  # fmt: skip


@given(VALUES, st.sampled_from([None, *FactType]), st.text(), st.text())
def test_every_finding_can_be_written(value: Any, kind: FactType | None, id_: str, detail: str) -> None:
    """Whatever a cloud said: no record is refused by JSON or by UTF-8, and the same finding gives the same record."""
    about = {"vm": resource_type("vm", spec("size", kind.value))} if kind else {}
    subject = Resource(
        "vm",
        id_,
        Scope(id_, id_),
        NOW,
        {AT: NOW, "id": id_, "size": value, "system.id": value},
        id_,
        sources={"": 1},
    )
    readings = (Reading(subject, "size", value), Reading(subject, "labels.x", MISSING))
    told = replace(of(), message=Text("{size} {id}", "{size} {labels.x}"))
    finding = Finding(told, subject, Verdict.FAIL, None, detail, explanation=Explanation(False, readings))
    lines = [
        json.dumps(
            FindingWriter(about, CALLS.__getitem__).record(finding),
            ensure_ascii=False,
            allow_nan=False,
            sort_keys=True,
        )
        for _ in range(2)
    ]
    assert lines[0].encode() == lines[1].encode()
    assert json.loads(lines[0])["resource"]["type"] == "vm"


def test_every_decided_verdict_of_the_shipped_controls_has_evidence_with_its_source_and_time() -> None:
    catalogue = load_catalogue()
    observed, declared = estate()
    memory, registers = evidence_of(observed, declared, [], catalogue.types)
    memory.calls = {0: CALLS[1], 1: CALLS[1]}
    records: list[dict[str, Any]] = []
    writer = FindingWriter(catalogue.types, memory.call)
    assess(
        memory, registers, load_profile("ndc-connection", catalogue), DERIVATIONS, catalogue.obligations, at=NOW,
        sink=lambda finding: records.append(writer.record(finding)),
    )  # fmt: skip
    decided = [r for r in records if r["verdict"] not in ("unknown",)]
    assert len(decided) > 50
    for record in decided:
        assert record["evidence"], record["control"]
        for reading in record["evidence"]:
            assert list(reading) == ["fact", "resource", "value", "source", "at"], record["control"]
            assert reading["source"].partition(":")[0] in (
                "derived",
                "listing",
                "register",
                "compute GET /vms?limit=9 -> 200",
            )
    assert {r["reason_code"] for r in records if r["verdict"] == "unknown"} <= {
        reason.value for reason in Reason
    }


# --- the whole report ---------------------------------------------------------------------------------

CONTROLS = (
    control("SEC-02", message=TOLD),
    control(
        "SEC-01",
        message=TOLD,
        obligations=("L-1",),
        parameters={"most": Parameter(spec("most", "duration"), 60, "profile")},
    ),
)
GATE = Gate("G1", Text("Cổng", "Gate"), ("SEC-01",))
READINESS = Readiness(
    level=2, level_label=Text("Sẵn sàng một phần", "Partly ready"), gate_state=GateState.BLOCKED,
    gates=(GateResult(GATE, GateState.BLOCKED),), lower=Fraction(2, 3) * 100, upper=Fraction(100),
    weakest=DimensionResult("SEC", Fraction(1), Fraction(200, 3), Fraction(100), Fraction(99), None), coverage=Fraction(1, 3),
    collection_coverage=Fraction(0), assurance=None,
    dimensions=(
        DimensionResult("SEC", Fraction(1, 5), Fraction(200, 3), Fraction(100), Fraction(99), None),
        DimensionResult("RES", Fraction(4, 5), Fraction(0), Fraction(0), Fraction(0), None, not_applicable=True),
    ),
    contradictions=1, unverified_claims=2, reasons=(Text("vì", "because"),),
)  # fmt: skip


def record(control_id: str, verdict: str, id_: str = "v1", region: str | None = "hn") -> dict[str, Any]:
    place = {"type": "vm", "id": id_, "target": "t", "region": region, "project": None}
    return {"control": control_id, "verdict": verdict, "resource": place, "fingerprint": id_ + verdict}


def parts(**options: Any) -> Parts:
    chosen = replace(
        profile(*CONTROLS), title=Text("Hồ sơ", "Profile"), publisher=Text("Sở", "Office"), notice=Text("lưu ý", "notice"),
        excluded={"NDC-04": Text("việc cơ quan", "agency duty")}, changed={"SEC-01": {"most": 60, "also": ("a",)}},
        weights={"SEC": Fraction(1, 5), "RES": Fraction(4, 5)}, gates=(GATE,),
        thresholds={"2": {"score": Fraction(50)}, "0": {"coverage": Fraction(121, 2)}},
    )  # fmt: skip
    given: dict[str, Any] = {
        "tool": {"name": "cloudaudit", "version": "1"}, "generated_at": "g", "assessed_at": "a",
        "subject": {"id": "x", "kind": "provider", "title": {}}, "targets": [{"name": "t"}], "profile": chosen,
        "catalogue": {"version": "1", "sha256": "c"}, "snapshot": {"sha256": "s", "collected_at": "z"}, "readiness": READINESS,
        "tallies": {
            "SEC-01": Tally({"pass": 2, "fail": 1, "waived": 1, "unknown": 0}, {"pass": 8, "fail": 1}, {"waived": 1}, False),
            "SEC-02": Tally({"not_applicable": 1}),
        },
        "control_results": {"SEC-01": ("fail", Fraction(2, 3)), "SEC-02": ("not_applicable", None)},
        "findings": [], "findings_file": {"path": "findings.jsonl.gz", "sha256": "f", "count": 4}, "gaps": [],
        "collection": [{"target": "t", "region": None, "service": "compute", "asked": 2, "ok": 1}],
        "claims": [{"id": "c#1", "state": "upheld"}], "plans": [{"control": "SEC-01"}], "waivers": [{"id": "mt-1"}],
        "registers": [{"kind": "sites", "path": "registers/sites.yaml", "sha256": "r"}],
        "projects": {"p2": "Thuế", "p1": "Cổng"}, **options,
    }  # fmt: skip
    return Parts(**given)


def test_a_report_whole() -> None:
    assert build(parts()) == {
        "schema_version": 1,
        "tool": {"name": "cloudaudit", "version": "1"},
        "generated_at": "g",
        "assessed_at": "a",
        "lang": ["vi", "en"],
        "subject": {"id": "x", "kind": "provider", "title": {}},
        "scope": "provider",
        "profile": {
            "id": "thu", "version": "1.0.0", "sha256": "0" * 64, "title": {"vi": "Hồ sơ", "en": "Profile"},
            "publisher": {"vi": "Sở", "en": "Office"}, "official": False, "notice": {"vi": "lưu ý", "en": "notice"},
            "excluded": {"NDC-04": {"vi": "việc cơ quan", "en": "agency duty"}},
            "parameters_changed": {"SEC-01": {"also": ["a"], "most": 60}},
            "rules": {
                "weights": {"RES": "4/5", "SEC": "1/5"}, "gates": {"G1": ["SEC-01"]},
                "thresholds": {"0": {"coverage": "121/2"}, "2": {"score": "50"}},
            },
        },
        "catalogue": {"version": "1", "sha256": "c"},
        "snapshot": {"sha256": "s", "collected_at": "z"},
        "targets": [{"name": "t"}],
        "readiness": {
            "level": 2, "level_label": {"vi": "Sẵn sàng một phần", "en": "Partly ready"}, "gate_state": "blocked",
            "gates": [
                {"id": "G1", "title": {"vi": "Cổng", "en": "Gate"}, "state": "blocked", "final": False, "controls": ["SEC-01"]}
            ],
            "score": {"lower": 66.6, "upper": 100.0}, "weakest": {"dimension": "SEC", "score": 66.6}, "coverage": 0.3,
            "collection_coverage": 0.0, "assurance": None, "contradictions": 1, "unverified_claims": 2,
            "reasons": [{"vi": "vì", "en": "because"}],
            "dimensions": [
                {"id": "SEC", "weight": "1/5", "lower": 66.6, "upper": 100.0, "coverage": 99.0, "assurance": None,
                 "not_applicable": False},
                {"id": "RES", "weight": "4/5", "lower": 0.0, "upper": 0.0, "coverage": 0.0, "assurance": None,
                 "not_applicable": True},
            ],
        },
        "controls": [
            {
                "id": "SEC-01", "version": "1.0.0", "title": {"vi": "Tên SEC-01", "en": "Title SEC-01"}, "dimension": "SEC",
                "severity": "high", "weight": 5, "method": "T", "basis": "O", "verdict": "fail", "ratio": 0.6666,
                "listing_complete": False, "counts": {"pass": 2, "fail": 1, "waived": 1}, "weights": {"pass": 8, "fail": 1},
                "unattributed": {"waived": 1}, "obligations": ["L-1"], "sha256": "",
            },
            {
                "id": "SEC-02", "version": "1.0.0", "title": {"vi": "Tên SEC-02", "en": "Title SEC-02"}, "dimension": "SEC",
                "severity": "high", "weight": 5, "method": "T", "basis": "O", "verdict": "not_applicable", "ratio": None,
                "listing_complete": True, "counts": {"not_applicable": 1}, "weights": {}, "unattributed": {}, "obligations": [],
                "sha256": "",
            },
        ],
        "findings_file": {"path": "findings.jsonl.gz", "sha256": "f", "count": 4},
        "findings": [],
        "gaps": [],
        "collection": [{"target": "t", "region": None, "service": "compute", "asked": 2, "ok": 1}],
        "claims": [{"id": "c#1", "state": "upheld"}],
        "plans": [{"control": "SEC-01"}],
        "waivers": [{"id": "mt-1"}],
        "registers": [{"kind": "sites", "path": "registers/sites.yaml", "sha256": "r"}],
        "collection_figures": {},
        "projects": {"p1": "Cổng", "p2": "Thuế"},
    }  # fmt: skip


def test_findings_and_gaps_stand_in_one_order_whatever_order_they_came_in() -> None:
    findings = [
        record("SEC-01", "fail", "b"), record("SEC-01", "fail", "a"), record("SEC-01", "fail", "z", None),
        record("SEC-01", "expired"), record("SEC-01", "unknown"), record("SEC-01", "manual_pending"),
        record("SEC-01", "not_applicable"), record("SEC-02", "fail"),
    ]  # fmt: skip
    gaps = [
        Gap(Scope("t", region), "vm", "list", reason)
        for region in ("hn", None)
        for reason in (Reason.TIMEOUT, Reason.STALE)
    ]
    built = [build(parts(findings=f, gaps=g)) for f, g in ((findings, gaps), (findings[::-1], gaps[::-1]))]
    assert dumps(built[0]) == dumps(built[1])
    assert [(f["control"], f["verdict"], f["resource"]["id"]) for f in built[0]["findings"]] == [
        ("SEC-01", "fail", "z"), ("SEC-01", "fail", "a"), ("SEC-01", "fail", "b"), ("SEC-01", "expired", "v1"),
        ("SEC-01", "unknown", "v1"), ("SEC-01", "manual_pending", "v1"), ("SEC-01", "not_applicable", "v1"),
        ("SEC-02", "fail", "v1"),
    ]  # fmt: skip
    assert built[0]["gaps"][0] == {
        "target": "t", "region": "hn", "project": None, "type": "vm", "operation": "list", "reason_code": "stale", "detail": "",
    }  # fmt: skip
    assert len(built[0]["gaps"]) == 4


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None), (Fraction(0), 0.0), (Fraction(100), 100.0), (Fraction(999, 10), 99.9), (Fraction(9999, 100), 99.9),
        (Fraction(200, 3), 66.6), (Fraction(1, 30), 0.0), (Fraction(10**9 - 1, 10**7), 99.9),
    ],
)  # fmt: skip
def test_figures_are_rounded_down(value: Fraction | None, expected: float | None) -> None:
    """No printed figure is better than the exact one: 99.99 is not 100."""
    assert rounded(value) == expected


def test_report_json_is_written_in_one_way() -> None:
    assert dumps({"vi": "hồ sơ", "n": [1, {}]}) == '{\n  "vi": "hồ sơ",\n  "n": [\n    1,\n    {}\n  ]\n}\n'
    assert (
        dumps({"a": "\x1b\u202e\u2028\x7f\U000e0041"})
        == '{\n  "a": "\\u001b\\u202e\\u2028\\u007f\\udb40\\udc41"\n}\n'
    )
    with pytest.raises(ValueError):
        dumps({"n": float("nan")})
    report = build(parts())
    assert JsonReporter().render(report, Context({}, {})) == dumps(report)
    assert json.loads(dumps(report)) == report


# --- what S3 endpoints can do ---------------------------------------------------------------------


def endpoint(target: str, facts: dict[str, Any], **unseen: Unseen) -> Resource:
    return Resource("s3.endpoint", f"https://{target}.vn", Scope(target), NOW, facts, unseen=unseen)


def test_every_operation_that_is_asked_for_has_its_place_in_a_report() -> None:
    assert set(S3_OPERATIONS) == {op.api for op in operations(frozenset())}


def test_an_endpoint_that_was_asked_shows_every_operation_by_its_state() -> None:
    unknown = dict.fromkeys(S3_OPERATIONS, "unknown")
    seen = {"server_kind": "ceph", "supported": Partial(("GetBucketAcl",)),
            "unsupported": Partial(("GetBucketEncryption", "GetX"))}  # fmt: skip
    endpoints = [
        endpoint("hn", seen),
        endpoint("trong", {}, supported=Unseen(Reason.PARTIAL, "there is no bucket to ask")),
        endpoint("khac", {"server_kind": "ceph"}),
    ]
    shown = capabilities(endpoints)
    assert shown == [
        {
            "target": "hn", "endpoint": "https://hn.vn", "server_kind": "ceph", "reason_code": None,
            "operations": {**unknown, "GetBucketAcl": "supported", "GetBucketEncryption": "unsupported"},
        },
        {
            "target": "trong", "endpoint": "https://trong.vn", "server_kind": None, "reason_code": "partial",
            "operations": unknown,
        },
    ]  # fmt: skip
    assert build(parts(capabilities=shown))["capabilities"] == shown
    assert "capabilities" not in build(parts())
