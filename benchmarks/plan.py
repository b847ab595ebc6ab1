"""A gate over a plan: CPU of `cloudaudit run` with 20 controls on 2,000 resources, start-up included.

    python benchmarks/plan.py [RUNS]

The plan is one that Terraform made (tests/data/terraform/large), with the configuration it was made from beside
it, so that findings are looked up at their lines. Against it, in turn in the same run: the same command over the
empty plan, which is the price of starting, and a program that only parses the JSON. Medians, user and system time.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data" / "terraform"
RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
CONTROLS = 20
TARGETS = """\
version: 1
subjects:
  - id: ha-tang
    kind: agency
    title: {{vi: Hạ tầng}}
    targets:
      - {{name: ke-hoach, kind: terraform, plan: {plan}{source}}}
"""


def cpu(arguments: list[str], folder: Path) -> tuple[float, int]:
    """User and system seconds of one run, and its exit code."""
    null = [(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_WRONLY, 0) for n in (1, 2)]
    # Compiled once, as what is installed is.
    compiled = {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | compiled
    before = Path.cwd()
    os.chdir(folder)
    try:
        pid = os.posix_spawn(sys.executable, [sys.executable, *arguments], env, file_actions=null)
    finally:
        os.chdir(before)
    _, status, used = os.wait4(pid, 0)
    return used.ru_utime + used.ru_stime, os.waitstatus_to_exitcode(status)


def profile(folder: Path) -> Path:
    """The first controls of the profile for plans, as a profile of its own."""
    sys.path.insert(0, str(ROOT))
    from cloudaudit.yamlsource import load

    chosen = load(ROOT / "profiles" / "before-deployment.yaml").value["controls"][:CONTROLS]
    assert len(chosen) == CONTROLS, chosen
    path = folder / "twenty.yaml"
    # JSON is YAML.
    path.write_text(
        json.dumps({
            "id": "twenty", "version": "1.0.0", "title": {"vi": "Hai mươi", "en": "Twenty"},
            "extends": "before-deployment", "controls": chosen,
        })
    )  # fmt: skip
    return path


def prepared(folder: Path) -> dict[str, list[str]]:
    """The commands to time, by name."""
    large = gzip.decompress((DATA / "large" / "plan.json.gz").read_bytes())
    (folder / "plan.json").write_bytes(large)
    writer = ROOT / "tests" / "beds" / "terraform" / "large.py"
    subprocess.run([sys.executable, writer, folder / "infra"], check=True, stdout=subprocess.DEVNULL)
    (folder / "targets.yaml").write_text(TARGETS.format(plan="plan.json", source=", source: infra"))
    (folder / "empty.json").write_bytes((DATA / "empty" / "plan.json").read_bytes())
    (folder / "nothing.yaml").write_text(TARGETS.format(plan="empty.json", source=""))
    run = ["-m", "cloudaudit", "run", "-p", str(profile(folder)), "-o"]
    return {
        "python, JSON only": [
            "-c",
            "import json, pathlib; json.loads(pathlib.Path('plan.json').read_bytes())",
        ],
        "run, empty plan": [*run, "out-empty", "-t", "nothing.yaml"],
        "run, 2,000 resources": [*run, "out", "-t", "targets.yaml"],
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = prepared(folder)
        times: dict[str, list[float]] = {key: [] for key in commands}
        codes: dict[str, int] = {}
        cpu(commands["run, 2,000 resources"], folder)
        for _ in range(RUNS):
            for key, arguments in commands.items():
                seconds, codes[key] = cpu(arguments, folder)
                times[key].append(seconds)
        report = json.loads((folder / "out" / "report.json").read_text(encoding="utf-8"))
        verdicts: dict[str, int] = {}
        for control in report["controls"]:
            for verdict, count in control["counts"].items():
                verdicts[verdict] = verdicts.get(verdict, 0) + count
    base = sorted(times["run, empty plan"])[RUNS // 2]
    for key, found in times.items():
        middle = sorted(found)[RUNS // 2]
        print(f"{key:<22} {middle:6.2f} s CPU  {middle / base:5.2f} x  exit {codes[key]}")
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()) if count))


if __name__ == "__main__":
    main()
