"""Conversations as a list of turns, each with a speaker and a text: ChatML, ShareGPT, dialogs, transcripts."""

from __future__ import annotations

from releases.build.fields import Fields, WrongType
from releases.build.shapes.base import Context, Shape, Talk, is_turn, turns_of


def _list_shape(name: str, *fields_: str) -> Shape:
    def find(fields: Fields, _context: Context) -> list[Talk] | None:
        for field in fields_:
            items = fields.get(field)
            if isinstance(items, list) and items and is_turn(items[0]):
                return [Talk(turns_of(items))]
        return None

    return Shape(name, find)


def _find_chatml(fields: Fields, _context: Context) -> list[Talk] | None:
    """``messages`` promises a conversation: another type, or an empty list, is a broken record and no other shape."""
    messages = fields.get("messages")
    if not fields.has("messages") or isinstance(messages, str):
        return None
    if not isinstance(messages, list):
        raise WrongType
    return [Talk(turns_of(messages))]


def _find_sharegpt(fields: Fields, _context: Context) -> list[Talk] | None:
    turns = fields.get("conversations")
    if not isinstance(turns, list) or (turns and not is_turn(turns[0])):
        return None
    system = fields.get("system")
    opening = [{"role": "system", "content": system}] if isinstance(system, str) and system.strip() else []
    return [Talk(turns_of([*opening, *turns]))]


CHATML = Shape("chatml", _find_chatml)
SHAREGPT = Shape("sharegpt", _find_sharegpt)
CONVERSATION = _list_shape("conversation", "conversation", "chat", "session")
DIALOG = _list_shape("dialog", "dialog", "dialogue", "dialogs", "dialogues", "turns", "utterances")
TRANSCRIPT = _list_shape("transcript", "transcript")
WRAPPED_TURNS = _list_shape("turn_list", "data", "records", "sessions", "items")
