"""A whole dialogue inside one text: a cell, a field, or a file of plain text."""

from __future__ import annotations

from releases.build.fields import Fields
from releases.build.shapes.base import Context, Shape, Talk
from releases.build.shapes.marks import split_dialogue, starts_with_mark
from releases.build.shapes.rendered import split_rendered

_NAMES = (
    "text", "dialogue", "dialog", "conversation", "conversations", "bestgeneratedconversation", "messages", "chat",
    "transcript", "content", "prompt", "input",
)  # fmt: skip
_DIALOGUE_NAMES = ("dialogue", "dialog", "conversation", "conversations", "bestgeneratedconversation", "transcript")


def text_talks(text: str, context: Context) -> list[Talk] | None:
    rendered = split_rendered(text)
    if rendered is not None:
        return rendered
    talk = split_dialogue(text, context.roles)
    return None if talk is None else [talk]


def _find(fields: Fields, context: Context) -> list[Talk] | None:
    """Known names first; any other field only if it begins with the mark of a mapped speaker."""
    for name in _NAMES:
        value = fields.get(name)
        talks = text_talks(value, context) if isinstance(value, str) else None
        if talks is not None:
            return _of(fields, name, talks)
    for name, value in fields.items():
        if isinstance(value, str) and "persona" not in name and starts_with_mark(value, context.roles):
            talks = text_talks(value, context)
            if talks is not None:
                return _of(fields, name, talks)
    return _without_marks(fields)


def _without_marks(fields: Fields) -> list[Talk] | None:
    """A field that is named as a dialogue and is none: nobody in it says who speaks, or nothing in it is said."""
    name = next((name for name in _DIALOGUE_NAMES if isinstance(fields.get(name), str)), None)
    if name is None:
        return None
    if fields.text(name).strip():
        return _of(fields, name, [Talk(reason="unmapped_role", detail="no marks")])
    others = any(isinstance(value, str) and value.strip() for _name, value in fields.items())
    return _of(fields, name, [Talk(reason="no_user_turn", detail="no dialogue") if others else Talk()])


def _of(fields: Fields, name: str, talks: list[Talk]) -> list[Talk]:
    fields.used.clear()
    fields.get(name)
    return talks


CELLS = Shape("marked_text", _find)
