"""Dates written in words, and any date after a cue of birth. HIPAA 164.514(b)(2)(i)(C): all elements but the year.

"March 3rd" alone stays under the usual threshold, "2019" and "last Monday" are not looked for: a year is no identifier,
and relative dates carry the clinical story.
"""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import EN

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:(?:19|20)\d\d)"
_NUMERIC = r"(?:\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})|\d{4}[/.-]\d{1,2}[/.-]\d{1,2}|\d{1,2}/\d{1,2})"
_IN_WORDS = rf"(?:{_MONTH}\s+{_DAY}(?:,?\s+{_YEAR})?|{_DAY}\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?)"
_CUE = (
    r"\b(?:born(?:\s+on)?|date\s+of\s+birth|d\.?o\.?b\.?|birth\s?date|"
    r"birthday|b-?day)(?:\s+(?:is|was|on|falls\s+on)|\s*[:=])*\s*(?:the\s+)?"
)

CUED = Rule(
    entity="DATE_OF_BIRTH",
    name="BirthDateRule",
    languages=EN,
    patterns=(
        RulePattern("cue", rf"{_CUE}(?P<v>{_NUMERIC}|{_IN_WORDS})(?!\w)", 0.85, "born on March 3rd, 1990"),
        RulePattern(
            "month and year", rf"{_CUE}(?:in\s+)?(?P<v>{_MONTH}\s+(?:of\s+)?{_YEAR})(?!\w)", 0.6, "born in May 1990"
        ),
    ),
)

LONG = Rule(
    entity="DATE_TIME",
    name="LongDateRule",
    languages=EN,
    patterns=(
        RulePattern("month day year", rf"\b{_MONTH}\s+{_DAY},?\s+{_YEAR}\b", 0.6, "March 3rd, 1990"),
        RulePattern("day month year", rf"\b{_DAY}\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}\b", 0.6, "3 March 1990"),
        RulePattern("day without year", rf"\b(?:{_MONTH}\s+{_DAY}|{_DAY}\s+(?:of\s+)?{_MONTH})\b", 0.3, "March 3rd"),
    ),
)
