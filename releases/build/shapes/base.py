"""What a shape is and what it finds: speakers and texts, not yet roles. Knows no container and no verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from releases.build.fields import Fields, WrongType
from releases.build.join import Join
from releases.build.roles import RoleMap

SPEAKER_NAMES = ("role", "from", "speaker", "speakerrole", "author", "sender", "participant", "speakeridx", "speakerid")
TEXT_NAMES = ("content", "value", "text", "utterance", "message", "body")
GROUP_NAMES = (
    "conversationid", "convid", "dialogueid", "dialogid", "sessionid", "chatid", "threadid", "conversationidx",
    "dialogueidx", "dialogidx", "transcriptid", "episodeid",
)  # fmt: skip


class Turn(NamedTuple):
    """``speaker`` is a word of the source, or a ChatML role where the shape itself says who speaks."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation of an entry. ``reason`` is set where the shape already knows that it cannot ship.

    ``suffix`` tells the conversations of one entry apart (``".1"``); it is empty where there is one.
    """

    turns: Sequence[Turn] = ()
    suffix: str = ""
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What the catalog says about the source that is being read."""

    roles: RoleMap
    join: Join | None = None


class Shape(NamedTuple):
    """``find`` gives the conversations of an entry, None where the entry is not of this shape.

    It raises ``WrongType`` where the entry is of this shape and cannot be used.
    """

    name: str
    find: Callable[[Fields, Context], list[Talk] | None]


def is_turn(value: object) -> bool:
    """One turn of a conversation as a mapping, of which a list is one conversation (so: no conversation id in it)."""
    if not isinstance(value, dict):
        return False
    fields = Fields(value)
    return (
        isinstance(fields.get(*SPEAKER_NAMES), str)
        and isinstance(fields.get(*TEXT_NAMES), str | list | None)
        and fields.has(*TEXT_NAMES)
        and not fields.has(*GROUP_NAMES)
    )


def turns_of(items: Sequence[object]) -> list[Turn]:
    """The turns of a list of mappings; every one of them must name a speaker."""
    return [_turn(item) for item in items]


def _turn(item: object) -> Turn:
    if not isinstance(item, dict):
        raise WrongType
    fields = Fields(item)
    speaker = fields.get(*SPEAKER_NAMES)
    if isinstance(speaker, int) and not isinstance(speaker, bool):
        speaker = str(speaker)
    if not isinstance(speaker, str) or not fields.has(*TEXT_NAMES):
        raise WrongType
    return Turn(speaker, plain_text(fields.get(*TEXT_NAMES)))


def plain_text(value: object) -> str:
    """A text, or the text parts of a message that is given in parts; parts of other kinds cannot be used."""
    if value is None or isinstance(value, str):
        return value or ""
    if not isinstance(value, list):
        raise WrongType
    return "\n".join(_part_text(part) for part in value)


def _part_text(part: object) -> str:
    text = part.get("text") if isinstance(part, dict) and part.get("type", "text") == "text" else part
    if not isinstance(text, str):
        raise WrongType
    return text


def joined(*parts: str) -> str:
    """The parts that hold text, a blank line between them."""
    return "\n\n".join(part for part in parts if part.strip())
