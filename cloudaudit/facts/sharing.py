"""With whom a thing is shared outside its own project or account.

Only named parties are told. What is open to everybody by name or by policy of a store is `public`'s
matter, and an external network is made for all projects. A project or account is told as the service
spells it; a party that cannot be told apart from the owner counts as another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    flag,
    nfc,
    optional_text,
    records,
    text,
    texts,
    why,
)
from cloudaudit.facts.public import EVERYBODY
from cloudaudit.model import MISSING, Partial, Reason, Resource, Unseen, Value, World

MEMBER: Final = "openstack.image_member"
POLICY: Final = "openstack.rbac_policy"
SHARE: Final = "openstack.share"
TRANSFER: Final = "openstack.volume_transfer"
CONTAINER: Final = "openstack.container"
BUCKET: Final = "s3.bucket"
FACTS: Final = ("sharing.foreign",)
EVERY_PROJECT: Final = "*"
_MOST: Final = 1000
"""Parties told of one thing."""


def _member(member: Resource) -> Iterator[str | Unseen]:
    """An image is shared as soon as it is offered, whatever the other project makes of it."""
    yield text(member.facts.get("member")) or why(member, "member")


def _policy(policy: Resource) -> Iterator[str | Unseen]:
    action = text(policy.facts.get("action"))
    if action is None:
        yield why(policy, "action")
    elif action != "access_as_external":
        yield text(policy.facts.get("target_tenant")) or why(policy, "target_tenant")


def _share(share: Resource) -> Iterator[str | Unseen]:
    is_public = flag(share.facts.get("is_public"))
    if is_public is None:
        yield why(share, "is_public")
    elif is_public:
        yield EVERY_PROJECT


def _transfer(transfer: Resource) -> Iterator[str | Unseen]:
    """Whoever holds the key of a transfer that waits may take the volume."""
    yield Unseen(Reason.NOT_IMPLEMENTED, "Cinder does not tell for whom a waiting transfer is meant")


def _container(container: Resource) -> Iterator[str | Unseen]:
    """Elements of the access lists. The id of a container begins with that of its project."""
    own = {nfc(container.id).partition("/")[0], nfc(container.scope.project or "")} - {""}
    for header in ("read_acl", "write_acl"):
        acl = optional_text(container, header)
        if isinstance(acl, Unseen):
            yield acl
            continue
        for element in filter(None, map(str.strip, (acl or "").split(","))):
            project, colon, user = (part.strip() for part in element.partition(":"))
            if element.startswith(".") or project == user == EVERY_PROJECT:
                # Referrers and everybody: `public` tells.
                continue
            if not colon:
                # NOTE: a role of its own project to Swift, a user of any account to Ceph's gateway.
                yield Unseen(Reason.AMBIGUOUS, "its access list names somebody without a project")
            elif project not in own:
                yield project


def _bucket(bucket: Resource) -> Iterator[str | Unseen]:
    owner, holder = optional_text(bucket, "owner_id"), optional_text(bucket, "acl.owner")
    grants = bucket.facts.get("acl.grants", MISSING)
    if not isinstance(grants, tuple):
        yield why(bucket, "acl.grants")
    for grant in records(grants):
        grantee, kind = grant.get("grantee"), text(grant.get("kind"))
        if not isinstance(grantee, str) or kind is None:
            yield why(bucket, "acl.grants")
        elif kind == "group" or grantee in EVERYBODY:
            continue
        elif isinstance(holder, Unseen):
            yield holder
        # NOTE: some stores call the owner otherwise here than in the list of buckets, or not at all.
        elif nfc(grantee) != (holder or ""):
            yield from _other(nfc(grantee), owner)
    statements = bucket.facts.get("policy.statements", MISSING)
    if not isinstance(statements, tuple):
        yield why(bucket, "policy.statements")
    for statement in records(statements):
        yield from _admitted(statement, owner, bucket)


def _admitted(
    statement: Mapping[str, Value], owner: str | Unseen | None, bucket: Resource
) -> Iterator[str | Unseen]:
    """Whom a statement admits, under whatever condition. A denial admits nobody."""
    effect, principals = text(statement.get("effect")), statement.get("principals")
    if effect == "Deny":
        return
    if effect != "Allow" or not isinstance(principals, tuple) or len(texts(principals)) < len(principals):
        yield why(bucket, "policy.statements")
        return
    for principal in texts(principals):
        if principal.startswith("!"):
            yield Unseen(Reason.AMBIGUOUS, "a statement admits all but those it names")
        elif principal != EVERY_PROJECT:
            yield from _other(principal, owner)


def _other(party: str, owner: str | Unseen | None) -> Iterator[str | Unseen]:
    """The party, unless it is the owner; where the owner is not known it may be."""
    if not isinstance(owner, str):
        yield owner or Unseen(Reason.PARTIAL, "the store does not tell who owns the bucket")
    elif not _is_owner(party, owner):
        yield party


def _is_owner(party: str, owner: str) -> bool:
    """Whether a principal or grantee is the owner, as canonical id or as the ARN of Ceph's gateway.

    Ceph calls a user `tenant$user`, and `arn:aws:iam::tenant:user/user` in policies; without a tenant
    both leave it out.
    """
    if party in (owner, f"CanonicalUser:{owner}"):
        return True
    tenant, _, user = owner.rpartition("$")
    parts = party.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "iam":
        return False
    return (parts[4], parts[5]) == (tenant, f"user/{user}") or (parts[4], parts[5]) == (owner, "root")


_READERS: Final = {
    MEMBER: _member,
    POLICY: _policy,
    SHARE: _share,
    TRANSFER: _transfer,
    CONTAINER: _container,
    BUCKET: _bucket,
}


def prepare(world: World) -> Derive:
    """Parties by what each thing tells itself."""

    def derive(resource: Resource) -> Derived:
        told = list(_READERS[resource.type](resource))
        parties = sorted({party for party in told if isinstance(party, str)})
        doubt = next((party for party in told if isinstance(party, Unseen)), None)
        if len(parties) > _MOST:
            doubt = doubt or Unseen(Reason.PARTIAL, f"more than {_MOST} parties")
        found = tuple(parties[:_MOST])
        if doubt is None:
            return Derived({"sharing.foreign": found})
        return Derived({"sharing.foreign": Partial(found)}, {"sharing.foreign": doubt})

    return derive


SHARING: Final = Family(
    "sharing",
    dict.fromkeys(_READERS, FACTS),
    {
        MEMBER: ("member",),
        POLICY: ("action", "target_tenant"),
        SHARE: ("is_public",),
        TRANSFER: (),
        CONTAINER: ("read_acl", "write_acl"),
        BUCKET: ("owner_id", "acl.owner", "acl.grants", "policy.statements"),
    },
    prepare,
)
