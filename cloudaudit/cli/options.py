"""Options that several commands share, and what they mean for a terminal."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO, TypeVar

import click

from cloudaudit.model import Seconds, Severity
from cloudaudit.reporters import BUILTIN, Period
from cloudaudit.wording import plain

if TYPE_CHECKING:
    from cloudaudit.api import Threshold

F = TypeVar("F", bound=Callable[..., Any])


class Folder(click.Path):
    """A folder to write to. `-` is none: click would make one of that name."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if str(value) == "-":
            self.fail("'-' is no folder; the report goes to stdout anyway, as --format says", param, ctx)
        return super().convert(value, param, ctx)


FOLDER = Folder(file_okay=False, path_type=Path)
EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, path_type=Path)


class Moment(click.ParamType[Seconds]):
    """A date or time option, read as in the registers."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Seconds:
        from cloudaudit.yamlsource import moment_of

        if isinstance(value, int):
            return value
        try:
            return moment_of(value)
        except ValueError as wrong:
            raise click.BadParameter(str(wrong), ctx, param) from wrong


class PeriodType(click.ParamType[Period]):
    """A year, or its first and last day."""

    name = "year|first/last"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Period:
        if isinstance(value, Period):
            return value
        try:
            return Period.read(str(value))
        except ValueError as wrong:
            raise click.BadParameter(str(wrong), ctx, param) from wrong


class FailOn(click.ParamType["Threshold"]):
    """A severity, `gate`, or `level=N`. Every run reaches level 0, so that it says nothing."""

    name = "severity|gate|level=N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Threshold:
        from cloudaudit.api import Threshold

        if isinstance(value, Threshold):
            return value
        if value == "gate":
            return Threshold(None, gate=True)
        head, _, number = value.partition("=")
        if head == "level" and number in ("1", "2", "3", "4", "5"):
            return Threshold(None, level=int(number))
        if value in set(Severity):
            return Threshold(Severity(value))
        known = ", ".join(Severity)
        raise click.BadParameter(f"'{value}' is none of {known}, gate, level=1 to level=5", ctx, param)


def _together(*options: Callable[[F], F]) -> Callable[[F], F]:
    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


profile_option = click.option(
    "-p", "--profile", default="ndc-connection", show_default=True, help="Profile, or path of one."
)
controls_option = click.option(
    "--controls", type=EXISTING, multiple=True, help="An organisation's own controls. Repeatable."
)
choosing = _together(
    profile_option,
    click.option(
        "--registers", type=EXISTING_FOLDER, help="Folder of registers; default: what targets.yaml names."
    ),
    controls_option,
)
EXITS: Final = {
    0: "no violation, nothing unknown at or above `--fail-on`",
    1: "a violation at or above `--fail-on` that neither waiver nor baseline covers; of `diff`, a new one",
    2: "usage, a bad file, an entry that does not exist, an empty profile",
    3: "something at or above `--fail-on` is not known, and `--allow-incomplete` was not given",
    4: "internal error",
    130: "interrupted; what was read is a valid partial snapshot",
}
"""Every exit code, as the README and the help of each command that judges tell it."""
EXIT_TABLE: Final = "\b\nExit codes:\n" + "\n".join(
    "\n".join(wrap(f"{code:>5}  {what}", 78, subsequent_indent=" " * 7, break_on_hyphens=False))
    for code, what in EXITS.items()
)
judging = _together(choosing, click.option("--at", type=Moment(), help="Time of assessment; default: now."))
deciding = _together(
    click.option(
        "--fail-on",
        type=FailOn(),
        default="high",
        show_default=True,
        help="What counts as a violation; N is 1 to 5.",
    ),
    click.option("--allow-incomplete", is_flag=True, help="Exit 0 although something is not known."),
    click.option(
        "--exit-zero", is_flag=True, help="Exit 0 where it would be 1 or 3; 2, 4 and 130 stay what they are."
    ),
)
baselining = click.option(
    "--baseline",
    "baselines",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Violations known from before, as `cloudaudit baseline` writes them: only others make exit code 1. "
    "What is not known is never covered. Repeatable, one for each subject.",
)
speaking = click.option(
    "--lang",
    type=click.Choice(["vi", "en"]),
    help="Language of texts; default: from the locale, else vi.",
)
showing = _together(
    click.option(
        "-f",
        "--format",
        "format_",
        default="text",
        show_default=True,
        help=f"Format for stdout: {', '.join(BUILTIN)}, or one of an installed package.",
    ),
    speaking,
)
documenting = _together(
    click.option(
        "--previous",
        type=EXISTING,
        multiple=True,
        help="Earlier report, or the folder of one, to compare with. Repeatable, in any order.",
    ),
    click.option(
        "--form",
        type=click.Choice(["full", "yearly"]),
        default="full",
        show_default=True,
        help="Form of formats that set the whole report.",
    ),
    click.option(
        "--period",
        type=PeriodType(),
        help="What the yearly form is about: 2026, or 2026-01-01/2026-06-30; "
        "default: since the newest --previous.",
    ),
)
telling = _together(
    click.option(
        "-f",
        "--format",
        "format_",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Format for stdout.",
    ),
    speaking,
)
quietness = click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")


def check_period(period: Period | None, form: str) -> None:
    """Refuse a period that no report would show."""
    if period is not None and form != "yearly":
        raise click.UsageError("--period is of the yearly form; give --form yearly with it")


def language(chosen: str | None) -> Literal["vi", "en"]:
    """The language asked for, else that of the locale, else Vietnamese."""
    if chosen in ("vi", "en"):
        return "vi" if chosen == "vi" else "en"
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "en" if locale.lower().startswith("en") else "vi"


def width() -> int:
    """Columns to print in: the terminal's, at most 120, and 80 where there is none."""
    return min(shutil.get_terminal_size((80, 24)).columns, 120) if sys.stdout.isatty() else 80


def color() -> bool:
    """Whether stdout takes colour: a terminal, unless NO_COLOR says no; FORCE_COLOR says yes."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and os.environ.get("TERM") != "dumb")


def fitted(text: str, hang: int = 4, stream: TextIO | None = None) -> str:
    """A line as it goes to stdout: folded to a terminal's width, whole where a program reads it."""
    if not (stream or sys.stdout).isatty():
        return text
    columns = min(shutil.get_terminal_size((80, 24)).columns, 120)
    pad = " " * min(hang, columns // 2)
    return "\n".join(
        wrap(text, columns, subsequent_indent=pad, break_on_hyphens=False, replace_whitespace=False)
    )


def now() -> Seconds:
    """The clock, in whole seconds."""
    return int(time.time())


def generated() -> Seconds:
    """The moment written as the report's making: SOURCE_DATE_EPOCH where it is set."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or now())


def tell(text: str) -> None:
    """Write to stderr. Messages quote clouds and files, so nothing that a terminal obeys gets through."""
    try:
        click.echo("\n".join(plain(line, len(line)) for line in text.split("\n")), err=True)
    except BrokenPipeError:
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Send the rest of a stream nowhere, so that the interpreter does not stumble over it when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


TO_A_FILE: Final = "write it to a file: `report -o FILE`, or `run --export FORMAT=FILE`"


def emit(content: str | bytes, path: Path | None) -> None:
    """Write a report to a file, or to stdout for None and `-`.

    A reader of stdout that goes away, as `| head` does, has seen enough: the exit code stays what it is.
    Bytes that are no text are kept from a terminal.
    """
    from cloudaudit.errors import OutputError

    data = content.encode() if isinstance(content, str) else content
    if path is None or str(path) == "-":
        if isinstance(content, bytes) and sys.stdout.isatty():
            raise OutputError("the report is binary: a terminal cannot show it", hint=TO_A_FILE)
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            silence(sys.stdout)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as wrong:
        raise OutputError(f"{path} cannot be written: {wrong.strerror}") from wrong
