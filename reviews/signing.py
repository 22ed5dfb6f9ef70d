"""Signing, declining and withdrawing: one person, one meaning, one digest, asked who they are each time.

Three current signatures approve the candidate; a withdrawn or outdated one takes the approval back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from mhds import audit, throttle
from mhds.errors import Blocked, Conflict, InvalidInput, NotAllowed, Stale
from mhds.models import User
from releases import channels, services
from releases.lifecycle import Action, State
from releases.models import Candidate
from reviews.binding import digest_of
from reviews.guards import holding, locked, refuse, refuse_contributor
from reviews.models import Seat, Signature, SignatureWithdrawal
from reviews.people import contributions, credentials
from reviews.standing import Standing, blockers, changes, snapshot, standing, statement_of
from reviews.states import ROLE_OF, Decision, Meaning

WORDS, CAPACITY = 4000, 200  # characters


class WrongPassword(NotAllowed):
    """So that a page can say it where the password was typed."""


def may_sign(user: User, candidate: Candidate, meaning: Meaning) -> list[str]:
    """Why this person cannot sign so, in words, for the button; empty means they may try."""
    reasons = refusals(user, candidate, meaning)
    if candidate.state not in (State.IN_SIGNOFF, State.APPROVED):
        reasons.append(f"the candidate is {State(candidate.state).value.replace('_', ' ')}, not in sign-off")
    return reasons


def refusals(user: User, candidate: Candidate, meaning: Meaning) -> list[str]:
    """What about the person is in the way, whatever state the candidate is in."""
    reasons = []
    if not user.holds(ROLE_OF[meaning]):
        reasons.append(f"signing as {meaning.value.replace('_', ' ')} needs the role {ROLE_OF[meaning].words}")
    hows = contributions(candidate).get(user.pk)
    if hows:
        reasons.append(f"you contributed to this candidate ({', '.join(hows)})")
    if _other_meaning(user, candidate, meaning):
        reasons.append("you have signed this candidate in another meaning")
    return reasons


def taken(stands: Standing, user: User) -> str:
    """Why this seat is not this person's to take, in words: signed and current, or refused by another; else empty."""
    held = stands.signature
    if held is None:
        return ""
    if stands.current:
        return f"{held.signer_name} has signed as {stands.meaning.value.replace('_', ' ')} already"
    if held.decision == Decision.DECLINED and held.signer_id != user.pk:
        return stands.words
    return ""


def who_may_sign(candidate: Candidate, meaning: Meaning) -> list[User]:
    """Everyone in the role, with no hand in the candidate and no signature of another meaning under it."""
    elsewhere = Signature.objects.filter(candidate=candidate).exclude(meaning=meaning).values("signer")
    able = User.objects.filter(groups__name=ROLE_OF[meaning].value, is_active=True).exclude(pk__in=elsewhere)
    return list(able.exclude(pk__in=contributions(candidate)).order_by("name", "pk"))


def _other_meaning(user: User, candidate: Candidate, meaning: Meaning) -> bool:
    return Signature.objects.filter(candidate=candidate, signer=user).exclude(meaning=meaning).exists()


def sign(
    user: User,
    candidate: Candidate,
    meaning: str,
    *,
    password: str,
    expected_digest: str,
    capacity: str,
    exceptions: str = "",
    notes: str = "",
    decision: str = Decision.SIGNED,
    expected_statement: str = "",
    expected_evidence: Mapping[str, Any] | None = None,
) -> Signature:
    """Put a name under what this candidate is, or decline to, with notes that say why.

    ``expected_digest`` is the content digest that the signer saw; ``expected_statement``, where given, the digest of
    the sentences, and ``expected_evidence`` the snapshot of the evidence. Stale where any of them has moved on;
    Blocked while gates or rounds are not in order.
    """
    meant, decided = _choices(meaning, decision, capacity, notes)
    _refuse_unkeepable(capacity, CAPACITY)
    _refuse_unkeepable(exceptions + notes, WORDS)
    person = _authorised(user, candidate, meant, password)
    with transaction.atomic():
        seen = _in_signoff(candidate, person)
        _refuse_other_sight(seen, expected_digest, expected_statement, expected_evidence)
        if decided is Decision.SIGNED:
            missing = blockers(seen)
            if missing:
                raise Blocked(f"signing: {missing[0]}.", blockers=missing)
        _free_seat(seen, meant, person)
        signature = Signature.objects.create(
            candidate=seen,
            meaning=meant,
            decision=decided,
            signer=person,
            signer_name=str(person),
            credentials=credentials(person),
            capacity=capacity.strip(),
            exceptions=exceptions.strip(),
            notes=notes.strip(),
            signed_at=timezone.now(),
            **_bound(seen),
        )
        _sit(seen, signature)
        audit.record(person, f"signature.{decided.value}", f"candidate:{seen.pk}", **_audited(signature))
        if all(one.current for one in standing(seen).values()):
            services.transition(seen, Action.APPROVE, actor=person)
    candidate.refresh_from_db()
    return signature


def _choices(meaning: str, decision: str, capacity: str, notes: str) -> tuple[Meaning, Decision]:
    if meaning not in Meaning.values or decision not in Decision.values:
        raise InvalidInput("Choose what you sign as, and whether you sign or decline.")
    if not capacity.strip():
        raise InvalidInput("Say in which capacity you sign.")
    if decision == Decision.DECLINED and not notes.strip():
        raise InvalidInput("Say in the notes why you decline.")
    return Meaning(meaning), Decision(decision)


def _refuse_unkeepable(text: str, most: int) -> None:
    if len(text) > most or "\0" in text:
        raise InvalidInput(f"At most {most:,} characters can be kept with a signature.", hint="Nothing was signed.")


def _authorised(user: User, candidate: Candidate, meaning: Meaning, password: str) -> User:
    """The person as the database knows them now: active, in the role, with clean hands, and really there."""
    person = User.objects.filter(pk=user.pk).first()
    doing = f"signing as {meaning.value.replace('_', ' ')}"
    person = holding(person, candidate, ROLE_OF[meaning], doing=doing)
    refuse_contributor(person, candidate, "signing")
    if _other_meaning(person, candidate, meaning):
        refuse(person, f"candidate:{candidate.pk}", "Nobody signs the same candidate in two meanings.")
    reauthenticate(person, password, f"candidate:{candidate.pk}")
    return person


def reauthenticate(person: User, password: str, subject: str) -> None:
    """Asked at every signature, whatever the session says; guesses are slowed like those at sign-in."""
    throttle.check(person.email)
    if not person.check_password(password):
        throttle.failed(person.email)
        audit.record(person, "signature.refused", subject, why="wrong password")
        raise WrongPassword("The password is not right.", hint="Nothing was signed.")
    throttle.succeeded(person.email)


def _in_signoff(candidate: Candidate, person: User) -> Candidate:
    """The candidate, locked, in sign-off. An approval whose signatures no longer hold is taken back first."""
    seen = locked(candidate, State.IN_SIGNOFF, State.APPROVED)
    if seen.state == State.APPROVED:
        fallen = [one.words for one in standing(seen).values() if not one.current]
        if not fallen:
            raise Conflict("this candidate is approved: all three signatures are current")
        services.transition(seen, Action.UNAPPROVE, actor=person, reason="; ".join(fallen))
    return seen


def _refuse_other_sight(
    candidate: Candidate, expected_digest: str, expected_statement: str, expected_evidence: Mapping[str, Any] | None
) -> None:
    hint = "Nothing was signed. Read it as it is now, then sign or decline."
    if not expected_digest or expected_digest != candidate.content_digest:
        raise Stale("What you saw is not what would be signed: the content differs.", hint=hint)
    changed = () if expected_evidence is None else tuple(changes(expected_evidence, snapshot(candidate)))
    if changed:
        raise Stale(f"What you saw changed before you signed: {', '.join(changed)}.", hint=hint)
    if expected_statement and expected_statement != digest_of(statement_of(candidate)):
        raise Stale("The sentences changed since you read them.", hint=hint)


def _free_seat(candidate: Candidate, meaning: Meaning, person: User) -> None:
    """An outdated signature gives way to a new one; a current one and another's refusal do not."""
    stands = standing(candidate)[meaning]
    if stands.signature is None:
        return
    why = taken(stands, person)
    if why:
        raise Conflict(why, hint="Only they can withdraw that.")
    Seat.objects.filter(signature=stands.signature).delete()


def _bound(candidate: Candidate) -> dict[str, Any]:
    statement, evidence = statement_of(candidate), snapshot(candidate)
    return {
        "content_digest": candidate.content_digest,
        "statement": statement,
        "statement_digest": digest_of(statement),
        "evidence": evidence,
        "evidence_digest": digest_of(evidence),
    }


def _sit(candidate: Candidate, signature: Signature) -> None:
    try:
        with transaction.atomic():
            Seat.objects.create(
                candidate=candidate,
                content_digest=candidate.content_digest,
                meaning=signature.meaning,
                holder=signature.signer,
                signature=signature,
            )
    except IntegrityError:
        raise Conflict("somebody signed at the same time", hint="Reload and look again.") from None


def _audited(signature: Signature) -> dict[str, str]:
    """The audit chain binds the signature's own digest, so that a row copied or edited elsewhere shows."""
    return {"signature": str(signature.pk), "meaning": signature.meaning, "digest": signature_digest(signature)}


def signature_digest(signature: Signature) -> str:
    """Over person, meaning, decision, time, words and everything signed."""
    return digest_of(
        {
            "id": str(signature.pk),
            "candidate": str(signature.candidate_id),
            "meaning": signature.meaning,
            "decision": signature.decision,
            "signer": str(signature.signer_id),
            "capacity": signature.capacity,
            "exceptions": signature.exceptions,
            "notes": signature.notes,
            "content_digest": signature.content_digest,
            "statement_digest": signature.statement_digest,
            "evidence_digest": signature.evidence_digest,
            "signed_at": signature.signed_at.isoformat(),
        }
    )


def withdraw_signature(user: User, signature: Signature, *, password: str, reason: str) -> SignatureWithdrawal:
    """The signer takes a signature, or a refusal, out of force; an approval goes back to sign-off.

    A published release stays published until somebody withdraws it; its channel says at once what is no longer signed.
    """
    candidate = signature.candidate
    subject = f"candidate:{candidate.pk}"
    person = User.objects.get(pk=user.pk)
    if person.pk != signature.signer_id or not person.is_active:
        refuse(person, subject, "Only the signer withdraws a signature.")
    if not reason.strip():
        raise InvalidInput("Say why you withdraw it.")
    _refuse_unkeepable(reason, WORDS)
    reauthenticate(person, password, subject)
    with transaction.atomic():
        seen = locked(candidate, State.IN_REVIEW, State.IN_SIGNOFF, State.APPROVED, State.PUBLISHED)
        freed, _rows = Seat.objects.filter(signature=signature).delete()
        if not freed:
            raise Conflict("this signature is not in force", hint="Reload and look again.")
        withdrawal = SignatureWithdrawal.objects.create(
            signature=signature, by=person, reason=reason.strip(), at=timezone.now()
        )
        audit.record(person, "signature.withdrawn", subject, signature=str(signature.pk), why=reason.strip())
        if seen.state == State.APPROVED:
            services.transition(seen, Action.UNAPPROVE, actor=person, reason=f"{signature.meaning} withdrew: {reason}")
        elif seen.state == State.PUBLISHED:
            channels.refresh_signoff(seen)
    return withdrawal
