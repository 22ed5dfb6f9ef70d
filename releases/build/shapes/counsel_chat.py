"""counsel-chat: ``questionTitle``, ``questionText``, ``answerText``. A title that the text repeats is said once."""

from __future__ import annotations

from releases.build.fields import Fields
from releases.build.shapes.base import Context, Shape, Talk, joined
from releases.build.shapes.pairs import exchange


def _find(fields: Fields, _context: Context) -> list[Talk] | None:
    if not fields.has("questiontext", "questiontitle") or not fields.has("answertext"):
        return None
    title, text = fields.text("questiontitle"), fields.text("questiontext")
    question = text if text.strip().startswith(title.strip()) else joined(title, text)
    return exchange(fields, question, fields.text("answertext"))


COUNSEL_CHAT = Shape("counsel_chat", _find)
