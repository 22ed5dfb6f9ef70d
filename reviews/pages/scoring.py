"""The acts of the scoring screen, for a plain form and for the page's script alike. The rules are the services'."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from mhds.access import allow, current_user
from mhds.errors import Conflict, InvalidInput, NotFound, Stale
from mhds.models import User
from mhds.problems import prefers_json
from mhds.roles import Role
from reviews import escalating, keys, scoring
from reviews.models import Assignment, Draft
from reviews.pages.common import number_of
from reviews.pages.form import comments_of, payload_of
from reviews.pages.screen import context_of
from reviews.pages.work import OwnRound, own_round
from reviews.scoring import InvalidScore
from reviews.states import AssignmentState, RoundState

REVIEWERS = allow(Role.CLINICIAN, Role.BIAS, Role.COMPLIANCE)
SCORED = "scored"  # in the session: one's own submitted records, newest last, for Undo
UNDOS = 20


def _own(user: User, assignment_id: UUID) -> Assignment:
    """404 for whatever is not this person's own, the same as for what does not exist."""
    mine = Assignment.objects.filter(reviewer=user).select_related("item__round__candidate", "draft")
    found = mine.filter(pk=assignment_id).first()
    if found is None:
        raise NotFound("There is no such record for you.", hint="Open My work.")
    return found


def _is_waiting(mine: Assignment) -> bool:
    return mine.state == AssignmentState.ASSIGNED and mine.item.round.state == RoundState.SCORING


def _is_past_limit(own: OwnRound, mine: Assignment) -> bool:
    """A tagged record not begun, after the person's own limit for the day."""
    return mine.item.is_critical and own.has_had_enough and not hasattr(mine, "draft")


def _draft_of(mine: Assignment) -> dict[str, Any]:
    if not hasattr(mine, "draft"):
        return {"payload": {}, "comments": [], "version": 0}
    return {"payload": mine.draft.payload, "comments": mine.draft.comments, "version": mine.draft.version}


@REVIEWERS
@require_GET
def item(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    user = current_user(request)
    mine = _own(user, assignment_id)
    if not _is_waiting(mine):
        messages.info(request, "That record is not waiting for you any more.")
        return redirect("my-work")
    own, draft = own_round(user, mine.item.round), _draft_of(mine)
    if _is_past_limit(own, mine):
        messages.info(request, own.rest_words)
        return _go(own.following)
    context = context_of(user, mine, own, **draft, unveiled="unveiled" in request.GET)
    response = render(request, "reviews/score.html", context)
    response["Cache-Control"] = "no-store"
    return response


@REVIEWERS
@require_GET
def ahead(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """One of the next records as a part of the page: read and audited as any, but its clock does not start."""
    user = current_user(request)
    mine = _own(user, assignment_id)
    if not _is_waiting(mine):
        raise Conflict("that record is not waiting for you any more", hint="Go to the next one.")
    context = context_of(user, mine, own_round(user, mine.item.round), **_draft_of(mine), ahead=True)
    response = render(request, "reviews/_screen.html", context)
    response["Cache-Control"] = "no-store"
    return response


@REVIEWERS
@require_POST
def draft(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """Autosave: JSON out; 409 with the version that is kept where it was saved elsewhere in the meantime."""
    user = current_user(request)
    mine = _own(user, assignment_id)
    version = number_of(request.POST.get("version", ""), "version")
    payload = payload_of(mine.item.round.rubric, request.POST)
    try:
        kept = scoring.save_draft(user, mine, payload, comments_of(request.POST), expected_version=version)
    except Stale as stale:
        return _stale(mine, stale)
    except (Conflict, InvalidInput) as error:
        return JsonResponse({"title": error.message}, status=error.status)
    return JsonResponse({"version": kept.version})


def _stale(mine: Assignment, stale: Stale) -> JsonResponse:
    now = Draft.objects.filter(assignment=mine).values_list("version", flat=True).first() or 0
    return JsonResponse({"title": stale.message, "version": now}, status=409)


def _go(following: Assignment | None, *, by_script: bool = False) -> HttpResponse:
    url = reverse("score-item", args=[following.pk]) if following else reverse("my-work")
    return JsonResponse({"next": url}) if by_script else redirect(url)


def _next(request: HttpRequest, mine: Assignment) -> HttpResponse:
    user = current_user(request)
    rested = scoring.has_had_enough(user, scoring.tagged_today(user))
    return _go(scoring.next_item(user, mine.item.round, rested=rested), by_script=prefers_json(request))


@REVIEWERS
@require_POST
def submit(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """Submit, and go on to the next; an incomplete score comes back with what is missing."""
    user = current_user(request)
    mine = _own(user, assignment_id)
    version = number_of(request.POST.get("version", ""), "version")
    payload, comments = payload_of(mine.item.round.rubric, request.POST), comments_of(request.POST)
    try:
        scoring.submit(user, mine, payload, comments, expected_version=version)
    except InvalidScore as error:
        if prefers_json(request):
            found = [{"field": one.field, "message": one.message} for one in error.errors]
            return JsonResponse({"title": error.message, "errors": found}, status=error.status)
        own = own_round(user, mine.item.round)
        context = context_of(user, mine, own, payload=payload, comments=comments, version=version, errors=error.errors)
        response = render(request, "reviews/score.html", context, status=error.status)
        response["Cache-Control"] = "no-store"
        return response
    except Stale as stale:
        if prefers_json(request):
            return _stale(mine, stale)
        raise
    request.session[SCORED] = [*request.session.get(SCORED, []), str(mine.pk)][-UNDOS:]
    return _next(request, mine)


@REVIEWERS
@require_POST
def act(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """Skip, flag, escalate, or take back the record that was submitted last."""
    user = current_user(request)
    mine = _own(user, assignment_id)
    match request.POST.get("act", ""):
        case "skip":
            scoring.skip(user, mine)
            return _next(request, mine)
        case "flag":
            scoring.flag(user, mine, not mine.is_flagged)
            if prefers_json(request):
                return JsonResponse({"flagged": mine.is_flagged})
        case "escalate":
            escalating.escalate(user, mine, request.POST.get("kind", ""), request.POST.get("reason", ""))
            messages.success(request, "Escalated. Nobody reads this record until a named person has closed it.")
            return _next(request, mine)
        case "opened":
            return _opened(request, user, mine)
        case "undo":
            mine = _undo(request, user)
        case _:
            raise InvalidInput("There is no such act on a record.", hint="Reload the page.")
    return _go(mine, by_script=prefers_json(request))


def _opened(request: HttpRequest, user: User, mine: Assignment) -> HttpResponse:
    own = own_round(user, mine.item.round)
    if _is_past_limit(own, mine):
        messages.info(request, own.rest_words)
        return _go(own.following, by_script=True)
    scoring.opened(user, mine)
    return JsonResponse({})


def _undo(request: HttpRequest, user: User) -> Assignment:
    scored = request.session.get(SCORED, [])
    if not scored:
        raise Conflict("nothing was submitted in this session", hint="Go back to the record.")
    mine = _own(user, UUID(scored[-1]))
    scoring.undo(user, mine)
    request.session[SCORED] = scored[:-1]
    return mine


@REVIEWERS
@require_POST
def own_keys(request: HttpRequest) -> HttpResponse:
    """One's own keys, from the keys panel; back to the page they were chosen on."""
    user = current_user(request)
    typed = {one.name: request.POST.get(f"key.{one.name}", "") for one in keys.ACTS}
    chosen = keys.choose(user, typed, on=bool(request.POST.get("on")))
    if prefers_json(request):
        shown = {name: keys.printed(key) for name, key in chosen.items()}
        return JsonResponse({"on": user.keys_on, "keys": chosen, "printed": shown})
    messages.success(request, "Your keys are kept.")
    try:
        return redirect("score-item", assignment_id=UUID(request.POST.get("back", "")))
    except ValueError:
        return redirect("my-work")
