"""Finds a name again where it is said without a cue. Owns which repeats count; knows no detector and no placeholder.

"My name is Jo Doe" makes every later "Jo", "Doe" and "Jo Doe" of that conversation the same person. Only exact,
capitalised whole words count, and parts that are everyday words ("Will", "Hope") only as part of the full name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from releases.build.types import Messages

from .types import Span

REPEATS_VERSION = "1"  # raise it with any change of what counts as a repeat
RULE = "RepeatedName"
MIN_PART = 3
_WORDS_TEXT = """
    angel april art august autumn bill bishop blue brook buddy chance charity charm cherry christian clay cliff
    crystal daisy dale dawn dean destiny dick drew duke earl early eve faith forest frank gene ginger glen grace
    grant guy harmony harry heath heaven holly honor hope hunter iris ivy jack jade jasmine jewel joy june king
    lance liberty lily love major mark mason may melody mercy mike miles misty nick noble olive page pat patience
    pearl penny poppy prince queen ray rich river rob robin rock rose ruby sage sandy sky star stone storm sue
    summer sunny tiger trip victor violet wade ward will winter young the and dr mr mrs ms
"""
WORDS = frozenset(_WORDS_TEXT.split())


def repeated_names(messages: Messages, spans: Iterable[Span]) -> list[tuple[Span, str]]:
    """Spans of repeats, each with the full name that it repeats, given the spans found with cues."""
    owners: dict[str, str] = {}
    entity_spans = [span for span in spans if span.entity == "PERSON" and span.turn >= 0]
    for span in sorted(entity_spans, key=lambda s: (s.start - s.end, s.turn, s.start)):
        name = messages[span.turn].content[span.start : span.end]
        for part in _parts(name):
            owners.setdefault(part, name)
    if not owners:
        return []
    pattern = re.compile("|".join(_bounded(part) for part in sorted(owners, key=lambda p: (-len(p), p))))
    return [
        (Span("PERSON", RULE, 10_000, turn, match.start(), match.end(), "raw"), owners[match.group()])
        for turn, message in enumerate(messages)
        for match in pattern.finditer(message.content)
    ]


def _parts(name: str) -> list[str]:
    """The full name and those of its words that can stand for it; a single Chinese family name stands for nobody."""
    if not name.isascii() and not name[:1].isupper():
        return [name] if len(name) > 1 else []
    words = [word.strip(".") for word in name.split()]
    usable = [word for word in words if len(word) >= MIN_PART and word[:1].isupper() and word.casefold() not in WORDS]
    return [name, *usable] if len(words) > 1 else usable


def _bounded(part: str) -> str:
    escaped = re.escape(part)
    return rf"(?<![\w\[]){escaped}(?![\w\]])" if part[:1].isupper() else escaped
