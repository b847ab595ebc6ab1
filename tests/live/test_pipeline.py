"""What pipelines install, from the package index and without it: the wheelhouse, the action, the image's steps, hooks.

Offline means a network namespace of its own with nothing in it where the machine allows one, and proxies that nobody
listens at in any case.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pipelines import EXAMPLES, ROOT, Ended, GitHubRunner, shell
from test_oscal import BEDS

PRE_COMMIT = "pre-commit==4.7.0"
NOBODY = "http://127.0.0.1:9"
"""A proxy that is not there."""
INDEX = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
"""Where packages come from on this machine."""


def alone() -> list[str]:
    """A program before another that takes the network away from it; none where the machine has no such."""
    tried = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False)
    return ["unshare", "-rn"] if tried.returncode == 0 else []


def offline(*args: object, cwd: Path, **environ: str) -> Ended:
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOBODY)
    nowhere = {"PIP_INDEX_URL": f"{NOBODY}/simple", "PIP_CONFIG_FILE": os.devnull, "no_proxy": ""}
    return shell([*alone(), *map(str, args)], cwd, cwd, **proxies, **nowhere, **environ)


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "wheelhouse"
    home = os.environ.get("HOME", "/")
    made = subprocess.run(
        ["sh", str(ROOT / "ci" / "wheelhouse.sh"), str(folder)],
        env={"PATH": os.environ["PATH"], "HOME": home, "PYTHON": sys.executable, **INDEX},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return folder


def test_a_wheelhouse_installs_where_there_is_no_network(wheelhouse: Path, tmp_path: Path) -> None:
    """By the commands of docs/pipeline.md. Then it judges a plan, which asks nobody either."""
    shutil.copytree(wheelhouse, tmp_path / "wheelhouse")
    text = (ROOT / "docs" / "pipeline.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```sh\n(tar -xf wheelhouse\.tar\n.*?)```", text, re.DOTALL)
    subprocess.run(["tar", "-cf", "wheelhouse.tar", "wheelhouse"], cwd=tmp_path, check=True)
    shutil.rmtree(tmp_path / "wheelhouse")
    done = offline("sh", "-ec", block.replace("python3 -m venv", f"'{sys.executable}' -m venv"), cwd=tmp_path)
    assert done.code == 0, done.log
    assert re.search(r"^cloudaudit \d+\.\d+\.\d+$", done.log, re.M)
    program = tmp_path / "cloudaudit" / "bin" / "cloudaudit"
    linted = offline(program, "controls", "lint", cwd=tmp_path)
    assert (linted.code, linted.log.endswith(" examples, 0 problems\n")) == (0, True)
    judged = offline(
        program, "run", "-t", EXAMPLES / "violating" / "targets.yaml", "-p", "before-deployment",
        "-o", tmp_path / "out", "--quiet", cwd=tmp_path,
    )  # fmt: skip
    assert judged.code == 1, judged.log


def test_a_file_that_is_not_the_one_that_was_locked_is_refused(wheelhouse: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(wheelhouse, tmp_path / "wheelhouse"))
    (changed,) = folder.glob("rich-*.whl")
    changed.write_bytes(changed.read_bytes() + b"\0")
    offline(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    refused = offline(
        tmp_path / "env" / "bin" / "pip", "install", "--no-index", "--find-links", folder, "--require-hashes",
        "-r", folder / "requirements.lock", cwd=tmp_path,
    )  # fmt: skip
    assert refused.code == 1
    assert "DO NOT MATCH THE HASHES" in refused.log


def test_the_same_checkout_gives_the_same_wheel(wheelhouse: Path, tmp_path: Path) -> None:
    """Its hash can be told to others."""
    again = subprocess.run(
        ["sh", str(ROOT / "ci" / "wheelhouse.sh"), str(tmp_path / "again")],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHON": sys.executable, **INDEX},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    locks = [(folder / "requirements.lock").read_text() for folder in (wheelhouse, tmp_path / "again")]
    assert locks[0] == locks[1]


def test_the_action_installs_and_audits(wheelhouse: Path, tmp_path: Path) -> None:
    """From a wheelhouse, as on a runner without network; from the index it makes one first, by the same script."""
    workspace = Path(shutil.copytree(EXAMPLES, tmp_path / "workspace"))
    shutil.copytree(workspace / "violating", workspace / "infra")
    runner = GitHubRunner(workspace, tmp_path / "temp", Path(sys.executable).parent)
    installed = runner.run("install", wheelhouse=str(wheelhouse))
    assert installed.code == 0, installed.log
    assert Path(runner.steps["install"]["command"]).is_relative_to(tmp_path / "temp")
    audited = runner.run("audit", targets="infra/targets.yaml", profile="before-deployment")
    assert (audited.code, runner.outputs()["exit-code"]) == (1, "1")


def test_the_image_is_made_without_network_once_there_are_wheels(wheelhouse: Path, tmp_path: Path) -> None:
    """The command of the last stage of the Containerfile, with folders of ours, but for the user that it makes."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8").rpartition("\nFROM ")[2]
    (run,) = re.findall(r"^RUN --mount=\S+ \\\n(.*?[^\\])\n(?=[A-Z])", text, re.DOTALL | re.MULTILINE)
    before, _, user = run.replace("\\\n", " ").rpartition("&&")
    assert user.split() == ["useradd", "--uid", "10001", "--user-group", "--create-home", "cloudaudit"]
    script = before.replace("/wheels", str(wheelhouse)).replace("/opt/cloudaudit", str(tmp_path / "opt"))
    made = offline("sh", "-ec", script.replace("python3", sys.executable), cwd=tmp_path)
    assert made.code == 0, made.log
    shown = offline(tmp_path / "opt" / "bin" / "cloudaudit", "--version", cwd=tmp_path)
    assert (shown.code, shown.log.startswith("cloudaudit ")) == (0, True)
    assert not (tmp_path / "opt" / "bin" / "pip").exists()


# --- hooks ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pre_commit() -> Path:
    home = BEDS / "pipeline" / PRE_COMMIT.replace("==", "-")
    done = home / "done"
    if not done.exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True, capture_output=True)
        install = [home / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", PRE_COMMIT]
        subprocess.run(install, check=True, capture_output=True, timeout=600)
        done.touch()
    return home / "bin" / "pre-commit"


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout as a repository of its own, as pre-commit wants one: with what is not committed yet."""
    folder = tmp_path_factory.mktemp("hooks") / "cloudaudit"
    left = shutil.ignore_patterns(
        ".git", ".venv", ".cache", "__pycache__", "dist", "build", "tests", "out", ".*_cache"
    )
    shutil.copytree(ROOT, folder, ignore=left)
    committed(folder)
    return folder


def committed(folder: Path) -> None:
    git = ["git", "-c", "user.name=kiem-thu", "-c", "user.email=kiem-thu@example.vn"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Kiểm thử"]):
        subprocess.run([*git, *command], cwd=folder, check=True, capture_output=True)


def hooked(pre_commit: Path, hook: str, repository: Path, home: Path) -> Ended:
    env = {"PRE_COMMIT_HOME": str(home), **INDEX, "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(
        [str(pre_commit), "run", hook, "--all-files", "--color=never", "--verbose"],
        cwd=repository,
        env={"PATH": os.environ["PATH"], **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    return Ended(done.returncode, done.stdout)


def test_pre_commit_accepts_the_files(pre_commit: Path) -> None:
    for what, path in (
        ("validate-manifest", ROOT / ".pre-commit-hooks.yaml"),
        ("validate-config", EXAMPLES / ".pre-commit-config.yaml"),
    ):
        checked = subprocess.run(
            [str(pre_commit), what, str(path)], capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_hooks_stop_what_is_wrong(pre_commit: Path, hooks: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    repository = tmp_path / "repository"
    (repository / "controls").mkdir(parents=True)
    text = (ROOT / "controls" / "SEC" / "SEC-06.yaml").read_text(encoding="utf-8")
    control = repository / "controls" / "SEC-206.yaml"
    control.write_text(text.replace("id: SEC-06", "id: SEC-206"), encoding="utf-8")
    (repository / "plan.json").write_text((EXAMPLES / "fixed" / "plan.json").read_text(encoding="utf-8"))
    shutil.copytree(EXAMPLES / "registers", repository / "registers")
    targets = (
        (EXAMPLES / "fixed" / "targets.yaml").read_text(encoding="utf-8").replace("../registers", "registers")
    )
    (repository / "targets.yaml").write_text(targets, encoding="utf-8")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=hooks, check=True, capture_output=True, text=True)
    config = (
        (EXAMPLES / ".pre-commit-config.yaml").read_text(encoding="utf-8").replace("infra/targets", "targets")
    )
    config = re.sub(r"repo: \S+", f"repo: {hooks}", re.sub(r'"0{40}"', head.stdout.strip(), config))
    (repository / ".pre-commit-config.yaml").write_text(config, encoding="utf-8")
    committed(repository)
    for hook in ("cloudaudit-controls-lint", "cloudaudit-check-config"):
        passed = hooked(pre_commit, hook, repository, home)
        assert (passed.code, "Passed" in passed.log) == (0, True), passed.log
    assert (
        "1 control, 8 examples, 0 problems"
        in hooked(pre_commit, "cloudaudit-controls-lint", repository, home).log
    )

    wrong = text.replace("id: SEC-06", "id: SEC-206").replace("exposure.world", "exposure.wrold")
    control.write_text(wrong, encoding="utf-8")
    (repository / "targets.yaml").write_text(
        targets.replace("kind: terraform", "kind: teraform"), encoding="utf-8"
    )
    committed(repository)
    for hook, told in (
        ("cloudaudit-controls-lint", "exposure.wrold"),
        ("cloudaudit-check-config", "targets.yaml:"),
    ):
        stopped = hooked(pre_commit, hook, repository, home)
        assert (stopped.code, "Failed" in stopped.log, told in stopped.log) == (1, True, True), stopped.log
