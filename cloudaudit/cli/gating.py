"""The commands of a gate that are no audit: baseline, diff, check-config."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudaudit.cli.auditing import note
from cloudaudit.cli.options import (
    EXISTING,
    EXISTING_FOLDER,
    EXIT_TABLE,
    color,
    emit,
    fitted,
    generated,
    language,
    quietness,
    speaking,
    width,
)
from cloudaudit.errors import CloudauditError
from cloudaudit.model import Severity

if TYPE_CHECKING:
    from cloudaudit.reporters.difference import Difference


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
    before, now_ = api.judged_as(earlier)[2], api.judged_as(report)[2]
    if before != now_:
        # --previous takes such reports: its reader sees both names beside the figures. An exit code does not.
        raise CloudauditError(
            f"{old} is judged by the profile '{excerpt(before)}', and {new} by '{excerpt(now_)}'",
            hint=f"judge the older snapshot again: cloudaudit assess SNAPSHOT -p {excerpt(now_)}",
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
