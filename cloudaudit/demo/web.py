"""A small HTTPS server on loopback that answers from a function."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any, Final, TypeAlias

from cloudaudit.errors import CloudauditError

MOST_WAITED: Final = 60
"""Seconds to wait for an address that another sample cloud has."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    target: str
    """Path and query as sent."""
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Answering: TypeAlias = Callable[[Request], Response]


class Site:
    """One listening address of the sample cloud."""

    def __init__(self, address: str, port: int, context: SSLContext, answer: Answering, date: str) -> None:
        self.requests: list[Request] = []

        class Handler(_Handler):
            server_date = date

            def respond(handler, request: Request) -> Response:
                self.requests.append(request)
                return answer(request)

        self._server = _listening(address, port, Handler)
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _listening(address: str, port: int, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    """Listen, and wait a while for another sample cloud to end: its addresses are in the recording."""
    until = time.monotonic() + MOST_WAITED
    while True:
        try:
            return ThreadingHTTPServer((address, port), handler)
        except OSError as wrong:
            if wrong.errno != errno.EADDRINUSE or time.monotonic() > until:
                raise CloudauditError(
                    f"the sample cloud cannot listen on {address}:{port}: {wrong.strerror}",
                    hint="it needs loopback addresses in 127.0.0.0/8, and this port free",
                ) from wrong
        time.sleep(0.5)


class _Handler(BaseHTTPRequestHandler):
    """Reads one request, hands it over, writes the answer with the recording's date."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    server_date = ""

    def respond(self, request: Request) -> Response:
        raise NotImplementedError

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
        response = self.respond(request)
        self.send_response_only(response.status)
        # Each answer is as old as its recording: ages are measured by the server's clock.
        for name, value in {"Date": self.server_date, **response.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _any

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what was asked is kept in `requests`."""
