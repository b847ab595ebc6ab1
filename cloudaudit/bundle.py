"""A bundle on disk: a report with all it was made from, in files that `sha256sum` and `openssl` can check.

    bundle.json              what this is: tool and build, clock, options, counts, fields left out
    report.json, findings.jsonl.gz, report.*, assessment.json, registers/, snapshot/   the assessment
    controls/, own-controls/, profiles/, resources/   what it was judged by
    previous/                earlier reports that it is compared with
    SHA256SUMS               the digest of each of these
    SHA256SUMS.sig           a signature over it, for `openssl`, or for `ssh-keygen` with a key of OpenSSH
    SHA256SUMS.p7s           likewise as CMS, where a certificate was given
    attestation.dsse.json    a signed statement (in-toto, DSSE) of the digest of every file

Here is what does not depend on what the files say: writing them all or not at all, opening what others
sent, and holding it against digests and signatures. `cloudaudit.bundling` knows what is in them.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from cloudaudit.cms import Anchor, CmsSigner, Unacceptable
from cloudaudit.errors import BundleError, OutputError
from cloudaudit.model import Text
from cloudaudit.records import text_of
from cloudaudit.signing import MAX_ENVELOPE, Enveloped, Signer, Verifier, envelope, unwrap

MANIFEST: Final = "bundle.json"
SUMS: Final = "SHA256SUMS"
SIGNATURE: Final = "SHA256SUMS.sig"
CMS: Final = "SHA256SUMS.p7s"
MAX_CMS: Final = 1024 * 1024
ATTESTATION: Final = "attestation.dsse.json"
OUTER: Final = (SUMS, SIGNATURE, CMS, ATTESTATION)
"""Files that are no content: they speak of the others."""

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "urn:cloudaudit:predicate:bundle:1"

MAX_FILES: Final = 200_000
MAX_BYTES: Final = 8 * 1024**3
"""Most that is unpacked of a zip, in bytes."""
MAX_RATIO: Final = 500
"""How many times larger than packed a file may be. Findings that are all alike come to a hundredth."""
SMALL: Final = 16 * 1024**2
"""Below this many bytes nobody minds how well something was packed."""
MOST_NAMED: Final = 5

State = Literal["ok", "refused", "note"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `note`: it was not, or it is something to know; it decides nothing."""

    id: str
    state: State
    text: Text


class Refused(Exception):
    """What was looked at does not hold, and nothing after it can be looked at."""

    def __init__(self, check: Check) -> None:
        self.check = check
        super().__init__(check.text.en)


def refused(id_: str, vi: str, en: str) -> Check:
    return Check(id_, "refused", Text(vi, en))


def ok(id_: str, vi: str, en: str) -> Check:
    return Check(id_, "ok", Text(vi, en))


def note(id_: str, vi: str, en: str) -> Check:
    return Check(id_, "note", Text(vi, en))


# --- writing --------------------------------------------------------------------------------------


@contextmanager
def making(out: Path) -> Iterator[Path]:
    """A folder to put the files into; it gets its name, or becomes a zip, when the block ends well.

    It lies beside, under a name of its own, and is gone if the block does not: what bears the name of a
    bundle is whole, and on the disk.
    """
    out = out.resolve()
    work = out.with_name(f".{out.name}.{secrets.token_hex(4)}.partial")
    packed = work.with_suffix(".zip-partial")
    try:
        _check_new(out)
        work.mkdir(parents=True)
        yield work
        if _is_zip_name(out):
            _pack(work, packed)
            _sync(packed)
            packed.rename(out)
        else:
            for path in (*sorted(work.rglob("*")), work):
                _sync(path)
            if out.exists():
                out.rmdir()
            work.rename(out)
        _sync(out.parent)
    except OSError as wrong:
        raise OutputError(
            f"{out} cannot be written: {wrong.strerror or wrong}", hint="nothing was left there"
        ) from wrong
    finally:
        shutil.rmtree(work, ignore_errors=True)
        packed.unlink(missing_ok=True)


def _check_new(out: Path) -> None:
    if out.is_dir() and not _is_zip_name(out) and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        raise OutputError(
            f"{out} is already there", hint="give a new name, or remove it; nothing was changed"
        )


def _is_zip_name(path: Path) -> bool:
    return path.suffix.lower() == ".zip"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _pack(folder: Path, out: Path) -> None:
    """A zip of a folder: in the order of names, and without times, so that equal files give equal bytes."""
    with zipfile.ZipFile(out, "x", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(_names(folder)):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(".gz") else zipfile.ZIP_DEFLATED
            with (folder / name).open("rb") as file, archive.open(entry, "w") as into:
                shutil.copyfileobj(file, into, 1 << 20)


def seal(
    work: Path, signer: Signer, predicate: Mapping[str, Any], certified: CmsSigner | None = None
) -> None:
    """Write digests and signatures over everything in a folder; nothing is written after them."""
    digests = {name: digest_of(work / name) for name in sorted(_names(work))}
    if wrong := next((name for name in digests if not _NAME.fullmatch(name)), None):
        raise BundleError(
            f"the file name {wrong[:100]!r} cannot stand in {SUMS}", hint="give it a plain name"
        )
    sums = "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()
    outer = {SUMS: sums, SIGNATURE: signer.detached(sums)}
    if certified is not None:
        outer[CMS] = certified.sign(sums)
    for name, data in outer.items():
        (work / name).write_bytes(data)
        digests[name] = sha256(data).hexdigest()
    subjects = [{"name": name, "digest": {"sha256": digests[name]}} for name in sorted(digests)]
    statement = {
        "_type": STATEMENT, "subject": subjects, "predicateType": PREDICATE, "predicate": dict(predicate),
    }  # fmt: skip
    (work / ATTESTATION).write_bytes(envelope(statement, signer))


_NAME: Final = re.compile(r"[^\x00-\x1f\x7f\\]{1,1000}")


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    digest = sha256()
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
    return digest.hexdigest()


def _names(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# --- opening --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle whose files are plain ones in a folder. Nothing is said yet of what is in them."""

    folder: Path
    names: frozenset[str]


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Open a folder or a zip. A zip is unpacked beside, into a folder of its own that goes with the block.

    BundleError: it is no bundle. Refused: it holds what no bundle holds, such as ways out of its folder.
    """
    if path.is_dir():
        yield _looked_at(path, path)
        return
    if not path.exists():
        raise BundleError(f"there is no bundle {path}", hint="check the path")
    if not zipfile.is_zipfile(path):
        cut = " that can be read to its end; fetch it again" if _is_zip_name(path) else ""
        raise BundleError(f"{path} is no bundle{cut}", hint="give the folder or the .zip of one")
    with tempfile.TemporaryDirectory(prefix="cloudaudit-bundle-") as name:
        folder = Path(name)
        try:
            _unpack(path, folder)
        except (
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            EOFError,
            ValueError,
            RuntimeError,
        ) as wrong:
            raise Refused(
                refused("layout", f"tệp zip bị hỏng: {wrong}", f"the zip is damaged: {wrong}")
            ) from wrong
        except OSError as wrong:
            raise BundleError(f"{path} cannot be unpacked: {wrong.strerror or wrong}") from wrong
        yield _looked_at(folder, path)


def _looked_at(folder: Path, given: Path) -> Opened:
    names: set[str] = set()
    for base, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(base) / name
            inner = path.relative_to(folder).as_posix()
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise _layout("là liên kết", "is a link", inner)
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise _layout("không phải tệp thường", "is no plain file", inner)
            if stat.S_ISREG(mode):
                names.add(inner)
            if len(names) > MAX_FILES:
                raise _layout("vượt quá số tệp cho phép", "is beyond the number of files allowed", inner)
    if not {MANIFEST, SUMS, ATTESTATION} & names:
        raise BundleError(
            f"{given} is no bundle: it has no {MANIFEST}", hint="make one with cloudaudit bundle create"
        )
    return Opened(folder, frozenset(names))


def _layout(vi: str, en: str, name: str) -> Refused:
    return Refused(refused("layout", f"{name[:200]} {vi}", f"{name[:200]} {en}"))


def _unpack(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_FILES:
            raise _layout("có quá nhiều tệp", "holds too many files", path.name)
        seen: set[str] = set()
        left = min(MAX_BYTES, max(SMALL, MAX_RATIO * path.stat().st_size))
        for entry in entries:
            name = entry.filename
            _check_entry(entry, name, seen)
            if entry.is_dir():
                continue
            left -= entry.file_size
            if left < 0 or (
                entry.file_size > SMALL and entry.file_size > MAX_RATIO * max(1, entry.compress_size)
            ):
                raise _layout("phình quá lớn khi giải nén", "unpacks to far more than it is", name)
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as packed, target.open("xb") as into:
                shutil.copyfileobj(packed, into, 1 << 20)


def _check_entry(entry: zipfile.ZipInfo, name: str, seen: set[str]) -> None:
    """Refuse an entry that is no plain file in the folder. Its size is the library's to hold it to."""
    parts = PurePosixPath(name).parts
    plain = name.rstrip("/") == "/".join(parts) and not name.startswith("/") and "\\" not in name
    if not plain or not parts or ".." in parts or ":" in parts[0] or entry.orig_filename != name:
        raise _layout("chỉ ra ngoài thư mục", "leads out of the folder", name)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _layout("là liên kết hoặc tệp đặc biệt", "is a link or a special file", name)
    if entry.flag_bits & 1:
        raise _layout("bị mã hóa", "is encrypted", name)
    if name in seen:
        raise _layout("có hai lần trong tệp zip", "is twice in the zip", name)
    seen.add(name)


def check_packed(box: Opened) -> Iterator[Check]:
    """Refuse packed files that blow up. Reads each once, and keeps nothing."""
    for name in sorted(box.names):
        if name.endswith(".gz") and (why := _bomb(box.folder / name)):
            yield refused("layout", f"{name}: {why[0]}", f"{name}: {why[1]}")


def _bomb(path: Path) -> tuple[str, str] | None:
    size, total = path.stat().st_size, 0
    unpack = zlib.decompressobj(wbits=31)
    with path.open("rb") as file:
        try:
            while data := file.read(1 << 16):
                while data:
                    total += len(unpack.decompress(data, 1 << 20))
                    if total > SMALL and total > MAX_RATIO * size:
                        return ("phình quá lớn khi giải nén", "unpacks to far more than it is")
                    data = unpack.unconsumed_tail
                    if unpack.eof:
                        # What follows the end of one is the next one, to whoever reads it later.
                        data, unpack = unpack.unused_data, zlib.decompressobj(wbits=31)
        except zlib.error:
            return ("không giải nén được", "cannot be unpacked")
    return None


# --- digests and signatures -------------------------------------------------------------------------


def check_sealed(box: Opened, verifier: Verifier | None, anchor: Anchor | None = None) -> Iterator[Check]:
    """Hold the files against the attestation, and that against a key. Without one, nobody vouches.

    `anchor` is what the CMS signature has to lead to; without it, that one is not looked at.
    """
    try:
        attested = _attestation(box)
        subjects = _subjects(attested.statement)
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        yield refused(
            "signature",
            f"không có {ATTESTATION} đọc được",
            f"there is no {ATTESTATION} that can be read, or its bytes are not those that were written",
        )
        return
    yield _signed(attested, verifier)
    files = {name: digest_of(box.folder / name) for name in sorted(box.names - {ATTESTATION})}
    if not any(files.get(name) == digest for name, digest in subjects.items()):
        yield refused(
            "files",
            f"{ATTESTATION} nói về một gói khác: không tệp nào ở đây khớp",
            f"{ATTESTATION} speaks of another bundle: it fits no file here",
        )
        return
    yield from _compared(subjects, files)
    yield from _check_sums(box, subjects, verifier, anchor)


def _attestation(box: Opened) -> Enveloped:
    path = box.folder / ATTESTATION
    if path.stat().st_size > MAX_ENVELOPE:
        raise ValueError("it is too large")
    return unwrap(path.read_bytes())


def _subjects(statement: Mapping[str, Any]) -> dict[str, str]:
    if statement["_type"] != STATEMENT or statement["predicateType"] != PREDICATE:
        raise ValueError("it is a statement of another kind")
    found = {text_of(entry["name"]): text_of(entry["digest"]["sha256"]) for entry in statement["subject"]}
    if len(found) != len(statement["subject"]):
        raise ValueError("it names a file twice")
    return found


def predicate_of(box: Opened) -> Mapping[str, Any]:
    """What the attestation says beside digests, after :func:`check_sealed`."""
    found: Mapping[str, Any] = _attestation(box).statement["predicate"]
    return found


def _signed(attested: Enveloped, verifier: Verifier | None) -> Check:
    if verifier is None:
        return note(
            "signature",
            f"không ai bảo đảm: chưa đưa khóa công khai (khóa đã ký: {attested.key_id[:16]}…)",
            f"nobody vouches: no public key was given (signed with key {attested.key_id[:16]}…)",
        )
    if attested.key_id != verifier.id:
        return refused(
            "signature",
            f"được ký bằng khóa khác: {attested.key_id[:16]}…, khóa đưa ra là {verifier.id[:16]}…",
            f"signed with another key: {attested.key_id[:16]}…, the one given is {verifier.id[:16]}…",
        )
    if not attested.is_accepted_by(verifier):
        return refused(
            "signature",
            f"chữ ký của {ATTESTATION} không đúng",
            f"the signature of {ATTESTATION} does not hold",
        )
    return ok(
        "signature",
        f"{verifier.name}, khóa {verifier.id[:16]}…",
        f"{verifier.name}, key {verifier.id[:16]}…",
    )


def _compared(subjects: Mapping[str, str], files: Mapping[str, str]) -> Iterator[Check]:
    changed = sorted(name for name in subjects.keys() & files.keys() if subjects[name] != files[name])
    parts = (
        (changed, "không phải tệp đã được ký", "not what was signed"),
        (sorted(subjects.keys() - files.keys()), "bị thiếu", "missing"),
        (sorted(files.keys() - subjects.keys()), "bị thêm vào", "added"),
    )
    for names, vi, en in parts:
        if names:
            yield refused("files", f"{vi}: {_named(names)}", f"{en}: {_named(names)}")
    if not any(names for names, _, _ in parts):
        yield ok("files", f"{len(files)} tệp khớp SHA-256", f"{len(files)} files fit their SHA-256")


def _named(names: Iterable[str]) -> str:
    found = list(names)
    shown = ", ".join(name[:120] for name in found[:MOST_NAMED])
    return shown if len(found) <= MOST_NAMED else f"{shown} (+{len(found) - MOST_NAMED})"


def _check_sums(
    box: Opened, subjects: Mapping[str, str], verifier: Verifier | None, anchor: Anchor | None
) -> Iterator[Check]:
    """SHA256SUMS says the same as the attestation, and its own signature holds."""
    if SUMS not in box.names:
        yield refused("sums", f"không có {SUMS}", f"there is no {SUMS}")
        return
    sums = (box.folder / SUMS).read_bytes()
    content = {name: digest for name, digest in subjects.items() if name not in OUTER}
    wanted = "".join(f"{digest}  {name}\n" for name, digest in sorted(content.items()))
    if sums != wanted.encode():
        yield refused(
            "sums",
            f"{SUMS} không phải danh sách đã được chứng thực",
            f"{SUMS} is not the list that was attested",
        )
    if SIGNATURE not in box.names:
        yield refused("sums", f"không có {SIGNATURE}", f"there is no {SIGNATURE}")
    elif verifier is not None:
        if verifier.accepts_detached((box.folder / SIGNATURE).read_bytes(), sums):
            yield ok("sums", f"chữ ký {SIGNATURE} đúng", f"the signature {SIGNATURE} holds")
        else:
            yield refused(
                "sums", f"chữ ký {SIGNATURE} không đúng", f"the signature {SIGNATURE} does not hold"
            )
    if anchor is not None:
        yield _check_cms(box, sums, anchor)
    elif CMS in box.names:
        yield note(
            "cms",
            f"{CMS} không được kiểm tra ở đây: dùng openssl cms -verify với chứng thư gốc đáng tin cậy",
            f"{CMS} is not checked here: use openssl cms -verify with a root certificate that you trust",
        )


def _check_cms(box: Opened, sums: bytes, anchor: Anchor) -> Check:
    if CMS not in box.names:
        return refused("cms", f"không có {CMS}", f"there is no {CMS}")
    path = box.folder / CMS
    if path.stat().st_size > MAX_CMS:
        return refused("cms", f"{CMS} quá lớn", f"{CMS} is too large")
    try:
        told = anchor.accept(path.read_bytes(), sums)
    except Unacceptable as wrong:
        return refused("cms", f"{CMS}: {wrong.text.vi}", f"{CMS}: {wrong.text.en}")
    return ok("cms", told.vi, told.en)
