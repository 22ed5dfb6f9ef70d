"""Tags of risk and topic: whole words, any ending where the list says so, both languages, and counts for redaction."""

from __future__ import annotations

import tomllib

import pytest

from gates.scan.tags import DATA, LANGUAGES, crisis_terms, tags, tags_version
from tests.gates.detecting import conversation

pytestmark = pytest.mark.gates

CRISIS = {"crisis_self_harm", "crisis_suicide"}
EXPECTED = {"abuse", "eating_disorder", "medication", "minor", "psychosis", "substance", "violence", *CRISIS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_lists_every_tag_with_its_source(language: str) -> None:
    text = (DATA / f"tags_{language}.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    assert {tag["id"] for tag in document["tag"]} == EXPECTED
    assert text.startswith("#")
    assert all(tag["terms"] for tag in document["tag"])
    assert {tag["id"] for tag in document["tag"] if tag["crisis"]} == CRISIS


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("I want to die", "crisis_suicide"),
        ("I don’t want to live", "crisis_suicide"),
        ("feeling SUICIDAL again", "crisis_suicide"),
        ("I keep cutting myself", "crisis_self_harm"),
        ("he is abusive", "abuse"),
        ("hearing   voices", "psychosis"),
        ("I'm 15 and scared", "minor"),
        ("on sertraline since May", "medication"),
        ("I make myself throw up", "eating_disorder"),
        ("clean from heroin", "substance"),
        ("I will kill him", "violence"),
    ],
)
def test_a_term_gives_its_tag(text: str, tag: str) -> None:
    assert tag in tags(conversation("hello", text), "en")


@pytest.mark.parametrize(
    ("text", "tag"),
    [("我不想活了", "crisis_suicide"), ("我又割自己了", "crisis_self_harm"), ("吃药以后好些", "medication")],
)
def test_a_chinese_term_gives_its_tag(text: str, tag: str) -> None:
    assert tag in tags(conversation(text), "zh")


@pytest.mark.parametrize(
    "text", ["the methodology of gunther", "I'm 157 cm tall", "an addictive... no, additive colour", "skill himself"]
)
def test_a_part_of_a_word_is_no_term(text: str) -> None:
    assert tags(conversation(text), "en") == ()


def test_tags_are_sorted_and_unique() -> None:
    found = tags(conversation("suicide, heroin, suicide", "I want to die"), "en")
    assert found == tuple(sorted(set(found))) == ("crisis_suicide", "substance")


def test_crisis_terms_are_counted_once_each_over_all_turns() -> None:
    assert crisis_terms(conversation("I want to die. kill myself", "you want to die?"), "en") == 3
    assert crisis_terms(conversation("heroin and a gun"), "en") == 0
    assert crisis_terms(conversation("我想死，不想活了"), "zh") == 2


def test_a_language_without_lists_has_no_tags() -> None:
    assert tags(conversation("suicide"), "fr") == ()
    assert crisis_terms(conversation("suicide"), "fr") == 0


def test_the_version_is_a_digest_of_the_lists() -> None:
    assert len(tags_version()) == 16
    assert tags_version() == tags_version()
