"""A snapshot on disk: what was collected, as plain files with digests.

    manifest.json            canonical JSON: plan, listings, gaps, partitions with their digests
    manifest.sha256          the digest of that, which is the snapshot's, as `sha256sum -c` reads it
    calls.jsonl.gz           every request made, by number
    data/TYPE/NNNN.jsonl.gz  resources of one type and scope, sorted by identity, one a line
    resume.jsonl.gz          where something was left to read: what scopes came to that were read to their end

Writing is the one path by which anything a cloud said reaches a disk, and it keeps only facts that
`resources/` declares. Digests are taken over the uncompressed lines. Reading streams. A digest shows
damage, not intent: whoever changes a file can change the digest too, so archives are signed.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import secrets
import shutil
import zlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import NoneType
from typing import Any, Final, TypeVar

import rfc8785

from cloudaudit.errors import OutputError, SnapshotError
from cloudaudit.model import (
    CODE_KINDS,
    Call,
    Gap,
    Listing,
    Part,
    Reason,
    Resource,
    ResourceType,
    Scope,
    Seconds,
    parse_time,
)
from cloudaudit.records import Decoder, Encoder, Shape, clean, line, moment_text, shaped, text_of
from cloudaudit.yamlsource import misfit, schema

SCHEMA_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
DIGEST: Final = "manifest.sha256"
CALLS: Final = "calls.jsonl.gz"
RESUME: Final = "resume.jsonl.gz"
MAX_LINE: Final = 256 * 1024 * 1024
"""Longest line that is read. A resource is made from one answer, and an answer is not a tenth of this."""
_PATH: Final = re.compile(
    r"(?:calls|resume)\.jsonl\.gz|data/[a-z0-9_]+(?:\.[a-z0-9_]+)?/\d{4,9}\.jsonl\.gz", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Contents:
    """All of one collection, as it goes into a snapshot.

    `types` are the resource types the plan asked for. `run` describes the collection in JSON values
    (subject, targets with vantage, plan, tool); it must hold no secret.
    """

    collected_at: Seconds
    finished_at: Seconds
    types: frozenset[str]
    resources: Sequence[Resource]
    listings: Sequence[Listing]
    gaps: Sequence[Gap]
    calls: Sequence[Call]
    run: Mapping[str, Any] = field(default_factory=dict)
    parts: Sequence[Part] | None = None
    """To go on from where something was left to read; None: nothing was."""


# --- writing --------------------------------------------------------------------------------------


def write(
    folder: Path, contents: Contents, types: Mapping[str, ResourceType], *, replaces: Snapshot | None = None
) -> str:
    """Write a snapshot into a new or empty folder, whole or not at all. Returns its digest.

    The files are made in a folder beside, which gets its name when all of them are there; it takes the
    place of the snapshot it `replaces`.
    """
    folder = folder.resolve()
    try:
        if replaces is None and folder.exists() and any(folder.iterdir()):
            raise _full(folder)
        work = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.partial")
        work.mkdir(parents=True)
    except OSError as wrong:
        raise _unwritable(folder, wrong) from wrong
    try:
        canonical = rfc8785.dumps(_write_files(work, contents, types))
        digest = sha256(canonical).hexdigest()
        (work / MANIFEST).write_bytes(canonical)
        (work / DIGEST).write_text(f"{digest}  {MANIFEST}\n", encoding="ascii")
        if replaces is not None:
            _take_place(work, folder)
        else:
            if folder.exists():
                folder.rmdir()
            work.rename(folder)
    except OSError as wrong:
        raise _unwritable(folder, wrong) from wrong
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return digest


def _take_place(work: Path, folder: Path) -> None:
    """Put a new snapshot where an older one is, which goes when the new one is there."""
    aside = folder.with_name(f"{work.name}.old")
    folder.rename(aside)
    try:
        work.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _full(folder: Path) -> OutputError:
    return OutputError(f"{folder} is not empty", hint="give a new folder, or remove the old snapshot")


def _unwritable(folder: Path, wrong: OSError) -> OutputError:
    why = wrong.strerror or str(wrong)
    return OutputError(f"the snapshot cannot be written to {folder}: {why}", hint="give another folder")


def _write_files(work: Path, contents: Contents, types: Mapping[str, ResourceType]) -> dict[str, Any]:
    dropped: set[str] = set()
    groups: dict[tuple[str, Scope], list[Resource]] = defaultdict(list)
    for resource in contents.resources:
        if resource.type in types:
            groups[resource.type, _clean_scope(resource.scope)].append(resource)
        else:
            dropped.add(f"{clean(resource.type)}:*")
    partitions = []
    for number, ((type_, scope), members) in enumerate(sorted(groups.items(), key=_partition_order)):
        path = f"data/{type_}/{number:04d}.jsonl.gz"
        encode = Encoder(types[type_], dropped)
        # The line comes last, so that not even twins of one identity depend on the order they came in.
        lines = sorted((record.get("endpoint", ""), record["id"], encode.line(record))
                       for record in map(encode, members))  # fmt: skip
        digest = _write_lines(work / path, (text for _, _, text in lines))
        partitions.append(
            {"path": path, "type": type_, "count": len(lines), "sha256": digest, **_scope_json(scope)}
        )
    calls = sorted((call["number"], line(call)) for call in map(_call_json, contents.calls))
    digest = _write_lines(work / CALLS, (text for _, text in calls))
    resume = {} if contents.parts is None else {"resume": _write_parts(work, contents.parts, types, dropped)}
    return {
        **resume,
        "schema_version": SCHEMA_VERSION,
        "collected_at": moment_text(contents.collected_at),
        "finished_at": moment_text(contents.finished_at),
        "run": clean(contents.run),
        "types": sorted(contents.types),
        "calls": {"path": CALLS, "count": len(calls), "sha256": digest},
        "listings": sorted(map(_listing_json, contents.listings), key=line),
        "gaps": sorted(map(_gap_json, contents.gaps), key=line),
        "partitions": partitions,
        "dropped_facts": sorted(dropped),
    }


def _write_parts(
    work: Path, parts: Sequence[Part], types: Mapping[str, ResourceType], dropped: set[str]
) -> dict[str, Any]:
    """Write what finished scopes came to, through the same encoders as everything else."""
    encoders = {name: Encoder(type_, dropped) for name, type_ in types.items()}

    def lines() -> Iterator[str]:
        for number, part in enumerate(parts):
            for one in part.seen:
                if isinstance(one, Listing):
                    yield line({"part": number, "listing": _listing_json(one)})
                elif isinstance(one, Gap):
                    yield line({"part": number, "gap": _gap_json(one)})
                elif one.type in encoders:
                    encode = encoders[one.type]
                    place = {"type": one.type, **_scope_json(one.scope)}
                    yield encode.line({"part": number, "resource": encode(one), **place})

    digest = _write_lines(work / RESUME, lines())
    told = [{"at": moment_text(part.at), **_scope_json(part.scope)} for part in parts]
    return {"path": RESUME, "sha256": digest, "parts": told}


def _partition_order(group: tuple[tuple[str, Scope], object]) -> tuple[object, ...]:
    (type_, scope), _ = group
    return (type_, scope.key(), scope.region is None, scope.project is None)


def _write_lines(path: Path, lines: Iterable[str]) -> str:
    """Write lines and return their digest. Compressed without a time stamp: equal input gives equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = sha256()
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        for text in lines:
            data = text.encode() + b"\n"
            digest.update(data)
            packed.write(data)
    return digest.hexdigest()


def _clean_scope(scope: Scope) -> Scope:
    return Scope(clean(scope.target), clean(scope.region), clean(scope.project))


def _scope_json(scope: Scope) -> dict[str, Any]:
    clean_scope = _clean_scope(scope)
    return {
        "project": clean_scope.project,
        "region": clean_scope.region,
        "target": clean_scope.target,
    }


def _call_json(call: Call) -> dict[str, Any]:
    return {
        "at": moment_text(call.at),
        "number": call.number,
        **_scope_json(call.scope),
        "request": clean(call.request),
        "request_id": clean(call.request_id),
        "service": clean(call.service),
        "sha256": call.digest,
        "status": call.status,
    }


def _listing_json(listing: Listing) -> dict[str, Any]:
    return {
        "type": clean(listing.type),
        "count": listing.count,
        "proof": clean(listing.proof),
        "call": listing.call,
        **({"open": True} if listing.open else {}),
        **_scope_json(listing.scope),
    }


def _gap_json(gap: Gap) -> dict[str, Any]:
    return {
        "type": clean(gap.type),
        "operation": clean(gap.operation),
        "reason": gap.reason.value,
        "detail": clean(gap.detail),
        "call": gap.call,
        "listing": gap.listing,
        **_scope_json(gap.scope),
    }


# --- reading --------------------------------------------------------------------------------------


T = TypeVar("T")

_PLACE: Final[Shape] = {"target": (str,), "region": (str, NoneType), "project": (str, NoneType)}
_GAP: Final[Shape] = {
    "type": (str,), "operation": (str,), "reason": (str,), "detail": (str,), "call": (int, NoneType),
    "listing": (bool,), **_PLACE,
}  # fmt: skip
_LISTING: Final[Shape] = {
    "type": (str,), "count": (int,), "proof": (str,), "call": (int, NoneType), **_PLACE,
}  # fmt: skip
_DONE: Final[Shape] = {"at": (str,), **_PLACE}
_PARTITION: Final[Shape] = {"path": (str,), "type": (str,), "sha256": (str,), **_PLACE}
_WRONG_SHAPE: Final = (KeyError, TypeError, ValueError, AttributeError)
"""What reading JSON of another shape than expected can raise."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of a snapshot, as the manifest has it."""

    path: Path
    sha256: str
    scope: Scope


class Snapshot:
    """A snapshot on disk, read as it is needed. Satisfies the model's `Evidence`.

    SnapshotError: it is damaged, of another version, or no snapshot.
    """

    def __init__(self, folder: Path, types: Mapping[str, ResourceType]) -> None:
        self.folder = folder
        self._types = types
        self.digest, self.manifest = _manifest(folder)
        self._parts: dict[str, list[_Part]] = defaultdict(list)
        self._calls: dict[int, Call] | None = None
        try:
            self.collected_at: Seconds = parse_time(self.manifest["collected_at"])
            self.types: frozenset[str] = frozenset(self.manifest["types"])
            self.run: Mapping[str, Any] = self.manifest["run"]
            """What the collection said of itself: subject, targets, plan, tool."""
            self._gaps = tuple(self._entries("gaps", _GAP, _gap))
            self._listings = tuple(self._entries("listings", _LISTING, _listing))
            self._log = self._part({**self.manifest["calls"], "target": "", "region": None, "project": None})
            for type_, part in self._entries("partitions", _PARTITION, lambda p: (p["type"], self._part(p))):
                self._parts[type_].append(part)
            self._resume = self.manifest.get("resume")
            if self._resume is not None:
                self._resumed = self._part({**self._resume, "target": "", "region": None, "project": None})
        except _WRONG_SHAPE as wrong:
            raise _no_manifest(folder / MANIFEST, str(wrong)) from wrong

    def _entries(self, name: str, shape: Shape, read: Callable[[Mapping[str, Any]], T]) -> Iterator[T]:
        """What the entries of one list of the manifest say. ValueError names the one that is wrong."""
        for number, entry in enumerate(self.manifest[name]):
            try:
                yield read(shaped(entry, shape))
            except _WRONG_SHAPE as wrong:
                raise ValueError(f"{name}[{number}]: {wrong}") from wrong

    def _part(self, part: Mapping[str, Any]) -> _Part:
        if not _PATH.fullmatch(part["path"]):
            raise ValueError(f"it names the file {part['path'][:100]!r}")
        return _Part(self.folder / part["path"], part["sha256"], _scope(part))

    @property
    def targets(self) -> Mapping[str, bool]:
        """The targets that were read, by name, and of each whether it is code of what is to be deployed."""
        told = self.run.get("targets")
        entries = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
        return {str(one.get("name")): one.get("kind") in CODE_KINDS for one in entries}

    def each(self, type_: str) -> Iterator[Resource]:
        """Resources of a type, in order of scope and identity. Of a type nobody declares there are none."""
        if type_ not in self._types:
            return
        decode = Decoder(self._types[type_])
        for part in self._parts.get(type_, ()):
            for record in self._records(part):
                try:
                    resource = decode(record, part.scope)
                except _WRONG_SHAPE as wrong:
                    raise SnapshotError(f"{part.path} holds what is no resource: {wrong}") from wrong
                yield resource

    def gaps(self) -> Sequence[Gap]:
        return self._gaps

    def listings(self) -> Sequence[Listing]:
        return self._listings

    def call(self, number: int) -> Call:
        """One request of the log, by number."""
        if self._calls is None:
            try:
                self._calls = {call.number: call for call in map(_call, self._records(self._log))}
            except _WRONG_SHAPE as wrong:
                raise SnapshotError(f"{self._log.path} holds what is no call: {wrong}") from wrong
        if number not in self._calls:
            raise SnapshotError(f"{self._log.path} has no call {number}, which a resource came from")
        return self._calls[number]

    @property
    def is_complete(self) -> bool:
        """Whether its collection left nothing to read: no interruption and no time-out."""
        return self._resume is None

    def log(self) -> list[Call]:
        """Every request, by number. SnapshotError: there are other numbers than places in it."""
        try:
            calls = [_call(record) for record in self._records(self._log)]
        except _WRONG_SHAPE as wrong:
            raise SnapshotError(f"{self._log.path} holds what is no call: {wrong}") from wrong
        if [call.number for call in calls] != list(range(len(calls))):
            raise SnapshotError(f"{self._log.path} is not numbered from 0 on", hint=_AGAIN)
        return calls

    def parts(self) -> list[Part]:
        """What the scopes came to that were read to their end, where something else was left to read."""
        if self._resume is None:
            return []
        path = self._resumed.path
        decoders = {name: Decoder(type_) for name, type_ in self._types.items()}
        try:
            told = [shaped(entry, _DONE) for entry in self._resume["parts"]]
            seen: list[list[Resource | Listing | Gap]] = [[] for _ in told]
            for record in self._records(self._resumed):
                seen[record["part"]].append(_seen(record, decoders))
            return [
                Part(_scope(entry), parse_time(entry["at"]), tuple(of_part))
                for entry, of_part in zip(told, seen, strict=True)
            ]
        except (*_WRONG_SHAPE, IndexError) as wrong:
            raise SnapshotError(f"{path} holds what no scope came to: {wrong}", hint=_AGAIN) from wrong

    def strangers(self) -> list[Path]:
        """What lies in its folder and is none of its files."""
        own = {self.folder / name for name in (MANIFEST, DIGEST)} | {part.path for part in self._files()}
        return sorted(path for path in self.folder.rglob("*") if not path.is_dir() and path not in own)

    def check(self) -> None:
        """Hold every file against the manifest. SnapshotError names the first that differs."""
        for part in self._files():
            deque(self._records(part), maxlen=0)

    def _files(self) -> Iterator[_Part]:
        yield self._log
        if self._resume is not None:
            yield self._resumed
        for parts in self._parts.values():
            yield from parts

    def _records(self, part: _Part) -> Iterator[dict[str, Any]]:
        """The records of a file. Its digest is known, and held against the manifest, after the last one."""
        path, digest = part.path, sha256()
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise SnapshotError(f"{path} leads out of the snapshot")
        try:
            with gzip.open(path, "rb") as packed:
                # Reading through a buffer is quicker than the lines of the packed file itself.
                reader = io.BufferedReader(packed)
                while data := reader.readline(MAX_LINE):
                    digest.update(data)
                    yield json.loads(data)
        except (OSError, EOFError, ValueError, zlib.error, RecursionError) as wrong:
            raise SnapshotError(f"{path} cannot be read: {wrong}") from wrong
        if digest.hexdigest() != part.sha256:
            raise SnapshotError(f"{path} is not what the manifest says: its digest differs")


def _manifest(folder: Path) -> tuple[str, dict[str, Any]]:
    """The digest and the manifest of a snapshot."""
    path = folder / MANIFEST
    try:
        data = path.read_bytes()
        told = (folder / DIGEST).read_text(encoding="ascii").split()
        digest = sha256(data).hexdigest()
        if told[:1] != [digest]:
            raise SnapshotError(
                f"{path} is not what {DIGEST} says: its digest differs",
                hint=_AGAIN,
            )
        manifest = json.loads(data)
    except FileNotFoundError as missing:
        name = Path(missing.filename).name
        raise SnapshotError(
            f"{folder} is no snapshot: it has no {name}", hint="make one with cloudaudit collect"
        ) from None
    except (OSError, ValueError, RecursionError) as wrong:
        raise SnapshotError(f"{path} cannot be read: {wrong}", hint=_AGAIN) from wrong
    version = manifest.get("schema_version", SCHEMA_VERSION) if isinstance(manifest, dict) else SCHEMA_VERSION
    if version != SCHEMA_VERSION:
        raise SnapshotError(
            f"{path} is of version {str(version)[:20]}, this program reads {SCHEMA_VERSION}",
            hint="collect again with this version of cloudaudit",
        )
    if wrong_there := misfit(manifest, schema("snapshot")) or _beyond_its_whole(manifest["run"]):
        raise _no_manifest(path, wrong_there)
    return digest, manifest


def _beyond_its_whole(run: Mapping[str, Any]) -> str:
    """Say which figure of a collection is more than what it is a part of; empty when none is."""
    figures = run.get("figures", {})
    for part, whole in (("projects_seen", "projects_declared"), ("buckets_readable", "buckets_listed")):
        all_ = figures.get(whole)
        if isinstance(all_, int) and figures.get(part, 0) > all_:
            return f"run.figures: {part} is {figures[part]}, and {whole} only {all_}"
    return ""


_AGAIN: Final = "collect again, or take the copy that was archived"


def _no_manifest(path: Path, why: str) -> SnapshotError:
    return SnapshotError(f"{path} is not the manifest of a snapshot: {why}", hint=_AGAIN)


def _scope(source: Mapping[str, Any]) -> Scope:
    region, project = source["region"], source["project"]
    return Scope(
        text_of(source["target"]),
        None if region is None else text_of(region),
        None if project is None else text_of(project),
    )


def _seen(record: Mapping[str, Any], decoders: Mapping[str, Decoder]) -> Resource | Listing | Gap:
    if "listing" in record:
        return _listing(shaped(record["listing"], _LISTING))
    if "gap" in record:
        return _gap(shaped(record["gap"], _GAP))
    return decoders[record["type"]](record["resource"], _scope(record))


def _gap(g: Mapping[str, Any]) -> Gap:
    return Gap(
        _scope(g), g["type"], g["operation"], Reason(g["reason"]), g["detail"], g["call"], g["listing"]
    )


def _listing(entry: Mapping[str, Any]) -> Listing:
    return Listing(
        _scope(entry), entry["type"], entry["count"], entry["proof"], entry["call"],
        entry.get("open", False) is not False,
    )  # fmt: skip


def _call(c: Mapping[str, Any]) -> Call:
    at = parse_time(c["at"])
    return Call(
        c["number"], _scope(c), c["service"], c["request"], c["status"], at, c["request_id"], c["sha256"]
    )
