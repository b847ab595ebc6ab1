"""Times and scopes as text."""

from __future__ import annotations

import pytest

from cloudaudit.model import Scope, format_time, parse_time


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "0206-02-03T04:05:06Z", "2026-11-22T01:00:00Z"])
def test_a_time_is_written_as_it_is_read(text: str) -> None:
    assert format_time(parse_time(text)) == text


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31T23:59:59-12:00"])
def test_a_time_that_utc_cannot_write_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="lies outside the years 1 to 9999 of UTC"):
        parse_time(text)


@pytest.mark.parametrize(
    ("scope", "shown"),
    [
        (Scope("hn"), "hn"),
        (Scope("hn", "vn-hn-1"), "hn/vn-hn-1"),
        (Scope("hn", "vn-hn-1", "p"), "hn/vn-hn-1/p"),
        (Scope("hn", project="p"), "hn/*/p"),
        (Scope("*"), "*"),
    ],
)
def test_a_scope_is_told_by_its_place(scope: Scope, shown: str) -> None:
    assert str(scope) == shown
