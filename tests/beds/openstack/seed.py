"""seed.py STORY : fill the cloud with one of the two sites, through the real APIs, and write truth.json.

The story `doi-chung` is that of Hanoi with its two hosts in two zones; seed_pairs.py adds to it.

Everything that is owned by a project is made by the user "deploy" in that project; "admin" makes what
only an administrator can (public image, external network, flavors, volume types, aggregate).
"""

import base64
import json
import random
import struct
import sys
import time
from datetime import UTC, datetime

import certificate
from cast import DATA, PLANTED, PROJECTS, STORIES, USER_DATA, connect
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

PAIRS = sys.argv[1] == "doi-chung"
STORY = "hn" if PAIRS else sys.argv[1]
SITE = STORIES[STORY]
ELSEWHERE = STORIES["hcm"]["az"] if PAIRS else SITE["az"]
"""The zone of the second host."""
T0 = time.time()
ANY4, ANY6 = "0.0.0.0/0", "::/0"

base = json.loads((DATA / "base.json").read_text())
things = []
planted = dict(PLANTED)


def say(*a):
    print(f"{time.time() - T0:6.1f}s", *a, flush=True)


def note(kind, thing, project, **facts):
    """One line of the truth."""
    things.append(
        {
            "type": kind,
            "name": thing.name,
            "id": thing.id,
            "project": project,
            "project_id": base["projects"].get(project, base["admin_project"]),
            **facts,
        }
    )
    return thing


class Named:
    """What an API tells by a name alone, or by neither."""

    def __init__(self, name, id_=None):
        self.name, self.id = name, id_


class Row:
    """What is waited for, where the SDK has no class for it."""

    def __init__(self, status):
        self.status = status


def wait(what, get, good, bad=("error",), seconds=180):
    end = time.time() + seconds
    while True:
        x = get()
        s = x.status.lower()
        if s in good:
            return x
        if s in bad or time.time() > end:
            raise SystemExit(f"{what} is {x.status}")
        time.sleep(0.4)


def until(what, get, seconds=180):
    end = time.time() + seconds
    while not get():
        if time.time() > end:
            raise SystemExit(f"no {what}")
        time.sleep(1)


admin = connect(region=SITE["region"])
deploy = {p: connect("deploy", p, region=SITE["region"]) for p in PROJECTS}
until("volume backend", lambda: list(admin.block_storage.backend_pools()))
HOSTS = ("compute-1", "compute-2")
until("hypervisors", lambda: len(list(admin.compute.hypervisors())) == len(HOSTS))
placement = admin.placement


def inventories():
    return [p for p in placement.resource_providers() if list(placement.resource_provider_inventories(p))]


until("inventories", lambda: len(inventories()) == len(HOSTS))
say("backend and hypervisors are there")


# --- who may do what ------------------------------------------------------------------
if STORY == "hn":
    ks = admin.identity
    partners = ks.create_domain(name="doi-tac", description="Đối tác", is_enabled=False)
    note("domain", partners, "admin", enabled=False)
    note("role", ks.create_role(name="kiem-dinh", domain_id=partners.id), "admin", domain=partners.id)
    auditors = ks.create_group(name="to-kiem-toan", domain_id="default")
    ks.add_user_to_group(base["users"]["audit-tenant"]["id"], auditors.id)
    note("group", auditors, "admin", domain="default", members=[base["users"]["audit-tenant"]["id"]])
    trust = deploy["nen-tang"].identity.create_trust(
        trustor_user_id=base["users"]["deploy"]["id"],
        trustee_user_id=base["users"]["audit-tenant"]["id"],
        project_id=base["projects"]["nen-tang"],
        is_impersonation=True,
        roles=[{"name": "member"}],
    )
    note(
        "trust",
        Named("", trust.id),
        "nen-tang",
        trustor=trust.trustor_user_id,
        trustee=trust.trustee_user_id,
        impersonation=True,
        roles=["member"],
    )
    ks.create_identity_provider(
        id="dang-nhap-mot-lan", domain_id="default", is_enabled=False, remote_ids=["https://sso.example/idp"]
    )
    note(
        "identity_provider",
        Named("dang-nhap-mot-lan", "dang-nhap-mot-lan"),
        "admin",
        enabled=False,
        domain="default",
        remote_ids=["https://sso.example/idp"],
    )
    nova_service = ks.find_service("nova")
    ks.create_registered_limit(
        service_id=nova_service.id, resource_name="servers", default_limit=10, region_id=SITE["region"]
    )
    ks.create_limit(
        service_id=nova_service.id,
        resource_name="servers",
        resource_limit=7,
        region_id=SITE["region"],
        project_id=base["projects"]["cong-dich-vu"],
    )
    (limit,) = ks.limits()
    note(
        "limit",
        Named("", limit.id),
        "cong-dich-vu",
        service_id=nova_service.id,
        region_id=SITE["region"],
        resource="servers",
        limit=7,
    )
    say("domain, group, trust, provider, limits")

# --- images --------------------------------------------------------------------
# Glance looks into what is uploaded and refuses what is not the format that it is said to be.


def raw_disk(size=256 * 1024):
    """The same bytes at both sites."""
    return random.Random("base image").randbytes(size)


def vmdk_disk():
    """An empty sparse VMDK: its header, its descriptor, nothing else."""
    text = (
        b"# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"
        b'createType="monolithicSparse"\n\n# Extent description\nRW 2048 SPARSE "disk.vmdk"\n'
    )
    header = struct.pack("<4sIIQQQQIQQQ", b"KDMV", 1, 3, 2048, 128, 1, 20, 512, 21, 22, 128)
    return header.ljust(512, b"\0") + text.ljust(20 * 512, b"\0") + bytes(128 * 512)


def image(conn, project, name, disk_format, data, **kw):
    made = conn.image.create_image(
        name=name, container_format="bare", disk_format=disk_format, data=data, min_disk=1, wait=True, **kw
    )
    made = conn.image.get_image(made.id)
    return note(
        "image",
        made,
        project,
        disk_format=disk_format,
        visibility=kw["visibility"],
        os_hash_value=made.hash_value,
        properties={k: v for k, v in kw.items() if k not in ("visibility", "is_protected")},
    )


debian = image(
    admin,
    "admin",
    "debian-12-goc",
    "raw",
    raw_disk(),
    visibility="public",
    is_protected=True,
    os_distro="debian",
    os_version="12",
    architecture="x86_64",
)
if STORY == "hn":
    golden = image(
        deploy["cong-dich-vu"],
        "cong-dich-vu",
        "cdv-golden",
        "raw",
        raw_disk() + b"portal",
        visibility="shared",
        os_distro="debian",
        os_version="12",
        architecture="x86_64",
        build_token=PLANTED["image_property"],
    )
    image(
        deploy["van-ban"],
        "van-ban",
        "vb-vmware-cu",
        "vmdk",
        vmdk_disk(),
        visibility="private",
        os_distro="centos",
        os_version="7",
        architecture="x86_64",
    )
    member = deploy["cong-dich-vu"].image.add_member(golden.id, member_id=base["projects"]["van-ban"])
    note(
        "image_member", Named(""), "cong-dich-vu", image=golden.id, member=member.member_id, status="pending"
    )
say("images")

# --- networks --------------------------------------------------------------------
PUBLIC = {"hn": "203.0.113", "hcm": "198.51.100"}[STORY]
public = admin.network.create_network(
    name="public",
    is_router_external=True,
    is_shared=False,
    provider_network_type="flat",
    provider_physical_network="public",
)
note("network", public, "admin", external=True)
admin.network.create_subnet(
    network_id=public.id,
    name="public-v4",
    ip_version=4,
    cidr=f"{PUBLIC}.0/24",
    enable_dhcp=False,
    gateway_ip=f"{PUBLIC}.1",
)
nets, subnets, routers, groups = {}, {}, {}, {}


def network(project, prefix, cidr):
    n = deploy[project].network
    nets[project] = note("network", n.create_network(name=f"{prefix}-net"), project, external=False)
    subnets[project] = note(
        "subnet",
        n.create_subnet(network_id=nets[project].id, name=f"{prefix}-v4", ip_version=4, cidr=cidr),
        project,
        cidr=cidr,
    )
    routers[project] = note(
        "router",
        n.create_router(name=f"{prefix}-router", external_gateway_info={"network_id": public.id}),
        project,
        external_gateway=True,
    )
    n.add_interface_to_router(routers[project], subnet_id=subnets[project].id)


def group(project, name, rules, **facts):
    """Rules as (protocol, from, to, source), a source being a prefix or the name of a group."""
    n = deploy[project].network
    g = groups[name] = n.create_security_group(name=name, description=facts.pop("text", ""))
    made = []
    for protocol, low, high, source in rules:
        where = {"remote_group_id": groups[source].id} if source in groups else {"remote_ip_prefix": source}
        rule = n.create_security_group_rule(
            security_group_id=g.id,
            direction="ingress",
            protocol=protocol,
            port_range_min=low,
            port_range_max=high,
            ethertype="IPv6" if ":" in source else "IPv4",
            **where,
        )
        made.append({"id": rule.id, "protocol": protocol, "from": low, "to": high, "source": source})
    note("security_group", g, project, rules=made, attached_to=[], **facts)


WEB = [("tcp", port, port, any_) for port in (80, 443) for any_ in (ANY4, ANY6)]
if STORY == "hn":
    network("cong-dich-vu", "cdv", "10.11.0.0/24")
    network("van-ban", "vb", "10.12.0.0/24")
    network("trang-tin", "tt", "10.13.0.0/24")
    network("nen-tang", "nt", "10.14.0.0/24")
    group("cong-dich-vu", "cdv-web", WEB)
    group("cong-dich-vu", "cdv-quan-tri", [("tcp", 22, 22, "10.0.0.0/8")])
    group("cong-dich-vu", "cdv-csdl", [("tcp", 5432, 5432, "cdv-web")])
    group("van-ban", "vb-ung-dung", [("tcp", 443, 443, "10.0.0.0/8"), ("tcp", 22, 22, "10.0.0.0/8")])
    group("trang-tin", "tt-web", WEB)
    group(
        "trang-tin",
        "tt-mo-ssh",
        [("tcp", 22, 22, ANY4), ("tcp", 22, 22, ANY6)],
        open_to_world=[22],
        bad="ssh open to the world, attached",
    )
    group(
        "trang-tin",
        "tt-mo-het",
        [(None, None, None, ANY4), (None, None, None, ANY6)],
        open_to_world="all",
        bad="everything open to the world, not attached",
    )
else:
    network("nen-tang", "nt", "10.24.0.0/24")
    network("cong-dich-vu", "cdv", "10.21.0.0/24")
    group("nen-tang", "nt-quan-tri", [("tcp", 22, 22, "10.0.0.0/8")])
say("networks and groups")

# --- what Neutron's extensions bring ----------------------------------------------------
if STORY == "hn":
    n = deploy["cong-dich-vu"].network
    offices = n.create_address_group(name="cdv-tru-so", addresses=["10.0.0.0/8", "192.0.2.7/32"])
    note("address_group", offices, "cong-dich-vu", addresses=["10.0.0.0/8", "192.0.2.7/32"], shared=False)
    policy = n.create_rbac_policy(
        object_type="address_group",
        object_id=offices.id,
        action="access_as_shared",
        target_project_id=base["projects"]["van-ban"],
    )
    note(
        "rbac_policy",
        Named("", policy.id),
        "cong-dich-vu",
        object_type="address_group",
        object_id=offices.id,
        action="access_as_shared",
        target_tenant=base["projects"]["van-ban"],
    )
    n = deploy["nen-tang"].network
    parent, child = (n.create_port(network_id=nets["nen-tang"].id, name=f"nt-{x}") for x in ("trunk", "vlan"))
    trunk = n.create_trunk(
        name="nt-trunk",
        port_id=parent.id,
        sub_ports=[{"port_id": child.id, "segmentation_type": "vlan", "segmentation_id": 101}],
    )
    note("trunk", trunk, "nen-tang", port=parent.id, sub_port=child.id, segmentation_id=101)
    qos = admin.network.create_qos_policy(name="nt-bang-thong", project_id=base["projects"]["nen-tang"])
    admin.network.create_qos_bandwidth_limit_rule(qos, max_kbps=10000)
    note("qos_policy", qos, "nen-tang", shared=False, is_default=False, rule_kinds=["bandwidth_limit"])
    log = admin.network.post(
        "/log/logs",
        json={
            "log": {
                "name": "cdv-web-bi-chan",
                "project_id": base["projects"]["cong-dich-vu"],
                "resource_type": "security_group",
                "resource_id": groups["cdv-web"].id,
                "event": "DROP",
                "enabled": True,
            }
        },
    )
    log.raise_for_status()
    note(
        "network_log",
        Named("cdv-web-bi-chan", log.json()["log"]["id"]),
        "cong-dich-vu",
        resource_type="security_group",
        resource_id=groups["cdv-web"].id,
        event="DROP",
    )
    say("address group, sharing, trunk, qos, log")

# --- volumes ----------------------------------------------------------------------
bs = admin.block_storage
types = {t.name: t for t in bs.types()}
standard = types.get("standard") or bs.create_type(name="standard", is_public=True)
bs.update_type_extra_specs(standard, volume_backend_name="file1")
luks = bs.create_type(name="luks", extra_specs={"volume_backend_name": "file1"})
bs.create_type_encryption(
    luks, provider="luks", cipher="aes-xts-plain64", key_size=256, control_location="front-end"
)
note("volume_type", standard, "admin", encrypted=False)
note("volume_type", luks, "admin", encrypted=True)
vols = {}


def volume(project, name, kind, size=1, metadata=None):
    v = deploy[project].block_storage.create_volume(
        name=name, size=size, volume_type=kind, metadata=metadata or {}
    )
    vols[name] = (project, v.id)


def volumes_ready():
    for name, (project, id_) in vols.items():
        v = wait(name, lambda p=project, i=id_: deploy[p].block_storage.get_volume(i), ("available",))
        note(
            "volume",
            v,
            project,
            size=v.size,
            volume_type=v.volume_type,
            encrypted=bool(v.is_encrypted),
            metadata=v.metadata,
            availability_zone=v.availability_zone,
            age_hours=60 * 24,
            attached_to=None,
            snapshots=0,
        )


def backup(name, volume_name, container, age_hours):
    """The age is given in databases.py, in the database: no API can make an old backup."""
    project, volume_id = vols[volume_name]
    s = deploy[project].block_storage
    b = s.create_backup(volume_id=volume_id, name=name, container=container, force=True)
    b = wait(name, lambda: s.get_backup(b.id), ("available",))
    wait(volume_name, lambda: s.get_volume(volume_id), ("available", "in-use"))
    note(
        "backup",
        b,
        project,
        volume_id=volume_id,
        volume_name=volume_name,
        container=b.container,
        size=b.size,
        age_hours=age_hours,
    )


if STORY == "hn":
    volume(
        "cong-dich-vu",
        "cdv-data-1",
        "luks",
        size=2,
        metadata={
            "data_class": "important",
            "system_id": "cong-dich-vu",
            "note": PLANTED["volume_metadata"],
        },
    )
    volume("cong-dich-vu", "cdv-data-2", "luks", metadata={"system_id": "cong-dich-vu"})
    volume("van-ban", "vb-data-1", "luks", metadata={"data_class": "important", "system_id": "van-ban"})
    volume("van-ban", "vb-data-2", "standard", metadata={"system_id": "van-ban"})
    volume("trang-tin", "tt-data", "standard")
    volume("trang-tin", "tt-chuyen-giao", "standard")
    volumes_ready()
    say("volumes")
    backup("cdv-data-1-hn", "cdv-data-1", "kho-hn", 2)
    backup("cdv-data-1-hcm", "cdv-data-1", "kho-hcm", 3)
    backup("cdv-data-2-hn", "cdv-data-2", "kho-hn", 2)
    backup("vb-data-1-hn-a", "vb-data-1", "kho-hn", 64)
    backup("vb-data-1-hn-b", "vb-data-1", "kho-hn", 40)
    vb = deploy["van-ban"].block_storage
    snap = vb.create_snapshot(volume_id=vols["vb-data-2"][1], name="vb-data-2-truoc-nang-cap")
    snap = wait("snapshot", lambda: vb.get_snapshot(snap.id), ("available",))
    note("snapshot", snap, "van-ban", volume_id=snap.volume_id, volume_name="vb-data-2", size=snap.size)
    next(t for t in things if t["name"] == "vb-data-2")["snapshots"] = 1
    given = vols["tt-chuyen-giao"][1]
    transfer = deploy["trang-tin"].block_storage.create_transfer(volume_id=given, name="tt-cho-vb")
    note("volume_transfer", transfer, "trang-tin", volume_id=given)
    planted["volume_transfer_auth_key"] = transfer.auth_key
else:
    volume("nen-tang", "nt-data-1", "luks", metadata={"data_class": "important", "system_id": "cong-dich-vu"})
    volume("nen-tang", "nt-data-2", "luks", metadata={"system_id": "van-ban"})
    volumes_ready()
    say("volumes")
    backup("nt-data-1-hcm", "nt-data-1", "kho-hcm", 2)
    backup("nt-data-2-hcm", "nt-data-2", "kho-hcm", 3)
say("backups and snapshots")

# --- servers ------------------------------------------------------------------------
co = admin.compute
small = co.create_flavor(name="s1.small", id="101", ram=512, vcpus=1, disk=1)
medium = co.create_flavor(name="s1.medium", id="102", ram=1024, vcpus=2, disk=2)
for flavor in (small, medium):
    note("flavor", flavor, "admin", vcpus=flavor.vcpus, ram=flavor.ram, disk=flavor.disk)
aggregates = {}
for host, zone in zip(HOSTS, (SITE["az"], ELSEWHERE), strict=True):
    if zone not in aggregates:
        made = co.create_aggregate(name=zone, availability_zone=zone)
        aggregates[zone] = note("aggregate", made, "admin", availability_zone=zone)
    co.add_host_to_aggregate(aggregates[zone], host)
if STORY == "hn":
    reserved = co.create_flavor(name="s1.rieng", id="103", ram=512, vcpus=1, disk=1, is_public=False)
    co.flavor_add_tenant_access(reserved, base["projects"]["van-ban"])
    co.create_flavor_extra_specs(reserved, {"hw:cpu_policy": "shared"})
    note(
        "flavor",
        reserved,
        "admin",
        vcpus=1,
        ram=512,
        disk=1,
        is_public=False,
        extra_specs={"hw:cpu_policy": "shared"},
    )
    public_key = certificate.make("x")[0].public_key()
    pair = deploy["cong-dich-vu"].compute.create_keypair(
        name="trien-khai",
        public_key=public_key.public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        ).decode(),
    )
    note(
        "keypair",
        pair,
        "cong-dich-vu",
        user=base["users"]["deploy"]["id"],
        fingerprint=pair.fingerprint,
    )
servers = {}


def server(
    project, name, security_groups, flavor=small, server_group=None, user_data=None, zone=SITE["az"], **kw
):
    if server_group:
        kw["scheduler_hints"] = {"group": server_group.id}
    if user_data:
        kw["user_data"] = user_data
    c = deploy[project].compute
    s = c.create_server(
        name=name,
        image_id=debian.id,
        flavor_id=flavor.id,
        networks=[{"uuid": nets[project].id}],
        availability_zone=zone,
        security_groups=[{"name": groups[g].id} for g in security_groups],
        **kw,
    )
    servers[name] = (project, s.id, security_groups, server_group, user_data)
    if server_group:
        # Two members scheduled at the same moment can be sent to one host, and then both fail.
        wait(name, lambda: c.get_server(s.id), ("active",))


def servers_ready():
    for name, (project, id_, security_groups, server_group, user_data) in servers.items():
        s = wait(name, lambda p=project, i=id_: deploy[p].compute.get_server(i), ("active",))
        port = next(deploy[project].network.ports(device_id=s.id))
        note(
            "server",
            s,
            project,
            availability_zone=s.availability_zone,
            metadata=s.metadata,
            image_id=debian.id,
            port_id=port.id,
            address=port.fixed_ips[0]["ip_address"],
            security_groups=security_groups,
            server_group=server_group.name if server_group else None,
            has_user_data=bool(user_data),
            volumes=[],
            floating_ip=None,
        )
        for t in things:
            if t["type"] == "security_group" and t["name"] in security_groups:
                t["attached_to"].append({"server": name, "server_id": s.id, "port_id": port.id})


def known(kind, name):
    return next(t for t in things if t["type"] == kind and t["name"] == name)


def attach(server_name, volume_name):
    project, server_id = servers[server_name][:2]
    deploy[project].compute.create_volume_attachment(server_id, volume_id=vols[volume_name][1])
    s = deploy[project].block_storage
    wait(volume_name, lambda: s.get_volume(vols[volume_name][1]), ("in-use",))
    known("server", server_name)["volumes"].append(volume_name)
    known("volume", volume_name)["attached_to"] = server_name


def floating_ip(server_name):
    project = servers[server_name][0]
    n = deploy[project].network
    s = known("server", server_name)
    ip = n.create_ip(floating_network_id=public.id, port_id=s["port_id"])
    s["floating_ip"] = ip.floating_ip_address
    note("floating_ip", ip, project, address=ip.floating_ip_address, server=server_name, port_id=s["port_id"])


if STORY == "hn":
    spread = deploy["cong-dich-vu"].compute.create_server_group(
        name="cdv-web-tach-may", policy="anti-affinity"
    )
    system = {"system_id": "cong-dich-vu"}
    server(
        "cong-dich-vu",
        "cdv-web-1",
        ["cdv-web", "cdv-quan-tri"],
        server_group=spread,
        metadata=system,
        user_data=USER_DATA,
    )
    server(
        "cong-dich-vu",
        "cdv-web-2",
        ["cdv-web", "cdv-quan-tri"],
        server_group=spread,
        metadata=system,
        zone=ELSEWHERE,
    )
    server(
        "cong-dich-vu",
        "cdv-db-1",
        ["cdv-csdl", "cdv-quan-tri"],
        flavor=medium,
        metadata={**system, "db_password": PLANTED["server_metadata"]},
    )
    server("van-ban", "vb-app-1", ["vb-ung-dung"], metadata={"system_id": "van-ban"})
    server("trang-tin", "tt-web-1", ["tt-web", "tt-mo-ssh"])
    servers_ready()
    note("server_group", spread, "cong-dich-vu", policy="anti-affinity", members=["cdv-web-1", "cdv-web-2"])
    say("servers")
    attach("cdv-db-1", "cdv-data-1")
    attach("vb-app-1", "vb-data-1")
    attach("tt-web-1", "tt-data")
    floating_ip("cdv-web-1")
    floating_ip("tt-web-1")
else:
    server("nen-tang", "nt-dr-1", ["nt-quan-tri"], metadata={"system_id": "cong-dich-vu"})
    servers_ready()
    say("servers")
    attach("nt-dr-1", "nt-data-1")
say("attachments and floating addresses")

# --- VPN ----------------------------------------------------------------------------
if STORY == "hn":
    n = deploy["nen-tang"].network

    ike = n.create_vpn_ike_policy(
        name="nt-ike",
        auth_algorithm="sha256",
        encryption_algorithm="aes-256",
        pfs="group14",
        ike_version="v2",
    )
    ipsec = n.create_vpn_ipsec_policy(
        name="nt-ipsec", auth_algorithm="sha256", encryption_algorithm="aes-256", pfs="group14"
    )
    service = n.create_vpn_service(
        name="nt-vpn", router_id=routers["nen-tang"].id, subnet_id=subnets["nen-tang"].id
    )
    connection = n.create_vpn_ipsec_site_connection(
        name="nt-vpn-hcm",
        vpnservice_id=service.id,
        ikepolicy_id=ike.id,
        ipsecpolicy_id=ipsec.id,
        peer_address="198.51.100.10",
        peer_id="198.51.100.10",
        peer_cidrs=["10.24.0.0/24"],
        psk=PLANTED["vpn_psk"],
    )
    note("vpn_service", service, "nen-tang", router_id=routers["nen-tang"].id)
    note(
        "vpn_connection",
        connection,
        "nen-tang",
        peer_address="198.51.100.10",
        peer_cidrs=["10.24.0.0/24"],
        status=connection.status,
        ike_version="v2",
        encryption_algorithm="aes-256",
    )
    say("vpn")

# --- Swift ---------------------------------------------------------------------------


def container(project, name, headers=None, objects=(), **facts):
    s = deploy[project].object_store
    s.put(f"/{name}", headers=headers or {}).raise_for_status()
    for key, data in objects:
        s.put(f"/{name}/{key}", data=data).raise_for_status()
    note("container", Named(name), project, objects=len({k for k, _ in objects}), **facts)


if STORY == "hn":
    deploy["cong-dich-vu"].object_store.post(
        "", headers={"X-Account-Meta-Temp-URL-Key": PLANTED["swift_account_temp_url_key"]}
    ).raise_for_status()
    container(
        "cong-dich-vu",
        "ho-so",
        {
            "X-Versions-Enabled": "true",
            "X-Container-Meta-System-Id": "cong-dich-vu",
            "X-Container-Meta-Data-Class": "important",
            "X-Container-Meta-Temp-URL-Key": PLANTED["swift_container_temp_url_key"],
        },
        [("2026/0001.pdf", b"1"), ("2026/0001.pdf", b"2"), ("2026/0002.pdf", b"1")],
        versioning=True,
        public=False,
        metadata={"system-id": "cong-dich-vu", "data-class": "important"},
    )
    container("cong-dich-vu", "nhat-ky", {}, [("2026/01.log", b"x" * 2000)], versioning=False, public=False)
    sync_to = f"//sg-realm/sg-cluster/AUTH_{base['projects']['nen-tang']}/luu-tru"
    container(
        "van-ban",
        "luu-tru",
        {"X-Container-Sync-To": sync_to, "X-Container-Sync-Key": PLANTED["swift_container_sync_key"]},
        [("2025/cong-van.zip", b"zip")],
        versioning=False,
        public=False,
        sync_to=sync_to,
    )
    container(
        "trang-tin",
        "anh-cong-khai",
        {"X-Container-Read": ".r:*,.rlistings"},
        [("logo.png", b"png")],
        versioning=False,
        public=True,
        read_acl=".r:*,.rlistings",
    )
else:
    container(
        "cong-dich-vu",
        "ho-so-du-phong",
        {"X-Versions-Enabled": "true", "X-Container-Meta-System-Id": "cong-dich-vu"},
        [("2026/0001.pdf", b"1"), ("2026/0001.pdf", b"2")],
        versioning=True,
        public=False,
        metadata={"system-id": "cong-dich-vu"},
    )
say("swift")

# --- Barbican and Octavia --------------------------------------------------------------
if STORY == "hn":
    km = deploy["cong-dich-vu"].key_manager
    secret = km.create_secret(
        name="cdv-khoa-ky",
        payload=PLANTED["secret_payload"],
        payload_content_type="text/plain",
        secret_type="passphrase",
        expiration="2031-01-01T00:00:00",
    )
    note(
        "secret",
        Named("cdv-khoa-ky", secret.secret_ref.rpartition("/")[2]),
        "cong-dich-vu",
        secret_type="passphrase",
        creator=base["users"]["deploy"]["id"],
    )
    key, own = certificate.make("cong.example")
    packed = pkcs12.serialize_key_and_certificates(b"cong", key, own, None, serialization.NoEncryption())
    pem = certificate.written(key).decode()
    planted["listener_key"] = pem.splitlines()[1]
    stored = km.create_secret(
        name="cdv-chung-thu",
        payload=base64.b64encode(packed).decode(),
        payload_content_encoding="base64",
        payload_content_type="application/octet-stream",
    )
    note(
        "secret",
        Named("cdv-chung-thu", stored.secret_ref.rpartition("/")[2]),
        "cong-dich-vu",
        secret_type="opaque",
        creator=base["users"]["deploy"]["id"],
    )
    say("secrets")

    lb = deploy["cong-dich-vu"].load_balancer
    balancer = lb.create_load_balancer(name="cdv-lb", vip_subnet_id=subnets["cong-dich-vu"].id)

    def settled():
        """The balancer, once what was asked of it is done."""

        def state():
            found = lb.get_load_balancer(balancer.id)
            found.status = found.provisioning_status
            return found

        return wait("load balancer", state, ("active",))

    balancer = settled()
    note(
        "loadbalancer",
        balancer,
        "cong-dich-vu",
        vip_address=balancer.vip_address,
        vip_subnet=subnets["cong-dich-vu"].id,
        provider="amphora",
    )

    def listener(name, **kw):
        made = lb.create_listener(name=name, load_balancer_id=balancer.id, **kw)
        settled()
        return note(
            "listener",
            made,
            "cong-dich-vu",
            protocol=kw["protocol"],
            port=kw["protocol_port"],
            tls_versions=kw.get("tls_versions", []),
            certificate="default_tls_container_ref" in kw,
            allowed_cidrs=kw.get("allowed_cidrs"),
        )

    tls = {"protocol": "TERMINATED_HTTPS", "default_tls_container_ref": stored.secret_ref}
    front = listener("cdv-https", protocol_port=443, tls_versions=["TLSv1.2", "TLSv1.3"], **tls)
    listener("cdv-https-cu", protocol_port=8443, tls_versions=["TLSv1", "TLSv1.1", "TLSv1.2"], **tls)
    listener("cdv-http", protocol="HTTP", protocol_port=80, allowed_cidrs=["10.0.0.0/8"])
    behind = lb.create_pool(
        name="cdv-may-chu",
        listener_id=front.id,
        protocol="HTTP",
        lb_algorithm="ROUND_ROBIN",
        session_persistence={"type": "SOURCE_IP"},
    )
    settled()
    addresses = [known("server", name)["address"] for name in ("cdv-web-1", "cdv-web-2")]
    for at in addresses:
        lb.create_member(behind, address=at, protocol_port=80, subnet_id=subnets["cong-dich-vu"].id)
        settled()
    lb.create_health_monitor(
        name="cdv-tham-do", pool_id=behind.id, type="HTTP", delay=10, timeout=5, max_retries=3
    )
    settled()
    note(
        "lb_pool",
        behind,
        "cong-dich-vu",
        protocol="HTTP",
        lb_algorithm="ROUND_ROBIN",
        session_persistence="SOURCE_IP",
        members=addresses,
        monitor={"type": "HTTP", "delay": 10, "timeout": 5, "max_retries": 3},
    )
    say("load balancer")

# --- Manila, Heat, Designate -----------------------------------------------------------
if STORY == "hn":
    pools = "/scheduler-stats/pools"
    until("share pool", lambda: admin.shared_file_system.get(pools, microversion="2.6").json()["pools"])
    admin.shared_file_system.post(
        "/types",
        json={
            "share_type": {
                "name": "default",
                "share_type_access:is_public": True,
                "extra_specs": {
                    "driver_handles_share_servers": False,
                    "replication_type": "readable",
                    "snapshot_support": True,
                },
            }
        },
        microversion="2.60",
    ).raise_for_status()
    sf = deploy["van-ban"].shared_file_system
    share = sf.create_share(share_protocol="NFS", size=1, name="vb-chia-se")
    share = wait("share", lambda: sf.get_share(share.id), ("available",))
    note(
        "share",
        share,
        "van-ban",
        status="available",
        protocol="NFS",
        size=1,
        availability_zone=share.availability_zone,
    )
    (replica,) = sf.get(f"/share-replicas/detail?share_id={share.id}", microversion="2.60").json()[
        "share_replicas"
    ]
    note("share_replica", Named("", replica["id"]), "van-ban", share=share.id, replica_state="active")
    kept = sf.post(
        "/share-backups",
        json={
            "share_backup": {
                "share_id": share.id,
                "name": "vb-chia-se-sao-luu",
                "backup_options": {"backup_type": "dummy"},
            }
        },
        microversion="2.80",
        headers={"X-OpenStack-Manila-API-Experimental": "true"},
    )
    kept.raise_for_status()
    note(
        "share_backup",
        Named("vb-chia-se-sao-luu", kept.json()["share_backup"]["id"]),
        "van-ban",
        share=share.id,
    )
    say("share")

    he = deploy["trang-tin"].orchestration
    template = {
        "heat_template_version": "2018-08-31",
        "parameters": {"mat_khau": {"type": "string", "hidden": True}},
        "resources": {"ngau-nhien": {"type": "OS::Heat::RandomString", "properties": {"length": 8}}},
        "outputs": {"bi-mat": {"value": {"get_param": "mat_khau"}}},
    }
    made = he.post(
        "/stacks",
        json={
            "stack_name": "tt-ngan-xep",
            "template": template,
            "parameters": {"mat_khau": PLANTED["stack_parameter"]},
            "tags": "system_id=trang-tin,thu",
            "timeout_mins": 5,
        },
    )
    made.raise_for_status()
    stack = made.json()["stack"]["id"]

    def stacked():
        found = he.get(f"/stacks/tt-ngan-xep/{stack}").json()["stack"]
        return Row(found["stack_status"])

    wait("stack", stacked, ("create_complete",), ("create_failed",))
    note("stack", Named("tt-ngan-xep", stack), "trang-tin", action="CREATE", status="COMPLETE")
    say("stack")

    zone = deploy["trang-tin"].dns.create_zone(name="tin.example.", email="dns@tin.example", ttl=3600)
    note("dns_zone", zone, "trang-tin", kind_of_zone="PRIMARY", ttl=3600)
    say("DNS zone")

# --- quotas ----------------------------------------------------------------------------
if STORY == "hn":
    shop = base["projects"]["cong-dich-vu"]
    admin.compute.put(f"/os-quota-sets/{shop}", json={"quota_set": {"instances": 21}}).raise_for_status()
    admin.block_storage.put(f"/os-quota-sets/{shop}", json={"quota_set": {"volumes": 12}}).raise_for_status()
    admin.network.put(f"/quotas/{shop}", json={"quota": {"network": 7}}).raise_for_status()
    for service, name, limit_, used in (
        ("compute", "instances", 21, 3),
        ("block-storage", "volumes", 12, 2),
        ("network", "network", 7, 1),
    ):
        note("quota", Named(name), "cong-dich-vu", service=service, limit=limit_, in_use=used)
    say("quotas")

    # Manila finishes backups once a minute, and calls the share no longer available until then.
    wait("share after its backup", lambda: sf.get_share(share.id), ("available",))
    say("share backup")

truth = {
    "bed": "openstack",
    "story": sys.argv[1],
    **SITE,
    "seeded_at": datetime.now(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z",
    "planted": planted,
    "base": base,
    "things": things,
}
(DATA / "truth.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n")
say(len(things), "things")
