"""Whether a submitted score is complete and possible under its rubric. Never judges it, and never repeats its words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from reviews.rubrics.model import Dimension, NotePolicy, Rubric

NOT_APPLICABLE = "n/a"
UNSURE = "unsure"
NOTE_LIMIT = 4000
FIELDS = ("scores", "answers", "criticals", "findings", "note", "cannot_judge")


class FieldError(NamedTuple):
    """``field`` names the control (``scores.A1``, ``criticals``, ``note``); ``message`` says what to do."""

    field: str
    message: str


def validate_score(rubric: Rubric, payload: object, *, turns: int | None = None) -> list[FieldError]:
    """Every reason why this payload cannot be submitted; empty means it can.

    The payload is parsed JSON: ``scores`` {dimension id: int | "n/a" | "unsure"}, ``answers`` {follow-up id: "yes" |
    "no"}, ``criticals`` [{"id", "turn"}] (an empty list says *none seen*), ``findings`` [{"kind", "turn"}], ``note``,
    ``cannot_judge`` (true instead of everything else). Turns count from 1; ``turns`` is how many there are.
    """
    if not isinstance(payload, Mapping):
        return [FieldError("", "A score is an object of fields.")]
    unknown = [FieldError(str(key), "Unknown field.") for key in payload if key not in FIELDS]
    if payload.get("cannot_judge", False) is not False:
        return unknown + _cannot_judge(rubric, payload)
    return (
        unknown
        + _scores(rubric, payload)
        + _answers(rubric, payload)
        + _marks(payload, "criticals", "id", {critical.id for critical in rubric.criticals}, turns)
        + _marks(payload, "findings", "kind", {kind.id for kind in rubric.finding_kinds}, turns)
        + _findings_fit(rubric, payload)
        + _note(rubric, payload)
    )


def _table(payload: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = payload.get(field, {})
    return value if isinstance(value, Mapping) else {}


def _cannot_judge(rubric: Rubric, payload: Mapping[str, Any]) -> list[FieldError]:
    if not rubric.cannot_judge:
        return [FieldError("cannot_judge", "This rubric does not offer this choice; use unsure, skip or escalate.")]
    if payload["cannot_judge"] is not True:
        return [FieldError("cannot_judge", "Must be true or false.")]
    if any(payload.get(field) for field in FIELDS if field != "cannot_judge"):
        return [FieldError("cannot_judge", "Who cannot judge gives no score, critical or note; clear the others.")]
    return []


def _scores(rubric: Rubric, payload: Mapping[str, Any]) -> list[FieldError]:
    scores = _table(payload, "scores")
    known = {dimension.id for dimension in rubric.dimensions}
    errors = [FieldError("scores", "Names a dimension that this rubric does not have.")] if set(scores) - known else []
    for dimension in rubric.dimensions:
        message = _score_message(rubric, dimension, scores.get(dimension.id))
        if message:
            errors.append(FieldError(f"scores.{dimension.id}", message))
    for group in rubric.na_together:
        if len({scores.get(dimension_id) == NOT_APPLICABLE for dimension_id in group}) > 1:
            errors += [FieldError(f"scores.{one}", f"{' and '.join(group)} are n/a together, or not.") for one in group]
    return errors


def _score_message(rubric: Rubric, dimension: Dimension, value: object) -> str:
    if value is None:
        return "Not scored yet."
    if value == UNSURE:
        return "" if rubric.unsure else "Unsure is not offered here."
    if value == NOT_APPLICABLE:
        return "" if dimension.na_when else "This dimension can always be judged; n/a is not offered."
    # bool is an int in Python, and true is no score.
    if isinstance(value, bool) or not isinstance(value, int) or not dimension.low <= value <= dimension.high:
        return f"Must be a whole number from {dimension.low} to {dimension.high}."
    return ""


def _answers(rubric: Rubric, payload: Mapping[str, Any]) -> list[FieldError]:
    scores, answers = _table(payload, "scores"), _table(payload, "answers")
    asked = {
        dimension.follow_up.id
        for dimension in rubric.dimensions
        if dimension.follow_up and scores.get(dimension.id) == NOT_APPLICABLE
    }
    errors = [FieldError("answers", "Answers a question that was not asked.")] if set(answers) - asked else []
    missing = sorted(name for name in asked if answers.get(name) not in ("yes", "no"))
    return errors + [FieldError(f"answers.{name}", "Answer yes or no.") for name in missing]


def _marks(payload: Mapping[str, Any], field: str, key: str, allowed: set[str], turns: int | None) -> list[FieldError]:
    """Criticals and findings alike: a list of {key, turn}, each pair once."""
    if not allowed:
        return [FieldError(field, "This rubric has none.")] if payload.get(field) else []
    if field not in payload or payload[field] is None:
        return [FieldError(field, "Not answered yet: mark each with its turn, or say that you saw none.")]
    marks = payload[field]
    if not isinstance(marks, list):
        return [FieldError(field, "Must be a list.")]
    messages = [_mark_message(mark, key, allowed, turns) for mark in marks]
    errors = [FieldError(f"{field}.{index}", message) for index, message in enumerate(messages) if message]
    if not errors and len({(mark[key], mark["turn"]) for mark in marks}) < len(marks):
        errors.append(FieldError(field, "The same mark stands twice on one turn."))
    return errors


def _mark_message(mark: object, key: str, allowed: set[str], turns: int | None) -> str:
    if not isinstance(mark, Mapping) or set(mark) - {key, "turn"}:
        return f"Must hold {key} and turn, and nothing else."
    name, turn = mark.get(key), mark.get("turn")
    if not isinstance(name, str) or name not in allowed:
        return "This rubric has no such entry."
    if turn is None:
        return f"{name} needs the turn where it stands."
    if isinstance(turn, bool) or not isinstance(turn, int) or turn < 1 or (turns is not None and turn > turns):
        return f"{name}: there is no such turn."
    return ""


def below_minimum(rubric: Rubric, payload: Mapping[str, Any]) -> list[Dimension]:
    """The dimensions whose score is a number under their minimum."""
    scores = _table(payload, "scores")
    return [
        dimension
        for dimension in rubric.dimensions
        if type(score := scores.get(dimension.id)) is int and dimension.low <= score < dimension.minimum
    ]


def _findings_fit(rubric: Rubric, payload: Mapping[str, Any]) -> list[FieldError]:
    """A finding and the answer it belongs to stand or fall together."""
    if not rubric.finding_kinds:
        return []
    failing = any(dimension.needs_finding for dimension in below_minimum(rubric, payload))
    unsure = UNSURE in _table(payload, "scores").values()
    found = bool(payload.get("findings"))
    if failing and not found:
        return [FieldError("findings", "Mark at least one kind and its turn.")]
    if found and not failing and not unsure:
        return [FieldError("findings", "Something is marked, yet the answer says that no one is identifiable.")]
    return []


def _note(rubric: Rubric, payload: Mapping[str, Any]) -> list[FieldError]:
    note = payload.get("note", "")
    if not isinstance(note, str):
        return [FieldError("note", "Must be text.")]
    if rubric.note is NotePolicy.FORBIDDEN:
        return [FieldError("note", "No notes in this round: never type what identifies a person.")] if note else []
    if len(note) > NOTE_LIMIT:
        return [FieldError("note", f"At most {NOTE_LIMIT} characters.")]
    if not note.strip() and (payload.get("criticals") or below_minimum(rubric, payload)):
        return [FieldError("note", "A score below the minimum and a critical need a note: what did you see?")]
    return []
