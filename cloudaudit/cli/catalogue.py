"""Commands that show what cloudaudit knows: controls, profiles, facts, obligations, schemas."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from cloudaudit.cli.options import EXISTING, language, tell
from cloudaudit.model import COMMON_FACTS, Control, ResourceType


def _say(text: str = "") -> None:
    click.echo(text)


@click.group()
def controls() -> None:
    """List, show and lint controls."""


@controls.command("list")
@click.option("--controls", "own", type=EXISTING, multiple=True, help="An organisation's own controls.")
@click.option("--lang", type=click.Choice(["vi", "en"]))
def controls_list(own: tuple[Path, ...], lang: str | None) -> None:
    """One line for each control: id, severity, method, title."""
    from cloudaudit.plugins import catalogue as load_catalogue

    for control in load_catalogue(own).controls():
        title = getattr(control.title, language(lang))
        _say(f"{control.id:<8} {control.severity.value:<8} {control.method.value}  {title}")


@controls.command("show")
@click.argument("id_", metavar="ID")
@click.option("--controls", "own", type=EXISTING, multiple=True, help="An organisation's own controls.")
@click.option("--lang", type=click.Choice(["vi", "en"]))
def controls_show(id_: str, own: tuple[Path, ...], lang: str | None) -> None:
    """One control: what it examines, its limits, its clauses and remediation."""
    from cloudaudit.plugins import catalogue as load_catalogue

    catalogue = load_catalogue(own)
    _say(_described(catalogue.control(id_), language(lang)))
    for name in catalogue.control(id_).obligations:
        one = catalogue.obligations[name]
        _say(f"  {one.id} [{one.state.value}, {one.legal_state}] {one.source}, {one.clause}")


def _described(control: Control, lang: str) -> str:
    reads = sorted({fact for condition in control.conditions for fact in condition.reads})
    lines = [
        f"{control.id} {getattr(control.title, lang)}",
        f"  {control.severity.value}, {control.method.value}, {control.basis.value}, {control.version}",
        f"  applies to: {', '.join(control.applies_to)}",
        f"  reads: {', '.join(reads) or '-'}",
        *(
            f"  parameter {p.name} = {p.default!r} ({p.spec.type.value}, {p.source})"
            for p in control.parameters.values()
        ),
        f"  limits: {getattr(control.limits, lang)}",
        f"  remediation: {getattr(control.remediation.text, lang)}",
        *(f"    $ {command}" for command in control.remediation.cli),
    ]
    return "\n".join(lines)


@controls.command("lint")
@click.argument("paths", type=EXISTING, nargs=-1)
def controls_lint(paths: tuple[Path, ...]) -> int:
    """Check controls and run every example they carry. Exit 2 when something is wrong."""
    from cloudaudit.api import lint
    from cloudaudit.errors import CatalogError

    found = lint(paths)
    if not found.controls:
        raise CatalogError("there is no control in the given folders", hint="a control is a .yaml file")
    for problem in found.problems:
        tell(f"error: {problem}")
    _say(f"{found.controls} controls, {found.examples} examples, {len(found.problems)} problems")
    return 2 if found.problems else 0


@click.group()
def profiles() -> None:
    """List, show and lint profiles."""


@profiles.command("list")
@click.option("--lang", type=click.Choice(["vi", "en"]))
def profiles_list(lang: str | None) -> None:
    """One line for each profile: id, version, whether it is official, title."""
    from cloudaudit.catalog import load_profile, profile_ids
    from cloudaudit.plugins import catalogue as load_catalogue

    catalogue = load_catalogue()
    width = max(map(len, profile_ids()))
    for name in sorted(profile_ids()):
        one = load_profile(name, catalogue)
        mark = "official" if one.official else "unofficial"
        _say(f"{one.id:<{width}}  {one.version:<8} {mark:<11} {getattr(one.title, language(lang))}")


@profiles.command("show")
@click.argument("name", metavar="ID|FILE")
@click.option("--kind", type=click.Choice(["provider", "agency"]), default="provider", show_default=True)
@click.option("--lang", type=click.Choice(["vi", "en"]))
def profiles_show(name: str, kind: str, lang: str | None) -> None:
    """What a profile selects, leaves out and changes."""
    from cloudaudit.catalog import load_profile
    from cloudaudit.plugins import catalogue as load_catalogue

    chosen = language(lang)
    one = load_profile(name, load_catalogue(), kind)
    _say(f"{one.id} {one.version}: {getattr(one.title, chosen)}")
    _say(f"  {getattr(one.notice, chosen)}")
    _say(f"  {len(one.controls)} controls: {', '.join(c.id for c in one.controls)}")
    for id_, reason in sorted(one.excluded.items()):
        _say(f"  without {id_}: {getattr(reason, chosen)}")
    for id_, changed in sorted(one.changed.items()):
        _say(f"  {id_} with {', '.join(sorted(changed))} of its own")
    for id_, broken in sorted(one.loosened.items()):
        _say(f"  {id_} fails, for a limit is broken: {'; '.join(excess.detail for excess in broken)}")
    for gate in one.gates:
        _say(f"  {gate.id} {getattr(gate.title, chosen)}: {', '.join(gate.controls)}")


@profiles.command("lint")
@click.argument("paths", type=EXISTING, nargs=-1)
def profiles_lint(paths: tuple[Path, ...]) -> None:
    """Check profiles against the catalogue."""
    from cloudaudit.catalog import load_profile, profile_ids
    from cloudaudit.plugins import catalogue as load_catalogue

    catalogue = load_catalogue()
    names = [str(path) for path in paths] or sorted(profile_ids())
    for name in names:
        load_profile(name, catalogue)
    _say(f"{len(names)} profiles, 0 problems")


@click.group()
def providers() -> None:
    """List and show presets of domestic object stores, for `provider` in targets.yaml."""


_UNKNOWN = {"vi": "chưa rõ", "en": "not known"}
_NAMES = {
    "endpoint": {"vi": "điểm cuối", "en": "endpoint"},
    "region": {"vi": "vùng ký yêu cầu", "en": "signing region"},
    "addressing": {"vi": "cách gọi bucket", "en": "addressing"},
    "place": {"vi": "nơi đặt theo nhà cung cấp", "en": "place, as the provider says"},
    "note": {"vi": "lưu ý", "en": "note"},
    "source": {"vi": "nguồn", "en": "source"},
    "read": {"vi": "đọc ngày", "en": "read"},
}


@providers.command("list")
@click.option("--lang", type=click.Choice(["vi", "en"]))
def providers_list(lang: str | None) -> None:
    """One line for each preset: id, endpoint, province, provider."""
    from cloudaudit.providers import presets

    chosen = language(lang)
    for one in presets().values():
        province = one.province or _UNKNOWN[chosen]
        _say(f"{one.id:<20} {one.settings['endpoint']:<36} {province}  {getattr(one.provider, chosen)}")


@providers.command("show")
@click.argument("id_", metavar="ID")
@click.option("--lang", type=click.Choice(["vi", "en"]))
def providers_show(id_: str, lang: str | None) -> None:
    """What a preset fills, what is not known, and where each of it was read."""
    from cloudaudit.providers import SETTINGS, preset

    one, chosen = preset(id_), language(lang)
    _say(f"{one.id}: {getattr(one.provider, chosen)}, {getattr(one.title, chosen)}")
    place = f"{one.province}, {one.country}" if one.province else _UNKNOWN[chosen]
    for name in SETTINGS:
        _say(f"  {_NAMES[name][chosen]} ({name}): {one.settings.get(name, _UNKNOWN[chosen])}")
    _say(f"  {_NAMES['place'][chosen]}: {place}")
    for note in one.notes:
        _say(f"  {_NAMES['note'][chosen]}: {getattr(note, chosen)}")
    for source in one.sources:
        what = ", ".join(_NAMES[name][chosen] for name in source.what)
        _say(f"  {_NAMES['source'][chosen]} ({what}; {_NAMES['read'][chosen]} {source.read}): {source.url}")


@click.command()
@click.argument("type_", metavar="[TYPE]", required=False)
@click.option("--lang", type=click.Choice(["vi", "en"]))
def facts(type_: str | None, lang: str | None) -> None:
    """Every fact: its type, meaning, and the call or derivation it comes from."""
    from cloudaudit.errors import CatalogError, did_you_mean
    from cloudaudit.plugins import types as all_types

    types = all_types()
    if type_ is not None and type_ not in types:
        raise CatalogError(f"there is no resource type '{type_}'", hint=did_you_mean(type_, types))
    for name in [type_] if type_ else sorted(types):
        _show_facts(types[name], language(lang))


def _show_facts(type_: ResourceType, lang: str) -> None:
    _say(f"{type_.name}: {getattr(type_.title, lang)}")
    for spec in (*COMMON_FACTS.values(), *type_.facts.values()):
        kind = f"{spec.type.value}{' or null' if spec.nullable else ''}"
        origin = f"derived: {spec.derived}" if spec.derived else spec.call or "declared"
        _say(f"  {spec.name:<32} {kind:<18} {getattr(spec.meaning, lang)} [{origin}]")
    _say()


@click.group()
def obligations() -> None:
    """List and show the clauses that controls serve."""


@obligations.command("list")
def obligations_list() -> None:
    """One line for each clause: id, source mark, legal state, source."""
    from cloudaudit.plugins import catalogue as load_catalogue

    for one in load_catalogue().obligations.values():
        _say(f"{one.id:<14} {one.state.value:<10} {one.legal_state:<11} {one.source}, {one.clause}")


@obligations.command("show")
@click.argument("id_", metavar="ID")
def obligations_show(id_: str) -> None:
    """One clause: its text or report of it, our translation, and the controls that serve it."""
    from cloudaudit.errors import CatalogError, did_you_mean
    from cloudaudit.plugins import catalogue as load_catalogue

    catalogue = load_catalogue()
    if id_ not in catalogue.obligations:
        raise CatalogError(f"there is no obligation '{id_}'", hint=did_you_mean(id_, catalogue.obligations))
    one = catalogue.obligations[id_]
    _say(f"{one.id}: {one.source}, {one.clause}")
    _say(f"  source mark: {one.state.value}; legal state: {one.legal_state}; kind: {one.kind}")
    if one.quote:
        _say(f"  “{one.quote}”")
    _say(f"  {one.translation}")
    if one.address:
        _say(f"  {one.address}")
    serving = [c.id for c in catalogue.controls() if id_ in c.obligations]
    _say(f"  served by: {', '.join(serving) or 'no control'}")


@click.command()
@click.argument("name")
def schema(name: str) -> None:
    """Print the JSON Schema of a file users write, for editors and validators."""
    from cloudaudit.catalog import schema as find
    from cloudaudit.plugins import kinds
    from cloudaudit.targets import schema_with

    found = schema_with(kinds()) if name == "targets" else find(name)
    json.dump(found, sys.stdout, indent=2, ensure_ascii=False)
    _say()
