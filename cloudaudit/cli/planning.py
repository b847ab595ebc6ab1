"""The commands before an audit: plan, permissions, preflight."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

import click

from cloudaudit.cli.auditing import (
    INTERRUPTED,
    TARGETS,
    interruptible,
    know,
    load_targets,
    note,
    prepare,
    progress_on,
)
from cloudaudit.cli.options import (
    FOLDER,
    choosing,
    controls_option,
    emit,
    language,
    now,
    profile_option,
    quietness,
    telling,
)
from cloudaudit.model import Text
from cloudaudit.wording import Lang, plain

if TYPE_CHECKING:
    from cloudaudit.cli.auditing import Ready
    from cloudaudit.planned import Needs, Planned, TargetPlan
    from cloudaudit.preflight import Preflight, Row

WIDTH: Final = 80
_REQUEST: Final = 44
"""Columns of a request that leave room for how often it is made."""
_MOST_IDS: Final = 8
_MOST_PLACES: Final = 3
_STATES: Final = ("seen", "absent", "not_provable", "refused")

_WORDS: Final[Mapping[str, Text]] = {
    "profile": Text("Hồ sơ năng lực {id} {version}", "Profile {id} {version}"),
    "subject": Text("Đối tượng {id}", "Subject {id}"),
    "controls": Text("{number} biện pháp kiểm soát", "{number} controls"),
    "nothing": Text("không có yêu cầu nào", "nothing is asked"),
    "without": Text(
        "Khai báo không có đích loại {kind}: không gửi yêu cầu nào.",
        "Declared to have no target of kind {kind}: nothing is asked.",
    ),
    "missing": Text(
        "Không có đích loại {kind}, cũng không khai báo là không có: {number} biện pháp kiểm soát sẽ không"
        " xác định được ({ids}).",
        "There is no target of kind {kind}, and it is not declared absent: {number} controls will be unknown"
        " ({ids}).",
    ),
    "seen": Text("đọc được", "seen"),
    "refused": Text("bị từ chối", "refused"),
    "absent": Text("không có", "absent"),
    "not_provable": Text("chưa rõ", "not provable"),
    "unknown": Text("sẽ không xác định: {ids}", "will be unknown: {ids}"),
    "complete": Text("Mọi dữ liệu trong kế hoạch đều đọc được.", "Everything that is planned can be seen."),
    "incomplete": Text(
        "{number} biện pháp kiểm soát có thể không xác định được: {ids}",
        "{number} controls may end as unknown: {ids}",
    ),
    "sample": Text(
        "Đã hỏi mọi phạm vi, nhưng chỉ đọc phần đầu mỗi danh sách và thiết lập của một bucket ở mỗi kho: lỗi"
        " xuất hiện về sau không thấy trước được.",
        "Every scope was asked, but only the beginning of each list was read, and the settings of one bucket"
        " of each store: what breaks later on is not foreseen.",
    ),
    "pages": Text(
        "Danh sách dài được đọc hết, mỗi trang một yêu cầu; yêu cầu bị ngắt hoặc bị yêu cầu chờ được gửi lại;"
        " danh sách rỗng của dịch vụ mạng được hỏi thêm một lần. Ngoài các yêu cầu trên, không có gì rời khỏi"
        " máy này.",
        "Long lists are read to their end, one request a page; requests that broke off or were told to wait"
        " are sent again; an empty list of the network service is asked for once more. Beside these, nothing"
        " leaves this machine.",
    ),
}


def _say(key: str, lang: Lang, **filled: object) -> str:
    text: str = getattr(_WORDS[key], lang)
    return text.format(**filled)


def _ids(ids: Sequence[str], most: int = _MOST_IDS) -> str:
    """Ids of controls, the first few of many."""
    return ", ".join(ids[:most]) + (f", … (+{len(ids) - most})" if len(ids) > most else "")


def _folded(text: str, indent: int, width: int = WIDTH) -> list[str]:
    pad = " " * indent
    return wrap(text, width, initial_indent=pad, subsequent_indent=pad, break_on_hyphens=False)


def _print(lines: Iterable[str]) -> None:
    emit("".join(f"{line}\n" for line in lines), None)


def _print_json(shown: Mapping[str, Any]) -> None:
    emit(json.dumps(shown, indent=2, ensure_ascii=False) + "\n", None)


# --- plan -----------------------------------------------------------------------------------------


@click.command()
@TARGETS
@choosing
@telling
def plan(
    targets_file: Path, profile: str, registers: Path | None, controls: tuple[Path, ...], format_: str,
    lang: str | None,
) -> None:  # fmt: skip
    """The requests an audit would make: of whom, how often, and for which controls. Asks nobody."""
    from cloudaudit.planned import Needs, planned

    loaded = load_targets(targets_file)
    found = []
    for one in prepare(loaded.subjects, profile, registers, controls):
        needs = Needs.of(one.known.profile, one.known.catalogue.types)
        found.append((one, needs, planned(one.subject, needs, one.declared)))
    if format_ == "json":
        _print_json({"schema_version": 1, "subjects": [_subject_json(*parts) for parts in found]})
        return
    chosen = language(lang)
    for one, needs, targets in found:
        _print(_subject_text(one, needs, targets, chosen))


def _subject_json(one: Ready, needs: Needs, targets: Sequence[TargetPlan]) -> dict[str, Any]:
    return {
        "subject": one.subject.id,
        "profile": {"id": one.known.profile.id, "version": one.known.profile.version},
        "targets": [
            {
                "name": target.name,
                "kind": target.kind,
                "vantage": target.vantage or None,
                "calls": [_call_json(call) for call in target.calls],
            }
            for target in targets
        ],
        "without": [
            {"kind": kind, "declared": declared, "controls": list(ids)}
            for kind, declared, ids in _without(one, needs)
        ],
    }


def _call_json(one: Planned) -> dict[str, Any]:
    return {
        "call": one.call.name,
        "service": one.call.service,
        "request": one.call.request,
        "per": one.per,
        "item": one.item if one.per == "item" else None,
        "lists": one.call.lists,
        "controls": list(one.controls),
    }


def _without(one: Ready, needs: Needs) -> Iterator[tuple[str, bool, tuple[str, ...]]]:
    """Kinds of target that the profile asks about and the subject has none of."""
    from cloudaudit.collecting import kinds_of
    from cloudaudit.planned import reading

    there = {entry.kind for entry in one.subject.targets}
    for kind, prefix in kinds_of(needs.plan.types).items():
        ids = reading(needs, prefix)
        if kind not in there and ids:
            yield kind, kind in one.subject.absent, ids


def _subject_text(one: Ready, needs: Needs, targets: Sequence[TargetPlan], lang: Lang) -> Iterator[str]:
    profile = one.known.profile
    yield _say("subject", lang, id=plain(one.subject.id))
    yield from _folded(
        f"{_say('profile', lang, id=profile.id, version=profile.version)}: {getattr(profile.title, lang)}", 0
    )
    for target in targets:
        yield ""
        vantage = f", {target.vantage}" if target.vantage else ""
        yield f"{plain(target.name, 60)} ({target.kind}{vantage})"
        if not target.calls:
            yield f"  {_say('nothing', lang)}"
        for service, calls in groupby(target.calls, key=lambda call: call.call.service):
            yield f"  {service}"
            for call in calls:
                yield from _call_text(call, lang)
    yield ""
    for kind, declared, ids in _without(one, needs):
        text = _say("without" if declared else "missing", lang, kind=kind, number=len(ids), ids=_ids(ids))
        yield from _folded(text, 0)
    yield from _folded(_say("pages", lang), 0)


def _call_text(one: Planned, lang: Lang) -> Iterator[str]:
    """A request with how often it is made, and under it the controls."""
    often = getattr(one.often, lang)
    request = one.call.request
    if len(request) <= _REQUEST and len(often) <= WIDTH - _REQUEST - 6:
        yield f"    {request:<{_REQUEST}}  {often}"
    else:
        yield from _folded(request, 4)
        yield from _folded(often, 8)
    yield from _folded(_ids(one.controls), 8)


# --- permissions ----------------------------------------------------------------------------------


@click.command()
@click.option(
    "-t",
    "--targets",
    "targets_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="targets.yaml, for the kinds of target and names of buckets; default: one cloud and one store.",
)
@profile_option
@controls_option
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of the files; must be new.")
@quietness
def permissions(
    targets_file: Path | None, profile: str, controls: tuple[Path, ...], output: Path, quiet: bool
) -> None:
    """Least rights for an audit identity, as files to apply: Keystone access rules, S3 policies, Ceph caps.

    Asks nobody. README.txt in the folder tells how to apply each.
    """
    from cloudaudit import api
    from cloudaudit.errors import CloudauditError
    from cloudaudit.permissions import files, rights
    from cloudaudit.planned import Needs

    api.check_new(output)
    subjects = load_targets(targets_file).subjects if targets_file else ()
    made = {}
    for subject in subjects or (None,):
        known = know(profile, subject.kind if subject else "provider", controls)
        needed = rights(Needs.of(known.profile, known.catalogue.types), (subject,) if subject else ())
        for entry in needed.others:
            note(
                f"warning: nothing is written for target '{entry.name}' of kind '{entry.kind}': "
                f"{entry.plugin.named} tells what rights it takes"
            )
        if needed.others and not needed.told:
            continue
        folder = output / subject.id if subject and len(subjects) > 1 else output
        made.update({folder / name: text for name, text in files(needed, known.profile.id).items()})
    if not made:
        raise CloudauditError(
            f"profile '{profile}' asks nothing of targets whose rights are known here",
            hint="see what the packages of the plug-ins tell of the rights they take",
        )
    for path, text in made.items():
        emit(text, path)
        note(str(path), quiet)


# --- preflight ------------------------------------------------------------------------------------


@click.command()
@TARGETS
@choosing
@telling
@quietness
def preflight(
    targets_file: Path, profile: str, registers: Path | None, controls: tuple[Path, ...], format_: str,
    lang: str | None, quiet: bool,
) -> int:  # fmt: skip
    """Try each planned call and tell what the credentials see: seen, refused, absent or not provable.

    Reads the beginning of each answer and writes no snapshot. Exits 3 when something cannot be seen.
    """
    from cloudaudit.api import INCOMPLETE
    from cloudaudit.planned import Needs
    from cloudaudit.preflight import preflight as fly

    loaded = load_targets(targets_file)
    found, interrupted = [], False
    for one in prepare(loaded.subjects, profile, registers, controls):
        needs = Needs.of(one.known.profile, one.known.catalogue.types)
        with interruptible() as cancelled, progress_on(quiet) as progress:
            seen = fly(one.subject, needs, one.declared, now=now, progress=progress, cancelled=cancelled)
            interrupted = cancelled.is_set()
        found.append((one, seen))
        if interrupted:
            break
    if format_ == "json":
        _print_json({"schema_version": 1, "subjects": [_preflight_json(*parts) for parts in found]})
    else:
        chosen = language(lang)
        for one, seen in found:
            _print(_preflight_text(one, seen, chosen))
    if interrupted:
        return INTERRUPTED
    return 0 if all(seen.complete for _, seen in found) else INCOMPLETE


def _preflight_json(one: Ready, seen: Preflight) -> dict[str, Any]:
    return {
        "subject": one.subject.id,
        "profile": {"id": one.known.profile.id, "version": one.known.profile.version},
        "complete": seen.complete,
        "controls": list(seen.controls),
        "calls": [
            {
                "target": row.target,
                "call": row.call.name,
                "service": row.call.service,
                "request": row.call.request,
                "state": row.state.value,
                "scopes": row.scopes,
                "not_seen": list(row.not_seen),
                "reason_code": row.reason.value if row.reason else None,
                "detail": row.detail,
                "controls": list(row.controls),
            }
            for row in seen.rows
        ],
    }


def _preflight_text(one: Ready, seen: Preflight, lang: Lang) -> Iterator[str]:
    profile = one.known.profile
    yield _say("subject", lang, id=plain(one.subject.id))
    yield _say("profile", lang, id=profile.id, version=profile.version)
    for target, rows in groupby(seen.rows, key=lambda row: row.target):
        yield ""
        yield plain(target, 60)
        for row in rows:
            yield from _row_text(row, lang)
    yield ""
    counts = Counter(row.state.value for row in seen.rows)
    yield ", ".join(f"{counts[state]} {_say(state, lang)}" for state in _STATES if counts[state])
    if seen.complete:
        yield from _folded(_say("complete", lang), 0)
    else:
        number, ids = len(seen.controls), _ids(seen.controls, len(seen.controls))
        yield from _folded(_say("incomplete", lang, number=number, ids=ids), 0)
    yield from _folded(_say("sample", lang), 0)


def _row_text(row: Row, lang: Lang) -> Iterator[str]:
    """A call with what came of it, and where something is missing the reason and the controls."""
    place = f"  {_say(row.state, lang):<15} {row.call.service:<18} "
    if len(place) + len(row.call.request) <= WIDTH:
        yield place + row.call.request
    else:
        yield place.rstrip()
        yield from _folded(row.call.request, 6)
    if row.reason is not None:
        from cloudaudit.reporters.details import told
        from cloudaudit.reporters.words import labels

        where = ", ".join(plain(scope, 60) for scope in row.not_seen[:_MOST_PLACES])
        where += f", … (+{len(row.not_seen) - _MOST_PLACES})" if len(row.not_seen) > _MOST_PLACES else ""
        reason = getattr(labels().of("reason", row.reason.value), lang)
        detail = getattr(told(row.detail), lang)
        yield from _folded(f"{reason}: {detail}" + (f" [{where}]" if where else ""), 6)
        if row.controls:
            yield from _folded(_say("unknown", lang, ids=_ids(row.controls)), 6)
    elif row.state == "absent" and row.detail:
        from cloudaudit.reporters.details import told

        yield from _folded(getattr(told(row.detail), lang), 6)
