"""A small HTTP server that plays back prepared answers and remembers every request it got."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler

DATE = "Sun, 22 Nov 2026 09:08:14 GMT"
AT = 1_795_338_494
"""The moment of :data:`DATE`."""


@dataclass(frozen=True)
class Reply:
    """One answer. `raw` is written to the socket as it stands, in place of everything else."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Message


Answering = Callable[[Asked], Reply]


class Playback:
    """The running server: `url`, and `asked` in order of arrival."""

    def __init__(self, answer: Answering) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.connections = 0
        self.url = ""
        self.port = 0

    @property
    def requests(self) -> list[str]:
        return [f"{asked.method} {asked.path}" for asked in self.asked]


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    playback: Playback
    tls: ssl.SSLContext | None = None

    def get_request(self):  # type: ignore[no-untyped-def]
        sock, address = super().get_request()
        self.playback.connections += 1
        if self.tls is not None:
            sock = self.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return sock, address

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, or dislikes our certificate, is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _any(self) -> None:
        asked = Asked(self.command, self.path, self.headers)
        self.server.playback.asked.append(asked)
        reply = self.server.playback.answer(asked)
        if reply.raw is not None:
            self.wfile.write(reply.raw)
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        headers = {"Date": DATE, "Content-Length": str(len(reply.body)), **reply.headers}
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _any

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def playing(answer: Answering | Mapping[str, Reply], tls: ssl.SSLContext | None = None) -> Iterator[Playback]:
    """Serve on a free port of loopback. A mapping goes by "VERB path", with 404 for all else."""
    if isinstance(answer, Mapping):
        table = dict(answer)
        playback = Playback(lambda asked: table.get(f"{asked.method} {asked.path}", Reply(404)))
    else:
        playback = Playback(answer)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.playback, server.tls = playback, tls
        playback.port = server.server_address[1]
        playback.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{playback.port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield playback
        finally:
            server.shutdown()
            thread.join()
