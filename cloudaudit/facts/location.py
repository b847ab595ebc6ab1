"""Where things are said to be: labels the APIs give, resolved by the register of sites.

A place is never observed. Regions, zones, bucket locations and host names are labels; the site
register says what they stand for, and an attestation backs the register. What fits no site is
unmapped, what fits two is ambiguous.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    Reads,
    merged,
    nfc,
    optional_text,
    text,
    texts,
    unseen_anywhere,
    why,
)
from cloudaudit.facts.papers import READ_OF_PAPERS, Papers
from cloudaudit.model import Reason, Resource, Scope, Unseen, Value, World
from cloudaudit.operators import glob_match, network

DOMESTIC: Final = "VN"
FACTS: Final = ("site.id", "site.country", "site.domestic", "site.attested")

SERVICE_OF: Final = {
    "openstack.container": "object-store",
    "openstack.server": "compute",
    "openstack.share": "shared-file-system",
    "openstack.volume": "block-storage",
}
PLACING: Final = frozenset(
    {"compute", "block-storage", "image", "network", "object-store", "shared-file-system"}
)
"""Services whose address tells two regions apart. Others are often one for all regions, and hold no data."""


@dataclass(frozen=True, slots=True)
class Site:
    """A declared place, as derivations need it."""

    id: str
    country: str | None
    risk_group: str | None = None

    @property
    def domestic(self) -> bool | None:
        """Whether it is in Viet Nam; None where the register names no country."""
        return None if self.country is None else self.country == DOMESTIC

    def apart_from(self, other: Site) -> bool:
        """Whether what destroys one leaves the other: another site, and not of the same risk group."""
        return self.id != other.id and (self.risk_group is None or self.risk_group != other.risk_group)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A site with the labels its register entry claims."""

    site: Site
    regions: frozenset[str]
    zones: frozenset[str]

    def names(self, zone: str, region: str | None) -> bool:
        """Whether the entry lists the zone, and for this region if it lists regions."""
        return zone in self.zones and (not self.regions or region in self.regions)


class _Addresses:
    """Regions that are several labels for one address, by service, as the catalogues show them."""

    def __init__(self, world: World) -> None:
        blind: list[tuple[Scope, Unseen]] = []
        found: dict[tuple[str, str], set[tuple[str, str | None]]] = defaultdict(set)
        for endpoint in world.each("openstack.endpoint"):
            target, region = endpoint.scope.target, endpoint.scope.region
            url = text(endpoint.facts.get("url"))
            if "region" in endpoint.unseen or url is None:
                blind.append((Scope(target), endpoint.unseen.get("region") or why(endpoint, "url")))
            elif region is not None:
                found[target, url].add((nfc(region), text(endpoint.facts.get("service_type"))))
        self._lists = Lists(world, "openstack.endpoint", blind)
        self._twins: dict[tuple[str, str, str | None], set[str]] = defaultdict(set)
        for (target, _), labels in found.items():
            regions = {region for region, _ in labels}
            if len(regions) > 1:
                for region, service in labels:
                    self._twins[target, region, service] |= regions

    def twins(self, target: str, region: str, service: str | None) -> frozenset[str]:
        """All labels of the address a service has in a region; empty where the region has its own.

        Without a service: of any service that tells regions apart. An endpoint of a service that is
        not known counts for every service.
        """
        services = PLACING if service is None else {service} & PLACING
        found: set[str] = set()
        for one in (*services, None) if services else ():
            found |= self._twins.get((target, region, one), frozenset())
        return frozenset(found)

    def doubt(self, target: str) -> Unseen | None:
        """Why there may be more addresses shared than are seen."""
        return self._lists.unseen_in(Scope(target))


class Places:
    """Resolve labels to sites. Each method gives a site, or why there is none."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._missing = unseen_anywhere(world, "site")
        self.sites: dict[str, Site] = {}
        self._entries: list[_Entry] = []
        self._by: dict[tuple[str, str], list[Site]] = defaultdict(list)
        self._hosts: list[tuple[str, Site]] = []
        self._ranges: list[tuple[str, Site]] = []
        for entry in world.each("site"):
            self._add(entry)
        self._addresses: _Addresses | None = None
        self._targets: list[Resource] | Unseen | None = None
        self._known: dict[tuple[str, str | None, str | None, str | None], Site | Unseen] = {}
        self._known_hosts: dict[str, Site | Unseen] = {}

    def _add(self, entry: Resource) -> None:
        facts = entry.facts
        site = Site(entry.id, text(facts.get("country")), text(facts.get("risk_group")))
        self.sites[site.id] = site
        regions, zones = frozenset(texts(facts.get("regions"))), frozenset(texts(facts.get("azs")))
        self._entries.append(_Entry(site, regions, zones))
        for kind in ("s3_locations", "store_ids", "backend_names"):
            for label in texts(facts.get(kind)):
                self._by[kind, label].append(site)
        for realm in texts(facts.get("store_ids")):
            self._by["realms", realm.casefold()].append(site)
        self._hosts += [(pattern.casefold(), site) for pattern in texts(facts.get("endpoints"))]
        self._ranges += [(prefix, site) for prefix in texts(facts.get("ip_ranges"))]

    def doubt(self, fact: str, found: Iterable[Mapping[str, Value]]) -> Mapping[str, Unseen]:
        """Why records lack their place, under the name of their fact: the register of sites was not given."""
        lacking = self._missing is not None and any("known" not in record for record in found)
        return {fact: self._missing} if lacking and self._missing is not None else {}

    def _one(self, found: Iterable[Site], what: str) -> Site | Unseen:
        if self._missing is not None:
            return self._missing
        distinct = {site.id: site for site in found}
        if len(distinct) == 1:
            return next(iter(distinct.values()))
        if distinct:
            return Unseen(Reason.AMBIGUOUS, f"{what} is declared at {', '.join(sorted(distinct))}")
        return Unseen(Reason.UNMAPPED, f"{what} is at no declared site")

    # --- regions and zones -------------------------------------------------------------------------

    def zone(self, target: str, region: str | None, zone: str | None, service: str | None) -> Site | Unseen:
        """The site of a zone, or of a whole region where there is none.

        A site that lists no zones has all zones of its regions which no other site lists. A region
        that shares its service's address with another one tells nothing; a zone then tells only if
        it leads to the same site under every label of that address.
        """
        key = (target, region, zone, service)
        if key not in self._known:
            self._known[key] = self._zone(target, nfc(region) if region else None, zone, service)
        return self._known[key]

    def _zone(self, target: str, region: str | None, zone: str | None, service: str | None) -> Site | Unseen:
        if self._missing is not None:
            return self._missing
        if region is None:
            alone = self._listing(zone, None)
            return self._one(alone, f"zone {zone}") if alone else Unseen(Reason.UNMAPPED, "it has no region")
        twins, doubt = self.addresses.twins(target, region, service), self.addresses.doubt(target)
        if doubt is not None:
            return self._by_zone_alone(zone) or doubt
        if twins:
            shared = f"region {region} shares its address with {', '.join(sorted(twins - {region}))}"
            return self._under_every_label(zone, twins) or Unseen(Reason.AMBIGUOUS, shared)
        listed = self._listing(zone, region)
        if listed:
            return self._one(listed, f"zone {zone} of region {region}")
        here = [e for e in self._entries if region in e.regions]
        if zone is None:
            return self._one((e.site for e in here), f"region {region}")
        return self._one((e.site for e in here if not e.zones), f"zone {zone} of region {region}")

    def _listing(self, zone: str | None, region: str | None) -> list[Site]:
        """Sites that list a zone as one of this region."""
        return [] if zone is None else [e.site for e in self._entries if e.names(zone, region)]

    def _under_every_label(self, zone: str | None, regions: frozenset[str]) -> Site | None:
        """The one site that lists a zone whichever of these regions it is said to lie in."""
        found = {tuple(self._listing(zone, region)) for region in regions}
        sites = found.pop()
        return sites[0] if not found and len(sites) == 1 else None

    def _by_zone_alone(self, zone: str | None) -> Site | None:
        """The one site that lists a zone, without regard to regions: for when the region is in doubt."""
        found = [e for e in self._entries if zone in e.zones]
        return found[0].site if len(found) == 1 and not found[0].regions else None

    @property
    def addresses(self) -> _Addresses:
        """The catalogue's addresses; read only when a region is to be placed."""
        if self._addresses is None:
            self._addresses = _Addresses(self._world)
        return self._addresses

    def distinct(self, target: str, region: str) -> bool | Unseen:
        """Whether a region has addresses of its own, as far as they tell regions apart."""
        if self.addresses.twins(target, nfc(region), None):
            return False
        return self.addresses.doubt(target) or True

    # --- stores, hosts, backups, buckets -----------------------------------------------------------

    def store(self, label: str) -> Site | Unseen:
        """The site of an image store or another store, by the id it has in a configuration."""
        return self._one(self._by.get(("store_ids", nfc(label)), ()), label)

    def realm(self, label: str) -> Site | Unseen:
        """The site of a container-sync realm and cluster, which Swift spells in any case."""
        return self._one(self._by.get(("realms", nfc(label).casefold()), ()), f"realm {label}")

    def host(self, host: str) -> Site | Unseen:
        """The site of an endpoint by host name or address."""
        if host not in self._known_hosts:
            self._known_hosts[host] = self._host(host)
        return self._known_hosts[host]

    def _host(self, host: str) -> Site | Unseen:
        name = nfc(host).casefold()
        found = [site for pattern, site in self._hosts if glob_match(pattern, name)]
        return self._one(found or self._in_ranges(name), f"host {host}")

    def address(self, address: str) -> Site | Unseen:
        """The site whose declared ranges hold an address."""
        return self._one(self._in_ranges(address), f"address {address}")

    def _in_ranges(self, address: str) -> list[Site]:
        mine = network(address)
        return [
            site
            for prefix, site in self._ranges
            if mine
            and (net := network(prefix))
            and net.version == mine.version
            and mine.network_address in net
        ]

    def backend(self, host: str) -> tuple[str, Site | Unseen]:
        """The back end that a volume's host names, and its site.

        `host@section#pool` is declared by its pool, which mostly has the name of the back end in volume
        types, by the section of the configuration, or by host and section.
        """
        place, _, pool = host.partition("#")
        section = place.rpartition("@")[2]
        labels = [nfc(label) for label in dict.fromkeys((pool, section, place)) if label]
        declared = [label for label in labels if ("backend_names", label) in self._by]
        found = (site for label in declared for site in self._by["backend_names", label])
        return (declared or [nfc(section)])[0], self._one(found, f"back end {host}")

    def backup(self, backup: Resource) -> Site | Unseen:
        """The site of a backup by the register of backup targets: zone and container patterns."""
        if self._missing is not None:
            return self._missing
        if self._targets is None:
            missing = unseen_anywhere(self._world, "backup_target")
            self._targets = missing or list(self._world.each("backup_target"))
        if isinstance(self._targets, Unseen):
            return self._targets
        found: list[Site] = []
        for target in self._targets:
            fits = _target_fits(target, backup)
            if isinstance(fits, Unseen):
                return fits
            if fits:
                site = self.sites.get(text(target.facts.get("site")) or "")
                if site is None:
                    return Unseen(Reason.UNMAPPED, f"backup target {target.id} names no declared site")
                found.append(site)
        return self._one(found, f"container {backup.facts.get('container')}")

    def bucket(self, bucket: Resource) -> Site | Unseen:
        """The site of a bucket: its location constraint, or its endpoint's place where there is none."""
        location = optional_text(bucket, "location")
        if isinstance(location, Unseen):
            return location
        if location is not None:
            return self._one(self._by.get(("s3_locations", location), ()), f"location {location}")
        return self.host(host_of(bucket.endpoint) or "")

    # --- any resource ------------------------------------------------------------------------------

    def of(self, resource: Resource) -> Site | Unseen:
        """The site of any located resource."""
        match resource.type:
            case "openstack.backup":
                return self.backup(resource)
            case "s3.bucket":
                return self.bucket(resource)
            case "s3.endpoint":
                host = text(resource.facts.get("host"))
                return why(resource, "host") if host is None else self.host(host)
            case "openstack.region":
                return self.zone(resource.scope.target, resource.id, None, None)
            case _:
                return self._labelled(resource)

    def _labelled(self, resource: Resource) -> Site | Unseen:
        """The site of what has a region and perhaps a zone."""
        if self._missing is not None:
            return self._missing
        service = SERVICE_OF.get(resource.type) or _service(resource)
        zone: str | Unseen | None = None
        if resource.type not in ("openstack.container", "openstack.endpoint"):
            zone = optional_text(resource, "zone")
        if isinstance(zone, Unseen):
            return zone
        if "region" in resource.unseen:
            return self._by_zone_alone(zone) or resource.unseen["region"]
        return self.zone(resource.scope.target, resource.scope.region, zone, service)


def placing(place: Site | Unseen) -> dict[str, Value]:
    """A place as fields of a record: what is known, with nulls for what is declared nowhere.

    What two sites claim is declared, but its place is not known; without a register nothing is.
    """
    if isinstance(place, Site):
        found: dict[str, Value] = {"known": True, "site": place.id}
        return (
            found if place.country is None else found | {"country": place.country, "domestic": place.domestic}
        )
    if place.reason is Reason.UNMAPPED:
        return {"known": False, "site": None, "country": None, "domestic": None}
    return {"known": True} if place.reason is Reason.AMBIGUOUS else {}


def _service(resource: Resource) -> str | None:
    """The service of an endpoint or zone, if it is one that tells regions apart."""
    fact = "service_type" if resource.type == "openstack.endpoint" else "service"
    service = text(resource.facts.get(fact))
    return service if service in PLACING else None


def host_of(address: str) -> str | None:
    """The host name in an address, or None where there is none or the address is broken."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _target_fits(target: Resource, backup: Resource) -> bool | Unseen:
    """Whether a backup lies in a declared target; why not, where a label that decides was not seen."""
    facts = target.facts
    if facts.get("target") not in (None, backup.scope.target):
        return False
    doubt: Unseen | None = None
    for name in ("zone", "container"):
        pattern = text(facts.get(name))
        if pattern is None:
            continue
        label = optional_text(backup, name)
        if isinstance(label, Unseen):
            doubt = doubt or label
        elif not glob_match(pattern, label or ""):
            return False
    return True if doubt is None else doubt


def site_facts(place: Site | Unseen, attested: bool | Unseen) -> Derived:
    """The facts of a place for one resource."""
    if isinstance(place, Unseen):
        return Derived(unseen={"site": place})
    facts: dict[str, Value] = {"site.id": place.id}
    unseen: dict[str, Unseen] = {}
    if place.country is None:
        no_country = Unseen(Reason.PARTIAL, f"the register names no country of site {place.id}")
        unseen |= dict.fromkeys(("site.country", "site.domestic"), no_country)
    else:
        facts |= {"site.country": place.country, "site.domestic": place.domestic}
    if isinstance(attested, Unseen):
        unseen["site.attested"] = attested
    else:
        facts["site.attested"] = attested
    return Derived(facts, unseen)


def prepare(world: World) -> Derive:
    """Places by the register of sites, with what backs it."""
    places, papers = Places(world), Papers(world)
    backing = {site.id: papers.backing(site) for site in world.each("site")}
    known: dict[Site | Unseen, Derived] = {}

    def derive(resource: Resource) -> Derived:
        place = places.of(resource)
        if place not in known:
            attested = backing[place.id] if isinstance(place, Site) else place
            known[place] = site_facts(place, attested)
        found = known[place]
        return found if resource.type != "openstack.region" else _with_distinctness(resource, places, found)

    return derive


def _with_distinctness(region: Resource, places: Places, found: Derived) -> Derived:
    distinct = places.distinct(region.scope.target, region.id)
    if isinstance(distinct, Unseen):
        return Derived(found.facts, {**found.unseen, "endpoints_distinct": distinct})
    return Derived({**found.facts, "endpoints_distinct": distinct}, found.unseen)


READ_OF_STORES: Final[Reads] = {
    "site": (
        "country", "regions", "azs", "ip_ranges", "backend_names", "store_ids", "s3_locations", "endpoints",
        "risk_group",
    ),
}  # fmt: skip
"""What placing takes beside the label itself: of a store or host,"""
READ_OF_REGIONS: Final = merged(READ_OF_STORES, {"openstack.endpoint": ("url", "service_type")})
"""of a region or zone,"""
READ_OF_BACKUPS: Final = merged(READ_OF_STORES, {"backup_target": ("target", "zone", "container", "site")})
"""of a backup."""


def _family(labels: Reads, reads: Reads) -> Family:
    """The derivation for types that are placed in the same way, with the labels they are placed by."""
    given = {t: (*FACTS, "endpoints_distinct") if t == "openstack.region" else FACTS for t in labels}
    return Family(
        "location", given, merged(labels, reads, READ_OF_PAPERS, {"site": ("attestation",)}), prepare
    )


LOCATION: Final = (
    _family(
        {
            "openstack.availability_zone": ("zone", "service"),
            "openstack.container": (),
            "openstack.region": (),
            "openstack.server": ("zone",),
            "openstack.share": ("zone",),
            "openstack.volume": ("zone",),
        },
        READ_OF_REGIONS,
    ),
    # Endpoints apart: their list is read for the others whether or not a control is about endpoints.
    _family({"openstack.endpoint": ("url", "service_type")}, READ_OF_REGIONS),
    _family({"openstack.backup": ("zone", "container")}, READ_OF_BACKUPS),
    _family({"s3.bucket": ("location",), "s3.endpoint": ("host",)}, READ_OF_STORES),
)
