"""The rights that `permissions` writes, given on real services: they show what there is to see, and change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from asked_raw import HEADERS
from audits import cloudaudit, subject, targets
from beds import OpenStackBed, StoreBed
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import Folder
from declared import HANOI
from identities import LEAST, SYSTEM_READER, Identities, Raw
from vantages import PROJECT

REFUSED = {401, 403}
States = Mapping[str, Mapping[str, str]]
"""State of each call by target."""


def flown(folder: Path, variables: Mapping[str, str], *entries: Mapping[str, Any]) -> States:
    """`cloudaudit preflight` of some targets with the profile the rights were written for."""
    file = targets(folder, subject("moi", *entries))
    ran = cloudaudit(
        folder, "preflight", "-t", file, "-p", "ndc-connection", "-f", "json", variables=variables
    )
    assert ran.code in (0, 3), ran.err
    found: dict[str, dict[str, str]] = {}
    for row in json.loads(ran.out)["subjects"][0]["calls"]:
        found.setdefault(row["target"], {})[row["call"]] = row["state"]
    return found


# --- Keystone -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clouds(folder: Folder, known: Identities) -> States:
    """A reader without rules, the credentials with them, and the reader of the system."""
    common = {"kind": "openstack", "regions": [HANOI]}
    entries = [
        {"name": "reader", "cloud": "audit-tenant", **common},
        {"name": "system", "cloud": SYSTEM_READER, "vantage": "operator", **common},
        *({"name": p, "cloud": f"{LEAST}-{p}", "projects": [p], **common} for p in known.bed.projects),
    ]
    return flown(folder("preflight"), known.variables, *entries)


def test_the_written_rules_refuse_nothing_that_a_reader_sees(clouds: States, cloud: OpenStackBed) -> None:
    assert clouds[PROJECT] == clouds["reader"]
    seen = {call for call, state in clouds["reader"].items() if state in ("seen", "absent")}
    for project in cloud.projects:
        # What there is differs from project to project, and with it what of the answers can be told.
        assert {call for call in seen if clouds[project][call] == "refused"} == set(), project


def test_between_them_they_see_all_but_what_administrators_are_shown(clouds: States) -> None:
    calls = set(clouds["reader"])
    seen = {call for call in calls if {clouds["reader"][call], clouds["system"][call]} & {"seen", "absent"}}
    assert calls - seen == {
        # To administrators alone: the backend of a volume type, and how it encrypts.
        "cinder.types", "cinder.type_encryption",
        # Swift lets the role reader list where project_reader_roles names it, and here it does not.
        "swift.containers", "swift.container_head",
        # Neutron shows VPN connections to members, and whether routers are redundant to administrators.
        "neutron.vpn_connections", "neutron.routers", "neutron.network_logs",
        # Of volumes and servers not every fact is told to readers.
        "cinder.volumes", "nova.servers",
        # To whom may use keys; and to administrators.
        "barbican.secrets", "octavia.amphorae",
    }  # fmt: skip


def test_what_the_system_reader_is_for(clouds: States) -> None:
    ours = {call for call, state in clouds["system"].items() if state == "seen"} - {
        call for call, state in clouds["reader"].items() if state == "seen"
    }
    assert ours == {
        "keystone.application_credentials",
        "keystone.domain_security",
        "keystone.domains",
        "keystone.identity_provider_protocols",
        "keystone.identity_providers",
        "keystone.projects",
        "keystone.users",
        "keystone.role_assignments",
        "keystone.federated_users",
        "keystone.group_users",
    }


Write = tuple[str, str, str, Any]
"""Service, method, path, content."""


def writes(bed: OpenStackBed) -> list[Write]:
    """Calls that would make, change or take away something, of things that are there."""
    server, volume, network = (
        bed.thing(k, n)["id"]
        for k, n in (("server", "cdv-db-1"), ("volume", "cdv-data-1"), ("network", "cdv-net"))
    )
    group, backup, image = (
        bed.thing(k, n)["id"]
        for k, n in (("security_group", "cdv-web"), ("backup", "cdv-data-1-hn"), ("image", "cdv-golden"))
    )
    router, spread = (
        bed.thing("router", "cdv-router")["id"],
        bed.thing("server_group", "cdv-web-tach-may")["id"],
    )
    project, audit = bed.projects[PROJECT], bed.env["users"]["audit"]["id"]
    owned = {"project_id": project}
    rule = {"security_group_id": group, "direction": "ingress", "ethertype": "IPv4", **owned}
    return [
        ("identity", "POST", "/users", {"user": {"name": "moi", "domain_id": "default"}}),
        ("identity", "PATCH", f"/users/{audit}", {"user": {"description": "x"}}),
        ("identity", "DELETE", f"/users/{audit}", None),
        ("identity", "POST", "/projects", {"project": {"name": "moi", "domain_id": "default"}}),
        ("identity", "PATCH", f"/projects/{project}", {"project": {"description": "x"}}),
        ("identity", "PUT", f"/projects/{project}/users/{audit}/roles/{{admin}}", None),
        ("identity", "DELETE", f"/projects/{project}/users/{audit}/roles/{{admin}}", None),
        ("identity", "POST", "/regions", {"region": {"id": "moi"}}),
        ("identity", "POST", "/roles", {"role": {"name": "moi"}}),
        ("identity", "POST", f"/users/{audit}/application_credentials", {"application_credential": {"name": "moi"}}),
        ("compute", "POST", "/servers", {"server": {"name": "moi", "flavorRef": "101", "networks": "none", "imageRef": image}}),
        ("compute", "PUT", f"/servers/{server}", {"server": {"name": "moi"}}),
        ("compute", "DELETE", f"/servers/{server}", None),
        ("compute", "POST", f"/servers/{server}/action", {"os-stop": None}),
        ("compute", "POST", f"/servers/{server}/metadata", {"metadata": {"a": "b"}}),
        ("compute", "DELETE", f"/os-server-groups/{spread}", None),
        ("compute", "POST", "/flavors", {"flavor": {"name": "moi", "ram": 1, "vcpus": 1, "disk": 1}}),
        ("compute", "POST", "/os-aggregates", {"aggregate": {"name": "moi"}}),
        ("block-storage", "POST", "/volumes", {"volume": {"size": 1}}),
        ("block-storage", "PUT", f"/volumes/{volume}", {"volume": {"name": "moi"}}),
        ("block-storage", "DELETE", f"/volumes/{volume}", None),
        ("block-storage", "POST", f"/volumes/{volume}/action", {"os-extend": {"new_size": 3}}),
        ("block-storage", "POST", "/snapshots", {"snapshot": {"volume_id": volume, "force": True}}),
        ("block-storage", "POST", "/backups", {"backup": {"volume_id": volume, "force": True}}),
        ("block-storage", "DELETE", f"/backups/{backup}", None),
        ("block-storage", "POST", "/types", {"volume_type": {"name": "moi"}}),
        ("network", "POST", "/v2.0/networks", {"network": {"name": "moi", **owned}}),
        ("network", "PUT", f"/v2.0/networks/{network}", {"network": {"name": "moi"}}),
        ("network", "DELETE", f"/v2.0/networks/{network}", None),
        ("network", "POST", "/v2.0/security-group-rules", {"security_group_rule": rule}),
        ("network", "DELETE", f"/v2.0/security-groups/{group}", None),
        ("network", "PUT", f"/v2.0/routers/{router}", {"router": {"name": "moi"}}),
        ("network", "POST", "/v2.0/ports", {"port": {"network_id": network, **owned}}),
        ("image", "POST", "/v2/images", {"name": "moi"}),
        ("image", "DELETE", f"/v2/images/{image}", None),
        ("image", "PUT", f"/v2/images/{image}/file", None),
        ("image", "POST", f"/v2/images/{image}/members", {"member": project}),
        ("object-store", "PUT", "/moi", None),
        ("object-store", "POST", "/nhat-ky", None),
        ("object-store", "PUT", "/nhat-ky/moi", None),
        # Not of one with versions: what these stand in the way of, Swift says before it asks who wants it.
        ("object-store", "DELETE", "/nhat-ky", None),
        ("key-manager", "POST", "/v1/secrets", {"name": "moi"}),
        ("placement", "POST", "/resource_providers", {"name": "moi"}),
    ]  # fmt: skip


def tried(by: Raw, bed: OpenStackBed, roles: Mapping[str, str], call: Write) -> int:
    service, method, path, content = call
    address = bed.env["auth_url"] if service == "identity" else by.addresses[service]
    headers = dict(HEADERS)
    if path.endswith("/file"):
        headers["Content-Type"] = "application/octet-stream"
    return by.ask(address + path.format(**roles), method, content, headers).status_code


@pytest.fixture(scope="module")
def roles(known: Identities) -> dict[str, str]:
    answer = known.admin_of_system.ask(f"{known.bed.env['auth_url']}/roles")
    return {role["name"]: role["id"] for role in answer.json()["roles"]}


@pytest.mark.parametrize("project", ["cong-dich-vu", "nen-tang"])
def test_the_credential_with_rules_may_write_nothing(
    project: str, known: Identities, cloud: OpenStackBed, roles: Mapping[str, str]
) -> None:
    by = known.with_least(project)
    answers = {call[:3]: tried(by, cloud, roles, call) for call in writes(cloud)}
    assert {call: status for call, status in answers.items() if status not in REFUSED} == {}


def test_the_reader_of_the_system_may_write_nothing(
    known: Identities, cloud: OpenStackBed, roles: Mapping[str, str]
) -> None:
    """What a service does not show it, it does not find (404).

    NOTE: Nova fails (500) to look for a server, and Neutron (400) to see whose a new thing would be, with a
    token of no project. Nothing is made or changed either.
    """
    by = known.reader_of_system
    calls = [call for call in writes(cloud) if call[0] in by.addresses or call[0] == "identity"]
    answers = {call[:3]: tried(by, cloud, roles, call) for call in calls}
    odd = {call: status for call, status in answers.items() if status not in REFUSED}
    assert {(service, status) for (service, _, _), status in odd.items()} <= {
        ("network", 404), ("network", 400), ("image", 404), ("compute", 404), ("compute", 500),
    }  # fmt: skip


def test_nothing_was_changed_by_trying(known: Identities, cloud: OpenStackBed) -> None:
    admin = known.admin
    for service, path, kind in (
        ("compute", "/servers/{}", "server"),
        ("block-storage", f"/{admin.project}/volumes/{{}}", "volume"),
        ("network", "/v2.0/networks/{}", "network"),
        ("image", "/v2/images/{}", "image"),
    ):
        for thing in cloud.things(kind):
            answer = admin.ask(admin.addresses[service] + path.format(thing["id"]))
            assert answer.status_code == 200, (kind, thing["name"])
            shown = answer.json().get(kind, answer.json())
            assert shown["name"] == thing["name"]
        every = "?all_tenants=1" if service in ("compute", "block-storage") else ""
        listed = admin.ask(admin.addresses[service] + path.partition("/{")[0] + every).json()[f"{kind}s"]
        assert "moi" not in {thing["name"] for thing in listed}
    system = known.admin_of_system
    for kind in ("users", "projects", "roles"):
        rows = system.ask(f"{known.bed.env['auth_url']}/{kind}").json()[kind]
        assert "moi" not in {row["name"] for row in rows}


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("image", "/v2/images/{image}/file"),
        ("compute", "/servers/{server}"),
        ("compute", "/servers/{server}/os-instance-actions"),
        ("object-store", "/ho-so/2026/0001.pdf"),
        ("key-manager", "/v1/containers"),
    ],
)
def test_the_rules_let_nothing_be_read_that_no_control_needs(
    service: str, path: str, known: Identities, cloud: OpenStackBed
) -> None:
    by = known.with_least(PROJECT)
    things = {
        "image": cloud.thing("image", "cdv-golden")["id"],
        "server": cloud.thing("server", "cdv-db-1")["id"],
    }
    assert by.ask(by.addresses[service] + path.format(**things)).status_code == 401


# --- Ceph RGW -------------------------------------------------------------------------------------------


BUCKET = "kiem-thu-quyen"
KEY = "ho-so.txt"


@dataclass(frozen=True)
class Granted:
    """A bucket whose policy is the one that `permissions` writes."""

    bed: StoreBed
    left_out: frozenset[str]
    """Names of rights that the store does not know, so that it refuses a policy with them."""

    def client(self, who: str) -> Any:
        keys = self.bed.env["credentials"][who]
        return boto3.client(
            "s3",
            endpoint_url=self.bed.env["endpoints"]["http"],
            region_name=self.bed.env["region"],
            aws_access_key_id=keys["access_key"],
            aws_secret_access_key=keys["secret_key"],
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )


@pytest.fixture(scope="module")
def granted(folder: Folder, ceph: StoreBed) -> Iterator[Granted]:
    place = folder("s3-rights")
    ran = cloudaudit(place, "permissions", "-p", "ndc-connection", "-o", place / "rights")
    assert ran.code == 0, ran.err
    text = (place / "rights" / "s3-bucket-policy.ceph.json").read_text(encoding="utf-8")
    text = text.replace("TAI-KHOAN", "").replace("KIEM-TOAN", "reader").replace("TEN-BUCKET", BUCKET)
    policy = json.loads(text)
    (statement,) = policy["Statement"]
    owner = Granted(ceph, frozenset()).client("owner")
    owner.create_bucket(Bucket=BUCKET)
    try:
        owner.put_object(Bucket=BUCKET, Key=KEY, Body=b"noi dung")

        def taken(actions: list[str]) -> bool:
            document = json.dumps({**policy, "Statement": [{**statement, "Action": actions}]})
            try:
                owner.put_bucket_policy(Bucket=BUCKET, Policy=document)
            except ClientError:
                return False
            return True

        left_out = frozenset(action for action in statement["Action"] if not taken([action]))
        assert taken([action for action in statement["Action"] if action not in left_out])
        yield Granted(ceph, left_out)
    finally:
        owner.delete_bucket_policy(Bucket=BUCKET)
        owner.delete_object(Bucket=BUCKET, Key=KEY)
        owner.delete_bucket(Bucket=BUCKET)


def test_only_the_name_that_the_readme_tells_of_is_refused_by_ceph(granted: Granted) -> None:
    assert granted.left_out == {"s3:GetBucketEncryption"}


@pytest.fixture(scope="module")
def stores(folder: Folder, granted: Granted) -> States:
    bed = granted.bed
    common = {
        "kind": "s3",
        "endpoint": bed.env["endpoints"]["http"],
        "region": bed.env["region"],
        "buckets": [BUCKET],
    }
    entries = [{"name": who, "profile": who, **common} for who in ("owner", "reader", "other")]
    return flown(folder("s3-preflight"), bed.variables, *entries)


def test_the_written_policy_shows_what_the_owner_sees(stores: States) -> None:
    assert stores["reader"]["s3.versioning"] == "seen"
    # Ceph has no right for some sub-resources that it does not know, and refuses them to all but the owner.
    differs = {call for call, state in stores["reader"].items() if state != stores["owner"][call]}
    # And the reader has no buckets of his own, so that the list of them proves nothing.
    assert differs == {"s3.capabilities", "s3.list_buckets", "s3.notification"}
    assert {call for call, state in stores["other"].items() if state == "seen"} == {"probe.dns", "probe.tls"}


def test_the_written_policy_lets_nothing_be_written_or_read_out(granted: Granted) -> None:
    client = granted.client("reader")
    versioning = {"Status": "Suspended"}
    rule = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    calls: dict[str, dict[str, Any]] = {
        "put_object": {"Key": "moi", "Body": b"x"},
        "delete_object": {"Key": KEY},
        "get_object": {"Key": KEY},
        "put_object_acl": {"Key": KEY, "ACL": "public-read"},
        "put_bucket_acl": {"ACL": "public-read"},
        "put_bucket_policy": {"Policy": json.dumps({"Version": "2012-10-17", "Statement": []})},
        "delete_bucket_policy": {},
        "put_bucket_versioning": {"VersioningConfiguration": versioning},
        "put_bucket_lifecycle_configuration": {"LifecycleConfiguration": {"Rules": [rule]}},
        "delete_bucket_lifecycle": {},
        "put_bucket_tagging": {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}},
        "delete_bucket_tagging": {},
        "put_bucket_cors": {"CORSConfiguration": {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}},
        "put_bucket_website": {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "a"}}},
        "create_multipart_upload": {"Key": "moi"},
        "delete_bucket": {},
    }  # fmt: skip
    answers = {}
    for name, given in calls.items():
        try:
            answers[name] = getattr(client, name)(Bucket=BUCKET, **given)["ResponseMetadata"][
                "HTTPStatusCode"
            ]
        except ClientError as error:
            answers[name] = error.response["ResponseMetadata"]["HTTPStatusCode"]
    # Ceph knows websites only where they are switched on.
    assert answers.pop("put_bucket_website") in (*REFUSED, 405)
    assert {name: status for name, status in answers.items() if status not in REFUSED} == {}
    kept = granted.client("owner").list_objects_v2(Bucket=BUCKET)["Contents"]
    assert [entry["Key"] for entry in kept] == [KEY]
