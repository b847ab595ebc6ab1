"""Every format of ours by its media type: what a terminal may be shown, and how a bundle names its file."""

from __future__ import annotations

import pipeline_samples as samples
import pytest
import sample_report as sample

from cloudaudit.bundling import _extension
from cloudaudit.cli.auditing import BINARY
from cloudaudit.plugins import reporter
from cloudaudit.reporters import BUILTIN

FILES = {
    "text": ("text/plain", "txt"),
    "json": ("application/json", "json.json"),
    "html": ("text/html", "html"),
    "pdf": ("application/pdf", "pdf"),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    "md": ("text/markdown", "md"),
    "csv": ("text/csv", "csv"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    "oscal-ar": ("application/json", "oscal-ar.json"),
    "oscal-catalog": ("application/json", "oscal-catalog.json"),
    "oscal-profile": ("application/json", "oscal-profile.json"),
    "sarif": ("application/sarif+json", "sarif"),
    "junit": ("application/xml", "xml"),
    "gitlab-codequality": ("application/json", "gitlab-codequality.json"),
    "ocsf": ("application/x-ndjson", "jsonl"),
    "github": ("text/plain", "txt"),
    "github-summary": ("text/markdown", "md"),
}


def test_all_are_here() -> None:
    assert list(FILES) == list(BUILTIN)


@pytest.mark.parametrize("name", BUILTIN)
def test_a_format_is_what_its_media_type_says(name: str) -> None:
    found = reporter(name)
    kind = found.media_type.partition(";")[0]
    assert (kind, _extension(name, found.media_type)) == FILES[name]
    inputs = sample.small()
    made = found.render(sample.report(inputs), samples.context(inputs, known=False))
    # What is text can be shown on a terminal: nothing in it is obeyed there.
    assert isinstance(made, bytes) == kind.startswith(BINARY)
