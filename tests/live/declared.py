"""What an operator declares about the beds: information systems, sites, where backups are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audits import registers, system

HANOI = "vn-hn-1"
SYSTEMS = (
    system("cong-dich-vu", "critical", ["personal-basic"], selectors=[{"project": "cong-dich-vu"}]),
    system("van-ban", "high", ["important"], selectors=[{"project": "van-ban"}]),
    system(
        "trang-tin", "medium", ["open"], open_data=["anh-cong-khai"], selectors=[{"project": "trang-tin"}]
    ),
    system("nen-tang", "high", ["internal"], selectors=[{"project": "nen-tang"}]),
)
"""The information systems of the OpenStack bed: one a project."""
PLACE = {"country": "VN"}
SITES = (
    {
        **PLACE, "id": "hn", "name": "Trung tâm dữ liệu Hà Nội", "province": "Hà Nội", "azs": ["hn-az1"],
        "risk_group": "bac", "s3_locations": ["vn-hn", "vn-hn-1"],
    },
    {
        **PLACE, "id": "hcm", "name": "Trung tâm dữ liệu TP. Hồ Chí Minh", "province": "TP. Hồ Chí Minh",
        "azs": ["hcm-az1"], "risk_group": "nam", "s3_locations": ["vn-hcm"],
    },
)  # fmt: skip
"""Sites by zone. Regions tell nothing on this bed: both have the same addresses."""
SITES_BY_REGION = tuple(
    {**{key: value for key, value in site.items() if key != "azs"}, "regions": [f"vn-{site['id']}-1"]}
    for site in SITES
)
BACKUP_TARGETS = (
    {"id": "kho-hn", "container": "kho-hn*", "site": "hn"},
    {"id": "kho-hcm", "container": "kho-hcm*", "site": "hcm"},
)
BUCKETS = system(
    "cong-dich-vu",
    "critical",
    ["internal"],
    open_data=["du-lieu-mo"],
    selectors=[{"bucket": "*", "catch_all": True}],
)
"""One system that owns every bucket."""
ABOUT_BUCKETS = ("SEC-13", "SEC-16", "BDR-08", "RES-04", "RES-05")
"""Technical controls of buckets: what an exit code says of them is not covered up by missing papers."""


def of_cloud(folder: Path, **changed: Sequence[Mapping[str, Any]]) -> Path:
    """Registers that fit the OpenStack bed."""
    lists = {"systems": SYSTEMS, "sites": SITES, "backup_targets": BACKUP_TARGETS, **changed}
    return registers(folder / "registers", **lists)


def of_store(folder: Path, **changed: Any) -> Path:
    """Registers that fit the S3 beds; `changed` are fields of the system."""
    return registers(folder / "registers", systems=[{**BUCKETS, **changed}], sites=SITES)
