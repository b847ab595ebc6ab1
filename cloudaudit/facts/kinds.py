"""Whether what is said of several types together is whole."""

from __future__ import annotations

from collections.abc import Iterable

from cloudaudit.facts.derivation import unseen_anywhere
from cloudaudit.model import Unseen, World


def hidden_part(world: World, types: Iterable[str]) -> Unseen | None:
    """Why the lists of these observed types together are not whole; None when they are.

    A type nobody asked for is not whole: that a subject has no cloud of a kind is for targets.yaml to
    declare, and then a listing proves it. Taking silence for absence would reward leaving a cloud out.
    """
    found = (unseen_anywhere(world, type_) for type_ in types)
    return next((unseen for unseen in found if unseen is not None), None)
