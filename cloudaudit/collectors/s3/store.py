"""Questions to one S3 endpoint, and what its answers mean bucket by bucket."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from cloudaudit.collectors.buckets import Unreadable
from cloudaudit.collectors.s3.answers import (
    Foreign,
    Operation,
    Reading,
    Standing,
    State,
    reading,
    refusal,
    tree,
)
from cloudaudit.collectors.s3.credentials import Signer
from cloudaudit.collectors.s3.operations import shows_everyone
from cloudaudit.collectors.s3.target import S3Target
from cloudaudit.collectors.transport import (
    MIB,
    Answer,
    CallLog,
    Failure,
    HttpClient,
    Journal,
    Request,
    printable,
)
from cloudaudit.model import Reason, Scope, Seconds, Value

NONSENSE: Final = "khong-co-tham-so"
"""A sub-resource that no store knows: the answer shows what a store does with such questions."""

MOST_WITNESSES: Final = 20
_SETTING_BYTES: Final = 4 * MIB
_SWIFT_MARKS: Final = ("x-openstack-request-id", "x-trans-id")
_RGW_REQUEST: Final = re.compile(r"tx[0-9a-f]{21}-[0-9a-f]+-[0-9a-f]+-(.+)")


@dataclass(frozen=True, slots=True)
class Head:
    """What HEAD of a bucket said: the only proof that we see it. Status 0: there was no answer."""

    status: int
    meaning: Reading

    @property
    def sees(self) -> bool:
        return self.status == 200

    @property
    def blocks(self) -> bool:
        """Whether asking on is useless: no connection, elsewhere, not there, or not accepted."""
        return self.status in (0, 400, 404, 412) or self.meaning.state is State.ELSEWHERE


@dataclass(frozen=True, slots=True)
class Visit:
    """What one bucket's answers said, with call numbers of its own log."""

    name: str
    head: Head
    readings: Mapping[str, Reading]
    """By the operation's call; what could not be asked has the meaning of HEAD."""
    at: Seconds | None
    kind: str | None


class Store:
    """One endpoint, asked with one set of keys. Shared by threads."""

    def __init__(self, target: S3Target, client: HttpClient, signer: Signer, scope: Scope) -> None:
        self._target = target
        self._client = client
        self._signer = signer
        self._scope = scope
        self._swift = False
        """Whether the list of buckets came from Swift; a proxy may take its marks off other answers."""

    def ask(self, query: str, log: CallLog) -> Answer | Failure:
        """GET of the endpoint itself: the list of buckets. Goes before the visits, if it is asked at all."""
        request = Request("GET", self._target.url(query=query), sign=self._signer.headers)
        answer = self._client.send(request, Journal(log, self._scope, "s3"))
        self._swift = self._swift or (isinstance(answer, Answer) and kind_of(answer.headers) == "swift")
        return answer

    def ask_bucket(self, method: str, name: str, query: str, log: CallLog) -> Answer | Failure:
        """One question about a bucket. In the log it looks the same for either host style."""
        quoted = quote(name, safe="~")
        if quoted.strip(".") == "":
            return Failure(Reason.INVALID_ANSWER, "a name that cannot stand in an address")
        request = Request(
            method,
            self._target.url(quoted, query),
            sign=self._signer.headers,
            label=f"{method} /{printable(quoted, 300)}{'?' if query else ''}{query}",
            max_body=_SETTING_BYTES,
        )
        return self._client.send(request, Journal(log, self._scope, "s3"))

    def visit(self, name: str, asked: tuple[Operation, ...], *, owns: bool, log: CallLog) -> Visit:
        """Ask one bucket. The location comes first: it is told even where the bucket is elsewhere."""
        answers: dict[str, Answer | Failure] = {}
        rest = list(asked)
        if rest and rest[0].call == "s3.location":
            location = rest.pop(0)
            answers[location.call] = self.ask_bucket("GET", name, location.query, log)
        head = self.ask_bucket("HEAD", name, "", log)
        headed = _head(head)
        standing = Standing(headed.sees, owns, str(headed.status or "nothing"))
        readings = {op.call: reading(op, answers[op.call], standing) for op in asked if op.call in answers}
        if headed.blocks:
            place = readings["s3.location"].facts.get("location") if "s3.location" in readings else None
            headed = _placed(headed, place)
            readings.update((op.call, headed.meaning) for op in rest)
        else:
            for operation in rest:
                answer = self.ask_bucket("GET", name, operation.query, log)
                answers[operation.call] = answer
                marked = any(isinstance(a, Answer) and kind_of(a.headers) == "swift" for a in (head, answer))
                swift = self._swift or marked
                readings[operation.call] = believed(operation, answer, standing, swift=swift)
        every = [a for a in (head, *answers.values()) if isinstance(a, Answer)]
        kind = next((found for a in every if (found := kind_of(a.headers))), None)
        return Visit(name, headed, readings, every[0].at if every else None, kind)

    def witness(self, names: Iterable[str], log: CallLog) -> str | None:
        """The first bucket that we see, among the first few."""
        for name, _ in zip(names, range(MOST_WITNESSES), strict=False):
            if _head(self.ask_bucket("HEAD", name, "", log)).sees:
                return name
        return None

    def ask_witness(self, name: str, operation: Operation, *, owns: bool, log: CallLog) -> Reading:
        """One sub-resource of a bucket that we see: what the endpoint makes of the question."""
        answer = self.ask_bucket("GET", name, operation.query, log)
        return believed(operation, answer, Standing(sees=True, owns=owns), swift=self._swift)

    def ask_nonsense(self, name: str, log: CallLog) -> Reading:
        """A question that nobody understands, to a bucket that we see."""
        answer = self.ask_bucket("GET", name, NONSENSE, log)
        if isinstance(answer, Failure):
            return Reading(State.UNKNOWN, answer.call, reason=answer.reason, detail=answer.detail)
        if answer.status in (401, 403, 408, 429, 500) or answer.status > 501:
            return refusal(answer)
        fact = {"answers_unknown_with_listing": answer.status == 200 and _is_listing(answer.body)}
        return Reading(State.PRESENT, answer.call, fact)


OTHERS: Final = frozenset({"minio", "seaweedfs", "swift"})
"""Servers that are told by their marks and are no Ceph RGW."""


def kind_of(headers: Mapping[str, str]) -> str | None:
    """Which server answered, by its marks; None when it wears none."""
    server = headers.get("server", "").lower()
    if any(name.startswith("x-rgw-") for name in headers):
        return "ceph"
    if any(mark in headers for mark in _SWIFT_MARKS):
        return "swift"
    if _RGW_REQUEST.fullmatch(headers.get("x-amz-request-id", "")):
        return "ceph"
    return next((kind for kind in ("seaweedfs", "minio") if server.startswith(kind)), None)


def zone_of(headers: Mapping[str, str]) -> str | None:
    """The zone of the Ceph gateway that answered, which ends the request id; None when it wears none."""
    found = _RGW_REQUEST.fullmatch(headers.get("x-amz-request-id", ""))
    return found[1] if found else None


def believed(
    operation: Operation, answer: Answer | Failure, standing: Standing, *, swift: bool = False
) -> Reading:
    """What an answer means, and of Swift's ACLs only a grant to everyone that is shown.

    With its default setting Swift shows the ACL of a world-readable container as private. `swift` says
    that the endpoint is known to be one, whatever marks this answer wears.
    """
    result = reading(operation, answer, standing)
    if operation.call != "s3.acl" or result.state is not State.PRESENT or isinstance(answer, Failure):
        return result
    swift = swift or any(mark in answer.headers for mark in _SWIFT_MARKS)
    if not swift or shows_everyone(result.facts["acl.grants"]):
        return result
    detail = "Swift shows a public container as private here; its own API tells (X-Container-Read)"
    return Reading(State.UNSUPPORTED, result.call, reason=Reason.NOT_IMPLEMENTED, detail=detail)


def _head(answer: Answer | Failure) -> Head:
    if isinstance(answer, Failure):
        return Head(0, Reading(State.UNKNOWN, answer.call, reason=answer.reason, detail=answer.detail))
    status, call = answer.status, answer.call
    if status == 200:
        return Head(status, Reading(State.PRESENT, call))
    if status == 404:
        detail = "404: gone, of another account, or not known here yet"
        return Head(status, Reading(State.UNKNOWN, call, reason=Reason.AMBIGUOUS, detail=detail))
    return Head(status, refusal(answer))


def _placed(head: Head, place: Value) -> Head:
    if head.meaning.state is not State.ELSEWHERE or not isinstance(place, str):
        return head
    detail = f"{head.meaning.detail}; its location is '{printable(place, 80)}'"
    return replace(head, meaning=replace(head.meaning, detail=detail))


def _is_listing(body: bytes) -> bool:
    try:
        found = tree(body, frozenset({"ListBucketResult"}))
    except Unreadable:
        return False
    return not isinstance(found, Foreign)
