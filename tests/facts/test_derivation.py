"""How far a list is trusted, scope by scope."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import World, bucket, gap, in_project, listing, resource, volume

from cloudaudit.facts.derivation import Lists, both, either, hidden, merged, where, why
from cloudaudit.model import Reason, Scope, Unseen

PORT = "openstack.port"


def unseen(world: World, scope: Scope) -> Reason | None:
    found = Lists(world, PORT).unseen_in(scope)
    return None if found is None else found.reason


@pytest.mark.parametrize(
    ("hidden_at", "asked", "counts"),
    [
        (in_project("a"), in_project("a"), True),
        (in_project("a"), in_project("b"), False),
        (in_project("a", "hn"), in_project("a", "hcm"), False),
        (in_project("a"), in_project(None), True),
        (in_project(None), in_project("a"), True),
        (in_project(None, None), in_project("b", "hcm"), True),
        (in_project("a", None), in_project(None, "hn"), True),
        (in_project("a", target="kia"), in_project("a"), False),
        (Scope("*"), in_project("a"), True),
        (in_project("a"), in_project(None, None), True),
    ],
)
def test_a_gap_counts_where_it_has_anything_in_common(hidden_at: Scope, asked: Scope, counts: bool) -> None:
    world = World(gaps=[gap(PORT, hidden_at, Reason.TIMEOUT)], listings=[listing(PORT, Scope("*"))])
    assert unseen(world, asked) == (Reason.TIMEOUT if counts else None)


def test_a_list_that_nobody_read_is_a_gap() -> None:
    world = World(listings=[listing(PORT, in_project("a"))])
    assert unseen(world, in_project("a")) is None
    assert unseen(world, in_project("b")) is Reason.NOT_COLLECTED


def test_a_declaration_that_there_is_no_such_cloud_makes_lists_whole() -> None:
    assert unseen(World(listings=[listing(PORT, Scope("*"))]), in_project("a")) is None


def test_what_does_not_say_where_it_belongs_blinds_its_scope() -> None:
    blind = [(in_project("a"), Unseen(Reason.PARTIAL, "no groups"))]
    lists = Lists(World(), PORT, blind)
    assert lists.unseen_in(in_project("a")) == Unseen(Reason.PARTIAL, "no groups")
    assert lists.unseen_in(in_project("b")) is None


def test_a_gap_in_a_list_is_told_before_blind_spots() -> None:
    world = World(gaps=[gap(PORT, in_project(None), Reason.TIMEOUT)], listings=[listing(PORT, Scope("*"))])
    lists = Lists(world, PORT, [(in_project("a"), Unseen(Reason.PARTIAL))])
    assert lists.unseen_in(in_project("a")) == Unseen(Reason.TIMEOUT, "")


def test_details_that_were_refused_hide_no_resource() -> None:
    of_list = gap("s3.bucket", Scope("kho"), operation="s3.list_buckets")
    of_detail = replace(gap("s3.bucket", Scope("kho"), operation="s3.policy"), listing=False)
    assert hidden(World([bucket()], [of_detail, of_list]), "s3.bucket") == (of_list,)


def test_one_list_over_all_projects_is_told_from_lists_by_project() -> None:
    by_project = World(listings=[listing(PORT, in_project("a"))])
    over_all = World(listings=[listing(PORT, in_project(None))])
    assert not Lists(by_project, PORT).spans_projects(in_project("a"))
    assert Lists(over_all, PORT).spans_projects(in_project("a"))
    assert not Lists(over_all, PORT).spans_projects(in_project("a", "hcm"))


def test_sightings_that_disagree_widen_the_scope() -> None:
    doubt = Unseen(Reason.AMBIGUOUS)
    assert where(volume()) == in_project("cong-dich-vu")
    assert where(volume(unseen={"region": doubt})) == in_project("cong-dich-vu", None)
    assert where(volume(unseen={"project": doubt})) == in_project(None)


def test_a_fact_of_the_wrong_kind_is_told_from_one_that_was_not_seen() -> None:
    one = resource("x", "1", {"zone": 5}, unseen={"size": Unseen(Reason.TIMEOUT)})
    assert why(one, "zone").reason is Reason.INVALID_ANSWER
    assert why(one, "size").reason is Reason.TIMEOUT
    assert why(one, "host").reason is Reason.PARTIAL


def test_three_values() -> None:
    assert [either(p) for p in ([], [None], [None, True], [False, None], [False])] == [
        False, None, True, None, False,
    ]  # fmt: skip
    assert [both(p) for p in ([], [None], [None, False], [True, None], [True])] == [
        True, None, False, None, True,
    ]  # fmt: skip


def test_reads_are_merged_without_repetition() -> None:
    assert merged({"a": ("x", "y")}, {"a": ("y", "z"), "b": ()}) == {"a": ("x", "y", "z"), "b": ()}
