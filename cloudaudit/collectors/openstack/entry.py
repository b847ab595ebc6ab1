"""Read one entry of clouds.yaml through the SDK's own configuration. The only place that sees secrets."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import yaml

from cloudaudit.collectors.openstack.catalogue import OVERRIDABLE, api_root, usable
from cloudaudit.collectors.openstack.target import OpenStackTarget
from cloudaudit.collectors.transport import tls_context
from cloudaudit.errors import TargetError, Where, did_you_mean

if TYPE_CHECKING:
    from keystoneauth1.identity.base import BaseIdentityPlugin
    from keystoneauth1.loading import BaseLoader
    from keystoneauth1.session import Session
    from openstack.config import OpenStackConfig
    from openstack.config.cloud_region import CloudRegion

# One project belongs to the credential itself.
_UNSCOPABLE: Final = frozenset({
    "token", "v3token", "v3applicationcredential", "v3oauth2clientcredential", "v3oauth2mtlsclientcredential",
})  # fmt: skip
# A passcode is good for one token, from which the others are had.
_ONE_TIME: Final = frozenset({"v3totp", "v3multifactor", "v3oidcauthcode"})
# These open a browser, or print an address and wait: an audit runs where nobody sits.
_INTERACTIVE: Final = frozenset({"v3websso", "v3oidcdeviceauthz"})
_SCOPE_OPTIONS: Final = frozenset(
    {
        "project_id",
        "project_name",
        "project_domain_id",
        "project_domain_name",
        "domain_id",
        "domain_name",
        "system_scope",
        "trust_id",
    }
)
# Addresses of identity providers to which federated plug-ins post.
_TOKEN_OPTIONS: Final = (
    "access_token_endpoint",
    "identity_provider_url",
    "service_provider_endpoint",
    "oauth2_endpoint",
)

_TELLABLE: Final = re.compile(r"""(?:[^'"]|'(?:<[a-z ]+>|\\?.)')*""")
"""The message of a parser up to the first quotation that is no kind of token and no single character."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of clouds.yaml. `options` hold the credential and leave this module only as a plug-in."""

    auth_type: str
    options: Mapping[str, object] = field(repr=False)
    plugin: BaseIdentityPlugin = field(repr=False)
    keystone: str
    """Address of Keystone's version 3."""
    interfaces: tuple[str, ...]
    """Kinds of endpoints to use, the first choice first."""
    verify: bool | str
    cert: str | tuple[str, str] | None
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Addresses of services by region and service type, in place of the catalogue's; "" is any region."""

    def override(self, service: str, region: str) -> str | None:
        """The address the entry gives a service of a region."""
        for name in (region, ""):
            if service in self.overrides.get(name, {}):
                return self.overrides[name][service]
        return None

    @property
    def token_urls(self) -> frozenset[str]:
        """The only addresses a POST may go to: Keystone's, and those of identity providers."""
        return frozenset({f"{self.keystone}/auth/tokens"}) | self.provider_urls

    @property
    def provider_urls(self) -> frozenset[str]:
        """Where a federated credential signs in before it asks for tokens, Keystone's part of it included."""
        given = (self.options.get(name) for name in _TOKEN_OPTIONS)
        named = {url.partition("?")[0] for url in given if isinstance(url, str)}
        provider, protocol = self.options.get("identity_provider"), self.options.get("protocol")
        federation = f"{self.keystone}/OS-FEDERATION/identity_providers/{provider}/protocols/{protocol}/auth"
        return frozenset({*named, *([federation] if provider else [])})

    @property
    def scopable(self) -> bool:
        """Whether the credential can have tokens of several scopes."""
        return self.auth_type not in _UNSCOPABLE

    def scoped(self, wanted: dict[str, str], session: Session) -> BaseIdentityPlugin:
        """The same credential for another scope. Raises TypeError and its like where the kind cannot."""
        from keystoneauth1 import loading
        from keystoneauth1.identity.v3 import Token

        if self.auth_type in _ONE_TIME:
            return Token(self.keystone, token=self.plugin.get_token(session) or "", **wanted)  # type: ignore[arg-type]
        kept = {name: value for name, value in self.options.items() if name not in _SCOPE_OPTIONS}
        loader: BaseLoader[BaseIdentityPlugin] = loading.get_plugin_loader(self.auth_type)
        return loader.load_from_options(**kept, **wanted)


def read_entry(target: OpenStackTarget) -> Entry:
    """The clouds.yaml entry of a target. A missing or wrong one is the user's to mend: TargetError."""
    from keystoneauth1.identity.base import BaseIdentityPlugin

    region, overrides = _region(target)
    plugin = region.get_auth()
    options = dict(region.config.get("auth") or {})
    auth_url = options.get("auth_url")
    if not isinstance(plugin, BaseIdentityPlugin):
        raise _unusable(target, f"auth_type {region.config.get('auth_type')!r} gets no token from Keystone")
    if not isinstance(auth_url, str) or urlsplit(auth_url).scheme not in ("http", "https"):
        raise _unusable(target, "it has no http or https auth_url")
    verify, cert = region.get_requests_verify_args()
    verify = target.ca_file or (True if verify is None else verify)
    _check_files(target, verify, cert)
    interface = target.interface or region.get_interface() or "public"
    names = [interface] if isinstance(interface, str) else interface
    entry = Entry(
        auth_type=str(region.config["auth_type"]),
        options=options,
        plugin=plugin,
        keystone=keystone_root(auth_url),
        interfaces=tuple(name.removesuffix("URL") for name in names),
        verify=verify,
        cert=cert,
        overrides=overrides,
    )
    _check_secrecy(target, entry)
    return entry


def _check_secrecy(target: OpenStackTarget, entry: Entry) -> None:
    """A secret that Keystone takes over https is not given to an identity provider over http."""
    if target.allow_http or not entry.keystone.startswith("https:"):
        return
    for url in sorted(entry.token_urls):
        if not url.startswith("https:"):
            place = urlsplit(url).netloc.rpartition("@")[2]
            raise _unusable(
                target, f"it would send its secret over http to {place}, and to Keystone over https"
            )


def _check_files(target: OpenStackTarget, verify: bool | str, cert: str | tuple[str, str] | None) -> None:
    """Find an unreadable certificate now: later it would look like a cloud that does not answer."""
    if isinstance(verify, str):
        tls_context(verify)
    for path in (cert,) if isinstance(cert, str) else cert or ():
        if not Path(path).is_file():
            raise _unusable(target, f"its client certificate or key {path} is no file")


def keystone_root(auth_url: str) -> str:
    """The address of Keystone's version 3, whatever of it the entry names."""
    bare = auth_url.partition("?")[0].rstrip("/")
    return api_root("identity", bare.removesuffix("/v2.0"))


def _region(target: OpenStackTarget) -> tuple[CloudRegion, dict[str, dict[str, str]]]:
    """The entry as the SDK reads it for its first region, and the addresses it gives to services."""
    from keystoneauth1 import exceptions as ksa
    from openstack import exceptions as sdk
    from openstack.config import OpenStackConfig

    passed_over = ""
    try:
        with warnings.catch_warnings():
            # The SDK announces changes to its callers whenever it is used, whatever the entry says.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            config = OpenStackConfig(app_name="cloudaudit")
            known = config.get_cloud_names()
            if target.cloud not in known:
                raise _missing(target, config)
            passed_over = next(_passed_over(config._secure_files, config.secure_config_filename), "")
            written = config.cloud_config["clouds"][target.cloud]
            _check_written(target, written)
            region = config.get_one(cloud=target.cloud)
            regions = written.get("regions") or []
            names = [one.get("name", "") if isinstance(one, dict) else one for one in regions]
            each = [config.get_one(cloud=target.cloud, region_name=name) for name in names] or [region]
    except (ksa.AuthPluginException, sdk.ConfigException) as error:
        # What is not there may stand in a secure.yaml that the SDK says nothing about.
        raise _unusable(target, passed_over or str(error)) from error
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise _unusable(target, f"it is not shaped as the SDK expects ({type(error).__name__})") from error
    for name, one in zip(names, each, strict=False):
        if one.config.get("auth") != region.config.get("auth"):
            why = (
                f"its region {name!r} has another Keystone or credential; write an entry and a target for it"
            )
            raise _unusable(target, why)
    overrides = {str(one.config.get("region_name") or ""): _overrides(target, one) for one in each}
    return region, {name: found for name, found in overrides.items() if found}


def _check_written(target: OpenStackTarget, written: Mapping[str, object]) -> None:
    """Refuse what the SDK must not even begin.

    It would fetch a profile that is an address, past all that holds our requests to reading.
    """
    if written.get("auth_type") in _INTERACTIVE:
        raise _unusable(target, f"auth_type {written['auth_type']!r} needs somebody at a browser")
    for key in ("profile", "cloud"):
        if "//" in str(written.get(key) or ""):
            raise _unusable(target, f"its {key} would be fetched from an address; copy what it says")


def _overrides(target: OpenStackTarget, region: CloudRegion) -> dict[str, str]:
    """Services that have an address in the entry, as volume_endpoint_override, by their official type."""
    found = {service: region.get_endpoint(service) for service in OVERRIDABLE}
    for service, url in found.items():
        if url is not None and not usable(url):
            raise _unusable(target, f"its address of {service} is none a client can use")
    return {service: url for service, url in found.items() if url is not None}


def _unusable(target: OpenStackTarget, why: str) -> TargetError:
    return TargetError(
        f"target {target.name!r}: the clouds.yaml entry {target.cloud!r} cannot be used: {why}",
        hint=f"it should work with: openstack --os-cloud {target.cloud} token issue",
    )


def _missing(target: OpenStackTarget, config: OpenStackConfig) -> TargetError:
    """Why an entry is not there: the file that was read has others, one is broken, or there is none."""
    known = config.get_cloud_names()
    broken = next(_passed_over(config._config_files, config.config_filename), "")
    if config.config_filename:
        entries = ", ".join(sorted(known)) or "none"
        what = f"{config.config_filename} has no entry {target.cloud!r} (entries: {entries})"
        what += f"; {broken}" if broken else ""
    elif broken:
        what = f"the entry {target.cloud!r} was not found: {broken}"
    else:
        # The SDK looks for JSON, too, which nobody writes.
        places = dict.fromkeys(path for path in config._config_files if not path.endswith(".json"))
        what = (
            f"no clouds.yaml was found that could hold the entry {target.cloud!r}"
            f" (searched: {', '.join(places)})"
        )
    return TargetError(f"target {target.name!r}: {what}", hint=did_you_mean(target.cloud, known))


def _passed_over(files: Iterable[str], read: str | None) -> Iterator[str]:
    """Say of each file that stands before the one that was read why the SDK could not take it."""
    for path in dict.fromkeys(files):
        if path == read:
            return
        if Path(path).exists() and (why := _broken(Path(path))):
            yield why


def _broken(path: Path) -> str:
    """Why a file is none the SDK can read; empty when it is one.

    NOTE: read as the SDK reads it, and not by our own strict reader: anchors are in order here. What a
    parser quotes may be a part of a password, so that only marks of punctuation are told.
    """
    where, found = Where(str(path)), ""
    try:
        text = path.read_text()
        json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except OSError as error:
        found = f"the file cannot be read: {error.strerror}"
    except json.JSONDecodeError as error:
        where, found = Where(str(path), error.lineno, error.colno), f"this is not JSON: {error.msg}"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Where(str(path), mark.line + 1, mark.column + 1) if mark else where
        found = f"this is not YAML: {_tellable(str(error.problem))}"
    except (ValueError, yaml.YAMLError):
        found = "the file is no plain text in UTF-8"
    return f"{where}: {found}" if found else ""


def _tellable(message: str) -> str:
    told = _TELLABLE.match(message)
    kept = told[0] if told else ""
    return kept if kept == message else f"{kept}…"
