"""What a preflight finds missing is what an audit finds missing, and it costs less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import playback
import pytest
import s3_play
from fake_openstack import AT, BANK, IN_BANK, SHOP, TARGET, listed
from openstack_answers import VOLUME, offset_list
from wire import Bed, catalogue, needs, open_bed, sound_bucket

from cloudaudit import api, registers, snapshot, targets
from cloudaudit.collectors.openstack import session
from cloudaudit.model import Gap, Reason, Verdict
from cloudaudit.preflight import NOBODY, Preflight, Row, State, judged, preflight

REFUSED = {"HEAD": playback.Reply(403), "*": s3_play.error(403, "AccessDenied")}
Wrong = Callable[[Bed], None]


@pytest.fixture
def bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bed]:
    monkeypatch.setattr(session, "FIRST_PAUSE", 0.0)
    with open_bed(tmp_path, monkeypatch) as opened:
        opened.cloud.roles = {SHOP: ["member"], BANK: ["member"]}
        yield opened


def fly(bed: Bed, profile: str = "ndc-connection", more: str = "", buckets: str = "") -> Preflight:
    subject = bed.subject(more, buckets)
    return preflight(subject, needs(profile), registers.load(None), now=lambda: AT)


def row(found: Preflight, call: str, target: str | None = None) -> Row:
    (one,) = (r for r in found.rows if r.call.name == call and target in (None, r.target))
    return one


def answer(path: str, status: int, body: Any = None, project: str | None = None) -> Wrong:
    return lambda bed: bed.cloud.answer(path, body, status, project=project)


def no_roles(bed: Bed) -> None:
    bed.cloud.roles = {SHOP: ["auditor"], BANK: ["auditor"]}


def no_network(bed: Bed) -> None:
    del bed.cloud.paths["network"]


def no_bank(bed: Bed) -> None:
    """Listed among the projects, and no token is to be had for it."""
    bed.cloud.answer(
        "/identity/v3/auth/projects",
        listed("projects", [{"id": i, "name": i} for i in (SHOP, BANK, "f" * 32)]),
    )


def many_volumes(bed: Bed) -> None:
    """A page of one where that is asked for, and a next page."""
    for project in (SHOP, BANK):
        path = f"/volume/v3/{project}/volumes/detail"
        more = [{"rel": "next", "href": f"{bed.cloud.url}{path}?limit=1000&marker=vol-1"}]
        rows = [{**VOLUME, "os-vol-tenant-attr:tenant_id": project}]
        bed.cloud.answer(path, {"volumes": rows, "volumes_links": more})
        bed.cloud.answer(f"{path}?limit=1000&marker=vol-1", {"volumes": [{**rows[0], "id": "vol-2"}]})


def store_of(**buckets: Any) -> Wrong:
    return lambda bed: setattr(bed.store, "answer", s3_play.store(buckets))


def refuses(*queries: str) -> dict[str, playback.Reply]:
    return {**sound_bucket(), **{query: s3_play.error(403, "AccessDenied") for query in queries}}


def lists_nothing(bed: Bed) -> None:
    bed.store.answer = s3_play.store({}, listing=s3_play.error(403, "AccessDenied"))


def nothing_wrong(bed: Bed) -> None:
    """A sound cloud."""


WRONG: dict[str, Wrong] = {
    "nothing": nothing_wrong,
    "many volumes": many_volumes,
    "users refused": answer("/identity/v3/users", 403),
    "groups refused": answer("/identity/v3/groups", 403),
    "members refused": answer("/identity/v3/groups/grp-1/users", 403),
    "volumes of one project refused": answer(f"/volume/v3/{BANK}/volumes/detail", 403),
    "volumes are no JSON": answer(f"/volume/v3/{SHOP}/volumes/detail", 200, b"<html>"),
    "types refused": answer(f"/volume/v3/{BANK}/types", 403),
    "encryption refused": answer(f"/volume/v3/{SHOP}/types/type-1/encryption", 403),
    "shares unknown": answer("/share/v2/shares/detail", 404),
    "ports refused": answer("/network/v2.0/ports", 403, project=SHOP),
    "extensions refused": answer("/network/v2.0/extensions", 403),
    "no extension for VPN": answer("/network/v2.0/extensions", 200, {"extensions": [{"alias": "router"}]}),
    "IKE policies refused": answer("/network/v2.0/vpn/ikepolicies", 403, project=SHOP),
    "head of a container refused": answer(f"/object/v1/AUTH_{SHOP}/kho", 403),
    "zones of one service refused": answer("/compute/v2.1/os-availability-zone", 403),
    "roles without sight": no_roles,
    "no network service": no_network,
    "a project without a token": no_bank,
    "catalogue refused": answer("/identity/v3/auth/catalog", 403),
    "nobody let in": answer("/identity/v3/auth/tokens", 401),
    "policies refused": store_of(kho=refuses("policy", "publicAccessBlock")),
    "bucket refused": store_of(kho=REFUSED),
    "buckets not listed": lists_nothing,
    "no buckets": store_of(),
}


def told(found: Preflight) -> list[tuple[object, ...]]:
    """All of it but how many scopes there were, and in whose words."""
    return [(r.target, r.call.name, r.state, r.reason, r.not_seen, r.controls) for r in found.rows]


def shape(gap: Gap) -> tuple[object, ...]:
    return gap.scope, gap.type, gap.operation, gap.reason, gap.listing


@pytest.mark.parametrize("vantage", ["tenant", "operator"])
@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
def test_a_sample_finds_missing_what_an_audit_finds_missing(bed: Bed, wrong: Wrong, vantage: str) -> None:
    bed.cloud.system_roles = ["reader"]
    wrong(bed)
    more = f", vantage: {vantage}"
    whole = bed.run("ndc-connection", more)
    sample = bed.run("ndc-connection", more, sample=True)
    assert set(map(shape, sample.read.gaps)) == set(map(shape, whole.read.gaps))
    of_sample, of_whole = (judged(r.read, r.planned, needs("ndc-connection")) for r in (sample, whole))
    assert told(of_sample) == told(of_whole)
    # Beside what was planned, a sample looks for a bucket that it sees.
    assert sample.unplanned() == []


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
def test_controls_that_an_audit_leaves_unknown_were_told_before(
    bed: Bed, wrong: Wrong, tmp_path: Path
) -> None:
    """Judged by the whole engine: what it does not know for want of sight, the preflight named."""
    wrong(bed)
    found = fly(bed)
    known = api.know("ndc-connection")
    done = bed.run("ndc-connection")
    contents = snapshot.Contents(
        AT, AT, needs("ndc-connection").plan.types, done.read.resources, done.read.listings, done.read.gaps,
        done.read.calls, {},
    )  # fmt: skip
    snapshot.write(tmp_path / "snapshot", contents, catalogue().types)
    report = api.assess(
        tmp_path / "snapshot", tmp_path / "out", known, registers.load(None), at=AT, generated_at=AT
    ).report
    of_sight = {
        Reason.NO_PERMISSION, Reason.SERVICE_ABSENT, Reason.NOT_IMPLEMENTED, Reason.PARTIAL, Reason.INVALID_ANSWER,
        Reason.TIMEOUT, Reason.UNREACHABLE, Reason.AMBIGUOUS,
    }  # fmt: skip
    unknown = {
        f["control"]
        for f in report["findings"]
        if f["verdict"] == Verdict.UNKNOWN
        and f["reason_code"] in of_sight
        # No credential is told for whom a transfer waits: only one that is there shows that it matters.
        and f["resource"]["type"] != "openstack.volume_transfer"
    }
    assert unknown <= set(found.controls)
    if done.read.gaps:
        assert not found.complete


def test_a_sound_cloud_is_seen_but_for_what_needs_an_admin_key(bed: Bed) -> None:
    bed.cloud.system_roles = ["reader"]
    found = fly(bed)
    (keyless,) = (row for row in found.rows if not row.complete)
    assert (keyless.call.name, keyless.state, keyless.reason, keyless.controls) == (
        "s3.admin_period", State.REFUSED, Reason.NO_PERMISSION, ("BDR-12",),
    )  # fmt: skip
    assert keyless.detail.startswith("targets.yaml gives no key for the admin API")
    assert (found.complete, found.controls) == (False, ("BDR-12",))
    assert {r.state for r in found.rows if r is not keyless} == {State.SEEN}


def test_a_refused_list_names_its_controls_and_its_scope(bed: Bed) -> None:
    bed.cloud.answer(f"/volume/v3/{BANK}/backups/detail", None, 403)
    found = row(fly(bed), "cinder.backups")
    assert (found.state, found.reason, found.scopes) == (State.REFUSED, Reason.NO_PERMISSION, 2)
    assert found.not_seen == (str(IN_BANK),)
    assert found.detail == f"HTTP 403 from GET /volume/v3/{BANK}/backups/detail?limit=1"
    assert "BDR-01" in found.controls
    assert "SEC-06" not in found.controls


def test_a_fact_that_is_hidden_leaves_only_its_own_controls_unknown(bed: Bed) -> None:
    bed.store.answer = s3_play.store({"kho": refuses("policy")})
    found = fly(bed)
    assert row(found, "s3.policy").state is State.REFUSED
    assert row(found, "s3.policy").controls == (
        "BDR-13", "SEC-13", "SEC-14", "SEC-18", "SEC-20",
    )  # fmt: skip
    assert row(found, "s3.acl").state is State.SEEN


def test_a_service_that_is_provably_not_there_leaves_nothing_unknown(bed: Bed) -> None:
    del bed.cloud.paths["sharev2"]
    found = row(fly(bed), "manila.shares")
    assert (found.state, found.complete, found.controls) == (State.ABSENT, True, ())
    assert "shared-file-system is not in the catalogue" in found.detail


def test_of_three_lists_of_zones_each_is_told_by_itself(bed: Bed) -> None:
    bed.cloud.answer("/compute/v2.1/os-availability-zone", None, 403)
    del bed.cloud.paths["volumev3"]
    found = fly(bed)
    states = [row(found, f"{name}.availability_zones").state for name in ("nova", "cinder", "neutron")]
    assert states == [State.REFUSED, State.ABSENT, State.SEEN]


def test_a_kind_of_target_that_is_neither_there_nor_declared_absent_is_told(bed: Bed) -> None:
    path = bed.folder / "targets.yaml"
    bed.subject()
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if "kind: s3" not in line))
    (subject,) = targets.load(path, {}).subjects
    found = preflight(subject, needs("ci-quick"), registers.load(None), now=lambda: AT)
    last = found.rows[-1]
    assert (last.target, last.call.name, last.reason) == (NOBODY, "s3.*", Reason.NOT_COLLECTED)
    assert last.controls == ("RES-04", "SEC-13")


def test_a_sample_reads_one_item_of_a_list_and_one_bucket(bed: Bed, tmp_path: Path) -> None:
    many_volumes(bed)
    groups = [{"id": f"grp-{n}", "name": f"nhom-{n}"} for n in range(9)]
    bed.cloud.answer("/identity/v3/groups", listed("groups", groups))
    bed.cloud.answer("/identity/v3/groups/grp-0/users", listed("users", []))
    bed.store.answer = s3_play.store({"kin": REFUSED, **{f"kho-{n}": sound_bucket() for n in range(9)}})
    fly(bed)
    asked = [r.path for r in bed.cloud.requests]
    assert {path for path in asked if "/volumes/" in path} == {
        f"/volume/v3/{project}/volumes/detail?limit=1" for project in (SHOP, BANK)
    }
    assert len([path for path in asked if path.startswith("/identity/v3/groups/")]) == 1
    assert len({path for path in asked if "/ports" in path}) == 1
    asked_of = {r.path.partition("?")[0] for r in bed.store.asked}
    assert asked_of == {"/", "/kin", "/kho-0"}


def test_named_buckets_are_all_looked_at(bed: Bed) -> None:
    bed.store.answer = s3_play.store({"kho": sound_bucket()})
    found = fly(bed, buckets=", buckets: [kho, mat]")
    assert row(found, "s3.list_buckets").reason is Reason.AMBIGUOUS
    assert "'mat' named in targets.yaml" in row(found, "s3.list_buckets").detail
    asked = [f"{r.method} {r.path}" for r in bed.store.asked if r.path.startswith("/mat")]
    assert set(asked) == {"HEAD /mat"}


def test_a_token_that_is_refused_is_told_with_everything_it_was_for(bed: Bed) -> None:
    bed.cloud.answer("/identity/v3/auth/tokens", None, 401)
    found = fly(bed)
    mine = [r for r in found.rows if r.target == TARGET.target]
    assert {r.reason for r in mine} == {Reason.NO_PERMISSION}
    assert {r.detail for r in mine} == {
        "HTTP 401 to the token request; check user, password and domain of the clouds.yaml entry, then its roles there"
    }


def test_pages_by_counting_end_with_the_first(bed: Bed) -> None:
    """An empty first page is an answer, too."""
    bed.cloud.call("/share/v2/shares/detail", offset_list("shares"))
    assert row(fly(bed), "manila.shares").state is State.SEEN
