"""An S3 store to play back: recorded answers of ten stores, written out again as they stood on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

import botocore.session
from playback import Asked, Reply

from cloudaudit.collectors.s3 import S3Collector, S3Target
from cloudaudit.collectors.s3.operations import operations
from cloudaudit.collectors.transport import CallLog
from cloudaudit.model import Gap, Listing, Resource, Scope

STORES = json.loads((Path(__file__).parent / "s3_stores.json").read_text(encoding="utf-8"))
EVERY = frozenset(op.call for op in operations(frozenset()))
ALL = EVERY | {"s3.list_buckets", "s3.head_bucket", "s3.unknown_subresource", "s3.capabilities"}
OURS = 1_700_000_000

# Recorded name of an operation: sub-resource and the operation of the AWS model.
WIRE = {
    "location": ("location", "GetBucketLocation"),
    "versioning": ("versioning", "GetBucketVersioning"),
    "encryption": ("encryption", "GetBucketEncryption"),
    "object_lock": ("object-lock", "GetObjectLockConfiguration"),
    "lifecycle": ("lifecycle", "GetBucketLifecycleConfiguration"),
    "replication": ("replication", "GetBucketReplication"),
    "policy": ("policy", "GetBucketPolicy"),
    "policy_status": ("policyStatus", "GetBucketPolicyStatus"),
    "public_access_block": ("publicAccessBlock", "GetPublicAccessBlock"),
    "acl": ("acl", "GetBucketAcl"),
    "logging": ("logging", "GetBucketLogging"),
    "notification": ("notification", "GetBucketNotificationConfiguration"),
    "tagging": ("tagging", "GetBucketTagging"),
    "cors": ("cors", "GetBucketCors"),
    "website": ("website", "GetBucketWebsite"),
    "ownership": ("ownershipControls", "GetBucketOwnershipControls"),
}
VARIANTS = {
    "encryption": "encryption_kms",
    "object_lock": "object_lock_nolock",
    "lifecycle": "lifecycle_transition",
}
LISTING = b"<ListBucketResult><Name>b</Name><Contents><Key>k</Key></Contents></ListBucketResult>"


# --- wire documents -------------------------------------------------------------------------------


@cache
def _model() -> Any:
    return botocore.session.Session().get_service_model("s3")


def _element(name: str, inner: str, attributes: str = "") -> str:
    return f"<{name}{attributes}>{inner}</{name}>"


def _inner(shape: Any, value: Any) -> str:
    """What stands inside the element of one shape."""
    if shape.type_name == "structure":
        return "".join(_member(name, shape.members[name], value[name]) for name in value)
    if shape.type_name == "boolean":
        return "true" if value else "false"
    return escape(str(value))


def _member(name: str, shape: Any, value: Any) -> str:
    tag = shape.serialization.get("name", name)
    if shape.serialization.get("xmlAttribute") or shape.serialization.get("location") == "header":
        return ""
    if shape.type_name != "list":
        attributes = ""
        if shape.type_name == "structure" and "Type" in shape.members and "Type" in value:
            attributes = f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="{value["Type"]}"'
        return _element(tag, _inner(shape, value), attributes)
    if shape.serialization.get("flattened"):
        return "".join(_element(tag, _inner(shape.member, item)) for item in value)
    inside = shape.member.serialization.get("name", "member")
    return _element(tag, "".join(_element(inside, _inner(shape.member, item)) for item in value))


def document(name: str, root: str, parsed: Mapping[str, Any]) -> bytes:
    """The XML (or JSON) an answer was parsed from, by the AWS model of the operation."""
    if name == "policy":
        return str(parsed["Policy"]).encode()
    if name == "location":
        place = escape(parsed["LocationConstraint"] or "")
        inner = place if root == "LocationConstraint" else _element("LocationConstraint", place)
        return _element(root, inner).encode()
    shape = _model().operation_model(WIRE[name][1]).output_shape
    payload = shape.serialization.get("payload")
    if payload is not None:
        shape, parsed = shape.members[payload], parsed[payload]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_element(root, _inner(shape, parsed))}'.encode()


def error(status: int, code: str) -> Reply:
    return Reply(status, f"<Error><Code>{code}</Code><Message>Key AKIA refused</Message></Error>".encode())


def recorded(name: str, record: Mapping[str, Any]) -> Reply:
    """A recorded answer as it stood on the wire."""
    status, code, root = record["status"], record.get("code"), record.get("root")
    if status != 200:
        return error(status, code) if code and not code.isdecimal() else Reply(status)
    if "parsed" in record and name != "head_bucket":
        return Reply(200, document(name, root, record["parsed"]))
    return Reply(200, _element(root, "").encode() if root else b"")


# --- a store --------------------------------------------------------------------------------------


def bucket_list(names: Iterable[str], owner: str | None = "chu", more: str = "") -> Reply:
    who = f"<Owner><ID>{owner}</ID></Owner>" if owner is not None else ""
    made = "<CreationDate>2026-11-20T00:00:00.000Z</CreationDate>"
    rows = "".join(f"<Bucket><Name>{escape(name)}</Name>{made}</Bucket>" for name in names)
    whole = f"<ListAllMyBucketsResult>{who}<Buckets>{rows}</Buckets>{more}</ListAllMyBucketsResult>"
    return Reply(200, whole.encode())


Answers = Mapping[str, Reply]
"""Answers of one bucket: "HEAD", or the sub-resource of a GET. "*" is for all other questions."""


def store(
    buckets: Mapping[str, Answers], listing: Reply | None = None, headers: Mapping[str, str] | None = None
) -> Callable[[Asked], Reply]:
    """A store with these buckets. Unknown sub-resources give 501, unless "*" says otherwise."""
    listed = listing or bucket_list(buckets)

    def answer(asked: Asked) -> Reply:
        parts = urlsplit(asked.path)
        name = unquote(parts.path.strip("/"))
        query = [key for key, _ in parse_qsl(parts.query, keep_blank_values=True)]
        if not name:
            reply = listed
        else:
            answers = buckets.get(name, {"HEAD": Reply(404), "*": error(404, "NoSuchBucket")})
            other = Reply() if asked.method == "HEAD" else answers.get("*", error(501, "NotImplemented"))
            reply = answers.get("HEAD" if asked.method == "HEAD" else query[0], other)
        return Reply(reply.status, reply.body, {**(headers or {}), **reply.headers}, reply.raw)

    return answer


class Seen:
    """What a collection handed out, sorted by kind."""

    def __init__(self, things: Iterable[object], log: CallLog) -> None:
        every = list(things)
        self.buckets = {r.id: r for r in every if isinstance(r, Resource) and r.type == "s3.bucket"}
        (self.endpoint,) = [r for r in every if isinstance(r, Resource) and r.type == "s3.endpoint"]
        self.gaps = [g for g in every if isinstance(g, Gap)]
        self.listings = [x for x in every if isinstance(x, Listing)]
        self.calls = log.calls
        self.everything = every

    @property
    def bucket(self) -> Resource:
        (only,) = self.buckets.values()
        return only


def target(url: str, keys: Path, **more: Any) -> S3Target:
    access, secret = keys / "access", keys / "secret"
    access.write_text("AKIDKIEMTHU\n")
    secret.write_text("bi-mat-kiem-thu\n")
    files = {"access_key_file": str(access), "secret_key_file": str(secret)}
    return S3Target("kho", url, **{**files, **more})


def collect(url: str, keys: Path, wanted: frozenset[str] = ALL, **more: Any) -> Seen:
    """Run the collector against a URL, without ever waiting."""
    log = CallLog()
    collector = S3Collector(target(url, keys, **more), now=lambda: OURS, pause=lambda seconds: None)
    (scope,) = collector.scopes(log)
    assert scope == Scope("kho")
    return Seen(collector.collect(scope, wanted, log), log)
