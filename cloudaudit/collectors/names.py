"""The addresses that DNS gives for the hosts of endpoints, as the resolver of this machine answers.

An address is what a client would be led to, not where anything stands: proxies, anycast and content
networks hide the true host. Nothing is sent to the endpoint itself.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from cloudaudit.collectors.sightings import in_order
from cloudaudit.collectors.transport import CallLog, Clock, printable
from cloudaudit.model import Reason, Resource, Scope, Unseen, Value

CALL: Final = "probe.dns"
TYPES: Final = frozenset({"openstack.endpoint", "s3.endpoint"})
GROUP: Final = "dns"
# What says that there are no addresses of a kind; any other failure says nothing.
_NONE: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})

Resolve: TypeAlias = Callable[..., list[Any]]
"""As `socket.getaddrinfo`."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was found of one host: dns.* facts, or why there are none."""

    facts: Mapping[str, Value] = field(default_factory=dict)
    unseen: Mapping[str, Unseen] = field(default_factory=dict)


def resolved(host: str, resolve: Resolve = socket.getaddrinfo) -> Resolved:
    """All addresses of a host, and the name at the end of its aliases where that is another one.

    A and AAAA are asked apart: of one question for both, a resolver that fails at half of it shows
    the other half as if it were all. How long an answer may take is the resolver's own setting.
    """
    literal = _address(host)
    if literal is not None:
        return Resolved({"dns.addresses": (literal,), "dns.alias": None})
    found: set[str] = set()
    names: set[str] = set()
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            answers = resolve(host, None, family, socket.SOCK_STREAM, 0, socket.AI_CANONNAME)
        except socket.gaierror as error:
            if error.errno in _NONE:
                continue
            why = printable(error.strerror or "failure", 100).lower()
            return _unseen(Reason.UNREACHABLE, f"looking up {printable(host, 100)}: {why}")
        except (OSError, UnicodeError):
            return _unseen(Reason.INVALID_ANSWER, "the host name cannot be written in DNS")
        for _, _, _, name, place in answers:
            address = _address(str(place[0]))
            if address is None:
                return _unseen(Reason.INVALID_ANSWER, f"an answer for {printable(host, 100)} is no address")
            found.add(address)
            if name:
                names.add(name.lower().rstrip("."))
    if not found:
        return _unseen(Reason.UNREACHABLE, f"the name {printable(host, 100)} cannot be resolved")
    others = names - {host.lower().rstrip(".")}
    if len(others) > 1:
        return _unseen(Reason.AMBIGUOUS, f"{printable(host, 100)} is an alias of several names")
    alias = printable(others.pop(), 255) if others else None
    return Resolved({"dns.addresses": tuple(sorted(found)), "dns.alias": alias})


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def _unseen(reason: Reason, detail: str) -> Resolved:
    return Resolved(unseen={GROUP: Unseen(reason, detail)})


_NO_HOST: Final = _unseen(Reason.INVALID_ANSWER, "not an http or https address")
_PROXIED: Final = _unseen(Reason.NOT_COLLECTED, "requests go through a proxy, which looks up names itself")
_OF_CODE: Final = _unseen(
    Reason.NOT_DESCRIBED, "code tells the address; nobody asks it before it is deployed"
)


@dataclass(frozen=True, slots=True)
class NameProbe:
    """The step that adds dns.* facts to endpoints of any collector.

    Targets in `proxied` are left alone: what this machine's resolver says is not where they are reached.
    So are those in `code`: a name that is to be deployed is nobody's business before.
    """

    proxied: Set[str] = frozenset()
    resolve: Resolve = socket.getaddrinfo
    max_workers: int = 16
    code: Set[str] = frozenset()

    def add_names(
        self,
        resources: Iterable[Resource],
        log: CallLog,
        *,
        now: Clock,
        cancelled: threading.Event | None = None,
    ) -> tuple[Resource, ...]:
        """The same resources in the same order; each name is looked up once.

        A question is in the log as "DNS name", with the digest of the addresses. It has no status: 0
        says so. A host that is an address is no question.
        """
        every = tuple(resources)
        hosts: dict[str, str] = {}
        for resource in every:
            host = _host(resource)
            left = resource.scope.target in self.proxied or resource.scope.target in self.code
            if host and not left and _address(host) is None:
                hosts.setdefault(host, resource.scope.target)

        def look_up(item: tuple[str, str], own: CallLog) -> Resolved:
            host, target = item
            if cancelled is not None and cancelled.is_set():
                return _unseen(Reason.PARTIAL, "interrupted")
            seen = resolved(host, self.resolve)
            addresses = seen.facts.get("dns.addresses", ())
            body = "\n".join(addresses) if isinstance(addresses, tuple) else ""
            own.add(Scope(target), "probe", f"DNS {printable(host, 200)}", 0, now(), body=body.encode())
            return seen

        found: dict[str, tuple[Resolved, int | None]] = {}
        work = list(hosts.items())
        answers = in_order(work, look_up, log, self.max_workers)
        for (host, _), (seen, offset) in zip(work, answers, strict=True):
            found[host] = (seen, offset if len(log.calls) > offset else None)
        return tuple(self._with_names(resource, found) for resource in every)

    def _with_names(self, resource: Resource, found: Mapping[str, tuple[Resolved, int | None]]) -> Resource:
        if not isinstance(resource.facts.get("url"), str) or resource.type not in TYPES:
            return resource
        host = _host(resource)
        call: int | None = None
        if host is None:
            seen = _NO_HOST
        elif resource.scope.target in self.proxied:
            seen = _PROXIED
        elif resource.scope.target in self.code and _address(host) is None:
            seen = _OF_CODE
        else:
            seen, call = found.get(host) or (resolved(host, self.resolve), None)
        return replace(
            resource,
            facts={**resource.facts, **seen.facts},
            unseen={**resource.unseen, **seen.unseen},
            sources=resource.sources if call is None else {**resource.sources, GROUP: call},
        )


def _host(resource: Resource) -> str | None:
    """The host of an endpoint's address, in small letters; None where there is none."""
    url = resource.facts.get("url")
    if resource.type not in TYPES or not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.hostname if parts.scheme in ("http", "https") else None
