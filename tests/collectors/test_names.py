"""What DNS says of hosts: addresses, aliases, nothing, and half of it."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from cloudaudit.collectors.names import NameProbe, Resolved, resolved
from cloudaudit.collectors.transport import CallLog
from cloudaudit.model import Reason, Resource, Scope, Unseen

V4, V6 = socket.AF_INET, socket.AF_INET6
NODATA = getattr(socket, "EAI_NODATA", socket.EAI_NONAME)
Answer = tuple[str, list[str]] | int | type[Exception]


class Resolver:
    """Stands in for the machine's resolver: a canonical name with addresses by host and family, or a failure."""

    def __init__(self, answers: Mapping[tuple[str, int], Answer]) -> None:
        self._answers = answers
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: None, family: int, kind: int, protocol: int, flags: int) -> list[Any]:
        self.asked.append((host, family))
        assert flags == socket.AI_CANONNAME
        answer = self._answers.get((host, family), socket.EAI_NONAME)
        if isinstance(answer, int):
            raise socket.gaierror(answer, "Temporary failure in name resolution")
        if isinstance(answer, type):
            raise answer("PLANTED")
        name, addresses = answer
        # Only the first of the answers has the canonical name.
        return [(family, kind, 6, name * (not n), (address, 0)) for n, address in enumerate(addresses)]


def found(addresses: tuple[str, ...], alias: str | None = None) -> Resolved:
    return Resolved({"dns.addresses": addresses, "dns.alias": alias})


def why(reason: Reason, detail: str) -> Resolved:
    return Resolved(unseen={"dns": Unseen(reason, detail)})


def test_all_addresses_of_both_kinds() -> None:
    resolver = Resolver(
        {
            ("s3.vn", V4): ("S3.vn.", ["203.0.113.9", "203.0.113.10", "203.0.113.9"]),
            ("s3.vn", V6): ("s3.vn", ["2001:DB8::1", "fe80::1%eth0"]),
        }
    )
    assert resolved("s3.vn", resolver) == found(("2001:db8::1", "203.0.113.10", "203.0.113.9", "fe80::1"))
    assert resolver.asked == [("s3.vn", V4), ("s3.vn", V6)]


def test_the_name_at_the_end_of_aliases() -> None:
    one = Resolver({("s3.vn", V4): ("edge.cdn.example.", ["203.0.113.9"]), ("s3.vn", V6): NODATA})
    assert resolved("s3.vn", one) == found(("203.0.113.9",), "edge.cdn.example")
    two = Resolver({("s3.vn", V4): ("a.example", ["203.0.113.9"]), ("s3.vn", V6): ("b.example", ["::1"])})
    assert resolved("s3.vn", two) == why(Reason.AMBIGUOUS, "s3.vn is an alias of several names")


@pytest.mark.parametrize("host", ["203.0.113.9", "2001:db8::1"])
def test_an_address_is_not_asked_for(host: str) -> None:
    resolver = Resolver({})
    assert (resolved(host, resolver), resolver.asked) == (found((host,)), [])


def test_a_name_that_does_not_exist() -> None:
    assert resolved("khong-co.vn", Resolver({})) == why(
        Reason.UNREACHABLE, "the name khong-co.vn cannot be resolved"
    )


@pytest.mark.parametrize("family", [V4, V6])
def test_half_an_answer_is_none(family: int) -> None:
    other = V6 if family == V4 else V4
    resolver = Resolver({("s3.vn", family): socket.EAI_AGAIN, ("s3.vn", other): ("s3.vn", ["203.0.113.9"])})
    assert resolved("s3.vn", resolver) == why(
        Reason.UNREACHABLE, "looking up s3.vn: temporary failure in name resolution"
    )


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (UnicodeError, "the host name cannot be written in DNS"),
        (OSError, "the host name cannot be written in DNS"),
        (("s3.vn", ["no address"]), "an answer for s3.vn is no address"),
    ],
)
def test_answers_of_no_use(answer: Answer, detail: str) -> None:
    assert resolved("s3.vn", Resolver({("s3.vn", V4): answer})) == why(Reason.INVALID_ANSWER, detail)


def test_the_resolver_of_this_machine_is_asked() -> None:
    assert "127.0.0.1" in str(resolved("localhost").facts["dns.addresses"])
    assert resolved("khong-co.invalid").unseen["dns"].reason is Reason.UNREACHABLE
    # A label of more than 63 letters.
    assert resolved(f"{'a' * 70}.vn").unseen["dns"].reason is Reason.INVALID_ANSWER


# --- the step over all endpoints -----------------------------------------------------------------------


def endpoint(url: object, target: str = "t", type_: str = "s3.endpoint") -> Resource:
    return Resource(type_, str(url), Scope(target), 1, {"url": url}, sources={"": 5})


def test_each_name_is_looked_up_once_and_written_down() -> None:
    resolver = Resolver({("s3.vn", V4): ("s3.vn", ["203.0.113.9"])})
    every = [
        endpoint("https://S3.vn:6780/x"),
        endpoint("http://s3.vn", type_="openstack.endpoint"),
        endpoint("https://10.0.0.1"),
        endpoint("https://la.vn"),
        endpoint("https://s3.vn", target="qua-proxy"),
        endpoint("khong phai"),
        endpoint("https://[::1"),
        endpoint(None),
        endpoint("https://s3.vn", type_="s3.bucket"),
    ]
    log = CallLog()
    log.add(Scope("t"), "s3", "GET /", 200, 1)
    seen = NameProbe(frozenset({"qua-proxy"}), resolver).add_names(every, log, now=lambda: 77)
    assert resolver.asked == [("s3.vn", V4), ("s3.vn", V6), ("la.vn", V4), ("la.vn", V6)]
    named = found(("203.0.113.9",)).facts
    assert [dict(r.facts) for r in seen[:3]] == [
        {"url": "https://S3.vn:6780/x", **named},
        {"url": "http://s3.vn", **named},
        {"url": "https://10.0.0.1", **found(("10.0.0.1",)).facts},
    ]
    assert [r.unseen.get("dns") for r in seen[3:7]] == [
        Unseen(Reason.UNREACHABLE, "the name la.vn cannot be resolved"),
        Unseen(Reason.NOT_COLLECTED, "requests go through a proxy, which looks up names itself"),
        Unseen(Reason.INVALID_ANSWER, "not an http or https address"),
        Unseen(Reason.INVALID_ANSWER, "not an http or https address"),
    ]
    assert seen[7:] == tuple(every[7:])
    assert [dict(r.sources) for r in seen[:5]] == [
        {"": 5, "dns": 1},
        {"": 5, "dns": 1},
        {"": 5},
        {"": 5, "dns": 2},
        {"": 5},
    ]
    digest = hashlib.sha256(b"203.0.113.9").hexdigest()
    assert [(c.request, c.service, c.status, c.at, c.digest) for c in log.calls[1:]] == [
        ("DNS s3.vn", "probe", 0, 77, digest),
        ("DNS la.vn", "probe", 0, 77, ""),
    ]


def test_an_interrupted_collection_asks_no_more() -> None:
    over = threading.Event()
    over.set()
    resolver, log = Resolver({}), CallLog()
    (seen,) = NameProbe(resolve=resolver).add_names(
        [endpoint("https://s3.vn")], log, now=lambda: 1, cancelled=over
    )
    assert seen.unseen == {"dns": Unseen(Reason.PARTIAL, "interrupted")}
    assert (resolver.asked, log.calls) == ([], [])


def test_no_name_is_looked_up_for_code() -> None:
    resolver, log = Resolver({}), CallLog()
    every = [endpoint("https://s3.vn", target="ma"), endpoint("https://10.0.0.1", target="ma")]
    named, numbered = NameProbe(code=frozenset({"ma"}), resolve=resolver).add_names(every, log, now=lambda: 7)
    assert (resolver.asked, log.calls) == ([], [])
    detail = "code tells the address; nobody asks it before it is deployed"
    assert named.unseen == {"dns": Unseen(Reason.NOT_DESCRIBED, detail)}
    assert numbered.facts["dns.addresses"] == ("10.0.0.1",)
