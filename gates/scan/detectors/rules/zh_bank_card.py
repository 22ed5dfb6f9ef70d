"""UnionPay cards: 16 to 19 digits from 62, with a Luhn check (Presidio's card rule ends at 16)."""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import BOTH, digits, luhn

_REST = r"\d{2}(?:[-\s]?\d{4}){3}(?:[-\s]?\d{1,3})?"


def _luhn_holds(value: str) -> bool:
    return luhn(digits(value))


RULE = Rule(
    entity="BANK_CARD",
    name="ZhBankCardRule",
    languages=BOTH,
    patterns=(RulePattern("UnionPay", rf"(?<![\dA-Za-z_])62{_REST}(?![\dA-Za-z_])", 1.0, "卡号6222020111122223337"),),
    accept=_luhn_holds,
)
