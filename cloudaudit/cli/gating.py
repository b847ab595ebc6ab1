"""The commands of a gate that are no audit: baseline, diff, check-config."""

from __future__ import annotations

from pathlib import Path

import click

from cloudaudit.cli.auditing import note
from cloudaudit.cli.options import EXISTING_FOLDER, generated, quietness


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
