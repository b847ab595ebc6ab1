"""Whether a bucket or container is open to everybody, by every way its store knows.

Grants and policy open, a block and a denying statement close. Everybody means anonymous callers and
also all who have an account with the store. What could not be read leaves the answer open, unless
what was read decides it. Conditions of statements are not weighed: only their names are collected.

Of a store that Swift's S3 API shows, the access lists are not known, so that by them nothing there is
called private. Where targets.yaml declares whose Swift account it is, the bucket is also its container,
and Swift's lists tell the rest: they alone decide what strangers can do, whatever `s3_acl` is.
With `s3_acl` off, S3 asks go by them too, and S3 shows every list as private. With it on, grants of S3 are
kept beside them; strangers cannot use those (S3 takes no request without a key, and a key leads to
its own account), but all users of the account can, however few rights they have in Swift. So a
bucket is public as soon as one of its two lists says so, and not public only when neither does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    both,
    either,
    flag,
    merged,
    nfc,
    optional_text,
    records,
    text,
    texts,
    unseen_anywhere,
    why,
)
from cloudaudit.facts.swift import READ_OF_VIEWS, Containers
from cloudaudit.model import MISSING, Reading, Reason, Resource, Unseen, Value, World
from cloudaudit.operators import glob_match

FACTS: Final = ("public.read", "public.write", "public.declared_open")
EVERYBODY: Final = frozenset({"AllUsers", "AuthenticatedUsers"})
_CLOSED: Final = frozenset({"LogDelivery"})
"""Groups that hold nobody but the store itself."""
_PERMISSIONS: Final[Mapping[str, frozenset[str]]] = {
    "read": frozenset({"READ", "FULL_CONTROL"}),
    "write": frozenset({"WRITE", "WRITE_ACP", "FULL_CONTROL"}),
}
_ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "read": ("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions"),
    "write": (
        "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectAcl", "s3:PutBucketAcl",
        "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:DeleteBucket", "s3:PutBucketVersioning",
        "s3:PutLifecycleConfiguration", "s3:PutReplicationConfiguration",
    ),
}  # fmt: skip
_ON_OBJECTS: Final = frozenset({
    "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion",
    "s3:PutObjectAcl",
})  # fmt: skip
"""Actions on objects; the others are on the bucket itself."""
MOST_STATEMENTS: Final = 1000
"""A policy of more statements than this is not weighed; the limit of stores in use is far below."""

Rest: TypeAlias = bool | None
"""What a list leaves open that a store does not have or show: None, or False where another list tells."""


# --- S3: access lists ----------------------------------------------------------------------------------


def _not_implemented(bucket: Resource, fact: str) -> bool:
    unseen = bucket.why_missing(fact)
    return fact not in bucket.facts and unseen is not None and unseen.reason is Reason.NOT_IMPLEMENTED


def _blocked(bucket: Resource, fact: str) -> bool | None:
    """Whether a public-access block closes; a store that knows no such block closes nothing."""
    return False if _not_implemented(bucket, fact) else flag(bucket.facts.get(fact))


def _by_grants(bucket: Resource, way: str, rest: Rest) -> bool | None:
    """Whether the access list opens the bucket, unless a block makes the store ignore the list."""
    if rest is False and _not_implemented(bucket, "acl.grants"):
        return False
    grants = bucket.facts.get("acl.grants", MISSING)
    opens = (_is_for_everybody(g) for g in records(grants) if text(g.get("permission")) in _PERMISSIONS[way])
    seen = either((*opens, _unreadable(grants)))
    return both((seen, _negated(_blocked(bucket, "block.ignore_acls"))))


def _is_for_everybody(grant: Mapping[str, Value]) -> bool | None:
    """Whether a grant is for everybody; a group of the store's own may hold anybody."""
    name = text(grant.get("grantee"))
    if name in EVERYBODY:
        return True
    return None if text(grant.get("kind")) == "group" and name not in _CLOSED else False


def _negated(value: bool | None) -> bool | None:
    return None if value is None else not value


def _unreadable(items: Value) -> bool | None:
    """False for a whole list of records, else None: it may hold what was not seen."""
    whole = isinstance(items, tuple) and all(isinstance(item, Mapping) for item in items)
    return False if whole else None


# --- S3: policies ---------------------------------------------------------------------------------------


class _Statement:
    """One statement of a policy, as far as it matters whether everybody gets in.

    Exceptions (names with "!" before them) and conditions are not weighed: what hangs on them is unknown.
    """

    def __init__(self, fields: Mapping[str, Value]) -> None:
        effect = text(fields.get("effect"))
        self.allows = effect == "Allow" if effect in ("Allow", "Deny") else None
        self._actions, self._other_actions = plain_names(fields.get("actions"))
        self.resources, self._other_resources = plain_names(fields.get("resources"))
        principals, others = plain_names(fields.get("principals"))
        self._for_everybody = True if "*" in principals else (None if others else False)
        conditions = fields.get("conditions", ())
        self._conditions = texts(conditions) if isinstance(conditions, tuple) else ("?",)

    def _hits(self, action: str) -> bool | None:
        if any(glob_match(pattern.lower(), action.lower()) for pattern in self._actions):
            return True
        return None if self._other_actions else False

    def opens(self, action: str) -> bool | None:
        """Whether it lets everybody do something to some part of the bucket."""
        somewhere = True if self.named(action) else (None if self._other_resources else False)
        unconditional = None if self._conditions else True
        return both((self.allows, self._for_everybody, self._hits(action), somewhere, unconditional))

    def named(self, action: str) -> frozenset[str]:
        """The resources it names to which an action can apply: objects or the bucket itself."""
        to_objects = action in _ON_OBJECTS
        tails = map(tail_of, self.resources)
        return frozenset(t for t in tails if (set("/*?") & set(t) if to_objects else "/" not in t))

    def closes(self, action: str, opened: frozenset[str], bucket: str) -> bool | None:
        """Whether it takes an action away from everybody, on all that was opened.

        One that only asks for an encrypted connection leaves the others open, and so does one for a
        part of what was opened.
        """
        if self._conditions and all(map(asks_for_tls, self._conditions)):
            return False
        named = self.named(action)
        whole = any(_has_whole(tail, bucket, action in _ON_OBJECTS) for tail in named)
        covered = (
            True if whole or (opened and opened <= named) else (None if self._other_resources else False)
        )
        unconditional = None if self._conditions else True
        return both((_negated(self.allows), self._for_everybody, self._hits(action), covered, unconditional))


def tail_of(resource: str) -> str:
    """Bucket and key of an ARN; what is no whole ARN as it stands. A key may hold colons of its own."""
    parts = resource.split(":", 5)
    return parts[5] if len(parts) == 6 and parts[0] == "arn" else resource


def plain_names(names: Value) -> tuple[tuple[str, ...], bool]:
    """Names in a list, and whether there may be others: exceptions, or what could not be read."""
    found = texts(names)
    known = tuple(name for name in found if not name.startswith("!"))
    return known, not isinstance(names, tuple) or len(known) < len(names)


def asks_for_tls(condition: str) -> bool:
    operator, _, key = condition.lower().partition(":")
    return key == "aws:securetransport" and operator in ("bool", "boolifexists")


def _has_whole(pattern: str, bucket: str, objects: bool) -> bool:
    """Whether a pattern plainly has the whole bucket: its name, or a beginning of it and a star."""
    stem = pattern.removesuffix("*")
    if stem == pattern:
        return not objects and pattern == bucket
    return (f"{bucket}/" if objects else bucket).startswith(stem)


def _open(bucket: Resource, way: str, rest: Rest = None) -> bool | None:
    """Whether everybody gets in by grants or policy, after all that the policy denies."""
    by_grants = _by_grants(bucket, way, rest)
    if _not_implemented(bucket, "policy.statements"):
        # A store without policies denies nothing by one; whether it opens in another way is not known.
        return either((by_grants, rest))
    found = bucket.facts.get("policy.statements", MISSING)
    unread = _unreadable(found)
    statements = [_Statement(fields) for fields in records(found)]
    if len(statements) > MOST_STATEMENTS:
        return None
    unrestricted = _negated(_blocked(bucket, "block.restrict"))
    answers: list[bool | None] = [unread]
    for action in _ACTIONS[way]:
        ways_in = [(s.named(action), both((s.opens(action), unrestricted))) for s in statements]
        for opened, answer in (*ways_in, (frozenset(), by_grants)):
            if answer is not False:
                closed = either((*(s.closes(action, opened, bucket.id) for s in statements), unread))
                answers.append(both((answer, _negated(closed))))
    return either(answers)


def _bucket(bucket: Resource, container: Resource | Unseen | None) -> Derived:
    """A bucket, and the container it is where Swift shows it: None where nobody says that it does."""
    if isinstance(container, Resource):
        return _both_views(bucket, container)
    facts: dict[str, Value] = {}
    unseen: dict[str, Unseen] = {}
    for way in _ACTIONS:
        answer = _open(bucket, way)
        if answer is None or (container is not None and answer is False):
            unseen[f"public.{way}"] = container or _why_unknown(bucket)
        else:
            facts[f"public.{way}"] = answer
    return Derived(facts, unseen)


def _both_views(bucket: Resource, container: Resource) -> Derived:
    """One thing seen through S3 and through Swift: what either shows to be open is open."""
    native = _container(container)
    facts: dict[str, Value] = {}
    unseen: dict[str, Unseen] = {}
    beside: dict[str, tuple[Reading, ...]] = {}
    for way, header in _HEADERS.items():
        fact = f"public.{way}"
        through_s3 = _open(bucket, way, False)
        answer = either((through_s3, flag(native.facts.get(fact))))
        if answer is not None:
            facts[fact] = answer
        else:
            unseen[fact] = native.unseen.get(fact) or _why_unknown(bucket, False)
        if fact in native.facts:
            beside[fact] = (Reading(container, header, container.facts[header]),)
        elif answer is None:
            beside[fact] = (Reading(container, header, MISSING, native.unseen[fact]),)
    return Derived(facts, unseen, beside)


def _why_unknown(bucket: Resource, rest: Rest = None) -> Unseen:
    for fact in ("policy.statements", "acl.grants"):
        silent = rest is False and _not_implemented(bucket, fact)
        if not silent and _unreadable(bucket.facts.get(fact)) is None:
            return why(bucket, fact)
    for fact in ("block.ignore_acls", "block.restrict"):
        if _blocked(bucket, fact) is None:
            return why(bucket, fact)
    if any(_is_for_everybody(grant) is None for grant in records(bucket.facts.get("acl.grants", MISSING))):
        return Unseen(Reason.AMBIGUOUS, "its access list names a group of which it is not known who is in it")
    return Unseen(Reason.AMBIGUOUS, "its policy has conditions or exceptions that are not weighed")


# --- Swift ---------------------------------------------------------------------------------------------


_HEADERS: Final = {"read": "read_acl", "write": "write_acl"}


def _container(container: Resource) -> Derived:
    """Swift: a rule for referrers opens a container, for a referrer is what a caller says it is."""
    facts: dict[str, Value] = {}
    unseen: dict[str, Unseen] = {}
    for way, header in _HEADERS.items():
        acl = optional_text(container, header)
        if isinstance(acl, Unseen):
            unseen[f"public.{way}"] = acl
        else:
            facts[f"public.{way}"] = any(map(_lets_everybody, (acl or "").split(",")))
    return Derived(facts, unseen)


def _lets_everybody(element: str) -> bool:
    """Whether an element of an access list is for everybody: any user of any project, or a referrer."""
    kind, colon, name = (part.strip().lower() for part in element.partition(":"))
    if kind in (".r", ".ref", ".referer", ".referrer"):
        return bool(colon) and bool(name) and not name.startswith("-")
    return kind == name == "*"


# --- both ----------------------------------------------------------------------------------------------


def _beside_register(world: World, judge: Derive) -> Derive:
    """Openness of buckets and containers, beside what the register of systems declares as open data."""
    missing = unseen_anywhere(world, "system")
    patterns = sorted(
        {pattern for system in world.each("system") for pattern in texts(system.facts.get("open_data"))}
    )

    def derive(resource: Resource) -> Derived:
        found = judge(resource)
        if missing is not None:
            return Derived(found.facts, {**found.unseen, "public.declared_open": missing}, found.beside)
        name = nfc(resource.name or resource.id)
        is_open = any(glob_match(pattern, name) for pattern in patterns)
        return Derived({**found.facts, "public.declared_open": is_open}, found.unseen, found.beside)

    return derive


def prepare_buckets(world: World) -> Derive:
    containers = Containers(world)
    return _beside_register(world, lambda bucket: _bucket(bucket, containers.of(bucket)))


def prepare_containers(world: World) -> Derive:
    return _beside_register(world, _container)


_ACLS: Final = tuple(_HEADERS.values())
_REGISTER: Final = {"system": ("open_data",)}
PUBLIC: Final = (
    Family(
        "public",
        {"s3.bucket": FACTS},
        merged(
            {"s3.bucket": ("acl.grants", "policy.statements", "block.ignore_acls", "block.restrict")},
            READ_OF_VIEWS,
            {"openstack.container": _ACLS},
            _REGISTER,
        ),
        prepare_buckets,
    ),
    # Apart, so that the containers a bucket may be are read whether or not a control is about them.
    Family(
        "public",
        {"openstack.container": FACTS},
        merged({"openstack.container": _ACLS}, _REGISTER),
        prepare_containers,
    ),
)
