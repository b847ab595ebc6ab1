"""Which information system a resource belongs to: by the systems' selectors, or its label `system_id`.

The register of systems is where criticality, RPO and data classes stand; without attribution no
resource has them. A resource that two systems claim is ambiguous, one that none claims is unmapped,
and one that another system may claim, for all that was seen of it, is unknown: a label that could
not be read may name another system than the selector that fits.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from cloudaudit.facts.derivation import (
    Derive,
    Derived,
    Family,
    Lists,
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
from cloudaudit.model import MISSING, Reason, Resource, Scope, Unseen, Value, World
from cloudaudit.operators import glob_match

RESTRICTED: Final = frozenset(
    {"core", "important", "personal-sensitive", "personal-basic", "nd53-user-data", "state-secret"}
)
"""Data classes whose place and protection the law regulates (classification of controls DAT-03, SEC-15)."""

PROJECT: Final = "openstack.project"
LABELLED: Final = (
    *(f"openstack.{name}" for name in ("container", "image", "network", "router", "server", "volume")),
    "s3.bucket",
)
"""Types that carry labels; the others are attributed by their place alone."""
PLAIN: Final = tuple(
    f"openstack.{name}"
    for name in (
        "backup", "floating_ip", "port", "security_group", "security_group_rule", "server_group", "share",
        "snapshot", "subnet", "vpn_connection",
    )
)  # fmt: skip
UNCOUNTED: Final = tuple(
    f"openstack.{name}"
    for name in (
        "address_group", "bgpvpn", "dns_zone", "image_member", "lb_pool", "listener", "loadbalancer",
        "network_log", "object_account", "qos_policy", "rbac_policy", "secret", "share_access_rule",
        "share_replica", "stack", "trunk",
    )
)  # fmt: skip
"""Types attributed by their place alone, too, but left out of the share of resources that are attributed:
whoever asks for that share would have to list them all."""
TYPES: Final = (PROJECT, *LABELLED, *PLAIN, *UNCOUNTED)
STORES: Final = frozenset({"openstack.container", "s3.bucket"})
FACTS: Final = (
    "system.id", "system.criticality", "system.rpo", "system.rto", "system.restricted",
    "system.data_classes", "system.security_level", "system.cross_border",
)  # fmt: skip
OWN_LABEL: Final = "system_id"
"""The label by which a resource itself names its system; it ranks with the selectors."""

_WILD: Final = re.compile(r"[*?]")
_KEYSTONE_ID: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UNMAPPED: Final = Derived(unseen={"system": Unseen(Reason.UNMAPPED, "no system's selectors fit")})

Fit: TypeAlias = bool | Unseen
"""Whether a selector fits, or why that cannot be told."""
Labels: TypeAlias = tuple[str | Unseen | None, ...]
"""Values of the label keys that selectors name: None where a resource has no such label."""
Claim: TypeAlias = tuple[str, bool, Fit]
"""A system, whether by a catch-all selector, and how well it fits."""


def _all(parts: Iterable[Fit]) -> Fit:
    """False as soon as one part is, else the first reason why one is not known."""
    answer: Fit = True
    for part in parts:
        if part is False:
            return False
        if answer is True:
            answer = part
    return answer


@dataclass(frozen=True, slots=True)
class _Selector:
    """One way to tell a system's resources; every field that is given must fit."""

    system: str
    target: str | None = None
    region: str | None = None
    project: str | None = None
    bucket: str | None = None
    label: int | None = None
    """Position of its key among the label keys that are looked at."""
    value: str | None = None
    """Value the label must have; None: any."""
    catch_all: bool = False

    @property
    def is_for_any_place(self) -> bool:
        return self.target is self.region is self.project is None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A selector that the place of a resource does not rule out, and whether that place is known to fit."""

    selector: _Selector
    placed: Fit


class _Register:
    """The selectors of all systems, and the keys of the labels they look at."""

    def __init__(self, world: World) -> None:
        self.keys: list[str] = [OWN_LABEL]
        self.selectors: list[_Selector] = []
        for system in world.each("system"):
            self.selectors.append(_Selector(system.id, label=0, value=system.id))
            self.selectors += filter(None, (self._read(system.id, r) for r in _selectors_of(system)))

    def _read(self, system: str, fields: Mapping[str, Value]) -> _Selector | None:
        """A selector; None for one that asks for nothing, which would fit everything."""
        names = ("target", "region", "project", "bucket", "label_key", "label_value")
        given = {name: text(fields.get(name)) for name in names}
        key, catch_all = given["label_key"], fields.get("catch_all") is True
        unreadable = any(fields.get(name) is not None and given[name] is None for name in names)
        if unreadable or not (catch_all or any(given.values())):
            return None
        if key is not None and key not in self.keys:
            self.keys.append(key)
        return _Selector(
            system,
            given["target"],
            given["region"],
            given["project"],
            given["bucket"],
            None if key is None else self.keys.index(key),
            given["label_value"],
            catch_all,
        )


def _selectors_of(system: Resource) -> tuple[Mapping[str, Value], ...]:
    return records(system.facts.get("selectors"))


class Projects:
    """By which names a project may be called: scopes call it by its name or, where that repeats, its id."""

    def __init__(self, world: World) -> None:
        self._called: dict[tuple[str, str], set[str]] = {}
        self._named: dict[tuple[str, str], set[str]] = defaultdict(set)
        for project in world.each(PROJECT):
            self._named[project.scope.target, nfc(project.name)].add(project.id)
            label = project.scope.project
            if label is not None:
                names = self._called.setdefault((project.scope.target, label), set())
                names |= {nfc(label), nfc(project.id), nfc(project.name)}
        self._lists = Lists(world, PROJECT)

    def fits(self, wanted: str, scope: Scope) -> Fit:
        """Whether a project is meant. Of one that was not listed, a name is told from an id by its form."""
        label = nfc(scope.project or "")
        if not label or wanted == label:
            return wanted == label
        called = self._called.get((scope.target, scope.project or ""))
        if called is not None:
            return self._one_of(wanted, scope.target) if wanted in called else False
        if _is_id(wanted) == _is_id(label):
            return False
        return self._lists.unseen_in(Scope(scope.target)) or Unseen(
            Reason.PARTIAL, f"name and id of the project {label} are not both known"
        )

    def _one_of(self, wanted: str, target: str) -> Fit:
        """Domains may have projects of one name; which of them a selector means, only an id tells."""
        number = len(self._named[target, wanted])
        if number < 2:
            return True
        return Unseen(
            Reason.AMBIGUOUS, f"{number} projects of {target} are called {wanted}; name it by its id"
        )


def _is_id(name: str) -> bool:
    return _KEYSTONE_ID.fullmatch(name) is not None


class _Index:
    """Selectors that a place leaves, by the label or the beginning of the name they look for."""

    def __init__(self, candidates: Iterable[_Candidate]) -> None:
        self.by_place: list[Claim] = []
        self._by_label: dict[tuple[int, str | None], list[_Candidate]] = defaultdict(list)
        self._by_name: dict[str, list[_Candidate]] = defaultdict(list)
        for candidate in candidates:
            selector = candidate.selector
            if selector.bucket is not None:
                self._by_name[_WILD.split(selector.bucket, maxsplit=1)[0]].append(candidate)
            elif selector.label is not None:
                self._by_label[selector.label, selector.value].append(candidate)
            else:
                self.by_place.append((selector.system, selector.catch_all, candidate.placed))
        self._lengths = sorted({len(stem) for stem in self._by_name})

    def of_labels(self, labels: Labels) -> Iterator[Claim]:
        """What selectors by label say."""
        for n, label in enumerate(labels):
            if isinstance(label, Unseen):
                found = [c for (key, _), group in self._by_label.items() if key == n for c in group]
            elif label is None:
                continue
            else:
                found = [*self._by_label.get((n, label), ()), *self._by_label.get((n, None), ())]
            for candidate in found:
                yield _claim(candidate, "", labels)

    def of_name(self, name: str, labels: Labels) -> Iterator[Claim]:
        """What selectors by the name of a bucket or container say."""
        for length in self._lengths:
            for candidate in self._by_name.get(name[:length], ()):
                yield _claim(candidate, name, labels)


@dataclass(slots=True)
class _Place:
    """The selectors that a place leaves, and what they and those for any place say of labels met before."""

    index: _Index
    claims: dict[Labels, list[Claim]] = field(default_factory=dict)
    answers: dict[Labels, Derived] = field(default_factory=dict)
    """Attribution by labels, of what has no name to look at."""


class _Places:
    """What the place of a resource leaves of the selectors, worked out once for each place."""

    def __init__(self, world: World, selectors: Sequence[_Selector]) -> None:
        self._projects = Projects(world)
        self._selectors = [selector for selector in selectors if not selector.is_for_any_place]
        self.anywhere = _Index(_Candidate(s, True) for s in selectors if s.is_for_any_place)
        self._known: dict[tuple[Scope, Unseen | None, Unseen | None], _Place] = {}

    def of(self, resource: Resource) -> _Place:
        if resource.type == PROJECT:
            return self._look(resource)
        key = (resource.scope, resource.unseen.get("region"), resource.unseen.get("project"))
        if key not in self._known:
            self._known[key] = self._look(resource)
        return self._known[key]

    def _look(self, resource: Resource) -> _Place:
        found = ((s, self._fits(s, resource)) for s in self._selectors)
        return _Place(_Index(_Candidate(selector, fit) for selector, fit in found if fit is not False))

    def _fits(self, selector: _Selector, resource: Resource) -> Fit:
        scope, unseen = resource.scope, resource.unseen
        parts: list[Fit] = []
        if selector.target is not None:
            parts.append(selector.target == nfc(scope.target))
        # A project lies in all regions: the selector of a part of it tells of the project too.
        if selector.region is not None and resource.type != PROJECT:
            parts.append(unseen.get("region") or selector.region == nfc(scope.region or ""))
        if selector.project is not None and resource.type == PROJECT:
            names = (resource.id, resource.name, scope.project or "")
            parts.append(selector.project in map(nfc, names))
        elif selector.project is not None:
            parts.append(unseen.get("project") or self._projects.fits(selector.project, scope))
        return _all(parts)


def _labels_of(resource: Resource, keys: Sequence[str]) -> Labels:
    """The labels that matter. An S3 store that cannot tag has none; a value that was not kept is not known.

    A service that keeps labels and leaves them out of an answer has not said that there are none.
    """
    if resource.type not in LABELLED and resource.type != PROJECT:
        return (None,) * len(keys)
    labels = resource.facts.get("labels", MISSING)
    if not isinstance(labels, Mapping):
        unseen = why(resource, "labels")
        none = resource.type == "s3.bucket" and unseen.reason is Reason.NOT_IMPLEMENTED
        return (None if none else unseen,) * len(keys)
    return tuple(_label(resource, labels, key) for key in keys)


def _label(resource: Resource, labels: Mapping[str, Value], key: str) -> str | Unseen | None:
    if key in labels:
        return text(labels[key]) or (None if labels[key] == "" else why(resource, "labels"))
    names = resource.facts.get("label_names")
    if not isinstance(names, tuple):
        return why(resource, "label_names")
    if key in names:
        return Unseen(Reason.NOT_COLLECTED, f"the value of label {key} is not kept: name it under label_keys")
    return None


def label_of(resource: Resource, key: str) -> str | Unseen | None:
    """One label of a resource: None where it has none of the key, or why that is not known."""
    labels = resource.facts.get("labels", MISSING)
    return _label(resource, labels, key) if isinstance(labels, Mapping) else why(resource, "labels")


def _claim(candidate: _Candidate, name: str, labels: Labels) -> Claim:
    selector = candidate.selector
    parts: list[Fit] = [candidate.placed]
    if selector.bucket is not None:
        parts.append(glob_match(selector.bucket, name))
    if selector.label is not None:
        found = labels[selector.label]
        known = found is not None and selector.value in (None, found)
        parts.append(found if isinstance(found, Unseen) else known)
    return (selector.system, selector.catch_all, _all(parts))


def _choose(claims: Iterable[Claim], facts: Mapping[str, Derived]) -> Derived:
    """The one system that claims a resource for certain, when no other may; selectors before catch-alls."""
    found = list(claims)
    for catch_all in (False, True):
        certain = {system for system, last, fit in found if last is catch_all and fit is True}
        doubts = sorted(
            (system, fit.reason, fit.detail)
            for system, last, fit in found
            if last is catch_all and isinstance(fit, Unseen) and system not in certain
        )
        if len(certain) > 1:
            detail = f"claimed by {', '.join(sorted(certain))}"
            return Derived(unseen={"system": Unseen(Reason.AMBIGUOUS, detail)})
        if doubts:
            return Derived(unseen={"system": Unseen(*doubts[0][1:])})
        if certain:
            return facts[certain.pop()]
    return _UNMAPPED


_INHERITED: Final[Mapping[str, Callable[[Value], Value]]] = {
    "criticality": text,
    "rpo": whole_number,
    "rto": whole_number,
    "security_level": whole_number,
    "cross_border": flag,
}
_NULLABLE: Final = frozenset({"rpo", "rto", "security_level"})


def system_facts(system: Resource) -> Derived:
    """What a resource inherits of the system it belongs to."""
    found: dict[str, Value] = {"system.id": system.id}
    missing: dict[str, Unseen] = {}
    classes = system.facts.get("data_classes")
    if isinstance(classes, tuple):
        found["system.data_classes"] = texts(classes)
        found["system.restricted"] = bool(RESTRICTED & set(texts(classes)))
    else:
        missing = dict.fromkeys(("system.data_classes", "system.restricted"), why(system, "data_classes"))
    for name, read in _INHERITED.items():
        raw = system.facts.get(name, MISSING)
        value = read(raw)
        if value is not None or (raw is None and name in _NULLABLE):
            found[f"system.{name}"] = value
        else:
            missing[f"system.{name}"] = why(system, name)
    return Derived(found, missing)


def prepare(world: World) -> Derive:
    """Attribution by the register of systems; without it, nothing is attributed."""
    missing = unseen_anywhere(world, "system")
    if missing is not None:
        without_register = Derived(unseen={"system": missing})
        return lambda resource: without_register
    facts = {system.id: system_facts(system) for system in world.each("system")}
    register = _Register(world)
    places = _Places(world, register.selectors)

    def derive(resource: Resource) -> Derived:
        place = places.of(resource)
        labels = _labels_of(resource, register.keys)
        if labels not in place.claims:
            indexes = (place.index, places.anywhere)
            place.claims[labels] = [c for i in indexes for c in (*i.by_place, *i.of_labels(labels))]
        if resource.type in STORES:
            name = nfc(resource.name or resource.id)
            named = (*place.index.of_name(name, labels), *places.anywhere.of_name(name, labels))
            return _choose((*place.claims[labels], *named), facts)
        if labels not in place.answers:
            place.answers[labels] = _choose(place.claims[labels], facts)
        return place.answers[labels]

    return derive


LABELS: Final = ("labels", "label_names")
"""What is read of a resource that carries labels."""
READ_OF_SYSTEMS: Final[Reads] = {
    "system": (
        "selectors", "data_classes", "criticality", "rpo", "rto", "security_level", "cross_border",
    ),
    PROJECT: (),
}  # fmt: skip
"""What attribution takes beside the resource itself."""

ATTRIBUTION: Final = Family(
    "attribution",
    dict.fromkeys((*LABELLED, *PLAIN, *UNCOUNTED), FACTS),
    merged(READ_OF_SYSTEMS, dict.fromkeys(LABELLED, LABELS), dict.fromkeys((*PLAIN, *UNCOUNTED), ())),
    prepare,
)
ATTRIBUTION_OF_PROJECTS: Final = Family(
    "attribution", {PROJECT: FACTS}, merged(READ_OF_SYSTEMS, {PROJECT: LABELS}), prepare
)
"""Projects apart: their list is read for the others whether or not a control is about projects."""
