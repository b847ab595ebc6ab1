"""Asks Heat's own engine what the properties of templates come to. Run with a Python that has openstack-heat.

PYTHON tests/live/heat_engine.py < tests/data/heat/engine.yaml > tests/data/heat/answers.json
"""

from __future__ import annotations

import ast
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

from heat.common import config, context, environment_format, template_format  # noqa: E402, F401
from heat.engine import environment, function, resources, stack, template  # noqa: E402
from oslo_config import cfg  # noqa: E402


def resolved(case: dict[str, str]) -> dict[str, Any]:
    """The properties of each resource that is there, with all functions worked out."""
    given = environment.Environment(environment_format.parse(case.get("environment", "{}")))
    parsed = template.Template(template_format.parse(whole(case)), env=given)
    who = context.RequestContext(
        project_id="p", user_id="u", auth_url="http://x", user_domain_id="d", project_domain_id="d"
    )
    made = stack.Stack(who, "s", parsed, stack_id="1")
    made.parameters.validate(validate_value=True)
    return {
        name: function.resolve(definition._properties or {}, nullable=True)
        for name, definition in parsed.resource_definitions(made).items()
    }


def whole(case: dict[str, str]) -> str:
    """The template of a case, which may be given by one property alone."""
    if "template" in case:
        return case["template"]
    return (
        "heat_template_version: 2018-08-31\nresources:\n  r:\n    type: OS::Heat::TestResource\n"
        f"    properties:\n      value: {case['property']}\n"
    )


def answer(case: dict[str, str]) -> Any:
    try:
        return resolved(case)
    except Exception as wrong:  # noqa: BLE001 - of an error only that it is one is compared
        return type(wrong).__name__


def own() -> Iterator[str]:
    """Templates that stand as texts in Heat's tests, each once."""
    found: dict[str, None] = {}
    for path in sorted(Path(resources.__file__).parents[2].joinpath("tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and "heat_template_version" in text and "resources" in text:
                found[text] = None
    yield from found


if __name__ == "__main__":
    cfg.CONF([], project="heat", default_config_files=[])
    resources.initialise()
    if sys.argv[1:] == ["--own"]:
        answers: Any = [[text, answer({"template": text})] for text in own()]
    else:
        answers = {case["name"]: answer(case) for case in yaml.safe_load(sys.stdin)}
    print(json.dumps(answers, indent=1, default=str))
