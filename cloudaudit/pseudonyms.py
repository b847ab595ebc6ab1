"""Replace names in a report by keyed hashes, for readers outside who may judge the numbers, not the cloud.

What is kept is listed here, field by field; everything else is replaced or left out, so that a field that
nobody thought of cannot leak. A pseudonym is HMAC-SHA-256 under a key the organisation keeps, over the kind
of name and the name, cut to 80 bits: equal names stay equal and different ones different, within a kind,
and nobody can try names without the key. Verdicts, weights, numbers, times and reason codes stay, so that
every figure of readiness can be computed again.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from cloudaudit.errors import BundleError
from cloudaudit.operators import glob_match

LEAST_KEY: Final = 32
"""Bytes of a key file, at least."""

REPLACED: Final = (
    "capabilities[].endpoint", "capabilities[].server_kind", "capabilities[].target", "claims[].id",
    "collection[].region", "collection[].target", "findings[].detail", "findings[].evidence[].resource",
    "findings[].evidence[].source", "findings[].evidence[].value (text)", "findings[].fingerprint",
    "findings[].message (the title of the control stands there)", "findings[].refused_waiver",
    "findings[].resource.id", "findings[].resource.name", "findings[].resource.project",
    "findings[].resource.region", "findings[].resource.site", "findings[].resource.system",
    "findings[].resource.target", "findings[].waiver", "gaps[].detail", "gaps[].project", "gaps[].region",
    "gaps[].target", "plans[].measure", "plans[].owner", "plans[].resource", "plans[].system", "projects",
    "registers[].sha256", "snapshot.sha256", "targets[].name", "waivers[].approver", "waivers[].compensating",
    "validity.because", "validity.evidence", "waivers[].id", "waivers[].reason", "waivers[].resource",
    "waivers[].system",
)  # fmt: skip
"""Fields with a pseudonym, or a fixed text, in place of what stood there."""

LEFT_OUT: Final = (
    "previous/", "registers/", "snapshot/", "targets[] (all but name, kind, vantage)",
    "any field that is not known here",
)  # fmt: skip

PUBLIC_FACTS: Final = frozenset(
    {
        "acl.grants.permission", "country", "criticality", "direction", "disk_format", "encryption.cipher",
        "encryption.provider", "ethertype", "kind", "policy", "protocol", "replica_state",
        "replication.state", "replication_status", "result", "scheme", "security_level", "state", "status",
        "system.criticality", "tls.version", "versioning.state", "visibility",
    }
)  # fmt: skip
"""Facts whose texts are one of a few words that the API or the register sets, and name nobody."""
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z", re.ASCII)
_CODE: Final = re.compile(r"[a-z0-9_.-]{1,60}", re.ASCII)
_MARKS: Final = frozenset({"$at_most", "$at_least", "$partial", "$more"})
_KINDS: Final = {"openstack.project": "project", "system": "system", "site": "site", "attestation": "claim"}
"""Types whose ids are named in other fields too, with the kind of name they share."""
_REFUSED_WAIVER: Final = {
    "vi": "Có miễn trừ không được chấp nhận; nội dung không công bố",
    "en": "A waiver was refused; what it says is not published",
}


class Pseudonyms:
    """The names of one key. It shows no key, and neither do its errors."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of_file(cls, data: bytes, name: str) -> Pseudonyms:
        """Take a key from a file of hexadecimal digits. BundleError: it holds others, or too few.

        Bytes of any file would do as a key, and who guesses the file undoes the names.
        """
        try:
            key = bytes.fromhex(data.decode("ascii").strip())
        except ValueError:
            key = b""
        if len(key) < LEAST_KEY or len(set(key)) < 8:
            raise BundleError(
                f"{name} holds no key for pseudonyms: {LEAST_KEY} random bytes in hexadecimal are the least",
                hint=f"openssl rand -hex 32 > {name}, and keep it: without it nobody can link the copy",
            )
        return cls(key)

    @property
    def id(self) -> str:
        """Tells keys apart, and nothing else of them."""
        return self._mac("key", "")[:16]

    def digest(self, kind: str, text: str) -> str:
        """64 hexadecimal digits in place of a digest, which short files could be guessed from."""
        return self._mac(kind, text)

    def name(self, kind: str, text: str) -> str:
        """The pseudonym of a text; nothing stays nothing."""
        if not text:
            return text
        raw = bytes.fromhex(self._mac(kind, text))[:10]
        return "h-" + base64.b32encode(raw).decode().lower()

    def _mac(self, kind: str, text: str) -> str:
        return hmac.new(self._key, f"{kind}\0{text}".encode("utf-8", "surrogatepass"), sha256).hexdigest()

    def maybe(self, kind: str, text: str | None) -> str | None:
        return None if text is None else self.name(kind, text)

    # --- a finding ------------------------------------------------------------------------------------

    def finding(self, record: Mapping[str, Any], titles: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
        """A record of a finding. `titles` are those of the controls."""
        return {
            "fingerprint": self.digest("fingerprint", record["fingerprint"]),
            "control": record["control"],
            "resource": self._resource(record["resource"]),
            "verdict": record["verdict"],
            "disposition": record["disposition"],
            "reason_code": record["reason_code"],
            "detail": self.maybe("text", record["detail"]),
            "message": dict(titles[record["control"]]),
            "weight": record["weight"],
            "assurance": record["assurance"],
            "evidence": [self._evidence(entry) for entry in record["evidence"]],
            "waiver": self.maybe("waiver", record["waiver"]),
            "refused_waiver": _REFUSED_WAIVER if record["refused_waiver"] else None,
        }

    def _resource(self, place: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "type": place["type"],
            "id": self._id(place["type"], place["id"]),
            "name": self.maybe("name", place["name"]),
            **{
                kind: self.maybe(kind, place[kind])
                for kind in ("target", "region", "project", "system", "site")
            },
        }

    def _id(self, type_: str, id_: str) -> str:
        return self.name(_KINDS.get(type_, "resource"), id_)

    def _evidence(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        type_, _, id_ = entry["resource"].partition(":")
        fact = entry["fact"]
        found = {"fact": fact, "resource": f"{type_}:{self._id(type_, id_)}"}
        if "missing" in entry:
            found["missing"] = entry["missing"]
        elif fact.startswith("param."):
            # Parameters stand in the profile, which goes with the copy.
            found["value"] = entry["value"]
        else:
            found["value"] = self._value(entry["value"], fact)
        found["source"] = "; ".join(self._source(part) for part in entry["source"].split("; "))
        found["at"] = entry["at"]
        return found

    def _source(self, part: str) -> str:
        head, colon, rest = part.partition(":")
        if part == "profile" or (head in ("derived", "register", "listing") and colon and " " not in rest):
            return part
        return self.name("call", part)

    def _value(self, value: Any, fact: str) -> Any:
        match value:
            case str() if _MOMENT.fullmatch(value) or (fact in PUBLIC_FACTS and _WORD.fullmatch(value)):
                return value
            case str():
                return self.name("value", value)
            case list():
                return [self._value(item, fact) for item in value]
            case dict():
                return {
                    key if key in _MARKS else self.name("key", key): self._value(item, fact)
                    for key, item in value.items()
                }
            case _:
                return value

    # --- a report -------------------------------------------------------------------------------------

    def report(self, report: Mapping[str, Any], records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """A report without its findings and their file. `records` are its findings as they were."""
        kept = (
            "schema_version", "tool", "generated_at", "assessed_at", "lang", "subject", "scope", "profile",
            "catalogue", "readiness", "controls", "plugins", "reporters",
        )  # fmt: skip
        found = {key: report[key] for key in kept if key in report}
        found["snapshot"] = {
            "sha256": self.digest("snapshot", report["snapshot"]["sha256"]),
            "collected_at": report["snapshot"]["collected_at"],
        }
        found["targets"] = [
            {"name": self.name("target", target["name"])}
            | {key: target[key] for key in ("kind", "vantage") if key in target}
            for target in report["targets"]
        ]
        found["gaps"] = [self._gap(gap) for gap in report["gaps"]]
        collection = [
            {
                "target": self.name("target", entry["target"]),
                "region": self.maybe("region", entry["region"]),
                **{key: entry[key] for key in ("service", "asked", "ok")},
            }
            for entry in report["collection"]
        ]
        # The order of names says something of them, so that what stood in theirs is put into a new one.
        found["collection"] = sorted(collection, key=lambda e: (e["target"], e["region"] or "", e["service"]))
        found["claims"] = [
            {"id": self.name("claim", claim["id"]), "state": claim["state"]} for claim in report["claims"]
        ]
        found["plans"] = list(self._plans(report["plans"], records))
        found["waivers"] = [self._waiver(waiver) for waiver in report.get("waivers", ())]
        found["registers"] = [
            {"kind": r["kind"], "path": r["path"], "sha256": self.digest("register", r["sha256"])}
            for r in report["registers"]
        ]
        figures = report.get("collection_figures", {})
        found["collection_figures"] = {
            name: number for name, number in figures.items() if isinstance(number, int) or number == "unknown"
        }
        projects = report.get("projects", {}).items()
        found["projects"] = dict(
            sorted((self.name("project", id_), self.name("project", name)) for id_, name in projects)
        )
        if "validity" in report:
            found["validity"] = self._validity(report["validity"])
        if "capabilities" in report:
            found["capabilities"] = [
                {
                    "target": self.name("target", entry["target"]),
                    "endpoint": self.name("endpoint", entry["endpoint"]),
                    "server_kind": self.maybe("server", entry["server_kind"]),
                    "reason_code": entry["reason_code"],
                    "operations": entry["operations"],
                }
                for entry in report["capabilities"]
            ]
        return found

    def _validity(self, validity: Mapping[str, Any]) -> dict[str, Any]:
        if validity["evidence"] is None:
            return dict(validity)
        type_, _, id_ = validity["evidence"].partition(":")
        name = self.name("waiver", id_) if type_ == "waiver" else self._id(type_, id_)
        because = {
            "vi": f"một chứng cứ của {validity['control']} hết hiệu lực",
            "en": f"evidence of {validity['control']} lapses",
        }
        return {**validity, "because": because, "evidence": f"{type_}:{name}"}

    def _gap(self, gap: Mapping[str, Any]) -> dict[str, Any]:
        operation = gap["operation"]
        return {
            **{kind: self.maybe(kind, gap[kind]) for kind in ("target", "region", "project")},
            "type": gap["type"],
            "operation": operation if _CODE.fullmatch(operation) else self.name("text", operation),
            "reason_code": gap["reason_code"],
            "detail": self.name("text", gap["detail"]),
        }

    def _plans(
        self, plans: Iterable[Mapping[str, Any]], records: Iterable[Mapping[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """Plans, each pattern of resources written out as those it meant, so that it still means them."""
        found = list(records)
        for plan in plans:
            kept = {
                "control": plan["control"],
                "resource": None,
                "system": self.maybe("system", plan["system"]),
                "measure": self.name("text", plan["measure"]),
                "owner": self.name("person", plan["owner"]),
                "due": plan["due"],
            }
            pattern = plan["resource"]
            if pattern is None:
                yield kept
                continue
            meant = {
                self._id(r["resource"]["type"], r["resource"]["id"])
                for r in found
                if r["control"] == plan["control"]
                and (
                    glob_match(pattern, r["resource"]["id"])
                    or glob_match(pattern, r["resource"]["name"] or "")
                )
            }
            for one in sorted(meant) or [self.name("pattern", pattern)]:
                yield {**kept, "resource": one}

    def _waiver(self, waiver: Mapping[str, Any]) -> dict[str, Any]:
        kinds = {
            "id": "waiver", "resource": "pattern", "system": "system", "reason": "text",
            "compensating": "text", "approver": "person",
        }  # fmt: skip
        kept = ("control", "authority", "starts", "until")
        return {key: waiver[key] for key in kept} | {
            key: self.maybe(kind, waiver[key]) for key, kind in kinds.items()
        }
