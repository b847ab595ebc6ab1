"""What other packages bring through entry points: kinds of target with their collectors, and reporters.

Names of ours win: a package that uses one is not imported. What a collector's package declares (its
resource types, its keys in targets.yaml) is data beside its module, so that linting and judging run
none of its code; only reading a target of its kind does.
"""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from cloudaudit.catalog import Catalogue, load_catalogue, load_types
from cloudaudit.collectors import Collector
from cloudaudit.collectors.guard import Broken, Guarded, is_collector
from cloudaudit.collectors.transport import Clock
from cloudaudit.errors import CatalogError, CloudauditError, Problem, TargetError, did_you_mean
from cloudaudit.model import ResourceType
from cloudaudit.reporters import BUILTIN, Context, Reporter
from cloudaudit.targets import BUILTIN_KINDS, Kind, PluginEntry, problem_of_keys

REPORTERS: Final = "cloudaudit.reporters"
COLLECTORS: Final = "cloudaudit.collectors"
KEYS: Final = "target.schema.json"
"""File of a collector's package: the JSON Schema of its own keys in targets.yaml."""
TYPES: Final = "resources"
"""Folder of a collector's package: declarations of its resource types, in the form of ours."""
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,30}", re.ASCII)

# --- collectors -----------------------------------------------------------------------------------


def kinds() -> dict[str, Kind]:
    """The kinds of target that installed packages bring, by name. Imports none of them.

    A package whose declarations are wrong is told of in `problems` of its kind, and costs nothing else.
    """
    found: defaultdict[str, list[EntryPoint]] = defaultdict(list)
    for entry in entry_points(group=COLLECTORS):
        if entry.name not in BUILTIN_KINDS:
            found[entry.name].append(entry)
    return {name: _kind(name, entries) for name, entries in sorted(found.items())}


def types(brought: Mapping[str, Kind] | None = None) -> Mapping[str, ResourceType]:
    """Every resource type: ours, and those of packages, whose names begin with the name of their kind."""
    others = [kind.types for kind in (kinds() if brought is None else brought).values() if kind.types]
    ours = load_types()
    return {name: type_ for known in (ours, *others) for name, type_ in known.items()} if others else ours


def type_folders() -> list[Path]:
    """Where packages keep the declarations of their resource types, as far as these are sound."""
    return [_folder(kind.source.partition(":")[0]) / TYPES for kind in kinds().values() if kind.types]


def catalogue(own: Sequence[Path] = ()) -> Catalogue:
    """The catalogue, with the resource types of packages for an organisation's own controls."""
    return load_catalogue(own, types=types())


def collector(entry: PluginEntry, now: Clock, cancelled: threading.Event | None) -> Collector:
    """The collector of a target of a package's kind. Whatever it does wrong costs this target only.

    TargetError is the package's own way to tell a mistake in targets.yaml.
    """
    stop = cancelled or threading.Event()
    try:
        made = _loaded(entry.plugin.source)(entry, now, stop)
    except TargetError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - code of others: any defect is a gap
        why = f"{entry.plugin.named} cannot be loaded ({type(error).__name__})"
        return Broken(entry.name, entry.plugin.types, why)
    if not is_collector(made):
        return Broken(entry.name, entry.plugin.types, f"{entry.plugin.named} made what is no collector")
    return Guarded(made, entry.name, entry.plugin.types, entry.plugin.named, stop, entry.deadline)


def not_as_collected(run: Mapping[str, Any], brought: Mapping[str, Kind]) -> Iterator[str]:
    """What to say of plug-ins that took part in a collection and are not here, or are of another version."""
    for one in run.get("plugins", ()):
        here = brought.get(one["name"])
        was = f"'{one['name']}' of the package {one['package']} {one['version']}"
        if here is None or here.problems:
            yield (
                f"the snapshot was read with the plug-in {was}, which is not installed here: "
                "its facts stay unread, and controls on them are refused"
            )
        elif (here.package, here.version) != (one["package"], one["version"]):
            yield f"the snapshot was read with the plug-in {was}; here is {here.package} {here.version}"


def _loaded(source: str) -> Any:
    module, _, attribute = source.partition(":")
    found: Any = import_module(module)
    for name in attribute.split("."):
        found = getattr(found, name)
    return found


def _kind(name: str, entries: Sequence[EntryPoint]) -> Kind:
    packages = sorted({_package(entry) for entry in entries})
    (package, version), source = packages[0], entries[0].value.partition("[")[0].replace(" ", "")
    if len(packages) > 1:
        both = " and ".join(f"{name} {version}" for name, version in packages)
        return Kind(name, package, version, source, problems=(Problem(None, f"{both} both bring it"),))
    if not _KIND.fullmatch(name):
        wrong = Problem(None, "its name is not one of small letters, digits and '_'")
        return Kind(name, package, version, source, problems=(wrong,))
    try:
        folder = _folder(source.partition(":")[0])
        keys = _keys(folder / KEYS)
        declared = load_types(folder / TYPES)
    except CloudauditError as wrong:
        return Kind(name, package, version, source, problems=wrong.problems)
    problems = tuple(_misfits(name, declared))
    return Kind(name, package, version, source, keys, {} if problems else declared, problems)


def _package(entry: EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist is not None else ("unknown", "unknown")


def _folder(module: str) -> Path:
    """The folder of the package a module is in, found without running any of its code."""
    top, *rest = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        spec = None
    for base in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(base, *rest)
        folder = path if path.is_dir() else path.parent
        if folder.is_dir():
            return folder
    raise CatalogError(f"there is no package '{module}'", hint="a collector's module lies in a package")


def _keys(path: Path) -> Mapping[str, Any]:
    try:
        keys = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else "it is no JSON"
        raise CatalogError(f"{path} cannot be read: {why}") from wrong
    if why := problem_of_keys(keys):
        raise CatalogError(f"{path}: {why}")
    found: Mapping[str, Any] = keys
    return found


def _misfits(kind: str, declared: Mapping[str, ResourceType]) -> Iterator[Problem]:
    """What in a package's types could be taken for another's, or is nothing a collector can read."""
    if not declared:
        yield Problem(None, f"its package declares no resource type in {TYPES}/")
    for type_ in declared.values():
        for what, name in [("resource type", type_.name), *(("call", call) for call in type_.calls)]:
            if not name.startswith(f"{kind}."):
                yield Problem(None, f"the {what} '{name}' does not begin with '{kind}.'")
        if type_.declared or any(fact.derived for fact in type_.facts.values()):
            yield Problem(None, f"'{type_.name}' has what is declared or derived, which no collector reads")
        if not any(call.lists for call in type_.calls.values()):
            yield Problem(None, f"'{type_.name}' has no call with 'lists: true'")


# --- reporters ------------------------------------------------------------------------------------


def reporter(name: str) -> Reporter:
    """Load one reporter. A built-in wins over a package that uses its name, which is then not imported."""
    if name in BUILTIN:
        found: Reporter = _loaded(BUILTIN[name])()
        return found
    for entry in entry_points(group=REPORTERS, name=name):
        return _Foreign(name, entry)
    known = {*BUILTIN, *(entry.name for entry in entry_points(group=REPORTERS))}
    # Of gitlab, the format that begins so is nearer than one that is spelled alike.
    begun = [one for one in sorted(known) if one.startswith(f"{name}-")]
    hint = f"did you mean '{begun[0]}'?" if len(begun) == 1 else did_you_mean(name, known)
    raise CloudauditError(f"there is no format '{name}'", hint=hint or f"known: {', '.join(sorted(known))}")


def package_of(found: Reporter) -> dict[str, str] | None:
    """Which package a reporter is of, as a report names it; None for one of ours."""
    return dict(found.package) if isinstance(found, _Foreign) else None


class _Foreign:
    """A reporter of a package. What it does wrong is told as its own mistake."""

    def __init__(self, name: str, entry: EntryPoint) -> None:
        package, version = _package(entry)
        self.package = {"name": name, "package": package, "version": version}
        self._whose = f"the format '{name}' of the package {package} {version}"
        try:
            self._reporter = entry.load()()
            self.media_type = str(self._reporter.media_type)
            callable_ = callable(self._reporter.render)
        except (Exception, SystemExit) as error:
            raise CloudauditError(f"{self._whose} cannot be loaded ({type(error).__name__})") from error
        if not callable_:
            raise CloudauditError(f"{self._whose} is no reporter: it has no 'render'")

    def render(self, report: Mapping[str, Any], context: Context) -> str | bytes:
        try:
            made = self._reporter.render(report, context)
        except CloudauditError:
            raise
        except (Exception, SystemExit) as error:
            raise CloudauditError(f"{self._whose} failed ({type(error).__name__})") from error
        if not isinstance(made, str | bytes):
            raise CloudauditError(f"{self._whose} gave {type(made).__name__} in place of text or bytes")
        return made


def described(brought: Iterable[Kind]) -> list[dict[str, str]]:
    """Kinds as a snapshot names them."""
    return [{"name": kind.name, "package": kind.package, "version": kind.version} for kind in brought]
