"""Redaction: stable placeholders, nothing found twice, meaning kept, and every doubt sent to review."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gates.scan.detectors import default_detector
from gates.scan.redact import PLACEHOLDER, PlaceholderRedactor
from gates.scan.types import Span
from mhds.errors import DetectorFailed, InvalidInput
from releases.build.types import Messages, PiiStatus, Redaction
from tests.gates.detecting import THRESHOLD_BP, conversation

pytestmark = pytest.mark.gates


@cache
def redactor() -> PlaceholderRedactor:
    return PlaceholderRedactor(default_detector(), THRESHOLD_BP)


def redact(*texts: str, language: str = "en") -> Redaction:
    return redactor().redact(conversation(*texts), language)


def contents(result: Redaction) -> list[str]:
    return [message.content for message in result.messages]


class Scripted:
    """A detector that answers from a script: the real one cannot be made to fail on demand."""

    name = "scripted"
    version = "1"
    languages: frozenset[str] = frozenset({"en"})

    def __init__(self, *answers: Sequence[Span] | DetectorFailed) -> None:
        self.answers = list(answers)

    def detect(self, messages: Messages, language: str) -> Sequence[Span]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, DetectorFailed):
            raise answer
        return answer


def span(entity: str, start: int, end: int, *, turn: int = 0, score: int = 9000) -> Span:
    return Span(entity, "Scripted", score, turn, start, end, "raw")


def test_one_value_has_one_placeholder_however_it_is_written() -> None:
    result = redact("call 415-555-0132", "is it (415) 555-0132?", "yes, ４１５-５５５-０１３２, or 415-555-0199")
    assert contents(result) == ["call [PHONE_1]", "is it [PHONE_1]?", "yes, [PHONE_1], or [PHONE_2]"]
    assert result.pii_status is PiiStatus.SCRUBBED
    assert result.replaced == {"PHONE_NUMBER": 4}


def test_a_name_said_with_a_cue_is_redacted_wherever_it_is_repeated() -> None:
    result = redact("hi, my name is Dana Reed", "Hello Dana. Is Ms. Reed ok, or Danatown?", "dana is fine")
    assert contents(result)[:2] == ["hi, my name is [PERSON_1]", "Hello [PERSON_1]. Is Ms. [PERSON_1] ok, or Danatown?"]


def test_a_name_that_is_an_everyday_word_is_not_redacted_elsewhere() -> None:
    result = redact("my name is Hope", "I Hope so. Hope is all.")
    assert contents(result) == ["my name is [PERSON_1]", "I Hope so. Hope is all."]


def test_chinese_names_and_numbers_are_redacted() -> None:
    result = redact("我叫王小明，电话13812345678", "王小明你好，想死的念头有吗？", language="zh")
    assert contents(result) == ["我叫[PERSON_1]，电话[PHONE_1]", "[PERSON_1]你好，想死的念头有吗？"]
    assert (result.crisis_terms_before, result.crisis_terms_after) == (1, 1)


def test_crisis_language_and_clinical_numbers_survive() -> None:
    text = "I am 45, took 20 pills at 10:30, I want to die. I called 988 and 1-800-273-8255. F32.1"
    result = redact(text)
    assert contents(result) == [text]
    assert result.pii_status is PiiStatus.NONE_DETECTED
    assert result.crisis_terms_before == result.crisis_terms_after == 1


def test_it_counts_characters_before_and_after() -> None:
    result = redact("mail jo.doe@example.com", "ok")
    assert (result.chars_before, result.chars_after) == (25, len("mail [EMAIL_1]") + 2)


def test_roles_and_turns_stay_as_they_are() -> None:
    messages = conversation("mail jo.doe@example.com", "", "bye")
    result = redactor().redact(messages, "en")
    assert [m.role for m in result.messages] == [m.role for m in messages]


def test_overlapping_spans_become_one_placeholder_of_the_longest() -> None:
    detector = Scripted([span("URL", 5, 9), span("EMAIL_ADDRESS", 0, 9), span("PHONE_NUMBER", 8, 12)], [])
    result = PlaceholderRedactor(detector, 4000).redact(conversation("abcdefghijklmnop"), "en")
    assert contents(result) == ["[EMAIL_1]mnop"]
    assert result.replaced == {"EMAIL_ADDRESS": 1}


def test_findings_under_the_threshold_are_left() -> None:
    detector = Scripted([span("URL", 0, 4, score=3999)])
    result = PlaceholderRedactor(detector, 4000).redact(conversation("abcdef"), "en")
    assert contents(result) == ["abcdef"]
    assert result.pii_status is PiiStatus.NONE_DETECTED


FAILURES = {
    "the scan fails": Scripted(DetectorFailed("out of time")),
    "the second look fails": Scripted([span("URL", 0, 2)], DetectorFailed("out of time")),
    "a finding lies in no message": Scripted([span("PHONE_NUMBER", 0, 0, turn=-1)], []),
    "findings do not cease": Scripted([span("URL", 0, 3)]),
}


@pytest.mark.parametrize("why", sorted(FAILURES))
def test_doubt_requires_review_and_leaves_the_text_alone(why: str) -> None:
    messages = conversation("some text")
    result = PlaceholderRedactor(FAILURES[why], 4000).redact(messages, "en")
    assert result.pii_status is PiiStatus.REQUIRES_REVIEW
    assert result.messages == messages


def test_a_placeholder_that_the_text_already_holds_requires_review() -> None:
    assert redact("[PHONE_1] or 415-555-0132").pii_status is PiiStatus.REQUIRES_REVIEW
    assert redact("[EMAIL_1] or 415-555-0132").pii_status is PiiStatus.SCRUBBED


def test_a_language_without_recognisers_requires_review() -> None:
    assert redact("bonjour", language="fr").pii_status is PiiStatus.REQUIRES_REVIEW


@pytest.mark.parametrize("threshold", [0, -1, 10_001])
def test_a_threshold_outside_the_scale_is_refused(threshold: int) -> None:
    with pytest.raises(InvalidInput):
        PlaceholderRedactor(default_detector(), threshold)


def test_the_version_follows_the_threshold() -> None:
    assert PlaceholderRedactor(default_detector(), 5000).version != redactor().version


def test_a_number_split_over_turns_is_cut_from_both() -> None:
    result = redact("my number is 415 555", "go on", "0132 it is")
    assert contents(result) == ["my number is [PHONE_1]", "go on", "[PHONE_2] it is"]


PIECES = st.sampled_from(
    [
        "my name is Dana Reed",
        "Dr. Reed",
        "415-555-0132",
        "４１５-５５５-０１３２",
        "jo@example.com",
        "https://a.org/x?y=1",
        "42 Wallaby Way",
        "born on May 3, 1990",
        "ssn 219-09-9999",
        "MRN: 00123456",
        "I want to die",
        "20 pills",
        "tired.It",
        " ",
        ", ",
        "\n",
        "-",
        "call me",
        "Y2FsbCA0MTUtNTU1LTAxMzI=",
        "4&#49;5-555-0132",
        "name is",
        "is",
        "[",
        "]",
        "192.0.2.1",
        "IL 62704",
        "4111 1111 1111 1111",
        "415 555",
        "0132",
        "john@",
        "gmail.com",
        "password: abc123",
        "insta @jo_doe",
    ]
)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=5).map(" ".join), min_size=1, max_size=4))
def test_redacting_redacted_text_changes_nothing(texts: list[str]) -> None:
    first = redactor().redact(conversation(*texts), "en")
    if first.pii_status is PiiStatus.REQUIRES_REVIEW:
        return
    again = redactor().redact(first.messages, "en")
    assert again.messages == first.messages
    assert again.pii_status is PiiStatus.NONE_DETECTED
    assert [s for s in default_detector().detect(first.messages, "en") if s.score_bp >= THRESHOLD_BP] == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "PHONE",
                "EMAIL",
                "PERSON",
                "ADDRESS",
                "DATE",
                "ID",
                "MRN",
                "HANDLE",
                "URL",
                "IP",
                "SECRET",
                "ACCOUNT",
                "CARD",
                "AGE",
            ]
        ),
        min_size=1,
        max_size=5,
    )
)
def test_placeholders_are_never_identifiers(labels: list[str]) -> None:
    text = " ".join(f"my name is [{label}_{number}], call [{label}_{number}]" for number, label in enumerate(labels, 1))
    assert PLACEHOLDER.search(text)
    for language in ("en", "zh"):
        spans = default_detector().detect(conversation(text, f"我叫[{labels[0]}_1]，电话[{labels[0]}_1]"), language)
        assert [s for s in spans if s.score_bp >= THRESHOLD_BP] == []
