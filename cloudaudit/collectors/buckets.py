"""Settings of buckets as facts, wherever they stand: a bucket policy, and what nothing set comes to.

A policy becomes flat statements: who, may or may not, do what, to what, under which conditions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from cloudaudit.collectors.transport import nfc
from cloudaudit.model import Value

DAY: Final = 86_400
LARGEST_NUMBER: Final = 2**53 - 1
"""Beyond it, canonical JSON has no integers."""
ALGORITHM: Final = re.compile(r"AES256|aws:[a-z:]{1,20}")
PERMISSIONS: Final = frozenset({"READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"})
NOTHING: Final[Mapping[str, Mapping[str, Value]]] = {
    "versioning": {"versioning.state": "off", "versioning.mfa_delete": None},
    "encryption": {"encryption.algorithm": None, "encryption.kms_key_present": False},
    "lock": {"lock.enabled": False, "lock.mode": None, "lock.retention": None},
    "lifecycle": {"lifecycle.rules": ()},
    "replication": {"replication.rules": ()},
    "policy": {"policy.present": False, "policy.statements": ()},
    "block": {
        "block.configured": False, "block.block_acls": False, "block.ignore_acls": False,
        "block.block_policy": False, "block.restrict": False,
    },
    "logging": {"logging.target": None, "logging.prefix": None},
    "notification": {"notification.targets": ()},
    "cors": {"cors.origins": ()},
    "website": {"website.enabled": False},
    "ownership": {"ownership.rule": None},
    "tagging": {"labels": {}, "label_names": ()},
}  # fmt: skip
"""Facts of a bucket where a setting is not set, by setting."""


class Unreadable(ValueError):
    """A document with the expected root that does not say what it must."""


def bounded(number: int, factor: int = 1) -> int:
    if number * factor > LARGEST_NUMBER:
        raise Unreadable("a number is absurdly large")
    return number * factor


def retention(days: int | None, years: int | None) -> int | None:
    """Default retention in seconds. A year counts 365 days."""
    return bounded((days or 0) + 365 * (years or 0), DAY) or None


# --- policies ---------------------------------------------------------------------------------------------


def policy_document(text: str) -> object:
    """A policy as JSON. A key written twice is Unreadable: stores differ in which one counts.

    Other ValueError or RecursionError: it is no JSON.
    """

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Unreadable("the policy has a key twice")
        return found

    return json.loads(text, object_pairs_hook=unique)


_DOCUMENT: Final = frozenset({"Version", "Id", "ID", "Statement"})
_PRINCIPALS: Final = frozenset({"AWS", "CanonicalUser", "Federated", "Service"})
_PARTS: Final = (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))
_KEYS: Final = frozenset({"Sid", "Effect", "Condition", *(name for pair in _PARTS for name in pair)})


def statements(document: Mapping[str, object]) -> Mapping[str, Value]:
    """Facts of a policy document.

    Principals are flattened: "*" for everyone, an AWS principal as it stands, any other with its
    kind before a colon ("Service:…"). What a statement names by exclusion (NotPrincipal, NotAction,
    NotResource) has "!" before it. Of conditions only operator and key are kept ("Bool:aws:SecureTransport").
    A statement that cannot be read, or that lacks a part every store asks for, makes the whole policy
    unreadable: half a policy would mislead.
    """
    if not document.keys() <= _DOCUMENT or (document and "Statement" not in document):
        raise Unreadable("the policy has no statements, or parts that are not known")
    statements = document.get("Statement", [])
    found = statements if isinstance(statements, list) else [statements]
    return {"policy.present": True, "policy.statements": tuple(_statement(s) for s in found)}


def _statement(statement: object) -> Mapping[str, Value]:
    if not isinstance(statement, dict):
        raise Unreadable("a statement of the policy is no object")
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise Unreadable("a statement of the policy has no effect")
    if not statement.keys() <= _KEYS:
        raise Unreadable("a statement of the policy has parts that are not known")
    for names in _PARTS:
        if not statement.keys() & set(names):
            raise Unreadable(f"a statement of the policy has no {names[0]}")
    get = statement.get
    return {
        "effect": effect,
        "principals": (*_principals(get("Principal")), *_not(_principals(get("NotPrincipal")))),
        "actions": (*_strings(get("Action")), *_not(_strings(get("NotAction")))),
        "resources": (*_strings(get("Resource")), *_not(_strings(get("NotResource")))),
        "conditions": tuple(_conditions(statement.get("Condition"))),
    }


def _principals(principal: object) -> tuple[str, ...]:
    if not isinstance(principal, dict):
        return _strings(principal)
    if not principal.keys() <= _PRINCIPALS:
        raise Unreadable("a principal of the policy is of no known kind")
    return tuple(
        name if kind == "AWS" else nfc(f"{kind}:{name}")
        for kind, names in principal.items()
        for name in _strings(names)
    )


def _conditions(condition: object) -> Iterator[str]:
    if condition is None:
        return
    if not isinstance(condition, dict):
        raise Unreadable("a condition of the policy is no object")
    for operator, keys in sorted(condition.items()):
        if not isinstance(keys, dict):
            raise Unreadable("a condition of the policy is no object")
        for key in sorted(keys):
            yield nfc(f"{operator}:{key}")


def _strings(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    found = value if isinstance(value, list) else [value]
    names = tuple(nfc(item) for item in found if isinstance(item, str))
    if len(names) != len(found):
        raise Unreadable("a name in the policy is no text")
    return names


def _not(names: tuple[str, ...]) -> Iterator[str]:
    return (f"!{name}" for name in names)
