"""CMS signatures (RFC 5652): made with a key that has a certificate, and checked against a root of one's own.

Domestic authorities issue certificates for RSA keys mostly, so RSA is taken here and for nothing else. What
is signed is written by `cryptography`; what others wrote is read, and its chain built, by `pyhanko`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeGuard, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from cloudaudit.errors import SigningError
from cloudaudit.model import Text, format_time
from cloudaudit.signing import CURVES, Signer, certificates, check_curve, private_of

Key: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

MIN_RSA: Final = 2048
MOST_NAME: Final = 300
_USAGES: Final = frozenset({"digital_signature", "non_repudiation"})
_PURPOSES: Final = frozenset(
    {"email_protection", "client_auth", "microsoft_document_signing", "1.3.6.1.5.5.7.3.36"}
)
"""What a certificate that names purposes has to name one of. Those of domestic authorities for organisations
and officers name mail and the client's side of TLS; the last is RFC 9336's for documents."""


# --- making one -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CmsSigner:
    """A private key with its certificate."""

    key: Key
    certificate: x509.Certificate
    between: tuple[x509.Certificate, ...] = ()
    """Certificates of authorities between it and a root: they go along."""

    def sign(self, data: bytes) -> bytes:
        """A detached signature in DER, which `openssl cms -verify -binary -inform DER -content` checks."""
        hash_ = CURVES[self.key.curve.name] if is_ec(self.key) else hashes.SHA256()
        builder = pkcs7.PKCS7SignatureBuilder().set_data(data)
        # NOTE: adding a signer forgets the certificates that were added before.
        builder = builder.add_signer(self.certificate, self.key, hash_)
        for certificate in self.between:
            builder = builder.add_certificate(certificate)
        options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
        return builder.sign(serialization.Encoding.DER, options)


def load_key(path: Path, passphrase: Callable[[], bytes]) -> object:
    """Read a private key that is to sign as CMS only. :func:`load_certificate` says whether it can."""
    return private_of(path, passphrase)[0]


def load_certificate(path: Path, key: object) -> CmsSigner:
    """Read the certificate of a key, and those after it in the file. SigningError: it is another key's."""
    first, *others = certificates(path)
    if not hasattr(key, "public_key") or first.public_key() != key.public_key():
        raise SigningError(f"{path} is the certificate of another key")
    check_key(path, key)
    return CmsSigner(cast("Key", key), first, tuple(others))


def check_key(where: Path | str, key: object) -> None:
    """Whether a private or public key can make CMS here. SigningError: it cannot."""
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        if key.key_size < MIN_RSA:
            raise SigningError(f"{where} is of an RSA key of {key.key_size} bits; {MIN_RSA} is the least")
    elif isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        check_curve(where, key)
    else:
        kind = "an Ed25519 key" if isinstance(key, ed25519.Ed25519PrivateKey) else "a key of this kind"
        raise SigningError(f"CMS with {kind} is not written here", hint="use an RSA or ECDSA key for it")


def alone(certified: CmsSigner | None) -> Signer:
    """The same key as the one that signs everything. SigningError: it is of a kind that does not."""
    if certified is None or not is_ec(certified.key):
        raise SigningError(
            "an RSA key makes the CMS signature only", hint="give --key too: an Ed25519 or an ECDSA key"
        )
    return Signer(certified.key, of_ssh=False)


def is_ec(key: object) -> TypeGuard[ec.EllipticCurvePrivateKey]:
    return isinstance(key, ec.EllipticCurvePrivateKey)


# --- checking one -----------------------------------------------------------------------------------


class Unacceptable(ValueError):
    """Why a signature is not accepted."""

    def __init__(self, vi: str, en: str) -> None:
        self.text = Text(vi, en)
        super().__init__(en)


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a signature has to lead to: one of these roots, and by this one certificate if that is given."""

    roots: tuple[x509.Certificate, ...]
    certificate: x509.Certificate | None = None

    def accept(self, signature: bytes, data: bytes) -> Text:
        """Who signed these bytes, and when by their own clock. Unacceptable: nobody whom it leads to."""
        try:
            return asyncio.run(self._accept(signature, data))
        except Unacceptable:
            raise
        except Exception:  # noqa: BLE001 - the one boundary: whatever they meet is a refusal
            # NOTE: for hostile bytes the libraries raise nearly anything, UnboundLocalError among it.
            raise Unacceptable(
                "không đọc được như một chữ ký CMS tách rời của một người ký",
                "cannot be read as a detached CMS signature by one signer",
            ) from None

    async def _accept(self, signature: bytes, data: bytes) -> Text:
        from asn1crypto.cms import ContentInfo
        from asn1crypto.x509 import Certificate
        from pyhanko.sign.general import extract_certificate_info, extract_signer_info
        from pyhanko.sign.validation import async_validate_detached_cms
        from pyhanko.sign.validation.generic_cms import extract_self_reported_ts
        from pyhanko.sign.validation.settings import KeyUsageConstraints
        from pyhanko_certvalidator import ValidationContext
        from pyhanko_certvalidator.errors import InvalidCertificateError

        signed = ContentInfo.load(signature, strict=True)["content"]
        info = extract_signer_info(signed)
        there = extract_certificate_info(signed).signer_cert
        signer = x509.load_der_x509_certificate(there.dump())
        at = extract_self_reported_ts(info)
        if at is None:
            raise Unacceptable("không ghi thời điểm ký", "does not say when it was signed")
        usage = KeyUsageConstraints(
            key_usage=set(_USAGES), extd_key_usage=set(_PURPOSES), explicit_extd_key_usage_required=False
        )
        status = await async_validate_detached_cms(
            data,
            signed,
            # NOTE: without roots the library would take those of the system.
            ValidationContext(
                trust_roots=[
                    Certificate.load(root.public_bytes(serialization.Encoding.DER)) for root in self.roots
                ],
                moment=at,
                allow_fetching=False,
                revocation_mode="soft-fail",
            ),
            key_usage_settings=usage,
        )
        who = there.subject.human_friendly[:MOST_NAME]
        if not status.intact:
            raise Unacceptable("là chữ ký của nội dung khác", "is over other bytes")
        if not status.valid:
            raise Unacceptable(
                f"không do khóa của chứng thư đi kèm tạo ra: {who}",
                f"was not made by the key of the certificate in it: {who}",
            )
        if self.certificate is not None and signer != self.certificate:
            raise Unacceptable(f"do chứng thư khác ký: {who}", f"is by another certificate: {who}")
        _check_validity(signer, at, who)
        try:
            # The library asks this of no certificate that is a root itself.
            usage.validate(there)
        except InvalidCertificateError:
            raise Unacceptable(
                f"chứng thư không dùng để ký: {who}", f"its certificate is not for signing: {who}"
            ) from None
        if not status.trusted:
            raise _no_chain(status.trust_problem_indic, who)
        when, by = format_time(int(at.timestamp())), there.issuer.human_friendly[:MOST_NAME]
        return Text(
            f"{who}, chứng thư do {by} cấp, số {signer.serial_number:x}; ký lúc {when} theo máy ký; "
            "không kiểm tra thu hồi",
            f"{who}, certificate {signer.serial_number:x} by {by}; signed at {when} by the signer's clock; "
            "revocation was not looked at",
        )


def _check_validity(signer: x509.Certificate, at: datetime, who: str) -> None:
    first, last = signer.not_valid_before_utc, signer.not_valid_after_utc
    if not first <= at <= last:
        day, since, until = (moment.astimezone(UTC).date() for moment in (at, first, last))
        raise Unacceptable(
            f"chứng thư không có hiệu lực lúc ký ({day}; hiệu lực {since} đến {until}): {who}",
            f"its certificate was not valid when it was signed ({day}; valid {since} to {until}): {who}",
        )


def _no_chain(why: Any, who: str) -> Unacceptable:
    if why is not None and why.name == "NO_CERTIFICATE_CHAIN_FOUND":
        return Unacceptable(
            f"chứng thư không dẫn tới chứng thư gốc đã đưa: {who}",
            f"its certificate does not lead to the root that was given: {who}",
        )
    name = getattr(why, "name", "?")
    return Unacceptable(
        f"chuỗi chứng thư không đạt ({name}): {who}",
        f"its chain of certificates does not hold ({name}): {who}",
    )


def load_anchor(roots: Path, certificate: Path | None) -> Anchor:
    """Read roots, and the one certificate. SigningError: they are none, or no package can check with them."""
    if find_spec("pyhanko") is None:
        raise SigningError(
            "checking a CMS signature needs a package that is not installed",
            hint="pip install 'cloudaudit-vn[cms]', or use openssl cms -verify",
        )
    return Anchor(certificates(roots), certificates(certificate)[0] if certificate else None)
