"""The page of a release's rounds: plans and what they claim, draws, progress, verdicts. Shows counts, never scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from mhds.access import allow, current_user
from mhds.errors import Blocked, Conflict, InvalidInput
from mhds.models import User
from mhds.roles import DATA_ROLES, Role
from releases.lifecycle import State
from releases.models import Candidate
from reviews import assigning, closing, drawing, plans, rounds, scoring
from reviews.models import Round
from reviews.pages.common import candidate_of
from reviews.plans import DEFAULT_PLAN, PLANS, Plan, RoundKind
from reviews.rounds import RoundPreview
from reviews.states import RoundState


@dataclass(frozen=True, slots=True)
class Tier:
    """One plan for one round: what it would claim there, or why it cannot be used."""

    plan: Plan
    refusals: list[str]
    claim: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Choice:
    preview: RoundPreview
    tiers: list[Tier]


@dataclass(frozen=True, slots=True)
class Line:
    """One open round: ``complete`` of ``handed`` assignments are in; nothing by person."""

    round: Round
    complete: int
    handed: int
    drawn: int
    attempts: int
    shortages: int

    @property
    def style(self) -> str:
        evaluation = self.round.evaluation
        return {"pass": "PASS", "fail": "FAIL", "inconclusive": "blocked"}.get(
            evaluation.verdict if evaluation else "", ""
        )

    @property
    def can_close(self) -> bool:
        return self.round.state == RoundState.SCORING and self.complete == self.handed


def _claim(plan: Plan, population: int) -> str:
    if not population:
        return "nothing: no record to draw from"
    stated = plans.claim(plan, population)
    if stated.all_read:
        return f"all {population:,} are read"
    return f"fewer than {plans.percent(plan.limit_bp)}, at most {stated.at_most:,} of {population:,}"


def _tiers(shown: RoundPreview) -> list[Tier]:
    return [
        Tier(plan, refused, "" if refused else _claim(plan, shown.population), plan.id == DEFAULT_PLAN.id)
        for plan in PLANS.values()
        for refused in [plans.refusals(plan, shown.population, shown.kind) if shown.population else []]
    ]


def choices(candidate: Candidate) -> tuple[list[Choice], str]:
    """The plans on offer, or why there are none now: the gates have to run again, for one."""
    try:
        return [Choice(one, _tiers(one)) for one in rounds.preview(candidate)], ""
    except (Conflict, Blocked) as error:
        return [], f"{error.message} {error.hint}"


def line(round_: Round) -> Line:
    draw = round_.draw
    items = round_.items.filter(draw__attempt=draw.attempt) if draw else round_.items.none()
    complete, handed = scoring.round_progress(round_)
    return Line(
        round=round_,
        complete=complete,
        handed=handed,
        drawn=items.count(),
        attempts=draw.attempt if draw else 0,
        shortages=items.exclude(shortage="").count(),
    )


@allow(*DATA_ROLES)
@require_GET
def page(request: HttpRequest, version: str) -> HttpResponse:
    candidate = candidate_of(request, version)
    user = current_user(request)
    lines = [line(one) for one in Round.objects.visible_to(user).of(candidate).prefetch_related("evaluations")]
    in_review = candidate.state == State.IN_REVIEW
    leads = in_review and user.holds(Role.LEAD)
    found, held = choices(candidate) if in_review and not lines else ([], "")
    context = {
        "section": "home",
        "release": candidate.release,
        "candidate": candidate,
        "lines": lines,
        "in_review": in_review,
        "leads": leads,
        "choices": found,
        "held": held,
        "all_passed": bool(lines) and all(one.style == "PASS" for one in lines),
    }
    template = "reviews/_panel.html" if request.headers.get("HX-Request") else "reviews/rounds.html"
    return render(request, template, context)


def _plans(posted: Mapping[str, str]) -> dict[RoundKind, str]:
    return {kind: posted.get(f"plan-{kind}", DEFAULT_PLAN.id) for kind in RoundKind}


def _back(candidate: Candidate) -> HttpResponse:
    response = redirect("reviews", version=candidate.release.version)
    response["Location"] += f"?candidate={candidate.number}"
    return response


@allow(Role.LEAD)
@require_POST
def open_rounds(request: HttpRequest, version: str) -> HttpResponse:
    candidate = candidate_of(request, version)
    chosen = _plans({name: str(value) for name, value in request.POST.items()})
    opened = rounds.open_rounds(candidate, actor=current_user(request), plans=chosen)
    messages.success(request, f"{len(opened)} rounds are open. Draw each of them next.")
    return _back(candidate)


def _round(request: HttpRequest, version: str, round_id: UUID) -> tuple[User, Round]:
    """Looked for among the rounds of the release in the address, so that a link says what it changes."""
    rounds_ = Round.objects.select_related("candidate__release", "candidate__catalog_version")
    return current_user(request), get_object_or_404(rounds_, pk=round_id, candidate__release__version=version)


@allow(Role.LEAD)
@require_POST
def act(request: HttpRequest, version: str, round_id: UUID) -> HttpResponse:
    """One of the lead's acts on one round: draw, assign, close, reopen."""
    user, round_ = _round(request, version, round_id)
    reason = request.POST.get("reason", "").strip()
    match request.POST.get("act", ""):
        case "draw":
            drawn = drawing.draw(round_, actor=user, reason=reason)
            messages.success(request, f"{round_.kind}: {drawn.items.count():,} records are drawn.")
        case "assign":
            _tell(request, round_, assigning.assign(round_, actor=user))
        case "close":
            evaluation = closing.close_round(round_, actor=user)
            messages.success(request, f"{round_.kind} is closed: {evaluation.verdict}.")
        case "reopen":
            closing.reopen_round(round_, actor=user, reason=reason)
            messages.success(request, f"{round_.kind} is open again.")
        case _:
            raise InvalidInput("There is no such act on a round.", hint="Reload the page.")
    return _back(round_.candidate)


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
