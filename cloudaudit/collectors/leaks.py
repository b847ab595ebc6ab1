"""Look for secrets where they do not belong: in metadata, tags and user data.

What is looked at never leaves this module: told are the place, the key, and the name of the pattern that
fits. A key that is a secret itself is not told either.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from cloudaudit.model import Partial, Reason, Unseen, Value

REDACTED: Final = "[redacted]"
MOST: Final = 1 << 20
"""Characters of one value that are looked at; more than user data may have by far."""
_START: Final = r"(?<![0-9A-Za-z_.-])"

# Every pattern either starts where no token goes on, or is bounded: no text makes them slow.
_TELLTALE: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "private-key": r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY",
        "aws-access-key": _START + r"(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])",
        "keystone-token": _START + r"gAAAAA[0-9A-Za-z_-]{60}",
        "jwt": _START + r"eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10}",
        "access-token": _START
        + r"(?:gh[opsur]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{40}|glpat-[0-9A-Za-z_-]{20}"
        r"|xox[abeprs]-[0-9A-Za-z-]{10}|hvs\.[0-9A-Za-z_-]{20}|AIza[0-9A-Za-z_-]{35}|npm_[0-9A-Za-z]{36})",
        "url-password": r"[A-Za-z][0-9A-Za-z+.-]{1,20}://[^\s/:@]{0,100}:[^\s/@]{1,200}@",
        "password-hash": r"\$(?:1|5|6|7|y|gy|2[abxy])\$[^\s:$]{1,64}(?:\$[^\s:$]{1,32})?[^\s:]{12}",
    }.items()
}
# Vietnamese for a password is written without its marks, `mat_khau` or `matkhau`, in names.
_ASSIGNMENT: Final = re.compile(
    r"(?i)(?:pass(?:word|wd|phrase)|mat[_-]?khau|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)s?[\"']?"
    r"\s{0,4}[:=]\s{0,4}[\"']?([^\s\"',;]{6,64})"
)
_NAME: Final = re.compile(
    r"(?:^|_)(?:pass|passwd|password|passphrase|pwd|mat_?khau|secret|token|credentials?)(?:$|_)"
    r"|(?:access|secret|api|private)_?key(?:$|_)"
)
_REFERENCE_NAME: Final = re.compile(
    r"_(?:id|ref|name|path|file|url|uri|type|ttl|expir(?:y|es|ation)|policy|length)$"
)
_REFERENCE: Final = re.compile(r"(?:[$](?![0-9a-z]{1,2}[$])|[{<%*/]|https?://|vault:)")
_EMPTY: Final = frozenset({"", "true", "false", "yes", "no", "none", "null", "on", "off", "0", "1"})
_DENSE: Final = re.compile(r"[0-9A-Za-z+/_=-]{32,}")
_HEX: Final = re.compile(r"[0-9A-Fa-f-]+")
_BITS: Final = 4.0
"""Bits per character above which a text of 32 or more looks drawn at random; words have less."""
_BY_NATURE: Final = ("img_signature", "temp-url-key", "quota-")
"""Beginnings of keys whose values a service itself asks for: signatures and Swift's own keys."""


def telltale(text: str) -> str | None:
    """The pattern that shows a text to hold a secret by its form alone; None where none fits."""
    return next((name for name, pattern in _TELLTALE.items() if pattern.search(text)), None)


def told(key: str) -> str:
    """A key, or a word in place of one, as it may be told."""
    return REDACTED if telltale(key) or _assigned(key) or _random(key) else key


def pattern_of(key: str, value: str) -> str | None:
    """The first pattern that fits a key and its value; None where none does."""
    if key.lower().startswith(_BY_NATURE):
        return None
    return telltale(value) or _assigned(value) or _named(key, value) or _random(value)


def _assigned(text: str) -> str | None:
    """`password=...` within a text. What is taken from elsewhere (a variable, a file) is no secret."""
    values = (match.group(1) for match in _ASSIGNMENT.finditer(text))
    return "assignment" if any(not _REFERENCE.match(value) for value in values) else None


def _named(key: str, value: str) -> str | None:
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-.: ]", "_", key).lower()
    if not _NAME.search(name) or _REFERENCE_NAME.search(name):
        return None
    plain = value.strip().lower()
    return None if plain in _EMPTY or _REFERENCE.match(plain) else "name"


def _random(value: str) -> str | None:
    if not _DENSE.fullmatch(value) or _HEX.fullmatch(value):
        return None
    kinds = (str.islower, str.isupper, str.isdigit)
    if not all(any(map(kind, value)) for kind in kinds):
        return None
    shares = [number / len(value) for number in Counter(value).values()]
    return "high-entropy" if -sum(share * math.log2(share) for share in shares) >= _BITS else None


class Look:
    """A look at everything one resource carries, and what it found."""

    def __init__(self) -> None:
        self._found: set[tuple[str, str, str]] = set()
        self.unseen: Unseen | None = None

    def blind(self, why: Unseen) -> None:
        """Something could not be looked at."""
        self.unseen = self.unseen or why

    def pairs(self, place: str, pairs: Iterable[tuple[object, object]]) -> None:
        """Look at keys and their values; what is no text is looked at as it would be written."""
        for key, value in pairs:
            self._note(place, str(key), "" if value is None else str(value))
            if (pattern := telltale(str(key)) or _assigned(str(key))) is not None:
                self._found.add((place, REDACTED, pattern))

    def words(self, place: str, words: Iterable[object]) -> None:
        """Look at tags, of which the whole may be the secret."""
        for word in map(str, words):
            for mark in ("=", ":"):
                key, found, value = word.partition(mark)
                # The padding of base64 parts nothing.
                if found and value.strip("= ") and not telltale(word):
                    self._note(place, key.strip(), value.strip())
                    break
            else:
                self._note(place, REDACTED, word)

    def user_data(self, encoded: str) -> None:
        """Look at what a server was given to start with: base64, often of a gzip file."""
        text, why = _decoded(encoded)
        if why is not None:
            self.blind(why)
        pattern = telltale(text) or _assigned(text)
        if pattern is not None:
            self._found.add(("user_data", "user_data", pattern))

    def _note(self, place: str, key: str, value: str) -> None:
        if len(value) > MOST:
            self.blind(Unseen(Reason.PARTIAL, "a value is too long to be looked at in whole"))
        pattern = pattern_of(key, value[:MOST])
        if pattern is not None:
            self._found.add((place, told(key), pattern))

    def result(self) -> Value:
        """What was found: place, key and pattern; known in part where something could not be looked at."""
        found = tuple(
            {"place": place, "key": key, "pattern": pattern} for place, key, pattern in sorted(self._found)
        )
        return found if self.unseen is None else Partial(found)


def _decoded(encoded: str) -> tuple[str, Unseen | None]:
    """User data as text, and why not all of it could be looked at."""
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raw = encoded.encode("utf-8", "replace")
    why: Unseen | None = None
    if raw[:2] == b"\x1f\x8b":
        unpack = zlib.decompressobj(wbits=31)
        try:
            raw = unpack.decompress(raw, MOST)
        except zlib.error:
            why = Unseen(Reason.INVALID_ANSWER, "the user data cannot be unpacked")
        if why is None and not unpack.eof:
            why = Unseen(Reason.PARTIAL, "the user data are too long or end too soon")
    text = raw[:MOST].decode("utf-8", "replace")
    if len(raw) > MOST:
        why = why or Unseen(Reason.PARTIAL, "the user data are too long to be looked at in whole")
    if "content-transfer-encoding: base64" in text.lower():
        why = why or Unseen(Reason.PARTIAL, "parts of the user data are encoded once more")
    return text, why
