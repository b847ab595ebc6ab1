"""Where things are, by labels and the register of sites."""

from __future__ import annotations

import pytest
from builders import (
    CLOUD,
    PROJECT,
    World,
    attestation,
    backup,
    backup_target,
    bucket,
    container,
    derived,
    document,
    endpoint,
    gap,
    in_project,
    no_register,
    reasons,
    resource,
    site,
    volume,
)

from cloudaudit.facts.location import Places, Site
from cloudaudit.model import Reason, Resource, Scope, Unseen, Value

BLOCK = "block-storage"
ENDPOINTS = (endpoint(BLOCK), endpoint(BLOCK, "hcm"))


def place_of(world: World, one: Resource) -> Value:
    """The id of the site, or why there is none."""
    found = derived("location", world, one)
    return found.facts["site.id"] if "site.id" in found.facts else reasons(found)["site"]


def zoned(zone: str | None, region: str | None = "hn") -> Resource:
    return volume(facts={"zone": zone}, scope=in_project(PROJECT, region))


def test_the_facts_of_a_place() -> None:
    found = derived("location", World([*ENDPOINTS, site(regions=("hn",))]), volume())
    assert found.facts == {
        "site.id": "hn-1",
        "site.country": "VN",
        "site.domestic": True,
        "site.attested": False,
    }
    assert found.unseen == {}


def test_a_foreign_place_is_not_domestic() -> None:
    found = derived("location", World([*ENDPOINTS, site(country="SG", regions=("hn",))]), volume())
    assert (found.facts["site.country"], found.facts["site.domestic"]) == ("SG", False)


def test_a_site_without_a_country_is_neither_domestic_nor_foreign() -> None:
    found = derived("location", World([*ENDPOINTS, site(country=None, regions=("hn",))]), volume())
    assert set(found.facts) == {"site.id", "site.attested"}
    assert reasons(found) == {"site.country": Reason.PARTIAL, "site.domestic": Reason.PARTIAL}


def test_without_the_register_nothing_has_a_place() -> None:
    world = World(ENDPOINTS, [no_register("site")])
    assert place_of(world, volume()) is Reason.REGISTER_MISSING
    assert place_of(world, bucket()) is Reason.REGISTER_MISSING


# --- regions and zones ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "region", "place"),
    [
        ("az1", "hn", "hn-1"),
        ("az2", "hn", "hn-2"),
        ("az1", "hcm", "hcm-1"),  # the same name in another region
        ("az9", "hcm", "hcm-1"),  # a site that lists no zones has all others
        ("az9", "hn", Reason.UNMAPPED),
        (None, "hcm", "hcm-1"),
        (None, "hn", Reason.AMBIGUOUS),
        ("az1", "dn", Reason.UNMAPPED),
        ("az1", None, Reason.UNMAPPED),
        ("", "hcm", "hcm-1"),
    ],
)
def test_a_zone_is_resolved_within_its_region(zone: str | None, region: str | None, place: Value) -> None:
    world = World(
        [
            *ENDPOINTS,
            site("hn-1", regions=("hn",), azs=("az1",)),
            site("hn-2", regions=("hn",), azs=("az2",)),
            site("hcm-1", regions=("hcm",)),
        ]
    )
    assert place_of(world, zoned(zone, region)) == place


def test_a_zone_listed_without_regions_stands_for_itself() -> None:
    world = World([*ENDPOINTS, site(azs=("az1",))])
    assert place_of(world, zoned("az1", None)) == "hn-1"
    assert place_of(world, zoned("az1", "dn")) == "hn-1"


def test_a_zone_of_two_sites_is_ambiguous() -> None:
    world = World([*ENDPOINTS, site("a", azs=("az1",)), site("b", azs=("az1",))])
    found = derived("location", world, zoned("az1"))
    assert found.unseen == {"site": Unseen(Reason.AMBIGUOUS, "zone az1 of region hn is declared at a, b")}


def test_a_zone_that_was_not_seen_is_not_the_whole_region() -> None:
    world = World([*ENDPOINTS, site(regions=("hn",))])
    refused = volume(without=["zone"], unseen={"zone": Unseen(Reason.NO_PERMISSION)})
    assert place_of(world, refused) is Reason.NO_PERMISSION
    assert place_of(world, volume(facts={"zone": 5})) is Reason.INVALID_ANSWER


def test_two_regions_with_one_address_are_ambiguous() -> None:
    shared = "https://api.example.vn/volume"
    endpoints = [endpoint(BLOCK, region, shared) for region in ("hn", "hcm")]
    world = World([*endpoints, site("hn-1", regions=("hn",)), site("hcm-1", regions=("hcm",))])
    found = derived("location", world, volume())
    assert found.unseen == {
        "site": Unseen(Reason.AMBIGUOUS, "region hn shares its address with hcm"),
    }


def test_an_address_is_shared_by_the_service_that_has_it() -> None:
    """A volume is where its Cinder is, though Nova has one address for two regions."""
    shared = "https://api.example.vn/compute"
    endpoints = [*ENDPOINTS, *(endpoint("compute", region, shared) for region in ("hn", "hcm"))]
    world = World([*endpoints, site(regions=("hn",))])
    server = resource("openstack.server", "m-1", {"zone": None})
    assert place_of(world, volume()) == "hn-1"
    assert place_of(world, server) is Reason.AMBIGUOUS


@pytest.mark.parametrize("service", ["identity", "dns", "placement"])
def test_services_that_are_one_for_all_regions_tell_nothing(service: str) -> None:
    shared = [endpoint(service, region, "https://api.example.vn/") for region in ("hn", "hcm")]
    world = World([*ENDPOINTS, *shared, site(regions=("hn",))])
    assert place_of(world, volume()) == "hn-1"
    assert place_of(world, shared[0]) == "hn-1"


def test_regions_of_two_clouds_do_not_share() -> None:
    shared = "https://api.example.vn/volume"
    world = World(
        [endpoint(BLOCK, "hn", shared), endpoint(BLOCK, "hcm", shared, target="kia"), site(regions=("hn",))]
    )
    assert place_of(world, volume()) == "hn-1"


def test_a_zone_places_what_an_ambiguous_region_does_not() -> None:
    """One address under two labels is still at one place, if its zone is there under both."""
    shared = "https://api.example.vn/volume"
    endpoints = [endpoint(BLOCK, region, shared) for region in ("hn", "hcm")]
    everywhere = World([*endpoints, site("hn-1", azs=("az1",)), site("hcm-1", regions=("hcm",))])
    assert place_of(everywhere, zoned("az1")) == "hn-1"
    both = World([*endpoints, site("hn-1", azs=("az1",), regions=("hn", "hcm"))])
    assert place_of(both, zoned("az1")) == "hn-1"
    one = World([*endpoints, site("hn-1", azs=("az1",), regions=("hn",))])
    assert place_of(one, zoned("az1")) is Reason.AMBIGUOUS


def test_regions_are_trusted_only_where_all_addresses_are_known() -> None:
    sites = [site("hn-1", regions=("hn",), azs=("az1",)), site("hn-2", azs=("az2",))]
    refused = World([*ENDPOINTS, *sites], [gap("openstack.endpoint", Scope(CLOUD))])
    assert place_of(refused, zoned("az1")) is Reason.NO_PERMISSION
    assert place_of(refused, zoned("az2")) == "hn-2"
    elsewhere = World([*ENDPOINTS, *sites], [gap("openstack.endpoint", Scope("kia"))], [])
    assert place_of(elsewhere, zoned("az1")) is Reason.NOT_COLLECTED


def test_an_endpoint_without_an_address_may_share_any() -> None:
    silent = endpoint("compute", "hcm", unseen={"url": Unseen(Reason.INVALID_ANSWER)}, without=["url"])
    assert place_of(World([*ENDPOINTS, silent, site(regions=("hn",))]), volume()) is Reason.INVALID_ANSWER


def test_an_endpoint_of_an_unknown_service_counts_for_all() -> None:
    shared = "https://api.example.vn/volume"
    unknown = endpoint("compute", "hcm", shared, without=["service_type"])
    world = World([endpoint(BLOCK, "hn", shared), unknown, site(regions=("hn",))])
    assert place_of(world, volume()) is Reason.AMBIGUOUS


def test_sightings_in_two_regions_have_a_place_by_zone_alone() -> None:
    world = World([*ENDPOINTS, site("hn-1", azs=("az1",)), site("hn-2", azs=("az2",), regions=("hn",))])
    doubt = {"region": Unseen(Reason.AMBIGUOUS, "seen in two regions")}
    assert place_of(world, volume(facts={"zone": "az1"}, unseen=doubt)) == "hn-1"
    assert place_of(world, volume(facts={"zone": "az2"}, unseen=doubt)) is Reason.AMBIGUOUS


def test_a_region_tells_whether_its_addresses_are_its_own() -> None:
    region = resource("openstack.region", "hn", {}, scope=Scope(CLOUD, "hn"))
    own = derived("location", World([*ENDPOINTS, site(regions=("hn",))]), region)
    assert (own.facts["site.id"], own.facts["endpoints_distinct"]) == ("hn-1", True)
    twins = [endpoint("image", name, "https://api.example.vn/image") for name in ("hn", "hcm")]
    shared = derived("location", World([*twins, site(regions=("hn",))]), region)
    assert (shared.facts, reasons(shared)) == ({"endpoints_distinct": False}, {"site": Reason.AMBIGUOUS})
    unknown = derived("location", World([site(regions=("hn",))], [gap("openstack.endpoint")]), region)
    assert reasons(unknown) == {"site": Reason.NO_PERMISSION, "endpoints_distinct": Reason.NO_PERMISSION}


def test_zones_of_a_service_follow_its_address() -> None:
    shared = [endpoint("compute", region, "https://api.example.vn/compute") for region in ("hn", "hcm")]
    world = World([*ENDPOINTS, *shared, site(regions=("hn",))])

    def zone(service: str) -> Resource:
        facts = {"zone": "nova", "service": service}
        return resource("openstack.availability_zone", f"{service}:nova", facts, scope=Scope(CLOUD, "hn"))

    assert place_of(world, zone("compute")) is Reason.AMBIGUOUS
    assert place_of(world, zone(BLOCK)) == "hn-1"


def test_containers_and_endpoints_lie_in_their_region() -> None:
    world = World([*ENDPOINTS, site(regions=("hn",), azs=("az1",))])
    assert place_of(world, container()) == "hn-1"
    assert place_of(world, endpoint(BLOCK)) == "hn-1"


# --- stores, hosts, backups ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "place"),
    [("vn", "hn-1"), ("sg", Reason.UNMAPPED), (None, "hn-2"), ("", "hn-2"), ("both", Reason.AMBIGUOUS)],
)
def test_a_bucket_lies_where_its_constraint_says_or_else_its_endpoint(
    location: str | None, place: Value
) -> None:
    world = World(
        [
            site("hn-1", s3_locations=("vn", "both")),
            site("hn-2", s3_locations=("both",), endpoints=("S3.hn.example.vn",)),
        ]
    )
    assert place_of(world, bucket(facts={"location": location})) == place


def test_a_bucket_whose_location_was_refused_has_no_place() -> None:
    refused = bucket(without=["location"], unseen={"location": Unseen(Reason.NO_PERMISSION)})
    assert place_of(World([site(endpoints=("s3.hn.example.vn",))]), refused) is Reason.NO_PERMISSION


@pytest.mark.parametrize("address", ["", "https://[bad", "kho"])
def test_a_bucket_at_a_broken_address_is_unmapped(address: str) -> None:
    assert place_of(World([site(endpoints=("kho.vn",))]), bucket(endpoint=address)) is Reason.UNMAPPED


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("s3.example.vn", "hn-1"),
        ("S3.EXAMPLE.VN", "hn-1"),
        ("203.0.113.9", "hcm-1"),
        ("198.51.100.1", Reason.UNMAPPED),
        ("2001:db8::1", "hcm-1"),
    ],
)
def test_a_host_is_told_by_name_or_address(host: str, place: Value) -> None:
    world = World(
        [
            site("hn-1", endpoints=("s3.example.vn",)),
            site("hcm-1", ip_ranges=("203.0.113.0/24", "2001:db8::/32")),
        ]
    )
    assert place_of(world, resource("s3.endpoint", "x", {"host": host}, scope=Scope("kho"))) == place


def test_an_endpoint_without_a_host_is_not_known() -> None:
    assert place_of(World([site()]), resource("s3.endpoint", "x", {})) is Reason.PARTIAL


@pytest.mark.parametrize(
    ("facts", "place"),
    [
        ({"container": "sao-luu-1"}, "hn-1"),
        ({"container": "sao-luu-1", "zone": "az9"}, "hn-1"),
        ({"container": "khac", "zone": "az2"}, "hcm-1"),
        ({"container": "khac", "zone": None}, Reason.UNMAPPED),
        ({"container": "sao-luu-1", "zone": "az2"}, Reason.AMBIGUOUS),
        ({"container": None, "zone": None}, Reason.UNMAPPED),
        ({"container": 5, "zone": None}, Reason.INVALID_ANSWER),
    ],
)
def test_a_backup_lies_where_a_declared_target_is(facts: dict[str, Value], place: Value) -> None:
    world = World(
        [
            site("hn-1"),
            site("hcm-1"),
            backup_target("a", container="sao-luu-*", site="hn-1"),
            backup_target("b", zone="az2", site="hcm-1"),
            backup_target("c", target="kia", site="hcm-1"),
        ]
    )
    assert place_of(world, backup(facts=facts)) == place


def test_a_backup_needs_both_registers() -> None:
    assert place_of(World([backup_target()], [no_register("site")]), backup()) is Reason.REGISTER_MISSING
    assert place_of(World([site()], [no_register("backup_target")]), backup()) is Reason.REGISTER_MISSING


def test_a_target_at_an_undeclared_site_places_nothing() -> None:
    world = World([site("hn-1"), backup_target("a", site="hn-1"), backup_target("b", site="la")])
    assert place_of(world, backup()) is Reason.UNMAPPED


def test_a_label_that_was_not_seen_leaves_the_target_open() -> None:
    world = World(
        [site("hn-1"), site("hcm-1"), backup_target(), backup_target("b", zone="az2", site="hcm-1")]
    )
    assert place_of(world, backup(without=["zone"])) is Reason.PARTIAL


# --- what backs the register ----------------------------------------------------------------------------


def test_a_place_says_whether_a_paper_backs_it() -> None:
    declared = site(regions=("hn",), attestation="van-ban")
    backed = World([*ENDPOINTS, declared, attestation(), document()])
    assert derived("location", backed, volume()).facts["site.attested"] is True
    unread = derived("location", World([*ENDPOINTS, declared, attestation()]), volume())
    assert "site.attested" not in unread.facts
    assert reasons(unread) == {"site.attested": Reason.NOT_COLLECTED}


def test_sites_of_one_risk_group_are_not_apart() -> None:
    hanoi, other, far = Site("a", "VN", "song-hong"), Site("b", "VN", "song-hong"), Site("c", "VN")
    assert [hanoi.apart_from(s) for s in (hanoi, other, far)] == [False, False, True]


def test_realms_are_spelt_in_any_case() -> None:
    places = Places(World([site(store_ids=("VN/Hcm",))]))
    assert places.realm("vn/hcm") == Site("hn-1", "VN")
    assert places.store("vn/hcm") == Unseen(Reason.UNMAPPED, "vn/hcm is at no declared site")
