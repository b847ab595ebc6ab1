"""Paper against reality."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from builders import (
    CLOUD,
    HOUR,
    NOW,
    PROJECT,
    REGION,
    World,
    attestation,
    backup,
    backup_target,
    bucket,
    claim,
    container,
    derived,
    endpoint,
    gap,
    no_register,
    platform,
    project,
    reasons,
    resource,
    site,
    system,
    volume,
)

from cloudaudit.model import AtLeast, Gap, Reason, Resource, Scope, Unseen, Value

CRITICAL = (
    system("thue", {"project": PROJECT}),
    project(),
    site(regions=(REGION,), endpoints=("s3.hn.example.vn",), store_ids=("vn/hn",)),
    site("sg-1", country="SG", s3_locations=("sin",), store_ids=("sg/sin",)),
    site("hcm-1"),
    endpoint("block-storage"),
)


def state(stated: Mapping[str, Value], *resources: Resource, gaps: tuple[Gap, ...] = ()) -> Value:
    """What observation says of one claim."""
    world = World([attestation(claims=(stated,)), *CRITICAL, *resources], gaps)
    checked = derived("claims", world, platform()).facts["claims.checked"]
    assert isinstance(checked, tuple)
    return checked[0]["state"]


HOURS = "backup_frequency_hours"


@pytest.mark.parametrize(
    ("operator", "value", "age", "expected"),
    [
        ("<=", "24", 5 * HOUR, "upheld"),
        ("<=", "24", 24 * HOUR, "upheld"),
        ("<=", "24", 24 * HOUR + 1, "refuted"),
        ("=", "24", 5 * HOUR, "upheld"),
        ("=", "4", 5 * HOUR, "refuted"),
        (">=", "4", 5 * HOUR, "upheld"),
        ("contains", "24", 5 * HOUR, "unverified"),
        ("<=", "một ngày", 5 * HOUR, "unverified"),
        ("<=", "nan", 5 * HOUR, "unverified"),
        ("<=", "inf", 5 * HOUR, "unverified"),
    ],
)
def test_the_age_of_backups(operator: str, value: str, age: int, expected: str) -> None:
    assert state(claim(HOURS, operator, value), volume(), backup(age=age)) == expected


def test_a_critical_volume_without_backups_refutes_any_frequency() -> None:
    assert state(claim(HOURS, "<=", "1000"), volume()) == "refuted"


@pytest.mark.parametrize(
    ("gaps", "age", "expected"),
    [
        ((gap("openstack.backup"),), 5 * HOUR, "upheld"),
        ((gap("openstack.backup"),), 40 * HOUR, "unverified"),
        ((gap("openstack.volume"),), 5 * HOUR, "unverified"),
        ((gap("openstack.volume"),), 40 * HOUR, "refuted"),
    ],
)
def test_gaps_leave_open_what_bounds_do_not_decide(gaps: tuple[Gap, ...], age: int, expected: str) -> None:
    assert state(claim(HOURS, "<=", "24"), volume(), backup(age=age), gaps=gaps) == expected


def test_only_critical_volumes_count_and_unmapped_ones_may_be() -> None:
    promise = claim(HOURS, "<=", "24")
    other = volume("v-2", scope=Scope(CLOUD, REGION, "khac"))
    assert state(promise, volume(), backup(), other) == "unverified"
    minor = system("phu", {"project": "khac"}, criticality="low")
    assert state(promise, volume(), backup(), other, minor, project("khac")) == "upheld"
    assert state(promise) == "unverified"  # nothing bears it out


def test_copies_at_other_sites() -> None:
    promise = claim("offsite_copies", ">=", "1")
    far, near = backup_target(site="hcm-1"), backup_target(site="hn-1")
    assert state(promise, volume(), backup(), far) == "upheld"
    assert state(promise, volume(), backup(), near) == "refuted"
    assert state(promise, volume(), backup()) == "unverified"  # its place is not declared
    assert state(promise, volume(), backup(), near, gaps=(gap("openstack.backup"),)) == "unverified"
    assert state(claim("offsite_copies", "=", "1"), volume(), backup(), backup("b-2"), far) == "upheld"


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([volume(), bucket(), container()], "upheld"),
        ([volume(), bucket(facts={"location": "sin"})], "refuted"),
        ([container(facts={"sync_to": "//sg/sin/x/y"})], "refuted"),
        ([container(facts={"sync_to": "//vn/hn/x/y"})], "upheld"),
        ([container(facts={"sync_to": "//la/la/x/y"})], "unverified"),
        ([volume(), backup()], "unverified"),
        ([bucket(facts={"replication.rules": ({"destination": "la", "enabled": True},)})], "unverified"),
        ([bucket(without=["replication.rules"])], "unverified"),
        ([bucket(without=["replication.rules"], unseen={"replication": Unseen(Reason.NOT_IMPLEMENTED)})], "upheld"),
    ],
)  # fmt: skip
def test_the_country_of_data_and_their_copies(resources: list[Resource], expected: str) -> None:
    assert state(claim("data_country", "=", "vn"), *resources) == expected


def test_a_claim_for_a_part_is_not_refuted_by_the_whole() -> None:
    abroad = bucket(facts={"location": "sin"})
    assert state(claim("data_country", "=", "VN", "compute"), volume(), abroad) == "unverified"
    assert state(claim("data_country", "=", "VN", "compute"), volume()) == "upheld"


def tls(version: Value, interface: Value = "public") -> Resource:
    facts = {"tls.version": version, "interface": interface, "url": "x", "service_type": "image"}
    return resource("openstack.endpoint", f"image-{version}", facts, scope=Scope(CLOUD, REGION))


@pytest.mark.parametrize(
    ("operator", "value", "endpoints", "expected"),
    [
        (">=", "1.2", [tls("TLSv1.2")], "upheld"),
        ("=", "1.2", [tls("TLSv1.3")], "upheld"),
        ("=", "1.3", [tls("TLSv1.2")], "refuted"),
        (">=", "1.2", [tls(None)], "refuted"),
        (">=", "1.2", [tls(None, "internal")], "upheld"),
        (">=", "1.2", [tls(None, None)], "unverified"),
        (">=", "1.2", [tls("")], "unverified"),
        ("<=", "1.2", [tls("TLSv1.2")], "unverified"),
    ],
)
def test_the_least_version_of_tls(
    operator: str, value: str, endpoints: list[Resource], expected: str
) -> None:
    assert state(claim("tls_min", operator, value), *endpoints) == expected


def test_endpoints_that_were_not_listed_leave_tls_open() -> None:
    assert state(claim("tls_min", ">=", "1.2"), gaps=(gap("openstack.endpoint"),)) == "unverified"


@pytest.mark.parametrize(
    ("formats", "expected"), [(["raw", "QCOW2"], "upheld"), (["raw"], "unverified"), ([None], "unverified")]
)
def test_a_promised_format_is_upheld_by_one_image_and_refuted_by_none(
    formats: list[Value], expected: str
) -> None:
    images = [resource("openstack.image", f"i-{n}", {"disk_format": f}) for n, f in enumerate(formats)]
    assert state(claim("formats", "contains", "qcow2"), *images) == expected


def test_what_no_api_shows_is_not_observable() -> None:
    assert state(claim("availability_percent", ">=", "99.9")) == "not_observable"


def test_the_figures_of_all_claims() -> None:
    claims = (claim("data_country", "=", "VN"), claim("sla", ">=", "99"), claim("data_country", "=", "SG"))
    late = attestation("qua-han", claims=(claim("data_country", "=", "SG"),), valid_until=NOW - 1)
    early = attestation("chua-den", claims=(claim("data_country", "=", "SG"),), issued_at=NOW + 1)
    world = World([attestation(claims=claims), late, early, *CRITICAL, volume()])
    assert derived("claims", world, platform()).facts == {
        "claims.checked": (
            {"id": "van-ban#1", "metric": "data_country", "value": "VN", "state": "upheld"},
            {"id": "van-ban#2", "metric": "sla", "value": "99", "state": "not_observable"},
            {"id": "van-ban#3", "metric": "data_country", "value": "SG", "state": "refuted"},
        ),
        "claims.refuted": 1,
        "claims.unverified": 0,
    }


def test_an_unverified_claim_leaves_the_refuted_ones_open_upwards() -> None:
    claims = (claim("data_country", "=", "SG"), claim("formats", "contains", "qcow2"))
    found = derived("claims", World([attestation(claims=claims), *CRITICAL, volume()]), platform()).facts
    assert (found["claims.refuted"], found["claims.unverified"]) == (AtLeast(1), 1)


def test_without_claims_there_is_nothing_to_refute() -> None:
    found = derived("claims", World([attestation()]), platform()).facts
    assert found == {"claims.checked": (), "claims.refuted": 0, "claims.unverified": 0}


def test_without_the_register_of_papers_claims_are_not_known() -> None:
    found = derived("claims", World(gaps=[no_register("attestation")]), platform())
    assert (found.facts, reasons(found)) == ({}, {"claims": Reason.REGISTER_MISSING})
