"""What the register of drills proves: what was measured, when the last one of a kind succeeded, and how
long it would take to carry all critical data out at the pace of an export that was tried.

An entry that leaves a measured value out is not failed but unknown: the value may stand in the minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from cloudaudit.facts.attribution import ATTRIBUTION, LABELLED, LABELS, READ_OF_SYSTEMS, STORES
from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    flag,
    merged,
    text,
    texts,
    unseen_anywhere,
    whole_number,
    why,
)
from cloudaudit.facts.kinds import hidden_part
from cloudaudit.facts.papers import READ_OF_PAPERS, Papers
from cloudaudit.facts.platform import CRITICAL, PLATFORM
from cloudaudit.model import MISSING, AtLeast, AtMost, Reason, Resource, Seconds, Unseen, Value, World

DRILL: Final = "drill"
SYSTEM: Final = "system"
_OF_SYSTEM: Final[Mapping[str, tuple[str, ...]]] = {
    "restore": ("measured_rpo", "measured_rto"),
    "failover": ("measured_rto",),
}
"""Kinds of drills that are about single systems, with what is told of the last one."""
_OF_PLATFORM: Final = (
    "control-plane-restore",
    "export",
    "ndc-connection-test",
    "reimport",
    "security-exercise",
)


# --- one drill ------------------------------------------------------------------------------------------

_MEASURED: Final[Mapping[str, tuple[str, str]]] = {
    "proven.rpo": ("measured_rpo", "the entry records no measured RPO"),
    "proven.rto": ("measured_rto", "the entry records no measured RTO"),
    "proven.checksum": ("checksum_ok", "the entry does not say whether the checksums agreed"),
}


def prepare(world: World) -> Derive:
    """How long ago a drill was held, and what it measured. One that is still to come has no age."""
    now = world.assessed_at

    def derive(drill: Resource) -> Derived:
        facts: dict[str, Value] = {}
        unseen: dict[str, Unseen] = {}
        date = _date(drill)
        if date is not None and date <= now:
            facts["age"] = now - date
        elif date is None:
            unseen["age"] = why(drill, "date")
        else:
            unseen["age"] = Unseen(Reason.INVALID_ANSWER, "its date lies after the assessment")
        for name, (recorded, untold) in _MEASURED.items():
            value = drill.facts.get(recorded, MISSING)
            kept = flag(value) if recorded == "checksum_ok" else whole_number(value)
            if kept is not None:
                facts[name] = kept
            else:
                unseen[name] = Unseen(Reason.PARTIAL, untold) if value is None else why(drill, recorded)
        return Derived(facts, unseen)

    return derive


def _date(drill: Resource) -> Seconds | None:
    return whole_number(drill.facts.get("date"))


# --- the last one of a kind -----------------------------------------------------------------------------


class _Held:
    """Drills that succeeded and are not still to come."""

    def __init__(self, world: World) -> None:
        self.missing = unseen_anywhere(world, DRILL)
        self._of: dict[str, list[Resource]] = {}
        self._blind: Unseen | None = None
        for drill in world.each(DRILL):
            kind, result, date = text(drill.facts.get("kind")), text(drill.facts.get("result")), _date(drill)
            if kind is None or result is None or date is None:
                lacking = "kind" if kind is None else "result" if result is None else "date"
                self._blind = self._blind or why(drill, lacking)
            elif result == "success" and date <= world.assessed_at:
                self._of.setdefault(kind, []).append(drill)

    def last(self, kind: str, system: str | None = None) -> Resource | Unseen | None:
        """The latest of a kind, that covered a system; None where there was none."""
        found = []
        for drill in self._of.get(kind, ()):
            covered = drill.facts.get("systems")
            if system is not None and not isinstance(covered, tuple):
                return why(drill, "systems")
            if system is None or system in texts(covered):
                found.append(drill)
        doubt = self.missing or self._blind
        return doubt or max(found, key=lambda drill: (_date(drill) or 0, drill.id), default=None)


def prepare_of_system(world: World) -> Derive:
    """The last drills that succeeded for a system, and what they measured."""
    held = _Held(world)

    def derive(system: Resource) -> Derived:
        facts: dict[str, Value] = {}
        unseen: dict[str, Unseen] = {}
        for kind, measured in _OF_SYSTEM.items():
            last = held.last(kind, system.id)
            names = {f"last_{kind}.date": "date"}
            names |= {f"last_{kind}.{name.removeprefix('measured_')}": name for name in measured}
            for fact, name in names.items():
                if isinstance(last, Unseen):
                    unseen[fact] = last
                elif last is None:
                    facts[fact] = None
                else:
                    value = last.facts.get(name, MISSING)
                    if value is None or whole_number(value) is not None:
                        facts[fact] = value
                    else:
                        unseen[fact] = why(last, name)
        return Derived(facts, unseen)

    return derive


def _fact_of(kind: str) -> str:
    return f"last_drill.{kind.replace('-', '_')}"


def prepare_of_platform(world: World) -> Derive:
    """The days of the last drills of each kind that succeeded."""
    held = _Held(world)
    found = {_fact_of(kind): held.last(kind) for kind in _OF_PLATFORM}
    derived = Derived(
        {name: one and _date(one) for name, one in found.items() if not isinstance(one, Unseen)},
        {name: one for name, one in found.items() if isinstance(one, Unseen)},
    )
    return lambda platform: derived


# --- carrying everything out ----------------------------------------------------------------------------

PLAN: Final = "exit-plan"
DAYS, SIZE = "export_days", "export_gib"
"""Figures of an exit plan: for how many days data can be fetched, and how much there is to fetch."""
_GIB: Final = 2**30
_FIGURE: Final = re.compile(r"[1-9][0-9]{0,11}")
_SIZED: Final = ("openstack.volume", "openstack.share")
_UNSIZED: Final = tuple(sorted(STORES))
"""How much buckets and containers hold is not asked of any store."""


class _Exit:
    """How much data critical systems have, and what the exit plans in force say of it."""

    def __init__(self, world: World) -> None:
        self.size, self.doubt = _size_of_critical(world)
        states = list(_plans(world))
        missing = unseen_anywhere(world, "attestation")
        self.unclear = missing or next((plan for plan in states if isinstance(plan, Unseen)), None)
        plans = [plan for plan in states if not isinstance(plan, Unseen)]
        self.window = min((days for days, _ in plans if days is not None), default=None)
        self.declared = max((size for _, size in plans if size is not None), default=None)

    def facts(self) -> Derived:
        facts: dict[str, Value] = {}
        unseen: dict[str, Unseen] = {}
        if self.unclear is None:
            facts["exit.window"], facts["exit.declared_gib"] = self.window, self.declared
        else:
            unseen |= {"exit.window": self.unclear, "exit.declared_gib": self.unclear}
            if self.window is not None:
                facts["exit.window"] = AtMost(self.window)
            if self.declared is not None:
                facts["exit.declared_gib"] = AtLeast(self.declared)
        facts["exit.gib"] = self.size if self.doubt is None else AtLeast(self.size)
        return Derived(facts, unseen if self.doubt is None else {**unseen, "exit.gib": self.doubt})

    def needed(self) -> tuple[int, Unseen | None]:
        """What has to be carried out, in GiB: the larger of what was seen and what is declared.

        With a doubt it is a least amount. What no store tells is taken from the plan, if it says so.
        """
        amount = max(self.size, self.declared or 0)
        if self.doubt is _NOT_ASKED and self.declared is not None:
            return amount, self.unclear
        return amount, self.doubt or self.unclear


_NOT_ASKED: Final = Unseen(
    Reason.PARTIAL, f"how much buckets and containers hold is not read; the exit plan can say it ({SIZE})"
)


def _size_of_critical(world: World) -> tuple[int, Unseen | None]:
    """GiB of volumes and shares of critical systems, and why there may be more.

    Which buckets and containers there are matters only so far that there may be one: none tells its size.
    """
    doubt = unseen_anywhere(world, SYSTEM) or hidden_part(world, _SIZED)
    system_of = ATTRIBUTION.prepare(world)
    size = 0
    for type_ in _SIZED:
        for resource in world.each(type_):
            held = whole_number(resource.facts.get("size_gb"))
            critical = _is_critical(system_of(resource))
            if isinstance(critical, Unseen):
                doubt = doubt or critical
            elif critical and held is None:
                doubt = doubt or why(resource, "size_gb")
            elif critical:
                size += held or 0
    stores = (_is_critical(system_of(store)) for type_ in _UNSIZED for store in world.each(type_))
    unsized = any(one is not False for one in stores) or hidden_part(world, _UNSIZED) is not None
    return size, doubt or (_NOT_ASKED if unsized else None)


def _is_critical(owner: Derived) -> bool | Unseen:
    """Whether what belongs to a system, as told by its attribution, is of a critical one."""
    unseen = owner.unseen.get("system")
    if unseen is not None:
        return False if unseen.reason is Reason.UNMAPPED else unseen
    criticality = text(owner.facts.get("system.criticality"))
    return (
        criticality in CRITICAL if criticality else Unseen(Reason.PARTIAL, "how critical it is is not known")
    )


def _plans(world: World) -> Iterator[tuple[int | None, int | None] | Unseen]:
    """Window in seconds and amount in GiB of each exit plan in force, or why one may be in force."""
    papers = Papers(world)
    for paper in world.each("attestation"):
        kind = text(paper.facts.get("kind"))
        if kind is None:
            yield why(paper, "kind")
        elif kind == PLAN:
            state = papers.of(paper)
            if "state" in state.unseen:
                yield state.unseen["state"]
            elif state.facts["state"] == "valid":
                days, size = _figure(paper, DAYS), _figure(paper, SIZE)
                if isinstance(days, Unseen):
                    yield days
                elif isinstance(size, Unseen):
                    yield size
                else:
                    yield days and days * 86400, size


def _figure(paper: Resource, name: str) -> int | Unseen | None:
    """A whole number above nought that a paper gives."""
    numbers = paper.facts.get("numbers")
    if not isinstance(numbers, Mapping):
        return why(paper, "numbers")
    if name not in numbers:
        return None
    written = text(numbers[name])
    if written is None or not _FIGURE.fullmatch(written):
        return Unseen(Reason.INVALID_ANSWER, f"'{name}' of {paper.id} is no whole number above nought")
    return int(written)


def prepare_exit(world: World) -> Derive:
    """How much there is to carry out, and how long an exit plan leaves for it."""
    derived = _Exit(world).facts()
    return lambda platform: derived


def prepare_pace(world: World) -> Derive:
    """How long all critical data would take at the pace of a drill."""
    needed, doubt = _Exit(world).needed()

    def derive(drill: Resource) -> Derived:
        moved, took = whole_number(drill.facts.get("bytes")), whole_number(drill.facts.get("seconds"))
        if not moved or not took:
            lacking = "bytes" if not moved else "seconds"
            untold = Unseen(Reason.PARTIAL, f"the entry records no {lacking}")
            recorded = drill.facts.get(lacking, MISSING)
            return Derived(
                unseen={"projected_time": untold if recorded in (None, 0) else why(drill, lacking)}
            )
        # Rounded up: a second too much is safe.
        whole = -(-needed * _GIB * took // moved)
        if doubt is None:
            return Derived({"projected_time": whole})
        return Derived({"projected_time": AtLeast(whole)}, {"projected_time": doubt})

    return derive


_READ: Final = ("kind", "result", "date")
_READ_OF_EXIT: Final = merged(
    READ_OF_SYSTEMS,
    {SYSTEM: ("criticality",)},
    {type_: LABELS for type_ in (*_SIZED, *_UNSIZED) if type_ in LABELLED},
    dict.fromkeys(_SIZED, ("size_gb",)),
    READ_OF_PAPERS,
    {"attestation": ("kind", "numbers")},
)
_TOLD: Final = tuple(
    f"last_{kind}.{name.removeprefix('measured_')}"
    for kind, measured in _OF_SYSTEM.items()
    for name in ("date", *measured)
)
DRILLS: Final = (
    Family(
        "drills",
        {DRILL: ("age", *_MEASURED)},
        {DRILL: ("date", *(recorded for recorded, _ in _MEASURED.values()))},
        prepare,
    ),
    Family(
        "drills",
        {SYSTEM: _TOLD},
        {SYSTEM: (), DRILL: (*_READ, "systems", "measured_rpo", "measured_rto")},
        prepare_of_system,
    ),
    Family(
        "drills",
        {PLATFORM: tuple(map(_fact_of, _OF_PLATFORM))},
        {PLATFORM: (), DRILL: _READ},
        prepare_of_platform,
    ),
    Family(
        "exit",
        {PLATFORM: ("exit.gib", "exit.declared_gib", "exit.window")},
        merged({PLATFORM: ()}, _READ_OF_EXIT),
        prepare_exit,
    ),
    Family(
        "exit",
        {DRILL: ("projected_time",)},
        merged({DRILL: ("bytes", "seconds")}, _READ_OF_EXIT),
        prepare_pace,
    ),
)
