"""A key that stays on a PKCS#11 token: a USB token of an authority, a smart card, an HSM.

The token makes the signatures; everything else takes its key for one of `cryptography`, which asks no more of
a key that is kept elsewhere than to be of its kind and to sign.

No message holds a PIN, and a PIN is tried once: a token locks itself after a few wrong ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from cloudaudit.cms import CmsSigner, Key, check_key
from cloudaudit.errors import SigningError

_PIN_TOLD: Final = {
    "PinIncorrect": "the token does not take this PIN; it was tried once",
    "PinInvalid": "the token does not take this PIN; it was tried once",
    "PinLenRange": "the token does not take a PIN of this length; it was tried once",
    "PinLocked": "the PIN of the token is locked",
    "PinExpired": "the PIN of the token has expired",
}
_OTHER_KEY: Final = "the token signed with another key than that of the certificate"


@dataclass(frozen=True, slots=True)
class _RsaKey:
    held: Any
    public: rsa.RSAPublicKey

    def public_key(self) -> rsa.RSAPublicKey:
        return self.public

    def sign(self, data: bytes, how: padding.AsymmetricPadding, algorithm: hashes.HashAlgorithm) -> bytes:
        from pkcs11 import Mechanism

        if not isinstance(how, padding.PKCS1v15) or not isinstance(algorithm, hashes.SHA256):
            raise SigningError("a token is asked for RSA with PKCS #1 v1.5 and SHA-256 only")
        signature: bytes = self.held.sign(data, mechanism=Mechanism.SHA256_RSA_PKCS)
        try:
            self.public.verify(signature, data, how, algorithm)
        except InvalidSignature:
            raise SigningError(_OTHER_KEY) from None
        return signature


@dataclass(frozen=True, slots=True)
class _EcKey:
    held: Any
    public: ec.EllipticCurvePublicKey

    @property
    def curve(self) -> ec.EllipticCurve:
        return self.public.curve

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self.public

    def sign(self, data: bytes, how: ec.ECDSA) -> bytes:
        from pkcs11 import Mechanism
        from pkcs11.util.ec import encode_ecdsa_signature

        # NOTE: many tokens hash nothing themselves for ECDSA; all of them sign a digest.
        digest = hashes.Hash(cast("hashes.HashAlgorithm", how.algorithm))
        digest.update(data)
        signature = encode_ecdsa_signature(self.held.sign(digest.finalize(), mechanism=Mechanism.ECDSA))
        try:
            self.public.verify(signature, data, how)
        except InvalidSignature:
            raise SigningError(_OTHER_KEY) from None
        return signature


# What `cryptography` looks at before it lets a key sign.
rsa.RSAPrivateKey.register(_RsaKey)
ec.EllipticCurvePrivateKey.register(_EcKey)


@contextmanager
def opened(
    module: Path, label: str | None, certificate: str | None, pin: Callable[[], bytes]
) -> Iterator[CmsSigner]:
    """The key of a certificate on a token, usable until the end of the block.

    `module` is the library of the token's maker, and runs here. `label` and `certificate` may be left out
    where there is one token, and one certificate on it that has a private key.

    SigningError: there is no such token, certificate or key, the PIN is wrong, or the token breaks.
    """
    if find_spec("pkcs11") is None:
        raise SigningError(
            "a token needs a package that is not installed", hint="pip install 'cloudaudit-vn[pkcs11]'"
        )
    from pkcs11.exceptions import PKCS11Error

    try:
        found = _token(module, label)
        with found.open(user_pin=_asked(pin)) as session:
            yield _signer(session, certificate)
    except PKCS11Error as wrong:
        name = type(wrong).__name__
        raise SigningError(_PIN_TOLD.get(name, f"the token refused or broke: {name}")) from None


def _asked(pin: Callable[[], bytes]) -> str:
    try:
        word = pin().decode()
    except UnicodeDecodeError:
        raise SigningError("the PIN is not UTF-8; the token was not asked") from None
    if not word:
        raise SigningError(
            "no PIN was given",
            hint="give --pkcs11-pin-file, set CLOUDAUDIT_PKCS11_PIN, or run it at a terminal",
        )
    return word


def _token(module: Path, label: str | None) -> Any:
    from pkcs11 import TokenFlag, lib
    from pkcs11.exceptions import PKCS11Error

    if not module.is_file():
        raise SigningError(f"there is no file {module}", hint="give the library of the token's maker")
    try:
        library = lib(str(module))
    except PKCS11Error:
        raise SigningError(
            f"{module} is no library for PKCS#11", hint="give the .so of the token's maker, or of OpenSC"
        ) from None
    there = list(library.get_tokens(token_flags=TokenFlag.TOKEN_INITIALIZED))
    fitting = [token for token in there if label is None or token.label == label]
    return _only(fitting, "token", label, [token.label for token in there], "--pkcs11-token")


def _signer(session: Any, label: str | None) -> CmsSigner:
    from pkcs11 import Attribute, ObjectClass

    keys: dict[bytes, list[Any]] = {}
    for key in session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY}):
        keys.setdefault(bytes(key[Attribute.ID]), []).append(key)
    owned: list[tuple[str, bytes, bytes]] = []
    between: list[tuple[str, bytes, bytes]] = []
    for entry in session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}):
        found = (str(entry[Attribute.LABEL]), bytes(entry[Attribute.ID]), bytes(entry[Attribute.VALUE]))
        (owned if found[1] in keys else between).append(found)
    fitting = [one for one in owned if label is None or one[0] == label]
    _, id_, value = _only(fitting, "certificate with a key", label, [n for n, _, _ in owned], "--pkcs11-cert")
    held = _only(keys[id_], "key of this certificate", None, [str(key.label) for key in keys[id_]], "")
    try:
        own = x509.load_der_x509_certificate(value)
        public = own.public_key()
        others = tuple(one for _, _, der in between if _is_ca(one := x509.load_der_x509_certificate(der)))
    except ValueError:
        raise SigningError("the token holds a certificate that cannot be read") from None
    check_key("the certificate on the token", public)
    if isinstance(public, rsa.RSAPublicKey):
        return CmsSigner(cast("Key", _RsaKey(held, public)), own, others)
    return CmsSigner(cast("Key", _EcKey(held, cast("ec.EllipticCurvePublicKey", public))), own, others)


def _is_ca(certificate: x509.Certificate) -> bool:
    """Whether it is of an authority: those of other people stay on the token."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _only(fitting: list[Any], what: str, label: str | None, there: list[str], option: str) -> Any:
    if len(fitting) == 1:
        return fitting[0]
    wanted = f" labelled '{label}'" if label is not None else ""
    told = ", ".join(repr(name) for name in there[:10]) or "none"
    raise SigningError(
        f"there is {'no' if not fitting else 'more than one'} {what}{wanted}",
        hint=f"there: {told}" + (f"; choose with {option}" if option and there else ""),
    )
