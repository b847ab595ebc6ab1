"""Facts of the subject as a whole: what it runs, where it all is, what it owes an explanation for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from cloudaudit.facts.attribution import (
    ATTRIBUTION,
    ATTRIBUTION_OF_PROJECTS,
    LABELLED,
    LABELS,
    PLAIN,
    PROJECT,
    READ_OF_SYSTEMS,
)
from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Reads,
    flag,
    merged,
    nfc,
    records,
    text,
    texts,
    unseen_anywhere,
    whole_number,
    why,
)
from cloudaudit.facts.kinds import hidden_part
from cloudaudit.facts.location import (
    READ_OF_BACKUPS,
    READ_OF_REGIONS,
    Places,
    Site,
)
from cloudaudit.facts.replication import REPLICATION, SYNCHRONISATION
from cloudaudit.model import MISSING, AtLeast, Partial, Reason, Resource, Unseen, Value, World

PLATFORM: Final = "platform"
LABELS_OF_PLACE: Final[Reads] = {
    "openstack.container": (),
    "openstack.endpoint": ("url", "service_type"),
    "openstack.server": ("zone",),
    "openstack.share": ("zone",),
    "openstack.volume": ("zone",),
    "openstack.backup": ("zone", "container"),
    "s3.bucket": ("location",),
    "s3.endpoint": ("host",),
}
"""Things that hold or serve data, with the labels they are placed by: what residency is about."""
CRITICAL: Final = frozenset({"critical", "high"})
"""Criticality of systems that count as critical (quan trọng)."""
_NOBODYS: Final = frozenset({Reason.UNMAPPED, Reason.AMBIGUOUS})
"""Reasons for which a resource is known to belong to no one system."""


def _listed(values: Iterable[str], gap: Unseen | None) -> Value:
    found = tuple(sorted(set(values)))
    return found if gap is None else Partial(found)


# --- inventory: what there is --------------------------------------------------------------------------


def _inventory(world: World) -> Derived:
    """Services, regions and endpoints of all clouds."""
    facts: dict[str, Value] = {}
    unseen: dict[str, Unseen] = {}
    services, gap = services_of(world)
    facts["services.types"] = _listed(services, gap)
    if gap is not None:
        unseen["services.types"] = gap
    gap = hidden_part(world, ("openstack.region",))
    facts["regions"] = _listed((nfc(region.id) for region in world.each("openstack.region")), gap)
    if gap is not None:
        unseen["regions"] = gap
    schemes = [text(e.facts.get("scheme")) for t in _ENDPOINTS for e in world.each(t)]
    insecure = sum(scheme is not None and scheme.lower() != "https" for scheme in schemes)
    gap = hidden_part(world, _ENDPOINTS) or (_UNTOLD if None in schemes else None)
    facts["endpoints.insecure"] = insecure if gap is None else AtLeast(insecure)
    if gap is not None:
        unseen["endpoints.insecure"] = gap
    return Derived(facts, unseen)


_ENDPOINTS: Final = ("openstack.endpoint", "s3.endpoint")
_UNTOLD: Final = Unseen(Reason.PARTIAL, "an endpoint does not tell its address")


def services_of(world: World) -> tuple[set[str], Unseen | None]:
    """Types in the catalogues, and object storage where an S3 endpoint answered."""
    gap = hidden_part(world, ("openstack.service", "s3.endpoint"))
    found: set[str] = set()
    for service in world.each("openstack.service"):
        type_ = text(service.facts.get("type"))
        if type_ is None:
            gap = gap or why(service, "type")
        else:
            found.add(type_)
    for endpoint in world.each("s3.endpoint"):
        if text(endpoint.facts.get("server_kind")) is None:
            gap = gap or why(endpoint, "server_kind")
        else:
            found.add("object-store")
    return found, gap


# --- inventory: systems and what belongs to them -------------------------------------------------------


def _systems(world: World) -> Derived:
    missing = unseen_anywhere(world, "system")
    if missing is not None:
        return Derived(unseen={"systems": missing})
    systems = list(world.each("system"))
    critical = (system.id for system in systems if text(system.facts.get("criticality")) in CRITICAL)
    gap = next((why(s, "criticality") for s in systems if text(s.facts.get("criticality")) is None), None)
    facts = {"systems.count": len(systems), "systems.critical": _listed(critical, gap)}
    return Derived(facts, {} if gap is None else {"systems.critical": gap})


def _unmapped_projects(world: World) -> Derived:
    """Projects that no system claims. One that several claim is mapped, if not to one of them."""
    missing = unseen_anywhere(world, "system")
    if missing is not None:
        return Derived(unseen={"projects": missing})
    gap = hidden_part(world, (PROJECT,))
    system_of = ATTRIBUTION_OF_PROJECTS.prepare(world)
    found: list[str] = []
    for project in world.each(PROJECT):
        unseen = system_of(project).unseen.get("system")
        if unseen is None or unseen.reason is Reason.AMBIGUOUS:
            continue
        if unseen.reason is Reason.UNMAPPED:
            found.append(nfc(project.name or project.id))
        else:
            gap = gap or unseen
    return Derived({"projects.unmapped": _listed(found, gap)}, {} if gap is None else {"projects": gap})


SIZES: Final = {
    "openstack.backup": "size_gb",
    "openstack.share": "size_gb",
    "openstack.snapshot": "size_gb",
    "openstack.volume": "size_gb",
}
"""Sizes in which attributed storage is weighed."""


def _attributed_share(world: World) -> Derived:
    """Shares of resources that belong to one system, by number and by size; null where there is nothing.

    What may or may not belong to a system counts as not attributed, which gives the share from below.
    """
    missing = unseen_anywhere(world, "system") or hidden_part(world, (*LABELLED, *PLAIN))
    if missing is not None:
        return Derived(unseen={"attribution": missing})
    system_of = ATTRIBUTION.prepare(world)
    counts, sizes = _Share(), _Share()
    for type_ in (*LABELLED, *PLAIN):
        for resource in world.each(type_):
            if _is_common(resource):
                continue
            found = system_of(resource)
            unseen = found.unseen.get("system")
            doubt = None if unseen is None or unseen.reason in _NOBODYS else unseen
            counts.add(1, "system.id" in found.facts, doubt)
            if type_ in SIZES:
                size = whole_number(resource.facts.get(SIZES[type_]))
                unweighed = None if size is not None else why(resource, SIZES[type_])
                sizes.add(size or 0, "system.id" in found.facts, doubt, unweighed)
    facts: dict[str, Value] = {}
    why_not: dict[str, Unseen] = {}
    for name, share in (("attribution.by_count", counts), ("attribution.by_size", sizes)):
        if share.value is not MISSING:
            facts[name] = share.value
        if share.doubt is not None:
            why_not[name] = share.doubt
    return Derived(facts, why_not)


def _is_common(resource: Resource) -> bool:
    """Whether a resource is of no audited project: public images and shared networks of the operator."""
    is_of_cloud = resource.type.startswith("openstack.")
    return is_of_cloud and resource.scope.project is None and "project" not in resource.unseen


class _Share:
    """A part of a whole, added up piece by piece."""

    def __init__(self) -> None:
        self._part = self._whole = 0
        self._unweighed = False
        self.doubt: Unseen | None = None

    def add(self, size: int, counts: bool, doubt: Unseen | None, unweighed: Unseen | None = None) -> None:
        self._whole += size
        self._part += size if counts else 0
        self.doubt = self.doubt or unweighed or doubt
        self._unweighed |= unweighed is not None

    @property
    def value(self) -> Value:
        if self._unweighed:
            return MISSING
        if not self._whole:
            return None
        share = self._part / self._whole
        return share if self.doubt is None else AtLeast(share)


# --- residency: where it all is ------------------------------------------------------------------------

_NO_COUNTRY: Final = Unseen(Reason.PARTIAL, "the register names no country of a site in use")
_UNDECLARED: Final = Unseen(Reason.UNMAPPED, "a copy goes to a place that is not declared")
CORE: Final = frozenset({"core", "important"})
PERSONAL: Final = frozenset({"personal-sensitive", "personal-basic"})


def _located(world: World) -> Iterator[tuple[Resource, Site | Unseen]]:
    places = Places(world)
    for type_ in LABELS_OF_PLACE:
        for resource in world.each(type_):
            yield resource, places.of(resource)


def _sites_in_use(world: World) -> Derived:
    """Sites that hold something; known in part as long as anything is nowhere."""
    missing = unseen_anywhere(world, "site")
    if missing is not None:
        return Derived(unseen={"sites": missing})
    gap = hidden_part(world, LABELS_OF_PLACE)
    found: set[str] = set()
    for _, place in _located(world):
        if isinstance(place, Site):
            found.add(place.id)
        else:
            gap = gap or place
    return Derived({"sites.in_use": _listed(found, gap)}, {} if gap is None else {"sites": gap})


class _Residency:
    """Every location in scope: how many are not known, and what lies or is copied abroad."""

    def __init__(self, world: World) -> None:
        self.unknown = 0
        self.why: Unseen | None = None
        self.abroad: list[Resource] = []
        for resource, place in _located(world):
            if isinstance(place, Site):
                self._note(resource, place.domestic, _NO_COUNTRY)
            else:
                self._note(resource, None, place)
        destinations, syncs = REPLICATION.prepare(world), SYNCHRONISATION.prepare(world)
        for bucket in world.each("s3.bucket"):
            self._note_destinations(bucket, destinations(bucket))
        for container in world.each("openstack.container"):
            derived = syncs(container)
            if derived.facts.get("sync.host", MISSING) is not None:
                domestic = flag(derived.facts.get("sync.domestic"))
                self._note(container, domestic, derived.unseen.get("sync", _UNDECLARED))

    def _note(self, resource: Resource, domestic: bool | None, doubt: Unseen) -> None:
        if domestic is False:
            self.abroad.append(resource)
        elif domestic is None:
            self.unknown += 1
            self.why = self.why or doubt

    def _note_destinations(self, bucket: Resource, derived: Derived) -> None:
        """A store that cannot replicate copies nothing, as far as this interface goes."""
        for record in records(derived.facts.get("replication.destinations")):
            self._note(bucket, flag(record.get("domestic")), _UNDECLARED)
        doubt = derived.unseen.get("replication.destinations")
        if doubt is not None and doubt.reason is not Reason.NOT_IMPLEMENTED:
            self._note(bucket, None, doubt)


def _residency(world: World) -> Derived:
    """Locations that are not known or are abroad, and the cases of data crossing the border.

    `locations.unknown` counts what this evidence does not tell: with more evidence it can fall.
    """
    missing = unseen_anywhere(world, "site")
    if missing is not None:
        return Derived(unseen=dict.fromkeys(("locations", "transfers"), missing))
    residency = _Residency(world)
    gap = hidden_part(world, LABELS_OF_PLACE)
    doubt = gap or residency.why
    abroad = (f"{r.type}:{nfc(r.name or r.id)}" for r in residency.abroad)
    facts: dict[str, Value] = {
        "locations.unknown": residency.unknown if gap is None else AtLeast(residency.unknown),
        "locations.foreign": _listed(abroad, doubt),
    }
    unseen: dict[str, Unseen] = {} if doubt is None else {"locations": doubt}
    without_systems = unseen_anywhere(world, "system")
    if without_systems is not None:
        return Derived(facts, {**unseen, "transfers": without_systems})
    cases, untold = _transfers(world, residency.abroad)
    doubt = doubt or untold
    facts["transfers"] = cases if doubt is None else Partial(cases)
    return Derived(facts, unseen if doubt is None else {**unseen, "transfers": doubt})


def _transfers(
    world: World, abroad: Iterable[Resource]
) -> tuple[tuple[Mapping[str, Value], ...], Unseen | None]:
    """One case for each system that is declared to send data abroad or has something there.

    What lies abroad and is known to belong to no one system is a case of which nothing more can be
    said. The second value tells why there may be other cases.
    """
    systems = {system.id: system for system in world.each("system")}
    crossing: set[str] = set()
    untold: Unseen | None = None
    for system in systems.values():
        crosses = flag(system.facts.get("cross_border"))
        if crosses is None:
            untold = untold or why(system, "cross_border")
        elif crosses:
            crossing.add(system.id)
    system_of = ATTRIBUTION.prepare(world)
    nobodys = False
    for resource in abroad:
        found = system_of(resource)
        unseen = found.unseen.get("system")
        if "system.id" in found.facts:
            crossing.add(str(found.facts["system.id"]))
        elif unseen is None or unseen.reason in _NOBODYS or resource.type not in ATTRIBUTION.gives:
            nobodys = True
        else:
            untold = untold or unseen
    cases = tuple(_case(systems[id_]) for id_ in sorted(crossing))
    return ((*cases, {}) if nobodys else cases), untold


def _case(system: Resource) -> Mapping[str, Value]:
    classes = system.facts.get("data_classes")
    if not isinstance(classes, tuple):
        return {"system": system.id}
    found = set(texts(classes))
    return {
        "system": system.id,
        "core_or_important": bool(CORE & found),
        "personal": bool(PERSONAL & found),
    }


# --- derivations ---------------------------------------------------------------------------------------

_READ_OF_PLACES: Final = merged(LABELS_OF_PLACE, READ_OF_REGIONS, READ_OF_BACKUPS)
_READ_OF_OWNERS: Final = merged(READ_OF_SYSTEMS, dict.fromkeys(LABELLED, LABELS), dict.fromkeys(PLAIN, ()))


def _family(name: str, given: tuple[str, ...], reads: Reads, found: Callable[[World], Derived]) -> Family:
    def prepare(world: World) -> Derive:
        derived = found(world)
        return lambda platform: derived

    return Family(name, {PLATFORM: given}, merged({PLATFORM: ()}, reads), prepare)


INVENTORY: Final = (
    _family(
        "inventory",
        ("services.types", "regions", "endpoints.insecure"),
        {
            "openstack.service": ("type",),
            "openstack.region": (),
            "openstack.endpoint": ("scheme",),
            "s3.endpoint": ("scheme", "server_kind"),
        },
        _inventory,
    ),
    _family("inventory", ("systems.count", "systems.critical"), {"system": ("criticality",)}, _systems),
    _family(
        "inventory", ("projects.unmapped",), merged(READ_OF_SYSTEMS, {PROJECT: LABELS}), _unmapped_projects
    ),
    _family("inventory", ("sites.in_use",), _READ_OF_PLACES, _sites_in_use),
    _family(
        "inventory",
        ("attribution.by_count", "attribution.by_size"),
        merged(_READ_OF_OWNERS, {type_: (size,) for type_, size in SIZES.items()}),
        _attributed_share,
    ),
)
"""Apart, because some look at every resource there is: each is worked out only where a control asks."""
RESIDENCY: Final = _family(
    "residency",
    ("locations.unknown", "locations.foreign", "transfers"),
    merged(
        _READ_OF_PLACES,
        READ_OF_SYSTEMS,
        {type_: LABELS for type_ in LABELS_OF_PLACE if type_ in LABELLED},
        REPLICATION.reads,
        SYNCHRONISATION.reads,
    ),
    _residency,
)
