"""Which of several hits on one text stay: Presidio's rule, over our tuples. Knows no recogniser."""

from __future__ import annotations

from collections.abc import Iterable

from mhds.errors import DetectorFailed

from .base import Hit

MAX_HITS = 2000  # the comparison below is quadratic; a text with more would be a way to stall the scan


def without_contained(hits: Iterable[Hit]) -> list[Hit]:
    """Drops a hit that lies inside another of its entity with an equal or higher score
    (``EntityRecognizer.remove_duplicates``).
    """
    ranked = sorted(set(hits), key=lambda h: (-h.score, h.start, h.start - h.end, h.entity, h.rule, h.pattern))
    if len(ranked) > MAX_HITS:
        raise DetectorFailed(f"One text holds over {MAX_HITS} findings: it is no message.", hint="Exclude the record.")
    kept: list[Hit] = []
    for hit in ranked:
        if hit.score > 0 and not any(_covers(other, hit) for other in kept):
            kept.append(hit)
    return kept


def _covers(outer: Hit, inner: Hit) -> bool:
    return outer.entity == inner.entity and outer.start <= inner.start and inner.end <= outer.end
