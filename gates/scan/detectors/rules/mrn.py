"""Medical record numbers after their cue. HIPAA 164.514(b)(2)(i)(H)."""

from __future__ import annotations

from gates.scan.detectors.base import Rule, RulePattern

from .common import EN

_CUE = (
    r"\b(?:mrn|medical\s+record(?:\s+(?:number|no\.?|num|\#))?|"
    r"patient\s+(?:id|number|no\.?)|chart\s+(?:number|no\.?|\#|id))"
)

RULE = Rule(
    entity="MEDICAL_RECORD_NUMBER",
    name="MrnRule",
    languages=EN,
    patterns=(
        RulePattern("cue", _CUE + r"\s*(?:is|was|:|=|\#)*\s*\#?(?P<v>[A-Z]{0,3}-?\d{5,12})\b", 0.8, "MRN: 00123456"),
    ),
)
