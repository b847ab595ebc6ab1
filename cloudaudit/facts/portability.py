"""What a platform offers that others offer too: sizes of machines, whose keys encrypt, open interfaces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    both,
    flag,
    nfc,
    text,
    texts,
    unseen_anywhere,
    whole_number,
    why,
)
from cloudaudit.model import Partial, Reason, Resource, Scope, Unseen, Value, World

# --- sizes of machines ---------------------------------------------------------------------------------

REGION: Final = "openstack.region"
FLAVOR: Final = "openstack.flavor"


def prepare_flavors(world: World) -> Derive:
    """Sizes of the flavors that a region offers to everyone: those that are public and not disabled.

    A size is written as in the flavor names of the Sovereign Cloud Stack (scs-0100): virtual
    processors, `V-`, memory in GiB. What kind of processors they are does not show.
    """
    shapes: dict[tuple[str, str | None], set[str]] = defaultdict(set)
    blind: list[tuple[Scope, Unseen]] = []
    for flavor in world.each(FLAVOR):
        if "region" in flavor.unseen:
            blind.append((Scope(flavor.scope.target), flavor.unseen["region"]))
            continue
        shape = _shape(flavor)
        region = flavor.scope.region
        if isinstance(shape, Unseen):
            blind.append((Scope(flavor.scope.target, region), shape))
        elif shape is not None:
            shapes[flavor.scope.target, None if region is None else nfc(region)].add(shape)
    lists = Lists(world, FLAVOR, blind)

    def derive(region: Resource) -> Derived:
        target = region.scope.target
        found = tuple(sorted(shapes.get((target, nfc(region.id)), ())))
        doubt = lists.unseen_in(Scope(target, region.id))
        if doubt is not None:
            return Derived({"flavors.shapes": Partial(found)}, {"flavors.shapes": doubt})
        return Derived({"flavors.shapes": found})

    return derive


def _shape(flavor: Resource) -> str | Unseen | None:
    """The size of a flavor, None for one that is not offered to everyone, or why neither is known."""
    public, disabled = flag(flavor.facts.get("is_public")), flag(flavor.facts.get("disabled"))
    if public is False or disabled is True:
        return None
    for name, value in (("is_public", public), ("disabled", disabled)):
        if value is None:
            return why(flavor, name)
    size: dict[str, int] = {}
    for name in ("vcpus", "ram_mb"):
        number = whole_number(flavor.facts.get(name))
        if number is None:
            return why(flavor, name)
        size[name] = number
    whole, rest = divmod(size["ram_mb"], 1024)
    return f"{size['vcpus']}V-{whole}" if not rest else f"{size['vcpus']}V-{size['ram_mb'] / 1024:.12g}"


FLAVORS: Final = Family(
    "portability",
    {REGION: ("flavors.shapes",)},
    {REGION: (), FLAVOR: ("vcpus", "ram_mb", "is_public", "disabled")},
    prepare_flavors,
)

# --- whose keys encrypt --------------------------------------------------------------------------------

VOLUME: Final = "openstack.volume"
SECRETS: Final = "openstack.secret"
FIXED_KEY: Final = "00000000-0000-0000-0000-000000000000"
"""The id Cinder gives volumes that all share one key from its configuration file (ConfKeyManager)."""


def prepare_keys(world: World) -> Derive:
    """Whether the key of a volume is among the secrets of the volume's own project.

    Whoever holds a project of the key manager can use, replace and fetch what is in it. A key that a
    complete list of the project's secrets does not show is somebody else's.
    """
    holders: dict[tuple[str, str], set[Scope]] = defaultdict(set)
    blind: list[tuple[Scope, Unseen]] = []
    for secret in world.each(SECRETS):
        if "project" in secret.unseen or "region" in secret.unseen:
            doubt = secret.unseen.get("project") or secret.unseen["region"]
            blind.append((Scope(secret.scope.target), doubt))
        else:
            holders[secret.scope.target, nfc(secret.id).lower()].add(secret.scope)
    lists = Lists(world, SECRETS, blind)

    def derive(volume: Resource) -> Derived:
        if "encryption_key" not in volume.facts:
            return Derived(unseen={"key.own": why(volume, "encryption_key")})
        key = volume.facts["encryption_key"]
        if key is None:
            return Derived({"key.own": None})
        if not isinstance(key, str):
            return Derived(unseen={"key.own": why(volume, "encryption_key")})
        if key == FIXED_KEY:
            return Derived({"key.own": False})
        for part in ("project", "region"):
            if part in volume.unseen:
                return Derived(unseen={"key.own": volume.unseen[part]})
        scope = volume.scope
        held = holders.get((scope.target, nfc(key).lower()), set())
        if scope in held:
            return Derived({"key.own": True})
        doubt = lists.unseen_in(scope)
        return Derived({"key.own": False}) if doubt is None else Derived(unseen={"key.own": doubt})

    return derive


KEYS: Final = Family(
    "portability",
    {VOLUME: ("key.own",)},
    {VOLUME: ("encryption_key",), SECRETS: ()},
    prepare_keys,
)

# --- interfaces that other clouds have too -------------------------------------------------------------

PLATFORM: Final = "platform"
SERVICE: Final = "openstack.service"
CAPABILITIES: Final = {
    "compute-availability-zones-list": ("openstack.availability_zone", "service"),
    "compute-flavors-list": (FLAVOR, ""),
    "compute-servers-list": ("openstack.server", ""),
}
"""Capabilities of the OpenStack interoperability guideline (2022.11) that reading shows, with the type that
is read; where several services have the type, the fact that names the service."""


def prepare_capabilities(world: World) -> Derive:
    """Capabilities whose call was answered: something was listed, or a list of the service's was empty."""
    regions: dict[str, set[str]] = defaultdict(set)
    doubt = unseen_anywhere(world, SERVICE) or _unlisted(world, SERVICE)
    for service in world.each(SERVICE):
        kind = text(service.facts.get("type"))
        if kind is None:
            doubt = doubt or why(service, "type")
        elif kind == "compute":
            named = service.facts.get("regions")
            regions[service.scope.target].update(texts(named))
            doubt = doubt or (None if isinstance(named, tuple) else why(service, "regions"))
    found: set[str] = set()
    for name, (type_, fact) in CAPABILITIES.items():
        answered = any(not fact or text(one.facts.get(fact)) == "compute" for one in world.each(type_))
        if not answered and not fact:
            answered = any(
                listed.scope.region is not None and nfc(listed.scope.region) in regions[listed.scope.target]
                for listed in world.listings_of(type_)
            )
        if answered:
            found.add(name)
        else:
            untold = (why(one, fact) for one in world.each(type_) if fact and not text(one.facts.get(fact)))
            doubt = doubt or unseen_anywhere(world, type_) or _unlisted(world, type_) or next(untold, None)
    shown = tuple(sorted(found))
    if doubt is None:
        derived = Derived({"interop.capabilities": shown})
    else:
        derived = Derived({"interop.capabilities": Partial(shown)}, {"interop.capabilities": doubt})
    return lambda platform: derived


def _unlisted(world: World, type_: str) -> Unseen | None:
    return None if world.listings_of(type_) else Unseen(Reason.NOT_COLLECTED, f"no list of {type_} was read")


INTEROP: Final = Family(
    "portability",
    {PLATFORM: ("interop.capabilities",)},
    {
        PLATFORM: (),
        SERVICE: ("type", "regions"),
        **{type_: (fact,) if fact else () for type_, fact in CAPABILITIES.values()},
    },
    prepare_capabilities,
)

# --- versions of interfaces ----------------------------------------------------------------------------

PROFILE: Final = "landing_profile"
API: Final = "openstack.api"


def prepare_floors(world: World) -> Derive:
    """The floors of the landing profile against the API of each service in each of its regions.

    A floor is met where it lies in the range of versions that is served. A service that no catalogue has
    meets none. Where the range is not known, neither is whether the floor is met.
    """
    missing = unseen_anywhere(world, PROFILE)
    if missing is not None:
        return lambda platform: Derived(unseen={"api.compared": missing})
    floors = {name: floor for profile in world.each(PROFILE) for name, floor in _floors(profile).items()}
    places: dict[str, set[tuple[str, str]]] = defaultdict(set)
    doubt = unseen_anywhere(world, SERVICE) or _unlisted(world, SERVICE)
    for service in world.each(SERVICE):
        kind, named = text(service.facts.get("type")), service.facts.get("regions")
        if kind is None or not isinstance(named, tuple):
            doubt = doubt or why(service, "type" if kind is None else "regions")
        else:
            places[kind] |= {(service.scope.target, region) for region in texts(named)}
    spans: dict[tuple[str, str, str], list[tuple[str | None, str | None]]] = defaultdict(list)
    for api in world.each(API):
        kind = text(api.facts.get("service"))
        if kind is not None and api.scope.region is not None and "region" not in api.unseen:
            span = (text(api.facts.get("min_version")), text(api.facts.get("max_version")))
            spans[kind, api.scope.target, nfc(api.scope.region)].append(span)
    lists = Lists(world, API)
    found: list[dict[str, Value]] = []
    for kind, floor in sorted(floors.items()):
        for target, region in sorted(places[kind]):
            record: dict[str, Value] = {"service": kind, "region": region, "floor": floor}
            served = spans[kind, target, region]
            if len(served) == 1 and lists.unseen_in(Scope(target, region)) is None:
                record |= _compared(floor, *served[0])
            found.append(record)
        if not places[kind] and doubt is None:
            found.append({"service": kind, "region": None, "floor": floor, "met": False})
    if doubt is None:
        derived = Derived({"api.compared": tuple(found)})
    else:
        derived = Derived({"api.compared": Partial(tuple(found))}, {"api.compared": doubt})
    return lambda platform: derived


def _floors(profile: Resource) -> Mapping[str, str]:
    floors = profile.facts.get("api_floors")
    given = floors.items() if isinstance(floors, Mapping) else ()
    return {nfc(name): floor for name, value in given if (floor := text(value)) is not None}


def _compared(floor: str, lowest: str | None, highest: str | None) -> dict[str, Value]:
    """The highest version with whether the floor is served; nothing of what cannot be read as numbers."""
    if highest is None:
        return {}
    least, low, high = _numbers(floor), _numbers(lowest), _numbers(highest)
    met = both((_reaches(high, least), _reaches(least, low)))
    return {"version": highest} if met is None else {"version": highest, "met": met}


def _reaches(version: tuple[int, ...] | None, floor: tuple[int, ...] | None) -> bool | None:
    return None if version is None or floor is None else version >= floor


def _numbers(version: str | None) -> tuple[int, ...] | None:
    parts = (version or "").removeprefix("v").split(".")
    if not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        return None
    return tuple(map(int, parts))


FLOORS: Final = Family(
    "portability",
    {PLATFORM: ("api.compared",)},
    {
        PLATFORM: (),
        PROFILE: ("api_floors",),
        SERVICE: ("type", "regions"),
        API: ("service", "min_version", "max_version"),
    },
    prepare_floors,
)

PORTABILITY: Final = (FLAVORS, KEYS, INTEROP, FLOORS)
