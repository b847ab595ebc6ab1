"""The letters that the fonts inside typst have: what else stands in a name is spelled as its code point.

PDF/A and PDF/UA forbid a glyph that is missing, and an empty box tells nobody anything. Latin with all of
Vietnamese, Greek and Cyrillic are here; scripts that run from right to left are not, so that none can
turn a line around.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

MOST_SPELLED: Final = 16
"""Code points told of one run of letters that no font has."""
_RANGES: Final = (
    "20-7E A1-AC AE-1C3 1CD-1E3 1E6-1F0 1F4-1F6 1F8-21F 221 224-241 243-245 249 24C-24D 250-2AF 374-377 "
    "37A-37F 384-38A 38C 38E-3A1 3A3-3CE 3D0-3E1 3F0-45F 462-463 472-473 490-49B 4A2-4A5 4AA-4B3 "
    "4BA-4BB 4C0-4C4 4C7-4C8 4CB-4CC 4CF-4F9 510-511 51A-51D 1E00-1E9B 1E9E-1EF9 2010-2027 2030-2037 "
    "2039-203F 2042 2044-204B 204F 2070-2071 2074-208E 2090-209C 20A0-20B5 20B8-20BA 20BD 20BF "
    "2100-2103 2105-2106 2109 210C-210F 2111 2113 2115-2117 2119-211A 211C-211D 2120 2122 2124 "
    "2126-2127 212A-212B 212E 2135-2139 2148 2150-2151 2153-2184 2189 2190-2220 2223-222D 2234-223D "
    "2241-226B 226D-228B 228D-22A5 22AC 22B2-22B5 22B8 22C2-22C6 22CD-22D1 22DA-22ED 22EF 2300-2306 "
    "2308-2315 2318-2319 231C-2321 2325-232B 2335-237A 237D 2380-2383 2388-238B 2395 239B-23AE "
    "23CE-23CF 23D3 2500-2600 2605 2619 261B 261E 2627 262F 2638-2653 2660-2667 2669-266F 2695 2698 "
    "26A2-26A4 2767 27C2 27C5-27C6 27DC 27E0 27E6-27EB 27F5-27F7 FB01-FB02 FFFD "
)
"""Of Libertinus Serif with DejaVu Sans Mono behind it, in every style of both. A test sets them all."""


@cache
def characters() -> frozenset[str]:
    """Every letter that can be set."""
    ends = (part.partition("-") for part in _RANGES.split())
    return frozenset(
        chr(code) for first, _, last in ends for code in range(int(first, 16), int(last or first, 16) + 1)
    )


@cache
def _strangers() -> re.Pattern[str]:
    ends = (part.partition("-") for part in _RANGES.split())
    inside = "".join(f"\\u{int(a, 16):04x}-\\u{int(b or a, 16):04x}" for a, _, b in ends)
    return re.compile(f"[^{inside}]+")


def known(character: str) -> bool:
    return character in characters()


def spelled(run: str) -> str:
    """Letters by their code points: `[U+4E2D U+6587]`."""
    points = " ".join(f"U+{ord(character):04X}" for character in run[:MOST_SPELLED])
    return f"[{points} …]" if len(run) > MOST_SPELLED else f"[{points}]"


@lru_cache(maxsize=8192)
def shown(text: str) -> str:
    """A text with every letter that no font has spelled as its code point."""
    if text.isascii() and text.isprintable():
        return text
    return _strangers().sub(lambda run: spelled(run[0]), text)
