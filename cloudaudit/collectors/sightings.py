"""Handling what collectors hand out: working on many things at once, renumbering calls, merging."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from cloudaudit.collectors import Seen
from cloudaudit.collectors.transport import CallLog
from cloudaudit.model import Partial, Reason, Resource, Unseen, Value

T = TypeVar("T")
R = TypeVar("R")


def renumbered(seen: Seen, offset: int) -> Seen:
    """The same sighting with `offset` added to every call number in it."""
    if offset == 0:
        return seen
    if isinstance(seen, Resource):
        return replace(seen, sources={group: number + offset for group, number in seen.sources.items()})
    return seen if seen.call is None else replace(seen, call=seen.call + offset)


def in_order(
    items: Iterable[T], work: Callable[[T, CallLog], R], log: CallLog, workers: int
) -> Iterator[tuple[R, int]]:
    """Work on many items at once and hand out the results in the items' order.

    Each piece of work gets a log of its own, which joins `log` when the result is handed out;
    beside the result stands what to add to its call numbers. So neither order nor numbers depend
    on which thread was quicker. At most `2 * workers` results wait.
    """
    waiting = iter(items)
    running: deque[tuple[Future[R], CallLog]] = deque()
    pool = ThreadPoolExecutor(workers)

    def start(count: int) -> None:
        for item in islice(waiting, count):
            own = CallLog()
            running.append((pool.submit(work, item, own), own))

    try:
        start(2 * workers)
        while running:
            future, own = running.popleft()
            result = future.result()
            start(1)
            yield result, log.absorb(own.calls)
    finally:
        pool.shutdown(cancel_futures=True)


def merged(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """One resource for each identity, sorted by type, target, endpoint and id.

    Sightings that agree become one. Where they differ, the fact (region, project and name are
    facts too) is taken out and ambiguous: neither sighting is the better one. What one of them
    did not see and another did is seen.
    """
    by_identity: dict[tuple[str, str, str, str], list[Resource]] = {}
    for resource in resources:
        key = (resource.type, resource.scope.target, resource.endpoint, resource.id)
        by_identity.setdefault(key, []).append(resource)
    return tuple(_one(by_identity[key]) for key in sorted(by_identity))


def _one(sightings: list[Resource]) -> Resource:
    first = sightings[0]
    if len(sightings) == 1:
        return first
    unseen = _still_unseen(sightings)
    facts: dict[str, Value] = {}
    sources = dict(first.sources)
    for name in dict.fromkeys(name for sighting in sightings for name in sighting.facts):
        having = [sighting for sighting in sightings if name in sighting.facts]
        if len({_comparable(sighting.facts[name]) for sighting in having}) > 1:
            unseen[name] = _ambiguous(having)
            continue
        facts[name] = having[0].facts[name]
        source = having[0].source_of(name)
        if having[0] is not first and source is not None:
            sources[name] = source
    labels: dict[str, str | None] = {}
    for label, values in (
        ("region", [s.scope.region for s in sightings]),
        ("project", [s.scope.project for s in sightings]),
        ("name", [s.name or None for s in sightings]),
    ):
        distinct = dict.fromkeys(value for value in values if value is not None)
        labels[label] = next(iter(distinct)) if len(distinct) == 1 else None
        if len(distinct) > 1:
            unseen[label] = _ambiguous(sightings)
    return replace(
        first,
        name=labels["name"] or "",
        scope=replace(first.scope, region=labels["region"], project=labels["project"]),
        at=max(sighting.at for sighting in sightings),
        facts=facts,
        unseen=unseen,
        sources=sources,
    )


def _still_unseen(sightings: list[Resource]) -> dict[str, Unseen]:
    """Reasons of what no sighting saw; the first one stands."""
    reasons: dict[str, Unseen] = {}
    for sighting in sightings:
        for key, why in sighting.unseen.items():
            reasons.setdefault(key, why)
    seen = {name for sighting in sightings for name in sighting.facts}
    return {key: why for key, why in reasons.items() if not _covers(key, seen)}


def _covers(key: str, seen: Set[str]) -> bool:
    """Whether a fact that was seen is the one, or of the group, that `key` says is missing."""
    return key in seen or any(not key or name.startswith(f"{key}.") for name in seen)


def _ambiguous(sightings: list[Resource]) -> Unseen:
    where = sorted({str(sighting.scope) for sighting in sightings})
    return Unseen(Reason.AMBIGUOUS, f"seen differently in {' and '.join(where)}")


def _comparable(value: Value) -> object:
    """A value that can be compared and hashed, in which True and 1 differ."""
    match value:
        case Mapping():
            return ("record", tuple(sorted((key, _comparable(item)) for key, item in value.items())))
        case tuple() | list():
            return ("list", tuple(_comparable(item) for item in value))
        case Partial():
            return ("partial", _comparable(value.items))
    return (type(value).__name__, value)
