"""A forward proxy on loopback: passes requests on, or refuses them as proxies do."""

from __future__ import annotations

import base64
import http.client
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass
class ForwardProxy:
    """What it demands and answers, and what it was asked: CONNECT with its place, all else with its URL.

    `login` is USER:PASSWORD. `page` answers everything with a web page and this status.
    """

    login: str | None = None
    page: int | None = None
    asked: list[str] = field(default_factory=list)
    url: str = ""
    place: str = ""

    def admits(self, header: str | None) -> bool:
        wanted = self.login and "Basic " + base64.b64encode(self.login.encode()).decode()
        return wanted is None or header == wanted


HTML = b"<html><body>Blocked by policy</body></html>"


@contextmanager
def forwarding(proxy: ForwardProxy) -> Iterator[ForwardProxy]:
    class Handler(BaseHTTPRequestHandler):
        def refused(self) -> bool:
            proxy.asked.append(f"{self.command} {self.path}")
            if proxy.page is not None:
                self.answer(proxy.page, HTML)
                return True
            if not proxy.admits(self.headers.get("Proxy-Authorization")):
                self.answer(407, HTML)
                return True
            return False

        def answer(self, status: int, body: bytes, headers: Any = ()) -> None:
            self.send_response_only(status)
            for name, value in headers or [("Content-Type", "text/html")]:
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_CONNECT(self) -> None:
            if self.refused():
                return
            host, _, port = self.path.rpartition(":")
            try:
                far = socket.create_connection((host.strip("[]"), int(port)), timeout=5)
            except OSError:
                self.answer(502, HTML)
                return
            with far:
                self.send_response_only(200)
                self.end_headers()
                ends = [self.connection, far]
                while True:
                    for ready in select.select(ends, [], [], 10)[0]:
                        data = ready.recv(65536)
                        if not data:
                            self.close_connection = True
                            return
                        ends[ready is self.connection].sendall(data)

        def pass_on(self) -> None:
            if self.refused():
                return
            parts = urlsplit(self.path)
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            far = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=5)
            try:
                path = parts.path + (f"?{parts.query}" if parts.query else "")
                own = {n: v for n, v in self.headers.items() if not n.lower().startswith("proxy-")}
                far.request(self.command, path or "/", sent or None, own)
                got = far.getresponse()
                self.answer(got.status, got.read(), got.getheaders())
            except OSError:
                self.answer(502, HTML)
            finally:
                far.close()

        do_GET = do_HEAD = do_POST = pass_on

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Either end may hang up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        proxy.place = f"127.0.0.1:{server.server_address[1]}"
        proxy.url = f"http://{proxy.place}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
