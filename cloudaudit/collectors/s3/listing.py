"""The list of an account's buckets, and whether it can be believed to be all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote
from xml.etree.ElementTree import Element

from cloudaudit.collectors.buckets import Unreadable
from cloudaudit.collectors.s3.answers import Foreign, State, refusal, told, tree
from cloudaudit.collectors.s3.operations import moment
from cloudaudit.collectors.s3.store import kind_of
from cloudaudit.collectors.transport import Answer, Failure, nfc, printable
from cloudaudit.model import Reason, Seconds, Unseen

ROOTS: Final = frozenset({"ListAllMyBucketsResult"})
MAX_PAGES: Final = 10_000
NOBODY: Final = "anonymous"
"""Owner that Ceph RGW gives the list of a caller it does not know; status is 200 all the same."""
MINIO_OWNER: Final = "02d6176db174dc93cb1b899f7c6078f08654445fe8cf1b6ce98d8855f66bdbf4"
"""Owner that MinIO, and every gateway with its front end, gives the lists of all callers."""
_FILTERING: Final[Mapping[str | None, str]] = {"minio": "MinIO", "seaweedfs": "SeaweedFS"}
"""Stores that list the buckets a caller has rights to, whosever they are, and leave the others out."""
_HOW_TO_SIGN: Final = "check the keys, and that no proxy on the way drops the Authorization header"
_HOW_TO_PROVE: Final = "if these are the keys of the buckets' owner, name it as expected_owner of the target"


@dataclass(frozen=True, slots=True)
class BucketList:
    """What ListBuckets said. `doubt` is why it may not be everything; without doubt it is `proof`."""

    buckets: Mapping[str, Seconds | None]
    """Name to creation time, in the store's order; None where the store gives none that can be read."""
    owner: str | None
    doubt: Unseen | None
    proof: str
    call: int | None
    at: Seconds | None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        return self.at is not None


@dataclass(slots=True)
class _Pages:
    buckets: dict[str, Seconds | None] = field(default_factory=dict)
    owner: str | None = None
    first: Answer | None = None
    call: int | None = None
    doubt: Unseen | None = None


def list_buckets(ask: Callable[[str], Answer | Failure], expected_owner: str | None) -> BucketList:
    """Read the list to its end. `ask` sends GET with a query to the endpoint.

    MaxBuckets is never sent: most stores ignore it, one cuts there and gives no way to go on. An
    empty list is believed only from the owner that is expected: who lost his credentials, and who
    reads buckets of others by their policies, gets status 200 and no buckets. So is any list of a
    store that leaves out what the caller has no right to: nothing in it tells that it is whole.
    """
    pages = _Pages()
    token, seen = "", {""}
    for _ in range(MAX_PAGES):
        answer = ask(f"continuation-token={quote(token, safe='')}" if token else "")
        token = _page(answer, pages)
        if pages.doubt is not None or not token:
            break
        if token in seen:
            pages.doubt = Unseen(Reason.PARTIAL, "the list gives the same continuation token again")
            break
        seen.add(token)
    else:
        pages.doubt = Unseen(Reason.PARTIAL, f"the list has more than {MAX_PAGES} pages")
    return BucketList(
        buckets=pages.buckets,
        owner=pages.owner,
        doubt=pages.doubt or _unproven(pages, expected_owner),
        proof=_proof(pages),
        call=pages.call,
        at=None if pages.first is None else pages.first.at,
        headers={} if pages.first is None else pages.first.headers,
    )


def _page(answer: Answer | Failure, pages: _Pages) -> str:
    """Take in one page and give the token of the next one; empty at the end or in doubt."""
    if isinstance(answer, Failure):
        pages.call = pages.call if pages.call is not None else answer.call
        pages.doubt = Unseen(answer.reason if pages.first is None else Reason.PARTIAL, answer.detail)
        return ""
    pages.call = pages.call if pages.call is not None else answer.call
    root = _root(answer)
    if isinstance(root, Unseen):
        pages.doubt = root if pages.first is None else Unseen(Reason.PARTIAL, f"a later page: {root.detail}")
        return ""
    pages.first = pages.first or answer
    pages.owner = pages.owner or _text(root, "Owner/ID")
    entries = root.findall("Buckets/Bucket")
    for entry in entries:
        names = [name for found in entry.findall("Name") if (name := found.text)]
        for name in names:
            pages.buckets.setdefault(name, _created(entry))
        if len(names) != 1:
            detail = "the list holds a bucket without a name, or with several"
            pages.doubt = Unseen(Reason.INVALID_ANSWER, detail)
    if len(entries) != len(root.findall("Buckets/*")):
        pages.doubt = Unseen(Reason.INVALID_ANSWER, "the list holds something else than buckets")
    if root.find("Buckets") is None:
        pages.doubt = Unseen(Reason.INVALID_ANSWER, "the answer holds no list of buckets")
    token = root.findtext("ContinuationToken") or ""
    if not token and (root.findtext("IsTruncated") or "").strip().lower() == "true":
        pages.doubt = Unseen(Reason.PARTIAL, "the list is cut and gives no way to go on")
    elif not token and _text(root, "MaxBuckets") == str(len(entries)):
        pages.doubt = Unseen(Reason.PARTIAL, f"the list ends at its own limit of {len(entries)} buckets")
    return token


def _root(answer: Answer) -> Element | Unseen:
    if answer.status == 200:
        try:
            root = tree(answer.body, ROOTS)
        except Unreadable as error:
            return Unseen(Reason.INVALID_ANSWER, f"200, but {error}")
        if isinstance(root, Foreign):
            return Unseen(Reason.INVALID_ANSWER, f"200 with {root.what}: this is no list of buckets")
        return root
    if answer.status in (404, 405, 501):
        reason = Reason.SERVICE_ABSENT if answer.status == 404 else Reason.NOT_IMPLEMENTED
        return Unseen(reason, f"{answer.status} {told(answer.body).code}".strip())
    refused = refusal(answer, "the endpoint")
    moved = "; write its own address as endpoint of the target" if refused.state is State.ELSEWHERE else ""
    return Unseen(refused.reason or Reason.INVALID_ANSWER, refused.detail + moved)


def _unproven(pages: _Pages, expected_owner: str | None) -> Unseen | None:
    owner = pages.owner
    if expected_owner is not None and owner != expected_owner:
        said = f"owner '{printable(owner, 80)}'" if owner else "no owner"
        return Unseen(Reason.PARTIAL, f"the list shows {said}, expected is '{printable(expected_owner, 80)}'")
    if not pages.buckets and owner == NOBODY:
        detail = f"an empty list of owner '{NOBODY}': the store did not take the signature; {_HOW_TO_SIGN}"
        return Unseen(Reason.NO_PERMISSION, detail)
    if not pages.buckets and expected_owner is None:
        whose = f" of owner '{printable(owner, 80)}'" if owner else ""
        return Unseen(Reason.PARTIAL, f"an empty list{whose} proves nothing; {_HOW_TO_PROVE}")
    if expected_owner is None and (store := _filtering(pages)) is not None:
        named = f"name the owner, '{printable(owner, 80)}'," if owner else "name the owner"
        detail = f"{store} lists only buckets that these keys have rights to; if that is all of them, {named}"
        return Unseen(Reason.PARTIAL, f"{detail} as expected_owner of the target")
    return None


def _filtering(pages: _Pages) -> str | None:
    """Name of the store, where it is one of those that leave out what the caller has no right to."""
    if pages.owner == MINIO_OWNER:
        return "MinIO"
    return None if pages.first is None else _FILTERING.get(kind_of(pages.first.headers))


def _proof(pages: _Pages) -> str:
    owner = f" of owner '{printable(pages.owner, 80)}'" if pages.owner else ""
    proof = f"ListBuckets{owner}: {len(pages.buckets)} buckets"
    if _filtering(pages) is None:
        return proof
    return f"{proof}; that the keys have rights to all is the word of targets.yaml (expected_owner)"


def _created(entry: Element) -> Seconds | None:
    try:
        return moment(entry.findtext("CreationDate") or "")
    except Unreadable:
        return None


def _text(root: Element, path: str) -> str | None:
    text = (root.findtext(path) or "").strip()
    return nfc(text) if text else None
