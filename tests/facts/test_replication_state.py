"""Whether what is meant to be copied all the time is."""

from __future__ import annotations

import pytest
from builders import REGION, World, bucket, derived, gap, replica, resource, volume, volume_type, zone

from cloudaudit.model import Partial, Reason, Resource, Scope, Unseen, Value

STATE = "replication.state"


def state(one: Resource, *others: Resource) -> Value:
    """What is said of it, or the reason why nothing is."""
    return of(World([one, *others]), one)


def of(world: World, one: Resource) -> Value:
    found = derived("replication", world, one)
    return found.facts[STATE] if STATE in found.facts else found.unseen[STATE].reason


# --- volumes -------------------------------------------------------------------------------------------


def copied(status: Value, **more: Value) -> Resource:
    return volume(facts={"replication_status": status, **more})


def kind(replicated: bool) -> Resource:
    return volume_type(facts={"replication_enabled": replicated})


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("enabled", "working"),
        ("error", "failing"),
        ("failing-over", "failing"),
        ("failover-error", "failing"),
        ("failed-over", "failing"),
        ("enabling", Reason.PARTIAL),
        ("gì đó", Reason.PARTIAL),
    ],
)
def test_cinder_tells_the_state_whatever_the_type(status: str, told: Value) -> None:
    assert state(copied(status)) == told
    assert state(copied(status), kind(True)) == told


@pytest.mark.parametrize("status", [None, "", "disabled", "not-capable"])
def test_a_volume_that_is_not_copied_fails_only_if_its_type_asks_for_copies(status: str | None) -> None:
    assert state(copied(status), kind(True)) == "failing"
    assert state(copied(status), kind(False)) == "none"
    assert state(copied(status, volume_type=None)) == "none"


def test_what_the_type_asks_for_may_not_be_known() -> None:
    hidden = volume_type(
        without=["replication_enabled"], unseen={"replication_enabled": Unseen(Reason.NO_PERMISSION)}
    )
    assert state(copied(None), hidden) is Reason.NO_PERMISSION
    assert state(copied(None)) is Reason.PARTIAL
    refused = World([copied(None)], [gap("openstack.volume_type", Scope("dam-may", REGION), Reason.TIMEOUT)])
    assert of(refused, copied(None)) is Reason.TIMEOUT
    unread = {"replication_status": Unseen(Reason.PARTIAL)}
    assert state(volume(without=["replication_status"], unseen=unread), kind(False)) is Reason.PARTIAL


# --- shares --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("follows", "status", "told"),
    [
        ("active", "available", "none"),
        ("active", "error", "none"),
        ("in_sync", "available", "working"),
        ("in_sync", "error", "failing"),
        ("in_sync", "replication_change", Reason.PARTIAL),
        ("out_of_sync", "available", "failing"),
        ("out_of_sync", "creating", Reason.PARTIAL),
        ("error", "available", "failing"),
        (None, "available", Reason.PARTIAL),
        ("gì đó", "available", Reason.PARTIAL),
    ],
)
def test_manila_tells_the_state_of_a_replica(follows: str | None, status: str, told: Value) -> None:
    assert state(replica(facts={"replica_state": follows, "status": status})) == told


@pytest.mark.parametrize("fact", ["replica_state", "status"])
def test_a_replica_that_does_not_tell_is_not_known(fact: str) -> None:
    assert (
        state(replica(without=[fact], unseen={fact: Unseen(Reason.INVALID_ANSWER)})) is Reason.INVALID_ANSWER
    )


# --- buckets -------------------------------------------------------------------------------------------


def ruled(*rules: Value) -> Resource:
    return bucket(facts={"replication.rules": rules})


ON, OFF = {"destination": "a", "enabled": True}, {"destination": "a", "enabled": False}


def test_no_answer_tells_whether_a_rule_copies() -> None:
    assert state(ruled(ON)) == "unproven"
    assert state(ruled(OFF, ON, "odd")) == "unproven"
    assert state(ruled(OFF)) == "none"
    assert state(ruled()) == "none"


def test_rules_that_cannot_be_read_are_not_none() -> None:
    assert state(ruled(OFF, "odd")) is Reason.PARTIAL
    assert state(bucket(facts={"replication.rules": Partial((OFF,))})) is Reason.PARTIAL


@pytest.mark.parametrize(
    ("reason", "told"), [(Reason.NO_PERMISSION, Reason.NO_PERMISSION), (Reason.NOT_IMPLEMENTED, "none")]
)
def test_a_store_without_replication_copies_nothing_and_one_that_refuses_may(
    reason: Reason, told: Value
) -> None:
    assert state(bucket(without=["replication.rules"], unseen={"replication": Unseen(reason)})) == told


# --- zones ---------------------------------------------------------------------------------------------

HN = zone("z-hn", own=True)


@pytest.mark.parametrize(
    ("told", "meaning"),
    [
        ("sync", "unproven"),
        ("init", "failing"),
        ("building-full-sync-maps", "failing"),
        ("gì đó", Reason.PARTIAL),
    ],
)
def test_a_sync_that_is_set_up_is_no_proof_and_one_that_is_not_fails(told: str, meaning: Value) -> None:
    assert state(zone(facts={"data_sync.state": told}), HN) == meaning


def test_nothing_is_synced_from_oneself_or_from_another_zonegroup() -> None:
    assert state(HN, zone()) == "none"
    assert state(zone(facts={"zonegroup": "vn-hcm", "data_sync.state": "init"}), HN) == "none"


@pytest.mark.parametrize(("sources", "told"), [(("z-hcm",), "failing"), (("z-dn",), "none"), ((), "none")])
def test_a_zone_syncs_from_those_it_names(sources: tuple[str, ...], told: str) -> None:
    here = zone("z-hn", {"sync_from_all": False, "sync_from": sources}, own=True)
    assert state(zone(facts={"data_sync.state": "init"}), here) == told


@pytest.mark.parametrize("fact", ["zonegroup", "sync_from_all", "sync_from"])
def test_what_the_own_zone_does_not_tell_leaves_the_sync_open(fact: str) -> None:
    facts: dict[str, Value] = {"sync_from_all": False, "sync_from": ("z-hcm",)}
    here = zone("z-hn", facts, own=True, without=[fact], unseen={fact: Unseen(Reason.INVALID_ANSWER)})
    assert state(zone(), here) is Reason.INVALID_ANSWER


@pytest.mark.parametrize("fact", ["zonegroup", "data_sync.state"])
def test_what_the_other_zone_does_not_tell_leaves_the_sync_open(fact: str) -> None:
    unseen = {fact.split(".", 1)[0]: Unseen(Reason.NO_PERMISSION)}
    assert state(zone(without=[fact], unseen=unseen), HN) is Reason.NO_PERMISSION


def test_without_its_own_zone_a_gateway_tells_nothing() -> None:
    assert state(zone()) is Reason.AMBIGUOUS
    assert state(zone(), HN, zone("z-dn", own=True)) is Reason.AMBIGUOUS
    assert state(zone(), zone("z-hn", own=True, endpoint="https://khac.example.vn")) is Reason.AMBIGUOUS
    hidden = zone(without=["data_sync.state"], unseen={"data_sync": Unseen(Reason.NOT_COLLECTED)})
    assert state(hidden) is Reason.NOT_COLLECTED


def test_only_these_types_have_a_state() -> None:
    with pytest.raises(AssertionError):
        state(resource("openstack.backup", "b-1", {}))
