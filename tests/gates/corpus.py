"""Seeded conversations and compiled lines for the tests of the scan; the text is nonsense made here."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from releases.build.record import compile_record, encode_record
from releases.build.types import Message, Messages

VOCABULARY = [
    f"{a}{b}{c}" for a in ("ba", "ke", "lo", "mi", "su", "ta") for b in "nrstvz" for c in ("a", "el", "io", "um")
]


def sentence(chance: random.Random, words: int) -> str:
    return " ".join(chance.choice(VOCABULARY) for _ in range(words))


def conversation(chance: random.Random, turns: int = 6, words: int = 30) -> Messages:
    roles = ("user", "assistant")
    return tuple(Message(roles[i % 2], sentence(chance, words)) for i in range(turns))


def edited(chance: random.Random, messages: Messages, share: float) -> Messages:
    """Every word is replaced with probability ``share``."""
    return tuple(
        Message(role, " ".join(chance.choice(VOCABULARY) if chance.random() < share else w for w in content.split()))
        for role, content in messages
    )


def talk(*contents: str, system: str = "") -> Messages:
    """User and assistant in turn, after an optional system message."""
    spoken = [Message(("user", "assistant")[i % 2], content) for i, content in enumerate(contents)]
    return (*([Message("system", system)] if system else []), *spoken)


def line(messages: Messages, number: int = 0, *, split: str = "train", family: str = "priority", **other: Any) -> bytes:
    """One canonical line of a compiled shard, newline excluded."""
    values: dict[str, Any] = {
        "source_family": family,
        "phase": "stage1_foundation",
        "source_key": "s3://local/gdrive/processed/priority/a.jsonl",
        "source_record": str(number),
        "pii_status": "none_detected",
        "license_tag": "cc0-1.0",
        "language": "en",
        "split": split,
        "processing_pipeline": "mhds-build/1",
        "processed_at": "2026-01-07T00:00:00Z",
        "processing_steps": [("read", "1"), ("redact", "1")],
        "dedup_status": "unique",
    }
    return encode_record(compile_record(messages, **(values | other)))


def shard(conversations: Sequence[Messages], **other: Any) -> bytes:
    return b"".join(line(m, i, **other) + b"\n" for i, m in enumerate(conversations))
