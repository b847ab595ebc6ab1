"""Whether a system could run again elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from builders import (
    CLOUD,
    PROJECT,
    World,
    at,
    derived,
    endpoint,
    gap,
    in_project,
    no_register,
    quota,
    reasons,
    resource,
    rule,
    server,
    site,
    system,
    volume,
)

from cloudaudit.facts import recovery as recovery_facts
from cloudaudit.model import AtLeast, AtMost, Gap, Partial, Reason, Resource, Scope, Unseen, Value

OURS = system("thue", {"project": PROJECT})
HCM = in_project(PROJECT, "hcm")
THERE = in_project("du-phong", "hcm")
KHAC = in_project("khac")
PLACES = (
    endpoint("compute"),
    endpoint("compute", "hcm"),
    endpoint("block-storage"),
    endpoint("block-storage", "hcm"),
    site("hn-1", regions=("hn",)),
    site("hcm-1", regions=("hcm",)),
    resource("openstack.region", "hn", {}, scope=Scope(CLOUD, "hn")),
    resource("openstack.region", "hcm", {}, scope=Scope(CLOUD, "hcm")),
)
NO_SERVERS = gap("openstack.server", KHAC)


# --- room -----------------------------------------------------------------------------------------------


def room(*limits: int | None, scope: Scope = HCM, in_use: int = 0) -> Iterator[Resource]:
    """Quotas of instances, cores and memory, and of volumes and gigabytes."""
    names = [("compute", n) for n in ("instances", "cores", "ram")]
    names += [("block-storage", n) for n in ("volumes", "gigabytes")]
    for (service, name), limit in zip(names, limits, strict=False):
        yield quota(name, limit, in_use, service=service, scope=scope)


def capacity(*resources: Resource, gaps: tuple[Gap, ...] = (), of: Resource = OURS) -> Value:
    found = derived("capacity", World([*PLACES, OURS, *resources], gaps), of)
    return found.facts["capacity.sites"]


def hn(headroom: Value) -> tuple[dict[str, Value], ...]:
    return ({"site": "hn-1", "headroom": headroom},)


@pytest.mark.parametrize(
    ("resources", "sites"),
    [
        ([], ()),
        ([server()], hn(0.0)),
        ([server(), *room(1, 2, 4096)], hn(1.0)),
        ([server(), server("m-2"), *room(10, 6, 8192)], hn(1.0)),
        ([server(), server("m-2"), *room(10, 2, 16384)], hn(0.5)),
        ([server(), *room(None, None, None)], hn(100.0)),
        ([server(), *room(10**6, 10**6, 10**9)], hn(100.0)),
        ([server(), *room(3, 6, 8192, in_use=2)], hn(1.0)),
        ([server(), *room(1, 2, 4096, in_use=5)], hn(0.0)),
        ([volume(), *room(9, 9, 9, 2, 15)], hn(1.5)),
        ([volume(), *room(9, 9, 9, 0, 15)], hn(0.0)),
        # Quotas where the system is now are no head-room, nor those of strangers.
        ([server(), *room(10, 20, 40960, scope=in_project(PROJECT))], hn(0.0)),
        ([server(), *room(10, 20, 40960, scope=THERE)], hn(0.0)),
        # Of several places the best counts.
        ([server(), *room(1, 1, 1), *room(2, 4, 8192, scope=in_project(PROJECT, "hcm", "may-khac"))], hn(2.0)),
    ],
)  # fmt: skip
def test_head_room_is_how_often_what_is_needed_fits(resources: list[Resource], sites: Value) -> None:
    assert capacity(*resources) == sites


def test_a_project_declared_for_the_system_is_a_place_too() -> None:
    ours = system("thue", {"project": PROJECT}, {"project": "du-phong"})
    found = derived(
        "capacity", World([*PLACES, ours, server(), *room(1, 1, 1), *room(2, 4, 8192, scope=THERE)]), ours
    )
    assert found.facts["capacity.sites"] == hn(2.0)


def test_all_critical_systems_at_a_lost_site_ask_for_room_at_once() -> None:
    other = system("ho-tich")
    labels = {"labels": {"system_id": "ho-tich"}, "label_names": ("system_id",)}
    ours = system("thue", {"label_key": "role", "label_value": "web"})
    world = [*PLACES, server(), server("m-2", labels, role=None), *room(1, 2, 4096)]
    assert derived("capacity", World([*world, ours, other]), ours).facts["capacity.sites"] == hn(0.5)
    low = system("ho-tich", criticality="low")
    assert derived("capacity", World([*world, ours, low]), ours).facts["capacity.sites"] == hn(1.0)


def test_each_site_of_a_system_is_lost_in_turn() -> None:
    both = [
        server(),
        server("m-2", scope=HCM),
        *room(4, 8, 16384),
        *room(1, 1, 4096, scope=in_project(PROJECT)),
    ]
    assert capacity(*both) == ({"site": "hcm-1", "headroom": 0.5}, {"site": "hn-1", "headroom": 4.0})


def test_sites_of_one_risk_group_are_lost_together() -> None:
    near = [replace(s, facts={**s.facts, "risk_group": "song"}) if s.type == "site" else s for s in PLACES]
    world = World([*near, OURS, server(), *room(9, 9, 40960)])
    assert derived("capacity", world, OURS).facts["capacity.sites"] == hn(0.0)


@pytest.mark.parametrize(
    ("resources", "gaps", "sites"),
    [
        # More places may be hidden, or one may not tell: at least what was found.
        ([server(), *room(1, 2, 4096)], (gap("openstack.quota", HCM),), hn(AtLeast(1.0))),
        ([server(), *room(1, 2)], (), hn(AtLeast(0.0))),
        ([server(), *room(1, 2), quota("ram", scope=HCM, without=["in_use"])], (), hn(AtLeast(0.0))),
        ([server(), *room(9, 9, 9**6, scope=in_project(PROJECT, "la"))], (), hn(AtLeast(0.0))),
        # More may be needed: at most what was found.
        ([server(without=["vcpus"]), *room(1, 2, 4096)], (), hn(AtMost(1.0))),
        ([volume(without=["size_gb"]), *room(9, 9, 9, 1, 5)], (), hn(AtMost(1.0))),
        # Both.
        ([server(without=["vcpus"]), *room(1, 2, 4096)], (gap("openstack.quota", HCM),), ({"site": "hn-1"},)),
        ([server(), *room(1, 2, 4096)], (NO_SERVERS,), Partial(({"site": "hn-1"},))),
        ([server(), server("m-2", scope=in_project(PROJECT, "la"))], (), Partial(({"site": "hn-1"},))),
    ],
)
def test_what_is_not_seen_bounds_the_head_room(
    resources: list[Resource], gaps: tuple[Gap, ...], sites: Value
) -> None:
    assert capacity(*resources, gaps=gaps) == sites


@pytest.mark.parametrize("family", ["capacity", "recovery"])
@pytest.mark.parametrize("register", ["system", "site"])
def test_without_the_registers_nothing_is_told(family: str, register: str) -> None:
    found = derived(family, World([server()], [no_register(register)]), OURS)
    assert (found.facts, reasons(found)) == ({}, {family: Reason.REGISTER_MISSING})


# --- what it is made of ---------------------------------------------------------------------------------

MACHINE = server(
    facts={
        "image": "i-1",
        "addresses": at("10.0.0.5", network="noi-bo"),
        "security_groups": ("web", "default"),
    }
)


def image(id_: str = "i-1", digest: str = "abc", **options: Value) -> Resource:
    facts = {
        "hash_algo": "sha512", "hash_value": digest, "status": "active", "visibility": "public", "labels": {},
        "label_names": (),
    }  # fmt: skip
    scope = options.pop("scope", in_project(None))
    assert isinstance(scope, Scope)
    return resource("openstack.image", id_, {**facts, **options}, scope=scope)


def flavor(ram: int = 4096, region: str = "hcm") -> Resource:
    facts = {"vcpus": 2, "ram_mb": ram, "disk_gb": 20}
    return resource("openstack.flavor", f"f-{region}-{ram}", facts, scope=Scope(CLOUD, region))


def net(scope: Scope = HCM, *, shared: bool = False, name: str = "noi-bo") -> Resource:
    facts = {"shared": shared, "labels": {}, "label_names": ()}
    return resource("openstack.network", f"n-{scope.region}", facts, scope=scope, name=name)


def group(scope: Scope = HCM, id_: str = "there", name: str = "web") -> Resource:
    return resource("openstack.security_group", id_, {}, scope=scope, name=name)


HERE = (
    OURS, MACHINE, image(), group(in_project(PROJECT), "here"), rule("r-1", {"security_group": "here"}),
)  # fmt: skip
FAR = {
    "image": image("i-9", scope=in_project(None, "hcm")),
    "flavor": flavor(),
    "network": net(),
    "group": group(),
    "rule": rule("r-9", {"security_group": "there"}, scope=HCM),
}


def recovery(*gaps: Gap, **instead: Resource | None) -> tuple[Value, Value]:
    there = [thing for thing in {**FAR, **instead}.values() if thing is not None]
    found = derived("recovery", World([*PLACES, *HERE, *there], gaps), OURS).facts
    return found["recovery.sites"], found["recovery.missing"]


READY = (({"site": "hn-1", "ready": True},), ())
NOT_KNOWN = (({"site": "hn-1"},), Partial(()))


def lacks(*names: str) -> tuple[Value, Value]:
    return ({"site": "hn-1", "ready": False},), names


@pytest.mark.parametrize(
    ("instead", "expected"),
    [
        ({}, READY),
        ({"image": None}, lacks("image i-1")),
        ({"image": image("i-9", "other", scope=in_project(None, "hcm"))}, lacks("image i-1")),
        ({"image": image("i-9", scope=in_project(None, "hcm"), status="queued")}, lacks("image i-1")),
        ({"image": image("i-9", scope=in_project("khac", "hcm"), visibility="private")}, lacks("image i-1")),
        ({"image": image("i-9", scope=HCM, visibility="private")}, READY),
        ({"image": image("i-9", scope=in_project("khac", "hcm"), visibility="shared")}, NOT_KNOWN),
        ({"image": image("i-9", scope=in_project(None, "hcm"), hash_value=None)}, NOT_KNOWN),
        ({"flavor": None}, lacks("flavor nho")),
        ({"flavor": flavor(8192)}, lacks("flavor nho")),
        ({"network": None}, lacks("network noi-bo")),
        ({"network": net(name="noi-bo-2")}, lacks("network noi-bo")),
        ({"network": net(in_project("khac", "hcm"))}, lacks("network noi-bo")),
        ({"network": net(in_project("khac", "hcm"), shared=True)}, READY),
        ({"group": None}, lacks("security group web")),
        ({"group": group(in_project("khac", "hcm"))}, lacks("security group web")),
        ({"rule": None}, lacks("security group web")),
        ({"rule": rule("r-9", {"security_group": "there", "ports": (443, 443)}, scope=HCM)}, lacks("security group web")),
        ({"rule": rule("r-9", {"security_group": "there"}, scope=HCM, without=["ports"])}, NOT_KNOWN),
        ({"rule": rule("r-9", {"security_group": "there", "remote_address_group": "x"}, scope=HCM)}, NOT_KNOWN),
        ({"flavor": None, "network": None}, lacks("flavor nho", "network noi-bo")),
        ({"more": resource("openstack.security_group", "x", {}, scope=in_project(PROJECT), name="web")}, NOT_KNOWN),
    ],
)  # fmt: skip
def test_a_region_elsewhere_has_all_that_servers_need_or_lacks_some(
    instead: dict[str, Resource | None], expected: tuple[Value, Value]
) -> None:
    assert recovery(**instead) == expected


def test_rules_that_name_a_group_name_it_by_its_name() -> None:
    here = rule("r-2", {"security_group": "here", "remote_group": "here"})
    there = rule("r-8", {"security_group": "there", "remote_group": "there"}, scope=HCM)
    strange = rule("r-8", {"security_group": "there", "remote_group": "khong-thay"}, scope=HCM)
    assert recovery(a=here, b=there) == READY
    assert recovery(a=here) == lacks("security group web")
    assert recovery(a=here, b=strange) == NOT_KNOWN


@pytest.mark.parametrize(
    "type_", ["image", "flavor", "network", "security_group", "security_group_rule", "region"]
)
def test_what_was_not_listed_may_be_there(type_: str) -> None:
    kind = {"security_group": "group", "security_group_rule": "rule"}.get(type_, type_)
    hidden = gap(f"openstack.{type_}", Scope(CLOUD, "hcm") if type_ != "region" else Scope(CLOUD))
    instead = {"network": None} if type_ == "region" else {kind: None}
    assert recovery(hidden, **instead) == NOT_KNOWN


def test_hidden_servers_may_need_more() -> None:
    assert recovery(NO_SERVERS) == (Partial(({"site": "hn-1"},)), Partial(()))
    assert recovery(NO_SERVERS, flavor=None) == (
        Partial(({"site": "hn-1", "ready": False},)), Partial(("flavor nho",)),
    )  # fmt: skip


@pytest.mark.parametrize("hidden", ["image", "vcpus", "addresses", "security_groups"])
def test_a_server_that_does_not_tell_what_it_needs_may_need_what_is_not_there(hidden: str) -> None:
    unread = replace(
        MACHINE,
        facts={name: value for name, value in MACHINE.facts.items() if name != hidden},
        unseen={hidden: Unseen(Reason.TIMEOUT)},
    )
    world = World([*PLACES, OURS, unread, *HERE[2:], *FAR.values()])
    found = derived("recovery", world, OURS).facts
    assert (found["recovery.sites"], found["recovery.missing"]) == NOT_KNOWN


def test_an_image_that_was_deleted_cannot_be_compared() -> None:
    world = World([*PLACES, OURS, MACHINE, *HERE[3:], *FAR.values()])
    assert derived("recovery", world, OURS).facts["recovery.sites"] == ({"site": "hn-1"},)


def test_an_image_of_the_same_id_elsewhere_is_not_the_one_that_is_used() -> None:
    """Whoever uploads an image may choose its id, and two regions may call two images the same."""
    assert recovery(image=image("i-1", "other", scope=in_project(None, "hcm"))) == lacks("image i-1")
    assert recovery(image=image("i-1", scope=in_project(None, "hcm"))) == READY
    used = (OURS, MACHINE, *HERE[3:], *FAR.values(), image("i-1", scope=in_project(None, "hcm")))
    found = derived("recovery", World([*PLACES, *used]), OURS).facts
    assert found["recovery.sites"] == NOT_KNOWN[0]


def test_what_many_projects_call_the_same_is_asked_for_once() -> None:
    """Servers times networks of one name would take hours in a large cloud."""
    others = [in_project(f"khac-{number}", "hcm") for number in range(50)]
    strange = [thing for scope in others for thing in (net(scope), group(scope, f"g-{scope.project}"))]
    servers = [replace(MACHINE, id=f"m-{number}") for number in range(50)]
    world = World([*PLACES, *HERE, *servers, *FAR.values(), *strange])
    asked: list[str] = []
    parts = recovery_facts._Parts(world)
    serves = parts.estates.serves
    parts.estates.serves = lambda one, system: asked.append(one.id) or serves(one, system)  # type: ignore[method-assign, func-returns-value]
    (region,), _ = parts.elsewhere("hn-1")
    answers = {
        need[0]: [has(region) for has in every] for need, every in parts.needed("thue", "hn-1").items()
    }
    wanted = ("image i-1", "flavor nho", "network noi-bo", "security group web")
    assert answers == {name: [True] for name in wanted}
    assert sorted(asked) == ["f-hcm-4096", "i-9", "n-hcm", "there"]


def test_without_a_region_elsewhere_nothing_is_there() -> None:
    alone = [thing for thing in PLACES if thing.id not in ("hcm", "hcm-1")]
    found = derived("recovery", World([*alone, *HERE]), OURS).facts
    assert (found["recovery.sites"], found["recovery.missing"]) == lacks(
        "flavor nho", "image i-1", "network noi-bo", "security group web"
    )


def test_a_server_that_boots_from_a_volume_needs_no_image() -> None:
    bare = server(facts={"image": None})
    world = World([*PLACES, OURS, bare, flavor()])
    found = derived("recovery", world, OURS).facts
    assert (found["recovery.sites"], found["recovery.missing"]) == READY


def test_two_sizes_of_one_name_are_both_needed() -> None:
    big = server("m-2", {"ram_mb": 8192})
    world = [*PLACES, OURS, server(), big, flavor()]
    assert derived("recovery", World(world), OURS).facts["recovery.missing"] == ("flavor nho",)
    assert derived("recovery", World([*world, flavor(8192)]), OURS).facts["recovery.missing"] == ()


def test_a_thing_without_a_name_is_lacking_but_not_named() -> None:
    bare = server(without=["flavor"])
    found = derived("recovery", World([*PLACES, OURS, bare]), OURS).facts
    assert (found["recovery.sites"], found["recovery.missing"]) == (
        ({"site": "hn-1", "ready": False},), Partial(()),
    )  # fmt: skip
