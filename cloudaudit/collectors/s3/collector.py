"""Reading one S3 endpoint: its buckets, each bucket's settings, and what the endpoint understands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from cloudaudit.collectors import Seen
from cloudaudit.collectors.s3.admin import CALLS as ADMIN_CALLS
from cloudaudit.collectors.s3.admin import TYPES as ADMIN_TYPES
from cloudaudit.collectors.s3.admin import Admin
from cloudaudit.collectors.s3.answers import Operation, Reading
from cloudaudit.collectors.s3.credentials import Signer
from cloudaudit.collectors.s3.listing import BucketList, list_buckets
from cloudaudit.collectors.s3.operations import operations
from cloudaudit.collectors.s3.store import Store, Visit, kind_of
from cloudaudit.collectors.s3.summary import BUCKET, HEAD, Summary
from cloudaudit.collectors.s3.target import S3Target
from cloudaudit.collectors.sightings import in_order
from cloudaudit.collectors.transport import CallLog, Clock, HttpClient, Limits, nfc, printable, tls_context
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope, Seconds, Unseen, Value

ENDPOINT: Final = "s3.endpoint"
LIST: Final = "s3.list_buckets"
NONSENSE_CALL: Final = "s3.unknown_subresource"
CAPABILITIES: Final = "s3.capabilities"
PROBES: Final = frozenset({"probe.tls", "probe.dns"})
_ABILITIES: Final = {
    CAPABILITIES: ("supported", "unsupported"),
    NONSENSE_CALL: ("answers_unknown_with_listing",),
}
_OF_ENDPOINT: Final = frozenset(_ABILITIES)
_NO_BUCKET: Final = Unseen(Reason.PARTIAL, "there is no bucket to ask")


class S3Collector:
    """Reads one S3 endpoint with signed GET and HEAD requests, and nothing else.

    TargetError at once when the target's files or profile are not there. `cancelled` ends pauses
    and further requests; `pause` stands in for waiting.
    """

    types = frozenset({ENDPOINT, BUCKET}) | ADMIN_TYPES

    def __init__(
        self,
        target: S3Target,
        *,
        now: Clock,
        cancelled: threading.Event | None = None,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self.name = target.name
        self._target = target
        self._now = now
        self._cancelled = cancelled
        self._pause = pause
        self._signer = Signer(target)
        self._admin = Signer(target, admin=True) if target.has_admin_key else None
        self._operations = operations(target.label_keys)
        self._opened: HttpClient | None = None
        self._lock = threading.Lock()
        if target.ca_file is not None:
            tls_context(target.ca_file)

    def scopes(self, log: CallLog) -> Iterable[Scope | Gap]:
        """One: an S3 endpoint shows the whole account of its keys."""
        return (Scope(self.name),)

    def collect(self, scope: Scope, wanted: frozenset[str], log: CallLog) -> Iterator[Seen]:
        """Buckets in the order of the list, then gaps and proofs, then the endpoint.

        HEAD goes before the settings of every bucket, wanted or not: without it their answers
        prove nothing.
        """
        asked = tuple(op for op in self._operations if op.call in wanted)
        kind = None
        if asked or wanted & {HEAD, LIST, *PROBES, *_OF_ENDPOINT}:
            store = Store(self._target, self._client(), self._signer, scope)
            run = _Run(self._target, store, scope, wanted, log, self._operations, asked, self._now)
            yield from run.everything()
            kind = run.kind
        if wanted & set(ADMIN_CALLS):
            yield from Admin(
                self._target, self._client(), self._admin, scope, wanted, log, self._now, kind
            ).everything()

    def _client(self) -> HttpClient:
        """The one client of the target, for both of its APIs: limits and deadline are the target's."""
        with self._lock:
            if self._opened is None:
                limits = Limits(
                    max_in_flight=self._target.max_in_flight,
                    rate=self._target.rate_limit,
                    deadline=self._target.deadline,
                )
                self._opened = HttpClient(
                    limits,
                    now=self._now,
                    ca_file=self._target.ca_file,
                    proxy=self._target.proxy,
                    cancelled=self._cancelled,
                    pause=self._pause,
                )
            return self._opened


@dataclass(slots=True)
class _Draft:
    """A resource in the making."""

    facts: dict[str, Value] = field(default_factory=dict)
    unseen: dict[str, Unseen] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)

    def take(self, groups: Iterable[str], result: Reading, offset: int = 0) -> None:
        """Take in what one answer says of some groups of facts."""
        self.facts.update(result.facts)
        for group in groups:
            if not result.state.answered:
                self.unseen[group] = Unseen(result.reason or Reason.INVALID_ANSWER, result.detail)
            if result.call is not None:
                self.sources[group] = result.call + offset


@dataclass(slots=True)
class _Run:
    """One reading of one endpoint."""

    target: S3Target
    store: Store
    scope: Scope
    wanted: frozenset[str]
    log: CallLog
    operations: tuple[Operation, ...]
    asked: tuple[Operation, ...]
    now: Clock
    found: BucketList | None = None
    """The account's list of buckets; None when it was not asked for."""
    kind: str | None = None
    """Which server it is, once everything was read; None where nothing answered."""

    @property
    def visiting(self) -> bool:
        """Whether every bucket is asked for something."""
        named = self.target.buckets != "all"
        return bool(self.asked) or HEAD in self.wanted or (named and LIST in self.wanted)

    def everything(self) -> Iterator[Seen]:
        named = None if self.target.buckets == "all" else tuple(dict.fromkeys(self.target.buckets))
        if LIST in self.wanted or (named is None and (self.visiting or self.wanted & _OF_ENDPOINT)):
            owner = self.target.expected_owner
            self.found = list_buckets(lambda query: self.store.ask(query, self.log), owner)
        names = named if named is not None else tuple(self.found.buckets) if self.found else ()
        summary = Summary(self.found)
        if self.visiting:
            yield from self._visits(names, summary)
            yield from summary.gaps(self.scope)
        elif LIST in self.wanted:
            yield from (self._bucket(name, None, 0) for name in names)
        if self.visiting or LIST in self.wanted:
            yield from self._completeness(named, summary)
        yield self._endpoint(names, summary)
        self.kind = summary.kind
        yield Listing(self.scope, ENDPOINT, 1, "the endpoint named in targets.yaml")

    def _visits(self, names: tuple[str, ...], summary: Summary) -> Iterator[Resource]:
        chosen = frozenset(names)
        if self.target.sample:
            # Of buckets that are named the others are looked at too, but for being there.
            chosen = frozenset(filter(None, [self.store.witness(names, self.log) or next(iter(names), None)]))
            names = names if self.target.buckets != "all" else tuple(chosen)

        def visit(name: str, own: CallLog) -> Visit:
            asked = self.asked if name in chosen else ()
            return self.store.visit(name, asked, owns=summary.lists(name), log=own)

        for seen, offset in in_order(names, visit, self.log, self.target.max_in_flight):
            if summary.add(seen, offset) and seen.name in chosen:
                yield self._bucket(seen.name, seen, offset)

    def _bucket(self, name: str, seen: Visit | None, offset: int) -> Resource:
        """The resource of a bucket; `offset` turns the call numbers of its visit into the scope's."""
        draft = _of_listing(name, self.found)
        at = self.found.at if self.found else None
        if seen is not None:
            at = at if seen.at is None else seen.at
            if seen.head.meaning.call is not None:
                draft.sources.setdefault("", seen.head.meaning.call + offset)
            for operation in self.asked:
                draft.take(operation.groups, seen.readings[operation.call], offset)
        return self._resource(BUCKET, name, nfc(name), at, draft)

    def _endpoint(self, names: tuple[str, ...], summary: Summary) -> Resource:
        target, found = self.target, self.found
        draft = _Draft({
            "url": target.endpoint, "scheme": target.scheme, "host": target.host,
            "swift.target": target.swift_target, "swift.project": target.swift_project,
            "swift.region": target.swift_region,
        })  # fmt: skip
        if found is not None:
            if found.answered:
                draft.facts["owner_id"] = found.owner
            elif found.doubt is not None:
                draft.unseen.update(owner_id=found.doubt, server_kind=found.doubt)
            if found.call is not None:
                draft.sources[""] = found.call
        if summary.kind is not None:
            draft.facts["server_kind"] = summary.kind
            draft.unseen.pop("server_kind", None)
        if self.wanted & _OF_ENDPOINT:
            witness = summary.witness if self.visiting else self.store.witness(names, self.log)
            self._try(witness, summary, draft)
        at = found.at if found else summary.at
        return self._resource(ENDPOINT, target.endpoint, target.name, at, draft)

    def _try(self, witness: str | None, summary: Summary, draft: _Draft) -> None:
        """Find out what the endpoint can do: what no bucket was asked is asked of one that we see."""
        if witness is None:
            draft.unseen.update({fact: _NO_BUCKET for call, facts in _ABILITIES.items() for fact in facts
                                 if call in self.wanted})  # fmt: skip
            return
        if CAPABILITIES in self.wanted:
            owns = summary.lists(witness)
            for operation in self.operations:
                if not summary.settled(operation):
                    result = self.store.ask_witness(witness, operation, owns=owns, log=self.log)
                    summary.learn(operation.call, result)
            draft.facts.update(summary.abilities(self.operations))
        if NONSENSE_CALL in self.wanted:
            draft.take(_ABILITIES[NONSENSE_CALL], self.store.ask_nonsense(witness, self.log))

    def _completeness(self, named: tuple[str, ...] | None, summary: Summary) -> Iterator[Seen]:
        """The proof that all buckets in question were seen, or why there is none."""
        found = self.found
        if named is None:
            if found is not None and found.doubt is None:
                yield Listing(self.scope, BUCKET, len(found.buckets), found.proof, found.call)
            elif found is not None and found.doubt is not None:
                yield Gap(self.scope, BUCKET, LIST, found.doubt.reason, found.doubt.detail, found.call)
            return
        if not summary.lost:
            call = found.call if found else summary.first_call
            yield Listing(self.scope, BUCKET, len(named), "the buckets named in targets.yaml", call)
        for name, head in summary.lost.items():
            detail = f"bucket '{printable(name, 80)}' named in targets.yaml: {head.detail}"
            yield Gap(self.scope, BUCKET, LIST, head.reason or Reason.AMBIGUOUS, detail, head.call)

    def _resource(self, type_: str, id_: str, name: str, at: Seconds | None, draft: _Draft) -> Resource:
        return Resource(
            type=type_,
            id=id_,
            name=name,
            scope=self.scope,
            at=self.now() if at is None else at,
            facts=draft.facts,
            endpoint=self.target.endpoint,
            unseen=draft.unseen,
            sources=draft.sources,
        )


def _of_listing(name: str, found: BucketList | None) -> _Draft:
    """What the list gives of a bucket: when it was made, whose it is."""
    draft = _Draft()
    if found is None:
        return draft
    if name not in found.buckets:
        why = found.doubt if not found.answered else None
        missing = why or Unseen(Reason.PARTIAL, "the bucket is not in the account's own list")
        draft.unseen.update(created_at=missing, owner_id=missing)
        return draft
    draft.facts["owner_id"] = found.owner
    created = found.buckets[name]
    if kind_of(found.headers) == "swift":
        draft.unseen["created_at"] = Unseen(Reason.NOT_IMPLEMENTED, "Swift gives every bucket the same date")
    elif created is None:
        draft.unseen["created_at"] = Unseen(Reason.INVALID_ANSWER, "the list gives no readable date")
    else:
        draft.facts["created_at"] = created
    if found.call is not None:
        draft.sources[""] = found.call
    return draft
