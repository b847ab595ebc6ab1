"""What a plan says is what goes over the wire: nothing more, nothing less, and as often as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import s3_play
from fake_openstack import BANK, SHOP, Reply, listed
from wire import PROFILES, Bed, catalogue, fits, needs, open_bed

from cloudaudit.catalog import load_profile
from cloudaudit.plan import plan
from cloudaudit.planned import PER, Needs, of_openstack, of_s3


@pytest.fixture
def bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bed]:
    with open_bed(tmp_path, monkeypatch) as opened:
        yield opened


@pytest.mark.parametrize("more", ["", ", vantage: operator", ", projects: [shop]"])
@pytest.mark.parametrize("buckets", ["", ", buckets: [kho]"])
@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_planned_is_what_is_asked(bed: Bed, profile: str, more: str, buckets: str) -> None:
    bed.cloud.system_roles = ["reader"]
    done = bed.run(profile, more, buckets)
    assert done.unplanned() == []
    # Of one project alone, the credential's own, the first token is the only one.
    own = {("keystone.token_project", "POST /auth/tokens")} if "projects" in more else set()
    assert done.not_made() - own == set()


def test_a_credential_that_looks_for_its_keystone_says_so(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    bed.cloud.configure(bed.folder, monkeypatch, auth_type="password")
    done = bed.run("ci-quick")
    assert "keystone.version" in done.planned[0].by_call
    assert (done.unplanned(), done.not_made()) == ([], set())


def test_an_application_credential_asks_for_one_token(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = {"application_credential_id": SHOP, "application_credential_secret": "x"}
    url = f"{bed.cloud.url}/identity/v3"
    bed.cloud.configure(bed.folder, monkeypatch, "v3applicationcredential", auth_url=url, **auth)
    done = bed.run("ndc-connection")
    assert [one.call.name for one in done.planned[0].calls if "POST" in one.call.request] == [
        "keystone.token"
    ]
    assert [method for method, _ in done.asked["hn"]].count("POST") == 1
    assert done.unplanned() == []


def test_a_federated_credential_tells_where_it_signs_in(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    keystone = f"{bed.cloud.url}/identity/v3"
    federation = "/OS-FEDERATION/identity_providers/so/protocols/openid/auth"
    bed.cloud.answer("/idp/token", {"access_token": "access-1", "token_type": "Bearer"})
    token = {
        "methods": ["openid"], "issued_at": "2026-11-22T03:46:40Z", "expires_at": "2099-01-01T00:00:00Z",
        "user": {"id": "u", "name": "audit"},
    }  # fmt: skip
    signed_in = Reply({"token": token}, 201, {"X-Subject-Token": "token-unscoped"})
    bed.cloud.answers["/identity/v3" + federation, None] = signed_in
    bed.cloud.configure(
        bed.folder, monkeypatch, "v3oidcclientcredentials", auth_url=keystone, identity_provider="so",
        protocol="openid", client_id="audit-client", client_secret="PLANTED-client", project_id=SHOP,
        access_token_endpoint=f"http://an:PLANTED@{bed.cloud.url.removeprefix('http://')}/idp/token?key=PLANTED",
    )  # fmt: skip
    done = bed.run("ci-quick")
    assert [(one.call.request, one.per) for one in done.planned[0].calls if "POST" in one.call.request] == [
        (f"POST {keystone}{federation}", "token"),
        (f"POST {bed.cloud.url}/idp/token", "token"),
        ("POST /auth/tokens", "target"),
        ("POST /auth/tokens", "project"),
    ]
    assert (done.unplanned(), done.not_made()) == ([], set())


def test_what_was_planned_and_not_asked_had_nothing_to_be_asked_of(bed: Bed) -> None:
    """Items that are not there, a service without the extension, a store without buckets."""
    bed.cloud.answer("/network/v2.0/extensions", {"extensions": [{"alias": "router"}]})
    bed.cloud.answer("/identity/v3/groups", {"groups": [], "links": {}})
    bed.cloud.answer("/identity/v3/OS-FEDERATION/identity_providers", {"identity_providers": [], "links": {}})
    for project in (SHOP, BANK):
        bed.cloud.answer(f"/volume/v3/{project}/types", {"volume_types": []})
        bed.cloud.answer(f"/object/v1/AUTH_{project}?format=json", [])
    bed.store.answer = s3_play.store({})
    done = bed.run("ndc-connection")
    assert done.unplanned() == []
    without = {name for name, _ in done.not_made()}
    assert without == {
        "neutron.address_groups", "neutron.availability_zones", "neutron.vpn_connections", "neutron.vpn_ike_policies",
        "neutron.vpn_ipsec_policies", "keystone.group_users", "keystone.federated_users",
        "keystone.identity_provider_protocols", "cinder.type_encryption", "swift.container_head",
        "neutron.network_logs", "neutron.rbac_policies", "neutron.trunks",
        *(name for name in done.planned[1].by_call if name not in ("s3.list_buckets", "probe.tls", "probe.dns")),
    }  # fmt: skip


@pytest.mark.parametrize("vantage", ["tenant", "operator"])
def test_a_call_is_made_once_for_what_its_plan_says(bed: Bed, vantage: str) -> None:
    bed.cloud.regions = ["vn-hn-1", "vn-hn-2"]
    done = bed.run("ndc-connection", f", vantage: {vantage}")
    regions = [(region, None) for region in bed.cloud.regions]
    places = {
        "target": [(None, None)],
        "region": regions,
        "region_project": [(region, project) for region, _ in regions for project in (SHOP, BANK)],
    }
    counted = 0
    for one in done.planned[0].calls:
        # Shared by all who need it: tokens, versions, types as every project sees them; and extensions, for
        # both regions have one address of Neutron.
        if one.call.per or one.per not in places or one.call.name == "neutron.extensions":
            continue
        # An operator's lists of one project each belong to the region as a whole.
        named = (SHOP, BANK) if "{project}" in one.call.request else ()
        asked = {
            (call.scope.region, max(named, key=call.request.rfind, default=call.scope.project))
            for call in done.read.calls
            if fits(one, *call.request.split(" ", 1)) and call.scope.target == "hn"
        }
        assert asked == set(places[one.per]), one
        counted += 1
    assert counted > 15


def test_a_quick_check_makes_a_fifth_of_the_calls_and_lists_no_users(bed: Bed) -> None:
    """A fifth on a cloud whose users have groups, which are asked one by one; a third on one without any size."""
    small = bed.run("ci-quick"), bed.run("ndc-connection")
    groups = [{"id": f"grp-{number}", "name": f"nhom-{number}"} for number in range(1, 81)]
    bed.cloud.answer("/identity/v3/groups", listed("groups", groups))
    for group in groups:
        bed.cloud.answer(f"/identity/v3/groups/{group['id']}/users", listed("users", []))
    large = bed.run("ci-quick"), bed.run("ndc-connection")
    for (quick, whole), share in ((small, 3), (large, 5)):
        few, many = (sum(map(len, done.asked.values())) for done in (quick, whole))
        assert few * share <= many, (few, many)
        assert not [
            url for _, url in quick.asked["hn"] if re.search(r"/(users|groups|role_assignments)\b", url)
        ]


def test_without_controls_of_a_kind_nothing_is_asked_of_it() -> None:
    found = Needs.of(load_profile("s3-only", catalogue()), catalogue().types)
    nothing = Needs(found.types, plan(load_profile("s3-only", catalogue()), {}), {})
    assert (of_openstack(nothing), of_s3(nothing)) == ((), ())


def test_every_declared_call_says_what_it_is_made_once_for() -> None:
    """Calls that are added are planned by their declaration alone."""
    every = needs("ndc-connection")
    types = {name: one for name, one in catalogue().types.items() if not one.declared}
    facts = {name: frozenset(one.facts) for name, one in types.items()}
    calls = {call.name: call for one in types.values() for call in one.calls.values()}
    whole = Needs(every.types, type(every.plan)(facts, calls), {})
    every_one = (*of_openstack(whole, "operator"), *of_s3(whole, admin=True))
    # What goes with a call stands after it.
    found = {one.call.name: one for one in reversed(every_one)}
    assert set(calls) - set(found) == {"document.get"}
    assert {one.per for one in found.values()} <= set(PER)
    items = {name: one.item for name, one in found.items() if one.per == "item"}
    assert items.items() >= {
        "cinder.type_encryption": "types", "swift.container_head": "container", "keystone.group_users": "groups",
    }.items()  # fmt: skip
    further = [one for one in of_openstack(whole) if one.call.request == "GET /users?idp_id={provider}"]
    assert [(one.per, one.item) for one in further] == [("item", "provider")]
