"""What Terraform's blocks for OpenStack mean: one function for each type of resource.

Attributes are those of terraform-provider-openstack. What an attribute left out comes to is taken from the
reference of the service's API, and named beside it where it is not the obvious nothing.

Nova makes a port for each network of a server that names no port, and that port is a resource here too
(`ADDRESS/network/0`): who can reach the server stands on it. Its security groups are those the server names,
as far as they are in the code: of any other name it is not known which group it means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cloudaudit.collectors.deployment.block import LATER, Link, Untold, untold
from cloudaudit.collectors.deployment.whole import Level, Meaning, Told, combined, rows, why
from cloudaudit.collectors.item import (
    Item,
    Odd,
    Row,
    address,
    each,
    empty_as_null,
    flag,
    identifier,
    integer,
    items,
    many,
    moment,
    one_of,
    record,
    text,
)
from cloudaudit.collectors.leaks import Look
from cloudaudit.collectors.values import (
    NAME_SERVERS,
    TIME_SERVERS,
    VISIBILITIES,
    access_rule,
    ciphers,
    dhcp_options,
    l7_policy,
    ports,
    present,
    properties,
    property_names,
    protocol,
    without_user,
)
from cloudaudit.model import Partial, Reason, Resource, Unseen, Value

P: Final = "openstack_"
VOLUMES: Final = (P + "blockstorage_volume_v3", P + "blockstorage_volume_v2")
TYPE: Final = P + "blockstorage_volume_type_v3"
ENCRYPTION: Final = "heat_volume_type_encryption"
ATTACH: Final = P + "compute_volume_attach_v2"
SERVER: Final = P + "compute_instance_v2"
INTERFACE: Final = P + "compute_interface_attach_v2"
FLAVOR: Final = P + "compute_flavor_v2"
IMAGE: Final = P + "images_image_v2"
NETWORK: Final = P + "networking_network_v2"
SUBNET: Final = P + "networking_subnet_v2"
PORT: Final = P + "networking_port_v2"
ROUTER_INTERFACE: Final = P + "networking_router_interface_v2"
GROUPS: Final = (P + "networking_secgroup_v2", P + "compute_secgroup_v2")
TRUNK: Final = P + "networking_trunk_v2"
LISTENER: Final = P + "lb_listener_v2"
POOL: Final = P + "lb_pool_v2"
ROLE: Final = P + "identity_role_v3"
NO_PLACE: Final = Unseen(Reason.AFTER_DEPLOYMENT, "only the service tells it")


def text_or_null(value: object) -> Value:
    return empty_as_null(text)(value)


def id_or_null(value: object) -> Value:
    return empty_as_null(identifier)(value)


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
        item.unseen |= dict.fromkeys(("bootable", "image"), NO_PLACE)


def _attachments(item: Told) -> None:
    if not item.block.new and untold(told := item.value("attachment")) is None and isinstance(told, list):
        combined(item, "attachments", told, _told_attachment)
        return
    found = item.whole.referring(ATTACH, "volume_id", item.id)
    given: list[Any] = [
        {"server": one.row.get("instance_id"), "device": one.row.get("device")} for one in found.blocks
    ]
    given += [
        {"server": server.id}
        for server in item.whole.of(SERVER)
        for row in rows(server, "block_device")
        if row.get("uuid") == item.id and row.get("source_type") == "volume"
    ]
    doubt = found.doubt or (None if item.block.new else NO_PLACE)
    combined(item, "attachments", given, _attachment, doubt, loose=True)


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
    elif made.blocks or made.doubt is not None:
        item.unseen["encryption"] = made.doubt or NO_PLACE
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
    known = item.whole.at_id(id_, FLAVOR) or _by_name(item, FLAVOR, name)
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


def _by_name(item: Told, type_: str, name: object) -> Told | None:
    found = [one for one in item.whole.of(type_) if isinstance(name, str) and one.row.get("name") == name]
    return found[0] if len(found) == 1 else None


def _image(item: Told) -> None:
    """Its image; null for a server that boots from a volume."""
    if any(
        str(row.get("boot_index")) == "0" and row.get("destination_type") == "volume"
        for row in rows(item, "block_device")
    ):
        item.facts["image"] = None
        return
    named = _by_name(item, IMAGE, item.value("image_name")) if item.left_out("image_id") else None
    if named is not None:
        item.facts["image"] = named.id
    else:
        item.take("image", "image_id", id_or_null)


def _boot_volumes(item: Told) -> None:
    """Volumes it will have. Those Nova makes for it have no id yet."""
    found = item.whole.referring(ATTACH, "instance_id", item.id)
    own = [row for row in rows(item, "block_device") if row.get("destination_type") == "volume"]
    given = [row.get("uuid") if row.get("source_type") == "volume" else LATER for row in own]
    doubt = found.doubt or (None if item.block.new else NO_PLACE)
    combined(
        item, "boot_volumes", [*given, *(one.row.get("volume_id") for one in found.blocks)], identifier, doubt
    )


def _networks(item: Told) -> list[tuple[int, dict[str, Any]]]:
    return list(enumerate(rows(item, "network")))


def _is_made_by_nova(item: Told, number: int, row: Row) -> bool:
    """Whether Nova makes the port of a network. A network is named by port, id or name: one is enough."""
    port = row.get("port")
    left = {"network", f"network.{number}.port", f"network[{number}].port"} & item.block.left_out
    if isinstance(port, str) and port:
        return f"{item.id}/network/{number}" == port
    named = any(isinstance(row.get(name), str) and row.get(name) for name in ("uuid", "name"))
    return not port or bool(left) or named


def _group_names(item: Told) -> None:
    """Names of its security groups: those it names, unless its ports bring their own."""
    networks = _networks(item)
    if networks and not all(_is_made_by_nova(item, number, row) for number, row in networks):
        item.unseen["security_groups"] = Unseen(Reason.AFTER_DEPLOYMENT, "its ports decide it")
        return
    # API reference of Nova: a server that names none is in the group "default".
    item.take(
        "security_groups",
        "security_groups",
        lambda value: tuple(sorted(set(many(text)(value)))),
        absent=("default",),
    )


def ports_of_server(item: Told) -> Iterator[Resource]:
    """The ports that Nova makes for a server."""
    for number, row in _networks(item):
        if _is_made_by_nova(item, number, row):
            port = _part(item, f"network/{number}", row)
            port.take("addresses", "fixed_ip_v4", lambda value: (address(value),))
            if not port.row.get("fixed_ip_v4"):
                port.unseen["addresses"] = NO_PLACE
            yield _port_of_nova(port, item, row.get("uuid"))


def port_of_interface(item: Told) -> Iterator[Resource]:
    """The port that Nova makes where an interface is added by its network."""
    owner = item.whole.at_id(item.row.get("instance_id"), SERVER)
    if item.value("network_id") is not None and item.left_out("port_id") and owner is not None:
        port = _part(item, "port", item.row)
        port.take("addresses", "fixed_ip", lambda value: (address(value),))
        yield _port_of_nova(port, owner, item.row.get("network_id"))


def _part(item: Told, name: str, row: Row) -> Told:
    part = Told(item.block, item.whole)
    part.row = {**{k: v for k, v in row.items() if k != "name"}, "region": item.row.get("region")}
    part.own_id = f"{item.id}/{name}"
    return part


def _port_of_nova(port: Told, owner: Told, network: Any) -> Resource:
    port.row = {**port.row, "network_id": network}
    port.take("network", "network_id", identifier)
    port.facts |= {"device_id": owner.id, "device_owner": _owner(owner)}
    port.facts |= {"allowed_address_pairs": (), "dhcp.name_servers": (), "dhcp.time_servers": ()}
    port.after("status")
    _security(port, network)
    if port.facts.get("port_security") is False and owner.left_out("security_groups"):
        port.facts["security_groups"] = ()
    else:
        _groups_by_name(port, owner)
    return port.resource(MEANINGS[PORT])


def _owner(server: Told) -> str:
    zone = server.value("availability_zone")
    return f"compute:{zone}" if isinstance(zone, str) else "compute:"


def _groups_by_name(port: Told, owner: Told) -> None:
    """Security groups by the names a server gives, where the code has just one of that name."""
    names = owner.value("security_groups")
    names = ["default"] if names is None and owner.block.new else names
    if (untold(names) is not None and not isinstance(names, list)) or names is None:
        port.unseen["security_groups"] = owner.missing("security_groups")
        return
    groups = list(owner.whole.of(*GROUPS))
    known: dict[Any, list[str]] = {}
    for group in groups:
        for key in {group.id, group.row.get("name") if isinstance(group.row.get("name"), str) else group.id}:
            known.setdefault(key, []).append(group.id)
    try:
        found = [known.get(text(name), []) if untold(name) is None else [] for name in names]
    except (Odd, TypeError):
        port.unseen["security_groups"] = Unseen(
            Reason.INVALID_ANSWER, "'security_groups' holds no list of names"
        )
        return
    ids = tuple(dict.fromkeys(one[0] for one in found if len(one) == 1))
    if all(len(one) == 1 for one in found):
        port.facts["security_groups"] = ids
    else:
        port.facts["security_groups"] = Partial(ids)
        detail = "a security group of the server is not one of the code, or there are several of that name"
        port.unseen["security_groups"] = Unseen(Reason.NOT_DESCRIBED, detail)


def _made_for_server(whole: Any, block: Any, path: tuple[str, ...]) -> Any:
    """A port that Nova makes, where something refers to it through the server."""
    if len(path) == 3 and path[0] == "network" and path[2] == "port":
        return f"{whole.id_of(block)}/network/{path[1]}"
    return None


def server_group(item: Told) -> None:
    item.take("policy", "policies", lambda value: ",".join(many(text)(value)))
    found: list[Any] = []
    doubt: Unseen | None = None if item.block.new else NO_PLACE
    for one in item.whole.of(SERVER):
        hints = one.value("scheduler_hints")
        for group in [row.get("group") for row in rows(one, "scheduler_hints")] + [hints] * isinstance(
            hints, Untold
        ):
            if group == item.id:
                found.append(one.id)
            elif untold(group) is not None:
                doubt = doubt or why(group, "scheduler_hints.group")
    combined(item, "members", found, identifier, doubt)


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


# --- networks -------------------------------------------------------------------------------------------


def network(item: Told) -> None:
    # API reference of Neutron: not shared, not external, and switched on.
    item.take("shared", "shared", flag, absent=False)
    item.take("external", "external", flag, absent=False)
    item.take("admin_state_up", "admin_state_up", flag, absent=True)
    # NOTE: the operator sets what a left out one comes to, and whether there is such a thing.
    item.take("port_security", "port_security_enabled", flag)
    item.after("zones")
    item.tags("tags", item.whole.labels)


def subnet(item: Told) -> None:
    item.take("network", "network_id", identifier)
    item.take("cidr", "cidr", address)
    item.take("dns_nameservers", "dns_nameservers", many(address), absent=())
    # API reference of Neutron: DHCP is on. The provider asks for IPv4 where it is not told.
    item.take("dhcp", "enable_dhcp", flag, absent=True)
    item.take("ip_version", "ip_version", integer, absent=4)


def port(item: Told) -> None:
    item.take("network", "network_id", identifier)
    item.take(
        "allowed_address_pairs",
        "allowed_address_pairs",
        each(lambda row: {"address": address(row.get("ip_address"))}),
        absent=(),
    )
    for fact, wanted in (("dhcp.name_servers", NAME_SERVERS), ("dhcp.time_servers", TIME_SERVERS)):
        item.take(fact, "extra_dhcp_option", _dhcp(wanted), absent=())
    item.after("status")
    _device_of_port(item)
    _security(item, item.row.get("network_id"))
    _groups_of_port(item)
    _addresses(item)


def _dhcp(wanted: frozenset[str]) -> Callable[[object], Value]:
    read = dhcp_options(wanted)
    return lambda value: read(
        [
            {"opt_name": row.get("name"), "opt_value": row.get("value"), "ip_version": row.get("ip_version")}
            for row in items(value)
        ]
    )


def _device_of_port(item: Told) -> None:
    """What uses a port: what the code says of the port, else what refers to it."""
    if not item.left_out("device_owner") or not item.left_out("device_id"):
        item.take("device_owner", "device_owner")
        item.take("device_id", "device_id")
        return
    whole = item.whole
    users = [
        (one.id, _owner(one))
        for one in whole.of(SERVER)
        for _, row in _networks(one)
        if row.get("port") == item.id
    ]
    tied = [
        whole.at_id(one.row.get("instance_id"), SERVER)
        for one in whole.referring(INTERFACE, "port_id", item.id).blocks
    ]
    users += [(one.id, _owner(one)) for one in tied if one is not None]
    # NOTE: of a router that is distributed or highly available the word goes on after this one.
    users += [
        (router, "network:router_interface")
        for one in whole.referring(ROUTER_INTERFACE, "port_id", item.id).blocks
        if isinstance(router := one.row.get("router_id"), str)
    ]
    users += [
        (trunk.id, "trunk:subport")
        for trunk in whole.of(TRUNK)
        for row in rows(trunk, "sub_port")
        if row.get("port_id") == item.id
    ]
    if len(set(users)) == 1:
        item.facts |= {"device_id": users[0][0], "device_owner": users[0][1]}
    elif not users and item.block.new and not _others_may_use(item):
        item.facts |= {"device_id": "", "device_owner": ""}
    else:
        item.take("device_owner", "device_owner")
        item.take("device_id", "device_id")


def _others_may_use(item: Told) -> bool:
    """Whether something in the code uses a port of which it is not told which."""
    ties = ((INTERFACE, "port_id"), (ROUTER_INTERFACE, "port_id"))
    if any(item.whole.referring(type_, name, "").doubt for type_, name in ties):
        return True
    unclear = (
        untold(row.get("port")) is not None and not _is_made_by_nova(one, number, row)
        for one in item.whole.of(SERVER)
        for number, row in _networks(one)
    )
    carried = (
        untold(row.get("port_id")) is not None
        for one in item.whole.of(TRUNK)
        for row in rows(one, "sub_port")
    )
    return any(unclear) or any(carried)


def _security(item: Told, network: Any) -> None:
    """Port security: its own, else what its network gives to its ports."""
    item.take("port_security", "port_security_enabled", flag)
    if "port_security" in item.facts or not item.left_out("port_security_enabled"):
        return
    found = item.whole.at_id(network, NETWORK)
    if (
        item.block.new
        and found is not None
        and isinstance(given := found.value("port_security_enabled"), bool)
    ):
        item.facts["port_security"] = given
        del item.unseen["port_security"]


def _groups_of_port(item: Told) -> None:
    added = item.whole.referring(P + "networking_port_secgroup_associate_v2", "port_id", item.id)
    more = [one.row.get("security_group_ids") for one in added.blocks]
    given = item.value("security_group_ids")
    if given is None and not item.block.new:
        given = item.value("all_security_group_ids")
    if item.value("no_security_groups") is True or (
        given in (None, []) and item.value("port_security_enabled") is False
    ):
        given = []
    elif given in (None, []) and not more:
        detail = "the port is in the default group of its project, which is not in the code"
        item.unseen["security_groups"] = Unseen(Reason.AFTER_DEPLOYMENT, detail)
        return
    added_ids = [one for ids in more for one in (ids if isinstance(ids, list) else [ids])]
    values = [*(given or []), *added_ids] if isinstance(given, list | None) else given
    # What is added may take the place of what the port names.
    combined(item, "security_groups", values, identifier, NO_PLACE if more or added.doubt else None)


def _addresses(item: Told) -> None:
    if item.value("no_fixed_ip") is True:
        item.facts["addresses"] = ()
    elif not item.block.new and isinstance(told := item.value("all_fixed_ips"), list):
        combined(item, "addresses", told, address)
    else:
        given = [row.get("ip_address") or LATER for row in rows(item, "fixed_ip")]
        combined(item, "addresses", given or [LATER], address)


def router(item: Told) -> None:
    if "ha" in item.row:
        item.take("ha", "ha", flag)
    else:
        item.untellable("ha")
    item.take("distributed", "distributed", flag)
    item.take("external_network", "external_network_id", id_or_null, absent=None)
    if item.facts.get("external_network", 0) is None:
        item.facts["external_addresses"] = ()
    else:
        given = [row.get("ip_address") or LATER for row in rows(item, "external_fixed_ip")]
        combined(item, "external_addresses", given or [LATER], address)
    found = item.whole.referring(P + "networking_router_route_v2", "router_id", item.id)
    routes = [
        {"destination": one.row.get("destination_cidr"), "nexthop": one.row.get("next_hop")}
        for one in found.blocks
    ]
    combined(item, "routes", routes, _route, found.doubt or (None if item.block.new else NO_PLACE))
    item.after("zones")
    item.tags("tags", item.whole.labels)


def _route(row: Row) -> Value:
    return {"destination": address(row.get("destination")), "nexthop": text(row.get("nexthop"))}


def floating_ip(item: Told) -> None:
    item.take("address", "address", address)
    item.after("status")
    pool = item.whole.at_id(item.value("pool"), NETWORK) or _by_name(item, NETWORK, item.value("pool"))
    item.facts |= {"external_network": pool.id} if pool else {}
    if pool is None:
        item.unseen["external_network"] = Unseen(
            Reason.AFTER_DEPLOYMENT, "the code names the network, and its id is not told"
        )
    _leads_to(item)
    forwards = item.whole.referring(P + "networking_portforwarding_v2", "floatingip_id", item.id)
    combined(
        item,
        "port_forwardings",
        [one.row for one in forwards.blocks],
        _forwarding,
        forwards.doubt or (None if item.block.new else NO_PLACE),
    )


def _leads_to(item: Told) -> None:
    """The port and the address inside: its own word, or of what ties it to a port or server."""
    keys = [
        key
        for key in (Link(item.block.address, "address"), item.value("address"))
        if isinstance(key, str | Link)
    ]
    tied = [
        (one, kind)
        for kind in ("networking_floatingip_associate_v2", "compute_floatingip_associate_v2")
        for key in keys
        for one in item.whole.referring(P + kind, "floating_ip", key).blocks
    ]
    doubts = [
        item.whole.referring(P + kind, "floating_ip", "").doubt
        for kind in ("networking_floatingip_associate_v2", "compute_floatingip_associate_v2")
    ]
    doubt = next(filter(None, doubts), None)
    if not item.left_out("port_id"):
        item.take("port_id", "port_id", id_or_null)
        item.take("fixed_address", "fixed_ip", _address_or_null)
    elif len(tied) == 1 and tied[0][1].startswith("networking"):
        item.row = {
            **item.row,
            "port_id": tied[0][0].row.get("port_id"),
            "fixed_ip": tied[0][0].value("fixed_ip"),
        }
        item.take("port_id", "port_id", identifier)
        item.take("fixed_address", "fixed_ip", _address_or_null)
    elif len(tied) == 1:
        item.row = {**item.row, "port_id": _first_port(tied[0][0]), "fixed_ip": tied[0][0].value("fixed_ip")}
        item.take("port_id", "port_id", identifier)
        item.take("fixed_address", "fixed_ip", _address_or_null)
    elif not tied and doubt is None and item.block.new:
        item.facts |= {"port_id": None, "fixed_address": None, "router": None}
    else:
        item.unseen |= dict.fromkeys(("port_id", "fixed_address"), doubt or NO_PLACE)
    if "router" not in item.facts:
        item.after("router")


def _address_or_null(value: object) -> Value:
    return empty_as_null(address)(value)


def _first_port(tie: Told) -> Any:
    """The port Nova ties an address to where it is given a server: the first one it has."""
    owner = tie.whole.at_id(tie.row.get("instance_id"), SERVER)
    networks = _networks(owner) if owner is not None else []
    if owner is None or len(networks) != 1:
        return LATER
    number, row = networks[0]
    return f"{owner.id}/network/{number}" if _is_made_by_nova(owner, number, row) else row.get("port")


def _forwarding(row: Row) -> Value:
    inner = row.get("internal_port")
    return {
        "address": address(row.get("internal_ip_address")),
        "port": None if inner is None else integer(inner),
        "protocol": text(row.get("protocol")),
    }


def security_group(item: Told) -> None:
    item.take("stateful", "stateful", flag)


def default_rules(item: Told) -> Iterator[Resource]:
    """The rules of a new group that let everything out, which Neutron makes unless told to take them away.

    NOTE: since 2023.2 operators may have Neutron make others; those of its reference are taken.
    """
    if not item.block.new or item.value("delete_default_rules") not in (None, False):
        return
    for family in ("IPv4", "IPv6"):
        rule = _part(item, f"egress/{family}", {})
        rule.facts = {"security_group": item.id, "direction": "egress", "ethertype": family}
        rule.facts |= dict.fromkeys(
            ("protocol", "ports", "remote_prefix", "remote_group", "remote_address_group")
        )
        yield rule.resource(MEANINGS[RULE])


def rules_of_nova(item: Told) -> Iterator[Resource]:
    """Rules inside a group of the old kind, and those that let everything out."""
    yield from default_rules(item)
    for number, row in enumerate(rows(item, "rule")):
        one = _part(item, f"rule/{number}", row)
        prefix = row.get("cidr")
        one.row = {
            **one.row,
            "security_group_id": item.id,
            "direction": "ingress",
            "ethertype": "IPv6" if ":" in str(prefix) else "IPv4",
            "protocol": row.get("ip_protocol"),
            "port_range_min": row.get("from_port"),
            "port_range_max": row.get("to_port"),
            "remote_ip_prefix": prefix,
            "remote_group_id": item.id if row.get("self") is True else row.get("from_group_id"),
        }
        rule(one)
        yield one.resource(MEANINGS[RULE])


RULE: Final = P + "networking_secgroup_rule_v2"


def rule(item: Told) -> None:
    item.take("security_group", "security_group_id", identifier)
    item.take("direction", "direction")
    item.take("ethertype", "ethertype")
    # API reference of Neutron: what a rule leaves out is every protocol, every port and every address.
    item.take("protocol", "protocol", empty_as_null(protocol), absent=None)
    item.take("remote_prefix", "remote_ip_prefix", _address_or_null, absent=None)
    item.take("remote_group", "remote_group_id", id_or_null, absent=None)
    if "remote_address_group_id" in item.row:
        item.take("remote_address_group", "remote_address_group_id", id_or_null, absent=None)
    else:
        # A provider that has no word for it makes no such rule.
        item.facts["remote_address_group"] = None
    _ports(item)


def _ports(item: Told) -> None:
    """The range. NOTE: 0 stands for none in states, and is no port of Neutron's."""
    fields = ("protocol", "port_range_min", "port_range_max")
    for name in fields:
        if untold(item.row.get(name)) is not None and not item.left_out(name):
            item.unseen["ports"] = why(item.row[name], name)
            return
    of, low, high = (item.value(name) for name in fields)
    try:
        item.facts["ports"] = ports(of or None, low or None, high or None)
    except Odd as error:
        item.miss("ports", Reason.INVALID_ANSWER, f"the range of ports holds {error}")
    line = next((item.lines[name] for name in fields[1:] if item.lines.get(name)), None)
    if line:
        item.written["ports"] = line


def rbac_policy(item: Told) -> None:
    for name in ("object_type", "object_id", "action", "target_tenant"):
        item.take(name, name)


def address_group(item: Told) -> None:
    item.take("addresses", "addresses", many(address), absent=())
    item.take("shared", "shared", flag, absent=False)


def trunk(item: Told) -> None:
    item.take("port", "port_id", identifier)
    item.take("admin_state_up", "admin_state_up", flag, absent=True)
    item.take("sub_ports", "sub_port", each(_sub_port), absent=())
    item.after("status")


def _sub_port(row: Row) -> Value:
    return {
        "port": identifier(row.get("port_id")),
        "segmentation_type": text(row.get("segmentation_type")),
        "segmentation_id": integer(row.get("segmentation_id")),
    }


def qos_policy(item: Told) -> None:
    item.take("shared", "shared", flag, absent=False)
    item.take("is_default", "is_default", flag, absent=False)
    kinds = ("bandwidth_limit", "dscp_marking", "minimum_bandwidth")
    found = {
        kind: item.whole.referring(f"{P}networking_qos_{kind}_rule_v2", "qos_policy_id", item.id)
        for kind in kinds
    }
    doubt = next((one.doubt for one in found.values() if one.doubt), None if item.block.new else NO_PLACE)
    combined(item, "rule_kinds", [kind for kind, one in found.items() if one.blocks], text, doubt)


def bgpvpn(item: Told) -> None:
    # API reference of networking-bgpvpn.
    item.take("type", "type", absent="l3")
    for name in ("route_targets", "import_targets", "export_targets"):
        item.take(name, name, many(text), absent=())
    for kind in ("network", "router"):
        found = item.whole.referring(f"{P}bgpvpn_{kind}_associate_v2", "bgpvpn_id", item.id)
        doubt = found.doubt or (None if item.block.new else NO_PLACE)
        combined(item, f"{kind}s", [one.row.get(f"{kind}_id") for one in found.blocks], identifier, doubt)


def vpn_connection(item: Told) -> None:
    item.take("peer_address", "peer_address")
    item.after("status")
    group = item.whole.at_id(item.value("peer_ep_group_id"), P + "vpnaas_endpoint_group_v2")
    if group is not None:
        item.row = {**item.row, "peer_cidrs": group.row.get("endpoints")}
        item.take("peer_cidrs", "peer_cidrs", many(address))
    elif item.value("peer_ep_group_id") is not None:
        item.unseen["peer_cidrs"] = Unseen(
            Reason.NOT_DESCRIBED, "the code does not make its group of endpoints"
        )
    else:
        item.take("peer_cidrs", "peer_cidrs", many(address), absent=())
    _policy(item, "ike", P + "vpnaas_ike_policy_v2", item.row.get("ikepolicy_id"))
    _policy(item, "ipsec", P + "vpnaas_ipsec_policy_v2", item.row.get("ipsecpolicy_id"))


def _policy(item: Told, group: str, type_: str, id_: Any) -> None:
    """Facts of the policy a connection uses. What is left out is in the API reference of VPNaaS."""
    found = item.whole.at_id(id_, type_)
    if found is None:
        item.unseen[group] = Unseen(Reason.NOT_DESCRIBED, f"the code does not make its {group} policy")
        return
    inner = Told(found.block, item.whole)
    if group == "ike":
        inner.take("ike.version", "ike_version", absent="v1")
    else:
        inner.take("ipsec.transform", "transform_protocol", absent="esp")
    inner.take(f"{group}.encryption", "encryption_algorithm", absent="aes-128")
    inner.take(f"{group}.auth", "auth_algorithm", absent="sha1")
    inner.take(f"{group}.pfs", "pfs", absent="group5")
    item.facts |= inner.facts
    item.unseen |= inner.unseen


def dns_zone(item: Told) -> None:
    item.take("type", "type", absent="PRIMARY")
    item.take("ttl", "ttl", integer)
    item.after("status", "serial")
    shared = [
        item.whole.referring(P + kind, "zone_id", item.id)
        for kind in ("dns_zone_share_v2", "dns_shared_zone_v2")
    ]
    if any(one.blocks for one in shared):
        item.facts["shared"] = True
    elif item.block.new and not any(one.doubt for one in shared):
        item.facts["shared"] = False
    else:
        item.unseen["shared"] = next((one.doubt for one in shared if one.doubt), NO_PLACE)


# --- images ---------------------------------------------------------------------------------------------


def image(item: Told) -> None:
    if item.block.new:
        # The provider ends with an error unless the image has become active.
        item.facts["status"] = "active"
    else:
        item.take("status", "status")
    item.take("visibility", "visibility", one_of(*VISIBILITIES))
    item.take("owner", "owner", id_or_null)
    item.take("disk_format", "disk_format")
    item.take("container_format", "container_format")
    # API reference of Glance: not protected, not hidden, and no least size.
    item.take("protected", "protected", flag, absent=False)
    item.take("hidden", "hidden", flag, absent=False)
    item.take("min_disk", "min_disk_gb", integer, absent=0)
    item.take("min_ram", "min_ram_mb", integer, absent=0)
    item.take("size_bytes", "size_bytes", integer)
    item.after("hash_algo", "hash_value", "stores", "created_at", "updated_at")
    item.untellable("external_urls", "locations_shown")
    _properties(item)


def _properties(item: Told) -> None:
    """What somebody sets on an image. What Glance itself or an import adds is not known before."""
    given = item.value("properties")
    facts = (
        "os_distro",
        "os_version",
        "architecture",
        "snapshot_of",
        "property_names",
        "properties",
        "build_date",
    )
    look = Look()
    item.look_for_secrets(look, metadata=["properties"], tags=["tags"])
    if (untold(given) is not None and not isinstance(given, dict)) or (given is None and not item.block.new):
        item.unseen |= dict.fromkeys((*facts, "labels", "label_names"), item.missing("properties"))
        return
    if not isinstance(given, dict | None):
        item.unseen |= dict.fromkeys(
            (*facts, "labels", "label_names"), Unseen(Reason.INVALID_ANSWER, "'properties' holds no object")
        )
        return
    told = {name: value for name, value in (given or {}).items() if untold(value) is None}
    inner = Item(told)
    for name in ("os_distro", "os_version", "architecture"):
        inner.take(name, name, text_or_null, null=True, absent=None)
    inner.take("build_date", "image_build_date", empty_as_null(moment), null=True, absent=None)
    inner.facts["snapshot_of"] = None
    inner.facts["property_names"] = property_names(given or {})
    try:
        inner.facts["properties"] = properties(told)
    except Odd as error:
        inner.miss("properties", Reason.INVALID_ANSWER, str(error))
    for name, value in (given or {}).items():
        if untold(value) is not None:
            late = why(value, f"properties.{name}")
            fact = "build_date" if name == "image_build_date" else name
            for one in ("properties", fact) if fact in facts else ("properties",):
                inner.facts.pop(one, None)
                inner.unseen[one] = late
    if item.value("web_download") not in (None, False):
        inner.facts["property_names"] = Partial(property_names(given or {}))
        inner.unseen["property_names"] = Unseen(Reason.AFTER_DEPLOYMENT, "an import may add properties")
    item.facts |= inner.facts
    item.unseen |= inner.unseen
    item.tags("tags", item.whole.labels, list((given or {}).items()))


def image_member(item: Told) -> None:
    item.take("image", "image_id", identifier)
    item.take("member", "member_id", identifier)
    # API reference of Glance: an offer waits until it is taken.
    item.take("status", "status", absent="pending")


def _of_image_and_member(item: Told) -> str | None:
    image, member = item.row.get("image_id"), item.row.get("member_id")
    return f"{image}:{member}" if isinstance(image, str) and isinstance(member, str) else None


# --- object store ---------------------------------------------------------------------------------------


def container(item: Told) -> None:
    item.take("read_acl", "container_read", text_or_null, absent=None)
    item.take("write_acl", "container_write", text_or_null, absent=None)
    item.take("sync_to", "container_sync_to", lambda value: without_user(text(value)), absent=None)
    key = item.value("container_sync_key")
    if (key is None and not item.block.new) or key is LATER:
        item.unseen["sync_key_present"] = item.missing("container_sync_key")
    else:
        # That it is marked as a secret tells that it is there.
        item.facts["sync_key_present"] = key not in (None, "")
    item.take("storage_policy", "storage_policy", text_or_null)
    _kept_versions(item)
    metadata = item.value("metadata")
    _quota(item, metadata)
    if isinstance(metadata, dict):
        by_header = {name.lower().replace("_", "-"): name for name in item.whole.labels}
        item.row = {
            **item.row,
            "metadata": {by_header.get(_header(name), _header(name)): v for name, v in metadata.items()},
        }
    item.labels("metadata", item.whole.labels)
    item.look_for_secrets(Look(), metadata=["metadata"])


def _header(name: str) -> str:
    """A key of metadata as Swift gives it back."""
    return text(name).lower().replace("_", "-")


def _kept_versions(item: Told) -> None:
    """Whether old versions are kept: by a switch, or by a block that names another container."""
    asked = [item.value(name) for name in ("versioning", "versioning_legacy")]
    if any(one is True or (isinstance(one, list) and one) for one in asked):
        item.facts["versioning.state"] = "enabled"
    elif any(untold(one) is not None for one in asked):
        item.unseen["versioning.state"] = item.missing("versioning")
    elif not all(one is None or isinstance(one, list | bool) for one in asked):
        item.miss("versioning.state", Reason.INVALID_ANSWER, "'versioning' holds no boolean")
    elif item.block.new or False in asked:
        item.facts["versioning.state"] = "off"
    else:
        item.unseen["versioning.state"] = item.missing("versioning")
    line = item.lines.get("versioning") or item.lines.get("versioning_legacy")
    if line:
        item.written["versioning.state"] = line


def _quota(item: Told, metadata: Any) -> None:
    given = {_header(name): value for name, value in metadata.items()} if isinstance(metadata, dict) else {}
    value = given.get("quota-bytes")
    if (untold(metadata) is not None and not isinstance(metadata, dict)) or untold(value) is not None:
        item.unseen["quota_bytes"] = why(metadata, "metadata")
    elif value is None and (item.block.new or given):
        item.facts["quota_bytes"] = None
    elif value is None:
        item.unseen["quota_bytes"] = item.missing("metadata")
    elif isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        item.facts["quota_bytes"] = int(value)
    else:
        item.miss("quota_bytes", Reason.INVALID_ANSWER, "quota-bytes is no number")


def _of_account_and_name(item: Told) -> str | None:
    """Swift's name of a container, with the account's before it, as a listing of the account has it."""
    name, project = item.row.get("name"), item.scope(Level.PROJECT).project
    return f"{project}/{name}" if isinstance(name, str) and name and project else None


# --- load balancers -------------------------------------------------------------------------------------


def load_balancer(item: Told) -> None:
    item.take("admin_state_up", "admin_state_up", flag, absent=True)
    item.take("vip_address", "vip_address", address)
    item.take("vip_subnet", "vip_subnet_id", identifier)
    item.take("vip_port", "vip_port_id", identifier)
    item.take("provider", "loadbalancer_provider")
    item.take("flavor", "flavor_id", id_or_null, absent=None)
    item.take("availability_zone", "availability_zone", text_or_null, absent=None)
    item.after("provisioning_status", "operating_status", "amphorae")


def listener(item: Told) -> None:
    item.take("protocol", "protocol")
    item.take("port", "protocol_port", integer)
    item.take("load_balancers", "loadbalancer_id", lambda value: (identifier(value),))
    item.take("admin_state_up", "admin_state_up", flag, absent=True)
    item.take("default_tls_container", "default_tls_container_ref", present, absent=False)
    item.take("sni_count", "sni_container_refs", lambda value: len(many(text)(value)), absent=0)
    # NOTE: the operator sets what versions and ciphers a left out one comes to.
    item.take("tls_versions", "tls_versions", many(text))
    item.take("tls_ciphers", "tls_ciphers", ciphers)
    item.take("alpn_protocols", "alpn_protocols", many(text))
    item.take(
        "insert_headers", "insert_headers", lambda value: tuple(sorted(map(text, record(value)))), absent=()
    )
    item.take("allowed_cidrs", "allowed_cidrs", lambda value: many(address)(value) or None, absent=None)
    _default_pool(item)
    found = item.whole.referring(P + "lb_l7policy_v2", "listener_id", item.id)
    doubt = found.doubt or (None if item.block.new else NO_PLACE)
    names = ("action", "redirect_url", "redirect_prefix")
    policies = [{name: one.value(name) for name in names} for one in found.blocks]
    combined(item, "l7_policies", policies, l7_policy, doubt)


def _default_pool(item: Told) -> None:
    """Its pool: the one it names, or one that names it, which Octavia then makes its default."""
    if not item.left_out("default_pool_id"):
        item.take("default_pool", "default_pool_id", id_or_null)
        return
    found = item.whole.referring(POOL, "listener_id", item.id)
    if len(found.blocks) == 1:
        item.facts["default_pool"] = found.blocks[0].id
    elif not found.blocks and found.doubt is None and item.block.new:
        item.facts["default_pool"] = None
    else:
        item.unseen["default_pool"] = found.doubt or NO_PLACE


def pool(item: Told) -> None:
    item.take("protocol", "protocol")
    item.take("lb_algorithm", "lb_method")
    item.take("session_persistence", "persistence", _persistence, absent=None)
    item.take("admin_state_up", "admin_state_up", flag, absent=True)
    item.take("tls_enabled", "tls_enabled", flag, absent=False)
    item.after("operating_status")
    _balancers(item)
    _members(item)
    _monitor(item)


def _persistence(value: object) -> Value:
    found = items(value)
    return text(found[0].get("type")) if found else None


def _balancers(item: Told) -> None:
    if not item.left_out("loadbalancer_id"):
        item.take("load_balancers", "loadbalancer_id", lambda value: (identifier(value),))
        return
    owner = item.whole.at_id(item.value("listener_id"), LISTENER)
    if owner is not None:
        inner = Told(owner.block, item.whole)
        inner.take("load_balancers", "loadbalancer_id", lambda value: (identifier(value),))
        item.facts |= inner.facts
        item.unseen |= inner.unseen
    else:
        item.unseen["load_balancers"] = item.missing("listener_id")


_OF_MEMBER: Final[Mapping[str, tuple[str, Any]]] = {
    "address": ("address", address), "port": ("protocol_port", integer), "subnet": ("subnet_id", id_or_null),
    "monitor_address": ("monitor_address", _address_or_null), "monitor_port": ("monitor_port", integer),
    "backup": ("backup", flag),
}  # fmt: skip


def _members(item: Told) -> None:
    """Members as far as they are told. How they are doing is not, so that none counts as working."""
    single = item.whole.referring(P + "lb_member_v2", "pool_id", item.id)
    several = item.whole.referring(P + "lb_members_v2", "pool_id", item.id)
    found: list[Any] = [one.row for one in single.blocks]
    found += [row for one in several.blocks for row in rows(one, "member")]
    unclear = any(isinstance(one.value("member"), Untold) for one in several.blocks)
    known = item.block.new and not found and not unclear
    doubt = single.doubt or several.doubt or (None if known else NO_PLACE)
    combined(item, "members", found, _member, doubt, loose=True)


def _member(row: Row) -> Value:
    found: dict[str, Value] = {}
    for name, (field, read) in _OF_MEMBER.items():
        value = row.get(field)
        if untold(value) is None:
            found[name] = (
                None if value is None and name != "backup" else read(False if value is None else value)
            )
    return found


def _monitor(item: Told) -> None:
    names = {"type": text, "delay": integer, "timeout": integer, "max_retries": integer}
    found = item.whole.referring(P + "lb_monitor_v2", "pool_id", item.id)
    if len(found.blocks) == 1:
        inner = Told(found.blocks[0].block, item.whole)
        for name, read in names.items():
            inner.take(f"monitor.{name}", name, read)
        item.facts |= inner.facts
        item.unseen |= {**inner.unseen, "monitor.operating_status": NO_PLACE}
    elif not found.blocks and found.doubt is None and item.block.new:
        item.facts |= dict.fromkeys(f"monitor.{name}" for name in (*names, "operating_status"))
    else:
        item.unseen["monitor"] = found.doubt or NO_PLACE


# --- shares ---------------------------------------------------------------------------------------------


def share(item: Told) -> None:
    item.take("protocol", "share_proto")
    item.take("size_gb", "size", integer)
    item.take("zone", "availability_zone", text_or_null)
    # API reference of Manila: a share is its project's own.
    item.take("is_public", "is_public", flag, absent=False)
    item.labels("metadata", item.whole.labels)
    item.after("status", "created_at")


def share_access(item: Told) -> None:
    item.take("share", "share_id", identifier)
    item.take("access_type", "access_type")
    item.take("access_level", "access_level")
    item.take("access_to", "access_to")
    item.after("state")
    kind = item.facts.get("access_type")
    if kind == "ip":
        item.take("address", "access_to", address)
    elif kind is not None:
        item.facts["address"] = None
    else:
        item.unseen["address"] = item.unseen["access_type"]


# --- identity -------------------------------------------------------------------------------------------


def project(item: Told) -> None:
    item.take("domain", "domain_id", identifier)
    item.take("enabled", "enabled", flag, absent=True)
    item.tags("tags", item.whole.labels)


def user(item: Told) -> None:
    item.take("domain", "domain_id", identifier)
    item.take("enabled", "enabled", flag, absent=True)
    # API reference of Keystone: options of a user are off where they are not given.
    item.take("mfa.enabled", "multi_factor_auth_enabled", flag, absent=False)
    item.take("mfa.rules", "multi_factor_auth_rule", each(_mfa_rule), absent=())
    item.take("ignores_password_expiry", "ignore_password_expiry", flag, absent=False)
    item.take("ignores_lockout", "ignore_lockout_failure_attempts", flag, absent=False)
    item.take("ignores_first_change", "ignore_change_password_upon_first_use", flag, absent=False)
    item.after("password_expires_at")
    if item.block.new:
        # The provider makes users that Keystone itself knows, never those of an identity provider.
        item.facts["federated"] = False
    else:
        item.untellable("federated")


def _mfa_rule(row: Row) -> Value:
    return {"methods": tuple(dict.fromkeys(many(identifier)(row.get("rule"))))}


def role(item: Told) -> None:
    item.take("domain", "domain_id", id_or_null, absent=None)
    if item.block.new:
        item.facts["immutable"] = False
    else:
        item.untellable("immutable")


def group(item: Told) -> None:
    item.take("domain", "domain_id", identifier)


def group_member(item: Told) -> None:
    item.take("group", "group_id", identifier)
    item.take("user", "user_id", identifier)


def _of_group_and_user(item: Told) -> str | None:
    group, user = item.row.get("group_id"), item.row.get("user_id")
    return f"{group}:{user}" if isinstance(group, str) and isinstance(user, str) else None


def assignment(item: Told) -> None:
    """A role that is given. One that the code does not make is known by its id alone."""
    made = item.whole.at_id(item.row.get("role_id"), ROLE)
    if made is not None:
        item.row = {**item.row, "role_id": made.row.get("name")}
    item.take("role", "role_id")
    item.take("user", "user_id", id_or_null, absent=None)
    item.take("group", "group_id", id_or_null, absent=None)
    item.facts["inherited"] = item.block.type == P + "identity_inherit_role_assignment_v3"
    for kind in ("project", "domain"):
        if not item.left_out(f"{kind}_id"):
            item.facts["scope"] = kind
            item.take("scope_id", f"{kind}_id", identifier)
            return
    item.unseen |= dict.fromkeys(("scope", "scope_id"), item.missing("project_id"))


def application_credential(item: Told) -> None:
    item.after("user")
    item.take("project_id", "project_id", id_or_null)
    # API reference of Keystone: all roles that its user has on the project.
    item.take("roles", "roles", many(text))
    item.take("unrestricted", "unrestricted", flag, absent=False)
    item.take("expires_at", "expires_at", empty_as_null(moment), absent=None)
    item.take("access_rules", "access_rules", lambda value: each(access_rule)(value) or None, absent=None)


# --- others ---------------------------------------------------------------------------------------------


def secret(item: Told) -> None:
    # API reference of Barbican.
    item.take("secret_type", "secret_type", absent="opaque")
    item.take("algorithm", "algorithm", text_or_null, absent=None)
    item.take("bit_length", "bit_length", lambda value: integer(value) or None, absent=None)
    item.take("mode", "mode", text_or_null, absent=None)
    item.take("expiration", "expiration", empty_as_null(moment), absent=None)
    item.after("status", "created_at", "creator")


def stack(item: Told) -> None:
    item.after("action", "status", "created_at", "updated_at")
    item.untellable("resource_types")
    if item.block.new:
        item.facts["parent"] = None
    else:
        item.untellable("parent")
    item.tags("tags", item.whole.labels)
    item.look_for_secrets(Look(), tags=["tags"])


MEANINGS: Final[Mapping[str, Meaning]] = {
    **dict.fromkeys(VOLUMES, Meaning("openstack.volume", volume)),
    TYPE: Meaning("openstack.volume_type", volume_type, level=Level.REGION),
    SERVER: Meaning("openstack.server", server, more=ports_of_server, makes=_made_for_server),
    INTERFACE: Meaning("", lambda item: None, more=port_of_interface),
    P + "compute_servergroup_v2": Meaning("openstack.server_group", server_group),
    P + "compute_keypair_v2": Meaning("openstack.keypair", keypair, level=Level.REGION),
    FLAVOR: Meaning("openstack.flavor", flavor, level=Level.REGION),
    NETWORK: Meaning("openstack.network", network),
    SUBNET: Meaning("openstack.subnet", subnet),
    PORT: Meaning("openstack.port", port),
    P + "networking_router_v2": Meaning("openstack.router", router),
    P + "networking_floatingip_v2": Meaning("openstack.floating_ip", floating_ip),
    GROUPS[0]: Meaning("openstack.security_group", security_group, more=default_rules),
    GROUPS[1]: Meaning("openstack.security_group", security_group, more=rules_of_nova),
    RULE: Meaning("openstack.security_group_rule", rule),
    P + "networking_rbac_policy_v2": Meaning("openstack.rbac_policy", rbac_policy),
    P + "networking_address_group_v2": Meaning("openstack.address_group", address_group),
    TRUNK: Meaning("openstack.trunk", trunk),
    P + "networking_qos_policy_v2": Meaning("openstack.qos_policy", qos_policy),
    P + "bgpvpn_v2": Meaning("openstack.bgpvpn", bgpvpn),
    P + "vpnaas_site_connection_v2": Meaning("openstack.vpn_connection", vpn_connection),
    P + "dns_zone_v2": Meaning("openstack.dns_zone", dns_zone),
    IMAGE: Meaning("openstack.image", image),
    P + "images_image_access_v2": Meaning(
        "openstack.image_member", image_member, identify=_of_image_and_member
    ),
    P + "objectstorage_container_v1": Meaning(
        "openstack.container", container, identify=_of_account_and_name
    ),
    P + "lb_loadbalancer_v2": Meaning("openstack.loadbalancer", load_balancer),
    LISTENER: Meaning("openstack.listener", listener),
    POOL: Meaning("openstack.lb_pool", pool),
    P + "sharedfilesystem_share_v2": Meaning("openstack.share", share),
    P + "sharedfilesystem_share_access_v2": Meaning("openstack.share_access_rule", share_access),
    P + "identity_project_v3": Meaning("openstack.project", project, level=Level.SELF),
    P + "identity_user_v3": Meaning("openstack.user", user, level=Level.TARGET),
    P + "identity_group_v3": Meaning("openstack.group", group, level=Level.TARGET),
    P + "identity_user_membership_v3": Meaning(
        "openstack.group_member", group_member, level=Level.TARGET, identify=_of_group_and_user
    ),
    ROLE: Meaning("openstack.role", role, level=Level.TARGET),
    P + "identity_role_assignment_v3": Meaning("openstack.role_assignment", assignment, level=Level.TARGET),
    P + "identity_inherit_role_assignment_v3": Meaning(
        "openstack.role_assignment", assignment, level=Level.TARGET
    ),
    P + "identity_application_credential_v3": Meaning(
        "openstack.application_credential", application_credential, level=Level.TARGET
    ),
    P + "keymanager_secret_v1": Meaning("openstack.secret", secret),
    P + "orchestration_stack_v1": Meaning("openstack.stack", stack),
}
"""Blocks of Terraform by their type."""
