"""The facts of a compiled export: what the scan found, as tables. Owns their schema; knows no rule, no store.

One row per record and one per message, keyed by shard path and ordinal. Rows hold offsets, counts and hashes, no text.
Files are Parquet (zstd), one pair per shard, content-addressed by (shard sha256, scanner digest).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

import pyarrow as pa

FINDING = pa.struct(
    [
        ("entity", pa.string()),  # PHONE_NUMBER, PERSON, ...
        ("rule", pa.string()),  # recogniser that fired
        ("score_bp", pa.int32()),  # 0..10000
        ("turn", pa.int16()),  # index into messages; -1: only in the view joined across turns
        ("start", pa.int32()),  # offset in characters of that message's content
        ("end", pa.int32()),
        ("view", pa.string()),  # raw, normalised, joined
    ]
)

RECORDS = pa.schema(
    [
        ("shard", pa.string()),  # path below the release prefix, data/<split>/<family>/part-00000.jsonl
        ("ordinal", pa.int32()),  # 0-based line in the shard
        ("offset", pa.int64()),  # byte offset of the line
        ("length", pa.int32()),  # bytes of the line, newline excluded
        ("record_id", pa.string()),
        ("content_hash", pa.string()),  # as recomputed from the released text
        ("declared_hash", pa.string()),  # as the record's metadata says
        ("text_sha256", pa.binary(32)),  # over the exact roles and contents: key of the facts cache
        ("family", pa.string()),
        ("phase", pa.string()),
        ("split", pa.string()),
        ("source_key", pa.string()),
        ("source_record", pa.string()),
        ("license_tag", pa.string()),
        ("pii_status", pa.string()),
        ("declared_language", pa.string()),
        ("language", pa.string()),  # as detected again
        ("language_bp", pa.int32()),
        ("tokens", pa.int32()),
        ("turns", pa.int32()),  # user and assistant messages
        ("user_turns", pa.int32()),
        ("assistant_turns", pa.int32()),
        ("system_turns", pa.int32()),
        ("chars", pa.int32()),
        ("words", pa.int32()),
        ("steps", pa.list_(pa.string())),  # provenance.processing_steps as name@version
        ("problems", pa.list_(pa.string())),  # contract problem ids, empty when the record meets it
        ("scannable", pa.bool_()),  # a recogniser set exists for the detected language
        ("findings", pa.list_(FINDING)),
        ("tags", pa.list_(pa.string())),  # risk and topic tags: route and count, never judge
        ("signature", pa.binary(512)),  # 128 MinHash slots, uint32 little endian
        ("shingles", pa.int32()),  # distinct 5-word shingles; 0 when the text has fewer than 5 words
    ]
)

MESSAGES = pa.schema(
    [
        ("shard", pa.string()),
        ("ordinal", pa.int32()),
        ("turn", pa.int16()),
        ("role", pa.string()),
        ("words", pa.int32()),
        ("tokens", pa.int32()),
        ("chars", pa.int32()),
        ("message_hash", pa.binary(16)),  # over the normalised content; role aside
    ]
)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of a shard that is not a record; ``reason`` is a reason id, ``offset`` in bytes."""

    line: int
    offset: int
    reason: str


@dataclass(frozen=True, slots=True)
class ShardFacts:
    """One shard as read: the hash of the very bytes that were scanned and what did not parse."""

    path: str
    bytes: int
    sha256: str
    records: int
    bad_lines: tuple[BadLine, ...] = ()
    key_shapes: tuple[str, ...] = ()  # distinct (key path: type) shapes met; uniform shards have exactly one


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the gates may know about the bytes of a candidate."""

    content_digest: str
    scanner_digest: str
    tokenizer: str
    shards: tuple[ShardFacts, ...]
    records: pa.Table
    messages: pa.Table
    scanner: dict[str, str] = field(default_factory=dict)  # component -> version, as digested

    @property
    def digest(self) -> str:
        """``sha256:`` + hex over what was scanned and by what: the facts are a pure function of both."""
        seen = [[s.path, s.bytes, s.sha256, s.records, len(s.bad_lines)] for s in self.shards]
        about = [self.content_digest, self.scanner_digest, self.records.num_rows, seen]
        body = json.dumps(about, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(body.encode()).hexdigest()
