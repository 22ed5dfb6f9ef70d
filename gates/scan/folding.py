"""Folds a text to the form in which identifiers are written plainly, with the way back. Owns characters; knows no
identifier.

NFKC, format characters and stray combining marks removed, letters of other scripts that look Latin made Latin, digits
of every script made ASCII, every dash "-" and every space " ". Texts where none of this could matter are recognised by
their distinct characters and come back as they are.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

_OUTSIDE_ASCII = re.compile(r"[^\x00-\x7f]+")
FOLDING_VERSION = "1"  # raise it with any change of what a text folds to

# Letters outside Latin that are drawn like Latin ones (written by hand, after the idea of UTS #39's skeletons).
_CYRILLIC = "АВЕЅІЈКМНОРСТУХаеѕіјкморсухһԁԛԝьвнтгпиԌԍ", "ABESIJKMHOPCTYXaesijkmopcyxhdqwbbhtrnuGg"
_GREEK = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεινοκρτυχγωϲϳ", "ABEZHIKMNOPTYXaeivokptuxywcj"
_ARMENIAN = "ՍՕԼոսօհցզքԱ", "UOLnuohgqpU"
_LATIN = "ıɑɡıʟɴᴏᴄᴠᴡᴢꜱƖǀℓ∣оߊ‚", "iagiLnocvwzsllllo1,"
CONFUSABLES: dict[str, str] = {
    source: target for table in (_CYRILLIC, _GREEK, _ARMENIAN, _LATIN) for source, target in zip(*table, strict=True)
}
_DASHES = frozenset("\u2212\u02d7\u207b\u208b\u23af\u2500\u30fc\u2043\u1806")
_DOTS = {"\u3002": "。", "\uff61": "。", "\u2024": ".", "\u2027": ".", "\u00b7": "."}


class Folded(NamedTuple):
    """``starts[i]`` and ``ends[i]`` bound the characters of the raw text that became character ``i``."""

    text: str
    starts: list[int]
    ends: list[int]

    def raw_span(self, start: int, end: int) -> tuple[int, int]:
        return self.starts[start], self.ends[end - 1]


def fold(text: str) -> Folded | None:
    """The folded text, or None where it would hold no other identifiers than the text itself."""
    if text.isascii() or not _may_fold(text):
        return None
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at, size = 0, len(text)
    while at < size:
        stop = at + 1
        while stop < size and _is_mark(text[stop]):
            stop += 1
        for char in _cluster(text[at:stop]):
            chars.append(char)
            starts.append(at)
            ends.append(stop)
        at = stop
    return Folded("".join(chars), starts, ends)


@lru_cache(maxsize=1 << 15)  # bounded: clusters are pieces of text
def _cluster(cluster: str) -> str:
    """A base character with its marks, folded; marks that no composed letter absorbs are dropped with zalgo text."""
    if len(cluster) == 1 and cluster.isascii():
        return cluster
    composed = unicodedata.normalize("NFKC", "".join(_letter(char) for char in cluster if not is_removable(char)))
    return "".join(_letter(char) for char in composed if not _is_mark(char) and not is_removable(char))


@cache
def _is_mark(char: str) -> bool:
    return not char.isascii() and unicodedata.category(char) in ("Mn", "Me")


def _letter(char: str) -> str:
    if char.isascii():
        return char
    if char in CONFUSABLES:
        return CONFUSABLES[char]
    if char in _DOTS:
        return _DOTS[char]
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category == "Pd" or char in _DASHES:
        return "-"
    return " " if category == "Zs" else char


@cache
def is_removable(char: str) -> bool:
    """Characters that are not drawn: format characters, variation selectors, tag characters, fillers."""
    code = ord(char)
    return (
        unicodedata.category(char) == "Cf"
        or code in (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x2800)
        or 0x180B <= code <= 0x180F
        or 0xFE00 <= code <= 0xFE0F
        or 0xE0000 <= code <= 0xE01EF
    )


STRONG, VANISHING, SEPARATING = "strong", "vanishing", "separating"


def _may_fold(text: str) -> bool:
    """Whether folding can matter: by its distinct characters first, then by where the weaker ones stand."""
    kinds = {kind for char in set(text) if not char.isascii() and (kind := _kind(char))}
    return STRONG in kinds or (bool(kinds) and _between_plain(text))


@cache
def _kind(char: str) -> str:
    """What a character outside ASCII can do to an identifier; "" for nothing, as nearly all."""
    if is_removable(char):
        return VANISHING
    folded = _cluster(char)
    if _is_mark(char) or any(c.isascii() and (c.isalnum() or c == "@") for c in folded):
        return STRONG
    return SEPARATING if any(c in "-+.()/:_# " for c in folded) else ""


def _between_plain(text: str) -> bool:
    """Whether a character vanishes inside a word or separates digits; a run of such counts as one."""
    return any(_matters(run, text) for run in _OUTSIDE_ASCII.finditer(text))


def _matters(run: re.Match[str], text: str) -> bool:
    kinds = {_kind(char) for char in run.group()}
    before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
    if VANISHING in kinds and _is_plain(before) and _is_plain(after):
        return True
    return SEPARATING in kinds and (before.isdigit() or after.isdigit() or "\uff0e" in run.group())


def _is_plain(char: str) -> bool:
    return char.isascii() and (char.isalnum() or (char in "@.+-()_" and bool(char)))
