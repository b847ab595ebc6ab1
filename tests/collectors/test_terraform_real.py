"""Plans and states that real Terraform binaries made (tests/data/terraform), as they are read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudaudit.collectors.deployment import terraform
from cloudaudit.collectors.deployment.block import LATER, WITHHELD, Block, Code, CodeTarget, Link
from cloudaudit.errors import TargetError
from cloudaudit.model import Written

DATA = Path(__file__).parent.parent / "data" / "terraform"

GROUP = "openstack_networking_secgroup_v2"
PORT = "openstack_networking_port_v2"
RULE = "openstack_networking_secgroup_rule_v2"


def code(case: str, file: str = "plan.json", source: str | None = "") -> Code:
    """A file of a case; `source`: the case whose configuration is given, or none."""
    path = DATA / case / file
    form = "plan" if file == "plan.json" else "state"
    folder = None if source is None else DATA / (source or case)
    shown = f"tests/data/terraform/{source or case}"
    target = CodeTarget("tf", form, path, file, source=folder, source_shown=shown)
    return terraform.read(target, path.read_bytes())


def blocks(*args: Any) -> dict[str, Block]:
    return {block.address: block for block in code(*args).blocks}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document: what holds it, and its key there."""
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(one, dict | list):
            yield from places(one)


JUNK = (
    None,
    True,
    False,
    0,
    -1.5,
    "",
    "x",
    "\x1b[31m",
    [],
    {},
    [None],
    [[True]],
    {"x": {"y": True}},
    "a.b[",
    ["a.b.id"],
)


@pytest.mark.parametrize(
    ("case", "file"),
    [
        ("json", "plan.json"),
        ("alias", "plan.json"),
        ("modules", "plan.json"),
        ("changes", "state.json"),
        ("changes", "terraform.tfstate"),
    ],
)
@given(data=st.data())
@settings(max_examples=100)
def test_a_file_that_somebody_changed_is_read_or_refused(case: str, file: str, data: st.DataObject) -> None:
    """Whatever stands in the place of something else: there is no other exception than what tells so."""
    document = json.loads((DATA / case / file).read_bytes())
    every = list(places(document))
    for number in data.draw(st.lists(st.integers(0, len(every) - 1), min_size=1, max_size=4)):
        holder, key = every[number]
        holder[key] = data.draw(st.sampled_from(JUNK))
    form = "plan" if file == "plan.json" else "state"
    target = CodeTarget("tf", form, Path(file), file, source=DATA / case)
    try:
        found = terraform.read(target, json.dumps(document).encode())
    except TargetError:
        return
    assert all(isinstance(block.address, str) and isinstance(block.values, dict) for block in found.blocks)


def links(value: Any) -> list[Link]:
    match value:
        case Link():
            return [value]
        case dict():
            return [link for one in value.values() for link in links(one)]
        case list():
            return [link for one in value for link in links(one)]
    return []


def test_keys_modules_and_outputs_lead_to_the_right_group() -> None:
    found = blocks("modules")
    for key in ('["cổng dịch vụ"]', '["hồ sơ \\"mật\\""]', '["a.b[0]/c"]'):
        group = Link(f"module.he_thong{key}.module.nhom.{GROUP}.nhom")
        assert found[f"{RULE}.ssh{key}"].values["security_group_id"] == group
        for number in (0, 1):
            port = f"module.he_thong{key}.{PORT}.cong[{number}]"
            assert found[port].values["security_group_ids"] == [group]
            server = found[f"module.he_thong{key}.openstack_compute_instance_v2.may[{number}]"]
            assert [row["port"] for row in server.values["network"]] == [Link(port)]
    assert found[f'module.he_thong["a.b[0]/c"].{PORT}.cong[1]'].written == Written(
        "tests/data/terraform/modules/modules/may_chu/main.tf",
        28,
        {"count": 29, "name": 31, "network_id": 32, "security_group_ids": 33},
    )


def test_without_files_fewer_links_are_told_and_none_otherwise() -> None:
    for case in ("violating", "fixed", "unknown", "modules", "split", "json"):
        full, less = blocks(case), blocks(case, "plan.json", None)
        for address, block in less.items():
            for name, value in block.values.items():
                if links(value):
                    assert value == full[address].values[name]
            assert block.left_out <= full[address].left_out


@pytest.mark.parametrize(("old", "new"), [("old", "violating"), ("old_modules", "modules")])
def test_format_0_1_tells_the_same_with_the_configuration(old: str, new: str) -> None:
    def told(found: dict[str, Block]) -> Any:
        return {
            address: (
                {name: value for name, value in block.values.items() if links(value)},
                block.left_out, block.place, block.written,
            )
            for address, block in found.items()
        }  # fmt: skip

    # What is secret by its nature alone is marked since 1.0 only, and is null before it is deployed.
    assert told(blocks(old, "plan.json", new)) == told(blocks(new))


def test_settings_of_buckets_are_bound_to_them_by_the_configuration() -> None:
    bound = {
        address: block.values["bucket"]
        for address, block in blocks("split").items()
        if address.startswith("aws_s3_bucket_")
    }
    assert bound
    assert all(isinstance(value, Link | str) for value in bound.values())
    loose = blocks("split", "plan.json", None)
    assert {address for address in bound if isinstance(loose[address].values["bucket"], Link)} == set()


def test_what_is_marked_is_withheld_and_its_copies_too() -> None:
    found = blocks("sensitive")
    assert found["aws_s3_bucket.ho_so"].values["tags"] is WITHHELD
    assert "CANARY" not in repr(found["aws_s3_bucket.ho_so"])
    assert "CANARY" not in repr(found["openstack_compute_instance_v2.db"])
    assert found["openstack_compute_instance_v2.db"].values["metadata"]["db_password"] is WITHHELD
    assert found[f"{RULE}.ssh"].values["remote_ip_prefix"] is WITHHELD
    assert "CANARY" not in repr([block.place for block in found.values()])


def test_the_places_of_provider_aliases() -> None:
    places = {address: block.place for address, block in blocks("alias").items() if "bucket" in address}
    assert places == {
        "aws_s3_bucket.trong_nuoc": {
            "provider": "aws", "region": "vn-hn", "s3_force_path_style": True,
            "endpoints": {"s3": "https://s3.hn.example.vn"},
        },
        "aws_s3_bucket.bien": {
            "provider": "aws", "alias": "bien", "region": "vn-hcm",
            "endpoints": {"s3": "https://s3.hcm.example.vn"},
        },
        "aws_s3_bucket.mac_dinh": {"provider": "aws", "alias": "mac_dinh", "region": "ap-southeast-1"},
        "aws_s3_bucket.nuoc_ngoai": {
            "provider": "aws", "alias": "nuoc_ngoai", "region": "ap-southeast-1",
            "endpoints": {"s3": "https://s3.ap-southeast-1.amazonaws.com"},
        },
        "module.ban_sao.aws_s3_bucket.kho": {
            "provider": "aws", "alias": "nuoc_ngoai", "region": "ap-southeast-1",
            "endpoints": {"s3": "https://s3.ap-southeast-1.amazonaws.com"},
        },
    }  # fmt: skip
    assert blocks("alias", "plan.json", None)["aws_s3_bucket.bien"].place["endpoints"] == {"s3": LATER}


def test_what_changes_is_there_and_what_is_made_is_new() -> None:
    found = blocks("changes")
    new = {address for address, block in found.items() if block.new}
    assert new == {f"{RULE}.moi", f"{RULE}.thay_the", f"{RULE}.thay_the_truoc"}
    assert {address for address, block in found.items() if block.id is None} == new
    assert not {"openstack_blockstorage_volume_v3.bot[2]", "openstack_objectstorage_container_v1.xoa"} & set(
        found
    )


@pytest.mark.parametrize("case", sorted(path.parent.name for path in DATA.glob("*/plan.json")))
def test_which_plans_are_whole(case: str) -> None:
    assert bool(code(case).unread) is (case in ("partial", "refresh"))


@pytest.mark.parametrize("case", sorted(path.parent.name for path in DATA.glob("*/state.json")))
def test_a_state_is_the_same_in_both_forms(case: str) -> None:
    shown, kept = blocks(case, "state.json"), blocks(case, "terraform.tfstate")
    assert list(shown) == list(kept)
    for address, block in shown.items():
        other = kept[address]
        assert (block.id, block.written.line, block.new) == (other.id, other.written.line, False)
        # `show` marks what is secret by its nature too.
        assert {n: v for n, v in block.values.items() if v is not WITHHELD} == {
            n: other.values[n] for n, v in block.values.items() if v is not WITHHELD
        }
