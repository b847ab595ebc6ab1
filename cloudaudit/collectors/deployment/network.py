"""What Terraform's blocks for Neutron and Designate mean, and the ports that Nova makes for servers.

Nova makes a port for each network of a server that names no port, and that port is a resource here too
(`ADDRESS/network/0`): who can reach the server stands on it. Its security groups are those the server names,
as far as they are in the code: of any other name it is not known which group it means.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cloudaudit.collectors.deployment.block import LATER, Block, Link, untold
from cloudaudit.collectors.deployment.whole import (
    Meaning,
    Path,
    Told,
    Whole,
    address_or_null,
    beside,
    by_name,
    combined,
    id_or_null,
    rows,
    untold_list,
    why,
)
from cloudaudit.collectors.item import (
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
    text,
)
from cloudaudit.collectors.values import (
    NAME_SERVERS,
    TIME_SERVERS,
    dhcp_options,
    ports,
    protocol,
)
from cloudaudit.model import Partial, Reason, Resource, Unseen, Value

P: Final = "openstack_"
SERVER: Final = P + "compute_instance_v2"
INTERFACE: Final = P + "compute_interface_attach_v2"
NETWORK: Final = P + "networking_network_v2"
SUBNET: Final = P + "networking_subnet_v2"
PORT: Final = P + "networking_port_v2"
ROUTER_INTERFACE: Final = P + "networking_router_interface_v2"
GROUPS: Final = (P + "networking_secgroup_v2", P + "compute_secgroup_v2")
RULE: Final = P + "networking_secgroup_rule_v2"
TRUNK: Final = P + "networking_trunk_v2"
TIES: Final = (P + "networking_floatingip_associate_v2", P + "compute_floatingip_associate_v2")


# --- ports that Nova makes ------------------------------------------------------------------------------


def networks_of(item: Told) -> list[tuple[int, dict[str, Any]]]:
    """The networks of a server. For one that names none, Nova takes the one that its project has."""
    if item.block.new and item.left_out("network") and item.value("network_mode") != "none":
        return [(0, {})]
    return list(enumerate(rows(item, "network")))


def is_made_by_nova(item: Told, number: int, row: Row) -> bool:
    """Whether Nova makes the port of a network. A network is named by port, id or name: one is enough."""
    port = row.get("port")
    left = {"network", f"network.{number}.port", f"network[{number}].port"} & item.block.left_out
    if isinstance(port, str) and port:
        return f"{item.id}/network/{number}" == port
    named = any(isinstance(row.get(name), str) and row.get(name) for name in ("uuid", "name"))
    return not port or bool(left) or named


def ports_of_server(item: Told) -> Iterator[Resource]:
    """The ports that Nova makes for a server."""
    for number, row in networks_of(item):
        if is_made_by_nova(item, number, row):
            port = _part(item, f"network/{number}", row)
            port.take("addresses", "fixed_ip_v4", lambda value: (address(value),))
            if not port.row.get("fixed_ip_v4"):
                port.unseen["addresses"] = port.silent
            yield _port_of_nova(port, item, row.get("uuid"))


def port_of_interface(item: Told) -> Iterator[Resource]:
    """The port that Nova makes where an interface is added by its network."""
    owner = item.whole.at_id(item.row.get("instance_id"), SERVER)
    if item.value("network_id") is not None and item.left_out("port_id"):
        port = _part(item, "port", item.row)
        port.take("addresses", "fixed_ip", lambda value: (address(value),))
        yield _port_of_nova(port, owner, item.row.get("network_id"))


def _part(item: Told, name: str, row: Row) -> Told:
    part = Told(item.block, item.whole)
    part.row = {**{k: v for k, v in row.items() if k != "name"}, "region": item.row.get("region")}
    part.own_id = f"{item.id}/{name}"
    return part


def _port_of_nova(port: Told, owner: Told | None, network: Any) -> Resource:
    """`owner`: the server; None where the code does not declare it."""
    port.row = {**port.row, "network_id": network}
    port.take("network", "network_id", identifier)
    if owner is None:
        port.take("device_id", "instance_id", identifier)
        port.facts["device_owner"] = "compute:"
    else:
        port.facts |= {"device_id": owner.id, "device_owner": owner_of(owner)}
    port.facts |= {"allowed_address_pairs": (), "dhcp.name_servers": (), "dhcp.time_servers": ()}
    port.after("status")
    _security(port, network)
    if owner is None:
        detail = "the code does not make the server, whose security groups it gets"
        port.unseen["security_groups"] = Unseen(Reason.NOT_DESCRIBED, detail)
    elif port.facts.get("port_security") is False and owner.left_out("security_groups"):
        port.facts["security_groups"] = ()
    else:
        _groups_by_name(port, owner)
    return port.resource(MEANINGS[PORT])


def owner_of(server: Told) -> str:
    zone = server.value("availability_zone")
    return f"compute:{zone}" if isinstance(zone, str) else "compute:"


def _groups_by_name(port: Told, owner: Told) -> None:
    """Security groups by the names a server gives, where the code has just one of that name."""
    names = owner.value("security_groups")
    names = ["default"] if names is None and owner.block.new else names
    if (untold(names) is not None and not isinstance(names, list)) or names is None:
        port.unseen["security_groups"] = owner.missing("security_groups")
        return
    known = owner.whole.once(_groups)
    try:
        named = [known.get(text(name), []) if untold(name) is None else [] for name in names]
    except (Odd, TypeError):
        port.unseen["security_groups"] = Unseen(
            Reason.INVALID_ANSWER, "'security_groups' holds no list of names"
        )
        return
    found = [[group.id for group in groups if beside(group, owner)] for groups in named]
    ids = tuple(dict.fromkeys(one[0] for one in found if len(one) == 1))
    if all(len(one) == 1 for one in found):
        port.facts["security_groups"] = ids
    else:
        port.facts["security_groups"] = Partial(ids)
        detail = "a security group of the server is not one of the code, or there are several of that name"
        port.unseen["security_groups"] = Unseen(Reason.NOT_DESCRIBED, detail)


def _groups(whole: Whole) -> Mapping[str, list[Told]]:
    """Security groups by name and by id, both of which Nova takes."""
    found: dict[str, list[Told]] = defaultdict(list)
    for group in whole.of(*GROUPS):
        name = group.row.get("name")
        for key in {group.id, name if isinstance(name, str) else group.id}:
            found[key].append(group)
    return dict(found)


def made_for_server(whole: Whole, block: Block, path: Path) -> Any:
    """A port that Nova makes, where something refers to it through the server."""
    if len(path) == 3 and path[0] == "network" and path[2] == "port":
        return f"{whole.id_of(block)}/network/{path[1]}"
    return None


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
    item.only("allowed_address_pairs", "ip_address")
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
    ties = item.whole.once(_users)
    users = set(ties.of.get(item.id, ()))
    if len(users) == 1:
        item.facts["device_id"], item.facts["device_owner"] = users.pop()
    elif not users and item.block.new and not ties.unclear:
        item.facts |= {"device_id": "", "device_owner": ""}
    else:
        item.take("device_owner", "device_owner")
        item.take("device_id", "device_id")


@dataclass(frozen=True, slots=True)
class _Users:
    """What uses ports, by port: id and owner. `unclear`: it is not told which is used, or by what."""

    of: Mapping[str, list[tuple[str, str]]]
    unclear: bool


def _users(whole: Whole) -> _Users:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    unclear = whole.perhaps(SERVER, INTERFACE, ROUTER_INTERFACE, TRUNK) is not None

    def use(port: Any, user: object, owner: str) -> None:
        nonlocal unclear
        unclear |= untold(port) is not None or untold(user) is not None
        if isinstance(port, str) and isinstance(user, str):
            found[port].append((user, owner))

    for one in whole.of(SERVER):
        unclear |= untold_list(one, "network") is not None
        for number, row in networks_of(one):
            if not is_made_by_nova(one, number, row):
                use(row.get("port"), one.id, owner_of(one))
    for one in whole.of(INTERFACE):
        server = whole.at_id(one.row.get("instance_id"), SERVER)
        if server is not None and not one.left_out("port_id"):
            use(one.row.get("port_id"), server.id, owner_of(server))
    for one in whole.of(ROUTER_INTERFACE):
        if not one.left_out("port_id"):
            # NOTE: of a router that is distributed or highly available the word goes on after this one.
            use(one.row.get("port_id"), one.row.get("router_id"), "network:router_interface")
    for one in whole.of(TRUNK):
        unclear |= untold_list(one, "sub_port") is not None
        for row in rows(one, "sub_port"):
            use(row.get("port_id"), one.id, "trunk:subport")
    return _Users(found, unclear)


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
    combined(item, "security_groups", values, identifier, item.silent if more or added.doubt else None)


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
    several = item.whole.referring(P + "networking_router_routes_v2", "router_id", item.id)
    routes += [
        {"destination": row.get("destination_cidr"), "nexthop": row.get("next_hop")}
        for one in several.blocks
        for row in rows(one, "routes")
    ]
    unclear = next(filter(None, (untold_list(one, "routes") for one in several.blocks)), None)
    doubt = found.doubt or several.doubt or unclear or (None if item.block.new else item.silent)
    combined(item, "routes", routes, _route, doubt)
    item.after("zones")
    item.tags("tags", item.whole.labels)


def _route(row: Row) -> Value:
    return {"destination": address(row.get("destination")), "nexthop": text(row.get("nexthop"))}


def floating_ip(item: Told) -> None:
    item.take("address", "address", address)
    item.after("status")
    pool = item.whole.at_id(item.value("pool"), NETWORK) or by_name(item, NETWORK, item.value("pool"))
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
        forwards.doubt or (None if item.block.new else item.silent),
    )


def _leads_to(item: Told) -> None:
    """The port and the address inside: its own word, or of what ties it to a port or server."""
    tied, doubt = _tied(item)
    # NOTE: one that is there tells the port it had before; a tie made, changed or taken away says more.
    over = not item.block.new and any(tie.block.new or tie.block.type == TIES[0] for tie in tied)
    told = not item.left_out("port_id") and not over
    if told and not item.block.new and (doubt or not item.whole.code.gone.isdisjoint(TIES)):
        item.unseen |= dict.fromkeys(("port_id", "fixed_address"), doubt or item.silent)
        item.after("router")
        return
    if not told:
        if not tied and doubt is None and item.block.new:
            item.facts |= {"port_id": None, "fixed_address": None, "router": None}
            return
        if len(tied) != 1:
            item.unseen |= dict.fromkeys(("port_id", "fixed_address", "router"), doubt or item.silent)
            return
        tie = tied[0]
        leads = tie.row.get("port_id") if tie.block.type == TIES[0] else _first_port(tie)
        item.row = {**item.row, "port_id": leads, "fixed_ip": tie.value("fixed_ip")}
    item.take("port_id", "port_id", id_or_null)
    item.take("fixed_address", "fixed_ip", address_or_null)
    item.after("router")


def _tied(item: Told) -> tuple[list[Told], Unseen | None]:
    """What ties a floating IP by its address to something, and why there may be more."""
    keys = (Link(item.block.address, "address"), item.value("address"))
    found = [
        item.whole.referring(type_, "floating_ip", key) for type_ in TIES for key in keys if key is not None
    ]
    ties = {one.block.address: one for each_ in found for one in each_.blocks}
    return list(ties.values()), next((one.doubt for one in found if one.doubt), None)


def _first_port(tie: Told) -> Any:
    """The port Nova ties an address to where it is given a server: the first one it has."""
    owner = tie.whole.at_id(tie.row.get("instance_id"), SERVER)
    networks = networks_of(owner) if owner is not None else []
    if owner is None or len(networks) != 1:
        return LATER
    number, row = networks[0]
    return f"{owner.id}/network/{number}" if is_made_by_nova(owner, number, row) else row.get("port")


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


def rule(item: Told) -> None:
    item.take("security_group", "security_group_id", identifier)
    item.take("direction", "direction")
    item.take("ethertype", "ethertype")
    # API reference of Neutron: what a rule leaves out is every protocol, every port and every address.
    item.take("protocol", "protocol", empty_as_null(protocol), absent=None)
    item.take("remote_prefix", "remote_ip_prefix", address_or_null, absent=None)
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
    doubt = next((one.doubt for one in found.values() if one.doubt), None if item.block.new else item.silent)
    combined(item, "rule_kinds", [kind for kind, one in found.items() if one.blocks], text, doubt)


def bgpvpn(item: Told) -> None:
    # API reference of networking-bgpvpn.
    item.take("type", "type", absent="l3")
    for name in ("route_targets", "import_targets", "export_targets"):
        item.take(name, name, many(text), absent=())
    for kind in ("network", "router"):
        found = item.whole.referring(f"{P}bgpvpn_{kind}_associate_v2", "bgpvpn_id", item.id)
        doubt = found.doubt or (None if item.block.new else item.silent)
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
        item.unseen["shared"] = next((one.doubt for one in shared if one.doubt), item.silent)


MEANINGS: Final[Mapping[str, Meaning]] = {
    INTERFACE: Meaning("", lambda item: None, more=port_of_interface),
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
}
