"""The admin API of Ceph RGW: what it tells, what it refuses, and the secrets that stay where they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playback import AT, Asked, Reply, playing
from s3_play import bucket_list, target

from cloudaudit.catalog import load_types
from cloudaudit.collectors.s3 import S3Collector, S3Target
from cloudaudit.collectors.s3.admin import CALLS, TYPES
from cloudaudit.collectors.transport import CallLog
from cloudaudit.errors import TargetError
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope, Unseen

SCOPE = Scope("kho")
RGW = {"x-amz-request-id": "tx00000000000000000002a-0069215b4e-1088-vn-hn-1"}
SECRETS = ("BI-MAT-CUA-NGUOI-DUNG", "BI-MAT-SWIFT", "BI-MAT-HE-THONG", "AKIACUANGUOIKHAC", "bi-mat-quan-tri")


def quota(enabled: bool = False, size: int = -1, objects: int = -1) -> dict[str, Any]:
    return {
        "enabled": enabled,
        "check_on_raw": False,
        "max_size": size,
        "max_size_kb": 0,
        "max_objects": objects,
    }


def zone(id_: str, name: str, **more: Any) -> dict[str, Any]:
    plain = {
        "id": id_, "name": name, "endpoints": [f"http://{name}.vn:8000"], "log_meta": "false", "log_data": "true",
        "bucket_index_max_shards": 11, "read_only": "false", "tier_type": "", "sync_from_all": "true",
        "sync_from": [], "redirect_zone": "", "system_key": {"access_key": SECRETS[3], "secret_key": SECRETS[2]},
    }  # fmt: skip
    return {**plain, **more}


HN = {
    "id": "zg-1", "name": "vn-hn", "api_name": "vn-hn", "is_master": "true", "endpoints": ["http://hn.vn:8000"],
    "hostnames": ["s3.hn.vn"], "hostnames_s3website": [], "master_zone": "z-1",
    "zones": [zone("z-1", "vn-hn-1"), zone("z-2", "vn-hn-2", read_only=True, sync_from_all=False, sync_from=["vn-hn-1"])],
    "placement_targets": [
        {"name": "default-placement", "tags": [], "storage_classes": ["STANDARD"]},
        {"name": "cold", "tags": ["luu-tru"]},
    ],
    "default_placement": "default-placement", "realm_id": "r-1",
}  # fmt: skip
PERIOD = {
    "id": "p-1",
    "master_zonegroup": "zg-1",
    "realm_id": "r-1",
    "period_map": {"id": "p-1", "zonegroups": [HN]},
}
MAP = {"zonegroups": [{"key": "zg-1", "val": {**HN, "realm_id": ""}}], "master_zonegroup": "zg-1"}
USER = {
    "tenant": "", "user_id": "van-thu", "display_name": "Bộ phận văn thư", "email": "", "suspended": 0,
    "max_buckets": 1000, "subusers": [],
    "keys": [{"user": "van-thu", "access_key": SECRETS[3], "secret_key": SECRETS[0]}],
    "swift_keys": [{"user": "van-thu:s", "secret_key": SECRETS[1]}],
    "caps": [{"type": "users", "perm": "read"}, {"type": "buckets", "perm": "*"}],
    "op_mask": "read, write, delete", "default_placement": "", "mfa_ids": [], "type": "rgw",
    "bucket_quota": quota(), "user_quota": quota(True, 1024, 5),
}  # fmt: skip
SYSTEM = {**USER, "user_id": "congtya$dong-bo", "tenant": "congtya", "system": "true", "suspended": 1,
          "mfa_ids": ["may-1"], "op_mask": "read"}  # fmt: skip
BUCKET = {
    "bucket": "ho-so", "num_shards": 1, "tenant": "congtya", "zonegroup": "zg-1", "placement_rule": "cold",
    "id": "x.1", "marker": "x.1", "owner": "congtya$chu", "usage": {}, "bucket_quota": quota(True, -1, 100),
}  # fmt: skip


def state(name: str) -> dict[str, Any]:
    return {"info": {"status": name, "num_shards": 2}, "markers": [{"key": 0, "val": {"state": 1}}]}


def answers(**other: Any) -> dict[str, Any]:
    """What a gateway of zone vn-hn-1 answers, by path below /admin/ and its telling arguments."""
    plain = {
        "realm/period": PERIOD, "log metadata": state("sync"), "log z-2": state("building-full-sync-maps"),
        "metadata/user": ["van-thu", "congtya$dong-bo"], "user van-thu": USER, "user congtya$dong-bo": SYSTEM,
        "bucket": [BUCKET, {**BUCKET, "bucket": "tai-lieu", "tenant": "", "owner": "van-thu"}],
    }  # fmt: skip
    return {**plain, **{name.replace("__", " ").replace("_", "/"): found for name, found in other.items()}}


def refused(status: int, code: str) -> Reply:
    return Reply(status, json.dumps({"Code": code, "RequestId": "x", "HostId": "y"}).encode())


def gateway(known: Mapping[str, Any], headers: Mapping[str, str] = RGW) -> Callable[[Asked], Reply]:
    def answer(asked: Asked) -> Reply:
        parts = urlsplit(asked.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        argument = query.get("uid") or query.get("source-zone") or query.get("type", "")
        path = parts.path.removeprefix("/admin/")
        found = known.get(f"{path} {argument}".strip(), known.get(path, refused(404, "NoSuchKey")))
        reply = found if isinstance(found, Reply) else Reply(200, json.dumps(found).encode())
        return Reply(reply.status, reply.body, {**headers, **reply.headers})

    return answer


class Found:
    def __init__(self, seen: list[Any], log: CallLog) -> None:
        self.resources = {(r.type, r.id): r for r in seen if isinstance(r, Resource)}
        self.gaps = [g for g in seen if isinstance(g, Gap)]
        self.listings = {x.type: (x.count, x.proof) for x in seen if isinstance(x, Listing)}
        self.calls = log.calls
        self.everything = seen

    def facts(self, type_: str, id_: str) -> dict[str, Any]:
        return dict(self.resources[type_, id_].facts)


def ask(
    known: Mapping[str, Any] | Callable[[Asked], Reply],
    keys: Path,
    wanted: frozenset[str] = frozenset(CALLS),
    **more: Any,
) -> Found:
    access, secret = keys / "admin-access", keys / "admin-secret"
    access.write_text("AKIDQUANTRI\n")
    secret.write_text("bi-mat-quan-tri\n")
    files = {"admin_access_key_file": str(access), "admin_secret_key_file": str(secret)}
    with playing(known if callable(known) else gateway(known)) as server:
        log = CallLog()
        collector = S3Collector(
            target(server.url, keys, **{**files, **more}), now=lambda: 0, pause=lambda seconds: None
        )
        return Found(list(collector.collect(SCOPE, wanted, log)), log)


# --- what it tells --------------------------------------------------------------------------------


def test_zonegroups_and_zones_of_a_period(tmp_path: Path) -> None:
    found = ask(answers(), tmp_path)
    assert found.facts("s3.zonegroup", "zg-1") == {
        "api_name": "vn-hn", "is_master": True, "endpoints": ("http://hn.vn:8000",), "hostnames": ("s3.hn.vn",),
        "default_placement": "default-placement",
        "placement_targets": (
            {"name": "default-placement", "tags": (), "storage_classes": ("STANDARD",)},
            {"name": "cold", "tags": ("luu-tru",), "storage_classes": ()},
        ),
        "realm_id": "r-1",
    }  # fmt: skip
    common = {"zonegroup": "vn-hn", "log_meta": False, "log_data": True, "tier_type": None}
    assert found.facts("s3.zone", "z-1") == {
        **common, "gateway": True, "is_master": True, "endpoints": ("http://vn-hn-1.vn:8000",), "read_only": False,
        "sync_from_all": True, "sync_from": (), "metadata_sync.state": None, "data_sync.state": None,
    }  # fmt: skip
    assert found.facts("s3.zone", "z-2") == {
        **common, "gateway": False, "is_master": False, "endpoints": ("http://vn-hn-2.vn:8000",), "read_only": True,
        "sync_from_all": False, "sync_from": ("vn-hn-1",), "data_sync.state": "building-full-sync-maps",
    }  # fmt: skip
    detail = "asked was a gateway of zone 'vn-hn-1': only its own tells"
    assert found.resources["s3.zone", "z-2"].unseen == {"metadata_sync": Unseen(Reason.PARTIAL, detail)}
    assert (found.listings["s3.zonegroup"], found.listings["s3.zone"]) == (
        (1, "the period names 1 zonegroups"), (2, "the period names 2 zones"),
    )  # fmt: skip
    assert found.gaps == []


def test_the_master_zone_syncs_no_metadata_and_a_gateway_tells_of_its_own_zone_only(tmp_path: Path) -> None:
    """Asked for its sync the master answers "init" for ever: that is no zone which has not begun."""
    wanted = frozenset({"s3.admin_period", "s3.admin_metadata_sync"})
    master = ask(answers(log__metadata=state("init")), tmp_path, wanted)
    assert master.facts("s3.zone", "z-1")["metadata_sync.state"] is None
    assert [call.request for call in master.calls] == ["GET /admin/realm/period"]
    headers = {"x-amz-request-id": RGW["x-amz-request-id"].replace("vn-hn-1", "vn-hn-2")}
    second = ask(gateway(answers(), headers), tmp_path, wanted)
    states = {id_: second.facts("s3.zone", id_)["metadata_sync.state"] for id_ in ("z-1", "z-2")}
    assert states == {"z-1": None, "z-2": "sync"}
    # A zone of a zonegroup that does not lead takes its metadata from elsewhere, whatever it leads itself.
    period = {**PERIOD, "period_map": {"id": "p-1", "zonegroups": [{**HN, "is_master": "false"}]}}
    follower = ask(answers(realm_period=period), tmp_path, wanted)
    assert follower.facts("s3.zone", "z-1")["metadata_sync.state"] == "sync"


def test_users_and_bucket_quotas(tmp_path: Path) -> None:
    found = ask(answers(), tmp_path)
    no_limit = {
        "bucket_quota.enabled": False,
        "bucket_quota.max_size": None,
        "bucket_quota.max_objects": None,
    }
    limit = {"user_quota.enabled": True, "user_quota.max_size": 1024, "user_quota.max_objects": 5}
    plain = {"max_buckets": 1000, "access_keys": 1, "caps": ("buckets=*", "users=read"), "admin": False}
    assert found.facts("s3.user", "van-thu") == {
        **plain, **limit, **no_limit, "suspended": False, "tenant": None, "op_mask": ("delete", "read", "write"),
        "mfa.enabled": False, "system": False,
    }  # fmt: skip
    assert found.facts("s3.user", "congtya$dong-bo") == {
        **plain, **limit, **no_limit, "suspended": True, "tenant": "congtya", "op_mask": ("read",),
        "mfa.enabled": True, "system": True,
    }  # fmt: skip
    assert found.facts("s3.bucket_quota", "congtya/ho-so") == {
        "owner": "congtya$chu", "tenant": "congtya", "zonegroup_id": "zg-1", "placement": "cold",
        "quota.enabled": True, "quota.max_size": None, "quota.max_objects": 100,
    }  # fmt: skip
    assert found.facts("s3.bucket_quota", "tai-lieu")["tenant"] is None
    assert (found.listings["s3.user"], found.listings["s3.bucket_quota"]) == (
        (2, "metadata names 2 users"), (2, "the admin API lists 2 buckets"),
    )  # fmt: skip


def test_a_store_without_a_realm_has_a_zonegroup_map(tmp_path: Path) -> None:
    known = answers(realm_period=refused(404, "NoSuchKey"), config=MAP)
    found = ask(known, tmp_path, frozenset({"s3.admin_period"}))
    assert found.facts("s3.zonegroup", "zg-1")["realm_id"] is None
    assert [call.request for call in found.calls] == [
        "GET /admin/realm/period", "GET /admin/config?type=zonegroup-map",
    ]  # fmt: skip


def test_evidence_points_to_its_call_and_only_what_is_wanted_is_asked(tmp_path: Path) -> None:
    found = ask(answers(), tmp_path)
    requests = [call.request for call in found.calls]
    assert [call.number for call in found.calls] == list(range(len(requests)))
    zone2, user = found.resources["s3.zone", "z-2"], found.resources["s3.user", "van-thu"]
    assert requests[zone2.source_of("data_sync.state")] == "GET /admin/log?type=data&status&source-zone=z-2"
    assert requests[zone2.source_of("read_only")] == "GET /admin/realm/period"
    assert requests[user.source_of("user_quota.max_size")] == "GET /admin/user?uid=van-thu"
    assert (user.at, user.scope, user.name) == (AT, SCOPE, "van-thu")
    listed = ask(answers(), tmp_path, frozenset({"s3.admin_users"}))
    assert [call.request for call in listed.calls] == ["GET /admin/metadata/user"]
    assert listed.facts("s3.user", "van-thu") == {}
    assert ask(answers(), tmp_path, frozenset({"nova.servers"})).calls == []


def test_the_admin_key_signs_and_no_verb_changes_anything(tmp_path: Path) -> None:
    asked: list[Asked] = []
    play = gateway(answers())

    def remember(one: Asked) -> Reply:
        asked.append(one)
        return play(one)

    ask(remember, tmp_path)
    assert {one.method for one in asked} == {"GET"}
    signed = {one.headers["Authorization"].partition("Credential=")[2].partition("/")[0] for one in asked}
    assert signed == {"AKIDQUANTRI"}


# --- what it does not tell ------------------------------------------------------------------------


def test_without_an_admin_key_every_list_is_a_gap_that_says_what_to_give(tmp_path: Path) -> None:
    none = {"admin_access_key_file": None, "admin_secret_key_file": None}
    found = ask(answers(), tmp_path, **none)
    assert {(gap.type, gap.reason, gap.detail.rpartition(" ")[2]) for gap in found.gaps} == {
        ("s3.zonegroup", Reason.NO_PERMISSION, "zone=read"),
        ("s3.zone", Reason.NO_PERMISSION, "zone=read"),
        ("s3.user", Reason.NO_PERMISSION, "metadata=read"),
        ("s3.bucket_quota", Reason.NO_PERMISSION, "buckets=read"),
    }
    assert (found.resources, found.listings, found.calls) == ({}, {}, [])


@pytest.mark.parametrize("kind", ["MinIO", "SeaweedFS 4.48"])
def test_another_store_has_no_zones_and_needs_no_key_for_them(kind: str, tmp_path: Path) -> None:
    listed = bucket_list(["ho-so"])
    found = ask(
        lambda asked: Reply(listed.status, listed.body, {"Server": kind}),
        tmp_path, frozenset({*CALLS, "s3.list_buckets"}), admin_access_key_file=None, admin_secret_key_file=None,
    )  # fmt: skip
    proof = f"the store is {kind.split()[0].lower()}, and zones are those of Ceph RGW"
    for type_ in ("s3.zone", "s3.zonegroup"):
        assert found.listings[type_] == (0, proof)
        assert not [gap for gap in found.gaps if gap.type == type_]


@pytest.mark.parametrize("headers", [RGW, {}])
def test_of_a_ceph_or_unmarked_store_without_an_admin_key_zones_are_not_known(
    headers: dict[str, str], tmp_path: Path
) -> None:
    listed = bucket_list(["ho-so"])
    found = ask(
        lambda asked: Reply(listed.status, listed.body, headers),
        tmp_path, frozenset({*CALLS, "s3.list_buckets"}), admin_access_key_file=None, admin_secret_key_file=None,
    )  # fmt: skip
    assert "s3.zone" not in found.listings
    assert [gap.reason for gap in found.gaps if gap.type == "s3.zone"] == [Reason.NO_PERMISSION]


@pytest.mark.parametrize(
    ("reply", "headers", "reason", "detail"),
    [
        (refused(403, "AccessDenied"), RGW, "no_permission", "403 AccessDenied: give the user of the admin key the caps {caps}"),
        (Reply(403), {}, "no_permission", "403: give the user of the admin key the caps {caps}"),
        (refused(403, "RequestTimeTooSkewed"), RGW, "no_permission",
         "403 RequestTimeTooSkewed: this machine's clock is more than 15 minutes off the store's; set it (NTP) and "
         "collect again"),
        (refused(405, "MethodNotAllowed"), RGW, "not_implemented",
         "405 MethodNotAllowed: there is no admin API of Ceph RGW at /admin"),
        (Reply(404, b"<Error><Code>NoSuchBucket</Code></Error>"), {}, "not_implemented",
         "404 NoSuchBucket: there is no admin API of Ceph RGW at /admin"),
        (Reply(404, b"<Error><Code>NoSuchBucket</Code></Error>"), RGW, "not_implemented",
         "404 NoSuchBucket: there is no admin API of Ceph RGW at /admin"),
        (Reply(403, b"<Error><Code>AccessDenied</Code></Error>"), {"Server": "MinIO"}, "not_implemented",
         "403 AccessDenied: the store is minio, and has no admin API of Ceph RGW"),
        (Reply(200, b"<ListBucketResult/>"), {"Server": "SeaweedFS 4.48"}, "not_implemented",
         "200: the store is seaweedfs, and has no admin API of Ceph RGW"),
        (Reply(200, b"<ListBucketResult/>"), {}, "not_implemented", "200: there is no admin API of Ceph RGW at /admin"),
        (Reply(200, b"[" * 100_000), RGW, "invalid_answer", "200 with something that is no JSON"),
        (refused(404, "NoSuchKey"), RGW, "service_absent", "404 NoSuchKey"),
        (refused(500, "UnknownError"), RGW, "invalid_answer", "500 UnknownError"),
    ],
)  # fmt: skip
def test_refusals_and_other_stores_are_gaps(
    reply: Reply, headers: dict[str, str], reason: str, detail: str, tmp_path: Path
) -> None:
    found = ask(lambda asked: Reply(reply.status, reply.body, headers), tmp_path)
    caps = {
        "s3.zonegroup": "zone=read",
        "s3.zone": "zone=read",
        "s3.user": "metadata=read",
        "s3.bucket_quota": "buckets=read",
    }
    assert {gap.type: (gap.reason, gap.detail) for gap in found.gaps} == {
        type_: (Reason(reason), detail.format(caps=cap)) for type_, cap in caps.items()
    }
    assert (found.resources, found.listings) == ({}, {})


@pytest.mark.parametrize(
    ("known", "type_", "detail"),
    [
        ({"realm_period": {}}, "s3.zone", "200, but it holds no list of zonegroups"),
        ({"realm_period": {"period_map": {"zonegroups": [{"id": 5}]}}}, "s3.zonegroup",
         "200, but it holds no list of zonegroups"),
        ({"realm_period": {"period_map": {"zonegroups": [{**HN, "zones": [zone("z-1", "a"), {"name": "b"}]}]}}},
         "s3.zone", "200, but it holds no list of zonegroups"),
        ({"metadata_user": {"keys": []}}, "s3.user", "200, but it is no list of users"),
        ({"metadata_user": ["a", 5]}, "s3.user", "200, but it is no list of users"),
        ({"bucket": ["ho-so"]}, "s3.bucket_quota", "200, but it is no list of buckets with their figures"),
    ],
)  # fmt: skip
def test_lists_that_are_none_are_gaps(known: dict[str, Any], type_: str, detail: str, tmp_path: Path) -> None:
    found = ask(answers(**known), tmp_path)
    assert [(gap.reason, gap.detail) for gap in found.gaps if gap.type == type_] == [
        (Reason.INVALID_ANSWER, detail)
    ]
    assert type_ not in found.listings


def test_odd_fields_are_unseen_and_the_others_stay(tmp_path: Path) -> None:
    odd = {**USER, "suspended": "maybe", "caps": "users=*", "keys": None, "user_quota": {"enabled": True}}
    user = ask(answers(**{"user__van-thu": odd}), tmp_path).resources["s3.user", "van-thu"]
    assert {name: why.detail for name, why in user.unseen.items()} == {
        "suspended": "200, but suspended is neither true nor false",
        "caps": "200, but caps is no list of caps",
        "access_keys": "200, but access_keys is no list",
        "user_quota": "200, but user_quota.max_objects is no whole number",
    }
    assert (user.facts["max_buckets"], "suspended" in user.facts) == (1000, False)


def test_a_user_that_is_refused_is_there_without_facts(tmp_path: Path) -> None:
    found = ask(answers(**{"user__van-thu": refused(403, "AccessDenied")}), tmp_path)
    user = found.resources["s3.user", "van-thu"]
    refusal = Unseen(
        Reason.NO_PERMISSION, "403 AccessDenied: give the user of the admin key the caps users=read"
    )
    assert (user.facts, set(user.unseen.values())) == ({}, {refusal})
    (gap,) = found.gaps
    assert (gap.operation, gap.detail, gap.listing) == (
        "s3.admin_user", f"1 users, the first 'van-thu': {refusal.detail}", False,
    )  # fmt: skip
    assert found.calls[gap.call].request == "GET /admin/user?uid=van-thu"


def test_which_zone_answered_is_not_guessed(tmp_path: Path) -> None:
    found = ask(gateway(answers(), {"x-amz-request-id": "1A2B3C"}), tmp_path)
    zone1 = found.resources["s3.zone", "z-1"]
    unknown = Unseen(Reason.AMBIGUOUS, "the answers do not tell which zone the gateway belongs to")
    assert (zone1.facts["gateway"], zone1.unseen) == (None, {"metadata_sync": unknown, "data_sync": unknown})
    assert not [call for call in found.calls if "/log" in call.request]


# --- secrets, and what is declared ----------------------------------------------------------------


def test_no_secret_of_the_admin_api_is_in_anything_that_is_handed_out(tmp_path: Path) -> None:
    leak = {**USER, "suspended": SECRETS[0], "caps": [{"type": {"x": SECRETS[1]}, "perm": SECRETS[2]}],
            "tenant": {"secret_key": SECRETS[0]}}  # fmt: skip
    found = ask(answers(**{"user__van-thu": leak}), tmp_path)
    assert ("s3.user", "van-thu") in found.resources
    told = repr((found.everything, found.calls))
    for secret in (*SECRETS, "AKIDQUANTRI", "AWS4-HMAC"):
        assert secret not in told


def test_what_the_admin_api_gives_is_what_resources_declare(tmp_path: Path) -> None:
    types, found = load_types(), ask(answers(), tmp_path)
    assert {type_ for type_, _ in found.resources} == TYPES
    for (type_, _), resource in found.resources.items():
        assert set(resource.facts) <= set(types[type_].facts)
    for type_ in TYPES:
        declared = {name for name, fact in types[type_].facts.items() if not fact.derived}
        given = {name for (of, _), r in found.resources.items() if of == type_ for name in r.facts}
        assert given == declared
        assert set(types[type_].calls) <= set(CALLS)


def test_half_an_admin_key_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(TargetError) as caught:
        S3Target("kho", "https://s3.vn", profile="p", admin_access_key_file="x")
    assert "needs the admin key from one place" in str(caught.value)
    key = tmp_path / "key"
    key.write_text("khoa\n")
    files = {"access_key_file": str(key), "secret_key_file": str(key), "admin_secret_key_file": str(key)}
    incomplete = S3Target("kho", "https://s3.vn", **files, admin_access_key_file="khong-co")
    with pytest.raises(TargetError, match="admin_access_key_file 'khong-co' cannot be read"):
        S3Collector(incomplete, now=lambda: 0)
