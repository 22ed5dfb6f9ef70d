"""What a reviewer does with their own items: draft, submit, undo, skip, flag. Sees one person's work, never another's.

Whoever asks for an assignment that is not theirs is told that there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Avg, Count, Q
from django.utils import timezone

from mhds import audit
from mhds.errors import Conflict, InvalidInput, NotFound, Stale
from mhds.models import User
from releases.lifecycle import State
from reviews import rubrics
from reviews.assigning import hand_out
from reviews.assignment import REQUIREMENTS
from reviews.comments import check_comments, check_draft
from reviews.guards import holding, locked, refuse_contributor
from reviews.models import Assignment, Draft, Escalation, Round, Score
from reviews.rubrics import FieldError
from reviews.states import LIVE, AssignmentState, RoundState


class InvalidScore(InvalidInput):
    """A score that cannot be submitted; ``errors`` names each control and what to do."""

    code = "invalid-score"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("This score is not complete.", hint=errors[0].message)
        self.errors = list(errors)


@dataclass(frozen=True, slots=True)
class Progress:
    """One's own: nothing here moves with another person's work. ``seconds_each`` is 0 before the first score."""

    done: int
    total: int
    tagged_today: int
    seconds_each: int

    @property
    def seconds_left(self) -> int:
        return (self.total - self.done) * self.seconds_each


def next_item(user: User, round_: Round, *, rested: bool = False) -> Assignment | None:
    return next(iter(upcoming(user, round_, 1, rested=rested)), None)


def upcoming(user: User, round_: Round, count: int = 3, *, after: int = -1, rested: bool = False) -> list[Assignment]:
    """The next of one's own, in one's own order: the page shows the first and prefetches the others.

    ``rested`` leaves out tagged records not begun: the person's own limit for the day is reached.
    """
    queue = Assignment.objects.queue(user, round_).filter(position__gt=after)
    if rested:
        queue = queue.filter(Q(item__is_critical=False) | Q(draft__isnull=False))
    return list(queue.select_related("item__round")[:count])


def tagged_today(user: User) -> int:
    """How many crisis-tagged records this person has scored since their own midnight, in every round."""
    return int(_own_figures(user)["tagged"])


def _own_figures(user: User, round_: Round | None = None) -> dict[str, Any]:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    tagged = Q(submitted_at__gte=midnight, assignment__item__is_critical=True)
    here = Q(assignment__item__round=round_)
    return Score.objects.filter(assignment__reviewer=user).aggregate(
        tagged=Count("assignment", filter=tagged, distinct=True), pace=Avg("dwell_seconds", filter=here)
    )


def has_had_enough(user: User, tagged: int) -> bool:
    """Whether ``tagged`` records reach the limit that this person set for a day; 0 sets none."""
    return 0 < user.tagged_cap <= tagged


def my_progress(user: User, round_: Round) -> Progress:
    mine = Assignment.objects.filter(item__round=round_, reviewer=user, state__in=[*LIVE, AssignmentState.PASSED_ON])
    counts = mine.aggregate(all=Count("pk"), done=Count("pk", filter=~Q(state=AssignmentState.ASSIGNED)))
    figures = _own_figures(user, round_)
    return Progress(counts["done"], counts["all"], figures["tagged"], round(figures["pace"] or 0))


def round_progress(round_: Round) -> tuple[int, int]:
    """(complete, all) assignments: what a lead may know of an open round, and nothing by person."""
    rows = Assignment.objects.filter(item__round=round_, state__in=[*LIVE, AssignmentState.PASSED_ON])
    return rows.exclude(state=AssignmentState.ASSIGNED).count(), rows.count()


def own(user: User, assignment: Assignment) -> Assignment:
    """One's own assignment of an open round, locked; NotFound for anyone else's, so that nothing can be learned."""
    found = (
        Assignment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("item__round__candidate")
        .filter(pk=assignment.pk, reviewer=user)
        .first()
    )
    if found is None:
        raise NotFound("There is no such item in your list.")
    if found.item.round.state != RoundState.SCORING:
        raise Conflict("this round is closed", hint="Your scores are kept.")
    return found


def may_score(user: User, assignment: Assignment) -> None:
    """Asked at every write: a role, or a clean hand, may be lost between two items."""
    if assignment.reviewer_id != user.pk:
        raise NotFound("There is no such item in your list.")
    round_ = assignment.item.round
    holding(user, round_.candidate, REQUIREMENTS[round_.round_kind].role, doing="scoring in this round")
    refuse_contributor(user, round_.candidate, "scoring")


def opened(user: User, assignment: Assignment) -> None:
    """A record read ahead of its turn is now before the person: the clock starts, unless it is held up since."""
    may_score(user, assignment)
    with transaction.atomic():
        mine = _waiting(own(user, assignment))
        mine.opened_at = timezone.now()
        mine.save(update_fields=["opened_at"])


def _waiting(assignment: Assignment) -> Assignment:
    if assignment.state != AssignmentState.ASSIGNED:
        raise Conflict(f"this item is {assignment.state.replace('_', ' ')} already", hint="Go to the next one.")
    if Escalation.objects.filter(item=assignment.item, closed_at=None).exists():
        raise Conflict("this item is held up by an escalation", hint="Go to the next one.")
    return assignment


def save_draft(
    user: User,
    assignment: Assignment,
    payload: Mapping[str, Any],
    comments: Sequence[Mapping[str, Any]] = (),
    *,
    expected_version: int,
) -> Draft:
    """Keep an unfinished score. Stale where another window saved since: the page asks which one to keep."""
    may_score(user, assignment)
    with transaction.atomic():
        mine = _waiting(own(user, assignment))
        check_draft(payload)
        clean = check_comments(mine.item.round.rubric, comments, mine.item.turns)
        return _keep_draft(mine, dict(payload), clean, expected_version)


def _keep_draft(mine: Assignment, payload: dict[str, Any], comments: list[dict[str, Any]], expected: int) -> Draft:
    now = timezone.now()
    fields = {"payload": payload, "comments": comments, "saved_at": now, "version": expected + 1}
    if expected == 0 and not Draft.objects.filter(assignment=mine).exists():
        try:
            with transaction.atomic():
                return Draft.objects.create(assignment=mine, **fields)
        except IntegrityError:
            raise _stale() from None
    if not Draft.objects.filter(assignment=mine, version=expected).update(**fields):
        raise _stale()
    return Draft.objects.get(assignment=mine)


def _stale() -> Stale:
    return Stale("This item was saved elsewhere in the meantime.", hint="Choose which of the two to keep.")


def submit(
    user: User,
    assignment: Assignment,
    payload: Mapping[str, Any],
    comments: Sequence[Mapping[str, Any]] = (),
    *,
    expected_version: int,
) -> Score:
    """Submit a complete score. Who cannot judge a record passes it on to another person by the same act."""
    may_score(user, assignment)
    with transaction.atomic():
        candidate = locked(assignment.item.round.candidate, State.IN_REVIEW)
        mine = _waiting(own(user, assignment))
        round_ = mine.item.round
        rubric = _rubric_in_force(round_)
        errors = rubrics.validate_score(rubric, payload, turns=mine.item.turns)
        if errors:
            raise InvalidScore(errors)
        clean = check_comments(rubric, comments, mine.item.turns)
        draft = _keep_draft(mine, dict(payload), clean, expected_version)
        score = _store(mine, draft, rubric)
        passed_on = bool(payload.get("cannot_judge"))
        mine.state = AssignmentState.PASSED_ON if passed_on else AssignmentState.SUBMITTED
        mine.save(update_fields=["state"])
        audit.record(
            user, "score.submitted", f"assignment:{mine.pk}", version=score.version, candidate=str(candidate.pk)
        )
        if passed_on:
            hand_out(round_)
    assignment.state = mine.state
    return score


def _rubric_in_force(round_: Round) -> rubrics.Rubric:
    rubric = round_.rubric
    if rubric.digest != round_.rubric_digest:
        raise Conflict("the text of the rubric changed since this round was opened", hint="Tell the release lead.")
    return rubric


def _store(mine: Assignment, draft: Draft, rubric: rubrics.Rubric) -> Score:
    now = timezone.now()
    return Score.objects.create(
        assignment=mine,
        version=mine.scores.count() + 1,
        payload=draft.payload,
        comments=draft.comments,
        rubric_digest=rubric.digest,
        content_hash=mine.item.content_hash,
        dwell_seconds=max(0, int((now - mine.opened_at).total_seconds())) if mine.opened_at else 0,
        submitted_at=now,
    )


def undo(user: User, assignment: Assignment) -> Draft:
    """Take one's own submitted score back into a draft, while the round is open for the first time.

    Once a verdict was reached, others' scores may have been read: what is in stays in.
    """
    may_score(user, assignment)
    with transaction.atomic():
        mine = own(user, assignment)
        if mine.state != AssignmentState.SUBMITTED:
            raise Conflict("only a submitted score can be taken back", hint="Go to the next item.")
        if mine.item.round.evaluations.exists():
            raise Conflict("this round was closed once: its scores stay as they are", hint="Tell the release lead.")
        mine.state, mine.opened_at = AssignmentState.ASSIGNED, timezone.now()
        mine.save(update_fields=["state", "opened_at"])
        audit.record(user, "score.undone", f"assignment:{mine.pk}", versions=mine.scores.count())
        draft = mine.draft
    assignment.state = mine.state
    return draft


def skip(user: User, assignment: Assignment) -> None:
    """Give an item back, for one's own sake: no reason is asked, and the log names no person."""
    may_score(user, assignment)
    with transaction.atomic():
        mine = _waiting(own(user, assignment))
        mine.state = AssignmentState.SKIPPED
        mine.save(update_fields=["state"])
        Draft.objects.filter(assignment=mine).delete()
        hand_out(mine.item.round)
        audit.record(None, "item.skipped", f"item:{mine.item_id}")
    assignment.state = mine.state


def flag(user: User, assignment: Assignment, on: bool) -> None:
    """Mark an item for a second look once the round is closed; changes no score."""
    may_score(user, assignment)
    with transaction.atomic():
        mine = own(user, assignment)
        mine.is_flagged = on
        mine.save(update_fields=["is_flagged"])
        audit.record(user, "item.flagged", f"assignment:{mine.pk}", on=on)
    assignment.is_flagged = on
