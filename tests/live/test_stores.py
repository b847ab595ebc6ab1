"""Real S3 stores, which contradict each other: every verdict against what the seed read back, by name."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from audits import Audit, audited, cloudaudit, profile, reassessed, subject, targets
from beds import StoreBed
from declared import ABOUT_BUCKETS, of_store
from table import OF_STORES

from cloudaudit.model import Reason
from cloudaudit.snapshot import Snapshot

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
    """The store holds the key: that needs a paper, which is not there. A key manager's key needs none."""
    given = of_store(tmp_path, data_classes=["important"])
    chosen = profile(tmp_path, "SEC-16")
    again = reassessed(tmp_path, seaweedfs_owner.snapshot.folder, "-p", chosen, "--registers", given)
    set_to = {
        name: told["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
        for name, read in seaweedfs.read_back("encryption").items()
        if (told := read and read["ServerSideEncryptionConfiguration"])
    }
    assert set_to == {"ho-so-cong-dan": "AES256", "sao-luu": "aws:kms"}
    assert again.having("SEC-16", "pass") == {"sao-luu"}
    assert set(again.verdicts("SEC-16").values()) == {"pass", "fail"}
    assert again.evidence("SEC-16", "ho-so-cong-dan")["system.restricted"] is True


def test_what_the_keys_have_no_right_to_is_left_out_and_missed(
    seaweedfs_part: Audit, seaweedfs: StoreBed
) -> None:
    """Everything seen passes, and the list names the caller as owner: that is no pass for the store."""
    seen = {bucket.id for bucket in seaweedfs_part.resources("s3.bucket")}
    assert seen == {"ho-so-cong-dan", "nhat-ky"} < set(seaweedfs.listed)
    (gap,) = [gap for gap in seaweedfs_part.gaps("s3.bucket") if gap.listing]
    assert gap.reason is Reason.PARTIAL
    assert gap.detail.startswith("SeaweedFS lists only buckets that these keys have rights to")
    assert seaweedfs_part.listings("s3.bucket") == []
    assert {name: seaweedfs_part.verdicts("RES-05")[name] for name in seen} == dict.fromkeys(seen, "pass")
    assert seaweedfs_part.control("RES-05")["verdict"] == "unknown"


# --- Swift with access lists ------------------------------------------------------------------------------


def test_versioning_of_swift_with_access_lists_is_what_was_set(
    swift_acl_owner: Audit, swift_acl: StoreBed
) -> None:
    expected = {name: STATES[state] for name, state in swift_acl.read_back("versioning").items()}
    assert set(expected.values()) == {"enabled", "suspended", "off"}
    assert versioning(swift_acl_owner) == expected


def test_of_an_access_list_of_swift_only_what_it_opens_is_believed(
    swift_acl_owner: Audit, swift_acl: StoreBed, tmp_path: Path
) -> None:
    """With access lists on, a container that Swift's own API has opened to the world still reads as private."""
    shown = {name for name, rights in swift_acl.read_back("acl_public").items() if rights}
    assert shown == {"du-lieu-mo"}
    native = {name: swift_acl.truth["buckets"][name]["native"] for name in swift_acl.listed}
    assert {name for name, told in native.items() if told["anonymous_get"] == 200} == {"mo-ngoai-s3"}
    (grant, _) = sorted(
        swift_acl_owner.named("s3.bucket", "du-lieu-mo").facts["acl.grants"], key=lambda g: g["grantee"]
    )
    assert grant == {"grantee": "AllUsers", "kind": "group", "permission": "READ"}
    rest = set(swift_acl.listed) - shown
    assert reasons(swift_acl_owner, "acl") == dict.fromkeys(rest, Reason.NOT_IMPLEMENTED)
    verdicts = swift_acl_owner.verdicts("SEC-13")
    assert {name: verdicts[name] for name in swift_acl.listed} == dict.fromkeys(swift_acl.listed, "unknown")
    given = of_store(tmp_path, open_data=[])
    chosen = profile(tmp_path, "SEC-13")
    folder = swift_acl_owner.snapshot.folder
    again = reassessed(tmp_path, folder, "-p", chosen, "--registers", given)
    assert again.having("SEC-13", "fail") == {"du-lieu-mo"}
    assert again.having("SEC-13", "pass") == set()


# --- JuiceFS: the front end of MinIO ----------------------------------------------------------------------


def test_public_on_minios_front_end_is_what_a_stranger_can_read(
    juicefs_owner: Audit, juicefs: StoreBed
) -> None:
    """Whatever the store says of its own policy; and an access list that it refused opens nothing."""
    assert juicefs.open_to_strangers() == {"ro-ri"}
    assert juicefs.read_back("policy_status_public")["ro-ri"] is False
    assert {(r["bucket"], r["answer"]["http"]) for r in juicefs.truth["refused"] if r["setting"] == "acl"} == {
        ("ho-so-cong-dan", 501), ("du-lieu-mo", 501),
    }  # fmt: skip
    assert juicefs_owner.having("SEC-13", "fail") == {"ro-ri"}
    assert juicefs_owner.having("SEC-13", "pass") == set(juicefs.listed) - {"ro-ri"}
    assert juicefs_owner.code == 1


def test_what_minios_front_end_answers_with_501_is_unknown(juicefs_owner: Audit, juicefs: StoreBed) -> None:
    for group in ("versioning", "replication", "block"):
        assert reasons(juicefs_owner, group) == dict.fromkeys(juicefs.listed, Reason.NOT_IMPLEMENTED)
    findings = {name: juicefs_owner.finding("BDR-08", name) for name in juicefs.listed}
    assert {(f["verdict"], f["reason_code"]) for f in findings.values()} == {("unknown", "not_implemented")}
    assert juicefs_owner.having("BDR-08", "pass") == juicefs_owner.having("BDR-08", "fail") == set()


def test_no_encryption_on_minios_front_end_is_what_it_says(juicefs_owner: Audit, juicefs: StoreBed) -> None:
    """It refuses to set one, and says that none is set."""
    assert juicefs.read_back("encryption") == dict.fromkeys(juicefs.listed, None)
    assert all(juicefs.read_back("encryption_supported").values())
    assert juicefs_owner.having("SEC-16", "fail") == set(juicefs.listed)


def test_the_list_of_a_user_of_minio_is_not_that_of_the_store(
    juicefs_reader: Audit, juicefs_owner: Audit, juicefs: StoreBed
) -> None:
    """All callers are shown one owner, and each the buckets it has rights to."""
    lists = juicefs.truth["list_buckets"]["first"]
    assert lists["reader"]["owner_id"] == lists["other"]["owner_id"] == lists["owner"]["owner_id"]
    shown = set(lists["reader"]["buckets"])
    assert {bucket.id for bucket in juicefs_reader.resources("s3.bucket")} == shown
    assert set(juicefs.listed) - shown == {"nhan-ban", "nhan-ban-dich", "khach-khac"}
    (gap,) = [gap for gap in juicefs_reader.gaps("s3.bucket") if gap.listing]
    assert gap.reason is Reason.PARTIAL
    assert gap.detail.startswith("MinIO lists only buckets that these keys have rights to")
    assert juicefs_reader.listings("s3.bucket") == []
    assert {juicefs_reader.control(control)["verdict"] for control in ("RES-04", "RES-05")} == {"unknown"}
    (listing,) = juicefs_owner.listings("s3.bucket")
    assert listing.count == len(juicefs.listed)
    assert listing.proof.endswith("is the word of targets.yaml (expected_owner)")


def test_what_a_policy_of_a_user_denies_is_unknown(juicefs_reader: Audit, juicefs: StoreBed) -> None:
    answers = juicefs.truth["buckets"]["bi-tu-choi"]["answers"]["reader"]
    assert (answers["head"]["http"], answers["policy"]["http"], answers["acl"]["http"]) == (200, 403, 403)
    for control in ("SEC-13", "SEC-16", "RES-04"):
        finding = juicefs_reader.finding(control, "bi-tu-choi")
        assert (finding["verdict"], finding["reason_code"]) == ("unknown", "no_permission")
    assert juicefs_reader.having("SEC-13", "fail") == {"ro-ri"}


# --- rclone -------------------------------------------------------------------------------------------------


def test_a_listing_in_place_of_a_setting_is_never_a_fact(rclone_owner: Audit, rclone: StoreBed) -> None:
    """It answers all questions so but two, and is asked by HEAD whether the bucket is there, which it is."""
    answers = rclone.truth["buckets"]["ho-so-cong-dan"]["answers"]["owner"]
    roots = {setting: answer["root"] for setting, answer in answers.items() if answer["http"] == 200}
    assert {setting for setting, root in roots.items() if root not in ("ListBucketResult", None)} == {
        "location",
        "versioning",
    }
    for group in ("acl", "policy", "block", "encryption", "replication", "labels"):
        assert reasons(rclone_owner, group) == dict.fromkeys(rclone.listed, Reason.NOT_IMPLEMENTED)
    for control in ("SEC-13", "SEC-16"):
        findings = {name: rclone_owner.finding(control, name) for name in rclone.listed}
        told = {(f["verdict"], f["reason_code"]) for f in findings.values()}
        assert told == {("unknown", "not_implemented")}
        assert rclone_owner.control(control)["verdict"] == "unknown"


def test_a_store_that_cannot_keep_versions_keeps_none(rclone_owner: Audit, rclone: StoreBed) -> None:
    refused = {
        r["bucket"]: r["answer"]["http"] for r in rclone.truth["refused"] if "versioning" in r["setting"]
    }
    assert refused == dict.fromkeys(
        ("ho-so-cong-dan", "sao-luu", "tam-dung", "nhan-ban", "nhan-ban-dich"), 501
    ) | {"bi-tu-choi": 501}
    assert versioning(rclone_owner) == dict.fromkeys(rclone.listed, "off")
    assert rclone_owner.having("BDR-08", "fail") == set(rclone.listed)


def test_a_bucket_without_a_location_is_nowhere(rclone_owner: Audit, rclone: StoreBed) -> None:
    """Not even the one that was asked for in another region."""
    assert rclone.read_back("location") == dict.fromkeys(rclone.listed, None)
    findings = {name: rclone_owner.finding("RES-04", name) for name in rclone.listed}
    assert {(f["verdict"], f["reason_code"]) for f in findings.values()} == {("unknown", "unmapped")}


# --- all of them ----------------------------------------------------------------------------------------------

OF_SETTINGS = {
    "location": "location", "versioning": "versioning", "encryption": "encryption", "object_lock": "lock",
    "lifecycle": "lifecycle", "replication": "replication", "policy": "policy", "policy_status": "policy_status",
    "public_access_block": "block", "acl": "acl", "ownership": "ownership", "tagging": "label_names",
    "logging": "logging", "notification": "notification", "cors": "cors", "website": "website",
}  # fmt: skip
"""Settings as the seed names them, with the facts that tell of them."""


@pytest.mark.parametrize("store", OF_STORES)
def test_only_what_a_store_answered_is_a_fact(
    store: str, stores: dict[str, StoreBed], sights_of_stores: dict[str, Snapshot]
) -> None:
    """Every setting of every bucket: answered or said to be not set is a fact, all else a reason."""
    expected, found = {}, {}
    for bucket in sights_of_stores[f"{store} owner"].each("s3.bucket"):
        told = stores[store].truth["buckets"][bucket.id]["facts"]
        for setting, group in OF_SETTINGS.items():
            known = told[setting]["state"] in ("answered", "not-set")
            if store.startswith("swift") and setting == "acl":
                known = (store, bucket.id) == ("swift-acl", "du-lieu-mo")
            expected[bucket.id, setting] = None if known else "unknown"
            seen = any(fact.partition(".")[0] == group for fact in bucket.facts)
            assert seen is (group not in bucket.unseen), (bucket.id, setting)
            found[bucket.id, setting] = None if seen else "unknown"
            if told[setting]["state"] == "unsupported" and bucket.id != ELSEWHERE:
                assert bucket.unseen[group].reason is Reason.NOT_IMPLEMENTED, (bucket.id, setting)
    if store == "ceph":
        # Only its location is read: the rest is at another address, which is no answer of this one.
        expected |= {(ELSEWHERE, setting): "unknown" for setting in OF_SETTINGS if setting != "location"}
    assert found == expected


@pytest.mark.parametrize("store", OF_STORES)
def test_the_values_are_those_that_were_read_back(
    store: str, stores: dict[str, StoreBed], sights_of_stores: dict[str, Snapshot]
) -> None:
    for bucket in sights_of_stores[f"{store} owner"].each("s3.bucket"):
        if bucket.id == ELSEWHERE:
            continue
        facts, told = bucket.facts, stores[store].truth["buckets"][bucket.id]["summary"]
        assert facts["location"] == told["location"]
        assert facts.get("versioning.state", "off") == STATES[told["versioning"]]
        assert facts.get("lock.enabled", False) == told["lock"]
        rules = facts.get("lifecycle.rules", ())
        assert [rule["id"] for rule in rules] == [rule["ID"] for rule in told["lifecycle_rules"] or ()]
        copies = [rule["destination"] for rule in facts.get("replication.rules", ())]
        assert copies == [
            rule["Destination"]["Bucket"].rpartition(":::")[2] for rule in told["replication_rules"] or ()
        ]
        names = {unicodedata.normalize("NFC", name) for name in told["tags"]}
        assert set(facts.get("label_names", ())) == names
        assert bool(facts.get("encryption.algorithm")) == bool(told["encryption"])


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
