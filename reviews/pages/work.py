"""The page *My work*: one person's own open rounds and the way to the next record. Knows no other person's work."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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


@dataclass(frozen=True)
class OwnRound:
    """One open round in which the person has, or had, records.

    ``following`` is None when nothing can be scored now; ``has_had_enough``: the person's own limit of tagged
    records for a day is reached, and ``following`` is an untagged one.
    """

    user: User
    round: Round
    progress: Progress

    @cached_property
    def has_had_enough(self) -> bool:
        return scoring.has_had_enough(self.user, self.progress.tagged_today)

    @cached_property
    def following(self) -> Assignment | None:
        return scoring.next_item(self.user, self.round, rested=self.has_had_enough)

    @property
    def time_left(self) -> str:
        """In words, at one's own pace; empty before the first score."""
        return time_words(self.progress.seconds_left)

    @property
    def rest_words(self) -> str:
        """Kindly, and without a figure of anyone else."""
        seen = self.progress.tagged_today
        then = "An untagged one comes next." if self.following else "The others wait until tomorrow."
        return f"You have scored {seen} sensitive records today, your limit for a day. {then}"


def time_words(seconds: int) -> str:
    minutes = -(-seconds // 60)
    if minutes <= 0:
        return ""
    hours, rest = divmod(minutes, 60)
    return f"about {hours} h {rest:02} left at your pace" if hours else f"about {rest} min left at your pace"


def own_rounds(user: User) -> list[OwnRound]:
    mine = Round.objects.filter(state=RoundState.SCORING, items__assignments__reviewer=user).distinct()
    rounds = mine.select_related("candidate__release").order_by("opened_at", "kind")
    found = [own_round(user, one) for one in rounds]
    return [one for one in found if one.progress.total]


def own_round(user: User, round_: Round) -> OwnRound:
    return OwnRound(user, round_, scoring.my_progress(user, round_))


def _summary(rounds: list[OwnRound]) -> dict[str, object]:
    done, total = sum(one.progress.done for one in rounds), sum(one.progress.total for one in rounds)
    paces = [one.progress.seconds_each for one in rounds if one.progress.seconds_each]
    usual = sum(paces) // len(paces) if paces else 0  # for a round not begun: one's own pace in the others
    left = [(one.progress.total - one.progress.done) * (one.progress.seconds_each or usual) for one in rounds]
    first = next((one for one in rounds if one.following), None)
    return {"done": done, "total": total, "time_left": time_words(sum(left)), "first": first}


@allow(*DATA_ROLES)
@require_GET
def my_work(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    rounds = own_rounds(user)
    tagged = rounds[0].progress.tagged_today if rounds else 0
    context = {"section": "my-work", "rounds": rounds, **_summary(rounds), "tagged": tagged}
    return render(request, "reviews/my_work.html", context)
