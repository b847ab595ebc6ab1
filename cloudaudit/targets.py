"""Read targets.yaml: which clouds to audit, grouped into the subjects that reports are about.

It names where secrets are kept and refuses to hold any. Values may come from the environment, put
in after the file is parsed, so that no variable can change its structure.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias

from cloudaudit.errors import Problem, TargetError, Where
from cloudaudit.model import CODE_KINDS, ResourceType, Seconds, Text
from cloudaudit.providers import near, presets
from cloudaudit.yamlsource import (
    FORMATS,
    Document,
    Pointer,
    address_of,
    duration_of,
    excerpt,
    hidden_character,
    problems_of_schema,
    schema,
)
from cloudaudit.yamlsource import load as load_yaml

RESERVED: Final = frozenset({"registers", "documents"})
"""Names that stand for declared things in a snapshot, and can be no target's."""
BUILTIN_KINDS: Final = frozenset({"openstack", "s3"}) | CODE_KINDS
COMMON_KEYS: Final = (
    "name", "kind", "ca_file", "allow_private", "max_in_flight", "rate_limit", "deadline",
)  # fmt: skip
"""Keys of a target of any kind. Where a package's schema has one of them, ours is the one that holds."""


@dataclass(frozen=True, slots=True)
class OpenStackEntry:
    """An OpenStack cloud, known by its entry in clouds.yaml."""

    name: str
    cloud: str
    regions: tuple[str, ...] | None
    """None: all of them."""
    projects: tuple[str, ...] | None
    """By name or id; None: all that can be seen."""
    vantage: str
    """`tenant` or `operator`: whose rights the credentials give."""
    interface: str | None
    """None: as clouds.yaml says, else public."""
    ca_file: Path | None
    label_keys: tuple[str, ...]
    """Keys of labels whose values may be stored, beside those every audit stores."""
    allow_private: tuple[str, ...]
    max_in_flight: int
    rate_limit: float | None
    """Requests per second."""
    deadline: Seconds
    where: Where
    proxy: str | None = field(default=None, repr=False)
    """Address of a forward proxy; may hold a password where it came from the environment."""
    proxy_file: Path | None = None
    """File that holds such an address."""
    allow_http: bool = False
    """Whether tokens of an https Keystone may go to http services."""
    kind: ClassVar[str] = "openstack"


@dataclass(frozen=True, slots=True)
class SwiftAccount:
    """The account of Swift whose containers an S3 target shows as buckets."""

    target: str
    """Name of an OpenStack target of the same subject."""
    project: str
    """By name or id."""
    region: str | None = None
    """None: the only one that has such an account."""


@dataclass(frozen=True, slots=True)
class S3Entry:
    """An S3 service. Its keys are in an AWS profile, or in two files."""

    name: str
    endpoint: str
    profile: str | None
    access_key_file: Path | None
    secret_key_file: Path | None
    region: str
    addressing: str
    """`path` or `virtual`."""
    expected_owner: str | None
    buckets: tuple[str, ...] | None
    """None: all that can be seen."""
    ca_file: Path | None
    label_keys: tuple[str, ...]
    allow_private: tuple[str, ...]
    max_in_flight: int
    rate_limit: float | None
    deadline: Seconds
    where: Where
    admin_profile: str | None = None
    admin_access_key_file: Path | None = None
    admin_secret_key_file: Path | None = None
    admin_path: str = "/admin"
    """Of the admin API of Ceph RGW, which has a key of its own or is not asked."""

    proxy: str | None = field(default=None, repr=False)
    proxy_file: Path | None = None
    provider: str | None = None
    """Preset that filled endpoint, region and addressing where the entry does not give them."""
    swift: SwiftAccount | None = None
    kind: ClassVar[str] = "s3"

    @property
    def has_admin_key(self) -> bool:
        return self.admin_profile is not None or self.admin_access_key_file is not None


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """Infrastructure as code: a plan or state of Terraform or OpenTofu, or a template of Heat."""

    name: str
    kind: str
    form: str
    """`plan` or `state` of terraform, `template` of heat."""
    file: Path
    source: Path | None
    """Folder of the configuration that a plan or state was made from: findings point to its lines."""
    environment: Path | None
    """Parameters of a template, as `openstack stack create -e` takes them."""
    region: str | None
    """Region of what does not say where it is to be deployed."""
    project: str | None
    label_keys: tuple[str, ...]
    where: Where
    ignored: tuple[str, ...] = ()
    """Patterns of types of a plan's resources that are declared to be no matter of the audit."""
    ca_file: ClassVar[None] = None
    proxy: ClassVar[None] = None
    proxy_file: ClassVar[None] = None
    allow_private: ClassVar[tuple[str, ...]] = ()
    max_in_flight: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of target that another package brings. Its resource types begin with its name and a dot."""

    name: str
    package: str
    version: str
    source: str
    """Where its collector is made, as `module:attribute`."""
    keys: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """JSON Schema of its own keys in targets.yaml."""
    types: Mapping[str, ResourceType] = field(default_factory=dict, hash=False, repr=False)
    problems: tuple[Problem, ...] = ()
    """Why it cannot be used; then it has no types."""

    @property
    def named(self) -> str:
        return f"the plug-in '{self.name}' of {self.package} {self.version}"


@dataclass(frozen=True, slots=True)
class PluginEntry:
    """A target of a kind that another package brings."""

    name: str
    kind: str
    settings: Mapping[str, Any] = field(hash=False)
    """Values of the package's own keys, with its defaults; those that end in `_file` are paths."""
    ca_file: Path | None
    allow_private: tuple[str, ...]
    max_in_flight: int
    rate_limit: float | None
    deadline: Seconds
    where: Where
    plugin: Kind


Entry: TypeAlias = OpenStackEntry | S3Entry | CodeEntry | PluginEntry


_NO_KINDS: Final[Mapping[str, Kind]] = {}


@dataclass(frozen=True, slots=True)
class Subject:
    """What one report is about: a provider's platform, or the systems of an agency."""

    id: str
    kind: str
    title: Text
    registers: Path | None
    targets: tuple[Entry, ...]
    absent: tuple[str, ...]
    """Kinds of target the subject declares it does not have: a declared emptiness, shown as such."""
    where: Where
    proxy: str | None = field(default=None, repr=False)
    """Address of the forward proxy by which published papers are fetched."""
    proxy_file: Path | None = None


@dataclass(frozen=True, slots=True)
class TargetsFile:
    """All of targets.yaml. `warnings` tell what is dangerous but not wrong."""

    path: Path
    digest: str
    subjects: tuple[Subject, ...]
    warnings: tuple[Problem, ...]


def load(path: Path, environ: Mapping[str, str], kinds: Mapping[str, Kind] = _NO_KINDS) -> TargetsFile:
    """Read targets.yaml, with `environ` for its variables. TargetError tells every mistake found.

    Files named in it are relative to its folder; they must exist, and are not opened. `kinds` are those
    that installed packages bring.
    """
    document = load_yaml(path)
    if document.value is None:
        raise TargetError("the file is empty", where=Where(str(path), 1, 1), hint=_HOW_TO)
    secrets = list(_secrets(document))
    value, conceal, problems = _interpolated(document, environ)
    problems += secrets
    told = {problem.where for problem in secrets}
    problems += [
        _how_to(problem)
        for problem in problems_of_schema(document, schema_with(kinds), value=value, conceal=conceal)
        if problem.where not in told
    ]
    if not problems:
        problems += _contradictions(document, value, conceal, kinds)
        problems += _absent_files(document, value)
        problems += _absent_folders(document, value)
    if problems:
        raise TargetError.of(sorted(problems, key=_by_place))
    subjects = tuple(
        _subject(document, value["subjects"][number], number, kinds)
        for number in range(len(value["subjects"]))
    )
    return TargetsFile(path, document.digest, subjects, tuple(_open_to_others(document, value)))


@dataclass(frozen=True, slots=True)
class Outline:
    """A subject as far as a machine can tell that is not the one to audit from."""

    id: str
    kind: str
    registers: Path | None
    targets: int
    beside: Problem | None = None
    """What of it a profile with gates cannot conclude on."""


@dataclass(frozen=True, slots=True)
class Survey:
    """targets.yaml, checked without the variables and files that only the auditing machine has."""

    subjects: tuple[Outline, ...]
    warnings: tuple[Problem, ...]
    unchecked: tuple[Problem, ...]
    """What is not here: variables that are not set, files that are not there."""


def code_beside(where: Where, targets: Iterable[tuple[str, str]]) -> Problem | None:
    """What is odd about a subject of clouds and code, by names and kinds of its targets; None: nothing.

    Code never proves that the cloud it is deployed to has nothing else, so that no gate opens for it.
    """
    found = list(targets)
    code = [name for name, kind in found if kind in CODE_KINDS]
    if not code or len(code) == len(found):
        return None
    return Problem(
        where,
        f"the code {', '.join(code)} stands beside what is deployed: what it leaves open keeps the gates of "
        "the profile shut for the whole subject",
        "put code into a subject of its own, and judge it by a profile without gates, such as "
        "before-deployment",
    )


def survey(path: Path, environ: Mapping[str, str], kinds: Mapping[str, Kind] = _NO_KINDS) -> Survey:
    """Check targets.yaml on a machine that has no rights to any cloud. TargetError tells every mistake found.

    A value with a variable that is not set here can be anything; all else is checked as `load` checks it.
    Folders of registers have to be there: they are kept beside the file.
    """
    document = load_yaml(path)
    if document.value is None:
        raise TargetError("the file is empty", where=Where(str(path), 1, 1), hint=_HOW_TO)
    secrets = list(_secrets(document))
    unset: dict[Pointer, Problem] = {}
    value, conceal, problems = _interpolated(document, environ, unset)
    open_ = {document.where(pointer) for pointer in unset}
    problems += secrets
    told = {problem.where for problem in secrets} | open_
    problems += [
        _how_to(problem)
        for problem in problems_of_schema(document, schema_with(kinds), value=value, conceal=conceal)
        if problem.where not in told
    ]
    absent: list[Problem] = []
    if not problems:
        found = [*_contradictions(document, value, conceal, kinds), *_absent_folders(document, value)]
        problems += [problem for problem in found if problem.where not in open_]
        absent = [problem for problem in _absent_files(document, value) if problem.where not in open_]
    if problems:
        raise TargetError.of(sorted(problems, key=_by_place))
    base = path.parent
    return Survey(
        tuple(
            Outline(
                subject["id"],
                subject["kind"],
                base / subject["registers"]
                if "registers" in subject and ("subjects", number, "registers") not in unset
                else None,
                len(subject["targets"]),
                code_beside(
                    document.where(("subjects", number)),
                    ((target["name"], target["kind"]) for target in subject["targets"]),
                ),
            )
            for number, subject in enumerate(value["subjects"])
            if not {("subjects", number, "id"), ("subjects", number, "kind")} & unset.keys()
        ),
        tuple(_open_to_others(document, value)),
        tuple(sorted((*unset.values(), *absent), key=_by_place)),
    )


def _contradictions(
    document: Document, value: Any, conceal: frozenset[Pointer], kinds: Mapping[str, Kind]
) -> Iterator[Problem]:
    """What no schema can see, and no file has to be there for."""
    yield from _repeated(document, value)
    yield from _denied(document, value)
    yield from _unknown_presets(document, value, conceal)
    yield from _useless_views(document, value, conceal)
    yield from _useless_kinds(document, value, kinds)
    yield from _open_proxies(document, value)


_HOW_TO: Final = (
    "write version: 1 and subjects:, with at least one subject and one target, such as "
    "- {id: dam-may-mau, kind: provider, title: {vi: Đám mây mẫu}, "
    "targets: [{name: hn, kind: openstack, cloud: hn}]}"
)


def _how_to(problem: Problem) -> Problem:
    """Show a whole example to who has not written a subject or target yet."""
    none = (
        "'subjects': 1 or more",
        "'targets': 1 or more",
        "missing key 'subjects'",
        "missing key 'targets'",
    )
    return Problem(problem.where, problem.message, _HOW_TO) if problem.message.startswith(none) else problem


def _by_place(problem: Problem) -> tuple[int, int]:
    return (problem.where.line, problem.where.column) if problem.where else (0, 0)


# --- kinds of other packages ---------------------------------------------------------------------


def schema_with(kinds: Mapping[str, Kind]) -> Mapping[str, Any]:
    """The JSON Schema of targets.yaml, with the kinds that packages bring."""
    if not kinds:
        return schema("targets")
    whole: dict[str, Any] = json.loads(json.dumps(schema("targets")))
    target, common = whole["$defs"]["target"], whole["$defs"]["s3"]["properties"]
    names = [*target["properties"]["kind"]["enum"], *kinds]
    kind_of_target = {"enum": names, "description": f"{', '.join(names[:-1])} or {names[-1]}."}
    target["properties"]["kind"] = kind_of_target
    whole["$defs"]["subject"]["properties"]["absent"]["items"]["enum"] = names
    for kind in kinds.values():
        shared = {name: common[name] for name in COMMON_KEYS} | {"kind": kind_of_target}
        own = kind.keys
        # What is wrong with the package itself is told by _useless_kinds, and its keys are nobody's mistake.
        body = {"required": ["name", "kind"], "properties": shared} if kind.problems else {
            **own,
            "type": "object",
            "additionalProperties": False,
            "required": ["name", "kind", *own.get("required", ())],
            "properties": shared | {k: v for k, v in own.get("properties", {}).items() if k not in shared},
        }  # fmt: skip
        whole["$defs"][f"kind {kind.name}"] = body
        of_kind = {"type": "object", "properties": {"kind": {"const": kind.name}}, "required": ["kind"]}
        target["allOf"].append({"if": of_kind, "then": {"$ref": f"#/$defs/kind%20{kind.name}"}})
    return whole


def problem_of_keys(keys: Any) -> str:
    """Say why this cannot be the schema of a kind's own keys; empty when it can."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(keys, format_checker=FORMATS)
        _patterns(keys)
    except (SchemaError, re.error, RecursionError) as wrong:
        return f"it is no JSON Schema ({type(wrong).__name__})"
    if not isinstance(keys, dict) or not isinstance(keys.get("properties", {}), dict):
        return "a mapping with 'properties' is expected"
    if strange := sorted({str(pointer[-1]) for pointer in _keys(keys, ())} & _ELSEWHERE):
        return f"'{strange[0]}' is not for the keys of a target: write out what is meant"
    return ""


_ELSEWHERE: Final = frozenset({"$ref", "$dynamicRef", "$id", "$anchor", "$dynamicAnchor"})
"""Words by which a schema reaches beyond itself. One that refers to itself may never end."""


def _patterns(keys: Any) -> None:
    """re.error: a pattern of a schema is none of Python's."""
    for pointer in _keys(keys, ()):
        if pointer[-1] == "pattern":
            value: Any = keys
            for step in pointer:
                value = value[step]
            if isinstance(value, str):
                re.compile(value)


def _useless_kinds(document: Document, value: Any, kinds: Mapping[str, Kind]) -> Iterator[Problem]:
    for pointer, target in _targets(value):
        kind = kinds.get(target["kind"])
        for problem in kind.problems if kind is not None else ():
            where = document.where((*pointer, "kind"))
            assert kind is not None
            yield Problem(where, f"{kind.named} cannot be used: {problem}", "install a version that works")


# --- secrets --------------------------------------------------------------------------------------

_SECRET: Final = re.compile(
    r"(^|_)(pass|passwd|password|passphrase|secret|token|credentials?|auth)($|_)|(access|secret|api|private)_?key"
)


def _secrets(document: Document) -> Iterator[Problem]:
    """Find keys that hold a secret, wherever they stand. Their values are never shown."""
    for pointer in _keys(document.value, ()):
        key = str(pointer[-1]).lower().replace("-", "_")
        if _SECRET.search(key) and not key.endswith("_file"):
            yield Problem(
                document.where(pointer, key=True),
                f"'{excerpt(str(pointer[-1]))}' may not stand here: this file holds no secrets",
                "keep it in clouds.yaml or secure.yaml (OpenStack), or for S3 in an AWS profile "
                "or the files that access_key_file and secret_key_file name",
            )


def _keys(value: Any, pointer: Pointer) -> Iterator[Pointer]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*pointer, key)
            yield from _keys(inner, (*pointer, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _keys(inner, (*pointer, number))


# --- the environment ------------------------------------------------------------------------------

_VARIABLE: Final = re.compile(r"\$\$\{|\$\{(?P<inside>[^{}]*)(?P<closed>\}?)")
_INSIDE: Final = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<has_default>:-(?P<default>.*))?", re.DOTALL)


def _interpolated(
    document: Document, environ: Mapping[str, str], unset: dict[Pointer, Problem] | None = None
) -> tuple[Any, frozenset[Pointer], list[Problem]]:
    """Put variables into texts. The pointers say which values came from the environment.

    With `unset`, values with variables that are not set are left as they are, and told there.
    """
    problems: list[Problem] = []
    changed: set[Pointer] = set()

    def put(value: Any, pointer: Pointer) -> Any:
        if isinstance(value, dict):
            return {key: put(inner, (*pointer, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [put(inner, (*pointer, number)) for number, inner in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        changed.add(pointer)
        try:
            return unicodedata.normalize("NFC", _VARIABLE.sub(lambda found: _value(found, environ), value))
        except _BadVariable as error:
            problem = Problem(document.where(pointer), error.message, error.hint)
            if unset is not None and isinstance(error, _Unset):
                unset[pointer] = problem
            else:
                problems.append(problem)
            return value

    return put(document.value, ()), frozenset(changed), problems


class _BadVariable(ValueError):
    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class _Unset(_BadVariable):
    """A variable is not set, and no default is given."""


def _value(found: re.Match[str], environ: Mapping[str, str]) -> str:
    if found["inside"] is None:
        return "${"
    inside = _INSIDE.fullmatch(found["inside"])
    if not found["closed"] or not inside:
        raise _BadVariable(
            "a variable is not written rightly", "write ${NAME} or ${NAME:-default}; $${ stands for ${ itself"
        )
    value = environ.get(inside["name"])
    if inside["has_default"] and not value:
        return inside["default"]
    if value is None:
        raise _Unset(
            f"the environment variable {inside['name']} is not set",
            f"set it, or write ${{{inside['name']}:-default}}",
        )
    if hidden_character(value) or "\n" in value or "\r" in value:
        raise _BadVariable(
            f"the environment variable {inside['name']} holds a line break or an invisible character",
            "set it to one line of plain text",
        )
    return value


# --- checks and values ----------------------------------------------------------------------------


def _targets(value: Any) -> Iterator[tuple[Pointer, Mapping[str, Any]]]:
    for s, subject in enumerate(value["subjects"]):
        for t, target in enumerate(subject["targets"]):
            yield ("subjects", s, "targets", t), target


def _repeated(document: Document, value: Any) -> Iterator[Problem]:
    subjects: dict[str, Where] = {}
    for number, subject in enumerate(value["subjects"]):
        yield from _named_twice(document, ("subjects", number, "id"), subject["id"], subjects)
    names: dict[tuple[object, ...], dict[str, Where]] = {}
    for pointer, target in _targets(value):
        where = (*pointer, "name")
        yield from _named_twice(document, where, target["name"], names.setdefault(pointer[:2], {}))
        if target["name"] in RESERVED:
            yield Problem(
                document.where(where), f"no target can be named '{target['name']}'", "choose another name"
            )


def _named_twice(
    document: Document, pointer: Pointer, name: str, seen: dict[str, Where]
) -> Iterator[Problem]:
    where = document.where(pointer)
    if name in seen:
        yield Problem(
            where, f"'{name}' is already given at line {seen[name].line}", "name one of them otherwise"
        )
    seen.setdefault(name, where)


def _denied(document: Document, value: Any) -> Iterator[Problem]:
    """Find targets of a kind that their subject declares absent."""
    for s, subject in enumerate(value["subjects"]):
        for n, kind in enumerate(subject.get("absent", ())):
            there = next((t for t, target in enumerate(subject["targets"]) if target["kind"] == kind), None)
            if there is not None:
                name = subject["targets"][there]["name"]
                line = document.where(("subjects", s, "targets", there)).line
                yield Problem(
                    document.where(("subjects", s, "absent", n)),
                    f"'absent' declares that there is no {kind} target, but '{name}' at line {line} is one",
                    f"remove {kind} here, or the target",
                )


def _unknown_presets(document: Document, value: Any, conceal: frozenset[Pointer]) -> Iterator[Problem]:
    for pointer, target in _targets(value):
        where, name = (*pointer, "provider"), target.get("provider")
        if name is not None and name not in presets():
            hidden = where in conceal
            shown = "a value from the environment" if hidden else f"'{excerpt(name)}'"
            hint = "cloudaudit providers list tells which there are" if hidden else near(name)
            yield Problem(document.where(where), f"'provider': {shown} is no known preset", hint)


def _useless_views(document: Document, value: Any, conceal: frozenset[Pointer]) -> Iterator[Problem]:
    """Find S3 targets that are declared to show a Swift account, and do not say which one."""
    for pointer, target in _targets(value):
        if target["kind"] != "s3" or "swift" not in target:
            continue
        place, view = (*pointer, "swift"), target["swift"]
        beside = value["subjects"][pointer[1]]["targets"]
        cloud = next((one for one in beside if one["name"] == view["target"]), None)
        if cloud is None or cloud["kind"] != "openstack":
            clouds = [one["name"] for one in beside if one["kind"] == "openstack"]
            hidden = (*place, "target") in conceal
            shown = "a value from the environment" if hidden else f"'{excerpt(view['target'])}'"
            what = "no target of this subject" if cloud is None else "no openstack target"
            hint = f"name one of {', '.join(clouds)}" if clouds else "the subject has no openstack target"
            yield Problem(document.where((*place, "target")), f"'target': {shown} is {what}", hint)
            continue
        for key, all_ in (("project", "projects"), ("region", "regions")):
            known = _some(cloud.get(all_, "all"))
            if key not in view:
                if key == "project" and (known is None or len(known) > 1):
                    several = "all projects" if known is None else f"{len(known)} projects"
                    yield Problem(
                        document.where(place, key=True),
                        f"'swift': which project is not told, and target '{cloud['name']}' has {several}",
                        "name the project, by name or id, whose containers the buckets are",
                    )
            elif known is not None and view[key] not in known:
                yield Problem(
                    document.where((*place, key)),
                    f"'{key}': target '{cloud['name']}' does not read it",
                    f"write it as it stands in its {all_}, or add it there",
                )


_FILES: Final = frozenset({
    "ca_file", "access_key_file", "secret_key_file", "admin_access_key_file", "admin_secret_key_file",
    "proxy_file", "plan", "state", "template", "environment",
})  # fmt: skip
_NO_SECRETS: Final = frozenset({"ca_file", "plan", "state", "template", "environment"})
"""Files that others may read. What a plan holds beyond its resources nobody can say; its owner knows."""


def _places(value: Any) -> Iterator[tuple[Pointer, Mapping[str, Any]]]:
    """Subjects and targets: both can name a proxy."""
    for number, subject in enumerate(value["subjects"]):
        yield ("subjects", number), subject
    yield from _targets(value)


def _files(value: Any) -> Iterator[tuple[Pointer, str]]:
    for pointer, place in _places(value):
        kind = place.get("kind", "")
        for key in sorted(place):
            if key in _FILES or (kind and kind not in BUILTIN_KINDS and _is_file(key, place[key])):
                yield (*pointer, key), place[key]


def _is_file(key: str, value: Any) -> bool:
    """Whether a key of a package's own names a file, as ours do."""
    return key.endswith("_file") and isinstance(value, str)


def _open_proxies(document: Document, value: Any) -> Iterator[Problem]:
    """Find proxies that are named twice or hold a secret in the file itself. No value is shown."""
    for pointer, place in _places(value):
        if "proxy" not in place or place.get("kind", "s3") not in BUILTIN_KINDS:
            continue
        where = document.where((*pointer, "proxy"))
        written: Any = document.value
        for step in (*pointer, "proxy"):
            written = written[step]
        if "@" in written:
            yield Problem(
                where,
                "'proxy': user and password may not stand here: this file holds no secrets",
                "write the address into a file and name it as proxy_file, or take it from ${VARIABLE}",
            )
        elif "proxy_file" in place:
            yield Problem(where, "'proxy' and 'proxy_file' are both given", "give one of them")


def _absent_files(document: Document, value: Any) -> Iterator[Problem]:
    base = Path(document.name).parent
    for pointer, file in _files(value):
        if not (base / file).is_file():
            where = document.where(pointer)
            yield Problem(where, f"'{pointer[-1]}': there is no such file", _relative(base))


def _relative(base: Path) -> str:
    return f"paths are relative to {base}, and '~' is not expanded: write ${{HOME}}"


def _absent_folders(document: Document, value: Any) -> Iterator[Problem]:
    base = Path(document.name).parent
    for pointer, target in _targets(value):
        if "source" in target and target["kind"] in CODE_KINDS and not (base / target["source"]).is_dir():
            where = document.where((*pointer, "source"))
            yield Problem(where, "'source': there is no such folder", _relative(base))
    for number, subject in enumerate(value["subjects"]):
        if "registers" in subject and not (base / subject["registers"]).is_dir():
            where = document.where(("subjects", number, "registers"))
            yield Problem(where, "'registers': there is no such folder", _relative(base))


def _open_to_others(document: Document, value: Any) -> Iterator[Problem]:
    """Warn of key files that other users of the machine can read."""
    base = Path(document.name).parent
    for pointer, file in _files(value):
        if not (base / file).is_file():
            continue
        mode = (base / file).stat().st_mode
        if pointer[-1] not in _NO_SECRETS and mode & 0o077:
            yield Problem(
                document.where(pointer),
                f"'{pointer[-1]}': others can read this file (mode {mode & 0o777:04o})",
                "take their rights away: chmod 600 FILE",
            )


def _subject(
    document: Document, subject: Mapping[str, Any], number: int, kinds: Mapping[str, Kind]
) -> Subject:
    base = Path(document.name).parent
    title = subject["title"]
    return Subject(
        subject["id"],
        subject["kind"],
        Text(title["vi"], title.get("en", title["vi"])),
        base / subject["registers"] if "registers" in subject else None,
        tuple(
            _entry(
                _with_project(target, subject),
                base,
                document.where(("subjects", number, "targets", n)),
                kinds,
            )
            for n, target in enumerate(subject["targets"])
        ),
        tuple(subject.get("absent", ())),
        document.where(("subjects", number)),
        subject.get("proxy"),
        _file(subject, "proxy_file", base),
    )


def _with_project(target: Mapping[str, Any], subject: Mapping[str, Any]) -> Mapping[str, Any]:
    """A target as written, with the only project of the cloud whose Swift it shows, where it names none."""
    view = target.get("swift") if target["kind"] == "s3" else None
    if view is None or "project" in view:
        return target
    (project,) = next(one["projects"] for one in subject["targets"] if one["name"] == view["target"])
    return {**target, "swift": {**view, "project": project}}


def _entry(written: Mapping[str, Any], base: Path, where: Where, kinds: Mapping[str, Kind]) -> Entry:
    if written["kind"] not in BUILTIN_KINDS:
        return _plugin_entry(written, base, where, kinds[written["kind"]])
    if written["kind"] in CODE_KINDS:
        return _code_entry(written, base, where)
    filled = presets()[written["provider"]].settings if "provider" in written else {}
    target = {**_defaults(written["kind"]), **filled, **written}
    kept = {
        **_common(target, base, where),
        "label_keys": tuple(target.get("label_keys", ())),
        "proxy": target.get("proxy"),
        "proxy_file": _file(target, "proxy_file", base),
    }
    if target["kind"] == "openstack":
        return OpenStackEntry(
            cloud=target["cloud"],
            regions=_some(target["regions"]),
            projects=_some(target["projects"]),
            vantage=target["vantage"],
            interface=target.get("interface"),
            allow_http=target["allow_http"],
            **kept,
        )
    return S3Entry(
        endpoint=target["endpoint"],
        profile=target.get("profile"),
        access_key_file=_file(target, "access_key_file", base),
        secret_key_file=_file(target, "secret_key_file", base),
        region=target["region"],
        addressing=target["addressing"],
        expected_owner=target.get("expected_owner"),
        buckets=_some(target["buckets"]),
        provider=target.get("provider"),
        swift=SwiftAccount(**target["swift"]) if "swift" in target else None,
        admin_profile=target.get("admin_profile"),
        admin_access_key_file=_file(target, "admin_access_key_file", base),
        admin_secret_key_file=_file(target, "admin_secret_key_file", base),
        admin_path=target["admin_path"],
        **kept,
    )


def _code_entry(target: Mapping[str, Any], base: Path, where: Where) -> CodeEntry:
    form = next(key for key in ("plan", "state", "template") if key in target)
    return CodeEntry(
        target["name"], target["kind"], form, base / target[form], _file(target, "source", base),
        _file(target, "environment", base), target.get("region"), target.get("project"),
        tuple(target.get("label_keys", ())), where, tuple(target.get("ignored", ())),
    )  # fmt: skip


def _plugin_entry(written: Mapping[str, Any], base: Path, where: Where, kind: Kind) -> PluginEntry:
    ours = {key: value for key, value in _defaults("s3").items() if key in COMMON_KEYS}
    target = {**_defaults_in(kind.keys.get("properties", {})), **ours, **written}
    own = {key: value for key, value in target.items() if key not in COMMON_KEYS}
    settings = {key: base / value if _is_file(key, value) else value for key, value in own.items()}
    return PluginEntry(kind=kind.name, settings=settings, plugin=kind, **_common(target, base, where))


def _common(target: Mapping[str, Any], base: Path, where: Where) -> dict[str, Any]:
    """What targets of every kind have."""
    return {
        "name": target["name"],
        "ca_file": _file(target, "ca_file", base),
        "allow_private": tuple(address_of(text) for text in target.get("allow_private", ())),
        "max_in_flight": target["max_in_flight"],
        "rate_limit": target.get("rate_limit"),
        "deadline": duration_of(target["deadline"]),
        "where": where,
    }


def _defaults(kind: str) -> Mapping[str, Any]:
    return _defaults_in(schema("targets")["$defs"][kind]["properties"])


def _defaults_in(shapes: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        name: shape["default"]
        for name, shape in shapes.items()
        if isinstance(shape, Mapping) and "default" in shape
    }


def _some(value: str | list[str]) -> tuple[str, ...] | None:
    """A list as it is; `all` as None."""
    return tuple(value) if isinstance(value, list) else None


def _file(target: Mapping[str, Any], key: str, base: Path) -> Path | None:
    return base / target[key] if key in target else None
