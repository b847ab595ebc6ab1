"""What can go wrong for the person who runs cloudaudit, one class per stage.

Only the command line prints these and exits. A cloud that refuses or breaks is no
error of ours: it is a :class:`cloudaudit.model.Gap`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file somebody wrote. Lines and columns count from 1."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.path] + [str(n) for n in (self.line, self.column) if n]
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it stands, what was found and expected, what to do."""

    where: Where | None
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{place}{self.message}{hint}"


class CloudauditError(Exception):
    """Base of everything cloudaudit raises on purpose. Exit code 2 unless a subclass says otherwise."""

    exit_code = 2

    def __init__(
        self, message: str, *, where: Where | None = None, hint: str = "", problems: Sequence[Problem] = ()
    ) -> None:
        self.problems = tuple(problems) or (Problem(where, message, hint),)
        super().__init__("\n".join(str(p) for p in self.problems))

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> CloudauditError:
        """Raise many mistakes of one reading together, so that one run shows them all."""
        found = tuple(problems)
        return cls("; ".join(p.message for p in found), problems=found)


class SourceError(CloudauditError):
    """A file cannot be read as strict YAML: bytes, syntax, duplicate keys, size, depth."""


class CatalogError(CloudauditError):
    """A control, resource type, obligation or profile is wrong, or one that is named does not exist."""


class RegisterError(CloudauditError):
    """A declared register is wrong."""


class TargetError(CloudauditError):
    """targets.yaml is wrong, or names a cloud, profile or file that does not exist."""


class SnapshotError(CloudauditError):
    """A snapshot or assessment on disk is damaged, or is not the one asked for."""


class BaselineError(CloudauditError):
    """A baseline is wrong, or is of another subject, scope or profile."""


class SigningError(CloudauditError):
    """A key cannot be used: it is not there, of another kind, or locked."""


class BundleError(CloudauditError):
    """A bundle cannot be made from what is there, or what is to be checked is none."""


class OutputError(CloudauditError):
    """A result cannot be written."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Suggest the nearest known word, as the hint of a :class:`Problem`; empty when nothing is near."""
    choices = sorted(known)
    # Letters of the other case are all different to the measure: sec-13 would be near nothing.
    near = [one for one in choices if one.casefold() == word.casefold()] or get_close_matches(
        word, choices, n=1, cutoff=0.6
    )
    return f"did you mean '{near[0]}'?" if near else ""
