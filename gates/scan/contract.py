"""What a compiled record must meet beyond its schema, and the shape of its keys. Owns the problem ids; decides nothing.

A line that breaks the schema itself is no record (``BadLine``); a problem is a record that parses and yet says
something untrue or lies in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from releases.build.record import CompiledRecord, encode_record, legacy_content_hash, record_id
from releases.build.types import Messages

PROBLEMS = {
    "shard_path_malformed": "the shard does not lie at data/<split>/<family>/part-NNNNN.jsonl",
    "not_canonical": "the line is not the canonical form of its record (order of keys, white space, escapes)",
    "content_hash_mismatch": "the content hash is not that of the released text",
    "legacy_content_hash_mismatch": "the legacy content hash is not that of the released text",
    "record_id_mismatch": "the record id does not follow from source key and source record",
    "source_key_malformed": "the source key is neither s3://name/key nor an alias",
    "split_mismatch": "the record says another split than the shard's path",
    "family_mismatch": "the record says another family than the shard's path",
    "processing_steps_missing": "the provenance names no processing step",
    "no_user_turn": "the conversation has no user message",
    "no_assistant_turn": "the conversation has no assistant message",
}

_SHARD = re.compile(r"data/(train|val|test)/([^/]+)/part-[0-9]{5}\.jsonl")
_SOURCE = re.compile(r"s3://[^/]+/.+|k_[0-9a-f]+", re.DOTALL)


def place_of(path: str) -> tuple[str, str] | None:
    """(split, family) that a shard's path states; None where it is no shard's path."""
    match = _SHARD.fullmatch(path)
    return (match[1], match[2]) if match else None


def problems_of(
    record: CompiledRecord, messages: Messages, line: bytes, place: tuple[str, str] | None, content_hash: str
) -> list[str]:
    """Ids of ``PROBLEMS`` in that order; ``content_hash`` is as recomputed from the text."""
    meta = record.metadata
    roles = {message.role for message in messages}
    found = {
        "shard_path_malformed": place is None,
        "not_canonical": encode_record(record) != line,
        "content_hash_mismatch": meta.content_hash != content_hash,
        "legacy_content_hash_mismatch": meta.legacy_content_hash != legacy_content_hash(messages),
        "record_id_mismatch": meta.record_id != record_id(meta.source_key, meta.source_record),
        "source_key_malformed": _SOURCE.fullmatch(meta.source_key) is None,
        "split_mismatch": place is not None and meta.split != place[0],
        "family_mismatch": place is not None and meta.source_family != place[1],
        "processing_steps_missing": not meta.provenance.processing_steps,
        "no_user_turn": "user" not in roles,
        "no_assistant_turn": "assistant" not in roles,
    }
    return [name for name in PROBLEMS if found[name]]


def key_shape(line: bytes) -> str:
    """The keys of a line with their types, keys in order of appearance: ``{a:string,b:[{c:integer}]}``.

    An empty list is ``[]``: what it would hold cannot be told, see ``distinct_shapes``.
    """
    return _shape(msgspec.json.decode(line))


def distinct_shapes(shapes: Iterable[str]) -> tuple[str, ...]:
    """Distinct shapes, sorted; one with empty lists counts as the same as one that differs only in what they hold."""
    kept = sorted(set(shapes))
    return tuple(s for s in kept if "[]" not in s or not any(_fills(s, other) for other in kept if other != s))


def _fills(sparse: str, other: str) -> bool:
    pattern = re.escape(sparse).replace(re.escape("[]"), r"\[.*\]")
    return re.fullmatch(pattern, other) is not None


def _shape(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join([f"{key}:{_shape(item)}" for key, item in value.items()]) + "}"
    if isinstance(value, list):
        return "[" + "|".join(sorted({_shape(item) for item in value})) + "]"
    return _NAMES[type(value)]


_NAMES: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
