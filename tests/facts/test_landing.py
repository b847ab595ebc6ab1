"""What the platform lacks of what the landing profile asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import CLOUD, REGISTERS, World, derived, gap, no_register, platform, reasons, resource

from cloudaudit.model import Gap, Partial, Reason, Resource, Scope, Value

PLAIN = {
    "publisher": "Cơ quan mẫu", "required_services": ("compute", "image"), "formats": ("qcow2", "raw"),
    "api_floors": {},
}  # fmt: skip


def profile(**facts: Value) -> Resource:
    return Resource("landing_profile", "ho-so", REGISTERS, 0, {**PLAIN, **facts})


def service(type_: str) -> Resource:
    return resource("openstack.service", type_, {"type": type_}, scope=Scope(CLOUD))


def image(id_: str, disk: str | None = "vmdk", status: str = "active") -> Resource:
    return resource("openstack.image", id_, {"status": status, "disk_format": disk})


BOTH = (service("compute"), service("image"))
NO_SERVICES = (gap("openstack.service", Scope(CLOUD)),)
NO_IMAGES = (gap("openstack.image", Scope(CLOUD)),)


def lacking(name: str, *resources: Resource, gaps: tuple[Gap, ...] = ()) -> Value:
    found = derived("landing", World(resources, gaps), platform())
    return found.facts.get(f"landing.{name}", reasons(found).get(f"landing.{name}"))


def test_a_platform_that_has_it_all_lacks_nothing() -> None:
    found = derived("landing", World([profile(), *BOTH, image("i", "raw")]), platform())
    assert (found.facts, found.unseen) == (
        {
            "landing.publisher": "Cơ quan mẫu",
            "landing.services_missing": (),
            "landing.formats_foreign": (),
            "landing.apis_below": (),
        },
        {},
    )


@pytest.mark.parametrize(
    ("resources", "gaps", "missing"),
    [
        (BOTH, (), ()),
        (BOTH[:1], (), ("image",)),
        ((), (), ("compute", "image")),
        (BOTH, NO_SERVICES, ()),
        (BOTH[:1], NO_SERVICES, Partial(())),
        ((*BOTH[:1], resource("openstack.service", "x", {})), (), Partial(())),
    ],
)
def test_services_are_missing_where_every_catalogue_was_read(
    resources: tuple[Resource, ...], gaps: tuple[Gap, ...], missing: Value
) -> None:
    assert lacking("services_missing", profile(), *resources, gaps=gaps) == missing


@pytest.mark.parametrize(
    ("resources", "gaps", "foreign"),
    [
        ((image("i", "qcow2"),), (), ()),
        ((image("i"), image("k"), image("l", "raw")), (), ("i (vmdk)", "k (vmdk)")),
        ((image("i", status="queued"), image("k", None, "queued")), (), ()),
        ((image("i", None),), (), Partial(())),
        ((image("i"),), NO_IMAGES, Partial(("i (vmdk)",))),
        ((resource("openstack.image", "i", {"disk_format": "vmdk"}),), (), Partial(())),
        ((resource("openstack.image", "i", {"disk_format": "raw"}),), (), ()),
    ],
)
def test_images_are_foreign_by_their_format(
    resources: tuple[Resource, ...], gaps: tuple[Gap, ...], foreign: Value
) -> None:
    assert lacking("formats_foreign", profile(), *resources, gaps=gaps) == foreign


def test_a_profile_without_formats_takes_all() -> None:
    assert lacking("formats_foreign", profile(formats=()), image("i"), gaps=NO_IMAGES) == ()


def api(highest: str | None = "2.95", region: str = "hn") -> Resource:
    facts = {"service": "compute", "min_version": "2.1", "max_version": highest}
    return resource("openstack.api", f"compute-{region}", facts, scope=Scope(CLOUD, region))


@pytest.mark.parametrize(
    ("apis", "regions", "below"),
    [
        ([api()], ("hn",), ()),
        ([api("2.60")], ("hn",), ("compute",)),
        ([api(), api("2.60", "hcm")], ("hn", "hcm"), ("compute",)),
        ([], ("hn",), Partial(())),
        ([api(None)], ("hn",), Partial(())),
    ],
)
def test_services_below_the_floor_of_the_profile(
    apis: list[Resource], regions: tuple[str, ...], below: Value
) -> None:
    wanted = profile(api_floors={"compute": "2.79"})
    compute = replace(service("compute"), facts={"type": "compute", "regions": regions})
    assert lacking("apis_below", wanted, compute, *apis) == below
    assert lacking("apis_below", wanted) == ("compute",)


@pytest.mark.parametrize("world", [World(gaps=[no_register("landing_profile")]), World()])
def test_without_a_profile_nothing_is_told(world: World) -> None:
    found = derived("landing", world, platform())
    assert (found.facts, reasons(found)) == ({}, {"landing": Reason.REGISTER_MISSING})


def test_a_profile_that_cannot_be_read_is_no_empty_one() -> None:
    odd = profile(required_services=None, formats=5, publisher="")
    found = derived("landing", World([odd, image("i")]), platform())
    assert found.facts == {
        "landing.services_missing": Partial(()), "landing.formats_foreign": Partial(()),
        "landing.apis_below": (),
    }  # fmt: skip
    assert set(reasons(found).values()) == {Reason.INVALID_ANSWER}
