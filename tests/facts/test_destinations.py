"""Where endpoints, volumes, images, servers and logs lead, by names and addresses."""

from __future__ import annotations

from typing import Any

import pytest
from builders import (
    CLOUD,
    DAY,
    NOW,
    PROJECT,
    REGION,
    STORE,
    World,
    attestation,
    bucket,
    derived,
    document,
    endpoint,
    gap,
    no_register,
    platform,
    port,
    reasons,
    resource,
    site,
    system,
    volume,
)

from cloudaudit.facts.derivation import Derived
from cloudaudit.model import Partial, Reason, Resource, Scope, Unseen, Value

HN = {"known": True, "site": "hn-1", "country": "VN", "domestic": True}
SG = {"known": True, "site": "sg-1", "country": "SG", "domestic": False}
NOWHERE = {"known": False, "site": None, "country": None, "domestic": None}
UNDECLARED = World([site()])


def of(world: World, one: Resource) -> Derived:
    return derived("destinations", world, one)


def test_what_a_missing_register_leaves_of_a_record() -> None:
    found = of(World([], [no_register("site")]), endpoint())
    assert found.facts == {"dns.places": ({"address": "203.0.113.5"},)}


# --- endpoints -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", ["openstack.endpoint", "s3.endpoint"])
def test_addresses_lie_in_declared_ranges(type_: str) -> None:
    world = World(
        [
            site(ip_ranges=("203.0.113.0/25", "2001:db8::/32")),
            site("sg-1", country="SG", ip_ranges=("198.51.100.0/24",), endpoints=("*",)),
        ]
    )
    addresses = ("203.0.113.9", "198.51.100.1", "203.0.113.200", "2001:db8::1")
    found = of(world, resource(type_, "e", {"dns.addresses": addresses}))
    # A pattern for host names says nothing of addresses.
    assert found == Derived(
        {
            "dns.places": (
                {"address": "198.51.100.1", **SG},
                {"address": "2001:db8::1", **HN},
                {"address": "203.0.113.200", **NOWHERE},
                {"address": "203.0.113.9", **HN},
            )
        }
    )


def test_an_address_of_two_sites_is_declared_and_has_no_place() -> None:
    world = World([site(ip_ranges=("203.0.113.0/24",)), site("hcm-1", ip_ranges=("203.0.0.0/16",))])
    assert of(world, endpoint()).facts == {"dns.places": ({"address": "203.0.113.5", "known": True},)}


def test_a_site_without_a_country_has_no_place_in_the_world() -> None:
    world = World([site(country=None, ip_ranges=("203.0.113.0/24",))])
    assert of(world, endpoint()).facts["dns.places"] == (
        {"address": "203.0.113.5", "known": True, "site": "hn-1"},
    )


def test_addresses_that_were_not_looked_up() -> None:
    blind = endpoint(without=["dns.addresses"], unseen={"dns": Unseen(Reason.UNREACHABLE)})
    assert reasons(of(UNDECLARED, blind)) == {"dns.places": Reason.UNREACHABLE}


# --- volumes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("declared", ["ceph-ssd", "ceph", "may-1@ceph"])
def test_a_back_end_is_declared_by_any_of_its_names(declared: str) -> None:
    world = World([site(backend_names=(declared,))])
    assert of(world, volume(facts={"host": "may-1@ceph#ceph-ssd"})) == Derived(
        {"storage.backend": declared, "storage.site": "hn-1", "storage.domestic": True}
    )


@pytest.mark.parametrize(
    ("host", "backend"), [("may-1@ceph#ssd", "ceph"), ("may-1@ceph", "ceph"), ("may-1", "may-1")]
)
def test_a_back_end_that_no_site_declares(host: str, backend: str) -> None:
    assert of(UNDECLARED, volume(facts={"host": host})) == Derived(
        {"storage.backend": backend, "storage.site": None, "storage.domestic": None}
    )


def test_back_ends_abroad_of_two_sites_and_of_none() -> None:
    here = volume(facts={"host": "may-1@ceph#ssd"})
    abroad = World([site("sg-1", country="SG", backend_names=("ssd",))])
    assert of(abroad, here).facts["storage.domestic"] is False
    torn = World([site(backend_names=("ssd",)), site("hcm-1", backend_names=("ceph",))])
    assert reasons(of(torn, here)) == {"storage": Reason.AMBIGUOUS}
    assert reasons(of(World([], [no_register("site")]), here)) == {"storage": Reason.REGISTER_MISSING}
    stateless = of(World([site(country=None, backend_names=("ssd",))]), here)
    assert stateless.facts == {"storage.backend": "ssd", "storage.site": "hn-1"}
    assert reasons(stateless) == {"storage.domestic": Reason.PARTIAL}


def test_a_host_that_is_none_or_not_shown() -> None:
    nulls = dict.fromkeys(("storage.backend", "storage.site", "storage.domestic"))
    assert of(UNDECLARED, volume(facts={"host": None})) == Derived(nulls)
    hidden = volume(unseen={"host": Unseen(Reason.NO_PERMISSION)})
    assert reasons(of(UNDECLARED, hidden)) == {"storage": Reason.NO_PERMISSION}


# --- images and stores ---------------------------------------------------------------------------------

OURS = system("ho-tich", {"project": PROJECT})


def image(**facts: Value) -> Resource:
    plain = {"status": "active", "labels": {}, "label_names": ()}
    absent = {} if "stores" in facts else {"stores": Unseen(Reason.NOT_IMPLEMENTED)}
    return resource("openstack.image", "i-1", {**plain, **facts}, unseen=absent)


def glance(region: str | None = REGION, **facts: Value) -> Resource:
    return resource("openstack.image_service", f"image-{region}", facts, scope=Scope(CLOUD, region))


def test_stores_of_images_have_the_places_declared_for_them() -> None:
    world = World([site(store_ids=("ceph",)), OURS])
    stores = ({"store": "ceph", **HN}, {"store": "web", **NOWHERE})
    assert of(world, image(stores=("web", "ceph"))).facts == {
        "stores.places": stores,
        "stores.regulated": True,
        # Of these, the sources, see below.
    }
    store = resource("openstack.image_store", "ceph", {}, scope=Scope(CLOUD, REGION))
    assert of(world, store) == Derived({"stores.places": stores[:1], "stores.regulated": True})


def test_a_single_store_goes_by_the_name_of_its_region() -> None:
    world = World([site(store_ids=(f"glance@{REGION}",)), OURS, glance(names_stores=False)])
    assert of(world, image()).facts["stores.places"] == ({"store": f"glance@{REGION}", **HN},)


@pytest.mark.parametrize(
    "about",
    [
        [],
        [glance(names_stores=True)],
        [glance()],
        [glance("hcm", names_stores=False)],
        [
            glance(names_stores=False),
            resource("openstack.image_service", "x", {"names_stores": True}, scope=Scope(CLOUD, REGION)),
        ],
    ],
    ids=["none", "named", "not told", "elsewhere", "two minds"],
)
def test_stores_that_are_not_shown_are_not_guessed(about: list[Resource]) -> None:
    found = of(World([site(store_ids=(f"glance@{REGION}",)), OURS, *about]), image())
    assert found.unseen["stores.places"].reason is Reason.NOT_IMPLEMENTED


def test_an_image_half_seen_is_of_no_unnamed_store() -> None:
    world = World([site(store_ids=(f"glance@{REGION}",)), OURS, glance(names_stores=False)])
    torn = resource("openstack.image", "i", {"status": "active"}, unseen={"stores": Unseen(Reason.PARTIAL)})
    assert of(world, torn).unseen["stores.places"].reason is Reason.PARTIAL
    partly = World(world.resources, [gap("openstack.image_service", Scope(CLOUD, REGION))])
    assert "stores.places" in of(partly, image()).unseen


@pytest.mark.parametrize(
    ("status", "classes", "regulated"),
    [
        ("active", ("core",), True),
        ("active", ("public",), False),
        ("queued", ("core",), False),
        ("deactivated", ("core",), True),
    ],
)
def test_images_are_regulated_as_their_system_is(
    status: str, classes: tuple[str, ...], regulated: bool
) -> None:
    world = World([site(), system("ho-tich", {"project": PROJECT}, data_classes=classes)])
    assert of(world, image(status=status, stores=())).facts["stores.regulated"] is regulated


def test_why_it_is_not_known_whether_an_image_is_regulated() -> None:
    nobodys = of(World([site()]), image(stores=()))
    assert nobodys.unseen["stores.regulated"].reason is Reason.UNMAPPED
    stateless = resource("openstack.image", "i", {"stores": (), "labels": {}, "label_names": ()})
    assert of(World([site(), OURS]), stateless).unseen["stores.regulated"].reason is Reason.PARTIAL


# --- where images come from ----------------------------------------------------------------------------


def sources(one: Resource) -> tuple[dict[str, Value], dict[str, Reason]]:
    found = of(UNDECLARED, one)
    facts = {name: value for name, value in found.facts.items() if name.startswith("sources.")}
    return facts, {k: v for k, v in reasons(found).items() if k.startswith("sources")}


def test_hosts_that_glance_shows() -> None:
    shown = image(locations_shown=True, external_urls=("b.vn", "a.vn"))
    assert sources(shown) == ({"sources.hosts": ("a.vn", "b.vn"), "sources.untold": False}, {})
    hidden = image(locations_shown=False)
    assert sources(hidden) == ({"sources.hosts": (), "sources.untold": True}, {})
    odd = image(locations_shown=True, external_urls=("a.vn", 7))
    assert sources(odd) == ({"sources.untold": False}, {"sources.hosts": Reason.INVALID_ANSWER})
    assert sources(image()) == ({}, {"sources": Reason.PARTIAL})


@pytest.mark.parametrize(
    ("methods", "untold"),
    [
        ((), False),
        (("copy-image", "glance-direct"), False),
        (("web-download",), True),
        (("glance-direct", "glance-download"), True),
    ],
)
def test_ways_to_import_from_elsewhere(methods: tuple[str, ...], untold: bool) -> None:
    expected = {"sources.hosts": (), "sources.untold": untold}
    assert sources(glance(import_methods=methods)) == (expected, {})


def test_ways_to_import_that_are_not_told() -> None:
    assert sources(glance()) == ({"sources.hosts": ()}, {"sources.untold": Reason.PARTIAL})


# --- name and time servers -----------------------------------------------------------------------------

SERVED = World([site(ip_ranges=("203.0.113.0/24",), endpoints=("*.example.vn",))])


def subnet(**facts: Value) -> Resource:
    return resource("openstack.subnet", "u-1", facts)


def test_servers_of_a_subnet() -> None:
    assert of(SERVED, subnet(dns_nameservers=("8.8.8.8", "203.0.113.53"))) == Derived(
        {
            "servers.used": (
                {"kind": "dns", "server": "203.0.113.53", **HN},
                {"kind": "dns", "server": "8.8.8.8", **NOWHERE},
            ),
            "servers.default": False,
        }
    )
    assert of(SERVED, subnet(dns_nameservers=())) == Derived({"servers.used": (), "servers.default": True})
    assert reasons(of(SERVED, subnet())) == {"servers": Reason.PARTIAL}


def test_servers_of_a_port() -> None:
    facts: dict[str, Value] = {
        "dhcp.name_servers": ("203.0.113.53",),
        "dhcp.time_servers": ("ntp.example.vn", "pool.ntp.org"),
    }
    used: Any = (
        {"kind": "dns", "server": "203.0.113.53", **HN},
        {"kind": "time", "server": "ntp.example.vn", **HN},
        {"kind": "time", "server": "pool.ntp.org", **NOWHERE},
    )
    one = resource("openstack.port", "p", facts)
    assert of(SERVED, one) == Derived({"servers.used": used, "servers.default": False})
    half = resource("openstack.port", "p", facts, without=["dhcp.time_servers"])
    found = of(SERVED, half)
    assert found.facts == {"servers.used": Partial(used[:1]), "servers.default": False}
    assert reasons(found) == {"servers.used": Reason.PARTIAL}
    assert of(SERVED, port()).facts["servers.used"] == Partial(())


# --- logs and events -----------------------------------------------------------------------------------

ARN = "arn:aws:sns:hn::nhat-ky"


def test_a_log_goes_to_a_bucket_of_the_same_store() -> None:
    place = site(endpoints=("s3.hn.example.vn",))
    target = bucket("nhat-ky")
    one = bucket("ho-so", {"logging.target": "nhat-ky"})
    itself = bucket("ho-so", {"logging.target": "ho-so"})
    record = {"kind": "log", "to": "nhat-ky"}
    assert of(World([place, one, target]), one) == Derived(
        {"log.destinations": ({**record, **HN},), "log.stated": True}
    )
    assert of(World([place, itself]), itself).facts["log.destinations"] == (
        {"kind": "log", "to": "ho-so", **HN},
    )
    elsewhere = bucket("nhat-ky", scope=Scope("khac"))
    assert of(World([place, one, elsewhere]), one).facts["log.destinations"] == ({**record, **NOWHERE},)
    unplaced = bucket("nhat-ky", {"location": "la"})
    assert of(World([place, one, unplaced]), one).facts["log.destinations"] == ({**record, "known": True},)
    hidden = World([place, one], [gap("s3.bucket", Scope(STORE))])
    assert of(hidden, one).facts["log.destinations"] == (record,)


def test_the_registers_word_on_a_bucket_goes_first() -> None:
    places = [site(endpoints=("s3.hn.example.vn",)), site("sg-1", country="SG", store_ids=("nhat-ky",))]
    one = bucket("ho-so", {"logging.target": "nhat-ky"})
    assert of(World([*places, one, bucket("nhat-ky")]), one).facts["log.destinations"] == (
        {"kind": "log", "to": "nhat-ky", **SG},
    )


@pytest.mark.parametrize("declared", [ARN, "nhat-ky"])
def test_events_go_to_queues_that_are_declared(declared: str) -> None:
    one = bucket(facts={"notification.targets": (ARN, "eventbridge")})
    assert of(World([site(store_ids=(declared,)), one]), one).facts["log.destinations"] == (
        {"kind": "event", "to": ARN, **HN},
        {"kind": "event", "to": "eventbridge", **NOWHERE},
    )


def test_events_go_to_hosts_that_are_declared() -> None:
    one = bucket(facts={"notification.targets": ("https://bus.example.vn/x",)})
    assert of(World([site(endpoints=("bus.example.vn",)), one]), one).facts["log.destinations"] == (
        {"kind": "event", "to": "https://bus.example.vn/x", **HN},
    )


@pytest.mark.parametrize("fact", ["logging.target", "notification.targets"])
def test_a_store_that_cannot_send_sends_nothing(fact: str) -> None:
    lacking = bucket(without=[fact], unseen={fact: Unseen(Reason.NOT_IMPLEMENTED)})
    assert of(UNDECLARED, lacking) == Derived({"log.destinations": (), "log.stated": True})
    refused = bucket(without=[fact], unseen={fact: Unseen(Reason.NO_PERMISSION)})
    assert of(UNDECLARED, refused).facts == {"log.destinations": Partial(()), "log.stated": True}
    assert reasons(of(UNDECLARED, refused)) == {"log.destinations": Reason.NO_PERMISSION}


def paper(id_: str = "nhat-ky", **facts: Value) -> list[Resource]:
    plain = {"kind": "log-destinations", "entries": ({"what": "SIEM", "site": "hn-1", "country": None},)}
    return [attestation(id_, **{**plain, **facts}), document(id_)]


def test_the_platforms_logs_go_where_papers_in_force_say() -> None:
    entries: Any = (
        {"what": "SIEM", "site": "hn-1", "country": None},
        {"what": "syslog", "site": None, "country": "SG"},
        {"what": "call home", "site": None, "country": None},
        {"what": "la", "site": "la-1", "country": None},
    )
    old = paper("cu", valid_until=NOW - DAY, entries=({"what": "x", "country": "LA"},))
    other = paper("khac", kind="dr-plan")
    assert of(World([site(), *paper(entries=entries), *old, *other]), platform()) == Derived(
        {
            "log.destinations": (
                {"kind": "platform", "to": "SIEM", **HN},
                {"kind": "platform", "to": "syslog", "known": True, "country": "SG", "domestic": False},
                {"kind": "platform", "to": "call home", "known": True},
                {"kind": "platform", "to": "la", "known": True},
            ),
            "log.stated": True,
        }
    )


@pytest.mark.parametrize(
    "papers", [[], paper(entries=()), paper(valid_until=NOW - DAY)], ids=["none", "empty", "lapsed"]
)
def test_without_a_paper_that_says_so_nothing_is_stated(papers: list[Resource]) -> None:
    assert of(World([site(), *papers]), platform()) == Derived({"log.destinations": (), "log.stated": False})


def test_papers_that_could_not_be_read_may_state_more() -> None:
    unread = [attestation("x", kind="log-destinations", entries=())]
    found = of(World([site(), *unread]), platform())
    assert found.facts == {"log.destinations": Partial(())}
    assert reasons(found) == {"log": Reason.NOT_COLLECTED}
    found = of(World([site(), *unread, *paper()]), platform())
    assert found.facts == {
        "log.destinations": Partial(({"kind": "platform", "to": "SIEM", **HN},)),
        "log.stated": True,
    }
    found = of(World([site()], [no_register("attestation")]), platform())
    assert reasons(found) == {"log": Reason.REGISTER_MISSING}
