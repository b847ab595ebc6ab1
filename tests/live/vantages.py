"""Ways of looking at the beds: a snapshot each, with everything in it that there is a collector for."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from audits import TYPES, subject, targets
from beds import StoreBed
from declared import HANOI
from identities import LEAST, SYSTEM_READER, Identities

from cloudaudit import registers
from cloudaudit.collecting import collect_subject
from cloudaudit.plan import Plan
from cloudaudit.snapshot import Snapshot
from cloudaudit.targets import load

OPERATOR, READER, SYSTEM, RULES, ONE_SERVICE = "operator", "reader", "system", "rules", "one-service"
PROJECT = "cong-dich-vu"
"""The one that readers and application credentials of one project have."""
OF_CLOUD: Mapping[str, Mapping[str, Any]] = {
    OPERATOR: {"cloud": "admin", "vantage": "operator"},
    READER: {"cloud": "audit-tenant"},
    SYSTEM: {"cloud": SYSTEM_READER, "vantage": "operator"},
    RULES: {"cloud": f"{LEAST}-{PROJECT}", "projects": [PROJECT]},
    ONE_SERVICE: {"cloud": "audit-appcred", "projects": [PROJECT]},
}
"""The vantages of the OpenStack bed, as entries of targets.yaml."""


def everything(prefix: str) -> Plan:
    """A plan of every fact of every type whose name begins so, as no profile needs them."""
    types = {name: type_ for name, type_ in TYPES.items() if name.startswith(prefix)}
    calls = {call.name: call for type_ in types.values() for call in type_.calls.values()}
    facts = {name: frozenset(type_.facts) for name, type_ in types.items()}
    return Plan(facts, {name: calls[name] for name in sorted(calls)})


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Variables that clients look at, set for a while."""
    with patch.dict(os.environ, variables):
        yield


def look(folder: Path, prefix: str, target: Mapping[str, Any], variables: Mapping[str, str]) -> Snapshot:
    """Collect everything of one target."""
    file = targets(folder, subject("bed", target))
    with environment(variables):
        (one,) = load(file, {}).subjects
        plan = everything(prefix)
        collect_subject(
            one, plan, TYPES, registers.load(None), folder / "snapshot", now=lambda: int(time.time())
        )
    return Snapshot(folder / "snapshot", TYPES)


def look_at_cloud(folder: Path, vantage: str, known: Identities) -> Snapshot:
    target = {"name": "dm", "kind": "openstack", "regions": [HANOI], **OF_CLOUD[vantage]}
    return look(folder, "openstack.", target, known.variables)


def look_at_store(folder: Path, bed: StoreBed, profile: str, **more: Any) -> Snapshot:
    kho = {
        "name": "kho", "kind": "s3", "profile": profile, "region": bed.env["region"],
        "endpoint": bed.env["endpoints"]["http"], **more,
    }  # fmt: skip
    return look(folder, "s3.", kho, bed.variables)
