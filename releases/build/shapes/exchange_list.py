"""``dialogue: [[user, assistant], ...]``: a list of exchanges, the user first; often with ``persona[]`` beside it."""

from __future__ import annotations

from releases.build.fields import Fields, WrongType
from releases.build.shapes.base import Context, Shape, Talk, Turn

_NAMES = ("dialogue", "dialog", "conversation", "conversations", "exchanges")
_SPEAKERS = ("user", "assistant")


def _find(fields: Fields, _context: Context) -> list[Talk] | None:
    exchanges = fields.get(*_NAMES)
    if not isinstance(exchanges, list) or not exchanges:
        return None
    if all(isinstance(item, str) for item in exchanges):  # nobody says who speaks first
        return [Talk(reason="unmapped_role")]
    return [Talk(exchange_turns(exchanges))] if isinstance(exchanges[0], list) else None


def exchange_turns(exchanges: list[object]) -> list[Turn]:
    """Turns of [[user, assistant], ...]; the last answer may be missing."""
    turns: list[Turn] = []
    for exchange in exchanges:
        if not isinstance(exchange, list) or len(exchange) > len(_SPEAKERS):
            raise WrongType
        for speaker, text in zip(_SPEAKERS, exchange, strict=False):
            if not isinstance(text, str | None):
                raise WrongType
            turns.append(Turn(speaker, text or ""))
    return turns


EXCHANGE_LIST = Shape("exchange_list", _find)
