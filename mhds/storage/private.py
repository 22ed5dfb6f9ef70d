"""Owns a directory store's private folder: its lock, its temporary files, and making names durable."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mhds.errors import StorageUnavailable
from mhds.storage.keys import PRIVATE

_LOCK_WAIT_S = 30.0
_LOCK_POLL_S = 0.002
_STALE_S = 24 * 3600.0


@contextmanager
def lock(root: Path) -> Iterator[None]:
    """Hold the store for one short change of names; ``StorageUnavailable`` after 30 s.

    ``flock`` belongs to the open file, so it excludes threads as well as processes, and a killed process lets go.
    """
    descriptor = os.open(_folder(root) / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        deadline = time.monotonic() + _LOCK_WAIT_S
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise StorageUnavailable("another process holds the store's lock", hint="find and end that process")
            time.sleep(_LOCK_POLL_S)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def temporary(root: Path) -> Iterator[Path]:
    """The path of a new file on the store's own file system; whatever is there at the end is removed."""
    folder = _folder(root) / "tmp"
    folder.mkdir(exist_ok=True)
    path = folder / secrets.token_hex(16)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def sweep(root: Path) -> None:
    """Remove what killed processes left in the temporary folder more than a day ago."""
    oldest = time.time() - _STALE_S
    with suppress(FileNotFoundError):  # nothing written yet, or another sweeper was quicker
        for entry in os.scandir(root / PRIVATE / "tmp"):
            if entry.stat().st_mtime < oldest:
                Path(entry.path).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; a folder that is gone has none."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _folder(root: Path) -> Path:
    folder = root / PRIVATE
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    return folder
