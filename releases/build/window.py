"""A window that moves over a stream of bytes and keeps no more than it is asked to hold. Knows no file format."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NO_SPACE = re.compile(rb"[^ \t\n\r]")
_BLANK_LINES = re.compile(rb"(?:[ \t\r]*+\n)*+")


class Window:
    """Positions are absolute byte offsets of the object. Bytes before ``position`` are dropped unless held."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._base = 0
        self._held: int | None = None
        self.data = b""
        self.position = 0
        self.ended = False

    @property
    def index(self) -> int:
        """Where ``position`` lies in ``data``."""
        return self.position - self._base

    def more(self) -> bool:
        """Append the next chunk; False at the end of the stream. Indexes into ``data`` are void afterwards."""
        for chunk in self._chunks:
            if chunk:
                cut = (self.position if self._held is None else min(self._held, self.position)) - self._base
                self.data = self.data[cut:] + chunk
                self._base += cut
                return True
        self.ended = True
        return False

    def reach(self, size: int) -> bytes:
        """At least ``size`` bytes from the position on, fewer only at the end; nothing is consumed."""
        parts = len(self.data) - self.index
        while parts < size and self.more():
            parts = len(self.data) - self.index
        return self.data[self.index :]

    def hold(self, offset: int | None) -> int | None:
        """Keep bytes from ``offset`` on (None: keep nothing); returns what was held before."""
        before, self._held = self._held, offset
        return before

    def held(self, start: int) -> bytes:
        """The bytes from ``start`` to the position; ``start`` must have been held."""
        return self.data[start - self._base : self.index]

    def peek(self) -> int | None:
        """The next byte that is no JSON white space, now at the position; None at the end."""
        while True:
            found = _NO_SPACE.search(self.data, self.index)
            if found:
                self.position = self._base + found.start()
                return self.data[found.start()]
            self.position = self._base + len(self.data)
            if not self.more():
                return None

    def skip_blank_lines(self) -> int:
        """Pass lines of white space; how many. The rest of the line that follows them is left at the position."""
        lines = 0
        while True:
            blank = _BLANK_LINES.match(self.data, self.index)
            if blank:
                lines += self.data.count(b"\n", blank.start(), blank.end())
                self.position = self._base + blank.end()
            if self.data[self.index :].strip(b" \t\r") or not self.more():
                return lines

    def line(self, limit: int) -> bytes | None:
        """The next line with its newline, empty at the end; None where it was over ``limit`` and has been passed."""
        start = self.position
        self.hold(start)
        looked = 0
        while True:
            end = self.data.find(b"\n", self.index + looked)
            if end >= 0:
                return self._cut_line(start, self._base + end + 1, limit)
            looked = len(self.data) - self.index
            if looked > limit:
                self.hold(None)
                self.position += looked
                looked = 0
            if not self.more():
                return self._cut_line(start, self._base + len(self.data), limit)

    def _cut_line(self, start: int, end: int, limit: int) -> bytes | None:
        self.position = end
        self.hold(None)
        return None if end - start > limit else self.held(start)
