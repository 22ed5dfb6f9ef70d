"""One row per utterance: which conversation it belongs to, who speaks, what is said. Knows one row at a time."""

from __future__ import annotations

from typing import NamedTuple

from releases.build.fields import Fields
from releases.build.join import join_key
from releases.build.shapes.base import GROUP_NAMES, SPEAKER_NAMES, TEXT_NAMES, Turn, plain_text

NAME = "utterances"
_ORDER_NAMES = (
    "turn", "turnid", "turnindex", "turnidx", "turnnumber", "turnno", "utteranceidx", "utteranceindex", "utteranceid",
    "messageindex", "messageidx", "sequence", "order", "position",
)  # fmt: skip
# With an utterance as its text a row is one whatever else stands beside it (prompts and contexts of the situation).
_RECORD_NAMES = ("messages", "conversations", "response", "completion", "output", "answer", "answertext", "chosen")


class Row(NamedTuple):
    """``group`` is empty where the rows of the object carry no conversation id: then all of them are one."""

    group: str
    order: int | None
    turn: Turn


def row_of(fields: Fields) -> Row | None:
    if fields.has(*_RECORD_NAMES) or not fields.has(*SPEAKER_NAMES) or not fields.has(*TEXT_NAMES):
        return None
    text = fields.get("utterance", *TEXT_NAMES)
    speaker = join_key(fields.get(*SPEAKER_NAMES))
    if not isinstance(text, str | list | None) or not speaker:
        return None
    fields.used.clear()
    group = join_key(fields.get(*GROUP_NAMES))
    order = join_key(fields.get(*_ORDER_NAMES))
    fields.get(*SPEAKER_NAMES)
    fields.get("utterance", *TEXT_NAMES)
    return Row(group, int(order) if order.isdecimal() and len(order) < 10 else None, Turn(speaker, plain_text(text)))
