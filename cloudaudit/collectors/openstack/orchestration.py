"""Heat: stacks with their state, and the kinds of resources in them.

Templates, parameters and outputs are never asked for: they hold passwords. The list of a stack's
resources holds none, only what they are and how they are doing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cloudaudit.collectors import Seen
from cloudaudit.collectors.item import (
    Item,
    Odd,
    Row,
    empty_as_null,
    identifier,
    items,
    moment,
    text,
)
from cloudaudit.collectors.leaks import Look
from cloudaudit.collectors.openstack.answers import Trouble, document
from cloudaudit.collectors.openstack.listing import NOT_WANTED, PAGE, Covers, Desk, Lister, listing
from cloudaudit.collectors.openstack.paging import segment
from cloudaudit.collectors.transport import Answer
from cloudaudit.model import Reason, Resource, Value

SERVICE = "orchestration"
PROJECT: Covers = (("heat.stacks", "openstack.stack"),)


RESOURCES: Final = "heat.stack_resources"
NESTED: Final = "template"
"""Stands for a resource that is a template of its own, whose type is the address of a file."""
_TYPE: Final = re.compile(r"[A-Za-z0-9_]+(::[A-Za-z0-9_]+)+")


def read_project(desk: Desk) -> Iterator[Seen]:
    if STACKS.call not in desk.wanted:
        return
    seen = list(listing(desk, STACKS))
    found = [thing for thing in seen if isinstance(thing, Resource)]
    if RESOURCES in desk.wanted:
        answers = desk.in_parallel(_ask_resources, found)
        yield from (_with_types(stack, answer) for stack, answer in zip(found, answers, strict=True))
    else:
        yield from (replace(s, unseen={**s.unseen, "resource_types": NOT_WANTED}) for s in found)
    yield from (thing for thing in seen if not isinstance(thing, Resource))


def _ask_resources(desk: Desk, stack: Resource) -> Answer | Trouble:
    if not stack.name:
        return Trouble(Reason.INVALID_ANSWER, "the stack has no name, by which its resources are asked for")
    return desk.get(f"/stacks/{segment(stack.name)}/{segment(stack.id)}/resources")


def _with_types(stack: Resource, answer: Answer | Trouble) -> Resource:
    """A stack with the types of its resources, or with why they are not known."""
    body = answer if isinstance(answer, Trouble) else document(answer, "GET of a stack's resources")
    if isinstance(body, Trouble):
        return replace(stack, unseen={**stack.unseen, "resource_types": body.unseen()})
    item = Item(body)
    item.take("resource_types", "resources", _types)
    sources = stack.sources if answer.call is None else {**stack.sources, "resource_types": answer.call}
    return replace(
        stack, facts={**stack.facts, **item.facts}, unseen={**stack.unseen, **item.unseen}, sources=sources
    )


def _types(value: object) -> Value:
    """Types once each. The address of a template is not kept: it may hold a password."""
    named = {text(row.get("resource_type")) for row in items(value)}
    return tuple(sorted({name if _TYPE.fullmatch(name) else NESTED for name in named}))


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
