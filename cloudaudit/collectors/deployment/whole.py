"""All blocks of a code together, to follow what refers to what, and single ones on their way to facts.

What a block says of another is a link to it, its id, or a name both know; what is told only after
deployment could be of any, which is why a search gives a doubt beside what it found.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeAlias, TypeVar

from cloudaudit.collectors.deployment.block import (
    LATER,
    REASONS,
    Block,
    Code,
    CodeTarget,
    Declared,
    Link,
    Untold,
    untold,
)
from cloudaudit.collectors.item import (
    LABEL_KEYS,
    Item,
    Odd,
    Reader,
    address,
    empty_as_null,
    identifier,
    text,
)
from cloudaudit.collectors.leaks import Look
from cloudaudit.model import Partial, Reason, Resource, Scope, Seconds, Unseen, Value, Written

T = TypeVar("T")
Path: TypeAlias = tuple[str, ...]
_STEP: Final = re.compile(r"[^.\[\]]+")
_DEEPEST: Final = 16
"""Links followed one after another; a code whose links go round has no value at their end."""
_DIGEST: Final = re.compile(r"[0-9a-f]{40}")
LEFT: Final = "is left to the service"


class Level(Enum):
    """How far down a resource of a type belongs: what its scope has."""

    TARGET = "target"
    REGION = "region"
    PROJECT = "project"
    SELF = "self"
    """A project: it lies in itself."""


def why(value: Any, name: str) -> Unseen:
    """Why a value that is not told is not known."""
    known = untold(value) or LATER
    return Unseen(REASONS[known], f"'{name}' is {known.value}")


@dataclass(frozen=True, slots=True)
class Found:
    """Blocks that refer to one thing, and why there may be more of them."""

    blocks: tuple[Told, ...]
    doubt: Unseen | None = None


class Whole:
    """The blocks of a code by address, and by what they refer to. Nothing of it changes."""

    def __init__(
        self,
        code: Code,
        target: CodeTarget,
        at: Seconds = 0,
        call: int = 0,
        known: Mapping[str, Meaning] | None = None,
    ) -> None:
        self.code = code
        self.target = target
        self.at = at
        self.call = call
        self.labels = LABEL_KEYS | target.label_keys
        self._known = known or {}
        self._blocks = {block.address: block for block in code.blocks}
        self._by_type: dict[str, list[Block]] = defaultdict(list)
        for block in code.blocks:
            self._by_type[block.type].append(block)
        self._told: dict[str, Told] = {}
        self._indexes: dict[tuple[str, str], tuple[dict[Any, list[Told]], Unseen | None]] = {}
        self._ids: dict[str, str] = {}
        self._made: dict[Callable[[Whole], Any], Any] = {}

    def told(self, block: Block) -> Told:
        """A block with its links resolved."""
        if block.address not in self._told:
            meaning = self._known.get(block.type)
            self._told[block.address] = Told(block, self, meaning.names if meaning else {})
        return self._told[block.address]

    def once(self, build: Callable[[Whole], T]) -> T:
        """What is worked out of all blocks, for those that need the same."""
        if build not in self._made:
            self._made[build] = build(self)
        found: T = self._made[build]
        return found

    def fresh(self, block: Block) -> Told:
        """The same, to take facts off."""
        told = self.told(block)
        return Told(block, self, told.names, told.row)

    def of(self, *types: str) -> Iterator[Told]:
        return (self.told(block) for type_ in types for block in self._by_type.get(type_, ()))

    def perhaps(self, *types: str) -> Unseen | None:
        """Why there may be more blocks of some types than are told; None where all of them are."""
        why = next((self.code.perhaps[type_] for type_ in types if type_ in self.code.perhaps), None)
        return None if why is None else Unseen(Reason.AFTER_DEPLOYMENT, why)

    def at_id(self, id_: Any, *types: str) -> Told | None:
        """The one block of some types that becomes the thing of that id."""
        if not isinstance(id_, str):
            return None
        found = [one for type_ in types for one in self.referring(type_, "", id_).blocks]
        return found[0] if len(found) == 1 else None

    def referring(self, type_: str, attribute: str, key: Any) -> Found:
        """Blocks of a type whose attribute is `key`; with no attribute, those of that id."""
        if (type_, attribute) not in self._indexes:
            self._indexes[type_, attribute] = self._index(type_, attribute)
        found, doubt = self._indexes[type_, attribute]
        return Found(tuple(found.get(key, ()) if isinstance(key, str | Link) else ()), doubt)

    def _index(self, type_: str, attribute: str) -> tuple[dict[Any, list[Told]], Unseen | None]:
        found: dict[Any, list[Told]] = defaultdict(list)
        doubt = self.perhaps(type_)
        for one in self.of(type_):
            key = one.row.get(attribute) if attribute else one.id
            raw = one.block.values.get(attribute)
            if isinstance(raw, Link) and raw.address in self._blocks:
                found[raw].append(one)
                if isinstance(key, str):
                    found[key].append(one)
            elif isinstance(key, str):
                found[key].append(one)
            elif key is not None:
                doubt = doubt or Unseen(
                    REASONS[untold(key) or LATER],
                    f"whose {one.block.address} is, is not known before it is deployed",
                )
        return found, doubt

    def id_of(self, block: Block) -> str:
        """The id a block's thing has for the service; its address where that is not known yet."""
        if block.address not in self._ids:
            self._ids[block.address] = block.id or block.address
            meaning = self._known.get(block.type)
            if meaning is not None and meaning.identify is not None:
                self._ids[block.address] = meaning.identify(self.told(block)) or self._ids[block.address]
        return self._ids[block.address]

    def resolved(self, value: Any, depth: int = 0) -> Any:
        """A value with what links lead to in their place, and LATER where the end is not told."""
        match value:
            case Link():
                return self._follow(value, depth)
            case list():
                return [self.resolved(one, depth) for one in value]
            case dict():
                return {name: self.resolved(one, depth) for name, one in value.items()}
            case _:
                return value

    def _follow(self, link: Link, depth: int) -> Any:
        block = self._blocks.get(link.address)
        if block is None or depth > _DEEPEST:
            return LATER
        path = tuple(_STEP.findall(link.attribute))
        meaning = self._known.get(block.type)
        if path == ("id",):
            # NOTE: of settings of a bucket, the id is the bucket's own.
            return self._follow_id(block, meaning, depth)
        value: Any = block.values
        for step in path:
            if isinstance(value, Mapping):
                value = value.get(step)
            elif isinstance(value, list):
                value = value[int(step)] if step.isdecimal() and int(step[:6]) < len(value) else None
            else:
                break
        value = self.resolved(value, depth + 1)
        if untold(value) is None and value is not None:
            return value
        made = meaning.makes(self, block, path) if meaning and meaning.makes else None
        return value if made is None and isinstance(value, Untold) else (LATER if made is None else made)

    def _follow_id(self, block: Block, meaning: Meaning | None, depth: int) -> Any:
        if meaning is not None and meaning.part_of:
            if block.id is not None:
                return block.id
            return self.resolved(block.values.get(meaning.part_of), depth + 1)
        # NOTE: an id that a name makes up is the service's own only where the provider's is that too.
        return self.id_of(block)


class Told(Declared):
    """A block on its way to becoming facts: its values with links resolved, and what it refers to.

    A value that the code leaves out is missing, unless what the service then does is documented: that is
    given as `absent`, and taken only of what the code makes anew, and without words of the service's own
    (`value_specs`). Of what is there already nobody knows.
    """

    __slots__ = ("block", "own_id", "whole")

    def __init__(
        self,
        block: Block,
        whole: Whole,
        names: Mapping[str, str] | None = None,
        row: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__({}, names, block.written.lines)
        self.block = block
        self.whole = whole
        self.own_id: str | None = None
        """Of what the service makes beside what the block declares."""
        if row is None:
            row = {name: whole.resolved(value) for name, value in block.values.items()}
            row |= {ours: row[theirs] for ours, theirs in self.names.items() if theirs in row}
        self.row: Mapping[str, Any] = row

    @property
    def id(self) -> str:
        return self.own_id or self.whole.id_of(self.block)

    def left_out(self, field: str) -> bool:
        """Whether the code gives no value, so that the service chooses."""
        name = self.names.get(field, field)
        value = self.row.get(field)
        return value is None or (name in self.block.left_out and self.block.new and untold(value) is not None)

    def value(self, field: str) -> Any:
        """What the code gives; None where it leaves it out."""
        return None if self.left_out(field) else self.row[field]

    def missing(self, field: str) -> Unseen:
        """Why the value of a field is not known."""
        name = self.names.get(field, field)
        if not self.left_out(field):
            return why(self.row[field], name)
        if self.block.new and name in self.block.values:
            return Unseen(Reason.AFTER_DEPLOYMENT, f"'{name}' {LEFT}")
        return Unseen(Reason.NOT_DESCRIBED, f"the code does not tell '{name}'")

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
        if not self.left_out(field):
            super().take(fact, field, read)
            return
        line = self.lines.get(self.names.get(field, field))
        if line:
            self.written[fact] = line
        if absent is not Odd and self.block.new and not self.row.get("value_specs"):
            self.facts[fact] = absent
        else:
            self.unseen[fact] = self.missing(field)

    @property
    def silent(self) -> Unseen:
        """Why something is not known that only the service tells."""
        if self.block.new:
            return Unseen(Reason.AFTER_DEPLOYMENT, "only the service tells it")
        return Unseen(Reason.NOT_DESCRIBED, "the code does not tell it")

    def after(self, *facts: str) -> None:
        """Facts that only the service gives."""
        self.unseen |= dict.fromkeys(facts, self.silent)

    def only(self, field: str, *names: str) -> None:
        """Leave just some names in the records of a list: the others may be told later without harm."""
        if isinstance(found := self.row.get(field), list):
            kept = [{n: v for n, v in r.items() if n in names} if isinstance(r, dict) else r for r in found]
            self.row = {**self.row, field: kept}

    def untellable(self, *facts: str) -> None:
        """Facts of which the code has no word."""
        self.unseen |= dict.fromkeys(facts, Unseen(Reason.NOT_DESCRIBED, "the code has no word for it"))

    def labels(self, field: str, allowed: frozenset[str]) -> None:
        """Metadata as labels. An allowed key whose value is not told yet is missing by itself."""
        value = self.row.get(field)
        if self.left_out(field) or isinstance(value, Untold):
            self.missing_labels(field)
            return
        super().labels(field, allowed)
        if isinstance(value, dict):
            for key, one in value.items():
                if text(key) in allowed and untold(one) is not None:
                    self.unseen[f"labels.{text(key)}"] = why(
                        one, f"{self.names.get(field, field)}.{text(key)}"
                    )

    def tags(self, field: str, allowed: frozenset[str], beside: Iterable[tuple[str, object]] = ()) -> None:
        value = self.row.get(field)
        if untold(value) is not None and not self.left_out(field):
            self.unseen |= dict.fromkeys(("labels", "label_names"), why(value, self.names.get(field, field)))
        elif self.left_out(field):
            self.missing_labels(field, beside)
        else:
            super().tags(field, allowed, beside)

    def missing_labels(self, field: str, beside: Iterable[tuple[str, object]] = ()) -> None:
        if self.left_out(field) and self.block.new:
            self.keep_labels(beside, self.whole.labels)
        else:
            self.unseen |= dict.fromkeys(("labels", "label_names"), self.missing(field))

    def look_for_secrets(
        self,
        look: Look,
        *,
        metadata: Iterable[str] = (),
        tags: Iterable[str] = (),
        beside: Iterable[str] = (),
    ) -> None:
        """Look at metadata and tags. What is not told could not be looked at."""
        for name in (*metadata, *tags):
            value = self.row.get(name)
            if self.left_out(name):
                if not self.block.new and name in self.row:
                    look.blind(self.missing(name))
                continue
            if isinstance(value, dict):
                look.pairs("metadata", ((key, one) for key, one in value.items() if untold(one) is None))
            elif isinstance(value, list):
                look.words("tags", (one for one in value if untold(one) is None))
            elif not isinstance(value, Untold):
                look.blind(Unseen(Reason.INVALID_ANSWER, f"'{name}' is not of its kind"))
            if untold(value) is not None:
                look.blind(why(value, name))
        Item.secrets(self, look)

    def user_data(self, look: Look, field: str) -> None:
        """Look at user data, and keep only whether there are any."""
        value = self.value(field)
        if value is None:
            if not self.block.new:
                look.blind(self.missing(field))
        elif untold(value) is not None:
            look.blind(why(value, field))
        elif not isinstance(value, str):
            look.blind(Unseen(Reason.INVALID_ANSWER, f"'{field}' is not of its kind"))
        elif _DIGEST.fullmatch(value):
            # NOTE: the provider keeps the SHA-1 of user data in their place, in plans and states alike.
            look.blind(Unseen(Reason.NOT_DESCRIBED, "the code shows a digest of the user data alone"))
        else:
            look.user_data(value)
        self.take("has_user_data", field, bool_of_text, absent=False)

    def resource(self, meaning: Meaning) -> Resource:
        """The facts taken so far as a resource of its type."""
        scope, name = self.scope(meaning.level), self._title()
        at, sources = self.whole.at, {"": self.whole.call}
        written = Written(self.block.written.path, self.block.written.line, self.written)
        return Resource(
            meaning.type, self.id, scope, at, self.facts, name, meaning.endpoint_of(self), self.unseen,
            sources, written=written,
        )  # fmt: skip

    def _title(self) -> str:
        """The name that the service will know it by."""
        value = self.row.get("name")
        if isinstance(value, Untold):
            self.unseen.setdefault("name", why(value, self.names.get("name", "name")))
            return self.block.name
        try:
            return text(value) if value is not None else ""
        except Odd:
            return ""

    def scope(self, level: Level) -> Scope:
        """Where it will be. What of that is not told stands among what is not seen."""
        target = self.whole.target
        if level is Level.TARGET:
            return Scope(target.name)
        region = self._place("region", ("region",), target.region)
        if level is Level.SELF:
            return Scope(target.name, project=self.id)
        if level is Level.REGION:
            return Scope(target.name, region)
        return Scope(
            target.name, region, self._place("project", ("tenant_id", "project_id", "owner"), target.project)
        )

    def _place(self, fact: str, names: tuple[str, ...], named: str | None) -> str | None:
        """What the block itself says, else the settings of its provider, else targets.yaml."""
        own = next((name for name in names if not self.left_out(name)), None)
        if own is not None:
            value = self.row[own]
            if _is_id(value):
                return identifier(value)
            wrong = Unseen(Reason.INVALID_ANSWER, f"'{own}' holds no id")
            self.unseen[fact] = wrong if untold(value) is None else why(value, own)
            return None
        settings = (self.block.place.get(name) for name in (*names, fact))
        # A setting that is there and cannot be told is another place than the one that targets.yaml names.
        place = next((one for one in (*settings, named) if _is_id(one) or untold(one) is not None), None)
        if place is None:
            told = f"the code does not tell the {fact}; name it in targets.yaml"
            self.unseen[fact] = Unseen(Reason.NOT_DESCRIBED, told)
            return None
        if untold(place) is not None:
            self.unseen[fact] = why(place, fact)
            return None
        return identifier(place)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) < 256


def bool_of_text(value: object) -> bool:
    return bool(text(value))


@dataclass(frozen=True, slots=True)
class Meaning:
    """How one type of block is read: `names` are its own words for fields of the API, where they differ."""

    type: str
    make: Callable[[Told], None]
    names: Mapping[str, str] = field(default_factory=dict)
    level: Level = Level.PROJECT
    more: Callable[[Told], Iterator[Resource]] | None = None
    """Further resources that the service makes with it."""
    identify: Callable[[Told], str | None] | None = None
    """The id that its thing will have by what the code tells, where the service makes it of names."""
    makes: Callable[[Whole, Block, Path], Any] | None = None
    """What an attribute that only the service gives stands for, of those another block may refer to."""
    part_of: str = ""
    """The attribute that names the thing it is a setting of. It is no resource of its own then."""
    endpoint_of: Callable[[Told], str] = lambda told: ""


def text_or_null(value: object) -> Value:
    return empty_as_null(text)(value)


def id_or_null(value: object) -> Value:
    return empty_as_null(identifier)(value)


def address_or_null(value: object) -> Value:
    return empty_as_null(address)(value)


def by_name(item: Told, type_: str, name: object) -> Told | None:
    """The one block of a type that has a name, where it is looked up."""
    found = item.whole.referring(type_, "name", name).blocks if isinstance(name, str) else ()
    near = [one for one in found if beside(one, item)]
    return near[0] if len(near) == 1 else None


def beside(one: Told, other: Told) -> bool:
    """Whether two blocks are deployed to one region, so that the name of one means something to the other.

    Where neither says it, that is what the same provider comes to.
    """
    first, second = (_region(two) for two in (one, other))
    if first is not None and second is not None:
        return first == second
    return one.block.place == other.block.place


def _region(item: Told) -> str | None:
    found = (item.row.get("region"), item.block.place.get("region"))
    return next((region for region in found if isinstance(region, str) and region), None)


def rows(item: Told, name: str) -> list[dict[str, Any]]:
    """The records of a list that the code gives; of what is none, nothing."""
    found = item.value(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def untold_list(item: Told, name: str) -> Unseen | None:
    """Why the records of a list are not known at all; None where they are."""
    found = item.value(name)
    return why(found, name) if isinstance(found, Untold) else None


def combined(
    item: Told,
    fact: str,
    values: Any,
    read: Callable[[Any], Value],
    doubt: Unseen | None = None,
    *,
    loose: bool = False,
) -> None:
    """A list put together from several places: known in part where there is a doubt or some are not told.

    `loose`: what is told of an element is kept where `read` can do with that.
    """
    if untold(values) is not None and not isinstance(values, list):
        item.unseen[fact] = why(values, fact)
        return
    found: list[Value] = []
    for one in values if isinstance(values, list) else [values]:
        late = untold(one)
        try:
            if late is None or loose:
                found.append(read(one))
                continue
        except Odd as error:
            if late is None:
                item.miss(fact, Reason.INVALID_ANSWER, f"'{fact}' holds {error}")
                return
        doubt = doubt or why(one, fact)
    if doubt is None:
        item.facts[fact] = tuple(found)
        return
    item.unseen[fact] = doubt
    item.facts[fact] = Partial(tuple(found))
