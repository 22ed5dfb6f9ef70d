"""Measures the scan against its peers, in one run on one seeded corpus: ratios, because machines drift.

Peers run on a sample, for they are slower by orders of magnitude; all figures are bytes of text a second on one core.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from datasketch import MinHash

from gates import engine
from gates.scan.fingerprints import signature
from gates.scan.marks import mark
from mhds.demo.compose import endless, therapy_session
from mhds.demo.fragments import Draw
from releases.build.record import CompiledRecord, compile_record, decode_record, encode_record
from releases.build.text import normalise, words
from releases.build.types import Messages

PEER_SAMPLE = 40


@dataclass(frozen=True, slots=True)
class Rate:
    """``mb_s``: megabytes (10^6) a second; ``peer_mb_s`` is 0 where there is no peer in this run."""

    stage: str
    mb_s: float
    peer: str = ""
    peer_mb_s: float = 0.0

    @property
    def ratio(self) -> float:
        return round(self.mb_s / self.peer_mb_s, 2) if self.peer_mb_s else 0.0


def corpus(records: int, seed: int) -> list[Messages]:
    """Invented conversations of the demo, the same for the same seed."""
    made = islice(endless(therapy_session, Draw(seed, "bench")), records)
    return [conversation.messages for conversation in made]


def size(texts: Iterable[Messages]) -> int:
    return sum(len(message.content.encode()) for text in texts for message in text)


def rate(work: Callable[[Messages], object], texts: Sequence[Messages]) -> float:
    work(texts[0])  # what loads lazily loads now
    started = time.perf_counter()
    for text in texts:
        work(text)
    return round(size(texts) / 1e6 / (time.perf_counter() - started), 3)


def compiled(text: Messages) -> CompiledRecord:
    return compile_record(
        text, source_family="bench", phase="bench", source_key="s3://bench/made", source_record="0",
        pii_status="none_detected", license_tag="CC0-1.0", language="en", split="train",
        processing_pipeline="bench", processed_at="2026-01-01T00:00:00Z", processing_steps=[("bench", "1")],
        dedup_status="unique",
    )  # fmt: skip


def readme_minhash(text: Messages) -> MinHash:
    """The peer's own example: one ``update`` per 5-word shingle."""
    spoken = [word for message in text for word in words(normalise(message.content))]
    made = MinHash(num_perm=128)
    for start in range(len(spoken) - 4):
        made.update(" ".join(spoken[start : start + 5]).encode())
    return made


def scan_stages(records: int, seed: int) -> list[Rate]:
    """Every stage of the scan, with the peer that this run can ask on the same text."""
    texts = corpus(records, seed)
    sample = texts[:PEER_SAMPLE]
    scanner = engine.scanner()
    lines = {text: encode_record(compiled(text)) for text in texts}
    return [
        Rate("strict parse", rate(lambda t: decode_record(lines[t]), texts), "json.loads",
             rate(lambda t: json.loads(lines[t]), texts)),
        Rate("language", rate(scanner.language.detect, texts)),
        Rate("identifiers, all views", rate(lambda t: scanner.detector.detect(t, "en"), texts)),
        Rate("tags", rate(lambda t: scanner.tags(t, "en"), texts)),
        Rate("tokens", rate(lambda t: [scanner.tokenizer.count(m.content) for m in t], texts)),
        Rate("signature", rate(signature, texts), "datasketch update()", rate(readme_minhash, sample)),
        Rate("fingerprints of record and messages", rate(mark, texts)),
    ]  # fmt: skip
