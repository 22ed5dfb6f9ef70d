"""Owns an object store made of a directory: a source laid out by people, or a bucket of our own; knows no release.

A read-only store without our private folder is a *source*: the key is the relative path, nothing is escaped and
nothing is ever written. Any other is a *bucket*, where every key can be stored (spelling: ``mhds.storage.keys``).
In both, a link to a file inside the root is read as that file; a link out of the root, a link to a folder, and
anything that is neither file nor folder is refused, loudly: skipping it would be a silent hole in an inventory.

An etag is inode, modification time (ns) and size: one ``stat``, no reading. A bucket gives each object a fresh inode
and a rising time, so there an equal etag means unchanged. In a source, a file rewritten in place with the same size
within one tick of the file system's clock (some milliseconds) keeps its etag; frozen bytes are hashed, not trusted.
Needs a local file system with hard links and ``flock``; ``examine`` measures whether that holds.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from mhds.errors import ObjectConflict, ObjectDamaged, ObjectMissing, StorageRefused, StorageUnavailable
from mhds.storage import private
from mhds.storage.base import ObjectInfo, PutResult
from mhds.storage.keys import PRIVATE, check_deletable, check_key, shown
from mhds.storage.paths import Paths
from mhds.storage.streams import CountedReader, buffered, chunks, digest_and_size, open_body, same_bytes

_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EXDEV, errno.EOPNOTSUPP, errno.EMLINK, errno.ENAMETOOLONG}


class DirectoryStore:
    """An ``ObjectStore`` in a directory (see the module's docstring). Safe for threads, processes and ``kill -9``."""

    def __init__(self, root: Path, *, name: str = "local", read_only: bool = False) -> None:
        self.root = Path(os.path.realpath(root))
        self.name = name
        self.read_only = read_only
        self.url = "file://" + quote(str(self.root))
        if not read_only:
            private.sweep(self.root)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Memory is bounded by the widest folders on one path, not by the number of keys."""
        with _translated(prefix):
            for key, path in self._paths().walk(prefix):
                # Vanished since its folder was read: deleted by another (bucket) or a source that is not at rest.
                try:
                    yield _info(key, path.stat())
                except FileNotFoundError:
                    if self._is_source():
                        raise StorageUnavailable(f"{shown(key)} vanished while the source was listed") from None

    def head(self, key: str) -> ObjectInfo:
        with _translated(key):
            return _info(key, self._find(key).stat())

    @contextmanager
    def read(self, key: str) -> Iterator[BinaryIO]:
        """A change of the file before its end was read raises ``StorageUnavailable``."""
        with self._opened(key) as (stream, _):
            yield stream

    def read_bytes(self, key: str) -> bytes:
        with self.read(key) as stream:
            return stream.read()

    def read_range(self, key: str, start: int, length: int) -> bytes:
        if start < 0 or length < 0:
            raise ValueError("a range has a start and a length of at least 0")
        with _translated(key), self._find(key).open("rb") as stream:
            stream.seek(start)
            piece = stream.read(length)
        if len(piece) != length:
            raise ObjectDamaged(f"{shown(key)}: {len(piece)} bytes at {start} where {length} were asked for")
        return piece

    def put_if_absent(self, key: str, body: bytes | Path) -> PutResult:
        self._check_writable(key)
        with _translated(key):
            if self._paths().find(key) is None:
                with self._staged(body) as staged:
                    with private.lock(self.root):
                        written = self._link(staged, key)
                    if written is not None:
                        return self._done(*written)
            return self._compared(key, body)

    def compare_and_swap(self, key: str, body: bytes, *, expected_etag: str | None) -> PutResult:
        """Losing to a writer of the same bytes is a success with ``created=False``, as after a lost response."""
        if expected_etag is None:
            return self.put_if_absent(key, body)
        self._check_writable(key)
        with _translated(key):
            with self._staged(body) as staged:
                with private.lock(self.root):
                    written = self._swap(staged, key, expected_etag)
                if written is not None:
                    return self._done(*written)
            return self._compared(key, body)

    def delete(self, key: str) -> None:
        self._check_writable(key)
        check_deletable(key)
        with _translated(key), private.lock(self.root):
            path = self._paths().find(key)
            if path is None:
                return
            path.unlink()
            self._prune(path.parent)

    def presign(self, key: str, *, expires_s: int) -> str | None:  # noqa: ARG002  # a directory has no URLs to give
        return None

    def rejects_wrong_checksum(self, key: str) -> bool:
        """For ``examine``: True if staging refuses a body that is not what its checksum says, storing nothing."""
        try:
            with self._staged(b"body", expected=hashlib.sha256(b"other").digest()):
                return False
        except StorageUnavailable:
            return self._paths().find(key) is None

    def endpoint_class(self) -> str:
        return "directory"

    def another_client(self) -> DirectoryStore:
        return DirectoryStore(self.root, name=self.name)

    # How it is done

    def _is_source(self) -> bool:
        # Looked up each time: a reader may be opened before the bucket's first write.
        return self.read_only and not (self.root / PRIVATE).is_dir()

    def _paths(self) -> Paths:
        if self.read_only and not self.root.is_dir():
            raise StorageUnavailable("the directory of this store does not exist", hint="is it mounted? check its URL")
        return Paths(self.root, escaped=not self._is_source())

    def _find(self, key: str) -> Path:
        path = self._paths().find(check_key(key))
        if path is None:
            raise ObjectMissing(f"no object {shown(key)} in {self.name}")
        return path

    def _check_writable(self, key: str) -> None:
        if self.read_only:
            raise StorageRefused(f"{self.name} is read-only; {shown(key)} was not touched")
        check_key(key)

    @contextmanager
    def _staged(self, body: bytes | Path, *, expected: bytes | None = None) -> Iterator[Path]:
        """The body in a durable temporary file, read back and found equal to ``expected`` (default: what was given)."""
        with private.temporary(self.root) as path:
            digest, size = hashlib.sha256(), 0
            with open_body(body) as source, path.open("xb") as target:
                for piece in chunks(source):
                    size += target.write(piece)
                    digest.update(piece)
                target.flush()
                os.fsync(target.fileno())
            with path.open("rb") as written:
                if digest_and_size(written) != (expected or digest.digest(), size):
                    raise StorageUnavailable("a temporary file does not hold what was written", hint="check the disk")
            _stamp(path)
            yield path

    def _link(self, staged: Path, key: str) -> tuple[Path, str] | None:
        """Give the staged file its key, under the lock: ``(path, etag)``; None if another file has it."""
        existing, target = self._paths().place(key)
        if existing is not None:
            return None
        # link() and not rename(): it refuses an existing name even where another host ignores our lock.
        try:
            os.link(staged, target)
        except FileExistsError:
            return None
        return target, _etag(staged.stat())

    def _swap(self, staged: Path, key: str, expected_etag: str) -> tuple[Path, str] | None:
        """Put the staged file in the place of the one with this etag, under the lock; None if another is there."""
        path = self._paths().find(key)
        if path is None:
            raise ObjectConflict(f"{shown(key)} is gone", hint="read it again and decide anew")
        before = path.stat()
        if _etag(before) != expected_etag:
            return None
        _stamp(staged, after=before.st_mtime_ns)
        etag = _etag(staged.stat())
        staged.replace(path)
        return path, etag

    def _done(self, target: Path, etag: str) -> PutResult:
        self._sync(target)
        return PutResult(etag, created=True)

    def _compared(self, key: str, body: bytes | Path) -> PutResult:
        with self._opened(key) as (stored, etag):
            if not same_bytes(body, stored):
                raise ObjectConflict(
                    f"{shown(key)} exists with other bytes", hint="it was not touched; find its writer"
                )
        # Also another writer's name is made durable: we are about to say that it is there.
        self._sync(self._find(key))
        return PutResult(etag, created=False)

    @contextmanager
    def _opened(self, key: str) -> Iterator[tuple[BinaryIO, str]]:
        with _translated(key):
            raw = self._find(key).open("rb", buffering=0)
        with raw:
            etag = _etag(os.fstat(raw.fileno()))

            def check_unchanged() -> None:
                if _etag(os.fstat(raw.fileno())) != etag:
                    raise StorageUnavailable(f"{shown(key)} changed while it was read", hint="read it again")

            size = os.fstat(raw.fileno()).st_size
            with buffered(CountedReader(raw, key=key, size=size, at_end=check_unchanged)) as stream:
                yield stream, etag

    def _sync(self, path: Path) -> None:
        for folder in path.parents:
            private.sync_folder(folder)
            if folder == self.root:
                break

    def _prune(self, folder: Path) -> None:
        private.sync_folder(folder)
        with suppress(OSError):  # the first folder that still holds something ends it
            while folder != self.root:
                folder.rmdir()
                folder = folder.parent


def _etag(status: os.stat_result) -> str:
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"


def _info(key: str, status: os.stat_result) -> ObjectInfo:
    if not stat.S_ISREG(status.st_mode):
        raise StorageRefused(f"{shown(key)} is no regular file", hint="remove it from the directory")
    modified = datetime.fromtimestamp(status.st_mtime_ns // 1000 / 1e6, tz=UTC)
    return ObjectInfo(key=key, size=status.st_size, etag=_etag(status), modified=modified)


def _stamp(path: Path, *, after: int = 0) -> None:
    """Set a time in full nanoseconds: the kernel's own ticks are so coarse that a reused inode could repeat an etag."""
    moment = max(time.time_ns(), after + 1)
    os.utime(path, ns=(moment, moment))


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """The errors of the operating system as ours, with the key and without the path of the machine."""
    try:
        yield
    except OSError as error:
        message = f"{shown(key)}: {error.strerror}"
        if isinstance(error, FileNotFoundError):
            raise ObjectMissing(message) from None
        refused = error.errno in _REFUSED
        raise (StorageRefused if refused else StorageUnavailable)(message, hint="check the directory's disk") from None
