"""Which container of Swift a bucket is, where targets.yaml declares that an S3 target shows an account.

Every account has its own names, and what S3 tells of the owner does not name the account; so a name
alone joins nothing. The declaration says whose account it is, and nothing here goes by it unless what
was read bears it out: the store answers as Swift does, both lists were read to their end, and every
bucket is a container of the account. The reverse need not be: S3 leaves out names it does not allow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final, TypeAlias

from cloudaudit.facts.attribution import PROJECT, Projects
from cloudaudit.facts.derivation import (
    Lists,
    Reads,
    hidden,
    nfc,
    optional_text,
    text,
    where,
    why,
)
from cloudaudit.model import EVERYWHERE, Reason, Resource, Scope, Unseen, World

BUCKET: Final = "s3.bucket"
CONTAINER: Final = "openstack.container"
ENDPOINT: Final = "s3.endpoint"
DECLARED: Final = ("swift.target", "swift.project", "swift.region")
READ_OF_VIEWS: Final[Reads] = {
    ENDPOINT: ("server_kind", *DECLARED),
    CONTAINER: (),
    PROJECT: (),
}
"""What is read to find a bucket's container; of the container itself, whatever is wanted of it."""

_Names: TypeAlias = Mapping[str, list[Resource]]
"""Containers of an account by name."""


class Containers:
    """The containers that buckets are. Reads no list unless some endpoint declares an account."""

    def __init__(self, world: World) -> None:
        self._accounts: dict[str, _Names | Unseen] = {}
        declared = [one for one in world.each(ENDPOINT) if one.facts.get("swift.target") is not None]
        if declared:
            read = _Read(world, declared)
            self._accounts = {one.scope.target: read.account(one) for one in declared}

    def of(self, bucket: Resource) -> Resource | Unseen | None:
        """The container a bucket is, or why that is not known; None where no account is declared."""
        account = self._accounts.get(bucket.scope.target)
        if account is None or isinstance(account, Unseen):
            return account
        found = account.get(bucket.id, [])
        if len(found) == 1:
            return found[0]
        if not found:
            return _no_such(bucket.id)
        places = ", ".join(sorted(one.scope.region or "?" for one in found))
        return Unseen(
            Reason.AMBIGUOUS,
            f"{len(found)} containers have the bucket's name ({places}); name the region under 'swift'",
        )


class _Read:
    """The lists that a declaration is held against."""

    def __init__(self, world: World, declared: list[Resource]) -> None:
        clouds = {text(one.facts.get("swift.target")) for one in declared}
        stores = {one.scope.target for one in declared}
        self._containers = [c for c in world.each(CONTAINER) if nfc(c.scope.target) in clouds]
        doubtful = [(where(c), doubt) for c in self._containers if (doubt := _doubt(c)) is not None]
        self._lists = Lists(world, CONTAINER, doubtful)
        self._projects = Projects(world)
        self._places = {
            *(c.scope for c in self._containers),
            *(listing.scope for listing in world.listings_of(CONTAINER)),
            *(gap.scope for gap in hidden(world, CONTAINER)),
        }
        self._gaps = hidden(world, CONTAINER)
        self._bucket_lists = Lists(world, BUCKET)
        self._buckets: defaultdict[str, list[str]] = defaultdict(list)
        for bucket in world.each(BUCKET):
            if bucket.scope.target in stores:
                self._buckets[bucket.scope.target].append(bucket.id)

    def account(self, endpoint: Resource) -> _Names | Unseen:
        """The containers of the account an endpoint declares, or why no bucket can be told to be one."""
        target, project = (text(endpoint.facts.get(fact)) for fact in ("swift.target", "swift.project"))
        region = optional_text(endpoint, "swift.region")
        kind = text(endpoint.facts.get("server_kind"))
        if target is None or project is None:
            return why(endpoint, "swift.target" if target is None else "swift.project")
        if isinstance(region, Unseen):
            return region
        if kind is None:
            return why(endpoint, "server_kind")
        if kind != "swift":
            return Unseen(
                Reason.AMBIGUOUS,
                f"targets.yaml declares the store to be the Swift of '{target}', and it answers as {kind}",
            )
        place = self._place(target, project, region)
        if isinstance(place, Unseen):
            return place
        gap = self._lists.unseen_in(place)
        if gap is not None:
            more = "" if region else "; naming the region under 'swift' leaves the others out"
            return Unseen(
                gap.reason, f"the containers of the account were not all listed: {gap.detail}{more}"
            )
        missing = self._bucket_lists.unseen_in(endpoint.scope)
        if missing is not None:
            return missing
        names: defaultdict[str, list[Resource]] = defaultdict(list)
        for container in self._containers:
            account, _, name = container.id.partition("/")
            if container.scope.overlaps(place) and account == place.project:
                names[name].append(container)
        strange = sorted(name for name in self._buckets[endpoint.scope.target] if name not in names)
        return _no_such(strange[0]) if strange else dict(names)

    def _place(self, target: str, project: str, region: str | None) -> Scope | Unseen:
        """Where the account is: the target, the region if it is named, and the project by its id."""
        fits = {
            place.project: self._projects.fits(project, place)
            for place in sorted(self._places, key=Scope.key)
            if nfc(place.target) == target and place.project is not None
            and (region is None or place.region is None or nfc(place.region) == region)
        }  # fmt: skip
        doubts = [fit for fit in fits.values() if isinstance(fit, Unseen)]
        accounts = [id_ for id_, fit in fits.items() if fit is True]
        if doubts:
            return doubts[0]
        if len(accounts) == 1:
            return Scope(target, region, accounts[0])
        if accounts:
            return Unseen(Reason.AMBIGUOUS, f"{len(accounts)} projects of {target} may be '{project}'")
        for gap in self._gaps:
            if gap.scope.project is None and gap.scope.target in (target, *EVERYWHERE):
                return Unseen(gap.reason, gap.detail)
        return Unseen(Reason.NOT_COLLECTED, f"no list of containers of '{project}' was read in '{target}'")


def _doubt(container: Resource) -> Unseen | None:
    """Why the place of a container is not known: sightings of it disagree."""
    return container.unseen.get("project") or container.unseen.get("region")


def _no_such(bucket: str) -> Unseen:
    return Unseen(
        Reason.AMBIGUOUS,
        f"the Swift account that targets.yaml declares has no container '{bucket}', as the bucket is called: "
        "the account may be another's, or the bucket was made while it was read",
    )
