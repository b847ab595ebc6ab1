"""A real HTTP server that plays a small OpenStack cloud from a dictionary of answers.

    cloud = FakeOpenStack()
    cloud.answer("/compute/v2.1/servers/detail", {"servers": []}, project="p-shop")
    with cloud.running():
        cloud.configure(tmp_path, monkeypatch)
        taken = collect(IN_SHOP, "nova.servers")

An answer is found by path with query, else by path; one for the token's project goes before one for
everybody. Every request is kept in `requests`.
"""

from __future__ import annotations

import json
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cloudaudit.collectors import Seen
from cloudaudit.collectors.openstack import OpenStackCollector, OpenStackTarget
from cloudaudit.collectors.transport import CallLog
from cloudaudit.model import Gap, Listing, Resource, Scope

AT = 1795319200
DATE = "Sun, 22 Nov 2026 03:46:40 GMT"
PASSWORD = "PLANTED-password"
SHOP, BANK = "0039128667db488baf36d598b1c6f216", "9fc13c9f21274c91b412625f6aa5005c"


@dataclass(frozen=True)
class Reply:
    """One answer: an object is sent as JSON, bytes as they are. `claim` is the Content-Length told."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    claim: int | None = None


@dataclass(frozen=True, eq=False)
class Request:
    method: str
    path: str
    token: str
    headers: Mapping[str, str]
    body: bytes = b""


Answer = Reply | Callable[[Request], Reply]


class FakeOpenStack:
    """A cloud with two projects, shop and bank, and one user who has roles in both."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str | None], Answer] = {}
        self.requests: list[Request] = []
        self.projects = {SHOP: "shop", BANK: "bank"}
        self.roles: dict[str, list[str]] = {SHOP: ["reader"], BANK: ["reader"]}
        self.system_roles: list[str] = []
        self.regions = ["vn-hn-1"]
        self.paths = {
            "identity": "/identity/v3",
            "compute": "/compute/v2.1",
            "volumev3": "/volume/v3/{project}",
            "network": "/network",
            "image": "/image",
            "object-store": "/object/v1/AUTH_{project}",
            "sharev2": "/share/v2",
            "load-balancer": "/load-balancer",
            "key-manager": "/key-manager",
            "orchestration": "/heat-api/v1/{project}",
            "dns": "/dns",
            "placement": "/placement",
        }
        self.user_domain = "Default"
        """The only domain that knows the user."""
        self.date = DATE
        self.url = ""
        self.tls: ssl.SSLContext | None = None
        self.delay = 0.0
        self.peak = 0
        """Most requests that were ever under way together."""
        self.times: list[float] = []
        """When each request arrived, by the monotonic clock."""
        self.keep_alive = False
        self.connections = 0
        self._under_way: list[Request] = []
        self._server: ThreadingHTTPServer | None = None

    # --- making answers -------------------------------------------------------------------------

    def answer(
        self,
        path: str,
        body: Any = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        project: str | None = None,
        claim: int | None = None,
    ) -> None:
        self.answers[path, project] = Reply(body, status, headers or {}, claim)

    def call(self, path: str, make: Callable[[Request], Reply]) -> None:
        self.answers[path, None] = make

    def catalogue(self, project: str) -> list[dict[str, Any]]:
        return [
            {
                "type": type_,
                "name": type_.rstrip("v32"),
                "id": f"s-{type_}",
                "endpoints": [
                    {
                        "id": f"e-{type_}-{region}",
                        "interface": "public",
                        "region": region,
                        "region_id": region,
                        "url": self.url + path.format(project=project),
                    }
                    for region in self.regions
                ],
            }
            for type_, path in self.paths.items()
        ]

    # --- running ----------------------------------------------------------------------------------

    @contextmanager
    def running(self) -> Iterator[FakeOpenStack]:
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1" if cloud.keep_alive else "HTTP/1.0"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                cloud.connections += 1
                super().setup()

            def handle_any(self) -> None:
                cloud._serve(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

            def date_time_string(self, timestamp: float | None = None) -> str:
                return cloud.date

            def log_message(self, format: str, *args: Any) -> None:
                """Keep the test's output clean."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up early is part of the game."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if self.tls:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        scheme = "https" if self.tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        sent = handler.rfile.read(length)
        token = handler.headers.get("X-Auth-Token", "")
        request = Request(handler.command, handler.path, token, dict(handler.headers), sent)
        self.requests.append(request)
        self.times.append(time.monotonic())
        self._under_way.append(request)
        self.peak = max(self.peak, len(self._under_way))
        time.sleep(self.delay)
        reply = self._reply(request, sent)
        self._under_way.remove(request)
        raw = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        if reply.body is None:
            raw = b""
        handler.send_response(reply.status)
        kind = "text/html" if isinstance(reply.body, bytes) else "application/json"
        for name, value in {"Content-Type": kind, **reply.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(raw) if reply.claim is None else reply.claim))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(raw)

    def _reply(self, request: Request, sent: bytes) -> Reply:
        bare = request.path.partition("?")[0]
        project = request.token.removeprefix("token-") or None
        for key in (
            (request.path, project),
            (bare, project),
            (request.path, None),
            (bare, None),
        ):
            found = self.answers.get(key)
            if found is not None:
                return found if isinstance(found, Reply) else found(request)
        if bare == "/identity/v3/auth/tokens" and request.method == "POST":
            return self._token(json.loads(sent))
        if bare == "/identity/v3":
            link = {"rel": "self", "href": f"{self.url}/identity/v3/"}
            return Reply({"version": {"id": "v3.14", "status": "stable", "links": [link]}})
        if not request.token.startswith("token-"):
            return Reply({"error": "no token"}, 401)
        if bare == "/identity/v3/auth/projects":
            return Reply(listed("projects", [project_row(i, n) for i, n in self.projects.items()]))
        if bare == "/identity/v3/auth/catalog":
            return Reply({"catalog": self.catalogue(project or "")})
        return Reply({"error": {"message": f"nothing at {bare}"}}, 404)

    def _token(self, sent: dict[str, Any]) -> Reply:
        auth = sent["auth"]
        identity = auth["identity"]
        if "password" in identity:
            user = identity["password"]["user"]
            if user["password"] != PASSWORD or user.get("domain", {}).get("name") != self.user_domain:
                return Reply({"error": {"code": 401}}, 401)
        if "token" in identity and not identity["token"]["id"].startswith("token-"):
            return Reply({"error": {"code": 401}}, 401)
        scope = auth.get("scope")
        own = identity.get("application_credential")
        if own:
            scope = {"project": {"id": own["id"]}}
        times = {"issued_at": "2026-11-22T03:46:40.000000Z", "expires_at": "2099-01-01T00:00:00.000000Z"}
        token: dict[str, Any] = {**times, "methods": ["password"], "user": {"id": "u-1", "name": "audit"}}
        if scope and "system" in scope:
            if not self.system_roles:
                return Reply({"error": {"code": 401}}, 401)
            # Keystone leaves out addresses with a project in them, and services that have no other.
            catalogue = [s for s in self.catalogue("") if "{project}" not in self.paths[s["type"]]]
            token |= {"system": {"all": True}, "roles": _roles(self.system_roles), "catalog": catalogue}
            return Reply({"token": token}, 201, {"X-Subject-Token": "token-system"})
        if scope and "domain" in scope:
            domain = {"id": "default", "name": "Default"}
            token |= {"domain": domain, "roles": _roles(["manager"]), "catalog": []}
            return Reply({"token": token}, 201, {"X-Subject-Token": "token-domain"})
        if scope and "project" in scope:
            wanted = scope["project"]
            id_ = wanted.get("id") or next(
                (i for i, n in self.projects.items() if n == wanted.get("name")), None
            )
            if id_ not in self.projects:
                return Reply({"error": {"code": 401}}, 401)
            domain = {"id": "default", "name": "Default"}
            token |= {
                "project": {"id": id_, "name": self.projects[id_], "domain": domain},
                "roles": _roles(self.roles.get(id_, [])),
                "catalog": self.catalogue(id_),
            }
            return Reply({"token": token}, 201, {"X-Subject-Token": f"token-{id_}"})
        return Reply({"token": token}, 201, {"X-Subject-Token": "token-unscoped"})

    # --- reading it ---------------------------------------------------------------------------------

    def configure(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        auth_type: str = "v3password",
        beside: Mapping[str, Any] | None = None,
        **auth: str,
    ) -> None:
        """Write a clouds.yaml with the entry `fake` and make it the only one that is found.

        `beside` are keys of the entry beside its `auth`.
        """
        given = {
            "auth_url": f"{self.url}/identity/v3",
            "username": "audit",
            "password": PASSWORD,
            "user_domain_name": "Default",
            "project_name": "shop",
            "project_domain_name": "Default",
        }
        entry = {"auth_type": auth_type, "auth": auth or given, **(beside or {})}
        path = folder / "clouds.yaml"
        path.write_text(json.dumps({"clouds": {"fake": entry}}))
        for name in [name for name in os.environ if name.startswith("OS_")]:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
        monkeypatch.setenv("OS_CLIENT_SECURE_FILE", str(folder / "none.yaml"))

    def paths_asked(self, method: str = "GET") -> list[str]:
        return [r.path for r in self.requests if r.method == method]


def _roles(names: list[str]) -> list[dict[str, str]]:
    return [{"id": f"r-{name}", "name": name} for name in names]


def listed(key: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A list as Keystone gives it."""
    return {key: rows, "links": {"next": None, "self": "", "previous": None}}


def project_row(id_: str, name: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "name": name, "domain_id": "default", "enabled": True, "tags": [], **more}


def target(**fields: Any) -> OpenStackTarget:
    return OpenStackTarget(**{"name": "hn", "cloud": "fake", **fields})


@dataclass
class Take:
    """What a collection yielded."""

    seen: list[Seen]
    log: CallLog

    def resources(self, type_: str) -> list[Resource]:
        return [s for s in self.seen if isinstance(s, Resource) and s.type == type_]

    def one(self, type_: str) -> Resource:
        (found,) = self.resources(type_)
        return found

    def gaps(self, type_: str | None = None) -> list[Gap]:
        return [s for s in self.seen if isinstance(s, Gap) and type_ in (None, s.type)]

    def listings(self, type_: str | None = None) -> list[Listing]:
        return [s for s in self.seen if isinstance(s, Listing) and type_ in (None, s.type)]

    def request(self, number: int | None) -> str:
        assert number is not None
        return self.log.calls[number].request


def collector(pauses: list[float] | None = None, **fields: Any) -> OpenStackCollector:
    """A fresh collector that never waits; `pauses` takes note of how long it would have."""
    waited = [] if pauses is None else pauses
    return OpenStackCollector(target(**fields), now=lambda: AT, pause=waited.append)


def collect(scope: Scope, *wanted: str, pauses: list[float] | None = None, **fields: Any) -> Take:
    """Read one scope with a fresh collector."""
    log = CallLog()
    return Take(list(collector(pauses, **fields).collect(scope, frozenset(wanted), log)), log)


TARGET = Scope("hn")
REGION = Scope("hn", "vn-hn-1")
IN_SHOP = Scope("hn", "vn-hn-1", SHOP)
IN_BANK = Scope("hn", "vn-hn-1", BANK)
