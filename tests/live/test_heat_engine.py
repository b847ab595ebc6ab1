"""Heat's own engine, of the OpenStack bed, still answers as was recorded: the offline tests hold ours against it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from beds import OpenStackBed

HERE = Path(__file__).parent
DATA = HERE.parent / "data" / "heat"
BEDS = Path(
    os.environ.get("CLOUDAUDIT_BEDS")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cloudaudit" / "beds"
)


def test_answers_of_heat_are_those_recorded(cloud: OpenStackBed) -> None:
    python = BEDS / "openstack" / "venv" / "bin" / "python"
    with (DATA / "engine.yaml").open("rb") as cases:
        done = subprocess.run(
            [python, HERE / "heat_engine.py"], stdin=cases, stdout=subprocess.PIPE, check=True, timeout=120
        )
    assert json.loads(done.stdout) == json.loads((DATA / "answers.json").read_text(encoding="utf-8"))
