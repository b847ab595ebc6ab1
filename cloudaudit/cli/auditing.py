"""The commands that audit: demo, run, collect, assess, report."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypeVar

import click

from cloudaudit.cli.options import (
    EXISTING_FOLDER,
    EXIT_TABLE,
    FOLDER,
    TO_A_FILE,
    baselining,
    check_period,
    choosing,
    color,
    controls_option,
    deciding,
    documenting,
    emit,
    fitted,
    generated,
    judging,
    language,
    now,
    quietness,
    showing,
    tell,
    width,
)
from cloudaudit.model import Seconds, Severity
from cloudaudit.wording import Lang, plain

if TYPE_CHECKING:
    from cloudaudit.api import Assessed, Knowledge, Threshold
    from cloudaudit.baseline import Baseline
    from cloudaudit.collectors.runner import OnProgress
    from cloudaudit.collectors.runner import Progress as ScopeProgress
    from cloudaudit.registers import Registers
    from cloudaudit.reporters import Period
    from cloudaudit.targets import Subject, TargetsFile

F = TypeVar("F", bound=Callable[..., Any])
Form: TypeAlias = Literal["full", "yearly"]

INTERRUPTED = 130
BINARY = ("application/pdf", "application/vnd.openxmlformats-", "application/zip")
"""Beginnings of media types that no terminal shows."""
MOST_GAPS = 10
"""Gaps told one by one at the end of a collection."""


def writing(default: str) -> Callable[[F], F]:
    """The -o of commands that write a whole folder."""
    return click.option(
        "-o", "--output", type=FOLDER, default=Path(default), show_default=True, help="Folder to write to."
    )


TARGETS = click.option(
    "-t",
    "--targets",
    "targets_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="targets.yaml: what to audit.",
)


def note(text: str, quiet: bool = False) -> None:
    if not quiet:
        tell(text)


def load_targets(path: Path) -> TargetsFile:
    from cloudaudit import plugins, targets

    here = Path.cwd()
    # Findings are shown at files as a repository names them.
    named = path.relative_to(here) if path.is_relative_to(here) else path
    loaded = targets.load(named, os.environ, plugins.kinds())
    for warning in loaded.warnings:
        note(f"warning: {warning}")
    return loaded


@dataclass(frozen=True, slots=True)
class Gate:
    """What an exit code is decided by."""

    fail_on: Threshold
    allow_incomplete: bool = False
    exit_zero: bool = False

    def code(self, code: int) -> int:
        """The code a command ends with. Where nothing may stop a pipeline, only findings are let through."""
        return 0 if self.exit_zero and code in (1, 3) else code


@dataclass(frozen=True, slots=True)
class Ready:
    """What is read before a cloud is asked: a subject, the controls for it, and its registers."""

    subject: Subject
    known: Knowledge
    registers: Path | None
    declared: Registers


def prepare(
    subjects: Sequence[Subject], profile: str, registers: Path | None, controls: Sequence[Path]
) -> list[Ready]:
    """Read all files of all subjects, so that a mistake in the last one is told before any cloud is asked."""
    from cloudaudit.collecting import check_targets
    from cloudaudit.targets import code_beside

    known = {kind: know(profile, kind, controls) for kind in sorted({s.kind for s in subjects})}
    made = []
    for subject in subjects:
        for warning in check_targets(subject):
            note(f"warning: {warning}")
        named = ((entry.name, entry.kind) for entry in subject.targets)
        if known[subject.kind].profile.gates and (odd := code_beside(subject.where, named)):
            note(f"warning: {odd}")
        folder = registers or subject.registers
        made.append(Ready(subject, known[subject.kind], folder, declare(folder, known[subject.kind])))
    return made


def know(profile: str, kind: str, controls: Sequence[Path]) -> Knowledge:
    """The catalogue with an organisation's own controls, and the profile, which may leave some out: told."""
    from cloudaudit import api

    known = api.know(profile, kind, controls)
    chosen = {control.id for control in known.profile.controls} | known.profile.excluded.keys()
    for id_, source in sorted(known.catalogue.sources.items()):
        file = source.path
        if id_ not in chosen and any(file.is_relative_to(folder) for folder in controls):
            note(
                f"warning: {file}: the profile '{known.profile.id}' does not select {id_}; "
                f"a profile of your own can: extends: {known.profile.id}, controls: [..., {id_}]"
            )
    return known


def declare(folder: Path | None, known: Knowledge) -> Registers:
    """Read registers, and hold what they name against what there is.

    RegisterError: a waiver or plan is for a control that does not exist. Kinds of papers that nothing asks
    for, and metrics that are nearly known ones, are told.
    """
    from cloudaudit import registers
    from cloudaudit.attesting import asked_kinds
    from cloudaudit.errors import RegisterError
    from cloudaudit.facts.claims import METRICS

    declared = registers.load(folder)
    if problems := registers.check_controls(declared, known.catalogue.sources):
        raise RegisterError.of(problems)
    # Every control has to be read to know what is asked for: only where something is given.
    papers = any(file.kind in ("attestations", "drills") for file in declared.files)
    doubts = registers.check_kinds(declared, asked_kinds(known.catalogue)) if papers else []
    for problem in [*doubts, *registers.check_claims(declared, METRICS)]:
        note(f"warning: {problem}")
    return declared


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into a request to stop, so that what was read is still written."""
    cancelled = threading.Event()

    def stop(number: int, frame: object) -> None:
        if cancelled.is_set():
            # Not KeyboardInterrupt, in which collecting would see a first Ctrl-C and keep what was read.
            raise click.Abort
        cancelled.set()
        note("stopping: what was read is kept; press Ctrl-C again to drop it")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield cancelled
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress_on(quiet: bool) -> Iterator[OnProgress | None]:
    """A line of progress on a terminal's stderr, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.status import Status

    done: set[str] = set()
    with Status("", console=Console(stderr=True)) as status:

        def show(one: ScopeProgress) -> None:
            if one.done:
                done.add(str(one.scope))
            place = escape(plain(str(one.scope), 60))
            status.update(f"{len(done)} scopes read; {place}: {one.resources} resources, {one.gaps} gaps")

        yield show


@click.command()
@TARGETS
@choosing
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of the snapshot; must be new.")
@click.option("--allow-incomplete", is_flag=True, help="Exit 0 although something could not be listed.")
@click.option("--resume", is_flag=True, help="Go on with the snapshot in -o, which was cut short.")
@quietness
def collect(
    targets_file: Path, profile: str, registers: Path | None, controls: tuple[Path, ...], output: Path,
    allow_incomplete: bool, resume: bool, quiet: bool,
) -> int:  # fmt: skip
    """Read clouds into a snapshot: the networked half. Judges nothing; exits 3 when a list is missing.

    With --resume, what an interruption or a time-out cut short is read again, and what was finished in the
    last 24 hours is kept. Plan and targets must be the same.
    """
    from cloudaudit import api

    loaded = load_targets(targets_file)
    single = len(loaded.subjects) == 1
    folders = {subject.id: output if single else output / subject.id for subject in loaded.subjects}
    # Of several subjects, those after the interruption have not even begun.
    going_on = {folder: resume and (single or api.has_snapshot(folder)) for folder in folders.values()}
    for folder, old in going_on.items():
        api.check_resumable(folder) if old else api.check_new(folder)
    incomplete = False
    for one in prepare(loaded.subjects, profile, registers, controls):
        folder = folders[one.subject.id]
        if going_on[folder] and api.check_resumable(folder):
            _check_same(one, folder)
            note(
                f"nothing is left to read: {folder} (what did not answer is asked by a new collection)", quiet
            )
        elif _collect(one, folder, quiet, resume=going_on[folder]):
            return INTERRUPTED
        gaps = api.gaps_of_listings(folder, one.known)
        for gap in gaps[:MOST_GAPS]:
            place = plain(str(gap.scope))
            note(f"not seen: {gap.type} in {place}: {gap.reason.value}, {plain(gap.detail)}", quiet)
        if len(gaps) > MOST_GAPS:
            note(f"not seen: {len(gaps) - MOST_GAPS} more", quiet)
        incomplete |= bool(gaps)
    return api.INCOMPLETE if incomplete and not allow_incomplete else 0


def _check_same(one: Ready, folder: Path) -> None:
    """Refuse a snapshot that was collected for something else, also where nothing is left to read."""
    from cloudaudit.collecting import resumable
    from cloudaudit.plan import plan

    types = one.known.catalogue.types
    resumable(one.subject, plan(one.known.profile, types), types, one.declared, folder, now())


def _collect(
    one: Ready, out: Path, quiet: bool, clock: Callable[[], Seconds] = now, resume: bool = False
) -> bool:
    """Collect one subject into a folder. True when Ctrl-C cut it short."""
    from cloudaudit.collecting import collect_subject
    from cloudaudit.plan import plan

    types = one.known.catalogue.types
    with interruptible() as cancelled, progress_on(quiet) as progress:
        collect_subject(
            one.subject,
            plan(one.known.profile, types),
            types,
            one.declared,
            out,
            now=clock,
            progress=progress,
            cancelled=cancelled,
            resume=resume,
        )
    note(f"snapshot: {out}", quiet)
    return cancelled.is_set()


@click.command(epilog=EXIT_TABLE)
@click.argument("snapshot", type=EXISTING_FOLDER)
@judging
@deciding
@baselining
@showing
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of the assessment.")
@click.option("--kind", type=click.Choice(["provider", "agency"]), help="Scope; default: as collected.")
@quietness
def assess(
    snapshot: Path, profile: str, registers: Path | None, controls: tuple[Path, ...], at: Seconds | None,
    fail_on: Threshold, allow_incomplete: bool, exit_zero: bool, baselines: tuple[Path, ...], format_: str,
    lang: str | None, output: Path, kind: str | None, quiet: bool,
) -> int:  # fmt: skip
    """Judge a snapshot: the offline half. The same input and --at give the same report.json."""
    from cloudaudit import api
    from cloudaudit.plugins import kinds, not_as_collected
    from cloudaudit.snapshot import Snapshot

    run = Snapshot(snapshot, {}).run
    about = run.get("subject", {})
    for warning in not_as_collected(run, kinds()):
        note(f"warning: {warning}")
    reporters = _check_formats(screen=format_, quiet=quiet)
    api.check_room(output, registers, snapshot)
    known = know(profile, kind or about.get("kind", "provider"), controls)
    api.check_threshold(fail_on, known.profile)
    gate = Gate(fail_on, allow_incomplete, exit_zero)
    id_ = about.get("id", "platform")
    named = _baselines(baselines, fail_on, {id_: known}).get(id_)
    declared = declare(registers, known)
    if at is not None and at < Snapshot(snapshot, {}).collected_at:
        note("warning: --at lies before the collection; a bare date means midnight in Viet Nam")
    api.make_room(output, registers, snapshot)
    assessed = _assess(snapshot, output, known, registers, declared, at, reporters)
    emit(_rendered(assessed, format_, language(lang), known, baseline=named, floor=fail_on.severity), None)
    note(f"assessment: {output}", quiet)
    return _exit_code(assessed.report, gate, named, language(lang), quiet)


def _assess(
    snapshot: Path, out: Path, known: Knowledge, registers: Path | None, declared: Registers,
    at: Seconds | None, reporters: Sequence[Mapping[str, str]],
) -> Assessed:  # fmt: skip
    from cloudaudit import api
    from cloudaudit.registers import check_drills, check_regions, check_waivers

    moment = at if at is not None else now()
    for problem in [*check_drills(declared, moment), *check_waivers(declared, moment)]:
        note(f"warning: {problem}")
    regions = api.regions_of(snapshot, known)
    for problem in [] if regions is None else check_regions(declared, regions):
        note(f"warning: {problem}")
    assessed = api.assess(
        snapshot, out, known, declared, at=moment, generated_at=generated(),
        reporters=reporters,
    )  # fmt: skip
    api.keep_registers(registers, declared, out)
    return assessed


def _rendered(
    assessed: Assessed, format_: str, lang: Lang, known: Knowledge,
    earlier: Sequence[Mapping[str, Any]] = (), form: Form = "full", baseline: Baseline | None = None,
    period: Period | None = None, floor: Severity | None = None,
) -> str | bytes:  # fmt: skip
    """One format as it goes to the screen."""
    from cloudaudit import api

    return api.render(
        assessed, format_, lang=lang, width=width(), color=color(), catalogue=known.catalogue,
        previous=earlier, form=form, period=period,
        baseline=baseline.known_in(assessed.report) if baseline is not None else None, floor=floor,
    )  # fmt: skip


@click.command()
@click.argument("assessment", type=EXISTING_FOLDER)
@showing
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; default: stdout."
)
@controls_option
@documenting
@click.option(
    "--template",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An organisation's own Word document to fill, for docx.",
)
@click.option("--snapshot", type=EXISTING_FOLDER, help="Check that this is the snapshot it was made from.")
@click.option(
    "--baseline", "baselines", type=click.Path(path_type=Path), help="Mark the violations it names as known."
)
def report(
    assessment: Path, format_: str, lang: str | None, output: Path | None, controls: tuple[Path, ...],
    previous: tuple[Path, ...], form: Form, period: Period | None, template: Path | None,
    snapshot: Path | None, baselines: Path | None,
) -> None:  # fmt: skip
    """Write an assessment in another format. Judges nothing: exits 0 whatever it found."""
    from cloudaudit import api, baseline
    from cloudaudit.plugins import catalogue
    from cloudaudit.reporters import BUILTIN

    check_period(period, form)
    # What a package's format does with a template is its own matter.
    if template is not None and format_ in BUILTIN and format_ != "docx":
        raise click.UsageError(f"--template is for the format docx; {format_} fills none")
    assessed = api.load_assessment(assessment, snapshot)
    named = None
    if baselines is not None:
        named = baseline.load(baselines)
        named.check_fit(*api.judged_as(assessed.report))
    earlier = api.earlier_of(assessed.report, api.load_earlier(previous))
    to_screen = output is None or str(output) == "-"
    _check_formats(format_, screen=format_ if to_screen else None)
    emit(
        api.render(
            assessed,
            format_,
            lang=language(lang),
            width=width() if to_screen else 80,
            color=to_screen and color(),
            catalogue=catalogue(controls),
            previous=earlier,
            form=form,
            period=period,
            template=template,
            baseline=named.known_in(assessed.report) if named is not None else None,
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


@dataclass(frozen=True, slots=True)
class Job:
    """How one audit is to be judged and shown."""

    at: Seconds | None
    gate: Gate
    format: str
    lang: str | None
    exports: Sequence[tuple[str, Path]] = ()
    earlier: Sequence[Mapping[str, Any]] = ()
    form: Form = "full"
    period: Period | None = None
    baseline: Baseline | None = None
    quiet: bool = False
    clock: Callable[[], Seconds] = now


@click.command(epilog=EXIT_TABLE)
@TARGETS
@judging
@deciding
@baselining
@showing
@writing("cloudaudit-out")
@click.option(
    "--export", "exports", type=Export(), multiple=True, help="Also write FORMAT to PATH. Repeatable."
)
@documenting
@quietness
def run(
    targets_file: Path, profile: str, registers: Path | None, controls: tuple[Path, ...],
    at: Seconds | None, fail_on: Threshold, allow_incomplete: bool, exit_zero: bool,
    baselines: tuple[Path, ...], format_: str, lang: str | None, output: Path,
    exports: tuple[tuple[str, Path], ...], previous: tuple[Path, ...], form: Form,
    period: Period | None, quiet: bool,
) -> int:  # fmt: skip
    """Collect, assess and report. One folder for each subject when there are several; the worst code wins."""
    from cloudaudit import api

    check_period(period, form)
    loaded = load_targets(targets_file)
    single = len(loaded.subjects) == 1
    folders = {subject.id: output if single else output / subject.id for subject in loaded.subjects}
    for subject in loaded.subjects:
        api.check_room(folders[subject.id], registers or subject.registers)
    own = {subject.id: exports if single else _of_subject(exports, subject.id) for subject in loaded.subjects}
    read = [
        targets_file,
        Path(profile),
        *controls,
        *baselines,
        *previous,
        *([registers] if registers else ()),
    ]
    _check_exports([path for each in own.values() for _, path in each], folders.values(), read, loaded)
    earlier = by_subject(api.load_earlier(previous), loaded.subjects, now() if at is None else at)
    gate = Gate(fail_on, allow_incomplete, exit_zero)
    job = Job(at, gate, format_, lang, exports, form=form, period=period, quiet=quiet)
    ready = prepare(loaded.subjects, profile, registers, controls)
    for one in ready:
        api.check_threshold(fail_on, one.known.profile)
    named = _baselines(baselines, fail_on, {one.subject.id: one.known for one in ready})
    codes = []
    for one in ready:
        id_ = one.subject.id
        own_job = replace(job, exports=own[id_], earlier=earlier[id_], baseline=named.get(id_))
        codes.append(audit(one, folders[id_], own_job))
        if codes[-1] == INTERRUPTED:
            break
    return worst(codes)


def _baselines(
    paths: Sequence[Path], fail_on: Threshold, known: Mapping[str, Knowledge]
) -> Mapping[str, Baseline]:
    """The baselines that are given, by subject. UsageError: the threshold is none that they can change."""
    if paths and fail_on.needs_gates:
        raise click.UsageError(
            "--baseline names findings, and gates and levels are figures of a report that it cannot change: "
            "let --fail-on name a severity, or leave --baseline away"
        )
    return fit_baselines(paths, known)


def fit_baselines(paths: Sequence[Path], known: Mapping[str, Knowledge]) -> Mapping[str, Baseline]:
    """Baselines by subject, each fit for the way its subject is judged. BaselineError: one does not fit."""
    if not paths:
        return {}
    from cloudaudit import baseline

    found = baseline.choose([baseline.load(path) for path in paths], known.keys())
    for id_, one in found.items():
        profile = known[id_].profile
        one.check_fit(id_, profile.kind, profile.id)
        if one.version != profile.version:
            note(
                f"warning: {one.name}: made with {one.profile} {one.version}, judged by {profile.version}; "
                "what changed controls find counts as new"
            )
    return found


def _of_subject(exports: Sequence[tuple[str, Path]], id_: str) -> Sequence[tuple[str, Path]]:
    """The exports of one of several subjects, each to a file of its own."""
    return [
        (kind, path if str(path) == "-" else path.with_stem(f"{path.stem}-{id_}")) for kind, path in exports
    ]


CODE: Final = (".tf", ".tofu", ".tfvars", ".tf.json", ".tofu.json", ".tfvars.json", ".yaml", ".yml")
"""Ends of the names of files that code is written in."""


def _check_exports(
    paths: Sequence[Path], folders: Iterable[Path], read: Iterable[Path], loaded: TargetsFile
) -> None:
    """Refuse an export that another one, or what is written anyway, would overwrite; or that is read."""
    from cloudaudit import api
    from cloudaudit.errors import OutputError
    from cloudaudit.targets import CodeEntry

    taken = {(folder / name).resolve() for folder in folders for name in api.OURS}
    code = [entry for one in loaded.subjects for entry in one.targets if isinstance(entry, CodeEntry)]
    files = [*read, *(one.registers for one in loaded.subjects if one.registers)]
    files += [file for entry in code for file in (entry.file, entry.environment) if file]
    needed = {file.resolve() for file in files}
    sources = {entry.source.resolve() for entry in code if entry.source}
    for path in paths:
        place = path.resolve()
        inside = needed & {place, *place.parents}
        written = sources & set(place.parents) and path.name.endswith(CODE)
        if place.exists() and (inside or written):
            raise OutputError(f"{path} is read for this audit", hint="give the export a path of its own")
        if place in taken or taken & set(place.parents):
            raise OutputError(f"{path} is written twice", hint="give each export a path of its own")
        taken.add(place)


def by_subject(
    reports: Sequence[Mapping[str, Any]], subjects: Sequence[Subject], at: Seconds
) -> dict[str, list[Mapping[str, Any]]]:
    """Earlier reports by the subject they are of, checked before any cloud is asked."""
    from cloudaudit import api
    from cloudaudit.errors import CloudauditError
    from cloudaudit.model import format_time

    found: dict[str, list[Mapping[str, Any]]] = {subject.id: [] for subject in subjects}
    for one in reports:
        why = [api.other_subject(one, subject.id, subject.kind) for subject in subjects]
        if all(why):
            raise CloudauditError(
                f"the earlier report assessed at {one['assessed_at']} {why[0]}",
                hint="give reports of the same subject and scope",
            )
        found[subjects[why.index("")].id].append(one)
    for subject in subjects:
        planned = {"subject": {"id": subject.id}, "scope": subject.kind, "assessed_at": format_time(at)}
        api.earlier_of(planned, found[subject.id])
    return found


def _check_formats(*names: str, screen: str | None, quiet: bool = False) -> list[dict[str, str]]:
    """Refuse a format that nobody writes, before clouds are read for it; and one a terminal cannot show.

    Tells whose the others are where a package brings one, and returns those.
    """
    from cloudaudit.errors import OutputError
    from cloudaudit.plugins import package_of, reporter

    made = {name: reporter(name) for name in sorted({*names, *([screen] if screen else ())})}
    if screen and sys.stdout.isatty() and made[screen].media_type.startswith(BINARY):
        raise OutputError(f"the format '{screen}' is binary: a terminal cannot show it", hint=TO_A_FILE)
    found = {name: package_of(one) for name, one in made.items()}
    brought = [package for package in found.values() if package is not None]
    for one in brought:
        note(f"the format '{one['name']}' is of the package {one['package']} {one['version']}", quiet)
    return brought


def worst(codes: Sequence[int]) -> int:
    """The code of several subjects: interrupted, then a violation, then incomplete."""
    return next((code for code in (INTERRUPTED, 1, 3) if code in codes), 0)


def audit(one: Ready, out: Path, job: Job) -> int:
    """The whole job for one subject, into one folder."""
    from cloudaudit import api

    reporters = _check_formats(*(kind for kind, _ in job.exports), screen=job.format, quiet=job.quiet)
    api.make_room(out, one.registers)
    snapshot = out / "snapshot"
    interrupted = _collect(one, snapshot, job.quiet, job.clock)
    assessed = _assess(snapshot, out, one.known, one.registers, one.declared, job.at, reporters)
    lang = language(job.lang)
    known = job.baseline.known_in(assessed.report) if job.baseline is not None else None
    for kind, path in [("html", out / "report.html"), *job.exports]:
        shown = api.render(
            assessed, kind, lang=lang, catalogue=one.known.catalogue, previous=job.earlier, form=job.form,
            period=job.period, baseline=known, floor=job.gate.fail_on.severity,
        )  # fmt: skip
        emit(shown, path)
    floor = job.gate.fail_on.severity
    shown = _rendered(
        assessed, job.format, lang, one.known, job.earlier, job.form, job.baseline, job.period, floor
    )
    emit(shown, None)
    told = fitted(closing(assessed.report, lang), stream=sys.stderr)
    note(f"\n{told}\n{out / 'report.html'}\n{out / 'report.json'}", job.quiet)
    if interrupted:
        return INTERRUPTED
    return _exit_code(assessed.report, job.gate, job.baseline, lang, job.quiet)


def _exit_code(
    report: Mapping[str, Any], gate: Gate, baseline: Baseline | None, lang: Lang, quiet: bool
) -> int:
    """The exit code, told with what it rests on."""
    from cloudaudit import api
    from cloudaudit.reporters.words import labels

    wanted = gate.fail_on
    known = baseline.known_in(report) if baseline is not None else {}
    code = api.exit_code(report, wanted, allow_incomplete=gate.allow_incomplete, known=known)
    if wanted.level is not None:
        why = labels()("exit.level", code=code, level=report["readiness"]["level"], wanted=wanted.level)
    elif wanted.gate:
        state = labels().of("gate_state", report["readiness"]["gate_state"])
        why = labels()("exit.gate", code=code, state=state)
    else:
        floor = wanted.severity or Severity.HIGH
        violations, unknown = api.counts(report, floor, known)
        all_ = api.counts(report, floor)[0]
        why = labels()(
            "exit.severity" if baseline is None else "exit.new", code=code, violations=violations,
            unknown=unknown, known=all_ - violations, severity=labels().of("severity", floor.value),
        )  # fmt: skip
    for line in (*_lapsed(report, lang), *(_baseline_lines(report, baseline, lang) if baseline else ())):
        note(fitted(line, stream=sys.stderr), quiet)
    if baseline is not None:
        _tell_stale(report, baseline)
    note(fitted(getattr(why, lang), stream=sys.stderr), quiet)
    if gate.code(code) != code:
        note(getattr(labels()("exit.zero", code=code), lang), quiet)
    return gate.code(code)


MOST_LINES: Final = 8
"""Lines told at the end of waivers that do not hold, and of known violations."""


def _lapsed(report: Mapping[str, Any], lang: Lang) -> Iterator[str]:
    """Violations that count although somebody decided on a waiver: why it does not hold."""
    from cloudaudit.reporters import view
    from cloudaudit.reporters.words import clean, labels

    refused = [one for one in view.waived(report) if one.refusal is not None]
    for one in refused[:MOST_LINES]:
        told = {"refusal": one.refusal, "control": clean(one.control), "count": len(one.findings)}
        yield clean(getattr(labels()("exit.refused", **told), lang))
    if len(refused) > MOST_LINES:
        yield getattr(labels()("report.more", count=len(refused) - MOST_LINES), lang)


def _baseline_lines(report: Mapping[str, Any], baseline: Baseline, lang: Lang) -> Iterator[str]:
    """Violations that do not count because a baseline names them: how old, and why."""
    from cloudaudit.reporters.standing import remaining
    from cloudaudit.reporters.words import clean, labels, moment, same

    found = remaining(report, baseline.known_in(report))
    for one in found[:MOST_LINES]:
        days = "–" if one.days is None else one.days
        controls = ", ".join(map(clean, one.controls[:3])) + (", …" if len(one.controls) > 3 else "")
        told = {"count": len(one.findings), "controls": controls, "since": moment(one.since)}
        line = labels()("exit.known", **told, days=days, reason=same(clean(one.reason)))
        yield clean(getattr(line, lang))
    if len(found) > MOST_LINES:
        hidden = sum(len(one.findings) for one in found[MOST_LINES:])
        yield getattr(labels()("report.more", count=hidden), lang)


def _tell_stale(report: Mapping[str, Any], baseline: Baseline) -> None:
    from cloudaudit.baseline import stale

    gone = stale(baseline, report)
    if gone:
        first = ", ".join(f"{one.control} {plain(one.name or one.id, 60)}" for one in gone[:3])
        note(
            f"warning: {baseline.name}: {len(gone)} of {len(baseline.entries)} entries are no violation now "
            f"({first}{', …' if len(gone) > 3 else ''}): fixed, waived or not seen; "
            "cloudaudit baseline --update takes them out"
        )


def closing(report: Mapping[str, Any], lang: Lang) -> str:
    """The result in one line, for the end of a long screen."""
    from cloudaudit.reporters import view, words

    readiness, label = report["readiness"], words.labels()
    opened, counted = view.gate_count(report)
    level = label("report.score_short")
    if counted:
        name, number = words.text_of(readiness["level_label"]), readiness["level"]
        level = label("report.level_and_gates", level=number, name=name, open=opened, all=counted)
    score = words.interval(readiness["score"]["lower"], readiness["score"]["upper"])
    coverage = words.figure(readiness["coverage"], "%")
    parts = (level, score, label("figure.coverage"), coverage)
    said, bounds, covered, share = (getattr(part, lang) for part in parts)
    return f"{said}{';' if counted else ''} {bounds}; {covered} {share}"


@click.command()
@writing("cloudaudit-demo")
@showing
@quietness
def demo(output: Path, format_: str, lang: str | None, quiet: bool) -> int:
    """The whole job on an embedded sample cloud: collect over loopback, assess, report.

    The sample cloud holds violations on purpose, so the exit code is 1.
    """
    from importlib.util import find_spec

    from cloudaudit.api import Threshold
    from cloudaudit.demo import sample_cloud
    from cloudaudit.errors import CloudauditError

    if not all(map(find_spec, ("moto", "flask", "boto3"))):
        raise CloudauditError(
            "the sample cloud needs packages that are not installed",
            hint="install them, from a checkout with: pip install '.[demo]'",
        )
    with sample_cloud() as sample:
        loaded = load_targets(sample.targets)
        (one,) = prepare(loaded.subjects, "ndc-connection", None, ())
        job = Job(
            sample.at,
            Gate(Threshold()),
            format_,
            lang,
            quiet=quiet,
            clock=lambda: sample.at,
        )
        return audit(one, output, job)
