"""Telephone numbers by shape or cue that phonenumbers does not know as valid: mistyped, foreign, local."""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import BOTH, digits

MIN_DIGITS = 7
MAX_DIGITS = 15
_SEP = r"[ .\-/\u2010-\u2015]"
_CUE = (
    r"\b(?:phone|telephone|tel|mobile|cell(?:phone)?|fax|whatsapp|my\s+number|contact\s+number|"
    r"(?:call|text|reach|ring)\s+(?:me|him|her|us|them))\b"
)
_NUMBER = rf"\(?\+?\d{{1,4}}\)?(?:{_SEP}{{1,2}}\(?\d{{1,5}}\)?){{1,5}}|\d{{7,12}}"


def _is_long_enough(value: str) -> bool:
    return MIN_DIGITS <= len(digits(value)) <= MAX_DIGITS


RULE = Rule(
    entity="PHONE_NUMBER",
    name="PhoneShapeRule",
    languages=BOTH,
    patterns=(
        RulePattern(
            "international",
            rf"(?<![\w+])(?P<v>\+\d{{1,3}}(?:{_SEP}?\(?\d{{1,5}}\)?){{2,6}})(?!\d)",
            0.6,
            "+41 (0)96 471 07 95",
        ),
        RulePattern(
            "three, three, four",
            r"(?<![\w+.-])(?P<v>(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?:\s?x\d{1,6})?)(?![\w.-]*\d)",
            0.5,
            "345-899-3560x4587",
        ),
        RulePattern(
            "by cue",
            rf"{_CUE}(?:[^\w\n]|\b(?:number|no|is|was|on|at|line|me|num|it|s)\b){{0,8}}(?<![\w.])(?P<v>{_NUMBER})(?![\w%]|[.,:]\d|-[A-Za-z]{{3}})",
            0.5,
            "my phone number is 467 3395",
        ),
    ),
    accept=_is_long_enough,
    notes=(str(MIN_DIGITS), str(MAX_DIGITS)),
)
