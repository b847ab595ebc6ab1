"""Derived facts: what follows from several observations, as pure functions.

A derivation reads resources of a :class:`~cloudaudit.model.World` into an index once, and gives facts
for one resource at a time. It does no I/O and knows no clock but the world's. What it cannot know it
leaves out, with the reason, and what it knows from one side only it bounds: a definite value stays
what it is however much more is collected. Texts are compared as they come, composed (NFC).
"""

from __future__ import annotations

from typing import Final

from cloudaudit.facts.access import ACCESS
from cloudaudit.facts.attribution import ATTRIBUTION, ATTRIBUTION_OF_PROJECTS
from cloudaudit.facts.backup import BACKUP, BACKUP_OF_SERVERS
from cloudaudit.facts.balancing import BALANCING
from cloudaudit.facts.channel import CHANNEL, INTERCONNECTION
from cloudaudit.facts.claims import CLAIMS
from cloudaudit.facts.deletion import DELETION
from cloudaudit.facts.derivation import Derivation, Derive, Derived
from cloudaudit.facts.destinations import DESTINATIONS
from cloudaudit.facts.drills import DRILLS
from cloudaudit.facts.exposure import EXPOSURE, EXPOSURE_OF_GROUPS
from cloudaudit.facts.image_metadata import IMAGE_METADATA
from cloudaudit.facts.landing import LANDING
from cloudaudit.facts.lifecycle import LIFECYCLE
from cloudaudit.facts.location import LOCATION
from cloudaudit.facts.naming import NAMING
from cloudaudit.facts.operating_system import OPERATING_SYSTEM
from cloudaudit.facts.orphan import ORPHANS
from cloudaudit.facts.papers import PAPERS
from cloudaudit.facts.platform import INVENTORY, RESIDENCY
from cloudaudit.facts.portability import PORTABILITY
from cloudaudit.facts.privilege import PRIVILEGE, PRIVILEGE_OF_CREDENTIALS
from cloudaudit.facts.public import PUBLIC
from cloudaudit.facts.reach import REACH
from cloudaudit.facts.recovery import CAPACITY, RECOVERY
from cloudaudit.facts.redundancy import SEPARATION, SPREAD
from cloudaudit.facts.replication import COPIES, REPLICATION, SYNCHRONISATION
from cloudaudit.facts.replication_state import STATES
from cloudaudit.facts.retention import RETENTION
from cloudaudit.facts.sharing import SHARING
from cloudaudit.facts.volume_type import VOLUME_TYPE

DERIVATIONS: Final[tuple[Derivation, ...]] = (
    ATTRIBUTION,
    ATTRIBUTION_OF_PROJECTS,
    *LOCATION,
    *DESTINATIONS,
    VOLUME_TYPE,
    BACKUP,
    BACKUP_OF_SERVERS,
    EXPOSURE,
    EXPOSURE_OF_GROUPS,
    *REACH,
    SHARING,
    OPERATING_SYSTEM,
    *PUBLIC,
    LIFECYCLE,
    REPLICATION,
    COPIES,
    *STATES,
    SYNCHRONISATION,
    PRIVILEGE,
    *DELETION,
    PRIVILEGE_OF_CREDENTIALS,
    *PORTABILITY,
    *PAPERS,
    *DRILLS,
    CHANNEL,
    *ACCESS,
    *ORPHANS,
    *RETENTION,
    *INVENTORY,
    RESIDENCY,
    CLAIMS,
    SPREAD,
    SEPARATION,
    BALANCING,
    *INTERCONNECTION,
    LANDING,
    CAPACITY,
    RECOVERY,
    IMAGE_METADATA,
    NAMING,
)

__all__ = ["DERIVATIONS", "Derivation", "Derive", "Derived"]
