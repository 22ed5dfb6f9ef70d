"""Entries that ask and are never answered: prompt lists, a prompt column, question rows. Counted, never shipped."""

from __future__ import annotations

from releases.build.fields import Fields
from releases.build.shapes.base import Context, Shape, Talk

_NAMES = ("prompts", "prompt", "questions", "question", "questiontext", "instruction", "query", "userprompt", "turns")


def is_prompt(value: object) -> bool:
    """A text, or a list of texts, that is not empty."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, str) for item in value)
    return isinstance(value, str) and bool(value.strip())


def _find(fields: Fields, _context: Context) -> list[Talk] | None:
    return [Talk(reason="prompts_only")] if any(is_prompt(fields.get(name)) for name in _NAMES) else None


PROMPTS = Shape("prompts", _find)
