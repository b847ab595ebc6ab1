"""Who may delete backups and what they are of: separation of duties between backup and production.

Cinder's default policies decide for users: `admin` may do anything anywhere, `member` and `manager` may
delete in their project. Up to Wallaby whoever had any role there might, `reader` too, and later releases can
keep those rules; what another role may do is written in policy files of the cloud. No API shows which rules
are in force, so that all other roles are not known. A user is told if there is a volume that he may delete
with every usable backup of it.

A bucket is one of backups by its label `role`. Who may delete there is its account, where that account owns
other buckets too, and whoever its policy or access list lets remove versions or what protects them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, TypeAlias

from cloudaudit.facts.backup import USABLE, Naming
from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    both,
    either,
    flag,
    nfc,
    optional_text,
    records,
    text,
    texts,
    why,
)
from cloudaudit.facts.privilege import GRANT, MEMBER, USER, Grants, role_of
from cloudaudit.facts.public import EVERYBODY, asks_for_tls, plain_names, tail_of
from cloudaudit.model import MISSING, Partial, Reason, Resource, Scope, Unseen, Value, World
from cloudaudit.operators import glob_match

BUCKET: Final = "s3.bucket"
VOLUME, BACKUP, PROJECT = "openstack.volume", "openstack.backup", "openstack.project"
OF_BACKUPS, HOLDERS = "deletion.of_backups", "deletion.holders"
FACTS: Final = (OF_BACKUPS, HOLDERS)


# --- users ---------------------------------------------------------------------------------------------


class _Projects:
    """Projects by the label scopes call them by."""

    def __init__(self, world: World) -> None:
        self._by_label: dict[tuple[str, str | None], list[Resource]] = defaultdict(list)
        for project in world.each(PROJECT):
            self._by_label[project.scope.target, project.scope.project].append(project)

    def of(self, place: Scope) -> Resource | None:
        """The project of a scope, if it is known which one that is."""
        called = self._by_label.get((place.target, place.project), ())
        return called[0] if place.project is not None and len(called) == 1 else None

    def meant(self, grant: Resource, place: Scope) -> bool | None:
        """Whether a grant on projects holds in the project of a scope."""
        kind, id_ = text(grant.facts.get("scope")), optional_text(grant, "scope_id")
        inherited = flag(grant.facts.get("inherited"))
        if kind is None or isinstance(id_, Unseen):
            return None
        if kind not in ("project", "domain"):
            return False
        project = self.of(place)
        if project is None or inherited is None:
            return None
        if kind == "domain":
            domain = text(project.facts.get("domain"))
            return both((inherited, None if domain is None else domain == id_))
        here = nfc(project.id) == id_
        # Handed down to the projects below, and which these are is not told.
        return (False if here else None) if inherited else here


class _Rights:
    """Where users may delete volumes and backups."""

    def __init__(self, world: World) -> None:
        self._grants = Grants(world)
        self.projects = _Projects(world)

    def named(self, user: Resource) -> tuple[set[str], set[str]]:
        """Ids of the projects and of the domains that a user has grants on."""
        found: dict[str, set[str]] = {"project": set(), "domain": set()}
        for grant, _ in self._grants.held(user.scope.target, nfc(user.id)):
            id_ = optional_text(grant, "scope_id")
            if isinstance(id_, str):
                found.get(text(grant.facts.get("scope")) or "", set()).add(id_)
        return found["project"], found["domain"]

    def may(self, user: Resource, place: Scope) -> bool | None:
        """Whether a user may delete in the project of a scope."""
        held = self._grants.held(user.scope.target, nfc(user.id))
        found = either(self._by(grant, place) for grant, _ in held)
        return found or (None if self.unseen(user) else found)

    def unseen(self, user: Resource) -> Unseen | None:
        return self._grants.unseen_roles(user.scope.target)

    def _by(self, grant: Resource, place: Scope) -> bool | None:
        role = role_of(grant)
        if role is None or role == "admin":
            return None if role is None else True
        decides = True if role in ("member", "manager") else None
        return both((decides, self.projects.meant(grant, place)))


Pair: TypeAlias = tuple[Scope, frozenset[Scope], bool]
"""Project of a volume, projects of its usable backups, and whether there are no others."""
_Kind: TypeAlias = tuple[str, frozenset[str], bool]
"""A pair by the domains of its projects: such are alike to whoever has a grant on none of the projects."""
_NO_PROJECT: Final = "?"
"""In place of a domain where it is not known which project a scope is of; no id is spelt so."""
_NO_DOMAIN: Final = "??"
_ELSEWHERE: Final = "*"


class _Copies:
    """The projects of volumes, each with those of its usable backups."""

    def __init__(self, world: World, projects: _Projects) -> None:
        self._projects = projects
        backups = Naming(world, BACKUP, "volume_id")
        found: dict[Pair, None] = {}
        for volume in world.each(VOLUME):
            copies, gap = backups.of(volume)
            states = [text(copy.facts.get("status")) for copy in copies]
            usable = [copy for copy, state in zip(copies, states, strict=True) if state == USABLE]
            whole = gap is None and None not in states
            if usable or not whole:
                found[_project_of(volume), frozenset(map(_project_of, usable)), whole] = None
        self.targets_in_doubt = {volume.target for volume, _, whole in found if not whole}
        self._of_project: dict[tuple[str, str], list[Pair]] = defaultdict(list)
        self._of_kind: dict[tuple[str, _Kind], list[Pair]] = defaultdict(list)
        self._of_domain: dict[tuple[str, str], dict[_Kind, None]] = defaultdict(dict)
        self._alike: dict[str, dict[_Kind, dict[_Kind, None]]] = defaultdict(lambda: defaultdict(dict))
        for pair in found:
            self._add(pair)
        self._lists = [Lists(world, type_) for type_ in (VOLUME, BACKUP)]

    def _add(self, pair: Pair) -> None:
        volume, places, whole = pair
        target = volume.target
        for project in {p.id: p for p in map(self._projects.of, (volume, *places)) if p is not None}.values():
            self._of_project[target, nfc(project.id)].append(pair)
        kind = (self._domain_of(volume), frozenset(map(self._domain_of, places)), whole)
        self._of_kind[target, kind].append(pair)
        for domain in {kind[0], *kind[1]}:
            self._of_domain[target, domain][kind] = None
        plain = (_plain(kind[0]), frozenset(map(_plain, kind[1])), whole)
        self._alike[target][plain][kind] = None

    def _domain_of(self, place: Scope) -> str:
        project = self._projects.of(place)
        return _NO_PROJECT if project is None else (text(project.facts.get("domain")) or _NO_DOMAIN)

    def of(self, target: str, projects: set[str], domains: set[str]) -> Iterator[Pair]:
        """What decides for a user with grants on these: of pairs alike to him, one stands for all."""
        near = {pair: None for id_ in sorted(projects) for pair in self._of_project.get((target, id_), ())}
        yield from near
        inside = {kind: None for id_ in sorted(domains) for kind in self._of_domain.get((target, id_), ())}
        for kind in inside:
            yield from self._one(target, (kind,), near)
        for kinds in self._alike.get(target, {}).values():
            yield from self._one(target, (kind for kind in kinds if kind not in inside), near)

    def _one(self, target: str, kinds: Iterable[_Kind], near: Mapping[Pair, None]) -> Iterator[Pair]:
        pairs = (pair for kind in kinds for pair in self._of_kind[target, kind] if pair not in near)
        yield from islice(pairs, 1)

    def unseen(self, target: str) -> Unseen | None:
        """Why there may be more volumes or backups."""
        return next((gap for lists in self._lists if (gap := lists.unseen_in(Scope(target)))), None)


def _plain(domain: str) -> str:
    return domain if domain in (_NO_PROJECT, _NO_DOMAIN) else _ELSEWHERE


def _project_of(resource: Resource) -> Scope:
    hidden = "project" in resource.unseen
    return Scope(resource.scope.target, None, None if hidden else resource.scope.project)


def prepare_users(world: World) -> Derive:
    """Users who may delete backups, and with them what these are of."""
    rights = _Rights(world)
    copies = _Copies(world, rights.projects)

    def derive(user: Resource) -> Derived:
        enabled = flag(user.facts.get("enabled"))
        target = user.scope.target
        known: dict[Scope, bool | None] = {}

        def may(place: Scope) -> bool | None:
            if place not in known:
                known[place] = rights.may(user, place)
            return known[place]

        pairs = list(copies.of(target, *rights.named(user)))
        gap = copies.unseen(target)
        backups = either(may(place) for _, places, _ in pairs for place in places)
        alone = either(
            both((may(volume), *map(may, places), True if whole else None)) for volume, places, whole in pairs
        )
        if gap is not None or target in copies.targets_in_doubt:
            backups = backups or None
        if gap is not None:
            alone = alone or None
        backups, alone = both((enabled, backups)), both((enabled, alone))
        on = "no answer tells what a role of the user may delete, or in which projects it holds"
        doubt = gap or rights.unseen(user) or Unseen(Reason.PARTIAL, on)
        doubt = why(user, "enabled") if enabled is None else doubt
        facts: dict[str, Value] = {}
        if backups is not None:
            facts[OF_BACKUPS] = backups
        if alone is not None:
            facts[HOLDERS] = (user.id,) if alone else ()
        return Derived(facts, {fact: doubt for fact in FACTS if fact not in facts})

    return derive


# --- buckets -------------------------------------------------------------------------------------------

ROLE: Final = "backup"
ON_OBJECTS: Final = ("s3:DeleteObjectVersion", "s3:BypassGovernanceRetention")
ON_BUCKET: Final = ("s3:PutLifecycleConfiguration", "s3:PutBucketVersioning", "s3:PutBucketPolicy")
WITHOUT_VERSIONS: Final = "s3:DeleteObject"
"""Where versions are kept it only hides an object."""
_WRITING: Final = frozenset({"WRITE", "WRITE_ACP", "FULL_CONTROL"})


def _keeps_backups(bucket: Resource) -> bool | Unseen:
    labels = bucket.facts.get("labels", MISSING)
    if isinstance(labels, Mapping):
        return labels.get("role") == ROLE
    unseen = why(bucket, "labels")
    return False if unseen.reason is Reason.NOT_IMPLEMENTED else unseen


def prepare_buckets(world: World) -> Derive:
    """Who may delete in a bucket of backups, or take away what protects them."""
    by_owner: dict[tuple[str, str], list[Resource]] = {}
    doubts: dict[str, Unseen] = {}
    for bucket in world.each(BUCKET):
        owner = optional_text(bucket, "owner_id")
        if isinstance(owner, str):
            by_owner.setdefault((bucket.scope.target, owner), []).append(bucket)
        else:
            doubts.setdefault(
                bucket.scope.target, owner or Unseen(Reason.PARTIAL, "the store names no owner")
            )
    lists = Lists(world, BUCKET)

    def derive(bucket: Resource) -> Derived:
        role = _keeps_backups(bucket)
        if isinstance(role, Unseen):
            return Derived(unseen=dict.fromkeys(FACTS, role))
        if not role:
            return Derived({OF_BACKUPS: False, HOLDERS: ()})
        target, owner = bucket.scope.target, text(bucket.facts.get("owner_id"))
        holders, doubt = _by_policy(bucket)
        granted, unread = _by_grants(bucket, owner)
        holders |= granted
        if owner is not None:
            others = [_keeps_backups(b) for b in by_owner.get((target, owner), ())]
            if False in others:
                holders.add(owner)
            else:
                unread = unread or next((o for o in others if isinstance(o, Unseen)), None)
                unread = unread or lists.unseen_in(Scope(target)) or doubts.get(target)
        else:
            unread = unread or doubts.get(target)
        doubt = doubt or unread
        found = tuple(sorted(holders))
        if doubt is None:
            return Derived({OF_BACKUPS: True, HOLDERS: found})
        return Derived({OF_BACKUPS: True, HOLDERS: Partial(found)}, {HOLDERS: doubt})

    return derive


def _by_grants(bucket: Resource, owner: str | None) -> tuple[set[str], Unseen | None]:
    """Whom the access list lets write, beside the owner; a store without such lists lets nobody."""
    grants = bucket.facts.get("acl.grants")
    if not isinstance(grants, tuple | Partial):
        unseen = why(bucket, "acl.grants")
        return set(), None if unseen.reason is Reason.NOT_IMPLEMENTED else unseen
    known = records(grants)
    writing = [text(grant.get("grantee")) for grant in known if text(grant.get("permission")) in _WRITING]
    found = {holder for holder in writing if holder is not None}
    whole = isinstance(grants, tuple) and len(known) == len(grants) and len(found) == len(set(writing))
    if owner is None:
        # Any user may be the owner, whom the list lets write too.
        return found & EVERYBODY, why(bucket, "owner_id")
    return found - {owner}, None if whole else Unseen(Reason.PARTIAL, "not every grant could be read")


def _by_policy(bucket: Resource) -> tuple[set[str], Unseen | None]:
    """Whom the policy lets delete. What hangs on a condition, an exception or a denial is not known."""
    statements = bucket.facts.get("policy.statements")
    if not isinstance(statements, tuple | Partial):
        unseen = why(bucket, "policy.statements")
        return set(), None if unseen.reason is Reason.NOT_IMPLEMENTED else unseen
    known = records(statements)
    unclear = not isinstance(statements, tuple) or len(known) < len(statements)
    versioning = text(bucket.facts.get("versioning.state"))
    actions = ON_OBJECTS + ON_BUCKET + (() if versioning == "enabled" else (WITHOUT_VERSIONS,))
    found: set[str] = set()
    for action in actions:
        denied = either(_denies(statement, action, nfc(bucket.id)) for statement in known)
        if denied is True:
            continue
        sure = denied is False and (action != WITHOUT_VERSIONS or versioning is not None)
        for statement in known:
            holders, open_ended = _allowed(statement, action)
            unclear = unclear or open_ended or (bool(holders) and not sure)
            found |= holders if sure else set()
    doubt = Unseen(Reason.AMBIGUOUS, "its policy has conditions, exceptions or denials that are not weighed")
    return found, doubt if unclear else None


def _hits(statement: Mapping[str, Value], action: str) -> bool | None:
    patterns, others = plain_names(statement.get("actions"))
    if any(glob_match(pattern.lower(), action.lower()) for pattern in patterns):
        return True
    return None if others else False


def _allowed(statement: Mapping[str, Value], action: str) -> tuple[set[str], bool]:
    """Whom a statement allows an action for certain, and whether it may allow it to more."""
    hits = _hits(statement, action)
    if statement.get("effect") == "Deny" or hits is False:
        return set(), False
    principals, others = plain_names(statement.get("principals"))
    if statement.get("effect") != "Allow" or hits is None or statement.get("conditions") != ():
        return set(), True
    return set(principals), others


def _denies(statement: Mapping[str, Value], action: str, bucket: str) -> bool | None:
    """Whether a statement takes an action away from everybody, in the whole bucket."""
    hits = _hits(statement, action)
    conditions = texts(statement.get("conditions", ()))
    if (
        statement.get("effect") != "Deny"
        or hits is False
        or (conditions and all(map(asks_for_tls, conditions)))
    ):
        return False
    principals, _ = plain_names(statement.get("principals"))
    whole = f"{bucket}/*" if action not in ON_BUCKET else bucket
    covered = any(tail in ("*", whole) for tail in map(tail_of, plain_names(statement.get("resources"))[0]))
    total = hits and "*" in principals and statement.get("conditions") == () and covered
    return True if total else None


DELETION: Final = (
    Family(
        "deletion",
        {USER: FACTS},
        {
            USER: ("enabled",),
            GRANT: ("role", "user", "group", "scope", "scope_id", "inherited"),
            MEMBER: ("group", "user"),
            PROJECT: ("domain",),
            VOLUME: (),
            BACKUP: ("volume_id", "status"),
        },
        prepare_users,
    ),
    Family(
        "deletion",
        {BUCKET: FACTS},
        {BUCKET: ("labels", "owner_id", "acl.grants", "policy.statements", "versioning.state")},
        prepare_buckets,
    ),
)
