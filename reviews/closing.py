"""Closes a round with its verdict and opens it again, and moves the candidate on. How scores are judged is not here."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from mhds import audit
from mhds.errors import Blocked, Conflict, InvalidInput
from mhds.models import User
from releases import services
from releases.lifecycle import Action, State
from releases.models import Candidate
from reviews.binding import bound_digest
from reviews.guards import lead_of, locked
from reviews.judging import figures, judged
from reviews.models import Assignment, Escalation, Evaluation, Round
from reviews.statements import round_statement
from reviews.states import AssignmentState, RoundState
from reviews.verdicts import Verdict


def close_round(round_: Round, *, actor: User | None) -> Evaluation:
    """Compute and keep the verdict, once nobody has anything left to score and no escalation is open.

    A failed round rejects the candidate; the last round that passes takes the candidate on to sign-off.
    """
    lead = lead_of(actor, round_.candidate, "closing a round")
    with transaction.atomic():
        locked(round_.candidate, State.IN_REVIEW)
        seen = Round.objects.select_for_update(no_key=True).get(pk=round_.pk)
        if seen.state != RoundState.SCORING:
            raise Conflict(f"this round is {seen.state}", hint="Reload and look again.")
        refuse_unfinished(seen)
        evaluation = evaluate(seen, lead)
    round_.refresh_from_db()
    if evaluation.verdict == Verdict.FAIL:
        reason = f"round {round_.kind}: {'; '.join(evaluation.reasons)}"
        services.transition(round_.candidate, Action.REJECT, actor=lead, reason=reason)
    elif evaluation.verdict == Verdict.PASS:
        _try_signoff(round_.candidate, lead)
    return evaluation


def refuse_unfinished(round_: Round) -> None:
    left = Assignment.objects.filter(item__round=round_, state=AssignmentState.ASSIGNED).count()
    if left:
        raise Conflict(f"{left:,} assignments are not scored yet", hint="Wait, or replace who cannot go on.")
    held = Escalation.objects.filter(item__round=round_, closed_at=None).count()
    if held:
        raise Conflict(f"{held:,} escalations are open", hint="A named person must close them first.")


def _try_signoff(candidate: Candidate, lead: User) -> None:
    """Anything else in the way is shown on the pages; the lead moves the candidate on when it is gone."""
    try:
        services.transition(candidate, Action.SIGN_OFF, actor=lead)
    except Blocked:
        candidate.refresh_from_db()


def to_signoff(candidate: Candidate, *, actor: User | None) -> Candidate:
    """Take a reviewed candidate on to sign-off; Blocked with every reason otherwise."""
    lead = lead_of(actor, candidate, "opening sign-off")
    return services.transition(candidate, Action.SIGN_OFF, actor=lead)


def reopen_round(round_: Round, *, actor: User | None, reason: str) -> Round:
    """Take a verdict out of force, for a reason. Scores that are in stay as they are; gaps may be filled.

    The candidate goes back to review. The old verdict stays on record, and signatures that rest on it are outdated.
    """
    lead = lead_of(actor, round_.candidate, "reopening a round")
    if not reason.strip():
        raise InvalidInput("Say why this round is opened again.")
    with transaction.atomic():
        candidate = locked(round_.candidate, State.IN_REVIEW, State.IN_SIGNOFF, State.APPROVED)
        seen = Round.objects.select_for_update(no_key=True).get(pk=round_.pk)
        if seen.state != RoundState.EVALUATED or not seen.population:
            raise Conflict("only an evaluated round of drawn records is opened again", hint="Reload and look again.")
        Round.objects.filter(pk=seen.pk).update(state=RoundState.SCORING, closed_at=None, closed_by=None)
        if candidate.state != State.IN_REVIEW:
            why = f"round {seen.kind} was opened again: {reason.strip()}"
            services.transition(candidate, Action.REOPEN, actor=lead, reason=why)
        audit.record(lead, "round.reopened", f"round:{seen.pk}", why=reason.strip())
    round_.refresh_from_db()
    round_.candidate.refresh_from_db()
    return round_


def evaluate(round_: Round, lead: User) -> Evaluation:
    """Write the verdict of what is there and mark the round evaluated; inside the caller's transaction."""
    verdict, facts = judged(round_)
    now = timezone.now()
    evaluation = Evaluation.objects.create(
        round=round_,
        number=round_.evaluations.count() + 1,
        verdict=verdict.verdict,
        reasons=list(verdict.reasons),
        figures=figures(round_, verdict, facts),
        statement=round_statement(facts),
        digest=bound_digest(round_),
        by=lead,
        at=now,
    )
    round_.state, round_.closed_at, round_.closed_by = RoundState.EVALUATED, now, lead
    round_.save(update_fields=["state", "closed_at", "closed_by"])
    audit.record(lead, "round.evaluated", f"round:{round_.pk}", verdict=verdict.verdict, digest=evaluation.digest)
    return evaluation
