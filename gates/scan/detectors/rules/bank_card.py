"""Payment cards of 12 to 19 digits with a Luhn check, UnionPay's too (Presidio's card rule ends at 16)."""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import BOTH, digits, luhn

# Issuer ranges: UnionPay, Visa, Mastercard, Maestro, Amex, Diners, JCB, Discover.
_ISSUER = r"(?:62|4|5[0-8]|6[0-9]|2[2-7]|2131|1800|3[0-9])"


def _luhn_holds(value: str) -> bool:
    return luhn(digits(value))


RULE = Rule(
    entity="BANK_CARD",
    name="BankCardRule",
    languages=BOTH,
    patterns=(
        RulePattern(
            "grouped",
            r"(?<![\dA-Za-z_])62\d{2}(?:[-\s]?\d{4}){3}(?:[-\s]?\d{1,3})?(?![\dA-Za-z_])",
            1.0,
            "卡号6222020111122223337",
        ),
        RulePattern(
            "plain", rf"(?<![\dA-Za-z_.+-])(?={_ISSUER})\d{{12,19}}(?![\dA-Za-z_])", 0.7, "6222020111122223337"
        ),
    ),
    accept=_luhn_holds,
    notes=("luhn",),
)
