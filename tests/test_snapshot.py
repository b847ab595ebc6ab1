"""Snapshots on disk: what goes in comes out, in one form whatever came in, and damage is never read."""

from __future__ import annotations

import errno
import gzip
import json
import random
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st
from judging import resource_type, spec

from cloudaudit.errors import OutputError, SnapshotError
from cloudaudit.model import (
    AtLeast,
    AtMost,
    Call,
    Gap,
    Listing,
    Partial,
    Reason,
    Resource,
    ResourceType,
    Scope,
    Unseen,
    Value,
    Written,
    parse_time,
)
from cloudaudit.records import Encoder, clean, line
from cloudaudit.snapshot import Contents, Snapshot, write

NOW = parse_time("2026-11-22T08:00:00Z")
HERE = Scope("dam-may", "hn", "p1")
ROW = spec(
    "value", "record", id=spec("id", "string"), at=spec("at", "time"), size=spec("size", "integer"),
    tags=spec("tags", "list", items=spec("value", "string")),
)  # fmt: skip
TYPES: Mapping[str, ResourceType] = {
    "cloud.vm": resource_type(
        "cloud.vm",
        spec("on", "boolean"), spec("size", "integer"), spec("share", "number"), spec("word", "string"), spec("born", "time"),
        spec("age", "duration"), spec("net", "address"), spec("range", "ports"), spec("labels", "map"),
        spec("tags", "list", items=spec("value", "string")), spec("times", "list", items=spec("value", "time")),
        spec("rows", "list", items=ROW), spec("row", "record", **ROW.fields), spec("site.id", "string", derived="location"),
    ),
    "plain": resource_type("plain", spec("word", "string"), spec("size", "integer"), spec("labels", "map"), spec("born", "time")),
}  # fmt: skip


def vm(id_: str = "v1", facts: Mapping[str, Value] | None = None, **options: Any) -> Resource:
    options = {"scope": HERE, "at": NOW, "sources": {"": 1}, **options}
    return Resource(options.pop("type_", "cloud.vm"), id_, facts=facts or {}, **options)


def contents(*resources: Resource, **options: Any) -> Contents:
    given: dict[str, Any] = {
        "collected_at": NOW, "finished_at": NOW + 60, "types": frozenset(TYPES), "resources": resources,
        "listings": (), "gaps": (), "calls": (), **options,
    }  # fmt: skip
    return Contents(**given)


def kept(folder: Path, *resources: Resource, **options: Any) -> Snapshot:
    write(folder / "snapshot", contents(*resources, **options), TYPES)
    return Snapshot(folder / "snapshot", TYPES)


def back(folder: Path, facts: Mapping[str, Value]) -> Mapping[str, Value]:
    """Facts as they are after a snapshot."""
    (found,) = kept(folder, vm("v1", facts)).each("cloud.vm")
    assert not found.unseen
    return found.facts


# --- what goes in comes out -----------------------------------------------------------------------------


def test_a_whole_snapshot(tmp_path: Path) -> None:
    calls = [
        Call(2, Scope("dam-may"), "compute", "GET /servers?x=ổ", 403, NOW + 1, "req-2", "ab" * 32),
        Call(1, HERE, "compute", "GET /servers", 200, NOW, "", "cd" * 32),
    ]
    gaps = [
        Gap(Scope("dam-may", "hcm"), "cloud.vm", "vm.list", Reason.NO_PERMISSION, "403", 2, listing=False)
    ]
    listings = [Listing(HERE, "cloud.vm", 1, "phạm vi của dự án", 1)]
    given = vm(
        "v1", {"on": True, "word": "hồ sơ"}, name="Tên", endpoint="https://e", unseen={"size": Unseen(Reason.TIMEOUT, "30 s")},
        sources={"": 1, "labels": 2},
    )  # fmt: skip
    about = {"id": "x", "kind": "provider", "title": {"vi": "Nền tảng"}}
    run = {"subject": about, "targets": [], "figures": {"buckets_listed": 3}}
    digest = write(tmp_path / "s", contents(given, calls=calls, gaps=gaps, listings=listings, run=run), TYPES)
    found = Snapshot(tmp_path / "s", TYPES)
    assert list(found.each("cloud.vm")) == [given]
    assert list(found.each("plain")) == []
    assert list(found.each("nobody")) == []
    assert (found.gaps(), found.listings()) == (tuple(gaps), tuple(listings))
    assert [found.call(n) for n in (1, 2)] == [calls[1], calls[0]]
    assert (found.collected_at, found.types, found.run, found.digest) == (NOW, frozenset(TYPES), run, digest)


def test_the_files_are_plain_and_their_digests_are_those_any_tool_computes(tmp_path: Path) -> None:
    digest = write(tmp_path / "s", contents(vm("v1", {"word": "ổ", "on": True})), TYPES)
    files = sorted(
        path.relative_to(tmp_path / "s").as_posix() for path in tmp_path.rglob("*") if path.is_file()
    )
    assert files == ["calls.jsonl.gz", "data/cloud.vm/0000.jsonl.gz", "manifest.json", "manifest.sha256"]
    manifest = (tmp_path / "s/manifest.json").read_bytes()
    assert digest == sha256(manifest).hexdigest()
    assert (tmp_path / "s/manifest.sha256").read_text() == f"{digest}  manifest.json\n"
    assert manifest == rfc8785.dumps(json.loads(manifest))
    packed = gzip.decompress((tmp_path / "s/data/cloud.vm/0000.jsonl.gz").read_bytes())
    assert packed.decode() == (
        '{"at":"2026-11-22T08:00:00Z","facts":{"on":true,"word":"ổ"},"id":"v1","sources":{"":1}}\n'
    )
    assert json.loads(manifest) == {
        "schema_version": 1,
        "collected_at": "2026-11-22T08:00:00Z",
        "finished_at": "2026-11-22T08:01:00Z",
        "run": {},
        "types": ["cloud.vm", "plain"],
        "calls": {"path": "calls.jsonl.gz", "count": 0, "sha256": sha256(b"").hexdigest()},
        "listings": [],
        "gaps": [],
        "partitions": [
            {
                "path": "data/cloud.vm/0000.jsonl.gz", "type": "cloud.vm", "count": 1, "target": "dam-may",
                "region": "hn", "project": "p1", "sha256": sha256(packed).hexdigest(),
            }
        ],
        "dropped_facts": [],
    }  # fmt: skip


MOMENTS = st.integers(parse_time("0001-01-01T00:00:00Z"), parse_time("9999-12-31T23:59:59Z"))
TEXTS = st.text(st.characters(blacklist_categories=["Cs"])).map(
    lambda text: unicodedata.normalize("NFC", text)
)
WHOLE = st.integers(-(2**63), 2**63 - 1)
BOUNDED = st.sampled_from([int, AtMost, AtLeast])
ROWS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.none() | TEXTS,
        "at": st.none() | MOMENTS,
        "size": WHOLE,
        "tags": st.lists(TEXTS).map(tuple),
    },
)


def listed(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    whole = st.lists(items, max_size=3).map(tuple)
    return st.none() | whole | whole.map(Partial)


def bounded(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    return st.none() | st.builds(lambda bound, n: bound(n), BOUNDED, numbers)


FACTS = st.fixed_dictionaries(
    {},
    optional={
        "on": st.none() | st.booleans(),
        "size": bounded(WHOLE),
        "share": st.none()
        | st.floats(allow_nan=False, allow_infinity=False).filter(lambda f: f != 0 or str(f) == "0.0"),
        "word": st.none() | TEXTS,
        "born": bounded(MOMENTS),
        "age": bounded(WHOLE),
        "net": st.sampled_from(["10.0.0.0/8", "::/0", "192.0.2.7"]),
        "range": st.none() | st.tuples(st.integers(0, 65535), st.integers(0, 65535)),
        "labels": st.none() | st.dictionaries(TEXTS, TEXTS, max_size=3),
        "tags": listed(TEXTS),
        "times": listed(MOMENTS),
        "rows": listed(ROWS),
        "row": st.none() | ROWS,
    },
)
ONE = st.builds(
    lambda id_, facts, scope, at, name, unseen: vm(id_, facts, scope=scope, at=at, name=name, unseen=unseen),
    TEXTS, FACTS, st.builds(Scope, st.sampled_from(["a", "b"]), st.none() | TEXTS.filter(bool), st.none() | st.just("p")), MOMENTS, TEXTS,
    st.dictionaries(st.sampled_from(["", "size", "labels"]), st.builds(Unseen, st.sampled_from(Reason), TEXTS), max_size=2),
)  # fmt: skip
FRESH = iter(range(10**9))


@settings(max_examples=60)
@given(st.lists(ONE, max_size=4, unique_by=lambda r: (r.scope, r.id)))
def test_what_goes_in_comes_out(tmp_path_factory: pytest.TempPathFactory, resources: list[Resource]) -> None:
    folder = tmp_path_factory.getbasetemp() / f"round-{next(FRESH)}"
    found = list(kept(folder, *resources).each("cloud.vm"))
    assert sorted(found, key=repr) == sorted(resources, key=repr)
    assert found == sorted(found, key=lambda r: (r.scope.key(), r.endpoint, r.id))


@settings(max_examples=30)
@given(st.lists(ONE, max_size=4), st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_the_order_things_came_in(
    tmp_path_factory: pytest.TempPathFactory, resources: list[Resource], chance: random.Random
) -> None:
    folder = tmp_path_factory.getbasetemp()
    calls = [Call(n, HERE, "compute", f"GET /{n}", 200, NOW) for n in range(3)]
    gaps = [Gap(HERE, "cloud.vm", "list", reason) for reason in (Reason.TIMEOUT, Reason.STALE)]
    listings = [Listing(HERE, kind, 1, "proof") for kind in ("cloud.vm", "plain")]

    def shuffled(items: Sequence[Any]) -> list[Any]:
        return chance.sample(items, len(items))

    digests = {
        write(
            folder / f"order-{next(FRESH)}",
            contents(*order(resources), calls=order(calls), gaps=order(gaps), listings=order(listings)),
            TYPES,
        )
        for order in (list, shuffled, shuffled)
    }
    assert len(digests) == 1


def test_where_code_declares_a_resource_comes_out_as_it_went_in(tmp_path: Path) -> None:
    at_a_line = replace(vm("a"), written=Written("modules/db/main.tf", 12, {"size": 14, "tags": 20}))
    somewhere = replace(vm("b"), written=Written("main.tf"))
    found = list(kept(tmp_path / "s", at_a_line, somewhere, vm("c")).each(at_a_line.type))
    assert [one.written for one in found] == [at_a_line.written, somewhere.written, None]


def test_a_finding_is_shown_at_the_fact_it_stood_on() -> None:
    written = Written("main.tf", 12, {"tags": 20, "size": 14})
    assert written.line_of(["name", "size", "tags"]) == 14
    assert written.line_of(["tags.du_lieu"]) == 20
    assert written.line_of(["name"]) == 12
    assert Written("main.tf").line_of(["name"]) is None


def test_a_region_without_a_name_is_another_than_no_region(tmp_path: Path) -> None:
    two = vm("a", scope=Scope("t", "")), vm("b", scope=Scope("t", None))
    digests = {write(tmp_path / str(n), contents(*order), TYPES) for n, order in enumerate((two, two[::-1]))}
    assert len(digests) == 1
    assert list(Snapshot(tmp_path / "0", TYPES).each("cloud.vm")) == list(two)


def test_equal_contents_make_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, contents(vm("v1", {"word": "x"}), vm("v2")), TYPES)
    files = [p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file()]
    assert len(files) == 4
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_another_content_makes_another_digest(tmp_path: Path) -> None:
    plain = contents(vm())
    others = [
        plain,
        replace(plain, resources=(vm("v2"),)),
        replace(plain, resources=(vm(at=NOW + 1),)),
        replace(plain, collected_at=NOW - 1),
        replace(plain, run={"tool": "x"}),
        replace(plain, types=frozenset()),
        replace(plain, gaps=(Gap(HERE, "cloud.vm", "list", Reason.TIMEOUT),)),
        replace(plain, gaps=(Gap(HERE, "cloud.vm", "list", Reason.TIMEOUT, listing=False),)),
        replace(plain, listings=(Listing(HERE, "cloud.vm", 0, ""),)),
        replace(plain, calls=(Call(1, HERE, "", "", 200, NOW),)),
    ]
    assert len({write(tmp_path / str(n), one, TYPES) for n, one in enumerate(others)}) == len(others)


# --- one form for what came in ------------------------------------------------------------------------------


def test_texts_are_composed_and_half_surrogates_replaced(tmp_path: Path) -> None:
    nfd = unicodedata.normalize("NFD", "Hồ sơ")
    assert nfd != "Hồ sơ"
    given = vm(
        nfd, {"word": nfd, "labels": {nfd: nfd}, "tags": (nfd, "a\ud800b")}, name=nfd, scope=Scope("t", nfd, nfd),
        unseen={"size": Unseen(Reason.TIMEOUT, nfd)},
    )  # fmt: skip
    found = kept(
        tmp_path, given, gaps=[Gap(Scope(nfd), "plain", nfd, Reason.STALE, "\udfff")],
        listings=[Listing(Scope(nfd), "plain", 0, nfd)], calls=[Call(1, Scope(nfd), nfd, nfd, 200, NOW, "\ud800")],
        run={nfd: [nfd, "\ud800"]},
    )  # fmt: skip
    assert list(found.each("cloud.vm")) == [
        vm("Hồ sơ", {"word": "Hồ sơ", "labels": {"Hồ sơ": "Hồ sơ"}, "tags": ("Hồ sơ", "a?b")}, name="Hồ sơ",
           scope=Scope("t", "Hồ sơ", "Hồ sơ"), unseen={"size": Unseen(Reason.TIMEOUT, "Hồ sơ")})
    ]  # fmt: skip
    assert found.gaps() == (Gap(Scope("Hồ sơ"), "plain", "Hồ sơ", Reason.STALE, "?"),)
    assert found.listings() == (Listing(Scope("Hồ sơ"), "plain", 0, "Hồ sơ"),)
    assert found.call(1) == Call(1, Scope("Hồ sơ"), "Hồ sơ", "Hồ sơ", 200, NOW, "?")
    assert found.run == {"Hồ sơ": ["Hồ sơ", "?"]}


def test_scopes_that_are_the_same_in_composed_form_are_one(tmp_path: Path) -> None:
    nfd = unicodedata.normalize("NFD", "Hồ")
    found = kept(tmp_path, vm("a", scope=Scope("t", nfd)), vm("b", scope=Scope("t", "Hồ")))
    assert [part["count"] for part in found.manifest["partitions"]] == [2]


def test_moments_and_numbers_at_the_ends(tmp_path: Path) -> None:
    zero = parse_time("0001-01-01T00:00:00Z")  # how Go writes that there is none
    facts = {"born": zero, "size": 2**63 - 1, "share": 1e-7}
    assert back(tmp_path, facts) == facts


def test_long_texts_and_lists_stay_whole(tmp_path: Path) -> None:
    facts = {"word": "x" * 10_000, "tags": ("y" * 10_000,) * 50, "labels": {"k" * 10_000: "v" * 10_000}}
    assert back(tmp_path, facts) == facts


def test_control_characters_stay_what_they_are(tmp_path: Path) -> None:
    facts = {"word": "\x00\x1b[31m\u202e\u2028\r\n\x7f", "tags": ('"\\', "</script>")}
    assert back(tmp_path, facts) == facts


@given(st.dictionaries(st.text(), st.text()), st.text(), st.integers(-(2**53) + 1, 2**53 - 1))
@example({"\uffee": "a", "\U0001f600": "b"}, "", 0)
def test_lines_are_canonical(labels: dict[str, str], word: str, size: int) -> None:
    record = Encoder(TYPES["plain"], set())(
        vm(
            word,
            {"labels": labels, "word": word, "size": size},
            type_="plain",
            unseen={word: Unseen(Reason.STALE, word)},
        )
    )
    assert line(record).encode() == rfc8785.dumps(json.loads(line(record)))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_lines_with_decimals_are_canonical_too(share: float) -> None:
    encode = Encoder(TYPES["cloud.vm"], set())
    text = encode.line(encode(vm("v1", {"share": share})))
    assert text.encode() == rfc8785.dumps(json.loads(text, parse_int=float))


@settings(max_examples=40)
@given(
    st.recursive(st.none() | st.text() | st.integers(), lambda v: st.lists(v) | st.dictionaries(st.text(), v))
)
def test_cleaning_is_done_once(value: Any) -> None:
    once = clean(value)
    assert clean(once) == once
    json.dumps(once, ensure_ascii=False).encode()


# --- only what is declared ----------------------------------------------------------------------------------


def test_what_is_not_declared_is_dropped_and_named(tmp_path: Path) -> None:
    given = vm(
        "v1",
        {
            "word": "x", "password": "s3cret", "user_data": "s3cret", "site.id": "hn", "id": "v1", "region": "hn",
            "row": {"id": "r", "token": "s3cret"}, "rows": ({"size": 1, "key": "s3cret"}, {"size": 2}),
        },
    )  # fmt: skip
    other = vm("v2", {"word": "s3cret"}, type_="../../etc")
    found = kept(tmp_path, given, other)
    assert [r.facts for r in found.each("cloud.vm")] == [
        {"word": "x", "row": {"id": "r"}, "rows": ({"size": 1}, {"size": 2})}
    ]
    assert found.manifest["dropped_facts"] == [
        "../../etc:*", "cloud.vm:password", "cloud.vm:row.token", "cloud.vm:rows.key", "cloud.vm:site.id",
        "cloud.vm:user_data",
    ]  # fmt: skip
    for path in (tmp_path / "snapshot").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"s3cret" not in (gzip.decompress(data) if path.suffix == ".gz" else data)


MISFITS: list[tuple[str, Value]] = [
    ("on", 1), ("on", "true"), ("size", "5"), ("size", True), ("size", 2.0), ("size", 2**63), ("share", "1"),
    ("share", float("nan")), ("share", float("inf")), ("word", 5), ("word", b"x"), ("word", AtMost(5)), ("on", AtLeast(1)),
    ("born", "2026"), ("born", 10**15), ("born", 2**62), ("age", 1.5), ("net", 10), ("range", (1,)), ("range", (1, "2")),
    ("range", 22), ("labels", {"a": 5}), ("labels", ("a",)), ("tags", "a"), ("tags", ("a", 5)), ("tags", Partial((5,))),
    ("tags", {"a": "b"}), ("rows", ({"size": "x"},)), ("rows", ("x",)), ("row", "x"), ("row", ("x",)), ("size", Partial(())),
    ("word", object()),
]  # fmt: skip


@pytest.mark.parametrize(("fact", "value"), MISFITS, ids=lambda v: repr(v)[:30].split(" at 0x")[0])
def test_what_is_of_another_type_is_not_known(tmp_path: Path, fact: str, value: Value) -> None:
    """No condition may meet a value it was not made for, whatever a cloud answers."""
    (found,) = kept(tmp_path, vm("v1", {fact: value})).each("cloud.vm")
    kind = TYPES["cloud.vm"].facts[fact].type.value
    assert found == vm("v1", unseen={fact: Unseen(Reason.INVALID_ANSWER, f"what came is no {kind}")})


def test_null_is_of_every_type(tmp_path: Path) -> None:
    nothing = dict.fromkeys(name for name, one in TYPES["cloud.vm"].facts.items() if not one.derived)
    assert back(tmp_path, nothing) == nothing


@settings(max_examples=50)
@given(
    FACTS,
    st.sampled_from(
        ["boolean", "integer", "number", "string", "time", "duration", "address", "ports", "map", "list"]
    ),
)
def test_facts_whose_declaration_changed_are_read_as_declared_or_not_known(
    tmp_path_factory: pytest.TempPathFactory, facts: dict[str, Value], kind: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / f"changed-{next(FRESH)}"
    kept(folder, vm("v1", facts))
    now = {"cloud.vm": resource_type("cloud.vm", *(spec(name, kind) for name in TYPES["cloud.vm"].facts))}
    (found,) = Snapshot(folder / "snapshot", now).each("cloud.vm")
    assert set(found.facts) | set(found.unseen) == set(facts)
    again = Encoder(now["cloud.vm"], set())(found)
    assert set(again["facts"]) == set(found.facts), "what is read fits what is declared"


def test_facts_that_are_declared_no_more_are_left_out(tmp_path: Path) -> None:
    kept(tmp_path, vm("v1", {"word": None, "size": 5, "on": True}))
    now = {"cloud.vm": resource_type("cloud.vm", spec("size", "integer"), spec("on", "boolean", derived="x"))}
    (found,) = Snapshot(tmp_path / "snapshot", now).each("cloud.vm")
    assert found == vm("v1", {"size": 5})


@pytest.mark.parametrize("id_", ["../../x", "/etc/passwd", "a\x00b", "..", "C:\\x", "x" * 10_000, "", "\n"])
def test_ids_and_scopes_never_become_paths(tmp_path: Path, id_: str) -> None:
    given = vm(id_, scope=Scope(id_, id_, id_), name=id_, endpoint=id_)
    found = kept(tmp_path / "in", given)
    assert list(found.each("cloud.vm")) == [given]
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
    assert [part["path"] for part in found.manifest["partitions"]] == ["data/cloud.vm/0000.jsonl.gz"]


# --- damage -------------------------------------------------------------------------------------------------


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    calls = [Call(1, HERE, "compute", "GET /", 200, NOW)]
    resources = [vm(f"v{n}", {"word": f"từ {n}" * 50, "size": n}) for n in range(40)]
    write(tmp_path / "s", contents(*resources, vm("p", type_="plain"), calls=calls), TYPES)
    return tmp_path / "s"


def read_all(folder: Path) -> None:
    found = Snapshot(folder, TYPES)
    for type_ in TYPES:
        list(found.each(type_))
    found.call(1)


DATA, MANIFEST = "data/cloud.vm/0000.jsonl.gz", "manifest.json"


def refused(folder: Path, *words: str) -> None:
    with pytest.raises(SnapshotError) as caught:
        read_all(folder)
    for word in words:
        assert word in str(caught.value)


def test_no_byte_of_the_data_can_change_what_is_read(whole: Path) -> None:
    """Some bits of a packed file mean nothing: its time stamp, the name of the packer's platform."""
    path = whole / DATA
    data = path.read_bytes()
    expected = list(Snapshot(whole, TYPES).each("cloud.vm"))
    harmless = 0
    for place in {*range(30), *range(30, len(data), 7), *range(len(data) - 9, len(data))}:
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])
        try:
            found = list(Snapshot(whole, TYPES).each("cloud.vm"))
        except SnapshotError:
            refused(whole, str(path))
        else:
            assert found == expected
            harmless += 1
    assert harmless <= 7
    path.write_bytes(data)
    read_all(whole)


@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_data_cut_short_are_refused(whole: Path, share: float) -> None:
    path = whole / DATA
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    refused(whole, str(path))


def packed(*records: Any) -> bytes:
    return gzip.compress(b"".join(json.dumps(record).encode() + b"\n" for record in records))


def test_data_that_were_replaced_are_refused(whole: Path) -> None:
    path = whole / DATA
    path.write_bytes(packed({"at": "2026-11-22T08:00:00Z", "facts": {}, "id": "v1"}))
    refused(whole, str(path), "its digest differs")
    for data in (
        b"",
        b"no gzip",
        gzip.compress(b"no json\n"),
        gzip.compress(b"\xff\xfe\n"),
        gzip.compress(b"[" * 100_000),
    ):
        path.write_bytes(data)
        refused(whole, str(path))
    path.unlink()
    refused(whole, str(path), "cannot be read: [Errno 2] No such file")
    path.mkdir()
    refused(whole, str(path))


def test_the_log_of_calls_is_held_to_its_digest_too(whole: Path) -> None:
    path = whole / "calls.jsonl.gz"
    path.write_bytes(packed({}))
    refused(whole, str(path))
    path.unlink()
    refused(whole, str(path))


def test_a_call_that_is_not_in_the_log(whole: Path) -> None:
    with pytest.raises(SnapshotError, match="has no call 7, which a resource came from"):
        Snapshot(whole, TYPES).call(7)


def test_a_manifest_that_was_edited_is_refused(whole: Path) -> None:
    path = whole / MANIFEST
    text = path.read_text(encoding="utf-8")
    for edited in (
        text.replace('"gaps":[]', '"gaps": []'),
        text.replace('"count":40', '"count":41'),
        text + "\n",
        "",
    ):
        path.write_text(edited, encoding="utf-8")
        refused(whole, str(path), "its digest differs; collect again")
    path.write_text(text, encoding="utf-8")
    read_all(whole)


def test_a_folder_that_is_no_snapshot(tmp_path: Path, whole: Path) -> None:
    refused(tmp_path, str(tmp_path), "it has no manifest.json; make one with cloudaudit collect")
    refused(tmp_path / "nowhere", "it has no manifest.json")
    (whole / "manifest.sha256").unlink()
    refused(whole, "it has no manifest.sha256")
    (whole / "manifest.sha256").write_bytes(b"\xff")
    refused(whole, str(whole / MANIFEST))
    refused(whole / MANIFEST, str(whole / MANIFEST / MANIFEST))


def forged(folder: Path, change: Any) -> None:
    """Change a manifest as somebody would who also knows how to make its digest."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest = change(manifest) or manifest
    data = json.dumps(manifest).encode()
    (folder / MANIFEST).write_bytes(data)
    (folder / "manifest.sha256").write_text(sha256(data).hexdigest())


def set_(*way: Any) -> Any:
    def change(manifest: Any) -> None:
        *steps, last, value = way
        for step in steps:
            manifest = manifest[step]
        manifest[last] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        *(lambda manifest, key=key: {k: v for k, v in manifest.items() if k != key}
          for key in ("schema_version", "collected_at", "run", "types", "calls", "listings", "gaps", "partitions")),
        lambda manifest: [manifest], lambda manifest: "text", lambda manifest: 5, set_("collected_at", "yesterday"),
        set_("collected_at", 5), set_("types", 5), set_("gaps", [{}]), set_("gaps", 5), set_("listings", ["x"]),
        set_("partitions", 0, {}), set_("partitions", {"a": 1}), set_("partitions", 0, "sha256", None),
        set_("partitions", 0, "target", None), set_("partitions", 0, "region", 5), set_("calls", "calls.jsonl.gz"),
        set_("gaps", [{"target": "t", "region": None, "project": None, "type": "x", "operation": "", "reason": "tired",
                       "detail": "", "call": None, "listing": True}]),
        *(set_("partitions", 0, "path", path) for path in (
            "../secret.gz", "/etc/passwd", "data/../../secret.gz", "data/cloud.vm/../../x/0000.jsonl.gz", "calls.jsonl.gz\n",
            "data/cloud.vm/0000.jsonl", "data//0000.jsonl.gz", "data\\cloud.vm\\0000.jsonl.gz", "", 5, None, ["x"],
            "data/cloud.vm/٠٠٠٠.jsonl.gz",
        )),
    ],
)  # fmt: skip
def test_a_manifest_of_another_shape_is_refused_with_its_path(whole: Path, change: Any) -> None:
    forged(whole, change)
    refused(whole, str(whole))


RUN = {
    "subject": {"id": "x", "kind": "agency", "title": {"vi": "Sở", "en": "Department"}},
    "targets": [{"name": "t", "kind": "s3", "buckets": "all"}],
    "figures": {
        "projects_declared": "unknown",
        "projects_seen": 0,
        "buckets_listed": 2,
        "buckets_readable": 1,
    },
}
LISTED = {"target": "t", "region": None, "project": None, "type": "x", "count": 0, "proof": "", "call": None}
MISSED = {"target": "t", "region": None, "project": None, "type": "x", "operation": "", "reason": "timeout", "detail": "",
          "call": None, "listing": True}  # fmt: skip
FORGERIES: list[tuple[tuple[Any, ...], str]] = [
    (("run", []), "run: a mapping (key: value) is expected, found an empty list"),
    (("run", None), "run: a mapping (key: value) is expected, found nothing"),
    (("run", "subject", "abc"), "run.subject: a mapping (key: value) is expected, found the text 'abc'"),
    (("run", "subject", {"kind": "agency"}), "run.subject: missing key 'id'"),
    (("run", "subject", {"id": "x"}), "run.subject: missing key 'kind'"),
    (("run", "subject", "id", ""), "run.subject.id: 1 or more characters are expected, found an empty text"),
    (("run", "subject", "kind", "bank"), "run.subject.kind: the text 'bank' is not known here"),
    (("run", "subject", "title", "vi", 5), "run.subject.title.vi: a text is expected, found the number 5"),
    (("run", "targets", 5), "run.targets: a list is expected, found the number 5"),
    (("run", "targets", [{"name": "t"}]), "run.targets[0]: missing key 'kind'"),
    (("run", "figures", []), "run.figures: a mapping (key: value) is expected, found an empty list"),
    (("run", "figures", "buckets_listed", "x"), "run.figures.buckets_listed: a number or 'unknown' is expected, found the text 'x'"),
    (("run", "figures", "buckets_listed", 2.0), "run.figures.buckets_listed: a whole number or a text is expected, found the number 2.0"),
    (("run", "figures", "buckets_listed", -1), "run.figures.buckets_listed: at least 0 is expected, found the number -1"),
    (("run", "figures", "buckets_readable", 3), "run.figures: buckets_readable is 3, and buckets_listed only 2"),
    (("run", "figures", "projects_seen", "unknown"), "run.figures.projects_seen: a whole number is expected, found the text 'unknown'"),
    (("run", "figures", "projects_declared", -5), "run.figures.projects_declared: at least 0 is expected"),
    (("collected_at", "0001-01-01T00:00:00+14:00"), "collected_at: "),
    (("types", {"a": 1}), "types: a list is expected, found a mapping"),
    (("calls", "sha256", "x"), "calls.sha256: a SHA-256 in 64 hexadecimal digits is expected, found the text 'x'"),
    (("listings", 0, "count", "x"), "listings[0]: 'count': a whole number is expected, found a text"),
    (("listings", 0, "count", True), "listings[0]: 'count': a whole number is expected, found true or false"),
    (("listings", 0, {}), "listings[0]: missing key 'type'"),
    (("gaps", 0, []), "gaps[0]: a mapping is expected, found a list"),
    (("gaps", 0, "type", []), "gaps[0]: 'type': a text is expected, found a list"),
    (("gaps", 0, "detail", 5), "gaps[0]: 'detail': a text is expected, found a whole number"),
    (("gaps", 0, "listing", "false"), "gaps[0]: 'listing': true or false is expected, found a text"),
    (("gaps", 0, "reason", "tired"), "gaps[0]: 'tired' is not a valid Reason"),
    (("partitions", 0, "type", 5), "partitions[0]: 'type': a text is expected, found a whole number"),
    (("schema_version", True), "schema_version: "),
]  # fmt: skip


@pytest.mark.parametrize(("way", "message"), FORGERIES, ids=lambda given: str(given)[:40])
def test_what_is_wrong_in_a_manifest_is_told_with_its_place(
    whole: Path, way: tuple[Any, ...], message: str
) -> None:
    forged(whole, lambda manifest: {**manifest, "run": RUN, "listings": [LISTED], "gaps": [MISSED]})
    read_all(whole)
    forged(whole, set_(*way))
    refused(
        whole,
        f"{whole / MANIFEST} is not the manifest of a snapshot: {message}",
        "; collect again, or take the copy that was archived",
    )


def test_a_snapshot_of_another_version(whole: Path) -> None:
    forged(whole, set_("schema_version", 2))
    refused(whole, "is of version 2, this program reads 1; collect again with this version of cloudaudit")


def test_a_link_does_not_lead_out_of_the_snapshot(whole: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.gz"
    outside.write_bytes((whole / DATA).read_bytes())
    (whole / DATA).unlink()
    (whole / DATA).symlink_to(outside)
    refused(whole, f"{whole / DATA} leads out of the snapshot")


RECORD = {"at": "2026-11-22T08:00:00Z", "facts": {}, "id": "v1"}


@pytest.mark.parametrize(
    "record",
    [
        [], "x", None, {}, {**RECORD, "facts": []}, {**RECORD, "facts": None}, {**RECORD, "id": 5}, {**RECORD, "id": None},
        {**RECORD, "at": "x"}, {**RECORD, "at": 5}, {**RECORD, "name": 5}, {**RECORD, "unseen": {"": "x"}},
        {**RECORD, "unseen": {"": {"reason": "tired", "detail": ""}}}, {**RECORD, "sources": {"": "x"}},
        {**RECORD, "sources": [1]}, {**RECORD, "endpoint": ["x"]},
    ],
)  # fmt: skip
def test_records_of_another_shape_are_refused_with_their_file(whole: Path, record: Any) -> None:
    data = packed(record)
    (whole / DATA).write_bytes(data)
    forged(whole, set_("partitions", 0, "sha256", sha256(gzip.decompress(data)).hexdigest()))
    refused(whole, f"{whole / DATA} holds what is no resource")


def test_a_line_without_end_is_not_read_to_its_end(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudaudit.snapshot.MAX_LINE", 100)
    refused(whole, str(whole / DATA))


# --- writing whole or not at all ------------------------------------------------------------------------------


def unwritten(folder: Path, *words: str, resources: Sequence[Resource] = (), below: Path) -> None:
    before = sorted(below.rglob("*"))
    with pytest.raises(OutputError) as caught:
        write(folder, contents(*resources), TYPES)
    for word in words:
        assert word in str(caught.value)
    assert sorted(below.rglob("*")) == before, "nothing half-written is left"


def test_an_empty_folder_is_taken_and_a_full_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", contents(), TYPES)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    unwritten(
        tmp_path / "full", "is not empty; give a new folder, or remove the old snapshot", below=tmp_path
    )
    unwritten(tmp_path / "empty", "is not empty", below=tmp_path)
    unwritten(Path("/"), "is not empty", below=tmp_path)


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    write(tmp_path / "a/b/c", contents(vm()), TYPES)
    assert [p.name for p in (tmp_path / "a/b").iterdir()] == ["c"]


def test_a_folder_beside_is_left_alone(tmp_path: Path) -> None:
    for name in ("s.partial", ".s.partial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    write(tmp_path / "s", contents(), TYPES)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".s.partial", "s", "s.partial"]


def test_the_current_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write(Path(), contents(vm()), TYPES)
    assert list(Snapshot(tmp_path / "here", TYPES).each("cloud.vm")) == [vm()]


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    unwritten(tmp_path / "file", str(tmp_path / "file"), "Not a directory", below=tmp_path)
    unwritten(tmp_path / "file" / "s", str(tmp_path / "file" / "s"), "Not a directory", below=tmp_path)


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Whichever file it is that does not fit."""
    opened = [0]
    real = Path.open

    def full(self: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if "w" in mode and "partial" in str(self):
            opened[0] += 1
            if opened[0] > after:
                raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", full)
    unwritten(
        tmp_path / "s",
        f"cannot be written to {tmp_path / 's'}: No space left on device",
        resources=[vm()],
        below=tmp_path,
    )


def test_what_goes_wrong_while_packing_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: gzip.GzipFile, data: bytes) -> int:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    with monkeypatch.context() as patch:
        patch.setattr(gzip.GzipFile, "write", full)
        unwritten(tmp_path / "s", "Disk quota exceeded", resources=[vm()], below=tmp_path)

    def interrupted(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Encoder, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "s", contents(vm()), TYPES)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_appears_meanwhile_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def squat(self: Encoder, resource: Resource) -> dict[str, Any]:
        (tmp_path / "s").mkdir()
        (tmp_path / "s" / "file").touch()
        return {"id": "x"}

    monkeypatch.setattr(Encoder, "__call__", squat)
    with pytest.raises(OutputError, match="Directory not empty"):
        write(tmp_path / "s", contents(vm()), TYPES)
    assert [p.name for p in tmp_path.rglob("*")] == ["s", "file"]
