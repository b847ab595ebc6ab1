"""A real OpenStack control plane: every verdict against what was seeded, by name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from audits import Audit, Recorded, profile, reassessed
from beds import OpenStackBed
from declared import HANOI, SITES_BY_REGION, SYSTEMS, of_cloud

from cloudaudit.catalog import load_catalogue, load_profile
from cloudaudit.model import Reason

RPO = timedelta(hours=24)
CRITICAL = {"cong-dich-vu", "van-ban", "nen-tang"}
"""Projects of systems whose criticality is high or critical."""
CINDER = {"openstack.volume", "openstack.backup", "openstack.snapshot", "openstack.volume_type"}


def judged_by(*types: str) -> set[str]:
    """Controls of the profile that judge these types and no others."""
    chosen = load_profile("ndc-connection", load_catalogue(), "provider")
    return {control.id for control in chosen.controls if set(control.applies_to) <= set(types)}


def judging_any_of(*types: str) -> set[str]:
    """Controls of the profile that judge one of these types, whatever else they judge."""
    chosen = load_profile("ndc-connection", load_catalogue(), "provider")
    return {control.id for control in chosen.controls if set(control.applies_to) & set(types)}


def backup_ages(bed: OpenStackBed, audit: Audit) -> dict[str, list[tuple[timedelta, str]]]:
    """Age and container of each volume's backups at the time of the audit, as the seed dated them."""
    at = datetime.fromtimestamp(audit.snapshot.collected_at, UTC)
    ages: dict[str, list[tuple[timedelta, str]]] = {
        volume["name"]: [] for volume in bed.things("volume") if volume["project"] in CRITICAL
    }
    for backup in bed.things("backup"):
        moment = datetime.fromisoformat(backup["data_timestamp"]).replace(tzinfo=UTC)
        ages[backup["volume_name"]].append((at - moment, backup["container"]))
    return ages


# --- as a reader of projects and system ---------------------------------------------------------------


def test_all_that_was_seeded_is_seen(tenant: Audit, cloud: OpenStackBed) -> None:
    for kind, type_ in (
        ("volume", "volume"),
        ("backup", "backup"),
        ("server", "server"),
        ("snapshot", "snapshot"),
    ):
        seeded = {thing["name"] for thing in cloud.things(kind)}
        assert {resource.name for resource in tenant.resources(f"openstack.{type_}")} == seeded
    seeded = {network["name"] for network in cloud.things("network")}
    assert {network.name for network in tenant.resources("openstack.network")} == seeded


def test_backups_are_as_old_as_their_data(tenant: Audit, cloud: OpenStackBed) -> None:
    ages = backup_ages(cloud, tenant)
    expected = {
        volume: "pass" if any(age <= RPO for age, _ in copies) else "fail" for volume, copies in ages.items()
    }
    assert set(expected.values()) == {"pass", "fail"}, (
        "the bed has been up for a day: take it down and up again"
    )
    assert expected["cdv-data-1"] == "pass"
    assert tenant.verdicts("BDR-01") == expected
    (newest,) = sorted(ages["vb-data-1"])[:1]
    shown = tenant.evidence("BDR-01", "vb-data-1")["backup.newest_age"]
    assert abs(newest[0].total_seconds() - shown) < 60


def test_a_copy_at_another_site_counts_by_the_register(tenant: Audit, cloud: OpenStackBed) -> None:
    expected = {
        volume: "pass" if any(age <= 2 * RPO and kho == "kho-hcm" for age, kho in copies) else "fail"
        for volume, copies in backup_ages(cloud, tenant).items()
    }
    assert tenant.verdicts("BDR-02") == expected
    sites = tenant.evidence("BDR-02", "cdv-data-1")["backup.sites"]
    assert {one["site"]: one["offsite"] for one in sites} == {"hn": False, "hcm": True}


def test_only_attached_rules_that_are_open_to_the_world_fail(tenant: Audit, cloud: OpenStackBed) -> None:
    def rules(group: Mapping[str, Any]) -> set[str]:
        return {rule["id"] for rule in group["rules"]}

    groups = {group["name"]: group for group in cloud.things("security_group")}
    attached, unattached = groups["tt-mo-ssh"], groups["tt-mo-het"]
    assert [rule["source"] for rule in attached["rules"]] == ["0.0.0.0/0", "::/0"]
    assert tenant.having("SEC-06", "fail") == rules(attached)
    assert tenant.having("SEC-06", "pass") == rules(groups["cdv-web"]) | rules(groups["tt-web"])
    assert not rules(unattached) & set(tenant.verdicts("SEC-06"))


def test_an_image_of_another_hypervisor_is_not_portable(tenant: Audit) -> None:
    assert tenant.verdicts("POR-01") == {"vb-vmware-cu": "fail", "cdv-golden": "pass"}


def test_whoever_may_administer_needs_a_second_factor(tenant: Audit, cloud: OpenStackBed) -> None:
    admins = cloud.truth["base"]["admins"]
    assert tenant.verdicts("SEC-02") == {
        name: "pass" if facts["mfa"] else "fail" for name, facts in admins.items()
    }
    assert tenant.verdicts("SEC-02")["ops-admin"] == "pass"
    assert tenant.verdicts("SEC-02")["ops-backup"] == "fail"


def test_an_unencrypted_volume_fails_and_a_cipher_not_shown_is_not_guessed(tenant: Audit) -> None:
    assert tenant.verdicts("SEC-15") == {
        "vb-data-2": "fail",
        "vb-data-1": "unknown",
        "cdv-data-1": "unknown",
        "cdv-data-2": "unknown",
    }
    assert tenant.finding("SEC-15", "vb-data-1")["reason_code"] == "no_permission"


def test_an_empty_list_of_vpn_connections_proves_nothing_to_a_reader(
    tenant: Audit, cloud: OpenStackBed
) -> None:
    assert cloud.things("vpn_connection"), "there is one, that a reader is not shown"
    assert tenant.listings("openstack.vpn_connection") == []
    gaps = tenant.gaps("openstack.vpn_connection")
    assert {gap.scope.project for gap in gaps} == set(cloud.projects.values())
    assert {gap.reason for gap in gaps} == {Reason.PARTIAL}
    for control in judged_by("openstack.vpn_connection"):
        assert tenant.control(control)["verdict"] == "unknown"


def test_containers_that_are_refused_are_gaps(tenant: Audit, cloud: OpenStackBed) -> None:
    refused = {cloud.projects[name] for name in ("trang-tin", "nen-tang")}
    gaps = tenant.gaps("openstack.container")
    assert {(gap.scope.project, gap.reason) for gap in gaps} == {
        (project, Reason.NO_PERMISSION) for project in refused
    }
    seen = {c["name"] for c in cloud.things("container") if cloud.projects[c["project"]] not in refused}
    assert {container.name for container in tenant.resources("openstack.container")} == seen


def test_an_access_list_that_swift_hides_is_no_empty_one(tenant: Audit) -> None:
    """An auditor of Swift is shown containers without their access lists."""
    findings = tenant.of("SEC-13", "openstack.container")
    assert len(findings) == len(tenant.resources("openstack.container")) + 2
    assert {(f["verdict"], f["reason_code"]) for f in findings} == {("unknown", "no_permission")}


def test_papers_that_are_not_there_make_the_run_fail(tenant: Audit) -> None:
    assert tenant.code == 1


# --- as a member ----------------------------------------------------------------------------------------


def test_who_owns_the_account_sees_what_is_public(owner: Audit, cloud: OpenStackBed, tmp_path: Path) -> None:
    containers = {container["name"]: container["public"] for container in cloud.things("container")}
    assert owner.verdicts("SEC-13", "openstack.container") == dict.fromkeys(containers, "pass")
    assert owner.evidence("SEC-13", "anh-cong-khai")["public.declared_open"] is True
    undeclared = [{**one, "open_data": []} if "open_data" in one else one for one in SYSTEMS]
    again = reassessed(tmp_path, owner.snapshot.folder, "--registers", of_cloud(tmp_path, systems=undeclared))
    assert again.verdicts("SEC-13", "openstack.container") == {
        name: "fail" if public else "pass" for name, public in containers.items()
    }


def test_a_member_is_shown_the_vpn_connection(owner: Audit, cloud: OpenStackBed) -> None:
    (seeded,) = cloud.things("vpn_connection")
    connection = owner.named("openstack.vpn_connection", seeded["name"])
    assert connection.scope.project == seeded["project_id"]
    assert connection.facts["peer_address"] == seeded["peer_address"]
    assert owner.gaps("openstack.vpn_connection") == []


# --- without Cinder -------------------------------------------------------------------------------------


def test_what_cinder_refuses_is_unknown_and_never_a_pass(noblock: Audit) -> None:
    about_cinder = [f for f in noblock.findings if f["resource"]["type"] in CINDER]
    assert {(f["verdict"], f["reason_code"]) for f in about_cinder} == {("unknown", "no_permission")}
    assert {f["control"] for f in about_cinder} == judging_any_of(*CINDER) > judged_by(*CINDER) != set()
    for control in judged_by(*CINDER):
        assert noblock.control(control)["verdict"] == "unknown"
    for type_ in CINDER:
        assert noblock.resources(type_) == []
        assert noblock.listings(type_) == []
        assert {gap.reason for gap in noblock.gaps(type_)} == {Reason.NO_PERMISSION}


def test_a_refusal_lowers_coverage(noblock: Audit, tenant: Audit) -> None:
    for figure in ("coverage", "collection_coverage"):
        assert noblock.report["readiness"][figure] < tenant.report["readiness"][figure]
    assert noblock.code == 1


def test_what_is_not_known_is_no_success(noblock: Audit, tmp_path: Path) -> None:
    chosen = profile(tmp_path, *sorted(judged_by(*CINDER)))
    given = ("-p", chosen, "--registers", of_cloud(tmp_path))
    assert reassessed(tmp_path, noblock.snapshot.folder, *given).code == 3
    assert reassessed(tmp_path, noblock.snapshot.folder, *given, "--allow-incomplete").code == 0


# --- with an application credential ----------------------------------------------------------------------


def test_gaps_are_exactly_what_the_access_rules_refuse(only_compute: Audit) -> None:
    project = {"openstack.flavor", "openstack.server", "openstack.server_group"}
    for type_ in project:
        assert only_compute.gaps(type_) == []
        assert [listing.scope.region for listing in only_compute.listings(type_)] == [HANOI]
    expected = {type_ for type_ in only_compute.snapshot.types if type_.startswith("openstack.")} - project
    gaps = [gap for gap in only_compute.snapshot.gaps() if gap.type.startswith("openstack.")]
    assert {gap.type for gap in gaps} == expected
    assert {gap.reason for gap in gaps} == {Reason.NO_PERMISSION}
    assert not any(gap.operation.startswith("nova.") for gap in gaps)


def test_nothing_passes_by_silence(only_compute: Audit) -> None:
    """What passes was read of Nova, or is of the registers; what is not applicable was declared so."""
    readable = {"openstack.server", "openstack.server_group", "openstack.availability_zone"}
    concluded = [f for f in only_compute.findings if f["verdict"] in ("pass", "not_applicable")]
    observed = {
        f["resource"]["type"] for f in concluded if f["resource"]["type"].startswith(("openstack.", "s3."))
    }
    # targets.yaml declares that there is no S3 target.
    assert observed <= readable | {"s3.bucket", "s3.endpoint"}
    assert only_compute.having("DAT-01", "pass") == set()


# --- as an operator ----------------------------------------------------------------------------------------


def test_an_administrator_sees_all_projects_at_once(recorded: Recorded, cloud: OpenStackBed) -> None:
    operator = recorded.operator
    for kind in ("volume", "backup", "server", "snapshot", "vpn_connection", "floating_ip"):
        type_ = f"openstack.{kind}"
        seeded = {thing["id"]: thing["project_id"] for thing in cloud.things(kind)}
        assert {one.id: one.scope.project for one in operator.resources(type_)} == seeded
        (listing,) = operator.listings(type_)
        assert (listing.scope.project, listing.count) == (None, len(seeded))
        assert "items of other projects" in listing.proof
    assert operator.verdicts("BDR-01") == recorded.together.verdicts("BDR-01")
    assert operator.verdicts("SEC-06") == recorded.together.verdicts("SEC-06")


def test_an_administrator_sees_how_volumes_are_encrypted(recorded: Recorded, cloud: OpenStackBed) -> None:
    restricted = {"cong-dich-vu", "van-ban"}
    assert recorded.operator.verdicts("SEC-15") == {
        volume["name"]: "pass" if volume["encrypted"] else "fail"
        for volume in cloud.things("volume")
        if volume["project"] in restricted
    }


def test_accounts_of_others_stay_shut_to_an_administrator(recorded: Recorded, cloud: OpenStackBed) -> None:
    """Swift asks for a role of its own."""
    refused = {gap.scope.project for gap in recorded.operator.gaps("openstack.container")}
    assert refused >= set(cloud.projects.values())
    assert recorded.operator.having("SEC-13", "pass") == set()


def test_asking_for_all_projects_and_seeing_one_proves_nothing(no_operator: Audit) -> None:
    for type_ in ("openstack.volume", "openstack.backup", "openstack.server", "openstack.vpn_connection"):
        assert no_operator.resources(type_) == []
        assert no_operator.listings(type_) == []
        assert {gap.reason for gap in no_operator.gaps(type_)} <= {Reason.PARTIAL, Reason.NO_PERMISSION}
        assert no_operator.gaps(type_)
    for control in judged_by(*CINDER):
        assert no_operator.control(control)["verdict"] == "unknown"


# --- two labels for one address --------------------------------------------------------------------------------


def test_one_address_under_two_labels_is_counted_once(both_regions: Audit, tenant: Audit) -> None:
    def counts(audit: Audit) -> dict[str, int]:
        return {type_: len(audit.resources(type_)) for type_ in sorted(audit.snapshot.types)}

    assert counts(both_regions) == counts(tenant)
    for type_ in ("openstack.volume", "openstack.server", "openstack.network"):
        for resource in both_regions.resources(type_):
            assert resource.scope.region is None
            assert resource.unseen["region"].reason is Reason.AMBIGUOUS
    assert both_regions.verdicts("BDR-01") == tenant.verdicts("BDR-01")


@pytest.mark.parametrize("by_region", [False, True])
def test_two_labels_for_one_address_are_at_no_place(
    by_region: bool, both_regions: Audit, tmp_path: Path
) -> None:
    audit = both_regions
    if by_region:
        given = of_cloud(tmp_path, sites=SITES_BY_REGION)
        audit = reassessed(tmp_path, both_regions.snapshot.folder, "--registers", given)
        assert set(audit.verdicts("BDR-02").values()) == {"unknown", "fail"}
        assert audit.verdicts("BDR-02")["cdv-data-1"] == "unknown"
    labels = audit.of("RES-02", "openstack.region")
    found = {f["resource"]["id"]: (f["verdict"], f["reason_code"]) for f in labels}
    assert found == {
        "vn": ("unknown", "unmapped"),
        "vn-hn-1": ("unknown", "ambiguous"),
        "vn-hcm-1": ("unknown", "ambiguous"),
    }
    endpoints = audit.of("RES-01")
    assert len(endpoints) == len(audit.resources("openstack.endpoint")) > 0
    assert {(f["verdict"], f["reason_code"]) for f in endpoints} == {("unknown", "ambiguous")}
