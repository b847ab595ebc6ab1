"""Technical controls that the beds show both ways, as `make live-controls` writes them down."""

from __future__ import annotations

import pytest
from audits import leaks, written_in
from beds import StoreBed
from conftest import Folder
from verdicts import NEEDS, Looked, look, seen_both_ways


@pytest.fixture(scope="module")
def looked(folder: Folder, stores: dict[str, StoreBed]) -> Looked:
    """Both stories of the OpenStack bed, one after the other, and the stores."""
    return look(folder("verdicts"), stores)


def test_every_technical_control_is_seen_to_pass_and_to_fail_or_it_is_said_what_the_beds_lack(
    looked: Looked,
) -> None:
    """And once a bed shows a control both ways, nothing is said to be missing for it."""
    both = seen_both_ways(looked.technical, looked.witnesses)
    assert {control.id for control in looked.technical} - set(both) == set(NEEDS)


def test_nothing_planted_is_in_what_was_written(looked: Looked) -> None:
    assert {"password_kiem-soat", "weak_key", "ceph: totp_seed"} <= looked.secrets.keys()
    assert leaks(written_in(looked.folder), looked.secrets) == []
