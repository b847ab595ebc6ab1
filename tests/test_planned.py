"""What a plan says is what goes over the wire: nothing more, nothing less, and as often as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import playback
import pytest
import s3_play
from fake_openstack import AT, BANK, SHOP, FakeOpenStack, listed
from openstack_answers import small_cloud

from cloudaudit import registers, targets
from cloudaudit.catalog import Catalogue, load_catalogue, load_profile
from cloudaudit.collecting import read_subject
from cloudaudit.collectors.runner import Collected
from cloudaudit.plan import plan
from cloudaudit.planned import PER, Needs, Planned, TargetPlan, of_openstack, of_s3, planned
from cloudaudit.targets import Subject

PROFILES = ("ci-quick", "ndc-connection", "s3-only")
ROOTS = {
    "identity": "/identity/v3",
    "compute": "/compute/v2.1",
    "block-storage": "/volume/v3/[^/]+",
    "network": "/network/v2.0",
    "image": "/image/v2",
    "object-store": "/object/v1/AUTH_[^/]+",
    "shared-file-system": "/share/v2",
    "s3": "",
}
"""Where the services of the fake clouds have their API, as patterns."""
VERSIONS = {**ROOTS, "block-storage": "/volume/v3"}


@cache
def catalogue() -> Catalogue:
    return load_catalogue()


@cache
def needs(profile: str) -> Needs:
    return Needs.of(load_profile(profile, catalogue()), catalogue().types)


def fits(one: Planned, method: str, url: str) -> bool:
    """Whether a request on the wire is one of a planned kind."""
    verb, _, template = one.call.request.partition(" ")
    if verb != method or one.call.service not in ROOTS:
        return False
    path, _, query = template.partition("?")
    version = one.call.name.endswith(".version")
    root = (VERSIONS if version else ROOTS)[one.call.service]
    # The account of an object store has no slash at its end, a document of versions may have one.
    own = "/?" if path == "/" else re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(path))
    asked = urlsplit(url)
    if not re.fullmatch(root + own, asked.path):
        return False
    given = dict(parse_qsl(asked.query, keep_blank_values=True))
    if one.call.service == "s3" and bool(query) != bool(given):
        return False
    wanted = dict(parse_qsl(query, keep_blank_values=True))
    return all(
        key.startswith("{") or (key in given and (value.startswith("{") or given[key] == value))
        for key, value in wanted.items()
    )


@dataclass
class Bed:
    """Two fake services, a targets.yaml that names them, and what came over the wire to each."""

    cloud: FakeOpenStack
    store: playback.Playback
    folder: Path

    def subject(self, more: str = "", buckets: str = "") -> Subject:
        keys = {"access": "AKIDKIEMTHU\n", "secret": "bi-mat-kiem-thu\n"}
        for name, key in keys.items():
            (self.folder / name).touch(mode=0o600)
            (self.folder / name).write_text(key)
        path = self.folder / "targets.yaml"
        path.write_text(
            "version: 1\n"
            "subjects:\n"
            "  - id: mau\n"
            "    kind: provider\n"
            "    title: {vi: Mẫu}\n"
            "    targets:\n"
            f"      - {{name: hn, kind: openstack, cloud: fake{more}}}\n"
            f'      - {{name: kho, kind: s3, endpoint: "{self.store.url}", region: vn-hn,'
            f" access_key_file: access, secret_key_file: secret{buckets}}}\n"
        )
        (subject,) = targets.load(path, {}).subjects
        return subject

    def run(self, profile: str, more: str = "", buckets: str = "") -> Run:
        subject = self.subject(more, buckets)
        found = planned(subject, needs(profile), registers.load(None))
        self.cloud.requests.clear()
        self.store.asked.clear()
        read = read_subject(subject, needs(profile).plan, registers.load(None), now=lambda: AT)
        return Run(
            found,
            {
                "hn": [(r.method, r.path) for r in self.cloud.requests],
                "kho": [(r.method, r.path) for r in self.store.asked],
            },
            read,
        )


@dataclass
class Run:
    """What was planned for each target, what was asked of it, and what came of that."""

    planned: tuple[TargetPlan, ...]
    asked: dict[str, list[tuple[str, str]]]
    read: Collected

    def unplanned(self) -> list[tuple[str, str]]:
        """Requests on the wire that no plan tells of."""
        return [
            request
            for target in self.planned
            for request in self.asked[target.name]
            if not any(fits(one, *request) for one in target.calls)
        ]

    def not_made(self) -> set[tuple[str, str]]:
        """Planned calls that were not made. Handshakes are not seen by a server of HTTP."""
        return {
            (one.call.name, one.call.request)
            for target in self.planned
            for one in target.calls
            if one.call.service != "probe"
            and not any(fits(one, *request) for request in self.asked[target.name])
        }


@pytest.fixture
def bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bed]:
    answers = {query: playback.Reply(200) for query, _ in s3_play.WIRE.values()}
    store = s3_play.store({"kho": {**answers, "HEAD": playback.Reply(200)}})
    cloud = small_cloud()
    cloud.answer(
        "/identity/v3/projects", {"projects": [{"id": i, "name": n} for i, n in cloud.projects.items()]}
    )
    cloud.answer(f"/object/v1/AUTH_{BANK}?format=json", [])
    with cloud.running(), playback.playing(store) as playing:
        cloud.configure(tmp_path, monkeypatch)
        yield Bed(cloud, playing, tmp_path)


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
        "neutron.availability_zones", "neutron.vpn_connections", "neutron.vpn_ike_policies",
        "neutron.vpn_ipsec_policies", "keystone.group_users", "keystone.federated_users",
        "cinder.type_encryption", "swift.container_head",
        *(name for name in done.planned[1].by_call if name not in ("s3.list_buckets", "probe.tls")),
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
        asked = {
            (call.scope.region, call.scope.project)
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
    found = {one.call.name: one for one in (*of_openstack(whole, "operator"), *of_s3(whole))}
    assert set(calls) - set(found) == {"document.get"}
    assert {one.per for one in found.values()} <= set(PER)
