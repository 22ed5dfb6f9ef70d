"""What the tests of detection share: making conversations and reading findings. No test lives here."""

from __future__ import annotations

from collections.abc import Sequence

from gates.scan.detectors import default_detector
from gates.scan.types import Span
from releases.build.types import Message, Messages

THRESHOLD_BP = 4000


def conversation(*texts: str) -> Messages:
    return tuple(Message("assistant" if turn % 2 else "user", text) for turn, text in enumerate(texts))


def spans_of(*texts: str, language: str = "en") -> Sequence[Span]:
    return default_detector().detect(conversation(*texts), language)


def sure(*texts: str, language: str = "en") -> set[tuple[str, str]]:
    """(entity, raw text) of every finding at or over the usual threshold."""
    spans = spans_of(*texts, language=language)
    return {(s.entity, texts[s.turn][s.start : s.end]) for s in spans if s.score_bp >= THRESHOLD_BP}
