"""What is known from part of the evidence is never contradicted by all of it.

Random small estates are looked at twice: whole, and after lists became gaps (with some of their
resources gone), registers were not given and facts were not seen. Every definite value of the second
look must be the value of the first, or bound it from the right side.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from builders import (
    CLOUD,
    DAY,
    DIGEST,
    HOUR,
    NOW,
    REGISTERS,
    World,
    at,
    attestation,
    backup_target,
    bucket,
    claim,
    container,
    document,
    drill,
    expiry,
    flavor,
    gap,
    grant,
    listing,
    loadbalancer,
    member,
    no_register,
    platform,
    pool,
    quota,
    replica,
    resource,
    rule,
    server,
    server_group,
    site,
    snapshot,
    statement,
    system,
    user,
    volume,
    volume_type,
    zone,
)
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cloudaudit.facts import DERIVATIONS
from cloudaudit.model import (
    MISSING,
    AtLeast,
    AtMost,
    Listing,
    Partial,
    Reason,
    Resource,
    Scope,
    Unseen,
    Value,
)

REGIONS, PROJECTS, STORES = ("hn", "hcm"), ("p1", "p2"), ("kho-a", "kho-b")
ID_OF_P1 = "0123456789abcdef0123456789abcdef"
DECLARED = ("site", "system", "backup_target", "attestation", "landing_profile", "drill")
OF_TARGET = (
    "openstack.endpoint", "openstack.service", "openstack.region", "openstack.project", "openstack.user",
    "openstack.role_assignment", "openstack.group_member", "openstack.application_credential",
)  # fmt: skip
OF_REGION = (
    "openstack.volume_type", "openstack.availability_zone", "openstack.flavor", "openstack.image_store",
    "openstack.image_service", "openstack.api",
)  # fmt: skip
OF_PROJECT = (
    "openstack.volume", "openstack.backup", "openstack.snapshot", "openstack.port",
    "openstack.security_group_rule", "openstack.server", "openstack.share", "openstack.container",
    "openstack.image", "openstack.vpn_connection", "openstack.share_replica", "openstack.server_group",
    "openstack.loadbalancer", "openstack.lb_pool", "openstack.router", "openstack.network",
    "openstack.subnet", "openstack.quota", "openstack.security_group",
    "openstack.floating_ip", "openstack.trunk", "openstack.listener", "openstack.image_member",
    "openstack.rbac_policy", "openstack.secret", "openstack.address_group",
)  # fmt: skip
REQUEST, POLICY = "data-storage-request", "retention-policy"
ABOUT_OUR_KNOWLEDGE = frozenset({"locations.unknown", "claims.unverified", "claims.checked"})
"""Facts that tell how much is known, and so change with it."""


# --- random estates -------------------------------------------------------------------------------


class Maker:
    """Makes estates from a source of randomness; names come from few, so that things meet.

    Half of them are tidy: every label is declared once and every resource has its system, so that all
    of the evidence gives definite answers, which less of it must not change.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.tidy = rng.random() < 0.5

    def one(self, *choices: Value) -> Value:
        return self.rng.choice(choices)

    def text(self, *choices: str) -> str:
        return self.rng.choice(choices)

    def some(self, *choices: str) -> tuple[str, ...]:
        return tuple(choice for choice in choices if self.rng.random() < 0.4)

    def scope(self) -> Scope:
        return Scope(CLOUD, self.text(*REGIONS), self.text(*PROJECTS))

    def labels(self) -> dict[str, Value]:
        labelled = not self.tidy and self.rng.random() < 0.3
        labels: dict[str, Value] = {"system_id": self.text("s1", "s2", "s9")} if labelled else {}
        if self.rng.random() < 0.5:
            labels["data_class"] = "internal"
        return {"labels": labels, "label_names": (*labels, *self.some("tier"))}

    def role(self) -> dict[str, Value]:
        """Labels of some buckets instead: of backups."""
        return {"labels": {"role": "backup"}, "label_names": ("role",)} if self.rng.random() < 0.3 else {}

    # --- what is declared -------------------------------------------------------------------

    def declared(self) -> Iterator[Resource]:
        if self.tidy:
            yield from self.tidy_register()
        else:
            yield from self.untidy_register()
        for id_ in ("a1", "a2"):
            yield attestation(
                id_,
                valid_until=self.one(NOW + DAY, NOW - DAY),
                owner=self.one("Cơ quan", "Cơ quan", None),
                claims=(self.claim(), self.claim()),
                kind=self.text(
                    "commitment-dr",
                    "log-destinations",
                    "remote-access",
                    "customer-data-access",
                    REQUEST,
                    POLICY,
                    "exit-plan",
                ),
                entries=self.one(
                    (),
                    ({"what": "203.0.113.0/24"}, {"what": "u1"}),
                    ({"what": "SIEM", "site": self.one("hn-1", None), "country": self.one("VN", None)},),
                ),
                systems=self.some("s1"),
                numbers={
                    "internal_days": self.text("30", "60"),
                    **{name: self.text("1", "30", "x") for name in self.some("export_days", "export_gib")},
                },
            )
        floors = {name: self.text("2.79", "3.0") for name in self.some("compute", "image")}
        profile = {
            "ndc_peers": self.some("203.0.113.9"),
            "ndc_ranges": self.some("198.51.100.0/24"),
            "publisher": "Cơ quan",
            "required_services": self.some("compute", "image"),
            "formats": self.some("qcow2"),
            "api_floors": floors,
        }
        yield Resource("landing_profile", "ndc", REGISTERS, 0, profile)
        yield drill(age=DAY)
        for n in range(self.rng.randrange(4)):
            yield drill(
                f"d{n}",
                age=self.rng.choice((-DAY, DAY, 2 * DAY)),
                kind=self.text("restore", "failover", "export"),
                result=self.text("success", "success", "fail"),
                systems=self.some("s1", "s2"),
                measured_rpo=self.one(None, HOUR),
                measured_rto=self.one(None, HOUR),
                checksum_ok=self.one(None, True, False),
                bytes=self.one(None, 0, 2**30),
                seconds=self.one(None, HOUR),
            )
        yield platform()

    def tidy_register(self) -> Iterator[Resource]:
        hosts = ("s3.example.vn", "s3.example.sg", "sync.example.vn")
        yield site(
            "hn-1", regions=("hn",), azs=("az1",), endpoints=hosts, s3_locations=("vn",),
            attestation="a1", store_ids=("vn/a", "ceph", "glance@hn"), ip_ranges=("203.0.113.0/24",),
            backend_names=("ceph-hn",),
        )  # fmt: skip
        yield site("hcm-1", regions=("hcm",), s3_locations=("sg", "la"), attestation=self.one("a1", "a2"))
        yield site(
            "hn-2", country=self.text("VN", "SG"), azs=("az2",), risk_group=self.one(None, "song-hong")
        )
        yield backup_target("t1", site=self.text("hn-1", "hcm-1"), container="c1")
        yield backup_target("t2", site="hcm-1", container="c2")
        yield system("s1", {"project": "p1"}, criticality=self.text("critical", "low"))
        yield system("s2", {"project": "p2"}, {"bucket": "b*", "target": STORES[0]}, open_data=("b1",))
        yield system(
            "s3", {"target": STORES[1], "catch_all": True}, data_classes=("core",), cross_border=True
        )

    def untidy_register(self) -> Iterator[Resource]:
        for id_, country in (("hn-1", "VN"), ("hcm-1", "VN"), ("sg-1", "SG")):
            yield site(
                id_,
                country=country,
                regions=self.some("hn", "hcm"),
                azs=self.some("az1", "az2"),
                s3_locations=self.some("vn", "sg"),
                store_ids=self.some("vn/a", "b1", "ceph", "glance@hn", "q1"),
                ip_ranges=self.some("203.0.113.0/24", "198.51.100.0/24"),
                backend_names=self.some("ceph-hn", "may-1@x"),
                endpoints=self.some("s3.example.vn", "sync.example.vn"),
                attestation=self.one(None, "a1", "a2"),
                risk_group=self.one(None, "song-hong"),
            )
        for id_ in ("s1", "s2"):
            yield system(
                id_,
                *(self.selector() for _ in range(self.rng.randrange(3))),
                criticality=self.text("critical", "low"),
                cross_border=self.one(True, False),
                open_data=self.some("b*"),
            )
        for id_ in ("t1", "t2"):
            yield backup_target(
                id_,
                site=self.text("hn-1", "hcm-1", "sg-1"),
                zone=self.one(None, "az*"),
                container=self.one(None, "c1", "*"),
            )

    def selector(self) -> Mapping[str, Value]:
        shapes = (
            {"project": self.text(*PROJECTS, ID_OF_P1)},
            {"target": CLOUD, "region": self.text(*REGIONS)},
            {"project": "p1", "catch_all": True},
            {"label_key": "tier", "label_value": "1"},
            {"bucket": self.text("b*", "b1")},
        )
        return self.rng.choice(shapes)

    def claim(self) -> Mapping[str, Value]:
        return self.rng.choice(
            (
                claim("backup_frequency_hours", "<=", self.text("1", "24")),
                claim("offsite_copies", ">=", "1"),
                claim("data_country", "=", "VN", self.rng.choice((None, "compute"))),
                claim("tls_min", ">=", "1.3"),
                claim("formats", "contains", "qcow2"),
                claim("availability", ">=", "99.9"),
            )
        )

    # --- what is observed -------------------------------------------------------------------

    def of_target(self) -> Iterator[Resource]:
        for region in REGIONS:
            for service in ("compute", "block-storage"):
                shared = not self.tidy and self.rng.random() < 0.5
                url = f"https://{'one' if shared else service + region}.example.vn/"
                facts = {
                    "service_type": service, "interface": self.text("public", "internal"), "url": url,
                    "scheme": self.text("https", "http"), "tls.version": self.one("TLSv1.3", "TLSv1.2", None),
                    "dns.addresses": self.some("203.0.113.5", "192.0.2.7"),
                }  # fmt: skip
                id_ = f"{service}-{region}"
                yield resource("openstack.endpoint", id_, facts, scope=Scope(CLOUD, region))
            yield resource("openstack.region", region, {"parent": None}, scope=Scope(CLOUD, region))
        regions = {"regions": self.some(*REGIONS)}
        yield resource("openstack.service", "compute", {"type": "compute", **regions}, scope=Scope(CLOUD))
        for label, id_ in (("p1", ID_OF_P1), ("p2", "f" * 32)):
            scope = Scope(CLOUD, None, label)
            facts = {"domain": self.text("default", "x"), **self.labels()}
            yield resource("openstack.project", id_, facts, scope=scope, name=label)
        for id_ in ("u1", "u2"):
            yield user(id_)
            yield member(self.text("g1", "g2"), id_)
        yield resource(
            "openstack.application_credential",
            "c1",
            {"roles": self.some("admin", "reader", "f" * 32)},
            scope=Scope(CLOUD),
        )
        for _ in range(self.rng.randrange(4)):
            role = self.text("admin", "member", "member", "reader", "tro-ly")
            on, holder = (
                self.text("project", "project", "system", "domain"),
                self.text("u1", "u2", "g1", "g2"),
            )
            user_, group = (holder, None) if holder[0] == "u" else (None, holder)
            id_ = "default" if on == "domain" else self.text(ID_OF_P1, "f" * 32)
            down = self.rng.random() < 0.3
            yield grant(role, user=user_, group=group, on=on, scope_id=id_, inherited=down)

    def of_cloud(self) -> Iterator[Resource]:
        volumes = {f"v{n}": self.scope() for n in range(self.rng.randrange(4))}
        for id_, scope in volumes.items():
            attached = tuple({"server": server, "device": None} for server in self.some("x"))
            facts = {
                "zone": self.one("az1", "az2", None), "volume_type": self.one("t1", "t2", None),
                "attachments": attached, "bootable": self.one(True, True, False),
                "image.os_distro": self.one("debian", "debian", None), "image.os_version": self.text("11", "12"),
                "replication_status": self.one(None, None, "enabled", "error", "enabling"),
                "encryption_key": self.one(None, "k1", "k2"),
                "host": self.one("may-1@x#ceph-hn", "may-1@y", None),
                "status": self.text("available", "in-use"),
            }  # fmt: skip
            yield volume(id_, {**facts, **self.labels()}, scope=scope)
        for n in range(self.rng.randrange(8)):
            age = self.rng.choice((HOUR, 5 * HOUR, 40 * HOUR))
            of = self.one("v0", "v0", "v1", None)
            near = volumes.get(str(of)) if self.rng.random() < 0.8 else None
            facts = {
                "status": self.text("available", "available", "error"), "volume_id": of,
                "container": self.one("c1", "c2", "c1" if self.tidy else None), "zone": self.one("az1", None), "encrypted": True,
                "created_at": NOW - age, "data_timestamp": NOW - age, "size_gb": 1,
                "incremental": self.one(False, True),
            }  # fmt: skip
            yield resource("openstack.backup", f"b{n}", facts, scope=near or self.scope())
        for n in range(self.rng.randrange(3)):
            yield snapshot(f"s{n}", of="v0", scope=volumes.get("v0") or self.scope())
        for key in self.some("k1", "k2"):
            yield resource("openstack.secret", key, {}, scope=self.scope())
        for region in REGIONS:
            span = {"min_version": "2.1", "max_version": self.text("2.60", "2.96")}
            yield resource(
                "openstack.api",
                "compute",
                {"service": "compute", **span},
                scope=Scope(CLOUD, region),
                endpoint=region,
            )
            facts = {"ram_mb": self.one(512, 8192), "is_public": self.one(True, False)}
            yield flavor(f"f:{region}", facts, scope=Scope(CLOUD, region))
            for label in self.some("t1", "t2"):
                replicated = {"replication_enabled": self.one(True, False)}
                yield volume_type(label, replicated, scope=Scope(CLOUD, region))
            facts = {"zone": self.text("az1", "az2"), "service": self.text("compute", "network")}
            yield resource("openstack.availability_zone", f"x:{region}", facts, scope=Scope(CLOUD, region))
        for n in range(self.rng.randrange(4)):
            facts = {
                "security_group": self.text("g1", "g2"), "direction": self.text("ingress", "egress"),
                "remote_prefix": self.one(None, "0.0.0.0/0", "198.51.100.0/24", "10.0.0.0/8", "2000::/3", "203.0.113.9/32"),
                "ethertype": self.text("IPv4", "IPv6"),
                "remote_group": self.one(None, None, "g1"), "remote_address_group": self.one(None, None, "x"),
                "protocol": self.one(None, "tcp", "icmp"), "ports": self.one(None, (22, 22)),
            }  # fmt: skip
            yield rule(f"r{n}", facts, scope=self.scope())
        addresses = {"addresses": self.some("10.0.0.0/8", "203.0.113.9/32", "192.0.2.1/32")}
        yield resource("openstack.address_group", "x", addresses, scope=self.scope())
        for n in range(self.rng.randrange(3)):
            servers = {"dns_nameservers": self.some("203.0.113.53", "198.51.100.53")}
            yield resource("openstack.subnet", f"v{n}", servers, scope=self.scope())
        yield from self.servers()
        yield from self.recovery()
        yield from self.of_networks(Scope(CLOUD, "hn", "p1"))
        facts = {"zone": self.one("az1", None), "size_gb": 5, "is_public": self.one(True, False)}
        yield resource("openstack.share", "x", facts, scope=self.scope())
        sync = self.one(
            None, "//VN/a/AUTH_x/c", "https://sync.example.vn/v1", None if self.tidy else "//la/la/x/y"
        )
        acl = self.one(None, ".r:*,.rlistings", "*:*", ".r:-evil.vn", "p9:u,acc:*", "vai-tro")
        yield container("b3", {"sync_to": sync, "read_acl": acl, **self.labels()}, scope=self.scope())
        for name in self.rng.choice(((), ("b1",), ("b1", "b2", "b3"), ("b1", "b2", "b3"))):
            acls = {"read_acl": self.one(None, None, ".r:*"), "write_acl": self.one(None, None, "*:*")}
            facts = {"sync_to": None, **acls, **self.labels()}
            place = Scope(CLOUD, self.text("hn", "hn", "hn", *REGIONS), "p1")
            yield resource("openstack.container", f"p1/{name}", facts, scope=place, name=name)
        state = {"replica_state": self.one("active", "in_sync", "out_of_sync", None)}
        yield replica(facts=state, scope=self.scope())
        names_stores = {region: self.rng.random() < 0.5 for region in REGIONS}
        for region, names in names_stores.items():
            methods = {"names_stores": names, "import_methods": self.some("web-download", "copy-image")}
            yield resource("openstack.image_service", region, methods, scope=Scope(CLOUD, region))
            for store in self.some("ceph") if names else ():
                yield resource("openstack.image_store", store, {}, scope=Scope(CLOUD, region))
        for n in range(self.rng.randrange(1, 4)):
            scope = self.scope()
            image: dict[str, Value] = {
                "disk_format": self.text("qcow2", "raw"), "status": self.text("active", "active", "queued"),
                "snapshot_of": self.one("x", "x", None), "created_at": NOW - HOUR,
                "architecture": self.one("x86_64", None),
                "hash_algo": "sha512", "os_distro": self.one("debian", None), "min_disk": self.one(1, 0),
                "min_ram": 512, "size_bytes": self.one(None, 2**30, 2**32),
                "properties": self.one({}, {"os_purpose": "generic", "image_build_date": "2026-11-21"}),
                "os_version": self.text("12", "0"),
                "locations_shown": True, "external_urls": self.some("tep.example.vn"),
            }  # fmt: skip
            if self.rng.random() < 0.3:
                image = {**image, "locations_shown": False}
                del image["external_urls"]
            unnamed = {"stores": Unseen(Reason.NOT_IMPLEMENTED, "no such field")}
            if names_stores[str(scope.region)]:
                image["stores"], unnamed = self.some("ceph", "web", "vn/a", "b1"), {}
            yield resource(
                "openstack.image", f"i{n}", {**image, **self.labels()}, scope=scope, unseen=unnamed
            )
        yield from self.interconnection()
        peer = {"peer_address": self.text("203.0.113.9", "198.51.100.7", "192.0.2.1")}
        yield resource("openstack.vpn_connection", "w", peer, scope=self.scope())

    def interconnection(self) -> Iterator[Resource]:
        """A router, and a network with subnets, that may lead to the National Data Center."""
        near, there = "10.0.0.0/8", "198.51.100.0/25"
        role = {"role": "ndc"} if self.rng.random() < 0.2 else {}
        labels: dict[str, Value] = {"labels": role, "label_names": tuple(role)}
        facts: dict[str, Value] = {
            "routes": ({"destination": self.one(near, there, "0.0.0.0/0"), "nexthop": "10.0.0.1"},),
            "external_addresses": self.some("198.51.100.7", "192.0.2.1"),
        }
        yield resource("openstack.router", "t", {**facts, **labels}, scope=self.scope())
        scope = self.scope()
        yield resource("openstack.network", "n", labels, scope=scope)
        for n in range(self.rng.randrange(3)):
            subnet = {"network": self.text("n", "khac"), "cidr": self.text(near, there)}
            yield resource("openstack.subnet", f"u{n}", subnet, scope=scope)

    def recovery(self) -> Iterator[Resource]:
        """Room, images, flavors, networks and groups in two regions, often enough what servers need."""
        for region in REGIONS:
            for label in self.some(*PROJECTS):
                scope = Scope(CLOUD, region, label)
                for name in ("instances", "cores", "ram"):
                    limit = self.rng.choice((None, 2, 5, 9000))
                    yield quota(f"{name}", limit, self.rng.choice((0, 1)), scope=scope)
                for name in ("volumes", "gigabytes"):
                    yield quota(name, self.rng.choice((None, 3, 90)), service="block-storage", scope=scope)
            for ram in (2048, 4096):
                facts: dict[str, Value] = {"vcpus": 2, "ram_mb": ram, "disk_gb": 20}
                if self.rng.random() < 0.7:
                    name = self.text("SCS-2V-4-20", "SCS-4V-4-50", "SCS-x", "lon")
                    id_, scope = f"f{region}{ram}", Scope(CLOUD, region)
                    yield resource("openstack.flavor", id_, facts, scope=scope, name=name)
            for n in range(self.rng.randrange(3)):
                facts = {
                    "hash_algo": "sha512", "hash_value": self.text("abc", "abc", "khac"), "status": "active",
                    "disk_format": "qcow2", "visibility": self.text("public", "private", "shared"),
                    **self.labels(),
                }  # fmt: skip
                scope = Scope(CLOUD, region, self.text(*PROJECTS))
                yield resource("openstack.image", f"i{region}{n}", facts, scope=scope)
            for label in self.some(*PROJECTS):
                scope = Scope(CLOUD, region, label)
                facts = {"shared": self.rng.random() < 0.2, **self.labels()}
                yield resource("openstack.network", f"n{region}{label}", facts, scope=scope, name="mang")
                id_ = f"web{region}{label}"
                yield resource("openstack.security_group", id_, {}, scope=scope, name="web")
                if self.rng.random() < 0.5:
                    facts = {"security_group": id_, "remote_group": self.one(None, id_)}
                    yield rule(f"r{id_}", facts, scope=scope)

    def servers(self) -> Iterator[Resource]:
        """Servers with and without roles, few enough places and hosts that some meet."""
        everywhere = self.rng.random() < 0.3
        for n in range(self.rng.randrange(5)):
            found = self.labels()
            role = {"role": self.text("web", "db")} if self.rng.random() < 0.8 else {}
            facts: dict[str, Value] = {
                "status": self.text("ACTIVE", "ACTIVE", "ACTIVE", "SHUTOFF"),
                "zone": self.one("az1", "az2", None if not self.tidy else "az1"),
                "addresses": at(self.text("10.0.0.1", "10.0.0.2", "10.0.0.3", f"10.0.1.{n}")),
                "labels": {**found["labels"], **role},  # type: ignore[dict-item]
                "label_names": (*found["label_names"], *role),  # type: ignore[misc]
                "image": self.one(None, "ihn0"),
                "ram_mb": self.one(4096, 4096, 2048),
                "security_groups": self.some("web"),
            }
            scope = self.scope() if everywhere else Scope(CLOUD, "hn", "p1")
            yield server(f"m{n}", facts, host=self.text("h1", "h2", "h3"), scope=scope)
        yield loadbalancer(scope=Scope(CLOUD, "hn", "p1"))
        for n in range(self.rng.randrange(3)):
            facts = {"admin_state_up": self.one(True, True, False), "monitor.type": self.one("HTTP", None)}
            addresses = self.some("10.0.0.1", "10.0.0.2", "10.0.0.3")
            yield pool(f"q{n}", *addresses, facts=facts, scope=Scope(CLOUD, "hn", "p1"))
        for n in range(self.rng.randrange(3)):
            yield server_group(
                f"n{n}",
                *self.some("m0", "m1", "m2"),
                policy=self.text("anti-affinity", "anti-affinity", "affinity"),
                scope=Scope(CLOUD, "hn", self.text(*PROJECTS)),
            )

    def of_networks(self, near: Scope) -> Iterator[Resource]:
        """A server, a listener and what leads to them, most of it in one project."""

        def scope() -> Scope:
            return near if self.rng.random() < 0.8 else self.scope()

        addresses = ("10.0.0.1", "10.0.0.2", "2001:db8::1")
        for n in range(self.rng.randrange(5)):
            pairs = tuple({"address": a} for a in self.some("10.0.0.2"))
            facts = {
                "security_groups": self.some("g1", "g2"), "port_security": self.one(True, True, False, None),
                "network": self.text("n1", "n2"), "device_id": self.text("x", "x", "r", "lb-x"),
                "device_owner": self.text("compute:az", "network:router_interface"),
                "addresses": self.some(*addresses), "allowed_address_pairs": pairs,
                "dhcp.name_servers": self.some("203.0.113.53"),
                "dhcp.time_servers": self.some("time.example.vn", "sync.example.vn"),
            }  # fmt: skip
            yield resource("openstack.port", f"p{n}", facts, scope=scope())
        for id_ in self.some("n1", "n2"):
            yield resource(
                "openstack.network",
                id_,
                {"external": self.one(True, False, False), **self.labels()},
                scope=scope(),
            )
        facts = {"external_network": self.one(None, "n9"), **self.labels()}
        yield resource("openstack.router", "r", facts, scope=scope())
        for n in range(self.rng.randrange(3)):
            forwards = tuple({"address": a, "port": 1, "protocol": "tcp"} for a in self.some(*addresses))
            facts = {
                "address": f"203.0.113.{n}", "port_id": self.one(None, "p0", "p1", "p2"),
                "fixed_address": self.one(None, "10.0.0.1", "10.0.0.2"), "router": self.one(None, "r"),
                "port_forwardings": forwards,
            }  # fmt: skip
            yield resource("openstack.floating_ip", f"f{n}", facts, scope=scope())
        facts = {
            "port": self.text("p0", "p1"),
            "sub_ports": tuple({"port": p} for p in self.some("p2", "p3")),
        }
        yield resource("openstack.trunk", "t", facts, scope=scope())
        for id_ in self.some("g1", "g2"):
            yield resource("openstack.security_group", id_, {}, scope=scope())
        told = tuple(
            {"network": "n", "address": a, "version": 4, "kind": self.one("fixed", "fixed", "floating", None)}
            for a in self.some(*addresses, "203.0.113.0")
        )
        facts = {"zone": self.one("az1", None), "addresses": told, "image": self.one(None, "i0", "i9")}
        yield resource("openstack.server", "x", {**facts, **self.labels()}, scope=near)
        yield resource("openstack.listener", "l", {"load_balancers": self.some("x", "y")}, scope=near)
        yield resource("openstack.loadbalancer", "x", {"vip_port": self.one(None, "p0", "p9")}, scope=scope())
        yield resource("openstack.image_member", "i:q", {"member": "q"}, scope=scope())
        shares = {"action": self.text("access_as_shared", "access_as_external"), "target_tenant": "*"}
        yield resource("openstack.rbac_policy", "b", shares, scope=scope())

    def of_stores(self) -> Iterator[Resource]:
        for store in STORES:
            is_swift = self.rng.random() < 0.5
            facts = {
                "host": self.text("s3.example.vn", "s3.example.sg"),
                "scheme": "https",
                "server_kind": "swift" if is_swift else "ceph",
                "swift.target": CLOUD if is_swift else self.one(None, None, CLOUD),
                "swift.project": self.text("p1", ID_OF_P1),
                "swift.region": self.one(None, "hn"),
                "dns.addresses": self.some("203.0.113.9"),
            }
            yield resource(
                "s3.endpoint", f"https://{store}", {**facts, "tls.version": "TLSv1.3"}, scope=Scope(store)
            )
            sources = {"sync_from_all": self.one(True, False), "sync_from": self.some("z2")}
            yield zone("z1", sources, own=True, scope=Scope(store))
            for name in ("z2", "z3"):
                facts = {
                    "zonegroup": self.text("vn", "vn", "x"),
                    "data_sync.state": self.text("sync", "init"),
                }
                yield zone(name, facts, scope=Scope(store))
            for name in self.some("b1", "b2", "b3"):
                yield bucket(
                    name,
                    {**self.bucket_facts(), **self.labels(), **self.role()},
                    scope=Scope(store),
                    endpoint="https://s3.example.vn",
                )

    def bucket_facts(self) -> dict[str, Value]:
        everybody = {"grantee": "AllUsers", "permission": self.text("READ", "WRITE"), "kind": "group"}
        grants = (everybody, {"grantee": self.text("o1", "z"), "permission": "READ", "kind": "user"})
        statements = tuple(
            statement(
                self.text("Allow", "Deny"),
                principals=self.one(("*",), ("arn:aws:iam::x:root",), ("!arn:aws:iam::x:root",)),
                actions=self.one(("s3:GetObject",), ("s3:*",), ("!s3:GetObject",), ("s3:DeleteObject*",)),
                resources=self.one(("arn:aws:s3:::b1/*",), ("*",), ("arn:aws:s3:::b1", "arn:aws:s3:::b1/x*")),
                conditions=self.one((), (), ("IpAddress:aws:SourceIp",), ("Bool:aws:SecureTransport",)),
            )
            for _ in range(self.rng.randrange(3))
        )
        rule = {
            "destination": self.text("b1", "arn:aws:s3:::b2", "b3" if self.tidy else "la"),
            "enabled": self.one(True, True, False), "prefix": self.text("", "", "a/"),
            "filtered": self.one(False, False, True),
        }  # fmt: skip
        ends = {
            "id": "r", "enabled": self.one(True, True, False), "prefix": self.text("", "tmp/"),
            "filtered": self.one(False, False, True), "expire_days": self.one(None, 1),
            "expire_date": self.one(None, None, NOW), "noncurrent_days": self.one(None, 7, 90),
            "newer_noncurrent": self.one(None, 3),
        }  # fmt: skip
        return {
            "owner_id": self.text("o1", "o1", "o2"), "acl.owner": self.one("o1", None),
            "location": self.one(None, "vn", "sg", "la"), "acl.grants": self.one((), grants),
            "policy.statements": statements, "block.ignore_acls": self.one(False, False, True),
            "block.restrict": self.one(False, False, True), "replication.rules": self.one((), (rule,)),
            "versioning.state": self.text("enabled", "enabled", "suspended", "off"),
            "lifecycle.rules": self.one(
                (), (ends,), (ends, "odd"), (expiry(30),), (expiry(90), expiry(None, noncurrent_days=5))
            ),
            "logging.target": self.one(None, "b1", "b2", "la"),
            "notification.targets": self.some("arn:aws:sns:hn::q1", "https://sync.example.vn/x"),
        }  # fmt: skip

    def documents(self) -> Iterator[Resource]:
        for id_ in ("a1", "a2"):
            sha256, status = self.text(DIGEST, "0" * 64), self.rng.choice((200, 200, 404))
            facts: dict[str, Value] = {"status": status} | ({"sha256": sha256} if status == 200 else {})
            yield document(id_, facts)

    def listings(self) -> Iterator[Listing]:
        for type_ in OF_TARGET:
            yield listing(type_, Scope(CLOUD))
        for region in REGIONS:
            for type_ in OF_REGION:
                yield listing(type_, Scope(CLOUD, region))
        for type_ in OF_PROJECT:
            by_project = self.rng.random() < 0.5
            for region in REGIONS:
                for project in PROJECTS if by_project else (None,):
                    yield listing(type_, Scope(CLOUD, region, project))
        for store in STORES:
            yield listing("s3.endpoint", Scope(store))
            yield listing("s3.bucket", Scope(store))
            yield listing("s3.zone", Scope(store))
        yield listing("published_document", Scope("documents"))
        for type_ in DECLARED:
            yield listing(type_, REGISTERS)

    def estate(self) -> World:
        found = (*self.declared(), *self.of_target(), *self.of_cloud(), *self.of_stores(), *self.documents())
        return World(found, (), tuple(self.listings()))

    # --- less evidence ----------------------------------------------------------------------

    def cut(self, whole: World) -> World:
        """The same estate with less seen of it."""
        losing = self.rng.choice((0.02, 0.05, 0.3))
        lost = [entry for entry in whole.listings if self.rng.random() < losing]
        kept = [entry for entry in whole.listings if entry not in lost]
        left = [r for r in whole.resources if not self.is_gone(r, lost)]
        gaps = [
            no_register(entry.type)
            if entry.type in DECLARED
            else gap(entry.type, entry.scope, Reason.TIMEOUT)
            for entry in lost
        ]
        hiding = self.rng.choice((0, 0, 0.01, 0.2))
        return World([self.hide(r, hiding) for r in left], gaps, kept)

    def is_gone(self, one: Resource, lost: Sequence[Listing]) -> bool:
        hit = [entry for entry in lost if entry.type == one.type and _within(one.scope, entry.scope)]
        # What targets.yaml says of a store is no answer that could be missing.
        hit = hit if one.type != "s3.endpoint" else []
        return bool(hit) and (one.type in DECLARED or self.rng.random() < 0.5)

    def hide(self, one: Resource, chance: float) -> Resource:
        if one.scope == REGISTERS:
            return one
        hidden = {fact for fact in one.facts if self.rng.random() < chance and not fact.startswith("swift.")}
        # What an S3 store does not implement is a fact about it, and so is a Glance without names for its
        # stores; of any other service it tells nothing.
        store = one.type.startswith("s3.") or one.type == "openstack.image"
        reason = self.rng.choice([r for r in BLINDING if not (store and r is Reason.NOT_IMPLEMENTED)])
        unseen = dict.fromkeys(sorted(hidden), Unseen(reason, "hidden"))
        facts = {fact: value for fact, value in one.facts.items() if fact not in hidden}
        return replace(one, facts=facts, unseen={**one.unseen, **unseen})


BLINDING = (
    Reason.NO_PERMISSION, Reason.NOT_IMPLEMENTED, Reason.PARTIAL, Reason.INVALID_ANSWER, Reason.NOT_COLLECTED,
)  # fmt: skip
"""Why a collector leaves a fact of a resource out that it did see."""


def _within(narrow: Scope, wide: Scope) -> bool:
    return (
        narrow.target == wide.target
        and wide.region in (None, narrow.region)
        and wide.project in (None, narrow.project)
    )


# --- the order of knowledge -----------------------------------------------------------------------


def agrees(known: Value, truth: Value) -> bool:
    """Whether what is known from less is what is true, or bounds it from the right side."""
    match known:
        case AtMost(limit):
            bound = truth.limit if isinstance(truth, AtMost) else truth
            return isinstance(bound, int | float) and not isinstance(truth, AtLeast) and bound <= limit
        case AtLeast(limit):
            bound = truth.limit if isinstance(truth, AtLeast) else truth
            return isinstance(bound, int | float) and not isinstance(truth, AtMost) and bound >= limit
        case Partial(items):
            others = truth.items if isinstance(truth, Partial) else truth
            return isinstance(others, tuple) and all(any(agrees(i, o) for o in others) for i in items)
        case tuple():
            return (
                isinstance(truth, tuple)
                and len(truth) == len(known)
                and all(agrees(mine, theirs) for mine, theirs in zip(known, truth, strict=True))
            )
        case Mapping():
            return isinstance(truth, Mapping) and all(
                name in truth and agrees(value, truth[name]) for name, value in known.items()
            )
        case _:
            return known == truth


@dataclass(frozen=True)
class Contradiction:
    """A definite value that more evidence takes back."""

    resource: str
    fact: str
    known: Value
    truth: Value


def contradictions(less: World, whole: World) -> Iterator[Contradiction]:
    for derivation in DERIVATIONS:
        of_less, of_whole = derivation.prepare(less), derivation.prepare(whole)
        for type_ in derivation.gives:
            by_identity = {(r.scope.target, r.endpoint, r.id): r for r in whole.each(type_)}
            for one in less.each(type_):
                truth = of_whole(by_identity[one.scope.target, one.endpoint, one.id]).facts
                for fact, known in of_less(one).facts.items():
                    true = truth.get(fact, MISSING)
                    if fact not in ABOUT_OUR_KNOWLEDGE and not agrees(known, true):
                        yield Contradiction(f"{type_} {one.id}", fact, known, true)


@settings(max_examples=250, phases=[Phase.generate])
@given(st.integers(min_value=0, max_value=2**32))
def test_less_evidence_never_gives_another_answer(seed: int) -> None:
    maker = Maker(random.Random(seed))
    whole = maker.estate()
    assert list(contradictions(maker.cut(whole), whole)) == []
