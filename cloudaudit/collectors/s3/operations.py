"""The sub-resources of a bucket that are asked, and how each answer becomes facts.

The roots are those seen at real stores, dialects included: SeaweedFS answers the location with
CreateBucketConfiguration, Ceph 16 the access block with BlockPublicAccessBlockConfiguration.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from xml.etree.ElementTree import Element

from cloudaudit.collectors.buckets import ALGORITHM, NOTHING, PERMISSIONS, Unreadable, bounded
from cloudaudit.collectors.buckets import retention as retained
from cloudaudit.collectors.s3.answers import Foreign, Operation, Read, tree
from cloudaudit.collectors.s3.policy import read_policy
from cloudaudit.collectors.transport import nfc
from cloudaudit.model import Seconds, Value

_EVERYONE: Final = ("AllUsers", "AuthenticatedUsers")


def operations(label_keys: frozenset[str]) -> tuple[Operation, ...]:
    """All sub-resources, location first. Of tags only the values of `label_keys` are kept."""

    def tags(root: Element) -> Mapping[str, Value]:
        return _tags(root, label_keys)

    tagging = Operation(
        "s3.tagging",
        "tagging",
        "GetBucketTagging",
        ("labels", "label_names"),
        frozenset({"NoSuchTagSet"}),
        _xml(tags, "Tagging"),
        NOTHING["tagging"],
    )
    return (*_FIXED, tagging)


def shows_everyone(grants: Value) -> bool:
    """Whether an ACL shows a grant to everyone, or to everyone with an account."""
    return isinstance(grants, tuple) and any(grant["grantee"] in _EVERYONE for grant in grants)


def _xml(read: Callable[[Element], Mapping[str, Value]], *roots: str) -> Read:
    expected = frozenset(roots)

    def reader(body: bytes) -> Mapping[str, Value] | Foreign:
        found = tree(body, expected)
        return found if isinstance(found, Foreign) else read(found)

    return reader


# --- one reader per document ----------------------------------------------------------------------


def _location(root: Element) -> Mapping[str, Value]:
    inner = root if root.tag == "LocationConstraint" else root.find("LocationConstraint")
    return {"location": None if inner is None else _text(inner)}


def _versioning(root: Element) -> Mapping[str, Value]:
    state = _choice(root, "Status", {None: "off", "Enabled": "enabled", "Suspended": "suspended"})
    # A store that cannot do it leaves the element out: that is not "disabled".
    mfa = _choice(root, "MfaDelete", {None: None, "Enabled": True, "Disabled": False})
    return {"versioning.state": state, "versioning.mfa_delete": mfa}


def _encryption(root: Element) -> Mapping[str, Value]:
    default = _only(root, "Rule/ApplyServerSideEncryptionByDefault")
    algorithm = None if default is None else _of(default, "SSEAlgorithm")
    if algorithm is not None and not ALGORITHM.fullmatch(algorithm):
        raise Unreadable("SSEAlgorithm is none that is known")
    key = None if default is None else _of(default, "KMSMasterKeyID")
    return {"encryption.algorithm": algorithm, "encryption.kms_key_present": key is not None}


def _lock(root: Element) -> Mapping[str, Value]:
    retention = root.find("Rule/DefaultRetention")
    mode, seconds = None, None
    if retention is not None:
        mode = _of(retention, "Mode")
        seconds = retained(_number(retention, "Days"), _number(retention, "Years"))
    enabled = _choice(root, "ObjectLockEnabled", {None: False, "Enabled": True, "Disabled": False})
    return {"lock.enabled": enabled, "lock.mode": mode, "lock.retention": seconds}


def _lifecycle(root: Element) -> Mapping[str, Value]:
    return {"lifecycle.rules": tuple(_lifecycle_rule(rule) for rule in root.findall("Rule"))}


def _lifecycle_rule(rule: Element) -> Mapping[str, Value]:
    return {
        "id": _of(rule, "ID") or "",
        "enabled": _enabled(rule),
        "prefix": _prefix(rule),
        "filtered": _is_filtered(rule),
        "expire_days": _number(rule, "Expiration/Days"),
        "expire_date": _moment(_of(rule, "Expiration/Date")),
        "noncurrent_days": _number(rule, "NoncurrentVersionExpiration/NoncurrentDays"),
        "newer_noncurrent": _number(rule, "NoncurrentVersionExpiration/NewerNoncurrentVersions"),
        "abort_upload_days": _number(rule, "AbortIncompleteMultipartUpload/DaysAfterInitiation"),
        "transitions": (
            *_texts(rule, "Transition/StorageClass"),
            *_texts(rule, "NoncurrentVersionTransition/StorageClass"),
        ),
    }


def _replication(root: Element) -> Mapping[str, Value]:
    _nothing_but(root, "Role", "Rule")
    return {"replication.rules": tuple(_replication_rule(rule) for rule in root.findall("Rule"))}


def _replication_rule(rule: Element) -> Mapping[str, Value]:
    bucket = _of(rule, "Destination/Bucket")
    if bucket is None:
        raise Unreadable("a replication rule has no destination")
    return {
        "id": _of(rule, "ID") or "",
        "enabled": _enabled(rule),
        "prefix": _prefix(rule),
        "filtered": _is_filtered(rule),
        "destination": bucket.rpartition(":::")[2],
        "destination_account": _of(rule, "Destination/Account"),
        "storage_class": _of(rule, "Destination/StorageClass"),
    }


def _policy_status(root: Element) -> Mapping[str, Value]:
    if root.find("IsPublic") is None:
        raise Unreadable("IsPublic is missing")
    return {"policy_status.is_public": _flag(root, "IsPublic")}


def _acl(root: Element) -> Mapping[str, Value]:
    lists = root.findall("AccessControlList")
    if not lists:
        raise Unreadable("the list of grants is missing")
    for grants in lists:
        _nothing_but(grants, "Grant")
    return {
        "acl.owner": _of(root, "Owner/ID"),
        "acl.grants": tuple(
            one for grant in root.findall("AccessControlList/Grant") for one in _grants(grant)
        ),
    }


def _grants(grant: Element) -> Iterator[Mapping[str, Value]]:
    """What a grant permits, one permission at a time.

    NOTE: Ceph RGW writes several permissions into one grant.
    """
    permissions = [_text(element) for element in grant.findall("Permission")]
    grantee = _only(grant, "Grantee")
    if grantee is None or not permissions:
        raise Unreadable("a grant is incomplete")
    name, kind = _grantee(grantee)
    for permission in permissions:
        if permission not in PERMISSIONS:
            raise Unreadable("a grant is of no known permission")
        yield {"grantee": name, "kind": kind, "permission": permission}


def _grantee(grantee: Element) -> tuple[str, str]:
    """Who is granted something, and what kind of caller that is."""
    group, mail, user = _of(grantee, "URI"), _of(grantee, "EmailAddress"), _of(grantee, "ID")
    if group is not None:
        return group.rpartition("/")[2], "group"
    if mail is not None:
        return mail, "email"
    if grantee.get("type") == "Group":
        raise Unreadable("a grant to a group does not name it")
    # NOTE: MinIO names no owner. Others write everybody in words of their own, without a type.
    if user is None and grantee.get("type") != "CanonicalUser":
        raise Unreadable("a grant does not say to whom")
    return user or "", "user"


def _block(root: Element) -> Mapping[str, Value]:
    flags = {
        "block.block_acls": _flag(root, "BlockPublicAcls"),
        "block.ignore_acls": _flag(root, "IgnorePublicAcls"),
        "block.block_policy": _flag(root, "BlockPublicPolicy"),
        "block.restrict": _flag(root, "RestrictPublicBuckets"),
    }
    return {"block.configured": any(flags.values()), **flags}


def _logging(root: Element) -> Mapping[str, Value]:
    target = _of(root, "LoggingEnabled/TargetBucket")
    prefix = _of(root, "LoggingEnabled/TargetPrefix")
    return {"logging.target": target, "logging.prefix": prefix if target is not None else None}


def _notification(root: Element) -> Mapping[str, Value]:
    paths = (
        "TopicConfiguration/Topic", "QueueConfiguration/Queue", "CloudFunctionConfiguration/CloudFunction",
    )  # fmt: skip
    found = {name for path in paths for name in _texts(root, path)}
    if root.find("EventBridgeConfiguration") is not None:
        found.add("eventbridge")
    return {"notification.targets": tuple(sorted(found))}


def _tags(root: Element, label_keys: frozenset[str]) -> Mapping[str, Value]:
    values: dict[str, str] = {}
    _nothing_but(root, "TagSet")
    for tags in root.findall("TagSet"):
        _nothing_but(tags, "Tag")
    for tag in root.findall("TagSet/Tag"):
        _nothing_but(tag, "Key", "Value")
        key, value = _exact(tag, "Key"), _exact(tag, "Value")
        if not key:
            raise Unreadable("a tag has no key")
        # The same letters composed and decomposed are two keys to most stores, and one to a reader.
        if values.setdefault(key, value) != value:
            raise Unreadable("two tags have the same key and different values")
    labels = {key: value for key, value in sorted(values.items()) if key in label_keys}
    return {"labels": labels, "label_names": tuple(sorted(values))}


def _cors(root: Element) -> Mapping[str, Value]:
    return {"cors.origins": tuple(sorted(set(_texts(root, "CORSRule/AllowedOrigin"))))}


def _website(root: Element) -> Mapping[str, Value]:
    ways = ("IndexDocument", "RedirectAllRequestsTo", "RoutingRules", "ErrorDocument")
    return {"website.enabled": any(root.find(way) is not None for way in ways)}


def _ownership(root: Element) -> Mapping[str, Value]:
    return {"ownership.rule": _of(root, "Rule/ObjectOwnership")}


# --- values of elements ---------------------------------------------------------------------------


def _text(element: Element) -> str | None:
    return nfc(element.text.strip()) if element.text and element.text.strip() else None


def _only(parent: Element, path: str) -> Element | None:
    """The one element of that path. Unreadable where there are several: nothing says which counts."""
    found = parent.findall(path)
    if len(found) > 1:
        raise Unreadable(f"{path} is there {len(found)} times")
    return found[0] if found else None


def _nothing_but(parent: Element, *names: str) -> None:
    """Unreadable where a list holds something else: it may be an entry that is spelt in another way."""
    if any(child.tag not in names for child in parent):
        raise Unreadable(f"<{parent.tag}> holds more than {' and '.join(names)}")


def _of(parent: Element, path: str) -> str | None:
    found = _only(parent, path)
    return None if found is None else _text(found)


def _texts(parent: Element, path: str) -> Iterator[str]:
    return (text for found in parent.findall(path) if (text := _text(found)) is not None)


def _choice(parent: Element, path: str, meanings: Mapping[str | None, Value]) -> Value:
    word = _of(parent, path)
    if word not in meanings:
        raise Unreadable(f"{path} is neither {' nor '.join(sorted(m for m in meanings if m))}")
    return meanings[word]


def _enabled(rule: Element) -> bool:
    return _choice(rule, "Status", {"Enabled": True, "Disabled": False}) is True


def _flag(parent: Element, path: str) -> bool:
    word = (_of(parent, path) or "").lower()
    if word not in ("true", "false", ""):
        raise Unreadable(f"{path} is neither true nor false")
    return word == "true"


def _number(parent: Element, path: str) -> int | None:
    text = _of(parent, path)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise Unreadable(f"{path} is no whole number")
    return bounded(int(text[:20]))


def _prefix(rule: Element) -> str:
    return next(filter(None, (_exact(rule, p) for p in ("Filter/Prefix", "Filter/And/Prefix", "Prefix"))), "")


def _is_filtered(rule: Element) -> bool:
    """Whether a rule is for some objects only, by anything but their prefix.

    NOTE: anything else counts, known or not, because a rule that looks as if it were for every object is
    believed to delete or to copy all of them.
    """
    limits = [*rule.findall("Filter/*"), *rule.findall("Filter/And/*")]
    return any(limit.tag not in ("Prefix", "And") for limit in limits)


def _exact(parent: Element, path: str) -> str:
    """Text in which a space at the rim means something."""
    found = _only(parent, path)
    return nfc("" if found is None else found.text or "")


def _moment(text: str | None) -> Seconds | None:
    return None if text is None else moment(text)


def moment(text: str) -> Seconds:
    """An ISO 8601 time as a moment; without a zone it is UTC. Unreadable when it is none."""
    try:
        stamp = datetime.datetime.fromisoformat(text)
        return int(stamp.replace(tzinfo=stamp.tzinfo or datetime.UTC).timestamp())
    except (ValueError, OverflowError):
        raise Unreadable("a time is not written as one") from None


# --- the table ------------------------------------------------------------------------------------

_FIXED: Final = (
    Operation(
        "s3.location", "location", "GetBucketLocation", ("location",), frozenset(),
        _xml(_location, "LocationConstraint", "CreateBucketConfiguration"), {"location": None},
    ),
    Operation(
        "s3.versioning", "versioning", "GetBucketVersioning", ("versioning",), frozenset(),
        _xml(_versioning, "VersioningConfiguration", "GetBucketVersioningResponse"),
        NOTHING["versioning"],
    ),
    Operation(
        "s3.encryption", "encryption", "GetBucketEncryption", ("encryption",),
        frozenset({"ServerSideEncryptionConfigurationNotFoundError"}),
        _xml(_encryption, "ServerSideEncryptionConfiguration"),
        NOTHING["encryption"],
    ),
    Operation(
        "s3.object_lock", "object-lock", "GetObjectLockConfiguration", ("lock",),
        frozenset({"ObjectLockConfigurationNotFoundError"}),
        _xml(_lock, "ObjectLockConfiguration"),
        NOTHING["lock"],
    ),
    Operation(
        "s3.lifecycle", "lifecycle", "GetBucketLifecycleConfiguration", ("lifecycle",),
        frozenset({"NoSuchLifecycleConfiguration"}),
        _xml(_lifecycle, "LifecycleConfiguration"), NOTHING["lifecycle"],
    ),
    Operation(
        "s3.replication", "replication", "GetBucketReplication", ("replication",),
        frozenset({"ReplicationConfigurationNotFoundError"}),
        _xml(_replication, "ReplicationConfiguration"), NOTHING["replication"],
    ),
    Operation(
        "s3.policy", "policy", "GetBucketPolicy", ("policy",),
        frozenset({"NoSuchBucketPolicy"}),
        read_policy, NOTHING["policy"],
    ),
    Operation(
        "s3.policy_status", "policyStatus", "GetBucketPolicyStatus", ("policy_status",),
        frozenset({"NoSuchBucketPolicy"}),
        _xml(_policy_status, "PolicyStatus"), {"policy_status.is_public": False},
    ),
    Operation(
        "s3.acl", "acl", "GetBucketAcl", ("acl",), frozenset(),
        _xml(_acl, "AccessControlPolicy"),
    ),
    Operation(
        "s3.public_access_block", "publicAccessBlock", "GetPublicAccessBlock", ("block",),
        frozenset({"NoSuchPublicAccessBlockConfiguration"}),
        _xml(_block, "PublicAccessBlockConfiguration", "BlockPublicAccessBlockConfiguration"),
        NOTHING["block"],
    ),
    Operation(
        "s3.logging", "logging", "GetBucketLogging", ("logging",), frozenset(),
        _xml(_logging, "BucketLoggingStatus"), NOTHING["logging"],
    ),
    Operation(
        "s3.notification", "notification", "GetBucketNotificationConfiguration", ("notification",),
        frozenset(),
        _xml(_notification, "NotificationConfiguration", "GetBucketNotificationResponse"),
        NOTHING["notification"],
    ),
    Operation(
        "s3.cors", "cors", "GetBucketCors", ("cors",),
        frozenset({"NoSuchCORSConfiguration"}),
        _xml(_cors, "CORSConfiguration"), NOTHING["cors"],
    ),
    Operation(
        "s3.website", "website", "GetBucketWebsite", ("website",),
        frozenset({"NoSuchWebsiteConfiguration"}),
        _xml(_website, "WebsiteConfiguration"), NOTHING["website"],
    ),
    Operation(
        "s3.ownership", "ownershipControls", "GetBucketOwnershipControls", ("ownership",),
        frozenset({"OwnershipControlsNotFoundError"}),
        _xml(_ownership, "OwnershipControls"), NOTHING["ownership"],
    ),
)  # fmt: skip
