"""Rows of utterances gathered into conversations, within a bound of memory. Knows rows, no container."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from releases.build.outcome import Limits, Refused
from releases.build.shapes.base import Talk, Turn
from releases.build.shapes.utterances import Row


@dataclass(slots=True)
class _Group:
    index: str
    rows: list[Row] = field(default_factory=list)
    size: int = 0
    too_large: bool = False

    def talk(self) -> Talk:
        if self.too_large:
            return Talk(reason="bad_record", detail="too_large")
        return Talk(self._ordered())

    def _ordered(self) -> list[Turn]:
        """By the turn numbers of the source where every row has one of its own, else as they stand."""
        numbers = [row.order for row in self.rows]
        if None not in numbers and len(set(numbers)) == len(numbers):
            return [row.turn for row in sorted(self.rows, key=lambda row: row.order or 0)]
        return [row.turn for row in self.rows]


class Groups:
    """A conversation is named by its first row. Small objects may mix their conversations row by row.

    Beyond ``Limits.group_bytes`` of text the oldest conversations are given out; a row of one of those that comes
    later refuses the object, because a conversation would have been cut without anybody noticing.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[str, _Group] = {}
        self._closed: set[bytes] = set()
        self._size = 0

    def add(self, row: Row, index: str, offset: int | None) -> Iterator[tuple[str, Talk]]:
        """Takes one row; yields the conversations that had to be given out, each as (index, talk)."""
        if self._closed and _digest(row.group) in self._closed:
            raise Refused("scattered_rows", offset, "sort the rows by conversation")
        group = self._open.setdefault(row.group, _Group(index))
        self._put(group, row)
        while self._size > self._limits.group_bytes and len(self._open) > 1:
            yield self._give(next(name for name in self._open if name != row.group))

    def _put(self, group: _Group, row: Row) -> None:
        if group.too_large:
            return
        size = len(row.turn.text) + len(row.turn.speaker) + 64
        group.size += size
        if group.size > self._limits.record_bytes:
            self._size -= group.size - size
            group.rows, group.size, group.too_large = [], 0, True
        else:
            group.rows.append(row)
            self._size += size

    def _give(self, name: str) -> tuple[str, Talk]:
        group = self._open.pop(name)
        self._closed.add(_digest(name))
        self._size -= group.size
        return group.index, group.talk()

    def rest(self) -> Iterator[tuple[str, Talk]]:
        for group in self._open.values():
            yield group.index, group.talk()


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode(errors="replace"), digest_size=8).digest()
