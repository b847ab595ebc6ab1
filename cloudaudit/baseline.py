"""The violations known when a gate was set up: a file that names them, so that only others fail it.

A matter of the gate alone. It takes findings out of an exit code and nothing else: no verdict, no figure and
no byte of a report depends on it. What is unknown or pending is never in one.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Final

from cloudaudit.errors import BaselineError, OutputError, Problem, SourceError, Where
from cloudaudit.model import Seconds, fingerprint, format_time, parse_time
from cloudaudit.operators import glob_match
from cloudaudit.records import Shape, shaped
from cloudaudit.reporters import Known
from cloudaudit.reporters.report_json import shown
from cloudaudit.reporters.standing import is_violation
from cloudaudit.yamlsource import excerpt, loads, problems_of_schema, schema

SCHEMA_VERSION: Final = 1
MAX_BYTES: Final = 64 * 1024 * 1024
_ENTRY: Final[Shape] = {
    "fingerprint": (str,), "control": (str,), "resource": (dict,), "since": (str,), "reason": (str,),
}  # fmt: skip
_RESOURCE: Final[Shape] = {
    "type": (str,), "id": (str,), "name": (str, NoneType), "target": (str,), "region": (str, NoneType),
}  # fmt: skip
_WHOLE: Final[Shape] = {
    "schema_version": (int,), "subject": (str,), "scope": (str,), "profile": (dict,), "made_at": (str,),
    "entries": (list,),
}  # fmt: skip
_AGAIN: Final = "take the copy that is kept with your code, or make it again with cloudaudit baseline"


@dataclass(frozen=True, slots=True)
class Entry:
    """One known violation. All but the fingerprint is for people, and has to fit it."""

    fingerprint: str
    control: str
    type: str
    id: str
    name: str | None
    target: str
    since: str
    reason: str
    region: str | None = None
    count: int = 1
    """Violations that share it: a fingerprint leaves out the project, in which alone some ids are unique."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline of one subject in one scope, judged by one profile."""

    name: str
    """Of its file, as it was given."""
    subject: str
    scope: str
    """provider or agency."""
    profile: str
    version: str
    """Of the profile when the baseline was made; another one is told, and no reason to refuse."""
    made_at: str
    entries: tuple[Entry, ...]

    def known_in(self, report: Mapping[str, Any]) -> dict[str, Known]:
        """What the exit code and reporters read for a report: why and since when, by fingerprint.

        Not among them: what somebody waived after the entry was made, until a day that is over. The decision
        was about that finding, and its end opens it again. Nor those of which there are more now than were
        named: nobody can say which of them is new.
        """
        reopened = set(_reopened(self.entries, report))
        present = _violations(report)
        known = (one for one in self.entries if one not in reopened and present[one.fingerprint] <= one.count)
        return {one.fingerprint: Known(one.since, one.reason) for one in known}

    def check_fit(self, subject: str, scope: str, profile: str) -> None:
        """BaselineError: this baseline is of another subject, scope or profile."""
        if self.subject != subject:
            raise self._unfit(
                f"of the subject '{excerpt(self.subject)}', and not of '{excerpt(subject)}'",
                "give the one of this subject",
            )
        if self.scope != scope:
            raise self._unfit(f"in {self.scope} scope, and not in {scope} scope", "make one in this scope")
        if self.profile != profile:
            raise self._unfit(
                f"of the profile '{excerpt(self.profile)}', and not of '{excerpt(profile)}'",
                f"judge by -p {excerpt(self.profile)}, or make one for '{excerpt(profile)}' "
                "with cloudaudit baseline",
            )

    def _unfit(self, what: str, hint: str) -> BaselineError:
        return BaselineError(f"this baseline is {what}", where=Where(self.name), hint=hint)


def choose(given: Sequence[Baseline], subjects: Collection[str]) -> dict[str, Baseline]:
    """Baselines by the subject they are of. BaselineError: one is of none of these, or two are of one."""
    found: dict[str, Baseline] = {}
    for one in given:
        if one.subject not in subjects:
            known = ", ".join(f"'{excerpt(id_)}'" for id_ in sorted(subjects))
            raise one._unfit(
                f"of the subject '{excerpt(one.subject)}', which is not audited here",
                f"give one of {known}",
            )
        if one.subject in found:
            raise BaselineError(
                f"the subject '{excerpt(one.subject)}' has a baseline already: {found[one.subject].name}",
                where=Where(one.name),
                hint="give one for each subject",
            )
        found[one.subject] = one
    return found


def _violations(report: Mapping[str, Any]) -> Counter[str]:
    return Counter(record["fingerprint"] for record in report["findings"] if is_violation(record))


def _reopened(entries: Sequence[Entry], report: Mapping[str, Any]) -> Iterator[Entry]:
    """Entries of which a waiver ended since they were made."""
    at = parse_time(report["assessed_at"])
    ended = [(one, end) for one in report.get("waivers", ()) if (end := parse_time(one["until"])) <= at]
    refused = {one["fingerprint"]: one for one in report["findings"] if one["refused_waiver"]}
    for entry in entries if ended else ():
        record, since = refused.get(entry.fingerprint), parse_time(entry.since)
        if record is not None and any(end > since and _covers(waiver, record) for waiver, end in ended):
            yield entry


def _covers(waiver: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    place, pattern = record["resource"], waiver["resource"]
    if waiver["control"] != record["control"] or waiver["system"] not in (None, place["system"]):
        return False
    return pattern is None or glob_match(pattern, place["id"]) or glob_match(pattern, place["name"] or "")


# --- making -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Update:
    """A baseline made from a report, and how it differs from the one before."""

    baseline: Baseline
    kept: int
    added: int
    fixed: int
    """Entries taken out: they pass now, do not apply, or are gone from a list that was read in full."""
    waived: int
    """Entries taken out because a waiver holds for them now."""
    unseen: int
    """Entries that stay although nothing shows them now: a list has a gap, or their verdict is unknown."""
    refused: int
    """New violations that are not added, because no reason was given for them."""


def make(
    name: str,
    report: Mapping[str, Any],
    reason: str | None,
    made_at: Seconds,
    old: Baseline | None = None,
    settled: Collection[str] = (),
) -> Update:
    """Name the present violations of a report that no waiver covers; those of `old` keep date and reason.

    New ones, and those that a waiver's end opened again, are added with `reason`, and left out where there
    is none. `settled` are the fingerprints that pass or do not apply. BaselineError: the report tells no
    names, so that nothing would fit it again.
    """
    # Of findings that share a fingerprint, a violation: the others say nothing of it.
    present = {record["fingerprint"]: record for record in sorted(report["findings"], key=is_violation)}
    counts = _violations(report)
    known = old.known_in(report) if old is not None else {}
    before = (
        {one.fingerprint: one for one in old.entries if one.fingerprint in known} if old is not None else {}
    )
    complete = {entry["id"]: entry["listing_complete"] for entry in report["controls"]}
    kept: list[Entry] = []
    fixed = waived = unseen = 0
    for print_, entry in before.items():
        record = present.get(print_)
        if record is not None and is_violation(record):
            kept.append(_entry(record, entry.since, entry.reason, counts[print_]))
        elif record is not None and record["waiver"]:
            waived += 1
        elif print_ in settled or (record is None and complete.get(entry.control, True)):
            fixed += 1
        else:
            unseen += 1
            kept.append(entry)
    new = [r for p, r in present.items() if is_violation(r) and p not in before]
    added = [
        _entry(record, report["assessed_at"], reason, counts[record["fingerprint"]])
        for record in new
        if reason is not None
    ]
    if any(_own_print(one) != one.fingerprint for one in (*kept, *added)):
        raise BaselineError(
            "this report tells no names: a baseline made from it would fit no other report",
            hint="make it from the assessment itself",
        )
    profile = report["profile"]
    baseline = Baseline(
        name, report["subject"]["id"], report["scope"], profile["id"], profile["version"],
        format_time(made_at), tuple(sorted((*kept, *added), key=_order)),
    )  # fmt: skip
    stood = len(kept) - unseen
    return Update(baseline, stood, len(added), fixed, waived, unseen, len(new) - len(added))


def _entry(record: Mapping[str, Any], since: str, reason: str, count: int) -> Entry:
    place = record["resource"]
    return Entry(
        record["fingerprint"], record["control"], place["type"], place["id"], place["name"], place["target"],
        since, reason, place["region"], count,
    )  # fmt: skip


def _order(entry: Entry) -> tuple[str, ...]:
    return entry.control, entry.target, entry.region or "", entry.type, entry.name or "", entry.id


def _own_print(entry: Entry) -> str:
    return fingerprint(entry.control, entry.target, entry.type, entry.id, entry.region)


def write(baseline: Baseline, path: Path) -> None:
    """Write a baseline, one entry to a line, so that a review shows what came and went.

    What is there is replaced as a whole or not at all. OutputError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_text(dumps(baseline), encoding="utf-8")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as wrong:
        raise OutputError(f"{path} cannot be written: {wrong.strerror}") from wrong


def dumps(baseline: Baseline) -> str:
    """A baseline as text. Characters that nobody sees are escaped: a review has to show what is there."""
    head = {
        "schema_version": SCHEMA_VERSION,
        "subject": baseline.subject,
        "scope": baseline.scope,
        "profile": {"id": baseline.profile, "version": baseline.version},
        "made_at": baseline.made_at,
    }
    lines = [f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}," for key, value in head.items()]
    entries = ",\n".join(f"  {_line(one)}" for one in baseline.entries)
    body = f"\n{entries}\n " if entries else ""
    return shown("\n".join(["{", *lines, f' "entries": [{body}]', "}"]) + "\n")


def _line(entry: Entry) -> str:
    record = {
        "control": entry.control,
        "resource": {
            "type": entry.type,
            "id": entry.id,
            "name": entry.name,
            "target": entry.target,
            "region": entry.region,
        },
        "since": entry.since,
        "reason": entry.reason,
        "fingerprint": entry.fingerprint,
        **({"count": entry.count} if entry.count > 1 else {}),
    }
    return json.dumps(record, ensure_ascii=False)


# --- reading ----------------------------------------------------------------------------------------


def load(path: Path) -> Baseline:
    """Read a baseline. BaselineError tells every mistake, with its line.

    It may have as many entries as a cloud has violations, so that the readers of files people write look at
    it only where something is wrong, to say where.
    """
    data = _read(path)
    source = _Source(str(path), data)
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
        found = _baseline(str(path), value)
    except json.JSONDecodeError as wrong:
        raise _not_json(str(path), wrong) from None
    except (ValueError, TypeError, RecursionError) as wrong:
        raise BaselineError.of(source.problems(str(wrong))) from None
    if problems := list(_contradictions(found, source)):
        raise BaselineError.of(problems)
    return found


def _read(path: Path) -> bytes:
    where = Where(str(path))
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise BaselineError("this is no regular file", where=where, hint="name a baseline")
        if state.st_size > MAX_BYTES:
            raise BaselineError(
                f"the file has {state.st_size} bytes; {MAX_BYTES} is the most that is read",
                where=where,
                hint="check that it is the file you mean",
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise BaselineError(
            "there is no such baseline", where=where, hint="make it: cloudaudit baseline ASSESSMENT -o FILE"
        ) from None
    except OSError as wrong:
        raise BaselineError(
            f"the file cannot be read: {wrong.strerror}", where=where, hint="check its permissions"
        ) from wrong


def _not_json(name: str, wrong: json.JSONDecodeError) -> BaselineError:
    where = Where(name, wrong.lineno, wrong.colno)
    if wrong.pos >= len(wrong.doc.rstrip()) or wrong.msg.startswith("Unterminated"):
        return BaselineError("the file ends before the baseline does", where=where, hint=_AGAIN)
    return BaselineError(f"this is not JSON: {wrong.msg}", where=where, hint=_AGAIN)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key '{excerpt(twice)}' is given twice")
    return found


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no number of JSON")


def _baseline(name: str, value: Any) -> Baseline:
    """A baseline from JSON. ValueError or TypeError: it is none."""
    whole = _exact(value, _WHOLE)
    profile = _exact(whole["profile"], {"id": (str,), "version": (str,)})
    if whole["schema_version"] != SCHEMA_VERSION or whole["scope"] not in ("provider", "agency"):
        raise ValueError("this is no baseline of this version")
    if not (whole["subject"] and profile["id"] and profile["version"]):
        raise ValueError("its subject or its profile is none")
    parse_time(whole["made_at"])
    return Baseline(
        name, whole["subject"], whole["scope"], profile["id"], profile["version"], whole["made_at"],
        tuple(_read_entry(number, entry) for number, entry in enumerate(whole["entries"])),
    )  # fmt: skip


def _read_entry(number: int, value: Any) -> Entry:
    try:
        several = isinstance(value, dict) and "count" in value
        entry = _exact(value, {**_ENTRY, "count": (int,)} if several else _ENTRY)
        place = _exact(entry["resource"], _RESOURCE)
        parse_time(entry["since"])
    except (TypeError, ValueError) as wrong:
        raise ValueError(f"entries[{number}]: {wrong}") from None
    if not _PRINT.fullmatch(entry["fingerprint"]) or not entry["reason"].strip():
        raise ValueError(f"entries[{number}]: its fingerprint or its reason is none")
    if entry.get("count", 2) < 2 or not entry["control"]:
        raise ValueError(f"entries[{number}]: its count is less than two, or its control is none")
    return Entry(
        entry["fingerprint"], entry["control"], place["type"], place["id"], place["name"], place["target"],
        entry["since"], entry["reason"], place["region"], entry.get("count", 1),
    )  # fmt: skip


_OPEN: Final = frozenset({"unknown", "manual_pending"})
_PRINT: Final = re.compile("[0-9a-f]{64}")


def _exact(value: Any, shape: Shape) -> dict[str, Any]:
    """A mapping of a shape without any other key, lest a misspelt one be passed over."""
    found = shaped(value, shape)
    for key in found:
        if key not in shape:
            raise TypeError(f"unknown key '{excerpt(key)}'")
    return found


class _Source:
    """The file as people edit it, read again with its lines when something is wrong."""

    def __init__(self, name: str, data: bytes) -> None:
        self._name = name
        self._data = data
        self._document: Any = None

    def problems(self, otherwise: str) -> list[Problem]:
        """What is wrong, with lines where it can be read with them; else what is known without."""
        plain = [Problem(Where(self._name), otherwise, _AGAIN)]
        try:
            document = self._read()
        except SourceError as wrong:
            # Too large for that reader, or with what only JSON allows: then the first mistake has to do.
            twice = [problem for problem in wrong.problems if "already given" in problem.message]
            not_text = [problem for problem in wrong.problems if "UTF-8" in problem.message]
            return twice or not_text or plain
        value = document.value
        if not isinstance(value, dict) or not {"entries", "made_at"} & value.keys():
            hint = "make one with cloudaudit baseline ASSESSMENT -o FILE"
            if isinstance(value, dict) and "readiness" in value:
                hint = "this is a report; make a baseline of it: cloudaudit baseline FOLDER -o FILE"
            return [Problem(Where(self._name, 1, 1), "this is no baseline of cloudaudit", hint)]
        return problems_of_schema(document, schema("baseline")) or plain

    def where(self, *pointer: str | int) -> Where:
        try:
            found: Where = self._read().where(pointer)
        except SourceError:
            return Where(self._name)
        return found

    def _read(self) -> Any:
        if self._document is None:
            self._document = loads(self._data, self._name)
        return self._document


def _contradictions(baseline: Baseline, source: _Source) -> Iterator[Problem]:
    """Entries that are there twice, or whose fingerprint is not that of the control and resource they show.

    People read the one, and the gate the other: they must not differ.
    """
    seen: dict[str, int] = {}
    for number, entry in enumerate(baseline.entries):
        if entry.fingerprint in seen:
            first = source.where("entries", seen[entry.fingerprint], "fingerprint")
            at = f"at line {first.line}" if first.line else f"as entries[{seen[entry.fingerprint]}]"
            yield Problem(
                source.where("entries", number, "fingerprint"),
                f"this fingerprint is already given {at}",
                "remove one of the two",
            )
        elif _own_print(entry) != entry.fingerprint:
            yield Problem(
                source.where("entries", number, "fingerprint"),
                f"this fingerprint is not that of {excerpt(entry.control)} on {excerpt(entry.type)} "
                f"'{excerpt(entry.id)}'",
                "the entry was changed by hand: remove it, and let cloudaudit baseline --update write it",
            )
        seen.setdefault(entry.fingerprint, number)


def stale(baseline: Baseline, report: Mapping[str, Any]) -> list[Entry]:
    """Entries that no open finding has any more: fixed, waived, or no longer seen."""
    still = {
        record["fingerprint"]
        for record in report["findings"]
        if is_violation(record) or record["verdict"] in _OPEN
    }
    return [one for one in baseline.entries if one.fingerprint not in still]


def settled_of(findings: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Fingerprints of findings that pass or do not apply."""
    return frozenset(r["fingerprint"] for r in findings if r["verdict"] in ("pass", "not_applicable"))
