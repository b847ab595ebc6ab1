"""The table of what is seen of the beds: the one that is kept is what a fresh look gives."""

from __future__ import annotations

import pytest
from table import KEPT, OF_STORES, rendered

from cloudaudit.snapshot import Snapshot


def test_the_table_that_is_kept_is_true(
    sights: dict[str, Snapshot], sights_of_stores: dict[str, Snapshot]
) -> None:
    """Where it is not: `make coverage`, and look at the difference."""
    assert rendered(sights, sights_of_stores).splitlines() == KEPT.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("store", OF_STORES)
def test_a_store_without_an_admin_key_tells_nothing_of_its_users(
    store: str, sights_of_stores: dict[str, Snapshot]
) -> None:
    sight = sights_of_stores[f"{store} owner"]
    assert list(sight.each("s3.user")) == []
    assert [listing for listing in sight.listings() if listing.type == "s3.user"] == []
