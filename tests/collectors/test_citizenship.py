"""How hard a whole run presses on a service: limits are the target's, over all of its scopes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import s3_play
from fake_openstack import AT, BANK, SHOP, FakeOpenStack, Reply, Request, target
from openstack_answers import small_cloud
from playback import Playback, playing
from playback import Reply as Played

from cloudaudit.collectors.documents import CALL as DOCUMENT
from cloudaudit.collectors.documents import DocumentCollector
from cloudaudit.collectors.openstack import OpenStackCollector
from cloudaudit.collectors.openstack.answers import Trouble
from cloudaudit.collectors.openstack.entry import read_entry
from cloudaudit.collectors.openstack.session import Client
from cloudaudit.collectors.runner import Collected, collect
from cloudaudit.collectors.s3 import S3Collector
from cloudaudit.collectors.transport import CallLog, HttpClient
from cloudaudit.model import Gap, Reason, Resource, Scope

CALLS = frozenset({
    "keystone.projects", "keystone.users", "nova.servers", "cinder.volumes", "cinder.snapshots", "neutron.networks",
    "neutron.subnets", "neutron.ports", "glance.images", "swift.containers", "swift.container",
})  # fmt: skip
SERVERS = "/compute/v2.1/servers/detail"


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenStack]:
    """Two projects in two regions: six scopes."""
    made = small_cloud()
    made.regions = ["vn-hn-1", "vn-hcm-1"]
    made.keep_alive = True
    with made.running():
        made.configure(tmp_path, monkeypatch)
        yield made


def run(cancelled: threading.Event | None = None, calls: frozenset[str] = CALLS, **fields: Any) -> Collected:
    stop = cancelled or threading.Event()
    reader = OpenStackCollector(target(**fields), now=lambda: AT, cancelled=stop)
    return collect([reader], calls, now=lambda: AT, max_workers=8, cancelled=stop)


def seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def all_told(found: Collected) -> bool:
    """Whether each scope of servers has its listing or its gap."""
    told = {one.scope for one in (*found.listings, *found.gaps) if one.type == "openstack.server"}
    scopes = {Scope("hn", region, project) for region in ("vn-hn-1", "vn-hcm-1") for project in (SHOP, BANK)}
    return scopes <= told or Scope("hn") in told


# --- OpenStack ----------------------------------------------------------------------------------------


def test_no_more_requests_at_a_time_than_allowed_over_all_scopes(cloud: FakeOpenStack) -> None:
    cloud.delay = 0.01
    run(max_in_flight=3)
    assert cloud.peak == 3
    assert len(cloud.requests) > 30


def test_connections_are_used_again(cloud: FakeOpenStack) -> None:
    """The document of versions that comes before the first token may open one more."""
    cloud.delay = 0.002
    run(max_in_flight=4)
    assert len(cloud.requests) > 30
    assert cloud.connections <= 5


def test_the_rate_holds_over_all_scopes(cloud: FakeOpenStack) -> None:
    run(rate_limit=60.0, max_in_flight=8)
    times = sorted(cloud.times)
    assert len(times) > 30
    # Arrivals jitter by what a thread takes to be woken; without a limit these thirty take a tenth of it.
    for first, last in zip(times, times[29:], strict=False):
        assert last - first > 29 / 60 - 0.2
    assert times[-1] - times[0] >= (len(times) - 1) / 60 - 0.05


def test_after_the_deadline_the_rest_is_timed_out(cloud: FakeOpenStack) -> None:
    cloud.delay = 0.06
    found: list[Collected] = []
    took = seconds(lambda: found.append(run(deadline=1, max_in_flight=1)))
    assert took < 2
    late = [gap for gap in found[0].gaps if gap.reason is Reason.TIMEOUT]
    assert late
    assert all(
        "the 1 s allowed for this target are over" in gap.detail or "in time" in gap.detail for gap in late
    )
    assert all_told(found[0])
    asked = len(cloud.requests)
    time.sleep(0.15)
    assert len(cloud.requests) == asked


def test_no_answer_is_waited_for_beyond_the_deadline(cloud: FakeOpenStack) -> None:
    release = threading.Event()

    def hang(request: Request) -> Reply:
        release.wait(8)
        return Reply({"servers": []})

    cloud.call(SERVERS, hang)
    found: list[Collected] = []
    took = seconds(lambda: found.append(run(deadline=1)))
    release.set()
    assert took < 3
    servers = {gap.reason for gap in found[0].gaps if gap.type == "openstack.server"}
    assert servers == {Reason.TIMEOUT}
    assert all_told(found[0])


def test_what_the_deadline_cut_off_is_a_time_out_whatever_it_looks_like(cloud: FakeOpenStack) -> None:
    def late() -> tuple[Trouble, float]:
        time.sleep(1.01)
        return Trouble(Reason.UNREACHABLE, "no connection", 3), 0.0

    whose = target(deadline=1)
    stop = threading.Event()
    client = Client(whose, read_entry(whose), lambda: AT, stop, stop.wait)
    over = Trouble(Reason.TIMEOUT, "the 1 s allowed for this target are over: GET /x", 3)
    assert client.persist("GET /x", late) == over
    answered = Trouble(Reason.NO_PERMISSION, "HTTP 403", 4, 403)
    client = Client(whose, read_entry(whose), lambda: AT, stop, stop.wait)
    assert client.persist("GET /x", lambda: (time.sleep(1.01), (answered, None))[1]) == answered  # type: ignore[func-returns-value]


def test_no_turn_is_waited_for_beyond_the_deadline(cloud: FakeOpenStack) -> None:
    """At one request in two seconds, most turns would come long after it."""
    found: list[Collected] = []
    took = seconds(lambda: found.append(run(deadline=1, rate_limit=0.5)))
    assert took < 2
    assert len(cloud.requests) <= 2
    assert {gap.reason for gap in found[0].gaps} == {Reason.TIMEOUT}
    assert all("the 1 s allowed for this target are over" in gap.detail for gap in found[0].gaps)
    assert all_told(found[0])


def test_an_interruption_ends_the_wait_for_a_turn(cloud: FakeOpenStack) -> None:
    stop = threading.Event()
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    found: list[Collected] = []
    took = seconds(lambda: found.append(run(stop, rate_limit=0.2)))
    timer.join()
    assert took < 2
    assert found[0].interrupted
    assert {gap.reason for gap in found[0].gaps} == {Reason.PARTIAL}
    assert all("interrupted" in gap.detail for gap in found[0].gaps)


def test_a_busy_service_is_left_alone_as_long_as_it_asks(cloud: FakeOpenStack) -> None:
    refused = iter([Reply({}, 429, {"Retry-After": "1"})])
    arrivals: list[float] = []

    def busy_once(request: Request) -> Reply:
        arrivals.append(time.monotonic())
        return next(refused, Reply({"servers": []}))

    cloud.answers[SERVERS, SHOP] = busy_once
    cloud.regions = ["vn-hn-1"]
    found = run(calls=frozenset({"nova.servers"}))
    assert len(arrivals) == 2
    assert 1.0 <= arrivals[1] - arrivals[0] < 2.5
    assert not [gap for gap in found.gaps if gap.scope.project == SHOP]


# --- S3 -----------------------------------------------------------------------------------------------


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path


def bucket_store() -> Callable[[Any], Played]:
    records = s3_play.STORES["moto"]["operations"]
    answers = {q: s3_play.recorded(short, records[short]["unset"]) for short, (q, _) in s3_play.WIRE.items()}
    return s3_play.store({f"kho-{n:02}": {"HEAD": Played(200), **answers} for n in range(12)})


class Watched:
    """A store that counts how many requests are under way, and when they came."""

    def __init__(self, delay: float = 0.0) -> None:
        self._store = bucket_store()
        self._delay = delay
        self._lock = threading.Lock()
        self._under_way = 0
        self.peak = 0
        self.times: list[float] = []

    def __call__(self, asked: Any) -> Played:
        with self._lock:
            self.times.append(time.monotonic())
            self._under_way += 1
            self.peak = max(self.peak, self._under_way)
        time.sleep(self._delay)
        with self._lock:
            self._under_way -= 1
        return self._store(asked)


def read_store(playing_: Playback, keys: Path, **fields: Any) -> Collected:
    reader = S3Collector(s3_play.target(playing_.url, keys, **fields), now=lambda: AT)
    return collect([reader], s3_play.ALL, now=lambda: AT, max_workers=8)


def test_a_store_is_asked_by_few_connections_at_once(keys: Path) -> None:
    watched = Watched(0.003)
    with playing(watched) as store:
        found = read_store(store, keys, max_in_flight=4)
    assert len([r for r in found.resources if r.type == "s3.bucket"]) == 12
    assert len(watched.times) > 100
    assert watched.peak == 4
    assert store.connections <= 4


def test_the_rate_of_a_store_is_a_bucket_of_one_second(keys: Path) -> None:
    watched = Watched()
    with playing(watched) as store:
        read_store(store, keys, rate_limit=100.0)
    times = sorted(watched.times)
    assert len(times) > 150
    for first, last in zip(times, times[150:], strict=False):
        assert last - first > 0.5 - 0.05, "a hundred at once, and the other fifty in turn"


def test_a_store_is_not_asked_after_the_deadline(keys: Path) -> None:
    watched = Watched(0.05)
    found: list[Collected] = []
    with playing(watched) as store:
        took = seconds(lambda: found.append(read_store(store, keys, max_in_flight=1, deadline=1)))
    assert took < 2
    buckets = [r for r in found[0].resources if r.type == "s3.bucket"]
    gaps = [gap for gap in found[0].gaps if gap.type == "s3.bucket"]
    reasons = {why.reason for r in buckets for why in r.unseen.values()} | {gap.reason for gap in gaps}
    assert Reason.TIMEOUT in reasons
    assert len(watched.times) < 40


def test_both_apis_of_a_store_have_one_client(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits and deadline are the target's: a client each would be twice as much."""
    made: list[HttpClient] = []
    usual = HttpClient.__init__

    def counted(self: HttpClient, *args: Any, **more: Any) -> None:
        made.append(self)
        usual(self, *args, **more)

    monkeypatch.setattr(HttpClient, "__init__", counted)
    with playing(Watched()) as store:
        reader = S3Collector(s3_play.target(store.url, keys), now=lambda: AT)
        for wanted in (s3_play.ALL, frozenset({"s3.admin_period", "s3.admin_users"})):
            list(reader.collect(Scope("kho"), wanted, CallLog()))
    assert len(made) == 1


# --- papers -------------------------------------------------------------------------------------------


def test_papers_have_a_deadline_too() -> None:
    release = threading.Event()

    def slow(asked: Any) -> Played:
        release.wait(8)
        return Played(200, b"x")

    with playing(slow) as web:
        reader = DocumentCollector(
            [f"{web.url}/{n}" for n in range(9)], now=lambda: AT, allow_private=["127.0.0.1"], deadline=1.0
        )
        found: list[Collected] = []
        took = seconds(
            lambda: found.append(collect([reader], frozenset({DOCUMENT}), now=lambda: AT, max_workers=4))
        )
        release.set()
    assert took < 4
    assert len(found[0].resources) == 9
    assert {type(one) for one in found[0].gaps} <= {Gap}
    for one in found[0].resources:
        assert isinstance(one, Resource)
        assert "sha256" not in one.facts
        assert one.why_missing("sha256") is not None
