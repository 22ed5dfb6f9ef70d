"""One streaming pass over a shard, bytes to facts. Owns the order of the work; knows no gate, store or policy."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa

from gates.scan.contract import distinct_shapes, key_shape, place_of, problems_of
from gates.scan.facts import MESSAGES, RECORDS, BadLine, Facts, ShardFacts
from gates.scan.fingerprints import FINGERPRINT_VERSION
from gates.scan.lines import Line, ShardLines
from gates.scan.texts import FactsCache, Tagger, TextFacts, facts_of
from gates.scan.types import PiiDetector, Tokenizer
from mhds.errors import DetectorFailed, InvalidInput
from releases.build.record import CompiledRecord, decode_record, text_sha256
from releases.build.strict import StrictError
from releases.build.types import LanguageDetector, Messages

CODE_VERSION = "1"  # raise it with any change of what a fact means
BATCH_BYTES = 8 << 20
MAX_BAD_LINES = 10_000
MAX_TURNS = 32_767  # what a turn's column can hold

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Scanner:
    """Everything that decides what the facts of a text are. ``tags_version`` stands for the terms behind ``tags``."""

    detector: PiiDetector
    tokenizer: Tokenizer
    language: LanguageDetector
    tags: Tagger
    tags_version: str

    @property
    def components(self) -> dict[str, str]:
        return {
            "code": CODE_VERSION,
            "detector": f"{self.detector.name}@{self.detector.version}",
            "detector_languages": ",".join(sorted(self.detector.languages)),
            "fingerprints": FINGERPRINT_VERSION,
            "language": f"{self.language.name}@{self.language.version}",
            "tags": self.tags_version,
            "tokenizer": f"{self.tokenizer.name}@{self.tokenizer.version}",
            # Normal forms and case folding follow the interpreter's Unicode tables.
            "unicode": unicodedata.unidata_version,
        }

    @cached_property
    def digest(self) -> str:
        body = json.dumps(self.components, sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(body.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ShardScan:
    """The facts of one shard; ``scanner`` and ``components`` say what computed them."""

    shard: ShardFacts
    records: pa.Table
    messages: pa.Table
    scanner_digest: str
    components: dict[str, str]
    tokenizer: str


class _Read(NamedTuple):
    line: Line
    record: CompiledRecord
    messages: Messages
    key: bytes


def scan_shard(
    path: str,
    lines: BinaryIO | Iterable[bytes],
    scanner: Scanner,
    *,
    cache: FactsCache | None = None,
    progress: Progress | None = None,
) -> ShardScan:
    """Scan the shard at ``path`` (below the release prefix) from its bytes, a stream or chunks.

    ``cache`` spares the work on texts seen by a scanner of the same digest; the tables are the same with and without.
    ``progress`` hears (records, bytes) so far after each batch. Memory follows the batch (8 MiB of lines) and the
    facts, not the shard. Raises ``DetectorFailed`` naming path and offset, and ``InvalidInput`` where over 10,000 lines
    are no records.
    """
    return _ShardPass(path, scanner, cache, progress or (lambda _records, _bytes: None)).run(ShardLines(lines))


def assemble(shards: Sequence[ShardScan], content_digest: str) -> Facts:
    """The facts of a candidate from those of its shards, rows by (shard path, ordinal).

    Raises ``InvalidInput`` where there is none, one is there twice, or they are of different scanners.
    """
    ordered = sorted(shards, key=lambda scan: scan.shard.path.encode())
    if not ordered or len({scan.shard.path for scan in ordered}) != len(ordered):
        raise InvalidInput("facts need each shard exactly once, and one at least")
    if len({scan.scanner_digest for scan in ordered}) != 1:
        raise InvalidInput("the shards were scanned by different scanners", hint="Scan them again with one scanner.")
    return Facts(
        content_digest=content_digest,
        scanner_digest=ordered[0].scanner_digest,
        tokenizer=ordered[0].tokenizer,
        shards=tuple(scan.shard for scan in ordered),
        records=pa.concat_tables([scan.records for scan in ordered]),
        messages=pa.concat_tables([scan.messages for scan in ordered]),
        scanner=dict(ordered[0].components),
    )


class _ShardPass:
    def __init__(self, path: str, scanner: Scanner, cache: FactsCache | None, progress: Progress) -> None:
        self.path = path
        self.place = place_of(path)
        self.scanner = scanner
        self.cache = cache or FactsCache(TextFacts.empty())
        self.progress = progress
        self.bad: list[BadLine] = []
        self.shapes: set[str] = set()
        self.records = [RECORDS.empty_table()]
        self.messages = [MESSAGES.empty_table()]
        self.count = 0

    def run(self, lines: ShardLines) -> ShardScan:
        for batch in self._batches(lines):
            self._add(batch)
            self.progress(self.count, lines.bytes)
        shapes = distinct_shapes(self.shapes)
        shard = ShardFacts(self.path, lines.bytes, lines.sha256, self.count, tuple(self.bad), shapes)
        return ShardScan(
            shard,
            pa.concat_tables(self.records),
            pa.concat_tables(self.messages),
            self.scanner.digest,
            self.scanner.components,
            self.scanner.tokenizer.name,
        )

    def _batches(self, lines: ShardLines) -> Iterator[list[_Read]]:
        batch: list[_Read] = []
        held = 0
        for line in lines:
            read = self._read(line)
            if read is not None:
                batch.append(read)
                held += len(line.data)
            if held >= BATCH_BYTES:
                yield batch
                batch, held = [], 0
        yield batch

    def _read(self, line: Line) -> _Read | None:
        if line.reason:
            self._refuse(line, line.reason)
            return None
        try:
            record = decode_record(line.data)
        except StrictError as error:
            self._refuse(line, error.reason)
            return None
        messages = record.conversation()
        if len(messages) > MAX_TURNS:
            self._refuse(line, "too_many_turns")
            return None
        return _Read(line, record, messages, text_sha256(messages))

    def _refuse(self, line: Line, reason: str) -> None:
        if len(self.bad) == MAX_BAD_LINES:
            raise InvalidInput(
                f"{self.path}: over {MAX_BAD_LINES} lines are no records, the last at byte {line.offset} ({reason})",
                hint="This is no compiled shard. Build the candidate again.",
            )
        self.bad.append(BadLine(line.number, line.offset, reason))

    def _add(self, batch: list[_Read]) -> None:
        if not batch:
            return
        facts = self._text_facts(batch)
        hashes = facts.records["content_hash"].to_pylist()
        rows = [self._row(read, content_hash) for read, content_hash in zip(batch, hashes, strict=True)]
        self.records.append(_record_table(rows, facts.records))
        self.messages.append(_message_table(self.path, [read.line.number for read in batch], facts))
        self.shapes.update(key_shape(read.line.data) for read in batch)
        self.count += len(batch)

    def _text_facts(self, batch: list[_Read]) -> TextFacts:
        """Facts of the batch's texts in its order: what the cache has is taken from there, the rest is computed."""
        known = self.cache.rows_of([read.key for read in batch])
        unseen = np.flatnonzero(known < 0)
        todo = [(batch[i].key, batch[i].messages) for i in unseen.tolist()]
        fresh = facts_of(todo, self.scanner, lambda i: self._located(batch[int(unseen[i])].line))
        seen = np.flatnonzero(known >= 0)
        if not len(seen):
            return fresh
        both = fresh.followed_by(self.cache.facts.take(known[seen]))
        return both.take(np.argsort(np.concatenate((unseen, seen)), kind="stable"))

    @contextmanager
    def _located(self, line: Line) -> Iterator[None]:
        try:
            yield
        except DetectorFailed as error:
            # The cause may hold text; what it says to people was written without.
            raise DetectorFailed(f"{self.path} at byte {line.offset}: {error.message}", hint=error.hint) from None

    def _row(self, read: _Read, content_hash: str) -> dict[str, Any]:
        meta = read.record.metadata
        return {
            "shard": self.path,
            "ordinal": read.line.number,
            "offset": read.line.offset,
            "length": len(read.line.data),
            "record_id": meta.record_id,
            "declared_hash": meta.content_hash,
            "family": meta.source_family,
            "phase": meta.phase,
            "split": meta.split,
            "source_key": meta.source_key,
            "source_record": meta.source_record,
            "license_tag": meta.license_tag,
            "pii_status": meta.pii_status,
            "declared_language": meta.language,
            "steps": [f"{step.name}@{step.version}" for step in meta.provenance.processing_steps],
            "problems": problems_of(read.record, read.messages, read.line.data, self.place, content_hash),
        }


def _record_table(rows: list[dict[str, Any]], texts: pa.Table) -> pa.Table:
    own = pa.Table.from_pylist(rows, schema=pa.schema([column for column in RECORDS if column.name in rows[0]]))
    columns = [(own if name in rows[0] else texts)[name] for name in RECORDS.names]
    return pa.table(columns, schema=RECORDS)


def _message_table(path: str, ordinals: list[int], texts: TextFacts) -> pa.Table:
    owners = np.repeat(np.array(ordinals, np.int32), np.diff(texts.starts()))
    shard = pa.repeat(pa.scalar(path, pa.string()), len(owners))
    columns = [shard, pa.array(owners), *texts.messages.columns]
    return pa.table(columns, schema=MESSAGES)
