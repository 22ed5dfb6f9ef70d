"""Stops a candidate from inside a round, and lets a named person settle it. Owns escalations; shows no text."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from mhds import audit
from mhds.errors import Conflict, InvalidInput
from mhds.models import User
from mhds.roles import Role
from releases import services
from releases.lifecycle import Action, State
from releases.models import Candidate
from reviews.guards import holding, locked, refuse, refuse_contributor
from reviews.models import Assignment, Escalation
from reviews.scoring import may_score, own
from reviews.states import EscalationKind

WORDS = 2000


def escalate(user: User, assignment: Assignment, kind: str, reason: str) -> Escalation:
    """Raise an item of one's own. From now on nobody scores it or reads it until a named person closes it."""
    may_score(user, assignment)
    if kind not in EscalationKind.values:
        raise InvalidInput(f"{kind!r} is no kind of escalation.", hint=f"One of: {', '.join(EscalationKind.values)}.")
    with transaction.atomic():
        mine = own(user, assignment)
        raised = Escalation.objects.create(
            item=mine.item, kind=kind, reason=said(reason), opened_by=user, opened_at=timezone.now()
        )
        audit.record(user, "item.escalated", f"item:{mine.item_id}", escalation=str(raised.pk), kind=kind)
    return raised


def said(words: str) -> str:
    text = words.strip()
    if not text or len(text) > WORDS:
        raise InvalidInput(f"Give a reason of 1 to {WORDS:,} characters, without names or numbers of people.")
    return text


def close_escalation(user: User | None, escalation: Escalation, resolution: str, *, confirmed: bool) -> Escalation:
    """A lead or compliance settles it, never who raised it. A confirmed one rejects the candidate."""
    candidate = escalation.item.round.candidate
    person = holding(user, candidate, Role.LEAD, Role.COMPLIANCE, doing="closing an escalation")
    refuse_contributor(person, candidate, "closing an escalation")
    if person.pk == escalation.opened_by_id:
        refuse(person, f"candidate:{candidate.pk}", "Who raised an escalation does not close it.")
    words = said(resolution)
    with transaction.atomic():
        seen = locked(candidate, *State)
        closed = Escalation.objects.filter(pk=escalation.pk, closed_at=None).update(
            closed_by=person, closed_at=timezone.now(), resolution=words, is_confirmed=confirmed
        )
        if not closed:
            raise Conflict("this escalation is closed already", hint="Reload and look again.")
        audit.record(
            person,
            "escalation.closed",
            f"item:{escalation.item_id}",
            escalation=str(escalation.pk),
            confirmed=confirmed,
        )
        if confirmed and seen.state == State.IN_REVIEW:
            reason = f"a {escalation.kind} was confirmed in round {escalation.item.round.kind}"
            services.transition(candidate, Action.REJECT, actor=person, reason=reason)
    escalation.refresh_from_db()
    return escalation


def open_escalations(candidate: Candidate) -> QuerySet[Escalation]:
    """What waits for a named person, oldest first."""
    found = Escalation.objects.filter(item__round__candidate=candidate, closed_at=None)
    return found.select_related("item__round").order_by("opened_at", "pk")
