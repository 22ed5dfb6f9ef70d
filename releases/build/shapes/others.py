"""What an entry is that holds no conversation. Doubt is no answer: what is none of these is unknown, and blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from releases.build.fields import Fields
from releases.build.json_stream import WRAPPERS
from releases.build.shapes.marks import has_repeated_marks

UNKNOWN = "unknown_shape"
_LABEL_NAMES = (
    "label labels class category emotion emotions sentiment score rating severity intent stance diagnosis disorder "
    "topic subreddit status finallabel isdepression target tag"
)
_LABELS = frozenset(_LABEL_NAMES.split())
_KNOWLEDGE_NAMES = (
    "definition description article abstract symptoms treatment criteria summary patterns responses paragraphs "
    "content body entry facts source url passage document excerpt"
)
_KNOWLEDGE = frozenset(_KNOWLEDGE_NAMES.split())
_PERSONA = (
    "persona", "personality", "traits", "bigfive", "mbti", "speakingstyle", "voiceprofile", "voicestyle", "backstory",
    "characterprofile", "mannerisms", "catchphrases",
)  # fmt: skip
_NOTEBOOK = ("nbformat", "cells")
_SHORT = 64
# A text with a line of JSON in it is broken data rather than prose.
_DATA_LINE = re.compile(r"^[ \t]*[{\[]\s*[\"{\[]", re.MULTILINE)


def is_persona_name(name: str) -> bool:
    return any(part in name for part in _PERSONA)


def count_personas(fields: Fields) -> int:
    """Fields that hold a persona (``user 1 personas`` and ``user 2 personas`` are two)."""
    return sum(1 for name, value in fields.items() if "persona" in name and _holds(value) and not name.endswith("id"))


def _holds(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else isinstance(value, list | dict) and bool(value)


def kind_of(value: object) -> str:
    """A reason id of ``not_conversation``, ``empty``, or ``unknown_shape``."""
    if isinstance(value, str):
        return UNKNOWN if _DATA_LINE.search(value) or has_repeated_marks(value) else "prose"
    if not isinstance(value, dict):
        return "statistics" if isinstance(value, list) and _all_short(value) else UNKNOWN
    if not value:
        return "empty"
    names = list(Fields(value).names())
    if any(item == [] and name in WRAPPERS for name, item in Fields(value).items()):
        return "empty"
    if any(is_persona_name(name) for name in names):
        return "persona_profile"
    if all(name in names for name in _NOTEBOOK):
        return "notebook"
    if _LABELS.intersection(names) and all(not isinstance(item, dict) for item in value.values()):
        return "label_table"
    if _KNOWLEDGE.intersection(names):
        return "knowledge_base"
    return "statistics" if _all_short(value) else UNKNOWN


def _all_short(value: object) -> bool:
    """Only numbers, flags and short words: figures about data, and no data."""
    return all(not isinstance(leaf, str) or len(leaf) <= _SHORT for leaf in _leaves(value))


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value
