"""Presidio's own context boost, for hits that exist only. Owns the words around a hit; knows no pattern.

A blank spaCy pipeline has empty lemmas, which silently disables the boost: lower-cased words stand in for them. Words
are cut from a window that grows until it holds every word that the enhancer could look at, so the answer equals that
for the whole text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Presidio imports spaCy (over a second): this module is imported by detectors.stock only, which the factory loads
# lazily.
import spacy
from presidio_analyzer import AnalysisExplanation, EntityRecognizer, RecognizerResult
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts
from spacy.lang.lex_attrs import is_punct

from .base import Hit

MAX_WINDOW = 4096  # a word farther away says nothing about a hit, and a text of stop words must not stall the scan
FIRST_WINDOW = 128  # characters before a hit; doubled until enough words are seen


class Words:
    """The part of an NLP engine that NlpArtifacts asks for; no vocabulary grows with the text."""

    def __init__(self) -> None:
        self.nlp = spacy.blank("en")

    def is_stopword(self, word: str, _language: str) -> bool:
        return word.lower() in self.nlp.Defaults.stop_words

    def is_punct(self, word: str, _language: str) -> bool:
        return bool(is_punct(word))

    def cut(self, text: str) -> list[tuple[str, int]]:
        """(token, offset) of a text; the memory zone frees the tokens' strings, which are conversation text."""
        with self.nlp.memory_zone():
            return [(token.text, token.idx) for token in self.nlp.tokenizer(text)]


class ContextBooster:
    """Raises the score of hits that Presidio's recognisers found near their context words."""

    def __init__(self, recognisers: Mapping[str, EntityRecognizer]) -> None:
        """``recognisers`` by rule name; a hit of another rule passes unchanged."""
        self._recognisers = {name: r for name, r in recognisers.items() if r.context}
        self._enhancer = LemmaContextAwareEnhancer()
        self._words = Words()

    def boost(self, text: str, hits: Sequence[Hit]) -> list[Hit]:
        return [self._boosted(text, hit) if hit.rule in self._recognisers else hit for hit in hits]

    def _boosted(self, text: str, hit: Hit) -> Hit:
        recogniser = self._recognisers[hit.rule]
        result = RecognizerResult(
            entity_type=hit.entity,
            start=hit.start,
            end=hit.end,
            score=hit.score,
            analysis_explanation=AnalysisExplanation(recognizer=hit.rule, original_score=hit.score),
            recognition_metadata={RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: recogniser.id},
        )
        artifacts = self._artifacts(text, hit)
        (enhanced,) = self._enhancer.enhance_using_context(text, [result], artifacts, [recogniser])
        return hit._replace(score=float(enhanced.score))

    def _artifacts(self, text: str, hit: Hit) -> NlpArtifacts:
        width = FIRST_WINDOW
        while True:
            start, end = _window(text, hit, width)
            tokens = [(word, at + start) for word, at in self._words.cut(text[start:end])]
            artifacts = self._as_artifacts(tokens)
            if width >= MAX_WINDOW or self._enough(artifacts, hit, start == 0, end == len(text)):
                return artifacts
            width *= 2

    def _as_artifacts(self, tokens: Sequence[tuple[str, int]]) -> NlpArtifacts:
        # The enhancer asks a token for its length only, so plain strings stand for spaCy's tokens, which the zone has
        # freed.
        words: Any = [word for word, _ in tokens]
        lemmas = [word.lower() for word in words]
        return NlpArtifacts([], words, [at for _, at in tokens], lemmas, self._words, "en")

    def _enough(self, artifacts: NlpArtifacts, hit: Hit, whole_before: bool, whole_after: bool) -> bool:
        """The enhancer counts keywords only, backwards and forwards from the hit's own token, which may be none."""
        keywords = frozenset(artifacts.keywords)
        pairs = zip(artifacts.lemmas, artifacts.tokens_indices, strict=True)
        places = [at for lemma, at in pairs if lemma in keywords]
        before = sum(at < hit.start for at in places)
        after = sum(at >= hit.end for at in places)
        enough_before = before > self._enhancer.context_prefix_count + 1
        return (enough_before or whole_before) and (after > self._enhancer.context_suffix_count or whole_after)


def _window(text: str, hit: Hit, width: int) -> tuple[int, int]:
    """A slice around the hit that begins and ends at white space: spaCy cuts there first, so its tokens are those of
    the text.
    """
    start = max(0, hit.start - width)
    farthest = max(0, hit.start - MAX_WINDOW)
    while start > farthest and not (text[start - 1].isspace() and not text[start].isspace()):
        start -= 1
    end = min(len(text), hit.end + width // 4)
    farthest = min(len(text), hit.end + MAX_WINDOW)
    while end < farthest and not (text[end].isspace() and not text[end - 1].isspace()):
        end += 1
    return start, end
