"""Quotas: what each project may use and uses. Nova, Cinder and Neutron tell it in nearly the same words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cloudaudit.collectors import Seen
from cloudaudit.collectors.item import Item, Row, integer, text, unlimited_as_null
from cloudaudit.collectors.openstack.answers import Trouble, document
from cloudaudit.collectors.openstack.cloud import Project
from cloudaudit.collectors.openstack.listing import Desk
from cloudaudit.collectors.openstack.paging import segment
from cloudaudit.collectors.transport import Answer
from cloudaudit.model import Gap, Listing, Reason, Resource, Scope

TYPE = "openstack.quota"
_NO_QUOTAS = frozenset({"id", "tenant_id", "project_id"})


@dataclass(frozen=True, slots=True)
class Quotas:
    """How one service tells the quotas of a project."""

    call: str
    path: str
    """`{}` stands for the project."""
    key: str
    """The name of the set in the answer."""
    used: str = "in_use"
    uncounted: frozenset[str] = frozenset()
    """Names whose use the service counts for no project, and gives as 0."""


def quotas(desk: Desk, of: Quotas) -> Iterator[Seen]:
    """The quotas of the desk's project, or of all audited ones for an operator.

    Nobody is shown less than was asked for: a project whose quotas one may not see is refused.
    """
    projects = [desk.project] if desk.project else list(desk.layout.projects.values())
    trouble = None if desk.project else _more_projects(desk)
    call: int | None = desk.token.call
    count = 0

    def ask(asking: Desk, project: Project) -> Answer | Trouble:
        return asking.get(of.path.format(segment(project.id)))

    for project, answer in zip(projects, desk.in_parallel(ask, projects), strict=True):
        found = answer if isinstance(answer, Trouble) else _quotas(desk, of, project, answer)
        if isinstance(found, Trouble):
            trouble = trouble or found
            continue
        call = answer.call
        count += len(found)
        yield from found
    if trouble:
        yield Gap(desk.scope, TYPE, of.call, trouble.reason, trouble.detail, trouble.call)
    else:
        proof = f"{desk.service} answered with the quotas of each audited project"
        yield Listing(desk.scope, TYPE, count, proof, call)


def _more_projects(desk: Desk) -> Trouble | None:
    """Why there may be more projects with quotas than were asked for."""
    layout = desk.layout
    if layout.trouble:
        detail = f"there may be more projects: {layout.trouble.detail}"
        return Trouble(Reason.PARTIAL, detail, layout.trouble.call)
    return next(iter(layout.out_of_reach.values()), None)


def _quotas(desk: Desk, of: Quotas, project: Project, answer: Answer) -> list[Resource] | Trouble:
    """The quotas an answer tells. A set without any is not understood."""
    body = document(answer, f"GET {of.path}")
    if isinstance(body, Trouble):
        return body
    told = body.get(of.key)
    names = sorted(told.keys() - _NO_QUOTAS) if isinstance(told, dict) else []
    if not isinstance(told, dict) or not names:
        detail = f"the answer holds no quota in '{of.key}'"
        return Trouble(Reason.INVALID_ANSWER, detail, answer.call, answer.status)
    # A service that does not know the question for use answers with bare limits.
    rows = {name: told[name] if isinstance(told[name], dict) else {"limit": told[name]} for name in names}
    return [_quota(desk, of, project, text(name), row, answer) for name, row in rows.items()]


def _quota(desk: Desk, of: Quotas, project: Project, name: str, row: Row, answer: Answer) -> Resource:
    item = Item(row)
    item.facts["service"] = desk.service
    item.take("limit", "limit", unlimited_as_null)
    if name in of.uncounted:
        item.miss("in_use", Reason.NOT_IMPLEMENTED, f"{desk.service} does not count the {name} of a project")
    else:
        item.take("in_use", of.used, integer)
    item.take("reserved", "reserved", integer)
    return Resource(
        type=TYPE,
        id=f"{project.id}/{desk.service}/{name}",
        scope=Scope(desk.scope.target, desk.scope.region, project.id),
        at=answer.at,
        facts=item.facts,
        name=name,
        endpoint=desk.endpoint,
        unseen=item.unseen,
        sources={"": answer.call},
    )
