"""Presidio's recognisers as they come, wrapped so that a timeout raises. Owns which are used and why; knows no rule of
ours.

Chosen: every pattern recogniser that covers one of HIPAA's eighteen identifiers in US or UK text (e-mail, phone, SSN,
ITIN, passport, licence, bank, Medicare, NPI, DEA, NHS, NINO, dates, URL, IP, MAC) and payment data (card, IBAN, ABA,
crypto). Left out: UkVehicleRegistrationRecognizer ("b4 the", "for 5 a" near "care" or "mother" reach 0.5: plates have a
rule of ours with a cue), those of other countries (their bare 9 to 12 digits collide with clinical numbers), and every
NER one (needs a model).

Two differences from the classes as shipped: the e-mail recogniser's suffix list is the bundled one (the default asks
the network), and the phone recogniser gets regions that exist.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import presidio_analyzer.predefined_recognizers as predefined
import regex
import tldextract
from presidio_analyzer import EntityRecognizer, PatternRecognizer

from mhds.errors import ConfigurationError, DetectorFailed

from .base import Hit
from .canaries import CANARIES
from .dedupe import without_contained
from .overapprox import overapproximate
from .phone import SCORE, PhoneFinder
from .prefilter import Gate

# Presidio logs the very text of an IBAN that it cannot parse.
for _name in ("presidio-analyzer", "decision_process"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

PHONE_REGIONS = {"en": ("US", "GB", "AU", "IN"), "zh": ("CN", "HK", "TW")}
_SUFFIXES = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
# Its patterns never cross white space and all need a dot: they run on such tokens alone.
_URL_TOKEN = regex.compile(r"\S*\.\S+")


class OfflineEmailRecognizer(predefined.EmailRecognizer):
    """The same recogniser with the public suffix list that tldextract bundles."""

    def validate_result(self, pattern_text: str) -> bool:
        return bool(_SUFFIXES(pattern_text).fqdn)


def has_known_suffix(host: str) -> bool:
    """Whether a host ends in a suffix of the bundled public suffix list."""
    return bool(_SUFFIXES(host).suffix)


def recognizers(language: str) -> list[EntityRecognizer]:
    """Presidio objects for a language, in a fixed order; also what the oracle in the tests is built from."""
    regions = PHONE_REGIONS[language]
    made = [
        predefined.PhoneRecognizer(supported_regions=regions),
        OfflineEmailRecognizer(name="EmailRecognizer"),
    ]
    names = sorted(set(CANARIES) - {"EmailRecognizer"})
    return made + [getattr(predefined, name)() for name in names]


class StockRecogniser:
    """One PatternRecognizer: its patterns, flags and validators, run by us."""

    def __init__(self, presidio: PatternRecognizer) -> None:
        self.presidio = presidio
        shipped: Any = presidio  # its attributes have no types that hold
        self.name = str(shipped.name)
        self.entity: str = presidio.supported_entities[0]
        self._flags = int(presidio.global_regex_flags or 0)
        patterns = shipped.patterns
        self._patterns = [(p.name, regex.compile(p.regex, self._flags), p.score) for p in patterns]
        self.gates: Sequence[Gate] = self._gates()

    def _gates(self) -> list[Gate]:
        canaries = CANARIES[self.name]
        if len(canaries) != len(self._patterns):
            raise ConfigurationError(f"Presidio's {self.name} has other patterns than this version expects.")
        for canary, (name, compiled, _) in zip(canaries, self._patterns, strict=True):
            if not compiled.search(canary):
                raise ConfigurationError(
                    f"Canary of {self.name} / {name} is not matched: Presidio changed its pattern."
                )
        names = (f"{self.name}/{name}" for name, _, _ in self._patterns)
        wide = (overapproximate(compiled.pattern) for _, compiled, _ in self._patterns)
        return [Gate(*parts) for parts in zip(names, wide, canaries, strict=True)]

    def describe(self) -> str:
        patterns = [(name, compiled.pattern, score) for name, compiled, score in self._patterns]
        return f"{self.name} {self.entity} {self._flags} {patterns} {self.presidio.context}"

    def find(self, text: str, fired: Sequence[int], timeout: float) -> list[Hit]:
        hits = [hit for index in fired for hit in self._pattern_hits(text, index, timeout)]
        return without_contained(hits)

    def _pattern_hits(self, text: str, index: int, timeout: float) -> Iterator[Hit]:
        name, compiled, score = self._patterns[index]
        for start, ends in self._matches(text, compiled, timeout):
            for end in ends:
                final = self._judged(text[start:end], score)
                if final > 0:
                    yield Hit(self.entity, self.name, name, final, start, end)
                    break

    def _matches(self, text: str, compiled: regex.Pattern[str], timeout: float) -> Iterator[tuple[int, list[int]]]:
        """(start, ends to try in turn): the IBAN recogniser alone falls back to shorter ends."""
        for offset, piece in self._pieces(text, timeout):
            for match in compiled.finditer(piece, timeout=timeout):
                if match.end() > match.start():
                    yield offset + match.start(), [offset + end for end in self._ends(match)]

    def _pieces(self, text: str, timeout: float) -> Iterator[tuple[int, str]]:
        if self.entity != "URL":
            yield 0, text
            return
        for token in _URL_TOKEN.finditer(text, timeout=timeout):
            yield token.start(), token.group()

    def _ends(self, match: regex.Match[str]) -> list[int]:
        if self.name != "IbanRecognizer":
            return [match.end()]
        groups = range(len(match.groups()), 0, -1)
        return [match.end(group) if match.end(group) > 0 else match.end() for group in groups]

    def _judged(self, value: str, score: float) -> float:
        """The score after the recogniser's own checks; 0 refuses."""
        try:
            valid = self.presidio.validate_result(value)
            invalid = self.presidio.invalidate_result(value)
        except (ValueError, IndexError, UnicodeError):
            raise DetectorFailed(f"The validator of {self.name} crashed on a text.") from None
        if invalid or valid is False:
            return 0.0
        return 1.0 if valid else score


def wrap(presidio: Any) -> StockRecogniser | PhoneFinder:
    """The recogniser behind our port; refuses a kind whose behaviour is not reproduced here."""
    shipped = presidio
    if isinstance(presidio, predefined.PhoneRecognizer):
        if shipped.SCORE != SCORE:
            raise ConfigurationError("Presidio's phone recogniser has another score than this version expects.")
        return PhoneFinder(str(shipped.name), shipped.supported_regions, int(shipped.leniency))
    if isinstance(presidio, PatternRecognizer):
        return StockRecogniser(presidio)
    raise ConfigurationError(f"{type(presidio).__name__} is no pattern recogniser of Presidio.")
