"""What runners make of the files that pipelines read: steps of the action, the component's job, Jenkins' shell.

Each is run as its runner runs it: the same shell with the same options, inputs put in as it puts them in, its own
variables and files. Nothing of the scripts is written again here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples" / "ci"
ACTION = ROOT / "action.yml"
COMPONENT = ROOT / "templates" / "cloudaudit.yml"


@dataclass(frozen=True)
class Ended:
    """A step or job that ended: its exit code, and what a reader of the log sees."""

    code: int
    log: str


def command(folder: Path, script: str | None = None) -> Path:
    """A folder to put before PATH, with a `cloudaudit` in it: this checkout's, or a script in its place."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "cloudaudit"
    ours = f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -P -m cloudaudit "$@"\n'
    program.write_text(f"#!/bin/sh\n{ours if script is None else script}", encoding="utf-8")
    program.chmod(0o755)
    return folder


def shell(args: Sequence[str], cwd: Path, path: Path, **environ: str) -> Ended:
    """Run a shell with hardly any environment; stderr goes where stdout goes, as in every runner's log."""
    env = {
        "PATH": f"{path}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(cwd),
        "LC_ALL": "C.UTF-8",
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
        **environ,
    }
    done = subprocess.run(
        args, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=100, check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout)


# --- GitHub ---------------------------------------------------------------------------------------


def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    return loaded


@dataclass
class GitHubRunner:
    """A job on GitHub with its workspace: runs single steps of the action and keeps their outputs."""

    workspace: Path
    temp: Path
    path: Path

    def __post_init__(self) -> None:
        self.temp.mkdir(parents=True, exist_ok=True)
        self.steps: dict[str, dict[str, str]] = {}
        self.summary = ""

    def run(self, step: str, **inputs: str) -> Ended:
        """One step, with the action's inputs as a workflow gives them and defaults for the rest."""
        (found,) = [one for one in action()["runs"]["steps"] if one["id"] == step]
        given = {name: str(one.get("default", "")) for name, one in action()["inputs"].items()} | inputs
        env = {name: self._expression(text, given) for name, text in found["env"].items()}
        assert found["shell"] == "sh"
        script, output, summary = self.temp / "step.sh", self.temp / "output", self.temp / "summary"
        script.write_text(found["run"], encoding="utf-8")
        output.write_text("", encoding="utf-8")
        summary.write_text("", encoding="utf-8")
        ended = shell(
            ["sh", "-e", str(script)], self.workspace, self.path,
            GITHUB_ACTION_PATH=str(ROOT), GITHUB_WORKSPACE=str(self.workspace), RUNNER_TEMP=str(self.temp),
            GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary), GITHUB_ACTIONS="true", CI="true", **env,
        )  # fmt: skip
        lines = output.read_text(encoding="utf-8").splitlines()
        self.steps[step] = dict(line.split("=", 1) for line in lines)
        self.summary = summary.read_text(encoding="utf-8")
        return ended

    def outputs(self) -> dict[str, str]:
        """The action's own outputs, which a runner sets whether its steps succeeded or not."""
        return {name: self._expression(one["value"], {}) for name, one in action()["outputs"].items()}

    def _expression(self, text: str, inputs: Mapping[str, str]) -> str:
        """The value of `${{ a.b || 'c' }}`; nothing else is used here."""
        inner = re.fullmatch(r"\$\{\{ ([a-z.-]+)(?: \|\| '(.*)')? \}\}", text)
        assert inner is not None, text
        match inner[1].split("."):
            case ["inputs", name]:
                return inputs[name]
            case ["steps", step, "outputs", name]:
                return self.steps.get(step, {}).get(name, "") or inner[2] or ""
        raise AssertionError(text)


def obeyed(log: str) -> list[str]:
    """Lines of a log that a runner of GitHub obeys, with those that stop and resume obeying left out.

    As its ActionCommandManager reads them: `::name …::` at the beginning of a line, or `##[name …]` anywhere.
    """
    token: str | None = None
    found = []
    for line in log.splitlines():
        named = re.match(r"\s*::([^ :]+)[^:]*::(.*)", line) or re.search(r"##\[([^ \]]+)[^\]]*\](.*)", line)
        if named is None:
            continue
        if token is not None:
            token = None if named[1] == token else token
        elif named[1] == "stop-commands":
            token = named[2]
        else:
            found.append(line)
    return found


# --- GitLab ---------------------------------------------------------------------------------------


def header() -> dict[str, Any]:
    """The inputs that the component declares."""
    spec, _ = yaml.safe_load_all(COMPONENT.read_text(encoding="utf-8"))
    inputs: dict[str, Any] = spec["spec"]["inputs"]
    return inputs


def component(**inputs: Any) -> dict[str, Any]:
    """The component's jobs, with inputs put in: into single values of the YAML, which keep their types."""
    given = {name: one["default"] for name, one in header().items() if "default" in one}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {filled(key): filled(value) for key, value in node.items()}
        if isinstance(node, list):
            return [filled(one) for one in node]
        if not isinstance(node, str):
            return node
        whole = re.fullmatch(r"\$\[\[ inputs\.([a-z-]+) \]\]", node)
        if whole:
            return given[whole[1]]
        return re.sub(r"\$\[\[ inputs\.([a-z-]+) \]\]", lambda one: _text(given[one[1]]), node)

    _, jobs = yaml.safe_load_all(COMPONENT.read_text(encoding="utf-8"))
    made: dict[str, Any] = filled(jobs)
    return made


def gitlab_job(job: Mapping[str, Any], cwd: Path, path: Path, program: str = "bash") -> Ended:
    """Run a job's script: all lines in one shell, as GitLab's runner does, in bash or in sh without pipefail."""
    variables = {}
    for name, value in job["variables"].items():
        variables[name] = value["value"] if isinstance(value, dict) else value
        # GitLab puts variables into each other's values unless it is told not to, and takes no boolean.
        assert isinstance(value, str) or value["expand"] is False
        assert isinstance(variables[name], str)
    script = "\n".join(["set -e", *(["set -o pipefail"] if program == "bash" else []), *job["script"]])
    return shell([program, "-c", script], cwd, path, CI="true", GITLAB_CI="true", **variables)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- Jenkins --------------------------------------------------------------------------------------


def jenkins_script(label: str) -> str:
    """The shell script of the `sh` step with a label, unescaped as Groovy does it."""
    text = (EXAMPLES / "Jenkinsfile").read_text(encoding="utf-8")
    (found,) = re.findall(rf"label: '{label}', script: '''(.*?)'''", text, re.DOTALL)
    return str(found).replace("\\\\", "\\")


def jenkins_step(label: str, cwd: Path, path: Path) -> Ended:
    """Run it as Jenkins does."""
    script = cwd.parent / "script.sh"
    script.write_text(jenkins_script(label), encoding="utf-8")
    return shell(["sh", "-xe", str(script)], cwd, path, JENKINS_URL="http://127.0.0.1/", WORKSPACE=str(cwd))
