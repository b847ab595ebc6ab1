"""What both formats for paper share: how wide the columns of a table are."""

from __future__ import annotations

import pytest

from cloudaudit.model import Text
from cloudaudit.reporters import paper
from cloudaudit.reporters.document import Column, Table, cell

VOICE = paper.Voice("vi")
LONG = Text("Cam kết dự phòng thảm họa của nhà cung cấp " * 3, "")


def table(*columns: tuple[str, float, str]) -> Table:
    """One row; of each column its heading, its share and what stands in it."""
    return Table(
        "t",
        Text("t", "t"),
        tuple(Column(Text(title, title), share) for title, share, _ in columns),
        (tuple(cell(said) for _, _, said in columns),),
    )


def test_columns_that_hold_their_words_stay_as_wide_as_they_are() -> None:
    assert paper.shares(table(("a", 1.0, "b"), ("c", 3.0, LONG.vi)), VOICE, 50, 1) == [1.0, 3.0]


@pytest.mark.parametrize("word", ["01/03/2027", "COM-01"])
def test_a_date_and_an_id_stay_on_a_line(word: str) -> None:
    narrow, wide = paper.shares(table(("a", 1.0, word), ("c", 19.0, LONG.vi)), VOICE, 50, 1)
    assert narrow == pytest.approx(1 + sum(map(paper.breadth, word)))
    assert narrow + wide == pytest.approx(50)


def test_a_word_of_a_heading_stays_on_a_line() -> None:
    narrow, _ = paper.shares(table(("tiên quyết", 0.2, "–"), ("c", 19.8, LONG.vi)), VOICE, 50, 1)
    assert narrow == pytest.approx(1 + sum(map(paper.breadth, "quyết")))


def test_a_long_name_gets_no_room_of_others() -> None:
    assert paper.shares(table(("a", 1.0, "x" * 40), ("c", 9.0, LONG.vi)), VOICE, 50, 1) == [1.0, 9.0]


def test_where_there_is_no_room_for_all_nothing_moves() -> None:
    columns = [("01/03/2027", 1.0 + n, "01/03/2027") for n in range(9)]
    assert paper.shares(table(*columns), VOICE, 20, 1) == [share for _, share, _ in columns]
