"""What pages say of the data: resource types and controls they name are there, and as many as they count."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cloudaudit.catalog import load_catalogue, load_types
from cloudaudit.model import Method

DOCS = Path(__file__).parent.parent / "docs"
TYPES = load_types()
CONTROLS = load_catalogue().controls()
NAMED = [
    (found["type"], fact)
    for found in re.finditer(
        r"`(?P<type>(openstack|s3)\.[a-z0-9_]+)`:\s(?P<facts>`[^`]+`(,\s`[^`]+`)*)",
        (DOCS / "peers-coverage.md").read_text(encoding="utf-8"),
    )
    for fact in re.findall(r"`([^`]+)`", found["facts"])
]


@pytest.mark.parametrize(("type_", "fact"), NAMED)
def test_facts_named_beside_those_of_others_are_declared(type_: str, fact: str) -> None:
    assert fact in TYPES[type_].facts


def test_all_of_them_are_checked() -> None:
    text = (DOCS / "peers-coverage.md").read_text(encoding="utf-8")
    assert {type_ for type_, _ in NAMED} == set(re.findall(r"`((?:openstack|s3)\.[a-z0-9_]+)`", text))
    assert len(NAMED) > 80


def test_every_type_of_a_cloud_is_in_the_table_of_what_is_seen() -> None:
    """`make coverage` writes it from the test beds."""
    rows = re.findall(r"^\| `([a-z0-9_.]+)` \|", (DOCS / "coverage.md").read_text(encoding="utf-8"), re.M)
    assert rows == [
        *sorted(t for t in TYPES if t.startswith("openstack.")),
        # Of stores there are two tables: one would be too wide to read.
        *sorted(t for t in TYPES if t.startswith("s3.")) * 2,
    ]


def test_the_page_of_live_controls_names_every_technical_control_once() -> None:
    """`make live-controls` writes it from the test beds."""
    text = (DOCS / "live-controls.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| ([A-Z]{3}-\d+) \| .+ \|$", text, re.M)
    technical = [control.id for control in CONTROLS if control.method is Method.TECHNICAL]
    assert sorted(named) == sorted(technical)
    both, _, rest = text.partition("## Not seen both ways")
    assert "| no |" not in both
    assert re.findall(r"^\| [A-Z]{3}-\d+ \|.*\| not looked into \|$", rest, re.M) == []


def test_the_readme_counts_the_controls() -> None:
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"(\d+) controls written in YAML", readme) == [str(len(CONTROLS))]
