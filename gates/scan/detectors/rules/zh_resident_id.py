"""Chinese resident identity numbers: 17 digits and a check character (GB 11643-1999, ISO 7064 MOD 11-2). Also in
English text.
"""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import BOTH, digits

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"


def _checksum_holds(value: str) -> bool:
    number = digits(value[:-1]) if value[-1] in "xX" else digits(value)[:17]
    total = sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=True))
    return CHECKS[total % 11] == (value[-1].upper() if value[-1] in "xX" else digits(value)[-1])


_BODY = r"[1-8]\d{5}[-\s]?(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[-\s]?\d{3}[\dXx]"

RULE = Rule(
    entity="CN_RESIDENT_ID",
    name="ZhResidentIdRule",
    languages=BOTH,
    patterns=(
        RulePattern("18 characters", rf"(?<![\dA-Za-z_]){_BODY}(?![\dA-Za-z_])", 1.0, "身份证11010519491231002X"),
    ),
    accept=_checksum_holds,
    notes=(str(WEIGHTS), CHECKS),
)
