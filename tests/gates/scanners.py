"""Small working components behind the ports of the scan: enough to see what the scan does with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gates.scan.scan import Scanner
from gates.scan.tokens import TiktokenTokenizer
from gates.scan.types import Span
from mhds.errors import DetectorFailed
from releases.build.types import Messages

_DIGITS = re.compile(r"\d{3}-\d{4}")
_HAN = re.compile("[\u4e00-\u9fff]")


class DigitsDetector:
    """Finds ``555-1234``; fails on a message that holds ``TIMEOUT``, as a real one does when its time is up."""

    name = "digits"
    version = "1"
    languages = frozenset({"en"})

    def __init__(self) -> None:
        self.texts = 0

    def detect(self, messages: Messages, language: str) -> Sequence[Span]:
        assert language in self.languages
        self.texts += 1
        if any("TIMEOUT" in content for _, content in messages):
            raise DetectorFailed("digits ran out of time", hint="Exclude the record.")
        spans = [
            Span("PHONE", "digits", 9_000, turn, m.start(), m.end(), "raw")
            for turn, (_, content) in enumerate(messages)
            for m in _DIGITS.finditer(content)
        ]
        return spans[::-1]  # the order of findings is the scan's affair


class ScriptLanguage:
    """Han characters mean ``zh``, anything else ``en``."""

    name = "script"
    version = "1"

    def detect(self, messages: Messages) -> tuple[str, int]:
        return ("zh" if any(_HAN.search(content) for _, content in messages) else "en"), 10_000


def tags(messages: Messages, language: str) -> tuple[str, ...]:
    return ("sleep",) if any("sleep" in content for _, content in messages) else ()


def scanner(**other: Any) -> Scanner:
    parts: dict[str, Any] = {
        "detector": DigitsDetector(),
        "tokenizer": TiktokenTokenizer("cl100k_base"),
        "language": ScriptLanguage(),
        "tags": tags,
        "tags_version": "1",
    }
    return Scanner(**(parts | other))
