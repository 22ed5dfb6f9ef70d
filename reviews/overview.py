"""Where the rounds of a candidate stand, in counts: drawn, handed out, scored, held up. Reads no score, in few queries.

While a round is open, how many of their records somebody has scored is a count like any other; which records, and
what they said, is nobody's to see. Who skipped shows nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Count, Prefetch

from releases.models import Candidate
from reviews.models import Assignment, Draw, Escalation, Evaluation, Item, Round, Score
from reviews.states import LIVE, AssignmentState, RoundState


@dataclass(frozen=True, slots=True)
class Reader:
    """One reviewer of a round; ``left`` are records still in their hands."""

    id: UUID
    name: str
    done: int
    left: int

    @property
    def total(self) -> int:
        return self.done + self.left


@dataclass(slots=True)
class Line:
    """One round. ``shortages`` are reasons with counts; ``draws`` are all there ever were of these bytes."""

    round: Round
    evaluation: Evaluation | None
    drawn: int = 0
    attempts: int = 0
    shortages: list[tuple[str, int]] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    draws: list[Draw] = field(default_factory=list)
    has_scores: bool = False
    held: int = 0

    @property
    def complete(self) -> int:
        return sum(one.done for one in self.readers)

    @property
    def handed(self) -> int:
        return sum(one.total for one in self.readers)

    @property
    def short(self) -> int:
        return sum(count for _words, count in self.shortages)

    @property
    def verdict(self) -> str:
        return self.evaluation.verdict if self.evaluation else ""

    @property
    def style(self) -> str:
        """The pill of the verdict in force, else of the work."""
        waits = "running" if self.round.state == RoundState.SCORING else "waiting"
        return {"pass": "PASS", "fail": "FAIL", "inconclusive": "blocked"}.get(self.verdict, waits)

    @property
    def word(self) -> str:
        return self.verdict or self.round.state

    @property
    def is_read_in_full(self) -> bool:
        return 0 < self.round.population <= self.round.plan.size

    @property
    def can_close(self) -> bool:
        return self.round.state == RoundState.SCORING and self.complete == self.handed and not self.held

    @property
    def can_redraw(self) -> bool:
        return self.round.state in (RoundState.DRAWN, RoundState.SCORING) and not self.has_scores


def lines(candidate: Candidate) -> list[Line]:
    """The rounds in the order in which they are always named; empty while none is opened."""
    evaluations = Prefetch("evaluations", Evaluation.objects.select_related("by"))
    rounds = list(Round.objects.of(candidate).prefetch_related(evaluations).select_related("opened_by"))
    found = {one.pk: Line(one, _in_force(one)) for one in rounds}
    if found:
        _add_draws(candidate, found)
        _add_items(found)
        _add_readers(found)
        scored = Score.objects.filter(assignment__item__round__in=found).values_list(
            "assignment__item__round", flat=True
        )
        for round_id in scored.distinct():
            found[round_id].has_scores = True
    return [found[one.pk] for one in rounds]


def _in_force(round_: Round) -> Evaluation | None:
    """The same as ``round_.evaluation``, of rows that are there already."""
    rows = sorted(round_.evaluations.all(), key=lambda one: one.number)
    return rows[-1] if rows and round_.state == RoundState.EVALUATED else None


def _add_draws(candidate: Candidate, found: dict[UUID, Line]) -> None:
    """Also the draws of an earlier candidate of the very same bytes: they count as attempts, so they show."""
    rows = Draw.objects.filter(round__content_digest=candidate.content_digest).defer("drawn")
    by_kind = {line.round.kind: line for line in found.values()}
    for draw in rows.select_related("by", "round__candidate__release").order_by("-attempt", "label"):
        line = by_kind.get(draw.round.kind)
        if line is not None:
            line.draws.append(draw)
            if draw.round_id == line.round.pk:
                line.attempts = max(line.attempts, draw.attempt)


def _add_items(found: dict[UUID, Line]) -> None:
    rows = Item.objects.filter(round__in=found).values_list("round_id", "draw__attempt", "shortage")
    for round_id, attempt, shortage, count in rows.annotate(count=Count("pk")).order_by("shortage"):
        line = found[round_id]
        if attempt == line.attempts:
            line.drawn += count
            line.shortages += [(shortage, count)] if shortage else []


def _add_readers(found: dict[UUID, Line]) -> None:
    states = [*LIVE, AssignmentState.PASSED_ON]
    rows = Assignment.objects.filter(item__round__in=found, state__in=states).values_list(
        "item__round_id", "reviewer_id", "reviewer__name", "reviewer__email", "state"
    )
    counted: dict[UUID, dict[UUID, tuple[str, int, int]]] = {}
    for round_id, reviewer, name, email, state, count in rows.annotate(count=Count("pk")):
        mine = counted.setdefault(round_id, {})
        _name, done, left = mine.get(reviewer, ("", 0, 0))
        waits = state == AssignmentState.ASSIGNED
        mine[reviewer] = (name or email, done + (0 if waits else count), left + (count if waits else 0))
    for round_id, people in counted.items():
        readers = (Reader(person, *figures) for person, figures in people.items())
        # By name: a list by speed would be a ranking.
        found[round_id].readers = sorted(readers, key=lambda one: (one.name.casefold(), str(one.id)))


def escalations(candidate: Candidate, found: Iterable[Line]) -> list[Escalation]:
    """All of the candidate's, open ones first; the lines learn how many hold them up."""
    rows = Escalation.objects.filter(item__round__candidate=candidate)
    every = list(rows.select_related("item", "opened_by", "closed_by").order_by("opened_at", "pk"))
    by_round = {line.round.pk: line for line in found}
    for one in every:
        if one.closed_at is None and one.item.round_id in by_round:
            by_round[one.item.round_id].held += 1
    return sorted(every, key=lambda one: one.closed_at is not None)
