"""Neutron: networks, addresses, routers, security groups and rules, extensions and what they bring.

What an extension brings is asked for unless a complete list of extensions proves that it is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from cloudaudit.collectors import Seen
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
    record,
    text,
)
from cloudaudit.collectors.openstack.answers import Trouble
from cloudaudit.collectors.openstack.listing import (
    PAGE,
    SEEING_ROLES,
    Beside,
    Covers,
    Desk,
    Lister,
    beside,
    listing,
)
from cloudaudit.collectors.openstack.paging import Page
from cloudaudit.collectors.openstack.quotas import TYPE as QUOTA
from cloudaudit.collectors.openstack.quotas import Quotas, quotas
from cloudaudit.collectors.openstack.zones import PROOF as ZONE_PROOF
from cloudaudit.collectors.openstack.zones import TYPE as ZONE
from cloudaudit.collectors.values import NAME_SERVERS, TIME_SERVERS, dhcp_options, ports, protocol
from cloudaudit.model import Listing, Reason, Resource, Unseen, Value

SERVICE = "network"
REGION: Covers = (
    ("neutron.extensions", "openstack.extension"),
    ("neutron.availability_zones", ZONE),
    ("neutron.agents", "openstack.network_agent"),
)
PROJECT: Covers = (
    ("neutron.networks", "openstack.network"),
    ("neutron.subnets", "openstack.subnet"),
    ("neutron.ports", "openstack.port"),
    ("neutron.routers", "openstack.router"),
    ("neutron.floating_ips", "openstack.floating_ip"),
    ("neutron.security_groups", "openstack.security_group"),
    ("neutron.security_group_rules", "openstack.security_group_rule"),
    ("neutron.vpn_connections", "openstack.vpn_connection"),
    ("neutron.address_groups", "openstack.address_group"),
    ("neutron.rbac_policies", "openstack.rbac_policy"),
    ("neutron.trunks", "openstack.trunk"),
    ("neutron.qos_policies", "openstack.qos_policy"),
    ("neutron.bgpvpns", "openstack.bgpvpn"),
    ("neutron.network_logs", "openstack.network_log"),
    ("neutron.quotas", QUOTA),
)
QUOTAS: Final = Quotas(call="neutron.quotas", path="/quotas/{}/details.json", key="quota", used="used")
# NOTE: who is no administrator is shown an empty list of these, whatever there is.
_ADMINISTRATORS: Final = frozenset({"admin"})


def read_region(desk: Desk) -> Iterator[Seen]:
    if EXTENSIONS.call in desk.wanted:
        yield from listing(desk, EXTENSIONS, desk.kept(EXTENSIONS).source)
    if ZONES.call in desk.wanted:
        yield from _zones(desk)
    yield from _extended(desk, (AGENTS,))


def read_project(desk: Desk) -> Iterator[Seen]:
    for lister in LISTERS:
        if lister.call in desk.wanted:
            yield from listing(desk, lister)
    if RULES.call in desk.wanted:
        yield from listing(desk, replace(RULES, common=partial(_of_shared_group, desk)))
    if VPN_CONNECTIONS.call in desk.wanted:
        yield from _vpn(desk)
    yield from _extended(desk, EXTENDED)
    if QUOTAS.call in desk.wanted:
        yield from quotas(desk, QUOTAS)


def _network(item: Item, desk: Desk) -> None:
    item.take("shared", "shared", flag)
    item.take("admin_state_up", "admin_state_up", flag)
    # Without the extension no network can be external.
    item.take("external", "router:external", flag, absent=False)
    item.take("port_security", "port_security_enabled", flag, null=True)
    item.take("zones", "availability_zones", many(text))
    item.tags("tags", desk.allowed)


def _subnet(item: Item, desk: Desk) -> None:
    item.take("network", "network_id", identifier)
    item.take("cidr", "cidr", address)
    item.take("dns_nameservers", "dns_nameservers", many(address))
    item.take("dhcp", "enable_dhcp", flag)
    item.take("ip_version", "ip_version", integer)


def _port(item: Item, desk: Desk) -> None:
    item.take("network", "network_id", identifier)
    item.take("device_owner", "device_owner")
    item.take("device_id", "device_id")
    item.take("security_groups", "security_groups", many(identifier))
    item.take("port_security", "port_security_enabled", flag, null=True)
    item.take("status", "status")
    item.take("addresses", "fixed_ips", each(_fixed))
    item.take("allowed_address_pairs", "allowed_address_pairs", each(lambda row: {"address": _fixed(row)}))
    item.take("dhcp.name_servers", "extra_dhcp_opts", dhcp_options(NAME_SERVERS))
    item.take("dhcp.time_servers", "extra_dhcp_opts", dhcp_options(TIME_SERVERS))


def _fixed(row: Row) -> str:
    return address(row.get("ip_address"))


def _router(item: Item, desk: Desk) -> None:
    item.take("ha", "ha", flag, null=True, hidden=True)
    item.take("distributed", "distributed", flag, null=True, hidden=True)
    if item.row.get("external_gateway_info", 0) is None:
        item.facts |= {"external_network": None, "external_addresses": ()}
    else:
        item.take("external_network", "external_gateway_info", _gateway_network)
        item.take("external_addresses", "external_gateway_info", _gateway_addresses)
    item.take("zones", "availability_zones", many(text))
    item.take("routes", "routes", each(_route))
    item.tags("tags", desk.allowed)


def _gateway_network(value: object) -> str:
    return identifier(record(value).get("network_id"))


def _gateway_addresses(value: object) -> tuple[str, ...]:
    return each(_fixed)(record(value).get("external_fixed_ips"))


def _route(row: Row) -> Value:
    return {"destination": address(row.get("destination")), "nexthop": text(row.get("nexthop"))}


def _floating_ip(item: Item, desk: Desk) -> None:
    item.take("address", "floating_ip_address", address)
    item.take("port_id", "port_id", identifier, null=True)
    item.take("fixed_address", "fixed_ip_address", address, null=True)
    item.take("status", "status")
    item.take("external_network", "floating_network_id", identifier)
    item.take("router", "router_id", identifier, null=True)
    # Only with the extension expose-port-forwarding-in-fip.
    item.take("port_forwardings", "port_forwardings", each(_forwarding))


def _forwarding(row: Row) -> Value:
    return {
        "address": address(row.get("internal_ip_address")),
        "port": integer(row["internal_port"]) if row.get("internal_port") is not None else None,
        "protocol": text(row.get("protocol")),
    }


def _security_group(item: Item, desk: Desk) -> None:
    item.take("stateful", "stateful", flag, null=True)
    if _shared(item.row):
        desk.shared_groups.add(str(item.row["id"]))


def _of_shared_group(desk: Desk, row: Row) -> bool:
    """Whether a foreign rule is seen because its group is shared, and so may stand on our ports."""
    if SECURITY_GROUPS.call not in desk.wanted:
        # Who is no administrator sees foreign rules for no other reason.
        return "admin" not in desk.token.roles
    return row.get("security_group_id") in desk.shared_groups


def _rule(item: Item, desk: Desk) -> None:
    item.take("security_group", "security_group_id", identifier)
    item.take("direction", "direction")
    item.take("ethertype", "ethertype")
    item.take("protocol", "protocol", protocol, null=True)
    item.take("remote_prefix", "remote_ip_prefix", address, null=True)
    item.take("remote_group", "remote_group_id", identifier, null=True)
    item.take("remote_address_group", "remote_address_group_id", identifier, null=True, absent=None)
    row = item.row
    if not {"port_range_min", "port_range_max", "protocol"} <= row.keys():
        item.miss("ports", Reason.NOT_IMPLEMENTED, "the service's answer does not tell the ports")
        return
    try:
        item.facts["ports"] = ports(row["protocol"], row["port_range_min"], row["port_range_max"])
    except Odd as error:
        item.miss("ports", Reason.INVALID_ANSWER, f"the range of ports holds {error}")


def _shared(row: Row) -> bool:
    return row.get("shared") is True


NETWORKS = Lister(
    call="neutron.networks",
    type="openstack.network",
    path=f"/networks?limit={PAGE}",
    key="networks",
    read=_network,
    common=lambda row: _shared(row) or row.get("router:external") is True,
)
SECURITY_GROUPS = Lister(
    call="neutron.security_groups",
    type="openstack.security_group",
    # Only these fields: each group would bring all its rules along, which have a listing of their own.
    path=f"/security-groups?limit={PAGE}&"
    + "&".join(f"fields={name}" for name in ("id", "name", "project_id", "tenant_id", "stateful", "shared")),
    key="security_groups",
    read=_security_group,
    common=_shared,
)
RULES = Lister(
    call="neutron.security_group_rules",
    type="openstack.security_group_rule",
    path=f"/security-group-rules?limit={PAGE}",
    key="security_group_rules",
    read=_rule,
    # Rules of a shared group are seen with it.
    telling=False,
)
LISTERS: Final = (
    NETWORKS,
    Lister(
        call="neutron.subnets",
        type="openstack.subnet",
        path=f"/subnets?limit={PAGE}",
        key="subnets",
        read=_subnet,
        common=lambda row: _shared(row) or row.get("router:external") is True,
        telling=False,
    ),
    Lister(
        call="neutron.ports",
        type="openstack.port",
        path=f"/ports?limit={PAGE}",
        key="ports",
        read=_port,
        # The owner of a network is shown every port on it.
        telling=False,
    ),
    Lister(
        call="neutron.routers",
        type="openstack.router",
        path=f"/routers?limit={PAGE}",
        key="routers",
        read=_router,
    ),
    Lister(
        call="neutron.floating_ips",
        type="openstack.floating_ip",
        path=f"/floatingips?limit={PAGE}",
        key="floatingips",
        read=_floating_ip,
    ),
    SECURITY_GROUPS,
)


# --- extensions and zones ----------------------------------------------------------------------------


def _extension(item: Item, desk: Desk) -> None:
    item.take("alias", "alias")
    item.facts["service"] = SERVICE


EXTENSIONS = Lister(
    call="neutron.extensions",
    type="openstack.extension",
    path="/extensions",
    key="extensions",
    read=_extension,
    proof="the extensions of a service are the same for every project",
    identify=lambda row: identifier(row.get("alias")),
)


def _aliases(desk: Desk) -> frozenset[str] | None:
    """Aliases of all extensions, if the plan asked for them and they are known in full."""
    if EXTENSIONS.call not in desk.wanted:
        return None
    rows = desk.kept(EXTENSIONS)
    if rows.trouble or not rows.rows:
        return None
    try:
        return frozenset(identifier(row.get("alias")) for row in rows.rows)
    except Odd:
        return None


def _without_extension(desk: Desk, lister: Lister, extension: str) -> Iterator[Seen]:
    """The empty listing that a complete list of extensions proves, if it does."""
    aliases = _aliases(desk)
    if aliases is not None and extension not in aliases:
        proof = f"the complete list of Neutron's {len(aliases)} extensions has no {extension}"
        yield Listing(desk.scope, lister.type, 0, proof, desk.kept(EXTENSIONS).call)


def _zone(item: Item, desk: Desk) -> None:
    item.take("zone", "name")
    item.facts["service"] = SERVICE
    item.take("available", "available", flag)


ZONES = Lister(
    call="neutron.availability_zones",
    type=ZONE,
    path="/availability_zones",
    key="availability_zones",
    read=_zone,
    proof=ZONE_PROOF,
    identify=lambda row: f"{SERVICE}:{identifier(row.get('name'))}",
)


def _zones(desk: Desk) -> Iterator[Seen]:
    absent = list(_without_extension(desk, ZONES, "availability_zone"))
    yield from absent or listing(desk, ZONES, _merged_zones(desk.pages(ZONES.path, ZONES.key)))


_AVAILABLE: Final = {"available": True, "unavailable": False}


def _all_of(told: list[object]) -> bool | None:
    """False as soon as one says so, else unknown if one is."""
    return False if False in told else (None if None in told else True)


def _merged_zones(source: Iterator[Page | Trouble]) -> Iterator[Page | Trouble]:
    """Neutron lists a zone once for networks and once for routers: it is available if both are."""
    for page in source:
        if isinstance(page, Trouble):
            yield page
            continue
        states: dict[str, list[object]] = {}
        odd: list[Row] = []
        for row in page.rows:
            name = row.get("name")
            if isinstance(name, str) and name:
                states.setdefault(name, []).append(_AVAILABLE.get(str(row.get("state"))))
            else:
                odd.append(row)
        # A row without a name may be the other one of any zone.
        doubt = [None] if odd else []
        merged = [{"name": name, "available": _all_of([*told, *doubt])} for name, told in states.items()]
        yield Page([*merged, *odd], page.at, page.call)


# --- what extensions bring ----------------------------------------------------------------------------


def _extended(desk: Desk, listers: tuple[tuple[Lister, str], ...]) -> Iterator[Seen]:
    """Listings that exist with their extension only."""
    for lister, extension in listers:
        if lister.call in desk.wanted:
            absent = list(_without_extension(desk, lister, extension))
            yield from absent or listing(desk, lister)


def _address_group(item: Item, desk: Desk) -> None:
    item.take("addresses", "addresses", many(address))
    item.take("shared", "shared", flag)


def _rbac_policy(item: Item, desk: Desk) -> None:
    for name in ("object_type", "object_id", "action", "target_tenant"):
        item.take(name, name)


def _trunk(item: Item, desk: Desk) -> None:
    item.take("port", "port_id", identifier)
    item.take("status", "status")
    item.take("admin_state_up", "admin_state_up", flag)
    item.take("sub_ports", "sub_ports", each(_sub_port))


def _sub_port(row: Row) -> Value:
    return {
        "port": identifier(row.get("port_id")),
        "segmentation_type": text(row.get("segmentation_type")),
        "segmentation_id": integer(row.get("segmentation_id")),
    }


def _qos_policy(item: Item, desk: Desk) -> None:
    item.take("shared", "shared", flag)
    item.take("is_default", "is_default", flag)
    item.take("rule_kinds", "rules", _kinds)


def _kinds(value: object) -> tuple[str, ...]:
    return tuple(sorted({text(rule.get("type")) for rule in items(value)}))


def _bgpvpn(item: Item, desk: Desk) -> None:
    item.take("type", "type")
    for name in ("route_targets", "import_targets", "export_targets"):
        item.take(name, name, many(text), hidden=True)
    item.take("networks", "networks", many(identifier))
    item.take("routers", "routers", many(identifier))


def _network_log(item: Item, desk: Desk) -> None:
    item.take("resource_type", "resource_type")
    item.take("resource_id", "resource_id", identifier, null=True)
    item.take("target_id", "target_id", identifier, null=True)
    item.take("event", "event")
    item.take("enabled", "enabled", flag)


def _agent(item: Item, desk: Desk) -> None:
    item.take("agent_type", "agent_type")
    item.take("host", "host")
    item.take("zone", "availability_zone", empty_as_null(text), null=True)
    item.take("alive", "alive", flag)
    item.take("admin_state_up", "admin_state_up", flag)


EXTENDED: Final = (
    (
        Lister(
            call="neutron.address_groups",
            type="openstack.address_group",
            path=f"/address-groups?limit={PAGE}",
            key="address_groups",
            read=_address_group,
            common=_shared,
            # NOTE: Neutron keeps to itself that a group is shared, and shows it to whom it is shared with.
            telling=False,
        ),
        "address-group",
    ),
    (
        Lister(
            call="neutron.rbac_policies",
            type="openstack.rbac_policy",
            path=f"/rbac-policies?limit={PAGE}",
            key="rbac_policies",
            read=_rbac_policy,
            # Policies for every project may be shown to those whom they let in.
            telling=False,
        ),
        "rbac-policies",
    ),
    (
        Lister(
            call="neutron.trunks",
            type="openstack.trunk",
            path=f"/trunks?limit={PAGE}",
            key="trunks",
            read=_trunk,
        ),
        "trunk",
    ),
    (
        Lister(
            call="neutron.qos_policies",
            type="openstack.qos_policy",
            path=f"/qos/policies?limit={PAGE}",
            key="policies",
            read=_qos_policy,
            common=_shared,
        ),
        "qos",
    ),
    (
        Lister(
            call="neutron.bgpvpns",
            type="openstack.bgpvpn",
            path=f"/bgpvpn/bgpvpns?limit={PAGE}",
            key="bgpvpns",
            read=_bgpvpn,
            common=_shared,
        ),
        "bgpvpn",
    ),
    (
        Lister(
            call="neutron.network_logs",
            type="openstack.network_log",
            path=f"/log/logs?limit={PAGE}",
            key="logs",
            read=_network_log,
            roles=_ADMINISTRATORS,
        ),
        "logging",
    ),
)
AGENTS: Final = (
    Lister(
        call="neutron.agents",
        type="openstack.network_agent",
        path=f"/agents?limit={PAGE}",
        key="agents",
        read=_agent,
        proof="agents are the same for every project, and the token was shown them",
        roles=_ADMINISTRATORS,
        title=lambda row: "",
    ),
    "agent",
)


# --- VPN ---------------------------------------------------------------------------------------------


VPN_CONNECTIONS = Lister(
    call="neutron.vpn_connections",
    type="openstack.vpn_connection",
    # Only these fields: the pre-shared key is one of the others, and must not even be sent.
    path=f"/vpn/ipsec-site-connections?limit={PAGE}&"
    + "&".join(
        f"fields={name}"
        for name in (
            "id",
            "name",
            "project_id",
            "tenant_id",
            "peer_address",
            "peer_cidrs",
            "peer_ep_group_id",
            "status",
            "ikepolicy_id",
            "ipsecpolicy_id",
        )
    ),
    key="ipsec_site_connections",
    read=lambda item, desk: None,
    # NOTE: since 2025.2 a reader is shown an empty list, whatever there is.
    roles=SEEING_ROLES - {"reader"},
)


def _vpn(desk: Desk) -> Iterator[Seen]:
    absent = list(_without_extension(desk, VPN_CONNECTIONS, "vpnaas"))
    if absent:
        yield from absent
        return
    ike = beside(desk, "neutron.vpn_ike_policies", f"/vpn/ikepolicies?limit={PAGE}", "ikepolicies")
    ipsec = beside(desk, "neutron.vpn_ipsec_policies", f"/vpn/ipsecpolicies?limit={PAGE}", "ipsecpolicies")
    groups = beside(
        desk, "neutron.vpn_endpoint_groups", f"/vpn/endpoint-groups?limit={PAGE}", "endpoint_groups"
    )

    def read(item: Item, desk: Desk) -> None:
        item.take("peer_address", "peer_address")
        item.take("status", "status")
        _peer_cidrs(item, groups)
        _policy(item, "ike", item.row.get("ikepolicy_id"), ike)
        _policy(item, "ipsec", item.row.get("ipsecpolicy_id"), ipsec)

    calls = {"ike": ike.call, "ipsec": ipsec.call}
    numbers = {group: call for group, call in calls.items() if call is not None}
    for thing in listing(desk, replace(VPN_CONNECTIONS, read=read)):
        yield replace(thing, sources={**thing.sources, **numbers}) if isinstance(thing, Resource) else thing


def _peer_cidrs(item: Item, groups: Beside) -> None:
    """The networks behind the peer: in the connection itself, or in a group of endpoints it names."""
    group = item.row.get("peer_ep_group_id")
    if group is None:
        item.take("peer_cidrs", "peer_cidrs", many(address))
    elif group in groups.rows:
        inner = Item(groups.rows[str(group)])
        inner.take("peer_cidrs", "endpoints", many(address))
        item.facts |= inner.facts
        item.unseen |= inner.unseen
    else:
        item.unseen["peer_cidrs"] = groups.unseen or Unseen(
            Reason.PARTIAL, "the connection's group of endpoints is not shown to this credential"
        )


def _policy(item: Item, group: str, id_: object, policies: Beside) -> None:
    """Facts of the policy a connection uses."""
    row = policies.rows.get(id_) if isinstance(id_, str) else None
    if row is None:
        item.unseen[group] = policies.unseen or Unseen(
            Reason.PARTIAL, f"the connection's {group} policy is not shown to this credential"
        )
        return
    inner = Item(row)
    if group == "ike":
        inner.take("ike.version", "ike_version")
    else:
        inner.take("ipsec.transform", "transform_protocol")
    inner.take(f"{group}.encryption", "encryption_algorithm")
    inner.take(f"{group}.auth", "auth_algorithm")
    inner.take(f"{group}.pfs", "pfs")
    item.facts |= inner.facts
    item.unseen |= inner.unseen
