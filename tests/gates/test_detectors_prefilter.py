"""The prefilter never loses what a pattern could match: widening, canaries, and equality with Presidio itself."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import re2
import regex
import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine

from gates.scan.detectors import stock
from gates.scan.detectors.context import ContextBooster
from gates.scan.detectors.engine import Engine
from gates.scan.detectors.overapprox import overapproximate
from gates.scan.detectors.prefilter import Gate, Prefilter
from mhds.errors import ConfigurationError

pytestmark = pytest.mark.gates

Found = list[tuple[str, int, int, float]]


def every_character() -> Iterator[str]:
    return (chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)


@pytest.mark.parametrize("shorthand", [r"\d", r"\w", r"\s", r"[\d]", r"[^\w]", r"[^\s()]", r"\W", r"\S"])
def test_a_widened_shorthand_takes_every_character_that_the_original_takes(shorthand: str) -> None:
    narrow = regex.compile(shorthand, regex.IGNORECASE)
    wide = re2.compile(overapproximate(shorthand))
    text = "".join(char for char in every_character() if narrow.match(char))
    assert re2.compile(f"(?s)^(?:{overapproximate(shorthand)})*$").match(text), shorthand
    assert wide.search(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(?<![A-Z])ab(?!c)", "ab"),
        (r"\bab\b", "ab"),
        (r"^ab$", "ab"),
        (r"(a)b\1", "aba"),
        (r"(?P<v>a+)+b", "aab"),
        (r"(?>a+)b", "aab"),
        (r"a++b", "aab"),
        (r"a\+b", "a+b"),
        (r"[^\s]x", "\x1cx"),
        (r"[]a]b", "]b"),
        (r"[[a]b", "[b"),
        (r"\u2019s", "\u2019s"),
        (r"(?=x)[^\]]y", "xy"),
    ],
)
def test_a_widened_pattern_matches_where_the_original_matches(pattern: str, text: str) -> None:
    assert regex.search(pattern, text)
    assert re2.compile(overapproximate(pattern), options=dot_matches_newline()).search(text)


def dot_matches_newline() -> Any:
    options = re2.Options()
    options.dot_nl = True
    return options


@pytest.mark.parametrize("pattern", [r"(?(1)a|b)", r"\L<names>", r"(?&rec)"])
def test_a_construct_that_is_not_understood_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="prefilter cannot be built"):
        overapproximate(pattern)


def test_a_pattern_that_re2_cannot_compile_refuses_the_whole_set() -> None:
    with pytest.raises(ConfigurationError, match="bad does not compile"):
        Prefilter([[Gate("good", "abc", "abc"), Gate("bad", "(", "(")]])


def test_a_lost_canary_refuses_the_whole_set() -> None:
    with pytest.raises(ConfigurationError, match="lost the canary of pattern blind"):
        Prefilter([[Gate("good", "abc", "abc")], [Gate("blind", "abc", "xyz")]])


def test_gates_are_numbered_across_groups_and_none_is_empty() -> None:
    prefilter = Prefilter([[Gate("a", "aa", "aa"), Gate("b", "bb", "bb")], [Gate("c", "cc", "cc")]])
    assert prefilter.fired("nothing") == []
    assert sorted(prefilter.fired("aa cc")) == [0, 2]


def test_a_dotted_capital_i_is_read_as_the_regex_module_reads_it() -> None:
    assert Prefilter([[Gate("i", "xi", "xi")]]).fired("X\u0130") == [0]


# --- Presidio itself as the oracle ---


class BlankEnglish(SpacyNlpEngine):
    """A pipeline without a model, with lower-cased words for lemmas: else the context boost is silently dead."""

    def __init__(self) -> None:
        super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
        self.nlp: Any = {"en": spacy.blank("en")}

    def load(self) -> None: ...

    def is_loaded(self) -> bool:
        return True

    def _doc_to_nlp_artifact(self, doc: Any, language: str) -> Any:
        artifacts = super()._doc_to_nlp_artifact(doc, language)
        artifacts.lemmas = [token.lower_ for token in doc]
        artifacts.keywords = artifacts.set_keywords(self, artifacts.lemmas, language)
        return artifacts


@cache
def both() -> tuple[AnalyzerEngine, Engine]:
    presidio: list[Any] = stock.recognizers("en")
    registry = RecognizerRegistry(recognizers=presidio, supported_languages=["en"])
    full = AnalyzerEngine(registry=registry, nlp_engine=BlankEnglish(), supported_languages=["en"])
    boost = ContextBooster({recogniser.name: recogniser for recogniser in presidio}).boost
    return full, Engine([stock.wrap(recogniser) for recogniser in presidio], boost)


def by_presidio(text: str) -> Found:
    results: Any = both()[0].analyze(text, "en")
    return sorted((r.entity_type, r.start, r.end, round(float(r.score), 3)) for r in results)


def by_engine(text: str) -> Found:
    return sorted((hit.entity, hit.start, hit.end, round(hit.score, 3)) for hit in both()[1].hits(text))


SEEDS_TEXT = """
ssn 123-45-6789|card 4111 1111 1111 1111|call +1 (212) 555-0123 ext 5|mail a.b@exämple.com|ip 10.0.0.1
1-800-FLOWERS|fe80::1ff:fe23:4567:890a|mac 00:1B:44:11:3A:B7|GB82 WEST 1234 5698 7654 32
1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa|AB 12 34 56 C|see www.foo.co.uk/x?q=1|dob 12/31/1999|2020-01-02|D1234567
passport 123456789|NPI 1234567893|x@y.zz|212.555.0199|BB1388568|CA 94110-1234|١٢٣-٤٥-٦٧٨٩|１２３－４５－６７８９
+44 20 7946 0958|http://a.b/c|'foo.bar.com'|"foo.org"|::ffff:192.0.2.1|done.It was|1EG4-TE5-MK73|943 476 5919
021000021|foo.İnt|naſ@k.Ko|13 14 22|0412 345 678|+91 98765 43210|10/10|31-DEC
"""
SEEDS = SEEDS_TEXT.strip().replace("\n", "|").split("|")
NOISE = " \u00a0-é٣\u200b._\n\u20195A/\u2013(٠\u2003\x1c\x0bİx#日:"
OPENINGS = [
    "",
    "I said ",
    "日本",
    "ok:",
    "the number on my card, the number of my bank account, is ",
    "in our relationship the ",
]


def fuzzed(count: int, seed: int) -> Iterator[str]:
    draw = random.Random(seed)
    for _ in range(count):
        text = draw.choice(SEEDS) + draw.choice(["", " and " + draw.choice(SEEDS)])
        for _ in range(draw.randrange(4)):
            at = draw.randrange(len(text) + 1)
            text = text[:at] + draw.choice(NOISE) + text[at:]
        yield draw.choice(OPENINGS) + text + draw.choice(["", ".", " ok", "é", "\n"])


def generated_messages(count: int, seed: int) -> Iterator[str]:
    """Long messages in which an identifier stands among words that do and do not boost it."""
    draw = random.Random(seed)
    words = [
        "i",
        "feel",
        "tired.It",
        "was",
        "bad",
        "and",
        "my",
        "phone",
        "card",
        "license",
        "bank",
        "account",
        "date",
        "is",
        "not",
        "the",
        "ip",
        "relationship",
        "check",
        "to",
        "call",
    ]
    for _ in range(count):
        parts = [draw.choice(words) for _ in range(draw.randrange(20, 120))]
        for _ in range(draw.randrange(3)):
            parts.insert(draw.randrange(len(parts)), draw.choice(SEEDS))
        yield " ".join(parts)


@pytest.mark.parametrize("seed", [3])
def test_the_engine_finds_exactly_what_presidio_finds(seed: int) -> None:
    texts = [*fuzzed(600, seed), *generated_messages(150, seed)]
    assert sum(map(len, map(by_presidio, texts[:50]))) > 20
    assert [text for text in texts if by_engine(text) != by_presidio(text)] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
def test_the_engine_finds_exactly_what_presidio_finds_in_thousands_of_texts(seed: int) -> None:
    texts = [*fuzzed(8000, seed), *generated_messages(3000, seed)]
    assert [text for text in texts if by_engine(text) != by_presidio(text)] == []
