"""The commands for papers: begin an entry of the register, and check a register before an audit."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

import click

from cloudaudit.cli.options import (
    EXISTING_FOLDER,
    Moment,
    controls_option,
    emit,
    fitted,
    language,
    now,
    telling,
)
from cloudaudit.model import VIETNAM, Seconds, Text, format_time
from cloudaudit.wording import Lang, plain
from cloudaudit.wording import moment as clock

if TYPE_CHECKING:
    from cloudaudit.attesting import Examined

WIDTH: Final = 100
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_WORDS: Final[Mapping[str, Text]] = {
    "stands": Text("đạt", "stands"),
    "falls": Text("chưa đạt", "falls short"),
    "note": Text("lưu ý", "note"),
    "line": Text("dòng {line}", "line {line}"),
    "serves": Text("phục vụ: {controls}", "serves: {controls}"),
    "nothing": Text("không biện pháp kiểm soát nào", "no control"),
    "alone": Text(
        "Không có {names} bên cạnh: phạm vi chưa được đối chiếu.",
        "There is no {names} beside it: what the papers cover was not compared.",
    ),
    "unread": Text(
        "Tài liệu tại địa chỉ công bố không được đọc ở đây; việc đó thuộc về đợt đánh giá.",
        "The documents at their addresses are not read here; an audit does that.",
    ),
    "sum": Text(
        "{good} trên {all} hồ sơ đạt, tính đến {at} (giờ Việt Nam)",
        "{good} of {all} papers stand, as of {at} (Viet Nam time)",
    ),
}


def _say(key: str, lang: Lang, **filled: object) -> str:
    text: str = getattr(_WORDS[key], lang)
    return text.format(**filled)


@click.group()
def attest() -> None:
    """Begin an entry of the register of papers, and check such a register."""


@attest.command("new")
@click.argument("kind", required=False)
@click.option(
    "-o", "--output", type=NEW_FILE, help="File to write, which must not be there; default: stdout."
)
@click.option("--id", "id_", metavar="ID", help="Id of the entry; default: the kind and the year.")
@click.option("--file", "copy", type=FILE, help="The document itself: its SHA-256 is computed.")
@click.option("--url", help="Address at which it is published.")
@click.option("--owner", help="Organisation or position answerable for it.")
@click.option("--title", help="Title in Vietnamese.")
@click.option("--issued", type=Moment(), help="Day of issue.")
@click.option("--valid-until", type=Moment(), help="Last day of its validity.")
@click.option("--approver", help="Position or authority that approved it.")
@click.option("--receipt", help="Number of a receipt, decision or registration.")
@click.option("--system", "systems", multiple=True, help="Id of a system it covers. Repeatable.")
@click.option("--site", "sites", multiple=True, help="Id of a site it covers. Repeatable.")
@controls_option
@click.option("--lang", type=click.Choice(["vi", "en"]), help="Language that comes first in comments.")
def attest_new(
    kind: str | None,
    output: Path | None,
    id_: str | None,
    copy: Path | None,
    url: str | None,
    owner: str | None,
    title: str | None,
    issued: Seconds | None,
    valid_until: Seconds | None,
    approver: str | None,
    receipt: str | None,
    systems: Sequence[str],
    sites: Sequence[str],
    controls: tuple[Path, ...],
    lang: str | None,
) -> None:
    """A register with one commented entry for a paper of KIND, with what its controls ask for.

    Without KIND, the kinds that controls ask for are listed.
    """
    from cloudaudit.attesting import skeleton, wishes
    from cloudaudit.plugins import catalogue as load_catalogue

    if kind is None:
        from cloudaudit.reporters.words import labels

        for name in wishes(load_catalogue(controls)):
            meaning = getattr(labels().of("paper_kind", name), language(lang))
            click.echo(fitted(f"{name:<34} {meaning}", 35))
        return

    given: dict[str, Any] = {
        "id": f"{kind}-{_day(issued or now())[:4]}" if id_ is None else id_,
        "owner": owner,
        "title_vi": title,
        "url": url,
        "file": _beside(copy, output) if copy else None,
        "sha256": _digest(copy) if copy else None,
        "issued_at": None if issued is None else _day(issued),
        "valid_until": None if valid_until is None else _day(valid_until),
        "approver": approver,
        "receipt": receipt,
        "systems": list(systems) or None,
        "sites": list(sites) or None,
    }
    known = {name: value for name, value in given.items() if value is not None}
    text = skeleton(kind, known, load_catalogue(controls), language(lang))
    if output is None or str(output) == "-":
        emit(text, None)
    else:
        _create(output, text)


def _digest(copy: Path) -> str:
    from cloudaudit.attesting import digest_of
    from cloudaudit.errors import SourceError

    try:
        return digest_of(copy)
    except OSError as wrong:
        raise SourceError(f"{plain(str(copy))} cannot be read: {wrong.strerror}") from wrong


def _beside(copy: Path, output: Path | None) -> str:
    """A path as the register names it: from its own folder, or from here where it goes to stdout."""
    start = Path() if output is None or str(output) == "-" else output.parent
    return Path(os.path.relpath(copy, start)).as_posix()


def _day(moment: Seconds) -> str:
    """The day of a moment in Viet Nam."""
    return datetime.fromtimestamp(moment, VIETNAM).date().isoformat()


def _create(path: Path, text: str) -> None:
    """Write a file that is not there yet."""
    from cloudaudit.errors import OutputError

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise OutputError(
            f"{path} is already there", hint="choose another name; nothing was changed"
        ) from None
    except OSError as wrong:
        raise OutputError(f"{path} cannot be written: {wrong.strerror}") from wrong


@attest.command("check")
@click.argument("file", type=FILE)
@click.option("--at", type=Moment(), help="Moment at which the papers have to be in force; default: now.")
@click.option(
    "--registers", type=EXISTING_FOLDER, help="Folder of the other registers; default: that of FILE."
)
@controls_option
@telling
def attest_check(
    file: Path,
    at: Seconds | None,
    registers: Path | None,
    controls: tuple[Path, ...],
    format_: str,
    lang: str | None,
) -> int:
    """Check a register of papers: dates, hashes of local copies, scope, and what each control asks.

    Exit codes: 0 every paper stands; 1 one is lapsed, altered, out of scope or lacks what is asked; 2 a
    bad file.
    """
    from cloudaudit.attesting import examine, wishes
    from cloudaudit.plugins import catalogue as load_catalogue
    from cloudaudit.registers import load_papers

    found = load_papers(file, registers or file.parent)
    moment = now() if at is None else at
    papers = examine(found, wishes(load_catalogue(controls)), moment, file.parent)
    if format_ == "json":
        body = {"schema_version": 1, "at": format_time(moment), "papers": [_as_json(one) for one in papers]}
        emit(json.dumps(body, indent=2, ensure_ascii=False) + "\n", None)
    else:
        emit("\n".join(_as_text(papers, found.beside, moment, language(lang))) + "\n", None)
    return 0 if all(one.stands for one in papers) else 1


def _as_json(one: Examined) -> Mapping[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "line": one.where.line,
        "stands": one.stands,
        "controls": list(one.controls),
        "remarks": [
            {
                "code": remark.code,
                "serious": remark.serious,
                "line": remark.where.line,
                "vi": remark.text.vi,
                "en": remark.text.en,
            }
            for remark in one.remarks
        ],
    }


def _as_text(papers: Sequence[Examined], beside: Sequence[str], at: Seconds, lang: Lang) -> Iterator[str]:
    for one in papers:
        state = _say("stands" if one.stands else "falls", lang)
        yield f"{one.id} ({one.kind}), {_say('line', lang, line=one.where.line)}: {state}"
        serves = ", ".join(one.controls) or _say("nothing", lang)
        yield from _folded(_say("serves", lang, controls=serves), 2)
        for remark in one.remarks:
            mark = "" if remark.serious else f"{_say('note', lang)}: "
            line = _say("line", lang, line=remark.where.line)
            yield from _folded(f"{line}: {mark}{plain(getattr(remark.text, lang), 300)}", 4)
    missing = [f"{name}.yaml" for name in ("systems", "sites") if name not in beside]
    if missing:
        yield from _folded(_say("alone", lang, names=", ".join(missing)), 0)
    yield from _folded(_say("unread", lang), 0)
    good = sum(one.stands for one in papers)
    yield _say("sum", lang, good=good, all=len(papers), at=clock(at, lang))


def _folded(text: str, indent: int) -> list[str]:
    pad = " " * indent
    return wrap(text, WIDTH, initial_indent=pad, subsequent_indent=pad + "  ", break_on_hyphens=False)
