"""Bundles: made whole or not at all, accepted by the tools of others, and refused for every lie there is."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import gzip
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import builders
import pkcs11
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st
from pkcs11 import Attribute

from cloudaudit import api, bundle, bundling, cms, data, signing
from cloudaudit.bundle import ATTESTATION, MANIFEST, OUTER, SIGNATURE, SUMS
from cloudaudit.catalog import load_types
from cloudaudit.cli import _run
from cloudaudit.model import Call, Gap, Listing, Reason, Scope, format_time
from cloudaudit.pseudonyms import Pseudonyms
from cloudaudit.reporters import report_json
from cloudaudit.snapshot import Contents, write

PASSPHRASE = "PLANTED-mat-khau-7c1e"
NOW = builders.NOW
AT = format_time(NOW + builders.HOUR)
BUCKETS = ("kho-ban-do-mat", "kho-ho-so-can-bo", "kho-so-lieu")
RUN = {
    "subject": {"id": "so", "kind": "provider", "title": {"vi": "Sở", "en": "Department"}},
    "targets": [{"name": "kho-chinh-hn", "kind": "s3", "vantage": "tenant"}],
    "figures": {"buckets_listed": 3, "buckets_readable": 3},
}
PLANS = """\
version: 1
plans:
  - {control: SEC-06, resource: "kho-ban-*", measure: Bật mã hóa kho bản đồ, owner: Trưởng phòng Hạ tầng, due: 2027-06-30}
  - {control: SEC-07, measure: Đổi khóa, owner: Trưởng phòng An toàn, due: 2027-06-30}
"""
SITES = """\
version: 1
sites:
  - {id: nha-may-so-1, name: Nhà máy số 1, country: VN, province: Hà Nội, owner: Đơn vị 9 phố Mẫu, s3_locations: [vn-hn]}
"""
SYSTEMS = """\
version: 1
systems:
  - id: ho-so-mat
    title: Quản lý hồ sơ mật
    owner: Phòng Tổng hợp
    data_classes: [personal-basic]
    criticality: critical
    national_database: false
    cross_border: false
    selectors: [{target: kho-chinh-hn, bucket: kho-ho-so-can-bo}]
"""


def cloudaudit(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    code = _run([str(arg) for arg in args])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def tool(
    *args: object, cwd: Path | None = None, stdin: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a program of the system; it has to succeed."""
    return subprocess.run([str(a) for a in args], cwd=cwd, input=stdin, capture_output=True, check=True)


# --- keys, an assessment, a bundle --------------------------------------------------------------------


class Keys:
    """Keys of every kind, made by openssl and ssh-keygen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, algorithm in (
            ("ed", ["ed25519"]), ("p256", ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
            ("p384", ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"]), ("other", ["ed25519"]), ("x", ["x25519"]),
            ("rsa", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]), ("p521", ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
        ):  # fmt: skip
            tool("openssl", "genpkey", "-algorithm", *algorithm, "-out", folder / f"{name}.pem")
            tool(
                "openssl",
                "pkey",
                "-in",
                folder / f"{name}.pem",
                "-pubout",
                "-out",
                folder / f"{name}.pub.pem",
            )
        for name, kind in (("ssh-ed", "ed25519"), ("ssh-ec", "ecdsa"), ("ssh-rsa", "rsa")):
            tool("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "to-chuc", "-f", folder / name)
        tool(
            "openssl",
            "pkcs8",
            "-topk8",
            "-in",
            folder / "ed.pem",
            "-passout",
            f"pass:{PASSPHRASE}",
            "-out",
            folder / "locked.pem",
        )
        tool("ssh-keygen", "-q", "-t", "ed25519", "-N", PASSPHRASE, "-f", folder / "ssh-locked")
        tool(
            "openssl",
            "req",
            "-x509",
            "-new",
            "-key",
            folder / "p256.pem",
            "-subj",
            "/CN=To chuc mau",
            "-days",
            "9",
            "-out",
            folder / "p256.crt",
        )

    def signer(self, name: str) -> signing.Signer:
        return signing.load_private(self.private(name), PASSPHRASE.encode)

    def private(self, name: str) -> Path:
        return self.folder / (name if name.startswith("ssh") else f"{name}.pem")

    def public(self, name: str) -> Path:
        return self.folder / (f"{name}.pub" if name.startswith("ssh") else f"{name}.pub.pem")

    def verifier(self, name: str) -> signing.Verifier:
        return signing.load_public(self.public(name))


GOOD_KEYS = ("ed", "p256", "p384", "ssh-ed", "ssh-ec")


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    if missing := [name for name in ("openssl", "ssh-keygen", "sha256sum") if shutil.which(name) is None]:
        pytest.skip(f"{', '.join(missing)} is not installed (Debian: openssl, openssh-client)")
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def assessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An assessment of a store with three buckets, one of them of a system, with registers and plans."""
    out = tmp_path_factory.mktemp("audit") / "out"
    scope = Scope("kho-chinh-hn")
    buckets = [builders.bucket(name, {"versioning.state": state}, scope=scope)
               for name, state in zip(BUCKETS, ("enabled", "suspended", "never"), strict=True)]  # fmt: skip
    contents = Contents(
        NOW, NOW, frozenset({"s3.bucket", "s3.endpoint"}), buckets, [Listing(scope, "s3.bucket", 3, "whole list", 0)],
        [Gap(scope, "s3.endpoint", "s3.capabilities", Reason.TIMEOUT, "no answer of kho-rieng.example.vn")],
        [Call(0, scope, "s3", "GET /kho-rieng", 200, NOW, "", sha256(b"").hexdigest())], RUN,
    )  # fmt: skip
    write(out / "snapshot", contents, load_types())
    registers = out.parent / "registers"
    registers.mkdir()
    for name, text in (("plans", PLANS), ("sites", SITES), ("systems", SYSTEMS)):
        (registers / f"{name}.yaml").write_text(text, encoding="utf-8")
    code = _run(
        ["assess", str(out / "snapshot"), "-o", str(out), "--registers", str(registers), "--at", AT, "-q"]
    )
    assert code == 1
    return out


@pytest.fixture(scope="session")
def made(assessed: Path, keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full bundle. Not to be changed."""
    out = tmp_path_factory.mktemp("bundles") / "bundle"
    code = _run(["bundle", "create", str(assessed), "--key", str(keys.private("ed")), "-o", str(out),
                 "-f", "text", "--lang", "vi", "-q"])  # fmt: skip
    assert code == 0
    return out


@pytest.fixture
def box(made: Path, tmp_path: Path) -> Path:
    """A full bundle to be spoiled."""
    return Path(shutil.copytree(made, tmp_path / "bundle"))


@pytest.fixture(scope="session")
def names_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("names") / "names.key"
    path.write_bytes(tool("openssl", "rand", "-hex", "32").stdout)
    return path


@pytest.fixture(scope="session")
def public(made: Path, keys: Keys, names_key: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy of it without names. Not to be changed."""
    out = tmp_path_factory.mktemp("bundles") / "public"
    code = _run(["bundle", "create", str(made), "--key", str(keys.private("ed")), "--pseudonyms", str(names_key),
                 "-o", str(out), "-q"])  # fmt: skip
    assert code == 0
    return out


def reseal(folder: Path, signer: signing.Signer, **changed: Any) -> None:
    """Sign a folder again as its owner would, with some of bundle.json changed."""
    for name in OUTER:
        (folder / name).unlink(missing_ok=True)
    manifest = json.loads((folder / MANIFEST).read_bytes()) | changed
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    bundle.seal(folder, signer, bundling.predicate(manifest))


def refusals(path: Path, verifier: signing.Verifier | None, **more: Any) -> dict[str, str]:
    """What verify refuses, by check."""
    found: dict[str, str] = {}
    for check in bundling.verify(path, verifier, **more):
        if check.state == "refused":
            found.setdefault(check.id, check.text.en)
    return found


def states(path: Path, verifier: signing.Verifier | None, **more: Any) -> list[tuple[str, str]]:
    return [(check.id, check.state) for check in bundling.verify(path, verifier, **more)]


WHOLE = [
    ("signature", "ok"), ("files", "ok"), ("sums", "ok"), ("manifest", "ok"), ("build", "ok"), ("controls", "ok"),
    ("numbers", "ok"), ("snapshot", "ok"), ("findings", "ok"), ("report", "ok"), ("formats", "ok"), ("formats", "ok"),
]  # fmt: skip


# --- what others accept -------------------------------------------------------------------------------


def test_a_bundle_holds(made: Path, keys: Keys) -> None:
    assert states(made, keys.verifier("ed")) == WHOLE
    assert {path.name for path in made.iterdir()} == {
        "SHA256SUMS", "SHA256SUMS.sig", "assessment.json", "attestation.dsse.json", "bundle.json", "controls",
        "findings.jsonl.gz", "profiles", "registers", "report.html", "report.json", "report.txt", "resources", "snapshot",
    }  # fmt: skip


def test_what_it_says_of_itself(made: Path, assessed: Path) -> None:
    told = json.loads((made / MANIFEST).read_bytes())
    report = json.loads((assessed / "report.json").read_bytes())
    with gzip.open(made / "findings.jsonl.gz") as lines:
        verdicts = [json.loads(line)["verdict"] for line in lines]
    assert told["counts"] == {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))}
    assert told["tool"]["build_sha256"] == data.build()
    assert (told["kind"], told["assessed_at"], told["subject"]) == ("full", AT, RUN["subject"])
    assert told["profile"]["sha256"] == report["profile"]["sha256"]
    assert "openstack.server:user_data" in told["redacted_fields"]
    assert told["reviewers"] == []


def test_sha256sum_accepts_every_file(made: Path) -> None:
    said = tool("sha256sum", "--strict", "-c", SUMS, cwd=made).stdout.decode().splitlines()
    files = {p.relative_to(made).as_posix() for p in made.rglob("*") if p.is_file()}
    assert sorted(said) == sorted(f"{name}: OK" for name in files - set(OUTER))


def small(folder: Path) -> Path:
    """A folder with a few files to sign."""
    (folder / "a").mkdir(parents=True)
    (folder / "a/một tệp.txt").write_text("một", encoding="utf-8")
    (folder / MANIFEST).write_text("{}", encoding="utf-8")
    return folder


def openssl_verifies(keys: Keys, key: str, data_: Path, signature: Path) -> None:
    public = keys.public(key)
    if key == "ed":
        tool(
            "openssl",
            "pkeyutl",
            "-verify",
            "-pubin",
            "-inkey",
            public,
            "-rawin",
            "-in",
            data_,
            "-sigfile",
            signature,
        )
    else:
        tool("openssl", "dgst", f"-sha{key[1:]}", "-verify", public, "-signature", signature, data_)


@pytest.mark.parametrize("key", ["ed", "p256", "p384"])
def test_openssl_verifies_both_signatures_of_a_pem_key(keys: Keys, tmp_path: Path, key: str) -> None:
    folder = small(tmp_path / "box")
    bundle.seal(folder, keys.signer(key), {})
    openssl_verifies(keys, key, folder / SUMS, folder / SIGNATURE)
    outer = json.loads((folder / ATTESTATION).read_bytes())
    payload = base64.b64decode(outer["payload"])
    kind = outer["payloadType"].encode()
    (tmp_path / "pae").write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    (tmp_path / "pae.sig").write_bytes(base64.b64decode(outer["signatures"][0]["sig"]))
    openssl_verifies(keys, key, tmp_path / "pae", tmp_path / "pae.sig")
    statement = json.loads(payload)
    assert (statement["_type"], kind) == ("https://in-toto.io/Statement/v1", b"application/vnd.in-toto+json")
    digests = {s["name"]: s["digest"]["sha256"] for s in statement["subject"]}
    assert digests == {
        name: sha256((folder / name).read_bytes()).hexdigest()
        for name in ("a/một tệp.txt", MANIFEST, SUMS, SIGNATURE)
    }
    with pytest.raises(subprocess.CalledProcessError):
        openssl_verifies(keys, key, folder / MANIFEST, folder / SIGNATURE)


@pytest.mark.parametrize("key", ["ssh-ed", "ssh-ec"])
def test_ssh_keygen_and_we_accept_each_other(keys: Keys, tmp_path: Path, key: str) -> None:
    folder = small(tmp_path / "box")
    bundle.seal(folder, keys.signer(key), {})
    allowed = tmp_path / "allowed"
    allowed.write_text(f"to-chuc {keys.public(key).read_text()}", encoding="utf-8")
    check = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        allowed,
        "-I",
        "to-chuc",
        "-n",
        "cloudaudit-bundle",
        "-s",
        folder / SIGNATURE,
    ]
    sums = (folder / SUMS).read_bytes()
    assert b"Good" in tool(*check, stdin=sums).stdout
    with pytest.raises(subprocess.CalledProcessError):
        tool(*check, stdin=sums + b" ")
    (tmp_path / SUMS).write_bytes(sums)
    tool("ssh-keygen", "-Y", "sign", "-f", keys.private(key), "-n", "cloudaudit-bundle", tmp_path / SUMS)
    theirs = (tmp_path / SIGNATURE).read_bytes()
    assert keys.verifier(key).accepts_detached(theirs, sums)
    assert not keys.verifier(key).accepts_detached(theirs, sums + b" ")
    tool("ssh-keygen", "-Y", "sign", "-f", keys.private(key), "-n", "file", folder / MANIFEST)
    for_mail = (folder / f"{MANIFEST}.sig").read_bytes()
    assert not keys.verifier(key).accepts_detached(for_mail, (folder / MANIFEST).read_bytes())


def test_openssl_verifies_cms(keys: Keys, tmp_path: Path) -> None:
    folder = small(tmp_path / "box")
    signer = keys.signer("p256")
    bundle.seal(folder, signer, {}, cms.load_certificate(keys.folder / "p256.crt", signer.key))
    check = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", folder / bundle.CMS, "-purpose", "any",
             "-CAfile", keys.folder / "p256.crt", "-out", os.devnull, "-content"]  # fmt: skip
    tool(*check, folder / SUMS)
    with pytest.raises(subprocess.CalledProcessError):
        tool(*check, folder / MANIFEST)
    found = [(c.id, c.state) for c in bundle.check_sealed(opened(folder), keys.verifier("p256"))]
    assert found == [("signature", "ok"), ("files", "ok"), ("sums", "ok"), ("cms", "note")]


# --- certificates and tokens --------------------------------------------------------------------------

PIN = "PLANTED-8472"
FOR_SIGNING = x509.KeyUsage(True, True, *[False] * 7)
MAIL, SERVER = ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.SERVER_AUTH


class Authorities:
    """A root, an authority below it, and those whom that one knows: as domestic ones are made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = self.issue("root", rsa.generate_private_key(65537, 2048), None, ca=True)
        self.stranger = self.issue("stranger", ec.generate_private_key(ec.SECP256R1()), None, ca=True)
        self.below = self.issue("below", rsa.generate_private_key(65537, 2048), self.root, ca=True)
        self.organisation = self.person("organisation", rsa.generate_private_key(65537, 2048))
        self.officer = self.person("officer", ec.generate_private_key(ec.SECP256R1()))
        self.signed = self.officer.sign(b"SUMS")

    def person(self, name: str, key: Any, **more: Any) -> cms.CmsSigner:
        """Who has a certificate by the authority below the root, which goes along."""
        made = self.issue(name, key, self.below, **more)
        pem = made.certificate.public_bytes(Encoding.PEM) + self.below.certificate.public_bytes(Encoding.PEM)
        (self.folder / f"{name}.crt").write_bytes(pem)
        return dataclasses.replace(made, between=(self.below.certificate,))

    def issue(
        self, name: str, key: Any, by: cms.CmsSigner | None, *, ca: bool = False, days: tuple[int, int] = (-1, 9),
        usage: x509.KeyUsage | None = FOR_SIGNING, purpose: x509.ObjectIdentifier | None = MAIL,
    ) -> cms.CmsSigner:  # fmt: skip
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Mẫu {name}")])
        now, day = datetime.now(UTC), timedelta(days=1)
        builder = (
            x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
            .issuer_name(by.certificate.subject if by else subject).serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * day).not_valid_after(now + days[1] * day)
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        )  # fmt: skip
        if ca:
            usage, purpose = x509.KeyUsage(*[False] * 5, True, True, False, False), None
        if usage is not None:
            builder = builder.add_extension(usage, critical=True)
        if purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        certificate = builder.sign(by.key if by else key, hashes.SHA256())
        (self.folder / f"{name}.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / f"{name}.pem").write_bytes(pem)
        return cms.CmsSigner(key, certificate)

    def anchor(self, name: str = "root", certificate: str | None = None) -> cms.Anchor:
        only = self.folder / f"{certificate}.crt" if certificate else None
        return cms.load_anchor(self.folder / f"{name}.crt", only)


@pytest.fixture(scope="session")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    return Authorities(tmp_path_factory.mktemp("authorities"))


def openssl_accepts(folder: Path, root: Path) -> None:
    """With its own idea of what a certificate is for: that of signed mail."""
    tool("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", folder / bundle.CMS, "-CAfile", root,
         "-content", folder / SUMS, "-out", os.devnull)  # fmt: skip


def refused_of(anchor: cms.Anchor, signature: bytes, data_: bytes = b"SUMS") -> str:
    with pytest.raises(cms.Unacceptable) as caught:
        anchor.accept(signature, data_)
    assert caught.value.text.vi != caught.value.text.en
    return str(caught.value)


@pytest.mark.parametrize("name", ["organisation", "officer"])
def test_cms_leads_to_the_root(authorities: Authorities, name: str) -> None:
    signature = getattr(authorities, name).sign(b"SUMS")
    told = authorities.anchor().accept(signature, b"SUMS")
    number = getattr(authorities, name).certificate.serial_number
    assert told.en.startswith(
        f"Common Name: Mẫu {name}, certificate {number:x} by Common Name: Mẫu below; signed at 20"
    )
    assert told.en.endswith("Z by the signer's clock; revocation was not looked at")
    assert authorities.anchor(certificate=name).accept(signature, b"SUMS") == told


def test_cms_that_does_not_stand_is_refused_and_says_why(authorities: Authorities) -> None:
    anchor, good = authorities.anchor(), authorities.organisation.sign(b"SUMS")
    who = "Common Name: Mẫu organisation"
    assert refused_of(anchor, good, b"SUMS ") == "is over other bytes"
    assert refused_of(anchor, good[:-1] + bytes([good[-1] ^ 1])) == (
        f"was not made by the key of the certificate in it: {who}"
    )
    assert refused_of(authorities.anchor("stranger"), good) == (
        f"its certificate does not lead to the root that was given: {who}"
    )
    assert refused_of(authorities.anchor(certificate="officer"), good) == f"is by another certificate: {who}"
    alone = dataclasses.replace(authorities.organisation, between=())
    assert "does not lead to the root that was given" in refused_of(anchor, alone.sign(b"SUMS"))
    cannot = "cannot be read as a detached CMS signature by one signer"
    assert [refused_of(anchor, wrong) for wrong in (b"", b"SUMS", good[:-9], good + b"\0")] == [cannot] * 4


@given(st.data())
def test_cms_with_a_byte_changed_never_breaks_and_never_names_another(
    authorities: Authorities, drawn: st.DataObject
) -> None:
    good = bytearray(authorities.signed)
    good[drawn.draw(st.integers(0, len(good) - 1))] = drawn.draw(st.integers(0, 255))
    try:
        told = authorities.anchor().accept(bytes(good), b"SUMS")
    except cms.Unacceptable:
        return
    # What is left is what no signature covers: versions, and algorithms that are named a second time.
    assert told.en.startswith("Common Name: Mẫu officer, certificate ")


@pytest.mark.parametrize(
    ("name", "more", "told"),
    [
        ("expired", {"days": (-30, -2)}, "its certificate was not valid when it was signed (20"),
        ("early", {"days": (2, 9)}, "its certificate was not valid when it was signed (20"),
        ("server", {"purpose": SERVER}, "its certificate is not for signing: "),
        ("no-usage", {"usage": None}, "its certificate is not for signing: "),
    ],
)
@pytest.mark.parametrize("root", ["root", "itself"])
def test_cms_of_a_certificate_that_cannot_sign_is_refused(
    authorities: Authorities, name: str, more: dict[str, Any], told: str, root: str
) -> None:
    signer = authorities.person(name, ec.generate_private_key(ec.SECP256R1()), **more)
    said = refused_of(authorities.anchor(name if root == "itself" else "root"), signer.sign(b"SUMS"))
    assert said.startswith(told)
    assert said.endswith(f"Common Name: Mẫu {name}")


def test_cms_below_an_authority_that_is_none_or_has_expired_is_refused(authorities: Authorities) -> None:
    expired = authorities.issue("old", authorities.below.key, authorities.root, ca=True, days=(-9, -2))
    for by, more in ((authorities.officer, authorities.officer.between), (expired, ())):
        made = authorities.issue("under", ec.generate_private_key(ec.SECP256R1()), by)
        under = dataclasses.replace(made, between=(by.certificate, *more))
        said = refused_of(authorities.anchor(), under.sign(b"SUMS"))
        assert said.startswith("its chain of certificates does not hold (")


def test_cms_is_by_the_certificate_of_an_rsa_key_and_is_looked_at(
    capsys: pytest.CaptureFixture[str], assessed: Path, keys: Keys, authorities: Authorities, tmp_path: Path
) -> None:
    out, there = tmp_path / "bundle", authorities.folder
    code, _, err = cloudaudit(
        capsys, "bundle", "create", assessed, "--key", keys.private("ed"), "-o", out,
        "--cms-key", there / "organisation.pem", "--certificate", there / "organisation.crt",
    )  # fmt: skip
    assert (code, "signed with Ed25519" in err) == (0, True)
    openssl_accepts(out, there / "root.crt")
    args = ("bundle", "verify", out, "--public-key", keys.public("ed"), "--lang", "en")
    code, said, err = cloudaudit(capsys, *args, "--cms-root", there / "root.crt")
    assert (code, "\nok: CMS: Common Name: Mẫu organisation, certificate " in said, err) == (0, True, "")
    der = tmp_path / "root.der"
    der.write_bytes(authorities.root.certificate.public_bytes(Encoding.DER))
    only = ("--cms-root", der, "--cms-certificate", there / "organisation.crt")
    code, said, _ = cloudaudit(capsys, *args[:-1], "vi", *only)
    assert (code, "\nđạt: CMS: Common Name: Mẫu organisation, chứng thư do " in said) == (0, True)
    code, said, err = cloudaudit(capsys, *args, "--cms-root", there / "stranger.crt")
    told = "\nREFUSED: CMS: SHA256SUMS.p7s: its certificate does not lead to the root that was given: "
    assert (code, told in said, err) == (1, True, "")
    code, said, _ = cloudaudit(capsys, *args)
    assert (code, "\nnote: CMS: SHA256SUMS.p7s is not checked here" in said) == (0, True)


def test_cms_that_is_asked_for_has_to_be_there(made: Path, keys: Keys, authorities: Authorities) -> None:
    assert refusals(made, keys.verifier("ed"), anchor=authorities.anchor()) == {
        "cms": "there is no SHA256SUMS.p7s"
    }


@pytest.mark.parametrize(
    ("key", "certificate", "told"),
    [
        ("officer.pem", "organisation.crt", "is the certificate of another key"),
        ("weak.pem", "weak.crt", "is of an RSA key of 1024 bits; 2048 is the least"),
        ("ed.pem", "ed.crt", "CMS with an Ed25519 key is not written here"),
        ("officer.pem", "officer.pem", "is no certificate"),
    ],
)
def test_a_cms_key_that_cannot_be_used_is_told(
    capsys: pytest.CaptureFixture[str], assessed: Path, keys: Keys, authorities: Authorities, tmp_path: Path,
    key: str, certificate: str, told: str,
) -> None:  # fmt: skip
    there = authorities.folder
    if key == "weak.pem":
        authorities.issue("weak", rsa.generate_private_key(65537, 1024), authorities.root)
    if key == "ed.pem":
        authorities.issue("ed", ed25519.Ed25519PrivateKey.generate(), authorities.root)
    more = ("--cms-key", there / key, "--certificate", there / certificate)
    assert told in tries(capsys, assessed, keys.private("ed"), tmp_path / "b", *more)


@dataclasses.dataclass
class Token:
    """A token in software: its library shows keys and certificates as that of a USB token does."""

    module: Path

    def args(self, certificate: str | None, label: str = "to-chuc") -> tuple[object, ...]:
        which = ("--pkcs11-cert", certificate) if certificate else ()
        return ("--pkcs11-module", self.module, "--pkcs11-token", label, *which)


@pytest.fixture(scope="session")
def token(authorities: Authorities, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    libraries = [Path(p, "softhsm/libsofthsm2.so") for p in ("/usr/lib", "/usr/lib64", "/usr/local/lib")]
    module = next((path for path in libraries if path.is_file()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        pytest.skip("softhsm2 is not installed (Debian: softhsm2)")
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        # The library reads it when it is loaded, and is loaded once.
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        for label in ("to-chuc", "trong"):
            tool(
                "softhsm2-util",
                "--init-token",
                "--free",
                "--label",
                label,
                "--so-pin",
                "11223344",
                "--pin",
                PIN,
            )
        ids = {"organisation": "a1", "officer": "a2", "mixed": "a3"}
        for name, id_ in ids.items():
            # Of `mixed` the token has the certificate of one key, and another key.
            pem = authorities.folder / f"{'officer' if name == 'mixed' else name}.pem"
            where = ("--token", "to-chuc", "--pin", PIN)
            tool("softhsm2-util", "--import", pem, *where, "--label", f"k {name}", "--id", id_)
        own = {name: getattr(authorities, name) for name in ("organisation", "officer", "below")}
        own["mixed"] = authorities.issue("mixed", ec.generate_private_key(ec.SECP256R1()), authorities.below)
        own["else"] = authorities.issue("else", ec.generate_private_key(ec.SECP256R1()), authorities.below)
        with pkcs11.lib(str(module)).get_token(token_label="to-chuc").open(rw=True, user_pin=PIN) as session:
            for name, signer in own.items():
                session.create_object({
                    Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                    Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                    Attribute.TOKEN: True,
                    Attribute.LABEL: f"Chứng thư {name}",
                    Attribute.ID: bytes.fromhex(ids.get(name, "ff")),
                    Attribute.SUBJECT: signer.certificate.subject.public_bytes(),
                    Attribute.VALUE: signer.certificate.public_bytes(Encoding.DER),
                })  # fmt: skip
        yield Token(module)


def test_pkcs11_token_makes_the_cms_beside_the_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, assessed: Path, keys: Keys,
    authorities: Authorities, token: Token, tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setenv("CLOUDAUDIT_PKCS11_PIN", PIN)
    out, root = tmp_path / "bundle", authorities.folder / "root.crt"
    args = ("bundle", "create", assessed, "--key", keys.private("ed"), "-o", out)
    code, shown, err = cloudaudit(capsys, *args, *token.args("Chứng thư organisation"))
    assert (code, "signed with Ed25519" in err, PIN in shown + err) == (0, True, False)
    openssl_accepts(out, root)
    held = pkcs7.load_der_pkcs7_certificates((out / bundle.CMS).read_bytes())
    assert set(held) == {authorities.organisation.certificate, authorities.below.certificate}
    anchor = authorities.anchor(certificate="organisation")
    assert ("cms", "ok") in states(out, keys.verifier("ed"), anchor=anchor)
    assert refusals(out, keys.verifier("ed"), anchor=anchor) == {}
    (out / SUMS).write_bytes((out / SUMS).read_bytes().replace(b"a", b"b", 1))
    assert refusals(out, keys.verifier("ed"), anchor=anchor)["cms"] == "SHA256SUMS.p7s: is over other bytes"
    with pytest.raises(subprocess.CalledProcessError):
        openssl_accepts(out, root)


def test_pkcs11_token_with_an_ecdsa_key_signs_everything(
    capsys: pytest.CaptureFixture[str], assessed: Path, authorities: Authorities, token: Token, tmp_path: Path
) -> None:
    (tmp_path / "pin").write_text(f"{PIN}\n", encoding="utf-8")
    out, public = tmp_path / "bundle", tmp_path / "public.pem"
    args = ("bundle", "create", assessed, "-o", out, "--pkcs11-pin-file", tmp_path / "pin")
    code, _, err = cloudaudit(capsys, *args, *token.args("Chứng thư officer"))
    assert (code, "signed with ECDSA P-256" in err) == (0, True)
    key = tool("openssl", "x509", "-in", authorities.folder / "officer.crt", "-pubkey", "-noout").stdout
    public.write_bytes(key)
    tool("openssl", "dgst", "-sha256", "-verify", public, "-signature", out / SIGNATURE, out / SUMS)
    openssl_accepts(out, authorities.folder / "root.crt")
    found = states(out, signing.load_public(public), anchor=authorities.anchor())
    assert found == [*WHOLE[:3], ("cms", "ok"), *WHOLE[3:11]]


@pytest.mark.parametrize(
    ("certificate", "label", "pin", "told"),
    [
        ("Chứng thư organisation", "to-chuc", "PLANTED-sai", "does not take this PIN; it was tried once"),
        ("Chứng thư organisation", "to-chuc", "", "no PIN was given"),
        ("Chứng thư organisation", "to-chuc", "\udcff", "the PIN is not UTF-8; the token was not asked"),
        ("Chứng thư organisation", "khác", PIN, "there is no token labelled 'khác'; there: "),
        ("Chứng thư organisation", "trong", PIN, "there is no certificate with a key labelled"),
        ("Chứng thư below", "to-chuc", PIN, "there is no certificate with a key labelled 'Chứng thư below'; there: "),
        (None, "to-chuc", PIN, "there is more than one certificate with a key; there: "),
        ("Chứng thư mixed", "to-chuc", PIN, "the token signed with another key than that of the certificate"),
    ],
)  # fmt: skip
def test_pkcs11_token_that_cannot_sign_is_told_without_its_pin(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, assessed: Path, keys: Keys, token: Token,
    tmp_path: Path, certificate: str | None, label: str, pin: str, told: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("CLOUDAUDIT_PKCS11_PIN", pin)
    said = tries(capsys, assessed, keys.private("ed"), tmp_path / "b", *token.args(certificate, label))
    assert told in said
    assert "PLANTED" not in said


def test_pkcs11_token_with_an_rsa_key_needs_a_key_beside_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, assessed: Path, token: Token, tmp_path: Path
) -> None:  # fmt: skip
    monkeypatch.setenv("CLOUDAUDIT_PKCS11_PIN", PIN)
    args = ("bundle", "create", assessed, "-o", tmp_path / "b", *token.args("Chứng thư organisation"))
    code, _, err = cloudaudit(capsys, *args)
    assert (code, "an RSA key makes the CMS signature only" in err) == (2, True)


def test_pkcs11_and_cms_options_that_do_not_fit_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, assessed: Path, made: Path, keys: Keys,
    authorities: Authorities, tmp_path: Path,
) -> None:  # fmt: skip
    create = ("bundle", "create", assessed, "-o", tmp_path / "b")
    key, root = ("--key", keys.private("ed")), authorities.folder / "root.crt"
    for args, told in (
        (create, "--key is needed"),
        ((*create, *key, "--pkcs11-cert", "x"), "a token needs --pkcs11-module"),
        ((*create, *key, "--pkcs11-module", "x.so", "--certificate", "x"), "not by both"),
        ((*create, *key, "--cms-key", "x"), "--cms-key needs its --certificate"),
        ((*create, "--certificate", root), "--key is needed"),
        ((*create, *key, "--pkcs11-module", tmp_path / "x.so"), "there is no file"),
        ((*create, *key, "--pkcs11-module", root), "is no library for PKCS#11"),
        (("bundle", "verify", made, "--cms-certificate", root), "--cms-certificate needs --cms-root"),
        (("bundle", "verify", made, "--cms-root", keys.private("ed")), "is no certificate"),
    ):
        code, _, err = cloudaudit(capsys, *args)
        assert (code, told in err) == (2, True), (told, err)
    monkeypatch.setattr("cloudaudit.cms.find_spec", lambda _name: None)
    monkeypatch.setattr("cloudaudit.pkcs11_token.find_spec", lambda _name: None)
    code, _, err = cloudaudit(capsys, "bundle", "verify", made, "--cms-root", root)
    assert (code, "pip install 'cloudaudit-vn[cms]'" in err) == (2, True)
    code, _, err = cloudaudit(capsys, *create, *key, "--pkcs11-module", "x.so")
    assert (code, "pip install 'cloudaudit-vn[pkcs11]'" in err) == (2, True)


# --- time stamps --------------------------------------------------------------------------------------

TSA = """\
[tsa]
serial = serial
signer_cert = tsa.crt
signer_key = tsa.pem
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
"""


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A time-stamping authority of one's own: a root, and a certificate for nothing but time stamps."""
    folder = tmp_path_factory.mktemp("tsa")
    for name in ("ca", "tsa", "stranger"):
        tool(
            "openssl",
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            f"{name}.pem",
            cwd=folder,
        )
    for name in ("ca", "stranger"):
        tool("openssl", "req", "-x509", "-new", "-key", f"{name}.pem", "-subj", f"/CN={name}", "-days", "30",
             "-addext", "keyUsage=critical,keyCertSign", "-out", f"{name}.crt", cwd=folder)  # fmt: skip
    (folder / "ext").write_text(
        "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=critical,timeStamping\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n", encoding="utf-8",
    )  # fmt: skip
    tool("openssl", "req", "-new", "-key", "tsa.pem", "-subj", "/CN=tsa", "-out", "tsa.csr", cwd=folder)
    tool("openssl", "x509", "-req", "-in", "tsa.csr", "-CA", "ca.crt", "-CAkey", "ca.pem", "-CAcreateserial",
         "-days", "20", "-extfile", "ext", "-out", "tsa.crt", cwd=folder)  # fmt: skip
    (folder / "tsa.cnf").write_text(TSA, encoding="utf-8")
    (folder / "serial").write_text("01\n", encoding="utf-8")
    return folder


def stamp_of(authority: Path, file: Path) -> Path:
    tool("openssl", "ts", "-query", "-data", file, "-sha256", "-cert", "-out", "q.tsq", cwd=authority)
    tool(
        "openssl",
        "ts",
        "-reply",
        "-queryfile",
        "q.tsq",
        "-config",
        "tsa.cnf",
        "-section",
        "tsa",
        "-out",
        "r.tsr",
        cwd=authority,
    )
    return authority / "r.tsr"


def test_a_time_stamp_is_of_this_attestation_and_of_this_authority(
    capsys: pytest.CaptureFixture[str], made: Path, keys: Keys, authority: Path
) -> None:
    stamp = stamp_of(authority, made / ATTESTATION)
    tool(
        "openssl", "ts", "-verify", "-data", made / ATTESTATION, "-in", stamp, "-CAfile", authority / "ca.crt"
    )
    args = ("bundle", "verify", made, "--public-key", keys.public("ed"), "--lang", "en", "--timestamp")
    code, out, _ = cloudaudit(capsys, *args, stamp, "--timestamp-root", authority / "ca.crt")
    assert code == 0
    assert re.search(r"^ok: time stamp: the attestation was there by 20\d\d-\d\d-\d\dT", out, re.M)
    code, out, _ = cloudaudit(capsys, *args, stamp, "--timestamp-root", authority / "stranger.crt")
    assert (code, "REFUSED: time stamp: the time stamp does not hold" in out) == (1, True)
    other = stamp_of(authority, made / SUMS)
    code, out, _ = cloudaudit(capsys, *args, other, "--timestamp-root", authority / "ca.crt")
    assert (code, "REFUSED: time stamp: the time stamp does not hold: Mismatch" in out) == (1, True)
    code, out, _ = cloudaudit(capsys, *args, made / SUMS, "--timestamp-root", authority / "ca.crt")
    assert (code, "it cannot be read as a time stamp" in out) == (1, True)


def opened(folder: Path) -> bundle.Opened:
    with bundle.opened(folder) as box:
        return box


@pytest.mark.parametrize("key", GOOD_KEYS)
def test_every_kind_of_key_signs_and_no_other_is_taken_for_it(keys: Keys, tmp_path: Path, key: str) -> None:
    folder = small(tmp_path / "box")
    bundle.seal(folder, keys.signer(key), {})
    for other in GOOD_KEYS:
        found = [check.state for check in bundle.check_sealed(opened(folder), keys.verifier(other))]
        assert found == (["ok", "ok", "ok"] if other == key else ["refused", "ok", "refused"])


def test_a_zip_is_the_same_and_made_the_same_again(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    assessed: Path,
    keys: Keys,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(NOW))
    for name in ("1.zip", "2.zip"):
        args = (
            "bundle",
            "create",
            assessed,
            "--key",
            keys.private("ed"),
            "-o",
            tmp_path / name,
            "-q",
            "--lang",
            "en",
        )
        assert cloudaudit(capsys, *args) == (0, "", "")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.zip", "2.zip"]
    assert states(tmp_path / "1.zip", keys.verifier("ed")) == WHOLE[:-1]


# --- what is refused: the outside ---------------------------------------------------------------------


def test_a_byte_changed_in_any_file_is_refused(box: Path, keys: Keys) -> None:
    """Every file, at a place that depends on its name; nothing of a bundle may change unseen."""
    verifier = keys.verifier("ed")
    files = sorted(path.relative_to(box).as_posix() for path in box.rglob("*") if path.is_file())
    assert len(files) > 250
    for name in files:
        path = box / name
        whole = path.read_bytes()
        at = int(sha256(name.encode()).hexdigest(), 16) % len(whole)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        found = refusals(box, verifier)
        path.write_bytes(whole)
        assert found, name
        if name != ATTESTATION:
            assert found["files"] == f"not what was signed: {name}"
    assert refusals_of_seal(box, verifier) == {}


def refusals_of_seal(box: Path, verifier: signing.Verifier) -> dict[str, str]:
    return {c.id: c.text.en for c in bundle.check_sealed(opened(box), verifier) if c.state == "refused"}


@given(st.data())
def test_a_byte_changed_anywhere_in_the_signatures_is_refused(
    keys: Keys, tmp_path_factory: Any, data: Any
) -> None:
    """The envelope, the list and the signatures have one form only: not even a blank may differ."""
    folder = tmp_path_factory.getbasetemp() / "sealed"
    key = data.draw(st.sampled_from(["ed", "ssh-ec"]))
    if not (folder / key).exists():
        bundle.seal(small(folder / key), keys.signer(key), {"x": 1})
    path = folder / key / data.draw(st.sampled_from([SUMS, SIGNATURE, ATTESTATION]))
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != whole[at]))
    path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
    try:
        assert refusals_of_seal(folder / key, keys.verifier(key))
    finally:
        path.write_bytes(whole)


def test_a_file_added_or_removed_is_refused(box: Path, keys: Keys) -> None:
    (box / "ghi-chu.txt").write_text("thêm", encoding="utf-8")
    (box / "registers/waivers.yaml").write_text("version: 1\nwaivers: []\n", encoding="utf-8")
    assert refusals(box, keys.verifier("ed")) == {"files": "added: ghi-chu.txt, registers/waivers.yaml"}
    (box / "ghi-chu.txt").unlink()
    (box / "registers/waivers.yaml").unlink()
    (box / "registers/plans.yaml").unlink()
    assert refusals(box, keys.verifier("ed")) == {"files": "missing: registers/plans.yaml"}


@pytest.mark.parametrize("name", [SUMS, SIGNATURE, ATTESTATION])
def test_a_signature_that_is_not_there_is_refused(box: Path, keys: Keys, name: str) -> None:
    (box / name).unlink()
    found = refusals(box, keys.verifier("ed"))
    assert found["signature" if name == ATTESTATION else "sums"].startswith(f"there is no {name}")


def test_another_key_is_refused_and_named(box: Path, keys: Keys) -> None:
    ours, theirs = keys.verifier("ed").id[:16], keys.verifier("other").id[:16]
    told = {
        "signature": f"signed with another key: {ours}…, the one given is {theirs}…",
        "sums": "the signature SHA256SUMS.sig does not hold",
    }
    assert refusals(box, keys.verifier("other")) == told


def test_an_envelope_that_names_the_key_and_is_not_by_it_is_refused(box: Path, keys: Keys) -> None:
    outer = json.loads((box / ATTESTATION).read_bytes())
    forged = signing.envelope(json.loads(base64.b64decode(outer["payload"])), keys.signer("other"))
    forged = forged.replace(keys.verifier("other").id.encode(), keys.verifier("ed").id.encode())
    (box / ATTESTATION).write_bytes(forged)
    assert refusals(box, keys.verifier("ed")) == {
        "signature": f"the signature of {ATTESTATION} does not hold"
    }


def test_an_envelope_of_other_subjects_is_refused(box: Path, keys: Keys, tmp_path: Path) -> None:
    other = small(tmp_path / "other")
    bundle.seal(other, keys.signer("ed"), {})
    shutil.copyfile(other / ATTESTATION, box / ATTESTATION)
    told = {"files": f"{ATTESTATION} speaks of another bundle: it fits no file here"}
    assert refusals(box, keys.verifier("ed")) == told


def test_without_a_key_nobody_vouches(capsys: pytest.CaptureFixture[str], made: Path, keys: Keys) -> None:
    code, out, _ = cloudaudit(capsys, "bundle", "verify", made, "--lang", "vi")
    lines = out.splitlines()
    assert code == 3
    assert lines[0].startswith("lưu ý: chữ ký: không ai bảo đảm: chưa đưa khóa công khai (khóa đã ký: ")
    assert lines[-1].startswith("Nội dung nhất quán, nhưng không ai bảo đảm")
    code, out, _ = cloudaudit(capsys, "bundle", "verify", made, "-f", "json")
    assert (code, json.loads(out)["verified"]) == (3, False)


def test_links_and_special_files_are_refused(box: Path, keys: Keys) -> None:
    (box / "registers/plans.yaml").unlink()
    (box / "registers/plans.yaml").symlink_to("/etc/passwd")
    assert refusals(box, keys.verifier("ed")) == {"layout": "registers/plans.yaml is a link"}
    (box / "registers/plans.yaml").unlink()
    os.mkfifo(box / "registers/plans.yaml")
    assert refusals(box, keys.verifier("ed")) == {"layout": "registers/plans.yaml is no plain file"}


def zipped(path: Path, *entries: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, b"{}")
        for entry, content in entries:
            archive.writestr(entry, content)
    return path


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    return entry


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("entry", "content", "told"),
    [
        ("../out.txt", b"", "../out.txt leads out of the folder"),
        ("a/../../out.txt", b"", "a/../../out.txt leads out of the folder"),
        ("/etc/out.txt", b"", "/etc/out.txt leads out of the folder"),
        ("a//b", b"", "a//b leads out of the folder"),
        ("a\\..\\b", b"", "a\\..\\b leads out of the folder"),
        ("C:/b", b"", "C:/b leads out of the folder"),
        (link("a"), b"/etc/passwd", "a is a link or a special file"),
        (MANIFEST, b"{}", f"{MANIFEST} is twice in the zip"),
        ("bomb", bytes(40 * 1024**2), "bomb unpacks to far more than it is"),
    ],
)
def test_a_hostile_zip_is_refused(
    tmp_path: Path, entry: zipfile.ZipInfo | str, content: bytes, told: str
) -> None:
    path = zipped(
        tmp_path / "in" / "x.zip" if (tmp_path / "in").mkdir() is None else tmp_path, (entry, content)
    )
    assert refusals(path, None) == {"layout": told}
    assert [p.name for p in tmp_path.rglob("out.txt")] == []


def test_a_zip_of_many_small_bombs_is_refused(tmp_path: Path) -> None:
    entries = [(f"{n}", bytes(15 * 1024**2)) for n in range(6)]
    assert list(refusals(zipped(tmp_path / "x.zip", *entries), None)) == ["layout"]


def test_a_damaged_zip_is_refused(made: Path, tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", ("a", os.urandom(5000)))
    whole = path.read_bytes()
    path.write_bytes(whole[:2000] + b"\0\0\0\0" + whole[2004:])
    assert refusals(path, None)["layout"].startswith("the zip is damaged")


def test_a_packed_file_that_blows_up_is_refused(box: Path, keys: Keys) -> None:
    with gzip.open(box / "findings.jsonl.gz", "wb") as packed:
        packed.write(b" " * 60 * 1024**2)
    reseal(box, keys.signer("ed"))
    assert refusals(box, keys.verifier("ed")) == {
        "layout": "findings.jsonl.gz: unpacks to far more than it is"
    }


def test_a_bomb_behind_an_honest_member_is_refused(box: Path, keys: Keys) -> None:
    whole = (box / "findings.jsonl.gz").read_bytes()
    (box / "findings.jsonl.gz").write_bytes(whole + gzip.compress(b" " * 60 * 1024**2))
    reseal(box, keys.signer("ed"))
    assert list(refusals(box, keys.verifier("ed"))) == ["layout"]


def test_a_key_that_stands_twice_is_refused(box: Path, keys: Keys) -> None:
    """Readers differ on which of two counts."""
    text = (box / "report.json").read_text(encoding="utf-8")
    forged = text.replace('"level": 0,', '"level": 5,\n    "level": 0,', 1)
    assert forged != text
    (box / "report.json").write_text(forged, encoding="utf-8")
    reseal(box, keys.signer("ed"))
    told = {"numbers": "report.json is not written as cloudaudit writes it"}
    assert refusals(box, keys.verifier("ed")) == told


@pytest.mark.parametrize("what", ["folder", "file", "nothing"])
def test_what_is_no_bundle_is_the_users_mistake(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, what: str
) -> None:
    path = tmp_path / "x"
    if what == "folder":
        path.mkdir()
    elif what == "file":
        path.write_text("x", encoding="utf-8")
    code, out, err = cloudaudit(capsys, "bundle", "verify", path)
    assert (code, out) == (2, "")
    assert "bundle" in err


# --- what is refused: the inside ----------------------------------------------------------------------


def edited(box: Path, edit: Callable[[dict[str, Any]], bool]) -> str:
    """Change findings everywhere at once, with every figure that follows from them, as a forger would.

    `edit` changes a record, and tells whether it did. Returns the control of the first one changed.
    """
    with gzip.open(box / "findings.jsonl.gz") as lines:
        records = [json.loads(line) for line in lines]
    changed = [record["control"] for record in records if edit(record)]
    body = b"".join(bundling._line(record) for record in records)
    with gzip.GzipFile(box / "findings.jsonl.gz", "wb", mtime=0) as packed:
        packed.write(body)
    report = json.loads((box / "report.json").read_bytes())
    report["findings"] = sorted((r for r in records if r["verdict"] != "pass"), key=report_json.order)
    report["findings_file"]["sha256"] = sha256(body).hexdigest()
    (box / "report.json").write_text(report_json.dumps(report), encoding="utf-8")
    known = bundling._from_bundle(box, "profiles/ndc-connection.yaml", "provider")
    report, counts = bundling.recounted(api.Assessed(box, report), known)
    (box / "report.json").write_text(report_json.dumps(report), encoding="utf-8")
    for name, path in (("html", "report.html"), ("text", "report.txt")):
        made = api.render(api.load_assessment(box), name, lang="vi", catalogue=known.catalogue)
        (box / path).write_bytes(made if isinstance(made, bytes) else made.encode())
    manifest = json.loads((box / MANIFEST).read_bytes())
    (box / MANIFEST).write_text(json.dumps({**manifest, "counts": counts}), encoding="utf-8")
    return str(changed[0])


def to_pass(record: dict[str, Any]) -> bool:
    """Turn the failure of one control into a pass."""
    if record["verdict"] != "fail" or record["resource"]["name"] != BUCKETS[2]:
        return False
    record["verdict"] = "pass"
    return True


def test_a_finding_edited_everywhere_is_refused_whoever_signs(box: Path, keys: Keys) -> None:
    attestation = (box / ATTESTATION).read_bytes()
    id_ = edited(box, to_pass)
    # The forger has no key: the lists are made anew, and the attestation is the old one.
    content = sorted(p.relative_to(box).as_posix() for p in box.rglob("*") if p.is_file())
    sums = "".join(f"{bundle.digest_of(box / n)}  {n}\n" for n in content if n not in OUTER)
    (box / SUMS).write_text(sums, encoding="utf-8")
    tool("sha256sum", "-c", SUMS, cwd=box)
    found = refusals(box, keys.verifier("ed"))
    assert found["files"].startswith("not what was signed: SHA256SUMS, bundle.json, findings.jsonl.gz")
    assert found["sums"] == f"{SUMS} is not the list that was attested"
    # Or with a key of its own.
    reseal(box, keys.signer("other"))
    assert (box / ATTESTATION).read_bytes() != attestation
    assert refusals(box, keys.verifier("ed"))["signature"].startswith("signed with another key")
    # Nobody asks for a key, or the owner itself did it: what the snapshot gives is another thing.
    for verifier in (None, keys.verifier("other")):
        assert refusals(box, verifier) == {
            "findings": f'{id_} s3.bucket {BUCKETS[2]}.verdict: expected "fail", found "pass"'
        }


def test_a_finding_left_out_or_put_in_is_named(box: Path, keys: Keys) -> None:
    with gzip.open(box / "findings.jsonl.gz") as lines:
        records = [json.loads(line) for line in lines]
    wanted = next(r for r in records if r["verdict"] == "fail" and r["resource"]["name"] == BUCKETS[2])
    whole = (box / "findings.jsonl.gz").read_bytes()

    def write_with(kept: list[dict[str, Any]]) -> None:
        with gzip.GzipFile(box / "findings.jsonl.gz", "wb", mtime=0) as packed:
            packed.write(b"".join(map(bundling._line, kept)))
        body = gzip.decompress((box / "findings.jsonl.gz").read_bytes())
        report = json.loads((box / "report.json").read_bytes())
        report["findings_file"] |= {"sha256": sha256(body).hexdigest(), "count": len(kept)}
        report["findings"] = sorted((r for r in kept if r["verdict"] != "pass"), key=report_json.order)
        (box / "report.json").write_text(report_json.dumps(report), encoding="utf-8")
        known = bundling._from_bundle(box, "profiles/ndc-connection.yaml", "provider")
        report, counts = bundling.recounted(api.Assessed(box, report), known)
        (box / "report.json").write_text(report_json.dumps(report), encoding="utf-8")
        reseal(box, keys.signer("ed"), counts=counts)

    name = f"{wanted['control']} s3.bucket {BUCKETS[2]}"
    write_with([r for r in records if r is not wanted])
    assert refusals(box, keys.verifier("ed"))["findings"] == f'{name}: expected "fail", found ∅'
    (box / "findings.jsonl.gz").write_bytes(whole)
    place = records.index(wanted)
    write_with([*records[: place + 1], {**wanted, "fingerprint": "0" * 64}, *records[place + 1 :]])
    assert refusals(box, keys.verifier("ed"))["findings"] == f'{name}: expected ∅, found "fail"'


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("readiness", "score", "lower"), 99.9),
        (("readiness", "level"), 4),
        (("readiness", "dimensions", 0, "coverage"), 99.9),
        (("readiness", "gates", 0, "state"), "open"),
        (("readiness", "reasons"), []),
        (("controls", 0, "verdict"), "pass"),
        (("controls", 0, "severity"), "low"),
        (("profile", "official"), True),
        (("profile", "rules", "thresholds", "0"), {}),
    ],
)
def test_a_figure_that_does_not_follow_from_the_findings_is_named(
    made: Path, keys: Keys, tmp_path: Path, path: tuple[str | int, ...], value: object
) -> None:
    box = shutil.copytree(made, tmp_path / "bundle")
    report = json.loads((box / "report.json").read_bytes())
    inner = report
    for step in path[:-1]:
        inner = inner[step]
    before, inner[path[-1]] = inner[path[-1]], value
    assert before != value
    (box / "report.json").write_text(report_json.dumps(report), encoding="utf-8")
    reseal(box, keys.signer("ed"))
    (told,) = refusals(box, keys.verifier("ed")).items()
    assert told[0] == "numbers"
    assert str(path[0]) in told[1]


def test_a_list_that_was_not_whole_cannot_be_called_so(box: Path, keys: Keys) -> None:
    """Figures alone cannot tell; the snapshot can."""
    report = json.loads((box / "report.json").read_bytes())
    entry = next(e for e in report["collection"] if e["ok"] < e["asked"])
    entry["ok"] = entry["asked"]
    (box / "report.json").write_text(report_json.dumps(report), encoding="utf-8")
    known = bundling._from_bundle(box, "profiles/ndc-connection.yaml", "provider")
    forged, _ = bundling.recounted(api.Assessed(box, report), known)
    (box / "report.json").write_text(report_json.dumps(forged), encoding="utf-8")
    reseal(box, keys.signer("ed"))
    told = refusals(box, keys.verifier("ed"))
    assert "findings" not in told
    assert told["report"].startswith("readiness.collection_coverage: expected 0.0, found 100.0")


def test_a_swapped_control_is_named(box: Path, keys: Keys) -> None:
    path = box / "controls/SEC/SEC-06.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("severity:", "severity: ", 1), encoding="utf-8")
    reseal(box, keys.signer("ed"))
    assert refusals(box, keys.verifier("ed")) == {"controls": "a control is not the one that judged: SEC-06"}
    (box / "controls/SEC/SEC-06.yaml").unlink()
    reseal(box, keys.signer("ed"))
    assert list(refusals(box, keys.verifier("ed"))) == ["content"]


def test_a_swapped_profile_is_refused(box: Path, keys: Keys) -> None:
    path = box / "profiles/ndc-connection.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\n# khác\n", encoding="utf-8")
    reseal(box, keys.signer("ed"))
    assert refusals(box, keys.verifier("ed")) == {"controls": "the profile is not the one that judged"}


def test_controls_weakened_before_judging_are_told(
    capsys: pytest.CaptureFixture[str], box: Path, keys: Keys
) -> None:
    """Whoever changes the shipped data in the bundle alone changes what is judged, or is told of."""
    path = box / "resources/s3.bucket.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\n# khác\n", encoding="utf-8")
    reseal(box, keys.signer("ed"))
    code, out, _ = cloudaudit(
        capsys, "bundle", "verify", box, "--public-key", keys.public("ed"), "--lang", "en"
    )
    assert code == 0
    assert (
        "note: controls: not all as they ship with this installation (1 differ: resources/s3.bucket.yaml)"
        in out
    )


def test_a_wrong_clock_is_refused(box: Path, keys: Keys) -> None:
    later = format_time(NOW + 400 * builders.DAY)
    reseal(box, keys.signer("ed"), assessed_at=later)
    assert refusals(box, keys.verifier("ed")) == {
        "clock": f"the clocks differ: bundle.json says {later}, report.json says {AT}"
    }
    report = json.loads((box / "report.json").read_bytes()) | {"assessed_at": later}
    (box / "report.json").write_text(report_json.dumps(report), encoding="utf-8")
    reseal(box, keys.signer("ed"), assessed_at=later)
    assert "evidence" in refusals(box, keys.verifier("ed"))["findings"]


def test_an_attestation_of_another_clock_is_refused(box: Path, keys: Keys) -> None:
    manifest = json.loads((box / MANIFEST).read_bytes())
    for name in OUTER:
        (box / name).unlink(missing_ok=True)
    bundle.seal(box, keys.signer("ed"), bundling.predicate(manifest) | {"assessed_at": format_time(NOW)})
    assert refusals(box, keys.verifier("ed")) == {"manifest": "bundle.json is not what the attestation says"}


def test_a_register_or_snapshot_that_is_another_is_refused(box: Path, keys: Keys) -> None:
    path = box / "registers/plans.yaml"
    path.write_text(PLANS.replace("2027-06-30", "2028-06-30"), encoding="utf-8")
    reseal(box, keys.signer("ed"))
    assert "plans" in refusals(box, keys.verifier("ed"))["report"]
    path.write_text(PLANS, encoding="utf-8")
    (box / "snapshot/thua.txt").write_text("x", encoding="utf-8")
    reseal(box, keys.signer("ed"))
    told = {"snapshot": "snapshot/thua.txt is none of the snapshot's files"}
    assert refusals(box, keys.verifier("ed")) == told


def test_a_report_for_people_that_says_something_else_is_refused(box: Path, keys: Keys) -> None:
    page = (box / "report.html").read_text(encoding="utf-8")
    (box / "report.html").write_text(page.replace("</body>", "<p>Đạt</p></body>"), encoding="utf-8")
    reseal(box, keys.signer("ed"))
    assert refusals(box, keys.verifier("ed")) == {"formats": "report.html is not what report.json gives"}


def test_another_build_is_told_apart_from_a_mismatch(
    monkeypatch: pytest.MonkeyPatch, box: Path, keys: Keys
) -> None:
    monkeypatch.setattr(data, "build", lambda: "0" * 64)
    (box / "report.html").write_text("other words", encoding="utf-8")
    reseal(box, keys.signer("ed"))
    found = {(c.id, c.state): c.text.en for c in bundling.verify(box, keys.verifier("ed"))}
    assert found["build", "note"].startswith("made by another build: cloudaudit 0.1.0 (")
    assert found["formats", "note"] == "report.html was not compared: another build made it"
    assert ("report", "ok") in found
    assert not [key for key in found if key[1] == "refused"]
    edited(box, to_pass)
    reseal(box, keys.signer("ed"))
    assert refusals(box, keys.verifier("ed"))["findings"].endswith(
        "; made by another build, so look with that one before you conclude"
    )


# --- earlier reports ----------------------------------------------------------------------------------


def test_an_earlier_report_that_is_declared_has_to_be_there(
    capsys: pytest.CaptureFixture[str], assessed: Path, keys: Keys, tmp_path: Path
) -> None:
    out = tmp_path / "bundle"
    args = ("--key", keys.private("ed"), "-q", "-o", out)
    code, _, err = cloudaudit(capsys, "bundle", "create", assessed, "--previous", keys.folder, *args)
    assert (code, out.exists()) == (2, False)
    assert "is no assessment: it has no report.json" in err
    code, _, err = cloudaudit(capsys, "bundle", "create", assessed, "--previous", assessed, *args)
    assert (code, out.exists()) == (2, False)
    assert "is not from before this one" in err
    report = json.loads((assessed / "report.json").read_text(encoding="utf-8"))
    earlier = tmp_path / "earlier.json"
    earlier.write_text(json.dumps(report | {"assessed_at": "2026-10-01T00:00:00Z"}), encoding="utf-8")
    assert cloudaudit(capsys, "bundle", "create", assessed, "--previous", earlier, *args)[0] == 0
    assert ("previous", "ok") in states(out, keys.verifier("ed"))
    whole = (out / "previous/1.json").read_bytes()
    (out / "previous/1.json").write_bytes(whole + b"\n")
    reseal(out, keys.signer("ed"))
    told = "an earlier report is not the one declared: previous/1.json"
    assert refusals(out, keys.verifier("ed")) == {"previous": told}
    (out / "previous/1.json").unlink()
    reseal(out, keys.signer("ed"))
    told = "an earlier report is declared and not there: previous/1.json"
    assert refusals(out, keys.verifier("ed")) == {"previous": told}


# --- making: what is refused, and what is left --------------------------------------------------------


def tries(capsys: pytest.CaptureFixture[str], assessed: Path, key: Path, out: Path, *more: object) -> str:
    """Try to make a bundle that cannot be: what was said. Nothing may be left."""
    code, shown, err = cloudaudit(capsys, "bundle", "create", assessed, "--key", key, "-o", out, "-q", *more)
    assert (code, shown) == (2, "")
    assert not out.exists()
    assert [p.name for p in out.parent.iterdir() if p.name.startswith(f".{out.name}")] == []
    assert PASSPHRASE not in err
    return err


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("rsa.pem", "is a key of another kind, RSA"),
        ("ssh-rsa", "is a key of another kind, RSA"),
        ("x.pem", "is a key of another kind, X25519"),
        ("p521.pem", "is an ECDSA key over secp521r1"),
        ("ed.pub.pem", "is public, and signing needs the private key"),
        ("ssh-ed.pub", "is public, and signing needs the private key"),
        ("p256.crt", "is public, and signing needs the private key"),
        ("locked.pem", "is encrypted, and no passphrase was given"),
        ("ssh-locked", "is encrypted, and no passphrase was given"),
        ("none.pem", "there is no file"),
    ],
)
def test_a_key_of_a_wrong_kind_is_told(
    capsys: pytest.CaptureFixture[str], assessed: Path, keys: Keys, tmp_path: Path, key: str, told: str
) -> None:
    assert told in tries(capsys, assessed, keys.folder / key, tmp_path / "bundle")


@pytest.mark.parametrize("key", ["locked.pem", "ssh-locked"])
def test_a_passphrase_comes_from_a_file_or_the_environment_and_is_never_shown(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    assessed: Path,
    keys: Keys,
    tmp_path: Path,
    key: str,
) -> None:
    told = f"{keys.folder / key} cannot be decrypted: the passphrase is wrong, or the file is damaged"
    monkeypatch.setenv("CLOUDAUDIT_PASSPHRASE", "PLANTED-sai")
    said = tries(capsys, assessed, keys.folder / key, tmp_path / "bundle")
    assert said == f"error: {told}\n"
    (tmp_path / "word").write_text(PASSPHRASE + "\n", encoding="utf-8")
    signer = signing.load_private(keys.folder / key, PASSPHRASE.encode)
    args = ("--passphrase-file", tmp_path / "word", "-o", tmp_path / "bundle")
    code, _, err = cloudaudit(capsys, "bundle", "create", assessed, "--key", keys.folder / key, *args)
    assert code == 0
    assert err.endswith(f"signed with Ed25519, key {signer.verifier.id}\n")
    assert PASSPHRASE not in err


def test_a_passphrase_is_asked_for_at_a_terminal_and_not_echoed(
    assessed: Path, keys: Keys, tmp_path: Path
) -> None:
    args = [
        "bundle",
        "create",
        str(assessed),
        "--key",
        str(keys.folder / "locked.pem"),
        "-o",
        str(tmp_path / "bundle"),
    ]
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover - another program from here on
        os.chdir(data._PACKAGE.parent)
        os.execv(sys.executable, [sys.executable, "-B", "-m", "cloudaudit", *args])
    shown = b""
    with os.fdopen(terminal, "r+b", buffering=0) as screen, contextlib.suppress(OSError):
        while b"Passphrase" not in shown:
            shown += screen.read(1024)
        screen.write(f"{PASSPHRASE}\n".encode())
        while piece := screen.read(1024):
            shown += piece
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
    assert PASSPHRASE.encode() not in shown
    assert (tmp_path / "bundle" / ATTESTATION).is_file()


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("rsa.pub.pem", "is a key of another kind, RSA"),
        ("ed.pem", "is a private key, and checking needs the public one"),
        ("ssh-ed", "is a private key, and checking needs the public one"),
        ("p256.crt", "is a certificate"),
        ("none", "there is no file"),
    ],
)
def test_a_public_key_of_a_wrong_kind_is_told(
    capsys: pytest.CaptureFixture[str], made: Path, keys: Keys, key: str, told: str
) -> None:
    code, out, err = cloudaudit(capsys, "bundle", "verify", made, "--public-key", keys.folder / key)
    assert (code, out) == (2, "")
    assert told in err


def test_a_certificate_of_another_key_is_told(
    capsys: pytest.CaptureFixture[str], assessed: Path, keys: Keys, tmp_path: Path
) -> None:
    more = ("--certificate", keys.folder / "p256.crt")
    assert "is the certificate of another key" in tries(
        capsys, assessed, keys.private("p384"), tmp_path / "b", *more
    )


def test_nothing_is_signed_that_does_not_follow_from_the_snapshot(
    capsys: pytest.CaptureFixture[str], assessed: Path, keys: Keys, tmp_path: Path
) -> None:
    copy = shutil.copytree(assessed, tmp_path / "out")
    report = json.loads((copy / "report.json").read_bytes())
    report["readiness"]["score"]["lower"] = 99.0
    (copy / "report.json").write_text(report_json.dumps(report), encoding="utf-8")
    said = tries(capsys, copy, keys.private("ed"), tmp_path / "bundle")
    assert "is not what its own snapshot gives: readiness.score.lower: expected " in said
    shutil.rmtree(copy / "snapshot")
    assert "give it with --snapshot" in tries(capsys, copy, keys.private("ed"), tmp_path / "bundle")
    (copy / "registers/plans.yaml").write_text(PLANS + "# khác\n", encoding="utf-8")
    more = ("--snapshot", assessed / "snapshot")
    assert "plans.yaml is not the register" in tries(
        capsys, copy, keys.private("ed"), tmp_path / "bundle", *more
    )


def test_controls_and_a_profile_of_ones_own_go_with_it(
    capsys: pytest.CaptureFixture[str], assessed: Path, keys: Keys, tmp_path: Path
) -> None:
    own = tmp_path / "own" / "SEC"
    own.mkdir(parents=True)
    text = (data.folder("controls") / "SEC/SEC-06.yaml").read_text(encoding="utf-8")
    (own / "SEC-906.yaml").write_text(text.replace("id: SEC-06", "id: SEC-906"), encoding="utf-8")
    profile = tmp_path / "cua-toi.yaml"
    profile.write_text(
        "version: 1.0.0\nid: cua-toi\nextends: s3-only\ntitle: {vi: Của tôi, en: Mine}\ncontrols: [SEC-*]\n"
        "weights: {SEC: 100}\n", encoding="utf-8",
    )  # fmt: skip
    out, at = tmp_path / "out", ("--at", AT, "-q", "-o", tmp_path / "out")
    mine = ("-p", profile, "--controls", own.parent)
    assert cloudaudit(capsys, "assess", assessed / "snapshot", *mine, *at)[0] in (1, 3)
    said = tries(capsys, out, keys.private("ed"), tmp_path / "bundle", "-p", profile)
    assert "give the --controls that assess was given" in said
    args = ("bundle", "create", out, "--key", keys.private("ed"), *mine, "-o", tmp_path / "bundle", "-q")
    assert cloudaudit(capsys, *args) == (0, "", "")
    assert (tmp_path / "bundle/own-controls/1/SEC/SEC-906.yaml").is_file()
    assert sorted(p.name for p in (tmp_path / "bundle/profiles").iterdir())[0] == "cua-toi.yaml"
    found = {(c.id, c.state): c.text.en for c in bundling.verify(tmp_path / "bundle", keys.verifier("ed"))}
    told = "not all as they ship with this installation (1 own; 1 differ: profiles/cua-toi.yaml)"
    assert found["controls", "note"] == told
    assert not [key for key in found if key[1] == "refused"]


PROGRAM = """\
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from cloudaudit.cli import _run
sys.exit(_run(sys.argv[2:]))
"""


@pytest.mark.parametrize("limit", [2_000, 20_000, 100_000])
@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_nothing_is_left_when_the_disk_does_not_take_it(
    assessed: Path, keys: Keys, made: Path, tmp_path: Path, limit: int, name: str
) -> None:
    """No file may grow beyond a limit, so that another write fails each time: content, list, zip."""
    sizes = [path.stat().st_size for path in made.rglob("*") if path.is_file()]
    assert max(sizes) > limit
    run = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, str(limit), "bundle", "create", str(assessed), "--key",
         str(keys.private("ed")), "-o", str(tmp_path / name), "-q"],
        capture_output=True, text=True, cwd=data._PACKAGE.parent, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (2, "")
    assert (
        run.stderr == f"error: {tmp_path / name} cannot be written: File too large; nothing was left there\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(
    capsys: pytest.CaptureFixture[str], assessed: Path, keys: Keys, tmp_path: Path
) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle/mine").write_text("mine", encoding="utf-8")
    args = ("bundle", "create", assessed, "--key", keys.private("ed"), "-o", tmp_path / "bundle", "-q")
    code, _, err = cloudaudit(capsys, *args)
    assert code == 2
    assert "is already there" in err
    assert (tmp_path / "bundle/mine").read_text(encoding="utf-8") == "mine"


# --- without names ------------------------------------------------------------------------------------

SHOWN = (
    *BUCKETS, "kho-chinh-hn", "kho-rieng", "nha-may-so-1", "ho-so-mat", "Quản lý hồ sơ mật", "Trưởng phòng Hạ tầng",
    "Bật mã hóa kho bản đồ", "Đổi khóa", "kho-ban-*",
)  # fmt: skip
"""Names that a full bundle's report shows."""
SECRET = (*SHOWN, "chu-kho", "Nhà máy số 1", "9 phố Mẫu", "Phòng Tổng hợp", "s3.hn.example.vn")


def words_of(folder: Path) -> str:
    """Everything of a bundle that came from its report."""
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("report.*")]
    return "\n".join([*texts, gzip.decompress((folder / "findings.jsonl.gz").read_bytes()).decode(),
                      (folder / MANIFEST).read_text(encoding="utf-8")])  # fmt: skip


def test_a_copy_shows_no_name(made: Path, public: Path) -> None:
    before, after = words_of(made), words_of(public)
    assert [name for name in SHOWN if name not in before] == []
    assert [name for name in SECRET if name in after] == []
    digests = {path.name: bundle.digest_of(path) for path in made.rglob("*") if path.is_file()}
    for name in ("plans.yaml", "sites.yaml", "manifest.json", "findings.jsonl.gz"):
        assert digests[name] not in after
    with gzip.open(made / "findings.jsonl.gz") as lines:
        for line in lines:
            assert json.loads(line)["fingerprint"] not in after
    assert not {"snapshot", "registers", "previous", "assessment.json"} & {
        path.name for path in public.iterdir()
    }


def test_a_copy_keeps_every_figure(made: Path, public: Path, keys: Keys) -> None:
    full, copy = (json.loads((folder / "report.json").read_bytes()) for folder in (made, public))
    for key in ("readiness", "controls", "profile", "catalogue", "assessed_at", "scope", "subject"):
        assert copy[key] == full[key]
    assert api.load_assessment(public).report == copy
    assert [(c.id, c.state) for c in bundling.verify(public, keys.verifier("ed"))] == [
        ("signature", "ok"), ("files", "ok"), ("sums", "ok"), ("manifest", "ok"), ("build", "ok"), ("controls", "ok"),
        ("numbers", "ok"), ("formats", "ok"),
    ]  # fmt: skip
    told = json.loads((public / MANIFEST).read_bytes())["public"]
    assert "findings[].resource.name" in told["replaced_fields"]
    assert "registers/" in told["left_out"]
    assert told["full"]["attestation_sha256"] == bundle.digest_of(made / ATTESTATION)


def test_equal_names_stay_equal_and_others_different(public: Path) -> None:
    with gzip.open(public / "findings.jsonl.gz") as lines:
        found = [json.loads(line)["resource"] for line in lines]
    ids = {r["id"] for r in found if r["type"] == "s3.bucket" and r["name"]}
    assert len(ids) == len(BUCKETS)
    assert all(re.fullmatch("h-[a-z2-7]{16}", id_) for id_ in ids)
    systems = {r["system"] for r in found if r["type"] == "s3.bucket" and r["system"]}
    assert systems == {r["id"] for r in found if r["type"] == "system"}


def test_a_plan_means_the_same_resources_in_a_copy(made: Path, public: Path) -> None:
    full, copy = (json.loads((folder / "report.json").read_bytes()) for folder in (made, public))
    assert [p["resource"] for p in full["plans"]] == ["kho-ban-*", None]
    named = {f["resource"]["id"] for f in copy["findings"] if f["control"] == "SEC-06"}
    patterns = [p["resource"] for p in copy["plans"]]
    assert patterns[-1] is None
    assert all(one in named or one.startswith("h-") for one in patterns[:-1])


def test_a_copy_is_the_image_of_its_full_bundle(
    made: Path, public: Path, keys: Keys, names_key: Path, tmp_path: Path
) -> None:
    names = Pseudonyms.of_file(names_key.read_bytes(), "names.key")
    assert states(public, keys.verifier("ed"), full=made, names=names)[-1] == ("image", "ok")
    other = Pseudonyms(b"another key of thirty-two bytes!!")
    told = {"image": "this is not the key of its pseudonyms"}
    assert refusals(public, keys.verifier("ed"), full=made, names=other) == told
    again = shutil.copytree(made, tmp_path / "again")
    reseal(again, keys.signer("ed"), reviewers=["Trưởng phòng"])
    told = {"image": "this copy was made from another bundle"}
    assert refusals(public, keys.verifier("ed"), full=again, names=names) == told
    forged = shutil.copytree(public, tmp_path / "forged")
    report = json.loads((forged / "report.json").read_bytes())
    report["projects"] = {"h-aaaaaaaaaaaaaaaa": "h-bbbbbbbbbbbbbbbb"}
    (forged / "report.json").write_text(report_json.dumps(report), encoding="utf-8")
    known = bundling._from_bundle(forged, "profiles/ndc-connection.yaml", "provider")
    page = api.render(api.load_assessment(forged), "html", lang="vi", catalogue=known.catalogue)
    (forged / "report.html").write_text(str(page), encoding="utf-8")
    reseal(forged, keys.signer("ed"))
    (told_,) = refusals(forged, keys.verifier("ed"), full=made, names=names)
    assert told_ in ("image", "formats")


def test_a_figure_changed_in_a_copy_is_refused(public: Path, keys: Keys, tmp_path: Path) -> None:
    box = shutil.copytree(public, tmp_path / "public")
    edited_ = json.loads((box / "report.json").read_bytes())
    edited_["readiness"]["level"] = 4
    (box / "report.json").write_text(report_json.dumps(edited_), encoding="utf-8")
    reseal(box, keys.signer("ed"))
    assert refusals(box, keys.verifier("ed")) == {"numbers": "readiness.level: expected 0, found 4"}


@pytest.mark.parametrize(
    "content", [b"", b"short", b"a" * 64, b"#!/bin/sh\n# Anybody can guess a file that lies about.\n"]
)
def test_a_poor_key_for_names_is_refused(
    capsys: pytest.CaptureFixture[str], made: Path, keys: Keys, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "names.key").write_bytes(content)
    said = tries(
        capsys, made, keys.private("ed"), tmp_path / "public", "--pseudonyms", tmp_path / "names.key"
    )
    assert "holds no key for pseudonyms" in said
    assert not content or content.decode() not in said


def test_a_copy_is_made_of_a_sound_full_bundle_only(
    capsys: pytest.CaptureFixture[str],
    assessed: Path,
    box: Path,
    public: Path,
    keys: Keys,
    names_key: Path,
    tmp_path: Path,
) -> None:
    more = (keys.private("ed"), tmp_path / "out", "--pseudonyms", names_key)
    assert "is no bundle" in tries(capsys, assessed, *more)
    assert "is a copy without names already" in tries(capsys, public, *more)
    (box / "report.html").write_text("x", encoding="utf-8")
    assert "is no sound bundle: not what was signed: report.html" in tries(capsys, box, *more)


@given(
    st.text(), st.text(), st.sampled_from(["resource", "name", "system"]), st.sampled_from(["person", "text"])
)
def test_a_pseudonym_depends_on_key_kind_and_text(one: str, other: str, kind: str, other_kind: str) -> None:
    names, others = Pseudonyms(b"k" * 40), Pseudonyms(b"l" * 40)
    found = names.name(kind, one)
    assert (found == names.name(kind, other)) == (one == other)
    assert found == "" or (found != names.name(other_kind, one) and found != others.name(kind, one))
    assert one not in found[2:] or len(one) < 3


# --- the command line ---------------------------------------------------------------------------------


def test_verify_says_a_line_for_each_check(
    capsys: pytest.CaptureFixture[str], made: Path, keys: Keys
) -> None:
    code, out, err = cloudaudit(
        capsys, "bundle", "verify", made, "--public-key", keys.public("ed"), "--lang", "en"
    )
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == len(WHOLE) + 1
    assert all(line.startswith("ok: ") for line in lines[:-1])
    assert lines[-1] == "Verified: it is this key's, and the report follows from the snapshot."
    code, out, err = cloudaudit(
        capsys, "bundle", "verify", made, "--public-key", keys.public("other"), "-f", "json"
    )
    told = json.loads(out)
    assert (code, told["verified"]) == (1, False)
    assert [c["id"] for c in told["checks"] if c["state"] == "refused"] == ["signature", "sums"]


def test_help_shows_how(capsys: pytest.CaptureFixture[str]) -> None:
    for args in (("bundle",), ("bundle", "create"), ("bundle", "verify")):
        code, out, _ = cloudaudit(capsys, *args, "--help")
        assert code == 0
        assert "cloudaudit bundle " in out
        assert "Exit codes" in out or args == ("bundle",)


def test_a_bundle_is_an_assessment_that_report_reads(capsys: pytest.CaptureFixture[str], made: Path) -> None:
    code, out, _ = cloudaudit(capsys, "report", made, "--snapshot", made / "snapshot", "-f", "json")
    assert code == 0
    assert json.loads(out) == json.loads((made / "report.json").read_bytes())
