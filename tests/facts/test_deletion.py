"""Who may delete backups and what they are of."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from builders import (
    CLOUD,
    PROJECT,
    STORE,
    World,
    backup,
    bucket,
    derived,
    gap,
    grant,
    in_project,
    listing,
    member,
    project,
    reasons,
    statement,
    user,
    volume,
)

from cloudaudit.facts import deletion
from cloudaudit.model import Gap, Partial, Reason, Resource, Scope, Unseen, Value

OF_BACKUPS, HOLDERS = "deletion.of_backups", "deletion.holders"
HERE, VAULT = in_project(PROJECT), in_project("kho-sao-luu")


def told(world: World, one: Resource) -> tuple[Value, Value]:
    """Whether it is about backups and who may delete, or why that is not known."""
    found = derived("deletion", world, one)
    of_backups, holders = (found.facts.get(fact, reasons(found).get(fact)) for fact in (OF_BACKUPS, HOLDERS))
    return of_backups, holders


# --- users ---------------------------------------------------------------------------------------------

PROJECTS = (project(PROJECT, "p-1"), project("kho-sao-luu", "p-2"))


def estate(*grants: Resource, kept_in: Scope = VAULT) -> list[Resource]:
    return [*PROJECTS, volume(), backup(scope=kept_in), *grants]


def everybodys(*grants: Resource, kept_in: Scope = VAULT) -> World:
    """A cloud whose volumes and backups were listed over all projects at once."""
    lists = [listing(type_, in_project(None)) for type_ in ("openstack.volume", "openstack.backup")]
    lists += [
        listing(type_, Scope(CLOUD)) for type_ in ("openstack.role_assignment", "openstack.group_member")
    ]
    return World(estate(*grants, kept_in=kept_in), (), lists)


def on(project_id: str, role: str = "member") -> Resource:
    return grant(role, user="u-1", scope_id=project_id)


NOBODY, ONLY_BACKUPS, BOTH = (False, ()), (True, ()), (True, ("u-1",))


@pytest.mark.parametrize(
    ("grants", "answer"),
    [
        ((), NOBODY),
        ((on("p-1"),), NOBODY),
        ((on("p-2"),), ONLY_BACKUPS),
        ((on("p-1"), on("p-2")), BOTH),
        ((on("p-1", "manager"), on("p-2", "Member")), BOTH),
        ((on("p-1"), on("p-2", "reader")), (Reason.PARTIAL, Reason.PARTIAL)),
        ((on("x", "reader"),), NOBODY),
        ((on("x", "admin"),), BOTH),
        ((grant("admin", user="u-1", on="system"),), BOTH),
        ((grant("member", user="u-1", on="system"),), NOBODY),
        ((grant("member", user="u-1", on="domain", scope_id="default", inherited=True),), BOTH),
        ((grant("member", user="u-1", on="domain", scope_id="default"),), NOBODY),
        ((grant("member", user="u-1", on="domain", scope_id="khac", inherited=True),), NOBODY),
        ((grant("member", group="g-1", scope_id="p-1"), member("g-1", "u-1"), on("p-2")), BOTH),
        ((grant("member", group="g-1", scope_id="p-1"), member("g-1", "u-2"), on("p-2")), ONLY_BACKUPS),
        ((on("p-1"), on("p-2", "tro-ly")), (Reason.PARTIAL, Reason.PARTIAL)),
        ((on("p-2"), on("p-1", "tro-ly")), (True, Reason.PARTIAL)),
        ((on("x", "tro-ly"),), NOBODY),
        ((on("x", "0123456789abcdef0123456789abcdef"),), (Reason.PARTIAL, Reason.PARTIAL)),
        ((on("p-2"), grant("member", user="u-1", scope_id="p-0", inherited=True)), (True, Reason.PARTIAL)),
    ],
)
def test_users_who_may_delete(grants: tuple[Resource, ...], answer: tuple[Value, Value]) -> None:
    assert told(everybodys(*grants), user()) == answer


def test_a_role_handed_down_does_not_hold_in_the_project_itself() -> None:
    down = grant("member", user="u-1", scope_id="p-1", inherited=True)
    assert told(everybodys(down, kept_in=HERE), user()) == NOBODY


def test_backups_kept_beside_their_volume_go_with_it() -> None:
    assert told(everybodys(on("p-1"), kept_in=HERE), user()) == BOTH


def test_one_usable_copy_out_of_reach_is_enough() -> None:
    world = everybodys(on("p-1"))
    beside, failed = backup("b-2"), backup("b-1", {"status": "error"}, scope=VAULT)
    both_kept = World([*world.resources, beside], (), world.listings)
    assert told(both_kept, user()) == ONLY_BACKUPS
    only_beside = World([*PROJECTS, volume(), failed, beside, on("p-1")], (), world.listings)
    assert told(only_beside, user()) == BOTH


def test_a_cloud_of_many_projects_is_weighed_once_for_all_that_are_alike() -> None:
    """Users times projects would take hours: whoever has no grant on a project is to it like all the others."""
    labels = [f"du-an-{number}" for number in range(50)]
    projects = [project(label) for label in labels]
    copies = [
        thing
        for label in labels
        for thing in (
            volume(label, scope=in_project(label)),
            backup(f"b-{label}", of=label, scope=in_project(label)),
        )
    ]
    world = World([*projects, *copies, grant(user="u-1", scope_id="du-an-49-id"), user(), user("u-2")])
    assert told(world, user()) == (True, ("u-1",))
    assert told(world, user("u-2")) == (False, ())
    pairs = deletion._Copies(world, deletion._Projects(world)).of(CLOUD, {"du-an-49-id"}, set())
    assert [volume.project for volume, _, _ in pairs] == ["du-an-49", "du-an-0"]


def test_volumes_without_backups_concern_nobody() -> None:
    world = everybodys()
    assert told(World([*PROJECTS, volume(), on("p-1", "admin")], (), world.listings), user()) == NOBODY


def test_whoever_is_switched_off_deletes_nothing() -> None:
    world = everybodys(on("p-1"), kept_in=HERE)
    off = Resource("openstack.user", "u-1", Scope(CLOUD), 0, {"enabled": False})
    assert told(world, off) == NOBODY
    unknown = user(without=["enabled"], unseen={"enabled": Unseen(Reason.NO_PERMISSION)})
    assert told(world, unknown) == (Reason.NO_PERMISSION, Reason.NO_PERMISSION)


@pytest.mark.parametrize(
    ("hidden", "kept_in", "answer"),
    [
        (gap("openstack.backup"), VAULT, (Reason.NO_PERMISSION, Reason.NO_PERMISSION)),
        (gap("openstack.backup"), HERE, (True, Reason.NO_PERMISSION)),
        (gap("openstack.volume"), VAULT, (Reason.NO_PERMISSION, Reason.NO_PERMISSION)),
        (gap("openstack.volume"), HERE, BOTH),
        (gap("openstack.role_assignment"), HERE, BOTH),
        (gap("openstack.role_assignment"), VAULT, (Reason.NO_PERMISSION, Reason.NO_PERMISSION)),
        (gap("openstack.project"), HERE, BOTH),
    ],
)
def test_what_may_be_hidden_leaves_it_open(hidden: Gap, kept_in: Scope, answer: tuple[Value, Value]) -> None:
    whole = everybodys(on("p-1"), kept_in=kept_in)
    listings = [entry for entry in whole.listings if entry.type != hidden.type]
    assert told(World(whole.resources, [hidden], listings), user()) == answer


def test_a_project_that_was_not_listed_may_be_any() -> None:
    world = everybodys(on("p-1"), kept_in=HERE)
    without = [one for one in world.resources if one.type != "openstack.project"]
    assert told(World(without, (), world.listings), user()) == (Reason.PARTIAL, Reason.PARTIAL)


@pytest.mark.parametrize("fact", ["scope", "scope_id", "inherited", "role"])
def test_a_grant_that_cannot_be_read_may_hold_anywhere(fact: str) -> None:
    world = everybodys(grant("member", user="u-1", scope_id="p-1", without=[fact]), kept_in=HERE)
    assert told(world, user()) == (Reason.PARTIAL, Reason.PARTIAL)


def test_a_backup_whose_state_is_not_known_may_be_out_of_reach() -> None:
    world = everybodys(on("p-1"), kept_in=HERE)
    unclear = backup("b-2", without=["status"], scope=VAULT)
    assert told(World([*world.resources, unclear], (), world.listings), user()) == (True, Reason.PARTIAL)


# --- buckets -------------------------------------------------------------------------------------------


def vault(facts: Mapping[str, Value] | None = None, **more: Value) -> Resource:
    return bucket("kho", {"labels": {"role": "backup"}, **(facts or {})}, **more)


def holders(one: Resource, *others: Resource, gaps: tuple[Gap, ...] = ()) -> Value:
    of_backups, found = told(World([one, *others], gaps), one)
    assert of_backups is True
    return found


APP = "arn:aws:iam:::user/ung-dung"


def allow(*actions: str, who: str = APP, **more: Value) -> Mapping[str, Value]:
    fields: dict[str, Value] = {
        "principals": (who,),
        "actions": actions,
        "resources": ("arn:aws:s3:::kho/*",),
    }
    return statement(**{**fields, **more})


def deny(*actions: str, **more: Value) -> Mapping[str, Value]:
    return allow(
        *actions,
        **{"who": "*", "effect": "Deny", "resources": ("arn:aws:s3:::kho", "arn:aws:s3:::kho/*"), **more},
    )


def ruled(*statements: Value, versioning: str = "enabled") -> Resource:
    return vault({"policy.statements": statements, "versioning.state": versioning})


def test_a_bucket_is_one_of_backups_by_its_label() -> None:
    assert told(World(), bucket()) == (False, ())
    assert told(World(), bucket(facts={"labels": {"role": "web"}})) == (False, ())
    assert told(World(), vault()) == (True, ())
    cannot = bucket(without=["labels"], unseen={"labels": Unseen(Reason.NOT_IMPLEMENTED)})
    assert told(World(), cannot) == (False, ())
    refused = bucket(without=["labels"], unseen={"labels": Unseen(Reason.NO_PERMISSION)})
    assert told(World(), refused) == (Reason.NO_PERMISSION, Reason.NO_PERMISSION)


def test_an_account_that_owns_other_buckets_holds_both() -> None:
    assert holders(vault(), bucket()) == ("chu-kho",)
    assert holders(vault(), bucket(facts={"labels": {"role": "backup"}})) == ()
    assert holders(vault(), bucket(facts={"owner_id": "khac"})) == ()
    assert holders(vault(), bucket(scope=Scope("kho-khac"))) == ()


def test_what_an_account_owns_besides_may_not_be_known() -> None:
    unlabelled = bucket(without=["labels"])
    assert holders(vault(), unlabelled) == Partial(())
    assert holders(vault(), unlabelled, bucket("khac")) == ("chu-kho",)
    assert holders(vault(), bucket(without=["owner_id"])) == Partial(())
    assert holders(vault(), bucket(facts={"owner_id": None})) == Partial(())
    assert holders(vault(without=["owner_id"])) == Partial(())
    assert holders(vault(), gaps=(gap("s3.bucket", Scope(STORE)),)) == Partial(())


@pytest.mark.parametrize(
    ("actions", "found"),
    [
        (("s3:DeleteObjectVersion",), (APP,)),
        (("s3:PutLifecycleConfiguration",), (APP,)),
        (("s3:BypassGovernanceRetention",), (APP,)),
        (("s3:PutBucketVersioning",), (APP,)),
        (("s3:PutBucketPolicy",), (APP,)),
        (("s3:putbucket*",), (APP,)),
        (("*",), (APP,)),
        (("s3:DeleteObject",), ()),
        (("s3:PutObject", "s3:GetObject"), ()),
    ],
)
def test_whom_a_policy_lets_delete(actions: tuple[str, ...], found: Value) -> None:
    assert holders(ruled(allow(*actions))) == found


def test_deleting_objects_is_for_good_where_no_versions_are_kept() -> None:
    plain = allow("s3:DeleteObject")
    assert holders(ruled(plain, versioning="off")) == (APP,)
    assert holders(ruled(plain, versioning="suspended")) == (APP,)
    unknown = vault({"policy.statements": (plain,)}, without=["versioning.state"])
    assert holders(unknown) == Partial(())


def test_what_is_denied_to_everybody_nobody_may() -> None:
    open_ = allow("s3:DeleteObjectVersion", "s3:PutBucketVersioning")
    assert holders(ruled(open_, deny("s3:*"))) == ()
    assert holders(ruled(open_, deny("s3:DeleteObjectVersion"))) == (APP,)
    part = deny("s3:DeleteObjectVersion", resources=("arn:aws:s3:::kho/a/*",))
    assert holders(ruled(allow("s3:DeleteObjectVersion"), part)) == Partial(())


@pytest.mark.parametrize(
    "more",
    [
        (allow("s3:DeleteObjectVersion", conditions=("IpAddress:aws:SourceIp",)),),
        (allow("s3:DeleteObjectVersion", principals=(f"!{APP}",)),),
        (allow("!s3:GetObject"),),
        (allow("s3:DeleteObjectVersion"), deny("s3:*", who="khac")),
        (allow("s3:DeleteObjectVersion"), deny("s3:*", conditions=("Bool:aws:MultiFactorAuthPresent",))),
        (allow("s3:DeleteObjectVersion", effect="?"),),
        ("odd",),
    ],
)
def test_what_hangs_on_conditions_exceptions_or_denials_is_not_known(more: tuple[Value, ...]) -> None:
    assert holders(ruled(*more)) == Partial(())


def test_a_denial_of_plain_connections_takes_nothing_away() -> None:
    tls = deny("s3:*", conditions=("Bool:aws:SecureTransport",))
    assert holders(ruled(allow("s3:DeleteObjectVersion"), tls)) == (APP,)


def granted(*grants: tuple[str, str], **more: Value) -> Resource:
    return vault(
        {"acl.grants": tuple({"grantee": who, "permission": right} for who, right in grants)}, **more
    )


def test_whom_the_access_list_lets_write() -> None:
    assert holders(
        granted(("chu-kho", "FULL_CONTROL"), ("a", "WRITE"), ("b", "READ"), ("c", "WRITE_ACP"))
    ) == ("a", "c")
    assert holders(granted(("", "WRITE"))) == Partial(())
    nameless = granted(("chu-kho", "FULL_CONTROL"), ("AllUsers", "WRITE"), without=["owner_id"])
    assert holders(nameless) == Partial(("AllUsers",))


@pytest.mark.parametrize("fact", ["acl.grants", "policy.statements"])
@pytest.mark.parametrize(
    ("reason", "found"), [(Reason.NOT_IMPLEMENTED, ()), (Reason.NO_PERMISSION, Partial(()))]
)
def test_a_store_without_policies_or_lists_opens_nothing_by_them(
    fact: str, reason: Reason, found: Value
) -> None:
    assert holders(vault(without=[fact], unseen={fact.split(".", 1)[0]: Unseen(reason)})) == found
