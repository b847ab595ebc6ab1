"""Every way in: kinds of credentials, files and variables, certificates, proxies, addresses of regions.

Each way is shown to read a project's volumes, or to end in a gap that says why it does not.
"""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from certificates import PAST, Authority, self_signed
from fake_openstack import (
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
)
from forward_proxy import ForwardProxy, forwarding
from openstack_answers import USER, VOLUME, small_cloud

from cloudaudit.collectors.transport import CallLog, Proxy
from cloudaudit.errors import TargetError
from cloudaudit.model import Gap, Reason, Scope

VOLUMES = f"/volume/v3/{SHOP}/volumes/detail"
TOKENS = "/identity/v3/auth/tokens"
FEDERATION = "/identity/v3/OS-FEDERATION/identity_providers/so/protocols/openid/auth"


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenStack]:
    fake = small_cloud()
    with fake.running():
        fake.configure(tmp_path, monkeypatch)
        yield fake


def volumes(**fields: Any) -> list[str]:
    """Ids of shop's volumes, which nothing stands in the way of."""
    taken = collect(IN_SHOP, "cinder.volumes", **fields)
    assert taken.gaps() == []
    return [volume.id for volume in taken.resources("openstack.volume")]


def why_not(**fields: Any) -> tuple[Reason, str]:
    """Why shop's volumes cannot be read."""
    (gap,) = collect(IN_SHOP, "cinder.volumes", **fields).gaps()
    return gap.reason, gap.detail


def told(*scopes: Scope, **fields: Any) -> dict[str, Any]:
    """What is told of a credential after these scopes were read for volumes and users."""
    reader = collector(**fields)
    for scope in scopes:
        list(reader.collect(scope, frozenset({"cinder.volumes", "keystone.users"}), CallLog()))
    return dict(reader.credential())


# --- kinds of credentials --------------------------------------------------------------------------------


def test_what_is_told_of_a_password(cloud: FakeOpenStack) -> None:
    cloud.system_roles = ["reader"]
    cloud.roles[BANK] = ["member", "Auditor"]
    credential = told(TARGET, IN_SHOP, IN_BANK)
    assert credential == {
        "auth_type": "v3password",
        "scope": "project",
        "roles": {"project": ["auditor", "member", "reader"], "system": ["reader"]},
    }
    assert PASSWORD not in json.dumps(credential)


def test_what_is_told_of_a_credential_that_gets_no_token(cloud: FakeOpenStack) -> None:
    cloud.answers[TOKENS, None] = Reply(status=401)
    assert told(IN_SHOP) == {"auth_type": "v3password", "scope": "unknown", "roles": {}}


def own(cloud: FakeOpenStack, **more: str) -> dict[str, str]:
    """The settings of a password without a scope, and more of them."""
    url = f"{cloud.url}/identity/v3"
    user = {"username": "audit", "password": PASSWORD, "user_domain_name": "Default"}
    return {"auth_url": url, **user, **more}


@pytest.mark.parametrize(
    ("scoped", "scope", "roles"),
    [
        ({"system_scope": "all"}, "system", {"project": ["reader"], "system": ["reader"]}),
        ({"domain_name": "Default"}, "domain", {"domain": ["manager"], "project": ["reader"], "system": ["reader"]}),
        ({"domain_id": "default"}, "domain", {"domain": ["manager"], "project": ["reader"], "system": ["reader"]}),
        ({}, "none", {"project": ["reader"], "system": ["reader"]}),
    ],
)  # fmt: skip
def test_an_entry_of_any_scope_gets_tokens_of_its_projects(
    cloud: FakeOpenStack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scoped: dict[str, str],
    scope: str,
    roles: dict[str, list[str]],
) -> None:
    cloud.system_roles = ["reader"]
    cloud.configure(tmp_path, monkeypatch, **own(cloud, **scoped))
    assert list(collector().scopes(CallLog())) == [TARGET, REGION, IN_SHOP, IN_BANK]
    assert volumes() == ["vol-1"]
    assert told(TARGET, IN_SHOP, IN_BANK) == {"auth_type": "v3password", "scope": scope, "roles": roles}
    services = {r.token for r in cloud.requests if not r.path.startswith("/identity/")}
    assert services <= {f"token-{SHOP}", f"token-{BANK}", ""}, "services see tokens of projects alone"


@pytest.mark.parametrize("auth_type", ["v3token", "token"])
def test_a_token_is_good_for_its_own_project(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auth_type: str
) -> None:
    link = {"rel": "self", "href": f"{cloud.url}/identity/v3/"}
    versions = {"values": [{"id": "v3.14", "status": "stable", "links": [link]}]}
    cloud.answer("/identity", {"versions": versions}, status=300)
    url = f"{cloud.url}/identity" + ("/v3" if auth_type == "v3token" else "")
    auth = {"auth_url": url, "project_id": SHOP}
    cloud.configure(tmp_path, monkeypatch, auth_type, token="token-unscoped", **auth)
    assert volumes() == ["vol-1"]
    (gap,) = collect(IN_BANK, "cinder.volumes").gaps()
    assert gap.detail == f"a credential of the kind {auth_type} works in its own scope only"
    cloud.configure(tmp_path, monkeypatch, auth_type, token="PLANTED-expired", **auth)
    assert why_not() == (
        Reason.NO_PERMISSION,
        "HTTP 401 to the token request; check user, password and domain of the clouds.yaml entry, then its roles there",
    )


def access_rules(cloud: FakeOpenStack, *allowed: str) -> None:
    """Let services admit these paths only, as keystonemiddleware does: 401 with the address of Keystone."""
    header = {"WWW-Authenticate": f'Keystone uri="{cloud.url}/identity"'}
    body = {"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made ..."}}
    usual = cloud._reply

    def reply(request: Request, sent: bytes) -> Reply:
        bare = request.path.partition("?")[0]
        if bare.startswith("/identity/") or bare in allowed:
            return usual(request, sent)
        return Reply(body, 401, header)

    cloud._reply = reply  # type: ignore[method-assign]


def test_access_rules_that_forbid_a_path_are_a_gap_of_that_path(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.configure(
        tmp_path, monkeypatch, "v3applicationcredential", auth_url=f"{cloud.url}/identity/v3",
        application_credential_id=SHOP, application_credential_secret="PLANTED-secret",
    )  # fmt: skip
    access_rules(cloud, VOLUMES, "/volume/v3/")
    taken = collect(IN_SHOP, "cinder.volumes", "cinder.backups")
    assert [(s.type, s.count) for s in taken.listings()] == [("openstack.volume", 1)]
    backups = f"/volume/v3/{SHOP}/backups/detail?limit=1000"
    assert [(g.type, g.reason, g.detail) for g in taken.gaps()] == [
        ("openstack.backup", Reason.NO_PERMISSION, f"HTTP 401 from GET {backups}")
    ]
    assert told(IN_SHOP) == {
        "auth_type": "v3applicationcredential", "scope": "project", "roles": {"project": ["reader"]},
    }  # fmt: skip


def test_a_credential_of_another_domain_gets_no_token(cloud: FakeOpenStack) -> None:
    cloud.user_domain = "so-y-te"
    assert why_not() == (
        Reason.NO_PERMISSION,
        "HTTP 401 to the token request; check user, password and domain of the clouds.yaml entry, then its roles there",
    )


# --- federation ------------------------------------------------------------------------------------------


def federated(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, **more: str
) -> None:
    auth = {"auth_url": f"{cloud.url}/identity/v3", "identity_provider": "so", "protocol": "openid"}
    cloud.configure(tmp_path, monkeypatch, kind, **auth, **more, project_id=SHOP)
    token = {
        "methods": ["openid"], "issued_at": "2026-11-22T03:46:40Z", "expires_at": "2099-01-01T00:00:00Z",
        "user": {"id": "u", "name": "audit"},
    }  # fmt: skip

    def admit(request: Request) -> Reply:
        if request.headers.get("Authorization") != "Bearer access-1":
            return Reply({"error": {"code": 401}}, 401)
        return Reply({"token": token}, 201, {"X-Subject-Token": "token-unscoped"})

    cloud.call(FEDERATION, admit)


def identity_provider(cloud: FakeOpenStack, form: dict[str, str]) -> None:
    """An OpenID provider that gives a token to a client with its secret and to this form alone."""
    login = "Basic " + base64.b64encode(b"audit-client:PLANTED-client").decode()

    def give(request: Request) -> Reply:
        sent = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if request.headers.get("Authorization") != login or sent != form:
            return Reply({"error": "invalid_client"}, 401)
        return Reply({"access_token": "access-1", "token_type": "Bearer"})

    cloud.call("/idp/token", give)


USER_FORM = {"grant_type": "password", "username": "audit", "password": PASSWORD, "scope": "openid profile"}
CLIENT_FORM = {"grant_type": "client_credentials", "scope": "openid profile"}


@pytest.mark.parametrize(
    ("kind", "form", "user"),
    [
        ("v3oidcpassword", USER_FORM, {"username": "audit", "password": PASSWORD}),
        ("v3oidcclientcredentials", CLIENT_FORM, {}),
    ],
)
def test_federated_users_sign_in_with_their_provider(
    cloud: FakeOpenStack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    form: dict[str, str],
    user: dict[str, str],
) -> None:
    client = {
        "client_id": "audit-client",
        "client_secret": "PLANTED-client",
        "openid_scope": "openid profile",
    }
    where = {"access_token_endpoint": f"{cloud.url}/idp/token"}
    identity_provider(cloud, form)
    federated(cloud, tmp_path, monkeypatch, kind, **client, **where, **user)
    assert volumes() == ["vol-1"]
    assert set(cloud.paths_asked("POST")) == {"/idp/token", FEDERATION, TOKENS}
    taken = collect(IN_BANK, "cinder.volumes")
    assert taken.gaps() == [], "a token of each project"
    cloud.answers["/idp/token", None] = Reply({"error": "invalid_grant"}, 401)
    assert why_not() == (
        Reason.NO_PERMISSION,
        "HTTP 401 to the token request; check user, password and domain of the clouds.yaml entry, then its roles there",
    )
    cloud.answers["/idp/token", None] = Reply(b"<html>Sign in</html>")
    reason, detail = why_not()
    assert (reason, detail.startswith("no token could be had from ")) == (Reason.INVALID_ANSWER, True)


def test_an_access_token_is_shown_to_keystone_alone(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    federated(cloud, tmp_path, monkeypatch, "v3oidcaccesstoken", access_token="access-1")
    assert volumes() == ["vol-1"]
    shown = {r.path for r in cloud.requests if "access-1" in str(r.headers)}
    assert shown == {FEDERATION}
    federated(cloud, tmp_path, monkeypatch, "v3oidcaccesstoken", access_token="expired")
    assert why_not() == (
        Reason.NO_PERMISSION,
        "HTTP 401 to the token request; check user, password and domain of the clouds.yaml entry, then its roles there",
    )


def oauth2(cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.configure(
        tmp_path, monkeypatch, "v3oauth2clientcredential", auth_url=f"{cloud.url}/identity/v3",
        oauth2_endpoint=f"{cloud.url}/identity/v3/OS-OAUTH2/token", oauth2_client_id=SHOP,
        oauth2_client_secret="PLANTED-secret",
    )  # fmt: skip


def test_an_oauth2_client_credential_is_one_of_its_project(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    oauth2(cloud, tmp_path, monkeypatch)
    cloud.answer("/identity/v3/OS-OAUTH2/token", {"access_token": "access-2", "token_type": "Bearer"})
    assert volumes() == ["vol-1"]
    (asked,) = [r for r in cloud.requests if r.path.startswith(VOLUMES)]
    assert asked.headers["Authorization"] == "Bearer access-2"
    (gap,) = collect(IN_BANK, "cinder.volumes").gaps()
    assert gap.detail == "a credential of the kind v3oauth2clientcredential works in its own scope only"


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"error": "invalid_client", "error_description": "\x1b[31mPLANTED"}, 401),
        Reply(b"<html>", 502),
        Reply({}),
    ],
)
def test_an_oauth2_endpoint_that_gives_no_token_is_a_gap(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    oauth2(cloud, tmp_path, monkeypatch)
    cloud.answers["/identity/v3/OS-OAUTH2/token", None] = reply
    reason, detail = why_not()
    assert reason is Reason.INVALID_ANSWER
    assert "no token could be had from" in detail
    assert "PLANTED" not in detail


@pytest.mark.parametrize("kind", ["v3websso", "v3oidcdeviceauthz"])
def test_a_credential_that_needs_a_person_is_refused_at_once(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    federated(
        cloud, tmp_path, monkeypatch, kind, client_id="c", client_secret="s",
        discovery_endpoint=f"{cloud.url}/idp/about", access_token_endpoint=f"{cloud.url}/idp/token",
        device_authorization_endpoint=f"{cloud.url}/idp/device",
    )  # fmt: skip
    with pytest.raises(TargetError, match="needs somebody at a browser"):
        volumes()
    assert cloud.requests == []


# --- clouds.yaml, secure.yaml, variables -------------------------------------------------------------------


def test_the_secret_may_stand_in_secure_yaml(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth = own(cloud, project_name="shop", project_domain_name="Default")
    del auth["password"]
    cloud.configure(tmp_path, monkeypatch, **auth)
    secure = tmp_path / "secure.yaml"
    secure.write_text(json.dumps({"clouds": {"fake": {"auth": {"password": PASSWORD}}}}))
    monkeypatch.setenv("OS_CLIENT_SECURE_FILE", str(secure))
    assert volumes() == ["vol-1"]


def test_the_variables_are_an_entry_too(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TargetError, match="has no entry 'envvars'"):
        volumes(cloud="envvars")
    for name, value in own(cloud, project_name="shop", project_domain_name="Default").items():
        monkeypatch.setenv(f"OS_{name.upper()}", value)
    monkeypatch.setenv("OS_AUTH_TYPE", "v3password")
    assert volumes(cloud="envvars") == ["vol-1"]
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "none.yaml"))
    assert volumes(cloud="envvars") == ["vol-1"]


def test_a_profile_from_the_network_is_not_fetched(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.configure(tmp_path, monkeypatch, beside={"profile": f"{cloud.url}/vendor"})
    with pytest.raises(TargetError, match="its profile would be fetched from an address"):
        volumes()
    assert cloud.requests == []


# --- interfaces and addresses ------------------------------------------------------------------------------


def two_faces(cloud: FakeOpenStack) -> None:
    """Give the catalogue internal and admin endpoints beside the public ones."""
    original = cloud.catalogue

    def faces(service: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {**e, "id": f"{e['id']}-{face}", "interface": face, "url": e["url"].replace(cloud.url, f"{cloud.url}/{face}")}
            for e in service["endpoints"]
            for face in ("public", "internal", "admin")
        ]  # fmt: skip

    cloud.catalogue = lambda project: [{**s, "endpoints": faces(s)} for s in original(project)]  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("beside", "fields", "face"),
    [
        ({}, {}, "public"),
        ({"interface": "internal"}, {}, "internal"),
        ({"interface": "internalURL"}, {}, "internal"),
        ({"interface": "internal"}, {"interface": "admin"}, "admin"),
    ],
)
def test_the_interface_is_the_targets_or_the_entrys(
    cloud: FakeOpenStack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    beside: dict[str, Any],
    fields: dict[str, str],
    face: str,
) -> None:
    two_faces(cloud)
    cloud.configure(tmp_path, monkeypatch, beside=beside)
    collect(IN_SHOP, "cinder.volumes", **fields)
    asked = {path.split("/")[1] for path in cloud.paths_asked() if "volumes" in path}
    assert asked == {face}


OTHER = Scope("hn", "vn-hcm-1", SHOP)


def test_each_region_has_the_addresses_its_entry_gives_it(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.regions = ["vn-hn-1", "vn-hcm-1"]
    own_address = f"{cloud.url}/saigon/v3/%(project_id)s"
    regions = ["vn-hn-1", {"name": "vn-hcm-1", "values": {"volume_endpoint_override": own_address}}]
    cloud.configure(tmp_path, monkeypatch, beside={"regions": regions})
    cloud.answer(f"/saigon/v3/{SHOP}/volumes/detail", {"volumes": [{**VOLUME, "id": "vol-hcm"}]})
    assert volumes() == ["vol-1"]
    there = collect(OTHER, "cinder.volumes").one("openstack.volume")
    assert (there.id, there.endpoint) == ("vol-hcm", f"{cloud.url}/saigon/v3")
    assert told(IN_SHOP)["overrides"] == ["block-storage (vn-hcm-1)"]


def test_an_address_without_regions_is_that_of_all(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = {"block_storage_endpoint_override": f"{cloud.url}/own/$(tenant_id)s"}
    cloud.configure(tmp_path, monkeypatch, beside=beside)
    cloud.answer(f"/own/{SHOP}/v3/volumes/detail", {"volumes": [{**VOLUME, "id": "vol-own"}]})
    assert volumes() == ["vol-own"], "with the version that the address leaves out"
    cloud.configure(tmp_path, monkeypatch, beside={**beside, "region_name": "vn-elsewhere-1"})
    assert volumes() == ["vol-1"], "the address is another region's"


@pytest.mark.parametrize("address", ["ftp://x", "http://user:PLANTED@x", "no address"])
def test_an_address_nobody_can_use_is_an_error(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    cloud.configure(tmp_path, monkeypatch, beside={"image_endpoint_override": address})
    with pytest.raises(TargetError, match="its address of image is none a client can use") as caught:
        volumes()
    assert "PLANTED" not in str(caught.value)


def test_a_region_with_another_keystone_is_another_target(
    cloud: FakeOpenStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = {"name": "vn-hcm-1", "values": {"auth": {"auth_url": "http://other.test/v3"}}}
    cloud.configure(tmp_path, monkeypatch, beside={"regions": ["vn-hn-1", elsewhere]})
    with pytest.raises(TargetError, match="its region 'vn-hcm-1' has another Keystone or credential"):
        volumes()


# --- TLS ---------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path)


@pytest.mark.parametrize("parts", [1, 2])
def test_a_client_certificate_lets_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority, parts: int
) -> None:
    fake = small_cloud()
    fake.tls = authority.server("127.0.0.1", clients=authority)
    pem = str(authority.client())
    beside = {"cert": pem, **({"key": pem} if parts == 2 else {})}
    with fake.running():
        fake.configure(tmp_path, monkeypatch, beside={**beside, "cacert": str(authority.path)})
        assert volumes() == ["vol-1"]


@pytest.mark.parametrize("stranger", [False, True])
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_without_the_client_certificate_that_is_demanded_there_is_no_way_in(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
    stranger: bool,
    newest: ssl.TLSVersion,
) -> None:
    (tmp_path / "other").mkdir()
    shown = {"cert": str(Authority.make(tmp_path / "other").client())} if stranger else {}
    fake = small_cloud()
    fake.tls = authority.server("127.0.0.1", clients=authority, newest=newest)
    with fake.running():
        fake.configure(tmp_path, monkeypatch, beside=shown)
        place = fake.url.removeprefix("https://")
        broken_off = f"TLS handshake with {place} broken off; see cert and key in clouds.yaml if it wants a certificate"
        # TLS 1.3 refuses a client only after the handshake, when the request may be on its way.
        late = f"the connection was closed without an answer: {place}"
        expected = {broken_off} | ({late} if newest is ssl.TLSVersion.TLSv1_3 else set())
        reason, detail = why_not(ca_file=str(authority.path))
        assert (reason, detail in expected) == (Reason.UNREACHABLE, True), detail
    assert fake.requests == []


def test_an_expired_certificate_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    fake = small_cloud()
    fake.tls = authority.server("127.0.0.1", until=PAST)
    with fake.running():
        fake.configure(tmp_path, monkeypatch)
        place = fake.url.removeprefix("https://")
        assert why_not(ca_file=str(authority.path)) == (
            Reason.UNREACHABLE,
            f"the certificate of {place} has expired",
        )


@pytest.mark.parametrize("names", [("10.0.0.9", "cloud.example.test"), ()])
def test_a_certificate_of_another_host_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority, names: tuple[str, ...]
) -> None:
    fake = small_cloud()
    fake.tls = authority.server(*names)
    with fake.running():
        fake.configure(tmp_path, monkeypatch)
        place = fake.url.removeprefix("https://")
        assert why_not(ca_file=str(authority.path)) == (
            Reason.UNREACHABLE,
            f"the certificate of {place} is for another host",
        )
    assert fake.requests == []


@pytest.mark.parametrize("trusting", ["nobody", "another authority"])
def test_a_certificate_nobody_trusts_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority, trusting: str
) -> None:
    fake = small_cloud()
    fake.tls = authority.server("127.0.0.1")
    (tmp_path / "other").mkdir()
    other = {"ca_file": str(Authority.make(tmp_path / "other").path)}
    with fake.running():
        fake.configure(tmp_path, monkeypatch)
        place = fake.url.removeprefix("https://")
        assert why_not(**(other if trusting == "another authority" else {})) == (
            Reason.UNREACHABLE,
            f"certificate verify failed for {place}; give ca_file",
        )
    assert fake.requests == []


def test_a_certificate_that_signs_itself_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = small_cloud()
    fake.tls = self_signed(tmp_path, "127.0.0.1")
    with fake.running():
        fake.configure(tmp_path, monkeypatch)
        place = fake.url.removeprefix("https://")
        assert why_not() == (Reason.UNREACHABLE, f"certificate verify failed for {place}; give ca_file")
    assert fake.requests == []


def mixed(fake: FakeOpenStack, plain: FakeOpenStack) -> None:
    """Put the block storage of a cloud on https at an http address."""
    original = fake.catalogue
    fake.catalogue = lambda project: json.loads(  # type: ignore[method-assign]
        json.dumps(original(project)).replace(f"{fake.url}/volume", f"{plain.url}/volume")
    )


def test_a_token_of_keystone_on_https_does_not_travel_in_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    fake, plain = small_cloud(), small_cloud()
    fake.tls = authority.server("127.0.0.1")
    with fake.running(), plain.running():
        fake.configure(tmp_path, monkeypatch)
        mixed(fake, plain)
        place = plain.url.removeprefix("http://")
        taken = collect(IN_SHOP, "cinder.volumes", "glance.images", ca_file=str(authority.path))
        assert [(g.type, g.reason, g.detail) for g in taken.gaps()] == [
            (
                "openstack.volume",
                Reason.NOT_COLLECTED,
                f"GET {VOLUMES}?limit=1000 was not sent: {place} is asked over http, and Keystone over https;"
                " allow_http: true of the target would send the token in clear",
            )
        ]
        assert [s.type for s in taken.listings()] == ["openstack.image"], "the others are unharmed"
        assert plain.requests == []
        assert volumes(ca_file=str(authority.path), allow_http=True) == ["vol-1"]
        assert {r.token for r in plain.requests} == {f"token-{SHOP}"}


def test_a_secret_for_keystone_on_https_goes_to_no_provider_on_http(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeOpenStack()
    fake.url = "https://keystone.example.test"
    settings = {
        "client_id": "c",
        "client_secret": "PLANTED",
        "access_token_endpoint": "http://idp.test/token",
    }
    federated(fake, tmp_path, monkeypatch, "v3oidcclientcredentials", **settings)
    with pytest.raises(TargetError, match="send its secret over http to idp"):
        collector().credential()
    assert collector(allow_http=True).credential()["scope"] == "unknown"


# --- proxies -----------------------------------------------------------------------------------------------


def test_a_proxy_of_the_environment_is_not_used(
    cloud: FakeOpenStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with forwarding(ForwardProxy()) as proxy:
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert volumes() == ["vol-1"]
    assert proxy.asked == []


@pytest.mark.parametrize("login", [None, "kiem-toan:PLANTED p@ss"])
def test_a_named_proxy_passes_everything(
    cloud: FakeOpenStack, monkeypatch: pytest.MonkeyPatch, login: str | None
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with forwarding(ForwardProxy(login)) as proxy:
        host, _, port = proxy.place.rpartition(":")
        named = Proxy(host, int(port), login)
        assert volumes(proxy=named) == ["vol-1"]
        assert "PLANTED" not in repr(named)
    assert len(proxy.asked) == len(cloud.requests) > 2
    assert f"POST {cloud.url}{TOKENS}" in proxy.asked
    assert not [r for r in cloud.requests if "Proxy-Authorization" in r.headers]


def test_a_proxy_tunnels_to_https(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    fake = small_cloud()
    fake.tls = authority.server("127.0.0.1")
    with fake.running(), forwarding(ForwardProxy("an:mat-khau")) as proxy:
        fake.configure(tmp_path, monkeypatch)
        named = Proxy.read(proxy.url.replace("//", "//an:mat-khau@"), "'proxy'")
        assert volumes(proxy=named, ca_file=str(authority.path)) == ["vol-1"]
        place = fake.url.removeprefix("https://")
    assert set(proxy.asked) == {f"CONNECT {place}"}, "what is asked within stays within"


@pytest.mark.parametrize(
    ("proxy", "reason", "detail"),
    [
        (
            ForwardProxy("an:mat-khau"),
            Reason.UNREACHABLE,
            "the proxy {place} refuses the connection (HTTP 407); name its user and password in proxy_file",
        ),
        (ForwardProxy(page=403), Reason.UNREACHABLE, "the proxy {place} refuses the connection (HTTP 403)"),
        (ForwardProxy(page=502), Reason.UNREACHABLE, "the proxy {place} refuses the connection (HTTP 502)"),
    ],
)
def test_a_proxy_that_makes_no_tunnel_is_a_gap(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    authority: Authority,
    proxy: ForwardProxy,
    reason: Reason,
    detail: str,
) -> None:
    fake = small_cloud()
    fake.tls = authority.server("127.0.0.1")
    with fake.running(), forwarding(proxy):
        fake.configure(tmp_path, monkeypatch)
        named = Proxy.read(proxy.url.replace("//", "//an:PLANTED@"), "'proxy'")
        expected = detail.format(place=proxy.place, cloud=fake.url.removeprefix("https://"))
        assert why_not(proxy=named, ca_file=str(authority.path)) == (reason, expected)
    assert fake.requests == []
    assert len(proxy.asked) == 1, "nobody is locked out by asking again"


def test_a_proxy_that_answers_connect_with_a_page_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    fake = small_cloud()
    fake.tls = authority.server("127.0.0.1")
    with fake.running(), forwarding(ForwardProxy(page=200)) as proxy:
        fake.configure(tmp_path, monkeypatch)
        reason, detail = why_not(proxy=Proxy.read(proxy.url, "'proxy'"), ca_file=str(authority.path))
        place = fake.url.removeprefix("https://")
        assert (reason, detail.startswith(f"TLS handshake with {place} ")) == (Reason.UNREACHABLE, True), (
            detail
        )


@pytest.mark.parametrize(
    ("proxy", "reason", "detail"),
    [
        (ForwardProxy("an:mat-khau"), Reason.UNREACHABLE, "HTTP 407 to the token request"),
        (
            ForwardProxy(page=403),
            Reason.INVALID_ANSWER,
            "HTTP 403 to the token request with HTML: no answer of a service;"
            " let the proxy or firewall before it pass this machine",
        ),
        (
            ForwardProxy(page=200),
            Reason.INVALID_ANSWER,
            "no token could be had from {cloud} (InvalidResponse)",
        ),
    ],
)
def test_a_proxy_that_answers_in_place_of_the_cloud_is_a_gap(
    cloud: FakeOpenStack, proxy: ForwardProxy, reason: Reason, detail: str
) -> None:
    with forwarding(proxy):
        expected = detail.format(cloud=cloud.url.removeprefix("http://"))
        assert why_not(proxy=Proxy.read(proxy.url, "'proxy'")) == (reason, expected)
    assert cloud.requests == []


def test_a_page_for_people_is_no_refusal_of_the_cloud(cloud: FakeOpenStack) -> None:
    cloud.answers[VOLUMES, None] = Reply(b"<html>Blocked</html>", 403)
    assert why_not() == (
        Reason.INVALID_ANSWER,
        f"HTTP 403 from GET {VOLUMES}?limit=1000 with HTML: no answer of a service;"
        " let the proxy or firewall before it pass this machine",
    )
    cloud.answers[VOLUMES, None] = Reply(b"<html>Forbidden</html>", 403, {"X-Trans-Id": "tx1"})
    assert why_not() == (Reason.NO_PERMISSION, f"HTTP 403 from GET {VOLUMES}?limit=1000")


def test_a_proxy_nobody_listens_at_is_named(cloud: FakeOpenStack) -> None:
    assert why_not(proxy=Proxy("127.0.0.1", 1)) == (
        Reason.UNREACHABLE,
        "no connection to the proxy 127.0.0.1:1",
    )


@pytest.mark.parametrize(
    "written",
    [
        "proxy:3128",
        "socks5://x:1",
        "https://x:1",
        "http://x",
        "http://x:0",
        "http://x:99999",
        "http://x:1/path",
        "",
    ],
)
def test_what_is_no_proxy_is_an_error_that_shows_nothing_of_it(written: str) -> None:
    with pytest.raises(TargetError) as caught:
        Proxy.read(f"{written}", "what proxy_file 'p' holds")
    assert str(caught.value) == (
        "what proxy_file 'p' holds is no address of a proxy; write http://HOST:PORT;"
        " a proxy is asked over http, and what it passes on stays encrypted"
    )


def test_users_are_a_gap_when_access_rules_hide_them(cloud: FakeOpenStack) -> None:
    """Keystone holds its own paths against the rules too, and answers them with 401."""
    cloud.answer("/identity/v3/users", status=401)
    taken = collect(TARGET, "keystone.users")
    (gap,) = taken.gaps()
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.detail) == (Reason.NO_PERMISSION, "HTTP 401 from GET /identity/v3/users")
    assert USER["id"] not in [u.id for u in taken.resources("openstack.user")]


@pytest.mark.parametrize(
    ("date", "headers", "skew"),
    [
        ("Sun, 22 Nov 2026 03:46:40 GMT", {}, 0),
        ("Sun, 22 Nov 2026 04:01:40 GMT", {}, 0),
        ("Sun, 22 Nov 2026 04:01:41 GMT", {}, 901),
        ("Sun, 22 Nov 2026 01:46:40 GMT", {}, -7200),
        ("Sun, 22 Nov 2026 01:46:40 GMT", {"Age": "7200"}, 0),
        ("yesterday", {}, 0),
    ],
)
def test_a_clock_far_from_ours_is_told(
    cloud: FakeOpenStack, date: str, headers: dict[str, str], skew: int
) -> None:
    cloud.date = date
    cloud.answer(VOLUMES, {"volumes": [VOLUME]}, headers=headers, project=SHOP)
    for path in ("/identity/v3/auth/projects", "/volume/v3/"):
        cloud.answer(path, {"projects": [{"id": SHOP, "name": "shop"}], "versions": []}, headers=headers)
    reader = collector()
    assert reader.clock_skew() == 0
    list(reader.collect(IN_SHOP, frozenset({"cinder.volumes"}), CallLog()))
    assert reader.clock_skew() == skew
