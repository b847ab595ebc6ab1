"""Judge a snapshot and registers against the controls of a profile. Pure: the time is an argument.

Two passes. The first streams the types that joins and derivations look at into frozen indexes; the
second streams each judged type once, and hands every finding to a sink. Only tallies stay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Protocol, TypeVar

from cloudaudit.condition import distinct
from cloudaudit.facts import Derivation, Derive
from cloudaudit.facts.derivation import hidden
from cloudaudit.model import (
    AT,
    EMPTY,
    MISSING,
    Check,
    Claim,
    Control,
    Evidence,
    Explanation,
    Finding,
    Frame,
    Gap,
    Join,
    Listing,
    Method,
    Obligation,
    Profile,
    Reading,
    Reason,
    Resource,
    Scope,
    Seconds,
    Sink,
    Tally,
    Text,
    Unseen,
    Value,
    Verdict,
)
from cloudaudit.needs import facts_told, types_served
from cloudaudit.operators import is_unsure, look_up

MAX_EVIDENCE_AGE: Final[Seconds] = 7 * 86400
"""Technical evidence older than this at assessment is stale (our proposal; no law sets it)."""

LEGAL_KINDS: Final = frozenset({"law", "decree", "decision"})
CRITICALITY_WEIGHT: Final[Mapping[Value, int]] = {"critical": 4, "high": 2, "medium": 1, "low": 1}
EVERYWHERE: Final = Scope("*")
"""The scope of a finding that no single scope is to blame for."""
LISTING: Final = "listing"
LIMIT: Final = "limit"
"""Head of the evidence that a limit of the profile is."""
"""Name under which a list, or the want of one, is evidence."""
MAX_LISTINGS: Final = 20
"""Lists that are shown as proof that there is nothing; a subject has one for every project."""

_OF_CHECK: Final = {True: Verdict.PASS, False: Verdict.FAIL, None: Verdict.UNKNOWN}
_WAIVED: Final = "waived"
_WAIVABLE: Final = frozenset({Verdict.FAIL, Verdict.EXPIRED})


class WaiverEntry(Protocol):
    """A waiver as the register declares it. `resource` is a pattern for ids, or None for a whole system."""

    @property
    def id(self) -> str: ...
    @property
    def control(self) -> str: ...
    @property
    def authority(self) -> str: ...
    @property
    def starts(self) -> Seconds: ...
    @property
    def until(self) -> Seconds: ...

    def covers(self, resource_id: str, name: str, system: str | None) -> bool: ...


@dataclass(frozen=True, slots=True)
class Declared:
    """What an organisation declares: resources by type, and what registers were not given.

    `listings` says of each register that was given what it is: the proof when it has no entry.
    """

    resources: Mapping[str, Sequence[Resource]]
    gaps: Sequence[Gap] = ()
    waivers: Sequence[WaiverEntry] = ()
    listings: Sequence[Listing] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """Tallies by control, and figures of the platform, of one subject at one time."""

    assessed_at: Seconds
    tallies: Mapping[str, Tally]
    claims: tuple[Claim, ...] = ()


def assess(
    evidence: Evidence,
    declared: Declared,
    profile: Profile,
    derivations: Sequence[Derivation],
    obligations: Mapping[str, Obligation],
    *,
    at: Seconds,
    sink: Sink | None = None,
) -> Assessment:
    """Judge every control of the profile on every resource it applies to.

    Without a sink only tallies are made, and nothing is explained.
    """
    world = Estate(evidence, declared, derivations, profile.controls, at)
    judge = _Judge(world, declared.waivers, obligations, profile, sink)
    by_type: dict[str, list[Control]] = defaultdict(list)
    for control in profile.controls:
        for type_ in dict.fromkeys(control.applies_to):
            by_type[type_].append(control)
    for type_, controls in sorted(by_type.items()):
        judge.gapped(type_, controls)
        judge.all_of(type_, controls)
    judge.empty(profile.controls)
    judge.loosened(profile)
    return Assessment(at, judge.tallies, tuple(_claims(world)))


def _claims(world: Estate) -> Iterator[Claim]:
    for platform in world.parts[0].enriched("platform"):
        checked = platform.facts.get("claims.checked", ())
        if isinstance(checked, tuple):
            for entry in checked:
                yield Claim(str(entry["id"]), str(entry["state"]))


# --- the world a check sees -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Index:
    entries: Mapping[tuple[Value, ...], Sequence[Resource]]
    unseen: Unseen | None
    open: bool = False

    def get(self, key: tuple[Value, ...]) -> Sequence[Resource]:
        return self.entries.get(key, ())


def index(join: Join, resources: Iterable[Resource], unseen: Unseen | None, *, open_: bool = False) -> _Index:
    """The index of one join. A resource that does not say what the join needs could belong to any."""
    entries: dict[tuple[Value, ...], list[Resource]] = defaultdict(list)
    for resource in sorted(resources, key=_identity):
        key = tuple(look_up(resource.facts, theirs) for theirs, _ in join.on)
        if any(map(is_unsure, key)):
            unseen = unseen or Unseen(Reason.PARTIAL, "a fact the join needs was not seen")
        else:
            entries[key].append(resource)
    return _Index(entries, unseen, open_)


def _identity(resource: Resource) -> tuple[object, ...]:
    return (resource.scope.target, resource.endpoint, resource.id, resource.scope.key())


class Estate:
    """All resources of a subject, observed and declared, with derived facts on demand.

    What code declares is not there yet, and nobody can say which of the things that are there it will be
    beside. So each code is a part of its own, and what is there is another: `parts` are estates that see
    their own and what is declared, and nothing of each other.
    """

    def __init__(
        self,
        evidence: Evidence,
        declared: Declared,
        derivations: Sequence[Derivation],
        controls: Sequence[Control],
        at: Seconds,
    ) -> None:
        self.assessed_at = at
        self._evidence = evidence
        self._derivations = derivations
        self._code: str | None = None
        self._elsewhere: Collection[str] = ()
        self._hidden: Collection[str] = ()
        self._declared = {
            type_: sorted(entries, key=_identity) for type_, entries in declared.resources.items()
        }
        self._gaps: dict[str, list[Gap]] = defaultdict(list)
        self._listings: dict[str, list[Listing]] = defaultdict(list)
        for gap in sorted((*evidence.gaps(), *declared.gaps), key=_gap_order):
            self._gaps[gap.type].append(gap)
        for listing in sorted(
            (*evidence.listings(), *declared.listings), key=lambda one: (one.scope.key(), one.proof)
        ):
            self._listings[listing.type].append(listing)
        self._needed = facts_told(controls)
        self._joins: dict[Join, _Index] = {}
        self._derive: Mapping[str, list[Derive]] | None = None

    @cached_property
    def parts(self) -> Sequence[Estate]:
        """Estates of which each judges its own resources, and every resource is of one of them.

        The first is of what is there and of what is declared, for both are of the subject as it is; where
        nothing but code was read, it sees all of that.
        """
        told = self._evidence.targets
        code = {name for name, is_code in told.items() if is_code}
        if not code or len(told) == 1:
            return [self]
        live = code < told.keys()
        # What is of no target, such as a published paper, counts for all of them.
        first = self._part(None, code, code if live else ())
        return [first, *(self._part(name, (), told.keys() - {name}) for name in sorted(code))]

    def _part(self, code: str | None, elsewhere: Collection[str], hidden: Collection[str]) -> Estate:
        """That of one code, else of all that is not judged elsewhere. It sees nothing of hidden targets."""
        part = copy(self)
        part._code, part._elsewhere, part._hidden = code, elsewhere, hidden
        part._joins, part._derive = {}, None
        part._gaps = {type_: [*_without(found, hidden)] for type_, found in self._gaps.items()}
        part._listings = {type_: [*_without(found, hidden)] for type_, found in self._listings.items()}
        return part

    def each(self, type_: str) -> Iterable[Resource]:
        """Resources as collected or declared, without derived facts."""
        if type_ in self._declared:
            return self._declared[type_]
        return _without(self._evidence.each(type_), self._hidden)

    def own(self, type_: str) -> Iterator[Resource]:
        """The resources that are judged in this part, with derived facts."""
        if self._code is None:
            return self._enriched(type_, _without(self.each(type_), self._elsewhere))
        return self._enriched(type_, (one for one in self.each(type_) if one.scope.target == self._code))

    def _steps(self, type_: str) -> Sequence[Derive]:
        """The derivations of a type, made ready when the first is needed."""
        if self._derive is None:
            steps: dict[str, list[Derive]] = defaultdict(list)
            for derivation in self._derivations:
                if served := types_served(derivation, self._needed):
                    derive = derivation.prepare(self)
                    for one in served:
                        steps[one].append(derive)
            self._derive = steps
        return self._derive.get(type_, ())

    def gaps_of(self, type_: str) -> Sequence[Gap]:
        """What was not seen of a type. A type nobody listed is a gap of its own."""
        found = self._gaps.get(type_, [])
        if type_ in self._declared or self._listings.get(type_) or any(gap.listing for gap in found):
            return found
        detail = "nothing of this kind was collected"
        return [*found, Gap(EVERYWHERE, type_, "list", Reason.NOT_COLLECTED, detail)]

    def hiding(self, type_: str) -> list[Gap]:
        """The gaps that may hide resources of a type, not only details of those that were listed."""
        return [gap for gap in self.gaps_of(type_) if gap.listing]

    def listings_of(self, type_: str) -> Sequence[Listing]:
        return self._listings.get(type_, ())

    def related(self, join: Join) -> _Index:
        if join not in self._joins:
            unseen = next((Unseen(gap.reason, gap.detail) for gap in self.hiding(join.type)), None)
            open_ = any(listing.open for listing in self.listings_of(join.type))
            self._joins[join] = index(join, self.enriched(join.type), unseen, open_=open_)
        return self._joins[join]

    def seen_at(self, type_: str, resource: Resource) -> Seconds:
        """When what technical controls read of a resource was observed.

        Facts about declared things, and about the platform as a whole, come out of the snapshot.
        """
        collected = self._evidence.collected_at
        # The date of an answer is the audited server's word: it can make evidence older, never younger.
        return collected if type_ in self._declared else min(resource.at, collected)

    @property
    def collected_at(self) -> Seconds:
        return self._evidence.collected_at

    def enriched(self, type_: str) -> Iterator[Resource]:
        """Resources with derived facts, common facts and their clock."""
        return self._enriched(type_, self.each(type_))

    def _enriched(self, type_: str, resources: Iterable[Resource]) -> Iterator[Resource]:
        derive = self._steps(type_)
        clock = self.assessed_at if type_ in self._declared else None
        for resource in resources:
            scope = resource.scope
            facts: dict[str, Value] = {
                **resource.facts,
                "id": resource.id,
                "name": resource.name,
                "target": scope.target,
                "region": scope.region,
                "project": scope.project,
                AT: resource.at if clock is None else clock,
            }
            unseen = resource.unseen
            if unseen:
                for name in ("region", "project", "name"):
                    if name in unseen:
                        del facts[name]
            beside: dict[str, tuple[Reading, ...]] | None = None
            for step in derive:
                derived = step(resource)
                facts |= derived.facts
                if derived.beside:
                    beside = {**(beside or {}), **derived.beside}
                if derived.unseen:
                    unseen = {**unseen, **derived.unseen}
            yield Resource(
                type_,
                resource.id,
                scope,
                resource.at,
                facts,
                resource.name,
                resource.endpoint,
                unseen,
                resource.sources,
                beside,
                resource.written,
            )


class _Placed(Protocol):
    @property
    def scope(self) -> Scope: ...


P = TypeVar("P", bound=_Placed)


def _without(found: Iterable[P], targets: Collection[str]) -> Iterable[P]:
    """Those of other targets, and of none."""
    return (one for one in found if one.scope.target not in targets) if targets else found


def _gap_order(gap: Gap) -> tuple[object, ...]:
    return (gap.scope.key(), gap.operation, gap.reason, gap.detail)


# --- judging --------------------------------------------------------------------------------------


def _steps(control: Control) -> tuple[tuple[Check | None, Verdict], ...]:
    """The conditions in the order they are judged, with the verdict each gives when it holds."""
    return (
        (control.not_applicable_when, Verdict.NOT_APPLICABLE),
        (control.expired_when, Verdict.EXPIRED),
        (control.pending_when, Verdict.MANUAL_PENDING),
        (control.check, Verdict.PASS),
    )


def verdict_of(control: Control, resource: Resource, frame: Frame) -> tuple[Verdict | None, Explanation]:
    """Judge one control on one enriched resource, with the facts that decided. None: not selected.

    What was decided stands on every condition up to the last one judged, whose facts come first; an
    unknown verdict on the facts that left that condition open.
    """
    readings: list[Reading] = []
    if control.where is not None:
        if control.where.judge(resource.facts, frame) is False:
            return None, Explanation(False)
        chosen = control.where.explain(resource, frame)
        if chosen.value is None:
            return Verdict.UNKNOWN, chosen
        readings += chosen.readings
    for condition, verdict in _steps(control):
        if condition is None:
            continue
        found = condition.explain(resource, frame)
        if found.value is None:
            return Verdict.UNKNOWN, found
        readings = [*found.readings, *readings]
        if found.value:
            return verdict, Explanation(True, _standing(readings, resource))
    if control.check is None:
        return Verdict.UNKNOWN, Explanation(None)
    return Verdict.FAIL, Explanation(False, _standing(readings, resource))


def _standing(readings: Sequence[Reading], resource: Resource) -> tuple[Reading, ...]:
    """What a verdict stands on. Where parameters alone decide, that is that the resource is there."""
    return distinct(readings) or (Reading(resource, "id", resource.id),)


def quick_verdict(control: Control, resource: Resource, frame: Frame) -> Verdict | None:
    """The same verdict without the facts: what judging many resources costs."""
    facts = resource.facts
    if control.where is not None:
        chosen = control.where.judge(facts, frame)
        if chosen is not True:
            return None if chosen is False else Verdict.UNKNOWN
    for condition, verdict in _steps(control):
        if condition is not None:
            value = condition.judge(facts, frame)
            if value is not False:
                return verdict if value else Verdict.UNKNOWN
    return Verdict.UNKNOWN if control.check is None else Verdict.FAIL


def reason_of(explanation: Explanation) -> tuple[Reason, str]:
    """Why a verdict is unknown: the reason given with the first fact that is not known, or not whole."""
    for reading in explanation.readings:
        if reading.unseen is not None:
            return reading.unseen.reason, reading.unseen.detail
    missing = [reading.fact for reading in explanation.readings if reading.value is MISSING]
    if missing:
        return Reason.NOT_COLLECTED, f"not seen: {', '.join(missing)}"
    return Reason.PARTIAL, "what was seen does not decide it"


class _Judge:
    """Hand out findings of one assessment and keep their tallies."""

    def __init__(
        self,
        world: Estate,
        waivers: Iterable[WaiverEntry],
        obligations: Mapping[str, Obligation],
        profile: Profile,
        sink: Sink | None,
    ) -> None:
        self.world = world
        self.at = world.assessed_at
        self.obligations = obligations
        self.sink = sink
        self.concludes = bool(profile.gates)
        """Whether the profile concludes on a cloud, and not only on what is there to look at."""
        self.tallies = {control.id: Tally() for control in profile.controls}
        self.waivers: dict[str, list[WaiverEntry]] = defaultdict(list)
        for waiver in sorted(waivers, key=lambda entry: entry.id):
            self.waivers[waiver.control].append(waiver)

    def all_of(self, type_: str, controls: Sequence[Control]) -> None:
        """Judge every resource of a type."""
        for part in self.world.parts:
            if self.sink is None:
                self._count(part, type_, controls)
            else:
                self._explain(part, type_, controls)

    def _explain(self, part: Estate, type_: str, controls: Sequence[Control]) -> None:
        frame = Frame(part)
        for resource in part.own(type_):
            weight, stale = _weight(resource), self._is_stale(part.seen_at(type_, resource))
            for control in controls:
                verdict, explanation = verdict_of(control, resource, frame)
                if verdict is None:
                    continue
                if stale and control.method is Method.TECHNICAL:
                    self._add(Finding(control, resource, Verdict.UNKNOWN, *_STALE, weight))
                else:
                    self._add(self._finding(control, resource, verdict, weight, explanation))

    def _count(self, part: Estate, type_: str, controls: Sequence[Control]) -> None:
        """The same without findings: nothing is kept but how often each verdict came, by weight."""
        frame = Frame(part)
        simple, others, judges = [], [], []
        for control in controls:
            if control.check is not None and len(control.conditions) == 1 and control.id not in self.waivers:
                simple.append(control)
                judges.append(control.check.judge)
            else:
                others.append(control)
        answers: dict[tuple[int | None, bool], list[dict[bool | None, int]]] = {}
        for resource in part.own(type_):
            weight, stale = _weight(resource), self._is_stale(part.seen_at(type_, resource))
            rows = answers.get((weight, stale))
            if rows is None:
                rows = answers[weight, stale] = [{True: 0, False: 0, None: 0} for _ in simple]
            facts = resource.facts
            for row, judge in zip(rows, judges, strict=True):
                row[judge(facts, frame)] += 1
            for control in others:
                verdict = quick_verdict(control, resource, frame)
                if verdict is not None:
                    self._tell(control, resource, _aged(verdict, control, stale), weight)
        for (weight, stale), rows in answers.items():
            for control, row in zip(simple, rows, strict=True):
                for value, count in row.items():
                    verdict = _aged(_OF_CHECK[value], control, stale)
                    self.tallies[control.id].add(verdict.value, weight, count)

    def _tell(self, control: Control, resource: Resource, verdict: Verdict, weight: int | None) -> None:
        is_waived = verdict in _WAIVABLE and self._waiver(control, resource)[0] is not None
        self.tallies[control.id].add(_WAIVED if is_waived else verdict.value, weight)

    def _is_stale(self, seen_at: Seconds) -> bool:
        return self.at - seen_at > MAX_EVIDENCE_AGE

    def _finding(
        self,
        control: Control,
        resource: Resource,
        verdict: Verdict,
        weight: int | None,
        explanation: Explanation,
    ) -> Finding:
        reason, detail = reason_of(explanation) if verdict is Verdict.UNKNOWN else (None, "")
        finding = Finding(control, resource, verdict, reason, detail, weight, explanation=explanation)
        if verdict not in _WAIVABLE:
            return finding
        waiver, refused = self._waiver(control, resource)
        return replace(finding, waiver=waiver, refused_waiver=refused)

    def _waiver(self, control: Control, resource: Resource) -> tuple[str | None, Text | None]:
        """The first waiver that holds for a finding, or why the first that was meant to does not."""
        refused: Text | None = None
        for waiver in self.waivers.get(control.id, ()):
            if waiver.covers(resource.id, resource.name, _system(resource)):
                refusal = self._refusal(waiver, control)
                if refusal is None:
                    return waiver.id, None
                refused = refused or refusal
        return None, refused

    def _refusal(self, waiver: WaiverEntry, control: Control) -> Text | None:
        """Why a waiver does not hold: out of date, or not of the authority that a law needs."""
        if self.at < waiver.starts:
            return Text(f"miễn trừ {waiver.id} chưa có hiệu lực", f"waiver {waiver.id} is not in force yet")
        if self.at >= waiver.until:
            return Text(f"miễn trừ {waiver.id} đã hết thời hạn", f"waiver {waiver.id} has expired")
        legal = next((id_ for id_ in control.obligations if self._is_legal(id_)), None)
        if legal is None or waiver.authority == "competent":
            return None
        return Text(
            f"miễn trừ {waiver.id} không do cấp có thẩm quyền phê duyệt; {legal} là quy định pháp luật",
            f"waiver {waiver.id} is not approved by the competent authority; {legal} is a legal duty",
        )

    def _is_legal(self, obligation: str) -> bool:
        """Whether an obligation stands in a law, decree or decision; one we do not know may."""
        return obligation not in self.obligations or self.obligations[obligation].kind in LEGAL_KINDS

    def _add(self, finding: Finding) -> None:
        key = _WAIVED if finding.waiver else finding.verdict.value
        self.tallies[finding.control.id].add(key, finding.weight)
        if self.sink is not None:
            self.sink(finding)

    def gapped(self, type_: str, controls: Sequence[Control]) -> None:
        """One unknown finding for each scope of a type that could not be listed.

        Where the profile has gates, code is such a scope too: what it declares is not all that the cloud has.
        A type that only code was read of was not collected of what is there.
        """
        scopes: dict[Scope, Gap] = {}
        for part in (self.world, self.world.parts[0]):
            for gap in hidden(part, type_) if self.concludes else part.hiding(type_):
                scopes.setdefault(gap.scope, gap)
        for scope, gap in scopes.items():
            place = self._place(type_, scope, gap.call)
            why = Reading(place, LISTING, MISSING, Unseen(gap.reason, gap.detail))
            for control in controls:
                self.tallies[control.id].listing_complete = False
                self._add(
                    Finding(
                        control, place, Verdict.UNKNOWN, gap.reason, gap.detail,
                        explanation=Explanation(None, (why,)),
                    )
                )  # fmt: skip

    def _place(self, type_: str, scope: Scope, call: int | None = None) -> Resource:
        """A scope in place of a resource: target/region/project, `*` for any, which is no resource's id."""
        id_ = "/".join(part or "*" for part in scope.key())
        name = "" if scope == EVERYWHERE else str(scope)
        sources = {} if call is None else {"": call}
        return Resource(type_, id_, scope, self.at, EMPTY, name, sources=sources)

    def empty(self, controls: Sequence[Control]) -> None:
        """A technical control without any finding is not applicable, with the listings that prove it.

        A paper or drill that nobody is registered to owe is not known: it is never proved away by an
        empty register. Neither is a list proof that is too old.
        """
        stale = self._is_stale(self.world.collected_at)
        for control in controls:
            tally = self.tallies[control.id]
            if tally.counts or not tally.listing_complete:
                continue
            place = self._place(control.applies_to[0], EVERYWHERE)
            if control.method is not Method.TECHNICAL:
                detail = f"no {' or '.join(control.applies_to)} is registered that this concerns"
                self._add(Finding(control, place, Verdict.UNKNOWN, Reason.UNMAPPED, detail))
            elif stale:
                self._add(Finding(control, place, Verdict.UNKNOWN, *_STALE))
            else:
                self._add(self._proved_absent(control, place))

    def loosened(self, profile: Profile) -> None:
        """A control whose parameters break a limit of the profile fails, whatever was found and waived."""
        for control in profile.controls:
            for broken in profile.loosened.get(control.id, ()):
                name, limit = broken.limit.parameter, broken.limit
                place = Resource(control.applies_to[0], f"param.{name}", EVERYWHERE, self.at, EMPTY)
                why = (
                    Reading(place, f"param.{name}", control.values[name]),
                    Reading(place, f"{LIMIT}.{limit.operator}", limit.value),
                )
                finding = Finding(
                    control, place, Verdict.FAIL, detail=broken.detail, explanation=Explanation(False, why)
                )
                self._add(finding)

    def _proved_absent(self, control: Control, place: Resource) -> Finding:
        listings = [one for type_ in control.applies_to for one in self.world.listings_of(type_)]
        proofs = sorted({listing.proof for listing in listings})
        readings = tuple(
            Reading(
                self._place(one.type, one.scope, one.call), LISTING, {"count": one.count, "proof": one.proof}
            )
            for one in listings[:MAX_LISTINGS]
        ) or (Reading(place, LISTING, {"count": 0, "proof": "no such entry is declared"}),)
        return Finding(
            control, place, Verdict.NOT_APPLICABLE, detail="; ".join(proofs[:MAX_LISTINGS]),
            explanation=Explanation(True, readings),
        )  # fmt: skip


_STALE: Final = (Reason.STALE, f"collected more than {MAX_EVIDENCE_AGE // 86400} days before")


def _aged(verdict: Verdict, control: Control, stale: bool) -> Verdict:
    return Verdict.UNKNOWN if stale and control.method is Method.TECHNICAL else verdict


def _system(resource: Resource) -> str | None:
    """The id of the system a resource belongs to, or is."""
    found = resource.id if resource.type == "system" else resource.facts.get("system.id")
    return found if isinstance(found, str) else None


def _weight(resource: Resource) -> int | None:
    """4, 2 or 1 by the criticality of the system a resource belongs to; None when it is not known."""
    if resource.type == "system":
        return CRITICALITY_WEIGHT.get(resource.facts.get("criticality"))
    facts = resource.facts
    return CRITICALITY_WEIGHT.get(facts.get("system.criticality")) if "system.id" in facts else None
