"""Heat: stacks with their state.

Templates, parameters and outputs are never asked for: they hold passwords.
"""

from __future__ import annotations

from collections.abc import Iterator

from cloudaudit.collectors import Seen
from cloudaudit.collectors.openstack.item import Item, Odd, Row, empty_as_null, identifier, moment, text
from cloudaudit.collectors.openstack.leaks import Look
from cloudaudit.collectors.openstack.listing import PAGE, Covers, Desk, Lister, listing

SERVICE = "orchestration"
PROJECT: Covers = (("heat.stacks", "openstack.stack"),)


def read_project(desk: Desk) -> Iterator[Seen]:
    if STACKS.call in desk.wanted:
        yield from listing(desk, STACKS)


def _stack(item: Item, desk: Desk) -> None:
    item.take("action", "stack_status", lambda value: _halves(value)[0])
    item.take("status", "stack_status", lambda value: _halves(value)[1])
    item.take("created_at", "creation_time", moment)
    item.take("updated_at", "updated_time", empty_as_null(moment), null=True)
    item.take("parent", "parent", empty_as_null(identifier), null=True)
    if item.row.get("tags", 0) is None:
        item.keep_labels([], desk.allowed)
    else:
        item.tags("tags", desk.allowed)
    item.secrets(Look(), tags="tags")


def _halves(value: object) -> tuple[str, str]:
    """Heat writes what was done and what came of it as one word."""
    action, mark, status = text(value).partition("_")
    if not (action and mark and status):
        raise Odd("no state of a stack")
    return action, status


def _title(row: Row) -> str:
    name = row.get("stack_name")
    return text(name) if isinstance(name, str) else ""


STACKS = Lister(
    call="heat.stacks",
    type="openstack.stack",
    # Nested and hidden stacks too: what is not asked for would be silently left out.
    path=f"/stacks?limit={PAGE}&show_nested=true&show_hidden=true",
    key="stacks",
    read=_stack,
    owners=("project",),
    title=_title,
)
