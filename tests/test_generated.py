"""Generated files are what their sources give now. `make golden` writes them again."""

from __future__ import annotations

from pathlib import Path

import reference
from regenerate import ROOT, schema_of_controls


def test_the_schema_of_controls() -> None:
    assert (ROOT / "schemas/control.schema.json").read_text(encoding="utf-8") == schema_of_controls()


def test_the_reference() -> None:
    made = reference.pages()
    docs = ROOT / "docs"
    assert sorted(name for name in made if (docs / name).is_file()) == sorted(made)
    assert [name for name, text in made.items() if (docs / name).read_text(encoding="utf-8") != text] == []
    kept = {str(path.relative_to(docs)) for path in (docs / "reference").rglob("*.md")}
    assert kept == {name for name in made if name.startswith("reference/")}


def test_readme_tells_every_exit_code() -> None:
    readme = Path(ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.split("## Exit codes")[1].split("##")[0]
    assert [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ") and line[2].isdigit()] == [
        "0", "1", "2", "3", "4", "130",
    ]  # fmt: skip
