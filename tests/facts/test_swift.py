"""One store seen through Swift and through its S3 API, where targets.yaml declares that it is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from builders import (
    CLOUD,
    REGION,
    STORE,
    World,
    bucket,
    container,
    derived,
    gap,
    in_project,
    listing,
    project,
    reasons,
    resource,
)

from cloudaudit.facts import Derived
from cloudaudit.model import MISSING, Gap, Reading, Reason, Resource, Scope, Unseen, Value

ID, OTHER_ID = "a" * 32, "b" * 32
EVERYBODY = ".r:*,.rlistings"
READ = ({"grantee": "AllUsers", "kind": "group", "permission": "READ"},)
NOT_THERE = Unseen(Reason.NOT_IMPLEMENTED)
REFUSED = Unseen(Reason.NO_PERMISSION, "403")


def view(
    project: Value = ID, region: Value = None, *, target: Value = CLOUD, kind: Value = "swift"
) -> Resource:
    """The endpoint, with the account that targets.yaml declares."""
    facts = {
        "server_kind": kind, "swift.target": target, "swift.project": project, "swift.region": region,
    }  # fmt: skip
    return resource("s3.endpoint", "https://s3.hn.example.vn", facts, scope=Scope(STORE))


def through_s3(label: str = "ho-so", grants: Value = None, **unseen: Unseen) -> Resource:
    """A bucket as Swift's S3 API tells of it: no policy, no block, and a list only where it opens."""
    why = {"policy": NOT_THERE, "block": NOT_THERE, "acl": NOT_THERE, **unseen}
    facts = [name for name in bucket().facts if name.split(".")[0] in why]
    found = bucket(label, without=facts, unseen=why)
    return found if grants is None else replace(found, facts={**found.facts, "acl.grants": grants})


def through_swift(
    label: str = "ho-so",
    read: str | None = None,
    write: str | None = None,
    *,
    account: str = ID,
    region: str = REGION,
    unseen: Mapping[str, Unseen] | None = None,
) -> Resource:
    facts = {
        name: acl for name, acl in (("read_acl", read), ("write_acl", write)) if name not in (unseen or {})
    }
    scope = in_project(account, region)
    return resource(
        "openstack.container", f"{account}/{label}", facts, scope=scope, name=label, unseen=unseen or {}
    )


def world(*resources: Resource, gaps: Sequence[Gap] = ()) -> World:
    """A cloud with two projects, whose containers were listed."""
    projects = (project("shop", ID), replace(project("kho", OTHER_ID), scope=in_project(OTHER_ID, None)))
    listings = tuple(listing("openstack.container", in_project(id_)) for id_ in (ID, OTHER_ID))
    if gaps:
        listings = tuple(one for one in listings if all(not one.scope.overlaps(g.scope) for g in gaps))
    shop = replace(projects[0], scope=in_project(ID, None))
    return World((shop, projects[1], *resources), gaps, listings)


def openness(one: Resource, *others: Resource, gaps: Sequence[Gap] = ()) -> tuple[Value, Value]:
    """Whether everybody reads and writes, or why that is not known."""
    found = derived("public", world(one, *others, gaps=gaps), one)
    answers = {**reasons(found), **found.facts}
    return answers["public.read"], answers["public.write"]


def test_the_lists_of_swift_tell_of_the_bucket_and_are_its_evidence() -> None:
    one, native = through_s3(), through_swift(read=EVERYBODY)
    assert derived("public", world(one, view(), native), one) == Derived(
        {"public.read": True, "public.write": False, "public.declared_open": False},
        {},
        {
            "public.read": (Reading(native, "read_acl", EVERYBODY),),
            "public.write": (Reading(native, "write_acl", None),),
        },
    )


@pytest.mark.parametrize(
    ("one", "native", "expected"),
    [
        # s3_acl is off: S3 shows every list as private, and the collector believes none.
        (through_s3(), through_swift(), (False, False)),
        (through_s3(), through_swift(read=EVERYBODY), (True, False)),
        (through_s3(), through_swift(write="*:*"), (False, True)),
        (through_s3(), through_swift(read="du-an:*"), (False, False)),
        # s3_acl is on: a list of S3's own, for all users of the account.
        (through_s3(grants=READ), through_swift(), (True, False)),
        (through_s3(grants=READ), through_swift(write="*:*"), (True, True)),
        (through_s3(acl=REFUSED), through_swift(read=EVERYBODY), (True, Reason.NO_PERMISSION)),
        (through_s3(policy=REFUSED), through_swift(), (Reason.NO_PERMISSION, Reason.NO_PERMISSION)),
        # Swift leaves its lists out for all but owners.
        (through_s3(), through_swift(unseen={"read_acl": REFUSED}), (Reason.NO_PERMISSION, False)),
        (through_s3(grants=READ), through_swift(unseen={"read_acl": REFUSED}), (True, False)),
    ],
)
def test_what_either_shows_to_be_open_is_open(
    one: Resource, native: Resource, expected: tuple[Value, Value]
) -> None:
    assert openness(one, view(), native) == expected


def test_evidence_of_what_is_not_known_is_the_list_that_is_missing() -> None:
    one, native = through_s3(), through_swift(unseen={"read_acl": REFUSED})
    found = derived("public", world(one, view(), native), one)
    assert found.unseen == {"public.read": REFUSED}
    assert found.beside["public.read"] == (Reading(native, "read_acl", MISSING, REFUSED),)
    # What S3 alone decides does not stand on what Swift left out.
    opened = through_s3(grants=READ)
    assert "public.read" not in derived("public", world(opened, view(), native), opened).beside


@pytest.mark.parametrize(
    ("declared", "detail"),
    [
        (view(kind="ceph"), "targets.yaml declares the store to be the Swift of 'dam-may', and it answers as ceph"),
        (view(project="khac"), "no list of containers of 'khac' was read in 'dam-may'"),
        (view(target="khac"), "no list of containers of 'a{32}' was read in 'khac'"),
        (view(region="sin"), "no list of containers of 'a{32}' was read in 'dam-may'"),
        (view(project="kho"), "the Swift account that targets.yaml declares has no container 'ho-so', as the bucket"),
        (view(project=None), "'swift.project' is not of its kind"),
        (view(kind=None), "'server_kind' is not of its kind"),
    ],
)  # fmt: skip
def test_a_declaration_that_nothing_bears_out_joins_nothing(declared: Resource, detail: str) -> None:
    one = through_s3()
    found = derived("public", world(one, declared, through_swift()), one)
    assert dict(found.facts) == {"public.declared_open": False}
    assert found.beside == {}
    for unseen in found.unseen.values():
        assert unseen.detail.startswith(detail.replace("a{32}", ID))


def test_a_project_is_named_by_name_or_id() -> None:
    for name in ("shop", ID):
        assert openness(through_s3(), view(name), through_swift()) == (False, False)
    again = replace(project("shop", "c" * 32), scope=in_project("c" * 32, None))
    of_both = listing("openstack.container", in_project("c" * 32))
    one = through_s3()
    both = world(one, view("shop"), through_swift(), again)
    found = derived("public", replace(both, listings=(*both.listings, of_both)), one)
    assert found.unseen["public.read"] == Unseen(
        Reason.AMBIGUOUS, "2 projects of dam-may are called shop; name it by its id"
    )


def test_another_account_s_container_of_the_name_is_another_thing() -> None:
    theirs = through_swift(account=OTHER_ID, read=EVERYBODY)
    assert openness(through_s3(), view(), through_swift(), theirs) == (False, False)


def test_one_bucket_without_a_container_puts_the_declaration_in_doubt() -> None:
    """Names such as sao-luu are everywhere: the others may be another account's."""
    one, strange = through_s3(), through_s3("la")
    found = derived("public", world(one, strange, view(), through_swift()), one)
    assert found.unseen["public.read"] == Unseen(
        Reason.AMBIGUOUS,
        "the Swift account that targets.yaml declares has no container 'la', as the bucket is called: the account "
        "may be another's, or the bucket was made while it was read",
    )
    # The reverse is nothing: S3 leaves out names that it does not allow.
    assert openness(one, view(), through_swift(), through_swift("Tên_khác")) == (False, False)


def test_containers_of_two_regions_are_told_apart_by_the_region() -> None:
    there = through_swift(region="hcm", read=EVERYBODY)
    both = (through_swift(), there)
    found = derived("public", world(through_s3(), view(), *both), through_s3())
    assert found.unseen["public.read"] == Unseen(
        Reason.AMBIGUOUS, "2 containers have the bucket's name (hcm, hn); name the region under 'swift'"
    )
    assert openness(through_s3(), view(region=REGION), *both) == (False, False)


def test_lists_that_were_not_read_to_their_end_hide_what_could_be_meant() -> None:
    one, native = through_s3(), through_swift()
    broken = gap("openstack.container", in_project(ID), Reason.TIMEOUT, detail="read timeout")
    found = derived("public", world(one, native, view(), gaps=[broken]), one)
    assert found.unseen["public.read"] == Unseen(
        Reason.TIMEOUT,
        "the containers of the account were not all listed: read timeout; naming the region under 'swift' leaves "
        "the others out",
    )
    elsewhere = gap("openstack.container", in_project(ID, "hcm"), Reason.SERVICE_ABSENT)
    assert openness(one, native, view(), gaps=[elsewhere]) == (Reason.SERVICE_ABSENT, Reason.SERVICE_ABSENT)
    assert openness(one, native, view(region=REGION), gaps=[elsewhere]) == (False, False)
    in_target = gap("openstack.container", Scope(CLOUD), Reason.UNREACHABLE)
    assert openness(one, view(), gaps=[in_target]) == (Reason.UNREACHABLE, Reason.UNREACHABLE)
    buckets = gap("s3.bucket", Scope(STORE), Reason.THROTTLED)
    assert openness(one, native, view(), gaps=[buckets]) == (Reason.THROTTLED, Reason.THROTTLED)


def test_a_container_whose_place_is_in_doubt_may_be_any() -> None:
    doubt = {"region": Unseen(Reason.AMBIGUOUS, "two sightings of it disagree")}
    native = through_swift(unseen=doubt)
    assert openness(through_s3(), view(region=REGION), native) == (Reason.AMBIGUOUS, Reason.AMBIGUOUS)


def test_a_declared_view_that_cannot_be_joined_is_never_private() -> None:
    """S3 that shows a whole and private list may still be Swift behind a proxy."""
    assert openness(bucket(), view(kind=None), container()) == (Reason.INVALID_ANSWER, Reason.INVALID_ANSWER)
    assert openness(bucket(facts={"acl.grants": READ}), view(kind=None)) == (True, Reason.INVALID_ANSWER)


def test_without_a_declaration_all_is_as_before() -> None:
    undeclared, old = view(target=None), replace(view(), facts={"server_kind": "swift"})
    for endpoint in (undeclared, old):
        one = through_s3()
        found = derived("public", world(one, endpoint, through_swift()), one)
        assert found == Derived(
            {"public.declared_open": False}, {"public.read": NOT_THERE, "public.write": NOT_THERE}
        )
    assert openness(bucket(), view(target=None)) == (False, False)
