"""Small made-up things for tests: resources with sensible facts, and a world to put them in.

What is not said is the plain, complete case. Observed things take the facts that differ as a mapping,
and as keywords what a resource is beside its facts (see `Options`); declared things, whose facts have
plain names, take facts as keywords.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict, Unpack

from cloudaudit.facts import DERIVATIONS, Derived
from cloudaudit.model import (
    MISSING,
    Gap,
    Join,
    Listing,
    Reason,
    Resource,
    Scope,
    Seconds,
    Unseen,
    Value,
    parse_time,
)

NOW: Seconds = parse_time("2026-11-22T08:00:00Z")
"""When everything was collected, and when it is assessed."""
HOUR: Seconds = 3600
DAY: Seconds = 86400

CLOUD, STORE = "dam-may", "kho"
"""Names of the OpenStack target and of the S3 target."""
REGION, PROJECT = "hn", "cong-dich-vu"
REGISTERS = Scope("registers")


class Options(TypedDict, total=False):
    """What a resource is beside its facts. `without` names facts that were not seen, `unseen` says why."""

    scope: Scope
    name: str
    at: Seconds
    endpoint: str
    unseen: Mapping[str, Unseen]
    without: Iterable[str]


def resource(type_: str, id_: str, facts: Mapping[str, Value], **options: Unpack[Options]) -> Resource:
    """A resource of any type, in the usual project unless told otherwise."""
    left_out = set(options.get("without", ()))
    return Resource(
        type_,
        id_,
        options.get("scope", Scope(CLOUD, REGION, PROJECT)),
        options.get("at", NOW),
        {name: value for name, value in facts.items() if name not in left_out},
        options.get("name", id_),
        options.get("endpoint", ""),
        options.get("unseen", {}),
        {"": 0},
    )


def in_project(project: str | None, region: str | None = REGION, target: str = CLOUD) -> Scope:
    """Where resources of a project lie."""
    return Scope(target, region, project)


# --- observed in an OpenStack cloud ---------------------------------------------------------------


def volume(
    id_: str = "v-1", facts: Mapping[str, Value] | None = None, **options: Unpack[Options]
) -> Resource:
    """A volume in zone hn-az1 of type luks, without labels."""
    plain = {
        "status": "in-use", "size_gb": 10, "zone": "hn-az1", "volume_type": "luks", "attachments": (), "replication_status": None,
        "created_at": NOW - 200 * DAY, "updated_at": NOW - HOUR, **_NO_LABELS,
    }  # fmt: skip
    return resource("openstack.volume", id_, {**plain, **(facts or {})}, **options)


def flavor(
    id_: str = "fl-1", facts: Mapping[str, Value] | None = None, **options: Unpack[Options]
) -> Resource:
    """A public flavor of two processors and 8 GiB."""
    plain = {"vcpus": 2, "ram_mb": 8192, "disk_gb": 0, "is_public": True, "disabled": False}
    options.setdefault("scope", Scope(CLOUD, REGION))
    return resource("openstack.flavor", id_, {**plain, **(facts or {})}, **options)


def backup(
    id_: str = "b-1",
    facts: Mapping[str, Value] | None = None,
    *,
    of: str | None = "v-1",
    age: Seconds = HOUR,
    **options: Unpack[Options],
) -> Resource:
    """An available backup of volume `of`, whose data were `age` old when it was listed."""
    plain = {
        "status": "available", "volume_id": of, "container": "sao-luu", "zone": None, "encrypted": True,
        "size_gb": 10, "created_at": NOW - age, "data_timestamp": NOW - age, "incremental": False,
    }  # fmt: skip
    return resource("openstack.backup", id_, {**plain, **(facts or {})}, **options)


def snapshot(id_: str = "s-1", *, of: str = "v-1", **options: Unpack[Options]) -> Resource:
    """A snapshot of volume `of`."""
    plain = {"status": "available", "volume_id": of, "size_gb": 10, "created_at": NOW - HOUR}
    return resource("openstack.snapshot", id_, plain, **options)


def image(
    id_: str = "i-1",
    facts: Mapping[str, Value] | None = None,
    *,
    of: str | None = "m-1",
    age: Seconds = HOUR,
    **options: Unpack[Options],
) -> Resource:
    """An active image, made as a snapshot of server `of` `age` before it was listed, in one store."""
    plain = {
        "status": "active", "disk_format": "raw", "snapshot_of": of, "stores": ("ceph",), "created_at": NOW - age,
        **_NO_LABELS,
    }  # fmt: skip
    return resource("openstack.image", id_, {**plain, **(facts or {})}, **options)


def replica(
    id_: str = "r-1", facts: Mapping[str, Value] | None = None, **options: Unpack[Options]
) -> Resource:
    """A replica of a share that follows."""
    plain = {"share": "h-1", "zone": "hn-az2", "replica_state": "in_sync", "status": "available"}
    return resource("openstack.share_replica", id_, {**plain, **(facts or {})}, **options)


def volume_type(
    label: str = "luks", facts: Mapping[str, Value] | None = None, **options: Unpack[Options]
) -> Resource:
    """A volume type that encrypts with LUKS."""
    plain = {
        "is_public": True, "replication_enabled": False, "backend": "ceph-hn", "encryption.provider": "luks",
        "encryption.cipher": "aes-xts-plain64", "encryption.key_size": 256,
        "encryption.control_location": "front-end",
    }  # fmt: skip
    options.setdefault("scope", Scope(CLOUD, REGION))
    options.setdefault("name", label)
    return resource("openstack.volume_type", f"id-{label}", {**plain, **(facts or {})}, **options)


def endpoint(
    service: str = "compute",
    region: str | None = REGION,
    url: str | None = None,
    *,
    target: str = CLOUD,
    **options: Unpack[Options],
) -> Resource:
    """A public endpoint of a service, with an address of its own unless `url` says otherwise."""
    address = url or f"https://{service}.{region}.example.vn/"
    plain = {
        "service_type": service, "interface": "public", "url": address, "host": address.split("/")[2],
        "scheme": address.split(":")[0], "enabled": None, "tls.version": "TLSv1.3",
        "dns.addresses": ("203.0.113.5",),
    }  # fmt: skip
    options.setdefault("scope", Scope(target, region))
    return resource("openstack.endpoint", f"{service}-{region}", plain, **options)


def project(label: str = PROJECT, id_: str | None = None, **options: Unpack[Options]) -> Resource:
    """A project, which scopes call by its label."""
    options.setdefault("scope", Scope(CLOUD, None, label))
    options.setdefault("name", label)
    plain = {"domain": "default", "enabled": True, **_NO_LABELS}
    return resource("openstack.project", id_ or f"{label}-id", plain, **options)


def rule(id_: str = "r-1", facts: Mapping[str, Value] | None = None, **options: Unpack[Options]) -> Resource:
    """An ingress rule for SSH from everywhere, in group sg-1."""
    plain = {
        "security_group": "sg-1", "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp",
        "ports": (22, 22), "remote_prefix": None, "remote_group": None, "remote_address_group": None,
    }  # fmt: skip
    return resource("openstack.security_group_rule", id_, {**plain, **(facts or {})}, **options)


def port(id_: str = "p-1", *groups: str, **options: Unpack[Options]) -> Resource:
    """A port with these security groups."""
    return resource("openstack.port", id_, {"security_groups": groups}, **options)


def server(
    id_: str = "m-1",
    facts: Mapping[str, Value] | None = None,
    *,
    role: str | None = "web",
    host: str | None = None,
    **options: Unpack[Options],
) -> Resource:
    """An active server in zone hn-az1 with this label of its role, on a host of its own."""
    labels = {} if role is None else {"role": role}
    plain = {
        "status": "ACTIVE", "zone": "hn-az1", "host_id": host or f"host-of-{id_}", "flavor": "nho", "vcpus": 2,
        "ram_mb": 4096, "disk_gb": 20, "image": None, "addresses": (), "security_groups": (),
        "labels": labels, "label_names": tuple(labels),
    }  # fmt: skip
    return resource("openstack.server", id_, {**plain, **(facts or {})}, **options)


def server_group(
    id_: str = "n-1", *members: str, policy: str = "anti-affinity", **options: Unpack[Options]
) -> Resource:
    """A group that keeps these servers on different hosts."""
    return resource("openstack.server_group", id_, {"policy": policy, "members": members}, **options)


def quota(
    name: str = "cores",
    limit: int | None = 100,
    in_use: int = 0,
    *,
    service: str = "compute",
    **options: Unpack[Options],
) -> Resource:
    """A quota of a project, with nothing reserved."""
    facts = {"service": service, "limit": limit, "in_use": in_use, "reserved": 0}
    options.setdefault("name", name)
    scope = options.get("scope", Scope(CLOUD, REGION, PROJECT))
    return resource("openstack.quota", f"{scope}/{service}/{name}", facts, **options)


def loadbalancer(id_: str = "lb-1", **options: Unpack[Options]) -> Resource:
    """A load balancer of the OVN driver."""
    return resource("openstack.loadbalancer", id_, {"provider": "ovn", "admin_state_up": True}, **options)


def pool(
    id_: str = "pool-1",
    *addresses: str,
    facts: Mapping[str, Value] | None = None,
    of: str = "lb-1",
    **options: Unpack[Options],
) -> Resource:
    """A watched pool behind a load balancer, with members on line at these addresses."""
    members = tuple(
        {"address": address, "port": 80, "operating_status": "ONLINE", "backup": False}
        for address in addresses
    )
    plain = {"load_balancers": (of,), "admin_state_up": True, "members": members, "monitor.type": "HTTP"}
    return resource("openstack.lb_pool", id_, {**plain, **(facts or {})}, **options)


def at(*addresses: str, network: str = "mang") -> tuple[Mapping[str, Value], ...]:
    """Addresses of a server on one network."""
    return tuple({"network": network, "address": a, "version": 4, "kind": "fixed"} for a in addresses)


def container(
    label: str = "tep", facts: Mapping[str, Value] | None = None, **options: Unpack[Options]
) -> Resource:
    """A private container that is not synced, without labels."""
    plain = {"read_acl": None, "write_acl": None, "sync_to": None, **_NO_LABELS}
    options.setdefault("name", label)
    return resource("openstack.container", f"acc/{label}", {**plain, **(facts or {})}, **options)


def user(id_: str = "u-1", **options: Unpack[Options]) -> Resource:
    """A user of the cloud."""
    options.setdefault("scope", Scope(CLOUD))
    return resource("openstack.user", id_, {"enabled": True}, **options)


def grant(
    role: str = "member",
    *,
    user: str | None = None,
    group: str | None = None,
    on: str = "project",
    scope_id: str = "x",
    inherited: bool = False,
    **options: Unpack[Options],
) -> Resource:
    """A role assignment to a user or a group, on a project, domain or the system."""
    facts = {
        "role": role, "user": user, "group": group, "scope": on, "scope_id": None if on == "system" else scope_id,
        "inherited": inherited,
    }  # fmt: skip
    options.setdefault("scope", Scope(CLOUD))
    return resource("openstack.role_assignment", f"{role}-{user}-{group}-{on}-{scope_id}", facts, **options)


def member(group: str, user: str, **options: Unpack[Options]) -> Resource:
    """A user's membership of a group."""
    options.setdefault("scope", Scope(CLOUD))
    return resource("openstack.group_member", f"{group}:{user}", {"group": group, "user": user}, **options)


# --- observed at an S3 endpoint -------------------------------------------------------------------


def bucket(
    label: str = "ho-so", facts: Mapping[str, Value] | None = None, **options: Unpack[Options]
) -> Resource:
    """A private bucket with versions and an empty location, at an endpoint in Hà Nội, without labels."""
    plain = {
        "location": None, "owner_id": "chu-kho", "acl.owner": "chu-kho", "acl.grants": (),
        "policy.present": False, "policy.statements": (),
        "block.configured": False, "block.ignore_acls": False, "block.restrict": False,
        "replication.rules": (), "created_at": NOW - 200 * DAY, "versioning.state": "enabled",
        "lifecycle.rules": (), "logging.target": None, "notification.targets": (), **_NO_LABELS,
    }  # fmt: skip
    options.setdefault("scope", Scope(STORE))
    options.setdefault("endpoint", "https://s3.hn.example.vn")
    return resource("s3.bucket", label, {**plain, **(facts or {})}, **options)


def zone(
    id_: str = "z-hcm",
    facts: Mapping[str, Value] | None = None,
    *,
    own: bool = False,
    **options: Unpack[Options],
) -> Resource:
    """A zone of a Ceph store that the gateway's zone syncs from, or that very zone."""
    plain = {
        "zonegroup": "vn", "gateway": own, "sync_from_all": True, "sync_from": (),
        "data_sync.state": None if own else "sync",
    }  # fmt: skip
    options.setdefault("scope", Scope(STORE))
    options.setdefault("endpoint", "https://s3.hn.example.vn")
    return resource("s3.zone", id_, {**plain, **(facts or {})}, **options)


def expiry(days: int | None = 365, **fields: Value) -> Mapping[str, Value]:
    """An enabled lifecycle rule that expires every object after some days, unless fields say otherwise."""
    plain = {
        "id": "", "enabled": True, "prefix": "", "filtered": False, "expire_days": days,
        "expire_date": None, "noncurrent_days": None, "newer_noncurrent": None, "abort_upload_days": None,
        "transitions": (),
    }  # fmt: skip
    return {**plain, **fields}


def statement(effect: str = "Allow", **fields: Value) -> Mapping[str, Value]:
    """A policy statement: everybody may get every object of the bucket ho-so, unless fields say otherwise."""
    plain = {
        "effect": effect, "principals": ("*",), "actions": ("s3:GetObject",),
        "resources": ("arn:aws:s3:::ho-so/*",), "conditions": (),
    }  # fmt: skip
    return {**plain, **fields}


_NO_LABELS: Mapping[str, Value] = {"labels": {}, "label_names": ()}


# --- declared ---------------------------------------------------------------------------------------


def _declared(type_: str, id_: str, facts: Mapping[str, Value]) -> Resource:
    return Resource(type_, id_, REGISTERS, 0, facts, id_)


def site(id_: str = "hn-1", *, country: str | None = "VN", **labels: Value) -> Resource:
    """A site in Viet Nam with the labels given: regions, azs, endpoints, store_ids and so on."""
    none = dict.fromkeys(
        ("regions", "azs", "ip_ranges", "backend_names", "store_ids", "s3_locations", "endpoints"), ()
    )
    return _declared(
        "site", id_, {**none, "country": country, "attestation": None, "risk_group": None, **labels}
    )


def system(id_: str = "ho-tich", *selectors: Mapping[str, Value], **facts: Value) -> Resource:
    """A critical system with personal data, told by its selectors and the label system_id."""
    plain = {
        "title": id_, "criticality": "critical", "rpo": DAY, "rto": None, "security_level": 3,
        "data_classes": ("personal-basic",), "cross_border": False, "open_data": (), "selectors": selectors,
    }  # fmt: skip
    return _declared("system", id_, {**plain, **facts})


def backup_target(id_: str = "kho-sao-luu", *, site: str = "hn-1", **labels: Value) -> Resource:
    """A declared place of backups; without labels, of every backup."""
    return _declared(
        "backup_target", id_, {"target": None, "zone": None, "container": None, "site": site, **labels}
    )


DIGEST = "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca7"


def attestation(id_: str = "van-ban", **facts: Value) -> Resource:
    """A complete paper issued a hundred days ago, in force for a year more, published under its id."""
    plain = {
        "kind": "commitment-dr", "owner": "Công ty Đám mây Việt", "url": address_of(id_), "sha256": DIGEST,
        "issued_at": NOW - 100 * DAY, "valid_until": NOW + 365 * DAY, "claims": (),
    }  # fmt: skip
    return _declared("attestation", id_, {**plain, **facts})


def claim(metric: str, operator: str, value: str, scope: str | None = None) -> Mapping[str, Value]:
    """A commitment in a paper that can be compared with what is observed."""
    return {"metric": metric, "operator": operator, "value": value, "scope": scope}


def address_of(id_: str) -> str:
    """Where the paper of an attestation is published."""
    return f"https://example.vn/{id_}.pdf"


def document(
    of: str = "van-ban", facts: Mapping[str, Value] | None = None, **options: Unpack[Options]
) -> Resource:
    """The published document of an attestation, as registered."""
    plain = {"status": 200, "sha256": DIGEST} if facts is None else facts
    options.setdefault("scope", Scope("documents"))
    return resource("published_document", address_of(of), plain, **options)


def drill(id_: str = "dien-tap", *, age: Seconds = DAY, **facts: Value) -> Resource:
    """A drill held `age` ago."""
    return _declared("drill", id_, {"kind": "restore", "result": "success", "date": NOW - age, **facts})


def platform() -> Resource:
    """The subject itself."""
    return _declared("platform", "nen-tang", {"kind": "provider"})


# --- the world --------------------------------------------------------------------------------------


def gap(
    type_: str,
    scope: Scope | None = None,
    reason: Reason = Reason.NO_PERMISSION,
    *,
    operation: str = "list",
    detail: str = "",
) -> Gap:
    """A gap in the lists of a type: everywhere, or in a scope."""
    return Gap(scope or Scope("*"), type_, operation, reason, detail)


def no_register(type_: str) -> Gap:
    """The gap of a register that was not given."""
    return Gap(REGISTERS, type_, f"{type_}s.yaml", Reason.REGISTER_MISSING, "the register was not given")


def listing(type_: str, scope: Scope) -> Listing:
    """A list that was read to its end in a scope."""
    return Listing(scope, type_, 0, "made up")


@dataclass
class World:
    """What a derivation sees. Satisfies the model's World.

    Every list of a type is whole unless `gaps` tells of it, or `listings` names the type: then only
    the lists named there were read.
    """

    resources: Sequence[Resource] = ()
    gaps: Sequence[Gap] = ()
    listings: Sequence[Listing] = ()
    assessed_at: Seconds = NOW
    _joins: dict[Join, _Index] = field(default_factory=dict)

    def each(self, type_: str) -> Iterable[Resource]:
        return [resource for resource in self.resources if resource.type == type_]

    def gaps_of(self, type_: str) -> Sequence[Gap]:
        return [gap for gap in self.gaps if gap.type == type_]

    def listings_of(self, type_: str) -> Sequence[Listing]:
        found = [listing for listing in self.listings if listing.type == type_]
        return found or ([] if self.gaps_of(type_) else [listing(type_, Scope("*"))])

    def related(self, join: Join) -> _Index:
        if join not in self._joins:
            self._joins[join] = _Index(join, list(self.each(join.type)), self.gaps_of(join.type))
        return self._joins[join]


def derived(family: str, world: World, one: Resource) -> Derived:
    """All that a family of derivations says of one resource."""
    found = [d.prepare(world)(one) for d in DERIVATIONS if d.name == family and one.type in d.gives]
    assert found, f"{family} gives {one.type} nothing"
    facts = {name: value for each in found for name, value in each.facts.items()}
    beside = {name: readings for each in found for name, readings in each.beside.items()}
    return Derived(facts, {name: unseen for each in found for name, unseen in each.unseen.items()}, beside)


def reasons(found: Derived) -> Mapping[str, Reason]:
    """Why what is missing is missing, without the words."""
    return {name: unseen.reason for name, unseen in found.unseen.items()}


class _Index:
    """Resources of a join by key."""

    def __init__(self, join: Join, resources: Sequence[Resource], gaps: Sequence[Gap]) -> None:
        self._join = join
        self._resources = resources
        self.unseen = Unseen(gaps[0].reason, gaps[0].detail) if gaps else None
        self.open = False

    def get(self, key: tuple[Value, ...]) -> Sequence[Resource]:
        facts = [theirs for theirs, _ in self._join.on]
        return [r for r in self._resources if tuple(r.facts.get(fact, MISSING) for fact in facts) == key]
