"""Chapters 0 to 4: the summary, what was assessed on what basis, by what method, with what overall result."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from cloudaudit.model import Text, format_time, parse_time
from cloudaudit.reporters import charts, details, view
from cloudaudit.reporters.chapters.matter import Matter
from cloudaudit.reporters.chapters.writing import (
    MOST_ROWS,
    NONE,
    L,
    at,
    code,
    control_name,
    day,
    digest,
    heading,
    ids,
    joined,
    listed,
    maybe,
    name,
    number,
    outcome,
    pairs,
    percent,
    prose,
    register_missing,
    said,
    score,
    short,
    some,
    state,
    table,
    titled,
    told,
    yes,
)
from cloudaudit.reporters.document import Block, Cell, Items, Phrase, Prose, cell
from cloudaudit.reporters.values import in_words
from cloudaudit.reporters.words import MAX_NAME, clean, figure, labels, moment, same

MAX_SHORT: Final = 220
"""Of a message on the summary; the whole stands with its finding."""
REQUEST_LEVEL: Final = 4
"""From this level on the report asks for the authority's assessment."""
_THRESHOLDS: Final = {
    "score": "figure.lower",
    "weakest": "figure.weakest",
    "coverage": "figure.coverage",
    "collection": "figure.collection_coverage",
}
_MEANINGS: Final = ("pass", "fail", "expired", "unknown", "manual_pending", "waived", "not_applicable")
_COMPUTED: Final = ("score", "weight", "coverage", "assurance", "gates", "rounding")


# --- 0 ----------------------------------------------------------------------------------------------


def summary(matter: Matter) -> tuple[Block, ...]:
    """The cover and the page that a minister reads."""
    report = matter.report
    profile = report["profile"]
    return (
        prose("sentence.self_assessment"),
        *unofficial(matter),
        pairs(
            ("field.subject", (Phrase(view.subject_title(report), "strong"),)),
            ("field.scope", cell(labels().of("scope", report["scope"]))),
            ("chapter.form", cell(L(f"chapter.form_{matter.context.form}"))),
            *([("chapter.reporting_period", _reporting_period(matter))] if matter.is_yearly else []),
            ("field.collected_at", at(report["snapshot"]["collected_at"])),
            ("field.assessed_at", at(report["assessed_at"])),
            ("field.generated_at", at(report["generated_at"])),
            ("chapter.valid_until", _validity(report)),
            ("field.profile", cell(told(profile.get("title"), profile["id"]), _version(profile))),
            ("field.official", yes(profile["official"])),
            ("field.catalogue", cell(name(report["catalogue"]["version"]))),
            ("field.tool", cell(name(f"{report['tool']['name']} {report['tool']['version']}"))),
        ),
        *_beyond_period(matter),
        heading("figure.level" if view.concludes(report) else "report.overall"),
        level_line(matter),
        *standing(matter),
        *_top(matter),
        *_since(matter),
        heading("chapter.limits_of_conclusion"),
        *((Prose(L("report.authority_decides"), "note"),) if view.concludes(report) else ()),
        prose("sentence.unknown_is_no_pass"),
        prose("sentence.validity"),
        *((prose("sentence.request_assessment"),) if _asks(report) else ()),
    )


def _asks(report: view.Report) -> bool:
    return bool(report["readiness"]["level"] >= REQUEST_LEVEL and view.gate_count(report)[1])


def unofficial(matter: Matter) -> tuple[Block, ...]:
    """The notice that a profile is none of an authority's; nothing where it is."""
    profile = matter.report["profile"]
    if profile["official"]:
        return ()
    publisher = told(profile.get("publisher"), profile["id"])
    return (Prose(L("sentence.unofficial_profile", publisher=publisher), "fixed"),)


def _version(profile: Mapping[str, Any]) -> Text:
    return name(f"{profile['id']} {profile['version']}")


def _validity(report: view.Report) -> Cell:
    """Until when the report counts, and why no longer. Reports of older writers do not tell."""
    found = report.get("validity")
    if not found:
        return cell(L("chapter.validity_not_told"))
    (until,) = at(found["until"])
    return (replace(until, style="strong"), Phrase(told(found["because"])))


def _reporting_period(matter: Matter) -> Cell:
    """What a yearly form is about: as asked, else since the report it is compared with, else not known."""
    asked, report = matter.context.period, matter.report
    if asked is not None:
        days = titled(day(format_time(asked.begins))[0].text, day(format_time(asked.ends))[0].text, " – ")
        times = [matter.at, *(parse_time(one["assessed_at"]) for one in matter.context.earlier)]
        held = sum(time in asked for time in times if time is not None)
        return cell(days, L("chapter.assessments_in_period", count=held))
    if matter.changes is not None:
        start, end = moment(matter.changes.earlier["assessed_at"]), moment(report["assessed_at"])
        return cell(titled(start, end, " – "), L("chapter.period_since_previous"))
    return cell(L("word.unknown"), L("chapter.period_not_told"))


def _beyond_period(matter: Matter) -> tuple[Block, ...]:
    """That a report is of a moment and not of the period, with a warning where that moment lies outside."""
    if not matter.is_yearly:
        return ()
    asked, at_ = matter.context.period, matter.at
    outside = asked is not None and at_ is not None and at_ not in asked
    return (
        prose("chapter.period_is_of_a_moment", "note"),
        *((prose("chapter.assessed_outside_period", "warning"),) if outside else ()),
    )


def level_line(matter: Matter) -> Prose:
    """The level with its name; or that none is concluded, and why."""
    report = matter.report
    readiness = report["readiness"]
    opened, counted = view.gate_count(report)
    if not counted:
        return prose("report.level_not_concluded", "note")
    level = L(
        "report.level_and_gates",
        level=readiness["level"],
        name=told(readiness["level_label"]),
        open=opened,
        all=counted,
    )
    return Prose(titled(L(f"level_name.{report['scope']}"), level), "note")


def standing(matter: Matter) -> tuple[Block, ...]:
    """The figures that always stand beside a level, and why it is not higher."""
    readiness = matter.report["readiness"]
    opened, counted = view.gate_count(matter.report)
    weakest = readiness["weakest"]
    gates = cell(
        labels().of("gates_state", readiness["gate_state"]),
        L("figure.gates_open", open=opened, all=counted),
        mark=readiness["gate_state"],
    )
    blocks: list[Block] = [
        pairs(
            *([("figure.gates", gates)] if counted else []),
            ("figure.score", score(readiness["score"]["lower"], readiness["score"]["upper"])),
            ("figure.weakest", _weakest(weakest) if weakest else NONE),
            ("figure.coverage", percent(readiness["coverage"])),
            ("figure.collection_coverage", percent(readiness["collection_coverage"])),
            ("figure.assurance", percent(readiness["assurance"])),
            ("field.claims", cell(view.claims(matter.report))),
        ),
        prose("sentence.interval"),
    ]
    reasons = tuple(cell(told(reason)) for reason in readiness["reasons"])
    # Where no level is concluded, none is higher.
    if reasons and counted:
        blocks += [heading("figure.reasons"), Items(reasons)]
    return tuple(blocks)


def _weakest(weakest: Mapping[str, Any]) -> Cell:
    return cell(titled(labels().of("dimension", weakest["dimension"]), figure(weakest["score"])))


def _top(matter: Matter) -> tuple[Block, ...]:
    blocks, found = view.top(matter.groups)
    gated = view.gate_count(matter.report)[1]
    if not found and not gated:
        return (heading("report.unmet"), prose("report.nothing", "note"))
    if not found:
        return (heading("figure.top_blocking"), prose("report.nothing_blocks", "note"))
    rows = [_worst_line(one) for one in found]
    return (
        heading("figure.top_blocking" if blocks else "report.most_severe"),
        Items(tuple(rows), numbered=True),
    )


def _worst_line(one: view.Group | view.Alike) -> Cell:
    if isinstance(one, view.Alike):
        why = joined(labels().of("reason", code_) for code_, _ in one.reasons)
        head = L("report.alike", count=len(one.groups), reason=why or same("–"))
        told = [details.told(detail) for _, detail in one.reasons if detail]
        listed_ = same(", ".join(one.controls))
        more = titled(listed_, said_) if (said_ := joined(told)) else listed_
        return Phrase(head, "strong", "unknown"), Phrase(short(more, MAX_SHORT), "muted")
    return (
        Phrase(_in_a_line(one), "strong", one.worst, one.control["id"]),
        Phrase(short(view.message(one.findings[0]), MAX_SHORT), "muted"),
    )


def _in_a_line(group: view.Group) -> Text:
    """A control, and how many findings it has beside the one shown: the summary is to stay on a page."""
    title = titled(same(group.control["id"]), told(group.control["title"]), " – ")
    more = len(group.findings) - 1
    return titled(title, L("report.more_findings", count=more), "; ") if more else title


def _since(matter: Matter) -> tuple[Block, ...]:
    """One line on what changed since the earlier report."""
    changes = matter.changes
    if changes is None:
        return ()
    line = L(
        "chapter.since",
        at=moment(changes.earlier["assessed_at"]),
        new=len(changes.new),
        fixed=len(changes.fixed),
        changed=len(changes.changed),
        open=len(changes.still_open),
        vanished=len(changes.vanished),
    )
    return (heading("chapter.comparison"), Prose(line))


# --- 1 ----------------------------------------------------------------------------------------------


def basis(matter: Matter) -> tuple[Block, ...]:
    report = matter.report
    return (
        *some(_acts(matter)),
        prose("sentence.unverified_sources"),
        prose("sentence.residency_source"),
        heading("chapter.scope_of_assessment"),
        pairs(
            ("field.subject", cell(view.subject_title(report))),
            ("field.scope", cell(labels().of("scope", report["scope"]))),
            ("chapter.period", cell(_period(report))),
            ("chapter.regions", listed(sorted({region for _, region in view.observed_regions(report)}))),
            ("chapter.projects", listed(sorted(str(one) for one in report.get("projects", {}).values()))),
            ("field.systems", listed([entry.id for entry in matter.context.declared("system")])),
        ),
        *some(_targets(matter)),
        *_left_out(matter),
    )


def _period(report: view.Report) -> Text:
    start, end = moment(report["snapshot"]["collected_at"]), moment(report["assessed_at"])
    return Text(f"{start.vi} – {end.vi}", f"{start.en} – {end.en}")


def _acts(matter: Matter) -> Any:
    """Acts that the report's controls serve, each with its clauses, marks and legal states."""
    served = {id_ for entry in matter.report["controls"] for id_ in entry["obligations"]}
    acts: dict[str, list[Any]] = defaultdict(list)
    for id_ in sorted(served):
        known = matter.context.obligations.get(id_)
        acts[known.source if known else ""].append(known or id_)
    rows = []
    for source, found in sorted(acts.items(), key=lambda act: (not act[0], act[0])):
        if not source:
            rows.append((cell(L("report.unknown_obligation")), ids(map(str, found)), NONE, NONE, NONE))
            continue
        rows.append(
            (
                cell(said(source)),
                cell(same(", ".join(dict.fromkeys(one.clause for one in found if one.clause)))),
                cell(joined(labels().of("obligation_kind", key) for key in _each(one.kind for one in found))),
                cell(
                    joined(labels().of("legal_state", key) for key in _each(one.legal_state for one in found))
                ),
                cell(
                    joined(
                        labels().of("source_state", key) for key in _each(one.state.value for one in found)
                    )
                ),
            )
        )
    columns = (
        ("column.act", 3.5),
        ("column.clause", 2.5),
        ("column.kind", 1.2),
        ("column.legal_state", 1.5),
        ("column.source_state", 1.5),
    )
    return table("acts", L("chapter.acts"), columns, rows)


def _each(values: Iterator[str]) -> list[str]:
    return sorted(set(values))


def _targets(matter: Matter) -> Any:
    rows = []
    for target in matter.report["targets"]:
        credential = target.get("credential") or {}
        more = "; ".join(
            f"{key}: {_plain(value)}"
            for key, value in target.items()
            if key not in _TOLD and value not in (None, [], "", False)
        )
        rows.append(
            (
                (Phrase(name(target["name"]), "strong"),),
                maybe(target["kind"]),
                cell(labels().of("vantage", target["vantage"])) if target.get("vantage") else NONE,
                cell(*_credential(credential)) if credential else NONE,
                cell(*_notes(target), said(more) if more else None),
            )
        )
    columns = (
        ("column.target", 1.5),
        ("column.kind", 1.0),
        ("field.vantage", 1.5),
        ("report.credential", 1.5),
        ("report.detail", 4.0),
    )
    return table("targets", L("field.targets"), columns, rows)


_TOLD: Final = frozenset(
    {"name", "kind", "vantage", "credential", "verify", "proxy", "allow_http", "clock_skew", "source"}
)
"""What of a target stands in columns and sentences of its own."""


def _credential(credential: Mapping[str, Any]) -> Iterator[Text]:
    """Its kind and scope, the roles that turned out to be its own, and addresses that were given by hand."""
    yield titled(name(credential["auth_type"]), labels().of("token_scope", credential["scope"]), " – ")
    for scope, names in credential["roles"].items():
        held = titled(L("report.roles_of_token"), labels().of("token_scope", scope), " – ")
        yield titled(held, name(", ".join(map(str, names))))
    if credential.get("overrides"):
        yield titled(L("report.overrides"), name(", ".join(map(str, credential["overrides"]))))


def _notes(target: Mapping[str, Any]) -> Iterator[Text]:
    """What weakens the evidence of a target, or bears on how it was reached."""
    if target.get("verify") is False:
        yield L("report.unverified")
    for key in ("proxy", "allow_http"):
        if target.get(key):
            yield L(f"report.target_{key}")
    if target.get("clock_skew"):
        yield L("report.clock_skew", seconds=str(target["clock_skew"]))


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _left_out(matter: Matter) -> tuple[Block, ...]:
    """Controls that were not selected: in provider scope the duties of agencies among them."""
    excluded = matter.report["profile"].get("excluded", {})
    if not excluded:
        return ()
    rows = [
        ((Phrase(name(id_), "strong", to=id_), *_known_title(matter, id_)), cell(told(why)))
        for id_, why in sorted(excluded.items())
    ]
    found = table("excluded", L("field.excluded"), (("column.control", 3.0), ("column.reason", 3.0)), rows)
    note = (prose("sentence.agency_duties"),) if matter.is_provider else ()
    return (heading("field.excluded"), *note, found)


def _known_title(matter: Matter, id_: str) -> tuple[Phrase, ...]:
    control = matter.control(id_)
    return (Phrase(control.title),) if control else ()


# --- 2 ----------------------------------------------------------------------------------------------


def organisation(matter: Matter) -> tuple[Block, ...]:
    report = matter.report
    systems = matter.context.declared("system")
    facts = [entry.facts for entry in systems]
    operators = sorted({str(f["operator"]) for f in facts if f.get("operator")})
    agencies = sorted({str(f["owner_agency"]) for f in facts if f.get("owner_agency")})
    national = sum(f.get("national_database") is True for f in facts)
    blocks: list[Block] = [
        pairs(
            ("field.subject", cell(view.subject_title(report))),
            ("chapter.subject_kind", cell(labels().of("subject_kind", report["subject"]["kind"]))),
            ("column.agency", listed(agencies)),
            ("column.operator", listed(operators)),
            ("field.systems", number(len(systems))),
            ("column.national_database", number(national)),
        ),
        *register_missing(matter, "systems"),
    ]
    rows = [
        (
            (Phrase(name(entry.id), "strong"), Phrase(name(entry.facts.get("title") or entry.id))),
            maybe(entry.facts.get("owner_agency")),
            maybe(entry.facts.get("operator")),
            maybe(entry.facts.get("security_level")),
            cell(labels().of("criticality", clean(str(entry.facts.get("criticality") or "–"), MAX_NAME))),
            listed(entry.facts.get("data_classes"), "data_class"),
            yes(entry.facts.get("national_database")),
            yes(entry.facts.get("cross_border")),
        )
        for entry in systems
    ]
    columns = (
        ("column.system", 2.6),
        ("column.agency", 1.8),
        ("column.operator", 1.8),
        ("column.security_level", 0.8, "number"),
        ("column.criticality", 1.3),
        ("column.data_classes", 2.2),
        ("column.national_database", 1.0),
        ("chapter.column.cross_border", 1.0),
    )
    blocks += some(table("systems", L("register.systems"), columns, rows, MOST_ROWS))
    if matter.is_provider:
        blocks.append(prose("chapter.provider_systems", "note"))
    return tuple(blocks)


# --- 3 ----------------------------------------------------------------------------------------------


def method(matter: Matter) -> tuple[Block, ...]:
    meanings = [(outcome(key), cell(L(f"report.meaning.{key}"))) for key in _MEANINGS]
    limits = (
        "self_assessment",
        "unknown_is_no_pass",
        "location",
        "thresholds",
        "unverified_sources",
        "absence",
        "not_applicable_proof",
        "application_out_of_scope",
        "form_fields",
    )
    return (
        prose("chapter.how_seen"),
        *some(
            table(
                "verdicts",
                L("report.verdicts"),
                (("column.verdict", 1.5), ("chapter.column.meaning", 5.0)),
                meanings,
            )
        ),
        heading("report.figures"),
        Items(
            tuple(
                cell(L(f"report.computed.{key}"))
                for key in _COMPUTED
                if key != "gates" or view.concludes(matter.report)
            )
        ),
        *_rules(matter),
        heading("field.evidence"),
        *some(_registers(matter)),
        *some(_collection(matter)),
        *_api_versions(matter),
        *_abilities(matter),
        *_packages(matter),
        *some(_versions(matter)),
        heading("report.limits_of_report"),
        *(prose(f"sentence.{key}") for key in limits),
        *unofficial(matter),
    )


def _rules(matter: Matter) -> tuple[Block, ...]:
    rules = matter.report["profile"]["rules"]
    order = [d["id"] for d in matter.report["readiness"]["dimensions"]]
    weights = [
        (cell(labels().of("dimension", id_)), number(id_), cell(_percent(rules["weights"][id_])))
        for id_ in order
        if id_ in rules["weights"]
    ]
    limits = [
        (
            cell(L("report.threshold_below" if level in ("0", "1") else "report.threshold_of", level=level)),
            cell(labels().of("level", level)),
            cell(L(_THRESHOLDS[key]) if key in _THRESHOLDS else name(key)),
            cell(same(_figure(least))),
        )
        for level, figures in rules["thresholds"].items()
        for key, least in figures.items()
    ]
    changed = []
    for id_, given in matter.report["profile"].get("parameters_changed", {}).items():
        control = matter.control(id_)
        for key, value in given.items():
            parameter = control.parameters.get(key) if control else None
            spec = parameter.spec if parameter else None
            default = in_words(parameter.default, spec) if parameter else None
            changed.append((ids([id_]), code(key), cell(default), cell(matter.values.shown(value, spec))))
    thresholds = table(
        "thresholds",
        L("report.thresholds"),
        (
            ("chapter.column.condition", 2.5),
            ("figure.level", 2.5),
            ("chapter.column.figure", 2.5),
            ("chapter.column.least", 1.0, "number"),
        ),
        limits,
    )
    return (
        *some(
            table(
                "weights",
                L("chapter.weights"),
                (("column.dimension", 3.0), ("column.id", 1.0), ("column.weight", 1.0, "number")),
                weights,
            )
        ),
        *(some(thresholds) if view.concludes(matter.report) else ()),
        prose("sentence.thresholds"),
        *some(
            table(
                "parameters",
                L("report.parameters_changed"),
                (
                    ("column.control", 1.0),
                    ("column.parameter", 1.5),
                    ("column.default", 2.0),
                    ("column.in_force", 2.0),
                ),
                changed,
            )
        ),
    )


def _percent(weight: str) -> Text:
    share = Fraction(weight) * 100
    return (
        Text(f"{share.numerator} %", f"{share.numerator}%")
        if share.denominator == 1
        else figure(float(share), "%")
    )


def _figure(least: str) -> str:
    value = Fraction(least)
    return str(value.numerator) if value.denominator == 1 else str(float(value))


def _registers(matter: Matter) -> Any:
    rows = [
        (cell(labels().of("register", one["kind"])), code(one["path"]), digest(one["sha256"]))
        for one in matter.report["registers"]
    ]
    columns = (("column.kind", 2.0), ("column.path", 2.0, "code"), ("column.digest", 4.0, "code"))
    return table("registers", L("report.registers"), columns, rows)


def _collection(matter: Matter) -> Any:
    rows = [
        (
            maybe(one["target"]),
            maybe(one["region"]),
            maybe(one["service"]),
            number(one["asked"]),
            number(one["ok"]),
        )
        for one in matter.report["collection"]
    ]
    columns = (
        ("column.target", 1.5),
        ("column.region", 1.2),
        ("column.service", 1.8),
        ("column.asked", 0.8, "number"),
        ("column.collected", 1.0, "number"),
    )
    return table("collection", L("report.collection"), columns, rows, MOST_ROWS)


def _api_versions(matter: Matter) -> tuple[Block, ...]:
    """The versions of APIs that evidence came from, by target and service."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for target, service, version in matter.apis:
        found[target, service].append(version)
    rows = [
        (maybe(target), maybe(service), tuple(Phrase(name(version)) for version in versions))
        for (target, service), versions in found.items()
    ]
    if not rows:
        return ()
    columns = (("column.target", 1.5), ("column.service", 1.8), ("field.version", 1.8, "flow"))
    made = table("api-versions", L("report.api_versions"), columns, rows, MOST_ROWS)
    return (made, prose("report.api_versions_note", "note"))


def _abilities(matter: Matter) -> tuple[Block, ...]:
    found = view.abilities(matter.report)
    if not found:
        return ()
    rows = [
        (
            cell(name(one.target), name(one.endpoint)),
            maybe(one.kind),
            listed(one.operations["supported"], most=MOST_ROWS),
            listed(one.operations["unsupported"], most=MOST_ROWS),
            cell(
                *([labels().of("reason", one.reason)] if one.reason else []),
                *(phrase.text for phrase in listed(one.operations["unknown"], most=MOST_ROWS)),
            ),
        )
        for one in found
    ]
    columns = (
        ("column.endpoint", 2.0),
        ("column.kind", 1.0),
        ("column.supported", 3.0),
        ("column.unsupported", 2.0),
        ("column.undetermined", 2.0),
    )
    return (
        *some(table("abilities", L("report.abilities"), columns, rows)),
        prose("report.abilities_note", "note"),
    )


def _packages(matter: Matter) -> tuple[Block, ...]:
    report = matter.report
    blocks: list[Block] = []
    for key, title in (("plugins", "column.kind"), ("reporters", "column.format")):
        rows = [
            (maybe(one["name"]), maybe(one["package"]), maybe(one["version"])) for one in report.get(key, ())
        ]
        if rows:
            columns = ((title, 1.0), ("column.package", 2.0), ("column.package_version", 1.0))
            blocks += some(table(key, L(f"report.{key}"), columns, rows))
    return (*blocks, prose("report.plugins_note", "note")) if report.get("plugins") else tuple(blocks)


def _versions(matter: Matter) -> Any:
    report = matter.report
    rows = [
        (cell(L("field.tool")), name_version(report["tool"]["name"], report["tool"]["version"]), NONE),
        (
            cell(L("field.profile")),
            name_version(report["profile"]["id"], report["profile"]["version"]),
            digest(report["profile"]["sha256"]),
        ),
        (
            cell(L("field.catalogue")),
            maybe(report["catalogue"]["version"]),
            digest(report["catalogue"]["sha256"]),
        ),
        (
            cell(L("field.snapshot")),
            cell(moment(report["snapshot"]["collected_at"])),
            digest(report["snapshot"]["sha256"]),
        ),
        (
            cell(L("report.findings_file")),
            number(report["findings_file"]["count"]),
            digest(report["findings_file"]["sha256"]),
        ),
    ]
    columns = (("column.kind", 2.0), ("field.version", 2.5), ("column.digest", 4.0, "code"))
    return table("versions", L("report.versions"), columns, rows)


def name_version(id_: object, version: object) -> Cell:
    return cell(name(f"{id_} {version}"))


# --- 4 ----------------------------------------------------------------------------------------------


def result(matter: Matter) -> tuple[Block, ...]:
    report = matter.report
    readiness = report["readiness"]
    dimensions = [d for d in readiness["dimensions"] if not d["not_applicable"]]
    names = {d["id"]: labels().of("dimension", d["id"]) for d in readiness["dimensions"]}
    concluded = view.concludes(report)
    blocks: list[Block] = [
        *((level_line(matter),) if concluded else ()),
        *standing(matter),
        *unofficial(matter),
    ]
    if dimensions:
        blocks += [
            charts.intervals([(d["id"], names[d["id"]], d["lower"], d["upper"]) for d in dimensions]),
            charts.coverage([(d["id"], names[d["id"]], d["coverage"]) for d in dimensions]),
        ]
    blocks += some(_dimensions(matter))
    if any(d["not_applicable"] for d in readiness["dimensions"]):
        blocks.append(prose("chapter.weights_shared", "note"))
    gates = readiness["gates"]
    if gates:
        blocks.append(charts.gates([(clean(g["id"], MAX_NAME), told(g["title"]), g["state"]) for g in gates]))
    if concluded:
        blocks += [*some(_gates(matter)), prose("sentence.pending_authority")]
    blocks += [
        *some(_verdicts(matter)),
        prose("sentence.unknown_is_no_pass"),
        prose("sentence.thresholds"),
        *_trend(matter),
        *_changes(matter),
    ]
    if matter.context.form == "yearly":
        # The sections these stand in are not of the short form; what they say of the figures is.
        blocks += [prose(f"sentence.{key}") for key in ("location", "absence", "unverified_sources")]
    return tuple(blocks)


def _dimensions(matter: Matter) -> Any:
    rows = []
    for one in matter.report["readiness"]["dimensions"]:
        head = (
            (Phrase(same(one["id"]), "strong"), Phrase(labels().of("dimension", one["id"]))),
            cell(_percent(one["weight"])),
        )
        if one["not_applicable"]:
            rows.append((*head, cell(L("figure.not_weighed")), NONE, NONE))
            continue
        rows.append(
            (
                *head,
                score(one["lower"], one["upper"]),
                percent(one["coverage"]),
                percent(one["assurance"]),
            )
        )
    columns = (
        ("column.dimension", 3.0),
        ("column.weight", 1.0, "number"),
        ("figure.score", 1.8, "number"),
        ("figure.coverage", 1.4, "number"),
        ("figure.assurance", 1.4, "number"),
    )
    return table("dimensions", L("chapter.dimensions"), columns, rows)


def _gates(matter: Matter) -> Any:
    verdicts = {entry["id"]: entry["verdict"] for entry in matter.report["controls"]}
    rows = []
    for gate in matter.report["readiness"]["gates"]:
        controls = tuple(
            Phrase(same(id_), mark=verdicts[id_], to=id_) for id_ in gate["controls"] if id_ in verdicts
        )
        out = [id_ for id_ in gate["controls"] if id_ not in verdicts]
        if out:
            controls = (*controls, Phrase(L("chapter.not_selected", controls=", ".join(out)), "muted"))
        rows.append(
            (
                (Phrase(name(gate["id"]), "strong"),),
                cell(told(gate["title"]), L("report.final_gate") if gate["final"] else None),
                state(gate["state"]),
                controls or NONE,
            )
        )
    columns = (
        ("column.id", 0.7),
        ("column.gate", 3.2),
        ("column.state", 1.5),
        ("column.gating_controls", 2.6, "flow"),
    )
    return table("gates", L("figure.gates"), columns, rows)


def _verdicts(matter: Matter) -> Any:
    counts = Counter(entry["verdict"] for entry in matter.report["controls"])
    findings: Counter[str] = Counter()
    for entry in matter.report["controls"]:
        findings.update(entry["counts"])
    rows = [
        (outcome(key), number(counts[key]), number(findings[key]))
        for key in view.WORST_FIRST
        if counts[key] or findings[key]
    ]
    columns = (
        ("column.verdict", 2.0),
        ("field.controls", 1.0, "number"),
        ("chapter.column.single_results", 1.0, "number"),
    )
    return table("counts", L("figure.counts"), columns, rows)


def _trend(matter: Matter) -> tuple[Block, ...]:
    """Up to twelve earlier reports with this one; the yearly form says so where there is none."""
    points = matter.trend
    if len(points) < 2:
        return (heading("figure.trend"), prose("chapter.no_trend", "note")) if matter.is_yearly else ()
    # Earlier reports may have been judged by a profile that looks at gates.
    concluded = any(point.gates_counted for point in points)
    rows = [
        (
            at(point.at),
            *((number(point.level) if point.gates_counted else NONE,) if concluded else ()),
            score(point.lower, point.upper),
            percent(point.coverage),
            *((number(f"{point.gates_open}/{point.gates_counted}"),) if concluded else ()),
        )
        for point in points
    ]
    columns: tuple[tuple[str, float] | tuple[str, float, str], ...] = (
        ("field.assessed_at", 2.0),
        *((("figure.level", 1.0, "number"),) if concluded else ()),
        ("figure.score", 1.8, "number"),
        ("figure.coverage", 1.4, "number"),
        *((("figure.gates", 1.4, "number"),) if concluded else ()),
    )
    drawn = [(p.at, p.lower, p.upper, p.coverage, p.gates_open, p.gates_counted) for p in points]
    return (
        heading("figure.trend"),
        charts.trend(drawn),
        table("trend", L("figure.trend"), columns, rows),
    )


def _changes(matter: Matter) -> tuple[Block, ...]:
    """What is new, fixed, changed and no longer seen since the newest earlier report."""
    changes = matter.changes
    if changes is None:
        return (heading("chapter.comparison"), prose("chapter.no_earlier", "note"))
    lists = (
        ("new", changes.new),
        ("fixed", changes.fixed),
        ("changed", changes.changed),
        ("vanished", changes.vanished),
    )
    rows = [
        (
            cell(L(f"change.{kind}")),
            control_name(matter, change.record["control"]),
            maybe(view.place(change.record)),
            outcome(change.was) if change.was else NONE,
            outcome(change.now) if change.now else cell(L("word.unknown")),
        )
        for kind, found in lists
        for change in found
    ]
    columns = (
        ("chapter.column.change", 1.3),
        ("column.control", 3.0),
        ("column.resource", 2.0),
        ("chapter.column.was", 1.4),
        ("chapter.column.now", 1.4),
    )
    blocks: list[Block] = [
        *_since(matter),
        *some(table("changes", L("chapter.changes"), columns, rows, MOST_ROWS)),
        prose("chapter.vanished_is_not_fixed", "note"),
    ]
    gates = [(maybe(id_), state(was), state(now)) for id_, was, now in changes.gates]
    if gates:
        columns_of_gates = (("column.gate", 1.0), ("chapter.column.was", 1.5), ("chapter.column.now", 1.5))
        blocks.append(table("changed-gates", L("chapter.changed_gates"), columns_of_gates, gates))
    if changes.versions:
        which = joined(L(f"field.{key}") for key in changes.versions)
        blocks.append(Prose(L("chapter.other_versions", which=which or same("–")), "warning"))
    return tuple(blocks)
