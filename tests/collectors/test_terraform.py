"""Plans and states of Terraform and OpenTofu: what is read, what it is linked to, and what is never read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudaudit.collectors.deployment import MAX_BYTES, DeploymentCollector, terraform
from cloudaudit.collectors.deployment.block import LATER, WITHHELD, Block, Code, CodeTarget, Link, untold
from cloudaudit.collectors.transport import CallLog
from cloudaudit.errors import TargetError, Where
from cloudaudit.model import Gap, Listing, Partial, Reason, Resource, Scope, Written

CANARY = "CANARY-mat-khau-1"
GROUP = "openstack_networking_secgroup_v2"
RULE = "openstack_networking_secgroup_rule_v2"
PORT = "openstack_networking_port_v2"
VOLUME = "openstack_blockstorage_volume_v3"
PLACE = {"provider": "openstack"}


def ref(*names: str) -> dict[str, Any]:
    """An expression as a plan tells it: each reference with those to what holds it."""
    told: list[str] = []
    for name in names:
        told.append(name)
        while name.count(".") > 1 or name.endswith("]"):
            name = name[: name.rindex("[")] if name.endswith("]") else name.rpartition(".")[0]
            told.append(name)
    return {"references": told}


def const(value: Any) -> dict[str, Any]:
    return {"constant_value": value}


class Plan:
    """A plan in the making."""

    def __init__(self, **top: Any) -> None:
        self.document: dict[str, Any] = {
            "format_version": "1.2",
            "terraform_version": "1.11.4",
            "planned_values": {"root_module": {}},
            "resource_changes": [],
            "configuration": {
                "provider_config": {"openstack": {"name": "openstack"}},
                "root_module": {"resources": []},
            },
            **top,
        }

    def add(
        self,
        address: str,
        values: dict[str, Any],
        unknown: Any = (),
        expressions: dict[str, Any] | None = None,
        *,
        actions: tuple[str, ...] = ("create",),
        sensitive: Any = None,
        key: str = "openstack",
        configured: bool = True,
        mode: str = "managed",
    ) -> Plan:
        """Plan a resource. `unknown`: names, or marks at any depth."""
        module, type_, name, index = steps(address)
        open_ = unknown if isinstance(unknown, dict) else dict.fromkeys(unknown, True)
        row = {"address": address, "mode": mode, "type": type_, "name": name, "values": values}
        row |= {"module_address": module[-1][0]} if module else {}
        if index is not None:
            row["index"] = index
        planned = self.document["planned_values"]["root_module"]
        for depth in range(1, len(module) + 1):
            wanted = ".".join(one for one, _ in module[:depth])
            children = planned.setdefault("child_modules", [])
            if wanted not in [child["address"] for child in children]:
                children.append({"address": wanted})
            planned = next(child for child in children if child["address"] == wanted)
        planned.setdefault("resources", []).append(row)
        change = {"actions": list(actions), "after_unknown": open_, "after_sensitive": sensitive or {}}
        self.document["resource_changes"].append({**row, "change": change})
        inner = self.document["configuration"]["root_module"]
        for _, called in module:
            inner = inner["module_calls"][called]["module"]
        known = [(one["type"], one["name"]) for one in inner.setdefault("resources", [])]
        if configured and (type_, name) not in known:
            inner["resources"].append(
                {
                    "mode": mode, "type": type_, "name": name, "provider_config_key": key,
                    "expressions": expressions or {},
                }
            )  # fmt: skip
        return self

    def call(self, name: str, source: str = "./net", within: str = "", **more: Any) -> Plan:
        """Call a module. `more`: `expressions`, `count_expression`, `outputs` and the like."""
        inner = self.document["configuration"]["root_module"]
        for called in within.split("."):
            inner = inner["module_calls"][called]["module"] if called else inner
        outputs = {key: {"expression": one} for key, one in more.pop("outputs", {}).items()}
        inner.setdefault("module_calls", {})[name] = {
            "source": source,
            "module": {"outputs": outputs},
            **more,
        }
        return self

    def provider(self, key: str, expressions: dict[str, Any], **more: Any) -> Plan:
        name, _, alias = key.partition(".")
        told = {"name": name, "expressions": expressions, **({"alias": alias} if alias else {}), **more}
        self.document["configuration"]["provider_config"][key] = told
        return self

    def read(self, source: Path | None = None, shown: str = ".") -> dict[str, Block]:
        return {block.address: block for block in read(self.document, source=source, shown=shown).blocks}


def steps(address: str) -> tuple[list[tuple[str, str]], str, str, int | str | None]:
    """The modules (address and name of the call), type, name and index of a plain address."""
    index: int | str | None = None
    if address.endswith("]"):
        address, _, inner = address[:-1].rpartition("[")
        index = json.loads(inner)
    parts = address.split(".")
    module = []
    while parts[0] == "module":
        module.append((f"module.{parts[1]}", parts[1].partition("[")[0]))
        parts = parts[2:]
    type_, name = parts[-2:]
    return module, type_, name, index


def target(form: str = "plan", source: Path | None = None, shown: str = ".") -> CodeTarget:
    where = Where("targets.yaml", 7, 15)
    return CodeTarget("tf", form, Path("p.json"), "p.json", source=source, source_shown=shown, where=where)


def read(document: object, form: str = "plan", *, source: Path | None = None, shown: str = ".") -> Code:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return terraform.read(target(form, source, shown), content)


def files(folder: Path, **contents: str) -> Path:
    """Configuration files; `__` in a name stands for a slash, and they end in `.tf` if they have no suffix."""
    for name, text in contents.items():
        path = folder / name.replace("__", "/")
        path = path if path.suffix else path.with_suffix(".tf")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def two_groups(plan: Plan) -> Plan:
    return plan.add(f"{GROUP}.a", {"name": "a"}, ["id"]).add(f"{GROUP}.b", {"name": "b"}, ["id"])


# Values


def test_what_is_not_known_and_what_is_secret_is_marked_where_it_stands() -> None:
    plan = Plan(timestamp="2026-11-22T17:00:00Z", applyable=True, complete=True, errored=False)
    plan.add(
        f"{VOLUME}.db",
        {"size": 10, "metadata": {"a": "b", "pass": CANARY}, "scheduler_hints": [{"query": None, "x": "y"}], "tags": None},
        {"id": True, "region": True, "scheduler_hints": [{"query": True}], "metadata": {}},
        {"size": const(10), "metadata": ref("var.m"), "scheduler_hints": [{"query": ref("data.a.b.c")}]},
        sensitive={"metadata": {"pass": True}, "scheduler_hints": [{}], "attachment": [True], "secret": True},
    )  # fmt: skip
    assert read(plan.document) == Code(
        "terraform plan",
        "p.json",
        read(plan.document).digest,
        (
            Block(
                f"{VOLUME}.db",
                VOLUME,
                "db",
                {
                    "size": 10,
                    "metadata": {"a": "b", "pass": WITHHELD},
                    "scheduler_hints": [{"query": LATER, "x": "y"}],
                    "tags": None,
                    "id": LATER,
                    "region": LATER,
                    "attachment": WITHHELD,
                    "secret": WITHHELD,
                },
                Written("p.json"),
                frozenset({"tags", "id", "region"}),
                place=PLACE,
            ),
        ),
        (),
        {
            "format_version": "1.2",
            "terraform_version": "1.11.4",
            "timestamp": "2026-11-22T17:00:00Z",
            "applyable": "true",
            "complete": "true",
            "errored": "false",
        },
    )


@pytest.mark.parametrize(
    ("sensitive", "values"),
    [
        (True, {"tags": WITHHELD, "tags_all": WITHHELD, "name": WITHHELD}),
        ({"tags": True}, {"tags": WITHHELD, "tags_all": {"k": WITHHELD}, "name": "x"}),
        ({"tags": {"k": True}}, {"tags": {"k": WITHHELD}, "tags_all": {"k": WITHHELD}, "name": "x"}),
        # Marks that do not fit the value may be of any of it.
        ({"tags": [True]}, {"tags": WITHHELD, "tags_all": {"k": WITHHELD}, "name": "x"}),
        ({"tags": "true"}, {"tags": WITHHELD, "tags_all": {"k": WITHHELD}, "name": "x"}),
        (
            {"tags": {"k": False}, "tags_all": {}},
            {"tags": {"k": CANARY}, "tags_all": {"k": CANARY}, "name": "x"},
        ),
    ],
)
@pytest.mark.parametrize("told_with", ["change", "planned"])
def test_a_secret_is_withheld_with_its_copies(
    told_with: str, sensitive: Any, values: Mapping[str, Any]
) -> None:
    plan = Plan().add("aws_s3_bucket.x", {"tags": {"k": CANARY}, "tags_all": {"k": CANARY}, "name": "x"})
    if told_with == "change":
        plan.document["resource_changes"][0]["change"]["after_sensitive"] = sensitive
    else:
        plan.document["planned_values"]["root_module"]["resources"][0]["sensitive_values"] = sensitive
    assert plan.read()["aws_s3_bucket.x"].values == values


@pytest.mark.parametrize(
    ("actions", "new"),
    [
        (("create",), True),
        (("delete", "create"), True),
        (("create", "delete"), True),
        (("update",), False),
        (("no-op",), False),
    ],
)
def test_what_is_made_anew_has_no_id_yet(actions: tuple[str, ...], new: bool) -> None:
    values: dict[str, Any] = {"size": 1, "volume_type": None} | ({} if new else {"id": "v-1"})
    plan = Plan().add(f"{VOLUME}.db", values, ["id"] if new else [], actions=actions)
    block = plan.read()[f"{VOLUME}.db"]
    left = frozenset({"id", "volume_type"}) if new else frozenset()
    assert (block.new, block.id, block.left_out) == (new, None if new else "v-1", left)


def test_data_and_what_is_deleted_forgotten_or_deposed_are_no_blocks() -> None:
    plan = Plan().add(f"{VOLUME}.db", {"id": "v-1"}, actions=("no-op",))
    plan.add(f"data.{GROUP}.x", {"id": "g-1"}, mode="data", actions=("read",), configured=False)
    plan.add(f"{VOLUME}.forgotten", {}, actions=("forget",), configured=False)
    for more in ({"address": f"{VOLUME}.old"}, {"address": f"{VOLUME}.db", "deposed": "1234abcd"}):
        row = {"type": VOLUME, "name": "old", "change": {"actions": ["delete"], "after_unknown": {}}, **more}
        plan.document["resource_changes"].append(row)
    assert list(plan.read()) == [f"{VOLUME}.db"]
    assert read(plan.document).gone == {VOLUME}


@pytest.mark.parametrize(
    ("top", "unread", "made"),
    [
        ({"errored": True}, ("the plan ended in an error: it is not whole",), {"errored": "true"}),
        (
            {"complete": False},
            ("the plan is not complete: another run is to follow it",),
            {"complete": "false"},
        ),
        (
            {"complete": False, "deferred_changes": [{"reason": "x"}, {"reason": "y"}]},
            ("the plan puts off 2 changes until another run",),
            {"complete": "false"},
        ),
        ({"resource_drift": [{}, {}]}, (), {"drifted": "2"}),
        (
            {
                "checks": [
                    {"status": "pass"},
                    {"status": "unknown"},
                    {"status": "pass"},
                    {"status": "\x1b[31m"},
                ]
            },
            (),
            {"checks": "2 pass, 1 unknown"},
        ),
        ({"timestamp": "\x1b]0;x\x07"}, (), {}),
    ],
)
def test_a_plan_tells_whether_it_is_whole(top: Any, unread: tuple[str, ...], made: Mapping[str, str]) -> None:
    code = read(Plan(**top).document)
    assert (code.unread, code.made) == (
        unread, {"format_version": "1.2", "terraform_version": "1.11.4", **made}
    )  # fmt: skip


def test_a_plan_of_a_part_is_told_by_what_it_leaves_out() -> None:
    """Older versions of Terraform do not say of a plan that it has targets; `-refresh-only` nobody says."""
    plan = modules().add(f"{VOLUME}.db", {"size": 1}).add(f"{VOLUME}.many[0]", {"size": 1})
    assert read(plan.document).unread == ()
    planned = plan.document["planned_values"]["root_module"]
    plan.document["prior_state"] = {"values": {"root_module": json.loads(json.dumps(planned))}}
    assert read(plan.document).unread == ()
    planned["resources"] = []
    children, planned["child_modules"] = planned["child_modules"], []
    left = "the plan does not tell what becomes of 5 resources that are there"
    # What is in the module with `count`, and may be there no times, is not missed.
    assert read(plan.document).unread == (left, "the plan leaves out 3 resources of its configuration")
    planned["child_modules"] = children
    plan.document["resource_changes"][-1]["change"]["actions"] = ["delete"]
    plan.document["resource_changes"][-2]["change"]["actions"] = ["forget"]
    assert read(plan.document).unread == ()


def test_an_incomplete_plan_has_a_gap_in_place_of_each_list() -> None:
    whole, part = Plan().add(f"{VOLUME}.db", {"size": 1}), Plan(errored=True).add(f"{VOLUME}.db", {"size": 1})
    assert [type(one) for one in collected(whole.document)] == [Resource, Listing]
    found = collected(part.document)
    assert isinstance(found[1], Gap)
    assert (found[1].reason, found[1].detail) == (
        Reason.NOT_DESCRIBED,
        "the plan ended in an error: it is not whole",
    )


def test_a_planned_resource_whose_change_is_not_told_is_known_in_part() -> None:
    plan = Plan().add(f"{VOLUME}.db", {"size": 10, "volume_type": None})
    plan.document["resource_changes"] = []
    code = read(plan.document)
    assert code.blocks[0].values == {"size": 10, "volume_type": LATER}
    assert (code.blocks[0].new, code.blocks[0].left_out) == (False, frozenset())
    assert code.unread == ("a resource is planned of which the plan does not tell what is known of it",)
    plan.document["prior_state"] = {"values": plan.document["planned_values"]}
    code = read(plan.document)
    assert (code.blocks[0].values, code.unread) == ({"size": 10, "volume_type": None}, ())


def test_a_plan_of_which_nothing_is_known() -> None:
    plan = Plan().add(f"{VOLUME}.db", {}, ["size", "name", "id"], {"size": {}, "name": {}})
    plan.document["configuration"] = {}
    assert plan.read()[f"{VOLUME}.db"].values == {"size": LATER, "name": LATER, "id": LATER}
    assert plan.read()[f"{VOLUME}.db"].left_out == frozenset()


def test_an_empty_plan() -> None:
    document = {"format_version": "1.2", "planned_values": {"root_module": {}}, "configuration": {}}
    assert read(document).blocks == ()


DELETE = ["delete"]


@pytest.mark.parametrize(
    ("complete", "other", "unread"),
    [
        (True, None, ()),
        # Before 1.8, and with OpenTofu, it may be of a part; so says one that is of a part.
        (None, None, ("the plan leaves out 1 resources of its configuration",)),
        (False, None, ("the plan is not complete: another run is to follow it",
                       "the plan leaves out 1 resources of its configuration")),
        # What is forgotten stays in the cloud, and what is created has to be judged.
        (True, ["forget"], ("the plan leaves out 1 resources of its configuration",)),
        (True, ["create"], ("the plan leaves out 1 resources of its configuration",)),
    ],
)  # fmt: skip
def test_a_plan_that_deletes_everything_leaves_nothing_to_judge(
    complete: bool | None, other: list[str] | None, unread: tuple[str, ...]
) -> None:
    plan = Plan().add(f"{VOLUME}.db", {}, actions=DELETE).add(f"{VOLUME}.log", {}, actions=other or DELETE)
    rows = plan.document["planned_values"]["root_module"]["resources"]
    rows[:] = [row for row in rows if other == ["create"] and row["name"] == "log"]
    plan.document["prior_state"] = {"values": {"root_module": {"resources": [
        {"address": f"{VOLUME}.{name}", "mode": "managed", "type": VOLUME, "name": name, "values": {}} for name in ("db", "log")
    ]}}}  # fmt: skip
    plan.document["configuration"]["root_module"]["resources"].append(
        {"address": f"{VOLUME}.later", "mode": "managed", "type": VOLUME, "name": "later", "expressions": {}}
    )
    if complete is not None:
        plan.document["complete"] = complete
    code = read(plan.document)
    assert (len(code.blocks), code.unread) == (1 if other == ["create"] else 0, unread)
    assert code.made.get("deleted") == (None if unread else "2")
    if not unread:
        gaps, doubts = doubted(plan, PORT_TYPE, "openstack.volume")
        assert (gaps, doubts) == (
            {}, ["the terraform plan deletes all 2 resources: there is nothing to judge of it"],
        )  # fmt: skip


# Types that are not read


def doubted(plan: Plan, *types: str, ignored: tuple[str, ...] = ()) -> tuple[dict[str, str], list[str]]:
    """Of these types of ours, why each list is a gap, if it is; and what is warned of."""
    with NamedTemporaryFile(suffix=".json") as file:
        file.write(json.dumps(plan.document).encode())
        file.flush()
        target = CodeTarget("tf", "plan", Path(file.name), "p.json", ignored=ignored)
        made = DeploymentCollector(target, frozenset(types), now=lambda: 1)
    found = list(made.collect(Scope("tf"), frozenset(), CallLog()))
    gaps = {one.type: one.detail for one in found if isinstance(one, Gap)}
    assert all(one.reason is Reason.NOT_DESCRIBED for one in found if isinstance(one, Gap))
    return gaps, [what for what, _ in made.doubts()]


PORT_TYPE, BUCKET_TYPE, FLOATING = "openstack.port", "s3.bucket", "openstack.floating_ip"


@pytest.mark.parametrize(
    ("type_", "hidden"),
    [
        ("google_storage_bucket", {PORT_TYPE, BUCKET_TYPE, FLOATING}),
        ("aws_security_group", {PORT_TYPE, BUCKET_TYPE, FLOATING}),
        ("minio_s3_bucket", {BUCKET_TYPE}),
        ("aws_s3_object", {BUCKET_TYPE}),
        ("openstack_containerinfra_cluster_v1", {PORT_TYPE, FLOATING}),
        ("openstack_db_instance_v1", {PORT_TYPE, FLOATING}),
        ("openstack_orchestration_stack_v1", {PORT_TYPE, FLOATING}),
        ("openstack_compute_floatingip_v2", {FLOATING}),
        ("openstack_something_new_v9", {PORT_TYPE, FLOATING}),
    ],
)
def test_what_is_not_read_leaves_the_lists_open_that_it_may_add_to(type_: str, hidden: set[str]) -> None:
    plan = Plan().add(f"{VOLUME}.db", {"size": 1}).add(f"{type_}.x", {"name": "x"})
    gaps, doubts = doubted(plan, PORT_TYPE, BUCKET_TYPE, FLOATING)
    assert gaps == dict.fromkeys(hidden, f"these types of resources are not read: {type_} (1)")
    assert doubts == [f"these types of resources are not read, and what they may add is unknown: {type_} (1)"]
    assert doubted(plan, PORT_TYPE, BUCKET_TYPE, ignored=(f"{type_[:5]}*",)) == ({}, [])


@pytest.mark.parametrize(
    "type_",
    [
        "random_password", "null_resource", "tls_private_key", "terraform_data", "openstack_networking_quota_v2",
        "openstack_dns_recordset_v2", "openstack_networking_router_interface_v2", "openstack_lb_member_v2",
        "openstack_compute_volume_attach_v2", "openstack_networking_qos_dscp_marking_rule_v2",
    ],
)  # fmt: skip
def test_what_makes_nothing_that_is_judged_is_in_nobodys_way(type_: str) -> None:
    plan = Plan().add(f"{VOLUME}.db", {"size": 1}).add(f"{type_}.x", {"name": "x"})
    assert doubted(plan, PORT_TYPE, BUCKET_TYPE) == ({}, [])


def test_a_plan_that_declares_nothing_is_warned_of() -> None:
    assert doubted(Plan().add("random_password.x", {}), PORT_TYPE)[1] == doubted(Plan(), PORT_TYPE)[1]
    plan = Plan()
    assert doubted(plan, PORT_TYPE) == ({}, ["the terraform plan declares nothing that is judged"])


# Links


def linked(expression: Any, attribute: str = "security_group_id", plan: Plan | None = None) -> Any:
    """What an attribute becomes that is not known and has this expression, without any files."""
    plan = two_groups(plan or Plan()).add(f"{RULE}.x", {}, [attribute], {attribute: expression})
    return plan.read()[f"{RULE}.x"].values[attribute]


@pytest.mark.parametrize(
    ("expression", "attribute", "value"),
    [
        (ref(f"{GROUP}.a.id"), "security_group_id", Link(f"{GROUP}.a")),
        (ref("var.x", f"{GROUP}.a.id"), "security_group_id", Link(f"{GROUP}.a")),
        (ref(f"{GROUP}.a.id", f"{GROUP}.b.id"), "security_group_id", LATER),
        # It may be `"${….id}-web"`: in a name nobody would notice.
        (ref(f"{GROUP}.a.id"), "name", LATER),
        (ref(f"{GROUP}.a.tenant_id"), "project_id", LATER),
        # Known already, so that it is not what makes the attribute unknown.
        (ref(f"{GROUP}.a.name"), "security_group_id", LATER),
        (ref(f"{GROUP}.c.id"), "security_group_id", LATER),
        (ref(f"{GROUP}.a[0].id"), "security_group_id", LATER),
        (ref(f"{GROUP}.a"), "security_group_id", LATER),
        (ref("local.x"), "security_group_id", LATER),
        (ref("each.value.id"), "security_group_id", LATER),
        (ref("data.x.y.id"), "security_group_id", LATER),
        # `setunion([….a.id], var.x)`: a list of which some is known, and which as a whole is not.
        (ref(f"{GROUP}.a.id", "var.x"), "security_group_ids", LATER),
        ({}, "security_group_id", LATER),
        ({"references": [7, None]}, "security_group_id", LATER),
        ({"references": ["a..b[", "\x1b"]}, "security_group_id", LATER),
        ([], "security_group_id", LATER),
    ],
)  # fmt: skip
def test_a_reference_of_an_id_alone_is_believed_without_files(
    expression: Any, attribute: str, value: Any
) -> None:
    assert linked(expression, attribute) == value


def test_an_id_that_is_cut_out_of_anothers_is_not_believed() -> None:
    attach = "openstack_compute_volume_attach_v2.x"
    plan = Plan().add(attach, {}, ["id"])
    assert linked(ref(f"{attach}.id"), "volume_id", plan) is LATER


def test_instances_are_told_apart_by_their_keys() -> None:
    plan = Plan()
    for index in ("0", "1", '"vào \\"ra\\""'):
        plan.add(f"{GROUP}.n[{index}]", {}, ["id"])
    assert linked(ref(f"{GROUP}.n[1].id"), plan=plan) == Link(f"{GROUP}.n[1]")
    quoted = f'{GROUP}.n["vào \\"ra\\""]'
    told = {"references": [f"{quoted}.id", quoted, f"{GROUP}.n"]}
    plan.add(f"{RULE}.y", {}, ["security_group_id"], {"security_group_id": told})
    assert plan.read()[f"{RULE}.y"].values["security_group_id"] == Link(quoted)


@pytest.mark.parametrize(
    ("expression", "planned", "unknown", "value"),
    [
        (ref(f"{GROUP}.a.id", f"{GROUP}.b.id"), [None, None], [True, True], [Link(f"{GROUP}.a"), Link(f"{GROUP}.b")]),
        (ref("var.g", f"{GROUP}.b.id"), ["g-1", None], [False, True], ["g-1", Link(f"{GROUP}.b")]),
        (ref(f"{GROUP}.a.id", f"{GROUP}.b.id"), [None], [True], [LATER]),
        (ref(f"{GROUP}.a.id"), [None, None], [True, True], [LATER, LATER]),
        (ref(f"{GROUP}.a.id", "data.x.y.id"), [None, None], [True, True], [LATER, LATER]),
        # Before format 1.0, what is not known has no place in the list.
        (ref("var.g", f"{GROUP}.b.id"), ["g-1"], [False, True], ["g-1", Link(f"{GROUP}.b")]),
        ([], [], [True], [LATER]),
        # The whole is unknown: whether it is one thing or several, the plan does not tell.
        (ref(f"{GROUP}.a.id", f"{GROUP}.b.id"), None, True, LATER),
        # Marks that do not fit the value.
        (ref(f"{GROUP}.a.id"), [None, None], [True], LATER),
    ],
)  # fmt: skip
def test_elements_of_a_list(expression: Any, planned: Any, unknown: Any, value: Any) -> None:
    plan = two_groups(Plan())
    values = {} if planned is None else {"security_group_ids": planned}
    plan.add(f"{PORT}.p", values, {"security_group_ids": unknown}, {"security_group_ids": expression})
    assert plan.read()[f"{PORT}.p"].values["security_group_ids"] == value


def test_data_that_are_read_only_later_are_no_known_elements() -> None:
    plan = two_groups(Plan()).add(
        f"data.{GROUP}.d", {}, ["id"], mode="data", actions=("read",), configured=False
    )
    told = ref(f"data.{GROUP}.d.id", f"{GROUP}.b.id")
    plan.add(f"{PORT}.p", {"security_group_ids": [None, None]}, {"security_group_ids": [True, True]}, {"security_group_ids": told})  # fmt: skip
    assert plan.read()[f"{PORT}.p"].values["security_group_ids"] == [LATER, Link(f"{GROUP}.b")]


@pytest.mark.parametrize(
    ("values", "unknown", "blocks", "expected"),
    [
        (
            [{"ip_address": "10.0.0.1"}],
            [{"subnet_id": True}],
            [{"ip_address": const("10.0.0.1"), "subnet_id": ref(f"{GROUP}.a.id")}],
            [{"ip_address": "10.0.0.1", "subnet_id": Link(f"{GROUP}.a")}],
        ),
        # A set is in another order than its blocks: constants tell which is which.
        (
            [{"ip_address": "10.0.0.1"}, {"ip_address": "10.0.0.2"}],
            [{"subnet_id": True}, {"subnet_id": True}],
            [
                {"ip_address": const("10.0.0.2"), "subnet_id": ref(f"{GROUP}.b.id")},
                {"ip_address": const("10.0.0.1"), "subnet_id": ref(f"{GROUP}.a.id")},
            ],
            [
                {"ip_address": "10.0.0.1", "subnet_id": Link(f"{GROUP}.a")},
                {"ip_address": "10.0.0.2", "subnet_id": Link(f"{GROUP}.b")},
            ],
        ),
        # They do not.
        (
            [{"ip_address": "10.0.0.1"}, {"ip_address": "10.0.0.2"}],
            [{"subnet_id": True}, {"subnet_id": True}],
            [
                {"ip_address": ref("var.x"), "subnet_id": ref(f"{GROUP}.b.id")},
                {"ip_address": ref("var.y"), "subnet_id": ref(f"{GROUP}.a.id")},
            ],
            [{"ip_address": "10.0.0.1", "subnet_id": LATER}, {"ip_address": "10.0.0.2", "subnet_id": LATER}],
        ),
        # All alike: in whatever order, the set is the same.
        (
            [{}, {}],
            [{"subnet_id": True}, {"subnet_id": True}],
            [{"subnet_id": ref(f"{GROUP}.a.id")}, {"subnet_id": ref(f"{GROUP}.b.id")}],
            [{"subnet_id": Link(f"{GROUP}.a")}, {"subnet_id": Link(f"{GROUP}.b")}],
        ),
        # A `dynamic` block, of which a plan's expressions do not tell.
        ([{}, {}], [{"subnet_id": True}, {}], [{"subnet_id": ref(f"{GROUP}.a.id")}], [{"subnet_id": LATER}, {}]),
    ],
)  # fmt: skip
def test_nested_blocks(values: Any, unknown: Any, blocks: Any, expected: Any) -> None:
    plan = two_groups(Plan()).add(
        f"{PORT}.p", {"fixed_ip": values}, {"fixed_ip": unknown}, {"fixed_ip": blocks}
    )
    assert plan.read()[f"{PORT}.p"].values["fixed_ip"] == expected


def modules() -> Plan:
    """A rule in a module in a module, whose group another module makes and hands out."""
    plan = Plan().call("groups", "./groups", outputs={"id": ref(f"{GROUP}.g.id")})
    plan.call("outer", "./outer", expressions={"group": ref("module.groups.id")}, count_expression=const(2))
    plan.call("inner", "../inner", "outer", expressions={"id": ref("var.group")})
    plan.add(f"module.groups.{GROUP}.g", {}, ["id"])
    for index in (0, 1):
        address = f"module.outer[{index}].module.inner.{RULE}.r"
        plan.add(address, {}, ["security_group_id"], {"security_group_id": ref("var.id")})
    return plan


def test_a_link_through_modules() -> None:
    blocks = modules().read()
    group = f"module.groups.{GROUP}.g"
    assert [blocks[f"module.outer[{n}].module.inner.{RULE}.r"].values for n in (0, 1)] == [
        {"security_group_id": Link(group)},
        {"security_group_id": Link(group)},
    ]


def test_an_output_of_several_instances_is_none_of_them() -> None:
    plan = modules()
    plan.document["configuration"]["root_module"]["module_calls"]["groups"]["count_expression"] = const(1)
    assert plan.read()[f"module.outer[0].module.inner.{RULE}.r"].values == {"security_group_id": LATER}


def test_modules_that_hand_each_other_on_in_a_circle_end() -> None:
    plan = Plan().call("a", expressions={"x": ref("module.b.x")}, outputs={"x": ref("var.x")})
    plan.call("b", expressions={"x": ref("module.a.x")}, outputs={"x": ref("var.x")})
    assert linked(ref("module.a.x"), plan=plan) is LATER


# The configuration's own files


SOURCE = f'''
locals {{
  web = {GROUP}.a.id
}}
resource "{GROUP}" "a" {{ name = "a" }}
resource "{GROUP}" "b" {{ name = "b" }}
resource "{GROUP}" "n" {{ count = 2 }}
resource "{GROUP}" "e" {{ for_each = toset(["x", "y"]) }}
'''


def shaped(tmp_path: Path, expression: str, told: Any, attribute: str = "name") -> Any:
    """What an attribute of the second of two instances becomes, by what the files show."""
    plan = two_groups(Plan())
    for index in ("0", "1"):
        plan.add(f"{GROUP}.n[{index}]", {}, ["id"])
    for index in ('"x"', '"y"'):
        plan.add(f"{GROUP}.e[{index}]", {}, ["id"])
    for index in (0, 1):
        plan.add(f"{RULE}.x[{index}]", {}, [attribute], {attribute: told})
    files(
        tmp_path, main=SOURCE + f'resource "{RULE}" "x" {{\n  count = 2\n  {attribute} = {expression}\n}}\n'
    )
    return plan.read(tmp_path)[f"{RULE}.x[1]"].values[attribute]


@pytest.mark.parametrize(
    ("expression", "told", "value"),
    [
        (f"{GROUP}.a.id", ref(f"{GROUP}.a.id"), Link(f"{GROUP}.a")),
        (f'"${{{GROUP}.a.id}}"', ref(f"{GROUP}.a.id"), Link(f"{GROUP}.a")),
        (f"({GROUP}.a.id)", ref(f"{GROUP}.a.id"), Link(f"{GROUP}.a")),
        (f'"${{{GROUP}.a.id}}-x"', ref(f"{GROUP}.a.id"), LATER),
        (f"upper({GROUP}.a.id)", ref(f"{GROUP}.a.id"), LATER),
        (f'{GROUP}.a.id == "" ? "x" : "y"', ref(f"{GROUP}.a.id"), LATER),
        (f"{GROUP}.n[0].id", ref(f"{GROUP}.n[0].id"), Link(f"{GROUP}.n[0]")),
        (f"{GROUP}.n.0.id", ref(f"{GROUP}.n[0].id"), Link(f"{GROUP}.n[0]")),
        (f"{GROUP}.n[count.index].id", ref(f"{GROUP}.n", "count.index"), Link(f"{GROUP}.n[1]")),
        (f"{GROUP}.n[count.index + 1].id", ref(f"{GROUP}.n", "count.index"), LATER),
        (f"{GROUP}.n[*].id", ref(f"{GROUP}.n"), LATER),
        (f'{GROUP}.e["y"].id', ref(f'{GROUP}.e["y"].id'), Link(f'{GROUP}.e["y"]')),
        ("local.web", ref("local.web"), Link(f"{GROUP}.a")),
        (f"[{GROUP}.b.id, {GROUP}.a.id]", ref(f"{GROUP}.b.id", f"{GROUP}.a.id"), [Link(f"{GROUP}.b"), Link(f"{GROUP}.a")]),
        (f'[{GROUP}.b.id, "g-1"]', ref(f"{GROUP}.b.id"), [Link(f"{GROUP}.b"), LATER]),
        (f"[for g in [{GROUP}.a] : g.id]", ref(f"{GROUP}.a"), LATER),
        # The files are of another time than the plan: they are not believed.
        (f"{GROUP}.b.id", ref(f"{GROUP}.a.id"), LATER),
        ('"x"', ref(f"{GROUP}.a.id"), LATER),
    ],
)  # fmt: skip
def test_files_tell_what_an_expression_is(tmp_path: Path, expression: str, told: Any, value: Any) -> None:
    assert shaped(tmp_path, expression, told) == value


@pytest.mark.parametrize(
    "expression",
    [f'"${{{GROUP}.a.id}}-x"', f"element([{GROUP}.a.id], 0)", f"{GROUP}.b.id == 1 ? 2 : {GROUP}.a.id"],
)
def test_files_are_believed_against_a_likely_id(tmp_path: Path, expression: str) -> None:
    assert shaped(tmp_path, expression, ref(f"{GROUP}.a.id"), "security_group_id") is LATER


def test_what_a_module_is_called_for_each_of(tmp_path: Path) -> None:
    plan = Plan()
    plan.call("m", "./m", for_each_expression=ref("var.s"), outputs={"id": ref(f"{GROUP}.g.id")})
    for key in ("x", "y"):
        plan.document["configuration"]["root_module"]["module_calls"]["m"]["module"]["resources"] = [
            {"mode": "managed", "type": GROUP, "name": "g"}
        ]
        plan.document["planned_values"]["root_module"].setdefault("child_modules", []).append(
            {
                "address": f'module.m["{key}"]',
                "resources": [
                    {"address": f'module.m["{key}"].{GROUP}.g', "type": GROUP, "name": "g", "values": {}}
                ],
            }
        )
        change = {"actions": ["create"], "after_unknown": {"id": True}}
        plan.document["resource_changes"].append(
            {"address": f'module.m["{key}"].{GROUP}.g', "change": change}
        )
        told = {"security_group_id": ref("each.value.id")}
        plan.add(f'{RULE}.r["{key}"]', {}, ["security_group_id"], told)
    files(
        tmp_path,
        main='module "m" {\n source = "./m"\n for_each = var.s\n}\n'
        f'resource "{RULE}" "r" {{\n  for_each = module.m\n  security_group_id = each.value.id\n}}\n',
        m__main=f'output "id" {{ value = {GROUP}.g.id }}\nresource "{GROUP}" "g" {{}}\n',
    )
    blocks = plan.read(tmp_path)
    assert {key: blocks[f'{RULE}.r["{key}"]'].values["security_group_id"] for key in ("x", "y")} == {
        key: Link(f'module.m["{key}"].{GROUP}.g') for key in ("x", "y")
    }
    assert blocks[f'module.m["y"].{GROUP}.g'].written == Written("m/main.tf", 2)


def test_s3_settings_are_linked_to_their_bucket_by_the_files_alone(tmp_path: Path) -> None:
    plan = Plan().add("aws_s3_bucket.x", {"bucket": "x"}, ["id"])
    plan.add("aws_s3_bucket_versioning.x", {}, ["bucket", "id"], {"bucket": ref("aws_s3_bucket.x.id")})
    assert plan.read()["aws_s3_bucket_versioning.x"].values["bucket"] is LATER
    text = 'resource "aws_s3_bucket_versioning" "x" {\n  bucket = aws_s3_bucket.x.id\n}\n'
    files(tmp_path, main=text + 'resource "aws_s3_bucket" "x" {}\n')
    assert plan.read(tmp_path)["aws_s3_bucket_versioning.x"].values["bucket"] == Link("aws_s3_bucket.x")
    # Of another commit it may be `"${aws_s3_bucket.x.id}-log"`, of which the plan tells the same.
    files(tmp_path, main=text + 'resource "aws_s3_bucket" "y" {}\n')
    assert plan.read(tmp_path)["aws_s3_bucket_versioning.x"].values["bucket"] is LATER


# What is left to the service


@pytest.mark.parametrize(
    ("hcl", "sensitive", "left_out"),
    [
        # Without files: a single value that no expression sets. `versioning` may come of a `dynamic` block.
        (None, {"versioning": []}, {"acl", "policy"}),
        (None, {}, {"acl", "policy", "versioning"}),
        (None, True, {"policy"}),
        ("", {"versioning": []}, {"acl", "policy", "versioning"}),
        ('dynamic "versioning" {\n for_each = var.v\n content {}\n}', {"versioning": []}, {"acl", "policy"}),
        ("versioning {\n enabled = true\n}", {"versioning": []}, {"acl", "policy"}),
        ("acl = var.a", {"versioning": []}, {"policy", "versioning"}),
    ],
)
def test_what_the_code_leaves_to_the_service(
    tmp_path: Path, hcl: str | None, sensitive: Any, left_out: set[str]
) -> None:
    plan = Plan().add(
        "aws_s3_bucket.x",
        {"bucket": "x", "policy": None, "password_wo": None},
        ["acl", "versioning", "request_payer"],
        {"bucket": const("x"), "request_payer": ref("var.p")},
        sensitive=sensitive,
    )
    if hcl is not None:
        files(tmp_path, main=f'resource "aws_s3_bucket" "x" {{\n{hcl}\n}}\n')
    assert plan.read(None if hcl is None else tmp_path)["aws_s3_bucket.x"].left_out == left_out


def test_what_is_there_leaves_nothing_to_the_service() -> None:
    plan = Plan().add(f"{VOLUME}.db", {"volume_type": None}, ["region"], actions=("update",))
    assert plan.read()[f"{VOLUME}.db"].left_out == frozenset()


# Providers


S3 = "https://s3.hn.example.vn"
NOWHERE = {"region": LATER, "endpoints": LATER, "default_tags": LATER}


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("aws", {"provider": "aws", "region": "vn-hn", "s3_use_path_style": True, "endpoints": {"s3": S3}}),
        ("aws.abroad", {"provider": "aws", "alias": "abroad", "region": "sg"}),
        ("aws.var", {"provider": "aws", "alias": "var", "region": LATER, "endpoints": {"s3": LATER}}),
        ("aws.signed", {"provider": "aws", "alias": "signed", "endpoints": {"s3": WITHHELD}}),
        ("openstack", {"provider": "openstack"}),
        # Before Terraform 1.1, what a module inherits has a key of its own that nothing explains.
        ("net:openstack", {"provider": "openstack"}),
        ("net:aws", {"provider": "aws", "alias": "net:aws", **NOWHERE}),
        ("net:aws.abroad", {"provider": "aws", "alias": "net:aws.abroad", **NOWHERE}),
        ("aws.tags", {"provider": "aws", "alias": "tags", "default_tags": True}),
        ("net:google", {"provider": "google"}),
        ("module.net:openstack", {"provider": "openstack"}),
        (None, NOWHERE),
    ],
)
def test_where_a_provider_deploys_to(key: Any, place: Mapping[str, Any]) -> None:
    plan = Plan(variables={"region": {"value": "vn-hn"}})
    credentials = {"access_key": const(CANARY), "secret_key": const(CANARY), "token": const(CANARY)}
    endpoints = [{"s3": const(S3), "sts": const(CANARY)}]
    plan.provider("aws", {"region": const("vn-hn"), "s3_use_path_style": const(True), "endpoints": endpoints, **credentials})  # fmt: skip
    plan.provider("aws.abroad", {"region": const("sg"), **credentials})
    plan.provider("aws.var", {"region": ref("var.region"), "endpoints": [{"s3": ref("var.url")}]})
    plan.provider("aws.signed", {"endpoints": [{"s3": const(f"https://x:{CANARY}@s3.example.vn")}]})
    plan.provider("aws.tags", {"default_tags": [{"tags": ref("local.tags")}]})
    inherited = {"name": "openstack", "module_address": "module.net"}
    plan.document["configuration"]["provider_config"]["module.net:openstack"] = inherited
    plan.add("aws_s3_bucket.x", {"bucket": "x"}, key=key)
    assert plan.read()["aws_s3_bucket.x"].place == place


@pytest.mark.parametrize(
    ("expression", "region"),
    [("var.region", "vn-hn"), ('"${var.region}-2"', LATER), ("var.secret", WITHHELD), ("local.x", LATER)],
)
def test_files_tell_which_variable_is_a_region(tmp_path: Path, expression: str, region: Any) -> None:
    plan = Plan(variables={"region": {"value": "vn-hn"}, "secret": {"value": CANARY}})
    plan.document["configuration"]["root_module"]["variables"] = {"secret": {"sensitive": True}}
    plan.provider("aws.second", {"region": ref("var.region")}).add("aws_s3_bucket.x", {}, key="aws.second")
    text = 'provider "aws" {\n  region = "sg"\n}\nprovider "aws" {\n  alias = "second"\n  region = %s\n}\n'
    text += 'resource "aws_s3_bucket" "x" {}\n'
    assert plan.read(files(tmp_path, main=text % expression))["aws_s3_bucket.x"].place["region"] == region


# Lines


def test_lines_of_a_resource_and_of_its_attributes(tmp_path: Path) -> None:
    plan = Plan().add(f"{PORT}.p", {"name": "p"}).add(f"{PORT}.q", {}).add(f"{PORT}.gone", {})
    files(
        tmp_path,
        main="# một\n"
        f'resource "{PORT}" "p" {{\n'
        '  name = "p"\n'
        "  user_data = <<-EOT\n"
        '    resource "x" "y" {\n'
        "    ${var.z} {\n"
        "  EOT\n"
        "  fixed_ip {\n"
        '    ip_address = "10.0.0.1"\n'
        "  }\n"
        "  fixed_ip {}\n"
        '  dynamic "extra" {\n'
        "    for_each = var.l\n"
        "    content {}\n"
        "  }\n"
        "}\n",
        other__q=f'resource "{PORT}" "q" {{}}',
        override=f'resource "{PORT}" "p" {{\n\n  name = "q"\n}}\n',
    )
    blocks = plan.read(tmp_path, "ha-tang")
    assert blocks[f"{PORT}.p"].written == Written(
        "ha-tang/main.tf", 2, {"name": 3, "user_data": 4, "fixed_ip": 8, "extra": 12}
    )
    # In a folder below, which is another module; or nowhere at all.
    assert blocks[f"{PORT}.q"].written == blocks[f"{PORT}.gone"].written == Written("p.json")


def test_lines_of_the_json_syntax(tmp_path: Path) -> None:
    plan = two_groups(Plan()).add(f"{RULE}.r", {}, ["name"], {"name": ref(f"{GROUP}.a.id")})
    document = {
        "resource": {RULE: {"r": {"//": "ghi chú", "name": f"${{{GROUP}.a.id}}"}}, GROUP: {"a": {}, "b": {}}}
    }
    (tmp_path / "main.tf.json").write_text(
        json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8"
    )
    block = plan.read(tmp_path)[f"{RULE}.r"]
    assert block.written == Written("main.tf.json", 4, {"//": 5, "name": 6})
    assert block.values["name"] == Link(f"{GROUP}.a")


def stale(plan: Plan, folder: Path) -> str | None:
    """What is said of files that are of another commit than a plan."""
    return read(plan.document, source=folder).made.get("source_differs")


def test_files_of_another_commit_are_told_and_have_lines_alone(tmp_path: Path) -> None:
    plan = two_groups(Plan()).add(f"{RULE}.r", {}, ["name"], {"name": ref(f"{GROUP}.a.id")})
    rule = f'resource "{RULE}" "r" {{\n  name = {GROUP}.a.id\n}}\n'
    groups = [f'resource "{GROUP}" "{name}" {{}}\n' for name in "abc"]
    for text, differs, name in (
        ([*groups[:2]], None, Link(f"{GROUP}.a")),
        (groups[:1], f"1 resources of the plan are not in it, such as {GROUP}.b", LATER),
        (groups, f"1 of it are not in the plan, such as {GROUP}.c", LATER),
        (groups[1:], f"1 resources of the plan are not in it and 1 of it are not in the plan, such as {GROUP}.a", LATER),
        # What cannot be read as a whole tells nothing of that.
        ([*groups[:1], "{"], None, LATER),
    ):  # fmt: skip
        files(tmp_path, main=rule + "".join(text))
        block = plan.read(tmp_path)
        assert (stale(plan, tmp_path), block[f"{RULE}.r"].values["name"]) == (differs, name)
        assert block[f"{RULE}.r"].written == Written("main.tf", 1, {"name": 2})
        there = any(f'"{GROUP}" "b"' in one for one in text)
        assert (block[f"{GROUP}.b"].written.path == "main.tf") is there


def test_a_folder_that_has_nothing_of_a_plan_is_told_and_modules_are_compared(tmp_path: Path) -> None:
    plan = Plan().call("m", "./m")
    plan.add(f"module.m.{GROUP}.g", {})
    assert stale(plan, tmp_path) is None
    files(tmp_path, main='module "m" {\n source = "./m"\n}\n', m__main=f'resource "{GROUP}" "h" {{}}\n')
    assert stale(plan, tmp_path) == (
        f"1 resources of the plan are not in it and 1 of it are not in the plan, such as module.m.{GROUP}.g"
    )
    files(tmp_path, m__main=f'resource "{GROUP}" "g" {{}}\n')
    # What editors and archives leave behind is none of Terraform's.
    (tmp_path / "m" / "._main.tf").write_text(f'resource "{GROUP}" "x" {{}}\n', encoding="utf-8")
    assert stale(plan, tmp_path) is None
    assert stale(Plan().add(f"{GROUP}.g", {}), tmp_path / "m" / "..") == (
        f"1 resources of the plan are not in it, such as {GROUP}.g"
    )


def test_lines_of_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan()
    calls = {
        "local": "./net", "beside": "../shared", "outside": "../../elsewhere", "fetched": "registry/x/y",
        "absent": "git::https://example.vn/x.git",
    }  # fmt: skip
    for name, source in calls.items():
        plan.call(name, source).add(f"module.{name}.{GROUP}.g", {})
    group = f'\nresource "{GROUP}" "g" {{}}\n'
    files(
        tmp_path,
        repo__live__main="".join(
            f'module "{name}" {{\n  source = "{source}"\n}}\n' for name, source in calls.items()
        ),
        repo__live__net__main=group,
        repo__shared__main=group,
        elsewhere__main=group,
    )
    fetched = tmp_path / "repo" / "live" / ".terraform" / "modules"
    files(fetched, fetched__main=group)
    installed = {
        "Modules": [{"Key": "", "Dir": "."}, {"Key": "fetched", "Dir": ".terraform/modules/fetched"}]
    }
    (fetched / "modules.json").write_text(json.dumps(installed))
    monkeypatch.chdir(tmp_path / "repo")
    blocks = plan.read(Path("live"), "live")
    # What is in nobody's repository is shown where it is called.
    assert {name: blocks[f"module.{name}.{GROUP}.g"].written for name in calls} == {
        "local": Written("live/net/main.tf", 2),
        "beside": Written("shared/main.tf", 2),
        "outside": Written("live/main.tf", 7),
        "fetched": Written("live/main.tf", 10),
        "absent": Written("live/main.tf", 13),
    }


@pytest.mark.parametrize(
    "main",
    [
        f'resource "{GROUP}" "a" {{\n  name = "a"\n}}\nresource "{RULE}" "r" {{\n  name = {GROUP}.a.id\n',
        f'resource "{RULE}" "r" {{\n  name = {GROUP}.a.id\n}}\nresource "{RULE}" "r" {{\n}}\n',
        "\x00\x01\x02",
        "",
    ],
)
def test_what_cannot_be_parsed_costs_lines_and_no_more(tmp_path: Path, main: str) -> None:
    plan = two_groups(Plan()).add(f"{RULE}.r", {}, ["name"], {"name": ref(f"{GROUP}.a.id")})
    with_files = plan.read(files(tmp_path, main=main))
    assert [block.values for block in with_files.values()] == [block.values for block in plan.read().values()]


def test_files_that_cannot_be_parsed_are_named(tmp_path: Path) -> None:
    files(tmp_path, broken="resource {{{", sound=f'resource "{GROUP}" "a" {{}}')
    (tmp_path / "folder.tf").mkdir()
    code = read(two_groups(Plan()).document, source=tmp_path, shown="ha-tang")
    assert code.made["unparsed"] == "ha-tang/broken.tf, ha-tang/folder.tf"
    assert code.blocks[0].written == Written("ha-tang/sound.tf", 1)


# States


def state(*resources: Any, **top: Any) -> dict[str, Any]:
    return {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 3,
        "lineage": "x",
        "resources": resources,
        **top,
    }


def test_a_state_file() -> None:
    provider = 'provider["registry.terraform.io/terraform-provider-openstack/openstack"]'
    marks = [
        [{"type": "get_attr", "value": "tags"}, {"type": "index", "value": {"value": "k", "type": "string"}}]
    ]
    rows = [
        {
            "mode": "managed", "type": VOLUME, "name": "db", "provider": f"{provider}.second",
            "module": 'module.m["x"]',
            "instances": [
                {"index_key": 0, "attributes": {"id": "v-0", "size": 1}},
                {"index_key": 'y"z', "attributes": {"id": "v-1", "tags": {"k": CANARY}, "copy": CANARY}, "sensitive_attributes": marks},
            ],
        },
        {"mode": "data", "type": VOLUME, "name": "d", "instances": [{"attributes": {"id": "d"}}]},
    ]  # fmt: skip
    code = read(state(*rows), "state")
    assert code == Code(
        "terraform state",
        "p.json",
        code.digest,
        (
            Block(
                f'module.m["x"].{VOLUME}.db[0]', VOLUME, "db", {"id": "v-0", "size": 1}, Written("p.json"),
                id="v-0", new=False, place={"alias": "second"},
            ),
            Block(
                f'module.m["x"].{VOLUME}.db["y\\"z"]', VOLUME, "db",
                {"id": "v-1", "tags": WITHHELD, "copy": WITHHELD}, Written("p.json"), id="v-1", new=False,
                place={"alias": "second"},
            ),
        ),
        (),
        {"format_version": "4", "terraform_version": "1.11.4", "serial": "3"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("instance", "unread"),
    [
        (
            {"deposed": "1234abcd", "attributes": {"id": "v-1"}},
            "an object that was replaced, and is still there, has no address of its own",
        ),
        ({"attributes_flat": {"id": "v-1"}}, "the state has a resource in a form of before Terraform 0.12"),
    ],
)
def test_what_of_a_state_is_not_read_is_told(instance: Any, unread: str) -> None:
    code = read(state({"type": VOLUME, "name": "db", "instances": [instance]}), "state")
    assert (code.blocks, code.unread) == ((), (unread,))


def test_a_mark_of_a_state_that_cannot_be_placed_is_of_everything() -> None:
    instance = {
        "attributes": {"id": "v-1", "a": CANARY},
        "sensitive_attributes": [[{"type": "index", "value": 1}]],
    }
    code = read(state({"type": VOLUME, "name": "db", "instances": [instance]}), "state")
    assert code.blocks[0].values == {"id": WITHHELD, "a": WITHHELD}


def test_a_state_as_json() -> None:
    row = {"address": f"{VOLUME}.db", "mode": "managed", "type": VOLUME, "name": "db"}
    row |= {"values": {"id": "v-1", "tags": CANARY, "size": None}, "sensitive_values": {"tags": True}}
    child = {"address": "module.m", "resources": [{**row, "address": f"module.m.{VOLUME}.db"}]}
    document = {"format_version": "1.0", "terraform_version": "1.8.2", "values": {"root_module": {"resources": [row], "child_modules": [child]}}}  # fmt: skip
    values = {"id": "v-1", "tags": WITHHELD, "size": None}
    assert list(read(document, "state").blocks) == [
        Block(address, VOLUME, "db", values, Written("p.json"), id="v-1", new=False)
        for address in (f"{VOLUME}.db", f"module.m.{VOLUME}.db")
    ]


def test_what_a_replacement_left_behind_is_told_and_no_resource() -> None:
    row = {
        "address": f"{VOLUME}.db",
        "mode": "managed",
        "type": VOLUME,
        "name": "db",
        "values": {"id": "v-1"},
    }
    rows = [row, {**row, "deposed_key": "1234abcd", "values": {"id": "v-0"}}]
    code = read({"format_version": "1.0", "values": {"root_module": {"resources": rows}}}, "state")
    assert ([block.id for block in code.blocks], len(code.unread)) == (["v-1"], 1)


def test_an_empty_state() -> None:
    assert read({"format_version": "1.0"}, "state").blocks == read(state(), "state").blocks == ()


def test_lines_of_a_state(tmp_path: Path) -> None:
    rows = [{"module": "module.m", "type": VOLUME, "name": "db", "instances": [{"attributes": {}}]}]
    files(
        tmp_path,
        main='module "m" {\n  source = "./m"\n}\n',
        m__x=f'\n\nresource "{VOLUME}" "db" {{\n  size = 1\n}}',
    )
    code = read(state(*rows), "state", source=tmp_path)
    assert code.blocks[0].written == Written("m/x.tf", 3, {"size": 4})


# Bad input


PLAN_HINT = "make it with: terraform plan -out=p && terraform show -json p > plan.json (tofu likewise)"
STATE_HINT = (
    "make it with: terraform show -json > state.json, or the file terraform.tfstate itself (tofu likewise)"
)
ANEW = PLAN_HINT.replace("make it with", "make it anew")
NEWER = f"look for a newer cloudaudit, or make it by Terraform 1 or OpenTofu: {PLAN_HINT.removeprefix('make it with: ')}"
OTHER_FORM = "write `state:` in place of `plan:`, or make a plan"


def plain(**top: Any) -> bytes:
    return json.dumps({**Plan().add(f"{VOLUME}.db", {"size": 1}).document, **top}).encode()


@pytest.mark.parametrize(
    ("content", "what", "hint"),
    [
        (b"", "is empty", PLAN_HINT),
        (b" \n", "is empty", PLAN_HINT),
        (
            b"PK\x03\x04rest",
            "is a plan as `terraform plan -out` writes it, which only Terraform can read",
            "make JSON of it: terraform show -json p.json > plan.json (tofu likewise)",
        ),
        (b'\n# x\nresource "a" "b" {\n  x = 1\n}\n', "is the configuration itself (HCL), not JSON made from it", PLAN_HINT),
        (b"terraform {\n}\n", "is the configuration itself (HCL), not JSON made from it", PLAN_HINT),
        (b"Terraform will perform the following actions:\n", "is no JSON: line 1, column 1", PLAN_HINT),
        (
            b'{"@level":"info","type":"version"}\n{"@level":"info"}\n',
            "holds the messages of `terraform plan -json`, which tell too little of what is planned",
            PLAN_HINT,
        ),
        (
            b'{"@level":"info","type":"version"}',
            "holds the messages of `terraform plan -json`, which tell too little of what is planned",
            PLAN_HINT,
        ),
        (plain()[:-40], "breaks off in line 1", PLAN_HINT),
        (b'{"a":\n"' + CANARY.encode(), "breaks off in line 2", PLAN_HINT),
        (b'{"a": ' + CANARY.encode() + b"}", "is no JSON: line 1, column 7", PLAN_HINT),
        (b'{"a": NaN}', "holds a number that JSON does not have, or that is too long", PLAN_HINT),
        (b'{"a": ' + b"1" * 5000 + b"}", "holds a number that JSON does not have, or that is too long", PLAN_HINT),
        (b"[" * 100_000, "its values are nested too deeply", PLAN_HINT),
        (b'{"a":' * 100_000, "its values are nested too deeply", PLAN_HINT),
        (b"[]", "holds no JSON object", PLAN_HINT),
        (b'"x"', "holds no JSON object", PLAN_HINT),
        (b'{"a": "\xff\xfe"}', "is neither UTF-8 nor UTF-16", PLAN_HINT),
        (b"{}", "is no plan: it has no 'format_version'", PLAN_HINT.replace(" with", "")),
        (
            b'{"meta": {}, "encrypted_data": "x", "encryption_version": "v0"}',
            "is encrypted by OpenTofu",
            PLAN_HINT.replace("make it with", "have it decrypted"),
        ),
        (plain(format_version="2.0"), "has format version '2.0'; 0.1, 0.2 and 1.x are known", NEWER),
        (plain(format_version=f"1.{CANARY}"), "has format version that is not a number; 0.1, 0.2 and 1.x are known", NEWER),
        (plain(format_version=None), "is no plan: it has no 'format_version'", PLAN_HINT.replace(" with", "")),
        (b'{"format_version": "1.0", "values": {}}', "is a state, not a plan", OTHER_FORM),
        (b'{"format_version": "1.0"}', "has no plan in it", PLAN_HINT.replace(" with", "")),
        (b'{"format_version": "1.0", "provider_schemas": {}}', "has no plan in it", PLAN_HINT.replace(" with", "")),
        (b'{"version": "2.1.0", "runs": []}', "has no plan in it", PLAN_HINT.replace(" with", "")),
        (b'{"format_version": "1.2", "planned_values": {}}', "lacks 'configuration', which every plan has", PLAN_HINT.replace(" with", "")),
        (b'{"version": 4, "resources": []}', "is a state, not a plan", OTHER_FORM),
        (b'{"format_version": "1.2", "resource_changes": [], "configuration": {}}', "'planned_values' is missing", ANEW),
        (plain(planned_values=[]), "'planned_values' is no object", ANEW),
        (plain(planned_values={"root_module": {"resources": {}}}), "'resources' is no list", ANEW),
        (plain(planned_values={"root_module": {"resources": ["x"]}}), "'resources' has an entry that is no object", ANEW),
        (plain(planned_values={"root_module": {"resources": [{"type": "x"}]}}), "a resource has no 'address'", ANEW),
        (plain(planned_values={"root_module": {"resources": [{"address": 7}]}}), "a name is no text", ANEW),
        (plain(planned_values={"root_module": {"child_modules": [1]}}), "'child_modules' has an entry that is no object", ANEW),
        (plain(resource_changes={"x": CANARY}), "'resource_changes' is no list", ANEW),
        (plain(resource_changes=[{"address": "a.b", "change": {}}]), "'resource_changes' has a change without 'after_unknown'", ANEW),
        (plain(resource_changes=[{"address": f"{VOLUME}.db", "change": {"after_unknown": True}}]), "'after_unknown' is no object", ANEW),
        (plain(resource_changes=[CANARY]), "'resource_changes' has an entry that is no object", ANEW),
        (plain(configuration={"root_module": 1}), "'root_module' is no object", ANEW),
        (plain(configuration={"provider_config": {"openstack": 1}, "root_module": {"resources": [{"type": VOLUME, "name": "db", "provider_config_key": "openstack"}]}}), "'provider_config' has an entry that is no object", ANEW),
    ],
)  # fmt: skip
def test_what_is_no_plan(content: bytes, what: str, hint: str) -> None:
    with pytest.raises(TargetError) as wrong:
        read(content)
    (problem,) = wrong.value.problems
    assert (problem.message, problem.hint) == (f"'plan': p.json: {what}", hint)
    assert str(problem.where) == "targets.yaml:7:15"
    # Neither is anything of the file in what a traceback would show.
    assert wrong.value.__cause__ is None
    assert wrong.value.__suppress_context__
    assert CANARY not in str(wrong.value)


@pytest.mark.parametrize(
    ("content", "what", "hint"),
    [
        (plain(), "is a plan, not a state", "write `plan:` in place of `state:`"),
        (
            b'{"version": 3, "modules": []}',
            "has state version '3'; only 4 is known",
            "Terraform 0.12 or newer, or OpenTofu, writes version 4 with its next `apply`",
        ),
        (b'{"version": 4}', "'resources' is missing", STATE_HINT.replace("with", "anew")),
        (
            b'{"version": 4, "resources": [{"type": "a", "name": "b", "instances": 1}]}',
            "'instances' is no list",
            STATE_HINT.replace("with", "anew"),
        ),
        (b"{", "breaks off in line 1", STATE_HINT),
    ],
)
def test_what_is_no_state(content: bytes, what: str, hint: str) -> None:
    with pytest.raises(TargetError) as wrong:
        read(content, "state")
    assert [(one.message, one.hint) for one in wrong.value.problems] == [(f"'state': p.json: {what}", hint)]


def test_two_resources_of_one_address_are_refused() -> None:
    plan = Plan().add(f"{VOLUME}.db", {"size": 1})
    for twice in ("planned_values", "resource_changes"):
        document = json.loads(json.dumps(plan.document))
        rows = document[twice]
        rows = rows["root_module"]["resources"] if twice == "planned_values" else rows
        rows.append(rows[0])
        with pytest.raises(TargetError):
            read(document)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_encoding_that_shells_write(encoding: str) -> None:
    text = json.dumps(Plan().add(f"{VOLUME}.db", {"name": "dữ liệu"}).document, ensure_ascii=False)
    assert read(text.encode(encoding)).blocks[0].values == {"name": "dữ liệu"}


@pytest.mark.parametrize(
    ("key", "spelled"),
    [
        ("\x1b]0;x\x07\n\u202e", "\x1b]0;x\x07\n\u202e"),
        ("e\u0301", "e\u0301"),
        ("\ud800", "?"),
        ("]\"${x}.", "]\"${x}."),
    ],
)  # fmt: skip
def test_addresses_are_kept_as_they_are_spelled(key: str, spelled: str) -> None:
    plan = Plan().add(f"{VOLUME}.db[{json.dumps(key)}]", {"size": 1})
    for row in (
        plan.document["planned_values"]["root_module"]["resources"][0],
        plan.document["resource_changes"][0],
    ):
        row["address"] = f'{VOLUME}.db["{key}"]'
    (found,) = plan.read()
    assert found == f'{VOLUME}.db["{spelled}"]'
    assert [type(one) for one in collected(plan.document)] == [Resource, Listing]


@pytest.mark.parametrize("depth", [90, 150, 900])
def test_values_that_are_nested_absurdly_are_refused(depth: int) -> None:
    deep: Any = "x"
    for _ in range(depth):
        deep = [deep]
    plan = Plan().add(f"{VOLUME}.db", {"metadata": deep})
    if depth < 100:
        assert untold(plan.read()[f"{VOLUME}.db"].values["metadata"]) is None
        return
    with pytest.raises(TargetError, match="nested too deeply"):
        read(plan.document)


def test_modules_that_are_nested_absurdly_are_refused() -> None:
    document = Plan().document
    module = document["planned_values"]["root_module"]
    for _ in range(150):
        module["child_modules"] = [{"address": "module.x"}]
        module = module["child_modules"][0]
    with pytest.raises(TargetError, match="its modules are nested too deeply"):
        read(document)


def test_an_address_beyond_all_measure_is_refused() -> None:
    with pytest.raises(TargetError, match="more than 4096 characters"):
        read(Plan().add(f"{VOLUME}.{'x' * 5000}", {}).document)


def test_a_file_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    huge = CodeTarget("tf", "plan", path, "p.json")
    with pytest.raises(TargetError, match=r"p\.json is larger than 512 MiB"):
        DeploymentCollector(huge, frozenset(), now=lambda: 1)


def test_what_was_read_to_check_a_target_is_judged_if_it_is_still_the_same(tmp_path: Path) -> None:
    path, where = tmp_path / "p.json", Where("targets.yaml", 7)
    made = CodeTarget("tf", "plan", path, "p.json", where=where)

    def code(types: set[str]) -> Code:
        return DeploymentCollector(made, frozenset(types), now=lambda: 1).code

    path.write_text(json.dumps(Plan().add(f"{VOLUME}.a", {}).document))
    checked = code(set())
    assert code({"openstack.volume"}) is checked
    # Once only.
    assert code({"openstack.volume"}) is not checked
    code(set())
    path.write_text(json.dumps(Plan().add(f"{VOLUME}.b", {}).document))
    assert [block.name for block in code({"openstack.volume"}).blocks] == ["b"]
    code(set())
    path.unlink()
    with pytest.raises(TargetError, match="cannot be read"):
        code({"openstack.volume"})


# Nothing known less is ever something known more


def collected(document: object) -> list[Any]:
    """What a collector makes of the volumes of a plan."""
    with NamedTemporaryFile(suffix=".json") as file:
        file.write(json.dumps(document).encode())
        file.flush()
        made = CodeTarget("tf", "plan", Path(file.name), "p.json")
        collector = DeploymentCollector(made, frozenset({"openstack.volume"}), now=lambda: 1)
    log = CallLog()
    (scope,) = collector.scopes(log)
    assert isinstance(scope, Scope)
    return list(collector.collect(scope, frozenset(), log))


LABELS = {"system_id": "x", "data_class": "important"}
FULL = {
    "size": 10, "volume_type": "ma-hoa", "availability_zone": "hn-1", "multiattach": False,
    "metadata": LABELS, "name": "db", "region": "HN", "id": "v-1",
}  # fmt: skip


@given(unknown=st.sets(st.sampled_from(sorted(FULL))), inner=st.sets(st.sampled_from(sorted(LABELS))))
def test_what_is_not_known_yet_is_never_known_otherwise(unknown: set[str], inner: set[str]) -> None:
    told: dict[str, Any] = dict.fromkeys(FULL, ref("var.x"))
    full = Plan().add(f"{VOLUME}.db", FULL, [], told, actions=("update",))
    marks: dict[str, Any] = dict.fromkeys(unknown, True)
    if "metadata" not in unknown:
        marks["metadata"] = dict.fromkeys(inner, True)
    values = {name: value for name, value in FULL.items() if name not in unknown}
    less = Plan().add(f"{VOLUME}.db", values, marks, told, actions=("update",))
    whole, part = collected(full.document)[0].facts, collected(less.document)[0].facts
    for fact, value in part.items():
        match value:
            case Partial():
                known = whole[fact].items if isinstance(whole[fact], Partial) else whole[fact]
                assert set(value.items) <= set(known)
            case dict():
                assert value.items() <= whole[fact].items()
            case _:
                assert value == whole[fact]
