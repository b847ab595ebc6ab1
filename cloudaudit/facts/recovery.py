"""Whether a system could run again elsewhere when one of its sites is lost: room, and what it is made of.

The recovery site is not declared: it is any declared site that is apart from the one that is lost and
has a region of a cloud that was audited. Of each such place it is asked whether it would do alone. A
quota is a permission and not capacity; capacity is the matter of a paper.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from cloudaudit.facts.attribution import ATTRIBUTION, LABELS, READ_OF_SYSTEMS
from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
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
    where,
    whole_number,
    why,
)
from cloudaudit.facts.location import READ_OF_REGIONS, Places, Site
from cloudaudit.facts.platform import CRITICAL
from cloudaudit.model import MISSING, AtLeast, AtMost, Partial, Reason, Resource, Scope, Unseen, Value, World

SYSTEM: Final = "system"
SERVER: Final = "openstack.server"
VOLUME: Final = "openstack.volume"
QUOTA: Final = "openstack.quota"
REGION: Final = "openstack.region"
IMAGE: Final = "openstack.image"
FLAVOR: Final = "openstack.flavor"
NETWORK: Final = "openstack.network"
GROUP: Final = "openstack.security_group"
RULE: Final = "openstack.security_group_rule"

Project: TypeAlias = tuple[str, str]
"""A project: target, and name or id."""
Amounts: TypeAlias = Mapping[tuple[str, str], int]
"""What is needed, by service and name of the quota."""


@dataclass(slots=True)
class Estate:
    """What one system has at each of its sites."""

    by_site: dict[str, list[Resource]] = field(default_factory=lambda: defaultdict(list))
    projects: set[Project] = field(default_factory=set)


class Estates:
    """Servers and volumes by system and site, and why there may be more of them."""

    def __init__(self, world: World, types: Iterable[str]) -> None:
        self.missing = unseen_anywhere(world, SYSTEM) or unseen_anywhere(world, "site")
        self.places = Places(world)
        self.system_of = ATTRIBUTION.prepare(world)
        self.doubt: Unseen | None = None
        self._of: dict[str, Estate] = defaultdict(Estate)
        self._owners: dict[tuple[str, str, Scope], Derived] = {}
        self.critical = [s.id for s in world.each(SYSTEM) if text(s.facts.get("criticality")) in CRITICAL]
        for type_ in types:
            self.doubt = self.doubt or unseen_anywhere(world, type_)
            for resource in world.each(type_):
                self._add(resource)

    def _add(self, resource: Resource) -> None:
        owner = self.system_of(resource)
        unseen = owner.unseen.get("system")
        if unseen is not None:
            self.doubt = self.doubt or (None if unseen.reason is Reason.UNMAPPED else unseen)
            return
        place = self.places.of(resource)
        if not isinstance(place, Site):
            self.doubt = self.doubt or place
        elif resource.scope.project is None or "project" in resource.unseen:
            self.doubt = self.doubt or Unseen(Reason.PARTIAL, "the project of a resource is not known")
        else:
            estate = self._of[str(owner.facts["system.id"])]
            estate.by_site[place.id].append(resource)
            estate.projects.add((resource.scope.target, resource.scope.project))

    def of(self, system: str) -> Estate:
        return self._of.get(system) or Estate()

    def site_of(self, scope: Scope) -> Site | Unseen:
        """The site of a region."""
        return self.places.zone(scope.target, scope.region, None, "compute")

    def owner_of(self, resource: Resource) -> str | Literal[False] | None:
        """The system whose selectors fit; False where none do, None where that is not known."""
        if "project" in resource.unseen:
            return None
        key = (resource.type, resource.id, resource.scope)
        if key not in self._owners:
            self._owners[key] = self.system_of(resource)
        unseen = self._owners[key].unseen.get("system")
        if unseen is not None:
            return False if unseen.reason is Reason.UNMAPPED else None
        return str(self._owners[key].facts["system.id"])

    def serves(self, resource: Resource, system: str) -> bool | None:
        """Whether what is in another place serves a system: by the name of its project or by a selector."""
        if "project" in resource.unseen:
            return None
        if (resource.scope.target, resource.scope.project) in self.of(system).projects:
            return True
        owner = self.owner_of(resource)
        if owner is None or owner == system:
            return None if owner is None else True
        # A server that was not seen may make this one of the system's projects.
        return False if self.doubt is None else None


def _sited(fact: str, found: Iterable[Mapping[str, Value]], doubt: Unseen | None) -> Derived:
    listed = tuple(found)
    if doubt is None:
        return Derived({fact: listed})
    return Derived({fact: Partial(listed)}, {fact: doubt})


# --- room -------------------------------------------------------------------------------------------------

MOST: Final = 100.0
"""Head-room is told up to this; a place without limits has it."""
_OF_SERVERS: Final = {"cores": "vcpus", "ram": "ram_mb"}


class _Room:
    """Quotas by place, and what systems need."""

    def __init__(self, world: World) -> None:
        self.estates = Estates(world, (SERVER, VOLUME))
        self._quotas: dict[Scope, dict[tuple[str, str], Resource]] = defaultdict(dict)
        blind: list[tuple[Scope, Unseen]] = []
        for quota in world.each(QUOTA):
            service = text(quota.facts.get("service"))
            if service is None or "region" in quota.unseen or "project" in quota.unseen:
                blind.append((where(quota), why(quota, "service")))
            else:
                self._quotas[quota.scope][service, quota.name] = quota
        self.hidden = Lists(world, QUOTA, blind).unseen_in(Scope("*"))
        self._of_project: dict[Project, list[Scope]] = defaultdict(list)
        self._of_system: dict[str | Literal[False] | None, list[Scope]] = defaultdict(list)
        for scope, quotas in self._quotas.items():
            self._of_project[scope.target, scope.project or ""].append(scope)
            self._of_system[self.estates.owner_of(next(iter(quotas.values())))].append(scope)
        self._critical = frozenset(self.estates.critical)
        self._sharing: dict[Project, set[str]] = defaultdict(set)
        for system in world.each(SYSTEM):
            for project in self.estates.of(system.id).projects:
                self._sharing[project].add(system.id)
        self._needs: dict[tuple[str, str], Amounts] = {}
        self.unmeasured = self._measure(world)

    def _measure(self, world: World) -> Unseen | None:
        """Add up what each system has at each site; why some of it could not be."""
        doubt: Unseen | None = None
        for system in world.each(SYSTEM):
            for site, things in self.estates.of(system.id).by_site.items():
                total: dict[tuple[str, str], int] = defaultdict(int)
                for thing in things:
                    for name, amount in _amounts(thing):
                        if amount is None:
                            doubt = doubt or Unseen(Reason.PARTIAL, f"the size of {thing.id} is not known")
                        total[name] += amount or 0
                self._needs[system.id, site] = total
        return doubt

    def head_room(self, system: str, lost: str) -> Value:
        """How often what a system needs fits into the best place apart from a site; missing if not known."""
        if self.estates.doubt is not None:
            # What is hidden of a system may be in a project that opens another place.
            return MISSING
        site = self.estates.places.sites[lost]
        best, doubt = 0.0, self.hidden
        for scope in self._near(system):
            quotas = self._quotas[scope]
            ours = self.estates.serves(next(iter(quotas.values())), system)
            if ours is False:
                continue
            place = self.estates.site_of(scope)
            if isinstance(place, Site) and not place.apart_from(site):
                continue
            if ours is None or not isinstance(place, Site):
                doubt = doubt or Unseen(Reason.PARTIAL, "it is not known whether a place can take the system")
                continue
            room = self._in(quotas, self._demand(system, lost, quotas))
            if room is None:
                doubt = doubt or Unseen(Reason.PARTIAL, "a quota or its use is not known")
            else:
                best = max(best, room)
        if doubt is not None:
            return AtLeast(best) if self.unmeasured is None else MISSING
        return best if self.unmeasured is None else AtMost(best)

    def _near(self, system: str) -> Iterable[Scope]:
        """Places that may serve a system."""
        near = {
            scope: None for place in self.estates.of(system).projects for scope in self._of_project[place]
        }
        return near | dict.fromkeys((*self._of_system[system], *self._of_system[None]))

    def _demand(self, system: str, lost: str, quotas: Mapping[tuple[str, str], Resource]) -> Amounts:
        """What all critical systems would ask of one place at once when a site is lost."""
        total: dict[tuple[str, str], int] = defaultdict(int)
        one = next(iter(quotas.values()))
        owner = self.estates.owner_of(one)
        others = {owner, *self._sharing.get((one.scope.target, one.scope.project or ""), ())}
        # Of a place that may be anybody's, all may ask.
        for other in {system, *(self._critical if owner is None else self._critical & others)}:
            for name, amount in self._needs.get((other, lost), {}).items():
                total[name] += amount
        return total

    def _in(self, quotas: Mapping[tuple[str, str], Resource], needed: Amounts) -> float | None:
        found: list[float | None] = [_fit(quotas.get(name), n) for name, n in needed.items() if n > 0]
        known = [room for room in found if room is not None]
        return None if len(known) < len(found) else min(known, default=MOST)


def _amounts(thing: Resource) -> Iterator[tuple[tuple[str, str], int | None]]:
    if thing.type == VOLUME:
        yield ("block-storage", "volumes"), 1
        yield ("block-storage", "gigabytes"), whole_number(thing.facts.get("size_gb"))
        return
    yield ("compute", "instances"), 1
    for name, fact in _OF_SERVERS.items():
        yield ("compute", name), whole_number(thing.facts.get(fact))


def _fit(quota: Resource | None, needed: int) -> float | None:
    """How often an amount fits into what a quota leaves; None where that is not known."""
    if quota is None:
        return None
    limit = quota.facts.get("limit", MISSING)
    if limit is None:
        return MOST
    used, reserved = (whole_number(quota.facts.get(name)) for name in ("in_use", "reserved"))
    allowed = whole_number(limit)
    if allowed is None or used is None or reserved is None:
        return None
    # In hundredths, rounded down: what is just too little must not read as enough.
    return min(MOST, max(0, allowed - used - reserved) * 100 // needed / 100)


def prepare_capacity(world: World) -> Derive:
    """Head-room for each site of a system."""
    room = _Room(world)

    def derive(system: Resource) -> Derived:
        missing = room.estates.missing
        if missing is not None:
            return Derived(unseen={"capacity": missing})
        found: list[Mapping[str, Value]] = []
        for site in sorted(room.estates.of(system.id).by_site):
            value = room.head_room(system.id, site)
            found.append({"site": site} if value is MISSING else {"site": site, "headroom": value})
        return _sited("capacity.sites", found, room.estates.doubt)

    return derive


CAPACITY: Final = Family(
    "capacity",
    {SYSTEM: ("capacity.sites",)},
    merged(
        READ_OF_SYSTEMS,
        READ_OF_REGIONS,
        {
            SERVER: ("zone", "vcpus", "ram_mb", *LABELS),
            VOLUME: ("zone", "size_gb", *LABELS),
            QUOTA: ("service", "limit", "in_use", "reserved"),
        },
    ),
    prepare_capacity,
)


# --- what it is made of ---------------------------------------------------------------------------------

_OF_RULES: Final = ("direction", "ethertype", "protocol", "ports", "remote_prefix")
_ANYONES: Final = frozenset({"public", "community"})
DEFAULT: Final = "default"
"""The security group every project has; that its rules are the same is not asked."""

Has: TypeAlias = Callable[[Scope], bool | None]
"""Whether a region has what a system needs; None where it may."""
Need: TypeAlias = tuple[str, bool]
"""A thing that is needed, in words, and whether it is called by its own name."""


@dataclass(slots=True)
class _Alike:
    """Resources of a region that are equal: by project, by system, and such as may be for everybody."""

    of_project: dict[Project, list[Resource]] = field(default_factory=lambda: defaultdict(list))
    of_system: dict[str | None, list[Resource]] = field(default_factory=lambda: defaultdict(list))
    """None: of which it is not known."""
    open: list[Resource] = field(default_factory=list)


class _Kept:
    """Resources of a type by region and by what makes two of them equal.

    `is_open` tells which serve everybody, None where one may.
    """

    def __init__(
        self,
        world: World,
        type_: str,
        estates: Estates,
        key: Callable[[Resource], object],
        is_open: Callable[[Resource], bool | None],
    ) -> None:
        self._estates, self._is_open = estates, is_open
        self._by: dict[tuple[str, str | None, object], list[Resource]] = defaultdict(list)
        self._sorted: dict[tuple[str, str | None, object], _Alike] = {}
        self._by_id: dict[tuple[Scope, str], Resource] = {}
        self._in_place: dict[tuple[Scope, object], list[Resource]] = defaultdict(list)
        blind: list[tuple[Scope, Unseen]] = []
        for one in world.each(type_):
            place, name = where(one), key(one)
            self._by_id[Scope(place.target, place.region), nfc(one.id)] = one
            if name is None or place.region is None:
                doubt = Unseen(Reason.PARTIAL, f"it is not known what {one.id} is equal to")
                blind.append((Scope(place.target, place.region), doubt))
            else:
                self._by[place.target, nfc(place.region), name].append(one)
                self._in_place[place, name].append(one)
        self._lists = Lists(world, type_, blind)

    def with_id(self, beside: Resource, id_: str) -> Resource | None:
        """The one with an id in the region of another resource: a copy elsewhere may bear the same id."""
        return self._by_id.get((Scope(beside.scope.target, where(beside).region), id_))

    def in_place(self, place: Scope, name: object) -> Sequence[Resource]:
        """Those of one project."""
        return self._in_place.get((place, name), ())

    def hidden(self, region: Scope) -> bool:
        return self._lists.unseen_in(Scope(region.target, region.region)) is not None

    def has(
        self, region: Scope, name: object, system: str, fits: Callable[[Resource], bool | None]
    ) -> bool | None:
        """Whether a region has one that fits and serves a system or everybody."""
        key = (region.target, nfc(region.region or ""), name)
        found = either(both((fits(one), self._serves(one, system))) for one in self._near(key, system))
        return None if found is False and self.hidden(region) else found

    def _serves(self, one: Resource, system: str) -> bool | None:
        return either((self._is_open(one), self._estates.serves(one, system)))

    def _near(self, key: tuple[str, str | None, object], system: str) -> Iterable[Resource]:
        """Those that may serve a system. Where servers are hidden, any project may be one of its own."""
        if self._estates.doubt is not None:
            return self._by.get(key, ())
        alike = self._sorted.get(key) or self._sorted.setdefault(key, self._sort(self._by.get(key, ())))
        near = [*alike.open, *alike.of_system.get(system, ()), *alike.of_system.get(None, ())]
        near += (one for p in self._estates.of(system).projects for one in alike.of_project.get(p, ()))
        return {id(one): one for one in near}.values()

    def _sort(self, found: Iterable[Resource]) -> _Alike:
        alike = _Alike()
        for one in found:
            if self._is_open(one) is not False:
                alike.open.append(one)
            owner = self._estates.owner_of(one)
            if owner is not False:
                alike.of_system[owner].append(one)
            if one.scope.project is not None:
                alike.of_project[one.scope.target, one.scope.project].append(one)
        return alike


class _Rules:
    """The rules of security groups, without the ids that differ from region to region."""

    def __init__(self, world: World, groups: _Kept) -> None:
        self._groups = groups
        self._of: dict[tuple[str, str | None, str], set[object]] = defaultdict(set)
        blind: list[tuple[Scope, Unseen]] = []
        for rule in world.each(RULE):
            group = text(rule.facts.get("security_group"))
            shape = self._shape(rule)
            if group is None or shape is None:
                blind.append((where(rule), Unseen(Reason.PARTIAL, f"rule {rule.id} cannot be read")))
            else:
                self._of[rule.scope.target, where(rule).region, group].add(shape)
        self._lists = Lists(world, RULE, blind)

    def _shape(self, rule: Resource) -> object:
        """What a rule allows, as a text; None where something of it is not known."""
        values = [rule.facts.get(name, MISSING) for name in _OF_RULES]
        remote = optional_text(rule, "remote_group")
        of_addresses = optional_text(rule, "remote_address_group")
        if MISSING in values or isinstance(remote, Unseen) or of_addresses is not None:
            return None
        if remote is None:
            return repr((values, None))
        group = self._groups.with_id(rule, remote)
        return None if group is None else repr((values, nfc(group.name)))

    def of(self, group: Resource) -> set[object] | None:
        place = where(group)
        whole = self._lists.unseen_in(place) is None
        return self._of.get((place.target, place.region, nfc(group.id)), set()) if whole else None


def _digest_of(image: Resource) -> object:
    algorithm, value = text(image.facts.get("hash_algo")), text(image.facts.get("hash_value"))
    return None if algorithm is None or value is None else (algorithm, value)


def _size_of(thing: Resource) -> object:
    size = tuple(whole_number(thing.facts.get(name)) for name in ("vcpus", "ram_mb", "disk_gb"))
    return None if None in size else size


def _name_of(thing: Resource) -> object:
    return nfc(thing.name) or None


def _is_open_image(image: Resource) -> bool | None:
    """Whether everybody may use an image. One that is shared with single projects may be with this one."""
    seen_by = text(image.facts.get("visibility"))
    return None if seen_by in (None, "shared") else seen_by in _ANYONES


class _Parts:
    """Images, flavors, networks and security groups by region, and what servers need of them."""

    def __init__(self, world: World) -> None:
        self.estates = estates = Estates(world, (SERVER,))
        self._images = _Kept(world, IMAGE, estates, _digest_of, _is_open_image)
        self._flavors = _Kept(world, FLAVOR, estates, _size_of, lambda one: True)
        self._networks = _Kept(world, NETWORK, estates, _name_of, lambda one: flag(one.facts.get("shared")))
        self._groups = _Kept(world, GROUP, estates, _name_of, lambda one: False)
        self._rules = _Rules(world, self._groups)
        self._regions = [Scope(region.scope.target, region.id) for region in world.each(REGION)]
        self._hidden = unseen_anywhere(world, REGION)

    def elsewhere(self, lost: str) -> tuple[list[Scope], bool]:
        """Regions at sites apart from one that is lost, and whether there may be more."""
        site = self.estates.places.sites[lost]
        found = [(region, self.estates.site_of(region)) for region in self._regions]
        apart = [region for region, place in found if isinstance(place, Site) and place.apart_from(site)]
        return apart, self._hidden is not None or any(isinstance(place, Unseen) for _, place in found)

    def needed(self, system: str, lost: str) -> Mapping[Need, Iterable[Has]]:
        """What the servers of a system at a site need elsewhere, by kind and name.

        One name can stand for several things: a flavor that was made anew, groups of two projects. What
        many servers need is asked for once.
        """
        found: dict[Need, dict[object, Has]] = defaultdict(dict)
        for server in self.estates.of(system).by_site[lost]:
            for need, key, has in self._of_server(server, system):
                found[need].setdefault(key, has)
        return {need: every.values() for need, every in found.items()}

    def _of_server(self, server: Resource, system: str) -> Iterator[tuple[Need, object, Has]]:
        """What a server needs, what makes it the same thing as another server's, and who has it."""
        here = where(server)
        image = optional_text(server, "image")
        if isinstance(image, Unseen):
            yield (f"image of {server.id}", False), None, _not_known
        elif image is not None:
            yield (f"image {image}", True), (here.target, here.region), self._image(server, image, system)
        flavor = text(server.facts.get("flavor"))
        named = (f"flavor {flavor or server.id}", flavor is not None)
        yield named, _size_of(server), self._flavor(server, system)
        addresses, groups = server.facts.get("addresses"), server.facts.get("security_groups")
        if not isinstance(addresses, tuple):
            yield (f"networks of {server.id}", False), None, _not_known
        for name in {text(address.get("network")) for address in records(addresses)} - {None}:
            yield (f"network {name}", True), None, self._network(str(name), system)
        if not isinstance(groups, tuple):
            yield (f"security groups of {server.id}", False), None, _not_known
        for name in set(texts(groups)) - {DEFAULT}:
            yield (f"security group {name}", True), here, self._group(server, str(name), system)

    def _image(self, server: Resource, image: str, system: str) -> Has:
        """By its digest. A volume that a server boots from is no image: BDR-02 is about that."""
        used = self._images.with_id(server, image)
        digest = None if used is None else _digest_of(used)

        def fits(other: Resource) -> bool | None:
            status = text(other.facts.get("status"))
            return None if status is None else status == "active"

        return lambda region: None if digest is None else self._images.has(region, digest, system, fits)

    def _flavor(self, server: Resource, system: str) -> Has:
        size = _size_of(server)
        return lambda region: None if size is None else self._flavors.has(region, size, system, _fits)

    def _network(self, name: str, system: str) -> Has:
        return lambda region: self._networks.has(region, name, system, _fits)

    def _group(self, server: Resource, name: str, system: str) -> Has:
        """By its name, with the same rules."""
        near = where(server)
        own = self._groups.in_place(near, name)
        alone = len(own) == 1 and not self._groups.hidden(near)
        rules = self._rules.of(own[0]) if alone else None

        def fits(other: Resource) -> bool | None:
            theirs = self._rules.of(other)
            return None if rules is None or theirs is None else rules == theirs

        return lambda region: self._groups.has(region, name, system, fits)


def _fits(one: Resource) -> bool | None:
    """Whatever bears the name or has the size will do."""
    return True


def _not_known(region: Scope) -> None:
    return None


def prepare_parts(world: World) -> Derive:
    """For each site of a system whether another region has all it is made of, and what no region has."""
    parts = _Parts(world)

    def derive(system: Resource) -> Derived:
        missing, doubt = parts.estates.missing, parts.estates.doubt
        if missing is not None:
            return Derived(unseen={"recovery": missing})
        found: list[Mapping[str, Value]] = []
        lacking: set[str] = set()
        unsure = doubt
        for site in sorted(parts.estates.of(system.id).by_site):
            regions, more = parts.elsewhere(site)
            needed = parts.needed(system.id, site)
            table = {need: [both(has(r) for has in every) for r in regions] for need, every in needed.items()}
            whole = either([*map(both, zip(*table.values(), strict=True)), *([None] if more else [])])
            ready = None if whole is True and doubt is not None else whole
            found.append({"site": site} if ready is None else {"site": site, "ready": ready})
            for (name, is_own), states in table.items():
                somewhere = either([*states, *([None] if more else [])])
                if somewhere is False and is_own:
                    lacking.add(name)
                elif somewhere is not True:
                    unsure = unsure or Unseen(Reason.PARTIAL, f"it is not known whether there is {name}")
        listed = _sited("recovery.sites", found, doubt)
        names = tuple(sorted(lacking))
        facts = {**listed.facts, "recovery.missing": names if unsure is None else Partial(names)}
        unseen = listed.unseen if unsure is None else {**listed.unseen, "recovery.missing": unsure}
        return Derived(facts, unseen)

    return derive


RECOVERY: Final = Family(
    "recovery",
    {SYSTEM: ("recovery.sites", "recovery.missing")},
    merged(
        READ_OF_SYSTEMS,
        READ_OF_REGIONS,
        {
            SERVER: (
                "zone", "image", "flavor", "vcpus", "ram_mb", "disk_gb", "addresses", "security_groups",
                *LABELS,
            ),
            REGION: (),
            IMAGE: ("hash_algo", "hash_value", "status", "visibility", *LABELS),
            FLAVOR: ("vcpus", "ram_mb", "disk_gb"),
            NETWORK: ("shared", *LABELS),
            GROUP: (),
            RULE: ("security_group", "remote_group", "remote_address_group", *_OF_RULES),
        },
    ),
    prepare_parts,
)  # fmt: skip
