"""The pipeline formats of the sample assessment in the repository, with the catalogue that ships."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
import test_gitlab
import test_junit
import test_ocsf
import test_sarif

from cloudaudit import plugins
from cloudaudit.reporters import Context

REPORT = Path(__file__).parent.parent.parent / "reports" / "examples" / "demo" / "report.json"
LANGUAGES: tuple[Literal["vi", "en"], ...] = ("vi", "en")


@cache
def report() -> dict[str, Any]:
    """The report with its findings as all there are: those that pass are not in the repository."""
    found: dict[str, Any] = json.loads(REPORT.read_text(encoding="utf-8"))
    return {**found, "findings_file": {**found["findings_file"], "count": len(found["findings"])}}


def made(name: str, lang: Literal["vi", "en"]) -> str:
    known = plugins.catalogue()
    controls = {entry["id"]: known.control(entry["id"]) for entry in report()["controls"]}
    context = Context(
        controls, known.obligations, known.types, lang=lang, findings=iter(report()["findings"])
    )
    text = plugins.reporter(name).render(report(), context)
    assert isinstance(text, str)
    assert text.replace("\n", "").isprintable()
    return text


def verdicts() -> Counter[str]:
    return Counter("waived" if f["waiver"] else f["verdict"] for f in report()["findings"])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_code_scanning(lang: Literal["vi", "en"]) -> None:
    log = json.loads(made("sarif", lang))
    test_sarif.schema().validate(log)
    (run,) = log["runs"]
    told, counts = run["invocations"][0]["toolExecutionNotifications"], verdicts()
    assert len(run["results"]) == counts["fail"] + counts["expired"] + counts["waived"] > 50
    assert len(told) == counts["unknown"] + counts["manual_pending"] > 50
    assert sum(bool(result["suppressions"]) for result in run["results"]) == counts["waived"] > 0
    assert all(len(rule["fullDescription"]["text"]) <= 1024 for rule in run["tool"]["driver"]["rules"])
    assert all(len(rule["properties"]["tags"]) <= 20 for rule in run["tool"]["driver"]["rules"])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_junit_xml(lang: Literal["vi", "en"]) -> None:
    root, counts = test_junit.read(made("junit", lang)), verdicts()
    final = sum(f["control"] == "NDC-01" for f in report()["findings"])
    assert int(root.attrib["failures"]) == counts["fail"] + counts["expired"]
    assert int(root.attrib["errors"]) == counts["unknown"] + counts["manual_pending"] - final


@pytest.mark.parametrize("lang", LANGUAGES)
def test_events(lang: Literal["vi", "en"]) -> None:
    events = [json.loads(line) for line in made("ocsf", lang).splitlines()]
    for event in events:
        test_ocsf.schema().validate(event)
        test_ocsf.captions(event)
    assert len({event["metadata"]["uid"] for event in events}) == len(events) == len(report()["findings"])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_code_quality(lang: Literal["vi", "en"]) -> None:
    entries = json.loads(made("gitlab-codequality", lang))
    test_gitlab.RULES.validate(entries)
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    assert len(entries) == len(report()["findings"]) - verdicts()["not_applicable"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", ["github", "github-summary"])
def test_what_a_step_says(name: str, lang: Literal["vi", "en"]) -> None:
    text = made(name, lang)
    assert 1_000 < len(text.encode()) < 200_000
    worst = {f["control"] for f in report()["findings"] if f["verdict"] == "fail" and f["weight"] == 4}
    assert any(control in text for control in worst)
