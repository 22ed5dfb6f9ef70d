"""What a gate is, finds and concludes. Owns verdicts and how findings become one; knows no particular rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from gates.policy import Policy
from gates.rules.values import (
    EarlierRelease,
    FrozenFile,
    GateInputs,
    Issue,
    Listed,
    ObjectAccount,
    WaiverInForce,
)

# What no waiver opens, whoever signs it.
UNWAIVABLE = frozenset({"integrity", "provenance", "privacy"})
SHOWN = 20  # pieces of evidence that one finding carries


class Verdict(StrEnum):
    PASS = "PASS"  # noqa: S105  a verdict, not a password
    FAIL = "FAIL"
    ERROR = "ERROR"


_WEIGHT = (Verdict.PASS, Verdict.FAIL, Verdict.ERROR)


def verdict_of(word: object) -> Verdict:
    """The verdict that ``word`` says; anything else than the three words is ERROR."""
    return Verdict(word) if isinstance(word, str) and word in Verdict.__members__ else Verdict.ERROR


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    return max(verdicts, key=_WEIGHT.index, default=Verdict.PASS)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in the way. ``message`` says what is wrong and what to do; ``subject`` what it is about.

    ``evidence`` is JSON-able, holds ids, keys, offsets and counts, never text and no float. ``doubt`` makes it an
    ERROR: the gate could not tell, and nobody can waive that. ``settled_by`` names the waiver or explanation that
    answers it.
    """

    rule: str
    message: str
    subject: str = ""
    count: int = 1
    evidence: Mapping[str, Any] = field(default_factory=dict)
    waivable: bool = False
    explainable: bool = False
    doubt: bool = False
    settled_by: str = ""

    @property
    def id(self) -> str:
        return f"{self.rule}:{self.subject}" if self.subject else self.rule

    @property
    def verdict(self) -> Verdict:
        if self.doubt:
            return Verdict.ERROR
        return Verdict.PASS if self.settled_by else Verdict.FAIL

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "rule": self.rule,
            "verdict": self.verdict.value,
            "message": self.message,
            "subject": self.subject,
            "count": self.count,
            "evidence": dict(self.evidence),
            "waivable": self.waivable and not self.doubt,
            "explainable": self.explainable and not self.doubt,
            "settled_by": self.settled_by,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one gate concluded. PASS needs examined == expected > 0 and no finding that is not settled."""

    gate: str
    verdict: Verdict
    examined: int
    expected: int
    findings: tuple[Finding, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    next_steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """One entry of the registry. ``rules`` maps rule ids to what each one checks, in words."""

    id: str
    letter: str
    title: str
    rules: Mapping[str, str]
    judge: Callable[[GateInputs, Policy], Outcome]
    needs_facts: bool = True


def doubtful(rule: str, message: str, *, subject: str = "", **evidence: Any) -> Finding:
    """A finding that turns the verdict into ERROR."""
    return Finding(rule, message, subject, evidence=evidence, doubt=True)


def settled(finding: Finding, gate: str, inputs: GateInputs) -> Finding:
    """The finding, with the explanation or waiver that answers it, if one may and does."""
    if finding.doubt:
        return finding
    if finding.explainable and finding.subject in inputs.explanations:
        return replace(finding, settled_by=f"explanation:{inputs.explanations[finding.subject]}")
    if finding.waivable and gate not in UNWAIVABLE:
        for waiver in inputs.waivers:
            if waiver.gate == gate and waiver.ids & {finding.id, finding.rule}:
                return replace(finding, settled_by=f"waiver:{waiver.id}")
    return finding


def conclude(
    gate: str,
    inputs: GateInputs,
    *,
    examined: int,
    expected: int,
    findings: Sequence[Finding],
    figures: Mapping[str, Any],
) -> Outcome:
    """The outcome that these findings amount to, waivers and explanations applied."""
    answered = tuple(settled(finding, gate, inputs) for finding in findings)
    steps = tuple(dict.fromkeys(one.message for one in answered if one.verdict is not Verdict.PASS))[:SHOWN]
    return Outcome(gate, worst(one.verdict for one in answered), examined, expected, answered, figures, steps)


def many(count: int, one: str, several: str) -> str:
    """``1 record ships``, ``2 records ship``: findings are read by people."""
    return f"{count} {one if count == 1 else several}"


def share_bp(part: int, whole: int) -> int:
    """``part`` of ``whole`` in basis points, rounded up, so that a share over a limit never looks within it.

    Raises ZeroDivisionError for a share of nothing: that is doubt, not zero.
    """
    return -(-part * 10_000 // whole)


__all__ = [
    "SHOWN",
    "UNWAIVABLE",
    "EarlierRelease",
    "Finding",
    "FrozenFile",
    "Gate",
    "GateInputs",
    "Issue",
    "Listed",
    "ObjectAccount",
    "Outcome",
    "Verdict",
    "WaiverInForce",
    "conclude",
    "doubtful",
    "many",
    "settled",
    "share_bp",
    "verdict_of",
    "worst",
]
