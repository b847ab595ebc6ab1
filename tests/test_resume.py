"""Going on with a collection that was cut short: what was finished stays, and the rest is read."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from fake_openstack import AT, BANK, IN_SHOP, SHOP, Reply, Request
from wire import Bed, catalogue, needs, open_bed

from cloudaudit import registers
from cloudaudit.cli import _run
from cloudaudit.collecting import OLDEST_KEPT, collect_subject
from cloudaudit.collectors.runner import Progress
from cloudaudit.errors import OutputError, SnapshotError
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope
from cloudaudit.snapshot import Contents, Snapshot, write

NOBODY = registers.load(None)
SERVERS = "/compute/v2.1/servers/detail"
IN_BANK = Scope("hn", "vn-hn-1", BANK)


@pytest.fixture
def bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bed]:
    with open_bed(tmp_path, monkeypatch) as made:
        yield made


def collect(bed: Bed, name: str, profile: str = "ndc-connection", more: str = "", **options: Any) -> Snapshot:
    """Collect into a folder, and read what is there then."""
    options = {"now": lambda: AT, **options}
    out = bed.folder / name
    collect_subject(bed.subject(more), needs(profile).plan, catalogue().types, NOBODY, out, **options)
    found = Snapshot(out, catalogue().types)
    found.check()
    return found


def servers_of_bank(bed: Bed) -> Callable[[Callable[[], None]], None]:
    """Let something happen when the servers of the second project are asked for, once the first is done."""
    usual = bed.cloud.answers

    def set_up(then: Callable[[], None]) -> None:
        before = usual.get((SERVERS, BANK)) or usual[SERVERS, None]

        def answer(request: Request) -> Reply:
            then()
            return before if isinstance(before, Reply) else before(request)

        usual[SERVERS, BANK] = answer

    return set_up


def cut_short(bed: Bed, name: str, **options: Any) -> Snapshot:
    """A collection that is interrupted while the second project is read, and the first is done."""
    cancelled, first_done = threading.Event(), threading.Event()

    def progress(one: Progress) -> None:
        if one.scope == IN_SHOP and one.done:
            first_done.set()

    def interrupt() -> None:
        assert first_done.wait(20)
        cancelled.set()

    kept = dict(bed.cloud.answers)
    servers_of_bank(bed)(interrupt)
    found = collect(bed, name, progress=progress, cancelled=cancelled, **options)
    bed.cloud.answers.clear()
    bed.cloud.answers.update(kept)
    bed.cloud.requests.clear()
    return found


def told(found: Snapshot) -> list[str]:
    """Everything a snapshot holds but its call log, with the request in place of each call's number."""

    def request(number: int | None) -> object:
        return None if number is None else (str(found.call(number).scope), found.call(number).request)

    def of(one: Resource | Listing | Gap) -> str:
        if isinstance(one, Resource):
            sources = sorted((group, request(number)) for group, number in one.sources.items())
            facts, unseen = sorted(one.facts.items()), sorted(one.unseen.items())
            return repr((one.type, one.id, one.name, one.endpoint, one.scope, one.at, facts, unseen, sources))
        return repr((replace(one, call=None), request(one.call)))

    things = [
        *found.listings(),
        *found.gaps(),
        *(r for type_ in catalogue().types for r in found.each(type_)),
    ]
    return sorted(map(of, things))


def asked(bed: Bed, path: str) -> list[str]:
    """Projects whose tokens asked for a path."""
    return sorted(
        r.token.removeprefix("token-") for r in bed.cloud.requests if r.path.partition("?")[0] == path
    )


def test_interrupted_and_resumed_is_as_good_as_never_interrupted(bed: Bed) -> None:
    whole = collect(bed, "whole")
    part = cut_short(bed, "part")
    interrupted = {gap.scope for gap in part.gaps() if "interrupted" in gap.detail}
    assert IN_BANK in interrupted
    assert IN_SHOP not in interrupted
    assert (part.is_complete, whole.is_complete) == (False, True)
    later = AT + 600
    resumed = collect(bed, "part", resume=True, now=lambda: later)
    assert asked(bed, SERVERS) == [BANK]
    assert told(resumed) == told(whole)
    assert resumed.is_complete
    assert not (resumed.folder / "resume.jsonl.gz").exists()
    assert resumed.collected_at == AT
    ten_minutes = [
        {"started_at": "2026-11-22T03:46:40Z", "finished_at": "2026-11-22T03:46:40Z"},
        {"started_at": "2026-11-22T03:56:40Z", "finished_at": "2026-11-22T03:56:40Z"},
    ]
    assert (resumed.run["sessions"], whole.run["sessions"]) == (ten_minutes, ten_minutes[:1])
    assert {k: v for k, v in resumed.run.items() if k != "sessions"} == {
        k: v for k, v in whole.run.items() if k != "sessions"
    }
    assert [path for path in resumed.folder.parent.iterdir() if path.name.startswith(".")] == []


def test_requests_of_both_sessions_are_in_the_log(bed: Bed) -> None:
    before = [call.request for call in cut_short(bed, "part").log()]
    resumed = collect(bed, "part", resume=True)
    after = [call.request for call in resumed.log()]
    for request in set(before):
        assert after.count(request) >= before.count(request)
    new = [r.path for r in bed.cloud.requests if r.method == "GET"]
    assert len(after) >= len(before) + len([path for path in new if path != "/identity/v3"])


def test_a_scope_that_is_read_again_is_as_it_is_now(bed: Bed) -> None:
    """Nothing of its first, broken reading is left, and what was finished is as it was then."""
    cut_short(bed, "part")
    for project in (SHOP, BANK):
        bed.cloud.answer(SERVERS, {"servers": []}, project=project)
    resumed = collect(bed, "part", resume=True)
    places = {server.scope.project for server in resumed.each("openstack.server")}
    counts = {one.scope.project: one.count for one in resumed.listings() if one.type == "openstack.server"}
    assert places == {SHOP}
    assert counts[BANK] == 0
    assert counts[SHOP] > 0


def test_it_may_be_interrupted_again(bed: Bed) -> None:
    whole = collect(bed, "whole")
    first = {part.scope for part in cut_short(bed, "part").parts()}
    stop = threading.Event()
    stop.set()
    second = collect(bed, "part", resume=True, cancelled=stop)
    assert {part.scope for part in second.parts()} == first
    assert IN_SHOP in first
    third = collect(bed, "part", resume=True)
    assert told(third) == told(whole)
    assert len(third.run["sessions"]) == 3


def test_a_cloud_that_is_gone_meanwhile_takes_nothing_with_it(bed: Bed) -> None:
    """What was finished stays; what was not is a gap in the whole target, not forgotten."""
    first = cut_short(bed, "part")
    servers = [server.id for server in first.each("openstack.server") if server.scope.project == SHOP]
    assert servers
    bed.cloud.answer("/identity/v3/auth/tokens", {"error": {}}, 503, {"Retry-After": "900"})
    resumed = collect(bed, "part", resume=True)
    assert [server.id for server in resumed.each("openstack.server")] == servers
    gaps = {(gap.scope, gap.reason) for gap in resumed.gaps() if gap.type == "openstack.server"}
    assert (Scope("hn"), Reason.THROTTLED) in gaps


def test_what_is_too_old_is_read_again(bed: Bed) -> None:
    cut_short(bed, "a")
    cut_short(bed, "b")
    collect(bed, "a", resume=True, now=lambda: AT + OLDEST_KEPT)
    assert asked(bed, SERVERS) == [BANK]
    bed.cloud.requests.clear()
    late = AT + OLDEST_KEPT + 1
    renewed = collect(bed, "b", resume=True, now=lambda: late)
    assert asked(bed, SERVERS) == sorted([SHOP, BANK])
    assert renewed.collected_at == late


def test_a_time_out_is_read_again_and_the_limit_may_be_raised(bed: Bed) -> None:
    """One request eats up the time allowed for the target."""
    whole = collect(bed, "whole")
    kept = dict(bed.cloud.answers)
    slow = threading.Event()
    servers_of_bank(bed)(lambda: slow.wait(3) and None)
    part = collect(bed, "part", more=", deadline: PT2S")
    assert Reason.TIMEOUT in {gap.reason for gap in part.gaps()}
    assert not part.is_complete
    bed.cloud.answers.clear()
    bed.cloud.answers.update(kept)
    resumed = collect(bed, "part", more=", deadline: PT60S", resume=True)
    assert told(resumed) == told(whole)


# --- refused ------------------------------------------------------------------------------------------


def test_another_plan_is_refused(bed: Bed) -> None:
    part = cut_short(bed, "part")
    with pytest.raises(SnapshotError, match="was collected for another plan: its resource types differ"):
        collect(bed, "part", "ci-quick", resume=True)
    assert Snapshot(part.folder, {}).digest == part.digest


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"targets_sha256": "0" * 64}, "was collected for other targets"),
        ({"absent": ["s3"]}, "was collected for other targets, kinds declared absent"),
        ({"calls": []}, "was collected for another plan: its calls differ"),
        ({"subject": {"id": "khac", "kind": "provider"}}, "is of another subject"),
        ({"tool": {"name": "cloudaudit", "version": "0.0"}}, "was made by another version of cloudaudit"),
        ({"plugins": [{"name": "x", "package": "x", "version": "1"}]}, "was collected with other plug-ins"),
    ],
)
def test_another_origin_is_refused(bed: Bed, change: dict[str, Any], why: str) -> None:
    part = cut_short(bed, "part")
    manifest = {**part.manifest, "run": {**part.run, **change}}
    _sign(part.folder, manifest)
    with pytest.raises(SnapshotError, match=f"cannot be resumed: it {why}"):
        collect(bed, "part", resume=True)


def test_other_regions_are_other_targets(bed: Bed) -> None:
    cut_short(bed, "part")
    with pytest.raises(SnapshotError, match="was collected for other targets"):
        collect(bed, "part", resume=True, more=", regions: [vn-hn-1]")


def _sign(folder: Path, manifest: dict[str, Any]) -> None:
    """Write a manifest that says of itself that it is sound."""
    data = rfc8785.dumps(manifest)
    (folder / "manifest.json").write_bytes(data)
    (folder / "manifest.sha256").write_text(f"{sha256(data).hexdigest()}  manifest.json\n")


def test_damage_is_refused(bed: Bed) -> None:
    part = cut_short(bed, "part")
    file = part.folder / "resume.jsonl.gz"
    lines = gzip.decompress(file.read_bytes())
    file.write_bytes(gzip.compress(lines.replace(b"vn-hn-1", b"vn-hn-2")))
    with pytest.raises(SnapshotError, match=r"resume\.jsonl\.gz is not what the manifest says"):
        collect(bed, "part", resume=True)


def test_parts_that_are_none_are_refused(bed: Bed) -> None:
    part = cut_short(bed, "part")
    for wrong in (b'{"part":99,"gap":{}}\n', b'{"part":0,"gap":5}\n', b'{"part":0,"type":"x"}\n', b"[]\n"):
        (part.folder / "resume.jsonl.gz").write_bytes(gzip.compress(wrong))
        resume = {**part.manifest["resume"], "sha256": sha256(wrong).hexdigest()}
        _sign(part.folder, {**part.manifest, "resume": resume})
        with pytest.raises(SnapshotError, match="holds what no scope came to"):
            collect(bed, "part", resume=True)


def test_strange_files_are_not_deleted(bed: Bed) -> None:
    part = cut_short(bed, "part")
    (part.folder / "data" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"notes\.txt is no file of the snapshot"):
        collect(bed, "part", resume=True)
    assert (part.folder / "data" / "notes.txt").read_text() == "mine"


def test_what_was_finished_reaches_no_disk_undeclared(bed: Bed) -> None:
    """Parts go through the encoders of everything else."""
    part = cut_short(bed, "part")
    lines = gzip.decompress((part.folder / "resume.jsonl.gz").read_bytes()).decode().splitlines()
    records = [json.loads(line) for line in lines]
    for record in records:
        for name in record.get("resource", {}).get("facts", {}):
            assert name in catalogue().types[record["type"]].facts
    assert any("resource" in record for record in records)


# --- the command line ---------------------------------------------------------------------------------


def cloudaudit(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str]:
    code = _run([str(arg) for arg in args])
    return code, capsys.readouterr().err


def test_the_command_goes_on_and_knows_when_nothing_is_left(
    bed: Bed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudaudit.cli.options.time.time", lambda: AT)
    whole = collect(bed, "whole")
    cut_short(bed, "part")
    args = ("collect", "-t", bed.folder / "targets.yaml", "-o", bed.folder / "part", "--allow-incomplete")
    assert cloudaudit(capsys, *args)[0] == 2
    code, err = cloudaudit(capsys, *args, "--resume")
    assert (code, f"snapshot: {bed.folder / 'part'}" in err) == (0, True)
    assert told(Snapshot(bed.folder / "part", catalogue().types)) == told(whole)
    bed.cloud.requests.clear()
    code, err = cloudaudit(capsys, *args, "--resume")
    assert (code, bed.cloud.requests) == (0, [])
    assert f"nothing is left to read: {bed.folder / 'part'}" in err
    # Nothing of another plan was ever asked.
    code, err = cloudaudit(capsys, *args, "--resume", "-p", "ci-quick")
    assert (code, bed.cloud.requests) == (2, [])
    assert "part cannot be resumed: it was collected for another plan" in err


@pytest.mark.parametrize("made", ["nothing", "empty", "other"])
def test_a_folder_that_is_no_snapshot(bed: Bed, capsys: pytest.CaptureFixture[str], made: str) -> None:
    bed.subject()
    folder = bed.folder / "part"
    if made != "nothing":
        folder.mkdir()
    if made == "other":
        (folder / "mine.txt").write_text("mine")
    code, err = cloudaudit(capsys, "collect", "-t", bed.folder / "targets.yaml", "-o", folder, "--resume")
    assert code == 2
    assert f"error: {folder} is no snapshot: it has no manifest.json; make one with cloudaudit collect" in err
    assert bed.cloud.requests == []
    assert not folder.exists() or [path.name for path in folder.iterdir()] == (
        ["mine.txt"] if made == "other" else []
    )


def test_a_snapshot_cannot_be_replaced_by_chance(bed: Bed) -> None:
    """Only what was read for going on is ever replaced."""
    part = cut_short(bed, "part")
    with pytest.raises(OutputError, match="is not empty"):
        write(part.folder, Contents(AT, AT, frozenset(), (), (), (), ()), catalogue().types)
