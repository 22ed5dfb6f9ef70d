from __future__ import annotations

import gzip
import io
import json
import pickle
import tracemalloc
import zipfile

import pytest
import zstandard

from mhds.errors import InvalidInput
from releases.build.outcome import Limits
from releases.build.reader import ObjectReader
from tests.build.reading import ROLES, Bites, chatml, jsonl, read

pytestmark = pytest.mark.build

GOOD = jsonl(chatml())
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../x.jsonl", GOOD)
    return out.getvalue()


def flipped(body: bytes, at: int) -> bytes:
    return body[:at] + bytes([body[at] ^ 1]) + body[at:][1:]


REFUSED = [
    ("empty_object", b""),
    ("no_records", b"\n" * 1_000_000),
    ("no_records", b"\xef\xbb\xbf"),
    ("no_records", b" \r\n\t\n"),
    ("no_records", b"[]"),
    ("no_records", b"{}"),
    ("no_records", b'{"data": []}'),
    ("no_records", b"prompt,response\r\n"),
    ("lfs_pointer", LFS),
    ("unsupported_encoding", '{"a": 1}'.encode("utf-16")),
    ("unsupported_encoding", '{"a": 1}'.encode("utf-16-le")),
    ("unsupported_encoding", '{"a": 1}'.encode("utf-32")),
    ("unsupported_format", b"<!DOCTYPE html><html><body>hi</body></html>"),
    ("unsupported_format", b"  <html>\n"),
    ("unsupported_format", b'<?xml version="1.0"?><a/>'),
    ("unsupported_format", zipped()),
    ("unsupported_format", pickle.dumps({"messages": []})),
    ("unsupported_format", b"%PDF-1.7\n..."),
    ("unsupported_format", b"\x89PNG\r\n\x1a\n...."),
    ("unsupported_format", b"\xff\xd8\xff\xe0 jpeg"),
    ("unsupported_format", b"GGUF\x03\x00\x00\x00"),
    ("unsupported_format", b"\x93NUMPY\x01\x00"),
    ("unsupported_format", b"BZh91AY&SY"),
    ("unsupported_format", b"\xfd7zXZ\x00"),
    ("unsupported_format", gzip.compress(gzip.compress(GOOD))),
    ("unsupported_format", b"User: hi\nAssistant: a\x00b\n"),
    ("bare_cr", GOOD.replace(b"\n", b"\r") * 2),
    ("bare_cr", b"prompt,response\ra,b\rc,d\r"),
    ("bare_cr", b"User: hi\rAssistant: hello\r"),
    ("bare_cr", b"User: hi\rAssistant: hello\n"),
    ("invalid_json", b'[{"messages": []}, {"messages": [}]'),
    ("invalid_json", json.dumps([chatml()] * 3).encode()[:-1]),
    ("invalid_json", json.dumps([chatml()] * 3).encode()[:-9]),
    ("invalid_json", b'{"prompt": "a" "response": "b"}'),
    ("invalid_json", b"{'prompt': 'a', 'response': 'b'}"),
    ("invalid_json", b'{"prompt": "a", "response": "b",}'),
    ("invalid_json", b'[{"prompt": "a", "response": "b"},]'),
    ("invalid_json", b'[{"prompt": "a"} {"prompt": "b"}]'),
    ("invalid_json", b'// note\n{"prompt": "a",\n "response": "b"}'.removeprefix(b"// note\n") + b" }"),
    ("invalid_json", b"[" * 100_000),
    ("invalid_json", b'{"a":' * 100_000),
    ("invalid_json", b'["' + b'\\"' * 1_000_000),
    ("duplicate_key", b'{"data": [{"prompt": "a", "response": "b"}], "data": []}'),
    ("invalid_utf8", "来访者：你好\n".encode()[:-2]),
    ("duplicate_columns", b"prompt,response,Prompt\r\na,b,c\r\n"),
    ("truncated", gzip.compress(GOOD * 50)[:-9]),
    ("truncated", gzip.compress(GOOD)[:12]),
    ("truncated", zstandard.compress(GOOD * 50)[:-2]),
    ("damaged_compression", gzip.compress(GOOD) + b"junk"),
    ("damaged_compression", flipped(gzip.compress(GOOD), -6)),
    ("damaged_compression", flipped(gzip.compress(GOOD), -1)),
    ("damaged_compression", zstandard.compress(GOOD) + b"junkjunk"),
    ("damaged_compression", flipped(zstandard.ZstdCompressor(write_checksum=True).compress(GOOD), -2)),
    ("damaged_parquet", b"PAR1" + b"x" * 100 + b"PAR1"),
    ("unknown_shape", b'{"alpha": "' + b"a sentence that goes on and on " * 9 + b'"}'),
    ("unknown_shape", b"[null]"),
]


@pytest.mark.parametrize(("reason", "body"), REFUSED, ids=[f"{at}-{reason}" for at, (reason, _) in enumerate(REFUSED)])
def test_an_object_that_cannot_be_trusted_is_refused(reason, body):
    assert read(body, "a/b.jsonl").outcome == ("refused", reason)


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_gzip_stream_cut_anywhere_is_refused(cut):
    body = gzip.compress(GOOD)
    assert read(body[: -min(cut, len(body) - 4)]).verdict.reason == "truncated"


@pytest.mark.parametrize("suffix", [".part", ".crdownload", ".tmp", ".PART"])
def test_a_partial_upload_is_told_by_its_name(suffix):
    assert read(GOOD, "a/b.jsonl" + suffix).outcome == ("refused", "partial_upload")


def test_the_byte_where_json_breaks_is_told():
    body = b'[{"prompt": "a", "response": "b"}, {"prompt": }]'
    assert read(body).verdict.offset == body.index(b"}]")


@pytest.mark.parametrize(
    ("pack", "beyond"), [(gzip.compress, 1 << 18), (zstandard.compress, 32 << 20)], ids=["gzip", "zstd"]
)
def test_a_bomb_is_refused_before_it_has_grown_far_beyond_the_limit(pack, beyond):
    bomb = pack(GOOD * 200_000)
    tracemalloc.start()
    result = read(bomb, limits=Limits(plain_bytes=1 << 20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.outcome == ("refused", "too_expansive")
    assert result.verdict.offset is not None
    assert result.verdict.offset <= (1 << 20) + beyond
    assert peak < 80 << 20


def test_an_absurd_ratio_is_refused_even_under_the_limit_of_size():
    limits = Limits(ratio=50, ratio_floor=1 << 18)
    assert read(gzip.compress(GOOD * 100_000), limits=limits).outcome == ("refused", "too_expansive")


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("a/README.md", b"# Data\nUser: is a column, not a speaker\nAssistant: too\n"),
        ("a/LICENSE", b"Permission is hereby granted, free of charge, to any person\n"),
        ("a/load.py", b"import json\nfor line in open('x'):\n    print(line)\n"),
        ("a/.gitattributes", b"*.jsonl filter=lfs\n"),
        ("a/run.ipynb", json.dumps({"cells": [], "nbformat": 4, "metadata": {}}).encode()),
        ("a/stats.json", b'{"rows": 12, "by_label": {"a": 3, "b": 9}}'),
        ("a/labels.csv", b"text,label\r\nI feel low,depression\r\nI am fine,none\r\n"),
        ("a/labels.jsonl", jsonl({"text": "I feel low", "label": 1}, {"text": "I am fine", "label": 0})),
        ("a/kb.json", json.dumps([{"title": "Grief", "definition": "What follows a loss"}] * 3).encode()),
        ("a/book.txt", b"It was a long day.\nNothing much was said by anybody.\n"),
    ],
)
def test_what_is_no_conversation_is_called_so_and_is_not_refused(key, body):
    result = read(body, key)
    assert result.verdict.status == "not_conversation"
    assert result.verdict.reason
    assert result.items == []


def test_data_under_the_name_of_a_document_is_read_all_the_same():
    assert len(read(GOOD, "a/README.md").records) == 1


def test_the_verdict_is_not_known_before_the_end():
    reader = ObjectReader(lambda: Bites(GOOD, 10), "k", ROLES)  # type: ignore[arg-type,return-value]
    with pytest.raises(InvalidInput):
        _ = reader.verdict


def test_no_verdict_or_exclusion_holds_text_of_the_object():
    secret = "Zephyrine Quackenbush"
    bodies = [
        jsonl({"messages": [{"role": secret, "content": secret}]}, chatml()),
        b'{"prompt": "' + secret.encode() + b'" oops}',
        f"{secret}: hello\nTherapist: hello\n{secret}: yes\n{secret}: no\n".encode(),
        b"prompt,response\r\n" + secret.encode() + b"\r\n",
        jsonl({secret + " " * 60: "x", **chatml()}),
        secret.encode() + b"\xff",
    ]
    for body in bodies:
        result = read(body)
        assert "Zephyrine" not in repr(result.excluded) + repr(result.verdict)


HOSTILE = {
    "quotes": b'{"a":"' * 200_000,
    "stars": b"*" * 300_000 + b"x",
    "spaced stars": b"* " * 150_000 + b"x",
    "colons": b":" * 1_000_000,
    "a word and spaces": b"user" + b" " * 300_000,
    "marks": b"User: a\n" * 50_000,
    "block starts": b"<|im_start|>" * 100_000,
    "an open cell": b'prompt,response\r\n"' + b"a,b\n" * 200_000,
    "a big name": b'{"' + b"k" * 10_000_000 + b'":1}',
    "many names": b"{" + b",".join(b'"k%d":1' % at for at in range(50_000)) + b"}",
}


@pytest.mark.timeout(5)
@pytest.mark.parametrize("name", HOSTILE)
def test_no_input_hangs_the_reader(name):
    assert read(HOSTILE[name]).verdict.status in ("read", "refused", "not_conversation")


def test_memory_does_not_grow_with_the_object():
    body = json.dumps([chatml("q " * 300, "a " * 300)] * 12_000, indent=0).encode()
    reader = ObjectReader(lambda: Bites(body, 1 << 16), "k", ROLES)  # type: ignore[arg-type,return-value]
    tracemalloc.start()
    count = sum(1 for _ in reader)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 12_000
    assert len(body) > 14 << 20
    assert peak < 6 << 20


def test_a_text_with_json_in_it_is_no_prose():
    assert read(b"7\n8\n9\nnotes\n" + GOOD + b"more notes\n").outcome == ("refused", "unknown_shape")
