"""Facts that follow from a conversation's text alone, computed once for each text. Owns their columns and their reuse.

Knows no shard and no metadata: what is kept here may be reused wherever the very same roles and contents appear again,
in this release or the next, under the same scanner digest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gates.scan.facts import MESSAGES, RECORDS
from gates.scan.marks import mark
from gates.scan.near import Indexes
from gates.scan.types import PiiDetector, Span, Tokenizer
from mhds.errors import ObjectDamaged
from releases.build.record import content_hash
from releases.build.types import LanguageDetector, Messages

Tagger = Callable[[Messages, str], tuple[str, ...]]

_OF_TEXT = frozenset(
    (
        *("text_sha256", "content_hash", "language", "language_bp", "tokens", "turns", "user_turns", "assistant_turns"),
        *("system_turns", "chars", "words", "scannable", "findings", "tags", "signature", "shingles"),
    )
)
TEXT_RECORDS = pa.schema([column for column in RECORDS if column.name in _OF_TEXT])
TEXT_MESSAGES = pa.schema([column for column in MESSAGES if column.name not in ("shard", "ordinal")])


class TextScanner(Protocol):
    """The components that look at text."""

    @property
    def detector(self) -> PiiDetector: ...
    @property
    def tokenizer(self) -> Tokenizer: ...
    @property
    def language(self) -> LanguageDetector: ...
    @property
    def tags(self) -> Tagger: ...


@dataclass(frozen=True, slots=True)
class TextFacts:
    """One row of ``records`` for each text and its rows of ``messages``, in the same order."""

    records: pa.Table
    messages: pa.Table

    @classmethod
    def empty(cls) -> TextFacts:
        return cls(TEXT_RECORDS.empty_table(), TEXT_MESSAGES.empty_table())

    def starts(self) -> Indexes:
        """Row of the first message of each record, and one past the last: shape (n + 1,)."""
        counts = pc.add(self.records["turns"], self.records["system_turns"]).to_numpy()
        starts = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=starts[1:])
        return starts

    def take(self, rows: Indexes) -> TextFacts:
        starts = self.starts()
        counts = starts[rows + 1] - starts[rows]
        ends = np.cumsum(counts)
        wanted = np.arange(int(counts.sum())) + np.repeat(starts[rows] - (ends - counts), counts)
        return TextFacts(self.records.take(pa.array(rows)), self.messages.take(pa.array(wanted)))

    def followed_by(self, other: TextFacts) -> TextFacts:
        return TextFacts(
            pa.concat_tables([self.records, other.records]), pa.concat_tables([self.messages, other.messages])
        )


class FactsCache:
    """Facts by ``text_sha256``, held as columns. Every row must come from a scanner of the same digest."""

    def __init__(self, facts: TextFacts) -> None:
        keys = _keys(facts.records["text_sha256"].to_pylist())
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        self.facts = facts

    def rows_of(self, keys: Sequence[bytes]) -> Indexes:
        """The row of each key, -1 where the text was never seen."""
        if not len(self._keys):
            return np.full(len(keys), -1, np.int64)
        wanted = _keys(keys)
        at = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        return np.where(self._keys[at] == wanted, self._order[at], -1)


def _keys(keys: Sequence[bytes]) -> NDArray[np.bytes_]:
    # All are 32 bytes wide, so numpy's padding of byte strings cannot make two of them equal.
    return np.frombuffer(b"".join(keys), "S32")


def cache_from(records: pa.Table, messages: pa.Table) -> FactsCache:
    """What earlier facts tables (in order, of the same scanner digest) know about texts, whatever their shard.

    Raises ``ObjectDamaged`` where the tables do not fit each other.
    """
    facts = TextFacts(records.select(TEXT_RECORDS.names), messages.select(TEXT_MESSAGES.names))
    starts = facts.starts()
    owners = np.repeat(records["ordinal"].to_numpy(), np.diff(starts))
    if len(owners) != messages.num_rows or bool((owners != messages["ordinal"].to_numpy()).any()):
        raise ObjectDamaged("the facts of records and of messages do not fit", hint="Scan without the cache.")
    return FactsCache(facts)


def facts_of(
    texts: Sequence[tuple[bytes, Messages]],
    scanner: TextScanner,
    located: Callable[[int], AbstractContextManager[None]],
) -> TextFacts:
    """Compute the facts of (text_sha256, messages) each; ``located(i)`` surrounds the work on text i."""
    records: list[dict[str, Any]] = []
    messages: list[dict[str, Any]] = []
    for index, (key, text) in enumerate(texts):
        with located(index):
            record, rows = _facts(key, text, scanner)
        records.append(record)
        messages.extend(rows)
    return TextFacts(
        pa.Table.from_pylist(records, schema=TEXT_RECORDS), pa.Table.from_pylist(messages, schema=TEXT_MESSAGES)
    )


def _facts(key: bytes, messages: Messages, scanner: TextScanner) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    marks = mark(messages)
    rows: list[dict[str, Any]] = [
        {
            "turn": turn,
            "role": message.role,
            "words": found.words,
            "tokens": scanner.tokenizer.count(message.content),
            "chars": len(message.content),
            "message_hash": found.message_hash,
        }
        for turn, (message, found) in enumerate(zip(messages, marks.messages, strict=True))
    ]
    language, confidence = scanner.language.detect(messages)
    scannable = language in scanner.detector.languages
    spans = scanner.detector.detect(messages, language) if scannable else ()
    record = _counts(messages, rows) | {
        "text_sha256": key,
        "content_hash": content_hash(messages),
        "language": language,
        "language_bp": confidence,
        "scannable": scannable,
        "findings": [_finding(span) for span in sorted(spans, key=_reading_order)],
        "tags": list(scanner.tags(messages, language)),
        "signature": marks.signature,
        "shingles": marks.shingles,
    }
    return record, rows


def _counts(messages: Messages, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    roles = [message.role for message in messages]
    counts = {f"{role}_turns": roles.count(role) for role in ("user", "assistant", "system")}
    sums = {name: sum(row[name] for row in rows) for name in ("tokens", "chars", "words")}
    return counts | sums | {"turns": counts["user_turns"] + counts["assistant_turns"]}


def _reading_order(span: Span) -> tuple[int, int, int, str, str, str, int]:
    return span.turn, span.start, span.end, span.entity, span.rule, span.view, span.score_bp


def _finding(span: Span) -> dict[str, Any]:
    return {
        "entity": span.entity,
        "rule": span.rule,
        "score_bp": span.score_bp,
        "turn": span.turn,
        "start": span.start,
        "end": span.end,
        "view": span.view,
    }
