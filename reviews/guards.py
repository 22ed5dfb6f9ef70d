"""What every verb of a review asks first: the right person, no hand in the candidate, the candidate in review.

Refusals of people are audited, so they are made outside the transaction that they stop.
"""

from __future__ import annotations

from typing import NoReturn

from mhds import audit
from mhds.access import require
from mhds.errors import Conflict, NotAllowed
from mhds.models import User
from mhds.roles import Role
from releases.lifecycle import State
from releases.models import Candidate
from reviews.people import contributions


def refuse(user: User | None, subject: str, why: str, *, hint: str = "") -> NoReturn:
    audit.record(user, "review.refused", subject, why=why)
    raise NotAllowed(why, hint=hint)


def holding(user: User | None, candidate: Candidate, *roles: Role, doing: str) -> User:
    """The person, if they hold one of the roles; a refusal is audited."""
    try:
        return require(user, *roles, doing=doing)
    except NotAllowed as error:
        refuse(user, f"candidate:{candidate.pk}", error.message, hint=error.hint)


def refuse_contributor(user: User, candidate: Candidate, doing: str) -> None:
    hows = contributions(candidate).get(user.pk)
    if hows:
        why = f"{doing} is not for who contributed to the candidate ({', '.join(hows)})."
        refuse(user, f"candidate:{candidate.pk}", why, hint="Ask a colleague who had no hand in it.")


def lead_of(actor: User | None, candidate: Candidate, doing: str) -> User:
    """The release lead, if it is one who had no hand in the candidate."""
    lead = holding(actor, candidate, Role.LEAD, doing=doing)
    refuse_contributor(lead, candidate, doing)
    return lead


def locked(candidate: Candidate, *states: State) -> Candidate:
    """The candidate's row, locked, if it is in one of the states: inside the transaction that relies on it."""
    seen = Candidate.objects.select_for_update(no_key=True).get(pk=candidate.pk)
    if seen.state not in states:
        now, wanted = _words(State(seen.state)), " or ".join(map(_words, states))
        raise Conflict(f"the candidate is {now}, not {wanted}", hint="Reload and look again.")
    return seen


def _words(state: State) -> str:
    return state.value.replace("_", " ")
