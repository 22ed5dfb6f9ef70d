"""Vehicle plates and VINs after their cue. HIPAA 164.514(b)(2)(i)(L)."""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import EN, digits

_CUE = (
    r"\b(?:licen[cs]e\s+plates?|number\s+plates?|plate\s+(?:number|"
    r"no\.?)|car\s+registration|vehicle\s+registration|vin)\b"
)
_LINK = r"\s*(?:number|no\.?|is|was|says|reads|:|=|\#)*\s*"


def _has_digit(value: str) -> bool:
    return bool(digits(value))


RULE = Rule(
    entity="LICENSE_PLATE",
    name="PlateRule",
    languages=EN,
    patterns=(
        RulePattern(
            "cue",
            rf"{_CUE}{_LINK}(?P<v>[A-Z0-9]{{2,4}}[ -]?[A-Z0-9]{{2,4}}|[A-HJ-NPR-Z0-9]{{17}})\b",
            0.7,
            "number plate is AB12 CDE",
        ),
    ),
    accept=_has_digit,
)
