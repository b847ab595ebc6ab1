"""Sign and check bytes with the keys organisations have, so that tools of others can check them too.

Keys are Ed25519 and ECDSA over P-256 or P-384, as PEM (OpenSSL's) or as OpenSSH writes them. Two forms:
an envelope (DSSE) around a statement; a detached signature, which `openssl` checks for a PEM key and
`ssh-keygen -Y verify` for one of OpenSSH. All arithmetic is that of `cryptography`. Time stamps (RFC 3161)
are checked, and got elsewhere: nothing here asks a network. What certificates vouch for is in `cms`.

No message holds a passphrase or a byte of a private key.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256, sha512
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from cloudaudit.errors import SigningError

if TYPE_CHECKING:
    from cloudaudit.model import Seconds

Private: TypeAlias = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
Public: TypeAlias = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey

MAX_KEY: Final = 64 * 1024
NAMESPACE: Final = "cloudaudit-bundle"
"""What `ssh-keygen -Y verify -n` has to be given: a signature for another purpose is none of ours."""

_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----.*?-----END \1-----", re.DOTALL)
CURVES: Final[Mapping[str, hashes.SHA256 | hashes.SHA384]] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
}
"""The hash that goes with a curve, in OpenSSH and here."""
_KEYS: Final = (
    "use an Ed25519 or an ECDSA P-256 or P-384 key: openssl genpkey -algorithm ed25519 -out KEY.pem"
)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key."""

    key: Public
    name: str
    """The kind of key, for people."""

    @property
    def id(self) -> str:
        """SHA-256 of the key as SubjectPublicKeyInfo: the same for PEM and OpenSSH."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return sha256(self.key.public_bytes(serialization.Encoding.DER, form)).hexdigest()

    def accepts(self, signature: bytes, data: bytes) -> bool:
        """Whether a raw signature is one over these bytes by this key."""
        try:
            if isinstance(self.key, ed25519.Ed25519PublicKey):
                self.key.verify(signature, data)
            else:
                self.key.verify(signature, data, ec.ECDSA(CURVES[self.key.curve.name]))
        except InvalidSignature:
            return False
        return True

    def accepts_detached(self, signature: bytes, data: bytes) -> bool:
        """The same of what :meth:`Signer.detached` made, whichever of its two forms it has."""
        if not signature.startswith(_SSH_HEAD):
            return self.accepts(signature, data)
        try:
            raw = _ssh_signature(signature, self.key, data)
        except ValueError:
            return False
        return self.accepts(*raw)


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key. `of_ssh` says that it came as a key of OpenSSH."""

    key: Private
    of_ssh: bool

    @property
    def verifier(self) -> Verifier:
        return _verifier(self.key.public_key())

    def sign(self, data: bytes) -> bytes:
        """A raw signature: 64 bytes for Ed25519, DER for ECDSA."""
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(data)
        return self.key.sign(data, ec.ECDSA(CURVES[self.key.curve.name]))

    def detached(self, data: bytes) -> bytes:
        """What `openssl` checks, or `ssh-keygen` for its own keys."""
        return _sshsig(self, data) if self.of_ssh else self.sign(data)


# --- keys -----------------------------------------------------------------------------------------


def load_private(path: Path, passphrase: Callable[[], bytes]) -> Signer:
    """Read a private key; `passphrase` is asked only where the key is encrypted.

    SigningError: it is not there, of another kind, public, or the passphrase is not its own.
    """
    key, of_ssh = private_of(path, passphrase)
    if not isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
        raise SigningError(f"{path} is a key of another kind, {_kind_of(key)}", hint=_KEYS)
    check_curve(path, key)
    return Signer(key, of_ssh)


def private_of(path: Path, passphrase: Callable[[], bytes]) -> tuple[object, bool]:
    """Read a private key of any kind, and whether it is one of OpenSSH."""
    data = read(path)
    blocks = {found.group(1): found.group() for found in _BLOCK.finditer(data)}
    label = next((name for name in blocks if name.endswith(b"PRIVATE KEY")), None)
    if label is None:
        if blocks or data.startswith((b"ssh-", b"ecdsa-sha2-", b"sk-")):
            raise SigningError(
                f"{path} is public, and signing needs the private key",
                hint="give the file that the owner of the key keeps, not the one that is handed out",
            )
        raise SigningError(f"{path} is no private key", hint=_KEYS)
    block, of_ssh = blocks[label] + b"\n", label == b"OPENSSH PRIVATE KEY"
    load = serialization.load_ssh_private_key if of_ssh else serialization.load_pem_private_key
    try:
        return _unlocked(path, block, load, passphrase), of_ssh
    except UnsupportedAlgorithm as wrong:
        if of_ssh and "bcrypt" in str(wrong):
            raise SigningError(
                f"{path} is an encrypted key of OpenSSH, for which a package is not installed",
                hint="pip install 'cloudaudit-vn[ssh]'",
            ) from None
        raise SigningError(f"{path} is a key of a kind that is not used here", hint=_KEYS) from None


def _unlocked(
    path: Path, block: bytes, load: Callable[[bytes, bytes | None], Any], passphrase: Callable[[], bytes]
) -> object:
    """The key of a block. Errors of the library are replaced: they are not ours to vouch for."""
    try:
        return load(block, None)
    except (TypeError, ValueError) as wrong:
        # A TypeError of PEM, and a ValueError of OpenSSH that speaks of a password: it is encrypted.
        if isinstance(wrong, ValueError) and "password" not in str(wrong).lower():
            raise SigningError(f"{path} is damaged: it holds no key that can be read", hint=_KEYS) from None
    word = passphrase()
    if not word:
        raise SigningError(
            f"{path} is encrypted, and no passphrase was given",
            hint="give --passphrase-file, set CLOUDAUDIT_PASSPHRASE, or run it at a terminal",
        )
    try:
        return load(block, word)
    except (ValueError, TypeError):
        raise SigningError(
            f"{path} cannot be decrypted: the passphrase is wrong, or the file is damaged"
        ) from None


def load_public(path: Path) -> Verifier:
    """Read a public key, as PEM or as a line of OpenSSH. SigningError: it is none, or a private one."""
    data = read(path).strip()
    labels = [found.group(1) for found in _BLOCK.finditer(data)]
    if any(label.endswith(b"PRIVATE KEY") for label in labels):
        raise SigningError(
            f"{path} is a private key, and checking needs the public one",
            hint=f"openssl pkey -in {path} -pubout -out PUBLIC.pem, or ssh-keygen -y -f {path} > PUBLIC.pub; "
            "and let nobody else have this file",
        )
    if b"CERTIFICATE" in labels:
        raise SigningError(
            f"{path} is a certificate; whom it is of is not checked here",
            hint=f"check it, then: openssl x509 -in {path} -pubkey -noout > PUBLIC.pem",
        )
    try:
        if labels:
            key: object = serialization.load_pem_public_key(data + b"\n")
        else:
            key = serialization.load_ssh_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SigningError(
            f"{path} is no public key", hint="a PEM file or a line of OpenSSH is expected"
        ) from None
    if not isinstance(key, ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey):
        raise SigningError(f"{path} is a key of another kind, {_kind_of(key)}", hint=_KEYS)
    check_curve(path, key)
    return _verifier(key)


def read(path: Path) -> bytes:
    """A small file: a key, a certificate, a time stamp. SigningError: it cannot be read, or is large."""
    try:
        if not path.is_file():
            raise SigningError(f"there is no file {path}", hint="check the path of the key")
        if path.stat().st_size > MAX_KEY:
            raise SigningError(f"{path} is too large to be a key")
        return path.read_bytes()
    except OSError as wrong:
        raise SigningError(f"{path} cannot be read: {wrong.strerror or 'it is not there'}") from None


def certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """The certificates in a file, at least one, as PEM or DER. SigningError: there is none."""
    data = read(path)
    try:
        if b"-----BEGIN" in data:
            return tuple(x509.load_pem_x509_certificates(data))
        return (x509.load_der_x509_certificate(data),)
    except ValueError:
        raise SigningError(f"{path} is no certificate", hint="a PEM file is expected") from None


def _verifier(key: Public) -> Verifier:
    name = "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else f"ECDSA {_nist(key.curve.name)}"
    return Verifier(key, name)


def _nist(curve: str) -> str:
    return {"secp256r1": "P-256", "secp384r1": "P-384"}.get(curve, curve)


def _kind_of(key: object) -> str:
    return type(key).__name__.removesuffix("PrivateKey").removesuffix("PublicKey").lstrip("_").upper()


def check_curve(path: Path | str, key: object) -> None:
    """SigningError: it is an ECDSA key over a curve that is not used here."""
    curve = getattr(key, "curve", None)
    if curve is not None and curve.name not in CURVES:
        raise SigningError(f"{path} is an ECDSA key over {_nist(curve.name)}", hint=_KEYS)


# --- the envelope -----------------------------------------------------------------------------------

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
MAX_ENVELOPE: Final = 64 * 1024 * 1024


def _authenticated(payload: bytes) -> bytes:
    """What is really signed (DSSE's PAE): type and payload, each after its length."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def envelope(statement: Mapping[str, Any], signer: Signer) -> bytes:
    """A DSSE envelope around an in-toto statement, in the one form that :func:`unwrap` takes."""
    payload = rfc8785.dumps(dict(statement))
    signature = signer.sign(_authenticated(payload))
    return _envelope(payload, signer.verifier.id, signature)


def _envelope(payload: bytes, key_id: str, signature: bytes) -> bytes:
    written: dict[str, Any] = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key_id, "sig": base64.b64encode(signature).decode()}],
    }
    return rfc8785.dumps(written) + b"\n"


@dataclass(frozen=True, slots=True)
class Enveloped:
    """A statement out of its envelope. Nothing in it is vouched for until a key accepts it."""

    statement: Mapping[str, Any]
    key_id: str
    _payload: bytes
    _signature: bytes

    def is_accepted_by(self, verifier: Verifier) -> bool:
        return self.key_id == verifier.id and verifier.accepts(self._signature, _authenticated(self._payload))


def unwrap(data: bytes) -> Enveloped:
    """Take an envelope apart. ValueError: it is none, or not written as :func:`envelope` writes it.

    The bytes have one form only, so that no byte can be changed unseen: not a space, not an unused bit.
    """
    outer = json.loads(data)
    (entry,) = outer["signatures"]
    payload, signature = _base64(outer["payload"]), _base64(entry["sig"])
    if outer["payloadType"] != PAYLOAD_TYPE or not isinstance(entry["keyid"], str):
        raise ValueError("it is of another type")
    if _envelope(payload, entry["keyid"], signature) != data:
        raise ValueError("its bytes are not those that were written")
    return Enveloped(json.loads(payload), entry["keyid"], payload, signature)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as wrong:
        raise ValueError("it holds what is no base64") from wrong


# --- signatures of OpenSSH --------------------------------------------------------------------------
#
# NOTE: the format (PROTOCOL.sshsig of OpenSSH) is seven fields around a signature, and `cryptography` reads
# and writes keys of OpenSSH but not this. Calling ssh-keygen instead would need the key's file and its
# passphrase a second time, by way of an askpass program, and would verify nothing where it is not installed.
# The tests hold both directions against ssh-keygen itself.

_MAGIC: Final = b"SSHSIG"
_SSH_HEAD: Final = b"-----BEGIN SSH SIGNATURE-----"
_SSH_TAIL: Final = b"-----END SSH SIGNATURE-----"
_WIDTH: Final = 70


def _sshsig(signer: Signer, data: bytes) -> bytes:
    kind, blob = _ssh_public(signer.verifier.key)
    raw = signer.sign(_ssh_signed(data))
    if not isinstance(signer.key, ed25519.Ed25519PrivateKey):
        raw = b"".join(_string(_mpint(number)) for number in decode_dss_signature(raw))
    inner = _string(kind) + _string(raw)
    whole = (
        _MAGIC + (1).to_bytes(4, "big") + _string(blob) + _string(NAMESPACE.encode()) + _string(b"")
        + _string(b"sha512") + _string(inner)
    )  # fmt: skip
    return _armoured(whole)


def _armoured(whole: bytes) -> bytes:
    text = base64.b64encode(whole)
    lines = [text[i : i + _WIDTH] for i in range(0, len(text), _WIDTH)]
    return b"\n".join([_SSH_HEAD, *lines, _SSH_TAIL, b""])


def _ssh_signature(armour: bytes, key: Public, data: bytes) -> tuple[bytes, bytes]:
    """The raw signature inside, and the bytes it is to be over. ValueError: it is none by this key."""
    body = armour.removeprefix(_SSH_HEAD).rpartition(_SSH_TAIL)[0]
    try:
        whole = base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error as wrong:
        raise ValueError("it is no base64") from wrong
    if _armoured(whole) != armour:
        raise ValueError("its bytes are not those that were written")
    kind, blob = _ssh_public(key)
    head = _MAGIC + (1).to_bytes(4, "big") + _string(blob) + _string(NAMESPACE.encode()) + _string(b"")
    for name, made in ((b"sha512", sha512), (b"sha256", sha256)):
        start = head + _string(name)
        if whole.startswith(start):
            signed = _ssh_signed(data, name, made(data).digest())
            return _ssh_raw(_field(whole[len(start) :]), kind, key), signed
    raise ValueError("it is of another key or for another purpose")


def _ssh_raw(inner: bytes, kind: bytes, key: Public) -> bytes:
    head = _string(kind)
    if not inner.startswith(head):
        raise ValueError("it is of another kind")
    raw = _field(inner[len(head) :])
    if isinstance(key, ed25519.Ed25519PublicKey):
        return raw
    middle = 4 + int.from_bytes(raw[:4], "big")
    r, s = _field(raw[:middle]), _field(raw[middle:])
    return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def _ssh_signed(data: bytes, name: bytes = b"sha512", digest: bytes | None = None) -> bytes:
    hashed = sha512(data).digest() if digest is None else digest
    return _MAGIC + _string(NAMESPACE.encode()) + _string(b"") + _string(name) + _string(hashed)


def _ssh_public(key: Public) -> tuple[bytes, bytes]:
    """Kind and wire form of a public key."""
    form = serialization.PublicFormat.OpenSSH
    kind, blob = key.public_bytes(serialization.Encoding.OpenSSH, form).split(b" ")[:2]
    return kind, base64.b64decode(blob)


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _field(data: bytes) -> bytes:
    """The one string that is all of the data."""
    if len(data) < 4 or int.from_bytes(data[:4], "big") != len(data) - 4:
        raise ValueError("a field has another length than it says")
    return data[4:]


def _mpint(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


# --- time stamps ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stamp:
    """The answer of a time-stamping authority, and the roots that it has to lead to."""

    response: bytes
    roots: tuple[x509.Certificate, ...]

    def time_of(self, data: bytes) -> Seconds:
        """When the authority saw these bytes. ValueError: it does not say so, or is none of these roots'."""
        from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

        try:
            response = decode_timestamp_response(self.response)
        except ValueError:
            # NOTE: the library takes strict DER only. Some authorities put their certificates out of order.
            raise ValueError("it cannot be read as a time stamp; ask openssl ts -verify too") from None
        try:
            VerifierBuilder(roots=list(self.roots)).build().verify_message(response, data)
        except (VerificationError, ValueError) as wrong:
            raise ValueError(str(wrong)) from None
        return int(response.tst_info.gen_time.timestamp())


def load_stamp(response: Path, roots: Path) -> Stamp:
    """Read a time stamp and the certificates of roots. SigningError: they are none, or cannot be checked."""
    if find_spec("rfc3161_client") is None:
        raise SigningError(
            "checking a time stamp needs a package that is not installed",
            hint="pip install 'cloudaudit-vn[timestamp]', or use openssl ts -verify",
        )
    return Stamp(read(response), certificates(roots))
