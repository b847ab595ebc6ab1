"""What code declares before it is deployed, whatever the code is written in.

A reader of one kind of code (Terraform, Heat) turns files into a :class:`Code`: blocks with the values that
the files tell, and in place of others why they cannot be told. What a block means for a cloud is not
known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

from cloudaudit.collectors.item import Item, Odd, Reader, Row, text
from cloudaudit.errors import Where
from cloudaudit.model import Partial, Reason, Unseen, Value, Written


@dataclass(frozen=True, slots=True)
class CodeTarget:
    """One file of code, as targets.yaml names it."""

    name: str
    form: str
    """plan, state or template."""
    file: Path
    shown: str
    """The file as a repository names it, for the log of calls."""
    source: Path | None = None
    source_shown: str = "."
    """The folder `source` as a repository names it."""
    environment: Path | None = None
    region: str | None = None
    project: str | None = None
    label_keys: frozenset[str] = frozenset()
    where: Where | None = None
    ignored: tuple[str, ...] = ()
    """Patterns of types of resources that somebody declared to be no matter of the audit."""


class Untold(Enum):
    """Why a value is not there, where a value stands."""

    LATER = "known only after it is deployed"
    WITHHELD = "marked as a secret"

    def __repr__(self) -> str:
        return self.name


LATER: Final = Untold.LATER
WITHHELD: Final = Untold.WITHHELD
REASONS: Final[Mapping[Untold, Reason]] = {LATER: Reason.AFTER_DEPLOYMENT, WITHHELD: Reason.WITHHELD}


ELSEWHERE: Final = ("s3_use_path_style", "s3_force_path_style")
"""Switches of the AWS provider that stores other than Amazon's need."""


@dataclass(frozen=True, slots=True)
class Link:
    """A value known only after deployment, of which the code tells that it will be another block's."""

    address: str
    attribute: str = "id"


@dataclass(frozen=True, slots=True)
class Block:
    """One resource that code declares. `address` is its name in the code, and unique there.

    `values` are JSON values by the code's own attribute names, with :class:`Untold` or :class:`Link` in
    place of what is not told, at any depth. `left_out` names attributes that the code leaves to the service,
    whose documented default then holds. `id` is the service's own id, of what is there already.
    """

    address: str
    type: str
    name: str
    values: Mapping[str, Any]
    written: Written
    left_out: frozenset[str] = frozenset()
    id: str | None = None
    new: bool = True
    """It is not there yet: nobody can have configured it otherwise."""
    place: Mapping[str, Any] = field(default_factory=dict)
    """Settings of where it is deployed: a provider's region, endpoint and the like."""


@dataclass(frozen=True, slots=True)
class Code:
    """All that one file declares, with how it came to be read."""

    kind: str
    """`terraform plan`, `terraform state` or `heat template`."""
    path: str
    digest: str
    blocks: Sequence[Block]
    unread: Sequence[str] = ()
    """What of it could not be read, one line each: the list of blocks is then not whole."""
    made: Mapping[str, str] = field(default_factory=dict)
    """By what and when it was made, for the snapshot to tell."""
    gone: frozenset[str] = frozenset()
    """Types of the blocks that are taken away: what other blocks were told of them before is over then."""
    perhaps: Mapping[str, str] = field(default_factory=dict)
    """Types of which there may be more blocks than are told, and why: of other types all are there."""


class Declared(Item):
    """A block on its way to becoming facts, by the names the service's own API has.

    What is not told yet is missing with that reason, where a service's answer would be odd.
    """

    __slots__ = ("lines", "names", "written")

    def __init__(
        self, row: Row, names: Mapping[str, str] | None = None, lines: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(row, Unseen(Reason.NOT_DESCRIBED, "the code does not tell it"))
        self.names = names or {}
        """What an attribute is called in the code, where it is called otherwise."""
        self.lines = lines or {}
        """Lines of attributes, by their name in the code."""
        self.written: dict[str, int] = {}
        """Lines of facts."""

    def take(
        self,
        fact: str,
        field: str,
        read: Reader = text,
        *,
        null: bool = False,
        hidden: bool = False,
        absent: Value | type[Odd] = Odd,
    ) -> None:
        line = self.lines.get(self.names.get(field, field))
        if line:
            self.written[fact] = line
        if field in self.row:
            known, why = resolved(self.row[field], read)
            if why is not None:
                self.unseen[fact] = Unseen(REASONS[why], f"'{self.names.get(field, field)}' is {why.value}")
                if known is not None:
                    self.facts[fact] = known
                return
        super().take(fact, field, read, null=null, absent=absent)


def resolved(value: Any, read: Reader) -> tuple[Partial | None, Untold | None]:
    """Why a value cannot be read as a whole, if it cannot; and of a list what of it can be."""
    why = untold(value)
    if why is None or not isinstance(value, list):
        return None, why
    told = [one for one in value if untold(one) is None]
    try:
        found = read(told)
    except Odd:
        return None, why
    return (Partial(found) if isinstance(found, tuple) else None), why


def untold(value: Any) -> Untold | None:
    """The first thing in a value that is not told, at any depth; None where all of it is."""
    match value:
        case Untold():
            return value
        case Link():
            return LATER
        case list():
            return first(map(untold, value))
        case dict():
            return first(map(untold, value.values()))
        case _:
            return None


def first(found: Iterable[Untold | None]) -> Untold | None:
    return next((one for one in found if one is not None), None)
