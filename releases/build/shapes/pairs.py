"""One question and one answer under two fields. The pairs of names are a table: another pair is another row."""

from __future__ import annotations

from releases.build.fields import Fields
from releases.build.shapes.base import Context, Shape, Talk, Turn, is_turn, plain_text, turns_of
from releases.build.shapes.exchange_list import exchange_turns


def exchange(fields: Fields, question: str, answer: str) -> list[Talk]:
    """The conversation of one exchange, with the system text and the earlier exchanges that stand beside it."""
    return [
        Talk(
            [
                Turn("system", fields.text("system", "systemprompt", "systemmessage")),
                *_history(fields.get("history")),
                Turn("user", question),
                Turn("assistant", answer),
            ]
        )
    ]


def _history(value: object) -> list[Turn]:
    if not isinstance(value, list) or not value:
        return []
    return turns_of(value) if is_turn(value[0]) else exchange_turns(value)


def _pair(question: str, answer: str) -> Shape:
    def find(fields: Fields, _context: Context) -> list[Talk] | None:
        if not fields.has(question) or not fields.has(answer):
            return None
        asked, answered = fields.get(question), fields.get(answer)
        if isinstance(asked, list) and asked and is_turn(asked[0]):
            return [Talk([*turns_of(asked), *_answer_turns(answered)])]
        return exchange(fields, fields.text(question), fields.text(answer))

    return Shape(f"{question}/{answer}", find)


def _answer_turns(answer: object) -> list[Turn]:
    if isinstance(answer, list) and answer and is_turn(answer[0]):
        return turns_of(answer)
    return [Turn("assistant", plain_text(answer))]


PAIRS = tuple(
    _pair(question, answer)
    for question, answer in (
        ("prompt", "response"),
        ("prompt", "completion"),
        ("prompt", "output"),
        ("prompt", "answer"),
        ("instruction", "response"),
        ("instruction", "output"),
        ("input", "output"),
        ("input", "response"),
        ("question", "answer"),
        ("question", "response"),
        ("questions", "answers"),
        ("query", "response"),
        ("query", "answer"),
        ("context", "response"),
        ("user", "assistant"),
        ("human", "assistant"),
        ("patient", "therapist"),
        ("client", "counselor"),
    )
)
