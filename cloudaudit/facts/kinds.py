"""Which kinds of cloud a subject has, for what is said of all of them together.

A subject without an OpenStack cloud has no volumes, and nobody lists them. targets.yaml can declare
that, and then there is a listing which proves it. Without the declaration a kind of which no list of
any type was read or even refused is taken to be absent, as long as another kind is there: attribution
reads projects whatever else is planned, so a cloud that was asked leaves a trace.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cloudaudit.facts.derivation import unseen_anywhere
from cloudaudit.model import Reason, Unseen, World

KINDS: Final = {
    "openstack": tuple(
        f"openstack.{name}"
        for name in (
            "availability_zone", "backup", "container", "endpoint", "extension", "floating_ip",
            "group_member", "image", "network", "port", "project", "region", "role_assignment", "router",
            "security_group", "security_group_rule", "server", "server_group", "service", "share",
            "share_backup", "snapshot", "subnet", "user", "volume", "volume_type", "vpn_connection",
        )
    ),
    "s3": ("s3.bucket", "s3.endpoint"),
}  # fmt: skip


def _is_there(world: World, kind: str) -> bool:
    return any(
        world.listings_of(type_)
        or any(gap.reason is not Reason.NOT_COLLECTED for gap in world.gaps_of(type_))
        for type_ in KINDS[kind]
    )


def hidden_part(world: World, types: Iterable[str]) -> Unseen | None:
    """Why the lists of these observed types together are not whole; None when they are.

    Types of a kind of cloud that the subject does not have are whole in being empty.
    """
    there = {kind for kind in KINDS if _is_there(world, kind)} or set(KINDS)
    for type_ in types:
        unseen = unseen_anywhere(world, type_)
        if unseen is not None and type_.split(".", 1)[0] in there:
            return unseen
    return None
