"""What the admin API of Ceph RGW tells beside S3: zonegroups, zones and their sync, users, quotas.

A store that shows by its marks to be another one has no zones; there a key for it is not missed.

Only GET, with a key of its own whose user needs read caps and no data. Answers about users hold every
secret key there is, which is why a resource is made of the fields named here and of nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from cloudaudit.collectors import Seen
from cloudaudit.collectors.buckets import Unreadable
from cloudaudit.collectors.s3.answers import name_of, refusal, told
from cloudaudit.collectors.s3.credentials import Signer
from cloudaudit.collectors.s3.store import OTHERS, kind_of, zone_of
from cloudaudit.collectors.s3.target import S3Target
from cloudaudit.collectors.sightings import in_order
from cloudaudit.collectors.transport import (
    Answer,
    CallLog,
    Clock,
    Failure,
    HttpClient,
    Journal,
    Request,
    nfc,
    printable,
)
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope, Seconds, Unseen, Value

ZONEGROUP: Final = "s3.zonegroup"
ZONE: Final = "s3.zone"
USER: Final = "s3.user"
QUOTA: Final = "s3.bucket_quota"
TYPES: Final = frozenset({ZONEGROUP, ZONE, USER, QUOTA})

PERIOD: Final = "s3.admin_period"
METADATA_SYNC: Final = "s3.admin_metadata_sync"
DATA_SYNC: Final = "s3.admin_data_sync"
USERS: Final = "s3.admin_users"
USER_INFO: Final = "s3.admin_user"
BUCKETS: Final = "s3.admin_buckets"
CALLS: Final[Mapping[str, str]] = {
    PERIOD: "zone=read",
    METADATA_SYNC: "mdlog=read",
    DATA_SYNC: "datalog=read",
    USERS: "metadata=read",
    USER_INFO: "users=read",
    BUCKETS: "buckets=read",
}
"""Calls of the admin API, with the caps each needs."""

_NO_KEY: Final = (
    "targets.yaml gives no key for the admin API; name admin_profile, or admin_access_key_file and "
    "admin_secret_key_file, of a user with caps "
)
_GROUPS_OF_USER: Final = (
    "suspended", "tenant", "op_mask", "caps", "mfa", "system", "admin", "max_buckets", "access_keys",
    "user_quota", "bucket_quota",
)  # fmt: skip
_LONGEST_NAME: Final = 512


@dataclass(frozen=True, slots=True)
class _Told:
    """One answer of the admin API: its document, or why there is none."""

    document: Any
    why: Unseen | None
    call: int | None
    at: Seconds | None
    zone: str | None = None
    """Name of the zone whose gateway answered, by the mark it puts into its answers."""


@dataclass(slots=True)
class _Draft:
    """Facts of one resource, each by a reader of its own; what cannot be read is unseen."""

    facts: dict[str, Value] = field(default_factory=dict)
    unseen: dict[str, Unseen] = field(default_factory=dict)

    def take(self, fact: str, value: object, read: Callable[[object], Value]) -> None:
        try:
            self.facts[fact] = read(value)
        except Unreadable as error:
            self.unseen[fact.partition(".")[0]] = Unseen(Reason.INVALID_ANSWER, f"200, but {fact} {error}")


class Admin:
    """One endpoint's admin API. Without a signer there is no key for it: every list is a gap."""

    def __init__(
        self,
        target: S3Target,
        client: HttpClient,
        signer: Signer | None,
        scope: Scope,
        wanted: frozenset[str],
        log: CallLog,
        now: Clock,
        kind: str | None = None,
    ) -> None:
        self._kind = kind
        self._target = target
        self._client = client
        self._signer = signer
        self._scope = scope
        self._wanted = wanted
        self._log = log
        self._now = now

    def everything(self) -> Iterator[Seen]:
        """Resources, then the listing or gap of each type, and only calls that are wanted."""
        if self._wanted & {PERIOD, METADATA_SYNC, DATA_SYNC}:
            yield from self._zones()
        if self._wanted & {USERS, USER_INFO}:
            yield from self._users()
        if BUCKETS in self._wanted:
            yield from self._quotas()

    # --- zones ------------------------------------------------------------------------------------

    def _zones(self) -> Iterator[Seen]:
        if self._signer is None and self._kind in OTHERS:
            proof = f"the store is {self._kind}, and zones are those of Ceph RGW"
            yield from (Listing(self._scope, type_, 0, proof) for type_ in (ZONEGROUP, ZONE))
            return
        answered = self._ask(PERIOD, "realm/period")
        if answered.why is not None and answered.why.reason is Reason.SERVICE_ABSENT:
            # A store that was never given a realm has no period, and one zonegroup of its own all the same.
            answered = self._ask(PERIOD, "config", "type=zonegroup-map")
        groups = [] if answered.why else _zonegroups(answered.document)
        if answered.why is not None or groups is None:
            why = answered.why or Unseen(Reason.INVALID_ANSWER, "200, but it holds no list of zonegroups")
            yield from (Gap(self._scope, type_, PERIOD, why.reason, why.detail, answered.call)
                        for type_ in (ZONE, ZONEGROUP))  # fmt: skip
            return
        zones = [(group, zone) for group in groups for zone in group["zones"]]
        own = answered.zone if answered.zone in {zone.get("name") for _, zone in zones} else None
        for group in groups:
            yield self._resource(ZONEGROUP, group, _zonegroup(group), answered)
        syncs = self._syncs(zones, own) if own is not None else {}
        for group, zone in zones:
            draft = _zone(group, zone, own)
            sources: dict[str, int] = {}
            for name, state, call in syncs.get(_id(zone), ()):
                if isinstance(state, Unseen):
                    draft.unseen[name] = state
                else:
                    draft.facts[f"{name}.state"] = state
                if call is not None:
                    sources[name] = call
            yield self._resource(ZONE, zone, draft, answered, sources)
        yield Listing(
            self._scope, ZONEGROUP, len(groups), f"the period names {len(groups)} zonegroups", answered.call
        )
        yield Listing(self._scope, ZONE, len(zones), f"the period names {len(zones)} zones", answered.call)

    def _syncs(
        self, zones: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], own: str
    ) -> Mapping[str, list[tuple[str, str | Unseen | None, int | None]]]:
        """How the gateway's own zone keeps up: with metadata in all, with data from each other zone."""
        found: dict[str, list[tuple[str, str | Unseen | None, int | None]]] = {}
        for group, zone in zones:
            rows = found.setdefault(_id(zone), [])
            is_own = zone.get("name") == own
            if METADATA_SYNC in self._wanted:
                if _leads(group, zone):
                    # NOTE: asked all the same, it answers "init" for ever, like one that does not keep up.
                    rows.append(("metadata_sync", None, None))
                elif is_own:
                    rows.append(("metadata_sync", *self._state(METADATA_SYNC, "type=metadata&status")))
                else:
                    detail = f"asked was a gateway of zone '{printable(own, 80)}': only its own tells"
                    rows.append(("metadata_sync", Unseen(Reason.PARTIAL, detail), None))
            if DATA_SYNC in self._wanted:
                query = f"type=data&status&source-zone={quote(_id(zone), safe='')}"
                rows.append(("data_sync", *((None, None) if is_own else self._state(DATA_SYNC, query))))
        return found

    def _state(self, call: str, query: str) -> tuple[str | Unseen, int | None]:
        answered = self._ask(call, "log", query)
        if answered.why is not None:
            return answered.why, answered.call
        document = (
            answered.document.get("status", answered.document)
            if isinstance(answered.document, dict)
            else None
        )
        info = document.get("info") if isinstance(document, dict) else None
        state = info.get("status") if isinstance(info, dict) else None
        if not isinstance(state, str):
            return Unseen(Reason.INVALID_ANSWER, "200, but it tells no state of the sync"), answered.call
        return printable(state, 80), answered.call

    # --- users and quotas -------------------------------------------------------------------------

    def _users(self) -> Iterator[Seen]:
        answered = self._ask(USERS, "metadata/user")
        names = answered.document if isinstance(answered.document, list) else None
        if answered.why is not None or names is None or not all(map(_is_name, names)):
            why = answered.why or Unseen(Reason.INVALID_ANSWER, "200, but it is no list of users")
            yield Gap(self._scope, USER, USERS, why.reason, why.detail, answered.call)
            return
        uids = tuple(dict.fromkeys(names))
        refused: list[tuple[str, Unseen, int | None]] = []

        def visit(uid: str, own: CallLog) -> tuple[str, _Told | None]:
            asked = USER_INFO in self._wanted
            query = f"uid={quote(uid, safe='')}"
            return uid, self._ask(USER_INFO, "user", query, own) if asked else None

        for (uid, info), offset in in_order(uids, visit, self._log, self._target.max_in_flight):
            draft, sources = _Draft(), {"": answered.call} if answered.call is not None else {}
            if info is not None:
                draft = _user(info)
                call = None if info.call is None else info.call + offset
                if info.why is not None:
                    refused.append((uid, info.why, call))
                if call is not None:
                    sources |= dict.fromkeys(_GROUPS_OF_USER, call)
            yield self._made(USER, nfc(uid), nfc(uid), draft, answered.at, sources)
        for reason in sorted({why.reason for _, why, _ in refused}):
            of_reason = [row for row in refused if row[1].reason is reason]
            uid, why, call = of_reason[0]
            detail = f"{len(of_reason)} users, the first '{printable(uid, 80)}': {why.detail}"
            yield Gap(self._scope, USER, USER_INFO, reason, detail, call, listing=False)
        yield Listing(self._scope, USER, len(uids), f"metadata names {len(uids)} users", answered.call)

    def _quotas(self) -> Iterator[Seen]:
        answered = self._ask(BUCKETS, "bucket", "stats=true")
        rows = answered.document if isinstance(answered.document, list) else None
        whole = rows is not None and all(isinstance(r, dict) and _is_name(r.get("bucket")) for r in rows)
        if answered.why is not None or rows is None or not whole:
            why = answered.why or Unseen(
                Reason.INVALID_ANSWER, "200, but it is no list of buckets with their figures"
            )
            yield Gap(self._scope, QUOTA, BUCKETS, why.reason, why.detail, answered.call)
            return
        for row in rows:
            tenant, bucket = row.get("tenant"), nfc(row["bucket"])
            id_ = f"{nfc(tenant)}/{bucket}" if isinstance(tenant, str) and tenant else bucket
            sources = {"": answered.call} if answered.call is not None else {}
            yield self._made(QUOTA, id_, bucket, _quota_of(row), answered.at, sources)
        yield Listing(
            self._scope, QUOTA, len(rows), f"the admin API lists {len(rows)} buckets", answered.call
        )

    # --- one answer -------------------------------------------------------------------------------

    def _ask(self, call: str, path: str, query: str = "", log: CallLog | None = None) -> _Told:
        if self._signer is None:
            return _Told(None, Unseen(Reason.NO_PERMISSION, _NO_KEY + CALLS[call]), None, None)
        base = self._target.url().rstrip("/")
        url = f"{base}{self._target.admin_path}/{path}{'?' if query else ''}{query}"
        request = Request("GET", url, sign=self._signer.headers)
        answer = self._client.send(request, Journal(log or self._log, self._scope, "s3"))
        if isinstance(answer, Failure):
            return _Told(None, Unseen(answer.reason, answer.detail), answer.call, None)
        document = _json(answer.body)
        why = _why_not(answer, document, CALLS[call], self._target.admin_path)
        return _Told(None if why else document, why, answer.call, answer.at, zone_of(answer.headers))

    def _resource(
        self,
        type_: str,
        written: Mapping[str, Any],
        draft: _Draft,
        answered: _Told,
        sources: Mapping[str, int] | None = None,
    ) -> Resource:
        name = written.get("name")
        own = {"": answered.call} if answered.call is not None else {}
        named = nfc(name) if isinstance(name, str) else ""
        return self._made(type_, _id(written), named, draft, answered.at, {**own, **(sources or {})})

    def _made(
        self, type_: str, id_: str, name: str, draft: _Draft, at: Seconds | None, sources: Mapping[str, int]
    ) -> Resource:
        return Resource(
            type=type_, id=id_, name=name, scope=self._scope, at=self._now() if at is None else at,
            facts=draft.facts, endpoint=self._target.endpoint, unseen=draft.unseen, sources=sources,
        )  # fmt: skip


def _json(body: bytes) -> Any:
    """The document of an answer; None where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _why_not(answer: Answer, document: Any, caps: str, path: str) -> Unseen | None:
    """Why an answer is none of the admin API, or a refusal by it; None when it is what was asked for."""
    kind = kind_of(answer.headers)
    code = name_of(document.get("Code")) if isinstance(document, dict) else told(answer.body).code
    said = f"{answer.status} {code}".strip()
    if kind not in (None, "ceph"):
        detail = f"{said}: the store is {kind}, and has no admin API of Ceph RGW"
        return Unseen(Reason.NOT_IMPLEMENTED, detail)
    if answer.status == 200 and document is not None:
        return None
    if answer.status == 200 and kind == "ceph":
        return Unseen(Reason.INVALID_ANSWER, "200 with something that is no JSON")
    # A gateway whose admin API is switched off takes the path for a bucket.
    off = answer.status == 404 and (kind is None or code == "NoSuchBucket")
    if answer.status in (200, 405, 501) or off:
        return Unseen(Reason.NOT_IMPLEMENTED, f"{said}: there is no admin API of Ceph RGW at {path}")
    if answer.status == 404:
        return Unseen(Reason.SERVICE_ABSENT, said)
    if answer.status == 403 and code in ("", "AccessDenied"):
        return Unseen(Reason.NO_PERMISSION, f"{said}: give the user of the admin key the caps {caps}")
    refused = refusal(answer, "the admin API", code)
    return Unseen(refused.reason or Reason.INVALID_ANSWER, refused.detail)


# --- documents ------------------------------------------------------------------------------------


def _zonegroups(document: Any) -> list[Mapping[str, Any]] | None:
    """The zonegroups of a period, or of a zonegroup map, each with the realm and whether it is the master."""
    if not isinstance(document, dict):
        return None
    held = document.get("period_map", document)
    rows = held.get("zonegroups") if isinstance(held, dict) else None
    if not isinstance(rows, list):
        return None
    # A map writes each as {"key": …, "val": {…}}.
    groups = [row.get("val", row) if isinstance(row, dict) else None for row in rows]
    found: list[Mapping[str, Any]] = [group for group in groups if isinstance(group, dict)]
    zones = [zone for group in found for zone in _list(group.get("zones"))]
    # One that cannot be told apart makes the whole list no list: a zone left out would not be missed.
    named = all(isinstance(one, dict) and _is_name(one.get("id")) for one in (*found, *zones))
    lists = all(isinstance(group.get("zones"), list) for group in found)
    return found if named and lists and len(found) == len(groups) else None


def _leads(group: Mapping[str, Any], zone: Mapping[str, Any]) -> bool:
    """Whether it is the zone that all others take their metadata from."""
    return group.get("is_master") in (True, "true") and zone.get("id") == group.get("master_zone")


def _zonegroup(group: Mapping[str, Any]) -> _Draft:
    draft = _Draft()
    draft.take("api_name", group.get("api_name"), _text)
    draft.take("is_master", group.get("is_master"), _flag)
    draft.take("endpoints", group.get("endpoints"), _texts)
    draft.take("hostnames", group.get("hostnames"), _texts)
    draft.take("default_placement", group.get("default_placement"), _text)
    draft.take("placement_targets", group.get("placement_targets"), _placements)
    draft.take("realm_id", group.get("realm_id", ""), _text_or_none)
    return draft


def _zone(group: Mapping[str, Any], zone: Mapping[str, Any], own: str | None) -> _Draft:
    draft = _Draft({"gateway": None if own is None else zone.get("name") == own})
    draft.take("zonegroup", group.get("name"), _text)
    draft.facts["is_master"] = zone.get("id") == group.get("master_zone")
    draft.take("endpoints", zone.get("endpoints"), _texts)
    for fact in ("read_only", "log_meta", "log_data", "sync_from_all"):
        draft.take(fact, zone.get(fact), _flag)
    draft.take("sync_from", zone.get("sync_from"), _texts)
    draft.take("tier_type", zone.get("tier_type", ""), _text_or_none)
    if own is None:
        unknown = Unseen(Reason.AMBIGUOUS, "the answers do not tell which zone the gateway belongs to")
        draft.unseen.update(metadata_sync=unknown, data_sync=unknown)
    return draft


def _user(info: _Told) -> _Draft:
    draft = _Draft()
    found = info.document
    if info.why is not None or not isinstance(found, dict):
        why = info.why or Unseen(Reason.INVALID_ANSWER, "200, but it tells of no user")
        draft.unseen.update(dict.fromkeys(_GROUPS_OF_USER, why))
        return draft
    draft.take("suspended", found.get("suspended"), _flag)
    draft.take("tenant", found.get("tenant", ""), _text_or_none)
    draft.take("op_mask", found.get("op_mask"), _mask)
    draft.take("caps", found.get("caps"), _caps)
    draft.take("mfa.enabled", found.get("mfa_ids"), lambda ids: bool(_texts(ids)))
    draft.take("system", found.get("system", False), _flag)
    draft.take("admin", found.get("admin", False), _flag)
    draft.take("max_buckets", found.get("max_buckets"), _number)
    draft.take("access_keys", found.get("keys"), _count)
    for name in ("user_quota", "bucket_quota"):
        _take_quota(draft, name, found.get(name))
    return draft


def _quota_of(row: Mapping[str, Any]) -> _Draft:
    draft = _Draft()
    draft.take("owner", row.get("owner"), _text)
    draft.take("tenant", row.get("tenant", ""), _text_or_none)
    draft.take("zonegroup_id", row.get("zonegroup"), _text)
    draft.take("placement", row.get("placement_rule"), _text)
    _take_quota(draft, "quota", row.get("bucket_quota"))
    return draft


def _take_quota(draft: _Draft, name: str, quota: object) -> None:
    fields = quota if isinstance(quota, dict) else {}
    draft.take(f"{name}.enabled", fields.get("enabled"), _flag)
    draft.take(f"{name}.max_size", fields.get("max_size"), _limit)
    draft.take(f"{name}.max_objects", fields.get("max_objects"), _limit)


# --- values ---------------------------------------------------------------------------------------


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME


def _id(written: Mapping[str, Any]) -> str:
    id_ = written.get("id")
    return nfc(id_) if isinstance(id_, str) else ""


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Unreadable("is no text")
    return nfc(value)


def _text_or_none(value: object) -> str | None:
    return _text(value) or None


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Unreadable("is no list")
    return tuple(_text(item) for item in value)


def _flag(value: object) -> bool:
    """Ceph writes truth as JSON's own, as "true", and as 0 and 1."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    if value in (0, 1):
        return value == 1
    raise Unreadable("is neither true nor false")


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 2**53 - 1:
        raise Unreadable("is no whole number")
    return value


def _limit(value: object) -> int | None:
    """A limit of a quota; below zero there is none."""
    number = _number(value)
    return None if number < 0 else number


def _count(value: object) -> int:
    if not isinstance(value, list):
        raise Unreadable("is no list")
    return len(value)


def _mask(value: object) -> tuple[str, ...]:
    return tuple(sorted(word for part in _text(value).split(",") if (word := part.strip())))


def _caps(value: object) -> tuple[str, ...]:
    rows = [row for row in _list(value) if isinstance(row, dict)]
    if not isinstance(value, list) or len(rows) < len(value):
        raise Unreadable("is no list of caps")
    return tuple(sorted(f"{_text(row.get('type'))}={_text(row.get('perm'))}" for row in rows))


def _placements(value: object) -> tuple[Value, ...]:
    rows = [row for row in _list(value) if isinstance(row, dict)]
    if not isinstance(value, list) or len(rows) < len(value):
        raise Unreadable("is no list of placements")
    return tuple(
        {
            "name": _text(row.get("name")),
            "tags": _texts(row.get("tags", [])),
            "storage_classes": _texts(row.get("storage_classes", [])),
        }
        for row in rows
    )
