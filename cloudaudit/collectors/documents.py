"""Fetching the published documents that attestations name: their digest, never their content.

The addresses come from files people write, and from servers that redirect. So no credential goes
along, and no connection is made to this machine, its neighbours or its cloud's metadata: a name
is resolved first, every address is checked, and the checked address is the one connected to.
"""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from cloudaudit.collectors import Seen
from cloudaudit.collectors.sightings import in_order, renumbered
from cloudaudit.collectors.transport import (
    MIB,
    REDIRECTS,
    Answer,
    CallLog,
    Clock,
    Consume,
    Failure,
    HttpClient,
    Journal,
    Limits,
    Proxy,
    Request,
    joined,
    printable,
    tls_context,
)
from cloudaudit.errors import TargetError
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope, Unseen, Value

DOCUMENT: Final = "published_document"
CALL: Final = "document.get"
LARGEST: Final = 100 * MIB
MOST_REDIRECTS: Final = 5
_AT_ONCE: Final = 4
DEADLINE: Final = 1800.0
"""Seconds for all papers together: as long as a target has, unless targets.yaml says otherwise."""

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class DocumentCollector:
    """Yields one `published_document` for each address, and a gap for each that gives no document.

    `allow_private` names networks (CIDR) that may be connected to although they are not public. A proxy
    connects in our place and is asked by name: what the name means here is checked all the same.
    """

    name = "documents"
    types = frozenset({DOCUMENT})

    def __init__(
        self,
        urls: Iterable[str],
        *,
        now: Clock,
        allow_private: Iterable[str] = (),
        ca_file: str | None = None,
        proxy: Proxy | None = None,
        cancelled: threading.Event | None = None,
        resolve: Resolve | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        self._urls = tuple(dict.fromkeys(urls))
        self._now = now
        self._allowed = tuple(_network(text) for text in allow_private)
        self._ca_file = ca_file
        self._proxy = proxy
        self._cancelled = cancelled
        self._deadline = deadline
        self._resolve = resolve or _resolved
        if ca_file is not None:
            tls_context(ca_file)

    def scopes(self, log: CallLog) -> Iterable[Scope | Gap]:
        return (Scope(self.name),) if self._urls else ()

    def collect(self, scope: Scope, wanted: frozenset[str], log: CallLog) -> Iterator[Seen]:
        """Fetch every document, some at once, in the order they were named."""
        if CALL not in wanted:
            return
        client = HttpClient(
            Limits(max_in_flight=_AT_ONCE, attempts=2, deadline=self._deadline),
            now=self._now,
            ca_file=self._ca_file,
            proxy=self._proxy,
            cancelled=self._cancelled,
        )

        def fetch(url: str, own: CallLog) -> tuple[Seen, ...]:
            return self._fetch(url, client, Journal(own, scope, "document"))

        for seen, offset in in_order(self._urls, fetch, log, _AT_ONCE):
            yield from (renumbered(one, offset) for one in seen)
        yield Listing(scope, DOCUMENT, len(self._urls), "the addresses named in the register of attestations")

    def _fetch(self, url: str, client: HttpClient, journal: Journal) -> tuple[Seen, ...]:
        here = url
        for _ in range(MOST_REDIRECTS + 1):
            digest = hashlib.sha256()
            answer = self._get(here, client, journal, digest.update)
            if isinstance(answer, Failure):
                return self._lost(url, journal, answer)
            if answer.status not in REDIRECTS or not answer.headers.get("location"):
                return self._document(url, here, journal, answer, digest.hexdigest())
            here = joined(here, _location(answer))
        failure = Failure(Reason.URL_UNREACHABLE, f"more than {MOST_REDIRECTS} redirects", answer.call)
        return self._lost(url, journal, failure)

    def _get(self, url: str, client: HttpClient, journal: Journal, consume: Consume) -> Answer | Failure:
        """One GET of a checked address; the next address of the name if there is no connection."""
        place = self._checked(url)
        if isinstance(place, Failure):
            return place
        plain, label, addresses = place
        answer: Answer | Failure = Failure(Reason.URL_UNREACHABLE, "the name has no address")
        for address in addresses[:1] if self._proxy else addresses:
            request = Request(
                "GET",
                plain,
                label=label,
                address=None if self._proxy else address,
                max_body=LARGEST,
                consume=consume,
            )
            answer = client.send(request, journal)
            if not isinstance(answer, Failure) or answer.reason is not Reason.UNREACHABLE:
                break
        return answer

    def _checked(self, url: str) -> tuple[str, str, tuple[str, ...]] | Failure:
        """The URL in ASCII, what the log calls it, and the addresses of its host that may be used."""
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").encode("idna").decode("ascii")
            port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
        except ValueError:
            return Failure(Reason.URL_UNREACHABLE, "not an http or https address")
        if not host or not port or parts.scheme not in ("http", "https"):
            return Failure(Reason.URL_UNREACHABLE, "not an http or https address")
        if parts.username is not None or parts.password is not None:
            return Failure(Reason.URL_UNREACHABLE, "the address holds credentials; a published one has none")
        try:
            found = self._resolve(host, port)
        except OSError:
            return Failure(Reason.URL_UNREACHABLE, f"the name {host} cannot be resolved")
        usable = tuple(dict.fromkeys(text for text in found if self._may_connect(text)))
        if found and not usable:
            detail = f"{host} is at a private address; name its network under allow_private if that is right"
            return Failure(Reason.URL_UNREACHABLE, detail)
        bracketed = f"[{host}]" if ":" in host else host
        netloc = bracketed if parts.port is None else f"{bracketed}:{parts.port}"
        label = f"GET {parts.path or '/'}{'?***' if parts.query else ''}"
        return urlunsplit((parts.scheme, netloc, parts.path, parts.query, "")), printable(label, 500), usable

    def _may_connect(self, text: str) -> bool:
        address = _address(text)
        if address is None:
            return False
        faces = _faces(address)
        return all(map(_public, faces)) or any(face in network for face in faces for network in self._allowed)

    def _document(
        self, url: str, here: str, journal: Journal, answer: Answer, digest: str
    ) -> tuple[Seen, ...]:
        facts: dict[str, Value] = {
            "status": answer.status,
            # A redirect may lead to a signed, secret address: of it only the place is kept.
            "final_url": url if here == url else _shown(here),
            "content_type": _media_type(answer),
        }
        if answer.status == 200:
            facts["sha256"] = digest
            return (self._resource(url, journal, facts, {}, answer.at, answer.call),)
        why = Unseen(Reason.URL_UNREACHABLE, f"answered {answer.status}")
        resource = self._resource(url, journal, facts, {"sha256": why}, answer.at, answer.call)
        return resource, _gap(url, journal, Failure(why.reason, why.detail, answer.call))

    def _lost(self, url: str, journal: Journal, failure: Failure) -> tuple[Seen, ...]:
        reason = Reason.PARTIAL if failure.detail == "interrupted" else Reason.URL_UNREACHABLE
        lost = Failure(reason, failure.detail, failure.call)
        unseen = {"": Unseen(lost.reason, lost.detail)}
        return self._resource(url, journal, {}, unseen, self._now(), lost.call), _gap(url, journal, lost)

    def _resource(
        self,
        url: str,
        journal: Journal,
        facts: dict[str, Value],
        unseen: dict[str, Unseen],
        at: int,
        call: int | None,
    ) -> Resource:
        sources = {} if call is None else {"": call}
        return Resource(
            DOCUMENT, url, journal.scope, at, facts, name=_shown(url), unseen=unseen, sources=sources
        )


def _gap(url: str, journal: Journal, failure: Failure) -> Gap:
    detail = f"{_shown(url)}: {failure.detail}"
    return Gap(journal.scope, DOCUMENT, CALL, failure.reason, detail, failure.call, listing=False)


def _resolved(host: str, port: int) -> Sequence[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise TargetError(
            f"allow_private: '{text}' is no network", hint="write it in CIDR notation, as 10.1.0.0/16"
        ) from None


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _faces(address: Address) -> tuple[Address, ...]:
    """An address and every IPv4 address that is reached through it."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address in _NAT64:
        return (ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF),)
    inner = [address.sixtofour, *(address.teredo or ())]
    return (address, *(found for found in inner if found is not None))


def _public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _location(answer: Answer) -> str:
    """The Location header; servers send UTF-8 where HTTP says Latin-1."""
    raw = answer.headers["location"]
    try:
        return raw.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return raw


def _shown(url: str) -> str:
    """A URL without what could be a secret: user, query, fragment."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return printable(urlunsplit((parts.scheme, host, parts.path, "", "")), 500)
    except ValueError:
        return "(no address)"


def _media_type(answer: Answer) -> str | None:
    text = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return printable(text, 100) or None
