"""The lists of other checkers: how they are read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudaudit import data
from cloudaudit.catalog import load_catalogue, load_peers, load_profile
from cloudaudit.errors import CatalogError, SourceError

HEAD = "id: {id}\ntitle: A checker\nversion: '1'\naddress: checker.example\nchecks:\n"


def given(tmp_path: Path, checks: str, id_: str = "a-checker", name: str = "a-checker") -> Path:
    folder = tmp_path / "peers"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(HEAD.format(id=id_) + checks)
    return tmp_path


def refused(folder: Path) -> list[tuple[str, int]]:
    with pytest.raises(CatalogError) as caught:
        load_peers(folder)
    return [
        (problem.message, problem.where.line if problem.where else 0) for problem in caught.value.problems
    ]


def test_a_check_has_controls_or_a_reason(tmp_path: Path) -> None:
    folder = given(
        tmp_path,
        "  ssh_open: {meaning: no SSH from anywhere, controls: [SEC-06], note: attached groups only}\n"
        "  tried_out: {meaning: a backup is restored, why: it writes}\n",
    )
    (peer,) = load_peers(folder).values()
    assert [(c.id, c.meaning, c.controls, c.why, c.note, c.where.line) for c in peer.checks.values()] == [
        ("ssh_open", "no SSH from anywhere", ("SEC-06",), "", "attached groups only", 6),
        ("tried_out", "a backup is restored", (), "it writes", "", 7),
    ]


@pytest.mark.parametrize("check", ["{meaning: m}", "{meaning: m, controls: [SEC-06], why: w}", "{why: w}"])
def test_neither_or_both_is_refused(tmp_path: Path, check: str) -> None:
    ((_, line),) = refused(given(tmp_path, f"  ssh_open: {check}\n"))
    assert line == 6


def test_an_identifier_twice_is_refused(tmp_path: Path) -> None:
    check = "  ssh_open: {meaning: m, controls: [SEC-06]}\n"
    with pytest.raises(SourceError, match="ssh_open") as caught:
        load_peers(given(tmp_path, check * 2))
    assert ":7" in str(caught.value)


def test_a_check_stands_in_one_list_of_its_checker(tmp_path: Path) -> None:
    check = "  ssh_open: {meaning: m, controls: [SEC-06]}\n"
    given(tmp_path, check)
    other = "  rdp_open: {meaning: m, controls: [SEC-06]}\n"
    assert refused(given(tmp_path, other + check, "b-checker", "b-checker")) == [
        ("the check 'ssh_open' of checker.example stands in a-checker.yaml, too", 7)
    ]
    given(tmp_path, other, "b-checker", "b-checker")
    assert list(load_peers(tmp_path)) == ["a-checker", "b-checker"]


def test_one_list_has_one_file(tmp_path: Path) -> None:
    check = "  ssh_open: {meaning: m, controls: [SEC-06]}\n"
    given(tmp_path, check)
    assert refused(given(tmp_path, check, name="another")) == [
        ("the list 'a-checker' stands in another.yaml", 1)
    ]


def test_a_control_in_the_folder_of_another_dimension_is_refused(tmp_path: Path) -> None:
    text = (
        (data.folder("controls") / "SEC" / "SEC-06.yaml")
        .read_text(encoding="utf-8")
        .replace("id: SEC-06", "id: SEC-96")
    )
    for folder in ("RES", "SEC"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "SEC-96.yaml").write_text(text, encoding="utf-8")
        catalogue = load_catalogue([tmp_path / folder])
        if folder == "SEC":
            assert catalogue.control("SEC-96").id == "SEC-96"
            continue
        with pytest.raises(CatalogError) as caught:
            catalogue.control("SEC-96")
        (problem,) = caught.value.problems
        assert problem.message == "control 'SEC-96' stands in the folder of RES"
        assert problem.where is not None
        assert problem.where.line == 2


def test_the_lists_are_whole_and_beyond_the_catalogue_nothing_is_ours_alone() -> None:
    peers = load_peers()
    assert {peer.id: len(peer.checks) for peer in peers.values()} == {
        "checkov-openstack": 5,
        "cnspec-openstack": 36,
        "osg": 55,
        "prowler-openstack": 34,
        "prowler-s3": 22,
        "scs-iaas": 91,
        "trivy-openstack": 5,
    }
    named = {id_ for peer in peers.values() for check in peer.checks.values() for id_ in check.controls}
    beyond = {one.id for one in load_catalogue().controls() if len(one.id.partition("-")[2]) > 2}
    assert beyond <= named


# --- what ships -----------------------------------------------------------------------------------------


def test_parity_is_with_every_check_that_has_a_control() -> None:
    named = {
        id_ for peer in load_peers().values() for check in peer.checks.values() for id_ in check.controls
    }
    parity = load_profile("peer-parity", load_catalogue())
    assert {control.id for control in parity.controls} == named


def test_the_catalogue_is_whole() -> None:
    """The 120 of the proposed catalogue by their dimensions, and what is beyond it from 101."""
    beyond = {"RES": 18, "BDR": 27, "POR": 16, "SEC": 27, "DAT": 10, "COM": 13, "NDC": 9}
    ids = set(load_catalogue().sources)
    wanted = {f"{dimension}-{n:02}" for dimension, most in beyond.items() for n in range(1, most + 1)}
    assert wanted <= ids
    assert len(wanted) == 120
    assert [id_ for id_ in ids - wanted if int(id_.split("-")[1]) < 101] == []
    assert {
        control.id for control in load_profile("ndc-connection", load_catalogue(), "agency").controls
    } == wanted
    assert len(ids) >= 140
