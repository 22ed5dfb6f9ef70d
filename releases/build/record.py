"""The record contract: identity, hashes and the canonical line of the compiled export. Knows no source and no store."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Literal, cast

import msgspec

from releases.build.strict import MAX_RECORD_BYTES, StrictError, loads_strict
from releases.build.text import normalise
from releases.build.types import Message, Messages

Role = Literal["system", "user", "assistant"]
Split = Literal["train", "val", "test"]
ReleasedPiiStatus = Literal["scrubbed", "none_detected"]


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: Role
    content: str


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One processing step that made the record what it is."""

    name: str
    version: str


class Provenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``processed_at`` is the release date at 00:00:00Z, never a clock."""

    original_s3_key: str
    processing_pipeline: str
    processed_at: str
    processing_steps: tuple[Step, ...]
    dedup_status: str


class Metadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Same keys and types in every line of every shard; the order of the fields is the order of the keys."""

    record_id: str
    source_family: str
    phase: str
    source_key: str
    source_record: str
    content_hash: str
    legacy_content_hash: str
    pii_status: ReleasedPiiStatus
    license_tag: str
    language: str
    split: Split
    provenance: Provenance
    conversation_length: int


class CompiledRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    messages: tuple[Turn, ...]
    metadata: Metadata

    def conversation(self) -> Messages:
        return tuple(Message(turn.role, turn.content) for turn in self.messages)


def content_hash(messages: Iterable[Message]) -> str:
    """``sha256:`` + hex over the framed (role, normalised content) sequence: same words, same roles, same order."""
    return "sha256:" + _framed(b"mhds content 1", ((role, normalise(content)) for role, content in messages)).hex()


def text_sha256(messages: Iterable[Message]) -> bytes:
    """32 bytes over the exact roles and contents: any changed byte of the text changes it."""
    return _framed(b"mhds text 1", messages)


def _framed(domain: bytes, parts: Iterable[tuple[str, str]]) -> bytes:
    # Lengths before bytes: no content can imitate a border between two messages.
    digest = hashlib.sha256(domain)
    for role, content in parts:
        for piece in (_utf8(role), _utf8(content)):
            digest.update(len(piece).to_bytes(8, "big"))
            digest.update(piece)
    return digest.digest()


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # the original exception carries the text
        raise StrictError("lone_surrogate") from None


def legacy_content_hash(messages: Iterable[Message]) -> str:
    """The programme's older rule, for look-ups only: it sees neither roles nor order."""
    contents = sorted(_utf8(message.content.lower().strip()) for message in messages)
    return hashlib.sha256(b" ".join(contents)).hexdigest()


def record_id(source_key: str, source_record: str) -> str:
    return "r_" + hashlib.sha256(f"{source_key}\n{source_record}".encode()).hexdigest()[:32]


def compile_record(
    messages: Messages,
    *,
    source_family: str,
    phase: str,
    source_key: str,
    source_record: str,
    pii_status: str,
    license_tag: str,
    language: str,
    split: str,
    processing_pipeline: str,
    processed_at: str,
    processing_steps: Sequence[tuple[str, str]],
    dedup_status: str,
    content: str | None = None,
) -> CompiledRecord:
    """The record as it ships. ``messages`` is the released text; ``content`` is its content hash where known already.

    ``processing_steps`` are (name, version) pairs. Raises ``StrictError`` where a value is outside the contract.
    """
    record = CompiledRecord(
        messages=tuple(Turn(cast(Role, role), content_) for role, content_ in messages),
        metadata=Metadata(
            record_id=record_id(source_key, source_record),
            source_family=source_family,
            phase=phase,
            source_key=source_key,
            source_record=source_record,
            content_hash=content or content_hash(messages),
            legacy_content_hash=legacy_content_hash(messages),
            pii_status=cast(ReleasedPiiStatus, pii_status),
            license_tag=license_tag,
            language=language,
            split=cast(Split, split),
            provenance=Provenance(
                original_s3_key=source_key,
                processing_pipeline=processing_pipeline,
                processed_at=processed_at,
                processing_steps=tuple(Step(name, version) for name, version in processing_steps),
                dedup_status=dedup_status,
            ),
            conversation_length=len(messages),
        ),
    )
    _check_values(record)
    return record


def encode_record(record: CompiledRecord) -> bytes:
    """One canonical line without its newline: fixed key order, UTF-8, no insignificant white space.

    Raises ``StrictError`` where the record would not survive ``decode_record``.
    """
    try:
        line = _ENCODER.encode(record)
    except UnicodeEncodeError:
        raise StrictError("lone_surrogate") from None
    decode_record(line)
    return line


def decode_record(line: bytes) -> CompiledRecord:
    """The record of one compiled line, newline excluded, or ``StrictError``.

    Reasons: those of ``loads_strict``, and ``unknown_key``, ``missing_key``, ``wrong_type``, ``bad_value``. There are
    two ways to the same answer: a line that the encoder would write again byte for byte can hold no duplicate key or
    other trick; any other line is read slowly.
    """
    if len(line) > MAX_RECORD_BYTES:
        raise StrictError("too_large", MAX_RECORD_BYTES)
    record = _decode_canonical(line)
    if record is None:
        value = loads_strict(line)
        try:
            record = msgspec.convert(value, CompiledRecord)
        except msgspec.ValidationError as error:
            raise StrictError(_reason_of(str(error))) from None
    _check_values(record)
    return record


def _decode_canonical(line: bytes) -> CompiledRecord | None:
    if b"\\u0000" in line:
        return None
    try:
        record = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return record if _ENCODER.encode(record) == line else None


def _reason_of(message: str) -> str:
    """msgspec tells its verdicts apart only in words. The words may quote a key, so they stop here."""
    if message.startswith("Object contains unknown field"):
        return "unknown_key"
    if message.startswith("Object missing required field"):
        return "missing_key"
    return "bad_value" if message.startswith("Invalid enum value") else "wrong_type"


_PATTERNS = {
    "record_id": re.compile(r"r_[0-9a-f]{32}"),
    "content_hash": re.compile(r"sha256:[0-9a-f]{64}"),
    "legacy_content_hash": re.compile(r"[0-9a-f]{64}"),
    "source_record": re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*"),
}
_PROCESSED_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T00:00:00Z")
_ROLES = frozenset(("system", "user", "assistant"))
_NAMED = ("source_family", "phase", "source_key", "license_tag", "language")
_NAMED_IN_PROVENANCE = ("processing_pipeline", "dedup_status")


def _check_values(record: CompiledRecord) -> None:
    if not _turns_hold(record.messages) or not _metadata_holds(record.metadata, len(record.messages)):
        raise StrictError("bad_value")


def _turns_hold(turns: tuple[Turn, ...]) -> bool:
    return bool(turns) and all(turn.role in _ROLES for turn in turns)


def _metadata_holds(meta: Metadata, turns: int) -> bool:
    origin = meta.provenance
    return (
        all(pattern.fullmatch(getattr(meta, name)) for name, pattern in _PATTERNS.items())
        and all(getattr(meta, name) for name in _NAMED)
        and all(getattr(origin, name) for name in _NAMED_IN_PROVENANCE)
        and meta.pii_status in ("scrubbed", "none_detected")
        and meta.split in ("train", "val", "test")
        and meta.conversation_length == turns
        and origin.original_s3_key == meta.source_key
        and _PROCESSED_AT.fullmatch(origin.processed_at) is not None
        and all(step.name and step.version for step in origin.processing_steps)
    )


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(CompiledRecord)
