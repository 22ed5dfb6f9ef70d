"""The scoring screen: one's own record beside the rubric's form. Shows nothing of the record but its turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from mhds.access import allow, current_user
from mhds.errors import Conflict, InvalidInput, NotFound, Stale
from mhds.models import User
from mhds.roles import Role
from reviews import scoring, text_access
from reviews.models import Assignment, Draft
from reviews.pages.common import number_of
from reviews.pages.form import payload_of
from reviews.pages.work import own_round
from reviews.rubrics import Dimension, FieldError, NotePolicy, Rubric
from reviews.scoring import InvalidScore
from reviews.states import AssignmentState, RoundState

REVIEWERS = allow(Role.CLINICIAN, Role.BIAS, Role.COMPLIANCE)
ROLE_WORDS = {"system": "Instructions", "user": "User", "assistant": "Assistant"}


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    spoken: str


@dataclass(frozen=True, slots=True)
class Row:
    """One dimension as the form shows it: nothing is chosen unless the person's own draft says so."""

    dimension: Dimension
    choices: list[Choice]
    chosen: str
    answered: str
    error: str


@dataclass(frozen=True, slots=True)
class MarkRow:
    id: str
    title: str
    text: str


def _own(user: User, assignment_id: UUID) -> Assignment:
    """404 for whatever is not this person's own, the same as for what does not exist."""
    mine = Assignment.objects.filter(reviewer=user).select_related("item__round__candidate__release")
    found = mine.filter(pk=assignment_id).first()
    if found is None:
        raise NotFound("There is no such record for you.", hint="Open My work.")
    return found


def _choices(rubric: Rubric, dimension: Dimension) -> list[Choice]:
    found = [
        Choice(str(score), dimension.anchor(score).label or str(score), "")
        for score in range(dimension.low, dimension.high + 1)
    ]
    if dimension.na_when:
        found.append(Choice("n/a", "n/a", ""))
    if rubric.unsure:
        found.append(Choice("unsure", "?", " unsure"))
    return found


def _rows(rubric: Rubric, payload: dict[str, Any], errors: dict[str, str]) -> list[Row]:
    scores, answers = payload.get("scores", {}), payload.get("answers", {})
    return [
        Row(
            dimension=one,
            choices=_choices(rubric, one),
            chosen=str(scores.get(one.id, "")),
            answered=str(answers.get(one.follow_up.id, "")) if one.follow_up else "",
            error=errors.get(f"scores.{one.id}")
            or (errors.get(f"answers.{one.follow_up.id}", "") if one.follow_up else ""),
        )
        for one in rubric.dimensions
    ]


def _marks(rubric: Rubric, payload: dict[str, Any], turns: int) -> dict[str, Any]:
    """Criticals or findings, whichever this rubric has; ``values`` are the marks of the draft."""
    is_finding = bool(rubric.finding_kinds)
    field, key = ("findings", "kind") if is_finding else ("criticals", "id")
    kept = payload.get(field)
    return {
        "field": field,
        "title": "Identifiers seen" if is_finding else "Critical fail",
        "rows": [MarkRow(one.id, one.title, one.text) for one in (rubric.finding_kinds or rubric.criticals)],
        "values": [f"{one[key]}@{one.get('turn', '')}" for one in kept or []],
        "none": kept == [],
        "turns": range(1, turns + 1),
    }


def _page(
    request: HttpRequest, mine: Assignment, payload: dict[str, Any], version: int, errors: list[FieldError], status: int
) -> HttpResponse:
    user, round_ = current_user(request), mine.item.round
    turns = text_access.read_item(user, mine.item)
    by_field = {one.field: one.message for one in errors}
    context = {
        "section": "my-work",
        "assignment": mine,
        "rubric": round_.rubric,
        "turns": [(place, ROLE_WORDS.get(one.role, one.role), one) for place, one in enumerate(turns, 1)],
        "rows": _rows(round_.rubric, payload, by_field),
        "marks": _marks(round_.rubric, payload, len(turns)),
        "other_errors": [one.message for one in errors if not one.field.startswith(("scores.", "answers."))],
        "notes": round_.rubric.note is not NotePolicy.FORBIDDEN,
        "note": payload.get("note", ""),
        "version": version,
        "own": own_round(user, round_),
    }
    response = render(request, "reviews/score.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


@REVIEWERS
@require_GET
def item(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    mine = _own(current_user(request), assignment_id)
    if mine.state != AssignmentState.ASSIGNED or mine.item.round.state != RoundState.SCORING:
        messages.info(request, "That record is not waiting for you any more.")
        return redirect("my-work")
    draft = Draft.objects.filter(assignment=mine).first()
    return _page(request, mine, draft.payload if draft else {}, draft.version if draft else 0, [], 200)


@REVIEWERS
@require_POST
def draft(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """Autosave: JSON out; 409 with the version that is kept where it was saved elsewhere in the meantime."""
    user = current_user(request)
    mine = _own(user, assignment_id)
    version = number_of(request.POST.get("version", ""), "version")
    try:
        kept = scoring.save_draft(
            user, mine, payload_of(mine.item.round.rubric, request.POST), expected_version=version
        )
    except Stale as stale:
        now = Draft.objects.filter(assignment=mine).values_list("version", flat=True).first() or 0
        return JsonResponse({"message": stale.message, "version": now}, status=409)
    except (Conflict, InvalidInput) as error:
        return JsonResponse({"message": error.message}, status=error.status)
    return JsonResponse({"version": kept.version})


def _next(user: User, mine: Assignment) -> HttpResponse:
    following = scoring.next_item(user, mine.item.round)
    return redirect("score-item", assignment_id=following.pk) if following else redirect("my-work")


@REVIEWERS
@require_POST
def submit(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """Submit, and go on to the next; an incomplete score comes back with what is missing."""
    user = current_user(request)
    mine = _own(user, assignment_id)
    version = number_of(request.POST.get("version", ""), "version")
    payload = payload_of(mine.item.round.rubric, request.POST)
    try:
        scoring.submit(user, mine, payload, expected_version=version)
    except InvalidScore as error:
        return _page(request, mine, payload, version, error.errors, error.status)
    request.session["last_scored"] = str(mine.pk)
    return _next(user, mine)


@REVIEWERS
@require_POST
def act(request: HttpRequest, assignment_id: UUID) -> HttpResponse:
    """Skip, flag, or take back the record that was submitted last."""
    user = current_user(request)
    mine = _own(user, assignment_id)
    match request.POST.get("act", ""):
        case "skip":
            scoring.skip(user, mine)
            return _next(user, mine)
        case "flag":
            scoring.flag(user, mine, not mine.is_flagged)
        case "undo":
            last = request.session.get("last_scored")
            if not last:
                raise Conflict("nothing was submitted in this session", hint="Go back to the record.")
            mine = _own(user, UUID(last))
            scoring.undo(user, mine)
            del request.session["last_scored"]
        case _:
            raise InvalidInput("There is no such act on a record.", hint="Reload the page.")
    return redirect("score-item", assignment_id=mine.pk)
