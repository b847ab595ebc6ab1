"""Heat templates as code that is not deployed yet: what is read, what stays open, what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from heat_values import worked_out

from cloudaudit.collectors.deployment import DeploymentCollector, heat
from cloudaudit.collectors.deployment.block import LATER, WITHHELD, Block, Code, CodeTarget, Link
from cloudaudit.collectors.deployment.heat_meaning import PLAIN, TYPES
from cloudaudit.collectors.transport import CallLog
from cloudaudit.errors import TargetError
from cloudaudit.model import Resource, Scope, Written

DATA = Path(__file__).parent.parent / "data" / "heat"
HEAD = "heat_template_version: 2018-08-31\n"


def target(folder: Path, template: str, environment: str | None = None, **files: str) -> CodeTarget:
    for name, content in {"stack.yaml": template, **files}.items():
        (folder / name.replace("__", "/").replace("_yaml", ".yaml")).write_text(content, encoding="utf-8")
    if environment is not None:
        (folder / "env.yaml").write_text(environment, encoding="utf-8")
    return CodeTarget(
        "stack", "template", folder / "stack.yaml", "infra/stack.yaml",
        environment=None if environment is None else folder / "env.yaml",
    )  # fmt: skip


def read(folder: Path, template: str, environment: str | None = None, **files: str) -> Code:
    of = target(folder, template, environment, **files)
    return heat.read(of, of.file.read_bytes())


def told(code: Code) -> dict[str, Mapping[str, Any]]:
    """What each block tells, without what it leaves to the service."""
    return {
        block.address: {key: value for key, value in block.values.items() if value is not None}
        for block in code.blocks
    }


# --- functions and parameters -------------------------------------------------------------------------

CASES = yaml.safe_load((DATA / "engine.yaml").read_text(encoding="utf-8"))
ANSWERS = json.loads((DATA / "answers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_values_are_those_of_heats_own_engine(case: dict[str, str], tmp_path: Path) -> None:
    template = case.get("template") or (
        f"{HEAD}resources:\n  r:\n    type: OS::Heat::TestResource\n    properties:\n      value: {case['property']}\n"
    )
    answer = ANSWERS[case["name"]]
    of = target(tmp_path, template, case.get("environment"))
    if isinstance(answer, str):
        with pytest.raises(TargetError) as refused:
            heat.read(of, of.file.read_bytes())
        assert refused.value.problems[0].where is not None
    else:
        assert worked_out(of) == answer


OPEN = (
    HEAD
    + """
parameters:
  given: {type: string, default: web}
  open: {type: string}
  secret: {type: string, hidden: true, default: hunter22}
conditions:
  never: {equals: [{get_param: given}, db]}
  unclear: {equals: [{get_param: open}, yes]}
  hidden: {equals: [{get_param: secret}, x]}
resources:
  a:
    type: OS::Heat::TestResource
    properties:
      value: VALUE
  b: {type: OS::Heat::TestResource}
  v: {type: OS::Heat::Value, properties: {value: {a: [{get_param: given}, {get_param: secret}]}}}
"""
)


@pytest.mark.parametrize(
    ("value", "comes_to"),
    [
        ("{get_param: open}", LATER),
        ("{get_param: [open, a, 1]}", LATER),
        ("{get_param: 'OS::stack_name'}", LATER),
        ("{get_param: secret}", WITHHELD),
        ("{get_resource: b}", Link("b")),
        ("{get_attr: [b, name]}", LATER),
        ("{get_attr: [v, value, a, 0]}", "web"),
        ("{get_attr: [v, value, a, 1]}", WITHHELD),
        ("{get_attr: [v, value, nope]}", None),
        ("{get_file: /etc/passwd}", LATER),
        ("{yaql: {expression: $.data, data: 1}}", LATER),
        ("{resource_facade: metadata}", LATER),
        ("{str_replace: {template: 'a $x', params: {$x: {get_param: open}}}}", LATER),
        ("{str_replace: {template: 'a $x', params: {$x: {get_param: open}, a: {get_param: secret}}}}", WITHHELD),
        ("{str_replace: {template: 'a', params: {$x: {get_param: open}, a: b}}}", "b"),
        ("{list_join: ['', [a, {get_resource: b}]]}", LATER),
        ("{list_join: ['', [{get_param: open}], [{get_param: secret}]]}", WITHHELD),
        ("{list_concat: [[a], {get_param: open}, [b]]}", ["a", LATER, "b"]),
        ("{map_merge: [{a: 1}, {b: {get_param: open}}]}", {"a": 1, "b": LATER}),
        ("{map_merge: [{a: 1}, {get_param: open}]}", LATER),
        ("{repeat: {for_each: {x: [a, {get_param: open}]}, template: {k: x, l: n}}}",
         [{"k": "a", "l": "n"}, {"k": LATER, "l": "n"}]),
        ("{repeat: {for_each: {x: {get_param: open}}, template: x}}", [LATER]),
        ("{filter: [[a], [a, {get_param: open}]]}", [LATER]),
        ("{digest: [md5, {get_param: secret}]}", WITHHELD),
        ("{str_split: [',', {get_param: open}, 0]}", LATER),
        ("{make_url: {host: {get_param: open}}}", LATER),
        ("{if: [unclear, a, b]}", LATER),
        ("{if: [unclear, a, a]}", "a"),
        ("{if: [hidden, a, b]}", WITHHELD),
        ("{if: [{and: [unclear, never]}, a, b]}", "b"),
        ("{if: [{or: [unclear, {not: never}]}, a, b]}", "a"),
        ("{if: [{or: [unclear, never]}, a, b]}", LATER),
        ("{if: [{contains: [{get_param: given}, [{get_param: open}, web]]}, a, b]}", "a"),
        ("{if: [{contains: [{get_param: given}, [{get_param: open}, db]]}, a, b]}", LATER),
    ],
)  # fmt: skip
def test_what_rests_on_something_open_is_open(value: str, comes_to: Any, tmp_path: Path) -> None:
    found = worked_out(target(tmp_path, OPEN.replace("VALUE", value)))
    assert found["a"]["value"] == comes_to


def test_a_hidden_value_is_nowhere(tmp_path: Path) -> None:
    template = HEAD + (
        "parameters:\n  pw: {type: number, hidden: true}\n"
        "resources:\n  v:\n    type: OS::Cinder::Volume\n    properties: {size: 1, name: {get_param: pw}}\n"
    )
    code = read(tmp_path, template, "parameters: {pw: hunter22}")
    assert told(code)["v"]["name"] is WITHHELD
    assert "hunter22" not in repr(code)


# --- what a template declares -------------------------------------------------------------------------


def test_blocks_tell_values_links_and_lines(tmp_path: Path) -> None:
    code = read(tmp_path, (DATA / "whole.yaml").read_text(encoding="utf-8"))
    at = "infra/stack.yaml"
    none = Link("web_group")
    server_lines = {
        "name": 38, "flavor_id": 39, "flavor_name": 39, "image_id": 40, "image_name": 40, "key_pair": 41,
        "security_groups": 42, "network": 43, "metadata": 45, "user_data": 46,
    }  # fmt: skip
    assert code.unread == ()
    assert [(block.address, block.type, block.written) for block in code.blocks] == [
        ("disk", "openstack_blockstorage_volume_v3",
         Written(at, 11, {"size": 14, "name": 15, "volume_type": 16, "metadata": 17})),
        ("web_group", "openstack_networking_secgroup_v2", Written(at, 20, {})),
        ("web_group/rules/0", "openstack_networking_secgroup_rule_v2",
         Written(at, 24, {"protocol": 24, "port_range_min": 25, "port_range_max": 26, "remote_ip_prefix": 27})),
        ("web_group/rules/1", "openstack_networking_secgroup_rule_v2",
         Written(at, 28, {"direction": 28})),
        ("web/0", "openstack_compute_instance_v2", Written(at, 30, server_lines)),
        ("web/1", "openstack_compute_instance_v2", Written(at, 30, server_lines)),
        ("net", "openstack_networking_network_v2", Written(at, 48, {})),
    ]  # fmt: skip
    server = {
        "key_pair": "ops", "security_groups": [none], "metadata": {}, "image_name": "Debian 12",
        "flavor_id": "0d5a4dd0-6bd3-4d27-a6a2-0b0a1d2b1c11", "network": [{"uuid": Link("net"), "port": None, "fixed_ip_v4": None}],
        "user_data": "#cloud-config",
    }  # fmt: skip
    assert told(code) == {
        "disk": {"size": 10, "name": "data-10", "volume_type": "LUKS", "multiattach": False, "metadata": {"role": "data", "n": "3"}},
        "web_group": {"name": LATER, "delete_default_rules": True},
        "web_group/rules/0": {
            "security_group_id": none, "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp",
            "port_range_min": 443, "port_range_max": 443, "remote_ip_prefix": "0.0.0.0/0",
        },
        "web_group/rules/1": {
            "security_group_id": none, "direction": "egress", "ethertype": "IPv4", "remote_group_id": none,
        },
        "web/0": {"name": "web-0", **server},
        "web/1": {"name": "web-1", **server},
        "net": {"name": LATER, "admin_state_up": True, "shared": False},
    }  # fmt: skip


def one(folder: Path, type_: str, properties: str, more: str = "") -> dict[str, Mapping[str, Any]]:
    return told(
        read(folder, f"{HEAD}resources:\n  x:\n    type: {type_}\n    properties: {properties}\n{more}")
    )


@pytest.mark.parametrize(
    ("type_", "properties", "tells"),
    [
        ("OS::Neutron::ProviderNet", "{name: n, network_type: vlan, segmentation_id: 101, router_external: 'true'}", {
            "x": {"name": "n", "admin_state_up": True, "shared": True, "external": True,
                  "segments": [{"network_type": "vlan", "physical_network": None, "segmentation_id": "101"}]},
        }),
        ("OS::Neutron::Net", "{name: n, value_specs: {'router:external': yes}}", {
            "x": {"name": "n", "admin_state_up": True, "shared": False, "external": True},
        }),
        ("OS::Neutron::Port", "{name: p, network_id: public, security_groups: []}", {
            "x": {"name": "p", "admin_state_up": True, "network_id": LATER,
                  "security_group_ids": [], "no_security_groups": True},
        }),
        ("OS::Neutron::Router", "{name: r, external_gateway_info: {network: 4e2dd5f6-8d13-4a4a-a32a-06fd10f2d4d7}}", {
            "x": {"name": "r", "admin_state_up": True, "external_network_id": "4e2dd5f6-8d13-4a4a-a32a-06fd10f2d4d7"},
        }),
        ("OS::Neutron::SecurityGroupRule", "{security_group: default, remote_group: default, port_range_min: '22'}", {
            "x": {"security_group_id": LATER, "remote_group_id": LATER, "direction": "ingress", "ethertype": "IPv4",
                  "protocol": "tcp", "port_range_min": 22},
        }),
        ("OS::Swift::Container", "{name: c, X-Container-Read: '.r:*,.rlistings'}", {
            "x": {"name": "c", "container_read": ".r:*,.rlistings", "metadata": {}},
        }),
        ("OS::Manila::Share", "{name: s, size: 1, share_protocol: NFS, access_rules: [{access_to: 0.0.0.0/0, access_type: ip}]}", {
            "x": {"name": "s", "size": 1, "share_proto": "NFS", "is_public": False},
            "x/access_rules/0": {"share_id": Link("x"), "access_to": "0.0.0.0/0", "access_type": "ip", "access_level": "rw"},
        }),
        ("OS::Keystone::UserRoleAssignment", "{user: u, roles: [{role: admin, project: default}]}", {
            "x": {},
            "x/roles/0": {"user_id": LATER, "role_id": "admin", "project_id": LATER},
        }),
        ("OS::Barbican::Secret", "{name: s, payload: hunter22}", {"x": {"name": "s", "secret_type": "opaque"}}),
        ("OS::Neutron::IPsecSiteConnection",
         "{name: v, psk: hunter22, peer_address: a, peer_id: b, peer_cidrs: [10.0.0.0/8], ikepolicy_id: i, ipsecpolicy_id: j, vpnservice_id: k}", {
            "x": {"name": "v", "peer_address": "a", "peer_id": "b", "peer_cidrs": ["10.0.0.0/8"], "mtu": 1500,
                  "initiator": "bi-directional", "admin_state_up": True, "ikepolicy_id": LATER, "ipsecpolicy_id": LATER,
                  "vpnservice_id": LATER},
        }),
        ("OS::Glance::WebImage", "{name: i, location: 'http://x/y', disk_format: raw, container_format: bare, os_distro: debian}", {
            "x": {"name": "i", "image_source_url": "http://x/y", "disk_format": "raw", "container_format": "bare",
                  "protected": False, "visibility": "private", "min_disk_gb": 0, "min_ram_mb": 0, "web_download": True,
                  "properties": {"os_distro": "debian"}},
        }),
        ("OS::Octavia::Pool", "{name: p, protocol: TLS, lb_algorithm: ROUND_ROBIN, listener: l, session_persistence: {type: SOURCE_IP}}", {
            "x": {"name": "p", "protocol": "TLS", "lb_method": "ROUND_ROBIN", "listener_id": LATER, "admin_state_up": True,
                  "tls_enabled": False, "persistence": [{"type": "SOURCE_IP"}]},
        }),
        ("OS::Nova::ServerGroup", "{name: g}", {"x": {"name": "g", "policies": ["anti-affinity"]}}),
    ],
)  # fmt: skip
def test_types_are_told_with_heats_own_defaults(
    type_: str, properties: str, tells: Mapping[str, Any], tmp_path: Path
) -> None:
    assert one(tmp_path, type_, properties) == tells


def test_a_server_with_ports_volumes_and_software(tmp_path: Path) -> None:
    properties = """
      name: s
      flavor: m1
      user_data_format: RAW
      user_data: {get_resource: config}
      scheduler_hints: {group: {get_resource: together}}
      networks:
        - {port: {get_resource: port}}
        - {subnet: {get_resource: inner}, port_extra_properties: {port_security_enabled: false}}
        - {network: private, floating_ip: {get_resource: fip}}
      block_device_mapping_v2: [{image: Debian, boot_index: 0, volume_size: 5, delete_on_termination: true}]
"""
    more = (
        "  config: {type: 'OS::Heat::SoftwareConfig', properties: {config: 'password=hunter22'}}\n"
        "  together: {type: 'OS::Nova::ServerGroup', properties: {name: g}}\n"
        "  port: {type: 'OS::Heat::Delay'}\n  inner: {type: 'OS::Heat::Delay'}\n  fip: {type: 'OS::Heat::Delay'}\n"
    )
    found = one(tmp_path, "OS::Nova::Server", properties.rstrip("\n"), more)
    assert found["x"] == {
        "name": "s", "flavor_name": "m1", "metadata": {}, "user_data": Link("config", "config"),
        "scheduler_hints": [{"group": Link("together")}],
        "network": [
            {"uuid": None, "port": Link("port"), "fixed_ip_v4": None},
            {"uuid": None, "port": Link("x/networks/1"), "fixed_ip_v4": None},
            {"uuid": LATER, "port": None, "fixed_ip_v4": None},
        ],
        "block_device": [
            {"uuid": LATER, "source_type": "image", "destination_type": "volume", "volume_size": 5,
             "boot_index": 0, "delete_on_termination": True, "volume_type": None}
        ],
    }  # fmt: skip
    assert found["x/networks/1"]["port_security_enabled"] is False
    assert found["x/networks/2"] == {"floating_ip": Link("fip", "address"), "port_id": LATER}


@pytest.mark.parametrize(
    ("networks", "rows"),
    [
        ("", [{"uuid": None, "port": None, "fixed_ip_v4": None}]),
        (", networks: [{allocate_network: none}]", []),
        (", networks: [{allocate_network: auto}]", [{"uuid": None, "port": None, "fixed_ip_v4": None}]),
    ],
)
def test_a_server_without_networks_gets_one(networks: str, rows: object, tmp_path: Path) -> None:
    assert one(tmp_path, "OS::Nova::Server", f"{{flavor: m1{networks}}}")["x"]["network"] == rows


@pytest.mark.parametrize(
    ("format_", "data", "comes_to"),
    [
        ("RAW", "", None), ("RAW", "echo", "echo"), ("HEAT_CFNTOOLS", "", "#cloud-config"),
        ("HEAT_CFNTOOLS", "echo", "echo"), ("SOFTWARE_CONFIG", "echo", LATER),
        ("SOFTWARE_CONFIG", "password=hunter22", "password=hunter22"),
    ],
)  # fmt: skip
def test_heat_adds_to_user_data(format_: str, data: str, comes_to: Any, tmp_path: Path) -> None:
    found = one(
        tmp_path, "OS::Nova::Server", f"{{flavor: m1, user_data_format: {format_}, user_data: '{data}'}}"
    )
    assert (found["x"].get("user_data") or None) == comes_to


def test_rules_that_are_not_told_may_be_any(tmp_path: Path) -> None:
    template = HEAD + (
        "parameters:\n  cidrs: {type: comma_delimited_list}\n  way: {type: string}\n"
        "resources:\n  g:\n    type: OS::Neutron::SecurityGroup\n    properties:\n      name: g\n"
        "      rules: {repeat: {for_each: {C: {get_param: cidrs}}, template: {remote_ip_prefix: C}}}\n"
        "  h:\n    type: OS::Neutron::SecurityGroup\n    properties:\n      name: h\n"
        "      rules: [{direction: {get_param: way}}]\n"
    )
    code = read(tmp_path, template)
    assert code.unread == ()
    assert code.perhaps == {
        "openstack_networking_secgroup_rule_v2": "infra/stack.yaml:10: the rules of 'g' are not told"
    }
    known = template.replace("{get_param: cidrs}", "[10.0.0.0/8]")
    assert read(tmp_path, known).perhaps == {
        "openstack_networking_secgroup_rule_v2": "infra/stack.yaml:15: the directions of the rules of 'h' are not told"
    }
    assert told(code)["g"] == {"name": "g", "delete_default_rules": LATER}


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        ("{type: 'My::Own::Type'}", "what 'My::Own::Type' makes is not read"),
        ("{type: 'AWS::EC2::Instance'}", "what 'AWS::EC2::Instance' makes is not read"),
        ("{type: 'OS::Heat::Stack'}", "what 'OS::Heat::Stack' makes is not read"),
        ("{type: 'OS::Magnum::Cluster'}", "what 'OS::Magnum::Cluster' makes is not read"),
        ("{type: 'OS::Nova::FloatingIP'}", "what 'OS::Nova::FloatingIP' makes is not read"),
        ("{type: '../other.yaml'}", "what 'x' declares is not read: '../other.yaml' lies outside the folder of the template"),
        ("{type: 'https://x/y.yaml'}", "what 'x' declares is not read: 'https://x/y.yaml' lies elsewhere, and nothing is fetched"),
        ("{type: x.yaml, condition: open}", "whether 'x' is declared rests on a condition that is not told"),
        ("{type: 'OS::Heat::ResourceGroup', properties: {count: {get_param: p}, resource_def: {type: x.yaml}}}",
         "how many members 'x' has is not told"),
        ("{type: 'OS::Heat::ResourceGroup', properties: {count: 1, resource_def: {get_param: p}}}",
         "what the members of 'x' are is not told"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_said_to_be_unread(resource: str, why: str, tmp_path: Path) -> None:
    template = f"{HEAD}parameters: {{p: {{type: string}}}}\nconditions: {{open: {{get_param: p}}}}\nresources:\n  x: {resource}\n"
    code = read(tmp_path, template)
    assert (code.blocks, code.unread) == ((), (f"infra/stack.yaml:5: {why}",))


VOLUMES = ("openstack_blockstorage_volume_v3",)
SERVERS = (
    "openstack_compute_instance_v2", "openstack_networking_port_v2", "openstack_networking_floatingip_associate_v2",
)  # fmt: skip
CONDITION = "whether 'x' is declared rests on a condition that is not told"
MEMBERS = "how many members 'x' has is not told"


@pytest.mark.parametrize(
    ("resource", "types", "why"),
    [
        ("{type: 'OS::Cinder::Volume', condition: open}", VOLUMES, CONDITION),
        ("{type: 'OS::Nova::Server', condition: open}", SERVERS, CONDITION),
        ("{type: 'My::Server', condition: open}", SERVERS, CONDITION),
        ("{type: 'OS::Cinder::Volume', properties: {get_param: p}}", VOLUMES, "the properties of 'x' are not told"),
        ("{type: 'OS::Heat::ResourceGroup', properties: {count: {get_param: p}, resource_def: {type: 'OS::Cinder::Volume'}}}",
         VOLUMES, MEMBERS),
        ("{type: 'OS::Heat::AutoScalingGroup', properties: {desired_capacity: {get_param: p}, min_size: 1, max_size: 2, "
         "resource: {type: 'My::Server'}}}", SERVERS, MEMBERS),
        ("{type: 'OS::Heat::ResourceGroup', condition: open, properties: {count: 2, resource_def: {type: 'OS::Nova::Server'}}}",
         SERVERS, CONDITION),
        # What makes nothing, and what is there already, changes no list.
        ("{type: 'OS::Heat::WaitCondition', condition: open}", (), ""),
        ("{type: 'My::Nothing', condition: open}", (), ""),
        ("{type: 'OS::Cinder::Volume', condition: open, external_id: v-1}", (), ""),
    ],
)  # fmt: skip
def test_what_may_be_there_opens_only_the_lists_of_its_types(
    resource: str, types: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    template = f"{HEAD}parameters: {{p: {{type: string}}}}\nconditions: {{open: {{get_param: p}}}}\nresources:\n  x: {resource}\n"
    registry = "resource_registry: {'My::Server': 'OS::Nova::Server', 'My::Nothing': 'OS::Heat::None'}\n"
    code = read(tmp_path, template, registry)
    assert (code.blocks, code.unread) == ((), ())
    assert code.perhaps == dict.fromkeys(types, f"infra/stack.yaml:5: {why}")


def test_the_members_of_a_group_that_single_entries_of_the_registry_map_may_be_anything(
    tmp_path: Path,
) -> None:
    template = (
        f"{HEAD}parameters: {{p: {{type: string}}}}\nresources:\n  x: {{type: 'OS::Heat::ResourceGroup', properties: "
        "{count: {get_param: p}, resource_def: {type: 'OS::Cinder::Volume'}}}\n"
    )
    code = read(
        tmp_path,
        template,
        "resource_registry: {resources: {'1': {'OS::Cinder::Volume': 'OS::Nova::Server'}}}\n",
    )
    assert (code.unread, code.perhaps) == ((f"infra/stack.yaml:4: {MEMBERS}",), {})


def test_types_that_make_others_are_neither_read_nor_passed_over() -> None:
    """Each type of Heat 27.0 that can make a thing we judge is read or named as unread."""
    assert not TYPES.keys() & PLAIN
    for type_ in ("OS::Barbican::Order", "OS::Heat::Stack", "OS::Heat::ResourceChain", "OS::Heat::InstanceGroup",
                  "OS::Trove::Instance", "OS::Sahara::Cluster", "OS::Senlin::Node", "OS::Neutron::RouterGateway",
                  "OS::Neutron::LoadBalancer", "OS::Neutron::LBaaS::Listener", "OS::Glance::Image",
                  "OS::Neutron::FloatingIPPortForward", "OS::Neutron::ExtraRoute", "OS::Nova::FloatingIPAssociation"):  # fmt: skip
        assert type_ not in TYPES
        assert type_ not in PLAIN


# --- groups, environments and templates within templates ----------------------------------------------

VOLUME = (
    HEAD
    + "parameters:\n  size: {type: number}\n  name: {type: string, default: inner}\n"
    + "resources:\n  disk:\n    type: OS::Cinder::Volume\n    properties:\n      size: {get_param: size}\n"
    + "      name: {get_param: name}\n"
)


def test_a_template_is_a_type(tmp_path: Path) -> None:
    outer = HEAD + "resources:\n  x: {type: volume.yaml, properties: {size: '7'}}\n"
    code = read(tmp_path, outer, volume_yaml=VOLUME)
    (block,) = code.blocks
    assert (block.address, block.written) == (
        "x/disk",
        Written("infra/volume.yaml", 6, {"size": 9, "name": 10}),
    )
    assert (block.values["size"], block.values["name"]) == (7, "inner")
    assert set(code.made) == {"infra/volume.yaml", "heat_template_version"}


def test_the_registry_puts_one_type_in_place_of_another(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    outer = HEAD + (
        "resources:\n  a: {type: 'My::Disk', properties: {size: 1}}\n  b: {type: 'OS::Neutron::Net'}\n"
        "  c: {type: 'OS::Cinder::Volume', properties: {size: 2}}\n  d: {type: 'My::Share'}\n"
    )
    environment = (
        "resource_registry:\n  My::Disk: OS::Cinder::Volume\n  OS::Neutron::*: OS::Heat::None\n"
        "  OS::Cinder::Volume: volume.yaml\n  resources: {d: {'My::Share': 'OS::Heat::None'}}\n"
    )
    code = read(tmp_path, outer, environment, volume_yaml=VOLUME)
    assert {name: values["size"] for name, values in told(code).items()} == {"a/disk": 1, "c/disk": 2}
    assert code.unread == ()


def test_what_the_registry_maps_within_a_template_is_said_to_be_unread(tmp_path: Path) -> None:
    environment = (
        "resource_registry:\n  resources:\n    x: {disk: {'OS::Cinder::Volume': 'OS::Heat::None'}}\n"
    )
    code = read(tmp_path, HEAD + "resources: {}", environment)
    assert code.unread == ("infra/env.yaml:3: what lies within 'x' is mapped",)


def test_groups_are_taken_apart(tmp_path: Path) -> None:
    template = (
        HEAD
        + """
resources:
  g:
    type: OS::Heat::ResourceGroup
    properties:
      count: 2
      index_var: "#n#"
      removal_policies: [{resource_list: [0]}]
      resource_def:
        type: OS::Heat::ResourceGroup
        properties:
          count: "2"
          resource_def: {type: OS::Cinder::Volume, properties: {size: 1, name: "v-#n#-%index%"}}
  s:
    type: OS::Heat::AutoScalingGroup
    properties:
      min_size: 1
      max_size: 9
      resource: {type: volume.yaml, properties: {size: 3}}
  r:
    type: OS::Heat::ResourceGroup
    properties: {count: 0, resource_def: {type: OS::Cinder::Volume}}
  x:
    type: OS::Cinder::VolumeAttachment
    properties: {instance_uuid: {get_attr: [g, resource.1]}, volume_id: {get_attr: [r, refs, 0]}}
"""
    )
    code = read(tmp_path, template, volume_yaml=VOLUME)
    assert {name: values.get("name") for name, values in told(code).items()} == {
        "g/1/0": "v-1-0", "g/1/1": "v-1-1", "g/2/0": "v-2-0", "g/2/1": "v-2-1", "s/0/disk": "inner", "x": None,
    }  # fmt: skip
    assert told(code)["x"] == {"instance_id": Link("g/1")}


def test_what_is_there_already_is_not_made(tmp_path: Path) -> None:
    template = HEAD + (
        "resources:\n  net: {type: 'OS::Neutron::Net', external_id: 4e2dd5f6-8d13-4a4a-a32a-06fd10f2d4d7}\n"
        "  port: {type: 'OS::Neutron::Port', properties: {name: p, network: {get_resource: net}}}\n"
    )
    found = told(read(tmp_path, template))
    assert (list(found), found["port"]["network_id"]) == (["port"], "4e2dd5f6-8d13-4a4a-a32a-06fd10f2d4d7")


# --- bad input ----------------------------------------------------------------------------------------

BOMB = HEAD + "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"b{n}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(8)
)  # fmt: skip
DOUBLING = (
    HEAD
    + "resources:\n  v0: {type: 'OS::Heat::Value', properties: {value: [aaaaaaaaaa]}}\n"
    + "".join(
        f"  v{n}: {{type: 'OS::Heat::Value', properties: {{value: {{list_concat: [{{get_attr: [v{n - 1}, value]}},"
        f" {{get_attr: [v{n - 1}, value]}}]}}}}}}\n"
        for n in range(1, 40)
    )
)


@pytest.mark.parametrize(
    ("template", "line", "message"),
    [
        ("a: b: c", 1, "this is not YAML"),
        ("just a text", 1, "this is no Heat template: a template is a mapping"),
        ("a: 1", 1, "this is no Heat template: it has no 'heat_template_version'"),
        ('{"format_version": "1.2", "terraform_version": "1.9"}', 1, "this is JSON of Terraform, no Heat template"),
        ('resource "openstack_x" "y" {\n  a = 1\n}\n', 0, "this is HCL of Terraform, no Heat template"),
        ("AWSTemplateFormatVersion: 2010-09-09\n", 1, "a template with 'AWSTemplateFormatVersion' is in the format of CloudFormation, which is not read"),
        ("description: x\nHeatTemplateFormatVersion: 2012-12-12\n", 2, "a template with 'HeatTemplateFormatVersion' is in the format of CloudFormation, which is not read"),
        ("heat_template_version: 2031-01-01", 1, "'2031-01-01' is no version of HOT that is known"),
        ("heat_template_version: [1]", 1, "what stands here is no version of HOT that is known"),
        (HEAD + "resorces: {}", 2, "'resorces' is no section of a template"),
        (HEAD + "resources: [a]", 2, "'resources' must be a mapping of names"),
        (HEAD + "resources:\n  a: 5", 3, "'a' in 'resources' must be a mapping"),
        (HEAD + "resources:\n  a: {properties: {}}", 3, "the resource 'a' has no type"),
        (HEAD + "resources:\n  a: {type: x}\n  a: {type: y}", 4, "the key 'a' is already given at line 3"),
        (HEAD + "resources:\n  a:\n    type: OS::Cinder::Volume\n    properties: [1]", 5, "the properties of 'a' must be a mapping"),
        (HEAD + "resources:\n  a:\n    type: OS::Cinder::Volume\n    properties:\n      size: {get_resource: b}", 6, "there is no resource 'b'"),
        (HEAD + "resources:\n  a:\n    type: OS::Cinder::Volume\n    properties:\n      size: {Ref: b}", 6, "the function 'Ref' is not in HOT 2018-08-31"),
        (HEAD + "resources:\n  a: {type: 'OS::Cinder::Volume', condition: c}", 3, "'c' is no condition of this template"),
        (HEAD + "resources:\n  a: {type: 'OS::Heat::Value', properties: {value: {get_attr: [a, value]}}}", 3, "'value' of 'a' rests on itself"),
        (HEAD + "resources:\n  a: {type: 'OS::Heat::ResourceGroup', properties: {count: -1, resource_def: {type: x}}}", 3, "the number of members of 'a' must be 0 or more"),
        (HEAD + "resources:\n  a: {type: 'OS::Heat::ResourceGroup', properties: {count: 1000000000, resource_def: {type: 'OS::Cinder::Volume'}}}", 3, "the template declares more than 20000 resources"),
        (HEAD + "resources:\n  a: {type: 'OS::Heat::ResourceGroup', properties: {count: 1}}", 3, "'resource_def' of 'a' must be a mapping with a type"),
        (HEAD + "resources:\n  a: {type: missing.yaml}", 3, "'missing.yaml' cannot be read: No such file or directory"),
        (HEAD + "resources:\n  a: {type: stack.yaml}", 3, "'stack.yaml' uses itself as a type"),
        (HEAD + "parameters: {p: {type: text}}", 2, "parameter 'p': its type must be one of string, number, boolean, json, comma_delimited_list"),
        (HEAD + "parameters: {p: {type: {}}}", 2, "parameter 'p': its type must be one of"),
        (HEAD + "resources:\n  a: {type: 'OS::Heat::Value', properties: {value: {get_resource: b}}}\n  b: {type: {}}", 4, "the resource 'b' has no type"),
        (HEAD + "parameters: {p: {type: [string]}}", 2, "parameter 'p': its type must be one of string, number, boolean, json, comma_delimited_list"),
        (HEAD + "resources:\n  a: {type: {x: y}}\n  b: {type: 'OS::Heat::Value', properties: {value: {get_resource: a}}}", 3, "the resource 'a' has no type"),
        (HEAD + "resources:\n  b: {type: 'OS::Heat::Value', properties: {value: {get_resource: a}}}\n  a: {type: [x]}", 4, "the resource 'a' has no type"),
        (BOMB, 7, "the file holds more than 200000 values"),
        (DOUBLING, 24, "the template comes to more than 5000000 values and characters"),
        (HEAD + "a: &a [*a]", 2, "the alias '*a' has no anchor that is complete before it"),
    ],
)  # fmt: skip
def test_bad_templates_are_refused_at_their_line(
    template: str, line: int, message: str, tmp_path: Path
) -> None:
    of = target(tmp_path, template)
    with pytest.raises(TargetError) as refused:
        heat.read(of, of.file.read_bytes())
    problem = refused.value.problems[0]
    assert problem.where is not None
    assert (Path(problem.where.path).name, problem.where.line) == ("stack.yaml", line)
    assert problem.message.startswith(message)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ("[1]", "an environment is a mapping"),
        ("parametres: {}", "'parametres' is no section of an environment"),
        ("parameters: [1]", "'parameters' must be a mapping"),
        ("parameters: {nope: 1}", "the template has no parameter 'nope', which is given"),
        ("parameters: {size: ten}", "parameter 'size': the value given is no number"),
        ("resource_registry: {'OS::Cinder::Volume': 'A', 'A': 'B', 'B': 'A'}", "is mapped in a circle"),
        ("resource_registry: {'OS::Cinder::Volume': gone.yaml}", "'gone.yaml' cannot be read"),
        ("a: {", "this is not YAML"),
    ],
)
def test_bad_environments_are_refused(environment: str, message: str, tmp_path: Path) -> None:
    template = HEAD + (
        "parameters: {size: {type: number, default: 1}}\n"
        "resources:\n  v: {type: 'OS::Cinder::Volume', properties: {size: {get_param: size}}}\n"
    )
    with pytest.raises(TargetError, match=message.replace("[", r"\[")):
        read(tmp_path, template, environment)


def test_an_environment_that_is_gone_is_told(tmp_path: Path) -> None:
    of = target(tmp_path, HEAD, "{}")
    assert of.environment is not None
    of.environment.unlink()
    with pytest.raises(TargetError, match="'environment' cannot be read: No such file or directory"):
        heat.read(of, of.file.read_bytes())


def test_templates_that_use_each_other_are_refused(tmp_path: Path) -> None:
    outer = HEAD + "resources:\n  a: {type: b.yaml}\n"
    with pytest.raises(TargetError, match=r"stack.yaml' uses itself as a type"):
        read(tmp_path, outer, b_yaml=HEAD + "resources:\n  c: {type: stack.yaml}\n")


def test_a_block_is_new_and_left_out_attributes_are_the_services(tmp_path: Path) -> None:
    code = read(tmp_path, HEAD + "resources:\n  v: {type: 'OS::Cinder::Volume', properties: {size: 1}}\n")
    (block,) = code.blocks
    assert isinstance(block, Block)
    assert (block.new, block.id) == (True, None)
    assert block.left_out == {
        "description", "availability_zone", "volume_type", "snapshot_id", "backup_id", "image_id", "source_vol_id",
    }  # fmt: skip


# --- facts --------------------------------------------------------------------------------------------

STACK = (
    HEAD
    + """
resources:
  type: {type: OS::Cinder::VolumeType, properties: {name: LUKS}}
  cipher:
    type: OS::Cinder::EncryptedVolumeType
    properties: {provider: luks, cipher: aes-xts-plain64, key_size: "256", volume_type: {get_resource: type}}
  plain: {type: OS::Cinder::VolumeType, properties: {name: plain}}
  disk: {type: OS::Cinder::Volume, properties: {name: d, size: 1, volume_type: {get_resource: type}}}
  net: {type: OS::Neutron::Net, properties: {name: n}}
  group: {type: OS::Neutron::SecurityGroup}
  server:
    type: OS::Nova::Server
    properties:
      flavor: m1
      security_groups: [{get_resource: group}]
      networks: [{network: {get_resource: net}}]
      user_data_format: RAW
      user_data: "password=hunter22"
  gate: {type: OS::Neutron::Router, properties: {name: r, ha: true, external_gateway_info: {network: {get_resource: net}}}}
  address: {type: OS::Neutron::FloatingIP, properties: {floating_network: {get_resource: net}}}
"""
)


def resources(folder: Path, template: str, *types: str) -> dict[str, Resource]:
    of = replace(target(folder, template), region="hn", project="app")
    collector = DeploymentCollector(of, frozenset(types), now=lambda: 0)
    log = CallLog()
    found = [one for scope in collector.scopes(log) if isinstance(scope, Scope)
             for one in collector.collect(scope, frozenset(types), log)]  # fmt: skip
    return {one.id: one for one in found if isinstance(one, Resource)}


def test_encryption_is_told_of_types_that_the_template_makes(tmp_path: Path) -> None:
    found = resources(tmp_path, STACK, "openstack.volume_type", "openstack.volume")
    encryption = {
        "encryption.provider": "luks", "encryption.cipher": "aes-xts-plain64", "encryption.key_size": 256,
        "encryption.control_location": "front-end",
    }  # fmt: skip
    common = {"is_public": True, "backend": None, "replication_enabled": False}
    assert found["type"].facts == {**common, **encryption}
    assert found["plain"].facts == {**common, **dict.fromkeys(encryption)}
    assert found["disk"].facts["volume_type"] == "LUKS"


def test_the_port_that_nova_makes_is_in_the_groups_of_the_server(tmp_path: Path) -> None:
    found = resources(tmp_path, STACK, "openstack.port", "openstack.server", "openstack.security_group_rule")
    port = found["server/network/0"]
    assert (port.facts["security_groups"], port.facts["network"], port.facts["device_id"]) == (
        ("group",),
        "net",
        "server",
    )
    assert found["server"].facts["secrets.found"] == (
        {"place": "user_data", "key": "user_data", "pattern": "assignment"},
    )
    lines = {"flavor": 15, "security_groups": 16, "has_user_data": 19}
    assert found["server"].written == Written("infra/stack.yaml", 12, lines)
    # The group has no rule of its own that sends, so that Neutron's stay.
    assert {id_: one.facts["direction"] for id_, one in found.items() if one.type == "openstack.security_group_rule"} == {
        "group/egress/IPv4": "egress", "group/egress/IPv6": "egress",
    }  # fmt: skip


def test_what_is_added_to_a_listener_and_to_a_policy_is_seen(tmp_path: Path) -> None:
    template = HEAD + (
        "resources:\n"
        "  l: {type: 'OS::Octavia::Listener', properties: {name: l, protocol: HTTP, protocol_port: 80}}\n"
        "  p: {type: 'OS::Octavia::L7Policy', properties: {listener: {get_resource: l}, action: REDIRECT_TO_POOL,"
        " redirect_pool: {get_resource: l}}}\n"
        "  q: {type: 'OS::Neutron::QoSPolicy', properties: {name: q}}\n"
        "  b: {type: 'OS::Neutron::QoSBandwidthLimitRule', properties: {policy: {get_resource: q}, max_kbps: 9}}\n"
    )
    found = resources(tmp_path, template, "openstack.listener", "openstack.qos_policy")
    assert [one["action"] for one in cast(Any, found["l"].facts["l7_policies"])] == ["REDIRECT_TO_POOL"]
    assert found["q"].facts["rule_kinds"] == ("bandwidth_limit",)


def test_what_heat_alone_tells_of_networks(tmp_path: Path) -> None:
    found = resources(tmp_path, STACK, "openstack.router", "openstack.floating_ip")
    assert (found["gate"].facts["ha"], found["gate"].facts["external_network"]) == (True, "net")
    assert found["address"].facts["external_network"] == "net"


def test_a_port_is_its_users_though_heat_sends_no_device(tmp_path: Path) -> None:
    template = HEAD + (
        "parameters: {r: {type: string}}\nresources:\n  p: {type: 'OS::Neutron::Port', properties: {network: n}}\n"
        "  free: {type: 'OS::Neutron::Port', properties: {network: n}}\n"
        "  s: {type: 'OS::Nova::Server', properties: {flavor: f, networks: [{port: {get_resource: p}}]}}\n"
    )
    found = resources(tmp_path, template, "openstack.port")
    assert {id_: (one.facts["device_id"], one.facts["device_owner"]) for id_, one in found.items()} == {
        "p": ("s", "compute:"), "free": ("", ""),
    }  # fmt: skip
    # Of a router that is not told it is not known whose port it is.
    template += "  i: {type: 'OS::Neutron::RouterInterface', properties: {router: {get_param: r}, port: {get_resource: free}}}\n"
    (found["p"], found["free"]) = (
        resources(tmp_path, template, "openstack.port")[id_] for id_ in ("p", "free")
    )
    assert (found["p"].facts["device_id"], "device_id" in found["free"].facts) == ("s", False)
