"""A token's service catalogue: which services there are, where, and what their addresses mean.

Knows the aliases of service types and the quirks of catalogue addresses; asks nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from cloudaudit.collectors.item import Odd, identifier, text

PROJECT_MARK: Final = "%(project_id)s"
_TEMPLATE: Final = re.compile(r"[%$]\((?:project|tenant)_id\)s?")
_VERSION: Final = re.compile(r"/v\d[\d.]*(?=/|$)")
# What the catalogue of some clouds leaves out of the address.
_USUAL_VERSION: Final = {
    "identity": "/v3",
    "compute": "/v2.1",
    "block-storage": "/v3",
    "network": "/v2.0",
    "image": "/v2",
    "shared-file-system": "/v2",
    "load-balancer": "/v2",
    "key-manager": "/v1",
    "dns": "/v2",
}
# Aliases in the order of preference: the later ones are older versions of the API.
_ALIASES: Final = {
    "block-storage": ("block-storage", "volumev3", "block-store", "volume", "volumev2"),
    "shared-file-system": ("shared-file-system", "sharev2", "share"),
}

OVERRIDABLE: Final = (
    *(service for service in _USUAL_VERSION if service != "identity"),
    "object-store", "orchestration", "placement",
)  # fmt: skip
"""Services whose address an entry of clouds.yaml may give. Keystone's is its auth_url."""


def usual_version(service: str) -> str:
    """The part of an address that names the API's version, as `/v3`; empty where none is usual."""
    return _USUAL_VERSION.get(service, "")


def names_of(service: str) -> tuple[str, ...]:
    """What catalogues call a service whose API is of its usual version, its official name first."""
    version = usual_version(service).partition(".")[0][1:]
    names = _ALIASES.get(service, (service,))
    return tuple(name for name in names if name[-2:] == version or not re.search(r"v\d$", name))


@cache
def _authority() -> dict[str, str]:
    """Every alias with the official name of its service type."""
    from os_service_types import ServiceTypes

    types = ServiceTypes()
    return {
        alias: official
        for official in types.all_types_by_service_type
        for alias in types.all_types_by_service_type[official]
    }


def official_type(alias: str) -> str:
    """The service type's name by the OpenStack authority; an unknown one stays as it is."""
    return _authority().get(alias, alias)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One entry of a catalogue. `alias` is the service type as the cloud spells it."""

    service: str
    alias: str
    name: str
    id: str
    region: str
    interface: str
    url: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All endpoints of one token. `complete` is false when part of it could not be understood."""

    endpoints: tuple[Endpoint, ...] = ()
    complete: bool = False

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(sorted({e.region for e in self.endpoints if e.region}))

    def of(self, service: str, region: str) -> list[Endpoint]:
        """Endpoints of a service in a region, the best alias first. One without a region serves all."""
        order = _ALIASES.get(service, (service,))
        here = [e for e in self.endpoints if e.service == service and e.region in (region, "")]
        return sorted(
            here, key=lambda e: (order.index(e.alias) if e.alias in order else len(order), not e.region, e.id)
        )


def read_catalogue(entries: object) -> Catalogue:
    """The catalogue as Keystone gives it, in a token or at /auth/catalog."""
    if not isinstance(entries, list):
        return Catalogue()
    found: list[Endpoint] = []
    complete = True
    for entry in entries:
        try:
            found += _read_service(entry)
        except Odd:
            complete = False
    return Catalogue(tuple(found), complete)


def _read_service(entry: object) -> list[Endpoint]:
    if not isinstance(entry, dict) or not isinstance(entry.get("endpoints"), list):
        raise Odd("no service")
    alias = identifier(entry.get("type"))
    name = text(entry.get("name") or "")
    return [_read_endpoint(raw, alias, name) for raw in entry["endpoints"]]


def _read_endpoint(raw: object, alias: str, name: str) -> Endpoint:
    if not isinstance(raw, dict):
        raise Odd("no endpoint")
    region = raw.get("region_id") or raw.get("region") or ""
    return Endpoint(
        service=official_type(alias),
        alias=alias,
        name=name,
        id=identifier(raw.get("id")),
        region=identifier(region) if region else "",
        interface=identifier(raw.get("interface")).removesuffix("URL"),
        url=identifier(raw.get("url")),
    )


def usable(url: str) -> bool:
    """Whether an address of a catalogue is one a client can be sent to."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    good = parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0
    return good and parts.username is None


def api_root(service: str, url: str) -> str:
    """The address below which the paths of a service's API lie."""
    bare = urlunsplit(urlsplit(url)._replace(query="", fragment="")).rstrip("/")
    suffix = _USUAL_VERSION.get(service)
    if service == "image" and bare.endswith("/v1"):
        return bare.removesuffix("/v1") + "/v2"
    if suffix is None or _VERSION.search(urlsplit(bare).path):
        return bare
    return bare + suffix


def version_root(root: str) -> str:
    """Where a service describes its versions: its address up to the version."""
    parts = urlsplit(root)
    found = list(_VERSION.finditer(parts.path))
    return urlunsplit(parts._replace(path=parts.path[: found[-1].end()] + "/")) if found else root + "/"


def normal_url(url: str, project: str | None) -> str:
    """An endpoint's address as it is the same for every project: no id, no user, no usual port."""
    url = _TEMPLATE.sub(PROJECT_MARK, url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    if port and port != {"http": 80, "https": 443}.get(parts.scheme):
        host = f"{host}:{port}"
    path = "/".join(_without(project, segment) for segment in parts.path.split("/"))
    return urlunsplit((parts.scheme, host, path.rstrip("/"), "", ""))


def _without(project: str | None, segment: str) -> str:
    """`AUTH_<id>` and `<id>` as they would read in the catalogue's own template."""
    if project and (segment == project or segment.endswith("_" + project)):
        return segment.removesuffix(project) + PROJECT_MARK
    return segment


def of_project(url: str, project: str | None) -> str:
    """An address whose template names the project, for one."""
    return _TEMPLATE.sub(project or "", url)


def service_address(url: str, project: str | None) -> str:
    """The identity of a service's endpoint: its address without what belongs to one project."""
    kept = []
    address = normal_url(url, project)
    scheme, _, rest = address.partition("://")
    for segment in rest.split("/"):
        if PROJECT_MARK in segment:
            break
        kept.append(segment)
    return f"{scheme}://{'/'.join(kept)}"
