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


def schema_of_controls() -> str:
    """The JSON Schema of a control, from the tables of the compiler and the declared facts."""
    return json.dumps(control_schema(load_types()), indent=2, ensure_ascii=False) + "\n"


def demo() -> None:
    """The reports of the sample cloud, which are golden files and showcase at once."""
    os.environ["SOURCE_DATE_EPOCH"] = "1795305600"
    with tempfile.TemporaryDirectory() as name, Path(os.devnull).open("w") as nowhere:
        out = Path(name) / "out"
        with redirect_stdout(nowhere):
            code = _run(["demo", "-o", str(out), "--lang", "vi", "--quiet"])
        if code != 1:
            raise SystemExit(f"the demo exits {code}, and must exit 1")
        EXAMPLES.mkdir(parents=True, exist_ok=True)
        for file in ("report.json", "report.html"):
            shutil.copyfile(out / file, EXAMPLES / file)
        assessed = api.load_assessment(out)
        for lang in get_args(Lang):
            shown = api.render(assessed, "text", lang=lang)
            (EXAMPLES / f"report.{lang}.txt").write_text(str(shown), encoding="utf-8")


def main() -> None:
    (ROOT / "schemas" / "control.schema.json").write_text(schema_of_controls(), encoding="utf-8")
    reference.write(ROOT / "docs")
    demo()


if __name__ == "__main__":
    main()
