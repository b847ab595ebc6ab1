"""The profile for code that is not deployed yet: well-written code passes each control, bad code fails it.

Nothing is registered. What code leaves open until it is deployed is unknown, never a pass.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from builders import NOW
from code_blocks import block, concluded, link, resources
from judging import Memory

from cloudaudit.assessment import Declared, assess
from cloudaudit.catalog import load_catalogue, load_profile
from cloudaudit.collectors.deployment.block import LATER, Block
from cloudaudit.facts import DERIVATIONS

CATALOGUE = load_catalogue()
PROFILE = load_profile("before-deployment", CATALOGUE)
CONTROLS = {control.id: control for control in PROFILE.controls}
Change = Callable[[dict[str, Any]], None]


def judged(blocks: Sequence[Block], id_: str) -> str:
    """The verdict of one control of the profile on some code, without any register."""
    profile = replace(PROFILE, controls=(CONTROLS[id_],))
    observed = frozenset(name for name, type_ in CATALOGUE.types.items() if not type_.declared)
    gaps, lists = concluded(observed)
    found = sorted(resources(blocks), key=lambda r: (r.type, r.scope.key(), r.endpoint, r.id))
    evidence = Memory(found, gaps, (), lists)
    return assess(evidence, Declared({}), profile, DERIVATIONS, {}, at=NOW).tallies[id_].verdict


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


ONLY_TLS = {
    "Effect": "Deny", "Principal": "*", "Action": "s3:*",
    "Resource": ["arn:aws:s3:::ho-so", "arn:aws:s3:::ho-so/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}  # fmt: skip
NETWORK = block(
    "openstack_networking_network_v2.cong",
    {"name": "cong", "admin_state_up": True, "external": LATER, "port_security_enabled": True},
    left_out=["external"],
)
SUBNET = block(
    "openstack_networking_subnet_v2.cong",
    {
        "name": "cong",
        "network_id": link(NETWORK.address),
        "cidr": "10.20.0.0/24",
        "enable_dhcp": True,
        "ip_version": 4,
    },
)
GROUP = block(
    "openstack_networking_secgroup_v2.web", {"name": "web", "stateful": LATER}, left_out=["stateful"]
)
RULE = block(
    "openstack_networking_secgroup_rule_v2.https",
    {"direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "port_range_min": 443, "port_range_max": 443,
     "remote_ip_prefix": "0.0.0.0/0", "remote_group_id": LATER, "security_group_id": link(GROUP.address)},
    left_out=["remote_group_id"],
)  # fmt: skip
PORT = block(
    "openstack_networking_port_v2.web",
    {"name": "web", "network_id": link(NETWORK.address), "security_group_ids": [link(GROUP.address)],
     "port_security_enabled": True, "allowed_address_pairs": [], "device_id": LATER, "device_owner": LATER},
    left_out=["device_id", "device_owner"],
)  # fmt: skip
IMAGE = block(
    "openstack_images_image_v2.web",
    {"name": "web", "visibility": "private", "disk_format": "qcow2", "container_format": "bare",
     "properties": {
         "os_secure_boot": "required", "img_signature": "c2ln", "img_signature_certificate_uuid": "c1",
         "img_signature_hash_method": "SHA-256", "img_signature_key_type": "RSA-PSS",
     }},
)  # fmt: skip
SERVER = block(
    "openstack_compute_instance_v2.web",
    {"name": "web", "image_id": link(IMAGE.address), "key_pair": "quan-tri", "config_drive": True, "user_data": None,
     "metadata": {"system_id": "cong"}, "network": [{"port": link(PORT.address), "uuid": LATER}]},
)  # fmt: skip
IKE = block(
    "openstack_vpnaas_ike_policy_v2.p",
    {"ike_version": "v2", "encryption_algorithm": "aes-256", "auth_algorithm": "sha256", "pfs": "group14"},
)
IPSEC = block(
    "openstack_vpnaas_ipsec_policy_v2.p",
    {
        "transform_protocol": "esp",
        "encryption_algorithm": "aes-256",
        "auth_algorithm": "sha256",
        "pfs": "group14",
    },
)
VPN = block(
    "openstack_vpnaas_site_connection_v2.v",
    {
        "name": "v",
        "peer_address": "203.0.113.1",
        "ikepolicy_id": link(IKE.address),
        "ipsecpolicy_id": link(IPSEC.address),
    },
)
LISTENER = block(
    "openstack_lb_listener_v2.https",
    {"name": "https", "protocol": "TERMINATED_HTTPS", "protocol_port": 443, "admin_state_up": True,
     "loadbalancer_id": link("openstack_lb_loadbalancer_v2.lb"), "tls_versions": ["TLSv1.2", "TLSv1.3"]},
)  # fmt: skip
CONTAINER = block(
    "openstack_objectstorage_container_v1.ho_so",
    {
        "name": "ho-so",
        "container_read": "p1:*",
        "container_write": None,
        "versioning": True,
        "metadata": {"tier": "a"},
    },
)
SHARE = block(
    "openstack_sharedfilesystem_share_v2.s",
    {"name": "s", "share_proto": "NFS", "size": 5, "is_public": False},
)
ACCESS = block(
    "openstack_sharedfilesystem_share_access_v2.s",
    {"share_id": link(SHARE.address), "access_type": "ip", "access_to": "10.20.0.0/24", "access_level": "rw"},
)
BUCKET = block(
    "aws_s3_bucket.ho_so", {"bucket": "ho-so", "object_lock_enabled": True, "tags": {"role": "backup"}}
)
SETTINGS = (
    block("aws_s3_bucket_acl.ho_so", {"bucket": link(BUCKET.address), "acl": "private"}),
    block("aws_s3_bucket_versioning.ho_so", {"bucket": link(BUCKET.address), "versioning_configuration": [{"status": "Enabled"}]}),
    block("aws_s3_bucket_policy.ho_so", {"bucket": link(BUCKET.address), "policy": policy(ONLY_TLS)}),
    block(
        "aws_s3_bucket_server_side_encryption_configuration.ho_so",
        {"bucket": link(BUCKET.address, "bucket"), "rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "aws:kms"}]}]},
    ),
    block("aws_s3_bucket_notification.ho_so", {"bucket": link(BUCKET.address), "topic": [{"topic_arn": "arn:aws:sns:vn::t"}]}),
    block("aws_s3_bucket_logging.ho_so", {"bucket": link(BUCKET.address), "target_bucket": "nhat-ky", "target_prefix": "x/"}),
    block(
        "aws_s3_bucket_object_lock_configuration.ho_so",
        {"bucket": link(BUCKET.address), "rule": [{"default_retention": [{"mode": "COMPLIANCE", "days": 30}]}]},
    ),
    block(
        "aws_s3_bucket_lifecycle_configuration.ho_so",
        {"bucket": link(BUCKET.address), "rule": [{"id": "r", "status": "Enabled", "noncurrent_version_expiration": [{"noncurrent_days": 90}]}]},
    ),
)  # fmt: skip
CREDENTIAL = block(
    "openstack_identity_application_credential_v3.c",
    {"name": "c", "roles": ["reader"], "unrestricted": False, "expires_at": "2027-05-01T00:00:00Z"},
)
USER = block(
    "openstack_identity_user_v3.u",
    {"name": "u", "enabled": True, "multi_factor_auth_enabled": True,
     "multi_factor_auth_rule": [{"rule": ["password", "totp"]}]},
)  # fmt: skip
GOOD = (
    NETWORK, SUBNET, GROUP, RULE, PORT, IMAGE, SERVER, IKE, IPSEC, VPN, LISTENER, CONTAINER, SHARE, ACCESS, BUCKET,
    *SETTINGS, CREDENTIAL, USER,
)  # fmt: skip


def with_(address: str, **values: Any) -> tuple[Block, ...]:
    """The good code with other values in one block."""
    assert any(one.address == address for one in GOOD)
    return tuple(
        replace(one, values={**one.values, **values}) if one.address == address else one for one in GOOD
    )


def without(*addresses: str) -> tuple[Block, ...]:
    return tuple(one for one in GOOD if one.address not in addresses)


def of(type_: str) -> str:
    return next(one.address for one in GOOD if one.type == type_)


S3 = "aws_s3_bucket_"
PROPERTIES = IMAGE.values["properties"]
BAD: Mapping[str, tuple[Block, ...]] = {
    "SEC-06": with_(RULE.address, port_range_min=22, port_range_max=22),
    "SEC-07": with_(PORT.address, port_security_enabled=False),
    "SEC-10": with_(IKE.address, encryption_algorithm="3des"),
    "SEC-11": with_(LISTENER.address, tls_versions=["TLSv1"]),
    "SEC-117": with_(PORT.address, allowed_address_pairs=[{"ip_address": "0.0.0.0/0"}]),
    "BDR-105": with_(NETWORK.address, admin_state_up=False),
    "BDR-106": with_(SUBNET.address, enable_dhcp=False),
    "SEC-24": with_(SERVER.address, metadata={"db_password": "hunter-two-22"}),
    "SEC-103": with_(SERVER.address, config_drive=False),
    "SEC-105": with_(SERVER.address, key_pair=None),
    "SEC-110": with_(IMAGE.address, properties={**PROPERTIES, "os_secure_boot": "optional"}),
    "SEC-111": with_(IMAGE.address, properties={"os_secure_boot": "required"}),
    "POR-02": with_(IMAGE.address, properties={**PROPERTIES, "vmware_ostype": "ubuntu64Guest"}),
    "SEC-13": with_(CONTAINER.address, container_write="*:*"),
    "SEC-18": without(f"{S3}policy.ho_so"),
    "SEC-120": with_(SHARE.address, is_public=True),
    "SEC-121": with_(ACCESS.address, access_to="0.0.0.0/0"),
    "SEC-123": with_(
        f"{S3}server_side_encryption_configuration.ho_so",
        rule=[{"apply_server_side_encryption_by_default": [{"sse_algorithm": "AES256"}]}],
    ),
    "SEC-125": without(f"{S3}notification.ho_so"),
    "SEC-126": without(f"{S3}logging.ho_so"),
    "BDR-102": with_(f"{S3}versioning.ho_so", versioning_configuration=[{"status": "Suspended"}]),
    "BDR-103": tuple(
        one
        for one in with_(BUCKET.address, object_lock_enabled=False)
        if one.type != f"{S3}object_lock_configuration"
    ),
    "BDR-09": with_(
        f"{S3}object_lock_configuration.ho_so",
        rule=[{"default_retention": [{"mode": "GOVERNANCE", "days": 30}]}],
    ),
    "DAT-101": without(f"{S3}lifecycle_configuration.ho_so"),
    "SEC-04": with_(CREDENTIAL.address, expires_at=None),
    "SEC-113": with_(CREDENTIAL.address, roles=["admin"]),
    "SEC-115": with_(USER.address, multi_factor_auth_enabled=False),
    "SEC-116": with_(USER.address, ignore_lockout_failure_attempts=True),
}
OPEN: Mapping[str, tuple[Block, ...]] = {
    "SEC-06": with_(RULE.address, security_group_id=LATER, port_range_min=22, port_range_max=22),
    "SEC-07": with_(PORT.address, port_security_enabled=LATER),
    "SEC-10": without(IPSEC.address),
    "SEC-11": with_(LISTENER.address, tls_versions=LATER),
    "SEC-117": with_(PORT.address, allowed_address_pairs=[{"ip_address": LATER}]),
    "BDR-105": with_(NETWORK.address, admin_state_up=LATER),
    "BDR-106": with_(SUBNET.address, enable_dhcp=LATER),
    "SEC-24": with_(SERVER.address, user_data=LATER),
    "SEC-103": with_(SERVER.address, config_drive=None),
    "SEC-105": with_(SERVER.address, key_pair=LATER),
    "SEC-110": with_(IMAGE.address, properties=LATER),
    "SEC-111": with_(IMAGE.address, properties=LATER),
    "POR-02": with_(IMAGE.address, properties=LATER),
    "SEC-13": with_(CONTAINER.address, container_write=LATER),
    "SEC-18": with_(f"{S3}policy.ho_so", policy=LATER),
    "SEC-120": with_(SHARE.address, is_public=LATER),
    "SEC-121": with_(ACCESS.address, access_to=LATER),
    "SEC-123": without(f"{S3}server_side_encryption_configuration.ho_so"),
    "SEC-125": with_(f"{S3}notification.ho_so", bucket=LATER),
    "SEC-126": with_(f"{S3}logging.ho_so", target_bucket=LATER),
    "BDR-102": with_(f"{S3}versioning.ho_so", versioning_configuration=LATER),
    "BDR-103": tuple(
        one
        for one in with_(BUCKET.address, object_lock_enabled=LATER)
        if one.type != f"{S3}object_lock_configuration"
    ),
    "BDR-09": with_(BUCKET.address, tags={"role": LATER}),
    "DAT-101": with_(f"{S3}lifecycle_configuration.ho_so", rule=LATER),
    "SEC-04": with_(CREDENTIAL.address, expires_at=LATER),
    "SEC-113": with_(CREDENTIAL.address, roles=LATER),
    "SEC-115": with_(USER.address, multi_factor_auth_enabled=LATER),
    "SEC-116": with_(USER.address, ignore_password_expiry=LATER),
}


def test_every_control_of_the_profile_is_shown() -> None:
    assert set(BAD) == set(OPEN) == set(CONTROLS)
    assert len(CONTROLS) >= 20


@pytest.mark.parametrize("id_", sorted(BAD))
def test_a_control_passes_fails_and_does_not_know(id_: str) -> None:
    assert [judged(code, id_) for code in (GOOD, BAD[id_], OPEN[id_])] == ["pass", "fail", "unknown"]


def test_code_that_deploys_nothing_concerns_no_control() -> None:
    assert {id_: judged((), id_) for id_ in CONTROLS} == dict.fromkeys(CONTROLS, "not_applicable")


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        # An administration port that is open to the world on a group nothing of the code is in.
        ({"security_group_ids": []}, "unknown"),
        ({"security_group_ids": [link(GROUP.address)]}, "fail"),
    ],
)
def test_an_open_rule_is_judged_by_what_uses_its_group(changed: Mapping[str, Any], verdict: str) -> None:
    code = tuple(
        replace(one, values={**one.values, **changed}) if one.address == PORT.address else one
        for one in BAD["SEC-06"]
    )
    assert judged(code, "SEC-06") == verdict


@pytest.mark.parametrize("names", [["web"], [link(GROUP.address, "name")], [link(GROUP.address)]])
def test_an_open_rule_reaches_a_server_by_the_name_of_its_group(names: list[Any]) -> None:
    server = replace(
        SERVER,
        values={
            **SERVER.values,
            "security_groups": names,
            "network": [{"uuid": link(NETWORK.address), "port": LATER}],
        },
    )
    code = [
        server if one.address == SERVER.address else one
        for one in BAD["SEC-06"]
        if one.address != PORT.address
    ]
    assert judged(code, "SEC-06") == "fail"


@pytest.mark.parametrize(
    ("acl", "verdict"),
    [("public-read-write", "fail"), ("private", "pass"), (LATER, "unknown"), ("public-read", "unknown")],
)
def test_a_bucket_open_to_all(acl: object, verdict: str) -> None:
    """One that all may read could be open data, which only a register tells."""
    code = tuple(one for one in with_(f"{S3}acl.ho_so", acl=acl) if one.address != CONTAINER.address)
    assert judged(code, "SEC-13") == verdict


def test_a_network_that_the_code_does_not_make_may_be_any() -> None:
    """Of one that it makes nobody else has the id; of another one it is not known whether it leads outside."""
    assert judged((NETWORK, SUBNET), "BDR-106") == "pass"
    assert (
        judged((NETWORK, replace(SUBNET, values={**SUBNET.values, "network_id": "n-1"})), "BDR-106")
        == "unknown"
    )
