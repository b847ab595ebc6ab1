"""Where things lead or lie by a name or an address: endpoints, back ends, stores, servers, logs.

Each label is looked up in the register of sites, and goes into a record of its own beside what is
known of its place. A label that no site declares is known to be undeclared: that is a value, not a gap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cloudaudit.facts.attribution import ATTRIBUTION, READ_OF_SYSTEMS
from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
    both,
    flag,
    merged,
    nfc,
    optional_text,
    records,
    text,
    texts,
    unseen_anywhere,
    where,
    why,
)
from cloudaudit.facts.location import DOMESTIC, READ_OF_STORES, Places, Site, host_of, placing
from cloudaudit.facts.papers import READ_OF_PAPERS, Papers
from cloudaudit.model import Partial, Reason, Resource, Scope, Unseen, Value, World

NAME: Final = "destinations"
Record = Mapping[str, Value]

# --- endpoints: the addresses DNS gives ----------------------------------------------------------------


def prepare_endpoints(world: World) -> Derive:
    """Each address of an endpoint's host, with the site whose declared ranges hold it."""
    places = Places(world)

    def derive(endpoint: Resource) -> Derived:
        addresses = endpoint.facts.get("dns.addresses")
        if not isinstance(addresses, tuple) or len(texts(addresses)) != len(addresses):
            return Derived(unseen={"dns.places": why(endpoint, "dns.addresses")})
        found = tuple({"address": a, **placing(places.address(a))} for a in sorted(texts(addresses)))
        return Derived({"dns.places": found}, places.doubt("dns.places", found))

    return derive


# --- volumes: the back end that holds them -------------------------------------------------------------

VOLUME: Final = "openstack.volume"
BACKEND: Final = ("storage.backend", "storage.site", "storage.domestic")


def prepare_volumes(world: World) -> Derive:
    """The back end a volume lies on, by its host, and the back end's site. Null: it lies on none yet."""
    places = Places(world)

    def derive(volume: Resource) -> Derived:
        host = optional_text(volume, "host")
        if isinstance(host, Unseen):
            return Derived(unseen={"storage": host})
        if host is None:
            return Derived(dict.fromkeys(BACKEND))
        backend, place = places.backend(host)
        if isinstance(place, Unseen):
            if place.reason is not Reason.UNMAPPED:
                return Derived(unseen={"storage": place})
            return Derived({"storage.backend": backend, "storage.site": None, "storage.domestic": None})
        facts: dict[str, Value] = {"storage.backend": backend, "storage.site": place.id}
        if place.domestic is not None:
            return Derived(facts | {"storage.domestic": place.domestic})
        no_country = Unseen(Reason.PARTIAL, f"the register names no country of site {place.id}")
        return Derived(facts, {"storage.domestic": no_country})

    return derive


# --- images: the stores that hold them -----------------------------------------------------------------

IMAGE: Final = "openstack.image"
STORE: Final = "openstack.image_store"
IMAGES: Final = "openstack.image_service"
WITHOUT_DATA: Final = frozenset({"queued", "killed", "deleted"})
"""States of an image in which no store holds anything of it."""


class _Unnamed:
    """Regions whose Glance has a single store and no name for it.

    The register calls such a store `glance@` and the region, since Glance calls it nothing.
    """

    def __init__(self, world: World) -> None:
        self._known: dict[tuple[str, str | None], list[bool | None]] = defaultdict(list)
        self._lists = Lists(world, IMAGES)
        for service in world.each(IMAGES):
            if "region" not in service.unseen:
                place = (service.scope.target, service.scope.region)
                self._known[place].append(flag(service.facts.get("names_stores")))

    def store(self, image: Resource) -> str | None:
        """The register's name of the store of an image that does not name its own."""
        scope = image.scope
        absent = image.unseen.get("stores")
        if absent is None or absent.reason is not Reason.NOT_IMPLEMENTED or "region" in image.unseen:
            return None
        if self._lists.unseen_in(Scope(scope.target, scope.region)) is not None:
            return None
        said = self._known.get((scope.target, scope.region), [])
        return f"glance@{scope.region}" if said and set(said) == {False} else None


def prepare_images(world: World) -> Derive:
    """The stores of an image with their sites, and whether it holds data of a restricted system."""
    places, unnamed, system_of = Places(world), _Unnamed(world), ATTRIBUTION.prepare(world)

    def derive(image: Resource) -> Derived:
        facts: dict[str, Value] = {}
        unseen: dict[str, Unseen] = {}
        stores = image.facts.get("stores")
        only = unnamed.store(image)
        if isinstance(stores, tuple) and len(texts(stores)) == len(stores):
            facts["stores.places"] = _in_stores(places, texts(stores))
        elif only is not None:
            facts["stores.places"] = _in_stores(places, [only])
        else:
            unseen["stores.places"] = why(image, "stores")
        told = facts.get("stores.places")
        unseen |= places.doubt("stores.places", records(told)) if told is not None else {}
        system = system_of(image)
        status = text(image.facts.get("status"))
        restricted = both(
            (
                flag(system.facts.get("system.restricted")),
                None if status is None else status not in WITHOUT_DATA,
            )
        )
        if restricted is not None:
            facts["stores.regulated"] = restricted
        elif status is None:
            unseen["stores.regulated"] = why(image, "status")
        else:
            group = system.unseen.get("system") or system.unseen.get("system.restricted")
            unseen["stores.regulated"] = group or why(image, "labels")
        return Derived(facts, unseen)

    return derive


def prepare_stores(world: World) -> Derive:
    """The site of an image store. Any of them may be given data of a restricted system."""
    places = Places(world)

    def derive(store: Resource) -> Derived:
        found = _in_stores(places, [store.id])
        doubt = places.doubt("stores.places", found)
        return Derived({"stores.places": found, "stores.regulated": True}, doubt)

    return derive


def _in_stores(places: Places, stores: Iterable[str]) -> tuple[Record, ...]:
    return tuple({"store": nfc(s), **placing(places.store(s))} for s in sorted(set(stores)))


# --- images: what their data come from -----------------------------------------------------------------

REMOTE_IMPORT: Final = frozenset({"web-download", "glance-download"})
"""Ways to import that fetch from another machine: any, or a Glance elsewhere."""


def derive_source(image: Resource) -> Derived:
    """Hosts outside that hold the data of an image, and whether there may be others nobody is told of."""
    shown = flag(image.facts.get("locations_shown"))
    if shown is None:
        return Derived(unseen={"sources": why(image, "locations_shown")})
    if not shown:
        return Derived({"sources.hosts": (), "sources.untold": True})
    hosts = image.facts.get("external_urls")
    if not isinstance(hosts, tuple) or len(texts(hosts)) != len(hosts):
        return Derived({"sources.untold": False}, {"sources.hosts": why(image, "external_urls")})
    return Derived({"sources.hosts": tuple(sorted(texts(hosts))), "sources.untold": False})


def derive_import(service: Resource) -> Derived:
    """Whether images may be fetched from elsewhere: Glance keeps no lasting record of where from."""
    methods = service.facts.get("import_methods")
    if not isinstance(methods, tuple) or len(texts(methods)) != len(methods):
        return Derived({"sources.hosts": ()}, {"sources.untold": why(service, "import_methods")})
    return Derived({"sources.hosts": (), "sources.untold": bool(REMOTE_IMPORT & set(texts(methods)))})


# --- subnets and ports: name and time servers ----------------------------------------------------------


def prepare_subnets(world: World) -> Derive:
    """The name servers a subnet gives its servers. Where it names none, they get the provider's own."""
    places = Places(world)

    def derive(subnet: Resource) -> Derived:
        given = subnet.facts.get("dns_nameservers")
        if not isinstance(given, tuple) or len(texts(given)) != len(given):
            return Derived(unseen={"servers": why(subnet, "dns_nameservers")})
        found = tuple(_served(places, "dns", given))
        told = {"servers.used": found, "servers.default": not found}
        return Derived(told, places.doubt("servers.used", found))

    return derive


def prepare_ports(world: World) -> Derive:
    """The name and time servers that a port is given in particular, by DHCP options of its own."""
    places = Places(world)

    def derive(port: Resource) -> Derived:
        found: list[Record] = []
        doubt: Unseen | None = None
        for kind, fact in (("dns", "dhcp.name_servers"), ("time", "dhcp.time_servers")):
            given = port.facts.get(fact)
            if isinstance(given, tuple) and len(texts(given)) == len(given):
                found += _served(places, kind, given)
            else:
                doubt = doubt or why(port, fact)
        used = tuple(found)
        if doubt is None:
            doubts = places.doubt("servers.used", used)
            return Derived({"servers.used": used, "servers.default": False}, doubts)
        return Derived({"servers.used": Partial(used), "servers.default": False}, {"servers.used": doubt})

    return derive


def _served(places: Places, kind: str, servers: Value) -> Iterator[Record]:
    for server in sorted(set(texts(servers))):
        yield {"kind": kind, "server": server, **placing(places.host(server))}


# --- buckets and the platform: where logs and events go ------------------------------------------------

BUCKET: Final = "s3.bucket"
PLATFORM: Final = "platform"
PAPER: Final = "log-destinations"


def prepare_buckets(world: World) -> Derive:
    """Where a bucket's access log and events go: to a bucket of the same store, and to queues by name.

    A store that has no logging, or no notifications, sends none, as far as this interface goes.
    """
    places = Places(world)
    by_name: dict[tuple[str, str, str], Resource] = {}
    for bucket in world.each(BUCKET):
        by_name[bucket.scope.target, bucket.endpoint, nfc(bucket.name or bucket.id)] = bucket
    lists = Lists(world, BUCKET)

    def logged(bucket: Resource, target: str) -> Record:
        declared = places.store(target)
        other = by_name.get((bucket.scope.target, bucket.endpoint, target.rpartition(":")[2]))
        if isinstance(declared, Site) or declared.reason is not Reason.UNMAPPED:
            place = placing(declared)
        elif other is not None:
            found = places.of(other)
            # A bucket we list is no stranger, wherever it may be.
            place = placing(found) if isinstance(found, Site) else {"known": True}
        else:
            place = placing(declared) if lists.unseen_in(where(bucket)) is None else {}
        return {"kind": "log", "to": target, **place}

    def noticed(target: str) -> Record:
        for label in (target, target.rpartition(":")[2]):
            place = places.store(label)
            if not isinstance(place, Unseen) or place.reason is not Reason.UNMAPPED:
                return {"kind": "event", "to": target, **placing(place)}
        return {"kind": "event", "to": target, **placing(places.host(host_of(target) or target))}

    def derive(bucket: Resource) -> Derived:
        found: list[Record] = []
        doubts: list[Unseen] = []
        target = optional_text(bucket, "logging.target")
        if isinstance(target, Unseen):
            doubts.append(target)
        elif target is not None:
            found.append(logged(bucket, target))
        events = bucket.facts.get("notification.targets")
        if isinstance(events, tuple) and len(texts(events)) == len(events):
            found += [noticed(event) for event in sorted(set(texts(events)))]
        else:
            doubts.append(why(bucket, "notification.targets"))
        facts: dict[str, Value] = {"log.destinations": tuple(found), "log.stated": True}
        doubt = next((one for one in doubts if one.reason is not Reason.NOT_IMPLEMENTED), None)
        if doubt is None:
            return Derived(facts, places.doubt("log.destinations", found))
        return Derived({**facts, "log.destinations": Partial(tuple(found))}, {"log.destinations": doubt})

    return derive


def prepare_platform(world: World) -> Derive:
    """Where the platform's own logs go, by the papers in force that say so.

    No API shows it. A paper that lists nothing states nothing.
    """
    places, papers = Places(world), Papers(world)
    found: list[Record] = []
    doubt = unseen_anywhere(world, "attestation")
    for paper in world.each("attestation"):
        if text(paper.facts.get("kind")) != PAPER:
            continue
        state = papers.of(paper)
        entries = paper.facts.get("entries")
        if "state" in state.unseen:
            doubt = doubt or state.unseen["state"]
        elif state.facts["state"] == "valid":
            found += [_entry(places, entry) for entry in records(entries)]
    facts: dict[str, Value] = {}
    if found or doubt is None:
        facts["log.stated"] = bool(found)
    facts["log.destinations"] = tuple(found) if doubt is None else Partial(tuple(found))
    derived = Derived(facts, {} if doubt is None else {"log": doubt})
    return lambda platform: derived


def _entry(places: Places, entry: Record) -> Record:
    """A line of a paper: its own word on the country, else that of the site it names."""
    record: dict[str, Value] = {"kind": "platform", "to": text(entry.get("what")) or "", "known": True}
    country, site = text(entry.get("country")), places.sites.get(text(entry.get("site")) or "")
    if site is not None:
        record["site"] = site.id
        country = country or site.country
    return record if country is None else record | {"country": country, "domestic": country == DOMESTIC}


# --- derivations ---------------------------------------------------------------------------------------

_LABELS: Final = ("labels", "label_names")

DESTINATIONS: Final = (
    *(
        Family(
            NAME,
            {type_: ("dns.places",)},
            merged({type_: ("dns.addresses",)}, READ_OF_STORES),
            prepare_endpoints,
        )
        for type_ in ("openstack.endpoint", "s3.endpoint")
    ),
    Family(NAME, {VOLUME: BACKEND}, merged({VOLUME: ("host",)}, READ_OF_STORES), prepare_volumes),
    Family(
        NAME,
        {IMAGE: ("stores.places", "stores.regulated")},
        merged(
            {IMAGE: ("stores", "status", *_LABELS), IMAGES: ("names_stores",)},
            READ_OF_STORES,
            READ_OF_SYSTEMS,
        ),
        prepare_images,
    ),
    Family(
        NAME,
        {STORE: ("stores.places", "stores.regulated")},
        merged({STORE: ()}, READ_OF_STORES),
        prepare_stores,
    ),
    Family(
        NAME,
        {IMAGE: ("sources.hosts", "sources.untold")},
        {IMAGE: ("locations_shown", "external_urls")},
        lambda world: derive_source,
    ),
    Family(
        NAME,
        {IMAGES: ("sources.hosts", "sources.untold")},
        {IMAGES: ("import_methods",)},
        lambda world: derive_import,
    ),
    Family(
        NAME,
        {"openstack.subnet": ("servers.used", "servers.default")},
        merged({"openstack.subnet": ("dns_nameservers",)}, READ_OF_STORES),
        prepare_subnets,
    ),
    Family(
        NAME,
        {"openstack.port": ("servers.used", "servers.default")},
        merged({"openstack.port": ("dhcp.name_servers", "dhcp.time_servers")}, READ_OF_STORES),
        prepare_ports,
    ),
    Family(
        NAME,
        {BUCKET: ("log.destinations", "log.stated")},
        merged({BUCKET: ("logging.target", "notification.targets", "location")}, READ_OF_STORES),
        prepare_buckets,
    ),
    Family(
        NAME,
        {PLATFORM: ("log.destinations", "log.stated")},
        merged({PLATFORM: (), "attestation": ("kind", "entries")}, READ_OF_PAPERS, READ_OF_STORES),
        prepare_platform,
    ),
)
"""Apart by type, so that a control makes only the calls its own types take."""
