"""How long data are kept: the period a paper sets, and when the lifecycle rules of a bucket delete.

Two papers set periods. A request of the authority to keep user data (`data-storage-request`) runs from
the day it was received for 24 months at least (obligation ND53-03: Decree 53/2022/NĐ-CP, minimum 24
months counted from the request), and longer where it says so. A `retention-policy` sets days for each
class of data, which a bucket names by its label `data_class`.

Lifecycle rules count from the making of an object, which is not seen; the making of the bucket bounds
it from below. Where versions are kept, an object that expires becomes a noncurrent version, and only a
rule on those deletes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloudaudit.facts.attribution import ATTRIBUTION, LABELS, READ_OF_SYSTEMS
from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    flag,
    merged,
    records,
    text,
    texts,
    unseen_anywhere,
    whole_number,
    why,
)
from cloudaudit.facts.lifecycle import is_timed
from cloudaudit.facts.papers import READ_OF_PAPERS, Papers
from cloudaudit.model import VIETNAM, Reason, Resource, Seconds, Unseen, Value, World

BUCKET: Final = "s3.bucket"
VOLUME: Final = "openstack.volume"
REQUEST: Final = "data-storage-request"
POLICY: Final = "retention-policy"
PERMANENT: Final = "permanent"
"""What a policy writes in place of a number of days for data that are never deleted."""
LABEL: Final = "data_class"
LEAST_YEARS: Final = 2
DAY: Final[Seconds] = 86400
_DIGITS: Final = re.compile(r"[0-9]{1,6}")
_RULES: Final = ("lifecycle.rules", "versioning.state")


def _two_years_after(moment: Seconds) -> Seconds | None:
    """The same day and time 24 months on, by the calendar of Viet Nam; 28 February after a leap day.

    None for a moment that no calendar has.
    """
    try:
        then = datetime.fromtimestamp(moment, VIETNAM)
        leap_day = (then.month, then.day) == (2, 29)
        then = then.replace(year=then.year + LEAST_YEARS, day=28 if leap_day else then.day)
    except (ValueError, OverflowError, OSError):
        return None
    return int(then.timestamp())


def _covers(paper: Resource, system: str | Unseen) -> bool | Unseen:
    """Whether a paper is about a system: one that names none is about all of them."""
    named = paper.facts.get("systems")
    if not isinstance(named, tuple):
        return why(paper, "systems")
    if not named:
        return True
    return system if isinstance(system, Unseen) else system in texts(named)


class _Systems:
    """The system a resource belongs to, or why it is not known."""

    def __init__(self, world: World) -> None:
        self._derive = ATTRIBUTION.prepare(world)

    def of(self, resource: Resource) -> str | Unseen:
        found = self._derive(resource)
        return text(found.facts.get("system.id")) or found.unseen.get("system", _UNTOLD)


_UNTOLD: Final = Unseen(Reason.UNMAPPED, "no system's selectors fit")


# --- requests to keep user data ---------------------------------------------------------------------------


def _until(request: Resource) -> Seconds | Unseen:
    """When the period of a request ends."""
    received, end = (whole_number(request.facts.get(name)) for name in ("issued_at", "valid_until"))
    least = None if received is None else _two_years_after(received)
    if least is None:
        return Unseen(Reason.PARTIAL, f"the register does not say when the request {request.id} was received")
    return max(least, end or 0)


def _asked_for(
    resource: Resource, requests: Iterable[Resource], systems: _Systems
) -> Seconds | Unseen | None:
    """The end of the longest period that a request asks for; None when none is about the resource."""
    longest: Seconds | None = None
    for request in requests:
        covered = _covers(request, systems.of(resource))
        if covered is False:
            continue
        until = _until(request) if covered is True else covered
        if isinstance(until, Unseen):
            return until
        longest = max(until, longest or 0)
    return longest


def prepare_requests(world: World) -> Derive:
    """Requests of the register, and the earliest moment at which a rule may delete what a bucket holds."""
    missing = unseen_anywhere(world, "attestation")
    requests = [paper for paper in world.each("attestation") if paper.facts.get("kind") == REQUEST]
    systems = _Systems(world)

    def derive(resource: Resource) -> Derived:
        facts: dict[str, Value] = {}
        unseen: dict[str, Unseen] = {}
        until = missing or _asked_for(resource, requests, systems)
        # NOTE: Cinder knows no rule that deletes a volume by its age.
        first = _first_deletion(resource) if resource.type == BUCKET else None
        for name, answer in (("retention.until", until), ("retention.first_deletion", first)):
            if isinstance(answer, Unseen):
                unseen[name] = answer
            else:
                facts[name] = answer
        return Derived(facts, unseen)

    return derive


# --- what lifecycle rules delete --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Lifecycle:
    """The enabled rules of a bucket that delete, and how it keeps versions."""

    expiring: tuple[Mapping[str, Value], ...]
    """Rules that expire objects by days."""
    dates: tuple[Seconds, ...]
    noncurrent: tuple[Mapping[str, Value], ...]
    versioning: str
    """enabled, suspended or off."""


def _lifecycle(bucket: Resource) -> _Lifecycle | Unseen:
    """The rules as they delete, or why they are not known. Without rules, versioning does not matter."""
    rules = bucket.facts.get("lifecycle.rules")
    if not isinstance(rules, tuple):
        return why(bucket, "lifecycle.rules")
    known = records(rules)
    if len(known) < len(rules) or any(flag(rule.get("enabled")) is None for rule in known):
        return Unseen(Reason.PARTIAL, "a lifecycle rule does not tell whether it is enabled")
    enabled = [rule for rule in known if rule["enabled"] is True]
    if not all(_is_readable(rule) for rule in enabled):
        return Unseen(Reason.PARTIAL, "a lifecycle rule was seen in part")
    found = _Lifecycle(
        tuple(rule for rule in enabled if rule["expire_days"] is not None),
        tuple(date for rule in enabled if (date := whole_number(rule["expire_date"])) is not None),
        tuple(
            rule
            for rule in enabled
            if rule["noncurrent_days"] is not None or rule["newer_noncurrent"] is not None
        ),
        text(bucket.facts.get("versioning.state")) or "",
    )
    if (found.expiring or found.dates or found.noncurrent) and found.versioning not in _VERSIONING:
        return why(bucket, "versioning.state")
    return found


def _is_readable(rule: Mapping[str, Value]) -> bool:
    """Whether all of a rule was seen that tells what it deletes, and when."""
    return is_timed(rule) and "prefix" in rule and "filtered" in rule


_VERSIONING: Final = frozenset({"enabled", "suspended", "off"})


def _days(rules: Iterable[Mapping[str, Value]], field: str) -> int | None:
    """The least number of days in a field; a rule that limits only the number of versions waits none."""
    return min((whole_number(rule[field]) or 0 for rule in rules), default=None)


def _first_deletion(bucket: Resource) -> Seconds | Unseen | None:
    """The earliest moment at which a rule may delete anything for good, in an object made with the bucket."""
    rules = _lifecycle(bucket)
    if isinstance(rules, Unseen):
        return rules
    days = [] if rules.versioning == "off" else [_days(rules.noncurrent, "noncurrent_days")]
    if rules.versioning != "enabled":
        days.append(_days(rules.expiring, "expire_days"))
    dates = rules.dates if rules.versioning != "enabled" else ()
    soonest = min((n for n in days if n is not None), default=None)
    if soonest is None:
        return min(dates, default=None)
    made = whole_number(bucket.facts.get("created_at"))
    if made is None:
        return Unseen(Reason.PARTIAL, "when the bucket was made is not known")
    return min((*dates, made + soonest * DAY))


def _earliest(rules: _Lifecycle) -> int | None:
    """Days after which something that nobody touched may be gone for good; None: never."""
    expire = 0 if rules.dates else _days(rules.expiring, "expire_days")
    if rules.versioning != "enabled":
        return expire
    wait = _days(rules.noncurrent, "noncurrent_days")
    return None if expire is None or wait is None else expire + wait


def _latest(rules: _Lifecycle) -> int | None:
    """Days after which everything that nobody touched is gone for good; None: never by a rule."""
    expire = _days(filter(_is_for_all, rules.expiring), "expire_days")
    if rules.versioning == "off":
        return expire
    unlimited = (rule for rule in rules.noncurrent if rule["newer_noncurrent"] is None)
    wait = _days(filter(_is_for_all, unlimited), "noncurrent_days")
    return None if expire is None or wait is None else expire + wait


def _is_for_all(rule: Mapping[str, Value]) -> bool:
    return rule["prefix"] == "" and rule["filtered"] is False


# --- the policy -------------------------------------------------------------------------------------------


class _Policies:
    """Retention policies in force, by class of data."""

    def __init__(self, world: World) -> None:
        papers = Papers(world)
        self._missing = unseen_anywhere(world, "attestation")
        self._systems = _Systems(world)
        self._policies: list[tuple[Resource, Unseen | None]] = []
        for paper in world.each("attestation"):
            if paper.facts.get("kind") == POLICY:
                state = papers.of(paper)
                if state.facts.get("state", "valid") == "valid":
                    self._policies.append((paper, state.unseen.get("state")))

    def of(self, bucket: Resource) -> str | Unseen | None:
        """The period for the class of a bucket; None where no policy in force sets one."""
        if self._missing is not None:
            return self._missing
        labels = bucket.facts.get("labels")
        if not isinstance(labels, Mapping):
            return why(bucket, "labels")
        class_ = text(labels.get(LABEL))
        if class_ is None:
            return None
        found: set[str] = set()
        for policy, doubt in self._policies:
            covered = _covers(policy, self._systems.of(bucket))
            if covered is False:
                continue
            period = covered if isinstance(covered, Unseen) else doubt or _period(policy, class_)
            if isinstance(period, Unseen):
                return period
            found.update(() if period is None else (period,))
        if len(found) > 1:
            return Unseen(Reason.AMBIGUOUS, f"policies set different periods for {class_}")
        return next(iter(found), None)


def _period(policy: Resource, class_: str) -> str | Unseen | None:
    """What a policy sets for a class: digits, or permanent."""
    numbers = policy.facts.get("numbers")
    if not isinstance(numbers, Mapping):
        return why(policy, "numbers")
    name = f"{class_.replace('-', '_')}_days"
    period = text(numbers.get(name))
    if period is None or period == PERMANENT or _DIGITS.fullmatch(period):
        return period
    return Unseen(Reason.INVALID_ANSWER, f"'{name}' of {policy.id} is no number of days")


def prepare_policies(world: World) -> Derive:
    """The period of a bucket's class, and how far its rules are from it."""
    policies = _Policies(world)

    def derive(bucket: Resource) -> Derived:
        facts: dict[str, Value] = {}
        unseen: dict[str, Unseen] = {}
        period, rules = policies.of(bucket), _lifecycle(bucket)
        if isinstance(period, Unseen):
            unseen["retention.period"] = period
        else:
            facts["retention.period"] = period
        if isinstance(rules, Unseen):
            unseen["retention.earliest_days"] = rules
        else:
            facts["retention.earliest_days"] = _earliest(rules)
        if period is None or period == PERMANENT:
            facts["retention.lead_days"] = facts["retention.slack_days"] = None
        elif isinstance(period, Unseen) or isinstance(rules, Unseen):
            doubt = period if isinstance(period, Unseen) else rules
            assert isinstance(doubt, Unseen)
            unseen["retention.lead_days"] = unseen["retention.slack_days"] = doubt
        else:
            facts["retention.lead_days"] = _less(_earliest(rules), period)
            facts["retention.slack_days"] = _less(_latest(rules), period)
        return Derived(facts, unseen)

    return derive


def _less(days: int | None, period: str) -> int | None:
    return None if days is None else days - int(period)


RETENTION: Final = (
    Family(
        "retention",
        dict.fromkeys((BUCKET, VOLUME), ("retention.until", "retention.first_deletion")),
        merged(
            {
                BUCKET: ("created_at", *_RULES, *LABELS),
                VOLUME: LABELS,
                "attestation": ("kind", "issued_at", "valid_until", "systems"),
            },
            READ_OF_SYSTEMS,
        ),
        prepare_requests,
    ),
    Family(
        "retention",
        {
            BUCKET: (
                "retention.period", "retention.earliest_days", "retention.lead_days", "retention.slack_days",
            )
        },
        merged(
            {BUCKET: (*_RULES, *LABELS), "attestation": ("kind", "systems", "numbers")},
            READ_OF_PAPERS,
            READ_OF_SYSTEMS,
        ),
        prepare_policies,
    ),
)  # fmt: skip
