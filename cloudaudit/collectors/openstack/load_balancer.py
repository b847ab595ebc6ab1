"""Octavia: load balancers, their listeners, and the pools behind them with members and health monitors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
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
    integer,
    many,
    named,
    record,
    text,
)
from cloudaudit.collectors.openstack.answers import Trouble
from cloudaudit.collectors.openstack.cloud import Rows
from cloudaudit.collectors.openstack.listing import (
    NOT_WANTED,
    PAGE,
    Beside,
    Covers,
    Desk,
    Lister,
    beside,
    listing,
)
from cloudaudit.collectors.openstack.paging import Page, segment
from cloudaudit.collectors.values import ciphers, l7_policy, present
from cloudaudit.model import Reason, Resource, Unseen, Value

SERVICE = "load-balancer"
PROJECT: Covers = (
    ("octavia.loadbalancers", "openstack.loadbalancer"),
    ("octavia.listeners", "openstack.listener"),
    ("octavia.pools", "openstack.lb_pool"),
)
AMPHORAE: Final = "octavia.amphorae"
MEMBERS: Final = "octavia.pool_members"
MONITORS: Final = "octavia.healthmonitors"
L7_POLICIES: Final = "octavia.l7policies"


def read_project(desk: Desk) -> Iterator[Seen]:
    if LOADBALANCERS.call in desk.wanted:
        yield from _loadbalancers(desk)
    if LISTENERS.call in desk.wanted:
        yield from _listeners(desk)
    if POOLS.call in desk.wanted:
        yield from _pools(desk)


def _loadbalancer(item: Item, desk: Desk) -> None:
    item.take("provisioning_status", "provisioning_status")
    item.take("operating_status", "operating_status")
    item.take("admin_state_up", "admin_state_up", flag)
    item.take("vip_address", "vip_address", address)
    item.take("vip_subnet", "vip_subnet_id", identifier, null=True)
    item.take("vip_port", "vip_port_id", identifier, null=True)
    item.take("provider", "provider")
    item.take("flavor", "flavor_id", empty_as_null(identifier), null=True)
    item.take("availability_zone", "availability_zone", empty_as_null(text), null=True)


def _listener(item: Item, desk: Desk) -> None:
    item.take("protocol", "protocol")
    item.take("port", "protocol_port", integer)
    item.take("load_balancers", "loadbalancers", named)
    item.take("admin_state_up", "admin_state_up", flag)
    # Only whether there is one, and how many: where they lie is the key manager's matter.
    item.take("default_tls_container", "default_tls_container_ref", present)
    item.take("sni_count", "sni_container_refs", lambda value: len(many(text)(value)))
    item.take("tls_versions", "tls_versions", many(text), null=True)
    item.take("tls_ciphers", "tls_ciphers", ciphers, null=True)
    item.take("alpn_protocols", "alpn_protocols", many(text), null=True)
    item.take("insert_headers", "insert_headers", lambda value: tuple(sorted(map(text, record(value)))))
    item.take("allowed_cidrs", "allowed_cidrs", many(address), null=True)
    item.take("default_pool", "default_pool_id", identifier, null=True)


def _pool(item: Item, desk: Desk) -> None:
    item.take("protocol", "protocol")
    item.take("lb_algorithm", "lb_algorithm")
    item.take("session_persistence", "session_persistence", _persistence, null=True)
    item.take("load_balancers", "loadbalancers", named)
    item.take("admin_state_up", "admin_state_up", flag)
    item.take("operating_status", "operating_status")
    item.take("tls_enabled", "tls_enabled", flag)


def _persistence(value: object) -> str:
    return text(record(value).get("type"))


LOADBALANCERS = Lister(
    call="octavia.loadbalancers",
    type="openstack.loadbalancer",
    path=f"/lbaas/loadbalancers?limit={PAGE}",
    key="loadbalancers",
    read=_loadbalancer,
)
LISTENERS = Lister(
    call="octavia.listeners",
    type="openstack.listener",
    path=f"/lbaas/listeners?limit={PAGE}",
    key="listeners",
    read=_listener,
)
POOLS = Lister(
    call="octavia.pools",
    type="openstack.lb_pool",
    path=f"/lbaas/pools?limit={PAGE}",
    key="pools",
    read=_pool,
)


_OF_MONITORS: Final[Mapping[str, Reader]] = {
    "type": text,
    "delay": integer,
    "timeout": integer,
    "max_retries": integer,
    "operating_status": text,
}


# --- what carries a load balancer ---------------------------------------------------------------------

_OF_AMPHORAE: Final = frozenset({"amphora", "amphorav2", "octavia"})
"""Names of the driver that runs a load balancer on servers of its own; the last is the old alias."""


def _loadbalancers(desk: Desk) -> Iterator[Seen]:
    """Load balancers, each with the amphorae that carry it, which one list tells operators of all."""
    found = beside(desk, AMPHORAE, f"/octavia/amphorae?limit={PAGE}", "amphorae")
    carrying: dict[str, list[Row]] = defaultdict(list)
    for row in found.rows.values():
        # One that is spare carries nothing yet, and names no load balancer.
        carrying[str(row.get("loadbalancer_id"))].append(row)

    def read(item: Item, desk: Desk) -> None:
        _loadbalancer(item, desk)
        provider = item.facts.get("provider")
        if provider not in _OF_AMPHORAE:
            item.miss("amphorae", Reason.NOT_IMPLEMENTED, f"the provider {provider} tells of no amphorae")
        elif found.unseen:
            item.unseen["amphorae"] = found.unseen
        else:
            inner = Item({"amphorae": carrying.get(str(item.row.get("id")), [])})
            inner.take("amphorae", "amphorae", each(_amphora))
            item.facts |= inner.facts
            item.unseen |= inner.unseen

    for thing in listing(desk, replace(LOADBALANCERS, read=read)):
        if isinstance(thing, Resource) and found.call is not None:
            yield replace(thing, sources={**thing.sources, "amphorae": found.call})
        else:
            yield thing


def _amphora(row: Row) -> Value:
    role = row.get("role")
    # NOTE: one that is being made has no role yet.
    return {"role": None if role is None else text(role), "status": text(row.get("status"))}


# --- what a listener does with requests ---------------------------------------------------------------


def _listeners(desk: Desk) -> Iterator[Seen]:
    """Listeners, each with what its L7 policies do, which the list names by their ids alone."""
    policies = beside(desk, L7_POLICIES, f"/lbaas/l7policies?limit={PAGE}", "l7policies")

    def read(item: Item, desk: Desk) -> None:
        _listener(item, desk)
        _l7_policies(item, policies)

    for thing in listing(desk, replace(LISTENERS, read=read)):
        if isinstance(thing, Resource) and policies.call is not None:
            yield replace(thing, sources={**thing.sources, "l7_policies": policies.call})
        else:
            yield thing


def _l7_policies(item: Item, policies: Beside) -> None:
    inner = Item(item.row)
    inner.take("l7_policies", "l7policies", named)
    found = inner.facts.pop("l7_policies", ())
    assert isinstance(found, tuple)
    rows = [policies.rows.get(str(id_)) for id_ in found]
    if None in rows:
        detail = "an L7 policy of the listener is not shown to this credential"
        inner.unseen["l7_policies"] = policies.unseen or Unseen(Reason.PARTIAL, detail)
    elif not inner.unseen:
        inner = Item({"l7policies": rows})
        inner.take("l7_policies", "l7policies", each(l7_policy))
    item.facts |= inner.facts
    item.unseen |= inner.unseen


# --- what stands behind a pool ------------------------------------------------------------------------


@dataclass(slots=True)
class _Behind:
    """Health monitors, and of the pools of a page their members."""

    monitors: Beside
    members: dict[str, Rows] = field(default_factory=dict)


def _pools(desk: Desk) -> Iterator[Seen]:
    behind = _Behind(beside(desk, MONITORS, f"/lbaas/healthmonitors?limit={PAGE}", "healthmonitors"))

    def read(item: Item, desk: Desk) -> None:
        _pool(item, desk)
        _members(item, behind)
        _monitor(item, behind.monitors)

    for thing in listing(desk, replace(POOLS, read=read), _with_members(desk, behind)):
        if isinstance(thing, Resource):
            found = behind.members.get(thing.id)
            calls = {"members": found.call if found else None, "monitor": behind.monitors.call}
            numbers = {fact: call for fact, call in calls.items() if call is not None}
            yield replace(thing, sources={**thing.sources, **numbers})
        else:
            yield thing


def _with_members(desk: Desk, behind: _Behind) -> Iterator[Page | Trouble]:
    """The pages of pools. Before each, the members of its pools that are of this audit are asked for."""
    for page in desk.items(POOLS):
        if isinstance(page, Page) and MEMBERS in desk.wanted:
            pools = [str(row.get("id")) for row in page.rows if _asked(desk, row)]
            lists = desk.lists_in_parallel(pools, _path_of_members, "members")
            behind.members = dict(zip(pools, lists, strict=True))
        yield page


def _asked(desk: Desk, row: Row) -> bool:
    """Whether a pool's members have to be asked for. A pool that lists none has none."""
    known = isinstance(row.get("id"), str) and bool(row["id"])
    try:
        return known and row.get("members") != [] and desk.place(POOLS, row) is not None
    except Odd:
        return False


def _path_of_members(pool: str) -> str:
    return f"/lbaas/pools/{segment(pool)}/members?limit={PAGE}"


def _members(item: Item, behind: _Behind) -> None:
    if item.row.get("members") == []:
        item.facts["members"] = ()
        return
    found = behind.members.get(str(item.row.get("id")))
    if found is None:
        item.unseen["members"] = NOT_WANTED
    elif found.trouble:
        item.unseen["members"] = found.trouble.unseen()
    else:
        inner = Item({"members": found.rows})
        inner.take("members", "members", each(_member))
        item.facts |= inner.facts
        item.unseen |= inner.unseen


def _member(row: Row) -> Value:
    subnet, watched, port = (row.get(name) for name in ("subnet_id", "monitor_address", "monitor_port"))
    found: dict[str, Value] = {
        "address": address(row.get("address")),
        "port": integer(row.get("protocol_port")),
        "subnet": None if subnet is None else identifier(subnet),
        "operating_status": text(row.get("operating_status")),
        "monitor_address": None if watched is None else address(watched),
        "monitor_port": None if port is None else integer(port),
    }
    # Releases before backup members do not tell, and the field stays away.
    return found | {"backup": flag(row["backup"])} if "backup" in row else found


def _monitor(item: Item, monitors: Beside) -> None:
    """The pool's health monitor. A pool without one does not have the field."""
    id_ = item.row.get("healthmonitor_id")
    if id_ is None:
        item.facts |= dict.fromkeys(f"monitor.{name}" for name in _OF_MONITORS)
        return
    row = monitors.rows.get(id_) if isinstance(id_, str) else None
    if row is None:
        item.unseen["monitor"] = monitors.unseen or Unseen(
            Reason.PARTIAL, "the pool's health monitor is not shown to this credential"
        )
        return
    inner = Item(row)
    for name, read in _OF_MONITORS.items():
        inner.take(f"monitor.{name}", name, read)
    item.facts |= inner.facts
    item.unseen |= inner.unseen
