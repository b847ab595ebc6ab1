"""From an entry of targets.yaml to a snapshot on disk: build the collectors, run them, write.

The one module that knows every kind of target.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from os.path import normpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cloudaudit import __version__, plugins, snapshot
from cloudaudit.collectors import Collector, Seen, Telling
from cloudaudit.collectors.deployment import CodeTarget, DeploymentCollector
from cloudaudit.collectors.documents import DocumentCollector
from cloudaudit.collectors.names import CALL as NAMES
from cloudaudit.collectors.names import NameProbe
from cloudaudit.collectors.probe import TlsProbe
from cloudaudit.collectors.runner import Collected, OnProgress, collect
from cloudaudit.collectors.transport import Proxy
from cloudaudit.errors import OutputError, Problem, SnapshotError, TargetError, Where
from cloudaudit.model import (
    Call,
    Gap,
    Listing,
    Part,
    Reason,
    Resource,
    ResourceType,
    Scope,
    Seconds,
    format_time,
)
from cloudaudit.plan import Plan
from cloudaudit.registers import Registers
from cloudaudit.snapshot import Snapshot
from cloudaudit.targets import CodeEntry, Entry, OpenStackEntry, PluginEntry, S3Entry, Subject

if TYPE_CHECKING:
    # Collectors are loaded for the targets there are: a gate over a plan asks no cloud.
    from cloudaudit.collectors.openstack import OpenStackTarget
    from cloudaudit.collectors.openstack.entry import Entry as CloudEntry
    from cloudaudit.collectors.s3 import S3Target

KINDS: Final = {"openstack": "openstack.", "s3": "s3."}
"""Beginning of the resource types of each kind of target that is ours."""


def kinds_of(types: Iterable[str]) -> dict[str, str]:
    """Our kinds of target, and those of packages that resource types are of, with how their types begin."""
    others = {name.partition(".")[0] for name in types if "." in name}
    return KINDS | {kind: f"{kind}." for kind in sorted(others - KINDS.keys())}


T = TypeVar("T", Listing, Gap)
PROBE: Final = "probe.tls"
DOCUMENT: Final = "document.get"
OLDEST_KEPT: Final[Seconds] = 24 * 3600
"""What was read longer ago is read again when a collection is resumed. A proposal of ours: no law sets it."""


def collect_subject(
    subject: Subject,
    plan: Plan,
    types: Mapping[str, ResourceType],
    declared: Registers,
    out: Path,
    *,
    now: Callable[[], Seconds],
    progress: OnProgress | None = None,
    cancelled: threading.Event | None = None,
    resume: bool = False,
) -> str:
    """Read all targets of a subject and write the snapshot. Returns its digest.

    What a cloud refuses becomes a gap; only a wrong file of ours raises. After `cancelled` is set,
    what was read stays, and every scope not finished is a gap. With `resume`, `out` is a snapshot whose
    collection was cut short: scopes that were finished are kept, and the others are read.
    """
    began = now()
    unverified = _unverified(subject)
    earlier = resumable(subject, plan, types, declared, out, began) if resume else None
    collectors = _collectors(subject, now, cancelled, plan.types)
    found = _read(
        subject, plan, declared, collectors, now=now, progress=progress, cancelled=cancelled, earlier=earlier
    )
    finished = now()
    session = {"started_at": format_time(began), "finished_at": format_time(finished)}
    about = _about(subject, plan, found, unverified, _told(collectors))
    about["targets_sha256"] = _digest_of_targets(subject, declared)
    about["sessions"] = [*(earlier.sessions if earlier else ()), session]
    contents = snapshot.Contents(
        # Evidence is as old as the oldest of it.
        collected_at=min([began, *(part.at for part in earlier.parts)] if earlier else [began]),
        finished_at=finished,
        types=plan.types,
        resources=found.resources,
        listings=found.listings,
        gaps=found.gaps,
        calls=found.calls,
        run=about,
        parts=found.parts,
    )
    return snapshot.write(out, contents, types, replaces=earlier.evidence if earlier else None)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is kept of a collection that was cut short."""

    evidence: Snapshot
    parts: tuple[Part, ...]
    calls: tuple[Call, ...]
    sessions: tuple[Mapping[str, Any], ...]


def resumable(
    subject: Subject,
    plan: Plan,
    types: Mapping[str, ResourceType],
    declared: Registers,
    folder: Path,
    at: Seconds,
) -> Earlier:
    """What can be kept of a snapshot at a moment.

    SnapshotError: it is none, it is damaged, or it was collected for something else. OutputError: there
    are files in its folder that are not its own.
    """
    evidence = Snapshot(folder, types)
    evidence.check()
    if strangers := evidence.strangers():
        raise OutputError(f"{strangers[0]} is no file of the snapshot", hint="move it elsewhere")
    run = evidence.run
    expected = {
        "was made by another version of cloudaudit": (run.get("tool"), _TOOL),
        "is of another subject": (run.get("subject"), _subject(subject)),
        "was collected for another plan: its resource types differ": (evidence.types, plan.types),
        "was collected for another plan: its calls differ": (run.get("calls"), sorted(plan.wanted)),
        "was collected with other plug-ins": (run.get("plugins", []), _plugins(subject)),
        "was collected for other targets, kinds declared absent, or published papers": (
            (run.get("targets_sha256"), run.get("absent")),
            (_digest_of_targets(subject, declared), sorted(subject.absent)),
        ),
    }
    for what, (was, is_) in expected.items():
        if was != is_:
            hint = "resume with the profile, controls, registers and targets it began with, or collect anew"
            raise SnapshotError(f"{folder} cannot be resumed: it {what}", hint=hint)
    calls = evidence.log()
    parts = _fresh(evidence.parts(), at)
    _check_numbers(parts, len(calls), folder)
    return Earlier(evidence, parts, tuple(calls), tuple(run.get("sessions", ())))


def _fresh(parts: Sequence[Part], at: Seconds) -> tuple[Part, ...]:
    """Those young enough to be kept. Where one of a target is not, its own scope is not either."""
    old = {part.scope.target for part in parts if not 0 <= at - part.at <= OLDEST_KEPT}
    return tuple(
        part
        for part in parts
        if 0 <= at - part.at <= OLDEST_KEPT
        and not (part.scope.target in old and part.scope == Scope(part.scope.target))
    )


def _check_numbers(parts: Sequence[Part], calls: int, folder: Path) -> None:
    for part in parts:
        for one in part.seen:
            numbers = one.sources.values() if isinstance(one, Resource) else [one.call]
            if not all(number is None or 0 <= number < calls for number in numbers):
                raise SnapshotError(f"{folder} cannot be resumed: it names calls that are not in its log")


_LIMITS: Final = frozenset({"where", "deadline", "max_in_flight", "rate_limit", "plugin"})
"""What of a target has no part in what is read of it, and may be changed before going on."""


def _digest_of_targets(subject: Subject, declared: Registers) -> str:
    """A digest over what is to be read. Of files the names count: folders are moved, and keys renewed."""

    def text(value: object) -> str:
        return value.name if isinstance(value, Path) else str(value)

    entries = [
        {"kind": entry.kind}
        | {f.name: getattr(entry, f.name) for f in fields(entry) if f.name not in _LIMITS}
        for entry in subject.targets
    ]
    said = {"targets": entries, "papers": addresses_of_papers(declared)}
    return sha256(json.dumps(said, sort_keys=True, default=text).encode()).hexdigest()


def read_subject(
    subject: Subject,
    plan: Plan,
    declared: Registers,
    *,
    now: Callable[[], Seconds],
    progress: OnProgress | None = None,
    cancelled: threading.Event | None = None,
    sample: bool = False,
) -> Collected:
    """Read all targets of a subject, and keep what was seen and not seen in memory.

    A sample asks every call in every scope as ever, and reads only the beginning of each answer.
    """
    collectors = _collectors(subject, now, cancelled, plan.types, sample)
    return _read(subject, plan, declared, collectors, now=now, progress=progress, cancelled=cancelled)


def _read(
    subject: Subject,
    plan: Plan,
    declared: Registers,
    collectors: Sequence[Collector],
    *,
    now: Callable[[], Seconds],
    progress: OnProgress | None,
    cancelled: threading.Event | None,
    earlier: Earlier | None = None,
) -> Collected:
    """Run the collectors of a subject's targets, and with them that of its papers and the probes."""
    documents = _documents(subject, plan, declared, now, cancelled)
    ca_files = {entry.name: str(entry.ca_file) for entry in subject.targets if entry.ca_file}
    named = {entry.name: _proxy(entry) for entry in subject.targets}
    proxies = {name: proxy for name, proxy in named.items() if proxy}
    code = frozenset(entry.name for entry in subject.targets if isinstance(entry, CodeEntry))
    found = _numbered(
        collect(
            [*collectors, *documents],
            plan.wanted,
            now=now,
            max_workers=_workers(subject),
            on_progress=progress,
            cancelled=cancelled,
            tls=TlsProbe(ca_files, proxies, code) if PROBE in plan.wanted else None,
            names=NameProbe(frozenset(proxies), code=code) if NAMES in plan.wanted else None,
            kept=earlier.parts if earlier else (),
            calls=earlier.calls if earlier else (),
        )
    )
    listings = (*found.listings, *_declared_absent(subject, plan))
    if DOCUMENT in plan.wanted and not documents:
        proof = "no register names the address of a paper"
        listings = (*listings, Listing(Scope("*"), "published_document", 0, proof))
    return replace(found, listings=listings)


def check_targets(subject: Subject) -> list[Problem]:
    """What is dangerous about targets. TargetError: credentials or files are not there. No cloud is asked."""
    made = _collectors(subject, lambda: 0, None)
    _proxy(subject)
    hint = "name its authority as ca_file"
    unverified = [
        Problem(entry.where, f"target '{entry.name}': by clouds.yaml its certificate is not verified", hint)
        for entry in _unverified(subject)
    ]
    places = {entry.name: entry.where for entry in subject.targets}
    code = (one for one in made if isinstance(one, DeploymentCollector))
    return unverified + [problem for one in code for problem in _doubts(one, places[one.name])]


def check_code(entry: CodeEntry) -> list[Problem]:
    """Why a file of code may say less than it seems to. TargetError: it is not what it is said to be."""
    return _doubts(DeploymentCollector(_code_target(entry), frozenset(), now=lambda: 0), entry.where)


def _doubts(made: DeploymentCollector, where: Where) -> list[Problem]:
    return [Problem(where, f"target '{made.name}': {what}", to_do) for what, to_do in made.doubts()]


def _unverified(subject: Subject) -> list[OpenStackEntry]:
    """Targets whose certificates nobody verifies, so that anyone on the way could have answered for them."""
    clouds = [entry for entry in subject.targets if isinstance(entry, OpenStackEntry)]
    return [entry for entry in clouds if _read_entry(entry).verify is False]


def _read_entry(entry: OpenStackEntry) -> CloudEntry:
    from cloudaudit.collectors.openstack.entry import read_entry

    return read_entry(openstack_target(entry))


def _collectors(
    subject: Subject,
    now: Callable[[], Seconds],
    cancelled: threading.Event | None,
    types: frozenset[str] = frozenset(),
    sample: bool = False,
) -> list[Collector]:
    made: list[Collector] = []
    problems: list[Problem] = []
    for entry in subject.targets:
        try:
            made.append(_collector(entry, now, cancelled, types, sample))
        except TargetError as wrong:
            problems += [p if p.where else replace(p, where=entry.where) for p in wrong.problems]
    if problems:
        raise TargetError.of(problems)
    return made


def _workers(subject: Subject) -> int:
    return max(4, min(32, sum(entry.max_in_flight for entry in subject.targets)))


def _collector(
    entry: Entry,
    now: Callable[[], Seconds],
    cancelled: threading.Event | None,
    types: frozenset[str],
    sample: bool,
) -> Collector:
    if isinstance(entry, CodeEntry):
        return DeploymentCollector(_code_target(entry), types, now=now)
    if isinstance(entry, OpenStackEntry):
        from cloudaudit.collectors.openstack import OpenStackCollector

        target = replace(openstack_target(entry), sample=sample)
        # The collector reads its entry of clouds.yaml late; a wrong one is told before any cloud is asked.
        _read_entry(entry)
        return OpenStackCollector(target, now=now, cancelled=cancelled)
    if isinstance(entry, PluginEntry):
        return plugins.collector(entry, now, cancelled)
    from cloudaudit.collectors.s3 import S3Collector

    return S3Collector(replace(_s3_target(entry), sample=sample), now=now, cancelled=cancelled)


def _code_target(entry: CodeEntry) -> CodeTarget:
    return CodeTarget(
        entry.name, entry.form, entry.file, in_repository(entry.file), entry.source,
        in_repository(entry.source) if entry.source else ".", entry.environment, entry.region, entry.project,
        frozenset(entry.label_keys), entry.where, entry.ignored,
    )  # fmt: skip


def addresses_of_papers(declared: Registers) -> list[str]:
    """Addresses of published papers that the registers name."""
    return sorted({str(p.facts["url"]) for p in declared.resources("attestation") if p.facts.get("url")})


def _proxy(entry: Entry | Subject) -> Proxy | None:
    """The proxy a target or subject names. TargetError, which does not show it, for one of no use.

    A package's own kinds see to their way out themselves.
    """
    if isinstance(entry, PluginEntry | CodeEntry):
        return None
    if entry.proxy_file is not None:
        try:
            written = entry.proxy_file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise TargetError(f"proxy_file '{entry.proxy_file}' cannot be read", where=entry.where) from None
        return Proxy.read(written, f"what proxy_file '{entry.proxy_file}' holds")
    return None if entry.proxy is None else Proxy.read(entry.proxy, "'proxy'")


def _told(collectors: Sequence[Collector]) -> dict[str, dict[str, Any]]:
    """What collectors tell of themselves, by target: the credential, how a file was made, a clock far off."""
    found: dict[str, dict[str, Any]] = {}
    for collector in collectors:
        if isinstance(collector, Telling) and (told := collector.told()):
            found[collector.name] = dict(told)
    return found


def openstack_target(entry: OpenStackEntry) -> OpenStackTarget:
    """An entry of targets.yaml as its collector takes it."""
    from cloudaudit.collectors.openstack import OpenStackTarget

    return OpenStackTarget(
        name=entry.name, cloud=entry.cloud, regions=entry.regions, projects=entry.projects,
        vantage=entry.vantage, ca_file=str(entry.ca_file) if entry.ca_file else None,
        interface=entry.interface, label_keys=frozenset(entry.label_keys),
        max_in_flight=entry.max_in_flight, rate_limit=entry.rate_limit, deadline=entry.deadline,
        proxy=_proxy(entry), allow_http=entry.allow_http,
    )  # fmt: skip


def _s3_target(entry: S3Entry) -> S3Target:
    from cloudaudit.collectors.s3 import LABEL_KEYS, S3Target

    return S3Target(
        name=entry.name, endpoint=entry.endpoint, region=entry.region, profile=entry.profile,
        access_key_file=str(entry.access_key_file) if entry.access_key_file else None,
        secret_key_file=str(entry.secret_key_file) if entry.secret_key_file else None,
        addressing="virtual" if entry.addressing == "virtual" else "path",
        ca_file=str(entry.ca_file) if entry.ca_file else None,
        buckets="all" if entry.buckets is None else entry.buckets,
        admin_profile=entry.admin_profile, admin_path=entry.admin_path,
        admin_access_key_file=str(entry.admin_access_key_file) if entry.admin_access_key_file else None,
        admin_secret_key_file=str(entry.admin_secret_key_file) if entry.admin_secret_key_file else None,
        expected_owner=entry.expected_owner, label_keys=LABEL_KEYS | set(entry.label_keys),
        max_in_flight=entry.max_in_flight, rate_limit=entry.rate_limit, deadline=entry.deadline,
        proxy=_proxy(entry),
        swift_target=entry.swift.target if entry.swift else None,
        swift_project=entry.swift.project if entry.swift else None,
        swift_region=entry.swift.region if entry.swift else None,
    )  # fmt: skip


def _documents(
    subject: Subject,
    plan: Plan,
    declared: Registers,
    now: Callable[[], Seconds],
    cancelled: threading.Event | None,
) -> list[Collector]:
    """The collector of published papers, if the plan reads them and a register names any."""
    urls = addresses_of_papers(declared)
    if DOCUMENT not in plan.wanted or not urls:
        return []
    private = sorted({network for entry in subject.targets for network in entry.allow_private})
    ca_files = sorted(
        {str(entry.ca_file) for entry in subject.targets if entry.ca_file and entry.allow_private}
    )
    ca_file = ca_files[0] if ca_files else None
    return [
        DocumentCollector(
            urls, now=now, allow_private=private, ca_file=ca_file, proxy=_proxy(subject), cancelled=cancelled
        )
    ]


def _numbered(found: Collected) -> Collected:
    """The same with calls numbered in an order of their own, whichever thread made which first."""

    def looks(call: Call) -> tuple[object, ...]:
        told = (call.service, call.request, call.at, call.status, call.digest, call.request_id)
        return (call.scope.key(), *told)

    ordered = sorted(found.calls, key=looks)
    # Of two that nothing tells apart, either is the evidence: the first, however the threads ran.
    first: dict[tuple[object, ...], int] = {}
    new = {call.number: first.setdefault(looks(call), number) for number, call in enumerate(ordered)}

    def of_resource(one: Resource) -> Resource:
        return replace(one, sources={group: new[number] for group, number in one.sources.items()})

    def of_list(one: T) -> T:
        return one if one.call is None else replace(one, call=new[one.call])

    def of_any(one: Seen) -> Seen:
        match one:
            case Resource():
                return of_resource(one)
            case Gap():
                return of_list(one)
            case _:
                return of_list(one)

    def of_part(part: Part) -> Part:
        return replace(part, seen=tuple(map(of_any, part.seen)))

    return replace(
        found,
        calls=tuple(replace(call, number=number) for number, call in enumerate(ordered)),
        resources=tuple(map(of_resource, found.resources)),
        listings=tuple(map(of_list, found.listings)),
        gaps=tuple(map(of_list, found.gaps)),
        parts=None if found.parts is None else tuple(map(of_part, found.parts)),
    )


def _declared_absent(subject: Subject, plan: Plan) -> Iterator[Listing]:
    """Listings for the kinds of target that targets.yaml declares the subject does not have."""
    for kind in subject.absent:
        proof = f"targets.yaml declares that the subject has no {kind} target"
        for type_ in sorted(t for t in plan.types if t.startswith(f"{kind}.")):
            yield Listing(Scope("*"), type_, 0, proof)


def _about(
    subject: Subject,
    plan: Plan,
    found: Collected,
    unverified: Sequence[OpenStackEntry],
    told: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """What the snapshot says of its own making. Holds no secret: entries of targets.yaml have none."""
    return {
        "tool": _TOOL,
        "subject": _subject(subject),
        "targets": [
            _target(entry)
            | ({"verify": False} if entry in unverified else {})
            | dict(told.get(entry.name, {}))
            for entry in subject.targets
        ],
        "absent": sorted(subject.absent),
        **({"plugins": brought} if (brought := _plugins(subject)) else {}),
        "calls": sorted(plan.wanted),
        "figures": _figures(subject, found),
    }


_TOOL: Final = {"name": "cloudaudit", "version": __version__}


def _subject(subject: Subject) -> dict[str, Any]:
    title = {"vi": subject.title.vi, "en": subject.title.en}
    return {"id": subject.id, "kind": subject.kind, "title": title}


def _plugins(subject: Subject) -> list[dict[str, str]]:
    """The plug-ins that take part in reading a subject, with their versions."""
    used = {e.kind: e.plugin for e in subject.targets if isinstance(e, PluginEntry)}
    return plugins.described(kind for _, kind in sorted(used.items()))


def _target(entry: Entry) -> dict[str, Any]:
    """An entry as a snapshot tells of it, with its place in targets.yaml, where a finding can be shown."""
    source = {"path": in_repository(Path(entry.where.path)), "line": entry.where.line}
    return {**_settings(entry), "source": source}


def in_repository(path: Path) -> str:
    """A path as a repository names it. Of one from outside the working folder the name alone is told."""
    whole = Path(normpath(path))
    inside = not whole.is_absolute() and ".." not in whole.parts
    return whole.as_posix() if inside else whole.name


def _settings(entry: Entry) -> dict[str, Any]:
    if isinstance(entry, PluginEntry):
        # What its own keys mean is not known here, so that none of their values is told.
        return {"name": entry.name, "kind": entry.kind}
    if isinstance(entry, CodeEntry):
        found = {
            "name": entry.name,
            "kind": entry.kind,
            "form": entry.form,
            "file": in_repository(entry.file),
        }
        return {**found, "ignored": list(entry.ignored)} if entry.ignored else found
    proxied = {"proxy": True} if entry.proxy or entry.proxy_file else {}
    if isinstance(entry, OpenStackEntry):
        return {
            "name": entry.name,
            "kind": "openstack",
            "vantage": entry.vantage,
            "regions": "all" if entry.regions is None else list(entry.regions),
            "projects": "all" if entry.projects is None else list(entry.projects),
            **({"allow_http": True} if entry.allow_http else {}),
            **proxied,
        }
    return {
        "name": entry.name,
        "kind": "s3",
        "endpoint": entry.endpoint,
        **({"provider": entry.provider} if entry.provider else {}),
        "buckets": "all" if entry.buckets is None else list(entry.buckets),
        **({"swift": str(Scope(view.target, view.region, view.project))} if (view := entry.swift) else {}),
        **proxied,
    }


def _figures(subject: Subject, found: Collected) -> dict[str, Any]:
    """Counts behind collection coverage: projects seen of those declared, buckets read of those listed."""
    clouds = [entry for entry in subject.targets if isinstance(entry, OpenStackEntry)]
    stores = [entry for entry in subject.targets if isinstance(entry, S3Entry)]
    figures: dict[str, Any] = {}
    if clouds:
        declared = [_projects_declared(entry, found) for entry in clouds]
        figures["projects_declared"] = (
            "unknown" if None in declared else sum(n for n in declared if n is not None)
        )
        # More seen in one cloud than declared makes up for nothing that is missing in another.
        figures["projects_seen"] = sum(
            min(_projects_seen(entry, found), number)
            for entry, number in zip(clouds, declared, strict=True)
            if number is not None
        )
    if stores:
        buckets = [r for r in found.resources if r.type == "s3.bucket"]
        figures["buckets_readable"] = sum(_readable(bucket) for bucket in buckets)
        refused = any(g.type == "s3.bucket" and g.listing for g in found.gaps)
        figures["buckets_listed"] = "unknown" if refused else len(buckets)
    return figures


def _projects_seen(entry: OpenStackEntry, found: Collected) -> int:
    """How many projects something was listed in."""
    return len({g.scope.project for g in found.listings if g.scope.target == entry.name and g.scope.project})


def _projects_declared(entry: OpenStackEntry, found: Collected) -> int | None:
    """How many projects ought to be seen: those named, or all that Keystone lists. None: not known."""
    if entry.projects is not None:
        return len(entry.projects)
    scope = Scope(entry.name)
    listed = [g for g in found.listings if g.type == "openstack.project" and g.scope == scope]
    return listed[0].count if listed else None


def _readable(bucket: Resource) -> bool:
    """Whether all was answered that the store can answer at all."""
    return all(unseen.reason is Reason.NOT_IMPLEMENTED for unseen in bucket.unseen.values())
