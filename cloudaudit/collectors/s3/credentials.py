"""Signing: the keys come from files, a profile or its credential_process, and from nowhere else.

botocore would also ask the metadata service of the machine we run on, its container, an SSO
portal or a role. Those identities are not the one the operator named, so they are taken out.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cloudaudit.collectors.s3.target import S3Target
from cloudaudit.collectors.transport import Failure
from cloudaudit.errors import TargetError
from cloudaudit.model import Reason

if TYPE_CHECKING:
    from botocore.credentials import CredentialResolver, Credentials
    from botocore.session import Session

PROVIDERS: Final = frozenset({"shared-credentials-file", "custom-process", "config-file"})
"""Providers of botocore that stay: a profile's keys, in either file, and its credential_process."""

ELSEWHERE: Final = frozenset({
    "role_arn", "credential_source", "web_identity_token_file", "sso_session", "sso_start_url",
    "login_session",
})  # fmt: skip
"""Settings by which a profile would become somebody else than its own keys say."""

PROCESS_SECONDS: Final = 60


class Signer:
    """Signs reading requests of one target, or with `admin` those to its admin API. Shared by threads.

    TargetError at once for files and profiles that are not there; a credential_process runs at
    the first signature, and what it cannot do is a :class:`Failure`.
    """

    def __init__(self, target: S3Target, *, admin: bool = False) -> None:
        profile = target.admin_profile if admin else target.profile
        access = target.admin_access_key_file if admin else target.access_key_file
        secret = target.admin_secret_key_file if admin else target.secret_key_file
        prefix = "admin_" if admin else ""
        self._region = target.region
        self._lock = threading.Lock()
        self._credentials: Credentials | None = None
        self._resolver: CredentialResolver | None = None
        if profile is not None:
            self._resolver = profile_resolver(profile)
            self._source = f"profile '{profile}'"
        else:
            self._credentials = _static(access or "", secret or "", prefix)
            self._source = f"the {'admin ' if admin else ''}key files"

    def __repr__(self) -> str:
        return f"Signer({self._source})"

    def headers(self, method: str, url: str) -> Mapping[str, str] | Failure:
        """Headers that sign a request without a body, valid for a few minutes."""
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        from botocore.exceptions import BotoCoreError

        try:
            with self._lock:
                held = self._credentials or self._load()
                # Refreshable credentials change under our hands: take the three parts together.
                keys = None if held is None else held.get_frozen_credentials()
        except (BotoCoreError, OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
            # Messages of these may quote what a credential_process printed: the type must do.
            why = f"{self._source} gives no credentials ({type(error).__name__})"
            return Failure(Reason.NO_PERMISSION, why)
        if keys is None or not keys.access_key or not keys.secret_key:
            why = f"{self._source} has neither keys of its own nor a credential_process"
            return Failure(Reason.NO_PERMISSION, why)
        request = AWSRequest(method, url)
        frozen = Credentials(keys.access_key, keys.secret_key, keys.token)
        S3SigV4Auth(frozen, "s3", self._region).add_auth(request)
        return dict(request.headers.items())

    def _load(self) -> Credentials | None:
        if self._resolver is not None:
            self._credentials = self._resolver.load_credentials()
        return self._credentials


def _searched(session: Session) -> str:
    """The files in which botocore looks for profiles."""
    files = [session.get_config_variable(name) for name in ("config_file", "credentials_file")]
    return " or ".join(str(Path(str(name)).expanduser()) for name in files if name)


def profile_resolver(profile: str) -> CredentialResolver:
    """botocore's resolver for one named profile, with every provider but :data:`PROVIDERS` taken out."""
    from botocore.credentials import ProcessProvider
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    session: Session = Session(profile=profile)
    try:
        config: Mapping[str, Any] = session.get_scoped_config()
    except BotoCoreError:
        raise TargetError(
            f"there is no usable AWS profile '{profile}'",
            hint=f"name a profile of {_searched(session)}, or access_key_file and secret_key_file",
        ) from None
    if found := sorted(ELSEWHERE & set(config)):
        raise TargetError(
            f"AWS profile '{profile}' takes its identity from elsewhere ({', '.join(found)})",
            hint="name a profile that holds its own keys, or a credential_process",
        )
    resolver: CredentialResolver = session.get_component("credential_provider")
    resolver.providers[:] = [p for p in resolver.providers if p.METHOD in PROVIDERS]
    process = ProcessProvider(profile, lambda: session.full_config, popen=_BoundedProcess)
    resolver.providers[:] = [process if p.METHOD == process.METHOD else p for p in resolver.providers]
    return resolver


class _BoundedProcess(subprocess.Popen[bytes]):
    """botocore waits for a credential_process without end; this one ends."""

    def communicate(self, input: bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:
        try:
            return super().communicate(input, timeout or PROCESS_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            self.wait()
            for pipe in (self.stdout, self.stderr):
                if pipe is not None:
                    pipe.close()
            raise


def _static(access_key_file: str, secret_key_file: str, prefix: str = "") -> Credentials:
    from botocore.credentials import Credentials

    return Credentials(
        _key(access_key_file, f"{prefix}access_key_file"), _key(secret_key_file, f"{prefix}secret_key_file")
    )


def _key(path: str, setting: str) -> str:
    try:
        key = Path(path).read_text(encoding="ascii").strip()
    except OSError as error:
        raise TargetError(f"{setting} '{path}' cannot be read: {error.strerror}") from None
    except ValueError:
        key = ""
    if not key or not key.isprintable() or " " in key:
        raise TargetError(f"{setting} '{path}' does not hold a key", hint="one line, with the key alone")
    return key
