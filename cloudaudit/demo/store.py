"""The S3 half of the sample cloud: moto's server behind a front that answers some calls as Ceph RGW does.

What the front changes was recorded from a real gateway: a sub-resource it does not know falls
through to the listing of the bucket, one bucket refuses everything but its name, errors carry no
message, dates are the recording's. Where access logs go is told by the front alone.
"""

from __future__ import annotations

import http.client
import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import urllib3

from cloudaudit.demo.web import Request, Response

SUB_RESOURCES: Final = frozenset({
    "acl", "cors", "lifecycle", "list-type", "location", "logging", "notification", "object-lock", "policy",
    "policyStatus", "publicAccessBlock", "replication", "tagging", "uploads", "versioning", "versions",
    "website",
})  # fmt: skip
REFUSING: Final = "ho-so-mat"
_CREATED: Final = re.compile(rb"<CreationDate>[^<]*</CreationDate>")
_ONE_USE: Final = re.compile(rb"<RequestI[dD]>[^<]*</RequestI[dD]>")
_CHANGED: Final = re.compile(rb"<LastModified>[^<]*</LastModified>")
_DENIED: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code>'
    b"<RequestId>tx00000sample-vn-hn-1</RequestId><HostId>sample-vn-hn-1-vn-hn</HostId></Error>"
)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of the story, as it is put into the store."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    versioning: str = ""
    lock_days: int = 0
    public_acl: bool = False
    public_policy: bool = False
    only_encrypted: bool = False
    """Whether its policy refuses connections that are not encrypted."""
    expire_noncurrent_days: int = 0
    replicate_to: str = ""
    log_to: str = ""
    location: str = "vn-hn"


_VN: Final = {"data_residency": "VN"}
_PORTAL: Final = {"system_id": "cong-dich-vu", "data_class": "personal-basic", **_VN}
_PAPERS: Final = {"system_id": "van-ban", "data_class": "internal"}
_PLATFORM: Final = {"system_id": "nen-tang", "data_class": "internal", **_VN}
ACCESS_LOGS: Final = "nt-nhat-ky-truy-cap"
STORY: Final = (
    # In order: what others name as a target comes first.
    Bucket(ACCESS_LOGS, {**_PLATFORM, "role": "audit"}, "Enabled", lock_days=400),
    Bucket("cdv-ho-so-hcm", _PORTAL, "Enabled", expire_noncurrent_days=90, location="vn-hcm"),
    Bucket(
        "cdv-ho-so", _PORTAL, "Enabled", only_encrypted=True, expire_noncurrent_days=90,
        replicate_to="cdv-ho-so-hcm", log_to=ACCESS_LOGS,
    ),
    Bucket(
        "cdv-sao-luu", {**_PORTAL, "role": "backup"}, "Enabled", lock_days=30, only_encrypted=True,
        log_to=ACCESS_LOGS,
    ),
    Bucket("vb-luu-tru", _PAPERS, "Enabled"),
    Bucket("vb-bao-cao", _PAPERS, "Enabled", replicate_to="bao-cao-doi-tac-sg"),
    Bucket("tt-du-lieu-mo", {"system_id": "trang-tin", "data_class": "open"}, public_acl=True),
    Bucket("tt-hinh-anh", {"system_id": "trang-tin", "data_class": "internal"}, public_policy=True),
    Bucket("nt-nhat-ky", {**_PLATFORM, "role": "log"}, "Suspended"),
    Bucket(REFUSING, {"system_id": "van-ban"}),
)  # fmt: skip


# NOTE: moto, told to log, writes logs into the target, and then no two runs are the same.
_LOGGED: Final = {
    bucket.name: (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<BucketLoggingStatus xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LoggingEnabled>'
        f"<TargetBucket>{bucket.log_to}</TargetBucket><TargetPrefix>{bucket.name}/</TargetPrefix>"
        "</LoggingEnabled></BucketLoggingStatus>"
    ).encode()
    for bucket in STORY
    if bucket.log_to
}


class Store:
    """moto's S3 server on a port of its own, seeded with the story, and the front before it."""

    def __init__(self, created: str) -> None:
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        _, self._port = self._server.get_host_and_port()
        # What an earlier sample of this process put into moto is still there.
        urllib3.request("POST", f"http://127.0.0.1:{self._port}/moto-api/reset", retries=False)
        self._created = created.encode()
        self._seed()

    def close(self) -> None:
        self._server.stop()

    def answer(self, request: Request) -> Response:
        """Answer as the gateway would."""
        parts = urlsplit(request.target)
        bucket = parts.path.strip("/").split("/", 1)[0]
        if request.method not in ("GET", "HEAD"):
            return Response(
                405,
                {"Content-Type": "application/xml"},
                _DENIED.replace(b"AccessDenied", b"MethodNotAllowed"),
            )
        if bucket == REFUSING:
            return Response(403, {"Content-Type": "application/xml"}, _DENIED)
        asked = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        if asked == {"logging"} and bucket in _LOGGED:
            return Response(200, {"Content-Type": "application/xml"}, _LOGGED[bucket])
        target = parts.path if asked and not asked & SUB_RESOURCES else request.target
        return self._forward(request.method, target)

    def _forward(self, method: str, target: str) -> Response:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            connection.request(
                method,
                target,
                headers={"Authorization": "AWS4-HMAC-SHA256 Credential=sample/20261122/x/s3/aws4_request"},
            )
            found = connection.getresponse()
            body = found.read()
        finally:
            connection.close()
        body = _CREATED.sub(b"<CreationDate>" + self._created + b"</CreationDate>", body)
        body = _ONE_USE.sub(b"<RequestId>tx00000sample-vn-hn-1</RequestId>", body)
        body = _CHANGED.sub(b"<LastModified>" + self._created + b"</LastModified>", body)
        headers = {
            "Content-Type": found.headers.get("Content-Type", "application/xml"),
            "x-amz-request-id": "tx00000sample-vn-hn-1",
        }
        return Response(found.status, headers, body)

    def _seed(self) -> None:
        import boto3
        from botocore.config import Config

        for bucket in STORY:
            # A bucket is made by who speaks for its location: any other is refused.
            s3 = boto3.client(
                "s3", endpoint_url=f"http://127.0.0.1:{self._port}", region_name=bucket.location,
                aws_access_key_id="sample", aws_secret_access_key="sample",  # noqa: S106 - the mock takes any
                config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
            )  # fmt: skip
            _put(s3, bucket)


def _put(s3: Any, bucket: Bucket) -> None:
    """Put one bucket of the story into the store."""
    name = bucket.name
    s3.create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": bucket.location},
        ObjectLockEnabledForBucket=bool(bucket.lock_days),
    )
    if bucket.labels:
        tags = [{"Key": key, "Value": value} for key, value in bucket.labels.items()]
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
    if bucket.versioning:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": bucket.versioning})
    if bucket.lock_days:
        retention = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": bucket.lock_days}}
        s3.put_object_lock_configuration(
            Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": retention}
        )
    if bucket.public_acl:
        s3.put_bucket_acl(Bucket=name, ACL="public-read")
    statements = list(_statements(bucket))
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        s3.put_bucket_policy(Bucket=name, Policy=policy)
    rules = list(_lifecycle(bucket))
    if rules:
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    if bucket.replicate_to:
        copy = {
            "ID": f"sang-{bucket.replicate_to}", "Status": "Enabled", "Priority": 1, "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": f"arn:aws:s3:::{bucket.replicate_to}"},
        }  # fmt: skip
        s3.put_bucket_replication(
            Bucket=name,
            ReplicationConfiguration={"Role": "arn:aws:iam::123456789012:role/sample", "Rules": [copy]},
        )


def _statements(bucket: Bucket) -> Iterator[Mapping[str, Any]]:
    """The statements of a bucket's policy."""
    whole = f"arn:aws:s3:::{bucket.name}/*"
    if bucket.public_policy:
        yield {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": whole}
    if bucket.only_encrypted:
        yield {
            "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [whole, whole.removesuffix("/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }  # fmt: skip


def _lifecycle(bucket: Bucket) -> Iterator[Mapping[str, Any]]:
    """The rules of a bucket's lifecycle."""
    every: Mapping[str, Any] = {"Status": "Enabled", "Filter": {"Prefix": ""}}
    if bucket.expire_noncurrent_days:
        days = {"NoncurrentDays": bucket.expire_noncurrent_days}
        yield {**every, "ID": "phien-ban-cu", "NoncurrentVersionExpiration": days}
        yield {**every, "ID": "tai-len-do-dang", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
