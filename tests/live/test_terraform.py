"""The plans and states of tests/data/terraform are what real binaries make of the configurations beside them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import beds
import pytest
from conftest import Folder

DATA = Path(__file__).parent.parent / "data" / "terraform"
MADE = ("plan.json", "plan.json.gz", "state.json", "terraform.tfstate")
CASES = sorted({path.parent.name for name in MADE for path in DATA.glob(f"*/{name}")})


@pytest.fixture(scope="session")
def bed() -> Mapping[str, Any]:
    """Binaries with their versions, and which case needs which."""
    return beds.terraform()


@pytest.fixture(scope="session")
def made(folder: Folder, bed: Mapping[str, Any]) -> Path:
    """All cases there are binaries for, made again."""
    into = folder("terraform")
    cases = [case for case, needed in bed["cases"].items() if needed in bed]
    beds.call("terraform", "make", *cases, "--into", str(into))
    return into


def read(path: Path) -> Any:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return json.loads(text)


def judged(value: Any) -> Any:
    """What any version of Terraform and OpenTofu says alike: which resources, and what is known of each."""
    if "resource_changes" not in value:
        return None
    return {
        one["address"]: (
            one["type"],
            one["change"]["actions"],
            one["change"]["after"],
            one["change"]["after_unknown"],
        )
        for one in value["resource_changes"]
    }


def test_every_case_is_made(bed: Mapping[str, Any]) -> None:
    assert sorted(bed["cases"]) == CASES


def test_the_next_checkout_can_use_what_this_one_fetched(bed: Mapping[str, Any]) -> None:
    """The folder of the beds outlives checkouts: a path of one in it leads to nothing in the next."""
    root = Path(bed["old"]["binary"]).parent.parent
    scripts = [root / "terraformrc", *root.glob("mirror/registry.terraform.io/*/*/*/*/*_v*.[0-9]")]
    told = {path.name: path.read_bytes() for path in scripts if path.stat().st_size < 10_000}
    assert len(told) == 3
    assert [name for name, text in told.items() if str(DATA.parent.parent).encode() in text] == []


@pytest.mark.parametrize("case", CASES)
def test_the_data_are_what_the_binary_makes(bed: Mapping[str, Any], made: Path, case: str) -> None:
    needed = bed["cases"][case]
    if needed not in bed:
        pytest.skip("no terraform >= 1.7 or tofu >= 1.9 on the PATH: PyPI has none; terraform 0.15 was tried")
    names = [name for name in MADE if (DATA / case / name).exists()]
    committed = {name: read(DATA / case / name) for name in names}
    again = {name: read(made / case / name) for name in names}
    assert sorted(path.name for path in (made / case).iterdir()) == sorted(names)
    versions = {value["terraform_version"] for value in committed.values()}
    # NOTE: the 0.15 of the wheel is a candidate by name in plans, and 0.15.0 in states.
    if {version.partition("-")[0] for version in versions} == {bed[needed]["version"].partition("-")[0]}:
        assert again == committed
    else:
        assert {name: judged(value) for name, value in again.items()} == {
            name: judged(value) for name, value in committed.items()
        }
