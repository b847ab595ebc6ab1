"""The report as one HTML file: Vietnamese with English beside it, for a minister and for an engineer.

The file loads nothing, runs only the script whose hash its own policy names, prints on A4, and
treats every name a cloud gave as hostile: cleaned first, escaped last, never marked as safe.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from cloudaudit import data, wording
from cloudaudit.model import (
    COMMON_FACTS,
    AtLeast,
    AtMost,
    FactSpec,
    FactType,
    Obligation,
    ResourceType,
    Text,
    Value,
    parse_time,
)
from cloudaudit.reporters import Context, charts, view
from cloudaudit.reporters.document import Picture
from cloudaudit.reporters.places import REGISTERS, places
from cloudaudit.reporters.words import (
    MAX_NAME,
    clean,
    figure,
    interval,
    labels,
    moment,
    named,
    same,
    share,
    text_of,
)

MOST_FINDINGS: Final = 10_000
"""Findings shown in all; a browser opens no more with ease. The rest are counted, and are in report.json."""
MOST_ROWS: Final = 300
MAX_VALUE: Final = 400
SHORT_PRINT: Final = 12
_CAPTIONS: Final = {"system": "column.system", "site": "column.site", "print": "report.fingerprint"}
_THRESHOLDS: Final = {
    "score": "figure.lower",
    "weakest": "figure.weakest",
    "coverage": "figure.coverage",
    "collection": "figure.collection_coverage",
}


class HtmlReporter:
    """A single page that needs nothing else.

    `types` explains the facts of evidence; without it the shipped declarations are read.
    """

    media_type = "text/html"

    def render(self, report: Mapping[str, Any], context: Context) -> str:
        return _template().render(_Page(report, context, _Values(context.types)).variables())


# --- template -------------------------------------------------------------------------------------


@cache
def _template() -> Template:
    folder = data.folder("reports") / "templates"
    style = (folder / "report.css").read_text(encoding="utf-8") + _captions()
    script = (folder / "report.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finished,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["short"] = short
    environment.globals |= {
        "style": Markup(style),  # noqa: S704 - our own file, whose hash the page's policy names
        "script": Markup(script),  # noqa: S704 - likewise
        "style_hash": _hash(style),
        "script_hash": _hash(script),
        "L": labels(),
        "label_of": labels().of,
        "two": two,
        "below": below,
        "one": one,
        "slash": slash,
        "figure": figure,
        "interval": interval,
        "share": share,
        "moment": moment,
        "technical": technical_time,
        "text_of": text_of,
        "outcome_label": view.outcome_label,
        "symbol": view.SYMBOL,
        "WORST_FIRST": view.WORST_FIRST,
    }
    return environment.get_template("report.html.j2")


def _captions() -> str:
    """The style that names what stands in every finding: words there, twice, would be a tenth of the page."""
    rules = []
    for name, key in _CAPTIONS.items():
        label = labels()(key)
        for lang, text in (("both", slash(label)), ("vi", label.vi), ("en", label.en)):
            said = json.dumps(f"{text}: ", ensure_ascii=False)
            rules.append(f"#lang-{lang}:checked ~ * .of-{name}::before {{ content: {said}; }}\n")
    return "".join(rules)


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _finished(value: object) -> object:
    """What every expression of the template passes before it is escaped."""
    if value is None:
        return "–"
    return clean(value) if type(value) is str else value


_VI: Final = Markup('<span class="vi">')
_EN: Final = {
    kind: Markup('</span> <span class="{}" lang="en">').format(kind)
    for kind in ("en", "en below", "en alone")
}
_END: Final = Markup("</span>")


def short(value: str | None, limit: int) -> str | None:
    """A name a cloud gave, as long as its place allows."""
    return None if value is None else clean(value, limit)


def _pair(text: Text, limit: int, english: str) -> Markup:
    vi, en = clean(text.vi, limit), clean(text.en, limit)
    if vi == en:
        return escape(vi)
    return _VI + vi + _EN[english] + en + _END


def two(text: Text, limit: int = 1200) -> Markup:
    """Both languages in one line, English smaller."""
    return _pair(text, limit, "en")


def below(text: Text, limit: int = 1200) -> Markup:
    """Both languages, English in a line of its own."""
    return _pair(text, limit, "en below")


def one(text: Text, limit: int = 1200) -> Markup:
    """Figures, dates and signs: English only where English is read alone."""
    return _pair(text, limit, "en alone")


def slash(text: Text) -> str:
    """Both languages as plain text, for attributes, options and titles of drawings."""
    return text.vi if text.vi == text.en else f"{text.vi} / {text.en}"


@lru_cache(maxsize=4096)
def technical_time(at: str | None) -> str:
    """A time as evidence shows it: Vietnamese time, the year first in both languages."""
    return moment(at).en


def _drawn(picture: Picture | None) -> Markup | None:
    """A drawing as a part of the page."""
    return Markup(picture.draw("both")) if picture else None  # noqa: S704 - charts escapes what others named


# --- evidence ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Values:
    """Values of evidence in words, by the declared type of their fact."""

    types: Mapping[str, ResourceType]

    def spec(self, type_: str, fact: str) -> FactSpec | None:
        declared = self.types[type_].facts if type_ in self.types else {}
        found = declared.get(fact) or COMMON_FACTS.get(fact) or self._entry(declared, fact)
        return found and named(found)

    def _entry(self, declared: Mapping[str, FactSpec], fact: str) -> FactSpec | None:
        """Of `labels.owner`: what is declared of `labels`."""
        stem, _, key = fact.partition(".")
        return FactSpec(fact, FactType.STRING) if key and stem in declared else None

    def shown(self, value: Any, spec: FactSpec | None) -> Text:
        """A JSON value as people read it; the JSON itself where its type is not known."""
        match value:
            case {"$partial": list(items)}:
                seen = labels()("report.seen_in_part")
                known = self._list(items, spec.items if spec else None)
                return Text(f"{known.vi} ({seen.vi})", f"{known.en} ({seen.en})")
            case list() if spec is None or spec.type is not FactType.PORTS:
                return self._list(value, spec.items if spec else None)
            case None | bool() | str() | int() | float():
                return _in_words(_read(value, spec), spec)
            case _ if spec is not None:
                return _in_words(_read(value, spec), spec)
            case _:
                return same(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def _list(self, items: Sequence[Any], element: FactSpec | None) -> Text:
        if not items:
            return _in_words((), None)
        shown = [
            same(f"… (+{item['$more']})")
            if isinstance(item, Mapping) and "$more" in item
            else self.shown(item, element)
            for item in items
        ]
        return Text("; ".join(text.vi for text in shown), "; ".join(text.en for text in shown))


def _read(value: Any, spec: FactSpec | None) -> Value:
    """A JSON value as a value of a fact again: what `report_json.json_value` wrote."""
    match value:
        case {"$at_most": int() | float() as limit}:
            return AtMost(limit)
        case {"$at_least": int() | float() as limit}:
            return AtLeast(limit)
        case Mapping():
            fields = spec.fields if spec else {}
            return {str(key): _read(inner, fields.get(str(key))) for key, inner in value.items()}
        case list():
            return tuple(_read(item, spec.items if spec else None) for item in value)
        case str() if spec is not None and spec.type is FactType.TIME:
            try:
                return parse_time(value)
            except ValueError:
                return value
        case _:
            return value


def _in_words(value: Value, spec: FactSpec | None) -> Text:
    return Text(wording.shown(value, spec, "vi"), wording.shown(value, spec, "en"))


# --- the page ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Page:
    """Everything the template shows."""

    report: Mapping[str, Any]
    context: Context
    values: _Values

    def variables(self) -> dict[str, Any]:
        report, groups = self.report, view.groups(self.report)
        blocks, top = view.top(groups)
        map_ = places(report, self.context.declared("site"), self.context.findings)
        verdicts = {entry["id"]: entry["verdict"] for entry in report["controls"]}
        titles = {entry["id"]: text_of(entry["title"]) for entry in report["controls"]}
        until = view.waiver_ends(report)
        limit = view.fair_limit((len(group.findings) for group in groups), MOST_FINDINGS)
        return {
            "report": report,
            "readiness": report["readiness"],
            "profile": report["profile"],
            "lang": self.context.lang,
            "title": view.subject_title(report),
            "verdicts": verdicts,
            "counts": _counts(report),
            "gates": view.gate_count(report),
            "blocks": blocks,
            "top": [(group, view.message(group.findings[0])) for group in top],
            "map": map_,
            "drawing": _drawn(charts.places(map_, ())),
            "groups": (self._group(group, limit, until) for group in groups),
            "shown": {group.control["id"] for group in groups},
            "outcomes": _present(view.outcome(f) for group in groups for f in group.findings),
            "severities": _present(group.control["severity"] for group in groups),
            "dimensions": _present(group.control["dimension"] for group in groups),
            "unknowns": view.unknowns(report),
            "not_applicable": [(f, titles[f["control"]]) for f in view.not_applicable(report)],
            "waived": view.waived(report),
            "waivers": report.get("waivers", []),
            "lapsed": [(record, view.place(record)) for record in view.lapsed_papers(report)],
            "acts": list(_acts(report, self.context.obligations, verdicts)),
            "thresholds": list(_thresholds(report["profile"]["rules"]["thresholds"])),
            "weights": {id_: _percent(w) for id_, w in report["profile"]["rules"]["weights"].items()},
            "changed": list(self._changed()),
            "systems": [self._system(entry.facts, entry.id) for entry in self.context.declared("system")],
            "targets": [_target(target) for target in report["targets"]],
            "abilities": view.abilities(report),
            "gaps": [
                {**gap, "project": view.project(report, gap["project"])} for gap in report["gaps"][:MOST_ROWS]
            ],
            "hidden_gaps": max(0, len(report["gaps"]) - MOST_ROWS),
            "most_rows": MOST_ROWS,
        }

    # --- findings -----------------------------------------------------------------------------------

    def _group(self, group: view.Group, limit: int, until: Mapping[str, str]) -> dict[str, Any]:
        """A control with what belongs to it once, and its findings by outcome."""
        entry = group.control
        control = self.context.controls.get(entry["id"])
        chosen = group.findings[:limit]
        by_outcome: dict[str, list[Mapping[str, Any]]] = {}
        facts: dict[str, Text] = {}
        for record in chosen:
            by_outcome.setdefault(view.outcome(record), []).append(self._finding(record, facts, until))
        return {
            "control": entry,
            "gate": group.gate,
            "worst": group.worst,
            "counts": _in_order(group.counts),
            "text": control,
            "other_text": control is not None and control.digest != entry["sha256"],
            "obligations": [(id_, self.context.obligations.get(id_)) for id_ in entry["obligations"]],
            "outcomes": [
                (key, group.counts[key], by_outcome[key]) for key in view.WORST_FIRST if key in by_outcome
            ],
            "hidden": len(group.findings) - len(chosen),
            "facts": facts,
        }

    def _finding(
        self, record: Mapping[str, Any], facts: dict[str, Text], until: Mapping[str, str]
    ) -> dict[str, Any]:
        resource = record["resource"]
        scope = view.is_scope(record)
        project = view.project(self.report, resource["project"])
        place = "/".join(p for p in (resource["target"], resource["region"], project) if p)
        reason = record["reason_code"]
        own = f"{resource['type']}:{resource['id']}"
        return {
            "name": view.place(record),
            "message": view.message(record),
            "type": clean(resource["type"], MAX_NAME),
            "id": clean(resource["id"], MAX_NAME),
            "scope": None if scope or resource["target"] == REGISTERS else clean(place, MAX_NAME),
            "system": clean(resource["system"], MAX_NAME) if resource["system"] else None,
            "site": clean(resource["site"], MAX_NAME) if resource["site"] else None,
            "reason": labels().of("reason", reason) if reason and not scope else None,
            "detail": record["detail"],
            "evidence": [self._evidence(entry, own, facts) for entry in record["evidence"]],
            "waiver": record["waiver"],
            "until": until.get(record["waiver"]),
            "refused": text_of(record["refused_waiver"]) if record["refused_waiver"] else None,
            "print": record["fingerprint"][:SHORT_PRINT],
        }

    def _evidence(self, entry: Mapping[str, Any], own: str, facts: dict[str, Text]) -> tuple[Any, ...]:
        """Fact, value, source with time; and the resource where it is another one."""
        type_ = entry["resource"].partition(":")[0]
        spec = self.values.spec(type_, entry["fact"])
        if spec is not None and spec.meaning.vi:
            facts.setdefault(entry["fact"], spec.meaning)
        if "missing" in entry:
            reason = labels().of("reason", entry["missing"])
            unknown = labels()("word.unknown")
            value = Text(f"{unknown.vi} ({reason.vi})", f"{unknown.en} ({reason.en})")
        else:
            value = self.values.shown(entry["value"], spec)
        source = entry["source"]
        if entry["at"] is not None:
            source += f" · {technical_time(entry['at'])}"
        other = None if entry["resource"] == own else clean(entry["resource"], MAX_NAME)
        return entry["fact"], value, source, other

    # --- method -------------------------------------------------------------------------------------

    def _changed(self) -> Iterator[tuple[str, str, Text | None, Text]]:
        """Parameters the profile sets: control, name, default where it is known, value in force."""
        for id_, given in self.report["profile"]["parameters_changed"].items():
            control = self.context.controls.get(id_)
            for name, value in given.items():
                parameter = control.parameters.get(name) if control else None
                spec = parameter.spec if parameter else None
                default = _in_words(parameter.default, spec) if parameter else None
                yield id_, name, default, self.values.shown(value, spec)

    def _system(self, facts: Mapping[str, object], id_: str) -> dict[str, Any]:
        def duration(name: str) -> Text | None:
            seconds = facts.get(name)
            if not isinstance(seconds, int):
                return None
            return Text(wording.duration(seconds, "vi"), wording.duration(seconds, "en"))

        classes = facts.get("data_classes")
        found = [labels().of("data_class", c) for c in classes] if isinstance(classes, tuple) else []
        return {
            "id": id_,
            "title": str(facts.get("title") or id_),
            "agency": facts.get("owner_agency"),
            "operator": facts.get("operator"),
            "level": facts.get("security_level"),
            "criticality": labels().of("criticality", facts.get("criticality") or "–"),
            "classes": Text("; ".join(c.vi for c in found) or "–", "; ".join(c.en for c in found) or "–"),
            "rpo": duration("rpo"),
            "rto": duration("rto"),
        }


def _counts(report: Mapping[str, Any]) -> list[tuple[str, int]]:
    """How many controls came to each verdict."""
    counts: dict[str, int] = {}
    for entry in report["controls"]:
        counts[entry["verdict"]] = counts.get(entry["verdict"], 0) + 1
    return _in_order(counts)


def _in_order(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(key, counts[key]) for key in view.WORST_FIRST if counts.get(key)]


def _present(values: Iterator[str]) -> list[str]:
    """Each value once, worst first where it is an outcome."""
    return sorted(set(values), key=lambda value: (view.RANK.get(value, 0), value))


def _percent(weight: str) -> Text:
    share_ = Fraction(weight) * 100
    whole = share_.denominator == 1
    return Text(f"{share_.numerator} %", f"{share_.numerator}%") if whole else figure(float(share_), "%")


def _thresholds(
    rules: Mapping[str, Mapping[str, str]],
) -> Iterator[tuple[Text, Text, list[tuple[Text, str]]]]:
    """What each level asks for: 0 and 1 the figures to get past them, the others those to get there."""
    words = labels()
    for level, limits in rules.items():
        named = [
            (words(_THRESHOLDS[n]) if n in _THRESHOLDS else same(n), least) for n, least in limits.items()
        ]
        key = "report.threshold_below" if level in ("0", "1") else "report.threshold_of"
        yield words(key, level=level), words.of("level", level), named


def _target(target: Mapping[str, Any]) -> dict[str, Any]:
    """A target with what else targets.yaml told of it, in words."""
    more = []
    for key, value in target.items():
        if key not in (
            "name",
            "kind",
            "vantage",
            "verify",
            "credential",
            "proxy",
            "allow_http",
            "clock_skew",
        ):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            more.append((key, clean(shown, MAX_VALUE)))
    return {
        "name": target["name"],
        "kind": target["kind"],
        "vantage": target.get("vantage"),
        "unverified": target.get("verify") is False,
        "notes": [key for key in ("proxy", "allow_http") if target.get(key)],
        "skew": target.get("clock_skew"),
        "credential": _credential(target["credential"]) if "credential" in target else None,
        "more": more,
    }


def _credential(credential: Mapping[str, Any]) -> dict[str, Any]:
    """With what kind of credential a target was read, and what roles it turned out to have."""
    words = labels()
    roles = [
        (words.of("token_scope", scope), clean(", ".join(map(str, names)), MAX_VALUE))
        for scope, names in credential["roles"].items()
    ]
    return {
        "kind": clean(str(credential["auth_type"]), MAX_VALUE),
        "scope": words.of("token_scope", credential["scope"]),
        "roles": roles,
        "overrides": clean(", ".join(map(str, credential.get("overrides", ()))), MAX_VALUE),
    }


# --- obligations --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Traced:
    """One obligation with the controls related to it, and in words how many came to each verdict."""

    id: str
    obligation: Obligation | None
    controls: tuple[str, ...]
    results: tuple[tuple[str, Text], ...]


def _acts(
    report: Mapping[str, Any], known: Mapping[str, Obligation], verdicts: Mapping[str, str]
) -> Iterator[tuple[str | None, list[_Traced]]]:
    """Obligations that the report's controls serve, by act; those of no known act last."""
    served: dict[str, list[str]] = {}
    for entry in report["controls"]:
        for id_ in entry["obligations"]:
            served.setdefault(id_, []).append(entry["id"])
    by_act: dict[str | None, list[_Traced]] = {}
    for id_, controls in sorted(served.items()):
        found = known.get(id_)
        counts = Counter(verdicts[c] for c in controls)
        results = tuple((key, _told(key, counts[key])) for key in _present(iter(counts)))
        by_act.setdefault(found.source if found else None, []).append(
            _Traced(id_, found, tuple(controls), results)
        )
    yield from sorted(by_act.items(), key=lambda act: (act[0] is None, act[1][0].id))


def _told(verdict: str, count: int) -> Text:
    label = view.outcome_label(verdict)
    lowered = Text(*(text[:1].lower() + text[1:] for text in (label.vi, label.en)))
    return labels()("report.related_count", count=count, verdict=lowered)
