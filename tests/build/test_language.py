from __future__ import annotations

import pytest

from releases.build.language import LOOKED_AT, Py3LangidDetector
from releases.build.types import LanguageDetector, Message

pytestmark = pytest.mark.build


@pytest.fixture(scope="module")
def detector() -> LanguageDetector:
    return Py3LangidDetector()


def talk(*texts: str) -> tuple[Message, ...]:
    return tuple(Message(("user", "assistant")[at % 2], text) for at, text in enumerate(texts))


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("en", ("I cannot sleep at night and I worry about everything.", "How long has this been going on?")),
        ("en", ("I feel so low today", "I am sorry to hear that.")),
        ("zh", ("我很难过。", "发生了什么？")),
        ("zh", ("我用Python写了一个程序，可是我还是很焦虑。", "你愿意说说吗？")),
        ("ja", ("最近よく眠れません。どうすればいいですか。", "いつからですか。")),
        ("ko", ("요즘 잠을 잘 수가 없어요.", "언제부터 그랬나요?")),
        ("es", ("No puedo dormir por las noches y me preocupo por todo.", "¿Desde cuándo le pasa esto?")),
        ("de", ("Ich kann nachts nicht schlafen und mache mir um alles Sorgen.", "Seit wann geht das so?")),
        ("fr", ("Je n'arrive pas à dormir la nuit et je m'inquiète pour tout.", "Depuis combien de temps ?")),
        ("ru", ("Я не могу спать по ночам и обо всём беспокоюсь.", "Как давно это началось?")),
    ],
)
def test_a_language_is_recognised_whether_a_catalog_lists_it_or_not(detector, code, texts):
    found, confidence = detector.detect(talk(*texts))
    assert found == code
    assert 5000 <= confidence <= 10_000


@pytest.mark.parametrize("text", ["", "ok", "12345 67890 !!!", "hm hm", "https://example.org/une/page/en/francais"])
def test_what_says_nothing_about_its_language_is_undetermined(detector, text):
    assert detector.detect(talk(text)) == ("und", 0)


def test_short_english_turns_never_become_another_language(detector):
    short = [
        "Hi there!",
        "Ok, thanks.",
        "No idea, sorry.",
        "Yes I do",
        "Me too!",
        "Sounds good.",
        "Tell me more",
        "I see.",
    ]
    codes = {detector.detect(talk(one, other))[0] for one in short for other in short}
    assert codes <= {"en", "und"}


def test_the_system_text_and_what_lies_beyond_the_bound_are_not_looked_at(detector):
    english = talk("I cannot sleep at night and I worry. " * 80, "我" * 5000)
    assert len(english[0].content) > LOOKED_AT
    assert detector.detect(english)[0] == "en"
    assert (
        detector.detect((Message("system", "Eres un terapeuta amable y paciente."), *talk("我很难过", "为什么")))[0]
        == "zh"
    )


def test_the_answer_is_the_same_every_time_and_the_version_names_the_model_and_the_bounds(detector):
    said = talk("I cannot sleep at night.", "Since when?")
    assert detector.detect(said) == Py3LangidDetector().detect(said)
    assert detector.name == "py3langid"
    assert detector.version.startswith("0.4.0+")
