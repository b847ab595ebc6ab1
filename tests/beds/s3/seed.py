"""seed.py TRUTH.json [again]  < the JSON object of `bed.sh STORE env`

Puts the seed into a store and writes down what the store then answers.

Every setting is tried on every store.  A refusal is not worked around: it goes
into the truth with the answer (HTTP status, code, root element).  What the truth
says of a setting comes from reading it back, never from having put it.

Writes go through boto3.  Reads are signed requests whose raw body is looked at:
a store that does not know a sub-resource may answer the bucket listing with 200,
which boto3 turns into an empty but cheerful dictionary.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import struct
import sys
import time
import unicodedata
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.handlers import validate_bucket_name
from botocore.httpsession import URLLib3Session

BED = json.load(sys.stdin)
STORE, REGION, KEYS = BED["store"], BED["region"], BED["credentials"]
HTTP = BED["endpoints"]["http"]
SECOND = BED.get("second")
CALLERS = [c for c in ("owner", "reader", "other", "empty", "caps") if c in KEYS]
NFC = lambda s: unicodedata.normalize("NFC", s)
NFD = lambda s: unicodedata.normalize("NFD", s)

# Reads: name -> (sub-resource, root elements that are an answer, boto3 method).
# BlockPublicAccessBlockConfiguration is what Ceph 16 says, CreateBucketConfiguration
# what SeaweedFS says.
READS = {
    "location": ("location", {"LocationConstraint", "CreateBucketConfiguration"}, "get_bucket_location"),
    "versioning": ("versioning", {"VersioningConfiguration"}, "get_bucket_versioning"),
    "encryption": ("encryption", {"ServerSideEncryptionConfiguration"}, "get_bucket_encryption"),
    "object_lock": ("object-lock", {"ObjectLockConfiguration"}, "get_object_lock_configuration"),
    "lifecycle": ("lifecycle", {"LifecycleConfiguration"}, "get_bucket_lifecycle_configuration"),
    "replication": ("replication", {"ReplicationConfiguration"}, "get_bucket_replication"),
    "policy": ("policy", {"json"}, "get_bucket_policy"),
    "policy_status": ("policyStatus", {"PolicyStatus"}, "get_bucket_policy_status"),
    "public_access_block": (
        "publicAccessBlock",
        {"PublicAccessBlockConfiguration", "BlockPublicAccessBlockConfiguration"},
        "get_public_access_block",
    ),
    "acl": ("acl", {"AccessControlPolicy"}, "get_bucket_acl"),
    "ownership": ("ownershipControls", {"OwnershipControls"}, "get_bucket_ownership_controls"),
    "tagging": ("tagging", {"Tagging"}, "get_bucket_tagging"),
    "logging": ("logging", {"BucketLoggingStatus"}, "get_bucket_logging"),
    "notification": ("notification", {"NotificationConfiguration"}, "get_bucket_notification_configuration"),
    "cors": ("cors", {"CORSConfiguration"}, "get_bucket_cors"),
    "website": ("website", {"WebsiteConfiguration"}, "get_bucket_website"),
    "request_payment": ("requestPayment", {"RequestPaymentConfiguration"}, "get_bucket_request_payment"),
    "accelerate": ("accelerate", {"AccelerateConfiguration"}, "get_bucket_accelerate_configuration"),
}
# 404 with one of these codes: the store knows the setting, and it is not set
NOT_SET = {
    "ServerSideEncryptionConfigurationNotFoundError",
    "ObjectLockConfigurationNotFoundError",
    "NoSuchLifecycleConfiguration",
    "ReplicationConfigurationNotFoundError",
    "NoSuchBucketPolicy",
    "NoSuchPublicAccessBlockConfiguration",
    "OwnershipControlsNotFoundError",
    "NoSuchTagSet",
    "NoSuchCORSConfiguration",
    "NoSuchWebsiteConfiguration",
}
# What a reader of configuration would be granted, by AWS's names; each is tried
# by itself, because one unknown name makes a store refuse the whole policy.
READ_ACTIONS = [
    "s3:ListBucket",
    "s3:GetBucketAcl",
    "s3:GetBucketCORS",
    "s3:GetBucketLocation",
    "s3:GetBucketLogging",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPolicyStatus",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetBucketWebsite",
    "s3:GetAccelerateConfiguration",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:Get*",
]

# ------------------------------------------------------------------ requests

SESSION = URLLib3Session(verify=BED["ca"], timeout=30, max_pool_connections=16)


def client(caller="owner", endpoint=HTTP, region=REGION):
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=KEYS[caller]["access_key"],
        aws_secret_access_key=KEYS[caller]["secret_key"],
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            connect_timeout=5,
            read_timeout=30,
            retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    s3.meta.events.unregister(
        "before-parameter-build.s3", validate_bucket_name
    )  # odd names are the store's to judge
    return s3


def root_of(body):
    if not body:
        return None
    if body.lstrip()[:1] in (b"{", b"["):
        return "json"
    found = re.search(rb"<(?![?!])([A-Za-z0-9:_]+)", body)
    return found.group(1).decode().split(":")[-1] if found else "text"


def ask(caller, path="", query="", method="GET", endpoint=HTTP, region=REGION, headers=None):
    """One request, signed unless caller is None; -> (answer, headers, body)."""
    request = AWSRequest(
        method, f"{endpoint}/{urllib.parse.quote(path)}" + (f"?{query}" if query else ""), headers
    )
    if caller:
        S3SigV4Auth(
            Credentials(KEYS[caller]["access_key"], KEYS[caller]["secret_key"]), "s3", region
        ).add_auth(request)
    reply = SESSION.send(request.prepare())
    body = reply.content or b""
    answer = {"http": reply.status_code, "root": root_of(body)}
    if answer["root"] == "Error":
        code = re.search(rb"<Code>([^<]*)</Code>", body)
        answer["code"] = code.group(1).decode() if code else None
    if reply.status_code in (301, 302, 307, 308):
        answer["location"] = reply.headers.get("location")
    return answer, reply.headers, body


def tried(function, **arguments):
    """Call boto3; -> (True or False, answer, parsed reply or None)."""
    try:
        reply = function(**arguments)
        return True, {"http": reply["ResponseMetadata"]["HTTPStatusCode"]}, reply
    except ClientError as e:
        error = e.response.get("Error") or {}
        return (
            False,
            {
                "http": e.response.get("ResponseMetadata", {}).get("HTTPStatusCode"),
                "code": error.get("Code"),
                "message": error.get("Message"),
            },
            None,
        )
    except Exception as e:  # noqa: BLE001 - what boto3 makes of some answers is no ClientError
        return False, {"exception": type(e).__name__, "message": str(e)[:300]}, None


def one_time_password(seed):
    """TOTP (RFC 6238) of this half minute."""
    digest = hmac.digest(seed, struct.pack(">Q", int(time.time()) // 30), "sha1")
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def plain(value):
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k != "ResponseMetadata"}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


# --------------------------------------------------------------------- truth


def digest():
    """Changes whenever this file or the bed it was used on does."""
    h = hashlib.sha256(open(__file__, "rb").read())
    h.update(json.dumps({k: v for k, v in BED.items() if k != "up"}, sort_keys=True).encode())
    return h.hexdigest()


class Seed:
    def __init__(self, old):
        self.s3 = client()
        self.buckets, self.refused, self.odd_names = {}, [], {}
        self.planted = {
            "bucket_tag": {"bucket": "the-bi-mat", "where": "value of the bucket tag api_key"},
            "object_metadata": {"bucket": "ho-so-cong-dan", "where": "x-amz-meta-mat-khau of tep-mau.txt"},
            "object_body": {"bucket": "ho-so-cong-dan", "where": "content of tep-mau.txt"},
            **(old.get("planted") or {}),
        }
        if "totp" in BED:
            self.planted["totp_seed"] = {
                "where": "the owner's second factor", "value": BED["totp"]["seed"], "accepted": True,
            }  # fmt: skip
        for name, plant in self.planted.items():
            plant.setdefault("value", f"PLANTED-{name.replace('_', '-')}-{secrets.token_hex(8)}")

        self.token = self.native_token() if "native" in BED else None

    @staticmethod
    def native_token():
        """Swift only: what its own API takes the owner by."""
        who = {"X-Auth-User": KEYS["owner"]["access_key"], "X-Auth-Key": KEYS["owner"]["secret_key"]}
        return ask(None, endpoint=BED["native"]["auth"], headers=who)[1].get("x-auth-token")

    # writing

    def record(self, bucket, setting, asked, ok, answer):
        note = {"asked": asked, "accepted": ok, "answer": answer}
        self.buckets.setdefault(bucket, {"settings": {}})["settings"][setting] = note
        if not ok:
            self.refused.append({"bucket": bucket, "setting": setting, "answer": answer})
        return ok

    def bucket(
        self, name, s3=None, caller="owner", place=BED.get("location_constraint"), endpoint=HTTP, **more
    ):
        """Create a bucket, or find it there already."""
        s3 = s3 or self.s3
        if place:
            more["CreateBucketConfiguration"] = {"LocationConstraint": place}
        ok, answer, _ = tried(s3.create_bucket, Bucket=name, **more)
        if not ok and answer.get("code") in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            ok = tried(s3.head_bucket, Bucket=name)[0]
            answer = {"there": "already"} if ok else answer
        self.record(
            name,
            "create",
            {"location": place, "object_lock": "ObjectLockEnabledForBucket" in more},
            ok,
            answer,
        )
        if ok:
            self.buckets[name].update(owner=caller, endpoint=endpoint)
        else:
            self.buckets[name]["exists"] = False
        return ok

    def put(self, bucket, setting, method, asked, **arguments):
        ok, answer, _ = tried(getattr(self.s3, method), Bucket=bucket, **arguments)
        return self.record(bucket, setting, asked, ok, answer)

    def versioning(self, bucket, status):
        self.put(
            bucket,
            f"versioning_{status.lower()}",
            "put_bucket_versioning",
            status,
            VersioningConfiguration={"Status": status},
        )

    def tags(self, bucket, tags):
        self.put(
            bucket,
            "tags",
            "put_bucket_tagging",
            tags,
            Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]},
        )

    def lifecycle(self, bucket, **rule):
        rule = {"ID": "vong-doi", "Status": "Enabled", "Filter": {"Prefix": ""}, **rule}
        self.put(
            bucket,
            "lifecycle",
            "put_bucket_lifecycle_configuration",
            rule,
            LifecycleConfiguration={"Rules": [rule]},
        )

    def policy(self, bucket, *statements):
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        self.put(bucket, "policy", "put_bucket_policy", document, Policy=json.dumps(document))

    def closed(self, bucket):
        """Nothing of it may be made public."""
        every = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        self.put(
            bucket,
            "public_access_block",
            "put_public_access_block",
            every,
            PublicAccessBlockConfiguration=dict.fromkeys(every, True),
        )

    def mfa_delete(self, bucket):
        """Only Ceph has this, and only for an owner with a device."""
        if "totp" in BED:
            self.put(
                bucket,
                "mfa_delete",
                "put_bucket_versioning",
                "Enabled",
                VersioningConfiguration={"Status": "Enabled", "MFADelete": "Enabled"},
                MFA=f"{BED['totp']['serial']} {one_time_password(bytes.fromhex(BED['totp']['seed']))}",
            )

    def told(self, bucket):
        """Of what is deleted in it somebody is told; nobody listens at that address."""
        topic = "arn:aws:sns:us-east-1:000000000000:xoa"
        if STORE == "ceph":
            sns = boto3.client(
                "sns",
                endpoint_url=HTTP,
                region_name=REGION,
                aws_access_key_id=KEYS["owner"]["access_key"],
                aws_secret_access_key=KEYS["owner"]["secret_key"],
            )
            topic = sns.create_topic(Name="xoa", Attributes={"push-endpoint": "http://127.0.0.1:9/"})[
                "TopicArn"
            ]
        rule = {"Id": "xoa", "TopicArn": topic, "Events": ["s3:ObjectRemoved:*"]}
        self.put(
            bucket,
            "notification",
            "put_bucket_notification_configuration",
            rule,
            NotificationConfiguration={"TopicConfigurations": [rule]},
        )

    def logging(self, bucket, target):
        self.put(
            bucket,
            "logging",
            "put_bucket_logging",
            target,
            BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": f"{bucket}/"}},
        )

    def encryption(self, bucket, algorithm, **key):
        self.put(
            bucket,
            "encryption",
            "put_bucket_encryption",
            algorithm,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm, **key}}]
            },
        )

    def object(self, bucket, key, body=b"mau\n", setting=None, **more):
        if tried(self.s3.head_object, Bucket=bucket, Key=key)[0]:
            ok, answer = True, {"there": "already"}
        else:
            ok, answer, _ = tried(self.s3.put_object, Bucket=bucket, Key=key, Body=body, **more)
        self.record(bucket, setting or f"object {key}", more, ok, answer)

    def usable_actions(self):
        """Which names of READ_ACTIONS this store takes in a bucket policy."""
        scratch, taken, refused = "thu-quyen", [], {}
        tried(
            self.s3.create_bucket,
            Bucket=scratch,
            **(
                {"CreateBucketConfiguration": {"LocationConstraint": BED["location_constraint"]}}
                if BED.get("location_constraint")
                else {}
            ),
        )
        for action in READ_ACTIONS:
            ok, answer, _ = tried(
                self.s3.put_bucket_policy,
                Bucket=scratch,
                Policy=json.dumps(
                    {"Version": "2012-10-17", "Statement": [self.for_reader(scratch, "Allow", [action])]}
                ),
            )
            if ok:
                taken.append(action)
            else:
                refused[action] = answer
        if taken:
            tried(self.s3.delete_bucket_policy, Bucket=scratch)
        tried(self.s3.delete_bucket, Bucket=scratch)
        return taken, refused

    @staticmethod
    def for_reader(bucket, effect, actions):
        return {
            "Sid": f"KiemToan{effect}",
            "Effect": effect,
            "Principal": {"AWS": [BED["reader_principal"]]},
            "Action": actions,
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        }

    # the seed itself

    def plant(self):
        taken, refused = self.usable_actions()
        self.actions = {"accepted": taken, "refused": refused}
        grant = [a for a in taken if a != "s3:Get*"] or ["s3:ListBucket"]
        let_in = lambda b: self.for_reader(b, "Allow", grant)

        b = "ho-so-cong-dan"  # important, versioned, private
        if self.bucket(b):
            self.versioning(b, "Enabled")
            self.tags(b, {"system_id": "cong-dich-vu", "data_class": "important", "data_residency": "VN"})
            self.lifecycle(b, NoncurrentVersionExpiration={"NoncurrentDays": 90})
            self.put(b, "acl", "put_bucket_acl", "private", ACL="private")
            self.encryption(b, "AES256")
            self.policy(b, let_in(b))
            self.object(
                b,
                "tep-mau.txt",
                self.planted["object_body"]["value"].encode(),
                Metadata={"mat-khau": self.planted["object_metadata"]["value"]},
            )
            self.object(b, NFC("Hồ sơ/Đề nghị số 1.txt"))
            self.told(b)
            self.logging(b, "nhat-ky")

        b = "sao-luu"  # backup that nobody may delete
        if self.bucket(b, ObjectLockEnabledForBucket=True):
            self.versioning(b, "Enabled")
            self.put(
                b,
                "object_lock",
                "put_object_lock_configuration",
                "COMPLIANCE 30 days",
                ObjectLockConfiguration={
                    "ObjectLockEnabled": "Enabled",
                    "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}},
                },
            )
            self.tags(b, {"role": "backup"})
            self.policy(b, let_in(b))
            self.object(b, "tep-mau.txt")
            self.closed(b)
            self.mfa_delete(b)
            self.encryption(b, "aws:kms", KMSMasterKeyID="khoa-sao-luu")  # later objects would want the key

        b = "nhat-ky"  # logs: no versions, no lock, deleted after 400 days
        if self.bucket(b):
            self.tags(b, {"role": "log"})
            self.lifecycle(b, Expiration={"Days": 400})
            self.policy(b, let_in(b))
            self.object(b, "tep-mau.txt")

        b = "du-lieu-mo"  # public, and declared to be
        if self.bucket(b):
            self.put(b, "acl", "put_bucket_acl", "public-read", ACL="public-read")
            self.tags(b, {"data_class": "open"})
            self.policy(b, let_in(b))
            self.object(b, "tep-mau.txt")
            self.object(b, "danh-muc.csv", b"ma,ten\n", ACL="public-read")

        b = "ro-ri"  # public, and nobody said so
        if self.bucket(b):
            self.policy(
                b,
                {
                    "Sid": "CongKhai",
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": ["s3:GetObject"],
                    "Resource": [f"arn:aws:s3:::{b}/*"],
                },
                let_in(b),
            )
            self.object(b, "tep-mau.txt")

        b = "tam-dung"  # versioning once on, now suspended
        if self.bucket(b):
            self.versioning(b, "Enabled")
            self.object(b, "tep-mau.txt")
            self.versioning(b, "Suspended")
            self.lifecycle(
                b, Transitions=[{"Days": 30, "StorageClass": "GLACIER"}]
            )  # not every store's class
            self.policy(b, let_in(b))

        b = "nhan-ban"  # replicated to nhan-ban-dich; neither lets the reader in by policy
        if self.bucket(b) and self.bucket("nhan-ban-dich"):
            self.versioning(b, "Enabled")
            self.versioning("nhan-ban-dich", "Enabled")
            rule = {
                "ID": "sang-dich",
                "Status": "Enabled",
                "Priority": 1,
                "Filter": {"Prefix": ""},
                "DeleteMarkerReplication": {"Status": "Disabled"},
                "Destination": {"Bucket": "arn:aws:s3:::nhan-ban-dich"},
            }
            self.put(
                b,
                "replication",
                "put_bucket_replication",
                rule,
                ReplicationConfiguration={"Role": "arn:aws:iam::123456789012:role/nhan-ban", "Rules": [rule]},
            )

        b = "bi-tu-choi"  # the reader may list it and read none of its configuration
        if self.bucket(b):
            self.versioning(b, "Enabled")
            self.tags(b, {"system_id": "kin", "data_class": "core"})
            self.policy(b, let_in(b), self.for_reader(b, "Deny", ["s3:Get*"]))
            self.object(b, "tep-mau.txt")

        b = "the-nfd"  # tags in decomposed Unicode
        if self.bucket(b):
            self.tags(b, {"system_id": NFD("Cổng dịch vụ"), NFD("Phòng ban"): NFD("Kế toán")})
            self.policy(b, let_in(b))

        b = "the-nfc"  # the same tags composed
        if self.bucket(b):
            self.tags(b, {"system_id": NFC("Cổng dịch vụ"), NFC("Phòng ban"): NFC("Kế toán")})
            self.policy(b, let_in(b))

        b = "the-bi-mat"  # a secret among the tags
        if self.bucket(b):
            self.tags(b, {"system_id": "cong-dich-vu", "api_key": self.planted["bucket_tag"]["value"]})
            self.policy(b, let_in(b))

        self.bucket("khong-dat-gi")  # nothing was ever set here
        self.bucket(
            "lech-vung", place="vn-hcm"
        )  # asked for in vn-hcm at the first endpoint: where does it go?

        b = "chi-tls"  # Ceph only, whose owner may still read settings over HTTP: nothing but TLS is let in
        if STORE == "ceph" and self.bucket(b):
            refusal = {"Sid": "ChiTls", "Effect": "Deny", "Principal": "*", "Action": "s3:*"}
            places = [f"arn:aws:s3:::{b}", f"arn:aws:s3:::{b}/*"]
            self.policy(
                b, {**refusal, "Resource": places, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
            )

        b = "mo-ngoai-s3"  # Swift only: opened to the world by Swift's own API, of which S3's tells nothing
        if self.token and self.bucket(b):
            self.object(b, "tep-mau.txt")
            headers = {"X-Auth-Token": self.token, "X-Container-Read": ".r:*,.rlistings"}
            answer = ask(None, b, method="POST", endpoint=BED["native"]["storage"], headers=headers)[0]
            self.record(b, "native_read", headers["X-Container-Read"], answer["http"] == 204, answer)

        for name in ("etc.passwd", "con", "a..b", ".an", "Thu_Muc", "..", "báo-cáo", "x" * 64):
            if self.bucket(name):  # names that look like paths, or are none by the rules
                self.buckets[name]["odd_name"] = True
            self.odd_names[name] = self.buckets[name]["settings"]["create"]
            if self.buckets[name].get("exists") is False:
                del self.buckets[name]
        self.refused = [r for r in self.refused if r["bucket"] not in self.odd_names]

        self.bucket("khach-khac", s3=client("other"), caller="other")

        if SECOND:
            far = client(endpoint=SECOND["http"], region=SECOND["region"])
            for _ in range(120):  # the second zonegroup learns the users by itself, after a while
                if tried(far.list_buckets)[0]:
                    break
                time.sleep(1)
            self.bucket("o-hcm", s3=far, place=SECOND["region"], endpoint=SECOND["http"])

    # reading back

    def reads(self, name, caller, endpoint=HTTP, region=REGION):
        """Every read of one bucket by one caller, as the store answered it."""
        out = {
            "head": ask(caller, name, method="HEAD", endpoint=endpoint, region=region)[0],
            "objects": ask(caller, name, "list-type=2&max-keys=3", endpoint=endpoint, region=region)[0],
        }
        for read, (query, _, _) in READS.items():
            out[read] = ask(caller, name, query, endpoint=endpoint, region=region)[0]
        out["unknown_subresource"] = ask(caller, name, "khong-co-tham-so", endpoint=endpoint, region=region)[
            0
        ]
        return out

    def facts(self, name, answers, s3):
        """What the owner reads: the state of each setting, and its value."""
        facts = {}
        for read, (_, roots, method) in READS.items():
            a = answers[read]
            if a["http"] == 200 and a["root"] in roots:
                ok, _, reply = tried(getattr(s3, method), Bucket=name)
                facts[read] = {"state": "answered", "value": plain(reply) if ok else None}
            elif a["http"] == 200:
                facts[read] = {"state": "unsupported", "why": f"200 with <{a['root']}>"}
            elif a["http"] == 404 and a.get("code") in NOT_SET:
                facts[read] = {"state": "not-set", "why": a["code"]}
            elif a["http"] in (405, 501):
                facts[read] = {"state": "unsupported", "why": f"{a['http']} {a.get('code')}"}
            else:
                facts[read] = {"state": "failed", "why": f"{a['http']} {a.get('code')}"}
        return facts

    @staticmethod
    def summary(facts):
        """The same in the words a check uses; None where the store does not say."""

        def value(read):
            return facts[read].get("value") if facts[read]["state"] == "answered" else None

        def state(read):
            return facts[read]["state"]

        lock = (value("object_lock") or {}).get("ObjectLockConfiguration") or {}
        grants = (value("acl") or {}).get("Grants") or []
        document = json.loads((value("policy") or {}).get("Policy") or "{}")
        everyone = [
            s
            for s in document.get("Statement", [])
            if s.get("Effect") == "Allow"
            and not s.get("Condition")
            and s.get("Principal") in ("*", ["*"], {"AWS": "*"}, {"AWS": ["*"]})
        ]
        return {
            "location": (value("location") or {}).get("LocationConstraint"),
            "versioning": (value("versioning") or {}).get("Status"),
            "lock": bool(lock.get("ObjectLockEnabled")),
            "lock_default": (lock.get("Rule") or {}).get("DefaultRetention"),
            "lifecycle_rules": (value("lifecycle") or {}).get("Rules"),
            "replication_rules": ((value("replication") or {}).get("ReplicationConfiguration") or {}).get(
                "Rules"
            ),
            "tags": {t["Key"]: t["Value"] for t in (value("tagging") or {}).get("TagSet") or []},
            "policy_public": bool(everyone) if state("policy") in ("answered", "not-set") else None,
            "policy_status_public": ((value("policy_status") or {}).get("PolicyStatus") or {}).get(
                "IsPublic"
            ),
            "acl_public": sorted(
                {
                    g["Permission"]
                    for g in grants
                    if (g.get("Grantee") or {}).get("URI", "").endswith("/global/AllUsers")
                }
            ),
            "encryption_supported": state("encryption") in ("answered", "not-set"),
            "encryption": value("encryption"),
        }

    def anonymous(self, name, endpoint):
        out = {
            "list": ask(None, name, "list-type=2&max-keys=3", endpoint=endpoint)[0],
            "get": ask(None, f"{name}/tep-mau.txt", endpoint=endpoint)[0],
            "acl": ask(None, name, "acl", endpoint=endpoint)[0],
        }
        if "danh-muc.csv" in str(self.buckets[name]["settings"]):
            out["get_declared_open"] = ask(None, f"{name}/danh-muc.csv", endpoint=endpoint)[0]
        return out

    def native(self, name):
        """Swift only: the container as its own API shows it, and to strangers."""
        storage = BED["native"]["storage"]
        _, headers, _ = ask(None, name, method="HEAD", endpoint=storage, headers={"X-Auth-Token": self.token})
        return {
            "headers": {
                k.lower(): v
                for k, v in headers.items()
                if k.lower().startswith(
                    ("x-container-read", "x-container-write", "x-versions", "x-container-meta")
                )
            },
            "anonymous_list": ask(None, name, "limit=3", endpoint=storage)[0]["http"],
            "anonymous_get": ask(None, f"{name}/tep-mau.txt", endpoint=storage)[0]["http"],
        }

    def listing(self, caller, endpoint, region):
        answer, _, body = ask(caller, endpoint=endpoint, region=region)
        if answer["root"] == "ListAllMyBucketsResult":
            text = body.decode()
            owner = re.search(r"<Owner>.*?<ID>([^<]*)</ID>", text, re.S)
            answer["owner_id"] = owner.group(1) if owner else None
            answer["buckets"] = re.findall(r"<Bucket>.*?<Name>([^<]*)</Name>", text, re.S)
        return answer

    def read_back(self):
        """All reads of all buckets, several at once: stores answer in milliseconds, and there are a thousand."""
        there = {name: b for name, b in self.buckets.items() if b.get("exists") is not False}
        place = lambda b: (
            b["endpoint"],
            SECOND["region"] if SECOND and b["endpoint"] == SECOND["http"] else REGION,
        )
        owners = {(b["owner"], *place(b)) for b in there.values()}
        clients = {
            key: client(*key) for key in owners
        }  # made here: boto3 makes them for one thread at a time

        def look(item):
            name, b = item
            here = place(b)
            b["exists"] = True
            b["answers"] = {c: self.reads(name, c, *here) for c in ("owner", "reader", "other")}
            b["anonymous"] = self.anonymous(name, b["endpoint"])
            b["facts"] = self.facts(name, b["answers"][b["owner"]], clients[b["owner"], *here])
            b["summary"] = self.summary(b["facts"])
            if self.token and b["owner"] == "owner":
                b["native"] = self.native(name)
            if here[0] != HTTP:  # the same questions at the first zonegroup's endpoint
                b["at_first_endpoint"] = self.reads(name, "owner")

        with ThreadPoolExecutor(8) as pool:
            for _ in pool.map(look, there.items()):
                pass
        places = {"first": (HTTP, REGION)}
        if SECOND:
            places["second"] = (SECOND["http"], SECOND["region"])
            for _ in range(120):  # bucket names of the first zonegroup arrive there later
                near, far = (self.listing("owner", *p).get("buckets") for p in places.values())
                if near == far:
                    break
                time.sleep(0.5)
        self.lists = {
            where: {
                c or "anonymous": self.listing(c, *place) for c in CALLERS + ["unknown", "wrong_secret", None]
            }
            for where, place in places.items()
        }
        tag = self.buckets[self.planted["bucket_tag"]["bucket"]]["settings"].get("tags", {})
        self.planted["bucket_tag"]["accepted"] = tag.get("accepted", False)
        for name in ("object_metadata", "object_body"):
            note = self.buckets[self.planted[name]["bucket"]]["settings"].get("object tep-mau.txt", {})
            self.planted[name]["accepted"] = note.get("accepted", False)
        self.missing = {
            c or "anonymous": self.reads("khong-co-vung-nay", c) for c in ("owner", "reader", None)
        }


def main():
    path, again = sys.argv[1], "again" in sys.argv[2:]
    try:
        old = json.load(open(path, encoding="utf-8"))
    except FileNotFoundError:
        old = {}
    if old.get("digest") == digest() and not again:
        there = set(Seed.listing(None, "owner", HTTP, REGION).get("buckets") or [])
        if there >= {
            n
            for n, b in old["buckets"].items()
            if b["exists"] and b["owner"] == "owner" and b["endpoint"] == HTTP
        }:
            return  # the seed is in
    print(f"s3 bed {STORE}: seeding", file=sys.stderr)
    seed = Seed(old)
    seed.plant()
    seed.read_back()
    truth = {
        "digest": digest(),
        **{k: BED[k] for k in ("store", "version", "s3_acl", "region", "endpoints", "second") if k in BED},
        "list_buckets": seed.lists,
        "buckets": seed.buckets,
        "refused": seed.refused,
        "policy_actions": seed.actions,
        "odd_names": seed.odd_names,
        "missing_bucket": seed.missing,
        "planted": seed.planted,
    }
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump(truth, f, ensure_ascii=False, indent=1)
        f.write("\n")
    os.replace(path + ".new", path)


if __name__ == "__main__":
    main()
