from __future__ import annotations

import csv
import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from releases.build.outcome import Limits
from tests.build.reading import PAIR, chatml, jsonl, read

pytestmark = pytest.mark.build

SMALL = Limits(record_bytes=2000, csv_line_bytes=4000, group_bytes=2000)


def talks(count: int) -> list[dict[str, object]]:
    return [chatml(f"question {at}", f"answer {at}") for at in range(count)]


def table(*rows: list[str], delimiter: str = ",", end: str = "\r\n") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows([["prompt", "response"], *rows])
    return out.getvalue().encode()


def parquet(rows: list[dict[str, object]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


CONTAINERS = {
    "lines": jsonl(*talks(3)),
    "lines without a last newline": jsonl(*talks(3)).rstrip(b"\n"),
    "lines with CRLF": jsonl(*talks(3)).replace(b"\n", b"\r\n"),
    "lines after a byte order mark": b"\xef\xbb\xbf" + jsonl(*talks(3)),
    "an array": json.dumps(talks(3)).encode(),
    "an array over many lines": json.dumps(talks(3), indent=2).encode(),
    "an array with a value a line": b"[\n" + b",\n".join(json.dumps(t).encode() for t in talks(3)) + b"\n]",
    "values one after another": b"".join(json.dumps(t).encode() for t in talks(3)),
    "values over many lines": b"\n".join(json.dumps(t, indent=1).encode() for t in talks(3)),
    "conversations": json.dumps({"version": 1, "conversations": talks(3), "count": 3}).encode(),
    "data": json.dumps({"data": talks(3)}, indent=1).encode(),
    "records": json.dumps({"meta": {"records": 1}, "records": talks(3)}).encode(),
    "sessions": json.dumps({"sessions": talks(3)}).encode(),
    "items": json.dumps({"Items": talks(3)}).encode(),
    "a table": table(*([f"question {at}", f"answer {at}"] for at in range(3))),
    "a table with tabs": table(*([f"question {at}", f"answer {at}"] for at in range(3)), delimiter="\t", end="\n"),
    "a table with semicolons": table(*([f"question {at}", f"answer {at}"] for at in range(3)), delimiter=";"),
    "parquet": parquet([{"prompt": f"question {at}", "response": f"answer {at}"} for at in range(3)]),
    "parquet with lists": parquet(talks(3)),
}
EXPECTED = [[("user", f"question {at}"), ("assistant", f"answer {at}")] for at in range(3)]


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("key", ["a/b.jsonl", "a/b.csv", "a/b", "a/b.txt"])
def test_a_container_is_told_by_its_content_whatever_its_name(name, key):
    result = read(CONTAINERS[name], key)
    assert result.turns == EXPECTED
    assert result.excluded == []
    assert result.outcome == ("read", "")
    assert [record.source_record for record in result.records] == ["0", "1", "2"]


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("bite", [1, 7])
def test_where_the_network_cuts_the_bytes_changes_nothing(name, bite):
    assert read(CONTAINERS[name], bite=bite).items == read(CONTAINERS[name]).items


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_packed_objects_are_read_like_plain_ones(name, pack):
    assert read(pack(CONTAINERS[name])).items == read(CONTAINERS[name]).items


def test_members_of_gzip_and_frames_of_zstd_follow_one_another():
    one, two = (jsonl(talk) for talk in talks(2))
    assert read(gzip.compress(one) + gzip.compress(two)).turns == EXPECTED[:2]
    assert read(zstandard.compress(one) + zstandard.compress(two)).turns == EXPECTED[:2]


clean = st.characters(codec="utf-8", exclude_characters="\x00")
names = st.text(st.characters(codec="ascii", exclude_characters="\x00"), max_size=4)
nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(clean, max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=80)
@given(st.lists(nested, max_size=4), st.integers(1, 9), st.sampled_from([None, 1]), st.booleans())
def test_any_value_beside_the_messages_leaves_every_record_in_place(extras, bite, indent, ascii_only):
    values = [{"note": extra, **chatml(f"q{at}", 'a "\\" {[')} for at, extra in enumerate(extras)]
    body = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
    result = read(body, bite=bite)
    assert [turns[0] for turns in result.turns] == [("user", f"q{at}") for at in range(len(extras))]


def test_a_single_object_is_one_record():
    assert read(json.dumps(chatml(), indent=2)).turns == [PAIR]


def test_blank_lines_count_as_lines_and_hold_no_record():
    result = read(b"\n \n" + jsonl(chatml()) + b"\r\n\n" + jsonl(chatml()))
    assert [record.source_record for record in result.records] == ["2", "5"]


def test_a_separator_of_other_worlds_inside_a_text_is_no_line_end():
    odd = "a\u2028b\u2029c\u0085d"
    assert read(jsonl(chatml(odd), chatml(odd))).turns == [[("user", odd), PAIR[1]]] * 2


def test_a_quoted_cell_keeps_its_newlines_and_a_big_one_is_read():
    big = "word " * 60_000
    result = read(table(["two\nlines\r\nhere", 'say "no"'], [big, "yes"]))
    assert result.turns[0] == [("user", "two\nlines\r\nhere"), ("assistant", 'say "no"')]
    assert result.turns[1][0] == ("user", big)


BAD_LINES = {
    "invalid_json": b'{"messages": [}',
    "trailing_data": b'{"a": 1} {"b": 2}',
    "duplicate_key": b'{"messages": [], "x": {"a": 1, "a": 2}}',
    "lone_surrogate": b'{"messages": "\\ud83d"}',
    "nul": b'{"messages": "\\u0000"}',
    "not_finite": b'{"messages": NaN}',
    "number_too_long": b'{"messages": ' + b"1" * 5000 + b"}",
    "too_deep": b"[" * 1000 + b"]" * 1000,
    "invalid_utf8": b'{"messages": "\xff"}',
    "too_large": b'{"messages": "' + b"x" * 9_000_000 + b'"}',
}


@pytest.mark.parametrize("reason", BAD_LINES)
def test_a_bad_line_costs_itself_only(reason):
    result = read(jsonl(chatml()) + BAD_LINES[reason] + b"\n" + jsonl(chatml()))
    assert [record.source_record for record in result.records] == ["0", "2"]
    (bad,) = result.excluded
    assert (bad.source_record, bad.reason, bad.detail) == ("1", "bad_record", reason)
    assert bad.offset is not None
    assert bad.offset >= len(jsonl(chatml()))
    assert result.outcome == ("read", "")


def test_a_last_line_that_is_cut_is_a_bad_record():
    result = read(jsonl(chatml(), chatml())[:-9])
    assert (len(result.records), result.excluded[0].detail) == (1, "invalid_json")


def test_garbage_as_the_first_line_does_not_hide_what_follows():
    result = read(b"garbage\n" + jsonl(chatml(), chatml()))
    assert [record.source_record for record in result.records] == ["1", "2"]
    assert result.reasons == ["bad_record"]


@pytest.mark.parametrize("reason", ["duplicate_key", "lone_surrogate", "nul", "not_finite", "too_deep", "invalid_utf8"])
def test_a_spoilt_element_of_an_array_costs_itself_only(reason):
    one = json.dumps(chatml()).encode()
    result = read(b"[" + one + b"," + BAD_LINES[reason] + b"," + one + b"]")
    assert [record.source_record for record in result.records] == ["0", "2"]
    assert [(item.source_record, item.detail) for item in result.excluded] == [("1", reason)]


@pytest.mark.parametrize("shape", ["array", "wrapped", "lines"])
def test_an_element_over_the_limit_is_a_bad_record_and_is_passed(shape):
    values = [chatml(), chatml("x" * 3000), chatml()]
    bodies = {"array": json.dumps(values), "wrapped": json.dumps({"data": values}), "lines": jsonl(*values).decode()}
    body = bodies[shape]
    result = read(body, limits=SMALL, bite=64)
    assert [record.source_record for record in result.records] == ["0", "2"]
    assert [(item.source_record, item.detail) for item in result.excluded] == [("1", "too_large")]


def test_an_object_over_the_limit_gives_what_it_would_give_under_it():
    body = json.dumps(
        {"note": 1, "runs": {f"k{at}": [{"transcript": talk["messages"]}] for at, talk in enumerate(talks(40))}}
    )
    whole, entered = read(body), read(body, limits=SMALL, bite=100)
    assert len(body) > SMALL.record_bytes
    assert entered.items == whole.items
    assert whole.records[3].source_record == "0.1.3.0"


def test_a_conversation_over_the_limit_is_one_bad_record():
    turns = [{"role": "user", "content": "x" * 100}] * 50
    for body in (turns, {"messages": turns}, {"deep": {"transcript": turns}}):
        result = read(json.dumps(body), limits=SMALL)
        assert [item.detail for item in result.excluded] == ["too_large"]
        assert result.records == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"only one cell\r\n", "ragged_row"),
        (b"a,b,c\r\n", "ragged_row"),
        (b"a,\xff\r\n", "invalid_utf8"),
        (b"a,b\x00c\r\n", "nul"),
        (b'"a"b,c\r\n', "csv_quoting"),
        (b"a," + b"x" * 3000 + b"\r\n", "too_large"),
    ],
)
def test_a_bad_row_costs_itself_only(row, reason):
    body = table(["q", "a"]) + row + table(["q", "a"]).split(b"\r\n", 1)[1]
    result = read(body, limits=SMALL)
    assert [record.source_record for record in result.records] == ["0", "2"]
    assert [(item.source_record, item.detail) for item in result.excluded] == [("1", reason)]


def test_a_table_that_is_cut_inside_a_cell_says_so():
    result = read(table(["q", "a"]) + b'q,"never closed')
    assert (len(result.records), result.excluded[0].detail) == (1, "cut_record")


def test_a_notebook_of_odd_json_values_gives_no_record_twice():
    result = read(b'[1]\n{"data": [' + json.dumps(chatml()).encode() + b']}\n"text"\n' + json.dumps(chatml()).encode())
    ids = [item.source_record for item in result.items]
    assert len(ids) == len(set(ids))
    assert len(result.records) == 1 + 1
