"""The page on which a person signs, declines or withdraws, once for each meaning. Reads and renders; services decide.

Everyone who works on releases may read it. Whoever cannot sign sees why, and who can; whatever goes wrong at the
press comes back on the same page with everything typed but the password, and says what changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from mhds.access import allow, current_user
from mhds.errors import InvalidInput, MhdsError, Stale
from mhds.models import User
from mhds.problems import prefers_json
from mhds.roles import DATA_ROLES
from mhds.throttle import TooManyAttempts
from releases.addressing import candidate_of
from releases.lifecycle import UNPUBLISHED, State
from releases.models import Candidate
from reviews import signing
from reviews.models import Signature
from reviews.pages import signing_parts as parts
from reviews.pages.signing_form import SignForm, WithdrawForm, first_words, token_of
from reviews.signing import WrongPassword
from reviews.standing import SigningView, Standing, signing_view, standing
from reviews.states import ROLE_OF, Decision, Meaning

OPEN = (State.IN_REVIEW, State.IN_SIGNOFF, State.APPROVED, State.PUBLISHED)  # in which a signature is withdrawn
NAMED = 8
TYPED = ("decision", "capacity", "exceptions", "notes", "password")  # in the order of the page


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at one candidate for one meaning: computed once, so that all of the page speaks of the same moment."""

    candidate: Candidate
    meaning: Meaning
    user: User
    view: SigningView
    stands: dict[Meaning, Standing]

    @property
    def own_seat(self) -> Signature | None:
        """The reader's own signature in force for this meaning."""
        held = self.stands[self.meaning].signature
        return held if held is not None and held.signer_id == self.user.pk else None

    @property
    def current(self) -> int:
        return sum(one.current for one in self.stands.values())

    @property
    def ended(self) -> bool:
        """Nobody signs this candidate any more, whoever they are."""
        return self.candidate.state not in UNPUBLISHED

    def refusals(self) -> list[str]:
        """Why this person cannot sign, in words; what blocks everybody is said once, as what is missing."""
        asked = signing.refusals if self.view.blockers and not self.ended else signing.may_sign
        found = asked(self.user, self.candidate, self.meaning)
        taken = signing.taken(self.stands[self.meaning], self.user)
        return [*found, taken] if taken else found

    def others(self) -> list[User]:
        """Who can sign instead; after a refusal, nobody but the one who gave it."""
        able = signing.who_may_sign(self.candidate, self.meaning)
        return [one for one in able if not signing.taken(self.stands[self.meaning], one)]


def look(request: HttpRequest, candidate: Candidate, meaning: Meaning) -> Seen:
    view = signing_view(candidate)
    return Seen(candidate, meaning, current_user(request), view, standing(candidate, view))


@allow(*DATA_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: HttpRequest, version: str, meaning: str) -> HttpResponse:
    meant, candidate = Meaning(meaning), candidate_of(request, version)
    if request.method == "POST":
        return _press(request, candidate, meant)
    seen = look(request, candidate, meant)
    if request.headers.get("HX-Request"):
        return render(request, "reviews/_signatures.html", {**signatures_context(seen), "panel_only": True})
    return _page(request, seen, SignForm(meant, initial=_expected(seen)))


def _press(request: HttpRequest, candidate: Candidate, meaning: Meaning) -> HttpResponse:
    form = SignForm(meaning, request.POST)
    try:
        if not form.is_valid():
            raise InvalidInput(first_words(form), hint="Nothing was signed.")
        made = signing.sign(current_user(request), candidate, meaning, **form.given())
    except MhdsError as error:
        if prefers_json(request):
            raise
        return _again(request, candidate, meaning, form, error)
    verb = "declined to sign" if made.decision == Decision.DECLINED else "signed"
    approved = " All three signatures are current: it is approved." if candidate.state == State.APPROVED else ""
    messages.success(request, f"You {verb} {candidate.release.version} as {_words(meaning)}.{approved}")
    return _back(candidate, meaning)


def _again(
    request: HttpRequest, candidate: Candidate, meaning: Meaning, form: SignForm, error: MhdsError
) -> HttpResponse:
    """The same page, with what was typed. What changed meanwhile is said whatever else went wrong."""
    candidate.refresh_from_db()
    seen = look(request, candidate, meaning)
    if form.is_valid() and isinstance(error, WrongPassword | TooManyAttempts):
        form.add_error("password", f"{error.message} {error.hint}")
    if isinstance(error, InvalidInput | WrongPassword | TooManyAttempts) and _moved(form, seen):
        error = Stale(
            "What you saw has changed since the page was opened.",
            hint=f"Nothing was signed. {error.message} Read it as it is now, then sign or decline.",
        )
    return _page(request, seen, form, error)


def _moved(form: SignForm, seen: Seen) -> bool:
    """Whether the page that was pressed showed something else than the one that now comes back."""
    known = {"expected_digest": seen.view.content_digest, "expected_statement": seen.view.statement_digest}
    then = form.cleaned_data.get("seen")
    differs = any(form.data.get(name) not in (None, value) for name, value in known.items())
    return differs or (then is not None and then != seen.view.evidence)


def _expected(seen: Seen) -> dict[str, str]:
    return {
        "expected_digest": seen.view.content_digest,
        "expected_statement": seen.view.statement_digest,
        "seen": token_of(seen.view.evidence),
    }


def _page(
    request: HttpRequest, seen: Seen, form: SignForm, error: MhdsError | None = None, **more: Any
) -> HttpResponse:
    candidate, view = seen.candidate, seen.view
    refusals = seen.refusals()
    shown = parts.evidence(candidate, view)
    context = {
        **signatures_context(seen),
        "digest": parts.digest_shown(view.content_digest),
        "splits": parts.records_by_split(candidate),
        "families": len({file["family"] for file in candidate.files if file["role"] == "data"}),
        "earlier": parts.earlier(candidate, view),
        "evidence": shown,
        "part": parts.own_part(candidate, seen.user, shown.rounds, shown.waivers),
        "refusals": refusals,
        "ended": seen.ended,
        "able": seen.others()[:NAMED] if (refusals or view.blockers) and not seen.ended else [],
        "role": ROLE_OF[seen.meaning].words,
        "open": not refusals and not view.blockers,
        "form": form,
        "bad": next((name for name in TYPED if name in form.errors), "") if form.is_bound else "",
        "expected": _expected(seen),
        "error": error,
        "own": seen.own_seat if candidate.state in OPEN else None,
        "withdrawing": WithdrawForm(),
        **more,
    }
    return render(request, "reviews/sign.html", context, status=error.status if error else 200)


def signatures_context(seen: Seen) -> dict[str, Any]:
    """What the panel of signatures shows, here and on the page of the rounds."""
    return {
        "section": "home",
        "release": seen.candidate.release,
        "candidate": seen.candidate,
        "meaning": seen.meaning,
        "meaning_words": _words(seen.meaning),
        "view": seen.view,
        "current": seen.current,
        "seats": [(one, seen.user.holds(ROLE_OF[meaning]) and not one.current) for meaning, one in seen.stands.items()],
        "stand": seen.stands[seen.meaning],
        "past": parts.past(seen.candidate, seen.stands),
    }


@allow(*DATA_ROLES)
@require_POST
def withdraw(request: HttpRequest, version: str, signature_id: UUID) -> HttpResponse:
    rows = Signature.objects.select_related("candidate__release", "candidate__catalog_version", "candidate__snapshot")
    signature = get_object_or_404(rows, pk=signature_id, candidate__release__version=version)
    candidate, meaning = signature.candidate, Meaning(signature.meaning)
    form = WithdrawForm(request.POST)
    try:
        if not form.is_valid():
            raise InvalidInput(first_words(form), hint="Nothing was withdrawn.")
        signing.withdraw_signature(current_user(request), signature, **form.cleaned_data)
    except MhdsError as error:
        if prefers_json(request):
            raise
        candidate.refresh_from_db()
        seen = look(request, candidate, meaning)
        if form.is_valid() and isinstance(error, WrongPassword | TooManyAttempts):
            form.add_error("password", f"{error.message} Nothing was withdrawn.")
        return _page(request, seen, SignForm(meaning), error, withdrawing=form)
    messages.success(request, f"You withdrew what you signed as {_words(meaning)}. It stays on record.")
    return _back(candidate, meaning)


def _back(candidate: Candidate, meaning: Meaning) -> HttpResponse:
    response = redirect("sign", version=candidate.release.version, meaning=meaning.value)
    response["Location"] += f"?candidate={candidate.number}"
    return response


def _words(meaning: Meaning) -> str:
    return meaning.value.replace("_", " ")
