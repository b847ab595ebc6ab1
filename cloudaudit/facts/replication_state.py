"""Whether what is meant to be copied elsewhere all the time really is, as far as the services tell.

    none       nothing is meant to be copied
    working    the service says that the copy follows
    failing    the service says that it does not, or copies nothing although it is meant to
    unproven   copying is set up, and no answer tells whether the copy follows

Cinder and Manila keep a state of every volume and replica. Ceph RGW tells how far the sync between two
zones has been set up: "sync" stays what it is when the other zone has long been silent, and is no proof. Of
a bucket with replication rules only its objects could tell, and objects are never read.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from cloudaudit.facts.derivation import Derive, Derived, Family, flag, nfc, optional_text, text, texts, why
from cloudaudit.facts.replication import switched_on
from cloudaudit.facts.volume_type import TYPE, Types
from cloudaudit.model import Partial, Reason, Resource, Unseen, World

STATE: Final = "replication.state"
VOLUME, REPLICA, BUCKET, ZONE = "openstack.volume", "openstack.share_replica", "s3.bucket", "s3.zone"
_BROKEN: Final = frozenset({"error", "failing-over", "failover-error", "failed-over"})
"""States of Cinder. One that has failed over runs on the second back end, and is copied nowhere until it is
brought back."""
_IDLE: Final = frozenset({None, "disabled", "not-capable"})


def _told(state: str | Unseen) -> Derived:
    return Derived(unseen={STATE: state}) if isinstance(state, Unseen) else Derived({STATE: state})


def _unclear(what: str, state: str | None) -> Unseen:
    return Unseen(Reason.PARTIAL, f"{what} is '{state}', which tells neither success nor failure")


# --- volumes -------------------------------------------------------------------------------------------


def prepare_volumes(world: World) -> Derive:
    """A volume that Cinder does not copy is meant to be, if its type asks for replication."""
    types = Types(world)

    def state(volume: Resource) -> str | Unseen:
        status = optional_text(volume, "replication_status")
        if isinstance(status, Unseen):
            return status
        if status == "enabled":
            return "working"
        if status in _BROKEN:
            return "failing"
        if status not in _IDLE:
            return _unclear("the replication status", status)
        kind = types.of(volume)
        if kind is None or isinstance(kind, Unseen):
            return kind or "none"
        meant = flag(kind.facts.get("replication_enabled"))
        return why(kind, "replication_enabled") if meant is None else ("failing" if meant else "none")

    return lambda volume: _told(state(volume))


# --- shares --------------------------------------------------------------------------------------------


def prepare_replicas(world: World) -> Derive:
    """The active replica is what the others follow."""

    def state(replica: Resource) -> str | Unseen:
        follows = optional_text(replica, "replica_state")
        if follows == "active" or isinstance(follows, Unseen):
            return "none" if follows == "active" else follows
        status = text(replica.facts.get("status"))
        if status is None:
            return why(replica, "status")
        if "error" in (follows, status):
            return "failing"
        if status != "available":
            return _unclear("the status of the replica", status)
        known = {"in_sync": "working", "out_of_sync": "failing"}
        return known.get(follows or "") or _unclear("the state of the replica", follows)

    return lambda replica: _told(state(replica))


# --- buckets and zones ---------------------------------------------------------------------------------


def prepare_buckets(world: World) -> Derive:
    """A bucket with a replication rule that is switched on."""

    def state(bucket: Resource) -> str | Unseen:
        rules = bucket.facts.get("replication.rules")
        if not isinstance(rules, tuple | Partial):
            unseen = why(bucket, "replication.rules")
            # A store that knows no replication of buckets copies none of them by a rule.
            return "none" if unseen.reason is Reason.NOT_IMPLEMENTED else unseen
        found, whole = switched_on(rules)
        if found:
            return "unproven"
        return "none" if whole else Unseen(Reason.PARTIAL, "not every replication rule could be read")

    return lambda bucket: _told(state(bucket))


def prepare_zones(world: World) -> Derive:
    """The sync from each other zone of the zonegroup to the zone whose gateway was asked."""
    own: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for one in world.each(ZONE):
        if one.facts.get("gateway") is True:
            own[one.scope.target, one.endpoint].append(one)

    def state(zone: Resource) -> str | Unseen:
        if zone.facts.get("gateway") is True:
            return "none"
        gateways = own.get((zone.scope.target, zone.endpoint), ())
        if len(gateways) != 1:
            detail = "which zone the gateway that was asked belongs to is not known"
            return zone.why_missing("data_sync.state") or Unseen(Reason.AMBIGUOUS, detail)
        here = gateways[0]
        for one in (zone, here):
            if text(one.facts.get("zonegroup")) is None:
                return why(one, "zonegroup")
        if zone.facts["zonegroup"] != here.facts["zonegroup"]:
            # Data stay within their zonegroup.
            return "none"
        syncs = _syncs_from(here, zone)
        if syncs is not True:
            return syncs or "none"
        status = text(zone.facts.get("data_sync.state"))
        if status is None:
            return why(zone, "data_sync.state")
        known = {"sync": "unproven", "init": "failing", "building-full-sync-maps": "failing"}
        return known.get(status) or _unclear("the state of the data sync", status)

    return lambda zone: _told(state(zone))


def _syncs_from(here: Resource, there: Resource) -> bool | Unseen:
    """Whether a zone is set up to take data from another one."""
    everywhere = flag(here.facts.get("sync_from_all"))
    if everywhere is not False:
        return everywhere or why(here, "sync_from_all")
    sources = here.facts.get("sync_from")
    return nfc(there.name) in texts(sources) if isinstance(sources, tuple) else why(here, "sync_from")


STATES: Final = (
    Family(
        "replication",
        {VOLUME: (STATE,)},
        {VOLUME: ("replication_status", "volume_type"), TYPE: ("replication_enabled",)},
        prepare_volumes,
    ),
    Family("replication", {REPLICA: (STATE,)}, {REPLICA: ("replica_state", "status")}, prepare_replicas),
    Family("replication", {BUCKET: (STATE,)}, {BUCKET: ("replication.rules",)}, prepare_buckets),
    Family(
        "replication",
        {ZONE: (STATE,)},
        {ZONE: ("gateway", "zonegroup", "sync_from_all", "sync_from", "data_sync.state")},
        prepare_zones,
    ),
)
