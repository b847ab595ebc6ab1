"""What two independent tools say of our OSCAL: compliance-trestle, and the `oscal` library.

Each has an environment of its own below the folder of the beds, made once: neither is needed to run
cloudaudit, and trestle pins packages that others need in other versions. The first holds documents against
its models, the second against the constraints of OSCAL's own metaschema, and resolves the profile.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import data_samples as data
import pytest
import sample_report as sample

from cloudaudit.plugins import reporter

BEDS = Path(
    os.environ.get("CLOUDAUDIT_BEDS")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cloudaudit" / "beds"
)
TOOLS = {"trestle": "compliance-trestle==5.2.0", "oscal": "oscal==3.2.2"}
MODELS = {
    "oscal-ar": ("assessment-results", "assessment-results"),
    "oscal-catalog": ("catalogs", "catalog"),
    "oscal-profile": ("profiles", "profile"),
}
SAMPLES = {
    "small": sample.small(),
    "realistic": sample.realistic(),
    "hostile": sample.hostile(),
    "nasty": data.nasty(),
    "nothing": sample.nothing(),
    "all-unknown": sample.all_unknown(),
}
JUDGE = """
import json, sys
from oscal import OSCAL
told = {}
for path in sys.argv[1:]:
    found = OSCAL.load(path)
    told[path] = [found is not None and found.is_valid, found and found.validation_errors]
json.dump(told, open("told.json", "w"))
"""
RESOLVE = """
import json, sys
from oscal import OSCAL
profile = OSCAL.load(sys.argv[1])
state = profile.resolve()
open("told.json", "w").write(json.dumps([state.name, json.loads(profile.dumps_catalog(format="json"))]))
"""


def environment(tool: str) -> Path:
    """The folder of programs of a tool's environment; made when it is not there whole."""
    requirement = TOOLS[tool]
    home = BEDS / "oscal" / requirement.replace("==", "-")
    done = home / "done"
    if not done.exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True, capture_output=True)
        install = [home / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", requirement]
        subprocess.run(install, check=True, capture_output=True, timeout=600)
        done.touch()
    return home / "bin"


def written(format_: str, name: str, path: Path) -> None:
    inputs = SAMPLES[name]
    text = reporter(format_).render(sample.report(inputs), data.context(inputs))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(str(text), encoding="utf-8")


def python(tool: str, code: str, *args: Path, cwd: Path) -> object:
    """What a script prints into told.json with the Python of a tool."""
    run = [environment(tool) / "python", "-c", code, *args]
    subprocess.run(run, check=True, capture_output=True, cwd=cwd, timeout=300)
    return json.loads((cwd / "told.json").read_text(encoding="utf-8"))


def test_trestle_finds_every_document_valid(tmp_path: Path) -> None:
    trestle = environment("trestle") / "trestle"
    subprocess.run([trestle, "init"], cwd=tmp_path, check=True, capture_output=True)
    paths = [
        (format_, name, tmp_path / folder / name / f"{model}.json")
        for format_, (folder, model) in MODELS.items()
        for name in SAMPLES
    ]
    for format_, name, path in paths:
        written(format_, name, path)
    done = subprocess.run(
        [trestle, "validate", "-a"], cwd=tmp_path, check=False, capture_output=True, text=True, timeout=600
    )
    lines = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 0, lines[-20:]
    assert sorted(line.split()[2] for line in lines if line.startswith("VALID: Model")) == sorted(
        str(path) for _, _, path in paths
    )
    # NOTE: trestle's pattern for references knows UUIDs of version 4 only, and ours are of version 5.
    others = [
        line for line in lines if not line.startswith("VALID: Model") and "are not referenced by" not in line
    ]
    assert others == []


def test_trestle_refuses_what_is_wrong(tmp_path: Path) -> None:
    """The same call says no where there is something to say."""
    trestle = environment("trestle") / "trestle"
    subprocess.run([trestle, "init"], cwd=tmp_path, check=True, capture_output=True)
    path = tmp_path / "assessment-results" / "small" / "assessment-results.json"
    written("oscal-ar", "small", path)
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["assessment-results"]["import-ap"]
    path.write_text(json.dumps(document), encoding="utf-8")
    done = subprocess.run(
        [trestle, "validate", "-a"], cwd=tmp_path, check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode != 0
    assert "VALID: Model" not in done.stdout


@pytest.mark.parametrize("format_", MODELS)
def test_the_constraints_of_the_metaschema_hold(tmp_path: Path, format_: str) -> None:
    paths = {name: tmp_path / f"{name}.json" for name in SAMPLES}
    for name, path in paths.items():
        written(format_, name, path)
    told = python("oscal", JUDGE, *paths.values(), cwd=tmp_path)
    assert told == {str(path): [True, []] for path in paths.values()}


def test_the_profile_is_resolved_with_the_catalogue_beside_it(tmp_path: Path) -> None:
    """The two files as they are named in each other: everything that was judged, in its gates."""
    for format_ in ("oscal-catalog", "oscal-profile"):
        written(format_, "realistic", tmp_path / f"{format_}.json")
    state, resolved = python("oscal", RESOLVE, tmp_path / "oscal-profile.json", cwd=tmp_path)  # type: ignore[misc]
    assert state == "RESOLVED"

    def controls(of: dict[str, object]) -> list[str]:
        own = [control["id"] for control in of.get("controls", ())]  # type: ignore[attr-defined]
        return own + [id_ for group in of.get("groups", ()) for id_ in controls(group)]  # type: ignore[attr-defined]

    assert sorted(controls(resolved["catalog"])) == sorted(c.id for c in SAMPLES["realistic"].controls)
