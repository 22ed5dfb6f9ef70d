"""What the scoring screen shows of one record: turns, rubric, marks, the person's own keys. Decides nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from mhds.models import User
from reviews import keys, scoring, text_access
from reviews.models import Assignment
from reviews.pages.work import OwnRound
from reviews.rubrics import Dimension, FieldError, NotePolicy, Rubric
from reviews.rubrics.model import Critical, FindingKind
from reviews.states import EscalationKind

ROLE_WORDS = {"system": "Instructions", "user": "User", "assistant": "Assistant"}
ESCALATIONS = (
    (EscalationKind.MINOR, "A minor is concerned", "the text is hidden at once"),
    (EscalationKind.IDENTIFIER, "A real person can be identified", "the text is hidden at once"),
    (EscalationKind.OTHER, "Something else that cannot wait", "say what"),
)
AHEAD = 2
PICKS = "1234567890abcdefghijklm"  # what picks an entry while one is being marked; N is none of them


@dataclass(frozen=True, slots=True)
class Choice:
    """``key`` is printed where the label is not the number that one types."""

    value: str
    label: str
    spoken: str = ""
    key: str = ""


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
    key: str


@dataclass(frozen=True, slots=True)
class Turn:
    """``lines`` are joined by a carriage return on the page, so that offsets count the characters of the record."""

    place: int
    role: str
    words: str
    lines: list[str]
    size: int


def _turns(messages: Sequence[Any]) -> list[Turn]:
    return [
        Turn(place, one.role, ROLE_WORDS.get(one.role, one.role), one.content.split("\r"), len(one.content.split()))
        for place, one in enumerate(messages, 1)
    ]


def _choices(rubric: Rubric, dimension: Dimension) -> list[Choice]:
    labels = {score: dimension.anchor(score).label for score in range(dimension.low, dimension.high + 1)}
    found = [
        Choice(str(score), label or str(score), key=str(score) if label else "") for score, label in labels.items()
    ]
    if dimension.na_when:
        found.append(Choice("n/a", "n/a"))
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
    entries: Sequence[FindingKind | Critical] = rubric.finding_kinds or rubric.criticals
    return {
        "field": field,
        "title": "Identifiers seen" if is_finding else "Critical fail",
        "rows": [MarkRow(one.id, one.title, one.text, pick) for one, pick in zip(entries, PICKS, strict=False)],
        "values": [f"{one[key]}@{one.get('turn', '')}" for one in kept or []],
        "none": kept == [],
        "turns": range(1, turns + 1),
    }


def context_of(
    user: User,
    mine: Assignment,
    own: OwnRound,
    *,
    payload: dict[str, Any],
    comments: list[dict[str, Any]],
    version: int,
    errors: Sequence[FieldError] = (),
    ahead: bool = False,
    unveiled: bool = False,
) -> dict[str, Any]:
    """Everything of one screen. The one read of the text is here; ``ahead`` reads it before its turn."""
    round_ = mine.item.round
    turns = _turns(text_access.read_item(user, mine.item, ahead=ahead))
    by_field = {one.field: one.message for one in errors}
    chosen = keys.keys_of(user)
    following = scoring.upcoming(user, round_, AHEAD, after=mine.position, rested=own.has_had_enough)
    return {
        "section": "my-work",
        "assignment": mine,
        "rubric": round_.rubric,
        "turns": turns,
        "rows": _rows(round_.rubric, payload, by_field),
        "marks": _marks(round_.rubric, payload, len(turns)),
        "other_errors": [one.message for one in errors if not one.field.startswith(("scores.", "answers."))],
        "notes": round_.rubric.note is not NotePolicy.FORBIDDEN,
        "note": payload.get("note", ""),
        "cannot_judge": bool(payload.get("cannot_judge")),
        "comments": json.dumps(comments),
        "version": version,
        "own": own,
        "tags": [tag.replace("_", " ") for tag in mine.item.tags],
        "is_veiled": user.veil_sensitive and mine.item.is_critical and not unveiled,
        "escalations": ESCALATIONS,
        "acts": [(act, chosen[act.name], keys.printed(chosen[act.name])) for act in keys.ACTS],
        "keys": {name: keys.printed(key) for name, key in chosen.items()},
        "keys_json": json.dumps(chosen),
        "ahead": " ".join(reverse("score-ahead", args=[one.pk]) for one in following),
    }
