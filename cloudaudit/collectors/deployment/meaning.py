"""What blocks of code mean for a cloud: which resource each becomes, and which facts its attributes tell.

The same thing read live once it is deployed gives the same facts. What the code leaves open is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cloudaudit.collectors.deployment import network, openstack, s3
from cloudaudit.collectors.deployment.block import Code, CodeTarget, Link, Untold
from cloudaudit.collectors.deployment.whole import Meaning, Whole
from cloudaudit.collectors.item import text
from cloudaudit.model import Resource, Seconds

TERRAFORM: Final[Mapping[str, Meaning]] = {**openstack.MEANINGS, **s3.MEANINGS}
DEPLOYABLE: Final = frozenset({
    # What tenants make, and what the code has made by those who run the cloud.
    "openstack.server", "openstack.server_group", "openstack.keypair", "openstack.flavor",
    "openstack.volume", "openstack.volume_type", "openstack.image", "openstack.image_member",
    "openstack.network", "openstack.subnet", "openstack.port", "openstack.router", "openstack.floating_ip",
    "openstack.security_group", "openstack.security_group_rule", "openstack.rbac_policy",
    "openstack.address_group", "openstack.trunk", "openstack.qos_policy", "openstack.bgpvpn",
    "openstack.vpn_connection", "openstack.dns_zone", "openstack.container", "openstack.loadbalancer",
    "openstack.listener", "openstack.lb_pool", "openstack.share", "openstack.share_access_rule",
    "openstack.project", "openstack.user", "openstack.group", "openstack.group_member", "openstack.role",
    "openstack.role_assignment", "openstack.application_credential", "openstack.secret", "openstack.stack",
    "s3.bucket", "s3.endpoint",
    # What is made beside code, by hand, by backup software or by the services: a plan makes none.
    "openstack.snapshot", "openstack.backup", "openstack.volume_transfer", "openstack.network_log",
    "openstack.share_replica", "openstack.share_backup", "openstack.trust",
})  # fmt: skip
"""Types that code declares, and such as it makes none of. A list of them is whole for the code."""
OF_THE_PLATFORM: Final[Mapping[str, str]] = {
    **dict.fromkeys((
        "openstack.region", "openstack.availability_zone", "openstack.service", "openstack.endpoint",
        "openstack.api", "openstack.extension", "openstack.domain", "openstack.identity_provider",
    ), "the cloud has it before anything is deployed"),
    **dict.fromkeys((
        "openstack.hypervisor", "openstack.aggregate", "openstack.compute_service", "openstack.network_agent",
        "openstack.block_storage_service", "openstack.storage_pool", "openstack.resource_provider",
        "openstack.image_service", "openstack.image_store", "openstack.object_service",
    ), "its operator runs it"),
    **dict.fromkeys((
        "openstack.quota", "openstack.limit", "openstack.object_account",
    ), "every project has one, whatever is deployed to it"),
    **dict.fromkeys((
        "s3.user", "s3.bucket_quota", "s3.zone", "s3.zonegroup",
    ), "the admin API of the store alone tells it"),
}  # fmt: skip
"""Types of which code can tell neither that there are some nor that there are none, and why."""

_BESIDE: Final[Mapping[str, frozenset[str]]] = {
    # Nova and Neutron make these with a server, for a router and in a group.
    network.SERVER: frozenset({"openstack.port"}),
    network.ROUTER_INTERFACE: frozenset({"openstack.port"}),
    network.GROUPS[0]: frozenset({"openstack.security_group_rule"}),
}
"""Types of what a service makes with a block, beside the thing itself."""
_WITHIN: Final[Mapping[str, tuple[str, str]]] = {
    network.SERVER: ("network", "openstack.port"),
    network.GROUPS[1]: ("rule", "openstack.security_group_rule"),
}
"""Lists in blocks of which each entry makes a resource of its own, and its type."""


def unread(code: Code) -> Mapping[str, str]:
    """The types of which a code may make more than is read, and why."""
    found: dict[str, str] = {}
    for type_, why in code.perhaps.items():
        meaning = TERRAFORM.get(type_)
        for makes in ({meaning.type} if meaning is not None else set()) | _BESIDE.get(type_, frozenset()):
            found.setdefault(makes, why)
    for block in code.blocks:
        kept = block.values.get("delete_default_rules") if block.type == network.GROUPS[0] else None
        if block.new and isinstance(kept, Untold | Link) and "delete_default_rules" not in block.left_out:
            # Two rules that let everything out are there or not.
            why = f"'delete_default_rules' of {text(block.address)} is not told"
            found.setdefault("openstack.security_group_rule", why)
        name, makes = _WITHIN.get(block.type, ("", ""))
        if isinstance(block.values.get(name), Untold | Link) and name not in block.left_out:
            found.setdefault(makes, f"'{name}' of {text(block.address)} is not told")
    return found


def resources(
    code: Code, target: CodeTarget, types: frozenset[str], at: Seconds, call: int
) -> Iterator[Resource]:
    """The resources of some types that code declares, in its own order."""
    whole = Whole(code, target, at, call, TERRAFORM)
    for block in code.blocks:
        meaning = TERRAFORM.get(block.type)
        if meaning is None or meaning.part_of:
            continue
        if meaning.type in types:
            item = whole.fresh(block)
            meaning.make(item)
            yield item.resource(meaning)
        if meaning.more is not None:
            yield from (one for one in meaning.more(whole.fresh(block)) if one.type in types)
    if s3.ENDPOINT in types:
        yield from s3.endpoints(whole)
