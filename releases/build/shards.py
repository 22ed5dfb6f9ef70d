"""Shards and their indexes: canonical lines cut into parts, hashed as they are written. Knows no record's meaning."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mhds.client.checksums import index_path
from releases.build.plan import BuiltFile


@dataclass
class _Part:
    """One shard being written. The index holds the offset of each record, then the length of the shard, as u64."""

    path: str
    local: Path
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    offsets: list[int] = field(default_factory=list)
    size: int = 0

    def close(self, split: str, family: str, work_dir: Path) -> Iterator[BuiltFile]:
        yield BuiltFile(
            self.path, "data", self.size, self.digest.hexdigest(), self.local, split, family, len(self.offsets)
        )
        body = struct.pack(f"<{len(self.offsets) + 1}Q", *self.offsets, self.size)
        yield local_file(index_path(self.path), "index", body, work_dir, split=split, family=family)


def local_file(path: str, role: str, body: bytes, work_dir: Path, *, split: str = "", family: str = "") -> BuiltFile:
    """A small frozen file, written below ``work_dir``."""
    local = work_dir / path
    local.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    local.write_bytes(body)
    return BuiltFile(path, role, len(body), hashlib.sha256(body).hexdigest(), local, split, family)


def write_shards(
    lines: Iterable[bytes], split: str, family: str, work_dir: Path, shard_bytes: int
) -> Iterator[BuiltFile]:
    """``data/<split>/<family>/part-00000.jsonl`` and on, each at most ``shard_bytes`` (one record may exceed it)."""
    part: _Part | None = None
    number = 0
    handle = None
    for line in lines:
        if part is None or handle is None or (part.size and part.size + len(line) + 1 > shard_bytes):
            if part is not None and handle is not None:
                handle.close()
                yield from part.close(split, family, work_dir)
            part = _Part(f"data/{split}/{family}/part-{number:05d}.jsonl", Path())
            part.local = work_dir / part.path
            part.local.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = part.local.open("wb")
            number += 1
        body = line + b"\n"
        handle.write(body)
        part.digest.update(body)
        part.offsets.append(part.size)
        part.size += len(body)
    if part is not None and handle is not None:
        handle.close()
        yield from part.close(split, family, work_dir)
