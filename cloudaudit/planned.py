"""Every request a profile needs of a subject, before one is made: what, how often, for which controls.

Reads declarations and targets, and asks nobody. What a collector sends beside the calls declared in
`resources/` (tokens, documents of versions, the list that a bucket's settings stand on) stands here too,
so that nothing leaves the machine that is not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from cloudaudit.collecting import DOCUMENT, KINDS, addresses_of_papers, openstack_target
from cloudaudit.collectors.openstack import OPERATOR, TENANT, OpenStackCollector, OpenStackTarget
from cloudaudit.collectors.openstack.cloud import CEILING
from cloudaudit.collectors.openstack.entry import read_entry
from cloudaudit.collectors.transport import printable
from cloudaudit.model import CallSpec, Profile, ResourceType, Text
from cloudaudit.plan import Plan, calls_of, plan, plans_of_controls
from cloudaudit.registers import Registers
from cloudaudit.targets import CodeEntry, Entry, OpenStackEntry, PluginEntry, Subject

DOCUMENTS: Final = "documents"
"""The name under which published papers stand, as the collector of them has it."""

PER: Final[Mapping[str, Text]] = {
    "target": Text("một lần", "once"),
    "system": Text("một lần, phạm vi hệ thống", "once, for the system"),
    "project": Text("mỗi dự án", "each project"),
    "region": Text("mỗi vùng", "each region"),
    "region_project": Text("mỗi dự án ở mỗi vùng", "each project in each region"),
    "item": Text("mỗi mục ({item})", "each item ({item})"),
    "bucket": Text("mỗi bucket", "each bucket"),
    "one_bucket": Text("một lần, trên một bucket", "once, of one bucket"),
    "token": Text("mỗi lần lấy token", "each token"),
    "endpoint": Text("mỗi điểm cuối", "each endpoint"),
    "document": Text("mỗi tài liệu", "each document"),
}
"""What a call is made once for, in words. The keys are the values of `per`."""

_TOKENS: Final = (
    CallSpec("keystone.token", "identity", "POST /auth/tokens", per="target"),
    CallSpec("keystone.token_system", "identity", "POST /auth/tokens", per="system"),
    CallSpec("keystone.token_project", "identity", "POST /auth/tokens", per="project"),
)
VERSION: Final = ".version"
"""End of the names of calls for a document of versions, which lies above the API's own address."""
SIGN_IN: Final = ".sign_in"
"""End of the names of calls to an identity provider, and to Keystone with what that gave."""
# What Keystone tells everybody; for the rest of its lists a token of the whole system is tried first.
_FOR_EVERYBODY: Final = frozenset({"keystone.catalog", "keystone.regions", "keystone.auth_projects"})
_BUCKETS: Final = "s3.bucket"
_LIST: Final = "s3.list_buckets"
_ANY: Final = frozenset({"id", "name", "uid"})
"""What stands in braces for things of any kind."""
_HEAD: Final = "s3.head_bucket"


@dataclass(frozen=True, slots=True)
class Planned:
    """One request as it is declared, and the ids of the controls it is made for."""

    call: CallSpec
    per: str
    controls: tuple[str, ...]

    @property
    def item(self) -> str:
        """Of `per` = "item": what the items are, as the path says: the list they stand in, or their name."""
        before, _, rest = self.call.request.partition("{")
        name = rest.partition("}")[0]
        listed = before.rstrip("/").rpartition("/")[2]
        return listed if name in _ANY and listed and "=" not in listed else name

    @property
    def often(self) -> Text:
        words = PER[self.per]
        return Text(words.vi.format(item=self.item), words.en.format(item=self.item))


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """What is asked of one target. `vantage` is empty where there is none to choose."""

    name: str
    kind: str
    vantage: str
    calls: tuple[Planned, ...]

    @property
    def by_call(self) -> Mapping[str, Planned]:
        """The calls by name, without what they lead to."""
        found: dict[str, Planned] = {}
        for one in self.calls:
            found.setdefault(one.call.name, one)
        return found


@dataclass(frozen=True)
class Needs:
    """A profile's plan, and which controls need what of it."""

    types: Mapping[str, ResourceType]
    plan: Plan
    by_control: Mapping[str, Plan]

    @staticmethod
    def of(profile: Profile, types: Mapping[str, ResourceType]) -> Needs:
        return Needs(types, plan(profile, types), plans_of_controls(profile, types))

    @cached_property
    def by_call(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """By the name of a call: the controls that need it, each with the types it needs it for."""
        found: dict[str, dict[str, list[str]]] = {}
        for id_, own in self.by_control.items():
            for type_, facts in own.facts.items():
                for call in calls_of(self.types[type_], facts):
                    found.setdefault(call.name, {}).setdefault(id_, []).append(type_)
        return found

    def controls_of_call(self, name: str, prefix: str) -> tuple[str, ...]:
        """Controls that need a call for a type whose name begins so."""
        return tuple(
            id_
            for id_, types in self.by_call.get(name, {}).items()
            if any(type_.startswith(prefix) for type_ in types)
        )

    def controls_of_fact(self, type_: str, fact: str | None) -> tuple[str, ...]:
        """Controls that read a fact of a type, or for None its list. They may end as unknown without it."""
        return tuple(
            id_
            for id_, own in self.by_control.items()
            if type_ in own.facts and (fact is None or fact in own.facts[type_])
        )


def planned(subject: Subject, needs: Needs, declared: Registers) -> tuple[TargetPlan, ...]:
    """What is asked of each target of a subject, and of the places where its papers are published."""
    found = [_of_target(entry, needs) for entry in subject.targets]
    if DOCUMENT in needs.plan.wanted and addresses_of_papers(declared):
        found.append(TargetPlan(DOCUMENTS, "document", "", tuple(_declared(needs, "published_document"))))
    return tuple(found)


def _of_target(entry: Entry, needs: Needs) -> TargetPlan:
    if isinstance(entry, OpenStackEntry):
        known = read_entry(openstack_target(entry))
        calls = of_openstack(
            needs,
            entry.vantage,
            scopable=known.scopable,
            discovers=not known.auth_type.startswith("v3"),
            providers=tuple(sorted(known.provider_urls)),
        )
        return TargetPlan(entry.name, entry.kind, entry.vantage, calls)
    if isinstance(entry, CodeEntry):
        # A file is read, and nobody is asked.
        return TargetPlan(entry.name, entry.kind, "", ())
    if isinstance(entry, PluginEntry):
        # What its collector asks beside its declared calls, its package has to tell.
        calls = tuple(sorted(_declared(needs, f"{entry.kind}."), key=_place))
        return TargetPlan(entry.name, entry.kind, "", calls)
    calls = of_s3(needs, named=entry.buckets is not None, admin=entry.has_admin_key)
    return TargetPlan(entry.name, entry.kind, "", calls)


def of_openstack(
    needs: Needs,
    vantage: str = TENANT,
    *,
    scopable: bool = True,
    discovers: bool = False,
    providers: Sequence[str] = (),
) -> tuple[Planned, ...]:
    """What is asked of an OpenStack cloud.

    `scopable`: the credential can have tokens of several scopes. `discovers`: its kind reads Keystone's
    document of versions before it asks for a token. `providers`: whole addresses it signs in at first.
    """
    prefix = KINDS["openstack"]
    calls = list(_declared(needs, prefix, vantage))
    wanted = {one.call.name for one in calls}
    if not wanted:
        return ()
    everyone = reading(needs, prefix)
    services = {one.call.service for one in calls}
    own, system, each = _TOKENS
    beside = [CallSpec(f"keystone{VERSION}", "identity", "GET /", per="target")] if discovers else []
    for url in providers:
        request = f"POST {_without_user(url)}"
        beside.append(CallSpec(f"keystone{SIGN_IN}", "identity", request, per="token"))
    beside.append(own)
    keystone = {one.call.name for one in calls if one.call.service == "identity"}
    if scopable and (vantage == OPERATOR or keystone - _FOR_EVERYBODY):
        beside.append(system)
    if scopable and any(one.per in ("project", "region_project", "item") for one in calls):
        beside.append(each)
    if "keystone.auth_projects" not in wanted:
        beside.append(needs.types["openstack.project"].calls["keystone.auth_projects"])
    found = [Planned(call, call.per or "target", everyone) for call in beside]
    for service in sorted(s for s in services & set(CEILING) if f"{s}{VERSION}" not in wanted):
        of_service = {id_ for one in calls if one.call.service == service for id_ in one.controls}
        call = CallSpec(f"{service}{VERSION}", service, "GET /", per="region")
        found.append(Planned(call, "region", tuple(i for i in everyone if i in of_service)))
    return tuple(sorted([*found, *calls], key=_place))


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return printable(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))


def of_s3(needs: Needs, *, named: bool = False, admin: bool = False) -> tuple[Planned, ...]:
    """What is asked of an S3 endpoint.

    `named`: targets.yaml names the buckets. `admin`: it names a key for the admin API of Ceph RGW.
    """
    prefix = KINDS["s3"]
    calls = {one.call.name: one for one in _declared(needs, prefix, OPERATOR if admin else "")}
    if not calls:
        return ()
    # A bucket's settings prove nothing before its HEAD, and buckets that nobody names are found in the list.
    asked = {name for name, one in calls.items() if one.per in ("bucket", "one_bucket")}
    beside = [_HEAD] if asked or (named and _LIST in calls) else []
    beside += [_LIST] if asked and not named else []
    controls = reading(needs, prefix)
    for name in beside:
        call = needs.types[_BUCKETS].calls[name]
        calls.setdefault(name, Planned(call, _per(call, "", ""), controls))
    return tuple(sorted(calls.values(), key=_place))


def reading(needs: Needs, prefix: str) -> tuple[str, ...]:
    """Controls that need anything of types whose names begin so."""
    return tuple(id_ for id_, own in needs.by_control.items() if any(t.startswith(prefix) for t in own.facts))


def _place(one: Planned) -> tuple[int, str, bool, bool, bool, str]:
    """By service, Keystone first and probes last; in it the versions, tokens, lists, and then the rest."""
    call = one.call
    rank = 0 if call.service == "identity" else 2 if call.service == "probe" else 1
    beside = not call.name.endswith(VERSION), not call.request.startswith("POST")
    return rank, call.service, *beside, not call.lists, call.name


def _declared(needs: Needs, prefix: str, vantage: str = "") -> Iterator[Planned]:
    """The declared calls of types whose names begin so, each once, with what they lead to."""
    seen: set[str] = set()
    for name in needs.plan.types:
        type_ = needs.types[name]
        for call in type_.calls.values() if name.startswith(prefix) else ():
            if call.name in seen or call.name not in needs.plan.wanted or call.vantage not in ("", vantage):
                continue
            seen.add(call.name)
            controls = needs.controls_of_call(call.name, prefix)
            yield Planned(call, _per(call, name, vantage), controls)
            for request in call.also:
                further = replace(call, request=request, per="", also=())
                yield Planned(further, _per(further, name, vantage), controls)


def _per(call: CallSpec, type_: str, vantage: str) -> str:
    """What a call is made once for: as declared, else each thing in braces, else as its type is listed."""
    if call.per:
        return "region" if call.per == "region_project" and vantage == OPERATOR else call.per
    _, brace, rest = call.request.partition("{")
    if brace:
        thing = rest.partition("}")[0]
        return "region_project" if thing == "project" else thing if thing in PER else "item"
    if not type_.startswith(KINDS["openstack"]):
        return "target"
    collector = OpenStackCollector(OpenStackTarget("", "", vantage=vantage or TENANT), now=lambda: 0)
    return collector.asked_per(call.name, type_)
