"""The words of cloudaudit as frozen types: one meaning each, the same in code, YAML and reports.

Knows nothing of files, networks, clocks or formats. Times are whole seconds of UTC since
the epoch, durations whole seconds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, StrEnum
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias

Seconds: TypeAlias = int
"""A duration, or a moment of UTC since 1970, in whole seconds."""

EMPTY: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Text:
    """A text in both languages. Vietnamese is the leading one."""

    vi: str
    en: str


# --- values of facts ---------------------------------------------------------------------------


class Missing(Enum):
    """The type of :data:`MISSING`: a fact that was not seen. Null, by contrast, is a value."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class AtMost:
    """A number known only from above: it is `limit` or less. Made by derivations over incomplete input."""

    limit: int | float


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A number known only from below: it is `limit` or more."""

    limit: int | float


@dataclass(frozen=True, slots=True)
class Partial:
    """A list of which only these items were seen; there may be more."""

    items: tuple[object, ...]


# Value of a fact: None (known to be empty), bool, int, float, str, tuple (a complete list),
# Mapping (a record), or one of AtMost, AtLeast, Partial.
Value: TypeAlias = object
Facts: TypeAlias = Mapping[str, Value]

AT: Final = "@at"
"""Name under which judged facts carry their clock: when observed things were collected, or the assessment."""


class FactType(StrEnum):
    """Types a fact can be declared with in `resources/`."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"
    TIME = "time"
    """A moment. RFC 3339 text in files, seconds since the epoch in memory."""
    DURATION = "duration"
    """Whole seconds in snapshots; ISO 8601 text (weeks to seconds) in files people write."""
    ADDRESS = "address"
    """An IP address or network in CIDR notation, as text."""
    PORTS = "ports"
    """An inclusive range of ports, as a list of two integers."""
    MAP = "map"
    """Names to strings; a single entry is read as `fact.key`."""
    LIST = "list"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class FactSpec:
    """Declaration of one fact: what it means, where it comes from, and what values it takes."""

    name: str
    type: FactType
    nullable: bool = False
    items: FactSpec | None = None
    """Of a list: its elements."""
    fields: Mapping[str, FactSpec] = field(default_factory=dict)
    """Of a record: its fields."""
    meaning: Text = Text("", "")
    call: str = ""
    api_field: str = ""
    derived: str = ""
    """Name of the derivation that gives it, if it is derived."""
    words: Mapping[str, Text] = field(default_factory=dict)
    """Of a text that is one of a few: how each is told."""

    @property
    def kind(self) -> str:
        """The type as people read it: `list of record (id, enabled), or null`."""
        inner = f" of {self.items.type.value}" if self.items else ""
        fields = self.items.fields if self.items else self.fields
        parts = f" ({', '.join(fields)})" if fields else ""
        return f"{self.type.value}{inner}{parts}{', or null' if self.nullable else ''}"


@dataclass(frozen=True, slots=True)
class CallSpec:
    """A reading call of a collector. `lists`: its complete success proves the listing of its type."""

    name: str
    service: str
    request: str
    """Verb and path below the address of the service, what differs from one to the next in braces."""
    lists: bool = False
    per: str = ""
    """What it is made once for, where the collector's own parts do not tell; see cloudaudit.planned."""
    also: tuple[str, ...] = ()
    """Further requests that go with it: for lists it stands on, or for each thing it found."""
    vantage: str = ""
    """The only vantage it is made from; empty for all."""
    permission: str = ""
    """What an object store's policy calls the right to it; `caps:` goes before one of Ceph's admin caps."""
    ceph: str | None = None
    """Ceph's own name of that right. None: Ceph's policies have no name for it."""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A kind of thing with its facts, as declared in `resources/`."""

    name: str
    title: Text
    declared: bool
    service: str
    facts: Mapping[str, FactSpec]
    calls: Mapping[str, CallSpec] = field(default_factory=dict)


COMMON_FACTS: Final[Mapping[str, FactSpec]] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            FactSpec("id", FactType.STRING, meaning=Text("Mã định danh", "Identifier")),
            FactSpec("name", FactType.STRING, meaning=Text("Tên", "Name")),
            FactSpec("target", FactType.STRING, meaning=Text("Đích đánh giá", "Target")),
            FactSpec("region", FactType.STRING, nullable=True, meaning=Text("Vùng", "Region")),
            FactSpec("project", FactType.STRING, nullable=True, meaning=Text("Dự án", "Project")),
        )
    }
)
"""Facts of every resource, of whatever type."""


# --- times and durations in texts people write ---------------------------------------------------

_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)
_CALENDAR = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?", re.ASCII)
VIETNAM: Final = timezone(timedelta(hours=7))


def parse_duration(text: str) -> Seconds:
    """Read an ISO 8601 duration from weeks to seconds. Months and years have no fixed length: ValueError."""
    found = _DURATION.fullmatch(text)
    if not found or text.endswith(("P", "T")):
        if _CALENDAR.fullmatch(text) and text != "P":
            raise ValueError(f"'{text}' has months or years, which differ in length; write days, as in P365D")
        raise ValueError(f"'{text}' is no duration; write it as in PT24H, P7D or P2W")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds


def parse_calendar(text: str) -> tuple[int, int]:
    """Read a calendar duration such as P12M or P1Y as (months, days)."""
    found = _CALENDAR.fullmatch(text)
    if not found or text == "P":
        raise ValueError(f"'{text}' is no calendar duration; write it as in P12M or P1Y")
    years, months, days = (int(part or 0) for part in found.groups())
    return years * 12 + months, days


def parse_time(text: str) -> Seconds:
    """Read a moment: RFC 3339 with an offset, or a bare date, which begins at midnight in Viet Nam."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is no time; write 2026-11-22 or 2026-11-22T08:00:00+07:00") from None
    if len(text) == 10:
        moment = moment.replace(tzinfo=VIETNAM)
    elif moment.tzinfo is None:
        raise ValueError(f"'{text}' has no offset from UTC; write 2026-11-22T08:00:00+07:00 or …Z")
    try:
        return int(moment.astimezone(UTC).timestamp())
    except OverflowError:
        raise ValueError(f"'{text}' lies outside the years 1 to 9999 of UTC") from None


@lru_cache(maxsize=4096)
def format_time(moment: Seconds) -> str:
    """Write a moment as RFC 3339 in UTC. The year has four digits, which not every strftime gives it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


# --- what was seen, and what was not ------------------------------------------------------------


class Reason(StrEnum):
    """Why something is not known."""

    NO_PERMISSION = "no_permission"
    SERVICE_ABSENT = "service_absent"
    NOT_IMPLEMENTED = "not_implemented"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    THROTTLED = "throttled"
    PARTIAL = "partial"
    INVALID_ANSWER = "invalid_answer"
    STALE = "stale"
    REGISTER_MISSING = "register_missing"
    UNMAPPED = "unmapped"
    AMBIGUOUS = "ambiguous"
    HASH_MISMATCH = "hash_mismatch"
    URL_UNREACHABLE = "url_unreachable"
    NOT_COLLECTED = "not_collected"
    """The snapshot was made for a plan that did not ask for this."""
    AFTER_DEPLOYMENT = "after_deployment"
    """Of what is not deployed yet: the value is known only once it is."""
    NOT_DESCRIBED = "not_described"
    """A plan, state or template does not tell this, whatever it declares."""
    WITHHELD = "withheld"
    """It is marked as a secret, and is not read."""


CODE_KINDS: Final = frozenset({"terraform", "heat"})
"""Kinds of targets that are files: what is not deployed yet, or is kept as code. No cloud is asked."""
EVERYWHERE: Final = ("*", "registers")
"""Targets of scopes for what is declared: it is of no target, and counts for all of them."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a fact was asked: target, and within it region and project, or none."""

    target: str
    region: str | None = None
    project: str | None = None

    def key(self) -> tuple[str, str, str]:
        return (self.target, self.region or "", self.project or "")

    def overlaps(self, other: Scope) -> bool:
        """Whether two scopes have anything in common. A scope without region or project has all of them."""
        return (
            (self.target == other.target or self.target in EVERYWHERE or other.target in EVERYWHERE)
            and (self.region is None or other.region is None or self.region == other.region)
            and (self.project is None or other.project is None or self.project == other.project)
        )

    def __str__(self) -> str:
        """`target/region/project` as far as it goes; `*` keeps the place of a region before a project."""
        region = self.region or ("*" if self.project else None)
        return "/".join(part for part in (self.target, region, self.project) if part)


@dataclass(frozen=True, slots=True)
class Call:
    """One request a collector made. The call log of a snapshot is what evidence points to.

    `request` is verb and path with query, without host and never with a secret; `at` is the
    server's Date, or ours where it sent none; `digest` the SHA-256 of the answer's bytes.
    """

    number: int
    scope: Scope
    service: str
    request: str
    status: int
    at: Seconds
    request_id: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Unseen:
    """Why a fact of a resource is missing."""

    reason: Reason
    detail: str = ""


BEYOND: Final = "the code declares what it deploys; the cloud may have others"
"""Why a list of what code declares does not prove that there is nothing else."""


@dataclass(frozen=True, slots=True)
class Written:
    """The place in somebody's files where code declares a resource that is to be deployed.

    `path` is relative, with forward slashes, as a repository names it. Lines count from 1; None: only the
    file is known. `lines` holds those of single facts, by fact or group, where they stand on their own.
    """

    path: str
    line: int | None = None
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, facts: Iterable[str]) -> int | None:
        """The line of the first of these facts that stands on one of its own, else that of the resource."""
        for fact in facts:
            found = self.lines.get(fact) or self.lines.get(fact.split(".", 1)[0])
            if found:
                return found
        return self.line


@dataclass(frozen=True, slots=True)
class Resource:
    """One configured or declared thing.

    Identity is target, endpoint, type and id. `facts` holds what was seen (a key that is not there
    was not seen) under the dotted names declared in `resources/`; `id`, `name`, `target`, `region`
    and `project` are facts too. `unseen` explains missing facts, by fact or by group (the part of
    a name before the first dot, or "" for the whole resource). `sources` names the number of the
    call each group came from; "" is the default.
    """

    type: str
    id: str
    scope: Scope
    at: Seconds
    facts: Facts
    name: str = ""
    endpoint: str = ""
    unseen: Mapping[str, Unseen] = field(default_factory=dict)
    sources: Mapping[str, int] = field(default_factory=dict)
    beside: Mapping[str, tuple[Reading, ...]] | None = None
    """Of derived facts: facts of other resources that one stands on, by its name. Never collected."""
    written: Written | None = None
    """Of what is not deployed yet: where code declares it."""

    def why_missing(self, fact: str) -> Unseen | None:
        """The reason nearest to `fact`: its own, its group's, or the whole resource's."""
        group = fact.split(".", 1)[0]
        return self.unseen.get(fact) or self.unseen.get(group) or self.unseen.get("")

    def source_of(self, fact: str) -> int | None:
        """The number of the call `fact` came from, or None for a declared one."""
        for key in (fact, fact.split(".", 1)[0], ""):
            if key in self.sources:
                return self.sources[key]
        return None


@dataclass(frozen=True, slots=True)
class Gap:
    """A thing not seen. First-class: stored, reported, and never a pass."""

    scope: Scope
    type: str
    operation: str
    reason: Reason
    detail: str = ""
    call: int | None = None
    listing: bool = True
    """False: things were listed, and only a kind of fact could not be read of some, which say so."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that was read to its end, with the reason why an empty answer would be trustworthy."""

    scope: Scope
    type: str
    count: int
    proof: str
    call: int | None = None
    open: bool = False
    """All that one code declares was read; the cloud it is deployed to may have more."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one scope of a collection came to that was read to its end, before others were merged into it.

    `scope` is the piece of work, which may have seen things of other scopes; `at` is when it began, by
    our clock. Call numbers are places in the log of the whole collection.
    """

    scope: Scope
    at: Seconds
    seen: tuple[Resource | Listing | Gap, ...]


# --- controls -----------------------------------------------------------------------------------


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def weight(self) -> int:
        """Weight of a control in its dimension's score (readiness specification, section 4)."""
        return {"low": 1, "medium": 3, "high": 5, "critical": 8}[self.value]

    def at_least(self, other: Severity) -> bool:
        return self.weight >= other.weight


class Method(StrEnum):
    """How a control is examined."""

    TECHNICAL = "T"
    PUBLISHED = "P"
    DRILL = "D"
    MANUAL = "M"


class Basis(StrEnum):
    """What the conclusion stands on. `assurance` is its factor in the assurance figure."""

    OBSERVED = "O"
    OBSERVED_DECLARED = "O+D"
    ATTESTED_OBSERVED = "A+O"
    ATTESTED = "A"

    @property
    def assurance(self) -> Fraction:
        return {
            "O": Fraction(1),
            "O+D": Fraction(8, 10),
            "A+O": Fraction(7, 10),
            "A": Fraction(5, 10),
        }[self.value]


DIMENSIONS: Final = ("RES", "BDR", "POR", "SEC", "DAT", "COM", "NDC")


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    MANUAL_PENDING = "manual_pending"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Reading:
    """One fact a verdict stood on: of which resource, its value, and why it is missing if it is."""

    resource: Resource
    fact: str
    value: Value
    unseen: Unseen | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a check says of one resource (True, False, or None for unknown) and the facts that decided it."""

    value: bool | None
    readings: tuple[Reading, ...] = ()


class World(Protocol):
    """What a check and a derivation can see beside the resource in hand. Frozen while judging."""

    @property
    def assessed_at(self) -> Seconds: ...

    def related(self, join: Join) -> JoinIndex:
        """The index of one declared join, built in the first pass."""

    def each(self, type_: str) -> Iterable[Resource]:
        """All resources of a type, in order of identity."""

    def gaps_of(self, type_: str) -> Sequence[Gap]:
        """What was not seen of a type; empty when its listing is complete."""

    def listings_of(self, type_: str) -> Sequence[Listing]: ...


@dataclass(frozen=True, slots=True)
class Join:
    """A look-up of other resources of `type`, whose facts `on[i][0]` equal ours `on[i][1]`."""

    type: str
    on: tuple[tuple[str, str], ...] = ()


class JoinIndex(Protocol):
    """Resources of a join by key. `unseen` is set when the listing behind it is incomplete."""

    @property
    def unseen(self) -> Unseen | None: ...

    @property
    def open(self) -> bool:
        """Whether a list behind it is open: there may be others, with ids of their own."""

    def get(self, key: tuple[Value, ...]) -> Sequence[Resource]: ...


@dataclass(slots=True)
class Frame:
    """What a condition can see beside the facts in hand while it is judged. One per thread, reused."""

    world: World
    item: Value = None
    """The element a quantifier is looking at."""
    resource: Resource | None = None
    """The resource whose facts are in hand; set only while explaining."""
    outer: Facts = field(default_factory=dict)
    """Inside `related`: the facts of the judged resource."""
    outer_resource: Resource | None = None


class Check(Protocol):
    """A compiled condition of the control language."""

    @property
    def reads(self) -> frozenset[str]:
        """Facts of the judged resource that the condition can read."""

    @property
    def joins(self) -> frozenset[Join]: ...

    @property
    def related_reads(self) -> frozenset[tuple[str, str]]:
        """(type, fact) of other resources that the condition can read."""

    @property
    def judge(self) -> Callable[[Facts, Frame], bool | None]:
        """The value alone, fast. The facts hold derived ones too, and AT."""

    def explain(self, resource: Resource, frame: Frame) -> Explanation:
        """The same value, with the facts that decided it."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value a profile can set. `source` says who set the default: a law, or we (proposed-default)."""

    spec: FactSpec
    default: Value
    source: str

    @property
    def name(self) -> str:
        return self.spec.name


@dataclass(frozen=True, slots=True)
class Remediation:
    text: Text
    cli: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A made-up resource and the verdict the control must give on it."""

    expect: Verdict
    document: Mapping[str, object]
    line: int


@dataclass(frozen=True, slots=True)
class Control:
    """One checkable statement, as loaded from its file with the parameters of a profile."""

    id: str
    version: str
    title: Text
    severity: Severity
    method: Method
    basis: Basis
    applies_to: tuple[str, ...]
    check: Check | None
    message: Text
    """What was found, whatever the verdict."""
    limits: Text
    remediation: Remediation
    where: Check | None = None
    not_applicable_when: Check | None = None
    expired_when: Check | None = None
    pending_when: Check | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    """The parameters in force: defaults, as tailored by the profile."""
    obligations: tuple[str, ...] = ()
    frameworks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    path: str = ""
    digest: str = ""
    violation: Text | None = None
    """What is said instead where the control fails or a paper has expired."""

    @property
    def dimension(self) -> str:
        return self.id.split("-", 1)[0]

    @property
    def sentences(self) -> tuple[Text, ...]:
        """Every sentence the control tells of a resource with."""
        return (self.message,) if self.violation is None else (self.message, self.violation)

    def sentence(self, verdict: Verdict) -> Text:
        """The one for a verdict."""
        broken = verdict in (Verdict.FAIL, Verdict.EXPIRED)
        return self.violation if broken and self.violation is not None else self.message

    @property
    def conditions(self) -> tuple[Check, ...]:
        """Every compiled condition, in the order they are judged."""
        found = (self.where, self.not_applicable_when, self.expired_when, self.pending_when, self.check)
        return tuple(c for c in found if c is not None)


class SourceState(StrEnum):
    """How well the text of an obligation is known to us."""

    QUOTED = "quoted"
    REPORTED = "reported"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Obligation:
    """A clause of a law or standard that controls serve. `quote` is Vietnamese, from the named source."""

    id: str
    source: str
    clause: str
    quote: str
    translation: str
    state: SourceState
    legal_state: str
    address: str = ""
    kind: str = "other"
    """law, decree, decision, circular, plan, letter, standard: decides who may waive."""
    actors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    id: str
    title: Text
    controls: tuple[str, ...]
    final: bool = False
    """A gate of the last level only: it affects no other level, no coverage and no score."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a profile demands of a parameter: at_most, at_least, equals, contains_all or subset_of a value."""

    parameter: str
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit that the value in force breaks; `detail` has both as they are written in the files."""

    limit: Limit
    detail: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A selection and tailoring of controls, with the roll-up's weights, gates and thresholds."""

    id: str
    version: str
    title: Text
    publisher: Text
    official: bool
    kind: str
    """provider or agency: whose duties are selected."""
    controls: tuple[Control, ...]
    excluded: Mapping[str, Text]
    """Controls left out, with the reason: agency duties in provider scope among them."""
    weights: Mapping[str, Fraction]
    gates: tuple[Gate, ...]
    thresholds: Mapping[str, Mapping[str, Fraction]]
    digest: str
    notice: Text
    changed: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    """Parameters that differ from the controls' defaults."""
    limits: Mapping[str, tuple[Limit, ...]] = field(default_factory=dict)
    """What the profile, and those it builds on, demand of parameters, by control."""
    loosened: Mapping[str, tuple[Excess, ...]] = field(default_factory=dict)
    """Controls whose parameters break a limit of the profile."""


# --- judging ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """A control's verdict on one resource, or on a scope that could not be seen.

    `weight` is 4, 2 or 1 by the criticality of the system the resource belongs to, None when it
    belongs to none. `waiver` holds the id of a waiver that applies; the verdict stays.
    """

    control: Control
    resource: Resource
    verdict: Verdict
    reason: Reason | None = None
    detail: str = ""
    weight: int | None = None
    waiver: str | None = None
    refused_waiver: Text | None = None
    explanation: Explanation = Explanation(None)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of control and identity, with target and region for the endpoint: no versions, no texts."""
        resource = self.resource
        region = None if "region" in resource.unseen else resource.scope.region
        return fingerprint(self.control.id, resource.scope.target, resource.type, resource.id, region)


def fingerprint(control: str, target: str, type_: str, id_: str, region: str | None = None) -> str:
    """What stays the same of a finding from run to run.

    A region of its own has endpoints of its own, and its zone or image service may be called as another's.
    """
    parts = (control, target, type_, id_) if region is None else (control, target, region, type_, id_)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@dataclass(slots=True)
class Tally:
    """Counts of one control's findings. Weights per verdict of attributed ones; the others are counted.

    Keys are the verdicts and `waived` (a fail or expired finding whose waiver holds).
    """

    counts: dict[str, int] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    unattributed: dict[str, int] = field(default_factory=dict)
    listing_complete: bool = True

    def add(self, key: str, weight: int | None, count: int = 1) -> None:
        """Add findings of one key and weight."""
        if not count:
            return
        self.counts[key] = self.counts.get(key, 0) + count
        if weight is None:
            self.unattributed[key] = self.unattributed.get(key, 0) + count
        else:
            self.weights[key] = self.weights.get(key, 0) + weight * count

    @property
    def verdict(self) -> str:
        """The control's verdict: pass if all pass, else the worst (readiness specification, section 4)."""
        for key in ("fail", "expired", "unknown", "manual_pending", "waived", "pass"):
            if self.counts.get(key):
                return key
        return "not_applicable"


@dataclass(frozen=True, slots=True)
class Claim:
    """A published commitment against observation: upheld, refuted, unverified or not_observable."""

    id: str
    state: str


Sink: TypeAlias = Callable[[Finding], None]


class Evidence(Protocol):
    """A snapshot as judging sees it. Reading it streams; nothing is fetched."""

    @property
    def digest(self) -> str: ...

    @property
    def collected_at(self) -> Seconds: ...

    @property
    def types(self) -> frozenset[str]:
        """Types the plan asked for."""

    @property
    def targets(self) -> Mapping[str, bool]:
        """The targets that were read, by name, and of each whether it is code of what is to be deployed."""

    def each(self, type_: str) -> Iterator[Resource]: ...

    def gaps(self) -> Sequence[Gap]: ...

    def listings(self) -> Sequence[Listing]: ...

    def call(self, number: int) -> Call: ...


# --- readiness ----------------------------------------------------------------------------------


class GateState(StrEnum):
    OPEN = "open"
    CONDITIONAL = "conditional"
    INDETERMINATE = "indeterminate"
    BLOCKED = "blocked"
    OUT_OF_SCOPE = "out_of_scope"
    """The gate holds only duties of the other party: printed "ngoài phạm vi", counted nowhere."""


@dataclass(frozen=True, slots=True)
class GateResult:
    gate: Gate
    state: GateState


@dataclass(frozen=True, slots=True)
class DimensionResult:
    """Figures of one dimension, per cent as exact rationals. None assurance: nothing passed."""

    id: str
    weight: Fraction
    lower: Fraction
    upper: Fraction
    coverage: Fraction
    assurance: Fraction | None
    not_applicable: bool = False


@dataclass(frozen=True, slots=True)
class Readiness:
    """Gates, score interval, coverage, assurance, weakest dimension and level of one subject."""

    level: int
    level_label: Text
    gate_state: GateState
    gates: tuple[GateResult, ...]
    lower: Fraction
    upper: Fraction
    weakest: DimensionResult | None
    coverage: Fraction
    collection_coverage: Fraction
    assurance: Fraction | None
    dimensions: tuple[DimensionResult, ...]
    contradictions: int
    unverified_claims: int
    reasons: tuple[Text, ...] = ()
    """Why the level is not higher, in the order of the specification."""
