"""Assessment results in OSCAL: every finding with its evidence, gaps, waivers and plans.

An OSCAL finding is a control with its verdict; an observation is a finding of ours on one resource. OSCAL
knows satisfied and not satisfied: satisfied is what passes, and nothing else. The verdict stands in `reason`
and in properties of our namespace, with all it takes to compute gates, score and coverage again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from cloudaudit.model import Control, Text
from cloudaudit.reporters import Context, details, view
from cloudaudit.reporters.markdown import escaped
from cloudaudit.reporters.oscal import (
    JSON,
    METHODS,
    Object,
    Report,
    compact,
    line,
    metadata,
    moment,
    prop,
    props,
    prose,
    resource,
    rules,
    title,
    token,
    uuid,
    written,
)
from cloudaudit.reporters.report_json import dumps
from cloudaudit.reporters.rows import Lookup, collected, every
from cloudaudit.reporters.words import labels, same, text_of

_RISKS: Final[Mapping[str, str]] = {
    "fail": "open",
    "expired": "open",
    "unknown": "investigating",
    "manual_pending": "investigating",
}
"""What an OSCAL risk is to be called by the verdict of its control. None is ever closed by us."""


class ResultsReporter:
    """oscal-ar.json: every finding with its evidence, gaps, waivers and plans."""

    media_type = JSON

    def render(self, report: Report, context: Context) -> str:
        return written({"assessment-results": _Results(report, context).document()})


def outcome(report: Report) -> list[Object]:
    """Level, gates and figures as properties."""
    r = report["readiness"]
    figures = {
        "level": str(r["level"]),
        "level-label-vi": r["level_label"]["vi"],
        "level-label-en": r["level_label"]["en"],
        "gate-state": r["gate_state"],
        "score-lower": r["score"]["lower"],
        "score-upper": r["score"]["upper"],
        "coverage": r["coverage"],
        "collection-coverage": r["collection_coverage"],
        "assurance": r["assurance"],
        "contradictions": r["contradictions"],
        "unverified-claims": r["unverified_claims"],
        "registers": " ".join(sorted({register["kind"] for register in report["registers"]})),
        "collection-figures": report["collection_figures"],
    }
    return [
        *props(figures),
        *(one for gate in r["gates"] for one in prop("gate", gate["state"], gate["id"])),
        *(
            one
            for d in r["dimensions"]
            for name in ("lower", "upper", "coverage", "assurance")
            if not d["not_applicable"]
            for one in prop(f"dimension-{name}", d[name], d["id"])
        ),
        *(
            one
            for d in r["dimensions"]
            if d["not_applicable"]
            for one in prop("dimension-not-applicable", d["id"])
        ),
        *(one for entry in report["collection"] for one in prop("collection", dict(entry))),
        *(one for claim in report["claims"] for one in prop("claim", dict(claim))),
    ]


class _Results:
    """One report as assessment results. UUIDs of what is judged last; those of findings are of the report."""

    def __init__(self, report: Report, context: Context) -> None:
        self.report = report
        self.context = context
        self.known = Lookup.of(report)
        self.written = dumps(report).encode()
        self.own = UUID(uuid(f"report:{sha256(self.written).hexdigest()}"))
        self.subject = line(str(report["subject"]["id"]))
        self.tool = uuid(f"tool:{report['tool']['name']} {report['tool']['version']}")
        self.collected = moment(
            report["snapshot"]["collected_at"], moment(report["assessed_at"], "1970-01-01T00:00:00Z")
        )
        self.components: dict[str, Object] = {}
        self.items: dict[tuple[str, str, str], Object] = {}
        self.observed: dict[str, list[str]] = {}
        """Observations by control."""
        self.waivers: dict[tuple[str, str], list[str]] = {}
        """Observations by control and waiver."""
        self.refused: dict[str, list[tuple[str, Text]]] = {}
        self.used: set[str] = set()

    def document(self) -> Object:
        report = self.report
        for target in report["targets"]:
            self.component(target["name"], target["kind"])
        observations = [
            *(self.observation(record) for record in every(report, self.context)),
            *(self.gap(gap) for gap in report["gaps"]),
        ]
        risks = [*self.risks(), *self.waived(), *self.unwaived()]
        by_control: dict[str, list[str]] = {}
        for risk in risks:
            control = next(p["value"] for p in risk["props"] if p["name"] == "control")
            by_control.setdefault(control, []).append(risk["uuid"])
        plan = resource(
            "assessment-plan",
            labels()("data.plan"),
            "oscal-profile.json",
            media_type=JSON,
            description=prose(labels()("data.plan_note")),
            props=props({
                "profile": report["profile"]["id"], "profile-version": report["profile"]["version"],
                "profile-sha256": report["profile"]["sha256"],
            }),
        )  # fmt: skip
        sources = list(self.resources())
        result: Object = {
            "uuid": uuid("result", self.own),
            "title": title(view.subject_title(report)),
            "description": prose(view.title(report), labels()("title.subtitle")),
            "start": self.collected,
            "end": moment(report["assessed_at"], self.collected),
            "props": [*outcome(report), *rules(report)],
            "links": [{"href": f"#{source['uuid']}", "rel": "reference"} for source in sources],
            "local-definitions": self.definitions(),
            "reviewed-controls": {
                "control-selections": [
                    {"include-controls": [{"control-id": token(entry["id"])} for entry in report["controls"]]}
                ]
            },
            "findings": [
                self.finding(entry, by_control.get(entry["id"], ())) for entry in report["controls"]
            ],
        }
        if observations:
            result["observations"] = observations
        if risks:
            result["risks"] = risks
        return {
            "uuid": str(self.own),
            "metadata": metadata(
                report,
                view.title(report),
                report["assessed_at"],
                *props({
                    "subject": self.subject, "subject-kind": report["subject"]["kind"],
                    "assessed-at": report["assessed_at"], "catalogue-sha256": report["catalogue"]["sha256"],
                    "snapshot-sha256": report["snapshot"]["sha256"],
                }),
            ),
            "import-ap": {"href": f"#{plan['uuid']}"},
            "results": [result],
            "back-matter": {"resources": [plan, *sources]},
        }  # fmt: skip

    def resources(self) -> Iterator[Object]:
        """What the results were made from."""
        report, findings = self.report, self.report["findings_file"]
        digest = sha256(self.written).hexdigest()
        yield resource("report", same("report.json"), "report.json", digest, JSON)
        # Its digest is of the lines, not of the packed file, so it is no hash of the link.
        yield resource(
            "findings", labels()("report.findings_file"), findings["path"], media_type="application/gzip",
            props=props({"sha256-of-lines": findings["sha256"], "count": findings["count"]}),
        )  # fmt: skip
        yield resource(
            "snapshot", labels()("field.snapshot"), props=props({"sha256": report["snapshot"]["sha256"]}),
            description=prose(labels()("field.snapshot")),
        )  # fmt: skip
        for register in report["registers"]:
            name, text = f"register:{register['path']}", labels().of("register", register["kind"])
            yield resource(name, text, register["path"], register["sha256"], "application/yaml")

    # --- what was looked at ---------------------------------------------------------------------------

    def component(self, target: str, kind: str = "") -> str:
        """The UUID of a target; of the registers and of all targets as well."""
        if target not in self.components:
            self.components[target] = {
                "uuid": uuid(f"component:{self.subject}:{target}"),
                "type": "service" if kind else "register" if target == "registers" else "system",
                "title": escaped(line(target)),
                "description": escaped(line(target)),
                "props": props({"target": target, "kind": kind}),
                "status": {"state": "other", "remarks": "Not a matter of this assessment."},
            }
        found: str = self.components[target]["uuid"]
        return found

    def about(self, record: Mapping[str, Any]) -> list[Object]:
        """The subject of a finding: a resource, or for what could not be listed the target."""
        place = record["resource"]
        component = self.component(place["target"])
        if view.is_scope(record):
            return [{"subject-uuid": component, "type": "component"}]
        key = (place["target"], place["type"], place["id"])
        if key not in self.items:
            self.items[key] = {
                "uuid": uuid("\x1f".join(("item", self.subject, *key))),
                "description": escaped(line(f"{place['type']} {place['name'] or place['id']}")),
                "props": props({
                    "resource-type": place["type"], "resource-id": place["id"],
                    "resource-name": place["name"], "target": place["target"],
                    "region": place["region"], "project": place["project"],
                    "system": place["system"], "site": place["site"],
                }),
                "implemented-components": [{"component-uuid": component}],
            }  # fmt: skip
        return [{"subject-uuid": self.items[key]["uuid"], "type": "inventory-item"}]

    def definitions(self) -> Object:
        tool = self.report["tool"]
        found: Object = {"components": list(self.components.values())} if self.components else {}
        if self.items:
            found["inventory-items"] = list(self.items.values())
        software = {
            "uuid": self.tool,
            "type": "software",
            "title": escaped(line(tool["name"])),
            "description": escaped(line(f"{tool['name']} {tool['version']}")),
            "props": props({"tool-version": tool["version"]}),
            "status": {"state": "operational"},
        }
        platform = {
            "uuid": uuid("platform", self.own),
            "title": escaped(line(tool["name"])),
            "uses-components": [{"component-uuid": self.tool}],
        }
        found["assessment-assets"] = {"components": [software], "assessment-platforms": [platform]}
        return found

    # --- what was seen ----------------------------------------------------------------------------------

    def origins(self) -> list[Object]:
        return [{"actors": [{"type": "tool", "actor-uuid": self.tool}]}]

    def unique(self, name: str) -> str:
        """A UUID that nothing else of the document has."""
        found, number = uuid(name, self.own), 1
        while found in self.used:
            number += 1
            found = uuid(f"{name}#{number}", self.own)
        self.used.add(found)
        return found

    def observation(self, record: Mapping[str, Any]) -> Object:
        """A finding of ours: a control on one resource, with its evidence."""
        control = self.known.controls[record["control"]]
        id_ = self.unique(f"observation:{record['fingerprint']}")
        self.observed.setdefault(control["id"], []).append(id_)
        if record["waiver"]:
            self.waivers.setdefault((control["id"], record["waiver"]), []).append(id_)
        elif record["refused_waiver"]:
            self.refused.setdefault(control["id"], []).append((id_, text_of(record["refused_waiver"])))
        told = {
            "control": control["id"],
            "verdict": record["verdict"],
            "disposition": record["disposition"],
            "reason-code": record["reason_code"],
            "weight": record["weight"],
            "unattributed": "true" if record["weight"] is None else None,
            "assurance": record.get("assurance"),
            "detail": record["detail"],
            "waiver": record["waiver"],
            "fingerprint": record["fingerprint"],
        }
        found: Object = {
            "uuid": id_,
            "title": escaped(line(f"{control['id']}: {view.place(record)}")),
            "description": prose(view.message(record)),
            "props": props(told),
            "methods": [METHODS[control["method"]]],
            "types": ["control-objective"],
            "origins": self.origins(),
            "subjects": self.about(record),
            "collected": moment(collected(record), self.collected),
        }
        if record["evidence"]:
            found["relevant-evidence"] = [self.evidence(entry) for entry in record["evidence"]]
        return found

    def evidence(self, entry: Mapping[str, Any]) -> Object:
        value = compact(entry["value"]) if "value" in entry else None
        shown = f"= {value}" if value is not None else f"? {entry['missing']}"
        return {
            "description": escaped(line(f"{entry['fact']} {shown}")),
            "props": props({
                "fact": entry["fact"], "value": value, "missing": entry.get("missing"),
                "resource": entry["resource"], "source": entry["source"], "at": entry["at"],
            }),
        }  # fmt: skip

    def gap(self, gap: Mapping[str, Any]) -> Object:
        """What could not be seen."""
        told = {
            name.replace("_", "-"): gap[name]
            for name in ("operation", "reason_code", "detail", "region", "project")
        }
        reason, detail = labels().of("reason", gap["reason_code"]), details.told(gap["detail"])
        where = f"{gap['type']} {gap['operation']}"
        return {
            "uuid": self.unique(f"gap:{compact(dict(gap))}"),
            "title": title(labels()("field.gaps")),
            "description": prose(
                Text(f"{where}: {reason.vi}. {detail.vi}", f"{where}: {reason.en}. {detail.en}")
            ),
            "props": props({"gap": gap["type"], "target": gap["target"], **told}),
            "methods": ["TEST"],
            "types": ["discovery"],
            "origins": self.origins(),
            "subjects": [{"subject-uuid": self.component(gap["target"]), "type": "component"}],
            "collected": self.collected,
        }

    def finding(self, entry: Mapping[str, Any], risks: Sequence[str]) -> Object:
        """A control with its verdict, and the sums its gate, score and coverage are made from."""
        id_ = entry["id"]
        told = {
            "control": id_,
            "dimension": entry["dimension"],
            "severity": entry["severity"],
            "weight": entry["weight"],
            "basis": entry["basis"],
            "method": entry["method"],
            "verdict": entry["verdict"],
            "ratio": entry["ratio"],
            "listing-complete": str(entry["listing_complete"]).lower(),
            "control-version": entry["version"],
            "control-sha256": entry["sha256"],
            "gate": self.known.gates.get(id_),
        }
        sums = [
            one
            for group in ("counts", "weights", "unattributed")
            for verdict, number in entry[group].items()
            for one in prop(group, number, verdict)
        ]
        verdict = view.outcome_label(entry["verdict"])
        found: Object = {
            "uuid": uuid(f"finding:{id_}", self.own),
            "title": f"{escaped(line(id_))}: {title(text_of(entry['title']))}",
            "description": prose(verdict),
            "props": [*props(told), *sums],
            "origins": self.origins(),
            "target": {
                "type": "objective-id",
                "target-id": token(f"{id_}_obj"),
                "status": {
                    "state": "satisfied" if entry["verdict"] == "pass" else "not-satisfied",
                    "reason": token(entry["verdict"]),
                    "remarks": prose(verdict),
                },
            },
        }
        if seen := self.observed.get(id_):
            found["related-observations"] = [{"observation-uuid": one} for one in seen]
        if risks:
            found["related-risks"] = [{"risk-uuid": one} for one in risks]
        return found

    # --- risks --------------------------------------------------------------------------------------------

    def risk(
        self,
        name: str,
        entry: Mapping[str, Any],
        status: str,
        statement: str,
        seen: Iterable[str],
        **more: Any,
    ) -> Object:
        told: Mapping[str, Any] = more.pop("told", {})
        found: Object = {
            "uuid": self.unique(f"risk:{name}"),
            "title": f"{escaped(line(entry['id']))}: {title(text_of(entry['title']))}",
            "description": prose(view.outcome_label(entry["verdict"])),
            "statement": statement,
            "props": props({"control": entry["id"], "verdict": entry["verdict"], **told}),
            "status": status,
            "origins": self.origins(),
            **more,
        }
        if related := [{"observation-uuid": one} for one in seen]:
            found["related-observations"] = related
        return found

    def risks(self) -> Iterator[Object]:
        """A risk for each control that is not met or has a plan, with what is recommended and planned."""
        plans: dict[str, list[Mapping[str, Any]]] = {}
        for plan in self.report["plans"]:
            plans.setdefault(plan["control"], []).append(plan)
        for entry in self.report["controls"]:
            id_, own = entry["id"], plans.get(entry["id"], [])
            if entry["verdict"] not in _RISKS and not own:
                continue
            status = "remediating" if own else _RISKS[entry["verdict"]]
            known = self.context.controls.get(id_)
            limits = prose(known.limits) if known else prose(text_of(entry["title"]))
            found = self.risk(id_, entry, status, limits, self.observed.get(id_, ()))
            answers = [self.recommended(known)] if known else []
            answers += [self.planned(plan) for plan in own]
            if answers:
                found["remediations"] = answers
            if due := sorted(plan["due"] for plan in own if moment(plan["due"], "") == plan["due"]):
                found["deadline"] = due[0]
            yield found

    def recommended(self, control: Control) -> Object:
        return {
            "uuid": self.unique(f"recommendation:{control.id}"),
            "lifecycle": "recommendation",
            "title": title(labels()("field.remediation")),
            "description": prose(control.remediation.text),
        }

    def planned(self, plan: Mapping[str, Any]) -> Object:
        """A plan of the register as a response with a milestone."""
        told = {name: plan[name] for name in ("owner", "due", "resource", "system")}
        found: Object = {
            "uuid": self.unique(f"plan:{compact(dict(plan))}"),
            "lifecycle": "planned",
            "title": title(labels()("register.plans")),
            "description": escaped(line(plan["measure"])),
            "props": props(told),
        }
        if due := moment(plan["due"], ""):
            found["tasks"] = [{
                "uuid": self.unique(f"task:{compact(dict(plan))}"), "type": "milestone",
                "title": escaped(line(plan["measure"])), "timing": {"on-date": {"date": due}},
            }]  # fmt: skip
        return found

    def waived(self) -> Iterator[Object]:
        """A risk for each waiver that holds on a control: a deviation that was approved."""
        register = {waiver["id"]: waiver for waiver in self.report.get("waivers", ())}
        for (id_, waiver), seen in sorted(self.waivers.items()):
            entry = self.known.controls[id_]
            known = register.get(waiver, {})
            told = {
                name: known.get(name)
                for name in ("approver", "authority", "starts", "until", "resource", "system")
            }
            reason = known.get("reason") or labels()("disposition.waived").vi
            found = self.risk(
                f"{id_}:waiver:{waiver}", entry, "deviation-approved", escaped(line(reason)), seen,
                told={"waiver": waiver, **told},
            )  # fmt: skip
            if known.get("compensating"):
                found["mitigating-factors"] = [
                    {
                        "uuid": self.unique(f"mitigation:{id_}:{waiver}"),
                        "description": escaped(line(known["compensating"])),
                    }
                ]
            if until := moment(known.get("until"), ""):
                found["deadline"] = until
            yield found

    def unwaived(self) -> Iterator[Object]:
        """A risk for each reason why waivers of a control were refused: a deviation that was asked for."""
        for id_, refusals in sorted(self.refused.items()):
            reasons: dict[Text, list[str]] = {}
            for one, why in refusals:
                reasons.setdefault(why, []).append(one)
            for why, seen in reasons.items():
                name = f"{id_}:refused:{why.vi}\x1f{why.en}"
                yield self.risk(name, self.known.controls[id_], "deviation-requested", prose(why), seen,
                                told={"refused-waiver": why.en})  # fmt: skip
