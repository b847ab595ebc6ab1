"""Which system a resource belongs to."""

from __future__ import annotations

import pytest
from builders import (
    CLOUD,
    DAY,
    PROJECT,
    World,
    backup,
    bucket,
    container,
    derived,
    gap,
    in_project,
    no_register,
    port,
    project,
    reasons,
    system,
    volume,
)

from cloudaudit.model import Reason, Resource, Scope, Unseen, Value

A_ID = "0123456789abcdef0123456789abcdef"


def system_of(world: World, one: Resource) -> Value:
    """The id of the system, or why there is none."""
    found = derived("attribution", world, one)
    return found.facts["system.id"] if "system.id" in found.facts else reasons(found)["system"]


def labelled(**labels: str) -> dict[str, Value]:
    return {"labels": labels, "label_names": tuple(labels)}


def test_a_resource_inherits_what_its_system_declares() -> None:
    world = World([system("thue", {"project": PROJECT}, rpo=DAY, data_classes=("open", "core")), project()])
    assert derived("attribution", world, volume()).facts == {
        "system.id": "thue",
        "system.criticality": "critical",
        "system.rpo": DAY,
        "system.rto": None,
        "system.security_level": 3,
        "system.data_classes": ("open", "core"),
        "system.restricted": True,
        "system.cross_border": False,
    }


@pytest.mark.parametrize(
    ("classes", "restricted"),
    [
        (("open", "internal", "shared"), False),
        (("personal-basic",), True),
        (("state-secret",), True),
        (("nd53-user-data",), True),
        ((), False),
    ],
)
def test_restricted_data_are_those_the_law_regulates(classes: tuple[str, ...], restricted: bool) -> None:
    world = World([system("thue", {"project": PROJECT}, data_classes=classes), project()])
    assert derived("attribution", world, volume()).facts["system.restricted"] is restricted


def test_a_system_without_data_classes_leaves_restriction_open() -> None:
    undeclared = system("thue", {"project": PROJECT}, data_classes=None)
    found = derived("attribution", World([undeclared, project()]), volume())
    assert reasons(found) == {
        "system.data_classes": Reason.INVALID_ANSWER,
        "system.restricted": Reason.INVALID_ANSWER,
    }


def test_without_the_register_nothing_is_attributed() -> None:
    assert system_of(World(gaps=[no_register("system")]), volume()) is Reason.REGISTER_MISSING


def test_what_no_selector_fits_is_unmapped() -> None:
    world = World([system("thue", {"project": "thue"}), project("thue"), project()])
    assert system_of(world, volume()) is Reason.UNMAPPED


def test_what_two_systems_claim_is_ambiguous_and_says_which() -> None:
    world = World([system("thue", {"project": PROJECT}), system("ho-tich", {"region": "hn"}), project()])
    found = derived("attribution", world, volume())
    assert found.unseen == {"system": Unseen(Reason.AMBIGUOUS, "claimed by ho-tich, thue")}


def test_all_fields_of_a_selector_must_fit() -> None:
    world = World([system("thue", {"project": PROJECT, "region": "hcm"}), project()])
    assert system_of(world, volume()) is Reason.UNMAPPED
    assert system_of(world, volume(scope=in_project(PROJECT, "hcm"))) == "thue"


def test_a_catch_all_takes_only_what_is_left() -> None:
    world = World(
        [
            system("chung", {"project": PROJECT, "catch_all": True}),
            system("thue", {"bucket": "thue-*"}),
            project(),
        ]
    )
    assert system_of(world, container("thue-2026")) == "thue"
    assert system_of(world, container("khac")) == "chung"
    assert system_of(world, volume(scope=in_project("khac"))) is Reason.UNMAPPED


def test_two_catch_alls_are_ambiguous() -> None:
    world = World([system(id_, {"region": "hn", "catch_all": True}) for id_ in ("a", "b")])
    assert system_of(world, volume()) is Reason.AMBIGUOUS


def test_a_selector_that_asks_for_nothing_fits_nothing() -> None:
    world = World([system("thue", {}, {"project": None, "region": ""}, {"project": 5})])
    assert system_of(world, volume()) is Reason.UNMAPPED


# --- projects -----------------------------------------------------------------------------------------


def test_a_project_is_meant_by_name_or_id() -> None:
    world = World([system("thue", {"project": A_ID}), project("thue", A_ID)])
    assert system_of(world, volume(scope=in_project("thue"))) == "thue"
    assert system_of(world, project("thue", A_ID)) == "thue"


def test_names_of_projects_belong_to_their_cloud() -> None:
    elsewhere = project("thue", A_ID, scope=Scope("kia", None, "thue"))
    world = World([system("thue", {"project": A_ID}), elsewhere, project("thue", "b" * 32)])
    assert system_of(world, volume(scope=in_project("thue"))) is Reason.UNMAPPED


def test_a_project_that_was_not_listed_may_have_the_id_of_a_selector() -> None:
    systems = [system("thue", {"project": A_ID}), system("chung", {"region": "hn", "catch_all": True})]
    refused = gap("openstack.project", Scope("dam-may"))
    assert system_of(World(systems, [refused]), volume()) is Reason.NO_PERMISSION
    assert system_of(World(systems), volume()) is Reason.PARTIAL


def test_a_name_of_two_projects_says_not_which_is_meant() -> None:
    """Domains may have projects of one name: neither is given to the system by it."""
    other = "9fc13c9f21274c91b412625f6aa5005c"
    both = [
        project(A_ID, A_ID, name="thue"),
        project(other, other, name="thue"),
    ]
    mine = volume(scope=Scope(CLOUD, "hn", A_ID))
    by_name = World([system("thue", {"project": "thue"}), *both])
    assert derived("attribution", by_name, mine).unseen == {
        "system": Unseen(Reason.AMBIGUOUS, f"2 projects of {CLOUD} are called thue; name it by its id")
    }
    by_id = World([system("thue", {"project": A_ID}), *both])
    assert system_of(by_id, mine) == "thue"
    assert system_of(by_id, volume(scope=Scope(CLOUD, "hn", other))) is Reason.UNMAPPED


def test_names_that_differ_are_different_projects_even_unlisted() -> None:
    world = World([system("thue", {"project": "thue"})], [gap("openstack.project")])
    assert system_of(world, volume()) is Reason.UNMAPPED


def test_the_selector_of_one_region_tells_of_a_project_too() -> None:
    world = World([system("thue", {"project": "thue", "region": "hcm"}), project("thue")])
    assert system_of(world, project("thue")) == "thue"


def test_sightings_in_two_projects_leave_the_system_open() -> None:
    world = World([system("thue", {"project": PROJECT}), project()])
    doubt = Unseen(Reason.AMBIGUOUS, "seen in two projects")
    assert system_of(world, volume(unseen={"project": doubt})) is Reason.AMBIGUOUS


# --- labels --------------------------------------------------------------------------------------------


def test_the_label_system_id_names_the_system() -> None:
    world = World([system("thue"), system("ho-tich")])
    assert system_of(world, volume(facts=labelled(system_id="thue"))) == "thue"
    assert system_of(world, volume(facts=labelled(system_id="la"))) is Reason.UNMAPPED


def test_a_label_against_a_selector_is_ambiguous() -> None:
    world = World([system("thue", {"project": PROJECT}), system("ho-tich"), project()])
    assert system_of(world, volume(facts=labelled(system_id="ho-tich"))) is Reason.AMBIGUOUS
    assert system_of(world, volume(facts=labelled(system_id="thue"))) == "thue"


def test_a_selector_by_label_wants_key_and_value() -> None:
    world = World([system("thue", {"label_key": "tier", "label_value": "1"})])
    assert system_of(world, volume(facts=labelled(tier="1"))) == "thue"
    assert system_of(world, volume(facts=labelled(tier="2"))) is Reason.UNMAPPED


def test_labels_that_were_not_read_leave_even_a_fitting_selector_open() -> None:
    """They may name another system: the answer must not get better for the refusal."""
    refused = {"labels": Unseen(Reason.NO_PERMISSION)}
    one = bucket("thue-1", without=["labels", "label_names"], unseen=refused)
    world = World([system("thue", {"bucket": "thue-*"}), system("ho-tich")])
    assert system_of(world, one) is Reason.NO_PERMISSION


def test_labels_that_were_not_read_do_not_matter_where_one_system_is_all_there_is() -> None:
    one = bucket("thue-1", without=["labels", "label_names"])
    assert system_of(World([system("thue", {"bucket": "thue-*"})]), one) == "thue"


def test_labels_that_were_not_read_undo_no_ambiguity() -> None:
    one = bucket("thue-1", without=["labels"])
    world = World([system("thue", {"bucket": "thue-*"}), system("ho-tich", {"bucket": "*"}), system("x")])
    assert system_of(world, one) is Reason.AMBIGUOUS


def test_a_store_that_knows_no_labels_has_none() -> None:
    absent = {"labels": Unseen(Reason.NOT_IMPLEMENTED)}
    one = bucket("thue-1", without=["labels", "label_names"], unseen=absent)
    assert system_of(World([system("thue", {"bucket": "thue-*"}), system("ho-tich")]), one) == "thue"


def test_types_without_labels_are_attributed_by_place() -> None:
    world = World([system("thue", {"project": PROJECT}), system("ho-tich"), project()])
    assert system_of(world, port("p-1")) == "thue"
    assert system_of(world, backup()) == "thue"


def test_a_label_whose_value_was_not_kept_is_not_known() -> None:
    world = World([system("thue", {"label_key": "app", "label_value": "1"})])
    hidden = volume(facts={"labels": {}, "label_names": ("app",)})
    assert system_of(world, hidden) is Reason.NOT_COLLECTED


# --- buckets --------------------------------------------------------------------------------------------


def test_buckets_are_told_by_name_and_target() -> None:
    world = World([system("thue", {"bucket": "thue-*", "target": "kho"})])
    assert system_of(world, bucket("thue-1")) == "thue"
    assert system_of(world, bucket("thue-1", scope=Scope("kho-khac"))) is Reason.UNMAPPED
    assert system_of(world, volume("thue-1")) is Reason.UNMAPPED


def test_containers_are_told_by_their_name_without_the_account() -> None:
    assert system_of(World([system("thue", {"bucket": "thue-*"})]), container("thue-1")) == "thue"
