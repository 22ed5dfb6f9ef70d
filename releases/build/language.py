"""Which language a conversation is in, offline and the same everywhere. Knows text, no catalog and no policy.

The script decides where it can, py3langid where it must. Nothing is restricted to the languages of a catalog: one that
nobody expects must surface.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Protocol

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from releases.build.types import Messages

UNDETERMINED = "und"
#: Characters that are looked at, from the start of the user's and the assistant's turns in order.
LOOKED_AT = 1000
#: Letters below which a text says nothing about its language.
MIN_LETTERS = 12
#: Basis points of the normalised probability below which an answer counts as none.
FLOOR_BP = 5000

_LETTER = re.compile(r"[^\W\d_]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_KANA = re.compile("[\u3041-\u309f\u30a1-\u30fa\u30fd-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7a3\u1100-\u11ff]")
# Code, links and placeholders are no language.
_NOISE = re.compile(r"https?://\S+|`[^`\n]*`|\[[A-Z_]+_[0-9]+\]|<[^>\n]{1,40}>")


class _Identifier(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


class Py3LangidDetector:
    """``detect`` gives (ISO 639-1 code or ``und``, confidence in basis points)."""

    name = "py3langid"

    def __init__(self) -> None:
        self.version = f"{version('py3langid')}+floor{FLOOR_BP}.letters{MIN_LETTERS}.chars{LOOKED_AT}"
        self._identifier: _Identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def detect(self, messages: Messages) -> tuple[str, int]:
        text = _sample(messages)
        letters = len(_LETTER.findall(text))
        by_script = _by_script(text, letters)
        if by_script is not None:
            return by_script
        if letters < MIN_LETTERS:
            return UNDETERMINED, 0
        code, probability = self._identifier.classify(text)
        confidence = min(10_000, round(float(probability) * 10_000))
        return (code, confidence) if confidence >= FLOOR_BP else (UNDETERMINED, confidence)


def _sample(messages: Messages) -> str:
    parts: list[str] = []
    room = LOOKED_AT
    for role, content in messages:
        if role != "system" and room > 0:
            parts.append(content[:room])
            room -= len(parts[-1])
    return _NOISE.sub(" ", "\n".join(parts))


def _by_script(text: str, letters: int) -> tuple[str, int] | None:
    """Han without Kana is Chinese, with it Japanese, Hangul is Korean; only where most letters are such characters."""
    if text.isascii():
        return None
    han, kana, hangul = (len(script.findall(text)) for script in (_HAN, _KANA, _HANGUL))
    if not letters or 2 * (han + kana + hangul) < letters or han + kana + hangul < 2:
        return None
    share = round(10_000 * (han + kana + hangul) / letters)
    if hangul > han + kana:
        return "ko", share
    return ("ja" if 10 * kana > han + kana else "zh"), share
