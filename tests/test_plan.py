"""From controls to calls: all that are needed, and no call more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from judging import control, profile, resource_type, spec

from cloudaudit.catalog import Catalogue, load_catalogue, load_profile
from cloudaudit.facts.derivation import Derived, Family
from cloudaudit.model import CallSpec, Control, ResourceType, Text
from cloudaudit.plan import Plan, plan, plans_of_controls, untold


def calls(*names: str) -> list[CallSpec]:
    """Calls by name; the first one lists."""
    return [CallSpec(name, "compute", f"GET /{name}", lists=n == 0) for n, name in enumerate(names)]


TYPES: Mapping[str, ResourceType] = {
    one.name: one
    for one in (
        resource_type(
            "vm", spec("good", "boolean", call="vms"), spec("disks", "list", items=spec("value", "string"), call="disks"),
            spec("labels", "map", call="tags"), spec("secret", "string", call="secrets"),
            spec("owner.id", "string", derived="ownership"), spec("place", "string", derived="location"),
            calls=calls("vms", "disks", "tags", "secrets"),
        ),
        resource_type(
            "net", spec("good", "boolean", call="nets"), spec("owner", "string", call="net_owner"),
            spec("place", "string", derived="location"), calls=calls("nets", "net_owner"),
        ),
        resource_type(
            "user", spec("good", "boolean", call="users"), spec("groups", "list", items=spec("value", "string"), call="groups"),
            calls=calls("users", "groups"),
        ),
        resource_type("zone", spec("shared", "boolean", call="zone_details"), calls=calls("zones", "zone_details")),
        resource_type("paper", spec("good", "boolean"), spec("kind", "string"), declared=True),
    )
}  # fmt: skip


def derivation(
    name: str, gives: Mapping[str, tuple[str, ...]], reads: Mapping[str, tuple[str, ...]]
) -> Family:
    return Family(name, gives, reads, lambda world: lambda resource: Derived())


OWNERSHIP = derivation(
    "ownership", {"vm": ("owner.id",)}, {"vm": ("labels",), "net": ("owner",), "paper": ("kind",)}
)
LOCATION = derivation(
    "location", {"vm": ("place",), "net": ("place",)}, {"vm": ("disks",), "net": (), "zone": ("shared",)}
)
DERIVATIONS = (LOCATION, OWNERSHIP)


def of(check: Any, *on: str, **conditions: Any) -> Control:
    return control(check=check, on=on or ("vm",), types=TYPES, **conditions)


def needed(*controls: Control) -> Plan:
    return plan(profile(*controls), TYPES, DERIVATIONS)


GOOD = {"fact": "good", "equals": True}


def test_a_listing_and_the_call_of_a_fact() -> None:
    found = needed(of(GOOD))
    assert found.facts == {"vm": frozenset({"good"})}
    assert found.calls == {"vms": TYPES["vm"].calls["vms"]}
    assert (found.types, found.wanted) == ({"vm"}, {"vms"})
    assert needed(of({"fact": "disks", "contains": "a"})).wanted == {"vms", "disks"}


def test_what_a_message_alone_would_need_is_untold() -> None:
    def named(template: str, check: Any = GOOD, *on: str) -> tuple[str, ...]:
        return untold(of(check, *on, message=Text(template, "{name}")), TYPES, DERIVATIONS)

    assert named("{id} {good} {param.most}") == ()
    assert named("{secret} {labels.owner} {secret}") == ("secret", "labels.owner")
    assert named("{secret}", {"fact": "secret", "equals": "x"}) == ()
    assert named("{owner.id} {place}") == (), "derived facts are told as far as they are known"
    assert named("{labels.owner} {disks}", {"fact": "owner.id", "equals": "x"}) == ("disks",)
    assert named("{kind}", {"fact": "kind", "equals": "x"}, "paper") == ()
    assert named("{good}", GOOD, "vm", "net") == ()
    twofold = replace(of(GOOD), violation=Text("{secret} {good}", "{good}"))
    assert untold(twofold, TYPES, DERIVATIONS) == ("secret",)


def test_nothing_is_asked_for_nothing() -> None:
    assert needed() == Plan({}, {})


@pytest.mark.parametrize("name", ["where", "not_applicable_when", "expired_when", "pending_when"])
def test_every_condition_counts(name: str) -> None:
    assert needed(of(GOOD, **{name: {"fact": "secret", "equals": "x"}})).wanted == {"vms", "secrets"}


def test_an_entry_of_a_map_takes_the_call_of_the_map() -> None:
    assert needed(of({"fact": "labels.owner", "equals": "x"})).wanted == {"vms", "tags"}


def test_facts_that_come_with_every_listing_take_no_call() -> None:
    found = needed(of({"fact": "region", "is_null": False}))
    assert (found.wanted, found.facts) == ({"vms"}, {"vm": {"region"}})


def test_related_types_are_listed_with_what_is_read_of_them() -> None:
    assert needed(of({"related": "user", "exists": True})).wanted == {"vms", "users"}
    anyone = {"related": "user", "any": {"fact": "groups", "contains": "admin"}}
    assert needed(of(anyone)).wanted == {"vms", "users", "groups"}
    joined = {
        "related": "net",
        "on": {"owner": "labels.owner"},
        "any": {"fact": "id", "equals": {"outer": "secret"}},
    }
    assert needed(of(joined)).wanted == {"vms", "tags", "secrets", "nets", "net_owner"}


def test_declared_types_and_facts_take_no_call() -> None:
    paper = of({"related": "paper", "any": {"fact": "kind", "equals": "x"}}, "paper")
    assert needed(paper) == Plan({}, {})


def test_a_derived_fact_takes_what_its_derivation_reads() -> None:
    owned = of({"fact": "owner.id", "equals": "x"})
    assert needed(owned).facts == {"vm": {"owner.id", "labels"}, "net": {"owner"}}
    assert needed(owned).wanted == {"vms", "tags", "nets", "net_owner"}


def test_of_the_types_a_derivation_serves_only_those_in_use_are_read_but_look_ups_always() -> None:
    placed = {"fact": "place", "equals": "x"}
    assert needed(of(placed, "net")).wanted == {"nets", "zones", "zone_details"}
    assert needed(of(placed, "vm")).wanted == {"vms", "disks", "zones", "zone_details"}


def test_a_type_whose_own_derived_facts_nobody_wants_is_read_like_any_other() -> None:
    """The net is in the plan for its owner; where it lies is nobody's question."""
    found = needed(of({"fact": "owner.id", "equals": "x"}))
    assert "zone" not in found.types


def test_derivations_of_what_derivations_read_are_followed_in_any_order() -> None:
    first = derivation("first", {"vm": ("owner.id",)}, {"net": ("place",)})
    second = derivation("second", {"net": ("place",)}, {"zone": ("shared",)})
    for order in permutations((first, second)):
        found = plan(profile(of({"fact": "owner.id", "equals": "x"})), TYPES, order)
        assert found.wanted == {"vms", "nets", "zones", "zone_details"}


def test_attribution_is_read_for_every_type_it_serves() -> None:
    """Findings get their weight from it, whatever a control reads."""
    attribution = derivation("attribution", {"vm": ("owner.id",)}, {"vm": ("labels",), "user": ()})
    assert plan(profile(of(GOOD)), TYPES, [attribution]).wanted == {"vms", "tags", "users"}
    assert plan(profile(of(GOOD, "net")), TYPES, [attribution]).wanted == {"nets"}


def test_no_call_is_made_for_the_sake_of_a_sentence() -> None:
    told = Text("{secret} {owner.id} {param.x}", "{labels.owner}")
    assert needed(of(GOOD, message=told)) == needed(of(GOOD))


def test_a_plan_does_not_depend_on_the_order_of_controls() -> None:
    controls = [
        of({"fact": "disks", "contains": "a"}),
        of(GOOD, "net"),
        of({"related": "user", "exists": True}),
    ]
    controls = [replace(one, id=f"SEC-{n:02}") for n, one in enumerate(controls)]
    plans = {tuple(needed(*order).calls) for order in permutations(controls)}
    assert plans == {("disks", "nets", "users", "vms")}


def test_types_that_are_not_declared_anywhere_are_left_out() -> None:
    assert plan(profile(of(GOOD)), {}, DERIVATIONS) == Plan({}, {})


# --- the shipped profiles -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize("name", ["ci-quick", "ndc-connection", "s3-only"])
def test_shipped_plans_name_calls_that_exist_and_facts_that_are_declared(
    catalogue: Catalogue, name: str
) -> None:
    found = plan(load_profile(name, catalogue), catalogue.types)
    for type_, facts in found.facts.items():
        declared = catalogue.types[type_]
        assert not declared.declared
        for fact in facts - {"id", "name", "target", "region", "project"}:
            assert fact in declared.facts or fact.partition(".")[0] in declared.facts, f"{type_}: {fact}"
        assert {call.name for call in declared.calls.values() if call.lists} <= found.wanted
    assert (
        found.wanted
        == {name for type_ in found.types for name in catalogue.types[type_].calls} & found.wanted
    )


def test_a_plan_of_five_controls_does_not_list_users(catalogue: Catalogue) -> None:
    found = plan(load_profile("ci-quick", catalogue), catalogue.types)
    assert not found.types & {
        "openstack.user",
        "openstack.role_assignment",
        "openstack.group_member",
        "openstack.image",
    }
    assert not {call for call in found.wanted if "user" in call or "role" in call}
    # What volumes, rules and buckets are judged by, and the lists that derivations look into.
    assert found.types >= {
        "openstack.volume", "openstack.security_group_rule", "s3.bucket", "openstack.backup", "openstack.port",
        "openstack.project", "openstack.endpoint",
    }  # fmt: skip


def test_endpoints_are_listed_for_regions_and_projects_for_their_names(catalogue: Catalogue) -> None:
    """Both are read beside the resource in hand: a region may share its endpoints, a selector may name a project."""
    located = plan(profile(catalogue.control("RES-02")), catalogue.types)
    assert located.types >= {"openstack.endpoint"}
    assert located.facts["openstack.endpoint"] >= {"url", "service_type"}
    weighed = plan(profile(catalogue.control("SEC-06")), catalogue.types)
    assert weighed.types >= {"openstack.project"}


@pytest.mark.parametrize("name", ["ci-quick", "ndc-connection", "s3-only"])
def test_the_plans_of_the_controls_are_together_the_plan_of_the_profile(
    catalogue: Catalogue, name: str
) -> None:
    """So the controls a call is made for can be told one by one."""
    chosen = load_profile(name, catalogue)
    whole, parts = plan(chosen, catalogue.types), plans_of_controls(chosen, catalogue.types)
    assert list(parts) == [control.id for control in chosen.controls]
    assert frozenset().union(*(part.wanted for part in parts.values())) == whole.wanted
    assert {
        type_: frozenset().union(*(part.facts.get(type_, frozenset()) for part in parts.values()))
        for type_ in whole.types
    } == dict(whole.facts)
