"""Where one JSON value ends, in time linear in its bytes. Knows a moving window and nothing of what a value means."""

from __future__ import annotations

import re

from releases.build.outcome import Refused
from releases.build.window import Window

_TO_BRACKET = re.compile(rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+', re.DOTALL)
_STRING_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_SCALAR_REST = re.compile(rb"[^\s,\]}]*+")
QUOTE, OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP, COMMA, COLON = b'"[]{},:'


class ValueScan:
    """Moves the window over the value at its position. Brackets are counted, not matched: parsing does that."""

    def __init__(self, window: Window) -> None:
        self._window = window
        first = window.peek()
        self._depth = 0
        self._in_string = first == QUOTE
        self._scalar = first not in (QUOTE, OPEN_LIST, OPEN_MAP)
        self._done = False
        window.position += self._in_string

    def run(self, bound: int | None) -> bool:
        """To the end of the value; False where the window is past the offset ``bound`` (call again to go on)."""
        window = self._window
        while not self._done:
            if bound is not None and window.position > bound:
                return False
            if self._step() or window.more():
                continue
            if not self._scalar:
                raise Refused("invalid_json", window.position, "ends inside a value")
            self._done = True
        return bound is None or window.position <= bound

    def _step(self) -> bool:
        """Use up the data at hand; True at the end of the value."""
        if self._scalar:
            self._move(_SCALAR_REST, self._window.index)
            self._done = self._window.index < len(self._window.data)
        elif self._in_string:
            self._string(self._window.index)
        if not self._scalar and not self._in_string and not self._done:
            self._brackets(self._window.index)
        return self._done

    def _brackets(self, at: int) -> None:
        data = self._window.data
        while True:
            at = self._move(_TO_BRACKET, at)
            if at == len(data):
                return
            mark = data[at]
            at += 1
            if mark == QUOTE:
                self._in_string = True
                self._string(at)
                return
            self._depth += 1 if mark in b"[{" else -1
            if self._depth <= 0:
                self._window.position += at - self._window.index
                self._done = True
                return

    def _string(self, at: int) -> None:
        end = self._move(_STRING_REST, at)
        data = self._window.data
        if end < len(data) and data[end] == QUOTE:
            self._window.position += 1
            self._in_string = False
            self._done = self._depth == 0

    def _move(self, pattern: re.Pattern[bytes], at: int) -> int:
        found = pattern.match(self._window.data, at)
        end = found.end() if found else at
        self._window.position += end - self._window.index
        return end
