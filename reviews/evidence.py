"""What rounds say about a candidate to whoever moves it on: the collector *rounds* of the evidence. Reads only."""

from __future__ import annotations

from mhds.reading import once
from releases.lifecycle import Evidence
from releases.models import Candidate
from reviews.binding import alarms, bound_digests, rounds_of
from reviews.judging import recheck
from reviews.models import Round
from reviews.plans import RoundKind
from reviews.verdicts import Verdict


@once
def rounds_evidence(candidate: Candidate) -> Evidence:
    """All four rounds exist for this content, are evaluated and pass, and nobody's alarm is open or was right."""
    opened = rounds_of(candidate)
    evaluated = [one for one in opened if one.evaluation]
    bound = bound_digests(candidate, evaluated) if evaluated else {}
    rounds = {one.kind: (one, bound.get(one.pk, "")) for one in opened}
    missing = [text for kind in RoundKind for text in _in_the_way(kind, *rounds.get(kind.value, (None, "")))]
    return Evidence("rounds", tuple(missing + _alarms(*alarms(candidate))))


def _in_the_way(kind: RoundKind, round_: Round | None, bound: str) -> list[str]:
    name = f"the round {kind.value.replace('_', ' ')}"
    if round_ is None:
        return [f"{name} is not opened"]
    changed = [f"{name} {why}" for why in recheck(round_, bound)]
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
