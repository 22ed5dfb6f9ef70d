"""Alpaca and Dolly: an instruction with further input or context, and what answers it."""

from __future__ import annotations

from releases.build.fields import Fields
from releases.build.shapes.base import Context, Shape, Talk, joined
from releases.build.shapes.pairs import exchange


def _find_alpaca(fields: Fields, _context: Context) -> list[Talk] | None:
    if not (fields.has("instruction") and fields.has("input") and fields.has("output", "response")):
        return None
    return exchange(
        fields, joined(fields.text("instruction"), fields.text("input")), fields.filled("output", "response")
    )


def _find_dolly(fields: Fields, _context: Context) -> list[Talk] | None:
    if not (fields.has("instruction") and fields.has("context") and fields.has("response", "output")):
        return None
    question = joined(fields.text("instruction"), fields.text("context"))
    return exchange(fields, question, fields.filled("response", "output"))


ALPACA = Shape("alpaca", _find_alpaca)
DOLLY = Shape("dolly", _find_dolly)
