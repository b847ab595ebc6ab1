"""Write the generated files again: `make golden`. The difference is the review."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import get_args

import reference

from cloudaudit import api
from cloudaudit.catalog import control_schema, load_types
from cloudaudit.cli import _run
from cloudaudit.wording import Lang

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "reports" / "examples" / "demo"
FORMATS = {
    "report.html": "html",
    "report.pdf": "pdf",
    "report.docx": "docx",
    "report.xlsx": "xlsx",
    "report.md": "md",
    "findings.csv": "csv",
    "oscal-assessment-results.json": "oscal-ar",
    "oscal-catalog.json": "oscal-catalog",
    "oscal-profile.json": "oscal-profile",
    "junit.xml": "junit",
    "gl-code-quality-report.json": "gitlab-codequality",
    "github-annotations.txt": "github",
    "github-summary.md": "github-summary",
}
"""The examples of formats that go into files, by name."""


def schema_of_controls() -> str:
    """The JSON Schema of a control, from the tables of the compiler and the declared facts."""
    return json.dumps(control_schema(load_types()), indent=2, ensure_ascii=False) + "\n"


def demo() -> None:
    """The reports of the sample cloud, which are golden files and showcase at once."""
    os.environ["SOURCE_DATE_EPOCH"] = "1795342500"
    with tempfile.TemporaryDirectory() as name, Path(os.devnull).open("w") as nowhere:
        out = Path(name) / "out"
        with redirect_stdout(nowhere):
            code = _run(["demo", "-o", str(out), "--lang", "vi", "--quiet"])
        if code != 1:
            raise SystemExit(f"the demo exits {code}, and must exit 1")
        EXAMPLES.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(out / "report.json", EXAMPLES / "report.json")
        assessed = api.load_assessment(out)
        for file, kind in FORMATS.items():
            made = api.render(assessed, kind)
            (EXAMPLES / file).write_bytes(made.encode() if isinstance(made, str) else made)
        for lang in get_args(Lang):
            shown = api.render(assessed, "text", lang=lang)
            (EXAMPLES / f"report.{lang}.txt").write_text(str(shown), encoding="utf-8")


def main() -> None:
    (ROOT / "schemas" / "control.schema.json").write_text(schema_of_controls(), encoding="utf-8")
    reference.write(ROOT / "docs")
    demo()


if __name__ == "__main__":
    main()
