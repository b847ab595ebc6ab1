"""Every type the OpenStack collector yields, as whole values, from one small cloud."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fake_openstack import AT, BANK, IN_BANK, IN_SHOP, REGION, SHOP, TARGET, FakeOpenStack, Take, collect
from openstack_answers import BROUGHT, EXTENSIONS, IMAGE, PLANTED, T, small_cloud

from cloudaudit.catalog import load_types
from cloudaudit.collectors.openstack import _PROJECT, _REGION, _TARGET, OpenStackCollector
from cloudaudit.model import FactType, Listing, Reason, Resource, Scope, Unseen

TYPES = load_types()
PROPERTIES = (
    "build_token", "hw_mem_encryption", "image_description", "image_source", "os_distro", "os_purpose",
    "os_secure_boot", "os_version", "tier",
)  # fmt: skip
CALLS = frozenset(call for name in OpenStackCollector.types for call in TYPES[name].calls)


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenStack]:
    fake = small_cloud()
    with fake.running():
        fake.configure(tmp_path, monkeypatch)
        yield fake


def shown(resource: Resource, taken: Take) -> dict[str, Any]:
    """A resource without what is the same for all: where it came from, in words."""
    assert resource.at == AT
    return {
        "id": resource.id,
        "name": resource.name,
        "scope": resource.scope,
        "facts": dict(resource.facts),
        "unseen": dict(resource.unseen),
        "from": {group: taken.request(number) for group, number in resource.sources.items()},
    }


SHOWN: list[tuple[Scope, str, tuple[str, ...], dict[str, Any]]] = [
    (
        IN_SHOP,
        "openstack.server",
        ("nova.servers",),
        {
            "id": "srv-1",
            "name": "web-1",
            "facts": {
                "status": "ACTIVE",
                "zone": "hn-az1",
                "host_id": "6d2437",
                "flavor": "s1.small",
                "vcpus": 1,
                "ram_mb": 512,
                "disk_gb": 1,
                "flavor_spec_names": ("hw:cpu_policy", "trait:CUSTOM_GPU"),
                "image": "img-1",
                "boot_volumes": ("vol-1",),
                "key_name": None,
                "config_drive": False,
                "locked": True,
                "trusted_image_certificates": ("ca-1",),
                "labels": {"system_id": "cong-dich-vu"},
                "label_names": ("db_password", "system_id"),
                "created_at": T,
                "security_groups": ("ssh", "web"),
                "addresses": (
                    {"network": "shop-net", "address": "10.10.0.46", "version": 4, "kind": "fixed"},
                ),
                "has_user_data": True,
                "secrets.found": (
                    {"place": "metadata", "key": "db_password", "pattern": "name"},
                    {"place": "user_data", "key": "user_data", "pattern": "assignment"},
                ),
            },
            "from": {"": "GET /compute/v2.1/servers/detail?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.server_group",
        ("nova.server_groups",),
        {
            "id": "sg-1",
            "name": "spread",
            "facts": {"policy": "anti-affinity", "members": ("srv-1",)},
            "from": {"": "GET /compute/v2.1/os-server-groups?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.volume",
        ("cinder.volumes",),
        {
            "id": "vol-1",
            "name": "web-data",
            "facts": {
                "status": "in-use",
                "size_gb": 2,
                "zone": "hn-az1",
                "volume_type": "luks",
                "encrypted": True,
                "bootable": False,
                "multiattach": False,
                "attachments": ({"server": "srv-1", "device": "/dev/sdb"},),
                "created_at": T,
                "updated_at": None,
                "replication_status": None,
                "host": "bed@file1#file1",
                "snapshot_id": None,
                "encryption_key": "key-1",
                "labels": {"data_class": "important"},
                "label_names": ("data_class", "note"),
                "image.os_distro": "debian",
                "image.os_version": "12",
                "secrets.found": (),
            },
            "from": {"": f"GET /volume/v3/{SHOP}/volumes/detail?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.snapshot",
        ("cinder.snapshots",),
        {
            "id": "snap-1",
            "name": "before",
            "facts": {
                "status": "available",
                "volume_id": "vol-1",
                "size_gb": 2,
                "created_at": T,
                "secrets.found": ({"place": "metadata", "key": "db_password", "pattern": "name"},),
            },
            "from": {"": f"GET /volume/v3/{SHOP}/snapshots/detail?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.backup",
        ("cinder.backups",),
        {
            "id": "bak-1",
            "name": "nightly",
            "facts": {
                "status": "available",
                "volume_id": "vol-1",
                "container": "kho-hcm",
                "zone": "hcm-az1",
                "incremental": False,
                "has_dependents": False,
                "created_at": T,
                "data_timestamp": T,
                "size_gb": 2,
                "encrypted": True,
                "fail_reason": None,
            },
            "from": {"": f"GET /volume/v3/{SHOP}/backups/detail?limit=1000"},
        },
    ),
    (
        REGION,
        "openstack.volume_type",
        ("cinder.types", "cinder.type_encryption"),
        {
            "id": "type-1",
            "name": "luks",
            "facts": {
                "is_public": True,
                "backend": "file1",
                "replication_enabled": False,
                "encryption.provider": "luks",
                "encryption.cipher": "aes-xts-plain64",
                "encryption.key_size": 256,
                "encryption.control_location": "front-end",
            },
            "from": {
                "": f"GET /volume/v3/{SHOP}/types?is_public=None&limit=1000",
                "encryption": f"GET /volume/v3/{SHOP}/types/type-1/encryption",
            },
        },
    ),
    (
        IN_SHOP,
        "openstack.network",
        ("neutron.networks",),
        {
            "id": "net-1",
            "name": "shop-net",
            "facts": {
                "shared": False,
                "admin_state_up": True,
                "external": False,
                "port_security": True,
                "zones": ("hn-az1",),
                "labels": {"role": "web"},
                "label_names": ("note", "role"),
            },
            "from": {"": "GET /network/v2.0/networks?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.subnet",
        ("neutron.subnets",),
        {
            "id": "sub-1",
            "name": "shop-v4",
            "facts": {
                "network": "net-1",
                "cidr": "10.10.0.0/24",
                "dns_nameservers": ("203.0.113.53",),
                "dhcp": True,
                "ip_version": 4,
            },
            "from": {"": "GET /network/v2.0/subnets?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.port",
        ("neutron.ports",),
        {
            "id": "port-1",
            "name": "",
            "facts": {
                "network": "net-1",
                "device_owner": "compute:hn-az1",
                "device_id": "srv-1",
                "security_groups": ("g-1",),
                "port_security": True,
                "status": "ACTIVE",
                "addresses": ("10.10.0.46",),
                "allowed_address_pairs": ({"address": "10.10.0.0/24"},),
                "dhcp.name_servers": ("2001:db8::53", "203.0.113.54"),
                "dhcp.time_servers": ("203.0.113.123", "time.example.vn"),
            },
            "from": {"": "GET /network/v2.0/ports?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.router",
        ("neutron.routers",),
        {
            "id": "router-1",
            "name": "shop-router",
            "facts": {
                "ha": False,
                "distributed": False,
                "external_network": "net-public",
                "external_addresses": ("203.0.113.97",),
                "zones": (),
                "routes": ({"destination": "10.9.0.0/16", "nexthop": "10.10.0.9"},),
                "labels": {},
                "label_names": (),
            },
            "from": {"": "GET /network/v2.0/routers?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.floating_ip",
        ("neutron.floating_ips",),
        {
            "id": "fip-1",
            "name": "",
            "facts": {
                "address": "203.0.113.67",
                "port_id": "port-1",
                "fixed_address": "10.10.0.46",
                "status": "ACTIVE",
                "external_network": "net-public",
                "router": "router-1",
                "port_forwardings": ({"address": "10.10.0.46", "port": 25, "protocol": "tcp"},),
            },
            "from": {"": "GET /network/v2.0/floatingips?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.security_group",
        ("neutron.security_groups",),
        {
            "id": "g-1",
            "name": "web",
            "facts": {"stateful": True},
            "from": {
                "": "GET /network/v2.0/security-groups?limit=1000&fields=id&fields=name&fields=project_id"
                "&fields=tenant_id&fields=stateful&fields=shared"
            },
        },
    ),
    (
        IN_SHOP,
        "openstack.security_group_rule",
        ("neutron.security_group_rules",),
        {
            "id": "rule-1",
            "name": "",
            "facts": {
                "security_group": "g-1",
                "direction": "ingress",
                "ethertype": "IPv4",
                "protocol": "tcp",
                "ports": (8000, 9000),
                "remote_prefix": "0.0.0.0/0",
                "remote_group": None,
                "remote_address_group": None,
            },
            "from": {"": "GET /network/v2.0/security-group-rules?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.vpn_connection",
        tuple(TYPES["openstack.vpn_connection"].calls),
        {
            "id": "vpn-1",
            "name": "to-ndc",
            "facts": {
                "peer_address": "198.51.100.10",
                "peer_cidrs": ("10.24.0.0/24",),
                "status": "ACTIVE",
                "ike.version": "v2",
                "ike.encryption": "aes-256",
                "ike.auth": "sha256",
                "ike.pfs": "group14",
                "ipsec.transform": "esp",
                "ipsec.encryption": "aes-128",
                "ipsec.auth": "sha1",
                "ipsec.pfs": "group5",
            },
            "from": {
                "": "GET /network/v2.0/vpn/ipsec-site-connections?limit=1000&fields=id&fields=name&fields=project_id"
                "&fields=tenant_id&fields=peer_address&fields=peer_cidrs&fields=peer_ep_group_id&fields=status"
                "&fields=ikepolicy_id&fields=ipsecpolicy_id",
                "ike": "GET /network/v2.0/vpn/ikepolicies?limit=1000",
                "ipsec": "GET /network/v2.0/vpn/ipsecpolicies?limit=1000",
            },
        },
    ),
    (
        IN_SHOP,
        "openstack.address_group",
        ("neutron.address_groups",),
        {
            "id": "ag-1",
            "name": "van-phong",
            "facts": {"addresses": ("203.0.113.0/28", "2001:db8::1/128"), "shared": False},
            "from": {"": "GET /network/v2.0/address-groups?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.rbac_policy",
        ("neutron.rbac_policies",),
        {
            "id": "rbac-1",
            "name": "",
            "facts": {
                "object_type": "network",
                "object_id": "net-1",
                "action": "access_as_shared",
                "target_tenant": BANK,
            },
            "from": {"": "GET /network/v2.0/rbac-policies?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.trunk",
        ("neutron.trunks",),
        {
            "id": "trunk-1",
            "name": "nfv",
            "facts": {
                "port": "port-1",
                "status": "ACTIVE",
                "admin_state_up": True,
                "sub_ports": ({"port": "port-2", "segmentation_type": "vlan", "segmentation_id": 101},),
            },
            "from": {"": "GET /network/v2.0/trunks?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.qos_policy",
        ("neutron.qos_policies",),
        {
            "id": "qos-1",
            "name": "gioi-han",
            "facts": {"shared": False, "is_default": True, "rule_kinds": ("bandwidth_limit", "dscp_marking")},
            "from": {"": "GET /network/v2.0/qos/policies?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.bgpvpn",
        ("neutron.bgpvpns",),
        {
            "id": "bgp-1",
            "name": "wan",
            "facts": {
                "type": "l3",
                "route_targets": ("64512:1",),
                "import_targets": ("64512:2",),
                "export_targets": (),
                "networks": ("net-1",),
                "routers": ("router-1",),
            },
            "from": {"": "GET /network/v2.0/bgpvpn/bgpvpns?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.network_log",
        ("neutron.network_logs",),
        {
            "id": "log-1",
            "name": "chan",
            "facts": {
                "resource_type": "security_group",
                "resource_id": "g-1",
                "target_id": None,
                "event": "DROP",
                "enabled": True,
            },
            "from": {"": "GET /network/v2.0/log/logs?limit=1000"},
        },
    ),
    (
        REGION,
        "openstack.network_agent",
        ("neutron.agents",),
        {
            "id": "agent-1",
            "name": "",
            "facts": {
                "agent_type": "L3 agent",
                "host": "net-01",
                "zone": "hn-az1",
                "alive": True,
                "admin_state_up": True,
            },
            "from": {"": "GET /network/v2.0/agents?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.image",
        ("glance.images",),
        {
            "id": "img-1",
            "name": "cdv-golden",
            "facts": {
                "status": "active",
                "visibility": "private",
                "owner": SHOP,
                "disk_format": "raw",
                "container_format": "bare",
                "protected": True,
                "size_bytes": 65536,
                "min_disk": 1,
                "min_ram": 0,
                "hash_algo": "sha512",
                "hash_value": "612d39",
                "os_distro": "debian",
                "os_version": "12",
                "architecture": None,
                "stores": ("ceph", "file"),
                "snapshot_of": None,
                "property_names": PROPERTIES,
                "properties": {
                    "hw_mem_encryption": "true",
                    "image_description": "text",
                    "image_source": "url",
                    "os_purpose": "generic",
                    "os_secure_boot": "required",
                },
                "hidden": False,
                "external_urls": ("swift.example.test",),
                "locations_shown": True,
                "created_at": T,
                "updated_at": T,
                "labels": {"tier": "gold"},
                "label_names": PROPERTIES,
                "build_date": None,
                "secrets.found": ({"place": "metadata", "key": "build_token", "pattern": "name"},),
            },
            "from": {"": "GET /image/v2/images?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.image_member",
        ("glance.images", "glance.image_members"),
        {
            "id": f"img-2:{BANK}",
            "name": "",
            "facts": {"image": "img-2", "member": BANK, "status": "pending"},
            "from": {"": "GET /image/v2/images/img-2/members"},
        },
    ),
    (
        REGION,
        "openstack.image_store",
        ("glance.stores", "glance.stores_detail"),
        {
            "id": "ceph",
            "name": "ceph",
            "facts": {"default": True, "description": "Ceph", "read_only": False, "type": "rbd"},
            "from": {"": "GET /image/v2/info/stores", "type": "GET /image/v2/info/stores/detail"},
        },
    ),
    (
        REGION,
        "openstack.image_service",
        ("glance.import_info", "glance.stores"),
        {
            "id": "image",
            "name": "image",
            "facts": {"import_methods": ("copy-image", "glance-direct"), "names_stores": True},
            "from": {"": "GET /image/v2/info/import", "names_stores": "GET /image/v2/info/stores"},
        },
    ),
    (
        IN_SHOP,
        "openstack.object_account",
        ("swift.account",),
        {
            "id": SHOP,
            "name": "shop",
            "facts": {
                "container_count": 1,
                "object_count": 12,
                "bytes_used": 4096,
                "quota_bytes": 1000000,
                "temp_url_key_present": True,
                "acl_present": True,
            },
            "from": {"": f"HEAD /object/v1/AUTH_{SHOP}"},
        },
    ),
    (
        REGION,
        "openstack.object_service",
        ("swift.info",),
        {
            "id": "object-store",
            "name": "object-store",
            "facts": {
                "version": "2.34.0",
                "middlewares": ("bulk_delete", "container_sync", "slo", "tempurl"),
                "max_file_size": 5368709122,
                "container_sync_realms": True,
                "slo": True,
                "tempurl": True,
                "s3api": False,
                "object_versioning": False,
            },
            "from": {"": "GET /object/info"},
        },
    ),
    (
        IN_SHOP,
        "openstack.container",
        ("swift.containers", "swift.container_head"),
        {
            "id": f"{SHOP}/kho",
            "name": "kho",
            "facts": {
                "read_acl": ".r:*,.rlistings",
                "write_acl": None,
                "versioning.state": "enabled",
                "sync_to": "//realm/cluster/AUTH_x/kho",
                "sync_key_present": True,
                "storage_policy": "Policy-0",
                "quota_bytes": 1000000,
                "labels": {"system_id": "cong-dich-vu"},
                "label_names": ("quota-bytes", "system_id", "temp-url-key"),
                "secrets.found": (),
            },
            "from": {"": f"HEAD /object/v1/AUTH_{SHOP}/kho"},
        },
    ),
    (
        IN_SHOP,
        "openstack.share",
        ("manila.shares",),
        {
            "id": "share-1",
            "name": "chung",
            "facts": {
                "status": "available",
                "protocol": "NFS",
                "size_gb": 10,
                "zone": "hn-az1",
                "created_at": T,
                "is_public": False,
                "labels": {"data_class": "internal"},
                "label_names": ("data_class", "mount"),
            },
            "from": {"": "GET /share/v2/shares/detail?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.share_access_rule",
        ("manila.shares", "manila.share_access_rules"),
        {
            "id": "ar-1",
            "name": "",
            "facts": {
                "share": "share-1",
                "access_type": "ip",
                "access_to": "10.0.0.0/24",
                "address": "10.0.0.0/24",
                "access_level": "rw",
                "state": "active",
            },
            "from": {"": "GET /share/v2/share-access-rules?share_id=share-1"},
        },
    ),
    (
        IN_SHOP,
        "openstack.share_backup",
        ("manila.share_backups",),
        {
            "id": "sb-1",
            "name": "chung-1",
            "facts": {"share_id": "share-1", "status": "available", "zone": "hcm-az1", "created_at": T},
            "from": {"": "GET /share/v2/share-backups/detail?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.share_replica",
        ("manila.shares", "manila.share_replicas"),
        {
            "id": "sr-1",
            "name": "",
            "facts": {
                "share": "share-1",
                "zone": "hcm-az1",
                "replica_state": "in_sync",
                "status": "available",
            },
            "from": {"": "GET /share/v2/share-replicas/detail?limit=1000"},
        },
    ),
    (
        IN_SHOP,
        "openstack.loadbalancer",
        ("octavia.loadbalancers", "octavia.amphorae"),
        {
            "id": "lb-1",
            "name": "cong",
            "facts": {
                "provisioning_status": "ACTIVE",
                "operating_status": "ONLINE",
                "admin_state_up": True,
                "vip_address": "198.51.100.1",
                "vip_subnet": "sub-1",
                "vip_port": "port-9",
                "provider": "amphora",
                "flavor": None,
                "availability_zone": None,
                "amphorae": (
                    {"role": "MASTER", "status": "ALLOCATED"},
                    {"role": "BACKUP", "status": "ALLOCATED"},
                    {"role": None, "status": "BOOTING"},
                ),
            },
            "from": {
                "": "GET /load-balancer/v2/lbaas/loadbalancers?limit=1000",
                "amphorae": "GET /load-balancer/v2/octavia/amphorae?limit=1000",
            },
        },
    ),
    (
        IN_SHOP,
        "openstack.listener",
        ("octavia.listeners", "octavia.l7policies"),
        {
            "id": "ls-1",
            "name": "https",
            "facts": {
                "protocol": "TERMINATED_HTTPS",
                "port": 443,
                "load_balancers": ("lb-1",),
                "admin_state_up": True,
                "default_tls_container": True,
                "sni_count": 1,
                "tls_versions": ("TLSv1.2", "TLSv1.3"),
                "tls_ciphers": ("TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
                "alpn_protocols": ("h2", "http/1.1"),
                "insert_headers": ("X-Forwarded-For", "X-Forwarded-Proto"),
                "allowed_cidrs": ("203.0.113.0/24",),
                "default_pool": "pool-1",
                "l7_policies": ({"action": "REDIRECT_TO_URL", "scheme": "https"},),
            },
            "from": {
                "": "GET /load-balancer/v2/lbaas/listeners?limit=1000",
                "l7_policies": "GET /load-balancer/v2/lbaas/l7policies?limit=1000",
            },
        },
    ),
    (
        IN_SHOP,
        "openstack.lb_pool",
        ("octavia.pools", "octavia.pool_members", "octavia.healthmonitors"),
        {
            "id": "pool-1",
            "name": "web",
            "facts": {
                "protocol": "HTTP",
                "lb_algorithm": "ROUND_ROBIN",
                "session_persistence": "APP_COOKIE",
                "load_balancers": ("lb-1",),
                "admin_state_up": True,
                "operating_status": "ONLINE",
                "tls_enabled": False,
                "members": (
                    {
                        "address": "10.10.0.46",
                        "port": 8080,
                        "subnet": "sub-1",
                        "operating_status": "ONLINE",
                        "backup": False,
                        "monitor_address": None,
                        "monitor_port": None,
                    },
                    {
                        "address": "10.10.0.47",
                        "port": 8080,
                        "subnet": None,
                        "operating_status": "ERROR",
                        "backup": True,
                        "monitor_address": "10.10.1.47",
                        "monitor_port": 9000,
                    },
                ),
                "monitor.type": "HTTP",
                "monitor.delay": 5,
                "monitor.timeout": 3,
                "monitor.max_retries": 2,
                "monitor.operating_status": "ONLINE",
            },
            "from": {
                "": "GET /load-balancer/v2/lbaas/pools?limit=1000",
                "members": "GET /load-balancer/v2/lbaas/pools/pool-1/members?limit=1000",
                "monitor": "GET /load-balancer/v2/lbaas/healthmonitors?limit=1000",
            },
        },
    ),
    (
        IN_SHOP,
        "openstack.secret",
        ("barbican.secrets",),
        {
            "id": "f2b9b617",
            "name": "db-password",
            "facts": {
                "status": "ACTIVE",
                "secret_type": "symmetric",
                "algorithm": "aes",
                "bit_length": 256,
                "mode": None,
                "expiration": T,
                "created_at": T,
                "creator": "u-an",
            },
            "from": {"": "GET /key-manager/v1/secrets?limit=100"},
        },
    ),
    (
        IN_SHOP,
        "openstack.stack",
        ("heat.stacks", "heat.stack_resources"),
        {
            "id": "stack-1",
            "name": "cong-dich-vu",
            "facts": {
                "action": "UPDATE",
                "status": "IN_PROGRESS",
                "created_at": T,
                "updated_at": None,
                "parent": None,
                "resource_types": ("OS::Nova::Server", "template"),
                "labels": {"system_id": "cong-dich-vu"},
                "label_names": ("iac", "note", "system_id"),
                "secrets.found": (),
            },
            "from": {
                "": f"GET /heat-api/v1/{SHOP}/stacks?limit=1000&show_nested=true&show_hidden=true",
                "resource_types": f"GET /heat-api/v1/{SHOP}/stacks/cong-dich-vu/stack-1/resources",
            },
        },
    ),
    (
        IN_SHOP,
        "openstack.dns_zone",
        ("designate.zones",),
        {
            "id": "zone-1",
            "name": "dich-vu.example.vn.",
            "facts": {
                "type": "PRIMARY",
                "status": "ACTIVE",
                "serial": 1795319135,
                "ttl": 3600,
                "shared": False,
            },
            "from": {"": "GET /dns/v2/zones?limit=max"},
        },
    ),
    (
        REGION,
        "openstack.resource_provider",
        ("placement.resource_providers",),
        {
            "id": "rp-2",
            "name": "compute-1_numa0",
            "facts": {"parent": "rp-1", "root": "rp-1"},
            "from": {"": "GET /placement/resource_providers"},
        },
    ),
    (
        TARGET,
        "openstack.project",
        ("keystone.auth_projects", "keystone.projects"),
        {
            "id": SHOP,
            "name": "shop",
            "scope": Scope("hn", project=SHOP),
            "facts": {"domain": "default", "enabled": True, "labels": {}, "label_names": ()},
            "from": {"": "GET /identity/v3/auth/projects"},
        },
    ),
    (
        TARGET,
        "openstack.region",
        ("keystone.regions",),
        {
            "id": "vn-hn-1",
            "name": "vn-hn-1",
            "scope": Scope("hn", "vn-hn-1"),
            "facts": {"parent": "vn"},
            "from": {"": "GET /identity/v3/regions"},
        },
    ),
    (
        TARGET,
        "openstack.user",
        ("keystone.users", "keystone.federated_users"),
        {
            "id": "u-an",
            "name": "an",
            "facts": {
                "domain": "default",
                "enabled": True,
                "mfa.enabled": True,
                "mfa.rules": ({"methods": ("password", "totp")},),
                "ignores_password_expiry": False,
                "ignores_lockout": False,
                "password_expires_at": T,
                "federated": True,
                "ignores_first_change": False,
            },
            "from": {"": "GET /identity/v3/users"},
        },
    ),
    (
        TARGET,
        "openstack.role_assignment",
        ("keystone.role_assignments",),
        {
            "id": sha256(f"r-admin\x1fu-an\x1f\x1fproject\x1f{SHOP}\x1fTrue".encode()).hexdigest()[:32],
            "name": "",
            "facts": {
                "role": "admin",
                "user": "u-an",
                "group": None,
                "scope": "project",
                "scope_id": SHOP,
                "inherited": True,
            },
            "from": {"": "GET /identity/v3/role_assignments?include_names=true"},
        },
    ),
    (
        TARGET,
        "openstack.group_member",
        ("keystone.group_users",),
        {
            "id": "grp-1:u-an",
            "name": "",
            "facts": {"group": "grp-1", "user": "u-an"},
            "from": {"": "GET /identity/v3/groups/grp-1/users"},
        },
    ),
    (
        TARGET,
        "openstack.group",
        ("keystone.groups",),
        {
            "id": "grp-1",
            "name": "operators",
            "facts": {"domain": "default"},
            "from": {"": "GET /identity/v3/groups"},
        },
    ),
    (
        TARGET,
        "openstack.domain",
        ("keystone.domains", "keystone.domain_security"),
        {
            "id": "default",
            "name": "Default",
            "facts": {
                "enabled": True,
                "immutable": True,
                "labels": {"role": "internal"},
                "label_names": ("role",),
                "password.regex": "^.{12,}$",
                "password.regex_description": "at least 12 characters",
            },
            "from": {
                "": "GET /identity/v3/domains",
                "password": "GET /identity/v3/domains/default/config/security_compliance",
            },
        },
    ),
    (
        TARGET,
        "openstack.role",
        ("keystone.roles",),
        {
            "id": "r-admin",
            "name": "admin",
            "facts": {"domain": None, "immutable": True},
            "from": {"": "GET /identity/v3/roles"},
        },
    ),
    (
        TARGET,
        "openstack.application_credential",
        ("keystone.application_credentials",),
        {
            "id": "ac-1",
            "name": "ci-read",
            "facts": {
                "user": "u-1",
                "project_id": SHOP,
                "roles": ("reader",),
                "unrestricted": False,
                "expires_at": T,
                "access_rules": ({"service": "compute", "method": "GET", "path": "/v2.1/servers"},),
            },
            "from": {"": "GET /identity/v3/users/u-1/application_credentials"},
        },
    ),
    (
        TARGET,
        "openstack.trust",
        ("keystone.trusts", "keystone.trust_roles"),
        {
            "id": "trust-1",
            "name": "",
            "facts": {
                "trustor": "u-an",
                "trustee": "u-1",
                "project_id": SHOP,
                "impersonation": True,
                "expires_at": T,
                "remaining_uses": None,
                "roles": ("admin",),
            },
            "from": {
                "": "GET /identity/v3/OS-TRUST/trusts",
                "roles": "GET /identity/v3/OS-TRUST/trusts/trust-1/roles",
            },
        },
    ),
    (
        TARGET,
        "openstack.identity_provider",
        ("keystone.identity_providers", "keystone.identity_provider_protocols"),
        {
            "id": "so-noi-vu",
            "name": "so-noi-vu",
            "facts": {
                "enabled": True,
                "domain": "default",
                "remote_ids": ("https://dang-nhap.example.test/idp",),
                "protocols": ({"id": "openid", "mapping": "anh-xa-so"},),
            },
            "from": {
                "": "GET /identity/v3/OS-FEDERATION/identity_providers",
                "protocols": "GET /identity/v3/OS-FEDERATION/identity_providers/so-noi-vu/protocols",
            },
        },
    ),
    (
        REGION,
        "openstack.flavor",
        ("nova.flavors",),
        {
            "id": "fl-1",
            "name": "s1.small",
            "facts": {
                "vcpus": 1,
                "ram_mb": 512,
                "disk_gb": 1,
                "ephemeral_gb": 2,
                "swap_mb": 0,
                "is_public": True,
                "disabled": False,
                "extra_specs": {"hw:cpu_policy": "dedicated"},
            },
            "from": {"": "GET /compute/v2.1/flavors/detail?is_public=None&limit=1000"},
        },
    ),
    (
        REGION,
        "openstack.keypair",
        ("nova.keypairs", "nova.keypair"),
        {
            "id": "u-1:khoa robot",
            "name": "khoa robot",
            "facts": {"user": "u-1", "type": "ssh", "fingerprint": "e3:35:97:4a", "created_at": T},
            "from": {
                "": "GET /compute/v2.1/os-keypairs?limit=1000",
                "created_at": "GET /compute/v2.1/os-keypairs/khoa%20robot",
            },
        },
    ),
    (
        REGION,
        "openstack.hypervisor",
        ("nova.hypervisors",),
        {
            "id": "hyp-1",
            "name": "may-1.example.test",
            "facts": {
                "hostname": "may-1.example.test",
                "host": "may-1",
                "state": "up",
                "status": "enabled",
                "type": "QEMU",
                "version": 8002003,
                "servers": 1,
            },
            "from": {"": "GET /compute/v2.1/os-hypervisors/detail?limit=1000&with_servers=true"},
        },
    ),
    (
        REGION,
        "openstack.aggregate",
        ("nova.aggregates",),
        {
            "id": "agg-1",
            "name": "hn-az1",
            "facts": {
                "zone": "hn-az1",
                "hosts": ("may-1",),
                "labels": {"tier": "gold"},
                "label_names": ("note", "tier"),
            },
            "from": {"": "GET /compute/v2.1/os-aggregates"},
        },
    ),
    (
        REGION,
        "openstack.compute_service",
        ("nova.services",),
        {
            "id": "cs-1",
            "name": "may-1",
            "facts": {
                "binary": "nova-compute",
                "host": "may-1",
                "zone": "hn-az1",
                "status": "enabled",
                "state": "up",
                "updated_at": T,
                "forced_down": False,
            },
            "from": {"": "GET /compute/v2.1/os-services"},
        },
    ),
    (
        IN_SHOP,
        "openstack.volume_transfer",
        ("cinder.transfers",),
        {
            "id": "tr-1",
            "name": "ban-giao",
            "facts": {"volume_id": "vol-1", "created_at": T},
            "from": {"": f"GET /volume/v3/{SHOP}/volume-transfers/detail?limit=1000"},
        },
    ),
    (
        REGION,
        "openstack.storage_pool",
        ("cinder.pools",),
        {
            "id": "bed@file1#file1",
            "name": "bed@file1#file1",
            "facts": {
                "backend": "file1",
                "total_gb": 1000,
                "free_gb": 899,
                "protocols": ("iSCSI",),
                "replication_enabled": True,
            },
            "from": {"": f"GET /volume/v3/{SHOP}/scheduler-stats/get_pools?detail=true"},
        },
    ),
    (
        REGION,
        "openstack.block_storage_service",
        ("cinder.services",),
        {
            "id": "cinder-volume:bed@file1",
            "name": "bed@file1",
            "facts": {
                "binary": "cinder-volume",
                "host": "bed@file1",
                "zone": "nova",
                "status": "enabled",
                "state": "up",
                "updated_at": T,
                "replication_status": "disabled",
                "active_backend_id": None,
                "frozen": False,
            },
            "from": {"": f"GET /volume/v3/{SHOP}/os-services"},
        },
    ),
    (
        REGION,
        "openstack.api",
        ("block-storage.version",),
        {
            "id": "block-storage",
            "name": "block-storage",
            "facts": {"service": "block-storage", "min_version": "3.0", "max_version": "3.71"},
            "from": {"": "GET /volume/v3/"},
        },
    ),
    (
        IN_SHOP,
        "openstack.quota",
        ("neutron.quotas",),
        {
            "id": f"{SHOP}/network/port",
            "name": "port",
            "facts": {"service": "network", "limit": 500, "in_use": 4, "reserved": 0},
            "from": {"": f"GET /network/v2.0/quotas/{SHOP}/details.json"},
        },
    ),
]


@pytest.mark.parametrize(
    ("scope", "type_", "wanted", "expected"), SHOWN, ids=[type_ for _, type_, _, _ in SHOWN]
)
def test_a_type_is_read_whole(
    cloud: FakeOpenStack, scope: Scope, type_: str, wanted: tuple[str, ...], expected: dict[str, Any]
) -> None:
    taken = collect(scope, *wanted)
    found = taken.resources(type_)[0]
    assert shown(found, taken) == {"scope": scope, "unseen": {}, **expected}
    assert found.endpoint.startswith(f"{cloud.url}/")
    assert SHOP not in found.endpoint
    (listing,) = taken.listings(type_)
    assert listing.count == len(taken.resources(type_))
    assert listing.proof
    assert listing.call is not None
    assert taken.gaps() == []


def test_limits_are_read_by_the_system(cloud: FakeOpenStack) -> None:
    cloud.system_roles = ["reader"]
    taken = collect(TARGET, "keystone.limits")
    assert shown(taken.one("openstack.limit"), taken) == {
        "id": "limit-1",
        "name": "",
        "scope": TARGET,
        "facts": {
            "service_id": "s-nova",
            "region_id": "vn-hn-1",
            "project_id": SHOP,
            "domain_id": None,
            "resource": "servers",
            "limit": 10,
        },
        "unseen": {},
        "from": {"": "GET /identity/v3/limits"},
    }
    assert [(s.count, s.proof) for s in taken.listings()] == [
        (1, "Keystone lists all limits to a token of the whole system")
    ]
    assert taken.gaps() == []


def test_roles_of_domains_are_asked_for(cloud: FakeOpenStack) -> None:
    taken = collect(TARGET, "keystone.roles")
    assert [(r.name, r.facts["domain"], r.facts["immutable"]) for r in taken.resources("openstack.role")] == [
        ("admin", None, True),
        ("clerk", "default", False),
    ]
    assert [listing.count for listing in taken.listings()] == [2]


def test_zones_of_three_services_are_three_things(cloud: FakeOpenStack) -> None:
    taken = collect(REGION, *TYPES["openstack.availability_zone"].calls)
    assert {
        (z.id, z.name, z.facts["service"], z.facts["available"])
        for z in taken.resources("openstack.availability_zone")
    } == {
        ("compute:hn-az1", "hn-az1", "compute", True),
        ("block-storage:hn-az1", "hn-az1", "block-storage", True),
        ("network:hn-az1", "hn-az1", "network", False),
    }
    assert [listing.count for listing in taken.listings("openstack.availability_zone")] == [1, 1, 1]


def test_quotas_of_three_services_are_told_apart(cloud: FakeOpenStack) -> None:
    taken = collect(IN_SHOP, *TYPES["openstack.quota"].calls)
    assert [(q.id, q.name, q.scope, dict(q.facts)) for q in taken.resources("openstack.quota")] == [
        (
            f"{SHOP}/compute/cores",
            "cores",
            IN_SHOP,
            {"service": "compute", "limit": 20, "in_use": 3, "reserved": 0},
        ),
        (
            f"{SHOP}/compute/key_pairs",
            "key_pairs",
            IN_SHOP,
            {"service": "compute", "limit": 100, "reserved": 0},
        ),
        (
            f"{SHOP}/block-storage/gigabytes",
            "gigabytes",
            IN_SHOP,
            {"service": "block-storage", "limit": None, "in_use": 2, "reserved": 1},
        ),
        (
            f"{SHOP}/network/port",
            "port",
            IN_SHOP,
            {"service": "network", "limit": 500, "in_use": 4, "reserved": 0},
        ),
    ]
    # Nova counts key pairs for users, and says 0 for every project.
    assert taken.resources("openstack.quota")[1].unseen == {
        "in_use": Unseen(Reason.NOT_IMPLEMENTED, "compute does not count the key_pairs of a project")
    }
    assert [(s.count, s.proof, taken.request(s.call)) for s in taken.listings()] == [
        (
            2,
            "compute answered with the quotas of each audited project",
            f"GET /compute/v2.1/os-quota-sets/{SHOP}/detail",
        ),
        (
            1,
            "block-storage answered with the quotas of each audited project",
            f"GET /volume/v3/{SHOP}/os-quota-sets/{SHOP}?usage=True",
        ),
        (
            1,
            "network answered with the quotas of each audited project",
            f"GET /network/v2.0/quotas/{SHOP}/details.json",
        ),
    ]
    assert taken.gaps() == []


def test_services_without_volumes_have_no_replication(cloud: FakeOpenStack) -> None:
    backup = collect(REGION, "cinder.services").resources("openstack.block_storage_service")[1]
    assert (backup.id, dict(backup.facts), dict(backup.unseen)) == (
        "cinder-backup:bed",
        {
            "binary": "cinder-backup",
            "host": "bed",
            "zone": "nova",
            "status": "enabled",
            "state": "up",
            "updated_at": None,
            "replication_status": None,
            "active_backend_id": None,
            "frozen": None,
        },
        {},
    )


@pytest.mark.parametrize(
    ("properties", "server"),
    [
        ({"image_type": "snapshot", "instance_uuid": "srv-1"}, "srv-1"),
        ({"image_type": "backup", "instance_uuid": "srv-1"}, "srv-1"),
        ({"image_type": "snapshot"}, None),
        ({"image_type": "snapshot", "instance_uuid": ""}, None),
        ({"instance_uuid": "srv-1"}, None),
        ({"image_type": "image", "instance_uuid": "srv-1"}, None),
    ],
)
def test_an_image_tells_which_server_it_is_a_snapshot_of(
    cloud: FakeOpenStack, properties: dict[str, str], server: str | None
) -> None:
    cloud.answer("/image/v2/images", {"images": [{**IMAGE, **properties}]}, project=SHOP)
    (image,) = collect(IN_SHOP, "glance.images").resources("openstack.image")
    assert image.facts["snapshot_of"] == server


def test_extensions_are_read(cloud: FakeOpenStack) -> None:
    taken = collect(REGION, "neutron.extensions")
    assert [(e.id, dict(e.facts)) for e in taken.resources("openstack.extension")] == [
        (alias, {"alias": alias, "service": "network"}) for alias in EXTENSIONS
    ]


def test_the_catalogue_becomes_services_and_endpoints(cloud: FakeOpenStack) -> None:
    taken = collect(TARGET, "keystone.catalog", "keystone.endpoints")
    assert {s.id: s.facts["regions"] for s in taken.resources("openstack.service")} == dict.fromkeys(
        (
            "block-storage",
            "compute",
            "dns",
            "identity",
            "image",
            "key-manager",
            "load-balancer",
            "network",
            "object-store",
            "orchestration",
            "placement",
            "shared-file-system",
        ),
        ("vn-hn-1",),
    )
    swift = next(e for e in taken.resources("openstack.endpoint") if e.id == "e-object-store-vn-hn-1")
    assert shown(swift, taken) == {
        "id": "e-object-store-vn-hn-1",
        "name": "object-store public",
        "scope": REGION,
        "facts": {
            "service_type": "object-store",
            "interface": "public",
            "url": f"{cloud.url}/object/v1/AUTH_%(project_id)s",
            "scheme": "http",
            "host": "127.0.0.1",
            "enabled": None,
        },
        "unseen": {},
        "from": {"": "GET /identity/v3/auth/catalog"},
    }
    assert [(listing.type, listing.count) for listing in taken.listings()] == [
        ("openstack.service", 12),
        ("openstack.endpoint", 12),
    ]


def test_an_administrator_sees_which_endpoints_are_disabled(cloud: FakeOpenStack) -> None:
    rows = [
        {
            "id": f"e-{type_}-vn-hn-1",
            "service_id": f"s-{type_}",
            "interface": "public",
            "region_id": "vn-hn-1",
            "url": "http://old",
            "enabled": True,
        }
        for type_ in cloud.paths
    ]
    hidden = {
        **rows[0],
        "id": "e-old",
        "interface": "admin",
        "url": "http://old.example.test/v3/$(tenant_id)s",
        "enabled": False,
    }
    cloud.answer("/identity/v3/endpoints", {"endpoints": [*rows, hidden]})
    taken = collect(TARGET, "keystone.catalog", "keystone.endpoints")
    found = {e.id: e for e in taken.resources("openstack.endpoint")}
    assert {id_: e.facts["enabled"] for id_, e in found.items()} == {
        **{row["id"]: True for row in rows},
        "e-old": False,
    }
    assert found["e-old"].facts["service_type"] == "identity"
    assert found["e-old"].facts["url"] == "http://old.example.test/v3/%(project_id)s"
    assert found["e-compute-vn-hn-1"].facts["url"] == f"{cloud.url}/compute/v2.1"


def everything(cloud: FakeOpenStack) -> list[Take]:
    return [collect(scope, *CALLS) for scope in (TARGET, REGION, IN_SHOP, IN_BANK)]


def test_what_is_declared_is_what_is_yielded(cloud: FakeOpenStack) -> None:
    """Each type, each observed fact of `resources/` comes, of its type, and no other one does."""
    yielded: dict[str, set[str]] = {}
    for taken in everything(cloud):
        for thing in taken.seen:
            if isinstance(thing, Resource):
                yielded.setdefault(thing.type, set()).update(thing.facts)
                for fact, value in thing.facts.items():
                    spec = TYPES[thing.type].facts[fact]
                    assert value is not None or spec.nullable, (thing.type, fact)
                    assert value is None or isinstance(value, PYTHON[spec.type]), (thing.type, fact, value)
    declared = {
        name: {
            f.name for f in TYPES[name].facts.values() if not f.derived and not f.call.startswith("probe.")
        }
        for name in OpenStackCollector.types
    }
    assert yielded == declared


PYTHON: dict[FactType, type | tuple[type, ...]] = {
    FactType.BOOLEAN: bool,
    FactType.INTEGER: int,
    FactType.STRING: str,
    FactType.TIME: int,
    FactType.ADDRESS: str,
    FactType.PORTS: tuple,
    FactType.MAP: dict,
    FactType.LIST: tuple,
}


def test_every_declared_type_has_a_collector() -> None:
    assert {name for name in TYPES if name.startswith("openstack.")} == OpenStackCollector.types


def test_calls_that_list_are_those_the_collector_concludes() -> None:
    """A call marked `lists` leads to a listing or a gap of its type, wherever it is asked."""
    marked = {
        (call.name, name)
        for name in OpenStackCollector.types
        for call in TYPES[name].calls.values()
        if call.lists
    }
    concluded = {pair for part in (_TARGET, *_REGION, *_PROJECT) for pair in part.covers}
    beside = {
        ("glance.images", "openstack.image_member"),
        ("manila.shares", "openstack.share_access_rule"),
        ("manila.shares", "openstack.share_replica"),
        ("manila.shares", "openstack.share_backup"),
        *(("neutron.extensions", type_) for type_ in BROUGHT),
    }
    assert marked == concluded | beside


def test_no_secret_is_yielded_or_logged(cloud: FakeOpenStack) -> None:
    """Secrets that the cloud sends along stay out of every resource, gap and call."""
    for taken in everything(cloud):
        assert taken.resources("openstack.server") or taken.seen
        assert PLANTED not in repr(taken.seen)
        assert PLANTED not in repr(taken.log.calls)
    asked = [r.path for r in cloud.requests]
    assert not [path for path in asked if "psk" in path or "user_data" in path]


def test_only_reading_verbs_and_the_token_post_are_on_the_wire(cloud: FakeOpenStack) -> None:
    everything(cloud)
    assert {r.method for r in cloud.requests} == {"GET", "HEAD", "POST"}
    assert set(cloud.paths_asked("POST")) == {"/identity/v3/auth/tokens"}


def test_every_request_is_in_the_log(cloud: FakeOpenStack) -> None:
    taken = collect(IN_SHOP, *CALLS)
    assert sorted(call.request for call in taken.log.calls) == sorted(
        f"{r.method} {r.path}" for r in cloud.requests
    )
    assert [call.number for call in taken.log.calls] == list(range(len(taken.log.calls)))


def test_only_wanted_calls_are_made(cloud: FakeOpenStack) -> None:
    collect(IN_SHOP, "cinder.volumes")
    assert [f"{r.method} {r.path}" for r in cloud.requests] == [
        "POST /identity/v3/auth/tokens",
        "GET /identity/v3/auth/projects",
        "GET /volume/v3/",
        f"GET /volume/v3/{SHOP}/volumes/detail?limit=1000",
    ]
    assert cloud.requests[-1].headers["OpenStack-API-Version"] == "volume 3.70"


def test_nothing_wanted_asks_no_service(cloud: FakeOpenStack) -> None:
    taken = collect(IN_SHOP)
    assert taken.seen == []
    assert {call.service for call in taken.log.calls} == {"identity"}


def test_an_empty_project_is_proven_empty(cloud: FakeOpenStack) -> None:
    taken = collect(IN_BANK, "cinder.volumes")
    assert taken.seen == [
        Listing(
            IN_BANK,
            "openstack.volume",
            0,
            "the token is scoped to the project bank and was shown what it owns",
            next(c.number for c in taken.log.calls if c.service == "block-storage" and "detail" in c.request),
        )
    ]


def test_a_head_that_was_not_wanted_explains_the_missing_facts(cloud: FakeOpenStack) -> None:
    container = collect(IN_SHOP, "swift.containers").one("openstack.container")
    assert container.facts == {}
    assert container.unseen == {"": Unseen(Reason.NOT_COLLECTED, "the plan did not ask for it")}
