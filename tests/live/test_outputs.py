"""What holds of every audit of the beds: no secret in what is written, nothing but reading on the wire."""

from __future__ import annotations

import gzip
from collections import Counter
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from audits import Audit, Recorded, cloudaudit, leaks, profile, reassessed, subject, targets
from beds import OpenStackBed, StoreBed
from declared import HANOI, of_cloud
from worded import unworded

from cloudaudit.model import format_time

OF_CLOUD = ("tenant", "both_regions", "owner", "noblock", "only_compute", "no_operator")
OF_CEPH = ("ceph_owner", "ceph_reader", "ceph_named", "ceph_wrong_secret", "ceph_untrusted")


# --- secrets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", OF_CLOUD)
def test_no_secret_of_openstack_is_written(
    made: str, request: pytest.FixtureRequest, cloud: OpenStackBed
) -> None:
    audit: Audit = request.getfixturevalue(made)
    assert leaks(audit.written(), cloud.secrets) == []


@pytest.mark.parametrize("made", OF_CEPH)
def test_no_secret_of_ceph_is_written(made: str, request: pytest.FixtureRequest, ceph: StoreBed) -> None:
    audit: Audit = request.getfixturevalue(made)
    assert leaks(audit.written(), ceph.secrets) == []


@pytest.mark.parametrize(
    ("made", "store"),
    [
        ("swift_owner", "swift"),
        ("swift_acl_owner", "swift_acl"),
        ("seaweedfs_owner", "seaweedfs"),
        ("seaweedfs_part", "seaweedfs"),
        ("juicefs_owner", "juicefs"),
        ("juicefs_reader", "juicefs"),
        ("rclone_owner", "rclone"),
    ],
)
def test_no_secret_of_other_stores_is_written(made: str, store: str, request: pytest.FixtureRequest) -> None:
    audit: Audit = request.getfixturevalue(made)
    bed: StoreBed = request.getfixturevalue(store)
    assert leaks(audit.written(), bed.secrets) == []


def test_no_secret_that_came_over_the_wire_is_written(
    recorded: Recorded, cloud: OpenStackBed, ceph: StoreBed
) -> None:
    """These secrets were in the answers, and the tokens in their headers: they were left out, not missed."""
    secrets = {**cloud.secrets, **ceph.secrets}
    answers = b"\n".join(exchange.received for exchange in recorded.exchanges)
    came = {name for name, secret in secrets.items() if secret.encode() in answers}
    assert came == {
        "server_metadata",
        "server_user_data_base64",
        "volume_metadata",
        "image_property",
        "bucket_tag",
    }
    headers = [(name.lower(), value) for exchange in recorded.exchanges for name, value in exchange.headers]
    tokens = {value for name, value in headers if name == "x-subject-token"}
    assert len(tokens) > 5
    secrets |= {f"token {number}": token for number, token in enumerate(sorted(tokens))}
    for audit in (recorded.together, recorded.operator):
        assert leaks(audit.written(), secrets) == []


def test_what_is_never_needed_is_never_asked_for(recorded: Recorded, cloud: OpenStackBed) -> None:
    """The VPN's key is not even sent; objects and consoles are not asked for, and of the key manager a list alone."""
    answers = b"\n".join(exchange.received for exchange in recorded.exchanges)
    assert cloud.secrets["vpn_psk"].encode() not in answers
    assert not [e.request for e in recorded.exchanges if "/secrets/" in e.path or "/action" in e.path]
    of_swift = {urlsplit(e.path).path for e in recorded.exchanges if e.path.startswith("/v1/AUTH_")}
    assert of_swift
    assert {path.count("/") for path in of_swift} <= {2, 3}, "an account or a container, never an object"


def test_the_search_for_secrets_finds_them(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"x": "PLANTED-one-1"}'))
    places = [("packed", gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()).decode())]
    screen = "│ PLANTED-o │ ne-1 │\n gAAAA" + "x" * 30 + "\n" + "y" * 30
    found = leaks(iter([*places, ("screen", screen)]), {"one": "PLANTED-one-1", "other": "PLANTED-two-2"})
    assert found == ["one in packed", "one in screen", "a token in screen"]


# --- words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [*OF_CLOUD, *OF_CEPH])
def test_every_detail_has_its_vietnamese(made: str, request: pytest.FixtureRequest) -> None:
    audit: Audit = request.getfixturevalue(made)
    assert [
        found for place in {audit.folder, audit.collected or audit.folder} for found in unworded(place)
    ] == []


# --- the wire -------------------------------------------------------------------------------------------


def test_the_wire_saw_nothing_but_reading(recorded: Recorded) -> None:
    methods = Counter(exchange.method for exchange in recorded.exchanges)
    assert set(methods) == {"GET", "HEAD", "POST"}
    assert {e.path for e in recorded.exchanges if e.method == "POST"} == {"/v3/auth/tokens"}
    assert not [e.request for e in recorded.exchanges if e.method != "POST" and e.sent]
    assert methods["GET"] > 150
    assert methods["HEAD"] > 15


def test_nothing_went_past_the_recorder(recorded: Recorded) -> None:
    ports = {port for host, port in recorded.ran.connections}
    assert ports <= recorded.stand_ins
    assert {host for host, port in recorded.ran.connections} == {"127.0.0.1"}


def test_the_log_of_calls_is_what_was_on_the_wire(recorded: Recorded) -> None:
    """Every request is logged, and what is logged was sent.

    Only keystoneauth's look at the versions of Keystone, once a target, is not in the log. What
    several scopes stand on was sent once and is logged in each.
    """
    sent = Counter(exchange.request for exchange in recorded.exchanges)
    logged = Counter([*recorded.together.requests(), *recorded.operator.requests()])
    assert sent - logged == Counter({"GET /v3": 2})
    assert set(logged) <= set(sent)


@pytest.mark.parametrize("made", OF_CLOUD)
def test_no_audit_reaches_anything_but_the_services(
    made: str, request: pytest.FixtureRequest, cloud: OpenStackBed
) -> None:
    audit: Audit = request.getfixturevalue(made)
    assert audit.ran.connections
    services = {("127.0.0.1", port) for port in cloud.env["ports"].values()}
    assert audit.ran.connections <= services


def test_only_the_services_that_the_controls_need_are_asked(cloud: OpenStackBed, tmp_path: Path) -> None:
    """Security groups are Neutron's: nothing else is spoken to but Keystone."""
    of_cloud(tmp_path)
    dm = {"name": "dm", "kind": "openstack", "cloud": "audit", "regions": [HANOI]}
    file = targets(tmp_path, subject("dam-may", dm, registers="registers"))
    chosen = profile(tmp_path, "SEC-06")
    collected = tmp_path / "snapshot"
    variables = {"OS_CLIENT_CONFIG_FILE": cloud.env["clouds_yaml"]}
    ran = cloudaudit(tmp_path, "collect", "-t", file, "-p", chosen, "-o", collected, variables=variables)
    assert ran.code == 0
    assert {port for _, port in ran.connections} == {
        cloud.env["ports"][name] for name in ("keystone", "neutron")
    }
    audit = reassessed(tmp_path, collected, "-p", chosen, "--registers", tmp_path / "registers")
    assert audit.code == 1
    assert {finding["control"] for finding in audit.findings} == {"SEC-06"}


# --- two targets, one report ----------------------------------------------------------------------------


def test_two_targets_of_a_subject_make_one_report(recorded: Recorded, cloud: OpenStackBed) -> None:
    report = recorded.together.report
    assert [target["name"] for target in report["targets"]] == ["dm", "kho"]
    assert {entry["target"] for entry in report["collection"]} == {"dm", "kho"}
    ids = [control["id"] for control in report["controls"]]
    assert len(ids) == len(set(ids))
    assert sorted(path.name for path in recorded.together.folder.parent.iterdir()) == ["dam-may", "quan-tri"]


def test_one_system_has_things_in_both_targets(recorded: Recorded) -> None:
    """By its project in the cloud, and by a label in the store."""
    of_system = {
        (f["resource"]["target"], f["resource"]["name"])
        for f in recorded.together.findings
        if f["resource"]["system"] == "cong-dich-vu" and f["resource"]["target"]
    }
    assert {("dm", "cdv-data-1"), ("dm", "cdv-golden"), ("kho", "ho-so-cong-dan")} <= of_system


def test_the_same_verdicts_as_of_each_target_alone(
    recorded: Recorded, tenant: Audit, ceph_owner: Audit
) -> None:
    for control in ("BDR-01", "BDR-02", "SEC-02", "SEC-06", "SEC-15", "POR-01"):
        assert recorded.together.verdicts(control) == tenant.verdicts(control)
    for control in ("SEC-16", "RES-04"):
        assert recorded.together.verdicts(control, "s3.bucket") == ceph_owner.verdicts(control, "s3.bucket")


# --- the same again -----------------------------------------------------------------------------------------


def after(audit: Audit, **given: int) -> str:
    """A moment so long after the audit."""
    return format_time(audit.snapshot.collected_at + int(timedelta(**given).total_seconds()))


def test_the_same_snapshot_gives_the_same_bytes(tenant: Audit, tmp_path: Path) -> None:
    at = after(tenant, hours=1)
    given = ("--registers", of_cloud(tmp_path), "--at", at)
    fixed = {"SOURCE_DATE_EPOCH": "1796000000"}
    first, second = (
        reassessed(tmp_path / name, tenant.snapshot.folder, *given, variables=fixed) for name in ("a", "b")
    )
    for name in ("report.json", "findings.jsonl.gz"):
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()
    assert (first.ran.out, first.code) == (second.ran.out, second.code)
    assert first.report["assessed_at"] == at


def test_only_the_time_of_writing_differs(tenant: Audit, tmp_path: Path) -> None:
    given = ("--registers", of_cloud(tmp_path), "--at", after(tenant, hours=1))
    one, other = (
        dict(
            reassessed(
                tmp_path / epoch, tenant.snapshot.folder, *given, variables={"SOURCE_DATE_EPOCH": epoch}
            ).report
        )
        for epoch in ("1796000000", "1796000001")
    )
    assert one.pop("generated_at") != other.pop("generated_at")
    assert one == other


def test_judging_later_makes_no_backup_older(tenant: Audit, tmp_path: Path) -> None:
    """The age of a backup is that at collection, whenever it is judged; only a snapshot can be too old."""
    given = ("--registers", of_cloud(tmp_path), "--at")
    next_day = reassessed(tmp_path / "day", tenant.snapshot.folder, *given, after(tenant, hours=30))
    assert next_day.verdicts("BDR-01") == tenant.verdicts("BDR-01")
    assert next_day.evidence("BDR-01", "vb-data-1") == tenant.evidence("BDR-01", "vb-data-1")
    next_year = reassessed(tmp_path / "year", tenant.snapshot.folder, *given, after(tenant, days=365))
    assert {(f["verdict"], f["reason_code"]) for f in next_year.of("BDR-01")} == {("unknown", "stale")}
