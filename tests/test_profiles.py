"""Profiles: what an organisation may tailor in its own file, how far, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudaudit.catalog import load_catalogue, load_profile
from cloudaudit.errors import CatalogError, CloudauditError
from cloudaudit.model import Excess, Limit

CATALOGUE = load_catalogue()
HEAD = "version: 1.0.0\ntitle: {vi: Của chúng tôi, en: Ours}\n"


def written(tmp_path: Path, text: str, name: str = "own") -> str:
    path = tmp_path / f"{name}.yaml"
    path.write_text(f"id: {name}\n{HEAD}{text}", encoding="utf-8")
    return str(path)


def refused(tmp_path: Path, text: str) -> tuple[str, int]:
    with pytest.raises(CloudauditError) as caught:
        load_profile(written(tmp_path, text), CATALOGUE, own=[tmp_path])
    (problem,) = caught.value.problems
    assert problem.where is not None
    return problem.message, problem.where.line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("extends: own\n", ("profile 'own' extends itself", 4)),
        ("extends: ndc\n", ("there is no profile 'ndc'", 4)),
        (
            "extends: ndc-connection\nparameters:\n  SEC-15:\n    min_key_size: 64\n",
            ("min_key_size is at least 128, found 64", 7),
        ),
        (
            "extends: ndc-connection\nparameters:\n  DAT-02:\n    min_attribution: 1.5\n",
            ("min_attribution is at most 1, found 1.5", 7),
        ),
        (
            "extends: ndc-connection\nparameters:\n  SEC-24:\n    secret_patterns: []\n",
            ("secret_patterns names at least one item, found none", 7),
        ),
        (
            "extends: ndc-connection\nlimits:\n  BDR-01: {max_backup_age: {at_most: 5}}\n",
            ("a duration such as PT24H is expected, found the number 5", 6),
        ),
        (
            "extends: ndc-connection\nlimits:\n  BDR-01: {max_backup: {at_most: P1D}}\n",
            ("BDR-01 has no parameter 'max_backup'; did you mean 'max_backup_age'?", 6),
        ),
        (
            "extends: ndc-connection\nlimits:\n  BDR-01: {max_backup_age: {contains_all: [P1D]}}\n",
            ("'contains_all' is no limit for 'max_backup_age', which is a duration", 6),
        ),
        (
            "extends: ndc-connection\nlimits:\n  BDR-99: {a: {at_most: 5}}\n",
            ("there is no control 'BDR-99'", 6),
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(
    tmp_path: Path, text: str, expected: tuple[str, int]
) -> None:
    assert refused(tmp_path, text) == expected


def test_two_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "extends: own\n", "other")
    with pytest.raises(CatalogError, match="extends itself"):
        load_profile(written(tmp_path, "extends: other\n"), CATALOGUE, own=[tmp_path])


def test_a_profile_finds_those_that_lie_beside_it(tmp_path: Path) -> None:
    written(tmp_path, "extends: ndc-connection\nparameters:\n  BDR-01: {max_backup_age: PT6H}\n", "base")
    found = load_profile(written(tmp_path, "extends: base\n"), CATALOGUE)
    assert {id_: dict(values) for id_, values in found.changed.items()} == {
        "BDR-01": {"max_backup_age": 6 * 3600}
    }
    with pytest.raises(CatalogError, match="profile 'self' extends itself"):
        load_profile(written(tmp_path, "extends: self\n", "self"), CATALOGUE)


def test_a_shipped_profile_keeps_its_id(tmp_path: Path) -> None:
    ours = written(tmp_path, "extends: ndc-connection\n", "ndc-connection")
    assert load_profile(ours, CATALOGUE).gates == load_profile("ndc-connection", CATALOGUE).gates


LIMITED = (
    "extends: ndc-connection\ncontrols: [BDR-01, SEC-06]\nagency_duties: []\ngates: []\n"
    "weights: {BDR: 50, SEC: 50}\n"
    "limits:\n  BDR-01: {max_backup_age: {at_most: P1D}}\n  SEC-06: {admin_ports: {contains_all: [22, 3389]}}\n"
)


A_DAY = Excess(Limit("max_backup_age", "at_most", 86400), 'max_backup_age = "P30D"; at_most: "P1D"')


@pytest.mark.parametrize(
    ("more", "loosened"),
    [
        ("", {}),
        ("parameters:\n  BDR-01: {max_backup_age: PT12H}\n", {}),
        (
            "parameters:\n  BDR-01: {max_backup_age: P30D}\n",
            {"BDR-01": (A_DAY,)},
        ),
        (
            "parameters:\n  SEC-06: {admin_ports: [22]}\n",
            {
                "SEC-06": (
                    Excess(
                        Limit("admin_ports", "contains_all", (22, 3389)),
                        "admin_ports = [22]; contains_all: [22, 3389]",
                    ),
                )
            },
        ),
    ],
)
def test_a_limit_holds_for_those_who_build_on_a_profile(
    tmp_path: Path, more: str, loosened: dict[str, tuple[Excess, ...]]
) -> None:
    written(tmp_path, LIMITED, "base")
    name = written(tmp_path, f"extends: base\n{more}")
    assert load_profile(name, CATALOGUE, own=[tmp_path]).loosened == loosened


def test_a_limit_cannot_be_lifted(tmp_path: Path) -> None:
    written(tmp_path, LIMITED, "base")
    name = written(
        tmp_path,
        "extends: base\nlimits:\n  BDR-01: {max_backup_age: {at_most: P90D}}\n"
        "parameters:\n  BDR-01: {max_backup_age: P30D}\n",
    )
    assert set(load_profile(name, CATALOGUE, own=[tmp_path]).loosened) == {"BDR-01"}


def test_a_stricter_limit_holds_beside_the_one_it_builds_on(tmp_path: Path) -> None:
    written(tmp_path, LIMITED, "base")
    own = "extends: base\nlimits:\n  BDR-01: {max_backup_age: {at_most: PT6H}}\n"
    strict = load_profile(written(tmp_path, own), CATALOGUE, own=[tmp_path])
    six_hours = Limit("max_backup_age", "at_most", 21600)
    assert strict.limits["BDR-01"] == (A_DAY.limit, six_hours)
    assert strict.loosened == {"BDR-01": (Excess(six_hours, 'max_backup_age = "PT24H"; at_most: "PT6H"'),)}
    loose = load_profile(
        written(tmp_path, own + "parameters:\n  BDR-01: {max_backup_age: P30D}\n"), CATALOGUE, own=[tmp_path]
    )
    both = Excess(six_hours, 'max_backup_age = "P30D"; at_most: "PT6H"')
    assert loose.loosened == {"BDR-01": (A_DAY, both)}
