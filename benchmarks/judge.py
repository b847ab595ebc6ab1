"""Judging speed: 100 controls on 100,000 resources, against the same work in hand-written Python.

    python benchmarks/judge.py [RESOURCES]

Prints CPU seconds, peak memory and the ratio to the hand-written baseline of the same run. One core,
no report written; machines are noisy, so read the ratio and not the seconds.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudaudit.assessment import Declared, assess
from cloudaudit.errors import Where
from cloudaudit.facts import DERIVATIONS
from cloudaudit.model import (
    Basis,
    Call,
    Control,
    FactSpec,
    FactType,
    Gap,
    Listing,
    Method,
    Profile,
    Remediation,
    Resource,
    ResourceType,
    Scope,
    Severity,
    Text,
)  # fmt: skip
from cloudaudit.predicate import Compiler
from cloudaudit.snapshot import Contents, Snapshot, write

NOW = 1_760_000_000
NOTHING = Text("", "")
KINDS = ("bench.volume", "bench.rule")
"""Half of the resources are volumes, half rules; each control applies to one kind, so half the pairs apply."""


def facts(kind: str) -> dict[str, FactSpec]:
    names: dict[str, tuple[str, bool]] = {
        "status": ("string", False), "size": ("integer", False), "zone": ("string", True), "created": ("time", False),
        "encrypted": ("boolean", False), "prefix": ("address", True), "low": ("integer", True), "labels": ("map", False),
    }  # fmt: skip
    return {n: FactSpec(n, FactType(t), nullable=null, call="bench") for n, (t, null) in names.items()}


TYPES = {kind: ResourceType(kind, NOTHING, False, "bench", facts(kind)) for kind in KINDS}
ZONES = ("hn-1", "hn-2", "hcm-1", "sg-1", None)


def make(kind: str, n: int, rng: random.Random) -> Resource:
    values: dict[str, Any] = {
        "status": rng.choice(["available", "in-use", "error"]), "size": rng.randrange(1000), "zone": rng.choice(ZONES),
        "created": NOW - rng.randrange(90 * 86400), "encrypted": rng.random() < 0.7,
        "prefix": rng.choice(["10.1.0.0/16", "0.0.0.0/0", "192.0.2.0/24"]), "low": rng.choice([22, 80, 443, None]),
        "labels": {"data_class": rng.choice(["open", "core", "internal"])},
    }  # fmt: skip
    return Resource(
        kind, f"{kind}-{n:07d}", Scope("cloud", "hn", f"project-{n % 50}"), NOW, values, sources={"": 0}
    )


CONDITIONS: tuple[Mapping[str, Any], ...] = (
    {"fact": "zone", "in": ["hn-1", "hn-2", "hcm-1"]},
    {"any_of": [{"fact": "encrypted", "equals": True}, {"fact": "labels.data_class", "equals": "open"}]},
    {"fact": "created", "age_at_most": "P30D"},
    {"all_of": [{"fact": "status", "not_equals": "error"}, {"fact": "size", "at_most": 500}]},
    {"not": {"all_of": [{"fact": "prefix", "equals": "0.0.0.0/0"}, {"fact": "low", "in": [22, 3389]}]}},
)


def by_hand(n: int) -> Any:
    """The same five conditions as an engineer would write them, unknown included."""

    def zone(f: Mapping[str, Any], at: int) -> bool | None:
        return f["zone"] in ("hn-1", "hn-2", "hcm-1") if "zone" in f else None

    def protected(f: Mapping[str, Any], at: int) -> bool | None:
        if "encrypted" in f and f["encrypted"] is True:
            return True
        if "labels" in f and f["labels"].get("data_class") == "open":
            return True
        return None if "encrypted" not in f or "labels" not in f else False

    def fresh(f: Mapping[str, Any], at: int) -> bool | None:
        return at - f["created"] <= 30 * 86400 if "created" in f else None

    def sound(f: Mapping[str, Any], at: int) -> bool | None:
        if "status" in f and f["status"] == "error":
            return False
        if "size" in f and f["size"] > 500:
            return False
        return None if "status" not in f or "size" not in f else True

    def closed(f: Mapping[str, Any], at: int) -> bool | None:
        if "prefix" in f and f["prefix"] != "0.0.0.0/0":
            return True
        if "low" in f and f["low"] not in (22, 3389):
            return True
        return None if "prefix" not in f or "low" not in f else False

    return (zone, protected, fresh, sound, closed)[n % 5]


def control(n: int) -> Control:
    kind = KINDS[n % 2]
    compiler = Compiler(TYPES[kind].facts, kind, TYPES, {}, {}, lambda pointer: Where("bench"))
    check = compiler.compile(CONDITIONS[(n // 2) % 5], ("check",))
    assert not compiler.problems, compiler.problems
    return Control(
        f"BEN-{n:03d}", "1.0.0", NOTHING, Severity.HIGH, Method.TECHNICAL, Basis.OBSERVED, (kind,), check, NOTHING,
        NOTHING, Remediation(NOTHING),
    )  # fmt: skip


def judge(folder: Path, controls: Sequence[Control]) -> tuple[float, int]:
    """CPU seconds and number of verdicts of the product, reading the snapshot from disk included."""
    profile = Profile(
        "bench", "1", NOTHING, NOTHING, False, "provider", tuple(controls), {}, {}, (), {}, "", NOTHING
    )  # fmt: skip
    start = time.process_time()
    result = assess(Snapshot(folder, TYPES), Declared({}), profile, DERIVATIONS, {}, at=NOW)
    return time.process_time() - start, sum(sum(t.counts.values()) for t in result.tallies.values())


def baseline(folder: Path, controls: Sequence[Control]) -> tuple[float, int]:
    """The same verdicts by hand-written functions over the same file, with a count per control and verdict."""
    start = time.process_time()
    evidence = Snapshot(folder, TYPES)
    verdicts = 0
    for kind in KINDS:
        checks = [(c.id, by_hand(n // 2)) for n, c in enumerate(controls) if c.applies_to[0] == kind]
        counts: dict[tuple[str, bool | None], int] = {}
        for one in evidence.each(kind):
            for id_, check in checks:
                key = (id_, check(one.facts, one.at))
                counts[key] = counts.get(key, 0) + 1
        verdicts += sum(counts.values())
    return time.process_time() - start, verdicts


def run(what: str, folder: Path) -> None:
    controls = [control(n) for n in range(100)]
    seconds, verdicts = (judge if what == "judge" else baseline)(folder, controls)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    json.dump({"cpu": seconds, "verdicts": verdicts, "peak_mib": peak}, sys.stdout)


def measured(what: str, folder: Path) -> dict[str, float]:
    """Run one side in a process of its own, so that memory is its own too."""
    done = subprocess.run([sys.executable, __file__, what, str(folder)], capture_output=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    if sys.argv[1:2] in (["judge"], ["baseline"]):
        run(sys.argv[1], Path(sys.argv[2]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rng = random.Random(1121)
    resources = [make(KINDS[n % 2], n, rng) for n in range(count)]
    listings = [Listing(Scope("cloud"), kind, count // 2, "made for the benchmark") for kind in KINDS]
    gaps: list[Gap] = []
    calls = [Call(0, Scope("cloud"), "bench", "GET /", 200, NOW)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot"
        write(path, Contents(NOW, NOW, frozenset(KINDS), resources, listings, gaps, calls), TYPES)
        del resources
        pairs = [(measured("judge", path), measured("baseline", path)) for _ in range(3)]
    ratios = sorted(ours["cpu"] / theirs["cpu"] for ours, theirs in pairs)
    ours, theirs = pairs[0]
    assert ours["verdicts"] == theirs["verdicts"], "both sides judge the same pairs"
    middle = sorted(pair[0]["cpu"] for pair in pairs)[1]
    print(f"{count:,} resources, 100 controls, {int(ours['verdicts']):,} verdicts")
    print(f"judging: {middle:.1f} s CPU (median of 3), {max(p[0]['peak_mib'] for p in pairs):.0f} MiB peak")
    print(f"hand-written: {sorted(p[1]['cpu'] for p in pairs)[1]:.1f} s CPU")
    print(f"ratio: {ratios[1]:.2f} (from {ratios[0]:.2f} to {ratios[2]:.2f})")


if __name__ == "__main__":
    main()
