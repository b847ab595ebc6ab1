"""The one way from this collector to a cloud: a keystoneauth session that can only read.

Every request, tokens and redirects included, leaves through :class:`ReadOnlyAdapter`. No redirect
is followed, so that no token and no credential ever reaches a host nobody configured.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.cookiejar import DefaultCookiePolicy
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from cloudaudit.collectors.openstack.answers import (
    Trouble,
    path_of,
    refused,
    request_id_of,
)
from cloudaudit.collectors.openstack.entry import Entry
from cloudaudit.collectors.openstack.target import OpenStackTarget
from cloudaudit.collectors.transport import (
    BUSY,
    LONGEST_RETRY_WAIT,
    Answer,
    CallLog,
    Clock,
    ForbiddenVerb,
    Proxy,
    moment_of_date,
    permit,
    printable,
    reason_of_status,
    retry_after,
)
from cloudaudit.model import Reason, Scope, Seconds

if TYPE_CHECKING:
    from keystoneauth1.plugin import BaseAuthPlugin

T = TypeVar("T")

CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 60
BODY_SECONDS: Final = 300
LARGEST_BODY: Final = 64 * 2**20
TRIES: Final = 4
FIRST_PAUSE: Final = 0.25
NOT_SENT: Final = "there was no time left to send it"
MOST_SKEW: Final = 900
"""Seconds two clocks may differ without a word: what S3 stores put up with, too."""
YOUNG: Final = 60
"""Seconds for which a new token is not renewed for a 401."""
_PATIENCE: Final = SystemRandom()


class AnswerTooLong(requests.exceptions.RequestException):
    """A server sent more than anyone needs to describe a page of a listing."""


class OutOfTime(requests.exceptions.RequestException):
    """A request was not sent: the time allowed for the target is over, or its collection was stopped."""


class Time:
    """How long a target may be read. Shared by all that reads it."""

    def __init__(self, seconds: float | None, cancelled: threading.Event) -> None:
        self.cancelled = cancelled
        self._seconds = seconds or 0.0
        self._end = time.monotonic() + seconds if seconds else math.inf

    def left(self) -> float:
        """Seconds, none of them once the collection was stopped."""
        return 0.0 if self.cancelled.is_set() else max(0.0, self._end - time.monotonic())

    def over(self, request: str) -> Trouble:
        """What to say of a request that was not sent for it."""
        if self.cancelled.is_set():
            return Trouble(Reason.PARTIAL, f"interrupted before {request}")
        allowed = f"the {self._seconds:g} s allowed for this target are over"
        return Trouble(Reason.TIMEOUT, f"{allowed}: {request}")


class Pace:
    """Lets at most so many requests a second begin."""

    def __init__(self, per_second: float | None) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, left: Time | None = None) -> bool:
        """Wait for a turn. False, without it, when it would not come in the time that is left."""
        if not self._gap:
            return True
        with self._lock:
            now = time.monotonic()
            begin = max(now, self._next)
            if left is not None and begin - now > left.left():
                return False
            self._next = begin + self._gap
        if left is not None:
            return not left.cancelled.wait(begin - now)
        time.sleep(begin - now)
        return True


class ReadOnlyAdapter(HTTPAdapter):
    """Sends GET, HEAD and the token POST; counts, paces, times out and bounds what comes back."""

    def __init__(
        self,
        token_urls: frozenset[str],
        in_flight: int,
        pace: Pace,
        left: Time,
        proxy: Proxy | None = None,
    ) -> None:
        self.token_urls = token_urls
        self._proxy = proxy
        self._slots = threading.BoundedSemaphore(in_flight)
        self._pace = pace
        self._time = left
        super().__init__(pool_maxsize=in_flight, max_retries=0)

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """What signs us in to the proxy. It is not in its address, which errors repeat."""
        return self._proxy.headers if self._proxy else {}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        permit(request.method or "", request.url or "", self.token_urls)
        if not self._slots.acquire(timeout=min(self._time.left(), threading.TIMEOUT_MAX)):
            raise OutOfTime
        try:
            # In this order requests are apart on the wire, too, and not only in the queue.
            if not self._pace.wait(self._time) or not (left := self._time.left()):
                raise OutOfTime
            response = super().send(
                request,
                stream=True,
                timeout=(min(CONNECT_SECONDS, left), min(READ_SECONDS, left)),
                verify=verify,
                cert=cert,
                proxies=proxies,
            )
            _read_whole(response, min(BODY_SECONDS, left))
        finally:
            self._slots.release()
        return response


def _read_whole(response: requests.Response, within: float) -> None:
    """Read the body here, so that neither its size nor its slowness is the server's to choose."""
    chunks: list[bytes] = []
    size = 0
    end = time.monotonic() + within
    try:
        for chunk in response.iter_content(2**16):
            chunks.append(chunk)
            size += len(chunk)
            _refuse(size, end)
    except BaseException:
        response.close()
        raise
    response._content = b"".join(chunks)


def _refuse(size: int, end: float) -> None:
    if size > LARGEST_BODY:
        raise AnswerTooLong(f"more than {LARGEST_BODY} bytes")
    if time.monotonic() > end:
        raise requests.exceptions.ReadTimeout("the answer took too long")


@dataclass(frozen=True, slots=True)
class Record:
    """Where a request is written down, and as whose."""

    log: CallLog
    scope: Scope
    service: str

    def add(
        self, request: str, status: int, at: Seconds, headers: Mapping[str, str], body: bytes = b""
    ) -> int:
        return self.log.add(self.scope, self.service, request, status, at, request_id_of(headers), body)


class Client:
    """Asks for one address at a time and says what came back. Shared by all threads of a target."""

    def __init__(
        self,
        target: OpenStackTarget,
        entry: Entry,
        now: Clock,
        cancelled: threading.Event,
        pause: Callable[[float], object],
    ) -> None:
        from keystoneauth1.session import Session

        http = requests.Session()
        # Neither proxies nor ~/.netrc nor another list of authorities come from the environment.
        http.trust_env = False
        if target.proxy is not None:
            http.proxies = {"http": target.proxy.url, "https": target.proxy.url}
        http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._time = Time(target.deadline, cancelled)
        adapter = ReadOnlyAdapter(
            entry.token_urls, target.max_in_flight, Pace(target.rate_limit), self._time, target.proxy
        )
        http.mount("https://", adapter)
        http.mount("http://", adapter)
        self.session = Session(
            session=http, verify=entry.verify, cert=entry.cert, redirect=False, app_name="cloudaudit"
        )
        self._keystone = entry.keystone
        self._proxy = target.proxy
        self._in_clear = target.allow_http or not entry.keystone.startswith("https:")
        self._now = now
        self._pause = pause
        self.clock_skew = 0
        """Seconds by which a service's clock was ahead of ours, of all answers the most; 0 within reason."""
        self._renewed: dict[BaseAuthPlugin, float] = {}
        """When a new token last changed nothing about a 401."""
        self._access: dict[BaseAuthPlugin, object] = {}
        """The token each credential had when it was last used."""
        self._noting = threading.Lock()

    def fetch(
        self,
        method: str,
        url: str,
        auth: BaseAuthPlugin,
        record: Record,
        headers: Mapping[str, str] | None = None,
    ) -> Answer | Trouble:
        """Send one reading request, again after lost connections and requests to wait.

        Anything but 200, 203 and 204 is trouble.
        """
        request = f"{method} {path_of(url)}"
        if not self._in_clear and not url.lower().startswith("https:"):
            # Whoever listens there could act with the token in every service of the cloud.
            detail = (
                f"{request} was not sent: {_place(url)} is asked over http, and Keystone over https;"
                " allow_http: true of the target would send the token in clear"
            )
            return Trouble(Reason.NOT_COLLECTED, detail)
        return self.persist(request, lambda: self._once(method, url, auth, record, headers or {}, request))

    def persist(self, request: str, once: Callable[[], tuple[T | Trouble, float | None]]) -> T | Trouble:
        """Try, and try again while that makes sense and there is time; the last outcome is given.

        `once` is one try, with the least wait before the next one (None: there shall be none).
        """
        outcome: T | Trouble | None = None
        for attempt in range(TRIES):
            if not self._time.left():
                break
            outcome, wait = once()
            if wait is None or attempt == TRIES - 1:
                break
            pause = max(wait, FIRST_PAUSE * 2**attempt) * _PATIENCE.uniform(1.0, 1.25)
            if pause > self._time.left():
                break
            self._pause(pause)
        if outcome is None:
            return self._time.over(request)
        if (isinstance(outcome, Trouble) and not outcome.status) and (
            outcome.detail.endswith(NOT_SENT) or not self._time.left()
        ):
            # NOTE: requests calls a body that is cut off by a time-out a lost connection.
            return replace(self._time.over(request), call=outcome.call)
        return outcome

    def _compare_clocks(self, at: Seconds, headers: Mapping[str, str]) -> None:
        """Remember a clock that is far from ours. An answer out of a cache tells an old time rightly."""
        skew = at - self._now()
        if abs(skew) > max(MOST_SKEW, abs(self.clock_skew)) and "Age" not in headers:
            self.clock_skew = skew

    def _note_renewal(self, auth: BaseAuthPlugin, record: Record) -> None:
        """Write down a token the library asked for by itself: the old one had run out, or was refused."""
        access = getattr(auth, "auth_ref", None)
        with self._noting:
            before = self._access.get(auth, access)
            self._access[auth] = access or before
        if access is not None and access is not before:
            at = int(access.issued.timestamp()) if access.issued else self._now()
            renewal = replace(record, service="identity")
            renewal.add(f"POST {urlsplit(self._keystone).path}/auth/tokens", 201, at, {})

    def _once(
        self,
        method: str,
        url: str,
        auth: BaseAuthPlugin,
        record: Record,
        headers: Mapping[str, str],
        request: str,
    ) -> tuple[Answer | Trouble, float | None]:
        """One try, and the least wait before the next one (None: there shall be none)."""
        # NOTE: 401 is also what access rules answer. A token of a minute ago has not run out: asking for
        # another one at every such refusal would cost more than all the reading.
        renew = time.monotonic() - self._renewed.get(auth, -math.inf) > YOUNG
        self._note_renewal(auth, record)
        try:
            response = self.session.request(
                url,
                method,
                auth=auth,
                allow_reauth=renew,
                headers={"Accept": "application/json", **headers},
                raise_exc=False,
                log=False,
            )
        except ForbiddenVerb:
            raise
        except Exception as error:  # noqa: BLE001 - a plug-in that renews its token meets any answer so
            trouble, wait = failure_of(error, url, self._keystone, self._now(), self._proxy)
            number = record.add(request, 0, self._now(), {})
            return Trouble(trouble.reason, f"{request}: {trouble.detail}", number, trouble.status), wait
        finally:
            self._note_renewal(auth, record)
        status, body = response.status_code, response.content
        if status == 401 and renew:
            self._renewed[auth] = time.monotonic()
        at = moment_of_date(response.headers.get("Date")) or self._now()
        self._compare_clocks(at, response.headers)
        number = record.add(request, status, at, response.headers, body)
        if status in (200, 203, 204):
            return Answer(status, response.headers, body, number, at), None
        trouble = refused(status, request, number)
        if foreign(status, response.headers):
            trouble = replace(trouble, reason=Reason.INVALID_ANSWER, detail=f"{trouble.detail}{_FOREIGN}")
        return _busy(trouble, response.headers, at) if status in BUSY else (trouble, None)


_FOREIGN: Final = " with HTML: no answer of a service; let the proxy or firewall before it pass this machine"
_OF_A_SERVICE: Final = ("x-openstack-request-id", "x-compute-request-id", "x-trans-id", "www-authenticate")


def foreign(status: int, headers: Mapping[str, str]) -> bool:
    """Whether a refusal is not of the cloud but of something before it, which writes pages for people.

    NOTE: Swift refuses with HTML too, and names its transaction.
    """
    page = headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/html"
    return status in (401, 403) and page and not any(headers.get(name) for name in _OF_A_SERVICE)


def failure_of(
    error: Exception, url: str, keystone: str, now: Seconds, proxy: Proxy | None = None
) -> tuple[Trouble, float | None]:
    """Why no answer came, or no token before it, and the least wait before another try (None: no use)."""
    from keystoneauth1 import exceptions

    if proxy is not None and isinstance(error, exceptions.ConnectFailure) and "ProxyError(" in str(error):
        return Trouble(Reason.UNREACHABLE, proxy.refusal(str(error))), None
    trouble = _trouble_of(error, url, keystone)
    # Before the first token Keystone may be asked for its versions; what befell that stands behind this.
    cause = error.__context__ if isinstance(error, exceptions.DiscoveryFailure) else error
    if isinstance(cause, exceptions.ConnectFailure):
        return trouble, 0.0
    if isinstance(cause, exceptions.HttpError) and cause.http_status in BUSY and cause.response is not None:
        headers = cause.response.headers
        return _busy(trouble, headers, moment_of_date(headers.get("Date")) or now)
    return trouble, None


def _busy(trouble: Trouble, headers: Mapping[str, str], at: Seconds) -> tuple[Trouble, float | None]:
    """What a service that is busy means, and the wait it asks for where that is short enough."""
    wait = retry_after(headers.get("Retry-After", ""), at)
    if wait <= LONGEST_RETRY_WAIT:
        return trouble, wait
    detail = f"{trouble.detail}; the service asks to wait {wait:.0f} s"
    return replace(trouble, reason=Reason.THROTTLED, detail=detail), None


def _trouble_of(error: Exception, url: str, keystone: str) -> Trouble:
    """Say in our own words why no answer came; the library's text may name proxies and passwords."""
    from keystoneauth1 import exceptions

    place = _place(url)
    said = str(error)
    match error:
        case exceptions.SSLError():
            return Trouble(Reason.UNREACHABLE, _distrusted(said, place))
        case exceptions.ConnectTimeout():
            return Trouble(Reason.TIMEOUT, f"no answer from {place} in time")
        case exceptions.ConnectFailure():
            return Trouble(Reason.UNREACHABLE, f"{_lost(said)}: {place}")
        case _ if _is_out_of_time(error):
            return Trouble(Reason.TIMEOUT, NOT_SENT)
        case exceptions.UnknownConnectionError(original=AnswerTooLong()):
            return Trouble(Reason.INVALID_ANSWER, f"{place} sent more than {LARGEST_BODY // 2**20} MiB")
        case exceptions.UnknownConnectionError(original=requests.exceptions.ChunkedEncodingError()):
            return Trouble(Reason.INVALID_ANSWER, f"the answer of {place} breaks off")
        case exceptions.UnknownConnectionError():
            kind = type(error.original).__name__
            return Trouble(Reason.INVALID_ANSWER, f"{place}: no usable HTTP ({kind})")
        case exceptions.HttpError():
            status = int(error.http_status or 0)
            said = f"HTTP {status} to the token request"
            # NOTE: Keystone answers 401 to a wrong password and to a scope the user has no role in, alike.
            advice = _REFUSED if status == 401 else ""
            headers = error.response.headers if error.response is not None else {}
            if foreign(status, headers):
                return Trouble(Reason.INVALID_ANSWER, f"{said}{_FOREIGN}", status=status)
            return Trouble(reason_of_status(status), said + advice, status=status)
        case _:
            detail = f"no token could be had from {_place(keystone)} ({type(error).__name__})"
            return Trouble(Reason.INVALID_ANSWER, detail)


_REFUSED: Final = "; check user, password and domain of the clouds.yaml entry, then its roles there"


def _is_out_of_time(error: BaseException | None) -> bool:
    """Whether no time was left behind whatever the library made of it."""
    for _ in range(8):
        if error is None or isinstance(error, OutOfTime):
            break
        error = error.__cause__ or error.__context__
    return isinstance(error, OutOfTime)


def _place(url: str) -> str:
    """Host and port of an address, without the user some write before them."""
    return printable(urlsplit(url).netloc.rpartition("@")[2])


# NOTE: with TLS 1.3 a server refuses a client after the handshake; which of these is seen depends on time.
_OF_CLIENTS: Final = (
    "CERTIFICATE_REQUIRED", "UNKNOWN_CA", "BAD_CERTIFICATE", "ALERT_HANDSHAKE_FAILURE", "SSLEOFError",
)  # fmt: skip


def _distrusted(said: str, place: str) -> str:
    if any(sign in said for sign in _OF_CLIENTS):
        advice = "see cert and key in clouds.yaml if it wants a certificate"
        return f"TLS handshake with {place} broken off; {advice}"
    if "CERTIFICATE_VERIFY_FAILED" not in said:
        return f"TLS handshake with {place} failed"
    if "certificate has expired" in said:
        return f"the certificate of {place} has expired"
    if "Hostname mismatch" in said or "doesn't match" in said or "IP address mismatch" in said:
        return f"the certificate of {place} is for another host"
    return f"certificate verify failed for {place}; give ca_file"


def _lost(said: str) -> str:
    """What broke a connection, from the only place the library tells it: its message."""
    if "refused" in said:
        return "connection refused"
    if any(sign in said for sign in ("resolve", "getaddrinfo", "Name or service", "nodename")):
        return "the host name cannot be resolved"
    if any(sign in said for sign in ("RemoteDisconnected", "reset by peer", "aborted")):
        return "the connection was closed without an answer"
    return "no connection"
