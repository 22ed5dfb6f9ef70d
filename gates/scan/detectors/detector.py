"""The detector of identifiers: every view of a conversation through the lane of its language. Knows no gate, store or
policy.

What it finds: HIPAA's Safe Harbor identifiers as far as patterns, checksums and cues carry them. Names without a cue
and places smaller than a state without a street are not its work.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import tldextract

from gates.scan.decoding import may_decode
from gates.scan.types import Span
from gates.scan.views import JOINED, RAW, VIEWS_VERSION, View, joined_views, message_views, raw_view
from mhds.errors import DetectorFailed
from releases.build.types import Messages

from . import calibrate, crisis_lines
from .engine import TIMEOUT_SECONDS
from .lanes import LANGUAGES, Lane

CODE_VERSION = "1"  # raise it with any change of what is found that no pattern, list or package shows
PACKAGES = ("presidio-analyzer", "spacy", "phonenumbers", "regex", "google-re2", "tldextract")
# What may be split over turns; a date, a name or a weak bare number that only a seam makes is chance.
JOINABLE = frozenset(
    (
        *(
            "PHONE_NUMBER",
            "US_SSN",
            "US_ITIN",
            "CREDIT_CARD",
            "BANK_CARD",
            "IBAN_CODE",
            "CN_RESIDENT_ID",
            "EMAIL_ADDRESS",
        ),
        *(
            "IP_ADDRESS",
            "MAC_ADDRESS",
            "MEDICAL_RECORD_NUMBER",
            "INSURANCE_NUMBER",
            "SOCIAL_HANDLE",
            "UK_NHS",
            "UK_NINO",
            "US_MBI",
            "SECRET",
            "CRYPTO",
        ),
    )
)


class PresidioDetector:
    """Implements ``gates.scan.types.PiiDetector`` for English and Chinese."""

    name = "presidio"
    languages: frozenset[str] = frozenset(LANGUAGES)

    def __init__(self, timeout: float = TIMEOUT_SECONDS) -> None:
        """``timeout`` in seconds bounds one pattern on one text."""
        self._lines = crisis_lines.load()
        self._lanes = {language: Lane(language, self._lines, timeout) for language in LANGUAGES}
        self.version = self._digest()

    def _digest(self) -> str:
        """First 16 hex digits of SHA-256 over everything that decides a finding."""
        about = {
            "code": CODE_VERSION,
            "views": VIEWS_VERSION,
            "packages": {package: importlib.metadata.version(package) for package in PACKAGES},
            "suffixes": _suffix_list_digest(),
            "lanes": {language: lane.describe() for language, lane in self._lanes.items()},
            "crisis_lines": [sorted(self._lines.numbers), sorted(self._lines.hosts)],
            "calibration": [calibrate.WEAK_BP, sorted(calibrate.STRONG_ENDINGS), calibrate.MIN_LICENCE_DIGITS],
            "joinable": sorted(JOINABLE),
        }
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]

    def detect(self, messages: Messages, language: str) -> Sequence[Span]:
        """Spans by turn and offset, each at most once per entity and place; the view is the plainest that showed it.

        Raises ``DetectorFailed`` for a language without recognisers and wherever any text could not be read to its end.
        """
        lane = self._lanes.get(language)
        if lane is None:
            raise DetectorFailed(f"There are no recognisers for language {language!r}.", hint="Exclude the record.")
        spans: dict[tuple[str, int, int, int], Span] = {}
        for view in _views(messages, lane):
            for span in _spans(view, lane):
                _add(spans, span)
        return sorted(spans.values(), key=lambda s: (s.turn, s.start, s.end, s.entity, s.rule))


def _views(messages: Messages, lane: Lane) -> Iterable[View]:
    """The views that can hold a finding: one pass of the prefilter over the whole record spares most raw ones."""
    whole = "\n".join(message.content for message in messages)
    if lane.may_hold(whole):
        yield from (raw_view(turn, message.content) for turn, message in enumerate(messages))
    if not whole.isascii() or may_decode(whole):
        for turn, message in enumerate(messages):
            yield from message_views(turn, message.content)
    yield from joined_views(messages)


def _spans(view: View, lane: Lane) -> Iterable[Span]:
    for hit, score in lane.found(view.text):
        places = view.places(hit.start, hit.end)
        if view.kind == JOINED and (len(places) < 2 or hit.entity not in JOINABLE):
            continue
        if not places:
            yield Span(hit.entity, hit.rule, score, -1, 0, 0, view.kind)
        for place in places:
            yield Span(hit.entity, hit.rule, score, place.turn, place.start, place.end, view.kind)


def _add(spans: dict[tuple[str, int, int, int], Span], new: Span) -> None:
    """Keeps the first and plainest view of a place; a later view with a higher score replaces it."""
    key = (new.entity, new.turn, new.start, new.end)
    old = spans.get(key)
    if old is None and new.view != RAW and any(_covers(span, new) for span in spans.values()):
        return
    if old is None or new.score_bp > old.score_bp:
        spans[key] = new


def _covers(old: Span, new: Span) -> bool:
    same = old.entity == new.entity and old.turn == new.turn and old.score_bp >= new.score_bp
    return same and old.start <= new.start and new.end <= old.end


def _suffix_list_digest() -> str:
    snapshot = Path(tldextract.__file__).parent / ".tld_set_snapshot"
    return hashlib.sha256(snapshot.read_bytes()).hexdigest()


@cache
def shared() -> PresidioDetector:
    """The one detector of this process: half a second and some 100 MB to build."""
    return PresidioDetector()
