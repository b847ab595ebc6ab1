"""Versions of the APIs that negotiate them: what a service's own document says, region by region."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cloudaudit.collectors import Seen
from cloudaudit.collectors.openstack.answers import Trouble, supported_version
from cloudaudit.collectors.openstack.catalogue import version_root
from cloudaudit.collectors.openstack.cloud import CEILING
from cloudaudit.collectors.openstack.listing import Covers, Desk
from cloudaudit.model import Gap, Listing, Reason, Resource, Unseen, Value

TYPE: Final = "openstack.api"
SERVICES: Final = ("compute", "block-storage", "shared-file-system")
"""Those whose document stands at the address of their versioned API."""


def covers(service: str) -> Covers:
    return ((f"{service}.version", TYPE),)


def read_region(desk: Desk) -> Iterator[Seen]:
    """The API of one service in one region."""
    call = f"{desk.service}.version"
    if call not in desk.wanted:
        return
    read = desk.read_document(version_root(desk.root))
    if isinstance(read, Trouble):
        yield Gap(desk.scope, TYPE, call, read.reason, read.detail, read.call)
        return
    body, answer = read
    span = supported_version(dict(body), CEILING[desk.service][0])
    facts: dict[str, Value] = {"service": desk.service}
    unseen: dict[str, Unseen] = {}
    for name, version in zip(("min_version", "max_version"), span or (None, None), strict=True):
        if version is None:
            unseen[name] = Unseen(Reason.INVALID_ANSWER, "its document of versions names no range")
        else:
            facts[name] = "{}.{}".format(*version)
    yield Resource(
        type=TYPE,
        id=desk.service,
        scope=desk.here,
        at=answer.at,
        facts=facts,
        name=desk.service,
        endpoint=desk.endpoint,
        unseen=unseen,
        sources={"": answer.call},
    )
    yield Listing(desk.scope, TYPE, 1, "the service itself answered", answer.call)
