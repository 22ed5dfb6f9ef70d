"""Plain bytes from a stream that may be packed: gzip and zstd, told by their magic. Knows nothing of what is inside."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

import zstandard

from releases.build.outcome import Limits, Refused

CHUNK = 256 * 1024
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
# A zstd block of a few bytes may stand for 128 KiB: small bites bound what one call can put out (32 MiB).
_ZSTD_BITE = 1024
_ZSTD_WINDOW = 64 * 1024 * 1024


def plain_chunks(stream: BinaryIO, limits: Limits) -> Iterator[bytes]:
    """The bytes, unpacked once. Raises ``Refused``: ``truncated``, ``damaged_compression``, ``too_expansive``."""
    head = b""
    while len(head) < len(ZSTD) and (more := stream.read(CHUNK)):
        head += more
    chunks = chain((head,), iter(lambda: stream.read(CHUNK), b"")) if head else iter(())
    if head.startswith(GZIP):
        return _gunzip(chunks, _Gauge(limits))
    if head.startswith(ZSTD):
        return _unzstd(chunks, _Gauge(limits))
    return chunks


class _Gauge:
    """Counts bytes that come out, because headers lie about sizes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.packed = 0
        self.plain = 0

    def count(self, out: bytes) -> bytes:
        self.plain += len(out)
        over_ratio = self.plain > self._limits.ratio_floor and self.plain > self._limits.ratio * self.packed
        if over_ratio or self.plain > self._limits.plain_bytes:
            raise Refused("too_expansive", self.plain)
        return out


def _gunzip(chunks: Iterable[bytes], gauge: _Gauge) -> Iterator[bytes]:
    """Members one after the other; zlib itself checks CRC and length of each."""
    member = None
    for chunk in chunks:
        gauge.packed += len(chunk)
        while chunk:
            member = member or zlib.decompressobj(wbits=31)
            yield gauge.count(_inflate(member, chunk))
            chunk = member.unused_data if member.eof else member.unconsumed_tail
            member = None if member.eof else member
    while member is not None and not member.eof and (out := _inflate(member, b"")):
        yield gauge.count(out)
    if member is not None and not member.eof:
        raise Refused("truncated", gauge.plain, "gzip")


def _inflate(member: zlib._Decompress, chunk: bytes) -> bytes:
    try:
        return member.decompress(chunk, CHUNK)
    except zlib.error:
        raise Refused("damaged_compression", detail="gzip") from None


def _unzstd(chunks: Iterable[bytes], gauge: _Gauge) -> Iterator[bytes]:
    context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    frame = None
    for chunk in chunks:
        for start in range(0, len(chunk), _ZSTD_BITE):
            bite = chunk[start : start + _ZSTD_BITE]
            gauge.packed += len(bite)
            while bite:
                frame = frame or context.decompressobj()
                try:
                    out = frame.decompress(bite)
                except zstandard.ZstdError:
                    raise Refused("damaged_compression", detail="zstd") from None
                yield gauge.count(out)
                bite = frame.unused_data if frame.eof else b""
                frame = None if frame.eof else frame
    if frame is not None:
        raise Refused("truncated", gauge.plain, "zstd")
