"""What the story of the sample cloud has and the recorded cloud had not: answers written by hand.

They have the shapes that the real services answer with. Whole answers are added (quotas, flavors, keys,
a load balancer, a stack), rows are added to recorded ones (an old backup, a spare database server, a
VPN connection), and what the auditor was not shown is shown at the site whose operator lets an auditor
see it: Hà Nội gives back ends and encryption of volume types, Thành phố Hồ Chí Minh does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from copy import deepcopy
from typing import Any, Final, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from cloudaudit.demo.openstack import IDENTITY, Key, Recorded, key_of

HN: Final = "vn-hn-1"
HCM: Final = "vn-hcm-1"
PORTAL: Final = "cong-dich-vu"
PAPERS: Final = "van-ban"
WEBSITE: Final = "trang-tin"
PLATFORM: Final = "nen-tang"
PROJECTS: Final = {
    PORTAL: "61632c067cca44c595aca343d4122644",
    PAPERS: "79807416aa33428b8edf6a5d9d71b5b2",
    PLATFORM: "7f3ce908ff9e4aaa9f22cb04c9b4eba2",
    WEBSITE: "4508c27c30944210bcbbd1050ede02c4",
}
"""As they were recorded: a new recording brings new ones."""
SYSTEM: Final = "system"
ADDRESSES: Final = {"http://127.0.0.1:29876": "octavia", "http://127.0.0.1:28004": "heat"}
"""Services that the recorded cloud had not, by addresses it could have had them at."""
_VERSIONS: Final = {"nova": "compute 2.96", "cinder": "volume 3.71"}
_PLACES: Final = tuple((region, project) for region in (HN, HCM) for project in PROJECTS)

Row: TypeAlias = dict[str, Any]


def complete(answers: MutableMapping[Key, Recorded], addresses: MutableMapping[str, str]) -> None:
    """Add to the recorded answers, and to the addresses of services, what the story has besides."""
    addresses.update(ADDRESSES)
    book = _Book(answers)
    for write in (
        _catalogue, _accounts, _sign_in, _servers, _flavors, _volumes, _backups, _images, _groups, _gate,
        _networks, _vpn, _containers, _load_balancers, _stacks, _keys, _quotas,
    ):  # fmt: skip
        write(book)


def _id(name: str) -> str:
    """The same UUID in every run."""
    return str(uuid5(NAMESPACE_URL, f"https://dam-may-mau.invalid/{name}"))


class _Book:
    """The answers of the sample cloud, by whom they are given to."""

    def __init__(self, answers: MutableMapping[Key, Recorded]) -> None:
        self._answers = answers

    def write(
        self,
        region: str,
        service: str,
        project: str,
        target: str,
        body: Any,
        *,
        method: str = "GET",
        status: int = 200,
        **headers: str,
    ) -> None:
        """Answer a request with a document."""
        if service in _VERSIONS:
            headers["OpenStack-API-Version"] = _VERSIONS[service]
        key = key_of(region, service, _scope(project), method, target)
        self._answers[key] = Recorded(status, {"Content-Type": "application/json", **headers}, body)

    def write_pages(
        self, region: str, service: str, project: str, target: str, key: str, rows: list[Row]
    ) -> None:
        """Answer a list whose pages are asked for by offset, until one is empty."""
        self.write(region, service, project, target, {key: rows, "total": len(rows)})
        self.write(region, service, project, f"{target}&offset={len(rows)}", {key: [], "total": len(rows)})

    def rows(self, region: str, service: str, project: str, path: str, key: str) -> list[Row]:
        """The rows of a recorded list, asked for as plainly as it was: what is added to them is answered."""
        found = min(self._found(region, service, project, path), key=lambda known: len(known[-1]))
        rows: list[Row] = self._answers[found].body[key]
        return rows

    def all_rows(self, service: str, path: str, key: str) -> Iterator[tuple[str, Row]]:
        """Every row of a kind with its region, once for each answer that has it."""
        for known, answer in self._answers.items():
            if known[1] == service and known[4] == path and answer.status == 200:
                yield from ((known[0], row) for row in answer.body.get(key, ()))

    def documents(self, service: str, path: str, region: str | None = None) -> Iterator[Recorded]:
        """Every answer to requests with a path, whoever asked."""
        for known, answer in self._answers.items():
            if known[1] == service and known[4] == path and region in (None, known[0]):
                yield answer

    def _found(self, region: str, service: str, project: str, path: str) -> Iterable[Key]:
        wanted = (region, service, _scope(project), "GET", path)
        return [known for known in self._answers if known[:5] == wanted]


def _scope(project: str) -> str:
    """A scope as the recordings name it: the project one signs in to by its name, others by their ids."""
    if project in (SYSTEM, "none"):
        return project
    return f"project:{project if project == PORTAL else PROJECTS[project]}"


# --- identity -------------------------------------------------------------------------------------------


def _catalogue(book: _Book) -> None:
    """Load balancing and orchestration stand in the catalogue, of every token and of the administrators."""
    services = (
        ("load-balancer", "octavia", "http://127.0.0.1:29876", ""),
        ("orchestration", "heat", "http://127.0.0.1:28004", "/v1/%(project_id)s"),
    )
    for answer in [
        *book.documents(IDENTITY, "/v3/auth/tokens"),
        *book.documents(IDENTITY, "/v3/auth/catalog"),
    ]:
        token = answer.body.get("token", answer.body)
        project = token.get("project", {}).get("id", PROJECTS[PORTAL])
        for type_, name, address, path in services:
            url = address + path % {"project_id": project}
            places = [_place(name, interface, region, url) for interface, region in _INTERFACES]
            token["catalog"].append({"type": type_, "name": name, "id": _id(name), "endpoints": places})
    rows = book.rows("", IDENTITY, SYSTEM, "/v3/endpoints", "endpoints")
    for _, name, address, path in services:
        rows += [
            {**_place(name, *where, address + path), "enabled": True, "service_id": _id(name)}
            for where in _INTERFACES
        ]


_INTERFACES: Final = tuple(
    (interface, region) for interface in ("public", "internal") for region in (HN, HCM)
)


def _place(name: str, interface: str, region: str, url: str) -> Row:
    id_ = _id(f"{name}/{interface}/{region}")
    return {"id": id_, "interface": interface, "region": region, "region_id": region, "url": url}


SERVICE_USERS: Final = frozenset({
    "neutron", "cinder", "swift", "placement", "barbican", "nova", "glance",
})  # fmt: skip


def _accounts(book: _Book) -> None:
    """Services do with the role service; people change passwords, and all but one have a second factor."""
    grants = book.rows("", IDENTITY, SYSTEM, "/v3/role_assignments", "role_assignments")
    grants[:] = [
        grant
        for grant in grants
        if not (grant["user"]["name"] in SERVICE_USERS and grant["role"]["name"] == "admin")
    ]
    users = book.rows("", IDENTITY, SYSTEM, "/v3/users", "users")
    for user in users:
        if user["name"] not in SERVICE_USERS:
            user["password_expires_at"] = "2027-01-20T10:00:00.000000"  # noqa: S105 - a time
        if user["name"] == "ops-backup":
            user["options"] = {
                "multi_factor_auth_enabled": True,
                "multi_factor_auth_rules": [["password", "totp"]],
            }
        held = _CREDENTIALS if user["name"] == "deploy" else ()
        rows = [{**row, "id": _id(row["name"]), "project_id": PROJECTS[PORTAL]} for row in held]
        target = f"/v3/users/{user['id']}/application_credentials"
        book.write("", IDENTITY, SYSTEM, target, {"application_credentials": rows})
    passwords = {
        "password_regex": r"^(?=.*\d)(?=.*[a-z])(?=.*[A-Z]).{12,}$",
        "password_regex_description": "Ít nhất 12 ký tự, có chữ hoa, chữ thường và chữ số",
    }
    target = "/v3/domains/default/config/security_compliance"
    book.write("", IDENTITY, PORTAL, target, {"config": {"security_compliance": passwords}})


_MEMBER: Final = {"id": "2d50ea5381014c81aec2ffa771b4cc6c", "name": "member", "domain_id": None}
_CREDENTIALS: Final[tuple[Row, ...]] = (
    {"name": "trien-khai-tu-dong", "system": None, "expires_at": "2027-06-30T00:00:00.000000",
     "unrestricted": False, "roles": [_MEMBER], "access_rules": []},
    {"name": "cong-cu-cu", "system": None, "expires_at": None, "unrestricted": True, "roles": [_MEMBER],
     "access_rules": []},
)  # fmt: skip


def _sign_in(book: _Book) -> None:
    """The agency's single sign-on is an identity provider of the cloud."""
    provider = "dang-nhap-mot-lan"
    rows = book.rows("", IDENTITY, SYSTEM, "/v3/OS-FEDERATION/identity_providers", "identity_providers")
    rows.append({
        "id": provider, "domain_id": "default", "enabled": True, "remote_ids": ["https://sso.example.vn/idp"],
        "description": None, "authorization_ttl": None,
    })  # fmt: skip
    path = f"/v3/OS-FEDERATION/identity_providers/{provider}/protocols"
    protocol = {"id": "saml2", "mapping_id": "anh-xa-can-bo", "remote_id_attribute": None}
    book.write("", IDENTITY, SYSTEM, path, {"protocols": [protocol]})
    book.write("", IDENTITY, SYSTEM, f"/v3/users?idp_id={provider}", {"users": []})


# --- compute --------------------------------------------------------------------------------------------

_ROLES: Final = {
    "cdv-web-1": "web", "cdv-web-2": "web", "nt-dr-1": "web", "cdv-db-1": "db", "vb-app-1": "app",
    "tt-web-1": "web",
}  # fmt: skip
SPARE: Final = _id("cdv-db-2")
"""The database server of the portal that stands by in Thành phố Hồ Chí Minh."""


def _servers(book: _Book) -> None:
    """Servers say what they are for, and the portal's database has a second server at the other site."""
    for region, row in book.all_rows("nova", "/v2.1/servers/detail", "servers"):
        row["metadata"]["role"] = _ROLES[row["name"]]
        if region == HN:
            row["OS-EXT-SRV-ATTR:user_data"] = None
    near = book.rows(HN, "nova", PORTAL, "/v2.1/servers/detail", "servers")
    spare = deepcopy(next(row for row in near if row["name"] == "cdv-db-1"))
    base = book.rows(HCM, "glance", PORTAL, "/v2/images", "images")[0]["id"]
    spare |= {
        "id": SPARE,
        "name": "cdv-db-2",
        "OS-EXT-AZ:availability_zone": "hcm-az1",
        "OS-EXT-SRV-ATTR:hostname": "cdv-db-2",
        "pinned_availability_zone": "hcm-az1",
        "hostId": _id("may-chu-vat-ly-hcm").replace("-", "") + "7c1f09d2a4e85b36",
        "image": {"id": base, "links": []},
        "metadata": {"system_id": PORTAL, "role": "db"},
        "os-extended-volumes:volumes_attached": [],
        "addresses": {"cdv-net": [{"addr": "10.21.0.31", "version": 4, "OS-EXT-IPS:type": "fixed"}]},
        "security_groups": [{"name": "cdv-csdl"}, {"name": "cdv-quan-tri"}],
    }
    del spare["OS-EXT-SRV-ATTR:user_data"]
    book.rows(HCM, "nova", PORTAL, "/v2.1/servers/detail", "servers").append(spare)


_SHAPES: Final = ((1, 2), (1, 4), (1, 8), (2, 4), (2, 8), (2, 16), (4, 8), (4, 16), (4, 32), (8, 16), (8, 32),
                  (16, 32))  # fmt: skip


def _flavors(book: _Book) -> None:
    """Hà Nội offers every standard size, Thành phố Hồ Chí Minh not yet the largest ones."""
    for region, project in _PLACES:
        sizes = [(f"SCS-{vcpus}V-{ram}", vcpus, 1024 * ram, 20) for vcpus, ram in _SHAPES]
        offered = [("s1.small", 1, 512, 1), ("s1.medium", 2, 1024, 2), *sizes[: None if region == HN else -2]]
        rows: list[Row] = [
            {
                "id": _id(f"{region}/{name}"), "name": name, "vcpus": vcpus, "ram": ram, "disk": disk,
                "swap": 0, "OS-FLV-EXT-DATA:ephemeral": 0, "OS-FLV-DISABLED:disabled": False,
                "os-flavor-access:is_public": True, "rxtx_factor": 1.0, "description": None,
                "extra_specs": {},
            }
            for name, vcpus, ram, disk in offered
        ]  # fmt: skip
        book.write(
            region, "nova", project, "/v2.1/flavors/detail?is_public=None&limit=1000", {"flavors": rows}
        )


# --- block storage --------------------------------------------------------------------------------------


def _volumes(book: _Book) -> None:
    """Of Hà Nội the back ends are shown; the portal's volumes say what data they hold and where they stay."""
    for region, row in book.all_rows("cinder", "/v3/volumes/detail", "volumes"):
        if region == HN:
            row["os-vol-host-attr:host"] = "hn@ceph-hn#ceph-hn"
        if row["name"].startswith("cdv-") or row["name"] == "nt-data-1":
            row["metadata"] |= {"data_class": "personal-basic", "data_residency": "VN"}
    for region, row in book.all_rows("cinder", "/v3/types", "volume_types"):
        if region == HN:
            row["extra_specs"] = {"volume_backend_name": "ceph-hn"}
    for row in book.rows(HN, "cinder", WEBSITE, "/v3/types", "volume_types"):
        luks = {
            "encryption_id": _id("luks"), "cipher": "aes-xts-plain64", "key_size": 256, "provider": "luks",
            "control_location": "front-end", "volume_type_id": row["id"], "deleted": False,
        }  # fmt: skip
        body = luks if row["name"] == "luks" else {}
        book.write(HN, "cinder", WEBSITE, f"/v3/types/{row['id']}/encryption", body)
    _forgotten_volume(book)
    for region, project in _PLACES:
        target = "/v3/volume-transfers/detail?limit=1000"
        book.write(region, "cinder", project, target, {"transfers": []})


def _forgotten_volume(book: _Book) -> None:
    """A volume of a trial that ended in the spring, attached to nothing."""
    rows = book.rows(HN, "cinder", WEBSITE, "/v3/volumes/detail", "volumes")
    rows.append({
        **deepcopy(rows[0]), "id": _id("tt-thu-nghiem-cu"), "name": "tt-thu-nghiem-cu", "status": "available",
        "attachments": [], "created_at": "2026-03-16T03:20:00.000000",
        "updated_at": "2026-04-02T03:20:00.000000",
    })  # fmt: skip


_EARLIER: Final = (
    # Name, region and project of the backup, container, name of its volume, month and day.
    ("cdv-data-1-hn-thang-10", HN, PORTAL, "kho-hn", "cdv-data-1", "10-18"),
    ("cdv-data-2-hn-thang-10", HN, PORTAL, "kho-hn", "cdv-data-2", "10-18"),
    ("cdv-data-2-hcm", HN, PORTAL, "kho-hcm", "cdv-data-2", "11-22"),
    ("nt-data-1-hcm-thang-10", HCM, PLATFORM, "kho-hcm", "nt-data-1", "10-18"),
    ("nt-data-1-hn", HCM, PLATFORM, "kho-hn", "nt-data-1", "11-22"),
)


def _backups(book: _Book) -> None:
    """The portal's backups reach back a month and lie at both sites; those of the papers do not."""
    for name, region, project, container, of, day in _EARLIER:
        rows = book.rows(region, "cinder", project, "/v3/backups/detail", "backups")
        volumes = book.rows(region, "cinder", project, "/v3/volumes/detail", "volumes")
        moment = f"2026-{day}T02:30:00.000000"
        rows.append({
            **deepcopy(rows[0]), "id": _id(name), "name": name, "container": container,
            "volume_id": next(volume["id"] for volume in volumes if volume["name"] == of),
            "created_at": moment, "updated_at": moment, "data_timestamp": moment,
            "encryption_key_id": _id(f"khoa/{name}"),
        })  # fmt: skip


# --- images ---------------------------------------------------------------------------------------------


def _images(book: _Book) -> None:
    """Each site has its own store; Hà Nội also writes to the other, and keeps a database server there."""
    for region, row in book.all_rows("glance", "/v2/images", "images"):
        row["stores"] = "ceph-hn" if region == HN else "ceph-hcm"
        if region == HN:
            row |= {"hw_disk_bus": "virtio"}
    servers = book.rows(HN, "nova", PORTAL, "/v2.1/servers/detail", "servers")
    copied = next(row for row in servers if row["name"] == "cdv-db-1")
    images = book.rows(HN, "glance", PORTAL, "/v2/images", "images")
    id_, base = _id("cdv-db-1-anh-sao-luu"), next(row for row in images if row["name"] == "debian-12-goc")
    images.append({
        **base, "id": id_, "name": "cdv-db-1-anh-sao-luu", "owner": PROJECTS[PORTAL],
        "visibility": "private", "protected": True, "stores": "ceph-hcm", "image_type": "snapshot",
        "instance_uuid": copied["id"], "base_image_ref": copied["image"]["id"],
        "created_at": "2026-11-22T01:00:00Z", "updated_at": "2026-11-22T01:05:00Z",
        "self": f"/v2/images/{id_}", "file": f"/v2/images/{id_}/file", "os_hash_value": "5d41" * 32,
        "checksum": "5d41" * 8,
    })  # fmt: skip
    for region, names in ((HN, ("ceph-hn", "ceph-hcm")), (HCM, ("ceph-hcm",))):
        stores: list[Row] = [{"id": name, "description": "Ceph"} for name in names]
        stores[0]["default"] = "true"
        book.write(region, "glance", PORTAL, "/v2/info/stores", {"stores": stores})
        methods = {"description": "Import methods available.", "type": "array", "value": ["glance-direct"]}
        book.write(region, "glance", PORTAL, "/v2/info/import", {"import-methods": methods})


# --- networks -------------------------------------------------------------------------------------------


def _groups(book: _Book) -> None:
    """What protects the portal at one site protects it at the other, so that it can move there."""
    for near, far, project in ((HN, HCM, PORTAL), (HCM, HN, PLATFORM)):
        path, key = "/v2.0/security-groups", "security_groups"
        groups = [
            group for group in book.rows(near, "neutron", project, path, key) if group["name"] != "default"
        ]
        new = {group["id"]: _id(f"{far}/{group['name']}") for group in groups}
        book.rows(far, "neutron", project, path, key).extend({**g, "id": new[g["id"]]} for g in groups)
        path, key = "/v2.0/security-group-rules", "security_group_rules"
        rules = [r for r in book.rows(near, "neutron", project, path, key) if r["security_group_id"] in new]
        book.rows(far, "neutron", project, path, key).extend(
            {
                **rule,
                "id": _id(f"{far}/{rule['id']}"),
                "security_group_id": new[rule["security_group_id"]],
                "remote_group_id": new.get(rule["remote_group_id"], rule["remote_group_id"]),
            }
            for rule in rules
        )
    port = deepcopy(book.rows(HN, "neutron", PORTAL, "/v2.0/ports", "ports")[0])
    subnet = next(
        row
        for row in book.rows(HCM, "neutron", PORTAL, "/v2.0/subnets", "subnets")
        if row["name"] == "cdv-v4"
    )
    port |= {
        "id": _id("cdv-db-2/cong-mang"), "device_id": SPARE, "device_owner": "compute:hcm-az1",
        "network_id": subnet["network_id"], "port_security_enabled": True, "status": "ACTIVE",
        "fixed_ips": [{"subnet_id": subnet["id"], "ip_address": "10.21.0.31"}],
        "security_groups": [_id(f"{HCM}/cdv-csdl"), _id(f"{HCM}/cdv-quan-tri")],
    }  # fmt: skip
    book.rows(HCM, "neutron", PORTAL, "/v2.0/ports", "ports").append(port)


def _gate(book: _Book) -> None:
    """What comes from the National Data Center is let in on one port, by a group of its own."""
    group = "nt-ttdlqg"
    own = {
        "project_id": PROJECTS[PLATFORM],
        "id": _id(group),
        "name": group,
        "stateful": True,
        "shared": False,
    }
    book.rows(HN, "neutron", PLATFORM, "/v2.0/security-groups", "security_groups").append(own)
    rules = book.rows(HN, "neutron", PLATFORM, "/v2.0/security-group-rules", "security_group_rules")
    rules.append({
        **rules[0], "id": _id(f"{group}/443"), "security_group_id": _id(group), "direction": "ingress",
        "ethertype": "IPv4", "protocol": "tcp", "port_range_min": 443, "port_range_max": 443,
        "remote_ip_prefix": "192.0.2.128/25", "normalized_cidr": "192.0.2.128/25", "remote_group_id": None,
        "belongs_to_default_sg": False, "description": "",
    })  # fmt: skip


NEIGHBOUR: Final = _id("du-an-cua-don-vi-khac")
"""A project that no one has declared."""


def _networks(book: _Book) -> None:
    """The website hands out a foreign resolver, and lets a project in that nobody has declared.

    Of routers in Hà Nội it is shown that they are redundant.
    """
    for region, row in book.all_rows("neutron", "/v2.0/routers", "routers"):
        if region == HN:
            row["ha"] = True
    for row in book.rows(HN, "neutron", WEBSITE, "/v2.0/subnets", "subnets"):
        if row["name"] == "tt-v4":
            row["dns_nameservers"] = ["8.8.8.8"]
    (shared,) = (
        row["id"]
        for row in book.rows(HN, "neutron", WEBSITE, "/v2.0/networks", "networks")
        if row["name"] == "tt-net"
    )
    opened = {
        "id": _id("tt-net/dung-chung"), "project_id": PROJECTS[WEBSITE], "object_type": "network",
        "object_id": shared, "action": "access_as_shared", "target_tenant": NEIGHBOUR.replace("-", ""),
    }  # fmt: skip
    for region, project in _PLACES:
        target = "/v2.0/address-groups?limit=1000"
        book.write(region, "neutron", project, target, {"address_groups": []})
        policies = [opened] if (region, project) == (HN, WEBSITE) else []
        book.write(region, "neutron", project, "/v2.0/rbac-policies?limit=1000", {"rbac_policies": policies})


def _vpn(book: _Book) -> None:
    """Hà Nội has a strong connection to the National Data Center and a weak one to a partner agency.

    Thành phố Hồ Chí Minh has no VPN service.
    """
    for answer in book.documents("neutron", "/v2.0/extensions", HCM):
        known = answer.body["extensions"]
        known[:] = [extension for extension in known if not extension["alias"].startswith("vpn")]
    path = "/v2.0/vpn"
    for kind, key, rows in (
        ("ikepolicies", "ikepolicies", _IKE),
        ("ipsecpolicies", "ipsecpolicies", _IPSEC),
        ("ipsec-site-connections", "ipsec_site_connections", _CONNECTIONS),
    ):
        owned = [
            {**row, "id": _id(f"{kind}/{row['name']}"), "project_id": PROJECTS[PLATFORM]} for row in rows
        ]
        book.rows(HN, "neutron", PLATFORM, f"{path}/{kind}", key).extend(owned)


_IKE: Final[tuple[Row, ...]] = (
    {"name": "manh", "ike_version": "v2", "encryption_algorithm": "aes-256", "auth_algorithm": "sha256",
     "pfs": "group14"},
    {"name": "cu", "ike_version": "v1", "encryption_algorithm": "3des", "auth_algorithm": "sha1",
     "pfs": "group2"},
)  # fmt: skip
_IPSEC: Final[tuple[Row, ...]] = (
    {"name": "manh", "transform_protocol": "esp", "encryption_algorithm": "aes-256",
     "auth_algorithm": "sha256", "pfs": "group14"},
    {"name": "cu", "transform_protocol": "esp", "encryption_algorithm": "3des", "auth_algorithm": "sha1",
     "pfs": "group2"},
)  # fmt: skip
_CONNECTIONS: Final[tuple[Row, ...]] = tuple(
    {
        "name": name, "peer_address": peer, "peer_cidrs": [network], "peer_ep_group_id": None,
        "status": "ACTIVE", "ikepolicy_id": _id(f"ikepolicies/{strength}"),
        "ipsecpolicy_id": _id(f"ipsecpolicies/{strength}"),
    }
    for name, peer, network, strength in (
        ("ket-noi-ttdlqg", "192.0.2.7", "192.0.2.128/25", "manh"),
        ("don-vi-phoi-hop", "203.0.113.250", "10.90.0.0/24", "cu"),
    )
)  # fmt: skip


def _containers(book: _Book) -> None:
    """In the portal's account the auditor is let in as an owner, whom Swift hides nothing from.

    The website has a container of open data, the platform has none; both accounts were recorded refusing.
    """
    account = f"/v1/AUTH_{PROJECTS[PORTAL]}"
    for name in ("ho-so", "nhat-ky"):
        (answer,) = book.documents("swift", f"{account}/{name}", HN)
        _tell(answer, **{"X-Container-Read": f"{PROJECTS[PORTAL]}:*"})
    book.write(HN, "swift", PLATFORM, f"/v1/AUTH_{PROJECTS[PLATFORM]}?format=json", [])
    account, name = f"/v1/AUTH_{PROJECTS[WEBSITE]}", "anh-cong-khai"
    row = {"name": name, "count": 214, "bytes": 88604672, "last_modified": "2026-11-20T03:10:00.000000"}
    book.write(HN, "swift", WEBSITE, f"{account}?format=json", [row])
    book.write(HN, "swift", WEBSITE, f"{account}?format=json&marker={name}", [])
    headers = {
        "X-Container-Object-Count": "214", "X-Container-Bytes-Used": "88604672",
        "X-Container-Read": ".r:*,.rlistings", "X-Storage-Policy": "Policy-0",
    }  # fmt: skip
    book.write(HN, "swift", WEBSITE, f"{account}/{name}", "", method="HEAD", status=204, **headers)


def _tell(answer: Recorded, **headers: str) -> None:
    assert isinstance(answer.headers, dict)
    answer.headers.update(headers)


# --- load balancing, orchestration, keys ----------------------------------------------------------------


def _load_balancers(book: _Book) -> None:
    """The portal is balanced over two servers behind modern TLS; the papers over one, with an old version."""
    servers = {
        row["name"]: row["addresses"] for _, row in book.all_rows("nova", "/v2.1/servers/detail", "servers")
    }
    for region, project in _PLACES:
        about = _BALANCED.get((region, project))
        made: dict[str, list[Row]] = {key: [] for key in _KINDS}
        if about is not None:
            made = _balancer(project, *about)
            _put_at(book, region, project, made["loadbalancers"][0])
            for member, name in zip(made["members"], about[2], strict=True):
                ((address,),) = servers[name].values()
                member["address"] = address["addr"]
            pool = made["pools"][0]["id"]
            target = f"/v2/lbaas/pools/{pool}/members?limit=1000"
            book.write(region, "octavia", project, target, {"members": made["members"]})
        for key, path in _KINDS.items():
            book.write(region, "octavia", project, f"{path}?limit=1000", {key: made[key], f"{key}_links": []})


_KINDS: Final = {
    **{k: f"/v2/lbaas/{k}" for k in ("loadbalancers", "listeners", "pools", "healthmonitors", "l7policies")},
    "amphorae": "/v2/octavia/amphorae",
}
_BALANCED: Final = {
    # Name, TLS versions, servers behind it.
    (HN, PORTAL): ("cdv-can-bang-tai", ("TLSv1.2", "TLSv1.3"), ("cdv-web-1", "cdv-web-2")),
    (HN, PAPERS): ("vb-can-bang-tai", ("TLSv1", "TLSv1.1", "TLSv1.2"), ("vb-app-1",)),
}


def _balancer(
    project: str, name: str, versions: tuple[str, ...], behind: tuple[str, ...]
) -> dict[str, list[Row]]:
    """All that Octavia tells of a load balancer. Only one with several servers watches them."""
    one, pool, https, http, policy, watch = (
        _id(f"{name}/{k}") for k in ("", "pool", "443", "80", "l7", "hm")
    )
    own = {"project_id": PROJECTS[project], "admin_state_up": True, "provisioning_status": "ACTIVE"}
    of_one = {"loadbalancers": [{"id": one}]}
    watched = len(behind) > 1
    listener: Row = {
        **own, **of_one, "insert_headers": {}, "sni_container_refs": [], "allowed_cidrs": None,
        "tls_ciphers": None, "alpn_protocols": None, "tls_versions": None, "default_tls_container_ref": None,
        "default_pool_id": None, "l7policies": [],
    }  # fmt: skip
    return {
        "loadbalancers": [{
            **own, "id": one, "name": name, "operating_status": "ONLINE", "provider": "amphora",
            "flavor_id": None, "availability_zone": None, "listeners": [{"id": https}, {"id": http}],
        }],
        "listeners": [
            {
                **listener, "id": https, "name": "https", "protocol": "TERMINATED_HTTPS",
                "protocol_port": 443,
                "default_tls_container_ref": f"http://127.0.0.1:29311/v1/secrets/{_id(f'{name}/tls')}",
                "tls_versions": list(versions), "default_pool_id": pool,
            },
            {**listener, "id": http, "name": "http", "protocol": "HTTP", "protocol_port": 80,
             "l7policies": [{"id": policy}]},
        ],
        "l7policies": [{
            **own, "id": policy, "listener_id": http, "action": "REDIRECT_PREFIX", "redirect_url": None,
            "redirect_prefix": "https://dich-vu-cong.example.vn",
        }],
        "pools": [{
            **own, **of_one, "id": pool, "name": "web", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN",
            "session_persistence": None, "operating_status": "ONLINE", "tls_enabled": False,
            "members": [{"id": _id(f"{name}/{server}")} for server in behind],
            "healthmonitor_id": watch if watched else None,
        }],
        "members": [
            {
                "id": _id(f"{name}/{server}"), "protocol_port": 8080, "subnet_id": None, "backup": False,
                "operating_status": "ONLINE" if watched else "NO_MONITOR", "monitor_address": None,
                "monitor_port": None,
            }
            for server in behind
        ],
        "healthmonitors": [{
            **own, "id": watch, "type": "HTTP", "delay": 5, "timeout": 3, "max_retries": 2,
            "operating_status": "ONLINE",
        }][:watched],
        "amphorae": [
            {"id": _id(f"{name}/{role}"), "loadbalancer_id": one, "role": role, "status": "ALLOCATED"}
            for role in (("MASTER", "BACKUP") if watched else ("STANDALONE",))
        ],
    }  # fmt: skip


def _put_at(book: _Book, region: str, project: str, balancer: Row) -> None:
    """Give a load balancer its address, the tenth of the project's own subnet, and the port that holds it.

    The portal's is the one that the public comes to.
    """
    subnets = book.rows(region, "neutron", project, "/v2.0/subnets", "subnets")
    subnet = next(row for row in subnets if row["project_id"] == PROJECTS[project])
    address, port = subnet["cidr"].replace(".0/24", ".10"), _id(f"{balancer['name']}/cong-mang")
    balancer |= {
        "vip_address": address, "vip_subnet_id": subnet["id"], "vip_network_id": subnet["network_id"],
        "vip_port_id": port,
    }  # fmt: skip
    ports = book.rows(region, "neutron", project, "/v2.0/ports", "ports")
    inside = next(row for row in ports if row["device_owner"].startswith("compute:"))
    ports.append({
        **deepcopy(inside), "id": port, "name": f"octavia-lb-{balancer['id']}", "device_owner": "Octavia",
        "device_id": f"lb-{balancer['id']}",
        "fixed_ips": [{"subnet_id": subnet["id"], "ip_address": address}],
    })  # fmt: skip
    for public in book.rows(region, "neutron", project, "/v2.0/floatingips", "floatingips"):
        public |= {"port_id": port, "fixed_ip_address": address, "status": "ACTIVE"}
        public["port_details"] |= {"device_owner": "Octavia", "device_id": f"lb-{balancer['id']}"}


def _stacks(book: _Book) -> None:
    """The portal is built from a template. Only Hà Nội has the service, and refuses us in two projects."""
    stack = {
        "id": _id("cdv-ha-tang"), "stack_name": "cdv-ha-tang", "project": PROJECTS[PORTAL],
        "stack_status": "UPDATE_COMPLETE", "creation_time": "2026-05-11T02:00:00Z",
        "updated_time": "2026-10-06T02:00:00Z", "parent": None, "stack_owner": None, "tags": ["iac"],
    }  # fmt: skip
    for project, id_ in PROJECTS.items():
        target = f"/v1/{id_}/stacks?limit=1000&show_nested=true&show_hidden=true"
        if project in _KEPT_FROM_US:
            book.write(HN, "heat", project, target, _FORBIDDEN, status=403)
        else:
            book.write(HN, "heat", project, target, {"stacks": [stack] if project == PORTAL else []})
    kinds = ("OS::Neutron::Net", "OS::Neutron::Router", "OS::Nova::Server", "OS::Nova::ServerGroup",
             "OS::Cinder::Volume", "OS::Octavia::LoadBalancer")  # fmt: skip
    rows = [{"resource_name": f"thanh-phan-{n}", "resource_type": kind} for n, kind in enumerate(kinds, 1)]
    target = f"/v1/{PROJECTS[PORTAL]}/stacks/cdv-ha-tang/{stack['id']}/resources"
    book.write(HN, "heat", PORTAL, target, {"resources": rows})


_KEPT_FROM_US: Final = frozenset({PAPERS, WEBSITE})
_FORBIDDEN: Final[Row] = {
    "explanation": "Access was denied to this resource.", "code": 403, "title": "Forbidden",
    "error": {"message": "You are not authorized to use index.", "traceback": None, "type": "Forbidden"},
}  # fmt: skip


def _keys(book: _Book) -> None:
    """The key manager keeps the keys of encrypted volumes and backups, and certificates that expire."""
    for region, project in _PLACES:
        kept = [
            (row["encryption_key_id"], _KEY, "2026-11-22T10:00:30")
            for path, key in (("/v3/volumes/detail", "volumes"), ("/v3/backups/detail", "backups"))
            for row in book.rows(region, "cinder", project, path, key)
            if row.get("encryption_key_id")
        ]
        if (region, project) in _BALANCED:
            name = f"{_BALANCED[region, project][0]}/tls"
            kept.append((_id(name), _CERTIFICATE, "2026-10-01T02:00:00"))
        rows = [
            {
                **kind, "name": None, "status": "ACTIVE", "mode": None, "created": made, "updated": made,
                "creator_id": "0594e5dc3e7b46fb97e90f5b5401797f",
                "secret_ref": f"http://127.0.0.1:29311/v1/secrets/{id_}",
            }
            for id_, kind, made in kept
        ]  # fmt: skip
        book.write_pages(region, "barbican", project, "/v1/secrets?limit=100", "secrets", rows)


_KEY: Final[Row] = {"secret_type": "symmetric", "algorithm": "aes", "bit_length": 256, "expiration": None}
_CERTIFICATE: Final[Row] = {
    "secret_type": "certificate", "algorithm": "RSA", "bit_length": 3072, "expiration": "2027-09-30T00:00:00",
}  # fmt: skip


# --- quotas ---------------------------------------------------------------------------------------------

_SCARCE: Final = {(HCM, PAPERS): 0, (HCM, PLATFORM): 3}
"""Servers a project may have where that is less than the usual twenty: too few to take the papers over."""


def _quotas(book: _Book) -> None:
    """What each project may use and uses, by what it was seen to have."""
    for region, project in _PLACES:
        id_ = PROJECTS[project]
        servers = [
            row["flavor"] for row in book.rows(region, "nova", project, "/v2.1/servers/detail", "servers")
        ]
        most = _SCARCE.get((region, project), 20)
        compute = {
            "instances": (most, len(servers)),
            "cores": (2 * most, sum(flavor["vcpus"] for flavor in servers)),
            "ram": (4096 * most, sum(flavor["ram"] for flavor in servers)),
            "server_groups": (
                10,
                len(book.rows(region, "nova", project, "/v2.1/os-server-groups", "server_groups")),
            ),
        }
        target = f"/v2.1/os-quota-sets/{id_}/detail"
        book.write(region, "nova", project, target, {"quota_set": {"id": id_, **_sets(compute, "in_use")}})
        block = {
            name: (100, len(rows), sum(row["size"] for row in rows))
            for name in ("volumes", "snapshots", "backups")
            for rows in (book.rows(region, "cinder", project, f"/v3/{name}/detail", name),)
        }
        storage = {name: (limit, used) for name, (limit, used, _) in block.items()} | {
            "gigabytes": (1000, block["volumes"][2] + block["snapshots"][2]),
            "backup_gigabytes": (1000, block["backups"][2]),
        }
        target = f"/v3/os-quota-sets/{id_}?usage=True"
        book.write(region, "cinder", project, target, {"quota_set": {"id": id_, **_sets(storage, "in_use")}})
        nets = {
            name: (100, len(book.rows(region, "neutron", project, f"/v2.0/{name}s", f"{name}s")))
            for name in ("network", "subnet", "port", "router")
        }
        target = f"/v2.0/quotas/{id_}/details.json"
        book.write(region, "neutron", project, target, {"quota": _sets(nets, "used")})


def _sets(figures: dict[str, tuple[int, int]], used: str) -> dict[str, Row]:
    return {name: {"limit": limit, used: now, "reserved": 0} for name, (limit, now) in figures.items()}
