"""Shards are cut by size, hashed as they are written, and their index finds every record."""

from __future__ import annotations

import hashlib
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhds.client.checksums import index_path
from releases.build.shards import write_shards

pytestmark = pytest.mark.build


def written(lines, root, size=100):
    files = list(write_shards(iter(lines), "train", "priority", root, size))
    return [one for one in files if one.role == "data"], {one.path: one for one in files if one.role == "index"}


def offsets(file):
    body = file.local.read_bytes()
    return struct.unpack(f"<{len(body) // 8}Q", body)


def test_a_shard_is_at_most_its_size_and_one_record_may_be_more(tmp_path):
    data, _indexes = written([b"x" * 39, b"x" * 59, b"x" * 60, b"y" * 500, b"z"], tmp_path)
    assert [one.bytes for one in data] == [100, 61, 501, 2]
    assert [one.records for one in data] == [2, 1, 1, 1]
    assert [one.path for one in data] == [f"data/train/priority/part-{n:05d}.jsonl" for n in range(4)]


@given(lines=st.lists(st.binary(max_size=60).map(lambda body: body.replace(b"\n", b"")), max_size=30))
def test_the_parts_are_the_lines_and_each_index_entry_starts_one(lines, tmp_path_factory):
    data, indexes = written(lines, tmp_path_factory.mktemp("shards"))
    assert b"".join(one.local.read_bytes() for one in data) == b"".join(line + b"\n" for line in lines)
    cut = []
    for one in data:
        body, found = one.local.read_bytes(), offsets(indexes[index_path(one.path)])
        assert (one.bytes, one.sha256) == (len(body), hashlib.sha256(body).hexdigest())
        assert found[-1] == len(body)
        cut += [body[start:end].removesuffix(b"\n") for start, end in pairwise(found)]
    assert cut == lines


def test_an_index_is_frozen_by_its_own_hash(tmp_path):
    _data, indexes = written([b"a", b"b"], tmp_path)
    (index,) = indexes.values()
    assert index.sha256 == hashlib.sha256(index.local.read_bytes()).hexdigest()
    assert (index.split, index.family, index.bytes) == ("train", "priority", 24)


def test_no_line_makes_no_shard(tmp_path):
    assert written([], tmp_path) == ([], {})
