"""Print a requirements file with the version and the hash of every wheel in a folder.

For `ci/wheelhouse.sh`: pip then installs these files and no others.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from packaging.utils import parse_wheel_filename


def lines(folder: Path) -> list[str]:
    """One requirement for each wheel, by name."""
    found = []
    for path in folder.glob("*.whl"):
        name, version, _, _ = parse_wheel_filename(path.name)
        found.append(f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}")
    return sorted(found)


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines(Path(sys.argv[1])))
