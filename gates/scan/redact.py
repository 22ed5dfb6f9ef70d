"""Replaces identifiers by typed placeholders. Owns placeholders and what they stand for; knows no source, store or
policy.

``[PHONE_1]`` stands for one value within one conversation, wherever it is repeated. Redaction goes on until the
detector finds nothing at or over the threshold: redacting the outcome again changes nothing, by construction. Every
doubt is ``requires_review``.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from mhds.errors import DetectorFailed, InvalidInput
from releases.build.types import Message, Messages, PiiStatus, Redaction

from .folding import fold
from .repeats import REPEATS_VERSION, WORDS, repeated_names
from .tags import crisis_terms, tags_version
from .types import PiiDetector, Span

CODE_VERSION = "1"  # raise it with any change of what redacted text looks like
MAX_ROUNDS = 4
PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_]{1,30}_[1-9][0-9]{0,5}\]")
# Entities whose name in a text would be long or would tell more than a reader needs; any other keeps its own.
LABELS = {
    "PHONE_NUMBER": "PHONE",
    "EMAIL_ADDRESS": "EMAIL",
    "STREET_ADDRESS": "ADDRESS",
    "UK_POSTCODE": "ADDRESS",
    "DATE_TIME": "DATE",
    "DATE_OF_BIRTH": "DATE",
    "IP_ADDRESS": "IP",
    "MAC_ADDRESS": "MAC",
    "AGE_OVER_89": "AGE",
    "CREDIT_CARD": "CARD",
    "BANK_CARD": "CARD",
    "US_BANK_NUMBER": "ACCOUNT",
    "IBAN_CODE": "ACCOUNT",
    "MEDICAL_RECORD_NUMBER": "MRN",
    "SOCIAL_HANDLE": "HANDLE",
    "US_SSN": "ID",
    "US_ITIN": "ID",
    "UK_NINO": "ID",
    "UK_NHS": "ID",
    "CN_RESIDENT_ID": "ID",
}


# Checksums and lengths that one phone number in ten meets by chance: they name a value only where nothing else does.
AMBIGUOUS = frozenset(("UK_NHS", "US_NPI", "US_BANK_NUMBER", "ABA_ROUTING_NUMBER", "US_DRIVER_LICENSE", "US_PASSPORT"))


class Cut(NamedTuple):
    """What one placeholder replaces in one message; ``entity`` is that of the longest span in it."""

    start: int
    end: int
    entity: str


class PlaceholderRedactor:
    """Implements ``releases.build.types.Redactor``. ``threshold_bp`` is the policy's: 0..10000."""

    name = "placeholders"

    def __init__(self, detector: PiiDetector, threshold_bp: int) -> None:
        if not 0 < threshold_bp <= 10_000:
            raise InvalidInput(
                f"The redaction threshold is {threshold_bp}: it must lie between 1 and 10,000 basis points."
            )
        self._detector = detector
        self._threshold = threshold_bp
        own = f"{CODE_VERSION} {REPEATS_VERSION} {sorted(WORDS)} {sorted(LABELS.items())} {sorted(AMBIGUOUS)}"
        about = f"{own} {tags_version()} {detector.name} {detector.version} {threshold_bp}"
        self.version = hashlib.sha256(about.encode()).hexdigest()[:16]

    def redact(self, messages: Messages, language: str) -> Redaction:
        """Redact one conversation. Characters are counted before and after, crisis terms as ``tags.crisis_terms`` does.

        ``requires_review``, with the text as it came, where the language has no recognisers, the scan fails, a finding
        lies in no message, the text already holds a placeholder that would be issued, or findings do not cease.
        """
        if language not in self._detector.languages:
            return _outcome(messages, messages, PiiStatus.REQUIRES_REVIEW, {}, language)
        try:
            redacted, replaced = self._until_clean(messages, language)
        except (DetectorFailed, _InDoubtError):
            return _outcome(messages, messages, PiiStatus.REQUIRES_REVIEW, {}, language)
        status = PiiStatus.SCRUBBED if replaced else PiiStatus.NONE_DETECTED
        return _outcome(messages, redacted, status, replaced, language)

    def _until_clean(self, messages: Messages, language: str) -> tuple[Messages, dict[str, int]]:
        ledger = _Ledger(messages)
        for _ in range(MAX_ROUNDS):
            spans = [s for s in self._detector.detect(messages, language) if s.score_bp >= self._threshold]
            if not spans:
                return messages, dict(sorted(ledger.replaced.items()))
            if any(span.turn < 0 for span in spans):
                raise _InDoubtError
            repeats = repeated_names(messages, spans)
            ledger.number_names(messages, repeats)
            spans += [span for span, _ in repeats]
            messages = tuple(_cut(m, _merged(turn, spans), ledger) for turn, m in enumerate(messages))
        raise _InDoubtError


class _InDoubtError(Exception):
    """Redaction cannot vouch for its outcome; never leaves this module."""


class _Ledger:
    """Which placeholder stands for which value in one conversation."""

    def __init__(self, messages: Messages) -> None:
        self._present = {found for message in messages for found in PLACEHOLDER.findall(message.content)}
        self._numbers: dict[tuple[str, str], int] = {}
        self._issued: Counter[str] = Counter()
        self.replaced: Counter[str] = Counter()

    def number_names(self, messages: Messages, repeats: Sequence[tuple[Span, str]]) -> None:
        """Gives a name and the parts that repeat it one number, whichever comes first in the text."""
        for span, name in repeats:
            part = comparable(messages[span.turn].content[span.start : span.end])
            self._numbers.setdefault(("PERSON", part), self._number("PERSON", name))

    def placeholder(self, entity: str, value: str) -> str:
        label = LABELS.get(entity, entity)
        text = f"[{label}_{self._number(label, value)}]"
        if text in self._present:
            raise _InDoubtError
        self.replaced[entity] += 1
        return text

    def _number(self, label: str, value: str) -> int:
        key = (label, comparable(value))
        if key not in self._numbers:
            self._issued[label] += 1
            self._numbers[key] = self._issued[label]
        return self._numbers[key]


def comparable(value: str) -> str:
    """A value in the form in which two writings of it are equal: folded, lower case, letters and digits only."""
    folded = fold(value)
    plain = (folded.text if folded else value).casefold()
    return "".join(char for char in plain if char.isalnum()) or plain


def _merged(turn: int, spans: Sequence[Span]) -> list[Cut]:
    """Overlapping spans become one cut: its extent is their union, its entity that of the longest, then surest, of
    them.
    """
    mine = sorted((s for s in spans if s.turn == turn and s.start < s.end), key=lambda s: (s.start, s.end))
    groups: list[list[Span]] = []
    for span in mine:
        if groups and span.start < max(s.end for s in groups[-1]):
            groups[-1].append(span)
        else:
            groups.append([span])
    return [_union(group) for group in groups]


def _union(group: Sequence[Span]) -> Cut:
    best = min(group, key=lambda s: (s.start - s.end, s.entity in AMBIGUOUS, -s.score_bp, s.entity))
    return Cut(group[0].start, max(s.end for s in group), best.entity)


def _cut(message: Message, cuts: Sequence[Cut], ledger: _Ledger) -> Message:
    if not cuts:
        return message
    parts: list[str] = []
    at = 0
    for cut in cuts:
        parts += [message.content[at : cut.start], ledger.placeholder(cut.entity, message.content[cut.start : cut.end])]
        at = cut.end
    return message._replace(content="".join([*parts, message.content[at:]]))


def _outcome(
    before: Messages, after: Messages, status: PiiStatus, replaced: dict[str, int], language: str
) -> Redaction:
    return Redaction(
        messages=after,
        pii_status=status,
        replaced=replaced,
        chars_before=sum(len(message.content) for message in before),
        chars_after=sum(len(message.content) for message in after),
        crisis_terms_before=crisis_terms(before, language),
        crisis_terms_after=crisis_terms(after, language),
    )
