"""Follow a listing from page to page, never off the service's own host and never in circles."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias
from urllib.parse import quote, urljoin, urlsplit

from cloudaudit.collectors.item import Odd, Row, items
from cloudaudit.collectors.openstack.answers import Trouble, document, origin, path_of
from cloudaudit.collectors.transport import Answer
from cloudaudit.model import Reason, Seconds

MOST_PAGES: Final = 10_000
_SMALLEST: Final = 10
"""Fewer items than this no operator lets a page have: where there are fewer, the first page held them all."""
_REPEATS: Final = 20
"""So many pages in a row may hold nothing new where an item takes several rows."""
_PAGE_SIZE: Final = re.compile(r"\blimit=\d+")
Fetch: TypeAlias = Callable[[str], Answer | Trouble]


class Paging(Enum):
    """How the next page is asked for."""

    LINKS = "links"
    """The answer names it; without a name it was the last."""
    OFFSET = "offset"
    """By counting. A server may cap the page size unasked, so only an empty page is the last.

    What goes while the list is read moves the rest forward, past what is asked for next. So a later page is
    believed when the item before it is still the last one of the page before.
    """
    ROWS = "rows"
    """By counting, where the service counts rows of which one item may take several, and shows it once.

    What is seen is never more than what the service has counted, so that the next page overlaps the last one.
    It is believed when the item before it is one that was seen, for rows of one item stand together.
    """


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    at: Seconds
    call: int


def pages(
    fetch: Fetch, root: str, path: str, key: str, paging: Paging = Paging.LINKS
) -> Iterator[Page | Trouble]:
    """The pages of `root` + `path`, whose answers hold the list under `key`; a trouble is the last item."""
    url: str | None = root + path
    asked: set[str] = set()
    seen: set[str] = set()
    count = repeated = 0
    last: Row = {}
    counted = paging in (Paging.OFFSET, Paging.ROWS)
    while url:
        request = f"GET {path_of(url)}"
        if url in asked or len(asked) >= MOST_PAGES:
            yield Trouble(Reason.PARTIAL, f"the pages of {path} do not end")
            return
        asked.add(url)
        answer = fetch(url)
        if isinstance(answer, Trouble):
            yield answer if len(asked) == 1 else _cut_short(answer)
            return
        body = document(answer, request)
        page = body if isinstance(body, Trouble) else _page(body, key, answer, request)
        if isinstance(page, Trouble):
            yield page if len(asked) == 1 else _cut_short(page)
            return
        assert isinstance(body, dict)
        if counted and last and (page.rows or count >= _SMALLEST):
            before = _from(root, _PAGE_SIZE.sub("limit=1", path), count - 1)
            moved = _moved(fetch, before, key, seen if paging is Paging.ROWS else {name_of(last)})
            if moved:
                yield moved
                return
        if counted and not page.rows:
            if len(asked) == 1:
                yield page
            return
        new = [row for row in page.rows if name_of(row) not in seen]
        seen.update(name_of(row) for row in new)
        count += len(page.rows)
        yield Page(new, page.at, page.call)
        last = page.rows[-1] if page.rows else {}
        following = _following(body, key, root, path, count, paging)
        if isinstance(following, Trouble):
            yield Trouble(following.reason, following.detail, page.call)
            return
        repeated = 0 if new else repeated + 1
        if following and len(asked) > 1 and repeated > (_REPEATS if paging is Paging.ROWS else 0):
            yield Trouble(Reason.PARTIAL, f"a page of {path} holds nothing new", page.call)
            return
        url = following


def name_of(row: Row) -> str:
    """What tells two items of a listing apart."""
    fields = ("id", "uuid", "secret_ref", "alias", "zoneName", "name", "resource")
    known = [row.get(field) for field in fields]
    return repr(known if any(known) else sorted(row.items(), key=repr))


def _moved(fetch: Fetch, url: str, key: str, expected: Collection[str]) -> Trouble | None:
    """Why it is not known that one of some items still stands where it stood; None where it does."""
    request = f"GET {path_of(url)}"
    answer = fetch(url)
    body = answer if isinstance(answer, Trouble) else document(answer, request)
    if isinstance(body, Trouble):
        return _cut_short(body)
    assert isinstance(answer, Answer)
    page = _page(body, key, answer, request)
    if isinstance(page, Trouble):
        return _cut_short(page)
    if page.rows and name_of(page.rows[0]) in expected:
        return None
    detail = "the list changed while it was read; collect once more"
    return Trouble(Reason.PARTIAL, detail, page.call)


def _cut_short(trouble: Trouble) -> Trouble:
    """A later page failed: what was read stands, and the rest is missing."""
    return Trouble(Reason.PARTIAL, f"the listing breaks off: {trouble.detail}", trouble.call, trouble.status)


def _page(body: dict[str, object], key: str, answer: Answer, request: str) -> Page | Trouble:
    try:
        return Page(items(body[key]), answer.at, answer.call)
    except (KeyError, Odd):
        detail = f"the answer to {request} holds no list '{key}'"
        return Trouble(Reason.INVALID_ANSWER, detail, answer.call, answer.status)


def _following(
    body: dict[str, object], key: str, root: str, path: str, count: int, paging: Paging
) -> str | Trouble | None:
    """The address of the next page; None after the last."""
    if body.get("truncated"):
        return Trouble(Reason.PARTIAL, f"the service itself cut the listing {path} short")
    if paging in (Paging.OFFSET, Paging.ROWS):
        return _from(root, path, count)
    href = _next_href(body, key)
    if href is None:
        return None
    if not isinstance(href, str) or not href:
        return Trouble(Reason.PARTIAL, f"the next page of {path} has no address")
    return within(root, href)


def _from(root: str, path: str, count: int) -> str:
    """The address of what comes after so many items."""
    return f"{root}{path}{'&' if '?' in path else '?'}offset={count}"


def _next_href(body: dict[str, object], key: str) -> object:
    links = body.get("links")
    # Heat calls a list of links what with Keystone and Designate is an object.
    named = body.get(f"{key}_links", body.get(f"{key.removesuffix('s')}_links", links))
    if isinstance(named, list):
        for link in named:
            if isinstance(link, dict) and link.get("rel") == "next":
                return link.get("href", "")
    if isinstance(links, dict):
        return links.get("next")
    return body.get("next")


def within(root: str, href: str) -> str | Trouble:
    """A link of an answer as an address of the same service, or the refusal to go elsewhere."""
    last = urlsplit(root).path.rpartition("/")[2]
    if last and href.startswith(f"/{last}/"):
        # Glance counts its links from its own root, whatever prefix a proxy put before it.
        return root + href[len(last) + 1 :]
    try:
        url = urljoin(root + "/", href)
        if origin(url) == origin(root):
            return url
    except ValueError:
        url = ""
    return Trouble(Reason.PARTIAL, "the next page lies on another host and is not read")


def segment(text: str) -> str:
    """A name as one segment of a path."""
    return quote(text, safe="")
