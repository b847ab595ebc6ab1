"""The commands for bundles: make one that an organisation signs, and check one that was handed over."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cloudaudit.cli.options import (
    EXISTING,
    EXISTING_FOLDER,
    controls_option,
    emit,
    generated,
    language,
    quietness,
    tell,
    telling,
)
from cloudaudit.model import Text
from cloudaudit.wording import plain

if TYPE_CHECKING:
    from cloudaudit.bundle import Check
    from cloudaudit.pseudonyms import Pseudonyms

PATH: Final = click.Path(path_type=Path)
PASSPHRASE: Final = "CLOUDAUDIT_PASSPHRASE"  # noqa: S105 - the name of a variable
PIN: Final = "CLOUDAUDIT_PKCS11_PIN"
MAX_SMALL: Final = 64 * 1024
UNVOUCHED: Final = 3
"""Exit code where no key was given to check a signature with: what is not known is no success."""
_STATES: Final = {
    "ok": Text("đạt", "ok"),
    "refused": Text("không đạt", "REFUSED"),
    "note": Text("lưu ý", "note"),
}
_NAMES: Final = {
    "layout": Text("bố cục", "layout"),
    "signature": Text("chữ ký", "signature"),
    "files": Text("tệp", "files"),
    "sums": Text("SHA256SUMS", "SHA256SUMS"),
    "cms": Text("CMS", "CMS"),
    "manifest": Text("bundle.json", "bundle.json"),
    "clock": Text("thời điểm", "clock"),
    "build": Text("công cụ", "tool"),
    "previous": Text("kỳ trước", "previous"),
    "controls": Text("biện pháp kiểm soát", "controls"),
    "numbers": Text("số liệu", "figures"),
    "snapshot": Text("bản chụp", "snapshot"),
    "findings": Text("kết quả", "findings"),
    "report": Text("báo cáo", "report"),
    "formats": Text("định dạng", "formats"),
    "timestamp": Text("dấu thời gian", "time stamp"),
    "image": Text("ảnh", "image"),
    "content": Text("nội dung", "content"),
}
_ENDS: Final = {
    ("refused", "full"): Text(
        "TỪ CHỐI: không sử dụng gói này; đề nghị đơn vị lập gửi lại và đối chiếu mã khóa qua kênh khác.",
        "REFUSED: do not use this bundle; ask its maker to send it again, and compare keys by other means.",
    ),
    ("ok", "full"): Text(
        "Xác minh đạt: nội dung đúng là của khóa này, và báo cáo tính lại được từ bản chụp.",
        "Verified: it is this key's, and the report follows from the snapshot.",
    ),
    ("ok", "public"): Text(
        "Xác minh đạt: nội dung đúng là của khóa này, và số liệu tính lại được từ các kết quả.",
        "Verified: it is this key's, and the figures follow from the findings.",
    ),
    ("unsigned", "full"): Text(
        "Nội dung nhất quán, nhưng không ai bảo đảm: hãy đưa --public-key của đơn vị lập gói.",
        "It is of one piece, but nobody vouches for it: give the --public-key of whoever made it.",
    ),
}


@click.group()
def bundle() -> None:
    """Make a signed bundle of an assessment, and check one offline.

    \b
    cloudaudit bundle create out --key private.pem -o bundle.zip
    cloudaudit bundle verify bundle.zip --public-key public.pem
    cloudaudit bundle create bundle.zip --pseudonyms names.key --key private.pem -o public.zip
    """


@bundle.command("create", short_help="Put an assessment and all it followed from into a signed bundle.")
@click.argument("assessment", type=EXISTING)
@click.option(
    "--key",
    "key",
    type=PATH,
    help="Private key: Ed25519 or ECDSA, PEM or of OpenSSH. An ECDSA key on a token needs none beside it.",
)
@click.option(
    "--passphrase-file", type=PATH, help=f"File with its passphrase; default: {PASSPHRASE}, or a prompt."
)
@click.option("-o", "--output", type=PATH, required=True, help="New folder, or a file that ends in .zip.")
@click.option("-f", "--format", "formats", multiple=True, help="A format beside JSON and HTML. Repeatable.")
@click.option(
    "--lang", type=click.Choice(["vi", "en"]), help="Language of texts; default: from the locale, else vi."
)
@controls_option
@click.option("-p", "--profile", help="Profile, or path of one; default: the id that the report names.")
@click.option(
    "--registers", type=EXISTING_FOLDER, help="Folder of registers; default: the copies in ASSESSMENT."
)
@click.option("--snapshot", type=EXISTING_FOLDER, help="The snapshot; default: where the assessment says.")
@click.option(
    "--previous", type=EXISTING, multiple=True, help="An earlier report.json or its folder. Repeatable."
)
@click.option("--certificate", type=PATH, help="Certificate of the --cms-key: adds a CMS signature (.p7s).")
@click.option("--cms-key", type=PATH, help="Private key (RSA or ECDSA, PEM) for it; default: the --key.")
@click.option("--pkcs11-module", type=PATH, help="Library of a token (.so): its key makes the CMS signature.")
@click.option("--pkcs11-token", help="Label of the token; default: the only one.")
@click.option("--pkcs11-cert", help="Label of the certificate on it; default: the only one with a key.")
@click.option("--pkcs11-pin-file", type=PATH, help=f"File with its PIN; default: {PIN}, or a prompt.")
@click.option(
    "--reviewer", "reviewers", multiple=True, help="Who has reviewed it, as a position. Repeatable."
)
@click.option(
    "--pseudonyms", type=PATH, help="Key file: copy a full bundle with names replaced by keyed hashes."
)
@quietness
def create(
    assessment: Path, key: Path | None, passphrase_file: Path | None, output: Path, formats: tuple[str, ...],
    lang: str | None, controls: tuple[Path, ...], profile: str | None, registers: Path | None,
    snapshot: Path | None, previous: tuple[Path, ...], certificate: Path | None,
    cms_key: Path | None, pkcs11_module: Path | None, pkcs11_token: str | None, pkcs11_cert: str | None,
    pkcs11_pin_file: Path | None, reviewers: tuple[str, ...], pseudonyms: Path | None, quiet: bool,
) -> None:  # fmt: skip
    """Put an assessment and all it followed from into a folder or zip, and sign it.

    Everything is judged again before it is signed. With --pseudonyms, ASSESSMENT is a full bundle, and the
    copy shows no names, no registers and no snapshot, but the same verdicts and figures.

    \b
    cloudaudit bundle create out --key private.pem -o bundle
    cloudaudit bundle create out --key ~/.ssh/id_ed25519 -o bundle.zip -f text
    cloudaudit bundle create bundle --pseudonyms names.key --key private.pem -o public.zip
    cloudaudit bundle create out --key private.pem --pkcs11-module libtoken.so -o bundle.zip

    Exit codes: 0 it is made; 2 something is wrong, and nothing was left at the output.
    """
    from cloudaudit import bundling, cms, plugins, signing
    from cloudaudit import pkcs11_token as tokens
    from cloudaudit.errors import BundleError

    for name in formats:
        plugins.reporter(name)
    if pkcs11_module is None and (pkcs11_token or pkcs11_cert or pkcs11_pin_file):
        raise click.UsageError("a token needs --pkcs11-module, the library of its maker")
    if pkcs11_module is not None and (certificate or cms_key):
        raise click.UsageError("a CMS signature is by --pkcs11-module or by --certificate, not by both")
    if cms_key is not None and certificate is None:
        raise click.UsageError("--cms-key needs its --certificate")
    if key is None and pkcs11_module is None:
        raise click.UsageError("--key is needed, or --pkcs11-module with an ECDSA key on the token")
    with contextlib.ExitStack() as until_sealed:
        signer = None
        if key is not None:
            signer = signing.load_private(key, _passphrase(passphrase_file, f"Passphrase of {key}"))
            _warn_if_open(key, quiet)
        certified = None
        if pkcs11_module is not None:
            pin = _passphrase(pkcs11_pin_file, "PIN of the token", PIN)
            token = tokens.opened(pkcs11_module, pkcs11_token, pkcs11_cert, pin)
            certified = until_sealed.enter_context(token)
        elif certificate is not None and cms_key is not None:
            secret = cms.load_key(cms_key, _passphrase(passphrase_file, f"Passphrase of {cms_key}"))
            _warn_if_open(cms_key, quiet)
            certified = cms.load_certificate(certificate, secret)
        elif certificate is not None and signer is not None:
            certified = cms.load_certificate(certificate, signer.key)
        if signer is None:
            signer = cms.alone(certified)
        wanted = bundling.Wanted(
            signer,
            ("html", *formats),
            language(lang),
            generated(),
            controls,
            profile,
            registers,
            snapshot,
            previous,
            certified,
            reviewers,
        )
        if pseudonyms is not None:
            bundling.publish(assessment, output, _names(pseudonyms), wanted)
        elif not assessment.is_dir():
            raise BundleError(
                f"{assessment} is no assessment", hint="give the folder that assess or run wrote"
            )
        else:
            bundling.create(assessment, output, wanted)
        if not quiet:
            tell(f"bundle: {output}\nsigned with {signer.verifier.name}, key {signer.verifier.id}")


@bundle.command("verify", short_help="Check signature and digests, judge again, compare every figure.")
@click.argument("path", metavar="BUNDLE", type=PATH)
@click.option("--public-key", type=PATH, help="Key of whoever made it, from a source of your own.")
@click.option("--full", type=PATH, help="The full bundle that a copy without names is to be the image of.")
@click.option("--pseudonym-key", type=PATH, help="Key of the pseudonyms, for --full.")
@click.option("--timestamp", type=PATH, help="A time stamp (RFC 3161) of its attestation.dsse.json.")
@click.option("--timestamp-root", type=PATH, help="Root certificate that the time stamp has to lead to.")
@click.option("--cms-root", type=PATH, help="Root certificate that SHA256SUMS.p7s has to lead to.")
@click.option("--cms-certificate", type=PATH, help="The one certificate that may have signed it.")
@telling
def verify(
    path: Path, public_key: Path | None, full: Path | None, pseudonym_key: Path | None,
    timestamp: Path | None, timestamp_root: Path | None, cms_root: Path | None,
    cms_certificate: Path | None, format_: str, lang: str | None,
) -> int:  # fmt: skip
    """Check a bundle offline: signature, digests, and every finding and figure, judged again.

    \b
    cloudaudit bundle verify bundle.zip --public-key public.pem
    cloudaudit bundle verify public.zip --public-key public.pem --full bundle --pseudonym-key names.key
    cloudaudit bundle verify bundle.zip --public-key public.pem --cms-root root.pem

    Exit codes: 0 all of it holds; 1 refused, and which check; 2 usage, or a file that is no bundle or no
    key; 3 all of it fits together, but without --public-key nobody vouches for it.
    """
    from cloudaudit import bundling, cms, signing

    if (full is None) != (pseudonym_key is None):
        raise click.UsageError("--full and --pseudonym-key go together")
    if (timestamp is None) != (timestamp_root is None):
        raise click.UsageError("--timestamp and --timestamp-root go together")
    if cms_certificate is not None and cms_root is None:
        raise click.UsageError("--cms-certificate needs --cms-root")
    anchor = cms.load_anchor(cms_root, cms_certificate) if cms_root is not None else None
    stamp = signing.load_stamp(timestamp, timestamp_root) if timestamp and timestamp_root else None
    verifier = signing.load_public(public_key) if public_key is not None else None
    names = _names(pseudonym_key) if pseudonym_key is not None else None
    chosen = language(lang)
    checks = []
    for check in bundling.verify(path, verifier, full=full, names=names, stamp=stamp, anchor=anchor):
        checks.append(check)
        if format_ == "text":
            emit(f"{_line(check, chosen)}\n", None)
    code = bundling.worst(checks)
    if code == 0 and verifier is None:
        code = UNVOUCHED
    if format_ == "json":
        body = {
            "schema_version": 1,
            "verified": code == 0,
            "checks": [
                {"id": c.id, "state": c.state, "vi": plain(c.text.vi, 1000), "en": plain(c.text.en, 1000)}
                for c in checks
            ],
        }
        emit(json.dumps(body, indent=2, ensure_ascii=False) + "\n", None)
    else:
        emit(f"{getattr(_end(checks, code), chosen)}\n", None)
    return code


def _line(check: Check, lang: str) -> str:
    state, name = _STATES[check.state], _NAMES.get(check.id, Text(check.id, check.id))
    said = plain(getattr(check.text, lang), 1000)
    return f"{getattr(state, lang)}: {getattr(name, lang)}: {said}"


def _end(checks: list[Check], code: int) -> Text:
    if code:
        return _ENDS["unsigned" if code == UNVOUCHED else "refused", "full"]
    kind = "full" if any(check.id == "snapshot" for check in checks) else "public"
    return _ENDS["ok", kind]


def _passphrase(file: Path | None, what: str, variable: str = PASSPHRASE) -> Callable[[], bytes]:
    """How to come by a passphrase, once it is needed: from a file, the environment, or who sits there."""

    def ask() -> bytes:
        if file is not None:
            return _small(file).split(b"\n")[0].rstrip(b"\r")
        if variable in os.environ:
            return os.environb[variable.encode()]
        if not sys.stdin.isatty():
            return b""
        word: str = click.prompt(plain(what), hide_input=True, err=True, default="", show_default=False)
        return word.encode()

    return ask


def _names(path: Path) -> Pseudonyms:
    from cloudaudit.pseudonyms import Pseudonyms

    return Pseudonyms.of_file(_small(path), plain(str(path)))


def _small(path: Path) -> bytes:
    from cloudaudit.errors import SigningError

    try:
        if path.stat().st_size > MAX_SMALL:
            raise SigningError(f"{path} is too large for a key or a passphrase")
        return path.read_bytes()
    except OSError as wrong:
        raise SigningError(f"{path} cannot be read: {wrong.strerror}") from None


def _warn_if_open(key: Path, quiet: bool) -> None:
    if not quiet and key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        tell(f"warning: others on this machine can read {key}; chmod 600 it")
