"""What the properties of a Heat template come to before anything is made of them, to be held against Heat's own."""

from __future__ import annotations

from typing import Any

from cloudaudit.collectors.deployment import heat
from cloudaudit.collectors.deployment.block import CodeTarget
from cloudaudit.collectors.deployment.heat_functions import worst


def worked_out(of: CodeTarget) -> dict[str, Any]:
    """The properties of each resource that is there, of whatever type."""
    reading = heat._Reading(of)
    document = reading.parsed(of.file.read_bytes(), of.shown)
    reading.take_environment()
    stack = heat._Stack(reading, document, of.shown, reading.given, "", (of.file,), frozenset())
    return {
        name: stack._functions.value(resource.get("properties") or {}, ("resources", name, "properties"))
        for name, resource in stack._resources.items()
        if stack._presence(name) is True
    }


def agrees(theirs: Any, ours: Any) -> bool:
    """Whether a value is Heat's, or is not told by us."""
    if isinstance(ours, dict):
        return (
            isinstance(theirs, dict)
            and theirs.keys() == ours.keys()
            and all(agrees(theirs[key], value) for key, value in ours.items())
        )
    if worst(ours) is not None:
        return True
    return bool(theirs == ours)
