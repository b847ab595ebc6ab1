"""The report as one HTML file: Vietnamese with English beside it, for a minister and for an engineer.

The file loads nothing, runs only the script whose hash its own policy names, prints on A4, and
treats every name a cloud gave as hostile: cleaned first, escaped last, never marked as safe.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from cloudaudit import data
from cloudaudit.model import Text
from cloudaudit.reporters import Context, chapters, details, view, words
from cloudaudit.reporters.document import (
    Block,
    Cell,
    Document,
    Findings,
    Heading,
    Items,
    Pairs,
    Phrase,
    Picture,
    Section,
    Table,
)
from cloudaudit.reporters.spots import declared_at
from cloudaudit.reporters.values import Values
from cloudaudit.reporters.words import (
    MAX_NAME,
    clean,
    figure,
    interval,
    labels,
    moment,
    text_of,
)

MOST_FINDINGS: Final = 10_000
"""Findings shown in all; a browser opens no more with ease. The rest are counted, and are in report.json."""
MOST_OPEN: Final = 120
"""Rows of a table that stands open, and whose cells stand below each other on a narrow screen, each with its
column's name. A longer one is folded, and costs a browser nothing until it is wanted."""
SHORT_ITEM: Final = 20
"""Letters of an item, such as an id, that stays on one line."""
SHORT: Final = 48
"""Letters up to which English stands behind its Vietnamese and not below it."""
MOST_LETTERS: Final = 120
"""Of a line of a list on the cover."""
SHORT_PRINT: Final = 12
_CAPTIONS: Final = {"system": "column.system", "site": "column.site", "print": "report.fingerprint"}
_ON_COVER: Final = (
    "figure.level", "figure.gates", "figure.score", "figure.coverage", "figure.collection_coverage",
    "figure.weakest", "figure.assurance", "field.assessed_at", "field.subject",
)  # fmt: skip
"""Figures of the box on the cover."""
_REGISTERS: Final = "registers"


class HtmlReporter:
    """A single page that needs nothing else.

    `types` explains the facts of evidence; without it the shipped declarations are read.
    """

    media_type = "text/html"

    def render(self, report: Mapping[str, Any], context: Context) -> str:
        return page(chapters.document(report, context), context)


def page(document: Document, context: Context) -> str:
    """Set a document as a page."""
    return _template().render(_Page(document, context).variables())


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
        "cell": cell,
        "drawn": drawn,
        "kind": lambda block: type(block).__name__,
        "fitting": fitting,
        "widths": _widths,
        "MOST_OPEN": MOST_OPEN,
        "moment": moment,
        "text_of": text_of,
        "outcome_label": view.outcome_label,
        "symbol": view.SYMBOL,
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


def short(value: str | None, limit: int) -> str | None:
    """A name a cloud gave, as long as its place allows."""
    return None if value is None else clean(value, limit)


def _pair(text: Text, limit: int, english: str) -> Markup:
    vi, en = clean(text.vi, limit), clean(text.en, limit)
    if vi == en:
        return escape(vi)
    return Markup(  # noqa: S704 - both texts are escaped, and the rest is ours
        f'<span class="vi">{escape(vi)}</span> <span class="{english}" lang="en">{escape(en)}</span>'
    )


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


# --- blocks -----------------------------------------------------------------------------------------

_LETTERS: Final = re.compile(r"[^\W\d_]")


@lru_cache(maxsize=4096)
def fitting(text: Text) -> Markup:
    """Both languages as their length asks for; figures and dates in one."""
    if _LETTERS.search(text.vi) is None:
        return one(text)
    return two(text) if max(len(text.vi), len(text.en)) <= SHORT else below(text)


def cell(phrases: Cell, anchors: Mapping[str, str], kind: str = "text") -> Markup:
    """The lines of a cell. What leads to a control that the page shows is a link."""
    lines = [_phrase(phrase, anchors) for phrase in phrases]
    if kind == "flow":
        short_ = [len(phrase.text.vi) <= SHORT_ITEM for phrase in phrases]
        items = (
            f'<span class="item">{line}</span>' if one else line
            for one, line in zip(short_, lines, strict=True)
        )
        return Markup(", ".join(items))  # noqa: S704 - of phrases that are
    whole = lines[0] if len(lines) == 1 else "".join(f"<div>{line}</div>" for line in lines)
    return Markup(whole)  # noqa: S704 - of phrases that are


_STYLES: Final = {
    "plain": ("", ""),
    "strong": ("<b>", "</b>"),
    "muted": ('<span class="muted">', "</span>"),
    "code": ("<code>", "</code>"),
}
_BADGE: Final = Markup('<span class="v {}">{} {}</span>')
_SIGN: Final = Markup('<span class="s {}" role="img" aria-label="{}" data-vi="{}" data-en="{}">{}</span> {}')
_GATES: Final = frozenset({"open", "conditional", "indeterminate", "blocked", "out_of_scope"})


def _phrase(phrase: Phrase, anchors: Mapping[str, str]) -> str:
    """A phrase as a part of the page: escaped."""
    before, after = _STYLES[phrase.style]
    text = f"{before}{fitting(phrase.text)}{after}"
    anchor = anchors.get(phrase.to)
    if anchor:
        text = f'<a href="#{escape(anchor)}">{text}</a>'
    if not phrase.mark:
        return text
    said = Markup(text)  # noqa: S704 - as said above
    key, sign = phrase.mark, view.SYMBOL.get(phrase.mark, "·")
    label = labels().of("gate_state", key) if key in _GATES else view.outcome_label(key)
    if phrase.text in (label, labels().of("gates_state", key)):
        return _BADGE.format(key, sign, said)
    return _SIGN.format(key, slash(label), label.vi, label.en, sign, said)


def drawn(picture: Picture) -> Markup:
    """A drawing as a part of the page."""
    return Markup(picture.draw("both"))  # noqa: S704 - charts escapes what others named


# --- the page ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Page:
    """Everything the template shows."""

    document: Document
    context: Context
    values: Values = field(init=False)
    groups: dict[str, view.Group] = field(init=False)

    def __post_init__(self) -> None:
        self.values = Values(self.context.types)
        self.groups = {group.control["id"]: group for group in view.groups(self.document.report)}

    def variables(self) -> dict[str, Any]:
        document, report = self.document, self.document.report
        shared = self._shared()
        shown = [group for part in shared.values() for group in part]
        limit = view.fair_limit((len(group.findings) for group in shown), MOST_FINDINGS)
        until = view.waiver_ends(report)
        rows = self._rows()
        anchors = {anchor.removeprefix("r-"): anchor for anchor in rows.values()}
        anchors |= {group.control["id"]: f"c-{group.control['id']}" for group in shown}
        cover = next((section for section in document.sections if section.number == "0"), None)
        return {
            "document": document,
            "report": report,
            "short_title": view.short_title(report),
            "readiness": report["readiness"],
            "lang": self.context.lang,
            "gates": view.gate_count(report),
            "cover": self._beside_the_box(cover) if cover else (),
            "sections": [section for section in document.sections if section is not cover],
            "anchors": anchors,
            "rows": rows,
            "shared": shared,
            "group": lambda group: self._group(group, limit, until),
            "elsewhere": self._elsewhere,
            "outcomes": _present(view.outcome(f) for group in shown for f in group.findings),
            "severities": _present(group.control["severity"] for group in shown),
            "dimensions": _present(group.control["dimension"] for group in shown),
        }

    def _shared(self) -> dict[str, list[view.Group]]:
        """The controls each block of findings shows: every one once, at its first place. Those that no block
        of a whole report wants come last, under no block's id.
        """
        left = dict(self.groups)
        shared = {
            block.id: [left.pop(id_) for id_ in self.groups if id_ in block.controls and id_ in left]
            for section in self.document.sections
            for block in section.blocks
            if isinstance(block, Findings)
        }
        return shared | {"": list(left.values()) if self.document.form == "full" else []}

    def _elsewhere(self, block: Findings, shown: Sequence[view.Group]) -> list[str]:
        """The controls of a block that stand at an earlier place."""
        here = {group.control["id"] for group in shown}
        return [id_ for id_ in self.groups if id_ in block.controls and id_ not in here]

    def _rows(self) -> dict[tuple[str, int], str]:
        """Anchors of rows: of controls in the annex of controls, of obligations in that of clauses."""
        found: dict[str, tuple[str, int]] = {}
        for section, table in self.document.tables():
            for n, row in enumerate(table.rows if section.number in ("A", "C") else ()):
                first = row[0][0] if row and row[0] else Phrase(Text("", ""))
                if section.number == "A" and first.to:
                    found.setdefault(f"r-{first.to}", (table.id, n))
                elif section.number == "C" and first.text.vi in self.context.obligations:
                    found.setdefault(f"o-{first.text.vi}", (table.id, n))
        return {place: anchor for anchor, place in found.items()}

    def _beside_the_box(self, cover: Section) -> Iterator[Block]:
        """What the cover says, without what its box shows: the line of the level, and figures."""
        words = labels()
        boxed = {words(key) for key in _ON_COVER} | set(words.group("level_name").values())
        level = Heading(words("figure.level" if view.concludes(self.document.report) else "report.overall"))
        before: Block | None = None
        for block in cover.blocks:
            if isinstance(block, Items):
                yield Items(tuple(tuple(map(_brief, entry)) for entry in block.entries), block.numbered)
            elif isinstance(block, Pairs):
                yield Pairs(tuple(row for row in block.rows if row[0] not in boxed))
            elif level not in (block, before):
                yield block
            before = block

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
        project = view.project(self.document.report, resource["project"])
        place = "/".join(p for p in (resource["target"], resource["region"], project) if p)
        reason = record["reason_code"]
        own = f"{resource['type']}:{resource['id']}"
        return {
            "name": view.place(record),
            "message": view.message(record),
            "type": clean(resource["type"], MAX_NAME),
            "id": clean(resource["id"], MAX_NAME),
            "scope": None if scope or resource["target"] == _REGISTERS else self._where(record, place),
            "system": clean(resource["system"], MAX_NAME) if resource["system"] else None,
            "site": clean(resource["site"], MAX_NAME) if resource["site"] else None,
            "reason": labels().of("reason", reason) if reason and not scope else None,
            "detail": details.of(record),
            "evidence": [self._evidence(entry, own, facts) for entry in record["evidence"]],
            "waiver": record["waiver"],
            "until": until.get(record["waiver"]),
            "refused": text_of(record["refused_waiver"]) if record["refused_waiver"] else None,
            "print": record["fingerprint"][:SHORT_PRINT],
        }

    def _where(self, record: Mapping[str, Any], place: str) -> str:
        code = declared_at(record)
        return clean(place, MAX_NAME) + (f" · {code}" if code else "")

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


def _brief(phrase: Phrase) -> Phrase:
    """A line of the cover; what a finding says in full stands with the finding."""
    vi, en = clean(phrase.text.vi), clean(phrase.text.en)
    return replace(phrase, text=Text(words.short(vi, MOST_LETTERS), words.short(en, MOST_LETTERS)))


def _in_order(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(key, counts[key]) for key in view.WORST_FIRST if counts.get(key)]


def _present(values: Iterable[str]) -> list[str]:
    """Each value once, worst first where it is an outcome."""
    return sorted(set(values), key=lambda value: (view.RANK.get(value, 0), value))


def _widths(table: Table) -> list[int]:
    """The share of each column in per cent."""
    whole = sum(column.share for column in table.columns) or 1
    return [round(100 * column.share / whole) for column in table.columns]
