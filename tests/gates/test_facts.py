"""Files of facts: read back exactly, and refused when they are damaged or about something else."""

from __future__ import annotations

import io
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gates.scan.facts import facts_from_bytes, facts_to_bytes
from gates.scan.scan import ShardScan, scan_shard
from mhds.errors import MhdsError, ObjectDamaged, Stale
from tests.gates.corpus import conversation, shard, talk
from tests.gates.scanners import scanner

pytestmark = pytest.mark.gates

PATH = "data/train/priority/part-00000.jsonl"


@pytest.fixture(scope="module")
def scan() -> ShardScan:
    chance = random.Random(1)
    texts = [*(conversation(chance) for _ in range(12)), talk("call 555-1234", "ok", system="be kind"), talk("", "")]
    return scan_shard(PATH, io.BytesIO(shard(texts) + b"not a record\n"), scanner())


def written(scan: ShardScan, **other) -> tuple[bytes, bytes]:
    parts = {"shard": scan.shard, "records": scan.records, "messages": scan.messages} | other
    return facts_to_bytes(**parts, scanner_digest=scan.scanner_digest)


def read(scan: ShardScan, files: tuple[bytes, bytes], **other):
    bound = {"path": PATH, "shard_sha256": scan.shard.sha256, "scanner_digest": scan.scanner_digest} | other
    return facts_from_bytes(*files, **bound)


def test_facts_come_back_as_they_were_written(scan):
    shard_facts, records, messages = read(scan, written(scan))
    assert shard_facts == scan.shard
    assert shard_facts.bad_lines
    assert records.equals(scan.records)
    assert messages.equals(scan.messages)


def test_the_same_facts_give_the_same_bytes(scan):
    again = pa.concat_tables([scan.records.slice(0, 5), scan.records.slice(5)])
    assert written(scan) == written(scan, records=again)


def test_an_empty_shard_has_facts_too():
    empty = scan_shard(PATH, io.BytesIO(b""), scanner())
    shard_facts, records, messages = read(empty, written(empty))
    assert (shard_facts.records, records.num_rows, messages.num_rows) == (0, 0, 0)


@pytest.mark.parametrize("which", [0, 1])
def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(scan, which):
    files = written(scan)
    expected = read(scan, files)
    for position in range(4, len(files[which]), max(1, len(files[which]) // 150)):
        damaged = bytearray(files[which])
        damaged[position] ^= 0x10
        both = (bytes(damaged), files[1]) if which == 0 else (files[0], bytes(damaged))
        try:
            found = read(scan, both)
        except (ObjectDamaged, Stale):
            continue
        # Some bytes of a Parquet file (its statistics, its writer's name) carry no fact.
        assert found[0] == expected[0]
        assert found[1].equals(expected[1])
        assert found[2].equals(expected[2])


@pytest.mark.parametrize("cut", [0, 3, 100, -1])
def test_a_cut_file_is_refused(scan, cut):
    records, messages = written(scan)
    with pytest.raises(ObjectDamaged):
        read(scan, (records[:cut], messages))


def test_files_of_another_kind_are_refused(scan):
    records, messages = written(scan)
    with pytest.raises(ObjectDamaged):
        read(scan, (messages, records))
    sink = io.BytesIO()
    pq.write_table(scan.records, sink)  # right columns, nobody's facts
    with pytest.raises(ObjectDamaged):
        read(scan, (sink.getvalue(), messages))


@pytest.mark.parametrize(
    "other",
    [{"path": "data/val/priority/part-00000.jsonl"}, {"shard_sha256": "0" * 64}, {"scanner_digest": "sha256:other"}],
)
def test_facts_about_something_else_are_stale(scan, other):
    with pytest.raises(Stale):
        read(scan, written(scan), **other)


def test_halves_of_two_scans_do_not_make_a_whole(scan):
    other = scan_shard(PATH, io.BytesIO(shard([conversation(random.Random(2)) for _ in range(14)])), scanner())
    with pytest.raises(MhdsError):
        read(scan, (written(scan)[0], written(other)[1]))


def test_missing_repeated_or_foreign_rows_are_not_written(scan):
    doubled = pa.concat_tables([scan.records.slice(0, 1), scan.records.slice(0, scan.records.num_rows - 1)])
    elsewhere = scan.records.set_column(0, "shard", pa.array(["data/x"] * scan.records.num_rows))
    for records in (scan.records.slice(1), doubled, elsewhere, scan.records.drop_columns(["tags"])):
        with pytest.raises(ObjectDamaged):
            written(scan, records=records)
    for messages in (scan.messages.slice(1), pa.concat_tables([scan.messages.slice(1), scan.messages.slice(0, 1)])):
        with pytest.raises(ObjectDamaged):
            written(scan, messages=messages)
