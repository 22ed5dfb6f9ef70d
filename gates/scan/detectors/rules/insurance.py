"""Health-plan and policy numbers after their cue (DEA numbers have Presidio's MedicalLicenseRecognizer). HIPAA (I)."""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import EN, digits

_KIND = (
    r"(?:insurance|policy|member(?:ship)?|subscriber|group|claim|"
    r"medicaid|medicare|health\s+plan|beneficiary|account|case)"
)
_CUE = rf"\b{_KIND}\s+(?:card\s+)?(?:id|number|num|no\.?|\#)"
MIN_DIGITS = 4


def _is_number(value: str) -> bool:
    return len(digits(value)) >= MIN_DIGITS


RULE = Rule(
    entity="INSURANCE_NUMBER",
    name="InsuranceRule",
    languages=EN,
    patterns=(
        RulePattern(
            "cue",
            _CUE + r"\s*(?:is|was|:|=|\#)*\s*(?P<v>[A-Z0-9][A-Z0-9-]{4,18}[A-Z0-9])\b",
            0.7,
            "member id: XYZ-9912345",
        ),
    ),
    accept=_is_number,
    notes=(f"digits>={MIN_DIGITS}",),
)
