"""Brings files of a release to local disk and hands nothing out before its sha256 held; knows no sampling."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from mhds.client.checksums import index_path
from mhds.client.errors import (
    DigestMismatch,
    FileMissing,
    IntegrityError,
    StorageMissing,
    TransportError,
    UsageError,
)
from mhds.client.model import FileEntry, Manifest
from mhds.client.place import Place
from mhds.client.transport import CHUNK, stream

Record = dict[str, Any]
_OFFSET_BYTES = 8


class Shards:
    """Files by digest in ``cache_dir`` (kept, shared by releases), or in a private folder that goes with it."""

    def __init__(self, place: Place, manifest: Manifest, cache_dir: Path | None) -> None:
        self._place = place
        self._entries = {entry.path: entry for entry in manifest.files}
        self._root, self.close = _folder(cache_dir, self)
        self._verified: dict[str, Path] = {}
        self._offsets: dict[str, array[int]] = {}

    def path(self, entry: FileEntry) -> Path:
        """A local file whose bytes hash to what the manifest says. A bad download is tried once more, then refused."""
        found = self._verified.get(entry.sha256)
        if found is None:
            # Two threads may both fetch it; each renames the same bytes into place, so no lock is needed.
            found = self._verified[entry.sha256] = self._from_cache(entry) or self._download(entry)
        return found

    def check(self, entry: FileEntry) -> None:
        """Read the file once and compare size and sha256, keeping nothing."""
        if entry.sha256 not in self._verified:
            self._twice(entry, None)

    def read(self, entry: FileEntry) -> bytes:
        """The verified bytes of a file that is small enough for memory (config, index, reports)."""
        return self.path(entry).read_bytes()

    def records(self, entry: FileEntry) -> Iterator[Record]:
        """All records of a shard, in its order."""
        offsets = self.offsets(entry)
        with self.path(entry).open("rb") as file:
            for number in range(len(offsets) - 1):
                yield _record(file, entry, offsets, number)

    def record(self, entry: FileEntry, number: int) -> Record:
        """The ``number``-th record of a shard, counted from 0, by its offset."""
        offsets = self.offsets(entry)
        with self.path(entry).open("rb") as file:
            return _record(file, entry, offsets, number)

    def offsets(self, entry: FileEntry) -> array[int]:
        """Byte offsets of each record's first byte, then the shard's length: ``records + 1`` rising numbers."""
        found = self._offsets.get(entry.sha256)
        if found is None:
            index = self._entries[index_path(entry.path)]
            found = self._offsets[entry.sha256] = parse_index(self.read(index), entry)
        return found

    def _from_cache(self, entry: FileEntry) -> Path | None:
        """A kept file counts only after it is hashed again: disks rot, and caches are writable."""
        path = self._home(entry)
        if not path.is_file():
            return None
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        if digest.hexdigest() == entry.sha256:
            return path
        path.unlink(missing_ok=True)
        return None

    def _download(self, entry: FileEntry) -> Path:
        home = self._home(entry)
        try:
            home.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=home.parent, prefix=".part-", delete=False) as file:
                self._fill(entry, file, Path(file.name))
            Path(file.name).replace(home)
        except OSError as error:
            raise TransportError(f"{home.parent} cannot hold {entry.path}: {error.strerror}") from None
        return home

    def _fill(self, entry: FileEntry, file: Any, name: Path) -> None:
        whole = False
        try:
            self._twice(entry, file)
            file.flush()
            os.fsync(file.fileno())
            whole = True
        finally:
            if not whole:
                name.unlink(missing_ok=True)

    def _twice(self, entry: FileEntry, sink: BinaryIO | None) -> None:
        try:
            self._copy(entry, sink)
        except IntegrityError:
            if sink is not None:
                sink.seek(0)
                sink.truncate()
            self._copy(entry, sink)

    def _copy(self, entry: FileEntry, sink: BinaryIO | None) -> None:
        digest = hashlib.sha256()
        try:
            for chunk in stream(self._place.transport, self._place.folder + entry.path, entry.bytes):
                digest.update(chunk)
                if sink is not None:
                    sink.write(chunk)
        except StorageMissing:
            raise FileMissing(f"{entry.path} is listed in the manifest, and is not there") from None
        if digest.hexdigest() != entry.sha256:
            raise DigestMismatch(f"sha256 of {entry.path}", expected=entry.sha256, actual=digest.hexdigest())

    def _home(self, entry: FileEntry) -> Path:
        return self._root / "sha256" / entry.sha256[:2] / entry.sha256


def _folder(cache_dir: Path | None, owner: Shards) -> tuple[Path, Any]:
    try:
        if cache_dir is not None:
            cache_dir.mkdir(parents=True, exist_ok=True)
            return cache_dir, lambda: None
        folder = Path(tempfile.mkdtemp(prefix="mhds-"))
    except OSError as error:
        raise UsageError(f"the cache folder cannot be used: {error.strerror}") from None
    return folder, weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)


def parse_index(data: bytes, entry: FileEntry) -> array[int]:
    """Read an ``.idx``: little-endian u64, ``records + 1`` of them, from 0 to the shard's length, strictly rising."""
    what = f"offsets in the index of {entry.path}"
    wanted = (entry.records or 0) + 1
    if len(data) != _OFFSET_BYTES * wanted:
        raise DigestMismatch(what, expected=f"{_OFFSET_BYTES * wanted} bytes", actual=f"{len(data)} bytes")
    offsets = array("Q", data)
    if sys.byteorder == "big":
        offsets.byteswap()
    if (offsets[0], offsets[-1]) != (0, entry.bytes):
        raise DigestMismatch(what, expected=f"0 to {entry.bytes}", actual=f"{offsets[0]} to {offsets[-1]}")
    if any(after <= before for before, after in pairwise(offsets)):
        raise IntegrityError(f"{what} do not rise")
    return offsets


def encode_index(offsets: Iterable[int]) -> bytes:
    """The bytes of an ``.idx`` from the offset of each record's first byte, then the shard's length."""
    return b"".join(offset.to_bytes(_OFFSET_BYTES, "little") for offset in offsets)


def _record(file: BinaryIO, entry: FileEntry, offsets: array[int], number: int) -> Record:
    file.seek(offsets[number])
    line = file.read(offsets[number + 1] - offsets[number])
    where = f"{entry.path}, record {number}, byte {offsets[number]}"
    if not line.endswith(b"\n") or b"\n" in line[:-1]:
        raise IntegrityError(f"{where}: the index does not point at one line")
    try:
        record = json.loads(line)
    except ValueError:
        raise IntegrityError(f"{where}: not a JSON record") from None
    if not isinstance(record, dict) or not isinstance(record.get("metadata"), dict):
        raise IntegrityError(f"{where}: not a record of the contract")
    return record
