"""The runner: order, isolation, interruption, and sightings that meet."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudaudit.collectors import Seen
from cloudaudit.collectors.names import NameProbe
from cloudaudit.collectors.probe import TlsProbe
from cloudaudit.collectors.runner import Collected, Progress, collect
from cloudaudit.collectors.sightings import in_order, merged, renumbered
from cloudaudit.collectors.transport import CallLog
from cloudaudit.errors import TargetError
from cloudaudit.model import Gap, Listing, Partial, Reason, Resource, Scope, Unseen

WANTED = frozenset({"x.list"})
NOW = 1_700_000_000


def resource(id_: str, scope: Scope, **facts: Any) -> Resource:
    return Resource("x.thing", id_, scope, NOW, facts, sources={"": 0})


Reading = Callable[[Scope, CallLog], Iterator[Seen]]


class Fake:
    """A collector that does what a test tells it to."""

    def __init__(
        self, name: str, scopes: Iterable[Scope | Gap] | None = None, read: Reading | None = None
    ) -> None:
        self.name = name
        self.types = frozenset({"x.thing", "x.other"})
        self._scopes = scopes
        self._read = read or self.usual
        self.wanted: list[frozenset[str]] = []

    def scopes(self, log: CallLog) -> Iterable[Scope | Gap]:
        log.add(Scope(self.name), "x", "GET /scopes", 200, NOW)
        return [Scope(self.name)] if self._scopes is None else self._scopes

    def collect(self, scope: Scope, wanted: frozenset[str], log: CallLog) -> Iterator[Seen]:
        self.wanted.append(wanted)
        return self._read(scope, log)

    def usual(self, scope: Scope, log: CallLog) -> Iterator[Seen]:
        """Two calls, one resource from the second, and the proof that there is no more."""
        log.add(scope, "x", f"GET /first of {scope}", 200, NOW)
        number = log.add(scope, "x", f"GET /second of {scope}", 200, NOW)
        yield replace(resource(f"id of {scope}", scope, a=1), sources={"": number})
        yield Listing(scope, "x.thing", 1, "read to the end", number)


def run(*collectors: Fake, **more: Any) -> Collected:
    return collect(collectors, WANTED, now=lambda: NOW, **more)


def slow(scope: Scope, log: CallLog) -> Iterator[Seen]:
    """As usual, but the first scopes take longest."""
    time.sleep({"a": 0.06, "b": 0.03}.get(scope.region or "", 0))
    yield from Fake("t").usual(scope, log)


def test_calls_are_numbered_by_target_and_scope_whatever_finishes_first() -> None:
    scopes = [Scope("t", region) for region in ("a", "b", "c")]
    seen = run(Fake("t", scopes, slow), Fake("u"), max_workers=4)
    requests = [
        "GET /scopes", "GET /first of t/a", "GET /second of t/a", "GET /first of t/b", "GET /second of t/b",
        "GET /first of t/c", "GET /second of t/c", "GET /scopes", "GET /first of u", "GET /second of u",
    ]  # fmt: skip
    assert [(call.number, call.request) for call in seen.calls] == list(enumerate(requests))
    for thing in seen.resources:
        assert requests[thing.sources[""]] == f"GET /second of {thing.scope}"
    assert [(x.scope, requests[x.call]) for x in seen.listings if x.call is not None] == [
        (scope, f"GET /second of {scope}") for scope in [*scopes, Scope("u")]
    ]
    assert (seen.gaps, seen.interrupted) == ((), False)


def test_collectors_are_told_what_is_wanted_and_only_that() -> None:
    fake = Fake("t")
    run(fake)
    assert fake.wanted == [WANTED]


def test_a_gap_in_place_of_a_scope_is_kept() -> None:
    gap = Gap(Scope("t", "a"), "x.thing", "x.list", Reason.UNREACHABLE, "no connection", 0)
    seen = run(Fake("s"), Fake("t", [gap, Scope("t", "b")]))
    assert seen.gaps == (replace(gap, call=3),)
    assert seen.calls[3].scope == Scope("t")


# --- faults -----------------------------------------------------------------------------------------


def faulty(scope: Scope, log: CallLog) -> Iterator[Seen]:
    yield resource("before", scope)
    yield Listing(scope, "x.thing", 1, "read to the end")
    raise KeyError("PLANTED secret")


def test_a_fault_of_one_collector_costs_its_scope_and_tells_no_secret() -> None:
    seen = run(Fake("bad", read=faulty), Fake("good"))
    assert [r.id for r in seen.resources] == ["before", "id of good"]
    # x.thing was listed to its end before the fault
    assert seen.gaps == (
        Gap(Scope("bad"), "x.other", "collect", Reason.INVALID_ANSWER, "the collector failed (KeyError)"),
    )
    assert "PLANTED" not in repr(seen)


def test_a_collector_that_cannot_name_its_scopes() -> None:
    class Broken(Fake):
        def scopes(self, log: CallLog) -> Iterable[Scope | Gap]:
            yield Scope("t", "a")
            raise OSError("PLANTED")

    seen = run(Broken("t"))
    failed = "the collector failed (OSError)"
    assert seen.gaps == tuple(
        Gap(Scope("t"), type_, "collect", Reason.INVALID_ANSWER, failed) for type_ in ("x.other", "x.thing")
    )
    assert [r.id for r in seen.resources] == ["id of t/a"]
    assert "PLANTED" not in repr(seen)


def test_what_the_operator_must_mend_ends_everything() -> None:
    def mistaken(scope: Scope, log: CallLog) -> Iterator[Seen]:
        raise TargetError("no such profile")
        yield

    with pytest.raises(TargetError, match="no such profile"):
        run(Fake("good"), Fake("bad", read=mistaken))


# --- interruption -----------------------------------------------------------------------------------


def endless(entered: threading.Event, stop: threading.Event) -> Reading:
    def read(scope: Scope, log: CallLog) -> Iterator[Seen]:
        if scope.region == "b":
            log.add(scope, "x", "GET /b", 200, NOW)
            yield resource("read before", scope)
            entered.set()
            stop.wait(10)
            yield resource("read while it stopped", scope)
            yield resource("too late", scope)
        else:
            yield from Fake("t").usual(scope, log)
            yield Listing(scope, "x.other", 0, "read to the end")

    return read


def interrupted_gaps(*scopes: Scope) -> tuple[Gap, ...]:
    return tuple(
        Gap(scope, type_, "collect", Reason.PARTIAL, "interrupted")
        for scope in scopes
        for type_ in ("x.other", "x.thing")
    )


def test_what_was_collected_stays_and_the_rest_is_a_gap() -> None:
    entered, stop = threading.Event(), threading.Event()
    a, b, c = (Scope("t", region) for region in "abc")
    threading.Thread(target=lambda: (entered.wait(10), stop.set())).start()
    seen = run(Fake("t", [a, b, c], endless(entered, stop)), max_workers=1, cancelled=stop)
    assert seen.interrupted
    assert [r.id for r in seen.resources] == ["id of t/a", "read before", "read while it stopped"]
    assert seen.gaps == interrupted_gaps(b, c)
    assert [call.request for call in seen.calls][-1] == "GET /b"


def test_a_worker_that_does_not_stop_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudaudit.collectors.runner._GRACE", 0.05)
    entered, stop, release = threading.Event(), threading.Event(), threading.Event()

    def stuck(scope: Scope, log: CallLog) -> Iterator[Seen]:
        yield resource("first", scope)
        entered.set()
        release.wait(10)
        yield resource("never seen", scope)

    threading.Thread(target=lambda: (entered.wait(10), stop.set())).start()
    began = time.monotonic()
    seen = run(Fake("t", read=stuck), cancelled=stop)
    took = time.monotonic() - began
    release.set()
    assert took < 2
    assert [r.id for r in seen.resources] == ["first"]
    assert seen.gaps == interrupted_gaps(Scope("t"))


def test_a_collection_cancelled_before_it_began_asks_nothing() -> None:
    stop = threading.Event()
    stop.set()
    fake = Fake("t")
    seen = run(fake, cancelled=stop)
    assert (fake.wanted, seen.resources, seen.gaps) == ([], (), interrupted_gaps(Scope("t")))


def test_control_c_returns_what_there_is() -> None:
    entered, stop = threading.Event(), threading.Event()
    a, b = Scope("t", "a"), Scope("t", "b")

    def press() -> None:
        entered.wait(10)
        signal.raise_signal(signal.SIGINT)

    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=press).start()
        seen = run(Fake("t", [a, b], endless(entered, stop)), max_workers=1, cancelled=stop)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert seen.interrupted
    assert stop.is_set()
    assert seen.gaps == interrupted_gaps(b)


# --- progress, the steps after it -----------------------------------------------------------------------


def test_progress_comes_from_the_calling_thread_and_ends_with_done() -> None:
    told: list[tuple[Progress, str]] = []
    scopes = [Scope("t", "a"), Scope("t", "b")]
    run(
        Fake("t", scopes, slow),
        on_progress=lambda progress: told.append((progress, threading.current_thread().name)),
    )
    assert {thread for _, thread in told} == {threading.current_thread().name}
    for scope in scopes:
        last = [progress for progress, _ in told if progress.scope == scope][-1]
        assert last == Progress(scope, 1, 0, done=True)


def test_tls_is_added_when_it_is_wanted() -> None:
    def read(scope: Scope, log: CallLog) -> Iterator[Seen]:
        yield Resource("s3.endpoint", "e", scope, NOW, {"url": "http://kho.vn"})

    fake = Fake("t", read=read)
    with_it = collect([fake], WANTED | {"probe.tls"}, now=lambda: NOW, tls=TlsProbe())
    without = collect([fake], WANTED, now=lambda: NOW, tls=TlsProbe())
    assert with_it.resources[0].facts["tls.verified"] is False
    assert "tls.verified" not in without.resources[0].facts


def test_names_are_looked_up_when_it_is_wanted() -> None:
    def read(scope: Scope, log: CallLog) -> Iterator[Seen]:
        yield Resource("s3.endpoint", "e", scope, NOW, {"url": "https://10.0.0.1"})

    fake = Fake("t", read=read)
    with_it = collect([fake], WANTED | {"probe.dns"}, now=lambda: NOW, names=NameProbe())
    without = collect([fake], WANTED, now=lambda: NOW, names=NameProbe())
    assert with_it.resources[0].facts["dns.addresses"] == ("10.0.0.1",)
    assert "dns.addresses" not in without.resources[0].facts


# --- sightings --------------------------------------------------------------------------------------


def sighting(region: str | None = None, project: str | None = None, **more: Any) -> Resource:
    base = resource("v", Scope("t", region, project))
    return replace(base, **more)


def test_sightings_that_agree_become_one() -> None:
    first = sighting(facts={"a": 1, "b": (1, {"c": None})}, sources={"": 3}, at=5, name="n")
    second = sighting(facts={"b": (1, {"c": None}), "d.e": 2}, sources={"": 8, "d": 9}, at=7, name="n")
    assert merged([first, second]) == (
        sighting(facts={"a": 1, "b": (1, {"c": None}), "d.e": 2}, sources={"": 3, "d.e": 9}, at=7, name="n"),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 2), (True, 1), (None, ""), ((1, 2), (2, 1)), ({"a": 1}, {"a": "1"}), (Partial((1,)), (1,))],
)
def test_a_fact_seen_differently_is_ambiguous(one: Any, other: Any) -> None:
    (found,) = merged([sighting("hn", facts={"a": one, "b": 1}), sighting("hn", facts={"a": other})])
    assert dict(found.facts) == {"b": 1}
    assert found.unseen == {"a": Unseen(Reason.AMBIGUOUS, "seen differently in t/hn")}


def test_a_third_sighting_does_not_settle_a_contradiction() -> None:
    (found,) = merged([sighting(facts={"a": value}) for value in (1, 2, 1)])
    assert (dict(found.facts), set(found.unseen)) == ({}, {"a"})


def test_region_and_project_are_facts() -> None:
    (found,) = merged([sighting("hn", "p"), sighting("hcm", "p"), sighting(None, "p")])
    assert found.scope == Scope("t", None, "p")
    assert found.unseen == {
        "region": Unseen(Reason.AMBIGUOUS, "seen differently in t/*/p and t/hcm/p and t/hn/p")
    }
    (settled,) = merged([sighting("hn"), sighting(None, "p")])
    assert (settled.scope, settled.unseen) == (Scope("t", "hn", "p"), {})


def test_what_one_did_not_see_and_another_did_is_seen() -> None:
    refused, slow_ = Unseen(Reason.NO_PERMISSION, "403"), Unseen(Reason.TIMEOUT)
    blind = sighting(unseen={"acl": refused, "tls.version": refused, "lock": refused, "": slow_})
    seeing = sighting(facts={"acl.grants": (), "tls.version": None}, unseen={"lock": slow_})
    for order in ([blind, seeing], [seeing, blind]):
        (found,) = merged(order)
        assert set(found.unseen) == {"lock"}
        assert dict(found.facts) == {"acl.grants": (), "tls.version": None}


def test_identity_is_target_endpoint_type_and_id() -> None:
    things = [
        sighting(),
        sighting(endpoint="https://a"),
        sighting(type="x.other"),
        sighting(scope=Scope("u")),
        sighting(id="w"),
    ]
    assert len(merged(things)) == 5


facts = st.dictionaries(
    st.sampled_from(["a", "b.c", "b.d"]), st.sampled_from([None, 0, 1, True, "x"]), max_size=3
)


@given(st.lists(facts, min_size=1, max_size=4), st.randoms())
def test_merging_keeps_exactly_what_nobody_contradicts(seen: list[dict[str, Any]], random: Any) -> None:
    sightings = [sighting(facts=each) for each in seen]
    (found,) = merged(sightings)
    values = {name: {(type(f[name]), f[name]) for f in seen if name in f} for f in seen for name in f}
    assert {name: (type(v), v) for name, v in found.facts.items()} == {
        name: next(iter(found_)) for name, found_ in values.items() if len(found_) == 1
    }
    assert set(found.unseen) == {name for name, found_ in values.items() if len(found_) > 1}
    random.shuffle(sightings)
    (shuffled,) = merged(sightings)
    assert (dict(shuffled.facts), shuffled.unseen) == (dict(found.facts), found.unseen)


def test_everything_with_a_call_number_is_renumbered() -> None:
    scope = Scope("t")
    assert renumbered(replace(resource("a", scope), sources={"": 0, "g": 2}), 5).sources == {"": 5, "g": 7}
    assert renumbered(Gap(scope, "x", "y", Reason.PARTIAL, call=1), 5).call == 6
    assert renumbered(Listing(scope, "x", 0, "z"), 5).call is None


def test_work_at_once_comes_back_in_order() -> None:
    log = CallLog()
    log.add(Scope("t"), "x", "GET /before", 200, NOW)

    def work(number: int, own: CallLog) -> int:
        time.sleep(0.01 * (4 - number % 4))
        for _ in range(number % 3):
            own.add(Scope("t"), "x", f"GET /{number}", 200, NOW)
        return number

    results = list(in_order(range(10), work, log, 4))
    assert [number for number, _ in results] == list(range(10))
    for number, offset in results:
        assert [call.request for call in log.calls[offset : offset + number % 3]] == [f"GET /{number}"] * (
            number % 3
        )


def test_work_nobody_waits_for_any_more_is_not_begun() -> None:
    begun: list[int] = []
    results = in_order(range(1000), lambda number, own: begun.append(number), CallLog(), 2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(begun) <= 5
