"""The OpenStack half of the sample cloud: answers over HTTP what a real one was recorded answering.

A recording is JSON Lines: region, service, the scope of the token, request, status, headers, body.
Two things are changed when it is served: addresses, because the recorded cloud had one set of
endpoints and the sample cloud gives each region its own, and the end of a token's life, which would
otherwise be past.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from cloudaudit.demo.web import Request, Response
from cloudaudit.model import Seconds, parse_time

FAR_FUTURE: Final = "2046-11-01T00:00:00.000000Z"
KEPT_HEADERS: Final = (
    "content-type", "date", "x-openstack-request-id", "x-compute-request-id", "x-trans-id",
    "openstack-api-version", "x-openstack-nova-api-version",
)  # fmt: skip
IDENTITY: Final = "identity"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer of the recorded cloud."""

    status: int
    headers: Mapping[str, str]
    body: str


Key = tuple[str, str, str, str, str, frozenset[tuple[str, str]]]


def key_of(region: str, service: str, scope: str, method: str, target: str) -> Key:
    """What an answer is found by; the order of a query does not matter."""
    parts = urlsplit(target)
    query = frozenset(parse_qsl(parts.query, keep_blank_values=True))
    return (region, service, scope, method, parts.path.rstrip("/"), query)


class RecordedCloud:
    """All recorded answers, served under `bases`: address of each region, without a slash at its end."""

    def __init__(self, recording: Path, bases: Mapping[str, str]) -> None:
        self.bases = bases
        self.unrecorded: list[str] = []
        self._answers: dict[Key, Recorded] = {}
        self._addresses: dict[str, str] = {}
        with recording.open(encoding="utf-8") as lines:
            about = json.loads(next(lines))
            self._addresses = about["addresses"]
            for line in lines:
                entry = json.loads(line)
                method, _, target = entry["request"].partition(" ")
                key = key_of(entry["region"], entry["service"], entry["scope"], method, target)
                self._answers[key] = Recorded(entry["status"], entry["headers"], _text(entry["body"]))

    @staticmethod
    def clock(recording: Path) -> Seconds:
        """When the recording was finished: the time of assessment that fits it."""
        with recording.open(encoding="utf-8") as lines:
            return parse_time(json.loads(next(lines))["recorded_at"])

    def answer(self, region: str, request: Request) -> Response:
        """Answer a request that came to one region's address: /SERVICE/PATH."""
        service, _, rest = request.target.lstrip("/").partition("/")
        scope = request.headers.get("X-Auth-Token", "none")
        if service == IDENTITY and request.method == "POST":
            return self._token(request)
        # Keystone is one for all regions.
        where = "" if service == IDENTITY else region
        found = self._answers.get(key_of(where, service, scope, request.method, "/" + rest))
        if found is None:
            self.unrecorded.append(f"{request.method} {request.target} as {scope}")
            return Response(
                404, {"Content-Type": "application/json"}, b'{"error": {"message": "not recorded"}}'
            )
        headers = {
            k: v for k, v in found.headers.items() if k.lower() in KEPT_HEADERS or k.lower().startswith("x-")
        }
        return Response(found.status, headers, self._moved(found.body, region).encode())

    def _token(self, request: Request) -> Response:
        """A token for the scope asked, as Keystone once gave it; refused where Keystone refused."""
        asked = json.loads(request.body)["auth"].get("scope", {})
        scope = scope_name(asked)
        found = self._answers.get(key_of("", IDENTITY, scope, "POST", "/v3/auth/tokens"))
        if found is None:
            self.unrecorded.append(f"POST token for {scope}")
            return Response(
                401, {"Content-Type": "application/json"}, b'{"error": {"message": "not recorded"}}'
            )
        body = json.loads(found.body)
        if found.status == 201:
            token = body["token"]
            token["expires_at"] = FAR_FUTURE
            for service in token.get("catalog", ()):
                for endpoint in service["endpoints"]:
                    region = (
                        endpoint["region_id"]
                        if endpoint["region_id"] in self.bases
                        else next(iter(self.bases))
                    )
                    endpoint["url"] = self._moved(endpoint["url"], region)
        headers = {k: v for k, v in found.headers.items() if k.lower() in KEPT_HEADERS}
        return Response(found.status, {**headers, "X-Subject-Token": scope}, json.dumps(body).encode())

    def _moved(self, text: str, region: str) -> str:
        """The same text with the recorded cloud's addresses replaced by this region's."""
        for address, service in self._addresses.items():
            base = next(iter(self.bases.values())) if service == IDENTITY else self.bases[region]
            text = text.replace(address, f"{base}/{service}")
        return text


def scope_name(asked: Mapping[str, Any] | str) -> str:
    """A scope as the recordings name it: system, project:NAME or ID, or none."""
    if not isinstance(asked, Mapping):
        return str(asked)
    if "system" in asked:
        return "system"
    project = asked.get("project")
    if isinstance(project, Mapping):
        return f"project:{project.get('id') or project.get('name')}"
    return "none"


def _text(body: Any) -> str:
    """A recorded body as it is sent: JSON is kept as JSON, anything else as text."""
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
