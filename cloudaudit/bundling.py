"""Make bundles of assessments, and check those of others: judge their snapshot again, and compare it all.

A full bundle is an assessment with everything it followed from. Checking it trusts no figure in it: its own
controls, profile and registers judge its own snapshot at its own clock, and what comes out has to be what
is there. A public one is the image of a full one with names replaced; its figures follow from its findings.
"""

from __future__ import annotations

import gzip
import json
import mimetypes
import platform
import shutil
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from cloudaudit import api, bundle, catalog, data, plugins, registers
from cloudaudit.bundle import MANIFEST, Check, Opened, Refused, note, ok, refused
from cloudaudit.cms import Anchor, CmsSigner
from cloudaudit.errors import BundleError, CloudauditError, OutputError, SnapshotError, Where
from cloudaudit.model import Seconds, Tally, Text, format_time, parse_time
from cloudaudit.pseudonyms import LEFT_OUT, REPLACED, Pseudonyms
from cloudaudit.readiness import ClaimFigures, readiness
from cloudaudit.registers import Plan
from cloudaudit.reporters import report_json
from cloudaudit.reporters.validity import Validity
from cloudaudit.signing import Signer, Stamp, Verifier
from cloudaudit.snapshot import Snapshot
from cloudaudit.yamlsource import misfit, schema

SCHEMA_VERSION: Final = 1
Lang: TypeAlias = Literal["vi", "en"]

NEVER_ASKED: Final = (
    "openstack.server:user_data", "openstack.secret:payload", "openstack.container:objects",
    "s3.bucket:objects", "s3.user:secret_key", "openstack.keypair:private_key",
)  # fmt: skip
"""What no collector asks for, or takes out of an answer, whatever the cloud shows."""

_EXTENSIONS: Final = {
    "text/markdown": "md",
    "text/plain": "txt",
    "application/zip": "zip",
    "application/xml": "xml",
    "application/x-ndjson": "jsonl",
    "application/sarif+json": "sarif",
}
"""Those that the tables of a machine name otherwise, or not at all."""
_PARTS: Final = ("controls", "profiles", "resources")
_OWN: Final = "own-controls"
MAX_LINE: Final = 64 * 1024**2
"""Longest finding that is read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to put into a bundle beside the assessment itself."""

    signer: Signer
    formats: Sequence[str]
    lang: Lang
    created_at: Seconds
    controls: Sequence[Path] = ()
    profile: str | None = None
    """Id or path of the profile that judged; None: the one that the report names."""
    registers: Path | None = None
    """Folder of the registers; None: the copies in the assessment."""
    snapshot: Path | None = None
    previous: Sequence[Path] = ()
    certified: CmsSigner | None = None
    reviewers: Sequence[str] = field(default=())
    """Whom the organisation names as having looked at it: positions, rather than persons."""


# --- making one -----------------------------------------------------------------------------------


def create(source: Path, out: Path, wanted: Wanted) -> Mapping[str, Any]:
    """Make a bundle of an assessment folder, and sign it. Returns its bundle.json.

    Nothing is signed that does not follow from the snapshot: it is all judged again first.

    BundleError: what is there is not what the report was made from. OutputError: it cannot be written.
    """
    assessed = api.load_assessment(source)
    report = assessed.report
    snapshot = _snapshot_of(source, report, wanted.snapshot)
    _check_known(report, wanted)
    kept = wanted.registers or source / "registers"
    declared = registers.load(kept if report["registers"] else None)
    _check_registers(report, declared, kept)
    with bundle.making(out) as work:
        shutil.copyfile(source / api.REPORT, work / api.REPORT)
        shutil.copyfile(source / report["findings_file"]["path"], work / api.FINDINGS)
        _write_json(work / api.LINK, {"snapshot": {"path": "snapshot", "sha256": snapshot.digest}})
        shutil.copytree(snapshot.folder, work / "snapshot", copy_function=shutil.copyfile)
        for file in declared.files:
            _copy(kept / file.path, work / "registers" / file.path)
        profile = _copy_knowledge(work, report, wanted)
        previous = [_copy_previous(work, n, path) for n, path in enumerate(wanted.previous, 1)]
        again = _from_bundle(work, profile, report["scope"])
        formats = _render(work, report, wanted, again.catalogue)
        left_out = [*NEVER_ASKED, *snapshot.manifest.get("dropped_facts", ())]
        manifest = _manifest("full", report, wanted, formats) | {
            "profile": _profile_entry(report, profile, work),
            "previous": previous,
            "counts": dict(sorted(Counter(_key(r) for r in api.all_findings(assessed)).items())),
            "redacted_fields": sorted(set(left_out)),
        }
        _write_json(work / MANIFEST, manifest)
        for check in _content(Opened(work, frozenset(_files(work))), known=again):
            if check.state == "refused":
                raise BundleError(
                    f"{source} is not what its own snapshot gives: {check.text.en}",
                    hint="assess the snapshot again with this version of cloudaudit, then bundle that",
                )
        bundle.seal(work, wanted.signer, predicate(manifest), wanted.certified)
    return manifest


def publish(full: Path, out: Path, names: Pseudonyms, wanted: Wanted) -> Mapping[str, Any]:
    """Make the copy of a full bundle that shows no names, and sign it. Returns its bundle.json."""
    with _sound(full) as box, bundle.making(out) as work:
        made = _read_manifest(box.folder)
        if made["kind"] != "full":
            raise BundleError(f"{full} is a copy without names already", hint="give the full bundle")
        image = _image(box.folder, names)
        _write_report(work, image)
        for part in (*_PARTS, _OWN):
            if (box.folder / part).is_dir():
                shutil.copytree(box.folder / part, work / part, copy_function=shutil.copyfile)
        known = _from_bundle(work, made["profile"]["file"], image.report["scope"])
        formats = _render(work, image.report, wanted, known.catalogue)
        manifest = _manifest("public", image.report, wanted, formats) | {
            "tool": made["tool"],
            "profile": made["profile"],
            "previous": [],
            "counts": made["counts"],
            "redacted_fields": made["redacted_fields"],
            "public": {
                "key_id": names.id,
                "replaced_fields": list(REPLACED),
                "left_out": list(LEFT_OUT),
                "full": _commitment(box, names),
            },
        }
        _write_json(work / MANIFEST, manifest)
        bundle.seal(work, wanted.signer, predicate(manifest), wanted.certified)
    return manifest


def predicate(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What the attestation says of a bundle beside the digests of its files."""
    told = ("schema_version", "kind", "tool", "created_at", "assessed_at", "subject", "scope")
    return {key: manifest[key] for key in told}


def _manifest(
    kind: Literal["full", "public"],
    report: Mapping[str, Any],
    wanted: Wanted,
    formats: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        "tool": {
            **api.TOOL,
            "build_sha256": data.build(),
            "python": f"{platform.python_implementation()} {platform.python_version()}",
        },
        "created_at": format_time(wanted.created_at),
        "assessed_at": report["assessed_at"],
        "subject": report["subject"],
        "scope": report["scope"],
        "options": {"lang": wanted.lang, "formats": list(dict.fromkeys(wanted.formats))},
        "formats": list(formats),
        "profile": {},
        "catalogue": {"sha256": report["catalogue"]["sha256"]},
        "snapshot": report["snapshot"],
        "parameters_changed": report["profile"]["parameters_changed"],
        "counts": {},
        "redacted_fields": [],
        "previous": [],
        "reviewers": list(wanted.reviewers),
    }


def _profile_entry(report: Mapping[str, Any], file: str, work: Path) -> dict[str, Any]:
    of_report = {key: report["profile"][key] for key in ("id", "version", "sha256")}
    return {
        **of_report,
        "file": file,
        "files": sorted(f"profiles/{p.name}" for p in (work / "profiles").iterdir()),
    }


def _key(record: Mapping[str, Any]) -> str:
    """What a finding counts as."""
    return "waived" if record["disposition"] == "waived" else str(record["verdict"])


def _snapshot_of(source: Path, report: Mapping[str, Any], given: Path | None) -> Snapshot:
    folder = given or source / _linked(source)
    if not folder.is_dir():
        raise BundleError(
            f"the snapshot of the assessment is not at {folder}", hint="give it with --snapshot"
        )
    found = Snapshot(folder, {})
    found.check()
    if found.digest != report["snapshot"]["sha256"]:
        raise BundleError(f"{folder} is not the snapshot this assessment was made from: its digest differs")
    if strangers := found.strangers():
        raise BundleError(
            f"{strangers[0]} lies in the snapshot and is none of its files", hint="take it out first"
        )
    return found


def _linked(source: Path) -> str:
    try:
        link = json.loads((source / api.LINK).read_text(encoding="utf-8"))
        return str(link["snapshot"]["path"])
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise BundleError(
            f"{source} does not say where its snapshot is", hint="give it with --snapshot"
        ) from wrong


def _check_known(report: Mapping[str, Any], wanted: Wanted) -> None:
    """What is installed, with what the organisation gives, is what judged: by digests."""
    known = api.know(wanted.profile or report["profile"]["id"], report["scope"], wanted.controls)
    if known.catalogue.digest != report["catalogue"]["sha256"]:
        raise BundleError(
            "the controls are not those that judged: their digest differs",
            hint="give the --controls that assess was given, or assess again",
        )
    if known.profile.digest != report["profile"]["sha256"]:
        raise BundleError(
            f"the profile '{known.profile.id}' is not the one that judged: its digest differs",
            hint="give the --profile that assess was given, or assess again",
        )


def _check_registers(report: Mapping[str, Any], declared: registers.Registers, folder: Path) -> None:
    here = {file.kind: file.sha256 for file in declared.files}
    used = {entry["kind"]: entry["sha256"] for entry in report["registers"]}
    if here != used:
        kind = min(kind for kind in here.keys() | used.keys() if here.get(kind) != used.get(kind))
        raise BundleError(
            f"{folder / kind}.yaml is not the register that the assessment used",
            hint="give the folder with --registers, or assess again",
        )


def _copy_knowledge(work: Path, report: Mapping[str, Any], wanted: Wanted) -> str:
    """Copy controls, resource types and the chain of profiles. Returns the file of the profile."""
    base = data.folder("controls")
    for path in sorted(base.rglob("*.yaml")):
        # Lists of other checkers judge nothing.
        if path.relative_to(base).parts[0] != "peers":
            _copy(path, work / "controls" / path.relative_to(base))
    for number, own in enumerate(wanted.controls, 1):
        for path in [own] if own.is_file() else sorted(own.rglob("*.yaml")):
            _copy(path, work / _OWN / str(number) / path.relative_to(own.parent if own.is_file() else own))
    for folder in (data.folder("resources"), *plugins.type_folders()):
        for path in sorted(folder.glob("*.yaml")):
            _copy(path, work / "resources" / path.name)
    chain = catalog.profile_files(wanted.profile or report["profile"]["id"])
    for path in chain:
        _copy(path, work / "profiles" / path.name)
    return f"profiles/{chain[0].name}"


def _copy(source: Path, target: Path) -> None:
    if target.exists():
        raise BundleError(
            f"{source} cannot go into the bundle: another file of that name does", hint="rename one of them"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _copy_previous(work: Path, number: int, given: Path) -> dict[str, Any]:
    path = given / api.REPORT if given.is_dir() else given
    earlier = api.read_report(path)
    name = f"previous/{number}.json"
    _copy(path, work / name)
    return {"path": name, "sha256": bundle.digest_of(path), "assessed_at": earlier["assessed_at"]}


def _render(
    work: Path, report: Mapping[str, Any], wanted: Wanted, catalogue: catalog.Catalogue
) -> list[dict[str, Any]]:
    found = []
    earlier = _earlier(work)
    for name in dict.fromkeys(wanted.formats):
        if name == "json":
            continue  # report.json is there.
        reporter = plugins.reporter(name)
        path = f"report.{_extension(name, reporter.media_type)}"
        made = api.render(
            api.Assessed(work, report), name, lang=wanted.lang, catalogue=catalogue, previous=earlier
        )
        if (work / path).exists():
            path = f"report.{name}.{_extension(name, reporter.media_type)}"
        (work / path).write_bytes(made.encode() if isinstance(made, str) else made)
        entry: dict[str, Any] = {"format": name, "path": path, "lang": wanted.lang}
        if package := plugins.package_of(reporter):
            entry["package"] = package
        found.append(entry)
    return found


def _extension(name: str, media_type: str) -> str:
    kind = media_type.partition(";")[0].strip()
    guessed = _EXTENSIONS.get(kind) or (mimetypes.guess_extension(kind) or "").removeprefix(".")
    return f"{name}.json" if guessed == "json" else guessed or name


def _earlier(folder: Path) -> list[Mapping[str, Any]]:
    """The reports from before, the newest first."""
    found = [api.read_report(path) for path in sorted((folder / "previous").glob("*.json"))]
    return sorted(found, key=lambda report: str(report["assessed_at"]), reverse=True)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _files(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# --- without names --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Image:
    """A report and all its findings with names replaced."""

    report: Mapping[str, Any]
    lines: bytes
    """Findings as in findings.jsonl.gz, unpacked."""


def _image(folder: Path, names: Pseudonyms) -> Image:
    assessed = api.load_assessment(folder)
    records = list(api.all_findings(assessed))
    titles = {entry["id"]: entry["title"] for entry in assessed.report["controls"]}
    found = sorted((names.finding(record, titles) for record in records), key=report_json.order)
    lines = b"".join(_line(record) for record in found)
    report = names.report(assessed.report, records) | {
        "findings": [record for record in found if record["verdict"] != "pass"],
        "findings_file": {"path": api.FINDINGS, "sha256": sha256(lines).hexdigest(), "count": len(found)},
    }
    report["gaps"] = sorted(report["gaps"], key=lambda gap: json.dumps(gap, sort_keys=True))
    return Image({key: report[key] for key in _in_order(assessed.report, report)}, lines)


def _in_order(like: Mapping[str, Any], report: Mapping[str, Any]) -> list[str]:
    return [key for key in like if key in report]


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _write_report(work: Path, image: Image) -> None:
    (work / api.REPORT).write_text(report_json.dumps(image.report), encoding="utf-8")
    with (work / api.FINDINGS).open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        packed.write(image.lines)


def _commitment(box: Opened, names: Pseudonyms) -> dict[str, Any]:
    """What binds a public copy to its full bundle, and lets nobody guess at that.

    NOTE: a plain digest of a short register lets a reader try what may stand in it. Under the key it does
    not; the digest of the attestation does not either, for it holds a signature that nobody else can make.
    """
    files = {name: names.digest("file", bundle.digest_of(box.folder / name)) for name in sorted(box.names)}
    return {"attestation_sha256": bundle.digest_of(box.folder / bundle.ATTESTATION), "files": files}


@contextmanager
def _sound(path: Path) -> Iterator[Opened]:
    """A bundle whose digests hold, to make another of it. BundleError: they do not."""
    try:
        with bundle.opened(path) as box:
            for check in (*bundle.check_sealed(box, None), *bundle.check_packed(box)):
                _demand(check)
            yield box
    except Refused as wrong:
        raise BundleError(f"{path} is no sound bundle: {wrong}") from wrong


def _demand(check: Check) -> None:
    if check.state == "refused":
        raise Refused(check)


# --- checking one ---------------------------------------------------------------------------------


def verify(
    path: Path,
    verifier: Verifier | None,
    *,
    full: Path | None = None,
    names: Pseudonyms | None = None,
    stamp: Stamp | None = None,
    anchor: Anchor | None = None,
) -> Iterator[Check]:
    """Look at a bundle, one check after the other; what cannot be trusted is not looked into.

    BundleError: it is no bundle at all.
    """
    try:
        with bundle.opened(path) as box:
            sealed = [*bundle.check_sealed(box, verifier, anchor)]
            if stamp is not None and bundle.ATTESTATION in box.names:
                sealed.append(_check_stamp(box, stamp))
            yield from sealed
            if any(check.state == "refused" for check in sealed):
                return
            bombs = [*bundle.check_packed(box)]
            yield from bombs
            if bombs:
                return
            yield from _content(box, bundle.predicate_of(box))
            if full is not None and names is not None:
                yield from _check_image(box, full, names)
    except Refused as found:
        yield found.check


def _check_stamp(box: Opened, stamp: Stamp) -> Check:
    """The time stamp is of this attestation: it, and so every file, was there at that time."""
    try:
        at = format_time(stamp.time_of((box.folder / bundle.ATTESTATION).read_bytes()))
    except ValueError as wrong:
        return refused(
            "timestamp", f"dấu thời gian không đúng: {wrong}", f"the time stamp does not hold: {wrong}"
        )
    return ok("timestamp", f"chứng thực đã có từ trước {at}", f"the attestation was there by {at}")


def _content(
    box: Opened, attested: Mapping[str, Any] | None = None, known: api.Knowledge | None = None
) -> Iterator[Check]:
    """Check what the files say. An error on the way is an answer: somebody else's file is wrong.

    `attested` is what the attestation says, `known` the bundle's own knowledge where it is read already.
    """
    try:
        yield from _contents(box, attested, known)
    except Refused as found:
        yield found.check
    except (BundleError, OutputError):
        raise
    except CloudauditError as wrong:
        first = str(wrong.problems[0]).replace(f"{box.folder}/", "")
        yield refused("content", f"không đọc được: {first}", f"cannot be read: {first}")


def _contents(
    box: Opened, attested: Mapping[str, Any] | None, known: api.Knowledge | None
) -> Iterator[Check]:
    folder = box.folder
    manifest = _read_manifest(folder)
    if attested is not None and attested != predicate(manifest):
        raise Refused(
            refused(
                "manifest",
                f"{MANIFEST} không khớp nội dung đã chứng thực",
                f"{MANIFEST} is not what the attestation says",
            )
        )
    assessed = api.load_assessment(folder)
    report = assessed.report
    yield _check_manifest(manifest, report)
    same_build = manifest["tool"]["build_sha256"] == data.build()
    yield _check_build(manifest, same_build)
    yield from _check_previous(folder, manifest)
    known = known or _from_bundle(folder, manifest["profile"]["file"], report["scope"])
    _check_knowledge(known, report)
    yield _check_shipped(folder)
    yield _check_numbers(assessed, known, manifest)
    if same_build:
        _check_written(assessed)
    if manifest["kind"] == "full":
        yield from _check_again(folder, assessed, known, same_build)
    yield from _check_formats(assessed, manifest, known.catalogue, same_build)


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise Refused(
            refused("manifest", f"không đọc được {MANIFEST}", f"{MANIFEST} cannot be read")
        ) from None
    if isinstance(found, dict) and found.get("schema_version") not in (None, SCHEMA_VERSION):
        raise BundleError(
            f"{MANIFEST} is of another version than {SCHEMA_VERSION}",
            hint="check it with the version of cloudaudit that made it",
        )
    if why := misfit(found, schema("bundle")):
        raise Refused(refused("manifest", f"{MANIFEST}: {why}", f"{MANIFEST}: {why}"))
    checked: dict[str, Any] = found
    return checked


def _check_manifest(manifest: Mapping[str, Any], report: Mapping[str, Any]) -> Check:
    """bundle.json and report.json tell the same of clock, subject, profile, controls and snapshot."""
    if manifest["assessed_at"] != report["assessed_at"]:
        there, here = manifest["assessed_at"], report["assessed_at"]
        raise Refused(
            refused(
                "clock",
                f"thời điểm đánh giá không thống nhất: {MANIFEST} ghi {there}, {api.REPORT} ghi {here}",
                f"the clocks differ: {MANIFEST} says {there}, {api.REPORT} says {here}",
            )
        )
    profile = {key: report["profile"][key] for key in ("id", "version", "sha256")}
    pairs = {
        "subject": report["subject"],
        "scope": report["scope"],
        "snapshot": report["snapshot"],
        "catalogue": {"sha256": report["catalogue"]["sha256"]},
        "parameters_changed": report["profile"]["parameters_changed"],
        "profile": {**manifest["profile"], **profile},
    }
    if wrong := next((key for key, value in pairs.items() if manifest[key] != value), None):
        raise Refused(
            refused(
                "manifest",
                f"{MANIFEST} và {api.REPORT} khác nhau ở '{wrong}'",
                f"{MANIFEST} and {api.REPORT} differ in '{wrong}'",
            )
        )
    at = report["assessed_at"]
    return ok("manifest", f"thống nhất; thời điểm đánh giá {at}", f"of one piece; assessed at {at}")


def _check_build(manifest: Mapping[str, Any], same: bool) -> Check:
    theirs, version = manifest["tool"]["build_sha256"][:16], manifest["tool"]["version"]
    if same:
        return ok(
            "build",
            f"cloudaudit {version}, cùng bản dựng {theirs}…",
            f"cloudaudit {version}, the same build {theirs}…",
        )
    ours = f"{api.TOOL['version']} ({data.build()[:16]}…)"
    return note(
        "build",
        f"được lập bằng bản khác: cloudaudit {version} ({theirs}…); ở đây là {ours}",
        f"made by another build: cloudaudit {version} ({theirs}…); here is {ours}",
    )


def _check_previous(folder: Path, manifest: Mapping[str, Any]) -> Iterator[Check]:
    declared = manifest["previous"]
    for entry in declared:
        path = folder / entry["path"]
        if not path.is_file():
            raise Refused(
                refused(
                    "previous",
                    f"báo cáo kỳ trước đã khai báo nhưng không có: {entry['path']}",
                    f"an earlier report is declared and not there: {entry['path']}",
                )
            )
        same = bundle.digest_of(path) == entry["sha256"]
        if not same or api.read_report(path)["assessed_at"] != entry["assessed_at"]:
            raise Refused(
                refused(
                    "previous",
                    f"báo cáo kỳ trước không phải bản đã khai báo: {entry['path']}",
                    f"an earlier report is not the one declared: {entry['path']}",
                )
            )
    if declared:
        yield ok("previous", f"{len(declared)} báo cáo kỳ trước", f"{len(declared)} earlier reports")


# --- what it was judged by --------------------------------------------------------------------------


def _from_bundle(folder: Path, profile: str, scope: str) -> api.Knowledge:
    """Controls, types and profile of a bundle, in place of those that are installed."""
    base = folder / _OWN
    own = sorted(base.iterdir(), key=lambda path: (len(path.name), path.name)) if base.is_dir() else []
    known = catalog.load_catalogue(own, root=folder)
    return api.Knowledge(known, catalog.load_profile(str(folder / profile), known, scope, root=folder))


def _check_knowledge(known: api.Knowledge, report: Mapping[str, Any]) -> None:
    if known.catalogue.digest != report["catalogue"]["sha256"]:
        sources = known.catalogue.sources
        swapped = [c["id"] for c in report["controls"] if _digest_of(sources, c["id"]) != c["sha256"]]
        named = ", ".join(swapped[:5]) or "?"
        raise Refused(
            refused(
                "controls",
                f"biện pháp kiểm soát không phải bản đã dùng để đánh giá: {named}",
                f"a control is not the one that judged: {named}",
            )
        )
    if known.profile.digest != report["profile"]["sha256"]:
        raise Refused(
            refused(
                "controls",
                "hồ sơ năng lực không phải bản đã dùng để đánh giá",
                "the profile is not the one that judged",
            )
        )


def _digest_of(sources: Mapping[str, catalog.ControlSource], id_: str) -> str | None:
    return sources[id_].digest if id_ in sources else None


def _check_shipped(folder: Path) -> Check:
    """Whether it was judged by what this installation ships. It need not be, and who reads should know."""
    own = sorted(path.name for path in (folder / _OWN).rglob("*.yaml"))
    changed = sorted(_unlike(folder))
    if not own and not changed:
        return ok(
            "controls",
            "trùng với bản phát hành đang cài đặt ở đây",
            "the same as ship with this installation",
        )
    told = [f"{len(own)} own"] if own else []
    told += [f"{len(changed)} differ: {', '.join(changed[:5])}"] if changed else []
    nói = [f"{len(own)} của đơn vị"] if own else []
    nói += [f"{len(changed)} khác: {', '.join(changed[:5])}"] if changed else []
    return note(
        "controls",
        f"không hoàn toàn là bản phát hành đang cài đặt ở đây ({'; '.join(nói)})",
        f"not all as they ship with this installation ({'; '.join(told)})",
    )


def _unlike(folder: Path) -> Iterator[str]:
    """Files of a bundle's controls, types and profiles that are not as installed, by name."""
    for part in _PARTS:
        for path in sorted((folder / part).rglob("*.yaml")):
            ours = data.folder(part) / path.relative_to(folder / part)
            if not ours.is_file() or ours.read_bytes() != path.read_bytes():
                yield path.relative_to(folder).as_posix()


# --- figures ----------------------------------------------------------------------------------------


def recounted(assessed: api.Assessed, known: api.Knowledge) -> tuple[dict[str, Any], dict[str, int]]:
    """A report as its own findings, lists and papers give it, and how many findings there are of a kind.

    What only snapshot and registers can tell is taken as it stands: whether lists were complete, what was
    asked, until when evidence holds.
    """
    report, profile = assessed.report, known.profile
    tallies = {entry["id"]: Tally(listing_complete=entry["listing_complete"]) for entry in report["controls"]}
    if tallies.keys() != {control.id for control in profile.controls}:
        raise SnapshotError(f"{api.REPORT} has other controls than its profile selects")
    counts: Counter[str] = Counter()
    opened = []
    for record in api.all_findings(assessed):
        if record["control"] not in tallies:
            raise SnapshotError(f"{api.FINDINGS} has a finding of a control that the profile does not select")
        tallies[record["control"]].add(_key(record), record["weight"])
        counts[_key(record)] += 1
        if record["verdict"] != "pass":
            opened.append(record)
    plans = [
        Plan(
            p["control"],
            p["resource"],
            p["system"],
            p["measure"],
            p["owner"],
            parse_time(p["due"]),
            Where(""),
        )
        for p in report["plans"]
    ]
    states = [claim["state"] for claim in report["claims"]]
    rolled = readiness(
        profile,
        tallies,
        registers_present=frozenset(entry["kind"] for entry in report["registers"]),
        collection=api.collection_figures(report.get("collection_figures", {}), report["collection"]),
        claims=ClaimFigures(states.count("refuted"), states.count("unverified")),
        planned=api.planned_controls(opened, plans, parse_time(report["assessed_at"])),
    )
    parts = report_json.Parts(
        tool=report["tool"],
        generated_at=report["generated_at"],
        assessed_at=report["assessed_at"],
        subject=report["subject"],
        targets=report["targets"],
        profile=profile,
        catalogue={**report["catalogue"], "sha256": known.catalogue.digest},
        snapshot=report["snapshot"],
        readiness=rolled,
        tallies=tallies,
        control_results={id_: api.result_of(tally) for id_, tally in tallies.items()},
        findings=opened,
        findings_file={**report["findings_file"], "count": sum(counts.values())},
        gaps=report["gaps"],
        collection=report["collection"],
        claims=report["claims"],
        plans=report["plans"],
        waivers=report.get("waivers", ()),
        registers=report["registers"],
        collection_figures=report.get("collection_figures", {}),
        projects=report.get("projects", {}),
        capabilities=report.get("capabilities", ()),
        plugins=report.get("plugins", ()),
        reporters=report.get("reporters", ()),
        validity=_validity(report.get("validity")),
    )
    return report_json.build(parts), dict(sorted(counts.items()))


def _validity(told: Mapping[str, Any] | None) -> Validity | None:
    if told is None:
        return None
    because = Text(told["because"]["vi"], told["because"]["en"])
    return Validity(parse_time(told["until"]), because, told["control"], told["evidence"])


def _check_numbers(assessed: api.Assessed, known: api.Knowledge, manifest: Mapping[str, Any]) -> Check:
    try:
        expected, counts = recounted(assessed, known)
    except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as wrong:
        raise SnapshotError(f"{api.REPORT} cannot be counted again: {wrong}") from wrong
    if found := difference(expected, assessed.report):
        raise Refused(_refused_difference("numbers", found))
    if counts != manifest["counts"]:
        raise Refused(
            _refused_difference("numbers", Difference(f"{MANIFEST} counts", counts, manifest["counts"]))
        )
    all_ = sum(counts.values())
    return ok(
        "numbers",
        f"mọi số liệu tính lại từ {all_} kết quả đều khớp",
        f"every figure follows from the {all_} findings",
    )


def _check_written(assessed: api.Assessed) -> None:
    """Files of JSON are written in one way, so that no key stands twice and readers disagree on it."""
    strange = api.FINDINGS if any(_line(json.loads(line)) != line for line in _lines(assessed)) else ""
    if (assessed.folder / api.REPORT).read_text(encoding="utf-8") != report_json.dumps(assessed.report):
        strange = api.REPORT
    if strange:
        raise Refused(
            refused(
                "numbers",
                f"{strange} không được ghi theo cách của cloudaudit",
                f"{strange} is not written as cloudaudit writes it",
            )
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where two things differ, what should stand there and what does."""

    place: str
    expected: Any
    found: Any


_NOTHING: Final = object()


def difference(expected: Any, found: Any, place: str = "") -> Difference | None:
    """The first difference between values of JSON; None when there is none. Numbers and truth never mix."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for key in [*expected, *(key for key in found if key not in expected)]:
            inner = f"{place}.{key}" if place else str(key)
            if told := difference(expected.get(key, _NOTHING), found.get(key, _NOTHING), inner):
                return told
        return None
    if isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        for number, (one, other) in enumerate(zip_longest(expected, found, fillvalue=_NOTHING)):
            named = _name_of(one if one is not _NOTHING else other) or str(number)
            if told := difference(one, other, f"{place}[{named}]"):
                return told
        return None
    same = type(expected) is type(found) and expected == found
    return None if same else Difference(place, expected, found)


def _name_of(entry: Any) -> str:
    """How people call an entry of a list: a finding by control and resource, others by their id."""
    if not isinstance(entry, Mapping):
        return ""
    if isinstance(entry.get("resource"), Mapping):
        resource = entry["resource"]
        return f"{entry.get('control')} {resource.get('type')} {resource.get('name') or resource.get('id')}"
    return str(entry.get("id") or "")


def _refused_difference(id_: str, found: Difference, why: str = "") -> Check:
    place = found.place[:300]
    expected, there = _shown(found.expected), _shown(found.found)
    return refused(
        id_,
        f"{place}: tính ra {expected}, trong gói là {there}{why}",
        f"{place}: expected {expected}, found {there}{why}",
    )


def _shown(value: Any) -> str:
    if value is _NOTHING:
        return "∅"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 120 else f"{text[:119]}…"


# --- judging again ----------------------------------------------------------------------------------


def _check_again(
    folder: Path, assessed: api.Assessed, known: api.Knowledge, same_build: bool
) -> Iterator[Check]:
    """Judge the snapshot of a bundle with all of its own, and compare findings and report."""
    report = assessed.report
    evidence = Snapshot(folder / "snapshot", {})
    evidence.check()
    if strangers := evidence.strangers():
        name = strangers[0].relative_to(folder).as_posix()
        raise Refused(
            refused("snapshot", f"{name} không thuộc bản chụp", f"{name} is none of the snapshot's files")
        )
    if evidence.digest != report["snapshot"]["sha256"]:
        raise Refused(
            refused("snapshot", "không phải bản chụp đã đánh giá", "it is not the snapshot that was judged")
        )
    yield ok("snapshot", f"{evidence.digest[:16]}…", f"{evidence.digest[:16]}…")
    kept = folder / "registers"
    declared = registers.load(kept if kept.is_dir() else None)
    with tempfile.TemporaryDirectory(prefix="cloudaudit-again-") as name:
        again = api.assess(
            folder / "snapshot",
            Path(name),
            known,
            declared,
            at=parse_time(report["assessed_at"]),
            generated_at=parse_time(report["generated_at"]),
            subject=report["subject"],
            reporters=report.get("reporters", ()),
        )
        why = "" if same_build else "; made by another build, so look with that one before you conclude"
        if found := _first_other(again, assessed):
            yield _refused_difference("findings", found, why)
            return
        count = again.report["findings_file"]["count"]
        yield ok(
            "findings",
            f"đánh giá lại bản chụp cho đúng {count} kết quả này",
            f"the snapshot judged again gives these {count} findings",
        )
        if found := difference(_of_tool(again.report, report), report):
            yield _refused_difference("report", found, why)
            return
        yield ok(
            "report", f"đánh giá lại cho đúng {api.REPORT} này", f"judged again, it is this {api.REPORT}"
        )


def _of_tool(again: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    """A report as if the other's version had made it: versions are told apart, and are no mismatch."""
    catalogue = {**again["catalogue"], "version": report["catalogue"]["version"]}
    return {**again, "tool": report["tool"], "catalogue": catalogue}


def _first_other(again: api.Assessed, assessed: api.Assessed) -> Difference | None:
    """The first finding that judging again gives otherwise."""
    pairs = zip_longest(_lines(again), _lines(assessed))
    for expected, found in pairs:
        if expected == found:
            continue
        one = json.loads(expected) if expected else None
        other = json.loads(found) if found else None
        if one is not None and other is not None:
            if one["fingerprint"] == other["fingerprint"]:
                return difference(one, other, _name_of(one)) or Difference(_name_of(one), "…", "…")
            later = {json.loads(line)["fingerprint"] for line, _ in pairs if line}
            if other["fingerprint"] in later:
                return Difference(_name_of(one), one["verdict"], _NOTHING)
        if other is not None:
            return Difference(_name_of(other), _NOTHING, other["verdict"])
        assert one is not None
        return Difference(_name_of(one), one["verdict"], _NOTHING)
    return None


def _lines(assessed: api.Assessed) -> Iterator[bytes]:
    path = assessed.folder / api.FINDINGS
    try:
        with gzip.open(path, "rb") as packed:
            while line := packed.readline(MAX_LINE):
                yield line
    except (OSError, EOFError, zlib.error) as wrong:
        raise SnapshotError(f"{path} cannot be read: {wrong}") from wrong


# --- other formats ----------------------------------------------------------------------------------


def _check_formats(
    assessed: api.Assessed, manifest: Mapping[str, Any], catalogue: catalog.Catalogue, same_build: bool
) -> Iterator[Check]:
    """Write each format again, and compare its bytes. Says which were compared and which cannot be."""
    earlier = _earlier(assessed.folder)
    for entry in manifest["formats"]:
        path = assessed.folder / entry["path"]
        if not path.is_file():
            raise Refused(refused("formats", f"không có {entry['path']}", f"there is no {entry['path']}"))
        name, there = entry["format"], path.read_bytes()
        try:
            reporter = plugins.reporter(name)
            made = api.render(assessed, name, lang=entry["lang"], catalogue=catalogue, previous=earlier)
        except CloudauditError as wrong:
            first = wrong.problems[0].message
            yield note(
                "formats",
                f"{entry['path']} chưa được so sánh: {first}",
                f"{entry['path']} was not compared: {first}",
            )
            continue
        if (made.encode() if isinstance(made, str) else made) == there:
            yield ok(
                "formats", f"{entry['path']} lập lại giống hệt", f"{entry['path']} is the same made anew"
            )
        elif not same_build:
            yield note(
                "formats",
                f"{entry['path']} chưa được so sánh: được lập bằng bản dựng khác",
                f"{entry['path']} was not compared: another build made it",
            )
        elif isinstance(made, str) or reporter.media_type.startswith("text/"):
            yield refused(
                "formats",
                f"{entry['path']} không phải kết quả lập từ {api.REPORT}",
                f"{entry['path']} is not what {api.REPORT} gives",
            )
        else:
            yield note(
                "formats",
                f"{entry['path']} chưa được so sánh: định dạng này mỗi lần lập một khác",
                f"{entry['path']} was not compared: its bytes differ each time it is made",
            )


# --- a copy without names against its full bundle -----------------------------------------------------


def _check_image(box: Opened, full: Path, names: Pseudonyms) -> Iterator[Check]:
    manifest = _read_manifest(box.folder)
    if manifest["kind"] != "public":
        raise BundleError("--full is for checking a copy without names, and this is a full bundle")
    told = manifest["public"]
    if told["key_id"] != names.id:
        yield refused(
            "image", "khóa bút danh không phải khóa đã dùng", "this is not the key of its pseudonyms"
        )
        return
    with _sound(full) as whole:
        if _commitment(whole, names) != told["full"]:
            yield refused(
                "image", "bản sao này được lập từ một gói khác", "this copy was made from another bundle"
            )
            return
        image = _image(whole.folder, names)
        report = api.load_assessment(box.folder)
        if found := difference(image.report, report.report):
            yield _refused_difference("image", found)
        elif b"".join(_lines(report)) != image.lines:
            yield refused(
                "image", f"{api.FINDINGS} không phải ảnh của gói đầy đủ", f"{api.FINDINGS} is no image of it"
            )
        else:
            yield ok("image", "đúng là ảnh của gói đầy đủ", "it is exactly the image of the full bundle")


def worst(checks: Iterable[Check]) -> int:
    """The exit code: 1 if anything was refused."""
    return 1 if any(check.state == "refused" for check in checks) else 0
