from __future__ import annotations

import csv
import io

import pytest

from tests.build.reading import read

pytestmark = pytest.mark.build


def cells(*dialogues: str) -> bytes:
    out = io.StringIO()
    rows = [
        ["user 1 personas", "user 2 personas", "Best Generated Conversation"],
        *(["I run.\nI read.", "I cook.", d] for d in dialogues),
    ]
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def test_a_chinese_transcript_is_one_conversation():
    body = "来访者：你好，我很难过。\r\n\r\n心理咨询师：发生了什么？\r\n\r\n来访者：我不知道。\r\n"
    result = read(body.encode(), "a/case_1.txt")
    assert result.turns == [[("user", "你好，我很难过。"), ("assistant", "发生了什么？"), ("user", "我不知道。")]]
    assert result.records[0].source_record == "0"


def test_lines_without_a_mark_continue_the_turn_before_them():
    body = "Client: I tried\n- running\n- reading\n\n(a pause)\nTherapist: And?\nNote: breathe first.\n"
    assert read(body).turns == [
        [("user", "I tried\n- running\n- reading\n\n(a pause)"), ("assistant", "And?\nNote: breathe first.")]
    ]


def test_marks_may_be_dressed_as_list_items_or_in_bold():
    body = "* Client: one\n* * Therapist: two\n**Client:** three\n- **Therapist**: four\n> client : five\n"
    assert [text for _role, text in read(body).turns[0]] == ["one", "two", "three", "four", "five"]


def test_a_dialogue_in_a_cell_keeps_its_placeholders_and_its_later_lines():
    first = (
        "User 1: Hi, I'm [User 1's name].\nUser 2: Hi.\n[They walk on]\n"
        "User 1: My list:\nIngredients: salt\nUser 2: Bye."
    )
    result = read(cells(first, "User 1: a\nUser 2: b"))
    assert result.turns[0] == [
        ("user", "Hi, I'm [User 1's name]."),
        ("assistant", "Hi.\n[They walk on]"),
        ("user", "My list:\nIngredients: salt"),
        ("assistant", "Bye."),
    ]
    assert (len(result.records), result.verdict.personas) == (2, 4)


def test_a_dialogue_cell_that_names_no_speaker_or_is_empty_is_excluded_and_not_broken():
    result = read(cells("User 1: a\nUser 2: b", "Hi there.\n\nHello.", ""))
    assert [(item.reason, item.source_record) for item in result.excluded] == [
        ("unmapped_role", "1"),
        ("no_user_turn", "2"),
    ]


def test_a_text_before_the_first_mark_is_not_lost():
    assert read("[The next day]\nClient: a\nTherapist: b\n").turns == [
        [("user", "[The next day]\na"), ("assistant", "b")]
    ]


def test_a_speaker_nobody_mapped_excludes_the_conversation():
    known = "Client: a\nTherapist: b\n"
    for body, detail in (
        (known + "Narrator: c\n", "narrator"),
        (known + "Zoe: c\n" * 3, ""),
        ("Zoe: a\nMax: b\n" * 3, ""),
    ):
        result = read(body)
        assert [(item.reason, item.detail) for item in result.excluded] == [("unmapped_role", detail)]


def test_marks_are_found_inside_a_line_only_where_the_text_begins_with_one():
    assert len(read('{"text": "human: a gpt: b human: c"}').turns[0]) == 3
    assert read('{"text": "as the human: said"}').records == []


def test_rendered_text_is_read_block_by_block_and_a_system_block_opens_the_next_conversation():
    blocks = (("system", "Be kind"), ("user", "a: b\n"), ("assistant", "c"))
    block = "".join(f"<|im_start|>{role}\n{said}<|im_end|>\n" for role, said in blocks)
    result = read(block * 2)
    assert result.turns == [[("system", "Be kind"), ("user", "a: b"), ("assistant", "c")]] * 2
    assert [record.source_record for record in result.records] == ["0.0", "0.1"]


def test_rendered_text_that_is_broken_is_a_bad_record():
    assert read("<|im_start|>user<|im_start|>assistant\nc<|im_end|>").reasons == ["bad_record"]
