"""Runs one of our rules. Owns how a rule's data becomes hits; knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from mhds.errors import ConfigurationError

from .base import IDENTIFIER, Hit, Rule
from .dedupe import without_contained
from .overapprox import overapproximate
from .prefilter import Gate

FLAGS = regex.DOTALL | regex.MULTILINE


class OwnRecogniser:
    """A rule, compiled. A canary that a pattern does not match refuses the rule."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.name = rule.name
        self.entity = rule.entity
        flags = FLAGS | (regex.IGNORECASE if rule.ignore_case else 0)
        self._patterns = [(p.name, regex.compile(p.regex, flags), p.score) for p in rule.patterns]
        self.gates: Sequence[Gate] = [self._gate(index) for index in range(len(rule.patterns))]

    def _gate(self, index: int) -> Gate:
        name, source, _, canary = self.rule.patterns[index]
        if not list(self._pattern_hits(canary, index, None)):
            raise ConfigurationError(f"Rule {self.name} / {name} does not find its own canary.")
        wide = overapproximate(source)
        return Gate(f"{self.name}/{name}", wide if self.rule.ignore_case else f"(?-i:{wide})", canary)

    def describe(self) -> str:
        rule = self.rule
        patterns = [tuple(p) for p in rule.patterns]
        return f"{rule.name} {rule.entity} {sorted(rule.languages)} {rule.ignore_case} {patterns} {rule.notes}"

    def find(self, text: str, fired: Sequence[int], timeout: float) -> list[Hit]:
        return without_contained(hit for index in fired for hit in self._pattern_hits(text, index, timeout))

    def _pattern_hits(self, text: str, index: int, timeout: float | None) -> Iterator[Hit]:
        name, compiled, score = self._patterns[index]
        group = IDENTIFIER if IDENTIFIER in compiled.groupindex else 0
        for match in compiled.finditer(text, timeout=timeout):
            value = match.group(group)
            if value and (self.rule.accept is None or self.rule.accept(value)):
                yield Hit(self.entity, self.name, name, score, match.start(group), match.end(group))
