"""What rounds say about a candidate to whoever moves it on: the collector *rounds* of the evidence. Reads only."""

from __future__ import annotations

from django.db.models import Count, Q

from releases.lifecycle import Evidence
from releases.models import Candidate
from reviews.judging import recheck
from reviews.models import Round
from reviews.plans import RoundKind
from reviews.verdicts import Verdict


def rounds_evidence(candidate: Candidate) -> Evidence:
    """All four rounds exist for this content, are evaluated and pass, and nobody's alarm is open or was right."""
    opened = Round.objects.of(candidate).select_related("candidate").prefetch_related("evaluations")
    alarm = Q(items__escalations__isnull=False)
    told = opened.annotate(
        waiting=Count("items__escalations", filter=alarm & Q(items__escalations__closed_at=None)),
        confirmed=Count("items__escalations", filter=alarm & Q(items__escalations__is_confirmed=True)),
    )
    rounds = {one.kind: one for one in told}
    missing = [text for kind in RoundKind for text in _in_the_way(kind, rounds.get(kind.value))]
    waiting, confirmed = (sum(getattr(one, name) for one in rounds.values()) for name in ("waiting", "confirmed"))
    return Evidence("rounds", tuple(missing + _alarms(waiting, confirmed)))


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


def _alarms(waiting: int, confirmed: int) -> list[str]:
    words = [f"{waiting:,} {'escalation is' if waiting == 1 else 'escalations are'} open"] if waiting else []
    was = "escalation was" if confirmed == 1 else "escalations were"
    return words + ([f"{confirmed:,} {was} confirmed"] if confirmed else [])
