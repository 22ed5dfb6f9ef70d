"""Ages over 89. HIPAA 164.514(b)(2)(i)(C): they are identifiers, lower ages are not."""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import EN

_AGE = r"(?P<v>9\d|1[01]\d)"

RULE = Rule(
    entity="AGE_OVER_89",
    name="AgeRule",
    languages=EN,
    patterns=(
        RulePattern(
            "years old", rf"(?<![\w.-]){_AGE}[\s-]*(?:years?|yrs?|y)[\s/-]*(?:old|of\s+age|o\b)", 0.7, "93 years old"
        ),
        RulePattern(
            "by cue",
            rf"\b(?:aged?|age\s+of|turned|turning|turns)\s+(?:is\s+)?{_AGE}(?![\w%.,]*\d)(?!\s*%)\b",
            0.6,
            "aged 92",
        ),
    ),
)
