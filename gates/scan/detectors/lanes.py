"""Which recognisers run for a language, and on what. Owns the two lanes of Chinese; knows no view and no message.

English runs everything on the text itself. In Chinese text Presidio's patterns would never meet a word boundary (a
Chinese character is a word character to them), so they run on a copy in which such characters are spaces: same length,
same offsets.
"""

from __future__ import annotations

from typing import Any

import regex

from .base import Hit, Recogniser
from .calibrate import basis_points
from .context import ContextBooster
from .crisis_lines import CrisisLines
from .dedupe import without_contained
from .engine import Engine
from .own import OwnRecogniser
from .rules import RULES
from .stock import has_known_suffix, recognizers, wrap

LANGUAGES = ("en", "zh")
_WIDE = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\u2014\u2018-\u201d\u2026]"
)


class Lane:
    """The recognisers of one language."""

    def __init__(self, language: str, lines: CrisisLines, timeout: float) -> None:
        presidio: Any = recognizers(language)
        stock: list[Recogniser] = [wrap(recogniser) for recogniser in presidio]
        own: list[Recogniser] = [OwnRecogniser(rule) for rule in RULES if language in rule.languages]
        boost = ContextBooster({recogniser.name: recogniser for recogniser in presidio}).boost
        self._lines = lines
        self._masked = Engine(stock, boost, timeout) if language == "zh" else None
        self._plain = Engine(own if self._masked else [*stock, *own], boost, timeout)

    def describe(self) -> list[str]:
        return [*self._plain.describe(), *(self._masked.describe() if self._masked else ())]

    def may_hold(self, text: str) -> bool:
        """False proves that ``found`` of the text, and of each of its lines, is empty."""
        return self._plain.may_hold(text) or (self._masked is not None and self._masked.may_hold(_masked(text)))

    def found(self, text: str) -> list[tuple[Hit, int]]:
        """Hits with their calibrated score in basis points, best first; public crisis lines are no hits."""
        hits = self._plain.hits(text)
        if self._masked is not None:
            hits = without_contained([*hits, *self._masked.hits(_masked(text))])
        scored = ((hit, basis_points(hit, text, self._lines, has_known_suffix)) for hit in hits)
        return [(hit, score) for hit, score in scored if score is not None]


def _masked(text: str) -> str:
    return str(_WIDE.sub(" ", text))
