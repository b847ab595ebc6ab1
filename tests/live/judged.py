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

IN_ORDER, WITH_VERSIONS, WANTING = "in order", "with versions", "wanting"
DECLARED = (IN_ORDER, WITH_VERSIONS, WANTING)
"""Registers in order; the same with a landing profile that asks for versions of interfaces, which no answer
compares with all it asks for; and registers in which much is wrong or missing."""
SERVICE_ACCOUNTS = [
    "barbican", "cinder", "designate", "glance", "heat", "manila", "neutron", "nova", "octavia", "placement", "swift",
]  # fmt: skip
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    **{control: {"service_accounts": SERVICE_ACCOUNTS} for control in ("SEC-02", "SEC-03", "SEC-05")},
    "RES-01": {"allowed_regions": ["vn-hn-1"]},
    "SEC-112": {"most_members": 1},
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
    "ip_ranges": ["127.0.0.0/8", "203.0.113.0/24"], "backend_names": ["bed@file1"], "endpoints": ["198.51.100.10"],
    "attestation": "dc-conformity",
}  # fmt: skip
_SAIGON: Mapping[str, Any] = {
    "id": "hcm", "name": "Trung tâm dữ liệu TP. Hồ Chí Minh", "province": "TP. Hồ Chí Minh", "country": "VN",
    "risk_group": "nam", "azs": ["hcm-az1"], "s3_locations": ["vn-hcm"],
    "store_ids": ["file", "glance@vn-hn-1", "sg-realm/sg-cluster"],
}  # fmt: skip
SITES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    IN_ORDER: [_HANOI, _SAIGON],
    WITH_VERSIONS: [_HANOI, _SAIGON],
    WANTING: [
        {**{k: v for k, v in _HANOI.items() if k != "attestation"}, "country": "SG", "endpoints": []},
        {**_SAIGON, "country": "SG"},
    ],
}
_LANDING: Mapping[str, Any] = {"id": "ho-so-thu", "publisher": OWNER}
LANDING: Mapping[str, Mapping[str, Any]] = {
    IN_ORDER: {
        **_LANDING, "required_services": ["identity", "compute"], "formats": ["raw", "qcow2", "vmdk"],
        "ndc_peers": ["198.51.100.10"], "ndc_ranges": ["192.0.2.0/24"],
    },
    WITH_VERSIONS: {
        **_LANDING, "required_services": ["identity"], "formats": ["raw"], "ndc_peers": ["198.51.100.10"],
        "api_floors": {"shared-file-system": "2.60"},
    },
    WANTING: {
        **_LANDING, "required_services": ["identity", "database"], "formats": ["qcow2"],
        "ndc_peers": ["198.51.100.66"], "ndc_ranges": ["10.0.0.0/8"], "api_floors": {"compute": "2.999"},
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


def attestations(base: str, how: str) -> list[dict[str, Any]]:
    """Papers that are in order; or one that states what is not so, and has no end."""
    if how == WANTING:
        claims = [{"metric": "data_country", "operator": "=", "value": "VN"}]
        stated = paper(base, "commitment-data-management", claims=claims)
        return [stated, {k: v for k, v in paper(base, "pentest").items() if k != "valid_until"}]
    return [
        paper(base, "dc-conformity"),
        paper(base, "privileged-accounts", entries=[{"what": "ops-admin"}, {"what": "ops-backup"}]),
        paper(base, "data-storage-request", systems=["cong-dich-vu"]),
        paper(base, "storage-encryption", systems=["cong-dich-vu"]),
        paper(base, "image-sources"),
        paper(base, "interop-test-report", headings=["2022.11"]),
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
            "attestations": attestations(base, how),
        }
        name = how.replace(" ", "-")
        systems = SYSTEMS[:2] if how == WANTING else SYSTEMS
        cloud[how] = registers(
            folder / f"cloud-{name}", systems=systems, backup_targets=BACKUP_TARGETS, **common
        )
        stores[how] = registers(folder / f"stores-{name}", systems=OF_BUCKETS, **common)
        write(cloud[how] / "landing_profile.yaml", {"version": 1, "landing_profile": LANDING[how]})
    return Declared(cloud, stores)
