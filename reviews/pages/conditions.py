"""What decided a round, condition by condition, and what to do about it. Reads the stored figures; judges nothing."""

from __future__ import annotations

from dataclasses import dataclass

from releases.lifecycle import State
from reviews.models import Evaluation, Round
from reviews.verdicts import Standing, Verdict


@dataclass(frozen=True, slots=True)
class Condition:
    words: str
    asked: str
    found: str
    met: bool


# Standing -> what is asked of it: none may be left for a pass.
NONE_OPEN = {
    Standing.CRITICAL: "Flagged critical, not settled",
    Standing.SPLIT: "Split between their reviewers, not settled",
    Standing.UNSURE: "With an unsure score",
    Standing.MISSING: "Without all of their scores",
    Standing.UNREADABLE: "Read by nobody who may score them",
    Standing.ESCALATED: "Held up by an escalation",
}
NEXT = {
    Standing.CRITICAL: "A third person has to settle what is flagged critical or split.",
    Standing.SPLIT: "A third person has to settle what is flagged critical or split.",
    Standing.UNSURE: "A third person has to settle what was scored as unsure.",
    Standing.MISSING: "Open the round again and fill its gaps: some scores are missing.",
    Standing.UNREADABLE: (
        "Ask the administrator for a reviewer who reads the language, then open the round again and fill its gaps."
    ),
    Standing.ESCALATED: "Settle the escalation below, then open the round again.",
}


def conditions(round_: Round, evaluation: Evaluation) -> list[Condition]:
    """Empty for a round without a record: there was nothing to ask."""
    if not round_.population:
        return []
    figures = evaluation.figures
    due = min(round_.plan.size, round_.population)
    standing: dict[str, int] = figures.get("by_standing", {})
    drawn = figures.get("drawn", 0)
    found = [Condition("Drawn at random", f"{due:,}", f"{drawn:,}", drawn >= due)]
    for one, words in NONE_OPEN.items():
        count = standing.get(one.value, 0)
        found.append(Condition(words, "0", f"{count:,}", count == 0))
    majors, allowed = figures.get("failed", 0) + figures.get("unconfirmed", 0), figures.get("allowed", 0)
    found.append(Condition("Unacceptable", f"at most {allowed:,}", f"{majors:,}", majors <= allowed))
    return found


def next_steps(round_: Round, evaluation: Evaluation, state: str) -> list[str]:
    """What to do after this verdict, in words."""
    if evaluation.verdict == Verdict.PASS:
        return ["Nothing: this round is done."]
    if evaluation.verdict == Verdict.FAIL:
        stopped = "The candidate is rejected. " if state == State.REJECTED else ""
        return [f"{stopped}Mend or leave out what failed, and build a new candidate; it is drawn from anew."]
    if not round_.population:
        return ["Its families have no record: add some and build a new candidate."]
    standing: dict[str, int] = evaluation.figures.get("by_standing", {})
    steps = [words for one, words in NEXT.items() if standing.get(one.value)]
    return list(dict.fromkeys(steps)) or ["Read the reasons above, then open the round again."]
