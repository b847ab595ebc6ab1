"""The commands of a gate that are no audit: baseline, diff, check-config."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from cloudaudit.cli.auditing import TARGETS, declare, fit_baselines, know, load_targets, note
from cloudaudit.cli.options import (
    EXISTING,
    EXISTING_FOLDER,
    EXIT_TABLE,
    choosing,
    color,
    emit,
    fitted,
    generated,
    language,
    now,
    quietness,
    speaking,
    tell,
    width,
)
from cloudaudit.errors import CloudauditError, Problem
from cloudaudit.model import Severity
from cloudaudit.wording import plain

if TYPE_CHECKING:
    from cloudaudit.api import Knowledge
    from cloudaudit.reporters.difference import Difference
    from cloudaudit.targets import Outline

T = TypeVar("T")


@click.command()
@click.argument("assessment", type=EXISTING_FOLDER)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, such as baseline.json. One that is there is only replaced with --update.",
)
@click.option("--reason", help="Why the violations that are added are let be for now.")
@click.option(
    "--update",
    "old",
    type=click.Path(path_type=Path),
    help="An older baseline, which may be the file of -o. What is still there keeps its date and reason.",
)
@quietness
def baseline(assessment: Path, output: Path, reason: str | None, old: Path | None, quiet: bool) -> int:
    """Write down the violations of an assessment, so that only new ones fail a gate.

    Every fail and everything expired that no waiver covers, of any severity. What is unknown or pending is
    never in a baseline: exit code 3 stays. With --update, what was fixed or is waived now is taken out, and
    new violations are added only with a --reason for them.
    """
    from cloudaudit import api
    from cloudaudit import baseline as baselines
    from cloudaudit.errors import OutputError

    if old is None and output.exists():
        raise OutputError(
            f"{output} is there already, with dates and reasons of its own",
            hint=f"give --update {output} to keep them, or remove it",
        )
    if reason is not None and not reason.strip():
        raise click.BadParameter("a text is expected", param_hint="--reason")
    if old is None and reason is None:
        raise click.UsageError("--reason is needed: a baseline says why violations are let be for now")
    assessed = api.load_assessment(assessment)
    before = None
    if old is not None:
        before = baselines.load(old)
        before.check_fit(*api.judged_as(assessed.report))
    settled = baselines.settled_of(api.all_findings(assessed))
    made = baselines.make(str(output), assessed.report, reason, generated(), before, settled)
    baselines.write(made.baseline, output)
    note(f"baseline: {output}: {len(made.baseline.entries)} known violations", quiet)
    for count, what in (
        (made.added, "added"),
        (made.kept, "kept, with their dates and reasons"),
        (made.fixed, "taken out: fixed, gone or no longer judged"),
        (made.waived, "taken out: waived now"),
        (made.unseen, "kept although not known now: nothing shows that they are fixed"),
    ):
        if count and old is not None:
            note(f"  {count} {what}", quiet)
    if made.refused:
        note(f"warning: {made.refused} new violations are not added: give --reason for them")
    return 0


@click.command(epilog=EXIT_TABLE)
@click.argument("old", type=EXISTING)
@click.argument("new", type=EXISTING)
@click.option(
    "-f",
    "--format",
    "format_",
    type=click.Choice(["text", "json", "md"]),
    default="text",
    show_default=True,
    help="Format for stdout.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; default: stdout."
)
@click.option(
    "--fail-on",
    type=click.Choice([one.value for one in Severity]),
    default="high",
    show_default=True,
    help="The least severity that ends in exit code 1 or 3.",
)
@click.option("--allow-incomplete", is_flag=True, help="Exit 0 although less is known or seen.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 where it would be 1 or 3.")
@speaking
@quietness
def diff(
    old: Path, new: Path, format_: str, output: Path | None, fail_on: str, allow_incomplete: bool,
    exit_zero: bool, lang: str | None, quiet: bool,
) -> int:  # fmt: skip
    """Compare two assessments of one subject: folders of them, or their report.json.

    Exits 1 for a violation that was none before or was waived, 3 for what is not known any more or was a
    violation and is no longer seen, or when less is looked at; else 0. What is merely gone is never called
    fixed.
    """
    from cloudaudit.reporters import difference

    one = _compared(old, new, Severity(fail_on))
    chosen = language(lang)
    to_screen = output is None or str(output) == "-"
    if format_ == "json":
        shown = difference.as_json(one, allow_incomplete)
    elif format_ == "md":
        shown = difference.as_markdown(one, chosen)
    else:
        shown = difference.as_text(one, chosen, width() if to_screen else 80, to_screen and color())
    emit(shown, output)
    code = one.code(allow_incomplete)
    why = difference.closing(one, allow_incomplete)
    note(fitted(getattr(why, chosen), stream=sys.stderr), quiet)
    return 0 if exit_zero else code


def _compared(old: Path, new: Path, floor: Severity) -> Difference:
    """Two reports side by side. CloudauditError: they do not compare."""
    from cloudaudit import api
    from cloudaudit.model import parse_time
    from cloudaudit.reporters.comparison import open_prints
    from cloudaudit.reporters.difference import Difference
    from cloudaudit.yamlsource import excerpt

    earlier, report = api.load_earlier([old, new])
    if mismatch := api.other_subject(earlier, report["subject"]["id"], report["scope"]):
        raise CloudauditError(f"{old} {mismatch}", hint="give reports of the same subject and scope")
    before, after = api.judged_as(earlier)[2], api.judged_as(report)[2]
    if before != after:
        # --previous takes such reports: its reader sees both names beside the figures. An exit code does not.
        raise CloudauditError(
            f"{old} is judged by the profile '{excerpt(before)}', and {new} by '{excerpt(after)}'",
            hint=f"judge the older snapshot again: cloudaudit assess SNAPSHOT -p {excerpt(after)}",
        )
    if parse_time(earlier["assessed_at"]) > parse_time(report["assessed_at"]):
        raise CloudauditError(f"{old} was assessed after {new}", hint="give the older one first")
    folder = new if new.is_dir() else new.parent
    passing = None
    if (folder / report["findings_file"]["path"]).is_file():
        wanted = open_prints(earlier)
        passing = frozenset(
            record["fingerprint"]
            for record in api.all_findings(api.Assessed(folder, report))
            if record["verdict"] == "pass" and record["fingerprint"] in wanted
        )
    else:
        note(f"warning: {folder}: without {report['findings_file']['path']} nothing can be called fixed")
    return Difference.of(report, earlier, passing, floor)


@click.command("check-config")
@TARGETS
@choosing
@click.option(
    "--baseline", "baselines", type=click.Path(path_type=Path), multiple=True, help="Also check that it fits."
)
@click.option(
    "--credentials",
    is_flag=True,
    help="Also check what only the auditing machine has: variables, files, clouds.yaml, AWS profiles.",
)
@quietness
def check_config(
    targets_file: Path, profile: str, registers: Path | None, controls: tuple[Path, ...],
    baselines: tuple[Path, ...], credentials: bool, quiet: bool,
) -> int:  # fmt: skip
    """Check targets, registers, waivers, profile, own controls and baselines: no network, no credentials.

    Exits 0 or 2, and tells every mistake with its file and line. Variables that are not set and files that
    are not there do not count, for pre-commit runs on machines that audit nothing: --credentials makes them.
    """
    checked = _Checked(quiet)
    subjects = checked.targets(targets_file, credentials)
    known = {
        kind: found
        for kind in sorted({one.kind for one in subjects} or {"provider"})
        if (found := checked.profile(profile, kind, controls)) is not None
    }
    for one in subjects:
        if one.beside and one.kind in known and known[one.kind].profile.gates:
            note(f"warning: {one.beside}")
    for folder, kind in dict.fromkeys((registers or one.registers, one.kind) for one in subjects):
        if folder is not None and kind in known:
            checked.registers(folder, known[kind])
    checked.baselines(baselines, {one.id: known[one.kind] for one in subjects if one.kind in known})
    for problem in checked.problems:
        tell(f"error: {problem}")
    return CloudauditError.exit_code if checked.problems else 0


class _Checked:
    """Checks one part after the other, so that one run tells the mistakes of all of them."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self.problems: dict[Problem, None] = {}
        """In order, each once: two subjects may share a folder."""

    def targets(self, path: Path, credentials: bool) -> Sequence[Outline]:
        from cloudaudit import plugins, targets

        found = self._kept(lambda: targets.survey(path, os.environ, plugins.kinds()))
        if found is None:
            return ()
        count = sum(one.targets for one in found.subjects)
        self._say(f"{path}: {len(found.subjects)} subjects, {count} targets")
        if credentials:
            self._credentials(path)
            return found.subjects
        for warning in found.warnings:
            note(f"warning: {warning}")
        for problem in found.unchecked:
            note(f"not checked here: {problem.where}: {problem.message}", self._quiet)
        if not found.unchecked:
            self._code(path)
        return found.subjects

    def _code(self, path: Path) -> None:
        """Plans, states and templates that are there can be read anywhere."""
        from cloudaudit import collecting, plugins, targets

        loaded = self._kept(lambda: targets.load(path, os.environ, plugins.kinds()))
        for entry in (entry for one in loaded.subjects for entry in one.targets) if loaded else ():
            if isinstance(entry, targets.CodeEntry):
                for doubt in self._kept(partial(collecting.check_code, entry)) or ():
                    note(f"warning: {doubt}")

    def _credentials(self, path: Path) -> None:
        from cloudaudit.collecting import check_targets

        loaded = self._kept(lambda: load_targets(path))
        if loaded is None:
            return
        told = [self._kept(partial(check_targets, one)) for one in loaded.subjects]
        for warning in (warning for warnings in told if warnings for warning in warnings):
            note(f"warning: {warning}")
        if all(warnings is not None for warnings in told):
            self._say(f"{path}: variables, files and credentials are there")

    def profile(self, profile: str, kind: str, controls: Sequence[Path]) -> Knowledge | None:
        known = self._kept(lambda: know(profile, kind, controls))
        if known is not None:
            chosen = known.profile
            self._say(f"profile {chosen.id} {chosen.version}: {len(chosen.controls)} controls, {kind} scope")
        return known

    def registers(self, folder: Path, known: Knowledge) -> None:
        from cloudaudit.registers import check_drills, check_waivers

        declared = self._kept(lambda: declare(folder, known))
        if declared is None:
            return
        for problem in [*check_drills(declared, now()), *check_waivers(declared, now())]:
            note(f"warning: {problem}")
        kinds = ", ".join(file.kind for file in declared.files)
        self._say(f"{folder}: {kinds or 'no register'}; {len(declared.waivers)} waivers")

    def baselines(self, paths: Sequence[Path], known: Mapping[str, Knowledge]) -> None:
        from cloudaudit import baseline as baselines

        for path in paths:
            one = self._kept(partial(baselines.load, path))
            if one is not None:
                self._say(f"{path}: {len(one.entries)} known violations of '{plain(one.subject, 80)}'")
        # Whether they fit is only told where what they have to fit is sound itself.
        if not self.problems:
            self._kept(lambda: fit_baselines(paths, known))

    def _kept(self, step: Callable[[], T]) -> T | None:
        """What a step gives; None where it finds mistakes, which are kept."""
        try:
            return step()
        except CloudauditError as wrong:
            self.problems |= dict.fromkeys(wrong.problems)
            return None

    def _say(self, what: str) -> None:
        if not self._quiet:
            click.echo(plain(what, len(what)))
