"""Answers whose question lies in another object: ``question_id`` with ``choices[].turns[]``, ``turns[]``, ``text``."""

from __future__ import annotations

from itertools import zip_longest

from releases.build.fields import Fields, WrongType
from releases.build.join import join_key
from releases.build.shapes.base import Context, Shape, Talk, Turn
from releases.build.types import Message

_ID = "questionid"
# A question has turns as well; only an answer says which model gave it.
_BY_A_MODEL = ("answerid", "modelid", "model")


def _find(fields: Fields, context: Context) -> list[Talk] | None:
    answers = _answers(fields)
    if answers is None:
        return None
    asked = _question(fields, context)
    if not asked:
        return [Talk(suffix=_suffix(at, answers), reason="no_user_turn") for at in range(len(answers))]
    return [Talk(_interleaved(asked, answer), _suffix(at, answers)) for at, answer in enumerate(answers)]


def _suffix(at: int, answers: list[list[str]]) -> str:
    return f".{at}" if len(answers) > 1 else ""


def _answers(fields: Fields) -> list[list[str]] | None:
    """One list of turns for each answer."""
    choices = fields.get("choices")
    if fields.has(_ID) and isinstance(choices, list) and choices:
        return [_choice(choice) for choice in choices]
    if not fields.has(_ID) or not fields.has(*_BY_A_MODEL):
        return None
    turns = fields.get("turns")
    if isinstance(turns, list):
        return [_texts(turns)]
    return [[fields.text("text")]] if fields.has("text") else None


def _choice(choice: object) -> list[str]:
    turns = choice.get("turns") if isinstance(choice, dict) else None
    if not isinstance(turns, list):
        raise WrongType
    return _texts(turns)


def _texts(turns: list[object]) -> list[str]:
    texts = [turn for turn in turns if isinstance(turn, str)]
    if len(texts) != len(turns):
        raise WrongType
    return texts


def _question(fields: Fields, context: Context) -> tuple[Message, ...]:
    if context.join is None:
        return ()
    return context.join.questions.get(join_key(fields.named(context.join.on)), ())


def _interleaved(asked: tuple[Message, ...], answers: list[str]) -> list[Turn]:
    turns = [Turn(message.role, message.content) for message in asked if message.role == "system"]
    questions = [message.content for message in asked if message.role == "user"]
    for question, answer in zip_longest(questions, answers, fillvalue=""):
        turns += [Turn("user", question), Turn("assistant", answer)]
    return turns


ANSWERS = Shape("answers", _find)
