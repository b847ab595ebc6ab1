"""What an S3 answer says about a setting: it is set, it is not, it cannot be asked, or we do not know.

Stores answer questions they do not understand with a listing of the bucket and status 200, refuse
with "not found", and say "not implemented" to strangers. So the root element is looked at before
anything is believed, and an empty answer counts only where HEAD proves that we see the bucket.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from cloudaudit.collectors.buckets import Unreadable, policy_document
from cloudaudit.collectors.transport import REDIRECTS, Answer, Failure, printable
from cloudaudit.model import Reason, Value

MAX_ELEMENTS: Final = 250_000
MAX_DEPTH: Final = 64
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,80}")
_REGION: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,18}")
_HOST: Final = re.compile(r"[A-Za-z0-9.:\[\]-]{1,120}")
_HTML: Final = re.compile(rb"<(!doctype\s+)?html\b", re.IGNORECASE)
_OF_A_STORE: Final = ("x-amz-request-id", "x-amz-id-2", "x-trans-id", "x-openstack-request-id")
"""Headers that an answer of a store itself wears, and one of a proxy before it does not."""

_CLOCK: Final = "this machine's clock is more than 15 minutes off the store's; set it (NTP) and collect again"
_SESSION: Final = "the session token is not valid or no longer so; get new keys"
_ADVICE: Final[Mapping[str, str]] = {
    "AccessDenied": "let the owner grant these keys the right to read this",
    "AllAccessDisabled": "the provider has shut off all access to the bucket; ask the provider why",
    "ExpiredToken": _SESSION,
    "InvalidAccessKeyId": "the store does not know the access key; check that the keys are of this endpoint",
    "InvalidToken": _SESSION,
    "RequestExpired": _CLOCK,
    "RequestTimeTooSkewed": _CLOCK,
    "SignatureDoesNotMatch": "the secret key is not that of the access key, or a proxy on the way changes "
    "host or path; check the keys",
    "TokenRefreshRequired": _SESSION,
    "UserSuspended": "the user of these keys is suspended; let the administrator enable it",
}
"""What to do about a refusal, by the code of the store. All of them are refusals, whatever the status."""


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
    if _HTML.match(body):
        # Its document type would make it damaged XML, which it is not: it is no XML at all.
        return Foreign("<html>")
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
    """A policy document, or another one."""
    if body.strip()[:1] in (b"<", b""):
        found = tree(body, frozenset())
        return found if isinstance(found, Foreign) else Foreign(f"<{found.tag}>")
    try:
        document = policy_document(_text(body))
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


@dataclass(frozen=True, slots=True)
class Told:
    """What an S3 error document says; texts are empty where it says nothing that can be repeated."""

    code: str = ""
    region: str = ""
    endpoint: str = ""


def told(body: bytes) -> Told:
    """Read an error document. Its message is not looked at: it may repeat what was signed."""
    try:
        root = tree(body, frozenset({"Error"}))
    except Unreadable:
        return Told()
    if isinstance(root, Foreign):
        return Told()

    def named(path: str, shape: re.Pattern[str]) -> str:
        text = (root.findtext(path) or "").strip()
        return text if shape.fullmatch(text) else ""

    return Told(named("Code", _NAME), named("Region", _REGION), named("Endpoint", _HOST))


def name_of(value: object) -> str:
    """A code as it may be repeated; empty when it is none."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""


# --- classification -------------------------------------------------------------------------------


def reading(operation: Operation, answer: Answer | Failure, standing: Standing) -> Reading:
    """Say what an answer to `operation` means for a caller of that standing."""
    if isinstance(answer, Failure):
        return Reading(State.UNKNOWN, answer.call, reason=answer.reason, detail=answer.detail)
    if answer.status == 200:
        return _success(operation, answer, standing)
    code = told(answer.body).code
    said = f"{answer.status} {code}".strip()
    if answer.status == 404:
        return _not_found(operation, answer, code, standing)
    if answer.status in (405, 501):
        if operation.is_policy and answer.status == 405 and not standing.owns:
            # Two stores in use answer so to anybody but the owner, where others mean "unknown to us".
            detail = f"{said}: refused or not implemented, this store does not tell them apart"
            return Reading(State.UNKNOWN, answer.call, reason=Reason.AMBIGUOUS, detail=detail)
        return _unsupported(answer, said)
    return refusal(answer)


def refusal(answer: Answer, what: str = "the bucket", code: str = "") -> Reading:
    """What a status that is neither success nor "not found" nor "not implemented" means, and what to do.

    `what` is what was asked of: it is named where it turns out to be elsewhere. `code` is given where
    it does not stand in a document of S3.
    """
    error = told(answer.body)
    code = code or error.code
    said = f"{answer.status} {code}".strip()
    state, reason = State.UNKNOWN, Reason.INVALID_ANSWER
    if code in _ADVICE:
        state, reason, said = State.DENIED, Reason.NO_PERMISSION, f"{said}: {_ADVICE[code]}"
    elif answer.status in (401, 403):
        state, reason, said = _forbidden(answer, said)
    elif answer.status in REDIRECTS:
        state, reason = State.ELSEWHERE, Reason.UNREACHABLE
        said = f"{said}: {what} is elsewhere{_whither(answer, error)}"
    elif answer.status == 429 or code in ("SlowDown", "TooManyRequests", "RequestLimitExceeded"):
        reason = Reason.THROTTLED
    elif answer.status == 407:
        reason = Reason.UNREACHABLE
        said += ": the proxy asks for a user and a password; name them in proxy_file"
    elif answer.status in (408, 504):
        reason = Reason.TIMEOUT
    elif answer.status in (400, 412) and (not code or code.startswith("Authorization")):
        said += ": the store does not accept the request; check region and credentials"
        if region := error.region or _named_region(answer):
            said += f"; it names the region '{region}'"
    return Reading(state, answer.call, reason=reason, detail=said)


def _forbidden(answer: Answer, said: str) -> tuple[State, Reason, str]:
    """A refusal without a code that we know: of the store, or of something between it and us."""
    body = answer.body.strip()
    if _HTML.match(body) and not any(mark in answer.headers for mark in _OF_A_STORE):
        said += " with <html>: no answer of a store; let the proxy or firewall before it pass this machine"
        return State.UNKNOWN, Reason.INVALID_ANSWER, said
    if body and said == str(answer.status):
        said += " without a code: refused by the store or by something before it; check keys and network"
    return State.DENIED, Reason.NO_PERMISSION, said


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


def _named_region(answer: Answer) -> str:
    region = answer.headers.get("x-amz-bucket-region", "").strip()
    return region if _REGION.fullmatch(region) else ""


def _whither(answer: Answer, error: Told) -> str:
    """Where a redirect points to: region and host, as far as headers or document name them."""
    try:
        host = urlsplit(answer.headers.get("location", "")).netloc.rpartition("@")[2]
    except ValueError:
        host = ""
    names = (_named_region(answer) or error.region, host if _HOST.fullmatch(host) else error.endpoint)
    where = ", ".join(name for name in names if name)
    return f" ({where})" if where else ""
