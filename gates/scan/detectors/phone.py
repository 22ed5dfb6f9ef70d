"""Presidio's phone recogniser behind a gate of its own: phonenumbers runs only near digits. Knows no other recogniser.

The matcher never crosses a line end and needs five digits with at most four characters of punctuation between
neighbours, so lines without such a run cannot hold a number, and the text far before and after one cannot change it.
"""

from __future__ import annotations

from collections.abc import Sequence

import phonenumbers
import regex

from mhds.errors import DetectorFailed

from .base import Hit
from .overapprox import DIGIT
from .prefilter import Gate

MIN_DIGITS = 5
SCORE = 0.4  # PhoneRecognizer.SCORE, checked against the class when it is wrapped
_BETWEEN = r"(?:[^\p{L}0-9\n]|[xX\x{ff38}\x{ff58}]){0,4}"  # may take digits of other scripts too: wider is safe
GATE = Gate("PhoneRecognizer", rf"[{DIGIT}](?:{_BETWEEN}[{DIGIT}]){{4}}", "call 415-555-0132")
_RUN = regex.compile(r"\d(?:(?:[^\p{L}\d\n]|[xX\uff38\uff58]){0,4}\d){4,}")
BEFORE, AFTER = 16, 48  # room for the lead "+((" and one character before it, and for an extension after the digits


class PhoneFinder:
    """``regions`` are ISO 3166 codes (Presidio's default "UK" and "FE" are none and find nothing nationally)."""

    entity = "PHONE_NUMBER"

    def __init__(self, name: str, regions: Sequence[str], leniency: int) -> None:
        self.name = name
        self.regions = tuple(regions)
        self.leniency = leniency
        self.gates: Sequence[Gate] = (GATE,)

    def describe(self) -> str:
        return f"{self.name} {self.regions} {self.leniency} {GATE.re2} {SCORE}"

    def find(self, text: str, fired: Sequence[int], timeout: float) -> list[Hit]:
        spans: set[tuple[int, int]] = set()
        for start, end in self._windows(text, timeout) if fired else ():
            spans.update(self._numbers(text[start:end], start))
        return [Hit(self.entity, self.name, "phonenumbers", SCORE, *span) for span in spans]

    def _windows(self, text: str, timeout: float) -> list[tuple[int, int]]:
        """Slices of lines that may hold a number; neighbours that touch are joined."""
        found: list[tuple[int, int]] = []
        for run in _RUN.finditer(text, timeout=timeout):
            start = max(text.rfind("\n", 0, run.start()) + 1, run.start() - BEFORE)
            line_end = text.find("\n", run.end())
            end = min(line_end if line_end >= 0 else len(text), run.end() + AFTER)
            if found and start <= found[-1][1]:
                start = found.pop()[0]
            found.append((start, end))
        return found

    def _numbers(self, text: str, offset: int) -> set[tuple[int, int]]:
        tries = 8 * len(text) + 64  # the matcher stops in silence when its tries are used up: give more than it can use
        found: set[tuple[int, int]] = set()
        try:
            for region in self.regions:
                matcher = phonenumbers.PhoneNumberMatcher(text, region, leniency=self.leniency, max_tries=tries)
                found.update((offset + match.start, offset + match.end) for match in matcher)
        except (ValueError, IndexError, RecursionError):
            raise DetectorFailed("The phone matcher crashed on a text.") from None
        return found
