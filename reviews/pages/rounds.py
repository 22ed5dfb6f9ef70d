"""The page of a release's rounds: plans and what they claim, draws, progress, verdicts. Shows counts, never scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from mhds.access import allow, current_user
from mhds.errors import InvalidInput
from mhds.models import User
from mhds.roles import DATA_ROLES, Role
from releases.addressing import candidate_of
from releases.lifecycle import State
from releases.models import Candidate
from reviews import assigning, closing, drawing, escalating, overview, rounds
from reviews.models import Escalation, Round
from reviews.overview import Line
from reviews.pages import next_act
from reviews.pages.conditions import Condition, conditions, next_steps
from reviews.pages.plans import Offer, claim_words, offer, tighter
from reviews.people import contributions
from reviews.plans import DEFAULT_PLAN, Plan, RoundKind
from reviews.statements import planned_sentence
from reviews.states import RoundState

REOPENS = frozenset({State.IN_REVIEW, State.IN_SIGNOFF, State.APPROVED})


@dataclass(frozen=True, slots=True)
class Shown:
    """One open round as the page has it: its line of counts, and what may be done with it."""

    line: Line
    sentence: str
    claim: str
    tighter: list[Plan]
    conditions: list[Condition] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    @property
    def met(self) -> int:
        return sum(condition.met for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Held:
    """One escalation. ``may_close`` is empty, or why this reader cannot settle it."""

    escalation: Escalation
    kind: str
    why_not: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that was not taken: where it stood, what was typed, what is wrong with it."""

    error: InvalidInput
    act: str
    about: str
    text: str


@allow(*DATA_ROLES)
@require_GET
def page(request: HttpRequest, version: str) -> HttpResponse:
    return _page(request, candidate_of(request, version))


def _page(request: HttpRequest, candidate: Candidate, refused: Refused | None = None) -> HttpResponse:
    user = current_user(request)
    lines = overview.lines(candidate) if user.holds(*DATA_ROLES) else []
    raised = overview.escalations(candidate, lines) if lines else []
    in_review = candidate.state == State.IN_REVIEW
    leads = user.holds(Role.LEAD)
    context: dict[str, Any] = {
        "section": "home",
        "release": candidate.release,
        "candidate": candidate,
        "in_review": in_review,
        "leads": leads and in_review,
        "can_reopen": leads and candidate.state in REOPENS,
        "sees_readers": leads,
        "sees_reasons": user.holds(Role.LEAD, Role.COMPLIANCE),
        "reveals": user.holds(Role.COMPLIANCE),
        "refused": refused,
        "lines": lines,
        "rounds": [_shown(line, candidate) for line in lines],
        "escalations": _held(raised, lines, user, candidate),
        "open_escalations": sum(one.closed_at is None for one in raised),
        "answer": next_act.answer(candidate, lines, raised, leads=leads and in_review) if lines else None,
        "offer": offer(candidate) if in_review and not lines else Offer([]),
    }
    return render(request, "reviews/rounds.html", context, status=refused.error.status if refused else 200)


def _shown(line: Line, candidate: Candidate) -> Shown:
    round_, evaluation = line.round, line.evaluation
    planned = round_.state == RoundState.PLANNED
    return Shown(
        line=line,
        sentence=planned_sentence(round_.round_kind, round_.families, round_.population, round_.plan),
        claim=claim_words(round_.plan, round_.population),
        tighter=tighter(round_.plan, round_.round_kind, round_.population) if planned else [],
        conditions=conditions(round_, evaluation) if evaluation else [],
        steps=next_steps(round_, evaluation, candidate.state) if evaluation else [],
    )


def _held(raised: Sequence[Escalation], lines: Sequence[Line], user: User, candidate: Candidate) -> list[Held]:
    """The service refuses by the same rules; the page says so before anything is typed."""
    kinds = {line.round.pk: line.round.kind for line in lines}
    any_open = any(one.closed_at is None for one in raised)
    hands = contributions(candidate) if any_open else {}
    found = []
    for one in raised:
        why_not = ""
        if not user.holds(Role.LEAD, Role.COMPLIANCE):
            why_not = "a release lead or compliance settles it"
        elif one.opened_by_id == user.pk:
            why_not = "you raised it, so somebody else settles it"
        elif user.pk in hands:
            why_not = "you had a hand in the candidate, so somebody else settles it"
        found.append(Held(one, kinds[one.item.round_id], why_not, one.closed_at is None))
    return found


def _back(candidate: Candidate, where: str = "") -> HttpResponse:
    response = redirect("reviews", version=candidate.release.version)
    response["Location"] += f"?candidate={candidate.number}{f'#{where}' if where else ''}"
    return response


@allow(Role.LEAD)
@require_POST
def open_rounds(request: HttpRequest, version: str) -> HttpResponse:
    candidate = candidate_of(request, version)
    chosen = {kind: str(request.POST.get(f"plan-{kind}", DEFAULT_PLAN.id)) for kind in RoundKind}
    opened = rounds.open_rounds(candidate, actor=current_user(request), plans=chosen)
    messages.success(request, f"{len(opened)} rounds are open. Draw each of them next.")
    return _back(candidate)


def _round(version: str, round_id: UUID) -> Round:
    """Looked for among the rounds of the release in the address, so that a link says what it changes."""
    related = ("candidate__release", "candidate__catalog_version", "candidate__snapshot")
    rounds_ = Round.objects.select_related(*related)
    return get_object_or_404(rounds_, pk=round_id, candidate__release__version=version)


@allow(Role.LEAD)
@require_POST
def act(request: HttpRequest, version: str, round_id: UUID) -> HttpResponse:
    """One of the lead's acts on one round. What was typed comes back where it cannot be taken."""
    round_, asked = _round(version, round_id), request.POST.get("act", "")
    reason = request.POST.get("reason", "").strip()
    try:
        _act(request, round_, asked, reason)
    except InvalidInput as error:
        return _page(request, round_.candidate, Refused(error, asked, str(round_.pk), reason))
    return _back(round_.candidate, round_.kind)


def _act(request: HttpRequest, round_: Round, asked: str, reason: str) -> None:
    user, kind = current_user(request), round_.kind
    match asked:
        case "draw":
            drawn = drawing.draw(round_, actor=user, reason=reason)
            messages.success(request, f"{kind}: {len(drawing.current_items(drawn)):,} records are drawn.")
        case "assign":
            _tell(request, round_, assigning.assign(round_, actor=user))
        case "replace":
            reviewer = _reviewer(request.POST.get("reviewer", ""))
            _tell(request, round_, assigning.replace_reviewer(round_, reviewer, actor=user, reason=reason))
        case "tighten":
            plan = rounds.tighten(round_, request.POST.get("plan", ""), actor=user).plan
            messages.success(request, f"{kind} now has the plan {plan.title}.")
        case "close":
            messages.success(request, f"{kind} is closed: {closing.close_round(round_, actor=user).verdict}.")
        case "reopen":
            closing.reopen_round(round_, actor=user, reason=reason)
            messages.success(request, f"{kind} is open again.")
        case _:
            raise InvalidInput("There is no such act on a round.", hint="Reload the page.")


def _reviewer(given: str) -> User:
    found = User.objects.filter(pk=UUID(given)).first() if _is_uuid(given) else None
    if found is None:
        raise InvalidInput("There is no such reviewer.", hint="Reload the page and choose one.")
    return found


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _tell(request: HttpRequest, round_: Round, outcome: assigning.Outcome) -> None:
    messages.success(request, f"{round_.kind}: {outcome.assigned:,} assignments are handed out.")
    for words in outcome.shortages:
        messages.warning(request, f"{round_.kind}: {words}")


@allow(Role.LEAD)
@require_POST
def to_signoff(request: HttpRequest, version: str) -> HttpResponse:
    candidate = candidate_of(request, version)
    closing.to_signoff(candidate, actor=current_user(request))
    messages.success(request, "Sign-off is open.")
    return _back(candidate)


@allow(Role.LEAD, Role.COMPLIANCE)
@require_POST
def close_escalation(request: HttpRequest, version: str, escalation_id: UUID) -> HttpResponse:
    """A named person settles what a reviewer raised, in words, and says whether the fear was right."""
    related = ("item__round__candidate__release", "item__round__candidate__catalog_version")
    rows = Escalation.objects.select_related(*related, "item__round__candidate__snapshot")
    one = get_object_or_404(rows, pk=escalation_id, item__round__candidate__release__version=version)
    candidate, words = one.item.round.candidate, request.POST.get("resolution", "")
    try:
        escalating.close_escalation(current_user(request), one, words, confirmed=_confirmed(request))
    except InvalidInput as error:
        return _page(request, candidate, Refused(error, "settle", str(one.pk), words))
    ended = "confirmed; this candidate cannot go on" if one.is_confirmed else "not confirmed; the record is scored on"
    messages.success(request, f"The escalation is settled: {ended}.")
    return _back(candidate, "escalations")


def _confirmed(request: HttpRequest) -> bool:
    """Nothing is preselected, and silence is neither."""
    said = request.POST.get("confirmed", "")
    if said not in ("yes", "no"):
        raise InvalidInput("Say whether it is confirmed or not.", hint="Choose one of the two.")
    return said == "yes"
