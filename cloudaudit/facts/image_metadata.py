"""What an image leaves unsaid of itself, by SCS-0102 "Image metadata".

The rules are those of version 2 of the standard and of its conformance test. What the text calls mandatory is
asked for even where the test lets it be absent. Words are those that Nova and the standard know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from cloudaudit.facts.derivation import Derive, Derived, Family, whole_number, why
from cloudaudit.model import MISSING, Partial, Resource, Unseen, Value, World

IMAGE: Final = "openstack.image"
FAULTS: Final = "metadata.faults"
GIB: Final = 2**30
_DATES: Final = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ")


def _moment(value: str) -> datetime | None:
    """A moment in one of the standard's forms, in UTC."""
    for form in _DATES:
        try:
            return datetime.strptime(f"{value} +0000", f"{form} %z")
        except ValueError:
            continue
    return None


def _among(*words: str) -> Callable[[Value], bool]:
    return lambda value: value in words


def _told(value: Value) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _until(*words: str) -> Callable[[Value], bool]:
    """A date, or a word in place of one."""
    return lambda value: isinstance(value, str) and (value in words or _moment(value) is not None)


def _valid_id(value: Value) -> bool:
    last = isinstance(value, str) and re.fullmatch("last-[0-9]{1,6}", value) is not None
    return last or _until("none", "notice", "forever")(value)


def _hours(value: Value) -> bool:
    """Optional: without it nothing is promised."""
    return value is None or (isinstance(value, str) and re.fullmatch("[0-9]{1,6}", value) is not None)


def _built(value: Value) -> bool:
    return isinstance(value, str) and _moment(value) is not None


_FIELDS: Final[Mapping[str, Callable[[Value], bool]]] = {
    "architecture": _among("x86_64", "aarch64", "risc-v", "riscv64"),
    "hash_algo": _among("sha256", "sha512"),
    "os_version": _told,
    "os_distro": _told,
    "min_disk": lambda value: (whole_number(value) or 0) > 0,
    "min_ram": lambda value: (whole_number(value) or 0) > 0,
}
_PROPERTIES: Final[Mapping[str, Callable[[Value], bool]]] = {
    "os_purpose": _among("generic", "minimal", "k8snode", "gpu", "network", "custom"),
    "hw_disk_bus": _among("fdc", "ide", "lxc", "sata", "scsi", "uml", "usb", "virtio", "xen"),
    "hypervisor_type": _among(
        "esxi", "hyper-v", "hyperv", "ironic", "kvm", "lxc", "qemu", "uml", "vmware", "xen"
    ),
    "hw_rng_model": _among("virtio"),
    "image_build_date": _built,
    "image_original_user": _told,
    "image_source": _among("private", "url"),
    "image_description": _told,
    "replace_frequency": _among(
        "yearly", "quarterly", "monthly", "weekly", "daily", "critical_bug", "never"
    ),
    "provided_until": _until("none", "notice"),
    "uuid_validity": _valid_id,
    "hotfix_hours": _hours,
}  # fmt: skip


def prepare(world: World) -> Derive:
    """Each image by itself."""
    return _of_image


def _of_image(image: Resource) -> Derived:
    """The faults in the order of the standard's list; each property by its name, once."""
    facts = {name: image.facts.get(name, MISSING) for name in READS}
    properties = facts["properties"]
    faults: list[str] = []
    unseen: Unseen | None = None
    for name, fits in _FIELDS.items():
        if not isinstance(facts[name], str | None) and whole_number(facts[name]) is None:
            unseen = unseen or why(image, name)
        elif not fits(facts[name]):
            faults.append(name)
    if not isinstance(properties, Mapping):
        unseen = unseen or why(image, "properties")
    else:
        faults += [name for name, fits in _PROPERTIES.items() if not fits(properties.get(name))]
    for name, wrong in (("min_disk", _too_small(facts)), ("image_build_date", _built_later(facts))):
        if isinstance(wrong, str):
            unseen = unseen or why(image, wrong)
        elif wrong and name not in faults:
            faults.append(name)
    if unseen is None:
        return Derived({FAULTS: tuple(faults)})
    return Derived({FAULTS: Partial(tuple(faults))}, {FAULTS: unseen})


def _too_small(facts: Mapping[str, Value]) -> bool | str:
    """Whether the least disk cannot hold the image, or the fact that is wanting."""
    size, disk = facts["size_bytes"], whole_number(facts["min_disk"])
    if size is None or disk is None:
        return False
    number = whole_number(size)
    return "size_bytes" if number is None else disk * GIB < number


def _built_later(facts: Mapping[str, Value]) -> bool | str:
    """Whether the image says it was built after it was registered, or the fact that is wanting."""
    properties = facts["properties"]
    said = properties.get("image_build_date") if isinstance(properties, Mapping) else None
    built = _moment(said) if isinstance(said, str) else None
    if built is None:
        return False
    made = whole_number(facts["created_at"])
    return "created_at" if made is None else built.timestamp() > made


READS: Final = (*_FIELDS, "properties", "size_bytes", "created_at")
IMAGE_METADATA: Final = Family("image_metadata", {IMAGE: (FAULTS,)}, {IMAGE: READS}, prepare)
