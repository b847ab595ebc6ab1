"""Presets of domestic object stores: what public documents say of their endpoints, and where it was read.

A preset spares typing and proves nothing: that a store is where its provider says is for the site
register to declare and for an attestation to back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from cloudaudit.data import folder
from cloudaudit.errors import CatalogError, Problem, did_you_mean
from cloudaudit.model import Text
from cloudaudit.yamlsource import load, problems_of_schema, schema

SETTINGS: Final = ("endpoint", "region", "addressing")
"""What a preset can fill of a target."""


@dataclass(frozen=True, slots=True)
class Source:
    """A public document, the day it was read (ISO 8601), and what of the preset it says."""

    url: str
    read: str
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preset:
    """One endpoint of one provider. What no document says is None, or not among the settings."""

    id: str
    provider: Text
    title: Text
    settings: Mapping[str, str]
    country: str | None
    province: str | None
    notes: tuple[Text, ...]
    sources: tuple[Source, ...]


@cache
def presets() -> Mapping[str, Preset]:
    """The shipped presets, by id. CatalogError: a file is wrong, or an id is given twice."""
    return _read(folder("profiles") / "providers")


def preset(id_: str) -> Preset:
    """One preset. CatalogError when there is none of that id."""
    if id_ not in presets():
        raise CatalogError(f"there is no provider preset '{id_}'", hint=near(id_))
    return presets()[id_]


def near(id_: str) -> str:
    """What may have been meant, else which there are."""
    return did_you_mean(id_, presets()) or f"known: {', '.join(sorted(presets()))}"


def _read(files: Path) -> Mapping[str, Preset]:
    found: dict[str, Preset] = {}
    problems: list[Problem] = []
    for path in sorted(files.glob("*.yaml")):
        document = load(path)
        wrong = problems_of_schema(document, schema("provider"))
        problems += wrong
        for number, written in enumerate(() if wrong else document.value["presets"]):
            if written["id"] in found:
                where = document.where(("presets", number, "id"))
                problems.append(Problem(where, f"'{written['id']}' is already given", "choose another id"))
            found[written["id"]] = _preset(written, document.value)
    if problems:
        raise CatalogError.of(problems)
    return MappingProxyType(dict(sorted(found.items())))


def _preset(written: Mapping[str, Any], of_all: Mapping[str, Any]) -> Preset:
    place = written.get("place", {})
    return Preset(
        written["id"],
        _text(of_all["provider"]),
        _text(written["title"]),
        MappingProxyType({name: written[name] for name in SETTINGS if name in written}),
        place.get("country"),
        place.get("province"),
        tuple(map(_text, of_all.get("notes", ()))),
        tuple(Source(s["url"], s["read"], tuple(s["for"])) for s in written["sources"]),
    )


def _text(written: Mapping[str, str]) -> Text:
    return Text(written["vi"], written["en"])
