"""What a cloud that refuses, breaks or lies becomes: gaps with their reason, and never an empty list."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fake_openstack import (
    BANK,
    IN_BANK,
    IN_SHOP,
    REGION,
    SHOP,
    TARGET,
    FakeOpenStack,
    Reply,
    Request,
    collect,
    collector,
    listed,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openstack_answers import (
    ACCESS_RULE,
    AGGREGATE,
    BACKUP,
    BGPVPN,
    BROUGHT,
    COMPUTE_SERVICE,
    CREDENTIAL,
    DNS_ZONE,
    EMPTY,
    FLAVOR,
    HYPERVISOR,
    IMAGE,
    KEYPAIR,
    LIMIT,
    LISTENER,
    LOADBALANCER,
    POOL,
    POOL_MEMBERS,
    PORT,
    SECRET,
    SERVER,
    SHARE,
    SHARE_REPLICA,
    SHARED_IMAGE,
    STACK,
    STORAGE_POOL,
    TRANSFER,
    USER,
    VOLUME,
    offset_list,
    small_cloud,
)

from cloudaudit.catalog import load_types
from cloudaudit.collectors.openstack import _PROJECT, _REGION, _TARGET, OpenStackCollector, session
from cloudaudit.collectors.transport import CallLog
from cloudaudit.model import Gap, Listing, Partial, Reason, Resource, Scope, Unseen

TYPES = load_types()
CALLS = frozenset(call for name in OpenStackCollector.types for call in TYPES[name].calls)
VOLUMES = f"/volume/v3/{SHOP}/volumes/detail"


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenStack]:
    fake = small_cloud()
    with fake.running():
        fake.configure(tmp_path, monkeypatch)
        yield fake


# --- one answer ----------------------------------------------------------------------------------------

CUT = json.dumps({"volumes": [VOLUME]}).encode()[:-9]


@pytest.mark.parametrize(
    ("reply", "reason", "detail"),
    [
        (Reply(status=403), Reason.NO_PERMISSION, f"HTTP 403 from GET {VOLUMES}?limit=1000"),
        (Reply(status=404), Reason.SERVICE_ABSENT, f"HTTP 404 from GET {VOLUMES}?limit=1000"),
        (Reply(status=405), Reason.NOT_IMPLEMENTED, f"HTTP 405 from GET {VOLUMES}?limit=1000"),
        (Reply(status=501), Reason.NOT_IMPLEMENTED, f"HTTP 501 from GET {VOLUMES}?limit=1000"),
        (Reply(status=504), Reason.TIMEOUT, f"HTTP 504 from GET {VOLUMES}?limit=1000"),
        (Reply(status=500), Reason.INVALID_ANSWER, f"HTTP 500 from GET {VOLUMES}?limit=1000"),
        (Reply(status=429), Reason.THROTTLED, f"HTTP 429 from GET {VOLUMES}?limit=1000"),
        (Reply(status=302, headers={"Location": "/elsewhere"}), Reason.INVALID_ANSWER, f"HTTP 302 from GET {VOLUMES}?limit=1000"),
        (Reply(b"<html>login</html>"), Reason.INVALID_ANSWER, f"the answer to GET {VOLUMES}?limit=1000 is no JSON (text/html)"),
        (Reply(CUT), Reason.INVALID_ANSWER, f"the answer to GET {VOLUMES}?limit=1000 is no JSON (text/html)"),
        (Reply(b"\xff\xfe\xfa"), Reason.INVALID_ANSWER, f"the answer to GET {VOLUMES}?limit=1000 is no JSON (text/html)"),
        (Reply(b'{"volumes": NaN}'), Reason.INVALID_ANSWER, f"the answer to GET {VOLUMES}?limit=1000 is no JSON (text/html)"),
        (Reply(b"[" * 200_000), Reason.INVALID_ANSWER, f"the answer to GET {VOLUMES}?limit=1000 is no JSON (text/html)"),
        (Reply([VOLUME]), Reason.INVALID_ANSWER, f"the answer to GET {VOLUMES}?limit=1000 is no JSON object"),
        (Reply({"servers": []}), Reason.INVALID_ANSWER, f"the answer to GET {VOLUMES}?limit=1000 holds no list 'volumes'"),
        (Reply({"volumes": None}), Reason.INVALID_ANSWER, f"the answer to GET {VOLUMES}?limit=1000 holds no list 'volumes'"),
        (Reply({"volumes": ["vol-1"]}), Reason.INVALID_ANSWER, f"the answer to GET {VOLUMES}?limit=1000 holds no list 'volumes'"),
        (Reply(status=204), Reason.INVALID_ANSWER, f"the answer to GET {VOLUMES}?limit=1000 is no JSON (application/json)"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_list_is_a_gap(
    cloud: FakeOpenStack, reply: Reply, reason: Reason, detail: str
) -> None:
    cloud.answers[VOLUMES, None] = reply
    taken = collect(IN_SHOP, "cinder.volumes", "cinder.snapshots")
    (gap,) = taken.gaps()
    assert (gap.scope, gap.type, gap.operation, gap.reason, gap.detail) == (
        IN_SHOP, "openstack.volume", "cinder.volumes", reason, detail,
    )  # fmt: skip
    assert taken.request(gap.call) == f"GET {VOLUMES}?limit=1000"
    assert taken.resources("openstack.volume") == []
    assert [listing.type for listing in taken.listings()] == ["openstack.snapshot"]


def test_an_answer_that_ends_early_is_a_gap(cloud: FakeOpenStack) -> None:
    cloud.answers[VOLUMES, None] = Reply(CUT, claim=len(CUT) + 9)
    (gap,) = collect(IN_SHOP, "cinder.volumes").gaps()
    assert (gap.reason, gap.detail.startswith(f"GET {VOLUMES}?limit=1000: the answer of 127.0.0.1")) == (
        Reason.INVALID_ANSWER, True,
    )  # fmt: skip


def test_a_backup_that_names_no_volume_may_be_of_any(cloud: FakeOpenStack) -> None:
    path = f"/volume/v3/{SHOP}/backups/detail"
    (row,) = collect(IN_SHOP, "cinder.backups").resources("openstack.backup")
    assert row.unseen.get("volume_id") is None
    reply = cloud.answers[path, SHOP] if (path, SHOP) in cloud.answers else cloud.answers[path, None]
    assert isinstance(reply, Reply)
    cloud.answer(path, {"backups": [{**reply.body["backups"][0], "volume_id": None}]}, project=SHOP)
    (found,) = collect(IN_SHOP, "cinder.backups").resources("openstack.backup")
    assert "volume_id" not in found.facts
    assert found.unseen["volume_id"].reason is Reason.INVALID_ANSWER


def test_cinder_refused_leaves_the_rest_unharmed(cloud: FakeOpenStack) -> None:
    for path in list(cloud.answers):
        if path[0].startswith(f"/volume/v3/{SHOP}/"):
            cloud.answers[path] = Reply(status=403)
    taken = collect(
        IN_SHOP, "nova.servers", "cinder.volumes", "cinder.snapshots", "cinder.backups", "glance.images"
    )
    assert [(g.type, g.reason) for g in taken.gaps()] == [
        ("openstack.volume", Reason.NO_PERMISSION),
        ("openstack.snapshot", Reason.NO_PERMISSION),
        ("openstack.backup", Reason.NO_PERMISSION),
    ]
    assert [listing.type for listing in taken.listings()] == ["openstack.server", "openstack.image"]


# --- waiting -------------------------------------------------------------------------------------------


def failing(times: int, status: int, **headers: str) -> Callable[[Request], Reply]:
    left = [times]

    def answer(request: Request) -> Reply:
        left[0] -= 1
        return Reply({"volumes": [VOLUME]}) if left[0] < 0 else Reply(status=status, headers=headers)

    return answer


def test_a_busy_service_is_asked_again_when_it_says(cloud: FakeOpenStack) -> None:
    pauses: list[float] = []
    cloud.call(VOLUMES, failing(2, 429, **{"Retry-After": "7"}))
    taken = collect(IN_SHOP, "cinder.volumes", pauses=pauses)
    assert [r.id for r in taken.resources("openstack.volume")] == ["vol-1"]
    assert taken.gaps() == []
    assert len(pauses) == 2
    assert all(7 <= pause <= 7 * 1.25 for pause in pauses)
    assert [c.status for c in taken.log.calls if "detail" in c.request] == [429, 429, 200]


def test_waiting_has_an_end(cloud: FakeOpenStack) -> None:
    pauses: list[float] = []
    cloud.call(VOLUMES, failing(99, 429, **{"Retry-After": "30"}))
    (gap,) = collect(IN_SHOP, "cinder.volumes", pauses=pauses).gaps()
    assert (gap.reason, gap.detail) == (Reason.THROTTLED, f"HTTP 429 from GET {VOLUMES}?limit=1000")
    assert len(pauses) == 3
    assert all(30 <= pause <= 30 * 1.25 for pause in pauses)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("after", "seconds"), [("31", 31), ("86400", 86400), ("Sun, 22 Nov 2026 03:48:40 GMT", 120)]
)
def test_a_service_that_wants_to_be_left_alone_for_long_is(
    cloud: FakeOpenStack, status: int, after: str, seconds: int
) -> None:
    pauses: list[float] = []
    cloud.call(VOLUMES, failing(99, status, **{"Retry-After": after}))
    taken = collect(IN_SHOP, "cinder.volumes", pauses=pauses)
    (gap,) = taken.gaps()
    assert (gap.reason, gap.detail) == (
        Reason.THROTTLED,
        f"HTTP {status} from GET {VOLUMES}?limit=1000; the service asks to wait {seconds} s",
    )
    assert taken.request(gap.call) == f"GET {VOLUMES}?limit=1000"
    assert [c.status for c in taken.log.calls if "detail" in c.request] == [status]
    assert pauses == []


def test_a_long_wait_asked_for_last_is_told_too(cloud: FakeOpenStack) -> None:
    pauses: list[float] = []
    cloud.call(
        VOLUMES,
        in_turn(*[Reply(status=503)] * 3, Reply(status=503, headers={"Retry-After": "600"})),
    )
    (gap,) = collect(IN_SHOP, "cinder.volumes", pauses=pauses).gaps()
    assert (gap.reason, gap.detail.endswith("; the service asks to wait 600 s"), len(pauses)) == (
        Reason.THROTTLED, True, 3,
    )  # fmt: skip


def test_without_a_word_pauses_grow(cloud: FakeOpenStack) -> None:
    pauses: list[float] = []
    cloud.call(VOLUMES, failing(99, 503))
    (gap,) = collect(IN_SHOP, "cinder.volumes", pauses=pauses).gaps()
    assert gap.reason is Reason.INVALID_ANSWER
    assert [0.25 <= pauses[0] < 0.32, 0.5 <= pauses[1] < 0.63, 1.0 <= pauses[2] < 1.26] == [True] * 3


def test_other_failures_are_not_repeated(cloud: FakeOpenStack) -> None:
    cloud.call(VOLUMES, failing(99, 500))
    collect(IN_SHOP, "cinder.volumes")
    assert len([p for p in cloud.paths_asked() if p.startswith(VOLUMES)]) == 1


def test_no_pause_outlasts_the_deadline(cloud: FakeOpenStack) -> None:
    pauses: list[float] = []
    cloud.call(VOLUMES, failing(99, 429, **{"Retry-After": "25"}))
    (gap,) = collect(IN_SHOP, "cinder.volumes", pauses=pauses, deadline=20).gaps()
    assert (gap.reason, pauses) == (Reason.THROTTLED, [])


def test_after_the_deadline_nothing_more_is_asked(cloud: FakeOpenStack) -> None:
    reader = collector(deadline=0.2)
    list(reader.scopes(CallLog()))
    time.sleep(0.25)
    asked = len(cloud.requests)
    gaps = [
        s
        for s in reader.collect(IN_SHOP, frozenset({"cinder.volumes", "nova.servers"}), CallLog())
        if isinstance(s, Gap)
    ]
    assert {(g.type, g.reason) for g in gaps} == {
        ("openstack.volume", Reason.TIMEOUT),
        ("openstack.server", Reason.TIMEOUT),
    }
    assert len(cloud.requests) == asked


def test_a_silent_service_is_a_timeout(cloud: FakeOpenStack, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = threading.Event()
    monkeypatch.setattr(session, "READ_SECONDS", 0.2)

    def silence(request: Request) -> Reply:
        waiting.wait(5)
        return Reply({"volumes": []})

    cloud.call(VOLUMES, silence)
    (gap,) = collect(IN_SHOP, "cinder.volumes").gaps()
    waiting.set()
    assert (gap.reason, gap.detail.endswith("in time")) == (Reason.TIMEOUT, True)


def test_a_flood_is_not_read_to_its_end(cloud: FakeOpenStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "LARGEST_BODY", 2**20)
    cloud.answers[VOLUMES, None] = Reply(b'{"volumes": [' + b" " * 2**22 + b"]}")
    (gap,) = collect(IN_SHOP, "cinder.volumes").gaps()
    assert (gap.reason, gap.detail.endswith("sent more than 1 MiB")) == (Reason.INVALID_ANSWER, True)


# --- pages ---------------------------------------------------------------------------------------------


def numbered(*ids: str, following: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"volumes": [{**VOLUME, "id": id_} for id_ in ids]}
    if following is not None:
        body["volumes_links"] = [{"rel": "next", "href": following}]
    return body


def page(cloud: FakeOpenStack, marker: str) -> str:
    return f"{cloud.url}{VOLUMES}?limit=1000&marker={marker}"


def test_pages_are_followed_to_the_end(cloud: FakeOpenStack) -> None:
    cloud.answer(f"{VOLUMES}?limit=1000", numbered("a", "b", following=page(cloud, "b")))
    cloud.answer(f"{VOLUMES}?limit=1000&marker=b", numbered("c", following=page(cloud, "c")))
    cloud.answer(f"{VOLUMES}?limit=1000&marker=c", numbered())
    taken = collect(IN_SHOP, "cinder.volumes")
    assert [v.id for v in taken.resources("openstack.volume")] == ["a", "b", "c"]
    (listing,) = taken.listings()
    assert (listing.count, taken.request(listing.call)) == (3, f"GET {VOLUMES}?limit=1000&marker=c")
    assert [taken.request(v.sources[""]) for v in taken.resources("openstack.volume")] == [
        f"GET {VOLUMES}?limit=1000",
        f"GET {VOLUMES}?limit=1000",
        f"GET {VOLUMES}?limit=1000&marker=b",
    ]


@pytest.mark.parametrize(
    ("second", "detail"),
    [
        (lambda c: numbered("c", following=page(c, "b")), "the pages of /volumes/detail?limit=1000 do not end"),
        (lambda c: numbered("a", following=page(c, "z")), "a page of /volumes/detail?limit=1000 holds nothing new"),
        (lambda c: numbered("c", following="http://127.0.0.2:9/volumes"), "the next page lies on another host and is not read"),
        (lambda c: numbered("c", following=f"https{c.url[4:]}{VOLUMES}"), "the next page lies on another host and is not read"),
        (lambda c: numbered("c", following="file:///etc/passwd"), "the next page lies on another host and is not read"),
        (lambda c: numbered("c", following="http://[::1/"), "the next page lies on another host and is not read"),
        (lambda c: numbered("c", following=""), "the next page of /volumes/detail?limit=1000 has no address"),
        (lambda c: {"volumes": [{**VOLUME, "id": "c"}], "truncated": True}, "the service itself cut the listing /volumes/detail?limit=1000 short"),
    ],
)  # fmt: skip
def test_a_list_without_an_end_is_kept_and_is_a_gap(
    cloud: FakeOpenStack, second: Callable[[FakeOpenStack], dict[str, Any]], detail: str
) -> None:
    cloud.answer(f"{VOLUMES}?limit=1000", numbered("a", "b", following=page(cloud, "b")))
    cloud.answer(f"{VOLUMES}?limit=1000&marker=b", second(cloud))
    taken = collect(IN_SHOP, "cinder.volumes")
    assert [v.id for v in taken.resources("openstack.volume")][:2] == ["a", "b"]
    assert [(g.reason, g.detail) for g in taken.gaps()] == [(Reason.PARTIAL, detail)]
    assert taken.listings() == []


def test_a_list_that_breaks_off_is_kept_and_is_a_gap(cloud: FakeOpenStack) -> None:
    cloud.answer(f"{VOLUMES}?limit=1000", numbered("a", "b", following=page(cloud, "b")))
    cloud.answer(f"{VOLUMES}?limit=1000&marker=b", status=500)
    taken = collect(IN_SHOP, "cinder.volumes")
    assert [v.id for v in taken.resources("openstack.volume")] == ["a", "b"]
    (gap,) = taken.gaps()
    assert (gap.reason, gap.detail) == (
        Reason.PARTIAL,
        f"the listing breaks off: HTTP 500 from GET {VOLUMES}?limit=1000&marker=b",
    )


def test_counted_pages_end_with_an_empty_one(cloud: FakeOpenStack) -> None:
    """A server may give fewer than asked for without being at its end."""
    groups = [{"id": f"g{n}", "name": "", "policy": "affinity", "members": []} for n in range(5)]

    def two_at_a_time(request: Request) -> Reply:
        offset = int(request.path.partition("offset=")[2] or 0)
        return Reply({"server_groups": groups[offset : offset + 2]})

    cloud.call("/compute/v2.1/os-server-groups", two_at_a_time)
    taken = collect(IN_SHOP, "nova.server_groups")
    assert [g.id for g in taken.resources("openstack.server_group")] == ["g0", "g1", "g2", "g3", "g4"]
    assert taken.gaps() == []


@pytest.mark.parametrize("when", [2, 3])
@pytest.mark.parametrize("size", [11, 12])
def test_counted_pages_of_a_list_that_shrinks_are_a_gap(cloud: FakeOpenStack, when: int, size: int) -> None:
    """What is gone from the first page moves another one out of the second, or the only one."""
    groups = [{"id": f"g{n}", "name": "", "policy": "affinity", "members": []} for n in range(size)]
    asked: list[str] = []

    def ten_at_a_time(request: Request) -> Reply:
        asked.append(request.path.partition("?")[2])
        if len(asked) == when:
            del groups[0]
        offset = int(request.path.partition("offset=")[2] or 0)
        return Reply({"server_groups": groups[offset : offset + 10]})

    cloud.call("/compute/v2.1/os-server-groups", ten_at_a_time)
    taken = collect(IN_SHOP, "nova.server_groups")
    assert [group.id for group in taken.resources("openstack.server_group")] == [f"g{n}" for n in range(10)]
    assert asked == ["limit=1000", "limit=1000&offset=10", "limit=1&offset=9"]
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (Reason.PARTIAL, "the list changed while it was read; collect once more")
    ]
    assert taken.listings() == []


@pytest.mark.parametrize(
    ("call", "path", "key", "row", "status"),
    [
        # What each service says of a marker that is gone.
        ("neutron.ports", "/network/v2.0/ports", "ports", PORT, 404),
        ("nova.servers", "/compute/v2.1/servers/detail", "servers", SERVER, 400),
        ("glance.images", "/image/v2/images", "images", IMAGE, 404),
        ("cinder.volumes", VOLUMES, "volumes", VOLUME, 404),
    ],
)
def test_a_list_whose_marker_is_gone_is_kept_and_is_a_gap(
    cloud: FakeOpenStack, call: str, path: str, key: str, row: dict[str, Any], status: int
) -> None:
    following = f"{path}?limit=1000&marker={row['id']}"
    link: dict[str, Any] = {f"{key}_links": [{"rel": "next", "href": cloud.url + following}]}
    if key == "images":
        link = {"next": following.removeprefix("/image")}
    cloud.answer(path, {key: [row], **link}, project=SHOP)
    cloud.answer(following, {"message": "marker not found"}, status=status, project=SHOP)
    taken = collect(IN_SHOP, call)
    assert [thing.id for thing in taken.seen if isinstance(thing, Resource)] == [row["id"]]
    assert taken.listings() == []
    assert [(g.reason, g.detail, taken.request(g.call)) for g in taken.gaps()] == [
        (Reason.PARTIAL, f"the listing breaks off: HTTP {status} from GET {following}", f"GET {following}")
    ]


def test_a_server_that_ignores_the_offset_is_found_out(cloud: FakeOpenStack) -> None:
    same = [{"id": "g1", "name": "", "policy": "affinity", "members": []}]
    cloud.answer("/compute/v2.1/os-server-groups", {"server_groups": same})
    taken = collect(IN_SHOP, "nova.server_groups")
    assert len(taken.resources("openstack.server_group")) == 1
    assert [g.reason for g in taken.gaps()] == [Reason.PARTIAL]


def test_glance_counts_links_from_its_own_root(cloud: FakeOpenStack) -> None:
    """Behind a prefix, as here, `/v2/images` is not below the host but below the service."""
    first = {"images": [{**IMAGE, "id": "a"}], "next": "/v2/images?marker=a&limit=1000"}
    cloud.answer("/image/v2/images?limit=1000", first, project=SHOP)
    cloud.answer("/image/v2/images?marker=a&limit=1000", {"images": [{**IMAGE, "id": "b"}]}, project=SHOP)
    taken = collect(IN_SHOP, "glance.images")
    assert {i.id for i in taken.resources("openstack.image")} == {"a", "b", "img-1", "img-2"}
    assert taken.gaps() == []


def test_a_swift_account_without_an_end_is_kept_and_is_a_gap(cloud: FakeOpenStack) -> None:
    cloud.answer(f"/object/v1/AUTH_{SHOP}?format=json&marker=kho", [{"name": "kho"}])
    taken = collect(IN_SHOP, "swift.containers", "swift.container_head")
    assert [c.name for c in taken.resources("openstack.container")] == ["kho"]
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (Reason.PARTIAL, "a page of the account holds nothing new")
    ]


# --- items ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id_", [None, 7, "", ["a"], {"a": 1}, "x" * 5000])
def test_an_item_without_a_usable_id_is_counted_as_missing(cloud: FakeOpenStack, id_: object) -> None:
    cloud.answer(VOLUMES, {"volumes": [{**VOLUME, "id": id_}, VOLUME]})
    taken = collect(IN_SHOP, "cinder.volumes")
    assert [v.id for v in taken.resources("openstack.volume")] == ["vol-1"]
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (Reason.INVALID_ANSWER, "1 of 2 items have no usable id or owner")
    ]


def test_a_field_of_the_wrong_kind_costs_one_fact(cloud: FakeOpenStack) -> None:
    wrong = {
        "size": "2",
        "encrypted": "yes",
        "created_at": "yesterday",
        "attachments": [{"server_id": 7}],
        "metadata": [],
    }
    cloud.answer(VOLUMES, {"volumes": [{**VOLUME, **wrong, "status": None}]})
    volume = collect(IN_SHOP, "cinder.volumes").one("openstack.volume")
    assert volume.unseen == {
        "status": Unseen(Reason.INVALID_ANSWER, "'status' holds no text"),
        "size_gb": Unseen(Reason.INVALID_ANSWER, "'size' holds no integer"),
        "encrypted": Unseen(Reason.INVALID_ANSWER, "'encrypted' holds no boolean"),
        "attachments": Unseen(Reason.INVALID_ANSWER, "'attachments' holds no id"),
        "created_at": Unseen(Reason.INVALID_ANSWER, "'created_at' holds no time"),
        "labels": Unseen(Reason.INVALID_ANSWER, "'metadata' holds no object"),
        "label_names": Unseen(Reason.INVALID_ANSWER, "'metadata' holds no object"),
        "secrets.found": Unseen(Reason.INVALID_ANSWER, "'metadata' is not of its kind"),
    }
    assert volume.facts["bootable"] is False


def test_what_is_hidden_from_tenants_is_a_refusal(cloud: FakeOpenStack) -> None:
    row = {k: v for k, v in VOLUME.items() if k != "os-vol-host-attr:host"}
    cloud.answer(VOLUMES, {"volumes": [row]})
    volume = collect(IN_SHOP, "cinder.volumes").one("openstack.volume")
    assert volume.unseen == {
        "host": Unseen(
            Reason.NO_PERMISSION, "the service does not show 'os-vol-host-attr:host' to this credential"
        )
    }


def test_a_server_of_a_cell_that_is_down_says_so(cloud: FakeOpenStack) -> None:
    row = {
        "id": "srv-2",
        "status": "UNKNOWN",
        "tenant_id": SHOP,
        "created": "2026-11-22T03:45:35Z",
        "links": [],
    }
    cloud.answer("/compute/v2.1/servers/detail", {"servers": [row]}, project=SHOP)
    server = collect(IN_SHOP, "nova.servers").one("openstack.server")
    assert server.facts == {"created_at": 1795319135}
    assert "status" in server.unseen
    assert set(server.unseen.values()) == {Unseen(Reason.PARTIAL, "the cell of the server does not answer")}


def test_user_data_that_is_null_is_none(cloud: FakeOpenStack) -> None:
    row = {**SERVER, "OS-EXT-SRV-ATTR:user_data": None}
    cloud.answer("/compute/v2.1/servers/detail", {"servers": [row]}, project=SHOP)
    assert collect(IN_SHOP, "nova.servers").one("openstack.server").facts["has_user_data"] is False


def test_user_data_that_are_hidden_may_hold_anything(cloud: FakeOpenStack) -> None:
    row = {name: value for name, value in SERVER.items() if not name.endswith("user_data")}
    cloud.answer("/compute/v2.1/servers/detail", {"servers": [row]}, project=SHOP)
    server = collect(IN_SHOP, "nova.servers").one("openstack.server")
    found = {"place": "metadata", "key": "db_password", "pattern": "name"}
    assert server.facts["secrets.found"] == Partial((found,))
    why = Unseen(Reason.NO_PERMISSION, "Nova shows user data to administrators only")
    assert server.unseen["secrets.found"] == why
    cloud.answer("/compute/v2.1/servers/detail", {"servers": [{**row, "metadata": {}}]}, project=SHOP)
    server = collect(IN_SHOP, "nova.servers").one("openstack.server")
    assert ("secrets.found" in server.facts, server.unseen["secrets.found"]) == (False, why)


def test_a_volume_remembers_its_image(cloud: FakeOpenStack) -> None:
    def volume(remembered: dict[str, Any]) -> Resource:
        row = {name: value for name, value in VOLUME.items() if name != "volume_image_metadata"}
        cloud.answer(VOLUMES, {"volumes": [{**row, **remembered}]})
        return collect(IN_SHOP, "cinder.volumes").one("openstack.volume")

    names = ("image.os_distro", "image.os_version")
    assert [volume({}).facts[name] for name in names] == [None, None]
    half = volume({"volume_image_metadata": {"os_distro": "debian", "os_version": ""}})
    assert [half.facts[name] for name in names] == ["debian", None]
    odd = volume({"volume_image_metadata": "debian"})
    assert odd.unseen == {"image": Unseen(Reason.INVALID_ANSWER, "'volume_image_metadata' holds no object")}


def test_old_versions_leave_facts_missing(cloud: FakeOpenStack) -> None:
    cloud.answer("/volume/v3/", {"versions": [{"id": "v3.0", "version": "3.59", "min_version": "3.0"}]})
    taken = collect(IN_SHOP, "cinder.backups")
    assert taken.one("openstack.backup").unseen == {
        "encrypted": Unseen(Reason.NOT_IMPLEMENTED, "Cinder tells of a backup's key since version 3.64")
    }
    assert cloud.requests[-1].headers["OpenStack-API-Version"] == "volume 3.59"
    assert collect(IN_SHOP, "cinder.volumes").one("openstack.volume").unseen == {
        "encryption_key": Unseen(Reason.NOT_IMPLEMENTED, "Cinder tells of a volume's key since version 3.64")
    }


@pytest.mark.parametrize(
    ("flavor", "reason"),
    [
        ({"id": "fl-1", "links": []}, Reason.NOT_IMPLEMENTED),  # before 2.47
        ({"original_name": "s1.small", "vcpus": 1, "ram": 512, "disk": 1}, Reason.NO_PERMISSION),
        (
            {"original_name": "s1.small", "vcpus": 1, "ram": 512, "disk": 1, "extra_specs": "x"},
            Reason.INVALID_ANSWER,
        ),
    ],
)
def test_extra_specs_of_a_server_that_are_not_shown(
    cloud: FakeOpenStack, flavor: dict[str, Any], reason: Reason
) -> None:
    cloud.answer("/compute/v2.1/servers/detail", {"servers": [{**SERVER, "flavor": flavor}]}, project=SHOP)
    server = collect(IN_SHOP, "nova.servers").one("openstack.server")
    assert server.unseen["flavor_spec_names"].reason is reason


def test_an_unencrypted_volume_has_no_key(cloud: FakeOpenStack) -> None:
    row = {k: v for k, v in VOLUME.items() if k != "encryption_key_id"}
    cloud.answer(f"/volume/v3/{SHOP}/volumes/detail", {"volumes": [row]}, project=SHOP)
    volume = collect(IN_SHOP, "cinder.volumes").one("openstack.volume")
    assert volume.facts["encryption_key"] is None


@pytest.mark.parametrize("options", [None, [{"opt_name": 6}], [{"opt_name": "6", "opt_value": None}]])
def test_dhcp_options_that_cannot_be_read(cloud: FakeOpenStack, options: object) -> None:
    row = {**PORT, "extra_dhcp_opts": options}
    cloud.answer("/network/v2.0/ports", {"ports": [row]}, project=SHOP)
    port = collect(IN_SHOP, "neutron.ports").one("openstack.port")
    assert port.unseen["dhcp.name_servers"].reason is Reason.INVALID_ANSWER


def test_no_version_is_asked_for_where_the_service_tells_none(cloud: FakeOpenStack) -> None:
    cloud.answer("/compute/v2.1/", status=403)
    taken = collect(IN_SHOP, "nova.servers")
    assert len(taken.resources("openstack.server")) == 1
    assert "OpenStack-API-Version" not in cloud.requests[-1].headers


def test_manila_before_share_backups_has_none(cloud: FakeOpenStack) -> None:
    cloud.answer("/share/v2/", {"versions": [{"id": "v2.0", "version": "2.75", "min_version": "2.0"}]})
    (seen,) = collect(IN_SHOP, "manila.share_backups").seen
    assert isinstance(seen, Listing)
    assert (seen.count, seen.proof) == (0, "Manila's API ends at 2.75, before share backups began (2.80)")


def test_users_without_options_have_no_mfa_facts(cloud: FakeOpenStack) -> None:
    row = {k: v for k, v in USER.items() if k != "options"}
    cloud.answer("/identity/v3/users", listed("users", [row, {**USER, "id": "u-2", "options": {}}]))
    bare, empty = collect(TARGET, "keystone.users", "keystone.federated_users").resources("openstack.user")
    why = Unseen(Reason.NOT_IMPLEMENTED, "Keystone's answer has no options of the user")
    options = ("mfa", "ignores_password_expiry", "ignores_lockout", "ignores_first_change")
    assert bare.unseen == dict.fromkeys(options, why)
    assert (empty.facts["mfa.enabled"], empty.facts["mfa.rules"], dict(empty.unseen)) == (False, (), {})


def test_users_whose_origin_cannot_be_told(cloud: FakeOpenStack) -> None:
    cloud.answer("/identity/v3/OS-FEDERATION/identity_providers", status=403)
    user = collect(TARGET, "keystone.users", "keystone.federated_users").one("openstack.user")
    assert user.unseen["federated"].reason is Reason.NO_PERMISSION
    assert (
        collect(TARGET, "keystone.users").one("openstack.user").unseen["federated"].reason
        is Reason.NOT_COLLECTED
    )


def test_a_type_that_is_not_encrypted_has_null_facts(cloud: FakeOpenStack) -> None:
    cloud.answer(f"/volume/v3/{SHOP}/types/type-1/encryption", {})
    type_ = collect(REGION, "cinder.types", "cinder.type_encryption").one("openstack.volume_type")
    assert [
        type_.facts[f"encryption.{name}"] for name in ("provider", "cipher", "key_size", "control_location")
    ] == [None] * 4
    assert type_.unseen == {}


def test_a_type_whose_encryption_is_refused(cloud: FakeOpenStack) -> None:
    cloud.answer(f"/volume/v3/{SHOP}/types/type-1/encryption", status=403)
    taken = collect(REGION, "cinder.types", "cinder.type_encryption")
    type_ = taken.one("openstack.volume_type")
    assert type_.why_missing("encryption.cipher") == Unseen(
        Reason.NO_PERMISSION, f"HTTP 403 from GET /volume/v3/{SHOP}/types/type-1/encryption"
    )
    assert taken.gaps() == []


def test_extra_specs_are_hidden_from_tenants(cloud: FakeOpenStack) -> None:
    for project in (SHOP, BANK):
        row = {
            "id": "type-1",
            "name": "luks",
            "is_public": True,
            "extra_specs": {"replication_enabled": "<is> True"},
        }
        cloud.answer(f"/volume/v3/{project}/types", {"volume_types": [row]})
    type_ = collect(REGION, "cinder.types", "cinder.type_encryption").one("openstack.volume_type")
    assert type_.facts["replication_enabled"] is True
    assert type_.unseen == {
        "backend": Unseen(Reason.NO_PERMISSION, "Cinder shows the backend of a type to administrators only")
    }


def test_private_types_are_seen_through_the_projects_that_may_use_them(cloud: FakeOpenStack) -> None:
    private = {
        "id": "type-2",
        "name": "bank-only",
        "is_public": False,
        "extra_specs": {},
        "qos_specs_id": None,
    }
    cloud.answer(f"/volume/v3/{BANK}/types", {"volume_types": [private]})
    cloud.answer(f"/volume/v3/{BANK}/types/type-2/encryption", {})
    taken = collect(REGION, "cinder.types", "cinder.type_encryption")
    assert [(t.id, t.scope) for t in taken.resources("openstack.volume_type")] == [
        ("type-1", REGION),
        ("type-2", REGION),
    ]
    assert [listing.count for listing in taken.listings()] == [2]


# --- damaged fields: a fact is missing, and not another one ------------------------------------------------

NO_WORD = "a word that is not known"


@pytest.mark.parametrize(
    ("call", "path", "key", "row", "damage", "fact", "detail"),
    [
        ("nova.servers", "/compute/v2.1/servers/detail", "servers", SERVER, {"status": "odd"}, "status", NO_WORD),
        ("nova.servers", "/compute/v2.1/servers/detail", "servers", SERVER, {"status": ""}, "status", NO_WORD),
        ("nova.servers", "/compute/v2.1/servers/detail", "servers", SERVER, {"image": None}, "image", "no image"),
        ("nova.servers", "/compute/v2.1/servers/detail", "servers", SERVER,
         {"OS-EXT-SRV-ATTR:user_data": False}, "has_user_data", "no text"),
        ("glance.images", "/image/v2/images", "images", IMAGE, {"status": "odd"}, "status", NO_WORD),
        ("glance.images", "/image/v2/images", "images", IMAGE, {"visibility": "odd"}, "visibility", NO_WORD),
        ("glance.images", "/image/v2/images", "images", IMAGE, {"size": -1}, "size_bytes", "less than nothing"),
        ("cinder.backups", f"/volume/v3/{SHOP}/backups/detail", "backups", BACKUP, {"status": "odd"}, "status", NO_WORD),
    ],
)  # fmt: skip
def test_a_damaged_field_costs_its_fact(
    cloud: FakeOpenStack,
    call: str,
    path: str,
    key: str,
    row: dict[str, Any],
    damage: dict[str, Any],
    fact: str,
    detail: str,
) -> None:
    (field,) = damage
    cloud.answer(path, {key: [{**row, **damage}]}, project=SHOP if (path, SHOP) in cloud.answers else None)
    (found,) = (thing for thing in collect(IN_SHOP, call).seen if isinstance(thing, Resource))
    assert fact not in found.facts
    assert found.unseen[fact] == Unseen(Reason.INVALID_ANSWER, f"'{field}' holds {detail}")


def test_a_hash_that_is_empty_is_none(cloud: FakeOpenStack) -> None:
    cloud.answer(
        "/image/v2/images", {"images": [{**IMAGE, "os_hash_algo": "", "os_hash_value": ""}]}, project=SHOP
    )
    image = collect(IN_SHOP, "glance.images").one("openstack.image")
    assert (image.facts["hash_algo"], image.facts["hash_value"]) == (None, None)


def test_a_limit_that_is_null_is_not_unlimited(cloud: FakeOpenStack) -> None:
    quotas = {
        "cores": {"limit": None, "in_use": 3, "reserved": 0},
        "ram": {"limit": -1, "in_use": 3, "reserved": 0},
    }
    cloud.answer(f"/compute/v2.1/os-quota-sets/{SHOP}/detail", {"quota_set": quotas})
    cores, ram = collect(IN_SHOP, "nova.quotas").resources("openstack.quota")
    assert cores.facts == {"service": "compute", "in_use": 3, "reserved": 0}
    assert cores.unseen == {"limit": Unseen(Reason.INVALID_ANSWER, "'limit' holds no integer")}
    assert ram.facts["limit"] is None


@pytest.mark.parametrize(
    ("rows", "available"),
    [
        ([{"name": "a", "state": "available"}, {"name": "a", "state": "available"}], True),
        ([{"name": "a", "state": "available"}, {"name": "a", "state": "unavailable"}], False),
        ([{"name": "a", "state": "available"}, {"name": "a", "state": "odd"}], None),
        ([{"name": "a", "state": "available"}, {"name": "a"}], None),
        ([{"name": "a", "state": "available"}, {"state": "unavailable"}], None),
        ([{"name": "a", "state": "unavailable"}, {"state": "available"}], False),
    ],
)
def test_a_zone_is_available_where_all_of_it_is_known(
    cloud: FakeOpenStack, rows: list[dict[str, str]], available: bool | None
) -> None:
    cloud.answer("/network/v2.0/availability_zones", {"availability_zones": rows})
    zone = collect(REGION, "neutron.availability_zones").one("openstack.availability_zone")
    assert (zone.id, zone.facts.get("available")) == ("network:a", available)
    assert ("available" in zone.unseen) is (available is None)


@pytest.mark.parametrize(
    ("damage", "facts", "unseen"),
    [
        ({"federated": [{"idp_id": "so-noi-vu", "protocols": []}]}, {"federated": True}, {}),
        ({"federated": [{}]}, {}, {"federated": Unseen(Reason.INVALID_ANSWER, "'federated' holds no id")}),
        ({"options": {"multi_factor_auth_rules": [["totp", "totp"]]}}, {"mfa.rules": ({"methods": ("totp",)},)}, {}),
        ({"options": {"multi_factor_auth_rules": [["totp", ""]]}}, {},
         {"mfa.rules": Unseen(Reason.INVALID_ANSWER, "'multi_factor_auth_rules' holds no id")}),
    ],
)  # fmt: skip
def test_what_damage_makes_of_a_second_factor(
    cloud: FakeOpenStack, damage: dict[str, Any], facts: dict[str, Any], unseen: dict[str, Unseen]
) -> None:
    cloud.answer("/identity/v3/users", listed("users", [{**USER, **damage}]))
    user = collect(TARGET, "keystone.users", "keystone.federated_users").one("openstack.user")
    names = ("federated",) if "federated" in damage else ("mfa.rules",)
    assert {name: user.facts[name] for name in names if name in user.facts} == facts
    assert {name: user.unseen[name] for name in names if name in user.unseen} == unseen


def test_a_thing_that_is_listed_twice_is_counted_once(cloud: FakeOpenStack) -> None:
    other = {**SERVER, "name": "web-2"}
    cloud.answer("/compute/v2.1/servers/detail", {"servers": [SERVER, SERVER, other]}, project=SHOP)
    taken = collect(IN_SHOP, "nova.servers")
    assert [server.name for server in taken.resources("openstack.server")] == ["web-1", "web-1", "web-2"]
    assert [proof.count for proof in taken.listings("openstack.server")] == [1]
    cloud.answer(f"/object/v1/AUTH_{SHOP}?format=json", [{"name": "kho"}, {"name": "kho"}])
    taken = collect(IN_SHOP, "swift.containers")
    assert [proof.count for proof in taken.listings("openstack.container")] == [1]


def test_two_endpoints_of_one_id_are_both_told(cloud: FakeOpenStack) -> None:
    catalogue = cloud.catalogue(SHOP)[:1]
    (endpoint,) = catalogue[0]["endpoints"]
    catalogue[0]["endpoints"] = [endpoint, {**endpoint, "url": "https://keys.example.test/v3"}, endpoint]
    cloud.answer("/identity/v3/auth/catalog", {"catalog": catalogue})
    taken = collect(TARGET, "keystone.catalog")
    assert [e.facts["scheme"] for e in taken.resources("openstack.endpoint")] == ["http", "https"]
    assert [proof.count for proof in taken.listings("openstack.endpoint")] == [1]


def test_only_a_network_may_belong_to_nobody(cloud: FakeOpenStack) -> None:
    cloud.answer("/compute/v2.1/servers/detail", {"servers": [{**SERVER, "tenant_id": ""}]}, project=SHOP)
    (gap,) = collect(IN_SHOP, "nova.servers").seen
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.detail) == (Reason.INVALID_ANSWER, "1 of 1 items have no usable id or owner")
    cloud.answer("/load-balancer/v2/lbaas/pools", {"pools": [{**POOL, "project_id": ""}]}, project=SHOP)
    (gap,) = collect(IN_SHOP, "octavia.pools", "octavia.pool_members").seen
    assert isinstance(gap, Gap)
    assert gap.detail == "1 of 1 items have no usable id or owner"
    nobodys = {"id": "g-9", "name": "web", "project_id": ""}
    cloud.answer("/network/v2.0/security-groups", {"security_groups": [nobodys]}, project=SHOP)
    (gap,) = collect(IN_SHOP, "neutron.security_groups").seen
    assert isinstance(gap, Gap)
    assert gap.reason is Reason.INVALID_ANSWER
    nobodys = {"id": "net-ha", "name": "HA network tenant", "project_id": ""}
    cloud.answer("/network/v2.0/networks", {"networks": [nobodys]}, project=SHOP)
    (proof,) = collect(IN_SHOP, "neutron.networks").seen
    assert isinstance(proof, Listing)
    assert proof.count == 0


def test_a_replica_that_names_no_share_is_not_somebody_elses(cloud: FakeOpenStack) -> None:
    for damaged in ({}, {"share_id": None}, {"share_id": {"odd": 1}}):
        row = {k: v for k, v in SHARE_REPLICA.items() if k != "share_id"} | damaged
        cloud.call("/share/v2/share-replicas/detail", offset_list("share_replicas", row))
        taken = collect(IN_SHOP, "manila.shares", "manila.share_replicas")
        assert taken.listings("openstack.share_replica") == []
        assert [(g.reason, g.detail) for g in taken.gaps("openstack.share_replica")] == [
            (Reason.INVALID_ANSWER, "1 of 1 items have no usable id or owner")
        ]


def test_an_answer_without_a_containers_headers_is_none_about_it(cloud: FakeOpenStack) -> None:
    cloud.answer(f"/object/v1/AUTH_{SHOP}/kho", b"<html>", headers={"X-Storage-Policy": "gold"})
    cloud.roles[SHOP] = ["admin"]
    container = collect(IN_SHOP, "swift.containers", "swift.container_head").one("openstack.container")
    detail = "the answer to HEAD has no X-Container-Object-Count: it is not one about a container"
    assert (container.facts, container.unseen) == ({}, {"": Unseen(Reason.INVALID_ANSWER, detail)})


# --- Swift: what a reader is not told ---------------------------------------------------------------------


def hidden_from_readers(cloud: FakeOpenStack, *names: str) -> None:
    cloud.answer(f"/object/v1/AUTH_{SHOP}?format=json", [{"name": n} for n in names])
    cloud.answer(f"/object/v1/AUTH_{SHOP}?format=json&marker={names[-1]}", [])
    for name in names:
        cloud.answer(
            f"/object/v1/AUTH_{SHOP}/{name}", status=204, headers={**EMPTY, "X-Storage-Policy": "gold"}
        )


def test_a_reader_cannot_conclude_that_a_container_is_private(cloud: FakeOpenStack) -> None:
    hidden_from_readers(cloud, "kho")
    container = collect(IN_SHOP, "swift.containers", "swift.container_head").one("openstack.container")
    assert set(container.unseen) == {"read_acl", "write_acl", "sync_to", "sync_key_present"}
    assert {why.reason for why in container.unseen.values()} == {Reason.NO_PERMISSION}
    assert container.facts == {
        "versioning.state": "off",
        "storage_policy": "gold",
        "quota_bytes": None,
        "labels": {},
        "label_names": (),
        "secrets.found": (),
    }


@pytest.mark.parametrize("sign", ["role", "gateway", "other container"])
def test_an_owner_can(cloud: FakeOpenStack, sign: str) -> None:
    hidden_from_readers(cloud, "a", "b")
    if sign == "role":
        cloud.roles[SHOP] = ["SwiftOperator"]
    elif sign == "gateway":
        cloud.answer(
            f"/object/v1/AUTH_{SHOP}?format=json",
            [{"name": "a"}, {"name": "b"}],
            headers={"X-Account-Bytes-Used-Actual": "0"},
        )
    else:
        cloud.answer(
            f"/object/v1/AUTH_{SHOP}/b", status=204, headers={**EMPTY, "X-Container-Meta-Temp-URL-Key": "k"}
        )
    first = collect(IN_SHOP, "swift.containers", "swift.container_head").resources("openstack.container")[0]
    assert first.unseen == {}
    assert (first.facts["read_acl"], first.facts["sync_key_present"]) == (None, False)


def test_a_container_that_cannot_be_asked_about(cloud: FakeOpenStack) -> None:
    hidden_from_readers(cloud, "a", "b", "c")
    cloud.answer(f"/object/v1/AUTH_{SHOP}/a", status=403)
    cloud.answer(f"/object/v1/AUTH_{SHOP}/b", status=404)
    a, b, _ = collect(IN_SHOP, "swift.containers", "swift.container_head").resources("openstack.container")
    assert (a.facts, a.unseen[""].reason) == ({}, Reason.NO_PERMISSION)
    assert b.unseen[""] == Unseen(Reason.PARTIAL, "the container was gone when its headers were asked for")


def test_names_of_containers_keep_their_spelling(cloud: FakeOpenStack) -> None:
    """NFC and NFD are two containers; both are shown in NFC."""
    nfc, nfd = "h\u1ed3 s\u01a1", "ho\u0302\u0300 so\u031b"
    cloud.answer(f"/object/v1/AUTH_{SHOP}?format=json", [{"name": nfc}, {"name": nfd}, {"name": "a/?#b"}])
    cloud.answer(f"/object/v1/AUTH_{SHOP}?format=json&marker={quote('a/?#b', safe='')}", [])
    for name in (nfc, nfd, "a/?#b"):
        cloud.answer(f"/object/v1/AUTH_{SHOP}/{quote(name, safe='')}", status=204, headers=EMPTY)
    taken = collect(IN_SHOP, "swift.containers", "swift.container_head")
    assert [(c.id, c.name) for c in taken.resources("openstack.container")] == [
        (f"{SHOP}/{nfc}", nfc),
        (f"{SHOP}/{nfd}", nfc),
        (f"{SHOP}/a/?#b", "a/?#b"),
    ]
    assert taken.gaps() == []


@pytest.mark.parametrize("visibility", [None, 7, "odd"])
def test_another_projects_image_of_which_nobody_says_who_may_see_it(
    cloud: FakeOpenStack, visibility: object
) -> None:
    theirs = {**IMAGE, "id": "img-theirs", "owner": BANK, "visibility": visibility}
    cloud.answer("/image/v2/images", {"images": [IMAGE, theirs]}, project=SHOP)
    taken = collect(IN_SHOP, "glance.images")
    assert [image.id for image in taken.resources("openstack.image")] == [IMAGE["id"]]
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (Reason.INVALID_ANSWER, "1 of 2 items have no usable id or owner")
    ]


@pytest.mark.parametrize("sign", ["none", "role", "gateway"])
def test_only_an_owner_knows_that_an_account_has_no_key(cloud: FakeOpenStack, sign: str) -> None:
    counts = dict.fromkeys(("X-Account-Container-Count", "X-Account-Object-Count"), "0")
    if sign == "role":
        cloud.roles[SHOP] = ["SwiftOperator"]
    gateway = {"X-Account-Bytes-Used-Actual": "0"} if sign == "gateway" else {}
    cloud.answer(f"/object/v1/AUTH_{SHOP}", status=204, headers={**counts, **gateway})
    account = collect(IN_SHOP, "swift.account").one("openstack.object_account")
    secrets = {"temp_url_key_present": False, "acl_present": False}
    assert account.facts == {
        "container_count": 0, "object_count": 0, "quota_bytes": None, **(secrets if sign != "none" else {}),
    }  # fmt: skip
    assert {name: why.reason for name, why in account.unseen.items()} == {
        "bytes_used": Reason.NOT_IMPLEMENTED,
        **(dict.fromkeys(secrets, Reason.NO_PERMISSION) if sign == "none" else {}),
    }


@pytest.mark.parametrize(("status", "reason"), [(403, Reason.NO_PERMISSION), (404, Reason.SERVICE_ABSENT)])
def test_an_account_that_does_not_answer_is_a_gap(cloud: FakeOpenStack, status: int, reason: Reason) -> None:
    cloud.answer(f"/object/v1/AUTH_{SHOP}", status=status)
    (gap,) = collect(IN_SHOP, "swift.account").seen
    assert isinstance(gap, Gap)
    assert (gap.type, gap.reason, gap.detail) == (
        "openstack.object_account", reason, f"HTTP {status} from HEAD /object/v1/AUTH_{SHOP}",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "reason", "detail"),
    [
        (Reply(status=403), Reason.NO_PERMISSION, "HTTP 403 from GET /object/info: the operator may have switched it off"),
        (Reply(status=404), Reason.SERVICE_ABSENT, "HTTP 404 from GET /object/info: the operator may have switched it off"),
        (Reply(b"<html>"), Reason.INVALID_ANSWER, "the answer to GET /object/info is no JSON (text/html)"),
        (Reply({"slo": {}}), Reason.INVALID_ANSWER, "the answer to GET /info says nothing of Swift itself"),
        (Reply({"swift": "2.0"}), Reason.INVALID_ANSWER, "the answer to GET /info says nothing of Swift itself"),
    ],
)  # fmt: skip
def test_what_swift_offers_may_not_be_told(
    cloud: FakeOpenStack, reply: Reply, reason: Reason, detail: str
) -> None:
    cloud.answers["/object/info", None] = reply
    (gap,) = collect(REGION, "swift.info").seen
    assert isinstance(gap, Gap)
    assert (gap.scope, gap.type, gap.reason, gap.detail) == (
        REGION, "openstack.object_service", reason, detail,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "realms"),
    [({}, False), ({"container_sync": {"realms": {}}}, False), ({"container_sync": []}, None)],
)
def test_synchronisation_of_clusters_needs_realms(
    cloud: FakeOpenStack, said: dict[str, Any], realms: bool | None
) -> None:
    cloud.answer("/object/info", {"swift": {"max_file_size": 1}, **said})
    service = collect(REGION, "swift.info").one("openstack.object_service")
    assert service.facts.get("container_sync_realms") is realms
    assert (realms is None) == ("container_sync_realms" in service.unseen)


# --- Glance: members and stores ---------------------------------------------------------------------------


def test_members_are_asked_for_where_an_image_can_have_some(cloud: FakeOpenStack) -> None:
    """Of our own shared images: not of private ones, and not of images others share with us."""
    foreign = {**SHARED_IMAGE, "id": "img-3", "owner": BANK}
    cloud.answer("/image/v2/images", {"images": [IMAGE, foreign, SHARED_IMAGE]}, project=SHOP)
    taken = collect(IN_SHOP, "glance.images", "glance.image_members")
    assert [m.id for m in taken.resources("openstack.image_member")] == [f"img-2:{BANK}"]
    assert [p for p in cloud.paths_asked() if "members" in p] == ["/image/v2/images/img-2/members"]
    assert [s.count for s in taken.listings("openstack.image_member")] == [1]


def test_an_image_whose_members_are_not_shown_is_a_gap_beside_the_members_of_others(
    cloud: FakeOpenStack,
) -> None:
    second = {**SHARED_IMAGE, "id": "img-3"}
    cloud.answer("/image/v2/images", {"images": [second, SHARED_IMAGE]}, project=SHOP)
    cloud.answer("/image/v2/images/img-3/members", status=403)
    taken = collect(IN_SHOP, "glance.images", "glance.image_members")
    assert [m.id for m in taken.resources("openstack.image_member")] == [f"img-2:{BANK}"]
    assert [(g.type, g.reason, g.detail, taken.request(g.call)) for g in taken.gaps()] == [
        (
            "openstack.image_member",
            Reason.NO_PERMISSION,
            "members of an image: HTTP 403 from GET /image/v2/images/img-3/members",
            "GET /image/v2/images/img-3/members",
        )
    ]


def test_images_that_cannot_be_listed_hide_their_members(cloud: FakeOpenStack) -> None:
    cloud.answer("/image/v2/images", status=403, project=SHOP)
    taken = collect(IN_SHOP, "glance.images", "glance.image_members")
    assert [(g.type, g.reason) for g in taken.gaps()] == [
        ("openstack.image", Reason.NO_PERMISSION),
        ("openstack.image_member", Reason.NO_PERMISSION),
    ]
    (gap,) = collect(IN_SHOP, "glance.image_members").gaps()
    assert (gap.reason, gap.detail) == (
        Reason.NOT_COLLECTED,
        "the plan did not ask for the images themselves",
    )


def test_a_glance_that_names_no_stores_is_a_gap(cloud: FakeOpenStack) -> None:
    cloud.answer("/image/v2/info/stores", status=404)
    (gap,) = collect(REGION, "glance.stores", "glance.stores_detail").seen
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.detail) == (
        Reason.NOT_IMPLEMENTED,
        "Glance names no stores; it may have just one: HTTP 404 from GET /image/v2/info/stores",
    )


@pytest.mark.parametrize(
    ("status", "facts", "unseen"),
    [
        (404, {"names_stores": False}, {}),
        (403, {}, {"names_stores": Unseen(Reason.NO_PERMISSION, "HTTP 403 from GET /image/v2/info/stores")}),
    ],
)
def test_a_service_tells_whether_it_names_its_stores(
    cloud: FakeOpenStack, status: int, facts: dict[str, bool], unseen: dict[str, Unseen]
) -> None:
    cloud.answer("/image/v2/info/stores", status=status)
    service = collect(REGION, "glance.import_info", "glance.stores").one("openstack.image_service")
    assert (service.facts, service.unseen) == (
        {"import_methods": ("copy-image", "glance-direct"), **facts},
        unseen,
    )
    service = collect(REGION, "glance.import_info").one("openstack.image_service")
    assert service.unseen["names_stores"].reason is Reason.NOT_COLLECTED


def test_an_image_without_locations_shows_none(cloud: FakeOpenStack) -> None:
    row = {k: v for k, v in IMAGE.items() if k != "direct_url"}
    cloud.answer("/image/v2/images", {"images": [row]}, project=SHOP)
    image = collect(IN_SHOP, "glance.images").one("openstack.image")
    assert image.facts["locations_shown"] is False
    assert image.unseen["external_urls"].reason is Reason.NOT_IMPLEMENTED


def test_kinds_of_stores_are_for_administrators(cloud: FakeOpenStack) -> None:
    cloud.answer("/image/v2/info/stores/detail", status=403)
    taken = collect(REGION, "glance.stores", "glance.stores_detail")
    ceph, web = taken.resources("openstack.image_store")
    assert (ceph.facts, web.facts) == (
        {"default": True, "description": "Ceph", "read_only": False},
        {"default": False, "description": None, "read_only": True},
    )
    assert [s.unseen["type"].reason for s in (ceph, web)] == [Reason.NO_PERMISSION] * 2
    (bare, _) = collect(REGION, "glance.stores").resources("openstack.image_store")
    assert bare.unseen["type"].reason is Reason.NOT_COLLECTED


@pytest.mark.parametrize("answer", [[], {"value": "web-download"}, {"value": [7]}, None])
def test_import_methods_that_are_no_list_are_not_known(cloud: FakeOpenStack, answer: object) -> None:
    cloud.answer("/image/v2/info/import", {"import-methods": answer})
    service = collect(REGION, "glance.import_info").one("openstack.image_service")
    assert (service.facts, service.unseen["import_methods"].reason) == ({}, Reason.INVALID_ANSWER)


# --- Neutron: an empty list is asked for twice ------------------------------------------------------------

ROUTERS = "/network/v2.0/routers"


def in_turn(*replies: Reply) -> Callable[[Request], Reply]:
    """Answers in the order of asking; the last one stays."""
    left = list(replies)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    ("again", "reason", "detail"),
    [
        (
            Reply({"routers": [{"id": "r-1", "project_id": SHOP}]}),
            Reason.PARTIAL,
            "the list was empty, and was not when it was asked for again; collect once more",
        ),
        (
            Reply({"routers": [{"id": "r-1", "project_id": BANK}]}),
            Reason.PARTIAL,
            "the list was empty, and was not when it was asked for again; collect once more",
        ),
        (Reply(status=403), Reason.NO_PERMISSION, f"HTTP 403 from GET {ROUTERS}?limit=1000"),
    ],
)
@pytest.mark.parametrize("role", ["reader", "PLANTED-unknown-role"])
def test_an_empty_list_that_changes_proves_nothing(
    cloud: FakeOpenStack, again: Reply, reason: Reason, detail: str, role: str
) -> None:
    cloud.roles[SHOP] = [role]
    cloud.answers[ROUTERS, SHOP] = in_turn(Reply({"routers": []}), again)
    taken = collect(IN_SHOP, "neutron.routers")
    (gap,) = taken.seen
    assert isinstance(gap, Gap)
    assert (gap.scope, gap.type, gap.reason, gap.detail) == (IN_SHOP, "openstack.router", reason, detail)
    assert gap.call == max(n for n, c in enumerate(taken.log.calls) if "/routers" in c.request)


def test_an_empty_list_is_asked_for_again_after_all_others(cloud: FakeOpenStack) -> None:
    cloud.answer("/network/v2.0/networks", {"networks": []}, project=SHOP)
    taken = collect(IN_SHOP, "neutron.networks", "neutron.routers", "neutron.ports")
    asked = [p.partition("?")[0].rpartition("/")[2] for p in cloud.paths_asked() if "/v2.0/" in p]
    assert (asked[0], asked[-1], sorted(asked)) == (
        "networks", "networks", ["networks", "networks", "ports", "routers"],
    )  # fmt: skip
    (listing,) = taken.listings("openstack.network")
    assert (listing.count, listing.proof) == (
        0, "the token is scoped to the project shop and was shown what it owns",
    )  # fmt: skip
    assert taken.gaps() == []


def test_an_empty_list_still_needs_a_role_that_sees(cloud: FakeOpenStack) -> None:
    cloud.roles[SHOP] = ["PLANTED-unknown-role"]
    cloud.answer(ROUTERS, {"routers": []}, project=SHOP)
    (gap,) = collect(IN_SHOP, "neutron.routers").gaps()
    assert (gap.reason, gap.detail.startswith("no evidence of sight")) == (Reason.PARTIAL, True)


# --- extensions ------------------------------------------------------------------------------------------


def test_no_vpn_extension_proves_that_there_is_no_vpn(cloud: FakeOpenStack) -> None:
    cloud.answer("/network/v2.0/extensions", {"extensions": [{"alias": "router"}, {"alias": "qos"}]})
    taken = collect(IN_SHOP, *TYPES["openstack.vpn_connection"].calls)
    (seen,) = taken.seen
    assert isinstance(seen, Listing)
    assert (seen.scope, seen.type, seen.count) == (IN_SHOP, "openstack.vpn_connection", 0)
    assert seen.proof == "the complete list of Neutron's 2 extensions has no vpnaas"
    assert taken.request(seen.call) == "GET /network/v2.0/extensions"
    assert not [p for p in cloud.paths_asked() if "/vpn/" in p]


@pytest.mark.parametrize(
    "extensions",
    [Reply(status=404), Reply(status=403), Reply({"extensions": []}), Reply({"extensions": [{"alias": 7}]})],
)
def test_without_a_complete_list_of_extensions_nothing_is_proven(
    cloud: FakeOpenStack, extensions: Reply
) -> None:
    cloud.answers["/network/v2.0/extensions", None] = extensions
    cloud.answer("/network/v2.0/vpn/ipsec-site-connections", status=404, project=SHOP)
    taken = collect(IN_SHOP, *TYPES["openstack.vpn_connection"].calls)
    assert [(g.type, g.reason) for g in taken.gaps("openstack.vpn_connection")] == [
        ("openstack.vpn_connection", Reason.SERVICE_ABSENT)
    ]
    assert taken.listings("openstack.vpn_connection") == []


def test_vpn_policies_that_are_not_shown(cloud: FakeOpenStack) -> None:
    cloud.answer("/network/v2.0/vpn/ikepolicies", status=403, project=SHOP)
    cloud.answer("/network/v2.0/vpn/ipsecpolicies", {"ipsecpolicies": []}, project=SHOP)
    cloud.answer("/network/v2.0/vpn/endpoint-groups", {"endpoint_groups": []}, project=SHOP)
    vpn = collect(IN_SHOP, *TYPES["openstack.vpn_connection"].calls).one("openstack.vpn_connection")
    assert vpn.facts == {"peer_address": "198.51.100.10", "status": "ACTIVE"}
    assert {name: why.reason for name, why in vpn.unseen.items()} == {
        "ike": Reason.NO_PERMISSION,
        "ipsec": Reason.PARTIAL,
        "peer_cidrs": Reason.PARTIAL,
    }


ROUTED = sorted(BROUGHT - {"openstack.vpn_connection"})


@pytest.mark.parametrize("type_", ROUTED)
def test_what_no_extension_brings_is_proven_absent(cloud: FakeOpenStack, type_: str) -> None:
    cloud.answer("/network/v2.0/extensions", {"extensions": [{"alias": "router"}]})
    scope = REGION if type_ == "openstack.network_agent" else IN_SHOP
    taken = collect(scope, *TYPES[type_].calls)
    (seen,) = taken.listings(type_)
    assert (seen.scope, seen.count, seen.proof[:50]) == (
        scope, 0, "the complete list of Neutron's 1 extensions has no",
    )  # fmt: skip
    assert taken.request(seen.call) == "GET /network/v2.0/extensions"
    assert [p for p in cloud.paths_asked() if "/v2.0/" in p] == ["/network/v2.0/extensions"]


@pytest.mark.parametrize(
    ("type_", "path", "key"),
    [
        ("openstack.network_agent", "agents", "agents"),
        ("openstack.network_log", "log/logs", "logs"),
    ],
)
def test_what_only_administrators_are_shown_is_not_proven_empty_to_others(
    cloud: FakeOpenStack, type_: str, path: str, key: str
) -> None:
    scope = REGION if type_ == "openstack.network_agent" else IN_SHOP
    cloud.answer(f"/network/v2.0/{path}", {key: []}, project=SHOP)
    (gap,) = collect(scope, *TYPES[type_].calls).gaps(type_)
    assert (gap.reason, gap.detail) == (
        Reason.PARTIAL,
        "no evidence of sight: network leaves out what a role may not see, and the roles of the token"
        " (reader) are none of admin",
    )
    cloud.roles[SHOP] = ["admin"]
    taken = collect(scope, *TYPES[type_].calls)
    assert [(s.count, taken.request(s.call)) for s in taken.listings(type_)] == [
        (0, f"GET /network/v2.0/{path}?limit=1000")
    ]
    assert len([p for p in cloud.paths_asked() if p.startswith(f"/network/v2.0/{path}")]) == 4


def test_route_targets_are_hidden_from_tenants(cloud: FakeOpenStack) -> None:
    """So is the project: then the one that was asked has it."""
    hidden = ("route_targets", "import_targets", "export_targets", "route_distinguishers", "project_id")
    row = {name: value for name, value in BGPVPN.items() if name not in hidden}
    cloud.answer("/network/v2.0/bgpvpn/bgpvpns", {"bgpvpns": [row]}, project=SHOP)
    vpn = collect(IN_SHOP, "neutron.bgpvpns").one("openstack.bgpvpn")
    assert (vpn.scope, dict(vpn.facts)) == (
        IN_SHOP, {"type": "l3", "networks": ("net-1",), "routers": ("router-1",)},
    )  # fmt: skip
    assert {name: why.reason for name, why in vpn.unseen.items()} == dict.fromkeys(
        hidden[:3], Reason.NO_PERMISSION
    )


def test_no_zone_extension_proves_that_neutron_has_no_zones(cloud: FakeOpenStack) -> None:
    cloud.answer("/network/v2.0/extensions", {"extensions": [{"alias": "router"}]})
    taken = collect(REGION, "neutron.availability_zones", "neutron.extensions")
    (listing,) = taken.listings("openstack.availability_zone")
    assert (listing.count, "no availability_zone" in listing.proof) == (0, True)


# --- Octavia -----------------------------------------------------------------------------------------------

POOLS = "/load-balancer/v2/lbaas/pools"
POOL_CALLS = tuple(TYPES["openstack.lb_pool"].calls)


def pools_of_shop(cloud: FakeOpenStack, *rows: dict[str, Any]) -> None:
    cloud.answer(POOLS, {"pools": list(rows), "pools_links": []}, project=SHOP)


BALANCERS = "/load-balancer/v2/lbaas/loadbalancers"
BALANCER_CALLS = tuple(TYPES["openstack.loadbalancer"].calls)


def test_what_carries_a_load_balancer_is_shown_to_operators_and_by_one_driver_only(
    cloud: FakeOpenStack,
) -> None:
    cloud.answer("/load-balancer/v2/octavia/amphorae", status=403)
    taken = collect(IN_SHOP, *BALANCER_CALLS)
    refused = "HTTP 403 from GET /load-balancer/v2/octavia/amphorae?limit=1000"
    assert taken.one("openstack.loadbalancer").unseen == {"amphorae": Unseen(Reason.NO_PERMISSION, refused)}
    assert taken.gaps() == []
    bare = collect(IN_SHOP, "octavia.loadbalancers").one("openstack.loadbalancer")
    assert bare.unseen == {"amphorae": Unseen(Reason.NOT_COLLECTED, "the plan did not ask for it")}
    cloud.answer("/load-balancer/v2/octavia/amphorae", {"amphorae": [{"loadbalancer_id": "lb-1", "id": "x"}]})
    odd = collect(IN_SHOP, *BALANCER_CALLS).one("openstack.loadbalancer")
    assert odd.unseen == {"amphorae": Unseen(Reason.INVALID_ANSWER, "'amphorae' holds no text")}
    rows = {"loadbalancers": [{**LOADBALANCER, "provider": "ovn"}], "loadbalancers_links": []}
    cloud.answer(BALANCERS, rows, project=SHOP)
    other = collect(IN_SHOP, *BALANCER_CALLS).one("openstack.loadbalancer")
    assert other.unseen == {
        "amphorae": Unseen(Reason.NOT_IMPLEMENTED, "the provider ovn tells of no amphorae")
    }


def test_a_pool_with_nothing_behind_it_needs_no_further_call(cloud: FakeOpenStack) -> None:
    row = {name: value for name, value in POOL.items() if name != "healthmonitor_id"} | {"members": []}
    pools_of_shop(cloud, {**row, "session_persistence": None})
    pool = collect(IN_SHOP, *POOL_CALLS).one("openstack.lb_pool")
    assert (pool.facts["members"], pool.facts["session_persistence"], dict(pool.unseen)) == ((), None, {})
    monitor = {name: value for name, value in pool.facts.items() if name.startswith("monitor.")}
    assert monitor == dict.fromkeys(
        f"monitor.{name}" for name in ("type", "delay", "timeout", "max_retries", "operating_status")
    )
    assert not [p for p in cloud.paths_asked() if "/members" in p]


def test_what_stands_behind_a_pool_may_be_refused(cloud: FakeOpenStack) -> None:
    cloud.answer(f"{POOLS}/pool-1/members", status=403)
    cloud.answer("/load-balancer/v2/lbaas/healthmonitors", {"healthmonitors": []})
    taken = collect(IN_SHOP, *POOL_CALLS)
    assert taken.one("openstack.lb_pool").unseen == {
        "members": Unseen(Reason.NO_PERMISSION, f"HTTP 403 from GET {POOLS}/pool-1/members?limit=1000"),
        "monitor": Unseen(Reason.PARTIAL, "the pool's health monitor is not shown to this credential"),
    }
    assert taken.gaps() == []
    cloud.answer("/load-balancer/v2/lbaas/healthmonitors", status=403)
    pool = collect(IN_SHOP, *POOL_CALLS).one("openstack.lb_pool")
    assert pool.unseen["monitor"].reason is Reason.NO_PERMISSION
    bare = collect(IN_SHOP, "octavia.pools").one("openstack.lb_pool")
    why = Unseen(Reason.NOT_COLLECTED, "the plan did not ask for it")
    assert bare.unseen == {"members": why, "monitor": why}


def test_what_a_listener_does_may_be_refused(cloud: FakeOpenStack) -> None:
    def listener(*wanted: str) -> Resource:
        return collect(IN_SHOP, "octavia.listeners", *wanted).one("openstack.listener")

    policies = "/load-balancer/v2/lbaas/l7policies"
    cloud.answer(policies, {"l7policies": []})
    hidden = Unseen(Reason.PARTIAL, "an L7 policy of the listener is not shown to this credential")
    assert listener("octavia.l7policies").unseen == {"l7_policies": hidden}
    cloud.answer(policies, status=403)
    assert listener("octavia.l7policies").unseen["l7_policies"].reason is Reason.NO_PERMISSION
    assert listener().unseen["l7_policies"].reason is Reason.NOT_COLLECTED
    cloud.answer(policies, {"l7policies": [{"id": "l7-1", "action": 7}]})
    assert listener("octavia.l7policies").unseen["l7_policies"].reason is Reason.INVALID_ANSWER
    cloud.answer(policies, {"l7policies": [{"id": "l7-1", "action": "REJECT"}]})
    assert listener("octavia.l7policies").facts["l7_policies"] == ({"action": "REJECT", "scheme": None},)
    row = {**LISTENER, "l7policies": []}
    cloud.answer("/load-balancer/v2/lbaas/listeners", {"listeners": [row]}, project=SHOP)
    cloud.answer(policies, status=403)
    assert listener("octavia.l7policies").facts["l7_policies"] == ()


def test_members_on_many_pages_are_all_read_or_none(cloud: FakeOpenStack) -> None:
    members = f"{POOLS}/pool-1/members"
    following = [{"rel": "next", "href": f"{cloud.url}{members}?limit=1&marker=m-1"}]
    cloud.answer(f"{members}?limit=1000", {"members": POOL_MEMBERS[:1], "members_links": following})
    cloud.answer(f"{members}?limit=1&marker=m-1", {"members": POOL_MEMBERS[1:], "members_links": []})
    pool = collect(IN_SHOP, *POOL_CALLS).one("openstack.lb_pool")
    assert [m["address"] for m in pool.facts["members"]] == ["10.10.0.46", "10.10.0.47"]
    cloud.answer(f"{members}?limit=1&marker=m-1", status=500)
    pool = collect(IN_SHOP, *POOL_CALLS).one("openstack.lb_pool")
    assert pool.unseen["members"].reason is Reason.PARTIAL


def test_a_member_that_cannot_be_read_hides_them_all(cloud: FakeOpenStack) -> None:
    odd = {**POOL_MEMBERS[0], "address": "everywhere"}
    old = {name: value for name, value in POOL_MEMBERS[0].items() if name != "backup"}
    members = f"{POOLS}/pool-1/members"
    cloud.answer(members, {"members": [odd]})
    pool = collect(IN_SHOP, *POOL_CALLS).one("openstack.lb_pool")
    assert pool.unseen["members"] == Unseen(Reason.INVALID_ANSWER, "'members' holds no address")
    cloud.answer(members, {"members": [old]})
    (member,) = collect(IN_SHOP, *POOL_CALLS).one("openstack.lb_pool").facts["members"]
    assert "backup" not in member, "an old Octavia does not tell"


def test_pools_are_read_in_their_order_each_with_its_own_members(cloud: FakeOpenStack) -> None:
    rows = [{**POOL, "id": f"p-{n:02}", "healthmonitor_id": None} for n in range(20)]
    pools_of_shop(cloud, *rows)
    for n, row in enumerate(rows):
        member = {**POOL_MEMBERS[0], "address": f"10.10.0.{n}"}
        cloud.answer(f"{POOLS}/{row['id']}/members", {"members": [member]})
    taken = collect(IN_SHOP, *POOL_CALLS)
    found = taken.resources("openstack.lb_pool")
    assert [p.facts["members"][0]["address"] for p in found] == [f"10.10.0.{n}" for n in range(20)]
    assert [taken.request(p.source_of("members")) for p in found] == [
        f"GET {POOLS}/p-{n:02}/members?limit=1000" for n in range(20)
    ]


def test_a_listener_without_tls_has_null_facts(cloud: FakeOpenStack) -> None:
    names = ("default_tls_container_ref", "tls_versions", "tls_ciphers", "alpn_protocols", "allowed_cidrs")
    plain = {**LISTENER, **dict.fromkeys(names), "sni_container_refs": [], "insert_headers": {}}
    del plain["alpn_protocols"]
    cloud.answer("/load-balancer/v2/lbaas/listeners", {"listeners": [plain]}, project=SHOP)
    listener = collect(IN_SHOP, "octavia.listeners", "octavia.l7policies").one("openstack.listener")
    shown = (
        "default_tls_container",
        "sni_count",
        "tls_versions",
        "tls_ciphers",
        "insert_headers",
        "allowed_cidrs",
    )
    assert [listener.facts[name] for name in shown] == [False, 0, None, None, (), None]
    assert {name: why.reason for name, why in listener.unseen.items()} == {
        "alpn_protocols": Reason.NOT_IMPLEMENTED
    }


# --- Barbican, Heat, Designate, Placement, replicas ----------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "call", "path"),
    [
        ("openstack.loadbalancer", "octavia.loadbalancers", "/load-balancer/v2/lbaas/loadbalancers?limit=1000"),
        ("openstack.secret", "barbican.secrets", "/key-manager/v1/secrets?limit=100"),
        ("openstack.stack", "heat.stacks", f"/heat-api/v1/{SHOP}/stacks?limit=1000&show_nested=true&show_hidden=true"),
        ("openstack.dns_zone", "designate.zones", "/dns/v2/zones?limit=max"),
        ("openstack.resource_provider", "placement.resource_providers", "/placement/resource_providers"),
    ],
)  # fmt: skip
def test_a_service_that_refuses_is_a_gap_and_one_that_is_not_there_has_nothing(
    cloud: FakeOpenStack, type_: str, call: str, path: str
) -> None:
    scope = REGION if type_ == "openstack.resource_provider" else IN_SHOP
    for project in (None, SHOP):
        cloud.answer(path, status=403, project=project)
    (gap,) = collect(scope, call).seen
    assert isinstance(gap, Gap)
    assert (gap.scope, gap.type, gap.operation, gap.reason, gap.detail) == (
        scope, type_, call, Reason.NO_PERMISSION, f"HTTP 403 from GET {path}",
    )  # fmt: skip
    service = TYPES[type_].service
    del cloud.paths[service]
    (listing,) = collect(scope, call).seen
    assert isinstance(listing, Listing)
    assert (listing.type, listing.count, listing.proof) == (
        type_, 0, f"service type {service} is not in the catalogue of project shop in region vn-hn-1",
    )  # fmt: skip


def test_secrets_of_one_name_on_many_pages_are_many(cloud: FakeOpenStack) -> None:
    """Barbican counts, may give fewer than asked for, and tells secrets apart by their address alone."""
    ref = "http://keys.example.test:9311/v1/secrets"
    secrets = [{**SECRET, "secret_ref": f"{ref}/s-{n}"} for n in range(5)]

    def two_at_a_time(request: Request) -> Reply:
        offset = int(request.path.partition("offset=")[2] or 0)
        elsewhere = f"http://keys.example.test:9311/v1/secrets?limit=100&offset={offset + 100}"
        return Reply({"secrets": secrets[offset : offset + 2], "total": 5, "next": elsewhere})

    cloud.answers["/key-manager/v1/secrets", SHOP] = two_at_a_time
    taken = collect(IN_SHOP, "barbican.secrets")
    assert [(s.id, s.name) for s in taken.resources("openstack.secret")] == [
        (f"s-{n}", "db-password") for n in range(5)
    ]
    assert ([s.count for s in taken.listings()], taken.gaps()) == ([5], [])
    assert not [p for p in cloud.paths_asked() if "payload" in p]


@pytest.mark.parametrize(
    "ref", [None, "", 7, "http://keys.example.test/", "/v1/secrets/", "/v1/secrets/s-1/payload"]
)
def test_a_secret_without_an_address_is_counted_as_missing(cloud: FakeOpenStack, ref: object) -> None:
    odd = {**SECRET, "secret_ref": ref, "name": "odd"}
    cloud.answers["/key-manager/v1/secrets", SHOP] = offset_list("secrets", odd, SECRET)
    taken = collect(IN_SHOP, "barbican.secrets")
    assert [s.id for s in taken.resources("openstack.secret")] == ["f2b9b617"]
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (Reason.INVALID_ANSWER, "1 of 2 items have no usable id or owner")
    ]


def test_an_empty_counted_listing_tells_the_call_that_found_nothing(cloud: FakeOpenStack) -> None:
    (listing,) = collect(IN_BANK, "barbican.secrets").seen
    assert isinstance(listing, Listing)
    assert listing.count == 0
    assert listing.call is not None


def test_stacks_follow_the_links_of_heat(cloud: FakeOpenStack) -> None:
    stacks = f"/heat-api/v1/{SHOP}/stacks"
    query = "limit=1000&show_nested=true&show_hidden=true"
    following = [{"rel": "next", "href": f"{cloud.url}{stacks}?{query}&marker=a"}]
    nested = {**STACK, "id": "b", "parent": "a", "updated_time": STACK["creation_time"], "tags": None}
    cloud.answer(f"{stacks}?{query}", {"stacks": [{**STACK, "id": "a"}], "links": following})
    cloud.answer(f"{stacks}?{query}&marker=a", {"stacks": [nested]})
    taken = collect(IN_SHOP, "heat.stacks")
    assert [
        (s.id, s.facts["parent"], s.facts["label_names"]) for s in taken.resources("openstack.stack")
    ] == [
        ("a", None, ("iac", "note", "system_id")),
        ("b", "a", ()),
    ]
    assert [s.count for s in taken.listings()] == [2]


@pytest.mark.parametrize("state", ["CREATE", "_COMPLETE", "", None, 7])
def test_a_stack_in_no_known_state_has_none(cloud: FakeOpenStack, state: object) -> None:
    cloud.answer(f"/heat-api/v1/{SHOP}/stacks", {"stacks": [{**STACK, "stack_status": state}]})
    stack = collect(IN_SHOP, "heat.stacks").one("openstack.stack")
    assert {name: stack.unseen[name].reason for name in ("action", "status")} == {
        "action": Reason.INVALID_ANSWER, "status": Reason.INVALID_ANSWER,
    }  # fmt: skip


def test_a_designate_before_sharing_shares_nothing(cloud: FakeOpenStack) -> None:
    row = {name: value for name, value in DNS_ZONE.items() if name != "shared"}
    cloud.answer("/dns/v2/zones", {"zones": [row], "links": {"self": "x"}}, project=SHOP)
    assert collect(IN_SHOP, "designate.zones").one("openstack.dns_zone").facts["shared"] is False


def test_zones_follow_the_links_of_designate(cloud: FakeOpenStack) -> None:
    links = {"self": "x", "next": f"{cloud.url}/dns/v2/zones?limit=max&marker=zone-1"}
    cloud.answer("/dns/v2/zones?limit=max", {"zones": [DNS_ZONE], "links": links}, project=SHOP)
    second = {"zones": [{**DNS_ZONE, "id": "zone-2"}], "links": {"self": "x"}}
    cloud.answer("/dns/v2/zones?limit=max&marker=zone-1", second, project=SHOP)
    taken = collect(IN_SHOP, "designate.zones")
    assert [z.id for z in taken.resources("openstack.dns_zone")] == ["zone-1", "zone-2"]


def test_old_placement_does_not_tell_parents(cloud: FakeOpenStack) -> None:
    versions = [{"id": "v1.0", "max_version": "1.10", "min_version": "1.0"}]
    cloud.answer("/placement/", {"versions": versions})
    row = {"uuid": "rp-1", "name": "compute-1", "generation": 1, "links": []}
    cloud.answer("/placement/resource_providers", {"resource_providers": [row]})
    provider = collect(REGION, "placement.resource_providers").one("openstack.resource_provider")
    assert (provider.facts, {why.reason for why in provider.unseen.values()}) == (
        {},
        {Reason.NOT_IMPLEMENTED},
    )
    assert cloud.requests[-1].headers["OpenStack-API-Version"] == "placement 1.10"


def test_manila_that_refuses_to_tell_its_version_refuses_what_later_versions_have(
    cloud: FakeOpenStack,
) -> None:
    cloud.answer("/share/v2/", status=401)
    taken = collect(IN_SHOP, "manila.shares", "manila.share_replicas", "manila.share_backups")
    assert {(g.type, g.reason, g.detail) for g in taken.gaps()} == {
        (f"openstack.{kind}", Reason.NO_PERMISSION, "HTTP 401 from GET /share/v2/")
        for kind in ("share_replica", "share_backup")
    }


def test_manila_before_replicas_has_none(cloud: FakeOpenStack) -> None:
    cloud.answer("/share/v2/", {"versions": [{"id": "v2.0", "version": "2.10", "min_version": "2.0"}]})
    (seen,) = collect(IN_SHOP, "manila.shares", "manila.share_replicas").listings("openstack.share_replica")
    assert (seen.count, seen.proof) == (0, "Manila's API ends at 2.10, before share replicas began (2.11)")


def test_an_administrators_replicas_of_other_projects_are_left_out(cloud: FakeOpenStack) -> None:
    foreign = {**SHARE_REPLICA, "id": "sr-2", "share_id": "share-of-bank"}
    cloud.call("/share/v2/share-replicas/detail", offset_list("share_replicas", foreign, SHARE_REPLICA))
    taken = collect(IN_SHOP, "manila.shares", "manila.share_replicas")
    assert [(r.id, r.scope) for r in taken.resources("openstack.share_replica")] == [("sr-1", IN_SHOP)]
    assert [s.count for s in taken.listings("openstack.share_replica")] == [1]
    assert cloud.requests[-1].headers["X-OpenStack-Manila-API-Experimental"] == "true"


def test_without_shares_nobody_knows_whose_replicas_there_are(cloud: FakeOpenStack) -> None:
    cloud.answer("/share/v2/shares/detail", status=403)
    taken = collect(IN_SHOP, "manila.shares", "manila.share_replicas")
    assert [(g.type, g.reason, g.detail) for g in taken.gaps("openstack.share_replica")] == [
        (
            "openstack.share_replica",
            Reason.NO_PERMISSION,
            "whose share replicas these are cannot be told: HTTP 403 from GET /share/v2/shares/detail?limit=1000",
        )
    ]
    (gap,) = collect(IN_SHOP, "manila.share_replicas").gaps()
    assert gap.reason is Reason.NOT_COLLECTED


# --- members of groups -------------------------------------------------------------------------------------


def test_one_group_that_cannot_be_read_makes_the_members_partial(cloud: FakeOpenStack) -> None:
    rows = [{"id": "grp-1", "name": "a"}, {"id": "grp-2", "name": "b"}]
    cloud.answer("/identity/v3/groups", listed("groups", rows))
    cloud.answer("/identity/v3/groups/grp-2/users", status=500)
    taken = collect(TARGET, "keystone.group_users")
    assert [m.id for m in taken.resources("openstack.group_member")] == ["grp-1:u-an"]
    assert [(g.type, g.reason) for g in taken.gaps()] == [("openstack.group_member", Reason.PARTIAL)]


def test_no_groups_have_no_members(cloud: FakeOpenStack) -> None:
    cloud.answer("/identity/v3/groups", listed("groups", []))
    taken = collect(TARGET, "keystone.group_users")
    (listing,) = taken.seen
    assert isinstance(listing, Listing)
    assert (listing.count, taken.request(listing.call)) == (0, "GET /identity/v3/groups")


# --- Keystone: what it shows to some, and filters for others ---------------------------------------------------


def test_a_keystone_that_refuses_leaves_gaps(cloud: FakeOpenStack) -> None:
    for path in ("domains", "roles", "groups", "OS-TRUST/trusts", "OS-FEDERATION/identity_providers"):
        cloud.answer(f"/identity/v3/{path}", status=403)
    taken = collect(
        TARGET,
        "keystone.domains",
        "keystone.domain_security",
        "keystone.roles",
        "keystone.groups",
        "keystone.trusts",
        "keystone.identity_providers",
    )
    assert [(g.type, g.reason, g.detail) for g in taken.gaps()] == [
        (
            "openstack.identity_provider",
            Reason.NO_PERMISSION,
            "HTTP 403 from GET /identity/v3/OS-FEDERATION/identity_providers",
        ),
        ("openstack.group", Reason.NO_PERMISSION, "HTTP 403 from GET /identity/v3/groups"),
        ("openstack.role", Reason.NO_PERMISSION, "HTTP 403 from GET /identity/v3/roles"),
        ("openstack.domain", Reason.NO_PERMISSION, "HTTP 403 from GET /identity/v3/domains"),
        ("openstack.trust", Reason.NO_PERMISSION, "HTTP 403 from GET /identity/v3/OS-TRUST/trusts"),
    ]
    assert len(taken.seen) == 5


def test_roles_without_those_of_domains_are_not_all(cloud: FakeOpenStack) -> None:
    cloud.answer("/identity/v3/roles?domain_id=default", status=500)
    taken = collect(TARGET, "keystone.roles")
    assert [r.name for r in taken.resources("openstack.role")] == ["admin"]
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (
            Reason.PARTIAL,
            "roles of a domain: HTTP 500 from GET /identity/v3/roles?domain_id=default",
        )
    ]
    cloud.answer("/identity/v3/domains", status=403)
    taken = collect(TARGET, "keystone.roles")
    assert [r.name for r in taken.resources("openstack.role")] == ["admin"]
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (
            Reason.NO_PERMISSION,
            "which domains have roles: HTTP 403 from GET /identity/v3/domains",
        )
    ]


TWO_DOMAINS = [
    {"id": id_, "name": id_, "enabled": True, "tags": [], "options": {}} for id_ in ("default", "so-y-te")
]


def test_groups_of_a_domain_with_a_driver_of_its_own(cloud: FakeOpenStack) -> None:
    """Keystone lists the groups of one domain to a request that names none, and says nothing of the others."""
    cloud.answer("/identity/v3/domains", listed("domains", TWO_DOMAINS))
    theirs = "/identity/v3/groups?domain_id=so-y-te"
    cloud.answer(theirs, listed("groups", [{"id": "grp-2", "name": "bac-si", "domain_id": "so-y-te"}]))
    taken = collect(TARGET, "keystone.groups")
    assert [(g.id, g.facts["domain"]) for g in taken.resources("openstack.group")] == [
        ("grp-1", "default"),
        ("grp-2", "so-y-te"),
    ]
    assert [s.count for s in taken.listings()] == [2]
    cloud.answer(theirs, status=500)
    taken = collect(TARGET, "keystone.groups")
    assert [g.id for g in taken.resources("openstack.group")] == ["grp-1"]
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (Reason.INVALID_ANSWER, f"HTTP 500 from GET {theirs}")
    ]
    cloud.answer("/identity/v3/domains", status=403)
    taken = collect(TARGET, "keystone.groups")
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (Reason.NO_PERMISSION, "which domains there are: HTTP 403 from GET /identity/v3/domains")
    ]


def test_users_of_a_domain_with_a_driver_of_its_own(cloud: FakeOpenStack) -> None:
    """Otherwise a directory of its own would hide its administrators from every control on users."""
    cloud.answer("/identity/v3/domains", listed("domains", TWO_DOMAINS))
    theirs = "/identity/v3/users?domain_id=so-y-te"
    cloud.answer(theirs, listed("users", [{**USER, "id": "u-ldap", "domain_id": "so-y-te"}]))
    taken = collect(TARGET, "keystone.users")
    assert [(u.id, u.facts["domain"]) for u in taken.resources("openstack.user")] == [
        ("u-an", "default"),
        ("u-ldap", "so-y-te"),
    ]
    assert taken.request(taken.resources("openstack.user")[1].sources[""]) == f"GET {theirs}"
    assert [s.count for s in taken.listings()] == [2]
    cloud.answer(theirs, status=500)
    taken = collect(TARGET, "keystone.users")
    assert [u.id for u in taken.resources("openstack.user")] == ["u-an"]
    assert [(g.reason, g.detail, taken.listings()) for g in taken.gaps()] == [
        (Reason.INVALID_ANSWER, f"HTTP 500 from GET {theirs}", [])
    ]


@pytest.mark.parametrize(("status", "reason"), [(403, Reason.NO_PERMISSION), (404, Reason.SERVICE_ABSENT)])
@pytest.mark.parametrize(
    ("call", "type_"),
    [("keystone.users", "openstack.user"), ("keystone.group_users", "openstack.group_member")],
)
def test_users_and_members_without_the_domains_are_not_all(
    cloud: FakeOpenStack, call: str, type_: str, status: int, reason: Reason
) -> None:
    cloud.answer("/identity/v3/domains", status=status)
    taken = collect(TARGET, call)
    assert len(taken.resources(type_)) == 1
    assert [(g.type, g.reason, g.detail) for g in taken.gaps()] == [
        (type_, reason, f"which domains there are: HTTP {status} from GET /identity/v3/domains")
    ]
    assert taken.listings() == []


def test_members_of_groups_of_other_domains_are_asked_for(cloud: FakeOpenStack) -> None:
    cloud.answer("/identity/v3/domains", listed("domains", TWO_DOMAINS))
    theirs = [{"id": "grp-2", "name": "bac-si", "domain_id": "so-y-te"}]
    cloud.answer("/identity/v3/groups?domain_id=so-y-te", listed("groups", theirs))
    cloud.answer("/identity/v3/groups/grp-2/users", listed("users", [{**USER, "id": "u-ldap"}]))
    taken = collect(TARGET, "keystone.group_users")
    assert [m.id for m in taken.resources("openstack.group_member")] == ["grp-1:u-an", "grp-2:u-ldap"]
    assert [s.count for s in taken.listings()] == [2]


def test_credentials_of_users_of_other_domains_are_asked_for(cloud: FakeOpenStack) -> None:
    cloud.answer("/identity/v3/domains", listed("domains", TWO_DOMAINS))
    cloud.answer("/identity/v3/users?domain_id=so-y-te", listed("users", [{**USER, "id": "u-ldap"}]))
    taken = collect(TARGET, "keystone.application_credentials")
    theirs = "/identity/v3/users/u-ldap/application_credentials"
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (Reason.PARTIAL, f"application credentials of a user: HTTP 404 from GET {theirs}")
    ]
    cloud.answer(theirs, listed("application_credentials", [{**CREDENTIAL, "id": "ac-2"}]))
    taken = collect(TARGET, "keystone.application_credentials")
    assert [(c.id, c.facts["user"]) for c in taken.resources("openstack.application_credential")] == [
        ("ac-1", "u-1"),
        ("ac-2", "u-ldap"),
    ]
    assert [s.count for s in taken.listings()] == [2]


def test_a_role_of_an_old_keystone_has_no_options(cloud: FakeOpenStack) -> None:
    cloud.answer("/identity/v3/roles", listed("roles", [{"id": "r-1", "name": "admin"}]))
    role = collect(TARGET, "keystone.roles").resources("openstack.role")[0]
    assert role.facts == {"domain": None}
    assert role.unseen == {"immutable": Unseen(Reason.NOT_IMPLEMENTED, "the service's answer has no options")}


def passwords(cloud: FakeOpenStack) -> dict[str, Any]:
    """What is known of the password rules of each domain."""
    taken = collect(TARGET, "keystone.domains", "keystone.domain_security")
    return {
        d.id: d.unseen["password"] if "password" in d.unseen else d.facts["password.regex"]
        for d in taken.resources("openstack.domain")
    }


def test_password_rules_are_told_of_the_default_domain_only(cloud: FakeOpenStack) -> None:
    """Keystone answers 403 for every other domain; only beside an answer that is no refusal of the token."""
    cloud.answer("/identity/v3/domains", listed("domains", TWO_DOMAINS))
    theirs = "/identity/v3/domains/so-y-te/config/security_compliance"
    cloud.answer(theirs, status=403)
    only = Unseen(Reason.NOT_IMPLEMENTED, "Keystone tells the rules of its default domain only")
    assert passwords(cloud) == {"default": "^.{12,}$", "so-y-te": only}
    own = "/identity/v3/domains/default/config/security_compliance"
    nothing = {"password_regex": None, "password_regex_description": ""}
    cloud.answer(own, {"config": {"security_compliance": nothing}})
    assert passwords(cloud) == {"default": None, "so-y-te": only}
    for status, reason in (
        (403, Reason.NO_PERMISSION),
        (404, Reason.SERVICE_ABSENT),
        (501, Reason.NOT_IMPLEMENTED),
    ):
        cloud.answer(own, status=status)
        assert passwords(cloud) == {
            "default": Unseen(reason, f"HTTP {status} from GET {own}"),
            "so-y-te": Unseen(Reason.NO_PERMISSION, f"HTTP 403 from GET {theirs}"),
        }


@pytest.mark.parametrize("body", [{}, {"config": []}, {"config": {"security_compliance": "none"}}])
def test_password_rules_that_are_not_told_are_not_unset(cloud: FakeOpenStack, body: Any) -> None:
    cloud.answer("/identity/v3/domains/default/config/security_compliance", body)
    domain = collect(TARGET, "keystone.domains", "keystone.domain_security").one("openstack.domain")
    assert {fact: why.reason for fact, why in domain.unseen.items()} == {
        "password.regex": Reason.NOT_IMPLEMENTED,
        "password.regex_description": Reason.NOT_IMPLEMENTED,
    }
    unasked = collect(TARGET, "keystone.domains").one("openstack.domain")
    assert unasked.unseen == {"password": Unseen(Reason.NOT_COLLECTED, "the plan did not ask for it")}


def test_application_credentials_of_others_may_be_refused(cloud: FakeOpenStack) -> None:
    """Everybody sees their own; whoever sees no more cannot say what there is."""
    theirs = "/identity/v3/users/u-an/application_credentials"
    cloud.answer(theirs, status=403)
    taken = collect(TARGET, "keystone.application_credentials")
    assert [c.facts["user"] for c in taken.resources("openstack.application_credential")] == ["u-1"]
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (Reason.NO_PERMISSION, f"those of other users: HTTP 403 from GET {theirs}")
    ]
    cloud.answer(theirs, status=500)
    taken = collect(TARGET, "keystone.application_credentials")
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (Reason.PARTIAL, f"application credentials of a user: HTTP 500 from GET {theirs}")
    ]
    cloud.answer("/identity/v3/users", status=403)
    taken = collect(TARGET, "keystone.application_credentials")
    assert [c.facts["user"] for c in taken.resources("openstack.application_credential")] == ["u-1"]
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (
            Reason.NO_PERMISSION,
            "which other users there are: HTTP 403 from GET /identity/v3/users",
        )
    ]
    cloud.answer("/identity/v3/users", listed("users", [USER, {"name": "nameless"}]))
    cloud.answer(theirs, listed("application_credentials", []))
    (gap,) = collect(TARGET, "keystone.application_credentials").gaps()
    assert gap.reason is Reason.INVALID_ANSWER


def test_an_application_credential_without_rules_has_none(cloud: FakeOpenStack) -> None:
    row = {k: v for k, v in CREDENTIAL.items() if k != "access_rules"}
    rows = listed("application_credentials", [{**row, "unrestricted": True, "expires_at": None}])
    cloud.answer("/identity/v3/users/u-1/application_credentials", rows)
    found = collect(TARGET, "keystone.application_credentials").one("openstack.application_credential")
    assert (found.facts["access_rules"], found.facts["unrestricted"], found.facts["expires_at"]) == (
        None,
        True,
        None,
    )


def test_protocols_of_an_identity_provider_that_are_not_told(cloud: FakeOpenStack) -> None:
    idp = "/identity/v3/OS-FEDERATION/identity_providers/so-noi-vu/protocols"
    cloud.answer(idp, status=403)
    calls = TYPES["openstack.identity_provider"].calls
    provider = collect(TARGET, *calls).one("openstack.identity_provider")
    assert provider.unseen["protocols"] == Unseen(Reason.NO_PERMISSION, f"HTTP 403 from GET {idp}")
    bare = collect(TARGET, "keystone.identity_providers").one("openstack.identity_provider")
    assert bare.unseen["protocols"].reason is Reason.NOT_COLLECTED


def test_roles_of_a_trust_that_are_not_told(cloud: FakeOpenStack) -> None:
    """A trust that is used up is listed, and answers 404."""
    roles = "/identity/v3/OS-TRUST/trusts/trust-1/roles"
    cloud.answer(roles, status=404)
    trust = collect(TARGET, "keystone.trusts", "keystone.trust_roles").one("openstack.trust")
    assert trust.unseen == {"roles": Unseen(Reason.SERVICE_ABSENT, f"HTTP 404 from GET {roles}")}
    unasked = collect(TARGET, "keystone.trusts").one("openstack.trust")
    assert unasked.unseen == {"roles": Unseen(Reason.NOT_COLLECTED, "the plan did not ask for it")}


def test_limits_of_projects_are_not_all_limits(cloud: FakeOpenStack) -> None:
    """Keystone filters this list by the token and refuses nobody: an empty one proves nothing."""
    taken = collect(TARGET, "keystone.limits")
    assert [limit.id for limit in taken.resources("openstack.limit")] == ["limit-1"]
    assert taken.listings() == []
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (
            Reason.PARTIAL,
            "Keystone shows a project its own limits only, and no token of the system:"
            " HTTP 401 to the token request; check user, password and domain of the clouds.yaml entry, then its roles there",
        )
    ]


def test_a_limit_of_minus_one_is_none(cloud: FakeOpenStack) -> None:
    cloud.answer("/identity/v3/limits", listed("limits", [{**LIMIT, "resource_limit": -1}]))
    assert collect(TARGET, "keystone.limits").one("openstack.limit").facts["limit"] is None


# --- Nova and Cinder: what only operators see, and what belongs to users -----------------------------------------


def at_version(cloud: FakeOpenStack, version: str) -> None:
    body = {"version": {"id": "v2.1", "version": version, "min_version": "2.1"}}
    cloud.answer("/compute/v2.1/", body)


@pytest.mark.parametrize(
    ("call", "path", "query", "type_"),
    [
        (
            "nova.hypervisors",
            "/compute/v2.1/os-hypervisors/detail",
            "?limit=1000&with_servers=true",
            "openstack.hypervisor",
        ),
        ("nova.aggregates", "/compute/v2.1/os-aggregates", "", "openstack.aggregate"),
        ("nova.services", "/compute/v2.1/os-services", "", "openstack.compute_service"),
        (
            "cinder.pools",
            f"/volume/v3/{SHOP}/scheduler-stats/get_pools",
            "?detail=true",
            "openstack.storage_pool",
        ),
        ("cinder.services", f"/volume/v3/{SHOP}/os-services", "", "openstack.block_storage_service"),
    ],
)
def test_what_administrators_see_is_refused_to_others(
    cloud: FakeOpenStack, call: str, path: str, query: str, type_: str
) -> None:
    cloud.answer(path, status=403)
    (gap,) = collect(REGION, call).seen
    assert isinstance(gap, Gap)
    assert (gap.scope, gap.type, gap.operation) == (REGION, type_, call)
    assert (gap.reason, gap.detail) == (Reason.NO_PERMISSION, f"HTTP 403 from GET {path}{query}")


def test_flavors_of_an_old_nova(cloud: FakeOpenStack) -> None:
    at_version(cloud, "2.60")
    row = {k: v for k, v in FLAVOR.items() if k != "extra_specs"} | {"swap": ""}
    cloud.answer("/compute/v2.1/flavors/detail", {"flavors": [row]})
    flavor = collect(REGION, "nova.flavors").one("openstack.flavor")
    assert flavor.facts["swap_mb"] == 0
    assert flavor.unseen["extra_specs"].reason is Reason.NOT_IMPLEMENTED
    at_version(cloud, "2.61")
    flavor = collect(REGION, "nova.flavors").one("openstack.flavor")
    assert flavor.unseen["extra_specs"].reason is Reason.NO_PERMISSION


def test_private_flavors_are_seen_through_the_projects_that_may_use_them(cloud: FakeOpenStack) -> None:
    private = {**FLAVOR, "id": "fl-2", "name": "s1.bank", "os-flavor-access:is_public": False}
    cloud.answer("/compute/v2.1/flavors/detail", {"flavors": [FLAVOR, private]}, project=BANK)
    taken = collect(REGION, "nova.flavors")
    assert [f.id for f in taken.resources("openstack.flavor")] == ["fl-1", "fl-2"]
    assert [(s.count, s.proof) for s in taken.listings()] == [
        (2, "flavors offered to all, and the private ones each audited project may use")
    ]
    cloud.answer("/compute/v2.1/flavors/detail", status=500, project=BANK)
    taken = collect(REGION, "nova.flavors")
    assert [f.id for f in taken.resources("openstack.flavor")] == ["fl-1"]
    assert [g.reason for g in taken.gaps()] == [Reason.INVALID_ANSWER]


def test_key_pairs_of_others_may_be_refused(cloud: FakeOpenStack) -> None:
    """Nova shows everybody their own: that list is no proof for anybody else."""
    theirs = "/compute/v2.1/os-keypairs?limit=1000&user_id=u-an"
    cloud.answer(theirs, status=403)
    taken = collect(REGION, "nova.keypairs", "nova.keypair")
    assert [k.facts["user"] for k in taken.resources("openstack.keypair")] == ["u-1"]
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (Reason.NO_PERMISSION, f"those of other users: HTTP 403 from GET {theirs}")
    ]
    cloud.answer("/identity/v3/users", status=403)
    taken = collect(REGION, "nova.keypairs", "nova.keypair")
    assert [k.facts["user"] for k in taken.resources("openstack.keypair")] == ["u-1"]
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (
            Reason.NO_PERMISSION,
            "which other users there are: HTTP 403 from GET /identity/v3/users",
        )
    ]
    assert not [path for path in cloud.paths_asked() if "user_id=" in path][1:], "refused once is enough"


def test_key_pairs_of_all_users_are_read(cloud: FakeOpenStack) -> None:
    theirs = "/compute/v2.1/os-keypairs?limit=1000&user_id=u-an"
    cloud.answer(theirs, {"keypairs": [{"keypair": KEYPAIR}]})
    cloud.answer("/compute/v2.1/os-keypairs/khoa%20robot?user_id=u-an", status=404)
    taken = collect(REGION, "nova.keypairs", "nova.keypair")
    first, second = taken.resources("openstack.keypair")
    assert (first.id, second.id) == ("u-1:khoa robot", "u-an:khoa robot")
    assert second.unseen == {
        "created_at": Unseen(
            Reason.SERVICE_ABSENT,
            "HTTP 404 from GET /compute/v2.1/os-keypairs/khoa%20robot?user_id=u-an",
        )
    }
    assert [s.count for s in taken.listings()] == [2]
    cloud.answer(theirs, {"keypairs": [{"keypair": {"type": "ssh"}}]})
    (gap,) = collect(REGION, "nova.keypairs").gaps()
    assert (gap.reason, gap.detail) == (Reason.INVALID_ANSWER, "1 of 2 items have no usable id or owner")


def test_an_old_nova_shows_own_key_pairs_only(cloud: FakeOpenStack) -> None:
    at_version(cloud, "2.9")
    taken = collect(REGION, "nova.keypairs")
    assert [k.id for k in taken.resources("openstack.keypair")] == ["u-1:khoa robot"]
    assert [g.reason for g in taken.gaps()] == [Reason.NOT_IMPLEMENTED]
    assert "/compute/v2.1/os-keypairs" in cloud.paths_asked()


@pytest.mark.parametrize(
    ("version", "query", "more", "servers"),
    [
        ("2.32", "", {"running_vms": 4}, 4),
        ("2.33", "?limit=1000", {"running_vms": 4}, 4),
        ("2.53", "?limit=1000&with_servers=true", {}, 0),
        ("2.75", "?limit=1000&with_servers=true", {}, Reason.NOT_IMPLEMENTED),
        ("2.88", "?limit=1000&with_servers=true", {"servers": []}, 0),
    ],
)
def test_hypervisors_of_many_versions(
    cloud: FakeOpenStack, version: str, query: str, more: dict[str, Any], servers: object
) -> None:
    at_version(cloud, version)
    row = {k: v for k, v in HYPERVISOR.items() if k != "servers"} | {"id": 7, **more}
    cloud.answer("/compute/v2.1/os-hypervisors/detail", {"hypervisors": [row]})
    taken = collect(REGION, "nova.hypervisors")
    found = taken.one("openstack.hypervisor")
    seen = found.facts["servers"] if "servers" in found.facts else found.unseen["servers"].reason
    assert (found.id, seen) == ("7", servers)
    assert taken.request(found.sources[""]) == f"GET /compute/v2.1/os-hypervisors/detail{query}"
    # Of 2.88 and later Nova tells the uptime too, for which it would wait for every compute host.
    asked = "2.87" if version == "2.88" else version
    assert cloud.requests[-1].headers["OpenStack-API-Version"] == f"compute {asked}"


def test_a_service_of_a_cell_that_is_down_says_so(cloud: FakeOpenStack) -> None:
    down = {"binary": "nova-compute", "host": "may-2", "status": "UNKNOWN"}
    cloud.answer("/compute/v2.1/os-services", {"services": [{**COMPUTE_SERVICE, "id": 3}, down]})
    first, second = collect(REGION, "nova.services").resources("openstack.compute_service")
    assert (first.id, second.id) == ("3", "nova-compute:may-2")
    assert second.facts == {"binary": "nova-compute", "host": "may-2"}
    assert "status" in second.unseen
    assert set(second.unseen.values()) == {Unseen(Reason.PARTIAL, "the cell of the service does not answer")}


def test_an_aggregate_of_an_old_nova_has_a_number(cloud: FakeOpenStack) -> None:
    row = {k: v for k, v in AGGREGATE.items() if k != "uuid"} | {"availability_zone": None}
    cloud.answer("/compute/v2.1/os-aggregates", {"aggregates": [row]})
    found = collect(REGION, "nova.aggregates").one("openstack.aggregate")
    assert (found.id, found.facts["zone"]) == ("1", None)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"total_capacity_gb": "infinite"}, {"total_gb": None}),
        ({"total_capacity_gb": "unknown"}, {"total_gb": Reason.NOT_IMPLEMENTED}),
        ({"total_capacity_gb": "much"}, {"total_gb": Reason.INVALID_ANSWER}),
        ({"storage_protocol": ["NVMe-TCP", "nvmeof"]}, {"protocols": ("NVMe-TCP", "nvmeof")}),
        ({"replication_enabled": None}, {"replication_enabled": Reason.INVALID_ANSWER}),
    ],
)
def test_what_a_pool_says_of_itself(
    cloud: FakeOpenStack, told: dict[str, Any], expected: dict[str, object]
) -> None:
    capabilities = {**STORAGE_POOL["capabilities"], **told}
    cloud.answer(
        f"/volume/v3/{SHOP}/scheduler-stats/get_pools",
        {"pools": [{**STORAGE_POOL, "capabilities": capabilities}]},
    )
    pool = collect(REGION, "cinder.pools").one("openstack.storage_pool")
    assert {
        fact: pool.unseen[fact].reason if fact in pool.unseen else pool.facts[fact] for fact in expected
    } == expected


def test_a_pool_without_capabilities_says_nothing(cloud: FakeOpenStack) -> None:
    """A back end that does not mention replication has none; one of which nothing is told may have it."""
    path = f"/volume/v3/{SHOP}/scheduler-stats/get_pools"
    cloud.answer(path, {"pools": [{"name": "bed@file1#file1", "capabilities": {}}]})
    assert collect(REGION, "cinder.pools").one("openstack.storage_pool").facts == {
        "replication_enabled": False
    }
    cloud.answer(path, {"pools": [{"name": "bed@file1#file1"}]})
    assert collect(REGION, "cinder.pools").one("openstack.storage_pool").facts == {}


def test_transfers_of_an_old_cinder(cloud: FakeOpenStack) -> None:
    cloud.answer("/volume/v3/", {"versions": [{"id": "v3.0", "version": "3.54", "min_version": "3.0"}]})
    path = f"/volume/v3/{SHOP}/os-volume-transfer/detail"
    cloud.call(path, offset_list("transfers", TRANSFER))
    taken = collect(IN_SHOP, "cinder.transfers")
    assert [t.id for t in taken.resources("openstack.volume_transfer")] == ["tr-1"]
    assert cloud.paths_asked()[-2:] == [f"{path}?limit=1000", f"{path}?limit=1000&offset=1"]


QUOTAS = f"/compute/v2.1/os-quota-sets/{SHOP}/detail"


@pytest.mark.parametrize(
    ("reply", "reason", "detail"),
    [
        (Reply(status=403), Reason.NO_PERMISSION, f"HTTP 403 from GET {QUOTAS}"),
        (Reply(status=404), Reason.SERVICE_ABSENT, f"HTTP 404 from GET {QUOTAS}"),
        (
            Reply({"quota_set": {"id": SHOP}}),
            Reason.INVALID_ANSWER,
            "the answer holds no quota in 'quota_set'",
        ),
        (Reply({"quota_set": []}), Reason.INVALID_ANSWER, "the answer holds no quota in 'quota_set'"),
    ],
)
def test_quotas_of_one_service_that_are_not_told(
    cloud: FakeOpenStack, reply: Reply, reason: Reason, detail: str
) -> None:
    cloud.answers[QUOTAS, None] = reply
    taken = collect(IN_SHOP, "nova.quotas", "cinder.quotas")
    assert [(g.operation, g.reason, g.detail) for g in taken.gaps()] == [("nova.quotas", reason, detail)]
    assert [s.proof for s in taken.listings()] == [
        "block-storage answered with the quotas of each audited project"
    ]


def test_bare_limits_say_nothing_of_use(cloud: FakeOpenStack) -> None:
    cloud.answer(QUOTAS, {"quota_set": {"id": SHOP, "cores": 20, "ram": "much"}})
    cores, ram = collect(IN_SHOP, "nova.quotas").resources("openstack.quota")
    assert cores.facts == {"service": "compute", "limit": 20}
    assert {fact: why.reason for fact, why in cores.unseen.items()} == {
        "in_use": Reason.NOT_IMPLEMENTED,
        "reserved": Reason.NOT_IMPLEMENTED,
    }
    assert ram.unseen["limit"].reason is Reason.INVALID_ANSWER


# --- whatever fails, nothing is forgotten ------------------------------------------------------------------

BROKEN = [
    Reply(status=401),
    Reply(status=403),
    Reply(status=404),
    Reply(status=500),
    Reply(status=503),
    Reply(b"<html>"),
    Reply(b'{"half": ['),
    Reply([]),
    Reply({}),
    Reply({"volumes": [7], "servers": {}, "users": "no", "extensions": [[]]}),
    Reply({"token": {"catalog": "none"}}, 201, {"X-Subject-Token": "x"}),
    Reply({"token": []}, 201, {"X-Subject-Token": "x"}),
    Reply({"projects": [{"id": 7, "name": None}], "catalog": [{"type": 1}], "versions": 3}),
]
SCOPES = (
    TARGET,
    REGION,
    IN_SHOP,
    Scope("hn", "vn-hcm-1"),
    Scope("hn", "vn-hn-1", "lost"),
    Scope("hn", "vn-hcm-1", SHOP),
)


def types_of(scope: Scope, wanted: frozenset[str]) -> frozenset[str]:
    """Types a scope of this kind owes an answer for."""
    parts = [_TARGET] if scope.region is None else _PROJECT if scope.project else _REGION
    return frozenset(type_ for part in parts for call, type_ in part.covers if call in wanted)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_wanted_type_ends_in_a_listing_or_a_gap(
    data: st.DataObject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = small_cloud()
    extra = [
        "/identity/v3/auth/projects",
        "/identity/v3/auth/catalog",
        "/identity/v3/auth/tokens",
        "/identity/v3",
    ]
    paths = sorted({path for path, _ in fake.answers}) + extra
    for path in data.draw(st.lists(st.sampled_from(paths), min_size=1, max_size=6)):
        reply = data.draw(st.sampled_from(BROKEN))
        for project in (None, SHOP, BANK):
            fake.answers[path, project] = reply
    vantage = data.draw(st.sampled_from(["tenant", "operator"]))
    wanted = (
        CALLS if data.draw(st.booleans()) else frozenset(data.draw(st.sets(st.sampled_from(sorted(CALLS)))))
    )
    with fake.running():
        fake.configure(tmp_path, monkeypatch)
        reader = collector(vantage=vantage)
        for scope in SCOPES:
            seen = list(reader.collect(scope, wanted, CallLog()))
            concluded = {s.type for s in seen if not isinstance(s, Resource)}
            owed = types_of(scope, wanted) if vantage == "tenant" else frozenset()
            assert owed <= concluded, (scope, owed - concluded)
            for gap in (s for s in seen if isinstance(s, Gap)):
                assert gap.detail


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(sorted({p for p, _ in small_cloud().answers})), reply=st.sampled_from(BROKEN))
def test_less_sight_never_makes_an_empty_list(
    path: str, reply: Reply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever one answer is replaced by: a type that had resources is never listed as empty."""
    # An account that says it has no containers cannot be told from one that has none.
    assume(not (reply.body == [] and path.endswith("?format=json")))
    fake = small_cloud()
    for project in (None, SHOP, BANK):
        fake.answers[path, project] = reply
    with fake.running():
        fake.configure(tmp_path, monkeypatch)
        reader = collector()
        for scope in (TARGET, REGION, IN_SHOP):
            for seen in reader.collect(scope, CALLS, CallLog()):
                assert not (isinstance(seen, Listing) and seen.count == 0), seen


# --- lists that change or break while they are read ------------------------------------------------------


def thousands(cloud: FakeOpenStack, failing: int, reply: Reply) -> None:
    """10,000 volumes in 10 pages, of which one is answered otherwise."""
    ids = [f"vol-{number:05}" for number in range(10_000)]
    for page_number in range(10):
        first = page_number * 1000
        asked = f"{VOLUMES}?limit=1000" + (f"&marker={ids[first - 1]}" if first else "")
        following = page(cloud, ids[first + 999]) if page_number < 9 else None
        whole = numbered(*ids[first : first + 1000], **({"following": following} if following else {}))
        cloud.answers[asked, None] = reply if page_number == failing else Reply(whole)


@pytest.mark.parametrize(
    ("reply", "detail"),
    [
        (Reply(status=500), "the listing breaks off: HTTP 500 from GET {}"),
        # The item that the page was to begin after is gone: Cinder and Nova say 400 or 404 to its id.
        (Reply({"badRequest": {"code": 400}}, 400), "the listing breaks off: HTTP 400 from GET {}"),
        (Reply({"itemNotFound": {"code": 404}}, 404), "the listing breaks off: HTTP 404 from GET {}"),
        (Reply(b"<html>proxy</html>"), "the listing breaks off: the answer to GET {} is no JSON (text/html)"),
    ],
)
def test_one_page_of_ten_that_fails_is_a_gap_and_no_end(
    cloud: FakeOpenStack, reply: Reply, detail: str
) -> None:
    thousands(cloud, 7, reply)
    taken = collect(IN_SHOP, "cinder.volumes")
    assert [v.id for v in taken.resources("openstack.volume")] == [f"vol-{n:05}" for n in range(7000)]
    failed = f"{VOLUMES}?limit=1000&marker=vol-06999"
    assert [(g.reason, g.detail) for g in taken.gaps()] == [(Reason.PARTIAL, detail.format(failed))]
    assert taken.listings() == []


def test_ten_pages_are_one_list(cloud: FakeOpenStack) -> None:
    thousands(cloud, 10, Reply())
    taken = collect(IN_SHOP, "cinder.volumes")
    assert ([listing.count for listing in taken.listings()], taken.gaps()) == ([10_000], [])


def test_an_item_that_is_gone_before_its_details_are_asked_is_not_known_to_have_none(
    cloud: FakeOpenStack,
) -> None:
    """An empty answer says that a type is not encrypted; 404 says nothing of it."""
    cloud.answer(f"/volume/v3/{SHOP}/types/type-1/encryption", status=404)
    type_ = collect(REGION, "cinder.types", "cinder.type_encryption").one("openstack.volume_type")
    assert type_.why_missing("encryption.provider") is not None
    assert not [fact for fact in type_.facts if fact.startswith("encryption.")]
    cloud.answer("/identity/v3/groups/grp-1/users", status=404)
    taken = collect(TARGET, "keystone.group_users")
    assert [(g.reason, g.detail) for g in taken.gaps()] == [
        (Reason.PARTIAL, "members of a group: HTTP 404 from GET /identity/v3/groups/grp-1/users")
    ]
    assert taken.listings() == []


def test_a_list_that_shrinks_shows_nothing_twice(cloud: FakeOpenStack) -> None:
    """Items that move up to a page already read are seen once; those that moved past it are not made up."""
    cloud.answer(f"{VOLUMES}?limit=1000", numbered("a", "b", following=page(cloud, "b")))
    cloud.answer(f"{VOLUMES}?limit=1000&marker=b", numbered("b", "c"))
    taken = collect(IN_SHOP, "cinder.volumes")
    assert [v.id for v in taken.resources("openstack.volume")] == ["a", "b", "c"]
    assert [listing.count for listing in taken.listings()] == [3]


def test_names_that_attack_or_repeat_are_names_all_the_same(cloud: FakeOpenStack) -> None:
    names = ["\x1b[2Jvol", "Co\u0302\u0309ng", "C\u1ed5ng", "", "vol\ud83d"]
    rows = [{**VOLUME, "id": f"v-{number}", "name": name} for number, name in enumerate(names)]
    cloud.answer(VOLUMES, {"volumes": rows}, project=SHOP)
    found = collect(IN_SHOP, "cinder.volumes").resources("openstack.volume")
    assert [(v.id, v.name) for v in found] == [
        ("v-0", "\x1b[2Jvol"), ("v-1", "C\u1ed5ng"), ("v-2", "C\u1ed5ng"), ("v-3", ""), ("v-4", "vol?"),
    ]  # fmt: skip


def test_a_dead_region_is_a_gap_and_the_others_are_unharmed(cloud: FakeOpenStack) -> None:
    cloud.regions = ["vn-hn-1", "vn-hcm-1"]
    original = cloud.catalogue

    def dead(service: dict[str, Any]) -> dict[str, Any]:
        ends = [
            {**e, "url": e["url"].replace(cloud.url, "http://127.0.0.1:1")}
            if e["region"] == "vn-hcm-1"
            else e
            for e in service["endpoints"]
        ]
        return {**service, "endpoints": ends}

    cloud.catalogue = lambda project: [dead(s) for s in original(project)]  # type: ignore[method-assign]
    there = collect(Scope("hn", "vn-hcm-1", SHOP), "cinder.volumes", "nova.servers", "swift.containers")
    assert {(g.type, g.reason, g.detail.rpartition(": ")[0].rpartition(": ")[2]) for g in there.gaps()} == {
        (f"openstack.{kind}", Reason.UNREACHABLE, "connection refused")
        for kind in ("volume", "server", "container")
    }
    assert there.listings() == []
    here = collect(IN_SHOP, "cinder.volumes", "nova.servers", "swift.containers")
    assert (len(here.listings()), here.gaps()) == (3, [])


def test_what_nova_did_not_tell_yet_of_a_server(cloud: FakeOpenStack) -> None:
    at_version(cloud, "2.8")
    server = collect(IN_SHOP, "nova.servers").one("openstack.server")
    late = {"locked": "2.9", "trusted_image_certificates": "2.63"}
    assert {name: server.unseen[name] for name in late} == {
        name: Unseen(Reason.NOT_IMPLEMENTED, f"Nova tells '{name}' of a server since version {version}")
        for name, version in late.items()
    }


@pytest.mark.parametrize(("shown", "expected"), [("True", True), (True, True), ("", False), ("False", False)])
def test_a_configuration_drive_as_releases_write_it(
    cloud: FakeOpenStack, shown: object, expected: bool
) -> None:
    row = {**SERVER, "config_drive": shown}
    cloud.answer("/compute/v2.1/servers/detail", listed("servers", [row]), project=SHOP)
    assert collect(IN_SHOP, "nova.servers").one("openstack.server").facts["config_drive"] is expected


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(status=403), Reason.NO_PERMISSION),
        (Reply({"resources": [{"resource_type": 7}]}), Reason.INVALID_ANSWER),
        (Reply({}), Reason.NOT_IMPLEMENTED),
    ],
)
def test_resources_of_a_stack_that_are_not_shown(cloud: FakeOpenStack, reply: Reply, reason: Reason) -> None:
    path = f"/heat-api/v1/{SHOP}/stacks/cong-dich-vu/stack-1/resources"
    cloud.answer(path, reply.body, status=reply.status)
    stack = collect(IN_SHOP, "heat.stacks", "heat.stack_resources").one("openstack.stack")
    assert stack.unseen["resource_types"].reason is reason


def test_resources_of_a_stack_that_nobody_asks_for(cloud: FakeOpenStack) -> None:
    stack = collect(IN_SHOP, "heat.stacks").one("openstack.stack")
    assert stack.unseen["resource_types"].reason is Reason.NOT_COLLECTED
    nameless = {**STACK, "stack_name": None}
    cloud.answer(f"/heat-api/v1/{SHOP}/stacks", {"stacks": [nameless]})
    stack = collect(IN_SHOP, "heat.stacks", "heat.stack_resources").one("openstack.stack")
    assert stack.unseen["resource_types"].reason is Reason.INVALID_ANSWER


def test_a_document_of_versions_that_cannot_be_read(cloud: FakeOpenStack) -> None:
    cloud.answer("/volume/v3/", {"versions": [{"id": "v3.0", "status": "CURRENT"}]})
    api = collect(REGION, "block-storage.version").one("openstack.api")
    assert (api.facts, {name: why.reason for name, why in api.unseen.items()}) == (
        {"service": "block-storage"},
        {"min_version": Reason.INVALID_ANSWER, "max_version": Reason.INVALID_ANSWER},
    )
    cloud.answer("/volume/v3/", status=503)
    (gap,) = collect(REGION, "block-storage.version").gaps()
    assert (gap.scope, gap.type, gap.operation) == (REGION, "openstack.api", "block-storage.version")


# --- who may use shares ------------------------------------------------------------------------------------

RULES = ("manila.shares", "manila.share_access_rules")


def test_a_manila_that_tells_access_rules_to_a_post_only_leaves_them_open(cloud: FakeOpenStack) -> None:
    cloud.answer("/share/v2/", {"versions": [{"id": "v2.0", "version": "2.44", "min_version": "2.0"}]})
    (gap,) = collect(IN_SHOP, *RULES).gaps()
    detail = "Manila lets access rules be read without a POST since version 2.45"
    assert (gap.type, gap.reason, gap.detail) == (
        "openstack.share_access_rule", Reason.NOT_IMPLEMENTED, detail,
    )  # fmt: skip
    assert not [path for path in cloud.paths_asked() if "share-access-rules" in path]
    cloud.answer("/share/v2/", status=401)
    (gap,) = collect(IN_SHOP, *RULES).gaps("openstack.share_access_rule")
    assert (gap.reason, gap.detail) == (Reason.NO_PERMISSION, "HTTP 401 from GET /share/v2/")


def test_access_rules_are_asked_of_our_own_shares(cloud: FakeOpenStack) -> None:
    foreign = {**SHARE, "id": "share-of-bank", "project_id": BANK, "is_public": True}
    cloud.call("/share/v2/shares/detail", offset_list("shares", foreign, SHARE))
    taken = collect(IN_SHOP, *RULES)
    assert [r.facts["share"] for r in taken.resources("openstack.share_access_rule")] == ["share-1"]
    assert [s.count for s in taken.listings("openstack.share_access_rule")] == [1]
    assert [path for path in cloud.paths_asked() if "access-rules" in path] == [
        "/share/v2/share-access-rules?share_id=share-1"
    ]


def test_access_rules_of_a_share_that_are_refused_are_a_gap(cloud: FakeOpenStack) -> None:
    cloud.answer("/share/v2/share-access-rules", status=403)
    taken = collect(IN_SHOP, *RULES)
    assert taken.listings("openstack.share_access_rule") == []
    (gap,) = taken.gaps("openstack.share_access_rule")
    path = "/share/v2/share-access-rules?share_id=share-1"
    assert (gap.reason, gap.detail) == (
        Reason.NO_PERMISSION, f"access rules of a share: HTTP 403 from GET {path}",
    )  # fmt: skip


def test_without_shares_nobody_knows_their_access_rules(cloud: FakeOpenStack) -> None:
    cloud.answer("/share/v2/shares/detail", status=403)
    (gap,) = collect(IN_SHOP, *RULES).gaps("openstack.share_access_rule")
    assert (gap.reason, gap.detail) == (
        Reason.NO_PERMISSION,
        "which shares there are is not known: HTTP 403 from GET /share/v2/shares/detail?limit=1000",
    )
    (gap,) = collect(IN_SHOP, "manila.share_access_rules").gaps()
    assert (gap.type, gap.reason) == ("openstack.share_access_rule", Reason.NOT_COLLECTED)


def test_whom_an_access_rule_lets_in(cloud: FakeOpenStack) -> None:
    """Addresses of rules by address alone; a locked rule shows stars."""
    rules = [
        {**ACCESS_RULE, "id": "a", "access_to": "0.0.0.0/0"},
        {**ACCESS_RULE, "id": "b", "access_type": "cephx", "access_to": "may-chu"},
        {**ACCESS_RULE, "id": "c", "access_to": "******", "access_key": "******"},
        {**ACCESS_RULE, "id": "d", "access_to": "khong-phai-dia-chi"},
        {**ACCESS_RULE, "id": "e", "access_type": None},
    ]
    cloud.answer("/share/v2/share-access-rules", {"access_list": rules})
    found = {
        r.id: (r.facts.get("access_to"), r.facts.get("address", r.why_missing("address")))
        for r in collect(IN_SHOP, *RULES).resources("openstack.share_access_rule")
    }
    hidden = Unseen(Reason.NO_PERMISSION, "Manila hides whom a locked rule lets in from this credential")
    assert found == {
        "a": ("0.0.0.0/0", "0.0.0.0/0"),
        "b": ("may-chu", None),
        "c": (None, hidden),
        "d": ("khong-phai-dia-chi", Unseen(Reason.INVALID_ANSWER, "'access_to' holds no address")),
        "e": ("10.0.0.0/24", Unseen(Reason.INVALID_ANSWER, "'access_type' holds no text")),
    }


def test_image_properties_of_odd_kinds_and_kinds_of_addresses(cloud: FakeOpenStack) -> None:
    row = {**IMAGE, "image_source": "private", "image_description": " ", "os_purpose": None}
    cloud.answer("/image/v2/images", {"images": [row]}, project=SHOP)
    assert collect(IN_SHOP, "glance.images").one("openstack.image").facts["properties"] == {
        "hw_mem_encryption": "true",
        "image_description": "",
        "image_source": "private",
        "os_secure_boot": "required",
    }
    cloud.answer("/image/v2/images", {"images": [{**IMAGE, "os_purpose": ["x"]}]}, project=SHOP)
    image = collect(IN_SHOP, "glance.images").one("openstack.image")
    assert image.why_missing("properties") == Unseen(Reason.INVALID_ANSWER, "a property holds no text")


def test_a_secret_in_the_properties_of_an_image_is_told_by_no_fact(cloud: FakeOpenStack) -> None:
    row = {**IMAGE, "os_purpose": "password=Matkhau123", "password=Matkhau456": "x"}
    cloud.answer("/image/v2/images", {"images": [row]}, project=SHOP)
    facts = collect(IN_SHOP, "glance.images").one("openstack.image").facts
    assert "Matkhau" not in repr(facts)
    assert "'os_purpose': '[redacted]'" in repr(facts["properties"])
    assert "[redacted]" in repr(facts["property_names"])


def test_a_server_whose_key_is_named_by_an_empty_text_has_none(cloud: FakeOpenStack) -> None:
    row = {**SERVER, "key_name": ""}
    cloud.answer("/compute/v2.1/servers/detail", {"servers": [row]}, project=SHOP)
    assert collect(IN_SHOP, "nova.servers").one("openstack.server").facts["key_name"] is None
