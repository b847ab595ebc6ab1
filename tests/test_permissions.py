"""The rights handed out are those that the wire needs, and no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from wire import PROFILES, ROOTS, Bed, catalogue, needs, open_bed

from cloudaudit.collectors.openstack.catalogue import names_of
from cloudaudit.errors import CloudauditError
from cloudaudit.model import CallSpec
from cloudaudit.permissions import (
    ACCOUNT_WIDE,
    CAPS,
    CEPH_POLICY,
    POLICY,
    README,
    RULES,
    USER_POLICY,
    Rights,
    Rule,
    access_rules,
    caps_line,
    files,
    meant,
    rights,
)
from cloudaudit.planned import Needs, of_s3

TYPES = catalogue().types
# By the names of the fake cloud's catalogue, and the services' own configuration.
NAMES = {"block-storage": "volumev3", "shared-file-system": "sharev2"}


@pytest.fixture
def bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bed]:
    with open_bed(tmp_path, monkeypatch) as opened:
        yield opened


def allowed(rules: Iterable[Rule], service: str, method: str, path: str) -> bool:
    """What keystonemiddleware makes of a request: see the note at `access_rules`."""
    for rule in rules:
        parts = re.split(r"(\*\*|\*|\{[^}]*\})", rule["path"])
        pattern = "".join(
            ".*" if part == "**" else "[^/]+" if part[:1] in ("*", "{") else part for part in parts
        )
        if (rule["service"], rule["method"]) == (service, method) and re.fullmatch(pattern, path):
            return True
    return False


def service_of(path: str) -> str:
    (found,) = (s for s, root in ROOTS.items() if root and path.startswith("/" + root.split("/")[1] + "/"))
    return NAMES.get(found, found)


@pytest.mark.parametrize("vantage", ["tenant", "operator"])
@pytest.mark.parametrize("profile", PROFILES)
def test_every_request_of_a_collection_is_allowed_by_the_rules(bed: Bed, profile: str, vantage: str) -> None:
    bed.cloud.system_roles = ["reader"]
    done = bed.run(profile, f", vantage: {vantage}")
    needed = rights(needs(profile), [bed.subject(f", vantage: {vantage}")])
    refused = [
        request
        for request in bed.cloud.requests
        if request.token
        and request.method != "POST"
        and not allowed(
            needed.rules, service_of(request.path), request.method, request.path.partition("?")[0]
        )
    ]
    assert [r.path for r in refused] == []
    assert done.asked["hn"]


def test_rules_allow_nothing_that_holds_secrets_or_data() -> None:
    rules = rights(needs("ndc-connection")).rules
    assert {rule["method"] for rule in rules} == {"GET", "HEAD"}
    for service, method, path in (
        ("object-store", "GET", "/v1/AUTH_x/kho"),
        ("object-store", "GET", "/v1/AUTH_x/kho/tep"),
        ("object-store", "GET", "/object/v1/AUTH_x/kho"),
        ("object-store", "GET", "/object/v1/AUTH_x/v1/tep"),
        ("object-store", "HEAD", "/v1/AUTH_x/kho/tep"),
        ("image", "GET", "/v2/images/img-1/file"),
        ("compute", "GET", "/v2.1/servers/srv-1/os-server-password"),
        ("compute", "GET", "/v2.1/os-keypairs"),
        ("identity", "GET", "/v3/credentials"),
        ("identity", "GET", "/v3/users/u-an/credentials/OS-EC2"),
        ("network", "GET", "/v2.0/vpn/ipsec-site-connections/vpn-1"),
        ("volumev3", "GET", "/v3/p-1/attachments"),
        ("compute", "DELETE", "/v2.1/servers/detail"),
    ):
        assert not allowed(rules, service, method, path), (service, path)


def test_where_services_have_a_port_each_no_path_goes_before_the_version(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth = {"username": "audit", "password": "x", "project_name": "shop", "user_domain_name": "Default"}
    bed.cloud.configure(
        bed.folder, monkeypatch, auth_url="https://keystone.example.vn:5000/v3",
        project_domain_name="Default", **auth,
    )  # fmt: skip
    found = rights(needs("ci-quick"), [bed.subject()]).rules
    assert [rule for rule in found if rule["service"] in ("identity", "volumev3")] == [
        {"service": service, "method": "GET", "path": path}
        for service, paths in (
            ("identity", ("/v3/auth/catalog", "/v3/auth/projects")),
            (
                "volumev3",
                (
                    "/v3/",
                    *(
                        f"/v3{project}/{path}"
                        for project in ("", "/{project_id}")
                        for path in (
                            "backups/detail",
                            "snapshots/detail",
                            "types",
                            "types/{id}/encryption",
                            "volumes/detail",
                        )
                    ),
                ),
            ),
        )
        for path in paths
    ]
    # A credential that is still to be made is looked for nowhere: either may be true.
    bed.cloud.configure(bed.folder, monkeypatch, auth_type="none", auth_url="x")
    both = rights(needs("ci-quick"), [bed.subject()]).rules
    assert [rule for rule in both if not rule["path"].startswith("/{prefix}")] == list(found)
    assert len(both) == 2 * len(found)


def test_names_of_cinder_are_those_of_its_third_version() -> None:
    assert names_of("block-storage") == ("block-storage", "volumev3", "block-store", "volume")
    assert names_of("shared-file-system") == ("shared-file-system", "sharev2", "share")
    assert names_of("network") == ("network",)


def declared(prefix: str) -> list[CallSpec]:
    return [call for name, one in TYPES.items() if name.startswith(prefix) for call in one.calls.values()]


@pytest.mark.parametrize("call", declared("openstack."), ids=lambda call: call.name)
def test_every_call_to_openstack_has_a_rule(call: CallSpec) -> None:
    rules = access_rules([call], below=True)
    assert bool(rules) is (call.service != "probe")
    for rule in rules:
        assert rule["path"].startswith("/")
        assert len(rule["path"]) <= 225


@pytest.mark.parametrize("call", declared("s3."), ids=lambda call: call.name)
def test_every_call_to_a_store_has_a_permission(call: CallSpec) -> None:
    found = {one.permission for one in meant(call, TYPES)}
    assert "" not in found or call.service == "probe"
    assert found


def test_calls_of_one_name_say_the_same_wherever_they_are_declared() -> None:
    """Which of the declarations is read would else be a matter of chance."""
    by_name: dict[str, set[tuple[object, ...]]] = {}
    for call in (*declared("openstack."), *declared("s3.")):
        said = (call.service, call.request, call.per, call.also, call.vantage, call.permission, call.ceph)
        by_name.setdefault(call.name, set()).add(said)
    assert {name: said for name, said in by_name.items() if len(said) > 1} == {}


def test_the_policy_of_a_quick_check() -> None:
    made = files(rights(needs("ci-quick")), "ci-quick")
    assert set(made) == {RULES, POLICY, CEPH_POLICY, USER_POLICY, CAPS, README}
    assert json.loads(made[POLICY]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "CloudauditDocCauHinh",
                "Effect": "Allow",
                "Principal": {"AWS": ["arn:aws:iam::TAI-KHOAN:user/KIEM-TOAN"]},
                "Action": [
                    "s3:GetBucketAcl",
                    "s3:GetBucketLocation",
                    "s3:GetBucketPolicy",
                    "s3:GetBucketPublicAccessBlock",
                    "s3:GetBucketTagging",
                    "s3:ListBucket",
                ],
                "Resource": ["arn:aws:s3:::TEN-BUCKET"],
            }
        ],
    }
    assert json.loads(made[RULES]) == list(rights(needs("ci-quick")).rules)


def test_ceph_is_asked_for_rights_by_its_own_names() -> None:
    """One name that it does not know, and it refuses the policy."""
    found = rights(needs("ndc-connection"))
    assert set(found.actions) - set(found.ceph) == {
        "s3:GetEncryptionConfiguration",
        "s3:GetBucketOwnershipControls",
    }
    assert set(found.ceph) - set(found.actions) == {"s3:GetBucketEncryption"}
    text = files(found, "x")[CEPH_POLICY]
    assert "GetEncryptionConfiguration" not in text
    assert ACCOUNT_WIDE not in text


def test_rights_follow_the_targets(bed: Bed) -> None:
    found = rights(needs("ci-quick"), [bed.subject(buckets=", buckets: [kho, nhat-ky]")])
    assert found.buckets == ("kho", "nhat-ky")
    made = files(found, "ci-quick")
    (listing, reading) = json.loads(made[USER_POLICY])["Statement"]
    assert listing["Action"] == [ACCOUNT_WIDE]
    assert reading["Resource"] == ["arn:aws:s3:::kho", "arn:aws:s3:::nhat-ky"]
    assert "for b in kho nhat-ky; do" in made[README]


def test_only_lists_for_administrators_take_a_role_on_the_system() -> None:
    marker = "--system all reader"
    assert marker in files(rights(needs("ndc-connection")), "ndc-connection")[README]
    assert marker not in files(rights(needs("ci-quick")), "ci-quick")[README]


def test_admin_caps_are_given_for_admin_calls_alone() -> None:
    assert "không cấp quyền" in caps_line(())
    assert caps_line(("buckets=read", "users=read")) == (
        'radosgw-admin caps add --uid=KIEM-TOAN --caps="buckets=read; users=read"\n'
    )
    every = needs("ci-quick")
    admin = CallSpec("rgw.bucket", "s3", "GET /admin/bucket", permission="caps:buckets=read", per="target")
    one = TYPES["s3.bucket"]
    types = {
        **TYPES,
        "s3.bucket": type(one)(one.name, one.title, False, "s3", one.facts, {admin.name: admin, **one.calls}),
    }
    plan = type(every.plan)(every.plan.facts, {**every.plan.calls, admin.name: admin})
    assert [each.call.name for each in of_s3(Needs(types, plan, every.by_control))].count("rgw.bucket") == 1
    found = rights(Needs(types, plan, every.by_control))
    assert found.caps == ("buckets=read",)
    assert not [action for action in (*found.actions, *found.ceph) if "caps" in action]


def test_a_profile_that_asks_nothing_takes_no_rights() -> None:
    with pytest.raises(CloudauditError, match="takes no rights"):
        files(Rights((), (), (), (), system=False), "trong")
