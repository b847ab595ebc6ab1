"""Ceph's admin API against what its own tool, radosgw-admin, says of the same cluster."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import beds
import pytest
from audits import leaks
from beds import StoreBed
from vantages import look_at_store

from cloudaudit.model import Reason, Resource, Unseen
from cloudaudit.snapshot import Snapshot

FIRST, SECOND = ("vn-hn", "vn-hn-1"), ("vn-hcm", "vn-hcm-1")
"""The two zonegroups and their zones; the first leads."""
OF_ADMIN = ("s3.zonegroup", "s3.zone", "s3.user", "s3.bucket_quota")
REFUSED = "403 AccessDenied: give the user of the admin key the caps "
LIMITED = "nhat-ky"
"""A bucket with a quota of its own while these tests run."""


@cache
def said(*command: str, zone: tuple[str, str] = FIRST) -> Any:
    """What radosgw-admin answers for a zone."""
    where = (f"--rgw-zonegroup={zone[0]}", f"--rgw-zone={zone[1]}")
    return json.loads(beds.call("s3", "ceph", "admin", *where, *command).stdout)


@pytest.fixture(scope="module")
def admin(ceph: StoreBed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    """With a key that has all the caps which the README names, of the first zone's gateway."""
    quota = ("--quota-scope=bucket", f"--bucket={LIMITED}")
    beds.call("s3", "ceph", "admin", "quota", "set", *quota, "--max-size=2147483648")
    beds.call("s3", "ceph", "admin", "quota", "enable", *quota)
    try:
        yield look_at_store(tmp_path_factory.mktemp("admin"), ceph, "owner", admin_profile="caps")
    finally:
        beds.call("s3", "ceph", "admin", "quota", "disable", *quota)


def by_id(sight: Snapshot, type_: str) -> dict[str, Resource]:
    return {resource.id: resource for resource in sight.each(type_)}


def none_below_zero(number: int) -> int | None:
    return None if number < 0 else number


def quota(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{name}.enabled": told["enabled"],
        f"{name}.max_size": none_below_zero(told["max_size"]),
        f"{name}.max_objects": none_below_zero(told["max_objects"]),
    }


def test_zonegroups_are_those_of_the_period(admin: Snapshot) -> None:
    groups = said("period", "get")["period_map"]["zonegroups"]
    assert {group["name"] for group in groups} == {FIRST[0], SECOND[0]}
    assert {id_: (found.name, dict(found.facts)) for id_, found in by_id(admin, "s3.zonegroup").items()} == {
        group["id"]: (
            group["name"],
            {
                "api_name": group["api_name"],
                "is_master": group["is_master"] == "true",
                "endpoints": tuple(group["endpoints"]),
                "hostnames": tuple(group["hostnames"]),
                "default_placement": group["default_placement"],
                "placement_targets": tuple(
                    {
                        "name": place["name"],
                        "tags": tuple(place["tags"]),
                        "storage_classes": tuple(place["storage_classes"]),
                    }
                    for place in group["placement_targets"]
                ),
                "realm_id": group["realm_id"],
            },
        )
        for group in groups
    }


def zones_as_said() -> dict[str, dict[str, Any]]:
    """Zones of the period by name, as facts; not whose gateway is asked, nor how they sync."""
    return {
        zone["name"]: {
            "zonegroup": group["name"],
            "is_master": zone["id"] == group["master_zone"],
            "endpoints": tuple(zone["endpoints"]),
            **{flag: zone[flag] == "true" for flag in ("read_only", "log_meta", "log_data", "sync_from_all")},
            "sync_from": tuple(zone["sync_from"]),
            "tier_type": zone["tier_type"] or None,
        }
        for group in said("period", "get")["period_map"]["zonegroups"]
        for zone in group["zones"]
    }


def test_zones_and_their_sync_are_as_the_first_zone_tells(admin: Snapshot) -> None:
    """It leads: it takes metadata from nobody, and its tool calls that no sync."""
    text = beds.call("s3", "ceph", "admin", "sync", "status").stdout
    assert "no sync (zone is master)" in text
    assert said("metadata", "sync", "status")["sync_status"]["info"]["status"] == "init"
    told = zones_as_said()
    zones = {zone.name: zone for zone in admin.each("s3.zone")}
    own = {"gateway": True, "metadata_sync.state": None, "data_sync.state": None}
    assert dict(zones[FIRST[1]].facts) == {**told[FIRST[1]], **own}
    assert zones[FIRST[1]].unseen == {}
    assert dict(zones[SECOND[1]].facts) == {**told[SECOND[1]], "gateway": False}
    # Data are synced inside a zonegroup: of a zone in another one the gateway keeps no state.
    assert zones[SECOND[1]].unseen == {
        "metadata_sync": Unseen(
            Reason.PARTIAL, f"asked was a gateway of zone '{FIRST[1]}': only its own tells"
        ),
        "data_sync": Unseen(Reason.SERVICE_ABSENT, "404 NoSuchKey"),
    }


def test_the_second_zone_tells_how_it_takes_metadata_from_the_first(ceph: StoreBed, tmp_path: Path) -> None:
    second = {"endpoint": ceph.env["second"]["http"], "region": ceph.env["second"]["region"]}
    sight = look_at_store(tmp_path, ceph, "owner", admin_profile="caps", **second)
    state = said("metadata", "sync", "status", zone=SECOND)["sync_status"]["info"]["status"]
    assert state == "sync"
    told = zones_as_said()
    zones = {zone.name: zone for zone in sight.each("s3.zone")}
    own = {"gateway": True, "metadata_sync.state": state, "data_sync.state": None}
    assert dict(zones[SECOND[1]].facts) == {**told[SECOND[1]], **own}
    assert dict(zones[FIRST[1]].facts) == {
        **told[FIRST[1]],
        "gateway": False,
        "metadata_sync.state": None,
    }
    assert zones[FIRST[1]].unseen == {"data_sync": Unseen(Reason.SERVICE_ABSENT, "404 NoSuchKey")}


def test_users_are_those_of_the_tool(admin: Snapshot) -> None:
    names = said("user", "list")
    told = {name: said("user", "info", f"--uid={name}") for name in names}
    assert {id_: dict(user.facts) for id_, user in by_id(admin, "s3.user").items()} == {
        name: {
            "suspended": bool(user["suspended"]),
            "tenant": name.rpartition("$")[0] or None,
            "op_mask": tuple(sorted(user["op_mask"].split(", "))),
            "caps": tuple(sorted(f"{cap['type']}={cap['perm']}" for cap in user["caps"])),
            "mfa.enabled": bool(user["mfa_ids"]),
            "system": user.get("system") == "true",
            "admin": user.get("admin") == "true",
            "max_buckets": user["max_buckets"],
            "access_keys": len(user["keys"]),
            **quota("user_quota", user["user_quota"]),
            **quota("bucket_quota", user["bucket_quota"]),
        }
        for name, user in told.items()
    }
    # What was made to differ does.
    seen = by_id(admin, "s3.user")
    assert [name for name in names if seen[name].facts["suspended"]] == ["da-ngung"]
    assert [name for name in names if seen[name].facts["system"]] == ["sync"]
    assert seen["congtya$chi-doc"].facts["op_mask"] == ("read",)
    assert seen["other"].facts["user_quota.max_objects"] == 10000


def test_quotas_and_places_of_buckets_are_those_of_the_tool(admin: Snapshot) -> None:
    told = said("bucket", "stats")
    assert {id_: dict(found.facts) for id_, found in by_id(admin, "s3.bucket_quota").items()} == {
        bucket["bucket"]: {
            "owner": bucket["owner"],
            "tenant": bucket["tenant"] or None,
            "zonegroup_id": bucket["zonegroup"],
            "placement": bucket["placement_rule"],
            **quota("quota", bucket["bucket_quota"]),
        }
        for bucket in told
    }
    limited = by_id(admin, "s3.bucket_quota")[LIMITED].facts
    assert (limited["quota.enabled"], limited["quota.max_size"]) == (True, 2147483648)
    assert {found.facts["zonegroup_id"] for found in admin.each("s3.bucket_quota")} == set(
        by_id(admin, "s3.zonegroup")
    )


def test_everything_is_listed_and_nothing_is_missing(admin: Snapshot) -> None:
    assert [gap for gap in admin.gaps() if gap.type in OF_ADMIN] == []
    listed = {listing.type: listing.count for listing in admin.listings() if listing.type in OF_ADMIN}
    assert listed == {type_: len(by_id(admin, type_)) for type_ in OF_ADMIN}


def test_no_secret_of_any_user_is_in_the_snapshot(admin: Snapshot, ceph: StoreBed) -> None:
    """The answers hold all of them, that of the system user too, which passes every check."""
    keys = {
        f"{key['access_key']} of {name}": key["secret_key"]
        for name in said("user", "list")
        for key in said("user", "info", f"--uid={name}")["keys"]
    }
    system = said("zone", "get")["system_key"]["secret_key"]
    assert system in keys.values()
    assert ceph.env["credentials"]["caps"]["secret_key"] in keys.values()
    texts = (
        (str(path), text)
        for path in sorted(admin.folder.rglob("*"))
        if path.is_file()
        for text in [_text(path)]
    )
    assert leaks(texts, {**ceph.secrets, **keys}) == []


def _text(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", "surrogateescape")


def admin_gaps(sight: Snapshot) -> set[tuple[str, str, Reason, str, bool]]:
    return {
        (gap.type, gap.operation, gap.reason, gap.detail, gap.listing)
        for gap in sight.gaps()
        if gap.type in OF_ADMIN
    }


def test_a_key_without_caps_is_refused_everything_and_told_what_it_needs(
    ceph: StoreBed, tmp_path: Path
) -> None:
    sight = look_at_store(tmp_path, ceph, "owner", admin_profile="empty")
    assert admin_gaps(sight) == {
        ("s3.zonegroup", "s3.admin_period", Reason.NO_PERMISSION, f"{REFUSED}zone=read", True),
        ("s3.zone", "s3.admin_period", Reason.NO_PERMISSION, f"{REFUSED}zone=read", True),
        ("s3.user", "s3.admin_users", Reason.NO_PERMISSION, f"{REFUSED}metadata=read", True),
        ("s3.bucket_quota", "s3.admin_buckets", Reason.NO_PERMISSION, f"{REFUSED}buckets=read", True),
    }
    assert [listing for listing in sight.listings() if listing.type in OF_ADMIN] == []
    assert [one for type_ in OF_ADMIN for one in sight.each(type_)] == []


def test_a_key_with_some_caps_names_the_users_and_tells_nothing_of_them(
    ceph: StoreBed, tmp_path: Path
) -> None:
    sight = look_at_store(tmp_path, ceph, "owner", admin_profile="few_caps")
    names = said("user", "list")
    first = names[0]
    assert admin_gaps(sight) == {
        ("s3.zonegroup", "s3.admin_period", Reason.NO_PERMISSION, f"{REFUSED}zone=read", True),
        ("s3.zone", "s3.admin_period", Reason.NO_PERMISSION, f"{REFUSED}zone=read", True),
        (
            "s3.user", "s3.admin_user", Reason.NO_PERMISSION,
            f"{len(names)} users, the first '{first}': {REFUSED}users=read", False,
        ),
    }  # fmt: skip
    users = by_id(sight, "s3.user")
    assert set(users) == set(names)
    assert all(user.facts == {} for user in users.values())
    why = Unseen(Reason.NO_PERMISSION, f"{REFUSED}users=read")
    assert {seen for user in users.values() for seen in user.unseen.values()} == {why}
    assert {(x.type, x.count) for x in sight.listings() if x.type in OF_ADMIN} == {
        ("s3.user", len(names)),
        ("s3.bucket_quota", len(said("bucket", "list"))),
    }


def test_a_key_with_a_wrong_secret_is_refused_as_one(ceph: StoreBed, tmp_path: Path) -> None:
    sight = look_at_store(tmp_path, ceph, "owner", admin_profile="wrong_secret")
    details = {detail for _, _, _, detail, _ in admin_gaps(sight)}
    assert {gap[2] for gap in admin_gaps(sight)} == {Reason.NO_PERMISSION}
    assert len(details) == 1
    assert details.pop().startswith("403 SignatureDoesNotMatch: the secret key is not that of the access key")
