"""The ports of the scan: what a detector, tokenizer and fingerprinter must offer. Knows no implementation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from releases.build.types import Messages


@dataclass(frozen=True, slots=True)
class Span:
    """An identifier found in one message. Offsets are characters of that message's raw content, end exclusive.

    ``turn`` is -1 only where a finding exists solely in the view joined across turns and maps into no one message.
    """

    entity: str
    rule: str
    score_bp: int
    turn: int
    start: int
    end: int
    view: str


class PiiDetector(Protocol):
    """Finds identifiers. ``detect`` raises ``DetectorFailed`` on a timeout or crash: never an empty answer."""

    name: str
    version: str
    languages: frozenset[str]

    def detect(self, messages: Messages, language: str) -> Sequence[Span]: ...


class Tokenizer(Protocol):
    name: str
    version: str

    def count(self, text: str) -> int: ...
