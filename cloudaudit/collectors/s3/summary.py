"""What the buckets of an endpoint say together: its abilities, and its refusals in few lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from cloudaudit.collectors.s3.answers import Operation, Reading, State
from cloudaudit.collectors.s3.listing import BucketList
from cloudaudit.collectors.s3.store import Visit, kind_of
from cloudaudit.collectors.transport import printable
from cloudaudit.model import Gap, Partial, Reason, Scope, Seconds, Value

BUCKET = "s3.bucket"
HEAD = "s3.head_bucket"


@dataclass(slots=True)
class _Trouble:
    """One reason for which one operation was not answered, over all buckets."""

    count: int
    first: str
    detail: str
    call: int | None


@dataclass(slots=True)
class Summary:
    """Grows visit by visit. `witness` is the first bucket that we see, `lost` are names without a bucket."""

    found: BucketList | None
    kind: str | None = None
    witness: str | None = None
    at: Seconds | None = None
    first_call: int | None = None
    lost: dict[str, Reading] = field(default_factory=dict)
    _troubles: dict[tuple[str, Reason], _Trouble] = field(default_factory=dict)
    _states: dict[str, set[State]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.found is not None and self.found.answered:
            self.kind = kind_of(self.found.headers) or "unknown"

    def lists(self, name: str) -> bool:
        """Whether a bucket is in the account's own list."""
        return self.found is not None and name in self.found.buckets

    def add(self, seen: Visit, offset: int) -> bool:
        """Count one visit. False when the bucket is only a name, of which nothing was seen."""
        if seen.at is not None:
            self.at = self.at if self.at is not None else seen.at
            if self.kind in (None, "unknown"):
                self.kind = seen.kind or "unknown"
        head = seen.head.meaning
        call = None if head.call is None else head.call + offset
        self.first_call = self.first_call if self.first_call is not None else call
        if seen.head.sees and self.witness is None:
            self.witness = seen.name
        if seen.head.blocks and not self.lists(seen.name) and head.state is not State.ELSEWHERE:
            self.lost[seen.name] = replace(head, call=call)
            return False
        if head.reason is not None:
            self._trouble(HEAD, seen.name, head, offset)
        for operation, result in seen.readings.items():
            self.learn(operation, result)
            if result.reason is not None and result is not head:
                self._trouble(operation, seen.name, result, offset)
        return True

    def learn(self, operation: str, result: Reading) -> None:
        """Take in what an answer says of the endpoint's abilities."""
        self._states.setdefault(operation, set()).add(result.state)

    def settled(self, operation: Operation) -> bool:
        """Whether it is known if the endpoint can do this."""
        return self.can(operation) is not None

    def can(self, operation: Operation) -> bool | None:
        """A real answer anywhere shows an ability; a refusal of the question, that there is none."""
        states = self._states.get(operation.call, set())
        if any(state.answered for state in states):
            return True
        return False if State.UNSUPPORTED in states else None

    def abilities(self, operations: Sequence[Operation]) -> dict[str, Value]:
        """Both lists, by the names of the S3 API; partial as long as one operation is not settled."""
        supported = tuple(sorted(op.api for op in operations if self.can(op) is True))
        unsupported = tuple(sorted(op.api for op in operations if self.can(op) is False))
        if all(map(self.settled, operations)):
            return {"supported": supported, "unsupported": unsupported}
        return {"supported": Partial(supported), "unsupported": Partial(unsupported)}

    def gaps(self, scope: Scope) -> Iterator[Gap]:
        """One gap for each operation and reason: a thousand buckets refuse in one line."""
        for (operation, reason), trouble in sorted(self._troubles.items()):
            buckets = "1 bucket" if trouble.count == 1 else f"{trouble.count} buckets"
            detail = f"{buckets}, the first '{printable(trouble.first, 80)}': {trouble.detail}"
            yield Gap(scope, BUCKET, operation, reason, detail, trouble.call, listing=False)

    def _trouble(self, operation: str, bucket: str, result: Reading, offset: int) -> None:
        reason = result.reason or Reason.INVALID_ANSWER
        known = self._troubles.get((operation, reason))
        if known is not None:
            known.count += 1
            return
        call = None if result.call is None else result.call + offset
        self._troubles[operation, reason] = _Trouble(1, bucket, result.detail, call)
