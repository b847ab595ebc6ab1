"""What an S3 answer says about a setting: it is set, it is not, it cannot be asked, or we do not know.

Stores answer questions they do not understand with a listing of the bucket and status 200, refuse
with "not found", and say "not implemented" to strangers. So the root element is looked at before
anything is believed, and an empty answer counts only where HEAD proves that we see the bucket.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from cloudaudit.collectors.transport import REDIRECTS, Answer, Failure, printable
from cloudaudit.model import Reason, Value

MAX_ELEMENTS: Final = 250_000
MAX_DEPTH: Final = 64
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,80}")


class State(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    UNSUPPORTED = "unsupported"
    DENIED = "denied"
    ELSEWHERE = "elsewhere"
    UNKNOWN = "unknown"

    @property
    def answered(self) -> bool:
        return self in (State.PRESENT, State.ABSENT)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one answer says. `facts` only when it was answered, `reason` and `detail` only when not."""

    state: State
    call: int | None
    facts: Mapping[str, Value] = field(default_factory=dict)
    reason: Reason | None = None
    detail: str = ""


class Unreadable(ValueError):
    """A document with the expected root that does not say what it must."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A document that answers another question; `what` names it."""

    what: str


Read: TypeAlias = Callable[[bytes], Mapping[str, Value] | Foreign]


@dataclass(frozen=True, slots=True)
class Operation:
    """One sub-resource of a bucket: how it is asked, and how its answer becomes facts.

    `call` is its name in `resources/`, `api` the name the S3 API has for reading it. `absent` are
    the error codes that mean "not set", `nothing` the facts of a bucket where it is not set; it is
    empty where no answer can say that.
    """

    call: str
    query: str
    api: str
    groups: tuple[str, ...]
    absent: frozenset[str]
    read: Read
    nothing: Mapping[str, Value] = field(default_factory=dict)

    @property
    def is_policy(self) -> bool:
        return self.query == "policy"


@dataclass(frozen=True, slots=True)
class Standing:
    """How the caller stands to a bucket.

    `sees`: HEAD answered 200. `owns`: it is in the caller's own list. `head` is what HEAD answered.
    """

    sees: bool
    owns: bool
    head: str = "200"


# --- documents ------------------------------------------------------------------------------------


class _Stop(Exception):
    """Ends a parse at the root; no error."""

    def __init__(self, root: str) -> None:
        self.root = root


class _Builder(TreeBuilder):
    """Builds a tree without namespaces, gives up at the first tag of a foreign document, and has bounds."""

    def __init__(self, roots: frozenset[str]) -> None:
        super().__init__()
        self._roots = roots
        self._count = 0
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        name = tag.rpartition("}")[2]
        if self._count == 0 and name not in self._roots:
            raise _Stop(name)
        self._count += 1
        self._depth += 1
        if self._count > MAX_ELEMENTS or self._depth > MAX_DEPTH:
            raise Unreadable("the document is too large or too deep")
        return super().start(name, {key.rpartition("}")[2]: value for key, value in attrs.items()})

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag.rpartition("}")[2])


def tree(body: bytes, roots: frozenset[str]) -> Element | Foreign:
    """Parse a document whose root is one of `roots`. Unreadable when it is damaged."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import XMLParser

    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body.startswith(b"<"):
        _text(body)
        return Foreign("something that is no XML" if body else "an empty body")
    parser = XMLParser(target=_Builder(roots), forbid_dtd=True)
    try:
        parser.feed(body)
        root = parser.close()
    except _Stop as stop:
        return Foreign(f"<{printable(stop.root, 60)}>")
    except Unreadable:
        raise
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise Unreadable("the XML is damaged") from None
    if not isinstance(root, Element):
        raise Unreadable("the XML is damaged")
    return root


def policy_object(body: bytes) -> Mapping[str, object] | Foreign:
    """A policy document. A key written twice is Unreadable: stores differ in which one counts."""
    if body.strip()[:1] in (b"<", b""):
        found = tree(body, frozenset())
        return found if isinstance(found, Foreign) else Foreign(f"<{found.tag}>")

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Unreadable("the policy has a key twice")
        return found

    try:
        document = json.loads(_text(body), object_pairs_hook=unique)
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        return Foreign("something that is no JSON")
    return document if isinstance(document, dict) else Foreign("JSON that is no policy")


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("it is no UTF-8 text") from None


def error_code(body: bytes) -> str:
    """The code of an S3 error document; empty where there is none."""
    try:
        root = tree(body, frozenset({"Error"}))
    except Unreadable:
        return ""
    code = "" if isinstance(root, Foreign) else (root.findtext("Code") or "").strip()
    return code if _NAME.fullmatch(code) else ""


# --- classification -------------------------------------------------------------------------------


def reading(operation: Operation, answer: Answer | Failure, standing: Standing) -> Reading:
    """Say what an answer to `operation` means for a caller of that standing."""
    if isinstance(answer, Failure):
        return Reading(State.UNKNOWN, answer.call, reason=answer.reason, detail=answer.detail)
    if answer.status == 200:
        return _success(operation, answer, standing)
    code = error_code(answer.body)
    said = f"{answer.status} {code}".strip()
    if answer.status == 404:
        return _not_found(operation, answer, code, standing)
    if answer.status in (405, 501):
        if operation.is_policy and answer.status == 405 and not standing.owns:
            # Two stores in use answer so to anybody but the owner, where others mean "unknown to us".
            detail = f"{said}: refused or not implemented, this store does not tell them apart"
            return Reading(State.UNKNOWN, answer.call, reason=Reason.AMBIGUOUS, detail=detail)
        return _unsupported(answer, said)
    return refusal(answer, code)


def refusal(answer: Answer, code: str = "") -> Reading:
    """What a status that is neither success nor "not found" nor "not implemented" means."""
    said = f"{answer.status} {code}".strip()
    state, reason = State.UNKNOWN, Reason.INVALID_ANSWER
    if answer.status in (401, 403):
        state, reason = State.DENIED, Reason.NO_PERMISSION
    elif answer.status in REDIRECTS:
        state, reason = State.ELSEWHERE, Reason.UNREACHABLE
        said = f"{said}: the bucket is elsewhere{_whither(answer)}"
    elif answer.status == 429 or code in ("SlowDown", "TooManyRequests", "RequestLimitExceeded"):
        reason = Reason.THROTTLED
    elif answer.status in (408, 504):
        reason = Reason.TIMEOUT
    return Reading(state, answer.call, reason=reason, detail=said)


def _success(operation: Operation, answer: Answer, standing: Standing) -> Reading:
    try:
        facts = operation.read(answer.body)
    except Unreadable as error:
        return Reading(State.UNKNOWN, answer.call, reason=Reason.INVALID_ANSWER, detail=f"200, but {error}")
    if isinstance(facts, Foreign):
        return _foreign(answer, facts.what)
    if facts != operation.nothing:
        return Reading(State.PRESENT, answer.call, facts)
    return _absent(operation, answer, "200 with nothing set", standing)


def _foreign(answer: Answer, what: str) -> Reading:
    wrong = {
        "<listallmybucketsresult>": ": the list of all buckets; the endpoint does not know this host style",
        "<error>": "",
        "<html>": ": this is no S3 answer",
    }.get(what.lower())
    if wrong is None:
        return _unsupported(answer, f"200 with {what}: the store does not know the question")
    detail = f"200 with {what}{wrong}"
    return Reading(State.UNKNOWN, answer.call, reason=Reason.INVALID_ANSWER, detail=detail)


def _not_found(operation: Operation, answer: Answer, code: str, standing: Standing) -> Reading:
    if code in operation.absent:
        return _absent(operation, answer, f"404 {code}", standing)
    if code == "NoSuchBucket":
        detail = "404 NoSuchBucket: gone, of another account, or not known here yet"
        return Reading(State.UNKNOWN, answer.call, reason=Reason.AMBIGUOUS, detail=detail)
    said = f"404 {code}".strip()
    return Reading(State.UNKNOWN, answer.call, reason=Reason.INVALID_ANSWER, detail=said)


def _absent(operation: Operation, answer: Answer, said: str, standing: Standing) -> Reading:
    if standing.sees:
        return Reading(State.ABSENT, answer.call, operation.nothing)
    detail = f"{said}, but HEAD of the bucket answered {standing.head}: this proves nothing"
    return Reading(State.UNKNOWN, answer.call, reason=Reason.NO_PERMISSION, detail=detail)


def _unsupported(answer: Answer, said: str) -> Reading:
    return Reading(State.UNSUPPORTED, answer.call, reason=Reason.NOT_IMPLEMENTED, detail=said)


def _whither(answer: Answer) -> str:
    where = answer.headers.get("x-amz-bucket-region") or urlsplit(answer.headers.get("location", "")).netloc
    return f" ({printable(where, 80)})" if where else ""
