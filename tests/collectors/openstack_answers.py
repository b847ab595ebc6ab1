"""One small cloud in hand-minimised answers: of every type something, and secrets where clouds have them."""

from __future__ import annotations

from typing import Any

from fake_openstack import BANK, SHOP, FakeOpenStack, Reply, Request, listed

PLANTED = "PLANTED-secret"
ADMIN = "74b1450dd715447cbd5e9efcd7d97b7d"
T = 1795319135
"""2026-11-22T03:45:35Z, when everything here was made."""
MADE = "2026-11-22T03:45:35"

SERVER = {
    "id": "srv-1",
    "name": "web-1",
    "status": "ACTIVE",
    "tenant_id": SHOP,
    "OS-EXT-AZ:availability_zone": "hn-az1",
    "hostId": "6d2437",
    "flavor": {"vcpus": 1, "ram": 512, "disk": 1, "original_name": "s1.small", "extra_specs": {}},
    "image": {"id": "img-1", "links": []},
    "os-extended-volumes:volumes_attached": [{"id": "vol-1", "delete_on_termination": False}],
    "key_name": None,
    "metadata": {"system_id": "cong-dich-vu", "db_password": f"{PLANTED}-metadata"},
    "created": f"{MADE}Z",
    "security_groups": [{"name": "web"}, {"name": "ssh"}, {"name": "web"}],
    "addresses": {
        "shop-net": [{"version": 4, "addr": "10.10.0.46", "OS-EXT-IPS:type": "fixed"}],
    },
    "OS-EXT-SRV-ATTR:user_data": f"{PLANTED}-user-data",
}
SERVER_GROUP = {
    "id": "sg-1",
    "name": "spread",
    "policy": "anti-affinity",
    "members": ["srv-1"],
    "project_id": SHOP,
}
VOLUME = {
    "id": "vol-1",
    "name": "web-data",
    "status": "in-use",
    "size": 2,
    "availability_zone": "hn-az1",
    "volume_type": "luks",
    "encrypted": True,
    "bootable": "false",
    "attachments": [{"server_id": "srv-1", "device": "/dev/sdb", "volume_id": "vol-1"}],
    "created_at": f"{MADE}.000000",
    "updated_at": None,
    "replication_status": None,
    "os-vol-host-attr:host": "bed@file1#file1",
    "os-vol-tenant-attr:tenant_id": SHOP,
    "snapshot_id": None,
    "metadata": {"data_class": "important", "note": f"{PLANTED}-volume"},
}
SNAPSHOT = {
    "id": "snap-1",
    "name": "before",
    "status": "available",
    "volume_id": "vol-1",
    "size": 2,
    "created_at": f"{MADE}.000000",
    "os-extended-snapshot-attributes:project_id": SHOP,
}
BACKUP = {
    "id": "bak-1",
    "name": "nightly",
    "status": "available",
    "volume_id": "vol-1",
    "container": "kho-hcm",
    "availability_zone": "hcm-az1",
    "is_incremental": False,
    "has_dependent_backups": False,
    "created_at": f"{MADE}.000000",
    "data_timestamp": f"{MADE}.000000",
    "size": 2,
    "fail_reason": None,
    "encryption_key_id": "key-1",
    "os-backup-project-attr:project_id": SHOP,
}
TYPE = {
    "id": "type-1",
    "name": "luks",
    "is_public": True,
    "extra_specs": {"volume_backend_name": "file1"},
    "qos_specs_id": None,
}
ENCRYPTION = {
    "provider": "luks",
    "cipher": "aes-xts-plain64",
    "key_size": 256,
    "control_location": "front-end",
}
NETWORK = {
    "id": "net-1",
    "name": "shop-net",
    "project_id": SHOP,
    "shared": False,
    "router:external": False,
    "port_security_enabled": True,
    "availability_zones": ["hn-az1"],
    "tags": ["role=web", f"note={PLANTED}-tag"],
}
SUBNET = {
    "id": "sub-1",
    "name": "shop-v4",
    "project_id": SHOP,
    "network_id": "net-1",
    "cidr": "10.10.0.0/24",
    "dns_nameservers": ["203.0.113.53"],
    "ip_version": 4,
}
PORT = {
    "id": "port-1",
    "name": "",
    "project_id": SHOP,
    "network_id": "net-1",
    "device_owner": "compute:hn-az1",
    "device_id": "srv-1",
    "security_groups": ["g-1"],
    "port_security_enabled": True,
    "status": "ACTIVE",
    "fixed_ips": [{"subnet_id": "sub-1", "ip_address": "10.10.0.46"}],
    "allowed_address_pairs": [{"ip_address": "10.10.0.0/24", "mac_address": "fa:16:3e:00:00:01"}],
}
ROUTER = {
    "id": "router-1",
    "name": "shop-router",
    "project_id": SHOP,
    "ha": False,
    "distributed": False,
    "external_gateway_info": {
        "network_id": "net-public",
        "external_fixed_ips": [{"subnet_id": "sub-2", "ip_address": "203.0.113.97"}],
    },
    "availability_zones": [],
    "routes": [{"destination": "10.9.0.0/16", "nexthop": "10.10.0.9"}],
    "tags": [],
}
FLOATING_IP = {
    "id": "fip-1",
    "project_id": SHOP,
    "floating_ip_address": "203.0.113.67",
    "floating_network_id": "net-public",
    "port_id": "port-1",
    "fixed_ip_address": "10.10.0.46",
    "status": "ACTIVE",
}
GROUP = {"id": "g-1", "name": "web", "project_id": SHOP, "stateful": True, "shared": False}
RULE = {
    "id": "rule-1",
    "project_id": SHOP,
    "security_group_id": "g-1",
    "direction": "ingress",
    "ethertype": "IPv4",
    "protocol": "tcp",
    "port_range_min": 8000,
    "port_range_max": 9000,
    "remote_ip_prefix": "0.0.0.0/0",
    "remote_group_id": None,
    "remote_address_group_id": None,
}
CONNECTION = {
    "id": "vpn-1",
    "name": "to-ndc",
    "project_id": SHOP,
    "peer_address": "198.51.100.10",
    "peer_cidrs": [],
    "peer_ep_group_id": "ep-1",
    "status": "ACTIVE",
    "ikepolicy_id": "ike-1",
    "ipsecpolicy_id": "ipsec-1",
    "psk": f"{PLANTED}-psk",
}
IKE = {
    "id": "ike-1",
    "ike_version": "v2",
    "encryption_algorithm": "aes-256",
    "auth_algorithm": "sha256",
    "pfs": "group14",
}
IPSEC = {
    "id": "ipsec-1",
    "transform_protocol": "esp",
    "encryption_algorithm": "aes-128",
    "auth_algorithm": "sha1",
    "pfs": "group5",
}
IMAGE = {
    "id": "img-1",
    "name": "cdv-golden",
    "status": "active",
    "visibility": "private",
    "owner": SHOP,
    "disk_format": "raw",
    "container_format": "bare",
    "protected": True,
    "size": 65536,
    "min_disk": 1,
    "min_ram": 0,
    "os_hash_algo": "sha512",
    "os_hash_value": "612d39",
    "os_hidden": False,
    "os_distro": "debian",
    "tier": "gold",
    "build_token": f"{PLANTED}-property",
    "stores": "ceph,file",
    "tags": [],
    "direct_url": f"swift+https://user:{PLANTED}-location@swift.example.test/v1/c/o",
    "created_at": f"{MADE}Z",
    "updated_at": f"{MADE}Z",
    "self": "/v2/images/img-1",
}
CONTAINER = {
    "X-Container-Read": ".r:*,.rlistings",
    "X-Container-Sync-To": "//realm/cluster/AUTH_x/kho",
    "X-Container-Sync-Key": f"{PLANTED}-sync",
    "X-Container-Meta-Temp-Url-Key": f"{PLANTED}-temp-url",
    "X-Container-Meta-System-Id": "cong-dich-vu",
    "X-Container-Meta-Quota-Bytes": "1000000",
    "X-Versions-Enabled": "True",
    "X-Storage-Policy": "Policy-0",
}
SHARE = {
    "id": "share-1",
    "name": "chung",
    "project_id": SHOP,
    "status": "available",
    "share_proto": "NFS",
    "size": 10,
    "availability_zone": "hn-az1",
    "created_at": f"{MADE}.000000",
}
SHARE_BACKUP = {
    "id": "sb-1",
    "name": "chung-1",
    "project_id": SHOP,
    "share_id": "share-1",
    "status": "available",
    "availability_zone": "hcm-az1",
    "created_at": f"{MADE}.000000",
}
USER = {
    "id": "u-an",
    "name": "an",
    "domain_id": "default",
    "enabled": True,
    "password_expires_at": f"{MADE}.000000",
    "options": {"multi_factor_auth_enabled": True, "multi_factor_auth_rules": [["password", "totp"]]},
}

DOMAIN = {
    "id": "default",
    "name": "Default",
    "enabled": True,
    "tags": ["role=internal"],
    "options": {"immutable": True},
}
PASSWORDS = {"password_regex": "^.{12,}$", "password_regex_description": "at least 12 characters"}
ROLE = {"id": "r-admin", "name": "admin", "domain_id": None, "options": {"immutable": True}}
GROUP_OF_USERS = {"id": "grp-1", "name": "operators", "domain_id": "default", "description": ""}
DOMAIN_ROLE = {"id": "r-clerk", "name": "clerk", "domain_id": "default", "options": {}}
CREDENTIAL = {
    "id": "ac-1",
    "name": "ci-read",
    "project_id": SHOP,
    "system": None,
    "expires_at": f"{MADE}.000000",
    "unrestricted": None,
    "roles": [{"id": "r-reader", "name": "reader"}],
    "access_rules": [
        {"id": "rule-1", "service": "compute", "path": "/v2.1/servers", "method": "GET"},
    ],
    "secret": f"{PLANTED}-application-credential",
}
TRUST = {
    "id": "trust-1",
    "trustor_user_id": "u-an",
    "trustee_user_id": "u-1",
    "project_id": SHOP,
    "impersonation": True,
    "expires_at": f"{MADE}.000000Z",
    "remaining_uses": None,
    "deleted_at": None,
}
PROVIDER = {
    "id": "so-noi-vu",
    "domain_id": "default",
    "enabled": True,
    "remote_ids": ["https://dang-nhap.example.test/idp"],
    "authorization_ttl": None,
}
LIMIT = {
    "id": "limit-1",
    "service_id": "s-nova",
    "region_id": "vn-hn-1",
    "project_id": SHOP,
    "domain_id": None,
    "resource_name": "servers",
    "resource_limit": 10,
}

FLAVOR = {
    "id": "fl-1",
    "name": "s1.small",
    "vcpus": 1,
    "ram": 512,
    "disk": 1,
    "OS-FLV-EXT-DATA:ephemeral": 2,
    "swap": 0,
    "os-flavor-access:is_public": True,
    "extra_specs": {"hw:cpu_policy": "dedicated"},
}
KEYPAIR = {
    "name": "khoa robot",
    "type": "ssh",
    "fingerprint": "e3:35:97:4a",
    "public_key": f"ssh-rsa {PLANTED}-public-key",
}
HYPERVISOR = {
    "id": "hyp-1",
    "hypervisor_hostname": "may-1.example.test",
    "state": "up",
    "status": "enabled",
    "hypervisor_type": "QEMU",
    "hypervisor_version": 8002003,
    "host_ip": "127.0.0.1",
    "service": {"id": "cs-1", "host": "may-1", "disabled_reason": None},
    "servers": [{"name": "instance-1", "uuid": "srv-1"}],
}
AGGREGATE = {
    "id": 1,
    "uuid": "agg-1",
    "name": "hn-az1",
    "availability_zone": "hn-az1",
    "hosts": ["may-1"],
    "metadata": {"tier": "gold", "note": f"{PLANTED}-aggregate"},
}
COMPUTE_SERVICE = {
    "id": "cs-1",
    "binary": "nova-compute",
    "host": "may-1",
    "zone": "hn-az1",
    "status": "enabled",
    "state": "up",
    "updated_at": f"{MADE}.000000",
    "disabled_reason": None,
    "forced_down": False,
}
TRANSFER = {
    "id": "tr-1",
    "name": "ban-giao",
    "volume_id": "vol-1",
    "created_at": f"{MADE}.000000",
    "source_project_id": SHOP,
    "auth_key": f"{PLANTED}-transfer",
}
POOL = {
    "name": "bed@file1#file1",
    "capabilities": {
        "volume_backend_name": "file1",
        "storage_protocol": "iSCSI",
        "total_capacity_gb": 1000,
        "free_capacity_gb": 899.5,
        "replication_enabled": True,
        "san_password": f"{PLANTED}-pool",
    },
}
VOLUME_SERVICE = {
    "binary": "cinder-volume",
    "host": "bed@file1",
    "zone": "nova",
    "status": "enabled",
    "state": "up",
    "updated_at": f"{MADE}.000000",
    "backend_state": "up",
    "replication_status": "disabled",
    "active_backend_id": None,
    "frozen": False,
}
BACKUP_SERVICE = {
    "binary": "cinder-backup",
    "host": "bed",
    "zone": "nova",
    "status": "enabled",
    "state": "up",
    "updated_at": None,
}


def offset_list(key: str, *rows: dict[str, Any]) -> Any:
    """A list of which everything is on the first page, as services with limit and offset give it."""

    def answer(request: Request) -> Reply:
        return Reply({key: [] if "offset=" in request.path else list(rows)})

    return answer


def small_cloud() -> FakeOpenStack:
    """Something of everything in the project shop; nothing in bank."""
    cloud = FakeOpenStack()
    _identity(cloud)
    _compute(cloud)
    _network(cloud)
    for project in (SHOP, BANK):
        mine = project == SHOP
        volume = f"/volume/v3/{project}"
        cloud.answer(f"{volume}/volumes/detail", {"volumes": [VOLUME] if mine else []})
        cloud.answer(f"{volume}/snapshots/detail", {"snapshots": [SNAPSHOT] if mine else []})
        cloud.answer(f"{volume}/backups/detail", {"backups": [BACKUP] if mine else []})
        cloud.answer(f"{volume}/types", {"volume_types": [TYPE]})
        cloud.answer(f"{volume}/types/type-1/encryption", ENCRYPTION)
        cloud.answer(f"{volume}/os-availability-zone", zones("hn-az1"))
        transfers = offset_list("transfers", *([TRANSFER] if mine else []))
        cloud.call(f"{volume}/volume-transfers/detail", transfers)
        cloud.answer(f"{volume}/scheduler-stats/get_pools", {"pools": [POOL]})
        cloud.answer(f"{volume}/os-services", {"services": [VOLUME_SERVICE, BACKUP_SERVICE]})
        gigabytes = {"limit": -1, "in_use": 2, "reserved": 1, "allocated": 0}
        cloud.answer(
            f"{volume}/os-quota-sets/{project}?usage=True",
            {"quota_set": {"id": project, "gigabytes": gigabytes}},
        )
        cores = {"limit": 20, "in_use": 3, "reserved": 0}
        key_pairs = {"limit": 100, "in_use": 0, "reserved": 0}
        quotas = {"id": project, "key_pairs": key_pairs, "cores": cores}
        cloud.answer(f"/compute/v2.1/os-quota-sets/{project}/detail", {"quota_set": quotas})
        ports = {"limit": 500, "used": 4, "reserved": 0}
        cloud.answer(f"/network/v2.0/quotas/{project}/details.json", {"quota": {"port": ports}})
        account = f"/object/v1/AUTH_{project}"
        cloud.answer(f"{account}?format=json", [{"name": "kho", "count": 1, "bytes": 9}] if mine else [])
        cloud.answer(f"{account}?format=json&marker=kho", [])
        cloud.answer(f"{account}/kho", status=204, headers=CONTAINER)
        cloud.answer("/image/v2/images", {"images": [IMAGE] if mine else []}, project=project)
    cloud.answer("/volume/v3/", {"versions": [{"id": "v3.0", "version": "3.71", "min_version": "3.0"}]})
    cloud.answer("/share/v2/", {"versions": [{"id": "v2.0", "version": "2.85", "min_version": "2.0"}]})
    cloud.call("/share/v2/shares/detail", offset_list("shares", SHARE))
    cloud.call("/share/v2/share-backups/detail", offset_list("share_backups", SHARE_BACKUP))
    return cloud


def zones(*names: str) -> dict[str, Any]:
    return {
        "availabilityZoneInfo": [
            {"zoneName": n, "zoneState": {"available": True}, "hosts": None} for n in names
        ]
    }


def _identity(cloud: FakeOpenStack) -> None:
    keystone = "/identity/v3"
    cloud.answer(
        f"{keystone}/regions",
        listed("regions", [{"id": "vn-hn-1", "parent_region_id": "vn", "description": "Hà Nội"}]),
    )
    cloud.answer(f"{keystone}/users", listed("users", [USER]))
    cloud.answer(f"{keystone}/users?idp_id=so-noi-vu", listed("users", [USER]))
    cloud.answer(f"{keystone}/OS-FEDERATION/identity_providers", listed("identity_providers", [PROVIDER]))
    grant = {
        "role": {"id": "r-admin", "name": "admin"},
        "user": {"id": "u-an", "name": "an"},
        "scope": {"project": {"id": SHOP}, "OS-INHERIT:inherited_to": "projects"},
    }
    cloud.answer(f"{keystone}/role_assignments", listed("role_assignments", [grant]))
    cloud.answer(f"{keystone}/groups", listed("groups", [GROUP_OF_USERS]))
    cloud.answer(f"{keystone}/groups/grp-1/users", listed("users", [USER]))
    cloud.answer(f"{keystone}/endpoints", status=403)
    cloud.answer(f"{keystone}/domains", listed("domains", [DOMAIN]))
    passwords = {"config": {"security_compliance": PASSWORDS}}
    cloud.answer(f"{keystone}/domains/default/config/security_compliance", passwords)
    cloud.answer(f"{keystone}/roles", listed("roles", [ROLE]))
    cloud.answer(f"{keystone}/roles?domain_id=default", listed("roles", [DOMAIN_ROLE]))
    own = listed("application_credentials", [CREDENTIAL])
    cloud.answer(f"{keystone}/users/u-1/application_credentials", own)
    cloud.answer(f"{keystone}/users/u-an/application_credentials", listed("application_credentials", []))
    cloud.answer(f"{keystone}/OS-TRUST/trusts", listed("trusts", [TRUST]))
    cloud.answer(f"{keystone}/OS-TRUST/trusts/trust-1/roles", listed("roles", [ROLE]))
    cloud.answer(f"{keystone}/limits", listed("limits", [LIMIT]))
    cloud.answer(f"{keystone}/limits", listed("limits", []), project=BANK)


def _compute(cloud: FakeOpenStack) -> None:
    nova = "/compute/v2.1"
    cloud.answer(f"{nova}/", {"version": {"id": "v2.1", "version": "2.97", "min_version": "2.1"}})
    cloud.answer(f"{nova}/servers/detail", {"servers": [SERVER]}, project=SHOP)
    cloud.answer(f"{nova}/servers/detail", {"servers": []})
    cloud.call(f"{nova}/os-server-groups", offset_list("server_groups", SERVER_GROUP))
    cloud.answer(f"{nova}/os-availability-zone", zones("hn-az1"))
    cloud.answer(f"{nova}/flavors/detail", {"flavors": [FLAVOR]})
    cloud.answer(f"{nova}/os-keypairs", {"keypairs": [{"keypair": KEYPAIR}]})
    cloud.answer(f"{nova}/os-keypairs?limit=1000&user_id=u-an", {"keypairs": []})
    cloud.answer(f"{nova}/os-keypairs/khoa%20robot", {"keypair": {**KEYPAIR, "created_at": f"{MADE}.000000"}})
    cloud.answer(f"{nova}/os-hypervisors/detail", {"hypervisors": [HYPERVISOR]})
    cloud.answer(f"{nova}/os-aggregates", {"aggregates": [AGGREGATE]})
    cloud.answer(f"{nova}/os-services", {"services": [COMPUTE_SERVICE]})


def _network(cloud: FakeOpenStack) -> None:
    neutron = "/network/v2.0"
    cloud.answer(
        f"{neutron}/extensions",
        {"extensions": [{"alias": "vpnaas", "name": "VPN"}, {"alias": "availability_zone", "name": "AZ"}]},
    )
    states = [("network", "available"), ("router", "unavailable")]
    rows = [{"name": "hn-az1", "resource": kind, "state": state} for kind, state in states]
    cloud.answer(f"{neutron}/availability_zones", {"availability_zones": rows})
    for path, key, row in (
        ("networks", "networks", NETWORK),
        ("subnets", "subnets", SUBNET),
        ("ports", "ports", PORT),
        ("routers", "routers", ROUTER),
        ("floatingips", "floatingips", FLOATING_IP),
        ("security-groups", "security_groups", GROUP),
        ("security-group-rules", "security_group_rules", RULE),
        ("vpn/ipsec-site-connections", "ipsec_site_connections", CONNECTION),
        ("vpn/ikepolicies", "ikepolicies", IKE),
        ("vpn/ipsecpolicies", "ipsecpolicies", IPSEC),
        (
            "vpn/endpoint-groups",
            "endpoint_groups",
            {"id": "ep-1", "type": "cidr", "endpoints": ["10.24.0.0/24"]},
        ),
    ):
        cloud.answer(f"{neutron}/{path}", {key: [row]}, project=SHOP)
        cloud.answer(f"{neutron}/{path}", {key: []})
