"""A source object as a stream that is hashed while it is read, so that the account names the bytes that were used."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import BinaryIO, cast

CHUNK = 1 << 20


class Hashing(io.RawIOBase):
    """Passes bytes through and counts and hashes them."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._hash = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # a narrower buffer type than typeshed's
        body = self._stream.read(len(buffer))
        buffer[: len(body)] = body
        self._hash.update(body)
        self.size += len(body)
        return len(body)

    def finish(self) -> str:
        """The SHA-256 of the whole object: what the reader left is read here."""
        while body := self._stream.read(CHUNK):
            self._hash.update(body)
            self.size += len(body)
        return self._hash.hexdigest()


class Opener:
    """Opens one object as often as its reader asks; ``finish`` tells size and hash of the last pass."""

    def __init__(self, open_object: Callable[[str], AbstractContextManager[BinaryIO]], key: str) -> None:
        self._open, self._key = open_object, key
        self._stack = ExitStack()
        self._last: Hashing | None = None

    def __enter__(self) -> Opener:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def __call__(self) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(self._begin(), CHUNK))

    def _begin(self) -> Hashing:
        self._stack.close()
        self._last = Hashing(self._stack.enter_context(self._open(self._key)))
        return self._last

    def finish(self) -> tuple[int, str]:
        """(bytes, SHA-256 in hex) of the whole object."""
        last = self._last or self._begin()
        digest = last.finish()
        return last.size, digest
