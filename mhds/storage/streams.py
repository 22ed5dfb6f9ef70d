"""Owns the bytes that go in and come out of a store, counted and compared; must not know where they are kept."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from mhds.errors import InvalidInput, StorageUnavailable
from mhds.storage.keys import shown

CHUNK = 1 << 20
_BUFFER = 1 << 18


class Readable(Protocol):
    """What both a file and a response body can do."""

    def readinto(self, buffer: memoryview, /) -> int | None: ...


class CountedReader(io.RawIOBase):
    """Passes bytes through and raises ``StorageUnavailable`` unless exactly ``size`` of them arrive before the end.

    ``at_end`` runs once when the end is reached: the place to see whether the object changed meanwhile. A reader
    that stops early has checked nothing, so whoever needs the whole object must read to the end. Never seekable:
    a body from S3 is not, and code that works on one store must work on the other.
    """

    def __init__(self, source: Readable, *, key: str, size: int, at_end: Callable[[], None]) -> None:
        super().__init__()
        self._source, self._key, self._size, self._at_end = source, key, size, at_end
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # typeshed: any writable buffer
        try:
            count = self._source.readinto(buffer) or 0
        except OSError as error:
            raise StorageUnavailable(f"{shown(self._key)}: {error.strerror}") from None
        self._count += count
        if self._count > self._size or (count == 0 and len(buffer) and self._count < self._size):
            raise StorageUnavailable(
                f"{shown(self._key)}: read {self._count} bytes where the store has {self._size}", hint="read it again"
            )
        if count == 0:
            self._at_end()
        return count


def buffered(reader: CountedReader) -> BinaryIO:
    """A buffered stream with ``read``, ``readline`` and iteration over lines."""
    return io.BufferedReader(reader, _BUFFER)


@contextmanager
def open_body(body: bytes | Path) -> Iterator[BinaryIO]:
    """A seekable stream over what is to be stored; ``InvalidInput`` if the file is not there to be read."""
    if isinstance(body, bytes):
        yield io.BytesIO(body)
        return
    try:
        stream = body.open("rb")
    except OSError as error:
        raise InvalidInput(f"the file to be stored cannot be read: {error.strerror}") from None
    with stream:
        yield stream


def chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Pieces of at most 1 MiB to the end of the stream."""
    while piece := stream.read(CHUNK):
        yield piece


def digest_and_size(stream: BinaryIO) -> tuple[bytes, int]:
    """The raw SHA-256 and the number of bytes from here to the end."""
    digest, size = hashlib.sha256(), 0
    for piece in chunks(stream):
        digest.update(piece)
        size += len(piece)
    return digest.digest(), size


def same_bytes(body: bytes | Path, stored: BinaryIO) -> bool:
    """True if both hold the same bytes; reads the stored one to its end, so that its own checks run."""
    with open_body(body) as ours:
        return digest_and_size(ours) == digest_and_size(stored)
