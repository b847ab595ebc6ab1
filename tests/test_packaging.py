"""What is installed is whole, and needs nothing but what it says it needs.

Each way of installing gets an environment of its own, in which the declared needs are, and nothing
else: no tools of developers, no extras. Nothing is fetched.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cloudaudit import __version__, data
from cloudaudit.data import FOLDERS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "cloudaudit"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAME = PROJECT["name"].replace("-", "_")
SHOWCASE = "reports/examples/"
TARGETS = """\
version: 1
subjects:
  - id: mau
    kind: provider
    title: {vi: Mẫu}
    targets:
      - {name: hn, kind: openstack, cloud: fake, deadline: PT1S}
      - {name: kho, kind: s3, endpoint: "https://127.0.0.1:1", region: vn-hn, deadline: PT1S,
         access_key_file: key, secret_key_file: key}
"""
CLOUDS = """\
clouds:
  fake:
    auth: {auth_url: "https://127.0.0.1:1/v3", username: audit, password: any, project_name: mau,
           user_domain_name: Default, project_domain_name: Default}
"""


def files_of(folder: str) -> set[str]:
    """Files of a folder of the repository, by path from its top."""
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in found if path.suffix != ".pyc"}


# --- what is needed -----------------------------------------------------------------------------------


def third_party(folder: Path, leave_out: str = "") -> set[str]:
    """Distributions whose modules the code in a folder imports, wherever in a file it does."""
    modules: set[str] = set()
    for path in folder.rglob("*.py"):
        if leave_out and leave_out in path.relative_to(folder).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.partition(".")[0])
    brought = packages_distributions()
    foreign = modules - set(sys.stdlib_module_names) - {"cloudaudit"}
    return {canonicalize_name(name) for module in foreign for name in brought[module]}


def named(requirements: Iterable[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def test_every_package_that_is_imported_is_named_and_no_other() -> None:
    extras = PROJECT["optional-dependencies"]
    # Of `ssh` the package is what cryptography imports.
    others = ("demo", "dev", "ssh")
    formats = {name for extra in extras if extra not in others for name in named(extras[extra])}
    assert third_party(PACKAGE, leave_out="demo") == named(PROJECT["dependencies"]) | formats
    assert third_party(PACKAGE / "demo") - named(PROJECT["dependencies"]) == named(extras["demo"])


def closure(requirements: Iterable[str]) -> Iterator[str]:
    """The distributions that requirements stand for, with all that these need in turn."""
    waiting = [Requirement(text) for text in requirements]
    done: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        one = waiting.pop()
        key = (canonicalize_name(one.name), frozenset(one.extras))
        if key in done:
            continue
        done.add(key)
        for text in distribution(one.name).requires or ():
            need = Requirement(text)
            if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in ("", *one.extras)):
                waiting.append(need)
        yield key[0]


# --- ways to install ----------------------------------------------------------------------------------


def call(*args: object, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program with hardly any environment."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    env = {**kept, "HOME": str(cwd), "LC_ALL": "C.UTF-8", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environ}
    return subprocess.run(
        [str(arg) for arg in args], cwd=cwd, env=env, capture_output=True, text=True, timeout=100, check=False
    )


def done(*args: object, cwd: Path, **environ: str) -> str:
    """The same of a program that has to succeed; what it printed."""
    ran = call(*args, cwd=cwd, **environ)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


class Environment:
    """A fresh environment that holds the declared needs and, once installed, cloudaudit."""

    def __init__(self, folder: Path) -> None:
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir(parents=True)
        self.folder = folder / "env"
        done(sys.executable, "-m", "venv", "--without-pip", self.folder, cwd=self.elsewhere)
        (self.site,) = self.folder.glob("lib/python*/site-packages")
        for name in closure(PROJECT["dependencies"]):
            needed = distribution(name)
            for top in {file.parts[0] for file in needed.files or ()} - {"..", "__pycache__"}:
                link = self.site / top
                if not link.exists():
                    link.symlink_to(Path(str(needed.locate_file(top))).resolve())

    def install(self, *what: object, **environ: str) -> None:
        python = self.folder / "bin" / "python"
        done(
            sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index",
            *what, cwd=self.elsewhere, **environ,
        )  # fmt: skip

    def cloudaudit(self, *args: str) -> subprocess.CompletedProcess[str]:
        return call(self.folder / "bin" / "cloudaudit", *args, cwd=self.elsewhere)

    def home(self) -> tuple[Path, Path]:
        """Where the installed package is, and its controls."""
        program = "import cloudaudit.data as d; print(d.__file__, d.folder('controls'), sep='\\n')"
        found = done(self.folder / "bin" / "python", "-c", program, cwd=self.elsewhere)
        module, controls = map(Path, found.splitlines())
        return module.parent, controls


def by_wheel(env: Environment) -> tuple[Path, Path]:
    """Build a wheel from the tree, and install it."""
    done(
        sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", env.folder / "dist", ROOT,
        cwd=env.elsewhere,
    )  # fmt: skip
    return _installed(env)


def by_sdist(env: Environment) -> tuple[Path, Path]:
    """Build a source archive, from that a wheel, and install it."""
    done(
        sys.executable, "-m", "build", "--no-isolation", "--outdir", env.folder / "dist", ROOT,
        cwd=env.elsewhere,
    )  # fmt: skip
    (archive,) = (env.folder / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        members = {member.name.partition("/")[2] for member in packed if member.isfile()}
    top = {path for folder in ("cloudaudit", *FOLDERS) for path in files_of(folder)}
    assert {path for path in members if path.startswith(("cloudaudit/", *(f"{f}/" for f in FOLDERS)))} == top
    assert {"LICENSE", "README.md", "CHANGELOG.md", "Makefile", "tests/conftest.py"} < members
    return _installed(env)


def _installed(env: Environment) -> tuple[Path, Path]:
    (wheel,) = (env.folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        members = set(packed.namelist())
    about = {f"{NAME}-{__version__}.dist-info/{name}"
             for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}  # fmt: skip
    kept = {path for folder in FOLDERS for path in files_of(folder) if not path.startswith(SHOWCASE)}
    assert members == about | files_of("cloudaudit") | {f"cloudaudit/_data/{path}" for path in kept}
    assert {"cloudaudit/py.typed", "cloudaudit/demo/sample/openstack.jsonl"} < members
    env.install(wheel)
    return env.site / "cloudaudit", env.site / "cloudaudit" / "_data" / "controls"


def by_link(env: Environment) -> tuple[Path, Path]:
    """Install the tree itself, as developers do."""
    # The build tool is in the environment the tests run in, and in no other.
    tools = os.pathsep.join(path for path in sys.path if path.endswith(("site-packages", "dist-packages")))
    env.install("--no-build-isolation", "--editable", ROOT, PYTHONPATH=tools)
    return PACKAGE, ROOT / "controls"


@pytest.mark.parametrize("way", [by_wheel, by_sdist, by_link])
def test_what_is_installed_finds_its_data(way: Any, tmp_path: Path) -> None:
    env = Environment(tmp_path)
    home = way(env)
    assert env.home() == home
    build = done(
        env.folder / "bin" / "python",
        "-c",
        "import cloudaudit.data as d; print(d.build())",
        cwd=env.elsewhere,
    )
    assert build.strip() == data.build()
    linted = env.cloudaudit("controls", "lint")
    controls = sum(path.count("/") == 2 and path.split("/")[1].isupper() for path in files_of("controls"))
    assert (linted.returncode, linted.stderr) == (0, "")
    assert linted.stdout.startswith(f"{controls} controls, ")
    assert linted.stdout.endswith(" examples, 0 problems\n")
    profiles = env.cloudaudit("profiles", "list").stdout.splitlines()
    presets = {path for path in files_of("profiles") if path.startswith("profiles/providers/")}
    assert {f"profiles/{line.split()[0]}.yaml" for line in profiles} == files_of("profiles") - presets
    named = env.cloudaudit("providers", "list").stdout.splitlines()
    text = "".join((ROOT / path).read_text(encoding="utf-8") for path in sorted(presets))
    assert [line.split()[0] for line in named] == sorted(re.findall(r"- id: (\S+)", text))
    schema = json.loads((ROOT / "schemas" / "targets.schema.json").read_text(encoding="utf-8"))
    assert json.loads(env.cloudaudit("schema", "targets").stdout) == schema


def test_the_declared_needs_are_enough_to_audit(tmp_path: Path) -> None:
    """Nobody listens at these addresses, but everything that would ask and judge is loaded."""
    env = Environment(tmp_path)
    by_link(env)
    (env.elsewhere / "clouds.yaml").write_text(CLOUDS, encoding="utf-8")
    (env.elsewhere / "targets.yaml").write_text(TARGETS, encoding="utf-8")
    (env.elsewhere / "key").touch(mode=0o600)
    (env.elsewhere / "key").write_text("AKIDKIEMTHU\n", encoding="utf-8")
    audited = env.cloudaudit("run", "-t", "targets.yaml", "-o", "out", "--quiet")
    assert (audited.returncode, audited.stderr) == (3, "")
    report = json.loads((env.elsewhere / "out" / "report.json").read_text(encoding="utf-8"))
    unreachable = {gap["target"] for gap in report["gaps"] if gap["reason_code"] == "unreachable"}
    assert unreachable == {"hn", "kho"}
    shown = env.cloudaudit("demo", "-o", "demo")
    assert (shown.returncode, shown.stdout, shown.stderr) == (
        2,
        "",
        "error: the sample cloud needs packages that are not installed; "
        "install them, from a checkout with: pip install '.[demo]'\n",
    )
    assert not (env.elsewhere / "demo").exists()
