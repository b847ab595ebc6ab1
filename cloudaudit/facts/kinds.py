"""Which observed types there are by kind of cloud, and whether what is said of all of them is whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cloudaudit.facts.derivation import unseen_anywhere
from cloudaudit.model import Unseen, World

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
    "s3": ("s3.bucket", "s3.bucket_quota", "s3.endpoint", "s3.user", "s3.zone", "s3.zonegroup"),
}  # fmt: skip


def hidden_part(world: World, types: Iterable[str]) -> Unseen | None:
    """Why the lists of these observed types together are not whole; None when they are.

    A type nobody asked for is not whole: that a subject has no cloud of a kind is for targets.yaml to
    declare, and then a listing proves it. Taking silence for absence would reward leaving a cloud out.
    """
    found = (unseen_anywhere(world, type_) for type_ in types)
    return next((unseen for unseen in found if unseen is not None), None)
