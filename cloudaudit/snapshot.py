"""A snapshot on disk: what was collected, as plain files with digests.

    manifest.json            canonical JSON: plan, listings, gaps, partitions with their digests
    calls.jsonl.gz           every request made, by number
    data/TYPE/NNNN.jsonl.gz  resources of one type and scope, sorted by identity, one a line

Writing is the one path by which anything a cloud said reaches a disk, and it keeps only facts that
`resources/` declares. Digests are taken over the uncompressed lines. Reading streams.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import rfc8785

from cloudaudit.errors import OutputError, SnapshotError
from cloudaudit.model import (
    COMMON_FACTS,
    Call,
    FactSpec,
    FactType,
    Gap,
    Listing,
    Partial,
    Reason,
    Resource,
    ResourceType,
    Scope,
    Seconds,
    Unseen,
    Value,
    format_time,
    parse_time,
)

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Contents:
    """All of one collection, as it goes into a snapshot.

    `facts` describes the run in JSON values (subject, targets with vantage, plan, tool); it must
    hold no secret. `types` are the resource types the plan asked for.
    """

    collected_at: Seconds
    finished_at: Seconds
    types: frozenset[str]
    resources: Sequence[Resource]
    listings: Sequence[Listing]
    gaps: Sequence[Gap]
    calls: Sequence[Call]
    run: Mapping[str, Any] = field(default_factory=dict)


# --- writing --------------------------------------------------------------------------------------


def write(folder: Path, contents: Contents, types: Mapping[str, ResourceType]) -> str:
    """Write a snapshot into a new or empty folder, whole or not at all. Returns its digest."""
    if folder.exists() and any(folder.iterdir()):
        raise OutputError(f"{folder} is not empty", hint="give a new folder, or remove the old snapshot")
    work = folder.with_name(folder.name + ".partial")
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        manifest = _write_files(work, contents, types)
        canonical = rfc8785.dumps(manifest)
        (work / "manifest.json").write_bytes(canonical + b"\n")
        if folder.exists():
            folder.rmdir()
        work.rename(folder)
    except OSError as wrong:
        shutil.rmtree(work, ignore_errors=True)
        raise OutputError(f"the snapshot cannot be written to {folder}: {wrong.strerror}") from wrong
    return sha256(canonical).hexdigest()


def _write_files(work: Path, contents: Contents, types: Mapping[str, ResourceType]) -> dict[str, Any]:
    dropped: set[str] = set()
    partitions = []
    ordered = sorted(contents.resources, key=lambda r: (r.type, r.scope.key(), r.endpoint, r.id))
    for number, ((type_, _), group) in enumerate(groupby(ordered, key=lambda r: (r.type, r.scope.key()))):
        members = list(group)
        scope = members[0].scope
        path = f"data/{type_}/{number:04d}.jsonl.gz"
        encode = _Encoder(types.get(type_), dropped)
        digest = _write_lines(work / path, map(encode, members))
        partitions.append(
            {"path": path, "type": type_, "count": len(members), "sha256": digest, **_scope_json(scope)}
        )
    calls = sorted(contents.calls, key=lambda c: c.number)
    digest = _write_lines(work / "calls.jsonl.gz", map(_call_json, calls))
    return {
        "schema_version": SCHEMA_VERSION,
        "collected_at": format_time(contents.collected_at),
        "finished_at": format_time(contents.finished_at),
        "run": clean(contents.run),
        "types": sorted(contents.types),
        "calls": {"path": "calls.jsonl.gz", "count": len(calls), "sha256": digest},
        "listings": sorted(map(_listing_json, contents.listings), key=_line),
        "gaps": sorted(map(_gap_json, contents.gaps), key=_line),
        "partitions": partitions,
        "dropped_facts": sorted(dropped),
    }


def _write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> str:
    """Write records as JSON Lines, compressed without a time stamp so that equal input gives equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = sha256()
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        for record in records:
            line = _line(record).encode() + b"\n"
            digest.update(line)
            packed.write(line)
    return digest.hexdigest()


def _line(record: Mapping[str, Any]) -> str:
    """One record as RFC 8785 would write it. Keys are ASCII and numbers whole, so the fast writer agrees."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def clean(value: Value) -> Any:
    """A value as JSON with its texts in NFC and no half surrogates."""
    match value:
        case str():
            return unicodedata.normalize("NFC", value.encode("utf-8", "replace").decode())
        case Partial():
            return {"$partial": [clean(item) for item in value.items]}
        case list() | tuple():
            return [clean(item) for item in value]
        case Mapping():
            return {clean(str(key)): clean(item) for key, item in value.items()}
        case _:
            return value


class _Encoder:
    """Turn resources of one type into records, keeping declared facts only."""

    def __init__(self, type_: ResourceType | None, dropped: set[str]) -> None:
        self.name = type_.name if type_ else ""
        self.facts = dict(type_.facts) if type_ else {}
        self.dropped = dropped

    def __call__(self, resource: Resource) -> dict[str, Any]:
        facts = {}
        for name, value in resource.facts.items():
            spec = self.facts.get(name)
            if spec is not None and not spec.derived:
                facts[name] = clean(_to_text(value, spec))
            elif name not in COMMON_FACTS:
                self.dropped.add(f"{resource.type}:{name}")
        record: dict[str, Any] = {"id": clean(resource.id), "at": format_time(resource.at), "facts": facts}
        if resource.name:
            record["name"] = clean(resource.name)
        if resource.endpoint:
            record["endpoint"] = clean(resource.endpoint)
        if resource.unseen:
            record["unseen"] = {
                key: {"reason": u.reason.value, "detail": clean(u.detail)}
                for key, u in resource.unseen.items()
            }
        if resource.sources:
            record["sources"] = dict(resource.sources)
        return record


def _to_text(value: Value, spec: FactSpec) -> Value:
    """Write moments as text, wherever the declaration says there is one."""
    if value is None:
        return None
    if spec.type is FactType.TIME:
        return format_time(value) if isinstance(value, int) else value
    if spec.type is FactType.LIST and spec.items is not None and _holds_time(spec):
        items = value.items if isinstance(value, Partial) else value
        assert isinstance(items, tuple | list)
        texts = tuple(_to_text(item, spec.items) for item in items)
        return Partial(texts) if isinstance(value, Partial) else texts
    if spec.type is FactType.RECORD and isinstance(value, Mapping):
        return {k: _to_text(v, spec.fields[k]) if k in spec.fields else v for k, v in value.items()}
    return value


def _holds_time(spec: FactSpec) -> bool:
    parts = [*spec.fields.values(), *([spec.items] if spec.items else [])]
    return spec.type is FactType.TIME or any(_holds_time(part) for part in parts)


def _scope_json(scope: Scope) -> dict[str, Any]:
    return {"target": scope.target, "region": scope.region, "project": scope.project}


def _call_json(call: Call) -> dict[str, Any]:
    return {
        "number": call.number,
        "service": call.service,
        "request": clean(call.request),
        "status": call.status,
        "at": format_time(call.at),
        "request_id": clean(call.request_id),
        "sha256": call.digest,
        **_scope_json(call.scope),
    }


def _listing_json(listing: Listing) -> dict[str, Any]:
    return {
        "type": listing.type,
        "count": listing.count,
        "proof": clean(listing.proof),
        "call": listing.call,
        **_scope_json(listing.scope),
    }


def _gap_json(gap: Gap) -> dict[str, Any]:
    return {
        "type": gap.type,
        "operation": gap.operation,
        "reason": gap.reason.value,
        "detail": clean(gap.detail),
        "call": gap.call,
        **_scope_json(gap.scope),
    }


# --- reading --------------------------------------------------------------------------------------


class Snapshot:
    """A snapshot on disk, read as it is needed. Satisfies the model's `Evidence`."""

    def __init__(self, folder: Path, types: Mapping[str, ResourceType]) -> None:
        self.folder = folder
        self._types = types
        path = folder / "manifest.json"
        try:
            text = path.read_bytes()
            self.manifest: dict[str, Any] = json.loads(text)
        except FileNotFoundError:
            raise SnapshotError(
                f"{folder} is no snapshot: it has no manifest.json", hint="make one with cloudaudit collect"
            ) from None
        except (OSError, ValueError) as wrong:
            raise SnapshotError(f"{path} cannot be read: {wrong}") from wrong
        if self.manifest.get("schema_version") != SCHEMA_VERSION:
            raise SnapshotError(f"{path} is of another version than {SCHEMA_VERSION}")
        self.digest = sha256(rfc8785.dumps(self.manifest)).hexdigest()
        self.collected_at: Seconds = parse_time(self.manifest["collected_at"])
        self.types = frozenset(self.manifest["types"])
        self._calls: dict[int, Call] | None = None

    @property
    def run(self) -> Mapping[str, Any]:
        """What the collection said of itself: subject, targets, plan, tool."""
        found: Mapping[str, Any] = self.manifest["run"]
        return found

    def each(self, type_: str) -> Iterator[Resource]:
        """Resources of a type, in order of scope and identity."""
        decode = _Decoder(self._types[type_]) if type_ in self._types else None
        for part in self.manifest["partitions"]:
            if part["type"] == type_ and decode is not None:
                scope = _scope(part)
                for record in self._lines(part):
                    yield decode(record, scope)

    def gaps(self) -> Sequence[Gap]:
        return tuple(
            Gap(_scope(g), g["type"], g["operation"], Reason(g["reason"]), g["detail"], g["call"])
            for g in self.manifest["gaps"]
        )

    def listings(self) -> Sequence[Listing]:
        return tuple(
            Listing(_scope(entry), entry["type"], entry["count"], entry["proof"], entry["call"])
            for entry in self.manifest["listings"]
        )

    def call(self, number: int) -> Call:
        """One request of the log, by number."""
        if self._calls is None:
            self._calls = {c["number"]: _call(c) for c in self._lines(self.manifest["calls"])}
        return self._calls[number]

    def _lines(self, part: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        path = self.folder / part["path"]
        digest = sha256()
        try:
            with gzip.open(path, "rb") as packed:
                for line in io.BufferedReader(packed):
                    digest.update(line)
                    yield json.loads(line)
        except (OSError, EOFError, ValueError) as wrong:
            raise SnapshotError(f"{path} cannot be read: {wrong}") from wrong
        if digest.hexdigest() != part["sha256"]:
            raise SnapshotError(f"{path} is not what the manifest says: its digest differs")


def _scope(source: Mapping[str, Any]) -> Scope:
    return Scope(source["target"], source["region"], source["project"])


def _call(c: Mapping[str, Any]) -> Call:
    at = parse_time(c["at"])
    return Call(
        c["number"], _scope(c), c["service"], c["request"], c["status"], at, c["request_id"], c["sha256"]
    )


class _Decoder:
    """Turn records back into resources: moments to seconds, lists to tuples."""

    def __init__(self, type_: ResourceType) -> None:
        self.type = type_.name
        special = {FactType.TIME, FactType.LIST, FactType.PORTS, FactType.RECORD}
        self.special = {name: spec for name, spec in type_.facts.items() if spec.type in special}

    def __call__(self, record: Mapping[str, Any], scope: Scope) -> Resource:
        facts: dict[str, Value] = record["facts"]
        for name in facts.keys() & self.special.keys():
            facts[name] = _from_text(facts[name], self.special[name])
        unseen = record.get("unseen", {})
        return Resource(
            self.type,
            record["id"],
            scope,
            parse_time(record["at"]),
            facts,
            record.get("name", ""),
            record.get("endpoint", ""),
            {key: Unseen(Reason(u["reason"]), u["detail"]) for key, u in unseen.items()},
            record.get("sources", {}),
        )


def _from_text(value: Value, spec: FactSpec) -> Value:
    match value:
        case None:
            return None
        case str() if spec.type is FactType.TIME:
            return parse_time(value)
        case list() if spec.items is not None:
            return tuple(_from_text(item, spec.items) for item in value)
        case list():
            return tuple(value)
        case {"$partial": items} if spec.items is not None:
            assert isinstance(items, list)
            return Partial(tuple(_from_text(item, spec.items) for item in items))
        case Mapping() if spec.type is FactType.RECORD:
            return {k: _from_text(v, spec.fields[k]) if k in spec.fields else v for k, v in value.items()}
        case _:
            return value
