"""The facts of a compiled export: what the scan found, as tables. Owns their schema; knows no rule, no store.

One row per record and one per message, keyed by shard path and ordinal. Rows hold offsets, counts and hashes, no text.
Files are Parquet (zstd), one pair per shard, content-addressed by (shard sha256, scanner digest).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mhds.errors import ObjectDamaged, Stale

FACTS_FORMAT = 1
_FOOTER = b"mhds.facts"
_ROW_GROUP = 1 << 14

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


def facts_to_bytes(
    shard: ShardFacts, records: pa.Table, messages: pa.Table, *, scanner_digest: str
) -> tuple[bytes, bytes]:
    """The two Parquet files of one shard, records then messages: a pure function of the facts.

    Both carry the shard's own facts, the scanner digest and both row counts in their footer, so that neither reads
    with the half of another. Raises ``ObjectDamaged`` where the tables are not this shard's facts.
    """
    _check_tables(shard, records, messages)
    about = {
        "format": FACTS_FORMAT,
        "scanner": scanner_digest,
        "shard": asdict(shard),
        "rows": [records.num_rows, messages.num_rows],
    }
    return _pack("records", records, about), _pack("messages", messages, about)


def facts_from_bytes(
    records: bytes, messages: bytes, *, path: str, shard_sha256: str, scanner_digest: str
) -> tuple[ShardFacts, pa.Table, pa.Table]:
    """Read back what ``facts_to_bytes`` wrote about exactly this shard, by exactly this scanner.

    Raises ``ObjectDamaged`` for bytes that are no facts and ``Stale`` for facts about something else.
    """
    record_table, about = _unpack("records", records, RECORDS)
    message_table, other = _unpack("messages", messages, MESSAGES)
    if about != other:
        raise ObjectDamaged(_cannot("the two files of facts are not of one scan"), hint=_RESCAN)
    if about["scanner"] != scanner_digest:
        raise Stale("the facts were computed by another scanner", hint=_RESCAN)
    shard = _shard(about["shard"])
    if (shard.path, shard.sha256) != (path, shard_sha256):
        raise Stale("the facts are about another shard", hint=_RESCAN)
    _check_tables(shard, record_table, message_table)
    return shard, record_table, message_table


_RESCAN = "Scan the shard again; facts are never repaired."


def _cannot(why: str) -> str:
    return f"facts cannot be used: {why}"


def _pack(kind: str, table: pa.Table, about: dict[str, Any]) -> bytes:
    footer = json.dumps(about | {"kind": kind}, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    sink = pa.BufferOutputStream()
    schema = table.schema.with_metadata({_FOOTER: footer.encode()})
    with pq.ParquetWriter(sink, schema, compression="zstd", compression_level=3, write_page_checksum=True) as writer:
        for start in range(0, table.num_rows, _ROW_GROUP):
            # One chunk at a time: how rows were batched must not show in the bytes, nor the whole be copied at once.
            writer.write_table(table.slice(start, _ROW_GROUP).combine_chunks().cast(schema))
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _unpack(kind: str, data: bytes, schema: pa.Schema) -> tuple[pa.Table, dict[str, Any]]:
    try:
        table = pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
        table.validate(full=True)
        about = json.loads((table.schema.metadata or {}).get(_FOOTER, b"null"))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ObjectDamaged(_cannot(f"{kind} do not read ({type(error).__name__})"), hint=_RESCAN) from None
    if not isinstance(about, dict) or about.get("format") != FACTS_FORMAT or about.pop("kind", None) != kind:
        raise ObjectDamaged(_cannot(f"{kind} are of another kind or format"), hint=_RESCAN)
    table = table.replace_schema_metadata(None)
    if not table.schema.equals(schema):
        raise ObjectDamaged(_cannot(f"{kind} have other columns"), hint=_RESCAN)
    return table, about


def _shard(stored: dict[str, Any]) -> ShardFacts:
    bad = tuple(BadLine(**line) for line in stored["bad_lines"])
    return ShardFacts(**(stored | {"bad_lines": bad, "key_shapes": tuple(stored["key_shapes"])}))


def _check_tables(shard: ShardFacts, records: pa.Table, messages: pa.Table) -> None:
    """Every row belongs to this shard, no record is missing or twice, and every record has all of its messages."""
    for table, schema in ((records, RECORDS), (messages, MESSAGES)):
        if not table.schema.equals(schema):
            raise ObjectDamaged(_cannot("the columns are not those of the schema"), hint=_RESCAN)
        if any(path != shard.path for path in pc.unique(table["shard"]).to_pylist()):
            raise ObjectDamaged(_cannot("rows of another shard among them"), hint=_RESCAN)
    ordinals = records["ordinal"].to_numpy()
    if len(ordinals) != shard.records or not _rising(ordinals):
        raise ObjectDamaged(_cannot("records are missing, repeated or out of order"), hint=_RESCAN)
    expected = pc.add(records["turns"], records["system_turns"]).to_numpy()
    found = messages["ordinal"].to_numpy()
    turns = messages["turn"].to_numpy()
    whole = len(found) == int(expected.sum()) and bool((np.repeat(ordinals, expected) == found).all())
    starts = np.repeat(np.cumsum(expected) - expected, expected)
    if not whole or bool((turns != np.arange(len(turns)) - starts).any()):
        raise ObjectDamaged(_cannot("messages are missing, repeated or out of order"), hint=_RESCAN)


def _rising(values: np.ndarray[Any, Any]) -> bool:
    return bool((values[1:] > values[:-1]).all())
