"""What blocks of Terraform mean: whole resources, and what becomes of values that are not told or not fit."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builders import NOW
from code_blocks import AMAZON, HERE, STORE, TARGET, block, link, resources

from cloudaudit.catalog import load_catalogue
from cloudaudit.collectors.deployment import KINDS, meaning
from cloudaudit.collectors.deployment.block import LATER, WITHHELD, Block, Code, CodeTarget, Untold
from cloudaudit.collectors.item import LABEL_KEYS, Item
from cloudaudit.collectors.openstack import identity, image, load_balancer, network, shared_file_system
from cloudaudit.model import Partial, Reason, Resource, Value
from cloudaudit.records import Encoder

TYPES = load_catalogue().types


@dataclass(frozen=True)
class Seen:
    """A resource without what all of them share; of facts that are missing their names by reason."""

    type: str
    id: str
    name: str
    scope: str
    facts: dict[str, Value]
    unseen: dict[str, str]


def seen(one: Resource) -> Seen:
    by_reason: dict[str, list[str]] = {}
    for fact, why in one.unseen.items():
        by_reason.setdefault(why.reason.value, []).append(fact)
    unseen = {reason: " ".join(sorted(facts)) for reason, facts in by_reason.items()}
    return Seen(one.type, one.id, one.name, str(one.scope), dict(one.facts), unseen)


def of(blocks: tuple[Block, ...]) -> list[Resource]:
    """What becomes of the first block of some code."""
    first = blocks[0].address
    found = [one for one in resources(blocks) if one.type != "s3.endpoint"]
    return [one for one in found if one.id == found[0].id or one.id.startswith(f"{first}/")]


# fmt: off
CASES: dict[str, tuple[Block, ...]] = {
    "volume": (
        block(
            "openstack_blockstorage_volume_v3.v",
            {"name": "du-lieu", "size": 10, "availability_zone": "hn-1", "volume_type": "nhanh", "image_id": link("openstack_images_image_v2.i"),
             "snapshot_id": None, "source_vol_id": None, "source_replica": None, "backup_id": None, "attachment": LATER,
             "metadata": {"system_id": "cong", "note": "x", "owner": LATER}},
            left_out=["attachment"],
        ),
        block("openstack_blockstorage_volume_type_v3.t", {"name": "nhanh", "extra_specs": {"multiattach": "<is> True", "volume_backend_name": "ceph"}}),
        block("openstack_images_image_v2.i", {"name": "i", "properties": {"os_distro": "ubuntu"}}),
        block("openstack_compute_volume_attach_v2.a", {"instance_id": link("openstack_compute_instance_v2.s"), "volume_id": link("openstack_blockstorage_volume_v3.v"), "device": LATER}),
        block("openstack_compute_instance_v2.s", {"name": "s"}),
    ),
    "volume there already": (
        block(
            "openstack_blockstorage_volume_v2.v",
            {"name": "v", "size": 10, "volume_type": "cham", "metadata": {}, "attachment": [{"id": "a", "instance_id": "s-1", "device": "/dev/vdb"}]},
            id_="v-1",
        ),
    ),
    "volume that a server starts with": (
        block("openstack_blockstorage_volume_v3.v", {"name": "v", "size": 1}),
        block("openstack_compute_instance_v2.s", {"name": "s", "block_device": [{"source_type": "volume", "uuid": link("openstack_blockstorage_volume_v3.v"), "destination_type": "volume"}]}),
    ),
    "volume type": (block("openstack_blockstorage_volume_type_v3.t", {"name": "t", "is_public": LATER, "extra_specs": {"replication_enabled": "<is> True", "volume_backend_name": "ceph"}}, left_out=["is_public"]),),
    "server": (
        block(
            "openstack_compute_instance_v2.s",
            {"name": "web", "availability_zone": "hn-1", "flavor_name": "to", "flavor_id": LATER, "image_id": LATER, "image_name": "i", "key_pair": "k",
             "config_drive": True, "user_data": "#cloud-config\npassword: hunter-two-22\n", "metadata": {"role": "web"}, "tags": ["a"],
             "security_groups": ["web", "khac"],
             "network": [{"name": "noi-bo", "port": LATER, "uuid": LATER, "fixed_ip_v4": "10.0.0.5"}],
             "block_device": [{"source_type": "volume", "destination_type": "volume", "uuid": link("openstack_blockstorage_volume_v3.v"), "boot_index": 1}]},
            left_out=["flavor_id", "image_id"],
        ),
        block("openstack_compute_flavor_v2.f", {"name": "to", "vcpus": 4, "ram": 8192, "disk": 20, "extra_specs": {"hw:cpu_policy": "dedicated"}}),
        block("openstack_images_image_v2.i", {"name": "i"}),
        block("openstack_blockstorage_volume_v3.v", {"name": "v", "size": 1}),
    ),
    "server that leaves all out": (
        block(
            "openstack_compute_instance_v2.s",
            {"name": "s", "key_pair": None, "config_drive": None, "user_data": None, "metadata": None, "tags": None, "image_id": LATER, "flavor_id": LATER, "flavor_name": "m1", "availability_zone": LATER,
             "security_groups": LATER, "network": [], "block_device": [{"source_type": "image", "destination_type": "volume", "boot_index": 0, "uuid": "i-1"}]},
            left_out=["security_groups", "image_id", "flavor_id", "availability_zone"],
        ),
    ),
    "port of Nova": (
        block(
            "openstack_compute_instance_v2.s",
            {"name": "s", "availability_zone": "hn-1", "security_groups": ["web"], "network": [{"uuid": link("openstack_networking_network_v2.n"), "port": LATER, "fixed_ip_v4": LATER}]},
        ),
        block("openstack_networking_network_v2.n", {"name": "n", "port_security_enabled": True}),
        block("openstack_networking_secgroup_v2.g", {"name": "web", "delete_default_rules": True}),
    ),
    "port of Nova with another group": (
        block(
            "openstack_compute_instance_v2.s",
            {"name": "s", "security_groups": LATER, "network": [{"uuid": "n-1", "port": None, "fixed_ip_v4": "10.0.0.4"}]},
            left_out=["security_groups"],
        ),
    ),
    "port of an interface": (
        block("openstack_compute_interface_attach_v2.i", {"instance_id": link("openstack_compute_instance_v2.s"), "network_id": "n-1", "port_id": LATER, "fixed_ip": LATER}, left_out=["port_id"]),
        block("openstack_compute_instance_v2.s", {"name": "s", "security_groups": [link("openstack_networking_secgroup_v2.g", "name")]}),
        block("openstack_networking_secgroup_v2.g", {"name": "web", "delete_default_rules": True}),
    ),
    "server group": (
        block("openstack_compute_servergroup_v2.g", {"name": "g", "policies": ["anti-affinity"]}),
        block("openstack_compute_instance_v2.a", {"name": "a", "scheduler_hints": [{"group": link("openstack_compute_servergroup_v2.g")}]}),
        block("openstack_compute_instance_v2.b", {"name": "b", "scheduler_hints": [{"group": "khac"}]}),
    ),
    "key pair": (block("openstack_compute_keypair_v2.k", {"name": "k", "public_key": "ssh-rsa AAAA", "user_id": LATER, "fingerprint": LATER}, left_out=["user_id"]),),
    "flavor": (block("openstack_compute_flavor_v2.f", {"name": "f", "vcpus": 1, "ram": 512, "disk": 0, "ephemeral": None, "swap": 64, "is_public": True, "extra_specs": {"a": "b"}}),),
    "network": (block("openstack_networking_network_v2.n", {"name": "n", "shared": LATER, "external": LATER, "admin_state_up": LATER, "port_security_enabled": LATER, "tags": ["system_id=cong", "x"]}, left_out=["shared", "external", "admin_state_up", "port_security_enabled"]),),
    "network by other words": (block("openstack_networking_network_v2.n", {"name": "n", "shared": LATER, "value_specs": {"router:external": "true"}}, left_out=["shared"]),),
    "subnet": (block("openstack_networking_subnet_v2.s", {"name": "s", "network_id": "n-1", "cidr": "10.0.0.0/24", "dns_nameservers": ["10.0.0.2"], "enable_dhcp": None, "ip_version": 4}),),
    "port": (
        block(
            "openstack_networking_port_v2.p",
            {"name": "p", "network_id": "n-1", "security_group_ids": ["g-1", link("openstack_networking_secgroup_v2.g")], "port_security_enabled": LATER,
             "fixed_ip": [{"subnet_id": "s-1", "ip_address": "10.0.0.9"}], "allowed_address_pairs": [{"ip_address": "10.0.0.10"}],
             "extra_dhcp_option": [{"name": "dns-server", "value": "10.0.0.2,10.0.0.3", "ip_version": 4}], "device_id": LATER, "device_owner": LATER},
            left_out=["port_security_enabled", "device_id", "device_owner"],
        ),
        block("openstack_networking_secgroup_v2.g", {"name": "g", "delete_default_rules": True}),
    ),
    "port without groups": (block("openstack_networking_port_v2.p", {"name": "p", "network_id": "n-1", "no_security_groups": True, "no_fixed_ip": True, "device_id": "d-1", "device_owner": "compute:hn"}),),
    "port in the default group": (block("openstack_networking_port_v2.p", {"name": "p", "network_id": LATER, "security_group_ids": None}),),
    "router": (
        block("openstack_networking_router_v2.r", {"name": "r", "external_network_id": "ngoai", "distributed": False, "external_fixed_ip": [{"ip_address": "203.0.113.7"}], "tags": None}),
        block("openstack_networking_router_route_v2.x", {"router_id": link("openstack_networking_router_v2.r"), "destination_cidr": "10.1.0.0/16", "next_hop": "10.0.0.1"}),
    ),
    "router inside": (block("openstack_networking_router_v2.r", {"name": "r", "external_network_id": LATER, "tags": ["a"]}, left_out=["external_network_id"]),),
    "floating IP": (
        block("openstack_networking_floatingip_v2.f", {"pool": "ngoai", "address": LATER, "port_id": LATER, "fixed_ip": LATER}, left_out=["port_id", "fixed_ip"]),
        block("openstack_networking_floatingip_associate_v2.a", {"floating_ip": link("openstack_networking_floatingip_v2.f", "address"), "port_id": link("openstack_compute_instance_v2.s", "network.0.port"), "fixed_ip": "10.0.0.5"}),
        block("openstack_compute_instance_v2.s", {"name": "s", "network": [{"uuid": "n-1", "port": LATER}]}),
        block("openstack_networking_network_v2.n", {"name": "ngoai"}),
    ),
    "floating IP of a server": (
        block("openstack_networking_floatingip_v2.f", {"pool": "p", "address": LATER, "port_id": None}),
        block("openstack_compute_floatingip_associate_v2.a", {"floating_ip": link("openstack_networking_floatingip_v2.f", "address"), "instance_id": link("openstack_compute_instance_v2.s"), "fixed_ip": None}),
        block("openstack_compute_instance_v2.s", {"name": "s", "network": [{"uuid": "n-1", "port": LATER}]}),
    ),
    "floating IP of nothing": (block("openstack_networking_floatingip_v2.f", {"pool": "p", "address": LATER, "port_id": LATER}, left_out=["port_id"]),),
    "security group": (block("openstack_networking_secgroup_v2.g", {"name": "g", "stateful": True, "delete_default_rules": None}),),
    "security group of Nova": (block("openstack_compute_secgroup_v2.g", {"name": "g", "rule": [{"from_port": 22, "to_port": 22, "ip_protocol": "tcp", "cidr": "0.0.0.0/0", "from_group_id": "", "self": False}]}),),
    "rule": (block("openstack_networking_secgroup_rule_v2.r", {"direction": "ingress", "ethertype": "IPv4", "protocol": None, "port_range_min": None, "port_range_max": None, "remote_ip_prefix": LATER, "remote_group_id": LATER, "security_group_id": "g-1"}, left_out=["remote_ip_prefix", "remote_group_id"]),),
    "rule from a state": (block("openstack_networking_secgroup_rule_v2.r", {"direction": "ingress", "ethertype": "IPv6", "protocol": "tcp", "port_range_min": 0, "port_range_max": 0, "remote_ip_prefix": "", "remote_group_id": "g-2", "remote_address_group_id": "", "security_group_id": "g-1", "tenant_id": "p-9", "region": "hcm"}, id_="r-1"),),
    "sharing": (block("openstack_networking_rbac_policy_v2.r", {"object_type": "network", "object_id": "n-1", "action": "access_as_shared", "target_tenant": "*"}),),
    "address group": (block("openstack_networking_address_group_v2.a", {"name": "a", "addresses": ["10.0.0.0/8"]}),),
    "trunk": (block("openstack_networking_trunk_v2.t", {"name": "t", "port_id": "p-1", "admin_state_up": None, "sub_port": [{"port_id": "p-2", "segmentation_type": "vlan", "segmentation_id": 5}]}),),
    "QoS policy": (
        block("openstack_networking_qos_policy_v2.q", {"name": "q", "shared": None, "is_default": True}),
        block("openstack_networking_qos_bandwidth_limit_rule_v2.b", {"qos_policy_id": link("openstack_networking_qos_policy_v2.q")}),
    ),
    "image": (
        block(
            "openstack_images_image_v2.i",
            {"name": "i", "visibility": "shared", "disk_format": "qcow2", "container_format": "bare", "protected": True, "min_disk_gb": 5, "min_ram_mb": None,
             "hidden": None, "tags": ["role=web"], "properties": {"os_distro": "ubuntu", "os_version": "24.04", "architecture": "x86_64", "image_build_date": "2026-01-01", "image_source": "https://x", "token": "s3cr3t-abc"},
             "owner": LATER, "size_bytes": LATER, "status": LATER},
            left_out=["owner", "size_bytes", "status"],
        ),
    ),
    "image that is imported": (block("openstack_images_image_v2.i", {"name": "i", "visibility": "private", "disk_format": "raw", "container_format": "bare", "web_download": True, "image_source_url": "https://x", "properties": {"os_secure_boot": LATER}}),),
    "member of an image": (block("openstack_images_image_access_v2.m", {"image_id": "i-1", "member_id": "p-2", "status": LATER}, left_out=["status"]),),
    "container": (
        block(
            "openstack_objectstorage_container_v1.c",
            {"name": "ho-so", "container_read": "p2:*", "container_write": None, "container_sync_to": "https://u:p@khac/v1/c", "container_sync_key": WITHHELD,
             "versioning": None, "versioning_legacy": [{"type": "versions", "location": "cu"}], "storage_policy": "nhanh", "metadata": {"system_id": "cong", "Quota-Bytes": "5"}},
        ),
    ),
    "load balancer": (block("openstack_lb_loadbalancer_v2.l", {"name": "l", "vip_subnet_id": "s-1", "vip_address": "10.0.0.3", "vip_port_id": LATER, "admin_state_up": None, "flavor_id": LATER, "availability_zone": None, "loadbalancer_provider": LATER}, left_out=["flavor_id", "loadbalancer_provider"]),),
    "listener": (
        block(
            "openstack_lb_listener_v2.l",
            {"name": "l", "protocol": "TERMINATED_HTTPS", "protocol_port": 443, "loadbalancer_id": "lb-1", "admin_state_up": True, "default_tls_container_ref": WITHHELD, "sni_container_refs": ["https://k/1"],
             "tls_versions": ["TLSv1.3"], "tls_ciphers": "A:B", "alpn_protocols": ["h2"], "insert_headers": {"X-B": "true", "X-A": "true"}, "allowed_cidrs": ["10.0.0.0/8"], "default_pool_id": LATER},
            left_out=["default_pool_id"],
        ),
        block("openstack_lb_pool_v2.p", {"listener_id": link("openstack_lb_listener_v2.l"), "protocol": "HTTP"}),
        block("openstack_lb_l7policy_v2.x", {"listener_id": link("openstack_lb_listener_v2.l"), "action": "REDIRECT_TO_URL", "redirect_url": "HTTPS://x/"}),
    ),
    "pool": (
        block("openstack_lb_pool_v2.p", {"name": "p", "protocol": "HTTP", "lb_method": "ROUND_ROBIN", "listener_id": link("openstack_lb_listener_v2.l"), "loadbalancer_id": None, "persistence": [{"type": "SOURCE_IP"}], "admin_state_up": True, "tls_enabled": None}),
        block("openstack_lb_listener_v2.l", {"loadbalancer_id": "lb-1"}),
        block("openstack_lb_member_v2.m", {"pool_id": link("openstack_lb_pool_v2.p"), "address": "10.0.0.5", "protocol_port": 80, "subnet_id": LATER, "backup": True}),
        block("openstack_lb_members_v2.n", {"pool_id": link("openstack_lb_pool_v2.p"), "member": [{"address": "10.0.0.6", "protocol_port": 80, "subnet_id": "", "backup": None, "monitor_address": "", "monitor_port": None}]}),
        block("openstack_lb_monitor_v2.h", {"pool_id": link("openstack_lb_pool_v2.p"), "type": "HTTP", "delay": 5, "timeout": 3, "max_retries": 2}),
    ),
    "share": (block("openstack_sharedfilesystem_share_v2.s", {"name": "s", "share_proto": "NFS", "size": 5, "availability_zone": "hn-1", "is_public": None, "metadata": None}),),
    "access to a share": (block("openstack_sharedfilesystem_share_access_v2.a", {"share_id": "s-1", "access_type": "user", "access_to": "an", "access_level": "ro"}),),
    "project": (block("openstack_identity_project_v3.p", {"name": "p", "domain_id": "d-1", "enabled": None, "tags": ["owner=so"]}),),
    "user": (block("openstack_identity_user_v3.u", {"name": "u", "domain_id": "d-1", "enabled": True, "multi_factor_auth_enabled": True, "multi_factor_auth_rule": [{"rule": ["password", "totp", "totp"]}], "ignore_password_expiry": None, "ignore_lockout_failure_attempts": True}),),
    "group": (block("openstack_identity_group_v3.g", {"name": "g", "domain_id": "d-1"}),),
    "member of a group": (block("openstack_identity_user_membership_v3.m", {"group_id": "g-1", "user_id": "u-1"}),),
    "role": (block("openstack_identity_role_v3.r", {"name": "r", "domain_id": LATER}, left_out=["domain_id"]),),
    "role that is given": (
        block("openstack_identity_role_assignment_v3.a", {"role_id": link("openstack_identity_role_v3.r"), "user_id": "u-1", "group_id": None, "project_id": "p-1", "domain_id": None}),
        block("openstack_identity_role_v3.r", {"name": "member"}),
    ),
    "role that is inherited": (block("openstack_identity_inherit_role_assignment_v3.a", {"role_id": "0" * 32, "user_id": None, "group_id": "g-1", "domain_id": "d-1", "project_id": None}),),
    "application credential": (block("openstack_identity_application_credential_v3.c", {"name": "c", "roles": ["reader"], "unrestricted": None, "expires_at": "2027-01-01T00:00:00Z", "project_id": LATER, "access_rules": [{"path": "/v2.1/servers", "method": "GET", "service": "compute", "id": LATER}]}),),
    "VPN": (
        block("openstack_vpnaas_site_connection_v2.v", {"name": "v", "peer_address": "203.0.113.1", "peer_ep_group_id": link("openstack_vpnaas_endpoint_group_v2.g"), "ikepolicy_id": link("openstack_vpnaas_ike_policy_v2.i"), "ipsecpolicy_id": "khac", "psk": WITHHELD}),
        block("openstack_vpnaas_endpoint_group_v2.g", {"endpoints": ["10.9.0.0/16"]}),
        block("openstack_vpnaas_ike_policy_v2.i", {"ike_version": "v2", "encryption_algorithm": LATER, "auth_algorithm": LATER, "pfs": None}, left_out=["encryption_algorithm"]),
    ),
    "DNS zone": (
        block("openstack_dns_zone_v2.z", {"name": "cong.example.vn.", "type": LATER, "ttl": 300}, left_out=["type"]),
        block("openstack_dns_zone_share_v2.s", {"zone_id": link("openstack_dns_zone_v2.z"), "target_project_id": "p-2"}),
    ),
    "secret": (block("openstack_keymanager_secret_v1.s", {"name": "s", "secret_type": "passphrase", "payload": WITHHELD, "expiration": "2027-01-01T00:00:00Z", "bit_length": 256, "algorithm": "aes", "mode": None}),),
    "stack": (block("openstack_orchestration_stack_v1.s", {"name": "s", "tags": ["role=web"], "template_opts": {"Template": "x"}}),),
    "BGP VPN": (
        block("openstack_bgpvpn_v2.b", {"name": "b", "type": None, "route_targets": ["64512:1"], "import_targets": None, "export_targets": None}),
        block("openstack_bgpvpn_network_associate_v2.n", {"bgpvpn_id": link("openstack_bgpvpn_v2.b"), "network_id": "n-1"}),
    ),
    "bucket": (
        block(
            "aws_s3_bucket.b",
            {"bucket": "ho-so", "object_lock_enabled": True, "tags": {"role": "backup"}, "tags_all": {"role": "backup", "x": "y"},
             **dict.fromkeys(("acl", "grant", "policy", "versioning", "website", "logging", "cors_rule", "lifecycle_rule"), LATER)},
            left_out=["acl", "grant", "policy", "versioning", "website", "logging", "cors_rule", "lifecycle_rule"],
        ),
        block("aws_s3_bucket_versioning.b", {"bucket": link("aws_s3_bucket.b"), "versioning_configuration": [{"status": "Enabled", "mfa_delete": LATER}]}),
        block("aws_s3_bucket_server_side_encryption_configuration.b", {"bucket": "ho-so", "rule": [{"bucket_key_enabled": None, "apply_server_side_encryption_by_default": [{"sse_algorithm": "aws:kms", "kms_master_key_id": "k"}]}]}),
        block("aws_s3_bucket_public_access_block.b", {"bucket": link("aws_s3_bucket.b", "bucket"), "block_public_acls": True, "block_public_policy": LATER, "ignore_public_acls": None, "restrict_public_buckets": True}),
        block("aws_s3_bucket_acl.b", {"bucket": link("aws_s3_bucket.b"), "acl": None, "access_control_policy": [{"owner": [{"id": "o"}], "grant": [{"permission": "READ", "grantee": [{"type": "Group", "uri": "http://acs.amazonaws.com/groups/global/AllUsers", "id": ""}]}, {"permission": "FULL_CONTROL", "grantee": [{"type": "CanonicalUser", "id": "o", "uri": ""}]}]}]}),
        block("aws_s3_bucket_lifecycle_configuration.b", {"bucket": link("aws_s3_bucket.b"), "rule": [
            {"id": "r1", "status": "Enabled", "prefix": "", "filter": [{"prefix": "x/", "and": [], "tag": [], "object_size_greater_than": None}], "expiration": [{"days": 30, "date": None}], "noncurrent_version_expiration": [{"noncurrent_days": 10, "newer_noncurrent_versions": 2}], "transition": [{"days": 5, "storage_class": "GLACIER"}], "noncurrent_version_transition": [], "abort_incomplete_multipart_upload": []},
            {"id": "r2", "status": "Disabled", "filter": [{"tag": [{"key": "a", "value": "b"}]}], "expiration": [{"days": 0, "date": "2027-01-01T00:00:00Z"}], "abort_incomplete_multipart_upload": [{"days_after_initiation": 3}]}]}),
        block("aws_s3_bucket_object_lock_configuration.b", {"bucket": link("aws_s3_bucket.b"), "object_lock_enabled": "Enabled", "rule": [{"default_retention": [{"mode": "COMPLIANCE", "years": 1, "days": None}]}]}),
        block("aws_s3_bucket_replication_configuration.b", {"bucket": link("aws_s3_bucket.b"), "rule": [{"id": LATER, "status": "Enabled", "filter": [{"prefix": ""}], "destination": [{"bucket": link("aws_s3_bucket.c", "arn"), "storage_class": "", "account": ""}]}]}),
        block("aws_s3_bucket_policy.b", {"bucket": link("aws_s3_bucket.b"), "policy": json.dumps({"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::ho-so/*"}})}),
        block("aws_s3_bucket_logging.b", {"bucket": link("aws_s3_bucket.b"), "target_bucket": link("aws_s3_bucket.c"), "target_prefix": "x/"}),
        block("aws_s3_bucket_notification.b", {"bucket": link("aws_s3_bucket.b"), "topic": [{"topic_arn": "arn:t"}], "queue": [], "lambda_function": [], "eventbridge": True}),
        block("aws_s3_bucket_cors_configuration.b", {"bucket": link("aws_s3_bucket.b"), "cors_rule": [{"allowed_origins": ["https://a", "*"]}]}),
        block("aws_s3_bucket_website_configuration.b", {"bucket": link("aws_s3_bucket.b"), "index_document": [{"suffix": "index.html"}]}),
        block("aws_s3_bucket_ownership_controls.b", {"bucket": link("aws_s3_bucket.b"), "rule": [{"object_ownership": "BucketOwnerPreferred"}]}),
        block("aws_s3_bucket.c", {"bucket": "ban-sao"}),
    ),
    "bucket of the old kind": (
        block(
            "aws_s3_bucket.b",
            {"bucket": "cu", "acl": "public-read", "policy": "", "tags": None, "tags_all": LATER,
             "versioning": [{"enabled": True, "mfa_delete": False}],
             "server_side_encryption_configuration": [{"rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "AES256", "kms_master_key_id": ""}]}]}],
             "object_lock_configuration": [{"object_lock_enabled": "Enabled", "rule": [{"default_retention": [{"mode": "GOVERNANCE", "days": 7, "years": None}]}]}],
             "lifecycle_rule": [{"id": LATER, "enabled": True, "prefix": "a/", "tags": {"k": "v"}, "expiration": [{"days": 9}], "noncurrent_version_expiration": [{"days": 8}], "transition": [], "abort_incomplete_multipart_upload_days": 2}],
             "replication_configuration": [{"role": "r", "rules": [{"id": "x", "prefix": "p/", "status": "Enabled", "destination": [{"bucket": "arn:aws:s3:::dich", "account_id": "a-1", "storage_class": "STANDARD_IA"}]}]}],
             "logging": [{"target_bucket": "nhat-ky", "target_prefix": None}], "cors_rule": [{"allowed_origins": ["*"]}], "website": [{"index_document": "i"}],
             "grant": []},
        ),
    ),
    "bucket with nothing said": (block("aws_s3_bucket.b", {"bucket": LATER, "bucket_prefix": "a", "tags": None}),),
    "bucket at Amazon": (block("aws_s3_bucket.b", {"bucket": "b", "tags": None}, place=AMAZON),),
    "bucket there already": (block("aws_s3_bucket.b", {"bucket": "b", "tags": {}, "region": "vn-hn", "versioning": [{"enabled": False, "mfa_delete": False}], "logging": [], "acl": None}, id_="b"),),
}
EXPECTED: dict[str, list[Seen]] = {
    'volume': [
        Seen(
            'openstack.volume', 'openstack_blockstorage_volume_v3.v', 'du-lieu', 'ke-hoach/hn/p1',
            {'size_gb': 10, 'zone': 'hn-1', 'volume_type': 'nhanh', 'snapshot_id': None, 'labels': {'system_id': 'cong'}, 'label_names': ('note', 'owner', 'system_id'), 'multiattach': True, 'bootable': True, 'image.os_distro': 'ubuntu', 'image.os_version': None, 'attachments': ({'server': 'openstack_compute_instance_v2.s'},)},
            {'after_deployment': 'created_at encrypted encryption_key host labels.owner replication_status secrets.found status updated_at'},
        ),
    ],
    'volume that a server starts with': [
        Seen(
            'openstack.volume', 'openstack_blockstorage_volume_v3.v', 'v', 'ke-hoach/hn/p1',
            {'size_gb': 1, 'snapshot_id': None, 'labels': {}, 'label_names': (), 'secrets.found': (), 'bootable': False, 'image.os_distro': None, 'image.os_version': None, 'attachments': ({'server': 'openstack_compute_instance_v2.s'},)},
            {'not_described': 'multiattach volume_type zone', 'after_deployment': 'created_at encrypted encryption_key host replication_status status updated_at'},
        ),
    ],
    'volume there already': [
        Seen(
            'openstack.volume', 'v-1', 'v', 'ke-hoach/hn/p1',
            {'size_gb': 10, 'volume_type': 'cham', 'labels': {}, 'label_names': (), 'secrets.found': (), 'attachments': ({'server': 's-1', 'device': '/dev/vdb'},)},
            {'not_described': 'bootable created_at encrypted encryption_key host image multiattach replication_status snapshot_id status updated_at zone'},
        ),
    ],
    'volume type': [
        Seen(
            'openstack.volume_type', 'openstack_blockstorage_volume_type_v3.t', 't', 'ke-hoach/hn',
            {'is_public': True, 'backend': 'ceph', 'replication_enabled': True},
            {'not_described': 'encryption'},
        ),
    ],
    'server': [
        Seen(
            'openstack.server', 'openstack_compute_instance_v2.s', 'web', 'ke-hoach/hn/p1',
            {'zone': 'hn-1', 'key_name': 'k', 'config_drive': True, 'labels': {'role': 'web'}, 'label_names': ('role',), 'has_user_data': True, 'secrets.found': ({'place': 'user_data', 'key': 'user_data', 'pattern': 'assignment'},), 'flavor': 'to', 'vcpus': 4, 'ram_mb': 8192, 'disk_gb': 20, 'flavor_spec_names': ('hw:cpu_policy',), 'image': 'openstack_images_image_v2.i', 'boot_volumes': ('openstack_blockstorage_volume_v3.v',), 'security_groups': ('khac', 'web')},
            {'after_deployment': 'addresses created_at host_id status', 'not_described': 'locked trusted_image_certificates'},
        ),
        Seen(
            'openstack.port', 'openstack_compute_instance_v2.s/network/0', '', 'ke-hoach/hn/p1',
            {'addresses': ('10.0.0.5',), 'device_id': 'openstack_compute_instance_v2.s', 'device_owner': 'compute:hn-1', 'allowed_address_pairs': (), 'dhcp.name_servers': (), 'dhcp.time_servers': (), 'security_groups': Partial(items=())},
            {'after_deployment': 'network status', 'not_described': 'port_security security_groups'},
        ),
    ],
    'server that leaves all out': [
        Seen(
            'openstack.server', 'openstack_compute_instance_v2.s', 's', 'ke-hoach/hn/p1',
            {'key_name': None, 'labels': {}, 'label_names': (), 'has_user_data': False, 'secrets.found': (), 'flavor': 'm1', 'image': None, 'boot_volumes': Partial(items=()), 'security_groups': ('default',)},
            {'after_deployment': 'addresses boot_volumes config_drive created_at host_id status zone', 'not_described': 'disk_gb flavor_spec_names locked ram_mb trusted_image_certificates vcpus'},
        ),
    ],
    'port of Nova': [
        Seen(
            'openstack.server', 'openstack_compute_instance_v2.s', 's', 'ke-hoach/hn/p1',
            {'zone': 'hn-1', 'key_name': None, 'labels': {}, 'label_names': (), 'has_user_data': False, 'secrets.found': (), 'boot_volumes': (), 'security_groups': ('web',)},
            {'after_deployment': 'addresses created_at host_id status', 'not_described': 'config_drive disk_gb flavor flavor_spec_names image locked ram_mb trusted_image_certificates vcpus'},
        ),
        Seen(
            'openstack.port', 'openstack_compute_instance_v2.s/network/0', '', 'ke-hoach/hn/p1',
            {'network': 'openstack_networking_network_v2.n', 'device_id': 'openstack_compute_instance_v2.s', 'device_owner': 'compute:hn-1', 'allowed_address_pairs': (), 'dhcp.name_servers': (), 'dhcp.time_servers': (), 'port_security': True, 'security_groups': ('openstack_networking_secgroup_v2.g',)},
            {'after_deployment': 'addresses status'},
        ),
    ],
    'port of Nova with another group': [
        Seen(
            'openstack.server', 'openstack_compute_instance_v2.s', 's', 'ke-hoach/hn/p1',
            {'key_name': None, 'labels': {}, 'label_names': (), 'has_user_data': False, 'secrets.found': (), 'boot_volumes': (), 'security_groups': ('default',)},
            {'after_deployment': 'addresses created_at host_id status', 'not_described': 'config_drive disk_gb flavor flavor_spec_names image locked ram_mb trusted_image_certificates vcpus zone'},
        ),
        Seen(
            'openstack.port', 'openstack_compute_instance_v2.s/network/0', '', 'ke-hoach/hn/p1',
            {'addresses': ('10.0.0.4',), 'network': 'n-1', 'device_id': 'openstack_compute_instance_v2.s', 'device_owner': 'compute:', 'allowed_address_pairs': (), 'dhcp.name_servers': (), 'dhcp.time_servers': (), 'security_groups': Partial(items=())},
            {'after_deployment': 'status', 'not_described': 'port_security security_groups'},
        ),
    ],
    'port of an interface': [
        Seen(
            'openstack.port', 'openstack_compute_interface_attach_v2.i/port', '', 'ke-hoach/hn/p1',
            {'network': 'n-1', 'device_id': 'openstack_compute_instance_v2.s', 'device_owner': 'compute:', 'allowed_address_pairs': (), 'dhcp.name_servers': (), 'dhcp.time_servers': (), 'security_groups': ('openstack_networking_secgroup_v2.g',)},
            {'after_deployment': 'addresses status', 'not_described': 'port_security'},
        ),
    ],
    'server group': [
        Seen(
            'openstack.server_group', 'openstack_compute_servergroup_v2.g', 'g', 'ke-hoach/hn/p1',
            {'policy': 'anti-affinity', 'members': ('openstack_compute_instance_v2.a',)},
            {},
        ),
    ],
    'key pair': [
        Seen(
            'openstack.keypair', 'openstack_compute_keypair_v2.k', 'k', 'ke-hoach/hn',
            {'type': 'ssh'},
            {'after_deployment': 'created_at fingerprint user'},
        ),
    ],
    'flavor': [
        Seen(
            'openstack.flavor', 'openstack_compute_flavor_v2.f', 'f', 'ke-hoach/hn',
            {'vcpus': 1, 'ram_mb': 512, 'disk_gb': 0, 'ephemeral_gb': 0, 'swap_mb': 64, 'is_public': True, 'extra_specs': {'a': 'b'}},
            {'not_described': 'disabled'},
        ),
    ],
    'network': [
        Seen(
            'openstack.network', 'openstack_networking_network_v2.n', 'n', 'ke-hoach/hn/p1',
            {'shared': False, 'external': False, 'admin_state_up': True, 'labels': {'system_id': 'cong'}, 'label_names': ('system_id', 'x')},
            {'after_deployment': 'port_security zones'},
        ),
    ],
    'network by other words': [
        Seen(
            'openstack.network', 'openstack_networking_network_v2.n', 'n', 'ke-hoach/hn/p1',
            {'labels': {}, 'label_names': ()},
            {'after_deployment': 'shared zones', 'not_described': 'admin_state_up external port_security'},
        ),
    ],
    'subnet': [
        Seen(
            'openstack.subnet', 'openstack_networking_subnet_v2.s', 's', 'ke-hoach/hn/p1',
            {'network': 'n-1', 'cidr': '10.0.0.0/24', 'dns_nameservers': ('10.0.0.2',), 'dhcp': True, 'ip_version': 4},
            {},
        ),
    ],
    'port': [
        Seen(
            'openstack.port', 'openstack_networking_port_v2.p', 'p', 'ke-hoach/hn/p1',
            {'network': 'n-1', 'allowed_address_pairs': ({'address': '10.0.0.10'},), 'dhcp.name_servers': ('10.0.0.2', '10.0.0.3'), 'dhcp.time_servers': (), 'device_id': '', 'device_owner': '', 'security_groups': ('g-1', 'openstack_networking_secgroup_v2.g'), 'addresses': ('10.0.0.9',)},
            {'after_deployment': 'port_security status'},
        ),
    ],
    'port without groups': [
        Seen(
            'openstack.port', 'openstack_networking_port_v2.p', 'p', 'ke-hoach/hn/p1',
            {'network': 'n-1', 'allowed_address_pairs': (), 'dhcp.name_servers': (), 'dhcp.time_servers': (), 'device_owner': 'compute:hn', 'device_id': 'd-1', 'security_groups': (), 'addresses': ()},
            {'after_deployment': 'status', 'not_described': 'port_security'},
        ),
    ],
    'port in the default group': [
        Seen(
            'openstack.port', 'openstack_networking_port_v2.p', 'p', 'ke-hoach/hn/p1',
            {'allowed_address_pairs': (), 'dhcp.name_servers': (), 'dhcp.time_servers': (), 'device_id': '', 'device_owner': '', 'addresses': Partial(items=())},
            {'after_deployment': 'addresses network security_groups status', 'not_described': 'port_security'},
        ),
    ],
    'router': [
        Seen(
            'openstack.router', 'openstack_networking_router_v2.r', 'r', 'ke-hoach/hn/p1',
            {'distributed': False, 'external_network': 'ngoai', 'external_addresses': ('203.0.113.7',), 'routes': ({'destination': '10.1.0.0/16', 'nexthop': '10.0.0.1'},), 'labels': {}, 'label_names': ()},
            {'after_deployment': 'zones', 'not_described': 'ha'},
        ),
    ],
    'router inside': [
        Seen(
            'openstack.router', 'openstack_networking_router_v2.r', 'r', 'ke-hoach/hn/p1',
            {'external_network': None, 'external_addresses': (), 'routes': (), 'labels': {}, 'label_names': ('a',)},
            {'after_deployment': 'zones', 'not_described': 'distributed ha'},
        ),
    ],
    'floating IP': [
        Seen(
            'openstack.floating_ip', 'openstack_networking_floatingip_v2.f', '', 'ke-hoach/hn/p1',
            {'external_network': 'openstack_networking_network_v2.n', 'port_id': 'openstack_compute_instance_v2.s/network/0', 'fixed_address': '10.0.0.5', 'port_forwardings': ()},
            {'after_deployment': 'address router status'},
        ),
    ],
    'floating IP of a server': [
        Seen(
            'openstack.floating_ip', 'openstack_networking_floatingip_v2.f', '', 'ke-hoach/hn/p1',
            {'port_id': 'openstack_compute_instance_v2.s/network/0', 'port_forwardings': ()},
            {'after_deployment': 'address external_network router status', 'not_described': 'fixed_address'},
        ),
    ],
    'floating IP of nothing': [
        Seen(
            'openstack.floating_ip', 'openstack_networking_floatingip_v2.f', '', 'ke-hoach/hn/p1',
            {'port_id': None, 'fixed_address': None, 'router': None, 'port_forwardings': ()},
            {'after_deployment': 'address external_network status'},
        ),
    ],
    'security group': [
        Seen(
            'openstack.security_group', 'openstack_networking_secgroup_v2.g', 'g', 'ke-hoach/hn/p1',
            {'stateful': True},
            {},
        ),
        Seen(
            'openstack.security_group_rule', 'openstack_networking_secgroup_v2.g/egress/IPv4', '', 'ke-hoach/hn/p1',
            {'security_group': 'openstack_networking_secgroup_v2.g', 'direction': 'egress', 'ethertype': 'IPv4', 'protocol': None, 'ports': None, 'remote_prefix': None, 'remote_group': None, 'remote_address_group': None},
            {},
        ),
        Seen(
            'openstack.security_group_rule', 'openstack_networking_secgroup_v2.g/egress/IPv6', '', 'ke-hoach/hn/p1',
            {'security_group': 'openstack_networking_secgroup_v2.g', 'direction': 'egress', 'ethertype': 'IPv6', 'protocol': None, 'ports': None, 'remote_prefix': None, 'remote_group': None, 'remote_address_group': None},
            {},
        ),
    ],
    'security group of Nova': [
        Seen(
            'openstack.security_group', 'openstack_compute_secgroup_v2.g', 'g', 'ke-hoach/hn/p1',
            {},
            {'not_described': 'stateful'},
        ),
        Seen(
            'openstack.security_group_rule', 'openstack_compute_secgroup_v2.g/egress/IPv4', '', 'ke-hoach/hn/p1',
            {'security_group': 'openstack_compute_secgroup_v2.g', 'direction': 'egress', 'ethertype': 'IPv4', 'protocol': None, 'ports': None, 'remote_prefix': None, 'remote_group': None, 'remote_address_group': None},
            {},
        ),
        Seen(
            'openstack.security_group_rule', 'openstack_compute_secgroup_v2.g/egress/IPv6', '', 'ke-hoach/hn/p1',
            {'security_group': 'openstack_compute_secgroup_v2.g', 'direction': 'egress', 'ethertype': 'IPv6', 'protocol': None, 'ports': None, 'remote_prefix': None, 'remote_group': None, 'remote_address_group': None},
            {},
        ),
        Seen(
            'openstack.security_group_rule', 'openstack_compute_secgroup_v2.g/rule/0', '', 'ke-hoach/hn/p1',
            {'security_group': 'openstack_compute_secgroup_v2.g', 'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': 'tcp', 'remote_prefix': '0.0.0.0/0', 'remote_group': None, 'remote_address_group': None, 'ports': (22, 22)},
            {},
        ),
    ],
    'rule': [
        Seen(
            'openstack.security_group_rule', 'openstack_networking_secgroup_rule_v2.r', '', 'ke-hoach/hn/p1',
            {'security_group': 'g-1', 'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': None, 'remote_prefix': None, 'remote_group': None, 'remote_address_group': None, 'ports': None},
            {},
        ),
    ],
    'rule from a state': [
        Seen(
            'openstack.security_group_rule', 'r-1', '', 'ke-hoach/hcm/p-9',
            {'security_group': 'g-1', 'direction': 'ingress', 'ethertype': 'IPv6', 'protocol': 'tcp', 'remote_prefix': None, 'remote_group': 'g-2', 'remote_address_group': None, 'ports': None},
            {},
        ),
    ],
    'sharing': [
        Seen(
            'openstack.rbac_policy', 'openstack_networking_rbac_policy_v2.r', '', 'ke-hoach/hn/p1',
            {'object_type': 'network', 'object_id': 'n-1', 'action': 'access_as_shared', 'target_tenant': '*'},
            {},
        ),
    ],
    'address group': [
        Seen(
            'openstack.address_group', 'openstack_networking_address_group_v2.a', 'a', 'ke-hoach/hn/p1',
            {'addresses': ('10.0.0.0/8',), 'shared': False},
            {},
        ),
    ],
    'trunk': [
        Seen(
            'openstack.trunk', 'openstack_networking_trunk_v2.t', 't', 'ke-hoach/hn/p1',
            {'port': 'p-1', 'admin_state_up': True, 'sub_ports': ({'port': 'p-2', 'segmentation_type': 'vlan', 'segmentation_id': 5},)},
            {'after_deployment': 'status'},
        ),
    ],
    'QoS policy': [
        Seen(
            'openstack.qos_policy', 'openstack_networking_qos_policy_v2.q', 'q', 'ke-hoach/hn/p1',
            {'shared': False, 'is_default': True, 'rule_kinds': ('bandwidth_limit',)},
            {},
        ),
    ],
    'image': [
        Seen(
            'openstack.image', 'openstack_images_image_v2.i', 'i', 'ke-hoach/hn/p1',
            {'status': 'active', 'visibility': 'shared', 'disk_format': 'qcow2', 'container_format': 'bare', 'protected': True, 'hidden': False, 'min_disk': 5, 'min_ram': 0, 'secrets.found': ({'place': 'metadata', 'key': 'token', 'pattern': 'name'},), 'os_distro': 'ubuntu', 'os_version': '24.04', 'architecture': 'x86_64', 'build_date': 1767225600, 'snapshot_of': None, 'property_names': ('architecture', 'image_build_date', 'image_source', 'os_distro', 'os_version', 'token'), 'properties': {'image_build_date': '2026-01-01', 'image_source': 'url'}, 'labels': {'role': 'web'}, 'label_names': ('architecture', 'image_build_date', 'image_source', 'os_distro', 'os_version', 'role', 'token')},
            {'after_deployment': 'created_at hash_algo hash_value owner size_bytes stores updated_at', 'not_described': 'external_urls locations_shown'},
        ),
    ],
    'image that is imported': [
        Seen(
            'openstack.image', 'openstack_images_image_v2.i', 'i', 'ke-hoach/hn/p1',
            {'status': 'active', 'visibility': 'private', 'disk_format': 'raw', 'container_format': 'bare', 'protected': False, 'hidden': False, 'min_disk': 0, 'min_ram': 0, 'os_distro': None, 'os_version': None, 'architecture': None, 'build_date': None, 'snapshot_of': None, 'property_names': Partial(items=('os_secure_boot',)), 'labels': {}, 'label_names': ('os_secure_boot',)},
            {'after_deployment': 'created_at hash_algo hash_value properties property_names secrets.found stores updated_at', 'not_described': 'external_urls locations_shown owner size_bytes'},
        ),
    ],
    'member of an image': [
        Seen(
            'openstack.image_member', 'i-1:p-2', '', 'ke-hoach/hn/p1',
            {'image': 'i-1', 'member': 'p-2', 'status': 'pending'},
            {},
        ),
    ],
    'container': [
        Seen(
            'openstack.container', 'p1/ho-so', 'ho-so', 'ke-hoach/hn/p1',
            {'read_acl': 'p2:*', 'write_acl': None, 'sync_to': 'https://khac/v1/c', 'sync_key_present': True, 'storage_policy': 'nhanh', 'versioning.state': 'enabled', 'quota_bytes': 5, 'labels': {'system_id': 'cong'}, 'label_names': ('quota-bytes', 'system_id'), 'secrets.found': ()},
            {},
        ),
    ],
    'load balancer': [
        Seen(
            'openstack.loadbalancer', 'openstack_lb_loadbalancer_v2.l', 'l', 'ke-hoach/hn/p1',
            {'admin_state_up': True, 'vip_address': '10.0.0.3', 'vip_subnet': 's-1', 'flavor': None, 'availability_zone': None},
            {'after_deployment': 'amphorae operating_status provider provisioning_status vip_port'},
        ),
    ],
    'listener': [
        Seen(
            'openstack.listener', 'openstack_lb_listener_v2.l', 'l', 'ke-hoach/hn/p1',
            {'protocol': 'TERMINATED_HTTPS', 'port': 443, 'load_balancers': ('lb-1',), 'admin_state_up': True, 'sni_count': 1, 'tls_versions': ('TLSv1.3',), 'tls_ciphers': ('A', 'B'), 'alpn_protocols': ('h2',), 'insert_headers': ('X-A', 'X-B'), 'allowed_cidrs': ('10.0.0.0/8',), 'default_pool': 'openstack_lb_pool_v2.p', 'l7_policies': ({'action': 'REDIRECT_TO_URL', 'scheme': 'https'},)},
            {'withheld': 'default_tls_container'},
        ),
    ],
    'pool': [
        Seen(
            'openstack.lb_pool', 'openstack_lb_pool_v2.p', 'p', 'ke-hoach/hn/p1',
            {'protocol': 'HTTP', 'lb_algorithm': 'ROUND_ROBIN', 'session_persistence': 'SOURCE_IP', 'admin_state_up': True, 'tls_enabled': False, 'load_balancers': ('lb-1',), 'members': Partial(items=({'address': '10.0.0.5', 'port': 80, 'monitor_address': None, 'monitor_port': None, 'backup': True}, {'address': '10.0.0.6', 'port': 80, 'subnet': None, 'monitor_address': None, 'monitor_port': None, 'backup': False})), 'monitor.type': 'HTTP', 'monitor.delay': 5, 'monitor.timeout': 3, 'monitor.max_retries': 2},
            {'after_deployment': 'members monitor.operating_status operating_status'},
        ),
    ],
    'share': [
        Seen(
            'openstack.share', 'openstack_sharedfilesystem_share_v2.s', 's', 'ke-hoach/hn/p1',
            {'protocol': 'NFS', 'size_gb': 5, 'zone': 'hn-1', 'is_public': False, 'labels': {}, 'label_names': ()},
            {'after_deployment': 'created_at status'},
        ),
    ],
    'access to a share': [
        Seen(
            'openstack.share_access_rule', 'openstack_sharedfilesystem_share_access_v2.a', '', 'ke-hoach/hn/p1',
            {'share': 's-1', 'access_type': 'user', 'access_level': 'ro', 'access_to': 'an', 'address': None},
            {'after_deployment': 'state'},
        ),
    ],
    'project': [
        Seen(
            'openstack.project', 'openstack_identity_project_v3.p', 'p', 'ke-hoach/*/openstack_identity_project_v3.p',
            {'domain': 'd-1', 'enabled': True, 'labels': {'owner': 'so'}, 'label_names': ('owner',)},
            {},
        ),
    ],
    'user': [
        Seen(
            'openstack.user', 'openstack_identity_user_v3.u', 'u', 'ke-hoach',
            {'domain': 'd-1', 'enabled': True, 'mfa.enabled': True, 'mfa.rules': ({'methods': ('password', 'totp')},), 'ignores_password_expiry': False, 'ignores_lockout': True, 'ignores_first_change': False, 'federated': False},
            {'after_deployment': 'password_expires_at'},
        ),
    ],
    'group': [
        Seen(
            'openstack.group', 'openstack_identity_group_v3.g', 'g', 'ke-hoach',
            {'domain': 'd-1'},
            {},
        ),
    ],
    'member of a group': [
        Seen(
            'openstack.group_member', 'g-1:u-1', '', 'ke-hoach',
            {'group': 'g-1', 'user': 'u-1'},
            {},
        ),
    ],
    'role': [
        Seen(
            'openstack.role', 'openstack_identity_role_v3.r', 'r', 'ke-hoach',
            {'domain': None, 'immutable': False},
            {},
        ),
    ],
    'role that is given': [
        Seen(
            'openstack.role_assignment', 'openstack_identity_role_assignment_v3.a', '', 'ke-hoach',
            {'role': 'member', 'user': 'u-1', 'group': None, 'inherited': False, 'scope': 'project', 'scope_id': 'p-1'},
            {},
        ),
    ],
    'role that is inherited': [
        Seen(
            'openstack.role_assignment', 'openstack_identity_inherit_role_assignment_v3.a', '', 'ke-hoach',
            {'user': None, 'group': 'g-1', 'inherited': True, 'scope': 'domain', 'scope_id': 'd-1'},
            {'not_described': 'role'},
        ),
    ],
    'application credential': [
        Seen(
            'openstack.application_credential', 'openstack_identity_application_credential_v3.c', 'c', 'ke-hoach',
            {'roles': ('reader',), 'unrestricted': False, 'expires_at': 1798761600, 'access_rules': ({'service': 'compute', 'method': 'GET', 'path': '/v2.1/servers'},)},
            {'after_deployment': 'project_id user'},
        ),
    ],
    'VPN': [
        Seen(
            'openstack.vpn_connection', 'openstack_vpnaas_site_connection_v2.v', 'v', 'ke-hoach/hn/p1',
            {'peer_address': '203.0.113.1', 'peer_cidrs': ('10.9.0.0/16',), 'ike.version': 'v2', 'ike.encryption': 'aes-128', 'ike.pfs': 'group5'},
            {'after_deployment': 'ike.auth status', 'not_described': 'ipsec'},
        ),
    ],
    'DNS zone': [
        Seen(
            'openstack.dns_zone', 'openstack_dns_zone_v2.z', 'cong.example.vn.', 'ke-hoach/hn/p1',
            {'type': 'PRIMARY', 'ttl': 300, 'shared': True},
            {'after_deployment': 'serial status'},
        ),
    ],
    'secret': [
        Seen(
            'openstack.secret', 'openstack_keymanager_secret_v1.s', 's', 'ke-hoach/hn/p1',
            {'secret_type': 'passphrase', 'algorithm': 'aes', 'bit_length': 256, 'mode': None, 'expiration': 1798761600},
            {'after_deployment': 'created_at creator status'},
        ),
    ],
    'stack': [
        Seen(
            'openstack.stack', 'openstack_orchestration_stack_v1.s', 's', 'ke-hoach/hn/p1',
            {'parent': None, 'labels': {'role': 'web'}, 'label_names': ('role',), 'secrets.found': ()},
            {'after_deployment': 'action created_at status updated_at', 'not_described': 'resource_types'},
        ),
    ],
    'BGP VPN': [
        Seen(
            'openstack.bgpvpn', 'openstack_bgpvpn_v2.b', 'b', 'ke-hoach/hn/p1',
            {'type': 'l3', 'route_targets': ('64512:1',), 'import_targets': (), 'export_targets': (), 'networks': ('n-1',), 'routers': ()},
            {},
        ),
    ],
    'bucket': [
        Seen(
            's3.bucket', 'ho-so', 'ho-so', 'ke-hoach',
            {'versioning.state': 'enabled', 'encryption.algorithm': 'aws:kms', 'encryption.kms_key_present': True, 'lock.enabled': True, 'lock.mode': 'COMPLIANCE', 'lock.retention': 31536000, 'lifecycle.rules': ({'id': 'r1', 'enabled': True, 'prefix': 'x/', 'filtered': False, 'expire_days': 30, 'expire_date': None, 'noncurrent_days': 10, 'newer_noncurrent': 2, 'abort_upload_days': None, 'transitions': ('GLACIER',)}, {'id': 'r2', 'enabled': False, 'prefix': '', 'filtered': True, 'expire_days': None, 'expire_date': 1798761600, 'noncurrent_days': None, 'newer_noncurrent': None, 'abort_upload_days': 3, 'transitions': ()}), 'replication.rules': ({'id': '', 'enabled': True, 'prefix': '', 'filtered': False, 'destination': 'ban-sao', 'destination_account': None, 'storage_class': None},), 'policy.present': True, 'policy.statements': ({'effect': 'Allow', 'principals': ('*',), 'actions': ('s3:GetObject',), 'resources': ('arn:aws:s3:::ho-so/*',), 'conditions': ()},), 'acl.grants': ({'grantee': 'AllUsers', 'kind': 'group', 'permission': 'READ'}, {'grantee': 'o', 'kind': 'user', 'permission': 'FULL_CONTROL'}), 'acl.owner': 'o', 'block.block_acls': True, 'block.ignore_acls': False, 'block.restrict': True, 'block.configured': True, 'logging.target': 'ban-sao', 'logging.prefix': 'x/', 'notification.targets': ('arn:t', 'eventbridge'), 'cors.origins': ('*', 'https://a'), 'website.enabled': True, 'ownership.rule': 'BucketOwnerPreferred', 'location': 'vn-hn', 'labels': {'role': 'backup'}, 'label_names': ('role', 'x')},
            {'after_deployment': 'block.block_policy created_at owner_id versioning.mfa_delete', 'not_described': 'policy_status'},
        ),
    ],
    'bucket of the old kind': [
        Seen(
            's3.bucket', 'cu', 'cu', 'ke-hoach',
            {'versioning.state': 'enabled', 'versioning.mfa_delete': False, 'encryption.algorithm': 'AES256', 'encryption.kms_key_present': False, 'lock.enabled': True, 'lock.mode': 'GOVERNANCE', 'lock.retention': 604800, 'lifecycle.rules': ({'id': '', 'enabled': True, 'prefix': 'a/', 'filtered': True, 'expire_days': 9, 'expire_date': None, 'noncurrent_days': 8, 'newer_noncurrent': None, 'abort_upload_days': 2, 'transitions': ()},), 'replication.rules': ({'id': 'x', 'enabled': True, 'prefix': 'p/', 'filtered': False, 'destination': 'dich', 'destination_account': 'a-1', 'storage_class': 'STANDARD_IA'},), 'policy.present': False, 'policy.statements': (), 'acl.grants': ({'grantee': '', 'kind': 'user', 'permission': 'FULL_CONTROL'}, {'grantee': 'AllUsers', 'kind': 'group', 'permission': 'READ'}), 'block.configured': False, 'block.block_acls': False, 'block.ignore_acls': False, 'block.block_policy': False, 'block.restrict': False, 'logging.target': 'nhat-ky', 'logging.prefix': None, 'notification.targets': (), 'cors.origins': ('*',), 'website.enabled': True, 'policy_status.is_public': False, 'location': 'vn-hn', 'labels': {}, 'label_names': ()},
            {'after_deployment': 'acl.owner created_at owner_id', 'not_described': 'ownership'},
        ),
    ],
    'bucket with nothing said': [
        Seen(
            's3.bucket', 'aws_s3_bucket.b', 'b', 'ke-hoach',
            {'versioning.state': 'off', 'versioning.mfa_delete': None, 'lock.enabled': False, 'lock.mode': None, 'lock.retention': None, 'lifecycle.rules': (), 'replication.rules': (), 'policy.present': False, 'policy.statements': (), 'acl.grants': ({'grantee': '', 'kind': 'user', 'permission': 'FULL_CONTROL'},), 'block.configured': False, 'block.block_acls': False, 'block.ignore_acls': False, 'block.block_policy': False, 'block.restrict': False, 'logging.target': None, 'logging.prefix': None, 'notification.targets': (), 'cors.origins': (), 'website.enabled': False, 'policy_status.is_public': False, 'location': 'vn-hn', 'labels': {}, 'label_names': ()},
            {'after_deployment': 'acl.owner created_at name owner_id', 'not_described': 'encryption ownership'},
        ),
    ],
    'bucket at Amazon': [
        Seen(
            's3.bucket', 'b', 'b', 'ke-hoach',
            {'versioning.state': 'off', 'versioning.mfa_delete': None, 'encryption.algorithm': 'AES256', 'encryption.kms_key_present': False, 'lock.enabled': False, 'lock.mode': None, 'lock.retention': None, 'lifecycle.rules': (), 'replication.rules': (), 'policy.present': False, 'policy.statements': (), 'acl.grants': ({'grantee': '', 'kind': 'user', 'permission': 'FULL_CONTROL'},), 'block.configured': True, 'block.block_acls': True, 'block.ignore_acls': True, 'block.block_policy': True, 'block.restrict': True, 'logging.target': None, 'logging.prefix': None, 'notification.targets': (), 'cors.origins': (), 'website.enabled': False, 'ownership.rule': 'BucketOwnerEnforced', 'policy_status.is_public': False, 'location': 'ap-southeast-1', 'labels': {}, 'label_names': ()},
            {'after_deployment': 'acl.owner created_at owner_id'},
        ),
    ],
    'bucket there already': [
        Seen(
            's3.bucket', 'b', 'b', 'ke-hoach',
            {'location': 'vn-hn', 'labels': {}, 'label_names': ()},
            {'not_described': 'acl block cors created_at encryption lifecycle lock logging notification owner_id ownership policy policy_status replication versioning website'},
        ),
    ],
}
# fmt: on


@pytest.mark.parametrize("case", CASES)
def test_what_a_block_becomes(case: str) -> None:
    assert [seen(one) for one in of(CASES[case])] == EXPECTED[case]


def test_every_type_that_the_table_reads_is_shown() -> None:
    shown = {one.type for expected in EXPECTED.values() for one in expected}
    assert shown == {one.type for one in meaning.TERRAFORM.values() if one.type}


@pytest.mark.parametrize("type_", [name for name in TYPES if name.startswith(KINDS)])
def test_of_every_type_it_is_decided_whether_code_declares_it(type_: str) -> None:
    assert (type_ in meaning.DEPLOYABLE) is not (type_ in meaning.OF_THE_PLATFORM)


def test_no_other_type_is_decided() -> None:
    assert set(TYPES) >= meaning.DEPLOYABLE | set(meaning.OF_THE_PLATFORM)
    assert {one.type for one in meaning.TERRAFORM.values() if one.type} <= meaning.DEPLOYABLE


@pytest.mark.parametrize("case", CASES)
def test_every_fact_is_declared_and_every_declared_fact_told_or_explained(case: str) -> None:
    for one in resources(CASES[case]):
        specs = {name: spec for name, spec in TYPES[one.type].facts.items() if not spec.derived}
        assert [name for name in specs if name not in one.facts and one.why_missing(name) is None] == []
        assert fitting(one)


def fitting(one: Resource) -> bool:
    """Whether a snapshot keeps every fact of a resource as it is."""
    dropped: set[str] = set()
    record = Encoder(TYPES[one.type], dropped)(one)
    assert not dropped
    # A number beyond those of JSON is kept out by the snapshot itself, with that reason.
    assert one.facts.keys() <= record["facts"].keys() | record.get("unseen", {}).keys()
    nulls = [
        name
        for name, value in one.facts.items()
        if value is None and not TYPES[one.type].facts[name].nullable
    ]
    assert nulls == []
    json.dumps(record)
    return True


# --- the same, read live --------------------------------------------------------------------------------

OF_API: dict[str, tuple[Any, dict[str, Any], Block]] = {
    "rule": (
        network._rule,
        {
            "security_group_id": "g",
            "direction": "ingress",
            "ethertype": "IPv4",
            "protocol": "tcp",
            "remote_ip_prefix": None,
            "remote_group_id": "h",
            "port_range_min": 22,
            "port_range_max": 80,
        },
        block(
            "openstack_networking_secgroup_rule_v2.r",
            {
                "security_group_id": "g",
                "direction": "ingress",
                "ethertype": "IPv4",
                "protocol": "tcp",
                "remote_ip_prefix": None,
                "remote_group_id": "h",
                "port_range_min": 22,
                "port_range_max": 80,
            },
        ),
    ),
    "rule for all": (
        network._rule,
        {
            "security_group_id": "g",
            "direction": "ingress",
            "ethertype": "IPv6",
            "protocol": "ipv6-icmp",
            "remote_ip_prefix": "::/0",
            "remote_group_id": None,
            "port_range_min": 128,
            "port_range_max": 0,
        },
        block(
            "openstack_networking_secgroup_rule_v2.r",
            {
                "security_group_id": "g",
                "direction": "ingress",
                "ethertype": "IPv6",
                "protocol": "ipv6-icmp",
                "remote_ip_prefix": "::/0",
                "remote_group_id": LATER,
                "port_range_min": 128,
                "port_range_max": 0,
            },
            left_out=["remote_group_id"],
        ),
    ),
    "network": (
        network._network,
        {
            "shared": False,
            "admin_state_up": True,
            "router:external": False,
            "port_security_enabled": True,
            "availability_zones": [],
            "tags": ["role=web"],
        },
        block(
            "openstack_networking_network_v2.n",
            {"name": "n", "port_security_enabled": True, "tags": ["role=web"]},
        ),
    ),
    "subnet": (
        network._subnet,
        {
            "network_id": "n",
            "cidr": "10.0.0.0/24",
            "dns_nameservers": [],
            "enable_dhcp": True,
            "ip_version": 4,
        },
        block("openstack_networking_subnet_v2.s", {"name": "s", "network_id": "n", "cidr": "10.0.0.0/24"}),
    ),
    "port": (
        network._port,
        {
            "network_id": "n",
            "device_owner": "",
            "device_id": "",
            "security_groups": ["g"],
            "port_security_enabled": True,
            "status": "DOWN",
            "fixed_ips": [{"subnet_id": "s", "ip_address": "10.0.0.9"}],
            "allowed_address_pairs": [{"ip_address": "10.0.0.10", "mac_address": "m"}],
            "extra_dhcp_opts": [{"opt_name": "ntp-server", "opt_value": "10.0.0.2", "ip_version": 4}],
        },
        block(
            "openstack_networking_port_v2.p",
            {
                "name": "p",
                "network_id": "n",
                "security_group_ids": ["g"],
                "port_security_enabled": True,
                "fixed_ip": [{"subnet_id": "s", "ip_address": "10.0.0.9"}],
                "allowed_address_pairs": [{"ip_address": "10.0.0.10", "mac_address": LATER}],
                "extra_dhcp_option": [{"name": "ntp-server", "value": "10.0.0.2", "ip_version": 4}],
            },
        ),
    ),
    "router": (
        network._router,
        {"external_gateway_info": None, "availability_zones": [], "routes": [], "tags": []},
        block("openstack_networking_router_v2.r", {"name": "r"}),
    ),
    "image": (
        image._image,
        {
            "status": "active",
            "visibility": "private",
            "owner": "p",
            "disk_format": "qcow2",
            "container_format": "bare",
            "protected": False,
            "size": 1,
            "min_disk": 5,
            "min_ram": 0,
            "os_hash_algo": "sha512",
            "os_hash_value": "00",
            "os_distro": "ubuntu",
            "hw_rng_model": "virtio",
            "image_source": "https://x",
            "os_hidden": False,
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": None,
            "tags": ["role=web"],
        },
        block(
            "openstack_images_image_v2.i",
            {
                "name": "i",
                "visibility": "private",
                "disk_format": "qcow2",
                "container_format": "bare",
                "min_disk_gb": 5,
                "properties": {"os_distro": "ubuntu", "hw_rng_model": "virtio", "image_source": "https://x"},
                "tags": ["role=web"],
            },
        ),
    ),
    "listener": (
        load_balancer._listener,
        {
            "protocol": "TERMINATED_HTTPS",
            "protocol_port": 443,
            "loadbalancers": [{"id": "l"}],
            "admin_state_up": True,
            "default_tls_container_ref": "https://k",
            "sni_container_refs": [],
            "tls_versions": ["TLSv1.3"],
            "tls_ciphers": "A:B",
            "alpn_protocols": ["h2"],
            "insert_headers": {},
            "allowed_cidrs": None,
            "default_pool_id": None,
        },
        block(
            "openstack_lb_listener_v2.l",
            {
                "name": "l",
                "protocol": "TERMINATED_HTTPS",
                "protocol_port": 443,
                "loadbalancer_id": "l",
                "default_tls_container_ref": "https://k",
                "tls_versions": ["TLSv1.3"],
                "tls_ciphers": "A:B",
                "alpn_protocols": ["h2"],
            },
        ),
    ),
    "share": (
        shared_file_system._share,
        {
            "status": "available",
            "share_proto": "NFS",
            "size": 5,
            "availability_zone": "hn",
            "created_at": "2026-01-01T00:00:00",
            "is_public": False,
            "metadata": {"role": "web"},
        },
        block(
            "openstack_sharedfilesystem_share_v2.s",
            {
                "name": "s",
                "share_proto": "NFS",
                "size": 5,
                "availability_zone": "hn",
                "metadata": {"role": "web"},
            },
        ),
    ),
    "access to a share": (
        shared_file_system._rule,
        {
            "share": "s",
            "access_type": "ip",
            "access_level": "rw",
            "state": "active",
            "access_to": "0.0.0.0/0",
        },
        block(
            "openstack_sharedfilesystem_share_access_v2.a",
            {"share_id": "s", "access_type": "ip", "access_level": "rw", "access_to": "0.0.0.0/0"},
        ),
    ),
    "application credential": (
        identity._credential,
        {
            "user_id": "u",
            "project_id": "p",
            "roles": [{"name": "reader"}],
            "unrestricted": False,
            "expires_at": "2027-01-01T00:00:00.000000",
            "access_rules": [{"id": "x", "service": "compute", "method": "GET", "path": "/v2.1/servers"}],
        },
        block(
            "openstack_identity_application_credential_v3.c",
            {
                "name": "c",
                "roles": ["reader"],
                "expires_at": "2027-01-01T00:00:00Z",
                "access_rules": [
                    {"id": LATER, "service": "compute", "method": "GET", "path": "/v2.1/servers"}
                ],
            },
        ),
    ),
}


@pytest.mark.parametrize("case", OF_API)
def test_code_gives_the_facts_that_the_service_will(case: str) -> None:
    read, row, code = OF_API[case]
    desk = SimpleNamespace(allowed=LABEL_KEYS, at_least=lambda *version: True)
    item = Item(row)
    read(item, desk)
    (one,) = of((code,))
    shared = item.facts.keys() & one.facts.keys()
    assert len(shared) >= 4
    assert {fact: one.facts[fact] for fact in shared} == {fact: item.facts[fact] for fact in shared}


# --- values that are not told, or not fit ---------------------------------------------------------------


def changed(blocks: tuple[Block, ...], value: Any) -> Iterator[tuple[str, tuple[Block, ...]]]:
    """The code with one attribute after another replaced."""
    for i, one in enumerate(blocks):
        for name in one.values:
            other = replace(one, values={**one.values, name: value}, left_out=one.left_out - {name})
            yield f"{one.address}.{name}", (*blocks[:i], other, *blocks[i + 1 :])


@pytest.mark.parametrize("why", [LATER, WITHHELD])
@pytest.mark.parametrize("case", CASES)
def test_what_is_not_told_is_never_taken_for_something_else(case: str, why: Untold) -> None:
    """A fact that differs is missing, or known in part, and never another value."""
    reasons = {LATER: Reason.AFTER_DEPLOYMENT, WITHHELD: Reason.WITHHELD}
    before = {(one.type, one.id): one for one in of(CASES[case])}
    for where, code in changed(CASES[case], why):
        for one in of(code):
            assert fitting(one), where
            plain = before.get((one.type, one.id))
            if plain is None:
                continue
            for fact, value in one.facts.items():
                told = plain.facts.get(fact)
                if value == told or isinstance(value, Partial):
                    continue
                # What an attribute of two leaves to the other; each stands by itself.
                assert (where.rpartition(".")[2], fact) in BY_ANOTHER, (where, fact, told, value)
            for fact in plain.facts.keys() - one.facts.keys():
                missing = one.why_missing(fact)
                assert missing is not None, (where, fact)
                assert missing.reason in (reasons[why], Reason.AFTER_DEPLOYMENT, Reason.NOT_DESCRIBED), (
                    where,
                    fact,
                )


BY_ANOTHER = {
    ("availability_zone", "device_owner"), ("project_id", "scope"), ("domain_id", "scope"),
    ("bucket", "logging.target"),
}  # fmt: skip
"""What Nova calls its port ends in the zone, which is all that is missing; a role is given on one scope; the bucket of
logs is known by the same id as before its name is told."""

HOSTILE: tuple[Any, ...] = (
    7,
    -1,
    2**70,
    1.5,
    True,
    "",
    "x" * 10_000,
    unicodedata.normalize("NFD", "hồ sơ"),
    "\ud800",
    "\x00",
    [],
    {},
    [[]],
    [{}],
    [None],
    {"a": {"b": []}},
    [{"id": 1}],
    ["x", 7],
    {"": ""},
    None,
)


@pytest.mark.parametrize("case", CASES)
def test_a_value_of_the_wrong_kind_costs_no_more_than_its_facts(case: str) -> None:
    for value in HOSTILE:
        for where, code in changed(CASES[case], value):
            found = of(code)
            assert all(map(fitting, found)), (where, value)


def test_a_fact_of_the_wrong_kind_says_so() -> None:
    (one,) = of(
        (block("openstack_sharedfilesystem_share_v2.s", {"name": "s", "size": "5", "is_public": {}}),)
    )
    assert {
        fact: (why.reason, why.detail) for fact, why in one.unseen.items() if fact in ("size_gb", "is_public")
    } == {
        "size_gb": (Reason.INVALID_ANSWER, "'size' holds no integer"),
        "is_public": (Reason.INVALID_ANSWER, "'is_public' holds no boolean"),
    }


def test_values_in_a_block_are_never_told_where_they_are_secrets() -> None:
    secret = "hunter-two-22"
    code = (
        block("openstack_compute_instance_v2.s", {"name": "s", "admin_pass": secret, "user_data": f"password: {secret}",
              "metadata": {"db_password": secret}, "personality": [{"file": "/x", "content": secret}]}),
        block("openstack_vpnaas_site_connection_v2.v", {"name": "v", "psk": secret}),
        block("openstack_keymanager_secret_v1.k", {"name": "k", "payload": secret}),
        block("openstack_identity_user_v3.u", {"name": "u", "password": secret}),
        block("openstack_objectstorage_container_v1.c", {"name": "c", "container_sync_key": secret, "metadata": {"token": secret}}),
        block("openstack_images_image_v2.i", {"name": "i", "properties": {"api_token": secret}, "image_source_password": secret}),
    )  # fmt: skip
    assert secret not in repr(resources(code))


@pytest.mark.parametrize(
    ("user_data", "found", "unseen"),
    [
        ("#cloud-config\n", (), None),
        # What the provider keeps in its place.
        ("a94a8fe5ccb19ba61c4c0873d391e987982fbbd3", None, Reason.NOT_DESCRIBED),
        (LATER, None, Reason.AFTER_DEPLOYMENT),
        (WITHHELD, None, Reason.WITHHELD),
    ],
)
def test_user_data(user_data: object, found: object, unseen: Reason | None) -> None:
    server, *_ = of((block("openstack_compute_instance_v2.s", {"name": "s", "user_data": user_data}),))
    why = server.unseen.get("secrets.found")
    assert (server.facts.get("secrets.found"), why and why.reason) == (found, unseen)


# --- where things will be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "place", "scope", "unseen"),
    [
        ({}, {}, "t", {"region": Reason.NOT_DESCRIBED, "project": Reason.NOT_DESCRIBED}),
        ({"region": "hn", "tenant_id": "p"}, {"region": "hcm", "tenant_id": "q"}, "t/hn/p", {}),
        ({}, {"region": "hcm", "tenant_id": "q"}, "t/hcm/q", {}),
        ({"region": LATER}, {"region": LATER, "tenant_id": "q"}, "t/*/q", {"region": Reason.AFTER_DEPLOYMENT}),
        ({"region": 7, "tenant_id": []}, {}, "t", {"region": Reason.INVALID_ANSWER, "project": Reason.INVALID_ANSWER}),
    ],
)  # fmt: skip
def test_where_a_thing_will_be(
    values: dict[str, Any], place: dict[str, Any], scope: str, unseen: dict[str, Reason]
) -> None:
    target = CodeTarget("t", "plan", Path("p"), "p")
    code = [block("openstack_networking_subnet_v2.s", {"name": "s", **values}, place=place)]
    (one,) = resources(code, target)
    assert str(one.scope) == scope
    assert {fact: why.reason for fact, why in one.unseen.items() if fact in ("region", "project")} == unseen


def test_targets_yaml_names_what_the_code_leaves_to_its_provider() -> None:
    code = [block("openstack_networking_subnet_v2.s", {"name": "s", "region": LATER}, left_out=["region"])]
    (one,) = resources(code)
    assert one.scope == HERE


def test_the_stores_of_a_code() -> None:
    code = [
        block("aws_s3_bucket.a", {"bucket": "a"}),
        block("aws_s3_bucket.b", {"bucket": "b"}),
        block("aws_s3_bucket.c", {"bucket": "c"}, place=AMAZON),
        block("aws_s3_bucket.d", {"bucket": "d"}, place={"region": "x", "endpoints": [{"s3": LATER}]}),
        block("aws_s3_bucket.e", {"bucket": "e"}, place={}),
    ]
    found = [one for one in resources(code) if one.type == "s3.endpoint"]
    assert [(one.id, one.facts.get("url"), one.facts.get("host")) for one in found] == [
        ("https://s3.hn.example.vn", "https://s3.hn.example.vn", "s3.hn.example.vn"),
        ("https://s3.ap-southeast-1.amazonaws.com",) * 2 + ("s3.ap-southeast-1.amazonaws.com",),
        ("aws_s3_bucket.d/endpoint", None, None),
        ("aws_s3_bucket.e/endpoint", None, None),
    ]
    reasons = [one.unseen["url"].reason for one in found[2:]]
    assert reasons == [Reason.AFTER_DEPLOYMENT, Reason.NOT_DESCRIBED]


# --- settings of a bucket -------------------------------------------------------------------------------


def setting(*blocks: Block, fact: str = "versioning.state") -> tuple[object, Reason | None]:
    bucket = next(one for one in resources(blocks) if one.type == "s3.bucket")
    why = bucket.why_missing(fact)
    return bucket.facts.get(fact), why and why.reason


BUCKET = block("aws_s3_bucket.b", {"bucket": "b"})
ON = {"versioning_configuration": [{"status": "Enabled"}]}


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], ("off", None)),
        ([block("aws_s3_bucket_versioning.x", {"bucket": "b", **ON})], ("enabled", None)),
        ([block("aws_s3_bucket_versioning.x", {"bucket": "khac", **ON})], ("off", None)),
        # Its bucket is told later: it could be this one.
        ([block("aws_s3_bucket_versioning.x", {"bucket": LATER, **ON})], (None, Reason.AFTER_DEPLOYMENT)),
        ([block(f"aws_s3_bucket_versioning.{n}", {"bucket": "b", **ON}) for n in "xy"], (None, Reason.AMBIGUOUS)),
        # One of another store, whose bucket has the same name.
        ([block("aws_s3_bucket_versioning.x", {"bucket": "b", **ON}, place=AMAZON)], ("off", None)),
        ([block("aws_s3_bucket_versioning.x", {"bucket": "b", "versioning_configuration": [{"status": "?"}]})], (None, Reason.INVALID_ANSWER)),
    ],
)  # fmt: skip
def test_a_setting_with_a_block_of_its_own(others: list[Block], expected: object) -> None:
    assert setting(BUCKET, *others) == expected


@pytest.mark.parametrize(
    ("place", "block_", "encryption"),
    [
        (STORE, (False, None), (None, Reason.NOT_DESCRIBED)),
        (AMAZON, (True, None), ("AES256", None)),
        (
            {"region": "cn-north-1", "endpoint": "https://s3.cn-north-1.amazonaws.com.cn"},
            (True, None),
            ("AES256", None),
        ),
        # Nothing is told of its provider, or not yet.
        ({}, (None, Reason.NOT_DESCRIBED), (None, Reason.NOT_DESCRIBED)),
        ({"region": "x", "endpoints": LATER}, (None, Reason.NOT_DESCRIBED), (None, Reason.NOT_DESCRIBED)),
        (
            {"region": "x", "endpoint": "https://s3.amazonaws.com.khac.vn"},
            (False, None),
            (None, Reason.NOT_DESCRIBED),
        ),
    ],
)
def test_what_stores_do_by_themselves(place: dict[str, Any], block_: object, encryption: object) -> None:
    own = block("aws_s3_bucket.b", {"bucket": "b"}, place=place)
    assert setting(own, fact="block.block_acls") == block_
    assert setting(own, fact="encryption.algorithm") == encryption


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        (frozenset(), ("enabled", None)),
        (frozenset({"aws_s3_bucket_policy"}), ("enabled", None)),
        (frozenset({"aws_s3_bucket_versioning"}), (None, Reason.AFTER_DEPLOYMENT)),
    ],
)
def test_what_a_bucket_tells_of_a_setting_is_over_when_the_setting_is_taken_away(
    gone: frozenset[str], expected: object
) -> None:
    there = block("aws_s3_bucket.b", {"bucket": "b", "versioning": [{"enabled": True}]}, id_="b")
    code = Code("terraform plan", "plan.json", "0" * 64, [there], gone=gone)
    (bucket,) = meaning.resources(code, TARGET, frozenset({"s3.bucket"}), NOW, 1)
    why = bucket.why_missing("versioning.state")
    assert (bucket.facts.get("versioning.state"), why and why.reason) == expected


@pytest.mark.parametrize(
    ("group", "server", "known"),
    [
        ({"region": "hn"}, {"region": "hn"}, True),
        ({"region": "hn"}, {"region": "hcm"}, False),
        ({}, {}, True),
        ({"region": LATER}, {"region": LATER}, True),
        ({"region": "hn"}, {}, True),
    ],
)
def test_a_name_means_a_group_of_the_same_region(
    group: dict[str, Any], server: dict[str, Any], known: bool
) -> None:
    code = [
        block("openstack_networking_secgroup_v2.web", {"name": "web", **group}),
        block(
            "openstack_compute_instance_v2.web",
            {"name": "web", "security_groups": ["web"], "network": [{"uuid": "n-1"}], **server},
        ),
    ]
    port = next(one for one in resources(code) if one.type == "openstack.port")
    ids = ("openstack_networking_secgroup_v2.web",)
    assert port.facts["security_groups"] == (ids if known else Partial(()))


def test_a_name_means_nothing_at_another_provider() -> None:
    place = {"provider": "openstack", "alias": "xa"}
    code = [
        block("openstack_networking_secgroup_v2.web", {"name": "web"}, place=place),
        block(
            "openstack_compute_instance_v2.web",
            {"name": "web", "security_groups": ["web"], "network": [{"uuid": "n-1"}]},
        ),
    ]
    port = next(one for one in resources(code) if one.type == "openstack.port")
    assert port.facts["security_groups"] == Partial(())


IP = block("openstack_networking_floatingip_v2.f", {"address": "203.0.113.4", "port_id": ""}, id_="f-1")
TIE = block(
    "openstack_networking_floatingip_associate_v2.t", {"floating_ip": "203.0.113.4", "port_id": "p-1"}
)
LISTENER = block("openstack_lb_listener_v2.l", {"protocol": "HTTP", "default_pool_id": ""}, id_="l-1")
DISK = block("openstack_blockstorage_volume_v3.v", {"name": "v", "attachment": []}, id_="v-1")


@pytest.mark.parametrize(
    ("code", "gone", "fact", "expected"),
    [
        ([IP], "", "port_id", (None, None)),
        ([IP, TIE], "", "port_id", ("p-1", None)),
        ([IP, replace(TIE, values={**TIE.values, "floating_ip": LATER})], "", "port_id", (None, Reason.AFTER_DEPLOYMENT)),
        ([replace(IP, values={**IP.values, "port_id": "p-1"})], TIE.type, "port_id", (None, Reason.NOT_DESCRIBED)),
        ([LISTENER], "", "default_pool", (None, None)),
        ([LISTENER, block("openstack_lb_pool_v2.p", {"listener_id": "l-1"})], "", "default_pool", ("openstack_lb_pool_v2.p", None)),
        ([LISTENER, block("openstack_lb_pool_v2.p", {"listener_id": LATER})], "", "default_pool", (None, Reason.AFTER_DEPLOYMENT)),
        ([DISK], "", "attachments", ((), None)),
        ([DISK, block("openstack_compute_volume_attach_v2.a", {"volume_id": "v-1", "instance_id": "s"})], "", "attachments", (Partial(()), Reason.AFTER_DEPLOYMENT)),
        ([DISK], "openstack_compute_volume_attach_v2", "attachments", (Partial(()), Reason.NOT_DESCRIBED)),
    ],
)  # fmt: skip
def test_what_is_there_tells_how_it_was_before_the_code(
    code: list[Block], gone: str, fact: str, expected: object
) -> None:
    whole = Code("terraform plan", "plan.json", "0" * 64, code, gone=frozenset({gone}))
    first, *_ = meaning.resources(whole, TARGET, meaning.DEPLOYABLE, NOW, 1)
    why = first.why_missing(fact)
    assert (first.facts.get(fact), why and why.reason) == expected


def test_routes_that_one_block_holds() -> None:
    router = block("openstack_networking_router_v2.r", {"name": "r"})
    held = [
        {"destination_cidr": "10.9.0.0/16", "next_hop": "10.0.0.9"},
        {"destination_cidr": LATER, "next_hop": "x"},
    ]
    address, owner = "openstack_networking_router_routes_v2.r", link("openstack_networking_router_v2.r")
    told = {"destination": "10.9.0.0/16", "nexthop": "10.0.0.9"}
    for routes, expected in ((held[:1], (told,)), (held, Partial((told,))), (LATER, Partial(()))):
        (one,) = resources([router, block(address, {"router_id": owner, "routes": routes})])
        assert one.facts["routes"] == expected


@pytest.mark.parametrize(
    ("values", "left_out", "port"),
    [
        ({"network": LATER}, ["network"], True),
        ({"network": LATER, "network_mode": "auto"}, ["network"], True),
        ({"network": LATER, "network_mode": "none"}, ["network"], False),
        ({"network": LATER}, [], False),
        ({"network": []}, [], False),
    ],
)
def test_a_server_that_names_no_network_gets_a_port(
    values: dict[str, Any], left_out: list[str], port: bool
) -> None:
    server = block("openstack_compute_instance_v2.s", {"name": "s", **values}, left_out=left_out)
    found = [(one.id, one.facts["device_id"]) for one in resources([server]) if one.type == "openstack.port"]
    assert found == [(f"{server.address}/network/0", server.address)] * port


def test_a_port_that_is_made_for_a_server_from_elsewhere() -> None:
    code = [block("openstack_compute_interface_attach_v2.i", {"instance_id": "vm-1", "network_id": "n-1"})]
    (port,) = resources(code)
    assert (port.type, port.facts["device_id"], port.facts["device_owner"]) == (
        "openstack.port",
        "vm-1",
        "compute:",
    )
    assert "security_groups" not in port.facts


@pytest.mark.parametrize(
    ("address", "name", "type_"),
    [
        ("openstack_compute_instance_v2.s", "network", "openstack.port"),
        ("openstack_compute_secgroup_v2.g", "rule", "openstack.security_group_rule"),
    ],
)
def test_entries_that_are_not_told_leave_the_list_of_what_they_make_open(
    address: str, name: str, type_: str
) -> None:
    def unread(value: object, *left_out: str) -> Mapping[str, str]:
        one = block(address, {"name": "x", name: value}, left_out=left_out)
        return meaning.unread(Code("terraform plan", "plan.json", "0" * 64, [one]))

    assert unread(LATER) == unread(WITHHELD) == {type_: f"'{name}' of {address} is not told"}
    assert unread(LATER, name) == unread([{"uuid": LATER}]) == unread([]) == {}


def test_whether_a_group_keeps_its_default_rules_has_to_be_told() -> None:
    """Two rules let everything out, or are not there: a list without them must not pass for whole."""

    def unread(id_: str | None, value: object, *left_out: str) -> Mapping[str, str]:
        one = block(f"{SECGROUP}.g", {"name": "x", "delete_default_rules": value}, left_out=left_out, id_=id_)
        return meaning.unread(Code("terraform plan", "plan.json", "0" * 64, [one]))

    told = {"openstack.security_group_rule": f"'delete_default_rules' of {SECGROUP}.g is not told"}
    assert unread(None, LATER) == unread(None, WITHHELD) == told
    assert unread(None, LATER, "delete_default_rules") == unread(None, True) == unread("g-1", LATER) == {}


SECGROUP = "openstack_networking_secgroup_v2"


@pytest.mark.parametrize(
    ("tags", "every", "default", "labels"),
    [
        (None, LATER, None, {}),
        (None, LATER, True, None),
        (None, LATER, LATER, None),
        (None, {"role": "backup"}, True, {"role": "backup"}),
        ({"role": "app"}, LATER, None, None),
        ({"role": "app"}, {"role": "app"}, True, {"role": "app"}),
    ],
)
def test_tags_that_a_provider_gives_to_all_it_makes(
    tags: object, every: object, default: object, labels: object
) -> None:
    """A bucket for backups must not be taken for none because its provider's own tags are told later."""
    place = {**STORE, **({} if default is None else {"default_tags": default})}
    (made,) = resources(
        [block("aws_s3_bucket.b", {"bucket": "b", "tags": tags, "tags_all": every}, place=place)],
        types=frozenset({"s3.bucket"}),
    )
    assert made.facts.get("labels") == labels
    assert ("labels" in made.unseen) is (labels is None)


def test_a_bucket_may_name_a_region_of_its_own() -> None:
    """Since version 6 of Amazon's provider: it is not in the region of the provider then."""
    place = {"region": "ap-southeast-1"}
    one = block("aws_s3_bucket.b", {"bucket": "b", "region": "eu-west-1"}, place=place)
    (store,) = resources([one], types=frozenset({"s3.endpoint"}))
    assert (store.id, store.facts["host"]) == (
        "https://s3.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com",
    )  # fmt: skip
    (bucket,) = resources([one], types=frozenset({"s3.bucket"}))
    assert (bucket.endpoint, bucket.facts["location"]) == (store.id, "eu-west-1")


@pytest.mark.parametrize("region", [LATER, WITHHELD, link("random_shuffle.r", "result")])
def test_a_region_of_its_own_that_is_not_told_is_not_that_of_the_provider(region: object) -> None:
    """It may be abroad where the provider is at home; left out it is the provider's, told or not."""
    place = {"region": "ap-southeast-1"}
    one = block("aws_s3_bucket.b", {"bucket": "b", "region": region}, place=place)
    (store,) = resources([one], types=frozenset({"s3.endpoint"}))
    assert (store.id, {"url", "host"} & store.facts.keys()) == ("aws_s3_bucket.b/endpoint", set())
    (bucket,) = resources([one], types=frozenset({"s3.bucket"}))
    assert (bucket.endpoint, "location" in bucket.facts) == ("", False)
    left = replace(one, left_out=frozenset({"region"}))
    assert [found.id for found in resources([left], types=frozenset({"s3.endpoint"}))] == [
        "https://s3.ap-southeast-1.amazonaws.com"
    ]


UNTOLD = {"provider": "aws", "alias": "xa", "region": LATER, "endpoints": LATER}


def test_a_setting_of_a_store_that_is_not_told_may_be_the_buckets() -> None:
    own = block("aws_s3_bucket_policy.b", {"bucket": link("aws_s3_bucket.b"), "policy": "{}"}, place=UNTOLD)
    assert setting(BUCKET, own, fact="policy.present") == (None, Reason.NOT_DESCRIBED)


def test_two_buckets_of_one_name_in_stores_that_are_not_told_keep_their_own_settings() -> None:
    other = {**UNTOLD, "alias": "gan"}
    code = [
        block("aws_s3_bucket.a", {"bucket": "b"}, place=UNTOLD),
        block("aws_s3_bucket.b", {"bucket": "b"}, place=other),
        block("aws_s3_bucket_versioning.a", {"bucket": link("aws_s3_bucket.a"), **ON}, place=UNTOLD),
        block("aws_s3_bucket_logging.x", {"bucket": "b", "target_bucket": "c"}, place=UNTOLD),
    ]
    found = {
        one.id: (one.facts.get("versioning.state"), one.facts.get("logging.target"))
        for one in resources(code)
        if one.type == "s3.bucket"
    }
    assert found == {"aws_s3_bucket.a": ("enabled", "c"), "aws_s3_bucket.b": ("off", None)}


@pytest.mark.parametrize(
    ("place", "blocks"),
    [
        (AMAZON, True),
        # Its address may come from the environment of whoever deploys it.
        ({"region": "ap-southeast-1"}, None),
        ({"region": "hn-1"}, None),
        ({"provider": "aws"}, None),
    ],
)
def test_what_only_amazon_does_is_not_taken_of_a_store_that_may_be_another(
    place: dict[str, Any], blocks: bool | None
) -> None:
    found, _ = setting(block("aws_s3_bucket.b", {"bucket": "b"}, place=place), fact="block.block_policy")
    assert found is blocks


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("{", (None, Reason.INVALID_ANSWER)),
        ("null", (None, Reason.INVALID_ANSWER)),
        ('{"Statement": [], "Statement": []}', (None, Reason.INVALID_ANSWER)),
        ("[" * 100_000, (None, Reason.INVALID_ANSWER)),
        ({}, (None, Reason.INVALID_ANSWER)),
        (WITHHELD, (None, Reason.WITHHELD)),
        ("", (False, None)),
    ],
)
def test_a_policy_that_is_none(policy: object, expected: object) -> None:
    own = block("aws_s3_bucket_policy.b", {"bucket": "b", "policy": policy})
    assert setting(BUCKET, own, fact="policy.present") == expected


def test_lines_of_facts() -> None:
    code = [
        block("aws_s3_bucket.b", {"bucket": "b"}),
        replace(block("aws_s3_bucket_acl.b", {"bucket": "b", "acl": "private"}), written=replace(BUCKET.written, line=9)),
        block("openstack_networking_subnet_v2.s", {"network_id": "n", "enable_dhcp": False}, lines={"enable_dhcp": 4, "network_id": 3}),
        block("openstack_networking_secgroup_rule_v2.r", {"port_range_min": 1, "port_range_max": 2}, lines={"port_range_min": 7}),
    ]  # fmt: skip
    written = {
        one.id: dict(one.written.lines)
        for one in resources(code)
        if one.written and one.type != "s3.endpoint"
    }
    assert written == {
        "b": {"acl": 9},
        "openstack_networking_subnet_v2.s": {"network": 3, "dhcp": 4},
        "openstack_networking_secgroup_rule_v2.r": {"ports": 7},
    }


def test_a_floating_ip_that_is_there_already_is_tied_by_its_address() -> None:
    code = [
        block("openstack_networking_floatingip_v2.f", {"pool": "p", "address": "203.0.113.5", "port_id": None}, id_="f-1"),
        block("openstack_networking_floatingip_associate_v2.a",
              {"floating_ip": link("openstack_networking_floatingip_v2.f", "address"), "port_id": "p-1"}),
        block("openstack_networking_floatingip_associate_v2.b", {"floating_ip": "203.0.113.6", "port_id": "p-2"}),
    ]  # fmt: skip
    (one,) = resources(code)
    assert (one.id, one.facts["port_id"]) == ("f-1", "p-1")


def test_links_that_go_round_have_no_end() -> None:
    code = [
        block("openstack_networking_subnet_v2.a", {"name": link("openstack_networking_subnet_v2.b", "name")}),
        block("openstack_networking_subnet_v2.b", {"name": link("openstack_networking_subnet_v2.a", "name")}),
    ]
    assert [one.unseen["name"].reason for one in resources(code)] == [Reason.AFTER_DEPLOYMENT] * 2


def test_only_the_types_that_are_asked_for_are_told() -> None:
    found = resources(CASES["server"], TARGET, frozenset({"openstack.port"}))
    assert {one.type for one in found} == {"openstack.port"}
