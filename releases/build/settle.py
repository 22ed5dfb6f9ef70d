"""From speakers and texts to a record or an exclusion. Knows roles and reasons, neither shapes nor containers."""

from __future__ import annotations

import re

from releases.build.roles import RoleMap, nameable
from releases.build.shapes.base import Talk
from releases.build.text import normalise
from releases.build.types import ExcludedRecord, Message, SourceRecord

_SURROGATE = re.compile("[\ud800-\udfff]")
_EMPTY_UP_TO = 256


def settle(talk: Talk, index: str, offset: int | None, roles: RoleMap) -> SourceRecord | ExcludedRecord:
    """Turns without visible text are dropped, whoever is said to speak; all others stay as they are, in their order.

    Two turns of one role in a row stay two turns: joining them would invent a text that the source does not hold.
    """
    index += talk.suffix
    if talk.reason:
        return ExcludedRecord(index, talk.reason, talk.detail, offset)
    messages: list[Message] = []
    for speaker, text in talk.turns:
        if _is_blank(text):
            continue
        role = roles.role(speaker)
        if role is None:
            return ExcludedRecord(index, "unmapped_role", nameable(speaker), offset)
        if "\x00" in text or _SURROGATE.search(text):
            return ExcludedRecord(index, "bad_record", "nul" if "\x00" in text else "lone_surrogate", offset)
        messages.append(Message(role, text))
    reason, detail = _lack(messages)
    return ExcludedRecord(index, reason, detail, offset) if reason else SourceRecord(index, tuple(messages))


def _is_blank(text: str) -> bool:
    """Nothing but white space and invisible characters (looked for in short texts only)."""
    return not text.strip() or (len(text) <= _EMPTY_UP_TO and not text.isascii() and not normalise(text))


def _lack(messages: list[Message]) -> tuple[str, str]:
    said_by = {message.role for message in messages}
    if not said_by:
        return "bad_record", "empty"
    if "user" not in said_by:
        return "no_user_turn", ""
    return ("", "") if "assistant" in said_by else ("no_assistant_turn", "")
