"""Secrets in metadata, tags and user data: what is noticed, what is let be, and that nothing is told of it."""

from __future__ import annotations

import base64
import gzip
import time
from typing import Any

import pytest

from cloudaudit.collectors.item import Item
from cloudaudit.collectors.leaks import MOST, REDACTED, Look, pattern_of, told
from cloudaudit.model import Partial, Reason, Value

FERNET = "gAAAAA" + "Bk3_x-9Z" * 10
RANDOM = "k9Jf2LqXz7Vb1Nw5Rt8Yp3Hs6Dg4Mc0A"


@pytest.mark.parametrize(
    ("key", "value", "pattern"),
    [
        ("note", "-----BEGIN RSA PRIVATE KEY-----\nMIIE", "private-key"),
        ("note", "-----BEGIN PRIVATE KEY-----", "private-key"),
        ("note", "-----BEGIN CERTIFICATE-----", None),
        ("note", "AKIAIOSFODNN7EXAMPLE", "aws-access-key"),
        ("note", "XAKIAIOSFODNN7EXAMPLE", None),
        ("note", FERNET, "keystone-token"),
        ("note", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.SflKxwRJSMeKKF2QT4fw", "jwt"),
        ("note", "ghp_" + "a1B2" * 9, "access-token"),
        ("note", "postgres://app:matkhau@db.example.vn/x", "url-password"),
        ("note", "https://db.example.vn:5432/x", None),
        ("note", "$6$saltsalt$" + "a" * 86, "password-hash"),
        ("note", "host=db password=Matkhau123", "assignment"),
        ("note", "host=db mat-khau: Abc12345", "assignment"),
        ("note", "password=$DB_PASSWORD", None),
        ("note", "password: /run/secrets/db", None),
        ("note", "secret=https://keys.example.vn/v1/secrets/1", None),
        ("db_password", "a", "name"),
        ("dbPassword", "a", "name"),
        ("DB-PASSWORD", "a", "name"),
        ("secret_key", "a", "name"),
        ("AccessKey", "a", "name"),
        ("matkhau", "a", "name"),
        ("db.mat_khau", "a", "name"),
        ("db_password", "", None),
        ("use_password", "true", None),
        ("password_file", "/run/x", None),
        ("secret_ref", "a", None),
        ("token_url", "x", None),
        ("passenger", "a", None),
        ("key", "a", None),
        ("note", RANDOM, "high-entropy"),
        ("note", "0123456789abcdef" * 4, None),
        ("note", "6d2437b5-0000-4000-8000-000000000002", None),
        ("note", "Ab1" * 20, None),
        ("note", "khong co gi o day ca, chi la mot dong ghi chu binh thuong 2026", None),
        ("img_signature", RANDOM, None),
        ("temp-url-key-2", RANDOM, None),
    ],
)
def test_what_is_noticed(key: str, value: str, pattern: str | None) -> None:
    assert pattern_of(key, value) == pattern


def user_data(text: bytes) -> Value:
    look = Look()
    look.user_data(base64.b64encode(text).decode())
    return look.result()


FOUND = ({"place": "user_data", "key": "user_data", "pattern": "assignment"},)


def test_user_data_are_looked_into() -> None:
    script = b"#cloud-config\nchpasswd:\n  password: Matkhau123\n"
    assert user_data(script) == FOUND
    assert user_data(gzip.compress(script)) == FOUND
    assert user_data(b"#!/bin/sh\necho xin chao\n") == ()
    plain = Look()
    plain.user_data("password: Matkhau123")  # not encoded
    assert plain.result() == FOUND


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(b"a" * (MOST + 1), mtime=0), Reason.PARTIAL),
        (gzip.compress(b"abc", mtime=0)[:-9], Reason.PARTIAL),
        (b"\x1f\x8bxxxx", Reason.INVALID_ANSWER),
        (b"a" * (MOST + 1), Reason.PARTIAL),
        (b"MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\neA==", Reason.PARTIAL),
    ],
)
def test_user_data_that_cannot_be_read_prove_nothing(data: bytes, reason: Reason) -> None:
    look = Look()
    look.user_data(base64.b64encode(data).decode())
    assert look.result() == Partial(())
    assert look.unseen is not None
    assert look.unseen.reason is reason


def test_a_tag_that_is_a_secret_is_not_told() -> None:
    look = Look()
    look.words("tags", [FERNET, "password=Matkhau123", "web", "tier:gold"])
    look.pairs("metadata", [(f"k {FERNET}", "x"), ("so", 5), ("khong", None)])
    assert look.result() == (
        {"place": "metadata", "key": REDACTED, "pattern": "keystone-token"},
        {"place": "tags", "key": REDACTED, "pattern": "keystone-token"},
        {"place": "tags", "key": "password", "pattern": "name"},
    )


def test_base64_with_padding_is_a_bare_word_and_told_nowhere() -> None:
    padded = base64.b64encode(RANDOM.encode()).decode()
    assert padded.endswith("=")
    look = Look()
    look.words("tags", [padded])
    assert look.result() == ({"place": "tags", "key": REDACTED, "pattern": "high-entropy"},)
    item = Item({"tags": [padded]})
    item.tags("tags", frozenset())
    assert item.facts == {"labels": {}, "label_names": (REDACTED,)}


def test_a_key_that_says_a_password_is_not_told() -> None:
    look = Look()
    look.pairs("metadata", [("password=Matkhau123", "")])
    assert look.result() == ({"place": "metadata", "key": REDACTED, "pattern": "assignment"},)
    assert told("password=Matkhau123") == told(RANDOM) == REDACTED
    assert told("db_password") == "db_password"


def test_neither_names_nor_values_of_labels_are_secrets() -> None:
    item = Item({"tags": [FERNET, f"role={FERNET}", "role2=x"]})
    item.tags("tags", frozenset({"role"}))
    assert item.facts == {"labels": {}, "label_names": (REDACTED, "role", "role2")}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"metadata": {}}, Reason.NOT_IMPLEMENTED),
        ({"tags": []}, Reason.NOT_IMPLEMENTED),
        ({"metadata": [], "tags": []}, Reason.INVALID_ANSWER),
        ({"metadata": {}, "tags": {}}, Reason.INVALID_ANSWER),
    ],
)
def test_what_is_not_there_was_not_looked_at(row: dict[str, Any], reason: Reason) -> None:
    item = Item(row)
    item.secrets(Look(), metadata="metadata", tags="tags")
    assert item.facts == {}
    assert item.unseen["secrets.found"].reason is reason


def test_what_was_found_stands_whatever_else_was_not_seen() -> None:
    item = Item({"metadata": {"db_password": "x"}})
    item.secrets(Look(), metadata="metadata", tags="tags")
    found = ({"place": "metadata", "key": "db_password", "pattern": "name"},)
    assert item.facts == {"secrets.found": Partial(found)}
    assert item.unseen["secrets.found"].reason is Reason.NOT_IMPLEMENTED


def test_tags_that_are_null_are_none() -> None:
    item = Item({"tags": None})
    item.secrets(Look(), tags="tags")
    assert (item.facts, item.unseen) == ({"secrets.found": ()}, {})


@pytest.mark.parametrize(
    "piece",
    ["eyJ-", "eyJaaaaaaaaaaaa.", "ghp_", "a://", "a:", "-----BEGIN A ", "$6$", "token=", "gAAAAA", "AKIA"],
)
def test_no_text_is_slow_to_look_at(piece: str) -> None:
    began = time.perf_counter()
    pattern_of("note", piece * (MOST // 4 // len(piece)))
    assert time.perf_counter() - began < 5
