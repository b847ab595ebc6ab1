"""With whom things are shared."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from builders import World, bucket, container, derived, reasons, resource, statement

from cloudaudit.model import Partial, Reason, Resource, Unseen, Value

OWNER = "don-vi$chu"
PARTNER = "arn:aws:iam::doi-tac:user/mot"


def foreign(one: Resource) -> Value:
    """The parties, or with why there may be more."""
    found = derived("sharing", World([one]), one)
    unseen = reasons(found).get("sharing.foreign")
    return found.facts["sharing.foreign"] if unseen is None else (found.facts["sharing.foreign"], unseen)


def thing(kind: str, facts: Mapping[str, Value]) -> Resource:
    return resource(f"openstack.{kind}", "x", facts)


@pytest.mark.parametrize(
    ("one", "parties"),
    [
        (thing("image_member", {"member": "p2"}), ("p2",)),
        (thing("image_member", {}), (Partial(()), Reason.PARTIAL)),
        (thing("rbac_policy", {"action": "access_as_shared", "target_tenant": "p2"}), ("p2",)),
        (thing("rbac_policy", {"action": "access_as_shared", "target_tenant": "*"}), ("*",)),
        (thing("rbac_policy", {"action": "access_as_external", "target_tenant": "*"}), ()),
        (thing("rbac_policy", {"action": "access_as_shared"}), (Partial(()), Reason.PARTIAL)),
        (thing("rbac_policy", {"target_tenant": "p2"}), (Partial(()), Reason.PARTIAL)),
        (thing("share", {"is_public": True}), ("*",)),
        (thing("share", {"is_public": False}), ()),
        (thing("share", {}), (Partial(()), Reason.PARTIAL)),
        (thing("volume_transfer", {}), (Partial(()), Reason.NOT_IMPLEMENTED)),
    ],
)
def test_what_tells_of_sharing_itself(one: Resource, parties: Value) -> None:
    assert foreign(one) == parties


@pytest.mark.parametrize(
    ("read_acl", "write_acl", "parties"),
    [
        (None, None, ()),
        ("acc:*, acc:u1", None, ()),
        ("p2:*,p3:u1", "p2:u2", ("p2", "p3")),
        ("*:u1", None, ("*",)),
        (".r:*,.rlistings,*:*", None, ()),
        ("p2:*,vai-tro", None, (Partial(("p2",)), Reason.AMBIGUOUS)),
    ],
)
def test_access_lists_of_containers(read_acl: Value, write_acl: Value, parties: Value) -> None:
    assert foreign(container(facts={"read_acl": read_acl, "write_acl": write_acl})) == parties


def test_a_hidden_access_list_leaves_it_open() -> None:
    hidden = {"write_acl": Unseen(Reason.NO_PERMISSION)}
    one = container(facts={"read_acl": "p2:*"}, without=["write_acl"], unseen=hidden)
    assert foreign(one) == (Partial(("p2",)), Reason.NO_PERMISSION)


def of_bucket(principals: tuple[str, ...], owner: Value = OWNER, effect: str = "Allow") -> Value:
    facts = {"owner_id": owner, "policy.statements": (statement(effect, principals=principals),)}
    return foreign(bucket(facts=facts))


@pytest.mark.parametrize(
    ("principals", "parties"),
    [
        (("*",), ()),
        ((PARTNER, PARTNER), (PARTNER,)),
        (("arn:aws:iam::don-vi:user/chu",), ()),
        (("arn:aws:iam::don-vi:user/khac",), ("arn:aws:iam::don-vi:user/khac",)),
        (("arn:aws:sts::don-vi:user/chu",), ("arn:aws:sts::don-vi:user/chu",)),
        ((f"arn:aws:iam::{OWNER}:root",), ()),
        ((OWNER, f"CanonicalUser:{OWNER}"), ()),
        (("Service:logging.s3",), ("Service:logging.s3",)),
        (("!arn:aws:iam::don-vi:user/chu",), (Partial(()), Reason.AMBIGUOUS)),
    ],
)
def test_principals_of_policies(principals: tuple[str, ...], parties: Value) -> None:
    assert of_bucket(principals) == parties


def test_a_denial_shares_nothing() -> None:
    assert of_bucket((PARTNER,), effect="Deny") == ()
    assert of_bucket((PARTNER,), effect="?") == (Partial(()), Reason.INVALID_ANSWER)


def test_an_owner_without_a_tenant() -> None:
    assert of_bucket(("arn:aws:iam:::user/chu",), "chu") == ()
    assert of_bucket(("arn:aws:iam:::user/khac",), "chu") == ("arn:aws:iam:::user/khac",)


def test_without_the_owner_nobody_is_known_to_be_another() -> None:
    assert of_bucket((PARTNER,), None) == (Partial(()), Reason.PARTIAL)
    assert of_bucket(("*",), None) == ()


def test_grants_to_others() -> None:
    grants = (
        {"grantee": "AllUsers", "kind": "group", "permission": "READ"},
        {"grantee": OWNER, "kind": "user", "permission": "FULL_CONTROL"},
        {"grantee": "doi-tac$mot", "kind": "user", "permission": "READ"},
    )
    facts: dict[str, Value] = {"owner_id": OWNER, "acl.owner": OWNER, "acl.grants": grants}
    assert foreign(bucket(facts=facts)) == ("doi-tac$mot",)
    assert foreign(bucket(facts={**facts, "acl.grants": ({"kind": "user"},)})) == (
        Partial(()),
        Reason.INVALID_ANSWER,
    )


@pytest.mark.parametrize(("holder", "grantee"), [("ten-khac", "ten-khac"), (None, "")])
def test_a_store_may_call_the_owner_otherwise_in_access_lists(holder: Value, grantee: str) -> None:
    grants = ({"grantee": grantee, "kind": "user", "permission": "FULL_CONTROL"},)
    assert foreign(bucket(facts={"owner_id": OWNER, "acl.owner": holder, "acl.grants": grants})) == ()
    other = ({"grantee": "khac", "kind": "user", "permission": "READ"},)
    facts = {"owner_id": OWNER, "acl.owner": holder, "acl.grants": other}
    assert foreign(bucket(facts=facts)) == ("khac",)
    assert foreign(bucket(facts=facts, without=["acl.owner"])) == (Partial(()), Reason.PARTIAL)


@pytest.mark.parametrize("hidden", ["acl.grants", "policy.statements"])
def test_what_a_store_does_not_tell_leaves_it_open(hidden: str) -> None:
    one = bucket(facts={"owner_id": OWNER}, without=[hidden], unseen={hidden: Unseen(Reason.NOT_IMPLEMENTED)})
    assert foreign(one) == (Partial(()), Reason.NOT_IMPLEMENTED)


def test_parties_are_bounded() -> None:
    names = tuple(f"p{n:04}" for n in range(1001))
    assert foreign(container(facts={"read_acl": ",".join(f"{n}:*" for n in names)})) == (
        Partial(names[:1000]),
        Reason.PARTIAL,
    )
