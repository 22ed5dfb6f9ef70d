"""The one normal form of text and the one meaning of "word". Knows neither records nor files."""

from __future__ import annotations

import re
import unicodedata

# Invisible by default (soft hyphen, joiners, bidi controls, variation selectors, tags): they change no reading of a
# text, so they must not change its hash.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)

# Scripts written without spaces: Han, Kana, Thai, Lao, Khmer, Myanmar (Unicode blocks; `re` has no \p{Script}).
_HAN = "\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_KANA = "\u3041-\u309f\u30a1-\u30ff\u31f0-\u31ff\uff66-\uff9f\U0001aff0-\U0001b16f"
_SOUTH_EAST = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\ua9e0-\ua9ff\uaa60-\uaa7f"
_UNSPACED = _HAN + _KANA + _SOUTH_EAST
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


def normalise(text: str) -> str:
    """What hashes and shingles see: invisible characters gone, NFKC, case folded, one space for a run of white space.

    NFKC and not NFC, because full-width and ligature forms of the same words must meet as the same words. NFKC runs
    again after folding, which may undo it.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    visible = _INVISIBLE.sub("", text)
    if not unicodedata.is_normalized("NFKC", visible):  # most text is, and the check costs far less than the work
        visible = _INVISIBLE.sub("", unicodedata.normalize("NFKC", visible))
    folded = visible.casefold()
    if not unicodedata.is_normalized("NFKC", folded):
        folded = unicodedata.normalize("NFKC", folded)
    return " ".join(folded.split())


def words(text: str) -> list[str]:
    """Words in reading order: a run between white space; in scripts without spaces each character is one."""
    if text.isascii():
        return text.split()
    return _WORD.findall(text)
