"""What an identity is shown of the OpenStack bed, asked without any of cloudaudit's code.

From the status of each answer, and from what the administrator is shown that the identity is not, follows
which lists an audit can believe.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import requests
from identities import Identities, Raw, logged_in, of_project, user

from cloudaudit.model import Reason

Gaps: TypeAlias = set[tuple[str, str, Reason]]
"""Type without its `openstack.`, kind of scope (target, region, project), reason."""

ROOTS = {"network": "/v2.0", "image": "/v2", "key-manager": "/v1"}
"""Of services whose addresses in the catalogue have no version."""
HEADERS = {
    "OpenStack-API-Version": "compute 2.96, volume 3.70",
    "X-OpenStack-Manila-API-Version": "2.80",
    "X-OpenStack-Manila-API-Experimental": "true",
}
ABSENT = 404
"""Neutron's answer to lists of an extension that it does not have."""


@dataclass(frozen=True)
class Question:
    """One list: its service, path, and key; `everyone` asks for all projects."""

    service: str
    path: str
    key: str = ""
    """Empty: what is in it is the same for everybody that is let in."""
    everyone: str = ""
    owner: str = "project_id"
    """The field that names the project."""


def neutron(path: str, key: str = "") -> Question:
    return Question("network", path, key or path.strip("/").replace("-", "_"))


AT_TARGET = {
    "service": "/auth/catalog", "endpoint": "/auth/catalog", "region": "/regions", "user": "/users",
    "role_assignment": "/role_assignments", "group": "/groups", "group_member": "/groups",
    "domain": "/domains", "role": "/roles", "trust": "/OS-TRUST/trusts",
    "identity_provider": "/OS-FEDERATION/identity_providers",
}  # fmt: skip
"""Lists of Keystone: it shows all or refuses."""
IN_REGION: Mapping[str, Sequence[Question]] = {
    "availability_zone": [
        Question("compute", "/os-availability-zone"),
        Question("block-storage", "/os-availability-zone"),
        Question("network", "/availability_zones"),
    ],
    "flavor": [Question("compute", "/flavors/detail?is_public=None", "flavors")],
    "hypervisor": [Question("compute", "/os-hypervisors/detail", "hypervisors")],
    "aggregate": [Question("compute", "/os-aggregates", "aggregates")],
    "compute_service": [Question("compute", "/os-services", "services")],
    "volume_type": [Question("block-storage", "/types?is_public=None", "volume_types")],
    "storage_pool": [Question("block-storage", "/scheduler-stats/get_pools")],
    "block_storage_service": [Question("block-storage", "/os-services")],
    "extension": [Question("network", "/extensions")],
    "network_agent": [Question("network", "/agents", "agents")],
    "image_store": [Question("image", "/info/stores")],
    "image_service": [Question("image", "/info/import")],
    "resource_provider": [Question("placement", "/resource_providers")],
}
IN_PROJECT: Mapping[str, Sequence[Question]] = {
    "server": [Question("compute", "/servers/detail", "servers", "all_tenants=1", "tenant_id")],
    "server_group": [Question("compute", "/os-server-groups", "server_groups", "all_projects=1")],
    "volume": [
        Question("block-storage", "/volumes/detail", "volumes", "all_tenants=1", "os-vol-tenant-attr:tenant_id")
    ],
    "snapshot": [
        Question(
            "block-storage", "/snapshots/detail", "snapshots", "all_tenants=1",
            "os-extended-snapshot-attributes:project_id",
        )
    ],
    "backup": [
        Question("block-storage", "/backups/detail", "backups", "all_tenants=1", "os-backup-project-attr:project_id")
    ],
    "volume_transfer": [Question("block-storage", "/volume-transfers/detail", "transfers", "all_tenants=1")],
    "image": [Question("image", "/images", "images", owner="owner")],
    "network": [neutron("/networks")],
    "subnet": [neutron("/subnets")],
    "port": [neutron("/ports")],
    "router": [neutron("/routers")],
    "floating_ip": [neutron("/floatingips")],
    "security_group": [neutron("/security-groups")],
    "security_group_rule": [neutron("/security-group-rules")],
    "address_group": [neutron("/address-groups")],
    "rbac_policy": [neutron("/rbac-policies")],
    "qos_policy": [neutron("/qos/policies", "policies")],
    "trunk": [neutron("/trunks")],
    "bgpvpn": [neutron("/bgpvpn/bgpvpns", "bgpvpns")],
    "network_log": [neutron("/log/logs", "logs")],
    "vpn_connection": [neutron("/vpn/ipsec-site-connections", "ipsec_site_connections")],
    "quota": [
        Question("compute", "/os-quota-sets/{project}/detail"),
        Question("block-storage", "/os-quota-sets/{project}?usage=True"),
        Question("network", "/quotas/{project}/details.json"),
    ],
    "share": [Question("shared-file-system", "/shares/detail")],
    "share_replica": [Question("shared-file-system", "/share-replicas/detail")],
    "share_backup": [Question("shared-file-system", "/share-backups/detail")],
    "loadbalancer": [Question("load-balancer", "/v2/lbaas/loadbalancers")],
    "listener": [Question("load-balancer", "/v2/lbaas/listeners")],
    "lb_pool": [Question("load-balancer", "/v2/lbaas/pools")],
    "dns_zone": [Question("dns", "/v2/zones")],
}  # fmt: skip
APART: Mapping[str, Question] = {
    "secret": Question("key-manager", "/secrets"),
    "stack": Question("orchestration", "/stacks"),
    "container": Question("object-store", "?format=json"),
    "object_account": Question("object-store", "?format=json"),
}
"""What is asked project by project whoever asks."""


@dataclass(frozen=True)
class Onlooker:
    """An identity on the bed. `everyone`: it asks for all projects at once."""

    raw: Raw
    known: Identities
    everyone: bool = False

    def url(self, question: Question, project: str) -> str | None:
        address = self.raw.addresses.get(question.service)
        if address is None:
            return None
        path = question.path.replace("{project}", project)
        if self.everyone and question.everyone:
            path += f"{'&' if '?' in path else '?'}{question.everyone}"
        return address + ROOTS.get(question.service, "") + path

    def ask(self, question: Question, project: str = "") -> requests.Response | None:
        """None: the service is not in the catalogue."""
        url = self.url(question, project)
        return None if url is None else self.raw.ask(url, headers=HEADERS)

    def keystone(self, path: str) -> requests.Response:
        return self.raw.ask(self.known.bed.env["auth_url"] + path)

    def shown(self, question: Question, answer: requests.Response, project: str | None) -> set[str]:
        """Ids of what a list shows of a project, or of all."""
        rows: list[dict[str, Any]] = answer.json()[question.key]
        # Cinder names the project to administrators only.
        return {str(row["id"]) for row in rows if project in (None, row.get(question.owner, project))}


@cache
def truth(known: Identities, question: Question) -> Sequence[Mapping[str, Any]]:
    """What the administrator is shown of all projects."""
    answer = Onlooker(known.admin, known, everyone=True).ask(question)
    assert answer is not None
    rows: Sequence[Mapping[str, Any]] = answer.json()[question.key] if answer.ok else ()
    return rows


@cache
def not_there(known: Identities, question: Question) -> bool:
    """Whether a service has no such list, which Neutron's list of extensions then tells too."""
    answer = Onlooker(known.admin, known, everyone=True).ask(question, known.admin.project or "")
    return answer is not None and answer.status_code == ABSENT


def hidden_from_readers(known: Identities, question: Question) -> bool:
    """Whether a reader of some project is not shown all of what is that project's."""
    for name, id_ in known.bed.projects.items():
        there = {str(row["id"]) for row in truth(known, question) if row.get(question.owner) == id_}
        if there:
            reader = Onlooker(logged_in(known.bed, user(known.bed, "audit"), of_project(id_)), known)
            answer = reader.ask(question)
            assert answer is not None, name
            if reader.shown(question, answer, id_) < there:
                return True
    return False


def expected(onlooker: Onlooker) -> Gaps:
    """The gaps that an audit with this identity must have, and no others."""
    return {(type_, kind, reason) for type_, kind, reason in _expected(onlooker) if reason is not None}


def _expected(of: Onlooker) -> Iterator[tuple[str, str, Reason | None]]:
    own = of.raw.project
    for type_, path in AT_TARGET.items():
        yield type_, "target", _of_status(of.keystone(path))
    yield "project", "target", _of_status(of.keystone("/projects" if of.everyone else "/auth/projects"))
    yield "limit", "target", _limits(of)
    users = _users(of)
    credentials = [f"/users/{id_}/application_credentials" for id_ in users or [of.raw.body["user"]["id"]]]
    yield "application_credential", "target", _all_of(of, users, [of.keystone(path) for path in credentials])
    compute = of.raw.addresses["compute"]
    pairs = [f"{compute}/os-keypairs?user_id={id_}" for id_ in users] or [f"{compute}/os-keypairs"]
    yield "keypair", "region", _all_of(of, users, [of.raw.ask(url, headers=HEADERS) for url in pairs])
    for type_, questions in IN_REGION.items():
        for question in questions:
            yield type_, "region", _in_region(of, question)
    swift = of.raw.addresses.get("object-store", "").partition("/v1/")[0]
    yield "object_service", "region", _of_status(of.raw.ask(f"{swift}/info")) if swift else _no_address(of)
    for type_, questions in IN_PROJECT.items():
        for question in questions:
            yield type_, "region" if of.everyone else "project", _in_project(of, question)
    yield "image_member", "region" if of.everyone else "project", _members(of)
    yield "share_access_rule", "region" if of.everyone else "project", _rules(of)
    yield "api", "region", _versions(of)
    for type_, question in APART.items():
        for project in _projects(of) if of.everyone else [own or ""]:
            yield type_, "project", _apart(of, question, project)


def _of_status(answer: requests.Response | None) -> Reason | None:
    assert answer is None or answer.status_code in (200, 204, 401, 403, ABSENT), answer.url
    refused = answer is not None and answer.status_code in (401, 403)
    return Reason.NO_PERMISSION if refused else None


def _no_address(of: Onlooker) -> Reason | None:
    """A project's catalogue proves that a service is not there; the system's leaves addresses out."""
    return None if of.raw.project else Reason.PARTIAL


def _limits(of: Onlooker) -> Reason | None:
    """To a project Keystone shows its own limits, whatever others there are."""
    by_system = "system" in of.raw.body or "admin" in of.raw.roles
    return _of_status(of.keystone("/limits")) or (None if by_system else Reason.PARTIAL)


def _users(of: Onlooker) -> list[str]:
    answer = of.keystone("/users")
    return [row["id"] for row in answer.json()["users"]] if answer.ok else []


def _all_of(of: Onlooker, users: Sequence[str], answers: Sequence[requests.Response]) -> Reason | None:
    refused = not users or any(_of_status(answer) for answer in answers)
    return Reason.NO_PERMISSION if refused else None


def _in_region(of: Onlooker, question: Question) -> Reason | None:
    answer = of.ask(question)
    if answer is None:
        return _no_address(of)
    if not question.key or not answer.ok:
        return _of_status(answer)
    there = truth(of.known, question)
    if not of.everyone and question.service == "compute":
        # A private flavor is none of a project's that may not use it.
        there = [row for row in there if row.get("os-flavor-access:is_public", True)]
    return None if of.shown(question, answer, None) >= {str(row["id"]) for row in there} else Reason.PARTIAL


def _in_project(of: Onlooker, question: Question) -> Reason | None:
    own = of.raw.project
    answer = of.ask(question, own or next(iter(of.known.bed.projects.values())))
    if answer is None:
        return _no_address(of)
    if not_there(of.known, question) and _in_region(of, IN_REGION["extension"][0]) is None:
        return None
    if not question.key or not answer.ok:
        return _of_status(answer)
    project = None if of.everyone else own
    there = {str(r["id"]) for r in truth(of.known, question) if project in (None, r.get(question.owner))}
    shown = of.shown(question, answer, project)
    if not shown >= there:
        return Reason.PARTIAL
    if shown:
        return None
    # Nothing is shown, and nothing is there. Who would not be shown it cannot know that.
    if of.everyone:
        return None if "admin" in of.raw.roles else Reason.PARTIAL
    filtered = "member" not in of.raw.roles and hidden_from_readers(of.known, question)
    return Reason.PARTIAL if filtered else None


def _members(of: Onlooker) -> Reason | None:
    """Of the shared images of one's own, or of all: image by image."""
    question = IN_PROJECT["image"][0]
    answer = of.ask(question)
    if answer is None or not answer.ok:
        return _no_address(of) if answer is None else _of_status(answer)
    owners = {*of.known.bed.projects.values()} if of.everyone else {of.raw.project}
    shared = [i for i in answer.json()["images"] if i["visibility"] == "shared" and i["owner"] in owners]
    members = [of.ask(Question("image", f"/images/{image['id']}/members")) for image in shared]
    return next((reason for reason in map(_of_status, members) if reason), None)


def _rules(of: Onlooker) -> Reason | None:
    """Of one's own shares, or of all: share by share."""
    answer = of.ask(Question("shared-file-system", "/shares/detail", everyone="all_tenants=1"))
    if answer is None or not answer.ok:
        return _no_address(of) if answer is None else _of_status(answer)
    asked = [f"/share-access-rules?share_id={share['id']}" for share in answer.json()["shares"]]
    rules = [of.ask(Question("shared-file-system", path)) for path in asked]
    return next((reason for reason in map(_of_status, rules) if reason), None)


def _versions(of: Onlooker) -> Reason | None:
    """Of the services whose document of versions is read."""
    services = ("compute", "block-storage", "shared-file-system")
    found = [re.match(r".*/v\d[\d.]*", of.raw.addresses.get(service, "")) for service in services]
    answers = [of.raw.ask(f"{root[0]}/") for root in found if root]
    return next((reason for reason in map(_of_status, answers) if reason), None)


def _projects(of: Onlooker) -> list[str]:
    return [row["id"] for row in of.keystone("/projects").json()["projects"]]


def _apart(of: Onlooker, question: Question, project: str) -> Reason | None:
    address = of.raw.addresses.get(question.service)
    if address is None:
        return _no_address(of)
    own = of.raw.project
    if project == own or (own and question.service == "object-store"):
        url = (address.replace(own, project) if own else address) + ROOTS.get(question.service, "")
        return _of_status(of.raw.ask(url + question.path))
    # Without a role in a project there is no token for it.
    return Reason.NO_PERMISSION
