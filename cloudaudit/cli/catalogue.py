"""Commands that show what cloudaudit knows: controls, profiles, facts, obligations, schemas."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from cloudaudit.cli.options import EXISTING, controls_option, fitted, language, tell
from cloudaudit.model import COMMON_FACTS, Control, Profile, ResourceType, Text
from cloudaudit.wording import Lang, demand, shown

_IN = click.option("--lang", type=click.Choice(["vi", "en"]))
_WORDS: Final[Mapping[str, Text]] = {
    "applies_to": Text("xét", "applies to"),
    "reads": Text("đọc", "reads"),
    "reads_of": Text("đọc của {type}", "reads of {type}"),
    "limits": Text("hạn chế", "limits"),
    "remediation": Text("khắc phục", "remediation"),
    "version": Text("phiên bản", "version"),
    "conditions": Text(
        "đáp ứng khi check đúng (docs/control-language.md)",
        "passes when check holds (docs/control-language.md)",
    ),
    "official": Text("chính thức", "official"),
    "unofficial": Text("không chính thức", "unofficial"),
    "controls": Text("{count} biện pháp kiểm soát", "{count} controls"),
    "excluded": Text("không xét {ids}: {reason}", "without {ids}: {reason}"),
    "default": Text("mặc định", "default"),
    "limit": Text("giới hạn cho {name}", "limit of {name}"),
    "loosened": Text("không đáp ứng vì vượt giới hạn", "fails, for a limit is broken"),
    "left_out": Text("không xét", "left out"),
    "source_mark": Text("nguồn", "source"),
    "legal_state": Text("hiệu lực", "legal state"),
    "kind": Text("loại văn bản", "kind"),
    "translation": Text("bản dịch tiếng Anh", "in English"),
    "served_by": Text("biện pháp kiểm soát phục vụ", "served by"),
    "nobody": Text("không có", "no control"),
    "derived": Text("suy ra", "derived"),
    "declared": Text("khai báo", "declared"),
}


def _say(text: str = "", hang: int = 4) -> None:
    """One item of a list or one part of a text; `hang` is where its further lines begin."""
    click.echo(fitted(text, hang))


def _word(key: str, lang: Lang, **filled: object) -> str:
    text: str = getattr(_WORDS[key], lang)
    return text.format(**filled)


def _label(group: str, value: str, lang: Lang) -> str:
    from cloudaudit.reporters.words import labels

    text: str = getattr(labels().of(group, value), lang)
    return text


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


@click.group()
def controls() -> None:
    """List, show and lint controls."""


@controls.command("list")
@controls_option
@_IN
def controls_list(controls: tuple[Path, ...], lang: str | None) -> None:
    """One line for each control: id, severity, method, title."""
    from cloudaudit.plugins import catalogue as load_catalogue

    for control in load_catalogue(controls).controls():
        title = getattr(control.title, language(lang))
        _say(f"{control.id:<8} {control.severity.value:<8} {control.method.value}  {title}", 21)


@controls.command("show")
@click.argument("id_", metavar="ID")
@controls_option
@_IN
def controls_show(id_: str, controls: tuple[Path, ...], lang: str | None) -> None:
    """One control: what it examines, when it passes, its limits, its clauses and remediation."""
    from cloudaudit.plugins import catalogue as load_catalogue
    from cloudaudit.yamlsource import written

    catalogue, chosen = load_catalogue(controls), language(lang)
    control = catalogue.control(id_)
    _describe(control, chosen)
    _say(f"  {_word('conditions', chosen)}:")
    narrow = 52 if sys.stdout.isatty() else 110
    for line in written(catalogue.sources[id_].written(), narrow).splitlines():
        # As it is: folded by others, it would be no YAML any more.
        click.echo(f"    {line}")
    for name in control.obligations:
        one = catalogue.obligations[name]
        state = _label("source_state", one.state.value, chosen)
        legal = _label("legal_state", one.legal_state, chosen)
        _say(f"  {one.id} [{state}, {legal}] {one.source}, {one.clause}")


def _describe(control: Control, lang: Lang) -> None:
    _say(f"{control.id} {getattr(control.title, lang)}")
    kinds = (
        _label("severity", control.severity.value, lang),
        f"{_label('method', control.method.value, lang)} ({control.method.value})",
        f"{_label('basis', control.basis.value, lang)} ({control.basis.value})",
        f"{_word('version', lang)} {control.version}",
    )
    _say(f"  {' · '.join(kinds)}")
    _say(f"  {_word('applies_to', lang)}: {', '.join(control.applies_to)}")
    reads = sorted({fact for condition in control.conditions for fact in condition.reads})
    _say(f"  {_word('reads', lang)}: {', '.join(reads) or '-'}")
    related: dict[str, set[str]] = defaultdict(set)
    for condition in control.conditions:
        for type_, fact in condition.related_reads:
            related[type_].add(fact)
        for join in condition.joins:
            related[join.type]
    for type_, facts in sorted(related.items()):
        _say(f"  {_word('reads_of', lang, type=type_)}: {', '.join(sorted(facts)) or '-'}")
    _say(f"  {_word('limits', lang)}: {getattr(control.limits, lang)}")
    _say(f"  {_word('remediation', lang)}: {getattr(control.remediation.text, lang)}")
    for command in control.remediation.cli:
        click.echo(f"    $ {command}")


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
    counts = (found.controls, "control"), (found.examples, "example"), (len(found.problems), "problem")
    _say(", ".join(_counted(*pair) for pair in counts))
    return 2 if found.problems else 0


@click.group()
def profiles() -> None:
    """List, show and lint profiles."""


@profiles.command("list")
@_IN
def profiles_list(lang: str | None) -> None:
    """One line for each profile: id, version, whether it is official, title."""
    from cloudaudit.catalog import load_profile, profile_ids
    from cloudaudit.plugins import catalogue as load_catalogue

    catalogue, chosen = load_catalogue(), language(lang)
    width = max(map(len, profile_ids()))
    for name in sorted(profile_ids()):
        one = load_profile(name, catalogue)
        mark = _word("official" if one.official else "unofficial", chosen)
        _say(f"{one.id:<{width}}  {one.version:<8} {mark:<16} {getattr(one.title, chosen)}")


@profiles.command("show")
@click.argument("name", metavar="ID|FILE")
@click.option("--kind", type=click.Choice(["provider", "agency"]), default="provider", show_default=True)
@controls_option
@_IN
def profiles_show(name: str, kind: str, controls: tuple[Path, ...], lang: str | None) -> None:
    """What a profile selects, leaves out, changes and limits."""
    from cloudaudit.catalog import load_profile
    from cloudaudit.plugins import catalogue as load_catalogue

    chosen = language(lang)
    one = load_profile(name, load_catalogue(controls), kind)
    _say(f"{one.id} {one.version}: {getattr(one.title, chosen)}")
    _say(f"  {getattr(one.notice, chosen)}")
    counted = _word("controls", chosen, count=len(one.controls))
    _say(f"  {counted}: {', '.join(c.id for c in one.controls)}")
    reasons: dict[str, list[str]] = defaultdict(list)
    for id_, reason in sorted(one.excluded.items()):
        reasons[getattr(reason, chosen)].append(id_)
    for told, ids in reasons.items():
        _say(f"  {_word('excluded', chosen, ids=', '.join(ids), reason=told)}")
    _tailoring(one, chosen)
    selected = {control.id for control in one.controls}
    for gate in one.gates:
        kept = ", ".join(id_ for id_ in gate.controls if id_ in selected)
        left = ", ".join(id_ for id_ in gate.controls if id_ not in selected)
        parts = [kept] * bool(kept) + [f"{_word('left_out', chosen)} {left}"] * bool(left)
        _say(f"  {gate.id} {getattr(gate.title, chosen)}: {'; '.join(parts)}")


def _tailoring(one: Profile, lang: Lang) -> None:
    """Parameters with values of the profile's own, its limits on parameters, and those that are broken."""
    for control in one.controls:
        specs = {name: parameter.spec for name, parameter in control.parameters.items()}
        for name, value in sorted(one.changed.get(control.id, {}).items()):
            default = shown(control.parameters[name].default, specs[name], lang)
            told = f"{shown(value, specs[name], lang)} ({_word('default', lang)}: {default})"
            _say(f"  {control.id}: {name} = {told}")
        for limit in one.limits.get(control.id, ()):
            told = demand(limit.operator, limit.value, specs[limit.parameter], lang)
            _say(f"  {control.id}: {_word('limit', lang, name=limit.parameter)}: {told}")
        for broken in one.loosened.get(control.id, ()):
            _say(f"  {control.id}: {_word('loosened', lang)}: {broken.detail}")


@profiles.command("lint")
@click.argument("paths", type=EXISTING, nargs=-1)
@controls_option
def profiles_lint(paths: tuple[Path, ...], controls: tuple[Path, ...]) -> int:
    """Check profiles against the catalogue. Exit 2 when something is wrong."""
    from cloudaudit.catalog import lint_profiles
    from cloudaudit.plugins import catalogue as load_catalogue

    linted, problems = lint_profiles(paths, load_catalogue(controls))
    for problem in problems:
        tell(f"error: {problem}")
    _say(f"{_counted(linted, 'profile')}, {_counted(len(problems), 'problem')}")
    return 2 if problems else 0


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
@_IN
def providers_list(lang: str | None) -> None:
    """One line for each preset: id, endpoint, province, provider."""
    from cloudaudit.providers import presets

    chosen = language(lang)
    for one in presets().values():
        province = one.province or _UNKNOWN[chosen]
        _say(f"{one.id:<20} {one.settings['endpoint']:<36} {province}  {getattr(one.provider, chosen)}", 21)


@providers.command("show")
@click.argument("id_", metavar="ID")
@_IN
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
@_IN
def facts(type_: str | None, lang: str | None) -> None:
    """Every fact: its type, meaning, and the call or derivation it comes from."""
    from cloudaudit.errors import CatalogError, did_you_mean
    from cloudaudit.plugins import types as all_types

    types = all_types()
    if type_ is not None and type_ not in types:
        raise CatalogError(f"there is no resource type '{type_}'", hint=did_you_mean(type_, types))
    for name in [type_] if type_ else sorted(types):
        _show_facts(types[name], language(lang))


def _show_facts(type_: ResourceType, lang: Lang) -> None:
    _say(f"{type_.name}: {getattr(type_.title, lang)}")
    for spec in (*COMMON_FACTS.values(), *type_.facts.values()):
        derived = f"{_word('derived', lang)}: {spec.derived}" if spec.derived else ""
        origin = derived or spec.call or _word("declared", lang)
        _say(f"  {spec.name:<32} {spec.kind:<18} {getattr(spec.meaning, lang)} [{origin}]", 6)
    _say()


@click.group()
def obligations() -> None:
    """List and show the clauses that controls serve."""


@obligations.command("list")
@_IN
def obligations_list(lang: str | None) -> None:
    """One line for each clause: id, source mark, legal state, source."""
    from cloudaudit.plugins import catalogue as load_catalogue

    chosen = language(lang)
    for one in load_catalogue().obligations.values():
        state = _label("source_state", one.state.value, chosen)
        legal = _label("legal_state", one.legal_state, chosen)
        _say(f"{one.id:<14} {state:<18} {legal:<14} {one.source}, {one.clause}", 15)


@obligations.command("show")
@click.argument("id_", metavar="ID")
@_IN
def obligations_show(id_: str, lang: str | None) -> None:
    """One clause: its text or report of it, our translation, and the controls that serve it."""
    from cloudaudit.errors import CatalogError, did_you_mean
    from cloudaudit.plugins import catalogue as load_catalogue

    catalogue = load_catalogue()
    if id_ not in catalogue.obligations:
        raise CatalogError(f"there is no obligation '{id_}'", hint=did_you_mean(id_, catalogue.obligations))
    one, chosen = catalogue.obligations[id_], language(lang)
    _say(f"{one.id}: {one.source}, {one.clause}")
    marks = (
        ("source_mark", "source_state", one.state.value),
        ("legal_state", "legal_state", one.legal_state),
        ("kind", "obligation_kind", one.kind),
    )
    told = [f"{_word(word, chosen)}: {_label(group, value, chosen)}" for word, group, value in marks]
    _say(f"  {'; '.join(told)}")
    if one.quote:
        _say(f"  “{one.quote}”")
    _say(f"  {_word('translation', chosen)}: {one.translation}")
    if one.address:
        _say(f"  {one.address}")
    serving = [c.id for c in catalogue.controls() if id_ in c.obligations]
    _say(f"  {_word('served_by', chosen)}: {', '.join(serving) or _word('nobody', chosen)}")


@click.command()
@click.argument("name", required=False)
def schema(name: str | None) -> None:
    """Print the JSON Schema of a file users write, for editors and validators; without NAME, list them."""
    from cloudaudit.catalog import schema as find
    from cloudaudit.catalog import schema_names
    from cloudaudit.plugins import kinds
    from cloudaudit.targets import schema_with

    if name is None:
        for one in schema_names():
            _say(one)
        return
    found = schema_with(kinds()) if name == "targets" else find(name)
    json.dump(found, sys.stdout, indent=2, ensure_ascii=False)
    _say()
