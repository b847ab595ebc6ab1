"""Sizes of machines on offer, and whose keys encrypt volumes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from builders import (
    CLOUD,
    PROJECT,
    REGION,
    World,
    derived,
    flavor,
    gap,
    in_project,
    listing,
    no_register,
    platform,
    reasons,
    resource,
    volume,
)

from cloudaudit.facts.portability import FIXED_KEY
from cloudaudit.model import Listing, Partial, Reason, Resource, Scope, Unseen, Value

HN = resource("openstack.region", REGION, {"parent": None}, scope=Scope(CLOUD, REGION))

# --- sizes of machines ---------------------------------------------------------------------------------


def shapes(world: World) -> Value:
    found = derived("portability", world, HN)
    assert ("flavors.shapes" in found.unseen) is isinstance(found.facts["flavors.shapes"], Partial)
    return found.facts["flavors.shapes"]


def test_sizes_are_those_offered_to_everyone() -> None:
    world = World(
        [
            flavor(),
            flavor("same", {"disk_gb": 100}),
            flavor("small", {"vcpus": 1, "ram_mb": 512}),
            flavor("odd", {"vcpus": 1, "ram_mb": 4000}),
            flavor("private", {"vcpus": 4, "is_public": False}),
            flavor("gone", {"vcpus": 8, "disabled": True}),
            flavor("elsewhere", {"vcpus": 16}, scope=Scope(CLOUD, "hcm")),
            flavor("another cloud", {"vcpus": 32}, scope=Scope("khac", REGION)),
        ]
    )
    assert shapes(world) == ("1V-0.5", "1V-3.90625", "2V-8")


def test_no_flavors_are_none() -> None:
    assert shapes(World()) == ()


@pytest.mark.parametrize("fact", ["vcpus", "ram_mb", "is_public", "disabled"])
def test_a_flavor_half_seen_may_be_of_any_size(fact: str) -> None:
    world = World([flavor(), flavor("x", without=[fact])])
    assert shapes(world) == Partial(("2V-8",))
    private = flavor("x", {"is_public": False}, without=["vcpus"])
    assert shapes(World([flavor(), private])) == ("2V-8",)


def test_flavors_that_could_not_be_listed_may_be_of_any_size() -> None:
    assert shapes(World([flavor()], [gap("openstack.flavor", Scope(CLOUD, REGION))])) == Partial(("2V-8",))
    assert (
        shapes(
            World(
                [],
                [gap("openstack.flavor", Scope(CLOUD, "hcm"))],
                [listing("openstack.flavor", Scope(CLOUD, REGION))],
            )
        )
        == ()
    )
    assert shapes(World([], (), [listing("openstack.flavor", Scope(CLOUD, "hcm"))])) == Partial(())


def test_a_flavor_of_two_regions_may_be_of_this_one() -> None:
    torn = flavor("x", {"vcpus": 4}, scope=Scope(CLOUD), unseen={"region": Unseen(Reason.AMBIGUOUS)})
    assert shapes(World([flavor(), torn])) == Partial(("2V-8",))


# --- whose keys encrypt --------------------------------------------------------------------------------


def secret(id_: str = "k-1", scope: Scope | None = None) -> Resource:
    return resource("openstack.secret", id_, {}, scope=scope or in_project(PROJECT))


def own(world: World, key: Value = "k-1") -> Value:
    return derived("portability", world, volume(facts={"encryption_key": key})).facts["key.own"]


def test_a_key_of_the_volumes_own_project() -> None:
    assert own(World([secret()])) is True
    assert own(World([secret("K-1")])) is True
    assert own(World([secret()], [gap("openstack.secret")])) is True, "what was seen is enough"


def test_a_key_that_the_project_does_not_hold_is_somebody_elses() -> None:
    assert own(World()) is False
    assert own(World([secret("k-2")])) is False
    assert own(World([secret(scope=in_project("khac"))])) is False
    assert own(World([secret(scope=in_project(PROJECT, "hcm"))])) is False


def test_the_key_of_the_configuration_file_is_the_operators() -> None:
    assert own(World([secret(FIXED_KEY)], [gap("openstack.secret")]), FIXED_KEY) is False


def test_a_volume_without_a_key_has_no_owner_of_it() -> None:
    assert own(World(), None) is None


def test_secrets_that_were_not_listed_may_be_the_key() -> None:
    found = derived(
        "portability", World([], [gap("openstack.secret")]), volume(facts={"encryption_key": "k-1"})
    )
    assert (found.facts, reasons(found)) == ({}, {"key.own": Reason.NO_PERMISSION})
    torn = resource("openstack.secret", "k-1", {}, unseen={"project": Unseen(Reason.AMBIGUOUS)})
    found = derived("portability", World([torn]), volume(facts={"encryption_key": "k-1"}))
    assert reasons(found) == {"key.own": Reason.AMBIGUOUS}


@pytest.mark.parametrize("part", ["project", "region"])
def test_a_volume_of_no_one_place_has_no_own_project(part: str) -> None:
    torn = volume(facts={"encryption_key": "k-1"}, unseen={part: Unseen(Reason.AMBIGUOUS)})
    assert reasons(derived("portability", World([secret()]), torn)) == {"key.own": Reason.AMBIGUOUS}


def test_a_key_that_is_not_told_is_nobodys() -> None:
    old = volume(unseen={"encryption_key": Unseen(Reason.NOT_IMPLEMENTED)})
    assert reasons(derived("portability", World([secret()]), old)) == {"key.own": Reason.NOT_IMPLEMENTED}
    odd = volume(facts={"encryption_key": 7})
    assert reasons(derived("portability", World([secret()]), odd)) == {"key.own": Reason.INVALID_ANSWER}


# --- interfaces that other clouds have too -------------------------------------------------------------

ZONE, SERVER = "openstack.availability_zone", "openstack.server"
ALL = ("compute-availability-zones-list", "compute-flavors-list", "compute-servers-list")


def compute(**facts: Value) -> Resource:
    return resource(
        "openstack.service", "compute", {"type": "compute", "regions": (REGION,), **facts}, scope=Scope(CLOUD)
    )


def of_compute(type_: str, service: str = "compute") -> Resource:
    return resource(type_, f"{type_}-{service}", {"service": service})


def capabilities(world: World) -> Value:
    found = derived("portability", world, platform())
    value = found.facts["interop.capabilities"]
    assert ("interop.capabilities" in found.unseen) is isinstance(value, Partial)
    return value


def test_what_was_listed_can_be_listed() -> None:
    here = [listing(type_, Scope(CLOUD, REGION, PROJECT)) for type_ in (SERVER, "openstack.flavor")]
    rest = [of_compute(ZONE)]
    assert capabilities(World([compute(), *rest], (), here)) == ALL, "an empty list is an answer"
    whole = World([compute(), *rest, flavor(), resource(SERVER, "m", {})], [gap(SERVER)])
    assert capabilities(whole) == ALL, "of what was seen there is no doubt"


def test_lists_of_other_services_show_nothing() -> None:
    world = World(
        [
            compute(),
            flavor(),
            resource(SERVER, "m", {}),
            of_compute(ZONE, "network"),
        ]
    )
    assert capabilities(world) == ("compute-flavors-list", "compute-servers-list")


@pytest.mark.parametrize(
    "where",
    [Scope(CLOUD, "hcm", PROJECT), Scope("khac", REGION, PROJECT), Scope(CLOUD)],
    ids=["a region without it", "another cloud", "no region"],
)
def test_a_catalogue_without_the_service_proves_lists_empty_and_shows_nothing(where: Scope) -> None:
    world = World([compute()], (), [listing(SERVER, where), listing("openstack.flavor", where)])
    assert capabilities(world) == ()


def test_lists_that_were_refused_or_never_read_may_be_there() -> None:
    shown = [compute(), flavor(), of_compute(ZONE)]
    known = Partial(ALL[:2])
    assert capabilities(World(shown, [gap(SERVER)])) == known
    assert capabilities(Unread(shown)) == known
    assert capabilities(World([of_compute(ZONE)], [gap("openstack.service")])) == Partial(ALL[:1])
    torn = resource("openstack.service", "x", {"regions": (REGION,)}, scope=Scope(CLOUD))
    assert capabilities(World([torn])) == Partial(())
    halfway = [compute(), flavor(), resource(SERVER, "m", {}), resource(ZONE, "x", {})]
    assert capabilities(World(halfway)) == Partial(ALL[1:])
    nowhere = resource("openstack.service", "x", {"type": "compute"}, scope=Scope(CLOUD))
    assert capabilities(World([nowhere])) == Partial(())


class Unread(World):
    """A world in which nobody looked for servers."""

    def listings_of(self, type_: str) -> Sequence[Listing]:
        return [] if type_ == SERVER else super().listings_of(type_)


# --- versions of interfaces ----------------------------------------------------------------------------


def api(lowest: str | None = "2.1", highest: str | None = "2.96", region: str = REGION) -> Resource:
    facts: dict[str, Value] = {"service": "compute", "min_version": lowest, "max_version": highest}
    shown = {name: value for name, value in facts.items() if value is not None}
    return resource("openstack.api", f"compute-{region}", shown, scope=Scope(CLOUD, region))


def profile(**floors: str) -> Resource:
    return Resource("landing_profile", "ndc", Scope("registers"), 0, {"api_floors": floors})


def compared(world: World) -> Value:
    return derived("portability", world, platform()).facts.get("api.compared")


@pytest.mark.parametrize(
    ("floor", "span", "seen"),
    [
        ("2.79", ("2.1", "2.96"), {"version": "2.96", "met": True}),
        ("2.96", ("2.1", "2.96"), {"version": "2.96", "met": True}),
        ("2.1", ("2.1", "2.96"), {"version": "2.96", "met": True}),
        ("2.100", ("2.1", "2.96"), {"version": "2.96", "met": False}),
        ("2.79", ("2.80", "2.96"), {"version": "2.96", "met": False}),
        ("2.100", (None, "2.96"), {"version": "2.96", "met": False}),
        ("2.79", (None, "2.96"), {"version": "2.96"}),
        ("2.79", ("2.1", None), {}),
        ("2.79", ("2.1", "latest"), {"version": "latest"}),
        ("newest", ("2.1", "2.96"), {"version": "2.96"}),
    ],
)
def test_floors_against_what_is_served(
    floor: str, span: tuple[str | None, str | None], seen: dict[str, Value]
) -> None:
    world = World([compute(), api(*span), profile(compute=floor)])
    assert compared(world) == ({"service": "compute", "region": REGION, "floor": floor, **seen},)


def test_each_region_is_compared_and_an_absent_service_meets_nothing() -> None:
    world = World([compute(regions=(REGION, "hcm")), api(), profile(compute="2.79", share="2.0")])
    assert compared(world) == (
        {"service": "compute", "region": "hcm", "floor": "2.79"},
        {"service": "compute", "region": REGION, "floor": "2.79", "version": "2.96", "met": True},
        {"service": "share", "region": None, "floor": "2.0", "met": False},
    )
    assert compared(World([compute(), api(), profile()])) == ()
    assert compared(World([compute(), api()])) == ()


def test_catalogues_and_profiles_that_were_not_read() -> None:
    found = derived("portability", World([compute(), api()], [no_register("landing_profile")]), platform())
    assert reasons(found)["api.compared"] is Reason.REGISTER_MISSING
    hidden = World([profile(compute="2.79")], [gap("openstack.service")])
    assert compared(hidden) == Partial(())
    record = {"service": "compute", "region": REGION, "floor": "2.79"}
    assert compared(World([compute(), api(), profile(compute="2.79")], [gap("openstack.api")])) == (record,)
    twice = World([compute(), api(), api(), profile(compute="2.79")])
    assert compared(twice) == (record,)
    torn = resource("openstack.service", "x", {"type": "image"}, scope=Scope(CLOUD))
    assert compared(World([torn, profile(compute="2.79")])) == Partial(())
