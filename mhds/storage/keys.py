"""Owns what a key may be and how it is spelt on disk; must not know of files being open, of S3 or of releases.

A key is spelt on disk as itself, segment by segment, so that ``sha256sum -c`` works in a release. A segment that a
file system cannot hold is spelt with names that begin with ``MARK``, which no ordinary segment may begin with:

    ``.mhds~+TEXT/``  the segment goes on in the next name (for segments over 255 bytes)
    ``.mhds~=TEXT``   the last or only part of an escaped segment: empty, ``.``, ``..``, NUL, over-long, marked
    ``.mhds~:TEXT``   the same, when the plain name is taken: file ``a`` beside folder ``a/``, whichever came second

In TEXT ``%`` is ``%25`` and NUL is ``%00``; everything else is itself. Each segment has exactly one spelling and one
twin spelling; ``segment_of`` refuses any other, so two keys never share a file and two files never share a key.
"""

from __future__ import annotations

from collections.abc import Sequence

from mhds.errors import StorageRefused

MARK = ".mhds~"
MORE, LAST, TWIN = "+", "=", ":"
PRIVATE = MARK + "private"  # our lock and temporary files; no key can be spelt so
MAX_KEY_BYTES = 1024  # the limit of S3, kept by directories too, so that what one holds the other can
MAX_NAME_BYTES = 255
_TEXT_BYTES = MAX_NAME_BYTES - len(MARK) - 1
_QUOTED = {"%": "%25", "\0": "%00"}
PERMANENT = "exports/"


def shown(key: str) -> str:
    """The key for a message: quoted, with control and undecodable characters escaped."""
    return ascii(key) if not key.isprintable() else repr(key)


def check_key(key: str) -> str:
    """Return ``key`` if a store may hold it; ``StorageRefused`` if empty, not UTF-8 or over 1,024 bytes."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise StorageRefused(f"key {key!a} is not valid UTF-8", hint="rename the object") from None
    if not 0 < size <= MAX_KEY_BYTES:
        raise StorageRefused(f"a key has 1 to {MAX_KEY_BYTES} bytes; this one has {size}: {shown(key[:80])}")
    return key


def check_deletable(key: str) -> None:
    """``StorageRefused`` for anything published: releases, channels and withdrawals are never deleted."""
    if key.startswith(PERMANENT):
        raise StorageRefused(f"{shown(key)} is published; nothing under {PERMANENT} is ever deleted")


def is_plain(segment: str) -> bool:
    """True if the file system can hold the segment under its own name."""
    return (
        segment not in ("", ".", "..")
        and "\0" not in segment
        and "/" not in segment
        and len(segment.encode()) <= MAX_NAME_BYTES
    )


def spelling(segment: str) -> tuple[str, ...]:
    """The disk names of a segment, outermost first: usually just the segment."""
    if is_plain(segment) and not segment.startswith(MARK):
        return (segment,)
    return _escaped(segment, LAST)


def twin_spelling(segment: str) -> tuple[str, ...]:
    """The second spelling, for when a file has the name that a folder needs, or a folder the name of a file."""
    return _escaped(segment, TWIN)


def is_part(name: str) -> bool:
    """True for a folder that is a part of a longer segment, not a segment of its own."""
    return name.startswith(MARK + MORE)


def segment_of(names: Sequence[str]) -> str:
    """The segment that these disk names spell; ``StorageRefused`` where no store of ours spells one so."""
    if len(names) == 1 and not names[0].startswith(MARK):
        return names[0]
    segment = "".join(_unquoted(name[len(MARK) + 1 :]) for name in names)
    if tuple(names) not in (spelling(segment), twin_spelling(segment)):
        raise StorageRefused(f"{shown('/'.join(names))} was not written by this store", hint="remove or rename it")
    return segment


def _escaped(segment: str, last: str) -> tuple[str, ...]:
    *parts, final = _chunks([_QUOTED.get(char, char) for char in segment])
    return (*(MARK + MORE + part for part in parts), MARK + last + final)


def _chunks(tokens: Sequence[str]) -> list[str]:
    """Join tokens greedily into texts of at most ``_TEXT_BYTES``; at least one text, never a split character."""
    texts, room = [""], _TEXT_BYTES
    for token in tokens:
        size = len(token.encode())
        if size > room:
            texts.append("")
            room = _TEXT_BYTES
        texts[-1] += token
        room -= size
    return texts


def _unquoted(text: str) -> str:
    return text.replace("%00", "\0").replace("%25", "%")
