"""What is asked of one S3 endpoint, and with whose eyes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from cloudaudit.collectors.transport import Proxy
from cloudaudit.errors import TargetError

LABEL_KEYS: Final = frozenset({
    "system_id", "data_class", "data_residency", "role", "environment", "owner", "tier", "archive",
    "cross_border",
})  # fmt: skip
"""Tag keys whose values may be kept. Of all others only the key is."""


@dataclass(frozen=True, slots=True)
class S3Target:
    """One S3 endpoint, as named in targets.yaml. Holds no secret, only the names of files that do.

    `region` is what requests are signed for (RGW and most others take any, Swift its own only).
    `buckets` is "all" or the names to look at. `expected_owner` is the Owner ID an empty list has
    to show before it is believed, and any list of a store that leaves out what the keys have no right
    to. Credentials are a profile, or the two files. The admin API of Ceph
    RGW has a key of its own, in the same ways or not at all. TargetError when these do not fit together.
    `sample` asks for the settings of one bucket alone. The `swift_` fields are what targets.yaml declares of
    the Swift account whose containers the buckets are; nothing is asked by them.
    """

    name: str
    endpoint: str
    region: str = "us-east-1"
    profile: str | None = None
    access_key_file: str | None = None
    secret_key_file: str | None = None
    addressing: Literal["path", "virtual"] = "path"
    ca_file: str | None = None
    proxy: Proxy | None = None
    buckets: tuple[str, ...] | Literal["all"] = "all"
    admin_profile: str | None = None
    admin_access_key_file: str | None = None
    admin_secret_key_file: str | None = None
    admin_path: str = "/admin"
    expected_owner: str | None = None
    label_keys: frozenset[str] = LABEL_KEYS
    max_in_flight: int = 16
    rate_limit: float | None = None
    deadline: float | None = None
    sample: bool = False
    swift_target: str | None = None
    swift_project: str | None = None
    swift_region: str | None = None

    def __post_init__(self) -> None:
        files = (self.access_key_file is not None, self.secret_key_file is not None)
        if (self.profile is None) is not all(files) or files[0] is not files[1]:
            raise TargetError(
                f"target '{self.name}' needs credentials from one place",
                hint="give either profile, or both access_key_file and secret_key_file",
            )
        admin = (self.admin_access_key_file is not None, self.admin_secret_key_file is not None)
        if admin[0] is not admin[1] or (self.admin_profile is not None and admin[0]):
            raise TargetError(
                f"target '{self.name}' needs the admin key from one place",
                hint="give either admin_profile, or both admin_access_key_file and admin_secret_key_file",
            )
        try:
            parts = urlsplit(self.endpoint)
            fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            fits = False
        if not fits or parts.username is not None or parts.query or parts.fragment:
            raise TargetError(
                f"the endpoint of target '{self.name}' is no S3 address",
                hint="write scheme, host and port only: https://s3.example.vn:8443",
            )

    @property
    def has_admin_key(self) -> bool:
        return self.admin_profile is not None or self.admin_access_key_file is not None

    @property
    def host(self) -> str:
        return urlsplit(self.endpoint).hostname or ""

    @property
    def scheme(self) -> str:
        return urlsplit(self.endpoint).scheme

    def url(self, bucket: str = "", query: str = "") -> str:
        """Address of a bucket (already percent-encoded), or of the endpoint itself."""
        parts = urlsplit(self.endpoint)
        base = parts.path.rstrip("/")
        if bucket and self.addressing == "virtual":
            where = f"{parts.scheme}://{bucket}.{parts.netloc}{base}/"
        else:
            where = f"{parts.scheme}://{parts.netloc}{base}/{bucket}"
        return f"{where}?{query}" if query else where
