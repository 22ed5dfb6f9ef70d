"""What an entry is that holds no conversation. Doubt is no answer: what is none of these is unknown, and blocks."""

from __future__ import annotations

from collections.abc import Iterator

from releases.build.fields import Fields

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


def is_persona_name(name: str) -> bool:
    return any(part in name for part in _PERSONA)


def count_personas(fields: Fields) -> int:
    """Fields that hold a persona (``user 1 personas`` and ``user 2 personas`` are two)."""
    return sum(1 for name, value in fields.items() if "persona" in name and _holds(value) and not name.endswith("id"))


def _holds(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else isinstance(value, list | dict) and bool(value)


def kind_of(value: object) -> str:
    """``persona_profile``, ``notebook``, ``label_table``, ``knowledge_base``, ``statistics`` or ``unknown_shape``."""
    if not isinstance(value, dict):
        return "statistics" if not isinstance(value, str) and _all_short(value) else UNKNOWN
    if not value:
        return "empty"
    names = list(Fields(value).names())
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
