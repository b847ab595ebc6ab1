"""The commands that audit: demo, run, collect, assess, report."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cloudaudit.cli.options import (
    EXISTING_FOLDER,
    FOLDER,
    color,
    deciding,
    emit,
    generated,
    judging,
    language,
    now,
    quietness,
    showing,
    width,
)
from cloudaudit.model import Seconds

if TYPE_CHECKING:
    from cloudaudit.api import Assessed, Threshold
    from cloudaudit.targets import Subject, TargetsFile

F = TypeVar("F", bound=Callable[..., Any])

INTERRUPTED = 130


def writing(default: str) -> Callable[[F], F]:
    """The -o of commands that write a whole folder."""
    return click.option(
        "-o", "--output", type=FOLDER, default=Path(default), show_default=True, help="Folder to write to."
    )


TARGETS = click.option(
    "-t", "--targets", "targets_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="targets.yaml: what to audit.",
)  # fmt: skip


def _note(text: str, quiet: bool = False) -> None:
    if not quiet:
        click.echo(text, err=True)


def _load_targets(path: Path) -> TargetsFile:
    from cloudaudit import targets

    loaded = targets.load(path, os.environ)
    for warning in loaded.warnings:
        _note(f"warning: {warning}")
    return loaded


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into a request to stop, so that what was read is still written."""
    cancelled = threading.Event()

    def stop(number: int, frame: object) -> None:
        if cancelled.is_set():
            raise KeyboardInterrupt
        cancelled.set()
        _note("stopping: what was read is kept; press Ctrl-C again to drop it")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield cancelled
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[..., None] | None]:
    """A bar on a terminal's stderr, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(what: object, done: int, total: int) -> None:
            bar.update(task, description=escape(str(what))[:40], completed=done, total=total)

        yield show


@click.command()
@TARGETS
@judging
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of the snapshot; must be new.")
@quietness
def collect(
    targets_file: Path, profile: str, registers: Path | None, controls: tuple[Path, ...], at: Seconds | None,
    output: Path, quiet: bool,
) -> int:  # fmt: skip
    """Read clouds into a snapshot: the networked half. Nothing is judged."""
    loaded = _load_targets(targets_file)
    interrupted = False
    for subject in loaded.subjects:
        out = output if len(loaded.subjects) == 1 else output / subject.id
        interrupted |= _collect(subject, profile, registers, controls, out, quiet)
    return INTERRUPTED if interrupted else 0


def _collect(
    subject: Subject, profile: str, registers: Path | None, controls: Sequence[Path], out: Path, quiet: bool,
    clock: Callable[[], Seconds] = now,
) -> bool:  # fmt: skip
    """Collect one subject into a folder. True when Ctrl-C cut it short."""
    from cloudaudit import api
    from cloudaudit import registers as register_files
    from cloudaudit.collecting import collect_subject
    from cloudaudit.plan import plan

    known = api.know(profile, subject.kind, controls)
    declared = register_files.load(registers or subject.registers)
    needed = plan(known.profile, known.catalogue.types)
    with _interruptible() as cancelled, _progress(quiet) as progress:
        collect_subject(
            subject,
            needed,
            known.catalogue.types,
            declared,
            out,
            now=now,
            progress=progress,
            cancelled=cancelled,
        )
    _note(f"snapshot: {out}", quiet)
    return cancelled.is_set()


@click.command()
@click.argument("snapshot", type=EXISTING_FOLDER)
@judging
@deciding
@showing
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of the assessment.")
@click.option("--kind", type=click.Choice(["provider", "agency"]), help="Scope; default: as collected.")
@quietness
def assess(
    snapshot: Path, profile: str, registers: Path | None, controls: tuple[Path, ...], at: Seconds | None,
    fail_on: Threshold, allow_incomplete: bool, format_: str, lang: str | None, output: Path, kind: str | None,
    quiet: bool,
) -> int:  # fmt: skip
    """Judge a snapshot: the offline half. The same input and --at give the same report.json."""
    from cloudaudit import api

    assessed = _assess(snapshot, output, profile, registers, controls, at, kind)
    emit(api.render(assessed, format_, lang=language(lang), width=width(), color=color()), None)
    _note(f"assessment: {output}", quiet)
    return api.exit_code(assessed.report, fail_on, allow_incomplete=allow_incomplete)


def _assess(
    snapshot: Path, out: Path, profile: str, registers: Path | None, controls: Sequence[Path],
    at: Seconds | None, kind: str | None = None,
) -> Assessed:  # fmt: skip
    from cloudaudit import api
    from cloudaudit import registers as register_files
    from cloudaudit.snapshot import Snapshot

    about = Snapshot(snapshot, {}).run.get("subject", {})
    known = api.know(profile, kind or about.get("kind", "provider"), controls)
    declared = register_files.load(registers)
    for problem in register_files.check_regions(declared, api.regions_of(snapshot, known)):
        _note(f"warning: {problem}")
    assessed = api.assess(
        snapshot, out, known, declared, at=at if at is not None else now(), generated_at=generated()
    )
    api.keep_registers(registers, declared, out)
    return assessed


@click.command()
@click.argument("assessment", type=EXISTING_FOLDER)
@showing
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; default: stdout."
)
@click.option("--snapshot", type=EXISTING_FOLDER, help="Check that this is the snapshot it was made from.")
def report(
    assessment: Path, format_: str, lang: str | None, output: Path | None, snapshot: Path | None
) -> None:
    """Write an assessment in another format."""
    from cloudaudit import api

    assessed = api.load_assessment(assessment, snapshot)
    to_screen = output is None or str(output) == "-"
    emit(
        api.render(
            assessed,
            format_,
            lang=language(lang),
            width=width() if to_screen else 80,
            color=to_screen and color(),
        ),
        output,
    )


class Export(click.ParamType[tuple[str, Path]]):
    """FORMAT=PATH."""

    name = "format=path"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path]:
        if isinstance(value, tuple):
            return value
        format_, separator, path = str(value).partition("=")
        if not separator or not path:
            raise click.BadParameter(f"'{value}' is not FORMAT=PATH, such as html=report.html", ctx, param)
        return format_, Path(path)


@click.command()
@TARGETS
@judging
@deciding
@showing
@writing("cloudaudit-out")
@click.option(
    "--export", "exports", type=Export(), multiple=True, help="Also write FORMAT to PATH. Repeatable."
)
@quietness
def run(
    targets_file: Path, profile: str, registers: Path | None, controls: tuple[Path, ...], at: Seconds | None,
    fail_on: Threshold, allow_incomplete: bool, format_: str, lang: str | None, output: Path,
    exports: tuple[tuple[str, Path], ...], quiet: bool,
) -> int:  # fmt: skip
    """Collect, assess and report. One folder for each subject when there are several; the worst code wins."""
    loaded = _load_targets(targets_file)
    codes = []
    for subject in loaded.subjects:
        single = len(loaded.subjects) == 1
        out = output if single else output / subject.id
        codes.append(
            audit(
                subject, out, profile, registers or subject.registers, controls, at, fail_on, allow_incomplete,
                format_, lang, exports if single else [(f, p.with_stem(f"{p.stem}-{subject.id}")) for f, p in exports],
                quiet,
            )
        )  # fmt: skip
    return worst(codes)


def worst(codes: Sequence[int]) -> int:
    """The code of several subjects: interrupted, then a violation, then incomplete."""
    return next((code for code in (INTERRUPTED, 1, 3) if code in codes), 0)


def audit(
    subject: Subject, out: Path, profile: str, registers: Path | None, controls: Sequence[Path],
    at: Seconds | None, fail_on: Threshold, allow_incomplete: bool, format_: str, lang: str | None,
    exports: Sequence[tuple[str, Path]], quiet: bool, clock: Callable[[], Seconds] = now,
) -> int:  # fmt: skip
    """The whole job for one subject."""
    from cloudaudit import api

    api.make_room(out, registers)
    interrupted = _collect(subject, profile, registers, controls, out / "snapshot", quiet, clock)
    assessed = _assess(out / "snapshot", out, profile, registers, controls, at, subject.kind)
    chosen = language(lang)
    for kind, path in [("html", out / "report.html"), *exports]:
        emit(api.render(assessed, kind, lang=chosen), path)
    emit(api.render(assessed, format_, lang=chosen, width=width(), color=color()), None)
    _note(f"\n{out / 'report.html'}\n{out / 'report.json'}", quiet)
    if interrupted:
        return INTERRUPTED
    return api.exit_code(assessed.report, fail_on, allow_incomplete=allow_incomplete)


@click.command()
@writing("cloudaudit-demo")
@showing
@quietness
def demo(output: Path, format_: str, lang: str | None, quiet: bool) -> int:
    """The whole job on an embedded sample cloud: collect over loopback, assess, report.

    The sample cloud holds violations on purpose, so the exit code is 1.
    """
    from cloudaudit.api import Threshold
    from cloudaudit.demo import sample_cloud

    with sample_cloud() as sample:
        loaded = _load_targets(sample.targets)
        (subject,) = loaded.subjects
        return audit(
            subject, output, "ndc-connection", subject.registers, (), sample.at, Threshold(), False, format_, lang, (),
            quiet, lambda: sample.at,
        )  # fmt: skip
