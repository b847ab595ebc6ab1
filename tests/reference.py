"""Pages of docs/reference and docs/peers.md, from the data they speak of: `make golden` writes them.

One page a control and one a resource type with its facts; indexes by obligation and by framework; and the
checks of others with ours beside. Whatever stands there is looked up nowhere else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from cloudaudit.catalog import Catalogue, ControlSource, Peer, load_catalogue, load_peers
from cloudaudit.facts import DERIVATIONS
from cloudaudit.model import COMMON_FACTS, DIMENSIONS, Control, FactSpec, ResourceType, Value
from cloudaudit.reporters.words import labels
from cloudaudit.yamlsource import written

MADE: Final = "<!-- Made by `make golden` from the data of the project; change those. -->"


def _told(group: str, key: str) -> str:
    """A label in both languages."""
    text = labels().of(group, key)
    return f"{text.vi} / {text.en}"


def pages() -> dict[str, str]:
    """Every page by its path below docs/."""
    catalogue = load_catalogue()
    controls = catalogue.controls()
    peers = load_peers()
    found = {f"reference/controls/{one.id}.md": _control(one, catalogue, peers) for one in controls}
    found |= {
        f"reference/facts/{type_.name}.md": _type(type_, controls) for type_ in catalogue.types.values()
    }
    found["reference/README.md"] = _index(controls, catalogue)
    found["reference/obligations.md"] = _obligations(controls, catalogue)
    found["reference/frameworks.md"] = _frameworks(controls, catalogue)
    if peers:
        found["peers.md"] = _peers(peers, catalogue)
    return {name: f"{text.rstrip()}\n" for name, text in found.items()}


def write(docs: Path) -> None:
    """Put the pages below `docs`, and take away those of what is no more."""
    made = pages()
    for folder in ("controls", "facts"):
        (docs / "reference" / folder).mkdir(parents=True, exist_ok=True)
        for kept in (docs / "reference" / folder).glob("*.md"):
            if str(kept.relative_to(docs)) not in made:
                kept.unlink()
    for name, text in made.items():
        (docs / name).write_text(text, encoding="utf-8")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "-"


def _link(id_: str, up: str = "") -> str:
    return f"[{id_}]({up}{id_}.md)"


# --- controls ------------------------------------------------------------------------------------------


def _control(control: Control, catalogue: Catalogue, peers: Mapping[str, Peer]) -> str:
    lines = [
        MADE,
        f"# {control.id} {control.title.vi}",
        f"*{control.title.en}*",
        f"{_told('severity', control.severity.value)} · {_told('method', control.method.value)} ·"
        f" {_told('basis', control.basis.value)} · phiên bản / version {control.version}",
        f"Xét / judges: {', '.join(_link(name, '../facts/') for name in control.applies_to)}",
        "## Giới hạn / What cannot be concluded",
        control.limits.vi,
        f"*{control.limits.en}*",
        "## Khắc phục / Remediation",
        control.remediation.text.vi,
        f"*{control.remediation.text.en}*",
    ]
    if control.remediation.cli:
        lines.append("\n".join(["```sh", *control.remediation.cli, "```"]))
    source = catalogue.sources[control.id]
    conditions = {key: value for key, value in source.written().items() if key != "parameters"}
    place = f"controls/{control.dimension}/{source.path.name}"
    lines += [
        "## Điều kiện / Conditions",
        f"Viết bằng / written in the [control language](../../control-language.md); tệp / file: [{place}](../../../{place})",
        f"```yaml\n{written(conditions, 110).rstrip()}\n```",
    ]
    lines += ["## Dữ kiện / Facts examined", "\n".join(_reads(control, catalogue))]
    if control.parameters:
        lines += ["## Tham số / Parameters", "\n".join(_parameters(control, source))]
    lines += ["## Nghĩa vụ / Obligations", "\n".join(_clauses(control, catalogue))]
    if related := list(_related(control, catalogue, peers)):
        lines += ["## Đối chiếu / Related elsewhere", "\n".join(related)]
    return "\n\n".join(lines)


def _reads(control: Control, catalogue: Catalogue) -> Iterator[str]:
    yield "| loại / type | dữ kiện / fact | ý nghĩa / meaning |"
    yield "| --- | --- | --- |"
    needed: dict[str, set[str]] = defaultdict(set)
    for condition in control.conditions:
        for name in control.applies_to:
            needed[name] |= set(condition.reads)
        for type_, fact in condition.related_reads:
            needed[type_].add(fact)
    for name in sorted(needed):
        type_ = catalogue.types[name]
        for fact in sorted(needed[name]):
            spec = _spec(type_, fact)
            if spec is not None:
                yield f"| `{name}` | `{fact}` | {_cell(spec.meaning.vi)} / {_cell(spec.meaning.en)} |"


def _spec(type_: ResourceType, fact: str) -> FactSpec | None:
    every = {**COMMON_FACTS, **type_.facts}
    return every.get(fact) or every.get(fact.partition(".")[0])


def _parameters(control: Control, source: ControlSource) -> Iterator[str]:
    yield "| tham số / parameter | mặc định / default | nguồn / source |"
    yield "| --- | --- | --- |"
    raw = source.document.value["parameters"]
    for name, one in control.parameters.items():
        told = "đề xuất của dự án / our proposal" if one.source == "proposed-default" else f"`{one.source}`"
        yield f"| `{name}` | {_cell(_written(raw[name]['default']))} | {told} |"


def _written(value: Value) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple | list):
        return ", ".join(_written(item) for item in value) or "-"
    return f"`{value}`"


def _clauses(control: Control, catalogue: Catalogue) -> Iterator[str]:
    for id_ in control.obligations:
        one = catalogue.obligations[id_]
        yield f"- [{id_}](../obligations.md#{id_.lower()}): {one.source}, {one.clause} ({one.state.value})"
    if not control.obligations:
        yield "Không có nghĩa vụ nào được dẫn / no obligation is cited: good practice of others."


def _related(control: Control, catalogue: Catalogue, peers: Mapping[str, Peer]) -> Iterator[str]:
    for key, items in sorted(control.frameworks.items()):
        framework = catalogue.frameworks[key]
        yield f"- {framework.title} {framework.version}: {', '.join(items) or 'as a whole'}"
    for peer in peers.values():
        if named := [check.id for check in peer.checks.values() if control.id in check.controls]:
            yield f"- {peer.title} {peer.version}: {_code(named)}"


# --- facts ---------------------------------------------------------------------------------------------


def _type(type_: ResourceType, controls: Sequence[Control]) -> str:
    """A resource type with its calls and facts, and the controls that judge it."""
    judged = [one.id for one in controls if type_.name in one.applies_to]
    looked = [
        one.id
        for one in controls
        if one.id not in judged
        and type_.name in {named for c in one.conditions for named, _ in c.related_reads}
    ]
    lines = [
        MADE,
        f"# {type_.name}",
        f"{type_.title.vi} / *{type_.title.en}*",
        "Khai báo / declared in a register" if type_.declared else "Quan sát / observed",
    ]
    if judged:
        lines.append(f"Được xét bởi / judged by: {', '.join(_link(i, '../controls/') for i in judged)}")
    if looked:
        lines.append(f"Được tra bởi / looked up by: {', '.join(_link(i, '../controls/') for i in looked)}")
    if type_.calls:
        rows = [f"| `{one.name}` | `{_cell(one.request)}` |" for one in type_.calls.values()]
        lines += ["## Lời gọi / Calls", "\n".join(["| call | request |", "| --- | --- |", *rows])]
    rows = [
        f"| `{one.name}` | {one.kind} | {_cell(one.meaning.vi)} / {_cell(one.meaning.en)} | {_origin(one)} |"
        for one in type_.facts.values()
    ]
    head = [
        "| dữ kiện / fact | kiểu / kind | ý nghĩa / meaning | nguồn / origin |",
        "| --- | --- | --- | --- |",
    ]
    lines += ["## Dữ kiện / Facts", "\n".join([*head, *rows])]
    given = [one for one in DERIVATIONS if type_.name in one.gives]
    if given:
        lines.append("## Suy ra từ / Derived from")
        lines.append("\n".join(f"- `{one.name}`: {_sources(one.reads)}" for one in given))
    return "\n\n".join(lines)


def _origin(spec: FactSpec) -> str:
    if spec.derived:
        return f"suy ra / derived: {spec.derived}"
    if spec.call:
        return f"`{spec.call}`: `{spec.api_field}`" if spec.api_field else f"`{spec.call}`"
    return "khai báo / declared"


def _sources(reads: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"`{name}` ({', '.join(facts) or 'its list'})" for name, facts in sorted(reads.items()))


# --- indexes -------------------------------------------------------------------------------------------


def _index(controls: Sequence[Control], catalogue: Catalogue) -> str:
    lines = [
        MADE,
        "# Tra cứu / Reference",
        f"{len(controls)} kiểm soát / controls, {len(catalogue.types)} loại tài nguyên / resource types,"
        f" {len(catalogue.obligations)} nghĩa vụ / obligations. "
        "[Nghĩa vụ / obligations](obligations.md) · [Khung đối chiếu / frameworks](frameworks.md) ·"
        " [Công cụ khác / other checkers](../peers.md) · [Ngôn ngữ kiểm soát / control language](../control-language.md)",
    ]
    for dimension in DIMENSIONS:
        rows = [
            f"| [{one.id}](controls/{one.id}.md) | {_cell(one.title.vi)} / *{_cell(one.title.en)}* |"
            f" {one.severity.value} | {one.method.value} | {one.basis.value} |"
            for one in controls
            if one.dimension == dimension
        ]
        lines.append(f"## {dimension} {_told('dimension', dimension)}")
        lines.append("\n".join(["| id | | | | |", "| --- | --- | --- | --- | --- |", *rows]))
    rows = [
        f"- [{one.name}](facts/{one.name}.md): {one.title.vi} / *{one.title.en}*"
        for one in sorted(catalogue.types.values(), key=lambda one: one.name)
    ]
    lines += ["## Loại tài nguyên / Resource types", "\n".join(rows)]
    return "\n\n".join(lines)


def _obligations(controls: Sequence[Control], catalogue: Catalogue) -> str:
    lines = [
        MADE,
        "# Nghĩa vụ / Obligations",
        "`quoted`: the words stand in a text we have. `reported`: somebody else's report of it. `unverified`: neither."
        " The translation is ours. What the law demands is decided by the competent authority.",
    ]
    for one in catalogue.obligations.values():
        serving = [control.id for control in controls if one.id in control.obligations]
        lines.append(f"## {one.id}")
        lines.append(f"{one.source}, {one.clause} · {one.state.value} · {one.legal_state} · {one.kind}")
        if one.quote:
            lines.append(f"> {one.quote}")
        lines.append(one.translation)
        if one.address:
            lines.append(one.address)
        named = ", ".join(_link(i, "controls/") for i in serving)
        lines.append(f"Kiểm soát / controls: {named or 'không có / none'}")
    return "\n\n".join(lines)


def _frameworks(controls: Sequence[Control], catalogue: Catalogue) -> str:
    lines = [
        MADE,
        "# Khung đối chiếu / Frameworks",
        "A control is *related* to an item; it never stands for it.",
    ]
    for key, framework in sorted(catalogue.frameworks.items()):
        by_item: dict[str, list[str]] = defaultdict(list)
        for one in controls:
            for item in one.frameworks.get(key, ()):
                by_item[item].append(one.id)
        lines.append(f"## {framework.title} ({framework.version})")
        rows = [
            f"| {item} | {_cell(framework.items.get(item, ''))} | {', '.join(_link(i, 'controls/') for i in ids)} |"
            for item, ids in sorted(by_item.items())
        ]
        lines.append("\n".join(["| mục / item | | kiểm soát / controls |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(lines)


# --- other checkers ------------------------------------------------------------------------------------


def _peers(peers: Mapping[str, Peer], catalogue: Catalogue) -> str:
    lines = [
        MADE,
        "# Checks of other checkers, and ours",
        "Every check of theirs by its own id: the controls of ours that judge it, or why none does. A control that"
        " ends as unknown where a fact could not be read judges what theirs would pass over.",
    ]
    for peer in peers.values():
        covered = sum(bool(check.controls) for check in peer.checks.values())
        lines.append(f"## {peer.title} ({peer.version})")
        lines.append(f"{peer.address}. {covered} of {len(peer.checks)} judged by ours.")
        if peer.note:
            lines.append(peer.note)
        rows = []
        for check in peer.checks.values():
            ours = ", ".join(_link(i, "reference/controls/") for i in check.controls) or f"none: {check.why}"
            told = f"{ours}; {check.note}" if check.note else ours
            rows.append(f"| `{check.id}` | {_cell(check.meaning)} | {_cell(told)} |")
        lines.append("\n".join(["| theirs | demands | ours |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(lines)
