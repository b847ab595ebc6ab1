"""TLS handshakes with endpoints: which version, whose certificate, until when. No request follows.

The first handshake verifies everything. Where it fails, others that verify less tell what exactly
was wrong, and read version and dates of what must not be trusted.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from cloudaudit.collectors.sightings import in_order
from cloudaudit.collectors.transport import CallLog, Clock, Proxy, printable, tls_context
from cloudaudit.model import Reason, Resource, Scope, Seconds, Unseen, Value

CALL: Final = "probe.tls"
TYPES: Final = frozenset({"openstack.endpoint", "s3.endpoint"})
GROUP: Final = "tls"
_LONGEST_HEAD: Final = 16 * 1024
"""Most bytes of a proxy's answer to CONNECT."""
_PLAIN: Final[Mapping[str, Value]] = {
    "tls.version": None,
    "tls.verified": False,
    "tls.host_match": False,
    "tls.not_after": None,
    "tls.error": None,
}


@dataclass(frozen=True, slots=True)
class Probe:
    """What was seen of one address: tls.* facts, or why there are none. `certificate` is DER."""

    facts: Mapping[str, Value] = field(default_factory=dict)
    unseen: Mapping[str, Unseen] = field(default_factory=dict)
    certificate: bytes = b""


@dataclass(frozen=True, slots=True)
class _Way:
    """How a host is reached, and until when (of the monotonic clock)."""

    host: str
    port: int
    ends: float
    proxy: Proxy | None


class _NoTunnel(Exception):
    """The proxy makes no connection; the text tells why."""


@dataclass(frozen=True, slots=True)
class _Handshake:
    version: str | None
    certificate: bytes
    not_after: Seconds | None


def probe_tls(
    url: str, ca_file: str | None = None, timeout: float = 10.0, proxy: Proxy | None = None
) -> Probe:
    """Shake hands with the host of a URL; all attempts together take at most `timeout` seconds.

    `tls.verified` is about the chain and the dates, `tls.host_match` about the name. An http
    address has no TLS, which is an answer; no connection, or no TLS on it, is none.
    """
    address = _address(url)
    if address is None:
        return _unseen(Reason.INVALID_ANSWER, "not an http or https address")
    scheme, host, port = address
    if scheme == "http":
        return Probe(_PLAIN)
    way = _Way(host, port, time.monotonic() + timeout, proxy)
    try:
        try:
            seen = _shake(way, tls_context(ca_file))
            return _facts(seen, verified=True, match=True, error=None)
        except ssl.SSLError as refusal:
            return _look_closer(way, ca_file, refusal)
    except _NoTunnel as refusal:
        return _unseen(Reason.UNREACHABLE, str(refusal))
    except ssl.SSLError as error:
        return _unseen(Reason.INVALID_ANSWER, f"no TLS at {printable(host, 100)}:{port} ({_why(error)})")
    except TimeoutError:
        return _unseen(Reason.TIMEOUT, f"no handshake with {printable(host, 100)}:{port} in {timeout:g} s")
    except socket.gaierror:
        return _unseen(Reason.UNREACHABLE, f"the name {printable(host, 100)} cannot be resolved")
    except OSError as error:
        why = error.strerror or type(error).__name__
        return _unseen(Reason.UNREACHABLE, f"no connection to {printable(host, 100)}:{port}: {why}")
    except UnicodeError:
        return _unseen(Reason.INVALID_ANSWER, "the host name cannot be written in DNS")


_Key: TypeAlias = tuple[str, str | None, Proxy | None]


@dataclass(frozen=True, slots=True)
class TlsProbe:
    """The step that adds tls.* facts to endpoints of any collector.

    `ca_files` and `proxies` go by target name; a file of no use is a TargetError at once. Of the targets in
    `code` nothing is asked: who writes what is to be deployed must not choose what the auditor connects to.
    """

    ca_files: Mapping[str, str] = field(default_factory=dict)
    proxies: Mapping[str, Proxy] = field(default_factory=dict)
    code: Set[str] = frozenset()
    timeout: float = 10.0
    max_workers: int = 16

    def __post_init__(self) -> None:
        for ca_file in sorted(set(self.ca_files.values())):
            tls_context(ca_file)

    def add_tls(
        self,
        resources: Iterable[Resource],
        log: CallLog,
        *,
        now: Clock,
        cancelled: threading.Event | None = None,
    ) -> tuple[Resource, ...]:
        """The same resources in the same order; one probe for each distinct host, port and trust.

        A probe is in the log as "TLS host:port" with the digest of the certificate. It has no
        status: 0 says so.
        """
        every = tuple(resources)
        places: dict[_Key, str] = {}
        for resource in every:
            if resource.scope.target not in self.code and (key := self._key(resource)) is not None:
                places.setdefault(key, resource.scope.target)
        found: dict[_Key, tuple[Probe, int | None]] = {}
        work = [(key, target) for key, target in places.items() if key[0].startswith("https:")]

        def probe(item: tuple[_Key, str], own: CallLog) -> Probe:
            (url, ca_file, proxy), target = item
            if cancelled is not None and cancelled.is_set():
                return _unseen(Reason.PARTIAL, "interrupted")
            seen = probe_tls(url, ca_file, self.timeout, proxy)
            request = f"TLS {printable(url.removeprefix('https://'), 200)}"
            own.add(Scope(target), "probe", request, 0, now(), body=seen.certificate)
            return seen

        for (key, _), (seen, offset) in zip(work, in_order(work, probe, log, self.max_workers), strict=True):
            found[key] = (seen, offset if len(log.calls) > offset else None)
        return tuple(self._with_tls(resource, found) for resource in every)

    def _key(self, resource: Resource) -> _Key | None:
        """Origin of an endpoint, trust and proxy; None for everything else."""
        url = resource.facts.get("url")
        if resource.type not in TYPES or not isinstance(url, str):
            return None
        address = _address(url)
        if address is None:
            return url, None, None
        scheme, host, port = address
        bracketed = f"[{host}]" if ":" in host else host
        target = resource.scope.target
        return f"{scheme}://{bracketed}:{port}", self.ca_files.get(target), self.proxies.get(target)

    def _with_tls(self, resource: Resource, found: Mapping[_Key, tuple[Probe, int | None]]) -> Resource:
        key = self._key(resource)
        if key is None:
            return resource
        if resource.scope.target in self.code and key[0].startswith("https:"):
            seen, call = _OF_CODE, None
        else:
            seen, call = found[key] if key in found else (probe_tls(key[0]), None)
        return replace(
            resource,
            facts={**resource.facts, **seen.facts},
            unseen={**resource.unseen, **seen.unseen},
            sources=resource.sources if call is None else {**resource.sources, GROUP: call},
        )


def _address(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname and port else None


def _unseen(reason: Reason, detail: str) -> Probe:
    return Probe(unseen={GROUP: Unseen(reason, detail)})


_OF_CODE: Final = _unseen(
    Reason.NOT_DESCRIBED, "code tells the address; nobody asks it before it is deployed"
)


def _facts(seen: _Handshake, *, verified: bool, match: bool | None, error: str | None) -> Probe:
    facts: dict[str, Value] = {"tls.version": seen.version, "tls.verified": verified, "tls.error": error}
    unseen: dict[str, Unseen] = {}
    unreadable = Unseen(Reason.INVALID_ANSWER, "the certificate cannot be read")
    for name, value in (("tls.host_match", match), ("tls.not_after", seen.not_after)):
        if value is None:
            unseen[name] = unreadable
        else:
            facts[name] = value
    return Probe(facts, unseen, seen.certificate)


def _look_closer(way: _Way, ca_file: str | None, refusal: ssl.SSLError) -> Probe:
    """After a refused handshake: does the chain hold without the name, and what is shown at all?"""
    try:
        seen, verified = _shake(way, _lenient(tls_context(ca_file))), True
    except ssl.SSLError:
        seen, verified = _shake(way, _lenient(None)), False
    not_after, match = _read_certificate(seen.certificate, way.host)
    return _facts(replace(seen, not_after=not_after), verified=verified, match=match, error=_why(refusal))


def _lenient(trust: ssl.SSLContext | None) -> ssl.SSLContext:
    """A context that minds no name and no age of protocol; without `trust` no chain either. Only looks."""
    context = trust or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if trust is None:
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def _shake(way: _Way, context: ssl.SSLContext) -> _Handshake:
    """One handshake that is over in time, however slowly the other side sends."""
    with _connected(way) as plain:
        plain.settimeout(_left(way.ends))  # of the whole handshake, not of each piece that arrives
        with context.wrap_socket(plain, server_hostname=way.host) as sock:
            shown = sock.getpeercert() or {}
            until = shown.get("notAfter")
            return _Handshake(
                sock.version(),
                sock.getpeercert(binary_form=True) or b"",
                ssl.cert_time_to_seconds(until) if isinstance(until, str) else None,
            )


def _connected(way: _Way) -> socket.socket:
    """A connection to the host, through the proxy where there is one."""
    if way.proxy is None:
        return socket.create_connection((way.host, way.port), timeout=_left(way.ends))
    try:
        sock = socket.create_connection((way.proxy.host, way.proxy.port), timeout=_left(way.ends))
    except TimeoutError:
        raise
    except OSError as error:
        raise _NoTunnel(way.proxy.refusal(str(error))) from None
    try:
        _tunnel(sock, way, way.proxy)
    except BaseException:
        sock.close()
        raise
    return sock


def _tunnel(sock: socket.socket, way: _Way, proxy: Proxy) -> None:
    """Ask the proxy for a connection. Its answer is read to the empty line and no byte further."""
    host = f"[{way.host}]" if ":" in way.host else way.host.encode("idna").decode("ascii")
    place = f"{host}:{way.port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}", *(f"{k}: {v}" for k, v in proxy.headers.items())]
    sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    said = bytearray()
    while not said.endswith(b"\r\n\r\n"):
        sock.settimeout(_left(way.ends))
        piece = sock.recv(1)
        said += piece
        if not piece or len(said) > _LONGEST_HEAD:
            raise _NoTunnel(f"the proxy {printable(proxy.place, 100)} gives no answer to CONNECT")
    status = re.match(rb"HTTP/1\.[01] (\d{3})\b", said)
    code = status[1].decode() if status else "000"
    if not code.startswith("2"):
        raise _NoTunnel(proxy.refusal(f"Tunnel connection failed: {code}"))


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _read_certificate(der: bytes, host: str) -> tuple[Seconds | None, bool | None]:
    """End of validity, and whether one of the names is `host`; None for what cannot be read.

    ssl reads only certificates it has verified, and this one could not be.
    """
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(der)
        not_after = int(certificate.not_valid_after_utc.timestamp())
    except ValueError:
        return None, None
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return not_after, False
    except (ValueError, x509.DuplicateExtension):
        return not_after, None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return not_after, any(_fits(name, host) for name in names.get_values_for_type(x509.DNSName))
    return not_after, address in names.get_values_for_type(x509.IPAddress)


def _fits(pattern: str, host: str) -> bool:
    """Whether a certificate's DNS name covers `host`; a star stands for exactly one leftmost label."""
    pattern, host = pattern.lower().rstrip("."), host.lower().rstrip(".")
    if pattern.startswith("*."):
        label, _, parent = host.partition(".")
        return bool(label) and pattern[2:] == parent
    return pattern == host


def _why(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return printable(error.verify_message, 120)
    return printable((error.reason or "handshake failed").replace("_", " ").lower(), 120)
