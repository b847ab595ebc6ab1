"""What may leave a collector, and what is written down about it.

GET, HEAD and the token POST pass; every other verb is refused before a byte is sent. What a
network does to a request (silence, refusal, a lie about its length) comes back as a
:class:`Failure`, never as an exception. Proxies of the environment are not used; one that a target
names is, and it is sent CONNECT beside those verbs.
"""

from __future__ import annotations

import base64
import datetime
import email.utils
import hashlib
import http.client
import io
import math
import os
import random
import re
import socket
import ssl
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from cloudaudit.errors import TargetError
from cloudaudit.model import Call, Reason, Scope, Seconds

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool, PoolManager

Clock: TypeAlias = Callable[[], Seconds]

READING_VERBS = frozenset({"GET", "HEAD"})


class ForbiddenVerb(RuntimeError):
    """A collector tried to send a verb that could change a cloud. Always a defect of ours."""


def permit(method: str, url: str, token_urls: frozenset[str] = frozenset()) -> None:
    """Let a reading verb pass, and a POST only to one of the configured token addresses."""
    verb = method.upper()
    if verb in READING_VERBS:
        return
    parts = urlsplit(url)
    if verb == "POST" and f"{parts.scheme}://{parts.netloc}{parts.path}" in token_urls:
        return
    raise ForbiddenVerb(f"{verb} {parts.path} is not a reading call")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a server: `call` is its number in the log, `at` its Date (or ours)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    call: int
    at: Seconds


@dataclass(slots=True)
class CallLog:
    """Every request a collection made, numbered. Shared by threads."""

    calls: list[Call] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(
        self,
        scope: Scope,
        service: str,
        request: str,
        status: int,
        at: Seconds,
        request_id: str = "",
        body: bytes = b"",
        digest: str = "",
    ) -> int:
        """Write down one request. `digest` stands in for a body that was not kept."""
        if body:
            digest = hashlib.sha256(body).hexdigest()
        with self._lock:
            number = len(self.calls)
            self.calls.append(Call(number, scope, service, request, status, at, request_id, digest))
        return number

    def absorb(self, calls: Iterable[Call]) -> int:
        """Append calls of another log, numbered anew; the answer is what to add to their old numbers."""
        with self._lock:
            offset = len(self.calls)
            self.calls.extend(replace(call, number=call.number + offset) for call in calls)
        return offset


def reason_of_status(status: int) -> Reason:
    """Reason code of an HTTP status that is not a success."""
    if status in (401, 403):
        return Reason.NO_PERMISSION
    if status == 404:
        return Reason.SERVICE_ABSENT
    if status in (405, 501):
        return Reason.NOT_IMPLEMENTED
    if status == 407:
        return Reason.UNREACHABLE
    if status in (408, 504):
        return Reason.TIMEOUT
    if status == 429:
        return Reason.THROTTLED
    return Reason.INVALID_ANSWER


# --- text of others -----------------------------------------------------------------------------


def printable(text: str, limit: int = 200) -> str:
    """Text of a server as one harmless line: NFC, no control or formatting characters, cut at `limit`."""
    clean = "".join(
        " " if unicodedata.category(c) in {"Zl", "Zp"} or c in "\t\r\n"
        else "\ufffd" if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Cn", "Co"}
        else c
        for c in unicodedata.normalize("NFC", text[: limit * 4])
    )  # fmt: skip
    line = " ".join(clean.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def nfc(text: str) -> str:
    """Text as a fact: in NFC, and always encodable (a lone surrogate of hostile JSON is not)."""
    return unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))


# --- the client ---------------------------------------------------------------------------------

MIB: Final = 1024 * 1024
MAX_BODY: Final = 32 * MIB
MAX_IN_FLIGHT: Final = 32
LONGEST_RETRY_WAIT: Final = 30.0
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
BUSY: Final = frozenset({429, 503})
_CHUNK: Final = 64 * 1024
_LONGEST_LENGTH: Final = 19
"""Digits of the longest Content-Length that any file system could hold."""
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
_REQUEST_IDS: Final = (
    "x-amz-request-id", "x-openstack-request-id", "x-trans-id", "x-amzn-requestid", "x-request-id",
)  # fmt: skip
_SECRET_PARAMETERS: Final = frozenset({
    "access_token", "api_key", "apikey", "awsaccesskeyid", "key", "password", "secret", "sig", "signature",
    "temp_url_sig", "token", "x-amz-credential", "x-amz-security-token", "x-amz-signature",
    "x-goog-signature",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Proxy:
    """A forward proxy that a target names. `login` is USER:PASSWORD, and is shown nowhere."""

    host: str
    port: int
    login: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, written: str, source: str) -> Proxy:
        """A proxy as it is written: http://[USER:PASSWORD@]HOST:PORT. TargetError names `source` alone."""
        try:
            parts = urlsplit(written.strip())
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme != "http" or not host or not port or parts.path.strip("/") or parts.query:
            hint = "write http://HOST:PORT; a proxy is asked over http, and what it passes on stays encrypted"
            raise TargetError(f"{source} is no address of a proxy", hint=hint)
        user = parts.netloc.rpartition("@")[0]
        return cls(host, port, unquote(user) if user else None)

    @property
    def place(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}"

    @property
    def headers(self) -> dict[str, str]:
        """What signs us in to it."""
        if self.login is None:
            return {}
        return {"Proxy-Authorization": "Basic " + base64.b64encode(self.login.encode()).decode()}

    def refusal(self, said: str) -> str:
        """Why it makes no connection: from the line it answered CONNECT with, or another error's text."""
        status = _TUNNEL.search(said)
        if status is None:
            return f"no connection to the proxy {printable(self.place, 100)}"
        advice = "; name its user and password in proxy_file" if status["code"] == "407" else ""
        return (
            f"the proxy {printable(self.place, 100)} refuses the connection (HTTP {status['code']}){advice}"
        )


_TUNNEL: Final = re.compile(r"Tunnel connection failed: (?P<code>\d{3})\b")
"""How Python tells what a proxy answered to CONNECT."""


@dataclass(frozen=True, slots=True)
class Failure:
    """No usable answer: why, and the number of the call if it reached the log (status 0)."""

    reason: Reason
    detail: str
    call: int | None = None


@dataclass(frozen=True, slots=True)
class Journal:
    """Where the calls of one piece of work are written down, and under which name."""

    log: CallLog
    scope: Scope
    service: str


Sign: TypeAlias = Callable[[str, str], Mapping[str, str] | Failure]
"""Gives the headers that sign a verb and a URL; asked again for every attempt."""
Consume: TypeAlias = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Request:
    """One reading request.

    `address` is connected to in place of what the host's name resolves to; certificate and Host
    header stay those of the URL. `consume` takes the body of a success piece by piece, so that it
    is never whole in memory. `label` is what the log says in place of verb, path and query.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    sign: Sign | None = None
    label: str = ""
    address: str | None = None
    max_body: int = MAX_BODY
    consume: Consume | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard one client may press, and how long it waits. Times in seconds.

    `answer` bounds one whole answer, headers included, however slowly it drips; `deadline` all
    requests of the client together; `rate` is requests per second.
    """

    max_in_flight: int = 16
    connect: float = 5.0
    read: float = 30.0
    answer: float = 300.0
    deadline: float | None = None
    rate: float | None = None
    attempts: int = 4


class HttpClient:
    """A pooled client that can only read. Shared by threads; one per target.

    Retries, with jitter, only where no answer began (the connection failed) or the server said
    429 or 503; the last such answer is returned. Header names of an :class:`Answer` are lower case.
    """

    def __init__(
        self,
        limits: Limits = Limits(),
        *,
        now: Clock,
        ca_file: str | None = None,
        proxy: Proxy | None = None,
        cancelled: threading.Event | None = None,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._limits = limits
        self._proxy = proxy
        self._now = now
        self._cancelled = cancelled or threading.Event()
        self._pause_for = pause or self._cancelled.wait
        self._in_flight = max(1, min(limits.max_in_flight, MAX_IN_FLIGHT))
        self._slots = threading.BoundedSemaphore(self._in_flight)
        self._bucket = _TokenBucket(limits.rate) if limits.rate else None
        self._ends = time.monotonic() + limits.deadline if limits.deadline else None
        self._pools = _pools(tls_context(ca_file), self._in_flight, limits.answer, proxy)

    def get(self, url: str, journal: Journal) -> Answer | Failure:
        return self.send(Request("GET", url), journal)

    def send(self, request: Request, journal: Journal, *, redirects: int = 0) -> Answer | Failure:
        """Send one request; a redirect is an answer, unless `redirects` of them may be followed.

        Headers and signature stay behind when a redirect leaves the origin.
        """
        while True:
            permit(request.method, request.url)
            outcome = self._persist(request, journal)
            if redirects <= 0 or isinstance(outcome, Failure) or outcome.status not in REDIRECTS:
                return outcome
            redirects -= 1
            target = joined(request.url, outcome.headers.get("location", ""))
            if _origin(target) == _origin(request.url):
                request = replace(request, url=target, label="")
            else:
                request = Request(request.method, target, max_body=request.max_body, consume=request.consume)

    def _persist(self, request: Request, journal: Journal) -> Answer | Failure:
        outcome: Answer | Failure
        for attempt in range(1, self._limits.attempts + 1):
            outcome, wait = self._attempt(request, journal)
            if wait is None or attempt == self._limits.attempts:
                break
            wait = max(wait, _jitter.uniform(0, 0.2 * 2**attempt))
            if wait > LONGEST_RETRY_WAIT or not self._pause(wait):
                break
        if isinstance(outcome, Failure) and outcome.call is None:
            return replace(outcome, call=_note(request, journal, 0, self._now()))
        return outcome

    def _attempt(self, request: Request, journal: Journal) -> tuple[Answer | Failure, float | None]:
        """One try, and the least wait before the next one (None: there shall be none)."""
        if self._bucket is not None and not self._pause(self._bucket.take()):
            return self._over(), None
        if not self._slots.acquire(timeout=self._left()):
            return self._over(), None
        try:
            if self._cancelled.is_set() or self._left() == 0:
                return self._over(), None
            return self._exchange(request, journal)
        finally:
            self._slots.release()

    def _exchange(self, request: Request, journal: Journal) -> tuple[Answer | Failure, float | None]:
        from urllib3.exceptions import HTTPError

        headers = {"User-Agent": "cloudaudit", "Accept-Encoding": "identity", **request.headers}
        if request.sign is not None:
            signed = request.sign(request.method, request.url)
            if isinstance(signed, Failure):
                return signed, None
            headers.update(signed)
        try:
            pool, path, host = self._pool_of(request)
            headers.setdefault("Host", host)
            response = self._open(pool, request.method, path, headers)
        except HTTPError as error:
            return _failure_of(error, request.url, self._limits, self._proxy)
        except ValueError:
            return Failure(Reason.INVALID_ANSWER, "not an http or https address"), None
        at = moment_of_date(response.headers.get("Date")) or self._now()
        try:
            return self._answer(request, response, journal, at)
        except HTTPError as error:
            failure, _ = _failure_of(error, request.url, self._limits, self._proxy)
            if failure.reason is Reason.UNREACHABLE:
                failure = Failure(Reason.PARTIAL, "the answer ended early")
            return replace(failure, call=_note(request, journal, response.status, at)), None
        finally:
            response.close()

    def _open(
        self, pool: HTTPConnectionPool, method: str, path: str, headers: Mapping[str, str]
    ) -> BaseHTTPResponse:
        from urllib3 import Timeout

        left = self._left()
        left = math.inf if left is None else max(left, 0.001)
        timeout = Timeout(connect=min(self._limits.connect, left), read=min(self._limits.read, left))
        return pool.urlopen(
            method, path, headers=headers, redirect=False, retries=False, timeout=timeout,
            preload_content=False, decode_content=False, assert_same_host=self._proxy is None,
        )  # fmt: skip

    def _pool_of(self, request: Request) -> tuple[HTTPConnectionPool, str, str]:
        """The pool to ask, the request target and the Host header. ValueError: not such a URL."""
        parts = _split(request.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise ValueError(parts.scheme)
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if self._proxy is not None and parts.scheme == "http":
            # A proxy is asked for the whole address; urllib3 knows by it that this is no tunnel.
            path = f"http://{parts.netloc}{path}"
        pinned = {}
        if request.address is not None and parts.scheme == "https":
            pinned = {"server_hostname": parts.hostname}
        pool = self._pools.connection_from_host(
            request.address or parts.hostname, parts.port, parts.scheme, pool_kwargs=pinned
        )
        # Without the port that goes without saying: signatures are made over this form.
        usual = parts.port in (None, {"http": 80, "https": 443}[parts.scheme])
        return pool, path, host if usual else f"{host}:{parts.port}"

    def _answer(
        self, request: Request, response: BaseHTTPResponse, journal: Journal, at: Seconds
    ) -> tuple[Answer | Failure, float | None]:
        headers = {name.lower(): response.headers[name] for name in response.headers}
        sha = hashlib.sha256()
        body = bytearray()
        size = 0
        streaming = request.consume if 200 <= response.status < 300 else None
        said = headers.get("content-length", "")
        if said.isdecimal() and len(said) > _LONGEST_LENGTH:
            # A number of thousands of digits is hostile, and int() refuses it with an error.
            call = _note(request, journal, response.status, at, headers)
            return Failure(Reason.INVALID_ANSWER, "the answer's Content-Length is no length", call), None
        whole = int(said) if said.isdecimal() else 0
        fits = whole <= request.max_body or request.method == "HEAD"
        while fits and (chunk := response.read1(_CHUNK, decode_content=False)):
            size += len(chunk)
            fits = size <= request.max_body
            sha.update(chunk)
            if streaming is not None and fits:
                streaming(chunk)
            else:
                body += chunk
        if not fits:
            call = _note(request, journal, response.status, at, headers)
            detail = f"answer larger than {request.max_body // MIB} MiB"
            return Failure(Reason.PARTIAL, detail, call), None
        response.release_conn()
        call = _note(request, journal, response.status, at, headers, sha.hexdigest() if size else "")
        wait = retry_after(headers.get("retry-after", ""), at) if response.status in BUSY else None
        return Answer(response.status, headers, bytes(body), call, at), wait

    def _left(self) -> float | None:
        """Seconds until the deadline, 0 when it has passed, None when there is none."""
        return None if self._ends is None else max(0.0, self._ends - time.monotonic())

    def _pause(self, seconds: float) -> bool:
        """Wait, unless that would outlast the deadline or the work is cancelled."""
        left = self._left()
        if left is not None and left <= seconds:
            return False
        if seconds > 0:
            self._pause_for(seconds)
        return not self._cancelled.is_set()

    def _over(self) -> Failure:
        if self._cancelled.is_set():
            return Failure(Reason.PARTIAL, "interrupted")
        return Failure(Reason.TIMEOUT, f"the {self._limits.deadline:g} s allowed for this target are over")


class _TokenBucket:
    """Lets `rate` requests a second pass, one second's worth of them at once."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._room = max(1.0, rate)
        self._tokens = self._room
        self._filled = time.monotonic()
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take a token, and say how long to wait before using it."""
        with self._lock:
            moment = time.monotonic()
            self._tokens = min(self._room, self._tokens + (moment - self._filled) * self._rate) - 1
            self._filled = moment
            return max(0.0, -self._tokens / self._rate)


class _Patient(io.RawIOBase):
    """A socket's bytes until `ends`. Python's own time-out starts anew with every byte that drips in."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, ends: float) -> None:
        self._raw, self._sock, self._ends = raw, sock, ends
        self._patience = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left if self._patience is None else min(left, self._patience))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Trust of the system, or of `ca_file` alone. TargetError when that file is of no use."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        why = "no certificates in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise TargetError(
            f"ca_file '{ca_file}' cannot be used: {why}",
            hint="name a readable file of PEM certificates",
        ) from None


def _pools(context: ssl.SSLContext, in_flight: int, answer: float, proxy: Proxy | None) -> PoolManager:
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class Response(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *args: object, **kwargs: object) -> None:
            super().__init__(sock, *args, **kwargs)  # type: ignore[arg-type]
            raw = self.fp.detach()
            self.fp = io.BufferedReader(_Patient(raw, sock, time.monotonic() + answer))

    class Plain(HTTPConnection):
        response_class = Response

    class Secure(HTTPSConnection):
        response_class = Response

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    sizes: dict[str, Any] = {"num_pools": 64, "maxsize": in_flight, "block": False, "ssl_context": context}
    manager = (
        PoolManager(**sizes)
        if proxy is None
        else ProxyManager(proxy.url, proxy_headers=proxy.headers, **sizes)
    )
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return manager


_jitter: Final = random.SystemRandom()


def _failure_of(
    error: Exception, url: str, limits: Limits, proxy: Proxy | None
) -> tuple[Failure, float | None]:
    """What went wrong below HTTP, in words of ours, and the wait before another try if one may help."""
    from urllib3 import exceptions as e

    parts = urlsplit(url)
    host = printable(parts.hostname or "", 100)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    match error:
        case e.ProxyError() if proxy is not None:
            return Failure(Reason.UNREACHABLE, proxy.refusal(str(error.original_error))), None
        case e.NameResolutionError():
            return Failure(Reason.UNREACHABLE, f"the name {host} cannot be resolved"), 0.0
        case e.NewConnectionError():
            return Failure(Reason.UNREACHABLE, f"no connection to {host}:{port}: {_os_text(error)}"), 0.0
        case e.ConnectTimeoutError():
            return Failure(Reason.TIMEOUT, f"no connection to {host}:{port} in {limits.connect:g} s"), 0.0
        case e.ReadTimeoutError():
            return Failure(Reason.TIMEOUT, f"{host}:{port} did not answer in time"), None
        case e.SSLError():
            return Failure(Reason.UNREACHABLE, _tls_text(error, host)), None
        case e.IncompleteRead():
            return Failure(Reason.PARTIAL, "the answer ended early"), None
        case e.ProtocolError():
            cause = error.args[-1] if error.args else None
            if isinstance(cause, (ConnectionError, http.client.RemoteDisconnected)):
                return Failure(Reason.UNREACHABLE, f"{host}:{port} closed the connection"), 0.0
            if isinstance(cause, (http.client.IncompleteRead, e.IncompleteRead)):
                return Failure(Reason.PARTIAL, "the answer ended early"), None
    return Failure(Reason.INVALID_ANSWER, f"no HTTP answer ({type(error).__name__})"), None


def _os_text(error: BaseException) -> str:
    cause = error.__cause__ or error.__context__
    number = cause.errno if isinstance(cause, OSError) else None
    return os.strerror(number) if number is not None and number > 0 else "refused or not routed"


def _tls_text(error: Exception, host: str) -> str:
    cause = error.args[0] if error.args else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = printable(cause.verify_message, 120)
        return (
            f"the certificate of {host} is not trusted ({why}); "
            "if its authority is a private one, name its certificate as ca_file of the target"
        )
    if isinstance(cause, ssl.SSLError) and cause.reason:
        return f"no TLS connection to {host} ({printable(cause.reason.replace('_', ' ').lower(), 80)})"
    return f"no TLS connection to {host}"


def _note(
    request: Request,
    journal: Journal,
    status: int,
    at: Seconds,
    headers: Mapping[str, str] = _NO_HEADERS,
    digest: str = "",
) -> int:
    """Write one attempt into the log; status 0 where there was no answer."""
    label = request.label or _label(request)
    return journal.log.add(
        journal.scope, journal.service, label, status, at, request_id=_request_id(headers), digest=digest
    )


def _split(url: str) -> SplitResult:
    """The parts of a URL; all empty where it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def joined(url: str, location: str) -> str:
    """Where a redirect leads; empty where it leads to no address at all."""
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def _origin(url: str) -> tuple[str, str]:
    parts = _split(url)
    return parts.scheme, parts.netloc.lower()


def _label(request: Request) -> str:
    """Verb, path and query without the value of any parameter that could be a secret."""
    parts = _split(request.url)
    query = "&".join(
        f"{name}=***" if equals and name.lower() in _SECRET_PARAMETERS else pair
        for pair in parts.query.split("&")
        for name, equals, _ in (pair.partition("="),)
    )
    return printable(f"{request.method} {parts.path or '/'}{'?' if query else ''}{query}", 2000)


def moment_of_date(header: str | None) -> Seconds | None:
    """A Date header as a moment; None when it is missing or absurd."""
    try:
        stamp = email.utils.parsedate_to_datetime(header or "")
        moment = int(stamp.replace(tzinfo=stamp.tzinfo or datetime.UTC).timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if 946_684_800 <= moment < 4_102_444_800 else None  # 2000 to 2100


def retry_after(value: str, at: Seconds) -> float:
    """Seconds a busy server asks to be left alone; 0 when it does not say."""
    if value.strip().isdecimal():
        return float(value.strip()[:9])
    moment = moment_of_date(value)
    return 0.0 if moment is None else max(0.0, float(moment - at))


def _request_id(headers: Mapping[str, str]) -> str:
    return next((printable(headers[name], 128) for name in _REQUEST_IDS if headers.get(name)), "")
