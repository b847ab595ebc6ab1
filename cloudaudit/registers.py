"""Read the registers an organisation keeps: its sites, systems, papers, drills, waivers and plans.

What is declared becomes resources with facts, like what is observed, and every entry keeps its line.
A register that is not there is a gap, never an empty list. Nothing here knows the time: whether a
paper or a waiver is still in date is judged later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from cloudaudit.errors import Problem, RegisterError, SourceError, Where, did_you_mean
from cloudaudit.model import VIETNAM, Gap, Listing, Reason, Resource, Scope, Seconds, Value
from cloudaudit.operators import glob_match
from cloudaudit.yamlsource import (
    Document,
    Pointer,
    address_of,
    duration_of,
    excerpt,
    moment_of,
    problems_of_schema,
    schema,
)
from cloudaudit.yamlsource import load as load_yaml

SCOPE: Final = Scope("registers")
"""Where declared resources are from, in place of a target."""

TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sites": "site",
        "systems": "system",
        "backup_targets": "backup_target",
        "attestations": "attestation",
        "drills": "drill",
        "landing_profile": "landing_profile",
    }
)
"""Type of the resources of each register that controls read."""

KINDS: Final = (*TYPES, "waivers", "plans")
"""Every register; its file is named like it, with `.yaml`."""

MONTHS_OF_A_WAIVER: Final = 12


@dataclass(frozen=True, slots=True)
class Waiver:
    """A decision to live with findings of one control for a time. The verdict stays what it is."""

    id: str
    control: str
    resource: str | None
    """Pattern with `*` and `?` for the id or name of a resource; None: any of the system."""
    system: str | None
    reason: str
    compensating: str
    approver: str
    authority: str
    """`competent` (cấp có thẩm quyền), or `internal`."""
    starts: Seconds
    until: Seconds
    where: Where

    def covers(self, resource_id: str, name: str, system: str | None) -> bool:
        """Tell whether a resource, belonging to this system or to none, is meant."""
        return _covers(self.resource, self.system, resource_id, name, system)


@dataclass(frozen=True, slots=True)
class Plan:
    """A dated measure against open findings of one control, and the position that answers for it."""

    control: str
    resource: str | None
    system: str | None
    measure: str
    owner: str
    due: Seconds
    where: Where

    def covers(self, resource_id: str, name: str, system: str | None) -> bool:
        """Tell whether a resource is meant; a plan that names neither resource nor system means all."""
        return _covers(self.resource, self.system, resource_id, name, system)


def _covers(pattern: str | None, wanted: str | None, resource_id: str, name: str, system: str | None) -> bool:
    if wanted is not None and wanted != system:
        return False
    return pattern is None or glob_match(pattern, resource_id) or glob_match(pattern, name)


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """A register that was read: its kind, file name, and the SHA-256 of its bytes."""

    kind: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Registers:
    """All registers of one subject."""

    by_type: Mapping[str, tuple[Resource, ...]]
    """Declared resources; every type of TYPES is a key. Facts are as declared; `at` is 0."""
    missing: tuple[Gap, ...]
    """A gap for each type whose register was not given."""
    listings: tuple[Listing, ...]
    """Proof of completeness for each type whose register was."""
    waivers: tuple[Waiver, ...]
    plans: tuple[Plan, ...]
    files: tuple[RegisterFile, ...]
    _documents: Mapping[str, Document] = field(repr=False)
    _places: Mapping[tuple[str, str], Where] = field(repr=False)

    def resources(self, type_: str) -> tuple[Resource, ...]:
        """Declared resources of one type, in the order of the file."""
        return self.by_type[type_]

    def where_of(self, resource: Resource) -> Where:
        """Tell where a declared resource is written."""
        return self._places[resource.type, resource.id]


def load(folder: Path | None) -> Registers:
    """Read the registers in a folder; None means that none are kept. RegisterError tells every mistake."""
    documents, problems = _read(folder) if folder is not None else ({}, [])
    for kind, document in documents.items():
        problems += _misfits(kind, document)
    if not problems:
        for check in _CHECKS:
            problems += check(documents)
    if problems:
        raise RegisterError.of(problems)
    return Registers(
        {type_: _resources(kind, documents.get(kind)) for kind, type_ in TYPES.items()},
        tuple(_gap(kind) for kind in TYPES if kind not in documents),
        tuple(_listing(kind, documents[kind]) for kind in TYPES if kind in documents),
        tuple(_waivers(documents)),
        tuple(_plans(documents)),
        tuple(RegisterFile(k, f"{k}.yaml", documents[k].digest) for k in KINDS if k in documents),
        documents,
        {
            (TYPES[kind], entry["id"]): document.where(pointer)
            for kind, document in documents.items()
            if kind in TYPES
            for pointer, entry in _entries(kind, document)
        },
    )


@dataclass(frozen=True, slots=True)
class Stranger:
    """An id in a paper that its own register does not have."""

    paper: str
    id: str
    register: str
    """Kind of the register the id should stand in."""
    where: Where
    hint: str


@dataclass(frozen=True, slots=True)
class PaperFile:
    """A register of attestations that was read by itself."""

    papers: tuple[Resource, ...]
    strangers: tuple[Stranger, ...]
    """Ids that the registers beside it do not have; one that was not given cannot be checked against."""
    beside: tuple[str, ...]
    """Kinds of the other registers that were read for it."""
    _document: Document = field(repr=False)

    def where_of(self, number: int, field: str = "id") -> Where:
        """Tell where a field of the paper with this number is written, or else its entry."""
        return self._document.where(("attestations", number, field))


def load_papers(path: Path, beside: Path) -> PaperFile:
    """Read one register of attestations, under whatever name, against the registers in a folder beside it.

    RegisterError and SourceError tell every mistake. An id that another register does not have is none:
    it is for whoever asks to judge.
    """
    documents = {"attestations": load_yaml(path)}
    _check_papers(documents["attestations"])
    for kind in dict.fromkeys(wanted for kind, _, wanted in _REFERENCES if kind == "attestations"):
        if kind not in documents and (other := beside / f"{kind}.yaml").is_file():
            documents[kind] = load_yaml(other)
    problems = [problem for kind, document in documents.items() for problem in _misfits(kind, document)]
    if not problems:
        alone = {"attestations": documents["attestations"]}
        problems = [*_repeated(alone), *_other_country(documents), *_spans(alone)]
    if problems:
        raise RegisterError.of(problems)
    return PaperFile(
        _resources("attestations", documents["attestations"]),
        tuple(_strangers(documents)),
        tuple(kind for kind in documents if kind != "attestations"),
        documents["attestations"],
    )


def _check_papers(document: Document) -> None:
    """Refuse another register by its name: telling of each of its keys would not say what is wrong."""
    given = document.value if isinstance(document.value, Mapping) else {}
    other = next((kind for kind in KINDS if kind in given), "attestations")
    if other != "attestations":
        raise RegisterError(
            f"this is the register '{other}', and only one of papers (attestations) is read here",
            where=document.where((other,), key=True),
            hint="the other registers of a folder are checked by assess, run, plan and preflight",
        )


# --- files ----------------------------------------------------------------------------------------


def _read(folder: Path) -> tuple[dict[str, Document], list[Problem]]:
    if not folder.is_dir():
        raise RegisterError(
            "there is no such folder of registers",
            where=Where(str(folder)),
            hint=f"make it, with files such as {', '.join(f'{kind}.yaml' for kind in KINDS[:3])}",
        )
    documents: dict[str, Document] = {}
    problems: list[Problem] = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".yaml", ".yml"):
            continue
        kind = path.name.removesuffix(".yaml")
        if kind not in KINDS:
            known = [f"{name}.yaml" for name in KINDS]
            hint = did_you_mean(path.name, known) or f"registers are {', '.join(known)}"
            problems.append(Problem(Where(str(path)), "this is no register", hint))
            continue
        try:
            documents[kind] = load_yaml(path)
        except SourceError as error:
            problems += error.problems
    return {kind: documents[kind] for kind in KINDS if kind in documents}, problems


def _misfits(kind: str, document: Document) -> list[Problem]:
    if document.value is None:
        hint = f"write 'version: 1' and '{kind}:', or delete the file if the register is not kept"
        return [Problem(Where(document.name, 1, 1), "the file is empty", hint)]
    problems = problems_of_schema(document, schema(kind))
    return [_about_verdicts(problem) for problem in problems] if kind == "waivers" else problems


def _about_verdicts(problem: Problem) -> Problem:
    """Answer the wish to waive an unknown verdict, where a waiver tries to name one."""
    if problem.message not in ("unknown key 'verdict'", "unknown key 'verdicts'"):
        return problem
    return Problem(
        problem.where,
        "a waiver cannot choose verdicts",
        "it applies to fail and expired; unknown and manual_pending cannot be waived: remove the key",
    )


def _entries(kind: str, document: Document | None) -> Iterator[tuple[Pointer, Mapping[str, Any]]]:
    if document is None:
        return
    if kind == "landing_profile":
        yield (kind,), document.value[kind]
        return
    for number, entry in enumerate(document.value[kind]):
        yield (kind, number), entry


# --- entries to resources -------------------------------------------------------------------------


def _resources(kind: str, document: Document | None) -> tuple[Resource, ...]:
    shape = schema(kind)["$defs"]
    return tuple(_resource(TYPES[kind], entry, shape) for _, entry in _entries(kind, document))


def _resource(type_: str, entry: Mapping[str, Any], shapes: Mapping[str, Any]) -> Resource:
    facts = {
        name: _given(entry, name, shape, shapes)
        for name, shape in shapes["entry"]["properties"].items()
        if name not in ("id", "name")
    }
    name = entry.get("name") or entry.get("title") or entry.get("title_vi") or entry["id"]
    return Resource(type_, entry["id"], SCOPE, 0, facts, name)


def _given(entry: Mapping[str, Any], name: str, shape: Any, shapes: Mapping[str, Any]) -> Value:
    """Value of a field; one that is not written is empty if it is a list or map, else null or its default."""
    shape = _resolved(shape, shapes)
    if name in entry:
        return _value(entry[name], shape, shapes)
    match shape.get("type"):
        case "array":
            return ()
        case "object":
            return {}
        case _:
            return shape.get("default")


def _value(source: Any, shape: Mapping[str, Any], shapes: Mapping[str, Any]) -> Value:
    """Turn what is written into a value of a fact, as the schema it has passed describes it."""
    if reader := _READERS.get(shape.get("format", "")):
        return reader(source)
    match shape.get("type"):
        case "array":
            items = _resolved(shape["items"], shapes)
            return tuple(_value(item, items, shapes) for item in source)
        case "object" if "properties" in shape:
            return {name: _given(source, name, inner, shapes) for name, inner in shape["properties"].items()}
        case "object":
            return {name: _as_text(inner) for name, inner in source.items()}
        case list():
            return _as_text(source)
        case _:
            return source


_READERS: Final[Mapping[str, Callable[[str], Value]]] = {
    "duration": duration_of,
    "moment": moment_of,
    "last-moment": lambda text: moment_of(text, whole_day=True),
    "address": address_of,
}


def _resolved(shape: Mapping[str, Any], shapes: Mapping[str, Any]) -> Mapping[str, Any]:
    name = shape.get("$ref", "").removeprefix("#/$defs/")
    return {**shapes[name], **shape} if name else shape


def _as_text(value: object) -> str:
    """Write a figure as it was written: numbers are read as such only in their one usual form."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _gap(kind: str) -> Gap:
    file = f"{kind}.yaml"
    return Gap(SCOPE, TYPES[kind], file, Reason.REGISTER_MISSING, f"the register {file} was not given")


def _listing(kind: str, document: Document) -> Listing:
    count = sum(1 for _ in _entries(kind, document))
    return Listing(SCOPE, TYPES[kind], count, f"register {kind}.yaml, SHA-256 {document.digest}")


def _waivers(documents: Mapping[str, Document]) -> Iterator[Waiver]:
    for pointer, entry in _entries("waivers", documents.get("waivers")):
        yield Waiver(
            entry["id"],
            entry["control"],
            entry.get("resource"),
            entry.get("system"),
            entry["reason"],
            entry["compensating"],
            entry["approver"],
            entry["authority"],
            moment_of(entry["starts"]),
            moment_of(entry["until"], whole_day=True),
            documents["waivers"].where(pointer),
        )


def _plans(documents: Mapping[str, Document]) -> Iterator[Plan]:
    for pointer, entry in _entries("plans", documents.get("plans")):
        yield Plan(
            entry["control"],
            entry.get("resource"),
            entry.get("system"),
            entry["measure"],
            entry["owner"],
            moment_of(entry["due"], whole_day=True),
            documents["plans"].where(pointer),
        )


# --- checks across entries and registers ----------------------------------------------------------

_REFERENCES: Final = (
    # register, the way to ids in its entries ("*": every item), register the ids are of
    ("sites", ("attestation",), "attestations"),
    ("backup_targets", ("site",), "sites"),
    ("attestations", ("systems", "*"), "systems"),
    ("attestations", ("sites", "*"), "sites"),
    ("attestations", ("entries", "*", "site"), "sites"),
    ("attestations", ("supersedes",), "attestations"),
    ("drills", ("systems", "*"), "systems"),
    ("waivers", ("system",), "systems"),
    ("plans", ("system",), "systems"),
)

_REGIONS: Final = (
    ("sites", ("regions", "*")),
    ("systems", ("selectors", "*", "region")),
    ("attestations", ("regions", "*")),
)


def _found(
    documents: Mapping[str, Document], kind: str, way: Sequence[str]
) -> Iterator[tuple[Where, Mapping[str, Any], str]]:
    """Every text a way leads to in the entries of a register: where it stands, in which entry."""
    document = documents.get(kind)
    for start, entry in _entries(kind, document):
        ends: list[tuple[Pointer, Any]] = [(start, entry)]
        for step in way:
            if step == "*":
                ends = [((*at, n), item) for at, items in ends for n, item in enumerate(items)]
            else:
                ends = [((*at, step), value[step]) for at, value in ends if step in value]
        assert document is not None  # or there would be no entries
        for pointer, text in ends:
            yield document.where(pointer), entry, text


def _repeated(documents: Mapping[str, Document]) -> Iterator[Problem]:
    """Ids and plans that stand twice in a register."""
    for kind, document in documents.items():
        lines: dict[tuple[object, ...], Where] = {}
        for pointer, entry in _entries(kind, document):
            where = document.where((*pointer, "control" if kind == "plans" else "id"))
            names = ("control", "resource", "system") if kind == "plans" else ("id",)
            key = tuple(entry.get(name) for name in names)
            if key in lines:
                what = "this plan" if kind == "plans" else f"the id '{entry['id']}'"
                yield Problem(
                    where, f"{what} is already given at line {lines[key].line}", "keep one of the two"
                )
            lines.setdefault(key, where)


def _strangers(documents: Mapping[str, Document]) -> Iterator[Stranger]:
    """Ids in papers that the register they should stand in does not have."""
    for kind, way, wanted in _REFERENCES:
        if kind != "attestations" or wanted not in documents:
            continue
        known = _ids(documents, wanted)
        for where, entry, id_ in _found(documents, kind, way):
            if id_ not in known:
                yield Stranger(entry["id"], id_, wanted, where, did_you_mean(id_, known))


def _ids(documents: Mapping[str, Document], kind: str) -> set[str]:
    return {entry["id"] for _, entry in _entries(kind, documents[kind])}


def _dangling(documents: Mapping[str, Document]) -> Iterator[Problem]:
    """References to entries that do not exist. A register that was not given cannot be checked against."""
    for kind, way, wanted in _REFERENCES:
        if wanted not in documents:
            continue
        known = _ids(documents, wanted)
        for where, entry, id_ in _found(documents, kind, way):
            if id_ not in known:
                hint = did_you_mean(id_, known) or "add it there, or correct the id"
                yield Problem(where, f"there is no '{excerpt(id_)}' in {wanted}.yaml", hint)
            elif way == ("supersedes",) and id_ == entry["id"]:
                yield Problem(where, f"'{id_}' cannot replace itself", "name the earlier paper")


def _other_country(documents: Mapping[str, Document]) -> Iterator[Problem]:
    """Lines of papers that give a place another country than the register of sites does."""
    sites = {entry["id"]: entry.get("country") for _, entry in _entries("sites", documents.get("sites"))}
    document = documents.get("attestations")
    for pointer, paper in _entries("attestations", document):
        assert document is not None  # or there would be no entries
        for number, line in enumerate(paper.get("entries", ())):
            told, registered = line.get("country"), sites.get(line.get("site"))
            if None not in (told, registered) and told != registered:
                yield Problem(
                    document.where((*pointer, "entries", number, "country")),
                    f"site '{line['site']}' is in {registered} by sites.yaml, and here in {told}",
                    "correct one, or leave the country out here",
                )


def _same_selectors(documents: Mapping[str, Document]) -> Iterator[Problem]:
    """Selectors of two systems that are literally equal: what they fit would belong to both."""
    lines: dict[tuple[tuple[str, object], ...], tuple[str, Where]] = {}
    document = documents.get("systems")
    for pointer, system in _entries("systems", document):
        assert document is not None  # or there would be no entries
        for number, selector in enumerate(system.get("selectors", ())):
            where = document.where((*pointer, "selectors", number))
            key = tuple(sorted({"catch_all": False, **selector}.items()))
            if key in lines:
                other, line = lines[key]
                yield Problem(
                    where,
                    f"'{system['id']}' has the same selector as '{other}' at line {line.line}",
                    "what it fits would belong to two systems: make one of them narrower",
                )
            lines.setdefault(key, (system["id"], where))


def _spans(documents: Mapping[str, Document]) -> Iterator[Problem]:
    """Ends that come before their begin, and waivers that last too long."""
    for kind, first, last in (
        ("attestations", "issued_at", "valid_until"),
        ("drills", "date", "valid_until"),
        ("waivers", "starts", "until"),
    ):
        for where, entry, end in _found(documents, kind, (last,)):
            if first not in entry:
                continue
            if moment_of(end, whole_day=True) < moment_of(entry[first]):
                yield Problem(
                    where, f"'{last}' comes before '{first}', which is {entry[first]}", "correct one"
                )
            elif kind == "waivers" and _day(end) > (limit := _a_year_after(_day(entry[first]))):
                yield Problem(
                    where,
                    f"a waiver lasts at most {MONTHS_OF_A_WAIVER} months, here until {limit}; found {end}",
                    "shorten it, and decide again when it ends",
                )


def _day(text: str) -> date:
    return datetime.fromtimestamp(moment_of(text), VIETNAM).date()


def _a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, day=28)


_CHECKS: Final = (_repeated, _dangling, _other_country, _same_selectors, _spans)


# --- warnings that need more than the registers ---------------------------------------------------


def check_regions(registers: Registers, known_regions: Collection[str]) -> list[Problem]:
    """Warn of regions in registers that no target has; `known_regions` are those of a snapshot."""
    return [
        Problem(
            where,
            f"names region '{excerpt(region)}' that no target has",
            did_you_mean(region, known_regions) or f"regions: {', '.join(sorted(known_regions)) or 'none'}",
        )
        for kind, way in _REGIONS
        for where, _, region in _found(registers._documents, kind, way)
        if region not in known_regions
    ]


def check_controls(registers: Registers, known: Collection[str]) -> list[Problem]:
    """Refuse waivers and plans for controls that do not exist: nobody would miss what they were meant for."""
    return [
        Problem(where, f"there is no control '{excerpt(id_)}'", did_you_mean(id_, known))
        for register in ("waivers", "plans")
        for where, _, id_ in _found(registers._documents, register, ("control",))
        if id_ not in known
    ]


def check_drills(registers: Registers, at: Seconds) -> list[Problem]:
    """Warn of drills that are still to come at a moment: a control takes them for none at all."""
    return [
        Problem(
            registers.where_of(drill),
            f"the drill '{excerpt(drill.id)}' is dated {_day_of(date)}, after the assessment:"
            " it does not count yet",
            "correct its date, or register it when it was held",
        )
        for drill in registers.resources("drill")
        if isinstance(date := drill.facts["date"], int) and date > at
    ]


def check_waivers(registers: Registers, at: Seconds) -> list[Problem]:
    """Warn of waivers that do not hold at a moment: what they were for counts again, or counts still."""
    found = []
    for waiver in registers.waivers:
        named = f"the waiver '{excerpt(waiver.id)}'"
        if at >= waiver.until:
            what, hint = f"ended on {_day_of(waiver.until - 1)}", "decide again, or delete it"
        elif at < waiver.starts:
            what, hint = f"begins on {_day_of(waiver.starts)}", "correct its begin if it is wrong"
        else:
            continue
        found.append(Problem(waiver.where, f"{named} {what}: it waives nothing", hint))
    return found


def _day_of(moment: Seconds) -> str:
    return datetime.fromtimestamp(moment, VIETNAM).date().isoformat()


def check_kinds(registers: Registers, asked: Collection[str]) -> list[Problem]:
    """Warn of kinds of papers and drills that no control asks for: most are slips of the pen."""
    return [
        Problem(where, f"no control asks for the kind '{kind}'", did_you_mean(kind, asked))
        for register in ("attestations", "drills")
        for where, _, kind in _found(registers._documents, register, ("kind",))
        if kind not in asked
    ]


def check_claims(registers: Registers, observable: Collection[str]) -> list[Problem]:
    """Warn of metrics of claims that nearly are observable ones: misspelt, they would never be checked."""
    return [
        Problem(where, f"the metric '{metric}' cannot be compared with what is observed", hint)
        for where, _, metric in _found(registers._documents, "attestations", ("claims", "*", "metric"))
        if metric not in observable and (hint := did_you_mean(metric, observable))
    ]
