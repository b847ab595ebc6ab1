"""Made-up controls, and evidence in memory to judge them on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import builders as b
from builders import NOW, REGISTERS

from cloudaudit.assessment import Assessment, Declared, assess
from cloudaudit.catalog import common_facts
from cloudaudit.errors import Where
from cloudaudit.facts import Derivation
from cloudaudit.model import (
    Basis,
    Call,
    CallSpec,
    Control,
    FactSpec,
    FactType,
    Finding,
    Gap,
    Listing,
    Method,
    Obligation,
    Parameter,
    Profile,
    Remediation,
    Resource,
    ResourceType,
    Scope,
    Seconds,
    Severity,
    SourceState,
    Text,
    Unseen,
    Value,
)
from cloudaudit.predicate import Compiler

NOTHING = Text("", "")
HERE = Scope("dam-may", "hn", "p1")
LISTED = "vm.list"
DETAIL = "vm.disks"


def spec(
    name: str, kind: str, *, null: bool = False, items: FactSpec | None = None, derived: str = "", call: str = "",
    **fields: FactSpec,
) -> FactSpec:  # fmt: skip
    return FactSpec(
        name, FactType(kind), nullable=null, items=items, fields=fields, derived=derived, call=call
    )


def resource_type(
    name: str, *facts: FactSpec, declared: bool = False, calls: Iterable[CallSpec] = ()
) -> ResourceType:
    return ResourceType(
        name, Text(f"loại {name}", f"kind {name}"), declared, "compute",
        {one.name: one for one in facts}, {call.name: call for call in calls},
    )  # fmt: skip


FLAGS = ("chosen", "inapplicable", "lapsed", "pending", "good")
TYPES = {
    one.name: one
    for one in (
        resource_type(
            "vm",
            *(spec(flag, "boolean", call=LISTED) for flag in FLAGS),
            spec("size", "integer", null=True, call=LISTED),
            spec("born", "time", call=LISTED),
            spec("owner", "string", null=True, call=LISTED),
            spec("labels", "map", call=DETAIL),
            spec("disks", "list", items=spec("value", "string"), call=DETAIL),
            spec("shared", "boolean", derived="shared"),
            spec("system.id", "string", derived="attribution"),
            spec("system.criticality", "string", derived="attribution"),
            calls=(CallSpec(LISTED, "compute", "GET /vms", lists=True), CallSpec(DETAIL, "compute", "GET /vms/{id}")),
        ),
        resource_type(
            "net", *(spec(flag, "boolean") for flag in FLAGS), spec("owner", "string", null=True),
            calls=(CallSpec("net.list", "network", "GET /nets", lists=True),),
        ),
        resource_type(
            "paper", *(spec(flag, "boolean") for flag in FLAGS), spec("kind", "string"), spec("date", "time"),
            spec("owner", "string", null=True), declared=True,
        ),
        resource_type("system", spec("criticality", "string"), spec("good", "boolean"), declared=True),
    )
}  # fmt: skip


def control(
    id_: str = "SEC-01",
    check: Any = None,
    *,
    on: Sequence[str] = ("vm",),
    method: str = "T",
    obligations: Sequence[str] = (),
    message: Text = NOTHING,
    parameters: Mapping[str, Parameter] | None = None,
    values: Mapping[str, Value] | None = None,
    types: Mapping[str, ResourceType] = TYPES,
    **conditions: Any,
) -> Control:
    """A control whose check is that the fact `good` is true, unless another is given."""
    known = parameters or {}
    inforce = {**{name: p.default for name, p in known.items()}, **(values or {})}
    compiler = Compiler(
        common_facts([types[name] for name in on]), " / ".join(on), types,
        {name: p.spec for name, p in known.items()}, inforce, lambda pointer: Where("control.yaml"),
    )  # fmt: skip
    conditions["check"] = {"fact": "good", "equals": True} if check is None else check
    compiled = {name: compiler.compile(source, (name,)) for name, source in conditions.items()}
    assert not compiler.problems, [str(problem) for problem in compiler.problems]
    return Control(
        id_, "1.0.0", Text(f"Tên {id_}", f"Title {id_}"), Severity.HIGH, Method(method), Basis.OBSERVED, tuple(on),
        message=message, limits=NOTHING, remediation=Remediation(NOTHING), obligations=tuple(obligations),
        parameters=known, values=inforce, **{"check": None, **compiled},
    )  # fmt: skip


STEPS = {
    "where": {"fact": "chosen", "equals": True},
    "not_applicable_when": {"fact": "inapplicable", "equals": True},
    "expired_when": {"fact": "lapsed", "equals": True},
    "pending_when": {"fact": "pending", "equals": True},
}
"""Every condition a control can have beside its check, each on a fact of its own."""


def profile(*controls: Control) -> Profile:
    return Profile(
        "thu", "1.0.0", NOTHING, NOTHING, False, "provider", controls, {}, {}, (), {}, "0" * 64, NOTHING
    )


def obligation(id_: str, kind: str) -> Obligation:
    return Obligation(id_, "", "", "", "", SourceState.QUOTED, "in_force", "", kind)


def thing(
    id_: str = "v1",
    facts: Mapping[str, Value] | None = None,
    *,
    type_: str = "vm",
    scope: Scope = HERE,
    at: Seconds = NOW,
    name: str = "",
    unseen: Mapping[str, Unseen] | None = None,
) -> Resource:
    """An observed thing that is good, unless other facts are given."""
    given = {"good": True} if facts is None else facts
    return Resource(type_, id_, scope, at, given, name or id_, "", unseen or {}, {"": 1})


def entry(type_: str, id_: str, **facts: Value) -> Resource:
    """A declared thing."""
    return Resource(type_, id_, REGISTERS, 0, facts, id_)


@dataclass
class Memory:
    """Evidence in memory. Lists of the types in `listed` were read to their end everywhere."""

    resources: Sequence[Resource] = ()
    told: Sequence[Gap] = ()
    listed: Sequence[str] = ("vm", "net")
    lists: Sequence[Listing] = ()
    collected_at: Seconds = NOW
    digest: str = "0" * 64
    types: frozenset[str] = frozenset(("vm", "net"))
    calls: Mapping[int, Call] = field(
        default_factory=lambda: {1: Call(1, HERE, "compute", "GET /vms", 200, NOW)}
    )

    targets: Mapping[str, bool] = field(default_factory=dict)

    def each(self, type_: str) -> Iterator[Resource]:
        return (resource for resource in self.resources if resource.type == type_)

    def gaps(self) -> Sequence[Gap]:
        return self.told

    def listings(self) -> Sequence[Listing]:
        found = [self.lists, [Listing(Scope("dam-may"), t, 0, f"all of {t}", 1) for t in self.listed]]
        return [listing for one in found for listing in one]

    def call(self, number: int) -> Call:
        return self.calls[number]


@dataclass(frozen=True)
class Waiver:
    """A waiver in force for a year, of the authority that laws need."""

    control: str = "SEC-01"
    id: str = "mt-1"
    authority: str = "competent"
    starts: Seconds = NOW - 1
    until: Seconds = NOW + 365 * 86400
    resource: str = "v1"
    system: str | None = None

    def covers(self, resource_id: str, name: str, system: str | None) -> bool:
        return resource_id == self.resource if self.system is None else system == self.system


def judge(
    evidence: Memory,
    *controls: Control,
    declared: Declared | None = None,
    derivations: Sequence[Derivation] = (),
    obligations: Sequence[Obligation] = (),
    at: Seconds = NOW,
) -> tuple[list[Finding], Assessment]:
    """The findings of some controls, and the assessment; judging without findings gives the same tallies."""
    found: list[Finding] = []
    given = declared or Declared({"paper": (), "system": ()})
    known = {one.id: one for one in obligations}
    slow = assess(evidence, given, profile(*controls), derivations, known, at=at, sink=found.append)
    quick = assess(evidence, given, profile(*controls), derivations, known, at=at)
    assert quick == slow
    return found, slow


# --- a whole subject, for the shipped controls ----------------------------------------------------------


def estate() -> tuple[list[Resource], list[Resource]]:
    """Some of everything a subject has, observed and declared: what is good and what is not."""
    at_hcm = Scope(b.CLOUD, "hcm")
    everyone = {"grantee": "AllUsers", "kind": "Group", "permission": "READ"}
    image = {
        "disk_format": "qcow2", "visibility": "private", "status": "active", "container_format": "bare", "owner": "p",
        "hash_algo": "sha512", "hash_value": "00", "os_distro": "ubuntu", "os_version": "22.04", "property_names": (),
        "external_urls": (), "labels": {}, "label_names": (), "created_at": NOW, "protected": True, "min_disk": 1,
    }  # fmt: skip
    store = {
        "url": "https://s3.hn.example.vn", "scheme": "https", "host": "s3.hn.example.vn", "tls.version": "TLSv1.3",
        "tls.verified": True, "tls.host_match": True, "tls.not_after": NOW + 90 * b.DAY, "server_kind": "ceph",
    }  # fmt: skip
    observed = [
        b.volume(), b.volume("v-2", {"zone": "hcm-az1"}, scope=at_hcm), b.volume("v-3", {"volume_type": None}),
        b.backup(), b.backup("b-2", of="v-2", age=5 * b.DAY, scope=at_hcm), b.snapshot(), b.volume_type(),
        b.volume_type(scope=at_hcm), b.endpoint(), b.endpoint("volumev3"), b.endpoint("compute", "hcm"),
        b.endpoint("identity"), b.project(), b.project("khac"), b.rule(), b.rule("r-2", {"remote_prefix": "10.0.0.0/8"}),
        b.port("p-1", "sg-1"), b.container(), b.container("mo", {"read_acl": ".r:*"}), b.user(), b.user("u-2"),
        b.grant("admin", user="u-1"), b.grant("admin", group="g"), b.member("g", "u-2"), b.bucket(),
        b.bucket("mo", {"acl.grants": (everyone,)}), b.document(), b.document("dr"),
        *(b.resource("openstack.region", region, {}, scope=Scope(b.CLOUD, region)) for region in ("hn", "hcm")),
        *(
            b.resource("openstack.availability_zone", f"compute:{zone}",
                       {"zone": zone, "service": "compute", "available": True}, scope=Scope(b.CLOUD, zone[:-4]))
            for zone in ("hn-az1", "hcm-az1")
        ),
        *(
            b.resource("openstack.service", kind, {"type": kind, "service_name": kind, "regions": ("hn",)}, scope=Scope(b.CLOUD))
            for kind in ("compute", "volumev3", "identity", "image", "network")
        ),
        b.resource("openstack.image", "i-1", image),
        b.resource("s3.endpoint", "https://s3.hn.example.vn", store, scope=Scope(b.STORE)),
    ]  # fmt: skip
    claims = (
        b.claim("backup_frequency_hours", "<=", "24"),
        b.claim("data_country", "=", "VN"),
        b.claim("tls_min", ">=", "1.2"),
    )
    declared = [
        b.site("hn-1", regions=("hn",), azs=("hn-az1",), endpoints=("*.hn.example.vn",)), b.site("hcm-1", regions=("hcm",)),
        b.system("ho-tich", {"project": b.PROJECT}), b.system("khac", {"catch_all": True}, criticality="low"),
        b.backup_target(), b.attestation("van-ban", claims=claims), b.attestation("dr", kind="dr-plan", systems=("ho-tich",)),
        b.drill(systems=("ho-tich",)), b.platform(),
    ]  # fmt: skip
    return observed, declared


def evidence_of(
    observed: Sequence[Resource],
    declared: Sequence[Resource],
    gaps: Sequence[Gap],
    types: Mapping[str, ResourceType],
) -> tuple[Memory, Declared]:
    """A subject as judging takes it: every list was read, but where there is a gap."""
    registers = {
        name: [r for r in declared if r.type == name] for name, type_ in types.items() if type_.declared
    }
    lists = [name for name, type_ in types.items() if not type_.declared]
    in_order = sorted(observed, key=lambda r: (r.type, r.scope.key(), r.endpoint, r.id))
    return (
        Memory(in_order, [gap for gap in gaps if gap.type in lists], lists),
        Declared(registers, [gap for gap in gaps if gap.type in registers]),
    )
