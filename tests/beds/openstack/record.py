"""Record what the running bed answers to the collector, for the sample cloud.

    python tests/beds/openstack/record.py REGION RECORDING

Runs the collector against the bed as its auditor and adds every answer, by region, service, scope
of the token and request, to a JSON Lines file; a first line tells which address was which service.
Answers are kept as they came, but for tokens, which are dropped, and the JSON, which is reformatted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from cloudaudit.catalog import load_catalogue, load_profile
from cloudaudit.collectors.openstack import OpenStackCollector, OpenStackTarget
from cloudaudit.collectors.openstack import session as collector_session
from cloudaudit.collectors.transport import CallLog
from cloudaudit.demo.openstack import IDENTITY, scope_name
from cloudaudit.plan import plan

BED = Path(__file__).parent / "bed.sh"
KEPT = ("content-type", "date", "openstack-api-version")


def bed() -> dict[str, Any]:
    """What the bed says of itself."""
    done = subprocess.run([str(BED), "env"], capture_output=True, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class Recorder:
    """Stands in for the sending half of the collector's session and notes what came back."""

    def __init__(self, region: str, addresses: dict[str, str]) -> None:
        self.region = region
        self.addresses = addresses
        self.scopes: dict[str, str] = {}
        self.entries: dict[str, dict[str, Any]] = {}
        self._send = collector_session.ReadOnlyAdapter.send

    def install(self) -> None:
        recorder = self

        def send(adapter: Any, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            response = recorder._send(adapter, request, **options)
            recorder.note(request, response)
            return response

        collector_session.ReadOnlyAdapter.send = send  # type: ignore[method-assign,assignment]

    def note(self, request: requests.PreparedRequest, response: requests.Response) -> None:
        parts = urlsplit(str(request.url))
        service = self.addresses[f"{parts.scheme}://{parts.netloc}"]
        scope = self.scopes.get(str(request.headers.get("X-Auth-Token", "")), "none")
        if request.method == "POST":
            scope = scope_name(json.loads(request.body or b"{}")["auth"].get("scope", {}))
            self.scopes[response.headers.get("X-Subject-Token", "")] = scope
        query = f"?{parts.query}" if parts.query else ""
        headers = {k: v for k, v in response.headers.items() if self._is_kept(k.lower())}
        entry = {
            "region": "" if service == IDENTITY else self.region,
            "service": service,
            "scope": scope,
            "request": f"{request.method} {parts.path}{query}",
            "status": response.status_code,
            "headers": dict(sorted(headers.items())),
            "body": _body(response),
        }
        self.entries[json.dumps([entry[k] for k in ("region", "service", "scope", "request")])] = entry

    def _is_kept(self, name: str) -> bool:
        return name in KEPT or (name.startswith("x-") and "token" not in name)


def _body(response: requests.Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError:
        return response.content.decode("utf-8", "replace")


def main(region: str, recording: Path) -> None:
    about = bed()
    addresses = {
        f"http://127.0.0.1:{port}": IDENTITY if service == "keystone" else service
        for service, port in about["ports"].items()
    }
    os.environ["OS_CLIENT_CONFIG_FILE"] = about["clouds_yaml"]
    entries: dict[str, dict[str, Any]] = {}
    if recording.exists():
        _, *lines = recording.read_text(encoding="utf-8").splitlines()
        for line in lines:
            entry = json.loads(line)
            entries[json.dumps([entry[k] for k in ("region", "service", "scope", "request")])] = entry
    recorder = Recorder(region, addresses)
    recorder.install()
    catalogue = load_catalogue()
    profile = load_profile("ndc-connection", catalogue, "agency")
    wanted = plan(profile, catalogue.types).wanted
    target = OpenStackTarget("recording", "audit", regions=(region,))
    collector, log = OpenStackCollector(target, now=lambda: int(time.time())), CallLog()
    for scope in list(collector.scopes(log)):
        seen = list(collector.collect(scope, wanted, log))
        print(f"{scope}: {len(seen)} sightings", file=sys.stderr)
    entries |= recorder.entries
    first = {"addresses": addresses, "recorded_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    text = "\n".join(
        json.dumps(e, ensure_ascii=False, sort_keys=True)
        for e in (first, *(entries[k] for k in sorted(entries)))
    )
    recording.write_text(text + "\n", encoding="utf-8")
    print(f"{recording}: {len(entries)} answers", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
