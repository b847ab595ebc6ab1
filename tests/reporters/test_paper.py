"""What both formats for paper share: how wide the columns of a table are."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_report as sample

from cloudaudit.model import Text
from cloudaudit.reporters import chapters, paper
from cloudaudit.reporters.document import Column, Findings, Prose, Section, Table, cell
from cloudaudit.reporters.words import labels

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


def test_findings_unknown_for_one_reason_are_one_row_and_others_keep_their_tables() -> None:
    """Each control of a block once, by its id and title; the note says where each finding is."""
    inputs = sample.all_unknown()
    seen = sample.resource("s3.bucket", "mo", {"public.sources": ("policy",)}, target="s3-hn")
    extra = sample.finding("SEC-13", seen, "fail", "public.sources")
    report = sample.report(replace(inputs, findings=[*inputs.findings, extra]))
    ids = [one["id"] for one in report["controls"]]
    made = replace(
        chapters.document(report, sample.context(inputs=inputs)),
        sections=(Section("4", Text("Mục", "Section"), (Findings("f", frozenset(ids)),)),),
    )
    blocks = paper.spelled_out(made, sample.context(inputs=inputs)).sections[0].blocks
    tables = {block.id: block for block in blocks if isinstance(block, Table)}
    assert set(tables) == {"findings-SEC-13", "f-alike"}
    [row] = tables["f-alike"].rows
    reason, places, controls, count = ([phrase.text.vi for phrase in entry] for entry in row)
    assert reason == ["Thiếu quyền đọc", labels()("remedy.no_permission").vi]
    assert (places, count) == (["hn-cloud"], [str(len(ids) - 1)])
    assert sorted(text.partition(" – ")[0] for text in controls) == sorted(set(ids) - {"SEC-13"})
    assert Prose(labels()("print.alike_note"), "note") in blocks
