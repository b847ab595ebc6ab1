"""Five identities look at one OpenStack: what is missing of each sight is what it was really refused or not shown."""

from __future__ import annotations

import gzip

import pytest
from asked_raw import Onlooker, expected
from audits import TYPES, leaks
from beds import OpenStackBed
from identities import Identities, Raw, credential, logged_in, of_project, user
from vantages import OF_CLOUD, ONE_SERVICE, OPERATOR, PROJECT, READER, RULES, SYSTEM

from cloudaudit.catalog import load_catalogue, load_profile
from cloudaudit.model import Reason, Scope
from cloudaudit.plan import plan
from cloudaudit.snapshot import Snapshot


def raw(vantage: str, known: Identities) -> Raw:
    """The identity of a vantage, logged in by the tests' own client."""
    bed = known.bed
    match vantage:
        case "operator":
            return known.admin
        case "system":
            return known.reader_of_system
        case "reader":
            return logged_in(bed, user(bed, "audit-tenant"), of_project(bed.projects[PROJECT]))
        case "rules":
            return known.with_least(PROJECT)
        case _:
            seeded = bed.env["application_credential"]
            return logged_in(bed, credential(seeded["id"], seeded["secret"]), None)


def kind(scope: Scope) -> str:
    return "project" if scope.project else "region" if scope.region else "target"


def gaps(snapshot: Snapshot) -> set[tuple[str, str, Reason]]:
    """Lists that are missing."""
    return {
        (gap.type.removeprefix("openstack."), kind(gap.scope), gap.reason)
        for gap in snapshot.gaps()
        if gap.listing
    }


@pytest.mark.parametrize("vantage", OF_CLOUD)
def test_gaps_are_what_was_refused_or_cannot_be_proven(
    vantage: str, sights: dict[str, Snapshot], known: Identities
) -> None:
    onlooker = Onlooker(raw(vantage, known), known, everyone=vantage in (OPERATOR, SYSTEM))
    assert gaps(sights[vantage]) == expected(onlooker)


@pytest.mark.parametrize("vantage", OF_CLOUD)
def test_every_type_ends_in_a_listing_or_a_gap(vantage: str, sights: dict[str, Snapshot]) -> None:
    sight = sights[vantage]
    concluded = {listing.type for listing in sight.listings()} | {gap.type for gap in sight.gaps()}
    assert concluded == {name for name in TYPES if name.startswith("openstack.")}


def test_empty_lists_of_neutron_and_cinder_prove_nothing_to_a_system_reader(
    sights: dict[str, Snapshot], cloud: OpenStackBed, known: Identities
) -> None:
    onlooker = Onlooker(known.reader_of_system, known, everyone=True)
    for service, path, key, type_ in (
        ("network", "/v2.0/networks", "networks", "openstack.network"),
        ("network", "/v2.0/ports", "ports", "openstack.port"),
        ("block-storage", "/volumes/detail?all_tenants=1", "volumes", "openstack.volume"),
    ):
        answer = onlooker.raw.ask(onlooker.raw.addresses[service] + path)
        assert (answer.status_code, answer.json()[key]) == (200, [])
        assert cloud.things(type_.removeprefix("openstack.")) or type_ == "openstack.port"
        assert [gap.reason for gap in sights[SYSTEM].gaps() if gap.type == type_] == [Reason.PARTIAL]
        assert not [listing for listing in sights[SYSTEM].listings() if listing.type == type_]


def test_the_operator_sees_all_that_was_seeded(sights: dict[str, Snapshot], cloud: OpenStackBed) -> None:
    for name in ("server", "volume", "backup", "snapshot", "network", "router", "security_group", "image"):
        seen = {one.id for one in sights[OPERATOR].each(f"openstack.{name}")}
        assert seen >= {thing["id"] for thing in cloud.things(name)}, name


def test_access_rules_hide_only_what_the_profile_does_not_read(sights: dict[str, Snapshot]) -> None:
    """They are those of a profile: of what it lists, a reader with them misses nothing more."""
    chosen = load_profile("ndc-connection", load_catalogue(), "provider")
    wanted = plan(chosen, TYPES).wanted
    listed = {
        name.removeprefix("openstack.")
        for name, type_ in TYPES.items()
        if name.startswith("openstack.")
        and all(c.name in wanted for c in type_.calls.values() if c.lists and not c.vantage)
    }
    reader, rules = ({type_ for type_, _, _ in gaps(sights[vantage])} for vantage in (READER, RULES))
    assert reader < rules
    assert reader & listed == rules & listed
    assert {"server", "volume", "network", "image"} < listed - rules


def test_one_service_is_all_that_a_rule_for_one_service_shows(sights: dict[str, Snapshot]) -> None:
    """Where a type is of several services, what this one says of it is kept."""
    of_compute = {
        name
        for name, type_ in TYPES.items()
        if name.startswith("openstack.") and any(call.service == "compute" for call in type_.calls.values())
    }
    seen = {name for name in TYPES if any(True for _ in sights[ONE_SERVICE].each(name))}
    # Swift tells everybody what it can do, without a token.
    assert seen <= of_compute | {"openstack.object_service"}
    assert {"openstack.server", "openstack.quota", "openstack.flavor"} <= seen


@pytest.mark.parametrize("vantage", OF_CLOUD)
def test_no_secret_is_written_of_any_type(
    vantage: str, sights: dict[str, Snapshot], known: Identities
) -> None:
    folder = sights[vantage].folder
    texts = (
        (
            str(path),
            (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode(),
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )
    assert leaks(texts, known.secrets) == []
