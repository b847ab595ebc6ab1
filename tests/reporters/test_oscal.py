"""OSCAL: valid by the official schemas, whole in its references, and enough to compute the result again."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import data_samples as data
import jsonschema_rs
import pytest
import sample_report as sample
from markdown_it import MarkdownIt

from cloudaudit.model import FactSpec, FactType, Gate, Parameter, Profile, Tally, Text
from cloudaudit.plugins import reporter
from cloudaudit.readiness import ClaimFigures, CollectionFigures, control_result, readiness
from cloudaudit.reporters.report_json import dumps, rounded

SCHEMAS = {"oscal-ar": "assessment-results", "oscal-catalog": "catalog", "oscal-profile": "profile"}
SAMPLES = {
    "small": sample.small,
    "realistic": sample.realistic,
    "hostile": sample.hostile,
    "nasty": data.nasty,
    "all pass": sample.all_pass,
    "nothing": lambda: sample.Inputs(findings=()),
}
Object = dict[str, Any]


@cache
def schema(format_: str) -> jsonschema_rs.Validator:
    path = Path(__file__).parent / "oscal" / f"oscal_{SCHEMAS[format_]}_schema.json.gz"
    return jsonschema_rs.validator_for(json.loads(gzip.decompress(path.read_bytes())))


def text(format_: str, inputs: sample.Inputs, **changes: Any) -> str:
    made = reporter(format_).render(sample.report(inputs), data.context(inputs, **changes))
    assert isinstance(made, str)
    return made


def made(format_: str, inputs: sample.Inputs, **changes: Any) -> Object:
    (found,) = json.loads(text(format_, inputs, **changes)).values()
    assert isinstance(found, dict)
    return found


def results(inputs: sample.Inputs) -> Object:
    (result,) = made("oscal-ar", inputs)["results"]
    assert isinstance(result, dict)
    return result


def prop(of: Mapping[str, Any], name: str, class_: str | None = None) -> str | None:
    found = [p["value"] for p in of["props"] if p["name"] == name and class_ in (None, p.get("class"))]
    return found[0] if found else None


def by_class(of: Mapping[str, Any], name: str) -> dict[str, str]:
    return {p["class"]: p["value"] for p in of["props"] if p["name"] == name}


def walk(value: Any) -> Iterator[Object]:
    """Every object of a document."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


# --- valid --------------------------------------------------------------------------------------------------


def test_the_schemas_are_the_official_ones() -> None:
    folder = Path(__file__).parent / "oscal"
    told = (folder / "README.md").read_text(encoding="utf-8")
    for path in sorted(folder.glob("*.gz")):
        assert f"{sha256(gzip.decompress(path.read_bytes())).hexdigest()}  {path.stem}" in told
    with pytest.raises(jsonschema_rs.ValidationError):
        schema("oscal-ar").validate({"assessment-results": {"uuid": "keiner"}})


@pytest.mark.parametrize("format_", SCHEMAS)
@pytest.mark.parametrize("name", SAMPLES)
def test_every_document_fits_the_official_schema(format_: str, name: str) -> None:
    inputs = SAMPLES[name]()
    written = text(format_, inputs)
    schema(format_).validate(json.loads(written))
    assert written.replace("\n", "").isprintable()


def test_a_control_that_the_catalogue_at_hand_does_not_have_stands_there_with_less() -> None:
    inputs = sample.realistic()
    bare = made("oscal-catalog", inputs, controls={}, obligations={})
    schema("oscal-catalog").validate({"catalog": bare})
    full = made("oscal-catalog", inputs)
    ids = [control["id"] for group in bare["groups"] for control in group["controls"]]
    assert ids == [control["id"] for group in full["groups"] for control in group["controls"]]
    schema("oscal-profile").validate({"profile": made("oscal-profile", inputs, controls={})})


@pytest.mark.parametrize("format_", SCHEMAS)
@pytest.mark.parametrize("name", SAMPLES)
def test_references_lead_somewhere_and_identifiers_are_unique(format_: str, name: str) -> None:
    document = made(format_, SAMPLES[name]())
    defined = [o["uuid"] for o in walk(document) if "uuid" in o]
    assert [uuid for uuid, count in Counter(defined).items() if count > 1] == []
    used = {o[key] for o in walk(document) for key in o if key.endswith("-uuid")}
    used |= {o["href"][1:] for o in walk(document) if str(o.get("href", "")).startswith("#")}
    assert used - set(defined) == set()


@pytest.mark.parametrize("format_", SCHEMAS)
def test_the_same_report_gives_the_same_bytes_and_another_one_another_document(format_: str) -> None:
    inputs = sample.realistic()
    assert text(format_, inputs) == text(format_, inputs)
    other = replace(inputs, controls=[c for c in inputs.controls if c.id != "NDC-01"], findings=[
        f for f in inputs.findings if f.control.id != "NDC-01"
    ], gates=[g for g in inputs.gates if not g.final])  # fmt: skip
    assert made(format_, inputs)["uuid"] != made(format_, other)["uuid"]


# --- what it says ---------------------------------------------------------------------------------------------


def test_only_what_passes_is_satisfied() -> None:
    found = {
        prop(f, "control"): (
            prop(f, "verdict"),
            f["target"]["status"]["state"],
            f["target"]["status"]["reason"],
        )
        for f in results(sample.realistic())["findings"]
    }
    assert {state for verdict, state, _ in found.values() if verdict == "pass"} == {"satisfied"}
    assert {state for verdict, state, _ in found.values() if verdict != "pass"} == {"not-satisfied"}
    assert found["SEC-10"] == ("unknown", "not-satisfied", "unknown")
    assert {reason for _, _, reason in found.values()} == {v for v, _, _ in found.values()}
    assert len({v for v, _, _ in found.values()}) >= 5


def test_an_observation_has_its_subject_its_evidence_and_its_finding() -> None:
    result = results(sample.small())
    (finding,) = [f for f in result["findings"] if prop(f, "control") == "BDR-05"]
    (related,) = finding["related-observations"]
    (seen,) = [o for o in result["observations"] if o["uuid"] == related["observation-uuid"]]
    assert finding["target"]["target-id"] == "BDR-05_obj"
    assert {p["name"]: p["value"] for p in seen["props"] if p["name"] != "fingerprint"} == {
        "control": "BDR-05", "verdict": "fail", "disposition": "waived", "weight": "4", "assurance": "O", "waiver": "MT-01",
    }  # fmt: skip
    (evidence,) = seen["relevant-evidence"]
    assert {p["name"]: p["value"] for p in evidence["props"]} == {
        "fact": "encrypted", "value": "false", "resource": "openstack.volume:5a1f",
        "source": "block-storage GET /v3/volumes/detail?all_tenants=1 -> 200", "at": "2026-11-22T01:05:00Z",
    }  # fmt: skip
    assert (seen["methods"], seen["collected"]) == (["TEST"], "2026-11-22T01:05:00Z")
    (item,) = [
        i
        for i in result["local-definitions"]["inventory-items"]
        if i["uuid"] == seen["subjects"][0]["subject-uuid"]
    ]
    assert (prop(item, "resource-id"), prop(item, "resource-name"), prop(item, "site")) == (
        "5a1f",
        "csdl-ho-tich",
        "hn-1",
    )
    # What could not be listed is of its target, and of no resource.
    (unseen,) = [o for o in result["observations"] if prop(o, "control") == "SEC-13"]
    (component,) = [
        c
        for c in result["local-definitions"]["components"]
        if c["uuid"] == unseen["subjects"][0]["subject-uuid"]
    ]
    assert (prop(component, "target"), prop(unseen, "reason-code")) == ("s3-hn", "no_permission")


def test_gaps_are_observations_of_their_own() -> None:
    gaps = [o for o in results(sample.small())["observations"] if prop(o, "gap")]
    assert [{p["name"]: p["value"] for p in gap["props"]} for gap in gaps] == [
        {"gap": "s3.bucket", "target": "s3-hn", "operation": "GetBucketPolicyStatus", "reason-code": "no_permission",
         "detail": "403 AccessDenied"}
    ]  # fmt: skip


def test_risks_are_what_is_not_met_with_plans_and_waivers() -> None:
    inputs = sample.realistic()
    report = sample.report(inputs)
    report["waivers"] = [{
        "id": "MT-2026-03", "control": "BDR-05", "resource": None, "system": "ho-tich", "reason": "chờ thay thiết bị",
        "compensating": "mã hóa ở tầng ứng dụng", "approver": "Giám đốc Trung tâm", "authority": "internal",
        "starts": "2026-09-01T00:00:00Z", "until": "2026-12-31T00:00:00Z",
    }]  # fmt: skip
    document = json.loads(str(reporter("oscal-ar").render(report, data.context(inputs))))
    schema("oscal-ar").validate(document)
    (result,) = document["assessment-results"]["results"]
    found = {(prop(r, "control"), r["status"]): r for r in result["risks"]}
    assert set(found) == {
        ("BDR-01", "open"), ("BDR-05", "open"), ("BDR-05", "deviation-approved"), ("BDR-05", "deviation-requested"),
        ("BDR-21", "investigating"), ("BDR-24", "remediating"), ("COM-12", "open"), ("NDC-01", "investigating"),
        ("RES-01", "investigating"), ("RES-05", "remediating"), ("SEC-10", "investigating"),
    }  # fmt: skip
    planned = found["RES-05", "remediating"]
    assert planned["deadline"] == "2026-11-30T00:00:00Z"
    assert [r["lifecycle"] for r in planned["remediations"]] == ["recommendation", "planned"]
    assert {p["name"]: p["value"] for p in planned["remediations"][1]["props"]} == {
        "owner": "Trưởng phòng Vận hành", "due": "2026-11-30T00:00:00Z", "resource": "ho-so-cong-dan",
    }  # fmt: skip
    waived = found["BDR-05", "deviation-approved"]
    assert (waived["statement"], waived["mitigating-factors"][0]["description"], waived["deadline"]) == (
        "chờ thay thiết bị", "mã hóa ở tầng ứng dụng", "2026-12-31T00:00:00Z",
    )  # fmt: skip
    assert (prop(waived, "approver"), prop(waived, "authority")) == ("Giám đốc Trung tâm", "internal")
    assert len(waived["related-observations"]) == 1
    (bdr,) = [f for f in result["findings"] if prop(f, "control") == "BDR-05"]
    assert len(bdr["related-risks"]) == 3


def test_the_report_it_was_made_from_is_named_by_its_digest() -> None:
    inputs = sample.small()
    document = made("oscal-ar", inputs)
    hashes = {
        link["href"]: link["hashes"][0]["value"]
        for r in document["back-matter"]["resources"] for link in r.get("rlinks", ()) if "hashes" in link
    }  # fmt: skip
    assert hashes["report.json"] == sha256(dumps(sample.report(inputs)).encode()).hexdigest()
    assert document["import-ap"]["href"][1:] in {r["uuid"] for r in document["back-matter"]["resources"]}
    assert "không thay thế kết luận của cơ quan có thẩm quyền" in document["metadata"]["remarks"]
    assert "không phải tiêu chuẩn của cơ quan có thẩm quyền" in document["metadata"]["remarks"]


@pytest.mark.parametrize("name", ["hostile", "nasty"])
def test_prose_is_markdown_in_which_names_mark_nothing_up(name: str) -> None:
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    kinds: Counter[str] = Counter()
    for value in walk(made("oscal-ar", SAMPLES[name]())):
        for key in {"title", "description", "statement", "remarks"} & set(value):
            for token in parser.parse(value[key]):
                kinds.update([token.type, *(t.type for t in token.children or ())])
    assert set(kinds) <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special", "softbreak"}
    assert kinds["inline"] > 200


# --- the catalogue and the profile -------------------------------------------------------------------------------


def tailored() -> sample.Inputs:
    inputs = sample.realistic()
    spec = FactSpec("max_age", FactType.DURATION)
    ports = FactSpec("ports", FactType.LIST, items=FactSpec("", FactType.STRING))
    parameters = {
        "max_age": Parameter(spec, 86400, "proposed-default"),
        "ports": Parameter(ports, ("22", "3389"), "proposed-default"),
    }
    controls = [replace(c, parameters=parameters) if c.id == "BDR-01" else c for c in inputs.controls]
    return replace(inputs, controls=controls)


def test_a_control_has_its_parameters_clauses_frameworks_and_texts() -> None:
    catalog = made("oscal-catalog", tailored())
    schema("oscal-catalog").validate({"catalog": catalog})
    (control,) = [c for g in catalog["groups"] for c in g["controls"] if c["id"] == "BDR-01"]
    assert control["params"] == [
        {"id": "BDR-01_max_age", "label": "max\\_age", "values": ["PT86400S"], "props": [
            {"name": "source", "ns": "urn:cloudaudit:oscal", "value": "proposed-default"},
            {"name": "type", "ns": "urn:cloudaudit:oscal", "value": "duration"},
        ]},
        {"id": "BDR-01_ports", "label": "ports", "values": ["22", "3389"], "props": [
            {"name": "source", "ns": "urn:cloudaudit:oscal", "value": "proposed-default"},
            {"name": "type", "ns": "urn:cloudaudit:oscal", "value": "list"},
        ]},
    ]  # fmt: skip
    resources = {r["uuid"]: r for r in catalog["back-matter"]["resources"]}
    clauses = [resources[link["href"][1:]] for link in control["links"]]
    assert [prop(clause, "obligation") for clause in clauses] == ["D1121-15d", "TT12-02"]
    assert [prop(clause, "source-state") for clause in clauses] == ["quoted", "quoted"]
    assert by_class(control, "framework") == {"ccm-4.0": "DSP-19"}
    assert [part["id"] for part in control["parts"]] == [
        f"BDR-01_{part}" for part in ("smt", "obj", "asm", "rem", "lim")
    ]


def test_a_profile_selects_and_sets_what_was_judged() -> None:
    profile = made("oscal-profile", tailored())
    schema("oscal-profile").validate({"profile": profile})
    (selection,) = profile["imports"][0]["include-controls"]
    assert selection["with-ids"] == sorted(c.id for c in sample.CONTROLS)
    assert profile["modify"]["set-parameters"] == [{"param-id": "BDR-01_max_age", "values": ["PT43200S"]}]
    gates = {a["control-id"]: a["adds"][0]["props"][0]["value"] for a in profile["modify"]["alters"]}
    assert (gates["RES-05"], gates["NDC-01"], "BDR-05" in gates) == ("G1", "G9", False)
    (left_out,) = [p for p in profile["metadata"]["props"] if p["name"] == "excluded"]
    assert (left_out["value"], left_out["remarks"]) == (
        "SEC-21",
        "thuộc trách nhiệm cơ quan / the agency's duty",
    )
    assert by_class(profile["metadata"], "dimension-weight")["RES"] == "1/5"
    assert by_class(profile["metadata"], "threshold")["level-3.score"] == "70"


# --- computed again ----------------------------------------------------------------------------------------------


def tallies(result: Object) -> dict[str, Tally]:
    """The sums of every control, counted from the observations alone; whole lists are told by findings."""
    found = {
        str(prop(f, "control")): Tally(listing_complete=prop(f, "listing-complete") == "true")
        for f in result["findings"]
    }
    for seen in result.get("observations", ()):
        if prop(seen, "gap"):
            continue
        weight = prop(seen, "weight")
        key = prop(seen, "disposition") or prop(seen, "verdict")
        found[str(prop(seen, "control"))].add(str(key), int(weight) if weight else None)
    return found


def rolled(result: Object) -> Any:
    """Gates, score, coverage and level by what stands in an OSCAL document, and nothing else."""
    given = tallies(result)
    controls = {
        str(prop(f, "control")): sample.control(
            str(prop(f, "control")), "x", "x", str(prop(f, "severity")), basis=str(prop(f, "basis"))
        )
        for f in result["findings"]
    }  # fmt: skip
    final = {p["value"] for p in result["props"] if p["name"] == "final-gate"}
    gates = [
        Gate(id_, Text("", ""), tuple(ids.split()), final=id_ in final)
        for id_, ids in by_class(result, "gate-controls").items()
    ]
    thresholds: dict[str, dict[str, Fraction]] = {}
    for name, least in by_class(result, "threshold").items():
        level, _, figure = name.removeprefix("level-").partition(".")
        thresholds.setdefault(level, {})[figure] = Fraction(least)
    profile = Profile(
        "x", "1", Text("", ""), Text("", ""), False, "provider", tuple(controls.values()), {},
        {d: Fraction(w) for d, w in by_class(result, "dimension-weight").items()}, tuple(gates), thresholds, "",
        Text("", ""),
    )  # fmt: skip
    states = [json.loads(p["value"])["state"] for p in result["props"] if p["name"] == "claim"]
    return readiness(
        profile,
        given,
        registers_present=frozenset(str(prop(result, "registers")).split()),
        collection=CollectionFigures(12, 11, 4, 4, 6, 6),
        claims=ClaimFigures(states.count("refuted"), states.count("unverified")),
        planned=frozenset(),
    )


@pytest.mark.parametrize("name", ["small", "realistic", "all pass", "nasty", "nothing"])
def test_the_result_can_be_computed_again_from_the_document_alone(name: str) -> None:
    inputs = SAMPLES[name]()
    report, result = sample.report(inputs), results(inputs)
    again, told = rolled(result), report["readiness"]
    assert (again.level, again.gate_state.value) == (told["level"], told["gate_state"])
    assert {g.gate.id: g.state.value for g in again.gates} == {g["id"]: g["state"] for g in told["gates"]}
    assert by_class(result, "gate") == {g["id"]: g["state"] for g in told["gates"]}
    figures = {"score-lower": again.lower, "score-upper": again.upper, "coverage": again.coverage}
    assert {key: prop(result, key) for key in figures} == {key: str(rounded(f)) for key, f in figures.items()}
    given = tallies(result)
    for finding in result["findings"]:
        own = given[str(prop(finding, "control"))]
        assert control_result(own).verdict == prop(finding, "verdict")
        assert by_class(finding, "counts") == {key: str(n) for key, n in own.counts.items()}
        assert by_class(finding, "weights") == {key: str(n) for key, n in own.weights.items()}
        assert by_class(finding, "unattributed") == {key: str(n) for key, n in own.unattributed.items()}


def test_a_finding_that_is_changed_is_seen_in_the_sums() -> None:
    result = results(sample.realistic())
    seen = next(
        o for o in result["observations"] if prop(o, "verdict") == "fail" and not prop(o, "disposition")
    )
    next(p for p in seen["props"] if p["name"] == "verdict")["value"] = "pass"
    finding = next(f for f in result["findings"] if prop(f, "control") == prop(seen, "control"))
    assert by_class(finding, "counts") != {
        key: str(n) for key, n in tallies(result)[str(prop(seen, "control"))].counts.items()
    }
