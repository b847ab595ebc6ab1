"""Who is asked with which token: projects, regions, the system, and the operator's one look at all."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from fake_openstack import (
    AT,
    BANK,
    IN_BANK,
    IN_SHOP,
    PASSWORD,
    REGION,
    SHOP,
    TARGET,
    FakeOpenStack,
    Reply,
    Request,
    collect,
    collector,
    listed,
    project_row,
    target,
)
from openstack_answers import (
    ACCESS_RULE,
    ADDRESS_GROUP,
    ADMIN,
    BGPVPN,
    DNS_ZONE,
    EMPTY,
    GROUP,
    IMAGE,
    NETWORK,
    POOL,
    PORT,
    RULE,
    SERVER,
    SHARE,
    SHARE_BACKUP,
    SHARE_REPLICA,
    SHARED_IMAGE,
    TRANSFER,
    USER,
    VOLUME,
    offset_list,
    small_cloud,
)

from cloudaudit.catalog import load_types
from cloudaudit.collectors.openstack import (
    OPERATOR,
    TENANT,
    OpenStackCollector,
    dns,
    key_manager,
    load_balancer,
    placement,
)
from cloudaudit.collectors.openstack.catalogue import api_root
from cloudaudit.collectors.transport import CallLog, ForbiddenVerb
from cloudaudit.errors import TargetError
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope

TYPES = load_types()
CALLS = frozenset(call for name in OpenStackCollector.types for call in TYPES[name].calls)
VOLUMES = f"/volume/v3/{SHOP}/volumes/detail"
TOKENS = "/identity/v3/auth/tokens"


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenStack]:
    fake = small_cloud()
    with fake.running():
        fake.configure(tmp_path, monkeypatch)
        yield fake


def scopes(**fields: Any) -> list[Scope]:
    return list(collector(**fields).scopes(CallLog()))


# --- scopes ----------------------------------------------------------------------------------------------


def test_scopes_are_the_target_its_regions_and_their_projects(cloud: FakeOpenStack) -> None:
    cloud.regions = ["vn-hn-1", "vn-hcm-1"]
    assert scopes() == [
        Scope("hn"),
        Scope("hn", "vn-hcm-1"),
        Scope("hn", "vn-hcm-1", SHOP),
        Scope("hn", "vn-hcm-1", BANK),
        Scope("hn", "vn-hn-1"),
        Scope("hn", "vn-hn-1", SHOP),
        Scope("hn", "vn-hn-1", BANK),
    ]


def test_projects_are_named_or_given_by_id(cloud: FakeOpenStack) -> None:
    assert scopes(projects=("bank",)) == [TARGET, REGION, IN_BANK]
    assert scopes(projects=(SHOP,), regions=("vn-hn-1",)) == [TARGET, REGION, IN_SHOP]


def test_a_project_that_cannot_be_found_is_a_gap(cloud: FakeOpenStack) -> None:
    lost = Scope("hn", "vn-hn-1", "shpo")
    assert scopes(projects=("shpo",)) == [TARGET, REGION, lost]
    taken = collect(lost, "nova.servers", projects=("shpo",))
    (gap,) = taken.gaps()
    assert (gap.reason, gap.detail) == (
        Reason.NO_PERMISSION,
        "the credential cannot see a project 'shpo'; did you mean 'shop'?",
    )
    taken = collect(TARGET, "keystone.auth_projects", projects=("shpo", "bank"))
    assert [r.id for r in taken.resources("openstack.project")] == [BANK]
    assert [(g.scope, g.reason) for g in taken.gaps()] == [
        (Scope("hn", project="shpo"), Reason.NO_PERMISSION)
    ]


def test_a_name_of_two_projects_is_ambiguous(cloud: FakeOpenStack) -> None:
    cloud.projects["another"] = "shop"
    (gap,) = collect(Scope("hn", "vn-hn-1", "shop"), "nova.servers", projects=("shop",)).gaps()
    assert (gap.reason, gap.detail) == (
        Reason.AMBIGUOUS,
        "2 projects are called 'shop'; name it by its id",
    )


def test_a_region_that_is_not_in_the_catalogue_is_a_gap(cloud: FakeOpenStack) -> None:
    for scope in (Scope("hn", "vn-hn-l"), Scope("hn", "vn-hn-l", SHOP)):
        (gap,) = collect(scope, "nova.servers", "nova.availability_zones", regions=("vn-hn-l",)).gaps()
        assert (gap.reason, gap.detail) == (
            Reason.SERVICE_ABSENT,
            "region 'vn-hn-l' is not in the catalogue of project shop (it names vn-hn-1); did you mean 'vn-hn-1'?",
        )


def test_a_region_only_one_project_knows_is_a_gap(cloud: FakeOpenStack) -> None:
    original = cloud.catalogue
    cloud.catalogue = lambda project: [  # type: ignore[method-assign]
        {**s, "endpoints": [*s["endpoints"], *([{**s["endpoints"][0], "id": "x", "region": "vn-dn-1", "region_id": "vn-dn-1"}] if project == BANK else [])]}
        for s in original(project)
    ]  # fmt: skip
    taken = collect(IN_BANK, "nova.servers")
    assert [(g.scope, g.type, g.reason) for g in taken.gaps()] == [
        (Scope("hn", "vn-dn-1", BANK), "openstack.server", Reason.PARTIAL)
    ]
    assert collect(IN_SHOP, "nova.servers").gaps() == []


def test_two_regions_with_one_endpoint_give_one_identity(cloud: FakeOpenStack) -> None:
    """Both scopes yield the thing with the same endpoint: merging shows that its region is ambiguous."""
    cloud.regions = ["vn-hn-1", "vn-hcm-1"]
    here = collect(IN_SHOP, "cinder.volumes").one("openstack.volume")
    there = collect(Scope("hn", "vn-hcm-1", SHOP), "cinder.volumes").one("openstack.volume")
    assert (here.endpoint, here.id) == (there.endpoint, there.id) == (f"{cloud.url}/volume/v3", "vol-1")
    assert (here.scope.region, there.scope.region) == ("vn-hn-1", "vn-hcm-1")


def test_a_service_that_no_catalogue_lists_has_nothing(cloud: FakeOpenStack) -> None:
    del cloud.paths["sharev2"]
    taken = collect(IN_SHOP, "manila.shares", "manila.share_backups")
    proof = "service type shared-file-system is not in the catalogue of project shop in region vn-hn-1"
    assert [(s.type, s.count, s.proof) for s in taken.listings()] == [
        ("openstack.share_backup", 0, proof),
        ("openstack.share", 0, proof),
    ]
    assert taken.gaps() == []
    assert {taken.request(s.call) for s in taken.listings()} == {"POST /identity/v3/auth/tokens"}


@pytest.mark.parametrize(
    ("catalogue", "reason", "detail"),
    [
        ([], Reason.SERVICE_ABSENT, "region 'vn-hn-1' is not in the catalogue of project shop (it names none)"),
        ([{"type": "compute", "endpoints": [{"id": 7}]}, {"type": "image", "name": "g", "endpoints": [{"id": "e", "interface": "public", "region_id": "vn-hn-1", "url": "http://x"}]}], Reason.PARTIAL, "part of the catalogue of project shop cannot be understood"),
        ([{"type": "compute", "name": "n", "endpoints": [{"id": "e", "interface": "internal", "region_id": "vn-hn-1", "url": "http://x"}]}], Reason.SERVICE_ABSENT, "compute has no public endpoint in region vn-hn-1 (it has internal)"),
        ([{"type": "compute", "name": "n", "endpoints": [{"id": "e", "interface": "public", "region_id": "vn-hn-1", "url": "ftp://x"}]}], Reason.INVALID_ANSWER, "the catalogue's address of compute is none a client can use"),
        ([{"type": "compute", "name": "n", "endpoints": [{"id": "e", "interface": "public", "region_id": "vn-hn-1", "url": "http://u:p@x"}]}], Reason.INVALID_ANSWER, "the catalogue's address of compute is none a client can use"),
    ],
)  # fmt: skip
def test_a_catalogue_that_does_not_help_is_a_gap(
    cloud: FakeOpenStack, catalogue: list[Any], reason: Reason, detail: str
) -> None:
    cloud.catalogue = lambda project: catalogue  # type: ignore[method-assign]
    (gap,) = collect(IN_SHOP, "nova.servers").gaps()
    assert (gap.reason, gap.detail) == (reason, detail)


def test_an_empty_catalogue_has_no_regions_and_proves_nothing(cloud: FakeOpenStack) -> None:
    cloud.paths = {}
    assert scopes() == [TARGET]
    taken = collect(TARGET, "nova.servers", "keystone.catalog")
    assert [(g.type, g.reason) for g in taken.gaps()] == [
        ("openstack.service", Reason.INVALID_ANSWER),
        ("openstack.endpoint", Reason.INVALID_ANSWER),
        ("openstack.server", Reason.PARTIAL),
    ]


# --- tokens ----------------------------------------------------------------------------------------------


def tokens_used(cloud: FakeOpenStack, part: str) -> set[str]:
    return {r.token for r in cloud.requests if part in r.path}


def test_each_project_is_asked_with_its_own_token(cloud: FakeOpenStack) -> None:
    collect(IN_SHOP, "nova.servers")
    collect(IN_BANK, "nova.servers")
    assert tokens_used(cloud, "/servers/") == {f"token-{SHOP}", f"token-{BANK}"}
    assert not [p for p in cloud.paths_asked() if "all_tenants" in p]


def test_a_system_reader_reads_keystone_and_nothing_else(cloud: FakeOpenStack) -> None:
    cloud.system_roles = ["reader"]
    for project in (None, SHOP, BANK):
        for path in ("users", "role_assignments"):
            cloud.answer(f"/identity/v3/{path}", status=403, project=project)
    cloud.answer("/identity/v3/users", listed("users", [USER]), project="system")
    taken = collect(TARGET, "keystone.users", "keystone.federated_users")
    assert [u.id for u in taken.resources("openstack.user")] == ["u-an"]
    for scope in (REGION, IN_SHOP):
        collect(scope, *CALLS)
    for part in (
        "/compute/",
        "/volume/",
        "/network/",
        "/image/",
        "/object/",
        "/share/",
        "/load-balancer/",
        "/dns/",
        "/placement/",
    ):
        assert tokens_used(cloud, part) <= {f"token-{SHOP}", f"token-{BANK}"}
    assert tokens_used(cloud, "/users") == {"token-system"}


def test_without_a_system_role_the_project_token_is_refused(cloud: FakeOpenStack) -> None:
    cloud.answer("/identity/v3/users", status=403)
    cloud.answer("/identity/v3/role_assignments", status=403)
    cloud.answer("/identity/v3/groups", status=403)
    taken = collect(TARGET, "keystone.users", "keystone.role_assignments", "keystone.group_users")
    assert [(g.type, g.reason) for g in taken.gaps()] == [
        ("openstack.user", Reason.NO_PERMISSION),
        ("openstack.role_assignment", Reason.NO_PERMISSION),
        ("openstack.group_member", Reason.NO_PERMISSION),
    ]


def test_a_system_scoped_entry_gets_projects_of_its_own(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.system_roles = ["reader"]
    cloud.configure(
        tmp_path, monkeypatch,
        auth_url=f"{cloud.url}/identity/v3", username="audit", password=PASSWORD,
        user_domain_name="Default", system_scope="all",
    )  # fmt: skip
    assert scopes() == [TARGET, REGION, IN_SHOP, IN_BANK]
    assert [v.id for v in collect(IN_SHOP, "cinder.volumes").resources("openstack.volume")] == ["vol-1"]


def test_an_application_credential_sees_its_own_project_only(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.configure(
        tmp_path, monkeypatch, "v3applicationcredential",
        auth_url=f"{cloud.url}/identity/v3", application_credential_id=SHOP, application_credential_secret="s",
    )  # fmt: skip
    assert len(collect(IN_SHOP, "cinder.volumes").resources("openstack.volume")) == 1
    (gap,) = collect(IN_BANK, "cinder.volumes").gaps()
    assert (gap.scope, gap.reason, gap.detail) == (
        IN_BANK,
        Reason.NO_PERMISSION,
        "a credential of the kind v3applicationcredential works in its own scope only",
    )


def test_projects_that_cannot_be_listed_leave_a_doubt(cloud: FakeOpenStack) -> None:
    """As with an application credential whose access rules name other services only."""
    cloud.answer("/identity/v3/auth/projects", status=401)
    assert scopes() == [TARGET, REGION, IN_SHOP]
    taken = collect(TARGET, "nova.servers", "keystone.auth_projects")
    assert [(g.type, g.reason, g.detail) for g in taken.gaps()] == [
        ("openstack.project", Reason.NO_PERMISSION, "HTTP 401 from GET /identity/v3/auth/projects"),
        (
            "openstack.server",
            Reason.NO_PERMISSION,
            "there may be more projects than were audited: HTTP 401 from GET /identity/v3/auth/projects",
        ),
    ]
    assert collect(TARGET, "nova.servers", projects=("shop",)).gaps() == []


def test_call_numbers_are_right_in_logs_of_their_own(cloud: FakeOpenStack) -> None:
    """Scopes may each have a log: what several stand on is found in every one that refers to it."""
    del cloud.paths["sharev2"]
    reader = collector()
    logs = [CallLog(), CallLog(), CallLog()]
    list(reader.scopes(logs[0]))
    for scope, log in ((IN_SHOP, logs[1]), (IN_BANK, logs[2])):
        (listing,) = reader.collect(scope, frozenset({"manila.shares"}), log)
        assert isinstance(listing, Listing)
        assert listing.call is not None
        call = log.calls[listing.call]
        assert (call.number, call.request) == (listing.call, "POST /identity/v3/auth/tokens")
    assert [c.request for c in logs[0].calls] == [
        "POST /identity/v3/auth/tokens",
        "GET /identity/v3/auth/projects",
    ]
    for log in logs:
        assert [c.number for c in log.calls] == list(range(len(log.calls)))


def test_neutron_may_show_a_strange_role_nothing(cloud: FakeOpenStack) -> None:
    """It filters lists by policy and answers 200: only what was seen proves that the token sees."""
    cloud.roles[SHOP] = ["swift_auditor"]
    calls = ("neutron.networks", "neutron.ports", "cinder.volumes")
    assert len(collect(IN_SHOP, *calls).listings()) == 3
    cloud.answer(
        "/network/v2.0/networks",
        {"networks": [{**NETWORK, "project_id": ADMIN, "shared": True}]},
        project=SHOP,
    )
    taken = collect(IN_SHOP, *calls)
    assert [listing.type for listing in taken.listings()] == ["openstack.volume", "openstack.port"]
    assert [(g.type, g.reason, g.detail) for g in taken.gaps()] == [
        (
            "openstack.network",
            Reason.PARTIAL,
            "no evidence of sight: network leaves out what a role may not see, and the roles of the token"
            " (swift_auditor) are none of _member_, admin, member, reader",
        )
    ]


def test_a_reader_cannot_conclude_that_there_is_no_vpn(cloud: FakeOpenStack) -> None:
    cloud.answer("/network/v2.0/vpn/ipsec-site-connections", {"ipsec_site_connections": []}, project=SHOP)
    calls = TYPES["openstack.vpn_connection"].calls
    assert [g.reason for g in collect(IN_SHOP, *calls).gaps()] == [Reason.PARTIAL]
    cloud.roles[SHOP] = ["member", "reader"]
    assert [listing.count for listing in collect(IN_SHOP, *calls).listings("openstack.vpn_connection")] == [0]


def test_nor_can_one_who_is_shown_other_lists_of_all_projects(cloud: FakeOpenStack) -> None:
    """Neutron filters every list by a policy of its own."""
    nets = [NETWORK, {**NETWORK, "id": "net-bank", "project_id": BANK, "tenant_id": BANK}]
    cloud.answer("/network/v2.0/networks", {"networks": nets}, project=SHOP)
    cloud.answer("/network/v2.0/vpn/ipsec-site-connections", {"ipsec_site_connections": []}, project=SHOP)
    calls = ("neutron.networks", *TYPES["openstack.vpn_connection"].calls)
    taken = collect(REGION, *calls, vantage=OPERATOR)
    assert [(g.type, g.reason) for g in taken.gaps()] == [("openstack.vpn_connection", Reason.PARTIAL)]
    assert taken.listings("openstack.vpn_connection") == []
    assert [listing.count for listing in taken.listings("openstack.network")] == [2]
    cloud.roles[SHOP] = ["admin"]
    assert collect(REGION, *calls, vantage=OPERATOR).gaps() == []


@pytest.mark.parametrize("vantage", [TENANT, OPERATOR])
def test_a_project_without_a_usable_id_may_be_one_that_was_not_audited(
    cloud: FakeOpenStack, vantage: str
) -> None:
    rows = listed("projects", [project_row(SHOP, "shop"), {"name": "bank", "domain_id": "default"}])
    for path in ("auth/projects", "projects"):
        cloud.answer(f"/identity/v3/{path}", rows)
    cloud.system_roles = ["reader"]
    assert IN_BANK not in scopes(vantage=vantage)
    taken = collect(TARGET, "swift.containers", vantage=vantage)
    assert [(g.type, g.reason, g.detail) for g in taken.gaps()] == [
        (
            "openstack.container",
            Reason.INVALID_ANSWER,
            "there may be more projects than were audited: 1 of 2 projects have no usable id",
        )
    ]


@pytest.mark.parametrize("name", [5, None, ["bank"]])
def test_a_project_with_an_odd_name_is_audited(cloud: FakeOpenStack, name: Any) -> None:
    rows = listed("projects", [project_row(SHOP, "shop"), project_row(BANK, name)])
    cloud.answer("/identity/v3/auth/projects", rows)
    assert IN_BANK in scopes()


def test_many_threads_share_one_limit_and_one_set_of_tokens(cloud: FakeOpenStack) -> None:
    cloud.delay = 0.005
    names = [f"kho-{n:02}" for n in range(20)]
    cloud.answer(f"/object/v1/AUTH_{SHOP}?format=json", [{"name": name} for name in names])
    cloud.answer(f"/object/v1/AUTH_{SHOP}?format=json&marker={names[-1]}", [])
    for name in names:
        cloud.answer(f"/object/v1/AUTH_{SHOP}/{name}", status=204, headers=EMPTY)
    reader = collector(max_in_flight=3)
    log = CallLog()
    with ThreadPoolExecutor(8) as pool:
        parts = list(
            pool.map(
                lambda scope: list(reader.collect(scope, CALLS, log)), [TARGET, REGION, IN_SHOP, IN_BANK] * 2
            )
        )
    assert cloud.peak == 3
    assert len(cloud.paths_asked("POST")) == 3, "shop's, bank's, and the one for the system, refused"
    assert [c.number for c in log.calls] == list(range(len(log.calls)))
    assert len(log.calls) == len(cloud.requests)
    heads = [
        r.name for seen in parts for r in seen if isinstance(r, Resource) and r.type == "openstack.container"
    ]
    assert heads == names * 2


# --- no way in -------------------------------------------------------------------------------------------


def log_in(
    cloud: FakeOpenStack,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    auth_url: str,
    auth_type: str = "v3password",
) -> None:
    """Write the usual entry of clouds.yaml with another auth_url."""
    cloud.configure(
        folder, monkeypatch, auth_type, auth_url=auth_url, username="audit", password=PASSWORD,
        user_domain_name="Default", project_name="shop", project_domain_name="Default",
    )  # fmt: skip


def everything(**fields: Any) -> dict[Scope, list[Any]]:
    reader = collector(**fields)
    return {scope: list(reader.collect(scope, CALLS, CallLog())) for scope in reader.scopes(CallLog())}


def assert_all_gaps(found: dict[Scope, list[Any]], reason: Reason, detail: str) -> None:
    for seen in found.values():
        assert {(type(s), s.reason, s.detail) for s in seen} == {(Gap, reason, detail)}
    assert {gap.type for gap in found[TARGET]} == OpenStackCollector.types


def test_a_wrong_password_is_a_gap_everywhere(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.configure(
        tmp_path, monkeypatch,
        auth_url=f"{cloud.url}/identity/v3", username="audit", password="wrong",
        user_domain_name="Default", project_name="shop", project_domain_name="Default",
    )  # fmt: skip
    found = everything(regions=("vn-hn-1",), projects=("shop",))
    assert list(found) == [TARGET, REGION, Scope("hn", "vn-hn-1", "shop")]
    assert_all_gaps(
        found,
        Reason.NO_PERMISSION,
        "HTTP 401 to the token request; check user, password and domain of the clouds.yaml entry, then its roles there",
    )
    assert cloud.paths_asked("POST") == ["/identity/v3/auth/tokens"]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_an_unreachable_keystone_is_a_gap_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeOpenStack()
    port = free_port()
    fake.url = f"http://127.0.0.1:{port}"
    fake.configure(tmp_path, monkeypatch)
    pauses: list[float] = []
    found = everything(pauses=pauses)
    assert_all_gaps(found, Reason.UNREACHABLE, f"connection refused: 127.0.0.1:{port}")
    assert len(pauses) == 3


def test_an_unreachable_service_is_a_gap_after_some_tries(cloud: FakeOpenStack) -> None:
    port = free_port()
    original = cloud.catalogue
    cloud.catalogue = lambda project: json.loads(  # type: ignore[method-assign]
        json.dumps(original(project)).replace(f"{cloud.url}/compute", f"http://127.0.0.1:{port}/compute")
    )
    pauses: list[float] = []
    taken = collect(IN_SHOP, "nova.servers", "cinder.volumes", pauses=pauses)
    assert [(g.type, g.reason, g.detail) for g in taken.gaps()] == [
        (
            "openstack.server",
            Reason.UNREACHABLE,
            f"GET /compute/v2.1/servers/detail?limit=1000: connection refused: 127.0.0.1:{port}",
        )
    ]
    assert [listing.type for listing in taken.listings()] == ["openstack.volume"]
    assert len(pauses) == 6, "three for the version document, three for the list"
    gap = taken.gaps()[0]
    assert gap.call is not None
    assert taken.log.calls[gap.call].status == 0


def test_a_private_authority_has_to_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority.make(tmp_path)
    fake = small_cloud()
    fake.tls = authority.server("127.0.0.1")
    with fake.running():
        fake.configure(tmp_path, monkeypatch)
        place = fake.url.removeprefix("https://")
        assert_all_gaps(
            everything(), Reason.UNREACHABLE, f"certificate verify failed for {place}; give ca_file"
        )
        taken = collect(IN_SHOP, "cinder.volumes", ca_file=str(authority.path))
        assert len(taken.resources("openstack.volume")) == 1
    fake.tls = authority.server("other.example.test")
    with fake.running():
        fake.configure(tmp_path, monkeypatch)
        place = fake.url.removeprefix("https://")
        found = everything(ca_file=str(authority.path))
        assert_all_gaps(found, Reason.UNREACHABLE, f"the certificate of {place} is for another host")


@pytest.mark.parametrize(
    "answer",
    [
        Reply(b"<html>"),
        Reply({}),
        Reply({"token": []}, 201, {"X-Subject-Token": "x"}),
        Reply({"token": {}}, 201),
        Reply(None, 201),
    ],
)
def test_a_token_that_cannot_be_understood_is_a_gap(cloud: FakeOpenStack, answer: Reply) -> None:
    cloud.answers[TOKENS, None] = answer
    place = cloud.url.removeprefix("http://")
    for scope, seen in everything().items():
        assert {s.reason for s in seen} == {Reason.INVALID_ANSWER}, scope
        (detail,) = {s.detail for s in seen}
        assert detail.startswith(f"no token could be had from {place} ("), scope
    assert cloud.paths_asked("POST") == [TOKENS]


def test_the_host_that_gave_no_token_is_told_without_its_user(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = cloud.url.removeprefix("http://")
    log_in(cloud, tmp_path, monkeypatch, f"http://PLANTED-user:PLANTED-word@{place}/identity/v3")
    cloud.answers[TOKENS, None] = Reply(b"<html>")
    assert_all_gaps(
        everything(), Reason.INVALID_ANSWER, f"no token could be had from {place} (InvalidResponse)"
    )


def test_a_host_is_told_in_harmless_signs(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(cloud, tmp_path, monkeypatch, "http://cloud\u202e.test/identity/v3")
    for seen in everything().values():
        (detail,) = {s.detail for s in seen}
        assert "cloud\ufffd.test" in detail


def test_the_host_that_gave_no_new_token_is_keystones(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = cloud.url.replace("http://127.0.0.1", "localhost")
    log_in(cloud, tmp_path, monkeypatch, f"http://{place}/identity/v3")

    def expired(request: Request) -> Reply:
        cloud.answers[TOKENS, None] = Reply(b"<html>")
        return Reply(status=401)

    cloud.call(VOLUMES, expired)
    (gap,) = collect(IN_SHOP, "cinder.volumes").gaps()
    assert (gap.reason, gap.detail) == (
        Reason.INVALID_ANSWER,
        f"GET {VOLUMES}?limit=1000: no token could be had from {place} (InvalidResponse)",
    )


# --- a busy Keystone -------------------------------------------------------------------------------------


def busy(cloud: FakeOpenStack, path: str, times: int, reply: Reply) -> None:
    """Let a path be answered like this so many times, and then as it is now."""
    usual = cloud.answers.pop((path, None), None)
    left = [times]

    def answer(request: Request) -> Reply:
        left[0] -= 1
        if left[0] == 0:
            del cloud.answers[path, None]
            if usual is not None:
                cloud.answers[path, None] = usual
        return reply

    cloud.call(path, answer)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_keystone_is_asked_for_a_token_again(cloud: FakeOpenStack, status: int) -> None:
    pauses: list[float] = []
    busy(cloud, TOKENS, 2, Reply(status=status, headers={"Retry-After": "7"}))
    taken = collect(IN_SHOP, "cinder.volumes", pauses=pauses)
    assert [v.id for v in taken.resources("openstack.volume")] == ["vol-1"]
    assert taken.gaps() == []
    assert len(pauses) == 2
    assert all(7 <= pause <= 7 * 1.25 for pause in pauses)
    statuses = [c.status for c in taken.log.calls if c.request == f"POST {TOKENS}"]
    assert sorted(statuses) == [201, status, status]


def test_asking_for_a_token_has_an_end(cloud: FakeOpenStack) -> None:
    pauses: list[float] = []
    cloud.answers[TOKENS, None] = Reply(status=429)
    assert_all_gaps(everything(pauses=pauses), Reason.THROTTLED, "HTTP 429 to the token request")
    assert len(cloud.paths_asked("POST")) == 4
    assert [0.25 <= pauses[0] < 0.32, 0.5 <= pauses[1] < 0.63, 1.0 <= pauses[2] < 1.26] == [True] * 3


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("after", "seconds"), [("3600", 3600), ("Sun, 22 Nov 2026 03:48:40 GMT", 120)])
def test_a_keystone_that_wants_to_be_left_alone_for_long_is(
    cloud: FakeOpenStack, status: int, after: str, seconds: int
) -> None:
    pauses: list[float] = []
    cloud.answers[TOKENS, None] = Reply(status=status, headers={"Retry-After": after})
    detail = f"HTTP {status} to the token request; the service asks to wait {seconds} s"
    assert_all_gaps(everything(pauses=pauses), Reason.THROTTLED, detail)
    assert (cloud.paths_asked("POST"), pauses) == ([TOKENS], [])


def test_no_pause_before_a_token_outlasts_the_deadline(cloud: FakeOpenStack) -> None:
    pauses: list[float] = []
    cloud.answers[TOKENS, None] = Reply(status=429, headers={"Retry-After": "25"})
    found = everything(pauses=pauses, deadline=20)
    assert_all_gaps(found, Reason.THROTTLED, "HTTP 429 to the token request")
    assert (cloud.paths_asked("POST"), pauses) == ([TOKENS], [])


def test_other_failures_of_keystone_are_not_repeated(cloud: FakeOpenStack) -> None:
    cloud.answers[TOKENS, None] = Reply(status=500)
    assert_all_gaps(everything(), Reason.INVALID_ANSWER, "HTTP 500 to the token request")
    assert cloud.paths_asked("POST") == [TOKENS]


def test_after_an_interruption_no_token_is_asked_for(cloud: FakeOpenStack) -> None:
    stop = threading.Event()
    stop.set()
    reader = OpenStackCollector(target(), now=lambda: AT, cancelled=stop)
    (gap,) = reader.collect(IN_SHOP, frozenset({"cinder.volumes"}), CallLog())
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.detail) == (Reason.PARTIAL, f"interrupted before POST {TOKENS}")
    assert cloud.requests == []


def test_a_token_that_ran_out_is_renewed_by_a_busy_keystone(cloud: FakeOpenStack) -> None:
    pauses: list[float] = []
    volumes = cloud.answers[VOLUMES, None]

    def expired(request: Request) -> Reply:
        cloud.answers[VOLUMES, None] = volumes
        busy(cloud, TOKENS, 1, Reply(status=503, headers={"Retry-After": "7"}))
        return Reply(status=401)

    cloud.call(VOLUMES, expired)
    taken = collect(IN_SHOP, "cinder.volumes", pauses=pauses)
    assert [v.id for v in taken.resources("openstack.volume")] == ["vol-1"]
    assert [7 <= pause <= 7 * 1.25 for pause in pauses] == [True]


@pytest.mark.parametrize(("after", "pauses_expected"), [("7", 1), ("3600", 0)])
def test_a_keystone_too_busy_to_tell_its_versions_is_asked_again(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str, pauses_expected: int
) -> None:
    """The generic plug-in looks for Keystone's versions before it asks for a token."""
    links = [{"rel": "self", "href": f"{cloud.url}/identity/v3/"}]
    versions = {"values": [{"id": "v3.14", "status": "stable", "links": links}]}
    cloud.answer("/identity", {"versions": versions}, status=300)
    busy(cloud, "/identity", 1, Reply(status=503, headers={"Retry-After": after}))
    log_in(cloud, tmp_path, monkeypatch, f"{cloud.url}/identity", "password")
    pauses: list[float] = []
    taken = collect(IN_SHOP, "cinder.volumes", pauses=pauses)
    assert len(pauses) == pauses_expected
    if pauses:
        assert taken.gaps() == []
    else:
        (gap,) = taken.gaps()
        assert (gap.reason, gap.detail.endswith("; the service asks to wait 3600 s")) == (
            Reason.THROTTLED, True,
        )  # fmt: skip


# --- nothing but reading leaves ----------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["PUT", "POST", "DELETE", "PATCH", "OPTIONS", "post"])
def test_no_other_verb_can_be_sent(cloud: FakeOpenStack, verb: str) -> None:
    reader = collector()
    list(reader.scopes(CallLog()))
    asked = len(cloud.requests)
    session = reader._opened().client.session
    with pytest.raises(ForbiddenVerb):
        session.request(f"{cloud.url}{VOLUMES}", verb)
    with pytest.raises(ForbiddenVerb):
        session.session.request(verb, f"{cloud.url}{VOLUMES}")
    assert len(cloud.requests) == asked


def test_an_interrupted_collection_leaves_gaps(cloud: FakeOpenStack) -> None:
    stop = threading.Event()
    reader = OpenStackCollector(target(), now=lambda: AT, cancelled=stop)
    list(reader.scopes(CallLog()))
    stop.set()
    asked = len(cloud.requests)
    seen = list(reader.collect(IN_SHOP, frozenset({"nova.servers", "swift.containers"}), CallLog()))
    assert [(type(s), s.type, s.reason) for s in seen if isinstance(s, Gap)] == [
        (Gap, "openstack.server", Reason.PARTIAL), (Gap, "openstack.container", Reason.PARTIAL),
    ]  # fmt: skip
    assert len(cloud.requests) == asked


def test_federated_plug_ins_may_post_to_the_provider_they_name(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    federation = "/identity/v3/OS-FEDERATION/identity_providers/so/protocols/openid/auth"
    auth = {
        "auth_url": f"{cloud.url}/identity/v3", "identity_provider": "so", "protocol": "openid", "client_id": "c",
        "client_secret": "s", "username": "audit", "password": PASSWORD, "project_id": SHOP,
        "access_token_endpoint": f"{cloud.url}/idp/token",
    }  # fmt: skip
    cloud.answer("/idp/token", {"access_token": "t"})
    token = {
        "methods": ["openid"],
        "issued_at": "2026-11-22T03:46:40Z",
        "expires_at": "2099-01-01T00:00:00Z",
        "user": {"id": "u"},
    }
    cloud.answer(federation, {"token": token}, 201, {"X-Subject-Token": "token-unscoped"})
    cloud.configure(tmp_path, monkeypatch, "v3oidcpassword", **auth)
    assert len(collect(IN_SHOP, "cinder.volumes").resources("openstack.volume")) == 1
    assert set(cloud.paths_asked("POST")) == {"/idp/token", federation, "/identity/v3/auth/tokens"}
    # Where the address of the provider is only discovered, it is nobody's who wrote clouds.yaml.
    del auth["access_token_endpoint"]
    cloud.answer("/idp/about", {"token_endpoint": f"{cloud.url}/idp/elsewhere"})
    cloud.configure(
        tmp_path, monkeypatch, "v3oidcpassword", **auth, discovery_endpoint=f"{cloud.url}/idp/about"
    )
    (gap,) = collect(IN_SHOP, "cinder.volumes").gaps()
    assert (gap.reason, "access_token_endpoint" in gap.detail) == (Reason.INVALID_ANSWER, True)
    assert "/idp/elsewhere" not in cloud.paths_asked("POST")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(cloud: FakeOpenStack, status: int) -> None:
    other = FakeOpenStack()
    with other.running():
        cloud.answer(VOLUMES, status=status, headers={"Location": f"{other.url}/steal"})
        (gap,) = collect(IN_SHOP, "cinder.volumes").gaps()
        assert (gap.reason, gap.detail) == (
            Reason.INVALID_ANSWER,
            f"HTTP {status} from GET {VOLUMES}?limit=1000",
        )
        cloud.answer("/identity/v3/auth/tokens", status=status, headers={"Location": f"{other.url}/steal"})
        assert {s.reason for s in everything()[TARGET]} == {Reason.INVALID_ANSWER}
    assert other.requests == []


def test_a_version_document_cannot_lure_the_password_away(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The generic plug-in posts to the place Keystone's version document names."""
    other = FakeOpenStack()
    auth = {
        "auth_url": f"{cloud.url}/identity", "username": "audit", "password": PASSWORD,
        "user_domain_name": "Default", "project_name": "shop", "project_domain_name": "Default",
    }  # fmt: skip
    taken = {}
    with other.running():
        for place in (f"{cloud.url}/identity", f"{other.url}/identity", f"{cloud.url}/steal"):
            links = [{"rel": "self", "href": f"{place}/v3/"}]
            versions = {"values": [{"id": "v3.14", "status": "stable", "links": links}]}
            cloud.answer("/identity", {"versions": versions}, status=300)
            cloud.configure(tmp_path, monkeypatch, "password", **auth)
            taken[place] = collect(IN_SHOP, "cinder.volumes")
    good, elsewhere, lured = taken.values()
    # The library keeps to the configured host by itself; to the path we hold it.
    assert len(good.resources("openstack.volume")) == len(elsewhere.resources("openstack.volume")) == 1
    (gap,) = lured.gaps()
    assert gap.reason is Reason.INVALID_ANSWER
    assert "write auth_type: v3password" in gap.detail
    assert other.requests == []
    assert set(cloud.paths_asked("POST")) == {"/identity/v3/auth/tokens"}


# --- clouds.yaml -----------------------------------------------------------------------------------------


def test_a_missing_entry_is_an_error_with_a_suggestion(cloud: FakeOpenStack, tmp_path: Path) -> None:
    with pytest.raises(TargetError) as error:
        scopes(cloud="fke")
    path = tmp_path / "clouds.yaml"
    assert str(error.value) == (
        f"target 'hn': {path} has no entry 'fke' (entries: fake); did you mean 'fake'?"
    )
    with pytest.raises(TargetError):
        collect(IN_SHOP, "nova.servers", cloud="fke")


def test_no_clouds_yaml_is_an_error_that_names_the_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "none.yaml"))
    from openstack.config import loader

    monkeypatch.setattr(
        loader, "CONFIG_FILES", [*2 * [str(tmp_path / "a" / "clouds.yaml")], str(tmp_path / "b.json")]
    )
    with pytest.raises(TargetError) as error:
        scopes()
    assert str(error.value) == (
        "target 'hn': no clouds.yaml was found that could hold the entry 'fake'"
        f" (searched: {tmp_path / 'none.yaml'}, {tmp_path / 'a' / 'clouds.yaml'})"
    )


BROKEN = [
    (b"clouds:\n  fake:\n\tauth: {}\n", ":3:1: this is not YAML: found character '\\t' that cannot start any token"),
    (b"clouds: {fake: {auth: {password: *PLANTED}}}\n", ":1:34: this is not YAML: found undefined alias \u2026"),
    (b"clouds: {fake: {password: !PLANTED x}}\n",
     ":1:27: this is not YAML: could not determine a constructor for the tag \u2026"),
    (b"clouds: [\n", ":2:1: this is not YAML: expected the node content, but found '<stream end>'"),
    (b"clouds: \xff\n", ": the file is no plain text in UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "why"), BROKEN)
def test_a_clouds_yaml_that_is_none_is_told_with_its_place(
    content: bytes, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clouds.yaml"
    path.write_bytes(content)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    monkeypatch.setattr("openstack.config.loader.CONFIG_FILES", [str(path)])
    with pytest.raises(TargetError) as error:
        scopes()
    assert str(error.value) == f"target 'hn': the entry 'fake' was not found: {path}{why}"


def test_a_broken_file_before_the_one_that_is_read_is_told(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, read = tmp_path / "broken.yaml", tmp_path / "clouds.yaml"
    broken.write_text("clouds: [\n")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(broken))
    monkeypatch.setattr("openstack.config.loader.CONFIG_FILES", [str(read)])
    with pytest.raises(TargetError) as error:
        scopes(cloud="other")
    assert str(error.value) == (
        f"target 'hn': {read} has no entry 'other' (entries: fake); {broken}:2:1: this is not YAML:"
        " expected the node content, but found '<stream end>'"
    )
    assert scopes()


def test_a_secret_in_a_secure_yaml_that_is_none(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds, secure = tmp_path / "clouds.yaml", tmp_path / "secure.yaml"
    written = json.loads(clouds.read_text())
    del written["clouds"]["fake"]["auth"]["auth_url"]
    clouds.write_text(json.dumps(written))
    secure.write_text("clouds: {fake: {auth: {auth_url: 'PLANTED}}}\n")
    monkeypatch.setenv("OS_CLIENT_SECURE_FILE", str(secure))
    with pytest.raises(TargetError) as error:
        scopes()
    assert str(error.value) == (
        f"target 'hn': the clouds.yaml entry 'fake' cannot be used: {secure}:2:1: this is not YAML: found"
        " unexpected end of stream; it should work with: openstack --os-cloud fake token issue"
    )


ENTRY = {"auth_url": "http://x/v3", "username": "a", "password": "PLANTED", "user_domain_name": "Default"}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"auth_type": "v3password", "auth": {}}, "auth_url"),
        ({"auth_type": "v3password", "auth": {"auth_url": "http://x/v3", "username": "a", "password": "PLANTED"}}, "user_domain_id or user_domain_name"),
        ({"auth_type": "no-such"}, "no-such"),
        ({"auth_type": "none"}, "auth_type 'none' gets no token from Keystone"),
        ({"auth_type": "admin_token", "auth": {"endpoint": "http://x", "token": "t"}}, "gets no token from Keystone"),
        ({"auth_type": "v3password", "auth": {**ENTRY, "auth_url": "ldap://x"}}, "no http or https auth_url"),
        ({"auth_type": "v3password", "auth": {"auth_url": "http://x/v3"}}, "not shaped as the SDK expects (TypeError)"),
        ("text", "not shaped as the SDK expects"),
        ({"auth_type": "v3password", "auth": ENTRY, "cert": "/no/such.pem"}, "is no file"),
        ({"auth_type": "v3password", "auth": ENTRY, "cacert": "/no/such.pem"}, "ca_file '/no/such.pem' cannot be used"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_an_error(
    entry: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clouds.yaml"
    path.write_text(json.dumps({"clouds": {"fake": entry}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    with pytest.raises(TargetError) as error:
        scopes()
    assert message in str(error.value)
    assert "PLANTED" not in str(error.value)


def test_a_useless_ca_file_is_an_error(cloud: FakeOpenStack, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="ca_file"):
        scopes(ca_file=str(tmp_path / "clouds.yaml"))


def test_credentials_are_not_shown(cloud: FakeOpenStack) -> None:
    reader = collector()
    list(reader.scopes(CallLog()))
    opened = reader._opened()
    assert PASSWORD not in repr(opened.entry) + repr(opened._base_token()) + repr(reader.target)


# --- what belongs to others ------------------------------------------------------------------------------


def test_an_administrators_token_still_gives_one_projects_things(cloud: FakeOpenStack) -> None:
    """Neutron and Glance show an administrator everything; in the tenant's view it is left out."""
    foreign = {"project_id": BANK, "tenant_id": BANK}
    for path, key, row in (
        ("networks", "networks", NETWORK),
        ("ports", "ports", PORT),
        ("security-groups", "security_groups", GROUP),
        ("security-group-rules", "security_group_rules", RULE),
    ):
        cloud.answer(f"/network/v2.0/{path}", {key: [row, {**row, **foreign, "id": "foreign"}]}, project=SHOP)
    cloud.answer(
        "/image/v2/images", {"images": [IMAGE, {**IMAGE, "id": "foreign", "owner": BANK}]}, project=SHOP
    )
    cloud.roles[SHOP] = ["admin"]
    taken = collect(
        IN_SHOP,
        "neutron.networks",
        "neutron.ports",
        "neutron.security_groups",
        "neutron.security_group_rules",
        "glance.images",
    )
    assert {(r.id, r.scope) for r in taken.seen if isinstance(r, Resource)} == {
        ("net-1", IN_SHOP), ("port-1", IN_SHOP), ("g-1", IN_SHOP), ("rule-1", IN_SHOP), ("img-1", IN_SHOP),
    }  # fmt: skip


def test_what_others_share_stands_in_its_owners_scope(cloud: FakeOpenStack) -> None:
    """A project that is audited, or none: then it is nobody's of this audit."""
    nets = [
        {**NETWORK, "id": "public", "project_id": ADMIN, "router:external": True},
        {**NETWORK, "id": "common", "project_id": BANK, "shared": True},
    ]
    cloud.answer("/network/v2.0/networks", {"networks": nets}, project=SHOP)
    cloud.answer(
        "/image/v2/images",
        {"images": [{**IMAGE, "id": "base", "owner": ADMIN, "visibility": "public"}]},
        project=SHOP,
    )
    taken = collect(IN_SHOP, "neutron.networks", "glance.images")
    assert [(r.id, r.scope) for r in taken.seen if isinstance(r, Resource)] == [
        ("public", REGION), ("common", IN_BANK), ("base", REGION),
    ]  # fmt: skip


def test_rules_of_a_shared_group_come_with_it(cloud: FakeOpenStack) -> None:
    shared = {**GROUP, "id": "g-2", "project_id": ADMIN, "shared": True}
    rules = [
        {**RULE, "id": "r-2", "project_id": ADMIN, "security_group_id": "g-2"},
        {**RULE, "id": "r-3", "project_id": ADMIN, "security_group_id": "g-3"},
    ]
    cloud.answer("/network/v2.0/security-groups", {"security_groups": [shared]}, project=SHOP)
    cloud.answer("/network/v2.0/security-group-rules", {"security_group_rules": rules}, project=SHOP)
    both = collect(IN_SHOP, "neutron.security_groups", "neutron.security_group_rules")
    assert [r.id for r in both.resources("openstack.security_group_rule")] == ["r-2"]
    alone = collect(IN_SHOP, "neutron.security_group_rules")
    assert [r.id for r in alone.resources("openstack.security_group_rule")] == ["r-2", "r-3"]


def test_hidden_and_community_images_are_asked_for(cloud: FakeOpenStack) -> None:
    cloud.answer("/image/v2/images?limit=1000", {"images": []}, project=SHOP)
    cloud.answer(
        f"/image/v2/images?limit=1000&owner={SHOP}", {"images": [{**IMAGE, "id": "community"}]}, project=SHOP
    )
    cloud.answer(
        "/image/v2/images?limit=1000&os_hidden=true", {"images": [{**IMAGE, "id": "hidden"}]}, project=SHOP
    )
    taken = collect(IN_SHOP, "glance.images")
    assert [i.id for i in taken.resources("openstack.image")] == ["community", "hidden", "img-1", "img-2"]
    assert taken.listings()[0].count == 4


# --- the operator ------------------------------------------------------------------------------------------


def operated(cloud: FakeOpenStack) -> None:
    """The token of shop is an administrator's: it sees bank's server and volume too."""
    cloud.roles[SHOP] = ["admin"]
    cloud.answer(
        "/identity/v3/projects",
        listed(
            "projects", [project_row(SHOP, "shop"), project_row(BANK, "bank"), project_row(ADMIN, "admin")]
        ),
    )
    servers = {"servers": [SERVER, {**SERVER, "id": "srv-b", "tenant_id": BANK}]}
    cloud.answer("/compute/v2.1/servers/detail?limit=1000&all_tenants=1", servers, project=SHOP)
    groups: dict[str, Any] = {"server_groups": []}
    cloud.answer("/compute/v2.1/os-server-groups?limit=1000&all_projects=1", groups, project=SHOP)
    volumes = {"volumes": [VOLUME, {**VOLUME, "id": "vol-a", "os-vol-tenant-attr:tenant_id": ADMIN}]}
    cloud.answer(f"{VOLUMES}?limit=1000&all_tenants=1", volumes, project=SHOP)
    cloud.answer(f"/volume/v3/{SHOP}/backups/detail?limit=1000&all_tenants=1", {"backups": []}, project=SHOP)


def test_an_operator_asks_once_for_all_projects(cloud: FakeOpenStack) -> None:
    operated(cloud)
    assert scopes(vantage=OPERATOR) == [TARGET, REGION, IN_SHOP, Scope("hn", "vn-hn-1", ADMIN), IN_BANK]
    taken = collect(
        REGION, "nova.servers", "nova.server_groups", "cinder.volumes", "cinder.backups", vantage=OPERATOR
    )
    assert [(r.id, r.scope) for r in taken.seen if isinstance(r, Resource)] == [
        ("srv-1", IN_SHOP), ("srv-b", IN_BANK), ("vol-1", IN_SHOP), ("vol-a", Scope("hn", "vn-hn-1", ADMIN)),
    ]  # fmt: skip
    assert [(s.scope, s.type, s.count, s.proof) for s in taken.listings()] == [
        (REGION, "openstack.server", 2, "the same token was shown items of other projects by compute"),
        (REGION, "openstack.server_group", 0, "the same token was shown items of other projects by compute"),
        (REGION, "openstack.volume", 2, "the same token was shown items of other projects by block-storage"),
        (REGION, "openstack.backup", 0, "the same token was shown items of other projects by block-storage"),
    ]
    assert taken.gaps() == []


def test_an_operator_without_evidence_of_sight_proves_nothing(cloud: FakeOpenStack) -> None:
    """A system reader gets 200 and empty lists; whoever is no administrator gets his own things."""
    operated(cloud)
    cloud.answer(f"{VOLUMES}?limit=1000&all_tenants=1", {"volumes": [VOLUME]}, project=SHOP)
    taken = collect(REGION, "cinder.volumes", "cinder.backups", "nova.server_groups", vantage=OPERATOR)
    assert [v.id for v in taken.resources("openstack.volume")] == ["vol-1"]
    assert taken.listings() == []
    assert [(g.type, g.reason) for g in taken.gaps()] == [
        ("openstack.server_group", Reason.PARTIAL),
        ("openstack.volume", Reason.PARTIAL),
        ("openstack.backup", Reason.PARTIAL),
    ]
    assert "showed this token nothing of other projects" in taken.gaps()[0].detail


@pytest.mark.parametrize(
    ("path", "key", "row"),
    [
        ("networks", "networks", {**NETWORK, "shared": True}),
        ("networks", "networks", {**NETWORK, "router:external": True}),
        ("ports", "ports", PORT),
        ("security-group-rules", "security_group_rules", RULE),
        ("security-groups", "security_groups", {**GROUP, "shared": True}),
        ("bgpvpn/bgpvpns", "bgpvpns", {**BGPVPN, "shared": True}),
        ("address-groups", "address_groups", {k: v for k, v in ADDRESS_GROUP.items() if k != "shared"}),
    ],
)
def test_seeing_what_is_meant_to_be_seen_is_no_evidence(
    cloud: FakeOpenStack, path: str, key: str, row: dict[str, Any]
) -> None:
    operated(cloud)
    cloud.answer(f"/network/v2.0/{path}", {key: [{**row, "project_id": BANK}]}, project=SHOP)
    call = "neutron." + path.rpartition("/")[2].replace("-", "_")
    taken = collect(REGION, call, vantage=OPERATOR)
    assert [g.reason for g in taken.gaps()] == [Reason.PARTIAL]


def test_an_operator_sees_all_types_at_once(cloud: FakeOpenStack) -> None:
    operated(cloud)
    taken = collect(REGION, "cinder.types", "cinder.type_encryption", vantage=OPERATOR)
    assert [t.id for t in taken.resources("openstack.volume_type")] == ["type-1"]
    assert [listing.count for listing in taken.listings()] == [1]
    assert tokens_used(cloud, "/types") == {f"token-{SHOP}"}
    row = {"id": "type-1", "name": "luks", "is_public": True, "extra_specs": {}}
    cloud.answer(f"/volume/v3/{SHOP}/types", {"volume_types": [row]})
    blind = collect(REGION, "cinder.types", vantage=OPERATOR)
    assert [(g.type, g.reason) for g in blind.gaps()] == [("openstack.volume_type", Reason.PARTIAL)]


def test_an_operator_without_the_role_is_shown_no_private_flavors(cloud: FakeOpenStack) -> None:
    """Nova filters this list: only its administrators see private flavors and disabled ones."""
    operated(cloud)
    taken = collect(REGION, "nova.flavors", vantage=OPERATOR)
    assert [f.id for f in taken.resources("openstack.flavor")] == ["fl-1"]
    assert [listing.count for listing in taken.listings()] == [1]
    assert tokens_used(cloud, "/flavors") == {f"token-{SHOP}"}
    cloud.roles[SHOP] = ["reader"]
    blind = collect(REGION, "nova.flavors", vantage=OPERATOR)
    assert [f.id for f in blind.resources("openstack.flavor")] == ["fl-1"]
    assert [(g.reason, g.detail) for g in blind.gaps()] == [
        (
            Reason.PARTIAL,
            "no evidence of sight: compute does not show this token what administrators see",
        )
    ]


def test_an_operator_asks_for_the_quotas_of_every_project(cloud: FakeOpenStack) -> None:
    operated(cloud)
    admins = f"/compute/v2.1/os-quota-sets/{ADMIN}/detail"
    cloud.answer(admins, {"quota_set": {"cores": {"limit": 1, "in_use": 0, "reserved": 0}}})
    taken = collect(REGION, "nova.quotas", vantage=OPERATOR)
    assert [(q.name, q.scope) for q in taken.resources("openstack.quota")] == [
        ("cores", IN_SHOP),
        ("key_pairs", IN_SHOP),
        ("cores", Scope("hn", "vn-hn-1", ADMIN)),
        ("cores", IN_BANK),
        ("key_pairs", IN_BANK),
    ]
    assert [(s.scope, s.count) for s in taken.listings()] == [(REGION, 5)]
    assert taken.gaps() == []
    assert tokens_used(cloud, "/os-quota-sets/") == {f"token-{SHOP}"}
    cloud.answer(admins, status=403)
    taken = collect(REGION, "nova.quotas", vantage=OPERATOR)
    assert len(taken.resources("openstack.quota")) == 4
    assert [(g.scope, g.reason, g.detail) for g in taken.gaps()] == [
        (REGION, Reason.NO_PERMISSION, f"HTTP 403 from GET {admins}")
    ]
    assert taken.listings() == []


def test_quotas_of_the_known_projects_are_not_all_quotas(cloud: FakeOpenStack) -> None:
    operated(cloud)
    cloud.answer("/identity/v3/projects", status=403)
    (gap,) = collect(REGION, "nova.quotas", vantage=OPERATOR).gaps()
    assert (gap.reason, gap.detail) == (
        Reason.PARTIAL,
        "there may be more projects: HTTP 403 from GET /identity/v3/projects",
    )
    (gap,) = collect(REGION, "nova.quotas", vantage=OPERATOR, projects=("shop", "bnak")).gaps()
    assert gap.detail == "the credential cannot see a project 'bnak'; did you mean 'bank'?"


def test_an_operator_sees_transfers_of_all_projects(cloud: FakeOpenStack) -> None:
    operated(cloud)
    path = f"/volume/v3/{SHOP}/volume-transfers/detail?limit=1000&all_tenants=1"
    rows = [TRANSFER, {**TRANSFER, "id": "tr-2", "source_project_id": BANK}]
    cloud.answer(path, {"transfers": rows})
    cloud.answer(f"{path}&offset=2", {"transfers": []})
    taken = collect(REGION, "cinder.transfers", vantage=OPERATOR)
    assert [(t.id, t.scope) for t in taken.resources("openstack.volume_transfer")] == [
        ("tr-1", IN_SHOP),
        ("tr-2", IN_BANK),
    ]
    assert [s.count for s in taken.listings()] == [2]
    cloud.answer(path, {"transfers": [TRANSFER]})
    cloud.answer(f"{path}&offset=1", {"transfers": []})
    blind = collect(REGION, "cinder.transfers", vantage=OPERATOR)
    assert [g.reason for g in blind.gaps()] == [Reason.PARTIAL]


def test_an_operator_may_limit_the_projects(cloud: FakeOpenStack) -> None:
    operated(cloud)
    taken = collect(REGION, "nova.servers", vantage=OPERATOR, projects=("bank",))
    assert [(r.id, r.scope) for r in taken.resources("openstack.server")] == [("srv-b", IN_BANK)]
    assert [listing.count for listing in taken.listings()] == [1]


def test_an_operator_lists_all_projects(cloud: FakeOpenStack) -> None:
    operated(cloud)
    taken = collect(TARGET, "keystone.projects", "keystone.auth_projects", vantage=OPERATOR)
    assert [p.id for p in taken.resources("openstack.project")] == [SHOP, BANK, ADMIN]
    cloud.answer("/identity/v3/projects", status=403)
    refused = collect(TARGET, "keystone.projects", "swift.containers", vantage=OPERATOR)
    assert [p.id for p in refused.resources("openstack.project")] == [SHOP, BANK]
    assert [(g.type, g.reason) for g in refused.gaps()] == [
        ("openstack.project", Reason.NO_PERMISSION),
        ("openstack.container", Reason.NO_PERMISSION),
    ]


def test_swift_is_asked_project_by_project(cloud: FakeOpenStack) -> None:
    """With the project's token, or across accounts for an operator who has none there."""
    operated(cloud)
    assert collect(REGION, "swift.containers", vantage=OPERATOR).seen == []
    taken = collect(IN_SHOP, "swift.containers", "swift.container_head", vantage=OPERATOR)
    assert [c.id for c in taken.resources("openstack.container")] == [f"{SHOP}/kho"]
    theirs = Scope("hn", "vn-hn-1", ADMIN)
    cloud.answer(f"/object/v1/AUTH_{ADMIN}?format=json", [{"name": "nhat-ky"}])
    cloud.answer(f"/object/v1/AUTH_{ADMIN}?format=json&marker=nhat-ky", [])
    cloud.answer(f"/object/v1/AUTH_{ADMIN}/nhat-ky", status=204, headers=EMPTY)
    taken = collect(theirs, "swift.containers", "swift.container_head", vantage=OPERATOR)
    assert [(c.id, c.scope) for c in taken.resources("openstack.container")] == [(f"{ADMIN}/nhat-ky", theirs)]
    assert tokens_used(cloud, f"AUTH_{ADMIN}") == {f"token-{SHOP}"}
    # Administrators own the account of their project; of another one only reseller administrators are.
    assert taken.one("openstack.container").unseen["read_acl"].reason is Reason.NO_PERMISSION
    cloud.roles[SHOP] = ["admin", "ResellerAdmin"]
    taken = collect(theirs, "swift.containers", "swift.container_head", vantage=OPERATOR)
    assert taken.one("openstack.container").facts["read_acl"] is None
    cloud.answer(f"/object/v1/AUTH_{ADMIN}?format=json", status=403)
    (gap,) = collect(theirs, "swift.containers", vantage=OPERATOR).gaps()
    assert gap.reason is Reason.NO_PERMISSION


def test_barbican_and_heat_are_asked_project_by_project(cloud: FakeOpenStack) -> None:
    """Across projects nobody is answered, so that a project without a token of its own stays unread."""
    operated(cloud)
    calls = ("barbican.secrets", "heat.stacks")
    assert collect(REGION, *calls, vantage=OPERATOR).seen == []
    taken = collect(IN_SHOP, *calls, vantage=OPERATOR)
    assert [(r.id, r.scope) for r in taken.seen if isinstance(r, Resource)] == [
        ("f2b9b617", IN_SHOP), ("stack-1", IN_SHOP),
    ]  # fmt: skip
    taken = collect(Scope("hn", "vn-hn-1", ADMIN), *calls, vantage=OPERATOR)
    assert [(g.type, g.reason, g.detail) for g in taken.gaps()] == [
        (
            "openstack.secret",
            Reason.NO_PERMISSION,
            "HTTP 401 to the token request; check user, password and domain of the clouds.yaml entry, then its roles there",
        ),
        (
            "openstack.stack",
            Reason.NO_PERMISSION,
            "HTTP 401 to the token request; check user, password and domain of the clouds.yaml entry, then its roles there",
        ),
    ]
    assert not [p for p in cloud.paths_asked() if ADMIN in p]


def test_only_operators_ask_designate_for_all_projects(cloud: FakeOpenStack) -> None:
    operated(cloud)
    foreign = {**DNS_ZONE, "id": "zone-b", "project_id": BANK}

    def zones(request: Request) -> Reply:
        every = request.headers.get("X-Auth-All-Projects") == "true"
        return Reply({"zones": [DNS_ZONE, *([foreign] if every else [])], "links": {"self": "x"}})

    cloud.answers["/dns/v2/zones", SHOP] = zones
    assert [z.id for z in collect(IN_SHOP, "designate.zones").resources("openstack.dns_zone")] == ["zone-1"]
    taken = collect(REGION, "designate.zones", vantage=OPERATOR)
    assert [(z.id, z.scope) for z in taken.resources("openstack.dns_zone")] == [
        ("zone-1", IN_SHOP), ("zone-b", IN_BANK),
    ]  # fmt: skip
    assert [s.proof for s in taken.listings()] == ["the same token was shown items of other projects by dns"]


def test_a_zone_shared_with_us_stands_in_its_owners_scope(cloud: FakeOpenStack) -> None:
    """And seeing it proves to no operator that all zones are shown."""
    operated(cloud)
    shared = {**DNS_ZONE, "id": "zone-b", "project_id": BANK, "shared": True}
    cloud.answer("/dns/v2/zones", {"zones": [shared], "links": {"self": "x"}}, project=SHOP)
    taken = collect(IN_SHOP, "designate.zones")
    assert [(z.id, z.scope) for z in taken.resources("openstack.dns_zone")] == [("zone-b", IN_BANK)]
    taken = collect(REGION, "designate.zones", vantage=OPERATOR)
    assert [g.reason for g in taken.gaps()] == [Reason.PARTIAL]


def test_an_operator_reads_load_balancers_of_all_projects(cloud: FakeOpenStack) -> None:
    operated(cloud)
    theirs = {**POOL, "id": "pool-b", "project_id": BANK, "members": [], "healthmonitor_id": None}
    cloud.answer("/load-balancer/v2/lbaas/pools", {"pools": [POOL, theirs]}, project=SHOP)
    calls = TYPES["openstack.lb_pool"].calls
    taken = collect(REGION, *calls, vantage=OPERATOR)
    assert [(p.id, p.scope) for p in taken.resources("openstack.lb_pool")] == [
        ("pool-1", IN_SHOP), ("pool-b", IN_BANK),
    ]  # fmt: skip
    assert [s.count for s in taken.listings()] == [2]
    # In a tenant's view what is another project's is left out, and its members are not asked for.
    busy = {**theirs, "members": [{"id": "m"}]}
    cloud.answer("/load-balancer/v2/lbaas/pools", {"pools": [POOL, busy]}, project=SHOP)
    taken = collect(IN_SHOP, *calls)
    assert [p.id for p in taken.resources("openstack.lb_pool")] == ["pool-1"]
    assert not [p for p in cloud.paths_asked() if "pool-b" in p]


def test_an_operator_reads_members_of_all_audited_projects(cloud: FakeOpenStack) -> None:
    operated(cloud)
    theirs = {**SHARED_IMAGE, "id": "img-b", "owner": BANK}
    private = {**IMAGE, "id": "img-c", "owner": BANK}
    cloud.answer("/image/v2/images", {"images": [SHARED_IMAGE, theirs, private]}, project=SHOP)
    cloud.answer("/image/v2/images/img-b/members", {"members": [{"member_id": SHOP, "status": "accepted"}]})
    calls = TYPES["openstack.image_member"].calls
    taken = collect(REGION, *calls, vantage=OPERATOR)
    assert [(m.id, m.scope) for m in taken.resources("openstack.image_member")] == [
        (f"img-2:{BANK}", IN_SHOP), (f"img-b:{SHOP}", IN_BANK),
    ]  # fmt: skip
    assert [s.count for s in taken.listings("openstack.image_member")] == [2]
    blind = collect(REGION, *calls, vantage=OPERATOR, projects=("shop",))
    assert [m.id for m in blind.resources("openstack.image_member")] == [f"img-2:{BANK}"]


def test_an_operators_replicas_go_by_their_shares(cloud: FakeOpenStack) -> None:
    operated(cloud)
    shares = (SHARE, {**SHARE, "id": "share-b", "project_id": BANK})
    cloud.call("/share/v2/shares/detail", offset_list("shares", *shares))
    replicas = (SHARE_REPLICA, {**SHARE_REPLICA, "id": "sr-b", "share_id": "share-b"})
    cloud.call("/share/v2/share-replicas/detail", offset_list("share_replicas", *replicas))
    taken = collect(REGION, "manila.shares", "manila.share_replicas", vantage=OPERATOR)
    assert [(r.id, r.scope) for r in taken.resources("openstack.share_replica")] == [
        ("sr-1", IN_SHOP), ("sr-b", IN_BANK),
    ]  # fmt: skip
    assert [s.count for s in taken.listings()] == [2, 2]


def test_an_operators_access_rules_go_by_their_shares(cloud: FakeOpenStack) -> None:
    operated(cloud)
    shares = (SHARE, {**SHARE, "id": "share-b", "project_id": BANK})
    cloud.call("/share/v2/shares/detail", offset_list("shares", *shares))

    def rules(request: Request) -> Reply:
        return Reply({"access_list": [{**ACCESS_RULE, "id": f"of-{request.path.rpartition('=')[2]}"}]})

    cloud.call("/share/v2/share-access-rules", rules)
    calls = ("manila.shares", "manila.share_access_rules")
    taken = collect(REGION, *calls, vantage=OPERATOR)
    assert [(r.facts["share"], r.scope) for r in taken.resources("openstack.share_access_rule")] == [
        ("share-1", IN_SHOP), ("share-b", IN_BANK),
    ]  # fmt: skip
    assert [s.count for s in taken.listings()] == [2, 2]
    few = collect(REGION, *calls, vantage=OPERATOR, projects=("shop",))
    assert [r.facts["share"] for r in few.resources("openstack.share_access_rule")] == ["share-1"]


def test_an_operators_share_backups_go_by_their_shares(cloud: FakeOpenStack) -> None:
    """Manila does not tell whose they are."""
    operated(cloud)
    shares = (SHARE, {**SHARE, "id": "share-b", "project_id": BANK})
    cloud.call("/share/v2/shares/detail", offset_list("shares", *shares))
    backups = (SHARE_BACKUP, {**SHARE_BACKUP, "id": "sb-b", "share_id": "share-b"})
    cloud.call("/share/v2/share-backups/detail", offset_list("share_backups", *backups))
    taken = collect(REGION, "manila.shares", "manila.share_backups", vantage=OPERATOR)
    assert [(r.id, r.scope) for r in taken.resources("openstack.share_backup")] == [
        ("sb-1", IN_SHOP), ("sb-b", IN_BANK),
    ]  # fmt: skip
    assert [s.count for s in taken.listings()] == [2, 2]
    assert {p for p in cloud.paths_asked() if "/share-backups/" in p} == {
        "/share/v2/share-backups/detail?limit=1000&all_tenants=1",
        "/share/v2/share-backups/detail?limit=1000&all_tenants=1&offset=2",
    }
    blind = collect(REGION, "manila.share_backups", vantage=OPERATOR)
    assert [(g.type, g.reason) for g in blind.gaps()] == [("openstack.share_backup", Reason.NOT_COLLECTED)]


@pytest.mark.parametrize(
    ("service", "path", "asked"),
    [
        ("load-balancer", "/load-balancer/v2.0", "/load-balancer/v2.0/lbaas/listeners?limit=1000"),
        ("load-balancer", ":9876", ":9876/v2/lbaas/listeners?limit=1000"),
        ("key-manager", "/key-manager/v1", "/key-manager/v1/secrets?limit=100"),
        ("dns", "/dns/v2/", "/dns/v2/zones?limit=max"),
        ("placement", "/placement", "/placement/resource_providers"),
    ],
)
def test_addresses_with_and_without_a_version(service: str, path: str, asked: str) -> None:
    """As the guides of these services write them into catalogues."""
    lister = {
        "load-balancer": load_balancer.LISTENERS,
        "key-manager": key_manager.SECRETS,
        "dns": dns.ZONES,
        "placement": placement.PROVIDERS,
    }[service]
    host = "http://cloud.example.test"
    assert api_root(service, host + path) + lister.path == host + asked


# --- a role on the system, and in no project ------------------------------------------------------------


def of_the_system(cloud: FakeOpenStack, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.system_roles = ["reader"]
    cloud.projects = {}
    cloud.configure(
        folder, monkeypatch,
        auth_url=f"{cloud.url}/identity/v3", username="audit", password=PASSWORD,
        user_domain_name="Default", system_scope="all",
    )  # fmt: skip


def test_who_has_a_role_on_the_system_alone_reads_keystone(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_the_system(cloud, tmp_path, monkeypatch)
    cloud.answer("/identity/v3/users", listed("users", [USER]), project="system")
    taken = collect(TARGET, "keystone.users")
    assert [user.id for user in taken.resources("openstack.user")] == [USER["id"]]
    assert [(listing.type, listing.count) for listing in taken.listings()] == [("openstack.user", 1)]
    assert taken.gaps() == []


def test_empty_lists_of_a_system_reader_prove_nothing(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for all projects at once. What has no address without a project is not there, and not absent."""
    of_the_system(cloud, tmp_path, monkeypatch)
    cloud.answer("/identity/v3/projects", listed("projects", [project_row(SHOP, "shop")]))
    cloud.answer("/network/v2.0/networks", {"networks": []})
    taken = collect(REGION, "neutron.networks", "cinder.volumes", "swift.info", vantage="operator")
    said = {gap.type: (gap.reason, gap.detail) for gap in taken.gaps()}
    leaves_out = "is not in the catalogue of the system, which leaves out addresses with a project"
    assert said == {
        "openstack.network": (
            Reason.PARTIAL, "no evidence of sight: network showed this token nothing of other projects",
        ),
        "openstack.volume": (Reason.PARTIAL, f"block-storage {leaves_out}"),
        "openstack.object_service": (Reason.PARTIAL, f"object-store {leaves_out}"),
    }  # fmt: skip
    assert taken.listings() == []


# --- tokens that services refuse --------------------------------------------------------------------------


def test_refusals_by_access_rules_do_not_cost_a_token_each(cloud: FakeOpenStack) -> None:
    """A service answers 401 to a credential whose rules do not name the request, to a new token too."""
    paths = (VOLUMES, VOLUMES.replace("volumes", "snapshots"), VOLUMES.replace("volumes", "backups"))
    for path in paths:
        cloud.answer(path, status=401)
    taken = collect(IN_SHOP, "cinder.volumes", "cinder.snapshots", "cinder.backups")
    assert {(gap.type, gap.reason) for gap in taken.gaps()} == {
        (f"openstack.{kind}", Reason.NO_PERMISSION) for kind in ("volume", "snapshot", "backup")
    }
    assert cloud.paths_asked("POST") == [TOKENS] * 2
    told = [call.request for call in taken.log.calls if call.request.startswith("POST")]
    assert told == [f"POST {TOKENS}"] * 2, "the library's own renewal stands in the log, too"
    asked = [request.partition("?")[0] for request in cloud.paths_asked()]
    assert [asked.count(path) for path in paths] == [2, 1, 1]
