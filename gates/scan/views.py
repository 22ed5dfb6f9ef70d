"""The views of a conversation in which identifiers are looked for, each with the way back to raw offsets. Knows no
identifier.

``raw`` is a message as it is; ``normalised`` its folded form; ``decoded`` what its escapes and blobs say; ``joined``
the seams of turns that follow each other, where a number or address may be split over two or more of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from releases.build.types import Messages

from .decoding import DECODING_VERSION, MAX_DEPTH, blobs, may_decode, unescape
from .folding import FOLDING_VERSION, Folded, fold

RAW, NORMALISED, DECODED, JOINED = "raw", "normalised", "decoded", "joined"
VIEWS_VERSION = f"1.{FOLDING_VERSION}.{DECODING_VERSION}"
REACH = 48  # characters of a message that count as its edge
SHORT = 96  # a message up to this length may be the middle of a split identifier
GLUES = ("", " ", "-")
_TAIL_DIGIT = re.compile(r"\d[^\d]{0,16}\Z")
_HEAD_DIGIT = re.compile(r"[^\d]{0,16}\d")
_TAIL_MAIL = re.compile(r"[\w.+-]{2,}@[\w.-]*\s*\Z")
_HEAD_MAIL = re.compile(r"\s*@[\w.-]+")


class Place(NamedTuple):
    """Characters ``start`` to ``end`` (exclusive) of the raw content of message ``turn``."""

    turn: int
    start: int
    end: int


class Segment(NamedTuple):
    """``length`` characters of a view from ``at``: those of a message's text from ``offset``, by way of ``folded``."""

    at: int
    length: int
    turn: int
    offset: int
    folded: Folded | None

    def place(self, start: int, end: int) -> Place:
        low, high = self.offset + start - self.at, self.offset + end - self.at
        return Place(self.turn, *(self.folded.raw_span(low, high) if self.folded else (low, high)))


class View(NamedTuple):
    kind: str
    text: str
    segments: tuple[Segment, ...]

    def places(self, start: int, end: int) -> list[Place]:
        """Where a finding lies in the raw messages, one place for each turn that it touches."""
        found = []
        for segment in self.segments:
            low, high = max(start, segment.at), min(end, segment.at + segment.length)
            if low < high:
                found.append(segment.place(low, high))
        return found


def raw_view(turn: int, text: str) -> View:
    return _single(RAW, turn, text, None)


def message_views(turn: int, text: str) -> Iterator[View]:
    """Every view of one message but the raw one; none for plain text."""
    for kind, folded in _derived(text, 0):
        yield _single(kind, turn, folded.text, folded)


def _single(kind: str, turn: int, text: str, folded: Folded | None) -> View:
    return View(kind, text, (Segment(0, len(text), turn, 0, folded),))


def _derived(text: str, depth: int) -> Iterator[tuple[str, Folded]]:
    if depth == MAX_DEPTH:
        return
    for kind, inner in _one_step(text):
        yield kind, inner
        for _, deeper in _derived(inner.text, depth + 1):
            yield (DECODED if depth or kind == DECODED else kind), _composed(inner, deeper)


def _one_step(text: str) -> Iterator[tuple[str, Folded]]:
    folded = fold(text)
    if folded is not None and folded.text != text:
        yield NORMALISED, folded
    if may_decode(text):
        plain = unescape(text)
        if plain is not None:
            yield DECODED, plain
        for blob in blobs(text):
            yield DECODED, blob


def _composed(outer: Folded, inner: Folded) -> Folded:
    starts = [outer.starts[at] for at in inner.starts]
    ends = [outer.ends[at - 1] for at in inner.ends]
    return Folded(inner.text, starts, ends)


def joined_views(messages: Messages) -> list[View]:
    """The seams over which an identifier may run, between neighbours and between turns of one role."""
    if not any(map(_is_seam, *_edges(messages))):
        return []
    roles = sorted({message.role for message in messages})
    chains = [[turn for turn, message in enumerate(messages) if message.role == role] for role in roles]
    chains.append(list(range(len(messages))))
    runs = {run for chain in chains for run in _runs(messages, chain)}
    return [view for run in sorted(runs) for view in _run_views(messages, run)]


def _edges(messages: Messages) -> tuple[list[str], list[str]]:
    """Every message end against the two starts that may follow it: the next turn, and the next but one."""
    texts = [message.content for message in messages]
    return texts[:-1] + texts[:-2], texts[1:] + texts[2:]


def _is_seam(left: str, right: str) -> bool:
    tail, head = left[-REACH:], right[:REACH]
    if _HEAD_DIGIT.match(head) and _TAIL_DIGIT.search(tail):
        return True
    return bool(_HEAD_MAIL.match(head) or _TAIL_MAIL.search(tail))


def _runs(messages: Messages, chain: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Maximal runs of turns linked by seams; a long message ends one run and may begin the next."""
    run: list[int] = []
    for left, right in pairwise(chain):
        if not _is_seam(messages[left].content, messages[right].content):
            run = []
            continue
        if run and len(messages[left].content) <= SHORT:
            run = [*run, right]
        else:
            run = [left, right]
        yield tuple(run)


def _run_views(messages: Messages, run: tuple[int, ...]) -> Iterator[View]:
    texts = [(turn, messages[turn].content, fold(messages[turn].content)) for turn in run]
    for glue in GLUES:
        yield _glued(texts, glue, trim=True)
    yield _glued(texts, "", trim=False)


def _glued(texts: Sequence[tuple[int, str, Folded | None]], glue: str, *, trim: bool) -> View:
    parts: list[str] = []
    segments: list[Segment] = []
    at = 0
    for number, (turn, raw, folded) in enumerate(texts):
        text = folded.text if folded else raw
        start, end = _edge(text, first=number == 0, last=number == len(texts) - 1, trim=trim)
        if number:
            parts.append(glue)
            at += len(glue)
        parts.append(text[start:end])
        segments.append(Segment(at, end - start, turn, start, folded))
        at += end - start
    return View(JOINED, "".join(parts), tuple(segments))


def _edge(text: str, *, first: bool, last: bool, trim: bool) -> tuple[int, int]:
    """What of a message takes part: its end, its start, or all of a short one; trimmed to its digits at the seams."""
    start = max(0, len(text) - REACH) if first else 0
    end = min(len(text), REACH) if last else len(text)
    if not trim:
        lead = len(text[start:end]) - len(text[start:end].lstrip())
        trail = len(text[start:end]) - len(text[start:end].rstrip())
        return (start if first else start + lead), (end if last else max(start, end - trail))
    places = [place for place in range(start, end) if text[place].isdecimal()]
    if places:
        start, end = (start if first else places[0]), (end if last else places[-1] + 1)
    return start, end
