from __future__ import annotations

import json
from typing import Any

import pytest

from mhds.errors import InvalidInput
from releases.build.reader import Join, load_join
from releases.build.roles import RoleMap, nameable
from releases.build.shapes import SHAPES
from releases.build.types import Message
from tests.build.reading import PAIR, ROLES, Bites, chatml, jsonl, read

pytestmark = pytest.mark.build

USER, ASSISTANT = PAIR[0][1], PAIR[1][1]

SHAPED: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("chatml", chatml(), PAIR),
    (
        "chatml",
        {"messages": [{"role": "system", "content": "Be kind"}, *chatml()["messages"]]},
        [("system", "Be kind"), *PAIR],
    ),
    (
        "chatml",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": USER}]}, chatml()["messages"][1]]},
        PAIR,
    ),
    (
        "conversation",
        {"conversation": [{"role": "client", "content": USER}, {"role": "therapist", "content": ASSISTANT}]},
        PAIR,
    ),
    ("sharegpt", {"conversations": [{"from": "human", "value": USER}, {"from": "gpt", "value": ASSISTANT}]}, PAIR),
    (
        "sharegpt",
        {"system": "Be kind", "conversations": [{"from": "human", "value": USER}, {"from": "gpt", "value": ASSISTANT}]},
        [("system", "Be kind"), *PAIR],
    ),
    ("alpaca", {"instruction": USER, "input": "", "output": ASSISTANT}, PAIR),
    (
        "alpaca",
        {"instruction": "Answer:", "input": USER, "response": ASSISTANT},
        [("user", f"Answer:\n\n{USER}"), PAIR[1]],
    ),
    ("dolly", {"instruction": USER, "context": "", "response": ASSISTANT}, PAIR),
    (
        "dolly",
        {"instruction": USER, "context": "I work nights", "response": ASSISTANT},
        [("user", f"{USER}\n\nI work nights"), PAIR[1]],
    ),
    ("prompt/response", {"prompt": USER, "response": ASSISTANT, "system": "Be kind"}, [("system", "Be kind"), *PAIR]),
    (
        "prompt/response",
        {"prompt": USER, "response": ASSISTANT, "history": [["Hi", "Hello"]]},
        [("user", "Hi"), ("assistant", "Hello"), *PAIR],
    ),
    ("prompt/completion", {"prompt": USER, "completion": ASSISTANT, "label": "safe"}, PAIR),
    (
        "prompt/completion",
        {"prompt": [{"role": "user", "content": USER}], "completion": [{"role": "assistant", "content": ASSISTANT}]},
        PAIR,
    ),
    ("input/output", {"input": USER, "output": ASSISTANT}, PAIR),
    ("question/answer", {"Question": USER, "Answer": ASSISTANT}, PAIR),
    ("context/response", {"Context": USER, "Response": ASSISTANT}, PAIR),
    (
        "counsel_chat",
        {"questionTitle": "Sleep", "questionText": USER, "answerText": ASSISTANT},
        [("user", f"Sleep\n\n{USER}"), PAIR[1]],
    ),
    ("counsel_chat", {"questionTitle": USER, "questionText": USER, "answerText": ASSISTANT, "upvotes": 1}, PAIR),
    (
        "reasoning",
        {"question": USER, "reasoning": "He is tired.", "answer": ASSISTANT},
        [PAIR[0], ("assistant", f"He is tired.\n\n{ASSISTANT}")],
    ),
    (
        "reasoning",
        {"Question": USER, "Complex_CoT": "He is tired.", "Response": ASSISTANT},
        [PAIR[0], ("assistant", f"He is tired.\n\n{ASSISTANT}")],
    ),
    (
        "reasoning",
        {"prompt": USER, "reasoning_steps": ["One.", "Two."], "response": ASSISTANT},
        [PAIR[0], ("assistant", f"One.\nTwo.\n\n{ASSISTANT}")],
    ),
    (
        "reasoning",
        {"prompt": USER, "reasoning_steps": [{"step": 1, "thought": "One."}], "answer": ASSISTANT},
        [PAIR[0], ("assistant", f"One.\n\n{ASSISTANT}")],
    ),
    (
        "dialog",
        {"dialog": [{"speaker": "seeker", "content": USER}, {"speaker": "therapist", "content": ASSISTANT}]},
        PAIR,
    ),
    ("dialog", {"dialog": [{"speaker": "seeker", "text": USER}, {"speaker": "therapist", "text": ASSISTANT}]}, PAIR),
    (
        "dialog",
        {"dialogue": [{"speaker": "seeker", "utterance": USER}, {"speaker": "therapist", "utterance": ASSISTANT}]},
        PAIR,
    ),
    (
        "exchange_list",
        {"persona": ["I work nights"], "dialogue": [[USER, ASSISTANT], ["ok", "good"]]},
        [*PAIR, ("user", "ok"), ("assistant", "good")],
    ),
    ("marked_text", {"text": f"human: {USER}\ngpt: {ASSISTANT}"}, PAIR),
    ("marked_text", {"text": f"human: {USER} gpt: {ASSISTANT}"}, PAIR),
    (
        "marked_text",
        {"text": f"<|im_start|>user\n{USER}<|im_end|>\n<|im_start|>assistant\n{ASSISTANT}<|im_end|>\n"},
        PAIR,
    ),
    ("transcript", {"run": 1, "transcript": chatml()["messages"], "prompts": ["x"]}, PAIR),
]


@pytest.mark.parametrize(("shape", "value", "expected"), SHAPED, ids=[f"{at}-{s[0]}" for at, s in enumerate(SHAPED)])
def test_a_shape_is_recognised_as_a_line_an_element_and_a_single_object(shape, value, expected):
    for body in (jsonl(value), jsonl(value, value), json.dumps([value, value]), json.dumps(value, indent=1)):
        result = read(body)
        assert result.turns[0] == expected
        assert result.verdict.shape == shape
        assert result.excluded == []


@pytest.mark.parametrize(("shape", "value", "expected"), SHAPED, ids=[f"{at}-{s[0]}" for at, s in enumerate(SHAPED)])
def test_names_of_fields_may_be_written_in_any_case(shape, value, expected):
    if shape != "marked_text":
        assert read(jsonl({name.upper(): item for name, item in value.items()})).turns == [expected]


def test_every_registered_shape_has_a_name_of_its_own():
    assert len({shape.name for shape in SHAPES}) == len(SHAPES)


def test_a_file_that_is_a_list_of_turns_is_one_conversation():
    turns = [
        {"role": "client", "content": USER, "annotation": [{"sentence": USER, "label": ""}]},
        {"role": "counselor", "content": ASSISTANT},
    ]
    for body in (
        json.dumps(turns),
        json.dumps(turns, indent=2),
        jsonl(turns),
        jsonl(*turns),
        json.dumps({"data": turns}),
    ):
        result = read(body)
        assert (result.turns, result.excluded) == ([PAIR], [])
        assert result.records[0].source_record == "0"


def test_a_list_of_lists_of_turns_is_one_conversation_each():
    body = json.dumps([chatml()["messages"]] * 3)
    assert [record.source_record for record in read(body).records] == ["0", "1", "2"]


def test_transcripts_anywhere_below_an_object_are_found_and_numbered_by_their_place():
    run = {
        "prompt_id": "a",
        "category": "c",
        "prompts": ["x"],
        "transcript": chatml()["messages"],
        "judge": {"score": 1},
    }
    body = {"1": {"eval.json": {"td05": [run], "ec05": [run, run]}, "__meta__": {"n": 3}}, "scoring": [{"model": "m"}]}
    result = read(json.dumps(body))
    assert [record.source_record for record in result.records] == ["0.0.0.0.0", "0.0.0.1.0", "0.0.0.1.1"]
    assert result.excluded == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"prompt": USER}, "prompts_only"),
        ({"prompt_id": "a", "prompts": [USER, "and then"]}, "prompts_only"),
        ({"id": 1, "question": USER, "label": "safe"}, "prompts_only"),
        ({"question_id": 1, "turns": [USER], "category": "generic"}, "prompts_only"),
        ({"prompt": USER, "chosen": "a", "rejected": "b"}, "preference_pair"),
        ({"chosen": chatml()["messages"], "rejected": chatml()["messages"]}, "preference_pair"),
        ({"prompt": USER, "response": ""}, "no_assistant_turn"),
        ({"prompt": USER, "response": None}, "no_assistant_turn"),
        ({"prompt": " ", "response": ASSISTANT}, "no_user_turn"),
        ({"question": USER, "reasoning": "He is tired.", "answer": ""}, "no_assistant_turn"),
        ({"messages": [{"role": "user", "content": USER}]}, "no_assistant_turn"),
        ({"messages": [{"role": "assistant", "content": ASSISTANT}]}, "no_user_turn"),
        ({"messages": [*chatml()["messages"], {"role": "stranger", "content": "x"}]}, "unmapped_role"),
        ({"dialog": ["Hi", "Hello"]}, "unmapped_role"),
        ({"dialogue": "Hi! How are you? Fine."}, "unmapped_role"),
        ({"question_id": 1, "answer_id": "a", "choices": [{"index": 0, "turns": [ASSISTANT]}]}, "no_user_turn"),
    ],
)
def test_a_record_that_cannot_ship_is_excluded_with_its_reason(value, reason):
    result = read(jsonl(value, value))
    assert result.reasons == [reason, reason]
    assert [item.source_record for item in result.items] == ["0", "1"]
    assert result.outcome == ("read", "")


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ({"messages": []}, "empty"),
        ({"messages": [{"role": "user", "content": " \u200b"}, {"role": "assistant", "content": ""}]}, "empty"),
        ({"prompt": "", "response": ""}, "empty"),
        ({"messages": {"role": "user"}}, "wrong_type"),
        ({"messages": ["hello"]}, "wrong_type"),
        ({"messages": [{"role": "user", "content": 5}]}, "wrong_type"),
        ({"messages": [{"content": "who?"}]}, "wrong_type"),
        ({"prompt": USER, "response": 5}, "wrong_type"),
        ({"dialogue": [["a", "b", "c"]]}, "wrong_type"),
        ({"something": "else"}, "unknown_shape"),
        (["a", "b"], "unknown_shape"),
    ],
)
def test_a_broken_record_among_good_ones_is_a_bad_record(value, detail):
    for values in ((value, chatml(), value), (chatml(), value, value)):
        result = read(jsonl(*values))
        assert [item.reason for item in result.excluded] == ["bad_record"] * 2
        assert [item.detail for item in result.excluded] == [detail] * 2
        assert sorted(item.source_record for item in result.items) == ["0", "1", "2"]


def test_values_that_are_no_objects_are_bad_records_among_conversations():
    result = read(json.dumps([7, chatml(), None, "text"]))
    assert [(item.source_record, item.detail) for item in result.excluded] == [
        (at, "unknown_shape") for at in ("0", "2", "3")
    ]


def test_turns_without_text_are_dropped_and_all_others_stay_as_they_are():
    turns = [("user", "  a "), ("user", "b"), ("assistant", ""), ("assistant", " c"), ("user", None), ("nobody", "")]
    body = jsonl({"messages": [{"role": role, "content": content} for role, content in turns]})
    assert read(body).turns == [[("user", "  a "), ("user", "b"), ("assistant", " c")]]


def test_fields_that_are_not_used_are_counted_by_name_and_odd_names_are_pooled():
    record = {**chatml(), "label": 1, "Tag Name": "x", "A whole sentence, that is: text!": 1}
    assert read(jsonl(record, record)).verdict.ignored_fields == {"(other)": 2, "Tag Name": 2, "label": 2}


def test_personas_beside_dialogues_are_counted_and_profiles_are_no_conversations():
    dialogue = {
        "user 1 personas": "I run.",
        "user 2 personas": "I read.",
        "conversation": f"User 1: {USER}\nUser 2: {ASSISTANT}",
    }
    assert read(jsonl(dialogue, dialogue)).verdict.personas == 4
    profile = {"name": "Calm", "personality": {"warmth": 5}, "speaking_style": "slow"}
    verdict = read(jsonl(profile, profile)).verdict
    assert (verdict.status, verdict.reason, verdict.personas) == ("not_conversation", "persona_profile", 2)


ANSWER = {"question_id": 1, "answer_id": "a", "model_id": "m", "choices": [{"index": 0, "turns": [ASSISTANT]}]}
QUESTIONS = Join("question_id", {"1": (Message("user", USER),), "2": (Message("user", "a"), Message("user", "c"))})


def test_answers_are_joined_with_the_questions_of_another_object():
    result = read(jsonl(ANSWER, {**ANSWER, "question_id": 9}), join=QUESTIONS)
    assert (result.turns, result.reasons) == ([PAIR], ["no_user_turn"])
    assert result.records[0].source_record == "0"


def test_several_choices_are_several_records_and_several_turns_alternate():
    answer = {**ANSWER, "question_id": 2, "choices": [{"turns": ["b", "d"]}, {"turns": ["B"]}]}
    result = read(jsonl(answer), join=QUESTIONS)
    assert result.turns[0] == [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]
    assert [record.source_record for record in result.records] == ["0.0", "0.1"]


def test_answers_may_hold_their_turns_or_their_text_themselves_and_questions_stay_questions():
    by_turns = {"question_id": 1, "model_id": "m", "turns": [ASSISTANT]}
    by_text = {"question_id": 1, "answer_id": "m", "text": ASSISTANT}
    question = {"question_id": 1, "turns": [USER]}
    result = read(jsonl(by_turns, by_text, question), join=QUESTIONS)
    assert (result.turns, result.reasons) == ([PAIR, PAIR], ["prompts_only"])


def test_questions_are_loaded_by_the_field_that_the_catalog_names():
    body = jsonl({"question_id": 1, "turns": ["a", "b"]}, {"question_id": "2", "question": "c"}, {"other": 1})
    loaded = load_join(lambda: Bites(body, 9), "question_id")  # type: ignore[arg-type,return-value]
    assert loaded == {"1": (Message("user", "a"), Message("user", "b")), "2": (Message("user", "c"),)}


def test_two_questions_of_one_id_are_no_join():
    body = jsonl({"question_id": 1, "turns": ["a"]}, {"question_id": "1", "turns": ["b"]})
    with pytest.raises(InvalidInput):
        load_join(lambda: Bites(body, 9), "question_id")  # type: ignore[arg-type,return-value]


def test_only_the_three_roles_are_built_in():
    bare = RoleMap({})
    assert [bare.role(word) for word in ("User", " ASSISTANT", "system", "human", "gpt")] == [
        "user",
        "assistant",
        "system",
        None,
        None,
    ]
    assert read(jsonl({"conversations": [{"from": "human", "value": "x"}]}), roles=bare).excluded[0].detail == "human"


def test_a_role_table_that_contradicts_itself_is_refused():
    for table in ({"Client": "user", "client": "assistant"}, {"user": "assistant"}, {"client": "patient"}):
        with pytest.raises(InvalidInput):
            RoleMap(table)


@pytest.mark.parametrize("word", ["narrator", "Speaker 3", "agent_2", "旁白"])
def test_a_role_word_may_be_named(word):
    assert nameable(word) == word.lower()


@pytest.mark.parametrize("word", ["Maria", "Dr. Smith", "john", "my mother in law", "a" * 30])
def test_a_word_that_may_be_a_name_is_not(word):
    assert nameable(word) == ""
    assert ROLES.role(word) is None
