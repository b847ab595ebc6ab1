"""Files that pipelines read: they are what their systems accept, and their scripts do what they say in a shell.

A stand-in for cloudaudit shows what the scripts give it and do with what it says; `tests/e2e/test_ci_examples.py`
runs the real one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pipelines import (
    ACTION,
    EXAMPLES,
    ROOT,
    Ended,
    GitHubRunner,
    action,
    command,
    component,
    gitlab_job,
    header,
    jenkins_script,
    jenkins_step,
    obeyed,
    shell,
)

from cloudaudit.cli import COMMANDS
from cloudaudit.cli.options import FailOn
from cloudaudit.reporters import BUILTIN

SCRIPTS = ("ci/github.sh", "ci/wheelhouse.sh", "tests/live/image.sh")
WORKFLOW = EXAMPLES / ".github" / "workflows" / "cloudaudit.yml"
RECORDER = """\
printf '%s\\n' "$@" > "$HOME/arguments"
report=cloudaudit-report
mkdir -p $report/sarif $report/junit $report/summary
echo '{}' > $report/sarif/cloudaudit.sarif
echo '<testsuites/>' > $report/junit/cloudaudit.xml
echo '# Tóm tắt' > $report/summary/summary.md
echo '::error file=infra/main.tf,line=43::SEC-06'
"""
PLAIN = ["run", "--targets", "targets.yaml", "--output", "cloudaudit-report"]


def tool(name: str, *args: object) -> subprocess.CompletedProcess[str]:
    """A program of the environment the tests run in."""
    program = Path(sys.executable).parent / name
    return subprocess.run(
        [str(program), *map(str, args)], capture_output=True, text=True, timeout=100, check=False
    )


def accepted(schema: str, path: Path) -> None:
    checked = tool("check-jsonschema", "--builtin-schema", schema, path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


# --- what the systems accept ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("vendor.github-actions", ACTION),
        ("vendor.github-workflows", WORKFLOW),
        ("vendor.gitlab-ci", EXAMPLES / ".gitlab-ci.yml"),
    ],
)
def test_schemas_accept_the_files(schema: str, path: Path) -> None:
    accepted(schema, path)


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {
            "warn_on_exit_codes": [3],
            "allow_incomplete": True,
            "registers": "registers",
            "package": "cloudaudit",
        },
    ],
)
def test_the_schema_accepts_the_component_with_its_inputs(inputs: dict[str, Any], tmp_path: Path) -> None:
    made = tmp_path / ".gitlab-ci.yml"
    made.write_text(
        yaml.safe_dump(component(image="registry.example.vn/cloudaudit:1", **inputs)), encoding="utf-8"
    )
    accepted("vendor.gitlab-ci", made)
    spec, _ = yaml.safe_load_all((ROOT / "templates" / "cloudaudit.yml").read_text(encoding="utf-8"))
    made.write_text(yaml.safe_dump(spec), encoding="utf-8")
    accepted("vendor.gitlab-ci", made)


def test_the_linter_of_workflows_finds_nothing() -> None:
    linted = tool("zizmor", "--offline", "--no-progress", "--persona=auditor", ACTION, EXAMPLES)
    assert linted.returncode == 0, linted.stdout
    assert "No findings to report" in linted.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_linter_of_shells_finds_nothing(script: str) -> None:
    linted = tool("shellcheck", "--enable=all", "--exclude=SC2154,SC2250,SC2310,SC2311,SC2312", ROOT / script)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_scripts_inside_other_files_are_linted_too(tmp_path: Path) -> None:
    (job,) = component(image="any").values()
    inside = {
        "action": "\n".join(step["run"] for step in action()["runs"]["steps"]),
        "component": "\n".join(job["script"]),
        "jenkins": jenkins_script("cloudaudit"),
    }
    for name, text in inside.items():
        made = tmp_path / f"{name}.sh"
        made.write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        # Variables come from the runner.
        linted = tool("shellcheck", "--exclude=SC2154", made)
        assert (linted.returncode, linted.stdout) == (0, "")


def test_the_linter_of_images_finds_nothing() -> None:
    linted = tool("hadolint", ROOT / "Containerfile")
    assert (linted.returncode, linted.stdout) == (0, "")


def test_hooks_are_commands_and_match_files_of_the_example() -> None:
    hooks = {
        one["id"]: one
        for one in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    }
    assert hooks.keys() == {"cloudaudit-controls-lint", "cloudaudit-check-config"}
    for hook in hooks.values():
        program, name, *_ = hook["entry"].split()
        assert (program, name in COMMANDS, hook["language"]) == ("cloudaudit", True, "python")
    used = yaml.safe_load((EXAMPLES / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0][
        "hooks"
    ]
    assert {one["id"] for one in used} == hooks.keys()

    def matched(id_: str, *paths: str) -> list[str]:
        return [path for path in paths if re.search(hooks[id_]["files"], path)]

    lint, check = "cloudaudit-controls-lint", "cloudaudit-check-config"
    assert matched(lint, "controls/OWN-01.yaml", "a/controls/SEC/OWN-02.yaml") != []
    assert matched(lint, "profiles/a.yaml", "mycontrols/a.yaml", "controls/README.md") == []
    yes = (
        "targets.yaml",
        "infra/targets.yaml",
        "registers/sites.yaml",
        "profiles/ours.yaml",
        "baseline.json",
    )
    assert matched(check, *yes) == list(yes)
    assert matched(check, "main.tf", "plan.json", "mytargets.yaml.bak", "values.yaml") == []


def test_actions_of_others_are_pinned_with_their_version_beside() -> None:
    lines = [line for line in WORKFLOW.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert len(lines) == 4
    for line in lines:
        pinned = re.search(r"uses: ([\w/-]+)@[0-9a-f]{40}( # v\d+\.\d+\.\d+)?$", line)
        assert pinned is not None, line
        assert (pinned[2] is None) == pinned[1].startswith("your-organisation/")
    assert not [step for step in action()["runs"]["steps"] if "uses" in step]


def test_formats_that_are_asked_for_are_ours() -> None:
    files = (ROOT / "ci" / "github.sh", ROOT / "templates" / "cloudaudit.yml", EXAMPLES / "Jenkinsfile")
    for path in files:
        text = path.read_text(encoding="utf-8")
        asked = set(re.findall(r"--export \"?([a-z-]+)=", text)) | set(
            re.findall(r"--format ([a-z-]+)", text)
        )
        assert asked
        assert asked <= BUILTIN.keys()


def test_the_example_gives_inputs_that_there_are() -> None:
    (used,) = [
        step
        for step in yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["audit"]["steps"]
        if "your-organisation" in step.get("uses", "")
    ]
    assert used["with"].keys() < action()["inputs"].keys()
    text = WORKFLOW.read_text(encoding="utf-8")
    assert set(re.findall(r"steps\.audit\.outputs\.([a-z-]+)", text)) <= action()["outputs"].keys()
    included = yaml.safe_load((EXAMPLES / ".gitlab-ci.yml").read_text(encoding="utf-8"))["include"][0][
        "inputs"
    ]
    assert included.keys() < header().keys()
    assert {name for name, one in header().items() if "default" not in one} <= included.keys()


def test_the_page_names_every_input_and_the_defaults() -> None:
    text = (ROOT / "docs" / "pipeline.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \| (?:`(\S+)`)? ?\| .+ \|$", text, re.M)
    told = {name: default for names, default in rows for name in re.findall("[a-z-]+", names)}
    assert told == {name: one["default"] for name, one in action()["inputs"].items()}
    outputs = text.partition("Outputs: ")[2].partition("set when")[0]
    assert set(re.findall("`([a-z-]+)`", outputs)) == action()["outputs"].keys()


# --- the action -----------------------------------------------------------------------------------


def test_inputs_reach_scripts_as_variables_only() -> None:
    script = (ROOT / "ci" / "github.sh").read_text(encoding="utf-8")
    passed = set()
    for step in action()["runs"]["steps"]:
        assert "${{" not in step["run"]
        passed |= step["env"].keys()
    assert passed == set(re.findall(r"\bAUDIT_[A-Z_]+", script))
    used = {name for step in action()["runs"]["steps"] for text in step["env"].values()
            for name in re.findall(r"inputs\.([a-z-]+)", text)}  # fmt: skip
    assert used == action()["inputs"].keys()


@pytest.fixture
def runner(tmp_path: Path) -> GitHubRunner:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return GitHubRunner(workspace, tmp_path / "temp", command(tmp_path / "bin", RECORDER))


def given(runner: GitHubRunner) -> list[str]:
    return (runner.workspace / "arguments").read_text(encoding="utf-8").splitlines()


def ending(code: int, *lines: str) -> str:
    return "\n".join([RECORDER, *lines, f"exit {code}"])


EXPORTS = [
    "--format", "github",
    "--export", "sarif=cloudaudit-report/sarif/cloudaudit.sarif",
    "--export", "junit=cloudaudit-report/junit/cloudaudit.xml",
    "--export", "github-summary=cloudaudit-report/summary/summary.md",
]  # fmt: skip


def test_without_inputs_cloudaudit_decides(runner: GitHubRunner) -> None:
    ended = runner.run("audit")
    assert given(runner) == [*PLAIN, *EXPORTS, "--fail-on", "high", "--lang", "vi"]
    assert (ended.code, obeyed(ended.log)) == (0, ["::error file=infra/main.tf,line=43::SEC-06"])
    assert runner.outputs() == {
        "exit-code": "0",
        "report": "cloudaudit-report",
        "sarif": "cloudaudit-report/sarif",
        "junit": "cloudaudit-report/junit",
    }
    assert runner.summary == "# Tóm tắt\n\n"


def test_every_input_becomes_one_argument_whatever_is_in_it(runner: GitHubRunner) -> None:
    nasty = "a b'\"; $(touch pwned) `touch pwned` ${HOME} *"
    ended = runner.run(
        "audit",
        **{
            "targets": nasty,
            "profile": "-p",
            "registers": nasty,
            "controls": f"controls one\n\n{nasty}",
            "fail-on": "level=3",
            "baseline": "baseline.json",
            "allow-incomplete": "true",
            "lang": "en",
            "arguments": f"--at\n2026-11-22\n--previous\n{nasty}\n\\n",
        },
    )
    assert ended.code == 0
    assert given(runner) == [
        "run", "--targets", nasty, "--output", "cloudaudit-report", *EXPORTS,
        "--profile", "-p", "--registers", nasty, "--fail-on", "level=3", "--baseline", "baseline.json",
        "--lang", "en", "--allow-incomplete", "--controls", "controls one", "--controls", nasty,
        "--at", "2026-11-22", "--previous", nasty, "\\n",
    ]  # fmt: skip
    assert not list(runner.workspace.rglob("pwned"))


@pytest.mark.parametrize("code", [1, 3])
def test_a_result_is_shown_whatever_the_code(runner: GitHubRunner, code: int) -> None:
    command(runner.path, ending(code))
    ended = runner.run("audit")
    assert (ended.code, runner.outputs()["exit-code"]) == (code, str(code))
    assert runner.outputs()["sarif"] == "cloudaudit-report/sarif"
    assert runner.summary == "# Tóm tắt\n\n"


@pytest.mark.parametrize("code", [2, 4, 130])
def test_without_a_result_the_action_says_so(runner: GitHubRunner, code: int) -> None:
    """Of an earlier run in the same workspace nothing is shown as this one's."""
    runner.run("audit")
    command(runner.path, f"echo 'error: plan.json:1: it is cut off' >&2\nexit {code}\n")
    ended = runner.run("audit")
    assert ended.code == code
    assert obeyed(ended.log) == [f"::error title=cloudaudit::no result: exit code {code}, the log says why"]
    assert "error: plan.json:1: it is cut off\n" in ended.log
    assert runner.outputs() == {
        "exit-code": str(code),
        "report": "",
        "sarif": "",
        "junit": "",
    }
    assert runner.summary == f"**cloudaudit**: no result, exit code {code}; the log says why.\n"
    assert not list(runner.workspace.rglob("*.sarif"))


def test_nothing_that_a_cloud_or_a_file_says_is_obeyed(runner: GitHubRunner) -> None:
    hostile = ["::add-mask::a", "  ::error::b", "warning: ##[add-path]/tmp/evil", "::stop-commands::x", "::x::",
               "::endgroup::", "no line end ::error::c"]  # fmt: skip
    said = "\n".join(f"echo '{line}' >&2" for line in hostile)
    command(runner.path, ending(0, said, "printf 'warning: no line end' >&2"))
    first, second = runner.run("audit"), runner.run("audit")
    for ended in (first, second):
        assert all(line in ended.log.splitlines() for line in hostile)
        assert obeyed(ended.log) == ["::error file=infra/main.tf,line=43::SEC-06"]
    tokens = [re.findall("^::stop-commands::([0-9a-f]{32})$", ended.log, re.M) for ended in (first, second)]
    assert len(tokens[0]) == len(tokens[1]) == 1
    assert tokens[0] != tokens[1]


def test_summaries_of_several_subjects_keep_within_the_limit(runner: GitHubRunner) -> None:
    big = "head -c 700000 /dev/zero | tr '\\0' x > $report/summary/summary-"
    command(runner.path, ending(1, f"{big}a.md", f"{big}b.md", "echo nhỏ > $report/summary/summary-c.md"))
    assert runner.run("audit").code == 1
    assert len(runner.summary.encode()) < 1 << 20
    assert re.sub("x+", "x", runner.summary) == (
        "x\n\nsummary-b.md: too long to show here, see the report.\nnhỏ\n\n# Tóm tắt\n\n"
    )


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"allow-incomplete": "yes"}, "allow-incomplete: 'yes' is neither true nor false"),
        ({"allow-incomplete": "a%0A\n::add-mask::b"}, "allow-incomplete: 'a%250A%0A::add-mask::b' is neither true nor false"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_no_violation(runner: GitHubRunner, inputs: dict[str, str], told: str) -> None:
    ended = runner.run("audit", **inputs)
    assert (ended.code, ended.log) == (2, f"::error title=cloudaudit::{told}\n")
    assert runner.outputs() == {"exit-code": "2", "report": "", "sarif": "", "junit": ""}


def test_a_script_that_fails_itself_is_no_violation(runner: GitHubRunner, tmp_path: Path) -> None:
    for step in ("install", "audit"):
        script = ["sh", str(ROOT / "ci" / "github.sh"), step]
        nowhere = {"RUNNER_TEMP": str(tmp_path / "khong-co"), "GITHUB_OUTPUT": str(tmp_path)}
        assert shell(script, runner.workspace, runner.path, **nowhere).code == 2
    command(runner.path, ending(1))
    written = {"RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path)}
    assert shell(script, runner.workspace, runner.path, **written).code == 2
    assert runner.run("audit", report="-x").code == 1


def test_no_output_can_be_smuggled_in(runner: GitHubRunner) -> None:
    ended = runner.run("audit", report="cloudaudit-report\nexit-code=0")
    assert ended.code == 2
    assert runner.outputs()["sarif"] == ""


def test_a_command_on_the_runner_is_used_as_it_is(runner: GitHubRunner) -> None:
    assert runner.run("install", command="cloudaudit") == Ended(0, "")
    assert runner.steps["install"] == {"command": "cloudaudit"}
    ended = runner.run("install", command="cloudaudit-khong-co")
    assert ended == Ended(
        2, "::error title=cloudaudit::command: there is no cloudaudit-khong-co on this runner\n"
    )


def test_what_cannot_be_installed_is_no_violation(runner: GitHubRunner, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    ended = runner.run("install", wheelhouse=str(empty))
    assert ended == Ended(
        2, f"::error title=cloudaudit::wheelhouse: there is no requirements.lock in {empty}\n"
    )
    (empty / "requirements.lock").write_text(f"cloudaudit-vn==9 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    ended = runner.run("install", wheelhouse=str(empty))
    assert ended.code == 2
    assert obeyed(ended.log) == [
        "::error title=cloudaudit::cloudaudit could not be installed: the log says why"
    ]
    assert runner.steps["install"] == {}


# --- the component and the Jenkinsfile ------------------------------------------------------------


def job_of(**inputs: Any) -> dict[str, Any]:
    (job,) = component(image="registry.example.vn/cloudaudit:1", **inputs).values()
    return dict(job)


GITLAB = [
    "--output", "cloudaudit-report", "--export", "junit=cloudaudit-report/junit.xml",
    "--export", "gitlab-codequality=cloudaudit-report/codequality.json",
    "--export", "sarif=cloudaudit-report/cloudaudit.sarif",
]  # fmt: skip


@pytest.mark.parametrize("program", ["bash", "sh"])
def test_inputs_of_the_component_become_arguments(program: str, tmp_path: Path) -> None:
    path = command(tmp_path / "bin", RECORDER)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    assert gitlab_job(job_of(), workspace, path, program).code == 0
    before = [
        "run",
        "--targets",
        "targets.yaml",
        "--profile",
        "ndc-connection",
        "--fail-on",
        "high",
        "--lang",
        "vi",
    ]
    assert (workspace / "arguments").read_text(encoding="utf-8").splitlines() == [*before, *GITLAB]
    nasty = "a b'\"; $(touch pwned) `touch pwned` *"
    job = job_of(
        targets=nasty, registers=nasty, baseline=nasty, profile="my profile.yaml", allow_incomplete=True
    )
    assert gitlab_job(job, workspace, path, program).code == 0
    assert (workspace / "arguments").read_text(encoding="utf-8").splitlines() == [
        "run", "--targets", nasty, "--profile", "my profile.yaml", "--fail-on", "high", "--lang", "vi",
        "--registers", nasty, "--baseline", nasty, "--allow-incomplete", *GITLAB,
    ]  # fmt: skip
    assert not list(workspace.rglob("pwned"))


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4])
def test_the_job_ends_as_cloudaudit_does(code: int, tmp_path: Path) -> None:
    path = command(tmp_path / "bin", f"exit {code}\n")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    assert gitlab_job(job_of(), workspace, path).code == code
    assert jenkins_step("cloudaudit", workspace, path).code == code


def test_a_package_that_cannot_be_installed_is_no_violation(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    ended = gitlab_job(
        job_of(package=str(tmp_path / "nothing.whl")), workspace, command(tmp_path / "bin", RECORDER)
    )
    assert ended.code == 2
    assert not (workspace / "arguments").exists()


def test_only_what_is_asked_for_leaves_a_warning() -> None:
    assert job_of()["allow_failure"] == {"exit_codes": [256]}
    assert job_of(warn_on_exit_codes=[3])["allow_failure"] == {"exit_codes": [3]}


def test_the_fail_on_of_the_component_is_that_of_the_command() -> None:
    """Else GitLab takes an input that ends the job with a usage error, or refuses a good one."""
    tried = (
        "informational",
        "low",
        "medium",
        "high",
        "critical",
        "gate",
        "level=0",
        "level=1",
        "level=5",
        "level=6",
        "highest",
        "",
    )

    def is_taken(value: str) -> bool:
        try:
            FailOn().convert(value, None, None)
        except click.BadParameter:
            return False
        return True

    taken = [value for value in tried if re.search(header()["fail-on"]["regex"], value)]
    assert taken == [value for value in tried if is_taken(value)]


def test_the_jenkinsfile_tells_the_codes_apart() -> None:
    text = (EXAMPLES / "Jenkinsfile").read_text(encoding="utf-8")
    assert re.findall(r"code (==|!=) (\d)\) \{\s+(error|unstable)", text) == [
        ("==", "1", "error"),
        ("==", "3", "unstable"),
        ("!=", "0", "error"),
    ]
    assert "skipMarkingBuildUnstable: true" in text


# --- what is installed ----------------------------------------------------------------------------


def locked(name: str) -> dict[str, str]:
    """Versions of a lock file by package; every one has a hash."""
    text = (ROOT / "ci" / name).read_text(encoding="utf-8").replace("\\\n", "")
    found = {}
    for line in text.splitlines():
        one = re.fullmatch(r"([a-z0-9.-]+)==(\S+)( ; .+?)?\s+(--hash=sha256:[0-9a-f]{64}\s*)+", line)
        assert one is not None, line[:60]
        found[one[1]] = one[2]
    return found


def test_the_locks_hold_what_is_declared() -> None:
    """`make lock` chooses versions anew."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for name, wanted in (
        ("requirements.lock", project["project"]["dependencies"]),
        ("build.lock", project["build-system"]["requires"]),
    ):
        versions = locked(name)
        for need in map(Requirement, wanted):
            assert versions[canonicalize_name(need.name)] in need.specifier, f"{name}: {need}"
    assert (ROOT / "ci" / "build.in").read_text(encoding="utf-8").split() == project["build-system"][
        "requires"
    ]


def test_a_wheelhouse_is_made_into_a_new_folder_by_a_new_python_only(tmp_path: Path) -> None:
    script = str(ROOT / "ci" / "wheelhouse.sh")
    usage = shell(["sh", script], tmp_path, tmp_path)
    assert usage == Ended(2, "wheelhouse.sh: usage: wheelhouse.sh FOLDER [EXTRA...]\n")
    full = tmp_path / "full"
    full.mkdir()
    (full / "old.whl").touch()
    refused = shell(["sh", script, str(full)], tmp_path, tmp_path)
    told = f"wheelhouse.sh: {full} is not empty: give a new folder, so that nothing old is in it\n"
    assert refused == Ended(2, told)
    old = tmp_path / "old-python"
    old.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "import sys; sys.version_info = (3, 10); $2"\n')
    old.chmod(0o755)
    refused = shell(["sh", script, str(tmp_path / "new")], tmp_path, tmp_path, PYTHON=str(old))
    told = f"wheelhouse.sh: {old} is too old: Python 3.11 or newer is needed, PYTHON names it\n"
    assert refused == Ended(2, told)
    missing = shell(["sh", script, str(tmp_path / "new")], tmp_path, tmp_path, PYTHON="khong-co")
    told = "wheelhouse.sh: there is no khong-co; Python 3.11 or newer is needed, PYTHON names it\n"
    assert missing == Ended(2, told)
    assert not (tmp_path / "new").exists()


def test_the_image_is_built_from_enough(tmp_path: Path) -> None:
    """A wheel of what the Containerfile copies is the wheel of the tree; the build sees no more than that."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    copied = [line.split()[1:-1] for line in text.splitlines() if re.match(r"COPY (?!--from)", line)]
    names = {name for line in copied for name in line}
    kept = re.findall(r"^!/(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.M)
    assert names == set(kept)
    source = tmp_path / "source"
    source.mkdir()
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    wheels = []
    for folder in (source, ROOT):
        out = tmp_path / f"dist-{folder.name}"
        built = subprocess.run(
            [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(out), str(folder)],
            cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert built.returncode == 0, built.stdout + built.stderr
        with zipfile.ZipFile(*out.glob("*.whl")) as packed:
            wheels.append({one.filename: one.CRC for one in packed.infolist()})
    assert wheels[0] == wheels[1]


def test_the_image_runs_as_nobody_in_particular_and_without_a_shell() -> None:
    last = (ROOT / "Containerfile").read_text(encoding="utf-8").rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.M)
    assert re.search(r'^ENTRYPOINT \["cloudaudit"\]$', last, re.M)
    assert re.findall(r"^(?:ADD|COPY|RUN) .*$", last, re.M) == [
        "RUN --mount=type=bind,from=wheels,target=/wheels \\"
    ]
    for must in ("PIP_NO_INDEX=1", "--require-hashes"):
        assert must in last
