"""Takes a demo release through its rounds by the services: plans, draws, hands out, scores. Knows no bucket, no build.

Every step looks first whether it is done, so that a preparation that was interrupted goes on where it stopped.
"""

from __future__ import annotations

from django.db import transaction

from mhds.demo.accounts import Accounts
from mhds.demo.scores import invented
from mhds.models import User
from releases.lifecycle import State
from releases.models import Candidate
from reviews import assigning, closing, drawing, rounds, scoring
from reviews.models import Assignment, Round
from reviews.plans import PILOT, RoundKind
from reviews.states import LIVE, AssignmentState, RoundState


def start(candidate: Candidate, people: Accounts) -> list[Round]:
    """The four rounds under the smallest plan, drawn and in the reviewers' hands."""
    lead = people["lead"]
    if not Round.objects.filter(candidate=candidate).exists():
        rounds.open_rounds(candidate, actor=lead, plans=dict.fromkeys(RoundKind, PILOT.id))
    for round_ in rounds_of(candidate):
        if round_.state == RoundState.PLANNED:
            drawing.draw(round_, actor=lead)
        if round_.state == RoundState.DRAWN:
            assigning.assign(round_, actor=lead)
    return rounds_of(candidate)


def rounds_of(candidate: Candidate) -> list[Round]:
    return list(Round.objects.of(candidate).select_related("candidate"))


def score(round_: Round, *, half: bool = False) -> int:
    """Submit what waits, or as much of it as makes half of the round; how many scores that were.

    Everybody goes through their own list in its own order, so that half of each list is left.
    """
    mine = Assignment.objects.filter(item__round=round_)
    waiting = mine.filter(state=AssignmentState.ASSIGNED).select_related("item__round__candidate", "reviewer")
    wanted = list(waiting.order_by("position", "reviewer__email"))
    if half:
        total = mine.filter(state__in=LIVE).count()
        wanted = wanted[: max(0, total // 2 - (total - len(wanted)))]
    with transaction.atomic():  # one commit a round
        for assignment in wanted:
            _submit(assignment)
    return len(wanted)


def _submit(assignment: Assignment) -> None:
    item, who = assignment.item, assignment.reviewer
    draft = getattr(assignment, "draft", None)
    scoring.submit(
        who,
        assignment,
        invented(item.round.rubric, item.record_id, who.email, risk=item.is_critical),
        expected_version=draft.version if draft else 0,
    )


def finish(candidate: Candidate, lead: User) -> Candidate:
    """Score what is left and close every round; the last one takes the candidate on to sign-off."""
    for round_ in rounds_of(candidate):
        if round_.state == RoundState.SCORING:
            score(round_)
            closing.close_round(round_, actor=lead)
    candidate.refresh_from_db()
    if candidate.state == State.IN_REVIEW:
        closing.to_signoff(candidate, actor=lead)
    return candidate
