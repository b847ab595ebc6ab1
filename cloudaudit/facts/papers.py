"""Whether declared papers hold: in date, complete, and the same document that was published.

An attestation that lacks a field, whose document could not be read, or whose hash differs is not
failed but unknown: the paper may exist (readiness specification, section 3, rule 5). The facts under
that state are given on their own, for the one control that fails such a paper.
"""

from __future__ import annotations

from typing import Final

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Reads,
    merged,
    nfc,
    text,
    unseen_anywhere,
    whole_number,
    why,
)
from cloudaudit.model import MISSING, Reason, Resource, Seconds, Unseen, Value, World

REQUIRED: Final = ("owner", "url", "sha256", "valid_until")


def _moment(resource: Resource, fact: str) -> Seconds | None:
    return whole_number(resource.facts.get(fact))


class Papers:
    """The attestations of a world, with the published documents they name."""

    def __init__(self, world: World) -> None:
        self.now = world.assessed_at
        self._world = world
        self._documents = {nfc(document.id): document for document in world.each("published_document")}
        self._attestations: dict[str, Resource] | None = None

    def of(self, paper: Resource) -> Derived:
        """State, age and integrity of one attestation.

        `state` is valid, expired or not_yet; a lapsed paper is expired whatever else is wrong with it.
        `intact` is false for another document than the registered one, and null where the
        server says that there is no document. Durations are null where the register gives no date.
        """
        until, issued = _moment(paper, "valid_until"), _moment(paper, "issued_at")
        lacking = [name for name in REQUIRED if paper.facts.get(name) in (None, "")]
        facts: dict[str, Value] = {
            "complete": not lacking,
            "age": None if issued is None else self.now - issued,
            "expires_in": None if until is None else until - self.now,
        }
        unseen: dict[str, Unseen] = {}
        intact, doubt = self._integrity(paper)
        if intact is MISSING:
            assert doubt is not None
            unseen["intact"] = doubt
        else:
            facts["intact"] = intact
        if until is not None and until <= self.now:
            facts["state"] = "expired"
        elif issued is not None and issued > self.now:
            facts["state"] = "not_yet"
        elif lacking:
            detail = f"the register entry lacks {', '.join(lacking)}"
            unseen["state"] = Unseen(Reason.PARTIAL, detail)
        elif doubt is not None:
            unseen["state"] = doubt
        else:
            facts["state"] = "valid"
        return Derived(facts, unseen)

    def _integrity(self, paper: Resource) -> tuple[Value, Unseen | None]:
        """Whether the document at the address is the registered one, and what stands against the paper."""
        url, expected = text(paper.facts.get("url")), text(paper.facts.get("sha256"))
        if url is None or expected is None:
            return MISSING, Unseen(Reason.PARTIAL, "the register entry names no address or no hash")
        document = self._documents.get(url)
        if document is None:
            return MISSING, self._why_unread(url)
        status, got = whole_number(document.facts.get("status")), text(document.facts.get("sha256"))
        if status is not None and status != 200:
            # Any other refusal may be meant for us alone, from where we ask.
            gone = status in (404, 410)
            return None if gone else MISSING, Unseen(Reason.URL_UNREACHABLE, f"{url} answered {status}")
        if status is None or got is None:
            return MISSING, why(document, "status" if status is None else "sha256")
        if got.lower() != expected.lower():
            return False, Unseen(Reason.HASH_MISMATCH, f"{url} is another document")
        return True, None

    def _why_unread(self, url: str) -> Unseen:
        """The reason why a document is not in the evidence: its own gap's, or that of a gap for all."""
        gaps = self._world.gaps_of("published_document")
        own = [gap for gap in gaps if url in (*gap.operation.split(), *gap.detail.split())]
        general = [gap for gap in gaps if "://" not in gap.operation + gap.detail]
        for gap in (*own, *general):
            return Unseen(gap.reason, gap.detail)
        return Unseen(Reason.NOT_COLLECTED, f"{url} was not read")

    def backing(self, site: Resource) -> bool | Unseen:
        """Whether the paper that a site's entry names is in force; an entry that names none is not backed."""
        if self._attestations is None:
            self._attestations = {paper.id: paper for paper in self._world.each("attestation")}
        reference = text(site.facts.get("attestation"))
        if reference is None:
            return False
        paper = self._attestations.get(reference)
        if paper is None:
            return unseen_anywhere(self._world, "attestation") or False
        state = self.of(paper)
        return state.unseen["state"] if "state" in state.unseen else state.facts["state"] == "valid"


def _of_site(papers: Papers, site: Resource) -> Derived:
    backing = papers.backing(site)
    if isinstance(backing, Unseen):
        return Derived(unseen={"attestation.valid": backing})
    return Derived({"attestation.valid": backing})


def prepare_papers(world: World) -> Derive:
    """State, age and integrity of attestations."""
    return Papers(world).of


def prepare_sites(world: World) -> Derive:
    """Whether the register entry of a site is backed by a paper in force."""
    papers = Papers(world)
    return lambda site: _of_site(papers, site)


READ_OF_PAPERS: Final[Reads] = {
    "attestation": ("issued_at", *REQUIRED),
    "published_document": ("status", "sha256"),
}
"""What telling the state of papers takes."""

PAPERS: Final = (
    Family(
        "papers",
        {"attestation": ("state", "age", "expires_in", "intact", "complete")},
        READ_OF_PAPERS,
        prepare_papers,
    ),
    Family(
        "papers",
        {"site": ("attestation.valid",)},
        merged(READ_OF_PAPERS, {"site": ("attestation",)}),
        prepare_sites,
    ),
)
