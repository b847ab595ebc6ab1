"""The OpenStack half of the sample cloud: answers over HTTP what a real one was recorded answering.

A recording is JSON Lines: region, service, the scope of the token, request, status, headers, body.
Three things are changed when it is served: addresses, because the recorded cloud had one set of
endpoints and the sample cloud gives each region its own; the catalogue, from which a service that a
region is to be without is left out; and the end of a token's life, which would otherwise be past. One
answer is from another recording of the same cloud, without the domain that was made for that: /domains.
What the recorded cloud had not is added by `made`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from cloudaudit.demo.web import Request, Response
from cloudaudit.model import Seconds, parse_time

FAR_FUTURE: Final = "2046-11-01T00:00:00.000000Z"
_JSON: Final = {"Content-Type": "application/json"}
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
IDENTITY: Final = "identity"
ABSENT: Final = frozenset({("vn-hcm-1", "swift"), ("vn-hcm-1", "heat")})
"""Services a region of the sample cloud does not have, by region and name."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer of the recorded cloud."""

    status: int
    headers: Mapping[str, str]
    body: Any
    """JSON as it was read, or text."""


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
        self.answers: dict[Key, Recorded] = {}
        self.addresses: dict[str, str] = {}
        with recording.open(encoding="utf-8") as lines:
            about = json.loads(next(lines))
            self.addresses = about["addresses"]
            for line in lines:
                entry = json.loads(line)
                method, _, target = entry["request"].partition(" ")
                key = key_of(entry["region"], entry["service"], entry["scope"], method, target)
                self.answers[key] = Recorded(entry["status"], entry["headers"], entry["body"])

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
        found = self.answers.get(key_of(where, service, scope, request.method, "/" + rest))
        if found is None:
            self.unrecorded.append(f"{request.method} {request.target} as {scope}")
            return Response(404, _JSON, b'{"error": {"message": "not recorded"}}')
        return self._sent(found, self._moved(found.body, region))

    def _token(self, request: Request) -> Response:
        """A token for the scope asked, as Keystone once gave it; refused where Keystone refused."""
        scope = scope_name(json.loads(request.body)["auth"].get("scope", {}))
        found = self.answers.get(key_of("", IDENTITY, scope, "POST", "/v3/auth/tokens"))
        if found is None:
            self.unrecorded.append(f"POST token for {scope}")
            return Response(401, _JSON, b'{"error": {"message": "not recorded"}}')
        body = self._moved(found.body, next(iter(self.bases)))
        if found.status == 201:
            body["token"]["expires_at"] = FAR_FUTURE
        return self._sent(found, body, {"X-Subject-Token": scope})

    def _sent(self, found: Recorded, body: Any, more: Mapping[str, str] = _NO_HEADERS) -> Response:
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        return Response(found.status, {**found.headers, **more}, text.encode())

    def _moved(self, body: Any, region: str) -> Any:
        """The same answer with the recorded cloud's addresses replaced by a region's own.

        An endpoint of a catalogue goes to the region it names, everything else to `region`.
        """
        match body:
            case str():
                for address, service in self.addresses.items():
                    base = next(iter(self.bases.values())) if service == IDENTITY else self.bases[region]
                    body = body.replace(address, f"{base}/{service}")
                return body
            case list():
                return [self._moved(item, region) for item in body if not self._is_absent(item)]
            case dict():
                named = str(body.get("region_id")) if "url" in body else region
                where = named if named in self.bases else region
                return {key: self._moved(value, where) for key, value in body.items()}
            case _:
                return body

    def _is_absent(self, item: Any) -> bool:
        """Whether an entry of a catalogue is an endpoint that the sample cloud does not have."""
        if not isinstance(item, dict) or "region_id" not in item or "url" not in item:
            return False
        return any(
            item["region_id"] == region and str(item["url"]).startswith(address)
            for region, service in ABSENT
            for address, name in self.addresses.items()
            if name == service
        )


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
