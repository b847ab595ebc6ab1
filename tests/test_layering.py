"""The walls: which module may import which. Reads the imports, runs nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "cloudaudit"
LAYERS: dict[int, set[str]] = {
    0: {"model", "errors"},
    1: {
        "operators",
        "condition",
        "predicate",
        "yamlsource",
        "facts",
        "wording",
        "needs",
        "records",
        "data",
        "providers",
        "signing",
        "cms",
        "pkcs11_token",
        "pseudonyms",
    },
    2: {"catalog", "registers", "targets", "snapshot", "plan"},
    3: {"assessment", "examples", "readiness"},
    4: {"collectors", "reporters", "bundle"},
    5: {
        "plugins",
        "attesting",
        "baseline",
        "bundling",
        "collecting",
        "planned",
        "permissions",
        "preflight",
        "api",
        "demo",
        "cli",
    },
}
LEVEL = {name: level for level, names in LAYERS.items() for name in names}
BESIDE = {
    "yamlsource": {"data"},
    "condition": {"operators"},
    "predicate": {"condition", "operators"},
    "providers": {"data", "yamlsource"},
    "wording": {"operators"},
    "facts": {"operators"},
    "pseudonyms": {"operators"},
    "cms": {"signing"},
    "pkcs11_token": {"cms"},
    "needs": {"facts", "wording"},
    "catalog": {"data", "yamlsource", "predicate", "operators"},
    "plan": {"catalog"},
    "examples": {"assessment"},
}
"""Imports within a layer that are meant: the language is made of its operators, and so on."""
PURE = {
    "model",
    "errors",
    "operators",
    "condition",
    "predicate",
    "facts",
    "wording",
    "needs",
    "records",
    "assessment",
    "examples",
    "readiness",
    "plan",
    "pseudonyms",
}
IMPURE_MODULES = {
    "os",
    "socket",
    "subprocess",
    "time",
    "pathlib",
    "urllib3",
    "requests",
    "shutil",
    "tempfile",
    "io",
}
SDKS = {
    "boto3": "collectors/s3",
    "botocore": "collectors/s3",
    "openstack": "collectors/openstack",
    "keystoneauth1": "collectors/openstack",
    "moto": "demo",
}


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), path, ast.parse(path.read_text(encoding="utf-8"))


def top(relative: str) -> str:
    return relative.split("/")[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "cloudaudit":
                yield from (f"cloudaudit.{alias.name}" for alias in node.names)
            else:
                yield node.module


ALL = list(modules())


def test_every_module_has_a_layer() -> None:
    assert {top(relative) for relative, _, _ in ALL} - {"__init__", "__main__"} == set(LEVEL)


@pytest.mark.parametrize(("relative", "tree"), [(r, t) for r, _, t in ALL], ids=[r for r, _, _ in ALL])
def test_imports_point_down(relative: str, tree: ast.Module) -> None:
    me = top(relative)
    if me not in LEVEL:
        return
    for name in imports(tree):
        parts = name.split(".")
        if parts[0] != "cloudaudit" or len(parts) == 1 or parts[1] in (me, "__version__"):
            continue
        other = parts[1]
        same_layer_is_meant = LEVEL[other] == LEVEL[me] and (LEVEL[me] == 5 or other in BESIDE.get(me, set()))
        assert LEVEL[other] < LEVEL[me] or same_layer_is_meant, f"{relative} imports {name}"
        if LEVEL[me] in (3, 4) and LEVEL[other] > 0:
            assert LEVEL[other] < (2 if LEVEL[me] == 3 else 3) or same_layer_is_meant, (
                f"{relative} imports {name}"
            )


@pytest.mark.parametrize(
    ("relative", "tree"),
    [(r, t) for r, _, t in ALL if top(r) in PURE],
    ids=[r for r, _, _ in ALL if top(r) in PURE],
)
def test_judging_has_no_files_network_or_clock(relative: str, tree: ast.Module) -> None:
    assert not {name.split(".")[0] for name in imports(tree)} & IMPURE_MODULES


@pytest.mark.parametrize(("relative", "tree"), [(r, t) for r, _, t in ALL], ids=[r for r, _, _ in ALL])
def test_sdks_stay_in_their_folder_and_load_late(relative: str, tree: ast.Module) -> None:
    at_import = {
        name.split(".")[0]
        for node in tree.body
        for name in imports(node)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not at_import & set(SDKS), f"{relative} imports an SDK when it is loaded"
    for name in {name.split(".")[0] for name in imports(tree)} & set(SDKS):
        assert relative.startswith((SDKS[name], "demo")), f"{relative} uses {name}"
