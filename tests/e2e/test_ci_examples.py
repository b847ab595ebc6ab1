"""examples/ci from end to end: what a pipeline ends with, and where it shows what it found.

The plans are a real Terraform's. Each system's own script runs the real cloudaudit, offline, as its runner would.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pipelines import (
    EXAMPLES,
    Ended,
    GitHubRunner,
    command,
    component,
    gitlab_job,
    jenkins_step,
    obeyed,
    shell,
)

CODES = {"fixed": 0, "violating": 1, "broken": 2, "unknown": 3}
PROFILE = "before-deployment"


def line_of(state: str, resource: str) -> int:
    """The line of main.tf that begins a resource, such as `type.name`."""
    head = 'resource "{}" "{}" {{'.format(*resource.split("."))
    lines = (EXAMPLES / state / "main.tf").read_text(encoding="utf-8").splitlines()
    return lines.index(head) + 1


SSH = "openstack_networking_secgroup_rule_v2.ssh"
CONTAINER = "openstack_objectstorage_container_v1.ho_so"
VERSIONING = "BDR-102"
"""Of medium severity: told, and no reason to stop."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The example as somebody's repository, with nothing in `infra` yet."""
    return Path(shutil.copytree(EXAMPLES, tmp_path / "repository"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return command(tmp_path / "bin")


def with_state(repository: Path, state: str) -> Path:
    """What its pipelines judge: one of the states, as its plan job leaves it."""
    shutil.copytree(repository / state, repository / "infra")
    return repository


def on_github(repository: Path, path: Path) -> tuple[Ended, GitHubRunner]:
    runner = GitHubRunner(repository, repository.parent / "temp", path)
    assert runner.run("install", command="cloudaudit").code == 0
    return runner.run("audit", targets="infra/targets.yaml", profile=PROFILE, lang="en"), runner


def on_gitlab(repository: Path, path: Path) -> Ended:
    (job,) = component(image="any", targets="infra/targets.yaml", profile=PROFILE, lang="en").values()
    return gitlab_job(job, repository, path)


def annotations(log: str) -> dict[str, list[tuple[str, str, int]]]:
    """Annotations of a log by what they are: the control, the file, the line."""
    found: dict[str, list[tuple[str, str, int]]] = {}
    for one in obeyed(log):
        name, given = re.match(r"::(\w+) (.*?)::", one).groups()  # type: ignore[union-attr]
        properties = dict(pair.split("=", 1) for pair in given.split(","))
        if "file" in properties:
            entry = (properties["title"].partition("%3A")[0], properties["file"], int(properties["line"]))
            found.setdefault(name, []).append(entry)
    return found


@pytest.mark.parametrize("state", CODES)
def test_each_system_ends_with_the_code_of_its_state(state: str, repository: Path, path: Path) -> None:
    with_state(repository, state)
    github, runner = on_github(repository, path)
    assert (github.code, runner.outputs()["exit-code"]) == (CODES[state], str(CODES[state])), github.log
    gitlab = on_gitlab(repository, path)
    assert gitlab.code == CODES[state], gitlab.log
    jenkins = jenkins_step("cloudaudit", repository, path)
    assert jenkins.code == CODES[state], jenkins.log


@pytest.mark.parametrize("state", CODES)
def test_the_commands_of_the_readme_do_the_same(state: str, repository: Path, path: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    (template,) = {line for line in re.findall(r"^cloudaudit run .*$", text, re.M) if "STATE" in line}
    ended = shell(["sh", "-c", template.replace("STATE", state)], repository, path)
    assert ended.code == CODES[state], ended.log
    said = dict(re.findall(r"^\| `(\w+)` \|.*\| (\d) \|$", text, re.M))
    assert said == {name: str(code) for name, code in CODES.items()}


def test_a_violation_is_shown_at_the_line_that_makes_it(repository: Path, path: Path) -> None:
    with_state(repository, "violating")
    ended, runner = on_github(repository, path)
    wanted = {("SEC-06", line_of("violating", SSH)), ("SEC-13", line_of("violating", CONTAINER))}
    errors = annotations(ended.log)["error"]
    assert {(control, line) for control, _, line in errors} == wanted
    assert {file for _, file, _ in errors} == {"infra/main.tf"}
    assert len(errors) == 2
    assert annotations(ended.log)["warning"] == [
        (VERSIONING, "infra/main.tf", line_of("violating", CONTAINER))
    ]
    assert "SEC-06" in runner.summary
    (sarif,) = (repository / runner.outputs()["sarif"]).iterdir()
    results = json.loads(sarif.read_text(encoding="utf-8"))["runs"][0]["results"]
    places = {
        (
            one["ruleId"],
            one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            one["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for one in results
        if one["kind"] == "fail"
    }
    wanted.add((VERSIONING, line_of("violating", CONTAINER)))
    assert places == {(control, "infra/main.tf", line) for control, line in wanted}


def test_merge_requests_and_builds_are_shown_the_same(repository: Path, path: Path) -> None:
    with_state(repository, "violating")
    assert on_gitlab(repository, path).code == 1
    report = repository / "cloudaudit-report"
    quality = json.loads((report / "codequality.json").read_text(encoding="utf-8"))
    places = {(one["location"]["path"], one["location"]["lines"]["begin"]) for one in quality}
    assert {("infra/main.tf", line_of("violating", one)) for one in (SSH, CONTAINER)} <= places
    suites = ElementTree.parse(report / "junit.xml").getroot()
    failed = {case.get("classname") for case in suites.iter("testcase") if case.find("failure") is not None}
    assert {name.rpartition(".")[2] for name in failed if name} == {"SEC-06", "SEC-13"}
    below = [
        case.get("classname")
        for case in suites.iter("testcase")
        if case.find("skipped[@type='below_threshold']") is not None
    ]
    assert below == [f"BDR.{VERSIONING}"]


def test_what_is_known_only_after_it_is_applied_is_no_violation(repository: Path, path: Path) -> None:
    with_state(repository, "unknown")
    ended, _ = on_github(repository, path)
    found = annotations(ended.log)
    assert "error" not in found
    assert ("SEC-06", "infra/main.tf", line_of("unknown", SSH)) in found["warning"]
    (job,) = component(image="any", warn_on_exit_codes=[3]).values()
    assert CODES["unknown"] in job["allow_failure"]["exit_codes"]
    assert CODES["violating"] not in job["allow_failure"]["exit_codes"]


def test_a_file_that_is_cut_off_is_told_with_its_name(repository: Path, path: Path) -> None:
    with_state(repository, "broken")
    ended, runner = on_github(repository, path)
    assert "infra/plan.json" in ended.log
    assert annotations(ended.log) == {}
    assert runner.outputs()["sarif"] == ""


def test_known_violations_do_not_fail_again(repository: Path, path: Path) -> None:
    """The way into a gate for a repository that has violations already."""
    with_state(repository, "violating")
    assert on_github(repository, path)[0].code == 1
    made = shell(
        ["cloudaudit", "baseline", "cloudaudit-report", "-o", "baseline.json", "--reason", "Đã biết"],
        repository,
        path,
    )
    assert made.code == 0, made.log
    runner = GitHubRunner(repository, repository.parent / "temp", path)
    runner.run("install", command="cloudaudit")
    inputs = {"targets": "infra/targets.yaml", "profile": PROFILE, "baseline": "baseline.json"}
    ended = runner.run("audit", **inputs)
    assert ended.code == 0, ended.log
    assert "error" not in annotations(ended.log)


@pytest.mark.parametrize("state", CODES)
def test_the_example_shows_what_it_says(state: str) -> None:
    """Its plans are of its configurations, and the states differ by what the README tells only."""
    text = (EXAMPLES / state / "plan.json").read_text(encoding="utf-8")
    if state == "broken":
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)
        return
    plan = json.loads(text)
    declared = re.findall(
        r'^resource "(\w+)" "(\w+)"', (EXAMPLES / state / "main.tf").read_text(encoding="utf-8"), re.M
    )
    assert {one["address"] for one in plan["resource_changes"]} == {".".join(pair) for pair in declared}
