"""Where the data that ships with cloudaudit stands: controls, profiles, resources, reports, schemas.

In a wheel it lies inside the package, in a checkout and an editable install at the top of the
repository. This is the one place that knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from cloudaudit.errors import CatalogError

_PACKAGE = Path(__file__).parent
FOLDERS = ("controls", "profiles", "reports", "resources", "schemas")


def folder(name: str, root: Path | None = None) -> Path:
    """Path of one of FOLDERS, wherever cloudaudit is installed, or in a copy of them kept at `root`."""
    if root is not None:
        return root / name
    for base in (_PACKAGE / "_data", _PACKAGE.parent):
        found = base / name
        if found.is_dir():
            return found
    raise CatalogError(
        f"the installed package has no '{name}' folder", hint="install it again: its data files are not there"
    )


def build() -> str:
    """SHA-256 over the names and digests of the installed package's own files: what did the judging.

    A checkout and a wheel made from it are of the same build.
    """
    text = "".join(f"{sha256(path.read_bytes()).hexdigest()}  {name}\n" for name, path in sorted(_files()))
    return sha256(text.encode()).hexdigest()


def _files() -> Iterator[tuple[str, Path]]:
    """Every file of the package by a name that does not depend on how it is installed."""
    for path in _PACKAGE.rglob("*"):
        inner = path.relative_to(_PACKAGE)
        if path.is_file() and inner.parts[0] != "_data" and "__pycache__" not in inner.parts:
            yield f"cloudaudit/{inner.as_posix()}", path
    for name in FOLDERS:
        base = folder(name)
        for path in base.rglob("*"):
            inner = path.relative_to(base)
            # NOTE: the examples of reports are for readers of the repository, and in no wheel.
            if path.is_file() and not (name == "reports" and inner.parts[0] == "examples"):
                yield f"{name}/{inner.as_posix()}", path
