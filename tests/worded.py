"""Which details have no Vietnamese: of what was written, and of what modules could write."""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cloudaudit.catalog import load_types
from cloudaudit.reporters.details import is_worded, written
from cloudaudit.snapshot import Snapshot

# --- what was written -----------------------------------------------------------------------------------


def unworded(folder: Path) -> list[str]:
    """Details and proofs of all snapshots and reports below a folder that have no Vietnamese."""
    found: set[str] = set()
    for manifest in folder.rglob("manifest.sha256"):
        snapshot = Snapshot(manifest.parent, load_types())
        found |= {gap.detail for gap in snapshot.gaps()}
        found |= {listing.proof for listing in snapshot.listings()}
        found |= {w.detail for type_ in load_types() for r in snapshot.each(type_) for w in r.unseen.values()}
    for report in folder.rglob("report.json"):
        found |= set(of_report(json.loads(report.read_text(encoding="utf-8"))))
    return sorted(detail for detail in found if not is_worded(detail))


def of_report(report: dict[str, Any]) -> Iterator[str]:
    """Every detail and proof of a report.json."""
    for finding in report["findings"]:
        yield finding["detail"] or ""
        values = (entry.get("value") for entry in finding["evidence"])
        yield from (value["proof"] for value in values if isinstance(value, dict) and "proof" in value)
    yield from (gap["detail"] for gap in report["gaps"])


# --- what modules could write -----------------------------------------------------------------------------

_FILLS = ("7", "word", "no id", "404 NoSuchKey", "the bucket", "project x", "heat template", "zone z")
"""What may stand in a placeholder, of every kind."""
_TELLS = re.compile(r"[a-z]{2,} [a-z<]")
"""Words in a row: what is no name, no pattern and no request."""
_OF_ERRORS = ("Problem", "_wrong", "_Malformed", "compile", "split", "ForbiddenVerb", "_same")
"""Callables whose texts are for whoever runs cloudaudit, and stand in no report."""
_OF_DETAILS = ("append", "_unread", "Gap", "Listing", "Unseen")


def texts(source: str, *, surely: bool = False) -> Iterator[tuple[int, Sequence[str | None]]]:
    """Line and pieces of every text that may be a detail or a piece of one; None for what is filled in.

    `surely`: only those that are one by the place they stand in, of a module that has errors above all.
    """
    tree = ast.parse(source)
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            pieces = [piece for value in node.values for piece in _pieces(value)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            pieces = [node.value]
        else:
            continue
        if surely and not _is_detail(node, above):
            continue
        if not _of_errors(node, above) and _TELLS.search(" ".join(piece or "" for piece in pieces)):
            yield node.lineno, pieces


def _pieces(value: ast.expr) -> tuple[str | None, ...]:
    if isinstance(value, ast.Constant):
        return (str(value.value),)
    quoted = isinstance(value, ast.FormattedValue) and value.conversion == ord("r")
    return ("'", None, "'") if quoted else (None,)


def _of_errors(node: ast.expr, above: dict[ast.AST, ast.AST]) -> bool:
    """Whether a text is a docstring, is raised, is a hint, or is a piece of an f-string that is looked at."""
    one: ast.AST = node
    while one in above and not isinstance(one, ast.stmt):
        inner, one = one, above[one]
        if isinstance(one, ast.JoinedStr) and inner is node and isinstance(node, ast.Constant):
            return True
        if isinstance(one, ast.keyword) and one.arg == "hint":
            return True
        if isinstance(one, ast.Call) and (_name(one).endswith("Error") or _name(one) in _OF_ERRORS):
            return True
    return isinstance(one, ast.Expr) and one.value is node


def _is_detail(node: ast.expr, above: dict[ast.AST, ast.AST]) -> bool:
    one: ast.AST = node
    while one in above and not isinstance(one, ast.stmt):
        one = above[one]
        if isinstance(one, ast.Yield) or (isinstance(one, ast.Call) and _name(one) in _OF_DETAILS):
            return True
    return False


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def can_be_worded(pieces: Sequence[str | None]) -> bool:
    """Whether a text is a sentence of details.yaml with something filled in, or a piece of one as it stands."""
    for fill in itertools.product(_FILLS, repeat=min(pieces.count(None), 4)):
        given = iter(fill)
        if is_worded("".join(next(given, "7") if piece is None else piece for piece in pieces)):
            return True
    own = [piece for piece in pieces if piece and piece.strip(" ,:;.'()")]
    return any(_in_order(own, sentence) for sentence in written())


def _in_order(pieces: Sequence[str], sentence: str) -> bool:
    at = 0
    for piece in pieces:
        found = sentence.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return True
