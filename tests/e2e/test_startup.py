"""Starting is cheap: help and version load no SDK and nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cloudaudit import __version__
from cloudaudit.cli import COMMANDS, SUMMARIES

HEAVY = (
    "boto3",
    "botocore",
    "openstack",
    "keystoneauth1",
    "requests",
    "urllib3",
    "jinja2",
    "rich",
    "yaml",
    "jsonschema",
)


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_nothing_heavy_is_loaded(flag: str) -> None:
    program = (
        "import sys; from cloudaudit.cli import _run; code = _run([sys.argv[1]]); "
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program, flag], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert done.stdout.startswith("Usage: cloudaudit" if flag == "--help" else f"cloudaudit {__version__}\n")


def test_every_command_has_its_line_in_help() -> None:
    assert list(COMMANDS) == list(SUMMARIES)


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cloudaudit", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"cloudaudit {__version__}\n"
