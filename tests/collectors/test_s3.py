"""The S3 collector against recorded answers of ten stores, and against stores that mean harm."""

from __future__ import annotations

import base64
import json
import random
import time
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from certificates import Authority
from forward_proxy import ForwardProxy, forwarding
from playback import AT, Asked, Reply, playing
from s3_play import (
    EVERY,
    LISTING,
    STORES,
    VARIANTS,
    WIRE,
    Seen,
    bucket_list,
    collect,
    error,
    recorded,
    store,
)

from cloudaudit.catalog import load_types
from cloudaudit.collectors.s3 import S3Collector, S3Target
from cloudaudit.collectors.s3.listing import MINIO_OWNER
from cloudaudit.collectors.s3.operations import operations
from cloudaudit.collectors.transport import CallLog, Proxy
from cloudaudit.model import FactType, Gap, Listing, Partial, Reason, Resource, Scope, Unseen

SCOPE = Scope("kho")
NOTHING = {op.query: dict(op.nothing) for op in operations(frozenset())}
GROUPS = {op.query: op.groups for op in operations(frozenset())}
CALLS = {op.query: op.call for op in operations(frozenset())}
HERE = Reply(200)
GRANT = "let the owner grant these keys the right to read this"
ASK = "the store does not accept the request; check region and credentials"
UNSIGNED = (
    "owner 'anonymous': the store did not take the signature; check the keys, and that no proxy on the way "
    "drops the Authorization header"
)


def facts_of(resource: Resource, query: str) -> dict[str, Any]:
    """The facts a sub-resource gives, of one bucket."""
    return {name: v for name, v in resource.facts.items() if name.split(".")[0] in GROUPS[query]}


def why(resource: Resource, query: str) -> Reason | None:
    """The reason all groups of a sub-resource are missing for; None when none is."""
    found = {getattr(resource.unseen.get(group), "reason", None) for group in GROUPS[query]}
    (only,) = found
    return only


# --- ten stores -----------------------------------------------------------------------------------


@cache
def played(name: str) -> Seen:
    """One collection of a store: buckets unset and set, each also with the recorded variants."""
    with TemporaryDirectory() as folder, playing(_whole_store(name)) as server:
        return collect(server.url, Path(folder))


def _answers(name: str, phase: str, variant: bool) -> dict[str, Reply]:
    records = STORES[name]["operations"]
    answers = {"HEAD": Reply(200), "khong-co-tham-so": Reply(200, LISTING)}
    for short, (query, _) in WIRE.items():
        key = VARIANTS.get(short, short) if variant else short
        record = records[key].get(phase) or records[key]["unset"]
        answers[query] = recorded(short, record)
    return answers


def _whole_store(name: str) -> Any:
    buckets = {
        f"{phase}{'-variant' if variant else ''}": _answers(name, phase, variant)
        for phase in ("unset", "set")
        for variant in (False, True)
    }
    owner = STORES[name]["owner"]["ID"]
    return store(buckets, bucket_list(buckets, owner), STORES[name]["headers"])


CASES = [
    (name, short, phase, variant)
    for name in STORES
    for short in WIRE
    for phase in ("unset", "set")
    for variant in ((False, True) if short in VARIANTS else (False,))
]


@pytest.mark.parametrize(
    ("name", "short", "phase", "variant"),
    CASES,
    ids=["-".join((*c[:3], "v" * c[3])).rstrip("-") for c in CASES],
)
def test_state_of_every_setting_at_every_store(name: str, short: str, phase: str, variant: bool) -> None:
    """What the prober saw of an operation decides: a foreign document and a 501 are never "not set"."""
    records = STORES[name]["operations"]
    record = records[VARIANTS[short] if variant else short]
    answer = record.get(phase) or record["unset"]
    foreign = answer["status"] == 200 and "parsed" not in answer
    refused = answer["status"] in (405, 501)
    hidden = name == "swift" and short == "acl"
    query = WIRE[short][0]
    bucket = played(name).buckets[f"{phase}{'-variant' if variant else ''}"]
    if foreign or refused or hidden:
        assert (facts_of(bucket, query), why(bucket, query)) == ({}, Reason.NOT_IMPLEMENTED)
        return
    assert why(bucket, query) is None
    expected = _expected(name, short, phase, variant, answer)
    assert facts_of(bucket, query) == expected


def _expected(name: str, short: str, phase: str, variant: bool, answer: dict[str, Any]) -> dict[str, Any]:
    query = WIRE[short][0]
    if answer["status"] == 404:
        return NOTHING[query]
    parsed = answer["parsed"]
    match short:
        case "location":
            return {"location": parsed["LocationConstraint"]}
        case "versioning":
            mfa = {"Disabled": False, "Enabled": True}.get(parsed.get("MFADelete"))
            state = {"Enabled": "enabled", "Suspended": "suspended"}.get(parsed.get("Status"), "off")
            return {"versioning.state": state, "versioning.mfa_delete": mfa}
        case "encryption":
            default = parsed["ServerSideEncryptionConfiguration"]["Rules"][0][
                "ApplyServerSideEncryptionByDefault"
            ]
            key = "KMSMasterKeyID" in default
            return {"encryption.algorithm": default["SSEAlgorithm"], "encryption.kms_key_present": key}
        case "object_lock":
            retention = parsed["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention", {})
            seconds = 86_400 * retention["Days"] if retention else None
            return {"lock.enabled": True, "lock.mode": retention.get("Mode"), "lock.retention": seconds}
        case "lifecycle":
            return {"lifecycle.rules": (TRANSITION_RULE if variant else LIFECYCLE_RULE,)}
        case "replication":
            rules = parsed["ReplicationConfiguration"].get("Rules", [])
            return {"replication.rules": tuple(_replicated(rule) for rule in rules)}
        case "policy":
            return {"policy.present": True, "policy.statements": (_tls_only(parsed["Policy"]),)}
        case "policy_status":
            return {"policy_status.is_public": parsed["PolicyStatus"]["IsPublic"]}
        case "public_access_block":
            flag = parsed["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
            return dict.fromkeys(NOTHING[query], flag)
        case "acl":
            owner = parsed.get("Owner", {}).get("ID") or None
            return {"acl.owner": owner, "acl.grants": tuple(_granted(grant) for grant in parsed["Grants"])}
        case "logging":
            target = parsed.get("LoggingEnabled", {})
            return {
                "logging.target": target.get("TargetBucket"),
                "logging.prefix": target.get("TargetPrefix"),
            }
        case "notification":
            topics = tuple(t["TopicArn"] for t in parsed.get("TopicConfigurations", []))
            return {"notification.targets": topics}
        case "tagging":
            return {"labels": {}, "label_names": tuple(sorted(tag["Key"] for tag in parsed["TagSet"]))}
        case "cors":
            return {"cors.origins": ("*",)}
        case "website":
            return {"website.enabled": True}
        case "ownership":
            return {"ownership.rule": "BucketOwnerEnforced"}
    raise AssertionError(short)


def rule(**differing: Any) -> dict[str, Any]:
    base = {
        "id": "", "enabled": True, "prefix": "", "filtered": False, "expire_days": None,
        "expire_date": None, "noncurrent_days": None, "newer_noncurrent": None, "abort_upload_days": None,
        "transitions": (),
    }  # fmt: skip
    return {**base, **differing}


LIFECYCLE_RULE = rule(
    id="luu-tru-6-nam", prefix="nhật ký/", expire_days=2190, noncurrent_days=30, abort_upload_days=7
)
TRANSITION_RULE = rule(id="chuyen-lop", prefix="a/", filtered=True, transitions=("STANDARD_IA",))


def _replicated(entry: dict[str, Any]) -> dict[str, Any]:
    arn = entry["Destination"]["Bucket"]
    assert arn.startswith("arn:aws:s3:::")
    return {
        "id": entry["ID"], "enabled": True, "prefix": "", "filtered": False, "destination": arn[13:],
        "destination_account": None, "storage_class": None,
    }  # fmt: skip


def _tls_only(policy: str) -> dict[str, Any]:
    assert "aws:SecureTransport" in policy
    bucket = policy.partition("arn:aws:s3:::")[2].partition("/")[0]
    return {
        "effect": "Deny", "principals": ("*",), "actions": ("s3:GetObject",),
        "resources": (f"arn:aws:s3:::{bucket}/*",), "conditions": ("Bool:aws:SecureTransport",),
    }  # fmt: skip


def _granted(grant: dict[str, Any]) -> dict[str, Any]:
    who = grant["Grantee"]
    if "URI" in who:
        return {"grantee": who["URI"].split("/")[-1], "kind": "group", "permission": grant["Permission"]}
    return {"grantee": who.get("ID", ""), "kind": "user", "permission": grant["Permission"]}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ceph-rgw", "ceph"), ("swift", "swift"), ("seaweedfs", "seaweedfs"), ("juicefs", "minio")]
    + [(name, "unknown") for name in ("zenko", "moto", "localstack", "ministack", "rclone", "s3rver")],
)
def test_kind_and_capabilities_of_the_ten_endpoints(name: str, kind: str) -> None:
    facts = played(name).endpoint.facts
    records = STORES[name]["operations"]
    never = {
        WIRE[short][1]
        for short in WIRE
        if {records[key]["probe"] for key in (short, VARIANTS.get(short, short))}
        <= {"ignored", "unsupported"}
    } | ({"GetBucketAcl"} if name == "swift" else set())
    assert facts["server_kind"] == kind
    assert facts["owner_id"] == STORES[name]["owner"]["ID"]
    assert facts["unsupported"] == tuple(sorted(never))
    assert facts["supported"] == tuple(sorted({api for _, api in WIRE.values()} - never))
    assert facts["answers_unknown_with_listing"] is True


@pytest.mark.parametrize("name", [n for n in STORES if "denied" in STORES[n]["operations"]["location"]])
def test_a_stranger_learns_nothing_but_what_the_store_cannot_do(name: str, tmp_path: Path) -> None:
    """The same questions by another user: refused, unknown or not implemented, and never a fact."""
    records = STORES[name]["operations"]
    answers = {query: recorded(short, records[short]["denied"]) for short, (query, _) in WIRE.items()}
    answers["HEAD"] = Reply(records["head_bucket"]["denied"]["status"])
    with playing(store({"cua-ai": answers}, bucket_list([], "toi"), STORES[name]["headers"])) as server:
        seen = collect(server.url, tmp_path, EVERY, buckets=("cua-ai",))
    if answers["HEAD"].status == 404:
        (gap,) = seen.gaps
        assert (gap.operation, gap.reason, seen.buckets) == ("s3.list_buckets", Reason.AMBIGUOUS, {})
        return
    assert seen.bucket.facts == {}
    for short, (query, _) in WIRE.items():
        status = records[short]["denied"]["status"]
        expected = Reason.NOT_IMPLEMENTED if status in (405, 501) else Reason.NO_PERMISSION
        if short == "policy" and status == 405:
            expected = Reason.AMBIGUOUS
        assert (short, why(seen.bucket, query)) == (short, expected)


@pytest.mark.parametrize("acl", ["swift-reader", "swift-s3acl"])
def test_what_swift_tells_a_user_without_rights_is_not_believed(acl: str, tmp_path: Path) -> None:
    """He is told that he owns the bucket, that nothing is tagged or locked; only versioning is true."""
    records = STORES["swift"]["unprivileged_user_of_the_same_account"][acl]
    answers = {query: recorded(short, records[short]) for short, (query, _) in WIRE.items()}
    answers["HEAD"] = Reply(records["head_bucket"]["status"])
    with playing(store({"x": answers}, headers=STORES["swift"]["headers"])) as server:
        seen = collect(server.url, tmp_path)
    assert dict(seen.bucket.facts) == {
        "owner_id": "chu",
        "versioning.state": "enabled",
        "versioning.mfa_delete": None,
    }
    assert seen.bucket.unseen["labels"] == Unseen(
        Reason.NO_PERMISSION, "200 with nothing set, but HEAD of the bucket answered 403: this proves nothing"
    )
    assert seen.bucket.unseen["lock"] == Unseen(
        Reason.NO_PERMISSION,
        "404 ObjectLockConfigurationNotFoundError, but HEAD of the bucket answered 403: this proves nothing",
    )
    assert seen.bucket.unseen["created_at"].reason is Reason.NOT_IMPLEMENTED


def test_swift_acl_counts_when_it_shows_a_grant_to_everyone(tmp_path: Path) -> None:
    grant = (
        b'<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group">'
        b"<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant>"
    )
    acl = Reply(
        200,
        b"<AccessControlPolicy><AccessControlList>" + grant + b"</AccessControlList></AccessControlPolicy>",
    )
    swift = {"X-Openstack-Request-Id": "tx1"}
    with playing(store({"x": {"HEAD": HERE, "acl": acl}}, headers=swift)) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.acl"}))
    assert seen.bucket.facts["acl.grants"] == (
        {"grantee": "AllUsers", "kind": "group", "permission": "READ"},
    )


@pytest.mark.parametrize("marked", ["/", "HEAD", "acl"])
def test_one_mark_of_swift_is_enough_to_doubt_a_private_acl(marked: str, tmp_path: Path) -> None:
    """A proxy may take the marks off some answers: the ACL is then no more evidence than before."""
    acl = Reply(200, b"<AccessControlPolicy><AccessControlList/></AccessControlPolicy>")
    answers = store({"x": {"HEAD": HERE, "acl": acl}})

    def answer(asked: Asked) -> Reply:
        reply = answers(asked)
        what = "HEAD" if asked.method == "HEAD" else "/" if asked.path == "/" else "acl"
        return Reply(reply.status, reply.body, {"X-Trans-Id": "tx1"} if what == marked else {})

    with playing(answer) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.acl"}))
    assert (facts_of(seen.bucket, "acl"), why(seen.bucket, "acl")) == ({}, Reason.NOT_IMPLEMENTED)


# --- single answers -------------------------------------------------------------------------------


def one(tmp_path: Path, query: str, reply: Reply, **answers: Reply) -> Resource:
    """The one bucket of a store, asked for one setting."""
    with playing(store({"b": {"HEAD": HERE, query: reply, **answers}})) as server:
        return collect(server.url, tmp_path, frozenset({CALLS[query]})).bucket


@pytest.mark.parametrize(
    ("query", "reply", "reason", "detail"),
    [
        ("versioning", Reply(200), "not_implemented", "200 with an empty body: the store does not know the question"),
        ("versioning", Reply(200, b" \n"), "not_implemented", "200 with an empty body: the store does not know the question"),
        ("lifecycle", Reply(200, LISTING), "not_implemented", "200 with <ListBucketResult>: the store does not know the question"),
        ("lifecycle", Reply(200, b"trang chu"), "not_implemented", "200 with something that is no XML: the store does not know the question"),
        ("policy", Reply(200, b'["x"]'), "not_implemented", "200 with JSON that is no policy: the store does not know the question"),
        ("policy", Reply(200, b"xin chao"), "not_implemented", "200 with something that is no JSON: the store does not know the question"),
        ("policy", Reply(200, LISTING), "not_implemented", "200 with <ListBucketResult>: the store does not know the question"),
        ("lifecycle", Reply(200, b"<ListAllMyBucketsResult/>"), "invalid_answer",
         "200 with <ListAllMyBucketsResult>: the list of all buckets; the endpoint does not know this host style"),
        ("lifecycle", Reply(200, b"<HTML><body>dang nhap</body></HTML>"), "invalid_answer", "200 with <html>: this is no S3 answer"),
        ("lifecycle", Reply(200, b"<Error><Code>x</Code></Error>"), "invalid_answer", "200 with <Error>"),
        ("lifecycle", Reply(200, b"<LifecycleConfiguration><Rule>"), "invalid_answer", "200, but the XML is damaged"),
        ("versioning", Reply(200, b"\xff\xfe\x00"), "invalid_answer", "200, but it is no UTF-8 text"),
        ("versioning", error(403, "AccessDenied"), "no_permission", f"403 AccessDenied: {GRANT}"),
        ("versioning", Reply(403), "no_permission", "403"),
        ("versioning", error(404, "NoSuchBucket"), "ambiguous",
         "404 NoSuchBucket: gone, of another account, or not known here yet"),
        ("encryption", error(404, "NoSuchTagSet"), "invalid_answer", "404 NoSuchTagSet"),
        ("versioning", Reply(404, b"<html/>"), "invalid_answer", "404"),
        ("policyStatus", error(501, "InternalFailure"), "not_implemented", "501 InternalFailure"),
        ("versioning", error(405, "MethodNotAllowed"), "not_implemented", "405 MethodNotAllowed"),
        ("policy", error(405, "MethodNotAllowed"), "not_implemented", "405 MethodNotAllowed"),
        ("versioning", error(400, "InvalidArgument"), "invalid_answer", "400 InvalidArgument"),
        ("versioning", error(400, "AuthorizationHeaderMalformed"), "invalid_answer", f"400 AuthorizationHeaderMalformed: {ASK}"),
        ("versioning", Reply(412, b"<html/>"), "invalid_answer", f"412: {ASK}"),
        ("versioning", error(500, "InternalError"), "invalid_answer", "500 InternalError"),
        ("versioning", Reply(502, b"<html>Bad gateway</html>"), "invalid_answer", "502"),
        ("versioning", error(503, "SlowDown"), "throttled", "503 SlowDown"),
        ("versioning", Reply(504), "timeout", "504"),
        ("versioning", Reply(301, headers={"Location": "http://kho-hcm.vn/b?x"}), "unreachable",
         "301: the bucket is elsewhere (kho-hcm.vn)"),
        ("versioning", Reply(500, b"<Error><Code>\x1b[31m</Code></Error>"), "invalid_answer", "500"),
    ],
)  # fmt: skip
def test_what_single_answers_mean(query: str, reply: Reply, reason: str, detail: str, tmp_path: Path) -> None:
    bucket = one(tmp_path, query, reply)
    assert facts_of(bucket, query) == {}
    assert bucket.unseen == {group: Unseen(Reason(reason), detail) for group in GROUPS[query]}


@pytest.mark.parametrize("op", [op for op in operations(frozenset()) if op.absent], ids=lambda op: op.call)
@pytest.mark.parametrize("head", [200, 403, 500, 501])
def test_not_set_is_believed_only_of_a_bucket_we_see(op: Any, head: int, tmp_path: Path) -> None:
    for code in op.absent:
        bucket = one(tmp_path, op.query, error(404, code), HEAD=Reply(head))
        if head == 200:
            assert (facts_of(bucket, op.query), bucket.unseen) == (dict(op.nothing), {})
        else:
            assert (facts_of(bucket, op.query), why(bucket, op.query)) == ({}, Reason.NO_PERMISSION)


def test_nothing_means_all_facts_of_a_setting() -> None:
    """The facts of "not set" and of "set" have the same names, those of the contract."""
    names = {name for nothing in NOTHING.values() for name in nothing} | {"acl.owner", "acl.grants"}
    assert names == {
        "location", "versioning.state", "versioning.mfa_delete", "encryption.algorithm",
        "encryption.kms_key_present", "lock.enabled", "lock.mode", "lock.retention", "lifecycle.rules",
        "replication.rules", "policy.present", "policy.statements", "policy_status.is_public", "acl.grants",
        "acl.owner", "block.configured", "block.block_acls", "block.ignore_acls", "block.block_policy", "block.restrict",
        "logging.target", "logging.prefix", "notification.targets", "labels", "label_names", "cors.origins",
        "website.enabled", "ownership.rule",
    }  # fmt: skip


def test_a_policy_405_to_somebody_else_is_not_known(tmp_path: Path) -> None:
    answers = {"HEAD": HERE, "policy": error(405, "MethodNotAllowed")}
    with playing(store({"cua-ai": answers}, bucket_list(["cua-toi"]))) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.policy"}), buckets=("cua-ai",))
    detail = "405 MethodNotAllowed: refused or not implemented, this store does not tell them apart"
    assert seen.bucket.unseen == {"policy": Unseen(Reason.AMBIGUOUS, detail)}


def test_a_bucket_elsewhere_is_located_and_not_asked_on(tmp_path: Path) -> None:
    away = Reply(301, headers={"Location": "http://s3.hcm.vn/o-hcm"})
    place = Reply(200, b"<LocationConstraint>vn-hcm</LocationConstraint>")
    with playing(store({"o-hcm": {"HEAD": away, "location": place, "*": away}})) as server:
        seen = collect(server.url, tmp_path)
        assert server.requests == ["GET /", "GET /o-hcm?location", "HEAD /o-hcm"]
    detail = "301: the bucket is elsewhere (s3.hcm.vn); its location is 'vn-hcm'"
    assert dict(seen.bucket.facts) == {"owner_id": "chu", "created_at": 1_795_132_800, "location": "vn-hcm"}
    others = [g for op in operations(frozenset()) for g in op.groups if g != "location"]
    assert seen.bucket.unseen == dict.fromkeys(others, Unseen(Reason.UNREACHABLE, detail))
    summed_up = f"1 bucket, the first 'o-hcm': {detail}"
    unreachable = Gap(SCOPE, "s3.bucket", "s3.head_bucket", Reason.UNREACHABLE, summed_up, 2, listing=False)
    assert seen.gaps == [unreachable]


@pytest.mark.parametrize(
    ("limits", "prefix", "filtered"),
    [
        ("<Prefix>a/</Prefix>", "a/", False),
        ("<Filter/>", "", False),
        ("<Filter><Prefix>a/</Prefix></Filter>", "a/", False),
        ("<Filter><And><Prefix>a/</Prefix></And></Filter>", "a/", False),
        ("<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>", "", True),
        ("<Filter><ObjectSizeGreaterThan>1048576</ObjectSizeGreaterThan></Filter>", "", True),
        ("<Filter><And><Prefix>a/</Prefix><ObjectSizeLessThan>9</ObjectSizeLessThan></And></Filter>", "a/", True),
        ("<Filter><Flag>x</Flag></Filter>", "", True),
    ],
)  # fmt: skip
def test_what_a_rule_is_limited_to(limits: str, prefix: str, filtered: bool, tmp_path: Path) -> None:
    """A rule for large objects only neither deletes nor copies all of them."""
    body = f"<Rule><ID>a</ID><Status>Enabled</Status>{limits}<Expiration><Days>1</Days></Expiration></Rule>"
    bucket = one(tmp_path, "lifecycle", xml(f"<LifecycleConfiguration>{body}</LifecycleConfiguration>"))
    assert bucket.facts["lifecycle.rules"] == (rule(id="a", prefix=prefix, filtered=filtered, expire_days=1),)


@pytest.mark.parametrize(("status", "reason"), [(404, Reason.AMBIGUOUS), (400, Reason.INVALID_ANSWER)])
def test_a_listed_bucket_that_is_not_there_stays_unknown(status: int, reason: Reason, tmp_path: Path) -> None:
    with playing(store({"b": {"HEAD": Reply(status)}})) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.versioning"}))
        assert server.requests == ["GET /", "HEAD /b"]
    assert seen.bucket.unseen["versioning"].reason is reason
    assert [(gap.operation, gap.reason) for gap in seen.gaps] == [("s3.head_bucket", reason)]


def test_a_server_that_breaks_down_is_still_believed_what_it_says(tmp_path: Path) -> None:
    answers = {
        "HEAD": error(500, "InternalError"),
        "versioning": Reply(
            200, b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        ),
    }
    with playing(store({"b": answers})) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.versioning"}))
    assert seen.bucket.facts["versioning.state"] == "enabled"


# --- documents ------------------------------------------------------------------------------------


def xml(text: str) -> Reply:
    return Reply(200, text.encode())


@pytest.mark.parametrize(
    ("query", "reply", "facts"),
    [
        ("location", xml("<LocationConstraint xmlns='urn:x'>vn-hn</LocationConstraint>"), {"location": "vn-hn"}),
        ("versioning", xml("<VersioningConfiguration><Status>Suspended</Status><MfaDelete>Enabled</MfaDelete>"
                           "</VersioningConfiguration>"),
         {"versioning.state": "suspended", "versioning.mfa_delete": True}),
        ("object-lock", xml("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>"
                            "<DefaultRetention><Mode>COMPLIANCE</Mode><Years>2</Years></DefaultRetention></Rule>"
                            "</ObjectLockConfiguration>"),
         {"lock.enabled": True, "lock.mode": "COMPLIANCE", "lock.retention": 2 * 365 * 86_400}),
        ("lifecycle", xml("<LifecycleConfiguration><Rule><ID>a</ID><Prefix>cu/</Prefix><Status>Disabled</Status>"
                          "<Expiration><Date>2027-01-01T00:00:00.000Z</Date></Expiration>"
                          "<NoncurrentVersionExpiration><NoncurrentDays>5</NoncurrentDays>"
                          "<NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration>"
                          "<NoncurrentVersionTransition><NoncurrentDays>1</NoncurrentDays><StorageClass>COLD</StorageClass>"
                          "</NoncurrentVersionTransition></Rule></LifecycleConfiguration>"),
         {"lifecycle.rules": (rule(id="a", enabled=False, prefix="cu/", expire_date=1_798_761_600, noncurrent_days=5,
                                   newer_noncurrent=3, transitions=("COLD",)),)}),
        ("replication", xml("<ReplicationConfiguration><Role>r</Role><Rule><ID>a</ID><Status>Disabled</Status>"
                            "<Filter><And><Prefix>p/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>"
                            "<Destination><Bucket>ngoai</Bucket><Account>42</Account><StorageClass>COLD</StorageClass>"
                            "</Destination></Rule></ReplicationConfiguration>"),
         {"replication.rules": ({"id": "a", "enabled": False, "prefix": "p/", "filtered": True, "destination": "ngoai",
                                 "destination_account": "42", "storage_class": "COLD"},)}),
        ("notification", xml("<NotificationConfiguration><QueueConfiguration><Queue>arn:q</Queue></QueueConfiguration>"
                             "<TopicConfiguration><Topic>arn:t</Topic></TopicConfiguration><CloudFunctionConfiguration>"
                             "<CloudFunction>arn:f</CloudFunction></CloudFunctionConfiguration><EventBridgeConfiguration/>"
                             "</NotificationConfiguration>"),
         {"notification.targets": ("arn:f", "arn:q", "arn:t", "eventbridge")}),
        ("publicAccessBlock", xml("<PublicAccessBlockConfiguration><BlockPublicAcls>TRUE</BlockPublicAcls>"
                                  "</PublicAccessBlockConfiguration>"),
         {"block.configured": True, "block.block_acls": True, "block.ignore_acls": False,
          "block.block_policy": False, "block.restrict": False}),
        ("acl", xml("<AccessControlPolicy><AccessControlList><Grant><Grantee><EmailAddress>a@b.vn</EmailAddress>"
                    "</Grantee><Permission>WRITE</Permission></Grant></AccessControlList></AccessControlPolicy>"),
         {"acl.owner": None, "acl.grants": ({"grantee": "a@b.vn", "kind": "email", "permission": "WRITE"},)}),
        # Ceph RGW puts all permissions of a grantee into one grant.
        ("acl", xml("<AccessControlPolicy><AccessControlList><Grant><Grantee><URI>urn:x/AllUsers</URI></Grantee>"
                    "<Permission>READ</Permission><Permission>WRITE</Permission></Grant></AccessControlList>"
                    "</AccessControlPolicy>"),
         {"acl.owner": None, "acl.grants": ({"grantee": "AllUsers", "kind": "group", "permission": "READ"},
                         {"grantee": "AllUsers", "kind": "group", "permission": "WRITE"})}),
        ("website", xml("<WebsiteConfiguration><RedirectAllRequestsTo><HostName>x</HostName></RedirectAllRequestsTo>"
                        "</WebsiteConfiguration>"), {"website.enabled": True}),
        ("cors", xml("<CORSConfiguration><CORSRule><AllowedOrigin>b</AllowedOrigin><AllowedOrigin>a</AllowedOrigin>"
                     "</CORSRule><CORSRule><AllowedOrigin>a</AllowedOrigin></CORSRule></CORSConfiguration>"),
         {"cors.origins": ("a", "b")}),
        ("logging", xml("<BucketLoggingStatus><LoggingEnabled><TargetBucket>nhat-ky</TargetBucket>"
                        "<TargetPrefix/></LoggingEnabled></BucketLoggingStatus>"),
         {"logging.target": "nhat-ky", "logging.prefix": None}),
        ("acl", Reply(200, b"\xef\xbb\xbf\n<AccessControlPolicy><AccessControlList/></AccessControlPolicy>"),
         {"acl.owner": None, "acl.grants": ()}),
    ],
)  # fmt: skip
def test_documents_become_facts(query: str, reply: Reply, facts: dict[str, Any], tmp_path: Path) -> None:
    assert facts_of(one(tmp_path, query, reply), query) == facts


EVERYBODY = "<Grantee><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee>"


def access_list(grantee: str, *permissions: str) -> str:
    """An access list of one grant, or of what stands in a grant's place."""
    rights = "".join(f"<Permission>{permission}</Permission>" for permission in permissions)
    grant = f"<Grant>{grantee}{rights}</Grant>" if permissions else grantee
    return f"<AccessControlPolicy><AccessControlList>{grant}</AccessControlList></AccessControlPolicy>"


def encryption(*algorithms: str) -> str:
    rules = "".join(
        "<Rule><ApplyServerSideEncryptionByDefault>"
        f"<SSEAlgorithm>{name}</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>"
        for name in algorithms
    )
    return f"<ServerSideEncryptionConfiguration>{rules}</ServerSideEncryptionConfiguration>"


def statement(**parts: Any) -> str:
    """A policy of one statement; a part that is None is left out."""
    whole = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"} | parts
    return json.dumps({"Statement": [{name: part for name, part in whole.items() if part is not None}]})


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("query", "body", "detail"),
    [
        ("versioning", BOMB + "<VersioningConfiguration>&b;</VersioningConfiguration>", "the XML is damaged"),
        ("versioning", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><VersioningConfiguration/>', "the XML is damaged"),
        ("versioning", "<VersioningConfiguration>" + "<a>" * 70 + "</a>" * 70 + "</VersioningConfiguration>",
         "the document is too large or too deep"),
        ("versioning", "<VersioningConfiguration>" + "<a/>" * 250_001 + "</VersioningConfiguration>",
         "the document is too large or too deep"),
        ("versioning", "<VersioningConfiguration><Status>On</Status></VersioningConfiguration>",
         "Status is neither Enabled nor Suspended"),
        ("lifecycle", "<LifecycleConfiguration><Rule><Status>Enabled</Status><Expiration><Days>ten</Days></Expiration>"
                      "</Rule></LifecycleConfiguration>", "Expiration/Days is no whole number"),
        ("lifecycle", "<LifecycleConfiguration><Rule><Status>Enabled</Status><Expiration><Days>" + "9" * 30 +
                      "</Days></Expiration></Rule></LifecycleConfiguration>", "a number is absurdly large"),
        ("lifecycle", "<LifecycleConfiguration><Rule><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
         "Status is neither Disabled nor Enabled"),
        ("lifecycle", "<LifecycleConfiguration><Rule><Status>Enabled</Status><Expiration><Date>mai</Date></Expiration>"
                      "</Rule></LifecycleConfiguration>", "a time is not written as one"),
        ("replication", "<ReplicationConfiguration><Rule><Status>Enabled</Status></Rule></ReplicationConfiguration>",
         "a replication rule has no destination"),
        ("policyStatus", "<PolicyStatus/>", "IsPublic is missing"),
        ("policyStatus", "<PolicyStatus><IsPublic>maybe</IsPublic></PolicyStatus>", "IsPublic is neither true nor false"),
        ("acl", "<AccessControlPolicy/>", "the list of grants is missing"),
        ("acl", "<AccessControlPolicy><AccessControlList><Grant/></AccessControlList></AccessControlPolicy>",
         "a grant is incomplete"),
        ("tagging", "<Tagging><TagSet><Tag><Value>x</Value></Tag></TagSet></Tagging>", "a tag has no key"),
        ("tagging", "<Tagging><TagSet><Tag><Key>Sở</Key><Value>1</Value></Tag>"
                    "<Tag><Key>So\u031b\u0309</Key><Value>2</Value></Tag></TagSet></Tagging>",
         "two tags have the same key and different values"),
        ("policy", '{"Statement": [{"Effect": "Allow", "Effect": "Deny"}]}', "the policy has a key twice"),
        ("policy", '{"Statement": ["x"]}', "a statement of the policy is no object"),
        ("policy", '{"Statement": [{"Effect": "allow"}]}', "a statement of the policy has no effect"),
        ("policy", statement(Action=[1]), "a name in the policy is no text"),
        ("policy", statement(Condition={"Bool": 1}), "a condition of the policy is no object"),
        ("policy", statement(Principal=None, principal="*"), "a statement of the policy has parts that are not known"),
        ("policy", statement(Conditions={}), "a statement of the policy has parts that are not known"),
        ("policy", statement(Principal=None), "a statement of the policy has no Principal"),
        ("policy", statement(Action=None), "a statement of the policy has no Action"),
        ("policy", statement(Resource=None), "a statement of the policy has no Resource"),
        ("policy", statement(Principal={"aws": "*"}), "a principal of the policy is of no known kind"),
        ("policy", '{"Version": "2012-10-17"}', "the policy has no statements, or parts that are not known"),
        ("policy", '{"Statement": [], "Statements": []}', "the policy has no statements, or parts that are not known"),
        ("versioning", "<VersioningConfiguration><Status>Enabled</Status><Status>Suspended</Status></VersioningConfiguration>",
         "Status is there 2 times"),
        ("encryption", encryption("odd"), "SSEAlgorithm is none that is known"),
        ("encryption", encryption("AES256", "odd"), "Rule/ApplyServerSideEncryptionByDefault is there 2 times"),
        ("replication", "<ReplicationConfiguration><Rules/></ReplicationConfiguration>",
         "<ReplicationConfiguration> holds more than Role and Rule"),
        ("replication", "<ReplicationConfiguration><Rule><Status>Enabled</Status><Destination><Bucket>a</Bucket>"
                        "<Bucket>b</Bucket></Destination></Rule></ReplicationConfiguration>",
         "Destination/Bucket is there 2 times"),
        ("tagging", "<Tagging><tagSet/></Tagging>", "<Tagging> holds more than TagSet"),
        ("tagging", "<Tagging><TagSet><tag/></TagSet></Tagging>", "<TagSet> holds more than Tag"),
        ("tagging", "<Tagging><TagSet><Tag><Key>a</Key><value>b</value></Tag></TagSet></Tagging>",
         "<Tag> holds more than Key and Value"),
        ("tagging", "<Tagging><TagSet><Tag><Key>a</Key><Key>b</Key></Tag></TagSet></Tagging>", "Key is there 2 times"),
        ("acl", access_list("<Granted/>"), "<AccessControlList> holds more than Grant"),
        ("acl", access_list(EVERYBODY, "odd"), "a grant is of no known permission"),
        ("acl", access_list("<Grantee><Canned>Everyone</Canned></Grantee>", "READ"), "a grant does not say to whom"),
        ("acl", access_list("<Grantee><ID>chu</ID></Grantee>" + EVERYBODY, "READ"), "Grantee is there 2 times"),
    ],
)  # fmt: skip
def test_documents_that_do_not_say_what_they_must(query: str, body: str, detail: str, tmp_path: Path) -> None:
    bucket = one(tmp_path, query, xml(body))
    assert facts_of(bucket, query) == {}
    expected = Unseen(Reason.INVALID_ANSWER, f"200, but {detail}")
    assert bucket.unseen == dict.fromkeys(GROUPS[query], expected)


def test_a_policy_of_a_thousand_brackets_is_no_policy(tmp_path: Path) -> None:
    bucket = one(tmp_path, "policy", xml("[" * 100_000))
    assert bucket.unseen["policy"].reason is Reason.NOT_IMPLEMENTED


POLICIES = [
    ('{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}}',
     {"effect": "Allow", "principals": ("*",), "actions": ("s3:*",), "resources": ("*",), "conditions": ()}),
    ('{"Statement": [{"Effect": "Deny", "NotPrincipal": {"AWS": "arn:a"}, "NotAction": ["s3:Get*"], "NotResource": "r",'
     ' "Condition": {"Null": {"b": 1, "a": 2}, "Bool": {"aws:SecureTransport": "false"}}}]}',
     {"effect": "Deny", "principals": ("!arn:a",), "actions": ("!s3:Get*",), "resources": ("!r",),
      "conditions": ("Bool:aws:SecureTransport", "Null:a", "Null:b")}),
    ('{"Statement": [{"Effect": "Allow", "Principal": {"AWS": ["*", "arn:b"], "Service": "s.vn", "Federated": ["f"]},'
     ' "Action": [], "Resource": []}]}',
     {"effect": "Allow", "principals": ("*", "arn:b", "Service:s.vn", "Federated:f"), "actions": (), "resources": (),
      "conditions": ()}),
    ('{"Statement": [{"Effect": "Allow", "Principal": {}, "Action": "\\ud800So\\u031b\\u0309", "Resource": []}]}',
     {"effect": "Allow", "principals": (), "actions": ("?Sở",), "resources": (), "conditions": ()}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "statement"), POLICIES)
def test_policies_are_flattened(text: str, statement: dict[str, Any], tmp_path: Path) -> None:
    bucket = one(tmp_path, "policy", xml(text))
    assert facts_of(bucket, "policy") == {"policy.present": True, "policy.statements": (statement,)}


def test_an_empty_policy_is_a_policy_without_statements(tmp_path: Path) -> None:
    facts = facts_of(one(tmp_path, "policy", xml("{}")), "policy")
    assert facts == {"policy.present": True, "policy.statements": ()}


def test_only_values_of_allowed_tags_are_kept_and_letters_are_composed(tmp_path: Path) -> None:
    tags = {
        "system_id": "Co\u0302\u0309ng",
        "Pho\u0300ng ban": "Kế toán",
        "api_key": "PLANTED",
        "rieng": " x ",
    }
    rows = "".join(f"<Tag><Key>{key}</Key><Value>{value}</Value></Tag>" for key, value in tags.items())
    reply = xml(f"<Tagging><TagSet>{rows}</TagSet></Tagging>")
    with playing(store({"b": {"HEAD": HERE, "tagging": reply}})) as server:
        seen = collect(
            server.url, tmp_path, frozenset({"s3.tagging"}), label_keys=frozenset({"system_id", "rieng"})
        )
    assert seen.bucket.facts["labels"] == {"system_id": "Cổng", "rieng": " x "}
    assert seen.bucket.facts["label_names"] == ("Phòng ban", "api_key", "rieng", "system_id")
    assert "PLANTED" not in repr(seen.everything)


# --- the list of buckets --------------------------------------------------------------------------


def listing_of(listing: Reply | Any, tmp_path: Path, **more: Any) -> list[Listing | Gap]:
    """The proof or the gaps for buckets, when only the list is wanted."""
    answer = listing if callable(listing) else lambda asked: listing
    with playing(answer) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.list_buckets"}), **more)
    return [x for x in (*seen.listings, *seen.gaps) if x.type == "s3.bucket"]


def proof(count: int, text: str) -> list[Listing | Gap]:
    return [Listing(SCOPE, "s3.bucket", count, text, 0)]


def doubt(detail: str, reason: Reason = Reason.PARTIAL, call: int = 0) -> list[Listing | Gap]:
    return [Gap(SCOPE, "s3.bucket", "s3.list_buckets", reason, detail, call)]


def no_proof(whose: str) -> Any:
    """An empty list, when nobody said whose it should be."""
    return doubt(
        f"an empty list{whose} proves nothing; if these are the keys of the buckets' owner, name it as"
        " expected_owner of the target"
    )


@pytest.mark.parametrize(
    ("names", "owner", "expected_owner", "outcome"),
    [
        ([], "chu", None, no_proof(" of owner 'chu'")),
        ([], "chu", "chu", proof(0, "ListBuckets of owner 'chu': 0 buckets")),
        (["a"], None, None, proof(1, "ListBuckets: 1 buckets")),
        (["a"], "anonymous", None, proof(1, "ListBuckets of owner 'anonymous': 1 buckets")),
        ([], "anonymous", None, doubt(f"an empty list of {UNSIGNED}", Reason.NO_PERMISSION)),
        ([], None, None, no_proof("")),
        ([], "", None, no_proof("")),
        ([], "khach", "chu", doubt("the list shows owner 'khach', expected is 'chu'")),
        (["a"], "khach", "chu", doubt("the list shows owner 'khach', expected is 'chu'")),
        ([], None, "chu", doubt("the list shows no owner, expected is 'chu'")),
    ],
)
def test_when_a_list_proves_what_is_there(
    names: list[str], owner: str | None, expected_owner: str | None, outcome: Any, tmp_path: Path
) -> None:
    assert listing_of(bucket_list(names, owner), tmp_path, expected_owner=expected_owner) == outcome


@pytest.mark.parametrize(
    ("server", "owner", "store_name"),
    [("SeaweedFS 30GB 4.48", "kiem-toan", "SeaweedFS"), ("MinIO", MINIO_OWNER, "MinIO"), (None, MINIO_OWNER, "MinIO")],
)  # fmt: skip
@pytest.mark.parametrize("names", [["a"], []])
def test_a_store_that_leaves_out_what_the_caller_may_not_see_proves_nothing_by_itself(
    server: str | None, owner: str, store_name: str, names: list[str], tmp_path: Path
) -> None:
    """MinIO names one owner to all callers, with or without its mark; SeaweedFS names the caller."""
    listing = bucket_list(names, owner)
    reply = Reply(200, listing.body, {"Server": server} if server else {})
    unproven = doubt(
        f"{store_name} lists only buckets that these keys have rights to; if that is all of them, name the owner,"
        f" '{owner}', as expected_owner of the target"
    )
    assert listing_of(reply, tmp_path) == (unproven if names else no_proof(f" of owner '{owner}'"))
    assert listing_of(reply, tmp_path, expected_owner=owner) == proof(
        len(names),
        f"ListBuckets of owner '{owner}': {len(names)} buckets; that the keys have rights to all is the word of"
        " targets.yaml (expected_owner)",
    )


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (error(403, "AccessDenied"), doubt(f"403 AccessDenied: {GRANT}", Reason.NO_PERMISSION)),
        (Reply(404), doubt("404", Reason.SERVICE_ABSENT)),
        (error(400, "AuthorizationHeaderMalformed"),
         doubt(f"400 AuthorizationHeaderMalformed: {ASK}", Reason.INVALID_ANSWER)),
        (error(501, "NotImplemented"), doubt("501 NotImplemented", Reason.NOT_IMPLEMENTED)),
        (Reply(200, b"<html/>"), doubt("200 with <html>: this is no list of buckets", Reason.INVALID_ANSWER)),
        (Reply(200), doubt("200 with an empty body: this is no list of buckets", Reason.INVALID_ANSWER)),
        (xml("<ListAllMyBucketsResult><Buckets><Bucket/></Buckets></ListAllMyBucketsResult>"),
         doubt("the list holds a bucket without a name, or with several", Reason.INVALID_ANSWER)),
        (xml("<ListAllMyBucketsResult><Buckets><Bucket><Name>a</Name><Name>b</Name></Bucket></Buckets>"
             "</ListAllMyBucketsResult>"),
         doubt("the list holds a bucket without a name, or with several", Reason.INVALID_ANSWER)),
        (xml("<ListAllMyBucketsResult><Buckets><Bucket><Name>a</Name></Bucket><bucket><Name>b</Name></bucket></Buckets>"
             "</ListAllMyBucketsResult>"),
         doubt("the list holds something else than buckets", Reason.INVALID_ANSWER)),
        (xml("<ListAllMyBucketsResult><Owner><ID>chu</ID></Owner></ListAllMyBucketsResult>"),
         doubt("the answer holds no list of buckets", Reason.INVALID_ANSWER)),
        (Reply(200, b"<ListAllMyBucketsResult>"), doubt("200, but the XML is damaged", Reason.INVALID_ANSWER)),
        (bucket_list(["a"], more="<IsTruncated>true</IsTruncated>"),
         doubt("the list is cut and gives no way to go on")),
        (bucket_list(["a", "b"], more="<MaxBuckets>2</MaxBuckets>"),
         doubt("the list ends at its own limit of 2 buckets")),
        (bucket_list(["a"], more="<MaxBuckets>2</MaxBuckets>"), proof(1, "ListBuckets of owner 'chu': 1 buckets")),
        (bucket_list(["a"], more="<ContinuationToken>t</ContinuationToken>"),
         doubt("the list gives the same continuation token again")),
    ],
)  # fmt: skip
def test_lists_that_are_refused_cut_or_strange(reply: Reply, outcome: Any, tmp_path: Path) -> None:
    assert listing_of(reply, tmp_path) == outcome


def test_a_paged_list_is_read_to_its_end_without_asking_for_pages(tmp_path: Path) -> None:
    pages = {
        "/": bucket_list(["a", "b"], more="<ContinuationToken>t/1 +</ContinuationToken>"),
        "/?continuation-token=t%2F1%20%2B": bucket_list(["b", "c"]),
    }
    with playing(lambda asked: pages[asked.path]) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.list_buckets"}))
        assert server.requests == ["GET /", "GET /?continuation-token=t%2F1%20%2B"]
    assert list(seen.buckets) == ["a", "b", "c"]
    assert seen.listings[0] == Listing(SCOPE, "s3.bucket", 3, "ListBuckets of owner 'chu': 3 buckets", 0)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "AccessDenied", f"403 AccessDenied: {GRANT}"),
        (400, "InvalidArgument", "400 InvalidArgument"),  # the bucket the token stands for is gone
        (404, "NoSuchKey", "404 NoSuchKey"),
    ],
)
def test_a_page_that_fails_leaves_what_was_seen(status: int, code: str, said: str, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/":
            return bucket_list(["a"], more="<ContinuationToken>t</ContinuationToken>")
        return error(status, code)

    with playing(answer) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.list_buckets"}))
    assert list(seen.buckets) == ["a"]
    assert [x for x in (*seen.listings, *seen.gaps) if x.type == "s3.bucket"] == doubt(
        f"a later page: {said}"
    )


def test_named_buckets_are_all_that_is_asked_for(tmp_path: Path) -> None:
    buckets = {"a": {"HEAD": HERE}, "b": {"HEAD": HERE}}
    with playing(store(buckets, error(403, "AccessDenied"))) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.cors", "s3.list_buckets"}), buckets=("a",))
        assert server.requests == ["GET /", "HEAD /a", "GET /a?cors"]
    refused = Unseen(Reason.NO_PERMISSION, f"403 AccessDenied: {GRANT}")
    assert {name: seen.bucket.unseen[name] for name in ("created_at", "owner_id")} == {
        "created_at": refused,
        "owner_id": refused,
    }
    assert seen.listings[0] == Listing(SCOPE, "s3.bucket", 1, "the buckets named in targets.yaml", 0)
    assert seen.endpoint.unseen["owner_id"] == refused


def test_a_named_bucket_that_no_list_shows_rests_on_its_own_answers(tmp_path: Path) -> None:
    with playing(store({"a": {"HEAD": HERE}, "b": {"HEAD": HERE}})) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.cors"}), buckets=("a", "b", "a"))
    requests = [call.request for call in seen.calls]
    assert requests == ["HEAD /a", "GET /a?cors", "HEAD /b", "GET /b?cors"]
    assert {name: requests[bucket.sources[""]] for name, bucket in seen.buckets.items()} == {
        "a": "HEAD /a",
        "b": "HEAD /b",
    }
    assert seen.listings[0] == Listing(SCOPE, "s3.bucket", 2, "the buckets named in targets.yaml", 0)


@pytest.mark.parametrize("wanted", ["s3.cors", "s3.list_buckets"])
def test_a_named_bucket_that_is_not_there_is_a_gap(wanted: str, tmp_path: Path) -> None:
    with playing(store({"a": {"HEAD": HERE}})) as server:
        seen = collect(server.url, tmp_path, frozenset({wanted}), buckets=("a", "..", "x"))
    assert list(seen.buckets) == ["a"]
    gone = "404: gone, of another account, or not known here yet"
    assert [(gap.operation, gap.reason, gap.detail) for gap in seen.gaps if gap.operation == "s3.list_buckets"] == [
        ("s3.list_buckets", Reason.INVALID_ANSWER,
         "bucket '..' named in targets.yaml: a name that cannot stand in an address"),
        ("s3.list_buckets", Reason.AMBIGUOUS, f"bucket 'x' named in targets.yaml: {gone}"),
    ]  # fmt: skip
    assert [listing.type for listing in seen.listings] == ["s3.endpoint"]


def test_an_unreachable_endpoint_is_a_gap_and_still_an_endpoint(tmp_path: Path) -> None:
    with playing({}) as server:
        url = server.url
    seen = collect(url, tmp_path)
    detail = f"no connection to 127.0.0.1:{url.rsplit(':', 1)[1]}: Connection refused"
    assert seen.gaps == [Gap(SCOPE, "s3.bucket", "s3.list_buckets", Reason.UNREACHABLE, detail, 0)]
    undeclared = dict.fromkeys(("swift.target", "swift.project", "swift.region"))
    assert dict(seen.endpoint.facts) == {"url": url, "scheme": "http", "host": "127.0.0.1", **undeclared}
    unreachable = Unseen(Reason.UNREACHABLE, detail)
    assert seen.endpoint.unseen == {
        "owner_id": unreachable,
        "server_kind": unreachable,
        **dict.fromkeys(
            ("answers_unknown_with_listing", "supported", "unsupported"),
            Unseen(Reason.PARTIAL, "there is no bucket to ask"),
        ),
    }


# --- refusals and redirects -----------------------------------------------------------------------

HTML = b"<!DOCTYPE html>\n<html><body>Forbidden by policy</body></html>"
CLOCK = "this machine's clock is more than 15 minutes off the store's; set it (NTP) and collect again"
KEY = "the store does not know the access key; check that the keys are of this endpoint"
SIGNATURE = (
    "the secret key is not that of the access key, or a proxy on the way changes host or path; check the keys"
)
SHUT = "the provider has shut off all access to the bucket; ask the provider why"
SUSPENDED = "the user of these keys is suspended; let the administrator enable it"
SESSION = "the session token is not valid or no longer so; get new keys"
PROXY = "with <html>: no answer of a store; let the proxy or firewall before it pass this machine"
BARE = "without a code: refused by the store or by something before it; check keys and network"

REFUSALS = [
    (error(403, "AccessDenied"), "no_permission", f"403 AccessDenied: {GRANT}"),
    (error(403, "SignatureDoesNotMatch"), "no_permission", f"403 SignatureDoesNotMatch: {SIGNATURE}"),
    (error(403, "InvalidAccessKeyId"), "no_permission", f"403 InvalidAccessKeyId: {KEY}"),
    (error(403, "RequestTimeTooSkewed"), "no_permission", f"403 RequestTimeTooSkewed: {CLOCK}"),
    (error(403, "AllAccessDisabled"), "no_permission", f"403 AllAccessDisabled: {SHUT}"),
    (error(403, "UserSuspended"), "no_permission", f"403 UserSuspended: {SUSPENDED}"),
    (error(400, "ExpiredToken"), "no_permission", f"400 ExpiredToken: {SESSION}"),
    (error(403, "SomethingElse"), "no_permission", "403 SomethingElse"),
    (Reply(403, b"Forbidden"), "no_permission", f"403 {BARE}"),
    (Reply(403, b"<Error><Message>no</Message></Error>"), "no_permission", f"403 {BARE}"),
    (Reply(403, b"<Error><Code>"), "no_permission", f"403 {BARE}"),
    (Reply(403), "no_permission", "403"),
    (Reply(401), "no_permission", "401"),
    (Reply(403, HTML), "invalid_answer", f"403 {PROXY}"),
    (Reply(401, b"<HTML><h1>Unauthorized</h1></HTML>"), "invalid_answer", f"401 {PROXY}"),
    (Reply(403, b"<html><h1>Forbidden</h1></html>", {"X-Trans-Id": "tx1"}), "no_permission", f"403 {BARE}"),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "reason", "detail"), REFUSALS)
def test_every_form_of_refusal_says_what_to_do(
    reply: Reply, reason: str, detail: str, tmp_path: Path
) -> None:
    expected = Unseen(Reason(reason), detail)
    assert one(tmp_path, "versioning", reply).unseen == {"versioning": expected}
    assert listing_of(reply, tmp_path) == doubt(detail, Reason(reason))


REGION = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>vn-hn-1</Region></Error>"


@pytest.mark.parametrize(
    ("reply", "detail"),
    [
        (Reply(400, REGION), f"400 AuthorizationHeaderMalformed: {ASK}; it names the region 'vn-hn-1'"),
        (Reply(400, headers={"X-Amz-Bucket-Region": "vn-hcm"}), f"400: {ASK}; it names the region 'vn-hcm'"),
        (Reply(400, headers={"X-Amz-Bucket-Region": "x y"}), f"400: {ASK}"),
        (Reply(400, REGION.replace(b"vn-hn-1", b"AWS4 Credential")), f"400 AuthorizationHeaderMalformed: {ASK}"),
    ],
)  # fmt: skip
def test_a_store_that_wants_another_region_is_repeated(reply: Reply, detail: str, tmp_path: Path) -> None:
    wrong = Unseen(Reason.INVALID_ANSWER, detail)
    assert one(tmp_path, "versioning", reply).unseen == {"versioning": wrong}


def moved(endpoint: str, region: str = "", code: str = "PermanentRedirect") -> bytes:
    return (
        f"<Error><Code>{code}</Code><Message>x</Message><Bucket>o-hcm</Bucket>"
        f"<Endpoint>{endpoint}</Endpoint><Region>{region}</Region></Error>"
    ).encode()


@pytest.mark.parametrize(
    ("status", "body", "headers", "where"),
    [
        (301, b"", {"Location": "http://s3.hcm.vn/o-hcm?x"}, "301: {} (s3.hcm.vn)"),
        (307, b"", {"Location": "https://s3.hcm.vn:8443/o-hcm"}, "307: {} (s3.hcm.vn:8443)"),
        (301, b"", {"X-Amz-Bucket-Region": "vn-hcm"}, "301: {} (vn-hcm)"),
        (301, b"", {"X-Amz-Bucket-Region": "vn-hcm", "Location": "http://s3.hcm.vn/"}, "301: {} (vn-hcm, s3.hcm.vn)"),
        (301, moved("s3.hcm.vn"), {}, "301 PermanentRedirect: {} (s3.hcm.vn)"),
        (307, moved("s3.hcm.vn", "vn-hcm", "TemporaryRedirect"), {}, "307 TemporaryRedirect: {} (vn-hcm, s3.hcm.vn)"),
        (301, moved("<b>x</b>"), {}, "301 PermanentRedirect: {}"),
        (301, b"", {"Location": "http://key:matkhau@s3.hcm.vn/"}, "301: {} (s3.hcm.vn)"),
        (301, b"", {"Location": "http://[s3.hcm.vn/"}, "301: {}"),
        (301, b"", {"Location": "http://s3\x85.vn/"}, "301: {}"),
        (301, b"", {}, "301: {}"),
    ],
)  # fmt: skip
def test_a_redirect_names_the_place_and_the_bucket_still_counts(
    status: int, body: bytes, headers: dict[str, str], where: str, tmp_path: Path
) -> None:
    away = Reply(status, body, headers)
    head = Reply(status, headers=headers)
    with playing(store({"o-hcm": {"HEAD": HERE, "*": away}, "xa": {"HEAD": head}})) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.versioning"}))
        assert sorted(server.requests) == ["GET /", "GET /o-hcm?versioning", "HEAD /o-hcm", "HEAD /xa"]
    detail = where.format("the bucket is elsewhere")
    elsewhere = Unseen(Reason.UNREACHABLE, detail)
    assert seen.buckets["o-hcm"].unseen == {"versioning": elsewhere}
    assert seen.buckets["xa"].unseen["versioning"].reason is Reason.UNREACHABLE
    assert seen.listings[0] == Listing(SCOPE, "s3.bucket", 2, "ListBuckets of owner 'chu': 2 buckets", 0)
    endpoint = f"{where.format('the endpoint is elsewhere')}; write its own address as endpoint of the target"
    assert listing_of(away, tmp_path) == doubt(endpoint, Reason.UNREACHABLE)


# --- the whole collection -------------------------------------------------------------------------


def test_only_what_is_wanted_is_asked(tmp_path: Path) -> None:
    with playing(store({"b": {"HEAD": HERE}})) as server:
        collect(server.url, tmp_path, frozenset({"s3.location", "s3.policy", "nova.servers"}))
        assert server.requests == ["GET /", "GET /b?location", "HEAD /b", "GET /b?policy"]
        server.asked.clear()
        collect(server.url, tmp_path, frozenset({"probe.tls"}))
        assert server.requests == []
        target = S3Target("kho", server.url, access_key_file=str(tmp_path / "access"),
                          secret_key_file=str(tmp_path / "secret"))  # fmt: skip
        collector = S3Collector(target, now=lambda: 0)
        assert list(collector.collect(SCOPE, frozenset({"nova.servers"}), CallLog())) == []
        assert server.requests == []


def test_on_the_wire_there_is_nothing_but_signed_get_and_head(tmp_path: Path) -> None:
    with playing(_whole_store("ceph-rgw")) as server:
        collect(server.url, tmp_path)
        assert {asked.method for asked in server.asked} == {"GET", "HEAD"}
        signed = [asked.headers["Authorization"].split(",")[0] for asked in server.asked]
        assert {text.rsplit("/", 4)[0] for text in signed} == {"AWS4-HMAC-SHA256 Credential=AKIDKIEMTHU"}
        assert all(asked.headers["X-Amz-Content-SHA256"] for asked in server.asked)


def test_evidence_points_to_the_calls_it_came_from(tmp_path: Path) -> None:
    buckets = {f"b{n}": {"HEAD": HERE, "cors": error(404, "NoSuchCORSConfiguration")} for n in range(3)}
    with playing(store(buckets)) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.cors", "s3.unknown_subresource"}))
    requests = [call.request for call in seen.calls]
    assert [call.number for call in seen.calls] == list(range(len(requests)))
    for name, bucket in seen.buckets.items():
        assert requests[bucket.source_of("cors.origins")] == f"GET /{name}?cors"
        assert requests[bucket.source_of("created_at")] == "GET /"
        assert (bucket.at, bucket.endpoint, bucket.scope) == (AT, server.url, SCOPE)
    assert requests[seen.endpoint.sources["answers_unknown_with_listing"]] == "GET /b0?khong-co-tham-so"


def test_the_same_store_gives_the_same_log_however_threads_run(tmp_path: Path) -> None:
    jitter = random.Random(1)
    buckets = {f"b{n:02}": {"HEAD": HERE} for n in range(20)}
    calm = store(buckets)

    def uneven(asked: Asked) -> Reply:
        time.sleep(jitter.uniform(0, 0.004))
        return calm(asked)

    runs = []
    for _ in range(2):
        with playing(uneven) as server:
            seen = collect(server.url, tmp_path, frozenset({"s3.cors", "s3.acl"}))
        calls = [(call.number, call.request, call.status) for call in seen.calls]
        runs.append((calls, list(seen.buckets), [dict(b.sources) for b in seen.buckets.values()], seen.gaps))
    assert runs[0] == runs[1]


def test_a_thousand_refusals_are_one_line(tmp_path: Path) -> None:
    buckets = {f"b{n}": {"HEAD": HERE, "acl": error(403, "AccessDenied")} for n in range(5)}
    with playing(store(buckets)) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.acl", "s3.cors"}))
    assert [(gap.operation, gap.reason, gap.detail) for gap in seen.gaps] == [
        ("s3.acl", Reason.NO_PERMISSION, f"5 buckets, the first 'b0': 403 AccessDenied: {GRANT}"),
        ("s3.cors", Reason.NOT_IMPLEMENTED, "5 buckets, the first 'b0': 501 NotImplemented"),
    ]


def test_what_an_endpoint_can_do_is_asked_of_one_bucket_it_shows(tmp_path: Path) -> None:
    buckets = {
        "kin": {"HEAD": Reply(403), "cors": error(403, "AccessDenied")},
        "mo": {
            "HEAD": HERE,
            "cors": error(404, "NoSuchCORSConfiguration"),
            "encryption": Reply(200, LISTING),
            "acl": error(403, "AccessDenied"),
            "*": error(404, "NoSuchWebsiteConfiguration"),
        },
        "khac": {"HEAD": HERE, "cors": error(501, "NotImplemented")},
    }
    with playing(store(buckets)) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.cors", "s3.capabilities"}))
        asked_of_mo = [request for request in server.requests if request.startswith("GET /mo?")]
        assert sorted(asked_of_mo) == sorted(f"GET /mo?{op.query}" for op in operations(frozenset()))
        assert len(server.asked) == 1 + 2 * 3 + 15
    assert seen.endpoint.facts["supported"] == Partial(("GetBucketCors", "GetBucketWebsite"))
    assert seen.endpoint.facts["unsupported"] == Partial(("GetBucketEncryption",))
    assert "encryption" not in seen.buckets["mo"].unseen


def test_an_endpoint_alone_is_known_by_its_first_bucket(tmp_path: Path) -> None:
    with playing(store({"kin": {"HEAD": Reply(403)}, "mo": {"HEAD": HERE}, "ba": {"HEAD": HERE}})) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.capabilities"}))
        assert server.requests[:3] == ["GET /", "HEAD /kin", "HEAD /mo"]
        assert len(server.asked) == 3 + 16
    assert (seen.buckets, seen.endpoint.facts["supported"]) == ({}, ())
    assert len(seen.endpoint.facts["unsupported"]) == 16


@pytest.mark.parametrize(
    ("reply", "fact"),
    [
        (Reply(200, LISTING), True),
        (Reply(200, b"<Other/>"), False),
        (error(501, "NotImplemented"), False),
        (error(400, "InvalidArgument"), False),
        (error(403, "AccessDenied"), Reason.NO_PERMISSION),
        (error(500, "InternalError"), Reason.INVALID_ANSWER),
        (Reply(503), Reason.INVALID_ANSWER),
    ],
)
def test_what_a_store_does_with_nonsense(reply: Reply, fact: bool | Reason, tmp_path: Path) -> None:
    with playing(
        store({"kin": {"HEAD": Reply(403)}, "b": {"HEAD": HERE, "khong-co-tham-so": reply}})
    ) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.unknown_subresource"}))
    name = "answers_unknown_with_listing"
    unseen = seen.endpoint.unseen.get(name)
    assert (seen.endpoint.facts.get(name) if unseen is None else unseen.reason) == fact


@pytest.mark.parametrize("name", ["a b", "..a", "Thư mục", "a/b", "x" * 80, "a?b&c", "a%2fb"])
def test_odd_names_reach_the_store_as_they_are(name: str, tmp_path: Path) -> None:
    nothing = error(404, "NoSuchCORSConfiguration")
    with playing(store({name: {"HEAD": HERE, "cors": nothing}})) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.cors"}))
    assert (seen.bucket.id, seen.bucket.facts["cors.origins"], seen.gaps) == (name, (), [])


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/../b", "/a%2F..%2Fb"),
        ("../b", "/..%2Fb"),
        ("%2e%2e", "/%252e%252e"),
        ("./b", "/.%2Fb"),
        ("b?acl", "/b%3Facl"),
    ],
)
def test_a_name_that_looks_like_a_path_is_asked_as_a_name(name: str, path: str, tmp_path: Path) -> None:
    """Otherwise another bucket would answer in its place, and lend it its settings."""
    with playing(store({name: {"HEAD": HERE}, "b": {"HEAD": Reply(403)}})) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.versioning"}), buckets=(name,))
        assert {request.split("?versioning")[0].split(" ", 1)[1] for request in server.requests} - {"/"} == {
            path
        }
    assert list(seen.buckets) == [name]


@pytest.mark.parametrize("name", [".", "..", "..."])
def test_a_name_of_dots_is_not_asked_and_not_forgotten(name: str, tmp_path: Path) -> None:
    with playing(store({name: {"HEAD": HERE}})) as server:
        seen = collect(server.url, tmp_path, frozenset({"s3.versioning"}))
        assert server.requests == ["GET /"]
    why = Unseen(Reason.INVALID_ANSWER, "a name that cannot stand in an address")
    assert (seen.bucket.id, dict(seen.bucket.unseen)) == (name, {"versioning": why})


# --- through a proxy ------------------------------------------------------------------------------


@pytest.mark.parametrize("secure", [False, True])
def test_a_store_behind_a_proxy_is_read_as_ever(secure: bool, tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    tls = authority.server("127.0.0.1") if secure else None
    answers = store({"kho": {"HEAD": HERE, "cors": error(404, "NoSuchCORSConfiguration")}})
    with playing(answers, tls) as server, forwarding(ForwardProxy("an:mat-khau")) as proxy:
        named = Proxy.read(proxy.url.replace("//", "//an:mat-khau@"), "'proxy'")
        seen = collect(server.url, tmp_path, frozenset({"s3.cors"}), proxy=named, ca_file=str(authority.path))
        assert (seen.bucket.facts["cors.origins"], seen.gaps) == ((), [])
        assert {a.headers["Host"] for a in server.asked} == {f"127.0.0.1:{server.port}"}, (
            "signatures cover it"
        )
        assert {a.headers["Proxy-Authorization"] for a in server.asked} == {None}
    if secure:
        assert set(proxy.asked) == {f"CONNECT 127.0.0.1:{server.port}"}
    else:
        assert sorted(proxy.asked) == [
            f"GET {server.url}/", f"GET {server.url}/kho?cors", f"HEAD {server.url}/kho",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("proxy", "url", "reason", "detail"),
    [
        (ForwardProxy("an:mat-khau"), "https://kho.example.test", Reason.UNREACHABLE,
         "the proxy {} refuses the connection (HTTP 407); name its user and password in proxy_file"),
        (ForwardProxy("an:mat-khau"), "http://kho.example.test", Reason.UNREACHABLE,
         "407: the proxy asks for a user and a password; name them in proxy_file"),
        (ForwardProxy(page=200), "http://kho.example.test", Reason.INVALID_ANSWER, "200 with <html>: this is no list of buckets"),
        (ForwardProxy(page=403), "http://kho.example.test", Reason.INVALID_ANSWER,
         "403 with <html>: no answer of a store; let the proxy or firewall before it pass this machine"),
        (None, "https://kho.example.test", Reason.UNREACHABLE, "no connection to the proxy 127.0.0.1:1"),
    ],
)  # fmt: skip
def test_a_proxy_that_refuses_is_a_gap(
    proxy: ForwardProxy | None, url: str, reason: Reason, detail: str, tmp_path: Path
) -> None:
    if proxy is None:
        seen = collect(url, tmp_path, proxy=Proxy("127.0.0.1", 1))
    else:
        with forwarding(proxy):
            seen = collect(
                url, tmp_path, proxy=Proxy.read(proxy.url.replace("//", "//an:PLANTED@"), "'proxy'")
            )
        detail = detail.format(proxy.place)
    (gap,) = seen.gaps
    assert (gap.reason, gap.detail) == (reason, detail)
    assert "PLANTED" not in repr(seen.everything) + repr(seen.calls)


def test_virtual_hosts_are_asked_by_name(tmp_path: Path) -> None:
    target = S3Target("kho", "https://s3.vn:8443/goc", profile="x", addressing="virtual")
    assert target.url("b", "acl") == "https://b.s3.vn:8443/goc/?acl"
    assert target.url() == "https://s3.vn:8443/goc/"
    assert S3Target("kho", "https://s3.vn/goc/", profile="x").url("b", "acl") == "https://s3.vn/goc/b?acl"


# --- secrets --------------------------------------------------------------------------------------


def test_no_secret_is_in_anything_that_is_handed_out(tmp_path: Path) -> None:
    def echo(asked: Asked) -> Reply:
        """A store that repeats what it was told, where the collector might repeat it too."""
        leak = asked.headers["Authorization"].encode()
        code = base64.b64encode(leak)[:40]
        return Reply(
            403,
            b"<Error><Code>AccessDenied</Code><Message>" + leak + b"</Message><K>" + code + b"</K></Error>",
        )

    with playing(echo) as server:
        seen = collect(server.url, tmp_path, buckets=("b",))
        signature = server.asked[0].headers["Authorization"].rsplit("=", 1)[1]
    told = repr((seen.everything, seen.calls))
    for secret in ("bi-mat-kiem-thu", "AKIDKIEMTHU", signature, "AWS4-HMAC"):
        assert secret not in told


# --- resources/ -----------------------------------------------------------------------------------


def test_what_is_collected_is_what_resources_declare() -> None:
    declared = load_types()["s3.bucket"]
    for op in operations(frozenset()):
        assert declared.calls[op.call].request == f"GET /{{bucket}}?{op.query}"
        names = {name for name, fact in declared.facts.items() if fact.call == op.call}
        assert names == (set(op.nothing) or {"acl.owner", "acl.grants"})
        assert {name.split(".")[0] for name in names} == set(op.groups)
    assert declared.calls["s3.list_buckets"].lists


def _fits(value: Any, fact: Any) -> bool:
    if value is None:
        return bool(fact.nullable)
    if isinstance(value, Partial):
        value = value.items
    match fact.type:
        case FactType.LIST:
            return isinstance(value, tuple) and all(_fits(item, fact.items) for item in value)
        case FactType.RECORD:
            same = set(value) == set(fact.fields)
            return same and all(_fits(item, fact.fields[name]) for name, item in value.items())
        case FactType.MAP:
            return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
        case FactType.BOOLEAN:
            return isinstance(value, bool)
        case FactType.INTEGER | FactType.TIME | FactType.DURATION:
            return type(value) is int
        case FactType.STRING:
            return isinstance(value, str)
    raise AssertionError(fact.type)


@pytest.mark.parametrize("name", STORES)
def test_every_fact_has_its_declared_type(name: str) -> None:
    types = load_types()
    seen = played(name)
    for resource in (*seen.buckets.values(), seen.endpoint):
        facts = types[resource.type].facts
        assert {n: v for n, v in resource.facts.items() if not _fits(v, facts[n])} == {}
