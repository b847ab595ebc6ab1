"""Blocks of code for tests, as a reader gives them, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from builders import NOW

from cloudaudit.collectors.deployment import meaning
from cloudaudit.collectors.deployment.block import Block, Code, CodeTarget, Link
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope, Written

TARGET = CodeTarget("ke-hoach", "plan", Path("plan.json"), "plan.json", region="hn", project="p1")
"""A plan of which targets.yaml tells region and project."""
HERE = Scope("ke-hoach", "hn", "p1")
STORE = {"region": "vn-hn", "endpoint": "https://s3.hn.example.vn"}
AMAZON = {"region": "ap-southeast-1", "endpoint": "https://s3.ap-southeast-1.amazonaws.com"}


def block(
    address: str,
    values: Mapping[str, Any],
    *,
    left_out: Iterable[str] = (),
    id_: str | None = None,
    lines: Mapping[str, int] | None = None,
    place: Mapping[str, Any] | None = None,
) -> Block:
    """A block by its address, whose first part is its type. One with an id is there already."""
    type_, _, name = address.rpartition("/")[2].partition(".")
    place = (STORE if type_.startswith("aws_") else {}) if place is None else place
    return Block(
        address, type_, name, values, Written("main.tf", 1, lines or {}), frozenset(left_out), id_, id_ is None, place
    )  # fmt: skip


def link(address: str, attribute: str = "id") -> Link:
    return Link(address, attribute)


def resources(
    blocks: Sequence[Block], target: CodeTarget = TARGET, types: frozenset[str] = meaning.DEPLOYABLE
) -> list[Resource]:
    code = Code("terraform plan", "plan.json", "0" * 64, blocks)
    return list(meaning.resources(code, target, types, NOW, 1))


def concluded(types: Iterable[str]) -> tuple[list[Gap], list[Listing]]:
    """What a collector says of each type beside the things themselves."""
    place = Scope(TARGET.name)
    gaps = [
        Gap(place, t, "declare", Reason.NOT_DESCRIBED) for t in sorted(types) if t not in meaning.DEPLOYABLE
    ]
    lists = [Listing(place, t, 0, "read", 1, open=True) for t in sorted(types) if t in meaning.DEPLOYABLE]
    return gaps, lists
