"""What every recogniser is made of: patterns with scores, a context, a validator. Owns shapes only; runs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from .prefilter import Gate

IDENTIFIER = "v"  # a pattern's named group: the identifier without its cue ("my name is" stays in the text)


class Hit(NamedTuple):
    """One finding in one text. ``score`` is 0..1 as Presidio counts; ``pattern`` names what matched."""

    entity: str
    rule: str
    pattern: str
    score: float
    start: int
    end: int


class RulePattern(NamedTuple):
    """``canary`` is a text that the pattern must match; checked whenever a detector is built."""

    name: str
    regex: str
    score: float
    canary: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A recogniser of ours: the same parts as a Presidio PatternRecognizer, as plain data.

    Only the group ``v`` of a pattern, where it has one, is the identifier. ``accept`` sees that text and may refuse it.
    """

    entity: str
    name: str
    languages: frozenset[str]
    patterns: tuple[RulePattern, ...]
    accept: Callable[[str], bool] | None = None
    ignore_case: bool = True
    notes: tuple[str, ...] = field(default=())  # constants that decide results beside the patterns: part of the version


class Recogniser(Protocol):
    """What the engine runs: it offers prefilter gates and, for those that fired, finds hits."""

    name: str
    entity: str
    gates: Sequence[Gate]

    def find(self, text: str, fired: Sequence[int], timeout: float) -> list[Hit]:
        """``fired`` holds indexes into ``gates``; ``timeout`` is seconds per pattern; raises TimeoutError when over."""
        ...

    def describe(self) -> str:
        """Everything that decides what it finds, as text: digested into the detector's version."""
        ...
