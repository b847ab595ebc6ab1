"""Where copies of buckets and containers go."""

from __future__ import annotations

import pytest
from builders import World, bucket, container, derived, gap, no_register, reasons, site

from cloudaudit.model import Gap, Partial, Reason, Resource, Scope, Unseen, Value

HCM = Scope("kho-hcm")


def copying(*names: str, enabled: Value = True) -> Resource:
    rules = tuple({"id": "", "destination": name, "enabled": enabled} for name in names)
    return bucket(facts={"replication.rules": rules})


def there(name: str = "ho-so-dr", location: str | None = "hcm", scope: Scope = HCM) -> Resource:
    """A bucket of the inventory that copies may go to."""
    return bucket(name, {"location": location}, scope=scope, endpoint="https://s3.hcm.example.vn")


SITES = (site("hcm-1", s3_locations=("hcm",)), site("sg-1", country="SG", s3_locations=("sin",)))
RULED = ("replication.destinations", "replication.copies", "replication.state")
"""Facts that follow from the rules of a bucket."""
UNDECLARED = {"known": False, "site": None, "country": None, "domestic": None}
AT_HCM = {"known": True, "site": "hcm-1", "country": "VN", "domestic": True}


def destinations(world: World, one: Resource) -> Value:
    return derived("replication", world, one).facts.get("replication.destinations")


def test_a_bucket_without_rules_goes_nowhere() -> None:
    assert destinations(World(), bucket()) == ()


def test_a_destination_in_the_inventory_is_where_that_bucket_is() -> None:
    assert destinations(World([*SITES, there()]), copying("arn:aws:s3:::ho-so-dr")) == (
        {"bucket": "ho-so-dr", **AT_HCM},
    )
    abroad = World([*SITES, there(location="sin")])
    assert destinations(abroad, copying("ho-so-dr")) == (
        {"bucket": "ho-so-dr", "known": True, "site": "sg-1", "country": "SG", "domestic": False},
    )


def test_a_destination_nobody_knows_is_undeclared() -> None:
    assert destinations(World(SITES), copying("la")) == ({"bucket": "la", **UNDECLARED},)


@pytest.mark.parametrize("why", [gap("s3.bucket", Scope("kho")), no_register("site")])
def test_what_may_be_known_elsewhere_is_not_called_undeclared(why: Gap) -> None:
    sites = () if why.type == "site" else SITES
    assert destinations(World(sites, [why]), copying("la")) == ({"bucket": "la"},)


def test_the_register_may_name_a_bucket_nobody_audits() -> None:
    declared = site("hcm-1", store_ids=("ho-so-dr",))
    world = World([declared], [gap("s3.bucket", Scope("kho"))])
    assert destinations(world, copying("ho-so-dr")) == ({"bucket": "ho-so-dr", **AT_HCM},)


def test_a_bucket_the_register_puts_at_two_sites_is_known_but_nowhere() -> None:
    world = World([site("a", store_ids=("x",)), site("b", store_ids=("x",))])
    assert destinations(world, copying("x")) == ({"bucket": "x", "known": True},)


def test_names_of_back_ends_place_no_bucket() -> None:
    """Whoever owns a bucket chooses its name."""
    assert destinations(World([site(backend_names=("ceph-hn",))]), copying("ceph-hn")) == (
        {"bucket": "ceph-hn", **UNDECLARED},
    )


def test_buckets_of_one_name_in_two_stores_leave_the_place_open() -> None:
    two = [there(), there(location="sin", scope=Scope("kho-sg"))]
    for order in (two, two[::-1]):
        assert destinations(World([*SITES, *order]), copying("ho-so-dr")) == (
            {"bucket": "ho-so-dr", "known": True},
        )


def test_a_store_that_was_not_listed_may_have_the_destination_too() -> None:
    world = World([*SITES, there()], [gap("s3.bucket", Scope("kho-sg"))])
    assert destinations(world, copying("ho-so-dr")) == ({"bucket": "ho-so-dr", "known": True},)


def test_a_rule_to_a_bucket_of_the_same_name_means_another_store() -> None:
    alone = copying("ho-so")
    assert destinations(World([*SITES, alone]), alone) == ({"bucket": "ho-so", "known": True},)
    world = World([*SITES, alone, there("ho-so")])
    assert destinations(world, alone) == ({"bucket": "ho-so", **AT_HCM},)


def test_rules_that_are_off_copy_nothing_and_repeated_ones_copy_once() -> None:
    assert destinations(World(SITES), copying("la", enabled=False)) == ()
    assert destinations(World(SITES), copying("la", "arn:aws:s3:::la")) == ({"bucket": "la", **UNDECLARED},)


@pytest.mark.parametrize("rules", [({"destination": "la"},), ({"enabled": True},), ("odd",), Partial(())])
def test_rules_that_cannot_be_read_leave_the_list_open(rules: Value) -> None:
    found = derived("replication", World(SITES), bucket(facts={"replication.rules": rules}))
    assert found.facts["replication.destinations"] == Partial(())
    assert reasons(found) == dict.fromkeys(RULED, Reason.PARTIAL)


def test_refused_rules_are_not_no_rules() -> None:
    refused = bucket(without=["replication.rules"], unseen={"replication": Unseen(Reason.NO_PERMISSION)})
    assert reasons(derived("replication", World(), refused)) == dict.fromkeys(RULED, Reason.NO_PERMISSION)


# --- copies ----------------------------------------------------------------------------------------------

HN = site("hn-1", endpoints=("s3.hn.example.vn",))
WHOLE = {"prefix": "", "filtered": False}


def copies(world: World, *rules: Value) -> Value:
    full = tuple({"id": "", "destination": "ho-so-dr", "enabled": True, **rule} for rule in rules)
    one = bucket(facts={"replication.rules": full})
    return derived("replication", world, one).facts.get("replication.copies")


def at_hcm(**differing: Value) -> dict[str, Value]:
    there = {"bucket": "ho-so-dr", "site": "hcm-1", "domestic": True, "offsite": True, "versioned": True}
    return {**there, **differing}


def test_a_copy_of_the_whole_bucket_at_another_site() -> None:
    world = World([HN, *SITES, there()])
    assert copies(world, WHOLE) == (at_hcm(whole=True),)
    assert copies(world) == ()


@pytest.mark.parametrize(
    ("rules", "whole"),
    [
        (({**WHOLE, "prefix": "a/"},), False),
        (({**WHOLE, "filtered": True},), False),
        (({**WHOLE, "prefix": "a/"}, {**WHOLE, "prefix": "b/"}), False),
        (({**WHOLE, "prefix": "a/"}, WHOLE), True),
        (({**WHOLE, "prefix": "a/", "filtered": None},), False),
    ],
)
def test_a_part_of_a_bucket_is_no_copy_of_it(rules: tuple[Value, ...], whole: bool) -> None:
    assert copies(World([HN, *SITES, there()]), *rules) == (at_hcm(whole=whole),)


@pytest.mark.parametrize("rule", [{"prefix": ""}, {"prefix": None, "filtered": False}])
def test_what_a_rule_covers_may_not_be_known(rule: Value) -> None:
    assert copies(World([HN, *SITES, there()]), rule) == (at_hcm(),)


def test_rules_that_are_off_make_no_copy() -> None:
    assert copies(World([HN, *SITES, there()]), {**WHOLE, "enabled": False}) == ()


@pytest.mark.parametrize(("state", "versioned"), [("suspended", False), ("off", False), ("enabled", True)])
def test_versions_of_a_copy(state: str, versioned: bool) -> None:
    kept = bucket("ho-so-dr", {"location": "hcm", "versioning.state": state}, scope=HCM)
    assert copies(World([HN, *SITES, kept]), WHOLE) == (at_hcm(whole=True, versioned=versioned),)


def test_versions_are_known_where_all_buckets_that_may_be_meant_agree() -> None:
    twin = bucket("ho-so-dr", {"location": "hcm", "versioning.state": "off"}, scope=Scope("kho-hcm-2"))
    without = {"bucket": "ho-so-dr", "site": "hcm-1", "domestic": True, "offsite": True, "whole": True}
    assert copies(World([HN, *SITES, there(), twin]), WHOLE) == (without,)
    unread = bucket("ho-so-dr", {"location": "hcm"}, scope=HCM, without=["versioning.state"])
    assert copies(World([HN, *SITES, unread]), WHOLE) == (without,)
    declared = (HN, site("hcm-1", store_ids=("ho-so-dr",)))
    assert copies(World(declared), WHOLE) == (without,)
    assert copies(World([*declared, there()], [gap("s3.bucket", Scope("kho"))]), WHOLE) == (without,)


@pytest.mark.parametrize(
    ("sites", "differing"),
    [
        ((HN, site("hcm-1", s3_locations=("hcm",), risk_group=None)), {}),
        (
            (site("hn-1", endpoints=("s3.hn.example.vn",), s3_locations=("hcm",)),),
            {"site": "hn-1", "offsite": False},
        ),
        ((HN, site("hcm-1", country="SG", s3_locations=("hcm",))), {"domestic": False}),
        (
            (
                site("hn-1", endpoints=("s3.hn.example.vn",), risk_group="song-hong"),
                site("hcm-1", s3_locations=("hcm",), risk_group="song-hong"),
            ),
            {"offsite": False},
        ),
    ],
)
def test_where_a_copy_is(sites: tuple[Resource, ...], differing: dict[str, Value]) -> None:
    assert copies(World([*sites, there()]), WHOLE) == (at_hcm(whole=True, **differing),)


def test_a_bucket_at_no_declared_site_has_nothing_to_be_apart_from() -> None:
    found = {"bucket": "ho-so-dr", "site": "hcm-1", "domestic": True, "whole": True, "versioned": True}
    assert copies(World([*SITES, there()]), WHOLE) == (found,)


def test_a_destination_nobody_knows_is_at_no_second_site() -> None:
    found = {"bucket": "ho-so-dr", "offsite": False, "domestic": False, "whole": True}
    assert copies(World([HN, *SITES]), WHOLE) == (found,)
    assert copies(World([HN, *SITES], [gap("s3.bucket", Scope("x"))]), WHOLE) == (
        {"bucket": "ho-so-dr", "whole": True},
    )


def test_rules_that_cannot_be_read_leave_the_copies_open() -> None:
    world = World([HN, *SITES, there()])
    assert copies(world, WHOLE, {"enabled": None}) == Partial((at_hcm(whole=True),))
    refused = bucket(without=["replication.rules"], unseen={"replication": Unseen(Reason.NO_PERMISSION)})
    assert reasons(derived("replication", world, refused))["replication.copies"] is Reason.NO_PERMISSION


# --- containers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "facts"),
    [
        (None, (None, None, None)),
        ("", (None, None, None)),
        ("//VN/HCM/AUTH_a/c", ("VN/HCM", "hcm-1", True)),
        ("//la/la/AUTH_a/c", ("la/la", None, None)),
        ("https://swift.example.vn:8080/v1/AUTH_a/c", ("swift.example.vn", "hcm-1", True)),
        ("https://store.example.sg/v1/AUTH_a/c", ("store.example.sg", "sg-1", False)),
        ("https://[bad", ("https://[bad", None, None)),
    ],
)
def test_the_place_a_container_is_synced_to(address: str | None, facts: tuple[Value, ...]) -> None:
    world = World(
        [
            site("hcm-1", store_ids=("vn/hcm",), endpoints=("swift.example.vn",)),
            site("sg-1", country="SG", endpoints=("*.example.sg",)),
        ]
    )
    found = derived("replication", world, container(facts={"sync_to": address}))
    assert found.facts == dict(zip(("sync.host", "sync.site", "sync.domestic"), facts, strict=True))


@pytest.mark.parametrize(
    ("world", "reason"),
    [
        (World(gaps=[no_register("site")]), Reason.REGISTER_MISSING),
        (World([site("a", store_ids=("vn/a",)), site("b", store_ids=("vn/a",))]), Reason.AMBIGUOUS),
    ],
)
def test_a_sync_without_one_place_keeps_its_host(world: World, reason: Reason) -> None:
    found = derived("replication", world, container(facts={"sync_to": "//vn/a/AUTH_x/c"}))
    assert (found.facts, reasons(found)) == ({"sync.host": "vn/a"}, {"sync": reason})


def test_a_header_that_was_not_shown_is_not_no_sync() -> None:
    hidden = container(without=["sync_to"], unseen={"sync_to": Unseen(Reason.NO_PERMISSION)})
    assert reasons(derived("replication", World(), hidden)) == {"sync": Reason.NO_PERMISSION}
