"""Who sees which rows of a review: blinding lives in these queries, not in pages. Nothing here writes.

While a round is open, a score, a draft and an assignment exist for the reviewer whose they are and for nobody else,
the lead included. Once the round is evaluated, people who work on releases may read scores; drafts stay private.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q

from mhds.models import User
from mhds.roles import DATA_ROLES, Role
from releases.models import Candidate, Contribution
from reviews.states import LIVE, SCORED, AssignmentState, RoundState

if TYPE_CHECKING:
    from reviews.models import Assignment, Draft, Item, Round, Score  # noqa: F401  used in forward references only

READERS = tuple(role for role in DATA_ROLES if role != Role.ENGINEER)


def _closed(user: User, item: str) -> Q:
    """Rows of evaluated rounds, for those who may read them; an engineer not where they had a hand in it."""
    if not user.holds(*DATA_ROLES):
        return Q(pk__in=[])
    closed = Q(**{f"{item}__round__state": RoundState.EVALUATED})
    if user.holds(*READERS):
        return closed
    mine = Contribution.objects.filter(user=user, candidate__content_digest=OuterRef(f"{item}__round__content_digest"))
    return closed & ~Q(Exists(mine))


class RoundQuerySet(models.QuerySet["Round"]):
    def of(self, candidate: Candidate) -> RoundQuerySet:
        return self.filter(candidate=candidate).order_by("opened_at", "kind")

    def visible_to(self, user: User) -> RoundQuerySet:
        """Everyone who works on releases knows that a round exists; nobody else does."""
        return self.all() if user.holds(*DATA_ROLES) else self.none()

    def with_work_for(self, user: User) -> RoundQuerySet:
        """Open rounds in which this person has something left to score."""
        return self.filter(
            state=RoundState.SCORING,
            items__assignments__reviewer=user,
            items__assignments__state=AssignmentState.ASSIGNED,
        ).distinct()


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def visible_to(self, user: User) -> AssignmentQuerySet:
        """Who skipped is nobody's business: of other people's, only scored ones ever show."""
        return self.filter(Q(reviewer=user) | (_closed(user, "item") & Q(state__in=SCORED)))

    def live(self) -> AssignmentQuerySet:
        return self.filter(state__in=LIVE)

    def queue(self, user: User, round_: Round) -> AssignmentQuerySet:
        """What this person has left in an open round, in their own order; held-up records are not among them."""
        held = apps.get_model("reviews", "Escalation").objects.filter(item=OuterRef("item"), closed_at=None)
        mine = self.filter(reviewer=user, item__round=round_, item__round__state=RoundState.SCORING)
        return mine.filter(~Exists(held), state=AssignmentState.ASSIGNED).order_by("position", "pk")


class DraftQuerySet(models.QuerySet["Draft"]):
    def visible_to(self, user: User) -> DraftQuerySet:
        return self.filter(assignment__reviewer=user)


class ScoreQuerySet(models.QuerySet["Score"]):
    def visible_to(self, user: User) -> ScoreQuerySet:
        return self.filter(Q(assignment__reviewer=user) | _closed(user, "assignment__item"))

    def counting(self) -> ScoreQuerySet:
        """The newest score of each assignment that is submitted or passed on; undone ones do not count."""
        newer = self.model.objects.filter(assignment=OuterRef("assignment"), version__gt=OuterRef("version"))
        return self.filter(~Exists(newer), assignment__state__in=SCORED)
