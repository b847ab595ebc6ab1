"""What Terraform's blocks for OpenStack mean: one function for each type of resource, here and in its parts.

Attributes are those of terraform-provider-openstack. What an attribute left out comes to is taken from the
reference of the service's API, and named beside it where it is not the obvious nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from cloudaudit.collectors.deployment import compute, network
from cloudaudit.collectors.deployment.block import LATER, Untold, untold
from cloudaudit.collectors.deployment.compute import IMAGE
from cloudaudit.collectors.deployment.network import P
from cloudaudit.collectors.deployment.whole import (
    Level,
    Meaning,
    Told,
    address_or_null,
    combined,
    id_or_null,
    rows,
    text_or_null,
    why,
)
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
    VISIBILITIES,
    access_rule,
    ciphers,
    l7_policy,
    present,
    properties,
    property_names,
    without_user,
)
from cloudaudit.model import Partial, Reason, Unseen, Value

LISTENER: Final = P + "lb_listener_v2"
POOL: Final = P + "lb_pool_v2"
ROLE: Final = P + "identity_role_v3"
_ID: Final = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


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
    doubt = found.doubt or (None if item.block.new else item.silent)
    names = ("action", "redirect_url", "redirect_prefix")
    policies = [{name: one.value(name) for name in names} for one in found.blocks]
    combined(item, "l7_policies", policies, l7_policy, doubt)


def _default_pool(item: Told) -> None:
    """Its pool: the one it names, or one that names it, which Octavia then makes its default."""
    found = item.whole.referring(POOL, "listener_id", item.id)
    # What one that is there tells is from before: a pool that names it may be made now.
    was_none = not item.block.new and item.value("default_pool_id") == "" and (found.blocks or found.doubt)
    if not item.left_out("default_pool_id") and not was_none:
        item.take("default_pool", "default_pool_id", id_or_null)
        return
    if len(found.blocks) == 1:
        item.facts["default_pool"] = found.blocks[0].id
    elif not found.blocks and found.doubt is None and item.block.new:
        item.facts["default_pool"] = None
    else:
        item.unseen["default_pool"] = found.doubt or item.silent


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
    "monitor_address": ("monitor_address", address_or_null), "monitor_port": ("monitor_port", integer),
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
    doubt = single.doubt or several.doubt or (None if known else item.silent)
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
        item.unseen |= {**inner.unseen, "monitor.operating_status": item.silent}
    elif not found.blocks and found.doubt is None and item.block.new:
        item.facts |= dict.fromkeys(f"monitor.{name}" for name in (*names, "operating_status"))
    else:
        item.unseen["monitor"] = found.doubt or item.silent


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
    """A role that is given. Of one that the code does not make the name is not known, unless it is given."""
    made = item.whole.at_id(item.row.get("role_id"), ROLE)
    if made is not None:
        item.row = {**item.row, "role_id": made.row.get("name")}
    item.take("role", "role_id")
    if made is None and _ID.fullmatch(str(item.facts.get("role"))):
        del item.facts["role"]
        detail = "the code gives the id of the role, and not its name"
        item.unseen["role"] = Unseen(Reason.NOT_DESCRIBED, detail)
    item.take("user", "user_id", id_or_null, absent=None)
    item.take("group", "group_id", id_or_null, absent=None)
    item.facts["inherited"] = item.block.type == P + "identity_inherit_role_assignment_v3"
    kinds = [kind for kind in ("project", "domain") if not item.left_out(f"{kind}_id")]
    kinds.sort(key=lambda kind: untold(item.row[f"{kind}_id"]) is not None)
    if not kinds:
        item.unseen |= dict.fromkeys(("scope", "scope_id"), item.missing("project_id"))
        return
    item.facts["scope"] = kinds[0]
    item.take("scope_id", f"{kinds[0]}_id", identifier)


def application_credential(item: Told) -> None:
    item.after("user")
    item.take("project_id", "project_id", id_or_null)
    # API reference of Keystone: all roles that its user has on the project.
    item.take("roles", "roles", many(text))
    item.take("unrestricted", "unrestricted", flag, absent=False)
    item.take("expires_at", "expires_at", empty_as_null(moment), absent=None)
    item.only("access_rules", "service", "method", "path")
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
    **compute.MEANINGS,
    **network.MEANINGS,
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
