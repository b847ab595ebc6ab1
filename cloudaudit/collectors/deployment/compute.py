"""What Terraform's blocks for Nova and Cinder mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cloudaudit.collectors.deployment.block import LATER, untold
from cloudaudit.collectors.deployment.network import (
    SERVER,
    P,
    is_made_by_nova,
    made_for_server,
    networks_of,
    ports_of_server,
)
from cloudaudit.collectors.deployment.whole import (
    Level,
    Meaning,
    Told,
    Whole,
    by_name,
    combined,
    id_or_null,
    rows,
    text_or_null,
    untold_list,
    why,
)
from cloudaudit.collectors.item import (
    Item,
    Row,
    flag,
    identifier,
    integer,
    many,
    record,
    text,
)
from cloudaudit.collectors.leaks import Look
from cloudaudit.model import Reason, Unseen, Value

VOLUMES: Final = (P + "blockstorage_volume_v3", P + "blockstorage_volume_v2")
TYPE: Final = P + "blockstorage_volume_type_v3"
ENCRYPTION: Final = "heat_volume_type_encryption"
"""A block of Heat's alone."""
ATTACH: Final = P + "compute_volume_attach_v2"
FLAVOR: Final = P + "compute_flavor_v2"
IMAGE: Final = P + "images_image_v2"


# --- volumes --------------------------------------------------------------------------------------------


def volume(item: Told) -> None:
    item.take("size_gb", "size", integer)
    item.take("zone", "availability_zone", text_or_null)
    item.take("volume_type", "volume_type", text_or_null)
    item.take("snapshot_id", "snapshot_id", text_or_null, absent=None)
    item.labels("metadata", item.whole.labels)
    item.look_for_secrets(Look(), metadata=["metadata"])
    item.after(
        "status", "encrypted", "created_at", "updated_at", "replication_status", "host", "encryption_key"
    )
    _multiattach(item)
    _made_from(item)
    _attachments(item)


def _multiattach(item: Told) -> None:
    """Whether several servers may have it: Cinder goes by its type, and once went by the request as well."""
    asked = item.value("multiattach")
    if asked is True:
        item.facts["multiattach"] = True
        return
    name = item.value("volume_type")
    kinds = [
        one for one in item.whole.of(TYPE) if isinstance(name, str) and name in (one.row.get("name"), one.id)
    ]
    if len(kinds) != 1:
        detail = "whether several servers may have it is set by its type, which the code does not declare"
        item.unseen["multiattach"] = Unseen(Reason.NOT_DESCRIBED, detail)
    elif untold(specs := kinds[0].value("extra_specs")) is not None:
        item.unseen["multiattach"] = why(specs, "extra_specs")
    else:
        wanted = specs.get("multiattach") if isinstance(specs, dict) else None
        item.facts["multiattach"] = isinstance(wanted, str) and "true" in wanted.lower()


def _made_from(item: Told) -> None:
    """What is on it from the start: a volume of an image can be booted from, and tells its system."""
    others = [item.value(name) for name in ("snapshot_id", "source_vol_id", "source_replica", "backup_id")]
    image = item.value("image_id")
    found = dict.fromkeys(("image.os_distro", "image.os_version"))
    if image is not None:
        item.facts["bootable"] = True
        source = item.whole.at_id(image, IMAGE)
        given = source.value("properties") if source is not None else LATER
        if untold(given) is not None or not isinstance(given, dict | None):
            item.unseen["image"] = Unseen(
                Reason.NOT_DESCRIBED, "the code does not tell the properties of its image"
            )
            return
        inner = Item(given or {})
        for fact in found:
            inner.take(fact, fact.removeprefix("image."), text_or_null, null=True, absent=None)
        item.facts |= inner.facts
        item.unseen |= inner.unseen
    elif item.block.new and all(one is None for one in others):
        item.facts |= {"bootable": False, **found}
    else:
        item.unseen |= dict.fromkeys(("bootable", "image"), item.silent)


def _attachments(item: Told) -> None:
    found = item.whole.referring(ATTACH, "volume_id", item.id)
    told = item.value("attachment")
    if not item.block.new and untold(told) is None and isinstance(told, list):
        # What is told of it is from before: others may be made now, or taken away.
        later = found.doubt or next((one.silent for one in found.blocks if one.block.new), None)
        gone = item.silent if ATTACH in item.whole.code.gone else None
        combined(item, "attachments", [] if gone else told, _told_attachment, gone or later)
        return
    given: list[Any] = [
        {"server": one.row.get("instance_id"), "device": one.row.get("device")} for one in found.blocks
    ]
    own = item.whole.once(_of_servers)
    given += [{"server": server} for server in own.of.get(item.id, ())]
    doubt = found.doubt or own.doubt or (None if item.block.new else item.silent)
    combined(item, "attachments", given, _attachment, doubt, loose=True)


@dataclass(frozen=True, slots=True)
class _Named:
    """Servers by what they name, and why others may name it too."""

    of: Mapping[str, list[str]]
    doubt: Unseen | None


def _of_servers(whole: Whole) -> _Named:
    """Servers by the volumes they start with."""
    found: dict[str, list[str]] = defaultdict(list)
    doubt = whole.perhaps(SERVER)
    for server in whole.of(SERVER):
        doubt = doubt or untold_list(server, "block_device")
        for row in rows(server, "block_device"):
            if row.get("source_type") == "volume" and isinstance(volume := row.get("uuid"), str):
                found[volume].append(server.id)
            elif row.get("source_type") == "volume":
                doubt = doubt or why(row.get("uuid"), "block_device.uuid")
    return _Named(found, doubt)


def _told_attachment(value: object) -> Value:
    row = record(value)
    return {"server": identifier(row.get("instance_id")), "device": _device(row)}


def _attachment(row: Row) -> Value:
    server = {"server": identifier(row.get("server"))}
    # NOTE: Nova names the device.
    return {**server, "device": _device(row)} if isinstance(row.get("device"), str) else server


def _device(row: Row) -> str | None:
    device = row.get("device")
    return text(device) if device else None


def volume_type(item: Told) -> None:
    # API reference of Cinder: a type is public unless it is said to be private.
    item.take("is_public", "is_public", flag, absent=True)
    item.take(
        "backend",
        "extra_specs",
        lambda v: text_or_null(record(v).get("volume_backend_name", "")),
        absent=None,
    )
    item.take(
        "replication_enabled", "extra_specs",
        lambda v: "true" in str(record(v).get("replication_enabled", "")).lower(), absent=False,
    )  # fmt: skip
    _encryption(item)


def _encryption(item: Told) -> None:
    """How volumes of a type are encrypted. Terraform has no block for it, so that others may set it."""
    made = item.whole.referring(ENCRYPTION, "volume_type_id", item.id)
    words = {"provider": text, "cipher": text_or_null, "key_size": integer, "control_location": text}
    if len(made.blocks) == 1:
        inner = Told(made.blocks[0].block, item.whole)
        for name, read in words.items():
            inner.take(f"encryption.{name}", name, read, absent=None)
        item.facts |= inner.facts
        item.unseen |= inner.unseen
    elif item.whole.code.kind != "heat template":
        item.untellable("encryption")
    elif made.doubt is not None:
        item.unseen["encryption"] = made.doubt
    elif made.blocks:
        item.after("encryption")
    else:
        item.facts |= dict.fromkeys(f"encryption.{name}" for name in words)


# --- servers --------------------------------------------------------------------------------------------


def server(item: Told) -> None:
    item.take("zone", "availability_zone", text_or_null)
    item.take("key_name", "key_pair", text_or_null, absent=None)
    # NOTE: a platform or an image may force one, so that none is not what a left out one comes to.
    item.take("config_drive", "config_drive", flag)
    item.labels("metadata", item.whole.labels)
    item.after("status", "host_id", "created_at", "addresses")
    item.untellable("locked", "trusted_image_certificates")
    look = Look()
    item.user_data(look, "user_data")
    item.look_for_secrets(look, metadata=["metadata"], tags=["tags"])
    _flavor(item)
    _image(item)
    _boot_volumes(item)
    _group_names(item)


def _flavor(item: Told) -> None:
    """The flavor by its name, with its sizes where the code makes it."""
    sizes = {"vcpus": ("vcpus", integer), "ram_mb": ("ram", integer), "disk_gb": ("disk", integer)}
    name, id_ = item.value("flavor_name"), item.value("flavor_id")
    known = item.whole.at_id(id_, FLAVOR) or by_name(item, FLAVOR, name)
    if known is None:
        item.take("flavor", "flavor_name")
        item.unseen |= dict.fromkeys(
            (*sizes, "flavor_spec_names"), Unseen(Reason.NOT_DESCRIBED, "the code does not make its flavor")
        )
        return
    inner = Told(known.block, item.whole)
    inner.take("flavor", "name")
    for fact, (field, read) in sizes.items():
        inner.take(fact, field, read)
    inner.take("flavor_spec_names", "extra_specs", lambda v: tuple(sorted(map(text, record(v)))), absent=())
    item.facts |= inner.facts
    item.unseen |= inner.unseen


def _image(item: Told) -> None:
    """Its image; null for a server that boots from a volume."""
    devices = rows(item, "block_device")
    unclear = untold_list(item, "block_device")
    if unclear is not None:
        item.unseen["image"] = unclear
        return
    if any(str(row.get("boot_index")) == "0" and row.get("destination_type") == "volume" for row in devices):
        item.facts["image"] = None
        return
    named = by_name(item, IMAGE, item.value("image_name")) if item.left_out("image_id") else None
    if named is not None:
        item.facts["image"] = named.id
    else:
        item.take("image", "image_id", id_or_null)


def _boot_volumes(item: Told) -> None:
    """Volumes it will have. Those Nova makes for it have no id yet."""
    found = item.whole.referring(ATTACH, "instance_id", item.id)
    own = [row for row in rows(item, "block_device") if row.get("destination_type") == "volume"]
    given = [row.get("uuid") if row.get("source_type") == "volume" else LATER for row in own]
    doubt = found.doubt or untold_list(item, "block_device") or (None if item.block.new else item.silent)
    combined(
        item, "boot_volumes", [*given, *(one.row.get("volume_id") for one in found.blocks)], identifier, doubt
    )


def _group_names(item: Told) -> None:
    """Names of its security groups: those it names, unless its ports bring their own."""
    networks, unclear = networks_of(item), untold_list(item, "network")
    if unclear is not None:
        item.unseen["security_groups"] = unclear
        return
    if networks and not all(is_made_by_nova(item, number, row) for number, row in networks):
        item.unseen["security_groups"] = Unseen(Reason.AFTER_DEPLOYMENT, "its ports decide it")
        return
    # API reference of Nova: a server that names none is in the group "default".
    item.take(
        "security_groups",
        "security_groups",
        lambda value: tuple(sorted(set(many(text)(value)))),
        absent=("default",),
    )


def server_group(item: Told) -> None:
    item.take("policy", "policies", lambda value: ",".join(many(text)(value)))
    named = item.whole.once(_hinted)
    doubt = named.doubt or (None if item.block.new else item.silent)
    combined(item, "members", list(named.of.get(item.id, ())), identifier, doubt)


def _hinted(whole: Whole) -> _Named:
    """Servers by the group they are to be in."""
    found: dict[str, list[str]] = defaultdict(list)
    doubt = whole.perhaps(SERVER)
    for server in whole.of(SERVER):
        doubt = doubt or untold_list(server, "scheduler_hints")
        for row in rows(server, "scheduler_hints"):
            if isinstance(group := row.get("group"), str):
                found[group].append(server.id)
            elif untold(group) is not None:
                doubt = doubt or why(group, "scheduler_hints.group")
    return _Named(found, doubt)


def keypair(item: Told) -> None:
    item.take("user", "user_id", identifier)
    item.take("fingerprint", "fingerprint")
    # API reference of Nova: the type is ssh unless x509 is asked for, which the provider cannot.
    item.facts["type"] = "ssh"
    item.after("created_at")


def flavor(item: Told) -> None:
    item.take("vcpus", "vcpus", integer)
    item.take("ram_mb", "ram", integer)
    item.take("disk_gb", "disk", integer)
    item.take("ephemeral_gb", "ephemeral", integer, absent=0)
    item.take("swap_mb", "swap", integer, absent=0)
    item.take("is_public", "is_public", flag)
    item.take(
        "extra_specs",
        "extra_specs",
        lambda v: {text(k): text(record(v)[k]) for k in sorted(record(v))},
        absent={},
    )
    item.untellable("disabled")


MEANINGS: Final[Mapping[str, Meaning]] = {
    **dict.fromkeys(VOLUMES, Meaning("openstack.volume", volume)),
    TYPE: Meaning("openstack.volume_type", volume_type, level=Level.REGION),
    SERVER: Meaning("openstack.server", server, more=ports_of_server, makes=made_for_server),
    P + "compute_servergroup_v2": Meaning("openstack.server_group", server_group),
    P + "compute_keypair_v2": Meaning("openstack.keypair", keypair, level=Level.REGION),
    FLAVOR: Meaning("openstack.flavor", flavor, level=Level.REGION),
}
