"""One small cloud in hand-minimised answers: of every type something, and secrets where clouds have them."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from fake_openstack import BANK, SHOP, FakeOpenStack, Reply, Request, listed

PLANTED = "PLANTED-secret"
ADMIN = "74b1450dd715447cbd5e9efcd7d97b7d"
T = 1795319135
"""2026-11-22T03:45:35Z, when everything here was made."""
MADE = "2026-11-22T03:45:35"
EXTENSIONS = (
    "vpnaas", "availability_zone", "address-group", "rbac-policies", "trunk", "qos", "bgpvpn", "logging", "agent",
)  # fmt: skip
BROUGHT = {
    "openstack.vpn_connection", "openstack.address_group", "openstack.rbac_policy", "openstack.trunk",
    "openstack.qos_policy", "openstack.bgpvpn", "openstack.network_log", "openstack.network_agent",
}  # fmt: skip
"""Types that exist with an extension of Neutron only, whose absence proves that there is nothing."""

SERVER = {
    "id": "srv-1",
    "name": "web-1",
    "status": "ACTIVE",
    "tenant_id": SHOP,
    "OS-EXT-AZ:availability_zone": "hn-az1",
    "hostId": "6d2437",
    "flavor": {
        "vcpus": 1,
        "ram": 512,
        "disk": 1,
        "original_name": "s1.small",
        "extra_specs": {"trait:CUSTOM_GPU": "required", "hw:cpu_policy": f"{PLANTED}-spec"},
    },
    "image": {"id": "img-1", "links": []},
    "os-extended-volumes:volumes_attached": [{"id": "vol-1", "delete_on_termination": False}],
    "key_name": None,
    "config_drive": "",
    "locked": True,
    "trusted_image_certificates": ["ca-1"],
    "metadata": {"system_id": "cong-dich-vu", "db_password": f"{PLANTED}-metadata"},
    "created": f"{MADE}Z",
    "security_groups": [{"name": "web"}, {"name": "ssh"}, {"name": "web"}],
    "addresses": {
        "shop-net": [{"version": 4, "addr": "10.10.0.46", "OS-EXT-IPS:type": "fixed"}],
    },
    "OS-EXT-SRV-ATTR:user_data": b64encode(f"#cloud-config\npassword: {PLANTED}-user-data".encode()).decode(),
    "tags": ["tier=gold"],
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
    "multiattach": False,
    "attachments": [{"server_id": "srv-1", "device": "/dev/sdb", "volume_id": "vol-1"}],
    "created_at": f"{MADE}.000000",
    "updated_at": None,
    "replication_status": None,
    "os-vol-host-attr:host": "bed@file1#file1",
    "os-vol-tenant-attr:tenant_id": SHOP,
    "snapshot_id": None,
    "volume_image_metadata": {"os_distro": "debian", "os_version": "12", "image_name": "debian-12"},
    "encryption_key_id": "key-1",
    "metadata": {"data_class": "important", "note": f"{PLANTED}-volume"},
}
SNAPSHOT = {
    "id": "snap-1",
    "name": "before",
    "status": "available",
    "volume_id": "vol-1",
    "size": 2,
    "created_at": f"{MADE}.000000",
    "metadata": {"db_password": f"{PLANTED}-snapshot"},
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
    "admin_state_up": True,
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
    "enable_dhcp": True,
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
    "extra_dhcp_opts": [
        {"opt_name": "option:ntp-server", "opt_value": "203.0.113.123, time.example.vn", "ip_version": 4},
        {"opt_name": "23", "opt_value": "2001:db8::53", "ip_version": 6},
        {"opt_name": "6", "opt_value": "203.0.113.54", "ip_version": 4},
        {"opt_name": "6", "opt_value": "of another kind", "ip_version": 6},
        {"opt_name": "bootfile-name", "opt_value": "pxelinux.0", "ip_version": 4},
    ],
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
    "router_id": "router-1",
    "port_forwardings": [
        {"protocol": "tcp", "internal_ip_address": "10.10.0.46", "internal_port": 25, "external_port": 2225},
    ],
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
ADDRESS_GROUP = {
    "id": "ag-1",
    "name": "van-phong",
    "project_id": SHOP,
    "addresses": ["203.0.113.0/28", "2001:db8::1/128"],
    "shared": False,
}
RBAC_POLICY = {
    "id": "rbac-1",
    "project_id": SHOP,
    "object_type": "network",
    "object_id": "net-1",
    "action": "access_as_shared",
    "target_tenant": BANK,
}
TRUNK = {
    "id": "trunk-1",
    "name": "nfv",
    "project_id": SHOP,
    "port_id": "port-1",
    "status": "ACTIVE",
    "admin_state_up": True,
    "sub_ports": [{"port_id": "port-2", "segmentation_type": "vlan", "segmentation_id": 101}],
}
QOS_POLICY = {
    "id": "qos-1",
    "name": "gioi-han",
    "project_id": SHOP,
    "shared": False,
    "is_default": True,
    "rules": [
        {"id": "q-1", "type": "dscp_marking", "dscp_mark": 26},
        {"id": "q-2", "type": "bandwidth_limit", "direction": "egress", "max_kbps": 1000},
        {"id": "q-3", "type": "bandwidth_limit", "direction": "ingress", "max_kbps": 1000},
    ],
}
BGPVPN = {
    "id": "bgp-1",
    "name": "wan",
    "project_id": SHOP,
    "type": "l3",
    "route_targets": ["64512:1"],
    "import_targets": ["64512:2"],
    "export_targets": [],
    "route_distinguishers": [],
    "networks": ["net-1"],
    "routers": ["router-1"],
}
NETWORK_LOG = {
    "id": "log-1",
    "name": "chan",
    "project_id": SHOP,
    "resource_type": "security_group",
    "resource_id": "g-1",
    "target_id": None,
    "event": "DROP",
    "enabled": True,
}
AGENT = {
    "id": "agent-1",
    "agent_type": "L3 agent",
    "binary": "neutron-l3-agent",
    "host": "net-01",
    "availability_zone": "hn-az1",
    "alive": True,
    "admin_state_up": True,
    "configurations": {"token": f"{PLANTED}-configuration"},
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
    "os_version": "12",
    "tier": "gold",
    "build_token": f"{PLANTED}-property",
    "hw_mem_encryption": "True",
    "os_secure_boot": "required",
    "os_purpose": "generic",
    "image_source": f"https://images.example.test/debian.qcow2?signature={PLANTED}-source",
    "image_description": f"{PLANTED}-description",
    "stores": "ceph,file",
    "tags": [],
    "direct_url": f"swift+https://user:{PLANTED}-location@swift.example.test/v1/c/o",
    "created_at": f"{MADE}Z",
    "updated_at": f"{MADE}Z",
    "self": "/v2/images/img-1",
}
SHARED_IMAGE = {**IMAGE, "id": "img-2", "name": "cdv-chung", "visibility": "shared"}
MEMBER = {
    "member_id": BANK,
    "image_id": "img-2",
    "status": "pending",
    "created_at": f"{MADE}Z",
    "schema": "/v2/schemas/member",
}
STORES = [{"id": "ceph", "description": "Ceph", "default": "true"}, {"id": "web", "read-only": "true"}]
STORES_DETAIL = [
    {**STORES[0], "type": "rbd", "weight": 0, "properties": {"pool": f"{PLANTED}-pool"}},
    {**STORES[1], "type": "http", "weight": 0, "properties": {}},
]
IMPORT = {
    "import-methods": {"description": "Import methods available.", "type": "array",
                       "value": ["glance-direct", "copy-image"]},
}  # fmt: skip
ACCOUNT = {
    "X-Account-Container-Count": "1",
    "X-Account-Object-Count": "12",
    "X-Account-Bytes-Used": "4096",
    "X-Account-Meta-Quota-Bytes": "1000000",
    "X-Account-Meta-Temp-Url-Key-2": f"{PLANTED}-account-temp-url",
    "X-Account-Access-Control": f'{{"read-only":["{PLANTED}-account-acl"]}}',
}
EMPTY_ACCOUNT = dict.fromkeys(list(ACCOUNT)[:3], "0")
INFO = {
    "swift": {"version": "2.34.0", "max_file_size": 5368709122, "policies": [{"name": "Policy-0"}]},
    "slo": {"max_manifest_segments": 1000},
    "tempurl": {"methods": ["GET", "HEAD"]},
    "container_sync": {"realms": {"QUOCGIA": {"clusters": {"HN": {"current": True}, "HCM": {}}}}},
    "bulk_delete": {},
}
EMPTY = {"X-Container-Object-Count": "0"}
"""What every answer about a container says, here of one with nothing in it."""
CONTAINER = {
    "X-Container-Object-Count": "1",
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
    "is_public": False,
    "metadata": {"data_class": "internal", "mount": "/mnt/chung"},
}
ACCESS_RULE = {
    "id": "ar-1",
    "access_type": "ip",
    "access_to": "10.0.0.0/24",
    "access_level": "rw",
    "access_key": f"{PLANTED}-access-key",
    "state": "active",
    "metadata": {},
    "created_at": f"{MADE}.000000",
}
SHARE_BACKUP = {
    "id": "sb-1",
    "name": "chung-1",
    "share_id": "share-1",
    "status": "available",
    "availability_zone": "hcm-az1",
    "created_at": f"{MADE}.000000",
}
SHARE_REPLICA = {
    "id": "sr-1",
    "share_id": "share-1",
    "availability_zone": "hcm-az1",
    "replica_state": "in_sync",
    "status": "available",
    "host": "hcm@nfs#pool",
    "created_at": f"{MADE}.000000",
}
LOADBALANCER = {
    "id": "lb-1",
    "name": "cong",
    "project_id": SHOP,
    "provisioning_status": "ACTIVE",
    "operating_status": "ONLINE",
    "admin_state_up": True,
    "vip_address": "198.51.100.1",
    "vip_port_id": "port-9",
    "vip_subnet_id": "sub-1",
    "provider": "amphora",
    "flavor_id": None,
    "availability_zone": None,
    "listeners": [{"id": "ls-1"}],
}
AMPHORAE = [
    {
        "id": f"amp-{n}",
        "loadbalancer_id": of,
        "compute_id": f"vm-amp-{n}",
        "role": role,
        "status": status,
        "lb_network_ip": f"192.0.2.{n}",
        "cert_expiration": "2027-01-01T00:00:00",
    }
    for n, (of, role, status) in enumerate(
        [
            ("lb-1", "MASTER", "ALLOCATED"),
            ("lb-1", "BACKUP", "ALLOCATED"),
            ("lb-1", None, "BOOTING"),
            (None, None, "READY"),
        ]
    )
]
LISTENER = {
    "id": "ls-1",
    "name": "https",
    "project_id": SHOP,
    "protocol": "TERMINATED_HTTPS",
    "protocol_port": 443,
    "loadbalancers": [{"id": "lb-1"}],
    "admin_state_up": True,
    "default_tls_container_ref": f"https://keys.example.test/v1/secrets/{PLANTED}-reference",
    "sni_container_refs": ["https://keys.example.test/v1/secrets/2"],
    "tls_versions": ["TLSv1.2", "TLSv1.3"],
    "tls_ciphers": "TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256",
    "alpn_protocols": ["h2", "http/1.1"],
    "insert_headers": {"X-Forwarded-Proto": "true", "X-Forwarded-For": "true"},
    "allowed_cidrs": ["203.0.113.0/24"],
    "default_pool_id": "pool-1",
    "l7policies": [{"id": "l7-1"}],
}
L7_POLICY = {
    "id": "l7-1",
    "project_id": SHOP,
    "listener_id": "ls-1",
    "action": "REDIRECT_TO_URL",
    "redirect_url": f"https://www.example.test/?k={PLANTED}-redirect",
    "redirect_prefix": None,
}
POOL = {
    "id": "pool-1",
    "name": "web",
    "project_id": SHOP,
    "protocol": "HTTP",
    "lb_algorithm": "ROUND_ROBIN",
    "session_persistence": {"type": "APP_COOKIE", "cookie_name": f"{PLANTED}-cookie"},
    "loadbalancers": [{"id": "lb-1"}],
    "admin_state_up": True,
    "operating_status": "ONLINE",
    "tls_enabled": False,
    "members": [{"id": "m-1"}, {"id": "m-2"}],
    "healthmonitor_id": "hm-1",
}
POOL_MEMBERS = [
    {
        "id": "m-1",
        "address": "10.10.0.46",
        "protocol_port": 8080,
        "subnet_id": "sub-1",
        "operating_status": "ONLINE",
        "backup": False,
        "monitor_address": None,
        "monitor_port": None,
    },
    {
        "id": "m-2",
        "address": "10.10.0.47",
        "protocol_port": 8080,
        "subnet_id": None,
        "operating_status": "ERROR",
        "backup": True,
        "monitor_address": "10.10.1.47",
        "monitor_port": 9000,
    },
]
HEALTH_MONITOR = {
    "id": "hm-1",
    "project_id": SHOP,
    "type": "HTTP",
    "delay": 5,
    "timeout": 3,
    "max_retries": 2,
    "operating_status": "ONLINE",
    "url_path": f"/healthz?key={PLANTED}-path",
}
SECRET = {
    "secret_ref": "http://keys.example.test:9311/v1/secrets/f2b9b617",
    "name": "db-password",
    "status": "ACTIVE",
    "secret_type": "symmetric",
    "algorithm": "aes",
    "bit_length": 256,
    "mode": None,
    "expiration": MADE,
    "created": MADE,
    "updated": MADE,
    "creator_id": "u-an",
    "content_types": {"default": "application/octet-stream"},
}
STACK = {
    "id": "stack-1",
    "stack_name": "cong-dich-vu",
    "stack_status": "UPDATE_IN_PROGRESS",
    "stack_status_reason": f"{PLANTED}-reason",
    "creation_time": f"{MADE}Z",
    "updated_time": None,
    "parent": None,
    "stack_owner": "an",
    "tags": ["system_id=cong-dich-vu", f"note={PLANTED}-stack-tag", "iac"],
    "parameters": {"password": f"{PLANTED}-parameter"},
}
STACK_RESOURCES = [
    {"resource_name": "may", "resource_type": "OS::Nova::Server", "resource_status_reason": f"{PLANTED}-why"},
    {"resource_name": "may-2", "resource_type": "OS::Nova::Server"},
    {"resource_name": "mang", "resource_type": f"https://user:{PLANTED}-url@example.test/mang.yaml"},
]
DNS_ZONE = {
    "id": "zone-1",
    "name": "dich-vu.example.vn.",
    "project_id": SHOP,
    "email": f"{PLANTED}@example.vn",
    "type": "PRIMARY",
    "status": "ACTIVE",
    "serial": 1795319135,
    "ttl": 3600,
    "shared": False,
}
PROVIDER = {
    "uuid": "rp-2",
    "name": "compute-1_numa0",
    "generation": 6,
    "parent_provider_uuid": "rp-1",
    "root_provider_uuid": "rp-1",
    "links": [{"rel": "self", "href": "/resource_providers/rp-2"}],
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
IDENTITY_PROVIDER = {
    "id": "so-noi-vu",
    "domain_id": "default",
    "enabled": True,
    "remote_ids": ["https://dang-nhap.example.test/idp"],
    "authorization_ttl": None,
}
PROTOCOL = {"id": "openid", "mapping_id": "anh-xa-so", "remote_id_attribute": None, "links": {}}
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
    "OS-FLV-DISABLED:disabled": False,
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
STORAGE_POOL = {
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
        cloud.answer(f"{volume}/scheduler-stats/get_pools", {"pools": [STORAGE_POOL]})
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
        cloud.answer(account, status=204, headers=ACCOUNT if mine else EMPTY_ACCOUNT)
        cloud.answer("/image/v2/images", {"images": [IMAGE, SHARED_IMAGE] if mine else []}, project=project)
    cloud.answer("/image/v2/images/img-2/members", {"members": [MEMBER], "schema": "/v2/schemas/members"})
    cloud.answer("/image/v2/info/stores", {"stores": STORES})
    cloud.answer("/image/v2/info/stores/detail", {"stores": STORES_DETAIL})
    cloud.answer("/image/v2/info/import", IMPORT)
    cloud.answer("/object/info", INFO)
    cloud.answer("/volume/v3/", {"versions": [{"id": "v3.0", "version": "3.71", "min_version": "3.0"}]})
    cloud.answer("/share/v2/", {"versions": [{"id": "v2.0", "version": "2.85", "min_version": "2.0"}]})
    cloud.call("/share/v2/shares/detail", offset_list("shares", SHARE))
    cloud.answer("/share/v2/share-access-rules", {"access_list": [ACCESS_RULE]})
    cloud.call("/share/v2/share-backups/detail", offset_list("share_backups", SHARE_BACKUP))
    cloud.call("/share/v2/share-replicas/detail", offset_list("share_replicas", SHARE_REPLICA))
    _further_services(cloud)
    return cloud


def _further_services(cloud: FakeOpenStack) -> None:
    octavia = "/load-balancer/v2/lbaas"
    for path, row in (("loadbalancers", LOADBALANCER), ("listeners", LISTENER), ("pools", POOL)):
        cloud.answer(f"{octavia}/{path}", {path: [row], f"{path}_links": []}, project=SHOP)
        cloud.answer(f"{octavia}/{path}", {path: [], f"{path}_links": []})
    cloud.answer(f"{octavia}/pools/pool-1/members", {"members": POOL_MEMBERS, "members_links": []})
    cloud.answer("/load-balancer/v2/octavia/amphorae", {"amphorae": AMPHORAE, "amphorae_links": []})
    cloud.answer(f"{octavia}/healthmonitors", {"healthmonitors": [HEALTH_MONITOR]})
    cloud.answer(f"{octavia}/l7policies", {"l7policies": [L7_POLICY]})
    secrets = offset_list("secrets", SECRET)
    cloud.answers["/key-manager/v1/secrets", SHOP] = secrets
    cloud.answer("/key-manager/v1/secrets", {"secrets": [], "total": 0})
    cloud.answer(f"/heat-api/v1/{SHOP}/stacks", {"stacks": [STACK]})
    cloud.answer(f"/heat-api/v1/{BANK}/stacks", {"stacks": []})
    cloud.answer(f"/heat-api/v1/{SHOP}/stacks/cong-dich-vu/stack-1/resources", {"resources": STACK_RESOURCES})
    links = {"self": f"{cloud.url}/dns/v2/zones"}
    cloud.answer("/dns/v2/zones", {"zones": [DNS_ZONE], "links": links}, project=SHOP)
    cloud.answer("/dns/v2/zones", {"zones": [], "links": links})
    versions = [{"id": "v1.0", "max_version": "1.39", "min_version": "1.0", "status": "CURRENT"}]
    cloud.answer("/placement/", {"versions": versions})
    cloud.answer("/placement/resource_providers", {"resource_providers": [PROVIDER]})


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
    cloud.answer(
        f"{keystone}/OS-FEDERATION/identity_providers", listed("identity_providers", [IDENTITY_PROVIDER])
    )
    of_idp = f"{keystone}/OS-FEDERATION/identity_providers/so-noi-vu/protocols"
    cloud.answer(of_idp, listed("protocols", [PROTOCOL]))
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
        {"extensions": [{"alias": alias, "name": alias} for alias in EXTENSIONS]},
    )
    states = [("network", "available"), ("router", "unavailable")]
    rows = [{"name": "hn-az1", "resource": kind, "state": state} for kind, state in states]
    cloud.answer(f"{neutron}/availability_zones", {"availability_zones": rows})
    cloud.answer(f"{neutron}/agents", {"agents": [AGENT]})
    for path, key, row in (
        ("networks", "networks", NETWORK),
        ("subnets", "subnets", SUBNET),
        ("ports", "ports", PORT),
        ("routers", "routers", ROUTER),
        ("floatingips", "floatingips", FLOATING_IP),
        ("security-groups", "security_groups", GROUP),
        ("security-group-rules", "security_group_rules", RULE),
        ("address-groups", "address_groups", ADDRESS_GROUP),
        ("rbac-policies", "rbac_policies", RBAC_POLICY),
        ("trunks", "trunks", TRUNK),
        ("qos/policies", "policies", QOS_POLICY),
        ("bgpvpn/bgpvpns", "bgpvpns", BGPVPN),
        ("log/logs", "logs", NETWORK_LOG),
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
