"""Technical controls that the beds show both ways, as `make live-controls` writes them down."""

from __future__ import annotations

import pytest
from audits import leaks, written_in
from beds import StoreBed
from conftest import Folder
from verdicts import BOTH, NEEDS, Looked, look, seen_both_ways


@pytest.fixture(scope="module")
def looked(folder: Folder, stores: dict[str, StoreBed]) -> Looked:
    """Both stories of the OpenStack bed, one after the other, and the stores."""
    return look(folder("verdicts"), stores)


def test_most_technical_controls_are_seen_to_pass_and_to_fail(looked: Looked) -> None:
    assert len(seen_both_ways(looked.technical, looked.witnesses)) >= BOTH


def test_what_the_beds_are_said_to_lack_for_a_control_they_do_lack(looked: Looked) -> None:
    """Once a bed shows a control both ways, nothing is said to be missing for it."""
    assert set(NEEDS) & set(seen_both_ways(looked.technical, looked.witnesses)) == set()
    assert set(NEEDS) <= {control.id for control in looked.technical}


def test_nothing_planted_is_in_what_was_written(looked: Looked) -> None:
    assert {"password_kiem-soat", "weak_key"} <= looked.secrets.keys()
    assert leaks(written_in(looked.folder), looked.secrets) == []
