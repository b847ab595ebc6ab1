"""The beds, started if they do not run, and the audits of them: each made once, and read by many tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import beds
import pytest
from audits import LONGEST, Audit, Recorded, audited, collected_whole, profile, subject
from beds import OpenStackBed, StoreBed
from declared import ABOUT_BUCKETS, HANOI, of_cloud, of_store
from identities import Identities, identities
from recorder import recording
from table import look_at_stores
from vantages import OF_CLOUD, look_at_cloud

from cloudaudit.collectors.s3.listing import MINIO_OWNER
from cloudaudit.snapshot import Snapshot

HERE = Path(__file__).parent
# A second story of the OpenStack bed, which takes long to seed: `make live-controls` looks at it.
collect_ignore = [] if os.environ.get("CLOUDAUDIT_LIVE_CONTROLS") else ["test_verdicts.py"]
Folder = Callable[[str], Path]


def pytest_configure(config: pytest.Config) -> None:
    """Several processes would stop each other's beds."""
    if config.getoption("numprocesses", None):
        raise pytest.UsageError("the beds are started once: run these tests with -n 0")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test that needs a bed waits for it, on a new machine for minutes."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(beds.FIRST_TIME + LONGEST))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A new folder for one audit."""
    return tmp_path_factory.mktemp


@contextmanager
def _shown(config: pytest.Config, bed: AbstractContextManager[Any]) -> Iterator[Any]:
    """A bed, with what it says on its way up and down let through: the first time it takes minutes."""
    capturing = config.pluginmanager.getplugin("capturemanager")
    with capturing.global_and_fixture_disabled():
        running = bed.__enter__()
    try:
        yield running
    finally:
        with capturing.global_and_fixture_disabled():
            bed.__exit__(None, None, None)


@pytest.fixture(scope="session")
def cloud(pytestconfig: pytest.Config) -> Iterator[OpenStackBed]:
    """The OpenStack bed with the site of Hanoi."""
    with _shown(pytestconfig, beds.openstack("hn")) as bed:
        yield bed


@pytest.fixture(scope="session")
def ceph(pytestconfig: pytest.Config) -> Iterator[StoreBed]:
    with _shown(pytestconfig, beds.store("ceph")) as bed:
        yield bed


@pytest.fixture(scope="session")
def swift(pytestconfig: pytest.Config) -> Iterator[StoreBed]:
    with _shown(pytestconfig, beds.store("swift")) as bed:
        yield bed


@pytest.fixture(scope="session")
def seaweedfs(pytestconfig: pytest.Config) -> Iterator[StoreBed]:
    with _shown(pytestconfig, beds.store("seaweedfs")) as bed:
        yield bed


@pytest.fixture(scope="session")
def swift_acl(pytestconfig: pytest.Config) -> Iterator[StoreBed]:
    """Swift with access lists as S3 knows them."""
    with _shown(pytestconfig, beds.store("swift-acl")) as bed:
        yield bed


@pytest.fixture(scope="session")
def juicefs(pytestconfig: pytest.Config) -> Iterator[StoreBed]:
    """MinIO's front end."""
    with _shown(pytestconfig, beds.store("juicefs")) as bed:
        yield bed


@pytest.fixture(scope="session")
def rclone(pytestconfig: pytest.Config) -> Iterator[StoreBed]:
    """A store without settings, which answers questions about them with a listing."""
    with _shown(pytestconfig, beds.store("rclone")) as bed:
        yield bed


@pytest.fixture(scope="session")
def stores(
    ceph: StoreBed,
    swift: StoreBed,
    swift_acl: StoreBed,
    seaweedfs: StoreBed,
    juicefs: StoreBed,
    rclone: StoreBed,
) -> dict[str, StoreBed]:
    """All of them, by name."""
    return {
        "ceph": ceph, "swift": swift, "swift-acl": swift_acl, "seaweedfs": seaweedfs, "juicefs": juicefs,
        "rclone": rclone,
    }  # fmt: skip


# --- OpenStack --------------------------------------------------------------------------------------


def _audit_of_cloud(folder: Path, bed: OpenStackBed, entry: str, **target: Any) -> Audit:
    of_cloud(folder)
    dm = {"name": "dm", "kind": "openstack", "cloud": entry, **target}
    variables = {"OS_CLIENT_CONFIG_FILE": bed.env["clouds_yaml"]}
    ran = audited(folder, [subject("dam-may", dm, registers="registers")], variables=variables)
    return Audit(folder / "out", ran)


@pytest.fixture(scope="session")
def tenant(folder: Folder, cloud: OpenStackBed) -> Audit:
    """As `audit`: reader of four projects and of the system."""
    return _audit_of_cloud(folder("tenant"), cloud, "audit", regions=[HANOI])


@pytest.fixture(scope="session")
def both_regions(folder: Folder, cloud: OpenStackBed) -> Audit:
    """As `audit`, in both regions, which have the same addresses."""
    return _audit_of_cloud(folder("both-regions"), cloud, "audit")


@pytest.fixture(scope="session")
def owner(folder: Folder, cloud: OpenStackBed) -> Audit:
    """As `deploy`: member of all projects, so Swift and the VPN service show everything."""
    return _audit_of_cloud(folder("owner"), cloud, "deploy", regions=[HANOI])


@pytest.fixture(scope="session")
def noblock(folder: Folder, cloud: OpenStackBed) -> Audit:
    """As `noblock`, to whom Cinder answers 403."""
    return _audit_of_cloud(folder("noblock"), cloud, "noblock", regions=[HANOI])


@pytest.fixture(scope="session")
def only_compute(folder: Folder, cloud: OpenStackBed) -> Audit:
    """With an application credential whose access rules let it read Nova and nothing else."""
    return _audit_of_cloud(
        folder("only-compute"), cloud, "audit-appcred", regions=[HANOI], projects=["cong-dich-vu"]
    )


@pytest.fixture(scope="session")
def no_operator(folder: Folder, cloud: OpenStackBed) -> Audit:
    """As `audit`, who asks for all projects at once and is shown one, in which there is not much."""
    return _audit_of_cloud(
        folder("no-operator"), cloud, "audit-nen-tang", regions=[HANOI], vantage="operator"
    )


@pytest.fixture(scope="session")
def known(folder: Folder, cloud: OpenStackBed) -> Iterator[Identities]:
    """Audit identities beside those of the seed."""
    with identities(cloud, folder("identities")) as made:
        yield made


@pytest.fixture(scope="session")
def sights(folder: Folder, known: Identities) -> dict[str, Snapshot]:
    """Everything there is a collector for, by vantage."""
    return {vantage: look_at_cloud(folder(vantage), vantage, known) for vantage in OF_CLOUD}


def _whole_cloud(folder: Path, bed: OpenStackBed, entry: str, **target: Any) -> Audit:
    """Everything that can be collected, not only what a profile needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", bed.env["clouds_yaml"])
        dm = {"name": "dm", "kind": "openstack", "cloud": entry, "regions": [HANOI], **target}
        return collected_whole(folder, dm)


@pytest.fixture(scope="session")
def whole_operator(folder: Folder, cloud: OpenStackBed) -> Audit:
    """As the administrator, who asks for all projects at once."""
    return _whole_cloud(folder("whole-operator"), cloud, "admin", vantage="operator")


@pytest.fixture(scope="session")
def whole_system(folder: Folder, cloud: OpenStackBed) -> Audit:
    """As `audit`: reader of four projects and of the system."""
    return _whole_cloud(folder("whole-system"), cloud, "audit")


@pytest.fixture(scope="session")
def whole_reader(folder: Folder, cloud: OpenStackBed) -> Audit:
    """As `audit-tenant`: reader of one project."""
    return _whole_cloud(folder("whole-reader"), cloud, "audit-tenant")


@pytest.fixture(scope="session")
def whole_owner(folder: Folder, cloud: OpenStackBed) -> Audit:
    """As `deploy`: member of all projects, who may also use the key manager."""
    return _whole_cloud(folder("whole-owner"), cloud, "deploy")


@pytest.fixture(scope="session")
def whole_guest(folder: Folder, cloud: OpenStackBed) -> Audit:
    """As `audit`, who asks for all projects at once from one with which another shares something."""
    return _whole_cloud(folder("whole-guest"), cloud, "audit-van-ban", vantage="operator")


# --- S3 ---------------------------------------------------------------------------------------------


def _audit_of_store(
    folder: Path, bed: StoreBed, user: str, *, tls: bool = True, trusted: bool = True, **target: Any
) -> Audit:
    of_store(folder)
    kho = {
        "name": "kho", "kind": "s3", "profile": user, "region": bed.env["region"],
        "endpoint": bed.env["endpoints"]["https" if tls else "http"],
        **({"ca_file": bed.env["ca"]} if tls and trusted else {}), **target,
    }  # fmt: skip
    chosen = profile(folder, *ABOUT_BUCKETS)
    subjects = [subject("kho-luu-tru", kho, registers="registers")]
    return Audit(folder / "out", audited(folder, subjects, "-p", chosen, variables=bed.variables))


@pytest.fixture(scope="session")
def ceph_owner(folder: Folder, ceph: StoreBed) -> Audit:
    """With the keys of the buckets' owner."""
    return _audit_of_store(folder("ceph-owner"), ceph, "owner")


@pytest.fixture(scope="session")
def ceph_reader(folder: Folder, ceph: StoreBed) -> Audit:
    """With the keys of a user who has no buckets, and is let into some by their policies."""
    return _audit_of_store(folder("ceph-reader"), ceph, "reader")


@pytest.fixture(scope="session")
def ceph_named(folder: Folder, ceph: StoreBed) -> Audit:
    """The same, who names the buckets."""
    return _audit_of_store(folder("ceph-named"), ceph, "reader", buckets=["bi-tu-choi", "ho-so-cong-dan"])


@pytest.fixture(scope="session")
def ceph_wrong_secret(folder: Folder, ceph: StoreBed) -> Audit:
    return _audit_of_store(folder("ceph-wrong-secret"), ceph, "wrong_secret")


@pytest.fixture(scope="session")
def ceph_untrusted(folder: Folder, ceph: StoreBed) -> Audit:
    """With TLS by a private authority that targets.yaml does not name."""
    return _audit_of_store(folder("ceph-untrusted"), ceph, "owner", trusted=False)


@pytest.fixture(scope="session")
def swift_owner(folder: Folder, swift: StoreBed) -> Audit:
    return _audit_of_store(folder("swift-owner"), swift, "owner", tls=False)


@pytest.fixture(scope="session")
def seaweedfs_owner(folder: Folder, seaweedfs: StoreBed) -> Audit:
    """With the keys of its administrator, for whom targets.yaml vouches: the store shows nobody more."""
    return _audit_of_store(folder("seaweedfs-owner"), seaweedfs, "owner", expected_owner="chu")


@pytest.fixture(scope="session")
def seaweedfs_part(folder: Folder, seaweedfs: StoreBed) -> Audit:
    """With keys that have rights to two buckets."""
    return _audit_of_store(folder("seaweedfs-part"), seaweedfs, "part")


@pytest.fixture(scope="session")
def swift_acl_owner(folder: Folder, swift_acl: StoreBed) -> Audit:
    return _audit_of_store(folder("swift-acl-owner"), swift_acl, "owner")


@pytest.fixture(scope="session")
def juicefs_owner(folder: Folder, juicefs: StoreBed) -> Audit:
    """With the root key, for which targets.yaml vouches."""
    return _audit_of_store(folder("juicefs-owner"), juicefs, "owner", expected_owner=MINIO_OWNER)


@pytest.fixture(scope="session")
def juicefs_reader(folder: Folder, juicefs: StoreBed) -> Audit:
    """With the keys of a user whose policy leaves out some buckets, and denies the settings of one."""
    return _audit_of_store(folder("juicefs-reader"), juicefs, "reader")


@pytest.fixture(scope="session")
def rclone_owner(folder: Folder, rclone: StoreBed) -> Audit:
    return _audit_of_store(folder("rclone-owner"), rclone, "owner")


@pytest.fixture(scope="session")
def sights_of_stores(folder: Folder, stores: dict[str, StoreBed]) -> dict[str, Snapshot]:
    """Everything there is a collector for, by store and identity."""
    return look_at_stores(folder("stores"), stores)


# --- both, and the wire -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def recorded(folder: Folder, cloud: OpenStackBed, ceph: StoreBed) -> Recorded:
    """Both subjects, through a recorder."""
    here = folder("recorded")
    of_cloud(here)
    ports = {
        port for name, port in cloud.env["ports"].items() if name not in ("epmd", "rabbit", "rabbit_dist")
    }
    stores = [ceph.env["endpoints"]["http"], ceph.env["second"]["http"]]
    with recording([*ports, *(int(url.rpartition(":")[2]) for url in stores)]) as recorder:
        entries = Path(cloud.env["clouds_yaml"]).read_text(encoding="utf-8")
        (here / "clouds.yaml").write_text(recorder.rewritten(entries), encoding="utf-8")
        dm = {"name": "dm", "kind": "openstack", "cloud": "audit", "regions": [HANOI]}
        kho = {
            "name": "kho", "kind": "s3", "profile": "owner", "region": ceph.env["region"],
            "endpoint": recorder.rewritten(stores[0]),
        }  # fmt: skip
        quan_tri = {**dm, "cloud": "admin", "vantage": "operator"}
        ran = audited(
            here,
            [
                subject("dam-may", dm, kho, registers="registers"),
                subject("quan-tri", quan_tri, registers="registers"),
            ],
            variables={"OS_CLIENT_CONFIG_FILE": str(here / "clouds.yaml"), **ceph.variables},
        )
    out = here / "out"
    return Recorded(
        ran,
        Audit(out / "dam-may", ran),
        Audit(out / "quan-tri", ran),
        tuple(recorder.exchanges),
        frozenset(recorder.stand_ins.values()),
    )
