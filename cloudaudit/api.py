"""The three steps as library calls, each on files: collect, assess, report; and `run`, which is all of them.

Only `collect` touches a network. The clock is an argument everywhere.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from itertools import chain
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal

from cloudaudit import __version__, assessment, catalog, plugins, registers
from cloudaudit.catalog import Catalogue
from cloudaudit.errors import CatalogError, CloudauditError, OutputError, Problem, SnapshotError, did_you_mean
from cloudaudit.examples import check as check_examples
from cloudaudit.facts import DERIVATIONS
from cloudaudit.model import (
    AT,
    CODE_KINDS,
    MISSING,
    Control,
    Finding,
    Gap,
    GateState,
    Listing,
    Missing,
    Profile,
    Reason,
    Resource,
    ResourceType,
    Scope,
    Seconds,
    Severity,
    Tally,
    Verdict,
    format_time,
    parse_time,
)
from cloudaudit.plan import plans_of_controls, untold
from cloudaudit.readiness import LAST_LEVEL, ClaimFigures, CollectionFigures, control_result, readiness
from cloudaudit.records import Shape, shaped
from cloudaudit.registers import Plan, Registers
from cloudaudit.reporters import Context, Known, Period, report_json
from cloudaudit.reporters.standing import is_violation
from cloudaudit.reporters.validity import Lapses
from cloudaudit.snapshot import DIGEST as SNAPSHOT_DIGEST
from cloudaudit.snapshot import Snapshot
from cloudaudit.yamlsource import excerpt, misfit, schema

TOOL: Final = {"name": "cloudaudit", "version": __version__}
FINDINGS: Final = "findings.jsonl.gz"
REPORT: Final = "report.json"
LINK: Final = "assessment.json"
_UNDECIDED: Final = frozenset({Verdict.UNKNOWN.value, Verdict.MANUAL_PENDING.value})


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The data cloudaudit judges by: catalogue and a resolved profile."""

    catalogue: Catalogue
    profile: Profile


def know(
    profile: str, kind: str = "provider", controls: Sequence[Path] = (), profiles: Sequence[Path] = ()
) -> Knowledge:
    """Load the catalogue, with an organisation's own controls, and resolve a profile for a scope."""
    catalogue = plugins.catalogue(controls)
    return Knowledge(catalogue, catalog.load_profile(profile, catalogue, kind, profiles))


# --- assess ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assessed:
    """An assessment on disk, with its report and what controls know of it."""

    folder: Path
    report: Mapping[str, Any]


def assess(
    snapshot: Path,
    out: Path,
    known: Knowledge,
    declared: Registers,
    *,
    at: Seconds,
    generated_at: Seconds,
    subject: Mapping[str, Any] | None = None,
    reporters: Sequence[Mapping[str, str]] = (),
) -> Assessed:
    """Judge a snapshot and write an assessment folder: report.json, all findings, the registers used.

    `subject` defaults to the one the snapshot was collected for. `reporters` are those of packages that
    were asked to show it, for the report to name.
    """
    types, profile = known.catalogue.types, known.profile
    evidence = Snapshot(snapshot, types)
    about = dict(
        subject or evidence.run.get("subject") or {"id": "platform", "kind": profile.kind, "title": {}}
    )
    with _writing(out):
        out.mkdir(parents=True, exist_ok=True)
    listed: dict[str, list[Listing | Gap]] = defaultdict(list)
    seen: Iterator[Listing | Gap] = chain(evidence.listings(), evidence.gaps())
    for one in seen:
        listed[one.type].append(one)
    writer = report_json.FindingWriter(types, evidence.call, DERIVATIONS, listed)
    lapses = _lapses(declared, profile, at)
    with _writing(out / FINDINGS), _FindingsFile(out / FINDINGS, writer, lapses) as sink:
        judged = assessment.assess(
            evidence,
            _declared(declared, about, at),
            profile,
            DERIVATIONS,
            known.catalogue.obligations,
            at=at,
            sink=sink.add,
        )
    idle = idle_gaps(evidence, profile, types, sink.records)
    collection = collection_table(evidence, types, idle)
    plans = _plans(declared)
    rolled = readiness(
        profile,
        judged.tallies,
        registers_present=frozenset(file.kind for file in declared.files),
        collection=collection_figures(evidence.run.get("figures", {}), collection),
        claims=ClaimFigures.of(judged.claims),
        planned=planned_controls(sink.records, declared.plans, at),
    )
    parts = report_json.Parts(
        tool=TOOL,
        generated_at=format_time(generated_at),
        assessed_at=format_time(at),
        subject=about,
        targets=evidence.run.get("targets", []),
        profile=profile,
        catalogue={"version": __version__, "sha256": known.catalogue.digest},
        snapshot={"sha256": evidence.digest, "collected_at": format_time(evidence.collected_at)},
        readiness=rolled,
        tallies=judged.tallies,
        control_results={id_: result_of(tally) for id_, tally in judged.tallies.items()},
        findings=sink.records,
        findings_file={"path": FINDINGS, "sha256": sink.digest, "count": sink.count},
        gaps=[gap for gap in evidence.gaps() if gap not in idle],
        collection=collection,
        claims=[{"id": claim.id, "state": claim.state} for claim in judged.claims],
        plans=plans,
        waivers=_waivers(declared),
        collection_figures=dict(evidence.run.get("figures", {})),
        capabilities=report_json.capabilities(evidence.each("s3.endpoint")),
        plugins=evidence.run.get("plugins", ()),
        reporters=reporters,
        validity=lapses.validity(),
        projects={p.id: p.name for p in evidence.each("openstack.project") if p.name},
        registers=[
            {"kind": f.kind, "path": f"registers/{f.path}", "sha256": f.sha256} for f in declared.files
        ],
    )
    report = report_json.build(parts)
    _write_text(out / REPORT, report_json.dumps(report))
    relative = os.path.relpath(snapshot.resolve(), out.resolve())
    _write_text(
        out / LINK, json.dumps({"snapshot": {"path": relative, "sha256": evidence.digest}}, indent=2) + "\n"
    )
    return Assessed(out, report)


def result_of(tally: Tally) -> tuple[str, Fraction | None]:
    """The verdict and the lower ratio of a control; no ratio where it does not apply."""
    found = control_result(tally)
    return found.verdict, found.lower if found.applicable else None


def _lapses(declared: Registers, profile: Profile, at: Seconds) -> Lapses:
    """What can end before a report does of old age: papers, those behind sites included, drills, waivers."""
    papers = {paper.id: paper for paper in declared.resources("attestation")}
    backing = {site.id: papers.get(str(site.facts.get("attestation"))) for site in declared.resources("site")}
    return Lapses(
        at,
        gating=frozenset(control for gate in profile.gates for control in gate.controls),
        sites={id_: paper for id_, paper in backing.items() if paper is not None},
        waivers={waiver.id: waiver.until for waiver in declared.waivers},
    )


def _declared(declared: Registers, about: Mapping[str, Any], at: Seconds) -> assessment.Declared:
    """The registers, and the one platform that always exists, as resources."""
    platform = Resource(
        "platform",
        str(about["id"]),
        Scope("registers"),
        at,
        {"kind": about["kind"], AT: at},
        str(about["id"]),
    )
    resources: dict[str, Sequence[Resource]] = {
        type_: declared.resources(type_) for type_ in registers.TYPES.values()
    }
    return assessment.Declared(
        resources | {"platform": (platform,)}, declared.missing, declared.waivers, declared.listings
    )


class _FindingsFile:
    """The sink of an assessment: every finding to a file, those that are no pass also kept.

    What cannot be written to its end is taken away.
    """

    def __init__(self, path: Path, writer: report_json.FindingWriter, lapses: Lapses) -> None:
        self._path = path
        self._writer = writer
        self._lapses = lapses
        self._digest = sha256()
        self.records: list[Mapping[str, Any]] = []
        self.count = 0

    def __enter__(self) -> _FindingsFile:
        self._raw = self._path.open("wb")
        self._packed = gzip.GzipFile("", "wb", 6, self._raw, mtime=0)
        return self

    def __exit__(self, kind: object, *exc: object) -> None:
        whole = False
        try:
            self._packed.close()
            self._raw.close()
            whole = kind is None
        finally:
            if not whole:
                self._path.unlink(missing_ok=True)

    def add(self, finding: Finding) -> None:
        self._lapses.add(finding)
        record = self._writer.record(finding)
        line = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        self._digest.update(line)
        self._packed.write(line)
        self.count += 1
        if finding.verdict is not Verdict.PASS:
            self.records.append(record)

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()


def idle_gaps(
    evidence: Snapshot,
    profile: Profile,
    types: Mapping[str, ResourceType],
    records: Iterable[Mapping[str, Any]],
) -> frozenset[Gap]:
    """Gaps of code that no verdict waits for: of the platform, which no plan or template tells anything of.

    Where each control that reads such a type came to a verdict without it, nothing is missing, and nobody
    could close the gap. As soon as one of them is unknown it stays one, and so does what code could have
    told. The snapshot keeps them all.
    """
    code = {one["name"] for one in evidence.run.get("targets", ()) if one.get("kind") in CODE_KINDS}
    found = [gap for gap in evidence.gaps() if gap.scope.target in code and gap.listing]
    found = [gap for gap in found if gap.reason is Reason.NOT_DESCRIBED]
    if not found:
        return frozenset()
    from cloudaudit.collectors.deployment.meaning import OF_THE_PLATFORM

    undecided = {record["control"] for record in records if record["verdict"] in _UNDECIDED}
    waiting = {
        type_
        for id_, needed in plans_of_controls(profile, types).items()
        if id_ in undecided
        for type_ in needed.types
    }
    return frozenset(gap for gap in found if gap.type in OF_THE_PLATFORM and gap.type not in waiting)


def collection_table(
    evidence: Snapshot, types: Mapping[str, ResourceType], idle: Collection[Gap] = ()
) -> list[dict[str, Any]]:
    """What was asked of each service, by target and region, and how much of it was answered in full.

    Idle gaps are neither asked nor missing.
    """
    asked: dict[tuple[str, str, str], set[tuple[str, str]]] = defaultdict(set)
    gapped: dict[tuple[str, str, str], set[tuple[str, str]]] = defaultdict(set)

    def note(entry: Listing | Gap, into: dict[tuple[str, str, str], set[tuple[str, str]]]) -> None:
        if entry.scope.target == "*" or entry in idle or _keyless(entry, types):
            # Declared, not asked: it is no answer of a service.
            return
        service = types[entry.type].service if entry.type in types else "other"
        key = (entry.scope.target, entry.scope.region or "", service)
        into[key].add((entry.type, entry.scope.project or ""))

    for listing in evidence.listings():
        note(listing, asked)
    for gap in evidence.gaps():
        if gap.listing or gap.type == "published_document":
            note(gap, asked)
            note(gap, gapped)
    told = {listing.type for listing in evidence.listings()} | {gap.type for gap in evidence.gaps()}
    for type_ in sorted(evidence.types - told):
        silent = Gap(Scope("(none)"), type_, "list", Reason.NOT_COLLECTED)
        note(silent, asked)
        note(silent, gapped)
    return [
        {
            "target": target,
            "region": region or None,
            "service": service,
            "asked": len(entries),
            "ok": len(entries - gapped[target, region, service]),
        }
        for (target, region, service), entries in sorted(asked.items())
    ]


def _keyless(entry: Listing | Gap, types: Mapping[str, ResourceType]) -> bool:
    """Whether this is an admin API of a store that targets.yaml gives no key for.

    It is in no catalogue, and nobody asked it: to a tenant, who can have no such key, it is no service that
    failed to answer. What is not known for want of it stays a gap, and unknown.
    """
    type_ = types.get(entry.type)
    if not isinstance(entry, Gap) or type_ is None or type_.service != "s3":
        return False
    of_operators = all(call.vantage == "operator" for call in type_.calls.values())
    return of_operators and entry.call is None and entry.reason is Reason.NO_PERMISSION


def collection_figures(
    figures: Mapping[str, Any], collection: Sequence[Mapping[str, Any]]
) -> CollectionFigures:
    """Collection coverage: services answered in full, projects seen, buckets readable."""

    def number(name: str) -> int | Missing | None:
        value = figures.get(name)
        return MISSING if value == "unknown" else value

    return CollectionFigures(
        asked=len(collection),
        ok=sum(entry["asked"] == entry["ok"] for entry in collection),
        projects_declared=number("projects_declared"),
        projects_seen=figures.get("projects_seen", 0),
        buckets_listed=number("buckets_listed"),
        buckets_readable=figures.get("buckets_readable", 0),
    )


def _plans(declared: Registers) -> list[dict[str, Any]]:
    return [
        {
            "control": plan.control,
            "resource": plan.resource,
            "system": plan.system,
            "measure": plan.measure,
            "owner": plan.owner,
            "due": format_time(plan.due),
        }
        for plan in declared.plans
    ]


def _waivers(declared: Registers) -> list[dict[str, Any]]:
    return [
        {
            "id": waiver.id,
            "control": waiver.control,
            "resource": waiver.resource,
            "system": waiver.system,
            "reason": waiver.reason,
            "compensating": waiver.compensating,
            "approver": waiver.approver,
            "authority": waiver.authority,
            "starts": format_time(waiver.starts),
            "until": format_time(waiver.until),
        }
        for waiver in declared.waivers
    ]


def planned_controls(
    records: Sequence[Mapping[str, Any]], plans: Sequence[Plan], at: Seconds
) -> frozenset[str]:
    """Controls of which every open finding, those of unseen scopes included, has a plan still to come due."""
    open_verdicts = {
        v.value for v in (Verdict.FAIL, Verdict.EXPIRED, Verdict.UNKNOWN, Verdict.MANUAL_PENDING)
    }
    covered: dict[str, bool] = {}
    for record in records:
        if record["verdict"] not in open_verdicts:
            continue
        place = record["resource"]
        has_plan = any(
            plan.control == record["control"]
            and plan.due > at
            and plan.covers(place["id"], place["name"] or "", place["system"])
            for plan in plans
        )
        covered[record["control"]] = covered.get(record["control"], True) and has_plan
    return frozenset(control for control, whole in covered.items() if whole)


# --- report ---------------------------------------------------------------------------------------


_NAMED: Final = (str, NoneType)
_TEXT: Final[Shape] = {"vi": (str,), "en": (str,)}
_PLACE: Final[Shape] = {"target": (str,), "region": _NAMED, "project": _NAMED}
_RESOURCE: Final[Shape] = {
    "type": (str,), "id": (str,), "name": _NAMED, "system": _NAMED, "site": _NAMED, **_PLACE,
}  # fmt: skip
_SOURCE: Final[Shape] = {"path": (str,), "line": (int, NoneType)}
_FINDING: Final[Shape] = {
    "fingerprint": (str,), "control": (str,), "resource": (dict,), "verdict": (str,), "disposition": _NAMED,
    "reason_code": _NAMED, "detail": _NAMED, "message": (dict,), "weight": (int, NoneType),
    "evidence": (list,), "waiver": _NAMED, "refused_waiver": (dict, NoneType),
}  # fmt: skip
_READ: Final[Shape] = {"fact": (str,), "resource": (str,), "source": (str,), "at": _NAMED}
_GAP: Final[Shape] = {
    "type": (str,), "operation": (str,), "reason_code": (str,), "detail": (str,), **_PLACE,
}  # fmt: skip


def load_assessment(folder: Path, snapshot: Path | None = None) -> Assessed:
    """Read an assessment folder, and refuse another snapshot than the one it was made from.

    SnapshotError: there is no report.json, or it is damaged or of another version.
    """
    report = read_report(folder / REPORT)
    if snapshot is not None:
        given = Snapshot(snapshot, {})
        given.check()
        if given.digest != report["snapshot"]["sha256"]:
            raise SnapshotError(
                f"{snapshot} is not the snapshot this assessment was made from: its digest differs"
            )
    return Assessed(folder, report)


def read_report(path: Path) -> Mapping[str, Any]:
    """Read a report.json. SnapshotError: it is not there, damaged, or of another version."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except FileNotFoundError:
        raise SnapshotError(
            f"{path.parent} is no assessment: it has no {path.name}", hint="make one with cloudaudit assess"
        ) from None
    except (OSError, ValueError, RecursionError) as wrong:
        raise SnapshotError(f"{path} cannot be read: {wrong}", hint=_AGAIN) from wrong
    version = report.get("schema_version") if isinstance(report, dict) else None
    if version not in (None, report_json.SCHEMA_VERSION):
        raise SnapshotError(
            f"{path} is of another version than {report_json.SCHEMA_VERSION}",
            hint="assess the snapshot again with this version of cloudaudit",
        )
    if why := misfit(report, schema("report")) or _misfit_of_entries(report):
        raise SnapshotError(f"{path} is not the report of an assessment: {why}", hint=_AGAIN)
    found: Mapping[str, Any] = report
    return found


def load_earlier(paths: Sequence[Path]) -> tuple[Mapping[str, Any], ...]:
    """Read earlier reports, each by its report.json or the folder of it. CloudauditError: there is none."""
    found = []
    for path in paths:
        file = path / REPORT if path.is_dir() else path
        if not file.is_file():
            raise CloudauditError(
                f"{path}: there is no earlier report", hint=f"give a {REPORT}, or the folder it is in"
            )
        found.append(read_report(file))
    return tuple(found)


def earlier_of(
    report: Mapping[str, Any], given: Sequence[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], ...]:
    """Earlier reports in order, the newest first, each once. CloudauditError: one is not before this report.

    Reports of another subject or scope are refused: nothing of theirs compares.
    """
    for one in given:
        told = f"the earlier report assessed at {excerpt(one['assessed_at'])}"
        if mismatch := other_subject(one, report["subject"]["id"], report["scope"]):
            raise CloudauditError(f"{told} {mismatch}", hint="give reports of the same subject and scope")
        if _assessed(one) >= _assessed(report):
            raise CloudauditError(
                f"{told} is not from before this one, assessed at {excerpt(report['assessed_at'])}",
                hint="give reports that were assessed before it",
            )
    by_digest = {report_json.dumps(one): one for one in given}
    return tuple(sorted(by_digest.values(), key=_assessed, reverse=True))


def judged_as(report: Mapping[str, Any]) -> tuple[str, str, str]:
    """Subject, scope and profile of a report: what has to be the same for a gate to compare."""
    return report["subject"]["id"], report["scope"], report["profile"]["id"]


def other_subject(report: Mapping[str, Any], subject: str, scope: str) -> str:
    """Say of what other subject or scope a report is; empty when it is of this one."""
    if report["subject"]["id"] != subject:
        return f"is of the subject '{excerpt(report['subject']['id'])}', and not of '{excerpt(subject)}'"
    return f"is in {report['scope']} scope, and not in {scope} scope" if report["scope"] != scope else ""


def _assessed(report: Mapping[str, Any]) -> Seconds:
    try:
        return parse_time(report["assessed_at"])
    except ValueError as wrong:
        raise SnapshotError(f"a report's assessed_at is no time: {wrong}", hint=_AGAIN) from wrong


_AGAIN: Final = "assess the snapshot again, or take the copy that was archived"


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no number of JSON")


def _misfit_of_entries(report: Mapping[str, Any]) -> str:
    """Say which finding or gap of a report has another shape than one; empty when none has."""
    entries = [("findings", one, _check_finding) for one in enumerate(report["findings"])]
    entries += [("gaps", one, _check_gap) for one in enumerate(report["gaps"])]
    for name, (number, entry), check in entries:
        try:
            check(entry)
        except (TypeError, ValueError) as wrong:
            return f"{name}[{number}]: {wrong}"
    strange = {finding["control"] for finding in report["findings"]} - {c["id"] for c in report["controls"]}
    return f"findings of {excerpt(min(strange))}, which is not among the controls" if strange else ""


def _check_gap(record: Any) -> None:
    shaped(record, _GAP)


def _check_finding(record: Any) -> None:
    """TypeError or ValueError: what is no finding."""
    place = shaped(shaped(record, _FINDING)["resource"], _RESOURCE)
    if "source" in place:
        shaped(place["source"], _SOURCE)
    Verdict(record["verdict"])
    for text in (record["message"], record["refused_waiver"]):
        if text is not None:
            shaped(text, _TEXT)
    for reading in record["evidence"]:
        shaped(shaped(reading, _READ), {} if "missing" in reading else {"value": _JSON})


_JSON: Final = (dict, list, str, int, float, bool, NoneType)


def render(
    assessed: Assessed,
    format_: str,
    *,
    lang: Literal["vi", "en"] = "vi",
    width: int = 80,
    color: bool = False,
    catalogue: Catalogue | None = None,
    previous: Sequence[Mapping[str, Any]] = (),
    form: Literal["full", "yearly"] = "full",
    period: Period | None = None,
    template: Path | None = None,
    baseline: Mapping[str, Known] | None = None,
    floor: Severity | None = None,
) -> str | bytes:
    """Render one format of an assessment on disk.

    `previous` are earlier reports of the same subject, in any order; `form` is for formats that set the
    whole report, `period` is what its yearly form is about, and `template` for those that fill one.
    `baseline` marks violations known from before; `floor` is the least severity that fails the gate, for
    formats that others decide by.
    """
    known = catalogue or plugins.catalogue()
    reporter = plugins.reporter(format_)
    named = {entry["id"] for entry in assessed.report["controls"]}
    chosen = (named | set(assessed.report["profile"].get("excluded", {}))) & set(known.sources)
    kept = assessed.folder / "registers"
    declared = registers.load(kept if kept.is_dir() else None)
    context = Context(
        controls={id_: known.control(id_) for id_ in sorted(chosen)},
        obligations=known.obligations,
        types=known.types,
        registers=declared.by_type,
        earlier=earlier_of(assessed.report, previous),
        form=form,
        period=period,
        baseline=baseline,
        floor=floor,
        template=template,
        lang=lang,
        findings=all_findings(assessed),
        width=width,
        color=color,
        package=plugins.package_of(reporter),
    )
    return reporter.render(assessed.report, context)


def all_findings(assessed: Assessed) -> Iterator[Mapping[str, Any]]:
    """Every finding of an assessment, passes included, as records."""
    path = assessed.folder / assessed.report["findings_file"]["path"]
    digest = sha256()
    if not path.resolve().is_relative_to(assessed.folder.resolve()):
        raise SnapshotError(f"{path} leads out of the assessment", hint=_AGAIN)
    try:
        with gzip.open(path, "rb") as lines:
            for line in lines:
                digest.update(line)
                record = json.loads(line)
                _check_finding(record)
                yield record
    except (OSError, EOFError, ValueError, TypeError, zlib.error, RecursionError) as wrong:
        raise SnapshotError(f"{path} cannot be read: {wrong}", hint=_AGAIN) from wrong
    if digest.hexdigest() != assessed.report["findings_file"]["sha256"]:
        raise SnapshotError(f"{path} is not what {REPORT} says: its digest differs", hint=_AGAIN)


def keep_registers(folder: Path | None, declared: Registers, out: Path) -> None:
    """Copy the registers an assessment used into its folder."""
    kept = out / "registers"
    shutil.rmtree(kept, ignore_errors=True)
    if folder is None or not declared.files:
        return
    with _writing(kept):
        kept.mkdir(parents=True)
        for file in declared.files:
            shutil.copyfile(folder / file.path, kept / file.path)


def gaps_of_listings(snapshot: Path, known: Knowledge) -> list[Gap]:
    """What a collection could not list."""
    return [gap for gap in Snapshot(snapshot, known.catalogue.types).gaps() if gap.listing]


def regions_of(snapshot: Path, known: Knowledge) -> frozenset[str] | None:
    """Every region label of a snapshot: where something was asked, and where something is.

    None where a cloud did not show its regions, or was not asked: then no label can be said to be of none.
    """
    types = known.catalogue.types
    evidence = Snapshot(snapshot, types)
    if any(
        gap.scope.region is None
        and gap.type.startswith("openstack.")
        and gap.type in types
        and types[gap.type].service != "identity"
        for gap in evidence.gaps()
    ):
        return None
    scopes = [*(listing.scope for listing in evidence.listings()), *(gap.scope for gap in evidence.gaps())]
    named = {resource.id for resource in evidence.each("openstack.region")}
    # Where the plan asked nothing of any region, nothing is known of regions.
    return frozenset(named | {scope.region for scope in scopes if scope.region}) or None


OURS: Final = (REPORT, FINDINGS, LINK, "snapshot", "registers", "report.html")
"""What an output folder holds of ours."""


def check_room(
    folder: Path, registers_folder: Path | None = None, snapshot: Path | None = None
) -> list[Path]:
    """What an earlier run left in a folder. OutputError: what somebody else put there is in the way.

    `snapshot` is the one to be assessed, and stays where it is. Another one is in the way, too: it is
    not what the new report was made from, and nobody may be able to collect it again.
    """
    if registers_folder is not None and registers_folder.resolve() == (folder / "registers").resolve():
        raise OutputError(f"{folder} is where your registers are", hint="give the output a folder of its own")
    found = [folder / name for name in OURS if (folder / name).exists()]
    # A run that was broken off before it could judge leaves a snapshot only.
    if found and not any((folder / mark).is_file() for mark in (LINK, f"snapshot/{SNAPSHOT_DIGEST}")):
        raise OutputError(
            f"{found[0]} is in the way and was not written by cloudaudit",
            hint="give the output a folder of its own",
        )
    kept = folder / "snapshot"
    if snapshot is None or kept not in found:
        return found
    if kept.resolve() != snapshot.resolve():
        raise OutputError(
            f"{kept} is another snapshot than the one to assess", hint="give the output a folder of its own"
        )
    return [path for path in found if path != kept]


def make_room(folder: Path, registers_folder: Path | None = None, snapshot: Path | None = None) -> None:
    """Make an output folder that can be written to, and clear an earlier output of ours out of it.

    Of that, `snapshot` stays: the one to be assessed.
    """
    found = check_room(folder, registers_folder, snapshot)
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # Better known now than after the clouds were read.
        tempfile.TemporaryFile(dir=folder).close()
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def check_new(folder: Path) -> None:
    """Refuse a folder that no snapshot can be written to, before the clouds are read."""
    with _writing(folder):
        if folder.exists() and any(folder.iterdir()):
            raise OutputError(f"{folder} is not empty", hint="give a new folder, or remove what is in it")
        folder.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder.parent).close()


def has_snapshot(folder: Path) -> bool:
    """Whether there is a snapshot in a folder, sound or not."""
    return (folder / SNAPSHOT_DIGEST).is_file()


def check_resumable(folder: Path) -> bool:
    """Whether nothing is left to read of a snapshot. SnapshotError: there is none.

    OutputError: its folder cannot be written beside.
    """
    evidence = Snapshot(folder, {})
    if not evidence.is_complete:
        with _writing(folder.parent):
            tempfile.TemporaryFile(dir=folder.resolve().parent).close()
    return evidence.is_complete


# --- exit codes -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Threshold:
    """What makes a run fail: a severity, blocked gates, or a level not reached."""

    severity: Severity | None = Severity.HIGH
    gate: bool = False
    level: int | None = None

    @property
    def needs_gates(self) -> bool:
        return self.gate or self.level is not None


VIOLATION: Final = 1
INCOMPLETE: Final = 3


def check_threshold(threshold: Threshold, profile: Profile) -> None:
    """Refuse a threshold that a profile gives no measure for, before any cloud is asked."""
    selected = {control.id for control in profile.controls}
    if threshold.needs_gates and not any(selected & set(g.controls) for g in profile.gates if not g.final):
        raise _no_gate(profile.id)


def _no_gate(profile: str) -> CloudauditError:
    return CloudauditError(
        f"profile '{profile}' looks at no gate, and without one there is no level",
        hint="let --fail-on name a severity, or choose a profile with gates",
    )


def exit_code(
    report: Mapping[str, Any],
    threshold: Threshold,
    *,
    allow_incomplete: bool = False,
    known: Collection[str] = (),
) -> int:
    """1 for a violation, else 3 for something not known, else 0. The final gate is left aside.

    `known` are fingerprints of violations that a baseline names. They are for a threshold of severity: gates
    and levels are figures of the report, which no baseline changes.
    """
    state = report["readiness"]["gate_state"]
    if threshold.needs_gates and state == GateState.OUT_OF_SCOPE:
        raise _no_gate(report["profile"]["id"])
    if threshold.level is not None:
        return _level_code(report, threshold.level, allow_incomplete)
    if threshold.gate:
        code = {"blocked": VIOLATION, "indeterminate": INCOMPLETE}.get(state, 0)
        return 0 if code == INCOMPLETE and allow_incomplete else code
    violations, unknown = counts(report, threshold.severity or Severity.HIGH, known)
    if violations:
        return VIOLATION
    return INCOMPLETE if unknown and not allow_incomplete else 0


def counts(report: Mapping[str, Any], floor: Severity, known: Collection[str] = ()) -> tuple[int, int]:
    """Findings at or above a severity: how many are violations that neither a waiver nor a baseline covers,
    and how many are not known, which nothing covers.
    """
    final = _final_controls(report)
    counted = {
        entry["id"]
        for entry in report["controls"]
        if entry["id"] not in final and Severity(entry["severity"]).at_least(floor)
    }
    found = [finding for finding in report["findings"] if finding["control"] in counted]
    violations = sum(is_violation(one) and not (known and one["fingerprint"] in known) for one in found)
    return violations, sum(one["verdict"] in ("unknown", "manual_pending") for one in found)


def _level_code(report: Mapping[str, Any], wanted: int, allow_incomplete: bool) -> int:
    """A level not reached is a violation, unless only what is not known stands in its way."""
    if report["readiness"]["level"] >= wanted:
        return 0
    aside = _final_controls(report) if wanted < LAST_LEVEL else frozenset()
    open_verdicts = {
        f["verdict"] for f in report["findings"] if not f["waiver"] and f["control"] not in aside
    }
    if open_verdicts & {"fail", "expired"} or not open_verdicts & {"unknown", "manual_pending"}:
        return VIOLATION
    return 0 if allow_incomplete else INCOMPLETE


def _final_controls(report: Mapping[str, Any]) -> frozenset[str]:
    """Controls that only the last level waits for."""
    gates = (gate for gate in report["readiness"]["gates"] if gate["final"])
    return frozenset(id_ for gate in gates for id_ in gate["controls"])


# --- lint -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Linted:
    """What linting looked at and what it found wrong."""

    controls: int
    examples: int
    problems: tuple[Problem, ...] = field(default=())


def lint(paths: Sequence[Path] = ()) -> Linted:
    """Load controls, compile their conditions and run every example. Without paths: the shipped ones.

    The shipped ones are there beside an organisation's own, as they are when these are used.
    """
    catalogue = plugins.catalogue(paths)
    mine = [
        id_
        for id_, source in sorted(catalogue.sources.items())
        if not paths or _stands_in(source.path, paths)
    ]
    compiled: list[Control] = []
    problems: list[Problem] = []
    for id_ in mine:
        try:
            compiled.append(catalogue.control(id_))
        except CatalogError as wrong:
            problems += wrong.problems
    if problems:
        raise CatalogError.of(problems)
    problems = [problem for control in compiled for problem in _check(control, catalogue)]
    problems += [] if paths else _unknown_of_peers(catalogue)
    return Linted(len(compiled), sum(len(control.examples) for control in compiled), tuple(problems))


def _stands_in(path: Path, places: Sequence[Path]) -> bool:
    return any(path.resolve().is_relative_to(place.resolve()) for place in places)


def _unknown_of_peers(catalogue: Catalogue) -> Iterator[Problem]:
    """Controls that the lists of other checkers name and that are not there."""
    for peer in catalog.load_peers().values():
        for check in peer.checks.values():
            for id_ in check.controls:
                if id_ not in catalogue.sources:
                    hint = did_you_mean(id_, catalogue.sources)
                    yield Problem(check.where, f"{peer.id}: there is no control '{id_}'", hint)


def _check(control: Control, catalogue: Catalogue) -> Iterator[Problem]:
    """Find what a control promises and does not keep: facts in its message, verdicts in its examples."""
    source = catalogue.sources[control.id]
    where = source.document.where(("message",))
    if source.path.stem != control.id:
        yield Problem(
            source.document.where(("id",)), f"control '{control.id}' stands in {source.path.name}",
            f"call the file {control.id}.yaml",
        )  # fmt: skip
    for name in control.parameters:
        if name not in set(_parameters_in([source.document.value.get(key) for key in catalog.CONDITIONS])):
            yield Problem(
                source.document.where(("parameters", name), key=True),
                f"{control.id}: no condition reads the parameter '{name}'",
                f"write {{param: {name}}} where it is meant, or leave it out",
            )
    for name in untold(control, catalogue.types):
        yield Problem(
            where,
            f"{control.id}: the message names '{name}', and no call made for its conditions reads that",
            "leave it out: no call is made for a message alone",
        )
    yield from check_examples(control, catalogue.types, catalogue.control)


def _parameters_in(node: Any) -> Iterator[str]:
    """Every parameter that a condition names."""
    if isinstance(node, Mapping):
        if isinstance(node.get("param"), str):
            yield node["param"]
        for inner in node.values():
            yield from _parameters_in(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _parameters_in(inner)


# --- files ----------------------------------------------------------------------------------------


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what the system says about a path that cannot be written into an OutputError."""
    try:
        yield
    except OSError as wrong:
        raise OutputError(f"{path} cannot be written: {wrong.strerror or wrong}") from wrong


def _write_text(path: Path, content: str) -> None:
    with _writing(path):
        path.write_text(content, encoding="utf-8")
