"""Values that answers of OpenStack's services and code for them spell alike, as facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from cloudaudit.collectors.item import Odd, Row, integer, items, text
from cloudaudit.collectors.leaks import told
from cloudaudit.model import Value

# Protocols whose "ports" in a rule are types and codes, or which have none.
_ICMP: Final = frozenset({"icmp", "icmpv6", "ipv6-icmp", "1", "58"})
# Names and numbers of DHCP options, the numbers with the version of DHCP they are of.
NAME_SERVERS: Final = frozenset({"dns-server", "6/4", "23/6"})
TIME_SERVERS: Final = frozenset({"ntp-server", "sntp-server", "time-server", "4/4", "42/4", "31/6", "56/6"})
# Properties with a fixed vocabulary, whose values may be kept: what Nova reads, and what describes an image.
_WORDS: Final = (
    "hotfix_hours", "hw_disk_bus", "hw_mem_encryption", "hw_rng_model", "hypervisor_type", "image_build_date",
    "image_original_user", "os_purpose", "os_secure_boot", "provided_until", "replace_frequency",
    "uuid_validity",
)  # fmt: skip
# Properties that hold an address or prose, of which only the kind is kept.
_PROSE: Final = ("image_description", "image_source")
VISIBILITIES: Final = ("public", "community", "shared", "private")


# --- rules and ports ------------------------------------------------------------------------------------


def protocol(value: object) -> str:
    """A protocol's name; some releases write numbers as numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text(value)


def ports(of: object, low: object, high: object) -> Value:
    """The range, or null for all ports and for protocols that have none."""
    if (of is not None and protocol(of).lower() in _ICMP) or (low is None and high is None):
        return None
    lowest, highest = integer(low), integer(high)
    if not 0 <= lowest <= highest <= 65535:
        raise Odd("no range")
    return (lowest, highest)


def dhcp_options(wanted: frozenset[str]) -> Callable[[object], Value]:
    """Read what the port's own DHCP options of these names give, which goes before the subnet's."""

    def read(value: object) -> Value:
        found: set[str] = set()
        for row in items(value):
            name = text(row.get("opt_name")).lower().removeprefix("option:").removeprefix("option6:")
            version = 4 if row.get("ip_version") is None else integer(row["ip_version"])
            if name in wanted or f"{name}/{version}" in wanted:
                found.update(text(row.get("opt_value")).replace(",", " ").split())
        return tuple(sorted(found))

    return read


# --- images ---------------------------------------------------------------------------------------------


def property_names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({told(text(name)) for name in names}))


def properties(row: Row) -> Value:
    """Values of well-known properties, as somebody set them; those that are switches in lower case."""
    try:
        found = {name: told(text(row[name])) for name in _WORDS if row.get(name) is not None}
        found |= {name: _kind(text(row[name])) for name in _PROSE if row.get(name) is not None}
    except Odd as error:
        raise Odd(f"a property holds {error}") from error
    if "hw_mem_encryption" in found:
        # Nova reads switches so, whatever their case.
        found["hw_mem_encryption"] = found["hw_mem_encryption"].strip().lower()
    return dict(sorted(found.items()))


def _kind(value: str) -> str:
    """What a text is: "private" (SCS's word for no public source), "url", "text" or nothing. Addresses may
    carry a signature or a password, so they are not kept."""
    if value.strip() in ("", "private"):
        return value.strip()
    scheme, found, rest = value.partition("://")
    return "url" if found and rest and scheme in ("http", "https", "ftp", "ftps") else "text"


# --- load balancers -------------------------------------------------------------------------------------


def present(value: object) -> bool:
    return value is not None and bool(text(value))


def ciphers(value: object) -> tuple[str, ...]:
    return tuple(cipher for cipher in text(value).split(":") if cipher)


def l7_policy(row: Row) -> Value:
    """What a policy does, and the scheme it redirects to; the rest of an address may hold anything."""
    leads_to = row.get("redirect_url") or row.get("redirect_prefix")
    scheme, mark, _ = ("", "", "") if leads_to is None else text(leads_to).partition("://")
    return {"action": text(row.get("action")), "scheme": scheme.lower() if mark else None}


# --- users ----------------------------------------------------------------------------------------------


def access_rule(row: Row) -> Value:
    """One request that an application credential is good for."""
    return {name: text(row.get(name)) for name in ("service", "method", "path")}


# --- object store ---------------------------------------------------------------------------------------


def without_user(url: str | None) -> str | None:
    """Where a container is copied to, without a user and password somebody put there."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if parts.scheme else url
