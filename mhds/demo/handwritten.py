"""Reads the hand-written conversations; knows no template, source or container."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from mhds.demo.compose import Conversation
from releases.build.types import Message, Messages

_ROLES = {"U: ": "user", "A: ": "assistant"}
FAMILIES = ("professional_therapeutic", "priority", "cot_reasoning", "edge_cases", "voice")


@cache
def handwritten(family: str) -> tuple[Conversation, ...]:
    """Every hand-written conversation of a family, in the order of its file."""
    return tuple(_conversation(row, family) for row in _rows(family))


@cache
def shared_replies() -> dict[str, Conversation]:
    """The conversations with a planted shared reply, by id."""
    return {row["id"]: _conversation(row, row["family"]) for row in _rows("planted")}


def _rows(name: str) -> list[dict[str, Any]]:
    path = Path(__file__).parent / "conversations" / f"{name}.toml"
    rows: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["conversation"]
    return rows


def _conversation(row: dict[str, Any], family: str) -> Conversation:
    personas = (tuple(row.get("persona_user", ())), tuple(row.get("persona_assistant", ())))
    return Conversation(
        family, row["language"], parse_turns(row["text"]), reasoning=row.get("reasoning", "").strip(), personas=personas
    )


def parse_turns(text: str) -> Messages:
    """``U: `` and ``A: `` start a turn; a line without a mark belongs to the turn above it."""
    turns: list[Message] = []
    for line in text.strip().splitlines():
        role = _ROLES.get(line[:3])
        if role is None:
            last = turns.pop()
            turns.append(Message(last.role, f"{last.content}\n{line}"))
        else:
            turns.append(Message(role, line[3:]))
    return tuple(turns)
