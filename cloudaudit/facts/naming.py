"""Whether a flavor's name says what it is, where it claims to follow SCS-0100.

The grammar is that of versions 2 to 4 of the standard (they share it): `SCS-`, processors with their kind,
memory, a disk, then extensions in a fixed order. Version 1 wrote other marks and is no longer accepted. A
flavor may be better than its name; it must not be less. What does not begin with `SCS-` claims nothing.
"""

from __future__ import annotations

import re
from typing import Final

from cloudaudit.facts.derivation import Derive, Derived, Family, whole_number, why
from cloudaudit.model import Partial, Resource, Unseen, World

FLAVOR: Final = "openstack.flavor"
FAULTS: Final = "scs_name.faults"
PREFIX: Final = "SCS-"
_NUMBER: Final = "[1-9][0-9]{0,5}"
_NAME: Final = re.compile(
    rf"""SCS-(?P<vcpus>{_NUMBER})[LVTC]i?
    -(?P<ram>(?:0|{_NUMBER})(?:\.[05])?)u?o?
    (?:-(?:{_NUMBER}x)?(?P<disk>{_NUMBER})?[nhsp]?)?
    (?:_(?:kvm|xen|vmw|hyv|bms))?
    (?:_hwv)?
    (?:_[izar][0-9]?h{{0,3}})?
    (?:_[gG](?:N[a-gi-z]?|[AI](?:[0-9](?:\.[0-9]{{1,2}})?)?)(?:-{_NUMBER}h{{0,2}}(?:-{_NUMBER}h{{0,2}})?)?)?
    (?:_ib)?""",
    re.VERBOSE,
)


def prepare(world: World) -> Derive:
    """Each flavor by itself."""
    return _of_flavor


def _of_flavor(flavor: Resource) -> Derived:
    if not flavor.name.startswith(PREFIX):
        return Derived({FAULTS: ()})
    said = _NAME.fullmatch(flavor.name)
    if said is None or float(said["ram"]) == 0:
        return Derived({FAULTS: ("syntax",)})
    claims = {
        "vcpus": ("vcpus", float(said["vcpus"])),
        "ram": ("ram_mb", float(said["ram"]) * 1024),
        "disk": ("disk_gb", float(said["disk"] or 0)),
    }
    faults: list[str] = []
    unseen: Unseen | None = None
    for what, (fact, least) in claims.items():
        is_ = whole_number(flavor.facts.get(fact))
        if is_ is None:
            unseen = unseen or why(flavor, fact)
        elif is_ < least:
            faults.append(what)
    if unseen is None:
        return Derived({FAULTS: tuple(faults)})
    return Derived({FAULTS: Partial(tuple(faults))}, {FAULTS: unseen})


NAMING: Final = Family("naming", {FLAVOR: (FAULTS,)}, {FLAVOR: ("vcpus", "ram_mb", "disk_gb")}, prepare)
