"""Stands between an audit and a bed on loopback, and keeps everything that goes over the wire.

Answers name the services' addresses (the catalogue, links to the next page): they are rewritten, so
that whoever follows them comes through here again. Nothing else is changed.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PER_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what the service answered."""

    method: str
    path: str
    sent: bytes
    status: int
    headers: tuple[tuple[str, str], ...]
    received: bytes

    @property
    def request(self) -> str:
        """As the log of calls in a snapshot writes it."""
        return f"{self.method} {self.path}"


@dataclass(slots=True)
class Recorder:
    """The ports that stand in for those of a bed, and what came through them."""

    stand_ins: dict[int, int] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)

    def rewritten(self, text: str) -> str:
        """A text with the bed's addresses replaced by ours."""
        for theirs, ours in self.stand_ins.items():
            text = text.replace(f"127.0.0.1:{theirs}", f"127.0.0.1:{ours}")
        return text

    def _rewritten_body(self, body: bytes) -> bytes:
        for theirs, ours in self.stand_ins.items():
            body = body.replace(b"127.0.0.1:%d" % theirs, b"127.0.0.1:%d" % ours)
        return body

    def pass_on(
        self, port: int, method: str, path: str, headers: list[tuple[str, str]], sent: bytes
    ) -> Exchange:
        """Send a request to the bed. Host stays as it was: signatures cover it."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() not in ("connection", "accept-encoding"):
                    connection.putheader(name, value)
            connection.putheader("Accept-Encoding", "identity")
            connection.putheader("Connection", "close")
            connection.endheaders(sent or None)
            answer = connection.getresponse()
            body = self._rewritten_body(answer.read())
            kept = tuple((name, self.rewritten(value)) for name, value in answer.getheaders())
            exchange = Exchange(method, path, sent, answer.status, kept, body)
        finally:
            connection.close()
        self.exchanges.append(exchange)
        return exchange


@contextmanager
def recording(ports: Iterable[int]) -> Iterator[Recorder]:
    """Listen in place of these ports of a bed while the block lasts."""
    recorder = Recorder()
    servers = []
    for port in sorted(set(ports)):
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(recorder, port))
        server.daemon_threads = True
        recorder.stand_ins[port] = server.server_address[1]
        servers.append(server)
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield recorder
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(recorder: Recorder, port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __getattr__(self, name: str) -> Any:
            """Every method there is or may be, so that none stays unseen."""
            if name.startswith("do_"):
                return self.forward
            raise AttributeError(name)

        def forward(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            exchange = recorder.pass_on(port, self.command, self.path, list(self.headers.items()), sent)
            self.send_response_only(exchange.status)
            length = str(len(exchange.received))
            for name, value in exchange.headers:
                if name.lower() == "content-length" and self.command == "HEAD":
                    length = value
                if name.lower() == "date" or name.lower() not in PER_CONNECTION:
                    self.send_header(name, value)
            if exchange.status != 204:
                self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(exchange.received)

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it: the exchanges are kept."""

    return Handler
