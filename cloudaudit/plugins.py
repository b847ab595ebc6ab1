"""Find a reporter by name: built-ins first, then those of other packages through entry points."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Final

from cloudaudit.errors import CloudauditError, did_you_mean
from cloudaudit.reporters import BUILTIN, Reporter

GROUP: Final = "cloudaudit.reporters"


def reporter(name: str) -> Reporter:
    """Load one reporter. A built-in wins over a package that uses its name, which is then not imported."""
    if name in BUILTIN:
        module, _, attribute = BUILTIN[name].partition(":")
        found: Reporter = getattr(import_module(module), attribute)()
        return found
    for entry in entry_points(group=GROUP, name=name):
        loaded: Reporter = entry.load()()
        return loaded
    known = {*BUILTIN, *(entry.name for entry in entry_points(group=GROUP))}
    raise CloudauditError(
        f"there is no format '{name}'", hint=did_you_mean(name, known) or f"known: {', '.join(sorted(known))}"
    )
