"""JSON read piece by piece, whatever its size: lines, arrays, wrapped lists, values one after another.

Knows no conversation beyond one question that is put to its caller: is this value a turn of one?
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator

from releases.build.json_scan import CLOSE_LIST, CLOSE_MAP, COLON, COMMA, OPEN_LIST, OPEN_MAP, QUOTE, ValueScan
from releases.build.outcome import BadValue, Limits, Notes, Raw, RawValue, Refused
from releases.build.strict import MAX_DEPTH, StrictError, loads_strict
from releases.build.window import Window

WRAPPERS = frozenset(("conversations", "data", "records", "sessions", "items"))
# What spoils a value without making its end uncertain: the values after it can still be read.
_LOCAL = frozenset(
    ("duplicate_key", "lone_surrogate", "nul", "not_finite", "number_too_long", "too_deep", "invalid_utf8", "too_large")
)

IsTurn = Callable[[object], bool]


class _TooLarge(Exception):
    """An object is over the limit while it had to be held; the window stands somewhere inside it."""


def read_lines(window: Window, limits: Limits, passed: int) -> Iterator[Raw]:
    """One value a line; the index is the 0-based line, ``passed`` lines ago. A bad line costs itself only."""
    number = passed - 1
    while True:
        number += 1
        start = window.position
        line = window.line(limits.record_bytes)
        if line is None:
            yield BadValue(str(number), "too_large", start)
        elif not line:
            return
        elif line.strip():
            yield _parsed_line(str(number), line, start, limits)


def _parsed_line(index: str, line: bytes, start: int, limits: Limits) -> Raw:
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    if b"\r" in line:
        raise Refused("bare_cr", start + line.index(b"\r"))
    try:
        return RawValue(index, loads_strict(line, limit=limits.record_bytes), start)
    except StrictError as error:
        return BadValue(index, error.reason, start + error.offset)


class DocumentReader:
    """Values that need not end at a line: the index counts elements of arrays and of wrapped lists, and whole values.

    An object over the record limit that wraps no known list is entered: what lies in it gets the index of the object
    and the ordinals of the members on the way (``"0.3.12"``), the same as if it had been read at once.
    """

    def __init__(self, window: Window, limits: Limits, notes: Notes, is_turn: IsTurn) -> None:
        self._window = window
        self._limits = limits
        self._notes = notes
        self._is_turn = is_turn
        self._count = 0

    def __iter__(self) -> Iterator[Raw]:
        while (byte := self._window.peek()) is not None:
            if byte == OPEN_MAP:
                yield from self._top_map()
            elif byte == OPEN_LIST and not self._is_turn(self._first_of_list()):
                yield from self._elements()
            else:
                yield self._element()

    # -- one object at the top

    def _top_map(self) -> Iterator[Raw]:
        window, start = self._window, self._window.position
        window.hold(start)
        try:
            wrapped = yield from self._wrapped_lists(start)
        except _TooLarge:
            window.position = start
            window.hold(None)
            yield from self._enter((self._next(),), top=True)
            return
        if not wrapped:
            raw = window.held(start)
            window.hold(None)
            yield self._parsed(self._next(), raw, start)

    def _wrapped_lists(self, start: int) -> Generator[Raw, None, bool]:
        """Walks one object; True if it wrapped a list, whose elements are yielded. Until one is met, all is held."""
        wrapped, names = False, _Names()
        for name in self._members():
            names.add(name)
            if self._wraps(name):
                wrapped = True
                self._window.hold(None)
                yield from self._elements()
            elif wrapped:
                self._notes.ignore(name)
                ValueScan(self._window).run(None)
            elif not ValueScan(self._window).run(start + self._limits.record_bytes):
                raise _TooLarge
            if wrapped and names.repeated:
                raise Refused("duplicate_key", self._window.position)
        return wrapped

    def _wraps(self, name: str) -> bool:
        if name.lower() not in WRAPPERS or self._window.peek() != OPEN_LIST:
            return False
        first = self._first_of_list()
        return isinstance(first, dict | list | _TooLarge) and not self._is_turn(first)

    def _first_of_list(self) -> object:
        """The first element of the list at the position, not consumed; ``_TooLarge`` stands for one over the limit."""
        window, start = self._window, self._window.position
        before = self._hold_also(start)
        window.position += 1
        try:
            raw = self._capture() if window.peek() != CLOSE_LIST else b""
            return loads_strict(raw) if isinstance(raw, bytes) else _TooLarge()
        except StrictError as error:
            return _TooLarge() if error.reason in _LOCAL else None
        finally:
            window.position = start
            window.hold(before)

    # -- an object too large to be one record

    def _enter(self, path: tuple[int, ...], *, top: bool = False) -> Iterator[Raw]:
        if len(path) > MAX_DEPTH:
            raise Refused("too_deep", self._window.position)
        if self._window.peek() == OPEN_LIST and self._is_turn(self._first_of_list()):
            start = self._window.position
            ValueScan(self._window).run(None)
            yield BadValue(_index(path), "too_large", start)
            return
        members = self._members() if self._window.peek() == OPEN_MAP else self._list_items()
        names = _Names()
        for ordinal, name in enumerate(members):
            if name is not None and names.add(name):
                raise Refused("duplicate_key", self._window.position)
            if top and name is not None and self._wraps(name):
                yield from self._elements()
            else:
                yield from self._part((*path, ordinal), name)

    def _part(self, path: tuple[int, ...], name: str | None) -> Iterator[Raw]:
        window, start = self._window, self._window.position
        container = window.peek() in (OPEN_LIST, OPEN_MAP)
        raw = self._capture()
        if isinstance(raw, ValueScan) and container:
            window.position = start
            yield from self._enter(path)
        elif isinstance(raw, ValueScan):
            raw.run(None)
            yield BadValue(_index(path), "too_large", start)
        elif container:
            yield self._parsed(_index(path), raw, start, part=True)
        elif name is not None:
            self._notes.ignore(name)

    # -- lists, members, values

    def _elements(self) -> Iterator[Raw]:
        for _ in self._list_items():
            yield self._element()

    def _element(self) -> Raw:
        start = self._window.position
        index = _index((self._next(),))
        raw = self._capture()
        if isinstance(raw, ValueScan):
            raw.run(None)
            return BadValue(index, "too_large", start)
        return self._parsed(index, raw, start)

    def _parsed(self, index: str | int, raw: bytes, start: int, *, part: bool = False) -> Raw:
        try:
            return RawValue(str(index), loads_strict(raw, limit=self._limits.record_bytes), start, part)
        except StrictError as error:
            if error.reason in _LOCAL:
                return BadValue(str(index), error.reason, start + error.offset)
            raise Refused("invalid_json", start + error.offset) from None

    def _capture(self) -> bytes | ValueScan:
        """The bytes of the value at the position; where it is over the limit, the scan that stopped inside it."""
        window, start = self._window, self._window.position
        before = self._hold_also(start)
        scan = ValueScan(window)
        whole = scan.run(start + self._limits.record_bytes)
        raw = window.held(start) if whole else b""
        window.hold(before)
        return raw if whole else scan

    def _hold_also(self, start: int) -> int | None:
        before = self._window.hold(start)
        if before is not None:
            self._window.hold(min(before, start))
        return before

    def _next(self) -> int:
        self._count += 1
        return self._count - 1

    def _members(self) -> Iterator[str]:
        """The names of an object; the consumer moves the window over each value."""
        self._window.position += 1
        if self._window.peek() == CLOSE_MAP:
            self._window.position += 1
            return
        while True:
            yield self._name()
            if self._closed_by(CLOSE_MAP):
                return

    def _list_items(self) -> Iterator[None]:
        self._window.position += 1
        if self._window.peek() == CLOSE_LIST:
            self._window.position += 1
            return
        while True:
            yield None
            if self._closed_by(CLOSE_LIST):
                return

    def _name(self) -> str:
        window = self._window
        start = window.position
        raw = self._capture() if window.peek() == QUOTE else b""
        if not raw or isinstance(raw, ValueScan) or window.peek() != COLON:
            raise Refused("invalid_json", start, "a name was expected")
        window.position += 1
        window.peek()
        try:
            return str(loads_strict(raw))
        except StrictError:  # a spoilt name spoils its object, which is parsed as a whole; no known name is spoilt
            return ""

    def _closed_by(self, closer: int) -> bool:
        window = self._window
        mark = window.peek()
        if mark not in (COMMA, closer):
            raise Refused("invalid_json", window.position, "a comma or the end was expected")
        window.position += 1
        if mark == COMMA and window.peek() in (closer, None):
            raise Refused("invalid_json", window.position, "nothing after a comma")
        return mark == closer


class _Names:
    """Digests of the names met in one object: a repeated name is found without keeping millions of them."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self.repeated = False

    def add(self, name: str) -> bool:
        """True if it was there already."""
        key = int.from_bytes(hashlib.blake2b(name.encode(errors="replace"), digest_size=8).digest(), "big")
        self.repeated = self.repeated or key in self._seen
        known = key in self._seen
        self._seen.add(key)
        return known


def _index(path: tuple[int, ...]) -> str:
    return ".".join(map(str, path))
