"""Cuts what may be seen around findings out of a conversation: 40 characters each side, all findings masked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from releases.build.types import Messages

AROUND = 40
# A value this short would mask ordinary words wherever it is met again.
SHORTEST_REPEAT = 4


class Span(NamedTuple):
    start: int
    end: int
    entity: str


class Excerpt(NamedTuple):
    """One finding as it may be shown. ``turn`` counts from 1; 0 is a finding across turns, without surroundings.

    ``masked`` stands for the finding itself: ``[PHONE_NUMBER, 12 characters]``.
    """

    turn: int
    role: str
    entity: str
    before: str
    masked: str
    after: str


def excerpts(messages: Messages, findings: Iterable[Mapping[str, Any]]) -> list[Excerpt]:
    """One excerpt for each finding (``turn`` 0-based, ``start`` and ``end`` in characters), in the text's order."""
    by_turn: dict[int, list[Span]] = {}
    for one in findings:
        by_turn.setdefault(one["turn"], []).append(Span(one["start"], one["end"], one["entity"]))
    shown = []
    for turn in sorted(by_turn):
        found = sorted(set(by_turn[turn]))
        if not 0 <= turn < len(messages):
            shown += [Excerpt(0, "", span.entity, "", _mask(span), "") for span in found]
            continue
        content = messages[turn].content
        hidden = _all_occurrences(content, found)
        shown += [
            Excerpt(
                turn + 1,
                messages[turn].role,
                span.entity,
                _window(content, max(0, span.start - AROUND), span.start, hidden),
                _mask(span),
                _window(content, span.end, min(len(content), span.end + AROUND), hidden),
            )
            for span in found
        ]
    return shown


def _mask(span: Span) -> str:
    length = span.end - span.start
    return f"[{span.entity}, {length} character{'' if length == 1 else 's'}]"


def _all_occurrences(content: str, spans: list[Span]) -> list[Span]:
    """The findings, and every place where the same value stands again without being found."""
    hidden = set(spans)
    for span in spans:
        value = content[span.start : span.end]
        if len(value.strip()) >= SHORTEST_REPEAT:
            hidden.update(Span(at, at + len(value), span.entity) for at in _places(content, value))
    return sorted(hidden)


def _places(content: str, value: str) -> Iterator[int]:
    at = content.find(value)
    while at >= 0:
        yield at
        at = content.find(value, at + 1)


def _window(content: str, start: int, end: int, hidden: list[Span]) -> str:
    """``content[start:end]`` with whatever of a hidden span lies in it replaced by the span's mask."""
    parts, at = [], start
    for span in hidden:
        if span.end <= at or span.start >= end:
            continue
        parts += [content[at : max(at, span.start)], _mask(span)]
        at = span.end
    return "".join([*parts, content[at:end] if at < end else ""])
