"""Reads the hosts of an inventory service, site by site."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from cloudaudit.collectors import Seen
from cloudaudit.collectors.transport import (
    Answer,
    CallLog,
    Clock,
    Failure,
    HttpClient,
    Journal,
    Limits,
    Request,
    reason_of_status,
)
from cloudaudit.errors import TargetError
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope, Unseen
from cloudaudit.targets import PluginEntry

HOST = "inventory.host"
HOSTS = "inventory.hosts"
DISKS = "inventory.encryption"


class InventoryCollector:
    """One inventory service. The client lets only GET and HEAD out, keeps limits, and retries what is safe."""

    types = frozenset({HOST})

    def __init__(self, entry: PluginEntry, now: Clock, cancelled: threading.Event) -> None:
        self.name = entry.name
        self._settings = entry.settings
        self._headers: dict[str, str] = {}
        if path := entry.settings.get("token_file"):
            try:
                self._headers["X-Token"] = path.read_text(encoding="ascii").strip()
            except (OSError, ValueError):
                # A mistake of whoever wrote targets.yaml: told at the entry's line, before anything is asked.
                raise TargetError("the token_file cannot be read", hint="write one line of ASCII") from None
        limits = Limits(entry.max_in_flight, deadline=entry.deadline, rate=entry.rate_limit)
        ca_file = str(entry.ca_file) if entry.ca_file else None
        self._client = HttpClient(limits, now=now, ca_file=ca_file, cancelled=cancelled)

    def scopes(self, log: CallLog) -> Iterable[Scope | Gap]:
        """One scope for each site. The runner reads them at the same time."""
        return [Scope(self.name, site) for site in self._settings["sites"]]

    def collect(self, scope: Scope, wanted: frozenset[str], log: CallLog) -> Iterator[Seen]:
        """Its hosts, and then either the proof that there are no more or the reason why that is not known."""
        if not wanted & {HOSTS, DISKS}:
            return
        marker, count = "", 0
        while True:
            path = f"/v1/hosts?site={scope.region}&limit={self._settings['page_size']}&marker={marker}"
            found = self._get(path, scope, log)
            if isinstance(found, Failure):
                yield Gap(scope, HOST, HOSTS, found.reason, found.detail, found.call)
                return
            page, answer = found
            for row in page["hosts"]:
                yield self._host(row, answer, scope, wanted, log)
            count += len(page["hosts"])
            if not page.get("next"):
                break
            marker = page["next"]
        # An empty list proves something only if the service says that it is whole.
        if page.get("total") == count:
            yield Listing(scope, HOST, count, "the service's own total of the site", answer.call)
        else:
            yield Gap(scope, HOST, HOSTS, Reason.PARTIAL, "fewer hosts than the service counts", answer.call)

    def _host(
        self, row: dict[str, Any], answer: Answer, scope: Scope, wanted: frozenset[str], log: CallLog
    ) -> Resource:
        facts: dict[str, object] = {"serial": row.get("serial")}
        unseen: dict[str, Unseen] = {}
        sources = {"": answer.call}
        if DISKS in wanted:
            found = self._get(f"/v1/hosts/{quote(row['id'], safe='')}/disks", scope, log)
            if isinstance(found, Failure):
                unseen["disks"] = Unseen(found.reason, found.detail)
            else:
                facts["disks.encrypted"] = found[0]["encrypted"]
                sources["disks"] = found[1].call
        return Resource(HOST, row["id"], scope, answer.at, facts, row["name"], "", unseen, sources)

    def _get(self, path: str, scope: Scope, log: CallLog) -> tuple[dict[str, Any], Answer] | Failure:
        request = Request("GET", self._settings["endpoint"] + path, self._headers)
        answer = self._client.send(request, Journal(log, scope, "inventory"))
        if isinstance(answer, Failure):
            return answer
        if answer.status != 200:
            return Failure(reason_of_status(answer.status), f"HTTP {answer.status}", answer.call)
        # Whatever is no such document raises, and the guard makes a gap of that.
        return json.loads(answer.body), answer
