"""Derived facts: what follows from several observations, as pure functions.

A derivation reads resources of a :class:`~cloudaudit.model.World` into an index once, and gives facts
for one resource at a time. It does no I/O and knows no clock but the world's. What it cannot know it
leaves out, with the reason, and what it knows from one side only it bounds: a definite value stays
what it is however much more is collected. Texts are compared as they come, composed (NFC).
"""

from __future__ import annotations

from typing import Final

from cloudaudit.facts.attribution import ATTRIBUTION, ATTRIBUTION_OF_PROJECTS
from cloudaudit.facts.backup import BACKUP
from cloudaudit.facts.channel import CHANNEL
from cloudaudit.facts.claims import CLAIMS
from cloudaudit.facts.derivation import Derivation, Derive, Derived
from cloudaudit.facts.exposure import EXPOSURE
from cloudaudit.facts.location import LOCATION
from cloudaudit.facts.papers import PAPERS
from cloudaudit.facts.platform import INVENTORY, RESIDENCY
from cloudaudit.facts.privilege import PRIVILEGE
from cloudaudit.facts.public import PUBLIC
from cloudaudit.facts.reach import REACH
from cloudaudit.facts.replication import REPLICATION, SYNCHRONISATION
from cloudaudit.facts.volume_type import VOLUME_TYPE

DERIVATIONS: Final[tuple[Derivation, ...]] = (
    ATTRIBUTION,
    ATTRIBUTION_OF_PROJECTS,
    *LOCATION,
    VOLUME_TYPE,
    BACKUP,
    EXPOSURE,
    *REACH,
    *PUBLIC,
    REPLICATION,
    SYNCHRONISATION,
    PRIVILEGE,
    *PAPERS,
    CHANNEL,
    *INVENTORY,
    RESIDENCY,
    CLAIMS,
)

__all__ = ["DERIVATIONS", "Derivation", "Derive", "Derived"]
