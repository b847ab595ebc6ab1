"""Until when operating systems are supported."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from builders import World, derived, gap, reasons, resource, volume

from cloudaudit.facts.operating_system import SUPPORTED_UNTIL, TABLE_DATE, end_of_support
from cloudaudit.model import Reason, Resource, Value, parse_time

DEBIAN_12 = {"os.distro": "debian", "os.version": "12", "os.supported_until": parse_time("2028-07-01")}


def server(image: Value = "i-1", id_: str = "m-1") -> Resource:
    return resource("openstack.server", id_, {"image": image})


def image(distro: Value = "debian", version: Value = "12", id_: str = "i-1") -> Resource:
    return resource("openstack.image", id_, {"os_distro": distro, "os_version": version})


def disk(id_: str = "v-1", *, bootable: Value = True, version: Value = "12", of: str = "m-1") -> Resource:
    facts = {
        "bootable": bootable, "image.os_distro": "debian", "image.os_version": version,
        "attachments": ({"server": of, "device": "/dev/vda"},),
    }  # fmt: skip
    return volume(id_, facts)


def system_of(
    one: Resource, *others: Resource, gaps: tuple[str, ...] = ()
) -> tuple[Mapping[str, Value], Mapping[str, Reason]]:
    world = World([one, *others], [gap(type_) for type_ in gaps])
    found = derived("operating_system", world, one)
    return found.facts, reasons(found)


@pytest.mark.parametrize(
    ("distro", "version", "day"),
    [
        ("debian", "12", "2028-07-01"),
        ("Debian", "12.5", "2028-07-01"),
        ("ubuntu", "22.04", "2027-06-02"),
        ("ubuntu", "22.04.3", "2027-06-02"),
        ("ubuntu", "22", None),
        ("rhel", "9.4", "2032-06-01"),
        ("redhat", "9", "2032-06-01"),
        ("rocky", "7", None),
        ("centos", "7", "2024-07-01"),
        ("windows", "2012 R2", "2023-10-11"),
        ("cirros", "0.6", None),
        ("debian", "bookworm", None),
        ("debian", "", None),
    ],
)
def test_the_table(distro: str, version: str, day: str | None) -> None:
    assert end_of_support(distro, version) == (None if day is None else parse_time(day))


def test_every_day_of_the_table_is_a_day() -> None:
    assert all(parse_time(day) > 0 for releases in SUPPORTED_UNTIL.values() for day in releases.values())
    assert parse_time(TABLE_DATE) > 0


def test_a_server_made_from_an_image() -> None:
    assert system_of(server(), image(), image("centos", "7", "i-2")) == (DEBIAN_12, {})


@pytest.mark.parametrize("label", [(None, "12"), ("debian", None)])
def test_an_image_without_labels(label: tuple[Value, Value]) -> None:
    assert system_of(server(), image(*label)) == ({}, {"os": Reason.PARTIAL})


def test_an_image_that_is_not_there() -> None:
    assert system_of(server()) == ({}, {"os": Reason.PARTIAL})


def test_a_release_the_table_does_not_have() -> None:
    facts = {"os.distro": "cirros", "os.version": "0.6"}
    assert system_of(server(), image("cirros", "0.6")) == (
        facts,
        {"os.supported_until": Reason.NOT_IMPLEMENTED},
    )


def test_a_server_that_boots_from_a_volume() -> None:
    data, other = disk("v-2", bootable=False, version="9"), disk("v-3", version="9", of="m-2")
    assert system_of(server(None), disk(), data, other) == (DEBIAN_12, {})
    assert system_of(server(None), disk(), disk("v-2")) == (DEBIAN_12, {})


@pytest.mark.parametrize(
    ("others", "gaps", "reason"),
    [
        ((disk(),), ("openstack.volume",), Reason.NO_PERMISSION),
        ((), (), Reason.PARTIAL),
        ((disk(), disk("v-2", version="9")), (), Reason.AMBIGUOUS),
        ((disk(), disk("v-2", bootable="?")), (), Reason.INVALID_ANSWER),
        ((disk(), disk("v-2", version=None)), (), Reason.PARTIAL),
        ((disk(), volume("v-2", {"attachments": None})), (), Reason.INVALID_ANSWER),
    ],
)
def test_volumes_that_do_not_tell(
    others: tuple[Resource, ...], gaps: tuple[str, ...], reason: Reason
) -> None:
    assert system_of(server(None), *others, gaps=gaps) == ({}, {"os": reason})


def test_a_server_whose_image_was_not_seen() -> None:
    assert system_of(resource("openstack.server", "m-1", {})) == ({}, {"os": Reason.PARTIAL})
