"""Write the generated files again: the schema of controls. `make golden`; the difference is the review."""

from __future__ import annotations

import json
from pathlib import Path

from cloudaudit.catalog import control_schema, load_types

ROOT = Path(__file__).parent.parent


def schema_of_controls() -> str:
    return json.dumps(control_schema(load_types()), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    (ROOT / "schemas" / "control.schema.json").write_text(schema_of_controls(), encoding="utf-8")


if __name__ == "__main__":
    main()
