"""OSCAL 1.2.1: the controls of an assessment as a catalogue, and their selection as a profile.

Plain dicts, whose UUIDs are made from stable names: the same report gives the same bytes. What OSCAL has no
place for stands in properties of our namespace.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID, uuid5

from cloudaudit.model import (
    Control,
    FactSpec,
    FactType,
    Method,
    Obligation,
    Text,
    Value,
    format_time,
    parse_time,
)
from cloudaudit.reporters import Context
from cloudaudit.reporters.markdown import escaped
from cloudaudit.reporters.report_json import json_value, shown
from cloudaudit.reporters.rows import kept
from cloudaudit.reporters.words import labels, same, text_of

OSCAL_VERSION: Final = "1.2.1"
NAMESPACE: Final = "urn:cloudaudit:oscal"
"""Of our properties. docs/formats.md lists them."""
ROOT: Final = uuid5(UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8"), NAMESPACE)
"""UUIDs are made in this one, or in one made in it."""
MAX_LINE: Final = 2_000
MAX_VALUE: Final = 8_000
JSON: Final = "application/json"
METHODS: Final[Mapping[str, str]] = {
    Method.TECHNICAL: "TEST",
    Method.PUBLISHED: "EXAMINE",
    Method.DRILL: "EXAMINE",
    Method.MANUAL: "UNKNOWN",
}
Object = dict[str, Any]
Report = Mapping[str, Any]


class CatalogReporter:
    """oscal-catalog.json: the controls of the assessment with their parameters, clauses and texts."""

    media_type = JSON

    def render(self, report: Report, context: Context) -> str:
        return written({"catalog": catalog(report, context)})


class ProfileReporter:
    """oscal-profile.json: the controls that were judged, their parameters, gates, weights and thresholds."""

    media_type = JSON

    def render(self, report: Report, context: Context) -> str:
        return written({"profile": profile(report, context)})


def written(value: Any, depth: int = 5) -> str:
    """A document with a line for each control, observation or resource: indented that deep, and no deeper.

    Python's own indenting takes five times as long, and most of a large document would be blanks.
    """
    return shown(_indented(value, depth, "\n")) + "\n"


def _indented(value: Any, depth: int, line_: str) -> str:
    if not depth or not value or not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner = f"{line_}  "
    if isinstance(value, list):
        return f"[{inner}{f',{inner}'.join(_indented(v, depth - 1, inner) for v in value)}{line_}]"
    parts = (f"{json.dumps(key)}: {_indented(v, depth - 1, inner)}" for key, v in value.items())
    return f"{{{inner}{f',{inner}'.join(parts)}{line_}}}"


# --- pieces -----------------------------------------------------------------------------------------


def uuid(name: str, within: UUID = ROOT) -> str:
    return str(uuid5(within, name))


def token(text: str) -> str:
    """A text as a token of OSCAL: letters, digits, dots, dashes and underscores, a letter first."""
    kept_ = "".join(c if c.isalnum() or c in ".-_" else "_" for c in text)
    return kept_ if kept_[:1].isalpha() or kept_[:1] == "_" else f"_{kept_}"


def line(text: str | None, limit: int = MAX_LINE) -> str:
    """A text where OSCAL wants one: a line with something in it."""
    return kept(text, limit).strip() or "–"


def prop(name: str, value: Any, class_: str = "", remarks: str = "") -> Iterator[Object]:
    """One of our properties; none where there is no value."""
    if value is None or value == "":
        return
    given = value if isinstance(value, str) else compact(value)
    found = {"name": name, "ns": NAMESPACE, "value": line(given, MAX_VALUE)}
    if class_:
        found["class"] = token(class_)
    if remarks:
        found["remarks"] = escaped(line(remarks))
    yield found


def props(values: Mapping[str, Any]) -> list[Object]:
    return [one for name, value in values.items() for one in prop(name, value)]


def title(text: Text) -> str:
    """A title in both languages, with nothing in it that marks up."""
    return " / ".join(dict.fromkeys(escaped(line(t)) for t in (text.vi, text.en)))


def prose(*texts: Text) -> str:
    """Paragraphs in both languages."""
    return "\n\n".join(escaped(line(t)) for text in texts for t in dict.fromkeys((text.vi, text.en)))


def moment(text: str | None, otherwise: str) -> str:
    """A time as OSCAL takes it, which knows the years 1900 to 2999."""
    try:
        found = format_time(parse_time(text or ""))
    except ValueError:
        return otherwise
    return found if "1900" <= found[:4] <= "2999" else otherwise


def metadata(report: Report, name: Text, version: str, *more: Object) -> Object:
    notice = text_of(report["profile"]["notice"])
    fixed = [labels()("sentence.self_assessment"), labels()("report.authority_decides")]
    return {
        "title": title(name),
        "last-modified": moment(report["generated_at"], "1970-01-01T00:00:00Z"),
        "version": line(version),
        "oscal-version": OSCAL_VERSION,
        "props": [
            *props(
                {"tool": f"{report['tool']['name']} {report['tool']['version']}", "scope": report["scope"]}
            ),
            *more,
        ],
        "remarks": prose(*fixed, *([] if report["profile"]["official"] else [notice])),
    }


def resource(
    name: str, text: Text, path: str = "", digest: str = "", media_type: str = "", **more: Any
) -> Object:
    """A document beside this one, by its path in the folder of the assessment and its digest."""
    found: Object = {"uuid": uuid(f"resource:{name}"), "title": title(text), **more}
    if path:
        link: Object = {"href": quote(path, safe="/:#?&=%~+@,;.-_")}
        if media_type:
            link["media-type"] = media_type
        if digest:
            link["hashes"] = [{"algorithm": "SHA-256", "value": digest}]
        found["rlinks"] = [link]
    return found


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _value(value: Value, spec: FactSpec | None) -> list[str]:
    """The value of a parameter as texts: durations as ISO 8601 has them, lists one by one."""
    if isinstance(value, tuple | list):
        return [text for item in value for text in _value(item, spec.items if spec else None)] or ["[]"]
    if spec is not None and spec.type is FactType.DURATION and isinstance(value, int):
        return [f"PT{value}S"]
    return [line(value if isinstance(value, str) else compact(json_value(value, spec)), MAX_VALUE)]


# --- the rules of an assessment -----------------------------------------------------------------------


def rules(report: Report) -> list[Object]:
    """Gates, weights and thresholds as properties."""
    given = report["profile"]["rules"]
    return [
        *(one for d, weight in given["weights"].items() for one in prop("dimension-weight", weight, d)),
        *(
            one
            for gate in report["readiness"]["gates"]
            for one in prop("gate-controls", " ".join(gate["controls"]), gate["id"])
        ),
        *(one for g in report["readiness"]["gates"] if g["final"] for one in prop("final-gate", g["id"])),
        *(
            one
            for level, limits in given["thresholds"].items()
            for figure, least in limits.items()
            for one in prop("threshold", least, f"level-{level}.{figure}")
        ),
    ]


# --- the catalogue and the profile ----------------------------------------------------------------------


def catalog(report: Report, context: Context) -> Object:
    """The controls of an assessment, by dimension."""
    groups: dict[str, list[Object]] = {}
    for entry in report["controls"]:
        groups.setdefault(entry["dimension"], []).append(_control(entry, context))
    clauses = sorted({clause for entry in report["controls"] for clause in entry["obligations"]})
    body = {
        "metadata": metadata(
            report,
            labels()("field.catalogue"),
            report["catalogue"]["version"],
            *prop("catalogue-sha256", report["catalogue"]["sha256"]),
        ),
        "groups": [
            {
                "id": token(d),
                "class": "dimension",
                "title": title(labels().of("dimension", d)),
                "controls": controls,
            }
            for d, controls in groups.items()
        ],
    }
    if resources := [_obligation(id_, context.obligations.get(id_)) for id_ in clauses]:
        body["back-matter"] = {"resources": resources}
    return {"uuid": _of_content("catalog", body), **body}


def _of_content(kind: str, body: Mapping[str, Any]) -> str:
    """The UUID of a document, another for every change of it."""
    return uuid(f"{kind}:{sha256(compact(body).encode('utf-8', 'replace')).hexdigest()}")


def _control(entry: Mapping[str, Any], context: Context) -> Object:
    id_ = entry["id"]
    known = context.controls.get(id_)
    name = text_of(entry["title"])
    found: Object = {
        "id": token(id_),
        "class": entry["severity"],
        "title": title(name),
        "props": [
            {"name": "label", "value": line(id_)},
            *props({
                "version": entry["version"], "severity": entry["severity"], "weight": entry["weight"],
                "method": entry["method"], "basis": entry["basis"], "sha256": entry["sha256"],
            }),
            *(one for clause in entry["obligations"] for one in prop("obligation", clause)),
        ],
        "parts": [
            {"id": token(f"{id_}_smt"), "name": "statement", "prose": prose(name)},
            {"id": token(f"{id_}_obj"), "name": "assessment-objective", "prose": prose(name)},
        ],
    }  # fmt: skip
    if clauses := entry["obligations"]:
        found["links"] = [
            {"href": f"#{uuid(f'resource:obligation:{c}')}", "rel": "reference"} for c in clauses
        ]
    if known is not None:
        found |= _texts(found, entry, known)
    return found


def _texts(found: Object, entry: Mapping[str, Any], control: Control) -> Object:
    """What the catalogue at hand says beyond the report."""
    id_ = entry["id"]
    other = control.digest != entry["sha256"]
    said = [
        *(
            one
            for f, items in control.frameworks.items()
            for item in items
            for one in prop("framework", item, f)
        ),
        *prop("text-of-another-version", "true" if other else None),
    ]
    commands = "".join(f"\n\n`{line(command)}`" for command in control.remediation.cli if "`" not in command)
    parts = [
        {
            "id": token(f"{id_}_asm"),
            "name": "assessment-method",
            "props": [{"name": "method", "value": METHODS[entry["method"]]}],
            "parts": [{"name": "assessment-objects", "prose": escaped(", ".join(control.applies_to))}],
        },
        {
            "id": token(f"{id_}_rem"), "name": "guidance", "class": "remediation",
            "prose": prose(control.remediation.text) + commands,
        },
        {"id": token(f"{id_}_lim"), "name": "guidance", "class": "limits", "prose": prose(control.limits)},
    ]  # fmt: skip
    more: Object = {"props": [*found["props"], *said], "parts": [*found["parts"], *parts]}
    if control.parameters:
        more["params"] = [
            {
                "id": token(f"{id_}_{name}"),
                "label": escaped(line(name)),
                "props": props({"source": parameter.source, "type": parameter.spec.type.value}),
                "values": _value(parameter.default, parameter.spec),
            }
            for name, parameter in control.parameters.items()
        ]
    return more


def _obligation(id_: str, known: Obligation | None) -> Object:
    name = f"obligation:{id_}"
    if known is None:
        return resource(name, same(id_), description=prose(labels()("report.unknown_obligation")))
    told = {
        "obligation": id_, "source-state": known.state.value, "legal-state": known.legal_state,
        "obligation-kind": known.kind, "actors": " ".join(known.actors),
    }  # fmt: skip
    found = resource(
        name,
        same(f"{known.source}, {known.clause}"),
        description=prose(Text(known.quote or known.clause, known.translation or known.clause)),
        props=props(told),
        citation={"text": escaped(line(f"{known.source}, {known.clause}"))},
    )
    if known.address.startswith(("https://", "http://")):
        found["rlinks"] = [{"href": quote(known.address, safe="/:#?&=%~+@,;.-_")}]
    return found


def profile(report: Report, context: Context) -> Object:
    """The selection and the parameters of an assessment, upon the catalogue of `oscal-catalog`."""
    about = report["profile"]
    gates: dict[str, list[str]] = {}
    for gate in report["readiness"]["gates"]:
        for id_ in gate["controls"]:
            gates.setdefault(id_, []).append(gate["id"])
    chosen = [entry["id"] for entry in report["controls"]]
    modify: Object = {}
    changed = list(_changed(report, context))
    if changed:
        modify["set-parameters"] = changed
    if alters := [
        {"control-id": token(id_), "adds": [{"props": [one for g in gates[id_] for one in prop("gate", g)]}]}
        for id_ in chosen
        if id_ in gates
    ]:
        modify["alters"] = alters
    told = props({
        "profile": about["id"], "profile-sha256": about["sha256"], "official": str(about["official"]).lower(),
        "publisher-vi": about["publisher"]["vi"], "publisher-en": about["publisher"]["en"],
    })  # fmt: skip
    excluded = [
        one
        for id_, why in about["excluded"].items()
        for one in prop("excluded", id_, remarks=f"{why['vi']} / {why['en']}")
    ]
    source = resource(
        "oscal-catalog", labels()("field.catalogue"), "oscal-catalog.json",
        media_type=JSON,
    )  # fmt: skip
    name = text_of(about["title"], about["id"])
    body: Object = {
        "metadata": metadata(report, name, about["version"], *told, *excluded, *rules(report)),
        "imports": [
            {"href": f"#{source['uuid']}", "include-controls": [{"with-ids": [token(c) for c in chosen]}]}
        ],
        "merge": {"as-is": True},
        **({"modify": modify} if modify else {}),
        "back-matter": {"resources": [source]},
    }
    return {"uuid": _of_content("profile", body), **body}


def _changed(report: Report, context: Context) -> Iterator[Object]:
    for id_, values in report["profile"]["parameters_changed"].items():
        known = context.controls.get(id_)
        for name, value in values.items():
            parameter = known.parameters.get(name) if known else None
            texts = _value(value, parameter.spec if parameter else None)
            yield {"param-id": token(f"{id_}_{name}"), "values": texts}
