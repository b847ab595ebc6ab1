"""Real S3 stores, which contradict each other: every verdict against what the seed read back, by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from audits import Audit, audited, cloudaudit, profile, reassessed, subject, targets
from beds import StoreBed
from declared import ABOUT_BUCKETS, of_store

from cloudaudit.model import Reason

STATES = {"Enabled": "enabled", "Suspended": "suspended", None: "off"}
ELSEWHERE = "o-hcm"
"""A bucket of Ceph's second zonegroup: the first one only tells where it is."""


def versioning(audit: Audit) -> dict[str, object]:
    return {bucket.id: bucket.facts.get("versioning.state") for bucket in audit.resources("s3.bucket")}


def reasons(audit: Audit, group: str) -> dict[str, Reason]:
    """Why a group of facts is not known, by bucket."""
    return {b.id: b.unseen[group].reason for b in audit.resources("s3.bucket") if group in b.unseen}


# --- Ceph -----------------------------------------------------------------------------------------------


def test_every_bucket_of_the_owner_is_seen(ceph_owner: Audit, ceph: StoreBed) -> None:
    assert sorted(bucket.id for bucket in ceph_owner.resources("s3.bucket")) == sorted(ceph.listed)
    (listing,) = ceph_owner.listings("s3.bucket")
    assert listing.count == len(ceph.listed)


def test_versioning_is_what_was_set(ceph_owner: Audit, ceph: StoreBed) -> None:
    set_to = {name: STATES[state] for name, state in ceph.read_back("versioning").items()}
    expected = {**set_to, ELSEWHERE: None}
    assert set(expected.values()) == {"enabled", "suspended", "off", None}
    assert versioning(ceph_owner) == expected
    verdicts = {"enabled": "pass", "suspended": "fail", "off": "fail", None: "unknown"}
    judged = ceph_owner.verdicts("BDR-08")
    assert {name: judged[name] for name in expected} == {
        name: verdicts[state] for name, state in expected.items()
    }


def test_public_is_what_a_stranger_can_read(ceph_owner: Audit, ceph: StoreBed) -> None:
    """By a policy or by an access list; and open data only as far as the register says so."""
    assert ceph.open_to_strangers() == {"ro-ri", "du-lieu-mo"}
    assert ceph_owner.having("SEC-13", "fail") == {"ro-ri"}
    assert ceph_owner.evidence("SEC-13", "du-lieu-mo")["public.declared_open"] is True
    assert ceph_owner.having("SEC-13", "pass") == set(ceph.listed) - {"ro-ri", ELSEWHERE}
    assert ceph_owner.verdicts("SEC-13")[ELSEWHERE] == "unknown"
    assert ceph_owner.code == 1


def test_open_data_that_nobody_declared_are_a_leak(ceph_owner: Audit, tmp_path: Path) -> None:
    given = of_store(tmp_path, open_data=[])
    again = reassessed(
        tmp_path, ceph_owner.snapshot.folder, "-p", profile(tmp_path, "SEC-13"), "--registers", given
    )
    assert again.having("SEC-13", "fail") == {"ro-ri", "du-lieu-mo"}


def test_a_question_the_store_does_not_know_is_no_answer(ceph_owner: Audit, ceph: StoreBed) -> None:
    """This gateway answers ?encryption with a listing of the bucket and 200."""
    assert not any(ceph.read_back("encryption_supported").values())
    assert ceph_owner.having("SEC-16", "fail") == ceph_owner.having("SEC-16", "pass") == set()
    here = set(ceph.listed) - {ELSEWHERE}
    assert reasons(ceph_owner, "encryption") == {
        **dict.fromkeys(here, Reason.NOT_IMPLEMENTED),
        ELSEWHERE: Reason.UNREACHABLE,
    }


def test_a_bucket_elsewhere_is_placed_and_not_judged(ceph_owner: Audit, ceph: StoreBed) -> None:
    """Its location is told even where its settings are not."""
    assert ceph.truth["buckets"][ELSEWHERE]["summary"]["location"] == ceph.env["second"]["region"]
    verdicts = {
        control: ceph_owner.verdicts(control)[ELSEWHERE] for control in ("BDR-08", "SEC-13", "SEC-16")
    }
    assert verdicts == dict.fromkeys(verdicts, "unknown")
    assert {ceph_owner.finding(control, ELSEWHERE)["reason_code"] for control in verdicts} == {"unreachable"}
    assert ceph_owner.finding("RES-04", ELSEWHERE)["resource"]["site"] == "hcm"


def test_a_copy_inside_the_store_stays_where_it_is(ceph_owner: Audit, ceph: StoreBed) -> None:
    copied = {name: rules for name, rules in ceph.read_back("replication_rules").items() if rules}
    assert set(copied) == {"nhan-ban"}
    (destination,) = ceph_owner.evidence("RES-05", "nhan-ban")["replication.destinations"]
    assert (destination["bucket"], destination["site"], destination["domestic"]) == (
        "nhan-ban-dich",
        "hn",
        True,
    )
    assert ceph_owner.having("RES-05", "pass") == set(ceph.listed) - {ELSEWHERE}


def test_an_empty_list_of_another_user_proves_nothing(ceph_reader: Audit, ceph: StoreBed) -> None:
    assert ceph.truth["list_buckets"]["first"]["reader"] == {
        "http": 200, "root": "ListAllMyBucketsResult", "owner_id": "reader", "buckets": [],
    }  # fmt: skip
    assert ceph_reader.resources("s3.bucket") == []
    assert ceph_reader.listings("s3.bucket") == []
    (gap,) = ceph_reader.gaps("s3.bucket")
    assert gap.reason is Reason.PARTIAL
    for control in ABOUT_BUCKETS:
        assert ceph_reader.control(control)["verdict"] == "unknown"
    assert ceph_reader.code == 3


@pytest.mark.parametrize(("expected", "code"), [("reader", 0), ("owner", 3)])
def test_an_empty_list_is_believed_of_the_expected_owner_only(
    expected: str, code: int, ceph: StoreBed, tmp_path: Path
) -> None:
    of_store(tmp_path)
    kho = {
        "name": "kho", "kind": "s3", "profile": "reader", "region": ceph.env["region"],
        "endpoint": ceph.env["endpoints"]["http"], "expected_owner": expected,
    }  # fmt: skip
    chosen = profile(tmp_path, "SEC-13")
    ran = audited(
        tmp_path, [subject("kho", kho, registers="registers")], "-p", chosen, variables=ceph.variables
    )
    assert ran.code == code
    found = Audit(tmp_path / "out", ran)
    assert [listing.count for listing in found.listings("s3.bucket")] == ([0] if code == 0 else [])


def test_what_a_policy_denies_is_unknown(ceph_named: Audit, ceph: StoreBed) -> None:
    """The reader may list this bucket, so HEAD answers 200, and may read none of its settings."""
    denied = ceph.truth["buckets"]["bi-tu-choi"]["answers"]["reader"]
    assert {denied[setting]["http"] for setting in ("versioning", "acl", "policy", "tagging")} == {403}
    for control in ("SEC-13", "BDR-08"):
        finding = ceph_named.finding(control, "bi-tu-choi")
        assert (finding["verdict"], finding["reason_code"]) == ("unknown", "no_permission")
    assert ceph_named.verdicts("SEC-13")["ho-so-cong-dan"] == "pass"
    assert versioning(ceph_named) == {"bi-tu-choi": None, "ho-so-cong-dan": "enabled"}
    assert ceph_named.code == 3


def test_a_wrong_secret_leaves_a_gap(ceph_wrong_secret: Audit) -> None:
    (gap,) = ceph_wrong_secret.gaps("s3.bucket")
    assert (gap.reason, gap.detail.partition(":")[0]) == (
        Reason.NO_PERMISSION,
        "403 SignatureDoesNotMatch",
    )
    assert ceph_wrong_secret.listings("s3.bucket") == []
    assert ceph_wrong_secret.code == 3


def test_a_private_authority_that_is_not_named_leaves_a_gap(ceph_untrusted: Audit, ceph_owner: Audit) -> None:
    (gap,) = ceph_untrusted.gaps("s3.bucket")
    assert gap.reason is Reason.UNREACHABLE
    assert "certificate" in gap.detail
    assert "ca_file" in gap.detail
    assert ceph_untrusted.code == 3
    assert ceph_owner.resources("s3.bucket"), "with the authority named, the same address is read"
    assert ceph_owner.report["targets"][0]["endpoint"] == ceph_untrusted.report["targets"][0]["endpoint"]


# --- Swift ----------------------------------------------------------------------------------------------


def test_versioning_of_swift_is_what_was_set(swift_owner: Audit, swift: StoreBed) -> None:
    assert versioning(swift_owner) == {
        name: STATES[state] for name, state in swift.read_back("versioning").items()
    }


def test_swift_shows_no_access_list_over_s3(swift_owner: Audit, swift: StoreBed) -> None:
    """It answers with a private one whatever the container's is, which is no proof of anything."""
    assert not any(swift.read_back("acl_public").values())
    assert reasons(swift_owner, "acl") == dict.fromkeys(swift.listed, Reason.NOT_IMPLEMENTED)
    buckets = {name: swift_owner.verdicts("SEC-13")[name] for name in swift.listed}
    assert buckets == dict.fromkeys(swift.listed, "unknown")
    assert {swift_owner.finding("SEC-13", name)["reason_code"] for name in swift.listed} == {
        "not_implemented"
    }


@pytest.mark.parametrize("setting", ["encryption", "replication"])
def test_swift_answers_what_it_does_not_know_with_a_listing(
    setting: str, swift_owner: Audit, swift: StoreBed
) -> None:
    answers = swift.truth["buckets"]["ho-so-cong-dan"]["answers"]["owner"][setting]
    assert (answers["http"], answers["root"]) == (200, "ListBucketResult")
    assert reasons(swift_owner, setting) == dict.fromkeys(swift.listed, Reason.NOT_IMPLEMENTED)


def test_no_replication_is_proven_where_the_store_does_not_know_it(
    swift_owner: Audit, swift: StoreBed
) -> None:
    verdicts = swift_owner.verdicts("RES-05")
    assert {name: verdicts[name] for name in swift.listed} == dict.fromkeys(swift.listed, "not_applicable")


# --- SeaweedFS --------------------------------------------------------------------------------------------


def test_encryption_is_what_was_set(seaweedfs_owner: Audit, seaweedfs: StoreBed) -> None:
    encrypted = seaweedfs.read_back("encryption")
    assert set(map(bool, encrypted.values())) == {True, False}
    verdicts = seaweedfs_owner.verdicts("SEC-16")
    assert {name: verdicts[name] for name in encrypted} == {
        name: "pass" if algorithm else "fail" for name, algorithm in encrypted.items()
    }


def test_encryption_alone_is_not_enough_for_restricted_data(
    seaweedfs_owner: Audit, seaweedfs: StoreBed, tmp_path: Path
) -> None:
    """The store holds the key: that needs a paper, which is not there."""
    given = of_store(tmp_path, data_classes=["important"])
    chosen = profile(tmp_path, "SEC-16")
    again = reassessed(tmp_path, seaweedfs_owner.snapshot.folder, "-p", chosen, "--registers", given)
    assert set(again.verdicts("SEC-16").values()) == {"fail"}
    assert again.evidence("SEC-16", "ho-so-cong-dan")["system.restricted"] is True


# --- several subjects ---------------------------------------------------------------------------------------


def test_the_worst_subject_decides_and_each_has_its_folder(
    ceph: StoreBed, swift: StoreBed, tmp_path: Path
) -> None:
    """A violation (1) is worse than something unknown (3), wherever it comes."""
    of_store(tmp_path)
    keys = [bed.env["credentials"]["owner"] for bed in (ceph, swift)]
    for name, pair in zip(("ceph", "swift"), keys, strict=True):
        for kind in ("access", "secret"):
            path = tmp_path / f"{name}-{kind}"
            path.touch(mode=0o600)
            path.write_text(pair[f"{kind}_key"] + "\n")
    subjects = [
        subject(
            name,
            {
                "name": "kho", "kind": "s3", "endpoint": bed.env["endpoints"]["http"], "region": bed.env["region"],
                "access_key_file": f"{name}-access", "secret_key_file": f"{name}-secret",
            },
            registers="registers",
        )
        for name, bed in (("ceph", ceph), ("swift", swift))
    ]  # fmt: skip
    file, chosen = targets(tmp_path, *subjects), profile(tmp_path, "SEC-13")
    ran = cloudaudit(tmp_path, "run", "-t", file, "-p", chosen, "-o", tmp_path / "out")
    assert ran.code == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["ceph", "swift"]
    first, second = (Audit(tmp_path / "out" / name, ran) for name in ("ceph", "swift"))
    assert first.having("SEC-13", "fail") == {"ro-ri"}
    assert second.having("SEC-13", "fail") == set()
    assert (first.report["subject"]["id"], second.report["subject"]["id"]) == ("ceph", "swift")
    given = ("-p", chosen, "--registers", tmp_path / "registers")
    assert reassessed(tmp_path / "first", first.snapshot.folder, *given).code == 1
    assert reassessed(tmp_path / "second", second.snapshot.folder, *given).code == 3
