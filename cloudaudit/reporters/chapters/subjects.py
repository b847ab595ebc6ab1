"""Chapters 5 to 11: one for each subject of the assessment, with what was declared, seen and found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, Final

from cloudaudit.model import Resource, Text
from cloudaudit.reporters import charts, view
from cloudaudit.reporters.chapters.matter import Backups, Matter
from cloudaudit.reporters.chapters.writing import (
    MOST_ROWS,
    NONE,
    L,
    control_name,
    drills,
    figures_of,
    findings_of,
    heading,
    joined,
    lasting,
    listed,
    maybe,
    name,
    number,
    of_controls,
    of_dimension,
    outcome,
    pairs,
    paper_state,
    papers,
    prose,
    register_missing,
    said,
    seconds,
    some,
    state,
    table,
    titled,
    told,
    when,
    yes,
)
from cloudaudit.reporters.document import Block, Cell, Heading, Phrase, cell
from cloudaudit.reporters.places import Name, Site
from cloudaudit.reporters.words import MAX_NAME, clean, labels, same

# --- 5 ----------------------------------------------------------------------------------------------


def residency(matter: Matter) -> tuple[Block, ...]:
    picture = charts.places(matter.places, matter.flows)
    return (
        prose("sentence.location"),
        prose("sentence.residency_source"),
        *register_missing(matter, "sites"),
        *((picture,) if picture is not None else ()),
        *some(_sites(matter)),
        *some(_names(matter)),
        *([prose("chapter.names_note", "note")] if _several(matter) else []),
        *(
            (prose("report.unplaced", "warning", count=matter.places.unplaced),)
            if matter.places.unplaced
            else ()
        ),
        heading("chapter.flows"),
        *some(_flows(matter)),
        prose("chapter.flows_note", "note"),
        heading("chapter.cross_border"),
        *some(_abroad(matter)),
        *_cross_border(matter),
        *of_dimension(matter, "RES", "5"),
    )


def _sites(matter: Matter) -> Any:
    """The declared sites: what the clouds call them, where they are, what backs that, what is there."""
    rows = []
    for site in matter.places.sites:
        known = [
            titled(L(f"report.site_label.{kind}"), joined(map(name, found)) or same("–"))
            for kind, found in site.labels.items()
        ]
        kinds = joined(name(f"{type_}: {count}") for type_, count in site.resources.items())
        rows.append(
            (
                (Phrase(name(site.id), "strong"), Phrase(name(site.name))),
                maybe(site.province),
                _country(site),
                cell(*known),
                maybe(site.attestation) if site.attestation else cell(L("report.no_attestation")),
                cell(same(str(site.total)), kinds),
            )
        )
    columns = (
        ("column.site", 2.0),
        ("column.province", 1.4),
        ("column.country", 1.2),
        ("report.api_names", 2.8),
        ("chapter.column.backed_by", 1.5),
        ("report.seen_resources", 2.0),
    )
    return table("sites", L("chapter.data_location"), columns, rows)


def _country(site: Site) -> Cell:
    if site.domestic:
        return cell(name(site.country))
    return (Phrase(name(site.country), "strong"), Phrase(L("report.foreign")))


def _several(matter: Matter) -> bool:
    """Whether some name of a cloud is at more than one place."""
    return max(Counter(name for name, _ in matter.places.links).values(), default=0) > 1


def _names(matter: Matter) -> Any:
    """Names that clouds give to places, each with the sites behind it."""
    at: dict[Name, list[str | None]] = defaultdict(list)
    for origin, site in sorted(matter.places.links, key=lambda link: (link[1] is None, link[1] or "")):
        at[origin].append(site)
    rows = [
        (
            maybe(target),
            maybe(region),
            cell(
                *(
                    L("report.unmapped") if site is None else _site_name(matter, site)
                    for site in at[target, region]
                )
            ),
        )
        for target, region in matter.places.names
    ]
    columns = (("column.target", 1.5), ("column.region", 1.5), ("column.site", 3.0))
    return table("names", L("report.api_names"), columns, rows)


def _site_name(matter: Matter, id_: str) -> Text:
    found = next((site for site in matter.places.sites if site.id == id_), None)
    if found is None:
        return name(id_)
    return name(f"{found.id} – {found.name}, {found.province} ({found.country})")


def _flows(matter: Matter) -> Any:
    rows = []
    for flow in matter.flows:
        target, region = flow.origin
        where = _site_name(matter, flow.site) if flow.site else L("chapter.place_unknown")
        rows.append(
            (
                cell(L(f"chapter.flow.{flow.kind}")),
                cell(name("/".join(part for part in (target, region) if part))),
                cell(where),
                cell(L("report.foreign") if flow.foreign else None, mark="fail" if flow.foreign else ""),
            )
        )
    columns = (
        ("column.kind", 1.3),
        ("chapter.column.from_place", 2.0),
        ("report.destination", 3.0),
        ("chapter.column.note", 1.3),
    )
    return table("flows", L("chapter.flows_table"), columns, rows, MOST_ROWS)


def _abroad(matter: Matter) -> Any:
    rows = [
        (
            control_name(matter, one.control),
            maybe(one.resource),
            maybe(one.destination),
            maybe(one.site) if one.site else cell(L("report.unmapped")),
            maybe(one.country) if one.country else cell(L("word.unknown")),
        )
        for one in matter.places.abroad
    ]
    columns = (
        ("column.control", 2.6),
        ("column.resource", 2.0),
        ("report.destination", 2.0),
        ("column.site", 1.5),
        ("column.country", 1.0),
    )
    return table("abroad", L("report.abroad"), columns, rows, MOST_ROWS)


_TRANSFER: Final = (
    "core-important-data-transfer-impact",
    "personal-data-transfer-impact",
    "data-location",
    "data-flow-register",
    "remote-access",
    "storage-topology",
)


def _cross_border(matter: Matter) -> tuple[Block, ...]:
    """Systems that declare transfers abroad, and the papers on them."""
    systems = [e.id for e in matter.context.declared("system") if e.facts.get("cross_border") is True]
    return (
        pairs(("chapter.cross_border_systems", listed(systems) if systems else cell(L("word.none")))),
        *papers(matter, "papers-5", L("chapter.papers_on_location"), matter.papers(*_TRANSFER)),
    )


# --- 6 ----------------------------------------------------------------------------------------------

_HELD: Final = frozenset({"restore", "failover"})


def recovery(matter: Matter) -> tuple[Block, ...]:
    """Targets against what was seen and exercised, copies elsewhere, drills."""
    systems = matter.context.declared("system")
    drawn = [
        (
            clean(entry.name or entry.id, MAX_NAME),
            _drawn(matter.backups.get(entry.id, Backups()), rpo),
            float(rpo),
        )
        for entry in systems
        if isinstance(rpo := entry.facts.get("rpo"), int) and not isinstance(rpo, bool)
    ]
    backups = [flow for flow in matter.flows if flow.kind == "backup"]
    sites = {flow.site for flow in backups if flow.site}
    return (
        *register_missing(matter, "systems"),
        *((charts.recovery(drawn),) if drawn else ()),
        *some(_objectives(matter, systems)),
        prose("chapter.objectives_note", "note"),
        *((prose("chapter.only_findings", "warning"),) if not matter.whole else ()),
        heading("chapter.off_site"),
        pairs(
            ("chapter.backup_sites", listed(sorted(sites))),
            ("chapter.backup_flows", number(len(backups))),
            ("chapter.backup_unplaced", number(sum(flow.site is None for flow in backups))),
        ),
        *papers(
            matter,
            "papers-6",
            L("chapter.papers_on_recovery"),
            matter.papers("dr-plan", "commitment-dr", "control-plane-backup", "backup-agent", "key-escrow"),
        ),
        heading("chapter.drill_log"),
        *register_missing(matter, "drills"),
        *drills(
            matter,
            "drills-6",
            L("register.drills"),
            matter.drills("restore", "failover", "control-plane-restore", "security-exercise"),
        ),
        *of_dimension(matter, "BDR", "6"),
    )


def _drawn(found: Backups, rpo: int) -> float | None:
    """The recovery point to draw: what all volumes keep to, or what one misses the target by already.

    Infinite where one has no usable backup: there is no point that it could be brought back to.
    """
    if found.without:
        return inf
    missed = found.worst is not None and found.worst > rpo
    return found.worst if missed else found.achieved


def _objectives(matter: Matter, systems: Sequence[Resource]) -> Any:
    rows = []
    for entry in systems:
        found = matter.backups.get(entry.id, Backups())
        exercised = _latest(matter, entry.id)
        rows.append(
            (
                (Phrase(name(entry.id), "strong"), Phrase(name(entry.name or entry.id))),
                cell(labels().of("criticality", clean(str(entry.facts.get("criticality") or "–"), MAX_NAME))),
                lasting(entry.facts.get("rpo")),
                _observed(found),
                _measured(exercised, "measured_rpo"),
                lasting(entry.facts.get("rto")),
                _measured(exercised, "measured_rto"),
            )
        )
    columns = (
        ("column.system", 2.4),
        ("column.criticality", 1.2),
        ("chapter.column.rpo_required", 1.2),
        ("chapter.column.rpo_seen", 2.2),
        ("chapter.column.rpo_drill", 1.6),
        ("chapter.column.rto_required", 1.2),
        ("chapter.column.rto_drill", 1.6),
    )
    return table("objectives", L("chapter.objectives"), columns, rows, MOST_ROWS)


def _observed(found: Backups) -> Cell:
    """The oldest of the newest backups, with how many volumes have none or are not known."""
    if not found.volumes:
        return cell(L("word.unknown"))
    return lasting(
        found.worst,
        L("chapter.volumes_without", count=found.without, all=found.volumes) if found.without else None,
        L("chapter.volumes_unknown", count=found.unknown, all=found.volumes) if found.unknown else None,
    )


def _latest(matter: Matter, system: str) -> Resource | None:
    """The latest drill of recovery that succeeded for a system and is not still to come."""
    now = matter.at
    for drill in matter.drills(*_HELD):
        date, of = drill.facts.get("date"), drill.facts.get("systems")
        past = isinstance(date, int) and now is not None and date <= now
        if past and drill.facts.get("result") == "success" and isinstance(of, tuple | list) and system in of:
            return drill
    return None


def _measured(drill: Resource | None, fact: str) -> Cell:
    if drill is None:
        return cell(L("chapter.no_drill"))
    found = drill.facts.get(fact)
    return lasting(found, *([] if seconds(found) else [L("chapter.not_measured")]), name(drill.id))


# --- 7 ----------------------------------------------------------------------------------------------


def portability(matter: Matter) -> tuple[Block, ...]:
    kinds = (
        "export-format",
        "exit-plan",
        "interop-test-report",
        "iac-repository",
        "byok",
        "hardware-exit-note",
    )
    return (
        *papers(
            matter,
            "papers-7",
            L("chapter.papers_on_portability"),
            matter.papers("commitment-portability", *kinds),
        ),
        *_conformance(matter),
        *drills(matter, "drills-7", L("chapter.export_drills"), matter.drills("export", "reimport")),
        *of_dimension(matter, "POR", "7"),
    )


def _conformance(matter: Matter) -> tuple[Block, ...]:
    """How many of the operations that S3 endpoints were asked for they support."""
    rows = [
        (
            cell(name(one.target), name(one.endpoint)),
            maybe(one.kind),
            number(len(one.operations["supported"])),
            number(len(one.operations["unsupported"])),
            number(len(one.operations["unknown"])),
        )
        for one in view.abilities(matter.report)
    ]
    columns = (
        ("column.endpoint", 2.5),
        ("column.kind", 1.2),
        ("column.supported", 1.0, "number"),
        ("column.unsupported", 1.0, "number"),
        ("column.undetermined", 1.0, "number"),
    )
    return (table("conformance", L("report.abilities"), columns, rows),) if rows else ()


# --- 8 ----------------------------------------------------------------------------------------------

GROUPS: Final = ("dossier", "network", "server", "application", "data", "access", "management")
"""Groups of the security chapter, after Circular 12/2022; what serves several of them is management."""
_BY_ID: Final = {"SEC-17": "data", "SEC-21": "dossier"}
_BY_TYPE: Final = {
    "openstack.application_credential": "access",
    "openstack.trust": "access",
    "openstack.user": "access",
    "openstack.endpoint": "network",
    "openstack.listener": "network",
    "openstack.port": "network",
    "openstack.security_group": "network",
    "openstack.security_group_rule": "network",
    "openstack.vpn_connection": "network",
    "s3.endpoint": "network",
    "openstack.image": "server",
    "openstack.server": "server",
    "openstack.container": "data",
    "openstack.image_member": "data",
    "openstack.share": "data",
    "openstack.share_access_rule": "data",
    "openstack.volume": "data",
    "s3.bucket": "data",
}


def group_of(matter: Matter, id_: str) -> str:
    """The group of a security control, by the things it looks at."""
    control = matter.control(id_)
    type_ = control.applies_to[0] if control and control.applies_to else ""
    return _BY_ID.get(id_) or _BY_TYPE.get(type_, "management")


def security(matter: Matter) -> tuple[Block, ...]:
    by_group: dict[str, list[Any]] = defaultdict(list)
    for entry in matter.of_dimension("SEC"):
        by_group[group_of(matter, entry["id"])].append(entry)
    blocks: list[Block] = [*figures_of(matter, "SEC")]
    for group in GROUPS:
        label = labels()(f"security_group.{group}")
        blocks.append(Heading(label))
        if group == "application":
            blocks.append(prose("sentence.application_out_of_scope"))
            continue
        if group == "dossier":
            blocks += _dossiers(matter)
        entries = by_group.get(group, [])
        if not entries:
            if group == "dossier" and matter.is_provider:
                blocks.append(prose("chapter.dossier_of_agency", "note"))
            elif group != "dossier":
                blocks.append(prose("chapter.no_control_of_group", "note"))
            continue
        title = titled(L("chapter.controls_of_section"), label)
        blocks += of_controls(matter, entries, f"controls-8-{group}", title)
        blocks += findings_of(matter, [entry["id"] for entry in entries], f"findings-8-{group}")
    more = (
        "idp-mfa",
        "privileged-accounts",
        "vulnerability-assessment",
        "pentest",
        "incident-response-plan",
        "incident-contact-check",
        "audit-logging",
        "platform-version",
        "storage-encryption",
    )
    blocks += papers(
        matter, "papers-8", L("chapter.papers_on_security"), matter.papers("commitment-security", *more)
    )
    return tuple(blocks)


def _dossiers(matter: Matter) -> tuple[Block, ...]:
    """Systems with their level and the dossiers that cover them."""
    dossiers = matter.papers("security-level-dossier", "security-level-inspection")
    rows = []
    for entry in matter.context.declared("system"):
        own = [paper for paper in dossiers if entry.id in (_texts(paper, "systems"))]
        rows.append(
            (
                (Phrase(name(entry.id), "strong"), Phrase(name(entry.name or entry.id))),
                maybe(entry.facts.get("security_level")),
                tuple(
                    Phrase(titled(labels().of("paper_kind", paper.facts.get("kind")), name(paper.id)))
                    for paper in own
                )
                or cell(L("chapter.no_dossier")),
                tuple(phrase for paper in own for phrase in paper_state(matter, paper)[:1]) or NONE,
            )
        )
    columns = (
        ("column.system", 2.5),
        ("column.security_level", 0.8),
        ("chapter.column.paper", 3.0),
        ("column.state", 1.5),
    )
    return some(table("levels", L("chapter.levels_of_systems"), columns, rows, MOST_ROWS))


def records(entry: Resource, fact: str) -> Sequence[Mapping[str, Any]]:
    """The records of a list of a register."""
    value = entry.facts.get(fact)
    items = value if isinstance(value, tuple | list) else ()
    return [item for item in items if isinstance(item, Mapping)]


def _texts(entry: Resource, fact: str) -> tuple[str, ...]:
    value = entry.facts.get(fact)
    return tuple(map(str, value)) if isinstance(value, tuple | list) else ()


# --- 9 ----------------------------------------------------------------------------------------------

_DATA: Final = (
    "data-determination",
    "personal-data-processing-impact",
    "retention-policy",
    "secure-deletion",
    "customer-data-access",
    "data-flow-register",
    "ndop-registration",
    "ndop-plan",
    "classification-minutes",
    "data-storage-request",
)


def data(matter: Matter) -> tuple[Block, ...]:
    rows = []
    for entry in matter.context.declared("system"):
        own = [paper for paper in matter.papers(*_DATA) if entry.id in _texts(paper, "systems")]
        rows.append(
            (
                (Phrase(name(entry.id), "strong"), Phrase(name(entry.name or entry.id))),
                listed(entry.facts.get("data_classes"), "data_class"),
                listed(entry.facts.get("open_data")),
                tuple(
                    Phrase(titled(labels().of("paper_kind", paper.facts.get("kind")), name(paper.id)))
                    for paper in own
                )
                or NONE,
            )
        )
    columns = (
        ("column.system", 2.2),
        ("column.data_classes", 2.4),
        ("chapter.column.open_data", 1.6),
        ("field.papers", 3.0),
    )
    return (
        *register_missing(matter, "systems"),
        *some(table("classes", L("chapter.classes_of_data"), columns, rows, MOST_ROWS)),
        *papers(matter, "papers-9", L("chapter.papers_on_data"), matter.papers(*_DATA)),
        *of_dimension(matter, "DAT", "9"),
    )


# --- 10 ---------------------------------------------------------------------------------------------

COMMITMENTS: Final = (
    ("COM-01", "commitment-data-management"),
    ("COM-02", "independent-audit"),
    ("COM-03", "commitment-security"),
    ("COM-04", "commitment-dr"),
    ("COM-05", "commitment-portability"),
)
"""The five things to be published, by Decision 1121 II.4.b: the control that looks at each, and its paper."""


def commitments(matter: Matter) -> tuple[Block, ...]:
    more = (
        "certificate",
        "dc-conformity",
        "telecom-registration",
        "cv1145-assessment",
        "sla",
        "shared-responsibility",
        "periodic-report",
        "provider-report",
    )
    return (
        *register_missing(matter, "attestations"),
        *some(_five(matter)),
        heading("chapter.contradictions"),
        pairs(
            ("figure.contradictions", number(matter.report["readiness"]["contradictions"])),
            ("figure.unverified_claims", number(matter.report["readiness"]["unverified_claims"])),
        ),
        *some(_claims(matter)),
        *papers(matter, "papers-10", L("chapter.papers_on_audit"), matter.papers(*more)),
        *of_dimension(matter, "COM", "10"),
    )


def _five(matter: Matter) -> Any:
    rows = []
    for id_, kind in COMMITMENTS:
        entry = matter.entry(id_)
        result = outcome(entry["verdict"]) if entry else cell(L("chapter.not_assessed"))
        head = (Phrase(same(id_), "strong", to=id_), Phrase(labels().of("paper_kind", kind)))
        found = matter.papers(kind)
        if not found:
            rows.append((head, cell(L("chapter.not_registered")), NONE, NONE, NONE, result))
        for paper in found:
            url, sha = paper.facts.get("url"), paper.facts.get("sha256")
            rows.append(
                (
                    head,
                    cell(name(paper.id), said(url) if url else L("chapter.no_link")),
                    cell(said(sha), style="code") if sha else NONE,
                    when(paper.facts.get("valid_until")),
                    paper_state(matter, paper),
                    result,
                )
            )
    columns = (
        ("chapter.column.commitment", 2.4),
        ("chapter.column.link", 2.6, "code"),
        ("column.digest", 2.2, "code"),
        ("column.valid_until", 1.2),
        ("column.state", 1.4),
        ("column.verdict", 1.4),
    )
    return table("commitments", L("chapter.five_commitments"), columns, rows)


def _claims(matter: Matter) -> Any:
    """Published claims by state, with what they state where the register of papers is there."""
    stated: dict[str, Any] = {}
    for paper in matter.papers():
        for n, claim in enumerate(records(paper, "claims"), start=1):
            stated[f"{paper.id}#{n}"] = claim
    signs = {"upheld": "pass", "refuted": "fail", "unverified": "unknown"}
    order = ("refuted", "unverified", "upheld", "not_observable")
    ranked = sorted(
        matter.report["claims"],
        key=lambda c: (order.index(c["state"]) if c["state"] in order else 9, c["id"]),
    )
    rows = []
    for claim in ranked:
        found = stated.get(claim["id"], {})
        text = " ".join(str(found[key]) for key in ("metric", "operator", "value") if found.get(key))
        rows.append(
            (
                maybe(claim["id"]),
                maybe(text),
                cell(labels().of("claim_state", claim["state"]), mark=signs.get(claim["state"], "")),
            )
        )
    columns = (("column.claim", 2.0), ("chapter.column.stated", 3.0, "code"), ("column.observed", 2.0))
    return table("claims", L("field.claims"), columns, rows, MOST_ROWS)


# --- 11 ---------------------------------------------------------------------------------------------


def connection(matter: Matter) -> tuple[Block, ...]:
    gates = [
        (
            (Phrase(name(gate["id"]), "strong"), Phrase(told(gate["title"]))),
            state(gate["state"]),
            cell(L("report.final_gate") if gate["final"] else None),
        )
        for gate in matter.report["readiness"]["gates"]
        if any(control.startswith("NDC-") for control in gate["controls"])
    ]
    columns = (("column.gate", 3.5), ("column.state", 1.5), ("chapter.column.note", 2.5))
    return (
        *(
            (*some(table("gates-11", L("figure.gates"), columns, gates)), prose("sentence.pending_authority"))
            if view.concludes(matter.report)
            else ()
        ),
        *papers(
            matter,
            "papers-11",
            L("chapter.papers_on_connection"),
            matter.papers("tslcd-link", "link-encryption", "authority-assessment"),
        ),
        *some(_circuits(matter)),
        heading("register.landing_profile"),
        *_landing(matter),
        *drills(matter, "drills-11", L("chapter.connection_tests"), matter.drills("ndc-connection-test")),
        *of_dimension(matter, "NDC", "11"),
    )


def _circuits(matter: Matter) -> Any:
    rows = [
        (maybe(paper.id), maybe(one.get("id")), maybe(one.get("carrier")), yes(one.get("accepted")))
        for paper in matter.papers("tslcd-link")
        for one in records(paper, "circuits")
    ]
    columns = (
        ("chapter.column.paper", 2.0),
        ("column.id", 1.5),
        ("record.carrier", 2.0),
        ("record.accepted", 1.0),
    )
    return table("circuits", L("chapter.circuits"), columns, rows)


def _landing(matter: Matter) -> tuple[Block, ...]:
    found = matter.context.declared("landing_profile")
    if not found:
        return (prose("chapter.no_landing_profile", "warning"),)
    blocks: list[Block] = []
    for entry in found:
        facts = entry.facts
        floors = facts.get("api_floors")
        items = floors.items() if isinstance(floors, Mapping) else ()
        blocks.append(
            pairs(
                ("column.id", maybe(entry.id)),
                ("field.publisher", maybe(facts.get("publisher"))),
                ("chapter.required_services", listed(facts.get("required_services"))),
                ("chapter.api_floors", listed([f"{key} ≥ {value}" for key, value in items])),
                ("heading.formats", listed(facts.get("formats"))),
                ("chapter.ndc_ranges", listed(facts.get("ndc_ranges"))),
            )
        )
    return (*blocks, prose("sentence.thresholds"))
