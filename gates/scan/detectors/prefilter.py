"""The exact prefilter: one RE2 set that says, in one pass, which patterns can match a text. Knows no recogniser.

Exact means never fewer: it may name a pattern that finds nothing, never miss one that would. A pattern that does not
compile, or a canary that is not reported, refuses the whole set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import re2

from mhds.errors import ConfigurationError, DetectorFailed

MAX_MEMORY = 64 << 20  # bytes for the automaton of one group
# `regex` lets U+0130 match i under IGNORECASE, RE2 does not.
_DOTTED_I = "\u0130"


class Gate(NamedTuple):
    """``re2`` is an over-approximated pattern, ``canary`` a text in which it must be reported."""

    name: str
    re2: str
    canary: str


class Prefilter:
    """Immutable after construction; safe to share between threads."""

    def __init__(self, groups: Sequence[Sequence[Gate]]) -> None:
        """``groups`` become one automaton each: they decide speed, never results. Gates are numbered in order."""
        self._sets: list[tuple[int, re2.Set]] = []
        first = 0
        for gates in groups:
            self._sets.append((first, _compiled(gates)))
            first += len(gates)
        for index, gate in enumerate(gate for gates in groups for gate in gates):
            if index not in self.fired(gate.canary):
                raise ConfigurationError(f"Prefilter lost the canary of pattern {gate.name}: no text may be scanned.")

    def fired(self, text: str) -> list[int]:
        """Numbers of the gates that may match in ``text``; RE2 answers None for none."""
        if _DOTTED_I in text:
            text = text.replace(_DOTTED_I, "i")
        try:
            data = text.encode()
        except UnicodeEncodeError:
            raise DetectorFailed("Text holds a lone surrogate and cannot be scanned.") from None
        return [first + index for first, gates in self._sets for index in gates.Match(data) or ()]


def _compiled(gates: Sequence[Gate]) -> re2.Set:
    options = re2.Options()
    options.dot_nl = True
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    compiled = re2.Set.SearchSet(options)
    for index, gate in enumerate(gates):
        try:
            position = compiled.Add(gate.re2)
        except re2.error:
            raise ConfigurationError(f"Prefilter pattern {gate.name} does not compile in RE2.") from None
        if position != index:
            raise ConfigurationError(f"Prefilter pattern {gate.name} was not accepted by RE2.")
    compiled.Compile()
    return compiled
