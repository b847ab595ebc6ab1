"""seed_pairs.py : beside what seed.py made of Hanoi, things in pairs: where one is as it should be, another is not.

For the story `doi-chung`, against which all technical controls are held. Adds to truth.json.
"""

import base64
import json
import random
import sys
import time
from datetime import UTC, datetime, timedelta

from cast import DATA, PROJECTS, connect

T0 = time.time()
PATH = DATA / "truth.json"
truth = json.loads(PATH.read_text())
base, things, planted = truth["base"], truth["things"], truth["planted"]
HERE, THERE = truth["az"], "hcm-az1"
DAYS = 24
"""Hours."""
SHAPES = {1: (2, 4, 8), 2: (4, 8, 16), 4: (8, 16, 32), 8: (16, 32), 16: (32,)}
"""Standard sizes of machines: processors, and GiB of memory for each."""
admin = connect(region=truth["region"])
deploy = {p: connect("deploy", p, region=truth["region"]) for p in PROJECTS}


def say(*a):
    print(f"{time.time() - T0:6.1f}s", *a, flush=True)


def note(kind, thing, project, **facts):
    """One line of the truth."""
    line = {"type": kind, "name": thing.name, "id": thing.id, "project": project}
    things.append({**line, "project_id": base["projects"].get(project, base["admin_project"]), **facts})
    return thing


def known(kind, name):
    return next(thing for thing in things if thing["type"] == kind and thing["name"] == name)


def wait(what, get, good, seconds=120):
    end = time.time() + seconds
    while (found := get()).status.lower() not in good:
        if found.status.lower() == "error" or time.time() > end:
            sys.exit(f"{what} is {found.status}")
        time.sleep(0.4)
    return found


# --- who may do what ------------------------------------------------------------------
ks = admin.identity
planted["password_kiem-soat"] = "PLANTED-pw-kiem-soat-8a41c7"
user = ks.create_user(name="kiem-soat", password=planted["password_kiem-soat"], domain_id="default")
note("user", user, "admin", password_expires_at=user.password_expires_at)
ends = (datetime.now(UTC) + timedelta(days=300)).replace(microsecond=0, tzinfo=None)
credential = deploy["cong-dich-vu"].identity.create_application_credential(
    user=base["users"]["deploy"]["id"],
    name="trien-khai-co-han",
    roles=[{"name": "member"}],
    expires_at=ends.isoformat(),
)
planted["application_credential_secret_trien-khai"] = credential.secret
note("application_credential", credential, "cong-dich-vu", expires_at=ends.isoformat())
provider = ks.create_identity_provider(id="xac-thuc-lien-thong", domain_id="default", is_enabled=True)
rules = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "REMOTE_USER"}]}]
ks.create_mapping(id="lien-thong", rules=rules)
ks.create_federation_protocol(provider, id="saml2", mapping_id="lien-thong")
note("identity_provider", provider, "admin", enabled=True, protocols=["saml2"])
compute = ks.find_service("nova")
ks.create_endpoint(
    service_id=compute.id,
    interface="internal",
    region_id=truth["region"],
    url="http://203.0.113.88:8774/v2.1",
)
# Otherwise a version that is asked for is asked for in a region that is a second name of the first.
manila = ks.find_service("manila")
for endpoint in list(ks.endpoints(service_id=manila.id)):
    if endpoint.region_id != truth["region"]:
        ks.delete_endpoint(endpoint)
say("user, credential, provider, endpoint")

# --- images and flavors -----------------------------------------------------------------


def image(project, name, **kw):
    made = deploy[project].image.create_image(
        name=name,
        container_format="bare",
        disk_format="raw",
        data=random.Random(name).randbytes(64 * 1024),
        min_disk=1,
        wait=True,
        **kw,
    )
    return note("image", made, project, visibility=kw["visibility"])


DEBIAN = {"os_distro": "debian", "os_version": "12", "architecture": "x86_64"}
good = image(
    "cong-dich-vu", "cdv-chuan", visibility="private", is_protected=True, hw_disk_bus="virtio", **DEBIAN
)
image("van-ban", "vb-rieng-hang", visibility="private", vmware_ostype="debian10_64Guest", **DEBIAN)
image("trang-tin", "tt-cong-dong", visibility="community", **DEBIAN)
old = image("trang-tin", "tt-centos-cu", visibility="private", os_distro="centos", os_version="7")
image(
    "van-ban",
    "vb-app-1-luu",
    visibility="private",
    instance_uuid=known("server", "vb-app-1")["id"],
    image_type="snapshot",
    **DEBIAN,
)
things[-1]["age_hours"] = 3
co = admin.compute
for cpus, sizes in SHAPES.items():
    for memory in sizes:
        flavor = co.create_flavor(name=f"SCS-{cpus}V-{memory}", ram=memory * 1024, vcpus=cpus, disk=0)
        note("flavor", flavor, "admin", vcpus=cpus, ram=memory * 1024)
bound = co.create_flavor(name="s1.rieng-hang", ram=512, vcpus=1, disk=1)
co.create_flavor_extra_specs(bound, {"aggregate_instance_extra_specs:ssd": "true"})
note("flavor", bound, "admin", extra_specs={"aggregate_instance_extra_specs:ssd": "true"})
say("images and flavors")

# --- networks ---------------------------------------------------------------------------
n = deploy["cong-dich-vu"].network
extra = note("network", n.create_network(name="cdv-phu-net"), "cong-dich-vu", external=False)
subnet = n.create_subnet(
    network_id=extra.id,
    name="cdv-phu-v4",
    ip_version=4,
    cidr="10.15.0.0/24",
    dns_nameservers=["203.0.113.53"],
)
note("subnet", subnet, "cong-dich-vu", dns_nameservers=["203.0.113.53"])
router = admin.network.create_router(
    name="cdv-router-ha", is_ha=True, project_id=base["projects"]["cong-dich-vu"]
)
note("router", router, "cong-dich-vu", ha=True)
open_port = n.create_port(
    network_id=known("network", "cdv-net")["id"],
    name="cdv-tu-do",
    is_port_security_enabled=False,
    security_groups=[],
)
note("port", open_port, "cong-dich-vu", port_security=False)
n = deploy["nen-tang"].network
group = n.create_security_group(name="nt-lien-thong")
n.create_security_group_rule(
    security_group_id=group.id,
    direction="ingress",
    protocol="tcp",
    port_range_min=443,
    port_range_max=443,
    ethertype="IPv4",
    remote_ip_prefix="192.0.2.0/24",
)
note("security_group", group, "nen-tang", rules=[], attached_to=[])
# NOTE: of weak algorithms this release of the VPN service stores none any more; the old protocol it does.
ike = n.create_vpn_ike_policy(
    name="nt-ike-cu",
    auth_algorithm="sha256",
    encryption_algorithm="aes-256",
    pfs="group14",
    ike_version="v1",
)
ipsec = n.create_vpn_ipsec_policy(
    name="nt-ipsec-cu", auth_algorithm="sha256", encryption_algorithm="aes-256", pfs="group14"
)
planted["vpn_psk_cu"] = "PLANTED-vpn-psk-cu-61e0b9"
connection = n.create_vpn_ipsec_site_connection(
    name="nt-vpn-cu",
    vpnservice_id=known("vpn_service", "nt-vpn")["id"],
    ikepolicy_id=ike.id,
    ipsecpolicy_id=ipsec.id,
    peer_address="198.51.100.66",
    peer_id="198.51.100.66",
    peer_cidrs=["10.26.0.0/24"],
    psk=planted["vpn_psk_cu"],
)
note("vpn_connection", connection, "nen-tang", peer_address="198.51.100.66", ike_version="v1")
say("subnet, router, port, group, vpn")

# --- volumes ----------------------------------------------------------------------------


def volume(project, name, kind, age_hours=5 * DAYS, metadata=None):
    s = deploy[project].block_storage
    made = s.create_volume(name=name, size=1, volume_type=kind, metadata=metadata or {})
    made = wait(name, lambda: s.get_volume(made.id), ("available",))
    return note("volume", made, project, age_hours=age_hours, metadata=made.metadata)


def backup(volume_name, name, container="kho-hn", age_hours=2):
    of = known("volume", volume_name)
    s = deploy[of["project"]].block_storage
    made = s.create_backup(volume_id=of["id"], name=name, container=container, force=True)
    made = wait(name, lambda: s.get_backup(made.id), ("available",))
    wait(volume_name, lambda: s.get_volume(of["id"]), ("available", "in-use"))
    return note("backup", made, of["project"], volume_id=of["id"], container=container, age_hours=age_hours)


bs = admin.block_storage
labels = {"system_id": "cong-dich-vu", "data_class": "personal-basic", "data_residency": "VN"}
volume("cong-dich-vu", "cdv-moi", "luks", metadata=labels)
backup("cdv-moi", "cdv-moi-hn")
volume("van-ban", "vb-tran", "standard")
backup("vb-tran", "vb-tran-hn", age_hours=5)
volume("van-ban", "vb-hong", "luks")
broken = backup("vb-hong", "vb-hong-hn")
bs.post(f"/backups/{broken.id}/action", json={"os-reset_status": {"status": "error"}}).raise_for_status()
gone = volume("trang-tin", "tt-da-xoa", "standard")
backup("tt-da-xoa", "tt-da-xoa-hn", age_hours=100 * DAYS)
deploy["trang-tin"].block_storage.delete_volume(gone.id)
things.remove(known("volume", "tt-da-xoa"))
of = known("volume", "cdv-data-2")
s = deploy["cong-dich-vu"].block_storage
snap = s.create_snapshot(volume_id=of["id"], name="cdv-data-2-truoc-nang-cap")
snap = wait("snapshot", lambda: s.get_snapshot(snap.id), ("available",))
note("snapshot", snap, "cong-dich-vu", volume_id=of["id"])
say("volumes and backups")

# --- servers ----------------------------------------------------------------------------


def labelled(name, **more):
    server = known("server", name)
    c = deploy[server["project"]].compute
    c.set_server_metadata(c.get_server(server["id"]), **more)
    server["metadata"] = {**server["metadata"], **more}


for name, role in (
    ("cdv-web-1", "web"),
    ("cdv-web-2", "web"),
    ("cdv-db-1", "db"),
    ("vb-app-1", "app"),
    ("tt-web-1", "web"),
):
    labelled(name, role=role)


def server(project, name, net, image_id, role, zone=HERE, flavor=None, port=None, group="default"):
    c = deploy[project].compute
    made = c.create_server(
        name=name,
        image_id=image_id,
        flavor_id=(flavor or c.find_flavor("s1.small")).id,
        networks=[{"port": port.id} if port else {"uuid": known("network", net)["id"]}],
        availability_zone=zone,
        metadata={"role": role},
        **({} if port else {"security_groups": [{"name": group}]}),
    )
    return lambda: note(
        "server",
        wait(name, lambda: c.get_server(made.id), ("active",)),
        project,
        availability_zone=zone,
        metadata={"role": role},
    )


debian = known("image", "debian-12-goc")["id"]
coming = [
    server("cong-dich-vu", "cdv-web-3", "cdv-net", good.id, "web", flavor=bound),
    server("cong-dich-vu", "cdv-tu-do", "cdv-net", good.id, "web", port=open_port),
    server("van-ban", "vb-app-2", "vb-net", debian, "app", zone=THERE),
    server("trang-tin", "tt-db-1", "tt-net", old.id, "db", group="tt-mo-ssh"),
]
exposed = [ready() for ready in coming][-1]
n = deploy["trang-tin"].network
public = admin.network.find_network("public")
ip = n.create_ip(floating_network_id=public.id, port_id=next(n.ports(device_id=exposed.id)).id)
note("floating_ip", ip, "trang-tin", address=ip.floating_ip_address, server="tt-db-1")
say("servers")

# --- keys, shares, stacks, load balancers ---------------------------------------------------
km = deploy["cong-dich-vu"].key_manager
planted["weak_key"] = base64.b64encode(b"PLANTED-key-128b").decode()
secret = km.create_secret(
    name="cdv-khoa-yeu",
    algorithm="aes",
    bit_length=128,
    secret_type="symmetric",
    payload=planted["weak_key"],
    payload_content_type="application/octet-stream",
    payload_content_encoding="base64",
)
line = {"type": "secret", "name": "cdv-khoa-yeu", "id": secret.secret_ref.rpartition("/")[2]}
things.append(
    {**line, "project": "cong-dich-vu", "project_id": base["projects"]["cong-dich-vu"], "bit_length": 128}
)

sf = deploy["van-ban"].shared_file_system
V = {"microversion": "2.60"}


def replica_of(name):
    """A share with a second replica. NOTE: there is one back end, so that no host is found for it."""
    share = sf.create_share(share_protocol="NFS", size=1, name=name)
    share = wait(name, lambda: sf.get_share(share.id), ("available",))
    note("share", share, "van-ban", protocol="NFS")
    made = sf.post("/share-replicas", json={"share_replica": {"share_id": share.id}}, **V)
    made.raise_for_status()
    url = f"/share-replicas/{made.json()['share_replica']['id']}"
    end = time.time() + 60
    while sf.get(url, **V).json()["share_replica"]["status"] != "error" and time.time() < end:
        time.sleep(0.4)
    return url


replica_of("vb-nhan-ban-hong")
url = replica_of("vb-nhan-ban-tot")
for what, state in (
    ("reset_status", {"status": "available"}),
    ("reset_replica_state", {"replica_state": "in_sync"}),
):
    # An administrator says that it follows, since none can.
    admin.shared_file_system.post(f"{url}/action", json={what: state}, **V).raise_for_status()

he = deploy["cong-dich-vu"].orchestration
template = {
    "heat_template_version": "2018-08-31",
    "resources": {"ngau-nhien": {"type": "OS::Heat::RandomString", "properties": {"length": 8}}},
}
made = he.post("/stacks", json={"stack_name": "cdv-ngan-xep", "template": template, "timeout_mins": 5})
made.raise_for_status()
stack = made.json()["stack"]["id"]


class Row:
    def __init__(self, found):
        self.status, self.name, self.id = found["stack_status"], found["stack_name"], found["id"]


row = wait(
    "stack", lambda: Row(he.get(f"/stacks/cdv-ngan-xep/{stack}").json()["stack"]), ("create_complete",)
)
note("stack", row, "cong-dich-vu", action="CREATE", status="COMPLETE")
say("key, shares, stack")

# --- things that differ from their neighbours in one setting ---------------------------------------------
ks = admin.identity
planted["password_mien-khoa"] = "PLANTED-pw-mien-khoa-52d8f0"
user = ks.create_user(name="mien-khoa", password=planted["password_mien-khoa"], domain_id="default")
options = {"ignore_lockout_failure_attempts": True}
ks.patch(f"/users/{user.id}", json={"user": {"options": options}}).raise_for_status()
note("user", user, "admin", options=options)
credential = connect("ops-backup", "nen-tang", truth["region"]).identity.create_application_credential(
    user=base["users"]["ops-backup"]["id"], name="sao-luu-tu-dong", roles=[{"name": "admin"}]
)
planted["application_credential_secret_sao-luu"] = credential.secret
note("application_credential", credential, "nen-tang", roles=["admin"])
trust = deploy["nen-tang"].identity.create_trust(
    trustor_user_id=base["users"]["deploy"]["id"],
    trustee_user_id=base["users"]["audit-tenant"]["id"],
    project_id=base["projects"]["nen-tang"],
    is_impersonation=True,
    roles=[{"name": "member"}],
    expires_at=f"{ends.isoformat()}.000000Z",
)
note("trust", trust, "nen-tang", impersonation=True, expires_at=trust.expires_at)

n = deploy["nen-tang"].network
note("network", n.create_network(name="nt-tat-net", is_admin_state_up=False), "nen-tang", external=False)
n = deploy["cong-dich-vu"].network
port = n.create_port(
    network_id=known("network", "cdv-net")["id"],
    name="cdv-moi-dia-chi",
    allowed_address_pairs=[{"ip_address": "0.0.0.0/0"}],
)
note("port", port, "cong-dich-vu", allowed_address_pairs=["0.0.0.0/0"])
n = deploy["trang-tin"].network
(group,) = n.security_groups(name="default", project_id=base["projects"]["trang-tin"])
n.create_security_group_rule(
    security_group_id=group.id,
    direction="ingress",
    protocol="tcp",
    port_range_min=22,
    port_range_max=22,
    ethertype="IPv4",
    remote_ip_prefix="10.0.0.0/8",
)
say("user, credential, trust, network, port, default group")

for name, specs in (
    ("sao-chep", {"replication_enabled": "<is> True"}),
    ("nhieu-noi", {"multiattach": "<is> True"}),
):
    kind = bs.create_type(name=name, is_public=True)
    bs.update_type_extra_specs(kind, volume_backend_name="file1", **specs)
    note("volume_type", kind, "admin", encrypted=False, extra_specs=specs)
volume("van-ban", "vb-cum", "nhieu-noi")
things[-1]["multiattach"] = True
false_name = co.create_flavor(name="SCS-4V-64", ram=8 * 1024, vcpus=4, disk=0)
note("flavor", false_name, "admin", vcpus=4, ram=8 * 1024)
random_device = co.create_flavor(name="s1.ngau-nhien", ram=512, vcpus=1, disk=1)
co.create_flavor_extra_specs(random_device, {"hw_rng:allowed": "True"})
note("flavor", random_device, "admin", vcpus=1, ram=512, extra_specs={"hw_rng:allowed": "True"})
SCS_0102 = {
    "hw_disk_bus": "scsi",
    "hypervisor_type": "qemu",
    "hw_rng_model": "virtio",
    "os_purpose": "generic",
    "image_source": "private",
    "image_description": "https://anh.example/mo-ta",
    "image_build_date": "2026-01-02",
    "image_original_user": "nguoi-dung",
    "replace_frequency": "monthly",
    "provided_until": "none",
    "uuid_validity": "none",
}
deploy["admin"] = admin  # nobody else may publish an image
for name, distribution, release in (("Debian 12", "debian", "12"), ("Ubuntu 24.04", "ubuntu", "24.04")):
    told = {"os_distro": distribution, "os_version": release, "architecture": "x86_64", **SCS_0102}
    image("admin", name, visibility="public", is_protected=True, min_ram=512, **told)
# Nova would look for a host for these, and there is none of the kind.
guarded = {"hw_mem_encryption": "true", "os_secure_boot": "required"}
image("cong-dich-vu", "cdv-bao-ve", visibility="private", hw_firmware_type="uefi", **guarded, **DEBIAN)
signed = image("cong-dich-vu", "cdv-co-chu-ky", visibility="private", hw_rng_model="virtio", **DEBIAN)
# Of nobody's making: Glance checks a signature when an image is uploaded, and not one that is set afterwards.
deploy["cong-dich-vu"].image.update_image(
    signed.id,
    img_signature=base64.b64encode(b"chu ky").decode(),
    img_signature_certificate_uuid=known("secret", "cdv-chung-thu")["id"],
    img_signature_hash_method="SHA-256",
    img_signature_key_type="RSA-PSS",
)
owner = deploy["cong-dich-vu"].image
widely = image("cong-dich-vu", "cdv-chia-rong", visibility="shared", **DEBIAN)
for project in ("van-ban", "trang-tin"):
    owner.add_member(widely.id, member_id=base["projects"][project])
    line = {"type": "image_member", "name": "", "id": None, "project": "cong-dich-vu"}
    things.append({**line, "project_id": base["projects"]["cong-dich-vu"], "image": widely.id})
say("volume, flavors, images")

c = deploy["cong-dich-vu"].compute
made = c.post(
    "/servers",
    json={
        "server": {
            "name": "cdv-day-du",
            "imageRef": signed.id,
            "flavorRef": random_device.id,
            "networks": [{"uuid": known("network", "cdv-net")["id"]}],
            "availability_zone": HERE,
            "config_drive": True,
            "key_name": "trien-khai",
            "metadata": {"role": "web"},
            "trusted_image_certificates": [known("secret", "cdv-chung-thu")["id"]],
        }
    },
    microversion="2.63",
)
made.raise_for_status()
made = wait("cdv-day-du", lambda: c.get_server(made.json()["server"]["id"]), ("active",))
c.lock_server(made)
note(
    "server",
    made,
    "cong-dich-vu",
    availability_zone=HERE,
    metadata=made.metadata,
    locked=True,
    config_drive=True,
)
say("server")


def shared(name, source):
    share = sf.create_share(share_protocol="NFS", size=1, name=name)
    share = wait(name, lambda: sf.get_share(share.id), ("available",))
    rule = {"access_type": "ip", "access_to": source, "access_level": "rw"}
    sf.post(f"/shares/{share.id}/action", json={"allow_access": rule}, **V).raise_for_status()
    return note("share", share, "van-ban", protocol="NFS", access_to=source)


shared("vb-noi-bo", "10.12.0.0/24")
everyones = shared("vb-cong-khai", "0.0.0.0/0")
admin.shared_file_system.put(
    f"/shares/{everyones.id}", json={"share": {"is_public": True}}, **V
).raise_for_status()
say("shares")

# NOTE: the no-op driver makes no port for a virtual address and takes what it is told of one.
n, lb = deploy["cong-dich-vu"].network, deploy["cong-dich-vu"].load_balancer
net, subnet = known("network", "cdv-net")["id"], known("subnet", "cdv-v4")["id"]
port = n.create_port(network_id=net, name="cdv-lb-mo-vip", is_admin_state_up=False)
note("port", port, "cong-dich-vu", port_security=True)
ip = n.create_ip(floating_network_id=public.id, port_id=port.id)
note("floating_ip", ip, "cong-dich-vu", address=ip.floating_ip_address, port_id=port.id)
address = port.fixed_ips[0]["ip_address"]
balancer = lb.create_load_balancer(
    name="cdv-lb-mo", vip_port_id=port.id, vip_subnet_id=subnet, vip_address=address
)


def settled():
    def state():
        found = lb.get_load_balancer(balancer.id)
        found.status = found.provisioning_status
        return found

    return wait("cdv-lb-mo", state, ("active",))


settled()
note("loadbalancer", balancer, "cong-dich-vu", vip_address=address, vip_port=port.id)
certificate = lb.find_listener("cdv-https").default_tls_container_ref
for name, kw in (
    (
        "cdv-mo-https",
        {
            "protocol": "TERMINATED_HTTPS",
            "protocol_port": 443,
            "default_tls_container_ref": certificate,
            "tls_versions": ["TLSv1.2", "TLSv1.3"],
            "allowed_cidrs": ["192.0.2.0/24"],
        },
    ),
    ("cdv-mo-http", {"protocol": "HTTP", "protocol_port": 80}),
):
    listener = lb.create_listener(name=name, load_balancer_id=balancer.id, **kw)
    settled()
    note("listener", listener, "cong-dich-vu", protocol=kw["protocol"], port=kw["protocol_port"])
plain = lb.create_pool(
    name="cdv-mo-may-chu", listener_id=listener.id, protocol="HTTP", lb_algorithm="ROUND_ROBIN"
)
settled()
note("lb_pool", plain, "cong-dich-vu", protocol="HTTP")
say("load balancer that is reached from outside")

truth["planted"] = planted
PATH.write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n")
say(len(things), "things")
