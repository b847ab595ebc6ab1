"""Papers before an audit: what controls ask of each kind, a skeleton to fill in, and what an entry lacks.

What is asked is read from the controls themselves, so that a control of an organisation's own is asked
for like any other. Nothing here reads a network: whether the document at an address is the registered
one is told by an audit.
"""

from __future__ import annotations

import errno
import hashlib
import json
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from cloudaudit.catalog import CONDITIONS, Catalogue
from cloudaudit.errors import CatalogError, RegisterError, Where, did_you_mean
from cloudaudit.facts.access import CUSTOMERS, REMOTE
from cloudaudit.facts.drills import DAYS, PLAN, SIZE
from cloudaudit.facts.papers import REQUIRED
from cloudaudit.facts.retention import POLICY, REQUEST
from cloudaudit.model import FactSpec, Resource, Seconds, Text, parse_duration
from cloudaudit.registers import PaperFile
from cloudaudit.wording import Lang, day, plain
from cloudaudit.yamlsource import loads, problems_of_schema, schema

PAPER: Final = "attestation"
UNPUBLISHED: Final = frozenset({REQUEST})
"""Kinds that count by their entry alone: nobody publishes them."""
_BY_FACTS: Final = (
    (REMOTE, frozenset({"source.declared"}), (), ("entries",)),
    (CUSTOMERS, frozenset({"access.declared"}), (), ("entries",)),
    (REQUEST, frozenset({"retention.until"}), ("issued_at",), ("systems",)),
    (POLICY, frozenset({"retention.period", "retention.lead_days"}), (), ("numbers", "systems")),
    (PLAN, frozenset({"projected_time"}), (f"numbers.{DAYS}", f"numbers.{SIZE}"), ()),
)
"""Kinds that derived facts read, the facts, fields and figures that they need, and fields that they take."""
_SCOPE: Final = frozenset({"systems", "sites"})
"""Fields by which papers are found: asked for wherever they are named."""


# --- what controls ask --------------------------------------------------------------------------------


@dataclass(slots=True)
class Wish:
    """What one control asks of papers of one kind. What only one of several ways asks for is not asked."""

    control: str
    fields: dict[str, None] = field(default_factory=dict)
    optional: dict[str, None] = field(default_factory=dict)
    """Fields that help without being asked."""
    headings: dict[str, None] = field(default_factory=dict)
    further: dict[str, None] = field(default_factory=dict)
    """Headings that help so."""
    figures: dict[str, None] = field(default_factory=dict)
    """Names under `numbers`."""
    services: dict[str, None] = field(default_factory=dict)
    languages: dict[str, None] = field(default_factory=dict)
    max_age: Seconds | None = None


def wishes(catalogue: Catalogue) -> Mapping[str, Sequence[Wish]]:
    """What the controls of a catalogue ask of papers, by kind; kinds and controls in order of name."""
    found: dict[str, dict[str, Wish]] = {}
    for id_ in sorted(catalogue.sources):
        raw = catalogue.sources[id_].document.value
        reader = _Reader(id_, raw.get("parameters", {}), found)
        for name in CONDITIONS:
            if name in raw:
                reader.read(raw[name], wanted=name == "check")
    return {kind: tuple(found[kind].values()) for kind in sorted(found)}


def asked_kinds(catalogue: Catalogue) -> frozenset[str]:
    """Kinds of papers and drills that a control asks for, outright or by a fact that reads them."""
    conditions = (
        source.document.value[name]
        for source in catalogue.sources.values()
        for name in CONDITIONS
        if name in source.document.value
    )
    return frozenset(wishes(catalogue)) | {kind for one in conditions for kind in _all_kinds(one)}


class _Reader:
    """Reads the conditions of one control for what they ask of papers."""

    def __init__(
        self, control: str, parameters: Mapping[str, Any], found: dict[str, dict[str, Wish]]
    ) -> None:
        self._control = control
        self._parameters = parameters
        self._found = found

    def _wish(self, kind: str) -> Wish:
        return self._found.setdefault(kind, {}).setdefault(self._control, Wish(self._control))

    def read(self, node: Any, *, wanted: bool, sure: bool = True) -> None:
        """Look for papers in a condition; what is said of them is `wanted` in the check alone.

        It is `sure` unless the condition can be met without it.
        """
        if isinstance(node, list):
            for part in node:
                self.read(part, wanted=wanted, sure=sure)
            return
        if not isinstance(node, Mapping):
            return
        if node.get("related") == PAPER:
            parts = [node[key] for key in ("where", "any", "all") if key in node]
            kinds = next(filter(None, map(_kinds_of, _flat([node.get("where", {})]))), ())
            # A heading that tells papers of several kinds apart is asked of none of them.
            choosing = len(kinds) > 1
            for part in parts:
                named = kinds or tuple(dict.fromkeys(_all_kinds(parts)))
                self._paper(part, named, wanted, sure and not (choosing and part is node.get("where")))
        for kind, facts, asked, helpful in _BY_FACTS:
            if node.get("fact") in facts:
                figures = [name for name in asked if name.startswith("numbers.")]
                self._wish(kind).fields |= dict.fromkeys(name for name in asked if name not in figures)
                self._wish(kind).figures |= dict.fromkeys(name.removeprefix("numbers.") for name in figures)
                self._wish(kind).optional |= dict.fromkeys(helpful)
        for key, part in node.items():
            self.read(part, wanted=wanted and key != "not", sure=sure and key != "any_of")

    def _paper(self, node: Mapping[str, Any], kinds: tuple[str, ...], wanted: bool, sure: bool) -> None:
        """Note what a condition on a paper asks."""
        for kind in kinds:
            self._wish(kind)
        if "any_of" in node:
            parts = node["any_of"]
            # Where each way is for kinds of its own, it is the only one for them.
            apart = all(any(map(_kinds_of, _flat([part]))) for part in parts)
            for part in parts:
                self._paper(part, kinds, wanted, sure and apart)
        elif "all_of" in node:
            flat = [*_flat(node["all_of"])]
            kinds = next(filter(None, map(_kinds_of, flat)), kinds)
            for part in flat:
                self._paper(part, kinds, wanted, sure)
        elif "fact" in node and wanted:
            for kind in kinds:
                self._note(self._wish(kind), node, sure)

    def _note(self, wish: Wish, node: Mapping[str, Any], sure: bool) -> None:
        name, _, key = str(node["fact"]).partition(".")
        operator, operand = next((k, v) for k, v in node.items() if k not in ("fact", "if_null"))
        given = self._texts(operand)
        match name:
            case "kind" | "state":
                pass
            case "headings":
                (wish.headings if sure and operator != "contains_any" else wish.further).update(given)
            case _ if operator == "is_null" and operand is True:
                pass
            case _ if not sure and name not in _SCOPE:
                wish.optional[name] = None
            case "numbers":
                wish.figures[key] = None
            case "language":
                wish.languages.update(given)
            case "age":
                wish.fields["issued_at"] = None
                if operator == "at_most" and given:
                    wish.max_age = min(map(parse_duration, given))
            case _:
                if name == "services":
                    wish.services.update(given)
                wish.fields[name] = None

    def _texts(self, operand: Any) -> dict[str, None]:
        """The texts of an operand; none where it is a fact of something else."""
        if isinstance(operand, Mapping):
            operand = self._parameters.get(str(operand.get("param")), {}).get("default", ())
        texts = operand if isinstance(operand, list) else [operand]
        return dict.fromkeys(text for text in texts if isinstance(text, str))


def _flat(parts: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for part in parts:
        if "all_of" in part:
            yield from _flat(part["all_of"])
        else:
            yield part


def _kinds_of(node: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds that a condition names outright."""
    if node.get("fact") != "kind":
        return ()
    return (
        tuple(node["in"]) if isinstance(node.get("in"), list) else tuple(filter(None, [node.get("equals")]))
    )


def _all_kinds(node: Any) -> Iterator[str]:
    """Every kind that is named anywhere in a condition."""
    if isinstance(node, Mapping):
        yield from _kinds_of(node)
    if isinstance(node, Mapping | list):
        for part in node.values() if isinstance(node, Mapping) else node:
            yield from _all_kinds(part)


# --- a skeleton to fill in ----------------------------------------------------------------------------

_UNPUBLISHED: Final = ("owner", "title_vi", "issued_at", "valid_until")
_ALWAYS: Final = ("owner", "title_vi", "url", "sha256", "issued_at", "valid_until", "approver", "reviewer")
_ORDER: Final = (
    "owner", "title_vi", "url", "file", "sha256", "issued_at", "valid_until", "approver", "reviewer",
    "language", "receipt", "systems", "sites", "services", "regions", "headings", "numbers", "entries",
    "circuits", "open_criticals", "conclusion", "supersedes",
)  # fmt: skip
_PATTERNS: Final[Mapping[str, str]] = {
    "url": "https://…", "issued_at": "YYYY-MM-DD", "valid_until": "YYYY-MM-DD", "open_criticals": "0",
    "conclusion": "positive", "systems": "[…]", "sites": "[…]", "regions": "[…]", "services": "[…]",
    "headings": "[…]",
    "entries": "[{what: …, site: …, country: VN}]",
    "circuits": "[{id: …, carrier: …, accepted: true}]",
    "numbers": "{personal_basic_days: 730, core_days: permanent}",
}  # fmt: skip
_SKELETON: Final[Mapping[str, Text]] = {
    "kind": Text("Hồ sơ loại {kind}", "Paper of kind {kind}"),
    "how": Text(
        "Bỏ dấu # ở dòng cần điền, rồi chạy: cloudaudit attest check TỆP",
        "Take the # from the lines to fill in, then: cloudaudit attest check FILE",
    ),
    "asked": Text("bắt buộc", "asked for"),
    "headings": Text(
        "chỉ ghi đề mục mà người rà soát đã thấy trong hồ sơ",
        "only those a reviewer has found in the paper",
    ),
    "further": Text("có thể thêm: {names}", "may be added: {names}"),
}


def kind_of(name: str, known: Mapping[str, Sequence[Wish]]) -> Sequence[Wish]:
    """What is asked of a kind. CatalogError for one that no control asks for."""
    if name not in known:
        hint = did_you_mean(name, known) or f"kinds are {', '.join(known)}"
        raise CatalogError(f"no control asks for the kind '{plain(name, 80)}'", hint=hint)
    return known[name]


def digest_of(path: Path) -> str:
    """The SHA-256 of a local file, as registers write it. OSError for what is none, a device among it."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def skeleton(kind: str, given: Mapping[str, Any], catalogue: Catalogue, lang: Lang) -> str:
    """A register with one entry of a kind: what is given, and commented lines for what is not.

    `given` takes fields of the entry, `id` among them; a value that the register's schema refuses is a
    RegisterError. Comments are in both languages, that of `lang` first.
    """
    asked = kind_of(kind, wishes(catalogue))
    lines = [f"# {text}" for text in _in_both("kind", lang, kind=kind)]
    for wish in asked:
        title = catalogue.control(wish.control).title
        lines += [f"# {wish.control}: {text}" for text in _ordered(title, lang)]
    lines += [f"# {text}" for text in _in_both("how", lang)]
    lines += ["version: 1", "attestations:", f"  - id: {_scalar(given['id'])}", f"    kind: {kind}"]
    specs = catalogue.types[PAPER].facts
    published = kind not in UNPUBLISHED
    wanted = {name for wish in asked for name in wish.fields} | set(REQUIRED if published else ())
    for name, part in _PARTS.items():
        if any(getattr(wish, part) for wish in asked):
            wanted.add(name)
    shown = wanted | set(_ALWAYS if published else _UNPUBLISHED)
    shown |= {name for wish in asked for name in wish.optional}
    shown |= {"headings" for wish in asked if wish.further}
    for name in _ORDER:
        if name in shown or name in given:
            lines += _lines(name, given, asked, specs[name], name in wanted, lang)
    text = "\n".join(lines) + "\n"
    # What a terminal gave that is no UTF-8 is refused like any other text of a register.
    document = loads(text.encode(errors="surrogateescape"), "-")
    if problems := problems_of_schema(document, schema("attestations")):
        raise RegisterError.of(problems)
    return text


_PARTS: Final = {
    "headings": "headings", "language": "languages", "numbers": "figures", "services": "services"
}  # fmt: skip
"""Fields whose single items are asked for, with the part of a wish that names them."""


def _lines(
    name: str, given: Mapping[str, Any], asked: Sequence[Wish], spec: FactSpec, wanted: bool, lang: Lang
) -> Iterator[str]:
    """What a field means, and the field: as given, or commented with what is asked of it."""
    meaning = " / ".join(_ordered(spec.meaning, lang))
    note = f" ({_inline('asked', lang)})" if wanted else ""
    yield f"    # {meaning}{note}"
    names = dict.fromkeys(item for wish in asked for item in getattr(wish, _PARTS.get(name, ""), ()))
    further = [item for wish in asked for item in wish.further if item not in names]
    if name == "headings":
        yield f"    # {_inline('headings', lang)}"
        if further:
            yield f"    # {_inline('further', lang, names=', '.join(dict.fromkeys(further)))}"
    if name in given:
        yield f"    {name}: {_scalar(given[name])}"
    elif name == "numbers":
        figures = ", ".join(f"{item}: …" for item in names)
        yield f"    # numbers: {'{' + figures + '}' if figures else _PATTERNS[name]}"
    elif names:
        # What does not begin with a letter, YAML may read as a number.
        items = (item if item[:1].isalpha() else _scalar(item) for item in names)
        yield f"    # {name}: [{', '.join(items)}]"
    else:
        yield f"    # {name}: {_PATTERNS.get(name, '…')}"


def _ordered(text: Text, lang: Lang) -> tuple[str, str]:
    return (text.vi, text.en) if lang == "vi" else (text.en, text.vi)


def _in_both(key: str, lang: Lang, **filled: str) -> tuple[str, str]:
    text = _SKELETON[key]
    return _ordered(Text(text.vi.format(**filled), text.en.format(**filled)), lang)


def _inline(key: str, lang: Lang, **filled: str) -> str:
    return " / ".join(_in_both(key, lang, **filled))


def _scalar(value: Any) -> str:
    """A value as YAML: dates and ids as they are, other texts in quotes."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_scalar, value))}]"
    return json.dumps(str(value), ensure_ascii=False)


# --- what an entry lacks ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a paper. A serious one keeps it from counting as it stands."""

    code: str
    text: Text
    serious: bool
    where: Where


@dataclass(frozen=True, slots=True)
class Examined:
    """An entry of the register, the controls its kind serves, and what is to be said of it."""

    id: str
    kind: str
    where: Where
    controls: tuple[str, ...]
    remarks: tuple[Remark, ...]

    @property
    def stands(self) -> bool:
        return not any(remark.serious for remark in self.remarks)


_SERIOUS: Final[Mapping[str, Text]] = {
    "lapsed": Text("hết hiệu lực sau {day}", "lapsed after {day}"),
    "not_yet": Text(
        "ngày ban hành {day} ở tương lai: chưa có hiệu lực",
        "issued on {day}, in the future: not yet in force",
    ),
    "incomplete": Text("thiếu {names}: chưa được tính là hồ sơ", "lacks {names}: it does not count yet"),
    "tampered": Text(
        "tệp {file} có mã băm {found}, khác mã đã đăng ký",
        "the file {file} has the hash {found}, not the registered one",
    ),
    "unreadable": Text("không đọc được tệp {file}: {error}", "the file {file} cannot be read: {error}"),
    "out_of_scope": Text("'{id}' không có trong {register}.yaml", "there is no '{id}' in {register}.yaml"),
    "misspelt": Text(
        "không biện pháp kiểm soát nào cần loại '{kind}'; {hint}",
        "no control asks for the kind '{kind}'; {hint}",
    ),
    "too_old": Text("cũ hơn thời hạn {control} yêu cầu", "older than {control} allows"),
    "lacking": Text("{control} còn cần: {names}", "{control} also asks for: {names}"),
}
_LIGHT: Final[Mapping[str, Text]] = {
    "unknown_kind": Text(
        "không biện pháp kiểm soát nào cần loại '{kind}'", "no control asks for the kind '{kind}'"
    ),
    "unapproved": Text("chưa ghi cấp phê duyệt (approver)", "no approver is given"),
    "unreviewed": Text("chưa ghi người rà soát (reviewer)", "no reviewer is given"),
    "insecure": Text("địa chỉ công bố không dùng https", "its address is not https"),
}


def examine(
    file: PaperFile, asked: Mapping[str, Sequence[Wish]], at: Seconds, folder: Path
) -> Sequence[Examined]:
    """Say of every paper whether it stands at a moment; local copies are looked for from `folder` on."""
    return [
        Examined(
            paper.id,
            str(paper.facts["kind"]),
            file.where_of(number),
            tuple(wish.control for wish in asked.get(str(paper.facts["kind"]), ())),
            tuple(_Examiner(file, number, asked, at, folder).remarks(paper)),
        )
        for number, paper in enumerate(file.papers)
    ]


def _day(moment: Seconds) -> Text:
    return Text(day(moment, "vi"), day(moment, "en"))


@dataclass(frozen=True, slots=True)
class _Examiner:
    """Looks at one paper."""

    file: PaperFile
    number: int
    asked: Mapping[str, Sequence[Wish]]
    at: Seconds
    folder: Path

    def _remark(self, code: str, field: str = "id", /, **filled: object) -> Remark:
        """A remark with its braces filled: with a Text, or the same in both languages."""
        serious = code in _SERIOUS
        text = (_SERIOUS if serious else _LIGHT)[code]

        def told(lang: Lang) -> dict[str, str]:
            return {
                name: plain(getattr(value, lang) if isinstance(value, Text) else str(value))
                for name, value in filled.items()
            }

        text = Text(text.vi.format(**told("vi")), text.en.format(**told("en")))
        return Remark(code, text, serious, self.file.where_of(self.number, field))

    def remarks(self, paper: Resource) -> Iterator[Remark]:
        yield from self._of_kind(paper)
        yield from self._of_dates(paper)
        yield from self._of_address(paper)
        for one in self.file.strangers:
            if one.paper == paper.id:
                yield replace(self._remark("out_of_scope", id=one.id, register=one.register), where=one.where)
        yield from self._of_positions(paper)
        for wish in self.asked.get(str(paper.facts["kind"]), ()):
            yield from self._of_wish(paper, wish)

    def _of_kind(self, paper: Resource) -> Iterator[Remark]:
        kind = str(paper.facts["kind"])
        if kind not in self.asked:
            hint = did_you_mean(kind, self.asked)
            code = "misspelt" if hint else "unknown_kind"
            yield self._remark(code, "kind", kind=kind, hint=hint)

    def _of_dates(self, paper: Resource) -> Iterator[Remark]:
        issued, until = paper.facts["issued_at"], paper.facts["valid_until"]
        if isinstance(until, int) and until <= self.at:
            yield self._remark("lapsed", "valid_until", day=_day(until))
        if isinstance(issued, int) and issued > self.at:
            yield self._remark("not_yet", "issued_at", day=_day(issued))

    def _of_address(self, paper: Resource) -> Iterator[Remark]:
        if paper.facts["kind"] not in UNPUBLISHED and (
            lacking := [name for name in REQUIRED if paper.facts[name] is None]
        ):
            yield self._remark("incomplete", names=", ".join(lacking))
        url, copy, sha256 = (paper.facts[name] for name in ("url", "file", "sha256"))
        if url is not None and not str(url).startswith("https://"):
            yield self._remark("insecure", "url")
        if copy is not None and sha256 is not None:
            try:
                found = digest_of(self.folder / str(copy))
            except (OSError, ValueError) as wrong:
                error = getattr(wrong, "strerror", None) or str(wrong)
                yield self._remark("unreadable", "file", file=copy, error=error)
            else:
                if found != sha256:
                    yield self._remark("tampered", "sha256", file=copy, found=found)

    def _of_positions(self, paper: Resource) -> Iterator[Remark]:
        for name, code in (("approver", "unapproved"), ("reviewer", "unreviewed")):
            if paper.facts[name] is None and paper.facts["kind"] not in UNPUBLISHED:
                yield self._remark(code)

    def _of_wish(self, paper: Resource, wish: Wish) -> Iterator[Remark]:
        facts = paper.facts
        issued = facts["issued_at"]
        if wish.max_age is not None and isinstance(issued, int) and self.at - issued > wish.max_age:
            yield self._remark("too_old", "issued_at", control=wish.control)
        lacking = [name for name in wish.fields if name not in REQUIRED and facts.get(name) in (None, ())]
        for name, part in _PARTS.items():
            given = facts[name]
            has = given if isinstance(given, tuple | Mapping) else ()
            lacking += [f"{name}.{item}" for item in getattr(wish, part) if item not in has]
        if lacking:
            yield self._remark("lacking", control=wish.control, names=", ".join(lacking))
