"""A private certificate authority for the sample cloud.

Keys, serial numbers and dates are fixed, so that what the TLS probe reads is the same in every run.
Nothing is protected by them: they serve loopback addresses and guard no secret.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FROM: Final = datetime(2026, 11, 1, tzinfo=UTC)
UNTIL: Final = datetime(2046, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Authority:
    """Files of an authority's certificate and of one server's certificate and key."""

    ca_file: Path
    server_file: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.server_file)
        return context


def make(folder: Path, addresses: Sequence[str]) -> Authority:
    """Write an authority and a server certificate that is good for the given loopback addresses."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    root_key, key = _key("sample cloud root"), _key("sample cloud server")
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(a)) for a in addresses])
    root = _signed("Sample cloud root", 1, root_key, root_key, (x509.BasicConstraints(True, 0), usage))
    leaf = _signed("sample cloud", 2, key, root_key, (x509.BasicConstraints(False, None), names))
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    ca_file, server_file = folder / "ca.pem", folder / "server.pem"
    ca_file.write_bytes(root.public_bytes(pem))
    server_file.touch(mode=0o600)
    server_file.write_bytes(private + leaf.public_bytes(pem))
    return Authority(ca_file, server_file)


def _key(name: str) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())


def _signed(
    subject: str,
    serial: int,
    key: Ed25519PrivateKey,
    root_key: Ed25519PrivateKey,
    extensions: Sequence[x509.ExtensionType],
) -> x509.Certificate:
    """A certificate signed by the authority's key."""
    from cryptography import x509

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    issuer_id = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named("Sample cloud root"))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(FROM)
        .not_valid_after(UNTIL)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id), critical=False
        )
    )
    for extension in extensions:
        critical = isinstance(extension, x509.BasicConstraints | x509.KeyUsage)
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(root_key, None)
