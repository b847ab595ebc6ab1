"""Published documents: digests of what is public, and no way into a private network."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from forward_proxy import ForwardProxy, forwarding
from playback import AT, Asked, Playback, Reply, playing

from cloudaudit.collectors import documents
from cloudaudit.collectors.documents import DocumentCollector
from cloudaudit.collectors.transport import CallLog, Proxy
from cloudaudit.errors import TargetError
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope, Unseen

SCOPE = Scope("documents")
OURS = 1_700_000_000
LOOPBACK = ("127.0.0.0/8",)
BODY = "Công bố vị trí dữ liệu".encode()
WANTED = frozenset({"document.get"})


def names(table: Mapping[str, Sequence[str]]) -> Callable[[str, int], Sequence[str]]:
    """A resolver that knows these names, and addresses."""

    def resolve(host: str, port: int) -> Sequence[str]:
        if host in table:
            return table[host]
        if re.fullmatch(r"[\d.]+|[0-9a-f:]*:[0-9a-f:.]*", host):
            return [host]
        raise OSError(-2, "Name or service not known")

    return resolve


class Fetched:
    def __init__(self, *urls: str, wanted: frozenset[str] = WANTED, table: Any = None, **more: Any) -> None:
        settings = {
            "allow_private": LOOPBACK,
            "resolve": names(table or {"cong-bo.vn": ["127.0.0.1"]}),
            **more,
        }
        collector = DocumentCollector(urls, now=lambda: OURS, **settings)
        log = CallLog()
        self.scopes = list(collector.scopes(log))
        self.seen = list(collector.collect(SCOPE, wanted, log))
        self.calls = log.calls
        self.resources = {r.id: r for r in self.seen if isinstance(r, Resource)}
        self.gaps = [g for g in self.seen if isinstance(g, Gap)]
        self.listings = [x for x in self.seen if isinstance(x, Listing)]

    @property
    def one(self) -> Resource:
        (only,) = self.resources.values()
        return only

    @property
    def detail(self) -> str:
        """Why the only document is lost: the same in resource and gap."""
        (gap,) = self.gaps
        unseen = self.one.unseen[""]
        assert (gap.type, gap.operation, gap.reason) == ("published_document", "document.get", unseen.reason)
        assert (dict(self.one.facts), unseen.reason) == ({}, Reason.URL_UNREACHABLE)
        assert gap.detail.endswith(f": {unseen.detail}")
        return unseen.detail


def url(server: Playback, path: str = "/a.pdf", host: str = "cong-bo.vn") -> str:
    return f"http://{host}:{server.port}{path}"


def test_a_document_is_its_digest() -> None:
    with playing({"GET /a.pdf": Reply(200, BODY, {"Content-Type": "Application/PDF; charset=x"})}) as server:
        name = url(server)
        found = Fetched(name, name)
        assert [
            (a.headers["Host"], a.headers["Authorization"], a.headers["Cookie"]) for a in server.asked
        ] == [(f"cong-bo.vn:{server.port}", None, None)]
    digest = hashlib.sha256(BODY).hexdigest()
    assert found.scopes == [SCOPE]
    assert found.seen == [
        Resource(
            "published_document", name, SCOPE, AT,
            {"status": 200, "sha256": digest, "final_url": name, "content_type": "application/pdf"},
            name=name, sources={"": 0},
        ),
        Listing(SCOPE, "published_document", 1, "the addresses named in the register of attestations"),
    ]  # fmt: skip
    (call,) = found.calls
    assert (call.service, call.request, call.status, call.digest) == ("document", "GET /a.pdf", 200, digest)
    assert "Công bố" not in repr(found.seen)


def test_a_redirect_is_followed_and_its_query_forgotten() -> None:
    with playing({"GET /that?Signature=PLANTED": Reply(200, BODY)}) as server:
        first = playing(
            {"GET /a.pdf": Reply(302, headers={"Location": f"{url(server, '/that')}?Signature=PLANTED"})}
        )
        with first as start:
            found = Fetched(url(start))
    assert found.one.facts["final_url"] == url(server, "/that")
    assert [(call.number, call.request, call.status) for call in found.calls] == [
        (0, "GET /a.pdf", 302),
        (1, "GET /that?***", 200),
    ]
    assert found.one.sources == {"": 1}
    assert "PLANTED" not in repr((found.seen, found.calls))


def test_redirects_end_somewhere() -> None:
    with playing(lambda asked: Reply(301, headers={"Location": asked.path + "x"})) as server:
        found = Fetched(url(server))
        assert len(server.asked) == 6
    assert found.detail == "more than 5 redirects"


def test_five_redirects_are_allowed() -> None:
    def answer(asked: Asked) -> Reply:
        return (
            Reply(200, BODY)
            if asked.path == "/5"
            else Reply(307, headers={"Location": f"/{int(asked.path[1:]) + 1}"})
        )

    with playing(answer) as server:
        assert Fetched(url(server, "/0")).one.facts["status"] == 200


@pytest.mark.parametrize("status", [403, 404, 410, 500, 204, 206, 302])
def test_an_answer_that_is_no_document_has_a_status_and_no_digest(status: int) -> None:
    with playing({"GET /a.pdf": Reply(status, b"" if status == 204 else b"<html>khong co</html>")}) as server:
        found = Fetched(url(server))
    answered = Unseen(Reason.URL_UNREACHABLE, f"answered {status}")
    assert (found.one.facts["status"], "sha256" in found.one.facts) == (status, False)
    assert found.one.unseen == {"sha256": answered}
    detail = f"{url(server)}: answered {status}"
    lost = Gap(SCOPE, "published_document", "document.get", Reason.URL_UNREACHABLE, detail, 0, listing=False)
    assert found.gaps == [lost]


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "carrier"),
        ("169.254.169.254", "metadata"),
        ("fe80::1%eth0", "link local"),
        ("fd00::1", "unique local"),
        ("fec0::1", "site local"),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("255.255.255.255", "broadcast"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("192.0.2.1", "documentation"),
        ("::ffff:127.0.0.1", "mapped"),
        ("::ffff:169.254.169.254", "mapped"),
        ("::7f00:1", "compatible"),
        ("64:ff9b::7f00:1", "nat64"),
        ("2002:7f00:1::1", "6to4"),
        ("2001:0:7f00:1::", "teredo"),
        ("rubbish", "nothing"),
    ],
)
def test_private_addresses_are_refused_before_any_connection(address: str, what: str) -> None:
    with playing(lambda asked: Reply(200, BODY)) as server:
        found = Fetched(url(server), allow_private=(), table={"cong-bo.vn": [address]})
        assert server.connections == 0
    assert (
        found.detail
        == "cong-bo.vn is at a private address; name its network under allow_private if that is right"
    )
    assert found.calls == []


@pytest.mark.parametrize(
    "written", ["127.0.0.1", "[::1]", "2130706433", "localhost", "[::ffff:127.0.0.1]", "0x7f.1"]
)
def test_addresses_written_outright_are_refused_too(written: str) -> None:
    with playing(lambda asked: Reply(200, BODY)) as server:
        found = Fetched(f"http://{written}:{server.port}/", allow_private=(), resolve=None)
        assert server.connections == 0
    assert "private address" in found.detail or "cannot be resolved" in found.detail


@pytest.mark.parametrize("network", ["127.0.0.0/8", "127.0.0.1/32"])
def test_a_private_network_that_is_named_may_be_asked(network: str) -> None:
    with playing(lambda asked: Reply(200, BODY)) as server:
        assert Fetched(url(server), allow_private=("10.0.0.0/8", network)).one.facts["status"] == 200


def test_every_redirect_is_checked_anew() -> None:
    table = {"cong-bo.vn": ["127.0.0.1"], "noi-bo.vn": ["10.0.0.1"]}
    with playing(lambda asked: Reply(302, headers={"Location": "http://noi-bo.vn/"})) as server:
        found = Fetched(url(server), table=table)
    assert (
        found.detail
        == "noi-bo.vn is at a private address; name its network under allow_private if that is right"
    )


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "gopher://x", "http://[x", "https://", "ftp://cong-bo.vn/", "javascript:1"],
)
def test_a_redirect_leads_to_http_or_nowhere(location: str) -> None:
    with playing(lambda asked: Reply(302, headers={"Location": location})) as server:
        assert Fetched(url(server)).detail == "not an http or https address"


def test_the_checked_address_is_the_one_connected_to() -> None:
    """A name that resolves to another place the second time gains nothing: it is resolved once."""
    answers = [["127.0.0.1"], ["10.9.9.9"]]
    with playing(lambda asked: Reply(200, BODY)) as server:
        found = Fetched(url(server), resolve=lambda host, port: answers.pop(0))
    assert found.one.facts["status"] == 200
    assert answers == [["10.9.9.9"]]


def test_of_several_addresses_only_public_ones_are_tried_in_turn() -> None:
    table = {"cong-bo.vn": ["10.0.0.1", "::1", "127.0.0.1"]}
    with playing(lambda asked: Reply(200, BODY)) as server:
        found = Fetched(url(server), table=table, allow_private=(*LOOPBACK, "::1/128"))
    assert found.one.facts["status"] == 200
    assert [(call.status, call.request) for call in found.calls] == [(0, "GET /a.pdf"), (200, "GET /a.pdf")]


@pytest.mark.parametrize(
    ("address", "detail"),
    [
        ("ftp://cong-bo.vn/a", "not an http or https address"),
        ("khong phai", "not an http or https address"),
        ("http://[::1", "not an http or https address"),
        ("http://cong-bo.vn:99999/", "not an http or https address"),
        ("http://" + "a" * 70 + ".vn/", "not an http or https address"),
        ("http://u:PLANTED@cong-bo.vn/", "the address holds credentials; a published one has none"),
        ("http://khong-co.vn/", "the name khong-co.vn cannot be resolved"),
    ],
)
def test_addresses_that_lead_nowhere(address: str, detail: str) -> None:
    found = Fetched(address)
    assert found.detail == detail
    assert "PLANTED" not in repr(found.gaps)


def test_names_and_paths_in_vietnamese() -> None:
    body = Reply(200, BODY)
    table = {"xn--cng-b-hza5o.vn": ["127.0.0.1"]}
    with playing(lambda asked: body) as server:
        address = f"http://{b'xn--cng-b-hza5o.vn'.decode('idna')}:{server.port}/tài liệu.pdf"
        found = Fetched(address, table=table)
        assert server.requests == ["GET /t%C3%A0i%20li%E1%BB%87u.pdf"]
    assert found.one.facts["status"] == 200
    assert found.one.id == address


def test_a_redirect_in_raw_utf8_is_understood() -> None:
    raw = b"HTTP/1.1 302 Found\r\nLocation: /t\xc3\xa0i.pdf\r\nContent-Length: 0\r\n\r\n"
    replies = {"/a.pdf": Reply(raw=raw), "/t%C3%A0i.pdf": Reply(200, BODY)}
    with playing(lambda asked: replies[asked.path]) as server:
        assert Fetched(url(server)).one.facts["status"] == 200


def test_a_document_beyond_the_bound_has_no_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LARGEST", 1024 * 1024)
    with playing(lambda asked: Reply(200, b"x" * 1024 * 1024 + b"x")) as server:
        assert Fetched(url(server)).detail == "answer larger than 1 MiB"


def test_half_a_document_has_no_digest() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    with playing(lambda asked: Reply(raw=raw)) as server:
        assert Fetched(url(server)).detail == "the answer ended early"


def test_https_with_a_private_authority(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    with playing(lambda asked: Reply(200, BODY), authority.server("cong-bo.vn")) as server:
        address = f"https://cong-bo.vn:{server.port}/"
        assert Fetched(address, ca_file=str(authority.path)).one.facts["status"] == 200
        assert "name its certificate as ca_file" in Fetched(address).detail


def test_many_documents_come_in_the_order_they_were_named() -> None:
    with playing(lambda asked: Reply(200, asked.path.encode())) as server:
        addresses = [url(server, f"/{n}") for n in range(12)]
        found = Fetched(*addresses)
    assert list(found.resources) == addresses
    assert [call.request for call in found.calls] == [f"GET /{n}" for n in range(12)]
    assert [r.sources[""] for r in found.resources.values()] == list(range(12))


def test_nothing_is_fetched_that_is_not_wanted() -> None:
    with playing({}) as server:
        assert Fetched(url(server), wanted=frozenset({"s3.acl"})).seen == []
        assert Fetched().scopes == []
        assert server.asked == []


def test_an_interruption_is_named_as_one() -> None:
    stop = threading.Event()
    stop.set()
    with playing({}) as server:
        found = Fetched(url(server), cancelled=stop)
        assert server.asked == []
    assert found.one.unseen == {"": Unseen(Reason.PARTIAL, "interrupted")}
    assert [gap.reason for gap in found.gaps] == [Reason.PARTIAL]


def test_a_network_is_written_in_cidr() -> None:
    with pytest.raises(TargetError, match=r"allow_private: '10\.1/16' is no network"):
        DocumentCollector([], now=lambda: 0, allow_private=["10.1/16"])


# --- through a proxy ------------------------------------------------------------------------------


def test_a_proxy_fetches_a_document_whose_name_was_checked_here() -> None:
    with playing({"GET /a.pdf": Reply(200, BODY)}) as server, forwarding(ForwardProxy()) as proxy:
        named = Proxy.read(proxy.url, "'proxy'")
        here = url(server, host="localhost")
        found = Fetched(here, proxy=named, table={"localhost": ["127.0.0.1"]})
        assert found.one.facts["sha256"] == hashlib.sha256(BODY).hexdigest()
        assert proxy.asked == [f"GET {here}"], "by its name"
        private = Fetched(here, proxy=named, table={"localhost": ["10.0.0.1"]}, allow_private=())
        assert "private address" in private.detail
    assert len(proxy.asked) == 1


def test_a_proxy_that_refuses_a_document_is_a_gap() -> None:
    with forwarding(ForwardProxy(page=403)) as proxy:
        named = Proxy.read(proxy.url, "'proxy'")
        found = Fetched("https://cong-bo.vn/a.pdf", proxy=named)
        assert found.detail == f"the proxy {proxy.place} refuses the connection (HTTP 403)"
