"""Pairs of coordinates precise enough to name a house (four or more decimals: 11 metres). HIPAA (B)."""

from __future__ import annotations

import regex

from gates.scan.detectors.base import Rule, RulePattern

from .common import BOTH

_DECIMAL = (
    r"(?<![\w.])[-+]?(?:[1-8]?\d|90)\.\d{4,}°?\s?[NS]?\s*[,;/ ]\s*[-+]?(?:1[0-7]\d|"
    r"180|\d{1,2})\.\d{4,}°?\s?[EW]?(?![\w.]*\d)"
)
_SEXAGESIMAL = (
    r"\d{1,2}°\s?\d{1,2}['′]\s?[\d.]{1,7}[\"″]?\s?[NS][,\s]{1,3}\d{1,3}°\s?\d{1,2}['′]\s?[\d.]{1,7}[\"″]?\s?[EW]"
)


def _is_on_earth(value: str) -> bool:
    """A pair of small fractions is a pair of measurements, and a point in the sea off Ghana."""
    return any(float(number) >= 1 for number in regex.findall(r"[\d.]*\d", value))


RULE = Rule(
    entity="GPS_COORDINATES",
    name="GpsRule",
    languages=BOTH,
    patterns=(
        RulePattern("decimal", _DECIMAL, 0.7, "40.7128, -74.0060"),
        RulePattern("degrees", _SEXAGESIMAL, 0.8, "40°42'46\"N 74°0'22\"W"),
    ),
    accept=_is_on_earth,
    notes=("one value of 1 or more",),
)
