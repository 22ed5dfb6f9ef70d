"""The page *My work*: one person's own open rounds and the way to the next record. Knows no other person's work."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from mhds.access import allow, current_user
from mhds.models import User
from mhds.roles import DATA_ROLES
from reviews import scoring
from reviews.models import Assignment, Round
from reviews.scoring import Progress
from reviews.states import RoundState


@dataclass(frozen=True, slots=True)
class OwnRound:
    """One open round in which the person has, or had, records. ``following`` is None when nothing can be scored now."""

    round: Round
    progress: Progress
    following: Assignment | None

    @property
    def time_left(self) -> str:
        """In words, at one's own pace; empty before the first score."""
        minutes = -(-self.progress.seconds_left // 60)
        if not minutes:
            return ""
        hours, rest = divmod(minutes, 60)
        return f"about {hours} h {rest:02} left at your pace" if hours else f"about {rest} min left at your pace"


def own_rounds(user: User) -> list[OwnRound]:
    mine = Round.objects.filter(state=RoundState.SCORING, items__assignments__reviewer=user).distinct()
    rounds = mine.select_related("candidate__release").order_by("opened_at", "kind")
    found = [own_round(user, one) for one in rounds]
    return [one for one in found if one.progress.total]


def own_round(user: User, round_: Round) -> OwnRound:
    return OwnRound(round_, scoring.my_progress(user, round_), scoring.next_item(user, round_))


@allow(*DATA_ROLES)
@require_GET
def my_work(request: HttpRequest) -> HttpResponse:
    rounds = own_rounds(current_user(request))
    return render(request, "reviews/my_work.html", {"section": "my-work", "rounds": rounds})
