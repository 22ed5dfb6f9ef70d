"""The lines of a shard, strictly: only ``\\n`` ends a line. Owns bytes and offsets; knows no record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from releases.build.strict import MAX_RECORD_BYTES

_CHUNK = 1 << 20
_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """``data`` excludes the newline; ``reason`` is empty for a line worth parsing, else a reason id without data."""

    number: int
    offset: int
    data: bytes
    reason: str


def chunks_of(source: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    if hasattr(source, "read"):
        while chunk := source.read(_CHUNK):
            yield chunk
    else:
        yield from source


class ShardLines:
    """Iterates once over the lines of ``chunks``; ``sha256`` and ``bytes`` cover the very bytes that were handed out.

    Holds one line at a time, at most 8 MiB of it. Reasons: ``too_large``, ``cut_last_line`` (no newline at the end,
    whether or not the rest parses), ``byte_order_mark``, ``blank_line``, ``carriage_return``.
    """

    def __init__(self, source: BinaryIO | Iterable[bytes]) -> None:
        self._chunks = chunks_of(source)
        self._digest = hashlib.sha256()
        self.bytes = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[Line]:
        number, offset, held, parts = 0, 0, 0, list[bytes]()
        for chunk in self._chunks:
            self._digest.update(chunk)
            self.bytes += len(chunk)
            *whole, rest = chunk.split(b"\n")
            for piece in whole:
                yield _judged(number, offset, [*parts, piece], held + len(piece))
                number, offset, held, parts = number + 1, offset + held + len(piece) + 1, 0, []
            held += len(rest)
            # What is over the limit is counted and hashed, not kept.
            parts = [*parts, rest] if held <= MAX_RECORD_BYTES else []
        if held:
            yield Line(number, offset, b"", "too_large" if held > MAX_RECORD_BYTES else "cut_last_line")


def _judged(number: int, offset: int, parts: list[bytes], length: int) -> Line:
    if length > MAX_RECORD_BYTES:
        return Line(number, offset, b"", "too_large")
    data = b"".join(parts)
    reason = ""
    if data.startswith(_BOM):
        reason = "byte_order_mark"
    elif not data.strip():
        reason = "blank_line"
    elif data.endswith(b"\r"):
        reason = "carriage_return"
    return Line(number, offset, b"" if reason else data, reason)
