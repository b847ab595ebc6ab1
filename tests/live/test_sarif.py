"""What Microsoft's SARIF Multitool says of our SARIF, by its own rules and by those of GitHub.

The tool is one program of an npm package, put below the folder of the beds once. It is called directly: the
package's own wrapper hands arguments to a shell, which takes the semicolon of the rules for its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import data_samples as data
import pipeline_samples as samples
import pytest
import sample_report as sample
from test_oscal import BEDS

from cloudaudit import api
from cloudaudit.plugins import reporter

PACKAGE = "@microsoft/sarif-multitool-linux"
VERSION = "5.7.0"
LEFT_OUT = {
    "SARIF2005": "cloudaudit has no address in the web yet, and informationUri has to lead to one",
}
"""Rules whose warnings are expected, and why; nothing else may be found."""
ROOT = Path(__file__).parent.parent.parent
DEMO = ROOT / "reports" / "examples" / "demo"


def multitool() -> Path:
    """The program; installed when it is not there whole."""
    home = BEDS / "sarif" / f"multitool-{VERSION}"
    done = home / "done"
    program = home / "node_modules" / PACKAGE / "Sarif.Multitool"
    if not done.exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        install = ["npm", "install", "--prefix", home, "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run([*install, f"{PACKAGE}@{VERSION}"], check=True, capture_output=True, timeout=600)
        # Its script after the installation does only this.
        program.chmod(0o755)
        done.touch()
    return program


def judged(log: Path) -> list[tuple[str, str, str]]:
    """Level, rule and words of everything the tool finds, its own troubles among them."""
    told = log.with_suffix(".told.sarif")
    rules = ["--rule-kind", "Sarif;Ghas", "--level", "Error;Warning;Note", "--kind", "Fail"]
    command = [multitool(), "validate", *rules, "--output", told, "--log", "ForceOverwrite;PrettyPrint", log]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert "Analysis completed successfully." in done.stdout, (done.stdout + done.stderr)[-2000:]
    assert done.returncode == 0
    (run,) = json.loads(told.read_text(encoding="utf-8-sig"))["runs"]
    rules_told = run["tool"]["driver"]["rules"]
    found = []
    for result in run.get("results", ()):
        rule = rules_told[result["ruleIndex"]]
        level = result.get("level") or rule.get("defaultConfiguration", {}).get("level", "warning")
        found.append((level, rule["id"], json.dumps(result["message"])))
    (invocation,) = run["invocations"]
    troubles = invocation.get("toolExecutionNotifications", []) + invocation.get(
        "toolConfigurationNotifications", []
    )
    found += [(n["level"], "tool", json.dumps(n["message"])) for n in troubles if n.get("level") in ("error", "warning")]  # fmt: skip
    return found


def severe(log: Path) -> list[tuple[str, str, str]]:
    return [one for one in judged(log) if one[0] != "note" and one[1] not in LEFT_OUT]


def written(path: Path, report: dict[str, Any], context: Any) -> Path:
    path.write_text(str(reporter("sarif").render(report, context)), encoding="utf-8")
    return path


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_sample_assessment(tmp_path: Path, lang: Any) -> None:
    """The report of the sample cloud, with the catalogue that ships."""
    report = json.loads((DEMO / "report.json").read_text(encoding="utf-8"))
    assessed = api.Assessed(DEMO, report)
    path = tmp_path / "demo.sarif"
    path.write_text(str(api.render(assessed, "sarif", lang=lang)), encoding="utf-8")
    assert len(json.loads(path.read_text(encoding="utf-8"))["runs"][0]["results"]) > 50
    assert severe(path) == []


@pytest.mark.parametrize(
    "inputs",
    [sample.realistic(), sample.hostile(), data.nasty(), sample.nothing(), sample.all_unknown()],
    ids=["realistic", "hostile", "nasty", "nothing", "all unknown"],
)
def test_reports_of_every_kind(tmp_path: Path, inputs: sample.Inputs) -> None:
    path = written(tmp_path / "log.sarif", sample.report(inputs), samples.context(inputs, known=False))
    assert severe(path) == []


def test_waivers_a_baseline_and_places_in_code(tmp_path: Path) -> None:
    assert severe(written(tmp_path / "log.sarif", samples.report(), samples.context())) == []


def test_names_that_do_harm(tmp_path: Path) -> None:
    inputs = samples.nasty()
    path = written(tmp_path / "log.sarif", samples.nasty_report(), samples.context(inputs, known=False))
    assert severe(path) == []


def test_what_is_left_out_is_still_found(tmp_path: Path) -> None:
    """A rule that no longer finds anything need not be left out."""
    path = written(tmp_path / "log.sarif", samples.report(), samples.context())
    assert {rule for level, rule, _ in judged(path) if level != "note"} == set(LEFT_OUT)


def test_the_tool_says_no_where_there_is_something_to_say(tmp_path: Path) -> None:
    path = written(tmp_path / "log.sarif", samples.report(), samples.context())
    log = json.loads(path.read_text(encoding="utf-8"))
    (run,) = log["runs"]
    del run["results"][0]["locations"]
    run["results"][1]["ruleIndex"] = 99
    del run["tool"]["driver"]["rules"][0]["help"]
    path.write_text(json.dumps(log), encoding="utf-8")
    rules = Counter(rule for _, rule, _ in severe(path))
    assert {"SARIF1001", "GH2012"} & set(rules)
    assert rules.total() >= 2
