"""What Terraform's blocks for object stores mean: buckets with all their settings, and their stores.

Attributes are those of terraform-provider-aws: old ones inside `aws_s3_bucket`, and blocks of their own that
name the bucket, which go before the former. Two blocks for one setting tell nothing of it.

What nothing in the code sets is taken from the reference of S3, of a bucket that the code makes anew, and
only where no block of that setting could be its own: one whose bucket is told later could be anybody's.
Stores differ in two things. Amazon's encrypts every new bucket and blocks public access to it, of no other
one is that known: there a block is none until the code sets it (nobody is safer for it), and default
encryption is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import urlsplit

from cloudaudit.collectors.buckets import (
    ALGORITHM,
    NOTHING,
    PERMISSIONS,
    Unreadable,
    policy_document,
    retention,
    statements,
)
from cloudaudit.collectors.deployment.block import LATER, Block, Link, Untold, untold
from cloudaudit.collectors.deployment.whole import Level, Meaning, Path, Told, Whole, rows, untold_list, why
from cloudaudit.collectors.item import (
    Item,
    Odd,
    Row,
    count,
    flag,
    identifier,
    items,
    many,
    moment,
    record,
    text,
)
from cloudaudit.model import Partial, Reason, Resource, Scope, Unseen, Value

ENDPOINT: Final = "s3.endpoint"
BUCKET: Final = "aws_s3_bucket"
T = TypeVar("T")
_AMAZON: Final = ".amazonaws.com"
_FIRST_REGION: Final = "us-east-1"
Facts: TypeAlias = Mapping[str, Value]
Inline: TypeAlias = Callable[[Told], Facts | None]
"""Facts by what the bucket itself says; None where it says nothing."""


class _Late(Exception):
    """A value that is needed is not told; `why` says so."""

    def __init__(self, why: Unseen) -> None:
        self.why = why


# --- where --------------------------------------------------------------------------------------------------


def _address(block: Block) -> str | Untold | None:
    """The address of the store that a block's provider is told; None where it is told none."""
    place = block.place
    found = place.get("endpoint")
    if found is None:
        given = place.get("endpoints")
        for one in given if isinstance(given, list) else [given]:
            found = found or (one.get("s3") if isinstance(one, Mapping) else one)
    late = untold(found)
    if late is not None:
        return late
    return found if isinstance(found, str) and found else None


def _url(block: Block) -> str | Unseen:
    """The address of a block's store. One that is told none is Amazon's own, of its region."""
    found = _address(block)
    if isinstance(found, str):
        return found
    if found is not None:
        return why(found, "endpoints.s3")
    # NOTE: since version 6 of the provider a resource may name a region of its own.
    own = None if "region" in block.left_out else block.values.get("region")
    region = (LATER if isinstance(own, Link) else own) or block.place.get("region")
    if isinstance(region, str) and region:
        return f"https://s3.{text(region)}{_AMAZON}"
    if region is None:
        return Unseen(Reason.NOT_DESCRIBED, "the code does not tell the region of its provider")
    return why(region, "region")


def _is_amazon(item: Told) -> bool | None:
    """Whether a bucket's store is Amazon's own; None where nobody can say.

    NOTE: the provider also takes an address from its environment (AWS_ENDPOINT_URL_S3) and from files of its
    own, which no plan tells of: without one in the code, it may be any store.
    """
    url = _url(item.block)
    if isinstance(url, Unseen) or _address(item.block) is None:
        return None
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return None
    return host.endswith((_AMAZON, _AMAZON + ".cn"))


def _endpoint_of(item: Told) -> str:
    url = _url(item.block)
    return "" if isinstance(url, Unseen) else url


def endpoints(whole: Whole) -> Iterator[Resource]:
    """The stores that buckets of the code are in, once each. What they can do, code does not tell."""
    seen: set[str] = set()
    for item in whole.of(BUCKET):
        url = _url(item.block)
        id_ = f"{item.block.address}/endpoint" if isinstance(url, Unseen) else url
        if id_ in seen:
            continue
        seen.add(id_)
        told = Item({})
        told.facts |= dict.fromkeys(("swift.target", "swift.project", "swift.region"))
        if isinstance(url, Unseen):
            told.unseen |= dict.fromkeys(("url", "scheme", "host"), url)
        else:
            try:
                parts = urlsplit(url)
                told.facts |= {"url": text(url), "scheme": parts.scheme, "host": parts.hostname or ""}
            except ValueError:
                told.unseen |= dict.fromkeys(
                    ("url", "scheme", "host"), Unseen(Reason.INVALID_ANSWER, "the endpoint is no address")
                )
        why_not = Unseen(Reason.NOT_DESCRIBED, "code does not tell what a store can do")
        names = (
            "server_kind",
            "owner_id",
            "answers_unknown_with_listing",
            "supported",
            "unsupported",
            "tls",
            "dns",
        )
        told.unseen |= dict.fromkeys(names, why_not)
        yield Resource(
            ENDPOINT, id_, Scope(whole.target.name), whole.at, told.facts, whole.target.name,
            "" if isinstance(url, Unseen) else url, told.unseen, {"": whole.call}, written=item.block.written,
        )  # fmt: skip


# --- values -------------------------------------------------------------------------------------------------


def _told(value: Any, name: str) -> Any:
    """A value that has to be told as a whole. _Late where it is not."""
    if untold(value) is not None:
        raise _Late(why(value, name))
    return value


def _told_list(item: Told, name: str) -> None:
    """_Late where it is not told whether there is such a block."""
    if (unclear := untold_list(item, name)) is not None:
        raise _Late(unclear)


def _one(value: Any) -> Row:
    """The one record of a block; an empty one where there is none."""
    found = items([] if value is None else value)
    return found[0] if found else {}


def _or_none(read: Callable[[object], T], value: object) -> T | None:
    return None if value in (None, "") else read(value)


def _days(value: object) -> Value:
    # NOTE: 0 stands for none.
    return _or_none(count, value) or None


def _bucket_name(value: object) -> str:
    return text(value).rpartition(":::")[2]


def _names(item: Told) -> str | None:
    """Its name; none where another bucket has the same one, and may be in the same store or in another."""
    name = item.row.get("bucket")
    if not isinstance(name, str) or not name:
        return None
    alike = [one for one in item.whole.of(BUCKET) if one.row.get("bucket") == name]
    return name if len(alike) < 2 or not isinstance(_url(item.block), Unseen) else None


def _same_store(one: Block, other: Block) -> bool | None:
    """Whether two blocks are of one store; None where their providers do not tell."""
    first, second = _url(one), _url(other)
    if not isinstance(first, Unseen) and not isinstance(second, Unseen):
        return first == second
    is_named = "provider" in one.place or untold(dict(one.place)) is None
    return True if one.place == other.place and is_named else None


def _arn(whole: Whole, block: Block, path: Path) -> Any:
    """What a bucket's other names come to, for those that refer to it by them."""
    id_ = whole.id_of(block)
    if id_ == block.address:
        return None
    return f"arn:aws:s3:::{id_}" if path == ("arn",) else id_ if path == ("bucket",) else None


# --- one reader for each setting ----------------------------------------------------------------------------


def _versioning(item: Told) -> Facts:
    found = record(_one(_told_but(item.row.get("versioning_configuration"), "mfa_delete")))
    states = {"Enabled": "enabled", "Suspended": "suspended", "Disabled": "off"}
    state = states.get(text(_told(found.get("status"), "status")))
    if state is None:
        raise Odd("no state of versioning")
    return {"versioning.state": state, **_mfa(found.get("mfa_delete"))}


def _told_but(value: Any, *names: str) -> Any:
    """A value told as a whole but for some names in its records."""
    inner = [{k: v for k, v in one.items() if k not in names} for one in value if isinstance(one, dict)] \
        if isinstance(value, list) else value  # fmt: skip
    _told(inner, "versioning_configuration")
    return value


def _mfa(value: object) -> Facts:
    if value in (None, ""):
        return {"versioning.mfa_delete": None}
    if isinstance(value, bool):
        return {"versioning.mfa_delete": value}
    if value in ("Enabled", "Disabled"):
        return {"versioning.mfa_delete": value == "Enabled"}
    return {}


def _versioning_inline(item: Told) -> Facts | None:
    _told_list(item, "versioning")
    found = rows(item, "versioning")
    if found and _told(found[0].get("enabled"), "versioning.enabled") is True:
        return {"versioning.state": "enabled", **_mfa(found[0].get("mfa_delete"))}
    if found and item.block.new:
        # NOTE: before version 4 the provider suspends what was never on, which keeps no versions either.
        return {"versioning.state": "off", **_mfa(found[0].get("mfa_delete"))}
    if item.block.new and _lock_is_on(item):
        # Reference of S3: a bucket made with object lock keeps versions.
        return {"versioning.state": "enabled", "versioning.mfa_delete": None}
    return None


def _lock_is_on(item: Told) -> bool:
    inner = rows(item, "object_lock_configuration")
    return item.value("object_lock_enabled") is True or any(
        r.get("object_lock_enabled") == "Enabled" for r in inner
    )


def _encryption(item: Told) -> Facts:
    return _of_rules(item.row.get("rule"))


def _of_rules(value: Any) -> Facts:
    rule = _one(_told(value, "rule"))
    default = _one(rule.get("apply_server_side_encryption_by_default"))
    algorithm = _or_none(text, default.get("sse_algorithm"))
    if isinstance(algorithm, str) and not ALGORITHM.fullmatch(algorithm):
        raise Odd("an algorithm that is not known")
    return {
        "encryption.algorithm": algorithm,
        "encryption.kms_key_present": default.get("kms_master_key_id") not in (None, ""),
    }


def _encryption_inline(item: Told) -> Facts | None:
    found = rows(item, "server_side_encryption_configuration")
    return _of_rules(found[0].get("rule")) if found else None


def _lock(item: Told) -> Facts:
    enabled = item.value("object_lock_enabled")
    return {
        "lock.enabled": _told(enabled, "object_lock_enabled") in (None, "Enabled"),
        **_default(item.row.get("rule")),
    }


def _default(value: Any) -> Facts:
    kept = _one(_one(_told(value, "rule")).get("default_retention"))
    days, years = _or_none(count, kept.get("days")), _or_none(count, kept.get("years"))
    seconds = retention(days, years)
    return {"lock.mode": _or_none(text, kept.get("mode")), "lock.retention": seconds}


def _lock_inline(item: Told) -> Facts | None:
    _told_list(item, "object_lock_configuration")
    found = rows(item, "object_lock_configuration")
    if found:
        return {"lock.enabled": _lock_is_on(item), **_default(found[0].get("rule"))}
    if item.value("object_lock_enabled") is True:
        return {"lock.enabled": True, "lock.mode": None, "lock.retention": None}
    return None


def _lifecycle(item: Told) -> Facts:
    return _rules(item.value("rule"), "lifecycle.rules", _lifecycle_rule)


def _rules(value: Any, fact: str, read: Callable[[Row], Facts]) -> Facts:
    """Rules one by one. One of which something is not told but its name makes the list known in part."""
    if isinstance(value, Untold):
        raise _Late(why(value, "rule"))
    found: list[Facts] = []
    late = None
    for rule in items([] if value is None else value):
        named = {name: "" if name == "id" and untold(one) is not None else one for name, one in rule.items()}
        if untold(named) is None:
            found.append(read(named))
        else:
            late = Partial(())
    return {fact: tuple(found) if late is None else Partial(tuple(found))}


def _lifecycle_rule(rule: Row) -> Facts:
    limits = _one(rule.get("filter"))
    both = _one(limits.get("and"))
    other = [
        one
        for one in (limits, both)
        for name, value in one.items()
        if name not in ("prefix", "and") and value
    ]
    expires, old = _one(rule.get("expiration")), _one(rule.get("noncurrent_version_expiration"))
    if rule.get("status") not in ("Enabled", "Disabled"):
        raise Odd("no state of a rule")
    return {
        "id": text(rule.get("id") or ""),
        "enabled": rule["status"] == "Enabled",
        "prefix": text(limits.get("prefix") or both.get("prefix") or rule.get("prefix") or ""),
        "filtered": bool(other),
        "expire_days": _days(expires.get("days")),
        "expire_date": _or_none(moment, expires.get("date")),
        "noncurrent_days": _days(old.get("noncurrent_days")),
        "newer_noncurrent": _days(old.get("newer_noncurrent_versions")),
        "abort_upload_days": _days(
            _one(rule.get("abort_incomplete_multipart_upload")).get("days_after_initiation")
        ),
        "transitions": _classes(rule),
    }


def _classes(rule: Row) -> tuple[str, ...]:
    names = ("transition", "noncurrent_version_transition")
    return tuple(text(row.get("storage_class")) for name in names for row in items(rule.get(name) or []))


def _lifecycle_inline(item: Told) -> Facts | None:
    found = item.value("lifecycle_rule")
    return _rules(found, "lifecycle.rules", _old_rule) if isinstance(found, list) and found else None


def _old_rule(rule: Row) -> Facts:
    expires, old = _one(rule.get("expiration")), _one(rule.get("noncurrent_version_expiration"))
    return {
        "id": text(rule.get("id") or ""),
        "enabled": flag(rule.get("enabled")),
        "prefix": text(rule.get("prefix") or ""),
        "filtered": bool(rule.get("tags")),
        "expire_days": _days(expires.get("days")),
        "expire_date": _or_none(moment, expires.get("date")),
        "noncurrent_days": _days(old.get("days")),
        "newer_noncurrent": None,
        "abort_upload_days": _days(rule.get("abort_incomplete_multipart_upload_days")),
        "transitions": _classes(rule),
    }


def _replication(item: Told) -> Facts:
    return _rules(item.value("rule"), "replication.rules", _copying)


def _copying(rule: Row) -> Facts:
    limits, to = _one(rule.get("filter")), _one(rule.get("destination"))
    both = _one(limits.get("and"))
    other = [
        one
        for one in (limits, both)
        for name, value in one.items()
        if name not in ("prefix", "and") and value
    ]
    if rule.get("status") not in ("Enabled", "Disabled"):
        raise Odd("no state of a rule")
    return {
        "id": text(rule.get("id") or ""),
        "enabled": rule["status"] == "Enabled",
        "prefix": text(limits.get("prefix") or both.get("prefix") or rule.get("prefix") or ""),
        "filtered": bool(other),
        "destination": _bucket_name(to.get("bucket")),
        "destination_account": _or_none(text, to.get("account") or to.get("account_id")),
        "storage_class": _or_none(text, to.get("storage_class")),
    }


def _replication_inline(item: Told) -> Facts | None:
    found = rows(item, "replication_configuration")
    return _rules(found[0].get("rules"), "replication.rules", _copying) if found else None


def _policy(item: Told) -> Facts:
    return _of_text(item.row.get("policy"))


def _of_text(value: Any) -> Facts:
    given = _told(value, "policy")
    if given in (None, ""):
        return {**NOTHING["policy"], "policy_status.is_public": False}
    if not isinstance(given, str):
        raise Odd("no text")
    try:
        document = policy_document(given)
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        raise Odd("no JSON") from None
    return statements(record(document))


def _policy_inline(item: Told) -> Facts | None:
    found = item.value("policy")
    return _of_text(found) if isinstance(found, str) and found else None


def _acl(item: Told) -> Facts:
    canned = item.value("acl")
    if canned is not None:
        return _of_canned(canned)
    access = _one(_told(item.value("access_control_policy"), "access_control_policy"))
    grants = tuple(_grant(row) for row in items(access.get("grant") or []))
    owner = _one(access.get("owner")).get("id")
    return {"acl.grants": grants, "acl.owner": _or_none(identifier, owner)}


_OWNER: Final = {"grantee": "", "kind": "user", "permission": "FULL_CONTROL"}
"""What every canned list gives the owner, who has no name before the bucket is there."""
_CANNED: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "private": (),
    "public-read": (("AllUsers", "READ"),),
    "public-read-write": (("AllUsers", "READ"), ("AllUsers", "WRITE")),
    "authenticated-read": (("AuthenticatedUsers", "READ"),),
    "log-delivery-write": (("LogDelivery", "WRITE"), ("LogDelivery", "READ_ACP")),
    # Reference of S3: these two are for objects, and a bucket takes them for private.
    "bucket-owner-read": (),
    "bucket-owner-full-control": (),
}


def _of_canned(value: Any) -> Facts:
    name = text(_told(value, "acl"))
    if name not in _CANNED:
        raise Odd("a list of grants that is not known")
    given = ({"grantee": who, "kind": "group", "permission": what} for who, what in _CANNED[name])
    return {"acl.grants": (_OWNER, *given)}


def _grant(row: Row) -> Value:
    return _granted(_one(row.get("grantee")), row.get("permission"))


def _granted(grantee: Row, permission: object) -> Value:
    if permission not in PERMISSIONS:
        raise Odd("a grant of no known permission")
    if grantee.get("uri"):
        return {"grantee": text(grantee["uri"]).rpartition("/")[2], "kind": "group", "permission": permission}
    if grantee.get("email_address"):
        return {"grantee": text(grantee["email_address"]), "kind": "email", "permission": permission}
    if grantee.get("type") not in (None, "CanonicalUser"):
        raise Odd("a grant that does not say to whom")
    return {"grantee": text(grantee.get("id") or ""), "kind": "user", "permission": permission}


def _acl_inline(item: Told) -> Facts | None:
    grants = _told(item.value("grant"), "grant")
    if grants:
        given = tuple(
            _granted(row, one) for row in items(grants) for one in many(text)(row.get("permissions"))
        )
        return {"acl.grants": given}
    canned = item.value("acl")
    return None if canned is None else _of_canned(canned)


_BLOCKS: Final = {
    "block.block_acls": "block_public_acls", "block.ignore_acls": "ignore_public_acls",
    "block.block_policy": "block_public_policy", "block.restrict": "restrict_public_buckets",
}  # fmt: skip


def _block(item: Told) -> Facts:
    """Each of the four is off where it is left out. One that is not told leaves the others as they are."""
    found: dict[str, Value] = {}
    for fact, name in _BLOCKS.items():
        value = item.value(name)
        if untold(value) is None:
            found[fact] = False if value is None and item.block.new else flag(value)
    if True in found.values() or len(found) == len(_BLOCKS):
        found["block.configured"] = True in found.values()
    return found


def _logging(item: Told) -> Facts:
    return _of_log({name: item.value(name) for name in ("target_bucket", "target_prefix")})


def _of_log(row: Row) -> Facts:
    found: dict[str, Value] = {}
    for fact, name in (("logging.target", "target_bucket"), ("logging.prefix", "target_prefix")):
        value = row.get(name)
        if untold(value) is None:
            found[fact] = _or_none(_bucket_name if fact == "logging.target" else text, value)
    return found


def _logging_inline(item: Told) -> Facts | None:
    found = rows(item, "logging")
    return _of_log(found[0]) if found else None


def _notification(item: Told) -> Facts:
    found: set[str] = set()
    late = False
    for kind, name in (
        ("topic", "topic_arn"),
        ("queue", "queue_arn"),
        ("lambda_function", "lambda_function_arn"),
    ):
        value = item.value(kind)
        late |= isinstance(value, Untold)
        for row in items(value if isinstance(value, list) else []):
            late |= untold(row.get(name)) is not None
            if untold(row.get(name)) is None:
                found.add(text(row.get(name)))
    switch = item.value("eventbridge")
    late |= untold(switch) is not None
    if switch is True:
        found.add("eventbridge")
    targets = tuple(sorted(found))
    return {"notification.targets": Partial(targets) if late else targets}


def _cors(item: Told) -> Facts:
    return _of_origins(item.value("cors_rule"))


def _of_origins(value: Any) -> Facts:
    given = items(_told(value, "cors_rule") or [])
    return {
        "cors.origins": tuple(
            sorted({one for row in given for one in many(text)(row.get("allowed_origins"))})
        )
    }


def _cors_inline(item: Told) -> Facts | None:
    found = item.value("cors_rule")
    return _of_origins(found) if isinstance(found, list) and found else None


def _website(item: Told) -> Facts:
    return {"website.enabled": True}


def _website_inline(item: Told) -> Facts | None:
    return {"website.enabled": True} if rows(item, "website") else None


def _ownership(item: Told) -> Facts:
    rule = _one(_told(item.value("rule"), "rule"))
    return {"ownership.rule": _or_none(text, rule.get("object_ownership"))}


def _nothing_inline(item: Told) -> Facts | None:
    return None


class _Setting:
    """One group of a bucket's facts: its own type of block, the old attributes, and both their readers."""

    def __init__(
        self, block: str, read: Callable[[Told], Facts], inline: Inline = _nothing_inline, *attributes: str
    ) -> None:
        self.block = f"{BUCKET}_{block}"
        self.read = read
        self.inline = inline
        self.attributes = attributes


_SETTINGS: Final[Mapping[str, _Setting]] = {
    "versioning": _Setting("versioning", _versioning, _versioning_inline, "versioning"),
    "encryption": _Setting(
        "server_side_encryption_configuration",
        _encryption,
        _encryption_inline,
        "server_side_encryption_configuration",
    ),
    "lock": _Setting(
        "object_lock_configuration", _lock, _lock_inline, "object_lock_configuration", "object_lock_enabled"
    ),
    "lifecycle": _Setting("lifecycle_configuration", _lifecycle, _lifecycle_inline, "lifecycle_rule"),
    "replication": _Setting(
        "replication_configuration", _replication, _replication_inline, "replication_configuration"
    ),
    "policy": _Setting("policy", _policy, _policy_inline, "policy"),
    "acl": _Setting("acl", _acl, _acl_inline, "grant", "acl"),
    "block": _Setting("public_access_block", _block),
    "logging": _Setting("logging", _logging, _logging_inline, "logging"),
    "notification": _Setting("notification", _notification),
    "cors": _Setting("cors_configuration", _cors, _cors_inline, "cors_rule"),
    "website": _Setting("website_configuration", _website, _website_inline, "website"),
    "ownership": _Setting("ownership_controls", _ownership),
}
_OF_AMAZON: Final[Mapping[str, Facts]] = {
    # Amazon's reference: since January 2023 every new bucket is encrypted, and since April 2023 new ones
    # block public access and take no access lists.
    "encryption": {"encryption.algorithm": "AES256", "encryption.kms_key_present": False},
    "block": dict.fromkeys(NOTHING["block"], True),
    "ownership": {"ownership.rule": "BucketOwnerEnforced"},
}
_DIFFERS: Final = frozenset({"encryption", "ownership"})
"""Settings of which only Amazon's reference says what nothing set comes to."""


# --- a bucket -----------------------------------------------------------------------------------------------


def bucket(item: Told) -> None:
    for group, setting in _SETTINGS.items():
        _take(item, group, setting)
    if item.facts.get("policy.present") is False:
        item.facts["policy_status.is_public"] = False
    else:
        item.unseen.setdefault(
            "policy_status", Unseen(Reason.NOT_DESCRIBED, "the store judges its policy itself")
        )
    item.after("created_at", "owner_id")
    if "acl.owner" not in item.facts and "acl" not in item.unseen:
        item.after("acl.owner")
    _location(item)
    _labels(item)


def _take(item: Told, group: str, setting: _Setting) -> None:
    """One group of facts, and why those that are missing are."""
    try:
        facts = _set(item, group, setting)
    except _Late as stop:
        item.unseen[group] = stop.why
        return
    except (Odd, Unreadable) as error:
        item.miss(group, Reason.INVALID_ANSWER, f"its {group} holds {error}")
        return
    item.facts |= facts
    every = NOTHING[group].keys() if group in NOTHING else ("acl.grants",)
    missing = [fact for fact in every if isinstance(facts.get(fact, Partial(())), Partial)]
    detail = Unseen(Reason.AFTER_DEPLOYMENT, "part of it is known only after it is deployed")
    item.unseen |= dict.fromkeys(missing, detail)


def _set(item: Told, group: str, setting: _Setting) -> Facts:
    """Of the block for it, else of the bucket's own words, else of what nothing comes to."""
    found = item.whole.referring(setting.block, "bucket", item.id)
    name = item.row.get("bucket")
    is_other = isinstance(name, str) and name != item.id
    by_name = item.whole.referring(setting.block, "bucket", name).blocks if is_other else ()
    near = [(one, _same_store(one.block, item.block)) for one in (*found.blocks, *by_name)]
    own = [one for one, is_same in near if is_same]
    if any(is_same is None for _, is_same in near):
        detail = f"whether a block of the code that sets its {group} is of the same store is not told"
        raise _Late(Unseen(Reason.NOT_DESCRIBED, detail))
    if len(own) > 1:
        raise _Late(Unseen(Reason.AMBIGUOUS, f"{len(own)} blocks of the code set its {group}"))
    if own:
        block = own[0].block
        _note(item, group, block.written.line if block.written.path == item.block.written.path else None)
        return setting.read(own[0])
    if found.doubt is not None:
        raise _Late(found.doubt)
    if not item.block.new and setting.block in item.whole.code.gone:
        # NOTE: a bucket tells its settings as they were; taking one away suspends or removes it.
        detail = f"the code takes away a block that sets the {group} of a bucket"
        raise _Late(Unseen(Reason.AFTER_DEPLOYMENT, detail))
    inline = setting.inline(item)
    if inline is not None:
        _note(item, group, next((item.lines[n] for n in setting.attributes if item.lines.get(n)), None))
        return inline
    for name in setting.attributes:
        if untold(item.value(name)) is not None:
            raise _Late(why(item.row[name], name))
    return _unset(item, group)


def _note(item: Told, group: str, line: int | None) -> None:
    if line:
        item.written[group] = line


def _unset(item: Told, group: str) -> Facts:
    """What a setting comes to that nothing in the code sets."""
    if not item.block.new:
        detail = f"the code does not set its {group}, and the bucket is there already"
        raise _Late(Unseen(Reason.NOT_DESCRIBED, detail))
    if group == "acl":
        # Reference of S3.
        return _of_canned("private")
    amazon = _is_amazon(item)
    if group in _OF_AMAZON and amazon:
        return _OF_AMAZON[group]
    if group in _DIFFERS or (group in _OF_AMAZON and amazon is None):
        raise _Late(
            Unseen(
                Reason.NOT_DESCRIBED, f"the code does not set its {group}, and stores differ in what they do"
            )
        )
    return NOTHING[group]


def _location(item: Told) -> None:
    """The constraint that the provider asks for: its region, and none for the first one."""
    region = item.value("region") if not item.left_out("region") else item.block.place.get("region")
    if isinstance(region, str) and region:
        item.facts["location"] = None if region == _FIRST_REGION else text(region)
    elif region is None:
        item.untellable("location")
    else:
        item.unseen["location"] = why(region, "region")


def _labels(item: Told) -> None:
    """Tags, with those the provider gives to all it makes.

    NOTE: of a bucket without tags the provider tells all of them later, unless it gives some itself.
    """
    own, every = item.row.get("tags"), item.row.get("tags_all")
    given = (isinstance(own, dict) and own and untold(own) is None) or item.block.place.get("default_tags")
    if isinstance(every, Untold) and given:
        item.unseen |= dict.fromkeys(("labels", "label_names"), why(every, "tags_all"))
        return
    item.row = {**item.row, "tags": every if isinstance(every, dict) and every else own}
    item.labels("tags", item.whole.labels)


MEANINGS: Final[Mapping[str, Meaning]] = {
    BUCKET: Meaning(
        "s3.bucket",
        bucket,
        {"name": "bucket"},
        Level.TARGET,
        identify=_names,
        makes=_arn,
        endpoint_of=_endpoint_of,
    ),
    **{
        setting.block: Meaning("", lambda item: None, level=Level.TARGET, part_of="bucket")
        for setting in _SETTINGS.values()
    },
}
"""Blocks of Terraform by their type."""
