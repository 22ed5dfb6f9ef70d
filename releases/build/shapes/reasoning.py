"""Chain of thought: the assistant says the reasoning, a blank line, the answer."""

from __future__ import annotations

from releases.build.fields import Fields, WrongType
from releases.build.shapes.base import Context, Shape, Talk, joined
from releases.build.shapes.pairs import exchange

_REASONING = ("reasoning", "complexcot", "reasoningsteps", "cot", "chainofthought", "rationale", "thinking", "thought")
_QUESTION = ("question", "prompt", "instruction", "query", "problem", "input", "context", "scenario")
_ANSWER = ("response", "answer", "output", "finalanswer", "completion", "conclusion", "solution")
_STEP_TEXT = ("content", "text", "thought", "reasoning", "description", "explanation", "step")


def _find(fields: Fields, _context: Context) -> list[Talk] | None:
    if not fields.has(*_REASONING) or not fields.has(*_QUESTION) or not fields.has(*_ANSWER):
        return None
    question = fields.filled(*_QUESTION)
    if fields.has("instruction") and fields.has("input"):
        question = joined(fields.text("instruction"), fields.text("input"))
    answer = fields.filled(*_ANSWER)
    if not answer.strip():  # reasoning that never arrives is no answer
        return exchange(fields, question, "")
    return exchange(fields, question, joined(_reasoning(fields.get(*_REASONING)), answer))


def _reasoning(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list):
        return "\n".join(_step(item) for item in value)
    raise WrongType


def _step(item: object) -> str:
    text = Fields(item).get(*_STEP_TEXT) if isinstance(item, dict) else item
    if not isinstance(text, str):
        raise WrongType
    return text


REASONING = Shape("reasoning", _find)
