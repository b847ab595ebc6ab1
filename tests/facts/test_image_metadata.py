"""What images leave unsaid of themselves."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from builders import NOW, World, derived, resource

from cloudaudit.model import Partial, Reason, Resource, Unseen, Value

PROPERTIES: Mapping[str, Value] = {
    "os_purpose": "generic",
    "hw_disk_bus": "scsi",
    "hypervisor_type": "qemu",
    "hw_rng_model": "virtio",
    "image_build_date": "2026-11-20",
    "image_original_user": "debian",
    "image_source": "url",
    "image_description": "text",
    "replace_frequency": "monthly",
    "provided_until": "2028-06-30",
    "uuid_validity": "last-3",
    "hotfix_hours": "48",
}
FACTS: Mapping[str, Value] = {
    "architecture": "x86_64",
    "hash_algo": "sha512",
    "os_version": "13",
    "os_distro": "debian",
    "min_disk": 4,
    "min_ram": 512,
    "size_bytes": 2**32,
    "created_at": NOW,
    "properties": PROPERTIES,
}


def image(without: str = "", **facts: Value) -> Resource:
    return resource("openstack.image", "i-1", {**FACTS, **facts}, without=[without])


def faults(**facts: Value) -> Value:
    return derived("image_metadata", World(), image(**facts)).facts["metadata.faults"]


def with_property(name: str, value: Value) -> Value:
    return faults(properties={**PROPERTIES, name: value})


def test_an_image_that_says_everything_has_no_faults() -> None:
    found = derived("image_metadata", World(), image())
    assert (found.facts, found.unseen) == ({"metadata.faults": ()}, {})


def test_an_image_that_says_nothing_lacks_everything_but_what_is_optional() -> None:
    nothing: dict[str, Value] = {"architecture": None, "hash_algo": None, "os_version": None, "os_distro": ""}
    assert faults(**nothing, min_disk=0, min_ram=0, properties={}) == (
        "architecture", "hash_algo", "os_version", "os_distro", "min_disk", "min_ram", "os_purpose",
        "hw_disk_bus", "hypervisor_type", "hw_rng_model", "image_build_date", "image_original_user",
        "image_source", "image_description", "replace_frequency", "provided_until", "uuid_validity",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_build_date", "2026-11-20 10:30"),
        ("image_build_date", "2026-11-20 10:30:15"),
        ("image_build_date", "2026-11-20T10:30:15Z"),
        ("image_source", "private"),
        ("provided_until", "notice"),
        ("provided_until", "none"),
        ("uuid_validity", "forever"),
        ("uuid_validity", "2027-01-01"),
        ("hotfix_hours", "0"),
    ],
)
def test_ways_to_say_it(name: str, value: Value) -> None:
    assert with_property(name, value) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("os_purpose", "server"),
        ("hw_disk_bus", "nvme"),
        ("hypervisor_type", "KVM"),
        ("hw_rng_model", "none"),
        ("image_build_date", "20/11/2026"),
        ("image_build_date", "2026-11-23"),
        ("image_original_user", " "),
        ("image_source", "text"),
        ("image_description", ""),
        ("replace_frequency", "sometimes"),
        ("provided_until", "forever"),
        ("uuid_validity", "last-"),
        ("uuid_validity", "last-N"),
        ("hotfix_hours", "two"),
    ],
)
def test_ways_not_to_say_it(name: str, value: Value) -> None:
    assert with_property(name, value) == (name,)


def test_the_least_disk_holds_the_image() -> None:
    assert faults(size_bytes=2**32 + 1) == ("min_disk",)
    assert faults(size_bytes=None) == ()


def test_what_was_not_seen_may_be_a_fault() -> None:
    for without in FACTS:
        found = derived("image_metadata", World(), image(without, os_version=None))
        known = () if without == "os_version" else ("os_version",)
        assert found.facts == {"metadata.faults": Partial(known)}
        unseen = Unseen(Reason.PARTIAL, f"'{without}' was not seen")
        assert found.unseen == {"metadata.faults": unseen}


def test_what_is_not_of_its_kind_is_not_known() -> None:
    found = derived("image_metadata", World(), image(architecture=("x",), min_disk=0, properties=()))
    assert found.facts == {"metadata.faults": Partial(("min_disk",))}
    unseen = Unseen(Reason.INVALID_ANSWER, "'architecture' is not of its kind")
    assert found.unseen == {"metadata.faults": unseen}
