"""Reads infrastructure as code as if it were the cloud it will make: the same resource types, the same facts.

Nothing is asked of any cloud. What the code leaves open until it is deployed is not known, and of what it
declares nothing at all (platforms, their services and regions) there is a gap. A list of what the code
declares is whole for the code and open beyond it: others may be there in the cloud.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, Final

from cloudaudit.collectors import Seen
from cloudaudit.collectors.deployment import meaning, strangers
from cloudaudit.collectors.deployment.block import Code, CodeTarget
from cloudaudit.collectors.transport import CallLog, Clock
from cloudaudit.errors import TargetError
from cloudaudit.model import Gap, Listing, Reason, Scope

KINDS: Final = ("openstack.", "s3.")
"""Beginnings of the resource types that code can declare."""
MAX_BYTES: Final = 512 << 20
"""Of one file. A plan of 10,000 resources has about 30 MB."""


class DeploymentCollector:
    """Reads one file when it is made. TargetError: it is not what it is said to be."""

    def __init__(self, target: CodeTarget, types: frozenset[str], *, now: Clock) -> None:
        self.name = target.name
        self.types = frozenset(type_ for type_ in types if type_.startswith(KINDS))
        self._target = target
        self._now = now
        self._code = _read_once(target, check=not types)
        self._strangers = strangers.strangers(self._code, target)
        self._unread = meaning.unread(self._code)

    @property
    def code(self) -> Code:
        return self._code

    def told(self) -> Mapping[str, Any]:
        made = dict(self._code.made)
        if self._strangers:
            made["not_read"] = strangers.told(self._strangers)
        return {"made": made} if made else {}

    def doubts(self) -> Iterator[tuple[str, str]]:
        """Why this target may say less than it seems to, with what to do."""
        kind = self._code.kind
        for why in self._code.unread:
            yield f"{why}; what it declares is not taken for all", "give one of the whole configuration"
        for why in dict.fromkeys(self._code.perhaps.values()):
            yield f"{why}; what rests on it is unknown", "give the parameters in the environment"
        if differs := self._code.made.get("source_differs"):
            odd = f"'source' is of another version than the plan: {differs}; its lines may be wrong"
            yield f"{odd}, and nothing else of it is believed", "make the plan of the commit checked out"
        if self._strangers:
            yield (
                f"these types of resources are not read, and what they may add is unknown: "
                f"{strangers.told(self._strangers)}",
                "name those that are no matter of this audit under 'ignored', such as cloudflare_*",
            )
        elif (
            not self._code.unread
            and not self._code.perhaps
            and not any(one.type in meaning.TERRAFORM for one in self._code.blocks)
        ):
            if deleted := self._code.made.get("deleted"):
                yield (
                    f"the {kind} deletes all {deleted} resources: there is nothing to judge of it",
                    ("for what stays, audit the cloud itself"),
                )
            else:
                yield f"the {kind} declares nothing that is judged", "check its folder and workspace"

    def scopes(self, log: CallLog) -> Iterable[Scope | Gap]:
        return [Scope(self.name)]

    def collect(self, scope: Scope, wanted: frozenset[str], log: CallLog) -> Iterator[Seen]:
        code, at = self._code, self._now()
        call = log.add(
            scope, code.kind.split()[0], f"{self._target.form} {code.path}", 0, at, digest=code.digest
        )
        found = Counter[str]()
        for resource in meaning.resources(code, self._target, self.types, at, call):
            found[resource.type] += 1
            yield resource
        for type_ in sorted(self.types):
            yield self._concluded(scope, type_, found[type_], call)

    def _concluded(self, scope: Scope, type_: str, count: int, call: int) -> Listing | Gap:
        code, operation = self._code, "declare"
        if type_ not in meaning.DEPLOYABLE:
            reason = meaning.OF_THE_PLATFORM.get(type_, "it is no resource that is deployed")
            detail = f"a {code.kind} does not tell it: {reason}"
            return Gap(scope, type_, operation, Reason.NOT_DESCRIBED, detail, call)
        hiding = Counter({one: n for one, n in self._strangers.items() if type_ in strangers.hides(one)})
        types = (f"these types of resources are not read: {strangers.told(hiding)}",) if hiding else ()
        makers = (self._unread[type_],) if type_ in self._unread else ()
        if why := next(chain(code.unread, types, makers), None):
            return Gap(scope, type_, operation, Reason.NOT_DESCRIBED, why, call)
        proof = f"the {code.kind} was read to its end, with {len(code.blocks)} resources in all"
        return Listing(scope, type_, count, proof, call, open=True)


_checked: Final[dict[CodeTarget, Code]] = {}
"""What was read to check targets, until it is read to be judged: the same run does both."""


def _read_once(target: CodeTarget, check: bool) -> Code:
    """Read a file of code, or take what the check of it read, if the file is still the same."""
    kept = _checked.pop(target, None)
    code = kept if kept is not None and kept.digest == _digest(target.file) else _read(target)
    if check and target.form in ("plan", "state"):
        _checked[target] = code
    return code


def _digest(file: Path) -> str:
    try:
        return sha256(file.read_bytes()).hexdigest() if file.stat().st_size <= MAX_BYTES else ""
    except OSError:
        return ""


def _read(target: CodeTarget) -> Code:
    """Read a file of code. TargetError: it cannot be read, or is none."""
    try:
        if target.file.stat().st_size > MAX_BYTES:
            size = f"is larger than {MAX_BYTES >> 20} MiB"
            raise TargetError(f"'{target.form}': {target.shown} {size}", where=target.where)
        content = target.file.read_bytes()
    except OSError as wrong:
        why = wrong.strerror or type(wrong).__name__
        raise TargetError(
            f"'{target.form}': {target.shown} cannot be read: {why}", where=target.where
        ) from None
    if target.form == "template":
        from cloudaudit.collectors.deployment import heat

        return heat.read(target, content)
    from cloudaudit.collectors.deployment import terraform

    return terraform.read(target, content)


__all__ = ["CodeTarget", "DeploymentCollector"]
