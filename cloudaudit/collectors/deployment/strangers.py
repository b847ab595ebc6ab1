"""Resources of a plan or state that are of types not read here, and what they may hide.

A plan of another cloud, or of services whose resources make further ones, is not in order because nothing of
it was looked at: the lists it may add to are not whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

from cloudaudit.collectors.deployment.block import Code, CodeTarget
from cloudaudit.collectors.deployment.meaning import DEPLOYABLE, TERRAFORM

MOST_NAMED: Final = 5
_ACCESSORY: Final = frozenset(f"openstack_{name}" for name in (
    "compute_volume_attach_v2", "compute_floatingip_associate_v2",
    "networking_floatingip_associate_v2", "networking_port_secgroup_associate_v2",
    "networking_router_interface_v2", "networking_router_route_v2", "networking_router_routes_v2",
    "lb_member_v2", "lb_members_v2", "lb_monitor_v2", "lb_l7policy_v2", "lb_l7rule_v2",
    "networking_portforwarding_v2", "vpnaas_ike_policy_v2", "vpnaas_ipsec_policy_v2",
))  # fmt: skip
"""Read with the resources they belong to."""
_HARMLESS: Final = (
    # They live in the state, in a file or in the run alone.
    "random_*", "null_*", "time_*", "local_*", "tls_*", "template_*", "archive_*", "external_*",
    "cloudinit_*", "terraform_data",
    # Of OpenStack: shares of what there may be, names, papers and content; rules that take away only.
    *(f"openstack_{name}" for name in (
        "*_quotaset_v*", "*_quota_v*", "*_qos_v3", "*_qos_association_v3", "bgpvpn_*_associate_v2",
        "blockstorage_volume_type_access_v3", "compute_aggregate_v2", "compute_flavor_access_v2",
        "containerinfra_clustertemplate_v1", "db_configuration_v1", "db_database_v1", "db_user_v1",
        "dns_recordset_v2", "dns_transfer_*", "dns_zone_share_v2", "fw_*", "identity_ec2_credential_v3",
        "identity_endpoint_v3", "identity_service_v3", "identity_limit_v3", "identity_registered_limit_v3",
        "images_image_access_accept_v2", "keymanager_container_v1", "lb_flavor_v2", "lb_flavorprofile_v2",
        "networking_addressscope_v2", "networking_bgp_*", "networking_qos_*_rule_v2",
        "networking_segment_v2", "networking_subnet_route_v2", "networking_subnetpool_v2",
        "objectstorage_object_v1", "sharedfilesystem_securityservice_v2", "sharedfilesystem_sharenetwork_v2",
        "vpnaas_endpoint_group_v2", "vpnaas_service_v2",
    )),
    # Of S3: settings that no control looks at.
    "aws_s3_bucket_metric", "aws_s3_bucket_inventory", "aws_s3_bucket_analytics_configuration",
    "aws_s3_bucket_intelligent_tiering_configuration", "aws_s3_bucket_accelerate_configuration",
    "aws_s3_bucket_request_payment_configuration",
)  # fmt: skip
_OPENSTACK: Final = frozenset(type_ for type_ in DEPLOYABLE if type_.startswith("openstack."))
_S3: Final = frozenset(type_ for type_ in DEPLOYABLE if type_.startswith("s3."))
_HIDES: Final[Mapping[str, frozenset[str]]] = {
    "openstack_objectstorage_account_v1": frozenset({"openstack.container"}),
    "openstack_objectstorage_tempurl_v1": frozenset({"openstack.container"}),
    "openstack_keymanager_order_v1": frozenset({"openstack.secret"}),
    "openstack_compute_floatingip_v2": frozenset({"openstack.floating_ip"}),
    "openstack_blockstorage_volume_attach_v3": frozenset({"openstack.volume"}),
    "openstack_blockstorage_volume_v1": frozenset({"openstack.volume"}),
    # Heat makes what its template says.
    "openstack_orchestration_stack_v1": _OPENSTACK,
}
"""What resources of a type may add to that is not read off them; of others it is all of their cloud."""


def strangers(code: Code, target: CodeTarget) -> Counter[str]:
    """How many resources there are of each type that is not read, but for those the target has ignored."""
    if not code.kind.startswith("terraform"):
        # The reader of templates says itself what it does not read.
        return Counter()
    return Counter(
        block.type
        for block in code.blocks
        if (block.type in _HIDES or block.type not in TERRAFORM.keys() | _ACCESSORY)
        and not any(fnmatchcase(block.type, pattern) for pattern in (*_HARMLESS, *target.ignored))
    )


def hides(type_: str) -> frozenset[str]:
    """The resource types that there may be more of, because a type of code is not read."""
    if type_ in _HIDES:
        return _HIDES[type_]
    if type_.startswith("openstack_"):
        return _OPENSTACK
    return _S3 if "_s3_" in type_ or type_.startswith(("aws_s3control_", "minio_")) else _OPENSTACK | _S3


def told(found: Counter[str]) -> str:
    """Types with how many there are of each, the first few by name."""
    named = [f"{type_} ({count})" for type_, count in sorted(found.items())]
    more = len(named) - MOST_NAMED
    return ", ".join(named[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
