"""Turns the posted controls of the scoring form into the fields of a score. Judges nothing, keeps nothing."""

from __future__ import annotations

import json
from typing import Any

from django.http import QueryDict

from mhds.errors import InvalidInput
from reviews.pages.common import number_of
from reviews.rubrics import Rubric

NONE_SEEN = "none"


def payload_of(rubric: Rubric, posted: QueryDict) -> dict[str, Any]:
    """Only what was answered: an unset control leaves no field, so that the check can ask for it."""
    if posted.get("cannot_judge"):
        return {"cannot_judge": True}
    payload: dict[str, Any] = {"scores": _scores(rubric, posted), "answers": _answers(rubric, posted)}
    for field, key, known in (("criticals", "id", rubric.criticals), ("findings", "kind", rubric.finding_kinds)):
        marks = [_mark(text, key) for text in posted.getlist(field) if text not in ("", NONE_SEEN)]
        if known and (marks or NONE_SEEN in posted.getlist(field)):
            payload[field] = marks
    note = posted.get("note", "").strip()
    return {**payload, "note": note} if note else payload


def comments_of(posted: QueryDict) -> list[dict[str, Any]]:
    """The comments that the page's script keeps in one field; without script they come back as they were shown."""
    try:
        found = json.loads(posted.get("comments") or "[]")
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise InvalidInput("The comments are not a list.", hint="Reload the page; your scores are kept as a draft.")
    return found


def _scores(rubric: Rubric, posted: QueryDict) -> dict[str, int | str]:
    found = {one.id: posted.get(f"score.{one.id}", "") for one in rubric.dimensions}
    return {name: int(text) if text.isascii() and text.isdigit() else text for name, text in found.items() if text}


def _answers(rubric: Rubric, posted: QueryDict) -> dict[str, str]:
    asked = [one.follow_up.id for one in rubric.dimensions if one.follow_up and posted.get(f"score.{one.id}") == "n/a"]
    return {name: answer for name in asked if (answer := posted.get(f"answer.{name}", ""))}


def _mark(text: str, key: str) -> dict[str, Any]:
    """``C4@12``: an entry of the rubric at a turn; without a turn the check asks for it."""
    name, _, turn = text.partition("@")
    return {key: name, "turn": number_of(turn, "turn")} if turn else {key: name}
