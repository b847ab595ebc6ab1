"""Tables in docs/ that speak of resource types: what they name is declared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cloudaudit.catalog import load_catalogue, load_profile, load_types
from cloudaudit.model import Method
from cloudaudit.reporters import BUILTIN
from cloudaudit.reporters.findings_csv import COLUMNS

DOCS = Path(__file__).parent.parent / "docs"
TYPES = load_types()
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


def test_the_page_of_live_controls_names_technical_controls_once() -> None:
    """`make live-controls` writes it from the test beds, which a live test holds to be whole."""
    text = (DOCS / "live-controls.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([A-Z]{3}-\d+) \| (.+) \|$", text, re.M)
    named = [id_ for id_, _ in rows]
    profile = load_profile("ndc-connection", load_catalogue())
    technical = {control.id for control in profile.controls if control.method is Method.TECHNICAL}
    assert len(named) == len(set(named))
    assert set(named) <= technical
    both = text.partition("## Not seen both ways")[0]
    assert len(re.findall(r"^\| [A-Z]{3}-\d+ \|", both, re.M)) >= 45


def test_the_page_of_formats_names_all_of_them_and_every_column() -> None:
    text = (DOCS / "formats.md").read_text(encoding="utf-8")
    for name in (*BUILTIN, *COLUMNS):
        assert f"`{name}`" in text
