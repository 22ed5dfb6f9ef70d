from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.build.text import normalise, words

pytestmark = pytest.mark.build


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I feel LOW", " i  feel\tlow\n"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("caf\u00e9", "cafe\u0301"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("soft\u00adhyphen", "softhyphen"),
        ("Straße", "STRASSE"),
        ("no\u00a0break", "no break"),
        ("来访者：\u3000你好", "来访者: 你好"),
    ],
)
def test_texts_that_read_the_same_have_one_normal_form(one, other):
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(("one", "other"), [("I feel low", "I feel slow"), ("a b", "ab"), ("résumé", "resume")])
def test_texts_that_read_differently_stay_apart(one, other):
    assert normalise(one) != normalise(other)


@given(st.text(st.characters(codec="ascii")))
def test_the_short_way_for_ascii_agrees_with_the_long_one(text):
    assert normalise(text) == normalise(text + "\u200b")


@given(st.text())
def test_a_normal_form_has_single_spaces_only(text):
    assert normalise(text) == " ".join(normalise(text).split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I feel low.", ["I", "feel", "low."]),
        ("我很难过", ["我", "很", "难", "过"]),
        ("用 Python 写", ["用", "Python", "写"]),
        ("用Python写3行", ["用", "Python", "写", "3", "行"]),
        ("ねるカナ", ["ね", "る", "カ", "ナ"]),
        ("ไทย", ["ไ", "ท", "ย"]),
        ("ລາວ", ["ລ", "າ", "ວ"]),
        ("ខ្មែ", ["ខ", "\u17d2", "ម", "ែ"]),
        ("မြန်", ["မ", "ြ", "န", "်"]),
        ("한국어 말", ["한국어", "말"]),
        ("  ", []),
        ("𠀀𠀁", ["𠀀", "𠀁"]),
    ],
)
def test_a_word_is_a_run_between_spaces_or_a_character_of_a_script_without_spaces(text, expected):
    assert words(text) == expected


@given(st.text())
def test_words_lose_nothing_but_white_space(text):
    assert "".join(words(text)) == "".join(text.split())
