"""What clustering may know of conversations: columns of hashes and counts. Owns how they are made; keeps no text."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gates.scan.fingerprints import SLOTS, Hashes32, Hashes64, hash_normalised, shingles, signatures
from mhds.errors import ObjectDamaged
from releases.build.text import normalise, words
from releases.build.types import Messages

SYSTEM, USER, ASSISTANT = 0, 1, 2
_ROLES = {"system": SYSTEM, "user": USER, "assistant": ASSISTANT}


class MessageMark(NamedTuple):
    """One message; ``message_hash`` is 16 bytes over the normalised content."""

    role: str
    words: int
    message_hash: bytes


@dataclass(frozen=True, slots=True)
class ConversationMarks:
    """One conversation; ``signature`` is 512 bytes (128 slots, uint32 little endian), ``shingles`` a count."""

    signature: bytes
    shingles: int
    messages: tuple[MessageMark, ...]


def mark(messages: Messages) -> ConversationMarks:
    """Fingerprint one conversation, normalising each message once."""
    spoken: list[str] = []
    marks = []
    for role, content in messages:
        text = normalise(content)
        found = words(text)
        marks.append(MessageMark(role, len(found), hash_normalised(text)))
        if role != "system":
            spoken += found
    distinct = shingles(spoken)
    return ConversationMarks(signatures([distinct]).astype("<u4").tobytes(), len(distinct), tuple(marks))


def long_messages(messages: Messages, least: int) -> set[bytes]:
    """Hashes of the messages of ``least`` or more words, the system's aside, without the rest of ``mark``'s work."""
    said = (normalise(one.content) for one in messages if one.role != "system")
    return {hash_normalised(text) for text in said if len(words(text)) >= least}


@dataclass(frozen=True, slots=True)
class Conversations:
    """Columns: n items and m messages, the messages of one item together and in order.

    ``signatures`` (n, 128) uint32; ``shingles`` (n,); ``message_item`` (m,) index of the item; ``message_hash`` (m, 2)
    uint64, the 16 bytes in two halves.
    """

    content_hash: list[str]
    family: list[str]
    signatures: Hashes32
    shingles: NDArray[np.int64]
    message_item: NDArray[np.int64]
    message_turn: NDArray[np.int32]
    message_role: NDArray[np.int8]
    message_words: NDArray[np.int32]
    message_hash: Hashes64

    def __len__(self) -> int:
        return len(self.content_hash)

    @classmethod
    def from_facts(cls, records: pa.Table, messages: pa.Table) -> Conversations:
        """From facts in (shard, ordinal) order; raises ``ObjectDamaged`` where the two tables do not fit."""
        counts = pc.add(records["turns"], records["system_turns"]).to_numpy()
        owner = np.repeat(np.arange(records.num_rows), counts)
        ordinals = records["ordinal"].to_numpy()
        if len(owner) != messages.num_rows or bool((ordinals[owner] != messages["ordinal"].to_numpy()).any()):
            raise ObjectDamaged("the facts of records and of messages do not fit", hint="Scan the candidate again.")
        return cls(
            records["content_hash"].to_pylist(),
            records["family"].to_pylist(),
            _signatures(_flat(records["signature"]), records.num_rows),
            records["shingles"].to_numpy().astype(np.int64),
            owner,
            messages["turn"].to_numpy().astype(np.int32),
            _role_codes(messages["role"].to_pylist()),
            messages["words"].to_numpy(),
            _halves(_flat(messages["message_hash"]), messages.num_rows),
        )


class Collector:
    """Gathers marks as columns while a build reads its records: some 20 bytes a message, 520 a conversation."""

    def __init__(self) -> None:
        self._hashes: list[str] = []
        self._families: list[str] = []
        self._signatures = bytearray()
        self._shingles = array("q")
        self._counts = array("q")
        self._roles = array("b")
        self._words = array("i")
        self._message_hashes = bytearray()

    def add(self, content_hash: str, family: str, marks: ConversationMarks) -> None:
        self._hashes.append(content_hash)
        self._families.append(family)
        self._signatures += marks.signature
        self._shingles.append(marks.shingles)
        self._counts.append(len(marks.messages))
        for message in marks.messages:
            self._roles.append(_ROLES[message.role])
            self._words.append(message.words)
            self._message_hashes += message.message_hash

    def conversations(self) -> Conversations:
        counts = np.array(self._counts, np.int64)
        owner = np.repeat(np.arange(len(counts)), counts)
        return Conversations(
            self._hashes,
            self._families,
            _signatures(bytes(self._signatures), len(counts)),
            np.array(self._shingles, np.int64),
            owner,
            (np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)).astype(np.int32),
            np.array(self._roles, np.int8),
            np.array(self._words, np.int32),
            _halves(bytes(self._message_hashes), len(owner)),
        )


def _role_codes(roles: Sequence[str]) -> NDArray[np.int8]:
    return np.array([_ROLES[role] for role in roles], np.int8)


def _signatures(data: bytes, count: int) -> Hashes32:
    return np.frombuffer(data, "<u4").reshape(count, SLOTS).astype(np.uint32, copy=False)


def _halves(data: bytes, count: int) -> Hashes64:
    return np.frombuffer(data, np.uint64).reshape(count, 2)


def _flat(column: Any) -> bytes:
    """The bytes of a fixed-size binary column end to end (a null would shift them: its schema check comes earlier)."""
    return b"".join(column.to_pylist())
