"""The interface of an object store, and nothing else: what the rest of the project may ask of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object of a listing. ``etag`` is opaque: equal means unchanged, different proves nothing."""

    key: str
    size: int
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class PutResult:
    """``created`` is False when the very same bytes were there already (a repeated request)."""

    etag: str
    created: bool


class ObjectStore(Protocol):
    """Keys are exact strings relative to the store's prefix; listing is in UTF-8 byte order of the key.

    Errors (``mhds.errors``): ``ObjectMissing``, ``ObjectConflict`` (create-once met other bytes; compare-and-swap
    lost), ``StorageUnavailable`` (worth a retry), ``StorageRefused`` (read-only store, bad key, permission).
    """

    url: str
    name: str
    read_only: bool

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]: ...

    def head(self, key: str) -> ObjectInfo: ...

    def read(self, key: str) -> AbstractContextManager[BinaryIO]:
        """A stream over the whole object, not seekable; reading to the end raises if bytes are missing.

        Who stops early has checked nothing: read to the end wherever the whole object counts.
        """
        ...

    def read_bytes(self, key: str) -> bytes: ...

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly ``length`` bytes from ``start``; fewer is an error."""
        ...

    def put_if_absent(self, key: str, body: bytes | Path) -> PutResult:
        """Create once. The same bytes again succeed with ``created=False``; other bytes raise ``ObjectConflict``."""
        ...

    def compare_and_swap(self, key: str, body: bytes, *, expected_etag: str | None) -> PutResult:
        """Replace only if the object still has ``expected_etag`` (None: only if absent), else ``ObjectConflict``.

        Exception: if the object already holds exactly ``body``, it succeeds with ``created=False``, for that is how a
        repeat after a lost answer looks. So two writers of *equal* bytes both succeed: no lock without a unique body.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove a staged or fact object; missing is no error. Refused under ``exports/``."""
        ...

    def presign(self, key: str, *, expires_s: int) -> str | None:
        """A URL to GET the object directly, or None where the store has no such thing (a directory)."""
        ...
