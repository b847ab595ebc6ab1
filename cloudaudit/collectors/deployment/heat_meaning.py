"""What Heat's resource types mean, told in the words that blocks of Terraform have for the same things.

Both are clients of the same services: a block of either becomes the same request. So one table says what a
block means for a cloud (:mod:`cloudaudit.collectors.deployment.meaning`), and this one how Heat spells it.

Names, types and defaults of properties are those of heat/engine/resources/openstack (Heat 27.0): a default
that Heat fills in is written out here; what it leaves to the service is left out here too. Heat takes a name
wherever it takes an id, and looks it up; that id is known only after deployment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from cloudaudit.collectors.deployment.block import LATER, Block, Link, Untold, untold
from cloudaudit.collectors.leaks import Look
from cloudaudit.model import Written

Values: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How Heat spells a type of block. `names`: the properties, by the block's words for them."""

    type: str
    names: Mapping[str, str]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """By the block's words: what Heat fills in where a property is left out."""
    shape: Callable[[_Making, Values], None] | None = None
    """Sees to what has another shape, and to what becomes blocks of their own."""
    beside: tuple[str, ...] = ()
    """Types of those blocks."""


class _Making:
    """One block of Heat on its way to blocks of the other spelling."""

    def __init__(self, block: Block, around: Mapping[str, Block]) -> None:
        self.block = block
        self.around = around
        self.beside: list[Block] = []
        self.perhaps: dict[str, str] = {}
        """Types of blocks of which there may be more, and why."""

    def given(self, name: str) -> Any:
        return self.block.values.get(name)

    def rows(self, name: str, what: str, type_: str) -> Iterator[tuple[int, Values]]:
        """The mappings in a list, of which each becomes a block of a type.

        What of it is not told is noted: it may be any number of them.
        """
        value = self.given(name)
        if value is None:
            return
        told = value if isinstance(value, list) else [LATER]
        if any(not isinstance(one, dict) for one in told):
            self.miss(name, what, type_)
        yield from ((n, one) for n, one in enumerate(told) if isinstance(one, dict))

    def miss(self, name: str, what: str, type_: str) -> None:
        where = f"{self.block.written.path}:{self.line(name)}"
        self.perhaps.setdefault(type_, f"{where}: {what} of '{self.block.address}' are not told")

    def line(self, *path: object) -> int | None:
        """The line of a property, or of a part of it that stands on its own line."""
        steps = [str(step) for step in path]
        for end in range(len(steps), 0, -1):
            found = self.block.written.lines.get(".".join(steps[:end]))
            if found:
                return found
        return self.block.written.line

    def add(
        self, type_: str, name: str, number: int, values: Values, spelt: Mapping[str, str] | None = None
    ) -> None:
        """Add a block for a mapping in a list. `spelt`: keys of the mapping by the block's words."""
        told = self.block.written.lines
        lines = {key: told.get(f"{name}.{number}.{(spelt or {}).get(key, key)}") for key in values}
        written = Written(
            self.block.written.path, self.line(name, number), {key: at for key, at in lines.items() if at}
        )
        address = f"{self.block.address}/{name}/{number}"
        self.beside.append(
            Block(address, type_, address, _typed(values), written, frozenset(), place=self.block.place)
        )

    def named(self, value: Any) -> Any:
        """References as those to names, which other clients write there; as they are where there is none."""
        if isinstance(value, list):
            return [self.named(one) for one in value]
        made = self.around.get(value.address) if isinstance(value, Link) and value.attribute == "id" else None
        return (
            _attribute(value, "name")
            if made is not None and isinstance(made.values.get("name"), str)
            else value
        )

    @property
    def itself(self) -> Link:
        return Link(self.block.address)


def makes(type_: str) -> tuple[str, ...]:
    """The types of blocks, in the other spelling, that there may be of a resource of Heat's type."""
    return (TYPES[type_].type, *TYPES[type_].beside)


def translated(blocks: Iterable[Block]) -> tuple[tuple[Block, ...], Mapping[str, str]]:
    """Blocks of Heat in the other spelling, and the types of which there may be more, with why."""
    around = {block.address: block for block in blocks}
    made: list[Block] = []
    perhaps: dict[str, str] = {}
    for block in around.values():
        kind = TYPES[block.type]
        making = _Making(block, around)
        values: Values = dict.fromkeys(kind.names)
        values |= kind.defaults
        spelt = {ours: theirs for ours, theirs in kind.names.items() if block.values.get(theirs) is not None}
        for old, new in _OLD.items():
            if old in block.values and new in kind.names.values():
                spelt |= {
                    ours: old for ours, theirs in kind.names.items() if theirs == new and ours not in spelt
                }
        values |= {ours: block.values[theirs] for ours, theirs in spelt.items()}
        if "name" in values and values["name"] is None and block.type not in _NAMELESS:
            # Heat makes a name of the stack's, the resource's and some letters drawn at random.
            values["name"] = LATER
        lines = {ours: making.line(theirs) for ours, theirs in spelt.items()}
        if kind.shape is not None:
            kind.shape(making, values)
        left = frozenset(name for name, value in values.items() if value is None)
        written = replace(block.written, lines={key: at for key, at in lines.items() if at})
        made.append(replace(block, type=kind.type, values=_typed(values), written=written, left_out=left))
        made += making.beside
        perhaps = {**making.perhaps, **perhaps}
    return tuple(made), perhaps


# --- values ---------------------------------------------------------------------------------------------

_OLD: Final[Mapping[str, str]] = {
    "network_id": "network", "subnet_id": "subnet", "router_id": "router",
    "floating_network_id": "floating_network",
    "port_id": "port", "imageRef": "image", "masters": "primaries",
}  # fmt: skip
"""Names that older templates have for properties."""
_NAMELESS: Final = frozenset({"OS::Glance::WebImage"})
_WHOLE: Final = frozenset(
    {"size", "port_range_min", "port_range_max", "ip_version", "protocol_port", "connection_limit",
     "min_disk_gb",
     "min_ram_mb", "ttl", "bit_length", "delay", "timeout", "max_retries", "weight", "ram", "vcpus", "disk",
     "swap",
     "ephemeral", "mtu", "volume_size", "boot_index", "key_size", "monitor_port"}
)  # fmt: skip
_FLAGS: Final = frozenset(
    {"shared", "external", "admin_state_up", "port_security_enabled", "enable_dhcp", "enable_snat",
     "distributed", "ha", "multiattach", "is_public", "protected", "enabled", "config_drive", "stateful",
     "tls_enabled", "no_fixed_ip", "web_download", "delete_on_termination", "delete_default_rules",
     "no_gateway", "no_security_groups"}
)  # fmt: skip
_IDS: Final = frozenset(
    {"network_id", "subnet_id", "router_id", "port_id", "security_group_id", "remote_group_id",
     "vip_subnet_id",
     "loadbalancer_id", "listener_id", "pool_id", "default_pool_id", "qos_policy_id", "subnetpool_id",
     "external_network_id", "flavor_id", "image_id", "share_network_id", "uuid", "user_id", "group_id",
     "project_id", "object_id", "domain_id", "parent_id", "default_project_id", "vpnservice_id",
     "ikepolicy_id",
     "ipsecpolicy_id"}
)  # fmt: skip
"""Attributes that hold an id, where Heat also takes a name."""
_ID: Final = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def _typed(values: Values) -> Values:
    """Values of the types that their attributes have: Heat also takes numbers and switches as text."""
    return {key: _as(key, value) for key, value in values.items()}


def _as(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return (
            {inner: _as(inner, one) for inner, one in value.items()} if key != "metadata" else _texts(value)
        )
    if isinstance(value, list):
        return [_as(key, one) for one in value]
    if key in _FLAGS and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if key in _WHOLE and isinstance(value, str):
        with suppress(ValueError):
            return int(value)
    if key in _IDS and isinstance(value, str):
        # Keystone calls its first domain `default`, by id; its name is Default.
        return value if key == "domain_id" and value == "default" else identified(value)
    if key not in _WHOLE | _FLAGS and isinstance(value, bool | int):
        return str(value)
    return value


def _texts(values: Values) -> Values:
    """Metadata: services take texts alone, and Heat writes the rest as JSON."""
    return {
        key: one if isinstance(one, str) or one is None or untold(one) else json.dumps(one)
        for key, one in values.items()
    }


def identified(value: Any) -> Any:
    """An id; a name in place of one is looked up when the stack is made."""
    return value if not isinstance(value, str) or _ID.fullmatch(value) else LATER


def _attribute(value: Any, name: str) -> Any:
    """A reference to another block, as a reference to an attribute of it."""
    return Link(value.address, name) if isinstance(value, Link) and value.attribute == "id" else value


# --- types of blocks that several types of Heat's become ------------------------------------------------

_PORT: Final = "openstack_networking_port_v2"
_TIE: Final = "openstack_networking_floatingip_associate_v2"
_ROUTE: Final = "openstack_networking_router_route_v2"
_RULE: Final = "openstack_networking_secgroup_rule_v2"
_ACCESS: Final = "openstack_sharedfilesystem_share_access_v2"
_MEMBER: Final = "openstack_images_image_access_v2"
_GRANT: Final = "openstack_identity_role_assignment_v3"
_OF_GROUP: Final = "openstack_identity_user_membership_v3"


# --- compute --------------------------------------------------------------------------------------------


def _server(making: _Making, values: Values) -> None:
    for ours, theirs in (("image", "image"), ("flavor", "flavor")):
        found = making.given(theirs)
        by_name = isinstance(found, str) and not _ID.fullmatch(found)
        values |= {f"{ours}_id": None if by_name else found, f"{ours}_name": found if by_name else None}
    values["security_groups"] = making.named(values["security_groups"])
    values["user_data"] = _user_data(making, values["user_data"])
    hints = making.given("scheduler_hints")
    values["scheduler_hints"] = [hints] if isinstance(hints, dict) else hints
    values["network"] = _networks(making)
    values["block_device"] = [
        *_devices(making, "block_device_mapping"),
        *_devices(making, "block_device_mapping_v2"),
    ]
    values["block_device"] = values["block_device"] or None


def _user_data(making: _Making, value: Any) -> Any:
    """User data as the server gets them; they may be the text that a resource for software holds."""
    if isinstance(value, Link):
        made = making.around.get(value.address)
        value = Link(value.address, "config") if made is not None and made.type in _CONFIGS else LATER
    match making.given("user_data_format") or "HEAT_CFNTOOLS":
        case "RAW":
            return value
        case "HEAT_CFNTOOLS":
            # NOTE: Heat puts them into one of several parts of its own, which hold no secret.
            return value if value is not None and value != "" else "#cloud-config"
        case _:
            # NOTE: Heat adds the credentials by which software in the server asks for its configuration.
            return value if isinstance(value, str) and _tells(value) else LATER


def _tells(text: str) -> bool:
    look = Look()
    look.user_data(text)
    return bool(look.result())


def _networks(making: _Making) -> Any:
    written = making.given("networks")
    if written is None:
        # NOTE: Nova then takes the network that the project can use, if there is just one.
        return [{"uuid": None, "port": None, "fixed_ip_v4": None}]
    if not isinstance(written, list):
        return written
    found: list[Any] = []
    for n, one in enumerate(written):
        if not isinstance(one, dict):
            found.append(LATER)
            continue
        if one.get("allocate_network") == "none":
            continue
        network, port = one.get("network", one.get("uuid")), one.get("port")
        extra = one.get("port_extra_properties")
        if port is None and (one.get("subnet") is not None or extra is not None):
            # NOTE: Heat makes a port of its own for these, and gives it to the server.
            port = Link(f"{making.block.address}/networks/{n}")
            values = {**extra} if isinstance(extra, dict) else {}
            if extra is not None and not isinstance(extra, dict):
                values = {"port_security_enabled": LATER, "allowed_address_pairs": LATER}
            groups = making.given("security_groups")
            making.add(
                _PORT, "networks", n,
                {
                    "name": LATER, "network_id": LATER if network is None else network,
                    "admin_state_up": True,
                    "fixed_ip": [{"subnet_id": one.get("subnet"), "ip_address": one.get("fixed_ip")}],
                    "security_group_ids": groups or None, **values,
                },
                {"network_id": "network", "fixed_ip": "subnet"} | dict.fromkeys(values,
                 "port_extra_properties"),
            )  # fmt: skip
        if one.get("floating_ip") is not None:
            making.add(
                _TIE, "networks", n,
                {"floating_ip": _attribute(one["floating_ip"], "address"),
                 "port_id": LATER if port is None else port},
                {"port_id": "port"},
            )  # fmt: skip
        found.append(
            {"uuid": network if port is None else None, "port": port, "fixed_ip_v4": one.get("fixed_ip")}
        )
    return found


def _devices(making: _Making, name: str) -> Iterator[Any]:
    written = making.given(name)
    if written is None:
        return
    for one in written if isinstance(written, list) else [written]:
        if not isinstance(one, dict):
            yield LATER
            continue
        sources = (
            ("volume_id", "volume"),
            ("image", "image"),
            ("image_id", "image"),
            ("snapshot_id", "snapshot"),
        )
        key, source = next(((key, kind) for key, kind in sources if one.get(key) is not None), ("", "blank"))
        yield {
            "uuid": one.get(key) if key else None, "source_type": source,
            "destination_type": "local" if source == "blank" else "volume",
            "volume_size": one.get("volume_size"), "boot_index": one.get("boot_index"),
            "delete_on_termination": one.get("delete_on_termination"), "volume_type": one.get("volume_type"),
        }  # fmt: skip


def _cloud_config(making: _Making, values: Values) -> None:
    found = making.given("cloud_config")
    if found is not None:
        values["config"] = untold(found) or json.dumps(found)


def _volume(making: _Making, values: Values) -> None:
    values["volume_type"] = making.named(values["volume_type"])


# --- networks -------------------------------------------------------------------------------------------


def _specs(making: _Making, values: Values) -> None:
    """Attributes that are given to the service past Heat, by the names of its API."""
    specs = making.given("value_specs")
    if isinstance(specs, dict):
        values |= {str(_API.get(key, key)): value for key, value in specs.items()}
    elif specs is not None:
        values |= {word: LATER for word, value in values.items() if word != "name" and value is None}


_API: Final = {
    "router:external": "external", "tenant_id": "tenant_id", "security_groups": "security_group_ids",
    "qos_policy_id": "qos_policy_id",
}  # fmt: skip


def _provider_network(making: _Making, values: Values) -> None:
    values["segments"] = [
        {key: making.given(key) for key in ("network_type", "physical_network", "segmentation_id")}
    ]


def _port(making: _Making, values: Values) -> None:
    _specs(making, values)
    # NOTE: Heat sends "" for a port that names no device. What then uses it makes it its own.
    values |= {word: values[word] or None for word in ("device_id", "device_owner")}
    fixed = values["fixed_ip"]
    if isinstance(fixed, list):
        values["fixed_ip"] = [
            {"subnet_id": one.get("subnet", one.get("subnet_id")), "ip_address": one.get("ip_address")}
            if isinstance(one, dict)
            else one
            for one in fixed
        ]
    groups = values["security_group_ids"]
    if isinstance(groups, list):
        values["security_group_ids"] = [identified(one) for one in groups]
        # An empty list is no group at all; Neutron adds its own only where none are given.
        values["no_security_groups"] = not groups
    elif groups is not None:
        values["no_security_groups"] = LATER


def _router(making: _Making, values: Values) -> None:
    _specs(making, values)
    gateway = making.given("external_gateway_info")
    if isinstance(gateway, dict):
        values |= {
            "external_network_id": gateway.get("network"), "enable_snat": gateway.get("enable_snat"),
            "external_fixed_ip": gateway.get("external_fixed_ips"),
        }  # fmt: skip
    elif gateway is not None:
        values |= {"external_network_id": LATER, "enable_snat": LATER}


def _routes(making: _Making, values: Values) -> None:
    for n, one in making.rows("routes", "the routes", _ROUTE):
        row = {"router_id": making.given("router"), "destination_cidr": one.get("destination")}
        making.add(
            _ROUTE, "routes", n, {**row, "next_hop": one.get("nexthop")},
            {"destination_cidr": "destination", "next_hop": "nexthop"},
        )  # fmt: skip


def _association(making: _Making, values: Values) -> None:
    values["floating_ip"] = _attribute(values["floating_ip"], "address")


def _security_group(making: _Making, values: Values) -> None:
    egress: bool | Untold = False
    for n, one in making.rows("rules", "the rules", _RULE):
        direction = one.get("direction") or "ingress"
        egress = True if direction == "egress" else egress or (LATER if untold(direction) else False)
        row = {
            "security_group_id": making.itself, "direction": direction,
            "ethertype": one.get("ethertype") or "IPv4",
            "protocol": one.get("protocol"), "port_range_min": one.get("port_range_min"),
            "port_range_max": one.get("port_range_max"), "description": one.get("description"),
        }  # fmt: skip
        prefix, group = one.get("remote_ip_prefix"), one.get("remote_group_id")
        match one.get("remote_mode") or "remote_ip_prefix":
            case "remote_group_id":
                # Of a rule without a group, the group it is a rule of.
                row |= {
                    "remote_ip_prefix": None,
                    "remote_group_id": making.itself if group is None else group,
                }
            case "remote_ip_prefix":
                row |= {"remote_ip_prefix": prefix, "remote_group_id": None}
            case _:
                row |= {"remote_ip_prefix": LATER, "remote_group_id": LATER}
        making.add(_RULE, "rules", n, row)
    # NOTE: Neutron lets a new group send everything; Heat takes those rules away where one sends.
    values["delete_default_rules"] = LATER if making.perhaps and egress is False else egress
    if egress is LATER and not making.perhaps:
        making.miss("rules", "the directions of the rules", _RULE)


def _vpn(making: _Making, values: Values) -> None:
    # A key is never kept, not even as what it is not.
    values["dpd"] = [values["dpd"]] if isinstance(values["dpd"], dict) else values["dpd"]


# --- the rest -------------------------------------------------------------------------------------------


def _encryption(making: _Making, values: Values) -> None:
    values["volume_type_id"] = identified(values["volume_type_id"])


def _image(making: _Making, values: Values) -> None:
    # NOTE: Heat has Glance fetch the image (web-download), which may add properties.
    values["web_download"] = True
    extra = making.given("extra_properties")
    words = ("architecture", "kernel_id", "os_distro", "os_version", "ramdisk_id")
    own: Values = {word: making.given(word) for word in words if making.given(word) is not None}
    values["properties"] = {**(extra or {}), **own} if isinstance(extra, dict | None) else extra
    members = making.given("members")
    for n, one in enumerate(members if isinstance(members, list) else [] if members is None else [LATER]):
        making.add(_MEMBER, "members", n, {"image_id": making.itself, "member_id": one})


def _share(making: _Making, values: Values) -> None:
    for n, one in making.rows("access_rules", "the access rules", _ACCESS):
        # Manila: without a level, a rule is for reading and writing.
        row = {key: one.get(key) for key in ("access_to", "access_type")}
        making.add(
            _ACCESS, "access_rules", n,
            {"share_id": making.itself, **row, "access_level": one.get("access_level") or "rw"},
        )  # fmt: skip


def _pool(making: _Making, values: Values) -> None:
    kept = values["persistence"]
    values["persistence"] = [kept] if isinstance(kept, dict) else kept


def _assigned(key: str, own: str | None = None) -> Callable[[_Making, Values], None]:
    """Read `roles`: each is an assignment of its own, to a user or group (`key`), which `own` names."""

    def shape(making: _Making, values: Values) -> None:
        who = making.itself if own is None else making.given(own)
        for n, one in making.rows("roles", "the roles", _GRANT):
            making.add(
                _GRANT, "roles", n,
                {
                    key: who, "role_id": one.get("role"), "project_id": one.get("project"),
                    "domain_id": one.get("domain"),
                },
                {"role_id": "role", "project_id": "project", "domain_id": "domain"},
            )  # fmt: skip
        groups = making.given("groups") if own is None and key == "user_id" else None
        for n, one in enumerate(groups if isinstance(groups, list) else [] if groups is None else [LATER]):
            making.add(
                _OF_GROUP,
                "groups",
                n,
                {"user_id": making.itself, "group_id": one},
            )

    return shape


# --- the table ------------------------------------------------------------------------------------------


def _same(words: str, **others: str) -> dict[str, str]:
    """Properties by the block's words for them: `words` are called alike."""
    return {**{word: word for word in words.split()}, **others}


_CONFIGS: Final = frozenset({"OS::Heat::SoftwareConfig", "OS::Heat::CloudConfig"})
_UP: Final = {"admin_state_up": True}
_ASSIGNMENT: Final = "heat_role_assignments"
"""Blocks that are nothing themselves; what they hold becomes blocks."""

TYPES: Final[Mapping[str, _Kind]] = {
    "OS::Cinder::Volume": _Kind(
        "openstack_blockstorage_volume_v3",
        _same(
            "size name description availability_zone volume_type snapshot_id backup_id metadata multiattach",
            image_id="image", source_vol_id="source_volid",
        ),
        {"metadata": {}, "multiattach": False}, _volume,
    ),
    "OS::Cinder::VolumeAttachment": _Kind(
        "openstack_compute_volume_attach_v2", _same("volume_id", instance_id="instance_uuid"),
    ),
    "OS::Cinder::VolumeType": _Kind(
        "openstack_blockstorage_volume_type_v3", _same("name description is_public", extra_specs="metadata"),
        {"is_public": True},
    ),
    "OS::Cinder::EncryptedVolumeType": _Kind(
        "heat_volume_type_encryption",
        _same("provider cipher key_size control_location", volume_type_id="volume_type"),
        {"control_location": "front-end"}, _encryption,
    ),
    "OS::Nova::Server": _Kind(
        "openstack_compute_instance_v2",
        _same(
            "name availability_zone security_groups config_drive metadata user_data tags scheduler_hints",
            key_pair="key_name", flavor_id="flavor", flavor_name="flavor", image_id="image",
            image_name="image", network="networks", block_device="block_device_mapping_v2",
        ),
        {"metadata": {}}, _server, (_PORT, _TIE),
    ),
    "OS::Nova::ServerGroup": _Kind(
        "openstack_compute_servergroup_v2", _same("name policies"), {"policies": ["anti-affinity"]},
    ),
    "OS::Nova::KeyPair": _Kind("openstack_compute_keypair_v2", _same("name public_key", user_id="user")),
    "OS::Nova::Flavor": _Kind(
        "openstack_compute_flavor_v2",
        _same("name ram vcpus disk swap ephemeral is_public extra_specs", flavor_id="flavorid"),
        {"disk": 0, "swap": 0, "ephemeral": 0, "is_public": True},
    ),
    "OS::Heat::SoftwareConfig": _Kind("heat_software_config", _same("config")),
    "OS::Heat::CloudConfig": _Kind("heat_software_config", {}, {"config": None}, _cloud_config),
    "OS::Neutron::Net": _Kind(
        "openstack_networking_network_v2",
        _same(
            "name admin_state_up shared port_security_enabled dns_domain availability_zone_hints tags"
            " tenant_id",
            qos_policy_id="qos_policy",
        ),
        {**_UP, "shared": False, "external": None}, _specs,
    ),
    "OS::Neutron::ProviderNet": _Kind(
        "openstack_networking_network_v2",
        _same(
            "name admin_state_up shared port_security_enabled dns_domain availability_zone_hints tags"
            " tenant_id",
            external="router_external",
        ),
        {**_UP, "shared": True, "external": False}, _provider_network,
    ),
    "OS::Neutron::Subnet": _Kind(
        "openstack_networking_subnet_v2",
        _same(
            "name cidr ip_version dns_nameservers gateway_ip enable_dhcp tenant_id tags ipv6_ra_mode"
            " ipv6_address_mode", network_id="network", subnetpool_id="subnetpool",
            allocation_pool="allocation_pools",
        ),
        {"ip_version": 4, "dns_nameservers": [], "enable_dhcp": True}, _specs,
    ),
    "OS::Neutron::Port": _Kind(
        "openstack_networking_port_v2",
        _same(
            "name admin_state_up mac_address device_id device_owner allowed_address_pairs"
            " port_security_enabled"
            " tags dns_name", network_id="network", fixed_ip="fixed_ips",
            security_group_ids="security_groups",
            qos_policy_id="qos_policy", no_fixed_ip="no_fixed_ips",
        ),
        _UP, _port,
    ),
    "OS::Neutron::Router": _Kind(
        "openstack_networking_router_v2",
        _same(
            "name admin_state_up distributed ha availability_zone_hints tags tenant_id",
            external_network_id="external_gateway_info",
        ),
        _UP, _router,
    ),
    "OS::Neutron::RouterInterface": _Kind(
        "openstack_networking_router_interface_v2",
        {"router_id": "router", "subnet_id": "subnet", "port_id": "port"},
    ),
    "OS::Neutron::ExtraRouteSet": _Kind("heat_routes", {}, {}, _routes, (_ROUTE,)),
    "OS::Neutron::FloatingIP": _Kind(
        "openstack_networking_floatingip_v2",
        _same(
            "port_id dns_name dns_domain", pool="floating_network", subnet_id="floating_subnet",
            fixed_ip="fixed_ip_address", address="floating_ip_address",
        ),
        {}, _specs,
    ),
    "OS::Neutron::FloatingIPAssociation": _Kind(
        "openstack_networking_floatingip_associate_v2",
        _same("port_id", floating_ip="floatingip_id", fixed_ip="fixed_ip_address"), {}, _association,
    ),
    "OS::Neutron::SecurityGroup": _Kind(
        "openstack_networking_secgroup_v2", _same("name description stateful"), {}, _security_group,
        (_RULE,),
    ),
    "OS::Neutron::SecurityGroupRule": _Kind(
        "openstack_networking_secgroup_rule_v2",
        _same(
            "direction ethertype protocol port_range_min port_range_max remote_ip_prefix description",
            security_group_id="security_group", remote_group_id="remote_group",
        ),
        {"direction": "ingress", "ethertype": "IPv4", "protocol": "tcp"},
    ),
    "OS::Neutron::RBACPolicy": _Kind(
        "openstack_networking_rbac_policy_v2", _same("action object_id object_type target_tenant tenant_id"),
    ),
    "OS::Neutron::QoSPolicy": _Kind(
        "openstack_networking_qos_policy_v2", _same("name description shared tenant_id"), {"shared": False},
    ),
    **{
        f"OS::Neutron::QoS{word}Rule": _Kind(
            f"openstack_networking_qos_{kind}_rule_v2", {"qos_policy_id": "policy"}
        )
        for word, kind in (
            ("BandwidthLimit", "bandwidth_limit"), ("DscpMarking", "dscp_marking"),
            ("MinimumBandwidth", "minimum_bandwidth"),
        )
    },
    "OS::Neutron::Trunk": _Kind(
        "openstack_networking_trunk_v2",
        _same("name description admin_state_up", port_id="port", sub_port="sub_ports"),
    ),
    "OS::Neutron::IPsecSiteConnection": _Kind(
        "openstack_vpnaas_site_connection_v2",
        _same(
            "name description peer_address peer_id peer_cidrs mtu dpd initiator admin_state_up ikepolicy_id"
            " ipsecpolicy_id vpnservice_id",
        ),
        {**_UP, "mtu": 1500, "initiator": "bi-directional"}, _vpn,
    ),
    "OS::Neutron::IKEPolicy": _Kind(
        "openstack_vpnaas_ike_policy_v2",
        _same(
            "name description auth_algorithm encryption_algorithm phase1_negotiation_mode pfs ike_version",
        ),
        {
            "auth_algorithm": "sha1", "encryption_algorithm": "aes-128", "phase1_negotiation_mode": "main",
            "pfs": "group5", "ike_version": "v1",
        },
    ),
    "OS::Neutron::IPsecPolicy": _Kind(
        "openstack_vpnaas_ipsec_policy_v2",
        _same(
            "name description transform_protocol encapsulation_mode auth_algorithm encryption_algorithm pfs",
        ),
        {
            "transform_protocol": "esp", "encapsulation_mode": "tunnel", "auth_algorithm": "sha1",
            "encryption_algorithm": "aes-128", "pfs": "group5",
        },
    ),
    "OS::Glance::WebImage": _Kind(
        "openstack_images_image_v2",
        _same(
            "name container_format disk_format protected tags visibility owner", image_source_url="location",
            min_disk_gb="min_disk", min_ram_mb="min_ram",
            properties="extra_properties",
        ),
        {"protected": False, "visibility": "private", "min_disk_gb": 0, "min_ram_mb": 0}, _image,
        (_MEMBER,),
    ),
    "OS::Swift::Container": _Kind(
        "openstack_objectstorage_container_v1",
        _same(
            "name", container_read="X-Container-Read", container_write="X-Container-Write",
            metadata="X-Container-Meta",
        ),
        {"metadata": {}},
    ),
    "OS::Octavia::LoadBalancer": _Kind(
        "openstack_lb_loadbalancer_v2",
        _same(
            "name description vip_address admin_state_up tenant_id availability_zone",
            vip_subnet_id="vip_subnet",
            loadbalancer_provider="provider", flavor_id="flavor",
        ),
        _UP,
    ),
    "OS::Octavia::Listener": _Kind(
        "openstack_lb_listener_v2",
        _same(
            "name description protocol protocol_port admin_state_up connection_limit"
            " default_tls_container_ref"
            " sni_container_refs allowed_cidrs tenant_id", loadbalancer_id="loadbalancer",
            default_pool_id="default_pool",
        ),
        {**_UP, "connection_limit": -1},
    ),
    "OS::Octavia::L7Policy": _Kind(
        "openstack_lb_l7policy_v2",
        _same("name description action redirect_url admin_state_up", listener_id="listener",
              redirect_pool_id="redirect_pool"),
        _UP,
    ),
    "OS::Octavia::Pool": _Kind(
        "openstack_lb_pool_v2",
        _same(
            "name description protocol admin_state_up tls_enabled", lb_method="lb_algorithm",
            persistence="session_persistence", listener_id="listener", loadbalancer_id="loadbalancer",
        ),
        {**_UP, "tls_enabled": False}, _pool,
    ),
    "OS::Octavia::PoolMember": _Kind(
        "openstack_lb_member_v2",
        _same(
            "address protocol_port weight admin_state_up monitor_address monitor_port", pool_id="pool",
            subnet_id="subnet",
        ),
        {**_UP, "weight": 1},
    ),
    "OS::Octavia::HealthMonitor": _Kind(
        "openstack_lb_monitor_v2",
        _same(
            "type delay timeout max_retries url_path http_method expected_codes admin_state_up",
            pool_id="pool",
        ),
        _UP,
    ),
    "OS::Manila::Share": _Kind(
        "openstack_sharedfilesystem_share_v2",
        _same(
            "name description size share_type is_public metadata", share_proto="share_protocol",
            snapshot_id="snapshot", share_network_id="share_network",
        ),
        {"is_public": False}, _share, (_ACCESS,),
    ),
    "OS::Keystone::Project": _Kind(
        "openstack_identity_project_v3",
        _same("name description enabled tags", domain_id="domain", parent_id="parent"),
        {"enabled": True, "domain_id": "default", "tags": []},
    ),
    "OS::Keystone::User": _Kind(
        "openstack_identity_user_v3",
        _same("name description enabled", domain_id="domain", default_project_id="default_project"),
        {"enabled": True, "domain_id": "default"}, _assigned("user_id"), (_GRANT, _OF_GROUP),
    ),
    "OS::Keystone::Group": _Kind(
        "openstack_identity_group_v3", _same("name description", domain_id="domain"),
        {"domain_id": "default"}, _assigned("group_id"), (_GRANT,),
    ),
    "OS::Keystone::Role": _Kind("openstack_identity_role_v3", _same("name", domain_id="domain")),
    **{
        f"OS::Keystone::{word.capitalize()}RoleAssignment": _Kind(
            _ASSIGNMENT, {}, {}, _assigned(f"{word}_id", word), (_GRANT,)
        )
        for word in ("user", "group")
    },
    "OS::Barbican::Secret": _Kind(
        "openstack_keymanager_secret_v1", _same("name secret_type algorithm bit_length mode expiration"),
        {"secret_type": "opaque"},
    ),
    "OS::Designate::Zone": _Kind(
        "openstack_dns_zone_v2", _same("name description email ttl type", masters="primaries"),
        {"type": "PRIMARY"},
    ),
}  # fmt: skip
"""Types whose blocks are read."""

PLAIN: Final = frozenset(
    f"OS::{service}::{type_}"
    for service, types in {
        "Aodh": "Alarm CombinationAlarm CompositeAlarm EventAlarm GnocchiAggregationByMetricsAlarm"
        " GnocchiAggregationByResourcesAlarm GnocchiResourcesAlarm LBMemberHealthAlarm PrometheusAlarm",
        "Barbican": "CertificateContainer GenericContainer",
        "Blazar": "Host Lease",
        "Cinder": "QoSAssociation QoSSpecs Quota",
        "Designate": "RecordSet",
        "Heat": "AccessPolicy Delay DeployedServer MultipartMime RandomString ScalingPolicy SoftwareComponent"
        " SoftwareDeployment SoftwareDeploymentGroup StructuredConfig StructuredDeployment"
        " StructuredDeploymentGroup SwiftSignal SwiftSignalHandle TestResource UpdateWaitConditionHandle"
        " Value"
        " WaitCondition WaitConditionHandle",
        "Ironic": "Port",
        "Manila": "SecurityService ShareNetwork ShareType",
        "Mistral": "CronTrigger Workflow",
        "Neutron": "AddressScope Firewall FirewallPolicy FirewallRule FlowClassifier L2Gateway"
        " L2GatewayConnection MeteringLabel MeteringRule NetworkGateway PortChain PortPair PortPairGroup"
        " QoSMinimumPacketRateRule Segment"
        " Quota SubnetPool TaaS::TapFlow TaaS::TapService VPNService",
        "Octavia": "AvailabilityZone AvailabilityZoneProfile Flavor FlavorProfile L7Rule Quota",
        "Nova": "Quota",
        "Zaqar": "MistralTrigger Queue SignedQueueURL Subscription",
    }.items()
    for type_ in types.split()
)
"""Types that make nothing of what is read, so that leaving them out hides nothing."""
