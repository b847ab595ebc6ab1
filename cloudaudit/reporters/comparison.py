"""Two reports of one subject side by side: what is new, fixed, changed, still open, or out of view.

Findings are the same where their fingerprints are. Pure, over report.json alone; nothing here is a judgement
of its own, and what is merely no longer seen is never called fixed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cloudaudit.reporters.view import RANK, UNMET, Record, Report, gate_count, outcome

MOST_POINTS: Final = 12
"""Earlier reports that a trend shows."""
_FIGURES: Final = ("projects_declared", "projects_seen", "buckets_listed", "buckets_readable")
_VERSIONS: Final = ("profile", "catalogue", "tool")


@dataclass(frozen=True, slots=True)
class Change:
    """One finding in both reports. `record` is the present one where there is one, else the earlier."""

    record: Record
    was: str | None
    """Its outcome then: a verdict or `waived`. None: it was no finding to report."""
    now: str | None
    """Its outcome now. None: it is not seen any more."""


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """Something that was looked at and is not, or less of it. None now: all of it."""

    kind: str
    """target, service, answered, control, judged, listing, register or figure."""
    what: str
    before: int | None
    now: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The present report against one from before. Each open finding of either stands in one list."""

    earlier: Report
    new: tuple[Change, ...]
    fixed: tuple[Change, ...]
    """Open then, and shown to pass now."""
    changed: tuple[Change, ...]
    still_open: tuple[Change, ...]
    vanished: tuple[Change, ...]
    """Open then, and not in the report now; whether for good is not shown."""
    shrunk: tuple[Shrinkage, ...]
    gates: tuple[tuple[str, str, str], ...]
    """Id, state then, state now, of gates whose state differs."""
    versions: tuple[str, ...]
    """Which of profile, catalogue and tool were others then: figures of two yardsticks do not compare."""


@dataclass(frozen=True, slots=True)
class Point:
    """The figures of one report of a trend."""

    at: str
    level: int
    lower: float
    upper: float
    coverage: float
    gates_open: int
    gates_counted: int


def compare(report: Report, earlier: Report, passing: Collection[str] | None = None) -> Comparison:
    """Compare a report with an earlier one of its subject.

    `passing` holds the fingerprints that pass now, of those that were open then. Without it nobody can
    tell fixed from no longer looked at, and nothing is called fixed.
    """
    shared = _shared(report) | _shared(earlier)
    now, then = (_by_print(one, shared) for one in (report, earlier))
    new: list[Change] = []
    changed: list[Change] = []
    still: list[Change] = []
    for print_, record in now.items():
        before = then.get(print_)
        change = Change(record, outcome(before) if before else None, outcome(record))
        if before is None or before["verdict"] not in UNMET:
            new += [change] if record["verdict"] in UNMET else []
        elif _standing(before) == _standing(record):
            still.append(change)
        else:
            changed.append(change)
    fixed: list[Change] = []
    vanished: list[Change] = []
    for print_, record in then.items():
        if record["verdict"] in UNMET and print_ not in now:
            # Of several things with one fingerprint nobody can say which of them passes.
            passes = passing is not None and print_[0] in passing and print_[0] not in shared
            (fixed if passes else vanished).append(
                Change(record, outcome(record), "pass" if passes else None)
            )
    return Comparison(
        earlier,
        new=_in_order(new),
        fixed=_in_order(fixed),
        changed=_in_order(changed),
        still_open=_in_order(still),
        vanished=_in_order(vanished),
        shrunk=tuple(_shrunk(report, earlier)),
        gates=tuple(_gates(report, earlier)),
        versions=tuple(name for name in _VERSIONS if _version(report[name]) != _version(earlier[name])),
    )


def open_prints(report: Report) -> frozenset[str]:
    """Fingerprints of the findings of a report that are not met."""
    return frozenset(r["fingerprint"] for r in report["findings"] if r["verdict"] in UNMET)


def trend(report: Report, earlier: Sequence[Report]) -> tuple[Point, ...]:
    """The figures of up to twelve earlier reports and of this one, the oldest first."""
    newest = sorted(earlier, key=lambda one: str(one["assessed_at"]), reverse=True)[:MOST_POINTS]
    return tuple(_point(one) for one in (*reversed(newest), report))


def _point(report: Report) -> Point:
    readiness = report["readiness"]
    opened, counted = gate_count(report)
    score = readiness["score"]
    return Point(
        report["assessed_at"],
        readiness["level"],
        score["lower"],
        score["upper"],
        readiness["coverage"],
        opened,
        counted,
    )


def _shared(report: Report) -> frozenset[str]:
    """Fingerprints of several findings: they leave out region and project, where ids may be alike."""
    counts = Counter(record["fingerprint"] for record in report["findings"])
    return frozenset(print_ for print_, count in counts.items() if count > 1)


def _by_print(report: Report, shared: Collection[str]) -> dict[tuple[object, ...], Record]:
    """Findings by their fingerprints; those that share one by their places too, the worst of each first."""
    found: dict[tuple[object, ...], Record] = {}
    met: Counter[tuple[object, ...]] = Counter()
    for record in sorted(report["findings"], key=lambda one: RANK[outcome(one)]):
        print_, place = record["fingerprint"], record["resource"]
        if print_ not in shared:
            found[(print_,)] = record
            continue
        where = (print_, place["region"], place["project"])
        found[(*where, met[where])] = record
        met[where] += 1
    return found


def _standing(record: Record) -> tuple[str, object]:
    return outcome(record), record["reason_code"]


def _in_order(changes: Sequence[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda one: (one.record["control"], one.record["fingerprint"])))


def _version(part: Mapping[str, Any]) -> tuple[object, ...]:
    return part.get("id"), part["version"], part.get("sha256")


def _gates(report: Report, earlier: Report) -> Iterator[tuple[str, str, str]]:
    before = {gate["id"]: gate["state"] for gate in earlier["readiness"]["gates"]}
    for gate in report["readiness"]["gates"]:
        was = before.get(gate["id"])
        if was is not None and was != gate["state"]:
            yield gate["id"], was, gate["state"]


def _shrunk(report: Report, earlier: Report) -> Iterator[Shrinkage]:
    """What an earlier report looked at and this one does not. A shorter inventory can hide what is wrong."""
    left = {target["name"] for target in report["targets"]}
    for target in earlier["targets"]:
        if target["name"] not in left:
            yield Shrinkage("target", target["name"], None, None)
    services = {_service(entry): entry for entry in report["collection"]}
    for entry in earlier["collection"]:
        now = services.get(_service(entry))
        if now is None:
            yield Shrinkage("service", _service(entry), entry["asked"], None)
        elif now["asked"] < entry["asked"]:
            yield Shrinkage("service", _service(entry), entry["asked"], now["asked"])
        elif now["ok"] < entry["ok"]:
            yield Shrinkage("answered", _service(entry), entry["ok"], now["ok"])
    controls = {control["id"]: control for control in report["controls"]}
    for control in earlier["controls"]:
        after = controls.get(control["id"])
        if after is None:
            yield Shrinkage("control", control["id"], None, None)
            continue
        before, judged = (sum(one["counts"].values()) for one in (control, after))
        if judged < before:
            yield Shrinkage("judged", control["id"], before, judged)
        if control["listing_complete"] and not after["listing_complete"]:
            yield Shrinkage("listing", control["id"], None, None)
    kept = {register["kind"] for register in report["registers"]}
    for register in earlier["registers"]:
        if register["kind"] not in kept:
            yield Shrinkage("register", register["kind"], None, None)
    figures, past = report.get("collection_figures", {}), earlier.get("collection_figures", {})
    for name in _FIGURES:
        was, is_ = past.get(name), figures.get(name)
        if isinstance(was, int) and (not isinstance(is_, int) or is_ < was):
            yield Shrinkage("figure", name, was, is_ if isinstance(is_, int) else None)


def _service(entry: Mapping[str, Any]) -> str:
    return "/".join(part for part in (entry["target"], entry["region"], entry["service"]) if part)
