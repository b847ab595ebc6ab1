"""TLS as it is found: good, expired, misnamed, unknown, old, and not there at all."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from certificates import END, PAST, Authority
from forward_proxy import ForwardProxy, forwarding
from playback import Reply, playing

from cloudaudit.collectors.probe import Probe, TlsProbe, _fits, probe_tls
from cloudaudit.collectors.transport import CallLog, Proxy
from cloudaudit.errors import TargetError
from cloudaudit.model import Reason, Resource, Scope, Unseen

UNTIL = int(END.timestamp())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("tls"))


def facts(**differing: Any) -> dict[str, Any]:
    base = {"version": "TLSv1.3", "verified": True, "host_match": True, "not_after": UNTIL, "error": None}
    return {f"tls.{name}": value for name, value in {**base, **differing}.items()}


def probed(tls: ssl.SSLContext, ca_file: Path | None) -> Probe:
    with playing({}, tls) as server:
        found = probe_tls(server.url, None if ca_file is None else str(ca_file))
        assert server.asked == []
    return found


def test_a_good_certificate(authority: Authority) -> None:
    found = probed(authority.server("127.0.0.1"), authority.path)
    assert (found.facts, found.unseen) == (facts(), {})
    assert found.certificate[:1] == b"\x30"


def test_an_authority_nobody_named(authority: Authority) -> None:
    found = probed(authority.server("127.0.0.1"), None)
    assert found.facts == facts(verified=False, error="unable to get local issuer certificate")


def test_an_expired_certificate(authority: Authority) -> None:
    found = probed(authority.server("127.0.0.1", until=PAST), authority.path)
    assert found.facts == facts(
        verified=False, not_after=int(PAST.timestamp()), error="certificate has expired"
    )


def test_a_certificate_of_somebody_else_is_verified_and_does_not_match(authority: Authority) -> None:
    found = probed(authority.server("s3.vn", "10.0.0.1"), authority.path)
    error = "IP address mismatch, certificate is not valid for '127.0.0.1'."
    assert found.facts == facts(host_match=False, error=error)


def test_a_certificate_of_somebody_else_and_of_nobody(authority: Authority) -> None:
    found = probed(authority.server("s3.vn"), None)
    assert found.facts["tls.verified"] is False
    assert found.facts["tls.host_match"] is False
    assert found.facts["tls.not_after"] == UNTIL


def test_the_version_is_the_one_agreed_on(authority: Authority) -> None:
    found = probed(authority.server("127.0.0.1", newest=ssl.TLSVersion.TLSv1_2), authority.path)
    assert found.facts == facts(version="TLSv1.2")


def test_plain_http_is_an_answer() -> None:
    assert probe_tls("http://khong-co.invalid/") == Probe(
        facts(version=None, verified=False, host_match=False, not_after=None, error=None)
    )


def unseen(reason: Reason, detail: str) -> Probe:
    return Probe(unseen={"tls": Unseen(reason, detail)})


def test_http_behind_an_https_address_is_no_tls() -> None:
    with playing({"GET /": Reply()}) as server:
        found = probe_tls(server.url.replace("http:", "https:"))
    assert found.facts == {}
    assert found.unseen["tls"].reason is Reason.INVALID_ANSWER
    assert found.unseen["tls"].detail.startswith(f"no TLS at 127.0.0.1:{server.port} (")


def test_what_cannot_be_reached() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert probe_tls(f"https://127.0.0.1:{port}") == unseen(
        Reason.UNREACHABLE, f"no connection to 127.0.0.1:{port}: Connection refused"
    )
    assert probe_tls("https://khong-co.invalid") == unseen(
        Reason.UNREACHABLE, "the name khong-co.invalid cannot be resolved"
    )


@pytest.mark.parametrize("url", ["", "ftp://a", "https://", "https://[::1", "https://a:99999", "nova"])
def test_what_is_no_address(url: str) -> None:
    assert probe_tls(url) == unseen(Reason.INVALID_ANSWER, "not an http or https address")


@contextmanager
def listening(play: Callable[[socket.socket], None]) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listener.accept()
        with sock:
            play(sock)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        thread.join()


@pytest.mark.parametrize("manner", ["silent", "dripping"])
def test_a_handshake_without_end_ends(manner: str) -> None:
    over = threading.Event()
    # A handshake record that announces 16 KiB and comes one byte at a time.
    record = b"\x16\x03\x03\x3f\xff\x02" + bytes(100) if manner == "dripping" else b""

    def play(sock: socket.socket) -> None:
        for byte in record:
            if over.wait(0.02):
                return
            sock.sendall(bytes([byte]))
        over.wait(5)

    with listening(play) as port:
        began = time.monotonic()
        found = probe_tls(f"https://127.0.0.1:{port}", timeout=0.3)
        took = time.monotonic() - began
        over.set()
    assert found == unseen(Reason.TIMEOUT, f"no handshake with 127.0.0.1:{port} in 0.3 s")
    assert took < 1


@pytest.mark.parametrize(
    ("pattern", "host", "fits"),
    [
        ("s3.vn", "S3.VN", True),
        ("s3.vn", "s3.vn.", True),
        ("*.s3.vn", "a.s3.vn", True),
        ("*.s3.vn", "s3.vn", False),
        ("*.s3.vn", "a.b.s3.vn", False),
        ("*.s3.vn", ".s3.vn", False),
        ("a*.s3.vn", "ab.s3.vn", False),
        ("*", "vn", False),
        ("s3.vn", "as3.vn", False),
    ],
)
def test_names_of_certificates(pattern: str, host: str, fits: bool) -> None:
    assert _fits(pattern, host) is fits


def endpoint(url: object, target: str = "t", type_: str = "s3.endpoint") -> Resource:
    return Resource(type_, str(url), Scope(target), 1, {"url": url}, sources={"": 5})


def test_endpoints_of_all_collectors_are_enriched_with_one_probe_each(authority: Authority) -> None:
    with playing({}, authority.server("127.0.0.1")) as server:
        endpoints = [
            endpoint(f"{server.url}/v3"),
            endpoint(f"{server.url}/v2.1", type_="openstack.endpoint"),
            endpoint(server.url, target="khac"),
            endpoint("http://10.0.0.1"),
            endpoint("khong phai"),
            endpoint(None),
            endpoint(server.url, type_="s3.bucket"),
        ]
        log = CallLog()
        log.add(Scope("t"), "s3", "GET /", 200, 1)
        step = TlsProbe({"t": str(authority.path)})
        found = step.add_tls(endpoints, log, now=lambda: 77)
        assert server.connections == 1 + 3  # trusted at once; untrusted needs three looks
    assert [r.facts.get("tls.verified") for r in found] == [True, True, False, False, None, None, None]
    assert found[4].unseen == {"tls": Unseen(Reason.INVALID_ANSWER, "not an http or https address")}
    assert found[5:] == tuple(endpoints[5:])
    assert [dict(r.sources) for r in found[:4]] == [
        {"": 5, "tls": 1},
        {"": 5, "tls": 1},
        {"": 5, "tls": 2},
        {"": 5},
    ]
    asked = [(c.number, c.scope.target, c.service, c.request, c.status, c.at) for c in log.calls[1:]]
    place = f"TLS 127.0.0.1:{server.port}"
    assert asked == [(1, "t", "probe", place, 0, 77), (2, "khac", "probe", place, 0, 77)]
    certificate = probe_digest(authority, log)
    assert certificate == {log.calls[1].digest}


def probe_digest(authority: Authority, log: CallLog) -> set[str]:
    """Digests of the server certificates of this authority that are in the log."""
    made = {
        hashlib.sha256(
            ssl.PEM_cert_to_DER_cert(path.read_text().partition("-----BEGIN PRIVATE")[0])
        ).hexdigest()
        for path in authority.folder.glob("server-*.pem")
    }
    return made & {call.digest for call in log.calls}


def test_an_interrupted_probe_says_so(authority: Authority) -> None:
    stop = threading.Event()
    stop.set()
    with playing({}, authority.server("127.0.0.1")) as server:
        (found,) = TlsProbe().add_tls([endpoint(server.url)], CallLog(), now=lambda: 1, cancelled=stop)
        assert server.connections == 0
    assert found.unseen == {"tls": Unseen(Reason.PARTIAL, "interrupted")}
    assert dict(found.sources) == {"": 5}


def test_nobody_is_asked_for_what_code_is_to_deploy(authority: Authority) -> None:
    """Else whoever writes a plan would choose what the machine that audits it connects to."""
    with playing({}, authority.server("127.0.0.1")) as server:
        log = CallLog()
        probe = TlsProbe(code=frozenset({"ma"}))
        every = [endpoint(url, target="ma") for url in (server.url, "http://s3.vn")]
        seen, plain = probe.add_tls(every, log, now=lambda: 1)
        assert (server.connections, log.calls) == (0, [])
    detail = "code tells the address; nobody asks it before it is deployed"
    assert seen.unseen == {"tls": Unseen(Reason.NOT_DESCRIBED, detail)}
    assert (plain.facts["tls.verified"], plain.unseen) == (False, {})


def test_a_useless_ca_file_is_found_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="cannot be used"):
        TlsProbe({"t": str(tmp_path / "khong-co.pem")})


# --- through a proxy ------------------------------------------------------------------------------


def test_a_handshake_through_a_proxy_is_with_the_host_behind_it(authority: Authority) -> None:
    with (
        playing({}, authority.server("127.0.0.1")) as server,
        forwarding(ForwardProxy("an:mat-khau")) as proxy,
    ):
        named = Proxy.read(proxy.url.replace("//", "//an:mat-khau@"), "'proxy'")
        found = probe_tls(server.url, str(authority.path), proxy=named)
        assert (found.facts, found.unseen) == (facts(), {})
        expired = Resource(
            "s3.endpoint", "e", Scope("kho"), 0, {"url": server.url}, name="e", sources={}
        )  # fmt: skip
        log = CallLog()
        (seen,) = TlsProbe({"kho": str(authority.path)}, {"kho": named}).add_tls(
            [expired], log, now=lambda: 7
        )
        assert (seen.facts["tls.verified"], [call.request for call in log.calls]) == (
            True, [f"TLS 127.0.0.1:{server.port}"],
        )  # fmt: skip
    assert proxy.asked == [f"CONNECT 127.0.0.1:{server.port}"] * 2


@pytest.mark.parametrize(
    ("proxy", "detail"),
    [
        (
            ForwardProxy("an:mat-khau"),
            "the proxy {} refuses the connection (HTTP 407); name its user and password in proxy_file",
        ),
        (ForwardProxy(page=403), "the proxy {} refuses the connection (HTTP 403)"),
    ],
)
def test_a_proxy_that_makes_no_tunnel_leaves_tls_unseen(proxy: ForwardProxy, detail: str) -> None:
    with forwarding(proxy):
        found = probe_tls("https://kho.example.test", proxy=Proxy.read(proxy.url, "'proxy'"))
    assert found == Probe(unseen={"tls": Unseen(Reason.UNREACHABLE, detail.format(proxy.place))})
    assert proxy.asked == ["CONNECT kho.example.test:443"], "the proxy resolves the name"


def test_a_proxy_that_is_not_there_or_says_nothing_leaves_tls_unseen() -> None:
    found = probe_tls("https://kho.example.test", proxy=Proxy("127.0.0.1", 1))
    assert found.unseen["tls"] == Unseen(Reason.UNREACHABLE, "no connection to the proxy 127.0.0.1:1")
    with playing(lambda asked: Reply(raw=b"")) as server:
        found = probe_tls("https://kho.example.test", proxy=Proxy("127.0.0.1", server.port))
    assert found.unseen["tls"].reason is Reason.UNREACHABLE
