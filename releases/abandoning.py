"""Gives a candidate up for good, for a reason: who may, and when it is too late. What blocks it is in the lifecycle."""

from __future__ import annotations

from django.db import transaction

from mhds.access import require
from mhds.models import User
from mhds.roles import Role
from releases.lifecycle import Action, State, actions_from
from releases.models import Candidate
from releases.services import transition

# Before anybody but the engineer has put work into it, the engineer may give up what was built.
ENGINEERS_OWN = frozenset({State.DRAFT, State.BUILDING, State.GATING, State.BLOCKED})


def who_may(state: State) -> tuple[Role, ...]:
    return (Role.LEAD, Role.ENGINEER) if state in ENGINEERS_OWN else (Role.LEAD,)


def may_abandon(candidate: Candidate, user: User) -> bool:
    """For the form on the page: the move exists and this person may make it. The guard speaks when it is made."""
    state = State(candidate.state)
    return Action.ABANDON in actions_from(state) and user.holds(*who_may(state))


def abandon(candidate: Candidate, actor: User | None, reason: str) -> Candidate:
    """Move the candidate to *abandoned*, or raise NotAllowed, IllegalTransition or Blocked and change nothing.

    Work on it that is under way finds the state when it wants to write, and stops.
    """
    with transaction.atomic():
        seen = Candidate.objects.select_for_update(no_key=True).get(pk=candidate.pk)
        person = require(actor, *who_may(State(seen.state)), doing="abandoning this candidate")
        transition(seen, Action.ABANDON, actor=person, reason=reason.strip())
    candidate.refresh_from_db()
    return candidate
