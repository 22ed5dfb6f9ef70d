"""Chinese mobile numbers, 11 digits from 13 to 19, with or without separators and country code."""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import BOTH

_SEP = r"[-\s.·]?"

RULE = Rule(
    entity="PHONE_NUMBER",
    name="ZhMobileRule",
    languages=BOTH,
    patterns=(
        RulePattern(
            "mobile",
            (
                rf"(?<![\dA-Za-z_])(?:\+?86{_SEP})?1[3-9]\d{_SEP}(?:\d{{4}}{_SEP}\d{{4}}|"
                rf"\d{{3}}{_SEP}\d{{5}}|\d{{2}}{_SEP}\d{{3}}{_SEP}\d{{3}})(?![\dA-Za-z_])"
            ),
            0.75,
            "打138-1234-5678",
        ),
    ),
)
