"""Reads plans and states of Terraform and OpenTofu, in the JSON that `show -json` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from cloudaudit.collectors.deployment.block import LATER, Block, Code, CodeTarget
from cloudaudit.errors import TargetError
from cloudaudit.model import Written


def read(target: CodeTarget, content: bytes) -> Code:
    """Read a plan or state. TargetError: it is none, or of a version that is not known."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as wrong:
        raise TargetError(f"{target.shown} is no JSON: {wrong}", where=target.where) from wrong
    later = {
        change["address"]: change["change"].get("after_unknown", {})
        for change in document["resource_changes"]
    }
    blocks = tuple(_blocks(target, document["planned_values"].get("root_module", {}), later))
    return Code(f"terraform {target.form}", target.shown, sha256(content).hexdigest(), blocks)


def _blocks(target: CodeTarget, module: Mapping[str, Any], later: Mapping[str, Any]) -> Iterator[Block]:
    for one in module.get("resources", ()):
        unknown = {key: LATER for key, value in later.get(one["address"], {}).items() if value is True}
        yield Block(
            one["address"], one["type"], one["name"], {**one["values"], **unknown}, Written(target.shown)
        )
    for child in module.get("child_modules", ()):
        yield from _blocks(target, child, later)
