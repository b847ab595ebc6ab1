"""What is declared about the beds when their verdicts are looked at: once in order, and once wanting.

A real service shows one platform, so that only registers can show a platform both ways: the same cloud is judged
with registers in order, whose papers are served on loopback, and with registers that have no papers and
name places abroad.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from audits import registers, system, write
from declared import BACKUP_TARGETS, SYSTEMS

IN_ORDER, WANTING = "in order", "wanting"
DECLARED = (IN_ORDER, WANTING)
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "SEC-02": {"service_accounts": ["barbican", "cinder", "designate", "glance", "heat", "manila", "neutron"]},
    "POR-04": {"standard_flavors": ["1V-1", "2V-1"]},
}
"""Choices of an organisation that a profile makes."""
OWNER = "Đơn vị vận hành"
_TEXT = b"Van ban thu cua moi truong thu.\n"


class _Papers(BaseHTTPRequestHandler):
    """One text at every address."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(_TEXT)))
        self.end_headers()
        self.wfile.write(_TEXT)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: what is asked for is in the log of calls."""


@contextmanager
def papers() -> Iterator[str]:
    """Where the papers are published, while they are."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Papers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def paper(base: str, kind: str, **more: Any) -> dict[str, Any]:
    """A paper in order, unless told otherwise."""
    return {
        "id": kind, "kind": kind, "owner": OWNER, "title_vi": kind, "url": f"{base}/{kind}",
        "sha256": hashlib.sha256(_TEXT).hexdigest(), "issued_at": "2026-01-05", "valid_until": "2036-01-04",
        "approver": "Giám đốc", "reviewer": "Trưởng ban Pháp chế", "language": ["vi"], **more,
    }  # fmt: skip


REGIONS = ["vn", "vn-hn-1", "vn-hcm-1"]
_HANOI: Mapping[str, Any] = {
    "id": "hn", "name": "Trung tâm dữ liệu Hà Nội", "province": "Hà Nội", "country": "VN", "risk_group": "bac",
    "azs": ["hn-az1", "nova", "internal"], "regions": REGIONS, "s3_locations": ["vn-hn", "vn-hn-1"],
    "ip_ranges": ["127.0.0.0/8"], "backend_names": ["bed@file1"], "endpoints": ["198.51.100.10"],
    "store_ids": ["file", "glance@vn-hn-1"], "attestation": "dc-conformity",
}  # fmt: skip
_SAIGON: Mapping[str, Any] = {
    "id": "hcm", "name": "Trung tâm dữ liệu TP. Hồ Chí Minh", "province": "TP. Hồ Chí Minh", "country": "VN",
    "risk_group": "nam", "azs": ["hcm-az1"], "s3_locations": ["vn-hcm"], "store_ids": ["sg-realm/sg-cluster"],
}  # fmt: skip
SITES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    IN_ORDER: [_HANOI, _SAIGON],
    WANTING: [
        {**{k: v for k, v in _HANOI.items() if k != "attestation"}, "country": "SG", "endpoints": []},
        {**_SAIGON, "country": "SG"},
    ],
}
LANDING: Mapping[str, Mapping[str, Any]] = {
    IN_ORDER: {
        "id": "ho-so-thu", "publisher": OWNER, "required_services": ["identity", "compute"],
        "formats": ["raw", "qcow2", "vmdk"], "ndc_peers": ["198.51.100.10"],
    },
    WANTING: {
        "id": "ho-so-thu", "publisher": OWNER, "required_services": ["identity", "database"],
        "formats": ["qcow2"], "ndc_peers": ["198.51.100.66"],
    },
}  # fmt: skip
OF_BUCKETS = (
    system("kho", "critical", ["internal"], open_data=["du-lieu-mo"], selectors=[{"bucket": "*", "catch_all": True}]),
    system(
        "cong-dich-vu", "critical", ["nd53-user-data"],
        selectors=[{"bucket": "ho-so-*"}, {"bucket": "nhat-ky*"}, {"bucket": "sao-luu*"}],
    ),
)  # fmt: skip
"""Buckets of a system with regulated data, and all others."""


def attestations(base: str) -> list[dict[str, Any]]:
    """Papers that are in order, and one whose time is over."""
    return [
        paper(base, "dc-conformity"),
        paper(base, "privileged-accounts", entries=[{"what": "ops-admin"}]),
        paper(base, "commitment-dr", claims=[{"metric": "data_country", "operator": "=", "value": "VN"}]),
        paper(base, "pentest", issued_at="2024-01-05", valid_until="2025-01-04"),
    ]


@dataclass(frozen=True, slots=True)
class Declared:
    """Folders of registers for the cloud and for the stores, by how they are."""

    cloud: Mapping[str, Path]
    stores: Mapping[str, Path]


def declare(folder: Path, base: str) -> Declared:
    """Write all registers."""
    cloud, stores = {}, {}
    for how in DECLARED:
        common: dict[str, Any] = {
            "sites": SITES[how],
            "attestations": attestations(base) if how == IN_ORDER else [],
        }
        name = how.replace(" ", "-")
        cloud[how] = registers(
            folder / f"cloud-{name}", systems=SYSTEMS, backup_targets=BACKUP_TARGETS, **common
        )
        stores[how] = registers(folder / f"stores-{name}", systems=OF_BUCKETS, **common)
        write(cloud[how] / "landing_profile.yaml", {"version": 1, "landing_profile": LANDING[how]})
    return Declared(cloud, stores)
