"""The registry of shapes, in the order in which they are tried: what is more particular comes first.

A new shape is a module beside this one and a line in ``SHAPES``.
"""

from __future__ import annotations

from releases.build.shapes.answers import ANSWERS
from releases.build.shapes.base import Shape
from releases.build.shapes.cells import CELLS
from releases.build.shapes.counsel_chat import COUNSEL_CHAT
from releases.build.shapes.exchange_list import EXCHANGE_LIST
from releases.build.shapes.instructions import ALPACA, DOLLY
from releases.build.shapes.pairs import PAIRS
from releases.build.shapes.preference import PREFERENCE
from releases.build.shapes.prompts import PROMPTS
from releases.build.shapes.reasoning import REASONING
from releases.build.shapes.turn_lists import CHATML, CONVERSATION, DIALOG, SHAREGPT, TRANSCRIPT, WRAPPED_TURNS

SHAPES: tuple[Shape, ...] = (
    PREFERENCE,
    CHATML,
    SHAREGPT,
    CONVERSATION,
    DIALOG,
    TRANSCRIPT,
    WRAPPED_TURNS,
    EXCHANGE_LIST,
    ANSWERS,
    REASONING,
    COUNSEL_CHAT,
    ALPACA,
    DOLLY,
    *PAIRS,
    CELLS,
    PROMPTS,
)
