"""The scan of compiled bytes: every byte hashed, every line judged, every fact recomputed, nothing passed over."""

from __future__ import annotations

import hashlib
import io
import json
import random
import traceback
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gates.scan.contract import PROBLEMS, distinct_shapes, key_shape
from gates.scan.facts import MESSAGES, RECORDS, BadLine
from gates.scan.fingerprints import message_hash, signature
from gates.scan.lines import ShardLines
from gates.scan.marks import Conversations
from gates.scan.scan import Scanner, assemble, scan_shard
from gates.scan.texts import cache_from
from gates.scan.tokens import TiktokenTokenizer
from mhds.errors import DetectorFailed, InvalidInput
from releases.build.record import content_hash, decode_record, text_sha256
from releases.build.strict import MAX_RECORD_BYTES
from releases.build.types import Message
from tests.gates.corpus import conversation, line, shard, talk
from tests.gates.scanners import DigitsDetector, scanner

pytestmark = pytest.mark.gates

PATH = "data/train/priority/part-00000.jsonl"
GOOD = talk("I cannot sleep, call 555-1234 or 555-9999", "Tell me more about it.", system="be kind")


def scanned(data: bytes, path: str = PATH, **options):
    return scan_shard(path, io.BytesIO(data), options.pop("scanner", None) or scanner(), **options)


def bad_reasons(data: bytes) -> list[tuple[int, int, str]]:
    return [(b.line, b.offset, b.reason) for b in scanned(data).shard.bad_lines]


def rows(data: bytes, **options) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = scanned(data, **options).records.to_pylist()
    return found


def test_the_facts_of_a_record_follow_from_its_text():
    data = shard([GOOD])
    result = scanned(data)
    (row,) = result.records.to_pylist()
    assert row["content_hash"] == row["declared_hash"] == content_hash(GOOD)
    assert row["text_sha256"] == text_sha256(GOOD)
    assert (row["turns"], row["user_turns"], row["assistant_turns"], row["system_turns"]) == (2, 1, 1, 1)
    assert row["chars"] == sum(len(m.content) for m in GOOD)
    assert row["words"] == sum(len(m.content.split()) for m in GOOD)
    assert row["tokens"] == sum(scanner().tokenizer.count(m.content) for m in GOOD)
    assert (row["language"], row["language_bp"], row["scannable"]) == ("en", 10_000, True)
    assert row["tags"] == ["sleep"]
    assert row["steps"] == ["read@1", "redact@1"]
    assert row["problems"] == []
    assert row["signature"] == signature(GOOD).astype("<u4").tobytes()
    assert row["shingles"] == 12 - 4
    found = [(f["turn"], GOOD[f["turn"]].content[f["start"] : f["end"]]) for f in row["findings"]]
    assert found == [(1, "555-1234"), (1, "555-9999")]
    said = result.messages.to_pylist()
    assert [m["message_hash"] for m in said] == [message_hash(m.content) for m in GOOD]
    assert [(m["turn"], m["role"]) for m in said] == [(0, "system"), (1, "user"), (2, "assistant")]
    assert (result.records.schema, result.messages.schema) == (RECORDS, MESSAGES)


def test_offset_and_length_read_one_record_out_of_the_shard():
    chance = random.Random(1)
    texts = [*(conversation(chance) for _ in range(5)), talk("你好，我睡不着", "请说说看")]
    data = shard(texts)
    for row, text in zip(rows(data), texts, strict=True):
        assert decode_record(data[row["offset"] : row["offset"] + row["length"]]).conversation() == text


def test_the_hash_covers_the_very_bytes_and_sees_one_flipped_byte():
    data = shard([GOOD, conversation(random.Random(1))])
    clean = scanned(data).shard
    assert (clean.sha256, clean.bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    flipped = data.replace(b"sleep", b"sleeq")
    damaged = scanned(flipped)
    assert damaged.shard.sha256 != clean.sha256
    assert damaged.records["problems"].to_pylist()[0] == ["content_hash_mismatch", "legacy_content_hash_mismatch"]


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 22])
def test_chunks_of_any_size_give_the_same_facts(size):
    data = shard([GOOD, *(conversation(random.Random(s)) for s in range(3))]) + b"\n\xff\n" + line(GOOD)
    whole = scanned(data)
    chunked = scan_shard(PATH, [data[i : i + size] for i in range(0, len(data), size)], scanner())
    assert chunked.shard == whole.shard
    assert chunked.records.equals(whole.records)
    assert chunked.messages.equals(whole.messages)


def test_a_last_line_without_newline_is_bad_even_if_it_parses():
    whole = line(GOOD) + b"\n"
    assert bad_reasons(whole + line(GOOD, 1)) == [(1, len(whole), "cut_last_line")]
    assert bad_reasons(whole + line(GOOD, 1)[:-30]) == [(1, len(whole), "cut_last_line")]


def duplicate_key() -> bytes:
    return line(GOOD).replace(b'"role":"user"', b'"role":"user","role":"user"', 1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "blank_line"),
        (b" \t", "blank_line"),
        (b"\r", "blank_line"),
        (line(GOOD) + b"\r", "carriage_return"),
        (b"\xef\xbb\xbf" + line(GOOD), "byte_order_mark"),
        (duplicate_key(), "duplicate_key"),
        (line(GOOD).replace(b"sleep", b"sl\xffep"), "invalid_utf8"),
        (line(GOOD).replace(b"sleep", b"\\ud83d"), "lone_surrogate"),
        (line(GOOD).replace(b"sleep", b"\\u0000"), "nul"),
        (line(GOOD) + b"{}", "trailing_data"),
        (line(GOOD)[:-1], "invalid_json"),
        (line(GOOD).replace(b'"conversation_length":3', b'"conversation_length":NaN'), "not_finite"),
        (line(GOOD).replace(b'"conversation_length":3', b'"conversation_length":"3"'), "wrong_type"),
        (line(GOOD).replace(b'"conversation_length":3', b'"conversation_length":4'), "bad_value"),
        (line(GOOD).replace(b'"phase":"stage1_foundation"', b'"phase":""'), "bad_value"),
        (line(GOOD).replace(b'"phase":"stage1_foundation",', b""), "missing_key"),
        (line(GOOD).replace(b'"phase":', b'"x":1,"phase":'), "unknown_key"),
        (line(GOOD).replace(b'"none_detected"', b'"requires_review"'), "bad_value"),
        (b"[" * 100_000, "too_deep"),
        (b"null", "wrong_type"),
    ],
)
def test_a_line_that_is_no_record_is_counted_with_its_offset(bad, reason):
    before, after = line(GOOD, 0) + b"\n", line(GOOD, 2) + b"\n"
    result = scanned(before + bad + b"\n" + after)
    assert result.shard.bad_lines == (BadLine(1, len(before), reason),)
    assert result.shard.records == 2
    assert result.records["ordinal"].to_pylist() == [0, 2]
    assert result.records["offset"].to_pylist() == [0, len(before) + len(bad) + 1]


def test_only_a_line_feed_ends_a_line():
    odd = talk("a\u2028b\u2029c\u0085d\x0be\x0cf", "g\rh")
    result = scanned(shard([odd]))
    assert (result.shard.records, result.shard.bad_lines) == (1, ())


def test_a_line_over_the_limit_is_bad_and_not_held_in_memory():
    lines = ShardLines([b"x" * (1 << 20)] * 40 + [b"\n", line(GOOD), b"\n", b"y" * (MAX_RECORD_BYTES + 1)])
    found = list(lines)
    assert [(f.number, f.reason) for f in found] == [(0, "too_large"), (1, ""), (2, "too_large")]
    assert found[0].data == found[2].data == b""
    assert found[1].offset == (40 << 20) + 1
    assert lines.bytes == (40 << 20) + 2 + len(line(GOOD)) + MAX_RECORD_BYTES + 1


def test_a_shard_of_rubbish_stops_the_scan_instead_of_filling_memory():
    with pytest.raises(InvalidInput, match="over 10000 lines"):
        scanned(b"\n" * 10_001)


def test_an_empty_shard_has_no_records():
    result = scanned(b"")
    assert (result.shard.records, result.shard.bytes, result.records.num_rows) == (0, 0, 0)


def test_more_turns_than_a_column_holds_are_refused():
    many = tuple(Message("user", "a") for _ in range(32_768))
    assert [reason for *_, reason in bad_reasons(line(many) + b"\n")] == ["too_many_turns"]


def changed(text: bytes, **values: object) -> bytes:
    record = json.loads(text)
    record["metadata"].update(values)
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("data", "problems"),
    [
        (changed(line(GOOD), content_hash="sha256:" + "0" * 64), ["content_hash_mismatch"]),
        (changed(line(GOOD), legacy_content_hash="0" * 64), ["legacy_content_hash_mismatch"]),
        (changed(line(GOOD), record_id="r_" + "0" * 32), ["record_id_mismatch"]),
        (changed(line(GOOD), source_record="77"), ["record_id_mismatch"]),
        (line(GOOD, split="val"), ["split_mismatch"]),
        (line(GOOD, family="voice"), ["family_mismatch"]),
        (line(GOOD, source_key="/home/someone/a.jsonl"), ["source_key_malformed"]),
        (line(GOOD, source_key="s3://local/k_0a1b"), []),
        (line(GOOD, source_key="k_0a1b"), []),
        (line(GOOD, processing_steps=[]), ["processing_steps_missing"]),
        (line((Message("assistant", "hello there"),)), ["no_user_turn"]),
        (line((Message("user", "hello there"),)), ["no_assistant_turn"]),
        (line(GOOD).replace(b'{"messages":', b'{ "messages":'), ["not_canonical"]),
        (line(GOOD).replace(b"sleep", b"sl\\u0065ep"), ["not_canonical"]),
    ],
)
def test_a_record_that_says_something_untrue_has_a_problem(data, problems):
    (row,) = rows(data + b"\n")
    assert row["problems"] == problems
    assert set(problems) <= set(PROBLEMS)


@pytest.mark.parametrize(
    "path", ["data/dev/priority/part-00000.jsonl", "part-00000.jsonl", "data/train/a/b/part-1.jsonl"]
)
def test_a_shard_in_the_wrong_place_is_a_problem_of_its_records(path):
    (row,) = rows(shard([GOOD]), path=path)
    assert row["problems"] == ["shard_path_malformed"]


def test_uniform_records_have_one_shape_of_keys_and_others_more():
    assert len(scanned(shard([GOOD, talk("a", "b")])).shard.key_shapes) == 1
    record = json.loads(line(GOOD))
    record["metadata"] = dict(reversed(record["metadata"].items()))
    assert len(scanned(shard([GOOD]) + json.dumps(record).encode() + b"\n").shard.key_shapes) == 2


def test_an_empty_list_is_no_shape_of_its_own():
    shapes = [
        key_shape(s) for s in (b'{"a":["x"],"b":1}', b'{"a":[],"b":2}', b'{"a":[1.5],"b":1}', b'{"a":[],"b":null}')
    ]
    assert distinct_shapes(shapes[:2]) == ("{a:[string],b:integer}",)
    assert len(distinct_shapes(shapes)) == 3
    assert distinct_shapes(shapes[1:2]) == ("{a:[],b:integer}",)


def test_a_language_without_recognisers_is_not_scannable_and_not_clean():
    (row,) = rows(shard([talk("我的电话是555-1234", "好的")]))
    assert (row["language"], row["scannable"], row["findings"]) == ("zh", False, [])


def test_a_detector_that_fails_stops_the_scan_and_names_shard_and_offset_without_text():
    data = shard([GOOD, talk("my secret TIMEOUT", "ok")])
    offset = data.index(b"\n") + 1
    with pytest.raises(DetectorFailed) as failure:
        scanned(data)
    assert f"{PATH} at byte {offset}" in str(failure.value)
    assert failure.value.hint == "Exclude the record."
    assert "secret" not in "".join(traceback.format_exception_only(failure.value))


def test_the_cache_gives_the_tables_of_a_cold_scan_and_computes_only_unseen_texts():
    chance = random.Random(2)
    old = [
        GOOD,
        *(conversation(chance, turns=t) for t in (1, 2, 5, 8)),
        talk("你好，我睡不着", "请说说看"),
        talk("", ""),
    ]
    new = [conversation(chance), old[3], GOOD, talk("call 555-0000", "ok"), old[5], old[3], old[6]]
    first = scanned(shard(old), "data/val/priority/part-00003.jsonl")
    cold = scanned(shard(new))
    detector = DigitsDetector()
    warm = scanned(shard(new), scanner=scanner(detector=detector), cache=cache_from(first.records, first.messages))
    assert warm.records.equals(cold.records)
    assert warm.messages.equals(cold.messages)
    assert warm.shard == cold.shard
    assert detector.texts == 2
    again = scanned(shard(new), scanner=scanner(detector=detector), cache=cache_from(warm.records, warm.messages))
    assert again.records.equals(cold.records)
    assert again.messages.equals(cold.messages)
    assert detector.texts == 2


def test_the_cache_still_tells_a_false_hash():
    first = scanned(shard([GOOD]))
    data = changed(line(GOOD), content_hash="sha256:" + "0" * 64) + b"\n"
    (row,) = rows(data, cache=cache_from(first.records, first.messages))
    assert row["problems"] == ["content_hash_mismatch"]


def test_an_empty_cache_changes_nothing():
    data = shard([GOOD])
    empty = cache_from(RECORDS.empty_table(), MESSAGES.empty_table())
    assert scanned(data, cache=empty).records.equals(scanned(data).records)


def test_batches_do_not_show_in_the_facts(monkeypatch):
    data = shard([conversation(random.Random(s), turns=s % 5 + 1) for s in range(20)])
    whole = scanned(data)
    heard: list[tuple[int, int]] = []
    monkeypatch.setattr("gates.scan.scan.BATCH_BYTES", 2_000)
    parts = scanned(data, progress=lambda records, size: heard.append((records, size)))
    assert parts.records.equals(whole.records)
    assert parts.messages.equals(whole.messages)
    assert len(heard) > 5
    assert heard[-1] == (20, len(data))
    assert heard == sorted(heard)


def test_the_digest_changes_with_every_component_and_only_with_them(monkeypatch):
    def other(base: type, **attributes: object) -> object:
        return type("Other", (base,), attributes)()

    base = scanner()
    variants: list[Scanner] = [
        base,
        scanner(tokenizer=TiktokenTokenizer("o200k_base")),
        scanner(detector=other(DigitsDetector, version="2")),
        scanner(detector=other(DigitsDetector, languages=frozenset({"en", "zh"}))),
        scanner(language=other(type(base.language), version="2")),
        scanner(tags_version="2"),
    ]
    digests = {variant.digest for variant in variants}
    assert base.digest == scanner().digest
    monkeypatch.setattr("gates.scan.scan.CODE_VERSION", "next")
    digests.add(scanner().digest)
    assert len(digests) == 7


def test_assembled_facts_are_in_order_of_path_whatever_the_order_of_scanning():
    paths = [f"data/train/priority/part-0000{i}.jsonl" for i in range(3)]
    scans = [scanned(shard([conversation(random.Random(i)), GOOD]), path) for i, path in enumerate(paths)]
    facts, shuffled = assemble(scans, "sha256:c"), assemble(scans[::-1], "sha256:c")
    assert facts.records.equals(shuffled.records)
    assert facts.messages.equals(shuffled.messages)
    assert facts.digest == shuffled.digest
    assert facts.records["shard"].to_pylist() == [p for p in paths for _ in range(2)]
    assert facts.scanner == scanner().components
    marks = Conversations.from_facts(facts.records, facts.messages)
    assert np.bincount(marks.message_item).tolist() == [6, 3, 6, 3, 6, 3]


def test_facts_of_no_shard_a_shard_twice_or_two_scanners_are_refused():
    one = scanned(shard([GOOD]))
    other = scanned(shard([GOOD]), "data/train/priority/part-00001.jsonl", scanner=scanner(tags_version="2"))
    for scans in ([], [one, one], [one, other]):
        with pytest.raises(InvalidInput):
            assemble(scans, "sha256:c")


def test_the_facts_hold_no_text():
    result = scanned(shard([GOOD]))
    for table in (result.records, result.messages):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        body = sink.getvalue().to_pybytes()
        assert not [word for word in (b"cannot", b"555-1234", b"more about", b"be kind") if word in body]
