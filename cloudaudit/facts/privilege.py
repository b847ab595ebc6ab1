"""Which users hold power over the cloud, directly or through a group.

A role that is inherited (given on a domain for its projects) is power like any other. Roles that
another role implies are not followed: the list of assignments does not tell them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from cloudaudit.facts.derivation import Derive, Derived, Family, Lists, either, nfc, optional_text, text, why
from cloudaudit.model import Partial, Reason, Resource, Scope, Unseen, Value, World

USER: Final = "openstack.user"
GRANT: Final = "openstack.role_assignment"
MEMBER: Final = "openstack.group_member"
CREDENTIAL: Final = "openstack.application_credential"
POWERFUL: Final = frozenset({"admin", "manager"})
"""Roles that administer, on whatever scope. On system scope every role but `reader` does."""
_ID: Final = re.compile(r"[0-9a-f]{32}")


def role_of(grant: Resource) -> str | None:
    """The role of a grant by its name in small letters; None where only its id is known: it could be any."""
    role = text(grant.facts.get("role"))
    return None if role is None or _ID.fullmatch(role) else role.lower()


def _is_powerful(grant: Resource) -> bool | None:
    """Whether a grant administers."""
    return _administers(text(grant.facts.get("role")), text(grant.facts.get("scope")))


def _administers(role: str | None, scope: str | None) -> bool | None:
    """Whether a role on a scope administers. One given by its id alone could be any; case does not matter."""
    if role is None or _ID.fullmatch(role):
        return None
    if role.lower() in POWERFUL:
        return True
    return False if role.lower() == "reader" else (None if scope is None else scope == "system")


class Grants:
    """Role assignments by who holds them, and members of groups by user."""

    def __init__(self, world: World) -> None:
        self.direct: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        self.by_group: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        self.groups: dict[tuple[str, str], set[str]] = defaultdict(set)
        blind: list[tuple[Scope, Unseen]] = []
        for grant in world.each(GRANT):
            target = grant.scope.target
            user, group = optional_text(grant, "user"), optional_text(grant, "group")
            if isinstance(user, str):
                self.direct[target, user].append(grant)
            elif isinstance(group, str) and user is None:
                self.by_group[target, group].append(grant)
            else:
                blind.append((Scope(target), _unclear(grant, user, group)))
        self._grants = Lists(world, GRANT, blind)
        blind = []
        for member in world.each(MEMBER):
            user, group = text(member.facts.get("user")), text(member.facts.get("group"))
            if user is None or group is None:
                blind.append((Scope(member.scope.target), why(member, "group" if user else "user")))
            else:
                self.groups[member.scope.target, user].add(group)
        self._members = Lists(world, MEMBER, blind)
        self._power_of_groups: dict[str, bool | None] = {}
        for (target, _), held in self.by_group.items():
            so_far = self._power_of_groups.get(target, False)
            self._power_of_groups[target] = either((so_far, *map(_is_powerful, held)))

    def held(self, target: str, user: str) -> list[tuple[Resource, str]]:
        """What a user holds, and through what."""
        found = [(grant, "direct") for grant in self.direct.get((target, user), ())]
        for group in self.groups.get((target, user), ()):
            found += [(grant, f"group:{group}") for grant in self.by_group.get((target, group), ())]
        return found

    def unseen_roles(self, target: str) -> Unseen | None:
        """Why a user may hold more than was seen."""
        gap = self._grants.unseen_in(Scope(target))
        has_groups = target in self._power_of_groups
        return gap or (self._members.unseen_in(Scope(target)) if has_groups else None)

    def unseen_power(self, target: str) -> Unseen | None:
        """Why a user may hold power that was not seen: members matter only of groups that may have any."""
        gap = self._grants.unseen_in(Scope(target))
        harmless = self._power_of_groups.get(target, False) is False
        return gap or (None if harmless else self._members.unseen_in(Scope(target)))


def _unclear(grant: Resource, user: str | Unseen | None, group: str | Unseen | None) -> Unseen:
    for party in (user, group):
        if isinstance(party, Unseen):
            return party
    return Unseen(Reason.INVALID_ANSWER, "a role is assigned to nobody")


def prepare(world: World) -> Derive:
    """Roles and power of users, from role assignments and members of groups."""
    grants = Grants(world)

    def derive(user: Resource) -> Derived:
        target = user.scope.target
        held = grants.held(target, nfc(user.id))
        found = {tuple(map(repr, record.items())): record for record in map(_record, held)}
        roles = tuple(found[key] for key in sorted(found))
        facts: dict[str, Value] = {}
        unseen: dict[str, Unseen] = {}
        gap = grants.unseen_roles(target) or next(filter(None, (_unread(grant) for grant, _ in held)), None)
        facts["roles"] = roles if gap is None else Partial(roles)
        if gap is not None:
            unseen["roles"] = gap
        power = either(_is_powerful(grant) for grant, _ in held)
        doubt = grants.unseen_power(target)
        if power or (power is False and doubt is None):
            facts["privileged"] = power
        else:
            unnamed = Unseen(Reason.PARTIAL, "a role of the user is not known by name or scope")
            unseen["privileged"] = doubt or unnamed
        return Derived(facts, unseen)

    return derive


def _fields(grant: Resource) -> Iterator[tuple[str, str | Unseen | None]]:
    for name in ("role", "scope"):
        yield name, text(grant.facts.get(name)) or why(grant, name)
    yield "scope_id", optional_text(grant, "scope_id")


def _unread(grant: Resource) -> Unseen | None:
    """Why a grant is not known in full: two such may be one."""
    return next((value for _, value in _fields(grant) if isinstance(value, Unseen)), None)


def _record(entry: tuple[Resource, str]) -> dict[str, Value]:
    """One role as a record; what is not known of it is left out."""
    grant, via = entry
    known = {name: value for name, value in _fields(grant) if not isinstance(value, Unseen)}
    return {"via": via, **known}


PRIVILEGE: Final = Family(
    "privilege",
    {USER: ("privileged", "roles")},
    {USER: (), GRANT: ("role", "user", "group", "scope", "scope_id"), MEMBER: ("group", "user")},
    prepare,
)


# --- what users have delegated --------------------------------------------------------------------------


def prepare_credentials(world: World) -> Derive:
    """Whether an application credential administers: it stands on one project, never on the system."""

    def derive(credential: Resource) -> Derived:
        roles = credential.facts.get("roles")
        seen = roles.items if isinstance(roles, Partial) else roles
        names = tuple(map(text, seen)) if isinstance(seen, tuple) else ()
        power = either(_administers(name, "project") for name in names)
        if power or (power is False and isinstance(roles, tuple)):
            return Derived({"privileged": power})
        unnamed = Unseen(Reason.PARTIAL, "a role of the credential is not known by name")
        return Derived(
            unseen={"privileged": unnamed if isinstance(roles, tuple) else why(credential, "roles")}
        )

    return derive


PRIVILEGE_OF_CREDENTIALS: Final = Family(
    "privilege", {CREDENTIAL: ("privileged",)}, {CREDENTIAL: ("roles",)}, prepare_credentials
)
