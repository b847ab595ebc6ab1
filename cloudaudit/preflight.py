"""Try what a profile asks, and say what these credentials can and cannot see, before an audit relies on it.

The collectors themselves ask, so that what is missing here is what an audit will report as missing:
every call in every scope, but of each answer the beginning only. What breaks later in a long list is
not foreseen. Nothing is written.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cloudaudit.collecting import kinds_of, read_subject
from cloudaudit.collectors.openstack import OPERATOR
from cloudaudit.collectors.runner import Collected, OnProgress
from cloudaudit.model import Call, CallSpec, Gap, Listing, Partial, Reason, Resource, Scope, Seconds, Unseen
from cloudaudit.plan import spec_of
from cloudaudit.planned import VERSION, Needs, Planned, TargetPlan, planned
from cloudaudit.registers import Registers
from cloudaudit.targets import Subject


class State(StrEnum):
    """What came of a call."""

    SEEN = "seen"
    ABSENT = "absent"
    """There is no such service, call or thing: proven, or the cloud's own word."""
    NOT_PROVABLE = "not_provable"
    REFUSED = "refused"


_WORST: Final = (State.REFUSED, State.NOT_PROVABLE, State.ABSENT)
_ABSENT: Final = frozenset({Reason.SERVICE_ABSENT, Reason.NOT_IMPLEMENTED})
NOBODY: Final = "(none)"
"""In place of a target that there is none of."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one call came to in one scope. With a reason something is not known that an audit would need."""

    target: str
    call: str
    scope: Scope
    state: State
    reason: Reason | None = None
    detail: str = ""
    type: str = ""
    fact: str | None = ""
    """What is missing of the type: a fact, for None its list; empty where other sights tell it."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one call of one target came to."""

    target: str
    call: CallSpec
    state: State
    scopes: int
    """In how many scopes there was an answer of any kind."""
    not_seen: tuple[str, ...]
    """Scopes in which something is missing."""
    reason: Reason | None
    detail: str
    controls: tuple[str, ...]
    """Controls that may end as unknown for it."""

    @property
    def complete(self) -> bool:
        return self.reason is None


@dataclass(frozen=True, slots=True)
class Preflight:
    """What the credentials of a subject see of what a profile needs."""

    rows: tuple[Row, ...]

    @property
    def complete(self) -> bool:
        return all(row.complete for row in self.rows)

    @property
    def controls(self) -> tuple[str, ...]:
        return tuple(sorted({id_ for row in self.rows for id_ in row.controls}))


def preflight(
    subject: Subject,
    needs: Needs,
    declared: Registers,
    *,
    now: Callable[[], Seconds],
    progress: OnProgress | None = None,
    cancelled: threading.Event | None = None,
) -> Preflight:
    """Ask a sample of everything, and tell of each planned call what came of it."""
    targets = planned(subject, needs, declared)
    found = read_subject(
        subject, needs.plan, declared, now=now, progress=progress, cancelled=cancelled, sample=True
    )
    return judged(found, targets, needs)


def judged(found: Collected, targets: Sequence[TargetPlan], needs: Needs) -> Preflight:
    """What a collection says of each call that was planned. Tokens and versions show in what they lead to."""
    rows: list[Row] = []
    for target in targets:
        reading = _Reading(target, found, needs, {call.number: call for call in found.calls})
        by_call: dict[str, list[Sight]] = defaultdict(list)
        for sight in reading.sights():
            by_call[sight.call].append(sight)
        for name, one in target.by_call.items():
            # A document of versions is told of where a control reads it, not where it only leads to others.
            if name.endswith(VERSION) and name not in needs.plan.wanted:
                continue
            if any(name in type_.calls for type_ in needs.types.values()):
                sights = by_call.get(name) or [reading.unasked(one, by_call)]
                rows.append(_row(target.name, one.call, sights, needs))
        # What nobody gave the key for is no part of the plan, and yet missing of what is needed.
        declared = {name: call for type_ in needs.types.values() for name, call in type_.calls.items()}
        keyless = sorted(by_call.keys() & declared.keys() - target.by_call.keys())
        rows += [
            _row(target.name, declared[name], by_call[name], needs)
            for name in keyless
            if declared[name].vantage == OPERATOR and target.kind == "s3"
        ]
    return Preflight((*rows, *_silent(found, needs)))


def _row(target: str, call: CallSpec, sights: Sequence[Sight], needs: Needs) -> Row:
    missing = [sight for sight in sights if sight.reason is not None]
    worst = min(missing, key=lambda sight: _WORST.index(sight.state), default=None)
    seen = State.SEEN if any(sight.state is State.SEEN for sight in sights) else State.ABSENT
    kinds = {(sight.type, sight.fact) for sight in missing if sight.fact != ""}
    lost = {id_ for type_, fact in kinds for id_ in needs.controls_of_fact(type_, fact)}
    return Row(
        target,
        call,
        worst.state if worst else seen,
        len({sight.scope for sight in sights}),
        tuple(dict.fromkeys(str(sight.scope) for sight in missing)),
        worst.reason if worst else None,
        (worst or sights[0]).detail,
        tuple(id_ for id_ in needs.by_control if id_ in lost),
    )


def _silent(found: Collected, needs: Needs) -> Iterator[Row]:
    """Kinds of target that the profile asks about, and nobody was asked and nothing declared."""
    told = {listing.type for listing in found.listings} | {gap.type for gap in found.gaps}
    for kind, prefix in kinds_of(needs.plan.types).items():
        types = sorted(name for name in needs.plan.types - told if name.startswith(prefix))
        if types:
            lost = {id_ for name in types for id_ in needs.controls_of_fact(name, None)}
            controls = tuple(id_ for id_ in needs.by_control if id_ in lost)
            call = CallSpec(f"{prefix}*", kind, "-")
            detail = f"targets.yaml names no {kind} target, and does not declare it absent"
            yield Row(NOBODY, call, State.NOT_PROVABLE, 0, (), Reason.NOT_COLLECTED, detail, controls)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads off a collection what came of the calls to one target."""

    target: TargetPlan
    found: Collected
    needs: Needs
    calls: Mapping[int, Call]
    """What was asked, by number."""

    def sights(self) -> Iterator[Sight]:
        """What is known of any call: by gaps and listings, and by the facts that resources have or lack."""
        for gap in self.found.gaps:
            if gap.scope.target == self.target.name and gap.type in self.needs.plan.types:
                yield from self._of_gap(gap)
        for listing in self.found.listings:
            if listing.scope.target == self.target.name:
                yield from self._of_listing(listing)
        ours = [one for one in self.found.resources if one.scope.target == self.target.name]
        shown = {(one.type, one.scope, fact) for one in ours for fact in one.facts}
        for resource in ours:
            yield from self._of_resource(resource, shown)

    def _sight(self, call: str, scope: Scope, why: Unseen, type_: str, fact: str | None) -> Sight:
        state = State.REFUSED if why.reason is Reason.NO_PERMISSION else State.NOT_PROVABLE
        state = State.ABSENT if why.reason in _ABSENT else state
        return Sight(self.target.name, call, scope, state, why.reason, why.detail, type_, fact)

    def _listing_calls(self, type_: str) -> list[Planned]:
        own = self.needs.types[type_].calls
        return [one for name, one in self.target.by_call.items() if one.call.lists and name in own]

    def _of_gap(self, gap: Gap) -> Iterator[Sight]:
        names = [gap.operation]
        if gap.operation not in self.target.by_call:
            # What ended a whole scope names no call: it is missing of all.
            names = [one.call.name for one in self._listing_calls(gap.type)] or names
        for name in names:
            why = Unseen(gap.reason, gap.detail)
            yield self._sight(name, gap.scope, why, gap.type, None if gap.listing else "")

    def _of_listing(self, listing: Listing) -> Iterator[Sight]:
        """Seen by the call that was answered; where none was, something else proves that there is nothing."""
        calls = self._listing_calls(listing.type)
        state = State.SEEN
        names = self._answered(listing, calls)
        if not names:
            state = State.ABSENT
            names = {one.call.name for one in calls} - self._told_elsewhere(listing, calls)
        for name in sorted(names):
            yield Sight(self.target.name, name, listing.scope, state, detail=listing.proof)

    def _answered(self, listing: Listing, calls: Iterable[Planned]) -> set[str]:
        made = None if listing.call is None else self.calls[listing.call]
        return {one.call.name for one in calls if made is None or _answers(made, one.call)}

    def _told_elsewhere(self, listing: Listing, calls: Sequence[Planned]) -> set[str]:
        """Of several lists of a type in a scope, those that another listing or a gap tells of."""
        here = (listing.scope, listing.type)
        told = {gap.operation for gap in self.found.gaps if (gap.scope, gap.type) == here}
        for other in self.found.listings:
            if (other.scope, other.type) == here:
                told |= self._answered(other, calls)
        return told

    def _of_resource(self, resource: Resource, shown: Set[tuple[str, Scope, str]]) -> Iterator[Sight]:
        type_ = self.needs.types[resource.type]
        for fact in sorted(self.needs.plan.facts.get(resource.type, ())):
            spec = spec_of(type_, fact)
            if spec is None or spec.call not in self.target.by_call:
                continue
            value = resource.facts.get(spec.name)
            if isinstance(value, Partial):
                why = Unseen(Reason.PARTIAL, f"{spec.name} is known in part")
                yield self._sight(spec.call, resource.scope, why, resource.type, fact)
            elif spec.name in resource.facts:
                yield Sight(self.target.name, spec.call, resource.scope, State.SEEN)
            else:
                known = resource.why_missing(spec.name) or Unseen(Reason.INVALID_ANSWER, "no reason is told")
                if known.reason is Reason.NOT_IMPLEMENTED and (resource.type, resource.scope, fact) in shown:
                    # The service tells it of others: of this one there is no such thing to tell.
                    continue
                why = Unseen(known.reason, f"{spec.name}: {known.detail}")
                yield self._sight(spec.call, resource.scope, why, resource.type, fact)

    def unasked(self, one: Planned, by_call: Mapping[str, Sequence[Sight]]) -> Sight:
        """What to say of a call that no fact came of: answered, not come to, or nothing to ask it of."""
        name, scope = one.call.name, Scope(self.target.name)
        made = (call for call in self.found.calls if call.scope.target == self.target.name)
        if any(_answers(call, one.call) and 200 <= call.status < 300 for call in made):
            return Sight(self.target.name, name, scope, State.SEEN)
        for type_ in sorted(t for t in self.needs.plan.types if name in self.needs.types[t].calls):
            for sight in (
                s for listing in self._listing_calls(type_) for s in by_call.get(listing.call.name, ())
            ):
                if sight.reason is not None and (sight.type, sight.fact) == (type_, None):
                    return self._sight(name, sight.scope, Unseen(sight.reason, sight.detail), type_, None)
        return Sight(self.target.name, name, scope, State.ABSENT, detail="there is nothing to ask it of")


def _answers(made: Call, call: CallSpec) -> bool:
    """Whether a request that was made is one of a declared kind."""
    method, _, template = call.request.partition(" ")
    asked, _, url = made.request.partition(" ")
    if (made.service, asked) != (call.service, method):
        return False
    path = template.partition("?")[0]
    if path == "/":
        return True
    pattern = re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(path))
    return re.search(f"{pattern}$", url.partition("?")[0]) is not None
