"""Load resource types, obligations, frameworks, controls and profiles; lint and resolve them.

Everything here is data that ships with cloudaudit or that an organisation keeps beside it. What is
wrong is refused with its place; nothing is judged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from cloudaudit import data
from cloudaudit.errors import CatalogError, CloudauditError, Problem, Where, did_you_mean
from cloudaudit.model import (
    COMMON_FACTS,
    DIMENSIONS,
    Basis,
    CallSpec,
    Control,
    Example,
    Excess,
    FactSpec,
    FactType,
    Gate,
    Limit,
    Method,
    Obligation,
    Parameter,
    Profile,
    Remediation,
    ResourceType,
    Severity,
    SourceState,
    Text,
    Value,
    Verdict,
)
from cloudaudit.operators import OPERATORS, glob_match, value_of
from cloudaudit.predicate import HEADS, Compiler
from cloudaudit.wording import placeholders
from cloudaudit.yamlsource import Document, load, loads, problems_of_schema
from cloudaudit.yamlsource import schema as read_schema

T = TypeVar("T")

CONDITIONS: Final = ("where", "not_applicable_when", "expired_when", "pending_when", "check")
PARAMETER_SOURCES: Final = ("proposed-default", "profile")


def schema_names() -> list[str]:
    """Every file users write or read that has a schema."""
    return sorted(p.name.removesuffix(".schema.json") for p in data.folder("schemas").glob("*.schema.json"))


def schema(name: str) -> Mapping[str, Any]:
    """The JSON Schema of a file users write, by name: control, profile, targets, sites…"""
    known = schema_names()
    if name not in known:
        hint = did_you_mean(name, known) or f"known: {', '.join(known)}"
        raise CatalogError(f"there is no schema '{name}'", hint=hint)
    return read_schema(name)


def _text(source: Mapping[str, Any]) -> Text:
    return Text(str(source["vi"]), str(source["en"]))


# --- resource types -------------------------------------------------------------------------------


class _Shelf(Mapping[str, T]):
    """Files of one folder by their names, each read when it is asked for.

    An audit reads a fifth of what ships, and the reading would be most of what a small one costs. What is
    wrong with a file is raised when it is wanted; linting wants all of them.
    """

    def __init__(self, paths: Iterable[Path], read: Callable[[Path], T]) -> None:
        self._paths = {path.stem: path for path in sorted(paths)}
        self._read = read
        self._found: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._found:
            self._found[name] = self._read(self._paths[name])
        return self._found[name]

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def load_types(folder: Path | None = None, root: Path | None = None) -> Mapping[str, ResourceType]:
    """Resource types by name: ours, each read when it is wanted, or all of a package's folder.

    `root` holds a copy of what shipped that is read in place of what is installed.
    """
    if folder is None:
        return _Shelf(data.folder("resources", root).glob("*.yaml"), _shipped_type)
    found = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        type_ = _type(load(path), problems)
        if type_ is not None:
            found[type_.name] = type_
    if problems:
        raise CatalogError.of(problems)
    return found


def _shipped_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as wrong:
        raise CatalogError(
            f"{path} cannot be read: {wrong.strerror}", hint="install cloudaudit again"
        ) from wrong


def _shipped_type(path: Path) -> ResourceType:
    return _type_of(path, _shipped_bytes(path))


# What ships is parsed once in a process, however many assessments it makes: keyed by content, so that a
# file that changes is another one. Nobody changes what is read.
@cache
def _type_of(path: Path, content: bytes) -> ResourceType:
    problems: list[Problem] = []
    type_ = _type(loads(content, str(path)), problems)
    if type_ is None or problems:
        raise CatalogError.of(problems)
    if type_.name != path.stem:
        raise CatalogError(f"resource type '{type_.name}' stands in {path.name}", where=Where(str(path)))
    return type_


def _type(document: Document, problems: list[Problem]) -> ResourceType | None:
    wrong = problems_of_schema(document, read_schema("resource"))
    problems += wrong
    return None if wrong else _resource_type(document.value, problems, document)


def _resource_type(source: Mapping[str, Any], problems: list[Problem], document: Document) -> ResourceType:
    declared = source.get("calls", {})
    calls = {name: _call_spec(name, declared[name], source["service"]) for name in declared}
    facts = {}
    for name, spec in source["facts"].items():
        facts[name] = _fact_spec(name, spec)
        call = spec.get("call", "")
        if call and call not in calls:
            where = document.where(("facts", name, "call"))
            problems.append(Problem(where, f"unknown call '{call}'", did_you_mean(call, calls)))
    return ResourceType(
        source["type"], _text(source["title"]), source.get("declared", False), source["service"], facts, calls
    )


def _call_spec(name: str, source: Mapping[str, Any], service: str) -> CallSpec:
    permission = source.get("permission", "")
    return CallSpec(
        name,
        source.get("service", service),
        source["request"],
        source.get("lists", False),
        per=source.get("per", ""),
        also=tuple(source.get("also", ())),
        vantage=source.get("vantage", ""),
        permission=permission,
        ceph=source.get("ceph", permission or None),
    )


def _fact_spec(name: str, source: Mapping[str, Any]) -> FactSpec:
    return FactSpec(
        name,
        FactType(source["type"]),
        nullable=source.get("nullable", False),
        items=_element(source["items"]) if "items" in source else None,
        fields=_fields(source.get("fields", {})),
        meaning=_text(source["meaning"]),
        call=source.get("call", ""),
        api_field=source.get("field", ""),
        derived=source.get("derived", ""),
    )


def _element(source: str | Mapping[str, Any]) -> FactSpec:
    if isinstance(source, str):
        return _short("value", source)
    return FactSpec("value", FactType(source["type"]), fields=_fields(source.get("fields", {})))


def _fields(source: Mapping[str, str]) -> Mapping[str, FactSpec]:
    return {name: _short(name, text) for name, text in source.items()}


def _short(name: str, text: str) -> FactSpec:
    """Read the short form of a field: `string`, `string?` (nullable), `list[string]`."""
    bare = text.removesuffix("?")
    if bare.startswith("list["):
        items = _short("value", bare[5:-1])
        return FactSpec(name, FactType.LIST, nullable=text.endswith("?"), items=items)
    return FactSpec(name, FactType(bare), nullable=text.endswith("?"))


def common_facts(types: Sequence[ResourceType]) -> Mapping[str, FactSpec]:
    """Facts that every one of the types has, of the same type; nullable where one of them is."""
    first, *rest = types
    shared = dict(first.facts)
    for other in rest:
        for name in list(shared):
            theirs = other.facts.get(name)
            if theirs is None or theirs.type is not shared[name].type:
                del shared[name]
            elif theirs.nullable:
                shared[name] = replace(shared[name], nullable=True)
    return {**COMMON_FACTS, **shared}


# --- obligations and frameworks -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Framework:
    """An external list of requirements that controls point at, pinned to one edition."""

    key: str
    title: str
    version: str
    items: Mapping[str, str]


def load_obligations(folder: Path) -> Mapping[str, Obligation]:
    """Read the obligations beside the controls, by id."""
    found: dict[str, Obligation] = {}
    problems: list[Problem] = []
    for path in sorted((folder / "obligations").glob("*.yaml")):
        document = load(path)
        wrong = problems_of_schema(document, read_schema("obligations"))
        problems += wrong
        for n, entry in enumerate(document.value["obligations"] if not wrong else ()):
            one = _obligation(entry)
            if one.id in found:
                where = document.where(("obligations", n, "id"))
                problems.append(Problem(where, f"obligation '{one.id}' is already defined"))
            found[one.id] = one
    if problems:
        raise CatalogError.of(problems)
    return found


def _obligation(entry: Mapping[str, Any]) -> Obligation:
    return Obligation(
        id=entry["id"],
        source=entry["source"],
        clause=entry.get("clause", ""),
        quote=entry.get("quote", ""),
        translation=entry["translation"],
        state=SourceState(entry["state"]),
        legal_state=entry["legal_state"],
        address=entry.get("address", ""),
        kind=entry["kind"],
        actors=tuple(entry.get("actors", ())),
    )


def load_frameworks(folder: Path) -> Mapping[str, Framework]:
    """Read the frameworks beside the controls, by key."""
    found = {}
    problems: list[Problem] = []
    for path in sorted((folder / "frameworks").glob("*.yaml")):
        document = load(path)
        wrong = problems_of_schema(document, read_schema("framework"))
        problems += wrong
        if not wrong:
            source = document.value
            found[source["id"]] = Framework(
                source["id"], source["title"], str(source["version"]), source.get("items", {})
            )
    if problems:
        raise CatalogError.of(problems)
    return found


@dataclass(frozen=True, slots=True)
class PeerCheck:
    """What another checker demands, and our controls that judge it; without any, why."""

    id: str
    meaning: str
    controls: tuple[str, ...]
    why: str
    note: str
    where: Where


@dataclass(frozen=True, slots=True)
class Peer:
    """The checks of another checker, of one edition."""

    id: str
    title: str
    version: str
    address: str
    note: str
    checks: Mapping[str, PeerCheck]


def load_peers(folder: Path | None = None) -> Mapping[str, Peer]:
    """Read the lists of other checkers beside the controls, by id."""
    found: dict[str, Peer] = {}
    problems: list[Problem] = []
    for path in sorted(((folder or data.folder("controls")) / "peers").glob("*.yaml")):
        document = load(path)
        wrong = problems_of_schema(document, read_schema("peers"))
        problems += wrong
        if wrong:
            continue
        source = document.value
        if source["id"] != path.stem:
            what = f"the list '{source['id']}' stands in {path.name}"
            problems.append(
                Problem(
                    document.where(("id",)), what, f"call the file {source['id']}.yaml: an id names one list"
                )
            )
        checks = {
            id_: PeerCheck(
                id_,
                one["meaning"],
                tuple(one.get("controls", ())),
                one.get("why", ""),
                one.get("note", ""),
                document.where(("checks", id_)),
            )
            for id_, one in source["checks"].items()
        }
        for other in found.values():
            if other.address == source["address"] and other.id != source["id"]:
                problems += [
                    Problem(
                        one.where, f"the check '{one.id}' of {other.address} stands in {other.id}.yaml, too"
                    )
                    for one in checks.values()
                    if one.id in other.checks
                ]
        found[source["id"]] = Peer(
            source["id"],
            source["title"],
            source["version"],
            source["address"],
            source.get("note", ""),
            checks,
        )
    if problems:
        raise CatalogError.of(problems)
    return found


# --- controls -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ControlSource:
    """A control's file, ready to be compiled with the parameters of a profile."""

    id: str
    path: Path
    digest: str
    _read: Callable[[], Document] = field(repr=False, compare=False)

    @cached_property
    def document(self) -> Document:
        """What the file says. CatalogError: one that shipped is damaged."""
        return self._read()

    def written(self) -> Mapping[str, Any]:
        """Its parameters and conditions as the file has them, in the order they are judged."""
        raw = self.document.value
        return {key: raw[key] for key in ("parameters", *CONDITIONS) if key in raw}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All controls that can be selected, with what they refer to."""

    types: Mapping[str, ResourceType]
    obligations: Mapping[str, Obligation]
    frameworks: Mapping[str, Framework]
    sources: Mapping[str, ControlSource]
    _compiled: dict[str, Control] = field(default_factory=dict, repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of all control files, by id."""
        text = "".join(f"{id_} {source.digest}\n" for id_, source in sorted(self.sources.items()))
        return sha256(text.encode()).hexdigest()

    def control(self, id_: str, values: Mapping[str, Value] | None = None) -> Control:
        """Compile a control, with its default parameters or with a profile's."""
        if id_ not in self.sources:
            raise CatalogError(f"there is no control '{id_}'", hint=did_you_mean(id_, self.sources))
        if values:
            return _control(self, self.sources[id_], values)
        if id_ not in self._compiled:
            self._compiled[id_] = _control(self, self.sources[id_], {})
        return self._compiled[id_]

    def controls(self) -> list[Control]:
        """Every control, compiled with its defaults. All mistakes of all files are raised together."""
        found: list[Control] = []
        problems: list[Problem] = []
        for id_ in sorted(self.sources):
            try:
                found.append(self.control(id_))
            except CatalogError as wrong:
                problems += wrong.problems
        if problems:
            raise CatalogError.of(problems)
        return found


def load_catalogue(
    own: Sequence[Path] = (),
    *,
    builtin: bool = True,
    types: Mapping[str, ResourceType] | None = None,
    root: Path | None = None,
) -> Catalogue:
    """Read the shipped controls and those of an organisation's own folders.

    Files are read and checked for shape; conditions are compiled when a control is asked for. `types`
    are those that controls may name, where they are more than ours. `root` holds a copy of what shipped
    that is read in place of what is installed.
    """
    shipped = data.folder("controls", root)
    folders = ([shipped] if builtin else []) + list(own)
    obligations: dict[str, Obligation] = {}
    frameworks: dict[str, Framework] = {}
    sources: dict[str, ControlSource] = {}
    problems: list[Problem] = []
    for base in folders if builtin else [shipped, *folders]:
        obligations |= load_obligations(base)
        frameworks |= load_frameworks(base)
    for path in _control_files(shipped, problems) if builtin else ():
        sources[path.stem] = _shipped_source(path)
    for base in own:
        for path in _control_files(base, problems):
            source = _control_source(path, problems)
            if source is None:
                continue
            if source.id in sources and not sources[source.id].path.samefile(path):
                first = sources[source.id].path
                problems.append(
                    Problem(
                        source.document.where(("id",)), f"control '{source.id}' is already defined in {first}"
                    )
                )
            sources[source.id] = source
    if problems:
        raise CatalogError.of(problems)
    known = load_types(root=root) if types is None else types
    return Catalogue(known, obligations, frameworks, sources)


def _control_files(base: Path, problems: list[Problem]) -> list[Path]:
    if base.is_file():
        return [base]
    if not base.is_dir():
        raise CatalogError(
            f"there is no folder or file {base}", hint="give the folder that holds the controls"
        )
    beside = {"obligations", "frameworks", "peers"}
    found = [p for p in sorted(base.rglob("*.y*ml")) if not beside & set(p.relative_to(base).parts[:-1])]
    problems += [
        Problem(
            Where(str(p)), "a control is a .yaml file: this one would not be read", f"call it {p.stem}.yaml"
        )
        for p in found
        if p.suffix == ".yml"
    ]
    return [p for p in found if p.suffix == ".yaml"]


def _control_source(path: Path, problems: list[Problem]) -> ControlSource | None:
    document = load(path)
    wrong = problems_of_schema(document, _control_shape())
    problems += wrong
    if wrong:
        return None
    return ControlSource(document.value["id"], path, document.digest, lambda: document)


def _shipped_source(path: Path) -> ControlSource:
    """One of ours, whose file has its name, and is read when somebody wants it."""
    content = _shipped_bytes(path)
    return ControlSource(path.stem, path, sha256(content).hexdigest(), lambda: _control_of(path, content))


@cache
def _control_of(path: Path, content: bytes) -> Document:
    document = loads(content, str(path))
    if wrong := problems_of_schema(document, _control_shape()):
        raise CatalogError.of(wrong)
    if document.value["id"] != path.stem:
        where = document.where(("id",))
        raise CatalogError(f"control '{document.value['id']}' stands in {path.name}", where=where)
    return document


@cache
def _control_shape() -> Mapping[str, Any]:
    """The schema of a control less conditions and names: the compiler says better what is wrong there."""
    full: dict[str, Any] = json.loads(json.dumps(read_schema("control")))
    full["$defs"]["condition"] = {"type": "object"}
    full["$defs"]["resource_type"] = {"type": "string"}
    return full


def _of_no_package(name: str, types: Mapping[str, ResourceType]) -> str:
    """The hint for a type of a kind that nobody here knows: a package may bring it."""
    kind, dot, _ = name.partition(".")
    if not dot or any(known.startswith(f"{kind}.") for known in types):
        return ""
    return f"no installed package brings the kind '{kind}'; install the plug-in it comes with"


def _control(catalogue: Catalogue, source: ControlSource, overrides: Mapping[str, Value]) -> Control:
    document, raw = source.document, source.document.value
    problems: list[Problem] = []
    applies = raw["applies_to"] if isinstance(raw["applies_to"], list) else [raw["applies_to"]]
    known = [catalogue.types[name] for name in applies if name in catalogue.types]
    for n, name in enumerate(applies):
        if name not in catalogue.types:
            pointer = ("applies_to", n) if isinstance(raw["applies_to"], list) else ("applies_to",)
            problems.append(
                Problem(
                    document.where(pointer),
                    f"unknown resource type '{name}'",
                    did_you_mean(name, catalogue.types) or _of_no_package(str(name), catalogue.types),
                )
            )
    if not known:
        raise CatalogError.of(problems)
    parameters, specs = _parameters(raw, document, problems)
    values = {name: p.default for name, p in parameters.items()} | dict(overrides)
    compiler = Compiler(
        subject=common_facts(known),
        label=" / ".join(applies),
        types=catalogue.types,
        params=specs,
        values=values,
        locate=document.where,
        problems=problems,
    )
    compiled = {name: compiler.compile(raw[name], (name,)) for name in CONDITIONS if name in raw}
    _check_references(catalogue, raw, document, problems)
    _check_message(raw, compiler, document, problems)
    examples = _examples(raw, document, problems)
    if problems:
        raise CatalogError.of(problems)
    return Control(
        id=raw["id"],
        version=str(raw["version"]),
        title=_text(raw["title"]),
        severity=Severity(raw["severity"]),
        method=Method(raw["method"]),
        basis=Basis(raw["basis"]),
        applies_to=tuple(applies),
        message=_text(raw["message"]),
        violation=_text(raw["message"]["violation"]) if "violation" in raw["message"] else None,
        limits=_text(raw["limits"]),
        remediation=Remediation(_text(raw["remediation"]), tuple(raw["remediation"].get("cli", ()))),
        parameters=parameters,
        values=values,
        obligations=tuple(raw.get("obligations", ())),
        frameworks={key: tuple(items) for key, items in raw.get("frameworks", {}).items()},
        examples=examples,
        path=str(source.path),
        digest=source.digest,
        **{name: compiled.get(name) for name in CONDITIONS},
    )


def _parameters(
    raw: Mapping[str, Any], document: Document, problems: list[Problem]
) -> tuple[dict[str, Parameter], dict[str, FactSpec]]:
    parameters, specs = {}, {}
    for name, spec in raw.get("parameters", {}).items():
        declared = specs[name] = _parameter_spec(name, spec)
        default: Value = None
        try:
            default = _setting(spec["default"], declared, spec)
        except ValueError as wrong:
            problems.append(Problem(document.where(("parameters", name, "default")), str(wrong)))
        parameters[name] = Parameter(declared, default, spec["source"])
    return parameters, specs


def _setting(value: Value, spec: FactSpec, source: Mapping[str, Any]) -> Value:
    """The value of a parameter, inside the range its control allows. ValueError: it is none, or outside.

    A list that the control itself does not leave empty is never empty: what is to be there, or looked for,
    would be nothing, and nothing is always met.
    """
    found = value_of(value, spec)
    if found == () and source["default"]:
        raise ValueError(f"{spec.name} names at least one item, found none")
    for bound in ("at_least", "at_most"):
        if bound not in source or found is None:
            continue
        if not OPERATORS[bound].apply(found, value_of(source[bound], spec)):
            raise ValueError(f"{spec.name} is {bound.replace('_', ' ')} {source[bound]}, found {value}")
    return found


def _parameter_spec(name: str, source: Mapping[str, Any]) -> FactSpec:
    items = FactSpec("value", FactType(source["items"])) if "items" in source else None
    return FactSpec(name, FactType(source["type"]), nullable=source.get("nullable", False), items=items)


def _check_references(
    catalogue: Catalogue, raw: Mapping[str, Any], document: Document, problems: list[Problem]
) -> None:
    def check(
        names: Iterable[str], known: Mapping[str, object], pointer: tuple[str | int, ...], what: str
    ) -> None:
        for n, name in enumerate(names):
            if name not in known:
                where = document.where((*pointer, n))
                problems.append(Problem(where, f"unknown {what} '{name}'", did_you_mean(name, known)))

    check(raw.get("obligations", ()), catalogue.obligations, ("obligations",), "obligation")
    for key, items in raw.get("frameworks", {}).items():
        if key not in catalogue.frameworks:
            problems.append(
                Problem(
                    document.where(("frameworks", key)),
                    f"unknown framework '{key}'",
                    did_you_mean(key, catalogue.frameworks),
                )
            )
        elif catalogue.frameworks[key].items:
            check(items, catalogue.frameworks[key].items, ("frameworks", key), f"item of {key}")
    for name, spec in raw.get("parameters", {}).items():
        if spec["source"] not in (*PARAMETER_SOURCES, *catalogue.obligations):
            problems.append(
                Problem(
                    document.where(("parameters", name, "source")),
                    f"unknown source '{spec['source']}' of a parameter",
                    "write proposed-default, profile, or the id of the obligation that sets it",
                )
            )
    dimension, folder = raw["id"].split("-")[0], Path(document.name).parent.name
    if folder in DIMENSIONS and dimension != folder:
        problems.append(
            Problem(
                document.where(("id",)), f"control '{raw['id']}' stands in the folder of {folder}",
                f"move the file to {dimension}/, or give it an id that begins with {folder}-",
            )
        )  # fmt: skip
    if dimension not in DIMENSIONS:
        problems.append(
            Problem(
                document.where(("id",)), f"'{raw['id']}' does not begin with one of {', '.join(DIMENSIONS)}"
            )
        )


def _check_message(
    raw: Mapping[str, Any], compiler: Compiler, document: Document, problems: list[Problem]
) -> None:
    """A message may name facts of the judged resource and, as {param.name}, parameters."""
    known = {*compiler.subject, *(f"param.{name}" for name in compiler.params)}
    broken = raw["message"].get("violation", {})
    said: list[tuple[tuple[str, ...], str]] = [
        (("message", lang), raw["message"][lang]) for lang in ("vi", "en")
    ]
    said += [(("message", "violation", lang), text) for lang, text in broken.items()]
    for place, template in said:
        for name in placeholders(Text(template, "")):
            stem = name.split(".", 1)[0]
            is_entry = stem in compiler.subject and compiler.subject[stem].type is FactType.MAP
            if name not in known and not is_entry:
                where = document.where(place)
                problems.append(
                    Problem(where, f"the message names unknown fact '{name}'", did_you_mean(name, known))
                )


def _examples(raw: Mapping[str, Any], document: Document, problems: list[Problem]) -> tuple[Example, ...]:
    found = []
    for key, documents in raw["examples"].items():
        for n, one in enumerate(documents):
            found.append(Example(Verdict(key), one, document.where(("examples", key, n)).line))
    possible = {
        "expired": "expired_when",
        "manual_pending": "pending_when",
        "not_applicable": "not_applicable_when",
    }
    for key, condition in possible.items():
        if condition in raw and key not in raw["examples"]:
            where = document.where((condition,))
            problems.append(Problem(where, f"{condition} has no example", f"add examples: {{{key}: [...]}}"))
    return tuple(found)


# --- profiles -------------------------------------------------------------------------------------


def profile_ids(own: Sequence[Path] = (), root: Path | None = None) -> Mapping[str, Path]:
    """Profiles that can be named, with their files; an organisation's own come beside the shipped ones."""
    found = {}
    for folder in (data.folder("profiles", root), *own):
        for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else [folder]:
            found[path.stem] = path
    return found


def load_profile(
    name: str,
    catalogue: Catalogue,
    kind: str = "provider",
    own: Sequence[Path] = (),
    root: Path | None = None,
) -> Profile:
    """Read and resolve a profile: by id, or by the path of a file ending in .yaml.

    A file may extend one that lies beside it; shipped profiles keep their ids. `kind` is the scope, provider
    or agency: the duties of the other party are left out, with the reason.
    """
    raw, chain = _resolved(name, profile_ids(own, root))
    document = chain[0]
    lacking = [key for key in ("publisher", "official", "notice", "controls") if key not in raw]
    if lacking:
        raise CatalogError(
            f"the profile lacks {', '.join(lacking)}",
            where=document.where(),
            hint="write them, or extend a profile",
        )
    return _profile(raw, chain, catalogue, kind)


def profile_files(name: str, own: Sequence[Path] = ()) -> list[Path]:
    """The file of a profile and those it builds on, itself first."""
    return [Path(document.name) for document in _resolved(name, profile_ids(own))[1]]


def _resolved(name: str, known: Mapping[str, Path]) -> tuple[dict[str, Any], list[Document]]:
    """A profile with what it extends, and the documents it is made of."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else known.get(name)
    if path is None or not path.is_file():
        raise CatalogError(
            f"there is no profile '{name}'",
            hint=did_you_mean(name, known) or f"known: {', '.join(sorted(known))}",
        )
    document = load(path)
    chain = [document]
    beside = {one.stem: one for one in sorted(path.parent.glob("*.yaml"))}
    return _merged(document, {**beside, **known}, chain), chain


def lint_profiles(paths: Sequence[Path], catalogue: Catalogue) -> tuple[int, list[Problem]]:
    """Load profiles, those that ship without paths, and tell how many they are and all that is wrong."""
    names = [str(path) for path in paths] or sorted(profile_ids())
    problems: list[Problem] = []
    for name in names:
        try:
            found = load_profile(name, catalogue)
        except CloudauditError as wrong:
            problems += wrong.problems
            continue
        if paths and found.id != Path(name).stem:
            where = load(Path(name)).where(("id",))
            what = f"profile '{found.id}' stands in {Path(name).name}"
            problems.append(Problem(where, what, f"call the file {found.id}.yaml: it is named by that"))
    return len(names), problems


def _merged(document: Document, known: Mapping[str, Path], chain: list[Document]) -> dict[str, Any]:
    """Apply `extends`: what a profile says itself wins; parameters and exclusions add up."""
    wrong = problems_of_schema(document, read_schema("profile"))
    if wrong:
        raise CatalogError.of(wrong)
    raw: dict[str, Any] = dict(document.value)
    parent = raw.pop("extends", None)
    if parent is None:
        return raw
    if parent not in known:
        raise CatalogError(
            f"there is no profile '{parent}'",
            where=document.where(("extends",)),
            hint=did_you_mean(parent, known),
        )
    above = load(known[parent])
    if len(chain) > 8 or any(one.name == above.name for one in chain):
        raise CatalogError(f"profile '{parent}' extends itself", where=document.where(("extends",)))
    chain.append(above)
    base = _merged(above, known, chain)
    merged = base | raw
    merged["exclude"] = base.get("exclude", {}) | raw.get("exclude", {})
    above_, own = base.get("parameters", {}), raw.get("parameters", {})
    merged["parameters"] = {
        control: above_.get(control, {}) | own.get(control, {}) for control in above_ | own
    }
    # A limit is there for those who build on the profile: it cannot be lifted, only added to.
    above_, own = base.get("limits", {}), raw.get("limits", {})
    merged["limits"] = {
        control: {
            name: [*_demands(above_.get(control, {}).get(name)), *_demands(own.get(control, {}).get(name))]
            for name in above_.get(control, {}) | own.get(control, {})
        }
        for control in above_ | own
    }
    return merged


def _demands(limit: Any) -> list[Mapping[str, Any]]:
    """What a profile demands of one parameter, and those it builds on."""
    return limit if isinstance(limit, list) else [] if limit is None else [limit]


@dataclass(frozen=True, slots=True)
class _Selection:
    chosen: tuple[str, ...]
    excluded: Mapping[str, Text]


_OTHERS_DUTY: Final = Text("thuộc trách nhiệm cơ quan", "the agency's duty")


def _select(raw: Mapping[str, Any], document: Document, catalogue: Catalogue, kind: str) -> _Selection:
    problems: list[Problem] = []
    patterns = ["*"] if raw["controls"] == "all" else raw["controls"]
    chosen: set[str] = set()
    for n, pattern in enumerate(patterns):
        wide = f"{pattern}-*" if pattern in DIMENSIONS else pattern
        hits = [id_ for id_ in catalogue.sources if glob_match(wide, id_)]
        if not hits and pattern != "*":
            where = document.where(("controls", n))
            problems.append(
                Problem(where, f"no control fits '{pattern}'", did_you_mean(pattern, catalogue.sources))
            )
        chosen |= set(hits)
    excluded = {}
    for id_, reason in raw.get("exclude", {}).items():
        if id_ not in catalogue.sources:
            where = document.where(("exclude", id_))
            problems.append(
                Problem(where, f"there is no control '{id_}'", did_you_mean(id_, catalogue.sources))
            )
        excluded[id_] = _text(reason)
    if kind == "provider":
        excluded |= {id_: _OTHERS_DUTY for id_ in raw.get("agency_duties", ()) if id_ in chosen}
    if problems:
        raise CatalogError.of(problems)
    kept = tuple(sorted(chosen - set(excluded)))
    if not kept:
        raise CatalogError(
            f"profile '{raw['id']}' selects no control", where=document.where(("controls",)),
            hint="name controls, dimensions, or write controls: all",
        )  # fmt: skip
    return _Selection(kept, excluded)


def _profile(raw: Mapping[str, Any], chain: Sequence[Document], catalogue: Catalogue, kind: str) -> Profile:
    document = chain[0]
    selection = _select(raw, document, catalogue, kind)
    overrides = _overrides(raw, document, catalogue)
    gates = tuple(
        Gate(g["id"], _text(g["title"]), tuple(g["controls"]), g.get("final", False))
        for g in raw.get("gates", ())
    )
    _check_gates(raw, gates, document, catalogue)
    controls: list[Control] = []
    problems: list[Problem] = []
    for id_ in selection.chosen:
        try:
            controls.append(catalogue.control(id_, overrides.get(id_)))
        except CatalogError as wrong:
            problems += wrong.problems
    if problems:
        raise CatalogError.of(problems)
    digest = sha256("".join(one.digest for one in chain).encode()).hexdigest()
    limits = _limits(raw, controls, document, catalogue)
    return Profile(
        id=raw["id"],
        version=str(raw["version"]),
        title=_text(raw["title"]),
        publisher=_text(raw["publisher"]),
        official=raw["official"],
        kind=kind,
        controls=tuple(controls),
        excluded=selection.excluded,
        weights=_weights(raw, selection.chosen),
        gates=gates,
        thresholds={
            level: {name: Fraction(number) for name, number in limits.items()}
            for level, limits in raw.get("thresholds", {}).items()
        },
        digest=digest,
        notice=_text(raw["notice"]),
        changed=overrides,
        limits={id_: tuple(limit for limit, _ in pairs) for id_, pairs in limits.items()},
        loosened={
            id_: broken
            for id_, pairs in limits.items()
            if (broken := tuple(e for _, e in pairs if e is not None))
        },
    )


_Checked: TypeAlias = tuple[Limit, Excess | None]
"""A limit, and how the value in force breaks it, if it does."""


def _limits(
    raw: Mapping[str, Any], controls: Sequence[Control], document: Document, catalogue: Catalogue
) -> dict[str, list[_Checked]]:
    """By control: the limits of the profile, each once."""
    found: dict[str, list[_Checked]] = {}
    problems: list[Problem] = []
    chosen = {control.id: control for control in controls}
    for id_, limits in raw.get("limits", {}).items():
        if id_ not in catalogue.sources:
            hint = did_you_mean(id_, catalogue.sources)
            problems.append(Problem(_place(document, ("limits", id_)), f"there is no control '{id_}'", hint))
            continue
        control = chosen.get(id_)
        if control is None:
            continue
        for name, demanded in limits.items():
            try:
                written = _written(raw, catalogue.sources[id_], name)
                checked = [
                    one for demand in _demands(demanded) for one in _checked(control, name, written, demand)
                ]
            except ValueError as wrong:
                problems.append(Problem(_place(document, ("limits", id_, name)), str(wrong)))
                continue
            known = found.setdefault(id_, [])
            known += [one for n, one in enumerate(checked) if one not in checked[:n]]
    if problems:
        raise CatalogError.of(problems)
    return found


def _written(raw: Mapping[str, Any], source: ControlSource, name: str) -> object:
    """A parameter as it is written where it is set, which reads the same in every language."""
    default = source.document.value.get("parameters", {}).get(name, {}).get("default")
    return raw.get("parameters", {}).get(source.id, {}).get(name, default)


def _checked(control: Control, name: str, written: object, demanded: Mapping[str, Any]) -> Iterator[_Checked]:
    """What is demanded of a parameter, held against the value in force. ValueError: it makes no sense."""
    if name not in control.parameters:
        hint = did_you_mean(name, control.parameters)
        raise ValueError(f"{control.id} has no parameter '{name}'{f'; {hint}' if hint else ''}")
    spec, value = control.parameters[name].spec, control.values[name]
    for key, source in demanded.items():
        if spec.type not in OPERATORS[key].types:
            raise ValueError(f"'{key}' is no limit for '{name}', which is a {spec.type.value}")
        limit = Limit(name, key, value_of(source, spec))
        kept = value is not None and OPERATORS[key].apply(value, limit.value)
        detail = f"{name} = {json.dumps(written)}; {key}: {json.dumps(source)}"
        yield limit, None if kept else Excess(limit, detail)


def _weights(raw: Mapping[str, Any], chosen: Sequence[str]) -> dict[str, Fraction]:
    """Weights of dimensions, adding up to one; equal ones where the profile does not say."""
    if "weights" in raw:
        return {dimension: Fraction(weight) / 100 for dimension, weight in raw["weights"].items()}
    dimensions = sorted({id_.split("-")[0] for id_ in chosen})
    return {dimension: Fraction(1, len(dimensions)) for dimension in dimensions}


def _overrides(
    raw: Mapping[str, Any], document: Document, catalogue: Catalogue
) -> dict[str, dict[str, Value]]:
    found: dict[str, dict[str, Value]] = {}
    problems: list[Problem] = []
    for id_, given in raw.get("parameters", {}).items():
        if id_ not in catalogue.sources:
            problems.append(
                Problem(
                    _place(document, ("parameters", id_)),
                    f"there is no control '{id_}'",
                    did_you_mean(id_, catalogue.sources),
                )
            )
            continue
        declared = catalogue.sources[id_].document.value.get("parameters", {})
        for name, value in given.items():
            where = _place(document, ("parameters", id_, name))
            if name not in declared:
                problems.append(
                    Problem(where, f"{id_} has no parameter '{name}'", did_you_mean(name, declared))
                )
                continue
            try:
                spec = _parameter_spec(name, declared[name])
                found.setdefault(id_, {})[name] = _setting(value, spec, declared[name])
            except ValueError as wrong:
                problems.append(Problem(where, str(wrong)))
    if problems:
        raise CatalogError.of(problems)
    return found


def _place(document: Document, pointer: tuple[str | int, ...]) -> Where:
    """The place of an entry, or of the file where the entry was inherited."""
    try:
        return document.where(pointer)
    except KeyError:
        return Where(document.name)


def _check_gates(
    raw: Mapping[str, Any], gates: Sequence[Gate], document: Document, catalogue: Catalogue
) -> None:
    place = _place(document, ("gates",))
    problems = [
        Problem(place, f"gate {gate.id} names unknown control '{id_}'", did_you_mean(id_, catalogue.sources))
        for gate in gates
        for id_ in gate.controls
        if id_ not in catalogue.sources
    ]
    weights = raw.get("weights", {})
    if weights and sum(weights.values()) != 100:
        problems.append(
            Problem(_place(document, ("weights",)), f"weights add up to {sum(weights.values())}, not to 100")
        )
    if problems:
        raise CatalogError.of(problems)


# --- the schema editors complete from ---------------------------------------------------------------


def condition_schema(types: Mapping[str, ResourceType]) -> dict[str, Any]:
    """JSON Schema of a condition, made from the tables the compiler uses."""
    facts = sorted({*COMMON_FACTS, *(fact for t in types.values() for fact in t.facts)})
    name = {"anyOf": [{"enum": facts}, {"type": "string", "pattern": "^labels\\."}]}
    again = {"$ref": "#/$defs/condition"}
    count = {
        "type": "object",
        "properties": {"that": again, "at_least": {}, "at_most": {}, "equals": {}},
        "additionalProperties": False,
    }
    operators: dict[str, Any] = {}
    for key, spec in OPERATORS.items():
        shapes = {"quantifier": again, "count": count, "bool": {"type": "boolean"}}
        operators[key] = shapes.get(spec.operand, {})
    ternary = {"enum": [True, False, "unknown"]}
    beside = {**operators, "if_null": ternary, "if_empty": ternary}
    heads: list[dict[str, Any]] = []
    for head in HEADS:
        if head in ("all_of", "any_of"):
            heads.append(_closed({head: {"type": "array", "items": again, "minItems": 1}}, head))
        elif head == "not":
            heads.append(_closed({"not": again}, "not"))
        elif head == "related":
            inner = {"on": {"type": "object"}, "where": again, "any": again, "all": again, "none": again}
            rest = {"count": count, "exists": {"type": "boolean"}, "if_empty": ternary}
            heads.append(_closed({"related": {"enum": sorted(types)}, **inner, **rest}, "related"))
        else:
            heads.append(_closed({head: name if head == "fact" else {"type": "string"}, **beside}, head))
    return {"oneOf": heads}


def _closed(properties: Mapping[str, Any], head: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [head], "additionalProperties": False}


def control_schema(types: Mapping[str, ResourceType]) -> dict[str, Any]:
    """JSON Schema of a control: what editors complete from, and the loader checks the shape with."""
    bilingual = {"$ref": "#/$defs/bilingual"}
    condition = {"$ref": "#/$defs/condition"}
    texts = {"type": "array", "items": {"type": "string"}}
    parameter = {
        "type": "object",
        "required": ["type", "default", "source"],
        "additionalProperties": False,
        "properties": {
            "type": {"enum": [t.value for t in FactType if t not in (FactType.RECORD, FactType.MAP)]},
            "items": {"enum": [t.value for t in FactType if t not in (FactType.RECORD, FactType.LIST)]},
            "nullable": {"type": "boolean"},
            "default": {},
            "at_least": {},
            "at_most": {},
            "source": {"type": "string"},
        },
    }
    applies = {"$ref": "#/$defs/resource_type"}
    several = {"type": "array", "minItems": 1, "uniqueItems": True, "items": applies}
    examples = {
        "type": "object",
        "required": ["pass", "fail", "unknown"],
        "additionalProperties": False,
        "properties": {v.value: {"type": "array", "minItems": 1, "items": _EXAMPLE} for v in Verdict},
    }
    properties = {
        "id": {
            "type": "string",
            "pattern": "^[A-Z]{3,}-[0-9]{2,}$",
            "patternErrorMessage": "a dimension, a dash and two digits or more are expected, such as RES-101",
        },
        "version": {"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$"},
        "title": bilingual,
        "severity": {"enum": [s.value for s in Severity]},
        "method": {"enum": [m.value for m in Method]},
        "basis": {"enum": [b.value for b in Basis]},
        "applies_to": {"anyOf": [applies, several]},
        "parameters": {"type": "object", "additionalProperties": parameter},
        **dict.fromkeys(CONDITIONS, condition),
        "message": {
            "type": "object",
            "required": ["vi", "en"],
            "additionalProperties": False,
            "properties": {
                **{lang: {"type": "string", "minLength": 1} for lang in ("vi", "en")},
                "violation": bilingual,
            },
        },
        "obligations": texts,
        "frameworks": {"type": "object", "additionalProperties": texts},
        "remediation": {
            "type": "object",
            "required": ["vi", "en"],
            "additionalProperties": False,
            "properties": {"vi": {"type": "string"}, "en": {"type": "string"}, "cli": texts},
        },
        "limits": bilingual,
        "examples": examples,
    }
    required = [key for key in properties if key not in ("parameters", *CONDITIONS)] + ["check"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:cloudaudit:schema:control:1",
        "title": "A control",
        "type": "object",
        "required": required,
        "additionalProperties": False,
        "properties": properties,
        "$defs": {
            "bilingual": {
                "type": "object",
                "required": ["vi", "en"],
                "additionalProperties": False,
                "properties": {lang: {"type": "string", "minLength": 1} for lang in ("vi", "en")},
            },
            "condition": condition_schema(types),
            "resource_type": {"enum": sorted(types)},
        },
    }


_EXAMPLE: Final[Mapping[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "type": {"$ref": "#/$defs/resource_type"},
        "resource": {"type": "object"},
        "related": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "object"}}},
        "gaps": {"type": "object", "additionalProperties": {"type": "string"}},
        "unseen": {"type": "object", "additionalProperties": {"type": "string"}},
        "params": {"type": "object"},
        "at": {"type": "string"},
    },
}
