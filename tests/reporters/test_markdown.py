"""The report in brief as Markdown: read by a parser, so that what it shows is what was meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import data_samples as data
import pytest
import sample_report as sample
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cloudaudit.reporters.markdown import MAX_BYTES, MAX_ROWS, brief, escaped
from cloudaudit.reporters.words import clean, labels

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tokens(text: str) -> Iterator[Token]:
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


def shown(text: str) -> str:
    """What a reader sees of inline Markdown."""
    return "".join(token.content for token in tokens(text) if token.type in ("text", "code_inline"))


def document(inputs: sample.Inputs, *args: Any, **changes: Any) -> str:
    return brief(data.document(sample.report(inputs), *args, **changes), "vi")


def columns(text: str) -> list[int]:
    """How many cells each row of each table has."""
    counts: list[int] = []
    for token in PARSER.parse(text):
        if token.type == "tr_open":
            counts.append(0)
        elif token.type in ("th_open", "td_open"):
            counts[-1] += 1
    return counts


# --- escaping -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", data.NASTY)
@pytest.mark.parametrize(
    "around", ["{}", "- {}", "1. {}", "> {}", "# {}", "**a** {}", "| a |\n| --- |\n| {} |"]
)
def test_what_was_said_is_shown_and_marks_nothing_up(text: str, around: str) -> None:
    said = clean(text)
    written = around.format(escaped(said))
    kinds = {token.type for token in tokens(written)} - {token.type for token in tokens(around.format("chữ"))}
    assert kinds <= {"text_special"}
    expected = shown(around.format("chữ")).replace("chữ", " ".join(said.split()))
    assert shown(written).replace("\N{WORD JOINER}", "") == expected


def test_links_and_mentions_are_only_text() -> None:
    linking = MarkdownIt("gfm-like") if _has_linkify() else PARSER
    for text in ("https://a.example", "www.a.example", "mailto:a@b.example", "ftp://a.example"):
        assert "link_open" not in {t.type for one in linking.parse(escaped(text)) for t in one.children or ()}
    assert escaped("@all") == "@\N{WORD JOINER}all"
    assert escaped("a @ b") == "a @ b"


def _has_linkify() -> bool:
    from importlib.util import find_spec

    return find_spec("linkify_it") is not None


# --- documents ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [data.NASTY, sample.HOSTILE], ids=["nasty", "hostile"])
def test_no_html_passes_and_tables_keep_their_columns(words: tuple[str, ...]) -> None:
    text = document(data.nasty(), words)
    assert {token.type for token in tokens(text)} & {
        "html_inline",
        "html_block",
        "image",
        "link_open",
        "fence",
    } == set()
    assert set(columns(text)) == {4}
    assert len(columns(text)) > 100
    assert all(line.isprintable() or "\N{WORD JOINER}" in line for line in text.splitlines())
    text.encode()


def test_every_kind_of_block_is_shown() -> None:
    text = document(sample.realistic())
    assert "## 4. Mục 4 (vi)\n\n### một\n\nmột\n\nhai\n\n> một\n>\n> hai\n\n**một**\n\n" in text
    assert "- một · hai\n- hết\n\n1. một\n2. hai\n\n- một: một · hai\n- hai: một · hai\n\n" in text
    assert (
        "**Bảng (vi)**\n\n"
        "| Tên (vi) | Số (vi) | Kết quả (vi) | Mã (vi) |\n"
        "| --- | ---: | --- | --- |\n"
        "| một | 66,6 % | ✓ một | `một` |\n"
        "| hai | 66,6 % | ✓ hai | `hai` |\n\n"
        "… và 3 mục khác trong report.json\n\n"
    ) in text
    assert "| RES-05 | × Không đáp ứng | ho-so-cong-dan |" in text


def test_annexes_are_left_out_and_named() -> None:
    text = document(sample.small())
    assert "## 7" not in text
    assert "## A" not in text
    assert "xem report.json hoặc báo cáo đầy đủ: 7 Mục 7 (vi); A Mục A (vi)\n" in text


def test_the_yearly_form_is_shown_whole() -> None:
    text = document(sample.small(), numbers=("0", "2", "4", "10", "14"), form="yearly")
    assert [f"Mục {n} (vi)" in text for n in (0, 2, 4, 10, 14)] == [True] * 5
    assert "xem report.json hoặc" not in text


def test_a_summary_that_is_too_long_ends_and_says_what_is_missing() -> None:
    """GitHub drops a summary above 1 MiB as a whole."""
    words = tuple(f"{n} {'ô' * 590}" for n in range(400))
    numbers = ("0", "4", "7", "12", "13", "14", "15", "A")
    text = document(sample.many(5000), words, numbers)
    assert len(text.encode()) <= MAX_BYTES < 1024 * 1024
    assert "đầy đủ: " + "; ".join(f"{number} Mục {number} (vi)" for number in numbers) in text
    assert set(columns(text)) <= {4}
    for lang in ("vi", "en"):
        assert getattr(labels()("sentence.self_assessment"), lang) in text


def test_tables_end_after_some_rows_and_say_how_many_more() -> None:
    text = document(sample.small(), tuple(f"dòng {n}" for n in range(80)), numbers=("4",))
    assert text.count("| ✓ dòng ") == MAX_ROWS
    assert f"… và {80 - MAX_ROWS + 3} mục khác trong report.json" in text
    assert "50. dòng 49\n\n… và 30 mục khác trong report.json\n" in text
    assert "· dòng 19 · và 60 mục khác\n" in text


@pytest.mark.parametrize("inputs", [sample.Inputs(findings=()), sample.all_pass()], ids=["none", "all pass"])
def test_nothing_to_tell_is_told(inputs: sample.Inputs) -> None:
    assert "Không có.\n" in document(inputs)


def test_fixed_sentences_stand_there_once() -> None:
    text = document(sample.small())
    for key in ("vi", "en"):
        assert text.count(getattr(labels()("sentence.self_assessment"), key)) == 1
        assert (
            text.count({"vi": "do dự án cloudaudit đề xuất", "en": "proposed by the cloudaudit project"}[key])
            == 1
        )


def test_english() -> None:
    text = brief(data.document(sample.report(sample.small())), "en")
    assert "## 4. Mục 4 (en)" in text
    assert "(vi)" not in text
