"""Owns where a key lies in a directory and in which order the keys there come; reads names, never contents."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from mhds.errors import StorageRefused, StorageUnavailable
from mhds.storage.keys import PRIVATE, is_part, is_plain, segment_of, shown, spelling, twin_spelling

_NO_SUCH = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}


class Paths:
    """Finds and walks the keys under ``root`` (a resolved path). ``escaped`` tells a bucket from a source."""

    def __init__(self, root: Path, *, escaped: bool) -> None:
        self._root = root
        self._escaped = escaped

    def find(self, key: str) -> Path | None:
        """The file that holds ``key``, or None. ``StorageRefused`` for a link out of the root or through a folder."""
        *folders, last = key.split("/")
        folder = self._find_folder(folders)
        if folder is None:
            return None
        found = next((path for path in self._candidates(folder, last) if _kind(path) not in ("", "folder")), None)
        if found is not None:
            self._check_file(found, key)
        return found

    def place(self, key: str) -> tuple[Path | None, Path]:
        """``(the file that has the key already or None, where to put it)``; makes folders. Hold the lock.

        A name once taken by a folder or a file stays its own: an existing twin is used before a free plain name,
        else a key could come to lie in two places when the holder of the plain name goes.
        """
        *folders, last = key.split("/")
        folder = self._root
        for segment in folders:
            folder = self._make_folder(folder, segment)
        candidates = self._candidates(folder, last)
        kinds = [_kind(path) for path in candidates]
        for path, kind in zip(candidates, kinds, strict=True):
            if kind not in ("", "folder"):
                return path, path
        target = candidates[kinds.index("")]
        target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        return None, target

    def walk(self, prefix: str) -> Iterator[tuple[str, Path]]:
        """``(key, file)`` of each key that begins with ``prefix``, in UTF-8 byte order of the key."""
        *folders, rest = prefix.split("/")
        start = self._find_folder(folders)
        if start is None:
            return
        base = "".join(segment + "/" for segment in folders)
        stack = [iter(self._children(start, base, rest))]
        while stack:
            child = next(stack[-1], None)
            if child is None:
                stack.pop()
                continue
            key, path = child
            if key.endswith("/") and path.is_dir():
                stack.append(iter(self._children(path, key, "")))
            else:
                yield key, path

    def _children(self, folder: Path, base: str, beginning: str) -> list[tuple[str, Path]]:
        """Files as ``(key, path)`` and folders as ``(key + "/", path)``, in the byte order of all keys below them.

        Sorting a folder under its name with the slash is what puts ``a.txt`` before ``a/b``, as in S3.
        """
        found = []
        try:
            for segment, entry in self._segments(folder, ()):
                if segment.startswith(beginning):
                    name = segment + "/" if self._is_folder(entry, base + segment) else segment
                    found.append((name.encode(), base + name, Path(entry.path)))
        except FileNotFoundError:
            # A bucket's folder goes with its last object. A source has to be at rest while it is listed.
            if not self._escaped:
                raise StorageUnavailable(f"folder {shown(base)} vanished while the source was listed") from None
        return [(key, path) for _, key, path in sorted(found)]

    def _segments(self, folder: Path | str, outer: tuple[str, ...]) -> Iterator[tuple[str, os.DirEntry[str]]]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not self._escaped:
                    yield _utf8(entry.name), entry
                elif entry.name == PRIVATE and not outer and Path(folder) == self._root:
                    continue
                elif is_part(entry.name):
                    yield from self._segments(entry.path, (*outer, entry.name))
                else:
                    yield _utf8(segment_of((*outer, entry.name))), entry

    def _is_folder(self, entry: os.DirEntry[str], key: str) -> bool:
        if entry.is_symlink():
            self._check_file(Path(entry.path), key)
            return False
        return entry.is_dir(follow_symlinks=False)

    def _candidates(self, folder: Path, segment: str) -> list[Path]:
        if not self._escaped:
            return [folder / segment] if is_plain(segment) else []
        return [folder.joinpath(*spelling(segment)), folder.joinpath(*twin_spelling(segment))]

    def _find_folder(self, segments: list[str]) -> Path | None:
        folder = self._root
        for segment in segments:
            found = next((path for path in self._candidates(folder, segment) if _kind(path) == "folder"), None)
            if found is None:
                self._refuse_linked_folder(folder, segment)
                return None
            folder = found
        return folder if _kind(folder) == "folder" else None

    def _refuse_linked_folder(self, folder: Path, segment: str) -> None:
        for path in self._candidates(folder, segment):
            if _kind(path) == "link" and path.is_dir():
                raise StorageRefused(f"folder {shown(segment)} is a link", hint="give the folder itself as the source")

    def _make_folder(self, parent: Path, segment: str) -> Path:
        candidates = self._candidates(parent, segment)
        for path in candidates:
            if _kind(path) == "folder":
                return path
        target = candidates[[_kind(path) for path in candidates].index("")]
        target.mkdir(mode=0o750, parents=True)
        return target

    def _check_file(self, path: Path, key: str) -> None:
        """``StorageRefused`` unless a regular file inside the root is behind ``path``."""
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(self._root):
            raise StorageRefused(f"{shown(key)} is a link out of the store's directory", hint="copy the file instead")
        if not real.is_file():
            raise StorageRefused(f"{shown(key)} is no regular file", hint="remove it from the directory")


def _kind(path: Path) -> str:
    """What has this name: ``folder``, ``link``, ``other`` (a file, a pipe), or nothing: ``""``."""
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        if error.errno in _NO_SUCH:
            return ""
        raise
    if stat.S_ISLNK(mode):
        return "link"
    return "folder" if stat.S_ISDIR(mode) else "other"


def _utf8(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise StorageRefused(f"the file name {name!a} is not valid UTF-8", hint="rename the file") from None
    return name
