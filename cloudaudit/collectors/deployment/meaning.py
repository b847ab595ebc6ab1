"""What blocks of code mean for a cloud: which resource each becomes, and which facts its attributes tell.

Attributes are renamed to what the service's own API calls them, and then read as its answers are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cloudaudit.collectors.deployment.block import LATER, Block, Code, CodeTarget, Declared, Link, Make
from cloudaudit.collectors.item import LABEL_KEYS, Odd, address, flag, identifier, integer, text
from cloudaudit.model import Resource, Scope, Seconds, Written


@dataclass(frozen=True, slots=True)
class Meaning:
    """How one type of block is read: `names` are its own words for fields of the API, where they differ."""

    type: str
    make: Make
    names: Mapping[str, str] = field(default_factory=dict)


def _volume(item: Declared, block: Block) -> None:
    item.take("size_gb", "size", integer)
    item.take("volume_type", "volume_type", null=True)
    item.take("zone", "availability_zone", null=True)
    item.take("multiattach", "multiattach", flag, null=True, absent=False)
    item.labels("metadata", LABEL_KEYS)


def _rule(item: Declared, block: Block) -> None:
    item.take("security_group", "security_group_id", identifier)
    item.take("direction", "direction")
    item.take("ethertype", "ethertype", null=True)
    item.take("remote_prefix", "remote_ip_prefix", address, null=True)


TERRAFORM: Final[Mapping[str, Meaning]] = {
    "openstack_blockstorage_volume_v3": Meaning("openstack.volume", _volume),
    "openstack_networking_secgroup_rule_v2": Meaning("openstack.security_group_rule", _rule),
}
DEPLOYABLE: Final = frozenset({"openstack.volume", "openstack.security_group_rule"})
"""Types that code declares. Of the others it can tell neither that there are some nor that there are none."""


def resources(
    code: Code, target: CodeTarget, types: frozenset[str], at: Seconds, call: int
) -> Iterator[Resource]:
    """The resources of some types that code declares, in its own order."""
    ids = {block.address: block.id or block.address for block in code.blocks}
    for block in code.blocks:
        meaning = TERRAFORM.get(block.type)
        if meaning is None or meaning.type not in types:
            continue
        row = {name: _linked(block.values.get(meaning.names.get(name, name)), ids) for name in block.values}
        item = Declared(row, meaning.names, block.written.lines)
        meaning.make(item, block)
        scope = Scope(target.name, target.region, target.project)
        yield Resource(
            meaning.type, ids[block.address], scope, at, item.facts, block.name, "", item.unseen, {"": call},
            written=Written(block.written.path, block.written.line, item.written),
        )  # fmt: skip


def _linked(value: Any, ids: Mapping[str, str]) -> Any:
    """A value with the ids of other blocks in place of links to them."""
    match value:
        case Link(address=address_, attribute="id"):
            return ids.get(address_, LATER)
        case list():
            return [_linked(one, ids) for one in value]
        case _:
            return value


__all__ = ["DEPLOYABLE", "TERRAFORM", "Meaning", "Odd", "resources", "text"]
