"""Questions of one object for the answers of another. Knows ids and messages, no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from releases.build.types import Messages


@dataclass(frozen=True, slots=True)
class Join:
    """``on`` names the field that both sides hold; ``questions`` are the opening turns by the text of that field."""

    on: str
    questions: Mapping[str, Messages]


def join_key(value: object) -> str:
    """The text of an id, whether it came as a number or as text; empty where it is no id."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()
