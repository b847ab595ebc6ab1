"""Published commitments compared with what is observed: paper against reality.

A claim is refuted when observation contradicts it, upheld when observation bears it out everywhere,
unverified when it could be observed but was not, and not_observable when no API can show it. A claim
for a part only (`scope`) is never refuted here, for what contradicts it may lie outside that part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cloudaudit.facts.attribution import ATTRIBUTION, LABELS, READ_OF_SYSTEMS
from cloudaudit.facts.backup import BACKUP
from cloudaudit.facts.derivation import Derive, Derived, Family, merged, records, text, unseen_anywhere
from cloudaudit.facts.kinds import hidden_part
from cloudaudit.facts.location import READ_OF_BACKUPS, READ_OF_REGIONS, Places, Site
from cloudaudit.facts.papers import READ_OF_PAPERS, Papers
from cloudaudit.facts.replication import REPLICATION, SYNCHRONISATION
from cloudaudit.model import MISSING, AtLeast, AtMost, Partial, Reason, Value, World
from cloudaudit.operators import OPERATORS

FACTS: Final = ("claims.refuted", "claims.unverified", "claims.checked")
CRITICAL: Final = frozenset({"critical", "high"})
VOLUME: Final = "openstack.volume"
ENDPOINTS: Final = ("openstack.endpoint", "s3.endpoint")
HOLDERS: Final = (VOLUME, "openstack.share", "openstack.backup", "openstack.container", "s3.bucket")
"""What data lie in."""

Compare = Callable[[Value, str, str], "bool | None"]
"""Whether an observed value bears out operator and stated value; None where that cannot be told."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a claim is about: the observed value of every thing it covers, MISSING where one was not seen."""

    values: Callable[[World], Iterable[Value]]
    compare: Compare
    one_will_do: bool = False
    """One value that bears the claim out upholds it, and none refutes it: it promises that there is such."""


# --- comparing with what a paper states ----------------------------------------------------------------


def _number(promise: str) -> Compare:
    """Compare figures. One stated with `=` promises that figure or better, which `promise` names."""
    names = {"<=": "at_most", ">=": "at_least", "=": promise}

    def compare(value: Value, operator: str, stated: str) -> bool | None:
        try:
            figure = float(stated)
        except ValueError:
            return None
        name = names.get(operator)
        return OPERATORS[name].apply(value, figure) if name and math.isfinite(figure) else None

    return compare


def _version(value: Value, operator: str, stated: str) -> bool | None:
    return OPERATORS["version_at_least"].apply(value, stated) if operator in (">=", "=") else None


def _name(value: Value, operator: str, stated: str) -> bool | None:
    return str(value).casefold() == stated.strip().casefold() if operator == "=" else None


def _member(value: Value, operator: str, stated: str) -> bool | None:
    return _name(value, "=", stated) if operator == "contains" else None


# --- what is observed ----------------------------------------------------------------------------------


def _backups_of_critical_volumes(world: World) -> Iterator[Mapping[str, Value] | None]:
    """The backup facts of volumes of critical systems; None for what may be one."""
    system_of, backups = ATTRIBUTION.prepare(world), BACKUP.prepare(world)
    for volume in world.each(VOLUME):
        criticality = system_of(volume).facts.get("system.criticality", MISSING)
        if criticality is MISSING:
            yield None
        elif criticality in CRITICAL:
            yield backups(volume).facts
    if unseen_anywhere(world, VOLUME) is not None:
        yield None


def _backup_hours(world: World) -> Iterator[Value]:
    for facts in _backups_of_critical_volumes(world):
        match MISSING if facts is None else facts.get("backup.newest_age", MISSING):
            case None:
                yield math.inf
            case int() as age:
                yield age / 3600
            case AtMost(limit):
                yield AtMost(limit / 3600)
            case _:
                yield MISSING


def _offsite_copies(world: World) -> Iterator[Value]:
    for facts in _backups_of_critical_volumes(world):
        copies = MISSING if facts is None else facts.get("backup.copies", MISSING)
        found = [copy.get("offsite") for copy in records(copies)]
        if copies is MISSING:
            yield MISSING
        elif isinstance(copies, Partial) or None in found:
            yield AtLeast(found.count(True))
        else:
            yield found.count(True)


def _countries(world: World) -> Iterator[Value]:
    places = Places(world)
    for type_ in HOLDERS:
        for resource in world.each(type_):
            place = places.of(resource)
            yield place.country or MISSING if isinstance(place, Site) else MISSING
    yield from _countries_of_copies(world, places)
    if hidden_part(world, HOLDERS) is not None:
        yield MISSING


def _countries_of_copies(world: World, places: Places) -> Iterator[Value]:
    destinations, syncs = REPLICATION.prepare(world), SYNCHRONISATION.prepare(world)
    for bucket in world.each("s3.bucket"):
        derived = destinations(bucket)
        for record in records(derived.facts.get("replication.destinations")):
            yield record.get("country") or MISSING
        unseen = derived.unseen.get("replication.destinations")
        if unseen is not None and unseen.reason is not Reason.NOT_IMPLEMENTED:
            yield MISSING
    for container in world.each("openstack.container"):
        facts = syncs(container).facts
        if facts.get("sync.host", MISSING) is not None:
            site = places.sites.get(str(facts.get("sync.site")))
            yield (site and site.country) or MISSING


def _tls_versions(world: World) -> Iterator[Value]:
    """What public endpoints negotiate; "0" where there is no TLS."""
    for type_ in ENDPOINTS:
        for endpoint in world.each(type_):
            interface = "public" if type_ == "s3.endpoint" else text(endpoint.facts.get("interface"))
            version = endpoint.facts.get("tls.version", MISSING)
            if interface is None:
                yield MISSING
            elif interface == "public":
                yield "0" if version is None else (text(version) or MISSING)
    if hidden_part(world, ENDPOINTS) is not None:
        yield MISSING


def _formats(world: World) -> Iterator[Value]:
    for image in world.each("openstack.image"):
        yield text(image.facts.get("disk_format")) or MISSING


METRICS: Final[Mapping[str, Metric]] = {
    "backup_frequency_hours": Metric(_backup_hours, _number("at_most")),
    "offsite_copies": Metric(_offsite_copies, _number("at_least")),
    "data_country": Metric(_countries, _name),
    "tls_min": Metric(_tls_versions, _version),
    "formats": Metric(_formats, _member, one_will_do=True),
}
"""Metrics that observation can settle. Any other metric of a claim is not observable by design."""


# --- claims --------------------------------------------------------------------------------------------


class _Observed:
    """Values of metrics, each worked out once for all claims about it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._values: dict[str, tuple[Value, ...]] = {}

    def state(self, claim: Mapping[str, Value]) -> str:
        """What observation says of one claim."""
        name = text(claim.get("metric")) or ""
        metric = METRICS.get(name)
        if metric is None:
            return "not_observable"
        if name not in self._values:
            self._values[name] = tuple(metric.values(self._world))
        operator, stated = text(claim.get("operator")) or "", text(claim.get("value")) or ""
        results = [
            None if value is MISSING else metric.compare(value, operator, stated)
            for value in self._values[name]
        ]
        if metric.one_will_do:
            return "upheld" if True in results else "unverified"
        if False in results:
            return "unverified" if claim.get("scope") is not None else "refuted"
        return "unverified" if None in results or not results else "upheld"


def prepare(world: World) -> Derive:
    """Check every claim of every attestation that is in force or cannot be told to be out of it.

    An unverified claim leaves the number of refuted ones open upwards.
    """
    missing = unseen_anywhere(world, "attestation")
    if missing is not None:
        without_register = Derived(unseen={"claims": missing})
        return lambda platform: without_register
    papers, observed = Papers(world), _Observed(world)
    checked: list[Mapping[str, Value]] = []
    for paper in sorted(world.each("attestation"), key=lambda paper: paper.id):
        if papers.of(paper).facts.get("state") not in ("expired", "not_yet"):
            claims = enumerate(records(paper.facts.get("claims")), start=1)
            checked += [_checked(f"{paper.id}#{n}", claim, observed.state(claim)) for n, claim in claims]
    states = [entry["state"] for entry in checked]
    refuted, unverified = states.count("refuted"), states.count("unverified")
    found = Derived(
        {
            "claims.checked": tuple(checked),
            "claims.refuted": AtLeast(refuted) if unverified else refuted,
            "claims.unverified": unverified,
        }
    )
    return lambda platform: found


def _checked(id_: str, claim: Mapping[str, Value], state: str) -> Mapping[str, Value]:
    metric, value = text(claim.get("metric")) or "", text(claim.get("value")) or ""
    return {"id": id_, "metric": metric, "value": value, "state": state}


CLAIMS: Final = Family(
    "claims",
    {"platform": FACTS},
    merged(
        {
            "platform": (),
            "attestation": ("claims",),
            VOLUME: LABELS,
            "openstack.share": ("zone",),
            "openstack.image": ("disk_format",),
            "openstack.endpoint": ("interface", "tls.version"),
            "s3.endpoint": ("tls.version",),
        },
        READ_OF_PAPERS,
        READ_OF_SYSTEMS,
        READ_OF_REGIONS,
        READ_OF_BACKUPS,
        BACKUP.reads,
        REPLICATION.reads,
        SYNCHRONISATION.reads,
    ),
    prepare,
)
