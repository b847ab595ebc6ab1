"""Facts of the subject as a whole."""

from __future__ import annotations

import pytest
from builders import (
    CLOUD,
    PROJECT,
    REGION,
    STORE,
    World,
    backup,
    bucket,
    container,
    derived,
    endpoint,
    gap,
    in_project,
    listing,
    no_register,
    platform,
    port,
    project,
    reasons,
    resource,
    site,
    snapshot,
    system,
    volume,
)

from cloudaudit.catalog import load_types
from cloudaudit.facts import Derived
from cloudaudit.facts.kinds import hidden_part
from cloudaudit.model import AtLeast, Gap, Partial, Reason, Resource, Scope, Unseen, Value

OPENSTACK = [name for name in load_types() if name.startswith("openstack.")]
NO_CLOUD = [gap(t, reason=Reason.NOT_COLLECTED) for t in OPENSTACK]
NO_STORE = [gap(t, reason=Reason.NOT_COLLECTED) for t in ("s3.bucket", "s3.endpoint")]


def inventory(world: World) -> Derived:
    return derived("inventory", world, platform())


def residency(world: World) -> Derived:
    return derived("residency", world, platform())


def s3_endpoint(scheme: str = "https", **facts: Value) -> Resource:
    plain = {"scheme": scheme, "host": "s3.hn.example.vn", "server_kind": "ceph", **facts}
    return resource("s3.endpoint", f"{scheme}://s3.hn.example.vn", plain, scope=Scope(STORE))


def service(type_: str) -> Resource:
    return resource("openstack.service", type_, {"type": type_}, scope=Scope(CLOUD))


# --- kinds of cloud -------------------------------------------------------------------------------------


@pytest.mark.parametrize("silent", [NO_CLOUD, NO_STORE])
def test_a_kind_of_cloud_nobody_asked_about_hides_things(silent: list[Gap]) -> None:
    types = ("openstack.volume", "s3.bucket")
    assert hidden_part(World(gaps=silent), types) == Unseen(Reason.NOT_COLLECTED, "")
    assert hidden_part(World(), types) is None, "an empty list, read or declared, is whole"


def test_where_nothing_was_collected_nothing_is_whole() -> None:
    found = hidden_part(World(gaps=[*NO_CLOUD, *NO_STORE]), ("s3.bucket",))
    assert found == Unseen(Reason.NOT_COLLECTED, "")


# --- inventory ------------------------------------------------------------------------------------------


def test_services_regions_and_endpoints_of_all_clouds() -> None:
    regions = [resource("openstack.region", id_, {}, scope=Scope(CLOUD, id_)) for id_ in ("hn", "hcm")]
    endpoints = [endpoint(), endpoint("image", url="http://image.example.vn/"), s3_endpoint("HTTP")]
    found = inventory(World([service("image"), service("compute"), *regions, *endpoints])).facts
    assert found["services.types"] == ("compute", "image", "object-store")
    assert found["regions"] == ("hcm", "hn")
    assert found["endpoints.insecure"] == 2


@pytest.mark.parametrize(
    ("world", "types"),
    [
        (World([service("compute")], [gap("openstack.service", Scope(CLOUD))]), Partial(("compute",))),
        (World([service("compute"), s3_endpoint(server_kind=None)]), Partial(("compute",))),
        (World([s3_endpoint()]), ("object-store",)),
        (World([service("compute")]), ("compute",)),
        (World([resource("openstack.service", "x", {})]), Partial(())),
    ],
)
def test_services_are_known_in_part_where_a_catalogue_or_store_did_not_answer(
    world: World, types: Value
) -> None:
    assert inventory(world).facts["services.types"] == types


def test_endpoints_that_were_not_seen_may_be_insecure() -> None:
    gapped = World([endpoint(url="http://x.vn/")], [gap("openstack.endpoint", Scope(CLOUD))])
    silent = World([endpoint(without=["scheme"])])
    assert inventory(gapped).facts["endpoints.insecure"] == AtLeast(1)
    assert inventory(silent).facts["endpoints.insecure"] == AtLeast(0)


def test_systems_of_the_register() -> None:
    world = World([system("b"), system("a", criticality="high"), system("c", criticality="low")])
    found = inventory(world).facts
    assert (found["systems.count"], found["systems.critical"]) == (3, ("a", "b"))
    missing = inventory(World(gaps=[no_register("system")]))
    assert {n: r for n, r in reasons(missing).items() if r is Reason.REGISTER_MISSING} == dict.fromkeys(
        ("systems", "projects", "attribution"), Reason.REGISTER_MISSING
    )


def test_projects_that_no_system_claims() -> None:
    world = World(
        [
            system("thue", {"project": "a"}),
            system("ho-tich", {"project": "b"}),
            system("x", {"project": "b"}),
            *(project(label) for label in "abc"),
        ]
    )
    assert inventory(world).facts["projects.unmapped"] == ("c",)


def test_projects_that_may_be_claimed_are_not_called_unmapped() -> None:
    unread = project("b", without=["labels"], unseen={"labels": Unseen(Reason.TIMEOUT)})
    found = inventory(World([system("thue"), project("a"), unread]))
    assert found.facts["projects.unmapped"] == Partial(("a",))
    assert reasons(found)["projects"] is Reason.TIMEOUT


PLACED = (endpoint("block-storage"), site(regions=(REGION,), endpoints=("s3.hn.example.vn",)))


def test_sites_that_hold_something() -> None:
    world = World([*PLACED, volume(), bucket(), s3_endpoint(), site("hcm-1")])
    assert inventory(world).facts["sites.in_use"] == ("hn-1",)


@pytest.mark.parametrize(
    ("world", "sites"),
    [
        (World([*PLACED, volume(scope=in_project(PROJECT, "la"))]), Partial(("hn-1",))),
        (World([*PLACED, volume()], [gap("openstack.share", Scope(CLOUD))]), Partial(("hn-1",))),
        (World([site(endpoints=("s3.hn.example.vn",)), bucket()]), ("hn-1",)),
        (World([*PLACED, volume()]), ("hn-1",)),
        (World([bucket()]), Partial(())),
    ],
)
def test_sites_are_known_in_part_while_anything_is_nowhere(world: World, sites: Value) -> None:
    assert inventory(world).facts["sites.in_use"] == sites


# --- share that belongs to systems ------------------------------------------------------------------------

OURS = system("thue", {"project": PROJECT})
ELSEWHERE = in_project("khac")


def shares(world: World) -> tuple[Value, ...]:
    found = inventory(world)
    answers = {**reasons(found), **found.facts}
    return tuple(answers.get(f"attribution.by_{by}", answers.get("attribution")) for by in ("count", "size"))


@pytest.mark.parametrize(
    ("resources", "by"),
    [
        ([], (None, None)),
        ([volume()], (1.0, 1.0)),
        ([port("p-1")], (1.0, None)),
        ([volume(), volume("v-2", {"size_gb": 30}, scope=ELSEWHERE)], (0.5, 0.25)),
        ([volume(), backup(scope=ELSEWHERE), snapshot(scope=ELSEWHERE)], (1 / 3, 1 / 3)),
        ([volume(), resource("openstack.network", "chung", {}, scope=in_project(None))], (1.0, 1.0)),
        ([volume(), volume("v-2", without=["size_gb"])], (1.0, Reason.PARTIAL)),
    ],
)
def test_the_share_of_what_belongs_to_a_system(resources: list[Resource], by: tuple[Value, Value]) -> None:
    assert shares(World([OURS, project(), project("khac"), *resources])) == by


def test_what_may_belong_to_a_system_bounds_the_share() -> None:
    unread = volume("v-2", {"size_gb": 30}, without=["labels"])
    other = system("ho-tich")
    assert shares(World([OURS, other, project(), volume(), unread])) == (AtLeast(0.5), AtLeast(0.25))


def test_a_list_that_is_not_whole_leaves_the_share_open() -> None:
    world = World([OURS, project(), volume()], [gap("openstack.port", Scope(CLOUD))])
    assert shares(world) == (Reason.NO_PERMISSION, Reason.NO_PERMISSION)


# --- residency ------------------------------------------------------------------------------------------

ABROAD = site("sg-1", country="SG", regions=("sin",), s3_locations=("sin",), store_ids=("sg/sin",))


def test_when_all_is_at_home_nothing_crosses_the_border() -> None:
    found = residency(World([*PLACED, volume(), bucket(), container(), system(), project()]))
    assert found == Derived({"locations.unknown": 0, "locations.foreign": (), "transfers": ()}, {})


def test_what_lies_abroad_is_a_case_of_its_system() -> None:
    world = World(
        [
            *PLACED,
            ABROAD,
            endpoint("block-storage", "sin"),
            volume(scope=in_project(PROJECT, "sin")),
            bucket(facts={"location": "sin"}),
            container(facts={"sync_to": "//sg/sin/AUTH_x/c"}),
            system("thue", {"project": PROJECT}, {"bucket": "ho-so"}, data_classes=("core", "open")),
            project(),
        ]
    )
    found = residency(world)
    assert found.facts == {
        "locations.unknown": 0,
        "locations.foreign": (
            "openstack.container:tep", "openstack.endpoint:block-storage-sin", "openstack.volume:v-1",
            "s3.bucket:ho-so",
        ),
        "transfers": ({"system": "thue", "core_or_important": True, "personal": False}, {}),
    }  # fmt: skip
    assert found.unseen == {}


def test_a_system_declared_as_crossing_the_border_is_a_case() -> None:
    crossing = system("thue", cross_border=True, data_classes=("personal-sensitive",))
    assert residency(World([crossing, system("ho-tich")])).facts["transfers"] == (
        {"system": "thue", "core_or_important": False, "personal": True},
    )


def test_a_system_that_does_not_say_leaves_the_cases_open() -> None:
    found = residency(World([system("thue", cross_border=None)]))
    assert (found.facts["transfers"], reasons(found)) == (Partial(()), {"transfers": Reason.INVALID_ANSWER})


def replicating(to: str) -> Resource:
    return bucket(facts={"replication.rules": ({"destination": to, "enabled": True},)})


@pytest.mark.parametrize(
    ("resources", "unknown", "foreign"),
    [
        ([volume(facts={"zone": None}, scope=in_project(PROJECT, "la"))], 1, ()),
        ([replicating("la")], 1, ()),
        (
            [replicating("dich"), bucket("dich", {"location": "sin"})],
            0,
            ("s3.bucket:dich", "s3.bucket:ho-so"),
        ),
        ([container(facts={"sync_to": "//la/la/x/y"})], 1, ()),
        ([container(without=["sync_to"])], 1, ()),
        ([bucket(without=["replication.rules"])], 1, ()),
        ([backup()], 1, ()),
    ],
)
def test_copies_count_as_locations(resources: list[Resource], unknown: int, foreign: tuple[str, ...]) -> None:
    found = residency(World([*PLACED, ABROAD, *resources, system()])).facts
    assert found["locations.unknown"] == unknown
    assert found["locations.foreign"] == (Partial(foreign) if unknown else foreign)


def test_a_store_that_cannot_replicate_copies_nothing() -> None:
    unable = bucket(without=["replication.rules"], unseen={"replication": Unseen(Reason.NOT_IMPLEMENTED)})
    assert residency(World([*PLACED, unable])).facts["locations.unknown"] == 0


def test_a_place_without_a_country_is_unknown() -> None:
    world = World([endpoint("block-storage"), site(country=None, regions=(REGION,)), volume()])
    assert residency(world).facts["locations.unknown"] == 2


@pytest.mark.parametrize(
    ("hidden", "unknown", "transfers"),
    [
        (gap("openstack.volume", Scope(CLOUD)), AtLeast(0), Partial(())),
        (no_register("site"), Reason.REGISTER_MISSING, Reason.REGISTER_MISSING),
        (no_register("system"), 0, Reason.REGISTER_MISSING),
    ],
)
def test_what_was_not_given_or_listed_leaves_residency_open(
    hidden: Gap, unknown: Value, transfers: Value
) -> None:
    resources = [*PLACED, volume(), system()]
    left = [r for r in resources if r.type != hidden.type or r.type == "openstack.volume"]
    found = residency(World(left, [hidden]))
    answers = {**reasons(found), **found.facts}
    assert answers.get("locations.unknown", answers.get("locations")) == unknown
    assert answers["transfers"] == transfers


def test_a_thing_abroad_that_may_be_of_any_system_leaves_the_cases_open() -> None:
    unread = bucket(facts={"location": "sin"}, without=["labels"])
    world = World([*PLACED, ABROAD, unread, system("thue"), system("ho-tich", {"bucket": "*"})])
    assert residency(world).facts["transfers"] == Partial(())


def test_a_subject_with_stores_alone_has_its_locations_known() -> None:
    world = World([site(endpoints=("s3.hn.example.vn",)), bucket(), s3_endpoint(), system()])
    assert residency(world) == Derived({"locations.unknown": 0, "locations.foreign": (), "transfers": ()}, {})


def test_a_declaration_that_a_kind_is_absent_proves_it() -> None:
    absent = [listing(t, Scope("*")) for t in OPENSTACK]
    world = World([site(endpoints=("s3.hn.example.vn",)), bucket(), system()], (), absent)
    assert residency(world).facts["locations.unknown"] == 0
