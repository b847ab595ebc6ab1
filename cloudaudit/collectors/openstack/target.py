"""What is asked of one OpenStack cloud, and with whose eyes. Holds no secret: those stay in clouds.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cloudaudit.collectors.transport import Proxy

TENANT: Final = "tenant"
OPERATOR: Final = "operator"


@dataclass(frozen=True, slots=True)
class OpenStackTarget:
    """One OpenStack cloud, as named in targets.yaml."""

    name: str
    cloud: str
    """Entry of clouds.yaml, or `envvars` for the OS_* variables."""
    regions: tuple[str, ...] | None = None
    """None: every region of the token's catalogue."""
    projects: tuple[str, ...] | None = None
    """Names or ids. None: every project the credential can scope to (tenant) or that exists (operator)."""
    vantage: str = TENANT
    """`tenant` asks each project with its own token; `operator` asks once for all projects."""
    ca_file: str | None = None
    proxy: Proxy | None = None
    """The only one that is used: what the environment names is not."""
    allow_http: bool = False
    """Whether a token of a Keystone on https may be sent to services on http."""
    interface: str | None = None
    """None: the entry's own choice, else `public`."""
    label_keys: frozenset[str] = frozenset()
    """Metadata keys whose values may be stored, beside those every audit stores."""
    max_in_flight: int = 16
    rate_limit: float | None = None
    """Requests per second at most."""
    deadline: float | None = None
    """Seconds after which the target is no longer asked; what is then unread is a gap."""
    sample: bool = False
    """Ask everything in every scope, and read no more than the beginning of each answer."""
