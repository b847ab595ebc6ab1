"""Read what a server answered, trusting nothing: JSON, microversions.

What cannot be used becomes a :class:`Trouble`, never an exception and never an empty list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from cloudaudit.collectors.transport import Answer, printable, reason_of_status
from cloudaudit.model import Reason, Unseen


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an answer, or a whole service, cannot be used. `status` is 0 when nothing was answered."""

    reason: Reason
    detail: str
    call: int | None = None
    status: int = 0

    def unseen(self) -> Unseen:
        return Unseen(self.reason, self.detail)


def refused(status: int, request: str, call: int) -> Trouble:
    """An answer whose status is no success."""
    return Trouble(reason_of_status(status), f"HTTP {status} from {request}", call, status)


def json_of(answer: Answer, request: str) -> object | Trouble:
    """The JSON of an answer. HTML or broken JSON is trouble."""
    try:
        body: object = json.loads(answer.body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        kind = printable(answer.headers.get("Content-Type", "no content type").partition(";")[0], 60)
        detail = f"the answer to {request} is no JSON ({kind})"
        return Trouble(Reason.INVALID_ANSWER, detail, answer.call, answer.status)
    return body


def document(answer: Answer, request: str) -> dict[str, object] | Trouble:
    """The JSON object of an answer; any other kind of document is trouble too."""
    body = json_of(answer, request)
    if isinstance(body, dict | Trouble):
        return body
    detail = f"the answer to {request} is no JSON object"
    return Trouble(Reason.INVALID_ANSWER, detail, answer.call, answer.status)


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def version_pair(text: object) -> tuple[int, int] | None:
    """`2.96` as (2, 96)."""
    if not isinstance(text, str) or len(text) > 16:
        return None
    major, dot, minor = text.partition(".")
    if not (dot and major.isascii() and major.isdigit() and minor.isascii() and minor.isdigit()):
        return None
    return int(major), int(minor)


def supported_version(body: dict[str, object], major: int) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Smallest and largest microversion of the wanted major version in a version document."""
    versions = body.get("versions", body.get("version"))
    entries = versions if isinstance(versions, list) else [versions]
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        # Placement alone speaks of a `max_version`.
        largest = version_pair(entry.get("version")) or version_pair(entry.get("max_version"))
        smallest = version_pair(entry.get("min_version")) or version_pair(entry.get("start_version"))
        if largest and smallest and largest[0] == major:
            return smallest, largest
    return None


def path_of(url: str) -> str:
    """Path and query of an address: what a call log may show."""
    parts = urlsplit(url)
    return printable(f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/", 1000)


def request_id_of(headers: Mapping[str, str]) -> str:
    found = headers.get("x-openstack-request-id") or headers.get("x-compute-request-id") or ""
    return printable(found, 128)


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address, the usual port filled in. Raises ValueError on nonsense."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
