"""What rounds say about a candidate to whoever moves it on: the collector *rounds* of the evidence. Reads only."""

from __future__ import annotations

from django.db.models import Count, Q

from releases.lifecycle import Evidence
from releases.models import Candidate
from reviews.judging import recheck
from reviews.models import Escalation, Round
from reviews.plans import RoundKind
from reviews.verdicts import Verdict


def rounds_evidence(candidate: Candidate) -> Evidence:
    """All four rounds exist for this content, are evaluated and pass, and nobody's alarm is open or was right."""
    rounds = {one.kind: one for one in Round.objects.of(candidate).select_related("candidate")}
    missing = [text for kind in RoundKind for text in _in_the_way(kind, rounds.get(kind.value))]
    return Evidence("rounds", tuple(missing + _alarms(candidate)))


def _in_the_way(kind: RoundKind, round_: Round | None) -> list[str]:
    name = f"the round {kind.value.replace('_', ' ')}"
    if round_ is None:
        return [f"{name} is not opened"]
    changed = [f"{name} {why}" for why in recheck(round_)]
    evaluation = round_.evaluation
    if evaluation is None or evaluation.verdict == Verdict.PASS:
        return changed
    because = f": {'; '.join(evaluation.reasons)}" if evaluation.reasons else ""
    outcome = "failed" if evaluation.verdict == Verdict.FAIL else "is inconclusive"
    return [*changed, f"{name} {outcome}{because}"]


def _alarms(candidate: Candidate) -> list[str]:
    mine = Escalation.objects.filter(item__round__candidate=candidate)
    told = mine.aggregate(
        waiting=Count("pk", filter=Q(closed_at=None)), confirmed=Count("pk", filter=Q(is_confirmed=True))
    )
    waiting, confirmed = told["waiting"], told["confirmed"]
    words = [f"{waiting:,} escalations are open"] if waiting else []
    return words + ([f"{confirmed:,} escalations were confirmed"] if confirmed else [])
