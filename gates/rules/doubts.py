"""Reasons not to believe the facts or the candidate at all, whatever they say. Owns no gate's rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gates.rules.values import FrozenFile, GateInputs
from gates.scan.facts import MESSAGES, RECORDS, Facts, ShardFacts
from mhds.client.checksums import content_digest


def about_candidate(inputs: GateInputs) -> Iterator[str]:
    """The frozen list of files hashes to the content digest, and the earlier releases are all there."""
    if not inputs.files:
        yield "the candidate has no files: build it"
    elif content_digest(inputs.files) != inputs.content_digest:
        yield "the frozen files do not hash to the content digest: build a new candidate"
    if len({file.path for file in inputs.files}) != len(inputs.files):
        yield "a file is frozen twice: build a new candidate"
    if sorted(one.version for one in inputs.earlier) != sorted(inputs.published):
        yield "the facts of earlier releases are not those that were published: restore them in the bucket"


def about_facts(inputs: GateInputs) -> Iterator[str]:
    """Whether the facts are about these very bytes, by the scanner in use, and whole."""
    facts = inputs.facts
    if facts is None:
        yield "there are no facts: scan the candidate"
        return
    if facts.content_digest != inputs.content_digest:
        yield "the facts are about other content: scan the candidate"
    if facts.scanner_digest != inputs.scanner_digest or not inputs.scanner_digest:
        yield "the facts are by another scanner than the one in use: scan the candidate again"
    if not facts.records.schema.equals(RECORDS) or not facts.messages.schema.equals(MESSAGES):
        yield "the facts have other columns than the gates know: scan the candidate again"
        return
    yield from _shards(facts.shards, inputs.shards)
    yield from _rows(facts)


def _shards(scanned: tuple[ShardFacts, ...], frozen: list[FrozenFile]) -> Iterator[str]:
    by_path = {shard.path: shard for shard in scanned}
    if len(by_path) != len(scanned):
        yield "a shard was scanned twice: scan the candidate again"
    foreign, missing = set(by_path) - {file.path for file in frozen}, {file.path for file in frozen} - set(by_path)
    if foreign or missing:
        yield f"{len(missing)} shards were not scanned and {len(foreign)} scanned ones are not the candidate's"
    for file in frozen:
        shard = by_path.get(file.path)
        if shard is None:
            continue
        if (shard.bytes, shard.sha256) != (file.bytes, file.sha256):
            yield f"{file.path}: the bytes that were scanned are not those that were frozen"
        if shard.records + len(shard.bad_lines) != file.records:
            yield (
                f"{file.path}: {shard.records} records and {len(shard.bad_lines)} bad lines, {file.records} were frozen"
            )


def _rows(facts: Facts) -> Iterator[str]:
    records, messages = facts.records, facts.messages
    if any(records[name].null_count for name in RECORDS.names) or any(
        messages[name].null_count for name in MESSAGES.names
    ):
        yield "a column of the facts has gaps: scan the candidate again"
        return
    counts = Counter(dict(zip(*_counts(records["shard"]), strict=True)))
    if counts != Counter({shard.path: shard.records for shard in facts.shards if shard.records}):
        yield "the rows of the facts are not those of the shards: scan the candidate again"
    if not _once(records) or pc.count_distinct(records["record_id"]).as_py() != records.num_rows:
        yield "a record is in the facts twice: scan the candidate again"
    if not _messages_fit(records, messages):
        yield "the facts of records and of messages do not fit: scan the candidate again"


def _counts(column: pa.ChunkedArray) -> tuple[list[str], list[int]]:
    counted = pc.value_counts(column)
    return counted.field("values").to_pylist(), counted.field("counts").to_pylist()


def _once(records: pa.Table) -> bool:
    """Every (shard, ordinal) once."""
    return bool(records.group_by(["shard", "ordinal"]).aggregate([]).num_rows == records.num_rows)


def _messages_fit(records: pa.Table, messages: pa.Table) -> bool:
    """The messages lie in the order of the records, each record with exactly as many as it says, turns from 0 up."""
    counts = pc.add(records["turns"], records["system_turns"]).to_numpy()
    if bool((counts < 0).any()) or int(counts.sum()) != messages.num_rows:
        return False
    owners = np.repeat(np.arange(records.num_rows), counts)
    turns = np.arange(messages.num_rows) - np.repeat(np.cumsum(counts) - counts, counts)
    same_line = (records["ordinal"].to_numpy()[owners] == messages["ordinal"].to_numpy()).all()
    same_shard = pc.all(pc.equal(records["shard"].take(pa.array(owners)), messages["shard"])).as_py()
    return bool(same_line) and same_shard is not False and bool((turns == messages["turn"].to_numpy()).all())
