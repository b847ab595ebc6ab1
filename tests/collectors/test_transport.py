"""The shared client: what it lets out, what it makes of every way a network can fail."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from pathlib import Path

import pytest
from botocore.auth import _host_from_url as host_from_url
from certificates import PAST, Authority
from playback import AT, DATE, Asked, Reply, playing

from cloudaudit.collectors import transport
from cloudaudit.collectors.transport import (
    Answer,
    CallLog,
    Failure,
    ForbiddenVerb,
    HttpClient,
    Journal,
    Limits,
    Request,
    moment_of_date,
    nfc,
    permit,
    printable,
    reason_of_status,
    retry_after,
    tls_context,
)
from cloudaudit.errors import TargetError
from cloudaudit.model import Call, Reason, Scope

SCOPE = Scope("t")
OURS = 1_700_000_000


LIMITS = Limits()


def client(limits: Limits = LIMITS, *, ca_file: str | None = None) -> HttpClient:
    """A client that does not wait; `waits` of it says how long it would have."""
    waits: list[float] = []
    made = HttpClient(limits, now=lambda: OURS, ca_file=ca_file, pause=waits.append)
    made.waits = waits
    return made


def journal() -> Journal:
    return Journal(CallLog(), SCOPE, "s3")


def ask(url: str, limits: Limits = LIMITS, **request: object) -> Answer | Failure:
    return client(limits).send(Request("GET", url, **request), journal())


def test_an_answer_and_what_is_written_down_about_it() -> None:
    reply = Reply(200, b"xin ch\xc3\xa0o", {"X-Amz-Request-Id": "tx1", "X-Amz-Request": "b"})
    note = journal()
    with playing({"GET /a?b=c": reply}) as server:
        answer = client().get(f"{server.url}/a?b=c", note)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.at, answer.call) == (200, reply.body, AT, 0)
    assert answer.headers["x-amz-request-id"] == "tx1"
    digest = hashlib.sha256(reply.body).hexdigest()
    assert note.log.calls == [Call(0, SCOPE, "s3", "GET /a?b=c", 200, AT, "tx1", digest)]
    assert server.asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Sun, 22 Nov 1926 09:08:14 GMT", "Sun, 22 Nov 99999 09:08:14 GMT"]
)
def test_a_missing_or_absurd_date_is_replaced_by_ours(date: str) -> None:
    with playing({"GET /": Reply(headers={"Date": date})}) as server:
        answer = ask(f"{server.url}/")
    assert isinstance(answer, Answer)
    assert answer.at == OURS


@pytest.mark.parametrize("verb", ["PUT", "POST", "DELETE", "PATCH", "OPTIONS", "put", "CONNECT", "COPY"])
def test_no_writing_verb_leaves(verb: str) -> None:
    with playing({}) as server:
        with pytest.raises(ForbiddenVerb, match=f"{verb.upper()} /x is not a reading call"):
            client().send(Request(verb, f"{server.url}/x?secret=1"), journal())
        assert (server.requests, server.connections) == ([], 0)


def test_the_token_post_passes_only_to_its_own_address() -> None:
    tokens = frozenset({"https://keystone.vn/v3/auth/tokens"})
    permit("POST", "https://keystone.vn/v3/auth/tokens?nocatalog", tokens)
    for url in (
        "https://keystone.vn/v3/auth/tokens/x",
        "http://keystone.vn/v3/auth/tokens",
        "https://k.vn/v3/auth/tokens",
    ):
        with pytest.raises(ForbiddenVerb):
            permit("POST", url, tokens)


def test_a_redirect_is_an_answer_unless_asked_for() -> None:
    routes = {
        "GET /a": Reply(302, headers={"Location": "/b"}),
        "GET /b": Reply(200, b"here"),
    }
    with playing(routes) as server:
        stay = ask(f"{server.url}/a")
        follow = client().send(Request("GET", f"{server.url}/a"), journal(), redirects=1)
        too_few = client().send(Request("GET", f"{server.url}/a"), journal(), redirects=0)
    assert [getattr(a, "status", None) for a in (stay, follow, too_few)] == [302, 200, 302]


def test_a_redirect_to_nowhere_is_a_failure() -> None:
    with playing(lambda asked: Reply(302, headers={"Location": "http://[x"})) as server:
        failure = client().send(Request("GET", server.url), journal(), redirects=5)
    assert failure == Failure(Reason.INVALID_ANSWER, "not an http or https address", 1)


def test_a_signature_stays_behind_when_a_redirect_leaves_the_origin() -> None:
    def sign(method: str, url: str) -> dict[str, str]:
        return {"Authorization": f"signed {method}"}

    with playing({"GET /there": Reply()}) as other:
        routes = {
            "GET /away": Reply(307, headers={"Location": f"{other.url}/there"}),
            "GET /near": Reply(307, headers={"Location": "/there"}),
            "GET /there": Reply(),
        }
        with playing(routes) as server:
            for path in ("/away", "/near"):
                client().send(Request("GET", server.url + path, sign=sign), journal(), redirects=3)
    assert [a.headers["Authorization"] for a in other.asked] == [None]
    assert [a.headers["Authorization"] for a in server.asked] == ["signed GET"] * 3


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_after_the_time_it_names(status: int) -> None:
    replies = [Reply(status, headers={"Retry-After": "7"}), Reply(200, b"now")]
    http = client()
    note = journal()
    with playing(lambda asked: replies.pop(0)) as server:
        answer = http.get(server.url, note)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.call) == (200, b"now", 1)
    assert http.waits == [7.0]
    assert [call.status for call in note.log.calls] == [status, 200]


@pytest.mark.parametrize("after", ["3600", "Sun, 22 Nov 2026 10:08:14 GMT", "9" * 40])
def test_a_server_that_wants_to_be_left_alone_for_long_is(after: str) -> None:
    with playing(lambda asked: Reply(503, b"busy", {"Retry-After": after})) as server:
        answer = ask(server.url)
    assert isinstance(answer, Answer)
    assert (answer.status, len(server.asked)) == (503, 1)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0), ("7", 7), (" 7 ", 7), ("86400", 86400), ("9" * 5000, 999_999_999),
        ("Sun, 22 Nov 2026 03:46:50 GMT", 10), ("Sun, 22 Nov 2026 03:46:00 GMT", 0),
        ("", 0), ("-5", 0), ("1.5", 0), ("soon", 0),
    ],
)  # fmt: skip
def test_how_long_a_busy_server_asks_to_be_left_alone(header: str, seconds: float) -> None:
    assert retry_after(header, 1795319200) == seconds


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        ("Sun, 22 Nov 2026 03:46:40 GMT", 1795319200),
        ("Sun, 22 Nov 2026 10:46:40 +0700", 1795319200),
        (None, None), ("", None), ("soon", None), ("Thu, 01 Jan 1970 00:00:00 GMT", None), ("Sun, 99 Nov 2026 03:46:40 GMT", None),
        ("Sun, 22 Nov " + "9" * 5000 + " 03:46:40 GMT", None),
    ],
)  # fmt: skip
def test_dates(header: str | None, moment: int | None) -> None:
    assert moment_of_date(header) == moment


def test_retries_end_and_the_last_answer_is_given() -> None:
    http = client(Limits(attempts=3))
    with playing(lambda asked: Reply(429)) as server:
        answer = http.get(server.url, journal())
    assert isinstance(answer, Answer)
    assert (answer.status, len(server.asked)) == (429, 3)
    first, second = http.waits
    assert 0 <= first <= 0.4
    assert 0 <= second <= 0.8


@pytest.mark.parametrize("status", [400, 403, 404, 408, 500, 501, 502, 504])
def test_no_other_status_is_asked_twice(status: int) -> None:
    with playing(lambda asked: Reply(status)) as server:
        answer = ask(server.url)
    assert isinstance(answer, Answer)
    assert (answer.status, len(server.asked)) == (status, 1)


def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_refused_connection_is_tried_again_and_then_a_failure() -> None:
    port = unused_port()
    http = client(Limits(attempts=3))
    note = journal()
    failure = http.get(f"http://127.0.0.1:{port}/x?token=abc", note)
    assert failure == Failure(Reason.UNREACHABLE, f"no connection to 127.0.0.1:{port}: Connection refused", 0)
    assert len(http.waits) == 2
    assert note.log.calls == [Call(0, SCOPE, "s3", "GET /x?token=***", 0, OURS)]


def test_a_name_that_does_not_resolve_is_a_failure() -> None:
    failure = ask("https://khong-co.invalid/", limits=Limits(attempts=1))
    assert failure == Failure(Reason.UNREACHABLE, "the name khong-co.invalid cannot be resolved", 0)


@pytest.mark.parametrize(
    "url", ["ftp://a/", "http:///x", "file:///etc/passwd", "http://u:p@h/", "http://[::1/"]
)
def test_what_is_no_http_address_is_a_failure(url: str) -> None:
    assert ask(url) == Failure(Reason.INVALID_ANSWER, "not an http or https address", 0)


def test_a_server_that_hangs_up_before_answering_is_asked_again() -> None:
    replies = [Reply(raw=b""), Reply(200, b"now")]
    with playing(lambda asked: replies.pop(0)) as server:
        answer = ask(server.url)
    assert isinstance(answer, Answer)
    assert answer.body == b"now"


HEAD = b"HTTP/1.1 200 OK\r\nDate: " + DATE.encode() + b"\r\n"


@pytest.mark.parametrize(
    ("raw", "reason", "detail"),
    [
        (HEAD + b"Content-Length: 100\r\n\r\nhalf", Reason.PARTIAL, "the answer ended early"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\nhalf", Reason.PARTIAL, "the answer ended early"),
        (b"\x16\x03\x01garbage\r\n\r\n", Reason.INVALID_ANSWER, "no HTTP answer (ProtocolError)"),
        (HEAD + b"X" * 70_000 + b"\r\n\r\n", Reason.INVALID_ANSWER, "no HTTP answer (ProtocolError)"),
        (HEAD + b"X: y\r\n" * 200 + b"\r\n", Reason.INVALID_ANSWER, "no HTTP answer (ProtocolError)"),
        (
            HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nbody",
            Reason.INVALID_ANSWER,
            "the answer's Content-Length is no length",
        ),
    ],
    ids=["short body", "short chunk", "no http", "endless header", "too many headers", "absurd length"],
)
def test_a_broken_answer_is_a_failure_and_not_asked_twice(raw: bytes, reason: Reason, detail: str) -> None:
    with playing(lambda asked: Reply(raw=raw)) as server:
        failure = ask(server.url)
    assert failure == Failure(reason, detail, 0)
    assert len(server.asked) == 1


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "streamed"])
def test_a_body_beyond_the_bound_is_partial(announced: bool) -> None:
    body = b"x" * (1024 * 1024 + 1)
    raw = None if announced else HEAD + b"Connection: close\r\n\r\n" + body
    with playing(lambda asked: Reply(200, body, raw=raw)) as server:
        note = journal()
        failure = client().send(Request("GET", server.url, max_body=1024 * 1024), note)
        whole = ask(server.url, max_body=len(body))
    assert failure == Failure(Reason.PARTIAL, "answer larger than 1 MiB", 0)
    assert note.log.calls == [Call(0, SCOPE, "s3", "GET /", 200, AT)]
    assert isinstance(whole, Answer)
    assert whole.body == body


def test_a_silent_server_times_out() -> None:
    end = threading.Event()

    def silent(asked: Asked) -> Reply:
        end.wait(5)
        return Reply()

    with playing(silent) as server:
        failure = ask(server.url, limits=Limits(read=0.05))
        end.set()
    assert failure == Failure(Reason.TIMEOUT, f"127.0.0.1:{server.port} did not answer in time", 0)


@pytest.mark.parametrize("where", ["headers", "body"])
def test_an_answer_that_drips_for_ever_times_out(where: str) -> None:
    head = HEAD if where == "headers" else HEAD + b"Content-Length: 1000\r\n\r\n"
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.sendall(head)
            for _ in range(200):
                try:
                    sock.sendall(b"x")
                except OSError:
                    return
                time.sleep(0.02)

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    began = time.monotonic()
    port = listener.getsockname()[1]
    failure = ask(f"http://127.0.0.1:{port}/", limits=Limits(answer=0.2, read=5))
    took = time.monotonic() - began
    listener.close()
    thread.join()
    assert failure == Failure(Reason.TIMEOUT, f"127.0.0.1:{port} did not answer in time", 0)
    assert took < 2


def test_connections_are_kept_and_at_most_so_many_requests_run_at_once() -> None:
    lock = threading.Lock()
    three = threading.Barrier(3)
    running, most = 0, 0

    def together(asked: Asked) -> Reply:
        """Answers only when three requests are here."""
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        three.wait(10)
        with lock:
            running -= 1
        return Reply(200, b"x")

    http = client(Limits(max_in_flight=3))
    with playing(together) as server:
        threads = [threading.Thread(target=http.get, args=(server.url, journal())) for _ in range(21)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(server.asked), most) == (21, 3)
        assert server.connections <= 3


def test_the_rate_is_a_bucket_of_one_second(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 100.0
    monkeypatch.setattr(transport.time, "monotonic", lambda: moment)
    bucket = transport._TokenBucket(2)
    assert [bucket.take() for _ in range(4)] == [0, 0, 0.5, 1.0]
    moment += 1.0
    assert bucket.take() == 0.5
    moment += 60
    assert [bucket.take() for _ in range(3)] == [0, 0, 0.5]


def test_the_rate_is_kept_before_every_request() -> None:
    http = client(Limits(rate=0.001))
    with playing(lambda asked: Reply()) as server:
        for _ in range(2):
            http.get(server.url, journal())
    (wait,) = http.waits
    assert 900 < wait <= 1000


def test_nothing_is_asked_after_the_deadline() -> None:
    http = client(Limits(deadline=60))
    with playing(lambda asked: Reply()) as server:
        assert isinstance(http.get(server.url, journal()), Answer)
        http._ends = time.monotonic() - 1
        failure = http.get(server.url, journal())
        assert len(server.asked) == 1
    assert failure == Failure(Reason.TIMEOUT, "the 60 s allowed for this target are over", 0)


def test_no_pause_outlasts_the_deadline() -> None:
    http = client(Limits(deadline=5))
    with playing(lambda asked: Reply(503, headers={"Retry-After": "20"})) as server:
        answer = http.get(server.url, journal())
    assert isinstance(answer, Answer)
    assert (answer.status, len(server.asked), http.waits) == (503, 1, [])


def test_nothing_is_asked_after_an_interruption() -> None:
    stop = threading.Event()
    stop.set()
    with playing(lambda asked: Reply()) as server:
        failure = HttpClient(now=lambda: OURS, cancelled=stop).get(server.url, journal())
        assert server.asked == []
    assert failure == Failure(Reason.PARTIAL, "interrupted", 0)


def test_a_signature_that_cannot_be_made_is_the_failure() -> None:
    refused = Failure(Reason.NO_PERMISSION, "no keys")
    with playing({}) as server:
        failure = ask(server.url, sign=lambda method, url: refused)
        assert server.asked == []
    assert failure == Failure(Reason.NO_PERMISSION, "no keys", 0)


def test_a_stream_is_consumed_and_its_digest_kept() -> None:
    body = b"trang" * 50_000
    pieces: list[bytes] = []
    note = journal()
    with playing({"GET /": Reply(200, body)}) as server:
        answer = client().send(Request("GET", f"{server.url}/", consume=pieces.append), note)
    assert isinstance(answer, Answer)
    assert (answer.body, b"".join(pieces)) == (b"", body)
    assert note.log.calls[0].digest == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://S3.vn:80/", "s3.vn"),
        ("https://s3.vn:443/", "s3.vn"),
        ("https://s3.vn:80/", "s3.vn:80"),
        ("https://[fd00::1]/", "[fd00::1]"),
        ("http://[fd00::1]:8080/", "[fd00::1]:8080"),
    ],
)
def test_the_host_header_is_the_one_signatures_are_made_over(url: str, host: str) -> None:
    assert client()._pool_of(Request("GET", url))[2] == host
    assert host_from_url(url) == host


def test_an_address_is_used_in_place_of_the_name() -> None:
    with playing({"GET /": Reply(200, b"x")}) as server:
        answer = ask(f"http://khong-co.invalid:{server.port}/", address="127.0.0.1")
    assert isinstance(answer, Answer)
    assert server.asked[0].headers["Host"] == f"khong-co.invalid:{server.port}"


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("tls"))


def test_a_private_authority_is_trusted_when_named(authority: Authority) -> None:
    with playing(lambda asked: Reply(200, b"x"), authority.server("127.0.0.1")) as server:
        trusted = client(ca_file=str(authority.path)).get(server.url, journal())
        untrusted = client().get(server.url, journal())
        assert server.requests == ["GET /"]
    assert isinstance(trusted, Answer)
    assert untrusted == Failure(
        Reason.UNREACHABLE,
        "the certificate of 127.0.0.1 is not trusted (unable to get local issuer certificate); "
        "if its authority is a private one, name its certificate as ca_file of the target",
        0,
    )


@pytest.mark.parametrize("fault", ["expired", "wrong name"])
def test_a_bad_certificate_is_refused(authority: Authority, fault: str) -> None:
    tls = authority.server("127.0.0.1", until=PAST) if fault == "expired" else authority.server("s3.vn")
    with playing(lambda asked: Reply(), tls) as server:
        failure = client(ca_file=str(authority.path)).get(server.url, journal())
        assert server.requests == []
    assert isinstance(failure, Failure)
    assert failure.reason is Reason.UNREACHABLE
    assert ("expired" if fault == "expired" else "mismatch") in failure.detail


def test_a_pinned_address_still_needs_the_certificate_of_the_name(authority: Authority) -> None:
    http = client(ca_file=str(authority.path))
    with playing(lambda asked: Reply(), authority.server("cong-bo.vn")) as server:
        right = Request("GET", f"https://cong-bo.vn:{server.port}/", address="127.0.0.1")
        wrong = Request("GET", f"https://khac.vn:{server.port}/", address="127.0.0.1")
        assert isinstance(http.send(right, journal()), Answer)
        failure = http.send(wrong, journal())
    assert isinstance(failure, Failure)
    assert "not trusted" in failure.detail


def test_a_useless_ca_file_is_an_error_of_the_target(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("no certificate")
    with pytest.raises(TargetError, match="cannot be used: no certificates in it"):
        tls_context(str(empty))
    with pytest.raises(TargetError, match="cannot be used: No such file"):
        tls_context(str(tmp_path / "missing.pem"))


# --- text, statuses, the log ----------------------------------------------------------------------


def test_text_of_servers_is_made_harmless() -> None:
    hostile = "a\x1b[31mred\x07\r\nb\u202ec\u0000\ud800 Ho\u0302\u0300 so\u031b"
    assert printable(hostile) == "a\ufffd[31mred\ufffd b\ufffdc\ufffd\ufffd Hồ sơ"
    assert printable("x" * 300, 10) == "xxxxxxxxx…"
    assert nfc("Co\u0302\u0309ng\ud800") == "Cổng?"


def test_reasons_of_statuses() -> None:
    assert {s: reason_of_status(s) for s in (401, 403, 404, 405, 501, 408, 504, 429, 500, 400)} == {
        401: Reason.NO_PERMISSION,
        403: Reason.NO_PERMISSION,
        404: Reason.SERVICE_ABSENT,
        405: Reason.NOT_IMPLEMENTED,
        501: Reason.NOT_IMPLEMENTED,
        408: Reason.TIMEOUT,
        504: Reason.TIMEOUT,
        429: Reason.THROTTLED,
        500: Reason.INVALID_ANSWER,
        400: Reason.INVALID_ANSWER,
    }


def test_a_log_takes_in_another_and_says_by_how_much_numbers_moved() -> None:
    ours, theirs = CallLog(), CallLog()
    ours.add(SCOPE, "s3", "GET /", 200, 1)
    theirs.add(SCOPE, "s3", "GET /a", 200, 2)
    theirs.add(SCOPE, "s3", "GET /b", 200, 3)
    assert ours.absorb(theirs.calls) == 1
    assert [(c.number, c.request) for c in ours.calls] == [(0, "GET /"), (1, "GET /a"), (2, "GET /b")]
