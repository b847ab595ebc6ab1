"""Heat's own engine, of the OpenStack bed: it answers as was recorded, and to its own tests' templates as we do."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from beds import OpenStackBed
from heat_values import agrees, worked_out

from cloudaudit.collectors.deployment.block import CodeTarget
from cloudaudit.errors import TargetError

HERE = Path(__file__).parent
DATA = HERE.parent / "data" / "heat"
BEDS = Path(
    os.environ.get("CLOUDAUDIT_BEDS")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cloudaudit" / "beds"
)
BEYOND = ("cannot be read", "is already given", "is no section of a template")
"""Why we refuse what the engine alone takes: files that its tests make up, and what it drops or finds out later."""


def asked(*args: str) -> Any:
    python = BEDS / "openstack" / "venv" / "bin" / "python"
    with (DATA / "engine.yaml").open("rb") as cases:
        done = subprocess.run(
            [python, HERE / "heat_engine.py", *args],
            stdin=cases,
            stdout=subprocess.PIPE,
            check=True,
            timeout=300,
        )
    return json.loads(done.stdout)


def test_answers_of_heat_are_those_recorded(cloud: OpenStackBed) -> None:
    assert asked() == json.loads((DATA / "answers.json").read_text(encoding="utf-8"))


def test_templates_of_heats_own_tests_come_to_the_same(cloud: OpenStackBed, tmp_path: Path) -> None:
    same = 0
    for text, answer in asked("--own"):
        path = tmp_path / "stack.yaml"
        path.write_text(text, encoding="utf-8")
        ours, refused = values(path)
        if ours is None:
            assert isinstance(answer, str) or any(why in refused for why in BEYOND), text
        elif not isinstance(answer, str):
            assert agrees(answer, ours), text
            same += 1
    assert same > 200


def values(path: Path) -> tuple[dict[str, Any] | None, str]:
    """What the properties come to, or why they are refused."""
    try:
        return worked_out(CodeTarget("own", "template", path, path.name)), ""
    except TargetError as refused:
        return None, str(refused)
