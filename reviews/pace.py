"""How long a record takes to score, from scores of closed rounds: one figure for each kind of round, nobody's own."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from statistics import median_high

from reviews.models import Score
from reviews.plans import RoundKind
from reviews.states import RoundState

# Assumed until enough scores say more; named on the page.
ASSUMED_MINUTES = {
    RoundKind.CLINICIAN_FOUNDATION: 3,
    RoundKind.CLINICIAN_EDGE: 3,
    RoundKind.BIAS_FOUNDATION: 3,
    RoundKind.PRIVACY: 1,
}
ENOUGH = 20
NEWEST = 2000


@dataclass(frozen=True, slots=True)
class Pace:
    """``scores`` 0 means that the minutes are assumed."""

    minutes: Fraction
    scores: int

    @property
    def words(self) -> str:
        shown = f"{float(self.minutes):.1f}".removesuffix(".0")
        about = f"{shown} minute{'' if shown == '1' else 's'} a record"
        if self.scores:
            return f"{about}, the median of {self.scores:,} scores in closed rounds"
        return f"{about}, assumed until {ENOUGH} scores in closed rounds say more"


def paces() -> dict[RoundKind, Pace]:
    """The median, as an idle tab must not count; of closed rounds only: an open one shows nobody's pace."""
    closed = Score.objects.filter(assignment__item__round__state=RoundState.EVALUATED, dwell_seconds__gt=0)
    newest = closed.order_by("-submitted_at").values_list("assignment__item__round__kind", "dwell_seconds")[:NEWEST]
    seconds: dict[str, list[int]] = {}
    for kind, dwell in newest:
        seconds.setdefault(kind, []).append(dwell)
    return {kind: _pace(kind, seconds.get(kind.value, [])) for kind in RoundKind}


def _pace(kind: RoundKind, seconds: list[int]) -> Pace:
    if len(seconds) < ENOUGH:
        return Pace(Fraction(ASSUMED_MINUTES[kind]), 0)
    return Pace(Fraction(median_high(seconds), 60), len(seconds))
