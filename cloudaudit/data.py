"""Where the data that ships with cloudaudit stands: controls, profiles, resources, reports, schemas.

In a wheel it lies inside the package, in a checkout and an editable install at the top of the
repository. This is the one place that knows.
"""

from __future__ import annotations

from pathlib import Path

from cloudaudit.errors import CatalogError

_PACKAGE = Path(__file__).parent
FOLDERS = ("controls", "profiles", "reports", "resources", "schemas")


def folder(name: str) -> Path:
    """Path of one of FOLDERS, wherever cloudaudit is installed."""
    for base in (_PACKAGE / "_data", _PACKAGE.parent):
        found = base / name
        if found.is_dir():
            return found
    raise CatalogError(
        f"the installed package has no '{name}' folder", hint="install it again: its data files are not there"
    )
