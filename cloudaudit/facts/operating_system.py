"""Until when the operating system of a server is supported, by the labels of what it was made from.

The labels say what an image was when somebody labelled it; nobody looks into the guest. A release that
the table does not have is not known: neither supported nor out of support.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    flag,
    nfc,
    optional_text,
    records,
    text,
    where,
    why,
)
from cloudaudit.model import Reason, Resource, Scope, Seconds, Unseen, Value, World, parse_time

SERVER: Final = "openstack.server"
IMAGE: Final = "openstack.image"
VOLUME: Final = "openstack.volume"
FACTS: Final = ("os.distro", "os.version", "os.supported_until")

TABLE_DATE: Final = "2026-04-25"
"""When the table was put together."""
_RHEL: Final = {
    "6": "2020-11-30",
    "7": "2024-06-30",
    "8": "2029-05-31",
    "9": "2032-05-31",
    "10": "2035-05-31",
}
SUPPORTED_UNTIL: Final[Mapping[str, Mapping[str, str]]] = {
    # Debian's distro-info-data; of Debian with its long-term support, of Ubuntu without what is paid for.
    "debian": {
        "8": "2020-06-30", "9": "2022-06-30", "10": "2024-06-30", "11": "2026-08-31", "12": "2028-06-30",
        "13": "2030-06-30",
    },
    "ubuntu": {
        "14.04": "2019-04-25", "16.04": "2021-04-30", "18.04": "2023-05-31", "20.04": "2025-05-29",
        "22.04": "2027-06-01", "23.10": "2024-07-11", "24.04": "2029-05-31", "24.10": "2025-07-10",
        "25.04": "2026-01-15", "25.10": "2026-07-09", "26.04": "2031-05-29",
    },
    # What the makers announce of their own releases: the end of the last phase that costs nothing more. Held
    # against the pages of endoflife.date, which link to the announcements.
    "rhel": _RHEL,
    "rocky": {key: end for key, end in _RHEL.items() if int(key) >= 8},
    "almalinux": {"8": "2029-03-01", "9": "2032-05-31", "10": "2035-05-31"},
    "centos": {
        "6": "2020-11-30", "7": "2024-06-30", "8": "2024-05-31", "9": "2027-05-31", "10": "2030-01-01",
    },
    "sles": {"11": "2019-03-31", "12": "2024-10-31"},
    "windows": {
        "2008": "2020-01-14", "2008r2": "2020-01-14", "2012": "2023-10-10", "2012r2": "2023-10-10",
        "2016": "2027-01-12", "2019": "2029-01-09", "2022": "2031-10-14", "2025": "2034-10-10",
    },
}  # fmt: skip
"""The day to the end of which a release gets security updates, by the names of libosinfo.

Of CentOS 8 the later, Stream, counts: the label does not tell the two apart.
"""
_ALIASES: Final = {"redhat": "rhel", "rockylinux": "rocky", "rocky-linux": "rocky", "alma": "almalinux"}
_DAY: Final[Seconds] = 86400


def end_of_support(distro: str, version: str) -> Seconds | None:
    """The moment support of a release ends; None where the table does not have it.

    Versions are cut from the right until one is known: 12.5 is 12, 22.04.3 is 22.04.
    """
    name = distro.strip().lower()
    releases = SUPPORTED_UNTIL.get(_ALIASES.get(name, name), {})
    parts = version.strip().lower().replace(" ", "").split(".")
    for length in range(len(parts), 0, -1):
        day = releases.get(".".join(parts[:length]))
        if day is not None:
            return parse_time(day) + _DAY
    return None


class _Sources:
    """Images, and volumes by the server they are attached to."""

    def __init__(self, world: World) -> None:
        self._images: dict[tuple[str, str | None, str], list[Resource]] = defaultdict(list)
        for image in world.each(IMAGE):
            place = where(image)
            self._images[place.target, place.region, nfc(image.id)].append(image)
        self._attached: dict[tuple[str, str | None, str], list[Resource]] = defaultdict(list)
        blind: list[tuple[Scope, Unseen]] = []
        for volume in world.each(VOLUME):
            place, attachments = where(volume), volume.facts.get("attachments")
            if not isinstance(attachments, tuple):
                blind.append((place, why(volume, "attachments")))
            for record in records(attachments):
                server = text(record.get("server"))
                if server is not None:
                    self._attached[place.target, place.region, server].append(volume)
        self._lists = Lists(world, VOLUME, blind)

    def label(self, server: Resource) -> tuple[str, str] | Unseen:
        """Distribution and version of what a server was made from."""
        place, image = where(server), optional_text(server, "image")
        if isinstance(image, Unseen):
            return image
        if image is None:
            return self._of_volumes(server, place)
        found = self._images.get((place.target, place.region, image), [])
        if len(found) != 1:
            return Unseen(Reason.PARTIAL, "the image it was made from is not there, or not shown")
        return _label(found[0], "os_distro", "os_version")

    def _of_volumes(self, server: Resource, place: Scope) -> tuple[str, str] | Unseen:
        """The label of the bootable volumes: which of them it boots from does not show."""
        hidden = self._lists.unseen_in(place)
        if hidden is not None:
            return hidden
        labels: dict[tuple[str, str], None] = {}
        for volume in self._attached.get((place.target, place.region, nfc(server.id)), ()):
            bootable = flag(volume.facts.get("bootable"))
            if bootable is None:
                return why(volume, "bootable")
            if bootable:
                label = _label(volume, "image.os_distro", "image.os_version")
                if isinstance(label, Unseen):
                    return label
                labels[label] = None
        if len(labels) == 1:
            return next(iter(labels))
        if labels:
            return Unseen(Reason.AMBIGUOUS, "its bootable volumes are labelled differently")
        return Unseen(Reason.PARTIAL, "no bootable volume of it was seen")


def _label(source: Resource, distro: str, version: str) -> tuple[str, str] | Unseen:
    found: list[str] = []
    for fact in (distro, version):
        value = optional_text(source, fact)
        if isinstance(value, Unseen):
            return value
        if value is None:
            return Unseen(Reason.PARTIAL, f"what it was made from has no label {fact.rpartition('.')[2]}")
        found.append(value)
    return found[0], found[1]


def prepare(world: World) -> Derive:
    """Operating systems of servers."""
    sources = _Sources(world)

    def derive(server: Resource) -> Derived:
        label = sources.label(server)
        if isinstance(label, Unseen):
            return Derived(unseen={"os": label})
        facts: dict[str, Value] = {"os.distro": label[0], "os.version": label[1]}
        end = end_of_support(*label)
        if end is None:
            unknown = Unseen(Reason.NOT_IMPLEMENTED, f"the table of {TABLE_DATE} does not have this release")
            return Derived(facts, {"os.supported_until": unknown})
        return Derived({**facts, "os.supported_until": end})

    return derive


OPERATING_SYSTEM: Final = Family(
    "operating_system",
    {SERVER: FACTS},
    {
        SERVER: ("image",),
        IMAGE: ("os_distro", "os_version"),
        VOLUME: ("attachments", "bootable", "image.os_distro", "image.os_version"),
    },
    prepare,
)
