"""The sample cloud: two sites, real answers over HTTPS on loopback, complete registers, and a story.

A provider with a site in Hà Nội and one in Thành phố Hồ Chí Minh, on its way. Its portal is ready to
lose a site, the management of papers is not: it has one server, no backup elsewhere and no room at the
other site. Reports are copied to a partner abroad, a fail-over drill is overdue, some papers have
expired and one is not the registered one. Orchestration refuses the auditor in two projects, one bucket
refuses everything, the other site does not show how volumes are encrypted, and a sub-resource is not
known to the object store. One weakness is waived by the competent authority and another only by the
provider itself.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from cloudaudit.demo import made
from cloudaudit.demo.certificates import make
from cloudaudit.demo.openstack import RecordedCloud
from cloudaudit.demo.store import Store
from cloudaudit.demo.web import Answering, Request, Response, Site
from cloudaudit.model import Seconds

HANOI: Final = "127.11.21.10"
SAIGON: Final = "127.11.21.20"
PORTS: Final = {"cloud": 5444, "store": 5445, "papers": 5446}
BASES: Final = {
    "vn-hn-1": f"https://{HANOI}:{PORTS['cloud']}",
    "vn-hcm-1": f"https://{SAIGON}:{PORTS['cloud']}",
}
_SAMPLE: Final = Path(__file__).parent / "sample"
_TARGETS: Final = f"""\
version: 1
subjects:
  - id: dam-may-mau
    kind: provider
    title: {{vi: Đám mây mẫu, en: Sample cloud}}
    registers: registers
    targets:
      - {{name: may-chu, kind: openstack, cloud: dam-may-mau, regions: all, projects: all, ca_file: ca.pem,
         allow_private: [127.11.21.0/24]}}
      - {{name: kho, kind: s3, endpoint: "https://{HANOI}:{PORTS["store"]}",
         profile: dam-may-mau, region: vn-hn, ca_file: ca.pem, allow_private: [127.11.21.0/24]}}
"""
_CLOUDS: Final = f"""\
clouds:
  dam-may-mau:
    auth:
      auth_url: {BASES["vn-hn-1"]}/identity/v3
      username: audit
      password: any
      project_name: cong-dich-vu
      user_domain_name: Default
      project_domain_name: Default
    identity_api_version: 3
"""
_CREDENTIALS: Final = "[dam-may-mau]\naws_access_key_id = sample\naws_secret_access_key = sample\n"


@dataclass(slots=True)
class Sample:
    """The running sample cloud: its targets.yaml, its clock, and what was asked of it."""

    targets: Path
    at: Seconds
    sites: list[Site] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)

    @property
    def requests(self) -> list[Request]:
        """Every request that reached the sample cloud."""
        return [request for site in self.sites for request in site.requests]


@contextmanager
def sample_cloud() -> Iterator[Sample]:
    """Run the sample cloud while the block lasts. It listens on loopback addresses of its own."""
    with tempfile.TemporaryDirectory(prefix="cloudaudit-demo-") as name, ExitStack() as stack:
        folder = Path(name)
        recording = _SAMPLE / "openstack.jsonl"
        at = RecordedCloud.clock(recording)
        moment = datetime.fromtimestamp(at, UTC)
        date = format_datetime(moment, usegmt=True)
        authority = make(folder, (HANOI, SAIGON))
        _write_files(folder)
        cloud = RecordedCloud(recording, BASES)
        made.complete(cloud.answers, cloud.addresses)
        store = Store(moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
        stack.callback(store.close)
        sample = Sample(folder / "targets.yaml", at, unrecorded=cloud.unrecorded)
        context = authority.server_context()

        def listen(address: str, port: int, answer: Answering) -> None:
            site = Site(address, port, context, answer, date)
            sample.sites.append(site)
            stack.callback(site.close)

        listen(HANOI, PORTS["cloud"], lambda request: cloud.answer("vn-hn-1", request))
        listen(SAIGON, PORTS["cloud"], lambda request: cloud.answer("vn-hcm-1", request))
        listen(HANOI, PORTS["store"], store.answer)
        listen(HANOI, PORTS["papers"], _paper)
        stack.enter_context(_environment(folder))
        yield sample


def _paper(request: Request) -> Response:
    """A published paper, by its file name."""
    path = _SAMPLE / "papers" / Path(request.target).name
    if not path.is_file():
        return Response(404)
    return Response(200, {"Content-Type": "text/plain; charset=utf-8"}, path.read_bytes())


def _write_files(folder: Path) -> None:
    shutil.copytree(_SAMPLE / "registers", folder / "registers")
    for name, text in (("targets.yaml", _TARGETS), ("clouds.yaml", _CLOUDS), ("credentials", _CREDENTIALS)):
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(text, encoding="utf-8")


@contextmanager
def _environment(folder: Path) -> Iterator[None]:
    """Point the SDKs at the sample's credentials, and only at those, while it runs."""
    ours = {
        "OS_CLIENT_CONFIG_FILE": str(folder / "clouds.yaml"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_CONFIG_FILE": str(folder / "no-such-file"),
        "NO_PROXY": "127.0.0.0/8",
        "no_proxy": "127.0.0.0/8",
    }
    before = {
        name: value for name, value in os.environ.items() if name.startswith(("OS_", "AWS_")) or name in ours
    }
    for name in before:
        del os.environ[name]
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
        os.environ.update(before)
