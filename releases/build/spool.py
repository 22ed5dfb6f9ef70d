"""Released text between reading and writing, on local disk: appended, read back by position, cut back on refusal.

Owns one private temporary file that disappears with the process; knows nothing of records beyond their messages.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import msgspec

from releases.build.types import Message, Messages


class Place(NamedTuple):
    """Where one conversation lies in the spool, in bytes."""

    offset: int
    length: int


class Spool:
    """Append-only but for ``rewind``: an object that turns out damaged takes back what it gave."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Unlinked at once: a killed process leaves no text behind.
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115  closed in __exit__
        self._end = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()

    @property
    def end(self) -> int:
        return self._end

    def append(self, messages: Messages) -> Place:
        body = msgspec.msgpack.encode(messages)
        os.pwrite(self._file.fileno(), body, self._end)
        place = Place(self._end, len(body))
        self._end += len(body)
        return place

    def read(self, place: Place) -> Messages:
        body = os.pread(self._file.fileno(), place.length, place.offset)
        return tuple(Message(role, content) for role, content in msgspec.msgpack.decode(body))

    def rewind(self, end: int) -> None:
        os.ftruncate(self._file.fileno(), end)
        self._end = end
