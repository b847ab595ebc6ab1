"""Whether buckets and containers are open to everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from builders import World, bucket, container, derived, no_register, reasons, statement, system

from cloudaudit.facts.public import MOST_STATEMENTS
from cloudaudit.model import Partial, Reason, Resource, Unseen, Value

READ = ({"grantee": "AllUsers", "kind": "group", "permission": "READ"},)
WRITE = ({"grantee": "AuthenticatedUsers", "kind": "group", "permission": "WRITE"},)
PRIVATE = ({"grantee": "chu-so-huu", "kind": "user", "permission": "FULL_CONTROL"},)
NOT_THERE = Unseen(Reason.NOT_IMPLEMENTED)


def openness(one: Resource, world: World | None = None) -> tuple[Value, Value]:
    """Whether everybody reads and writes, or why that is not known."""
    found = derived("public", world or World(), one)
    answers = {**reasons(found), **found.facts}
    return answers["public.read"], answers["public.write"]


def with_policy(*statements: Mapping[str, Value], **facts: Value) -> Resource:
    plain: dict[str, Value] = {"policy.statements": statements}
    return bucket(facts={**plain, **{name.replace("__", "."): value for name, value in facts.items()}})


# --- access lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, (False, False)),
        ({"acl.grants": PRIVATE}, (False, False)),
        ({"acl.grants": READ}, (True, False)),
        ({"acl.grants": WRITE}, (False, True)),
        ({"acl.grants": (*READ, *WRITE)}, (True, True)),
        ({"acl.grants": READ, "block.ignore_acls": True}, (False, False)),
        ({"acl.grants": READ, "block.restrict": True}, (True, False)),  # which is about policies
        ({"acl.grants": Partial(READ)}, (True, Reason.INVALID_ANSWER)),
        ({"acl.grants": "odd"}, (Reason.INVALID_ANSWER, Reason.INVALID_ANSWER)),
    ],
)
def test_grants_open_unless_a_block_makes_the_store_ignore_them(
    facts: dict[str, Value], expected: tuple[Value, Value]
) -> None:
    assert openness(bucket(facts=facts)) == expected


def test_a_group_of_the_stores_own_may_hold_everybody() -> None:
    def group(name: str) -> tuple[Mapping[str, Value], ...]:
        return ({"grantee": name, "kind": "group", "permission": "READ"},)

    assert openness(bucket(facts={"acl.grants": group("NhanVien")})) == (Reason.AMBIGUOUS, False)
    assert openness(bucket(facts={"acl.grants": group("LogDelivery")})) == (False, False)
    found = derived("public", World(), bucket(facts={"acl.grants": group("NhanVien")}))
    detail = "its access list names a group of which it is not known who is in it"
    assert found.unseen["public.read"] == Unseen(Reason.AMBIGUOUS, detail)


def test_what_was_refused_leaves_the_answer_open() -> None:
    refused = Unseen(Reason.NO_PERMISSION)
    policy = bucket(facts={"acl.grants": READ}, without=["policy.statements"], unseen={"policy": refused})
    assert openness(policy) == (Reason.NO_PERMISSION, Reason.NO_PERMISSION)  # it may deny
    grants = bucket(without=["acl.grants"], unseen={"acl": refused})
    assert openness(grants) == (Reason.NO_PERMISSION, Reason.NO_PERMISSION)
    block = bucket(facts={"acl.grants": READ}, without=["block.ignore_acls"], unseen={"block": refused})
    assert openness(block) == (Reason.NO_PERMISSION, False)


def test_a_policy_that_opens_decides_whatever_the_grants_are() -> None:
    one = bucket(facts={"policy.statements": (statement(),)}, without=["acl.grants"])
    assert openness(one) == (True, Reason.PARTIAL)


def test_a_store_without_blocks_closes_nothing() -> None:
    blocks = ["block.ignore_acls", "block.restrict"]
    grants = bucket(facts={"acl.grants": READ}, without=blocks, unseen={"block": NOT_THERE})
    policy = bucket(facts={"policy.statements": (statement(),)}, without=blocks, unseen={"block": NOT_THERE})
    assert openness(grants) == openness(policy) == (True, False)


def test_a_store_without_policies_denies_nothing_and_may_open_otherwise() -> None:
    without: dict[str, Any] = {"without": ["policy.statements"], "unseen": {"policy": NOT_THERE}}
    assert openness(bucket(facts={"acl.grants": READ}, **without)) == (True, Reason.NOT_IMPLEMENTED)


# --- policies --------------------------------------------------------------------------------------------

OPEN, CLOSED, UNSURE = True, False, Reason.AMBIGUOUS


@pytest.mark.parametrize(
    ("fields", "read"),
    [
        ({}, OPEN),
        ({"principals": ("arn:aws:iam::1:root",)}, CLOSED),
        ({"principals": ("!arn:aws:iam::1:root",)}, UNSURE),
        ({"actions": ("s3:*",)}, OPEN),
        ({"actions": ("S3:getobject*",)}, OPEN),
        ({"actions": ("s3:GetBucketLocation",)}, CLOSED),
        ({"actions": ("!s3:DeleteBucket",)}, UNSURE),
        ({"conditions": ("IpAddress:aws:SourceIp",)}, UNSURE),
        ({"conditions": ("Bool:aws:SecureTransport",)}, UNSURE),
        ({"actions": ("s3:ListBucket",)}, CLOSED),  # of objects, which have no list
        ({"actions": ("s3:ListBucket",), "resources": ("arn:aws:s3:::ho-so",)}, OPEN),
        ({"resources": ("*",)}, OPEN),
        ({"resources": ("arn:aws:s3::khach:ho-so/*",)}, OPEN),  # a tenant of Ceph
        ({"resources": ("arn:aws:s3:::ho-so/ds:2026.csv",)}, OPEN),
        ({"resources": ("arn:aws:s3:*",)}, OPEN),  # no whole ARN, and who knows what a store makes of it
        ({"resources": ("!arn:aws:s3:::ho-so/kin/*",)}, UNSURE),
        ({"resources": ()}, CLOSED),
        ({"effect": "allow"}, UNSURE),
        ({"conditions": "odd"}, UNSURE),
        ({"principals": None}, UNSURE),
    ],
)
def test_what_one_statement_opens(fields: dict[str, Value], read: Value) -> None:
    assert openness(with_policy({**statement(), **fields}))[0] == read


def test_writing_is_opened_by_other_actions() -> None:
    assert openness(with_policy(statement(actions=("s3:PutObject",)))) == (False, True)
    everything = statement(actions=("s3:*",), resources=("*",))
    assert openness(with_policy(everything)) == (True, True)


def test_a_block_of_public_policies_closes_them() -> None:
    assert openness(with_policy(statement(), block__restrict=True)) == (False, False)
    unread = bucket(facts={"policy.statements": (statement(),)}, without=["block.restrict"])
    assert openness(unread) == (Reason.PARTIAL, False)


@pytest.mark.parametrize(
    ("fields", "read"),
    [
        ({}, CLOSED),
        ({"actions": ("s3:*",), "resources": ("arn:aws:s3:::ho-so*",)}, CLOSED),
        ({"actions": ("s3:PutObject",)}, OPEN),
        ({"resources": ("arn:aws:s3:::ho-so/kin/*",)}, OPEN),
        ({"resources": ("arn:aws:s3:::ho-so/kin:*",)}, OPEN),
        ({"resources": ("arn:aws:s3:*",)}, OPEN),
        ({"principals": ("arn:aws:iam::1:root",)}, OPEN),
        ({"principals": ("!arn:aws:iam::1:root",)}, UNSURE),
        ({"actions": ("!s3:GetObject",)}, UNSURE),
        ({"resources": ("!arn:aws:s3:::ho-so/mo/*",)}, UNSURE),
        ({"conditions": ("Bool:aws:SecureTransport",)}, OPEN),  # others use TLS
        ({"conditions": ("NotIpAddress:aws:SourceIp",)}, UNSURE),
        ({"conditions": ("Bool:aws:SecureTransport", "NotIpAddress:aws:SourceIp")}, UNSURE),
    ],
)
def test_what_one_statement_closes(fields: dict[str, Value], read: Value) -> None:
    assert openness(with_policy(statement(), {**statement("Deny"), **fields}))[0] == read


def test_a_statement_that_denies_closes_grants_too() -> None:
    denial = statement("Deny", actions=("s3:*",), resources=("arn:aws:s3:::ho-so", "arn:aws:s3:::ho-so/*"))
    assert openness(with_policy(denial, acl__grants=READ)) == (False, False)
    objects_only = statement("Deny", actions=("s3:GetObject*",))
    assert openness(with_policy(objects_only, acl__grants=READ)) == (True, False)  # it can be listed


def test_denying_what_was_opened_closes_it() -> None:
    part = ("arn:aws:s3:::ho-so/mo/*",)
    policy = with_policy(statement(resources=part), statement("Deny", resources=part))
    assert openness(policy) == (False, False)


def test_a_policy_without_end_is_not_weighed() -> None:
    endless = with_policy(*[statement(conditions=("x:y",))] * (MOST_STATEMENTS + 1))
    assert openness(endless) == (Reason.AMBIGUOUS, Reason.AMBIGUOUS)


# --- one store, seen through Swift and through its S3 API ------------------------------------------------


def through_s3_of_swift() -> Resource:
    """A bucket as Swift's S3 API tells of it: no policy, no block, and an access list that proves nothing."""
    unseen = dict.fromkeys(("acl", "policy", "block"), NOT_THERE)
    facts = [name for name in bucket().facts if name.split(".")[0] in unseen]
    return bucket("ho-so", without=facts, unseen=unseen)


@pytest.mark.parametrize("acl", [None, "", ".r:*,.rlistings", "du-an:*"])
def test_swift_answers_for_a_container_and_its_s3_api_never_says_private(acl: str | None) -> None:
    """Accounts have their own names: a container of the same name need not be the same, so it lends nothing."""
    native = container("ho-so", facts={"read_acl": acl, "write_acl": None})
    world = World((native,))
    unknown = (Reason.NOT_IMPLEMENTED, Reason.NOT_IMPLEMENTED)
    assert openness(through_s3_of_swift(), world) == unknown
    assert openness(native, world) == (bool(acl and ".r:" in acl), False)


# --- Swift -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("acl", "is_open"),
    [
        (None, False),
        ("", False),
        (".r:*", True),
        (".r:*,.rlistings", True),
        (".rlistings", False),
        (".R : * ", True),
        (".referrer:example.vn", True),
        (".ref:.example.vn", True),
        (".r:-*", False),
        (".r:-evil.vn,.r:*", True),
        (".r:", False),
        ("*:*", True),
        ("*:nguoi-dung", False),
        ("abc:*", False),
        ("abc:nguoi-dung,reader", False),
        ("*", False),
    ],
)
def test_access_lists_of_containers(acl: str | None, is_open: bool) -> None:
    one = container(facts={"read_acl": acl, "write_acl": None})
    assert openness(one) == (is_open, False)
    assert openness(container(facts={"write_acl": acl}))[1] is is_open


def test_one_list_that_was_not_seen_leaves_the_other_known() -> None:
    hidden = container(without=["write_acl"], unseen={"write_acl": Unseen(Reason.NO_PERMISSION)})
    assert openness(hidden) == (False, Reason.NO_PERMISSION)


# --- open data -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", [bucket("mo-2026"), container("mo-2026")])
def test_open_data_are_what_the_register_names(one: Resource) -> None:
    declared = World([system("thue", open_data=("kin",)), system("mo", open_data=("mo-*",))])
    assert derived("public", declared, one).facts["public.declared_open"] is True
    assert derived("public", World([system()]), one).facts["public.declared_open"] is False
    unknown = derived("public", World(gaps=[no_register("system")]), one)
    assert reasons(unknown) == {"public.declared_open": Reason.REGISTER_MISSING}
