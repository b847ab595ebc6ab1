"""Details in both languages: why a fact is not known, and why a list proves that there is nothing.

Collectors and derivations write them in English with what a cloud said inside, and snapshots keep them
so: evidence has one wording, whatever language a report is read in, and an old snapshot gets new words.
Here a detail is taken apart again by the sentences of reports/details.yaml. What fits none of them, as
that of a package of others, stands in Vietnamese as a quotation: no sentence is of two languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from cloudaudit import data
from cloudaudit.errors import CatalogError
from cloudaudit.model import Text
from cloudaudit.reporters.words import clean, labels, same
from cloudaudit.yamlsource import load

MOST_TEXT: Final = 4000
"""Longest detail that is taken apart; ours are far shorter."""
_DEEPEST: Final = 5
_MOST_TRIES: Final = 4
"""Places that are tried for one piece of a sentence: what is quoted may have the same words in it."""
_MOST_JOINED: Final = 40
_MOST_READ: Final = 300
"""Pieces of one detail that are held against the sentences, some tenth of a millisecond each. Our own take
a few dozen; a cloud may say what is made of our words over and over."""
_JOINT: Final = "; "
_SLOT: Final = re.compile(r"\{([a-z_]+)(?::(number|word|list|text))?\}")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?", re.ASCII)
_WORD: Final = re.compile(r"\S+")
_LIST: Final = re.compile(r"\S+(?:(?:,| and| or) \S+)*")
_QUOTE: Final = re.compile(r"(?<![A-Za-z])'|'(?![A-Za-z])")
"""Begin or end of what is quoted, and no apostrophe."""
_BETWEEN: Final = re.compile(r",? and | or |, ")


@dataclass(frozen=True, slots=True)
class _Sentence:
    """One sentence: the English words around its slots, the slots with their kinds, and the Vietnamese."""

    around: tuple[str, ...]
    slots: tuple[tuple[str, str], ...]
    vi: str

    @property
    def rank(self) -> tuple[int, int]:
        """The sentence with more words of its own goes first, then the one that takes less for granted."""
        return -sum(map(len, self.around)), sum(not kind for _, kind in self.slots)

    def read(self, detail: str, depth: int, reading: _Reading) -> Mapping[str, Text] | None:
        """What stands in the slots of a detail, or None if it is not this sentence."""
        first, last = self.around[0], self.around[-1]
        if not self.slots:
            return {} if detail == first else None
        end = len(detail) - len(last)
        if not detail.startswith(first) or not detail.endswith(last) or end < len(first):
            return None
        return self._fill(detail, len(first), end, 0, depth, reading)

    def _fill(
        self, detail: str, start: int, end: int, number: int, depth: int, reading: _Reading
    ) -> dict[str, Text] | None:
        name, kind = self.slots[number]
        if number == len(self.slots) - 1:
            last = _taken(kind, detail[start:end], depth, reading)
            return None if last is None else {name: last}
        piece, at = self.around[number + 1], start
        for _ in range(_MOST_TRIES):
            at = detail.find(piece, at, end)
            if at < 0:
                break
            value = _taken(kind, detail[start:at], depth, reading)
            rest = value and self._fill(detail, at + len(piece), end, number + 1, depth, reading)
            if value and rest:
                return {name: value, **rest}
            at += 1
        return None

    def worded(self, values: Mapping[str, Text]) -> str:
        return _SLOT.sub(lambda slot: values[slot[1]].vi, self.vi)


def _taken(kind: str, value: str, depth: int, reading: _Reading) -> Text | None:
    """What a slot of some kind makes of a piece of a detail; None if it does not take it."""
    match kind:
        case "number":
            return Text(value.replace(".", ","), value) if _NUMBER.fullmatch(value) else None
        case "word":
            return same(value) if _WORD.fullmatch(value) else None
        case "list":
            return Text(_BETWEEN.sub(", ", value), value) if _LIST.fullmatch(value) else None
        case "text":
            return same(value) if value.isdecimal() else reading.worded(value, depth + 1)
        case _:
            return same(value)


@cache
def _sentences() -> tuple[tuple[_Sentence, ...], tuple[_Sentence, ...]]:
    """Sentences that stand alone, and with them the parts that stand within others."""
    source = load(data.folder("reports") / "details.yaml").value
    alone = [_sentence(entry) for entry in source["sentences"]]
    parts = [_sentence(entry) for entry in source["parts"]]
    return tuple(sorted(alone, key=lambda s: s.rank)), tuple(sorted([*alone, *parts], key=lambda s: s.rank))


def _sentence(entry: Mapping[str, Any]) -> _Sentence:
    slots = tuple((slot[1], slot[2] or "") for slot in _SLOT.finditer(entry["en"]))
    named = {slot[1] for slot in _SLOT.finditer(entry["vi"])}
    if named != {name for name, _ in slots}:
        raise CatalogError(
            f"details.yaml: the slots of '{entry['en']}' are not those of its Vietnamese",
            hint="install cloudaudit again",
        )
    around = _SLOT.sub("\0", entry["en"]).split("\0")
    return _Sentence(tuple(around), slots, entry["vi"])


class _Reading:
    """One detail on its way to its sentences. What it comes to does not depend on what was read before."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Text | None] = {}
        self._left = _MOST_READ

    def worded(self, detail: str, depth: int) -> Text | None:
        """A piece by the sentence it is, or by those that it is joined of; None where there is none."""
        if depth > _DEEPEST:
            return None
        if (detail, depth) not in self._known:
            self._known[detail, depth] = self._by_sentences(detail, depth)
        return self._known[detail, depth]

    def _by_sentences(self, detail: str, depth: int) -> Text | None:
        if _JOINT in detail and (joined := self._joined(detail.split(_JOINT), depth)):
            return Text(joined, detail)
        found = self._one_of(_sentences()[depth > 0], detail, depth)
        return None if found is None else Text(found, detail)

    def _joined(self, pieces: list[str], depth: int) -> str | None:
        """Several sentences, each of one or more pieces: some have a joint of their own."""
        if len(pieces) > _MOST_JOINED:
            return None
        ends: dict[int, str] = {len(pieces): ""}
        for start in range(len(pieces) - 1, -1, -1):
            for end in range(start + 1, len(pieces) + 1):
                if end - start == len(pieces) or end not in ends:
                    continue
                found = self._alone(_JOINT.join(pieces[start:end]), depth)
                if found is not None:
                    ends[start] = found + (_JOINT + ends[end] if ends[end] else "")
                    break
        return ends.get(0)

    def _alone(self, detail: str, depth: int) -> str | None:
        if len(_QUOTE.findall(detail)) % 2:
            # The joint was in what a cloud said.
            return None
        return self._one_of(_sentences()[0], detail, depth)

    def _one_of(self, sentences: tuple[_Sentence, ...], detail: str, depth: int) -> str | None:
        self._left -= 1
        for sentence in sentences if self._left >= 0 else ():
            values = sentence.read(detail, depth, self)
            if values is not None:
                return sentence.worded(values)
        return None


@lru_cache(maxsize=8192)
def _worded(detail: str) -> Text | None:
    return _Reading().worded(detail, 0) if len(detail) <= MOST_TEXT else None


def told(detail: str) -> Text:
    """A detail in both languages, clean. What no sentence of ours fits is quoted in Vietnamese as it is."""
    found = _worded(detail)
    if found is not None:
        return Text(clean(found.vi), clean(found.en))
    said = clean(detail)
    return same(said) if not _has_words(said) else labels()("word.as_recorded", text=Text(said, said))


def of(record: Mapping[str, Any]) -> Text | None:
    """The detail of a finding or a gap of report.json, if it has one."""
    return told(record["detail"]) if record["detail"] else None


def is_worded(detail: str) -> bool:
    """Whether a detail has its own Vietnamese, or needs none."""
    return not _has_words(detail) or _worded(detail) is not None


def _has_words(detail: str) -> bool:
    return " " in detail.strip()


def written() -> Iterator[str]:
    """The English of every sentence and part, slots and all."""
    for sentence in _sentences()[1]:
        slots = (f"{{{name}:{kind}}}" if kind else f"{{{name}}}" for name, kind in sentence.slots)
        yield "".join(part for pair in zip(sentence.around, (*slots, ""), strict=True) for part in pair)
