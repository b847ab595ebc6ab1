"""What an obligation quotes from the acts we hold stands in them, word for word.

`tests/excerpts` has the passages, line by line as the documents have them.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from cloudaudit.catalog import load_catalogue
from cloudaudit.model import SourceState

HERE = Path(__file__).parent / "excerpts"
OF_ACTS = {"D1121-": "decision-1121.txt", "CT30-": "can-tho-plan-30.txt"}
QUOTED = [one for one in load_catalogue().obligations.values() if one.state is SourceState.QUOTED]


def passages(name: str) -> str:
    return " ".join((HERE / name).read_text(encoding="utf-8").split())


@pytest.mark.parametrize("start", OF_ACTS)
def test_quotes_are_exact(start: str) -> None:
    held = passages(OF_ACTS[start])
    assert unicodedata.is_normalized("NFC", held)
    ours = {one.id: one.quote for one in QUOTED if one.id.startswith(start)}
    assert len(ours) > 10
    parts = {id_: [part.strip() for part in quote.split("…") if part.strip()] for id_, quote in ours.items()}
    assert all(parts.values())
    assert {id_: [part for part in found if part not in held] for id_, found in parts.items()} == {
        id_: [] for id_ in ours
    }


def test_what_is_quoted_from_elsewhere_says_where() -> None:
    others = [one for one in QUOTED if not one.id.startswith(tuple(OF_ACTS))]
    assert [one.id for one in others if not (one.quote and one.address)] == []
