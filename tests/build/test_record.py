from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releases.build.record import (
    CompiledRecord,
    compile_record,
    content_hash,
    decode_record,
    encode_record,
    legacy_content_hash,
    record_id,
    text_sha256,
)
from releases.build.strict import MAX_RECORD_BYTES, StrictError
from releases.build.types import Message, Messages

pytestmark = pytest.mark.build

TALK: Messages = (Message("user", "I cannot sleep"), Message("assistant", "Since when?"))
text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
talks = st.lists(
    st.builds(Message, st.sampled_from(("system", "user", "assistant")), text), min_size=1, max_size=5
).map(tuple)


def compiled(messages: Messages = TALK, **changes: Any) -> CompiledRecord:
    facts: dict[str, Any] = {
        "source_family": "priority",
        "phase": "stage1_foundation",
        "source_key": "s3://local/priority/a.jsonl",
        "source_record": "12.1",
        "pii_status": "none_detected",
        "license_tag": "CC0-1.0",
        "language": "en",
        "split": "train",
        "processing_pipeline": "mhds",
        "processed_at": "2026-11-24T00:00:00Z",
        "processing_steps": (("read", "1"), ("redact", "2")),
        "dedup_status": "unique",
    }
    return compile_record(messages, **{**facts, **changes})


LINE = encode_record(compiled())


def changed(path: str, value: object) -> bytes:
    record = json.loads(LINE)
    *way, last = path.split(".")
    place = record
    for name in way:
        place = place[name]
    place[last] = value
    return json.dumps(record).encode()


def test_the_line_is_one_object_with_fixed_keys_and_no_space():
    record = json.loads(LINE)
    assert list(record) == ["messages", "metadata"]
    assert list(record["metadata"]) == [
        "record_id", "source_family", "phase", "source_key", "source_record", "content_hash", "legacy_content_hash",
        "pii_status", "license_tag", "language", "split", "provenance", "conversation_length",
    ]  # fmt: skip
    assert record["metadata"]["provenance"]["processing_steps"][0] == {"name": "read", "version": "1"}
    assert record["metadata"]["conversation_length"] == 2
    assert record["metadata"]["provenance"]["original_s3_key"] == record["metadata"]["source_key"]
    assert json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() == LINE


def test_the_record_id_follows_from_source_key_and_record_alone():
    expected = hashlib.sha256(b"s3://local/priority/a.jsonl\n12.1").hexdigest()[:32]
    assert compiled().metadata.record_id == f"r_{expected}"
    assert record_id("s3://local/priority/a.jsonl", "12.1") == f"r_{expected}"


@settings(max_examples=60)
@given(talks)
def test_what_is_encoded_is_decoded_and_encodes_to_the_same_bytes(messages):
    line = encode_record(compiled(messages))
    assert decode_record(line).conversation() == messages
    assert encode_record(decode_record(line)) == line
    assert b"\n" not in line


@settings(max_examples=60)
@given(talks)
def test_another_spelling_of_the_same_line_is_the_same_record(messages):
    line = encode_record(compiled(messages))
    assert decode_record(json.dumps(json.loads(line), indent=1).encode()) == decode_record(line)


@settings(max_examples=60)
@given(talks)
def test_the_content_hash_sees_neither_white_space_nor_invisible_characters(messages):
    spread = tuple(Message(role, f" \u200b{content}\n\t ") for role, content in messages)
    assert content_hash(spread) == content_hash(messages)
    assert text_sha256(spread) != text_sha256(messages)


def test_the_content_hash_sees_roles_and_order_and_the_older_one_does_not():
    swapped = tuple(Message(role, content) for (role, _), (_, content) in zip(reversed(TALK), TALK, strict=True))
    turned = tuple(reversed(TALK))
    assert len({content_hash(TALK), content_hash(swapped), content_hash(turned)}) == 3
    assert legacy_content_hash(TALK) == legacy_content_hash(swapped) == legacy_content_hash(turned)
    assert legacy_content_hash(TALK) == hashlib.sha256(b"i cannot sleep since when?").hexdigest()


def test_no_content_can_imitate_a_border_between_messages():
    one = (Message("user", "a"), Message("user", "b"))
    assert content_hash(one) != content_hash((Message("user", "auserb"),)) != content_hash((Message("user", "a b"),))
    assert text_sha256(one) != text_sha256((Message("user", "ab"),))


HOSTILE = [
    ("invalid_utf8", LINE.replace(b"sleep", b"sl\xffep")),
    ("invalid_utf8", LINE.replace(b"sleep", b"sl\xc0\xafep")),
    ("invalid_utf8", LINE.replace(b"sleep", b"sl\xed\xa0\x80ep")),
    ("invalid_utf8", LINE[:-30] + b"\xf0\x9f\x98"),
    ("lone_surrogate", LINE.replace(b"sleep", b"sl\\ud83dep")),
    ("nul", LINE.replace(b"sleep", b"sl\\u0000ep")),
    ("nul", LINE.replace(b"sleep", b"sl\x00ep")),
    ("invalid_json", LINE.replace(b"sleep", b"sl\x1bep")),
    ("invalid_json", LINE[:-20]),
    ("invalid_json", b""),
    ("invalid_json", b"\xef\xbb\xbf" + LINE),
    ("invalid_json", LINE.replace(b'"', b"'")),
    ("invalid_json", LINE[:-1] + b",}"),
    ("invalid_json", b"// note\n" + LINE),
    ("trailing_data", LINE + LINE),
    ("trailing_data", LINE + b" x"),
    ("too_deep", b"[" * 1000 + b"]" * 1000),
    ("too_deep", b"[" * 100_000),
    ("too_deep", b'{"a":' * 100_000),
    ("number_too_long", LINE.replace(b'length":2', b'length":' + b"2" * 5000)),
    ("number_too_long", b"9" * 1_000_000),
    ("not_finite", LINE.replace(b'length":2', b'length":NaN')),
    ("not_finite", LINE.replace(b'length":2', b'length":-Infinity')),
    ("not_finite", LINE.replace(b'length":2', b'length":1e400')),
    ("duplicate_key", LINE[:-1] + b',"messages":[]}'),
    ("duplicate_key", LINE.replace(b'"split":"train"', b'"split":"train","split":"train"')),
    ("duplicate_key", LINE.replace(b'"content":', b'"content":"clean","content":', 1)),
    ("duplicate_key", LINE.replace(b'"split"', b'"caf\xc3\xa9":1,"cafe\xcc\x81":2,"split"')),
    ("unknown_key", changed("metadata.note", "x")),
    ("unknown_key", changed("__proto__", {})),
    ("unknown_key", changed("metadata.provenance.host", "x")),
    ("missing_key", LINE.replace(b'"language":"en",', b"")),
    ("missing_key", LINE.replace(b'"split"', b'"Split"').replace(b'"Split":"train",', b"")),
    ("wrong_type", b"[]"),
    ("wrong_type", b"null"),
    ("wrong_type", b'"text"'),
    ("wrong_type", changed("messages", "hello")),
    ("wrong_type", changed("messages", [["user", "hello"]])),
    ("wrong_type", changed("metadata.conversation_length", "2")),
    ("wrong_type", changed("metadata.conversation_length", 2.5)),
    ("wrong_type", changed("metadata.conversation_length", True)),
    ("wrong_type", changed("metadata.language", None)),
    ("bad_value", changed("messages", [])),
    ("bad_value", changed("metadata.conversation_length", 3)),
    ("bad_value", changed("metadata.pii_status", "requires_review")),
    ("bad_value", changed("metadata.split", "dev")),
    ("bad_value", changed("messages", [{"role": "tool", "content": "x"}])),
    ("bad_value", changed("metadata.record_id", "r_1")),
    ("bad_value", changed("metadata.content_hash", "sha1:0")),
    ("bad_value", changed("metadata.source_record", "01")),
    ("bad_value", changed("metadata.license_tag", "")),
    ("bad_value", changed("metadata.provenance.original_s3_key", "s3://other/key")),
    ("bad_value", changed("metadata.provenance.processed_at", "2026-11-24T08:00:00Z")),
    ("too_large", LINE.replace(b"sleep", b"z" * MAX_RECORD_BYTES)),
]


@pytest.mark.parametrize(("reason", "line"), HOSTILE, ids=[f"{at}-{reason}" for at, (reason, _) in enumerate(HOSTILE)])
def test_a_hostile_line_is_refused_with_its_reason_and_without_its_text(reason, line):
    with pytest.raises(StrictError) as caught:
        decode_record(line)
    assert caught.value.reason == reason
    assert "sl" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_offset_of_a_bad_byte_is_told():
    with pytest.raises(StrictError) as caught:
        decode_record(LINE.replace(b"sleep", b"sl\xffep"))
    assert caught.value.offset == LINE.index(b"sleep") + 2


def test_separators_of_other_worlds_inside_a_text_are_text():
    messages = (Message("user", "a\u2028b\u2029c\u0085d\x0be\x0cf\x7f"), Message("assistant", "ok"))
    assert decode_record(encode_record(compiled(messages))).conversation() == messages


@pytest.mark.parametrize("content", ["\ud83d", "a\x00b"])
def test_a_text_that_would_not_come_back_is_not_encoded(content):
    with pytest.raises(StrictError) as caught:
        encode_record(compiled((Message("user", content), Message("assistant", "ok"))))
    assert caught.value.reason in ("lone_surrogate", "nul")


def test_requires_review_never_ships():
    with pytest.raises(StrictError):
        compiled(pii_status="requires_review")
