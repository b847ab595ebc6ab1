"""Nova: servers and what they are made from, zones, quotas, and the hosts that run it all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cloudaudit.collectors import Seen
from cloudaudit.collectors.item import (
    Item,
    Odd,
    Reader,
    Row,
    address,
    each,
    empty_as_null,
    flag,
    identifier,
    identifier_or_number,
    integer,
    items,
    many,
    moment,
    one_of,
    text,
)
from cloudaudit.collectors.leaks import Look
from cloudaudit.collectors.openstack.answers import Trouble, document
from cloudaudit.collectors.openstack.listing import PAGE, Covers, Desk, Lister, listing, seen_by_any
from cloudaudit.collectors.openstack.paging import Page, Paging, segment
from cloudaudit.collectors.openstack.quotas import TYPE as QUOTA
from cloudaudit.collectors.openstack.quotas import Quotas, quotas
from cloudaudit.collectors.openstack.zones import zone_lister
from cloudaudit.collectors.transport import Answer
from cloudaudit.model import Reason, Resource, Unseen, Value

SERVICE = "compute"
REGION: Covers = (
    ("nova.availability_zones", "openstack.availability_zone"),
    ("nova.flavors", "openstack.flavor"),
    ("nova.keypairs", "openstack.keypair"),
    ("nova.hypervisors", "openstack.hypervisor"),
    ("nova.aggregates", "openstack.aggregate"),
    ("nova.services", "openstack.compute_service"),
)
PROJECT: Covers = (
    ("nova.servers", "openstack.server"),
    ("nova.server_groups", "openstack.server_group"),
    ("nova.quotas", QUOTA),
)
KEYPAIR: Final = "nova.keypair"
_STATES: Final = (
    "ACTIVE", "BUILD", "DELETED", "ERROR", "HARD_REBOOT", "MIGRATING", "PASSWORD", "PAUSED", "REBOOT",
    "REBUILD", "RESCUE", "RESIZE", "REVERT_RESIZE", "SHELVED", "SHELVED_OFFLOADED", "SHUTOFF",
    "SOFT_DELETED", "SUSPENDED", "VERIFY_RESIZE",
)  # fmt: skip
_WITHOUT_UPTIME: Final = (2, 87)
_REFUSES: Final = "Nova lists all of them to administrators, and refuses everybody else"


def read_region(desk: Desk) -> Iterator[Seen]:
    for lister in (ZONES, AGGREGATES, SERVICES):
        if lister.call in desk.wanted:
            yield from listing(desk, lister)
    if HYPERVISORS.call in desk.wanted:
        yield from _hypervisors(desk)
    if FLAVORS.call in desk.wanted:
        yield from seen_by_any(desk, FLAVORS, _no_administrator)
    if KEYPAIRS.call in desk.wanted:
        yield from _keypairs(desk)


def read_project(desk: Desk) -> Iterator[Seen]:
    for lister in (SERVERS, SERVER_GROUPS):
        if lister.call in desk.wanted:
            yield from listing(desk, lister)
    if QUOTAS.call in desk.wanted:
        yield from quotas(desk, QUOTAS)


def _server(item: Item, desk: Desk) -> None:
    if item.row.get("status") == "UNKNOWN":
        # Nova lists a server of a cell that is down with little more than its id.
        # "UNKNOWN" is no state: it may well be running.
        down = Unseen(Reason.PARTIAL, "the cell of the server does not answer")
        item.default = item.unseen["status"] = down
    else:
        item.take("status", "status", one_of(*_STATES))
    item.take("zone", "OS-EXT-AZ:availability_zone", empty_as_null(text), null=True)
    item.take("host_id", "hostId", empty_as_null(text), null=True)
    _flavor(item)
    item.take("image", "image", _image)
    item.take("boot_volumes", "os-extended-volumes:volumes_attached", each(lambda v: identifier(v.get("id"))))
    item.take("key_name", "key_name", empty_as_null(text), null=True)
    # An empty text where there is none.
    item.take("config_drive", "config_drive", lambda value: value != "" and flag(value))
    _since(item, desk, (2, 9), "locked", flag)
    _since(item, desk, (2, 63), "trusted_image_certificates", many(text), null=True)
    item.labels("metadata", desk.allowed)
    item.take("created_at", "created", moment)
    item.take("security_groups", "security_groups", _group_names)
    item.take("addresses", "addresses", _addresses)
    # Only whether there is user data is kept, never what it is.
    item.take("has_user_data", "OS-EXT-SRV-ATTR:user_data", _is_given, hidden=True)
    _secrets(item, desk)


def _secrets(item: Item, desk: Desk) -> None:
    """Secrets in metadata, tags and user data; the last are shown to administrators only."""
    look = Look()
    user_data = item.row.get("OS-EXT-SRV-ATTR:user_data", 0)
    if isinstance(user_data, str):
        look.user_data(user_data)
    elif user_data is not None:
        hidden = Unseen(Reason.NO_PERMISSION, "Nova shows user data to administrators only")
        look.blind(item.default or hidden)
    # Nova has tags of servers since 2.26.
    item.secrets(look, metadata="metadata", tags="tags" if desk.at_least(2, 26) else "")


def _since(
    item: Item, desk: Desk, version: tuple[int, int], fact: str, read: Reader, null: bool = False
) -> None:
    """A field that Nova tells from a version on."""
    if desk.at_least(*version):
        item.take(fact, fact, read, null=null)
    else:
        number = ".".join(map(str, version))
        item.miss(fact, Reason.NOT_IMPLEMENTED, f"Nova tells '{fact}' of a server since version {number}")


def _flavor(item: Item) -> None:
    """The flavor as it was when the server was made; before 2.47 Nova only names it."""
    flavor = item.row.get("flavor")
    inner = Item(flavor if isinstance(flavor, dict) else {}, item.default)
    inner.take("flavor", "original_name" if "original_name" in inner.row else "id")
    inner.take("vcpus", "vcpus", integer)
    inner.take("ram_mb", "ram", integer)
    inner.take("disk_gb", "disk", integer)
    # Their names alone: `pci_passthrough:alias`, `trait:CUSTOM_X` say in themselves what they ask for.
    inner.take("flavor_spec_names", "extra_specs", _names, hidden="original_name" in inner.row)
    item.facts |= inner.facts
    item.unseen |= inner.unseen


def _is_given(value: object) -> bool:
    """Whether there is a text; Nova writes null where there is none."""
    return value is not None and bool(text(value))


def _image(value: object) -> Value:
    """The id of the image; a server that booted from a volume has an empty text instead."""
    if value == "":
        return None
    if not isinstance(value, dict):
        raise Odd("no image")
    return identifier(value.get("id"))


def _group_names(value: object) -> Value:
    """Names of security groups, once each: Nova repeats them for every port."""
    return tuple(sorted({text(group.get("name")) for group in items(value)}))


def _addresses(value: object) -> Value:
    if not isinstance(value, dict):
        raise Odd("no object")
    found: list[Value] = []
    for network in sorted(value):
        for entry in items(value[network]):
            kind = entry.get("OS-EXT-IPS:type")
            found.append(
                {
                    "network": text(network),
                    "address": address(entry.get("addr")),
                    "version": integer(entry.get("version")),
                    "kind": None if kind is None else text(kind),
                }
            )
    return tuple(found)


def _server_group(item: Item, desk: Desk) -> None:
    if "policy" in item.row:
        item.take("policy", "policy")
    else:
        # Before 2.64 a list, always of one.
        item.take("policy", "policies", lambda value: ",".join(many(text)(value)))
    item.take("members", "members", many(identifier))


SERVERS = Lister(
    call="nova.servers",
    type="openstack.server",
    path=f"/servers/detail?limit={PAGE}",
    key="servers",
    read=_server,
    everyone="all_tenants=1",
    owners=("tenant_id", "project_id"),
)
SERVER_GROUPS = Lister(
    call="nova.server_groups",
    type="openstack.server_group",
    path=f"/os-server-groups?limit={PAGE}",
    key="server_groups",
    read=_server_group,
    everyone="all_projects=1",
    paging=Paging.OFFSET,
)
ZONES = zone_lister("nova.availability_zones", SERVICE)
QUOTAS = Quotas(
    call="nova.quotas",
    path="/os-quota-sets/{}/detail",
    key="quota_set",
    # NOTE: these are counted for a user, a server or a group; for a project Nova says 0.
    uncounted=frozenset(
        {
            "key_pairs",
            "metadata_items",
            "server_group_members",
            "injected_files",
            "injected_file_content_bytes",
            "injected_file_path_bytes",
        }
    ),
)


# --- flavors and key pairs ------------------------------------------------------------------------------


def _flavor_offered(item: Item, desk: Desk) -> None:
    item.take("vcpus", "vcpus", integer)
    item.take("ram_mb", "ram", integer)
    item.take("disk_gb", "disk", integer)
    item.take("ephemeral_gb", "OS-FLV-EXT-DATA:ephemeral", integer)
    # Before 2.75 an empty text where there is none.
    item.take("swap_mb", "swap", lambda value: 0 if value == "" else integer(value))
    item.take("is_public", "os-flavor-access:is_public", flag)
    item.take("disabled", "OS-FLV-DISABLED:disabled", flag)
    if desk.at_least(2, 61):
        item.take("extra_specs", "extra_specs", _texts, hidden=True)
    else:
        item.miss("extra_specs", Reason.NOT_IMPLEMENTED, "Nova lists the extra specs since version 2.61")


def _texts(value: object) -> Value:
    if not isinstance(value, dict):
        raise Odd("no object")
    return {text(name): text(value[name]) for name in sorted(value)}


def _names(value: object) -> Value:
    if not isinstance(value, dict):
        raise Odd("no object")
    return tuple(sorted(text(name) for name in value))


def _no_administrator(desk: Desk, flavors: list[Resource]) -> bool:
    """Whether Nova leaves out private and disabled flavors without a word, as for all but administrators."""
    return "admin" not in desk.token.roles


FLAVORS = Lister(
    call="nova.flavors",
    type="openstack.flavor",
    path=f"/flavors/detail?is_public=None&limit={PAGE}",
    key="flavors",
    read=_flavor_offered,
    proof="flavors offered to all, and the private ones each audited project may use",
)


def _keypair(item: Item, desk: Desk) -> None:
    item.facts["user"] = item.row["user_id"]
    item.take("type", "type")
    item.take("fingerprint", "fingerprint")


def _keypair_pages(desk: Desk) -> Iterator[Page | Trouble]:
    """Key pairs user by user: they belong to users, and Nova lists one user's at a time."""
    users, trouble = desk.cloud.users(desk.token, desk.log)
    for user in users:
        if user != desk.token.user and not desk.at_least(2, 10):
            detail = "Nova shows others' key pairs since version 2.10"
            yield Trouble(Reason.NOT_IMPLEMENTED, detail, desk.token.call)
            return
        for page in desk.pages(_of_user("/os-keypairs", user, desk), KEYPAIRS.key):
            if isinstance(page, Page):
                yield Page([_unwrapped(row, user) for row in page.rows], page.at, page.call)
            elif page.reason is Reason.NO_PERMISSION and user != desk.token.user:
                yield replace(page, detail=f"those of other users: {page.detail}")
                return
            else:
                refused = page.reason is Reason.NO_PERMISSION
                detail = f"key pairs of a user: {page.detail}"
                yield replace(page, reason=page.reason if refused else Reason.PARTIAL, detail=detail)
    if trouble:
        yield replace(trouble, detail=f"which other users there are: {trouble.detail}")


def _of_user(path: str, user: str, desk: Desk) -> str:
    """A path of key pairs; the user is named where it is another one than the token's."""
    query = [f"limit={PAGE}"] if path == "/os-keypairs" and desk.at_least(2, 35) else []
    query += [f"user_id={segment(user)}"] if user != desk.token.user else []
    return f"{path}?{'&'.join(query)}" if query else path


def _unwrapped(row: Row, user: str) -> Row:
    inner = row.get("keypair")
    return {**(inner if isinstance(inner, dict) else {}), "user_id": user}


KEYPAIRS = Lister(
    call="nova.keypairs",
    type="openstack.keypair",
    path="",
    key="keypairs",
    read=_keypair,
    proof="Nova listed the key pairs of every user that Keystone lists",
    identify=lambda row: f"{row['user_id']}:{identifier(row.get('name'))}",
)


def _keypairs(desk: Desk) -> Iterator[Seen]:
    """Key pairs, each with when it was made, which the list leaves out."""
    seen = list(listing(desk, KEYPAIRS, _keypair_pages(desk)))
    found = [thing for thing in seen if isinstance(thing, Resource)]
    if KEYPAIR in desk.wanted:
        answers = desk.in_parallel(_ask_keypair, found)
        yield from (_dated(pair, answer) for pair, answer in zip(found, answers, strict=True))
    else:
        why = Trouble(Reason.NOT_COLLECTED, "the plan did not ask for it")
        yield from (_dated(pair, why) for pair in found)
    yield from (thing for thing in seen if not isinstance(thing, Resource))


def _ask_keypair(desk: Desk, pair: Resource) -> Answer | Trouble:
    user = str(pair.facts["user"])
    name = pair.id.removeprefix(f"{user}:")
    return desk.get(_of_user(f"/os-keypairs/{segment(name)}", user, desk))


def _dated(pair: Resource, answer: Answer | Trouble) -> Resource:
    body = answer if isinstance(answer, Trouble) else document(answer, "GET of a key pair")
    if isinstance(body, Trouble):
        return replace(pair, unseen={**pair.unseen, "created_at": body.unseen()})
    item = Item(_unwrapped(body, ""))
    item.take("created_at", "created_at", moment)
    sources = pair.sources if answer.call is None else {**pair.sources, "created_at": answer.call}
    return replace(
        pair, facts={**pair.facts, **item.facts}, unseen={**pair.unseen, **item.unseen}, sources=sources
    )


# --- what the operator runs -----------------------------------------------------------------------------


def _numbered(row: Row) -> str:
    return identifier_or_number(row.get("id"))


def _hypervisors(desk: Desk) -> Iterator[Seen]:
    """What runs on each, and page by page, as far as the version can tell it.

    NOTE: since 2.88 Nova asks every compute host for its uptime before it answers, which nothing here
    needs: one host that does not answer its message queue would keep the whole list from being read.
    """
    if desk.version is not None:
        desk = replace(desk, version=min(desk.version, _WITHOUT_UPTIME))
    query = [f"limit={PAGE}"] if desk.at_least(2, 33) else []
    query += ["with_servers=true"] if desk.at_least(2, 53) else []
    path = f"{HYPERVISORS.path}?{'&'.join(query)}" if query else HYPERVISORS.path
    yield from listing(desk, replace(HYPERVISORS, path=path))


def _hypervisor(item: Item, desk: Desk) -> None:
    item.take("hostname", "hypervisor_hostname")
    item.take("host", "service", _service_host)
    item.take("state", "state")
    item.take("status", "status")
    item.take("type", "hypervisor_type")
    item.take("version", "hypervisor_version", integer)
    if not desk.at_least(2, 53):
        item.take("servers", "running_vms", integer)
    elif desk.at_least(2, 75):
        item.take("servers", "servers", lambda value: len(items(value)))
    else:
        # The field is left out of a hypervisor without servers.
        item.take("servers", "servers", lambda value: len(items(value)), absent=0)


def _service_host(value: object) -> str:
    if not isinstance(value, dict):
        raise Odd("no object")
    return text(value.get("host"))


HYPERVISORS = Lister(
    call="nova.hypervisors",
    type="openstack.hypervisor",
    path="/os-hypervisors/detail",
    key="hypervisors",
    read=_hypervisor,
    proof=_REFUSES,
    identify=_numbered,
    title=lambda row: text(row.get("hypervisor_hostname") or ""),
)


def _aggregate(item: Item, desk: Desk) -> None:
    item.take("zone", "availability_zone", empty_as_null(text), null=True)
    item.take("hosts", "hosts", many(text))
    item.labels("metadata", desk.allowed)


AGGREGATES = Lister(
    call="nova.aggregates",
    type="openstack.aggregate",
    path="/os-aggregates",
    key="aggregates",
    read=_aggregate,
    proof=_REFUSES,
    # Nova tells the UUID since 2.41.
    identify=lambda row: identifier_or_number(row.get("uuid", row.get("id"))),
)


def _service(item: Item, desk: Desk) -> None:
    if item.row.get("status") == "UNKNOWN":
        # Nova lists a service of a cell that is down with its name and host alone.
        # "UNKNOWN" is no state: it may well be running.
        down = Unseen(Reason.PARTIAL, "the cell of the service does not answer")
        item.default = item.unseen["status"] = down
    else:
        item.take("status", "status")
    item.take("binary", "binary")
    item.take("host", "host")
    item.take("zone", "zone")
    item.take("state", "state")
    item.take("updated_at", "updated_at", moment, null=True)
    item.take("forced_down", "forced_down", flag)


def _service_id(row: Row) -> str:
    """Its id, or name and host for one of a cell that is down."""
    if "id" in row:
        return _numbered(row)
    return f"{identifier(row.get('binary'))}:{identifier(row.get('host'))}"


SERVICES = Lister(
    call="nova.services",
    type="openstack.compute_service",
    path="/os-services",
    key="services",
    read=_service,
    proof=_REFUSES,
    identify=_service_id,
    title=lambda row: text(row.get("host") or ""),
)
