"""What of access is declared in papers."""

from __future__ import annotations

import pytest
from builders import (
    CLOUD,
    DAY,
    NOW,
    REGION,
    World,
    attestation,
    derived,
    document,
    gap,
    no_register,
    reasons,
    resource,
    rule,
    site,
    user,
)

from cloudaudit.model import Gap, Reason, Resource, Scope, Unseen, Value


def paper(id_: str = "tu-xa", kind: str = "remote-access", **facts: Value) -> Resource:
    lines = ({"what": "203.0.113.0/24"}, {"what": "0.0.0.0/0"}, {"what": "::/0"}, {"what": "phòng trực"}, {})
    return attestation(id_, kind=kind, **{"entries": lines, **facts})


SITES = (
    site("hn-1", ip_ranges=("198.51.100.0/24", "2001:db8::/32")),
    site("sg-1", country="SG", ip_ranges=("192.0.2.0/24",)),
)
GROUP = resource("openstack.address_group", "ag-1", {"addresses": ("10.0.0.0/8", "203.0.113.9/32")})
WORLD = World([*SITES, paper(), document("tu-xa"), GROUP])


def declared(facts: dict[str, Value], world: World = WORLD) -> Value:
    found = derived("access", world, rule(facts=facts))
    return found.facts.get("source.declared", reasons(found).get("source.declared"))


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ({}, False),  # everybody
        ({"remote_prefix": "0.0.0.0/0"}, False),
        ({"remote_prefix": "::/0"}, False),
        ({"remote_group": "sg-2"}, True),
        ({"remote_prefix": "10.1.2.3/32"}, True),
        ({"remote_prefix": "fd00::/8"}, True),
        ({"remote_prefix": "8.0.0.0/6"}, False),  # holds private addresses, and others
        ({"remote_prefix": "198.51.100.7"}, True),  # of a site in the country
        ({"remote_prefix": "2001:db8:1::/48"}, True),
        ({"remote_prefix": "192.0.2.7"}, False),  # of a site abroad
        ({"remote_prefix": "203.0.113.128/25"}, True),  # listed in the paper
        ({"remote_prefix": "203.0.112.0/23"}, False),  # wider than what is listed
        ({"remote_prefix": "khong-phai"}, Reason.INVALID_ANSWER),
        ({"remote_address_group": "ag-1"}, True),
        ({"remote_address_group": "ag-2"}, Reason.PARTIAL),
        ({"remote_prefix": 5}, Reason.INVALID_ANSWER),
        ({"remote_group": 5, "remote_prefix": "10.0.0.0/8"}, Reason.INVALID_ANSWER),
    ],
)
def test_sources_of_rules(facts: dict[str, Value], answer: Value) -> None:
    assert declared(facts) == answer


def test_every_address_of_a_group_has_to_be_declared() -> None:
    def group(*addresses: str, **options: Value) -> World:
        one = resource("openstack.address_group", "ag-1", {"addresses": addresses, **options})
        return World([*SITES, paper(), document("tu-xa"), one])

    facts: dict[str, Value] = {"remote_address_group": "ag-1"}
    assert declared(facts, group("10.0.0.0/8", "198.18.0.0/15")) is False
    assert declared(facts, group("10.0.0.0/8", "la")) is Reason.INVALID_ANSWER
    assert declared(facts, group("198.18.0.0/15", "la")) is False
    assert declared(facts, group()) is True
    assert declared(facts, group(addresses=5)) is Reason.INVALID_ANSWER
    hidden = World([*SITES], [gap("openstack.address_group", Scope(CLOUD, REGION))])
    assert declared(facts, hidden) is Reason.NO_PERMISSION


def test_what_may_be_declared_where_it_was_not_seen() -> None:
    abroad: dict[str, Value] = {"remote_prefix": "203.0.113.9"}
    home: dict[str, Value] = {"remote_prefix": "10.0.0.1"}
    for world, reason in (
        (World([*SITES, paper(), document("tu-xa")], [no_register("attestation")]), True),
        (World([*SITES], [no_register("attestation")]), Reason.REGISTER_MISSING),
        (World([], [no_register("site")]), Reason.REGISTER_MISSING),
        (World([*SITES, paper()]), Reason.NOT_COLLECTED),  # its document was not read
        (World([*SITES, paper(valid_until=NOW - DAY)]), False),
        (World([*SITES, paper(kind="dr-plan"), document("tu-xa")]), False),
    ):
        assert declared(abroad, world) == reason
        assert declared(home, world) is True


def test_a_name_that_several_accounts_bear_declares_none_of_them() -> None:
    """Each domain has its own names: a tenant may call an account as the paper calls one of the provider's."""
    listed = paper("khach", "customer-data-access", entries=({"what": "hỗ trợ"}, {"what": "u-1"}))
    ours, theirs = user("u-1", name="hỗ trợ"), user("u-2", name="hỗ trợ")
    elsewhere = user("u-3", name="hỗ trợ", scope=Scope("dam-may-2"))

    def answers(*users: Resource, gaps: tuple[Gap, ...] = ()) -> list[Value]:
        world = World([listed, document("khach"), *users], gaps)
        found = (derived("access", world, one) for one in users)
        return [one.facts.get("access.declared", reasons(one).get("access.declared")) for one in found]

    assert answers(ours, theirs) == [True, Reason.AMBIGUOUS]
    assert answers(theirs, elsewhere) == [True, True]
    assert answers(theirs, gaps=(gap("openstack.user"),)) == [Reason.NO_PERMISSION]


def test_accounts() -> None:
    lines = ({"what": "trực-1"}, {"what": "0123"})
    listed = paper("khach", "customer-data-access", entries=lines)
    world = World([listed, document("khach")])

    def answer(world: World, id_: str, name: str) -> Value:
        found = derived("access", world, user(id_, name=name))
        return found.facts.get("access.declared", reasons(found).get("access.declared"))

    assert answer(world, "u-1", "trực-1") is True
    assert answer(world, "0123", "khac") is True
    assert answer(world, "u-1", "khac") is False
    assert answer(World([listed]), "u-1", "trực-1") is Reason.NOT_COLLECTED
    assert answer(World([], [no_register("attestation")]), "u-1", "x") is Reason.REGISTER_MISSING
    other = World([listed, document("khach"), paper("moi", "customer-data-access")])
    assert answer(other, "u-1", "trực-1") is True
    assert answer(other, "u-1", "khac") is Reason.NOT_COLLECTED


def test_a_name_that_several_accounts_have_names_none_of_them() -> None:
    lines = ({"what": "trực-1"}, {"what": "u-3"})
    listed = (paper("khach", "customer-data-access", entries=lines), document("khach"))
    one, two, three = (user(id_, name="trực-1") for id_ in ("u-1", "u-2", "u-3"))
    elsewhere = user("u-9", name="trực-1", scope=Scope("dam-may-2"))

    def answer(one: Resource, *others: Resource, gaps: tuple[str, ...] = ()) -> Value:
        world = World([*listed, one, *others], [gap(type_) for type_ in gaps])
        found = derived("access", world, one)
        return found.facts.get("access.declared", reasons(found).get("access.declared"))

    assert answer(one, elsewhere) is True
    assert answer(one, two) is Reason.AMBIGUOUS
    assert answer(three, one) is True  # by its id
    assert answer(one, gaps=("openstack.user",)) is Reason.NO_PERMISSION
    assert answer(three, gaps=("openstack.user",)) is True


def test_address_groups_of_one_id_are_told_apart_by_their_region() -> None:
    def group(region: str, *addresses: str) -> Resource:
        return resource("openstack.address_group", "ag", {"addresses": addresses}, scope=Scope(CLOUD, region))

    here, there = group(REGION, "8.8.8.0/24"), group("hcm", "10.0.0.0/8")
    of = rule(facts={"remote_address_group": "ag"})
    found = [derived("access", World([*SITES, *groups]), of) for groups in ((here, there), (there, here))]
    assert [one.facts for one in found] == [{"source.declared": False}] * 2
    twice = derived("access", World([*SITES, here, group(REGION, "10.0.0.0/8")]), of)
    assert reasons(twice) == {"source.declared": Reason.AMBIGUOUS}


def test_a_source_that_was_not_seen() -> None:
    for hidden in ("remote_group", "remote_address_group", "remote_prefix"):
        found = derived("access", WORLD, rule(without=[hidden], unseen={hidden: Unseen(Reason.TIMEOUT)}))
        assert reasons(found) == {"source.declared": Reason.TIMEOUT}
