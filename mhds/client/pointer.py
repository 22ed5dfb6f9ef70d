"""Reads ``channels/<name>.json``, the small signed pointer that says which release a channel means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from mhds.client.canonical import decode_strict
from mhds.client.errors import (
    DigestMismatch,
    IntegrityError,
    ManifestInvalid,
    NotPublished,
    SignatureRefused,
    StorageMissing,
    UsageError,
)
from mhds.client.fields import IDENTIFIER, VERSION, Fields
from mhds.client.signature import LARGEST_ENVELOPE, POINTER_TYPE, open_envelope
from mhds.client.transport import Transport, read_small

POINTER_SCHEMA = "mhds.channel-pointer/1"
_KNOWN = frozenset({"schema", "channel", "sequence", "version", "content_digest", "manifest_sha256", "issued_at"})
CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Pointer:
    """``issued_at`` is ISO 8601 in UTC; ``sequence`` rises with every change, also when a release is withdrawn."""

    channel: str
    sequence: int
    version: str
    manifest_sha256: str
    issued_at: str


def read_pointer(
    transport: Transport,
    channel: str,
    *,
    key: ec.EllipticCurvePublicKey | None,
    require_signature: bool = False,
    min_sequence: int | None = None,
    max_age: timedelta | None = None,
) -> Pointer:
    """The channel's pointer, refused if it is unsigned although a key is given, rolled back or (``max_age``) stale.

    A signed pointer is a DSSE envelope around the canonical pointer; an unsigned one is the pointer itself.
    """
    if not IDENTIFIER.fullmatch(channel):
        raise UsageError("a channel's name is lower-case letters, digits and _")
    try:
        data = read_small(transport, f"channels/{channel}.json", limit=LARGEST_ENVELOPE)
    except StorageMissing:
        raise NotPublished(f"channel {channel} has no release yet") from None
    pointer = parse_pointer(_payload(data, key, require_signature))
    _check_fresh(pointer, channel, min_sequence, max_age)
    return pointer


def parse_pointer(payload: bytes) -> Pointer:
    fields = Fields(decode_strict(payload, "the channel pointer"), "pointer", _KNOWN)
    if fields.text("schema") != POINTER_SCHEMA:
        raise ManifestInvalid(f"pointer.schema must be {POINTER_SCHEMA}")
    return Pointer(
        channel=fields.text("channel", IDENTIFIER),
        sequence=fields.count("sequence", least=1),
        version=fields.text("version", VERSION),
        manifest_sha256=fields.sha256("manifest_sha256"),
        issued_at=fields.text("issued_at"),
    )


def _payload(data: bytes, key: ec.EllipticCurvePublicKey | None, require_signature: bool) -> bytes:
    value = decode_strict(data, "the channel pointer")
    if isinstance(value, dict) and "payloadType" in value:
        return open_envelope(data, POINTER_TYPE, key)
    if key is not None or require_signature:
        raise SignatureRefused("the channel pointer is not signed")
    return data


def _check_fresh(pointer: Pointer, channel: str, min_sequence: int | None, max_age: timedelta | None) -> None:
    if pointer.channel != channel:
        raise DigestMismatch("channel of the pointer", expected=channel, actual=pointer.channel)
    if min_sequence is not None and pointer.sequence < min_sequence:
        raise DigestMismatch(
            "sequence of the channel pointer", expected=f"at least {min_sequence}", actual=pointer.sequence
        )
    if max_age is not None:
        age = datetime.now(UTC) - _issued(pointer)
        if not -CLOCK_TOLERANCE <= age <= max_age:
            raise IntegrityError(
                f"the channel pointer was issued at {pointer.issued_at}, outside max_age",
                hint="Is the publisher's re-issue running? A store that serves old copies looks the same.",
            )


def _issued(pointer: Pointer) -> datetime:
    try:
        issued = datetime.fromisoformat(pointer.issued_at)
    except ValueError:
        raise ManifestInvalid("pointer.issued_at is not an ISO 8601 time") from None
    if issued.tzinfo is None:
        raise ManifestInvalid("pointer.issued_at names no time zone")
    return issued
