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
            "address_group", "availability_zone", "backup", "bgpvpn", "container", "dns_zone", "endpoint",
            "extension", "floating_ip", "group_member", "image", "image_member", "image_service",
            "image_store", "lb_pool", "listener", "loadbalancer", "network", "network_agent", "network_log",
            "object_account", "object_service", "port", "project", "qos_policy", "rbac_policy", "region",
            "resource_provider", "role_assignment", "router", "secret", "security_group",
            "security_group_rule", "server", "server_group", "service", "share", "share_backup",
            "share_replica", "snapshot", "stack", "subnet", "trunk", "user", "volume", "volume_type",
            "vpn_connection",
        )
    ),
    "s3": ("s3.bucket", "s3.endpoint"),
}  # fmt: skip


def hidden_part(world: World, types: Iterable[str]) -> Unseen | None:
    """Why the lists of these observed types together are not whole; None when they are.

    A type nobody asked for is not whole: that a subject has no cloud of a kind is for targets.yaml to
    declare, and then a listing proves it. Taking silence for absence would reward leaving a cloud out.
    """
    found = (unseen_anywhere(world, type_) for type_ in types)
    return next((unseen for unseen in found if unseen is not None), None)
