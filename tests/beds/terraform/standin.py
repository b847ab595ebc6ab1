"""A stand-in for a provider, OpenStack's or AWS's: its schema, Terraform's real protocol, and no cloud behind it.

    standin.py SCHEMA.json     started by Terraform, never by hand

What a plan looks like is Terraform's doing, given the schema: which values are known, unknown, sensitive or null,
in which action. So plans are real in their form. What the provider's own code would do beyond the schema (look up
flavors, refuse wrong values, talk to a cloud) is not here. Applying makes values up from what was asked for: the
same resource has the same id in every run.

The protocol is version 5, that of the provider itself, over the messages of version 6 (package `tf`), which have
the same fields under the same numbers.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import sys
import tempfile
import threading
import uuid
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import msgpack
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tf.gen import grpc_controller_pb2, grpc_controller_pb2_grpc, grpc_stdio_pb2_grpc
from tf.gen import tfplugin_pb2 as pb

UNKNOWN = msgpack.ExtType(0, b"\0")
Value = Any
"""As msgpack gives it; an attribute that is not known is UNKNOWN."""

# --- what the bindings do not say: from the providers' documentation and source ------------------------

SENSITIVE = {
    ("openstack_compute_instance_v2", "admin_pass"),
    ("openstack_compute_keypair_v2", "private_key"),
    ("openstack_identity_application_credential_v3", "secret"),
    ("openstack_identity_user_v3", "password"),
    ("openstack_keymanager_secret_v1", "payload"),
    ("openstack_sharedfilesystem_share_access_v2", "access_key"),
    ("provider", "application_credential_secret"),
    ("provider", "password"),
    ("provider", "token"),
}
DEFAULTS: dict[str, dict[str, Value]] = {
    "aws_s3_bucket": {"force_destroy": False},
    "aws_s3_bucket_public_access_block": {
        "block_public_acls": False, "block_public_policy": False, "ignore_public_acls": False,
        "restrict_public_buckets": False,
    },
    "openstack_compute_instance_v2": {
        "force_delete": False, "power_state": "active", "stop_before_destroy": False,
        "block_device.delete_on_termination": False, "block_device.multiattach": False,
        "network.access_network": False,
    },
    "openstack_identity_user_v3": {"enabled": True},
    "openstack_images_image_v2": {"min_disk_gb": 0, "min_ram_mb": 0, "protected": False, "visibility": "private"},
    "openstack_lb_listener_v2": {"admin_state_up": True},
    "openstack_lb_loadbalancer_v2": {"admin_state_up": True},
    "openstack_lb_member_v2": {"admin_state_up": True},
    "openstack_lb_monitor_v2": {"admin_state_up": True},
    "openstack_lb_pool_v2": {"admin_state_up": True},
    "openstack_networking_subnet_v2": {"enable_dhcp": True, "ip_version": 4, "no_gateway": False},
    "openstack_objectstorage_container_v1": {"force_destroy": False, "versioning": False},
    "openstack_vpnaas_site_connection_v2": {"admin_state_up": True},
}  # fmt: skip
COMPUTED_BLOCKS = {
    ("aws_s3_bucket", "cors_rule"),
    ("aws_s3_bucket", "grant"),
    ("aws_s3_bucket", "lifecycle_rule"),
    ("aws_s3_bucket", "logging"),
    ("aws_s3_bucket", "object_lock_configuration"),
    ("aws_s3_bucket", "replication_configuration"),
    ("aws_s3_bucket", "server_side_encryption_configuration"),
    ("aws_s3_bucket", "versioning"),
    ("aws_s3_bucket", "website"),
    ("openstack_compute_instance_v2", "network"),
    ("openstack_networking_port_v2", "binding"),
    ("openstack_networking_router_v2", "external_fixed_ip"),
    ("openstack_networking_subnet_v2", "allocation_pool"),
}
"""Blocks that the service fills when nobody writes them."""
FORCE_NEW = {
    "aws_s3_bucket": {"bucket", "bucket_prefix", "object_lock_enabled"},
    "openstack_blockstorage_volume_v3": {"snapshot_id", "source_vol_id", "image_id", "availability_zone"},
    "openstack_compute_instance_v2": {"user_data", "key_pair", "availability_zone", "config_drive", "network_mode"},
    "openstack_compute_keypair_v2": {"name", "public_key"},
    "openstack_lb_listener_v2": {"protocol", "protocol_port", "loadbalancer_id"},
    "openstack_lb_loadbalancer_v2": {"vip_subnet_id", "vip_network_id", "vip_address", "flavor_id"},
    "openstack_networking_floatingip_v2": {"pool"},
    "openstack_networking_port_v2": {"network_id"},
    "openstack_networking_router_interface_v2": {"router_id", "subnet_id", "port_id"},
    "openstack_networking_secgroup_rule_v2": {
        "description", "direction", "ethertype", "port_range_max", "port_range_min", "protocol", "remote_group_id",
        "remote_ip_prefix", "security_group_id",
    },
    "openstack_networking_subnet_v2": {"network_id", "cidr", "ip_version"},
    "openstack_objectstorage_container_v1": {"name", "storage_policy", "storage_class"},
    "openstack_sharedfilesystem_share_access_v2": {"share_id", "access_type", "access_to", "access_level"},
}  # fmt: skip
FORCE_NEW_EVERYWHERE = {"region", "tenant_id", "project_id", "value_specs"}
NAMED = {"openstack_compute_keypair_v2": "name", "openstack_objectstorage_container_v1": "name"}
"""Types whose id is one of their arguments; what belongs to a bucket has the bucket's name."""
DIGESTS = {("openstack_compute_instance_v2", "user_data")}
"""Kept as SHA-1 and never in full."""

PROJECT = "3d2f8b5c9a7e4f10b6c1d8e0a2f4c6e8"
CLOUD: dict[str, list[dict[str, Value]]] = {
    "openstack_images_image_v2": [
        {
            "id": "0b5c1f6e-64a5-4f7e-9d0a-2f6d7c1e8a01", "name": "ubuntu-24.04", "visibility": "public",
            "protected": True, "container_format": "bare", "disk_format": "qcow2", "min_disk_gb": 10,
            "min_ram_mb": 512, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
            "size_bytes": 629145600, "tags": ["chuan"], "properties": {"os_distro": "ubuntu"},
        },
    ],
    "openstack_networking_network_v2": [
        {
            "id": "7a1c9f52-0e39-4a4c-8b3c-5c0f4d0d9b02", "name": "internet", "network_id":
            "7a1c9f52-0e39-4a4c-8b3c-5c0f4d0d9b02", "external": True, "shared": "true", "admin_state_up": "true",
            "all_tags": [], "mtu": 1500, "subnets": [], "availability_zone_hints": [],
        },
    ],
    "openstack_networking_secgroup_v2": [
        {"id": "c0ffee00-1111-4222-8333-444455556666", "name": "default", "secgroup_id":
         "c0ffee00-1111-4222-8333-444455556666", "description": "Default security group", "stateful": True,
         "all_tags": []},
    ],
}  # fmt: skip
"""What data sources find."""
ELSEWHERE = {("openstack_objectstorage_container_v1", "troi"): {"container_read": ".r:*,.rlistings"}}
"""What somebody changed since, by type and id."""


# --- values --------------------------------------------------------------------------------------------


def decoded(value: pb.DynamicValue) -> Value:
    if value.json:
        return json.loads(value.json)
    if not value.msgpack:
        return None
    # Newer Terraforms tell what they know of an unknown value: for a plan it is as unknown as before.
    return msgpack.unpackb(value.msgpack, ext_hook=lambda code, data: UNKNOWN, strict_map_key=False)


def encoded(value: Value) -> pb.DynamicValue:
    return pb.DynamicValue(msgpack=msgpack.packb(value))


def empty(kind: Value) -> Value:
    """A value of a type."""
    if isinstance(kind, str):
        return {"string": "", "number": 0, "bool": False}[kind]
    return {} if kind[0] == "map" else []


class Schema:
    """The schema of everything, and values that fit it."""

    def __init__(self, path: Path) -> None:
        read = json.loads(path.read_text(encoding="utf-8"))
        self.provider = read["provider"]["block"]
        self.resources = {kind: one["block"] for kind, one in read["resource_schemas"].items()}
        self.data = {kind: one["block"] for kind, one in read["data_source_schemas"].items()}

    def message(self) -> pb.GetProviderSchema.Response:
        return pb.GetProviderSchema.Response(
            provider=pb.Schema(version=0, block=_block("provider", self.provider)),
            resource_schemas={
                kind: pb.Schema(version=int(kind in _VERSION_1), block=_block(kind, one))
                for kind, one in self.resources.items()
            },
            data_source_schemas={
                kind: pb.Schema(version=0, block=_block(kind, one)) for kind, one in self.data.items()
            },
        )

    def planned(self, kind: str, proposed: dict[str, Value], *, new: bool) -> dict[str, Value]:
        """What will be there: defaults, and unknowns where the cloud decides."""
        return self._planned(kind, "", self.resources[kind], proposed, new)

    def _planned(
        self, kind: str, at: str, block: dict[str, Any], proposed: dict[str, Value], new: bool
    ) -> dict[str, Value]:
        made = dict(proposed)
        defaults = DEFAULTS.get(kind, {})
        for name, attribute in block["attributes"].items():
            value = made.get(name)
            if value is None:
                made[name] = defaults.get(at + name, UNKNOWN if new and attribute.get("computed") else None)
            elif (kind, name) in DIGESTS and isinstance(value, str) and not at:
                known = len(value) == 40 and not new
                made[name] = value if known else hashlib.sha1(value.encode()).hexdigest()
        if made.get("tags") and made.get("tags_all") == UNKNOWN:
            made["tags_all"] = made["tags"]  # the provider adds its default tags: there are none here
        for name, one in block["block_types"].items():
            items = made.get(name)
            if isinstance(items, list):
                inside = [self._planned(kind, f"{at}{name}.", one["block"], item, new) for item in items]
                made[name] = UNKNOWN if new and not inside and (kind, name) in COMPUTED_BLOCKS else inside
        return made

    def applied(self, kind: str, planned: dict[str, Value], region: str | None) -> dict[str, Value]:
        """Planned values, with the unknown ones made up from the known ones."""
        seed = json.dumps(planned, sort_keys=True, ensure_ascii=False, default=str)
        identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, kind + seed))
        stamps = dict.fromkeys(
            ("created", "created_at", "updated", "updated_at", "update_at"), "2026-01-01T00:00:00Z"
        )
        known = {
            "id": planned[own] if (own := _own_name(kind)) else identifier, "region": region, "tenant_id": PROJECT,
            "project_id": PROJECT, "all_tags": planned.get("tags") or [], "status": "ACTIVE",
            "all_metadata": planned.get("metadata") or {}, "all_security_group_ids": planned.get("security_group_ids") or [],
            "mac_address": "fa:16:3e:" + ":".join(identifier[i : i + 2] for i in (0, 2, 4)), **stamps,
        }  # fmt: skip

        def fill(block: dict[str, Any], values: dict[str, Value]) -> dict[str, Value]:
            made = dict(values)
            for name, attribute in block["attributes"].items():
                if made[name] == UNKNOWN:
                    made[name] = known.get(name) if name in known else empty(attribute["type"])
            for name, one in block["block_types"].items():
                if made[name] == UNKNOWN:
                    made[name] = []
                elif isinstance(made[name], list):
                    made[name] = [fill(one["block"], item) for item in made[name]]
            return made

        return fill(self.resources[kind], planned)

    def nothing(self, block: dict[str, Any]) -> dict[str, Value]:
        """All null."""
        return dict.fromkeys(block["attributes"]) | {
            name: None if one["nesting_mode"] == "single" else []
            for name, one in block["block_types"].items()
        }


_VERSION_1 = {"openstack_objectstorage_container_v1"}
_NESTING = {"single": 1, "list": 2, "set": 3, "map": 4}


def _own_name(kind: str) -> str | None:
    """The argument that is the id."""
    return "bucket" if kind.startswith("aws_s3_bucket") else NAMED.get(kind)


def _block(kind: str, block: dict[str, Any]) -> pb.Schema.Block:
    return pb.Schema.Block(
        attributes=[
            pb.Schema.Attribute(
                name=name,
                type=json.dumps(one["type"]).encode(),
                required=one.get("required", False),
                optional=one.get("optional", False),
                computed=one.get("computed", False),
                sensitive=(kind, name) in SENSITIVE,
            )
            for name, one in block["attributes"].items()
        ],
        block_types=[
            pb.Schema.NestedBlock(
                type_name=name,
                block=_block(kind, one["block"]),
                nesting=_NESTING[one["nesting_mode"]],
                min_items=one.get("min_items", 0),
                max_items=one.get("max_items", 0),
            )
            for name, one in block["block_types"].items()
        ],
    )


def _error(summary: str) -> pb.Diagnostic:
    return pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=summary)


# --- the protocol --------------------------------------------------------------------------------------


class Provider:
    """The calls of Terraform. Its process serves one provider configuration."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.region: str | None = None
        self.stopped = threading.Event()

    def get_schema(self, request: Any) -> Any:
        return self.schema.message()

    def prepare(self, request: Any) -> Any:
        # Its answer in version 5 has the prepared configuration first, as this message has the upgraded state.
        return pb.UpgradeResourceState.Response(upgraded_state=request.config)

    def validate(self, request: Any) -> Any:
        return pb.ValidateResourceConfig.Response()

    def configure(self, request: Any) -> Any:
        region = decoded(request.config).get("region")
        self.region = region if isinstance(region, str) else "RegionOne"
        return pb.ConfigureProvider.Response()

    def upgrade(self, request: Any) -> Any:
        held = json.loads(request.raw_state.json)
        return pb.UpgradeResourceState.Response(
            upgraded_state=encoded(self.schema.nothing(self.schema.resources[request.type_name]) | held)
        )

    def read(self, request: Any) -> Any:
        state = decoded(request.current_state)
        state |= ELSEWHERE.get((request.type_name, state["id"]), {})
        return pb.ReadResource.Response(new_state=encoded(state), private=request.private)

    def plan(self, request: Any) -> Any:
        kind = request.type_name
        prior, proposed = decoded(request.prior_state), decoded(request.proposed_new_state)
        if proposed is None:
            return pb.PlanResourceChange.Response(
                planned_state=request.proposed_new_state, legacy_type_system=True
            )
        planned = self.schema.planned(kind, proposed, new=prior is None)
        replace = []
        if prior is not None:
            names = FORCE_NEW.get(kind, set()) | FORCE_NEW_EVERYWHERE
            replace = [
                pb.AttributePath(steps=[pb.AttributePath.Step(attribute_name=name)])
                for name in sorted(names & planned.keys())
                if planned[name] != prior.get(name)
            ]
        return pb.PlanResourceChange.Response(
            planned_state=encoded(planned), requires_replace=replace, legacy_type_system=True
        )

    def apply(self, request: Any) -> Any:
        planned = decoded(request.planned_state)
        if planned is not None:
            planned = self.schema.applied(request.type_name, planned, self.region)
        return pb.ApplyResourceChange.Response(new_state=encoded(planned), legacy_type_system=True)

    def import_(self, request: Any) -> Any:
        kind = request.type_name
        state = self.schema.nothing(self.schema.resources[kind]) | {"id": request.id, "region": self.region}
        if kind in NAMED:
            state[NAMED[kind]] = request.id
        one = pb.ImportResourceState.ImportedResource(type_name=kind, state=encoded(state))
        return pb.ImportResourceState.Response(imported_resources=[one])

    def read_data(self, request: Any) -> Any:
        kind, asked = request.type_name, decoded(request.config)
        for found in CLOUD[kind]:
            if found["name"] == asked.get("name"):
                state = self.schema.nothing(self.schema.data[kind]) | {"region": self.region}
                state |= {name: value for name, value in found.items() if name in state}
                state |= {name: value for name, value in asked.items() if value not in (None, [])}
                return pb.ReadDataSource.Response(state=encoded(state))
        return pb.ReadDataSource.Response(diagnostics=[_error(f"Your query to {kind} returned no results.")])

    def stop(self, request: Any) -> Any:
        self.stopped.set()
        return pb.StopProvider.Response()

    def handler(self) -> grpc.GenericRpcHandler:
        calls = {
            "GetSchema": (self.get_schema, pb.GetProviderSchema.Request),
            "PrepareProviderConfig": (self.prepare, pb.ValidateProviderConfig.Request),
            "ValidateResourceTypeConfig": (self.validate, pb.ValidateResourceConfig.Request),
            "ValidateDataSourceConfig": (self.validate, pb.ValidateDataResourceConfig.Request),
            "Configure": (self.configure, pb.ConfigureProvider.Request),
            "UpgradeResourceState": (self.upgrade, pb.UpgradeResourceState.Request),
            "ReadResource": (self.read, pb.ReadResource.Request),
            "PlanResourceChange": (self.plan, pb.PlanResourceChange.Request),
            "ApplyResourceChange": (self.apply, pb.ApplyResourceChange.Request),
            "ImportResourceState": (self.import_, pb.ImportResourceState.Request),
            "ReadDataSource": (self.read_data, pb.ReadDataSource.Request),
            "Stop": (self.stop, pb.StopProvider.Request),
        }
        return grpc.method_handlers_generic_handler(
            "tfplugin5.Provider",
            {
                name: grpc.unary_unary_rpc_method_handler(
                    lambda request, _, answer=answer: answer(request),
                    asked.FromString,
                    lambda said: said.SerializeToString(),
                )
                for name, (answer, asked) in calls.items()
            },
        )


class Controller(grpc_controller_pb2_grpc.GRPCControllerServicer):
    def __init__(self, stopped: threading.Event) -> None:
        self.stopped = stopped

    def Shutdown(self, request: Any, context: Any) -> Any:
        self.stopped.set()
        return grpc_controller_pb2.Empty()


class Stdio(grpc_stdio_pb2_grpc.GRPCStdioServicer):
    def StreamStdio(self, request: Any, context: Any) -> Any:
        return iter(())


def certificate() -> tuple[bytes, bytes, bytes]:
    """For this process alone: key and certificate as PEM, and the latter as DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (
        private,
        made.public_bytes(serialization.Encoding.PEM),
        made.public_bytes(serialization.Encoding.DER),
    )


def serve(provider: Provider) -> None:
    """Until Terraform says stop. The first line on stdout tells it where."""
    key, pem, der = certificate()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=10))
    server.add_generic_rpc_handlers((provider.handler(),))
    grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(Controller(provider.stopped), server)
    grpc_stdio_pb2_grpc.add_GRPCStdioServicer_to_server(Stdio(), server)
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/provider.sock"
        server.add_secure_port(f"unix://{socket}", grpc.ssl_server_credentials([(key, pem)]))
        server.start()
        print(f"1|5|unix|{socket}|grpc|{base64.b64encode(der).decode().rstrip('=')}", flush=True)
        provider.stopped.wait()
        server.stop(grace=0.5).wait()


if __name__ == "__main__":
    serve(Provider(Schema(Path(sys.argv[1]))))
