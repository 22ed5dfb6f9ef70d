"""Preference pairs: a different artifact, reported and never mixed in."""

from __future__ import annotations

from releases.build.fields import Fields
from releases.build.shapes.base import Context, Shape, Talk


def _find(fields: Fields, _context: Context) -> list[Talk] | None:
    chosen = fields.has("chosen", "chosenresponse", "preferred")
    rejected = fields.has("rejected", "rejectedresponse", "dispreferred")
    return [Talk(reason="preference_pair")] if chosen and rejected else None


PREFERENCE = Shape("preference_pair", _find)
