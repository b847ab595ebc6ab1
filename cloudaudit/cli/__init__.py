"""The command line: parse, call, print, exit. The only place that reads the environment and the clock.

Commands import what they need when they run, so that `--help` and `--version` load no SDK.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import logging
import os
import sys
import warnings
from typing import Any

import click

from cloudaudit import __version__
from cloudaudit.errors import CloudauditError

CONTEXT = {
    "help_option_names": ["-h", "--help"],
    "auto_envvar_prefix": "CLOUDAUDIT",
    "max_content_width": 100,
}
INTERNAL_ERROR = 4
INTERRUPTED = 130
COMMANDS = {
    "demo": "cloudaudit.cli.auditing:demo",
    "run": "cloudaudit.cli.auditing:run",
    "collect": "cloudaudit.cli.auditing:collect",
    "assess": "cloudaudit.cli.auditing:assess",
    "report": "cloudaudit.cli.auditing:report",
    "baseline": "cloudaudit.cli.gating:baseline",
    "diff": "cloudaudit.cli.gating:diff",
    "check-config": "cloudaudit.cli.gating:check_config",
    "plan": "cloudaudit.cli.planning:plan",
    "permissions": "cloudaudit.cli.planning:permissions",
    "preflight": "cloudaudit.cli.planning:preflight",
    "attest": "cloudaudit.cli.attesting:attest",
    "bundle": "cloudaudit.cli.bundling:bundle",
    "controls": "cloudaudit.cli.catalogue:controls",
    "profiles": "cloudaudit.cli.catalogue:profiles",
    "providers": "cloudaudit.cli.catalogue:providers",
    "facts": "cloudaudit.cli.catalogue:facts",
    "obligations": "cloudaudit.cli.catalogue:obligations",
    "schema": "cloudaudit.cli.catalogue:schema",
}
SUMMARIES = {
    "demo": "The whole job on an embedded sample cloud.",
    "run": "Collect, assess and report.",
    "collect": "Read clouds into a snapshot (the networked half).",
    "assess": "Judge a snapshot, offline.",
    "report": "Write an assessment in another format.",
    "baseline": "Write down the violations of an assessment, so that only new ones fail a gate.",
    "diff": "Compare two assessments: new, fixed, changed, still open.",
    "check-config": "Check targets, registers and profile without a network.",
    "plan": "The requests an audit would make, and for which controls.",
    "permissions": "Least rights for an audit identity, as files to apply.",
    "preflight": "What the credentials can and cannot see.",
    "attest": "Begin and check entries of the register of papers.",
    "bundle": "Make and check a signed bundle of a report and all it followed from.",
    "controls": "List, show and lint controls.",
    "profiles": "List, show and lint profiles.",
    "providers": "List and show presets of domestic object stores.",
    "facts": "Every fact a control can read.",
    "obligations": "List and show the clauses controls serve.",
    "schema": "Print the JSON Schema of a file users write.",
}


class Commands(click.Group):
    """The commands by name, imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        module, _, attribute = COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(import_module(module), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list from the table, so that help imports no command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from cloudaudit.errors import did_you_mean

        if args and args[0] not in COMMANDS:
            hint = did_you_mean(args[0], COMMANDS)
            raise click.UsageError(f"there is no command '{args[0]}'{'; ' + hint if hint else ''}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="cloudaudit", message="%(prog)s %(version)s")
def cli() -> None:
    """Audit cloud deployments: data residency, backup and recovery, portability, security, commitments.

    Exit codes: 0 no violation; 1 violation; 2 usage or a bad file; 3 something is not known;
    4 internal error.
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit with its code; every error becomes one clear message on stderr."""
    # What libraries log and warn of may quote a server as it likes. What matters of it is told as gaps.
    logging.basicConfig(handlers=[logging.NullHandler()])
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    # What a run reads it keeps to its end: looking for what can go finds little, and costs a twentieth.
    gc.set_threshold(100_000, 50, 50)
    code = _run(args)
    if code == INTERRUPTED:
        # Everything is written. Threads may still wait for a silent server, and a plain exit for them.
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def _run(args: list[str] | None) -> int:
    try:
        result: Any = cli.main(args, prog_name="cloudaudit", standalone_mode=False)
    except click.ClickException as wrong:
        wrong.show()
        return wrong.exit_code
    except click.exceptions.Exit as done:
        return done.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except CloudauditError as wrong:
        from cloudaudit.cli.options import tell

        for problem in wrong.problems:
            tell(f"error: {problem}")
        return wrong.exit_code
    except SystemExit:
        # What click makes of a reader that went away, as `| head` does; there is nobody left to tell.
        from cloudaudit.cli.options import silence

        silence(sys.stdout)
        return 0
    except OSError as wrong:
        if wrong.errno != errno.ENOSPC:
            return _internal(wrong)
        from cloudaudit.cli.options import silence, tell

        silence(sys.stdout)
        tell(f"error: the output cannot be written: {wrong.strerror}")
        return CloudauditError.exit_code
    except Exception as wrong:  # noqa: BLE001 - the last resort: no traceback may show what a cloud said
        return _internal(wrong)
    return result if isinstance(result, int) else 0


def _internal(wrong: Exception) -> int:
    import traceback

    if os.environ.get("CLOUDAUDIT_TRACEBACK"):
        traceback.print_exc()
    frame = traceback.extract_tb(wrong.__traceback__)[-1]
    place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    click.echo(
        f"internal error: {type(wrong).__name__} at {place}; this is a defect of cloudaudit, "
        "set CLOUDAUDIT_TRACEBACK=1 to see where it comes from",
        err=True,
    )
    return INTERNAL_ERROR
