"""Start-up cost: CPU of `--version` and `--help` against `python -c pass`, and what they import.

    python benchmarks/startup.py

Medians of nine runs each, taken in turn in the same run; the ratio is what counts.
"""

from __future__ import annotations

import os
import subprocess
import sys

RUNS = 9
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "cloudaudit --version": ["-m", "cloudaudit", "--version"],
    "cloudaudit --help": ["-m", "cloudaudit", "--help"],
}
SDKS = ("boto3", "botocore", "openstack", "keystoneauth1", "jinja2", "rich", "yaml", "jsonschema")


def cpu(arguments: list[str]) -> float:
    """User and system seconds of one run, start and end of the interpreter included."""
    pid = os.posix_spawn(
        sys.executable, [sys.executable, *arguments], dict(os.environ),
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)],
    )  # fmt: skip
    _, status, used = os.wait4(pid, 0)
    assert status == 0, arguments
    return used.ru_utime + used.ru_stime


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, arguments in COMMANDS.items():
            times[name].append(cpu(arguments))
    middle = {name: sorted(found)[RUNS // 2] for name, found in times.items()}
    base = middle["python -c pass"]
    for name, seconds in middle.items():
        print(f"{name:<22} {seconds * 1000:6.1f} ms CPU  {seconds / base:4.1f} x")
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cloudaudit", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    found = sorted(
        {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in loaded.splitlines()} & set(SDKS)
    )
    print(f"SDKs and heavy libraries imported by --help: {', '.join(found) or 'none'}")


if __name__ == "__main__":
    main()
