from __future__ import annotations

import csv
import io
import json
import random

import pytest

from releases.build.outcome import Limits
from tests.build.reading import jsonl, read

pytestmark = pytest.mark.build

COLUMNS = ["conversation_id", "turn", "speaker", "utterance", "emotion"]
SPEAKERS = ("client", "therapist")


def rows(conversations: int = 3, turns: int = 4) -> list[list[str]]:
    return [[f"c{c}", str(t), SPEAKERS[t % 2], f"{c}.{t}", "sad"] for c in range(conversations) for t in range(turns)]


def table(body: list[list[str]], columns: list[str] = COLUMNS) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([columns, *body])
    return out.getvalue().encode()


EXPECTED = [[(("user", "assistant")[t % 2], f"{c}.{t}") for t in range(4)] for c in range(3)]


def test_rows_of_utterances_are_grouped_by_their_conversation():
    result = read(table(rows()))
    assert (result.turns, result.excluded) == (EXPECTED, [])
    assert [record.source_record for record in result.records] == ["0", "4", "8"]
    assert result.verdict.shape == "utterances"
    assert result.verdict.ignored_fields == {"emotion": 12}


def test_the_same_rows_as_json_give_the_same_conversations():
    values = [dict(zip(COLUMNS, row, strict=True)) for row in rows()]
    for body in (jsonl(*values), json.dumps(values), json.dumps({"data": values})):
        assert read(body).turns == EXPECTED


def test_scattered_rows_are_gathered_and_put_in_the_order_of_their_turns():
    mixed = rows()
    random.Random(7).shuffle(mixed)
    assert sorted(read(table(mixed)).turns) == EXPECTED


def test_rows_without_turn_numbers_stay_in_the_order_of_the_source():
    bare = [[row[0], row[2], row[3]] for row in rows()]
    assert read(table(bare, ["dialog_id", "role", "text"])).turns == EXPECTED


def test_rows_without_a_conversation_are_one_conversation():
    bare = [[row[2], row[3]] for row in rows(1)]
    result = read(table(bare, ["speaker", "text"]))
    assert (result.turns, result.records[0].source_record) == (EXPECTED[:1], "0")


def test_a_situation_beside_the_utterance_is_no_prompt():
    wide = [[*row, "I lost my keys", "guilt"] for row in rows()]
    assert read(table(wide, [*COLUMNS, "prompt", "context"])).turns == EXPECTED


def test_conversations_are_given_out_when_memory_runs_short_and_contiguous_rows_lose_nothing():
    many = rows(200)
    small, large = read(table(many), limits=Limits(group_bytes=1000)), read(table(many))
    assert small.items == large.items
    assert len(small.records) == 200


def test_a_row_of_a_conversation_that_was_given_out_refuses_the_object():
    many = [*rows(200), ["c0", "9", "client", "late", "sad"]]
    assert read(table(many), limits=Limits(group_bytes=1000)).outcome == ("refused", "scattered_rows")
    assert len(read(table(many)).turns[0]) == 5


def test_a_conversation_of_rows_over_the_limit_is_one_bad_record():
    result = read(table(rows(2, 100)), limits=Limits(record_bytes=2000))
    assert [(item.source_record, item.detail) for item in result.excluded] == [("0", "too_large"), ("100", "too_large")]


def test_speakers_by_number_need_a_mapping_like_all_others():
    numbered = [[row[0], row[1], str(int(row[1]) % 2), row[3], ""] for row in rows()]
    assert read(table(numbered)).reasons == ["unmapped_role"] * 3
