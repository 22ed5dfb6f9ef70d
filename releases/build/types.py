"""The values that flow through the build. Owns shapes only; knows no Django, no store, no file format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol


class Message(NamedTuple):
    """One turn: ``role`` is ``system``, ``user`` or ``assistant``; ``content`` is the text as released."""

    role: str
    content: str


Messages = tuple[Message, ...]


class ObjectStatus(StrEnum):
    """How one source object ended. Every key of a snapshot ends in exactly one of these."""

    READ = "read"
    NOT_CONVERSATION = "not_conversation"
    REFUSED = "refused"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One conversation read from an object, roles mapped, text untouched.

    ``source_record`` is the index (arrays, CSV rows) or 0-based line (JSONL) in the object as a decimal
    string, with a dotted suffix where one entry holds several conversations (``"12.1"``).
    """

    source_record: str
    messages: Messages


@dataclass(frozen=True, slots=True)
class ExcludedRecord:
    """A record that was read but cannot ship. ``detail`` never holds text of the record."""

    source_record: str
    reason: str
    detail: str = ""
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class ObjectVerdict:
    """What an object turned out to be, known when its reader is exhausted.

    ``shape`` names the recognised shape(s); ``personas`` counts persona profiles met (records or columns);
    ``ignored_fields`` counts source fields that were not used, by name. For REFUSED, ``reason`` is a reason id
    (``empty_object``, ``lfs_pointer``, ``truncated``, ``invalid_json``, ``invalid_utf8``, ...) and every record
    yielded so far must be dropped by the caller.
    """

    status: ObjectStatus
    reason: str = ""
    detail: str = ""
    offset: int | None = None
    shape: str = ""
    personas: int = 0
    ignored_fields: Mapping[str, int] = field(default_factory=dict)


class PiiStatus(StrEnum):
    SCRUBBED = "scrubbed"
    NONE_DETECTED = "none_detected"
    REQUIRES_REVIEW = "requires_review"


@dataclass(frozen=True, slots=True)
class Redaction:
    """The outcome of redacting one conversation; ``replaced`` counts placeholders by entity."""

    messages: Messages
    pii_status: PiiStatus
    replaced: Mapping[str, int]
    chars_before: int
    chars_after: int
    crisis_terms_before: int
    crisis_terms_after: int


class Redactor(Protocol):
    """Replaces identifiers by typed placeholders. Raises instead of skipping when it is in doubt."""

    name: str
    version: str

    def redact(self, messages: Messages, language: str) -> Redaction: ...


class LanguageDetector(Protocol):
    name: str
    version: str

    def detect(self, messages: Messages) -> tuple[str, int]:
        """(ISO 639-1 code or ``und``, confidence in basis points)."""
        ...
