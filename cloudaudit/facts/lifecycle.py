"""What lifecycle rules take away from a bucket: which versions, how soon, and whether for good.

The rule of S3: `Expiration` ends the current version. Where versioning is on, that puts a delete marker over
it and the data become a noncurrent version; where it is off or suspended, the data are gone. Only
`NoncurrentVersionExpiration` removes noncurrent versions, counting from when they ceased to be current. A
number of newer noncurrent versions that stay does not lengthen that time: whoever overwrites an object often
enough pushes the good version out. Aborted uploads and delete markers without data are no loss, and moving
to another storage class is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cloudaudit.facts.derivation import Derive, Derived, Family, flag, records, text, whole_number, why
from cloudaudit.model import Partial, Reason, Resource, Seconds, Unseen, Value, World

BUCKET: Final = "s3.bucket"
REMOVALS: Final = "lifecycle.removals"
DAY: Final[Seconds] = 86_400


def prepare(world: World) -> Derive:
    """The removals of each bucket, by its own rules and versioning alone."""
    return _of_bucket


def _of_bucket(bucket: Resource) -> Derived:
    rules = bucket.facts.get("lifecycle.rules")
    if not isinstance(rules, tuple | Partial):
        return Derived(unseen={REMOVALS: why(bucket, "lifecycle.rules")})
    known = records(rules)
    whole = isinstance(rules, tuple) and len(known) == len(rules)
    versioning = text(bucket.facts.get("versioning.state"))
    found: list[Mapping[str, Value]] = []
    for rule in known:
        enabled, timed = flag(rule.get("enabled")), is_timed(rule)
        whole = whole and (enabled is False or (enabled is True and timed))
        if enabled and timed:
            found += _removals(rule, versioning)
    if whole:
        return Derived({REMOVALS: tuple(found)})
    unseen = Unseen(Reason.PARTIAL, "not every lifecycle rule could be read")
    return Derived({REMOVALS: Partial(tuple(found))}, {REMOVALS: unseen})


_WHEN: Final = ("expire_days", "expire_date", "noncurrent_days", "newer_noncurrent")


def is_timed(rule: Mapping[str, Value]) -> bool:
    """Whether it is known when a rule acts: each field is there, and null or no negative number."""
    return all(name in rule and _number(rule, name) == rule[name] for name in _WHEN)


def _number(rule: Mapping[str, Value], name: str) -> int | None:
    found = whole_number(rule[name])
    return found if found is not None and found >= 0 else None


def _removals(rule: Mapping[str, Value], versioning: str | None) -> Iterator[Mapping[str, Value]]:
    """What one enabled rule removes. What is not known of it is left out.

    A rule for objects with certain tags or of a size may meet none: whether it applies is not known. A rule
    for noncurrent versions meets none where versioning was never on.
    """
    common: dict[str, Value] = {}
    for ours, theirs in (("rule", "id"), ("prefix", "prefix")):
        if isinstance(value := rule.get(theirs), str):
            common[ours] = value
    applies: dict[str, Value] = {"applies": True} if flag(rule.get("filtered")) is False else {}
    days, date = _number(rule, "expire_days"), _number(rule, "expire_date")
    if days is not None or date is not None:
        # NOTE: from its date on such a rule removes every object, also those of the day before.
        after = 0 if date is not None else (days or 0) * DAY
        permanent: dict[str, Value] = {} if versioning is None else {"permanent": versioning != "enabled"}
        yield {**common, "version": "current", "after": after, **applies, **permanent}
    days, newer = _number(rule, "noncurrent_days"), _number(rule, "newer_noncurrent")
    if days is not None or newer is not None:
        if versioning == "off":
            applies = {"applies": False}
        elif versioning is None:
            applies = {}
        yield {**common, "version": "noncurrent", "after": (days or 0) * DAY, **applies, "permanent": True}


LIFECYCLE: Final = Family(
    "lifecycle",
    {BUCKET: (REMOVALS,)},
    {BUCKET: ("lifecycle.rules", "versioning.state")},
    prepare,
)
