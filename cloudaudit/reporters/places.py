"""Where data are said to be: what clouds name, the declared sites behind the names, their provinces.

Nothing here is observed but the names; the register of sites says where they are. A name behind
which no site is declared stays unmapped, and is drawn so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, Literal

from cloudaudit.model import Resource
from cloudaudit.reporters.view import Record, Report, observed_regions, place
from cloudaudit.reporters.words import clean

DOMESTIC: Final = "VN"
LABEL_KINDS: Final = ("regions", "azs", "s3_locations", "endpoints", "backend_names", "store_ids")
REGISTERS: Final = "registers"
"""Target of declared resources, which are at no place."""
UNPLACED: Final = frozenset({"unmapped", "ambiguous"})

Name = tuple[str, str | None]
"""A target and a region of it, or none."""


@dataclass(frozen=True, slots=True)
class Site:
    """A declared site with its labels and the resources seen there, by type."""

    id: str
    name: str
    province: str
    country: str
    labels: Mapping[str, tuple[str, ...]]
    attestation: str | None
    resources: Mapping[str, int]

    @property
    def domestic(self) -> bool:
        return self.country == DOMESTIC

    @property
    def total(self) -> int:
        return sum(self.resources.values())


@dataclass(frozen=True, slots=True)
class Province:
    name: str
    country: str
    sites: tuple[Site, ...]

    @property
    def domestic(self) -> bool:
        return self.country == DOMESTIC


@dataclass(frozen=True, slots=True)
class Abroad:
    """A copy or target that evidence of a failed residency control puts abroad, or at no declared place."""

    origin: Name
    site: str | None
    control: str
    resource: str
    destination: str
    country: str | None


@dataclass(frozen=True, slots=True)
class Places:
    """The whole map. `links` tells which names are at which sites; None stands for no declared site."""

    provinces: tuple[Province, ...]
    names: tuple[Name, ...]
    links: frozenset[tuple[Name, str | None]]
    unplaced: int
    abroad: tuple[Abroad, ...]

    @property
    def sites(self) -> tuple[Site, ...]:
        return tuple(site for province in self.provinces for site in province.sites)

    @property
    def unmapped(self) -> tuple[Name, ...]:
        return tuple(name for name in self.names if (name, None) in self.links)


def places(report: Report, declared: Sequence[Resource], findings: Iterable[Record] | None = None) -> Places:
    """Draw up the map from declared sites and all findings, or from those of the report alone."""
    seen: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
    links: set[tuple[Name, str | None]] = set()
    unplaced: set[tuple[str, str, str]] = set()
    for record in report["findings"] if findings is None else findings:
        resource = record["resource"]
        if resource["target"] in (REGISTERS, "*"):
            continue
        identity = (resource["target"], resource["type"], resource["id"])
        name = (resource["target"], resource["region"])
        if resource["site"]:
            seen[resource["site"]].add(identity)
            links.add((name, resource["site"]))
        elif record["control"].startswith("RES-") and record["reason_code"] in UNPLACED:
            unplaced.add(identity)
            links.add((name, None))
    sites = [_site(entry, seen.get(entry.id, set())) for entry in declared]
    known = {site.id for site in sites}
    links = {(name, site if site in known else None) for name, site in links}
    mapped = {name for name, site in links if site}
    by_register = set(_declared_links(observed_regions(report), sites))
    links |= {(name, site) for name, site in by_register if site or name not in mapped}
    names = sorted({name for name, _ in links}, key=lambda name: (name[0], name[1] or ""))
    return Places(_provinces(sites), tuple(names), frozenset(links), len(unplaced), tuple(_abroad(report)))


# --- flows ------------------------------------------------------------------------------------------

_COPIES: Final[Mapping[str, Literal["backup", "replication"]]] = {
    "backup.copies": "backup",
    "backup.sites": "backup",
    "backup.images": "backup",
    "replication.copies": "replication",
    "replication.destinations": "replication",
}
"""Facts that list copies, each with the site it is kept at as far as that is known."""
_BACKUP: Final = "openstack.backup"


@dataclass(frozen=True, slots=True)
class Flow:
    """Copies of data from where they are made to the declared site they are kept at."""

    kind: Literal["backup", "replication"]
    origin: Name
    site: str | None
    """None: at no declared place, or at none that is known."""
    foreign: bool
    """Known to be abroad. False says nothing of a place that is not known."""


def flows(report: Report, findings: Iterable[Record] | None = None) -> tuple[Flow, ...]:
    """Where backups and replicas go, by evidence of all findings, or of those of the report alone."""
    records = report["findings"] if findings is None else findings
    return in_order({flow for record in records for flow in flows_of(record)})


def in_order(found: Iterable[Flow]) -> tuple[Flow, ...]:
    """Flows by origin and place; what is nowhere comes last."""

    def key(flow: Flow) -> tuple[object, ...]:
        target, region = flow.origin
        return (target, region or "", flow.kind, flow.site is None, flow.site or "", flow.foreign)

    return tuple(sorted(found, key=key))


def flows_of(record: Record) -> Iterator[Flow]:
    """The flows that evidence of one finding tells of."""
    resource = record["resource"]
    if resource["target"] in (REGISTERS, "*"):
        return
    origin = (resource["target"], resource["region"])
    own = {entry["fact"]: entry["value"] for entry in record["evidence"] if "value" in entry}
    for fact, value in own.items():
        kind = _COPIES.get(fact)
        for item in _listed(value) if kind else ():
            if kind and isinstance(item, Mapping) and "$more" not in item:
                yield Flow(kind, origin, _site_of(item.get("site")), item.get("domestic") is False)
    if resource["type"] == _BACKUP and "site.domestic" in own:
        yield Flow("backup", origin, resource["site"], own["site.domestic"] is False)
    if own.get("sync.host") is not None or own.get("sync_to") is not None:
        yield Flow("replication", origin, _site_of(own.get("sync.site")), own.get("sync.domestic") is False)


def _listed(value: object) -> Sequence[object]:
    """The items of a list in evidence, of one that is known in part those that were seen."""
    if isinstance(value, Mapping):
        value = value.get("$partial")
    return value if isinstance(value, list) else ()


def _site_of(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _site(entry: Resource, seen: set[tuple[str, str, str]]) -> Site:
    facts = entry.facts
    labels = {kind: tuple(str(label) for label in _items(facts.get(kind))) for kind in LABEL_KINDS}
    attestation = facts.get("attestation")
    return Site(
        id=entry.id,
        name=entry.name or entry.id,
        province=str(facts.get("province") or "–"),
        country=str(facts.get("country") or "–"),
        labels={kind: found for kind, found in labels.items() if found},
        attestation=attestation if isinstance(attestation, str) else None,
        resources=dict(sorted(Counter(type_ for _, type_, _ in seen).items())),
    )


def _items(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, tuple | list) else ()


def _declared_links(observed: Iterable[Name], sites: Sequence[Site]) -> Iterable[tuple[Name, str | None]]:
    for name in observed:
        at: list[str | None] = [site.id for site in sites if name[1] in site.labels.get("regions", ())]
        yield from ((name, site) for site in at or [None])


def _provinces(sites: Sequence[Site]) -> tuple[Province, ...]:
    def where(site: Site) -> tuple[bool, str, str]:
        return (not site.domestic, site.country, site.province)

    ordered = sorted(sites, key=lambda site: (*where(site), site.id))
    return tuple(
        Province(province, country, tuple(inside))
        for (_, country, province), inside in groupby(ordered, key=where)
    )


def _abroad(report: Report) -> Iterable[Abroad]:
    for record in report["findings"]:
        if record["verdict"] != "fail" or not record["control"].startswith("RES-"):
            continue
        for entry in record["evidence"]:
            value = entry.get("value")
            for item in value if isinstance(value, list) else ():
                if isinstance(item, Mapping) and False in (item.get("domestic"), item.get("known")):
                    yield _destination(record, item)


def _destination(record: Record, item: Mapping[str, Any]) -> Abroad:
    named = (item.get(key) for key in ("bucket", "id", "what", "container", "site"))
    shown = " – ".join(clean(str(part), 60) for part in named if part)
    return Abroad(
        origin=(record["resource"]["target"], record["resource"]["region"]),
        site=str(item["site"]) if item.get("site") else None,
        control=record["control"],
        resource=place(record),
        destination=shown or "–",
        country=str(item["country"]) if item.get("country") else None,
    )
