"""Reading hostile values: texts, times, addresses, links, versions, catalogue addresses."""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudaudit.collectors import values
from cloudaudit.collectors.item import (
    CUT,
    LONGEST_TEXT,
    Item,
    Odd,
    Reader,
    address,
    count,
    each,
    empty_as_null,
    flag,
    identifier,
    integer,
    many,
    moment,
    one_of,
    text,
)
from cloudaudit.collectors.openstack import network, paging
from cloudaudit.collectors.openstack.answers import (
    Trouble,
    document,
    json_of,
    supported_version,
    version_pair,
)
from cloudaudit.collectors.openstack.catalogue import (
    api_root,
    normal_url,
    official_type,
    read_catalogue,
    service_address,
    usable,
    version_root,
)
from cloudaudit.collectors.openstack.entry import keystone_root
from cloudaudit.collectors.openstack.paging import Page, Paging, pages, within
from cloudaudit.collectors.openstack.session import Pace
from cloudaudit.collectors.transport import Answer
from cloudaudit.model import Reason, Unseen

ALLOWED = frozenset({"system_id", "role"})


# --- single values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (text, "", ""),
        (text, "ho\u0302\u0300 so\u031b", "hồ sơ"),
        (text, "\x1b[2Jxin chào\u202e", "\x1b[2Jxin chào\u202e"),
        (text, "a\ud800b", "a?b"),
        (text, "x" * 5000, "x" * (4096 - len(CUT)) + CUT),
        (identifier, "ho\u0302\u0300", "ho\u0302\u0300"),
        (flag, True, True),
        (flag, "False", False),
        (integer, 0, 0),
        (count, 0, 0),
        (one_of("a", "b"), "b", "b"),
        (moment, "2026-11-22T03:45:35Z", 1795319135),
        (moment, "2026-11-22T03:45:35.900000", 1795319135),
        (moment, "2026-11-22T10:45:35+07:00", 1795319135),
        (address, "10.0.0.0/8", "10.0.0.0/8"),
        (address, "10.0.0.1/8", "10.0.0.1/8"),
        (address, "2001:db8::1", "2001:db8::1"),
        (many(text), ["a"], ("a",)),
        (each(lambda row: row["a"]), [{"a": 1}], (1,)),
        (empty_as_null(text), "", None),
    ],
)
def test_a_good_value_is_read(read: Reader, value: object, expected: object) -> None:
    assert read(value) == expected


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (text, 7), (text, None), (text, b"x"), (identifier, ""), (identifier, 7), (identifier, "x" * 4097),
        (flag, 1), (flag, "yes"), (flag, None), (integer, True), (integer, "1"), (integer, 1.0),
        (count, -1), (count, True), (one_of("a"), "A"), (one_of("a"), ""), (one_of("a"), None),
        (moment, "yesterday"), (moment, 0), (moment, "9" * 100), (moment, None), (moment, "0001-01-01T00:00:00+23:00"),
        (address, "10.0.0.0/33"), (address, "host"), (address, 167772160), (address, ""),
        (many(text), "a"), (many(text), [1]), (each(dict), ["a"]), (each(dict), {}),
    ],
)  # fmt: skip
def test_an_odd_value_is_refused(read: Reader, value: object) -> None:
    with pytest.raises(Odd):
        read(value)


@given(st.text(max_size=40) | st.builds(str.__mul__, st.text(min_size=1, max_size=5), st.integers(500, 5000)))
def test_any_text_can_be_written_and_is_bounded(value: str) -> None:
    read = text(value)
    assert len(read.encode()) <= LONGEST_TEXT * 3, "NFC can grow a text a little, never beyond bounds"
    assert unicodedata.is_normalized("NFC", read) or CUT in read
    if len(value.encode("utf-8", "replace")) <= LONGEST_TEXT:
        assert read == unicodedata.normalize("NFC", value.encode("utf-8", "replace").decode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "metadata", "tags"]), JSON))
def test_an_item_takes_any_json_without_falling_over(row: dict[str, Any]) -> None:
    """Each fact is read or explained, and never both."""
    item = Item(row)
    readers = [text, flag, integer, moment, address, identifier, many(text), each(lambda r: text(r.get("x")))]
    for number, read in enumerate(readers):
        item.take(f"a{number}", "a", read)
        item.take(f"b{number}", "b", read, null=True, hidden=True)
        item.take(f"c{number}", "c", read, absent=None)
    item.labels("metadata", ALLOWED)
    assert item.facts.keys() | item.unseen.keys() >= {"a0", "b7", "c3", "labels", "label_names"}
    assert not item.facts.keys() & item.unseen.keys()


# --- labels ------------------------------------------------------------------------------------------------


def test_only_allowed_values_are_kept() -> None:
    item = Item({"metadata": {"system_id": "a", "password": "PLANTED", "role": 7, "ho\u0302\u0300": "x"}})
    item.labels("metadata", ALLOWED)
    assert item.facts == {
        "labels": {"system_id": "a"},
        "label_names": ("hồ", "password", "role", "system_id"),
    }


def test_tags_are_pairs_or_words() -> None:
    item = Item({"tags": ["system_id=a", "role: web", "note=PLANTED", "archive", "url=http://x?a=b"]})
    item.tags("tags", ALLOWED, [("system_id", "b"), ("other", "PLANTED")])
    assert item.facts == {
        "labels": {"system_id": "b", "role": "web"},
        "label_names": ("archive", "note", "other", "role", "system_id", "url"),
    }


@pytest.mark.parametrize(
    ("row", "reason"), [({}, Reason.NOT_IMPLEMENTED), ({"tags": "a"}, Reason.INVALID_ANSWER)]
)
def test_tags_that_are_not_there_are_missing(row: dict[str, object], reason: Reason) -> None:
    item = Item(row)
    item.tags("tags", ALLOWED)
    assert item.facts == {}
    assert {why.reason for why in item.unseen.values()} == {reason}
    assert set(item.unseen) == {"labels", "label_names"}


# --- ports of a rule -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocol", "low", "high", "ports"),
    [
        ("tcp", 22, 22, (22, 22)),
        ("tcp", None, None, None),
        (None, None, None, None),
        ("icmp", 8, 0, None),
        ("ipv6-icmp", None, None, None),
        ("58", 128, 0, None),
        (1, 8, 0, None),
        (6, 80, 81, (80, 81)),
        ("udp", 0, 65535, (0, 65535)),
    ],
)
def test_ports_of_a_rule(protocol: object, low: object, high: object, ports: object) -> None:
    assert values.ports(protocol, low, high) == ports


@pytest.mark.parametrize(
    ("low", "high"), [(22, None), (None, 22), (80, 22), (0, 65536), (-1, 5), ("22", "22"), (True, 22)]
)
def test_ranges_that_are_none(low: object, high: object) -> None:
    with pytest.raises(Odd):
        values.ports("tcp", low, high)


def test_a_rule_without_ports_in_the_answer() -> None:
    item = Item({"direction": "ingress"})
    network._rule(item, None)  # type: ignore[arg-type]
    assert item.unseen["ports"].reason is Reason.NOT_IMPLEMENTED
    item = Item({"protocol": "tcp", "port_range_min": "1", "port_range_max": "2"})
    network._rule(item, None)  # type: ignore[arg-type]
    assert item.unseen["ports"] == Unseen(Reason.INVALID_ANSWER, "the range of ports holds no integer")


# --- answers -----------------------------------------------------------------------------------------------


def answer(body: bytes) -> Answer:
    return Answer(200, {"Content-Type": "application/json"}, body, 3, 0)


@given(st.binary(max_size=200))
def test_any_body_is_json_or_trouble(body: bytes) -> None:
    assert isinstance(document(answer(body), "GET /x"), dict | Trouble)


def test_numbers_of_absurd_length_are_trouble() -> None:
    assert isinstance(json_of(answer(b"1" * 5000), "GET /x"), Trouble)


@pytest.mark.parametrize(
    ("value", "pair"),
    [
        ("2.96", (2, 96)),
        ("2", None),
        ("", None),
        (None, None),
        (2.96, None),
        ("2." + "9" * 99, None),
        ("٢.٩", None),
    ],
)
def test_versions(value: object, pair: object) -> None:
    assert version_pair(value) == pair


@pytest.mark.parametrize(
    ("body", "span"),
    [
        ({"version": {"id": "v2.1", "version": "2.96", "min_version": "2.1"}}, ((2, 1), (2, 96))),
        ({"versions": [{"version": "", "min_version": ""}, {"version": "3.70", "min_version": "3.0"}]}, None),
        ({"versions": [{"version": "2.72", "start_version": "2.0"}]}, ((2, 0), (2, 72))),
        ({}, None),
        ({"versions": [7]}, None),
        ({"version": "2.96"}, None),
    ],
)
def test_version_documents(body: dict[str, object], span: object) -> None:
    assert supported_version(body, 2) == span


# --- the catalogue -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "url", "root"),
    [
        ("compute", "http://h:8774/v2.1/", "http://h:8774/v2.1"),
        ("compute", "http://h/compute", "http://h/compute/v2.1"),
        ("block-storage", "https://h/volume/v3/abc", "https://h/volume/v3/abc"),
        ("network", "http://h:9696", "http://h:9696/v2.0"),
        ("network", "http://h/networking/v2.0/", "http://h/networking/v2.0"),
        ("image", "http://h:9292/v1", "http://h:9292/v2"),
        ("image", "http://h/image?x=1#y", "http://h/image/v2"),
        ("object-store", "http://h/swift/v1", "http://h/swift/v1"),
        ("object-store", "http://h/swift", "http://h/swift"),
    ],
)
def test_api_roots(service: str, url: str, root: str) -> None:
    assert api_root(service, url) == root


def test_where_versions_are_described() -> None:
    assert version_root("https://h/volume/v3/abc") == "https://h/volume/v3/"
    assert version_root("https://h/compute/v2.1") == "https://h/compute/v2.1/"
    assert version_root("https://h/x") == "https://h/x/"


@pytest.mark.parametrize(
    ("auth_url", "root"),
    [
        ("http://h:5000", "http://h:5000/v3"),
        ("http://h:5000/v3/", "http://h:5000/v3"),
        ("http://h/identity", "http://h/identity/v3"),
        ("http://h/identity/v2.0/", "http://h/identity/v3"),
        ("http://h/v3?x=y", "http://h/v3"),
    ],
)
def test_the_address_of_keystone(auth_url: str, root: str) -> None:
    assert keystone_root(auth_url) == root


@pytest.mark.parametrize(
    ("url", "normal", "address_"),
    [
        ("http://H:80/v1/AUTH_p1/", "http://h/v1/AUTH_%(project_id)s", "http://h/v1"),
        ("http://h/v3/$(tenant_id)s", "http://h/v3/%(project_id)s", "http://h/v3"),
        ("https://h:443/v3/p1/x", "https://h/v3/%(project_id)s/x", "https://h/v3"),
        ("https://u:p@h:8443/v3", "https://h:8443/v3", "https://h:8443/v3"),
        (
            "http://[2001:DB8::1]:8774/v2.1",
            "http://[2001:db8::1]:8774/v2.1",
            "http://[2001:db8::1]:8774/v2.1",
        ),
        ("http://h/xp1/p12", "http://h/xp1/p12", "http://h/xp1/p12"),
    ],
)
def test_addresses_are_the_same_for_every_project(url: str, normal: str, address_: str) -> None:
    assert (normal_url(url, "p1"), service_address(url, "p1")) == (normal, address_)


@pytest.mark.parametrize(
    ("url", "good"),
    [("http://h", True), ("https://[::1]:1/x", True), ("ftp://h", False), ("http://", False), ("http://h:0", False),
     ("http://h:99999", False), ("http://u:p@h", False), ("http://[::1", False), ("", False)],
)  # fmt: skip
def test_addresses_a_client_can_use(url: str, good: bool) -> None:
    assert usable(url) is good


def test_aliases_of_services() -> None:
    assert [official_type(t) for t in ("volumev3", "share", "compute", "x-own")] == [
        "block-storage", "shared-file-system", "compute", "x-own",
    ]  # fmt: skip


def test_the_newest_api_of_a_service_is_chosen() -> None:
    def entry(type_: str, region: str | None) -> dict[str, object]:
        endpoint = {
            "id": f"{type_}{region}",
            "interface": "publicURL",
            "region": region,
            "url": f"http://{type_}",
        }
        return {"type": type_, "name": "", "endpoints": [endpoint]}

    found = read_catalogue(
        [entry("volumev2", "a"), entry("volumev3", "a"), entry("volumev3", None), entry("volumev3", "b")]
    )
    assert [(e.id, e.interface) for e in found.of("block-storage", "a")] == [
        ("volumev3a", "public"), ("volumev3None", "public"), ("volumev2a", "public"),
    ]  # fmt: skip
    assert (found.regions, found.complete) == (("a", "b"), True)


@given(JSON)
def test_any_catalogue_is_read_or_known_to_be_incomplete(entries: object) -> None:
    found = read_catalogue(entries)
    assert found.endpoints == () or found.complete


# --- pages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("root", "href", "url"),
    [
        ("http://h/image/v2", "/v2/images?marker=a", "http://h/image/v2/images?marker=a"),
        ("http://h:80/v2", "http://h/v2/images", "http://h/v2/images"),
        ("http://h/v2", "?marker=a", "http://h/v2/?marker=a"),
        ("http://h", "//evil/images", None),
        ("http://h/v2", "https://h/v2/images", None),
        ("http://h/v2", "http://h:8080/v2/images", None),
        ("http://h/v2", "http://h@evil/v2/images", None),
        ("http://h/v2", "javascript:alert(1)", None),
        ("http://h/v2", "http://[", None),
        ("http://h/v2", "http://h:x/", None),
    ],
)  # fmt: skip
def test_links_stay_on_their_host(root: str, href: str, url: str | None) -> None:
    found = within(root, href)
    assert (found if isinstance(found, str) else None) == url


@given(st.text(max_size=60))
def test_no_link_leads_elsewhere(href: str) -> None:
    found = within("http://h:9/v2", href)
    assert isinstance(found, Trouble) or found.startswith("http://h:9/")


def test_pages_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paging.MOST_PAGES == 10_000
    monkeypatch.setattr(paging, "MOST_PAGES", 100)
    asked = []

    def fetch(url: str) -> Answer:
        asked.append(url)
        number = len(asked)
        links = [{"rel": "next", "href": f"http://h/v2/x?page={number}"}]
        return answer(json.dumps({"x": [{"id": str(number)}], "x_links": links}).encode())

    found = list(pages(fetch, "http://h/v2", "/x", "x"))
    assert len(asked) == 100
    assert found[-1] == Trouble(Reason.PARTIAL, "the pages of /x do not end")
    assert sum(len(page.rows) for page in found if isinstance(page, Page)) == 100


@given(st.lists(st.integers(0, 5), max_size=6), st.integers(1, 4))
def test_counting_reads_every_item_whatever_the_server_caps(sizes: list[int], cap: int) -> None:
    rows = [{"id": str(n)} for n in range(sum(sizes))]

    def fetch(url: str) -> Answer:
        offset = int(url.partition("offset=")[2] or 0)
        return answer(json.dumps({"x": rows[offset : offset + cap]}).encode())

    found = list(pages(fetch, "http://h/v2", "/x?limit=1000", "x", Paging.OFFSET))
    assert [row for page in found if isinstance(page, Page) for row in page.rows] == rows


def counting_rows(rows: list[str], cap: int, gone_after: int | None = None) -> Callable[[str], Answer]:
    """A service that counts rows, of which an item may take several, and shows each item of a page once.

    After so many answers the first item is gone, with all its rows.
    """
    answered = [0]

    def fetch(url: str) -> Answer:
        answered[0] += 1
        left = rows if gone_after is None or answered[0] <= gone_after else [r for r in rows if r != rows[0]]
        size = min(cap, int(url.partition("limit=")[2].partition("&")[0]))
        offset = int(url.partition("offset=")[2] or 0)
        shown = [{"id": id_} for id_ in dict.fromkeys(left[offset : offset + size])]
        return answer(json.dumps({"x": shown}).encode())

    return fetch


@given(st.lists(st.integers(1, 4), max_size=8), st.integers(1, 9))
def test_counting_rows_reads_every_item_once(replicas: list[int], cap: int) -> None:
    rows = [str(item) for item, count in enumerate(replicas) for _ in range(count)]
    found = list(pages(counting_rows(rows, cap), "http://h/v2", "/x?limit=1000", "x", Paging.ROWS))
    assert [page for page in found if not isinstance(page, Page)] == []
    read = [row["id"] for page in found if isinstance(page, Page) for row in page.rows]
    assert read == [str(item) for item in range(len(replicas))]


@given(st.lists(st.integers(1, 4), min_size=2, max_size=30), st.integers(10, 14), st.integers(1, 12))
def test_no_item_goes_missing_unsaid_where_rows_are_counted(
    replicas: list[int], cap: int, gone_after: int
) -> None:
    """An item that is gone moves the rows of all that follow: each is read, or it is said that the list moved."""
    rows = [str(item) for item, count in enumerate(replicas) for _ in range(count)]
    fetch = counting_rows(rows, cap, gone_after)
    found = list(pages(fetch, "http://h/v2", "/x?limit=1000", "x", Paging.ROWS))
    read = {row["id"] for page in found if isinstance(page, Page) for row in page.rows}
    assert isinstance(found[-1], Trouble) or read >= set(rows[replicas[0] :])


# --- pace ----------------------------------------------------------------------------------------------------


def test_a_rate_is_kept() -> None:
    pace = Pace(50)
    began = time.monotonic()
    for _ in range(6):
        pace.wait()
    assert time.monotonic() - began >= 0.1


def test_without_a_rate_nothing_waits() -> None:
    pace = Pace(None)
    began = time.monotonic()
    for _ in range(1000):
        pace.wait()
    assert time.monotonic() - began < 0.1
