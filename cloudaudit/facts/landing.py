"""What the landing profile asks for, and what of it the platform does not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cloudaudit.facts.channel import PROFILE
from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    flag,
    merged,
    nfc,
    records,
    text,
    texts,
    unseen_anywhere,
    why,
)
from cloudaudit.facts.platform import PLATFORM, services_of
from cloudaudit.facts.portability import FLOORS
from cloudaudit.model import Partial, Reason, Resource, Unseen, Value, World

IMAGE: Final = "openstack.image"
ACTIVE: Final = "active"


def _landing(world: World) -> Derived:
    """Each thing the profile asks for that is not there. A profile that asks for nothing lacks nothing."""
    missing = unseen_anywhere(world, PROFILE)
    profile = next(iter(world.each(PROFILE)), None)
    if missing is not None or profile is None:
        gone = missing or Unseen(Reason.REGISTER_MISSING, "there is no landing profile")
        return Derived(unseen={"landing": gone})
    facts: dict[str, Value] = {}
    unseen: dict[str, Unseen] = {}
    publisher = text(profile.facts.get("publisher"))
    if publisher is None:
        unseen["landing.publisher"] = why(profile, "publisher")
    else:
        facts["landing.publisher"] = publisher
    for name, (found, doubt) in (
        ("landing.services_missing", _services_missing(world, profile)),
        ("landing.formats_foreign", _formats_foreign(world, profile)),
        ("landing.apis_below", _apis_below(world, profile)),
    ):
        facts[name] = found if doubt is None else Partial(found)
        if doubt is not None:
            unseen[name] = doubt
    return Derived(facts, unseen)


def _services_missing(world: World, profile: Resource) -> tuple[tuple[str, ...], Unseen | None]:
    wanted = profile.facts.get("required_services")
    if not isinstance(wanted, tuple):
        return (), why(profile, "required_services")
    offered, gap = services_of(world)
    if gap is not None and not set(texts(wanted)) <= offered:
        return (), gap
    return tuple(sorted(set(texts(wanted)) - offered)), None


def _formats_foreign(world: World, profile: Resource) -> tuple[tuple[str, ...], Unseen | None]:
    """Images that are ready to use, in formats the profile does not take."""
    taken = profile.facts.get("formats")
    if not isinstance(taken, tuple):
        return (), why(profile, "formats")
    if not taken:
        return (), None
    doubt = unseen_anywhere(world, IMAGE)
    found: set[str] = set()
    for image in world.each(IMAGE):
        status, disk = text(image.facts.get("status")), text(image.facts.get("disk_format"))
        if disk in texts(taken) or (status is not None and status != ACTIVE):
            continue
        if status is None or disk is None:
            doubt = doubt or why(image, "status" if status is None else "disk_format")
        else:
            found.add(f"{nfc(image.name or image.id)} ({disk})")
    return tuple(sorted(found)), doubt


def _apis_below(world: World, profile: Resource) -> tuple[tuple[str, ...], Unseen | None]:
    """Services of which some region serves no version that reaches the floor (POR-07 lists them all)."""
    floors = profile.facts.get("api_floors")
    if not isinstance(floors, Mapping):
        return (), why(profile, "api_floors")
    if not floors:
        return (), None
    compared = FLOORS.prepare(world)(profile)
    doubt = next(iter(compared.unseen.values()), None)
    found: set[str] = set()
    for record in records(compared.facts.get("api.compared")):
        met, service = flag(record.get("met")), str(record["service"])
        if met is None:
            doubt = doubt or Unseen(Reason.PARTIAL, f"which versions of {service} are served is not known")
        elif not met:
            found.add(service)
    return tuple(sorted(found)), doubt


def prepare(world: World) -> Derive:
    """What is lacking of the one profile there is."""
    derived = _landing(world)
    return lambda platform: derived


LANDING: Final = Family(
    "landing",
    {
        PLATFORM: (
            "landing.publisher", "landing.services_missing", "landing.formats_foreign", "landing.apis_below",
        )
    },
    merged(FLOORS.reads, {
        PLATFORM: (),
        PROFILE: ("publisher", "required_services", "formats", "api_floors"),
        "openstack.service": ("type",),
        "s3.endpoint": ("server_kind",),
        IMAGE: ("status", "disk_format"),
    }),
    prepare,
)  # fmt: skip
