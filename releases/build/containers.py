"""From an object's bytes to a stream of raw values, by content. Knows containers and their limits, no conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO

from releases.build.json_stream import DocumentReader, IsTurn, read_lines
from releases.build.outcome import BadValue, Limits, Notes, Raw, RawValue, Refused
from releases.build.sniff import Container, bom_length, container_of, delimiter_of, refuse_by_name
from releases.build.tables import read_csv, read_parquet
from releases.build.unpack import plain_chunks
from releases.build.window import Window

# A directory gives a file, an object store a context manager around a stream: both open the same way.
OpenStream = Callable[[], AbstractContextManager[BinaryIO]]
_HEAD = 256 * 1024
_LONGEST_BOM = 4


@dataclass(slots=True)
class Opened:
    """The container of an object and its raw values, which are read as they are asked for."""

    container: Container
    values: Iterator[Raw]


def open_values(stream: BinaryIO, key: str, limits: Limits, notes: Notes, is_turn: IsTurn) -> Opened:
    """Raises ``Refused`` or ``NotConversation``, here or while the values are read."""
    refuse_by_name(key)
    window = Window(plain_chunks(stream, limits))
    if not window.reach(1):
        raise Refused("empty_object")
    window.reach(_LONGEST_BOM)
    window.position += bom_length(window.data)
    passed = window.skip_blank_lines()
    head = _head(window, limits)
    container = container_of(head, key, whole=window.ended)
    if container is Container.LINES:
        values = read_lines(window, limits, passed)
    elif container is Container.DOCUMENT:
        values = iter(DocumentReader(window, limits, notes, is_turn))
    elif container is Container.PARQUET:
        values = read_parquet(window, limits)
    elif container is Container.TABLE:
        values = read_csv(window, delimiter_of(head, whole=window.ended), limits)
    else:
        values = _text(window, limits)
    return Opened(container, values)


def _head(window: Window, limits: Limits) -> bytes:
    """The first bytes that are not blank: at least one whole line, where it is not over the record limit."""
    head = window.reach(_HEAD)
    while b"\n" not in head and len(head) <= limits.record_bytes and not window.ended:
        head = window.reach(2 * len(head))
    if len(head) <= limits.record_bytes and not window.ended:
        window.more()  # learn whether this was all
    return window.data[window.index :]


def _text(window: Window, limits: Limits) -> Iterator[Raw]:
    """A plain text is one value."""
    start = window.position
    body = window.reach(limits.record_bytes + 1)
    if len(body) > limits.record_bytes:
        yield BadValue("0", "too_large", start)
        return
    window.position += len(body)
    if b"\x00" in body:
        raise Refused("unsupported_format", start + body.index(0), "binary")
    if b"\r" in body.replace(b"\r\n", b"\n"):
        raise Refused("bare_cr", start + body.replace(b"\r\n", b"\n\n").index(b"\r"))
    try:
        yield RawValue("0", body.decode("utf-8"), start)
    except UnicodeDecodeError as error:
        raise Refused("invalid_utf8", start + error.start) from None
